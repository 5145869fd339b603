//! All bytes of a file as a record counts them, at hand at any place: of a text or JSONL the file, unpacked; of a WARC what it is as
//! WET; of a table its texts, one behind the other.

use super::load::MAP_FROM;
use super::mapping::Mapping;
use super::open::{LOT, spooled};
#[cfg(feature = "parquet")]
use super::parquet;
use super::{Fields, Form, Input, Origin, Packing, warc};
use crate::document::Span;
use crate::error::{Error, Place, Result, What};
use crate::scratch::in_folder;
use std::borrow::Cow;
use std::fs::{File, Metadata};
use std::io::{self, Read, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::{SpooledData, SpooledTempFile, spooled_tempfile_in};

/// Where what is unpacked goes to be at hand: to memory, and what that doesn't hold to files without names.
#[derive(Clone, Debug)]
pub struct Room {
    /// The folder for those.
    pub(crate) folder: PathBuf,
    /// How many bytes memory holds beside what it has.
    left: Arc<AtomicU64>,
}

impl Room {
    /// Memory for so many bytes, and a folder.
    pub fn new(bytes: u64, folder: PathBuf) -> Self {
        Self { folder, left: Arc::new(AtomicU64::new(bytes)) }
    }

    /// Takes memory for so many bytes, or, if there isn't so much, none.
    fn take(&self, bytes: u64) -> Taken {
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        Taken { bytes: if left.is_ok() { bytes } else { 0 }, of: Arc::clone(&self.left) }
    }
}

/// Memory that is given back when this is dropped.
struct Taken {
    bytes: u64,
    of: Arc<AtomicU64>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.of.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

/// What is known of a file that was read before.
#[derive(Clone, Copy)]
pub(crate) struct Had {
    /// How many bytes it had.
    pub(crate) bytes: u64,
    /// Whether it may break off behind them, as it may have done.
    pub(crate) may_break_off: bool,
}

/// A file whose bytes are at hand.
pub(crate) struct AtHand {
    place: Place,
    bytes: Bytes,
    len: u64,
    metadata: Metadata,
    _memory: Option<Taken>,
    /// Where the text of each row ends, of a table.
    rows: Vec<u64>,
    /// The file itself, of a table.
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "no table is read"))]
    table: Option<File>,
}

enum Bytes {
    Held(Vec<u8>),
    Mapped(Mapping),
    /// Where no more files can be mapped.
    Read(File),
}

impl AtHand {
    /// Opens a file; if it was read before, what is known of it. What isn't there as it counts is unpacked to `room`: no more than a byte
    /// beyond those that it `had`.
    ///
    /// # Errors
    /// If it can't be read.
    pub(crate) fn open(input: &Input, fields: &Fields, room: &Room, had: Option<Had>) -> Result<Self> {
        let opened = || {
            let file = match &input.from {
                Origin::Stdin => File::from(io::stdin().as_fd().try_clone_to_owned()?),
                Origin::Named(path) | Origin::Walked(path) => File::open(path)?,
            };
            let metadata = file.metadata()?;
            let is_table = input.form == Form::Parquet;
            let file = if is_table && !metadata.is_file() { spooled(file, &room.folder)? } else { file };
            let table = if is_table { Some(file.try_clone()?) } else { None };
            let is_as_it_counts = input.packing == Packing::Plain
                && match input.form {
                    Form::Text | Form::Jsonl | Form::Feed | Form::Html => true,
                    Form::Warc => had.is_some_and(|had| had.bytes == metadata.len()), // a WET becomes itself
                    Form::Parquet => false,
                };
            let ((bytes, len), memory, rows) = match is_as_it_counts && metadata.is_file() {
                true => (Bytes::of(file)?, None, Vec::new()),
                false => {
                    let most = had.map(|had| had.bytes.saturating_add(1));
                    let memory = room.take(most.unwrap_or(room.left.load(Ordering::Relaxed) / 2));
                    let held = usize::try_from(memory.bytes).unwrap_or(usize::MAX);
                    let to = spooled_tempfile_in(held, &room.folder);
                    let left = most.unwrap_or(u64::MAX);
                    let may_break_off = had.is_some_and(|had| had.may_break_off);
                    let mut plain = Copying { to, folder: &room.folder, left, rows: Vec::new() };
                    match plain.all(file, input, fields) {
                        Err(error) if !(may_break_off && plain.left == 1) || error.raw_os_error().is_some() => return Err(error),
                        _ => {}
                    }
                    match plain.to.into_inner() {
                        SpooledData::InMemory(bytes) => (Bytes::held(bytes.into_inner()), Some(memory), plain.rows),
                        SpooledData::OnDisk(file) => (Bytes::of(file)?, None, plain.rows),
                    }
                }
            };
            Ok(Self { place: input.place(), bytes, len, metadata, _memory: memory, rows, table })
        };
        opened().map_err(|error| Error::io(input.place(), error))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Where the rows stand that have text in these bytes, from the first of those on; of a table.
    pub(crate) fn rows_in(&self, span: Span) -> Vec<Span> {
        let first = self.rows.partition_point(|end| *end <= span.start);
        let mut from = span.start;
        let row = |&end: &u64| {
            let start = std::mem::replace(&mut from, end.min(span.end));
            (start < span.end).then(|| Span { start: start - span.start, end: from - span.start })
        };
        self.rows[first..].iter().map_while(row).collect()
    }

    /// What the file is like.
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The table whose texts they are.
    ///
    /// # Errors
    /// If it is none, or the system gives no other handle to it.
    #[cfg(feature = "parquet")]
    pub(crate) fn table(&self) -> io::Result<File> {
        self.table.as_ref().map_or(Err(io::ErrorKind::InvalidInput.into()), File::try_clone)
    }

    /// Some of them.
    ///
    /// # Errors
    /// If there are fewer, or they can't be read.
    pub(crate) fn read(&self, span: Span) -> Result<Cow<'_, [u8]>> {
        if span.end > self.len {
            let why = format!("has {} bytes, and none at {}", self.len, span.end);
            return Err(Error::refused(self.place.clone(), why));
        }
        match &self.bytes {
            Bytes::Held(bytes) => Ok(span.of(bytes).into()),
            Bytes::Mapped(mapping) => Ok(span.of(mapping).into()),
            Bytes::Read(file) => {
                let mut bytes = Vec::new();
                let room = bytes.try_reserve_exact(span.range().len());
                room.map_err(|_| Error::refused(self.place.clone(), "has more bytes together than memory holds"))?;
                bytes.resize(span.range().len(), 0);
                let read = file.read_exact_at(&mut bytes, span.start);
                read.map(|()| bytes.into()).map_err(|error| Error::io(self.place.clone(), error))
            }
        }
    }

