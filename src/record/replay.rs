//! A part of an original, made of its clean copy and what is recorded of its cuts.

use super::format::{Literal, Piece, Place};
use super::hex;
use super::reading::{Part, Record};
use super::texts::{Reader, Texts};
use crate::document::Span;
use crate::error::{Error, Result};
use crate::fingerprint::fingerprint;

/// Makes the bytes of a part of an original, proven by their hash.
///
/// # Errors
/// If what is needed for it isn't there, or isn't what it was.
pub(super) fn rebuild(texts: &Texts, file: usize, part: &Part, original: &mut Vec<u8>) -> Result<()> {
    let recorded = texts.file(file);
    texts.edits(file)?; // so that its cuts are in order, and leave as much as there is
    let copy = texts.clean(file)?;
    let clean = match &copy {
        Some(copy) => copy.read(part.clean)?,
        None => Default::default(),
    };
    let mut reader = Reader::new(texts);
    original.clear();
    original.reserve(part.original.range().len());
    let (mut from, mut at) = (part.original.start, 0);
    texts.record.each_replay(part, |line, cut| {
        let stays = (cut.cut.0 - from) as usize;
        original.extend_from_slice(&clean[at..at + stays]);
        at += stays + cut.insert.as_ref().map_or(0, |insert| insert.0.len());
        from = cut.cut.1;
        each_piece(&mut reader, Cut { file, line, witness_file: cut.file, ranges: &cut.ranges, pieces: &cut.pieces }, |piece| {
            original.extend_from_slice(piece);
        })
    })?;
    original.extend_from_slice(&clean[at..]);
    if hex(fingerprint(original)) == part.hash {
        return Ok(());
    }
    let (place, Span { start, end }, why) = match hex(fingerprint(&clean)) == part.clean_hash {
        true => (recorded.original.place(), part.original, "aren't what its clean copy and the record give"),
        false => {
            let copy = recorded.clean.as_ref().unwrap_or(&recorded.original);
            (copy.place(), part.clean, "aren't those of the clean copy that the record tells of")
        }
    };
    Err(Error::refused(place, format!("bytes {start}–{end} {why}")))
}

/// What is recorded of a cut.
pub(super) struct Cut<'c> {
    /// The file that it is of.
    pub(super) file: usize,
    /// Its line in the record.
    pub(super) line: u64,
    /// The number of the file of its witness, if that is another one.
    pub(super) witness_file: Option<u32>,
    pub(super) ranges: &'c [Place],
    pub(super) pieces: &'c [Piece<'c>],
}

/// Gives what was cut, piece by piece.
pub(super) fn each_piece(reader: &mut Reader, cut: Cut, mut each: impl FnMut(&[u8])) -> Result<()> {
    for piece in cut.pieces {
        match piece {
            Piece::Literal(Literal(bytes)) => each(bytes),
            Piece::Witness(number) => {
                let record = reader.record();
                let missing = || record.broken(cut.line, &"names a range of its witness that isn't there");
                let range = *cut.ranges.get(*number).ok_or_else(missing)?;
                each(&reader.read(file_of(record, cut.file, cut.line, cut.witness_file)?, range.into())?);
            }
        }
    }
    Ok(())
}

/// The file that the witness of a cut stands in; `number`: another one.
pub(super) fn file_of(record: &Record, file: usize, line: u64, number: Option<u32>) -> Result<usize> {
    let Some(number) = number else { return Ok(file) };
    record.file(number).ok_or_else(|| record.broken(line, &"names a witness in a file that isn't in it"))
}
