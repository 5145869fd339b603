//! The baseline: findings that are known, each by the fingerprint of its text and how often that occurs. So a known text may move,
//! and a further copy of it is new.

use super::Hit;
use crate::error::{Error, Result, io_reason, visible};
use crate::report::Fingerprint;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

/// How its first line begins; a version follows.
const HEADER: &str = "# unecho baseline ";
const VERSION: u32 = 1;
/// What follows that for people.
const EXPLAINED: &str =
    "# Findings that are known: fingerprint, how often, rule, how the text begins. Written by unecho check --update-baseline.";

/// Findings that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline(BTreeMap<Fingerprint, Known>);

/// A text that occurs in findings.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    count: u64,
    /// The rule, and how the text begins, for people.
    about: String,
}

/// What came to a baseline, or went from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// How often it was there.
    pub before: u64,
    /// How often it is there now.
    pub now: u64,
    /// The rule, and how the text begins.
    pub about: String,
    /// Its text.
    pub fingerprint: Fingerprint,
}

impl Baseline {
    /// The one at `path`.
    ///
    /// # Errors
    /// If there is none, or a line of it isn't one of a baseline.
    pub fn read(path: &Path) -> Result<Self> {
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(Error::refused(path, "a baseline is a file"));
        }
        let text = fs::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                Error::refused(path, "there is no baseline; --update-baseline writes one of what is found")
            }
            _ => Error::refused(path, io_reason(&error)),
        })?;
        let refused = |number: usize, why: &str| Error::refused(path, format!("line {number}: {why}"));
        let mut lines = (1..).zip(text.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)));
        let header =
            lines.next().and_then(|(_, line)| str::from_utf8(line).ok()?.strip_prefix(HEADER)?.trim().parse::<u32>().ok());
        match header {
            Some(VERSION) => {}
            Some(later) if later > VERSION => {
                return Err(refused(
                    1,
                    &format!("a baseline of version {later}, which a later unecho wrote; this one reads version {VERSION}"),
                ));
            }
            _ => return Err(refused(1, &format!("not a baseline, which begins with \"{HEADER}{VERSION}\""))),
        }
        let mut known = BTreeMap::new();
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#")) {
            let line = str::from_utf8(line).map_err(|_| refused(number, "not UTF-8"))?;
            if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark)) {
                return Err(refused(number, "a mark of a merge; keep what either side has, one line for each fingerprint"));
            }
            let mut fields = line.splitn(3, ' ');
            let fingerprint = fields.next().and_then(Fingerprint::read);
            let count = fields.next().and_then(|count| count.parse().ok()).filter(|&count| count > 0);
            let (Some(fingerprint), Some(count)) = (fingerprint, count) else {
                return Err(refused(number, "not a fingerprint of 32 hexadecimal digits and a number above 0"));
            };
            let about = fields.next().unwrap_or_default().into();
            if known.insert(fingerprint, Known { count, about }).is_some() {
                return Err(refused(number, "this fingerprint stands in an earlier line, too"));
            }
        }
        Ok(Self(known))
    }

    /// Adds a finding.
    pub(super) fn add(&mut self, hit: &Hit) {
        let about = || format!("{} {}", hit.rule.name(), visible(&hit.begins));
        self.0.entry(hit.fingerprint).or_insert_with(|| Known { count: 0, about: about() }).count += 1;
    }

    /// Takes a finding out of it; whether it was in it.
    pub(super) fn take(&mut self, fingerprint: Fingerprint) -> bool {
        let Some(known) = self.0.get_mut(&fingerprint).filter(|known| known.count > 0) else { return false };
        known.count -= 1;
        true
    }

    /// How many findings there are in it.
    pub fn len(&self) -> u64 {
        self.0.values().map(|known| known.count).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The texts in it, each as its line has it.
    pub(super) fn in_words(&self) -> Vec<String> {
        let known = self.0.iter().filter(|(_, known)| known.count > 0);
        known.map(|(fingerprint, Known { count, about })| format!("{fingerprint} {count} {about}")).collect()
    }

    /// It as it is written: sorted, so that it changes only where findings do.
    pub fn written(&self) -> Vec<u8> {
        let mut text = format!("{HEADER}{VERSION}\n{EXPLAINED}\n");
        self.in_words().iter().for_each(|line| text.extend([line, "\n"]));
        text.into_bytes()
    }

    /// What another one has more of, or less, by fingerprint.
    pub fn changes_to(&self, new: &Self) -> Vec<Change> {
        let all: BTreeSet<Fingerprint> = self.0.keys().chain(new.0.keys()).copied().collect();
        let change = |fingerprint: Fingerprint| {
            let (old, new) = (self.0.get(&fingerprint), new.0.get(&fingerprint));
            let count = |known: Option<&Known>| known.map_or(0, |known| known.count);
            let about = new.or(old)?.about.clone();
            let change = Change { before: count(old), now: count(new), about, fingerprint };
            (change.before != change.now).then_some(change)
        };
        all.into_iter().filter_map(change).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline(known: &[(u128, u64)]) -> Baseline {
        let entry =
            |&(fingerprint, count)| (Fingerprint(fingerprint), Known { count, about: format!("doubled-block {fingerprint}") });
        Baseline(known.iter().map(entry).collect())
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baseline");
        let all = baseline(&[(7, 1), (1 << 127, 3)]);
        fs::write(&path, all.written()).unwrap();
        assert_eq!(Baseline::read(&path).unwrap(), all);
        fs::write(&path, String::from_utf8(all.written()).unwrap().replace('\n', "\r\n")).unwrap();
        assert_eq!(Baseline::read(&path).unwrap().written(), all.written());
    }

    #[test]
    fn what_is_no_baseline_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baseline");
        let one = format!("{:032x} 1 rule text", 5);
        for (text, why) in [
            (String::new(), "line 1: not a baseline"),
            ("# unecho baseline 2\n".into(), "line 1: a baseline of version 2"),
            ("# unecho baseline 1\n<<<<<<< HEAD\n".into(), "line 2: a mark of a merge"),
            ("# unecho baseline 1\n12 1 rule text\n".into(), "line 2: not a fingerprint"),
            (format!("# unecho baseline 1\n\n{:032x} 0 rule text\n", 5), "line 3: not a fingerprint"),
            (format!("# unecho baseline 1\n{one}\n{one}\n"), "line 3: this fingerprint"),
        ] {
            fs::write(&path, &text).unwrap();
            let error = Baseline::read(&path).unwrap_err().to_string();
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }

    #[test]
    fn changes_are_told_by_their_number() {
        let changes = baseline(&[(1, 1), (2, 2), (3, 1)]).changes_to(&baseline(&[(2, 3), (3, 1), (4, 1)]));
        let changes: Vec<(u128, u64, u64)> =
            changes.iter().map(|change| (change.fingerprint.0, change.before, change.now)).collect();
        assert_eq!(changes, [(1, 1, 0), (2, 2, 3), (4, 0, 1)]);
    }

    #[test]
    fn a_finding_is_known_as_often_as_it_is_listed() {
        let mut all = baseline(&[(1, 2)]);
        let taken: Vec<bool> = (0..3).map(|_| all.take(Fingerprint(1))).collect();
        assert_eq!((taken, all.take(Fingerprint(2)), all.len()), (vec![true, true, false], false, 0));
    }
}
