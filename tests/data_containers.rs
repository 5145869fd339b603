//! All containers of the real data from end to end: what is read of each, and what is said of those that can't be.
#![cfg(all(feature = "gzip", feature = "parquet"))]

#[path = "support/desk.rs"]
mod desk;

use desk::{Desk, skipped};
use std::env;
use std::path::{Path, PathBuf};

/// Where the files are: in the folder that UNECHO_DATA names, or beside this crate. Nothing if they aren't there, which is said.
fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = env::var_os("UNECHO_DATA").map_or_else(beside, PathBuf::from).join("containers");
    if !folder.is_dir() {
        skipped(&format!("there is no {}; UNECHO_DATA names another folder", folder.display()));
        return None;
    }
    Some(folder)
}

/// Each file, how it is read, how many documents it has, the exit status, and the first error.
const READ: &[(&str, &str, u64, i32, &str)] = &[
    ("cc-sample.warc.gz", "", 24, 0, ""),
    ("cc_en_head-0091.jsonl.gz", "", 10, 0, ""),
    (
        "parquet/alltypes_plain.snappy.parquet",
        "--text-field string_col",
        0,
        2,
        "its column \"string_col\" is binary, not strings",
    ),
    (
        "parquet/bad_data/ARROW-GH-41317.parquet",
        "--text-field string",
        0,
        2,
        "is not a Parquet file that can be read: Expected list element type of I32 but got I16",
    ),
    ("parquet/bad_data/ARROW-GH-41321.parquet", "--text-field string", 4, 0, ""),
    ("parquet/bad_data/ARROW-GH-43605.parquet", "", 0, 2, "has no column \"text\"; --text-field names another"),
    ("parquet/bad_data/ARROW-GH-45185.parquet", "", 0, 2, "has no column \"text\"; --text-field names another"),
    ("parquet/bad_data/ARROW-GH-47662.parquet", "", 0, 2, "has no column \"text\"; --text-field names another"),
    (
        "parquet/bad_data/ARROW-RS-GH-6229-DICTHEADER.parquet",
        "--text-field name",
        0,
        2,
        "its column \"name\" is binary, not strings",
    ),
    ("parquet/bad_data/ARROW-RS-GH-6229-LEVELS.parquet", "", 0, 2, "has no column \"text\"; --text-field names another"),
    ("parquet/bad_data/PARQUET-1481.parquet", "", 0, 2, "is not a Parquet file that can be read: Unexpected Type -7"),
    ("parquet/byte_stream_split.zstd.parquet", "--text-field f32", 0, 2, "its column \"f32\" is FLOAT, not strings"),
    ("parquet/concatenated_gzip_members.parquet", "", 0, 2, "has no column \"text\"; --text-field names another"),
    ("parquet/datapage_v2.snappy.parquet", "--text-field a", 4, 0, ""),
    ("parquet/delta_byte_array.parquet", "--text-field c_first_name", 968, 0, ""),
    (
        "parquet/large_string_map.brotli.parquet",
        "--text-field arr.key_value.key",
        0,
        2,
        "its column \"arr.key_value.key\" is a list, not strings",
    ),
    ("parquet/lz4_raw_compressed.parquet", "--text-field c1", 0, 2, "its column \"c1\" is binary, not strings"),
    ("parquet/nested_structs.rust.parquet", "", 0, 2, "has no column \"text\"; --text-field names another"),
    ("parquet/nulls.snappy.parquet", "", 0, 2, "has no column \"text\"; --text-field names another"),
    (
        "parquet/plain-dict-uncompressed-checksum.parquet",
        "--text-field binary_field",
        0,
        2,
        "its column \"binary_field\" is binary, not strings",
    ),
    ("resiliparse/block-sized-records.warc", "", 0, 0, ""),
    ("resiliparse/block-sized-records.warc.gz", "", 0, 0, ""),
    (
        "resiliparse/block-sized-records.warc.lz4",
        "",
        0,
        2,
        "is packed in a way that isn't read; unpack it on the way: lz4 -dc FILE | unecho, with --from if it isn't text",
    ),
    (
        "resiliparse/clipped.warc.gz",
        "",
        0,
        2,
        "record 1: ends early: its Content-Length is 88,275 and 75,207 bytes follow. --on-error keep, or drop, goes on behind it",
    ),
    ("resiliparse/clueweb-quirk.warc.gz", "", 29, 0, ""),
    ("resiliparse/warcfile.warc", "", 16, 0, ""),
    ("resiliparse/warcfile.warc.gz", "", 16, 0, ""),
    (
        "resiliparse/warcfile.warc.lz4",
        "",
        0,
        2,
        "is packed in a way that isn't read; unpack it on the way: lz4 -dc FILE | unecho, with --from if it isn't text",
    ),
    (
        "warcio/bad.arc",
        "--from warc",
        0,
        2,
        "record 1: is an ARC file, the older form, which isn't read; warcio recompress makes it a WARC",
    ),
    ("warcio/example-bad-non-chunked.warc.gz", "", 1, 0, ""),
    ("warcio/example-bad.warc.gz.bad", "--from warc", 0, 2, "is packed, which its name doesn't say: add .gz"),
    ("warcio/example-digest.warc", "", 0, 0, ""),
    ("warcio/example-iana.org-chunked.warc", "", 1, 0, ""),
    ("warcio/example-resource.warc.gz", "", 1, 0, ""),
    ("warcio/example-space-in-target-uri.warc.gz", "", 0, 0, ""),
    (
        "warcio/example-space-in-url.arc",
        "--from warc",
        0,
        2,
        "record 1: is an ARC file, the older form, which isn't read; warcio recompress makes it a WARC",
    ),
    (
        "warcio/example-trunc.warc",
        "",
        0,
        2,
        "record 3: its Content-Length is 973, and no record begins behind that. --on-error keep, or drop, goes on behind it",
    ),
    ("warcio/example-wget-bad-target-uri.warc.gz", "", 3, 0, ""),
    ("warcio/example-wrong-chunks.warc.gz", "", 1, 0, ""),
    (
        "warcio/example.arc",
        "--from warc",
        0,
        2,
        "record 1: is an ARC file, the older form, which isn't read; warcio recompress makes it a WARC",
    ),
    (
        "warcio/example.arc.gz",
        "--from warc",
        0,
        2,
        "record 1: is an ARC file, the older form, which isn't read; warcio recompress makes it a WARC",
    ),
    ("warcio/example.warc", "", 1, 0, ""),
    ("warcio/example.warc.gz", "", 1, 0, ""),
    ("warcio/post-test.warc.gz", "", 0, 0, ""),
    ("whirlwind-cc/whirlwind.warc", "", 1, 0, ""),
    ("whirlwind-cc/whirlwind.warc.gz", "", 1, 0, ""),
    ("whirlwind-cc/whirlwind.warc.wat.gz", "--from warc", 0, 0, ""),
    ("whirlwind-cc/whirlwind.warc.wet", "", 1, 0, ""),
    ("whirlwind-cc/whirlwind.warc.wet.gz", "", 1, 0, ""),
];

