//! Tables that are cleaned with a record, proven once more, and given back.
#![cfg(feature = "parquet")]

#[path = "support/desk.rs"]
mod desk;
#[path = "support/python.rs"]
mod python;
#[path = "support/tables.rs"]
mod tables;

use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StructArray};
use arrow_schema::{DataType, Field};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use desk::{Desk, Ran};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::column::reader::ColumnReader;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use parquet::file::metadata::KeyValue;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::Type;
use std::fs;
use std::sync::Arc;
use tables::{kinds, named, others, parquet, strings};

const RIVER: &str = "The river runs past the old mill and under the bridge.";
const ROAD: &str = "The road goes up the hill, where the old inn stands.";

/// Texts with repeats: some lose a paragraph, some all of it, in the middle of a row group and a whole one.
fn texts() -> Vec<Option<String>> {
    let text = |paragraphs: &[&str]| Some(paragraphs.join("\n\n"));
    vec![
        text(&[RIVER, "First, é \"quoted\"."]),
        None,
        text(&["Zweitens, äöü.", RIVER]),
        text(&[RIVER]),
        text(&[RIVER]),
        text(&[RIVER]),
        text(&[""]),
        text(&[ROAD, RIVER, "Last."]),
        text(&[ROAD]),
        None,
        text(&["It stays."]),
        text(&[ROAD]),
    ]
}

/// A table of texts with other columns around them, nulls among them, and words about it.
fn table(kind: &DataType, texts: &[Option<String>]) -> RecordBatch {
    let rows = texts.len();
    let [numbers, names, tags] = others(rows);
    let bytes: Vec<Vec<u8>> = (0..rows).map(|row| vec![0xff - row as u8; row]).collect();
    let bytes: BinaryArray = bytes.iter().map(|bytes| (bytes.len() % 5 > 0).then_some(&**bytes)).collect();
    let kinds: Vec<Option<String>> = (0..rows).map(|row| (row % 5 > 0).then(|| format!("kind {}", row % 2))).collect();
    let inner = StructArray::try_new(
        vec![Field::new("text", DataType::Utf8, false), Field::new("n", DataType::Int64, true)].into(),
        vec![names.clone(), numbers.clone()],
        Some((0..rows).map(|row| row % 4 != 3).collect()),
    );
    let columns: [(&str, ArrayRef); 7] = [
        ("number", numbers),
        ("id", names),
        ("text", strings(kind, texts)),
        ("tags", tags),
        ("meta", Arc::new(inner.unwrap())),
        ("bytes", Arc::new(bytes)),
        ("kind", strings(kind, &kinds)),
    ];
    named(&columns)
}

/// All that a table is: its rows, how many of them each row group has, how its columns are packed, its schema, and what it says
/// of itself.
type All = (RecordBatch, Vec<i64>, Vec<Vec<Compression>>, String, Vec<KeyValue>);

fn all(bytes: Vec<u8>) -> All {
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap();
    let metadata = builder.metadata().clone();
    let groups = metadata.row_groups().iter();
    let packings = groups.clone().map(|group| group.columns().iter().map(|chunk| chunk.compression()).collect());
    let footer = metadata.file_metadata();
    let words = footer.key_value_metadata().cloned().unwrap_or_default();
    let schema = builder.schema().clone();
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
    let rows = concat_batches(&schema, &batches).unwrap();
    (rows, groups.clone().map(|group| group.num_rows()).collect(), packings.collect(), format!("{:?}", footer.schema()), words)
}

/// Cleans `a.parquet` across documents, runs of any length, with a record.
fn clean(desk: &Desk, args: &[&str]) -> Ran {
    let how = [
        "clean",
        "a.parquet",
        "-o",
        "out.parquet",
        "--record",
        "cuts.jsonl",
        "--across",
        "--min-chars",
        "1",
        "--max-removed",
        "100%",
    ];
    desk.run(&[&how[..], args].concat())
}

/// Cleans, proves, takes the original away and gives it back; holds that it is the same.
#[track_caller]
fn round_trip(original: &[u8], args: &[&str], what: &str) -> Desk {
    let desk = Desk::new();
    desk.write("a.parquet", original);
    clean(&desk, args).succeeds();
    desk.run(&["verify", "cuts.jsonl"]).succeeds().says("all hold");
    fs::remove_file(desk.path("a.parquet")).unwrap();
    desk.run(&["restore", "cuts.jsonl"]).succeeds().says("1 original restored");
    assert!(all(fs::read(desk.path("a.parquet")).unwrap()) == all(original.to_vec()), "{what}");
    desk.run(&["verify", "cuts.jsonl"]).succeeds();
    desk
}

