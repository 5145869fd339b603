//! What a check found at one place, as all reports have it.

use super::{Level, Rule};
use crate::Unit;
use crate::document::Span;
use crate::error::visible;
use crate::report::{Evidence, Finding, Fingerprint, Lines, Passage, Repeat, counted, noun};
use std::path::Path;
use std::sync::Arc;

/// A finding of a rule.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Hit {
    /// The rule.
    pub rule: Rule,
    /// How much it matters.
    pub level: Level,
    /// What it is, in a sentence that makes sense beside its place.
    pub message: String,
    /// Where it stands.
    #[serde(flatten)]
    pub at: Passage,
    /// Its bytes in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Span>,
    /// Where the text stands that it repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Passage>,
    /// What tells its text from others.
    pub fingerprint: Fingerprint,
    /// Which it is of those of its rule and its text in its file, from 1 on.
    pub occurrence: u64,
    /// How many paragraphs it holds.
    pub paragraphs: u64,
    /// Its length in display columns.
    pub columns: u64,
    /// How it begins, at most 72 characters.
    pub begins: String,
    /// Whether the lines, or the number of the record, are those of the file: it isn't packed, and is text or JSON Lines.
    #[serde(skip)]
    pub has_lines: bool,
    /// What is kept of its text.
    #[serde(skip)]
    pub evidence: Option<Arc<Evidence>>,
}

impl Hit {
    /// A block that repeats.
    pub(super) fn of(finding: &Finding, repeat: Repeat, (rule, level): (Rule, Level), unit: Unit, has_lines: bool) -> Self {
        let at = finding.passage(&[repeat.lines]);
        let repeats = finding.repeated(&repeat);
        let size = counted(repeat.paragraphs, noun(unit));
        let of_same = if finding.has_lines_of_file { " of the same item" } else { " of the same record" };
        let of_record = if finding.record.is_some() && repeat.repeats_document.is_none() { of_same } else { "" };
        let message = match rule {
            Rule::RepeatedDocument => format!("all of it repeats {}", repeat.repeated_in_words()),
            _ => {
                let verb = if repeat.is_one() { "repeats" } else { "repeat" };
                let size = repeat.paragraph_numbers.map_or_else(|| format!(" ({size})"), |_| String::new());
                format!("{} {verb} {}{of_record}{size}", repeat.in_words(), repeat.repeated_in_words())
            }
        };
        let evidence = repeat.evidence.expect("what is checked keeps evidence");
        Self {
            rule,
            level,
            message,
            at,
            bytes: Some(repeat.bytes),
            repeats: Some(repeats),
            fingerprint: evidence.fingerprint,
            occurrence: 1,
            paragraphs: repeat.paragraphs,
            columns: repeat.columns,
            begins: repeat.begins,
            has_lines,
            evidence: Some(evidence),
        }
    }

    /// What is wrong and where, without how it reads; its level is given to it later.
    pub(super) fn told(
        rule: Rule,
        message: String,
        at: Passage,
        (bytes, fingerprint): (Span, Fingerprint),
        repeats: Option<Passage>,
    ) -> Self {
        Self {
            rule,
            level: Level::Off,
            message,
            at,
            bytes: Some(bytes),
            repeats,
            fingerprint,
            occurrence: 1,
            paragraphs: 0,
            columns: 0,
            begins: String::new(),
            has_lines: true,
            evidence: None,
        }
    }

    /// Something that was to be ignored and isn't there, at a line of a file.
    pub(super) fn unused(path: &Path, line: u64, level: Level, why: &str) -> Self {
        let lines = vec![Lines { first: line, last: line }];
        let at = Passage { path: path.into(), record: None, id: None, lines, has_lines_of_file: true };
        let about = (Span::default(), Fingerprint::of(why.as_bytes()));
        Self { level, bytes: None, ..Self::told(Rule::UnusedIgnore, why.into(), at, about, None) }
    }

    /// The lines of its file that it takes; the first where the file has none that one could look up.
    pub(super) fn lines_of_file(&self) -> Lines {
        match (self.at.record, self.at.lines.as_slice()) {
            (Some(record), _) if self.has_lines && !self.at.has_lines_of_file => Lines { first: record, last: record },
            (_, [first, ..]) if self.has_lines => *first,
            _ => Lines { first: 1, last: 1 },
        }
    }

    /// Its sentence, and how its text begins, without anything that would disturb a terminal.
    pub(super) fn in_words(&self) -> String {
        let noun = if self.at.has_lines_of_file { "item" } else { "record" };
        let record = match (&self.at.record, &self.at.id) {
            (None, _) => String::new(),
            (Some(record), None) => format!("{noun} {record}: "),
            (Some(record), Some(id)) => format!("{noun} {record} ({}): ", visible(id)),
        };
        if self.begins.is_empty() {
            format!("{record}{}", self.message)
        } else {
            format!("{record}{}: {}", self.message, visible(&self.begins))
        }
    }
}
