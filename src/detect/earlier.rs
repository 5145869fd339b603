//! Runs that stood in an earlier document: a segment repeats across iff it lies in a run of consecutive segments of its document,
//! long enough, that stood in an earlier one in the same order.
//!
//! Segments are numbered on through all documents, and the first of equal ones stands for its kind. A run whose earliest
//! occurrence consists of firsts is in sight: the kinds of its segments are consecutive numbers. Any other earliest occurrence
//! holds a segment that isn't the first of its kind; so the minimal windows (see `windows.rs`) around such segments, and no
//! others, are entered into a table as they come, and those of later documents find them there. Most text needs none.

use super::Firsts;
use super::runs::add_open_ends;
use super::windows::{self, Region, Rolling, Table, Windows};
use crate::bits::Bits;
use crate::document::{Repeat, Segment, TooLarge};
use crate::error::{Error, Stuck};
use crate::index::{Gathering, Index, Settled, first_bits};
use crate::scratch::Scratch as Disk;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The runs of all documents so far that may be an earlier occurrence and are not in sight.
pub(crate) struct Earlier {
    known: Known,
    rolling: Rolling,
}

/// Where their windows are.
enum Known {
    InMemory(Table),
    /// On disk, in the first pass; and how many there are so far.
    Gathering(Gathering, u32),
    /// On disk, in the second pass; and how many came again so far.
    Settled(Settled, u32),
}

impl Default for Earlier {
    fn default() -> Self {
        Self { known: Known::InMemory(Table::default()), rolling: Rolling::Plain }
    }
}

/// What is sought for some consecutive documents.
#[derive(Default)]
pub(crate) struct Sought {
    /// The runs found to repeat, as numbers of segments; they may overlap.
    runs: Vec<Range<u32>>,
    windows: Windows,
    /// How many windows there are up to the end of each document that has any.
    ends: Vec<u32>,
}

/// What repeats in one document.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct InDocument<'a> {
    /// The segments that equal an earlier one of the document, both numbered in it.
    pub(crate) within: Cow<'a, [Repeat]>,
    /// The segments in runs that stood in an earlier document, numbered in their own, each with the first of its kind.
    pub(crate) across: Vec<Repeat>,
    /// How many segments are not the first of their kind.
    pub(crate) alike: usize,
}

impl InDocument<'_> {
    /// What repeats in a document by itself.
    pub(crate) fn alone(within: Vec<Repeat>) -> Self {
        Self { alike: within.len(), within: within.into(), across: Vec::new() }
    }
}

impl Earlier {
    /// None yet, and they are to be on disk; the windows are to be told apart by their fingerprints alone.
    pub(crate) fn on_disk(scratch: &Arc<Disk>, rolling: Rolling) -> Self {
        Self { known: Known::Gathering(Gathering::new(scratch), 0), rolling }
    }

    /// How many windows there are.
    pub(crate) fn windows(&self) -> u32 {
        match &self.known {
            Known::InMemory(table) => table.len(),
            Known::Gathering(_, count) | Known::Settled(_, count) => *count,
        }
    }

    /// How they are hashed.
    pub(crate) fn rolling(&self) -> Rolling {
        self.rolling
    }

