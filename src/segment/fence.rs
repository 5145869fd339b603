//! Closed fenced code blocks (CommonMark, section 4.5): each is one paragraph, blank lines and all.

use crate::document::Span;
use rayon::prelude::*;
use std::ops::Range;

/// A larger text is searched by several threads, so much at a time.
const PIECE: usize = 1 << 20;

/// A line that opens or closes a fence.
#[derive(Clone, Copy)]
struct Mark {
    line: Span,
    byte: u8,
    run: usize,
    /// Nothing follows the marks, so it can close.
    bare: bool,
}

/// The closed fenced blocks of `text` from byte `from` on, in order: from the opening line's first byte to the closing line's
/// last, without its line end. A fence that is never closed is no fence.
pub(crate) fn closed_fences(text: &[u8], from: usize) -> Vec<Span> {
    let marks = |range: Range<usize>| {
        let start = range.start;
        memchr::memchr2_iter(b'`', b'~', &text[range]).filter_map(move |at| mark_at(text, start + at))
    };
    if text.len() - from <= PIECE {
        return pair(&marks(from..text.len()).collect::<Vec<_>>());
    }
    let pieces = (0..(text.len() - from).div_ceil(PIECE)).into_par_iter().map(|piece| from + piece * PIECE);
    let found: Vec<Mark> = pieces.flat_map_iter(|start| marks(start..(start + PIECE).min(text.len()))).collect();
    pair(&found)
}

/// Whether the line that begins at `at` may open or close a fence.
#[inline]
pub(super) fn is_mark(text: &[u8], at: usize) -> bool {
    match text[at] {
        b'`' | b'~' => mark_at(text, at).is_some(),
        b' ' => {
            let indent = text[at..].iter().take(4).take_while(|&&byte| byte == b' ').count();
            matches!(text.get(at + indent), Some(b'`' | b'~')) && mark_at(text, at + indent).is_some()
        }
        _ => false,
    }
}

fn pair(marks: &[Mark]) -> Vec<Span> {
    let longest = longest_closing_runs(marks);
    let mut fences = Vec::new();
    let mut next = 0;
    while let Some(open) = marks.get(next) {
        next += 1;
        if longest[next][kind(open)] < open.run {
            continue; // nothing further down closes it
        }
        let closes = |mark: &Mark| mark.bare && mark.byte == open.byte && mark.run >= open.run;
        let close = next + marks[next..].iter().position(closes).expect("the longest run that can close is no shorter");
        fences.push(Span { start: open.line.start, end: marks[close].line.end });
        next = close + 1;
    }
    fences
}

/// For each mark, and for the end, the longest run of either byte that can close, from there on.
fn longest_closing_runs(marks: &[Mark]) -> Vec<[usize; 2]> {
    let mut longest = vec![[0; 2]; marks.len() + 1];
    for (at, mark) in marks.iter().enumerate().rev() {
        longest[at] = longest[at + 1];
        let run = &mut longest[at][kind(mark)];
        *run = (*run).max(if mark.bare { mark.run } else { 0 });
    }
    longest
}

fn kind(mark: &Mark) -> usize {
    usize::from(mark.byte == b'~')
}

/// The mark that begins at `at`, if it begins a line (indented by at most three spaces) and has at least three bytes.
fn mark_at(text: &[u8], at: usize) -> Option<Mark> {
    let byte = text[at];
    let indent = text[..at].iter().rev().take(4).take_while(|&&b| b == b' ').count();
    let start = at - indent;
    let begins_line = start == 0 || text[start - 1] == b'\n';
    if indent > 3 || !begins_line || !text[at..].starts_with(&[byte; 3]) {
        return None;
    }
    let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |lf| at + lf);
    let line = text[at..end].strip_suffix(b"\r").unwrap_or(&text[at..end]);
    let run = line.iter().take_while(|&&b| b == byte).count();
    let info = line[run..].trim_ascii();
    (byte == b'~' || !info.contains(&b'`')).then_some(Mark {
        line: Span::new(start, at + line.len()),
        byte,
        run,
        bare: info.is_empty(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        closed_fences(text.as_bytes(), 0).into_iter().map(|span| &text[span.range()]).collect()
    }

    #[test]
    fn a_fence_is_closed_by_its_own_mark_at_least_as_long() {
        assert_eq!(found("a\n```rust\nx\n\ny\n```\nb\n"), ["```rust\nx\n\ny\n```"]);
        assert_eq!(found("````\n```\nx\n````\n"), ["````\n```\nx\n````"]);
        assert_eq!(found("~~~\n```\n~~~\r\nz"), ["~~~\n```\n~~~"]);
    }

    #[test]
    fn an_unclosed_fence_is_none_and_hides_nothing() {
        assert_eq!(found("```rust\nx\n"), Vec::<&str>::new());
        assert_eq!(found("````\nx\n```\ny\n```\n"), ["```\ny\n```"]);
        assert_eq!(found("say ```x``` here\n    ```\nx\n    ```\n"), Vec::<&str>::new());
    }

    #[test]
    fn many_unclosed_fences_take_linear_time() {
        let text = "```rust\nx\n".repeat(200_000);
        assert!(found(&text).is_empty());
        let falling: String = (3..3000).rev().map(|run| "`".repeat(run) + "x\n").collect();
        assert!(found(&(falling + &"~~~x\n".repeat(500_000))).is_empty());
    }
}
