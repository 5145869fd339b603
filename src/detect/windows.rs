//! Repeated runs by minimal windows. A *minimal window* is the shortest run reaching the least length which starts, or which
//! ends, at a given segment. If segment m lies in a repeated run [a, b], take the windows that start at a, a+1, … m: either
//! one that lies in [a, b] reaches m, or the shortest window that ends at b starts at or before m. So every such m lies in a
//! minimal window that occurred earlier. Minimality depends on content alone, so the earlier occurrence is a minimal window
//! as well, and one table of windows, filled from left to right, finds it. Windows that hold a segment which occurs only once
//! are never looked at. The whole takes time linear in the number of segments.

use super::NONE;
use rustc_hash::FxHashMap;

/// For each segment of `ids` (equal ids are equal segments, each id less than their number) the place where it stands in an
/// earlier occurrence of a run of at least `least` columns that it lies in, or [`NONE`]. `columns[i]` is the length of
/// segment `i`; equal segments have equal lengths.
///
/// The places continue from one segment to the next as far as the earlier occurrence does.
pub(super) fn repeated_in_windows(ids: &[u32], columns: &[u32], least: u64) -> Vec<u32> {
    assert_eq!(ids.len(), columns.len());
    let mut places = vec![NONE; ids.len()];
    let mut counts = vec![0u32; ids.len()];
    let repeating = repeating(ids);
    let windows = Windows { ids, hashes: prefix_hashes(ids), columns, least: least.max(1) };
    let mut matches = windows.matches(&repeating, &mut counts);
    matches.sort_unstable_by_key(|found| (found.start, std::cmp::Reverse(found.end)));
    let mut covered = 0;
    for found in matches {
        cover(ids, &mut places, &found, covered);
        covered = covered.max(found.end);
    }
    places
}

/// A window and the start of its first occurrence.
struct Occurrence {
    start: usize,
    end: usize,
    earlier: usize,
}

/// Gives the segments of a window their places, from `covered` on; an earlier occurrence that goes on is followed.
fn cover(ids: &[u32], places: &mut [u32], found: &Occurrence, covered: usize) {
    for at in found.start.max(covered)..found.end {
        let follows =
            at.checked_sub(1).map(|before| places[before]).filter(|&place| place != NONE).map(|place| place as usize + 1);
        let place = follows.filter(|&place| place < at && ids[place] == ids[at]).unwrap_or(found.earlier + at - found.start);
        places[at] = place as u32;
    }
}

/// Which segments occur more than once.
fn repeating(ids: &[u32]) -> Vec<bool> {
    let mut seen = vec![NONE; ids.len()];
    let mut repeating = vec![false; ids.len()];
    for (at, &id) in ids.iter().enumerate() {
        let first = &mut seen[id as usize];
        if *first == NONE {
            *first = at as u32;
        } else {
            repeating[*first as usize] = true;
            repeating[at] = true;
        }
    }
    repeating
}

pub(super) struct Windows<'a> {
    pub(super) ids: &'a [u32],
    /// `hashes[i]` is the polynomial hash of `ids[..i]`.
    pub(super) hashes: Vec<u64>,
    pub(super) columns: &'a [u32],
    pub(super) least: u64,
}

impl Windows<'_> {
    fn matches(&self, repeating: &[bool], counts: &mut [u32]) -> Vec<Occurrence> {
        let (mut starting, mut ending) = (Finder::new(self), Finder::new(self));
        let mut at = 0;
        while at < repeating.len() {
            let stretch = at..at + repeating[at..].iter().take_while(|&&repeats| repeats).count();
            self.minimal_starting(stretch.clone(), counts, |start, end| starting.look_up(start, end));
            self.minimal_ending(stretch.clone(), counts, |start, end| ending.look_up(start, end));
            at = stretch.end + 1;
        }
        let mut found = starting.found;
        found.append(&mut ending.found);
        found
    }

    /// Every minimal window that starts in `stretch` and lies in it, from left to right.
    pub(super) fn minimal_starting(
        &self,
        stretch: std::ops::Range<usize>,
        counts: &mut [u32],
        mut each: impl FnMut(usize, usize),
    ) {
        let mut window = Distinct { ids: self.ids, columns: self.columns, counts, total: 0 };
        let mut end = stretch.start;
        for start in stretch.clone() {
            while end < stretch.end && window.total < self.least {
                window.add(end);
                end += 1;
            }
            if window.total >= self.least {
                each(start, end);
            }
            window.remove(start);
        }
    }

    /// Every minimal window that ends in `stretch` and lies in it, from left to right.
    pub(super) fn minimal_ending(&self, stretch: std::ops::Range<usize>, counts: &mut [u32], mut each: impl FnMut(usize, usize)) {
        let mut window = Distinct { ids: self.ids, columns: self.columns, counts, total: 0 };
        let mut start = stretch.start;
        for end in stretch.clone() {
            window.add(end);
            while window.total_without(start) >= self.least {
                window.remove(start);
                start += 1;
            }
            if window.total >= self.least {
                each(start, end + 1);
            }
        }
        (start..stretch.end).for_each(|at| window.remove(at));
    }

    pub(super) fn hash(&self, start: usize, end: usize) -> u64 {
        let shifted = multiply(self.hashes[start], power(end - start));
        let hash = self.hashes[end] + PRIME - shifted;
        if hash >= PRIME { hash - PRIME } else { hash }
    }
}

