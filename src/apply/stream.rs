//! Outputs that are open already: standard output and what "/dev/fd/N" names. They are written to where they stand; opening
//! such a path anew would begin at the file's first byte, over what others wrote. Standard output that was closed (`>&-`) is
//! /dev/null by the time `main` runs, as in every Rust program; what goes there is lost without an error.
#![allow(unsafe_code)]

use super::copy::CleanCopy;
use crate::error::{Error, Place, Result};
use crate::source::{Identity, Input, Source};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

/// An output that isn't replaced but written to.
pub(super) struct Stream {
    from: Origin,
    place: Place,
}

enum Origin {
    Open(File),
    /// A pipe or device, which is opened when there is something to write: opening a pipe waits for its reader.
    Named(PathBuf),
}

impl Stream {
    pub(super) fn stdout() -> Result<Self> {
        let copy = io::stdout().as_fd().try_clone_to_owned();
        Self::of(copy, Place::Stdout)
    }

    /// The open descriptor `number`, which the path `given` names.
    pub(super) fn descriptor(number: RawFd, given: &Path) -> Result<Self> {
        if number == 1 {
            return Self::stdout();
        }
        if number < 0 {
            return Err(Error::io(given, io::Error::from_raw_os_error(libc::EBADF)));
        }
        // SAFETY: it is borrowed for this one call, which fails if the number isn't open; what others do with the descriptor
        // they passed is their business, as with standard output.
        let copy = unsafe { BorrowedFd::borrow_raw(number) }.try_clone_to_owned();
        Self::of(copy, given.into())
    }

    fn of(descriptor: io::Result<OwnedFd>, place: Place) -> Result<Self> {
        match descriptor {
            Ok(descriptor) => Ok(Self { from: Origin::Open(descriptor.into()), place }),
            Err(error) => Err(Error::io(place, error)),
        }
    }

    /// The pipe or device at a path.
    pub(super) fn special(real: PathBuf, given: &Path) -> Self {
        Self { from: Origin::Named(real), place: given.into() }
    }

    /// Which regular file it is, if any.
    pub(super) fn identity(&self) -> Option<Identity> {
        match &self.from {
            Origin::Open(file) => Identity::of_regular(file),
            Origin::Named(_) => None,
        }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether both write to the same open descriptor.
    pub(super) fn is_same(&self, other: &Stream) -> bool {
        matches!((&self.from, &other.from), (Origin::Open(_), Origin::Open(_))) && self.place == other.place
    }

    pub(super) fn is_stdout(&self) -> bool {
        self.place == Place::Stdout
    }

    /// The stream itself, for the clean copy of a source that comes in stretches.
    pub(super) fn begin(&self, input: &Input, source: &Source) -> Result<File> {
        self.refuse(input, source)?;
        self.open()
    }

    /// The stream itself.
    pub(super) fn open(&self) -> Result<File> {
        let opened = match &self.from {
            Origin::Open(file) => file.try_clone(),
            Origin::Named(path) => OpenOptions::new().write(true).open(path),
        };
        opened.map_err(|error| Error::io(self.place.clone(), error))
    }

    fn refuse(&self, input: &Input, source: &Source) -> Result<()> {
        if self.identity().is_some_and(|output| source.identity() == Some(output)) {
            let why = format!("is where {} goes as well; inputs are never written to", self.place);
            return Err(Error::refused(input.place(), why));
        }
        Ok(())
    }

    /// Writes the clean copy of a source.
    pub(super) fn write(&self, input: &Input, source: &Source, copy: CleanCopy) -> Result<()> {
        self.refuse(input, source)?;
        source.ensure_unchanged()?; // what is known to be spoilt isn't begun
        let written = self.put(copy);
        self.ensure_unspoilt(source)?;
        written
    }

    /// Makes sure that an input is still what it was when its clean copy was written.
    pub(super) fn ensure_unspoilt(&self, source: &Source) -> Result<()> {
        source.ensure_unchanged().map_err(|changed| changed.spoiling(self.place.clone()))
    }

    pub(super) fn put(&self, copy: CleanCopy) -> Result<()> {
        let written = match &self.from {
            Origin::Open(file) => copy.write_to(file),
            Origin::Named(path) => OpenOptions::new().write(true).open(path).and_then(|file| copy.write_to(file)),
        };
        written.map_err(|error| Error::io(self.place.clone(), error))
    }
}
