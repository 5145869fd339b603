//! The documents of a stretch of an input, taken apart: of a text file the one it is, of a container all whose lines are in it.
//! Knows forms and paragraphs, no repeats.

use crate::compare::{Match, compared};
use crate::document::{Kind, Map, Segment, Span, TooLarge, Unit};
use crate::fingerprint::{Hash, check};
use crate::ground::{self, Ground};
use crate::markup::{self, Dialect, Markup};
use crate::page::Page;
use crate::segment::{Manner, Segments, held};
use crate::source::Form;
use crate::source::feed::{self, About, Body, Declared, Item, Written};
use crate::source::jsonl::{self, Escape, Fields, Line, Places};
use crate::source::text;
use crate::source::warc;
use crate::source::{Fault, Holds, Passed, Record};
use bytes::Bytes;
use smallvec::SmallVec;
use std::borrow::Cow;
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
    /// The file, if it had to be decoded, and where it stands there.
    decoded: Option<(String, Map)>,
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
        let skip = text::begins_in(stretch, is_first);
        match form {
            Form::Text => {
                let extent = Span::new(0, stretch.len());
                return Ok(self.take(stretch, extent, Span::new(skip, stretch.len()), None, false, taking)?);
            }
            Form::Html => return self.read_html(stretch, taking),
            Form::Feed => return self.read_feed(stretch, taking),
            Form::Jsonl | Form::Warc | Form::Parquet => {}
        }
        if let Some(records) = records {
            return Ok(self.read_records(stretch, records, taking)?);
        }
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

    /// Takes a page in HTML apart.
    fn read_html(&mut self, stretch: &[u8], taking: Taking) -> Result<(), Unreadable> {
        let decoded = feed::decoded(stretch, Declared::Html)?;
        let (text, map) = (decoded.text, decoded.map);
        let all = Span::new(0, text.len());
        let body = Body { name: "body", at: all, written: Written::Plainly, is_html: Some(true) };
        let extent = Span::new(0, stretch.len());
        self.take_body(text.as_bytes(), map.as_ref(), (extent, extent), body, taking)?;
        self.decoded = map.map(|map| (text.into_owned(), map));
        Ok(())
    }

    /// Takes a feed apart.
    fn read_feed(&mut self, stretch: &[u8], taking: Taking) -> Result<(), Unreadable> {
        let feed::Decoded { text, map } = feed::decoded(stretch, Declared::Xml)?;
        let feed = feed::read(&text)?;
        let in_file = |span: Span| map.as_ref().map_or(span, |map| map.around(span));
        for item in feed.items {
            let Item { mut about, extent, leading, bodies } = item;
            let extents = (in_file(extent), in_file(leading));
            if bodies.is_empty() {
                // It counts all the same.
                let at = Span { start: about.place.end, end: about.place.end };
                let none = Body { name: "body", at, written: Written::Plainly, is_html: Some(false) };
                self.take_body(text.as_bytes(), map.as_ref(), extents, none, taking)?;
            }
            for body in bodies {
                self.take_body(text.as_bytes(), map.as_ref(), extents, body, taking)?;
            }
            if taking.are_compared {
                self.take_rest(&about, extents, taking)?;
            }
            (about.place, about.id_at) = (in_file(about.place), in_file(about.id_at));
            about.other_ids.iter_mut().for_each(|(at, ..)| *at = in_file(*at));
            self.items.push(about);
            self.lines += 1;
        }
        self.id = feed.id;
        self.decoded = map.map(|map| (text.into_owned(), map));
        Ok(())
    }

    /// Takes a body of a file apart, which may have been decoded.
    fn take_body(
        &mut self,
        file: &[u8],
        decoded: Option<&Map>,
        (extent, leading): (Span, Span),
        body: Body,
        taking: Taking,
    ) -> Result<(), TooLarge> {
        let texts = self.texts.len();
        let reading = ground::read(body, file, decoded, &mut self.texts);
        let body = Body { is_html: Some(reading.markup.is_some()), ..body };
        let text = &self.texts[texts..];
        let (first, columns) = (self.segments.list.len(), self.segments.columns);
        match &reading.markup {
            Some(_) if text.is_empty() => {}
            Some(_) if taking.manner.unit == Unit::Document => {
                self.segments.push(text, (Span::new(0, text.len()), Kind::Line), &[], taking.manner)?;
            }
            Some(markup) => {
                for block in &markup.blocks {
                    self.segments.push(text, (block.text, block.kind), &block.objects, taking.manner)?;
                    let in_all = |object: &Span| Span { start: object.start + texts as u64, end: object.end + texts as u64 };
                    self.objects.extend(block.objects.iter().map(in_all));
                }
            }
            None => self.segments.append(text, taking.manner)?,
        }
        if taking.has_places {
            for segment in &self.segments.list[first..] {
                self.places.push(placed(*segment, reading.around(segment.span()))?);
            }
        }
        self.documents.push(Taken {
            extent,
            leading,
            line: self.lines,
            id: None,
            source: decoded.map_or(body.at, |map| map.around(body.at)),
            text: Some(texts..self.texts.len()),
            segments: first as u32..self.segments.list.len() as u32,
            escapes: 0..0,
            part: Part::Body(body),
            columns: self.segments.columns - columns,
            check: if taking.is_checked { check(body.at.of(file)) } else { 0 },
        });
        Ok(())
    }

    /// Takes what an item says besides its bodies, as one paragraph that goes by itself as far as thresholds are concerned.
    fn take_rest(&mut self, about: &About, (extent, leading): (Span, Span), taking: Taking) -> Result<(), TooLarge> {
        const NO_TEXT: u8 = 0xff; // so that it equals no other text
        let texts = self.texts.len();
        self.texts.push(NO_TEXT);
        let title = about.title.as_deref().unwrap_or_default();
        self.texts.extend_from_slice(compared(title.as_bytes(), Match::Text, &mut Vec::new()));
        for brought in &about.brings {
            self.texts.push(b'\n');
            self.texts.extend_from_slice(brought.as_bytes());
        }
        let (first, columns) = (self.segments.list.len(), self.segments.columns);
        let text = &self.texts[texts..];
        self.segments.push_wide(text, taking.manner)?;
        if taking.has_places {
            self.places.push(placed(self.segments.list[first], about.place)?);
        }
        self.documents.push(Taken {
            extent,
            leading,
            line: self.lines,
            id: None,
            source: about.place,
            text: Some(texts..self.texts.len()),
            segments: first as u32..self.segments.list.len() as u32,
            escapes: 0..0,
            part: Part::Rest,
            columns: self.segments.columns - columns,
            check: if taking.is_checked { check(text) } else { 0 },
        });
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
        is_escaped: bool,
        taking: Taking,
    ) -> Result<(), TooLarge> {
        let (texts, escapes) = (self.texts.len(), self.escapes.len());
        let written = source.of(stretch);
        if is_escaped {
            jsonl::unescape(written, &mut self.texts, &mut self.escapes);
        }
        let is_same = self.escapes.len() == escapes;
        if is_same {
            self.texts.truncate(texts);
        }
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

    /// Whether how something reads depends on what stands around it.
    fn is_read(&self) -> bool {
        self.documents.first().is_some_and(|document| document.part != Part::All)
    }

    /// The fingerprints of a document's paragraphs.
    pub(crate) fn prints(&self, document: &Taken) -> &[u128] {
        &self.segments.prints[document.segments.start as usize..document.segments.end as usize]
    }

    /// What the text of a document is made of.
    pub(crate) fn ground<'a>(&'a self, document: &Taken, stretch: &'a [u8]) -> Ground<'a> {
        match document.part {
            Part::All => {
                let escapes = &self.escapes[document.escapes.clone()];
                jsonl::map(escapes, document.source.len() as usize, document.source.start).into()
            }
            Part::Body(body) => {
                let (file, decoded) = self.file(stretch);
                Ground::Read(ground::read(body, file, decoded, &mut Vec::new()))
            }
            Part::Rest => Map::default().into(),
        }
    }

    /// Where some of the documents stand in the stretch and how they read, if that doesn't say so by itself.
    pub(crate) fn layout<'a>(&'a self, documents: Range<usize>, stretch: &[u8]) -> Option<Layout<'a>> {
        if !self.is_read() {
            return None;
        }
        let mut layout = Layout { texts: &self.texts, bodies: Vec::new(), paragraphs: Vec::new() };
        for document in self.documents[documents].iter().filter(|document| document.part != Part::Rest) {
            let (Part::Body(body), Some(text)) = (document.part, &document.text) else { continue };
            let (file, decoded) = self.file(stretch);
            let reading = ground::read(body, file, decoded, &mut Vec::new());
            layout.bodies.push((document.source, document.columns));
            layout.paragraphs.extend((1..).zip(self.segments_of(document)).map(|(number, segment)| {
                let within = segment.moved(text.start as u64).span();
                (reading.around(segment.span()), within, number)
            }));
        }
        layout.paragraphs.sort_unstable();
        Some(layout)
    }

    /// What the bodies of a record say, given by its documents, the fullest one first.
    pub(crate) fn words(&self, documents: Range<usize>) -> Vec<Words<'_>> {
        let mut all = Vec::new();
        for document in &self.documents[documents] {
            let (Part::Body(body), Some(text)) = (document.part, &document.text) else { continue };
            let mut words = Words { name: body.name, at: document.source, paragraphs: Vec::new(), columns: 0 };
            for segment in self.segments_of(document) {
                let form = form(self.without_objects(segment.moved(text.start as u64).span()));
                if !form.is_empty() {
                    words.columns += u64::from(segment.columns());
                    words.paragraphs.push(form);
                }
            }
            all.push(words);
        }
        all
    }

    /// A part of the texts without what isn't text.
    fn without_objects(&self, place: Span) -> Cow<'_, [u8]> {
        let first = self.objects.partition_point(|object| object.start < place.start);
        let objects = &self.objects[first..first + self.objects[first..].partition_point(|object| object.end <= place.end)];
        if objects.is_empty() {
            return place.of(&self.texts).into();
        }
        let (mut left, mut from) = (Vec::new(), place.start);
        for object in objects {
            left.extend_from_slice(Span { start: from, end: object.start }.of(&self.texts));
            from = object.end;
        }
        left.extend_from_slice(Span { start: from, end: place.end }.of(&self.texts));
        left.into()
    }

    /// The stretch as it was decoded, and how that leads back, if it was.
    fn file<'a>(&'a self, stretch: &'a [u8]) -> (&'a [u8], Option<&'a Map>) {
        self.decoded.as_ref().map_or((stretch, None), |(text, map)| (text.as_bytes(), Some(map)))
    }
}

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

