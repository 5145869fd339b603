//! Repeated runs by minimal windows. A *minimal window* is the shortest run reaching the least length which starts, or which
//! ends, at a given segment. If segment m lies in a repeated run [a, b], take the windows that start at a, a+1, … m: either
//! one that lies in [a, b] reaches m, or the shortest window that ends at b starts at or before m. So every such m lies in a
//! minimal window that occurred earlier. Minimality depends on content alone, so the earlier occurrence is a minimal window
//! as well, and one table of windows, filled from left to right, finds it.
//!
//! Segments are called by their numbers, and each is of a kind, which is the number of the first one equal to it. Where the
//! kinds of a run are consecutive numbers, its first occurrence is in sight: it consists of firsts. Any other first occurrence
//! holds a *break*, where the kind of a segment doesn't follow that of the one before. So only windows that hold a break are
//! looked at, and most text has few. The whole takes time linear in the number of segments.

use super::Firsts;
use crate::document::Repeat;
use crate::fingerprint::{Key, random};
use crate::index::{Index, Proof};
use crate::segment::held;
use std::io;
use std::ops::Range;

/// Consecutive segments.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) first: u32,
    pub(super) len: u32,
    /// The number of the first repeat among them, or behind them, of all there are.
    pub(super) repeat: u32,
}

/// Windows, each with its fingerprint.
#[derive(Default)]
pub(super) struct Windows {
    pub(super) list: Vec<Window>,
    prints: Vec<u128>,
}

impl Windows {
    pub(super) fn prints(&self) -> &[u128] {
        &self.prints
    }
}

/// Memory that is used again from region to region.
#[derive(Default)]
pub(super) struct Scratch {
    ids: Vec<u32>,
    counts: Vec<u32>,
    ends: Vec<u32>,
    /// For each segment the next one that doesn't follow the one before it.
    breaks: Vec<u32>,
    hashes: Vec<u64>,
    /// The same by another base.
    more_hashes: Vec<u64>,
}

/// Consecutive segments that no window leaves which is of interest.
pub(super) struct Region<'a> {
    /// The number of the first one.
    pub(super) first: u32,
    pub(super) kinds: &'a [u32],
    pub(super) weights: &'a [u32],
    /// The length of a run.
    pub(super) least: u64,
    /// The repeats from the first one on that isn't before the region.
    pub(super) repeats: &'a [Repeat],
    /// How many there are before.
    pub(super) repeats_before: u32,
    pub(super) rolling: Rolling,
}

impl Region<'_> {
    /// Adds the minimal windows that hold a break: `is_break` tells of a segment whether it doesn't follow the one before.
    pub(super) fn windows(&self, is_break: impl Fn(usize) -> bool, scratch: &mut Scratch, out: &mut Windows) {
        let Scratch { ids, counts, ends, breaks, hashes, more_hashes } = scratch;
        let len = self.kinds.len();
        let mut next = len as u32;
        breaks.clear();
        breaks.resize(len, 0);
        for at in (0..len).rev() {
            breaks[at] = next;
            if is_break(at) {
                next = at as u32;
            }
        }
        if len < 2 || breaks[0] as usize == len {
            return;
        }
        number(self.kinds, ids);
        for zeroed in [&mut *counts, &mut *ends] {
            zeroed.clear();
            zeroed.resize(len, 0);
        }
        self.rolling.prefix_hashes(self.kinds, hashes, more_hashes);
        let mut add = |start: usize, end: usize, before: &mut usize| {
            if (breaks[start] as usize) < end {
                let first = self.first + start as u32;
                while self.repeats.get(*before).is_some_and(|repeat| repeat.at < first) {
                    *before += 1;
                }
                let repeat = self.repeats_before + *before as u32;
                out.list.push(Window { first, len: (end - start) as u32, repeat });
                out.prints.push(self.rolling.print(hashes, more_hashes, start, end));
            }
        };
        let minimal = Minimal { ids, weights: self.weights, least: self.least };
        let mut before = 0;
        minimal.starting(counts, |start, end| {
            ends[start] = end as u32;
            add(start, end, &mut before);
        });
        // Most are minimal from both ends.
        let mut before = 0;
        minimal.ending(counts, |start, end| {
            if ends[start] as usize != end {
                add(start, end, &mut before);
            }
        });
    }
}

