//! Tables that are made, read, written again and converted.

use super::*;
use crate::document::{Edit, Span};
use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel};
use ::parquet::file::metadata::SortingColumn;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use arrow_array::builder::{Int32Builder, ListBuilder};
use arrow_array::cast::AsArray as _;
use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray, StructArray,
};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use bytes::Bytes;
use proptest::prelude::*;
use std::collections::HashMap;
use std::io::{Cursor, Write as _};
use std::path::Path;

/// A file that holds these bytes.
fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn with_ids() -> Fields {
    Fields { id: Some("id".into()), ..Fields::default() }
}

/// What a row holds beside its id.
#[derive(Clone, Debug)]
struct Row {
    text: Option<String>,
    number: Option<i64>,
    list: Option<Vec<Option<i32>>>,
}

/// How a table is written.
#[derive(Clone, Debug)]
struct How {
    codec: Compression,
    kind: DataType,
    has_dictionary: bool,
    group_rows: usize,
    page_bytes: usize,
    statistics: EnabledStatistics,
    version: WriterVersion,
    has_bloom_filter: bool,
    encoding: Option<Encoding>,
}

impl Default for How {
    fn default() -> Self {
        Self {
            codec: Compression::UNCOMPRESSED,
            kind: DataType::Utf8,
            has_dictionary: false,
            group_rows: 1000,
            page_bytes: 1 << 20,
            statistics: EnabledStatistics::Page,
            version: WriterVersion::PARQUET_1_0,
            has_bloom_filter: false,
            encoding: None,
        }
    }
}

fn texts_as(kind: &DataType, texts: Vec<Option<&str>>) -> ArrayRef {
    match kind {
        DataType::Utf8 => Arc::new(StringArray::from(texts)),
        DataType::LargeUtf8 => Arc::new(LargeStringArray::from(texts)),
        _ => Arc::new(StringViewArray::from(texts)),
    }
}

fn batch(rows: &[Row], how: &How) -> RecordBatch {
    let mut lists = ListBuilder::new(Int32Builder::new());
    rows.iter().for_each(|row| lists.append_option(row.list.clone()));
    let ids = (0..rows.len()).map(|row| Some(format!("row-{row}")));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(ids.collect::<StringArray>())),
        ("number", Arc::new(rows.iter().map(|row| row.number).collect::<Int64Array>())),
        ("text", texts_as(&how.kind, rows.iter().map(|row| row.text.as_deref()).collect())),
        ("list", Arc::new(lists.finish())),
        ("even", Arc::new((0..rows.len()).map(|row| Some(row % 2 == 0)).collect::<BooleanArray>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

fn packed(batch: &RecordBatch, how: &How) -> Vec<u8> {
    let mut properties = WriterProperties::builder()
        .set_compression(how.codec)
        .set_dictionary_enabled(how.has_dictionary)
        .set_max_row_group_row_count(Some(how.group_rows))
        .set_data_page_size_limit(how.page_bytes)
        .set_write_batch_size(4)
        .set_statistics_enabled(how.statistics)
        .set_writer_version(how.version)
        .set_bloom_filter_enabled(how.has_bloom_filter)
        .set_sorting_columns(Some(vec![SortingColumn { column_idx: 0, descending: false, nulls_first: false }]));
    if let Some(encoding) = how.encoding {
        properties = properties.set_column_encoding("text".into(), encoding);
    }
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.build())).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn unpacked(table: Vec<u8>) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(table)).unwrap();
    let schema = builder.schema().clone();
    concat_batches(&schema, &builder.build().unwrap().map(Result::unwrap).collect::<Vec<_>>()).unwrap()
}

fn values(table: &[u8], fields: &Fields, size: usize) -> Result<Vec<Values>, Fault> {
    let mut texts = Texts::open(file(table), fields)?;
    std::iter::from_fn(|| texts.next(size).transpose()).collect()
}

