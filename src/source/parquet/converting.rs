//! A table as JSON lines, and JSON lines as a table.

use super::file::{Out, Shared};
use super::inferring::Object;
use super::reading::rows_at_once;
use super::writing::{Rows, survivor};
use super::{Fault, Table, guarded, system_error};
use crate::error::count;
use crate::source::Fields;
use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::schema::types::ColumnPath;
use arrow_array::builder::LargeStringBuilder;
use arrow_array::cast::AsArray as _;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StructArray};
use arrow_json::reader::Decoder;
use arrow_json::writer::LineDelimited;
use arrow_json::{ReaderBuilder, WriterBuilder};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema};
use arrow_select::filter::filter_record_batch;
use std::fs::File;
use std::io::{BufRead, Seek, Write};
use std::sync::Arc;

/// Writes the rows of a table as JSON lines, each with all of its columns. What JSON has no values for is a string: dates, times
/// and decimals as ISO 8601 and SQL write them, bytes in hexadecimal digits.
pub struct JsonLines {
    table: Table,
    how: ArrowReaderMetadata,
    /// The column of the texts: its place in the table, then in the struct that is there, and so on.
    path: Vec<usize>,
    /// The row group under way, and its rows that were read and not yet written.
    group: Option<(usize, ParquetRecordBatchReader)>,
    read: Option<RecordBatch>,
}

impl JsonLines {
    /// A writer of the rows of the table in `file`.
    ///
    /// # Errors
    /// If it is no Parquet file, has no such column of strings, or columns of types that nobody knows.
    pub fn open(file: File, fields: &Fields) -> Result<Self, Fault> {
        let table = Table::open(file, fields)?;
        let metadata = || ArrowReaderMetadata::try_new(table.metadata.clone(), ArrowReaderOptions::new());
        let how = guarded(metadata).map_err(|error| system_error(error).map_or_else(Fault::NotWritten, Fault::Read))?;
        let leaf = table.metadata.file_metadata().schema_descr().column(table.text);
        let path = path_of(how.schema().fields(), leaf.path().parts());
        let path = path.ok_or_else(|| Fault::NotWritten(format!("its column {:?} is read as another", table.text_name())))?;
        Ok(Self { table, how, path, group: None, read: None })
    }

    /// Appends the lines of the next rows, which follow those before, to `to`.
    ///
    /// # Errors
    /// If the file can't be read, or a value can't be written as JSON.
    pub fn append(&mut self, rows: Rows, to: &mut Vec<u8>) -> Result<(), Fault> {
        let mut lines = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(to);
        let mut each = rows.each().zip(0..);
        let mut left = rows.values.len();
        while left > 0 {
            let batch = self.next(rows.values.row_group, left)?;
            left -= batch.num_rows();
            let mut texts = LargeStringBuilder::new();
            let mut stays = Vec::with_capacity(batch.num_rows());
            for (row, number) in each.by_ref().take(batch.num_rows()) {
                stays.push(row.is_some());
                match row.filter(|_| !rows.values.is_null(number)) {
                    None => texts.append_null(),
                    Some((row, edits)) => {
                        let text = survivor(&rows.values.bytes, rows.values.span(row), edits);
                        texts.append_value(std::str::from_utf8(&text).expect("no cut halves a character"));
                    }
                }
            }
            let batch = with_texts(&batch, &self.path, Arc::new(texts.finish()));
            let batch = batch.and_then(|batch| filter_record_batch(&batch, &BooleanArray::from(stays)));
            let written = batch.and_then(|batch| lines.write(&batch));
            written.map_err(|error| Fault::NotWritten(format!("can't be written as JSON lines: {}", reason(&error))))?;
        }
        Ok(())
    }

    /// The next rows of the row group, at most `rows`.
    fn next(&mut self, row_group: usize, rows: usize) -> Result<RecordBatch, Fault> {
        let broken = |error| Fault::in_group(error, row_group, None);
        let batch = match self.read.take() {
            Some(batch) => batch,
            None => {
                let group = match &mut self.group {
                    Some((number, group)) if *number == row_group => group,
                    group => &mut group.insert((row_group, rows_of(&self.table, &self.how, row_group).map_err(broken)?)).1,
                };
                let batch = guarded(|| group.next().transpose().map_err(ParquetError::from)).map_err(broken)?;
                batch.ok_or_else(|| broken(ParquetError::General("rows are missing".into())))?
            }
        };
        if batch.num_rows() > rows {
            self.read = Some(batch.slice(rows, batch.num_rows() - rows));
        }
        Ok(batch.slice(0, batch.num_rows().min(rows)))
    }
}

/// The places of the fields that are named, each within the one before.
fn path_of(fields: &[FieldRef], names: &[String]) -> Option<Vec<usize>> {
    let (name, rest) = names.split_first()?;
    let place = fields.iter().position(|field| field.name() == name)?;
    let mut path = vec![place];
    if !rest.is_empty() {
        let DataType::Struct(within) = fields[place].data_type() else { return None };
        path.extend(path_of(within, rest)?);
    }
    Some(path)
}

fn rows_of(table: &Table, how: &ArrowReaderMetadata, row_group: usize) -> Result<ParquetRecordBatchReader, ParquetError> {
    let group = table.group(row_group);
    let at_once = rows_at_once(group.total_byte_size(), group.num_rows());
    let rows = ParquetRecordBatchReaderBuilder::<Shared>::new_with_metadata(table.file.clone(), how.clone());
    guarded(|| rows.with_row_groups(vec![row_group]).with_batch_size(at_once).build())
}

