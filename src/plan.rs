//! The plan: from the texts of a document to the cuts, complete before the first byte is written.
//!
//! Whatever is said or done about a document (clean copy, scan) is made from its plan, so they can't disagree.

use crate::document::{Block, Cut, Document, Map, Span};
use crate::pass::Pass;
use crate::segment::TooLarge;
use crate::{Settings, apply};
use std::borrow::Cow;

/// What is to be cut from a document, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// How many paragraphs the document has.
    pub paragraphs: usize,
    /// What repeats, in document order.
    pub blocks: Vec<Block>,
    /// What goes: byte ranges of the source, in order, without overlap.
    pub cuts: Vec<Cut>,
}

impl Plan {
    /// Finds the repeats of a document and decides which of them go.
    ///
    /// The rules run again on what survives until nothing changes, so that cleaning twice is cleaning once.
    ///
    /// # Errors
    /// If the document, or a paragraph of it, is too large to be taken apart.
    pub fn new(document: &Document, settings: &Settings) -> Result<Plan, TooLarge> {
        let mut plan = Plan::default();
        for part in &document.parts {
            plan.add(&part.text, &part.map, settings)?;
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

    fn add(&mut self, text: &[u8], map: &Map, settings: &Settings) -> Result<(), TooLarge> {
        let (mut text, mut map) = (Cow::Borrowed(text), Cow::Borrowed(map));
        let mut pass = Pass::over(&text, settings)?;
        self.paragraphs += pass.paragraphs();
        let mut passes = Vec::new();
        while pass.found_any() {
            let found = pass.found();
            let spans: Vec<Span> = found.cuts.iter().map(|cut| cut.at).collect();
            passes.push(found.in_source(&map));
            if pass.is_settled() {
                break;
            }
            map = Cow::Owned(Map::without(spans.iter().copied(), text.len()).then(&map));
            text = Cow::Owned(apply::without(&text, spans));
            pass = Pass::over(&text, settings)?;
        }
        self.take(passes);
        Ok(())
    }

    /// Takes over what the passes found, each on what survived the one before, with witnesses that survived them all.
    fn take(&mut self, passes: Vec<Found>) {
        let mut all = Found::default();
        for mut found in passes.into_iter().rev() {
            for block in &mut found.blocks {
                block.witness = block.witness.iter().flat_map(|&witness| all.survivors(witness)).collect();
            }
            let offset = all.blocks.len();
            all.blocks.append(&mut found.blocks);
            all.cuts.extend(found.cuts.into_iter().map(|cut| Cut { block: cut.block + offset, ..cut }));
            all.cuts.sort_unstable_by_key(|cut| cut.at.start);
        }
        let offset = self.blocks.len();
        let mut order: Vec<usize> = (0..all.blocks.len()).collect();
        order.sort_by_key(|&block| all.blocks[block].repeat.start);
        let mut number = vec![0; order.len()];
        order.iter().enumerate().for_each(|(new, &old)| number[old] = new);
        self.blocks.extend(order.iter().map(|&old| all.blocks[old].clone()));
        self.cuts.extend(all.cuts.into_iter().map(|cut| Cut { block: number[cut.block] + offset, ..cut }));
    }
}

/// Blocks and cuts of one pass.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) blocks: Vec<Block>,
    pub(crate) cuts: Vec<Cut>,
}

impl Found {
    /// The same in the coordinates of the source that `map` leads to.
    fn in_source(self, map: &Map) -> Found {
        let whole = |span: Span| {
            let mut pieces = map.source(span);
            let first = pieces.next().expect("a block has bytes, and every byte of a text has a source");
            Span { start: first.start, end: pieces.last().unwrap_or(first).end }
        };
        let block = |block: Block| Block {
            repeat: whole(block.repeat),
            witness: block.witness.iter().flat_map(|&span| map.source(span)).collect(),
            ..block
        };
        let blocks = self.blocks.into_iter().map(block).collect();
        let cuts = self.cuts.iter().flat_map(|cut| map.source(cut.at).map(|at| Cut { at, ..*cut })).collect();
        Found { blocks, cuts }
    }

    /// The ranges that still stand in for `witness`: what these cuts leave of it, and the witnesses of what they take.
    fn survivors(&self, witness: Span) -> Vec<Span> {
        let mut out = Vec::new();
        let mut at = witness.start;
        let first = self.cuts.partition_point(|cut| cut.at.end <= witness.start);
        for cut in self.cuts[first..].iter().take_while(|cut| cut.at.start < witness.end) {
            if at < cut.at.start {
                out.push(Span { start: at, end: cut.at.start });
            }
            out.extend(&self.blocks[cut.block].witness);
            at = cut.at.end;
        }
        if at < witness.end {
            out.push(Span { start: at, end: witness.end });
        }
        out.dedup();
        out
    }
}
