//! The copy of a table: its texts less their cuts, its rows less those that are dropped. What didn't change in a row group is
//! copied as it stands in the file.

use super::columns::{as_it_stands, filtered};
use super::encoding::Encoder;
use super::file::{Chunk, Out, Spool};
use super::reading::{GroupTexts, Values};
use super::{Fault, Table, guarded, system_error};
use crate::document::{Edit, Span, edited};
use crate::source::Fields;
use ::parquet::column::writer::ColumnCloseResult;
use ::parquet::data_type::{ByteArray, ByteArrayType};
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::metadata::SortingColumn;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use bytes::Bytes;
use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::sync::Arc;

/// What becomes of consecutive rows.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// The rows.
    pub values: &'a Values,
    /// What is changed of their bytes: in order, without overlap, never in two texts.
    pub edits: &'a [Edit],
    /// The rows that are dropped, by their number among these, in order.
    pub dropped: &'a [u32],
}

impl<'a> Rows<'a> {
    /// Each row with the edits of its text, or nothing for a row that is dropped.
    pub(super) fn each(self) -> impl Iterator<Item = Option<(usize, &'a [Edit])>> {
        let (mut edits, mut dropped) = (self.edits, self.dropped);
        (0..self.values.len()).map(move |row| {
            let end = self.values.span(row).end;
            let within = edits.iter().take_while(|edit| edit.at.end <= end).count();
            let (its, rest) = edits.split_at(within);
            edits = rest;
            match dropped.split_first() {
                Some((&first, rest)) if first as usize == row => {
                    dropped = rest;
                    None
                }
                _ => Some((row, its)),
            }
        })
    }
}

/// What a text at `span` of `bytes` is with its edits: a part of them where it is in one piece, as it is without its first lines.
pub(super) fn survivor(bytes: &Bytes, span: Span, edits: &[Edit]) -> Bytes {
    if edits.iter().any(|edit| !edit.put.is_empty()) {
        let within = edits.iter().map(|edit| (edit.at.counted_from(span.start), &*edit.put));
        return edited(span.of(bytes), within).into();
    }
    let starts = std::iter::once(span.start).chain(edits.iter().map(|edit| edit.at.end));
    let ends = edits.iter().map(|edit| edit.at.start).chain([span.end]);
    let mut pieces = starts.zip(ends).map(|(start, end)| Span { start, end }).filter(|piece| !piece.is_empty());
    let (first, second) = (pieces.next(), pieces.next());
    match (first, second) {
        (None, _) => Bytes::new(),
        (Some(only), None) => bytes.slice(only.range()),
        (Some(first), Some(second)) => {
            let len = span.len() - edits.iter().map(|edit| edit.at.len()).sum::<u64>();
            let mut left = Vec::with_capacity(len as usize);
            [first, second].into_iter().chain(pieces).for_each(|piece| left.extend_from_slice(piece.of(bytes)));
            left.into()
        }
    }
}

/// Writes the copy.
pub struct Rewriter<W: Write + Send> {
    table: Table,
    /// Where the encoded texts of the row group under way are, if any of them changed.
    spool: Spool,
    to: SerializedFileWriter<Out<W>>,
    group: Group,
    next_row: u64,
}

/// What becomes of a row group.
#[derive(Default)]
pub(super) struct Group {
    pub(super) number: usize,
    /// Rows that were appended.
    pub(super) rows: u64,
    /// Whether each of them stays; nothing while all do.
    pub(super) stays: Vec<bool>,
    /// The texts, once one of them changed.
    pub(super) texts: Option<TextEncoder>,
}

/// So many texts are encoded at once, counted from the row group's first: where pages end must not depend on how many rows are
/// appended at a time. What is left waits in memory, so that it is not much.
const TEXTS_AT_ONCE: usize = 8;

/// The texts of a row group, encoded.
pub(super) struct TextEncoder {
    encoder: Encoder<ByteArrayType>,
    /// The level of a row that has a text.
    text_level: i16,
    /// The last texts, and the levels of the last rows, that aren't encoded yet.
    texts: Vec<ByteArray>,
    levels: Vec<i16>,
}

