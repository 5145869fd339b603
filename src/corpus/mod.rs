//! All documents so far, as `--across` knows them: where their paragraphs stand, which of them are equal, and which runs of them
//! stood in a document before. Knows texts and numbers, no rules.
//!
//! Paragraphs are numbered on from document to document; the first of equal ones stands for its kind. Texts are kept as they
//! stand in their sources, since what will repeat can't be known, and every repeat is proven by its bytes.

mod spilled;
mod texts;

use crate::Settings;
use crate::bits::Bits;
use crate::detect::earlier::{Earlier, InDocument, Numbering, Scratch, Sought};
use crate::document::{Repeat, Segment, Span, TooLarge};
use crate::error::{Error, Stuck};
use crate::index::Index;
use crate::near::Near;
use crate::page::Page;
use crate::segment::{Segmenter, Segments, held};
use crate::sheaf::Sheaf;
use crate::source::text::LineNumbers;
use crate::source::{Form, Input};
use bytes::Bytes;
use rayon::prelude::*;
use spilled::Spilled;
use std::borrow::Cow;
use std::iter;
use std::ops::Range;
use std::path::Path;
pub(crate) use texts::Origins;
use texts::{Held, Texts};

/// A byte of text adds another one for so many of them: the paragraphs, and what finds them again.
const ADDED: u64 = 4;
/// From so little text nothing can be told of what will come.
const LITTLE: u64 = 1 << 20;
/// Then a byte of text is expected to take another one on disk for so many of them.
const ON_DISK: u64 = 3;
/// Room is made for no more paragraphs than fit in memory at so many bytes each, text and all.
const LEAST_PARAGRAPH: u64 = 64;

/// The documents so far.
pub(crate) struct Corpus {
    /// How much memory they may take, in bytes.
    room: u64,
    settings: Settings,
    /// Whether it is known where texts stand that are no longer in memory.
    keeps_places: bool,
    texts: Texts,
    index: Option<Index>,
    /// The paragraphs that equal an earlier one, in order, each with the first of its kind.
    repeats: Vec<Repeat>,
    earlier: Earlier,
    documents: Documents,
    /// Whether no document but the last one has come, whose windows are then not looked for before another one comes.
    is_one: bool,
    /// What is on disk, if memory doesn't hold all.
    spilled: Option<Spilled>,
}

/// What a corpus was like at some moment.
pub(crate) struct Mark {
    segments: u32,
    texts: usize,
    windows: u32,
    is_one: bool,
    skeletons: u64,
}

/// Where a stretch of an input stands in a corpus.
#[derive(Clone, Copy, Default)]
pub(crate) struct Stand {
    base: u64,
    input: u32,
    is_container: bool,
}

impl Stand {
    /// So many bytes further on.
    pub(crate) fn further(self, by: u64) -> Self {
        Self { base: self.base + by, ..self }
    }
}

/// A sheaf that is entered.
#[derive(Clone, Copy)]
pub(crate) struct Entering<'a> {
    pub(crate) sheaf: &'a Sheaf,
    pub(crate) stand: Stand,
    /// The number of its first line.
    pub(crate) line: u64,
    /// Whether it is all of its input; else [`Corpus::end_input`] tells of that.
    pub(crate) is_whole: bool,
}

impl Mark {
    /// How many paragraphs there were.
    pub(crate) fn segments(&self) -> u32 {
        self.segments
    }
}

/// A text in an earlier document, as reports name it.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The path of its file.
    pub path: &'a Path,
    /// The number of its file among the inputs of the run.
    pub input: u32,
    /// The form of that.
    form: Form,
    /// The line that its document is, if that is a record.
    pub record: Option<u64>,
    /// Its bytes in the file, if they are in memory, or their place was kept.
    pub place: Option<Span>,
    held: Option<&'a Held>,
    /// Where it stands in that.
    within: Span,
    /// The lines of it, if it was read from others.
    lines: Option<(u64, u64)>,
}

impl Known<'_> {
    /// The text, if it is in memory.
    pub fn text(&self) -> Option<Cow<'_, [u8]>> {
        let held = self.held?;
        Some(held.form.decoded(&held.bytes[self.within.range()]))
    }

    /// The text as it is written in the file, if that is in memory.
    pub fn written(&self) -> Option<&[u8]> {
        let held = self.held.filter(|held| held.origins.is_none())?;
        Some(&held.bytes[self.within.range()])
    }

    /// Whether its lines are those of its file.
    pub fn has_lines_of_file(&self) -> bool {
        self.form.has_lines_of_file()
    }

    /// Its first and its last line, if the file is a text that is in memory.
    pub fn lines(&self) -> Option<(u64, u64)> {
        let (held, place) = self.held.zip(self.place)?;
        self.lines.filter(|_| self.has_lines_of_file()).or_else(|| held.lines(place))
    }
}

