//! Repairs of what is written: each a function from a text to the changes that it needs. They come in a fixed order, and again until
//! nothing changes, so that tidying twice is tidying once. Knows characters and maps, no documents.
//!
//! No repair looks further than a line and those beside it, and when in doubt a text stays as it is.

mod blank_lines;
mod control;
mod edits;
mod encoding;
mod entities;
mod invisible;
mod look;
mod mojibake;
mod newlines;
mod repaired;
mod unicode;
mod whitespace;
pub(crate) mod wide;

use crate::document::{Map, Span};
use edits::Edits;
pub(crate) use encoding::{Encoded, decoded};
use encoding::{Untold, told};
use look::Look;
pub(crate) use repaired::{Firsts, NoRoom, Repaired, TAGS, may_call_for, repaired, repaired_in, repaired_of, repaired_within};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// A repair of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repair {
    /// What isn't UTF-8 is decoded. It is a repair of bytes: a string is UTF-8.
    Encoding,
    /// Entities of HTML become their characters, also where they were written as entities again.
    Entities,
    /// What was in UTF-8, was read as something else and written in UTF-8 again reads as it did.
    Mojibake,
    /// What ends a line is one line feed.
    Newlines,
    /// Control characters go, and with them commands to terminals, byte order marks within a text and bidirectional overrides.
    Control,
    /// Characters that show nothing go, where no script and no emoji needs them.
    Invisible,
    /// Characters are in their composed spelling (NFC, UAX #15).
    Unicode,
    /// Characters that are others in another form become those (NFKC, UAX #15).
    Nfkc,
    /// Nothing blank stands at the end of a line, and all spaces are plain ones.
    Whitespace,
    /// At most one blank line stands between others.
    BlankLines,
}

impl Repair {
    /// All that there are, in the order in which they are made.
    pub const ALL: [Self; 10] = [
        Repair::Encoding,
        Repair::Entities,
        Repair::Mojibake,
        Repair::Newlines,
        Repair::Control,
        Repair::Invisible,
        Repair::Unicode,
        Repair::Nfkc,
        Repair::Whitespace,
        Repair::BlankLines,
    ];

    /// Its name on the command line, in reports and records.
    pub fn name(self) -> &'static str {
        match self {
            Repair::Encoding => "encoding",
            Repair::Entities => "entities",
            Repair::Mojibake => "mojibake",
            Repair::Newlines => "newlines",
            Repair::Control => "control",
            Repair::Invisible => "invisible",
            Repair::Unicode => "unicode",
            Repair::Nfkc => "nfkc",
            Repair::Whitespace => "whitespace",
            Repair::BlankLines => "blank-lines",
        }
    }

    fn find(self, text: &str, edits: &mut Edits) {
        match self {
            Repair::Encoding => {}
            Repair::Entities => entities::find(text, edits),
            Repair::Mojibake => mojibake::find(text, edits),
            Repair::Newlines => newlines::find(text, edits),
            Repair::Control => control::find(text, edits),
            Repair::Invisible => invisible::find(text, edits),
            Repair::Unicode => unicode::find(text, unicode::Form::Nfc, edits),
            Repair::Nfkc => unicode::find(text, unicode::Form::Nfkc, edits),
            Repair::Whitespace => whitespace::find(text, edits),
            Repair::BlankLines => blank_lines::find(text, edits),
        }
    }
}

/// Which repairs are made; by default none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tidy(u16);

impl Tidy {
    /// None.
    pub const NONE: Self = Self(0);

    /// Those that lose nothing that a reader sees: all but `nfkc`.
    pub const SAFE: Self = Self(((1 << Repair::ALL.len()) - 1) & !(1 << Repair::Nfkc as u16));

    /// Whether a repair is one of them.
    pub fn has(self, repair: Repair) -> bool {
        self.0 & 1 << repair as u16 != 0
    }

    /// They, but for one.
    pub(crate) fn without(self, repair: Repair) -> Self {
        Self(self.0 & !(1 << repair as u16))
    }

    /// Whether there is none.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// They, in the order in which they are made.
    pub fn repairs(self) -> impl Iterator<Item = Repair> {
        Repair::ALL.into_iter().filter(move |repair| self.has(*repair))
    }
}

impl FromIterator<Repair> for Tidy {
    fn from_iter<I: IntoIterator<Item = Repair>>(repairs: I) -> Self {
        Self(repairs.into_iter().fold(0, |all, repair| all | 1 << repair as u16))
    }
}

/// Their names, with commas between them.
impl fmt::Display for Tidy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repairs().map(Repair::name).collect::<Vec<_>>().join(","))
    }
}

/// A list of names, with commas between them; `safe` stands for those that are safe.
impl FromStr for Tidy {
    type Err = String;

    fn from_str(list: &str) -> Result<Self, String> {
        let mut all = 0;
        for name in list.split(',').map(str::trim) {
            let one = Repair::ALL.into_iter().find(|repair| repair.name() == name);
            all |= match one {
                Some(repair) => Self::from_iter([repair]).0,
                None if name == "safe" => Self::SAFE.0,
                None => {
                    let names = Repair::ALL.map(Repair::name).join(", ");
                    return Err(format!("there is no repair `{name}`; there are {names}, and safe for all but nfkc"));
                }
            };
        }
        Ok(Self(all))
    }
}

