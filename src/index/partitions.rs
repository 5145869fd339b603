//! The same on disk, for more segments than memory holds. It takes two passes: first all are gathered, by their fingerprints, in
//! partitions of which memory holds one at a time; then, as the same segments come again in the same order, each is told whether it
//! is the first of its kind, or which one is.
//!
//! There is no proof by bytes here, so the fingerprints must be keyed ([`crate::fingerprint::Hash::Keyed`]).

use super::{Index, LOOK_AHEAD, Proof};
use crate::document::Repeat;
use crate::error::Result;
use crate::scratch::{Reading, Scratch, Tape};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// A partition holds what has these first bits in common.
const PARTITION_BITS: u32 = 8;
/// Those that don't fit in memory are taken in parts, by as many bits more.
const MOST_PART_BITS: u32 = 8;
/// What a segment takes while its partition is in memory: its fingerprint, its number, its share of a table that is at most five
/// eighths full, and a repeat.
const SEGMENT_BYTES: u64 = 16 + 4 + 13 + 8;
/// What was found is read in pieces of at most this size, one for each part of each partition.
const READ_AT_ONCE: u64 = 8 << 10;

/// The first bits of a fingerprint, which are all that the second pass needs.
pub(crate) fn first_bits(print: u128) -> u16 {
    (print >> 112) as u16
}

/// Segments in the first pass. Their numbers rise.
pub(crate) struct Gathering {
    partitions: Vec<Partition>,
    /// Those that are forgotten: ranges that rise.
    forgotten: Vec<Range<u32>>,
}

struct Partition {
    /// Of each segment its fingerprint, less the first byte, and by how much its number is higher than that of the one before.
    tape: Tape,
    count: u64,
    last: u32,
}

impl Gathering {
    /// None yet.
    pub(crate) fn new(scratch: &Arc<Scratch>) -> Self {
        let partition = |_| Partition { tape: Tape::new(scratch), count: 0, last: 0 };
        Self { partitions: (0..1 << PARTITION_BITS).map(partition).collect(), forgotten: Vec::new() }
    }

    /// Adds segments: lists of their fingerprints, each with the number of its first one. As in memory, each partition has one
    /// owner, who looks at all of them.
    ///
    /// # Errors
    /// If there is no room for them.
    pub(crate) fn add(&mut self, lists: &[(u32, &[u128])]) -> Result<()> {
        let owned = self.partitions.len().div_ceil(rayon::current_num_threads());
        let add = |(owner, partitions): (usize, &mut [Partition])| {
            for &(first, prints) in lists {
                for (number, &print) in (first..).zip(prints) {
                    let partition = usize::from(first_bits(print) >> PARTITION_BITS).wrapping_sub(owner * owned);
                    if let Some(partition) = partitions.get_mut(partition) {
                        partition.add(print, number)?;
                    }
                }
            }
            Ok(())
        };
        self.partitions.par_chunks_mut(owned).enumerate().try_for_each(add)
    }

    /// Forgets the segments with these numbers, the last of which is that of the last one.
    pub(crate) fn forget(&mut self, numbers: Range<u32>) {
        self.forgotten.push(numbers);
    }

    /// Ends the first pass: finds which segments are equal, in so many bytes of memory. Those with numbers from `first` on come again.
    ///
    /// # Errors
    /// If what was gathered can't be read, or there is no room for what is found.
    pub(crate) fn settle(self, room: u64, first: u32) -> Result<Settled> {
        let Self { partitions, forgotten } = self;
        let largest = partitions.iter().map(|partition| partition.count).max().unwrap_or(0) * SEGMENT_BYTES;
        let share = (room / rayon::current_num_threads() as u64).max(1);
        let part_bits = largest.div_ceil(share).next_power_of_two().ilog2().min(MOST_PART_BITS);
        let at_once = (room / 2 / ((1 << PARTITION_BITS) << part_bits)).min(READ_AT_ONCE) as usize;
        let parts: Result<Vec<Vec<Reading>>> =
            partitions.into_par_iter().map(|partition| partition.settle(part_bits, at_once, &forgotten, first)).collect();
        Ok(Settled { parts: parts?.into_iter().flatten().collect(), part_bits })
    }
}

impl Partition {
    fn add(&mut self, print: u128, number: u32) -> Result<()> {
        let [_, rest @ ..] = print.to_be_bytes();
        self.tape.put(&rest)?;
        self.tape.put_number(u64::from(number - std::mem::replace(&mut self.last, number)))?;
        self.count += 1;
        Ok(())
    }

