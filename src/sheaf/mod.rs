//! The documents of a stretch of an input, taken apart: of a text file the one it is, of a container all whose lines are in it.
//! Knows forms and paragraphs, no repeats.

mod apart;
mod bodies;
mod layout;
#[cfg(feature = "check")]
mod words;

pub(crate) use apart::{Apart, Paragraph};
pub(crate) use layout::{Layout, Origin};
#[cfg(feature = "check")]
pub(crate) use words::Words;

use crate::document::{Map, Segment, Span, TooLarge};
use crate::fingerprint::check;
use crate::ground::{self, Ground, Reading, Repairs};
use crate::page::Page;
use crate::segment::{Manner, Segments, held};
use crate::source::Form;
use crate::source::feed::{self, About, Body, Coding, Written};
use crate::source::jsonl::{self, Escape, Fields, Line, Places};
use crate::source::text;
use crate::source::{Fault, Holds, Passed, Record};
use crate::tidy::Tidy;
use std::ops::Range;

/// A sheaf is used again while it holds no more memory than this, which is more than most stretches need.
const KEPT: usize = 8 << 20;

/// The documents of a stretch, one after the other.
#[derive(Default)]
pub(crate) struct Sheaf {
    pub(crate) documents: Vec<Taken>,
    /// The paragraphs of all of them, each with its place in its text, and their fingerprints.
    pub(crate) segments: Segments,
    /// The same paragraphs where they stand in the stretch.
    pub(crate) places: Vec<Segment>,
    /// The texts that don't stand in the stretch as they read.
    texts: Vec<u8>,
    escapes: Vec<Escape>,
    /// What the items of a feed are besides their texts.
    pub(crate) items: Vec<About>,
    /// What the feed itself is named by, if its items may not be.
    pub(crate) id: Option<String>,
    /// What of the texts isn't text, but markup as it is written; in order.
    objects: Vec<Span>,
    /// What is repaired in its texts.
    tidy: Tidy,
    /// And what was, in those in which something was.
    repairs: Vec<Repairs>,
    /// What leads from those to the stretch, but for bodies.
    maps: Vec<Map>,
    /// The file as it reads and how it is written, if that isn't UTF-8.
    decoded: Option<(String, Coding)>,
    /// Lines, or other records, that can't be read, in order: their number, counted from the stretch's first as 0, their bytes, why.
    /// No reason goes on with the one before.
    pub(crate) faults: Vec<(u64, Span, Option<Fault>)>,
    /// How many lines the stretch has, or other records.
    pub(crate) lines: u64,
}

/// A document of a stretch.
pub(crate) struct Taken {
    /// All that belongs to it.
    pub(crate) extent: Span,
    /// And that goes with it if nothing before it stays.
    pub(crate) leading: Span,
    /// The line it is, counted from the stretch's first as 0.
    pub(crate) line: u64,
    /// Where its id is written.
    pub(crate) id: Option<Span>,
    /// Where its text is written.
    pub(crate) source: Span,
    /// Where its text is, if that isn't how it is written.
    text: Option<Range<usize>>,
    pub(crate) segments: Range<u32>,
    escapes: Range<usize>,
    /// Which of the repairs are its.
    repairs: Option<usize>,
    /// And what leads from it to the stretch then, unless it is a body.
    map: Option<usize>,
    /// What it is of its record.
    pub(crate) part: Part,
    columns: u64,
    /// Whether its bytes are what they were, if it comes twice.
    pub(crate) check: u64,
}

/// What a text is of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it that is text.
    All,
    /// One of its bodies.
    Body(Body),
    /// What else it says: it goes only if that is said elsewhere, too.
    Rest,
}

/// Why a stretch can't be taken apart.
#[derive(Debug)]
pub(crate) enum Unreadable {
    TooLarge(TooLarge),
    /// It is a feed, or should be one.
    Feed(feed::Fault),
}

impl From<TooLarge> for Unreadable {
    fn from(what: TooLarge) -> Self {
        Unreadable::TooLarge(what)
    }
}

impl From<feed::Fault> for Unreadable {
    fn from(fault: feed::Fault) -> Self {
        Unreadable::Feed(fault)
    }
}

