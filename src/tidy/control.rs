//! Control characters, and what stands with them.

use super::edits::Edits;
use super::line_around;
use super::look::chars;

/// Finds control characters that end no line (a tab is none): with commands to terminals (ECMA-48, 5.4 and 5.6) all of those, with
/// overstrikes the character that is struck over. Byte order marks, but for that of a file, which is no part of its text, and bidirectional
/// overrides (UAX #9) with what ends them.
pub(super) fn find(text: &str, edits: &mut Edits) {
    let mut done = 0;
    // For each embedding and each override that is open in the line, whether it goes.
    let mut open: Vec<bool> = Vec::new();
    // Japanese and Korean in seven bits (ISO-2022, RFC 1468 and 1557) are told by what looks like commands.
    let (mut line, mut chooses_characters) = (0..0, false);
    let may_be = |byte: u8| byte < b' ' && byte != b'\t' || matches!(byte, 0x7f | 0xc2 | 0xe2 | 0xef);
    for (at, char) in chars(text, may_be) {
        if at < done {
            continue;
        }
        let (mut start, mut end) = (at, at + char.len_utf8());
        if matches!(char, '\x0e' | '\x0f' | '\x1b') && at >= line.end {
            line = line_around(text, at, line.end);
            let text = &text[line.clone()];
            let is_shifted = || text.find('\x0e').is_some_and(|out| text[out..].contains('\x0f'));
            chooses_characters = ["\x1b$B", "\x1b$@", "\x1b$)C"].iter().any(|command| text.contains(command)) || is_shifted();
        }
        let goes = match char {
            '\n' | '\r' | '\u{85}' | '\u{2029}' => {
                open.clear();
                false
            }
            '\x1b' if chooses_characters && matches!(text.as_bytes().get(at + 1), Some(b'$' | b'(')) => false,
            '\x0e' | '\x0f' if chooses_characters => false,
            '\x1b' => {
                end = at + command(&text.as_bytes()[at..]);
                true
            }
            '\x08' => {
                let count = text[at..].bytes().take_while(|byte| *byte == b'\x08').count();
                end = at + count;
                if text[end..].chars().next().is_some_and(is_struck) {
                    let struck = text[done..at].chars().rev().take(count).take_while(|char| is_struck(*char));
                    start -= struck.map(char::len_utf8).sum::<usize>();
                }
                true
            }
            '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => {
                open.push(matches!(char, '\u{202d}' | '\u{202e}'));
                open.last() == Some(&true)
            }
            '\u{202c}' => open.pop() == Some(true),
            '\x0b' | '\x0c' => false,
            '\u{feff}' => true,
            _ => char.is_control(),
        };
        if goes {
            edits.remove(start..end);
            done = end;
        }
    }
}

/// Whether it is struck over others, or others over it: to underline a character, or to make it bold.
fn is_struck(char: char) -> bool {
    char.is_alphanumeric() || char.is_ascii_punctuation()
}

/// How many bytes a command to a terminal takes: one that ends with a letter, a string that ends with a bell or as a string, or what chooses
/// characters.
fn command(bytes: &[u8]) -> usize {
    let count = |from: usize, is_part: fn(u8) -> bool| bytes[from..].iter().take_while(|byte| is_part(**byte)).count();
    match bytes.get(1) {
        Some(b'[') => {
            let parameters = 2 + count(2, |byte| matches!(byte, 0x20..=0x3f));
            parameters + usize::from(bytes.get(parameters).is_some_and(|byte| matches!(byte, 0x40..=0x7e)))
        }
        Some(0x20..=0x2f) => {
            let between = 1 + count(1, |byte| matches!(byte, 0x20..=0x2f));
            if bytes.get(between).is_some_and(|byte| matches!(byte, 0x30..=0x7e)) { between + 1 } else { 1 }
        }
        Some(b']' | b'P' | b'X' | b'^' | b'_') => {
            let text = 2 + count(2, |byte| matches!(byte, 0x20..=0x7e));
            match &bytes[text..] {
                [0x07, ..] => text + 1,
                [0x1b, b'\\', ..] => text + 2,
                _ => 1,
            }
        }
        _ => 1,
    }
}
