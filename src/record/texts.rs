//! The texts that a record is about: each original as it stands, or as it can be made of its clean copy.

use super::format::CutLine;
use super::hex;
use super::quick::Edited;
use super::reading::{Edit, Part, Record, RecordedFile};
use crate::document::Span;
use crate::error::{Error, Result, count, io_reason};
use crate::fingerprint::fingerprint;
use crate::near::Near;
use crate::source::warc::{self, Held};
use crate::source::{AtHand, Fields, Form, Had, Input, Origin, Room, jsonl, text};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

/// So many files are open at a time.
const OPEN: usize = 200;

/// Which of the two a file is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// The original is there.
    Original,
    /// Only the clean copy is there.
    Clean,
}

/// The texts that a record is about.
pub(super) struct Texts<'a> {
    pub(super) record: &'a Record,
    pub(super) fields: Fields,
    /// Where streams are unpacked.
    pub(super) room: Room,
    files: Vec<File>,
    open: Mutex<VecDeque<(Key, Opened)>>,
}

/// A file by its place in the record, and which of its texts.
type Key = (usize, Stands);

struct File {
    /// What was changed of each part.
    edits: Vec<OnceLock<Edits>>,
    /// Where the texts of records stand in the clean copy of each part, of JSONL.
    kept: Vec<OnceLock<Vec<Span>>>,
    stands: Mutex<Option<Stands>>,
}

/// A file that is open; where nobody needed it by now, that it is to be.
type Opened = Arc<Mutex<Option<Arc<AtHand>>>>;

impl<'a> Texts<'a> {
    /// The texts of a record. What must be unpacked goes to `room`.
    pub(super) fn new(record: &'a Record, room: &Room) -> Self {
        let file = |file: &RecordedFile| File {
            edits: file.parts.iter().map(|_| OnceLock::new()).collect(),
            kept: file.parts.iter().map(|_| OnceLock::new()).collect(),
            stands: Mutex::new(None),
        };
        let files = record.files().iter().map(file).collect();
        Self { record, fields: record.fields(), room: room.clone(), files, open: Mutex::default() }
    }

