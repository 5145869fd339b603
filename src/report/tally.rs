//! The sums of a run, as the summary says them and as `--stats` writes them.

use super::words::{bytes, change, count, counted, share};
use crate::Plan;
use crate::source::LeftOut;
use std::time::Duration;

/// What a run did.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Tally {
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
    /// The bytes of all documents.
    pub bytes_before: u64,
    /// The bytes of their clean copies.
    pub bytes_after: u64,
    /// What was not read, on purpose.
    pub left_out: LeftOutCounts,
    /// What could not be read or written.
    pub failed: u64,
}

/// What one document adds to the sums.
#[derive(Clone, Copy, Debug)]
pub struct Sums {
    /// Its paragraphs.
    pub paragraphs: u64,
    /// Those that repeat.
    pub repeated_paragraphs: u64,
    /// The blocks they form.
    pub blocks: u64,
    /// Its bytes.
    pub bytes_before: u64,
    /// The bytes of its clean copy.
    pub bytes_after: u64,
}

impl Sums {
    /// The sums of a document of `size` bytes.
    pub fn of(plan: &Plan, size: usize) -> Self {
        Self {
            paragraphs: plan.paragraphs as u64,
            repeated_paragraphs: plan.removed_paragraphs() as u64,
            blocks: plan.blocks.len() as u64,
            bytes_before: size as u64,
            bytes_after: size as u64 - plan.removed_bytes(),
        }
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

    fn in_words(&self) -> String {
        let Self { binary, hidden, links, excluded, unknown_form, special, already_read, output } = *self;
        let reasons = [
            (binary, "binary"),
            (hidden, "hidden"),
            (links, if links == 1 { "link" } else { "links" }),
            (excluded, "excluded"),
            (unknown_form, "of unknown form"),
            (special, "special"),
            (already_read, "already read"),
            (output, "the output"),
        ];
        let words: Vec<String> =
            reasons.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", count(*n))).collect();
        if words.is_empty() { "nothing".into() } else { words.join(", ") }
    }
}

impl Tally {
    /// Adds a document.
    pub fn add(&mut self, document: &Sums) {
        self.documents += 1;
        self.documents_with_repeats += u64::from(document.blocks > 0);
        self.paragraphs += document.paragraphs;
        self.repeated_paragraphs += document.repeated_paragraphs;
        self.blocks += document.blocks;
        self.bytes_before += document.bytes_before;
        self.bytes_after += document.bytes_after;
    }

    /// Adds something that is not read.
    pub fn leave_out(&mut self, why: LeftOut) {
        *self.left_out.slot(why) += 1;
    }

    /// Whether nothing was read and nothing failed.
    pub fn is_empty(&self) -> bool {
        self.documents + self.failed == 0
    }

    /// The line about clean copies. `whole` says what was left out and failed even where nothing was.
    pub fn cleaned_in_words(&self, took: Duration, whole: bool) -> String {
        let size = bytes(self.bytes_before, self.bytes_after);
        let change = change(self.bytes_before, self.bytes_after);
        self.in_words(&format!("{size} ({change})"), took, whole)
    }

    /// The line about a scan, after which all is as it was.
    pub fn scanned_in_words(&self, took: Duration, whole: bool) -> String {
        let mut size = bytes(self.bytes_before, self.bytes_before);
        if self.blocks > 0 {
            let repeated = share(self.bytes_before - self.bytes_after, self.bytes_before);
            size += &format!(" of which {repeated} repeat");
        }
        self.in_words(&size, took, whole)
    }

    fn in_words(&self, size: &str, took: Duration, whole: bool) -> String {
        let documents = counted(self.documents, "document");
        let repeats = count(self.documents_with_repeats);
        let mut line = format!("{documents}, {repeats} with repeats, {size}, {:.1} s", took.as_secs_f64());
        if whole || self.left_out != LeftOutCounts::default() || self.failed > 0 {
            line += &format!("; left out: {}; failed: {}", self.left_out.in_words(), count(self.failed));
        }
        line
    }
}
