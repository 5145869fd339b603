//! Tables in Parquet from end to end: what a row keeps, what becomes of the others, and what else is written as a table.
#![cfg(feature = "parquet")]

#[path = "support/desk.rs"]
mod desk;
#[path = "support/python.rs"]
mod python;
#[path = "support/tables.rs"]
mod tables;

use arrow_array::cast::AsArray as _;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StructArray};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema};
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use bytes::Bytes;
use desk::{Desk, Ran, assert_same};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs;
use std::io::Write as _;
use std::sync::Arc;
use tables::{kinds, named, others, parquet, strings};

const RIVER: &str = "The river runs past the old mill and under the bridge.";
const ROAD: &str = "The road goes up the hill, where the old inn stands.";

/// Cleans across documents, runs of any length.
fn across(desk: &Desk, args: &[&str]) -> Ran {
    desk.run(&[&["--across", "--min-chars", "1"], args].concat())
}

/// Texts with repeats, and what is left of each; nothing where all of it repeats.
fn texts() -> Vec<(Option<String>, Option<Option<String>>)> {
    let text = |paragraphs: &[&str]| Some(paragraphs.join("\n\n"));
    vec![
        (text(&[RIVER, "First, é \"quoted\"."]), Some(text(&[RIVER, "First, é \"quoted\"."]))),
        (None, Some(None)),
        (text(&["Second.", RIVER]), Some(text(&["Second."]))),
        (text(&[RIVER]), None),
        (text(&[""]), Some(text(&[""]))),
        (text(&[ROAD, RIVER, "Last."]), Some(text(&[ROAD, "Last."]))),
        (text(&[ROAD]), None),
        (text(&["It stays."]), Some(text(&["It stays."]))),
    ]
}

fn before() -> Vec<Option<String>> {
    texts().into_iter().map(|(text, _)| text).collect()
}

fn after() -> Vec<Option<String>> {
    texts().into_iter().map(|(_, left)| left.unwrap_or_else(|| Some("gone".into()))).collect()
}

/// Which rows stay.
fn stay() -> BooleanArray {
    texts().iter().map(|(_, left)| Some(left.is_some())).collect()
}

/// A table of texts with other columns around them, nulls among them, and words about it.
fn table(kind: &DataType, texts: &[Option<String>]) -> RecordBatch {
    let rows = texts.len();
    let [numbers, names, tags] = others(rows);
    let inner = StructArray::from(vec![(Arc::new(Field::new("text", DataType::Utf8, true)), names.clone())]);
    let columns: [(&str, ArrayRef); 5] =
        [("number", numbers), ("id", names), ("text", strings(kind, texts)), ("tags", tags), ("meta", Arc::new(inner))];
    named(&columns)
}

/// What is left of the table.
fn clean_table(kind: &DataType) -> RecordBatch {
    filter_record_batch(&table(kind, &after()), &stay()).unwrap()
}

/// What a file says of itself.
type Words = Vec<(String, Option<String>)>;

/// The table in a file, its row groups' lengths, and its words of metadata but for the schema's.
fn read(bytes: Vec<u8>) -> (RecordBatch, Vec<i64>, Words) {
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap();
    let groups = builder.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
    let words = builder.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let words = words.into_iter().filter(|word| word.key != "ARROW:schema").map(|word| (word.key, word.value)).collect();
    let schema = builder.schema().clone();
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
    let all = concat_batches(&schema, &batches).unwrap();
    // The file's own words come with those of the schema.
    let mut of_schema = schema.metadata().clone();
    of_schema.remove("license");
    let schema = Arc::new(schema.as_ref().clone().with_metadata(of_schema));
    (RecordBatch::try_new(schema, all.columns().to_vec()).unwrap(), groups, words)
}

fn read_file(desk: &Desk, path: &str) -> RecordBatch {
    read(fs::read(desk.path(path)).unwrap()).0
}

fn texts_of(table: &RecordBatch) -> Vec<Option<String>> {
    let texts = cast(table.column_by_name("text").unwrap(), &DataType::Utf8).unwrap();
    texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
}

/// The same as records; JSON has no text where a row has none.
fn jsonl(texts: &[Option<String>]) -> String {
    let line = |text: &Option<String>| serde_json::json!({ "text": text.as_deref().unwrap_or_default() }).to_string() + "\n";
    texts.iter().map(line).collect()
}

