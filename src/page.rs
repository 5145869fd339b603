//! A text taken apart, and what stands between its paragraphs. Knows nothing of rules.

use crate::compare::Match;
use crate::document::{Kind, Repeat, Segment, Span, TooLarge};
use crate::index::{Index, Proof};
use crate::segment::{Manner, Segmenter, same};

/// A text and its paragraphs, which are called by their numbers.
#[derive(Clone, Copy)]
pub(crate) struct Page<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) segments: &'a [Segment],
    /// Where the text begins in the coordinates of the segments.
    pub(crate) origin: u64,
    /// The columns of all of them.
    pub(crate) columns: u64,
    /// Whether its paragraphs are blocks of markup.
    pub(crate) is_markup: bool,
}

/// The paragraphs of a text, and those that equal an earlier one of it, in order.
pub(crate) struct Read {
    pub(crate) segments: Vec<Segment>,
    pub(crate) columns: u64,
    pub(crate) repeats: Vec<Repeat>,
}

impl Read {
    /// Takes a text apart.
    pub(crate) fn new(text: &[u8], manner: Manner) -> Result<Self, TooLarge> {
        let mut segmenter = Segmenter::new(text, manner);
        let mut read = Self { segments: Vec::new(), columns: 0, repeats: Vec::new() };
        let mut batch = Vec::new();
        let mut index = None;
        while segmenter.next_batch(&mut batch)? {
            let count: usize = batch.iter().map(|part| part.list.len()).sum();
            let index = index.get_or_insert_with(|| {
                let expected = segmenter.expected(count);
                read.segments.reserve(expected + expected / 50);
                Index::new(if batch.len() > 1 { rayon::current_num_threads() } else { 1 }, expected)
            });
            for part in &batch {
                read.segments.extend_from_slice(&part.list);
                read.columns += part.columns;
            }
            if read.segments.len() > Index::MOST {
                return Err(TooLarge::Document);
            }
            let prints: Vec<&[u128]> = batch.iter().map(|part| part.prints.as_slice()).collect();
            let proof = Texts { text, segments: &read.segments, how: manner.how };
            read.repeats.append(&mut index.enter(&prints, &proof));
        }
        Ok(read)
    }

    /// Finds the repeats among the paragraphs of a small text, which has these fingerprints.
    pub(crate) fn repeats(text: &[u8], segments: &[Segment], prints: &[u128], how: Match) -> Vec<Repeat> {
        Index::new(1, prints.len()).enter(&[prints], &Texts { text, segments, how })
    }
}

impl<'a> Page<'a> {
    /// A paragraph as it stands in the text.
    pub(crate) fn segment(&self, paragraph: u32) -> Segment {
        self.segments[paragraph as usize].standing_at(self.span(paragraph))
    }

    pub(crate) fn span(&self, paragraph: u32) -> Span {
        let span = self.segments[paragraph as usize].span();
        Span { start: span.start - self.origin, end: span.end - self.origin }
    }

    pub(crate) fn raw(&self, paragraph: u32) -> &'a [u8] {
        self.span(paragraph).of(self.text)
    }

    pub(crate) fn kind(&self, paragraph: u32) -> Kind {
        self.segments[paragraph as usize].kind()
    }

    /// How many line ends stand between a paragraph and the next.
    #[inline]
    pub(crate) fn line_ends_after(&self, paragraph: u32) -> usize {
        let separator = Span { start: self.span(paragraph).end, end: self.span(paragraph + 1).start };
        // Often it is a single byte, which need not be looked at.
        if separator.len() == 1 { 1 } else { memchr::memchr_iter(b'\n', separator.of(self.text)).count() }
    }

    /// Where a paragraph begins; of the one after the last the end of the text.
    pub(crate) fn start(&self, paragraph: u32) -> u64 {
        if (paragraph as usize) < self.segments.len() { self.span(paragraph).start } else { self.text.len() as u64 }
    }

    /// The first paragraph that begins at this byte or behind it.
    pub(crate) fn first_from(&self, byte: u64) -> u32 {
        self.segments.partition_point(|segment| segment.span().start - self.origin < byte) as u32
    }

    /// Where two paragraphs come together when all between them are cut, one of the separators beside the cut stays. Gives
    /// the paragraph that it follows: it is the one with more line ends, at a tie the first. What follows the last paragraph
    /// of the text stays when that one is cut (`after` is then the number of paragraphs).
    #[inline]
    pub(crate) fn separator_between(&self, before: u32, after: u32) -> u32 {
        let last = after - 1;
        if before == last {
            return before;
        }
        let is_end = after as usize == self.segments.len();
        let something_follows = self.span(last).end < self.start(after);
        // Before another line end a carriage return that is text would be taken for a part of it. (The text is far memory, and
        // looked at last.)
        let stays = (!is_end && self.line_ends_after(before) >= self.line_ends_after(last))
            || (something_follows && self.raw(before).ends_with(b"\r"));
        if stays { before } else { last }
    }

    /// Whether two paragraphs, with all between them cut, belong to one chunk.
    #[inline]
    pub(crate) fn is_one_chunk(&self, before: u32, after: u32) -> bool {
        self.kind(before) != Kind::Fence
            && self.kind(after) != Kind::Fence
            && self.line_ends_after(self.separator_between(before, after)) <= 1
    }
}

/// The proof that two paragraphs are equal: their texts.
struct Texts<'a> {
    text: &'a [u8],
    segments: &'a [Segment],
    how: Match,
}

impl Proof for Texts<'_> {
    #[inline]
    fn same(&self, earlier: u32, later: u32) -> bool {
        let of = |segment: u32| (self.segments[segment as usize].span().of(self.text), self.segments[segment as usize].kind());
        same(of(earlier), of(later), self.how)
    }

    fn touch(&self, segments: &[u32]) -> u8 {
        let byte = |&segment: &u32| self.text[self.segments[segment as usize].span().start as usize];
        segments.iter().map(byte).fold(0, |all, byte| all ^ byte)
    }
}
