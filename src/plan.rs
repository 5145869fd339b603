//! The plan: from the texts of a document to the cuts, complete before the first byte is written.
//!
//! Whatever is said or done about a document (clean copy, scan) is made from its plan, so they can't disagree.

use crate::Settings;
use crate::corpus::Corpus;
use crate::detect::earlier::InDocument;
use crate::document::{Block, Cut, Document, Map, Rule, Segment, Span, TooLarge, Unit, Witness};
use crate::fingerprint::Hash;
use crate::page::{Page, Read};
use crate::rules::{Decided, Removed, decide};
use crate::survivors::Survivors;
use smallvec::SmallVec;

/// What is to be cut from a document, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// How many paragraphs the document has.
    pub paragraphs: usize,
    /// What repeats, in document order.
    pub blocks: Vec<Block>,
    /// How many paragraphs equal another one and stay all the same: alone they are too short, or a guard spared them.
    pub spared: usize,
    /// What goes: byte ranges of the source, in order, without overlap.
    pub cuts: Vec<Cut>,
    /// What becomes of the document as a whole.
    pub fate: Fate,
    /// The columns of all its paragraphs.
    columns: u64,
}

/// What becomes of a document as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// It stays, with or without cuts.
    #[default]
    Stays,
    /// All its text is cut.
    Emptied,
    /// It is an earlier document again.
    Repeated,
    /// More of it repeats than `--drop-above` allows.
    TooRepetitive,
}

impl Fate {
    /// What becomes of a document of so many paragraphs and columns, of which so many go.
    pub(crate) fn of(removed: (usize, u64), all: (usize, u64), settings: &Settings) -> Self {
        match settings.drop_above {
            _ if all.0 > 0 && removed.0 == all.0 && settings.unit == Unit::Document => Fate::Repeated,
            Some(share) if share.is_exceeded(removed.1, all.1) => Fate::TooRepetitive,
            _ if all.0 > 0 && removed.0 == all.0 => Fate::Emptied,
            _ => Fate::Stays,
        }
    }
}

impl Plan {
    /// Finds the repeats of a document by itself and decides which of them go.
    ///
    /// # Errors
    /// If the document, or a paragraph of it, is too large to be taken apart.
    pub fn new(document: &Document, settings: &Settings) -> Result<Plan, TooLarge> {
        let mut plan = Plan::default();
        for part in &document.parts {
            let Read { segments, columns, repeats } = Read::new(&part.text, settings.manner(Hash::Fast))?;
            let page = Page { text: &part.text, segments: &segments, origin: 0, columns };
            plan.add(&page, InDocument::alone(repeats), settings, || part.map.clone(), None);
        }
        plan.settle(settings);
        Ok(plan)
    }

    /// Decides about a document that is one text; see [`Plan::add`].
    pub(crate) fn of(
        page: &Page,
        repeats: InDocument,
        settings: &Settings,
        map: impl FnOnce() -> Map,
        earlier: Option<&Corpus>,
    ) -> Plan {
        let mut plan = Plan::default();
        plan.add(page, repeats, settings, map, earlier);
        plan.settle(settings);
        plan
    }

    /// Decides about a text of the document; `map` leads from it to the source, and is asked for only if something goes.
    fn add(
        &mut self,
        page: &Page,
        repeats: InDocument,
        settings: &Settings,
        map: impl FnOnce() -> Map,
        earlier: Option<&Corpus>,
    ) {
        self.paragraphs += page.segments.len();
        self.columns += page.columns;
        let alike = repeats.alike;
        if repeats.within.is_empty() && repeats.across.is_empty() {
            self.spared += alike;
            return;
        }
        let Decided { removed, survivors, .. } = decide(page, repeats, settings.measure());
        self.spared += alike - removed.len();
        if !removed.is_empty() {
            let around = Around { page, survivors: &survivors, map: &map(), earlier, is_whole: settings.unit == Unit::Document };
            self.add_removed(&removed, &around);
        }
    }

    /// Adds paragraphs that go: whole runs of neighbours.
    pub(crate) fn add_removed(&mut self, removed: &[Removed], around: &Around) {
        let is_break = |pair: &&[Removed]| pair[1].at != pair[0].at + 1 || pair[1].witness != pair[0].witness + 1;
        let about = removed.windows(2).filter(is_break).count() + 1;
        self.blocks.reserve(about);
        self.cuts.reserve(about);
        removed.chunk_by(|a, b| b.at == a.at + 1).for_each(|run| self.add_run(run, around));
    }

