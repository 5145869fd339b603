//! Texts in which bodies repeat, and what a check says of them.
#![allow(dead_code, reason = "each test takes the part it needs")]

use super::desk::{Desk, Ran};
use serde_json::Value;

/// A paragraph of about 270 columns, another one for each number.
pub(crate) fn paragraph(number: usize) -> String {
    format!(
        "Paragraph {number} tells of the harbour as it was in the year {number}, when the boats came in late, the nets of \
         crew {number} were full, and nobody on the quay could say for certain what the fish would bring at the market of \
         that week, or the next, or who was to carry box {number} up the long stairs."
    )
}

/// So many paragraphs from a number on, with blank lines between them.
pub(crate) fn paragraphs(from: usize, count: usize) -> String {
    (from..from + count).map(|number| paragraph(number) + "\n\n").collect()
}

/// A text whose three first paragraphs stand twice.
pub(crate) fn doubled(from: usize) -> String {
    format!("{}Something else.\n\n{}", paragraphs(from, 3), paragraphs(from, 3))
}

/// A text of which one paragraph, a small part of it, stands twice.
pub(crate) fn with_a_repeat(from: usize) -> String {
    let long = (from..from + 3).map(paragraph).collect::<Vec<_>>().join(" ");
    format!("{long}\n\n{}{long}\n", paragraphs(from + 10, 30))
}

pub(crate) fn desk() -> Desk {
    Desk::in_memory()
}

/// The findings as JSON.
pub(crate) fn found(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}\n{}", ran.stdout))
}

/// Rule and place of each finding.
pub(crate) fn places(ran: &Ran) -> Vec<String> {
    let place = |hit: &Value| {
        let (record, line) = (&hit["record"], &hit["lines"][0]["first"]);
        let place = if record.is_null() { line } else { record };
        format!("{} {}:{place}", hit["rule"].as_str().unwrap(), hit["path"].as_str().unwrap())
    };
    found(ran)["findings"].as_array().unwrap().iter().map(place).collect()
}

pub(crate) fn check(desk: &Desk, args: &[&str]) -> Ran {
    desk.run(&[&["check", "--format", "json"], args].concat())
}
