//! Repairs of bytes that may not be UTF-8, large ones by all threads.

use super::encoding::Encoded;
use super::look::Look;
use super::wide::is_control;
use super::{Change, Counts, Repair, Tidy, Untold, tidy, told};
use crate::document::{Map, Span};
use crate::error::count;
use memchr::memmem;
use rayon::prelude::*;
use std::ops::{Range, RangeInclusive};

/// So much of a text is repaired by itself.
const STRETCH: usize = 1 << 20;
/// So many stretches for each thread are repaired before they are put together.
const TOGETHER: usize = 4;

/// A text, repaired.
#[derive(Debug)]
pub(crate) struct Repaired {
    pub(crate) text: Vec<u8>,
    /// From that to the text as it was.
    pub(crate) map: Map,
    pub(crate) counts: Counts,
    /// What each repair changed first, in the text as it was.
    pub(crate) firsts: Firsts,
    /// How it was encoded, if not in UTF-8.
    pub(crate) encoded: Option<Encoded>,
}

/// By repair.
pub(crate) type Firsts = [Option<Span>; Repair::ALL.len()];

/// A text takes more memory, repaired, than there is room for: at least so many bytes.
#[derive(Debug)]
pub(crate) struct NoRoom(pub(crate) u64);

/// Repairs a text, of which what can't be told to be text stays as it is. Nothing if nothing is to be repaired, nor told.
pub(crate) fn repaired(text: &[u8], repairs: &Tidy) -> Option<Repaired> {
    repaired_within(text, repairs, u64::MAX).expect("there is room for all")
}

/// The same, if it takes no more memory than that.
pub(crate) fn repaired_within(text: &[u8], repairs: &Tidy, room: u64) -> Result<Option<Repaired>, NoRoom> {
    in_rounds(text, repairs, repairs.has(Repair::Encoding), room)
}

/// Repairs a text, and what that made of it, which it `decodes` if need be.
fn in_rounds(text: &[u8], repairs: &Tidy, decodes: bool, room: u64) -> Result<Option<Repaired>, NoRoom> {
    let Some(mut all) = once(text, repairs, decodes, room)? else { return Ok(None) };
    // What was repaired among what isn't UTF-8 may tell now how the rest is encoded, or what is: so may what was decoded and has NULs.
    let mut was_text = all.encoded.is_some() || is_utf_8(text);
    while (!was_text || memchr::memchr(0, &all.text).is_some())
        && let Some(more) = once(&all.text, repairs, decodes, room)?.filter(|more| !more.counts.is_none())
    {
        was_text = more.encoded.is_some() || is_utf_8(&all.text);
        let encoded = more.encoded.map_or(all.encoded, |_| Some(Encoded::Late));
        all = Repaired { encoded, ..more.after(all) };
    }
    all.counts.undecoded = u64::from(decodes && !was_text && !is_utf_8(&all.text)); // what is made of text is text
    Ok(Some(all))
}

fn is_utf_8(bytes: &[u8]) -> bool {
    simdutf8::basic::from_utf8(bytes).is_ok()
}

/// Repairs a part of a text that is known to be encoded so, if it isn't UTF-8; `is_beginning`: the first.
pub(crate) fn repaired_of(text: &[u8], encoded: Option<Encoded>, is_beginning: bool, repairs: Tidy) -> Option<Repaired> {
    match encoded.and_then(|encoded| Some((encoded, encoded.read(text, is_beginning)?))) {
        Some((encoded, (decoded, map))) => of_encoded(text, (encoded, decoded, map), &repairs, u64::MAX).map(Some),
        None => in_rounds(text, &repairs, false, u64::MAX),
    }
    .expect("there is room for all")
}

