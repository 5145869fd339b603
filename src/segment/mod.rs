//! Text into segments, and segments into fingerprints. Knows the compared form; knows nothing of what is done with repeats.
//!
//! A large text is taken apart in parallel, and comes out as if it had been read from front to back.

mod fence;
mod lines;
mod paragraph;

pub use fence::is_fence;
pub use lines::runs_on;

use crate::compare::{Look, Match, compared};
use crate::document::{Segment, Span};
use crate::fingerprint::fingerprint;
use paragraph::{MOST_WRAPPED_LINES, Stretch, paragraphs};
use rayon::prelude::*;

/// Consecutive segments of a text, each with its fingerprint.
#[derive(Debug, Default)]
pub struct Segments {
    /// Where they stand.
    pub list: Vec<Segment>,
    /// The fingerprint of each one's compared form.
    pub prints: Vec<u128>,
}

/// Why a text can't be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooLarge {
    /// A paragraph that begins at this byte is longer than [`Segment::MAX_LEN`].
    Paragraph {
        /// Its first byte.
        at: u64,
    },
    /// More than `u32::MAX` paragraphs.
    Document,
}

/// How much one task takes: some milliseconds of work, and many times the look-ahead that finding its end may need.
const STRETCH: usize = 1 << 20;
/// A text is taken apart in batches of so many stretches a thread: enough for the threads to end together, few enough for
/// the fingerprints of a batch to stay in the processor's cache until they are looked up.
const STRETCHES_PER_THREAD: usize = 4;

/// Takes a text apart into paragraphs (the rule stands in `paragraph.rs`) and hashes their compared forms, batch by batch.
pub struct Segmenter<'a> {
    text: &'a [u8],
    how: Match,
    fences: Vec<Span>,
    /// The last stretch that was read.
    last: Stretch,
}

impl<'a> Segmenter<'a> {
    /// A segmenter of `text`.
    pub fn new(text: &'a [u8], how: Match) -> Self {
        Self { text, how, fences: fence::closed_fences(text), last: Stretch::default() }
    }

    /// The next segments, in consecutive parts; `None` at the end.
    ///
    /// # Errors
    /// If a paragraph has more than [`Segment::MAX_LEN`] bytes.
    pub fn next_batch(&mut self) -> Result<Option<Vec<Segments>>, TooLarge> {
        let Some(first) = self.next_stretch() else { return Ok(None) };
        if first.end() == self.text.len() {
            return Ok(Some(vec![self.hash(first)?])); // a small text needs no threads
        }
        let most = STRETCHES_PER_THREAD * rayon::current_num_threads();
        let mut stretches = vec![first];
        stretches.extend(std::iter::from_fn(|| self.next_stretch()).take(most - 1));
        stretches.into_par_iter().map(|stretch| self.hash(stretch)).collect::<Result<_, _>>().map(Some)
    }

    /// How many segments the whole text has if it goes on like the `so_far` ones it gave.
    pub fn expected(&self, so_far: usize) -> usize {
        let read = self.last.end().max(1);
        (so_far as u128 * self.text.len() as u128 / read as u128) as usize
    }

    fn next_stretch(&mut self) -> Option<Stretch> {
        let next = self.last.next(self.text, &self.fences, STRETCH)?;
        self.last = next;
        Some(next)
    }

    fn hash(&self, stretch: Stretch) -> Result<Segments, TooLarge> {
        let mut out = Segments::default();
        let mut scratch = Vec::new();
        let mut too_large = None;
        paragraphs(self.text, stretch, &self.fences, |span| {
            if span.len() > Segment::MAX_LEN {
                too_large.get_or_insert(TooLarge::Paragraph { at: span.start });
                return;
            }
            let raw = span.of(self.text);
            let (form, columns) = form_and_columns(raw, self.how, &mut scratch);
            out.list.push(Segment::new(span, columns));
            out.prints.push(fingerprint(form));
        });
        too_large.map_or(Ok(out), Err)
    }
}

/// The compared form of a paragraph, and the columns it adds to a run: none for table rows and fences, which go only inside a
/// larger block.
fn form_and_columns<'a>(raw: &'a [u8], how: Match, scratch: &'a mut Vec<u8>) -> (&'a [u8], u32) {
    if is_fence(raw) {
        return (raw, 0);
    }
    let look = Look::at(raw);
    let form = look.compared(raw, how, scratch);
    let never_alone = look.may_have_cells() && lines::is_table_row(raw);
    (form, if never_alone { 0 } else { look.columns(form) })
}

/// The compared form of a paragraph; a fenced code block is compared with its white space.
fn compared_form<'a>(raw: &'a [u8], how: Match, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    let how = if is_fence(raw) { Match::Bytes } else { how };
    compared(raw, how, scratch)
}

/// Whether two paragraphs are equal, a row of a table only to another one: the proof that precedes every cut.
pub fn same(a: &[u8], b: &[u8], how: Match) -> bool {
    a == b || {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        compared_form(a, how, &mut left) == compared_form(b, how, &mut right) && lines::is_table_row(a) == lines::is_table_row(b)
    }
}

/// Whether the paragraphs that are left of a chunk would be read as they are now, had the others never been there.
///
/// They may not: a chunk is hard-wrapped or not as a whole.
pub fn reads_the_same(text: &[u8], left: impl Iterator<Item = Segment>) -> bool {
    let left: Vec<Span> = left.take(MOST_WRAPPED_LINES + 1).map(Segment::span).collect();
    if left.len() > MOST_WRAPPED_LINES {
        return true; // it was taken by the line, and still is
    }
    let lines: Vec<Span> = left.iter().flat_map(|&span| lines_of(text, span)).collect();
    let mut read = Vec::with_capacity(left.len());
    paragraph::chunk_paragraphs(text, &lines, &mut |span| read.push(span));
    read == left
}

/// The lines of a paragraph, without their ends.
fn lines_of(text: &[u8], span: Span) -> impl Iterator<Item = Span> + '_ {
    let mut start = span.start as usize;
    span.of(text).split(|&byte| byte == b'\n').map(move |line| {
        let at = start;
        start += line.len() + 1;
        Span::new(at, at + line.strip_suffix(b"\r").map_or(line.len(), <[u8]>::len))
    })
}

/// Whether a paragraph is several lines joined by the hard-wrap rule.
pub fn is_wrapped(raw: &[u8]) -> bool {
    memchr::memchr(b'\n', raw).is_some() && !is_fence(raw)
}
