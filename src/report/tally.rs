//! The sums of a run, as the summary says them and as `--stats` writes them.

use super::words::{bytes, change, counted, share};
use crate::error::count;
use crate::plan::Fate;
use crate::runner::Portion;
use crate::source::{LeftOut, Skipped};
use crate::tidy::Counts;
use std::time::Duration;

/// What a run did.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Tally {
    /// What it did to documents.
    #[serde(flatten)]
    pub sums: Sums,
    /// What was not read, on purpose.
    pub left_out: LeftOutCounts,
    /// The inputs that could not be read or written, or not all of them.
    pub failed: u64,
    /// The broken records of those, where `--on-error` keeps or drops them.
    pub broken_records: u64,
    /// Whether nothing was compared, so that nothing is said of repeats.
    #[serde(skip)]
    pub only_tidied: bool,
}

/// The documents that are dropped as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Dropped {
    /// All their text repeats.
    pub emptied: u64,
    /// They are earlier documents again.
    pub repeated: u64,
    /// More of them repeats than is allowed.
    pub too_repetitive: u64,
}

impl Dropped {
    fn total(self) -> u64 {
        self.emptied + self.repeated + self.too_repetitive
    }

    fn add(&mut self, other: Self) {
        self.emptied += other.emptied;
        self.repeated += other.repeated;
        self.too_repetitive += other.too_repetitive;
    }
}

/// The sums of some documents.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Sums {
    /// The documents that were read.
    pub documents: u64,
    /// Those in which something repeats.
    pub documents_with_repeats: u64,
    /// Their paragraphs.
    pub paragraphs: u64,
    /// The paragraphs that repeat.
    pub repeated_paragraphs: u64,
    /// The blocks they form.
    pub blocks: u64,
    /// The documents that are dropped as a whole, by reason.
    pub dropped: Dropped,
    /// Those all of whose text repeats and that stay without it: text files, and records where `--empty` keeps them.
    pub left_empty: u64,
    /// How often each repair was made.
    #[serde(skip_serializing_if = "Counts::tell_nothing")]
    pub repairs: Counts,
    /// The bytes of all documents.
    pub bytes_before: u64,
    /// The bytes of their clean copies.
    pub bytes_after: u64,
    /// The bytes that repeat, whether they go alone or with a document that is dropped.
    #[serde(skip)]
    pub repeated_bytes: u64,
    /// The records that are left out.
    #[serde(skip)]
    pub skipped: Skipped,
}

impl Sums {
    /// The sums of a portion.
    pub fn of(portion: &Portion) -> Self {
        let bytes_before = portion.extent.len();
        let bytes_after = portion.clean_bytes();
        let (documents, skipped) = (portion.begun(), portion.skipped());
        let mut sums = Self { documents, bytes_before, bytes_after, skipped, ..Self::default() };
        for document in &portion.documents {
            sums.documents_with_repeats += u64::from(!document.plan.blocks.is_empty());
            sums.paragraphs += document.plan.paragraphs as u64;
            sums.repeated_paragraphs += document.plan.removed_paragraphs() as u64;
            sums.blocks += document.plan.blocks.len() as u64;
            sums.repeated_bytes += document.plan.removed_bytes();
            sums.repairs.add(&document.repairs);
            match document.plan.fate {
                Fate::Stays => {}
                _ if !document.is_dropped => sums.left_empty += 1,
                Fate::Emptied => sums.dropped.emptied += 1,
                Fate::Repeated => sums.dropped.repeated += 1,
                Fate::TooRepetitive => sums.dropped.too_repetitive += 1,
            }
        }
        sums
    }

    /// Goes on with the next part of the same input.
    pub(super) fn append(&mut self, more: &Self) {
        self.add(more);
        // A document that goes on is counted once.
        self.documents_with_repeats = self.documents_with_repeats.min(self.documents);
    }

    fn add(&mut self, more: &Self) {
        self.documents += more.documents;
        self.documents_with_repeats += more.documents_with_repeats;
        self.paragraphs += more.paragraphs;
        self.repeated_paragraphs += more.repeated_paragraphs;
        self.blocks += more.blocks;
        self.dropped.add(more.dropped);
        self.left_empty += more.left_empty;
        self.repairs.add(&more.repairs);
        self.bytes_before += more.bytes_before;
        self.bytes_after += more.bytes_after;
        self.repeated_bytes += more.repeated_bytes;
        self.skipped.other += more.skipped.other;
    }
}

/// The sums of a run and the time it took, as `--stats` writes them.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Stats<'a> {
    /// The sums.
    #[serde(flatten)]
    pub tally: &'a Tally,
    /// The time in seconds.
    pub seconds: f64,
}

