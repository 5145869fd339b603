//! Proving a run once more: that what was cut stands in its witness, that this survives, and that the clean copy is the original
//! less its cuts.

use super::format::{CutLine, Piece, WitnessOf};
use super::hex;
use super::reading::{Part, Record};
use super::replay::{Cut, each_piece, file_of, rebuild};
use super::similarity::similarity;
use super::texts::{Reader, Stands, Texts};
use crate::Match;
use crate::compare::compared;
use crate::document::Span;
use crate::error::{Error, Result};
use crate::fingerprint::fingerprint;
use crate::source::{Form, Input, Origin};
use rayon::prelude::*;
use std::borrow::Cow;
use std::path::Path;

/// So far may the similarity be from the one that is recorded.
const ROUNDING: f64 = 0.0005;
/// So many disagreements of a part are told.
const TOLD: usize = 10;

/// What came of proving a run once more.
#[derive(Debug, Default)]
pub struct Verified {
    /// The files.
    pub files: u64,
    /// The bytes of their originals.
    pub bytes: u64,
    /// What was cut.
    pub cuts: Cuts,
    /// What is not as the record says, the first of each part; none: all is.
    pub disagreements: Vec<Error>,
    /// Whether originals were made of clean copies, since those took their places.
    pub is_rebuilt: bool,
}

/// How many cuts were proven, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cuts {
    /// By comparing what was cut with its witness.
    pub compared: u64,
    /// By computing their similarity.
    pub similar: u64,
    /// Not: the witness has no place in the record, since its text was no longer in memory when the run compared it by a keyed hash.
    pub hashed: u64,
    /// They have no witness: what goes with a document as a whole, a broken record, the head of one.
    pub without: u64,
}

impl Cuts {
    /// How many there are.
    pub fn total(self) -> u64 {
        self.compared + self.similar + self.hashed + self.without
    }

    fn and(self, other: Self) -> Self {
        Self {
            compared: self.compared + other.compared,
            similar: self.similar + other.similar,
            hashed: self.hashed + other.hashed,
            without: self.without + other.without,
        }
    }
}

/// Proves a run once more, by the originals, the clean copies and its record. Temporary files are in `temporary`.
///
/// # Errors
/// If the record makes no sense, or files can't be read.
pub fn verify(record: &Record, temporary: &Path) -> Result<Verified> {
    let texts = Texts::new(record, temporary);
    texts.ensure_there(true)?;
    let Some(how) = record.matching() else {
        return Err(Error::refused(record.path(), "compared paragraphs in a way that this unecho doesn't know"));
    };
    let mut verified = Verified { files: record.files().len() as u64, ..Verified::default() };
    let mut parts = Vec::new();
    for (file, recorded) in record.files().iter().enumerate() {
        verified.bytes += recorded.bytes;
        match whole(&texts, file) {
            Ok(stands) => verified.is_rebuilt |= stands == Stands::Clean,
            Err(error) => {
                verified.disagreements.push(error);
                continue;
            }
        }
        parts.extend(recorded.parts.iter().map(|part| (file, part)));
    }
    let one = |&(file, part): &(usize, &Part)| Checking::new(&texts, file, part, how).and_then(Checking::all);
    let checked: Vec<Result<(Cuts, Vec<Error>)>> = parts.par_iter().map(one).collect();
    for checked in checked {
        match checked {
            Ok((cuts, mut disagreements)) => {
                verified.cuts = verified.cuts.and(cuts);
                verified.disagreements.append(&mut disagreements);
            }
            Err(error) => verified.disagreements.push(error),
        }
    }
    Ok(verified)
}

/// Makes sure that a file and its clean copy are as long as they were.
fn whole(texts: &Texts, file: usize) -> Result<Stands> {
    let recorded = texts.file(file);
    texts.edits(file)?;
    let stands = texts.stands(file)?;
    let long = |input: &Input, has: u64, had: u64| match has == had {
        true => Ok(()),
        false => Err(Error::refused(input.place(), format!("has {has} bytes, and had {had} when it was recorded"))),
    };
    if stands == Stands::Original {
        long(&recorded.original, texts.original(file)?.len(), recorded.bytes)?;
    }
    if let Some(clean) = recorded.clean.as_ref().filter(|clean| clean.from != Origin::Stdin)
        && !(recorded.is_in_place() && stands == Stands::Original)
    {
        long(clean, texts.clean(file)?.map_or(0, |copy| copy.len()), recorded.clean_bytes)?;
    }
    Ok(stands)
}

/// A part under way.
struct Checking<'t> {
    texts: &'t Texts<'t>,
    file: usize,
    part: &'t Part,
    how: Match,
    reader: Reader<'t>,
    cuts: Cuts,
    disagreements: Vec<Error>,
}