#[test]
fn a_table_comes_back_whatever_it_lost() {
    let hows: [&[&str]; 5] = [&[], &["--unit", "document"], &["--empty", "keep"], &["--drop-above", "40%"], &["--unit", "line"]];
    for kind in kinds() {
        for group_rows in [100, 5, 1] {
            for how in hows {
                round_trip(&parquet(&table(&kind, &texts()), group_rows), how, &format!("{kind}, {group_rows}, {how:?}"));
            }
        }
    }
}

#[test]
fn rows_that_went_are_on_record_without_their_texts() {
    let desk = round_trip(&parquet(&table(&DataType::Utf8, &texts()), 5), &[], "");
    let record = desk.read("cuts.jsonl");
    let lines: Vec<serde_json::Value> = record.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let file = lines.iter().find(|line| line["file"].is_u64()).unwrap();
    assert_eq!(file["row_groups"], serde_json::json!([5, 5, 2]));
    let rows = lines.iter().filter(|line| line["rows"].is_array());
    assert_eq!(rows.map(|line| line["rows"].to_string()).collect::<Vec<_>>(), ["[3,4]", "[5,8]", "[11]"]);
    let kept = clean(&desk, &["--empty", "keep"]);
    kept.succeeds();
    assert!(!desk.read("cuts.jsonl").contains("{\"rows\":"), "no row went");
}

#[test]
fn a_table_that_nothing_repeats_in_comes_back() {
    round_trip(&parquet(&table(&DataType::Utf8, &[Some("One.".into()), None]), 1), &[], "");
    round_trip(&parquet(&table(&DataType::Utf8, &[]), 1), &[], "without rows");
}

#[test]
fn texts_within_structs_come_back() {
    let texts = strings(&DataType::Utf8, &texts());
    let numbers: ArrayRef = Arc::new((0..texts.len() as i64).map(Some).collect::<Int64Array>());
    let fields = vec![Field::new("text", DataType::Utf8, true), Field::new("n", DataType::Int64, true)];
    let nulls = (0..texts.len()).map(|row| row != 9).collect();
    let inner = StructArray::try_new(fields.into(), vec![texts, numbers], Some(nulls)).unwrap();
    let table = RecordBatch::try_from_iter_with_nullable([("doc", Arc::new(inner) as ArrayRef, true)]).unwrap();
    round_trip(&parquet(&table, 4), &["--text-field", "doc.text"], "");
    let alone = RecordBatch::try_from_iter([("text", strings(&DataType::Utf8, &[Some(RIVER.into()), Some(RIVER.into())]))]);
    round_trip(&parquet(&alone.unwrap(), 1), &[], "no other columns");
}

/// A table with columns that Arrow can't write, or not so: timestamps of old, decimals of any length, intervals, bare lists.
fn odd_table() -> Vec<u8> {
    let schema = "message m {
        optional int96 at; required binary text (STRING); required fixed_len_byte_array(16) price (DECIMAL(9,2));
        optional binary sum (DECIMAL(20,3)); required fixed_len_byte_array(12) span (INTERVAL); repeated int32 old;
    }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    for group in 0..2 {
        let mut columns = writer.next_row_group().unwrap();
        for name in ["at", "text", "price", "sum", "span", "old"] {
            let mut column = columns.next_column().unwrap().unwrap();
            match column.untyped() {
                ColumnWriter::Int96ColumnWriter(to) => {
                    let values = [Int96::from(vec![1, 2, 2_440_588]), Int96::from(vec![5, group, 9])];
                    to.write_batch(&values, Some(&[1, 0, 1]), None)
                }
                ColumnWriter::ByteArrayColumnWriter(to) if name == "text" => {
                    to.write_batch(&[RIVER, ROAD, RIVER].map(ByteArray::from), None, None)
                }
                ColumnWriter::ByteArrayColumnWriter(to) => {
                    to.write_batch(&[vec![1], vec![0, 0, group as u8, 7]].map(ByteArray::from), Some(&[0, 1, 1]), None)
                }
                ColumnWriter::FixedLenByteArrayColumnWriter(to) => {
                    let len = if name == "price" { 16 } else { 12 };
                    let value = |of: u8| FixedLenByteArray::from(vec![of + group as u8; len]);
                    to.write_batch(&[1, 2, 3].map(value), None, None)
                }
                ColumnWriter::Int32ColumnWriter(to) => {
                    to.write_batch(&[1, 2, 3, 4], Some(&[1, 1, 1, 0, 1]), Some(&[0, 1, 1, 0, 0]))
                }
                _ => unreachable!("there are no others"),
            }
            .unwrap();
            column.close().unwrap();
        }
        columns.close().unwrap();
    }
    writer.into_inner().unwrap()
}

