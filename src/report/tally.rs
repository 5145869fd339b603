//! The sums of a run, as the summary says them and as `--stats` writes them.

use super::words::{bytes, change, count, counted};
use super::{Finding, Lines};
use crate::source::LeftOut;

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
    /// The time it took.
    pub seconds: f64,
}

/// What was not read, by reason.
#[derive(Clone, Debug, Default, serde::Serialize)]
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
        }
    }

    fn in_words(&self) -> String {
        let Self { binary, hidden, links, excluded, unknown_form, special } = *self;
        let reasons = [
            (binary, "binary"),
            (hidden, "hidden"),
            (links, "links"),
            (excluded, "excluded"),
            (unknown_form, "of unknown form"),
            (special, "special"),
        ];
        let words: Vec<String> =
            reasons.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", count(*n))).collect();
        if words.is_empty() { "nothing".into() } else { words.join(", ") }
    }
}

impl Tally {
    /// Adds a document.
    pub fn add(&mut self, finding: &Finding) {
        self.documents += 1;
        self.documents_with_repeats += u64::from(!finding.repeats.is_empty());
        self.paragraphs += finding.paragraphs;
        self.repeated_paragraphs += finding.repeated_paragraphs();
        self.blocks += finding.repeats.len() as u64;
        self.bytes_before += finding.bytes;
        self.bytes_after += finding.clean_bytes;
    }

    /// Adds something that is not read.
    pub fn leave_out(&mut self, why: LeftOut) {
        *self.left_out.slot(why) += 1;
    }

    /// Whether nothing was read and nothing failed.
    pub fn is_empty(&self) -> bool {
        self.documents + self.failed == 0
    }

    /// The line about many documents.
    pub fn in_words(&self) -> String {
        let mut line = format!("{}, {} with repeats", counted(self.documents, "document"), count(self.documents_with_repeats));
        if self.blocks > 0 {
            line += &format!(
                " ({}, {} of {})",
                counted(self.blocks, "block"),
                count(self.repeated_paragraphs),
                counted(self.paragraphs, "paragraph")
            );
        }
        let size = bytes(self.bytes_before, self.bytes_after);
        let change = change(self.bytes_before, self.bytes_after);
        let left_out = self.left_out.in_words();
        line + &format!(", {size} ({change}), {:.1} s; left out: {left_out}; failed: {}", self.seconds, count(self.failed))
    }
}

impl Finding {
    /// The lines about one document: what goes, block by block, and the sums. `shown` bounds the blocks that are named.
    pub fn in_words(&self, shown: usize) -> Vec<String> {
        let path = super::visible(&self.path);
        if self.repeats.is_empty() {
            let size = bytes(self.bytes, self.bytes);
            return vec![format!("{path}: nothing repeats ({}, {size}); nothing changed", counted(self.paragraphs, "paragraph"))];
        }
        let mut by_place: Vec<_> = self.repeats.iter().take(shown).collect();
        by_place.sort_by_key(|repeat| repeat.bytes.start);
        let mut lines: Vec<String> = by_place
            .into_iter()
            .map(|repeat| {
                let what = counted(repeat.paragraphs, "paragraph");
                let verb = if repeat.lines.first == repeat.lines.last { "repeats" } else { "repeat" };
                format!("{path}: removed {what}: {} {verb} {} (compared byte for byte)", repeat.lines, repeat.repeated_lines())
            })
            .collect();
        if self.repeats.len() > shown {
            let rest = counted((self.repeats.len() - shown) as u64, "shorter block");
            lines.push(format!("{path}: removed {rest} more; all of them: unecho scan {path}"));
        }
        lines.push(format!(
            "{} → {}, {} ({}); nothing else changed",
            count(self.paragraphs),
            counted(self.paragraphs - self.repeated_paragraphs(), "paragraph"),
            bytes(self.bytes, self.clean_bytes),
            change(self.bytes, self.clean_bytes)
        ));
        lines
    }
}

impl Lines {
    /// As editors and terminals take it: "15-27", "15".
    pub fn in_numbers(&self) -> String {
        if self.first == self.last { self.first.to_string() } else { format!("{}-{}", self.first, self.last) }
    }
}