    fn settle(self, part_bits: u32, at_once: usize, forgotten: &[Range<u32>], first: u32) -> Result<Vec<Reading>> {
        let parts = 1 << part_bits;
        let Self { mut tape, count, .. } = self;
        let mut settled = Vec::with_capacity(parts);
        for part in 0..parts {
            let mut out = tape.another();
            let mut all = tape.read(usize::MAX, part + 1 == parts);
            // A little more than its share.
            let room = count as usize / parts + count as usize / (parts * 16) + 16;
            let (mut prints, mut numbers) = (Vec::with_capacity(room), Vec::with_capacity(room));
            let mut number = 0;
            for _ in 0..count {
                let rest: [u8; 15] = all.array()?;
                number += all.number()? as u32;
                let is_ours = usize::from(rest[0]) >> (8 - part_bits) == part;
                let is_forgotten = || {
                    let next = forgotten.partition_point(|numbers| numbers.end <= number);
                    forgotten.get(next).is_some_and(|numbers| numbers.start <= number)
                };
                if is_ours && !is_forgotten() {
                    let mut print = [0; 16];
                    print[1..].copy_from_slice(&rest);
                    prints.push(u128::from_be_bytes(print));
                    numbers.push(number);
                }
            }
            tape = all.into_tape();
            let mut repeats = Index::new(1, prints.len()).enter(&[&prints], &Whole(&prints)).into_iter().peekable();
            for (at, number) in (0..).zip(&numbers) {
                let kept =
                    repeats.next_if(|repeat| repeat.at == at).map_or(*number, |Repeat { kept, .. }| numbers[kept as usize]);
                if *number >= first {
                    out.put_number(u64::from(number - kept))?;
                }
            }
            out.end()?;
            settled.push(out.read(at_once, true));
        }
        Ok(settled)
    }
}

/// The proof that two segments are equal: all of their keyed fingerprints.
struct Whole<'a>(&'a [u128]);

impl Proof for Whole<'_> {
    fn same(&self, earlier: u32, later: u32) -> bool {
        self.0[earlier as usize] == self.0[later as usize]
    }

    fn touch(&self, segments: &[u32]) -> u8 {
        debug_assert!(segments.len() <= LOOK_AHEAD, "as the trait says");
        segments.iter().fold(0, |all, &segment| all ^ self.0[segment as usize] as u8)
    }
}

/// Segments in the second pass.
pub(crate) struct Settled {
    /// Of each segment by how much its number is higher than that of the first of its kind.
    parts: Vec<Reading>,
    part_bits: u32,
}

impl Settled {
    /// The segment that the next one equals, if it isn't the first of its kind. They come as they came when they were gathered.
    ///
    /// # Errors
    /// If what was found can't be read.
    pub(crate) fn next(&mut self, first_bits: u16, number: u32) -> Result<Option<Repeat>> {
        let part = usize::from(first_bits) >> (16 - PARTITION_BITS - self.part_bits);
        let distance = self.parts[part].number()? as u32;
        Ok((distance > 0).then(|| Repeat { at: number, kept: number - distance }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn two_passes_on_disk_find_what_one_in_memory_does() {
        proptest::proptest!(|(kinds in proptest::collection::vec(0u8..40, 0..400), steps in proptest::collection::vec(1u32..300, 400), room in 0u64..9000, forgotten in 0u32..20_000, len in 0u32..9000, first in 0u32..9000)| {
            let numbers: Vec<u32> = steps.iter().scan(0, |sum, step| { *sum += step; Some(*sum) }).collect();
            let scratch = Scratch::new(&std::env::temp_dir()).unwrap();
            let print = |kind: u8| u128::from(kind).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            let mut gathering = Gathering::new(&scratch);
            for (&kind, &number) in kinds.iter().zip(&numbers) {
                gathering.add(&[(number, &[print(kind)])]).unwrap();
            }
            let forgotten = forgotten..forgotten + len;
            gathering.forget(forgotten.clone());
            let mut settled = gathering.settle(room, first).unwrap();
            let mut firsts = HashMap::new();
            for (&kind, &number) in kinds.iter().zip(&numbers).filter(|(_, number)| !forgotten.contains(number)) {
                let kept = *firsts.entry(kind).or_insert(number);
                let wanted = (kept != number).then_some(Repeat { at: number, kept });
                if number >= first {
                    assert_eq!(settled.next(first_bits(print(kind)), number).unwrap(), wanted);
                }
            }
            assert!(settled.parts.iter().all(Reading::is_at_end));
        });
    }
}