    /// About how much memory they take, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        if let Known::InMemory(table) = &self.known { table.memory() } else { 0 }
    }

    /// Forgets the windows from a number on.
    pub(crate) fn forget(&mut self, from: u32) {
        match &mut self.known {
            Known::InMemory(table) => table.forget(from),
            Known::Gathering(gathering, count) => gathering.forget(from..*count),
            Known::Settled(..) => {}
        }
    }

    /// Ends the first pass over windows on disk, in so many bytes of memory. `first` windows don't come again. Once `stop` is set,
    /// what it gives is of no use.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn settle(self, room: u64, first: u32, stop: &AtomicBool) -> Result<Self, Error> {
        let Known::Gathering(gathering, _) = self.known else { return Ok(self) };
        Ok(Self { known: Known::Settled(gathering.settle(room, first, stop)?, first), rolling: self.rolling })
    }

    /// Looks the windows of some documents up, and enters them for those to come. `repeats` are all so far.
    ///
    /// # Errors
    /// If there are more than can be numbered; those of the disk.
    pub(crate) fn look_up(&mut self, sought: &mut [Sought], repeats: &[Repeat]) -> Result<(), Stuck> {
        let mut number = self.windows();
        let mut hits = self.enter(sought, repeats)?.into_iter().peekable();
        for sought in sought.iter_mut() {
            let Sought { runs, windows, ends } = sought;
            let first = number;
            for end in std::mem::take(ends) {
                let numbers = number..first + end;
                while let Some(hit) = hits.next_if(|hit| hit.at < numbers.end) {
                    // What the window's first occurrence isn't, no earlier document has.
                    if hit.kept < numbers.start {
                        let window = windows.list[(hit.at - first) as usize];
                        runs.push(window.first..window.first + window.len);
                    }
                }
                number = numbers.end;
            }
            *windows = Windows::default();
        }
        Ok(())
    }

    /// Gives the windows that equal an earlier one, in order, each with the first it equals.
    fn enter<'s>(&mut self, sought: &'s [Sought], repeats: &[Repeat]) -> Result<Vec<Repeat>, Stuck> {
        let windows = sought.iter().map(|sought| &sought.windows);
        let count: usize = windows.clone().map(|windows| windows.list.len()).sum();
        if self.windows() as usize + count > Index::MOST {
            return Err(TooLarge::Corpus.into());
        }
        let prints = windows.clone().map(|windows| windows.prints());
        let mut hits = Vec::new();
        match &mut self.known {
            Known::InMemory(table) => return Ok(table.enter(windows, repeats, || (rayon::current_num_threads(), count))),
            Known::Gathering(gathering, number) => {
                let numbered = |prints: &'s [u128]| {
                    let first = *number;
                    *number += prints.len() as u32;
                    (first, prints)
                };
                gathering.add(&prints.map(numbered).collect::<Vec<_>>())?;
            }
            Known::Settled(settled, number) => {
                for &print in prints.flatten() {
                    hits.extend(settled.next(first_bits(print), *number)?);
                    *number += 1;
                }
            }
        }
        Ok(hits)
    }
}

/// Memory that is used again from document to document.
#[derive(Default)]
pub(crate) struct Scratch {
    kinds: Vec<u32>,
    weights: Vec<u32>,
    runs: Vec<Range<usize>>,
    windows: windows::Scratch,
}

/// All segments so far, or those from one on.
#[derive(Clone, Copy)]
pub(crate) struct Numbering<'a> {
    pub(crate) segments: &'a [Segment],
    /// The number of the first of them.
    pub(crate) first: u32,
    /// Those of the documents in question that equal an earlier one, in order, each with the first of its kind.
    pub(crate) repeats: &'a [Repeat],
    /// How many there are of the documents before.
    pub(crate) repeats_before: u32,
    /// Which segments are the first of their document.
    pub(crate) begins: &'a Bits,
    /// The length of a run.
    pub(crate) least: u64,
    /// How windows are hashed.
    pub(crate) rolling: Rolling,
}