impl<'t> Checking<'t> {
    fn new(texts: &'t Texts<'t>, file: usize, part: &'t Part, how: Match) -> Result<Self> {
        let (reader, cuts, disagreements) = (Reader::new(texts), Cuts::default(), Vec::new());
        Ok(Self { texts, file, part, how, reader, cuts, disagreements })
    }

    fn all(mut self) -> Result<(Cuts, Vec<Error>)> {
        let recorded = self.texts.file(self.file);
        let stands = self.texts.stands(self.file)?;
        let (is_there, copy) = match &recorded.clean {
            Some(clean) if clean.from == Origin::Stdin || (recorded.is_in_place() && stands == Stands::Original) => (false, None),
            _ => (true, self.texts.clean(self.file)?),
        };
        let original = if stands == Stands::Original { Some(self.texts.original(self.file)?) } else { None };
        let mut rebuilt = Vec::new();
        let original: Cow<[u8]> = match &original {
            Some(original) => original.read(self.part.original)?,
            None => {
                rebuild(self.texts, self.file, self.part, &mut rebuilt)?;
                (&rebuilt).into()
            }
        };
        let clean: Option<Cow<[u8]>> = match &copy {
            Some(copy) => Some(copy.read(self.part.clean)?),
            None => is_there.then(Cow::default),
        };
        let is_intact = hex(fingerprint(&original)) == self.part.hash;
        let is_clean = clean.as_ref().is_none_or(|clean| hex(fingerprint(clean)) == self.part.clean_hash);
        let (start, mut from, mut at) = (self.part.original.start, self.part.original.start, 0u64);
        let mut made = xxhash_rust::xxh3::Xxh3::new();
        let record = self.texts.record;
        record.each_cut(self.part, |line, cut| {
            let stays = Span { start: from - start, end: cut.cut.0 - start };
            at = self.compare_what_stays(stays, at, &original, clean.as_deref(), (is_intact, is_clean));
            made.update(stays.of(&original));
            if let Some(insert) = &cut.insert {
                made.update(&insert.0);
                at += insert.0.len() as u64;
            }
            from = cut.cut.1;
            let gone = Span { start: cut.cut.0 - start, end: cut.cut.1 - start };
            match self.prove(line, &cut, gone.of(&original), &original) {
                Ok(None) => Ok(()),
                Ok(Some(why)) => {
                    self.disagree(record.broken(line, &why));
                    Ok(())
                }
                Err(error) => {
                    self.disagree(error);
                    Ok(())
                }
            }
        })?;
        let rest = Span { start: from - start, end: original.len() as u64 };
        self.compare_what_stays(rest, at, &original, clean.as_deref(), (is_intact, is_clean));
        made.update(rest.of(&original));
        let Span { start, end } = self.part.original;
        if self.disagreements.is_empty() && !is_intact {
            let why = format!("bytes {start}–{end} aren't what they were");
            self.disagree(Error::refused(recorded.original.place(), why));
        }
        if self.disagreements.is_empty() && (!is_clean || hex(made.digest128()) != self.part.clean_hash) {
            let place = recorded.clean.as_ref().unwrap_or(&recorded.original).place();
            let Span { start, end } = self.part.clean;
            self.disagree(Error::refused(place, format!("bytes {start}–{end} aren't what the run left of the original")));
        }
        Ok((self.cuts, self.disagreements))
    }

    /// Compares what stays of the original with the clean copy, whose bytes from `at` on it is; where it ends in that.
    fn compare_what_stays(
        &mut self,
        stays: Span,
        at: u64,
        original: &[u8],
        clean: Option<&[u8]>,
        (is_intact, is_clean): (bool, bool),
    ) -> u64 {
        let end = at + stays.len();
        let Some(clean) = clean else { return end };
        let (stays, copied) = (stays, clean.get(at as usize..end as usize).unwrap_or_default());
        let text = stays.of(original);
        if text == copied {
            return end;
        }
        let differs = text.iter().zip(copied).take_while(|(a, b)| a == b).count() as u64;
        let recorded = self.texts.file(self.file);
        let in_original = self.part.original.start + stays.start + differs;
        let in_clean = self.part.clean.start + at + differs;
        let (input, byte) = match (&recorded.clean, is_intact) {
            (Some(copy), true) => (copy, in_clean),
            _ => (&recorded.original, in_original),
        };
        let both = if !is_intact && !is_clean { ", nor is the other text" } else { "" };
        self.disagree(Error::refused(input.place(), format!("byte {byte} isn't what it was{both}")));
        end
    }