/// How documents are taken apart.
#[derive(Clone, Copy)]
pub(crate) struct Taking {
    pub(crate) manner: Manner,
    /// Whether they are compared with one another.
    pub(crate) are_compared: bool,
    /// Whether it is to be known where their paragraphs stand in the stretch.
    pub(crate) has_places: bool,
    /// Whether they come twice.
    pub(crate) is_checked: bool,
    /// What is repaired in them.
    pub(crate) tidy: Tidy,
}

impl Sheaf {
    /// Takes a stretch apart. `is_first`: it begins the file.
    ///
    /// # Errors
    /// If a text is too large, or a feed is none.
    pub(crate) fn read(
        &mut self,
        stretch: &[u8],
        records: Option<&[Record]>,
        form: Form,
        fields: &Fields,
        taking: Taking,
        is_first: bool,
    ) -> Result<(), Unreadable> {
        self.clear();
        self.tidy = taking.tidy;
        let skip = text::begins_in(stretch, is_first);
        match form {
            Form::Text => {
                let extent = Span::new(0, stretch.len());
                self.take(stretch, extent, Span::new(skip, stretch.len()), None, false, taking)?;
                self.gather(stretch, taking);
                return Ok(());
            }
            Form::Html => return self.read_html(stretch, taking),
            Form::Feed => return self.read_feed(stretch, taking),
            Form::Jsonl | Form::Warc | Form::Parquet => {}
        }
        if let Some(records) = records {
            self.read_records(stretch, records, taking)?;
            self.gather(stretch, taking);
            return Ok(());
        }
        self.read_lines(stretch, skip, fields, taking)?;
        self.gather(stretch, taking);
        Ok(())
    }

    /// Takes lines apart, from a byte on.
    fn read_lines(&mut self, stretch: &[u8], skip: usize, fields: &Fields, taking: Taking) -> Result<(), TooLarge> {
        let moved = |span: Span| Span { start: span.start + skip as u64, end: span.end + skip as u64 };
        for (extent, line) in jsonl::lines(&stretch[skip..], fields) {
            let extent = moved(extent);
            match line {
                Line::Blank => {}
                Line::Broken(fault) => self.faults.push((self.lines, extent, Some(Fault::Jsonl(fault)))),
                Line::Record(record) => {
                    self.take(stretch, extent, moved(record.text), record.id.map(moved), true, taking)?;
                }
            }
            self.lines += 1;
        }
        Ok(())
    }

    /// Takes a part of a line that isn't read for what it is.
    pub(crate) fn pass(&mut self, bytes: u64, passed: Passed) {
        self.clear();
        let fault = Fault::Jsonl(jsonl::Fault::TooLong { longest: passed.longest });
        self.faults.push((0, Span { start: 0, end: bytes }, passed.is_first.then_some(fault)));
        self.lines = u64::from(passed.is_last);
    }

    /// Takes records apart that were found before.
    fn read_records(&mut self, stretch: &[u8], records: &[Record], taking: Taking) -> Result<(), TooLarge> {
        let first = records.first().map_or(0, |record| record.number);
        // Where some are pages, all are kept as they read.
        let are_read = records.iter().any(|record| matches!(record.holds, Holds::Text { is_html: true, .. }));
        for Record { extent, number, holds } in records {
            self.lines = number - first;
            match holds {
                &Holds::Text { text, id, is_html } if are_read => {
                    let body = Body { name: "body", at: text, written: Written::Plainly, is_html: Some(is_html) };
                    self.take_body(stretch, None, (*extent, *extent), body, taking)?;
                    self.documents.last_mut().expect("it was taken").id = id;
                }
                &Holds::Text { text, id, .. } => self.take(stretch, *extent, text, id, false, taking)?,
                Holds::Nothing => {}
                Holds::Broken(fault) => self.faults.push((self.lines, *extent, fault.clone())),
            }
        }
        self.lines += u64::from(!records.is_empty());
        Ok(())
    }

