//! The plan: from the texts of a document to the cuts, complete before the first byte is written.
//!
//! Whatever is said or done about a document (clean copy, scan) is made from its plan, so they can't disagree.

use crate::Settings;
use crate::document::{Block, Cut, Document, Map, Rule, Span, TooLarge};
use crate::page::Page;
use crate::rules::{Removed, decide};
use crate::survivors::Survivors;

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
}

impl Plan {
    /// Finds the repeats of a document and decides which of them go.
    ///
    /// # Errors
    /// If the document, or a paragraph of it, is too large to be taken apart.
    pub fn new(document: &Document, settings: &Settings) -> Result<Plan, TooLarge> {
        let mut plan = Plan::default();
        for part in &document.parts {
            let (page, repeats) = Page::read(&part.text, settings.matching)?;
            plan.paragraphs += page.segments.len();
            let repeating = repeats.len();
            let (removed, survivors) = decide(&page, repeats, settings.threshold, settings.keep);
            plan.spared += repeating - removed.len();
            for run in removed.chunk_by(|a, b| b.at == a.at + 1) {
                plan.add(run, &page, &survivors, &part.map);
            }
        }
        Ok(plan)
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
    fn add(&mut self, run: &[Removed], page: &Page, survivors: &Survivors, map: &Map) {
        // What precedes the first paragraph of a text always stays.
        let (start, end) = (run[0].at, run[run.len() - 1].at + 1);
        let takes_preceding = start > 0 && page.separator_between(start - 1, end) != start - 1;
        // Witnesses are consecutive when nothing that survives stands between them.
        let rank = |removed: &Removed| survivors.number(removed.witness);
        for removed in run.chunk_by(|a, b| rank(b) == rank(a) + 1) {
            let block = self.blocks.len();
            let (first, last) = (removed[0].at, removed[removed.len() - 1].at);
            let cut = if takes_preceding {
                Span { start: page.span(first - 1).end, end: page.span(last).end }
            } else {
                Span { start: page.span(first).start, end: page.start(last + 1) }
            };
            self.cuts.extend(map.source(cut).map(|at| Cut { at, block }));
            self.blocks.push(to_block(removed, page, map));
        }
    }
}

fn to_block(removed: &[Removed], page: &Page, map: &Map) -> Block {
    let (first, last) = (removed[0].at, removed[removed.len() - 1].at);
    let repeat = Span { start: page.span(first).start, end: page.span(last).end };
    let mut source = map.source(repeat);
    let start = source.next().expect("a paragraph has bytes, and every byte of a text has a source");
    let witness = removed.chunk_by(|a, b| b.witness == a.witness + 1).flat_map(|consecutive| {
        let (first, last) = (consecutive[0].witness, consecutive[consecutive.len() - 1].witness);
        map.source(Span { start: page.span(first).start, end: page.span(last).end })
    });
    Block {
        rule: Rule::RepeatedBlock,
        repeat: Span { start: start.start, end: source.last().unwrap_or(start).end },
        witness: witness.collect(),
        paragraphs: removed.len(),
        columns: page.segments[first as usize..=last as usize].iter().map(|segment| u64::from(segment.columns())).sum(),
    }
}
