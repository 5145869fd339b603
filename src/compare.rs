//! The compared form: what two paragraphs must share to be duplicates. It is never written.
//!
//! Knows bytes and Unicode, no documents. Text that is its own compared form, the common case, is borrowed, not copied.

use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_width::UnicodeWidthChar;

const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfc();

/// How alike two paragraphs must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// The same bytes.
    Bytes,
    /// The same text: white space, invisible characters and canonically equivalent spellings (NFC, UAX #15) don't count.
    #[default]
    Text,
    /// Nor do case and punctuation. Digits, and the marks that make a number of them, always count.
    Loose,
}

/// The compared form of `raw`, borrowed from it or built in `scratch`.
///
/// Bytes that aren't UTF-8 stand for themselves.
pub fn compared<'a>(raw: &'a [u8], how: Match, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    Look::at(raw).compared(raw, how, scratch).0
}

fn fold<'a>(raw: &[u8], how: Match, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    scratch.clear();
    let mut fold = Fold { out: scratch, space: false };
    let fold_one = |fold: &mut Fold, text: &str| if how == Match::Loose { fold.loose(text) } else { fold.text(text) };
    if let Ok(text) = simdutf8::basic::from_utf8(raw) {
        fold_one(&mut fold, text); // nearly always
        return scratch;
    }
    for chunk in raw.utf8_chunks() {
        fold_one(&mut fold, chunk.valid());
        fold.bytes(chunk.invalid());
    }
    scratch
}

/// What one look at the bytes of a text tells: enough to settle most questions about most texts at the speed of memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look(u8);

impl Look {
    /// It holds a control character (a tab, a line end) or two spaces together.
    const ODD: u8 = 1;
    const BAR: u8 = 2;
    const NOT_ASCII: u8 = 0x80;

    /// Looks at every byte of `raw`.
    pub(crate) fn at(raw: &[u8]) -> Self {
        look(raw)
    }

    /// The compared form of `raw`, which was looked at, and its columns; see [`compared`] and [`columns`].
    pub(crate) fn compared<'a>(self, raw: &'a [u8], how: Match, scratch: &'a mut Vec<u8>) -> (&'a [u8], u32) {
        let may_be_settled = match how {
            Match::Bytes => true,
            Match::Text => self.0 & Self::ODD == 0 && raw.first() != Some(&b' ') && raw.last() != Some(&b' '),
            Match::Loose => false,
        };
        let is_ascii = self.0 & Self::NOT_ASCII == 0;
        if may_be_settled && is_ascii {
            return (raw, saturated(raw.len()));
        }
        if may_be_settled {
            let beyond = BeyondAscii::of(raw);
            if how == Match::Bytes || beyond.is_settled {
                return (raw, saturated(beyond.columns));
            }
        }
        let form = fold(raw, how, scratch);
        let columns = if is_ascii { saturated(form.len()) } else { columns(form) };
        (form, columns)
    }

    /// Whether a table's row, which holds bars or tabs, could look like this.
    pub(crate) fn may_have_cells(self) -> bool {
        self.0 != 0
    }
}

/// [`Look::at`], for the vectors that the processor has: it runs over every byte of every text.
#[multiversion::multiversion(targets("x86_64+avx2"))]
fn look(raw: &[u8]) -> Look {
    const BLOCK: usize = 32;
    let Some(&last) = raw.last() else { return Look::default() };
    let mut seen = see(last, 0);
    if raw.len() > BLOCK {
        // Blocks of a fixed size become vector code. The last ones overlap, and short paragraphs all take equally many: a
        // branch that guesses their number wrong would cost more than looking at some bytes twice.
        let last = raw.len() - BLOCK - 1;
        let count = last.div_ceil(BLOCK).max(3) + 1;
        let mut lanes = [0; BLOCK];
        for number in 0..count {
            let start = (number * BLOCK).min(last);
            let block: &[u8; BLOCK] = raw[start..].first_chunk().expect("no block begins beyond the last one");
            let next: &[u8; BLOCK] = raw[start + 1..].first_chunk().expect("nor does the one a byte further on");
            for at in 0..BLOCK {
                lanes[at] |= see(block[at], next[at]);
            }
        }
        for lane in lanes {
            seen |= lane;
        }
    } else {
        for pair in raw.windows(2) {
            seen |= see(pair[0], pair[1]);
        }
    }
    Look(seen)
}

/// What a byte and the next one add to a look.
#[inline(always)]
fn see(byte: u8, next: u8) -> u8 {
    let is_odd = (byte < 0x20) | ((byte == b' ') & (next == b' '));
    (byte & Look::NOT_ASCII) | (u8::from(is_odd) * Look::ODD) | (u8::from(byte == b'|') * Look::BAR)
}