    /// Whether its memory is to be used again.
    pub(crate) fn is_of_use(&self) -> bool {
        let lists = held(&self.documents) + held(&self.places) + held(&self.escapes) + held(&self.faults);
        lists + self.segments.held() + held(&self.texts) <= KEPT
    }

    fn clear(&mut self) {
        self.documents.clear();
        self.segments.clear();
        self.places.clear();
        self.texts.clear();
        self.escapes.clear();
        self.items.clear();
        self.objects.clear();
        self.repairs.clear();
        self.maps.clear();
        (self.id, self.decoded) = (None, None);
        self.faults.clear();
        self.lines = 0;
    }

    fn take(
        &mut self,
        stretch: &[u8],
        extent: Span,
        source: Span,
        id: Option<Span>,
        is_string: bool,
        taking: Taking,
    ) -> Result<(), TooLarge> {
        let (texts, escapes) = (self.texts.len(), self.escapes.len());
        let written = source.of(stretch);
        if is_string {
            jsonl::unescape(written, &mut self.texts, &mut self.escapes);
        }
        let is_escaped = self.escapes.len() > escapes;
        if !is_escaped {
            self.texts.truncate(texts);
        }
        let read = if is_escaped { &self.texts[texts..] } else { written };
        let to_stretch = || jsonl::map(&self.escapes[escapes..], written.len(), source.start);
        let repaired = ground::repair(read, to_stretch, is_string.then(|| written.is_ascii()), taking.tidy);
        let repairs = repaired.map(|(text, map, repairs)| {
            self.texts.truncate(texts);
            self.texts.extend_from_slice(&text);
            (added(&mut self.repairs, repairs), added(&mut self.maps, map))
        });
        let is_same = !is_escaped && repairs.is_none();
        let text = if is_same { written } else { &self.texts[texts..] };
        let (first, columns) = (self.segments.list.len(), self.segments.columns);
        self.segments.append(text, taking.manner)?;
        let taken = Taken {
            extent,
            leading: extent,
            line: self.lines,
            id,
            source,
            text: (!is_same).then_some(texts..self.texts.len()),
            segments: first as u32..self.segments.list.len() as u32,
            escapes: escapes..self.escapes.len(),
            repairs: repairs.map(|(repairs, _)| repairs),
            map: repairs.map(|(_, map)| map),
            part: Part::All,
            columns: self.segments.columns - columns,
            check: if taking.is_checked { check(extent.of(stretch)) } else { 0 },
        };
        if taking.has_places {
            self.place(&taken)?;
        }
        self.documents.push(taken);
        Ok(())
    }

    /// Finds where the paragraphs of a document stand in the stretch.
    fn place(&mut self, document: &Taken) -> Result<(), TooLarge> {
        let segments = &self.segments.list[document.segments.start as usize..document.segments.end as usize];
        let start = document.source.start;
        if let Some(map) = document.map {
            let places = segments.iter().map(|segment| placed(*segment, self.maps[map].around(segment.span())));
            let places = places.collect::<Result<Vec<_>, _>>()?;
            self.places.extend(places);
            return Ok(());
        }
        if document.escapes.is_empty() {
            self.places.extend(segments.iter().map(|segment| segment.moved(start)));
            return Ok(());
        }
        let mut places = Places::new(&self.escapes[document.escapes.clone()]);
        for segment in segments {
            let text = segment.span();
            let written = Span { start: start + places.of(text.start), end: start + places.of(text.end) };
            self.places.push(placed(*segment, written)?);
        }
        Ok(())
    }

    /// The page of a document.
    pub(crate) fn page<'a>(&'a self, document: &Taken, stretch: &'a [u8]) -> Page<'a> {
        let text = match &document.text {
            Some(text) => &self.texts[text.clone()],
            None => document.source.of(stretch),
        };
        let segments = self.segments_of(document);
        let is_markup = matches!(document.part, Part::Body(Body { is_html: Some(true), .. }));
        Page { text, segments, origin: 0, columns: document.columns, is_markup }
    }

    /// A document's paragraphs, each with its place in its text.
    pub(crate) fn segments_of(&self, document: &Taken) -> &[Segment] {
        &self.segments.list[document.segments.start as usize..document.segments.end as usize]
    }

