//! The same on disk, for more segments than memory holds. It takes two passes: first all are gathered, by their fingerprints, in
//! partitions of which memory holds one at a time; then, as the same segments come again in the same order, each is told whether it
//! is the first of its kind, or which one is.
//!
//! There is no proof by bytes here, so the fingerprints must be keyed ([`crate::fingerprint::Hash::Keyed`]).

use crate::document::Repeat;
use crate::error::Result;
use crate::scratch::{Reading, Scratch, Tape};
use rayon::prelude::*;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A partition holds what has these first bits in common.
const PARTITION_BITS: u32 = 8;
/// One whose kinds don't fit in memory is divided by so many bits more, and again.
const MORE_BITS: u32 = 4;
/// All that ever divide: 2^31 segments are then in parts of about 2^15.
const MOST_BITS: u32 = 16;
/// What the first segment of a kind takes: its fingerprint and its number in a table that is at least seven sixteenths full, and at
/// times in another one of half the size.
const KIND_BYTES: u64 = 20 * 16 / 7 * 3 / 2;
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

/// The segments whose fingerprints have the same first bits.
struct Partition {
    /// Those bits, with zeros behind them, and how many they are.
    start: u32,
    bits: u32,
    /// Of each segment its fingerprint, less the first byte, and by how much its number is higher than that of the one before.
    tape: Tape,
    count: u64,
    last: u32,
}

impl Gathering {
    /// None yet.
    pub(crate) fn new(scratch: &Arc<Scratch>) -> Self {
        let partition = |number: u32| Partition::new(Tape::new(scratch), number << (MOST_BITS - PARTITION_BITS), PARTITION_BITS);
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
    /// Once `stop` is set, what it gives is of no use.
    ///
    /// # Errors
    /// If what was gathered can't be read, or there is no room for what is found.
    pub(crate) fn settle(self, room: u64, first: u32, stop: &AtomicBool) -> Result<Settled> {
        let Self { partitions, forgotten } = self;
        let share = room / rayon::current_num_threads() as u64;
        let settling = Settling { most: (share / KIND_BYTES).max(1) as usize, forgotten: &forgotten, first, stop };
        let one = |kinds: &mut Kinds, partition| {
            let mut parts = Vec::with_capacity(1);
            settling.settle(partition, kinds, &mut parts).map(|()| parts)
        };
        let parts = partitions.into_par_iter().map_init(Kinds::default, one);
        let parts: Vec<(u32, Tape)> = parts.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
        let at_once = (room / 2 / parts.len().max(1) as u64).min(READ_AT_ONCE) as usize;
        let starts = parts.iter().map(|&(start, _)| start).skip(1).chain([1 << MOST_BITS]);
        let mut part_of = Vec::with_capacity(1 << MOST_BITS);
        for (number, end) in (0..).zip(starts) {
            part_of.resize(end as usize, number);
        }
        Ok(Settled { parts: parts.into_iter().map(|(_, found)| found.read(at_once, true)).collect(), part_of })
    }
}

impl Partition {
    fn new(tape: Tape, start: u32, bits: u32) -> Self {
        Self { start, bits, tape, count: 0, last: 0 }
    }

    fn add(&mut self, print: u128, number: u32) -> Result<()> {
        let [_, rest @ ..] = print.to_be_bytes();
        self.put(&rest, number)
    }

    fn put(&mut self, print: &[u8; 15], number: u32) -> Result<()> {
        self.tape.put(print)?;
        self.tape.put_number(u64::from(number - std::mem::replace(&mut self.last, number)))?;
        self.count += 1;
        Ok(())
    }
}

/// The segments of a partition again, each with its number.
struct Again {
    segments: Reading,
    left: u64,
    last: u32,
}

impl Again {
    fn next(&mut self) -> Result<Option<([u8; 15], u32)>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let print = self.segments.array()?;
        self.last += self.segments.number()? as u32;
        Ok(Some((print, self.last)))
    }
}

