//! What a line looks like: blank, marked, the end of a sentence.

use crate::compare::{char_columns, columns, is_invisible};

/// Whether a line shows nothing: white space and invisible characters only.
#[inline]
pub(crate) fn is_blank(line: &[u8]) -> bool {
    // One look settles nearly every line: what is visible mostly begins it, and what is not mostly is nothing.
    match line.first() {
        None => true,
        Some(b'!'..=b'~') => false,
        Some(_) => line
            .utf8_chunks()
            .all(|chunk| chunk.invalid().is_empty() && chunk.valid().chars().all(|c| c.is_whitespace() || is_invisible(c))),
    }
}

/// Whether a line is a row of a table: it starts with a bar or a grid's corner, or has two inner bars or tabs.
pub(super) fn is_table_row(line: &[u8]) -> bool {
    let trimmed = line.trim_ascii();
    match trimmed {
        [b'|', ..] | [b'+', b'-' | b'=', ..] => return true,
        _ => {}
    }
    // Cells are short: a long line with a bar in it is prose, and not worth the search.
    const LONGEST_ROW: usize = 400;
    trimmed.len() <= LONGEST_ROW
        && (memchr::memchr_iter(b'\t', trimmed).nth(1).is_some()
            || memchr::memchr_iter(b'|', trimmed)
                .filter(|&at| at > 0 && trimmed[at - 1] == b' ' && trimmed.get(at + 1) == Some(&b' '))
                .nth(1)
                .is_some())
}

/// Whether a line starts with the marker of a list item, quote, table, heading or fence, or is a rule: such a line is not
/// running text, and a chunk that holds one isn't hard-wrapped.
pub(super) fn has_marker(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let Some(&first) = line.first() else { return false };
    if first.is_ascii_lowercase() || (first.is_ascii_uppercase() && line.get(1) != Some(&b')')) {
        return line.get(1) == Some(&b')') && line.get(2) == Some(&b' ');
    }
    match first {
        b'>' | b'|' => true,
        b'#' => line.trim_ascii_start().iter().find(|&&b| b != b'#').is_none_or(|&b| b == b' '),
        b'-' | b'*' | b'+' | b'=' | b'_' | b'~' | b'`' => {
            line.get(1) == Some(&b' ')
                || line.starts_with(b"```")
                || line.starts_with(b"~~~")
                || line.starts_with(b"+-")
                || line.starts_with(b"+=")
                || is_rule(line)
        }
        b'0'..=b'9' => {
            let digits = line.iter().take_while(|b| b.is_ascii_digit()).count();
            digits <= 3 && matches!(line.get(digits..), Some([b'.' | b')', b' ', ..]))
        }
        b'(' => {
            let inner = line[1..].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
            (1..=4).contains(&inner) && matches!(line.get(1 + inner..), Some([b')', b' ', ..]))
        }
        0xe2 => [&b"\xe2\x80\xa2"[..], b"\xe2\x80\xa3", b"\xe2\x97\xa6"].iter().any(|bullet| line.starts_with(bullet)),
        _ => false,
    }
}

/// A line of one repeated punctuation mark: a thematic break or an underline.
fn is_rule(line: &[u8]) -> bool {
    line.len() >= 3 && line.iter().all(|&b| b == line[0] || b == b' ')
}

/// Whether a line ends as a sentence does: with a full stop or its like, or a bracket or quotation mark that closes.
pub(super) fn ends_sentence(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let tail = &line[line.len().saturating_sub(4)..];
    match tail.last() {
        None => true,
        Some(b'.' | b'!' | b'?' | b':' | b';' | b')' | b']' | b'"' | b'\'' | b'*' | b'_' | b'`' | b'>' | b'|' | b'}') => true,
        Some(0..0x80) => false,
        Some(_) => last_char(tail).is_some_and(|c| {
            matches!(
                c,
                '…' | '”'
                    | '’'
                    | '»'
                    | '›'
                    | '“'
                    | '。'
                    | '！'
                    | '？'
                    | '．'
                    | '；'
                    | '：'
                    | '」'
                    | '』'
                    | '）'
                    | '】'
                    | '》'
                    | '।'
                    | '॥'
                    | '؟'
                    | '۔'
                    | '؛'
                    | '።'
                    | '។'
                    | '။'
                    | '།'
                    | '։'
                    | '‼'
                    | '⁇'
                    | '⁈'
                    | '⁉'
            )
        }),
    }
}

