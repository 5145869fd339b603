//! Which of the repeats are cut: the thresholds, and the guards in `guards.rs`, on one page. Knows paragraphs and what stands
//! between them; knows nothing of bytes to cut or files.

mod guards;

use crate::detect::NONE;
use crate::detect::runs::repeated_runs;
use crate::document::{Repeat, Segment};
use crate::page::Page;
use crate::survivors::Survivors;
use std::collections::HashMap;
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
    /// 600 columns, or 200 where all repeats of that length together make up a fifth of the document. On 1,350 ordinary
    /// documents it touches 25, where a flat 200 touches 105, and repairs as many doubled bodies.
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

impl Threshold {
    /// What the shortest run that may be cut must reach. Nothing is no run.
    fn least(self) -> u64 {
        match self {
            Threshold::Flat(columns) => u64::from(columns).max(1),
            Threshold::LongOrLargeShare => SHORT,
        }
    }
}

/// A paragraph that is to be cut, and a surviving one equal to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Removed {
    pub(crate) at: u32,
    pub(crate) witness: u32,
}

/// The paragraphs to cut, in order. The rules are applied again and again to what survives until nothing changes, so that
/// cleaning twice is cleaning once.
pub(crate) fn decide(page: &Page, repeats: Vec<Repeat>, threshold: Threshold, keep: Keep) -> (Vec<Removed>, Survivors) {
    let repeats = match keep {
        Keep::First => repeats,
        Keep::Last => with_last_kept(&repeats),
    };
    let survivors = Survivors::of(page.segments.len(), std::iter::empty());
    let mut rules = Rules { page, threshold, keep, repeats, removed: Vec::new(), survivors, columns: page.columns };
    while rules.round() {}
    rules.resolve_witnesses();
    (rules.removed, rules.survivors)
}

fn columns(segment: &Segment) -> u64 {
    u64::from(segment.columns())
}

/// The same repeats with the last of equal ones as the one that is kept.
fn with_last_kept(repeats: &[Repeat]) -> Vec<Repeat> {
    let last: HashMap<u32, u32> = repeats.iter().map(|repeat| (repeat.kept, repeat.at)).collect();
    let firsts = last.keys().map(|&first| Repeat { at: first, kept: first });
    let mut all: Vec<Repeat> = repeats.iter().copied().chain(firsts).collect();
    all.iter_mut().for_each(|repeat| repeat.kept = last[&repeat.kept]);
    all.retain(|repeat| repeat.at != repeat.kept);
    all.sort_unstable_by_key(|repeat| repeat.at);
    all
}

struct Rules<'a> {
    page: &'a Page<'a>,
    threshold: Threshold,
    keep: Keep,
    /// The paragraphs that are left and equal another one, which survives whatever happens to them; in order.
    repeats: Vec<Repeat>,
    removed: Vec<Removed>,
    survivors: Survivors,
    /// The length of all that is left.
    columns: u64,
}

impl Rules<'_> {
    /// Applies the rules once; false if nothing is to be cut any more.
    fn round(&mut self) -> bool {
        if self.repeats.is_empty() {
            return false;
        }
        let mut found = self.long_enough();
        if !found.is_empty() {
            self.spare_refrains(&mut found);
            self.shrink_to_sentences(&mut found);
            found.spare_remnants(self.threshold.least());
            while self.spare_what_would_read_otherwise(&mut found) {
                found.spare_remnants(self.threshold.least());
            }
        }
        if found.is_empty() {
            return false;
        }
        self.remove(&found);
        true
    }

    /// The runs that reach the threshold.
    fn long_enough(&self) -> Candidates {
        let number = |at| self.survivors.number(at);
        let mut found = Candidates {
            numbered: self.repeats.iter().map(|r| Repeat { at: number(r.at), kept: number(r.kept) }).collect(),
            weights: self.repeats.iter().map(|repeat| self.page.segments[repeat.at as usize].weight()).collect(),
            places: Vec::new(),
        };
        found.places = self.runs(&found, self.threshold.least());
        if self.threshold == Threshold::LongOrLargeShare {
            let repeated: u64 = found.to_cut().map(|at| columns(&self.page.segments[self.repeats[at].at as usize])).sum();
            if repeated > 0 && repeated * LARGE_SHARE < self.columns {
                found.places = self.runs(&found, LONG);
            }
        }
        found
    }

    /// The repeated runs seen from the end that is kept.
    fn runs(&self, found: &Candidates, least: u64) -> Vec<u32> {
        match self.keep {
            Keep::First => repeated_runs(&found.numbered, &found.weights, least),
            Keep::Last => {
                let last = self.survivors.count() - 1;
                let mirrored = |r: &Repeat| Repeat { at: last - r.at, kept: last - r.kept };
                let repeats: Vec<Repeat> = found.numbered.iter().rev().map(mirrored).collect();
                let weights: Vec<u32> = found.weights.iter().rev().copied().collect();
                let places = repeated_runs(&repeats, &weights, least);
                places.into_iter().rev().map(|place| if place == NONE { NONE } else { last - place }).collect()
            }
        }
    }

    fn remove(&mut self, found: &Candidates) {
        let mut places = found.places.iter();
        self.repeats.retain(|repeat| {
            let place = *places.next().expect("each repeat has a place");
            if place != NONE {
                self.removed.push(Removed { at: repeat.at, witness: self.survivors.segment(place) });
                self.columns -= columns(&self.page.segments[repeat.at as usize]);
            }
            place == NONE
        });
        self.removed.sort_by_key(|removed| removed.at); // stable: it finds the two runs it is made of
        self.survivors = Survivors::of(self.page.segments.len(), self.removed.iter().map(|removed| removed.at));
    }

    /// Follows each witness to one that survives. It stands nearer to the end that is kept, so one walk from there suffices.
    fn resolve_witnesses(&mut self) {
        let count = self.removed.len();
        for step in 0..count {
            let number = if self.keep == Keep::First { step } else { count - 1 - step };
            let witness = self.removed[number].witness;
            if self.survivors.is_gone(witness) {
                let next = self.removed.partition_point(|removed| removed.at < witness);
                self.removed[number].witness = self.removed[next].witness;
            }
        }
    }
}

/// What one round may cut: a column for each of the repeats that are left.
struct Candidates {
    /// The repeats, numbered among the survivors.
    numbered: Vec<Repeat>,
    /// What each adds to the length of a run.
    weights: Vec<u32>,
    /// For each that is to be cut an equal paragraph before it (with [`Keep::Last`]: after it), by its number among the
    /// survivors; else [`NONE`].
    places: Vec<u32>,
}

impl Candidates {
    fn to_cut(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.places.len()).filter(|&at| self.places[at] != NONE)
    }

    fn is_empty(&self) -> bool {
        self.to_cut().next().is_none()
    }

    /// The maximal runs of consecutive paragraphs that are to be cut.
    fn to_cut_in_runs(&self) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for at in self.to_cut() {
            match runs.last_mut() {
                Some(run) if run.end == at && self.numbered[at].at == self.numbered[at - 1].at + 1 => run.end = at + 1,
                _ => runs.push(at..at + 1),
            }
        }
        runs
    }
}