/// Gives each segment the number of the first of its kind in a region.
fn number(kinds: &[u32], ids: &mut Vec<u32>) {
    let mut firsts = Firsts::new(kinds.len());
    ids.clear();
    ids.extend((0..).zip(kinds).map(|(at, &kind)| firsts.of(kind, at)));
}

/// The minimal windows of a region.
struct Minimal<'a> {
    ids: &'a [u32],
    weights: &'a [u32],
    least: u64,
}

impl Minimal<'_> {
    /// Every one that starts at a segment, from left to right.
    fn starting(&self, counts: &mut [u32], mut each: impl FnMut(usize, usize)) {
        let mut window = self.empty(counts);
        let mut end = 0;
        for start in 0..self.ids.len() {
            while end < self.ids.len() && window.total < self.least {
                window.add(end);
                end += 1;
            }
            if window.total >= self.least {
                each(start, end);
            }
            window.remove(start);
        }
    }

    /// Every one that ends at a segment, from left to right.
    fn ending(&self, counts: &mut [u32], mut each: impl FnMut(usize, usize)) {
        let mut window = self.empty(counts);
        let mut start = 0;
        for end in 0..self.ids.len() {
            window.add(end);
            while window.total_without(start) >= self.least {
                window.remove(start);
                start += 1;
            }
            if window.total >= self.least {
                each(start, end + 1);
            }
        }
        (start..self.ids.len()).for_each(|at| window.remove(at));
    }

    fn empty<'c>(&'c self, counts: &'c mut [u32]) -> Distinct<'c> {
        Distinct { ids: self.ids, weights: self.weights, counts, total: 0 }
    }
}

/// The sum of weights over the distinct segments of a window.
struct Distinct<'a> {
    ids: &'a [u32],
    weights: &'a [u32],
    counts: &'a mut [u32],
    total: u64,
}

impl Distinct<'_> {
    fn add(&mut self, at: usize) {
        let count = &mut self.counts[self.ids[at] as usize];
        if *count == 0 {
            self.total += u64::from(self.weights[at]);
        }
        *count += 1;
    }

    fn remove(&mut self, at: usize) {
        let count = &mut self.counts[self.ids[at] as usize];
        *count -= 1;
        if *count == 0 {
            self.total -= u64::from(self.weights[at]);
        }
    }

    fn total_without(&self, at: usize) -> u64 {
        let alone = self.counts[self.ids[at] as usize] == 1;
        self.total - if alone { u64::from(self.weights[at]) } else { 0 }
    }
}

/// All windows so far, by content.
#[derive(Default)]
pub(super) struct Table {
    index: Option<Index>,
    windows: Vec<Window>,
}

impl Table {
    /// How many windows there are.
    pub(super) fn len(&self) -> u32 {
        self.windows.len() as u32
    }

    /// Forgets the windows from a number on.
    pub(super) fn forget(&mut self, from: u32) {
        self.windows.truncate(from as usize);
        if let Some(index) = &mut self.index {
            index.forget(from);
        }
    }

    /// About how much memory they take, in bytes.
    pub(super) fn memory(&self) -> u64 {
        self.index.as_ref().map_or(0, Index::memory) + held(&self.windows) as u64
    }

    /// The window of a number.
    pub(super) fn window(&self, number: u32) -> Window {
        self.windows[number as usize]
    }

