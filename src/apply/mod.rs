//! The clean copy: the source less its cuts, and how it comes to stand under its name. The only writer of user data.
//!
//! An output appears whole or not at all: it is written to a temporary file beside its place, the batch is synced once, and
//! then each takes its name. What can't be replaced (a pipe, a device, an open descriptor) is written to as it is.

mod apart;
mod disk;
mod folders;
mod outputs;
mod pending;
mod place;
mod stream;

pub use outputs::{Outputs, Target};
pub use pending::Pending;

use crate::document::Span;
use std::io::{self, BufWriter, Write};

/// Short stretches between cuts are gathered up to this size; longer ones are written as they stand in memory.
const BUFFER: usize = 256 << 10;

/// Writes `source` without `cuts` (in order, without overlap).
///
/// # Errors
/// Those of `out`.
pub fn write_without(source: &[u8], cuts: impl IntoIterator<Item = Span>, out: &mut dyn Write) -> io::Result<()> {
    let mut at = 0;
    for cut in cuts {
        out.write_all(&source[at..cut.start as usize])?;
        at = cut.end as usize;
    }
    out.write_all(&source[at..])
}

/// `source` without `cuts` (in order, without overlap).
pub fn without(source: &[u8], cuts: impl IntoIterator<Item = Span>) -> Vec<u8> {
    let mut out = Vec::with_capacity(source.len());
    write_without(source, cuts, &mut out).expect("memory takes what is written to it");
    out
}

/// What is to be written: a source and what goes of it.
#[derive(Clone, Copy)]
struct CleanCopy<'a> {
    source: &'a [u8],
    cuts: &'a [crate::document::Cut],
}

impl CleanCopy<'_> {
    /// Writes it to a file, in few and large pieces.
    fn write_to(self, file: impl Write) -> io::Result<()> {
        if self.cuts.is_empty() {
            return { file }.write_all(self.source);
        }
        let mut out = BufWriter::with_capacity(BUFFER.min(self.source.len()), file);
        write_without(self.source, self.cuts.iter().map(|cut| cut.at), &mut out)?;
        out.flush()
    }
}
