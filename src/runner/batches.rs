//! What is done together: many small inputs, or one that is large.

use super::{Course, Reading};
use crate::source::{Found, Input, Packing};
use std::collections::VecDeque;

/// An input smaller than this shares its batch with others; a larger one has all threads for itself, which also bounds the
/// memory: a batch holds [`BATCH_BYTES`] or one document.
pub(super) const LARGE: u64 = 4 << 20;
const BATCH_BYTES: u64 = 32 << 20;
/// A packed container from this size on comes in stretches: what it holds may be many times as much.
const LARGE_PACKED: u64 = LARGE / UNPACKED;
/// A packed input counts for so many times its size, or twice as many as those did that were counted, until it is known what it
/// unpacks to: most text unpacks to three to eight times.
const UNPACKED: u64 = 8;
/// And for so much at least.
const LEAST_UNPACKED: u64 = 4 << 10;
/// Enough for a thread's work to be even, few enough for their outputs to be temporary files at the same time.
const BATCH_INPUTS: usize = 2048;

/// Whether an input comes in stretches: a container that is large or whose size isn't known, or of which the beginning counts
/// even if it is broken.
pub(super) fn is_streamed(input: &Input, reading: &Reading) -> bool {
    if input.form.is_whole() {
        return false;
    }
    let may_break = input.packing != Packing::Plain && reading.keeps_broken();
    if reading.in_stretches || !input.form.has_lines() {
        return true;
    }
    let is_large_packed = input.packing != Packing::Plain && input.size >= LARGE_PACKED;
    input.size == 0 || is_large_packed || is_large(input) || may_break
}

/// Whether an input is large, as far as is known.
fn is_large(input: &Input) -> bool {
    input.size >= LARGE || input.unpacked.is_some_and(|size| size >= LARGE)
}

/// Inputs that are done together.
pub(super) struct Batch {
    pub(super) group: Vec<Found>,
    pub(super) unpacking: Unpacking,
}

/// How many times their size packed inputs are expected to unpack to.
#[derive(Clone, Copy)]
pub(super) struct Unpacking(u64);

impl Unpacking {
    /// About how large an input is in memory.
    pub(super) fn size(self, input: &Input) -> u64 {
        match input.packing {
            Packing::Plain => input.size,
            _ => input.unpacked.unwrap_or((input.size * self.0).max(LEAST_UNPACKED)),
        }
    }

    /// How large an input that is taken whole may turn out to be.
    pub(super) fn most(self, input: &Input) -> u64 {
        // What comes by a pipe comes once.
        let is_known = input.packing == Packing::Plain || input.size == 0 || input.unpacked.is_some();
        match input.form {
            _ if is_known => u64::MAX,
            form if form.is_whole() => self.size(input),
            _ => self.size(input).min(LARGE),
        }
    }

    /// As of those inputs of which it is known.
    fn of(group: &[Found]) -> Self {
        let known = |found: &Found| match found {
            Found::Input(Input { size, unpacked: Some(unpacked), .. }) => Some((*size, *unpacked)),
            _ => None,
        };
        let (packed, unpacked) = group.iter().filter_map(known).fold((1, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        Self((2 * unpacked / packed).max(UNPACKED))
    }
}

pub(super) struct Batches<'a, I> {
    found: I,
    reading: &'a Reading,
    /// So much makes a batch.
    bytes: u64,
    unpacking: Unpacking,
    /// What is to come before the others.
    waiting: VecDeque<Found>,
}

impl<'a, I: Iterator<Item = Found>> Batches<'a, I> {
    pub(super) fn new(found: I, course: &Course<'a>) -> Self {
        let bytes = BATCH_BYTES.min(2 * course.budget.stretch() as u64);
        Self { found, reading: course.reading, bytes, unpacking: Unpacking(UNPACKED), waiting: VecDeque::new() }
    }

    /// Takes a batch back of which something unpacks to more than was expected, now that it is known how much each does.
    pub(super) fn again(&mut self, batch: Batch) {
        self.unpacking = Unpacking::of(&batch.group);
        self.give_back(batch);
    }

