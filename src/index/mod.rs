//! Which segments are equal: a flat table from fingerprints to segments. Every hit is proven before it counts.
//!
//! Knows fingerprints and numbers, no text: the proof is the caller's. The table is cut into shards by fingerprint. Segments
//! come in batches; each shard has one owner, who enters the segments of the batch that belong to it in their order. So
//! nothing is locked, and which of several equal segments is the first does not depend on the number of threads.

mod partitions;

pub(crate) use partitions::{Gathering, Settled, first_bits};

use crate::document::Repeat;
use crate::segment::held;
use rayon::prelude::*;

/// A batch smaller than this is entered by one thread. A batch of a large text in paragraphs of up to 1 kB has more.
const PARALLEL_FROM: usize = 1 << 12;
/// No segment has this number. Not 0: memory that came zeroed and is read before it is written costs a second page fault, and
/// all other threads a flush of their address tables.
const EMPTY: u64 = u64::MAX;
/// So many slots are touched before the first of them is needed, so that the memory's latency is paid once for all of them.
pub const LOOK_AHEAD: usize = 64;

/// What knows the texts of the segments.
pub trait Proof: Sync {
    /// Whether two segments are equal, byte for byte of their compared forms.
    fn same(&self, earlier: u32, later: u32) -> bool;

    /// Looks at segments, at most [`LOOK_AHEAD`], that will soon be compared, so that they come into the processor's cache. What
    /// it gives only keeps the look from being optimised away.
    fn touch(&self, segments: &[u32]) -> u8;
}

/// The segments so far, by fingerprint.
pub struct Index {
    shards: Vec<Shard>,
    entered: u32,
}

impl Index {
    /// The most segments an index can hold.
    pub(crate) const MOST: usize = u32::MAX as usize - 1;

    /// An index of so many shards, each with room for its share of `expected` segments (it grows if more come).
    pub fn new(shards: usize, expected: usize) -> Self {
        // A fingerprint chooses its shard by chance: a little more than the share of each.
        let room = expected / shards + expected / (shards * 50) + 1;
        let shards = match shards {
            1 => vec![Shard::with_room(room)],
            _ => (0..shards).into_par_iter().map(|_| Shard::with_room(room)).collect(),
        };
        Self { shards, entered: 0 }
    }

    /// How much memory it takes, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.shards.iter().map(|shard| held(&shard.slots)).sum::<usize>() as u64
    }

    /// Enters the segments with these fingerprints, which are numbered on from those before. Gives, in their order, those
    /// that equal an earlier one, and with each the first it equals. Only what `proof` confirms is taken for equal.
    pub fn enter(&mut self, batch: &[&[u128]], proof: &impl Proof) -> Vec<Repeat> {
        let count: usize = batch.iter().map(|prints| prints.len()).sum();
        assert!(self.entered as usize + count <= Self::MOST, "the caller refuses more");
        let (first, shards) = (self.entered, self.shards.len() as u64);
        self.entered += count as u32;
        let enter = |(number, shard): (usize, &mut Shard)| {
            let is_ours = |print| shards == 1 || shard_of(print, shards) == number;
            let mut entering = Entering { shard, repeats: Vec::new(), ahead: [(0, 0); LOOK_AHEAD], waiting: 0 };
            let mut segment = first;
            for prints in batch {
                for &print in *prints {
                    entering.add(segment, print as u32, is_ours(print), proof);
                    segment += 1;
                }
            }
            entering.enter_waiting(proof);
            entering.repeats
        };
        let mut repeats = if count < PARALLEL_FROM || shards == 1 {
            self.shards.iter_mut().enumerate().map(enter).collect::<Vec<_>>()
        } else {
            self.shards.par_iter_mut().enumerate().map(enter).collect()
        };
        let mut all = repeats.pop().unwrap_or_default();
        if !repeats.is_empty() {
            repeats.iter_mut().for_each(|more| all.append(more));
            all.sort_by_key(|repeat| repeat.at); // stable: it finds the sorted ones it is made of
        }
        all
    }

    /// Forgets the segments from a number on, as if they had never been entered.
    pub(crate) fn forget(&mut self, from: u32) {
        if self.entered <= from {
            return;
        }
        self.entered = from;
        match self.shards.as_mut_slice() {
            [shard] => shard.forget(from),
            shards => shards.par_iter_mut().for_each(|shard| shard.forget(from)),
        }
    }
}

