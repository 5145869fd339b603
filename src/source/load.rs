//! The bytes of an input: read whole, or, where a file is large, mapped; and whether they are still what they were.

use super::mapping::Mapping;
use super::{Identity, Input, Origin};
use crate::error::{Error, Result, What};
use std::fs::{File, Metadata, Permissions};
use std::io::{self, Read};
use std::ops::Deref;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

/// From this size on a file is mapped: it saves a copy and the memory for it. Smaller ones are read faster than mapped.
const MAP_FROM: u64 = 1 << 20;
/// A found file with a NUL in so many first bytes is binary (git's measure).
const BINARY_PROBE: u64 = 8 << 10;
/// Above this size a found file's beginning is read by itself first: below, one system call more costs more than it saves.
const PROBE_APART: u64 = 64 << 10;

/// What loading an input gives.
pub enum Loaded {
    /// Its bytes.
    Source(Source),
    /// It was found in a folder and holds no text.
    Binary,
}

/// The bytes of an input.
pub struct Source {
    bytes: Bytes,
    /// The open file, unless it is a stream, whose bytes can't change any more.
    file: Option<(File, Stamp)>,
    identity: Option<Identity>,
}

enum Bytes {
    Read(Vec<u8>),
    Mapped(Mapping),
}

/// What a file was like when it was opened. While it is left alone, its size and time stay.
struct Stamp {
    size: u64,
    modified: (i64, i64),
    mode: u32,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { size: metadata.len(), modified: (metadata.mtime(), metadata.mtime_nsec()), mode: metadata.mode() }
    }
}

/// Opens and reads an input.
///
/// # Errors
/// If it can't be opened or read.
pub fn load(input: &Input) -> Result<Loaded> {
    let loaded = match &input.from {
        Origin::Stdin => Source::stdin().map(Some),
        Origin::Named(path) => File::open(path).and_then(|file| Source::of(file, false)),
        Origin::Walked(path) => File::open(path).and_then(|file| Source::of(file, true)),
    };
    match loaded.map_err(|error| Error::io(input.place(), error))? {
        None => Ok(Loaded::Binary),
        Some(source) if is_utf16(&source) => {
            let why = "is UTF-16, in which bytes don't tell where lines end; make it UTF-8 first: iconv -f UTF-16 -t UTF-8";
            Err(Error::refused(input.place(), why))
        }
        Some(source) => Ok(Loaded::Source(source)),
    }
}

/// Whether a file that was found will be read, or left out as binary, going by its beginning.
///
/// # Errors
/// If it can't be opened or read.
pub fn holds_text(input: &Input) -> Result<bool> {
    let Origin::Walked(path) = &input.from else { return Ok(true) };
    let mut beginning = vec![0; BINARY_PROBE as usize + 1];
    let len = File::open(path).and_then(|file| fill(&file, &mut beginning)).map_err(|error| Error::io(input.place(), error))?;
    Ok(!is_binary(&beginning[..len]))
}

impl Source {
    fn stdin() -> io::Result<Self> {
        let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let metadata = file.metadata()?;
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        let identity = Some(Identity::of(&metadata)).filter(|_| metadata.is_file());
        Ok(Self { bytes: Bytes::Read(bytes), file: metadata.is_file().then(|| (file, Stamp::of(&metadata))), identity })
    }

    /// The bytes of an open file; `None` if it `is_found`, not named, and binary.
    fn of(file: File, is_found: bool) -> io::Result<Option<Self>> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let identity = Some(Identity::of(&metadata));
        if !metadata.is_file() {
            let mut bytes = Vec::new();
            (&file).read_to_end(&mut bytes)?;
            return Ok(Some(Self { bytes: Bytes::Read(bytes), file: None, identity }));
        }
        let bytes = Bytes::of(&file, metadata.len(), is_found)?;
        Ok(bytes.map(|bytes| Self { bytes, file: Some((file, Stamp::of(&metadata))), identity }))
    }

    /// Fails if the file was changed or cut short since it was opened.
    ///
    /// # Errors
    /// [`What::Changed`], or the system's error if the file can't be looked at.
    pub fn ensure_unchanged(&self, input: &Input) -> Result<()> {
        let Some((file, then)) = &self.file else { return Ok(()) };
        let now = Stamp::of(&file.metadata().map_err(|error| Error::io(input.place(), error))?);
        if then.size == now.size && then.modified == now.modified && self.is_intact() {
            return Ok(());
        }
        Err(Error { place: input.place(), what: What::Changed { spoilt: None } })
    }

    /// Whether every byte was there when it was looked at.
    fn is_intact(&self) -> bool {
        match &self.bytes {
            Bytes::Read(_) => true,
            Bytes::Mapped(mapping) => mapping.is_intact(),
        }
    }

    /// Who may read and write the file, for its clean copy; `None` for what isn't a file. Rights to act as its owner, which a
    /// program may have, are no matter of a text.
    pub fn permissions(&self) -> Option<Permissions> {
        self.file.as_ref().map(|(_, stamp)| Permissions::from_mode(stamp.mode & 0o777))
    }

    /// Which file it is; `None` for standard input that isn't a file.
    pub fn identity(&self) -> Option<Identity> {
        self.identity
    }
}

impl Bytes {
    fn of(file: &File, size: u64, is_found: bool) -> io::Result<Option<Self>> {
        let is_left_out = |bytes: &[u8]| is_found && is_binary(bytes);
        if size >= MAP_FROM
            && let Some(mapping) = Mapping::new(file, size)
        {
            return Ok((!is_left_out(&mapping)).then_some(Bytes::Mapped(mapping)));
        }
        // One byte more than the file has: a read that leaves it free has met the end, and needs no second one to see it.
        let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)? + 1];
        let mut len = 0;
        if is_found && size > PROBE_APART {
            len = fill(file, &mut bytes[..BINARY_PROBE as usize])?;
            if is_binary(&bytes[..len]) {
                return Ok(None);
            }
        }
        len += fill(file, &mut bytes[len..])?;
        let is_longer = len == bytes.len();
        bytes.truncate(len);
        if is_longer {
            // The system doesn't tell the size of some files (in /proc).
            { file }.read_to_end(&mut bytes)?;
        }
        Ok((!is_left_out(&bytes)).then_some(Bytes::Read(bytes)))
    }
}

/// Reads until `buffer`, but for at most its last byte, is full or the file ends; gives the number of bytes read.
fn fill(mut file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    loop {
        match file.read(&mut buffer[len..]) {
            Ok(0) => return Ok(len),
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if len + 1 >= buffer.len() {
            return Ok(len);
        }
    }
}

/// Whether it begins with the byte order mark of UTF-16 (or of little-endian UTF-32).
fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")
}

fn is_binary(bytes: &[u8]) -> bool {
    is_utf16(bytes) || memchr::memchr(0, &bytes[..bytes.len().min(BINARY_PROBE as usize)]).is_some()
}

impl Deref for Source {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Read(bytes) => bytes,
            Bytes::Mapped(mapping) => mapping,
        }
    }
}
