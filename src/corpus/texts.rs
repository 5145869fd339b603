//! The texts that are in memory, and the proof by their bytes that two of their paragraphs are equal.

use crate::compare::Match;
use crate::document::{Map, Segment, Span};
use crate::index::{LOOK_AHEAD, Proof};
use crate::near::Near;
use crate::segment::{Segments, held, same};
use crate::sheaf::Origin;
use crate::source::Form;
use crate::source::text::LineNumbers;
use bytes::Bytes;
use rayon::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

/// The texts, and where their paragraphs stand in them.
pub(super) struct Texts {
    pub(super) how: Match,
    /// Their spans count on from text to text.
    pub(super) segments: Vec<Segment>,
    /// The number of the first one: 0, unless those before are on disk.
    pub(super) first: u32,
    pub(super) held: Vec<Held>,
    pub(super) near: Near,
    /// Their inputs, each by its number and its path, and its form.
    pub(super) inputs: Vec<(u32, PathBuf, Form)>,
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
    /// Whether its documents are records.
    pub(super) is_container: bool,
    pub(super) line_numbers: LineNumbers,
    /// Where its paragraphs stand in the input, if these bytes are what was read from that.
    pub(super) origins: Option<Origins>,
}

/// Where the paragraphs stand in an input of what was read from that.
pub(crate) enum Origins {
    /// Each by itself.
    Each(Vec<Origin>),
    /// By what leads there, and the input.
    By(Arc<Map>, Bytes),
}

impl Origins {
    /// How much memory they take.
    pub(super) fn held(&self) -> usize {
        match self {
            Origins::Each(origins) => held(origins),
            Origins::By(map, input) => map.held() + input.len(),
        }
    }
}

impl Held {
    /// The numbers of the lines of its file that a passage of it takes, if it is a text or told its lines.
    pub(super) fn lines(&self, place: Span) -> Option<(u64, u64)> {
        let line = |at: u64| self.line_numbers.of(&self.bytes, (at - self.offset) as usize);
        (!self.is_container).then(|| (line(place.start), line(place.end - 1)))
    }

    /// Where the paragraph was read from that stands at these addresses, if it was.
    pub(super) fn origin(&self, span: Span) -> Option<Origin> {
        let held = span.counted_from(self.start);
        match self.origins.as_ref()? {
            Origins::Each(origins) => origins.get(origins.partition_point(|origin| origin.held < held.start)).copied(),
            Origins::By(map, input) => {
                let place = map.around(held);
                let line = |at: u64| self.line_numbers.of(input, at as usize);
                Some(Origin { held: held.start, place, lines: (line(place.start), line(place.end - 1)) })
            }
        }
    }

    /// The place in its file of what stands from one address to another.
    pub(super) fn in_file(&self, span: Span) -> Span {
        let by = |at: u64| at - self.start + self.offset;
        let place = match &self.origins {
            Some(Origins::By(map, _)) => Some(map.around(span.counted_from(self.start))),
            _ => self.origin(span).map(|origin| origin.place),
        };
        place.unwrap_or(Span { start: by(span.start), end: by(span.end) })
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
