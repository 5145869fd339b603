//! Text into segments, and segments into fingerprints. Knows the compared form; knows nothing of what is done with repeats.
//!
//! A large text is taken apart in parallel, and comes out as if it had been read from front to back.

mod fence;
mod lines;
mod paragraph;

pub use fence::is_fence;
pub use lines::runs_on;

use crate::compare::{self, Match};
use crate::document::{Segment, Span};
use crate::fingerprint::fingerprint;
use paragraph::{Stretch, paragraphs};
use rayon::prelude::*;

/// The segments of a text in order, each with its fingerprint.
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

/// From this size on a text is taken apart by several threads; below, handing it out costs more than it saves.
const PARALLEL_FROM: usize = 4 << 20;
/// How much one task takes: some milliseconds of work, and many times the look-ahead that finding its end may need.
const STRETCH: usize = 2 << 20;

/// Takes `text` apart into paragraphs (the rule stands in `paragraph.rs`) and hashes their compared forms.
///
/// # Errors
/// If a paragraph has more than [`Segment::MAX_LEN`] bytes, or the text more than `u32::MAX` paragraphs.
pub fn segments(text: &[u8], how: Match) -> Result<Segments, TooLarge> {
    let fences = fence::closed_fences(text);
    if text.len() < PARALLEL_FROM {
        return hash_stretch(text, Stretch::whole(text), &fences, how);
    }
    let stretches = paragraph::stretches(text, &fences, STRETCH);
    let read: Vec<_> =
        stretches.into_par_iter().map(|stretch| hash_stretch(text, stretch, &fences, how)).collect::<Result<_, _>>()?;
    let total = read.iter().map(|part| part.list.len()).sum();
    if total >= u32::MAX as usize {
        return Err(TooLarge::Document);
    }
    let mut all = Segments { list: Vec::with_capacity(total), prints: Vec::with_capacity(total) };
    for part in read {
        all.list.extend_from_slice(&part.list);
        all.prints.extend_from_slice(&part.prints);
    }
    Ok(all)
}

fn hash_stretch(text: &[u8], stretch: Stretch, fences: &[Span], how: Match) -> Result<Segments, TooLarge> {
    let mut out = Segments::default();
    let mut scratch = Vec::new();
    let mut too_large = None;
    paragraphs(text, stretch, fences, |span| {
        if span.len() > Segment::MAX_LEN {
            too_large.get_or_insert(TooLarge::Paragraph { at: span.start });
            return;
        }
        let raw = span.of(text);
        let form = compared_form(raw, how, &mut scratch);
        // Table rows and fences go only inside a larger block, so they add nothing to what makes a block.
        let columns = if lines::is_table_row(raw) || is_fence(raw) { 0 } else { compare::columns(form) };
        out.list.push(Segment::new(span, columns));
        out.prints.push(fingerprint(form));
    });
    too_large.map_or(Ok(out), Err)
}

/// The compared form of a paragraph; a fenced code block is compared with its white space.
fn compared_form<'a>(raw: &'a [u8], how: Match, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    let how = if is_fence(raw) { Match::Bytes } else { how };
    compare::compared(raw, how, scratch)
}

/// Whether two paragraphs have the same compared form: the proof that precedes every cut.
pub fn same(a: &[u8], b: &[u8], how: Match) -> bool {
    a == b || {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        compared_form(a, how, &mut left) == compared_form(b, how, &mut right)
    }
}

/// Whether the paragraphs that are left of a chunk would be read as they are now, had the others never been there.
///
/// They may not: a chunk is hard-wrapped or not as a whole.
pub fn reads_the_same(text: &[u8], left: &[Segment]) -> bool {
    let lines: Vec<Span> = left.iter().flat_map(|segment| lines_of(text, segment.span())).collect();
    let mut read = Vec::new();
    paragraph::chunk_paragraphs(text, &lines, &mut |span| read.push(span));
    read.into_iter().eq(left.iter().map(|segment| segment.span()))
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
