//! `unecho:ignore-start` and `unecho:ignore-end`: between them text may repeat.

use crate::document::Span;
use crate::runner::Portion;
use crate::segment::closed_fences;
use crate::source::Form;
use memchr::{memchr, memmem, memrchr};
use std::ops::Range;

const MARK: &[u8] = b"unecho:ignore";

/// A mark in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Its line, in bytes of the file.
    line: Span,
    /// The number of that, from 1 on.
    number: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Start,
    End,
    /// It begins like one and is neither.
    Unknown,
}

/// What stands between two marks, their lines included.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Region {
    span: Span,
    /// The number of its first line.
    pub(super) line: u64,
    pub(super) is_used: bool,
    /// What is wrong with its marks.
    pub(super) fault: Option<&'static str>,
}

/// The marks of a portion, if it is text; records have none, since nobody writes comments into them.
pub(super) fn marks(portion: &Portion) -> Vec<Mark> {
    if portion.input.form != Form::Text {
        return Vec::new();
    }
    let extent = portion.extent.range();
    let mut marks = found(&portion.bytes, extent);
    marks.iter_mut().for_each(|mark| mark.number = portion.line(mark.line.start));
    marks
}

/// The marks in a part of a text. In a closed code block a mark is an example of one.
fn found(text: &[u8], part: Range<usize>) -> Vec<Mark> {
    let found = memmem::find_iter(&text[part.clone()], MARK).map(|at| at + part.start);
    let mut marks: Vec<Mark> = found.filter_map(|at| mark(text, at)).collect();
    if !marks.is_empty() {
        let fences = closed_fences(text, 0);
        marks.retain(|mark| !fences.iter().any(|fence| fence.start <= mark.line.start && mark.line.end <= fence.end));
    }
    marks
}

/// The mark at a byte of a text, if it is one.
fn mark(text: &[u8], at: usize) -> Option<Mark> {
    let start = memrchr(b'\n', &text[..at]).map_or(0, |lf| lf + 1);
    let end = memchr(b'\n', &text[at..]).map_or(text.len(), |lf| at + lf);
    let rest = &text[at + MARK.len()..end];
    let is_word = |behind: &[u8]| match behind {
        [] => true,
        [b'-', next, ..] => !next.is_ascii_alphanumeric(),
        [next, ..] => !next.is_ascii_alphanumeric() && *next != b'_',
    };
    let is = |word: &[u8]| rest.strip_prefix(word).is_some_and(is_word);
    let kind = if is(b"-start") {
        Kind::Start
    } else if is(b"-end") {
        Kind::End
    } else {
        Kind::Unknown
    };
    opens_comment(&text[start..at]).then(|| Mark { line: Span::new(start, end), number: 0, kind })
}

/// Whether what stands before a mark on its line can be the beginning of a comment, in whatever syntax: signs, not words, and no
/// quotation mark, within which the mark is only talked of.
fn opens_comment(before: &[u8]) -> bool {
    let before = before.trim_ascii();
    let before = [&b"\"\"\""[..], b"'''"].iter().find_map(|quotes| before.strip_suffix(*quotes)).unwrap_or(before);
    let is_sign = |byte: &u8| byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'`' | b'"' | b'\'');
    before.iter().all(is_sign) || [&b"[comment]: <> ("[..], b"[comment]: # (", b"{% comment %}", b"REM"].contains(&before)
}

