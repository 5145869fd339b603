//! What of texts isn't as it would be repaired.

use super::Rule;
use super::hit::Hit;
use crate::report::{Fingerprint, Lines, Passage, counted};
use crate::runner::{Planned, Portion};
use crate::tidy::Repair;

/// What would be repaired in a portion: for each document and each repair, where first.
pub(super) fn untidy(portion: &Portion, has_lines: bool) -> Vec<Hit> {
    let of_document = |document: &Planned| {
        let hits = document.repairs.made().filter_map(|(repair, count)| hit(portion, document, repair, count, has_lines));
        hits.collect::<Vec<_>>()
    };
    portion.documents.iter().flat_map(of_document).collect()
}

fn hit(portion: &Portion, document: &Planned, repair: Repair, count: u64, has_lines: bool) -> Option<Hit> {
    let first = document.first_repairs[repair as usize]?;
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
    let message = match count {
        _ if let Some(encoded) = document.encoded.filter(|_| repair == Repair::Encoding) => {
            format!("encoding would decode this from {}", encoded.name())
        }
        1 => format!("{} would repair this", repair.name()),
        _ => format!("{} would repair {}, of which this is the first", repair.name(), counted(count, "place")),
    };
    let about = (portion.in_file(first), Fingerprint::of(format!("untidy {}", repair.name()).as_bytes()));
    Some(Hit { has_lines, ..Hit::told(Rule::Untidy, message, at, about, None) })
}
