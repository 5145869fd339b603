//! One pass over one text: its paragraphs, which of them are equal, which of those the rules cut, and the bytes that go.

use crate::Settings;
use crate::detect::NONE;
use crate::document::{Block, Cut, Rule, Segment, Span};
use crate::index::first_occurrences;
use crate::plan::Found;
use crate::rules::{Keep, Page};
use crate::segment::{self, Segments, TooLarge};
use std::ops::Range;

/// What one pass over a text found.
pub(crate) struct Pass<'a> {
    text: &'a [u8],
    segments: Vec<Segment>,
    /// For each paragraph the surviving one it is equal to, or [`NONE`] if it stays. Empty if all stay.
    witness: Vec<u32>,
}

impl<'a> Pass<'a> {
    pub(crate) fn over(text: &'a [u8], settings: &Settings) -> Result<Self, TooLarge> {
        let Segments { list: segments, prints } = segment::segments(text, settings.matching)?;
        let raw = |number: u32| segments[number as usize].span().of(text);
        let first = first_occurrences(&prints, |a, b| segment::same(raw(a), raw(b), settings.matching));
        drop(prints);
        let mut pass = Self { text, segments, witness: Vec::new() };
        if first.iter().enumerate().any(|(number, &first)| first != number as u32) {
            pass.apply_rules(&first, settings);
        }
        Ok(pass)
    }

    pub(crate) fn paragraphs(&self) -> usize {
        self.segments.len()
    }

    pub(crate) fn found_any(&self) -> bool {
        !self.witness.is_empty()
    }

    /// Applies the rules again and again to what is left, until nothing changes.
    fn apply_rules(&mut self, first: &[u32], settings: &Settings) {
        let mut witness = vec![NONE; first.len()];
        let mut alive: Vec<u32> = (0..first.len() as u32).collect();
        let mut number = vec![NONE; first.len()];
        loop {
            number.fill(NONE);
            let ids: Vec<u32> =
                (0..).zip(&alive).map(|(at, &segment)| first_seen(&mut number, first[segment as usize], at)).collect();
            let segments: Vec<Segment> = alive.iter().map(|&segment| self.segments[segment as usize]).collect();
            let line_ends = |at: usize| self.line_ends_between(alive[at - 1] as usize, alive[at] as usize);
            let page = Page { text: self.text, segments: &segments, ids: &ids, line_ends_before: &line_ends };
            let Some(places) = page.repeats(settings.threshold, settings.keep) else { break };
            for (at, place) in places.into_iter().enumerate().filter(|&(_, place)| place != NONE) {
                witness[alive[at] as usize] = alive[place as usize];
            }
            alive.retain(|&segment| witness[segment as usize] == NONE);
        }
        if alive.len() < first.len() {
            self.witness = resolved(witness, settings.keep);
        }
    }

    fn is_cut(&self, number: usize) -> bool {
        self.witness[number] != NONE
    }

    /// The bytes between paragraph `number` and the one after it: a line end or more.
    fn separator_after(&self, number: usize) -> Span {
        Span { start: self.segments[number].span().end, end: self.segments[number + 1].span().start }
    }

    fn line_ends_after(&self, number: usize) -> usize {
        memchr::memchr_iter(b'\n', self.separator_after(number).of(self.text)).count()
    }

    /// The most line ends that stand together between two paragraphs.
    fn line_ends_between(&self, earlier: usize, later: usize) -> usize {
        (earlier..later).map(|number| self.line_ends_after(number)).max().unwrap_or(0)
    }

    /// The blocks and the cuts that take them out.
    pub(crate) fn found(&self) -> Found {
        let mut found = Found::default();
        // Witnesses are consecutive when nothing that survives stands between them.
        let survivors_before = |rank: &mut u32, &witness: &u32| {
            *rank += u32::from(witness == NONE);
            Some(*rank - u32::from(witness == NONE))
        };
        let ranks: Vec<u32> = self.witness.iter().scan(0, survivors_before).collect();
        for run in self.cut_runs() {
            let mut blocks = Vec::new();
            let mut start = run.start;
            for number in run.clone() {
                let next = number + 1;
                let follows = |&next: &usize| ranks[self.witness[next] as usize] == ranks[self.witness[number] as usize] + 1;
                if Some(next).filter(|next| run.contains(next)).filter(follows).is_none() {
                    blocks.push(start..next);
                    start = next;
                }
            }
            self.cut(&run, &blocks, found.blocks.len(), &mut found.cuts);
            found.blocks.extend(blocks.into_iter().map(|block| self.block(block)));
        }
        found
    }

