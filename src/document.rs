//! The nouns: what every room speaks of. Knows no other room.

use std::ops::Range;

/// A range of bytes, `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Span {
    /// The first byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

impl Span {
    /// The bytes `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end);
        Self { start: start as u64, end: end as u64 }
    }

    /// Its length in bytes.
    pub fn len(self) -> u64 {
        self.end - self.start
    }

    /// Whether it holds no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The same bytes as an index range.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The bytes of `text` it names.
    pub fn of(self, text: &[u8]) -> &[u8] {
        &text[self.range()]
    }
}

/// A paragraph (or other unit) of a text that is compared as a whole: 16 bytes, since a document may hold billions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    start: u64,
    len: u32,
    /// What it adds to the length of a run, in display columns of its compared form; 0 for what never goes alone.
    pub columns: u32,
}

impl Segment {
    /// The longest segment there can be, in bytes.
    pub const MAX_LEN: u64 = u32::MAX as u64;

    /// A segment at `span`, which is at most [`Segment::MAX_LEN`] long.
    pub fn new(span: Span, columns: u32) -> Self {
        let len = u32::try_from(span.len()).expect("the segmenter refuses longer spans");
        Self { start: span.start, len, columns }
    }

    /// Its bytes: whole lines with their indentation, without the last line's end.
    pub fn span(self) -> Span {
        Span { start: self.start, end: self.start + u64::from(self.len) }
    }
}

/// Where the bytes of a text came from: stretches that stand in the source as they stand in the text.
///
/// Maps compose, so that what is found in a derived text can be cut in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// In order, without overlap in either coordinate; together they cover the text.
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    text: u64,
    source: Span,
}

impl Map {
    /// The text of `len` bytes that begins at byte `offset` of the source.
    pub fn shift(offset: usize, len: usize) -> Self {
        Self { pieces: vec![Piece { text: 0, source: Span::new(offset, offset + len) }] }
    }

    /// What is left of a source of `len` bytes without `cuts` (in order, without overlap).
    pub fn without(cuts: impl IntoIterator<Item = Span>, len: usize) -> Self {
        let mut pieces = Vec::new();
        let (mut text, mut from) = (0, 0);
        let end = Span::new(len, len);
        for cut in cuts.into_iter().chain([end]) {
            let source = Span { start: from, end: cut.start };
            if !source.is_empty() {
                pieces.push(Piece { text, source });
                text += source.len();
            }
            from = cut.end;
        }
        Self { pieces }
    }

    /// The map from this one's text to the source of `outer`, whose text is this one's source.
    pub fn then(&self, outer: &Map) -> Map {
        let mut pieces = Vec::new();
        let mut text = 0;
        for piece in &self.pieces {
            for source in outer.source(piece.source) {
                pieces.push(Piece { text, source });
                text += source.len();
            }
        }
        Map { pieces }
    }

    /// The stretches of the source in which the bytes of `text` stand, in order.
    pub fn source(&self, text: Span) -> impl Iterator<Item = Span> + '_ {
        let first = self.pieces.partition_point(|piece| piece.text + piece.source.len() <= text.start);
        self.pieces[first..].iter().take_while(move |piece| piece.text < text.end).map(move |piece| {
            let skip = text.start.saturating_sub(piece.text);
            let end = piece.source.len().min(text.end - piece.text);
            Span { start: piece.source.start + skip, end: piece.source.start + end }
        })
    }
}

/// One text: a file, or one record of a container.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// The bytes of the source that belong to it.
    pub extent: Span,
    /// The texts in it that are compared; what is in none of them is never cut.
    pub parts: Vec<Part<'a>>,
}

/// A text within a document.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// The text itself.
    pub text: std::borrow::Cow<'a, [u8]>,
    /// Where its bytes stand in the source.
    pub map: Map,
}

/// The rule by which something is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A run of paragraphs that stands elsewhere in the same document.
    RepeatedBlock,
}

/// A maximal run of consecutive duplicates whose witnesses are consecutive too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The rule that found it.
    pub rule: Rule,
    /// Its first to its last byte, without the separators around it.
    pub repeat: Span,
    /// The surviving text that justifies its removal: byte ranges in order.
    pub witness: Vec<Span>,
    /// How many paragraphs it holds.
    pub paragraphs: usize,
    /// Its length in display columns, each paragraph counted.
    pub columns: u64,
}

/// A byte range to remove. The cuts of a plan are in order and don't overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The bytes that go, separators included.
    pub at: Span,
    /// The [`Block`] it belongs to, by its number in the plan.
    pub block: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(map: &Map, start: usize, end: usize) -> Vec<(u64, u64)> {
        map.source(Span::new(start, end)).map(|s| (s.start, s.end)).collect()
    }

    #[test]
    fn a_map_names_the_source_of_what_survived() {
        let map = Map::without([Span::new(2, 4), Span::new(6, 7)], 10); // 01 45 789 → 01 45 789
        assert_eq!(spans(&map, 0, 7), [(0, 2), (4, 6), (7, 10)]);
        assert_eq!(spans(&map, 1, 3), [(1, 2), (4, 5)]);
        assert_eq!(spans(&map, 4, 5), [(7, 8)]);
    }

    #[test]
    fn maps_compose() {
        let outer = Map::without([Span::new(2, 4)], 10).then(&Map::shift(3, 10));
        let inner = Map::without([Span::new(1, 3)], 8).then(&outer);
        assert_eq!(spans(&inner, 0, 6), [(3, 4), (8, 13)]);
    }

    #[test]
    fn cuts_at_both_ends_leave_the_middle() {
        let map = Map::without([Span::new(0, 2), Span::new(8, 10)], 10);
        assert_eq!(spans(&map, 0, 6), [(2, 8)]);
    }
}
