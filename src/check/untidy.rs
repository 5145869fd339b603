//! What of texts isn't as it would be repaired.

use super::Rule;
use super::hit::Hit;
use crate::document::Span;
use crate::report::{Fingerprint, Lines, Passage, counted};
use crate::runner::{Planned, Portion};
use crate::tidy::Repair;

/// What would be repaired in a portion: for each document and each repair, where first.
pub(super) fn untidy(portion: &Portion, has_lines: bool) -> Vec<Hit> {
    let of_document = |document: &Planned| {
        let hits = document.repairs.made().filter_map(|(repair, count)| {
            let first = document.first_repairs[repair as usize]?;
            Some(hit(portion, document, (repair.name(), first), repaired_in_words(document, repair, count), has_lines))
        });
        let undecoded = || {
            let message = "isn't UTF-8, and nothing tells what it is in".to_owned();
            hit(portion, document, ("undecoded", document.text), message, has_lines)
        };
        let left = || {
            let message = format!("{} can't be written here", counted(document.repairs.left, "repair"));
            hit(portion, document, ("left", document.text), message, has_lines)
        };
        let hits = hits.chain((document.repairs.undecoded > 0).then(undecoded));
        hits.chain((document.repairs.left > 0).then(left)).collect::<Vec<_>>()
    };
    portion.documents.iter().flat_map(of_document).collect()
}

/// What a repair would do so often.
fn repaired_in_words(document: &Planned, repair: Repair, count: u64) -> String {
    match count {
        _ if let Some(encoded) = document.encoded.filter(|_| repair == Repair::Encoding) => {
            format!("encoding would decode this from {}", encoded.name())
        }
        1 => format!("{} would repair this", repair.name()),
        _ => format!("{} would repair {}, of which this is the first", repair.name(), counted(count, "place")),
    }
}

/// A finding of this kind in a file is known by that.
fn hit(portion: &Portion, document: &Planned, (kind, first): (&str, Span), message: String, has_lines: bool) -> Hit {
    let form = portion.input.form;
    let line = |at: u64| match form.has_lines_of_file() {
        true => portion.line(at),
        false => 1 + form.line_ends(&portion.bytes[document.text.start as usize..at as usize]) as u64,
    };
    let last = first.end.saturating_sub(1).max(first.start);
    let at = Passage {
        path: portion.input.path().into(),
        record: document.line,
        id: portion.id(document),
        lines: vec![Lines { first: line(first.start), last: line(last) }],
        has_lines_of_file: form.has_lines_of_file(),
    };
    let known_by = [b"untidy ", kind.as_bytes(), b" ", portion.input.name.as_os_str().as_encoded_bytes()].concat();
    let about = (portion.in_file(first), Fingerprint::of(&known_by));
    Hit { has_lines, ..Hit::told(Rule::Untidy, message, at, about, None) }
}