/// How often each repair was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    made: [u64; Repair::ALL.len()],
    /// How often one couldn't be: what it gives can't be written in the place, or would read as something else there.
    pub left: u64,
    /// The texts that aren't UTF-8, and of which it can't be told what they are in.
    pub undecoded: u64,
}

/// By their names, those that were made; and what is `left` or `undecoded`, if anything.
impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        self.made().try_for_each(|(repair, count)| map.serialize_entry(repair.name(), &count))?;
        for (name, count) in [("left", self.left), ("undecoded", self.undecoded)] {
            if count > 0 {
                map.serialize_entry(name, &count)?;
            }
        }
        map.end()
    }
}

/// What ends a line where the line ends of a text aren't repaired yet; but for that of ISO 6429, which is a byte of mojibake, too.
fn ends_a_line(char: char) -> bool {
    matches!(char, '\n' | '\r' | '\x0b' | '\x0c' | '\u{2028}' | '\u{2029}')
}

/// Whether it is none of the characters that texts may have (The Unicode Standard, 23.7).
fn is_noncharacter(char: char) -> bool {
    matches!(char, '\u{fdd0}'..='\u{fdef}') || char as u32 & 0xfffe == 0xfffe
}

/// The line that a place is in, without its ends; at the earliest from a place on.
fn line_around(text: &str, at: usize, from: usize) -> Range<usize> {
    let before = text[from..at].char_indices().rfind(|(_, char)| ends_a_line(*char));
    let start = before.map_or(from, |(end, char)| from + end + char.len_utf8());
    start..text[at..].find(ends_a_line).map_or(text.len(), |len| at + len)
}

/// A text, repaired.
#[derive(Clone, Debug)]
pub struct Tidied<'t> {
    /// The text; borrowed if nothing was to be repaired.
    pub text: Cow<'t, str>,
    /// What was changed, in the order in which that was done.
    pub changes: Vec<Change>,
    /// Where its bytes stand in the original; none if all stand where they stood.
    map: Option<Map>,
}

/// A change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The repair that made it.
    pub repair: Repair,
    /// What it changed: bytes of the original.
    pub at: Span,
}

impl Tidied<'_> {
    /// Where its bytes stand in the original.
    pub fn map(&self) -> Map {
        self.map.clone().unwrap_or_else(|| Map::shift(0, self.text.len()))
    }

    /// How many changes a repair made.
    pub fn count(&self, repair: Repair) -> usize {
        self.changes.iter().filter(|change| change.repair == repair).count()
    }
}

/// So often at most all repairs are made: what one of them makes another may repair, which a text may drive on and on. A line that isn't stable
/// then stays as it is.
const MOST_ROUNDS: usize = 50;

/// Repairs a text.
///
/// ```
/// use unecho::tidy::{Repair, Tidy, tidy};
///
/// let tidied = tidy("caf\u{c3}\u{a9} &amp;amp; bar  \r\n", &Tidy::SAFE);
/// assert_eq!(tidied.text, "caf\u{e9} & bar\n");
/// assert_eq!(tidied.count(Repair::Mojibake), 1);
/// assert_eq!(tidied.changes[0].at.range(), 8..17);
/// ```
pub fn tidy<'t>(text: &'t str, repairs: &Tidy) -> Tidied<'t> {
    let mut tidied = Tidied { text: Cow::Borrowed(text), changes: Vec::new(), map: None };
    let mut edits = Edits::default();
    for _ in 0..MOST_ROUNDS {
        let count = tidied.changes.len();
        let mut look = Look::at(&tidied.text);
        for repair in repairs.repairs() {
            if !look.calls_for(repair) {
                continue;
            }
            repair.find(&tidied.text, &mut edits);
            if edits.is_empty() {
                continue;
            }
            let place = |at: Span| tidied.map.as_ref().map_or(at, |map| map.around(at));
            tidied.changes.extend(edits.places().map(|at| Change { repair, at: place(at) }));
            let (text, map) = edits.make(&tidied.text);
            tidied.map = Some(tidied.map.as_ref().map_or_else(|| map.clone(), |before| map.then(before)));
            look = Look::at(&text);
            tidied.text = Cow::Owned(text);
            edits.clear();
        }
        if tidied.changes.len() == count {
            return tidied;
        }
    }
    by_parts(text, repairs)
}

/// Repairs the parts of a text by themselves, each of which begins a line.
fn by_parts<'t>(text: &'t str, repairs: &Tidy) -> Tidied<'t> {
    let begins = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_alphanumeric);
    let mut bounds: Vec<usize> = memchr::memchr_iter(b'\n', text.as_bytes()).map(|lf| lf + 1).filter(|at| begins(*at)).collect();
    if bounds.is_empty() {
        return Tidied { text: Cow::Borrowed(text), changes: Vec::new(), map: None };
    }
    bounds.push(text.len());
    let (mut all, mut changes, mut map) = (String::with_capacity(text.len()), Vec::new(), Map::default());
    let mut from = 0;
    for to in bounds {
        let part = tidy(&text[from..to], repairs);
        let moved = |at: Span| Span { start: at.start + from as u64, end: at.end + from as u64 };
        changes.extend(part.changes.iter().map(|change| Change { at: moved(change.at), ..*change }));
        map.extend(&part.map(), from as u64);
        all.push_str(&part.text);
        from = to;
    }
    match changes.is_empty() {
        true => Tidied { text: Cow::Borrowed(text), changes, map: None },
        false => Tidied { text: Cow::Owned(all), changes, map: Some(map) },
    }
}

#[cfg(test)]
mod tests;
