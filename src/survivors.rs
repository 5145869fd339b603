//! Which segments of a text are still there, and how those are numbered. Knows numbers only.

use smallvec::SmallVec;

/// Of most documents so many words are all, and need no memory of their own.
const FEW: usize = 4;

/// Segments by number, some of them gone: a bit each in words of 64.
#[derive(Default)]
pub(crate) struct Survivors {
    gone: SmallVec<[u64; FEW]>,
    /// For each word how many survive before it.
    before: SmallVec<[u32; FEW]>,
    /// For every 64th survivor the word it is in.
    words: SmallVec<[u32; FEW]>,
    segments: u32,
    count: u32,
}

impl Survivors {
    /// So many segments, none of them gone: nothing need be kept of them.
    pub(crate) fn all(segments: usize) -> Self {
        Self { segments: segments as u32, count: segments as u32, ..Self::default() }
    }

    /// So many segments, without those given.
    pub(crate) fn of(segments: usize, gone: impl Iterator<Item = u32>) -> Self {
        let mut survivors = Self::default();
        survivors.grow(segments, gone);
        survivors
    }

    /// Goes on to so many segments in all, without those given, which are new ones.
    pub(crate) fn grow(&mut self, segments: usize, gone: impl Iterator<Item = u32>) {
        let from = (self.segments as usize / 64).min(self.before.len());
        self.segments = segments as u32;
        self.gone.resize(segments.div_ceil(64), 0);
        gone.for_each(|at| self.gone[at as usize / 64] |= 1 << (at % 64));
        self.count = if from == 0 { 0 } else { self.before.get(from).copied().unwrap_or(self.count) };
        self.before.truncate(from);
        self.words.truncate(self.count.div_ceil(64) as usize);
        for (word, gone) in self.gone.iter().enumerate().skip(from) {
            self.before.push(self.count);
            self.count += (segments - word * 64).min(64) as u32 - gone.count_ones();
            if self.words.len() * 64 < self.count as usize {
                self.words.push(word as u32);
            }
        }
    }

    /// How many survive.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Whether none is gone.
    pub(crate) fn are_all(&self) -> bool {
        self.count == self.segments
    }

    /// Whether a segment is gone.
    pub(crate) fn is_gone(&self, segment: u32) -> bool {
        !self.are_all() && self.gone[segment as usize / 64] >> (segment % 64) & 1 == 1
    }

    /// How many survive before `segment`: its number among the survivors, if it is one.
    pub(crate) fn number(&self, segment: u32) -> u32 {
        if self.are_all() {
            return segment;
        }
        let word = segment as usize / 64;
        let present = !self.gone[word] & ((1 << (segment % 64)) - 1);
        self.before[word] + present.count_ones()
    }

    /// The segment that is the survivor of this number.
    pub(crate) fn segment(&self, number: u32) -> u32 {
        if self.are_all() {
            return number;
        }
        let first = self.words[number as usize / 64] as usize;
        let last = self.words.get(number as usize / 64 + 1).map_or(self.before.len() - 1, |&word| word as usize);
        let word = first + self.before[first + 1..=last].partition_point(|&before| before <= number);
        word as u32 * 64 + nth_bit(!self.gone[word], number - self.before[word])
    }
}

/// The place of a bit that is set, by how many are below it.
fn nth_bit(mut bits: u64, mut number: u32) -> u32 {
    let mut place = 0;
    for width in [32, 16, 8, 4, 2, 1] {
        let below = (bits & ((1 << width) - 1)).count_ones();
        if number >= below {
            number -= below;
            bits >>= width;
            place += width;
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survivors_are_numbered_in_order() {
        proptest::proptest!(|(gone: Vec<bool>, step in 1usize..150)| {
            let numbers = 0..gone.len() as u32;
            let first = gone.iter().position(|&gone| gone).unwrap_or(gone.len());
            let mut survivors = Survivors::all(first);
            for start in (0..gone.len()).step_by(step) {
                let end = (start + step).min(gone.len());
                if end <= first {
                    continue;
                }
                survivors.grow(end, (start as u32..end as u32).filter(|&at| gone[at as usize]));
            }
            let left: Vec<u32> = numbers.clone().filter(|&at| !gone[at as usize]).collect();
            proptest::prop_assert_eq!(survivors.count() as usize, left.len());
            proptest::prop_assert!(numbers.into_iter().all(|at| survivors.is_gone(at) == gone[at as usize]));
            for (number, &segment) in (0..).zip(&left) {
                proptest::prop_assert_eq!(survivors.number(segment), number);
                proptest::prop_assert_eq!(survivors.segment(number), segment);
            }
        });
    }
}
