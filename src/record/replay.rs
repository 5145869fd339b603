//! A part of an original, made of its clean copy and what is recorded of its cuts.

use super::format::{CutLine, Literal, Piece};
use super::hex;
use super::reading::{Part, Record};
use super::texts::{Reader, Texts};
use crate::document::Span;
use crate::error::{Error, Result};
use crate::fingerprint::fingerprint;

/// The bytes of a part of an original, proven by their hash.
///
/// # Errors
/// If what is needed for it isn't there, or isn't what it was.
pub(super) fn rebuilt(texts: &Texts, file: usize, part: &Part) -> Result<Vec<u8>> {
    let recorded = texts.file(file);
    texts.edits(file)?; // so that its cuts are in order, and leave as much as there is
    let copy = texts.clean(file)?;
    let clean = match &copy {
        Some(copy) => copy.read(part.clean)?,
        None => Default::default(),
    };
    if hex(fingerprint(&clean)) != part.clean_hash {
        let place = recorded.clean.as_ref().unwrap_or(&recorded.original).place();
        let why =
            format!("bytes {}–{} aren't those of the clean copy that the record tells of", part.clean.start, part.clean.end);
        return Err(Error::refused(place, why));
    }
    let mut reader = Reader::new(texts);
    let mut original = Vec::with_capacity(part.original.range().len());
    let (mut from, mut at) = (part.original.start, 0);
    texts.record.each_cut(part, |line, cut| {
        let stays = (cut.cut.0 - from) as usize;
        original.extend_from_slice(&clean[at..at + stays]);
        at += stays + cut.insert.as_ref().map_or(0, |insert| insert.0.len());
        from = cut.cut.1;
        each_piece(texts, &mut reader, file, line, &cut, |piece| {
            original.extend_from_slice(piece);
            Ok(())
        })
    })?;
    original.extend_from_slice(&clean[at..]);
    match hex(fingerprint(&original)) == part.hash {
        true => Ok(original),
        false => {
            let Span { start, end } = part.original;
            let why = format!("what its clean copy and the record give for bytes {start}–{end} isn't what stood there");
            Err(Error::refused(recorded.original.place(), why))
        }
    }
}

/// Gives what was cut, piece by piece.
pub(super) fn each_piece(
    texts: &Texts,
    reader: &mut Reader,
    file: usize,
    line: u64,
    cut: &CutLine,
    mut each: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    for piece in &cut.pieces {
        match piece {
            Piece::Literal(Literal(bytes)) => each(bytes)?,
            Piece::Witness(place) => each(&reader.read(witness_file(texts.record, file, line, cut)?, (*place).into())?)?,
        }
    }
    Ok(())
}

/// The file that the witness of a cut stands in.
pub(super) fn witness_file(record: &Record, file: usize, line: u64, cut: &CutLine) -> Result<usize> {
    match cut.witness.as_ref().map(|witness| witness.file) {
        Some(None) => Ok(file),
        Some(Some(number)) => {
            record.file(number).ok_or_else(|| record.broken(line, &"names a witness in a file that isn't in it"))
        }
        None => Err(record.broken(line, &"names bytes of a witness that it hasn't")),
    }
}
