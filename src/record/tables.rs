//! Tables: the rows that went as a whole, which a record holds, and originals that are made of those and of the clean copy.

use super::format::CutLine;
use super::format::{Literal, RowsLine};
use super::hex;
use super::reading::{Gone, Part};
use super::replay::rebuild;
use super::texts::Texts;
use crate::apply::{Draft, Outputs};
use crate::document::Span;
use crate::error::{Error, Place, Result, count};
use crate::fingerprint::fingerprint;
use crate::runner::Portion;
use crate::scratch::{in_folder, nameless};
use crate::source::parquet::{self, Apart, Extracts, Fault, Spool, Weaver, difference};
use crate::source::{AtHand, Form, Input};
use bytes::Bytes;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// A table whose rows are read again when it ends.
pub(super) struct Table {
    input: Input,
    rows: Extracts,
}

impl Table {
    /// That of a portion, if it is one of a table.
    pub(super) fn of(portion: &Portion, outputs: &Outputs) -> Result<Option<Self>> {
        if portion.input.form != Form::Parquet {
            return Ok(None);
        }
        let input = portion.input.clone();
        let file = portion.source.file();
        let rows = file.and_then(|file| Ok(Extracts::open(file, outputs.fields(), outputs.spool())?));
        rows.map(|rows| Some(Self { rows, input: input.clone() })).map_err(|error| Error::io(input.place(), error))
    }

    pub(super) fn row_groups(&self) -> Vec<u64> {
        self.rows.row_groups()
    }

    /// Gives the lines that hold these rows.
    pub(super) fn each_line(&mut self, mut rows: &[u64], mut each: impl FnMut(RowsLine) -> Result<()>) -> Result<()> {
        while !rows.is_empty() {
            let taken = self.rows.next(rows);
            let (count, parquet) = taken.map_err(|fault| Error::io(self.input.place(), fault.into()))?;
            let (these, rest) = rows.split_at(count);
            let sum = hex(fingerprint(&parquet));
            each(RowsLine { rows: these.into(), parquet: Literal(parquet.into()), sum })?;
            rows = rest;
        }
        Ok(())
    }
}

/// Makes sure that a clean copy has all that its table has, but for texts and the rows that went.
///
/// # Errors
/// If it hasn't, or one of them can't be read.
pub(super) fn ensure_same(texts: &Texts, file: usize) -> Result<()> {
    let recorded = texts.file(file);
    let (original, Some(copy)) = (texts.original(file)?, texts.clean(file)?) else { return Ok(()) };
    let place = recorded.clean.as_ref().unwrap_or(&recorded.original).place();
    let failed = |fault: Fault| Error::io(place.clone(), fault.into());
    texts.ensure_copy(file)?;
    ensure_same_rows(texts, file, &original, &copy)?;
    let tables = original.table().and_then(|original| Ok((original, copy.table()?)));
    let (original, copy) = tables.map_err(|error| failed(Fault::Read(error)))?;
    match difference(original, copy, &texts.fields, |row| recorded.lacks(row)).map_err(failed)? {
        None => Ok(()),
        Some((what, group)) => Err(Error::refused(
            place.clone(),
            format!("row group {}: {what} isn't what it is in the original", count(group as u64)),
        )),
    }
}

