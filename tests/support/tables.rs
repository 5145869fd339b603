//! Tables for tests: their columns, and the files that they are written to.

use arrow_array::builder::{ListBuilder, StringBuilder, StringDictionaryBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use std::collections::HashMap;
use std::sync::Arc;

/// How a column of strings is held.
pub(crate) fn strings(kind: &DataType, texts: &[Option<String>]) -> ArrayRef {
    let texts = texts.iter().map(Option::as_deref);
    match kind {
        DataType::Utf8 => Arc::new(texts.collect::<StringArray>()),
        DataType::LargeUtf8 => Arc::new(texts.collect::<LargeStringArray>()),
        DataType::Utf8View => Arc::new(texts.collect::<StringViewArray>()),
        _ => {
            let mut builder = StringDictionaryBuilder::<Int32Type>::new();
            texts.for_each(|text| builder.append_option(text));
            Arc::new(builder.finish())
        }
    }
}

/// The ways in which a column of strings may be held.
pub(crate) fn kinds() -> [DataType; 4] {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, dictionary]
}

/// Columns of numbers, names and lists, nulls among them.
pub(crate) fn others(rows: usize) -> [ArrayRef; 3] {
    let mut tags = ListBuilder::new(StringBuilder::new());
    for row in 0..rows {
        match row % 3 {
            0 => tags.append_null(),
            1 => tags.append_value([] as [Option<&str>; 0]),
            _ => tags.append_value([Some("a"), None, Some("b")]),
        }
    }
    let numbers: Int64Array = (0..rows as i64).map(|row| (row % 4 > 0).then_some(row)).collect();
    let names: StringArray = (0..rows).map(|row| Some(format!("row-{row}"))).collect();
    [Arc::new(numbers), Arc::new(names), Arc::new(tags.finish())]
}

/// A table of these columns, with words about it and each of them.
pub(crate) fn named(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let about = |name: &str| HashMap::from([("of".to_owned(), name.to_owned())]);
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), true).with_metadata(about(name)))
        .collect();
    let schema = Schema::new_with_metadata(fields, about("all"));
    RecordBatch::try_new(Arc::new(schema), columns.iter().map(|(_, column)| Arc::clone(column)).collect()).unwrap()
}

/// The file of a table, whose row groups have so many rows.
pub(crate) fn parquet(table: &RecordBatch, group_rows: usize) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_column_compression(ColumnPath::from("bytes"), Compression::SNAPPY)
        .set_max_row_group_row_count(Some(group_rows))
        .set_key_value_metadata(Some(vec![KeyValue::new("license".into(), Some("CC0".into()))]))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), table.schema(), Some(properties)).unwrap();
    writer.write(table).unwrap();
    writer.into_inner().unwrap()
}
