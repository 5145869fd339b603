//! Characters that show nothing.

use super::TAGS;
use super::edits::Edits;
use super::look::chars;

/// Finds characters of no width, tags, and soft hyphens. They stay where a script or an emoji needs them: beside anything but letters of scripts
/// that join and break without them; and a soft hyphen stays where it divides a word at the end of a line, or stands for itself.
pub(super) fn find(text: &str, edits: &mut Edits) {
    let is_needed = |char: Option<char>| char.is_some_and(|char| !does_without(char));
    let mut done = 0;
    for (at, char) in chars(text, |byte| matches!(byte, 0xc2 | 0xe2 | 0xf3)) {
        if at < done || !is_invisible(char) {
            continue;
        }
        let end = text[at..].find(|char| !is_invisible(char)).map_or(text.len(), |len| at + len);
        done = end;
        let (before, behind) = (text[..at].chars().next_back(), text[end..].chars().next());
        let is_of_word = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
        if text[at..end].contains(SOFT_HYPHEN) && !is_of_word(before) && !is_of_word(behind) {
            continue;
        }
        let divides = matches!(behind, Some('\n' | '\r')) && before.is_some_and(char::is_alphabetic);
        if !is_needed(before) && !is_needed(behind) && !divides {
            edits.remove(at..end);
            continue;
        }
        let goes = |char: char| if char == SOFT_HYPHEN { !divides } else { divides && !is_needed(before) };
        for (from, char) in text[at..end].char_indices().filter(|(_, char)| goes(*char)) {
            edits.remove(at + from..at + from + char.len_utf8());
        }
    }
}

const SOFT_HYPHEN: char = '\u{ad}';

/// A soft hyphen, what ends a word or joins two and is not seen, and tags, which flags have.
fn is_invisible(char: char) -> bool {
    matches!(char, SOFT_HYPHEN | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
}

/// Whether it is of a script that needs none of them, or of none: Latin, Greek, Cyrillic, Armenian; Chinese, Japanese, Korean. Signs that are
/// emoji do need them; what a tag parts has its own neighbours beyond it.
fn does_without(char: char) -> bool {
    TAGS.contains(&char)
        || matches!(char,
        '\0'..='\u{a8}' | '\u{aa}'..='\u{ad}' | '\u{af}'..='\u{58f}' | '\u{1e00}'..='\u{1fff}' | '\u{2010}'..='\u{203b}'
        | '\u{3000}'..='\u{302f}' | '\u{3031}'..='\u{303c}' | '\u{303e}'..='\u{3296}' | '\u{329a}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ffef}')
}
