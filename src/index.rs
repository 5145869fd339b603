//! Which segments are equal: a flat table from fingerprints to segments. Every hit is proven before it counts.
//!
//! Knows fingerprints and numbers, no text: the proof is the caller's.

use rayon::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// The largest number of segments whose index is built by one thread.
const SEQUENTIAL_UP_TO: usize = 1 << 16;
/// Slots are looked up this many at a time, so that the memory's latency is paid once for all of them.
const BATCH: usize = 64;
const EMPTY: u64 = u64::MAX;

/// For each segment the number of the first one equal to it, its own if there is none earlier.
///
/// `same(earlier, later)` compares two segments whose fingerprints are equal; only what it confirms is taken for equal. The
/// result doesn't depend on the number of threads: each shard of the fingerprints has one owner, who sees them in order.
pub fn first_occurrences(prints: &[u128], same: impl Fn(u32, u32) -> bool + Sync) -> Vec<u32> {
    assert!(prints.len() < u32::MAX as usize, "the segmenter refuses more");
    let first: Vec<AtomicU32> = (0..prints.len() as u32).map(AtomicU32::new).collect();
    let shards = if prints.len() <= SEQUENTIAL_UP_TO { 1 } else { rayon::current_num_threads() };
    let fill = |shard: usize| {
        Table::fill(
            prints,
            shard,
            shards,
            |earlier, later| same(earlier, later),
            |segment, equal| {
                first[segment as usize].store(equal, Ordering::Relaxed);
            },
        );
    };
    if shards == 1 {
        fill(0)
    } else {
        (0..shards).into_par_iter().for_each(fill)
    }
    first.into_iter().map(AtomicU32::into_inner).collect()
}

/// An open-addressing table: a slot holds 32 bits of the fingerprint and the number of the first segment that has it.
struct Table {
    slots: Vec<u64>,
    mask: usize,
}

impl Table {
    /// Enters the segments of one shard in order; reports each that equals an earlier one.
    fn fill(prints: &[u128], shard: usize, shards: usize, same: impl Fn(u32, u32) -> bool, mut equal: impl FnMut(u32, u32)) {
        // A random hash spreads evenly; the tenth more is for chance. Half full at most, so that probes stay short.
        let expected = prints.len() / shards + prints.len() / (shards * 10) + 8;
        let mut table = Table::with_room(expected);
        let mut entered = 0;
        let mut batch = [0u32; BATCH];
        let mut segments = 0..prints.len() as u32;
        loop {
            let mut filled = 0;
            for segment in segments.by_ref() {
                if shard_of(prints[segment as usize], shards) == shard {
                    batch[filled] = segment;
                    filled += 1;
                    if filled == BATCH {
                        break;
                    }
                }
            }
            if filled == 0 {
                return;
            }
            if (entered + filled) * 2 > table.slots.len() {
                table = table.doubled(prints);
            }
            // Independent loads that bring the slots into the cache before they are needed one by one.
            let touched = batch[..filled].iter().fold(0, |sum, &segment| sum ^ table.slots[table.home(prints[segment as usize])]);
            std::hint::black_box(touched);
            for &segment in &batch[..filled] {
                match table.enter(prints, segment, &same) {
                    Some(earlier) => equal(segment, earlier),
                    None => entered += 1,
                }
            }
        }
    }

    fn with_room(segments: usize) -> Self {
        let size = (segments * 2).next_power_of_two();
        Self { slots: vec![EMPTY; size], mask: size - 1 }
    }

    fn home(&self, print: u128) -> usize {
        (print >> 64) as usize & self.mask
    }

    /// The segment that `segment` equals, or `None` after entering it as a new one.
    fn enter(&mut self, prints: &[u128], segment: u32, same: &impl Fn(u32, u32) -> bool) -> Option<u32> {
        let print = prints[segment as usize];
        let tag = print as u32;
        let mut at = self.home(print);
        loop {
            let slot = self.slots[at];
            if slot == EMPTY {
                self.slots[at] = (u64::from(tag) << 32) | u64::from(segment);
                return None;
            }
            let earlier = slot as u32;
            if (slot >> 32) as u32 == tag && prints[earlier as usize] == print && same(earlier, segment) {
                return Some(earlier);
            }
            at = (at + 1) & self.mask;
        }
    }

    fn doubled(self, prints: &[u128]) -> Self {
        let mut larger = Self::with_room(self.slots.len());
        for slot in self.slots.into_iter().filter(|&slot| slot != EMPTY) {
            let mut at = larger.home(prints[slot as u32 as usize]);
            while larger.slots[at] != EMPTY {
                at = (at + 1) & larger.mask;
            }
            larger.slots[at] = slot;
        }
        larger
    }
}

/// The shard a fingerprint belongs to: by its top bits, which choose neither the slot nor the tag.
fn shard_of(print: u128, shards: usize) -> usize {
    (((print >> 96) * shards as u128) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn oracle(values: &[u8]) -> Vec<u32> {
        values.iter().map(|value| values.iter().position(|other| other == value).unwrap() as u32).collect()
    }

    proptest! {
        #[test]
        fn equals_the_obvious_search_even_when_all_fingerprints_collide(values: Vec<u8>, bits in 0u32..8) {
            let prints: Vec<u128> = values.iter().map(|v| u128::from(v & ((1 << bits) - 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)).collect();
            let found = first_occurrences(&prints, |a, b| values[a as usize] == values[b as usize]);
            prop_assert_eq!(found, oracle(&values));
        }
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let prints: Vec<u128> =
            (0..300_000u128).map(|i| (i * i % 90_001).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)).collect();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| first_occurrences(&prints, |_, _| true))
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(8));
        assert!(one.iter().enumerate().any(|(i, &first)| i as u32 != first));
    }
}
