//! The columns of a copy other than that of the texts: as they stand in the table, less the rows that are left out, or woven of
//! several tables.

use super::encoding::Encoder;
use super::file::{Chunk, Spool};
use super::reading::{pages, rows_at_once};
use super::{Table, guarded};
use ::parquet::basic::Type as Physical;
use ::parquet::bloom_filter::Sbbf;
use ::parquet::column::reader::{ColumnReaderImpl, get_column_reader, get_typed_column_reader};
use ::parquet::column::writer::ColumnCloseResult;
use ::parquet::data_type::{
    AsBytes, BoolType, ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96Type,
};
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::metadata::ColumnChunkMetaData;

/// So many values are encoded at once; they come in batches that depend on the tables alone.
const VALUES_AT_ONCE: usize = 1024;

/// What is to be said of a column chunk that is copied as it stands.
pub(super) fn as_it_stands(table: &Table, row_group: usize, column: usize) -> Result<ColumnCloseResult> {
    let group = table.group(row_group);
    let chunk = group.column(column);
    let index = table.metadata.page_index_for_row_group(row_group);
    Ok(ColumnCloseResult {
        bytes_written: chunk.compressed_size() as u64,
        rows_written: group.num_rows() as u64,
        metadata: with_true_statistics(chunk)?,
        bloom_filter: guarded(|| bloom_filter(table, chunk)).unwrap_or_default(),
        column_index: index.column_index(column).cloned(),
        offset_index: index.offset_index(column).cloned(),
    })
}

/// Statistics in the fields of old are true for some writers only, which readers tell by a name that the copy doesn't have.
fn with_true_statistics(chunk: &ColumnChunkMetaData) -> Result<ColumnChunkMetaData> {
    match chunk.statistics() {
        Some(statistics) if statistics.is_min_max_deprecated() => chunk.clone().into_builder().clear_statistics().build(),
        _ => Ok(chunk.clone()),
    }
}

/// The chunk's Bloom filter, if it has one.
fn bloom_filter(table: &Table, chunk: &ColumnChunkMetaData) -> Result<Option<Sbbf>> {
    if chunk.bloom_filter_length().is_some_and(|length| length < 0) {
        return Ok(None);
    }
    Sbbf::read_from_column_chunk(chunk, &table.file)
}

/// Calls a function for the type of the values of a column.
macro_rules! by_type {
    ($chunk:expr, $call:ident($($argument:expr),*)) => {
        match $chunk.column_type() {
            Physical::BOOLEAN => $call::<BoolType>($($argument),*),
            Physical::INT32 => $call::<Int32Type>($($argument),*),
            Physical::INT64 => $call::<Int64Type>($($argument),*),
            Physical::INT96 => $call::<Int96Type>($($argument),*),
            Physical::FLOAT => $call::<FloatType>($($argument),*),
            Physical::DOUBLE => $call::<DoubleType>($($argument),*),
            Physical::BYTE_ARRAY => $call::<ByteArrayType>($($argument),*),
            Physical::FIXED_LEN_BYTE_ARRAY => $call::<FixedLenByteArrayType>($($argument),*),
        }
    };
}

/// The values of a column.
fn reader<T: DataType>(table: &Table, row_group: usize, column: usize) -> Result<ColumnReaderImpl<T>> {
    let descr = table.group(row_group).column(column).column_descr_ptr();
    Ok(get_typed_column_reader(get_column_reader(descr, pages(table, row_group, column)?)))
}

/// The rows of a column that stay, encoded as the column was.
pub(super) fn filtered(
    table: &Table,
    spool: &Spool,
    row_group: usize,
    column: usize,
    stays: &[bool],
) -> Result<(Chunk, ColumnCloseResult)> {
    by_type!(table.group(row_group).column(column), filtered_by_type(table, spool, row_group, column, stays))
}

fn filtered_by_type<T: DataType<T: Sync>>(
    table: &Table,
    spool: &Spool,
    row_group: usize,
    column: usize,
    stays: &[bool],
) -> Result<(Chunk, ColumnCloseResult)> {
    let mut to = Encoder::<T>::like(table, row_group, column, VALUES_AT_ONCE, spool);
    each_kept::<T>((table, row_group), column, stays, |Entries { values, definitions, repetitions }, _| {
        to.append(&values, &definitions, &repetitions)
    })?;
    to.finish()
}

/// What consecutive rows of a column have.
struct Entries<T: DataType> {
    values: Vec<T::T>,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
}