/// What stands between the marks of a text, which are in order.
pub(super) fn regions(marks: &[Mark]) -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    let mut open: Option<Mark> = None;
    let region = |from: &Mark, end: u64, fault| Region {
        span: Span { start: from.line.start, end },
        line: from.number,
        is_used: false,
        fault,
    };
    let none_before = "this unecho:ignore-end has no unecho:ignore-start before it";
    let within = "this unecho:ignore-start stands within another";
    let unknown = "this is neither unecho:ignore-start nor unecho:ignore-end";
    for mark in marks {
        let faulty = |why| Some(region(mark, mark.line.start, Some(why)));
        regions.extend(match (mark.kind, open) {
            (Kind::Start, None) => {
                open = Some(*mark);
                None
            }
            (Kind::End, Some(start)) => {
                open = None;
                Some(region(&start, mark.line.end, None))
            }
            (Kind::End, None) => faulty(none_before),
            (Kind::Start, Some(_)) => faulty(within),
            (Kind::Unknown, _) => faulty(unknown),
        });
    }
    let no_end = "this unecho:ignore-start has no unecho:ignore-end behind it, so it ignores nothing";
    regions.extend(open.map(|start| region(&start, start.line.start, Some(no_end))));
    regions
}

impl Region {
    /// Whether all of a block stands in it.
    pub(super) fn holds(&self, block: Span) -> bool {
        self.span.start <= block.start && block.end <= self.span.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<Region> {
        let text = text.as_bytes();
        let marks = super::found(text, 0..text.len()).into_iter();
        let number = |mark: &Mark| 1 + text[..mark.line.start as usize].iter().filter(|&&byte| byte == b'\n').count() as u64;
        regions(&marks.map(|mark| Mark { number: number(&mark), ..mark }).collect::<Vec<_>>())
    }

    #[test]
    fn a_mark_stands_in_any_comment() {
        for line in [
            "<!-- unecho:ignore-start -->",
            "<!-- unecho:ignore-start the licence, which is asked for -->",
            "# unecho:ignore-start",
            "  // unecho:ignore-start",
            ".. unecho:ignore-start",
            "% unecho:ignore-start",
            "/* unecho:ignore-start */",
            "{# unecho:ignore-start #}",
            "[//]: # (unecho:ignore-start)",
            "[comment]: <> (unecho:ignore-start)",
            "<!--unecho:ignore-start-->",
            "\"\"\"unecho:ignore-start\"\"\"",
            "unecho:ignore-start",
        ] {
            let end = line.replace("start", "end");
            let found = found(&format!("A.\n{line}\nB.\n{end}\n"));
            assert!(found.len() == 1 && found[0].fault.is_none(), "{line}: {found:?}");
        }
    }

    #[test]
    fn what_talks_of_a_mark_is_none() {
        assert_eq!(found("A.\n\n```md\n<!-- unecho:ignore-start -->\n```\n"), []);
        for line in ["Write unecho:ignore-start there.", "`unecho:ignore-start`", "'unecho:ignore-end'", "é unecho:ignore-end"] {
            assert_eq!(found(line), [], "{line}");
        }
    }

    #[test]
    fn a_region_has_both_its_marks() {
        let text = "A.\n# unecho:ignore-start\nB.\n# unecho:ignore-end\nC.\n";
        let [region] = &*found(text) else { panic!() };
        assert_eq!((region.line, region.fault), (2, None));
        assert_eq!(region.span.of(text.as_bytes()), b"# unecho:ignore-start\nB.\n# unecho:ignore-end");
        assert!(region.holds(Span { start: 3, end: 30 }) && !region.holds(Span { start: 0, end: 30 }));
    }

    #[test]
    fn marks_without_partners_are_named() {
        let faults = |text: &str| found(text).iter().map(|region| (region.line, region.fault.is_some())).collect::<Vec<_>>();
        assert_eq!(faults("# unecho:ignore-end\n# unecho:ignore-start\n"), [(1, true), (2, true)]);
        assert_eq!(faults("# unecho:ignore-start\n# unecho:ignore-start\n# unecho:ignore-end\n"), [(2, true), (1, false)]);
        assert_eq!(
            faults("# unecho:ignore-starting\n# unecho:ignore-begin\n# unecho:ignore\n"),
            [(1, true), (2, true), (3, true)]
        );
        assert!(!found("# unecho:ignore-start\nA.\n")[0].holds(Span { start: 22, end: 24 }), "half a pair ignores nothing");
    }
}