#[test]
fn columns_of_any_type_come_back() {
    let desk = Desk::new();
    desk.write("a.parquet", odd_table());
    clean(&desk, &[]).succeeds().says("dropped");
    fs::remove_file(desk.path("a.parquet")).unwrap();
    desk.run(&["restore", "cuts.jsonl"]).succeeds();
    let restored = columns(fs::read(desk.path("a.parquet")).unwrap());
    assert_eq!(restored, columns(odd_table()));
}

/// The schema of a table, and all columns of its row groups, values and levels.
fn columns(bytes: Vec<u8>) -> (Type, Vec<Vec<String>>) {
    let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    let groups = (0..reader.num_row_groups()).map(|number| {
        let group = reader.get_row_group(number).unwrap();
        let column = |number: usize| {
            macro_rules! each_type {
                ($($kind:ident),*) => {
                    match group.get_column_reader(number).unwrap() {
                        $(ColumnReader::$kind(mut column) => {
                            let (mut definitions, mut repetitions, mut values) = (Vec::new(), Vec::new(), Vec::new());
                            let read = column.read_records(9, Some(&mut definitions), Some(&mut repetitions), &mut values);
                            format!("{} rows: {values:?} {definitions:?} {repetitions:?}", read.unwrap().0)
                        })*
                        _ => unreachable!("there are no others"),
                    }
                };
            }
            each_type!(Int32ColumnReader, Int96ColumnReader, ByteArrayColumnReader, FixedLenByteArrayColumnReader)
        };
        (0..group.num_columns()).map(column).collect()
    });
    (reader.metadata().file_metadata().schema().clone(), groups.collect())
}

#[test]
fn a_table_is_cleaned_in_place_and_taken_back() {
    let desk = Desk::new();
    let original = parquet(&table(&DataType::Utf8, &texts()), 5);
    for args in [&["--across", "--min-chars", "1"][..], &["--unit", "document"]] {
        desk.write("t/a.parquet", &original);
        desk.run(&[&["clean", "--in-place", "t"], args].concat()).succeeds().says("To undo it: unecho restore");
        assert!(all(fs::read(desk.path("t/a.parquet")).unwrap()) != all(original.clone()));
        let record = "t/.unecho/0001.jsonl";
        desk.run(&["verify", record]).succeeds().says("made of clean copies");
        desk.run(&["restore", record]).succeeds().says("1 original restored");
        assert!(all(fs::read(desk.path("t/a.parquet")).unwrap()) == all(original.clone()));
        desk.run(&["verify", record]).succeeds();
        desk.run(&["restore", record]).succeeds().says("had it already");
        fs::remove_dir_all(desk.path("t")).unwrap();
    }
}

#[test]
fn a_table_from_a_pipe_comes_back() {
    let desk = Desk::new();
    let original = parquet(&table(&DataType::Utf8, &texts()), 5);
    desk.write("a.parquet", &original);
    let how = "clean - --from parquet --across --min-chars 1 -o out.parquet --record cuts.jsonl";
    desk.sh(&format!("cat a.parquet | unecho {how}")).succeeds();
    desk.run(&["verify", "cuts.jsonl"]).succeeds().says("made of clean copies");
    desk.run(&["restore", "cuts.jsonl", "-o", "back.parquet"]).succeeds();
    assert!(all(fs::read(desk.path("back.parquet")).unwrap()) == all(original));
}

