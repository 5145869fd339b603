//! The candidate encodings, as one table from characters to bytes.

use encoding_rs::{
    Encoding, ISO_8859_2, MACINTOSH, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1257,
};
use std::sync::LazyLock;

/// How many encodings there are.
pub(super) const COUNT: usize = ENCODINGS.len() + 1;

/// The index of MacRoman. It and code page 437 have signs where the others have letters.
pub(super) const MAC: usize = 7;

/// The index of Windows-1254.
pub(super) const TURKISH: usize = 3;

/// Those that `encoding_rs` has, the likeliest first. Code page 437 comes after them.
const ENCODINGS: [&Encoding; 8] =
    [WINDOWS_1252, WINDOWS_1251, WINDOWS_1250, WINDOWS_1254, WINDOWS_1257, ISO_8859_2, WINDOWS_1253, MACINTOSH];

/// The upper half of code page 437, up to the highest byte that UTF-8 has.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
                     └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠";

/// The bytes 80 to 9F in Windows-1252. Five of them are not defined and stay control characters.
pub(super) static C1: LazyLock<[char; 32]> = LazyLock::new(|| std::array::from_fn(|i| upper(WINDOWS_1252, 0x80 + i as u8)));

/// The character of a byte. One that is not defined is taken for Latin-1, as most software does.
fn upper(encoding: &'static Encoding, byte: u8) -> char {
    let bytes = [byte];
    let (text, _) = encoding.decode_without_bom_handling(&bytes);
    text.chars().next().filter(|&c| c != '\u{FFFD}').unwrap_or(char::from(byte))
}

/// What a character is in each encoding. A set of encodings has one bit for each.
#[derive(Clone, Copy, Default)]
pub(super) struct Entry {
    /// Where it is the first byte of a two-byte sequence.
    pub(super) lead2: u16,
    /// Where it is the first byte of a longer sequence.
    pub(super) lead3: u16,
    /// Where it is a later byte of a sequence.
    pub(super) trail: u16,
    /// Whether it is a C1 control character.
    pub(super) control: bool,
    /// Whether a plain space after it may stand for a lost byte A0.
    pub(super) merges: bool,
    bytes: [u8; COUNT],
}

/// All characters of the encodings, in pages of 64.
pub(super) struct Table {
    pages: [u8; 0x400],
    entries: Vec<Entry>,
    /// The encodings in which the byte A0 is the no-break space.
    pub(super) spaced: u16,
}

/// The table, made at the first use.
pub(super) fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(Table::new);
    &TABLE
}

impl Table {
    fn new() -> Table {
        // Page 0 is empty: it serves all characters that no encoding has.
        let mut table = Table { pages: [0; 0x400], entries: vec![Entry::default(); 64], spaced: 0 };
        for byte in 0x80..=0xFF {
            for (index, encoding) in ENCODINGS.into_iter().enumerate() {
                table.add(upper(encoding, byte), index, byte);
            }
        }
        for (byte, c) in (0x80..).zip(CP437.chars()) {
            table.add(c, COUNT - 1, byte);
        }
        for byte in 0x80..0xA0 {
            // Latin-1 and Windows-1252 are mixed so often that they count as one encoding.
            table.add(char::from(byte), 0, byte);
            table.slot(char::from(byte)).control = true;
        }
        // A lost byte can be any later byte.
        table.slot('\u{FFFD}').trail = u16::MAX;
        table
    }

    fn add(&mut self, c: char, index: usize, byte: u8) {
        let set = 1 << index;
        if c == '\u{A0}' && byte == 0xA0 {
            self.spaced |= set;
        }
        let entry = self.slot(c);
        entry.bytes[index] = byte;
        match byte {
            0x80..0xC0 => entry.trail |= set,
            0xC2..0xE0 => entry.lead2 |= set,
            0xE0..0xF5 => entry.lead3 |= set,
            _ => (),
        }
        entry.merges |= byte == 0xC3 || c == 'Â';
    }

    /// The entry of a character, made if need be. All characters of the encodings are below U+10000.
    fn slot(&mut self, c: char) -> &mut Entry {
        let (page, low) = (c as usize >> 6, c as usize & 63);
        if self.pages[page] == 0 {
            self.pages[page] = (self.entries.len() / 64) as u8;
            self.entries.resize(self.entries.len() + 64, Entry::default());
        }
        &mut self.entries[usize::from(self.pages[page]) * 64 + low]
    }

    /// The entry of a code point, an empty one if no encoding has it.
    #[inline]
    pub(super) fn code(&self, code: u32) -> &Entry {
        let page = self.pages.get(code as usize >> 6).copied().unwrap_or(0);
        &self.entries[usize::from(page) * 64 + (code & 63) as usize]
    }

    pub(super) fn entry(&self, c: char) -> &Entry {
        self.code(c as u32)
    }

    /// The encodings in which `c` may begin a sequence that `next` continues.
    pub(super) fn leads(&self, c: char, next: char) -> u16 {
        let entry = self.entry(c);
        let trails = match next {
            '?' => u16::MAX,
            ' ' => self.spaced,
            _ => self.entry(next).trail,
        };
        let leads = (entry.lead2 | entry.lead3) & trails;
        // Windows-1254 differs from Windows-1252 only in a few leads, and is of use only with these.
        if leads & 1 == 1 { leads & !(1 << TURKISH) } else { leads }
    }

    /// The byte of a character that begins a sequence.
    pub(super) fn lead(&self, c: char, encoding: usize) -> Option<u8> {
        let entry = self.entry(c);
        ((entry.lead2 | entry.lead3) >> encoding & 1 == 1).then_some(entry.bytes[encoding])
    }

    /// The byte of a character that continues a sequence.
    pub(super) fn trail(&self, c: char, encoding: usize) -> Option<u8> {
        let entry = self.entry(c);
        (entry.trail >> encoding & 1 == 1 && entry.bytes[encoding] != 0).then_some(entry.bytes[encoding])
    }
}
