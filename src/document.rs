//! The nouns: what every room speaks of. Knows no other room.

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

/// Where the bytes of a text came from: stretches that stand in the source as they stand in the text, and atoms, whose
/// source (an escape, an entity) is written otherwise and never halved.
///
/// Maps compose, so that what is found in a derived text can be cut in the source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map {
    /// In order, without overlap in either coordinate; together they cover the text.
    pieces: Vec<Piece>,
}

/// Its two spans are equally long, or it is an atom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    text: Span,
    source: Span,
    is_atom: bool,
}

impl Map {
    /// The text of `len` bytes that begins at byte `offset` of the source.
    pub fn shift(offset: usize, len: usize) -> Self {
        let mut map = Self::default();
        map.push(Span::new(offset, offset + len), len as u64, false);
        map
    }

    /// The same text, standing `by` bytes further on.
    pub fn moved(mut self, by: u64) -> Self {
        for piece in &mut self.pieces {
            piece.source = Span { start: piece.source.start + by, end: piece.source.end + by };
        }
        self
    }

    /// No text, with room for so many stretches and atoms.
    pub fn with_room(pieces: usize) -> Self {
        Self { pieces: Vec::with_capacity(pieces) }
    }

    /// What is left of a source of `len` bytes without `cuts` (in order, without overlap).
    pub fn without(cuts: impl IntoIterator<Item = Span>, len: usize) -> Self {
        let mut map = Self::default();
        let mut from = 0;
        for cut in cuts.into_iter().chain([Span::new(len, len)]) {
            let source = Span { start: from, end: cut.start };
            map.push(source, source.len(), false);
            from = cut.end;
        }
        map
    }

    /// Goes on with `len` bytes of text that stand at `source`, as they are or as an atom.
    pub fn push(&mut self, source: Span, len: u64, is_atom: bool) {
        debug_assert!(is_atom || source.len() == len);
        let start = self.pieces.last().map_or(0, |piece| piece.text.end);
        if len > 0 {
            self.pieces.push(Piece { text: Span { start, end: start + len }, source, is_atom });
        }
    }

    /// Goes on with `len` bytes of text that stand for nothing in the source.
    pub fn skip(&mut self, len: u64) {
        let at = self.pieces.last().map_or(0, |piece| piece.source.end);
        self.push(Span { start: at, end: at }, len, true);
    }

    /// Ends it behind the first `len` bytes of text; of an atom all of the source, if any of it is left.
    pub fn truncate(&mut self, len: u64) {
        while self.pieces.last().is_some_and(|last| last.text.start >= len) {
            self.pieces.pop();
        }
        if let Some(last) = self.pieces.last_mut().filter(|last| last.text.end > len) {
            if !last.is_atom {
                last.source.end -= last.text.end - len;
            }
            last.text.end = len;
        }
    }

    /// The map from this one's text to the source of `outer`, which may be a shift: then nothing is copied.
    pub(crate) fn led_on(self, outer: &Map) -> Map {
        match outer.pieces.as_slice() {
            [Piece { text, source, is_atom: false }] if text.start == 0 => self.moved(source.start),
            _ => self.then(outer),
        }
    }

    /// Makes stretches of the atoms that stand in the source as they stand in the text.
    pub(crate) fn loosen(&mut self, text: &[u8], source: &[u8]) {
        for piece in self.pieces.iter_mut().filter(|piece| piece.is_atom) {
            piece.is_atom = piece.text.of(text) != piece.source.of(source);
        }
    }