    pub(super) fn file(&self, file: usize) -> &'a RecordedFile {
        &self.record.files()[file]
    }

    /// What was changed of a part of a file.
    fn edits(&self, file: usize, part: &Part) -> Result<&Edits> {
        let known = &self.files[file].edits[part.number];
        if let Some(edits) = known.get() {
            return Ok(edits);
        }
        let edits = Edits::new(self.record.edits(part)?, part);
        Ok(known.get_or_init(|| edits))
    }

    /// Does something with each cut of a part, in order, and where in the clean copy what stands in its place begins. All of a line says
    /// what the least of it did, so that cuts are in order, within the part, and leave as much as there is.
    pub(super) fn each_cut(&self, file: usize, part: &Part, mut each: impl FnMut(u64, CutLine, u64) -> Result<()>) -> Result<()> {
        let mut edits = self.edits(file, part)?.list.windows(2);
        self.record.each_cut(part, |line, cut| {
            let Edited { cut: gone, inserted, is_repair } = Edited::of(&cut);
            let is_it = |edits: &&[Edit]| {
                let clean_end = edits[0].clean_end + (edits[1].at.start - edits[0].at.end) + inserted;
                edits[1] == Edit { at: gone.into(), clean_end, is_repair }
            };
            let edits = edits.next().filter(is_it).ok_or_else(|| self.record.broken(line, &"reads in two ways"))?;
            each(line, cut, edits[1].clean_end - inserted)
        })
    }

    /// Where texts stand in a part of an original, which is `at` there. Those of a table that is made of its clean copy aren't told apart.
    pub(super) fn own(&self, file: usize, part: &[u8], at: Span) -> Result<Vec<Span>> {
        match self.file(file).original.form {
            Form::Parquet if self.stands(file)? == Stands::Original => Ok(self.original(file)?.rows_in(at)),
            form => Ok(texts_in(form, part, at, &self.fields)),
        }
    }

    /// The clean copy of a file.
    pub(super) fn clean(&self, file: usize) -> Result<Option<Arc<AtHand>>> {
        let clean = self.file(file).clean.as_ref();
        clean.map(|clean| self.open((file, Stands::Clean), clean, self.file(file).clean_bytes)).transpose()
    }

    /// The original of a file, where that is there.
    pub(super) fn original(&self, file: usize) -> Result<Arc<AtHand>> {
        let recorded = self.file(file);
        // In place its clean copy may stand there, which may be longer.
        let had = if recorded.is_in_place() { recorded.bytes.max(recorded.clean_bytes) } else { recorded.bytes };
        self.open((file, Stands::Original), &recorded.original, had)
    }

    /// A file, which had so many bytes.
    fn open(&self, key: Key, input: &Input, had: u64) -> Result<Arc<AtHand>> {
        let opened = {
            let mut open = self.open.lock().expect("nothing panics with the lock");
            match open.iter().find(|(known, _)| *known == key) {
                Some((_, opened)) => Arc::clone(opened),
                None => {
                    let opened = Opened::default();
                    if open.len() == OPEN {
                        open.pop_front();
                    }
                    open.push_back((key, Arc::clone(&opened)));
                    opened
                }
            }
        };
        // Others may open other files meanwhile, which may take long.
        let mut opened = opened.lock().expect("nothing panics with the lock");
        if let Some(opened) = &*opened {
            return Ok(Arc::clone(opened));
        }
        let had = Had { bytes: had, may_break_off: key.1 == Stands::Original };
        let new = Arc::new(AtHand::open(input, &self.fields, &self.room, Some(had))?);
        Ok(Arc::clone(opened.insert(new)))
    }

    /// Makes sure that the clean copy of a table is the file that it was.
    pub(super) fn ensure_copy(&self, file: usize) -> Result<()> {
        let recorded = self.file(file);
        let Some((clean, hash)) = recorded.clean.as_ref().zip(recorded.copy.as_ref()) else { return Ok(()) };
        let is = fs::File::open(clean.path()).and_then(super::hash_of).map_err(|error| Error::io(clean.place(), error))?;
        if is == *hash { Ok(()) } else { Err(Error::refused(clean.place(), "isn't the clean copy that the record tells of")) }
    }

    /// Where bytes of an original stand in its clean copy; `None` if something was changed of them, or they are none.
    pub(super) fn in_clean(&self, file: usize, span: Span) -> Result<Option<Span>> {
        let there = self.in_clean_by(file, span, Edits::in_clean)?;
        Ok(there.filter(|there| there.len() == span.len()))
    }

    /// Where they stand, repaired perhaps; `None` if something was cut of them.
    pub(super) fn repaired_in_clean(&self, file: usize, span: Span) -> Result<Option<Span>> {
        self.in_clean_by(file, span, Edits::repaired_in_clean)
    }

    fn in_clean_by(&self, file: usize, span: Span, in_clean: fn(&Edits, Span) -> Option<Span>) -> Result<Option<Span>> {
        let parts = &self.file(file).parts;
        let first = parts.partition_point(|part| part.original.end <= span.start);
        let mut all: Option<Span> = None;
        for part in parts[first..].iter().take_while(|part| part.original.start < span.end) {
            let within = Span { start: span.start.max(part.original.start), end: span.end.min(part.original.end) };
            let Some(Span { start, end }) = in_clean(self.edits(file, part)?, within) else { return Ok(None) };
            all = Some(Span { start: all.map_or(start, |all| all.start), end });
        }
        Ok(all)
    }

    /// Whether bytes of a clean copy are text, and begin and end in no escape. What can't be seen is taken for it.
    pub(super) fn is_text_in_clean(&self, file: usize, span: Span) -> Result<bool> {
        let recorded = self.file(file);
        let form = recorded.original.form;
        let is_seen = recorded.clean.as_ref().is_some_and(|clean| clean.from != Origin::Stdin)
            && !(recorded.is_in_place() && self.stands(file)? == Stands::Original);
        // All of a text is, and it goes on from part to part.
        let Some(copy) = (if is_seen && form != Form::Text { self.clean(file)? } else { None }) else { return Ok(true) };
        if form == Form::Parquet {
            return Ok(copy.rows_in(span).len() == 1);
        }
        let number = recorded.parts.partition_point(|part| part.clean.end <= span.start);
        let Some(part) = recorded.parts.get(number) else { return Ok(false) };
        let known = &self.files[file].kept[number];
        let texts = match known.get() {
            Some(texts) => texts,
            None => {
                let texts = texts_in(form, &copy.read(part.clean)?, part.clean, &self.fields);
                known.get_or_init(|| texts)
            }
        };
        let start = part.clean.start;
        let within = Span { start: span.start - start, end: span.end - start };
        let Some(text) = text_around(texts, within) else { return Ok(false) };
        if form != Form::Jsonl {
            return Ok(true);
        }
        let written = copy.read(Span { start: start + text.start, end: start + text.end })?;
        Ok(is_between(form, &written, text, within))
    }

    /// What of a file is there. In place it is told by the bytes.
    pub(super) fn stands(&self, file: usize) -> Result<Stands> {
        let mut known = self.files[file].stands.lock().expect("nothing panics with the lock");
        if let Some(stands) = *known {
            return Ok(stands);
        }
        let recorded = self.file(file);
        let stands = match &recorded.original.from {
            Origin::Stdin => Stands::Clean,
            _ if recorded.is_in_place() => self.told_by_bytes(file)?,
            _ => Stands::Original,
        };
        Ok(*known.insert(stands))
    }

    /// Originals are made of clean copies, whether they are there or not, but in place.
    pub(super) fn rely_on_clean_copies(&self) {
        for (file, recorded) in self.files.iter().zip(self.record.files()) {
            if !recorded.is_in_place() {
                file.stands.lock().expect("nothing panics with the lock").replace(Stands::Clean);
            }
        }
    }

    /// The original of a file has taken the place of its clean copy.
    pub(super) fn was_restored(&self, file: usize) {
        self.open.lock().expect("nothing panics with the lock").retain(|(key, _)| key.0 != file);
        self.files[file].stands.lock().expect("nothing panics with the lock").replace(Stands::Original);
    }

    /// What stands where the original was.
    pub(super) fn stands_at_home(&self, file: usize) -> Result<Stands> {
        if self.file(file).is_in_place() { self.stands(file) } else { self.told_by_bytes(file) }
    }

    fn told_by_bytes(&self, file: usize) -> Result<Stands> {
        let recorded = self.file(file);
        let text = self.original(file)?;
        let is_made_of = |len: u64, each: fn(&Part) -> (Span, &str)| {
            let is_part = |part: &Part| {
                let (span, hash) = each(part);
                text.read(span).map(|bytes| hex(fingerprint(&bytes)) == hash)
            };
            let all = |mut parts: std::slice::Iter<Part>| parts.try_fold(true, |all, part| Ok(all && is_part(part)?));
            if text.len() == len { all(recorded.parts.iter()) } else { Ok(false) }
        };
        if is_made_of(recorded.bytes, |part| (part.original, &part.hash))? {
            return Ok(Stands::Original);
        }
        if !recorded.is_in_place() {
            let why = "is there already, and isn't the original that the record tells of; -o writes that elsewhere";
            return Err(Error::refused(recorded.original.place(), why));
        }
        if is_made_of(recorded.clean_bytes, |part| (part.clean, &part.clean_hash))? && self.ensure_copy(file).is_ok() {
            return Ok(Stands::Clean);
        }
        let why = "is neither the original nor the clean copy that the record tells of: it was changed since, perhaps by a later run, which is \
             undone first";
        Err(Error::refused(recorded.original.place(), why))
    }

    /// Makes sure, before anything is done, that all files are there that are needed: clean copies, and originals too, or else.
    pub(super) fn ensure_there(&self, needs_originals: bool, or_else: &str) -> Result<()> {
        let needed = |file: &'a RecordedFile| [Some(&file.original).filter(|_| needs_originals), file.clean.as_ref()];
        let named = |input: &'a Input| if let Origin::Named(path) = &input.from { Some(path) } else { None };
        let unreadable = |path: &'a PathBuf| match fs::metadata(path) {
            Ok(there) if there.is_file() => None,
            Ok(_) => Some((path, "is no file, as it was".to_owned())),
            Err(error) => Some((path, io_reason(&error))),
        };
        let mut missing = self
            .record
            .files()
            .iter()
            .filter_map(|file| needed(file).into_iter().flatten().filter_map(named).find_map(unreadable));
        let Some((path, why)) = missing.next() else { return Ok(()) };
        let more = match missing.count() {
            0 => String::new(),
            1 => ", and what another file of the record needs isn't there either".into(),
            more => format!(", and what {} other files of the record need isn't there either", count(more as u64)),
        };
        let from = "paths in a record lead from its folder";
        Err(Error::refused(path, format!("can't be read: {why}{more} ({from}){or_else}")))
    }
}

