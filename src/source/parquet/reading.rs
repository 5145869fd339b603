//! The texts of a table, a part of a row group at a time.

use super::file::Shared;
use super::{Fault, Table, guarded, system_error};
use crate::document::Span;
use crate::source::Fields;
use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use ::parquet::column::page::PageReader;
use ::parquet::column::reader::ColumnReaderImpl;
use ::parquet::data_type::{ByteArray, ByteArrayType};
use ::parquet::errors::ParquetError;
use ::parquet::file::serialized_reader::SerializedPageReader;
use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use std::fmt::Write as _;
use std::fs::File;
use std::sync::Arc;
use std::vec;

/// The texts of consecutive rows of one row group.
#[derive(Clone, Debug)]
pub struct Values {
    /// All texts, one after another.
    pub bytes: Bytes,
    /// The ids of the rows, if there is a column of them.
    pub ids: Option<Ids>,
    /// The first row's number in the file, from 1 on.
    pub first_row: u64,
    /// The row group's number, from 0 on.
    pub row_group: usize,
    /// Where each row's text ends; none has a length for a row without a text.
    pub(super) ends: Vec<u32>,
    /// How much of the path to its text each row has; nothing where each has all of it.
    pub(super) levels: Vec<i16>,
    /// The level of a row that has a text.
    pub(super) text_level: i16,
}

impl Values {
    /// How many rows there are: never none.
    #[expect(clippy::len_without_is_empty, reason = "there is no empty one")]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Where the row's text stands in `bytes`; empty for a row without a text.
    pub fn span(&self, row: usize) -> Span {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        Span::new(start as usize, self.ends[row] as usize)
    }

    /// The row's text; empty for a row without one.
    pub fn text(&self, row: usize) -> &[u8] {
        self.span(row).of(&self.bytes)
    }

    /// Whether the row has no text, not even an empty one.
    pub fn is_null(&self, row: usize) -> bool {
        self.levels.get(row).is_some_and(|&level| level < self.text_level)
    }
}

/// The ids of consecutive rows, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ids {
    words: String,
    ends: Vec<usize>,
}

impl Ids {
    /// The row's id, unless it has none or an empty one.
    pub fn of(&self, row: usize) -> Option<&str> {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        Some(&self.words[start..self.ends[row]]).filter(|id| !id.is_empty())
    }
}

/// All texts of a table, in order.
pub struct Texts {
    table: Table,
    /// How an id is read, if there are any.
    ids: Option<ArrowReaderMetadata>,
    group: Option<(GroupTexts, Option<GroupIds>)>,
    next_group: usize,
    next_row: u64,
}

impl Texts {
    /// The texts of the table in `file`.
    ///
    /// # Errors
    /// If it is no Parquet file, or has no such column of strings.
    pub fn open(file: File, fields: &Fields) -> Result<Self, Fault> {
        let table = Table::open(file, fields)?;
        // Ids only serve reports: a type that has no words, or that nobody knows, goes without.
        let ids = table.id.and_then(|_| {
            let metadata = || ArrowReaderMetadata::try_new(table.metadata.clone(), ArrowReaderOptions::new());
            guarded(metadata).ok()
        });
        Ok(Self { table, ids, group: None, next_group: 0, next_row: 1 })
    }

    /// How many rows the table has, by its footer.
    pub fn rows(&self) -> u64 {
        (0..self.table.metadata.num_row_groups()).map(|group| self.table.rows(group)).fold(0, u64::saturating_add)
    }

    /// The next rows, of one row group: at least one, and no more than have `size` bytes of text together.
    ///
    /// # Errors
    /// If the file can't be read or is broken. There is nothing behind a fault.
    pub fn next(&mut self, size: usize) -> Result<Option<Values>, Fault> {
        let next = self.next_of_group(size);
        if next.is_err() {
            (self.group, self.next_group) = (None, self.table.metadata.num_row_groups());
        }
        next
    }

    fn next_of_group(&mut self, size: usize) -> Result<Option<Values>, Fault> {
        loop {
            if let Some((texts, ids)) = &mut self.group {
                if let Some(mut values) = texts.next(size, u64::MAX)? {
                    values.ids = ids.as_mut().map(|ids| ids.next(values.len())).transpose()?;
                    self.next_row += values.len() as u64;
                    return Ok(Some(values));
                }
                self.group = None;
            }
            if self.next_group == self.table.metadata.num_row_groups() {
                return Ok(None);
            }
            let group = self.next_group;
            self.next_group += 1;
            let ids = self.ids.as_ref().zip(self.table.id);
            let ids = ids.map(|(how, column)| GroupIds::new(&self.table, how, column, group)).transpose()?;
            self.group = Some((GroupTexts::new(&self.table, group, self.next_row)?, ids));
        }
    }
}

/// So many values are taken from the decoder at once, at most. Each keeps its page in memory, so that long ones are taken by
/// ones and twos; and long ones may follow short ones, so that the most are not many.
const VALUES_AT_ONCE: u64 = 128;

