//! An output that grows on the thread that has it: a record, or an original that is restored.

use super::pending::{Berth, KEPT_OPEN, Pending};
use crate::error::{Error, Place, Result};
use crate::source::{Packer, Packing};
use std::fs::{File, Permissions};
use std::io::{self, Write};
use tempfile::NamedTempFile;

/// An output that grows. Dropping it before it is finished removes it, unless it is a stream.
#[must_use]
pub struct Draft {
    to: Packer<File>,
    place: Place,
    /// How many bytes went to it, unpacked.
    bytes: usize,
    /// The file it is before it has its name.
    named: Option<(Berth, NamedTempFile)>,
}

impl Draft {
    pub(super) fn to_stream(file: File, place: Place, packing: Packing) -> Result<Self> {
        Self::start(file, place, packing, None)
    }

    pub(super) fn to_file(berth: Berth, permissions: Option<Permissions>, packing: Packing) -> Result<Self> {
        let place = Place::from(&berth.given);
        let named = berth.open(permissions)?;
        let file = named.as_file().try_clone().map_err(|error| Error::io(place.clone(), error))?;
        Self::start(file, place, packing, Some((berth, named)))
    }

    fn start(file: File, place: Place, packing: Packing, named: Option<(Berth, NamedTempFile)>) -> Result<Self> {
        let to = packing.writer(file, usize::MAX).map_err(|error| Error::io(place.clone(), error))?;
        Ok(Self { to, place, bytes: 0, named })
    }

    /// Goes on with these bytes, which are packed by the pool it is called in.
    ///
    /// # Errors
    /// If they can't be written.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len();
        self.to.write_all(bytes).map_err(|error| Error::io(self.place.clone(), error))
    }

    /// What follows can be unpacked without what precedes.
    pub(crate) fn end_member(&mut self) {
        self.to.end_member();
    }

    /// Where it goes.
    #[cfg(feature = "parquet")]
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Ends it; what goes to a file waits for its name.
    ///
    /// # Errors
    /// If the rest of it can't be written.
    pub fn finish(self) -> Result<Option<Pending>> {
        self.to.finish().map_err(|error| Error::io(self.place, error))?;
        self.named.map(|(berth, file)| Pending::of(berth, file, self.bytes >= KEPT_OPEN)).transpose()
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.bytes += written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
