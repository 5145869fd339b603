//! Apache Parquet: a table in row groups, one of whose columns holds the texts, one document a row. Texts are read a part of a
//! row group at a time; the copy has the same table less its cuts, and whatever didn't change is copied as it stands.
//!
//! Knows the columns of a table and nothing of what is done with a text.

mod columns;
mod comparing;
mod converting;
mod encoding;
mod extracting;
mod file;
mod guard;
mod inferring;
mod reading;
mod stretches;
#[cfg(test)]
mod tests;
mod weaving;
mod writing;

pub use comparing::difference;
pub use converting::{JsonLines, from_json_lines};
pub use extracting::Extracts;
pub use reading::{Ids, Texts, Values};
pub(crate) use stretches::Stretches;
pub use weaving::{Apart, Weaver};
pub use writing::{Rewriter, Rows};

use super::Fields;
use crate::error::{count, io_reason};
use ::parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use ::parquet::schema::types::{SchemaDescriptor, Type};
pub use file::Spool;
use file::{Shared, Spooling};
use guard::guarded;
use std::fs::File;
use std::sync::Arc;
use std::{fmt, io};

/// The bytes that a Parquet file begins with.
pub const MAGIC: &[u8] = b"PAR1";

/// Why a table can't be read or written.
#[derive(Debug)]
pub enum Fault {
    /// The system said no to reading the table.
    Read(io::Error),
    /// The system said no to writing the copy.
    Write(io::Error),
    /// It has no footer that can be read.
    NotParquet(String),
    /// There is no such column.
    NoColumn(String),
    /// There is more than one, and readers disagree which of them counts.
    TwoColumns(String),
    /// A column that holds something else.
    NotStrings {
        /// Its name.
        column: String,
        /// What it is: "a list".
        what: String,
    },
    /// Bytes that are no UTF-8 in a column that promises it.
    NotUtf8 {
        /// Its name.
        column: String,
        /// The row group, from 1 on.
        row_group: usize,
        /// The row of the file, from 1 on.
        row: u64,
    },
    /// A row group that isn't as the format wants it, or as this reader does.
    Broken {
        /// The row group, from 1 on.
        row_group: usize,
        /// The row of the file, from 1 on, before which the fault shows, if that is known.
        row: Option<u64>,
        /// What is wrong.
        why: String,
    },
    /// A line that doesn't fit in a table with the others.
    Line {
        /// The line, from 1 on.
        line: u64,
        /// Why.
        why: String,
    },
    /// Anything else that can't be written in the form that was asked for.
    NotWritten(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Read(error) | Fault::Write(error) => f.write_str(&io_reason(error)),
            Fault::NotParquet(why) => write!(f, "is not a Parquet file that can be read: {why}"),
            Fault::NoColumn(column) => write!(f, "has no column {column:?}; --text-field names another"),
            Fault::TwoColumns(column) => write!(f, "has the column {column:?} twice"),
            Fault::NotStrings { column, what } => write!(f, "its column {column:?} is {what}, not strings"),
            Fault::NotUtf8 { column, row_group, row } => {
                write!(f, "row {} (row group {row_group}) is not UTF-8 in the column {column:?}", count(*row))
            }
            Fault::Broken { row_group, row: None, why } => write!(f, "row group {row_group} is broken: {why}"),
            Fault::Broken { row_group, row: Some(row), why } => {
                write!(f, "row group {row_group} is broken at row {} or behind it: {why}", count(*row))
            }
            Fault::Line { line, why } => write!(f, "line {} of its clean copy: {why}", count(*line)),
            Fault::NotWritten(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Read(error) | Fault::Write(error) => error,
            fault => io::Error::new(io::ErrorKind::InvalidData, fault.to_string()),
        }
    }
}

impl Fault {
    /// What the library says of row group `row_group` (from 0 on), where all before row `row` (from 1 on) was read.
    fn in_group(error: ParquetError, row_group: usize, row: Option<u64>) -> Self {
        match system_error(error) {
            Ok(error) => Fault::Read(error),
            Err(why) => Fault::Broken { row_group: row_group + 1, row, why },
        }
    }
}

/// The system's error that is behind one of the library, or else the library's reason.
fn system_error(error: ParquetError) -> Result<io::Error, String> {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            // Codecs speak in such errors, too; those have no number of the system.
            Ok(error) if error.raw_os_error().is_some() || error.get_ref().is_some_and(|inner| inner.is::<Spooling>()) => {
                Ok(*error)
            }
            Ok(error) => Err(io_reason(&error)),
            Err(error) => Err(error.to_string()),
        },
        ParquetError::General(why) | ParquetError::EOF(why) | ParquetError::NYI(why) => Err(why),
        error => Err(error.to_string()),
    }
}

/// A file, what its footer says, and which of its columns are read.
#[derive(Clone, Debug)]
struct Table {
    file: Shared,
    metadata: Arc<ParquetMetaData>,
    /// The column of the texts, among the leaves of the schema.
    text: usize,
    /// Likewise the one of the ids.
    id: Option<usize>,
}

