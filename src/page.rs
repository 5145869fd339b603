//! A text taken apart, and what stands between its paragraphs. Knows nothing of rules.

use crate::compare::Match;
use crate::document::{Kind, Repeat, Segment, Span, TooLarge};
use crate::index::{Index, Proof};
use crate::segment::{Segmenter, same};

/// A text and its paragraphs, which are called by their numbers.
pub(crate) struct Page<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) segments: Vec<Segment>,
    /// The columns of all of them.
    pub(crate) columns: u64,
}

impl<'a> Page<'a> {
    /// Takes a text apart; gives, with it, the paragraphs that equal an earlier one, in order.
    pub(crate) fn read(text: &'a [u8], how: Match) -> Result<(Self, Vec<Repeat>), TooLarge> {
        let mut segmenter = Segmenter::new(text, how);
        let mut segments: Vec<Segment> = Vec::new();
        let (mut repeats, mut columns) = (Vec::new(), 0);
        let mut batch = Vec::new();
        let mut index = None;
        while segmenter.next_batch(&mut batch)? {
            let count: usize = batch.iter().map(|part| part.list.len()).sum();
            let index = index.get_or_insert_with(|| {
                let expected = segmenter.expected(count);
                segments.reserve(expected + expected / 50);
                Index::new(if batch.len() > 1 { rayon::current_num_threads() } else { 1 }, expected)
            });
            for part in &batch {
                segments.extend_from_slice(&part.list);
                columns += part.columns;
            }
            if segments.len() > Index::MOST {
                return Err(TooLarge::Document);
            }
            let prints: Vec<&[u128]> = batch.iter().map(|part| part.prints.as_slice()).collect();
            repeats.append(&mut index.enter(&prints, &Texts { text, segments: &segments, how }));
        }
        Ok((Self { text, segments, columns }, repeats))
    }

    pub(crate) fn span(&self, paragraph: u32) -> Span {
        self.segments[paragraph as usize].span()
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
        self.segments.get(paragraph as usize).map_or(self.text.len() as u64, |segment| segment.span().start)
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
        // Before another line end a carriage return that is text would be taken for a part of it.
        let stays = (self.raw(before).ends_with(b"\r") && something_follows)
            || (!is_end && self.line_ends_after(before) >= self.line_ends_after(last));
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
    fn same(&self, earlier: u32, later: u32) -> bool {
        same(self.text, self.segments[earlier as usize], self.segments[later as usize], self.how)
    }

    fn touch(&self, segment: u32) -> u8 {
        self.text[self.segments[segment as usize].span().start as usize]
    }
}
