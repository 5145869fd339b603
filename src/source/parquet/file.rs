//! A file that several readers share, one that is written, and column chunks on their way to it.

use super::Fault;
use crate::scratch::in_folder;
use crate::source::at::At;
use ::parquet::column::writer::ColumnCloseResult;
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::reader::{ChunkReader, Length};
use ::parquet::file::writer::SerializedRowGroupWriter;
use bytes::Bytes;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::{SpooledData, SpooledTempFile, spooled_tempfile_in};

/// A file that is read at any place. The library's own readers of files move the one position that all handles share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    file: Arc<File>,
    len: u64,
}

impl Shared {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), len })
    }
}

impl Length for Shared {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Shared {
    type T = BufReader<At<Arc<File>>>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::new(At { file: self.file.clone(), next: start }))
    }

    /// Refuses what lies beyond the end before there is memory for it: lengths come from the file.
    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.len) {
            return Err(ParquetError::EOF(format!("{length} bytes should stand at byte {start}, behind the end of the file")));
        }
        let mut bytes = Vec::with_capacity(length);
        At { file: self.file.clone(), next: start }.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF("the file was cut short while it was read".into()));
        }
        Ok(bytes.into())
    }
}

/// What is written to, and what went wrong with it: the library's errors don't tell reading from writing.
pub(super) struct Out<W> {
    /// It is there until the end.
    to: Option<W>,
    fault: Option<io::Error>,
}

impl<W: Write> Out<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to: Some(to), fault: None }
    }

    /// What went wrong with it, if anything did.
    pub(super) fn fault(&mut self) -> Option<Fault> {
        self.fault.take().map(Fault::Write)
    }

    /// What was written to, once all is written.
    pub(super) fn take(&mut self) -> W {
        self.to.take().expect("it is taken once, at the end")
    }

    fn noting<T>(&mut self, work: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        let result = self.to.as_mut().map_or_else(|| Err(io::ErrorKind::BrokenPipe.into()), work);
        result.map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.fault = Some(error);
            }
            kind.into()
        })
    }
}

impl<W: Write> Write for Out<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.noting(|to| to.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        // The library lets go of what is written to with what it holds back; by then the writer may be gone.
        if self.to.is_none() { Ok(()) } else { self.noting(|to| to.flush()) }
    }
}

/// Where a column chunk is until its turn comes.
#[derive(Clone, Debug)]
pub struct Spool {
    /// So many bytes of it may be in memory.
    pub held: usize,
    /// One that is longer goes to a file without a name in this folder.
    pub folder: PathBuf,
}

/// An encoded column chunk.
pub(super) struct Chunk {
    bytes: SpooledTempFile,
    folder: PathBuf,
}

impl Spool {
    /// A chunk that is still to be written.
    pub(super) fn chunk(&self) -> Chunk {
        Chunk { bytes: spooled_tempfile_in(self.held, &self.folder), folder: self.folder.clone() }
    }
}

impl Chunk {
    /// Appends it to a row group.
    pub(super) fn append_to<W: Write + Send>(
        self,
        group: &mut SerializedRowGroupWriter<W>,
        close: ColumnCloseResult,
    ) -> Result<()> {
        let file = match self.bytes.into_inner() {
            SpooledData::InMemory(bytes) => return group.append_column(&Bytes::from(bytes.into_inner()), close),
            SpooledData::OnDisk(file) => Shared::new(file),
        };
        group.append_column(&file.map_err(|error| Spooling::error(&self.folder, &error))?, close)
    }
}

impl Write for Chunk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.write(bytes).map_err(|error| Spooling::error(&self.folder, &error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.bytes.flush()
    }
}

/// What the system says of such a file: the output, whose error it becomes, is in another place.
#[derive(Debug)]
pub(super) struct Spooling(String);

impl Spooling {
    fn error(folder: &Path, error: &io::Error) -> io::Error {
        io::Error::other(Self(in_folder(folder, error).to_string()))
    }
}

impl fmt::Display for Spooling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Spooling {}
