//! Which of the repeats are cut: the thresholds, and the guards in `guards.rs`, on one page. Knows paragraphs and what stands
//! between them; knows nothing of bytes to cut or files.

mod guards;

use crate::detect::earlier::InDocument;
use crate::detect::runs::repeated_runs;
use crate::detect::{Firsts, NONE};
use crate::document::{Repeat, Segment};
use crate::page::Page;
use crate::survivors::Survivors;
use crate::threads;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::borrow::Cow;
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

/// A part of a whole, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u8);

impl Share {
    /// `percent` of a whole; `None` if that is more than all of it.
    pub fn of_percent(percent: u8) -> Option<Self> {
        (percent <= 100).then_some(Self(percent))
    }

    /// In percent.
    pub fn percent(self) -> u8 {
        self.0
    }

    /// Whether `part` is more than this share of `whole`.
    pub fn is_exceeded(self, part: u64, whole: u64) -> bool {
        u128::from(part) * 100 > u128::from(whole) * u128::from(self.0)
    }
}

/// A run of this many columns is cut wherever it repeats.
const LONG: u64 = 600;
/// A run of this many columns is cut in a document that consists of repeats to a large part.
const SHORT: u64 = 200;
/// A large part: one in so many columns.
const LARGE_SHARE: u64 = 5;

impl Threshold {
    /// What the shortest run of paragraphs that may be cut must reach. Nothing is no run.
    pub(crate) fn least(self) -> u64 {
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
    /// Whether the witness stands in an earlier document; its number is then one of all documents.
    pub(crate) is_across: bool,
}

/// By what the rules go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    pub(crate) threshold: Threshold,
    /// What the shortest run that may be cut must reach.
    pub(crate) least: u64,
    pub(crate) keep: Keep,
    /// Whether the guards look on.
    pub(crate) is_guarded: bool,
}

/// What the rules decided about the paragraphs of a text.
#[derive(Default)]
pub(crate) struct Decided {
    /// The paragraphs to cut, in order.
    pub(crate) removed: Vec<Removed>,
    /// Their columns.
    pub(crate) columns: u64,
    pub(crate) survivors: Survivors,
}

/// Decides about a text. First goes what stands in earlier documents; then the rules for its own repeats are applied again and
/// again to what survives until nothing changes, so that cleaning twice is cleaning once.
pub(crate) fn decide(page: &Page, repeats: InDocument, measure: Measure) -> Decided {
    let (survivors, repeats, within) = (Survivors::all(page.segments.len()), repeats.across.into(), repeats.within);
    let mut rules = Rules { page, measure, repeats, removed: Vec::new(), survivors, columns: page.columns };
    rules.remove_across();
    rules.repeats = rules.still_repeating(within);
    while rules.round() {}
    rules.resolve_witnesses();
    Decided { removed: rules.removed, columns: page.columns - rules.columns, survivors: rules.survivors }
}

fn columns(segment: &Segment) -> u64 {
    u64::from(segment.columns())
}

/// The same repeats with the last of equal ones as the one that is kept.
fn with_last_kept(repeats: &[Repeat]) -> Vec<Repeat> {
    let last: FxHashMap<u32, u32> = repeats.iter().map(|repeat| (repeat.kept, repeat.at)).collect();
    let firsts = last.keys().map(|&first| Repeat { at: first, kept: first });
    let mut all: Vec<Repeat> = repeats.iter().copied().chain(firsts).collect();
    all.iter_mut().for_each(|repeat| repeat.kept = last[&repeat.kept]);
    all.retain(|repeat| repeat.at != repeat.kept);
    all.sort_unstable_by_key(|repeat| repeat.at);
    all
}

struct Rules<'a> {
    page: &'a Page<'a>,
    measure: Measure,
    /// The paragraphs that are left and equal another one, which survives whatever happens to them; in order.
    repeats: Cow<'a, [Repeat]>,
    removed: Vec<Removed>,
    survivors: Survivors,
    /// The length of all that is left.
    columns: u64,
}

impl<'a> Rules<'a> {
    /// Removes what stands in earlier documents. A refrain of another song is no refrain of this one, so that guard isn't asked.
    fn remove_across(&mut self) {
        if self.repeats.is_empty() {
            return;
        }
        let mut found = Candidates { places: Vec::new(), runs: self.consecutive(0..self.repeats.len()) };
        let survivors = self.measure.is_guarded.then(|| self.guard(&mut found));
        if !found.is_empty() {
            self.remove(&found, survivors);
        }
    }