#[test]
fn of_each_file_documents_are_read_or_it_is_named_with_what_is_wrong() {
    let Some(folder) = folder() else { return };
    let desk = Desk::new();
    let mut found = Vec::new();
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(&folder)
        .into_iter()
        .map(|file| file.unwrap().into_path())
        .filter(|path| path.is_file() && path.extension().is_some_and(|extension| extension != "md" && extension != "txt"))
        .collect();
    files.sort();
    println!("{:<52} {:<32} {:>9} {:>6}  first error", "file", "read with", "documents", "status");
    for path in files {
        let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        let how = READ.iter().find(|row| row.0 == name).map_or("", |row| row.1);
        let path = path.to_string_lossy().into_owned();
        let _ = std::fs::remove_file(desk.path("stats"));
        let args = [&["--stats", "stats", &path, "-o", "out"], &how.split_whitespace().collect::<Vec<_>>()[..]].concat();
        let ran = desk.run(&args);
        assert!(ran.signal.is_none() && !ran.stderr.contains("panick"), "{ran}");
        let documents = match ran.status {
            Some(0 | 2) if desk.exists("stats") => {
                let stats: serde_json::Value = serde_json::from_str(&desk.read("stats")).unwrap();
                stats["documents"].as_u64().unwrap()
            }
            _ => 0,
        };
        let error = ran.stderr.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or_default();
        assert!((ran.status == Some(0)) == error.is_empty(), "{ran}");
        assert!(error.is_empty() || error.starts_with(&path), "it isn't named: {ran}");
        let error = error.trim_start_matches(&path).trim_start_matches(": ").to_owned();
        println!("{name:<52} {how:<32} {documents:>9} {:>6}  {error}", ran.status.unwrap());
        found.push((name, how, documents, ran.status.unwrap(), error));
    }
    let found: Vec<_> = found
        .iter()
        .map(|(name, how, documents, status, error)| (name.as_str(), *how, *documents, *status, error.as_str()))
        .collect();
    found.iter().zip(READ).for_each(|(found, read)| assert_eq!(found, read));
    assert_eq!(found.len(), READ.len(), "a file isn't in the table, or is gone");
}

