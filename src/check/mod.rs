//! The gate: which findings count, how much, and whether a check fails. Knows findings and git; nothing of how they were found.
//!
//! A finding passes through what may silence it in this order: the level of its rule in its file, the marks around it, the allowlist,
//! the revision it is new since, the baseline. What is left is a [`Hit`], and goes to the reports.

mod allow;
mod baseline;
mod hit;
mod ignored;
pub mod report;
mod rule;
mod since;

pub use allow::{Allowlist, Entry, What};
pub use baseline::{Baseline, Change};
pub use hit::Hit;
pub use rule::{Level, Levels, Rule};
pub use since::Since;

use crate::Unit;
use crate::error::{self, Error, Result};
use crate::report::{Finding, Fingerprint, Tally, Told, count, counted};
use crate::runner::{Part, Portion};
use ignored::{Mark, marks, regions};
use report::Report;
use rustc_hash::FxHashMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1 on.
    pub line: u64,
}

/// What findings are held against.
#[derive(Default)]
pub struct Policy {
    /// How much each rule matters.
    pub levels: Levels,
    /// What may repeat.
    pub allowlist: Allowlist,
    /// Whether all that the allowlist is for is checked, so that an entry that isn't used has no use.
    pub covers_allowlist: bool,
    /// Only what this revision doesn't have counts.
    pub since: Option<Since>,
}

/// What a check wants to know of a portion beside what repeats.
pub struct Marks {
    path: PathBuf,
    part: Part,
    list: Vec<Mark>,
}

impl Marks {
    /// The marks of a portion, and all that repeats in it.
    ///
    /// # Errors
    /// Those of [`Finding::new`].
    pub fn of(portion: &Portion, policy: &Policy) -> Result<(Self, Told)> {
        let allows = |block: &[u8], fingerprint: Fingerprint| policy.allowlist.allows(block, fingerprint);
        let told = Told::of_all(portion, Some(&allows))?;
        Ok((Self { path: portion.input.path().into(), part: portion.part, list: marks(portion) }, told))
    }
}

/// How many findings there are of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// At the level that fails a check.
    pub errors: u64,
    /// At the level below.
    pub warnings: u64,
    /// At the lowest level.
    pub notes: u64,
    /// Between marks.
    pub ignored: u64,
    /// In the allowlist.
    pub allowed: u64,
    /// In the revision already.
    pub not_new: u64,
    /// In the baseline.
    pub known: u64,
    /// In the baseline, but not found any more.
    pub gone: u64,
}

impl Counts {
    /// How many are reported.
    pub fn reported(&self) -> u64 {
        self.errors + self.warnings + self.notes
    }

    /// The line about a check.
    pub fn in_words(&self, tally: &Tally, took: Duration) -> String {
        let levels = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")];
        let levels: Vec<String> =
            levels.iter().filter(|(number, _)| *number > 0).map(|(number, noun)| counted(*number, noun)).collect();
        let levels = if levels.is_empty() { "no findings".into() } else { levels.join(", ") };
        let silenced =
            [(self.known, "in the baseline"), (self.not_new, "not new"), (self.allowed, "allowed"), (self.ignored, "ignored")];
        let silenced =
            silenced.iter().filter(|(number, _)| *number > 0).map(|(number, why)| format!(", {} {why}", count(*number)));
        format!("{levels}{}: {}", silenced.collect::<String>(), tally.checked_in_words(took))
    }
}

/// A check under way.
pub struct Check<'a> {
    policy: &'a Policy,
    unit: Unit,
    known: Option<Baseline>,
    /// What a baseline of this run would hold.
    found: Baseline,
    reports: Vec<(error::Place, Box<dyn Report + 'a>)>,
    counts: Counts,
    /// The marks of the text that comes in stretches.
    waiting: Vec<Mark>,
    /// How often each text was found in the file under way.
    occurrences: (PathBuf, FxHashMap<(Rule, Fingerprint), u64>),
}

