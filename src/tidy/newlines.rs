//! Ends of lines.

use super::edits::Edits;
use super::look::chars;

/// Finds what ends lines and is no line feed: carriage returns, with a line feed or alone, vertical tabs and form feeds, the next line of
/// ISO 6429, the separators of Unicode (UAX #14, class BK). A form feed beside another end of a line goes.
pub(super) fn find(text: &str, edits: &mut Edits) {
    let bytes = text.as_bytes();
    let is_end = |byte: Option<&u8>| matches!(byte, None | Some(b'\n' | b'\r' | 0x0c));
    for (at, char) in chars(text, |byte| matches!(byte, b'\r' | 0x0b | 0x0c | 0xc2 | 0xe2)) {
        let end = at + char.len_utf8();
        let (before, behind) = (at.checked_sub(1).map(|before| &bytes[before]), bytes.get(end));
        match char {
            '\r' if behind == Some(&b'\n') => edits.remove(at..end),
            '\x0c' if is_end(before) || is_end(behind) => edits.remove(at..end),
            '\r' | '\x0b' | '\x0c' | '\u{85}' | '\u{2028}' => edits.put(at..end, "\n"),
            '\u{2029}' => edits.put(at..end, "\n\n"),
            _ => {}
        }
    }
}