    fn disagree(&mut self, error: Error) {
        if self.disagreements.len() < TOLD {
            self.disagreements.push(error);
        }
    }

    /// Proves a cut, which took `gone` from the part that `original` is: nothing, or why it doesn't hold.
    fn prove(&mut self, line: u64, cut: &CutLine, gone: &[u8], original: &[u8]) -> Result<Option<String>> {
        let mut rest = gone;
        let mut is_same = true;
        let mut len = 0;
        let witness_file = cut.witness.as_ref().and_then(|witness| witness.file);
        let ranges = cut.witness.as_ref().map_or(&[][..], |witness| &witness.ranges);
        let recorded = Cut { file: self.file, line, witness_file, ranges, pieces: &cut.pieces };
        each_piece(&mut self.reader, recorded, |piece| {
            is_same &= rest.starts_with(piece);
            rest = rest.get(piece.len()..).unwrap_or_default();
            len += piece.len();
        })?;
        if !is_same || len != gone.len() {
            let (start, end) = (cut.cut.0, cut.cut.1);
            let place = self.texts.file(self.file).original.place();
            return Ok(Some(format!("its pieces aren't what stands at bytes {start}–{end} of {place}")));
        }
        let recorded = self.texts.file(self.file);
        if cut.dropped
            && recorded.original.form == Form::Parquet
            && !cut.record.is_some_and(|row| row > 0 && recorded.lacks(row - 1))
        {
            return Ok(Some("its row went as a whole, and isn't in the record".into()));
        }
        let Some(witness) = &cut.witness else {
            self.cuts.without += 1;
            return Ok(None);
        };
        if witness.ranges.is_empty() {
            self.cuts.hashed += 1;
            return Ok(None);
        }
        let other = file_of(self.texts.record, self.file, line, witness_file)?;
        for &range in &witness.ranges {
            if self.texts.in_clean(other, range.into())?.is_none() || self.texts.file(other).clean.is_none() {
                return Ok(Some("its witness was cut itself".into()));
            }
        }
        if cut.repeat.is_empty() && cut.similarity.is_none() {
            let is_all = |number| cut.pieces.iter().filter(|piece| **piece == Piece::Witness(number)).count() == 1;
            self.cuts.compared += 1;
            return Ok((!(0..witness.ranges.len()).all(is_all)).then(|| "says not what it repeats".into()));
        }
        let Some(repeat) = self.repeat(cut, original) else { return Ok(Some("what it repeats isn't in its part".into())) };
        let staying = self.witness(other, witness)?;
        match cut.similarity {
            Some(recorded) => {
                self.cuts.similar += 1;
                let is = similarity(&repeat, &staying);
                let why = || format!("what it repeats is similar to its witness by {is:.3}, not by {recorded:.3}");
                Ok(((is - recorded).abs() > ROUNDING).then(why))
            }
            None => {
                self.cuts.compared += 1;
                let is_proven = are_alike(&repeat, &staying, self.how);
                Ok((!is_proven).then(|| "what it repeats isn't what its witness says".into()))
            }
        }
    }

    /// What a cut repeats, as it reads.
    fn repeat(&self, cut: &CutLine, original: &[u8]) -> Option<Vec<u8>> {
        let (part, form) = (self.part.original, self.texts.file(self.file).original.form);
        let mut text = Vec::new();
        for span in cut.repeat.iter().map(|&range| Span::from(range)) {
            let within = span.start.checked_sub(part.start)? as usize..span.end.checked_sub(part.start)? as usize;
            append_piece(&mut text, &form.decoded(original.get(within)?));
        }
        Some(text)
    }

    /// What stays, as it reads.
    fn witness(&mut self, file: usize, witness: &WitnessOf) -> Result<Vec<u8>> {
        let form = self.texts.file(file).original.form;
        let mut text = Vec::new();
        for &range in &witness.ranges {
            append_piece(&mut text, &form.decoded(&self.reader.read(file, range.into())?));
        }
        Ok(text)
    }
}

/// Goes on with a piece of a text, on lines of its own.
fn append_piece(text: &mut Vec<u8>, piece: &[u8]) {
    if !text.is_empty() {
        text.push(b'\n');
    }
    text.extend_from_slice(piece);
}

/// Whether two texts are the same in their compared forms. By bytes, their lines are; blank ones don't count.
fn are_alike(a: &[u8], b: &[u8], how: Match) -> bool {
    fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
        let lines = text.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        lines.filter(|line| !line.trim_ascii().is_empty())
    }
    match how {
        _ if a == b => true,
        Match::Bytes => lines(a).eq(lines(b)),
        how => compared(a, how, &mut Vec::new()) == compared(b, how, &mut Vec::new()),
    }
}