/// The shard a fingerprint belongs to: by bits that choose neither the slot nor the tag.
fn shard_of(print: u128, shards: u64) -> usize {
    ((((print >> 64) as u64 >> 32) * shards) >> 32) as usize
}

/// An open-addressing table. A slot holds 32 bits of a fingerprint, the tag, and above them the number of the first segment
/// that has it. The tag also says where a slot has its home, the further on the larger it is, so a table grows in one sweep.
struct Shard {
    slots: Vec<u64>,
    filled: usize,
}

/// Segments on their way into a shard: so many are gathered that the memory's latency is paid once for all of them.
struct Entering<'a> {
    shard: &'a mut Shard,
    repeats: Vec<Repeat>,
    ahead: [(u32, u32); LOOK_AHEAD],
    waiting: usize,
}

impl Entering<'_> {
    /// Adds a segment if it is the shard's: without a branch, which no processor could guess.
    #[inline]
    fn add(&mut self, segment: u32, tag: u32, is_ours: bool, proof: &impl Proof) {
        self.ahead[self.waiting] = (segment, tag);
        self.waiting += usize::from(is_ours);
        if self.waiting == LOOK_AHEAD {
            self.enter_waiting(proof);
        }
    }

    fn enter_waiting(&mut self, proof: &impl Proof) {
        let ahead = &self.ahead[..self.waiting];
        while (self.shard.filled + ahead.len()) * 8 > self.shard.slots.len() * 5 {
            self.shard.grow();
        }
        self.shard.look_ahead(ahead, proof);
        for &(segment, tag) in ahead {
            self.repeats.extend(self.shard.enter_one(segment, tag, proof).map(|first| Repeat { at: segment, kept: first }));
        }
        self.waiting = 0;
    }
}

impl Shard {
    fn with_room(segments: usize) -> Self {
        // At most five eighths full, so that probes stay short.
        Self { slots: vec![EMPTY; (segments + segments * 3 / 5).max(8)], filled: 0 }
    }

    /// Independent loads that bring slots, and then the texts of likely hits, into the cache before they are needed one by one.
    fn look_ahead(&self, ahead: &[(u32, u32)], proof: &impl Proof) {
        let mut slots = [0; LOOK_AHEAD];
        for (slot, &(_, tag)) in slots.iter_mut().zip(ahead) {
            *slot = self.slots[self.home(tag)];
        }
        let (mut hits, mut count) = ([0; LOOK_AHEAD], 0);
        for (&slot, &(_, tag)) in slots.iter().zip(ahead) {
            hits[count] = (slot >> 32) as u32;
            count += usize::from(slot != EMPTY && slot as u32 == tag); // no branch that would wait for the slot
        }
        std::hint::black_box(proof.touch(&hits[..count]));
    }

    /// The segment that `segment` equals, or `None` after entering it as a new one.
    fn enter_one(&mut self, segment: u32, tag: u32, proof: &impl Proof) -> Option<u32> {
        let mut at = self.home(tag);
        loop {
            let slot = self.slots[at];
            if slot == EMPTY {
                self.slots[at] = (u64::from(segment) << 32) | u64::from(tag);
                self.filled += 1;
                return None;
            }
            let earlier = (slot >> 32) as u32;
            if slot as u32 == tag && proof.same(earlier, segment) {
                return Some(earlier);
            }
            at = self.after(at);
        }
    }

