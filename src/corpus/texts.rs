//! The texts that are in memory, and the proof by their bytes that two of their paragraphs are equal.

use crate::compare::Match;
use crate::document::Segment;
use crate::index::{LOOK_AHEAD, Proof};
use crate::near::Near;
use crate::segment::{Segments, same};
use crate::source::Form;
use crate::source::text::LineNumbers;
use bytes::Bytes;
use rayon::prelude::*;
use std::path::PathBuf;

/// The texts, and where their paragraphs stand in them.
pub(super) struct Texts {
    pub(super) how: Match,
    /// Their spans count on from text to text.
    pub(super) segments: Vec<Segment>,
    /// The number of the first one: 0, unless those before are on disk.
    pub(super) first: u32,
    pub(super) held: Vec<Held>,
    pub(super) near: Near,
    /// Their inputs, each by its number and its path.
    pub(super) inputs: Vec<(u32, PathBuf)>,
    pub(super) end: u64,
}

/// A stretch of an input.
pub(super) struct Held {
    pub(super) start: u64,
    pub(super) bytes: Bytes,
    pub(super) form: Form,
    pub(super) input: u32,
    /// Where it begins in its input.
    pub(super) offset: u64,
    pub(super) line_numbers: LineNumbers,
}

impl Held {
    /// The number of the line that a byte is in.
    pub(super) fn line(&self, at: u64) -> u64 {
        self.line_numbers.of(&self.bytes, (at - self.offset) as usize)
    }
}

impl Texts {
    pub(super) fn new(how: Match) -> Self {
        Self { how, segments: Vec::new(), first: 0, held: Vec::new(), near: Near::new(14), inputs: Vec::new(), end: 0 }
    }

    /// Adds the paragraphs of a text that stands at `base`: by all threads, since most of the time goes into touching new memory.
    pub(super) fn add(&mut self, batch: &[Segments], base: u64) {
        let mut ends = Vec::with_capacity(batch.len());
        let mut count = 0;
        for part in batch {
            count += part.list.len();
            ends.push(count);
        }
        // A thread goes from part to part, and begins anew with each piece it is given.
        let segment = |part: &mut usize, number: usize| {
            while number >= ends[*part] {
                *part += 1;
            }
            let list = &batch[*part].list;
            list[number + list.len() - ends[*part]].moved(base)
        };
        self.segments.par_extend((0..count).into_par_iter().with_min_len(1 << 12).map_init(|| 0, segment));
    }

    pub(super) fn held(&self, at: u64) -> &Held {
        &self.held[self.near.last(&self.held, at, |held| held.start)]
    }

    /// The form and the bytes of a paragraph.
    pub(super) fn source(&self, segment: Segment) -> (Form, &[u8]) {
        let span = segment.span();
        let held = self.held(span.start);
        (held.form, &held.bytes[(span.start - held.start) as usize..(span.end - held.start) as usize])
    }
}

impl Proof for Texts {
    fn same(&self, earlier: u32, later: u32) -> bool {
        let (a, b) = (self.segments[earlier as usize], self.segments[later as usize]);
        let ((form, left), (other, right)) = (self.source(a), self.source(b));
        if form == other && left == right {
            return a.kind().goes_alone() == b.kind().goes_alone(); // what is written alike reads alike
        }
        let (left, right) = (form.decoded(left), other.decoded(right));
        same((&left, a.kind()), (&right, b.kind()), self.how)
    }

    fn touch(&self, segments: &[u32]) -> u8 {
        // First where all of them stand, so that no search among the texts waits for one of them.
        let mut starts = [0; LOOK_AHEAD];
        for (start, &segment) in starts.iter_mut().zip(segments) {
            *start = self.segments[segment as usize].span().start;
        }
        let byte = |&start: &u64| {
            let held = self.held(start);
            held.bytes.get((start - held.start) as usize).copied().unwrap_or_default()
        };
        debug_assert!(segments.len() <= LOOK_AHEAD, "as the trait says");
        starts[..segments.len()].iter().map(byte).fold(0, |all, byte| all ^ byte)
    }
}