    /// Where a document's paragraphs stand in the stretch, if that was to be known.
    pub(crate) fn places_of(&self, document: &Taken) -> &[Segment] {
        &self.places[document.segments.start as usize..document.segments.end as usize]
    }

    /// How a document was repaired, if it was.
    pub(crate) fn repairs(&self, document: &Taken) -> Option<&Repairs> {
        document.repairs.map(|number| &self.repairs[number])
    }

    /// If anything was repaired, all texts are held as they read, for others to be compared with.
    fn gather(&mut self, stretch: &[u8], taking: Taking) {
        if self.repairs.is_empty() || !taking.are_compared {
            return;
        }
        let mut texts = Vec::with_capacity(stretch.len());
        for document in &mut self.documents {
            let start = texts.len();
            match &document.text {
                Some(text) => texts.extend_from_slice(&self.texts[text.clone()]),
                None => texts.extend_from_slice(document.source.of(stretch)),
            }
            document.text = Some(start..texts.len());
        }
        self.texts = texts;
    }

    /// Whether texts are held as they read: how they do depends on what stands around them, or some were repaired.
    fn is_read(&self) -> bool {
        self.are_bodies() || !self.repairs.is_empty()
    }

    /// Whether its documents are what was read from feeds and pages.
    fn are_bodies(&self) -> bool {
        self.documents.first().is_some_and(|document| document.part != Part::All)
    }

    /// The fingerprints of a document's paragraphs.
    pub(crate) fn prints(&self, document: &Taken) -> &[u128] {
        &self.segments.prints[document.segments.start as usize..document.segments.end as usize]
    }

    /// What the text of a document is made of.
    pub(crate) fn ground<'a>(&'a self, document: &Taken, stretch: &'a [u8]) -> Ground<'a> {
        match document.part {
            Part::All => match document.map {
                Some(map) => Ground::Tidied(&self.maps[map]),
                None => {
                    let escapes = &self.escapes[document.escapes.clone()];
                    jsonl::map(escapes, document.source.len() as usize, document.source.start).into()
                }
            },
            Part::Body(body) => Ground::Read(Box::new(self.reading(body, stretch))),
            Part::Rest => Map::default().into(),
        }
    }

    /// A body of the stretch, read again.
    fn reading<'a>(&'a self, body: Body, stretch: &'a [u8]) -> Reading<'a> {
        let (file, coding) = self.decoded.as_ref().map_or((stretch, None), |(text, coding)| (text.as_bytes(), Some(coding)));
        ground::read(body, file, coding, self.tidy, &mut Vec::new())
    }
}

/// A segment as it is written, at `place`.
fn placed(segment: Segment, place: Span) -> Result<Segment, TooLarge> {
    if place.len() > Segment::MAX_LEN {
        return Err(TooLarge::Paragraph { at: place.start }); // escapes take more room than what they stand for
    }
    Ok(segment.standing_at(place))
}

/// Adds something to a list; its number there.
fn added<T>(list: &mut Vec<T>, one: T) -> usize {
    list.push(one);
    list.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use crate::fingerprint::Hash;

    #[test]
    fn a_sheaf_that_took_an_unusually_large_stretch_is_not_used_again() {
        let mut sheaf = Sheaf::default();
        let manner = Settings::default().manner(Hash::Fast);
        let taking = Taking { manner, are_compared: true, has_places: true, is_checked: false, tidy: Tidy::NONE };
        let mut is_of_use = |record: &str, count: usize| {
            let stretch = record.repeat(count);
            sheaf.read(stretch.as_bytes(), None, Form::Jsonl, &Fields::default(), taking, true).unwrap();
            sheaf.is_of_use()
        };
        let record = "{\"text\": \"A line.\\nAnother one, which is a little longer.\"}\n";
        assert!(is_of_use(record, (512 << 10) / record.len()));
        let long = "line\\n".repeat(2 << 20);
        assert!(!is_of_use(&format!("{{\"text\": \"{long}\"}}\n"), 1));
        assert!(!is_of_use(record, 1));
    }
}