/// The texts of a row group.
pub(super) struct GroupTexts {
    column: ColumnReaderImpl<ByteArrayType>,
    name: String,
    row_group: usize,
    text_level: i16,
    /// Rows that were not yet given.
    rows_left: u64,
    next_row: u64,
    /// Texts that were decoded and not yet given, and the levels of their rows.
    texts: vec::IntoIter<ByteArray>,
    levels: Vec<i16>,
    next_level: usize,
    /// Rows that were decoded and not yet given.
    rows_decoded: u64,
    /// How long the footer says that all texts are, with what stands around them.
    bytes_promised: u64,
    /// How long texts were so far, to know how many to decode.
    bytes_given: u64,
    rows_given: u64,
}

/// More rows never come at once, whatever they hold: of rows without a text all would have the bytes that are asked for.
const MOST_ROWS: u64 = 1 << 16;

impl GroupTexts {
    /// The texts of row group `row_group` (from 0 on), whose first row has the number `first_row`.
    pub(super) fn new(table: &Table, row_group: usize, first_row: u64) -> Result<Self, Fault> {
        let column = column_reader(table, row_group, table.text).map_err(|error| Fault::in_group(error, row_group, None))?;
        Ok(Self {
            column,
            name: table.text_name(),
            row_group,
            text_level: table.text_level(),
            rows_left: table.rows(row_group),
            next_row: first_row,
            texts: Vec::new().into_iter(),
            levels: Vec::new(),
            next_level: 0,
            rows_decoded: 0,
            bytes_promised: table.group(row_group).column(table.text).uncompressed_size() as u64,
            bytes_given: 0,
            rows_given: 0,
        })
    }

    /// The next rows: at least one, at most `rows`, and no more than have `size` bytes together.
    pub(super) fn next(&mut self, size: usize, rows: u64) -> Result<Option<Values>, Fault> {
        let mut bytes = Vec::new();
        let (mut ends, mut levels) = (Vec::new(), Vec::new());
        let rows = rows.min(self.rows_left).min(MOST_ROWS);
        while (ends.len() as u64) < rows {
            if self.rows_decoded == 0 {
                self.decode(size.saturating_sub(bytes.len()))?;
            }
            let has_text = self.text_level == 0 || self.levels[self.next_level] == self.text_level;
            let len = if has_text { self.texts.as_slice().first().map_or(0, ByteArray::len) } else { 0 };
            if !ends.is_empty() && bytes.len() + len > size {
                break;
            }
            if bytes.is_empty() {
                // One text may be longer than all that was asked for, and the last ones may be few.
                const UNSEEN: usize = 64 << 20;
                bytes.reserve(len.max(size.min(self.likely_bytes_left()).min(UNSEEN)));
            }
            if has_text {
                let text = self.texts.next().ok_or_else(|| self.broken("a text is missing"))?;
                bytes.extend_from_slice(text.data());
            }
            ends.push(u32::try_from(bytes.len()).map_err(|_| self.broken("its texts are longer than 4 GiB"))?);
            if self.text_level > 0 {
                levels.push(self.levels[self.next_level]);
                self.next_level += 1;
            }
            self.rows_decoded -= 1;
        }
        if ends.is_empty() {
            return Ok(None);
        }
        let first_row = self.next_row;
        self.rows_left -= ends.len() as u64;
        self.rows_given += ends.len() as u64;
        self.next_row += ends.len() as u64;
        self.bytes_given += bytes.len() as u64;
        if levels.iter().all(|&level| level == self.text_level) {
            levels = Vec::new();
        }
        let text_level = self.text_level;
        let values = Values { bytes: bytes.into(), ids: None, first_row, row_group: self.row_group, ends, levels, text_level };
        match first_not_utf8(&values) {
            None => Ok(Some(values)),
            Some(row) => {
                let row = first_row + row as u64;
                Err(Fault::NotUtf8 { column: self.name.clone(), row_group: self.row_group + 1, row })
            }
        }
    }

    /// Decodes more rows, about as many as have `size` bytes of text.
    fn decode(&mut self, size: usize) -> Result<(), Fault> {
        const FIRST: u64 = 16;
        let (bytes, rows, most) = match self.rows_given {
            0 => (self.bytes_promised, self.rows_left, FIRST),
            rows => (self.bytes_given, rows, VALUES_AT_ONCE),
        };
        let likely = (size as u64).saturating_mul(rows) / bytes.max(1);
        let rows = likely.clamp(1, most).min(self.rows_left);
        let mut texts = std::mem::take(&mut self.texts).collect::<Vec<_>>();
        texts.clear();
        self.levels.clear();
        self.next_level = 0;
        let read = guarded(|| self.column.read_records(rows as usize, Some(&mut self.levels), None, &mut texts));
        let (read, ..) = read.map_err(|error| Fault::in_group(error, self.row_group, Some(self.next_row)))?;
        if read == 0 {
            return Err(self.broken(&format!("{} rows are missing", self.rows_left)));
        }
        let is_known = |level: &i16| (0..=self.text_level).contains(level);
        if self.text_level > 0 && (self.levels.len() != read || !self.levels.iter().all(is_known)) {
            return Err(self.broken("the levels of its rows are not those of its type"));
        }
        self.rows_decoded = read as u64;
        self.texts = texts.into_iter();
        Ok(())
    }