/// The display columns of a compared form: a wide character takes two, a combining mark none, an ASCII byte or one that
/// isn't UTF-8 one. Saturates at `u32::MAX`.
pub(crate) fn columns(form: &[u8]) -> u32 {
    saturated(if form.is_ascii() { form.len() } else { BeyondAscii::of(form).columns })
}

fn saturated(columns: usize) -> u32 {
    u32::try_from(columns).unwrap_or(u32::MAX)
}

/// What one pass over a text, which decodes nothing that is ASCII, tells of it.
struct BeyondAscii {
    /// The display columns of all of it; see [`columns`].
    columns: usize,
    /// Whether what isn't ASCII leaves it its own compared form: UTF-8, no white space, nothing invisible, and every character
    /// in its composed spelling.
    is_settled: bool,
}

impl BeyondAscii {
    fn of(text: &[u8]) -> Self {
        let (mut columns, mut is_settled, mut may_compose) = (text.len(), true, false);
        let mut at = 0;
        while let Some(next) = beyond_ascii(text, at) {
            if let Some((len, wide)) = plain(&text[next..]) {
                (at, columns) = (next + len, columns + wide - len);
                continue;
            }
            let (c, len) = bstr::decode_utf8(&text[next..]);
            at = next + len;
            match c {
                Some(c) => {
                    columns = (columns + char_columns(c)).saturating_sub(len);
                    is_settled &= !(c.is_whitespace() || is_invisible(c));
                    may_compose |= !is_inert(c);
                }
                None => is_settled = false,
            }
        }
        Self { columns, is_settled: is_settled && (!may_compose || NFC.is_normalized_utf8(text)) }
    }
}

/// The length in bytes and the columns of the character that begins `text`, if it is of the most common ones, which bytes tell
/// without decoding: letters of Latin and Cyrillic script, dashes and quotation marks, Chinese. They are inert.
#[inline]
fn plain(text: &[u8]) -> Option<(usize, usize)> {
    match *text {
        [0xc3..=0xcb | 0xd0, 0x80..=0xbf, ..] => Some((2, 1)), // U+00C0 to U+02FF, U+0400 to U+043F
        [0xd1, 0x80..=0xbf, ..] => Some((2, 1)),               // U+0440 to U+047F
        [0xe2, 0x80, 0x90..=0xa7, ..] => Some((3, 1)),         // U+2010 to U+2027
        [0xe5..=0xe9, 0x80..=0xbf, 0x80..=0xbf, ..] => Some((3, 2)), // U+5000 to U+9FFF
        _ => None,
    }
}