/// What was not read, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct LeftOutCounts {
    /// A NUL near the beginning.
    pub binary: u64,
    /// A name that starts with a dot.
    pub hidden: u64,
    /// Symbolic links.
    pub links: u64,
    /// Excluded by a pattern.
    pub excluded: u64,
    /// A name that tells of no form that is read.
    pub unknown_form: u64,
    /// Sockets, pipes, devices.
    pub special: u64,
    /// Reached before by another path.
    pub already_read: u64,
    /// Where the results of the run go.
    pub output: u64,
    /// Records of a WARC that hold no text and have no place in a WET.
    pub other_records: u64,
}

impl LeftOutCounts {
    fn slot(&mut self, why: LeftOut) -> &mut u64 {
        match why {
            LeftOut::Binary => &mut self.binary,
            LeftOut::Hidden => &mut self.hidden,
            LeftOut::Link => &mut self.links,
            LeftOut::Excluded => &mut self.excluded,
            LeftOut::UnknownForm => &mut self.unknown_form,
            LeftOut::Special => &mut self.special,
            LeftOut::AlreadyRead => &mut self.already_read,
            LeftOut::Output => &mut self.output,
        }
    }

    /// Those that are neither hidden nor excluded, and to which no other path led: what might have been read and wasn't.
    pub fn of_what_might_be_read(&self) -> Self {
        Self { hidden: 0, excluded: 0, already_read: 0, output: 0, ..self.clone() }
    }

    /// How many of each kind, in words.
    pub fn in_words(&self) -> String {
        let Self { binary, hidden, links, excluded, unknown_form, special, already_read, output, other_records } = *self;
        let reasons = [
            (binary, "binary"),
            (hidden, "hidden"),
            (links, if links == 1 { "link" } else { "links" }),
            (excluded, "excluded"),
            (unknown_form, "of unknown form"),
            (special, "special"),
            (already_read, "already read"),
            (output, "the output"),
            (other_records, if other_records == 1 { "other record" } else { "other records" }),
        ];
        let words: Vec<String> =
            reasons.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", count(*n))).collect();
        if words.is_empty() { "nothing".into() } else { words.join(", ") }
    }
}

impl Tally {
    /// Adds some documents.
    pub fn add(&mut self, sums: &Sums) {
        self.sums.add(sums);
        self.left_out.other_records += sums.skipped.other;
    }

    /// Adds something that is not read.
    pub fn leave_out(&mut self, why: LeftOut) {
        *self.left_out.slot(why) += 1;
    }

    /// The line about clean copies. `whole` says what was left out and failed even where nothing was.
    pub fn cleaned_in_words(&self, took: Duration, whole: bool) -> String {
        let size = bytes(self.sums.bytes_before, self.sums.bytes_after);
        let change = change(self.sums.bytes_before, self.sums.bytes_after);
        self.in_words(&format!("{size} ({change})"), took, whole)
    }

    /// The line about a scan, after which all is as it was.
    pub fn scanned_in_words(&self, took: Duration, whole: bool) -> String {
        let mut size = bytes(self.sums.bytes_before, self.sums.bytes_before);
        if self.sums.blocks > 0 {
            size += &format!(" of which {} repeat", share(self.sums.repeated_bytes, self.sums.bytes_before));
        }
        self.in_words(&size, took, whole)
    }

    /// The line about a check: what was looked at.
    pub fn checked_in_words(&self, took: Duration) -> String {
        let (documents, size) = (counted(self.sums.documents, "document"), bytes(self.sums.bytes_before, self.sums.bytes_before));
        format!("{documents}, {size}, {}", self.ended_in_words(took, false))
    }

    /// The line about repairs, if there were any.
    pub fn repaired_in_words(&self) -> Option<String> {
        self.sums.repairs.in_words().map(|repairs| format!("Repaired: {repairs}"))
    }

    fn in_words(&self, size: &str, took: Duration, whole: bool) -> String {
        let documents = counted(self.sums.documents, "document");
        let repeats = match self.only_tidied {
            true => String::new(),
            false => format!(", {} with repeats", count(self.sums.documents_with_repeats)),
        };
        let dropped = match self.sums.dropped.total() {
            0 => String::new(),
            dropped => format!(", {} dropped", count(dropped)),
        };
        let empty = match self.sums.left_empty {
            0 => String::new(),
            empty => format!(", {} left empty", count(empty)),
        };
        format!("{documents}{repeats}{dropped}{empty}, {size}, {}", self.ended_in_words(took, whole))
    }

    /// The end of each line about a run: the time, and what wasn't read.
    fn ended_in_words(&self, took: Duration, whole: bool) -> String {
        let mut line = format!("{:.1} s", took.as_secs_f64());
        if whole || self.left_out != LeftOutCounts::default() || self.failed > 0 {
            line += &format!("; left out: {}; failed: {}", self.left_out.in_words(), count(self.failed));
        }
        if self.broken_records > 0 {
            line += &format!(" ({})", counted(self.broken_records, "broken record"));
        }
        line
    }
}