impl TextEncoder {
    /// An encoder of texts as they are encoded in the row group.
    pub(super) fn new(table: &Table, row_group: usize, spool: &Spool) -> Result<Self> {
        let encoder = guarded(|| Ok(Encoder::like(table, row_group, table.text, TEXTS_AT_ONCE, spool)))?;
        Ok(Self { encoder, text_level: table.text_level(), texts: Vec::new(), levels: Vec::new() })
    }

    fn append(&mut self, rows: Rows) -> Result<()> {
        let values = rows.values;
        for (row, edits) in rows.each().flatten() {
            let level = values.levels.get(row).copied().unwrap_or(values.text_level);
            let text = (!values.is_null(row)).then(|| survivor(&values.bytes, values.span(row), edits));
            self.push(level, text);
        }
        self.encode()
    }

    /// Appends the next row, of this level; it waits for [`TextEncoder::encode`].
    pub(super) fn push(&mut self, level: i16, text: Option<Bytes>) {
        self.levels.push(level);
        self.texts.extend(text.map(ByteArray::from));
    }

    /// Encodes what waits, but for the last few.
    pub(super) fn encode(&mut self) -> Result<()> {
        let levels = self.levels.len() - self.levels.len() % TEXTS_AT_ONCE;
        let texts = self.levels[..levels].iter().filter(|level| **level == self.text_level).count();
        self.encoder.append(&self.texts[..texts], &self.levels[..levels], &[])?;
        self.texts.drain(..texts);
        self.levels.drain(..levels);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<(Chunk, ColumnCloseResult)> {
        self.encoder.append(&self.texts, &self.levels, &[])?;
        self.encoder.finish()
    }
}

impl<W: Write + Send> Rewriter<W> {
    /// A writer to `to` of a copy of the table in `file`, whose columns wait for their turn in `spool`.
    ///
    /// # Errors
    /// If it is no Parquet file, has no such column of strings, or `to` can't be written to.
    pub fn new(file: File, fields: &Fields, spool: Spool, to: W) -> std::result::Result<Self, Fault> {
        let table = Table::with_page_index(file, fields)?;
        let to = writer_like(&table, to)?;
        Ok(Self { table, spool, to, group: Group::default(), next_row: 1 })
    }

    /// Appends the next rows, which follow those before.
    ///
    /// # Errors
    /// If the file can't be read, or the copy can't be written.
    pub fn append(&mut self, rows: Rows) -> std::result::Result<(), Fault> {
        while self.group.number < rows.values.row_group {
            self.end_group()?;
        }
        assert_eq!(self.next_row, rows.values.first_row, "rows come in order");
        let count = rows.values.len() as u64;
        self.append_texts(rows).map_err(|error| self.fault(error))?;
        if !rows.dropped.is_empty() && self.group.stays.is_empty() {
            self.group.stays = vec![true; self.group.rows as usize];
        }
        if !rows.dropped.is_empty() || !self.group.stays.is_empty() {
            self.group.stays.extend(rows.each().map(|row| row.is_some()));
        }
        self.group.rows += count;
        self.next_row += count;
        Ok(())
    }

    /// Ends the copy, once all rows are appended.
    ///
    /// # Errors
    /// If the file can't be read, or the copy can't be written.
    pub fn finish(mut self) -> std::result::Result<W, Fault> {
        while self.group.number < self.table.metadata.num_row_groups() {
            self.end_group()?;
        }
        match self.to.finish() {
            Err(error) => Err(self.fault(error)),
            Ok(_) => Ok(self.to.inner_mut().take()),
        }
    }

    fn append_texts(&mut self, rows: Rows) -> Result<()> {
        let Group { number, rows: before, texts, .. } = &mut self.group;
        if texts.is_none() && rows.edits.is_empty() && rows.dropped.is_empty() {
            return Ok(());
        }
        let texts = match texts {
            Some(texts) => texts,
            None => texts.insert(encoded_so_far(&self.table, &self.spool, *number, *before, self.next_row)?),
        };
        texts.append(rows)
    }

    fn end_group(&mut self) -> std::result::Result<(), Fault> {
        let next = Group { number: self.group.number + 1, ..Group::default() };
        let group = mem::replace(&mut self.group, next);
        assert_eq!(group.rows, self.table.rows(group.number), "all rows are appended");
        let is_empty = if group.stays.is_empty() { group.rows == 0 } else { !group.stays.contains(&true) };
        if is_empty {
            return Ok(());
        }
        let number = group.number;
        write_group(&self.table, &self.spool, group, &mut self.to).map_err(|error| {
            let fault = self.to.inner_mut().fault();
            fault.unwrap_or_else(|| Fault::in_group(error, number, None))
        })
    }