    /// The maximal runs of paragraphs that go.
    fn cut_runs(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = at + self.witness[at..].iter().position(|&witness| witness != NONE)?;
            at = start + self.witness[start..].iter().take_while(|&&witness| witness != NONE).count();
            Some(start..at)
        })
    }

    fn block(&self, numbers: Range<usize>) -> Block {
        let first = self.segments[numbers.start].span();
        let last = self.segments[numbers.end - 1].span();
        let mut witness: Vec<Span> = Vec::new();
        let mut before = NONE;
        for &number in &self.witness[numbers.clone()] {
            let span = self.segments[number as usize].span();
            match witness.last_mut() {
                Some(whole) if number == before.wrapping_add(1) => whole.end = span.end,
                _ => witness.push(span),
            }
            before = number;
        }
        Block {
            rule: Rule::RepeatedBlock,
            repeat: Span { start: first.start, end: last.end },
            witness,
            paragraphs: numbers.len(),
            columns: self.segments[numbers].iter().map(|segment| u64::from(segment.columns)).sum(),
        }
    }

    /// Cuts a run out together with its separators but one: of those between its surviving neighbours the one with the most
    /// line ends stays (at a tie the first), so that no blank lines pile up and no paragraphs are glued. What precedes the
    /// first paragraph of a text and what follows its last always stays.
    fn cut(&self, run: &Range<usize>, blocks: &[Range<usize>], first_block: usize, cuts: &mut Vec<Cut>) {
        let split = if run.end == self.segments.len() {
            run.end
        } else {
            let separators = run.start.saturating_sub(1)..run.end;
            let most = separators.rev().max_by_key(|&number| self.line_ends_after(number));
            if run.start == 0 { 0 } else { most.map_or(run.end, |number| number + 1) }
        };
        for (block, numbers) in (first_block..).zip(blocks) {
            let before = numbers.start..numbers.end.min(split);
            if !before.is_empty() {
                let start = self.segments[before.start - 1].span().end;
                cuts.push(Cut { at: Span { start, end: self.segments[before.end - 1].span().end }, block });
            }
            let after = numbers.start.max(split)..numbers.end;
            if !after.is_empty() {
                let start = self.segments[after.start].span().start;
                cuts.push(Cut { at: Span { start, end: self.segments[after.end].span().start }, block });
            }
        }
    }

    /// Whether the clean copy would be taken apart into just the paragraphs that survive here.
    pub(crate) fn is_settled(&self) -> bool {
        let mut start = 0;
        (0..self.segments.len()).all(|number| {
            let ends = number + 1 == self.segments.len()
                || self.line_ends_after(number) > 1
                || [number, number + 1].iter().any(|&at| segment::is_fence(self.segments[at].span().of(self.text)));
            let chunk = start..number + 1;
            if ends {
                start = number + 1;
            }
            !ends || !chunk.clone().any(|at| self.is_cut(at)) || {
                let left: Vec<Segment> = chunk.filter(|&at| !self.is_cut(at)).map(|at| self.segments[at]).collect();
                left.is_empty() || segment::reads_the_same(self.text, &left)
            }
        })
    }
}

/// The number that stands for `label`: `at`, if it wasn't seen before.
fn first_seen(number: &mut [u32], label: u32, at: u32) -> u32 {
    let seen = &mut number[label as usize];
    if *seen == NONE {
        *seen = at;
    }
    *seen
}

/// Follows each witness to one that survives. It stands nearer to the end that is kept, so one walk from there suffices.
fn resolved(mut witness: Vec<u32>, keep: Keep) -> Vec<u32> {
    let count = witness.len();
    for step in 0..count {
        let number = if keep == Keep::First { step } else { count - 1 - step };
        // NONE lies beyond the end: what survives has nothing to follow.
        match witness.get(witness[number] as usize) {
            Some(&next) if next != NONE => witness[number] = next,
            _ => {}
        }
    }
    witness
}
