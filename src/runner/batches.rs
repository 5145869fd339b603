//! What is done together: many small inputs, or one that is large.

use super::{Course, Reading};
use crate::source::{Found, Input, Packing};

/// An input smaller than this shares its batch with others; a larger one has all threads for itself, which also bounds the
/// memory: a batch holds [`BATCH_BYTES`] or one document.
pub(super) const LARGE: u64 = 4 << 20;
const BATCH_BYTES: u64 = 32 << 20;
/// A packed container from this size on comes in stretches: what it holds may be many times as much.
const LARGE_PACKED: u64 = LARGE / UNPACKED;
/// A packed input counts for so many times its size: most text unpacks to three to eight times, and what that is isn't known
/// before.
const UNPACKED: u64 = 8;
/// Enough for a thread's work to be even, few enough for their outputs to be temporary files at the same time.
const BATCH_INPUTS: usize = 2048;

/// Whether an input comes in stretches: a container that is large or whose size isn't known, or of which the beginning counts
/// even if it is broken.
pub(super) fn is_streamed(input: &Input, reading: &Reading) -> bool {
    let may_break = input.packing != Packing::Plain && reading.keeps_broken();
    if input.form.is_container() && (reading.in_stretches || !input.form.has_lines()) {
        return true;
    }
    let large = if input.packing == Packing::Plain { LARGE } else { LARGE_PACKED };
    input.form.is_container() && (input.size == 0 || input.size >= large || may_break)
}

pub(super) struct Batches<'a, I> {
    found: I,
    reading: &'a Reading,
    /// So much makes a batch.
    bytes: u64,
    /// A large input that ended the last batch.
    waiting: Option<Found>,
}

impl<'a, I> Batches<'a, I> {
    pub(super) fn new(found: I, course: &Course<'a>) -> Self {
        Self { found, reading: course.reading, bytes: BATCH_BYTES.min(2 * course.budget.stretch() as u64), waiting: None }
    }
}

impl<I: Iterator<Item = Found>> Iterator for Batches<'_, I> {
    type Item = Vec<Found>;

    fn next(&mut self) -> Option<Vec<Found>> {
        let mut group: Vec<Found> = self.waiting.take().into_iter().collect();
        let mut bytes = 0;
        while group.len() < BATCH_INPUTS && bytes < self.bytes && !group.first().is_some_and(|first| self.is_alone(first)) {
            let Some(found) = self.found.next() else { break };
            if self.is_alone(&found) && !group.is_empty() {
                self.waiting = Some(found);
                break;
            }
            bytes += if let Found::Input(input) = &found { unpacked(input) } else { 0 };
            group.push(found);
        }
        (!group.is_empty()).then_some(group)
    }
}

impl<I> Batches<'_, I> {
    fn is_alone(&self, found: &Found) -> bool {
        matches!(found, Found::Input(input) if input.size >= LARGE || is_streamed(input, self.reading))
    }
}

/// About how large an input is in memory.
pub(super) fn unpacked(input: &Input) -> u64 {
    if input.packing == Packing::Plain { input.size } else { input.size * UNPACKED }
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
            Batches { found, waiting: None, bytes: BATCH_BYTES, reading: &Reading::default() }
                .map(|batch| batch.len())
                .collect::<Vec<_>>()
        };
        let sizes = [&[1 << 20; 40][..], &[LARGE, 1000]].concat();
        assert_eq!(batches(Packing::Plain, &sizes), [32, 8, 1, 1]);
        assert_eq!(batches(Packing::Gzip, &sizes), [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1, 1]);
    }
}
