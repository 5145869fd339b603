//! Proving a run once more: that what was cut stands in its witness, that this survives, and that the clean copy is the original
//! less its cuts.

use super::hex;
use super::proof::{Cuts, Proving};
use super::reading::{Part, Record, RecordedFile};
use super::replay::rebuild;
use super::tables;
use super::texts::{Stands, Texts, ensure_len};
use crate::Match;
use crate::document::Span;
use crate::error::{Error, Result, What};
use crate::fingerprint::fingerprint;
use crate::source::{Form, Room, text};
use crate::tidy::{Encoded, decoded};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::HashSet;

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
    /// Why the rest can't be told.
    pub unreadable: Vec<Error>,
    /// How many originals were made of clean copies, since they aren't there.
    pub rebuilt: u64,
    /// How many files stand as their originals, those of a run in place.
    pub originals: u64,
    told: HashSet<String>,
}

impl Verified {
    /// Adds an error; one that many cuts have is told once.
    fn add(&mut self, error: Error) {
        let those = if matches!(error.what, What::Io(_)) { &mut self.unreadable } else { &mut self.disagreements };
        if self.told.insert(error.to_string()) {
            those.push(error);
        }
    }
}

/// Proves a run once more, by the originals, the clean copies and its record. Streams are unpacked to `room`; `each` is told how many
/// files and bytes are proven, as they are.
///
/// # Errors
/// If the record makes no sense, or files aren't there.
pub fn verify(record: &Record, room: &Room, each: impl Fn(u64, u64) + Sync) -> Result<Verified> {
    let texts = Texts::new(record, room);
    texts.ensure_there(true, "")?;
    let Some(how) = record.settings().matching() else {
        return Err(Error::refused(record.path(), "compared paragraphs in a way that this unecho doesn't know"));
    };
    let one = |file| {
        let stands = whole(&texts, file)?;
        let part = |part: &Part| {
            let checked = Checking::new(&texts, file, part).all(how);
            each(u64::from(part.number == 0), part.original.len());
            checked
        };
        // While the file is open: what isn't there as it counts is unpacked once.
        Ok((stands, texts.file(file).parts.par_iter().map(part).collect::<Vec<Result<(Cuts, Vec<Error>)>>>()))
    };
    let mut verified = Verified { files: record.files().len() as u64, ..Verified::default() };
    let files: Vec<Result<(Stands, _)>> = (0..record.files().len()).into_par_iter().map(one).collect();
    for (recorded, came) in record.files().iter().zip(files) {
        verified.bytes += recorded.bytes;
        let parts = match came {
            Ok((stands, parts)) => {
                verified.rebuilt += u64::from(stands == Stands::Clean);
                verified.originals += u64::from(recorded.is_in_place() && stands == Stands::Original);
                parts
            }
            Err(error) => {
                verified.add(error);
                continue;
            }
        };
        for checked in parts {
            match checked {
                Ok((cuts, disagreements)) => {
                    verified.cuts = verified.cuts.and(cuts);
                    disagreements.into_iter().for_each(|error| verified.add(error));
                }
                Err(error) => verified.add(error),
            }
        }
    }
    Ok(verified)
}

/// Whether there is a clean copy that can be held against the original, where that `stands` so.
fn is_seen(recorded: &RecordedFile, stands: Stands) -> bool {
    recorded.clean.is_some() && !(recorded.is_in_place() && stands == Stands::Original)
}

/// Makes sure that a file and its clean copy are as long as they were, and that a table has all of its columns.
fn whole(texts: &Texts, file: usize) -> Result<Stands> {
    let recorded = texts.file(file);
    let stands = texts.stands(file)?;
    let original = || match stands {
        Stands::Original => ensure_len(&recorded.original, texts.original(file)?.len(), recorded.bytes),
        Stands::Clean => Ok(()),
    };
    let clean = || match recorded.clean.as_ref().filter(|_| is_seen(recorded, stands)) {
        Some(clean) => ensure_len(clean, texts.clean(file)?.map_or(0, |copy| copy.len()), recorded.clean_bytes),
        None => Ok(()),
    };
    let (original, clean) = rayon::join(original, clean); // which may have to be unpacked
    original.and(clean)?;
    if recorded.original.form == Form::Parquet && stands == Stands::Original && is_seen(recorded, stands) {
        tables::ensure_same(texts, file)?;
    }
    ensure_encoded(texts, file, stands)?;
    Ok(stands)
}

