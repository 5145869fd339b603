//! Which of the repeats are cut: the thresholds and the guards, on one text. Knows segments and their text; knows nothing of
//! separators, bytes to cut or files.

use crate::compare::columns;
use crate::detect::NONE;
use crate::detect::runs::repeated_runs;
use crate::document::Segment;
use crate::segment::{is_fence, is_wrapped, runs_on};
use std::collections::HashSet;

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

/// The paragraphs of a text that are still there, in order, with equal ones known by equal numbers.
pub struct Page<'a> {
    /// The whole text.
    pub text: &'a [u8],
    /// The paragraphs.
    pub segments: &'a [Segment],
    /// Equal paragraphs have equal ids, each less than the number of paragraphs.
    pub ids: &'a [u32],
    /// How many line ends stand at most between two neighbours of `segments`, the second given by its number (from 1 on).
    pub line_ends_before: &'a dyn Fn(usize) -> usize,
}

impl Page<'_> {
    /// For each paragraph that is to be cut the place of an equal one before it (with [`Keep::Last`]: after it), else
    /// [`NONE`]; `None` if nothing is to be cut.
    pub fn repeats(&self, threshold: Threshold, keep: Keep) -> Option<Vec<u32>> {
        let (mut places, least) = self.long_enough(threshold, keep)?;
        self.spare_refrains(&mut places);
        self.shrink_to_sentences(&mut places);
        self.spare_remnants(&mut places, least);
        places.iter().any(|&place| place != NONE).then_some(places)
    }

    /// The runs that reach the threshold, and the least length of a run.
    fn long_enough(&self, threshold: Threshold, keep: Keep) -> Option<(Vec<u32>, u64)> {
        let least = match threshold {
            Threshold::Flat(columns) => u64::from(columns),
            Threshold::LongOrLargeShare => SHORT,
        };
        let columns: Vec<u32> = self.segments.iter().map(|segment| segment.columns).collect();
        let places = runs(self.ids, &columns, least, keep);
        let total: u64 = columns.iter().map(|&c| u64::from(c)).sum();
        let repeated: u64 = places.iter().zip(&columns).filter(|(place, _)| **place != NONE).map(|(_, &c)| u64::from(c)).sum();
        if places.iter().all(|&place| place == NONE) {
            return None;
        }
        if threshold == Threshold::LongOrLargeShare && repeated * LARGE_SHARE < total {
            return Some((runs(self.ids, &columns, LONG, keep), least));
        }
        Some((places, least))
    }

    /// The refrain guard: a repeated run of a few short lines stays if something that isn't repeated stands between it and
    /// the place it repeats, as verses do between two choruses.
    fn spare_refrains(&self, places: &mut [u32]) {
        let mut kept_before = vec![0u32];
        kept_before.extend(places.iter().scan(0, |kept, &place| {
            *kept += u32::from(place == NONE);
            Some(*kept)
        }));
        let anything_kept = |from: usize, to: usize| from < to && kept_before[from] < kept_before[to];
        let follows = |a: u32, b: u32| b == a + 1;
        let runs: Vec<_> = stretches(places, follows).collect();
        for run in runs {
            let first = places[run.start] as usize;
            let between = if first < run.start { (first + run.len(), run.start) } else { (run.end, first) };
            if anything_kept(between.0, between.1) && self.is_verse(run.clone()) {
                places[run].fill(NONE);
            }
        }
    }

    fn is_verse(&self, run: std::ops::Range<usize>) -> bool {
        let mut lines = 0;
        self.segments[run].iter().all(|segment| {
            let raw = segment.span().of(self.text);
            let fence = is_fence(raw);
            lines += if fence { memchr::memchr_iter(b'\n', raw).count() + 1 } else { 1 };
            lines <= REFRAIN_LINES
                && (fence || !is_wrapped(raw))
                && raw.split(|&b| b == b'\n').all(|line| columns(line) < VERSE_COLUMNS)
        })
    }

    /// Shrinks each run until no sentence runs on across its edges.
    fn shrink_to_sentences(&self, places: &mut [u32]) {
        let runs: Vec<_> = stretches(places, |_, _| true).collect();
        for run in runs {
            let start = run.clone().find(|&at| self.is_edge(at)).unwrap_or(run.end);
            places[run.start..start].fill(NONE);
            let end = (start..=run.end).rev().find(|&at| self.is_edge(at)).unwrap_or(start);
            places[end..run.end].fill(NONE);
        }
    }

    /// Whether a run may begin at paragraph `at`, or end before it.
    fn is_edge(&self, at: usize) -> bool {
        if at == 0 || at == self.segments.len() || (self.line_ends_before)(at) > 1 {
            return true;
        }
        let line = self.segments[at - 1].span().of(self.text);
        let next = self.segments[at].span().of(self.text);
        is_fence(line) || is_fence(next) || !runs_on(line, next)
    }

    /// What the guards left of a run stays too if it is no longer long enough.
    fn spare_remnants(&self, places: &mut [u32], least: u64) {
        let runs: Vec<_> = stretches(places, |_, _| true).collect();
        for run in runs {
            let mut seen = HashSet::new();
            let distinct = run.clone().filter(|&at| seen.insert(self.ids[at]));
            let length: u64 = distinct.map(|at| u64::from(self.segments[at].columns)).sum();
            if length < least.max(1) {
                places[run].fill(NONE);
            }
        }
    }
}

/// The repeated runs seen from the end that is kept.
fn runs(ids: &[u32], columns: &[u32], least: u64, keep: Keep) -> Vec<u32> {
    match keep {
        Keep::First => repeated_runs(ids, columns, least),
        Keep::Last => {
            let reversed = |values: &[u32]| values.iter().rev().copied().collect::<Vec<_>>();
            let last = ids.len() as u32;
            let places = repeated_runs(&reversed(ids), &reversed(columns), least);
            places.iter().rev().map(|&place| if place == NONE { NONE } else { last - 1 - place }).collect()
        }
    }
}

/// The maximal stretches of places, each of which follows the one before.
fn stretches(places: &[u32], follows: impl Fn(u32, u32) -> bool) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += places[at..].iter().take_while(|&&place| place == NONE).count();
        let start = at;
        while at < places.len() && places[at] != NONE && (at == start || follows(places[at - 1], places[at])) {
            at += 1;
        }
        (start < at).then_some(start..at)
    })
}