impl<'a> Check<'a> {
    /// A check that reports what isn't `known`; this `unit` was compared.
    pub fn new(
        policy: &'a Policy,
        unit: Unit,
        known: Option<Baseline>,
        reports: Vec<(error::Place, Box<dyn Report + 'a>)>,
    ) -> Self {
        Self {
            policy,
            unit,
            known,
            found: Baseline::default(),
            reports,
            counts: Counts::default(),
            waiting: Vec::new(),
            occurrences: Default::default(),
        }
    }

    /// Goes on with what repeats in the next portion.
    ///
    /// # Errors
    /// Those of the outputs of the reports.
    pub fn add(&mut self, marks: Marks, findings: Vec<Finding>) -> Result<()> {
        self.waiting.extend(marks.list);
        if marks.part == Part::Stretch {
            return Ok(());
        }
        let mut regions = regions(&std::mem::take(&mut self.waiting));
        for mut finding in findings {
            let mut repeats = std::mem::take(&mut finding.repeats);
            repeats.sort_by_key(|repeat| repeat.bytes.start);
            let mut hits = Vec::with_capacity(repeats.len());
            for repeat in repeats {
                let around = regions.iter_mut().find(|region| region.holds(repeat.bytes));
                let is_ignored = around.map(|region| region.is_used = true).is_some();
                let is_allowed = repeat.evidence.as_ref().is_some_and(|evidence| evidence.is_allowed);
                let rule = Rule::of(&finding, &repeat);
                match self.policy.levels.of(rule, &finding.path) {
                    Level::Off => {}
                    _ if is_ignored => self.counts.ignored += 1,
                    _ if is_allowed => self.counts.allowed += 1,
                    level => hits.push(Hit::of(&finding, repeat, rule, level, self.unit)),
                }
            }
            self.judge(hits)?;
        }
        let level = self.policy.levels.of(Rule::UnusedIgnore, &marks.path);
        for region in regions.iter().filter(|region| level > Level::Off && (region.fault.is_some() || !region.is_used)) {
            let why = region.fault.unwrap_or("nothing between this mark and its unecho:ignore-end repeats");
            self.report_unless_old(Hit::unused(&marks.path, region.line, level, why))?;
        }
        Ok(())
    }

    /// Forgets what waits: that text has failed.
    pub fn forget(&mut self) {
        self.waiting.clear();
    }

    /// Reports what of the findings of a document is neither known nor old.
    fn judge(&mut self, hits: Vec<Hit>) -> Result<()> {
        let new = self.policy.since.as_ref().map(|since| since.new_ones(&hits)).transpose()?;
        for (number, hit) in hits.into_iter().enumerate() {
            self.found.add(&hit);
            if self.known.as_mut().is_some_and(|known| known.take(hit.fingerprint)) {
                self.counts.known += 1;
            } else if new.as_ref().is_some_and(|new| !new[number]) {
                self.counts.not_new += 1;
            } else {
                self.report(hit)?;
            }
        }
        Ok(())
    }

    /// Reports what is in no baseline.
    fn report_unless_old(&mut self, hit: Hit) -> Result<()> {
        if self.policy.since.as_ref().is_none_or(|since| since.is_new(&hit.at)) { self.report(hit) } else { Ok(()) }
    }

    fn report(&mut self, mut hit: Hit) -> Result<()> {
        let (file, occurrences) = &mut self.occurrences;
        if *file != hit.at.path {
            file.clone_from(&hit.at.path);
            occurrences.clear();
        }
        let occurrence = occurrences.entry((hit.rule, hit.fingerprint)).or_default();
        *occurrence += 1;
        hit.occurrence = *occurrence;
        match hit.level {
            Level::Off => {}
            Level::Note => self.counts.notes += 1,
            Level::Warning => self.counts.warnings += 1,
            Level::Error => self.counts.errors += 1,
        }
        self.tell(|report| report.hit(&hit))
    }

    fn tell(&mut self, mut say: impl FnMut(&mut dyn Report) -> io::Result<()>) -> Result<()> {
        let to = |(place, report): &mut (error::Place, Box<dyn Report + 'a>)| {
            say(&mut **report).map_err(|error| Error::io(place.clone(), error))
        };
        self.reports.iter_mut().try_for_each(to)
    }

    /// How many findings there are so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What of the baseline wasn't found.
    pub fn gone(&self) -> Vec<String> {
        self.known.as_ref().map_or_else(Vec::new, Baseline::in_words)
    }

    /// What a baseline of them would be.
    pub fn found(&self) -> &Baseline {
        &self.found
    }

    /// Ends the reports.
    ///
    /// # Errors
    /// Those of the outputs of the reports.
    pub fn end(&mut self, tally: &Tally) -> Result<()> {
        if self.policy.covers_allowlist {
            let policy = self.policy;
            for (entry, at) in policy.allowlist.unused() {
                let level = self.policy.levels.of(Rule::UnusedIgnore, &at.path);
                if level > Level::Off {
                    let why = format!("nothing that repeats is allowed by {entry}");
                    self.report_unless_old(Hit::unused(&at.path, at.line, level, &why))?;
                }
            }
        }
        self.counts.gone = self.known.as_ref().map_or(0, Baseline::len);
        let counts = self.counts.clone();
        self.tell(|report| report.end(&counts, tally))
    }
}