/// All texts and ids.
fn texts(table: &[u8], size: usize) -> Vec<(Option<String>, Option<String>)> {
    let mut texts = Vec::new();
    for values in values(table, &with_ids(), size).unwrap() {
        assert_eq!(values.first_row, texts.len() as u64 + 1);
        assert!(values.len() == 1 || values.bytes.len() <= size, "{} bytes", values.bytes.len());
        for row in 0..values.len() {
            let text = (!values.is_null(row)).then(|| String::from_utf8(values.text(row).to_vec()).unwrap());
            texts.push((text, values.ids.as_ref().and_then(|ids| ids.of(row)).map(str::to_owned)));
        }
    }
    texts
}

/// So many bytes of a column may be in memory.
fn spool(held: usize) -> Spool {
    Spool { held, folder: std::env::temp_dir() }
}

/// The table with the cuts and drops of each of its rows, which are given with their places in the row's text.
fn written(table: &[u8], size: usize, fates: &[Option<Vec<Span>>]) -> Vec<u8> {
    let mut rewriter = Rewriter::new(file(table), &Fields::default(), spool(0), Vec::new()).unwrap();
    for values in values(table, &Fields::default(), size).unwrap() {
        let (cuts, dropped) = fates_of(&values, fates);
        rewriter.append(Rows { values: &values, edits: &cuts, dropped: &dropped }).unwrap();
    }
    rewriter.finish().unwrap()
}

fn fates_of(values: &Values, fates: &[Option<Vec<Span>>]) -> (Vec<Edit>, Vec<u32>) {
    let (mut cuts, mut dropped) = (Vec::new(), Vec::new());
    for row in 0..values.len() {
        let start = values.span(row).start;
        match fates.get(values.first_row as usize - 1 + row) {
            Some(None) => dropped.push(row as u32),
            Some(Some(its)) => {
                cuts.extend(its.iter().map(|cut| Edit::from(Span { start: start + cut.start, end: start + cut.end })));
            }
            None => {}
        }
    }
    (cuts, dropped)
}

/// The rows with those fates, one by one.
fn expected(rows: &[Row], how: &How, fates: &[Option<Vec<Span>>]) -> RecordBatch {
    let cut = |(row, cuts): (&Row, &Option<Vec<Span>>)| {
        let mut row = row.clone();
        for cut in cuts.iter().flatten().rev() {
            row.text.as_mut().unwrap().replace_range(cut.range(), "");
        }
        row
    };
    let cut: Vec<Row> = rows.iter().zip(fates).map(cut).collect();
    filter_record_batch(&batch(&cut, how), &fates.iter().map(|fate| Some(fate.is_some())).collect::<BooleanArray>()).unwrap()
}

const CODECS: [fn() -> Compression; 7] = [
    || Compression::UNCOMPRESSED,
    || Compression::SNAPPY,
    || Compression::GZIP(GzipLevel::default()),
    || Compression::BROTLI(BrotliLevel::try_new(1).unwrap()),
    || Compression::LZ4,
    || Compression::ZSTD(ZstdLevel::default()),
    || Compression::LZ4_RAW,
];

fn any_row() -> impl Strategy<Value = Row> {
    let text = prop_oneof![Just(String::new()), "[a-cé\u{1f980}\n]{0,12}", "[xy]{0,300}"];
    let list = prop::collection::vec(prop::option::of(any::<i32>()), 0..4);
    (prop::option::weighted(0.8, text), prop::option::of(any::<i64>()), prop::option::of(list))
        .prop_map(|(text, number, list)| Row { text, number, list })
}

fn any_how() -> impl Strategy<Value = How> {
    let kind = prop::sample::select(vec![DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View]);
    let statistics = prop::sample::select(vec![EnabledStatistics::None, EnabledStatistics::Chunk, EnabledStatistics::Page]);
    let version = prop::sample::select(vec![WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0]);
    let encoding = prop::sample::select(vec![None, Some(Encoding::DELTA_LENGTH_BYTE_ARRAY), Some(Encoding::DELTA_BYTE_ARRAY)]);
    let sizes = (1..40usize, 1..200usize);
    (0..CODECS.len(), kind, any::<(bool, bool)>(), sizes, statistics, version, encoding).prop_map(
        |(codec, kind, (has_dictionary, has_bloom_filter), (group_rows, page_bytes), statistics, version, encoding)| How {
            codec: CODECS[codec](),
            kind,
            has_dictionary,
            group_rows,
            page_bytes,
            statistics,
            version,
            has_bloom_filter,
            encoding,
        },
    )
}

