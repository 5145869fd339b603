//! What is taken out of markup with blocks of its text: whole elements where all of what they hold goes, and else what of them does.

use super::tree::{Markup, Node, What};
use crate::document::Span;
use std::ops::Range;

/// What becomes of what is in a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// There is no text in it.
    Neither,
    /// All of it goes.
    Goes,
    /// All of it stays, or some.
    Stays,
}

impl Markup {
    /// Where the markup is cut if these blocks go, by their numbers in order: balanced pieces, in order. Those that can't go without
    /// unbalancing what stays are taken out of them.
    pub(crate) fn cuts(&self, blocks: &mut Vec<u32>) -> Vec<Span> {
        if self.is_too_deep {
            blocks.clear();
        }
        loop {
            let mut cutting = Cutting { markup: self, blocks, cuts: Vec::new() };
            cutting.within(0);
            let cuts = cutting.cuts;
            let left = self.not_within(&cuts);
            let count = blocks.len();
            blocks.retain(|block| left.binary_search(block).is_err());
            if blocks.len() == count {
                return cuts;
            }
        }
    }

    /// The blocks of which something is outside of all cuts, in order.
    fn not_within(&self, cuts: &[Span]) -> Vec<u32> {
        let is_in = |place: Span| {
            let next = cuts.partition_point(|cut| cut.end < place.end);
            cuts.get(next).is_some_and(|cut| cut.start <= place.start && place.end <= cut.end)
        };
        let left = leaves(&self.nodes).filter(|leaf| !is_in(leaf.place));
        let mut left: Vec<u32> = left.map(|leaf| leaf.blocks.start).collect();
        left.dedup();
        left
    }

    /// The first block of which something is in a place.
    pub(crate) fn first_block(&self, place: Span) -> Option<u32> {
        let from = self.nodes.partition_point(|node| node.place.start < place.start);
        leaves(&self.nodes[from..]).take_while(|leaf| leaf.place.end <= place.end).next().map(|leaf| leaf.blocks.start)
    }

    /// The nodes that are directly in one, in order.
    fn children(&self, of: u32) -> impl Iterator<Item = u32> + '_ {
        let end = self.nodes[of as usize].end;
        let mut next = of + 1;
        std::iter::from_fn(move || {
            let child = (next < end).then_some(next)?;
            next = self.nodes[child as usize].end;
            Some(child)
        })
    }
}

/// What the blocks are made of.
fn leaves(nodes: &[Node]) -> impl Iterator<Item = &Node> {
    nodes.iter().filter(|node| matches!(node.is, What::Text | What::Object) && !node.blocks.is_empty())
}

struct Cutting<'a> {
    markup: &'a Markup,
    /// Those that go.
    blocks: &'a [u32],
    cuts: Vec<Span>,
}