    /// Fails if the file became shorter since it was opened.
    ///
    /// # Errors
    /// [`What::Changed`].
    pub(crate) fn ensure_intact(&self) -> Result<()> {
        match &self.bytes {
            Bytes::Mapped(mapping) if !mapping.is_intact() => {
                Err(Error { place: self.place.clone(), what: What::Changed { spoilt: None } })
            }
            _ => Ok(()),
        }
    }
}

impl Bytes {
    /// Those of a file, and how many they are.
    fn of(file: File) -> io::Result<(Self, u64)> {
        let len = file.metadata()?.len();
        if len < MAP_FROM {
            let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
            file.read_exact_at(&mut bytes, 0)?;
            return Ok(Self::held(bytes));
        }
        Ok((Mapping::new(&file, len).map_or(Bytes::Read(file), Bytes::Mapped), len))
    }

    fn held(bytes: Vec<u8>) -> (Self, u64) {
        let len = bytes.len() as u64;
        (Bytes::Held(bytes), len)
    }
}

/// A copy of what counts of a file, so far.
struct Copying<'a> {
    to: SpooledTempFile,
    folder: &'a Path,
    /// So many bytes more are copied.
    left: u64,
    /// Where the text of each row ends, of a table.
    rows: Vec<u64>,
}

impl Copying<'_> {
    fn all(&mut self, file: File, input: &Input, fields: &Fields) -> io::Result<()> {
        match input.form {
            #[cfg(feature = "parquet")]
            Form::Parquet => {
                let mut texts = parquet::Texts::open(file, fields)?;
                while let Some(values) = texts.next(LOT)?.filter(|_| self.left > 0) {
                    let before = self.rows.last().copied().unwrap_or(0);
                    self.rows.extend((0..values.len()).map(|row| before + values.span(row).end));
                    self.put(&values.bytes)?;
                }
            }
            #[cfg(not(feature = "parquet"))]
            Form::Parquet => {
                let _ = fields;
                return Err(io::Error::new(io::ErrorKind::Unsupported, "this unecho was built without Parquet"));
            }
            Form::Warc => {
                let mut stretches = warc::Stretches::new(input.packing.reader(file)?, LOT, warc::LONGEST);
                while let Some(stretch) = stretches.next().filter(|_| self.left > 0) {
                    self.put(&stretch?.bytes)?;
                }
            }
            Form::Text | Form::Jsonl | Form::Feed | Form::Html => {
                let mut stream = input.packing.reader(file)?;
                let mut piece = vec![0; LOT];
                while self.left > 0 {
                    match stream.read(&mut piece) {
                        Ok(0) => break,
                        Ok(read) => self.put(&piece[..read])?,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let bytes = &bytes[..bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX))];
        self.left -= bytes.len() as u64;
        self.to.write_all(bytes).map_err(|error| in_folder(self.folder, &error))
    }
}