fn values(jsonl: &str) -> Vec<serde_json::Value> {
    jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn gz(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes.as_ref()).unwrap();
    gz.finish().unwrap()
}

// A table is cleaned.

#[test]
fn a_table_keeps_all_but_what_repeats() {
    for kind in kinds() {
        for (group_rows, left) in [(100, vec![6]), (3, vec![3, 2, 1]), (1, vec![1; 6])] {
            let desk = Desk::new();
            desk.write("a.parquet", parquet(&table(&kind, &before()), group_rows));
            across(&desk, &["a.parquet", "-o", "out.parquet"]).succeeds().says("7 documents, 4 with repeats, 2 dropped");
            let (found, groups, words) = read(fs::read(desk.path("out.parquet")).unwrap());
            assert_eq!(found, clean_table(&kind), "{kind}");
            assert_eq!(groups, left, "{kind}");
            assert_eq!(words, [("license".into(), Some("CC0".into()))], "{kind}");
        }
    }
}

#[test]
fn a_table_gives_the_texts_that_its_records_give() {
    let desk = Desk::new();
    desk.write("a.parquet", parquet(&table(&DataType::Utf8, &before()), 3));
    desk.write("a.jsonl", jsonl(&before()));
    for more in [&[][..], &["--unit", "line"], &["--unit", "document"], &["--drop-above", "50%"], &["--empty", "keep"]] {
        across(&desk, &[&["a.parquet", "-o", "out.parquet"], more].concat()).succeeds();
        let wanted = across(&desk, &[&["a.jsonl"], more].concat()).succeeds().stdout.clone();
        assert_same(&jsonl(&texts_of(&read_file(&desk, "out.parquet"))), &wanted, &format!("{more:?}"));
    }
}

#[test]
fn a_row_left_without_text_is_dropped_or_kept_without_it() {
    let desk = Desk::new();
    let all = vec![Some(RIVER.to_owned()); 3];
    desk.write("a.parquet", parquet(&table(&DataType::Utf8, &all), 2));
    across(&desk, &["a.parquet", "-o", "out.parquet"]).succeeds().says("2 dropped");
    assert_eq!(read_file(&desk, "out.parquet"), table(&DataType::Utf8, &all).slice(0, 1));
    across(&desk, &["--empty", "keep", "a.parquet", "-o", "out.parquet"]).succeeds().says("2 left empty");
    let emptied = [Some(RIVER.to_owned()), Some(String::new()), Some(String::new())];
    assert_eq!(read_file(&desk, "out.parquet"), table(&DataType::Utf8, &emptied));
}

#[test]
fn a_table_of_which_no_row_stays_is_a_table_without_rows() {
    let desk = Desk::new();
    let all = table(&DataType::Utf8, &[Some(format!("{RIVER}\n\n{RIVER}"))]);
    desk.write("a.parquet", parquet(&all, 1));
    across(&desk, &["--max-removed", "100%", "--drop-above", "10%", "a.parquet", "-o", "out.parquet"])
        .succeeds()
        .says("1 dropped");
    assert_eq!(read_file(&desk, "out.parquet"), all.slice(0, 0));
    across(&desk, &["--max-removed", "100%", "--drop-above", "10%", "a.parquet", "-o", "out.jsonl"]).succeeds();
    assert_same(&desk.read("out.jsonl"), "", "nothing");
}

#[test]
fn row_groups_without_a_text_are_rows_like_any() {
    for nothing in [None, Some(String::new())] {
        let all = vec![nothing.clone(); 5];
        let first = [&all[..3], &[Some("A text.".into()), Some("Another one.".into())]].concat();
        for texts in [all, first] {
            let desk = Desk::new();
            let table = table(&DataType::Utf8, &texts);
            desk.write("a.parquet", parquet(&table, 2));
            desk.run(&["--across", "a.parquet", "-o", "b.parquet"]).succeeds();
            assert_eq!(read_file(&desk, "b.parquet"), table, "{texts:?}");
            desk.run(&["--across", "a.parquet", "-o", "b.jsonl"]).succeeds();
            assert_eq!(values(&desk.read("b.jsonl")).len(), 5, "{texts:?}");
        }
    }
}