impl Table {
    fn open(file: File, fields: &Fields) -> Result<Self, Fault> {
        let file = Shared::new(file).map_err(Fault::Read)?;
        let footer = guarded(|| ParquetMetaDataReader::new().parse_and_finish(&file));
        let metadata = footer.map_err(|error| system_error(error).map_or_else(Fault::NotParquet, Fault::Read))?;
        let schema = metadata.file_metadata().schema_descr();
        let text = text_column(schema, &fields.text)?;
        let id = fields.id.as_ref().and_then(|id| {
            let is_scalar = |column: &usize| schema.column(*column).max_rep_level() == 0;
            leaves_of(schema, id).next().filter(is_scalar)
        });
        for (number, group) in metadata.row_groups().iter().enumerate() {
            check_group(group, schema).map_err(|why| Fault::Broken { row_group: number + 1, row: None, why })?;
        }
        Ok(Self { file, metadata: Arc::new(metadata), text, id })
    }

    /// The same with the page indexes. One that can't be read is as good as none: it only says again what pages say.
    fn with_page_index(file: File, fields: &Fields) -> Result<Self, Fault> {
        let mut table = Self::open(file, fields)?;
        let read = guarded(|| {
            let mut reader = ParquetMetaDataReader::new_with_metadata(table.metadata.as_ref().clone())
                .with_page_index_policy(PageIndexPolicy::Optional);
            reader.read_page_indexes(&table.file)?;
            reader.finish()
        });
        if let Ok(metadata) = read {
            table.metadata = Arc::new(metadata);
        }
        Ok(table)
    }

    /// What the footer says of the row group, from 0 on.
    fn group(&self, number: usize) -> &RowGroupMetaData {
        self.metadata.row_group(number)
    }

    /// How many rows the row group has.
    fn rows(&self, number: usize) -> u64 {
        self.group(number).num_rows() as u64
    }

    /// The level of a row that has a text.
    fn text_level(&self) -> i16 {
        self.metadata.file_metadata().schema_descr().column(self.text).max_def_level()
    }

    fn text_name(&self) -> String {
        self.metadata.file_metadata().schema_descr().column(self.text).path().string()
    }
}

/// How many bytes the texts of a table have, by its footer.
pub(crate) fn texts_of(file: File, fields: &Fields) -> Option<u64> {
    let table = Table::open(file, fields).ok()?;
    let sizes = table.metadata.row_groups().iter().map(|group| group.column(table.text).uncompressed_size());
    sizes.map(|size| u64::try_from(size).ok()).sum()
}

/// The columns that have this path. A name may hold dots, too.
fn leaves_of<'a>(schema: &'a SchemaDescriptor, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    (0..schema.num_columns()).filter(move |&column| schema.column(column).path().string() == name)
}

fn text_column(schema: &SchemaDescriptor, name: &str) -> Result<usize, Fault> {
    let not_strings = |what: &str| Err(Fault::NotStrings { column: name.into(), what: what.into() });
    let mut leaves = leaves_of(schema, name);
    let (Some(column), None) = (leaves.next(), leaves.next()) else {
        let is_twice = leaves_of(schema, name).next().is_some();
        return match group_of(schema.root_schema(), name) {
            _ if is_twice => Err(Fault::TwoColumns(name.into())),
            Some(group) => not_strings(kind_of_group(group)),
            None => Err(Fault::NoColumn(name.into())),
        };
    };
    let leaf = schema.column(column);
    let is_text = leaf.logical_type_ref() == Some(&LogicalType::String) || leaf.converted_type() == ConvertedType::UTF8;
    match leaf.physical_type() {
        _ if leaf.max_rep_level() > 0 => not_strings("a list"),
        Physical::BYTE_ARRAY if is_text => Ok(column),
        Physical::BYTE_ARRAY if leaf.logical_type_ref().is_none() && leaf.converted_type() == ConvertedType::NONE => {
            not_strings("binary")
        }
        physical => match leaf.converted_type() {
            ConvertedType::NONE => not_strings(&format!("{physical}")),
            converted => not_strings(&format!("{converted}")),
        },
    }
}

/// The struct, list or map that has this path.
fn group_of<'a>(root: &'a Type, name: &str) -> Option<&'a Type> {
    root.get_fields().iter().filter(|field| field.is_group()).find_map(|field| match name.strip_prefix(field.name())? {
        "" => Some(&**field),
        rest => group_of(field, rest.strip_prefix('.')?),
    })
}

fn kind_of_group(group: &Type) -> &'static str {
    let info = group.get_basic_info();
    match info.converted_type() {
        ConvertedType::LIST => "a list",
        ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE => "a map",
        _ if info.has_repetition() && info.repetition() == Repetition::REPEATED => "a list",
        _ => "a struct",
    }
}

/// What is wrong with the numbers in the footer, on which the library would stumble.
fn check_group(group: &RowGroupMetaData, schema: &SchemaDescriptor) -> Result<(), String> {
    if group.num_columns() != schema.num_columns() {
        return Err(format!("it has {} columns, not {}", group.num_columns(), schema.num_columns()));
    }
    if group.num_rows() < 0 {
        return Err(format!("it has {} rows", group.num_rows()));
    }
    if group.columns().iter().any(|chunk| chunk.file_path().is_some()) {
        return Err("its columns stand in another file".into());
    }
    let is_negative = |chunk: &&ColumnChunkMetaData| {
        let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
        start < 0 || chunk.compressed_size() < 0 || chunk.uncompressed_size() < 0
    };
    match group.columns().iter().find(is_negative) {
        Some(chunk) => Err(format!("its column {:?} stands nowhere in the file", chunk.column_path().string())),
        None => Ok(()),
    }
}