/// Gives the rows of a column that stay, some at a time, and how many they are.
fn each_kept<T: DataType>(
    (table, row_group): (&Table, usize),
    column: usize,
    stays: &[bool],
    mut each: impl FnMut(Entries<T>, usize) -> Result<()>,
) -> Result<()> {
    let chunk = table.group(row_group).column(column);
    let (value_level, repeated_level) = levels(chunk);
    let rows_at_once = rows_at_once(chunk.uncompressed_size(), stays.len() as i64);
    let mut from = reader::<T>(table, row_group, column)?;
    let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
    let end = stays.iter().rposition(|stays| *stays).map_or(0, |last| last + 1);
    for stays in stays[..end].chunks(rows_at_once) {
        values.clear();
        definitions.clear();
        repetitions.clear();
        read_rows(&mut from, stays.len(), (&mut values, &mut definitions, &mut repetitions))?;
        let mut kept = Entries { values: Vec::new(), definitions: Vec::new(), repetitions: Vec::new() };
        let mut values = values.drain(..);
        let entries = if value_level > 0 { definitions.len() } else { values.len() };
        let mut row = 0;
        for entry in 0..entries {
            let repetition = repetitions.get(entry).copied().unwrap_or(0);
            row += usize::from(repetition == 0);
            let stays = row.checked_sub(1).and_then(|row| stays.get(row)).copied();
            let stays = stays.ok_or_else(|| ParquetError::General("a column has too many rows".into()))?;
            let definition = definitions.get(entry).copied().unwrap_or(0);
            if !(0..=value_level).contains(&definition) || !(0..=repeated_level).contains(&repetition) {
                return Err(ParquetError::General("the levels of its values are not those of its type".into()));
            }
            let value = if definition == value_level { values.next() } else { None };
            if stays {
                kept.values.extend(value);
                if value_level > 0 {
                    kept.definitions.push(definition);
                }
                if repeated_level > 0 {
                    kept.repetitions.push(repetition);
                }
            }
        }
        each(kept, stays.iter().filter(|stays| **stays).count())?;
    }
    Ok(())
}

/// The highest levels of definition and repetition in a column.
fn levels(chunk: &ColumnChunkMetaData) -> (i16, i16) {
    (chunk.column_descr().max_def_level(), chunk.column_descr().max_rep_level())
}

/// Whether a column of a row group, less the rows that don't stay, is that of a row group of another table with the same columns.
pub(super) fn is_same(from: (&Table, usize), copy: (&Table, usize), column: usize, stays: &[bool]) -> Result<bool> {
    by_type!(from.0.group(from.1).column(column), is_same_by_type(from, copy, column, stays))
}

fn is_same_by_type<T: DataType>(
    from: (&Table, usize),
    (copy, in_copy): (&Table, usize),
    column: usize,
    stays: &[bool],
) -> Result<bool> {
    let (value_level, repeated_level) = levels(from.0.group(from.1).column(column));
    let mut copy = reader::<T>(copy, in_copy, column)?;
    let mut is_same = true;
    each_kept::<T>(from, column, stays, |kept, rows| {
        let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
        read_rows(&mut copy, rows, (&mut values, &mut definitions, &mut repetitions))?;
        // By their bytes, since there are numbers that don't equal themselves.
        is_same &=
            values.len() == kept.values.len() && values.iter().zip(&kept.values).all(|(a, b)| a.as_bytes() == b.as_bytes());
        is_same &= value_level == 0 || definitions == kept.definitions;
        is_same &= repeated_level == 0 || repetitions == kept.repetitions;
        Ok(())
    })?;
    Ok(is_same)
}

/// Appends the next rows of a column: the values of those that have one, and the levels of all.
fn read_rows<T: DataType>(
    from: &mut ColumnReaderImpl<T>,
    count: usize,
    (values, definitions, repetitions): (&mut Vec<T::T>, &mut Vec<i16>, &mut Vec<i16>),
) -> Result<()> {
    let mut rows = 0;
    while rows < count {
        let left = count - rows;
        match from.read_records(left, Some(definitions), Some(repetitions), values)? {
            (0, ..) => return Err(ParquetError::General(format!("{left} rows are missing in a column"))),
            (more, ..) => rows += more,
        }
    }
    Ok(())
}

/// A column of row groups of tables that have the same schema, woven: `of` says for each row which of those it is the next row of.
/// It is encoded as in the first one.
pub(super) fn woven(from: &[(&Table, usize)], spool: &Spool, column: usize, of: &[u32]) -> Result<(Chunk, ColumnCloseResult)> {
    by_type!(from[0].0.group(from[0].1).column(column), woven_by_type(from, spool, column, of))
}

fn woven_by_type<T: DataType<T: Sync>>(
    from: &[(&Table, usize)],
    spool: &Spool,
    column: usize,
    of: &[u32],
) -> Result<(Chunk, ColumnCloseResult)> {
    let (first, row_group) = from[0];
    let mut to = Encoder::<T>::like(first, row_group, column, VALUES_AT_ONCE, spool);
    let readers = from.iter().map(|&(table, row_group)| reader::<T>(table, row_group, column));
    let mut readers: Vec<ColumnReaderImpl<T>> = readers.collect::<Result<_>>()?;
    let bytes = from.iter().map(|(table, row_group)| table.group(*row_group).column(column).uncompressed_size());
    let rows_at_once = rows_at_once(bytes.fold(0, i64::saturating_add), of.len() as i64);
    let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
    for rows in of.chunks(rows_at_once) {
        values.clear();
        definitions.clear();
        repetitions.clear();
        for run in rows.chunk_by(|a, b| a == b) {
            let from = &mut readers[run[0] as usize];
            read_rows(from, run.len(), (&mut values, &mut definitions, &mut repetitions))?;
        }
        to.append(&values, &definitions, &repetitions)?;
    }
    to.finish()
}