#[test]
fn a_file_has_the_same_records_in_whatever_encoding() {
    let Some(folder) = folder() else { return };
    let desk = Desk::new();
    desk.sh(&format!("cp -r '{}' all && chmod -R u+w all && cd all && gzip -dkf *.gz", folder.display())).succeeds();
    for names in [
        &["all/resiliparse/block-sized-records.warc", "all/resiliparse/block-sized-records.warc.gz"][..],
        &["all/resiliparse/warcfile.warc", "all/resiliparse/warcfile.warc.gz"],
        &["all/warcio/example.warc", "all/warcio/example.warc.gz"],
        &["all/whirlwind-cc/whirlwind.warc", "all/whirlwind-cc/whirlwind.warc.gz"],
        &["all/whirlwind-cc/whirlwind.warc.wet", "all/whirlwind-cc/whirlwind.warc.wet.gz"],
        &["all/cc-sample.warc", "all/cc-sample.warc.gz"],
        &["all/cc_en_head-0091.jsonl", "all/cc_en_head-0091.jsonl.gz"],
    ] {
        let values =
            |lines: &str| -> Vec<serde_json::Value> { lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
        let mut first: Option<Vec<serde_json::Value>> = None;
        for name in names {
            desk.run(&[name, "-o", "out.jsonl", "--stats", "stats"]).succeeds();
            let form = if name.contains(".jsonl") { "jsonl" } else { "warc" };
            let piped = format!("cat {name} | unecho --from {form} --to jsonl -o piped.jsonl && cmp piped.jsonl out.jsonl");
            desk.sh(&piped).succeeds();
            let records = values(&desk.read("out.jsonl"));
            desk.run(&[name, "-o", "out.parquet"]).succeeds();
            desk.run(&["out.parquet", "-o", "back.jsonl", "--min-chars", "1000000"]).succeeds(); // pages are text there
            assert_eq!(values(&desk.read("back.jsonl")), records, "{name} by way of Parquet");

            // Sizes aren't compared: of some files the headers were written anew when they were packed.
            let stats: serde_json::Value = serde_json::from_str(&desk.read("stats")).unwrap();
            let mut found = vec![stats["documents"].clone(), stats["paragraphs"].clone(), stats["left_out"].clone()];
            found.extend(records.iter().flat_map(|record| [record["id"].clone(), record["text"].clone()]));
            assert!(first.as_ref().is_none_or(|first| *first == found), "{name}");
            first = Some(found);
        }
    }
}