/// Cuts at characters, from any numbers; or a drop.
fn fate(row: &Row, (seed, drops, cuts): (u64, bool, Vec<u8>)) -> Option<Vec<Span>> {
    if drops && seed % 3 == 0 {
        return None;
    }
    let text = row.text.as_deref().unwrap_or("");
    let mut places: Vec<usize> = cuts.iter().map(|&cut| usize::from(cut) % (text.len() + 1)).collect();
    places.retain(|&place| text.is_char_boundary(place));
    places.sort_unstable();
    places.dedup();
    Some(places.chunks_exact(2).map(|cut| Span::new(cut[0], cut[1])).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn texts_and_ids_are_those_of_the_table(rows in prop::collection::vec(any_row(), 0..90), how in any_how(), size in 1..400usize) {
        let table = packed(&batch(&rows, &how), &how);
        let expected: Vec<_> = rows.iter().zip(0..).map(|(row, at)| (row.text.clone(), Some(format!("row-{at}")))).collect();
        prop_assert_eq!(&texts(&table, size), &expected);
        prop_assert_eq!(&texts(&table, usize::MAX), &expected);
    }

    #[test]
    fn a_table_without_cuts_stays(rows in prop::collection::vec(any_row(), 0..90), how in any_how(), size in 1..400usize) {
        let table = packed(&batch(&rows, &how), &how);
        let copy = written(&table, size, &[]);
        let groups = |table: &[u8]| {
            let table = Table::open(file(table), &Fields::default()).unwrap();
            table.metadata.row_groups().iter().map(|group| (group.num_rows(), group.sorting_columns().cloned())).collect::<Vec<_>>()
        };
        prop_assert_eq!(groups(&copy), groups(&table));
        prop_assert_eq!(unpacked(copy), batch(&rows, &how));
    }

    #[test]
    fn a_table_loses_what_is_cut_and_dropped(
        rows in prop::collection::vec((any_row(), (any::<u64>(), any::<bool>(), prop::collection::vec(any::<u8>(), 0..6))), 0..90),
        drops in any::<bool>(),
        how in any_how(),
        size in 1..400usize,
    ) {
        let (rows, seeds): (Vec<Row>, Vec<_>) = rows.into_iter().unzip();
        let fates: Vec<_> = rows.iter().zip(seeds).map(|(row, (seed, one, cuts))| fate(row, (seed, drops && one, cuts))).collect();
        let table = packed(&batch(&rows, &how), &how);
        let copy = written(&table, size, &fates);
        prop_assert_eq!(&copy, &written(&table, usize::MAX, &fates));
        prop_assert_eq!(unpacked(copy.clone()), expected(&rows, &how, &fates));
        // The copy is a table like any other.
        prop_assert_eq!(unpacked(written(&copy, size, &[])), expected(&rows, &how, &fates));
    }

    #[test]
    fn json_lines_have_what_stays(
        rows in prop::collection::vec((any_row(), (any::<u64>(), any::<bool>(), prop::collection::vec(any::<u8>(), 0..6))), 1..90),
        how in any_how(),
        size in 1..400usize,
    ) {
        let (rows, seeds): (Vec<Row>, Vec<_>) = rows.into_iter().unzip();
        let fates: Vec<_> = rows.iter().zip(seeds).map(|(row, seed)| fate(row, seed)).collect();
        let table = packed(&batch(&rows, &how), &how);
        let (mut json, mut lines) = (JsonLines::open(file(&table), &Fields::default()).unwrap(), Vec::new());
        for values in values(&table, &Fields::default(), size).unwrap() {
            let (cuts, dropped) = fates_of(&values, &fates);
            json.append(Rows { values: &values, edits: &cuts, dropped: &dropped }, &mut lines).unwrap();
        }
        let stay = unpacked(written(&table, size, &fates));
        let expected = (0..stay.num_rows()).map(|row| {
            let text = texts_of(stay.column(2)).remove(row);
            let number = stay.column(1).as_primitive::<arrow_array::types::Int64Type>();
            let list = stay.column(3).as_list::<i32>();
            let list = list.is_valid(row).then(|| {
                list.value(row).as_primitive::<arrow_array::types::Int32Type>().iter().collect::<Vec<_>>()
            });
            serde_json::json!({
                "id": stay.column(0).as_string::<i32>().value(row),
                "number": number.is_valid(row).then(|| number.value(row)),
                "text": text,
                "list": list,
                "even": stay.column(4).as_boolean().value(row),
            })
        });
        let said = serde_json::Deserializer::from_slice(&lines).into_iter::<serde_json::Value>().map(Result::unwrap);
        prop_assert_eq!(said.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        // And back: the same rows again.
        let back = unpacked(from_json_lines(Cursor::new(lines), "text", Vec::new()).unwrap());
        prop_assert_eq!(back.num_rows(), stay.num_rows());
        if back.num_rows() > 0 {
            let column = back.column_by_name("text").unwrap();
            let is_null = column.data_type() == &DataType::Null;
            prop_assert!(is_null || texts_of(column) == texts_of(stay.column(2)));
        }
    }
}

fn texts_of(column: &ArrayRef) -> Vec<Option<String>> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().iter().map(owned).collect(),
        DataType::LargeUtf8 => column.as_string::<i64>().iter().map(owned).collect(),
        _ => column.as_string_view().iter().map(owned).collect(),
    }
}