impl Corpus {
    /// No documents, which may take so many bytes of memory. If it `keeps_places`, it is known where they stand, even if they aren't
    /// there any more.
    pub(crate) fn new(settings: &Settings, room: u64, keeps_places: bool) -> Self {
        Self {
            room,
            settings: settings.clone(),
            keeps_places,
            texts: Texts::new(settings.matching),
            index: None,
            repeats: Vec::new(),
            earlier: Earlier::default(),
            documents: Documents::default(),
            is_one: false,
            spilled: None,
        }
    }

    /// There is no more room than that from now on.
    pub(crate) fn limit(&mut self, room: u64) {
        self.room = self.room.min(room);
    }

    /// Whether so many more bytes of texts are more than it has room for; those that are repaired are held beside as they are written.
    pub(crate) fn is_full_with(&self, bytes: u64) -> bool {
        let bytes = if self.settings.tidy.is_none() { bytes } else { 2 * bytes };
        let Self { texts, index, repeats, earlier, documents, .. } = self;
        let lists = (held(&texts.segments) + held(repeats) + held(&documents.list)) as u64;
        let origins: usize = texts.held.iter().filter_map(|text| text.origins.as_ref()).map(Origins::held).sum();
        let memory = texts.end + lists + origins as u64 + index.as_ref().map_or(0, Index::memory) + earlier.memory();
        memory + bytes + bytes / ADDED > self.room
    }

    /// About how much of the disk so many bytes take that go on like those in memory.
    pub(crate) fn expected_on_disk(&self, bytes: u64) -> u64 {
        let documents = self.documents.list.len() as u64;
        let so_far = Spilled::size(self.paragraphs().into(), self.earlier.windows().into(), documents);
        match self.texts.end {
            0..LITTLE => bytes / ON_DISK,
            of => (u128::from(bytes) * u128::from(so_far) / u128::from(of)) as u64 / 4 * 5,
        }
    }

    /// Keeps the bytes of a stretch of an input, which begins at `offset` of it; gives the place they have from now on. With texts on disk
    /// that is their place in the input.
    /// With `origins` the bytes are what was read from that.
    pub(crate) fn hold(&mut self, bytes: Bytes, origins: Option<Origins>, input: &Input, offset: u64) -> Stand {
        let is_new = !self.is_spilled() || self.is_gathering();
        let (texts, form) = (&mut self.texts, input.form);
        // What comes again is known.
        if texts.inputs.last().is_none_or(|last| last.0 != input.number) && is_new {
            texts.inputs.push((input.number, input.path().to_owned(), form));
        }
        let is_spilled = self.spilled.is_some();
        let (start, input) = (if is_spilled { offset } else { texts.end }, texts.inputs.len() as u32 - 1);
        if !is_spilled {
            texts.end += bytes.len() as u64;
            texts.near.push(start, texts.held.len());
            let read = if origins.is_some() { Form::Text } else { form };
            let (is_container, line_numbers) = (form.is_container(), LineNumbers::default());
            texts.held.push(Held { start, bytes, form: read, input, offset, is_container, line_numbers, origins });
        }
        Stand { base: start, input, is_container: form.is_container() }
    }

    /// What there is by now.
    pub(crate) fn mark(&self) -> Mark {
        let (segments, texts) = (self.texts.segments.len() as u32, self.texts.held.len());
        let segments = self.next_spilled().unwrap_or(segments);
        Mark { segments, texts, windows: self.earlier.windows(), is_one: self.is_one, skeletons: self.mark_spilled() }
    }

