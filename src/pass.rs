//! One pass over one text: its paragraphs, which of them are equal, which of those the rules cut, and the bytes that go.

use crate::detect::runs::chunks;
use crate::detect::{NONE, Repeat};
use crate::document::{Block, Cut, Rule, Segment, Span};
use crate::index::Index;
use crate::plan::Found;
use crate::rules::{Keep, Page};
use crate::segment::{self, Segmenter, TooLarge};
use crate::survivors::Survivors;
use crate::{Match, Settings};
use std::collections::HashMap;
use std::ops::Range;

/// What one pass over a text found.
pub(crate) struct Pass<'a> {
    text: &'a [u8],
    segments: Vec<Segment>,
    survivors: Survivors,
    /// The paragraphs that go, in order.
    gone: Vec<Gone>,
}

/// A paragraph that goes, and a surviving one it is equal to.
#[derive(Clone, Copy)]
struct Gone {
    at: u32,
    witness: u32,
}

impl<'a> Pass<'a> {
    pub(crate) fn over(text: &'a [u8], settings: &Settings) -> Result<Self, TooLarge> {
        let (segments, repeats) = compare(text, settings.matching)?;
        let survivors = Survivors::of(segments.len(), std::iter::empty());
        let mut pass = Self { text, segments, survivors, gone: Vec::new() };
        match settings.keep {
            Keep::First => pass.apply_rules(repeats, settings),
            Keep::Last => pass.apply_rules(with_last_kept(repeats), settings),
        }
        Ok(pass)
    }

    pub(crate) fn paragraphs(&self) -> usize {
        self.segments.len()
    }

    pub(crate) fn found_any(&self) -> bool {
        !self.gone.is_empty()
    }

    /// Applies the rules again and again to what is left, until nothing changes.
    fn apply_rules(&mut self, mut repeats: Vec<Repeat>, settings: &Settings) {
        if repeats.is_empty() {
            return;
        }
        let columns = |segment: &Segment| u64::from(segment.columns);
        let mut left: u64 = self.segments.iter().map(columns).sum();
        loop {
            let line_ends = |earlier, later| self.line_ends_between(earlier, later);
            let page = Page {
                text: self.text,
                segments: &self.segments,
                survivors: &self.survivors,
                repeats: &repeats,
                columns: left,
                line_ends_between: &line_ends,
            };
            let Some(places) = page.cuts(settings.threshold, settings.keep) else { break };
            let mut places = places.into_iter();
            repeats.retain(|repeat| {
                let place = places.next().expect("there is a place for each");
                if place != NONE {
                    self.gone.push(Gone { at: repeat.at, witness: place });
                    left -= columns(&self.segments[repeat.at as usize]);
                }
                place == NONE
            });
            self.gone.sort_by_key(|gone| gone.at); // stable: it finds the two runs it is made of
            self.survivors = Survivors::of(self.segments.len(), self.gone.iter().map(|gone| gone.at));
        }
        self.resolve_witnesses(settings.keep);
    }

    /// Follows each witness to one that survives. It stands nearer to the end that is kept, so one walk from there suffices.
    fn resolve_witnesses(&mut self, keep: Keep) {
        let count = self.gone.len();
        for step in 0..count {
            let number = if keep == Keep::First { step } else { count - 1 - step };
            let witness = self.gone[number].witness;
            if self.survivors.is_gone(witness) {
                let next = self.gone.partition_point(|gone| gone.at < witness);
                self.gone[number].witness = self.gone[next].witness;
            }
        }
    }

