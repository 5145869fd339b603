//! Repairs of bytes that may not be UTF-8, large ones by all threads.

use super::encoding::decoded;
use super::{Change, Counts, Repair, Tidy, tidy};
use crate::document::{Map, Span};
use crate::error::count;
use rayon::prelude::*;

/// So much of a text is repaired by itself.
const STRETCH: usize = 1 << 20;

/// A text, repaired.
#[derive(Debug)]
pub(crate) struct Repaired {
    pub(crate) text: Vec<u8>,
    /// From that to the text as it was.
    pub(crate) map: Map,
    pub(crate) counts: Counts,
    /// What each repair changed first, in the text as it was.
    pub(crate) firsts: Firsts,
}

/// By repair.
pub(crate) type Firsts = [Option<Span>; Repair::ALL.len()];

/// Repairs a text, of which what can't be told to be text stays as it is. Nothing if nothing is to be repaired.
pub(crate) fn repaired(text: &[u8], repairs: &Tidy) -> Option<Repaired> {
    if repairs.is_none() {
        return None;
    }
    let Some((decoded, map)) = repairs.has(Repair::Encoding).then(|| decoded(text)).flatten() else {
        return of_decoded(text, repairs);
    };
    let mut repaired = match of_decoded(decoded.as_bytes(), repairs) {
        Some(repaired) => {
            let firsts = repaired.firsts.map(|first| first.map(|first| map.around(first)));
            Repaired { map: repaired.map.then(&map), firsts, ..repaired }
        }
        None => Repaired { text: decoded.into(), map, counts: Counts::default(), firsts: Firsts::default() },
    };
    repaired.counts.0[Repair::Encoding as usize] = 1;
    repaired.firsts[Repair::Encoding as usize] = Some(Span::new(0, text.len()));
    Some(repaired)
}

fn of_decoded(text: &[u8], repairs: &Tidy) -> Option<Repaired> {
    let stretches: Vec<&[u8]> = stretches(text).collect();
    let each: Vec<Option<Repaired>> = match stretches.as_slice() {
        [one] => vec![of_stretch(one, repairs)],
        all => all.par_iter().map(|stretch| of_stretch(stretch, repairs)).collect(),
    };
    each.iter().any(Option::is_some).then(|| join(stretches.into_iter().zip(each)))
}

/// Whether nothing is to be repaired in a text.
pub(crate) fn is_tidy(text: &[u8], repairs: &Tidy) -> bool {
    let needs_no_decoding = || !repairs.has(Repair::Encoding) || decoded(text).is_none();
    repairs.is_none() || needs_no_decoding() && stretches(text).par_bridge().all(|stretch| of_stretch(stretch, repairs).is_none())
}

/// A text in stretches, each of which begins a line with something that shows: no repair looks beyond that.
fn stretches(text: &[u8]) -> impl Iterator<Item = &[u8]> + Send {
    let mut rest = text;
    std::iter::from_fn(move || {
        let ends = memchr::memchr_iter(b'\n', rest.get(STRETCH..).unwrap_or_default()).map(|lf| STRETCH + lf + 1);
        let end = { ends }.find(|&end| rest.get(end).is_some_and(u8::is_ascii_graphic)).unwrap_or(rest.len());
        rest.split_off(..end).filter(|stretch| !stretch.is_empty())
    })
}

fn of_stretch(stretch: &[u8], repairs: &Tidy) -> Option<Repaired> {
    let of_valid = |text: &str| {
        let tidied = tidy(text, repairs);
        let map = tidied.map?;
        let mut firsts = Firsts::default();
        for &Change { repair, at } in &tidied.changes {
            let first = firsts[repair as usize].get_or_insert(at);
            *first = (*first).min(at);
        }
        Some(Repaired { text: tidied.text.into_owned().into(), map, counts: Counts::of(&tidied.changes), firsts })
    };
    if let Ok(text) = simdutf8::basic::from_utf8(stretch) {
        return of_valid(text);
    }
    let pieces: Vec<&[u8]> = stretch.utf8_chunks().flat_map(|chunk| [chunk.valid().as_bytes(), chunk.invalid()]).collect();
    let each: Vec<Option<Repaired>> = pieces.iter().map(|piece| str::from_utf8(piece).ok().and_then(of_valid)).collect();
    each.iter().any(Option::is_some).then(|| join(pieces.into_iter().zip(each)))
}

/// Pieces of a text, each as it was and repaired, if that was needed; as one.
fn join<'t>(pieces: impl Iterator<Item = (&'t [u8], Option<Repaired>)>) -> Repaired {
    let (counts, firsts) = (Counts::default(), Firsts::default());
    let mut all = Repaired { text: Vec::new(), map: Map::default(), counts, firsts };
    let mut at = 0;
    for (written, repaired) in pieces {
        match repaired {
            None => {
                all.text.extend_from_slice(written);
                all.map.push(Span::new(at, at + written.len()), written.len() as u64, false);
            }
            Some(Repaired { text, map, counts, firsts }) => {
                for (first, further) in all.firsts.iter_mut().zip(firsts) {
                    let moved = |span: Span| Span { start: span.start + at as u64, end: span.end + at as u64 };
                    *first = first.or(further.map(moved));
                }
                all.text.extend_from_slice(&text);
                all.map.extend(&map, at as u64);
                all.counts.add(&counts);
            }
        }
        at += written.len();
    }
    all
}

impl Counts {
    fn of(changes: &[Change]) -> Self {
        let mut counts = Self::default();
        changes.iter().for_each(|change| counts.0[change.repair as usize] += 1);
        counts
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count += more);
    }

    /// Whether nothing was repaired.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The repairs that were made, and how often, in words; nothing if there are none.
    pub(crate) fn in_words(&self) -> Option<String> {
        let words: Vec<String> = self.made().map(|(repair, times)| format!("{} {}", repair.name(), count(times))).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// The repairs that were made, and how often.
    pub fn made(&self) -> impl Iterator<Item = (Repair, u64)> + '_ {
        Repair::ALL.into_iter().map(|repair| (repair, self.0[repair as usize])).filter(|(_, count)| *count > 0)
    }
}
