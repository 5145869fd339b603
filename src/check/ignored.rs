//! `unecho:ignore-start` and `unecho:ignore-end`: between them text may repeat.

use crate::document::{BYTE_ORDER_MARK, Span};
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
struct Region {
    span: Span,
    /// The number of its first line.
    line: u64,
    is_used: bool,
}

/// What of a text is ignored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Regions {
    /// In order, none within another.
    list: Vec<Region>,
    /// The lines of marks that have no partner, and what is wrong with each.
    faults: Vec<(u64, &'static str)>,
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
        let fence = |mark: &Mark| fences.get(fences.partition_point(|fence| fence.end < mark.line.end));
        marks.retain(|mark| fence(mark).is_none_or(|fence| mark.line.start < fence.start));
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

/// Whether what stands before a mark on its line can be the beginning of a comment, in whatever syntax: signs, or one of the words
/// that open one; and no quotation mark, within which the mark is only talked of.
fn opens_comment(before: &[u8]) -> bool {
    const WORDS: [&[u8]; 13] = [
        b"[comment]: <> (",
        b"[comment]: # (",
        b"[//]: # \"",
        b".. comment",
        b"{% comment %}",
        b"{%- comment -%}",
        b"rem",
        b"dnl",
        b"@c",
        b"@comment",
        b".\\\"",
        b"'",
        b"\"",
    ];
    let before = before.strip_prefix(BYTE_ORDER_MARK).unwrap_or(before).trim_ascii();
    let is_sign = |byte: &u8| byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'`' | b'"' | b'\'');
    before.iter().all(is_sign)
        || [b"\"\"\"", b"'''"].iter().any(|quotes| before == *quotes)
        || WORDS.iter().any(|word| before.eq_ignore_ascii_case(word))
}

impl Regions {
    /// What stands between the marks of a text, which are in order.
    pub(super) fn between(marks: &[Mark]) -> Self {
        let mut regions = Self::default();
        let mut open: Option<Mark> = None;
        for mark in marks {
            let fault = match (mark.kind, open) {
                (Kind::Start, None) => {
                    open = Some(*mark);
                    continue;
                }
                (Kind::End, Some(start)) => {
                    let span = Span { start: start.line.start, end: mark.line.end };
                    regions.list.push(Region { span, line: start.number, is_used: false });
                    open = None;
                    continue;
                }
                (Kind::End, None) => "this unecho:ignore-end has no unecho:ignore-start before it",
                (Kind::Start, Some(_)) => "this unecho:ignore-start stands within another",
                (Kind::Unknown, _) => "this is neither unecho:ignore-start nor unecho:ignore-end",
            };
            regions.faults.push((mark.number, fault));
        }
        let no_end = "this unecho:ignore-start has no unecho:ignore-end behind it, so it ignores nothing";
        regions.faults.extend(open.map(|start| (start.number, no_end)));
        regions
    }

    /// Whether all of a block stands in one of them, which has its use then.
    pub(super) fn ignore(&mut self, block: Span) -> bool {
        let at = self.list.partition_point(|region| region.span.end < block.end);
        let Some(region) = self.list.get_mut(at).filter(|region| region.span.start <= block.start) else { return false };
        region.is_used = true;
        true
    }

    /// The lines of marks that do nothing, in order, and why.
    pub(super) fn useless(self) -> Vec<(u64, &'static str)> {
        let nothing = "nothing between this mark and its unecho:ignore-end repeats";
        let unused = self.list.into_iter().filter(|region| !region.is_used).map(|region| (region.line, nothing));
        let mut all: Vec<_> = self.faults.into_iter().chain(unused).collect();
        all.sort_unstable();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Regions {
        let text = text.as_bytes();
        let number = |mark: &Mark| 1 + text[..mark.line.start as usize].iter().filter(|&&byte| byte == b'\n').count() as u64;
        let marks = super::found(text, 0..text.len()).into_iter();
        Regions::between(&marks.map(|mark| Mark { number: number(&mark), ..mark }).collect::<Vec<_>>())
    }

    #[test]
    fn a_mark_stands_in_any_comment() {
        for line in [
            "<!-- unecho:ignore-start -->",
            "<!-- unecho:ignore-start the licence, which is asked for -->",
            "<!--unecho:ignore-start-->",
            "# unecho:ignore-start",
            "  // unecho:ignore-start",
            ".. unecho:ignore-start",
            ".. comment unecho:ignore-start",
            "% unecho:ignore-start",
            "/* unecho:ignore-start */",
            "{# unecho:ignore-start #}",
            "{%- comment -%} unecho:ignore-start {%- endcomment -%}",
            "[//]: # (unecho:ignore-start)",
            "[//]: # \"unecho:ignore-start\"",
            "[comment]: <> (unecho:ignore-start)",
            ".\\\" unecho:ignore-start",
            "' unecho:ignore-start",
            "@c unecho:ignore-start",
            "REM unecho:ignore-start",
            "\"\"\"unecho:ignore-start\"\"\"",
            "unecho:ignore-start",
        ] {
            let end = line.replace("start", "end");
            for before in ["A.\n", "\u{feff}"] {
                let found = found(&format!("{before}{line}\nB.\n{end}\n"));
                assert!(found.list.len() == 1 && found.faults.is_empty(), "{line}: {found:?}");
            }
        }
    }

    #[test]
    fn what_talks_of_a_mark_is_none() {
        for text in [
            "Write unecho:ignore-start there.",
            "`unecho:ignore-start`",
            "Say 'unecho:ignore-end'",
            "é unecho:ignore-end",
            "A.\n\n```md\n<!-- unecho:ignore-start -->\n```\n",
        ] {
            assert_eq!(found(text), Regions::default(), "{text}");
        }
    }

    #[test]
    fn a_region_has_both_its_marks() {
        let text = "A.\n# unecho:ignore-start\nB.\n# unecho:ignore-end\nC.\n# unecho:ignore-start\n# unecho:ignore-end\n";
        let mut regions = found(text);
        assert_eq!(regions.list[0].span.of(text.as_bytes()), b"# unecho:ignore-start\nB.\n# unecho:ignore-end");
        assert!(!regions.ignore(Span { start: 0, end: 30 }) && !regions.ignore(Span { start: 25, end: 50 }));
        assert!(regions.ignore(Span { start: 3, end: 30 }));
        assert_eq!(regions.useless(), [(6, "nothing between this mark and its unecho:ignore-end repeats")]);
    }

    #[test]
    fn marks_without_partners_ignore_nothing_and_are_named() {
        let faults = |text: &str| found(text).useless().iter().map(|(line, _)| *line).collect::<Vec<_>>();
        assert_eq!(faults("# unecho:ignore-end\n# unecho:ignore-start\n"), [1, 2]);
        assert_eq!(faults("# unecho:ignore-start\n# unecho:ignore-start\n# unecho:ignore-end\n"), [1, 2]);
        assert_eq!(faults("# unecho:ignore-starting\n# unecho:ignore-begin\n# unecho:ignore\n"), [1, 2, 3]);
        assert!(!found("# unecho:ignore-start\nA.\n").ignore(Span { start: 22, end: 24 }));
    }
}