    /// About how many bytes the rows have that were not yet given.
    fn likely_bytes_left(&self) -> usize {
        let likely = match self.rows_given {
            0 => self.bytes_promised,
            rows => (self.bytes_given / rows + 1).saturating_mul(self.rows_left),
        };
        usize::try_from(likely).unwrap_or(usize::MAX)
    }

    fn broken(&self, why: &str) -> Fault {
        Fault::Broken { row_group: self.row_group + 1, row: Some(self.next_row), why: why.into() }
    }
}

/// The first row whose text is not UTF-8. All together may be while none of two neighbours is.
fn first_not_utf8(values: &Values) -> Option<usize> {
    let begins_within = |row: usize| values.text(row).first().is_some_and(|byte| byte & 0xc0 == 0x80);
    if simdutf8::basic::from_utf8(&values.bytes).is_ok() && !(0..values.len()).any(begins_within) {
        return None;
    }
    (0..values.len()).find(|&row| simdutf8::basic::from_utf8(values.text(row)).is_err())
}

/// The pages of a column of a row group.
pub(super) fn pages(table: &Table, row_group: usize, column: usize) -> Result<Box<dyn PageReader>, ParquetError> {
    let group = table.group(row_group);
    let pages = SerializedPageReader::new(Arc::new(table.file.clone()), group.column(column), group.num_rows() as usize, None);
    Ok(Box::new(pages?))
}

fn column_reader(table: &Table, row_group: usize, column: usize) -> Result<ColumnReaderImpl<ByteArrayType>, ParquetError> {
    let descr = table.group(row_group).column(column).column_descr_ptr();
    guarded(|| Ok(ColumnReaderImpl::new(descr, pages(table, row_group, column)?)))
}

/// How many rows of a row group are read at once where a record batch is made of them: as many as have about 4 MB.
pub(super) fn rows_at_once(bytes: i64, rows: i64) -> usize {
    const BYTES: i64 = 4 << 20;
    (BYTES / (bytes / rows.max(1)).max(1)).clamp(1, 1024) as usize
}

/// The ids of a row group.
struct GroupIds {
    batches: ParquetRecordBatchReader,
    row_group: usize,
    /// Ids that were decoded, and before them the structs they are in; those before `next` were given.
    decoded: Vec<ArrayRef>,
    next: usize,
}

impl GroupIds {
    fn new(table: &Table, how: &ArrowReaderMetadata, column: usize, row_group: usize) -> Result<Self, Fault> {
        let group = table.group(row_group);
        let builder = ParquetRecordBatchReaderBuilder::<Shared>::new_with_metadata(table.file.clone(), how.clone())
            .with_projection(ProjectionMask::leaves(table.metadata.file_metadata().schema_descr(), [column]))
            .with_row_groups(vec![row_group])
            .with_batch_size(rows_at_once(group.column(column).uncompressed_size(), group.num_rows()));
        let batches = guarded(|| builder.build()).map_err(|error| Fault::in_group(error, row_group, None))?;
        Ok(Self { batches, row_group, decoded: Vec::new(), next: 0 })
    }

    /// The ids of the next `rows` rows.
    fn next(&mut self, rows: usize) -> Result<Ids, Fault> {
        let mut ids = Ids::default();
        while ids.ends.len() < rows {
            let Some(decoded) = self.decoded.last().filter(|decoded| self.next < decoded.len()) else {
                self.decode()?;
                continue;
            };
            let broken = |why: String| Fault::Broken { row_group: self.row_group + 1, row: None, why };
            let words = ArrayFormatter::try_new(decoded, &FormatOptions::new()).map_err(|error| broken(error.to_string()))?;
            let end = decoded.len().min(self.next + rows - ids.ends.len());
            for row in self.next..end {
                let len = ids.words.len();
                let is_null = self.decoded.iter().any(|array| array.is_null(row));
                // An id that can't be said is none.
                if !is_null && write!(ids.words, "{}", words.value(row)).is_err() {
                    ids.words.truncate(len);
                }
                ids.ends.push(ids.words.len());
            }
            self.next = end;
        }
        Ok(ids)
    }

    fn decode(&mut self) -> Result<(), Fault> {
        let broken = |why: String| Fault::Broken { row_group: self.row_group + 1, row: None, why: format!("{why} (in its ids)") };
        let batch = guarded(|| self.batches.next().transpose().map_err(ParquetError::from));
        let batch = batch.map_err(|error| system_error(error).map_or_else(broken, Fault::Read))?;
        self.decoded = vec![batch.ok_or_else(|| broken("rows are missing".into()))?.column(0).clone()];
        while let Some(within) = self.decoded.last().and_then(|array| array.as_struct_opt()) {
            let within = within.column(0).clone();
            self.decoded.push(within);
        }
        self.next = 0;
        Ok(())
    }
}