    fn raw(&self, number: usize) -> &'a [u8] {
        self.segments[number].span().of(self.text)
    }

    /// The bytes between paragraph `number` and the one after it: a line end or more.
    fn separator_after(&self, number: usize) -> Span {
        Span { start: self.segments[number].span().end, end: self.segments[number + 1].span().start }
    }

    fn line_ends_after(&self, number: usize) -> usize {
        memchr::memchr_iter(b'\n', self.separator_after(number).of(self.text)).count()
    }

    /// The most line ends that stand together between two paragraphs.
    fn line_ends_between(&self, earlier: u32, later: u32) -> usize {
        (earlier..later).map(|number| self.line_ends_after(number as usize)).max().unwrap_or(0)
    }

    /// The blocks and the cuts that take them out.
    pub(crate) fn found(&self) -> Found {
        let mut found = Found::default();
        for run in chunks(&self.gone, |a, b| b.at == a.at + 1) {
            let run = &self.gone[run];
            // Witnesses are consecutive when nothing that survives stands between them.
            let number = |gone: &Gone| self.survivors.number(gone.witness);
            let blocks: Vec<&[Gone]> = run.chunk_by(|a, b| number(b) == number(a) + 1).collect();
            self.cut(&blocks, found.blocks.len(), &mut found.cuts);
            found.blocks.extend(blocks.into_iter().map(|block| self.block(block)));
        }
        found
    }

    fn block(&self, gone: &[Gone]) -> Block {
        let numbers = numbers(gone);
        let span = |number: usize| self.segments[number].span();
        let witness = gone.chunk_by(|a, b| b.witness == a.witness + 1).map(|consecutive| {
            let (first, last) = (consecutive[0].witness, consecutive[consecutive.len() - 1].witness);
            Span { start: span(first as usize).start, end: span(last as usize).end }
        });
        Block {
            rule: Rule::RepeatedBlock,
            repeat: Span { start: span(numbers.start).start, end: span(numbers.end - 1).end },
            witness: witness.collect(),
            paragraphs: numbers.len(),
            columns: self.segments[numbers].iter().map(|segment| u64::from(segment.columns)).sum(),
        }
    }

    /// Cuts a run of blocks out together with its separators but one: of those between its surviving neighbours the one with
    /// the most line ends stays (at a tie the first), so that no blank lines pile up and no paragraphs are glued. What
    /// precedes the first paragraph of a text and what follows its last always stays.
    fn cut(&self, blocks: &[&[Gone]], first_block: usize, cuts: &mut Vec<Cut>) {
        let (start, end) = (numbers(blocks[0]).start, numbers(blocks[blocks.len() - 1]).end);
        let split = if end == self.segments.len() {
            end
        } else if start == 0 {
            0
        } else {
            let most = (start - 1..end).rev().max_by_key(|&number| self.line_ends_after(number));
            most.map_or(end, |number| number + 1)
        };
        for (block, numbers) in (first_block..).zip(blocks.iter().map(|block| numbers(block))) {
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
        let mut looked_at = 0;
        self.gone.iter().all(|gone| {
            let at = gone.at as usize;
            if at < looked_at {
                return true;
            }
            let chunk = self.chunk_around(at, looked_at);
            looked_at = chunk.end;
            let left = chunk.filter(|&at| !self.survivors.is_gone(at as u32)).map(|at| self.segments[at]);
            segment::reads_the_same(self.text, left)
        })
    }

    /// The paragraphs of the chunk that paragraph `at` belongs to, from `least` on.
    fn chunk_around(&self, at: usize, least: usize) -> Range<usize> {
        let ends_after = |number: usize| {
            number + 1 == self.segments.len()
                || self.line_ends_after(number) > 1
                || segment::is_fence(self.raw(number))
                || segment::is_fence(self.raw(number + 1))
        };
        let start = (least..at).rev().find(|&number| ends_after(number)).map_or(least, |number| number + 1);
        let end = (at..self.segments.len()).find(|&number| ends_after(number)).map_or(self.segments.len(), |number| number + 1);
        start..end
    }
}

/// The numbers of consecutive paragraphs.
fn numbers(gone: &[Gone]) -> Range<usize> {
    gone[0].at as usize..gone[gone.len() - 1].at as usize + 1
}

/// The paragraphs of a text, and those of them that equal an earlier one.
fn compare(text: &[u8], how: Match) -> Result<(Vec<Segment>, Vec<Repeat>), TooLarge> {
    let mut segmenter = Segmenter::new(text, how);
    let mut segments: Vec<Segment> = Vec::new();
    let mut repeats = Vec::new();
    let mut index = None;
    while let Some(batch) = segmenter.next_batch()? {
        batch.iter().for_each(|part| segments.extend_from_slice(&part.list));
        if segments.len() > Index::MOST {
            return Err(TooLarge::Document);
        }
        let shards = if batch.len() > 1 { rayon::current_num_threads() } else { 1 };
        let index = index.get_or_insert_with(|| Index::new(shards, segmenter.expected(segments.len())));
        let raw = |number: u32| segments[number as usize].span().of(text);
        let prints: Vec<&[u128]> = batch.iter().map(|part| part.prints.as_slice()).collect();
        repeats.append(&mut index.enter(&prints, |earlier, later| segment::same(raw(earlier), raw(later), how)));
    }
    Ok((segments, repeats))
}

/// The same repeats with the last of equal ones as the one that is kept.
fn with_last_kept(repeats: Vec<Repeat>) -> Vec<Repeat> {
    let last: HashMap<u32, u32> = repeats.iter().map(|repeat| (repeat.kept, repeat.at)).collect();
    let firsts = last.keys().map(|&first| Repeat { at: first, kept: first });
    let mut all: Vec<Repeat> = repeats.iter().copied().chain(firsts).collect();
    all.iter_mut().for_each(|repeat| repeat.kept = last[&repeat.kept]);
    all.retain(|repeat| repeat.at != repeat.kept);
    all.sort_unstable_by_key(|repeat| repeat.at);
    all
}