    /// Takes a batch back.
    pub(super) fn give_back(&mut self, batch: Batch) {
        for found in batch.group.into_iter().rev() {
            self.waiting.push_front(found);
        }
    }

    /// How much packed inputs are expected to unpack to by now.
    pub(super) fn unpacking(&self) -> Unpacking {
        self.unpacking
    }

    /// All that is left, one by one.
    pub(super) fn rest(self) -> impl Iterator<Item = Found> {
        self.waiting.into_iter().chain(self.found)
    }

    fn is_alone(&self, found: &Found) -> bool {
        matches!(found, Found::Input(input) if is_large(input) || is_streamed(input, self.reading))
    }
}

impl<I: Iterator<Item = Found>> Iterator for Batches<'_, I> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let mut group: Vec<Found> = Vec::new();
        let mut bytes = 0;
        while group.len() < BATCH_INPUTS && bytes < self.bytes && !group.first().is_some_and(|first| self.is_alone(first)) {
            let Some(found) = self.waiting.pop_front().or_else(|| self.found.next()) else { break };
            if self.is_alone(&found) && !group.is_empty() {
                self.waiting.push_front(found);
                break;
            }
            bytes += if let Found::Input(input) = &found { self.unpacking.size(input) } else { 0 };
            group.push(found);
        }
        (!group.is_empty()).then_some(Batch { group, unpacking: self.unpacking })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Form, Origin};

    #[test]
    fn a_batch_holds_fewer_files_if_they_are_packed() {
        let input = |packing, size| Input { packing, size, from: Origin::Named("a".into()), ..Input::stdin(Form::Text) };
        let batches = |packing, sizes: &[u64]| {
            let found = sizes.iter().map(|&size| Found::Input(input(packing, size)));
            let (reading, unpacking, waiting) = (&Reading::default(), Unpacking(UNPACKED), VecDeque::new());
            let batches = Batches { found, reading, bytes: BATCH_BYTES, unpacking, waiting };
            batches.map(|batch| batch.group.len()).collect::<Vec<_>>()
        };
        let sizes = [&[1 << 20; 40][..], &[LARGE, 1000]].concat();
        assert_eq!(batches(Packing::Plain, &sizes), [32, 8, 1, 1]);
        assert_eq!(batches(Packing::Gzip, &sizes), [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1, 1]);
    }

    #[test]
    fn what_comes_again_comes_in_smaller_batches_and_in_order() {
        let named = |name: usize| Input { from: Origin::Named(name.to_string().into()), ..Input::stdin(Form::Text) };
        let input = |name| Found::Input(Input { packing: Packing::Gzip, size: 100 << 10, ..named(name) });
        let (reading, unpacking, waiting) = (&Reading::default(), Unpacking(UNPACKED), VecDeque::new());
        let mut batches = Batches { found: (0..100).map(input), reading, bytes: BATCH_BYTES, unpacking, waiting };
        let (mut names, mut sizes) = (Vec::new(), Vec::new());
        while let Some(mut batch) = batches.next() {
            let mut is_known = true;
            for found in &mut batch.group {
                let Found::Input(input) = found else { panic!("all are inputs") };
                // One of them unpacks to much.
                let size =
                    if input.name.as_os_str() == "-" && input.path() == std::path::Path::new("7") { 3 << 20 } else { 200 << 10 };
                is_known &= batch.unpacking.most(input) >= size;
                input.unpacked = Some(size);
            }
            if !is_known {
                batches.again(batch);
                continue;
            }
            sizes.push(batch.group.len());
            names.extend(
                batch.group.iter().map(|found| if let Found::Input(input) = found { input.path().to_owned() } else { "".into() }),
            );
        }
        assert_eq!(names, (0..100).map(|name| std::path::PathBuf::from(name.to_string())).collect::<Vec<_>>());
        // 41 of them were known, and are less than they were taken for.
        assert_eq!((sizes[0] > 41, sizes.iter().sum::<usize>()), (true, 100));
    }
}