#[test]
fn a_broken_table_is_left_out_whole_however_errors_are_met() {
    let texts: Vec<Option<String>> = (0..2000).map(|number| Some(format!("{number} {}", "words ".repeat(number % 90)))).collect();
    let mut bytes = parquet(&table(&DataType::Utf8, &texts), 500);
    let middle = bytes.len() / 2;
    bytes[middle..middle + 200].fill(0xa5);
    for how in ["fail", "keep", "drop"] {
        let desk = Desk::new();
        desk.write("a.parquet", &bytes);
        for out in ["b.parquet", "b.jsonl"] {
            let ran = desk.run(&["--across", "--on-error", how, "a.parquet", "-o", out]);
            ran.fails("a.parquet: row group ");
            assert!(!desk.path(out).exists() && !ran.stderr.contains("panicked"), "{how} {out}: {}", ran.stderr);
        }
    }
}

#[test]
fn a_table_without_rows_is_its_own_clean_copy() {
    let desk = Desk::new();
    let none = table(&DataType::Utf8, &[]);
    desk.write("a.parquet", parquet(&none, 10));
    for more in [&[][..], &["--across"]] {
        desk.run(&[&["a.parquet", "-o", "out.parquet"], more].concat()).succeeds().says("0 documents");
        assert_eq!(read_file(&desk, "out.parquet"), none);
        desk.run(&[&["a.parquet", "--to", "jsonl"], more].concat()).succeeds().prints("");
    }
}

#[test]
fn columns_have_the_names_that_are_given_and_ids_are_told() {
    let desk = Desk::new();
    let all = table(&DataType::Utf8, &before());
    let schema = all.schema();
    let renamed = schema.fields().iter().map(|field| match field.name().as_str() {
        "text" => Arc::new(field.as_ref().clone().with_name("body")),
        "id" => Arc::new(field.as_ref().clone().with_name("url")),
        _ => Arc::clone(field),
    });
    let renamed = Schema::new(renamed.collect::<Vec<_>>());
    desk.write("a.parquet", parquet(&RecordBatch::try_new(Arc::new(renamed), all.columns().to_vec()).unwrap(), 3));
    desk.run(&["a.parquet", "-o", "x.parquet"]).fails("a.parquet: has no column \"text\"; --text-field names another");
    desk.run(&["a.parquet", "-o", "x.parquet", "--text-field", "number"])
        .fails("a.parquet: its column \"number\" is INT64, not strings");
    desk.run(&["a.parquet", "-o", "x.parquet", "--text-field", "tags"])
        .fails("a.parquet: its column \"tags\" is a list, not strings");
    assert!(!desk.exists("x.parquet"));

    let fields = ["--text-field", "body", "--id-field", "url"];
    across(&desk, &[&fields[..], &["a.parquet", "-o", "out.parquet"]].concat()).succeeds();
    let body = cast(read_file(&desk, "out.parquet").column_by_name("body").unwrap(), &DataType::Utf8).unwrap();
    assert_eq!(body.as_string::<i32>(), clean_table(&DataType::Utf8)["text"].as_string::<i32>());
    let scan = [&["scan", "--across", "--min-chars", "1", "a.parquet"], &fields[..]].concat();
    let ran = desk.run(&scan);
    assert!(ran.succeeds().stdout.starts_with("a.parquet:3 (row-2) line 3: repeats a.parquet:1 ("), "{}", ran.stdout);
    let report: serde_json::Value =
        serde_json::from_str(&desk.run(&[&scan[..], &["--format", "json"]].concat()).succeeds().stdout).unwrap();
    let documents = report["documents"].as_array().unwrap();
    let named: Vec<_> = documents.iter().map(|one| (one["record"].as_u64().unwrap(), one["id"].as_str().unwrap())).collect();
    assert_eq!(named, [(3, "row-2"), (4, "row-3"), (6, "row-5"), (7, "row-6")]);
    // A text within a struct.
    desk.run(&["a.parquet", "-o", "out.parquet", "--text-field", "meta.text"]).succeeds();
}