    /// The repeats of which nothing is gone yet: where the first of a kind is, the next one is the first.
    fn still_repeating(&self, within: Cow<'a, [Repeat]>) -> Cow<'a, [Repeat]> {
        let within = match self.measure.keep {
            Keep::First => within,
            Keep::Last => with_last_kept(&within).into(),
        };
        if self.removed.is_empty() {
            return within;
        }
        let mut firsts = Firsts::new(within.len());
        let mut left = Vec::with_capacity(within.len());
        for &Repeat { at, kept } in within.iter().filter(|repeat| !self.survivors.is_gone(repeat.at)) {
            if !self.survivors.is_gone(kept) {
                left.push(Repeat { at, kept });
                continue;
            }
            let first = firsts.of(kept, at);
            if first != at {
                left.push(Repeat { at, kept: first });
            }
        }
        left.into()
    }

    /// Applies the rules for a document's own repeats once; false if nothing is to be cut any more.
    fn round(&mut self) -> bool {
        if self.repeats.is_empty() {
            return false;
        }
        if self.each_goes_alone() {
            let repeats = std::mem::take(&mut self.repeats);
            self.columns -= threads::sum(repeats.len(), |at| columns(&self.page.segments[repeats[at].at as usize]));
            let removed = repeats.iter().map(|repeat| Removed { at: repeat.at, witness: repeat.kept, is_across: false });
            self.removed.extend(removed);
            self.note_removed(None);
            return false;
        }
        let mut found = self.long_enough();
        let mut survivors = None;
        if self.measure.is_guarded && !found.is_empty() {
            self.spare_refrains(&mut found);
            survivors = Some(self.guard(&mut found));
        }
        if found.is_empty() {
            return false;
        }
        self.remove(&found, survivors);
        self.repeats = self.rest(&found).into();
        true
    }

    /// Asks the guards, and gives what survives if all that they leave goes.
    fn guard(&self, found: &mut Candidates) -> Survivors {
        let least = self.measure.least;
        self.shrink_to_sentences(found);
        loop {
            self.spare_remnants(found, least);
            if let Some(survivors) = self.spare_what_would_read_otherwise(found) {
                return survivors;
            }
        }
    }

    /// The runs that reach the threshold.
    fn long_enough(&self) -> Candidates {
        let numbered: Cow<[Repeat]> = if self.survivors.are_all() {
            Cow::Borrowed(&self.repeats)
        } else {
            let number = |at| self.survivors.number(at);
            self.repeats.iter().map(|r| Repeat { at: number(r.at), kept: number(r.kept) }).collect()
        };
        let candidates = |least| {
            let places = self.runs(&numbered, least);
            debug_assert_eq!(places.len(), self.repeats.len());
            let runs = self.consecutive((0..places.len()).filter(|&at| places[at] != NONE));
            Candidates { places, runs }
        };
        let is_by_share = self.measure.threshold == Threshold::LongOrLargeShare;
        let share_is_large = |repeated: u64| repeated * LARGE_SHARE >= self.columns;
        let columns_at = |at: usize| columns(&self.page.segments[self.repeats[at].at as usize]);
        // All repeats together are the most that those can make up which are in runs.
        if is_by_share && !share_is_large(threads::sum(numbered.len(), columns_at)) {
            return candidates(LONG);
        }
        let found = candidates(self.measure.least);
        let in_run = |run: usize| found.runs[run].clone().map(columns_at).sum();
        if is_by_share && !found.is_empty() && !share_is_large(threads::sum(found.runs.len(), in_run)) {
            return candidates(LONG);
        }
        found
    }

    /// For each of the repeats, which are numbered among the survivors, its place in a repeated run, seen from the end that is kept.
    fn runs(&self, numbered: &[Repeat], least: u64) -> Vec<u32> {
        let weight = |number: u32| self.page.segments[self.survivors.segment(number) as usize].weight();
        match self.measure.keep {
            Keep::First => repeated_runs(numbered, weight, least),
            Keep::Last => {
                let last = self.survivors.count() - 1;
                let mirrored = |r: &Repeat| Repeat { at: last - r.at, kept: last - r.kept };
                let repeats: Vec<Repeat> = numbered.iter().rev().map(mirrored).collect();
                let places = repeated_runs(&repeats, |at| weight(last - at), least);
                places.into_iter().rev().map(|place| if place == NONE { NONE } else { last - place }).collect()
            }
        }
    }

    /// Some of the repeats, in runs of which each follows the one before it among the survivors.
    fn consecutive(&self, some: impl Iterator<Item = usize>) -> Runs {
        let mut runs = Runs::new();
        for at in some {
            match runs.last_mut() {
                Some(run) if run.end == at && self.number(at) == self.number(at - 1) + 1 => run.end = at + 1,
                _ => runs.push(at..at + 1),
            }
        }
        runs
    }

    /// The number of a repeat among the survivors.
    fn number(&self, at: usize) -> u32 {
        self.survivors.number(self.repeats[at].at)
    }

    /// Removes them; `survivors` is what then survives, if that is known.
    fn remove(&mut self, found: &Candidates, survivors: Option<Survivors>) {
        self.removed.reserve(found.to_cut().count());
        let is_across = found.is_across();
        for at in found.to_cut() {
            let repeat = self.repeats[at];
            let witness = if is_across { repeat.kept } else { self.survivors.segment(found.places[at]) };
            self.removed.push(Removed { at: repeat.at, witness, is_across });
            self.columns -= columns(&self.page.segments[repeat.at as usize]);
        }
        self.note_removed(survivors);
    }

    /// The repeats without those that are removed.
    fn rest(&self, found: &Candidates) -> Vec<Repeat> {
        let (mut rest, mut from) = (Vec::with_capacity(self.repeats.len() - found.to_cut().count()), 0);
        for run in &found.runs {
            rest.extend_from_slice(&self.repeats[from..run.start]);
            from = run.end;
        }
        rest.extend_from_slice(&self.repeats[from..]);
        rest
    }

    /// Whether each repeat goes by itself, as with lines of any length.
    fn each_goes_alone(&self) -> bool {
        let Threshold::Flat(_) = self.measure.threshold else { return false };
        let is_long = |repeat: &Repeat| u64::from(self.page.segments[repeat.at as usize].weight()) >= self.measure.least;
        !self.measure.is_guarded && self.repeats.iter().all(is_long)
    }

    fn note_removed(&mut self, survivors: Option<Survivors>) {
        self.removed.sort_by_key(|removed| removed.at); // stable: it finds the two runs it is made of
        let gone = self.removed.iter().map(|removed| removed.at);
        self.survivors = survivors.unwrap_or_else(|| Survivors::of(self.page.segments.len(), gone));
        debug_assert_eq!(self.survivors.count() as usize + self.removed.len(), self.page.segments.len());
    }

    /// Follows each witness that is removed itself, by its rank among all that are, to one that survives. It stands nearer to the
    /// end that is kept, so one walk from there suffices.
    fn resolve_witnesses(&mut self) {
        let is_first = self.measure.keep == Keep::First;
        let is_lost = |removed: &Removed| !removed.is_across && self.survivors.is_gone(removed.witness);
        let mut lost = threads::wanted(self.removed.len(), |&number| is_lost(&self.removed[number]));
        if !is_first {
            lost.reverse();
        }
        for number in lost {
            let witness = self.removed[number].witness;
            let gone_before = witness - self.survivors.number(witness);
            self.removed[number].witness = self.removed[gone_before as usize].witness;
        }
    }
}

/// What one round may cut.
struct Candidates {
    /// For each of the repeats that are left an equal paragraph before it (with [`Keep::Last`]: after it), by its number among the
    /// survivors, or [`NONE`] if it was none from the first. None at all if those stand in earlier documents.
    places: Vec<u32>,
    /// The maximal runs of consecutive paragraphs that are to be cut.
    runs: Runs,
}

/// Ranges of repeats; in most documents there are few.
type Runs = SmallVec<[Range<usize>; 4]>;

impl Candidates {
    fn is_across(&self) -> bool {
        self.places.is_empty()
    }

    fn to_cut(&self) -> impl Iterator<Item = usize> + '_ {
        self.runs.iter().cloned().flatten()
    }

    fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Drops the runs of which nothing is to be cut any more; whether there are any.
    fn drop_spared(&mut self) -> bool {
        let count = self.runs.len();
        self.runs.retain(|run| run.start < run.end);
        self.runs.len() < count
    }
}
