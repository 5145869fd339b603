//! The evidence for and against mojibake: how odd characters are side by side, and how good the decoding is.

use super::encodings::C1;
use std::sync::LazyLock;

/// What a character is in running text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    Digit,
    Upper,
    Lower,
    /// A letter without case.
    Letter,
    /// Opens a quotation, and in some languages closes one.
    Open,
    Close,
    /// Usual after a word, and between words: dashes, the ellipsis, ASCII punctuation.
    Mark,
    /// Usual after a word, but not within.
    Suffix,
    Money,
    Sign,
    Box,
    Soft,
    Control,
    Lost,
}

impl Class {
    fn is_letter(self) -> bool {
        matches!(self, Class::Upper | Class::Lower | Class::Letter)
    }
}

/// The classes of the characters up to the symbols, worked out once.
static CLASSES: LazyLock<Vec<Class>> = LazyLock::new(|| ('\0'..'\u{3000}').map(work_out_class).collect());

fn class(c: char) -> Class {
    CLASSES.get(c as usize).copied().unwrap_or_else(|| work_out_class(c))
}

fn work_out_class(c: char) -> Class {
    match c {
        '0'..='9' => Class::Digit,
        'A'..='Z' => Class::Upper,
        'a'..='z' => Class::Lower,
        ' ' | '\t' | '\n' | '\r' | '\u{A0}' => Class::Space,
        '(' | '[' | '{' | '“' | '‘' | '„' | '‚' | '«' | '‹' | '¡' | '¿' => Class::Open,
        ')' | ']' | '}' | '”' | '’' | '»' | '›' => Class::Close,
        '\0'..='\u{7F}' | '–' | '—' | '―' | '…' | '·' => Class::Mark,
        '•' | '™' | '®' | '©' | '°' | 'ª' | 'º' | '¹' | '²' | '³' | '†' | '§' | '´' | '¨' | '΄' => {
            Class::Suffix
        }
        '¢' | '£' | '¤' | '¥' | '€' | '₧' => Class::Money,
        'ƒ' | 'µ' | 'ˆ' | 'ˇ' | 'ͺ' => Class::Sign,
        '\u{AD}' => Class::Soft,
        '\u{80}'..='\u{9F}' => Class::Control,
        '\u{2500}'..='\u{259F}' => Class::Box,
        '\u{FFFD}' => Class::Lost,
        _ if c.is_lowercase() => Class::Lower,
        _ if c.is_uppercase() => Class::Upper,
        _ if c.is_alphabetic() => Class::Letter,
        _ => Class::Sign,
    }
}

/// Whether a character is a letter. The ordinal indicators and "ƒ" are not.
pub(super) fn is_letter(c: char) -> bool {
    class(c).is_letter()
}

/// Whether a character is a small letter.
pub(super) fn is_lower(c: char) -> bool {
    class(c) == Class::Lower
}

/// Whether a character is a capital letter.
pub(super) fn is_upper(c: char) -> bool {
    class(c) == Class::Upper
}

/// Whether a character is a letter or an ASCII digit.
pub(super) fn is_word(c: char) -> bool {
    is_letter(c) || class(c) == Class::Digit
}

/// How odd `b` is after `a` and before `next` in ordinary text: 0 is usual, 2 is rare, 4 never happens.
pub(super) fn odd(a: Option<char>, b: char, next: Option<char>) -> i32 {
    let class_b = class(b);
    if class_b == Class::Control {
        let c = C1[b as usize - 0x80];
        return if c.is_control() { 4 } else { 1 + odd(a, c, next) };
    }
    let Some(a) = a else { return 0 };
    let inside = next.is_some_and(is_letter);
    let class_a = match class(a) {
        Class::Control => class(C1[a as usize - 0x80]),
        class => class,
    };
    match (class_a, class_b) {
        _ if class_a.is_letter() => odd_after_letter(a, b, next),
        (Class::Digit, Class::Upper | Class::Letter) => i32::from(!b.is_ascii()),
        (Class::Box, Class::Upper | Class::Lower) => 1,
        (Class::Suffix | Class::Money | Class::Sign, Class::Upper | Class::Lower | Class::Letter) => 1,
        (_, Class::Suffix | Class::Money | Class::Sign) if matches!(a, '–' | '—') => 1,
        (Class::Close, Class::Upper | Class::Lower | Class::Letter) => i32::from(a != '’'),
        (Class::Box, Class::Suffix | Class::Money) => 1,
        (Class::Suffix | Class::Money | Class::Sign | Class::Close, Class::Money | Class::Sign) => {
            i32::from(a != b) + i32::from(inside)
        }
        (Class::Suffix | Class::Money | Class::Sign, Class::Suffix) => i32::from(a != b) + i32::from(inside),
        (Class::Suffix | Class::Money | Class::Sign, Class::Open) => 1,
        (Class::Open, Class::Close | Class::Suffix | Class::Money | Class::Sign) => 1,
        _ => 0,
    }
}

