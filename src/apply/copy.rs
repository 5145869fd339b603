//! How the bytes of a clean copy get into a file.

use super::stretches;
use crate::document::Span;
use crate::source::Packing;
use std::io::{self, IoSlice, Write};

/// What is to be written: a source and what goes of it.
#[derive(Clone, Copy)]
pub(super) struct CleanCopy<'a> {
    pub(super) source: &'a [u8],
    pub(super) cuts: &'a [Span],
    pub(super) packing: Packing,
}

impl CleanCopy<'_> {
    /// Writes it, packed as it is to be.
    pub(super) fn write_to(self, out: impl Write + Send) -> io::Result<()> {
        if self.packing == Packing::Plain {
            return self.write_plain_to(out);
        }
        let mut packer = self.packing.writer(out, usize::MAX)?;
        self.write_plain_to(&mut packer)?;
        packer.finish().map(drop)
    }

    /// Writes it, many stretches in one call and from where they stand in memory.
    pub(super) fn write_plain_to(self, mut out: impl Write) -> io::Result<()> {
        // What the systems take in one call (IOV_MAX).
        const AT_ONCE: usize = 1024;
        let mut stretches = stretches(self.source, self.cuts.iter().copied()).map(IoSlice::new);
        let mut call = Vec::with_capacity(AT_ONCE.min(self.cuts.len() + 1));
        loop {
            call.clear();
            call.extend(stretches.by_ref().take(AT_ONCE));
            if call.is_empty() {
                return Ok(());
            }
            write_all(&mut out, &mut call)?;
        }
    }
}

/// Writes all of some slices; the standard library's own isn't stable yet.
fn write_all(out: &mut impl Write, mut slices: &mut [IoSlice]) -> io::Result<()> {
    while !slices.is_empty() {
        match out.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::without;

    /// Takes a few bytes at a time, as a pipe may, and is interrupted now and then.
    struct Slow(Vec<u8>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(700);
            self.0.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn write_vectored(&mut self, slices: &[IoSlice]) -> io::Result<usize> {
            if self.0.len() % 3 == 1 {
                self.0.push(b'!');
                return Err(io::ErrorKind::Interrupted.into());
            }
            slices.iter().take(3).map(|slice| self.write(slice)).sum()
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_stays_is_written_whatever_a_call_takes() {
        let source: Vec<u8> = (0..300_000u32).map(|at| b'a' + (at * 31 / 7 % 26) as u8).collect();
        let cut = |start: usize, len: usize| Span::new(start, start + len);
        let many: Vec<Span> = (0..2999).map(|at| cut(at * 100 + 3, 1 + at % 97)).collect();
        for cuts in [vec![], many, vec![cut(0, 10), cut(10, 5)], vec![cut(source.len() - 20, 20)], vec![cut(0, source.len())]] {
            let mut out = Slow(Vec::new());
            CleanCopy { source: &source, cuts: &cuts, packing: Packing::Plain }.write_to(&mut out).unwrap();
            out.0.retain(|&byte| byte != b'!');
            assert!(out.0 == without(&source, cuts.iter().copied()), "{} cuts", cuts.len());
        }
    }
}
