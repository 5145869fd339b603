//! What stays although it repeats. Each guard takes candidates back, none adds any.

use super::{Candidates, Keep, Rules};
use crate::bits::Bits;
use crate::compare::columns;
use crate::detect::NONE;
use crate::document::{BYTE_ORDER_MARK, Kind, Repeat};
use crate::segment::{reads_the_same, runs_on};
use crate::survivors::Survivors;
use crate::threads;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::ops::Range;

/// A line of verse is narrower than this.
const VERSE_COLUMNS: u32 = 60;
/// A refrain has at most so many lines.
const REFRAIN_LINES: usize = 16;

impl Rules<'_> {
    /// The refrain guard: a run of a few short lines stays if something that isn't cut stands between it and its previous
    /// occurrence, as verses do between two choruses.
    pub(super) fn spare_refrains(&self, found: &mut Candidates) {
        let verses = threads::wanted(found.runs.len(), |&run| self.is_verse(found.runs[run].clone()));
        if verses.is_empty() {
            return;
        }
        let edge = |run: &Range<usize>| if self.measure.keep == Keep::First { run.start } else { run.end - 1 };
        let edges: Vec<usize> = verses.iter().map(|&run| edge(&found.runs[run])).collect();
        let cut: Vec<u32> = found.to_cut().map(|at| self.number(at)).collect();
        let cut_before = |number: u32| cut.partition_point(|&at| at < number) as u32;
        let is_refrain = |edge: usize, previous: u32| {
            let (here, there) = (self.number(edge), self.survivors.number(previous));
            let between = here.min(there) + 1..here.max(there);
            cut_before(between.end) - cut_before(between.start) < between.len() as u32
        };
        for ((run, &edge), previous) in verses.into_iter().zip(&edges).zip(self.previous_occurrences(&edges)) {
            if is_refrain(edge, previous) {
                spare(&mut found.runs[run]);
            }
        }
        found.drop_spared();
    }

    /// For each of some repeats, in order, the nearest equal paragraph towards the end that is kept.
    fn previous_occurrences(&self, some: &[usize]) -> Vec<u32> {
        let mut kinds = Bits::default();
        some.iter().for_each(|&at| kinds.set(self.repeats[at].kept));
        let count = self.repeats.len();
        let in_order = |step: usize, count: usize| if self.measure.keep == Keep::First { step } else { count - 1 - step };
        let mut nearest: FxHashMap<u32, u32> = FxHashMap::default();
        let mut previous = vec![NONE; some.len()];
        let mut wanted = (0..some.len()).map(|step| in_order(step, some.len())).peekable();
        for at in (0..count).map(|step| in_order(step, count)) {
            let Repeat { at: paragraph, kept } = self.repeats[at];
            if kinds.has(kept) {
                let before = nearest.insert(kept, paragraph).unwrap_or(kept);
                if let Some(number) = wanted.next_if(|&number| some[number] == at) {
                    previous[number] = before;
                }
            }
        }
        previous
    }

    fn is_verse(&self, run: Range<usize>) -> bool {
        let mut lines = 0;
        self.repeats[run].iter().all(|repeat| {
            let (count, narrow) = match self.page.kind(repeat.at) {
                Kind::Wrapped => (1, false),
                Kind::Line | Kind::Row => (1, self.page.segments[repeat.at as usize].columns() < VERSE_COLUMNS),
                Kind::Fence => {
                    let lines = self.page.raw(repeat.at).split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
                    (lines.clone().count(), lines.clone().all(|line| columns(line) < VERSE_COLUMNS))
                }
            };
            lines += count;
            narrow && lines <= REFRAIN_LINES
        })
    }

    /// Shrinks each run until no sentence runs on across its edges.
    pub(super) fn shrink_to_sentences(&self, found: &mut Candidates) {
        let (places, is_across) = (&found.places, found.is_across());
        let shrink = |run: &mut Range<usize>| {
            // A paragraph that begins a chunk or sentence where it stands the other time begins one here too, however it
            // looks: where two copies of a list of words meet, the last word and the first seem to be one sentence.
            let begins = |at: &usize| self.is_edge(self.number(*at)) || (!is_across && self.is_edge(places[*at]));
            let first = run.start;
            let meets_its_copy = |end: u32| !is_across && end == places[first] && self.is_edge(self.number(first));
            let ends = |end: &usize| {
                let end = self.number(end - 1) + 1;
                self.is_edge(end) || meets_its_copy(end)
            };
            run.start = run.clone().find(begins).unwrap_or(run.end);
            run.end = (run.start + 1..=run.end).rev().find(ends).unwrap_or(run.start);
        };
        threads::in_parts(&mut found.runs, |runs| runs.iter_mut().for_each(shrink));
        found.drop_spared();
    }

    /// Whether a run may begin at the survivor of this number, or end before it.
    fn is_edge(&self, number: u32) -> bool {
        if number == 0 || number == self.survivors.count() {
            return true;
        }
        let (before, after) = (self.survivors.segment(number - 1), self.survivors.segment(number));
        !self.page.is_one_chunk(before, after) || !runs_on(self.page.raw(before), self.page.raw(after))
    }

    /// The guard of what stays: a cut never changes how the rest is taken apart. A chunk is hard-wrapped or not as a whole, so
    /// it may; then all that the round would cut of that chunk stays. If there is no such chunk, gives what then survives.
    pub(super) fn spare_what_would_read_otherwise(&self, found: &mut Candidates) -> Option<Survivors> {
        let new = found.to_cut().map(|at| self.repeats[at].at);
        let gone = self.removed.iter().map(|removed| removed.at).chain(new);
        let after = After { rules: self, survivors: Survivors::of(self.page.segments.len(), gone) };
        if self.page.is_markup {
            return Some(after.survivors); // in which tags tell what a paragraph is
        }
        threads::in_parts(&mut found.runs, |runs| after.spare_what_reads_otherwise(runs));
        (!found.drop_spared()).then_some(after.survivors)
    }

    /// What the guards left of a run stays too if it is no longer long enough.
    pub(super) fn spare_remnants(&self, found: &mut Candidates, least: u64) {
        let kept = |at: usize| self.repeats[at].kept;
        let weight = |at: usize| u64::from(self.page.segments[self.repeats[at].at as usize].weight());
        let length = |run: Range<usize>| -> u64 {
            if run.clone().is_sorted_by(|&a, &b| kept(a) < kept(b)) {
                return run.map(weight).sum(); // a plain copy: all distinct
            }
            let mut kinds: SmallVec<[(u32, u64); 32]> = run.map(|at| (kept(at), weight(at))).collect();
            kinds.sort_unstable();
            kinds.dedup();
            kinds.iter().map(|(_, weight)| weight).sum()
        };
        let spare_remnant = |run: &mut Range<usize>| {
            if length(run.clone()) < least {
                spare(run);
            }
        };
        threads::in_parts(&mut found.runs, |runs| runs.iter_mut().for_each(spare_remnant));
        found.drop_spared();
    }
}