#[test]
fn a_table_comes_by_standard_input_and_goes_to_standard_output() {
    let desk = Desk::new();
    desk.write("a.parquet", parquet(&table(&DataType::Utf8, &before()), 3));
    across(&desk, &["a.parquet", "-o", "out.parquet"]).succeeds();
    let unecho = "unecho --across --min-chars 1";
    for line in [
        format!("cat a.parquet | {unecho} --from parquet > piped"),
        format!("{unecho} --from parquet < a.parquet > piped"),
        format!("{unecho} --from parquet < a.parquet | cat > piped"),
        format!("cat a.parquet | {unecho} --from parquet -o piped"),
        format!("{unecho} a.parquet > piped"),
    ] {
        desk.sh(&format!("rm -f piped; {line} && cmp piped out.parquet")).succeeds();
    }
    let hint = "is a Parquet file; --from parquet takes it for one";
    for form in ["text", "jsonl"] {
        desk.sh(&format!("cat a.parquet | unecho --from {form}")).fails(&format!("standard input: {hint}")).prints("");
    }
    desk.sh("cp a.parquet a && unecho a -o b").fails(&format!("a: {hint}"));
    desk.sh("head -c 500 a.parquet | unecho --from parquet > piped")
        .fails("standard input: is not a Parquet file that can be read");
}

// Other forms.

#[test]
fn records_become_a_table_and_the_same_records_again() {
    let desk = Desk::new();
    let record = |number: i64| {
        serde_json::json!({
            "id": format!("r{number}"), "text": format!("Text {number}, é \"quoted\" \\ and \u{1f600}.\n\nMore of {number}."),
            "number": if number % 5 == 0 { serde_json::Value::Null } else { number.into() }, "share": number as f64 / 4.0, "is": number % 2 == 0,
            "tags": ["a", number.to_string()], "of": { "name": "n", "sizes": [number, number * 1_000_000_007] },
        })
    };
    let all: String = (0..3000).map(|number| record(number).to_string() + "\n").collect();
    desk.write("a.jsonl", &all);
    desk.write("a.jsonl.gz", gz(&all));
    for name in ["a.jsonl", "a.jsonl.gz"] {
        desk.run(&[name, "-o", "a.parquet"]).succeeds();
        desk.run(&["a.parquet", "-o", "back.jsonl"]).succeeds();
        let (found, wanted) = (values(&desk.read("back.jsonl")), values(&all));
        assert_eq!(found.len(), wanted.len());
        found.iter().zip(&wanted).for_each(|(found, wanted)| assert_eq!(found, wanted));
        desk.run(&["a.parquet", "--to", "jsonl", "-o", "back.jsonl.gz"]).succeeds();
        desk.sh("gzip -dc back.jsonl.gz | cmp - back.jsonl").succeeds();
        desk.sh("cat a.jsonl | unecho --from jsonl --to parquet > piped && cmp piped a.parquet").succeeds();
    }
}

/// With the column that it needs to be read again.
#[test]
fn no_record_becomes_a_table_without_rows() {
    let desk = Desk::new();
    desk.write("a.jsonl", "\n");
    for (field, name) in [("text", "a.parquet"), ("body", "b.parquet")] {
        desk.run(&["a.jsonl", "-o", name, "--text-field", field]).succeeds();
        desk.run(&[name, "--to", "jsonl", "--text-field", field]).succeeds().prints("");
    }
}

#[test]
fn a_folder_for_temporary_files_that_is_not_there_is_named() {
    let desk = Desk::new();
    desk.write("a.jsonl", jsonl(&before()));
    desk.write("a.parquet", parquet(&table(&DataType::Utf8, &before()), 3));
    let why = "error: nowhere: is no folder, and --temp-dir needs one that is there";
    desk.run(&["a.jsonl", "-o", "x.parquet", "--temp-dir", "nowhere"]).fails(why);
    assert!(!desk.exists("x.parquet"));
    desk.sh("cat a.parquet | unecho --from parquet --temp-dir nowhere").fails(why).prints("");
}

#[test]
fn broken_records_have_no_place_in_a_table() {
    let desk = Desk::new();
    desk.write("a.jsonl", "{\"text\":\"a\"}\nbroken\n{\"text\":\"b\"}\n");
    desk.run(&["--on-error", "keep", "a.jsonl", "-o", "a.parquet"]).fails("error: a.jsonl: line 2: is not JSON");
    desk.run(&["a.parquet", "--to", "jsonl"]).prints("{\"text\":\"a\"}\n{\"text\":\"b\"}\n");
    desk.run(&["a.jsonl", "a.parquet", "-o", "b.jsonl"]).fails("error: b.jsonl: has the name of a file, and the clean copies");
    assert!(!desk.exists("b.jsonl"));
}