    /// Forgets all that came after a mark.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn forget(&mut self, mark: &Mark) -> Result<(), Error> {
        if self.is_spilled() {
            return self.forget_spilled(mark);
        }
        self.texts.segments.truncate(mark.segments as usize);
        self.texts.held.truncate(mark.texts);
        self.texts.near.truncate(mark.texts);
        self.texts.end = self.texts.held.last().map_or(0, |held| held.start + held.bytes.len() as u64);
        self.documents.forget(mark.segments);
        if let Some(index) = &mut self.index {
            index.forget(mark.segments);
        }
        self.repeats.truncate(self.repeats.partition_point(|repeat| repeat.at < mark.segments));
        self.earlier.forget(mark.windows);
        self.is_one = mark.is_one; // the windows of the one are forgotten, too
        Ok(())
    }

    /// Enters the documents of some sheaves. Gives the numbers of each one's paragraphs; nothing if they are to come again before
    /// anything is planned for them.
    ///
    /// # Errors
    /// If there are more paragraphs than can be numbered; if a document isn't what it was the first time; those of the disk.
    pub(crate) fn enter(
        &mut self,
        sheaves: &[Entering],
        expected: impl FnOnce(usize) -> usize,
    ) -> Result<Vec<Vec<Range<u32>>>, Stuck> {
        if self.is_spilled() {
            return self.enter_spilled(sheaves);
        }
        let count: usize = sheaves.iter().map(|entering| entering.sheaf.segments.list.len()).sum();
        let mut all = Vec::with_capacity(sheaves.len());
        self.make_room(count, expected)?;
        for &Entering { sheaf, stand, line, .. } in sheaves {
            let first = self.texts.segments.len() as u32;
            self.texts.segments.extend(sheaf.held_segments().map(|segment| segment.moved(stand.base)));
            for document in &sheaf.documents {
                self.documents.begin(first + document.segments.start, line + document.line);
            }
            let numbers = |numbers: &Range<u32>| first + numbers.start..first + numbers.end;
            all.push(sheaf.documents.iter().map(|document| numbers(&document.segments)).collect());
        }
        let prints: Vec<&[u128]> = sheaves.iter().map(|entering| entering.sheaf.segments.prints.as_slice()).collect();
        self.enter_prints(&prints);
        Ok(all)
    }

    fn make_room(&mut self, count: usize, expected: impl FnOnce(usize) -> usize) -> Result<(), TooLarge> {
        if self.texts.segments.len() + count > Index::MOST || self.texts.end > Segment::MAX_START {
            return Err(TooLarge::Corpus);
        }
        if self.index.is_none() && count > 0 {
            let expected = expected(count).min(Index::MOST).min((self.room / LEAST_PARAGRAPH) as usize);
            self.texts.segments.reserve(expected + expected / 50);
            self.index = Some(Index::new(rayon::current_num_threads(), expected));
        }
        Ok(())
    }

    fn enter_prints(&mut self, prints: &[&[u128]]) {
        if let Some(index) = &mut self.index {
            self.repeats.append(&mut index.enter(prints, &self.texts));
        }
    }

    /// Begins a large text: a document that is entered batch by batch. Gives the number of its first paragraph.
    pub(crate) fn begin_text(&mut self) -> u32 {
        let first = self.texts.segments.len() as u32;
        self.documents.begin(first, 0);
        first
    }

    /// Enters the next paragraphs of a large text, which stands at `base`; false at its end.
    ///
    /// # Errors
    /// If it is too large to be taken apart, or there are more paragraphs than can be numbered.
    pub(crate) fn enter_text(&mut self, text: &mut Segmenter, batch: &mut Vec<Segments>, stand: Stand) -> Result<bool, TooLarge> {
        if !text.next_batch(batch)? {
            return Ok(false);
        }
        let count = batch.iter().map(|part| part.list.len()).sum();
        self.make_room(count, |count| text.expected(count))?;
        self.texts.add(batch, stand.base);
        let prints: Vec<&[u128]> = batch.iter().map(|part| part.prints.as_slice()).collect();
        self.enter_prints(&prints);
        Ok(true)
    }

    /// Nothing more comes: what new paragraphs would be looked up in is given back.
    pub(crate) fn end(&mut self) {
        self.index = None;
    }

    /// How many paragraphs there are.
    pub(crate) fn paragraphs(&self) -> u32 {
        self.texts.segments.len() as u32
    }

    /// The page of a large text that was entered.
    pub(crate) fn page<'a>(&'a self, text: &'a [u8], stand: Stand, numbers: Range<u32>, columns: u64) -> Page<'a> {
        let segments = &self.texts.segments[numbers.start as usize..numbers.end as usize];
        Page { text, segments, origin: stand.base, columns, is_markup: false }
    }

    /// Looks for what repeats in documents that were entered last, given by the numbers of their paragraphs, in order and in
    /// groups.
    ///
    /// # Errors
    /// If there are more runs than can be numbered.
    pub(crate) fn seek(&mut self, groups: &[Vec<Range<u32>>]) -> Result<Vec<Sought>, Stuck> {
        let mut documents = groups.iter().flatten();
        let none = || Ok(groups.iter().map(|_| Sought::default()).collect());
        let Some(first) = documents.next().map(|first| first.start) else { return none() };
        if first == 0 && documents.next().is_none() && !self.is_spilled() {
            self.is_one = true; // it has none before it, and perhaps none after it
            return none();
        }
        if std::mem::take(&mut self.is_one) {
            self.seek_from(0, &[iter::once(0..first).collect()])?;
        }
        self.seek_from(first, groups)
    }

    fn seek_from(&mut self, first: u32, groups: &[Vec<Range<u32>>]) -> Result<Vec<Sought>, Stuck> {
        let numbering = self.numbering(first);
        let in_group = |scratch: &mut Scratch, documents: &Vec<Range<u32>>| numbering.seek(documents, scratch);
        let mut sought: Vec<Sought> = groups.par_iter().map_init(Scratch::default, in_group).collect();
        self.earlier.look_up(&mut sought, &self.repeats)?;
        Ok(sought)
    }

    /// What repeats in each document of a group, as was found.
    pub(crate) fn repeats<'d>(
        &self,
        documents: &'d [Range<u32>],
        sought: Sought,
    ) -> impl Iterator<Item = InDocument<'_>> + use<'_, 'd> {
        self.numbering(documents.first().map_or(0, |first| first.start)).in_documents(documents, sought)
    }

    /// For documents from a paragraph on.
    fn numbering(&self, from: u32) -> Numbering<'_> {
        let repeats = &self.repeats[self.repeats.partition_point(|repeat| repeat.at < from)..];
        Numbering {
            segments: &self.texts.segments,
            first: self.texts.first,
            rolling: self.earlier.rolling(),
            repeats_before: (self.repeats.len() - repeats.len()) as u32,
            repeats,
            least: self.settings.least(),
            begins: &self.documents.begins,
        }
    }

    /// The paragraphs of a document that are not the first of their kind, each with that.
    pub(crate) fn repeats_of(&self, document: &Range<u32>) -> &[Repeat] {
        self.numbering(document.start).repeats_of(document)
    }

    /// Whether a paragraph is the first of its document.
    pub(crate) fn begins_document(&self, paragraph: u32) -> bool {
        self.documents.begins.has(paragraph)
    }

    /// Where consecutive paragraphs of an earlier document stand.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn known(&self, first: u32, last: u32) -> Result<Known<'_>, Error> {
        if let Some(known) = self.known_spilled(first, last) {
            let ((input, path, form), line, place) = known?;
            return Ok(Known {
                path,
                input: *input,
                form: *form,
                record: (line > 0).then_some(line),
                place,
                held: None,
                within: Span::default(),
                lines: None,
            });
        }
        let (start, end) = (self.texts.segments[first as usize].span(), self.texts.segments[last as usize].span());
        let held = self.texts.held(start.start);
        let (from, to) = (held.origin(start), held.origin(end));
        let within = Span { start: start.start - held.start, end: end.end - held.start };
        let (input, path, form) = &self.texts.inputs[held.input as usize];
        Ok(Known {
            path,
            input: *input,
            form: *form,
            record: held.is_container.then(|| self.documents.line(first)),
            place: Some(Span { start: held.in_file(start).start, end: held.in_file(end).end }),
            held: Some(held),
            within,
            lines: from.zip(to).map(|(from, to)| (from.lines.0, to.lines.1)),
        })
    }
}

/// Where documents begin.
struct Documents {
    /// The number of the first paragraph of each that has any, and its line.
    list: Vec<(u32, u64)>,
    begins: Bits,
    near: Near,
}

impl Default for Documents {
    fn default() -> Self {
        Self { list: Vec::new(), begins: Bits::default(), near: Near::new(6) }
    }
}

impl Documents {
    fn begin(&mut self, first: u32, line: u64) {
        while self.list.last().is_some_and(|&(last, _)| last == first) {
            self.list.pop(); // it had no paragraphs
        }
        self.near.push(first.into(), self.list.len());
        self.list.push((first, line));
        self.begins.set(first);
    }

    fn forget(&mut self, from: u32) {
        self.list.truncate(self.list.partition_point(|&(first, _)| first < from));
        self.begins.clear_from(from);
        self.near.truncate(self.list.len());
    }

    fn line(&self, paragraph: u32) -> u64 {
        self.list[self.near.last(&self.list, paragraph.into(), |&(first, _)| first.into())].1
    }
}