/// What a body says.
#[derive(Clone, Debug)]
pub(crate) struct Words<'a> {
    /// The element or the field that it is.
    pub(crate) name: &'static str,
    /// Where it is written.
    pub(crate) at: Span,
    /// The compared form of each paragraph that has any text.
    pub(crate) paragraphs: Vec<Cow<'a, [u8]>>,
    pub(crate) columns: u64,
}

impl Words<'_> {
    /// The compared form of a title, which may be markup.
    pub(crate) fn of_title(title: &str) -> Vec<u8> {
        let mut text = Vec::new();
        match markup::is_in(title.as_bytes()) {
            true => _ = Markup::read(title.as_bytes(), Dialect::Html, &mut text),
            false => text.extend_from_slice(title.as_bytes()),
        }
        form(text.into()).into_owned()
    }

    /// All that it says, a blank line between paragraphs.
    pub(crate) fn text(&self) -> Vec<u8> {
        self.paragraphs.join(&b"\n\n"[..])
    }

    /// Its first paragraphs.
    pub(crate) fn beginning(&self, paragraphs: usize) -> Self {
        Self { paragraphs: self.paragraphs[..paragraphs].to_vec(), ..self.clone() }
    }
}

/// The compared form of a text, which most are themselves.
fn form(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let mut form = Vec::new();
    let is_itself = std::ptr::eq(compared(&text, Match::Text, &mut form), &*text);
    if is_itself { text } else { form.into() }
}

