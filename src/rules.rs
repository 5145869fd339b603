//! Which of the repeats are cut: the thresholds and the guards, on one text. Knows segments and their text; knows nothing of
//! bytes to cut or files.

use crate::compare::columns;
use crate::detect::runs::repeated_runs;
use crate::detect::{NONE, Repeat};
use crate::document::Segment;
use crate::segment::{is_fence, is_wrapped, runs_on};
use crate::survivors::Survivors;
use std::collections::HashSet;
use std::ops::Range;

/// Which of several copies stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// The first.
    #[default]
    First,
    /// The last.
    Last,
}

/// How long a run must be to be cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threshold {
    /// [`LONG`] columns, or [`SHORT`] where all repeats of that length together make up a fifth of the document. On 1,350
    /// ordinary documents it touches 25, where a flat 200 touches 105, and repairs as many doubled bodies.
    #[default]
    LongOrLargeShare,
    /// This many columns.
    Flat(u32),
}

/// A run of this many columns is cut wherever it repeats.
const LONG: u64 = 600;
/// A run of this many columns is cut in a document that consists of repeats to a large part.
const SHORT: u64 = 200;
/// A large part: one in so many columns.
const LARGE_SHARE: u64 = 5;
/// A line of verse is narrower than this.
const VERSE_COLUMNS: u32 = 60;
/// A refrain has at most so many lines.
const REFRAIN_LINES: usize = 16;

/// What is left of a text.
pub struct Page<'a> {
    /// The whole text.
    pub text: &'a [u8],
    /// All its paragraphs.
    pub segments: &'a [Segment],
    /// Which of them are left.
    pub survivors: &'a Survivors,
    /// Those of them that equal another one, by their numbers in the whole text, in order.
    pub repeats: &'a [Repeat],
    /// The length of all that is left, in columns.
    pub columns: u64,
    /// The most line ends that stand together between two paragraphs of these numbers in the whole text.
    pub line_ends_between: &'a dyn Fn(u32, u32) -> usize,
}

/// The repeats of a page as its rules see them: numbered among the survivors.
struct Candidates {
    repeats: Vec<Repeat>,
    columns: Vec<u32>,
    /// For each that is to be cut the number of an equal one before it (with [`Keep::Last`]: after it), else [`NONE`].
    places: Vec<u32>,
}