fn once(text: &[u8], repairs: &Tidy, decodes: bool, room: u64) -> Result<Option<Repaired>, NoRoom> {
    if repairs.is_none() {
        return Ok(None);
    }
    let told = if decodes { told(text) } else { Ok(None) };
    let repaired = |text| of_decoded(text, repairs, room).map(|repaired| repaired.filter(|_| !is_no_text(text)));
    match told {
        Ok(Some(decoded)) => of_encoded(text, decoded, repairs, room).map(Some),
        Ok(None) => repaired(text),
        Err(Untold) => Ok(Some(repaired(text)?.unwrap_or_else(|| Repaired::begun(text)))),
    }
}

/// Whether bytes that aren't in a known encoding are no text in an unknown one either: they begin with what isn't UTF-8 and has NULs, or with
/// controls, which another kind of UTF-16 may have for letters (tabs, too).
fn is_no_text(bytes: &[u8]) -> bool {
    const PROBE: usize = 8 << 10;
    let beginning = &bytes[..bytes.len().min(PROBE)];
    let controls = beginning.iter().filter(|byte| **byte != b'\x08' && is_control(char::from(**byte))).count();
    let with_tabs = controls + memchr::memchr_iter(b'\t', beginning).count();
    controls * 16 > beginning.len() && with_tabs * 4 > beginning.len()
        || memchr::memchr(0, beginning).is_some() && !is_utf_8(bytes)
}

/// Repairs a text that was decoded.
fn of_encoded(
    text: &[u8],
    (encoded, decoded, map): (Encoded, String, Map),
    repairs: &Tidy,
    room: u64,
) -> Result<Repaired, NoRoom> {
    let mut counts = Counts::default();
    counts.made[Repair::Encoding as usize] = 1;
    let mut firsts = Firsts::default();
    firsts[Repair::Encoding as usize] = Some(Span::new(0, text.len()));
    let read = Repaired { text: decoded.into(), map, counts, firsts, encoded: Some(encoded) };
    read.ensure_fits(2, room)?; // it is there until all of it is repaired
    Ok(match of_decoded(&read.text, repairs, room)? {
        Some(repaired) => repaired.after(read),
        None => read,
    })
}

impl Repaired {
    /// A text of which nothing is repaired so far.
    fn begun(text: &[u8]) -> Self {
        Self {
            text: text.to_vec(),
            map: Map::shift(0, text.len()),
            counts: Counts::default(),
            firsts: Firsts::default(),
            encoded: None,
        }
    }

    /// Goes on with a stretch that begins here, repaired, if that was needed.
    fn go_on(&mut self, stretch: &[u8], repaired: Option<Self>, at: usize) {
        let Some(Self { text, map, counts, firsts, .. }) = repaired else {
            self.text.extend_from_slice(stretch);
            self.map.push(Span::new(at, at + stretch.len()), stretch.len() as u64, false);
            return;
        };
        for (first, further) in self.firsts.iter_mut().zip(firsts) {
            let moved = |span: Span| Span { start: span.start + at as u64, end: span.end + at as u64 };
            *first = first.or(further.map(moved));
        }
        self.text.extend_from_slice(&text);
        self.map.extend(&map, at as u64);
        self.counts.add(&counts);
    }

    /// How much memory it takes.
    fn held(&self) -> u64 {
        (self.text.len() + self.map.held()) as u64
    }

    /// Makes sure that there is room for it so many times.
    fn ensure_fits(&self, times: u64, room: u64) -> Result<(), NoRoom> {
        let needed = self.held() * times;
        if needed <= room { Ok(()) } else { Err(NoRoom(needed)) }
    }

    /// What was made of what `first` made.
    fn after(self, mut first: Self) -> Self {
        for (first_place, place) in first.firsts.iter_mut().zip(self.firsts) {
            *first_place = first_place.or(place.map(|place| first.map.around(place)));
        }
        first.counts.add(&self.counts);
        Self {
            text: self.text,
            map: self.map.then(&first.map),
            counts: first.counts,
            firsts: first.firsts,
            encoded: first.encoded,
        }
    }
}