fn rows(texts: &[&str]) -> Vec<Row> {
    texts.iter().map(|&text| Row { text: Some(text.into()), number: Some(7), list: Some(vec![Some(1), None]) }).collect()
}

/// A table of a few texts in two row groups, and how it is written.
fn small() -> (Vec<u8>, How) {
    let how = How { group_rows: 3, codec: Compression::ZSTD(ZstdLevel::default()), ..How::default() };
    (packed(&batch(&rows(&["one", "two", "three", "four", "five"]), &how), &how), how)
}

#[test]
fn a_group_that_didnt_change_is_copied_as_it_stands() {
    let (table, _) = small();
    let copy = written(&table, 1, &[]);
    let chunks = |table: &[u8]| {
        let opened = Table::open(file(table), &Fields::default()).unwrap();
        let groups = opened.metadata.row_groups().iter();
        let chunks = groups.flat_map(|group| group.columns()).map(|chunk| {
            let (start, len) = chunk.byte_range();
            table[start as usize..][..len as usize].to_vec()
        });
        chunks.collect::<Vec<_>>()
    };
    assert_eq!(chunks(&copy), chunks(&table));
    let fates = [Some(vec![]), Some(vec![Span::new(0, 1)])];
    let cut = chunks(&written(&table, 1, &fates));
    let changed: Vec<usize> = (0..cut.len()).filter(|&at| cut[at] != chunks(&table)[at]).collect();
    assert_eq!(changed, [2], "the texts of the first group alone");
}

#[test]
fn a_group_without_rows_is_left_out() {
    let (table, _) = small();
    let copy = written(&table, usize::MAX, &[None, None, None]);
    let copy = Table::open(file(&copy), &Fields::default()).unwrap();
    assert_eq!(copy.metadata.row_groups().iter().map(|group| group.num_rows()).collect::<Vec<_>>(), [2]);
}

