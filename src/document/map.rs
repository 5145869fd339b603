//! Where the bytes of a text came from.

use super::{Span, numbers};

/// Where the bytes of a text came from: stretches that stand in the source as they stand in the text, and atoms, whose
/// source (an escape, an entity) is written otherwise and never halved.
///
/// Maps compose, so that what is found in a derived text can be cut in the source. A piece takes some two or three bytes, since a text may
/// have one for each of its words.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// The pieces but for the last one, each by how it follows from the one before (see [`Map::write`]). In order, without overlap in either
    /// coordinate; together they cover the text.
    written: Vec<u8>,
    /// Where one may begin to read.
    marks: Vec<Mark>,
    /// How many pieces are written.
    count: usize,
    /// Where the last of them ends.
    ends: Place,
    last: Option<Piece>,
    /// So much further on all of it stands in the source.
    offset: u64,
}

/// So many pieces are between two marks.
const MARKED: usize = 32;

/// A place in a text, and in its source.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    text: u64,
    source: u64,
}

/// Where a piece is written, and where the one before it ends.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: usize,
    ends: Place,
}

/// Its two spans are equally long, or it is an atom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    text: Span,
    source: Span,
    is_atom: bool,
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.pieces(0).eq(other.pieces(0))
    }
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
        self.offset += by;
        self
    }

    /// No text, with room for so many stretches and atoms.
    pub fn with_room(pieces: usize) -> Self {
        const TYPICAL: usize = 3;
        Self { written: Vec::with_capacity(pieces.saturating_sub(1) * TYPICAL), ..Self::default() }
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

    /// Goes on with `len` bytes of text that stand at `source`, as they are or as an atom. An atom whose source begins within that of the last
    /// one is a part of it: what became several characters.
    pub fn push(&mut self, source: Span, len: u64, is_atom: bool) {
        debug_assert!(is_atom || source.len() == len);
        if len == 0 {
            return;
        }
        let source = Span { start: source.start - self.offset, end: source.end - self.offset };
        if let Some(last) = self.last.as_mut().filter(|last| source.start < last.source.end) {
            debug_assert!(is_atom && last.is_atom, "only atoms stand for the same");
            last.source.end = last.source.end.max(source.end);
            last.text.end += len;
            return;
        }
        let start = self.len();
        let piece = Piece { text: Span { start, end: start + len }, source, is_atom };
        if let Some(last) = self.last.replace(piece) {
            self.write(last);
        }
    }

    /// Goes on with `len` bytes of text that stand for nothing in the source.
    pub fn skip(&mut self, len: u64) {
        let at = self.end();
        self.push(Span { start: at, end: at }, len, true);
    }

    /// Writes a piece: how long it is in the text, whether it is an atom, and whether something of the source is left out before it; how much
    /// that is, and how long an atom is in the source.
    fn write(&mut self, piece: Piece) {
        if self.count.is_multiple_of(MARKED) {
            self.marks.push(Mark { at: self.written.len(), ends: self.ends });
        }
        self.count += 1;
        let gap = piece.source.start - self.ends.source;
        numbers::put(&mut self.written, piece.text.len() << 2 | u64::from(piece.is_atom) << 1 | u64::from(gap > 0));
        if gap > 0 {
            numbers::put(&mut self.written, gap);
        }
        if piece.is_atom {
            numbers::put(&mut self.written, piece.source.len());
        }
        self.ends = Place { text: piece.text.end, source: piece.source.end };
    }

    /// Ends it behind the first `len` bytes of text; of an atom all of the source, if any of it is left.
    pub fn truncate(&mut self, len: u64) {
        if self.last.is_some_and(|last| last.text.start >= len) {
            let mark = self.marks.partition_point(|mark| mark.ends.text < len).saturating_sub(1);
            let begins = self.marks.get(mark).copied().unwrap_or(Mark { at: 0, ends: Place::default() });
            let left: Vec<Piece> = self.pieces(begins.ends.text).take_while(|piece| piece.text.start < len).collect();
            self.written.truncate(begins.at);
            self.marks.truncate(mark);
            (self.count, self.ends, self.last) = (mark * MARKED, begins.ends, None);
            for Piece { text, source, is_atom } in left {
                self.push(source, text.len(), is_atom);
            }
        }
        if let Some(last) = self.last.as_mut().filter(|last| last.text.end > len) {
            if !last.is_atom {
                last.source.end -= last.text.end - len;
            }
            last.text.end = len;
        }
    }

    /// The map from this one's text to the source of `outer`, which may be a shift: then nothing is copied.
    pub(crate) fn led_on(self, outer: &Map) -> Map {
        let mut pieces = outer.pieces(0);
        match (pieces.next(), pieces.next()) {
            (Some(Piece { source, is_atom: false, .. }), None) => self.moved(source.start),
            _ => self.then(outer),
        }
    }

    /// Makes stretches of the atoms that stand in the source as they stand in the text.
    pub(crate) fn loosened(&self, text: &[u8], source: &[u8]) -> Map {
        let mut map = Map::with_room(self.count + 1);
        for piece in self.pieces(0) {
            map.push(piece.source, piece.text.len(), piece.is_atom && piece.text.of(text) != piece.source.of(source));
        }
        map
    }

    /// How much memory it takes.
    pub(crate) fn held(&self) -> usize {
        self.written.capacity() + self.marks.capacity() * size_of::<Mark>()
    }

    /// So long is its text.
    pub(crate) fn len(&self) -> u64 {
        self.last.map_or(self.ends.text, |last| last.text.end)
    }

    /// Where the source of its text ends.
    fn end(&self) -> u64 {
        self.offset + self.last.map_or(self.ends.source, |last| last.source.end)
    }

    /// What of the text stands in the source as it reads, in order: where in the one and in the other.
    pub(crate) fn stretches(&self) -> impl Iterator<Item = (Span, Span)> + '_ {
        self.pieces(0).filter(|piece| !piece.is_atom).map(|piece| (piece.text, piece.source))
    }

    /// Goes on with another one, whose source stands `by` bytes further on.
    pub(crate) fn extend(&mut self, more: &Map, by: u64) {
        for Piece { text, source, is_atom } in more.pieces(0) {
            self.push(Span { start: source.start + by, end: source.end + by }, text.len(), is_atom);
        }
    }

    /// What of a part of the source doesn't stand in the text as it stands there, in order, each with what stands in its place. What stands
    /// there is the `text` at least.
    pub(crate) fn changes(&self, text: Span, source: Span) -> impl Iterator<Item = (Span, Span)> + '_ {
        let mut pieces = self.pieces(text.start).take_while(move |piece| piece.text.start < text.end).peekable();
        let mut done = Place { text: text.start, source: source.start };
        std::iter::from_fn(move || {
            loop {
                let start = pieces.peek().map_or(source.end, |piece| piece.source.start);
                if done.source < start {
                    let left_out = Span { start: done.source, end: start };
                    done.source = start;
                    return Some((left_out, Span { start: done.text, end: done.text }));
                }
                let piece = pieces.next()?;
                done = Place { text: piece.text.end, source: piece.source.end };
                if piece.is_atom {
                    return Some((piece.source, piece.text));
                }
            }
        })
    }

    /// Whether all of a part of the source stands in the text as it stands there.
    pub(crate) fn has(&self, source: Span) -> bool {
        let mut from = source.start;
        for piece in self.pieces_behind(|place| place.source <= source.start).skip_while(|piece| piece.source.end <= source.start)
        {
            if from >= source.end || piece.is_atom || piece.source.start > from {
                break;
            }
            from = piece.source.end;
        }
        from >= source.end
    }

    /// Whether no atom has something on both sides of a place in the text.
    pub(crate) fn may_be_parted(&self, at: u64) -> bool {
        self.pieces(at).next().is_none_or(|piece| !piece.is_atom || piece.text.start == at)
    }

    /// A part of the text, and all of the atoms of which something is in it.
    pub(crate) fn unparted(&self, text: Span) -> Span {
        let bounds = |piece: Piece| if piece.is_atom { piece.text } else { text };
        let Some(first) = self.pieces(text.start).next().filter(|piece| piece.text.start < text.end).map(bounds) else {
            return text;
        };
        let last = self.pieces(text.end - 1).next().map_or(first, bounds);
        Span { start: first.start.min(text.start), end: last.end.max(text.end) }
    }

    /// The map from this one's text to the source of `outer`, whose text is this one's source.
    pub fn then(&self, outer: &Map) -> Map {
        let mut map = Map::with_room(self.count.max(outer.count) + 1);
        let mut rest = outer.pieces(0).peekable();
        for piece in self.pieces(0) {
            while rest.next_if(|part| part.text.end <= piece.source.start).is_some() {}
            let mut around: Option<Span> = None;
            while let Some(part) = rest.peek().filter(|part| part.text.start < piece.source.end) {
                let within = part.within(piece.source);
                if piece.is_atom {
                    let start = around.map_or(within.source.start, |all| all.start);
                    around = Some(Span { start, end: within.source.end });
                } else {
                    map.push(within.source, within.text.len(), within.is_atom);
                }
                if part.text.end > piece.source.end {
                    break; // the next piece may have more of it
                }
                rest.next();
            }
            match around {
                Some(source) => map.push(source, piece.text.len(), true),
                None if piece.is_atom => map.skip(piece.text.len()),
                None => {}
            }
        }
        map
    }

    /// The stretches of the source in which the bytes of `text` stand, in order; of an atom all, if any of it is named.
    pub fn source(&self, text: Span) -> impl Iterator<Item = Span> + '_ {
        let pieces = self.pieces(text.start).take_while(move |piece| piece.text.start < text.end);
        pieces.map(move |piece| piece.within(text).source)
    }

    /// From the first to the last byte of the source that belongs to the bytes of `text`; nothing for no text, where that would stand.
    pub fn around(&self, text: Span) -> Span {
        if text.is_empty() {
            let next = self.pieces(text.start).next();
            let behind = next.map(|piece| if piece.text.start < text.start { piece.within(text).source } else { piece.source });
            let at = behind.map_or_else(|| self.end(), |source| source.start);
            return Span { start: at, end: at };
        }
        let Some(first) = self.source(text).next() else { return Span::default() };
        let last = self.source(Span { start: text.end.max(text.start + 1) - 1, end: text.end }).next().unwrap_or(first);
        Span { start: first.start, end: last.end }
    }

    /// The pieces that end behind a place in the text.
    fn pieces(&self, from: u64) -> impl Iterator<Item = Piece> + '_ {
        self.pieces_behind(move |place| place.text <= from).skip_while(move |piece| piece.text.end <= from)
    }

    /// The pieces from the last mark on that is this near.
    fn pieces_behind(&self, is_near: impl Fn(Place) -> bool) -> impl Iterator<Item = Piece> + '_ {
        let offset = self.offset;
        let in_source = |ends: Place| Place { source: ends.source + offset, ..ends };
        let behind = self.marks.partition_point(|mark| is_near(in_source(mark.ends)));
        let mark = behind.checked_sub(1).map(|mark| self.marks[mark]);
        let Mark { at, ends } = mark.unwrap_or(Mark { at: 0, ends: Place::default() });
        let written = Pieces { rest: &self.written[at..], ends };
        let moved = move |piece: Piece| {
            let Span { start, end } = piece.source;
            Piece { source: Span { start: start + offset, end: end + offset }, ..piece }
        };
        written.chain(self.last).map(moved)
    }
}