fn of_decoded(text: &[u8], repairs: &Tidy, room: u64) -> Result<Option<Repaired>, NoRoom> {
    if text.len() <= STRETCH {
        return Ok(of_stretch(text, repairs));
    }
    let mut stretches = stretches(text);
    let mut all: Option<Repaired> = None;
    let mut at = 0;
    loop {
        let some: Vec<&[u8]> = stretches.by_ref().take(TOGETHER * rayon::current_num_threads()).collect();
        if some.is_empty() {
            return Ok(all);
        }
        let repaired: Vec<Option<Repaired>> = some.par_iter().map(|stretch| of_stretch(stretch, repairs)).collect();
        for (stretch, repaired) in some.into_iter().zip(repaired) {
            if all.is_some() || repaired.is_some() {
                let all = all.get_or_insert_with(|| Repaired::begun(&text[..at]));
                all.go_on(stretch, repaired, at);
                all.ensure_fits(1, room)?;
            }
            at += stretch.len();
        }
    }
}

/// A text in stretches, each of which begins a line with a character that isn't blank, and that no repair takes: no repair looks beyond that.
fn stretches(text: &[u8]) -> impl Iterator<Item = &[u8]> + Send {
    let is_firm = |rest: &[u8]| match *rest {
        [b'&', ..] | [0xe3, 0x80, 0x80, ..] | [0xe1, 0x9a, ..] => false,
        // Letters of nearly all scripts, but for marks.
        [byte, ..] => byte.is_ascii_graphic() || matches!(byte, 0xc3..=0xcb | 0xce..=0xd9 | 0xe0..=0xe1 | 0xe3..=0xed),
        [] => false,
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut ends = memchr::memchr_iter(b'\n', rest.get(STRETCH..).unwrap_or_default()).map(|lf| STRETCH + lf + 1);
        let end = ends.find(|&end| is_firm(&rest[end..])).unwrap_or(rest.len());
        rest.split_off(..end).filter(|stretch| !stretch.is_empty())
    })
}

fn of_stretch(stretch: &[u8], repairs: &Tidy) -> Option<Repaired> {
    match simdutf8::basic::from_utf8(stretch) {
        Ok(text) => of_text(text, repairs),
        Err(_) => repaired_in(stretch, &[Span::new(0, stretch.len())], *repairs, BROKEN),
    }
}

/// Whether there may be something in a text for one of some repairs.
pub(crate) fn may_call_for(text: &[u8], repairs: Tidy) -> bool {
    if repairs.is_none() {
        return false;
    }
    let look = simdutf8::basic::from_utf8(text).map(Look::at);
    look.map_or(true, |look| repairs.repairs().any(|repair| look.calls_for(repair)))
}

fn of_text(text: &str, repairs: &Tidy) -> Option<Repaired> {
    let tidied = tidy(text, repairs);
    let map = tidied.map?;
    let mut firsts = Firsts::default();
    for &Change { repair, at } in &tidied.changes {
        let first = firsts[repair as usize].get_or_insert(at);
        *first = (*first).min(at);
    }
    Some(Repaired { text: tidied.text.into_owned().into(), map, counts: Counts::of(&tidied.changes), firsts, encoded: None })
}

/// What stands for bytes that are no characters: characters that no text has.
const BROKEN: RangeInclusive<char> = '\u{fdd0}'..='\u{fddf}';
/// And for tags.
pub(crate) const TAGS: RangeInclusive<char> = '\u{fde0}'..='\u{fdef}';