#[test]
fn tables_and_records_that_repeat_one_another_come_back() {
    let desk = Desk::new();
    let original = parquet(&table(&DataType::Utf8, &texts()), 5);
    let lines =
        format!("{}\n{}\n", serde_json::json!({ "text": ROAD, "n": 1 }), serde_json::json!({ "text": "Another.", "n": 2 }));
    desk.write("in/a.jsonl", &lines);
    desk.write("in/b.parquet", &original);
    desk.write("in/c.parquet", &original);
    desk.run(&["clean", "in", "-o", "out", "--record", "cuts.jsonl", "--across", "--min-chars", "1"]).succeeds();
    desk.run(&["verify", "cuts.jsonl"]).succeeds();
    fs::remove_dir_all(desk.path("in")).unwrap();
    fs::create_dir(desk.path("in")).unwrap();
    desk.run(&["restore", "cuts.jsonl"]).succeeds().says("3 originals restored");
    assert_eq!(desk.read("in/a.jsonl"), lines);
    for path in ["in/b.parquet", "in/c.parquet"] {
        assert!(all(fs::read(desk.path(path)).unwrap()) == all(original.clone()), "{path}");
    }
}

#[test]
fn large_columns_are_on_several_lines() {
    let rows = 40;
    let blobs: Vec<Vec<u8>> = (0..rows).map(|row: usize| (0..500_000).map(|at| ((row * at * at) >> 7) as u8).collect()).collect();
    let blobs: BinaryArray = blobs.iter().map(|blob| Some(&**blob)).collect();
    let texts = vec![Some(RIVER.to_owned()); rows];
    let columns: [(&str, ArrayRef); 2] = [("blob", Arc::new(blobs)), ("text", strings(&DataType::Utf8, &texts))];
    let desk = round_trip(&parquet(&RecordBatch::try_from_iter(columns).unwrap(), 100), &[], "");
    let record = desk.read("cuts.jsonl");
    assert!(record.lines().filter(|line| line.starts_with("{\"rows\":")).count() == 2);
}

/// A table that was cleaned in place with its record, whose lines are changed.
fn with_record(change: impl Fn(&str) -> Option<String>) -> Desk {
    let desk = Desk::new();
    desk.write("t/a.parquet", parquet(&table(&DataType::Utf8, &texts()), 5));
    desk.run(&["clean", "--in-place", "t", "--across", "--min-chars", "1"]).succeeds();
    let record = desk.read("t/.unecho/0001.jsonl");
    let changed: String = record.lines().filter_map(|line| change(line).map(|line| line + "\n")).collect();
    desk.write("t/.unecho/0001.jsonl", changed);
    desk
}

/// Holds that neither command is content, and that nothing is written.
#[track_caller]
fn fails(desk: &Desk, verifying: &str, restoring: &str) {
    let before = fs::read(desk.path("t/a.parquet")).unwrap();
    let verified = desk.run(&["verify", "t/.unecho/0001.jsonl"]);
    assert_ne!(verified.status, Some(0), "{verified}");
    verified.says(verifying);
    desk.run(&["restore", "t/.unecho/0001.jsonl"]).fails(restoring);
    assert!(fs::read(desk.path("t/a.parquet")).unwrap() == before);
    assert_eq!(desk.leftovers("t"), [""; 0].map(std::path::PathBuf::from));
}

#[test]
fn a_flipped_byte_of_a_row_on_record_is_found() {
    // Without the sum of the whole record, as after a run that broke off.
    let desk = with_record(|line| match line.split_once("\"base64\":\"") {
        _ if line.starts_with("{\"complete\"") => None,
        Some((before, after)) if line.starts_with("{\"rows\"") => {
            let (left, right) = after.split_at(200);
            let flipped = if right.starts_with('A') { 'B' } else { 'A' };
            Some(format!("{before}\"base64\":\"{left}{flipped}{}", &right[1..]))
        }
        _ => Some(line.into()),
    });
    fails(&desk, "its rows aren't as they were written", "its rows aren't as they were written");
}