impl<'a> Numbering<'a> {
    /// The repeats among a document's segments.
    pub(crate) fn repeats_of(&self, document: &Range<u32>) -> &'a [Repeat] {
        let start = self.repeats.partition_point(|repeat| repeat.at < document.start);
        let rest = &self.repeats[start..];
        &rest[..rest.partition_point(|repeat| repeat.at < document.end)]
    }

    fn segment(&self, segment: u32) -> &'a Segment {
        &self.segments[(segment - self.first) as usize]
    }

    fn weight(&self, segment: u32) -> u64 {
        u64::from(self.segment(segment).weight())
    }

    /// What is in sight of consecutive documents, and what must be looked up.
    pub(crate) fn seek(&self, documents: &[Range<u32>], scratch: &mut Scratch) -> Sought {
        let mut sought = Sought::default();
        let mut before = self.first_repeat_of(documents);
        for document in documents {
            let repeats = before..before + count_of(&self.repeats[before..], document);
            before = repeats.end;
            let count = sought.windows.list.len();
            if !repeats.is_empty() {
                self.seek_in(document, repeats, scratch, &mut sought);
            }
            if sought.windows.list.len() > count {
                sought.ends.push(sought.windows.list.len() as u32);
            }
        }
        sought
    }

    /// Where the repeats of documents begin among those at hand.
    fn first_repeat_of(&self, documents: &[Range<u32>]) -> usize {
        documents.first().map_or(0, |first| self.repeats.partition_point(|repeat| repeat.at < first.start))
    }

    fn seek_in(&self, document: &Range<u32>, repeats: Range<usize>, scratch: &mut Scratch, sought: &mut Sought) {
        scratch.kinds.clear();
        scratch.kinds.extend(document.clone());
        let of_document = &self.repeats[repeats.clone()];
        of_document.iter().for_each(|repeat| scratch.kinds[(repeat.at - document.start) as usize] = repeat.kept);
        let columns = |at: usize| self.weight(document.start + at as u32);
        let whole = 0..document.len();
        let mut end = 0;
        // Firsts of one document follow one another, so what is new is linked too.
        for linked in scratch.kinds.chunk_by(|&a, &b| self.follows(a, b)) {
            let run = end..end + linked.len();
            end = run.end;
            if linked[0] < document.start && run.clone().map(columns).sum::<u64>() >= self.least {
                sought.runs.push(document.start + run.start as u32..document.start + run.end as u32);
            }
            scratch.runs.push(run);
        }
        let mut runs = std::mem::take(&mut scratch.runs);
        if runs.len() > 1 {
            let mut region = 0..0;
            for run in runs.drain(..) {
                add_open_ends(run, &whole, columns, self.least, |open| {
                    if open.start == region.end {
                        region.end = open.end;
                    } else {
                        self.windows(document.start, std::mem::replace(&mut region, open), &repeats, scratch, sought);
                    }
                });
            }
            self.windows(document.start, region, &repeats, scratch, sought);
        }
        runs.clear();
        scratch.runs = runs;
    }

    /// Collects the minimal windows of a region that are not in sight.
    fn windows(&self, document: u32, region: Range<usize>, repeats: &Range<usize>, scratch: &mut Scratch, sought: &mut Sought) {
        let Scratch { kinds, weights, windows, .. } = scratch;
        let (kinds, first) = (&kinds[region.clone()], document + region.start as u32);
        weights.clear();
        weights.extend((first..first + kinds.len() as u32).map(|at| self.segment(at).weight()));
        let before = repeats.start + self.repeats[repeats.clone()].partition_point(|repeat| repeat.at < first);
        let repeats_before = self.repeats_before + before as u32;
        let (repeats, rolling) = (&self.repeats[before..], self.rolling);
        let region = Region { first, kinds, weights, least: self.least, repeats, repeats_before, rolling };
        let is_break = |at: usize| at > 0 && !self.follows(kinds[at - 1], kinds[at]);
        region.windows(is_break, windows, &mut sought.windows);
    }

    /// Whether a segment is the next one of the same document.
    fn follows(&self, before: u32, segment: u32) -> bool {
        segment == before + 1 && !self.begins.has(segment)
    }

    /// What repeats in each of the documents for which this was found.
    pub(crate) fn in_documents<'d>(
        &self,
        documents: &'d [Range<u32>],
        mut sought: Sought,
    ) -> impl Iterator<Item = InDocument<'a>> + use<'a, 'd> {
        let mut rest = &self.repeats[self.first_repeat_of(documents)..];
        sought.runs.sort_unstable_by_key(|run| run.start);
        let mut runs = sought.runs.into_iter().peekable();
        documents.iter().map(move |document| {
            let (repeats, after) = rest.split_at(count_of(rest, document));
            rest = after;
            let is_any = runs.peek().is_some_and(|run| run.start < document.end);
            let mut across = Vec::with_capacity(if is_any { repeats.len() } else { 0 });
            let mut left = repeats;
            while let Some(run) = runs.next_if(|run| run.start < document.end) {
                left = &left[left.partition_point(|repeat| repeat.at < run.start)..];
                let (covered, after) = left.split_at(left.partition_point(|repeat| repeat.at < run.end));
                across.extend(covered.iter().map(|repeat| Repeat { at: repeat.at - document.start, kept: repeat.kept }));
                left = after;
            }
            InDocument { within: within(repeats, document.start), across, alike: repeats.len() }
        })
    }
}

/// How many of the first repeats are in a document, before which there are none. All of them are looked at soon in any case.
fn count_of(repeats: &[Repeat], document: &Range<u32>) -> usize {
    repeats.iter().take_while(|repeat| repeat.at < document.end).count()
}