/// Repairs a text of which only some places, in order, are text: one of other characters stands meanwhile for each run of what isn't, or is
/// no character.
pub(crate) fn repaired_in(
    stretch: &[u8],
    places: &[Span],
    repairs: Tidy,
    mut stand_ins: RangeInclusive<char>,
) -> Option<Repaired> {
    let stand_in = stand_ins.find(|char| memmem::find(stretch, char.to_string().as_bytes()).is_none())?;
    let (mut text, mut to_stretch, mut others) = (String::with_capacity(stretch.len()), Map::default(), Vec::new());
    let mut from = 0;
    let mut pass = |text: &mut String, to_stretch: &mut Map, at: Range<usize>| {
        if !at.is_empty() {
            text.push(stand_in);
            to_stretch.push(Span::new(at.start, at.end), stand_in.len_utf8() as u64, true);
            others.push(&stretch[at]);
        }
    };
    for place in places {
        let mut at = place.range().start;
        for chunk in place.of(stretch).utf8_chunks() {
            let valid = chunk.valid();
            if !valid.is_empty() {
                pass(&mut text, &mut to_stretch, from..at);
                text.push_str(valid);
                to_stretch.push(Span::new(at, at + valid.len()), valid.len() as u64, false);
                from = at + valid.len();
            }
            at += valid.len() + chunk.invalid().len();
        }
    }
    pass(&mut text, &mut to_stretch, from..stretch.len());
    let Repaired { text, map, counts, firsts, .. } = of_text(&text, &repairs)?;
    let stand_in = stand_in.to_string();
    let places: Vec<usize> = memmem::find_iter(&text, stand_in.as_bytes()).collect();
    // Halves of characters that come together would be one, which only what is decoded may become.
    let are_apart = || repairs.has(Repair::Encoding) || places.windows(2).all(|pair| pair[0] + stand_in.len() < pair[1]);
    if places.len() != others.len() || !are_apart() {
        return None;
    }
    let (mut bytes, mut to_text) = (Vec::with_capacity(text.len()), Map::default());
    let mut from = 0;
    for (at, other) in places.into_iter().zip(others) {
        bytes.extend_from_slice(&text[from..at]);
        to_text.push(Span::new(from, at), (at - from) as u64, false);
        bytes.extend_from_slice(other);
        from = at + stand_in.len();
        to_text.push(Span::new(at, from), other.len() as u64, true);
    }
    bytes.extend_from_slice(&text[from..]);
    to_text.push(Span::new(from, text.len()), (text.len() - from) as u64, false);
    let firsts = firsts.map(|first| first.map(|first| to_stretch.around(first)));
    let map = to_text.then(&map).then(&to_stretch).loosened(&bytes, stretch);
    Some(Repaired { text: bytes, map, counts, firsts, encoded: None })
}

impl Counts {
    fn of(changes: &[Change]) -> Self {
        let mut counts = Self::default();
        changes.iter().for_each(|change| counts.made[change.repair as usize] += 1);
        counts
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.made.iter_mut().zip(other.made).for_each(|(count, more)| *count += more);
        self.left += other.left;
        self.undecoded += other.undecoded;
    }

    /// Whether nothing was repaired.
    pub fn is_none(&self) -> bool {
        self.total() == 0
    }

    /// Whether nothing was to be repaired either.
    pub(crate) fn tell_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// How often all of them were made.
    pub fn total(&self) -> u64 {
        self.made.iter().sum()
    }

    /// The repairs that were made, and how often, in words; nothing if there are none.
    pub(crate) fn in_words(&self) -> Option<String> {
        let made = self.made().map(|(repair, times)| format!("{} {}", repair.name(), count(times)));
        let left = || match self.left {
            1 => "1 repair left, which can't be written there".to_owned(),
            repairs => format!("{} repairs left, which can't be written there", count(repairs)),
        };
        let undecoded = || match self.undecoded {
            1 => "1 text not decoded, since nothing tells what it is in".to_owned(),
            texts => format!("{} texts not decoded, since nothing tells what they are in", count(texts)),
        };
        let words: Vec<String> = made.chain((self.left > 0).then(left)).chain((self.undecoded > 0).then(undecoded)).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// The repairs that were made, and how often.
    pub fn made(&self) -> impl Iterator<Item = (Repair, u64)> + '_ {
        Repair::ALL.into_iter().map(|repair| (repair, self.made[repair as usize])).filter(|(_, count)| *count > 0)
    }
}
