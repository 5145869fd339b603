//! The gate: which findings count, how much, and whether a check fails. Knows findings and git; nothing of how they were found.
//!
//! A finding passes through what may silence it in this order: the level of its rule in its file, the marks around it, the allowlist,
//! the baseline, the revision it is new since. What is left is a [`Hit`], and goes to the reports.

mod allow;
mod baseline;
mod feed;
mod git;
mod hit;
mod ignored;
pub mod report;
mod rule;
mod since;
mod untidy;

pub use allow::{Allowlist, Entry, What};
pub use baseline::{Baseline, Change};
pub use hit::Hit;
pub use rule::{Level, Levels, Rule};
pub use since::Since;

use crate::Unit;
use crate::error::{self, Error, Result};
use crate::report::{Finding, Fingerprint, Seen, Tally, Told, Wanted, count, counted};
use crate::runner::{Part, Portion};
use crate::source::{Form, Input, Packing};
use feed::{Feeds, Findings, leveled};
use ignored::{Mark, Regions, marks};
use report::{Ending, Report};
use rule::unique_bytes;
use rustc_hash::FxHashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use untidy::untidy;

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
    /// Whether texts are shown.
    pub is_shown: bool,
    /// Only what this revision doesn't have counts.
    pub since: Option<Since>,
    /// Whether the items of feeds are held against those of others.
    pub compares_feeds: bool,
}

/// What a check wants to know of a portion beside what repeats.
pub struct Marks {
    path: PathBuf,
    part: Part,
    list: Vec<Mark>,
    /// What is found in its documents beside what repeats.
    own: Findings,
    is_feed: bool,
    /// Whether what is said of lines is said of those of the file.
    has_lines: bool,
}

impl Marks {
    /// The marks of a portion, and all that repeats in it.
    ///
    /// # Errors
    /// Those of [`Finding::new`].
    pub fn of(portion: &Portion, policy: &Policy) -> Result<(Self, Told)> {
        let allows = |seen: Seen| policy.allowlist.allows(seen);
        let wanted = Wanted { allows: &allows, quotes: policy.is_shown };
        let told = Told::of_all(portion, Some(wanted))?;
        let Input { form, packing, .. } = portion.input;
        let has_lines = *packing == Packing::Plain && form.has_lines_to_look_up();
        let mut own = Findings::of(portion, policy, wanted);
        own.hits.extend(untidy(portion, has_lines));
        Ok((
            Self {
                path: portion.input.path().into(),
                part: portion.part,
                list: marks(portion),
                own,
                is_feed: *form == Form::Feed,
                has_lines,
            },
            told,
        ))
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
    /// What a baseline of this run holds, if it is to make one.
    found: Option<Baseline>,
    reports: Vec<(error::Place, Box<dyn Report + 'a>)>,
    counts: Counts,
    /// The marks of the text that comes in stretches.
    waiting: Vec<Mark>,
    /// What was found in the documents of the input under way beside what repeats.
    of_stretches: Vec<Hit>,
    feeds: Feeds,
    /// Whether there was a feed, which is checked even if its items have no text.
    has_feeds: bool,
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
            found: None,
            reports,
            counts: Counts::default(),
            waiting: Vec::new(),
            of_stretches: Vec::new(),
            feeds: Feeds::default(),
            has_feeds: false,
            occurrences: Default::default(),
        }
    }

    /// A check that reports nothing, and makes a baseline of what it finds.
    pub fn for_baseline(policy: &'a Policy, unit: Unit) -> Self {
        Self { found: Some(Baseline::default()), ..Self::new(policy, unit, None, Vec::new()) }
    }

    /// Goes on with what repeats in the next portion.
    ///
    /// # Errors
    /// Those of the outputs of the reports.
    pub fn add(&mut self, marks: Marks, findings: Vec<Finding>) -> Result<()> {
        self.waiting.extend(marks.list);
        self.of_stretches.extend(marks.own.hits);
        if marks.part == Part::Stretch {
            return Ok(());
        }
        let own = Findings { hits: std::mem::take(&mut self.of_stretches), items: marks.own.items };
        let mut regions = Regions::between(&std::mem::take(&mut self.waiting));
        self.has_feeds |= marks.is_feed;
        let mut of_feed = self.of_feed(own, &marks.path).into_iter();
        for mut finding in findings {
            let number = finding.record.unwrap_or_default();
            let before = of_feed.as_slice().partition_point(|hit| hit.at.record.unwrap_or_default() < number);
            self.judge_all(of_feed.by_ref().take(before))?;
            let mut its = of_feed.as_slice().iter().take_while(|hit| hit.at.record == finding.record);
            if its.any(|hit| matches!(hit.rule, Rule::RepeatedItem | Rule::ItemInTwoFeeds)) {
                // All of it is said to repeat.
                finding.repeats.retain(|repeat| repeat.repeats_document.is_none());
            }
            self.document(finding, &mut regions, marks.has_lines, marks.is_feed)?;
        }
        self.judge_all(of_feed)?;
        for (line, why) in regions.useless() {
            let level = self.policy.levels.of(Rule::UnusedIgnore, &marks.path);
            self.unused(Hit::unused(&marks.path, line, level, why))?;
        }
        Ok(())
    }