    /// So long is its text.
    pub(crate) fn len(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.text.end)
    }

    /// What of the text stands in the source as it reads, in order: where in the one and in the other.
    pub(crate) fn stretches(&self) -> impl Iterator<Item = (Span, Span)> + '_ {
        self.pieces.iter().filter(|piece| !piece.is_atom).map(|piece| (piece.text, piece.source))
    }

    /// Goes on with another one, whose source stands `by` bytes further on.
    pub(crate) fn extend(&mut self, more: &Map, by: u64) {
        let start = self.pieces.last().map_or(0, |piece| piece.text.end);
        let moved = |span: Span, by: u64| Span { start: span.start + by, end: span.end + by };
        let piece = |piece: &Piece| Piece { text: moved(piece.text, start), source: moved(piece.source, by), ..*piece };
        self.pieces.extend(more.pieces.iter().map(piece));
    }

    /// What of a source of `len` bytes doesn't stand in the text as it stands there, in order, each with what stands in its place.
    pub(crate) fn changes(&self, len: u64) -> Vec<(Span, Span)> {
        let mut changes: Vec<(Span, Span)> = Vec::new();
        let (mut source, mut text) = (0, 0);
        for piece in &self.pieces {
            match changes.last_mut().filter(|_| piece.is_atom && piece.source.start < source) {
                // Of what became several characters one was changed again.
                Some((at, put)) => (at.end, put.end) = (at.end.max(piece.source.end), piece.text.end),
                None => {
                    if source < piece.source.start {
                        changes.push((Span { start: source, end: piece.source.start }, Span { start: text, end: text }));
                    }
                    if piece.is_atom {
                        changes.push((piece.source, piece.text));
                    }
                }
            }
            (source, text) = (piece.source.end, piece.text.end);
        }
        if source < len {
            changes.push((Span { start: source, end: len }, Span { start: text, end: text }));
        }
        changes
    }

    /// The map from this one's text to the source of `outer`, whose text is this one's source.
    pub fn then(&self, outer: &Map) -> Map {
        let mut map = Map::default();
        for piece in &self.pieces {
            if piece.is_atom {
                map.push(outer.around(piece.source), piece.text.len(), true);
                continue;
            }
            for part in outer.overlapping(piece.source) {
                map.push(part.source, part.text.len(), part.is_atom);
            }
        }
        map
    }

    /// The stretches of the source in which the bytes of `text` stand, in order; of an atom all, if any of it is named.
    pub fn source(&self, text: Span) -> impl Iterator<Item = Span> + '_ {
        self.overlapping(text).map(|piece| piece.source)
    }

    /// From the first to the last byte of the source that belongs to the bytes of `text`; nothing for no text.
    pub fn around(&self, text: Span) -> Span {
        let mut source = self.source(text);
        let first = source.next().unwrap_or_default();
        Span { start: first.start, end: source.last().unwrap_or(first).end }
    }

    /// The pieces that hold bytes of `text`, less what they hold besides.
    fn overlapping(&self, text: Span) -> impl Iterator<Item = Piece> + '_ {
        let first = self.pieces.partition_point(|piece| piece.text.end <= text.start);
        self.pieces[first..].iter().take_while(move |piece| piece.text.start < text.end).map(move |piece| {
            let within = Span { start: piece.text.start.max(text.start), end: piece.text.end.min(text.end) };
            let start = piece.source.start + (within.start - piece.text.start);
            let source = if piece.is_atom { piece.source } else { Span { start, end: start + within.len() } };
            Piece { text: within, source, ..*piece }
        })
    }
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
    fn a_segment_gives_back_what_it_was_given() {
        let far = Span { start: 0xab_1234_5678, end: 0xab_1234_5678 + 5000 };
        for kind in Segment::KINDS {
            let segment = Segment::new(far, kind, 4321);
            assert_eq!((segment.span(), segment.kind(), segment.columns()), (far, kind, 4321));
        }
        assert_eq!(size_of::<Segment>(), 12);
    }

    #[test]
    fn atoms_are_never_halved() {
        let mut escaped = Map::default(); // a\u00e9b → aéb
        escaped.push(Span::new(0, 1), 1, false);
        escaped.push(Span::new(1, 7), 2, true);
        escaped.push(Span::new(7, 8), 1, false);
        assert_eq!(spans(&escaped, 1, 2), [(1, 7)]);
        let inner = Map::without([Span::new(0, 1)], 4).then(&escaped);
        assert_eq!(spans(&inner, 0, 3), [(1, 7), (7, 8)]);
        let outer = escaped.then(&Map::without([Span::new(2, 4)], 10));
        assert_eq!(spans(&outer, 0, 4), [(0, 1), (1, 9), (9, 10)]);
    }

    #[test]
    fn cuts_at_both_ends_leave_the_middle() {
        let map = Map::without([Span::new(0, 2), Span::new(8, 10)], 10);
        assert_eq!(spans(&map, 0, 6), [(2, 8)]);
    }
}
