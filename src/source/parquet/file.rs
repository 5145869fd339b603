//! A file that several readers share, and one that is written.

use super::Fault;
use crate::source::at::At;
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::reader::{ChunkReader, Length};
use bytes::Bytes;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::sync::Arc;

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