impl Page<'_> {
    /// For each of the repeats that is to be cut the place of an equal paragraph before it (with [`Keep::Last`]: after it),
    /// by its number in the whole text, else [`NONE`]; `None` if nothing is to be cut.
    pub fn cuts(&self, threshold: Threshold, keep: Keep) -> Option<Vec<u32>> {
        let number = |at| self.survivors.number(at);
        let mut found = Candidates {
            repeats: self.repeats.iter().map(|r| Repeat { at: number(r.at), kept: number(r.kept) }).collect(),
            columns: self.repeats.iter().map(|repeat| self.segments[repeat.at as usize].columns).collect(),
            places: Vec::new(),
        };
        let least = match threshold {
            Threshold::Flat(columns) => u64::from(columns),
            Threshold::LongOrLargeShare => SHORT,
        };
        found.places = self.runs(&found, least, keep);
        if threshold == Threshold::LongOrLargeShare && found.columns_to_cut() * LARGE_SHARE < self.columns {
            found.places = self.runs(&found, LONG, keep);
        }
        if found.is_empty() {
            return None;
        }
        self.spare_refrains(&mut found);
        self.shrink_to_sentences(&mut found);
        found.spare_remnants(least);
        let whole = |place| if place == NONE { NONE } else { self.survivors.segment(place) };
        (!found.is_empty()).then(|| found.places.into_iter().map(whole).collect())
    }

    /// The repeated runs seen from the end that is kept.
    fn runs(&self, found: &Candidates, least: u64, keep: Keep) -> Vec<u32> {
        match keep {
            Keep::First => repeated_runs(&found.repeats, &found.columns, least),
            Keep::Last => {
                let last = self.survivors.count() - 1;
                let mirrored = |r: &Repeat| Repeat { at: last - r.at, kept: last - r.kept };
                let repeats: Vec<Repeat> = found.repeats.iter().rev().map(mirrored).collect();
                let columns: Vec<u32> = found.columns.iter().rev().copied().collect();
                let places = repeated_runs(&repeats, &columns, least);
                places.into_iter().rev().map(|place| if place == NONE { NONE } else { last - place }).collect()
            }
        }
    }

    /// The refrain guard: a repeated run of a few short lines stays if something that isn't repeated stands between it and
    /// the place it repeats, as verses do between two choruses.
    fn spare_refrains(&self, found: &mut Candidates) {
        let cut: Vec<u32> = found.to_cut().map(|at| found.repeats[at].at).collect();
        let before = |number: u32| cut.partition_point(|&at| at < number) as u32;
        let anything_kept = |from: u32, to: u32| from < to && before(to) - before(from) < to - from;
        for run in found.runs(|a, b| b == a + 1) {
            let (place, len) = (found.places[run.start], run.len() as u32);
            let (start, end) = (found.repeats[run.start].at, found.repeats[run.start].at + len);
            let between = if place < start { (place + len, start) } else { (end, place) };
            if anything_kept(between.0, between.1) && self.is_verse(run.clone()) {
                found.places[run].fill(NONE);
            }
        }
    }

    fn is_verse(&self, run: Range<usize>) -> bool {
        let mut lines = 0;
        self.repeats[run].iter().all(|repeat| {
            let raw = self.raw(repeat.at);
            let fence = is_fence(raw);
            lines += if fence { memchr::memchr_iter(b'\n', raw).count() + 1 } else { 1 };
            lines <= REFRAIN_LINES
                && (fence || !is_wrapped(raw))
                && raw.split(|&b| b == b'\n').all(|line| columns(line) < VERSE_COLUMNS)
        })
    }

    /// Shrinks each run until no sentence runs on across its edges.
    fn shrink_to_sentences(&self, found: &mut Candidates) {
        for run in found.runs(|_, _| true) {
            let first = found.repeats[run.start].at;
            let is_edge = |at: &usize| self.is_edge(first + (at - run.start) as u32);
            let start = run.clone().find(is_edge).unwrap_or(run.end);
            found.places[run.start..start].fill(NONE);
            let end = (start..=run.end).rev().find(is_edge).unwrap_or(start);
            found.places[end..run.end].fill(NONE);
        }
    }

    /// Whether a run may begin at the survivor of this number, or end before it.
    fn is_edge(&self, number: u32) -> bool {
        if number == 0 || number == self.survivors.count() {
            return true;
        }
        let (before, at) = (self.survivors.segment(number - 1), self.survivors.segment(number));
        let (line, next) = (self.raw(before), self.raw(at));
        (self.line_ends_between)(before, at) > 1 || is_fence(line) || is_fence(next) || !runs_on(line, next)
    }

    fn raw(&self, segment: u32) -> &[u8] {
        self.segments[segment as usize].span().of(self.text)
    }
}

impl Candidates {
    fn to_cut(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.places.len()).filter(|&at| self.places[at] != NONE)
    }

    fn is_empty(&self) -> bool {
        self.to_cut().next().is_none()
    }

    fn columns_to_cut(&self) -> u64 {
        self.to_cut().map(|at| u64::from(self.columns[at])).sum()
    }

    /// The maximal runs of consecutive paragraphs that are to be cut, each place following the one before as `follows` says.
    fn runs(&self, follows: impl Fn(u32, u32) -> bool) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for at in self.to_cut() {
            let joins = |run: &&mut Range<usize>| {
                run.end == at
                    && self.repeats[at].at == self.repeats[at - 1].at + 1
                    && follows(self.places[at - 1], self.places[at])
            };
            match runs.last_mut().filter(joins) {
                Some(run) => run.end = at + 1,
                None => runs.push(at..at + 1),
            }
        }
        runs
    }

    /// What the guards left of a run stays too if it is no longer long enough.
    fn spare_remnants(&mut self, least: u64) {
        for run in self.runs(|_, _| true) {
            let mut seen = HashSet::new();
            let distinct = run.clone().filter(|&at| seen.insert(self.repeats[at].kept));
            let length: u64 = distinct.map(|at| u64::from(self.columns[at])).sum();
            if length < least.max(1) {
                self.places[run].fill(NONE);
            }
        }
    }
}