/// The rows with other texts.
fn with_texts(rows: &RecordBatch, path: &[usize], texts: ArrayRef) -> Result<RecordBatch, ArrowError> {
    with_column(&StructArray::from(rows.clone()), path, texts).map(RecordBatch::from)
}

fn with_column(rows: &StructArray, path: &[usize], texts: ArrayRef) -> Result<StructArray, ArrowError> {
    let (mut fields, (_, mut columns, nulls)) = (rows.fields().to_vec(), rows.clone().into_parts());
    let place = path[0];
    columns[place] = match &path[1..] {
        [] => texts,
        rest => Arc::new(with_column(columns[place].as_struct(), rest, texts)?),
    };
    let data_type = columns[place].data_type().clone();
    fields[place] = Arc::new(fields[place].as_ref().clone().with_data_type(data_type).with_nullable(true));
    StructArray::try_new(fields.into(), columns, nulls)
}

fn reason(error: &ArrowError) -> String {
    let words = error.to_string();
    words.split_once(" error: ").map_or(&*words, |(_, why)| why).to_owned()
}

/// The most rows of a row group.
const GROUP_ROWS: usize = 1 << 20;
/// About as many bytes has a row group at most, encoded: they are in memory until it is written.
const GROUP_BYTES: usize = 16 << 20;
/// So many rows, or bytes, of JSON are taken apart at once.
const ROWS_AT_ONCE: usize = 1024;
const BYTES_AT_ONCE: usize = 8 << 20;

/// Writes JSON lines as a table to `to`, packed with zstd. Its columns are the fields of all lines, in the order in which they
/// first appear, each of the type that holds all of its values: a number and a string are both strings there. Without a line it has
/// the column of the texts, so that it is read like any other.
///
/// # Errors
/// If the lines can't be read, don't fit in one table, or `to` can't be written to.
pub fn from_json_lines<R: BufRead + Seek, W: Write + Send>(mut lines: R, text_field: &str, to: W) -> Result<W, Fault> {
    let mut columns = Object::default();
    each_line(&mut lines, |line, bytes| columns.see(bytes).map_err(|why| Fault::Line { line, why }))?;
    lines.rewind().map_err(Fault::Read)?;
    let mut fields = columns.fields().map_err(Fault::NotWritten)?;
    if fields.is_empty() {
        fields.push(Arc::new(Field::new(text_field, DataType::Utf8, true)));
    }
    let schema = Arc::new(Schema::new(fields));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .set_column_dictionary_enabled(ColumnPath::from(text_field), false)
        .build();
    let not_written = |error: ParquetError| system_error(error).map_or_else(Fault::NotWritten, Fault::Write);
    let mut to = ArrowWriter::try_new(Out::new(to), schema.clone(), Some(properties)).map_err(not_written)?;
    let decoder = ReaderBuilder::new(schema).with_coerce_primitive(true).with_batch_size(ROWS_AT_ONCE).build_decoder();
    let decoder = decoder.map_err(|error| Fault::NotWritten(reason(&error)))?;
    let mut batch = Batch { decoder, first_line: 1, bytes: 0 };
    each_line(&mut lines, |line, bytes| batch.take(line, bytes, &mut to))?;
    batch.write(&mut to)?;
    match to.finish() {
        Err(error) => Err(to.inner_mut().fault().unwrap_or_else(|| not_written(error))),
        Ok(_) => Ok(to.inner_mut().take()),
    }
}

/// Hands on each line that isn't blank, and its number, from 1 on.
fn each_line(lines: &mut impl BufRead, mut work: impl FnMut(u64, &[u8]) -> Result<(), Fault>) -> Result<(), Fault> {
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        if lines.read_until(b'\n', &mut bytes).map_err(Fault::Read)? == 0 {
            break;
        }
        if !bytes.trim_ascii().is_empty() {
            work(line, &bytes)?;
        }
    }
    Ok(())
}

/// Lines that are taken apart together.
struct Batch {
    decoder: Decoder,
    first_line: u64,
    bytes: usize,
}

impl Batch {
    fn take<W: Write + Send>(&mut self, line: u64, bytes: &[u8], to: &mut ArrowWriter<Out<W>>) -> Result<(), Fault> {
        if self.decoder.is_empty() {
            self.first_line = line;
        }
        let taken = self.decoder.decode(bytes).map_err(|error| Fault::Line { line, why: reason(&error) })?;
        debug_assert_eq!(taken, bytes.len(), "there is room for a line");
        self.bytes += bytes.len();
        if self.decoder.len() >= ROWS_AT_ONCE || self.bytes >= BYTES_AT_ONCE { self.write(to) } else { Ok(()) }
    }

    fn write<W: Write + Send>(&mut self, to: &mut ArrowWriter<Out<W>>) -> Result<(), Fault> {
        let rows = self.decoder.len() as u64;
        let why = |error: ArrowError| format!("or one of the {} behind it: {}", count(rows.saturating_sub(1)), reason(&error));
        let batch = self.decoder.flush().map_err(|error| Fault::Line { line: self.first_line, why: why(error) })?;
        self.bytes = 0;
        let written = batch.map_or(Ok(()), |batch| to.write(&batch));
        written.map_err(|error| {
            let fault = to.inner_mut().fault();
            fault.unwrap_or_else(|| system_error(error).map_or_else(Fault::NotWritten, Fault::Write))
        })
    }
}