/// The first segment of each kind.
type Kinds = HashMap<Print, u32, BuildHasherDefault<Itself>>;

/// A fingerprint without its first byte.
#[derive(PartialEq, Eq)]
struct Print([u8; 15]);

impl Hash for Print {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [.., a, b, c, d, e, f, g, h] = self.0;
        state.write_u64(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    }
}

/// A hash of what is one already.
#[derive(Default)]
struct Itself(u64);

impl Hasher for Itself {
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("a fingerprint writes a number");
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// How partitions are settled.
struct Settling<'a> {
    /// The most kinds that memory holds.
    most: usize,
    forgotten: &'a [Range<u32>],
    first: u32,
    stop: &'a AtomicBool,
}

impl Settling<'_> {
    /// Settles a partition; appends the parts in which it is found, each with the first bits from which on it is its. However often
    /// a kind comes, it takes its place once.
    fn settle(&self, partition: Partition, kinds: &mut Kinds, parts: &mut Vec<(u32, Tape)>) -> Result<()> {
        let Partition { start, bits, tape, count, .. } = partition;
        kinds.clear();
        let mut found = tape.another();
        let mut again = Again { segments: tape.read(usize::MAX, false), left: count, last: 0 };
        while !self.stop.load(Ordering::Relaxed)
            && let Some((print, number)) = again.next()?
        {
            if self.is_forgotten(number) {
                continue;
            }
            let is_full = kinds.len() >= self.most && bits < MOST_BITS;
            let kept = match kinds.entry(Print(print)) {
                Entry::Occupied(kept) => *kept.get(),
                Entry::Vacant(_) if is_full => {
                    drop(found);
                    let partition = Partition { tape: again.segments.into_tape(), ..partition };
                    return divided(partition)?.into_iter().try_for_each(|part| self.settle(part, kinds, parts));
                }
                Entry::Vacant(place) => *place.insert(number),
            };
            if number >= self.first {
                found.put_number(u64::from(number - kept))?;
            }
        }
        found.end()?;
        parts.push((start, found));
        Ok(())
    }

    fn is_forgotten(&self, number: u32) -> bool {
        let next = self.forgotten.partition_point(|numbers| numbers.end <= number);
        self.forgotten.get(next).is_some_and(|numbers| numbers.start <= number)
    }
}

/// A partition by more of its first bits.
fn divided(Partition { start, bits, tape, count, .. }: Partition) -> Result<Vec<Partition>> {
    let left = MOST_BITS - bits - MORE_BITS;
    let part = |number: u32| Partition::new(tape.another(), start | number << left, bits + MORE_BITS);
    let mut parts: Vec<Partition> = (0..1 << MORE_BITS).map(part).collect();
    let mut again = Again { segments: tape.read(usize::MAX, true), left: count, last: 0 };
    while let Some((print, number)) = again.next()? {
        // The first byte is that of its partition, and isn't there any more.
        let next_bits = u32::from(print[0]) >> left & ((1 << MORE_BITS) - 1);
        parts[next_bits as usize].put(&print, number)?;
    }
    Ok(parts)
}

/// Segments in the second pass.
pub(crate) struct Settled {
    /// Of each segment by how much its number is higher than that of the first of its kind.
    parts: Vec<Reading>,
    /// The part of each that there can be of the first bits.
    part_of: Vec<u32>,
}

impl Settled {
    /// The segment that the next one equals, if it isn't the first of its kind. They come as they came when they were gathered.
    ///
    /// # Errors
    /// If what was found can't be read.
    pub(crate) fn next(&mut self, first_bits: u16, number: u32) -> Result<Option<Repeat>> {
        let part = self.part_of[usize::from(first_bits)];
        let distance = self.parts[part as usize].number()? as u32;
        Ok((distance > 0).then(|| Repeat { at: number, kept: number - distance }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let mut settled = gathering.settle(room, first, &AtomicBool::new(false)).unwrap();
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
