//! White space within lines and at their ends.

use super::edits::Edits;
use super::look::chars;
use memchr::memchr_iter;

/// Finds what is blank at the ends of lines, and spaces that aren't plain ones. Indentation stays, and the spaces that scripts have of their
/// own: the ideographic one, that of Ogham, that of Mongolian.
pub(super) fn find(text: &str, edits: &mut Edits) {
    let mut start = 0;
    for end in memchr_iter(b'\n', text.as_bytes()).chain([text.len()]) {
        let line = &text[start..end];
        let content = line.strip_suffix('\r').filter(|_| end < text.len()).unwrap_or(line);
        let kept = content.trim_end_matches(is_blank);
        if !kept.is_ascii() {
            exotic(kept, start, edits);
        }
        if kept.len() < content.len() {
            edits.remove(start + kept.len()..start + content.len());
        }
        start = end + 1;
    }
}

/// Finds spaces that aren't plain in what begins at `start`.
fn exotic(line: &str, start: usize, edits: &mut Edits) {
    let is_mongolian = |char: char| matches!(char, '\u{1800}'..='\u{18af}');
    for (at, char) in chars(line, |byte| matches!(byte, 0xc2 | 0xe2)) {
        match char {
            '\u{202f}' if line[..at].chars().next_back().is_some_and(is_mongolian) => {}
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' => {
                edits.put(start + at..start + at + char.len_utf8(), " ");
            }
            _ => {}
        }
    }
}

/// Whether it is white space that ends no line.
pub(super) fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}