#[test]
fn a_record_that_doesnt_fit_its_table_is_refused() {
    let without = |what: &'static str| {
        move |line: &str| (!line.starts_with(what) && !line.starts_with("{\"complete\"")).then(|| line.to_owned())
    };
    let desk = with_record(without("{\"rows\""));
    fails(&desk, "its row went as a whole, and isn't in the record", "is no copy of the table");
    let change = |from: &'static str, to: &'static str| {
        move |line: &str| (!line.starts_with("{\"complete\"")).then(|| line.replace(from, to))
    };
    fails(&with_record(change("\"rows\":[3,4]", "\"rows\":[2,4]")), "isn't in the record", "what it cut isn't in its row");
    fails(&with_record(change("\"rows\":[3,4]", "\"rows\":[4,3]")), "in a table, behind those before", "behind those before");
    fails(&with_record(change("\"rows\":[11]", "\"rows\":[12]")), "behind those before", "behind those before");
    for groups in ["[5,5,1]", "[9,5,2]", "[]", "[5,5,2,18446744073709551615]", "[4,6,2]", "[18446744073709551615,5,2]"] {
        let desk = with_record(|line| (!line.starts_with("{\"complete\"")).then(|| line.replace("[5,5,2]", groups)));
        desk.run(&["restore", "t/.unecho/0001.jsonl"]).fails("");
        assert_eq!(desk.leftovers("t"), [""; 0].map(std::path::PathBuf::from), "{groups}");
    }
}

#[test]
fn a_clean_copy_that_isnt_the_one_on_record_is_refused() {
    let desk = Desk::new();
    desk.write("a.parquet", parquet(&table(&DataType::Utf8, &texts()), 5));
    clean(&desk, &[]).succeeds();
    let (copy, ..) = all(fs::read(desk.path("out.parquet")).unwrap());
    fs::remove_file(desk.path("a.parquet")).unwrap();
    for changed in [parquet(&copy, 2), parquet(&copy.slice(0, 2), 5), parquet(&copy.project(&[2]).unwrap(), 3), b"PAR1".to_vec()]
    {
        desk.write("out.parquet", changed);
        desk.run(&["restore", "cuts.jsonl"]).fails("out.parquet: ");
        assert!(!desk.exists("a.parquet") && desk.leftovers("").is_empty());
    }
}

/// A table, changed in a column.
fn changed(table: &RecordBatch, column: &str, change: impl Fn(ArrayRef) -> ArrayRef) -> Vec<u8> {
    let at = table.schema().index_of(column).unwrap();
    let mut columns = table.columns().to_vec();
    columns[at] = change(Arc::clone(&columns[at]));
    parquet(&RecordBatch::try_new(table.schema(), columns).unwrap(), 5)
}

/// The rows of a column go round by one.
fn turned(column: ArrayRef) -> ArrayRef {
    arrow_select::concat::concat(&[&column.slice(1, column.len() - 1), &column.slice(0, 1)]).unwrap()
}

#[test]
fn a_clean_copy_whose_texts_stand_in_other_rows_is_refused() {
    let desk = Desk::new();
    let texts = ["One.", "", "Three.", "Four."].map(|text| Some(text.to_owned()));
    let original = parquet(&table(&DataType::Utf8, &texts), 5);
    // The same bytes of text, in other rows; and no text where an empty one was.
    let [joined, null] =
        [[Some("One.Three."), Some(""), Some(""), Some("Four.")], [Some("One."), None, Some("Three."), Some("Four.")]];
    for other in [joined, null] {
        let other = other.map(|text| text.map(str::to_owned));
        desk.write("a.parquet", &original);
        clean(&desk, &[]).succeeds();
        desk.run(&["verify", "cuts.jsonl"]).succeeds();
        let copy = fs::read(desk.path("out.parquet")).unwrap();
        desk.write("out.parquet", parquet(&table(&DataType::Utf8, &other), 5));
        let ran = desk.run(&["verify", "cuts.jsonl"]);
        assert_eq!(ran.status, Some(1), "{ran}");
        desk.run(&["restore", "cuts.jsonl", "-o", "back.parquet"])
            .fails("out.parquet: isn't the clean copy that the record tells of");
        assert!(!desk.exists("back.parquet"));
        // Nor is it the original.
        desk.write("out.parquet", copy);
        desk.write("a.parquet", parquet(&table(&DataType::Utf8, &other), 5));
        desk.run(&["verify", "cuts.jsonl"]).disagrees("isn't what its clean copy and the record say");
    }
}

