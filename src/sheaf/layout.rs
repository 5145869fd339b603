//! Where paragraphs stand of what isn't written as it reads, and how they read.

use super::{Part, Sheaf, Taken};
use crate::compare::{Match, compared};
use crate::document::{Segment, Span};
use crate::source::feed::{Body, Written};
use bytes::Bytes;
use std::ops::Range;

/// Where a paragraph was read from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin {
    /// Where it begins in what is held.
    pub(crate) held: u64,
    /// Its bytes in the file.
    pub(crate) place: Span,
    /// Its first and its last line in that.
    pub(crate) lines: (u64, u64),
}

/// Where paragraphs stand, and how they read.
pub(crate) struct Layout<'a> {
    texts: &'a [u8],
    /// Each one's bounds in the source, and its columns.
    bodies: Vec<(Span, u64)>,
    /// In order: where each stands, where its text is, and its number in its body, from 1 on.
    paragraphs: Vec<(Span, Span, u64)>,
}

impl<'a> Layout<'a> {
    fn within(&self, place: Span) -> impl Iterator<Item = &(Span, Span, u64)> {
        let first = self.paragraphs.partition_point(|(at, ..)| at.start < place.start);
        self.paragraphs[first..].iter().take_while(move |(at, ..)| at.end <= place.end)
    }

    /// How the paragraphs read that stand in a place.
    pub(crate) fn read(&self, place: Span) -> &'a [u8] {
        let texts = self.within(place).map(|(_, text, _)| *text).reduce(|all, text| Span { start: all.start, end: text.end });
        texts.map_or(&[], |all| all.of(self.texts))
    }

    /// What they say, each in its compared form and on a line.
    pub(crate) fn lines(&self, place: Span) -> Vec<u8> {
        let mut form = Vec::new();
        let line = |(_, text, _): &(Span, Span, u64)| compared(text.of(self.texts), Match::Text, &mut form).to_vec();
        self.within(place).map(line).collect::<Vec<_>>().join(&b'\n')
    }

    /// The numbers of the first and the last of them.
    pub(crate) fn numbers(&self, place: Span) -> Option<(u64, u64)> {
        let mut numbers = self.within(place).map(|(.., number)| *number);
        let first = numbers.next()?;
        Some((first, numbers.last().unwrap_or(first)))
    }

    /// The body that a place is in, and its columns.
    pub(crate) fn text_around(&self, place: Span) -> Option<(Span, u64)> {
        self.bodies.iter().find(|(body, _)| body.start <= place.start && place.end <= body.end).copied()
    }
}

impl Sheaf {
    /// Where some of the documents stand in the stretch and how they read, if that doesn't say so by itself.
    pub(crate) fn layout<'a>(&'a self, documents: Range<usize>, stretch: &[u8]) -> Option<Layout<'a>> {
        // A text of a WARC is written as it reads, whatever stands beside it, unless it was repaired.
        let is_plain = |part| matches!(part, Part::Body(Body { written: Written::Plainly, is_html: Some(false), .. }));
        let is_itself = |document: &Taken| is_plain(document.part) && document.repairs.is_none();
        if !self.are_bodies() || self.documents[documents.clone()].iter().all(is_itself) {
            return None;
        }
        let mut layout = Layout { texts: &self.texts, bodies: Vec::new(), paragraphs: Vec::new() };
        for document in self.documents[documents].iter().filter(|document| document.part != Part::Rest) {
            let (Part::Body(body), Some(text)) = (document.part, &document.text) else { continue };
            let reading = self.reading(body, stretch);
            layout.bodies.push((document.source, document.columns));
            layout.paragraphs.extend((1..).zip(self.segments_of(document)).map(|(number, segment)| {
                let within = segment.moved(text.start as u64).span();
                (reading.around(segment.span()), within, number)
            }));
        }
        layout.paragraphs.sort_unstable();
        Some(layout)
    }

    /// The paragraphs where they stand in what is held of the stretch: itself, or what was read from it.
    pub(crate) fn held_segments(&self) -> impl Iterator<Item = Segment> + '_ {
        let read = self.is_read();
        let as_read = self.documents.iter().filter(move |_| read).flat_map(|document| {
            let start = document.text.as_ref().map_or(0, |text| text.start) as u64;
            self.segments_of(document).iter().map(move |segment| segment.moved(start))
        });
        self.places.iter().filter(move |_| !read).copied().chain(as_read)
    }

    /// What was read from the stretch and is held in its stead, if it doesn't say by itself how it reads, and for each paragraph where it
    /// stands there; `line` gives the number of the line of a byte of that.
    pub(crate) fn read_from(&self, line: impl Fn(u64) -> u64) -> Option<(Bytes, Vec<Origin>)> {
        if !self.is_read() {
            return None;
        }
        let origin = |(held, segment): (Segment, &Segment)| {
            let place = segment.span();
            let last = place.end.saturating_sub(1).max(place.start);
            Origin { held: held.span().start, place, lines: (line(place.start), line(last)) }
        };
        let origins = self.held_segments().zip(&self.places).map(origin).collect();
        Some((Bytes::copy_from_slice(&self.texts), origins))
    }
}