#[test]
fn texts_within_structs_are_found_by_their_path() {
    let text: ArrayRef = Arc::new(StringArray::from(vec![Some("one"), None, Some("three")]));
    let inner = StructArray::try_new(
        vec![Field::new("text", DataType::Utf8, true), Field::new("n", DataType::Int64, false)].into(),
        vec![text, Arc::new(Int64Array::from(vec![1, 2, 3]))],
        Some(vec![true, true, false].into()),
    );
    let table = RecordBatch::try_from_iter_with_nullable([("doc", Arc::new(inner.unwrap()) as ArrayRef, true)]).unwrap();
    let bytes = packed(&table, &How::default());
    let fields = Fields { text: "doc.text".into(), id: Some("doc.n".into()) };
    let values = values(&bytes, &fields, 100).unwrap().remove(0);
    assert_eq!((&values.bytes[..], values.is_null(1), values.is_null(2)), (&b"one"[..], true, true));
    assert_eq!((0..3).map(|row| values.ids.as_ref().unwrap().of(row)).collect::<Vec<_>>(), [Some("1"), Some("2"), None]);
    let rows = Rows { values: &values, edits: &[Span::new(0, 1).into()], dropped: &[1] };
    let mut rewriter = Rewriter::new(file(&bytes), &fields, spool(0), Vec::new()).unwrap();
    rewriter.append(rows).unwrap();
    let copy = unpacked(rewriter.finish().unwrap());
    let doc = copy.column(0).as_struct();
    assert_eq!((doc.len(), doc.is_null(1), doc.column(0).as_string::<i32>().value(0)), (2, true, "ne"));
    let mut lines = Vec::new();
    JsonLines::open(file(&bytes), &fields).unwrap().append(rows, &mut lines).unwrap();
    assert_eq!(String::from_utf8(lines).unwrap(), "{\"doc\":{\"text\":\"ne\",\"n\":1}}\n{\"doc\":null}\n");
}

/// What is said of a table without texts that can be read.
fn refusal(table: &[u8], column: &str) -> String {
    let fields = Fields { text: column.into(), id: None };
    values(table, &fields, 100).unwrap_err().to_string()
}

#[test]
fn what_is_no_column_of_strings_is_named() {
    let (table, _) = small();
    assert_eq!(refusal(&table, "body"), "has no column \"body\"; --text-field names another");
    assert_eq!(refusal(&table, "list"), "its column \"list\" is a list, not strings");
    assert_eq!(refusal(&table, "list.list.item"), "its column \"list.list.item\" is a list, not strings");
    assert_eq!(refusal(&table, "number"), "its column \"number\" is INT64, not strings");
    assert_eq!(
        refusal(b"a text", "text"),
        "is not a Parquet file that can be read: Parquet file too small. Size is 6 but need 8"
    );
}

#[test]
fn text_that_is_not_utf8_is_named() {
    let plain = How { codec: Compression::UNCOMPRESSED, ..small().1 };
    let mut table = packed(&batch(&rows(&["one", "two", "three", "four", "five"]), &plain), &plain);
    let at = table.windows(4).position(|bytes| bytes == b"four").unwrap();
    table[at] = 0xff;
    assert_eq!(refusal(&table, "text"), "row 4 (row group 2) is not UTF-8 in the column \"text\"");
}

/// Does all there is to do with a table that may be broken; what is wrong is for others to see.
fn use_all(table: &[u8], fields: &Fields) -> Result<usize, Fault> {
    let all = values(table, fields, 50)?;
    let mut rewriter = Rewriter::new(file(table), fields, spool(0), Vec::new())?;
    for values in &all {
        rewriter.append(Rows { values, edits: &[], dropped: &[0] })?;
    }
    rewriter.finish()?;
    let (mut json, mut lines) = (JsonLines::open(file(table), fields)?, Vec::new());
    for values in &all {
        json.append(Rows { values, edits: &[], dropped: &[0] }, &mut lines)?;
    }
    Ok(all.iter().map(Values::len).sum())
}

#[test]
fn a_flipped_bit_is_no_panic() {
    for (codec, version) in CODECS.iter().zip([WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0].iter().cycle()) {
        let has_dictionary = *version == WriterVersion::PARQUET_1_0;
        let how = How { group_rows: 3, codec: codec(), version: *version, has_dictionary, ..How::default() };
        let mut table = packed(&batch(&rows(&["one", "two", "three", "four", "five"]), &how), &how);
        for at in 0..table.len() {
            let bit = 1 << (at % 8);
            table[at] ^= bit;
            _ = use_all(&table, &with_ids());
            table[at] ^= bit;
        }
    }
}

