//! What is kept of a block's text for those who judge the block when the text is gone.

use super::Lines;
use crate::compare::{Match, compared};
use crate::error::visible;
use crate::fingerprint::fingerprint;
use std::fmt;
use unicode_width::UnicodeWidthChar;

/// What tells a repeated text from others, wherever it stands and however its lines break.
///
/// XXH3-128 of its compared form ([`Match::Text`], whatever paragraphs are compared by): the same in each run and version. Nothing is cut
/// by it; two texts that are made to have the same one are taken for one another by whoever lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u128);

impl Fingerprint {
    /// That of a text.
    pub fn of(text: &[u8]) -> Self {
        Self(fingerprint(compared(text, Match::Text, &mut Vec::new())))
    }

    /// The one that is written so: 32 hexadecimal digits.
    pub fn read(written: &str) -> Option<Self> {
        let is_one = written.len() == 32 && written.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_one.then(|| u128::from_str_radix(written, 16).ok().map(Self)).flatten()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl serde::Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// What is kept of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What tells its text from others.
    pub fingerprint: Fingerprint,
    /// How it reads, if it is to be shown.
    pub repeat: Option<Quote>,
    /// How the text reads that stays, or the first piece of it, if it is to be shown and its lines are known.
    pub kept: Option<Quote>,
    /// Whether it may repeat.
    pub is_allowed: bool,
}

/// What is wanted of blocks while their texts are at hand.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Whether a block may repeat.
    pub allows: &'a (dyn Fn(Seen) -> bool + Sync),
    /// Whether it will be shown.
    pub quotes: bool,
}

/// A block as it reads.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its text.
    pub text: &'a [u8],
    /// What tells that from others.
    pub fingerprint: Fingerprint,
    /// How many paragraphs it has where it stands.
    pub paragraphs: usize,
}

impl Evidence {
    /// Of a block of so many paragraphs, and of what stays, if the lines of that are known.
    pub(crate) fn new(block: Reads, paragraphs: usize, kept: Option<Reads>, Wanted { allows, quotes }: Wanted) -> Self {
        let fingerprint = Fingerprint::of(block.text);
        Self {
            fingerprint,
            repeat: quotes.then(|| Quote::new(block)),
            kept: kept.filter(|_| quotes).map(Quote::new),
            is_allowed: allows(Seen { text: block.text, fingerprint, paragraphs }),
        }
    }
}

/// A passage as it reads.
#[derive(Clone, Copy)]
pub(crate) struct Reads<'a> {
    pub(crate) text: &'a [u8],
    /// The numbers of its lines.
    pub(crate) lines: Lines,
    /// Whether each of those is a paragraph.
    pub(crate) are_paragraphs: bool,
}

/// The first lines of a passage and its last one, without anything that would disturb a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The numbers of its lines.
    pub lines: Lines,
    /// The first ones: [`Quote::FIRST`], or up to two more if those are all.
    pub first: Vec<String>,
    /// The last one, if it isn't among those.
    pub last: Option<String>,
    /// Whether the lines are paragraphs.
    pub are_paragraphs: bool,
}

impl Quote {
    /// So many lines are quoted of a longer passage.
    pub const FIRST: usize = 2;
    /// So many columns are quoted of a longer line: what fits on a line of a terminal beside its number.
    const COLUMNS: usize = 90;

    fn new(Reads { text, lines, are_paragraphs }: Reads) -> Self {
        let mut all = text.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        // Of one more than are quoted none is left out.
        let few = Self::FIRST + 2;
        let quoted = if lines.count() <= few as u64 { few } else { Self::FIRST };
        let first: Vec<String> = all.by_ref().take(quoted).map(shown).collect();
        let last = text.rsplit(|&byte| byte == b'\n').next().filter(|_| lines.count() > quoted as u64);
        Self { lines, first, last: last.map(shown), are_paragraphs }
    }
}

fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(8 * Quote::COLUMNS)]);
    let text = visible(text.trim_end());
    let mut columns = 0;
    let is_beyond = |(_, c): &(usize, char)| {
        columns += c.width().unwrap_or(1);
        columns > Quote::COLUMNS
    };
    match text.char_indices().find(is_beyond) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_of_the_text_not_of_its_lines() {
        let one = Fingerprint::of("The harbour was quiet,\nand so was the café.\n".as_bytes());
        assert_eq!(one, Fingerprint::of("The  harbour was\r\nquiet, and so was the cafe\u{301}.".as_bytes()));
        assert_ne!(one, Fingerprint::of("The harbour was quiet, and so was the cafe.".as_bytes()));
        assert_eq!(Fingerprint::read(&one.to_string()), Some(one));
        assert_eq!(Fingerprint::read("+f"), None);
        // It stands in baselines, so it must never change.
        assert_eq!(Fingerprint::of(b"A text.").to_string(), "f599ba01a5d048959d5d580c78af8269");
    }

    #[test]
    fn a_quote_has_the_first_lines_and_the_last() {
        let quote = |text: &[u8], first, last| Quote::new(Reads { text, lines: Lines { first, last }, are_paragraphs: false });
        let long = quote(b"one\r\ntwo\n\x1b[31m\nfour\n\xff", 3, 7);
        assert_eq!((long.first, long.last), (vec!["one".into(), "two".into()], Some("\u{fffd}".into())));
        assert_eq!(quote(b"one\ntwo\nthree\nfour", 3, 6).first.len(), 4);
        assert_eq!(quote(b"one\ntwo", 3, 4).last, None);
        assert_eq!(quote("é".repeat(500).as_bytes(), 1, 1).first, ["é".repeat(90) + "…"]);
        assert_eq!(quote("山".repeat(500).as_bytes(), 1, 1).first, ["山".repeat(45) + "…"]);
    }
}
