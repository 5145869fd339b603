//! The nouns: what every room speaks of. Knows no other room.

pub mod edits;
mod map;
mod numbers;

pub use edits::{Edits, Put};
pub use map::Map;

use smallvec::SmallVec;
use std::ops::Range;

/// What may stand before a text in UTF-8 and is no part of it.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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

    /// The same in bytes that begin at `start` of those it is in.
    pub(crate) fn counted_from(self, start: u64) -> Self {
        Self { start: self.start - start, end: self.end - start }
    }

    /// The bytes of `text` it names.
    pub fn of(self, text: &[u8]) -> &[u8] {
        &text[self.range()]
    }
}

/// What a paragraph looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One line.
    Line,
    /// Hard-wrapped lines, joined.
    Wrapped,
    /// A row of a table.
    Row,
    /// A closed fenced code block.
    Fence,
}

impl Kind {
    /// Whether such a paragraph is cut when nothing around it repeats. Rows and fences go only inside a larger block.
    pub fn goes_alone(self) -> bool {
        matches!(self, Kind::Line | Kind::Wrapped)
    }
}

/// A paragraph (or other unit) of a text that is compared as a whole: 12 bytes, since a document may hold billions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    start: u32,
    len: u32,
    /// From the lowest bit on: what `start` can't hold (8 bits), the columns (22), the kind (2).
    rest: u32,
}

impl Segment {
    /// The longest segment there can be, in bytes.
    pub const MAX_LEN: u64 = u32::MAX as u64;
    /// A segment begins before this byte.
    pub const MAX_START: u64 = 1 << 40;

    /// More columns than these are not counted: thousands of times what makes any run long enough.
    pub const MAX_COLUMNS: u32 = (1 << 22) - 1;
    const KINDS: [Kind; 4] = [Kind::Line, Kind::Wrapped, Kind::Row, Kind::Fence];

    /// A segment at `span`, which is at most [`Segment::MAX_LEN`] long, begins before [`Segment::MAX_START`] and is, in its
    /// compared form, `columns` wide.
    pub fn new(span: Span, kind: Kind, columns: u32) -> Self {
        assert!(span.start < Self::MAX_START && span.len() <= Self::MAX_LEN, "the segmenter refuses larger texts");
        let rest = (span.start >> 32) as u32 | columns.min(Self::MAX_COLUMNS) << 8 | (kind as u32) << 30;
        Self { start: span.start as u32, len: span.len() as u32, rest }
    }

    /// Its bytes: whole lines with their indentation, without the last line's end.
    pub fn span(self) -> Span {
        let start = u64::from(self.rest & 0xff) << 32 | u64::from(self.start);
        Span { start, end: start + u64::from(self.len) }
    }

    /// The same segment standing `by` bytes further on.
    pub fn moved(self, by: u64) -> Self {
        let start = self.span().start + by;
        Self { start: start as u32, rest: self.rest & !0xff | (start >> 32) as u32 & 0xff, ..self }
    }

    /// The same segment as it stands in another text, at `span` (see [`Segment::new`]).
    pub fn standing_at(self, span: Span) -> Self {
        Self::new(span, self.kind(), self.columns())
    }

    /// What it looks like.
    pub fn kind(self) -> Kind {
        Self::KINDS[(self.rest >> 30) as usize]
    }

    /// Its length in display columns of its compared form.
    pub fn columns(self) -> u32 {
        self.rest >> 8 & Self::MAX_COLUMNS
    }

    /// What it adds to the length of a run: its columns, or nothing if it never goes alone.
    pub fn weight(self) -> u32 {
        if self.kind().goes_alone() { self.columns() } else { 0 }
    }
}

/// A segment that equals another one, which is kept whatever happens to this one: with keep-first the first of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Its number.
    pub at: u32,
    /// The number of the one that is kept.
    pub kept: u32,
}

/// What is compared as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Paragraphs, in runs; guards see to it that what stays reads as before.
    #[default]
    Paragraph,
    /// Lines that aren't empty, in runs, without guards.
    Line,
    /// Whole documents.
    Document,
}

/// Why a text can't be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooLarge {
    /// A paragraph that begins at this byte is longer than [`Segment::MAX_LEN`].
    Paragraph {
        /// Its first byte.
        at: u64,
    },
    /// More than `u32::MAX` paragraphs, or more bytes than [`Segment::MAX_START`].
    Document,
    /// As many paragraphs or bytes in all documents that are compared with one another.
    Corpus,
}

/// What is put in the place of some bytes of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes.
    pub at: Span,
    /// What stands in their place; mostly a character.
    pub put: SmallVec<[u8; 16]>,
}

impl From<Span> for Edit {
    /// A cut.
    fn from(at: Span) -> Self {
        Self { at, put: SmallVec::new() }
    }
}

impl Edit {
    /// The same in bytes that begin at `start` of those it is in.
    pub(crate) fn counted_from(&self, start: u64) -> Self {
        Self { at: self.at.counted_from(start), put: self.put.clone() }
    }
}

/// Bytes with edits, each a place and what stands there then: in order, without overlap.
pub(crate) fn edited<'e>(bytes: &[u8], edits: impl IntoIterator<Item = (Span, &'e [u8])>) -> Vec<u8> {
    let mut edited = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for (at, put) in edits {
        edited.extend_from_slice(&bytes[from..at.range().start]);
        edited.extend_from_slice(put);
        from = at.range().end;
    }
    edited.extend_from_slice(&bytes[from..]);
    edited
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
    /// A run of paragraphs that stands in an earlier document.
    RepeatedAcross,
    /// A document that is an earlier one again.
    RepeatedDocument,
}

impl Rule {
    /// All that there are.
    pub const ALL: [Self; 3] = [Rule::RepeatedBlock, Rule::RepeatedAcross, Rule::RepeatedDocument];

    /// Its name in reports and records.
    pub fn name(self) -> &'static str {
        match self {
            Rule::RepeatedBlock => "repeated-block",
            Rule::RepeatedAcross => "repeated-across",
            Rule::RepeatedDocument => "repeated-document",
        }
    }
}

/// A maximal run of consecutive duplicates whose witnesses are consecutive too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The rule that found it.
    pub rule: Rule,
    /// Its first to its last byte, without the separators around it.
    pub repeat: Span,
    /// The surviving text that justifies its removal.
    pub witness: Witness,
    /// How many paragraphs it holds.
    pub paragraphs: usize,
    /// Its length in display columns, each paragraph counted; 0 if nothing depends on that: repeated lines of any length.
    pub columns: u64,
}

/// A surviving text that justifies the removal of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witness {
    /// It stands in the same document: byte ranges in order.
    Here(SmallVec<[Span; 1]>),
    /// It stands in an earlier document: the first and the last of its paragraphs, numbered among those of all documents.
    Earlier {
        /// The first.
        first: u32,
        /// The last.
        last: u32,
    },
}

impl Witness {
    /// Its bytes in the same document; none if it stands in another one.
    pub fn here(&self) -> &[Span] {
        match self {
            Witness::Here(spans) => spans,
            Witness::Earlier { .. } => &[],
        }
    }
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

    #[test]
    fn a_segment_gives_back_what_it_was_given() {
        let far = Span { start: 0xab_1234_5678, end: 0xab_1234_5678 + 5000 };
        for kind in Segment::KINDS {
            let segment = Segment::new(far, kind, 4321);
            assert_eq!((segment.span(), segment.kind(), segment.columns()), (far, kind, 4321));
        }
        assert_eq!(size_of::<Segment>(), 12);
    }
}
