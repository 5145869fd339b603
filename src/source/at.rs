//! Reading a file from a place on.

use std::borrow::Borrow;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// A file that is read at a place of its own, whoever else reads it.
#[derive(Debug)]
pub(super) struct At<F> {
    pub(super) file: F,
    pub(super) next: u64,
}

impl<F: Borrow<File>> Read for At<F> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.borrow().read_at(bytes, self.next)?;
        self.next += read as u64;
        Ok(read)
    }
}