    /// Enters windows, which are numbered on; the caller refuses more than can be. Gives those that equal an earlier one, in order,
    /// each with the first it equals. `repeats` are all there are. For the first `size` gives the number of shards and that of
    /// windows to be expected.
    pub(super) fn enter<'w>(
        &mut self,
        windows: impl Iterator<Item = &'w Windows> + Clone,
        repeats: &[Repeat],
        size: impl FnOnce() -> (usize, usize),
    ) -> Vec<Repeat> {
        if windows.clone().all(|windows| windows.list.is_empty()) {
            return Vec::new();
        }
        windows.clone().for_each(|windows| self.windows.extend_from_slice(&windows.list));
        let prints: Vec<&[u128]> = windows.map(|windows| windows.prints.as_slice()).collect();
        let sequences = Sequences { windows: &self.windows, repeats };
        let new = || {
            let (shards, expected) = size();
            Index::new(shards, expected)
        };
        let mut hits = self.index.get_or_insert_with(new).enter(&prints, &sequences);
        let mut agreed = Agreed::default();
        hits.retain(|hit| sequences.is_proven(hit) || agreed.agree(&sequences, hit));
        hits
    }
}

/// The proof that two windows are equal: the kinds of their segments. Of a long one the ends must do at first: windows overlap, and
/// if each were compared as a whole, a long stretch of segments that weigh nothing would take the square of its length.
struct Sequences<'a> {
    windows: &'a [Window],
    repeats: &'a [Repeat],
}

impl Sequences<'_> {
    /// So many segments at each end.
    const ENDS: u32 = 32;

    fn kinds(&self, window: Window) -> impl Iterator<Item = u32> + '_ {
        let mut repeats = self.repeats[window.repeat as usize..].iter().peekable();
        (window.first..window.first + window.len).map(move |at| repeats.next_if(|repeat| repeat.at == at).map_or(at, |r| r.kept))
    }

    /// A window less its first segments.
    fn behind(&self, window: Window, segments: u32) -> Window {
        let first = window.first + segments;
        let rest = &self.repeats[window.repeat as usize..];
        let rest = &rest[..rest.len().min(segments as usize)];
        let repeat = window.repeat + rest.partition_point(|repeat| repeat.at < first) as u32;
        Window { first, len: window.len - segments, repeat }
    }

    fn are_equal(&self, a: Window, b: Window) -> bool {
        self.kinds(a).eq(self.kinds(b))
    }

    /// Whether the table has compared all of it.
    fn is_proven(&self, hit: &Repeat) -> bool {
        self.windows[hit.at as usize].len <= 2 * Self::ENDS
    }
}

impl Proof for Sequences<'_> {
    fn same(&self, earlier: u32, later: u32) -> bool {
        let (a, b) = (self.windows[earlier as usize], self.windows[later as usize]);
        if a.len != b.len || a.len <= 2 * Self::ENDS {
            return a.len == b.len && self.are_equal(a, b);
        }
        let end = |window: Window| self.behind(window, window.len - Self::ENDS);
        let begin = |window: Window| Window { len: Self::ENDS, ..window };
        self.are_equal(begin(a), begin(b)) && self.are_equal(end(a), end(b))
    }

    fn touch(&self, windows: &[u32]) -> u8 {
        let kind = |&window: &u32| self.repeats.get(self.windows[window as usize].repeat as usize).map_or(0, |r| r.at as u8);
        windows.iter().map(kind).fold(0, |all, kind| all ^ kind)
    }
}

/// Segments that were found to equal those so far before them: what need not be compared again.
#[derive(Default)]
struct Agreed {
    segments: Range<u32>,
    distance: u32,
}

impl Agreed {
    /// Whether a window and the earlier one that it seems to equal are equal.
    fn agree(&mut self, sequences: &Sequences, hit: &Repeat) -> bool {
        let (a, b) = (sequences.windows[hit.kept as usize], sequences.windows[hit.at as usize]);
        let (distance, end) = (b.first - a.first, b.first + b.len);
        let knows = distance == self.distance && self.segments.contains(&b.first);
        let known = if knows { self.segments.end.min(end) - b.first } else { 0 };
        let agree = sequences.are_equal(sequences.behind(a, known), sequences.behind(b, known));
        if agree {
            let upto = if knows { self.segments.end.max(end) } else { end };
            *self = Self { segments: b.first..upto, distance };
        }
        agree
    }
}

