//! How the bytes of a clean copy get into a file.

use super::write_without;
use crate::document::{Cut, Span};
use rayon::prelude::*;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;

/// Short stretches between cuts are gathered up to this size; longer ones are written as they stand in memory.
const BUFFER: usize = 256 << 10;
/// A larger copy is written by all threads, so much of its source at a time.
const PIECE: usize = 4 << 20;

/// What is to be written: a source and what goes of it.
#[derive(Clone, Copy)]
pub(super) struct CleanCopy<'a> {
    pub(super) source: &'a [u8],
    pub(super) cuts: &'a [Cut],
}

impl<'a> CleanCopy<'a> {
    /// Writes it from front to back, in few and large calls.
    pub(super) fn write_to(self, mut out: impl Write) -> io::Result<()> {
        if self.cuts.is_empty() {
            return out.write_all(self.source);
        }
        let mut out = BufWriter::with_capacity(BUFFER.min(self.source.len()), out);
        write_without(self.source, self.cuts.iter().map(|cut| cut.at), &mut out)?;
        out.flush()
    }

    /// Fills a new file with it.
    pub(super) fn fill(self, file: &File) -> io::Result<()> {
        if self.source.len() <= PIECE {
            return self.write_to(file);
        }
        self.pieces().into_par_iter().try_for_each(|piece| piece.write_to(file))
    }

    /// Divides it outside of cuts.
    fn pieces(self) -> Vec<Piece<'a>> {
        let mut pieces = Vec::new();
        let (mut start, mut to, mut cuts) = (0, 0, self.cuts);
        while start < self.source.len() {
            let target = (start + PIECE).min(self.source.len());
            let (inside, behind) = cuts.split_at(cuts.partition_point(|cut| cut.at.start < target as u64));
            let end = inside.last().map_or(target, |cut| target.max(cut.at.end as usize));
            let removed: u64 = inside.iter().map(|cut| cut.at.len()).sum();
            pieces.push(Piece { source: &self.source[start..end], start: start as u64, cuts: inside, to });
            to += (end - start) as u64 - removed;
            (start, cuts) = (end, behind);
        }
        pieces
    }
}

/// A part of a copy, and where it goes.
struct Piece<'a> {
    source: &'a [u8],
    /// Where it begins in the whole source.
    start: u64,
    cuts: &'a [Cut],
    to: u64,
}

impl Piece<'_> {
    fn write_to(&self, file: &File) -> io::Result<()> {
        let cuts = self.cuts.iter().map(|cut| Span { start: cut.at.start - self.start, end: cut.at.end - self.start });
        let mut out = BufWriter::with_capacity(BUFFER, From { file, at: self.to });
        write_without(self.source, cuts, &mut out)?;
        out.flush()
    }
}

/// A file from some byte on.
struct From<'a> {
    file: &'a File,
    at: u64,
}

impl Write for From<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(bytes, self.at)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::without;

    #[test]
    fn pieces_put_together_are_the_whole() {
        let source: Vec<u8> = (0..3 * PIECE + 12_345).map(|at| (at * 31 / 7) as u8).collect();
        let cut = |start: usize, len: usize| Cut { at: Span::new(start, start + len), block: 0 };
        let many: Vec<Cut> = (0..source.len() / 1000 - 1).map(|at| cut(at * 1000 + 3, 1 + at % 900)).collect();
        let across = vec![cut(0, 10), cut(PIECE - 5, 10), cut(2 * PIECE - 5, PIECE + 100)];
        let last = vec![cut(source.len() - 20, 20)];
        for cuts in [vec![], many, across, last] {
            let file = tempfile::tempfile().unwrap();
            CleanCopy { source: &source, cuts: &cuts }.fill(&file).unwrap();
            let mut written = vec![0; file.metadata().unwrap().len() as usize];
            file.read_exact_at(&mut written, 0).unwrap();
            assert!(written == without(&source, cuts.iter().map(|cut| cut.at)), "{} cuts", cuts.len());
        }
    }
}