#[test]
fn a_table_that_is_cut_short_is_broken() {
    let (table, _) = small();
    for len in 0..table.len() {
        assert!(use_all(&table[..len], &with_ids()).is_err(), "{len}");
    }
}

#[test]
fn lines_become_columns() {
    let lines = b"{\"z\":1,\"text\":\"one\"}\n\n{\"text\":\"two\",\"a\":[1,2.5],\"z\":true,\"o\":{\"k\":null}}\r\n{\"z\":null}";
    let table = unpacked(from_json_lines(Cursor::new(lines), "text", Vec::new()).unwrap());
    let schema = table.schema();
    let columns: Vec<String> = schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
    assert_eq!(columns, ["z Utf8", "text Utf8", "a List(Float64)", "o Struct(\"k\": Null)"]);
    assert_eq!(texts_of(table.column(0)), [Some("1".into()), Some("true".into()), None]);
    assert_eq!(texts_of(table.column(1)), [Some("one".into()), Some("two".into()), None]);
}

#[test]
fn a_line_that_fits_in_no_table_is_named() {
    let refused = |lines: &str| from_json_lines(Cursor::new(lines), "text", Vec::new()).unwrap_err().to_string();
    assert_eq!(
        refused("{\"a\":1}\n\n{\"a\":{}}"),
        "line 3 of its clean copy: its field \"a\" is an object and was a string or number before, but a column of a table has one type"
    );
    assert_eq!(refused("{\"a\":1}\n{\"a\":"), "line 2 of its clean copy: EOF while parsing a value");
    assert_eq!(refused("{\"a\":{}}"), "its field \"a\" is an empty object in each line, which Parquet has no type for");
    assert_eq!(refused("[1]"), "line 1 of its clean copy: invalid type: sequence, expected an object");
}

/// Each column of each table is taken for the texts once; `--nocapture` shows what comes of it.
#[test]
fn files_of_others_are_read_or_refused() {
    let data =
        std::env::var_os("UNECHO_DATA").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), Into::into);
    let folder = data.join("containers/parquet");
    if !folder.is_dir() {
        return eprintln!("{} is absent: nothing was tested", folder.display());
    }
    let mut seen = 0;
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.unwrap();
        if entry.path().extension().is_none_or(|extension| extension != "parquet") {
            continue;
        }
        seen += 1;
        let table = std::fs::read(entry.path()).unwrap();
        let names = column_names(&table);
        for column in names.iter().map(String::as_str).chain(["no such column"]) {
            let fields = Fields { text: column.into(), id: names.last().cloned() };
            let said = match use_all(&table, &fields) {
                Ok(rows) => format!("{rows} texts"),
                Err(fault) => fault.to_string(),
            };
            println!("{} {column}: {said}", entry.file_name().to_string_lossy());
        }
    }
    assert!(seen > 0, "there are no tables");
}

fn column_names(table: &[u8]) -> Vec<String> {
    let Ok(footer) = ParquetMetaDataReader::new().parse_and_finish(&Bytes::from(table.to_vec())) else { return Vec::new() };
    footer.file_metadata().schema_descr().columns().iter().map(|column| column.path().string()).collect()
}

#[test]
fn the_schema_keeps_its_metadata() {
    let schema = Schema::new_with_metadata(
        vec![Field::new("text", DataType::LargeUtf8, false).with_metadata(HashMap::from([("k".to_owned(), "v".to_owned())]))],
        HashMap::from([("origin".to_owned(), "a test".to_owned())]),
    );
    let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(LargeStringArray::from(vec!["one", "two"]))]).unwrap();
    let packed = packed(&batch, &How { has_dictionary: true, ..How::default() });
    let copy = written(&packed, 1, &[Some(vec![Span::new(0, 1)]), None]);
    assert_eq!(unpacked(copy.clone()).schema(), unpacked(packed).schema());
    assert_eq!(unpacked(copy).column(0).as_string::<i64>().value(0), "ne");
}

