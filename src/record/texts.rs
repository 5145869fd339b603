//! The texts that a record is about: each original as it stands, or as it can be made of its clean copy.

use super::hex;
use super::reading::{Edit, Part, Record, RecordedFile};
use crate::document::Span;
use crate::error::{Error, Result, count, io_reason};
use crate::fingerprint::fingerprint;
use crate::source::{AtHand, Fields, Input, Origin};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::fs;
use std::path::{Path, PathBuf};
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
    /// The folder for temporary files.
    pub(super) temporary: PathBuf,
    files: Vec<File>,
    open: Mutex<VecDeque<(Key, Arc<AtHand>)>>,
}

/// A file by its place in the record, and which of its texts.
type Key = (usize, Stands);

struct File {
    edits: OnceLock<Edits>,
    stands: Mutex<Option<Stands>>,
}

impl<'a> Texts<'a> {
    /// The texts of a record. What must be unpacked goes to files without names in `temporary`.
    pub(super) fn new(record: &'a Record, temporary: &Path) -> Self {
        let file = |_| File { edits: OnceLock::new(), stands: Mutex::new(None) };
        let files = record.files().iter().map(file).collect();
        Self { record, fields: record.fields(), temporary: temporary.into(), files, open: Mutex::default() }
    }

    pub(super) fn file(&self, file: usize) -> &'a RecordedFile {
        &self.record.files()[file]
    }

    /// What was changed of a file.
    pub(super) fn edits(&self, file: usize) -> Result<&Edits> {
        let known = &self.files[file].edits;
        if let Some(edits) = known.get() {
            return Ok(edits);
        }
        let edits = self.record.edits(self.file(file))?;
        Ok(known.get_or_init(|| Edits::new(edits)))
    }

    /// The clean copy of a file.
    pub(super) fn clean(&self, file: usize) -> Result<Option<Arc<AtHand>>> {
        let clean = self.file(file).clean.as_ref();
        clean.map(|clean| self.open((file, Stands::Clean), clean)).transpose()
    }

    /// The original of a file, where that is there.
    pub(super) fn original(&self, file: usize) -> Result<Arc<AtHand>> {
        self.open((file, Stands::Original), &self.file(file).original)
    }

    fn open(&self, key: Key, input: &Input) -> Result<Arc<AtHand>> {
        let mut open = self.open.lock().expect("nothing panics with the lock");
        if let Some(at) = open.iter().position(|(known, _)| *known == key) {
            return Ok(Arc::clone(&open[at].1));
        }
        let opened = Arc::new(AtHand::open(input, &self.fields, &self.temporary)?);
        if open.len() == OPEN {
            open.pop_front();
        }
        open.push_back((key, Arc::clone(&opened)));
        Ok(opened)
    }

    /// Where bytes of an original stand in its clean copy; `None` if something was changed of them.
    pub(super) fn in_clean(&self, file: usize, span: Span) -> Result<Option<Span>> {
        Ok(self.edits(file)?.in_clean(span))
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
        if is_made_of(recorded.clean_bytes, |part| (part.clean, &part.clean_hash))? {
            return Ok(Stands::Clean);
        }
        let why = "is neither the original nor the clean copy that the record tells of, so nothing is taken back here; later runs are \
                   undone first, and -o FOLDER writes what can be restored";
        Err(Error::refused(recorded.original.place(), why))
    }

    /// Makes sure, before anything is done, that all files are there that are needed.
    pub(super) fn ensure_there(&self, needs_originals: bool) -> Result<()> {
        let needed = |file: &'a RecordedFile| [Some(&file.original).filter(|_| needs_originals), file.clean.as_ref()];
        let named = |input: &'a Input| if let Origin::Named(path) = &input.from { Some(path) } else { None };
        let paths = self.record.files().iter().flat_map(needed).flatten().filter_map(named);
        let mut missing = paths.filter_map(|path| Some((path, fs::metadata(path).err()?)));
        let Some((path, error)) = missing.next() else { return Ok(()) };
        let more = match missing.filter(|(other, _)| *other != path).count() {
            0 => String::new(),
            more => format!("; neither can {} others of the record be opened", count(more as u64)),
        };
        Err(Error::refused(path, format!("{}{more}; nothing was done", io_reason(&error))))
    }
}

/// What was changed of a file, in order.
pub(super) struct Edits {
    list: Vec<Edit>,
    /// For each page of the original, how many end before it: a search among millions would wait for memory many times.
    before: Vec<u32>,
}

/// A page has 2 to the power of so many bytes.
const PAGE: u32 = 12;

impl Edits {
    fn new(list: Vec<Edit>) -> Self {
        let mut before = Vec::new();
        for (number, edit) in (0..).zip(&list) {
            before.resize((edit.at.end >> PAGE) as usize + 1, number);
        }
        Self { list, before }
    }

    /// Where bytes of the original stand in its clean copy; `None` if something was changed of them.
    fn in_clean(&self, span: Span) -> Option<Span> {
        let near = self.before.get((span.start >> PAGE) as usize).map_or(self.list.len(), |&before| before as usize);
        let before = near + self.list[near..].iter().take_while(|edit| edit.at.end <= span.start).count();
        if self.list.get(before).is_some_and(|next| next.at.start < span.end) {
            return None;
        }
        let moved = |at: u64| match before.checked_sub(1).map(|last| self.list[last]) {
            Some(last) => last.clean_end + (at - last.at.end),
            None => at,
        };
        Some(Span { start: moved(span.start), end: moved(span.end) })
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
        let texts = self.texts;
        let recorded = texts.file(file);
        let refused = |why: String| Error::refused(recorded.original.place(), why);
        if span.end > recorded.bytes {
            return Err(refused(format!("has {} bytes by the record, which names some up to {}", recorded.bytes, span.end)));
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
            Stands::Clean => texts.in_clean(file, span)?,
        };
        match (text, at) {
            (Some(text), Some(at)) => text.read(at),
            _ => Err(refused(format!("bytes {}–{} are in no clean copy, and others are made of them", span.start, span.end))),
        }
    }
}