/// Where texts stand in a part of a file or of its clean copy, which is `at` there, as they are written. Those of a table aren't told
/// apart.
fn texts_in(form: Form, part: &[u8], at: Span, fields: &Fields) -> Vec<Span> {
    match form {
        Form::Text | Form::Parquet | Form::Feed | Form::Html => vec![Span::new(0, part.len())], // a mark that begins it says nothing
        Form::Jsonl => jsonl::texts(part, text::begins_in(part, at.start == 0), fields),
        Form::Warc => documents(part).map(|(_, text)| text).collect(),
    }
}

/// The records of a WET that are documents, and where their texts stand.
pub(super) fn documents(part: &[u8]) -> impl Iterator<Item = (Span, Span)> {
    warc::records(part)
        .filter_map(|(extent, held)| if let Held::Document(document) = held { Some((extent, document.text)) } else { None })
}

/// The records of a WET that are pages.
pub(super) fn pages(part: &[u8]) -> Vec<Span> {
    let page = |(extent, held)| matches!(held, Held::Document(document) if document.is_html).then_some(extent);
    warc::records(part).filter_map(page).collect()
}

/// The text in which bytes stand.
pub(super) fn text_around(texts: &[Span], span: Span) -> Option<Span> {
    let text = texts.get(texts.partition_point(|text| text.end < span.end));
    text.filter(|text| text.start <= span.start && span.start <= span.end).copied()
}