/// The first byte from `at` on that isn't ASCII; what precedes it is skipped eight bytes at a time.
#[inline]
fn beyond_ascii(text: &[u8], mut at: usize) -> Option<usize> {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    while let Some(eight) = text.get(at..)?.first_chunk() {
        let high = u64::from_le_bytes(*eight) & HIGH_BITS;
        if high != 0 {
            return Some(at + high.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    text[at..].iter().position(|byte| !byte.is_ascii()).map(|more| at + more)
}

/// The display columns of one character.
pub(crate) fn char_columns(c: char) -> usize {
    match c {
        '\0'..='\u{7f}' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{2ff}' | '\u{400}'..='\u{482}' | '\u{2010}'..='\u{2027}' => 1,
        '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => 2,
        _ => c.width().unwrap_or(0),
    }
}

/// Characters that show nothing and carry no meaning in a comparison: soft hyphen, zero-width space and joiners,
/// directional marks, embeddings and isolates, word joiner and invisible operators, byte order mark.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Whether a text without blanks at its ends is its own compared form.
fn is_settled(text: &[u8]) -> bool {
    let look = Look::at(text).0;
    look & Look::ODD == 0 && (look & Look::NOT_ASCII == 0 || BeyondAscii::of(text).is_settled)
}

/// Whether a word consists of ASCII and characters that nothing changes.
fn is_plain(word: &[u8]) -> bool {
    let mut at = 0;
    while let Some(next) = beyond_ascii(word, at) {
        let Some((len, _)) = plain(&word[next..]) else { return false };
        at = next + len;
    }
    true
}

struct Fold<'a> {
    out: &'a mut Vec<u8>,
    /// White space came since the last thing written.
    space: bool,
}

impl Fold<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if std::mem::take(&mut self.space) && !self.out.is_empty() {
            self.out.push(b' ');
        }
        self.out.extend_from_slice(bytes);
    }

    #[inline]
    fn char(&mut self, c: char) {
        self.bytes(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn text(&mut self, text: &str) {
        // Line by line, so that hard-wrapped prose, all of it settled but for its line ends, is copied and not decoded.
        for line in text.split_inclusive('\n') {
            let start = line.trim_ascii_start();
            let settled = start.trim_ascii_end();
            if is_settled(settled.as_bytes()) {
                self.space |= start.len() < line.len();
                self.bytes(settled.as_bytes());
                self.space |= settled.len() < start.len();
            } else {
                self.words(line);
            }
        }
    }

    /// Copies the words that are surely their own compared form, and decodes what stands between them at once. What stands before a
    /// blank never composes with what stands behind it.
    fn words(&mut self, line: &str) {
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
        let (mut at, mut done) = (0, 0);
        for word in line.as_bytes().split_inclusive(is_blank) {
            let letters = if word.last().is_some_and(is_blank) { &word[..word.len() - 1] } else { word };
            let end = at + word.len();
            if is_plain(letters) {
                self.chars(&line[done..at]);
                self.bytes(letters);
                self.space |= letters.len() < word.len();
                done = end;
            }
            at = end;
        }
        self.chars(&line[done..]);
    }

    fn chars(&mut self, text: &str) {
        if text.is_empty() {
            return; // to begin normalising costs as much as a word
        }
        for c in NFC.normalize_iter(text.chars().filter(|&c| !is_invisible(c))) {
            if c.is_whitespace() { self.space = true } else { self.char(c) }
        }
    }

    fn loose(&mut self, text: &str) {
        if text.is_ascii() {
            return self.words_and_numbers(text.bytes().map(|byte| byte.to_ascii_lowercase().into()));
        }
        let folded: String = NFC.normalize_iter(text.chars().filter(|&c| !is_invisible(c))).collect();
        // Upper and back, as full case folding does: "ß" equals "SS", and a final sigma any other.
        let cased = folded.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
        self.words_and_numbers(NFC.normalize_iter(cased));
    }

    /// Leaves out punctuation that makes no other number of a digit behind it.
    fn words_and_numbers(&mut self, chars: impl Iterator<Item = char>) {
        let mut before = None;
        let mut chars = chars.peekable();
        while let Some(c) = chars.next() {
            let is_letter = c.is_ascii_alphanumeric(); // which most are, and no mark is
            match chars.peek().filter(|_| !is_letter).and_then(|&next| number_mark(c, before, next)) {
                Some(mark) => self.char(mark),
                None if !is_letter && (c.is_whitespace() || is_punctuation(c)) => self.space = true,
                None => self.char(c),
            }
            before = Some(c);
        }
    }
}

/// The mark, in its plain form, if it makes another number of the digit behind it: "-5", "-$5", ".5", "1,5", "1’000", "12:30",
/// "1/2", "12–14". The hyphen of "top-10" and the full stop of "end.1" do not.
fn number_mark(c: char, before: Option<char>, next: char) -> Option<char> {
    let after_letter = before.is_some_and(char::is_alphabetic);
    let after_digit = before.is_some_and(char::is_numeric);
    let before_digit = next.is_numeric();
    match c {
        '.' | ',' => (before_digit && !after_letter).then_some(c),
        ':' | '/' => (before_digit && after_digit).then_some(c),
        '-' | '\u{2212}' | '\u{2013}' => {
            let before_amount = before_digit || next.general_category() == GeneralCategory::CurrencySymbol;
            (before_amount && !after_letter).then_some('-')
        }
        // Marks between digits in other scripts and houses: Arabic, full-width, a point on the line, an apostrophe.
        '\u{66b}' | '\u{66c}' | '．' | '，' | '·' | '\'' | '’' => (before_digit && after_digit).then_some(c),
        _ => None,
    }
}

/// Punctuation in the sense of the general category P, less the marks that stand for a word ("%", "&", "#", "@", "§").
fn is_punctuation(c: char) -> bool {
    match c {
        '%' | '&' | '#' | '@' | '§' | '‰' => false,
        '`' | '´' => true, // modifier symbols by category, quotation marks by use
        _ => c.general_category_group() == GeneralCategoryGroup::Punctuation,
    }
}

/// Whether a character is known to be the same in NFC whatever stands around it, unless what follows isn't: most letters of
/// Latin and Cyrillic script, Chinese, Japanese and Korean, and common punctuation.
fn is_inert(c: char) -> bool {
    matches!(c, '\0'..='\u{2ff}' | '\u{400}'..='\u{482}' | '\u{2010}'..='\u{2027}' | '\u{20ac}' | '\u{3001}'..='\u{3029}'
        | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff60}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(raw: &[u8], how: Match) -> Vec<u8> {
        compared(raw, how, &mut Vec::new()).to_vec()
    }

    #[track_caller]
    fn text(raw: &str, expected: &str) {
        assert_eq!(String::from_utf8(form(raw.as_bytes(), Match::Text)).unwrap(), expected);
    }

    #[track_caller]
    fn loose(raw: &str, expected: &str) {
        assert_eq!(String::from_utf8(form(raw.as_bytes(), Match::Loose)).unwrap(), expected);
    }

    #[test]
    fn white_space_runs_are_one_space_and_ends_are_trimmed() {
        text("  a\t b\n  c \u{a0} d\u{2003}", "a b c d");
        text("a\r\nb", "a b");
        text("\u{a0}\n\t", "");
        text("une phrase\u{202f}: « oui »", "une phrase : « oui »");
    }

    #[test]
    fn invisible_characters_are_dropped() {
        text("co\u{ad}op\u{200b}er\u{feff}ate", "cooperate");
        text("a \u{200b} b", "a b");
    }

    #[test]
    fn canonically_equivalent_text_is_equal() {
        text("cafe\u{301}", "café");
        text("A\u{200d}\u{30a}", "Å");
        text("\u{212b}", "Å");
        text("\u{1100}\u{1161}", "가");
    }

    #[test]
    fn what_is_not_utf8_stands_for_itself() {
        assert_eq!(form(b" a \xff  b\xc3", Match::Text), b"a \xff b\xc3");
        assert_eq!(form(b"\xa0x\0", Match::Text), b"\xa0x\0");
    }

    #[test]
    fn bytes_are_bytes() {
        assert_eq!(form(b" a\t", Match::Bytes), b" a\t");
    }

    #[test]
    fn loose_drops_case_and_punctuation_but_never_digits() {
        loose("“Don’t,” she SAID…", "don t she said");
        loose("\"Don't\" she said", "don t she said");
        loose("In 2023, 1.5 % fell by -5.", "in 2023 1.5 % fell by -5");
        loose("pages 12–14", "pages 12-14");
        for number in ["-$5", "1٫5", "1．5", "1·5", "1’000", "1'000"] {
            loose(&format!("({number})"), number);
        }
        loose("costs .5 or $-5 (-5), –5 degrees", "costs .5 or $-5 -5 -5 degrees");
        loose("Top-10 at 12:30", "top 10 at 12:30");
        loose("ΣΑΣ Straße", "σασ strasse");
        loose("σας STRASSE", "σασ strasse");
    }

    #[test]
    fn plain_and_slow_paths_agree() {
        proptest::proptest!(|(raw in "[ab \u{a0}\u{301}\u{ad}e\n\t\u{b}\u{1}“]{0,40}")| {
            let mut slow = Vec::new();
            let mut fold = Fold { out: &mut slow, space: false };
            fold.chars(&raw);
            proptest::prop_assert_eq!(form(raw.as_bytes(), Match::Text), slow);
        });
    }

    #[test]
    fn loose_forms_of_ascii_are_those_of_all_text() {
        // A character that is left out leads the other way.
        proptest::proptest!(|(raw in "[ -~\t\n]{0,40}")| {
            proptest::prop_assert_eq!(form(raw.as_bytes(), Match::Loose), form(format!("{raw}\u{ad}").as_bytes(), Match::Loose));
        });
    }

    #[test]
    fn what_is_taken_for_inert_never_changes() {
        let inert: Vec<char> = ('\0'..=char::MAX).filter(|&c| is_inert(c)).collect();
        for before in ['e', 'A', 'か', 'α', '가', '\u{1100}'] {
            for pair in inert.chunks(64) {
                let text: String = pair.iter().flat_map(|&c| [before, c]).collect();
                assert!(NFC.is_normalized(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn what_bytes_tell_of_plain_characters_is_true() {
        let plain_ones = ('\u{80}'..=char::MAX).filter_map(|c| {
            let mut bytes = [b'x'; 5];
            c.encode_utf8(&mut bytes);
            Some((c, plain(&bytes)?))
        });
        let mut count = 0;
        for (c, found) in plain_ones {
            assert_eq!(found, (c.len_utf8(), char_columns(c)), "{c:?}");
            assert!(is_inert(c) && !c.is_whitespace() && !is_invisible(c), "{c:?}");
            count += 1;
        }
        assert!(count > 20_000);
    }

    #[test]
    fn columns_of_common_characters_are_those_of_all() {
        for c in ('\u{a0}'..=char::MAX).filter(|&c| c != '\u{ad}') {
            assert_eq!(char_columns(c), c.width().unwrap_or(0), "{c:?}");
        }
    }

    #[test]
    fn columns_count_what_is_shown() {
        assert_eq!(columns(b"abc"), 3);
        assert_eq!(columns("“日本”".as_bytes()), 6);
        assert_eq!(columns("e\u{301}".as_bytes()), 1);
        assert_eq!(columns(b"a\xff\xfe"), 3);
    }
}