/// Makes sure that a text is in the encoding that it was decoded from.
fn ensure_encoded(texts: &Texts, file: usize, stands: Stands) -> Result<()> {
    let recorded = texts.file(file);
    let Some(encoded) = recorded.encoded else { return Ok(()) };
    let (mut part, mut rebuilt) = (Vec::new(), Vec::new());
    let original = match stands {
        Stands::Original => Some(texts.original(file)?),
        Stands::Clean => None,
    };
    let all: Cow<[u8]> = match &original {
        Some(original) => original.read(Span { start: 0, end: original.len() })?,
        None => {
            for each in &recorded.parts {
                rebuild(texts, file, each, &mut part)?;
                rebuilt.extend_from_slice(&part);
            }
            (&rebuilt).into()
        }
    };
    let text = &all[text::begins(&all)..];
    let is_it = match decoded(text) {
        Some((is, ..)) => is == encoded || encoded == Encoded::Late,
        None => encoded == Encoded::Late && str::from_utf8(text).is_err(),
    };
    if is_it { Ok(()) } else { Err(Error::refused(recorded.original.place(), "isn't in the encoding that the record tells of")) }
}

/// A part under way.
struct Checking<'t> {
    texts: &'t Texts<'t>,
    file: usize,
    part: &'t Part,
    disagreements: Vec<Error>,
}

impl<'t> Checking<'t> {
    fn new(texts: &'t Texts<'t>, file: usize, part: &'t Part) -> Self {
        Self { texts, file, part, disagreements: Vec::new() }
    }

    fn all(mut self, how: Match) -> Result<(Cuts, Vec<Error>)> {
        let recorded = self.texts.file(self.file);
        let stands = self.texts.stands(self.file)?;
        let copy = if is_seen(recorded, stands) { self.texts.clean(self.file)? } else { None };
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
            None => recorded.clean.is_none().then(Cow::default),
        };
        let is_intact = hex(fingerprint(&original)) == self.part.hash;
        let is_clean = clean.as_ref().is_none_or(|clean| hex(fingerprint(clean)) == self.part.clean_hash);
        let (start, mut from, mut at) = (self.part.original.start, self.part.original.start, 0u64);
        let mut made = xxhash_rust::xxh3::Xxh3::new();
        let mut proving = Proving::new(self.texts, self.file, (&original, start), how);
        self.texts.each_cut(self.file, self.part, |line, cut, _| {
            let stays = Span { start: from - start, end: cut.cut.0 - start };
            at = self.compare_what_stays(stays, at, &original, clean.as_deref(), (is_intact, is_clean));
            made.update(stays.of(&original));
            if let Some(insert) = &cut.insert {
                made.update(&insert.0);
                at += insert.0.len() as u64;
            }
            from = cut.cut.1;
            proving.prove(line, &cut).or_else(|why| self.disagree(why))
        })?;
        proving.end().or_else(|why| self.disagree(why))?;
        let rest = Span { start: from - start, end: original.len() as u64 };
        self.compare_what_stays(rest, at, &original, clean.as_deref(), (is_intact, is_clean));
        made.update(rest.of(&original));
        let Span { start, end } = self.part.original;
        if self.disagreements.is_empty() && !is_intact {
            let why = format!("bytes {start}–{end} aren't what they were");
            self.note(Error::refused(recorded.original.place(), why));
        }
        if self.disagreements.is_empty() && (!is_clean || hex(made.digest128()) != self.part.clean_hash) {
            let place = recorded.clean.as_ref().unwrap_or(&recorded.original).place();
            let Span { start, end } = self.part.clean;
            self.note(Error::refused(place, format!("bytes {start}–{end} aren't what the run left of the original")));
        }
        Ok((proving.cuts, self.disagreements))
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
        self.note(Error::refused(input.place(), format!("byte {byte} isn't what it was{both}")));
        end
    }

    /// Notes why a cut doesn't hold.
    ///
    /// # Errors
    /// That it can't be told.
    fn disagree(&mut self, error: Error) -> Result<()> {
        if matches!(error.what, What::Io(_)) {
            return Err(error);
        }
        self.note(error);
        Ok(())
    }

    fn note(&mut self, disagreement: Error) {
        if self.disagreements.len() < TOLD {
            self.disagreements.push(disagreement);
        }
    }
}