#[test]
fn what_no_table_holds_is_refused_and_leaves_nothing() {
    let desk = Desk::new();
    desk.write("a.jsonl", "{\"text\":\"a\",\"n\":{\"x\":1}}\n{\"text\":\"b\",\"n\":[1]}\n");
    desk.run(&["a.jsonl", "-o", "a.parquet"]).fails("error: a.jsonl: line 2 of its clean copy: its field \"n\" is an array");
    assert!(!desk.exists("a.parquet") && desk.leftovers("").is_empty());
}

#[test]
fn a_text_becomes_no_table() {
    let desk = Desk::new();
    for args in [
        &["art.txt", "-o", "x.parquet"][..],
        &["art.txt", "--to", "parquet", "-o", "x.parquet"],
        &["art.txt", "--to", "jsonl", "-o", "x.jsonl"],
        &["art.txt", "-o", "x.jsonl"],
    ] {
        desk.run(args).fails("art.txt: is plain text, which isn't written as ");
        assert!(!desk.exists(args.last().unwrap()), "{args:?}");
    }
    desk.sh("unecho --to parquet < art.txt").fails("standard input: is plain text, which isn't written as Parquet").prints("");
    desk.sh("unecho art.txt --to jsonl").fails("art.txt: is plain text, which isn't written as JSONL").prints("");
    // A folder's other files are done.
    desk.write("in/a.txt", RIVER);
    desk.write("in/b.jsonl", jsonl(&before()));
    desk.run(&["in", "-o", "out", "--to", "parquet"])
        .fails("in/a.txt: is plain text, which isn't written as Parquet")
        .says("failed: 1");
    assert!(desk.exists("out/b.parquet") && !desk.exists("out/a.parquet") && !desk.exists("out/a.txt"));
}

#[test]
fn a_table_isnt_written_as_an_archive() {
    let desk = Desk::new();
    desk.write("a.parquet", parquet(&table(&DataType::Utf8, &before()), 3));
    desk.run(&["a.parquet", "-o", "a.wet"]).fails("a.parquet: is Parquet, which isn't written as WARC");
    desk.run(&["a.parquet", "--to", "wet", "-o", "x"]).fails("a.parquet: is Parquet, which isn't written as WARC");
    assert!(!desk.exists("a.wet") && !desk.exists("x"));
}

#[test]
fn a_packed_table_is_refused() {
    let desk = Desk::new();
    let bytes = parquet(&table(&DataType::Utf8, &before()), 3);
    desk.write("a.parquet.gz", gz(&bytes));
    desk.write("b.parquet", &bytes);
    desk.run(&["a.parquet.gz", "-o", "x.parquet"])
        .fails("a.parquet.gz: is a packed Parquet file, and Parquet packs its pages itself; unpack it first");
    for args in [["b.parquet", "-o", "x.parquet.gz"], ["b.parquet", "-o", "x.gz"]] {
        desk.run(&args).fails(&format!("{}: has the name of a packed file, and Parquet packs its pages itself", args[2]));
    }
    assert!(!desk.exists("x.parquet") && !desk.exists("x.parquet.gz"));
}

#[test]
fn a_name_does_not_deny_the_form_that_is_asked_for() {
    let desk = Desk::new();
    desk.write("a.jsonl", jsonl(&before()));
    desk.run(&["a.jsonl", "--to", "parquet", "-o", "x.jsonl"]).fails("x.jsonl: has the name of JSONL, and --to asks for Parquet");
    desk.run(&["a.jsonl", "--to", "jsonl", "-o", "x.parquet"])
        .fails("x.parquet: has the name of Parquet, and --to asks for JSONL");
    desk.run(&["a.jsonl", "--to", "parquet", "-o", "x.table"]).succeeds();
}

#[test]
fn a_folder_becomes_a_folder_of_tables() {
    let desk = Desk::new();
    desk.write("in/a.jsonl.gz", gz(jsonl(&before())));
    desk.write("in/sub/b.jsonl", jsonl(&[Some(RIVER.into()), Some("New.".into())]));
    desk.write("in/c.parquet", parquet(&table(&DataType::Utf8, &[Some("More.".into()), Some(ROAD.into())]), 1));
    across(&desk, &["in", "-o", "out", "--to", "parquet"]).succeeds().says("12 documents, 6 with repeats, 4 dropped");
    let wanted: Vec<_> = texts().into_iter().filter_map(|(_, left)| left.map(|left| Some(left.unwrap_or_default()))).collect();
    assert_eq!(texts_of(&read_file(&desk, "out/a.parquet")), wanted);
    assert_eq!(texts_of(&read_file(&desk, "out/sub/b.parquet")), [Some("New.".into())]);
    assert_eq!(texts_of(&read_file(&desk, "out/c.parquet")), [Some("More.".into())]);
    across(&desk, &["in", "-o", "back", "--to", "jsonl"]).succeeds();
    let names = ["back/a.jsonl.gz", "back/sub/b.jsonl", "back/c.jsonl"];
    assert!(names.iter().all(|name| desk.exists(name)), "{:?}", fs::read_dir(desk.path("back")).unwrap().collect::<Vec<_>>());
}