    /// Decides about the document as a whole, now that all its texts are added.
    fn settle(&mut self, settings: &Settings) {
        let columns = self.blocks.iter().map(|block| block.columns).sum();
        self.fate = Fate::of((self.removed_paragraphs(), columns), (self.paragraphs, self.columns), settings);
    }

    /// The number of bytes that go.
    pub fn removed_bytes(&self) -> u64 {
        self.cuts.iter().map(|cut| cut.at.len()).sum()
    }

    /// The number of paragraphs that go.
    pub fn removed_paragraphs(&self) -> usize {
        self.blocks.iter().map(|block| block.paragraphs).sum()
    }

    /// Adds a maximal run of paragraphs that go: its blocks, and the cuts that take them out.
    fn add_run(&mut self, run: &[Removed], around: &Around) {
        let Around { page, map, .. } = around;
        // What precedes the first paragraph of a text always stays.
        let (start, end) = (run[0].at, run[run.len() - 1].at + 1);
        let takes_preceding = start > 0 && page.separator_between(start - 1, end) != start - 1;
        for removed in run.chunk_by(|a, b| around.has_consecutive_witnesses(a, b)) {
            let block = self.blocks.len();
            let (first, last) = (removed[0].at, removed[removed.len() - 1].at);
            let cut = if takes_preceding {
                Span { start: page.span(first - 1).end, end: page.span(last).end }
            } else {
                Span { start: page.span(first).start, end: page.start(last + 1) }
            };
            joined(map, cut, |at| self.cuts.push(Cut { at, block }));
            self.blocks.push(around.to_block(removed));
        }
    }
}

/// What the paragraphs that go stand in.
pub(crate) struct Around<'a> {
    pub(crate) page: &'a Page<'a>,
    pub(crate) survivors: &'a Survivors,
    pub(crate) map: &'a Map,
    pub(crate) earlier: Option<&'a Corpus>,
    /// Whether the only segment is the document itself.
    pub(crate) is_whole: bool,
}

impl Around<'_> {
    /// Whether the witnesses of two neighbours are consecutive: whether nothing that survives stands between them.
    fn has_consecutive_witnesses(&self, a: &Removed, b: &Removed) -> bool {
        match (a.is_across, b.is_across) {
            (false, false) => self.survivors.number(b.witness) == self.survivors.number(a.witness) + 1,
            (true, true) => b.witness == a.witness + 1 && self.earlier.is_some_and(|earlier| !earlier.begins_document(b.witness)),
            _ => false,
        }
    }

    fn to_block(&self, removed: &[Removed]) -> Block {
        let (first, last) = (removed[0].at, removed[removed.len() - 1].at);
        let repeat = self.map.around(Span { start: self.page.span(first).start, end: self.page.span(last).end });
        let (rule, witness) = if removed[0].is_across {
            let (first, last) = (removed[0].witness, removed[removed.len() - 1].witness);
            let rule = if self.is_whole { Rule::RepeatedDocument } else { Rule::RepeatedAcross };
            (rule, Witness::Earlier { first, last })
        } else {
            (Rule::RepeatedBlock, Witness::Here(self.witness_here(removed)))
        };
        let columns = |segment: &Segment| u64::from(segment.columns());
        let columns = self.page.segments[first as usize..=last as usize].iter().map(columns).sum();
        Block { rule, repeat, witness, paragraphs: removed.len(), columns }
    }

    fn witness_here(&self, removed: &[Removed]) -> SmallVec<[Span; 1]> {
        let mut here = SmallVec::new();
        for consecutive in removed.chunk_by(|a, b| b.witness == a.witness + 1) {
            let (first, last) = (consecutive[0].witness, consecutive[consecutive.len() - 1].witness);
            let text = Span { start: self.page.span(first).start, end: self.page.span(last).end };
            joined(self.map, text, |span| here.push(span));
        }
        here
    }
}

/// Gives the stretches of the source in which the bytes of a text stand, those that touch made one.
fn joined(map: &Map, text: Span, mut each: impl FnMut(Span)) {
    let mut source = map.source(text);
    let Some(mut last) = source.next() else { return };
    for span in source {
        if last.end == span.start {
            last.end = span.end;
        } else {
            each(std::mem::replace(&mut last, span));
        }
    }
    each(last);
}