fn odd_after_letter(a: char, b: char, next: Option<char>) -> i32 {
    let inside = next.is_some_and(is_letter);
    match class(b) {
        Class::Upper | Class::Lower | Class::Letter => {
            let (one, two) = (script(a), script(b));
            let flip = class(a) == Class::Lower && class(b) == Class::Upper;
            let sign = matches!(next.map(class), Some(Class::Suffix | Class::Money | Class::Sign | Class::Control | Class::Soft));
            match (one == two, flip) {
                (true, true) => 2,
                (true, false) => i32::from("ÂÃÅâãåæïð".contains(a) && "ŠŒŽšœžŸ".contains(b)),
                // Words of two scripts may touch, at markup for example.
                (false, _) if sign => 3,
                (false, _) => 1 + i32::from(flip),
            }
        }
        Class::Money | Class::Sign | Class::Box => 2,
        Class::Open if matches!(b, '„' | '‚') => 2,
        Class::Close if b == '’' => 0,
        Class::Open | Class::Close | Class::Suffix if inside => 2,
        Class::Soft => 1,
        _ => 0,
    }
}

/// The oddness of a whole sequence in its place, beyond that of its pairs.
pub(super) fn prior(sequence: &str, dos_or_mac: bool, before: Option<char>, after: Option<char>) -> i32 {
    if sequence == "ï»¿" {
        return 4; // a byte order mark, and nothing else
    }
    let mut chars = sequence.chars();
    let (Some(a), Some(b)) = (chars.next(), chars.next()) else {
        return 0;
    };
    let word = before.is_some_and(is_word);
    let inside = after.is_some_and(is_letter);
    // Two letters side by side are the least odd.
    let letters = -i32::from(sequence.chars().all(is_letter));
    letters
        + match (a, b) {
            ('√', 'π') => -2,
            ('√', '≠' | '≤' | '≥' | '§' | '•' | '¶' | '®' | '©' | '™' | '´' | '¨' | 'ª' | 'º') => 2,
            ('√', '°' | '¢' | '£') => 2,
            (_, ' ') => 0,
            _ if dos_or_mac => 0,
            ('Ã', '’') => 0,
            ('Ã', '…' | '”' | '–' | '—') if !inside => 0,
            ('Ã', '\u{A0}') => 2,
            ('Ã', _) if matches!(b, '¡' | '¢' | '£' | '¦' | '¬' | 'µ' | '¶' | '¸' | '¼' | '½' | '¾' | '¿') => 3,
            ('Ã', _) if !word && !matches!(b, '“' | '‘' | '»' | '™' | '°' | '®') => 2,
            ('Ã', _) => 1,
            ('Â', '’' | '”' | '…' | '–' | '—') => 2 * i32::from(before.is_some_and(is_lower)),
            ('Â', _) if !word && matches!(b, '©' | '®' | '§' | '±' | 'µ' | '¶' | '·' | '°' | '²' | '³' | '¹' | '«') => {
                2
            }
            ('Â' | 'Î' | 'Ï', _) => 1,
            _ => 0,
        }
}

/// What the letters around a run of another script tell: much if they are of one script, nothing if it is the script
/// of the run on one side.
pub(super) fn island(before: Option<char>, lead: char, after: Option<char>) -> i32 {
    let Some(before) = before.filter(|c| is_letter(*c) && is_letter(lead) && script(*c) != script(lead)) else {
        return 0;
    };
    match after.filter(|&c| is_letter(c)).map(script) {
        Some(after) if after == script(before) => 1,
        Some(after) if after == script(lead) => -3,
        _ => 0,
    }
}

/// Whether the text between `before` and `after` is quoted: it is spoken of, not used.
pub(super) fn quoted(before: &str, after: &str) -> bool {
    let before = before.strip_suffix('\u{A0}').unwrap_or(before).chars().next_back();
    let after = after.strip_prefix('\u{A0}').unwrap_or(after).chars().next();
    let opens = |c: char| matches!(c, '“' | '‘' | '„' | '‚' | '«' | '‹' | '"' | '\'' | '`' | '”' | '「' | '»');
    let closes = |c: char| matches!(c, '”' | '’' | '“' | '‘' | '»' | '›' | '«' | '"' | '\'' | '」' | '\u{200E}');
    before.is_none_or(|c| opens(c) || class(c) == Class::Space) && after.is_some_and(closes)
}

/// The scripts that a decoding may be in. East Asian scripts are used together and count as one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Hebrew,
    Arabic,
    /// One of the scripts of South and Southeast Asia and others with blocks of 80 code points, by block.
    Block(u32),
    East,
    Other,
}