    /// Judges what repeats in a document.
    fn document(&mut self, mut finding: Finding, regions: &mut Regions, has_lines: bool, is_item: bool) -> Result<()> {
        let unique = unique_bytes(&finding);
        let mut repeats = std::mem::take(&mut finding.repeats);
        repeats.sort_by_key(|repeat| repeat.bytes.start);
        let (mut hits, mut silenced) = (Vec::with_capacity(repeats.len()), Vec::new());
        for repeat in repeats {
            let is_ignored = regions.ignore(repeat.bytes);
            let evidence = repeat.evidence.as_ref().expect("what is checked keeps evidence");
            let rule = Rule::of(&repeat, unique, is_item);
            match self.policy.levels.of(rule, &finding.path) {
                Level::Off => {}
                _ if is_ignored => self.counts.ignored += 1,
                _ if evidence.is_allowed => self.counts.allowed += 1,
                level => {
                    hits.push(Hit::of(&finding, repeat, (rule, level), self.unit, has_lines));
                    continue;
                }
            }
            silenced.push(evidence.fingerprint);
        }
        self.judge(hits, &silenced)
    }

    /// What is found of a feed as a feed and has a level, by item.
    fn of_feed(&mut self, feed: Findings, path: &Path) -> Vec<Hit> {
        let again = self.feeds.add(path, feed.items);
        let policy = self.policy;
        let mut hits: Vec<Hit> = feed.hits.into_iter().chain(again).filter_map(|hit| leveled(hit, policy, path)).collect();
        hits.sort_by_key(|hit| hit.at.record);
        hits
    }

    /// Judges findings of items.
    fn judge_all(&mut self, hits: impl Iterator<Item = Hit>) -> Result<()> {
        for hit in hits {
            let is_allowed = match &hit.evidence {
                Some(evidence) => evidence.is_allowed,
                None => self.policy.allowlist.has(hit.fingerprint),
            };
            if is_allowed {
                self.counts.allowed += 1;
            } else {
                self.judge(vec![hit], &[])?;
            }
        }
        Ok(())
    }

    /// Forgets what waits: that text has failed.
    pub fn forget(&mut self) {
        self.waiting.clear();
    }

    /// Reports what of the findings of a document is neither known nor old.
    fn judge(&mut self, hits: Vec<Hit>, silenced: &[Fingerprint]) -> Result<()> {
        let new = self.policy.since.as_ref().map(|since| since.new_ones(&hits, silenced)).transpose()?;
        for (number, hit) in hits.into_iter().enumerate() {
            if let Some(found) = &mut self.found {
                found.add(&hit);
            }
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

    /// Reports something to be ignored that isn't there.
    fn unused(&mut self, hit: Hit) -> Result<()> {
        let is_new = self.policy.since.as_ref().is_none_or(|since| since.is_new(&hit.at));
        if is_new && hit.level > Level::Off { self.report(hit) } else { Ok(()) }
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

    /// Whether there was a feed among what was checked.
    pub fn has_feeds(&self) -> bool {
        self.has_feeds
    }

    /// How many findings there are so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What of the baseline wasn't found.
    pub fn gone(&self) -> Vec<String> {
        self.known.as_ref().map_or_else(Vec::new, Baseline::in_words)
    }

    /// The baseline of them.
    pub fn found(&self) -> Option<&Baseline> {
        self.found.as_ref()
    }

    /// Ends the reports; `is_complete`: all that was to be checked was.
    ///
    /// # Errors
    /// Those of the outputs of the reports.
    pub fn end(&mut self, tally: &Tally, is_complete: bool) -> Result<()> {
        if self.policy.covers_allowlist && tally.failed == 0 {
            let policy = self.policy;
            for (entry, at) in policy.allowlist.unused() {
                let level = policy.levels.of(Rule::UnusedIgnore, &at.path);
                let why = format!("nothing that repeats is allowed by {entry}");
                self.unused(Hit::unused(&at.path, at.line, level, &why))?;
            }
        }
        self.counts.gone = self.known.as_ref().map_or(0, Baseline::len);
        let counts = self.counts.clone();
        self.tell(|report| report.end(Ending { counts: &counts, tally, is_complete }))
    }
}