impl Piece {
    /// What of it is in a part of the text; its source is that of all of it, if it is an atom.
    fn within(&self, text: Span) -> Piece {
        let within = Span { start: self.text.start.max(text.start), end: self.text.end.min(text.end) };
        let start = self.source.start + (within.start - self.text.start);
        let source = if self.is_atom { self.source } else { Span { start, end: start + within.len() } };
        Piece { text: within, source, ..*self }
    }
}

/// The pieces that are written.
struct Pieces<'m> {
    rest: &'m [u8],
    /// Where the last one ends.
    ends: Place,
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    #[inline]
    fn next(&mut self) -> Option<Piece> {
        if self.rest.is_empty() {
            return None;
        }
        let head = numbers::take(&mut self.rest);
        let (len, is_atom) = (head >> 2, head & 2 != 0);
        let start = self.ends.source + if head & 1 != 0 { numbers::take(&mut self.rest) } else { 0 };
        let source = Span { start, end: start + if is_atom { numbers::take(&mut self.rest) } else { len } };
        let text = Span { start: self.ends.text, end: self.ends.text + len };
        self.ends = Place { text: text.end, source: source.end };
        Some(Piece { text, source, is_atom })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

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

    /// Maps as lists of pieces: the text's length, what of the source is left out before it, and the atom's length there.
    fn lists() -> impl Strategy<Value = Vec<(u64, u64, Option<u64>)>> {
        let len = || prop_oneof![4 => 1..4u64, 1 => 1..300u64];
        vec((len(), prop_oneof![2 => Just(0), 1 => len()], prop_oneof![1 => Just(None), 1 => len().prop_map(Some)]), 0..200)
    }

    /// The map, and for each byte of the text the bytes of the source that belong to it.
    fn map_of(list: &[(u64, u64, Option<u64>)]) -> (Map, Vec<Span>) {
        let (mut map, mut bytes, mut source) = (Map::default(), Vec::new(), 0);
        for &(len, gap, atom) in list {
            source += gap;
            let end = source + atom.unwrap_or(len);
            map.push(Span { start: source, end }, len, atom.is_some());
            bytes.extend((0..len).map(|at| match atom {
                Some(_) => Span { start: source, end },
                None => Span { start: source + at, end: source + at + 1 },
            }));
            source = end;
        }
        (map, bytes)
    }

    proptest! {
        #[test]
        fn a_map_gives_what_was_pushed(list in lists(), at in any::<(prop::sample::Index, prop::sample::Index)>(), by in 0..9u64) {
            let (map, bytes) = map_of(&list);
            prop_assert_eq!(map.len(), bytes.len() as u64);
            let (a, b) = (at.0.index(bytes.len() + 1), at.1.index(bytes.len() + 1));
            let (from, to) = (a.min(b), a.max(b));
            let map = map.moved(by);
            let around = match bytes.get(from) {
                Some(_) if from < to => Span { start: bytes[from].start + by, end: bytes[to - 1].end + by },
                Some(byte) => Span { start: byte.start + by, end: byte.start + by },
                None => bytes.last().map_or(Span { start: by, end: by }, |last| Span { start: last.end + by, end: last.end + by }),
            };
            prop_assert_eq!(map.around(Span::new(from, to)), around);
            let part = Span { start: around.start, end: around.end };
            let is_there = |at: u64| bytes.iter().any(|byte| *byte == Span { start: at - by, end: at - by + 1 });
            let stands = |at: u64| is_there(at) && map.pieces(0).any(|piece| !piece.is_atom && piece.source.start <= at && at < piece.source.end);
            prop_assert_eq!(map.has(part), (part.start..part.end).all(stands));
            let covered: Vec<(u64, u64)> = spans(&map, from, to);
            prop_assert!(covered.iter().all(|(start, end)| start <= end) && covered.is_sorted_by(|a, b| a.1 <= b.0));
            // Ended, and gone on with.
            let mut cut = map.clone();
            cut.truncate(from as u64);
            prop_assert_eq!(cut.len(), from as u64);
            let rest: Vec<Piece> = map.pieces(0).take_while(|piece| piece.text.start < from as u64).map(|piece| piece.within(Span::new(0, from))).collect();
            prop_assert_eq!(cut.pieces(0).collect::<Vec<_>>(), rest);
        }

        #[test]
        fn what_is_changed_is_all_that_is(list in lists(), more in 0..3u64) {
            let (map, bytes) = map_of(&list);
            let len = bytes.last().map_or(0, |last| last.end) + more;
            let changes: Vec<(Span, Span)> = map.changes(Span::new(0, bytes.len()), Span { start: 0, end: len }).collect();
            // With what is changed in its place, the source is as long as the text.
            let grown = changes.iter().fold(len, |len, (source, text)| len + text.len() - source.len());
            prop_assert_eq!(grown, map.len());
            prop_assert!(changes.is_sorted_by(|a, b| a.0.end <= b.0.start && a.1.end <= b.1.start));
            for at in 0..bytes.len() as u64 {
                let is_changed = changes.iter().any(|(_, text)| text.start <= at && at < text.end);
                let stands = map.pieces(at).next().unwrap();
                prop_assert_eq!(is_changed, stands.is_atom);
            }
        }

        #[test]
        fn composed_maps_lead_where_one_after_the_other_does(inner in lists(), outer in lists()) {
            let ((inner, bytes), (mut outer, between)) = (map_of(&inner), map_of(&outer));
            let needed = bytes.last().map_or(0, |last| last.end);
            let ends = between.last().map_or(0, |last| last.end);
            let lacks = needed.saturating_sub(outer.len());
            outer.push(Span { start: ends, end: ends + lacks }, lacks, false);
            let both = inner.then(&outer);
            prop_assert_eq!(both.len(), inner.len());
            for at in 0..bytes.len() {
                let byte = Span::new(at, at + 1);
                let (is, was) = (both.around(byte), inner.around(byte));
                if !was.is_empty() {
                    let wanted = outer.around(was);
                    prop_assert!(is.start <= wanted.start && wanted.end <= is.end, "{is:?} {wanted:?}"); // atoms may have become one
                }
            }
            prop_assert_eq!(&inner.led_on(&outer), &both);
        }
    }
}