#[test]
fn a_table_that_was_edited_after_a_run_in_place_is_left_alone() {
    let desk = Desk::new();
    desk.write("t/a.parquet", parquet(&table(&DataType::Utf8, &texts()), 5));
    desk.run(&["-i", "t", "--across", "--min-chars", "1", "--max-removed", "100%"]).succeeds();
    let (copy, ..) = all(fs::read(desk.path("t/a.parquet")).unwrap());
    let edited = changed(&copy, "number", turned);
    desk.write("t/a.parquet", &edited);
    desk.run(&["restore", "t/.unecho/0001.jsonl"]).fails("is neither the original nor the clean copy");
    assert!(fs::read(desk.path("t/a.parquet")).unwrap() == edited);
}

#[test]
fn a_clean_copy_whose_other_columns_were_changed_is_found() {
    let desk = Desk::new();
    desk.write("a.parquet", parquet(&table(&DataType::Utf8, &texts()), 5));
    clean(&desk, &["--empty", "keep"]).succeeds();
    let (copy, ..) = all(fs::read(desk.path("out.parquet")).unwrap());
    for column in ["number", "id", "tags", "meta", "bytes", "kind"] {
        desk.write("out.parquet", changed(&copy, column, turned));
        desk.run(&["verify", "cuts.jsonl"]).disagrees("out.parquet: isn't the clean copy that the record tells of");
    }
    clean(&desk, &["--empty", "keep"]).succeeds();
    let (original, ..) = all(fs::read(desk.path("a.parquet")).unwrap());
    for column in ["number", "id", "tags", "meta", "bytes", "kind"] {
        desk.write("a.parquet", changed(&original, column, turned));
        let ran = desk.run(&["verify", "cuts.jsonl"]);
        ran.disagrees(": row group 1: column ").says(column).says("isn't what it is in the original");
    }
}

#[test]
fn another_reader_finds_the_same_table() {
    let Some(python) = python::with("pyarrow") else { return };
    let desk = Desk::new();
    let make = "
import datetime, decimal, pyarrow as pa, pyarrow.parquet as pq
texts = ['The river runs past the old mill.', 'The road goes up the hill.', None, 'The river runs past the old mill.', 'It stays.'] * 40
n = len(texts)
table = pa.table({
    'text': pa.array(texts, pa.large_string()),
    'at': pa.array([datetime.datetime(2024, 1, 1 + i % 28) for i in range(n)], pa.timestamp('us', 'UTC')),
    'price': pa.array([decimal.Decimal(i) / 4 if i % 3 else None for i in range(n)], pa.decimal128(12, 2)),
    'map': pa.array([[('k', i), ('l', None)] if i % 4 else None for i in range(n)], pa.map_(pa.string(), pa.int64())),
    'nested': pa.array([[{'a': [i, None], 'b': b'\\xff' * (i % 5)}] if i % 7 else None for i in range(n)]),
    'kind': pa.array([f'kind {i % 3}' for i in range(n)]).dictionary_encode(),
}).replace_schema_metadata({'made': 'by a test'})
pq.write_table(table, 'a.parquet', row_group_size=30, compression='snappy')
pq.write_table(table, 'old.parquet', row_group_size=30, use_deprecated_int96_timestamps=True)";
    python::run(&python, &desk, make, "which makes tables");
    for name in ["a", "old"] {
        let args = [
            &format!("{name}.parquet"),
            "-o",
            "out.parquet",
            "--record",
            "cuts.jsonl",
            "--unit",
            "document",
            "--max-removed",
            "100%",
        ];
        desk.run(&[&["clean"], &args[..]].concat()).succeeds().says("dropped");
        desk.run(&["verify", "cuts.jsonl"]).succeeds();
        desk.run(&["restore", "cuts.jsonl", "-o", "back.parquet"]).succeeds();
        let compare = format!(
            "
import pyarrow.parquet as pq
a, b = pq.ParquetFile('{name}.parquet'), pq.ParquetFile('back.parquet')
assert a.read().equals(b.read(), check_metadata=True)
assert a.schema.equals(b.schema) and a.schema_arrow.equals(b.schema_arrow, check_metadata=True)
groups = lambda file: [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
assert [group.num_rows for group in groups(a)] == [group.num_rows for group in groups(b)]
packings = lambda file: [[group.column(i).compression for i in range(group.num_columns)] for group in groups(file)]
assert packings(a) == packings(b)"
        );
        python::run(&python, &desk, &compare, "which compares tables");
    }
}