/// Whether bytes begin and end in no escape of the text in which they stand.
pub(super) fn is_between(form: Form, written: &[u8], text: Span, span: Span) -> bool {
    form != Form::Jsonl || [span.start, span.end].into_iter().all(|at| jsonl::is_between(written, (at - text.start) as usize))
}

/// Makes sure that a file is as long as it was.
pub(super) fn ensure_len(input: &Input, has: u64, had: u64) -> Result<()> {
    if has == had {
        return Ok(());
    }
    let is = if has > had { "is longer".into() } else { format!("has {has} bytes") };
    Err(Error::refused(input.place(), format!("{is}, and had {had} bytes when it was recorded")))
}

/// What was changed of a part.
struct Edits {
    /// In order, behind one of nothing where the part begins.
    list: Vec<Edit>,
    /// By their ends, as they stand in the part.
    near: Near,
    start: u64,
}

impl Edits {
    fn new(edits: Vec<Edit>, part: &Part) -> Self {
        let Span { start, .. } = part.original;
        let of_page = |bits: u32| bits.saturating_sub(16).max(12); // so that there are at most 2^16 of them
        let mut near = Near::new(of_page(u64::BITS - part.original.len().leading_zeros()));
        let begins = Edit { at: Span { start, end: start }, clean_end: part.clean.start, is_repair: true };
        let list: Vec<Edit> = std::iter::once(begins).chain(edits).collect();
        for (number, edit) in list.iter().enumerate() {
            near.push(edit.at.end - start, number);
        }
        Self { list, near, start }
    }

