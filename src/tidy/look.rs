//! A look at a text, which tells what is not to be repaired: mostly nothing is.

use super::Repair;

/// What a text may hold.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    ascii: u8,
    beyond: u8,
}

/// An ampersand.
const AMPERSAND: u8 = 1;
/// A carriage return, a vertical tab or a form feed.
const LINE_END: u8 = 2;
/// Another control character than a tab or a line feed.
const CONTROL: u8 = 4;
/// A blank at the end of a line.
const TRAILING: u8 = 8;
/// Two line ends together.
const EMPTY_LINE: u8 = 16;
const NOT_ASCII: u8 = 0x80;

/// What `newlines` is about.
const WIDE_LINE_END: u8 = 1;
/// What `control` is about.
const WIDE_CONTROL: u8 = 2;
/// A space that isn't plain.
const WIDE_SPACE: u8 = 4;
/// What `invisible` is about.
const INVISIBLE: u8 = 8;
/// What may not be composed, or compose with what is before it.
const COMPOSES: u8 = 16;

impl Look {
    pub(super) fn at(text: &str) -> Self {
        let bytes = text.as_bytes();
        let ends_blank = matches!(bytes.last(), Some(b' ' | b'\t'));
        let ascii = ascii(bytes) | if ends_blank { TRAILING } else { 0 };
        Self { ascii, beyond: if ascii & NOT_ASCII == 0 { 0 } else { beyond(bytes) } }
    }

    /// Whether there may be something for a repair.
    pub(super) fn calls_for(self, repair: Repair) -> bool {
        let (ascii, beyond) = match repair {
            Repair::Encoding => (0, 0),
            Repair::Entities => (AMPERSAND, 0),
            Repair::Mojibake | Repair::Nfkc => (NOT_ASCII, 0),
            Repair::Newlines => (LINE_END, WIDE_LINE_END),
            Repair::Control => (CONTROL, WIDE_CONTROL),
            Repair::Invisible => (0, INVISIBLE),
            Repair::Unicode => (0, COMPOSES),
            Repair::Whitespace => (TRAILING, WIDE_SPACE),
            Repair::BlankLines => (TRAILING | EMPTY_LINE, WIDE_SPACE),
        };
        self.ascii & ascii != 0 || self.beyond & beyond != 0
    }
}

#[inline(always)]
fn flag(is: bool, flag: u8) -> u8 {
    if is { flag } else { 0 }
}

/// What a byte and the next one tell.
#[multiversion::multiversion(targets("x86_64+avx2"))]
fn ascii(bytes: &[u8]) -> u8 {
    over(bytes, |[byte, next, _]| {
        let is_line_end = (byte == b'\r') | (byte == 0x0b) | (byte == 0x0c);
        let is_control = (byte < b' ') & (byte != b'\t') & (byte != b'\n') | (byte == 0x7f);
        let ends = (next == b'\n') | (next == b'\r');
        flag(byte == b'&', AMPERSAND)
            | flag(is_line_end, LINE_END)
            | flag(is_control & !is_line_end, CONTROL)
            | flag(((byte == b' ') | (byte == b'\t')) & ends, TRAILING)
            | flag((byte == b'\n') & ends, EMPTY_LINE)
            | byte & NOT_ASCII
    })
}

/// What the bytes of characters tell that aren't ASCII.
#[multiversion::multiversion(targets("x86_64+avx2"))]
fn beyond(bytes: &[u8]) -> u8 {
    over(bytes, |[first, second, third]| {
        let within = |byte: u8, from: u8, to: u8| (byte >= from) & (byte <= to);
        let is_c2 = first == 0xc2;
        let is_e280 = (first == 0xe2) & (second == 0x80);
        let is_e281 = (first == 0xe2) & (second == 0x81);
        let is_e3 = first == 0xe3;
        flag(is_c2 & (second == 0x85) | is_e280 & within(third, 0xa8, 0xa9), WIDE_LINE_END)
            | flag(
                is_c2 & (second < 0xa0) | is_e280 & within(third, 0xaa, 0xae) | (first == 0xef) & (second == 0xbb),
                WIDE_CONTROL,
            )
            | flag(is_c2 & (second == 0xa0) | is_e280 & within(third, 0x80, 0x8a), WIDE_SPACE)
            | flag(is_e280 & (third == 0xaf) | is_e281 & (third == 0x9f) | is_e3 & (second == 0x80) & (third == 0x80), WIDE_SPACE)
            | flag((first == 0xe1) & (second == 0x9a), WIDE_SPACE)
            | flag(is_c2 & (second == 0xad) | is_e280 & within(third, 0x8b, 0x8d) | is_e281 & (third == 0xa0), INVISIBLE)
            | flag((first == 0xf3) & (second == 0xa0), INVISIBLE)
            | flag(
                (first >= 0xcc)
                    & !within(first, 0xd0, 0xd1)
                    & !within(first, 0xe4, 0xe9)
                    & !(is_e280 & (third > 0x81))
                    & !(is_e3
                        & within(second, 0x80, 0x83)
                        & !((second == 0x82) & within(third, 0x99, 0x9a))
                        & !((second == 0x80) & (third >= 0xaa))),
                COMPOSES,
            )
    })
}

/// What all bytes tell, each with the two behind it. Blocks of a fixed size become vector code.
#[inline(always)]
fn over(bytes: &[u8], see: impl Fn([u8; 3]) -> u8) -> u8 {
    const BLOCK: usize = 32;
    const BEHIND: usize = 2;
    let mut lanes = [0; BLOCK];
    let mut at = 0;
    while let Some(window) = bytes[at..].first_chunk::<{ BLOCK + BEHIND }>() {
        for lane in 0..BLOCK {
            lanes[lane] |= see([window[lane], window[lane + 1], window[lane + 2]]);
        }
        at += BLOCK;
    }
    let byte = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let rest = (at..bytes.len()).map(|at| see([byte(at), byte(at + 1), byte(at + 2)]));
    lanes.into_iter().chain(rest).fold(0, |all, seen| all | seen)
}

/// Each character whose first byte may be of interest, and where it stands.
pub(super) fn chars(text: &str, may_be: impl Fn(u8) -> bool) -> impl Iterator<Item = (usize, char)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + text.as_bytes()[from..].iter().position(|&byte| may_be(byte))?;
        let char = text[at..].chars().next()?;
        from = at + char.len_utf8();
        Some((at, char))
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Repair, Tidy, edits::Edits};
    use super::Look;

    #[test]
    fn it_overlooks_no_character() {
        for char in '\0'..=char::MAX {
            for text in [
                format!("{char}"),
                format!("a{char}\nb"),
                format!("e\u{301}{char}"),
                format!("か{char}한{char}"),
                format!("{char}\n\n\n"),
            ] {
                let look = Look::at(&text);
                for repair in Tidy::SAFE.repairs().filter(|repair| !look.calls_for(*repair)) {
                    let mut edits = Edits::default();
                    repair.find(&text, &mut edits);
                    assert!(edits.is_empty(), "{} of {text:?}", repair.name());
                }
            }
        }
        assert!(!Look::at("Καλή, cafés — тест; 日本語のテスト。").calls_for(Repair::Whitespace));
    }
}