#[test]
fn two_inputs_that_would_have_one_name_are_not_written_over_each_other() {
    let desk = Desk::new();
    desk.write("in/a.jsonl", jsonl(&[Some(RIVER.into())]));
    desk.write("in/a.ndjson", jsonl(&[Some(ROAD.into())]));
    desk.run(&["in", "-o", "out", "--to", "parquet"])
        .fails("in/a.ndjson: would have its clean copy where that of in/a.jsonl stands");
    assert_eq!(texts_of(&read_file(&desk, "out/a.parquet")), [Some(RIVER.into())]);
    desk.run(&["in/a.jsonl", "in/a.ndjson", "-o", "two", "--to", "parquet"]).fails("in/a.ndjson: ");
}

// What changes nothing.

/// Rows that are more than 64 MB of memory hold, though three are left of them.
fn many_letters() -> Vec<Option<String>> {
    let letters: String = (b'a'..=b'z').map(char::from).collect();
    (0..60).map(|row| Some(format!("{}{}", row % 3, letters.repeat(40_000)))).collect()
}

#[test]
fn threads_and_memory_change_no_byte() {
    let desk = Desk::new();
    desk.write("a.parquet", parquet(&table(&DataType::Utf8, &before()), 3));
    desk.write("b.parquet", parquet(&table(&DataType::LargeUtf8, &many_letters()), 7));
    desk.write("c.jsonl", jsonl(&before()));
    for args in [&["a.parquet", "-o", "out"][..], &["b.parquet", "-o", "out"], &["c.jsonl", "--to", "parquet", "-o", "out"]] {
        let mut first: Option<Vec<u8>> = None;
        for more in [["--threads", "1"], ["--threads", "8"], ["--memory", "64M"]] {
            let args = [args, &["--max-removed", "100%"]].concat();
            let ran = across(&desk, &[&*args, &more].concat());
            ran.succeeds();
            if (args[0], more[1]) == ("b.parquet", "64M") {
                ran.says("more than 64 MB of memory hold");
            }
            let out = fs::read(desk.path("out")).unwrap();
            assert!(first.as_ref().is_none_or(|first| *first == out), "{args:?} {more:?}");
            first = Some(out);
        }
    }
    assert_eq!(read_file(&desk, "out").num_rows(), 6);
}

#[test]
fn another_reader_finds_the_same_table() {
    let Some(python) = python::with("pyarrow") else { return };
    let desk = Desk::new();
    for (number, kind) in kinds().iter().enumerate() {
        desk.write("a.parquet", parquet(&table(kind, &before()), 3));
        desk.write("wanted.parquet", parquet(&clean_table(kind), 3));
        across(&desk, &["a.parquet", "-o", "out.parquet"]).succeeds();
        let compare = "import sys, pyarrow.parquet as p\n\
            a, b, c = (p.read_table(name) for name in ('out.parquet', 'wanted.parquet', 'a.parquet'))\n\
            assert a.to_pylist() == b.to_pylist(), (a, b)\n\
            assert a.schema.equals(c.schema, check_metadata=True), (a.schema, c.schema)\n\
            assert p.read_metadata('out.parquet').metadata[b'license'] == b'CC0'\n\
            print(a.num_rows)\n";
        python::run(&python, &desk, compare, &format!("{number}")).prints("6\n");
    }
    desk.write("a.jsonl", jsonl(&before()));
    across(&desk, &["a.jsonl", "-o", "out.parquet"]).succeeds();
    let print = "import pyarrow.parquet as p\nprint(p.read_table('out.parquet').column('text').to_pylist()[2])\n";
    python::run(&python, &desk, print, "of records").prints("Second.\n");
}