fn last_char(tail: &[u8]) -> Option<char> {
    tail.utf8_chunks().last().filter(|chunk| chunk.invalid().is_empty()).and_then(|chunk| chunk.valid().chars().next_back())
}

/// Whether a sentence visibly runs on from one line of a chunk to the next: it doesn't end, and the next line starts in
/// lower case. Between such lines no run of repeats may begin or end.
pub(crate) fn runs_on(line: &[u8], next: &[u8]) -> bool {
    !ends_sentence(line) && first_char(next).is_some_and(char::is_lowercase)
}

fn first_char(line: &[u8]) -> Option<char> {
    let line = line.trim_ascii_start();
    line[..line.len().min(4)].utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next())
}

/// The columns that the next line's first word needs to be set on this line, a space before it included. A word counts at
/// most 20, since a line before a long link is short for another reason; in a script without spaces a character is a word.
pub(super) fn first_word_columns(line: &[u8]) -> usize {
    const LONGEST_WORD: usize = 20;
    let line = line.trim_ascii_start();
    match first_char(line) {
        Some(c) if is_unspaced(c) => char_columns(c),
        _ => {
            let word = line[..line.len().min(LONGEST_WORD * 4)].split(u8::is_ascii_whitespace).next().unwrap_or_default();
            1 + (columns(word) as usize).min(LONGEST_WORD)
        }
    }
}

/// Whether a character belongs to a script that sets no spaces between words: Thai, Lao, Myanmar, Khmer, Chinese, Japanese.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers() {
        for line in [
            "- item",
            "* item",
            "+ item",
            "1. one",
            "12) twelve",
            "(a) first",
            "(iv) fourth",
            "a) first",
            "> quote",
            "| cell",
            "# Heading",
            "###### Six",
            "* * *",
            "-----",
            "=====",
            "```rust",
            "~~~",
            "  - indented",
            "• bullet",
            "+---+---+",
        ] {
            assert!(has_marker(line.as_bytes()), "{line}");
        }
        for line in [
            "text",
            "A sentence.",
            "1984 was",
            "1,000 people",
            "(With inputs)",
            "-5 degrees",
            "*emphasis* here",
            "#hashtag",
            "“Quote,” she said",
            "I. went",
            "…",
        ] {
            assert!(!has_marker(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn blank_lines() {
        for line in ["", "  \t", "\u{a0}", "\u{200b} ", "\r", "\x0c", "\x0b"] {
            assert!(is_blank(line.as_bytes()), "{line:?}");
        }
        assert!(!is_blank(b"x") && !is_blank(b"\xff") && !is_blank("é".as_bytes()));
    }

    #[test]
    fn sentences() {
        assert!(ends_sentence(b"Done.") && ends_sentence("he said.”".as_bytes()) && ends_sentence("完了。".as_bytes()));
        assert!(ends_sentence(b"(With inputs from agencies)  "));
        assert!(!ends_sentence(b"the quick") && !ends_sentence("naïf é".as_bytes()) && !ends_sentence(b"bad \xff"));
        assert!(runs_on(b"the quick", b"brown fox"));
        assert!(!runs_on(b"By our reporter", b"Kim said") && !runs_on(b"the end.", b"iPhones"));
    }

    #[test]
    fn table_rows() {
        for row in ["| a | b |", "+---+", "a | b | c", "x\ty\tz"] {
            assert!(is_table_row(row.as_bytes()), "{row}");
        }
        assert!(!is_table_row(b"a | b") && !is_table_row(b"cat x|y|z"));
    }
}
