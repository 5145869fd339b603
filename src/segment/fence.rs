//! Closed fenced code blocks (CommonMark, section 4.5): each is one paragraph, blank lines and all.

use crate::document::Span;

/// A line that opens or closes a fence.
#[derive(Clone, Copy)]
struct Mark {
    line: Span,
    byte: u8,
    run: usize,
    /// Nothing follows the marks, so it can close.
    bare: bool,
}

/// The closed fenced blocks of `text`, in order: from the opening line's first byte to the closing line's last, without its
/// line end. A fence that is never closed is no fence.
pub(super) fn closed_fences(text: &[u8]) -> Vec<Span> {
    let marks: Vec<Mark> = memchr::memchr2_iter(b'`', b'~', text).filter_map(|at| mark_at(text, at)).collect();
    pair(&marks)
}

fn pair(marks: &[Mark]) -> Vec<Span> {
    let mut fences = Vec::new();
    // The shortest run of each mark that nothing further down closes: what keeps unclosed fences from costing n² looks.
    let mut unclosed = [usize::MAX; 2];
    let mut next = 0;
    while let Some(open) = marks.get(next) {
        let known = &mut unclosed[usize::from(open.byte == b'~')];
        let closes = |mark: &Mark| mark.bare && mark.byte == open.byte && mark.run >= open.run;
        let close = if open.run >= *known { None } else { marks[next + 1..].iter().position(closes) };
        next += 1;
        match close {
            Some(ahead) => {
                fences.push(Span { start: open.line.start, end: marks[next + ahead].line.end });
                next += ahead + 1;
            }
            None => *known = open.run.min(*known),
        }
    }
    fences
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

/// Whether a paragraph is a closed fenced block. (No other paragraph of several lines starts with a fence's marks.)
pub fn is_fence(raw: &[u8]) -> bool {
    let start = raw.trim_ascii_start();
    (start.starts_with(b"```") || start.starts_with(b"~~~")) && memchr::memchr(b'\n', raw).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        closed_fences(text.as_bytes()).into_iter().map(|span| &text[span.range()]).collect()
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
    }
}