/// Takes so many bytes, then no more.
struct Full(usize);

impl std::io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_failed_write_is_told_from_a_failed_read() {
    let (table, _) = small();
    let len = written(&table, usize::MAX, &[]).len();
    for room in [0, len / 2, len - 1] {
        let rewritten = Rewriter::new(file(&table), &Fields::default(), spool(0), Full(room)).and_then(|mut rewriter| {
            for values in values(&table, &Fields::default(), 1)? {
                rewriter.append(Rows { values: &values, edits: &[], dropped: &[] })?;
            }
            rewriter.finish().map(drop)
        });
        let fault = rewritten.unwrap_err();
        assert!(matches!(&fault, Fault::Write(error) if error.kind() == io::ErrorKind::StorageFull), "{fault:?}");
    }
    let lines = Cursor::new("{\"text\":\"one\"}");
    assert!(matches!(from_json_lines(lines, "text", Full(9)), Err(Fault::Write(_))));
}

#[test]
fn columns_wait_for_their_turn_where_there_is_room() {
    let (table, _) = small();
    let copy = |spool: Spool| {
        let mut rewriter = Rewriter::new(file(&table), &Fields::default(), spool, Vec::new())?;
        for values in values(&table, &Fields::default(), usize::MAX)? {
            rewriter.append(Rows { values: &values, edits: &[], dropped: &[0] })?;
        }
        rewriter.finish()
    };
    assert!(copy(spool(usize::MAX)).unwrap() == copy(spool(0)).unwrap());
    let nowhere = copy(Spool { held: 0, folder: "/nowhere".into() }).map(drop).unwrap_err();
    assert_eq!(nowhere.to_string(), "temporary file in /nowhere: no such file or directory; --temp-dir names another folder");
    assert!(copy(Spool { held: 1 << 20, folder: "/nowhere".into() }).is_ok());
}

#[test]
fn other_columns_that_are_broken_are_named() {
    let how = How { group_rows: 9, ..How::default() };
    let mut table = packed(&batch(&rows(&["one", "two"]), &how), &how);
    let at = table.windows(5).position(|bytes| bytes == b"row-1").unwrap();
    table[at - 4] = 0xff; // the length of the second id
    let mut rewriter = Rewriter::new(file(&table), &Fields::default(), spool(0), Vec::new()).unwrap();
    let values = values(&table, &Fields::default(), 100).unwrap().remove(0);
    rewriter.append(Rows { values: &values, edits: &[], dropped: &[0] }).unwrap();
    let said = rewriter.finish().unwrap_err().to_string();
    assert!(said.starts_with("row group 1 is broken: ") && said.ends_with(" (in its column \"id\")"), "{said}");
}

#[test]
fn the_copy_depends_on_the_table_alone() {
    let words = |row: usize| (0..400).map(|word| format!("w{} ", (row * 7 + word * word) % 5003)).collect::<String>();
    let texts: Vec<String> = (0..4000).map(words).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let fates: Vec<_> = (0..texts.len()).map(|row| (row % 9 != 0).then(|| vec![Span::new(0, row % 40)])).collect();
    for codec in [Compression::ZSTD(ZstdLevel::default()), Compression::GZIP(GzipLevel::default())] {
        let how = How { group_rows: 3000, codec, page_bytes: 100_000, ..How::default() };
        let table = packed(&batch(&rows(&texts), &how), &how);
        let expected = written(&table, usize::MAX, &fates);
        for (threads, size) in [(1, 1 << 20), (2, 50_000), (3, 300_001), (8, usize::MAX)] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let copy = pool.install(|| written(&table, size, &fates));
            assert!(copy == expected, "{codec}: {threads} threads, by {size}");
        }
    }
}

#[test]
fn what_reads_and_writes_may_change_threads() {
    fn may<T: Send>() {}
    may::<(Texts, Values, Rewriter<File>, JsonLines, Fault)>();
}