/// The sum of columns over the distinct segments of a window.
struct Distinct<'a> {
    ids: &'a [u32],
    columns: &'a [u32],
    counts: &'a mut [u32],
    total: u64,
}

impl Distinct<'_> {
    fn add(&mut self, at: usize) {
        let count = &mut self.counts[self.ids[at] as usize];
        if *count == 0 {
            self.total += u64::from(self.columns[at]);
        }
        *count += 1;
    }

    fn remove(&mut self, at: usize) {
        let count = &mut self.counts[self.ids[at] as usize];
        *count -= 1;
        if *count == 0 {
            self.total -= u64::from(self.columns[at]);
        }
    }

    fn total_without(&self, at: usize) -> u64 {
        let alone = self.counts[self.ids[at] as usize] == 1;
        self.total - if alone { u64::from(self.columns[at]) } else { 0 }
    }
}

/// The windows so far, by content.
struct Finder<'a> {
    windows: &'a Windows<'a>,
    first: FxHashMap<u64, (u32, u32)>,
    found: Vec<Occurrence>,
    /// `ids` from here on agree with those so many places earlier, up to the end: what need not be compared again.
    agreed: (usize, usize),
}

impl<'a> Finder<'a> {
    fn new(windows: &'a Windows<'a>) -> Self {
        Self { windows, first: FxHashMap::default(), found: Vec::new(), agreed: (0, 0) }
    }

    /// Notes an earlier window with the same segments, or enters this one as the first.
    fn look_up(&mut self, start: usize, end: usize) {
        let mut key = self.windows.hash(start, end);
        loop {
            match self.first.get(&key) {
                None => {
                    self.first.insert(key, (start as u32, end as u32));
                    return;
                }
                Some(&(first, first_end)) => {
                    let earlier = first as usize;
                    if first_end as usize - earlier == end - start && self.agree(earlier, start, end) {
                        self.found.push(Occurrence { start, end, earlier });
                        return;
                    }
                }
            }
            key = key.wrapping_add(1); // another window has this hash: the next number is as good
        }
    }

    /// Whether the segments `start..end` stand at `earlier` too. Windows overlap, so what the last one showed is kept.
    fn agree(&mut self, earlier: usize, start: usize, end: usize) -> bool {
        let distance = start - earlier;
        let (known, upto) = self.agreed;
        let from = if known == distance && upto > start { upto.min(end) } else { start };
        let ids = self.windows.ids;
        let agree = ids[from..end] == ids[from - distance..end - distance];
        if agree {
            self.agreed = (distance, end.max(if known == distance { upto } else { 0 }));
        }
        agree
    }
}

// Rolling hash: a polynomial over the integers modulo the Mersenne prime 2^61 − 1 (Karp and Rabin, 1987).
const PRIME: u64 = (1 << 61) - 1;
const BASE: u64 = 0x0c9a_4f32_7d15_9e3b % PRIME;

pub(super) fn prefix_hashes(ids: &[u32]) -> Vec<u64> {
    let step = |hash: &mut u64, &id: &u32| {
        let sum = multiply(*hash, BASE) + u64::from(id) + 1;
        *hash = if sum >= PRIME { sum - PRIME } else { sum };
        Some(*hash)
    };
    std::iter::once(0).chain(ids.iter().scan(0, step)).collect()
}

fn multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let sum = (product as u64 & PRIME) + (product >> 61) as u64;
    if sum >= PRIME { sum - PRIME } else { sum }
}

fn power(mut exponent: usize) -> u64 {
    let (mut result, mut square) = (1, BASE);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = multiply(result, square);
        }
        square = multiply(square, square);
        exponent >>= 1;
    }
    result
}
