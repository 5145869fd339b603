//! A part of an original, made of its clean copy and what is recorded of its cuts.

use super::format::{CutLine, Literal, Piece, WitnessOf};
use super::hex;
use super::quick::Edited;
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
    let copy = texts.clean(file)?;
    let clean = match &copy {
        Some(copy) => copy.read(part.clean)?,
        None => Default::default(),
    };
    if clean.len() as u64 != part.clean.len() {
        return Err(Error::refused(recorded.original.place(), "has no clean copy by the record, which tells of bytes in one"));
    }
    let mut reader = Reader::new(texts);
    original.clear();
    let room = original.try_reserve(part.original.range().len());
    room.map_err(|_| Error::refused(recorded.original.place(), "has a part by the record that is larger than memory"))?;
    let mut at = 0;
    texts.each_cut(file, part, |line, cut, in_clean| {
        let stays = Span { start: at, end: in_clean - part.clean.start };
        original.extend_from_slice(stays.of(&clean));
        at = stays.end + Edited::of(&cut).inserted;
        each_piece(&mut reader, file, line, &cut, |_, piece| {
            let room = original.capacity() - original.len(); // a record that says more than goes there doesn't get more memory
            original.extend_from_slice(&piece[..piece.len().min(room)]);
        })
    })?;
    original.extend_from_slice(&clean[at as usize..]);
    if original.len() as u64 == part.original.len() && hex(fingerprint(original)) == part.hash {
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

/// Gives what was cut of a file, piece by piece.
pub(super) fn each_piece(
    reader: &mut Reader,
    file: usize,
    line: u64,
    cut: &CutLine,
    mut each: impl FnMut(&Piece, &[u8]),
) -> Result<()> {
    for piece in &cut.pieces {
        match piece {
            Piece::Literal(Literal(bytes)) => each(piece, bytes),
            Piece::Witness(number) => {
                let record = reader.record();
                let witness = cut.witness.as_ref().and_then(|witness| Some((witness, *witness.ranges.get(*number)?)));
                let missing = || record.broken(line, &"names a range of its witness that isn't there");
                let (witness, range) = witness.ok_or_else(missing)?;
                each(piece, &reader.read(file_of(record, file, line, witness)?, range.into())?);
            }
        }
    }
    Ok(())
}

/// The file that the witness of a cut of a file stands in.
pub(super) fn file_of(record: &Record, file: usize, line: u64, witness: &WitnessOf) -> Result<usize> {
    let Some(number) = witness.file else { return Ok(file) };
    record.file(number).ok_or_else(|| record.broken(line, &"names a witness in a file that isn't in it"))
}