/// Those of a document's segments that equal an earlier one of it, numbered in it.
fn within(repeats: &[Repeat], first: u32) -> Cow<'_, [Repeat]> {
    if first == 0 {
        return repeats.into(); // the first of each kind stands in the document, too
    }
    let mut firsts = Firsts::new(repeats.len());
    let mut found = Vec::new();
    for repeat in repeats {
        let at = repeat.at - first;
        let kept = repeat.kept.checked_sub(first).unwrap_or_else(|| firsts.of(repeat.kept, at));
        if kept != at {
            found.push(Repeat { at, kept });
        }
    }
    found.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Kind, Span};
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// The definition itself: every run of a document, its distinct segments summed, looked for in every earlier document.
    fn by_definition(documents: &[Vec<u32>], weights: &[u32], least: u64) -> Vec<Vec<bool>> {
        let mut all = Vec::new();
        for (number, document) in documents.iter().enumerate() {
            let mut covered = vec![false; document.len()];
            for start in 0..document.len() {
                for end in start + 1..=document.len() {
                    let run = &document[start..end];
                    let mut distinct = run.to_vec();
                    distinct.sort_unstable();
                    distinct.dedup();
                    let length: u64 = distinct.iter().map(|&label| u64::from(weights[label as usize])).sum();
                    let occurs = |earlier: &Vec<u32>| earlier.windows(run.len()).any(|window| window == run);
                    if length >= least.max(1) && documents[..number].iter().any(occurs) {
                        covered[start..end].fill(true);
                    }
                }
            }
            all.push(covered);
        }
        all
    }

    /// Documents as the corpus enters them, in batches of so many.
    fn found(documents: &[Vec<u32>], weights: &[u32], least: u64, batch: usize, group: usize) -> Vec<Vec<bool>> {
        let (mut segments, mut repeats, mut begins) = (Vec::new(), Vec::new(), Bits::default());
        let mut firsts: HashMap<u32, u32> = HashMap::new();
        let mut earlier = Earlier::default();
        let mut all = Vec::new();
        for batch in documents.chunks(batch) {
            let mut ranges = Vec::new();
            for document in batch {
                let first = segments.len() as u32;
                begins.set(first);
                for &label in document {
                    let at = segments.len() as u32;
                    segments.push(Segment::new(Span::default(), Kind::Line, weights[label as usize]));
                    let kept = *firsts.entry(label).or_insert(at);
                    if kept != at {
                        repeats.push(Repeat { at, kept });
                    }
                }
                ranges.push(first..segments.len() as u32);
            }
            let numbering = Numbering {
                segments: &segments,
                first: 0,
                repeats: &repeats,
                repeats_before: 0,
                begins: &begins,
                least: least.max(1),
                rolling: Rolling::Plain,
            };
            let mut scratch = Scratch::default();
            let mut sought: Vec<Sought> = ranges.chunks(group).map(|group| numbering.seek(group, &mut scratch)).collect();
            earlier.look_up(&mut sought, &repeats).unwrap();
            for (group, sought) in ranges.chunks(group).zip(sought) {
                for (range, in_document) in group.iter().zip(numbering.in_documents(group, sought)) {
                    let mut covered = vec![false; range.len()];
                    for repeat in in_document.across {
                        assert!(repeat.kept < range.start);
                        covered[repeat.at as usize] = true;
                    }
                    all.push(covered);
                }
            }
        }
        all
    }

    /// Documents that share pieces, as they come up: few kinds, or pieces of earlier documents among new text.
    fn documents() -> impl Strategy<Value = Vec<Vec<u32>>> {
        let random = prop::collection::vec(prop::collection::vec(0u32..5, 0..12), 0..7);
        let pasted = prop::collection::vec(
            (0u32..3, prop::collection::vec((any::<prop::sample::Index>(), 0usize..9, 0u32..4), 0..5)),
            0..8,
        )
        .prop_map(|plans| {
            let mut all: Vec<Vec<u32>> = vec![(0..20).collect()];
            for (new, pieces) in plans {
                let source: Vec<u32> = all.concat();
                let mut document = vec![new];
                for (from, len, after) in pieces {
                    let from = from.index(source.len());
                    document.extend_from_slice(&source[from..(from + len).min(source.len())]);
                    document.push(20 + after);
                }
                all.push(document);
            }
            all
        });
        prop_oneof![random, pasted]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn equals_the_definition(
            documents in documents(), weights in prop::collection::vec(0u32..9, 30), least in 0u64..30,
            batch in 1usize..6, group in 1usize..4,
        ) {
            prop_assert_eq!(found(&documents, &weights, least, batch, group), by_definition(&documents, &weights, least));
        }
    }
}
