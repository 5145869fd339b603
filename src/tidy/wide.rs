//! UTF-16, told by its mark, or by what no other text has. Knows bytes only.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

/// So much of a text tells.
const PROBE: usize = 64 << 10;

/// Whether it begins with the byte order mark of UTF-16, or of little-endian UTF-32.
pub(crate) fn is_marked(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")
}

/// Whether a file that begins so, without a mark, may be UTF-16: what of it tells is text.
pub(crate) fn may_be_unmarked(bytes: &[u8]) -> bool {
    let beginning = &bytes[..bytes.len().min(PROBE) & !1];
    let is_text = |encoding: &'static Encoding| !encoding.decode_without_bom_handling(beginning).0.contains(is_control);
    !is_marked(bytes) && wide(beginning).is_some_and(|(encoding, _)| is_text(encoding))
}

/// The kind of UTF-16 that bytes are, and how many of them only say so: by their mark, or since most characters are ASCII, of which every other
/// byte is NUL.
pub(crate) fn wide(bytes: &[u8]) -> Option<(&'static Encoding, usize)> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => return None,
        [0xff, 0xfe, ..] => return Some((UTF_16LE, 2)),
        [0xfe, 0xff, ..] => return Some((UTF_16BE, 2)),
        _ => {}
    }
    let beginning = &bytes[..bytes.len().min(PROBE)];
    let nuls = |from: usize| beginning.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (nuls(0), nuls(1));
    let is_most = |count: usize| count > 0 && count * 2 * 10 >= beginning.len() * 7;
    match bytes.len() % 2 {
        0 if even == 0 && is_most(odd) => Some((UTF_16LE, 0)),
        0 if odd == 0 && is_most(even) => Some((UTF_16BE, 0)),
        0 if even == 0 && odd > 0 && is_of_one_script(beginning, UTF_16LE) => Some((UTF_16LE, 0)),
        0 if odd == 0 && even > 0 && is_of_one_script(beginning, UTF_16BE) => Some((UTF_16BE, 0)),
        _ => None,
    }
}

/// Whether bytes, in UTF-16, are letters of one alphabet, with what stands between words, as no text is by chance.
fn is_of_one_script(beginning: &[u8], encoding: &'static Encoding) -> bool {
    let text = encoding.decode_without_bom_handling(beginning).0;
    let mut blocks = [0u32; 32];
    let (mut all, mut others) = (0, 0);
    for char in text.chars().filter(|char| !char.is_ascii()) {
        all += 1;
        match blocks.get_mut(char as usize >> 8) {
            Some(block) if char.is_alphanumeric() => *block += 1,
            _ => others += 1,
        }
    }
    let most = blocks.into_iter().max().unwrap_or_default();
    most >= 4 && most * 10 >= all * 8 && others * 10 <= all && !text.contains(is_control)
}

/// Whether no text has it.
pub(crate) fn is_control(char: char) -> bool {
    char < ' ' && !matches!(char, '\t'..='\r' | '\x1b')
}