/// The table made again of its copy and of the rows that are `gone`, which are taken out by threes.
fn woven(table: &[u8], copy: &[u8], gone: &[u64], rows: &[Row]) -> Result<Vec<u8>, Fault> {
    let fields = Fields::default();
    let mut extracts = Extracts::open(file(table), &fields, spool(0))?;
    let mut weaver = Weaver::new(file(copy), &fields, spool(0), Vec::new())?;
    let (mut first, mut gone) = (0, gone);
    for count in extracts.row_groups() {
        let mut apart = Vec::new();
        while gone.first().is_some_and(|row| *row < first + count) {
            let (taken, bytes) = extracts.next(&gone[..gone.len().min(3)])?;
            apart.push(Apart::open(file(&bytes), &fields, gone[..taken].iter().map(|row| row - first).collect())?);
            gone = &gone[taken..];
        }
        let text = |row: u64| rows[(first + row) as usize].text.clone().unwrap_or_default();
        weaver.group(count, &apart, |row, _| Ok::<_, Fault>(text(row).into()))?;
        first += count;
    }
    weaver.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_table_is_made_again_of_its_copy(
        rows in prop::collection::vec((any_row(), (any::<u64>(), any::<bool>(), prop::collection::vec(any::<u8>(), 0..6))), 0..90),
        how in any_how(),
    ) {
        let (rows, seeds): (Vec<Row>, Vec<_>) = rows.into_iter().unzip();
        // A row without a text is never dropped.
        let fates: Vec<_> = rows.iter().zip(seeds).map(|(row, (seed, drops, cuts))| fate(row, (seed, drops && row.text.is_some(), cuts))).collect();
        let gone: Vec<u64> = (0..).zip(&fates).filter(|(_, fate)| fate.is_none()).map(|(row, _)| row).collect();
        let table = packed(&batch(&rows, &how), &how);
        let again = woven(&table, &written(&table, usize::MAX, &fates), &gone, &rows).unwrap();
        let shape = |table: &[u8]| {
            let table = Table::open(file(table), &Fields::default()).unwrap();
            let columns = |group: &RowGroupMetaData| group.columns().iter().map(|chunk| chunk.compression()).collect::<Vec<_>>();
            table.metadata.row_groups().iter().map(|group| (group.num_rows(), columns(group))).collect::<Vec<_>>()
        };
        prop_assert_eq!(shape(&again), shape(&table));
        prop_assert_eq!(unpacked(again), batch(&rows, &how));
    }
}

#[test]
fn what_is_no_copy_of_a_table_is_refused() {
    let (table, how) = small();
    let rows = rows(&["one", "two", "three", "four", "five"]);
    let said = |copy: &[u8], gone: &[u64]| woven(&table, copy, gone, &rows).unwrap_err().to_string();
    let copy = written(&table, usize::MAX, &[None]);
    assert!(woven(&table, &copy, &[0], &rows).is_ok());
    assert_eq!(said(&copy, &[]), "is no copy of the table: its row group 1 has 2 rows, not 3");
    assert_eq!(said(&copy, &[0, 3, 4]), "is no copy of the table: it has more rows than stayed");
    let other = packed(&batch(&rows, &how).project(&[2]).unwrap(), &how);
    let other = written(&other, usize::MAX, &[None]);
    assert_eq!(said(&other, &[0]), "is no copy of the table: rows that went have other columns");
}

#[test]
fn a_flipped_bit_of_a_copy_is_no_panic() {
    let how = How { group_rows: 3, has_dictionary: true, ..How::default() };
    let rows = rows(&["one", "two", "three", "four", "five"]);
    let table = packed(&batch(&rows, &how), &how);
    let mut copy = written(&table, usize::MAX, &[None, Some(vec![Span::new(0, 1)])]);
    for at in 0..copy.len() {
        let bit = 1 << (at % 8);
        copy[at] ^= bit;
        _ = woven(&table, &copy, &[0], &rows);
        copy[at] ^= bit;
    }
}