impl Cutting<'_> {
    fn node(&self, at: u32) -> &Node {
        &self.markup.nodes[at as usize]
    }

    fn fate(&self, at: u32) -> Fate {
        let node = self.node(at);
        let before = |block: u32| self.blocks.partition_point(|&gone| gone < block);
        let gone = before(node.blocks.end) - before(node.blocks.start);
        match () {
            () if node.stays => Fate::Stays,
            () if node.blocks.is_empty() => Fate::Neither,
            () if gone == node.blocks.len() => Fate::Goes,
            () => Fate::Stays,
        }
    }

    /// Cuts what goes of what is in a node that stays.
    fn within(&mut self, of: u32) {
        let children: Vec<u32> = self.markup.children(of).collect();
        let goes = |this: &Self, at: usize| this.fate(children[at]) == Fate::Goes && !this.is_bound(children[at]);
        let mut at = 0;
        while at < children.len() {
            if !goes(self, at) {
                if self.holds_what_goes(children[at]) {
                    self.within(children[at]);
                }
                at += 1;
                continue;
            }
            // As far as nothing stays.
            let mut end = at + 1;
            let mut next = end;
            while next < children.len() && (goes(self, next) || self.fate(children[next]) == Fate::Neither) {
                next += 1;
                if goes(self, next - 1) {
                    end = next;
                }
            }
            self.run(&children, at..end);
            at = end;
        }
    }

    fn is_bound(&self, at: u32) -> bool {
        self.node(at).is == What::Block { is_bound: true }
    }

    fn holds_what_goes(&self, at: u32) -> bool {
        let Range { start, end } = self.node(at).blocks;
        let first = self.blocks.partition_point(|&block| block < start);
        self.blocks.get(first).is_some_and(|&block| block < end)
    }

    /// Cuts consecutive children of which all goes; of those around what can't go, each by itself.
    fn run(&mut self, children: &[u32], run: Range<usize>) {
        let mut waiting = vec![run];
        while let Some(run) = waiting.pop() {
            let all = Span { start: self.node(children[run.start]).place.start, end: self.node(children[run.end - 1]).place.end };
            let torn = self.torn(all);
            let is_torn = |at: &usize| {
                let place = self.node(children[*at]).place;
                torn.get(torn.partition_point(|&torn| torn < place.start)).is_some_and(|&torn| torn < place.end)
            };
            if torn.is_empty() {
                self.cut(children, run, all);
            } else if run.len() > 1 {
                let numbers: Vec<usize> = run.collect();
                let goes = |at: &usize| self.fate(children[*at]) == Fate::Goes;
                let parts = numbers.chunk_by(|a, b| !is_torn(a) && !is_torn(b)).filter_map(|part| {
                    let (first, last) = (part.iter().find(|at| goes(at))?, part.iter().rfind(|at| goes(at))?);
                    Some(*first..last + 1)
                });
                waiting.extend(parts.collect::<Vec<_>>().into_iter().rev());
            } else if matches!(self.node(children[run.start]).is, What::Block { .. } | What::Inline) {
                self.within(children[run.start]);
            }
        }
    }

    /// Cuts consecutive children that are closed.
    fn cut(&mut self, children: &[u32], run: Range<usize>, all: Span) {
        let is_break =
            |at: &usize| matches!(self.node(children[*at]).is, What::Break | What::Blank) && !self.node(children[*at]).stays;
        let before = (0..run.start).rev().take_while(is_break).last().unwrap_or(run.start);
        let behind = (run.end..children.len()).take_while(is_break).last().map_or(run.end, |last| last + 1);
        let runs_on =
            |at: Option<&u32>| at.is_some_and(|&at| matches!(self.node(at).is, What::Inline | What::Text | What::Object));
        let is_break = |at: usize| self.node(children[at]).is == What::Break;
        let joins = runs_on(children[..before].last())
            && runs_on(children.get(behind))
            && !(before..run.start).chain(run.end..behind).any(is_break);
        if joins {
            return self.leave_a_break(children, run, all);
        }
        let cut = match behind < children.len() {
            true if !(before..run.start).any(is_break) && runs_on(children[..before].last()) => all, // the break behind it is all there is
            true => Span { end: self.node(children[behind]).place.start, ..all },
            false if before > 0 => Span { start: self.node(children[before - 1]).place.end, ..all },
            false => all,
        };
        // What is behind the run before may have gone with that.
        let start = self.cuts.last().map_or(cut.start, |last| last.end.max(cut.start));
        self.cuts.push(Span { start, ..cut });
    }

    /// Cuts children between two that would then be one line: but for what keeps those apart.
    fn leave_a_break(&mut self, children: &[u32], mut run: Range<usize>, all: Span) {
        let keeps_apart = |at: &usize| matches!(self.node(children[*at]).is, What::Break | What::Block { .. });
        let Some(kept) = run.find(keeps_apart) else { return };
        let Node { place, inside, .. } = *self.node(children[kept]);
        let pieces = [Span { start: all.start, end: place.start }, inside, Span { start: place.end, end: all.end }];
        self.cuts.extend(pieces.into_iter().filter(|piece| !piece.is_empty()));
    }

    /// Where in a place an element begins that is ended elsewhere, or the other way round; in order.
    fn torn(&self, place: Span) -> Vec<u64> {
        let is_in = |at: u64| place.start <= at && at < place.end;
        let half = |&(begins, ends): &(u64, u64)| match (is_in(begins), is_in(ends)) {
            (true, false) => Some(begins),
            (false, true) => Some(ends),
            _ => None,
        };
        let mut torn: Vec<u64> = self.markup.tangles.iter().filter_map(half).collect();
        torn.sort_unstable();
        torn
    }
}