pub(super) fn is_latin(c: char) -> bool {
    script(c) == Script::Latin
}

fn script(c: char) -> Script {
    match c as u32 {
        0x41..=0x24F | 0x259 | 0x1E00..=0x1EFF => Script::Latin,
        0x370..=0x3FF | 0x1F00..=0x1FFF => Script::Greek,
        0x400..=0x52F => Script::Cyrillic,
        0x531..=0x58F | 0xFB13..=0xFB17 => Script::Armenian,
        0x591..=0x5F4 | 0xFB1D..=0xFB4F => Script::Hebrew,
        0x600..=0x6FF | 0x750..=0x77F | 0xFB50..=0xFDFF | 0xFE70..=0xFEFC => Script::Arabic,
        0x900..=0x10FF | 0x1200..=0x137F | 0x1780..=0x17FF => Script::Block(c as u32 >> 7),
        0x3001..=0x30FF | 0x3400..=0x9FFF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFF01..=0xFFEF => Script::East,
        _ => Script::Other,
    }
}

/// How good the decoded character `c` is in its place: positive if it fits, negative if it does not.
pub(super) fn gain(c: char, two: Option<char>, one: Option<char>, after: Option<char>) -> i32 {
    match c as u32 {
        0x80..=0x9F => -1,
        0xA0..=0xBF | 0xD7 | 0xF7 => 1,
        0x132 | 0x133 | 0x138 | 0x13F | 0x140 | 0x149 | 0x17F => -2,
        // Letters of Esperanto and of few others.
        0x108 | 0x109 | 0x114 | 0x115 | 0x11C | 0x11D | 0x124..=0x129 | 0x12C | 0x12D | 0x134 | 0x135 => fit(c, two, one, after),
        0x14E | 0x14F | 0x15C | 0x15D | 0x166 | 0x167 | 0x16C | 0x16D => fit(c, two, one, after),
        0xC0..=0x17F => 1 + fit(c, two, one, after),
        0x1A0 | 0x1A1 | 0x1AF | 0x1B0 | 0x218..=0x21B | 0x18F | 0x259 => fit(c, two, one, after),
        0x1EA0..=0x1EF9 => 1 + fit(c, two, one, after),
        0x180..=0x2BF => -3,
        0x300..=0x36F => 0,
        0x2000..=0x200F | 0x2030..=0x205E | 0x2100..=0x214F | 0x2190..=0x27BF | 0xFE0F => 2,
        0x2010..=0x202F | 0x20A0..=0x20BF => 3,
        0x2800 | 0x2150..=0x218F | 0x2900..=0x2BFF | 0xFB00..=0xFB06 | 0xFF01..=0xFF5E => 1,
        0xFEFF | 0xFFFD => 4,
        0x1F000..=0x1FAFF => 3,
        0x1D400..=0x1D7FF => 2,
        0x20000..=0x2FA1F | 0xE0020..=0xE007F => 0,
        _ => foreign(c, one, after),
    }
}

/// The gain of a character of another script than Latin: it needs company.
fn foreign(c: char, one: Option<char>, after: Option<char>) -> i32 {
    let own = script(c);
    if own == Script::Other || own == Script::Latin {
        return -5;
    }
    let company = [one, after].into_iter().flatten().any(|c| script(c) == own && !c.is_ascii());
    match (company, own) {
        (true, Script::Cyrillic | Script::Greek | Script::Hebrew | Script::Arabic | Script::Armenian) => {
            1 + fit(c, None, one, after).min(0)
        }
        (true, _) => 2,
        (false, Script::Greek) if is_lower(c) => 0,
        (false, _) if [one, after].into_iter().flatten().any(is_letter) => -3,
        (false, Script::Cyrillic | Script::Greek | Script::Hebrew | Script::Arabic) => -1,
        (false, _) => -2,
    }
}

/// Whether a letter fits the word around it by its case.
fn fit(c: char, two: Option<char>, one: Option<char>, after: Option<char>) -> i32 {
    let is = |c: Option<char>, wanted| c.is_some_and(|c| class(c) == wanted);
    let before = is(one, Class::Upper) || is(one, Class::Lower);
    if [one, after].into_iter().flatten().any(|other| is_letter(other) && script(other) != script(c)) {
        return -3;
    }
    match class(c) {
        Class::Upper if is(one, Class::Lower) => -2,
        Class::Lower if is(one, Class::Upper) && (is(two, Class::Upper) || is(after, Class::Upper)) => -2,
        Class::Lower if is(one, Class::Upper) && !is(after, Class::Lower) => -1,
        Class::Upper if before || is(after, Class::Lower) => 1,
        Class::Lower if before || is(after, Class::Lower) => 1,
        _ => 0,
    }
}
