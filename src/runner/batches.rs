//! What is done together: many small inputs, or one that is large.

use super::Reading;
use crate::source::{Found, Input, Packing};

/// An input smaller than this shares its batch with others; a larger one has all threads for itself, which also bounds the
/// memory: a batch holds [`BATCH_BYTES`] or one document.
pub(super) const LARGE: u64 = 4 << 20;
const BATCH_BYTES: u64 = 32 << 20;
/// Enough for a thread's work to be even, few enough for their outputs to be temporary files at the same time.
const BATCH_INPUTS: usize = 2048;
/// Whether an input comes in stretches: a container that is large or whose size isn't known, or of which the beginning counts
/// even if it is broken.
pub(super) fn is_streamed(input: &Input, reading: &Reading) -> bool {
    let may_break = input.packing != Packing::Plain && reading.keeps_broken();
    input.form.is_container() && (input.size == 0 || input.size >= LARGE || may_break)
}

pub(super) struct Batches<'a, I> {
    pub(super) found: I,
    pub(super) reading: &'a Reading,
    /// A large input that ended the last batch.
    pub(super) waiting: Option<Found>,
}

impl<I: Iterator<Item = Found>> Iterator for Batches<'_, I> {
    type Item = Vec<Found>;

    fn next(&mut self) -> Option<Vec<Found>> {
        let mut group: Vec<Found> = self.waiting.take().into_iter().collect();
        let mut bytes = 0;
        while group.len() < BATCH_INPUTS && bytes < BATCH_BYTES && !group.first().is_some_and(|first| self.is_alone(first)) {
            let Some(found) = self.found.next() else { break };
            if self.is_alone(&found) && !group.is_empty() {
                self.waiting = Some(found);
                break;
            }
            bytes += if let Found::Input(input) = &found { input.size } else { 0 };
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