/// A paragraph of what isn't written as it reads.
pub(crate) struct Paragraph {
    /// From its first to its last byte in the file.
    pub(crate) around: Span,
    /// Those that are its text.
    pub(crate) pieces: SmallVec<[Span; 2]>,
    /// Its compared form.
    pub(crate) form: Vec<u8>,
}

/// A feed or a page, taken apart by itself.
pub(crate) struct Apart {
    /// In order.
    pub(crate) paragraphs: Vec<Paragraph>,
    /// Where its bodies are written.
    pub(crate) bodies: Vec<Span>,
    /// What goes with each item, if something before it stays or nothing does.
    pub(crate) items: Vec<[Span; 2]>,
}

impl Apart {
    /// All of a file.
    ///
    /// # Errors
    /// Why it can't be taken apart, in words.
    pub(crate) fn new(file: &[u8], form: Form, fields: &Fields, how: Match, unit: Unit) -> Result<Self, String> {
        let manner = Manner { how, unit, is_measured: true, hash: Hash::Not };
        let taking = Taking { manner, are_compared: false, has_places: false, is_checked: false };
        let mut sheaf = Sheaf::default();
        let records = (form == Form::Warc).then(|| records_of(file));
        sheaf.read(file, records.as_deref(), form, fields, taking, true).map_err(|why| match why {
            Unreadable::TooLarge(_) => "has a paragraph that is too long".to_owned(),
            Unreadable::Feed(fault) => fault.to_string(),
        })?;
        let mut apart = Self { paragraphs: Vec::with_capacity(sheaf.segments.list.len()), bodies: Vec::new(), items: Vec::new() };
        for document in &sheaf.documents {
            let (ground, page) = (sheaf.ground(document, file), sheaf.page(document, file));
            for segment in page.segments {
                let text = segment.span();
                let how = if segment.kind() == Kind::Fence { Match::Bytes } else { how };
                let form = compared(text.of(page.text), how, &mut Vec::new()).to_vec();
                apart.paragraphs.push(Paragraph { around: ground.around(text), pieces: ground.pieces(text), form });
            }
            apart.bodies.push(document.source);
            if document.part != Part::Rest && apart.items.last().is_none_or(|[last, _]| *last != document.extent) {
                apart.items.push([document.extent, document.leading]);
            }
        }
        apart.paragraphs.sort_by_key(|paragraph| paragraph.around);
        Ok(apart)
    }
}

/// The documents of a WET.
fn records_of(file: &[u8]) -> Vec<Record> {
    let record = |(number, (extent, held)): (u64, (Span, warc::Held))| match held {
        warc::Held::Document(warc::Document { text, is_html, .. }) => {
            Some(Record { extent, number, holds: Holds::Text { text, id: None, is_html } })
        }
        _ => None,
    };
    (1..).zip(warc::records(file)).filter_map(record).collect()
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

/// A segment as it is written, at `place`.
fn placed(segment: Segment, place: Span) -> Result<Segment, TooLarge> {
    if place.len() > Segment::MAX_LEN {
        return Err(TooLarge::Paragraph { at: place.start }); // escapes take more room than what they stand for
    }
    Ok(segment.standing_at(place))
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
        let taking = Taking { manner, are_compared: true, has_places: true, is_checked: false };
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
