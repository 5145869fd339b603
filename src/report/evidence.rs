//! What is kept of a block's text for those who judge the block when the text is gone.

use super::Lines;
use crate::compare::{Match, compared};
use crate::error::visible;
use crate::fingerprint::fingerprint;
use bstr::ByteSlice;
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
    /// Of a block, given as it reads, and of what stays, if the lines of that are known. Where `are_paragraphs`, those are numbers of
    /// paragraphs, which a blank line ends.
    pub(crate) fn new(
        (text, lines, paragraphs): (&[u8], Lines, usize),
        kept: Option<(&[u8], Lines)>,
        are_paragraphs: bool,
        Wanted { allows, quotes }: Wanted,
    ) -> Self {
        let fingerprint = Fingerprint::of(text);
        let quote = |text: &[u8], lines| match are_paragraphs {
            true => Quote::new(&one_a_line(text), lines),
            false => Quote::new(text, lines),
        };
        Self {
            fingerprint,
            repeat: quotes.then(|| quote(text, lines)),
            kept: kept.filter(|_| quotes).map(|(text, lines)| quote(text, lines)),
            is_allowed: allows(Seen { text, fingerprint, paragraphs }),
        }
    }
}

/// Paragraphs that blank lines end, each as one line.
fn one_a_line(text: &[u8]) -> Vec<u8> {
    let paragraphs = text.split_str(b"\n\n").map(|paragraph| compared(paragraph, Match::Text, &mut Vec::new()).to_vec());
    paragraphs.collect::<Vec<_>>().join(&b'\n')
}

/// The first lines of a passage and its last one, without anything that would disturb a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The numbers of its lines.
    pub lines: Lines,
    /// The first ones, at most [`Quote::FIRST`].
    pub first: Vec<String>,
    /// The last one, if it isn't among those.
    pub last: Option<String>,
}

impl Quote {
    /// So many lines are quoted of a longer passage.
    pub const FIRST: usize = 2;
    /// So many columns are quoted of a longer line: what fits on a line of a terminal beside its number.
    const COLUMNS: usize = 90;

    fn new(text: &[u8], lines: Lines) -> Self {
        let mut all = text.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let first: Vec<String> = all.by_ref().take(Self::FIRST).map(shown).collect();
        let last = text.rsplit(|&byte| byte == b'\n').next().filter(|_| lines.count() > Self::FIRST as u64);
        Self { lines, first, last: last.map(shown) }
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
        let lines = |first, last| Lines { first, last };
        let quote = Quote::new(b"one\r\ntwo\n\x1b[31m\n\xff", lines(3, 6));
        assert_eq!((quote.first, quote.last), (vec!["one".into(), "two".into()], Some("\u{fffd}".into())));
        assert_eq!(Quote::new(b"one\ntwo", lines(3, 4)).last, None);
        let long = Quote::new("é".repeat(500).as_bytes(), lines(1, 1)).first;
        assert_eq!(long, ["é".repeat(90) + "…"]);
        assert_eq!(Quote::new("山".repeat(500).as_bytes(), lines(1, 1)).first, ["山".repeat(45) + "…"]);
    }
}