/// Makes sure that each row has the text that its clean copy and its cuts say, as far as that can be told by its length.
fn ensure_same_rows(texts: &Texts, file: usize, original: &AtHand, copy: &AtHand) -> Result<()> {
    let recorded = texts.file(file);
    let mut cuts: Vec<(u64, i64)> = Vec::new();
    for part in &recorded.parts {
        texts.record.each_cut(part, |_, cut| {
            cuts.push((cut.record.map_or(u64::MAX, |number| number.wrapping_sub(1)), shortening(&cut)));
            Ok(())
        })?;
    }
    let rows = |table: &AtHand, place: Place| {
        let texts = table.table().map_err(Fault::Read).and_then(|table| parquet::Texts::open(table, &texts.fields));
        let texts = texts.map_err(|fault| Error::io(place.clone(), fault.into()))?;
        Ok::<_, Error>(Lengths { texts, place, values: None, next: 0 })
    };
    let mut before = rows(original, recorded.original.place())?;
    let mut after = rows(copy, recorded.clean.as_ref().unwrap_or(&recorded.original).place())?;
    let mut cuts = cuts.into_iter().peekable();
    let differs = |row: u64| {
        let why = format!("row {} isn't what its clean copy and the record say", count(row + 1));
        Err(Error::refused(recorded.original.place(), why))
    };
    for row in 0.. {
        let mut gone = 0i64;
        while let Some((_, len)) = cuts.next_if(|(of, _)| *of == row) {
            gone = gone.saturating_add(len);
        }
        let Some((is_null, len)) = before.next()? else {
            return if after.next()?.is_none() && cuts.next().is_none() { Ok(()) } else { differs(row) };
        };
        let stays = if recorded.lacks(row) { Some((false, 0)) } else { after.next()? };
        if stays.is_none_or(|(was_null, stays)| is_null != was_null || len != stays.saturating_add_signed(gone)) {
            return differs(row);
        }
    }
    Ok(())
}

/// By how many bytes a cut makes a text shorter.
fn shortening(cut: &CutLine) -> i64 {
    Span::from(cut.cut).len() as i64 - cut.insert.as_ref().map_or(0, |put| put.0.len() as i64)
}

/// The lengths of the texts of a table, row by row.
struct Lengths {
    texts: parquet::Texts,
    place: Place,
    values: Option<parquet::Values>,
    next: usize,
}

impl Lengths {
    /// Whether the next row has no text, and the length of that.
    fn next(&mut self) -> Result<Option<(bool, u64)>> {
        if self.values.as_ref().is_none_or(|values| values.len() == self.next) {
            self.values = self.texts.next(AT_ONCE).map_err(|fault| Error::io(self.place.clone(), fault.into()))?;
            self.next = 0;
        }
        let row = self.values.as_ref().map(|values| (values.is_null(self.next), values.span(self.next).len()));
        self.next += 1;
        Ok(row)
    }
}

/// So many bytes of a column may be in memory.
const HELD: usize = 16 << 20;
/// So many bytes are written at once.
const AT_ONCE: usize = 1 << 20;

/// Why a table can't be restored.
enum Failed {
    Table(Fault),
    Other(Error),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Failed::Table(fault)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed::Other(error)
    }
}

/// Writes the original of a table to `draft`.
///
/// # Errors
/// If it can't be made of its clean copy and the record, or can't be written.
pub(super) fn restored(texts: &Texts, file: usize, draft: Draft) -> Result<Draft> {
    let place = draft.place().clone();
    woven(texts, file, draft).map_err(|failed| match failed {
        Failed::Other(error) => error,
        Failed::Table(Fault::Write(error)) => Error::io(place, error),
        Failed::Table(fault) => {
            let recorded = texts.file(file);
            Error::io(recorded.clean.as_ref().unwrap_or(&recorded.original).place(), fault.into())
        }
    })
}

fn woven(texts: &Texts, file: usize, draft: Draft) -> std::result::Result<Draft, Failed> {
    let recorded = texts.file(file);
    texts.ensure_copy(file)?;
    let refused = |why: &str| Error::refused(recorded.original.place(), why);
    let copy = texts.clean(file)?.ok_or_else(|| refused("is a table, and the record names no clean copy of it"))?;
    let groups = recorded.row_groups.as_ref().ok_or_else(|| refused("is a table, and the record names no row groups"))?;
    let spool = Spool { held: HELD, folder: texts.room.folder.clone() };
    let to = BufWriter::with_capacity(AT_ONCE, draft);
    let mut weaver = Weaver::new(copy.table().map_err(Fault::Read)?, &texts.fields, spool, to)?;
    let mut original = Original::new(texts, file);
    let (mut first, mut gone) = (0u64, &recorded.gone[..]);
    for &rows in groups {
        let end = first.saturating_add(rows);
        let (these, rest) = gone.split_at(gone.partition_point(|gone| gone.rows[0] < end));
        let apart = these.iter().map(|gone| apart(texts, gone, first)).collect::<Result<Vec<_>>>()?;
        weaver.group(rows, &apart, |row, stayed| original.text(first + row, stayed).map_err(Failed::Other))?;
        (first, gone) = (end, rest);
    }
    original.ends()?;
    Ok(weaver.finish()?.into_inner().map_err(|error| Fault::Write(error.into_error()))?)
}