    /// Where bytes of the part stand in the clean copy; `None` if something was changed of them.
    fn in_clean(&self, span: Span) -> Option<Span> {
        let last = self.near.last(&self.list, span.start - self.start, |edit| edit.at.end - self.start);
        if self.list.get(last + 1).is_some_and(|next| next.at.start < span.end) {
            return None;
        }
        let Edit { at, clean_end, .. } = self.list[last];
        let start = clean_end + (span.start - at.end);
        Some(Span { start, end: start + span.len() })
    }
}

impl Edits {
    /// Where bytes of the part stand in the clean copy, repaired perhaps; `None` if something was cut of them.
    fn repaired_in_clean(&self, span: Span) -> Option<Span> {
        let before = self.near.last(&self.list, span.start - self.start, |edit| edit.at.end - self.start);
        let within = self.list[before + 1..].iter().take_while(|edit| edit.at.start < span.end).count();
        let edits = &self.list[before..=before + within];
        let is_kept = |edit: &Edit| edit.is_repair && span.start <= edit.at.start && edit.at.end <= span.end;
        let in_clean = |edit: &Edit, at: u64| edit.clean_end + (at - edit.at.end);
        let (first, last) = (edits.first()?, edits.last()?);
        edits[1..].iter().all(is_kept).then(|| Span { start: in_clean(first, span.start), end: in_clean(last, span.end) })
    }
}

/// Reads originals, wherever they come from. It remembers which files it has read.
pub(super) struct Reader<'t> {
    texts: &'t Texts<'t>,
    known: FxHashMap<usize, (Stands, Option<Arc<AtHand>>)>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(texts: &'t Texts<'t>) -> Self {
        Self { texts, known: FxHashMap::default() }
    }

    pub(super) fn record(&self) -> &'t Record {
        self.texts.record
    }

    /// Bytes of an original.
    ///
    /// # Errors
    /// If they aren't there: were cut themselves, that is, where it must be made of its clean copy.
    pub(super) fn read(&mut self, file: usize, span: Span) -> Result<Cow<'_, [u8]>> {
        self.read_by(file, span, Texts::in_clean)
    }

    /// The same, or what they became when they were repaired.
    ///
    /// # Errors
    /// If they aren't there.
    pub(super) fn read_repaired(&mut self, file: usize, span: Span) -> Result<Cow<'_, [u8]>> {
        self.read_by(file, span, Texts::repaired_in_clean)
    }

    fn read_by(
        &mut self,
        file: usize,
        span: Span,
        in_clean: fn(&Texts<'t>, usize, Span) -> Result<Option<Span>>,
    ) -> Result<Cow<'_, [u8]>> {
        let texts = self.texts;
        let recorded = texts.file(file);
        let refused = |why: String| Error::refused(recorded.original.place(), why);
        if span.end > recorded.bytes {
            return Err(refused(format!("has {} bytes by the record, which names some up to {}", recorded.bytes, span.end)));
        }
        if self.known.len() == OPEN {
            self.known.clear();
        }
        let (stands, text) = match self.known.entry(file) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let stands = texts.stands(file)?;
                let text = if stands == Stands::Original { Some(texts.original(file)?) } else { texts.clean(file)? };
                new.insert((stands, text))
            }
        };
        let at = match stands {
            Stands::Original => Some(span),
            Stands::Clean => in_clean(texts, file, span)?,
        };
        match (text, at) {
            (Some(text), Some(at)) => text.read(at),
            _ => Err(refused(format!("bytes {}–{} are in no clean copy, and others are made of them", span.start, span.end))),
        }
    }
}
