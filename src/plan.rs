//! The plan: from the texts of a document to the cuts, complete before the first byte is written.
//!
//! Whatever is said or done about a document (clean copy, scan) is made from its plan, so they can't disagree.

use crate::Settings;
use crate::corpus::Corpus;
use crate::detect::earlier::InDocument;
use crate::document::{Block, Cut, Document, Rule, Segment, Span, TooLarge, Unit, Witness};
use crate::fingerprint::Hash;
use crate::ground::Ground;
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
            let page = Page { text: &part.text, segments: &segments, origin: 0, columns, is_markup: false };
            plan.add(&page, InDocument::alone(repeats), settings, || part.map.clone().into(), None);
        }
        plan.settle(settings);
        Ok(plan)
    }

    /// Decides about a document that is one text; see [`Plan::add`].
    pub(crate) fn of<'g>(
        page: &Page,
        repeats: InDocument,
        settings: &Settings,
        ground: impl FnOnce() -> Ground<'g>,
        earlier: Option<&Corpus>,
    ) -> Plan {
        let mut plan = Plan::default();
        plan.add(page, repeats, settings, ground, earlier);
        plan.settle(settings);
        plan
    }

    /// The plan for a document whose texts have these; `rests`: and those for what else it says.
    pub(crate) fn together(plans: Vec<Plan>, rests: &[Plan]) -> Plan {
        let goes = |plan: &Plan| plan.paragraphs == 0 || plan.fate != Fate::Stays;
        let has_text = plans.iter().any(|plan| plan.paragraphs > 0);
        let all_go = has_text && plans.iter().chain(rests).all(goes);
        let fates = [Fate::TooRepetitive, Fate::Emptied, Fate::Repeated];
        let fate = fates.into_iter().find(|fate| all_go && plans.iter().any(|plan| plan.fate == *fate)).unwrap_or_default();
        let mut all = Plan { fate, ..Plan::default() };
        for plan in plans {
            let before = all.blocks.len();
            all.paragraphs += plan.paragraphs;
            all.spared += plan.spared;
            all.columns += plan.columns;
            all.blocks.extend(plan.blocks);
            all.cuts.extend(plan.cuts.into_iter().map(|cut| Cut { block: cut.block + before, ..cut }));
        }
        // Their texts may be read in another order than they stand in.
        all.cuts.sort_by_key(|cut| cut.at);
        all
    }

    /// Decides about a text of the document; its `ground` is asked for only if something goes.
    fn add<'g>(
        &mut self,
        page: &Page,
        repeats: InDocument,
        settings: &Settings,
        ground: impl FnOnce() -> Ground<'g>,
        earlier: Option<&Corpus>,
    ) {
        self.paragraphs += page.segments.len();
        self.columns += page.columns;
        let alike = repeats.alike;
        if repeats.within.is_empty() && repeats.across.is_empty() {
            self.spared += alike;
            return;
        }
        let Decided { mut removed, survivors, .. } = decide(page, repeats, settings.measure());
        if !removed.is_empty() {
            let ground = &ground();
            let mut gone = removed.iter().map(|removed| removed.at).collect();
            let cuts = ground.cuts_without(&mut gone, page.text, settings.unit);
            removed.retain(|removed| gone.binary_search(&removed.at).is_ok());
            let is_whole = settings.unit == Unit::Document;
            let around = Around { page, survivors: &survivors, ground, earlier, is_whole };
            match cuts {
                None => self.add_removed(&removed, &around),
                Some(cuts) => self.add_cuts(&removed, cuts, &around),
            }
        }
        self.spared += alike - removed.len();
    }

    /// Adds paragraphs that go, and the cuts that take them out, each with the first paragraph in it.
    fn add_cuts(&mut self, removed: &[Removed], cuts: Vec<(Span, u32)>, around: &Around) {
        let mut firsts = Vec::new();
        for run in removed.chunk_by(|a, b| b.at == a.at + 1) {
            for removed in run.chunk_by(|a, b| around.has_consecutive_witnesses(a, b)) {
                firsts.push((removed[0].at, self.blocks.len()));
                self.blocks.push(around.to_block(removed));
            }
        }
        for (mut at, first) in cuts {
            let mut number = firsts.partition_point(|(begins, _)| *begins <= first).saturating_sub(1);
            // What takes the beginning of another block, too, is another cut from there on.
            while let Some(&(_, next)) = firsts.get(number + 1).filter(|(_, next)| self.blocks[*next].repeat.start < at.end) {
                let begins = self.blocks[next].repeat.start.max(at.start);
                if begins > at.start {
                    self.cuts.push(Cut { at: Span { start: at.start, end: begins }, block: firsts[number].1 });
                    at.start = begins;
                }
                number += 1;
            }
            self.cuts.push(Cut { at, block: firsts[number].1 });
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
        let Around { page, ground, .. } = around;
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
            if !ground.may_be_parted(cut) {
                self.spared += removed.len();
                continue;
            }
            self.cuts.extend(ground.pieces(cut).into_iter().map(|at| Cut { at, block }));
            self.blocks.push(around.to_block(removed));
        }
    }
}

/// What the paragraphs that go stand in.
pub(crate) struct Around<'a> {
    pub(crate) page: &'a Page<'a>,
    pub(crate) survivors: &'a Survivors,
    pub(crate) ground: &'a Ground<'a>,
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
        let repeat = self.ground.around(Span { start: self.page.span(first).start, end: self.page.span(last).end });
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
            here.extend(self.ground.witness(text));
        }
        here
    }
}

#[cfg(test)]
mod tests;