/// Rows that went, of a row group whose first row is `first`.
fn apart(texts: &Texts, gone: &Gone, first: u64) -> Result<Apart> {
    let parquet = texts.record.table_of(gone)?;
    let table = file_of(&parquet, &texts.room.folder).map_err(Fault::Read);
    let rows = gone.rows.iter().map(|row| row - first).collect();
    let apart = table.and_then(|file| Apart::open(file, &texts.fields, rows));
    apart.map_err(|fault| texts.record.broken(gone.number, &fault))
}

fn file_of(bytes: &[u8], folder: &Path) -> io::Result<File> {
    let mut file = nameless(folder)?;
    file.write_all(bytes).map_err(|error| in_folder(folder, &error))?;
    Ok(file)
}

/// The texts of an original, row by row.
struct Original<'t> {
    texts: &'t Texts<'t>,
    file: usize,
    parts: std::slice::Iter<'t, Part>,
    /// What is left of the part under way, and of its cuts.
    bytes: Bytes,
    cuts: VecDeque<RowCut>,
}

/// A cut of a row.
struct RowCut {
    /// Its line in the record.
    line: u64,
    row: u64,
    /// By how much its text became shorter.
    len: i64,
    is_dropped: bool,
}

impl<'t> Original<'t> {
    fn new(texts: &'t Texts<'t>, file: usize) -> Self {
        Self { texts, file, parts: texts.file(file).parts.iter(), bytes: Bytes::new(), cuts: VecDeque::new() }
    }

    /// The text of the next row, of which so much stayed, if it did.
    fn text(&mut self, row: u64, stayed: Option<u64>) -> Result<Bytes> {
        self.fill()?;
        let mut len = stayed.unwrap_or(0);
        while let Some(cut) = self.cuts.front().filter(|cut| cut.row <= row) {
            if cut.row < row || cut.is_dropped != stayed.is_none() {
                return Err(self.texts.record.broken(cut.line, &"what it cut isn't in its row"));
            }
            len = len.saturating_add_signed(cut.len);
            self.cuts.pop_front();
        }
        let refused = |why: &str| {
            let place = self.texts.file(self.file).original.place();
            Err(Error::refused(place, format!("row {} {why}", count(row + 1))))
        };
        if len > self.bytes.len() as u64 {
            return refused("has more text by the clean copy than by the record");
        }
        let text = self.bytes.split_to(len as usize);
        if simdutf8::basic::from_utf8(&text).is_ok() { Ok(text) } else { refused("begins or ends within a character") }
    }

    /// Makes the next part that has text, where the one before is used up. A row that has none may be in any.
    fn fill(&mut self) -> Result<()> {
        while self.bytes.is_empty()
            && let Some(part) = self.parts.next()
        {
            let mut bytes = Vec::new();
            rebuild(self.texts, self.file, part, &mut bytes)?;
            self.bytes = bytes.into();
            let record = self.texts.record;
            record.each_cut(part, |line, cut| {
                let row = cut.record.and_then(|number| number.checked_sub(1));
                let row = row.ok_or_else(|| record.broken(line, &"names no row of its table"))?;
                self.cuts.push_back(RowCut { line, row, len: shortening(&cut), is_dropped: cut.dropped });
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Makes sure that no text is left.
    fn ends(&mut self) -> Result<()> {
        self.fill()?;
        match self.cuts.front() {
            None if self.bytes.is_empty() => Ok(()),
            None => {
                let place = self.texts.file(self.file).original.place();
                Err(Error::refused(place, "has less text by the clean copy than by the record"))
            }
            Some(cut) => Err(self.texts.record.broken(cut.line, &"what it cut isn't in its row")),
        }
    }
}
