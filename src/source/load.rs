//! The bytes of an input: read whole, or, where a file is large, mapped; and whether they are still what they were.

use super::{Input, Origin};
use crate::error::{Error, Result, What};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::ops::Deref;
use std::time::SystemTime;

/// From this size on a file is mapped: it saves a copy and the memory for it. Smaller ones are read faster than mapped.
#[cfg(unix)]
const MAP_FROM: u64 = 1 << 20;
/// A found file with a NUL in so many first bytes is binary (git's measure).
const BINARY_PROBE: usize = 8 << 10;

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
    file: Option<(File, Stamp)>,
}

enum Bytes {
    Read(Vec<u8>),
    #[cfg(unix)]
    Mapped(super::mapping::Mapping),
}

/// What a file that is left alone keeps.
#[derive(PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { size: metadata.len(), modified: metadata.modified().ok() }
    }
}

/// Opens and reads an input.
///
/// # Errors
/// If it can't be opened or read.
pub fn load(input: &Input) -> Result<Loaded> {
    let failed = |error| Error::io(input.path(), error);
    let source = match &input.from {
        Origin::Stdin => {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
            Source { bytes: Bytes::Read(bytes), file: None }
        }
        Origin::Named(path) | Origin::Walked(path) => Source::open(File::open(path).map_err(failed)?).map_err(failed)?,
    };
    let probe = &source[..source.len().min(BINARY_PROBE)];
    if matches!(input.from, Origin::Walked(_)) && memchr::memchr(0, probe).is_some() {
        return Ok(Loaded::Binary);
    }
    Ok(Loaded::Source(source))
}

impl Source {
    fn open(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !metadata.is_file() {
            let mut bytes = Vec::new();
            (&file).read_to_end(&mut bytes)?;
            return Ok(Self { bytes: Bytes::Read(bytes), file: None });
        }
        let bytes = Bytes::of(&file, metadata.len())?;
        Ok(Self { bytes, file: Some((file, Stamp::of(&metadata))) })
    }

    /// Fails if the file was changed or cut short since it was opened.
    ///
    /// # Errors
    /// [`What::Changed`], or the system's error if the file can't be looked at.
    pub fn ensure_unchanged(&self, input: &Input) -> Result<()> {
        let Some((file, stamp)) = &self.file else { return Ok(()) };
        let now = file.metadata().map_err(|error| Error::io(input.path(), error))?;
        if *stamp == Stamp::of(&now) && self.is_intact() {
            return Ok(());
        }
        Err(Error { path: input.path().into(), what: What::Changed })
    }

    /// Whether every byte was there when it was looked at.
    fn is_intact(&self) -> bool {
        match &self.bytes {
            Bytes::Read(_) => true,
            #[cfg(unix)]
            Bytes::Mapped(mapping) => mapping.is_intact(),
        }
    }

    /// The file's permissions, for its clean copy; `None` for what isn't a file.
    pub fn permissions(&self) -> Option<std::fs::Permissions> {
        self.file.as_ref().and_then(|(file, _)| file.metadata().ok()).map(|metadata| metadata.permissions())
    }
}

impl Bytes {
    fn of(file: &File, size: u64) -> io::Result<Self> {
        #[cfg(unix)]
        if size >= MAP_FROM
            && let Some(mapping) = super::mapping::Mapping::new(file)
        {
            return Ok(Bytes::Mapped(mapping));
        }
        // One byte more than the file has, so that its end is seen without growing.
        let mut bytes = Vec::with_capacity(usize::try_from(size).map_err(io::Error::other)? + 1);
        file.take(u64::MAX).read_to_end(&mut bytes)?;
        Ok(Bytes::Read(bytes))
    }
}

impl Deref for Source {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Read(bytes) => bytes,
            #[cfg(unix)]
            Bytes::Mapped(mapping) => mapping,
        }
    }
}
