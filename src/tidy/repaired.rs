//! Repairs of bytes that may not be UTF-8, large ones by all threads.

use super::encoding::{Encoded, decoded};
use super::look::Look;
use super::{Change, Counts, Repair, Tidy, tidy};
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

/// Repairs a text, of which what can't be told to be text stays as it is. Nothing if nothing is to be repaired.
pub(crate) fn repaired(text: &[u8], repairs: &Tidy) -> Option<Repaired> {
    repaired_within(text, repairs, u64::MAX).expect("there is room for all")
}

/// The same, if it takes no more memory than that.
pub(crate) fn repaired_within(text: &[u8], repairs: &Tidy, room: u64) -> Result<Option<Repaired>, NoRoom> {
    let Some(mut all) = once(text, repairs, room)? else { return Ok(None) };
    // What was repaired may tell now how the rest is encoded.
    while str::from_utf8(&all.text).is_err()
        && let Some(more) = once(&all.text, repairs, room)?
    {
        let encoded = all.encoded.or(more.encoded.map(|_| Encoded::Late));
        all = Repaired { encoded, ..more.after(all) };
    }
    Ok(Some(all))
}

/// Repairs a part of a text that is known to be encoded so, if it isn't UTF-8; `is_beginning`: the first.
pub(crate) fn repaired_of(text: &[u8], encoded: Option<Encoded>, is_beginning: bool, repairs: Tidy) -> Option<Repaired> {
    match encoded.and_then(|encoded| Some((encoded, encoded.read(text, is_beginning)?))) {
        Some((encoded, (decoded, map))) => of_encoded(text, (encoded, decoded, map), &repairs, u64::MAX).map(Some),
        None => of_decoded(text, &repairs, u64::MAX),
    }
    .expect("there is room for all")
}

fn once(text: &[u8], repairs: &Tidy, room: u64) -> Result<Option<Repaired>, NoRoom> {
    if repairs.is_none() {
        return Ok(None);
    }
    match repairs.has(Repair::Encoding).then(|| decoded(text)).flatten() {
        Some(decoded) => of_encoded(text, decoded, repairs, room).map(Some),
        None if is_no_text(text) => Ok(None),
        None => of_decoded(text, repairs, room),
    }
}

/// Whether bytes that aren't in a known encoding are no text in an unknown one either, since NULs are among the first of them.
fn is_no_text(bytes: &[u8]) -> bool {
    const PROBE: usize = 8 << 10;
    memchr::memchr(0, &bytes[..bytes.len().min(PROBE)]).is_some() && simdutf8::basic::from_utf8(bytes).is_err()
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
    pub(crate) fn held(&self) -> u64 {
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
        if let Some(all) = &all {
            all.ensure_fits(1, room)?;
        }
        let repaired: Vec<Option<Repaired>> = some.par_iter().map(|stretch| of_stretch(stretch, repairs)).collect();
        for (stretch, repaired) in some.into_iter().zip(repaired) {
            if all.is_some() || repaired.is_some() {
                all.get_or_insert_with(|| Repaired::begun(&text[..at])).go_on(stretch, repaired, at);
            }
            at += stretch.len();
        }
    }
}

/// A text in stretches, each of which begins a line with a letter or a digit that no repair takes: no repair looks beyond that.
fn stretches(text: &[u8]) -> impl Iterator<Item = &[u8]> + Send {
    let is_firm = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, 0xe4..=0xe9); // nearly all of these are Han
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut ends = memchr::memchr_iter(b'\n', rest.get(STRETCH..).unwrap_or_default()).map(|lf| STRETCH + lf + 1);
        let end = ends.find(|&end| rest.get(end).is_some_and(is_firm)).unwrap_or(rest.len());
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
    let (mut bytes, mut to_text) = (Vec::with_capacity(text.len()), Map::default());
    let mut from = 0;
    let stand_in = stand_in.to_string();
    for (at, other) in memmem::find_iter(&text, stand_in.as_bytes()).zip(others) {
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
    }

    /// Whether nothing was to be repaired.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// How often all of them were made.
    pub fn total(&self) -> u64 {
        self.made.iter().sum()
    }

    /// The repairs that were made, and how often, in words; nothing if there are none.
    pub(crate) fn in_words(&self) -> Option<String> {
        let made = self.made().map(|(repair, times)| format!("{} {}", repair.name(), count(times)));
        let left = || format!("{} left, which can't be written in its place", count(self.left));
        let words: Vec<String> = made.chain((self.left > 0).then(left)).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// The repairs that were made, and how often.
    pub fn made(&self) -> impl Iterator<Item = (Repair, u64)> + '_ {
        Repair::ALL.into_iter().map(|repair| (repair, self.made[repair as usize])).filter(|(_, count)| *count > 0)
    }
}