/// How windows are hashed: by rolling hashes, so that long windows, which overlap, cost no more than short ones. Such a hash is a
/// polynomial over the integers modulo the Mersenne prime 2^61 − 1 (Karp and Rabin, 1987).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rolling {
    /// By one that anybody knows: equal ones are to be compared.
    Plain,
    /// By two with secret bases: two windows of length n that were chosen without knowing those have the same hashes with a
    /// probability of at most (n / 2^61)² (Carter and Wegman, 1979), and nobody sees a hash, since they are hashed under a key.
    Keyed([u64; 2], Key),
}

impl Rolling {
    /// By secret bases.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub(crate) fn random() -> io::Result<Self> {
        Ok(Self::Keyed([random()? % PRIME, random()? % PRIME], Key::random()?))
    }

    /// Makes `hashes[i]` the hash of `kinds[..i]`.
    fn prefix_hashes(self, kinds: &[u32], hashes: &mut Vec<u64>, more_hashes: &mut Vec<u64>) {
        match self {
            Rolling::Plain => prefix_hashes(kinds, BASE, hashes),
            Rolling::Keyed([base, other], _) => {
                prefix_hashes(kinds, base, hashes);
                prefix_hashes(kinds, other, more_hashes);
            }
        }
    }

    /// The fingerprint of the window `start..end`, spread over all bits that the index looks at.
    fn print(self, hashes: &[u64], more_hashes: &[u64], start: usize, end: usize) -> u128 {
        let len = (end - start) as u64;
        match self {
            Rolling::Plain => {
                let mixed = (hash(hashes, BASE, start, end) ^ len << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                u128::from(mixed ^ mixed >> 32) | u128::from(mixed.wrapping_mul(0xc2b2_ae3d_27d4_eb4f)) << 64
            }
            Rolling::Keyed([base, other], key) => {
                let hashes = [hash(hashes, base, start, end), hash(more_hashes, other, start, end), len];
                let mut bytes = [0; 24];
                bytes.chunks_exact_mut(8).zip(hashes).for_each(|(to, hash)| to.copy_from_slice(&hash.to_le_bytes()));
                key.hash(&bytes)
            }
        }
    }
}

const PRIME: u64 = (1 << 61) - 1;
const BASE: u64 = 0x0c9a_4f32_7d15_9e3b % PRIME;

/// `hashes[i]` becomes the hash of `kinds[..i]`.
fn prefix_hashes(kinds: &[u32], base: u64, hashes: &mut Vec<u64>) {
    let step = |hash: &mut u64, &kind: &u32| {
        let sum = multiply(*hash, base) + u64::from(kind) + 1;
        *hash = if sum >= PRIME { sum - PRIME } else { sum };
        Some(*hash)
    };
    hashes.clear();
    hashes.push(0);
    hashes.extend(kinds.iter().scan(0, step));
}

/// The hash of the segments `start..end`.
fn hash(hashes: &[u64], base: u64, start: usize, end: usize) -> u64 {
    let shifted = multiply(hashes[start], power(base, end - start));
    let hash = hashes[end] + PRIME - shifted;
    if hash >= PRIME { hash - PRIME } else { hash }
}

fn multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let sum = (product as u64 & PRIME) + (product >> 61) as u64;
    if sum >= PRIME { sum - PRIME } else { sum }
}

fn power(base: u64, mut exponent: usize) -> u64 {
    let (mut result, mut square) = (1, base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = multiply(result, square);
        }
        square = multiply(square, square);
        exponent >>= 1;
    }
    result
}