    /// The slot after one, the first being after the last.
    fn after(&self, slot: usize) -> usize {
        if slot + 1 == self.slots.len() { 0 } else { slot + 1 }
    }

    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.slots.len() as u64) >> 32) as usize
    }

    /// Looks at each slot once: which ones were filled since isn't known.
    fn forget(&mut self, from: u32) {
        for at in 0..self.slots.len() {
            while self.slots[at] != EMPTY && (self.slots[at] >> 32) as u32 >= from {
                self.remove(at); // and look at what is there now
            }
        }
    }

    /// Empties a slot and closes the gap: what comes after it moves up, unless its home lies between.
    fn remove(&mut self, mut gap: usize) {
        let size = self.slots.len();
        let distance = |from: usize, to: usize| if from <= to { to - from } else { to + size - from };
        let mut at = self.after(gap);
        while self.slots[at] != EMPTY {
            if distance(self.home(self.slots[at] as u32), at) >= distance(gap, at) {
                self.slots[gap] = self.slots[at];
                gap = at;
            }
            at = self.after(at);
        }
        self.slots[gap] = EMPTY;
        self.filled -= 1;
    }

    /// Moves all segments into a larger table, in the order of their homes.
    fn grow(&mut self) {
        let new = vec![EMPTY; self.slots.len() / 2 * 3];
        for slot in std::mem::replace(&mut self.slots, new).into_iter().filter(|&slot| slot != EMPTY) {
            let mut at = self.home(slot as u32);
            while self.slots[at] != EMPTY {
                at = self.after(at);
            }
            self.slots[at] = slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

    /// Segments that are bytes.
    struct Values(Vec<u8>);

    impl Proof for Values {
        fn same(&self, earlier: u32, later: u32) -> bool {
            self.0[earlier as usize] == self.0[later as usize]
        }

        fn touch(&self, segments: &[u32]) -> u8 {
            segments.iter().fold(0, |all, &segment| all ^ self.0[segment as usize])
        }
    }

    fn by_definition(values: &[u8]) -> Vec<Repeat> {
        let first = |value| values.iter().position(|other| *other == value).unwrap() as u32;
        let all = (0..).zip(values).map(|(at, &value)| Repeat { at, kept: first(value) });
        all.filter(|repeat| repeat.at != repeat.kept).collect()
    }

    proptest! {
        #[test]
        fn equals_the_obvious_search_even_when_fingerprints_collide(values: Vec<u8>, bits in 0u32..9, shards in 1usize..4, batch in 1usize..50, room in 0usize..300) {
            let prints: Vec<u128> = values.iter().map(|v| u128::from(v & ((1u16 << bits) - 1) as u8).wrapping_mul(SPREAD)).collect();
            let mut index = Index::new(shards, room);
            let proof = Values(values);
            let found: Vec<Repeat> = prints.chunks(batch).flat_map(|batch| index.enter(&[&batch[..batch.len() / 2], &batch[batch.len() / 2..]], &proof)).collect();
            prop_assert_eq!(found, by_definition(&proof.0));
        }

        #[test]
        fn what_is_forgotten_was_never_entered(values: Vec<u8>, bits in 0u32..9, shards in 1usize..4, room in 0usize..300, from: usize, forgotten: Vec<u8>) {
            let print = |v: &u8| u128::from(v & ((1u16 << bits) - 1) as u8).wrapping_mul(SPREAD);
            let prints: Vec<u128> = values.iter().map(print).collect();
            let from = from % (values.len() + 1);
            let mut index = Index::new(shards, room);
            let others = Values([&values[..from], &forgotten].concat());
            index.enter(&[&prints[..from]], &others);
            let filled = |index: &Index| index.shards.iter().map(|shard| shard.filled).sum::<usize>();
            let before = filled(&index);
            index.enter(&[&forgotten.iter().map(print).collect::<Vec<_>>()], &others);
            index.forget(from as u32);
            prop_assert_eq!(filled(&index), before);
            let proof = Values(values);
            let found = index.enter(&[&prints[from..]], &proof);
            let wanted: Vec<Repeat> = by_definition(&proof.0).into_iter().filter(|repeat| repeat.at >= from as u32).collect();
            prop_assert_eq!(found, wanted);
        }
    }

    #[test]
    fn the_numbers_of_threads_and_shards_change_nothing() {
        struct All;
        impl Proof for All {
            fn same(&self, _: u32, _: u32) -> bool {
                true
            }

            fn touch(&self, _: &[u32]) -> u8 {
                0
            }
        }
        let prints: Vec<u128> = (0..300_000u128).map(|i| (i * i % 90_001).wrapping_mul(SPREAD)).collect();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Index::new(threads, 1000).enter(&[&prints], &All))
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(8));
        assert!(!one.is_empty());
    }
}