    /// What an error of the row group under way is, which reading or writing can have.
    fn fault(&mut self, error: ParquetError) -> Fault {
        let fault = self.to.inner_mut().fault();
        fault.unwrap_or_else(|| Fault::in_group(error, self.group.number, None))
    }
}

/// A writer to `to` of tables of the same schema, about which the same is said.
pub(super) fn writer_like<W: Write + Send>(table: &Table, to: W) -> std::result::Result<SerializedFileWriter<Out<W>>, Fault> {
    let footer = table.metadata.file_metadata();
    let properties = WriterProperties::builder()
        .set_key_value_metadata(footer.key_value_metadata().cloned())
        .set_sorting_columns(sorting(table))
        .build();
    let to = SerializedFileWriter::new(Out::new(to), footer.schema_descr().root_schema_ptr(), Arc::new(properties));
    to.map_err(|error| system_error(error).map_or_else(Fault::NotWritten, Fault::Write))
}

/// By which columns the copy's row groups are sorted: as all of the table's are, up to the one of the texts, which change.
fn sorting(table: &Table) -> Option<Vec<SortingColumn>> {
    let mut groups = table.metadata.row_groups().iter().map(|group| group.sorting_columns());
    let first = groups.next()??;
    if !groups.all(|sorting| sorting == Some(first)) {
        return None;
    }
    let sorting = first.iter().take_while(|sorting| usize::try_from(sorting.column_idx) != Ok(table.text));
    Some(sorting.cloned().collect::<Vec<_>>()).filter(|sorting| !sorting.is_empty())
}

/// An encoder that has the first `rows` texts of the row group, none of which changed. `next_row` is the row behind them.
fn encoded_so_far(table: &Table, spool: &Spool, row_group: usize, rows: u64, next_row: u64) -> Result<TextEncoder> {
    /// How many bytes of text are in memory meanwhile.
    const AT_ONCE: usize = 4 << 20;
    let mut encoder = TextEncoder::new(table, row_group, spool)?;
    let external = |fault: Fault| ParquetError::External(io::Error::from(fault).into());
    let mut texts = GroupTexts::new(table, row_group, next_row - rows).map_err(external)?;
    let mut left = rows;
    while left > 0 {
        let values = texts.next(AT_ONCE, left).map_err(external)?;
        let values = values.ok_or_else(|| ParquetError::General("rows are missing that were there before".into()))?;
        left -= values.len() as u64;
        encoder.append(Rows { values: &values, edits: &[], dropped: &[] })?;
    }
    Ok(encoder)
}

/// Writes a row group of which something stays.
pub(super) fn write_group<W: Write + Send>(
    table: &Table,
    spool: &Spool,
    group: Group,
    to: &mut SerializedFileWriter<Out<W>>,
) -> Result<()> {
    let Group { number, stays, mut texts, .. } = group;
    let mut to = to.next_row_group()?;
    for column in 0..table.group(number).num_columns() {
        let texts = if column == table.text { texts.take() } else { None };
        match texts {
            Some(texts) => {
                let (chunk, close) = texts.finish()?;
                chunk.append_to(&mut to, close)?;
            }
            None if stays.contains(&false) => {
                let filtered = guarded(|| filtered(table, spool, number, column, &stays));
                let (chunk, close) = filtered.map_err(|error| in_column(table, column, error))?;
                chunk.append_to(&mut to, close)?;
            }
            None => to.append_column(&table.file, as_it_stands(table, number, column)?)?,
        }
    }
    to.close()?;
    Ok(())
}

/// The same error with the column's name, unless it is the system's.
pub(super) fn in_column(table: &Table, column: usize, error: ParquetError) -> ParquetError {
    let name = table.metadata.file_metadata().schema_descr().column(column).path().string();
    system_error(error).map_or_else(
        |why| ParquetError::General(format!("{why} (in its column {name:?})")),
        |error| ParquetError::External(error.into()),
    )
}