/// Takes all of a run back.
fn spare(run: &mut Range<usize>) {
    run.end = run.start;
}

/// The page as it would be after the round.
struct After<'a> {
    rules: &'a Rules<'a>,
    survivors: Survivors,
}

#[derive(Default)]
struct Chunk {
    paragraphs: Range<u32>,
    reads_the_same: bool,
}

impl After<'_> {
    /// Takes each run back beside which what stays would be taken apart otherwise.
    fn spare_what_reads_otherwise(&self, runs: &mut [Range<usize>]) {
        let mut last = Chunk::default(); // which may be all of the text
        let mut reads_on = |paragraph: Option<u32>| {
            paragraph.is_none_or(|paragraph| {
                if !last.paragraphs.contains(&paragraph) {
                    last = self.chunk(paragraph);
                }
                last.reads_the_same
            })
        };
        for run in runs {
            let (before, behind) = self.beside(self.rules.repeats[run.start].at);
            if !(reads_on(before) & reads_on(behind)) || self.uncovers_a_mark(before, behind) {
                spare(run);
            }
        }
    }

    /// The survivors before and after a paragraph that is gone.
    fn beside(&self, gone: u32) -> (Option<u32>, Option<u32>) {
        let count = self.rules.page.segments.len() as u32;
        let is_left = |&paragraph: &u32| !self.survivors.is_gone(paragraph);
        ((0..gone).rev().find(is_left), (gone + 1..count).find(is_left))
    }

    /// The chunk that a survivor belongs to.
    fn chunk(&self, survivor: u32) -> Chunk {
        let joined = |before: u32, after: u32| self.rules.page.is_one_chunk(before, after);
        let (mut start, mut end) = (survivor, survivor);
        while let Some(before) = self.beside(start).0.filter(|&before| joined(before, start)) {
            start = before;
        }
        while let Some(after) = self.beside(end).1.filter(|&after| joined(end, after)) {
            end = after;
        }
        let left = (start..=end).filter(|&paragraph| !self.survivors.is_gone(paragraph));
        let left = left.map(|paragraph| self.rules.page.segment(paragraph));
        // A paragraph alone, unless joined of lines, can't be read otherwise.
        let is_plain = start == end && self.rules.page.kind(start) != Kind::Wrapped;
        Chunk { paragraphs: start..end + 1, reads_the_same: is_plain || reads_the_same(self.rules.page.text, left) }
    }

    /// Whether a paragraph would come first in the text whose first character would then be taken for a byte order mark.
    fn uncovers_a_mark(&self, before: Option<u32>, behind: Option<u32>) -> bool {
        before.is_none() && behind.is_some_and(|first| self.rules.page.raw(first).starts_with(BYTE_ORDER_MARK))
    }
}
