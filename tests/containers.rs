//! JSONL and packed files from end to end: what a record keeps to the byte, what becomes of broken ones, and that the same
//! documents give the same clean copies whatever they come in.

#[path = "support/desk.rs"]
mod desk;

use desk::{Desk, Ran, assert_same, skipped};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::sync::atomic::AtomicBool;
use unecho::runner::{self, Budget, Course, Reading};
use unecho::threads::Threads;
use unecho::{Keep, Settings};

/// What repeats in these tests.
const RIVER: &str = "The river runs past the old mill and under the bridge.";
const ROAD: &str = "The road goes up the hill, where the old inn stands.";

/// Cleans across documents, runs of any length.
const ACROSS: [&str; 3] = ["--across", "--min-chars", "1"];

fn across(desk: &Desk, args: &[&str]) -> Ran {
    desk.run(&[&ACROSS, args].concat())
}

fn gz(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes.as_ref()).unwrap();
    gz.finish().unwrap()
}

fn zst(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    zstd::encode_all(bytes.as_ref(), 1).unwrap()
}

fn un_gz(path: std::path::PathBuf) -> String {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

fn un_zst(path: std::path::PathBuf) -> String {
    String::from_utf8(zstd::decode_all(fs::File::open(path).unwrap()).unwrap()).unwrap()
}

/// The record of a text.
fn record(text: &str) -> String {
    serde_json::json!({ "text": text }).to_string() + "\n"
}

/// Records that are all different, of about so many bytes together: more than 4 MiB make a file large.
fn many_records(topic: &str, bytes: usize) -> String {
    let mut records = String::new();
    let mut number = 0;
    while records.len() < bytes {
        let _ = writeln!(records, r#"{{"text": "On day {number} all {topic} was late, and {number} more came."}}"#);
        number += 1;
    }
    records
}

const LARGE: usize = 5 << 20;

fn stats(desk: &Desk, path: &str) -> serde_json::Value {
    serde_json::from_str(&desk.read(path)).unwrap()
}

// JSONL.

#[test]
fn a_record_without_a_cut_keeps_every_byte() {
    let desk = Desk::new();
    let records = [
        "\u{feff}{\"text\":\"A byte order mark precedes it.\"}\n",
        "  { \"z\" : [1,  2,{ }] ,\t\"text\"\t:  \"Spacing and keys in any order.\" , \"a\":null }  \r\n",
        "\r\n",
        "{\"te\\u0078t\": \"Esc\\u0061pes: \\u00e9 \\u00E9 é \\/ / \\ud83d\\ude00 \\\" \\\\ \\b\\f\\t.\"}\n",
        "   \t \n",
        "{\"n\":1.50e+3,\"m\":-0,\"big\":123456789012345678901234567890,\"text\":\"Numbers as they are.\",\"n\":2}\n",
        "\n\n",
        "{\"text\":\"No line end follows.\"}",
    ]
    .concat();
    desk.write("a.jsonl", &records);
    desk.run(&["a.jsonl"]).succeeds().prints(&records);
    across(&desk, &["a.jsonl"]).succeeds().prints(&records);
}

#[test]
fn a_record_with_a_cut_loses_bytes_of_its_text_only() {
    let desk = Desk::new();
    desk.write(
        "a.jsonl",
        concat!(
            r#"{"text": "Pl\u00e4ne: caf\u00e9, \"quoted\" and a\/b.\n\nMore."}"#,
            "\r\n",
            r#"{ "n" : 1.0e2,  "text" :"Sch\u00f6n.\r\n\r\nPläne: café, \u0022quoted\u0022 and a/b.\r\n\r\n\u0045nde.\n" ,"x":{"text":"no"}}  "#,
            "\r\n\r\n",
            r#"{"text":"Pl\u00E4ne: caf\u00e9, \"quoted\" and a/b.\n\n\ud83d\ude00 Last."}"#,
        ),
    );
    across(&desk, &["a.jsonl"]).succeeds().prints(concat!(
        r#"{"text": "Pl\u00e4ne: caf\u00e9, \"quoted\" and a\/b.\n\nMore."}"#,
        "\r\n",
        r#"{ "n" : 1.0e2,  "text" :"Sch\u00f6n.\r\n\r\n\u0045nde.\n" ,"x":{"text":"no"}}  "#,
        "\r\n\r\n",
        r#"{"text":"\ud83d\ude00 Last."}"#,
    ));
}

#[test]
fn a_body_that_stands_twice_in_a_record_goes_without_across() {
    let desk = Desk::new();
    let (river, road) = ([RIVER; 4].join(" "), [ROAD; 4].join(" "));
    let twice = format!("Title.\n\n{river}\n\n{road}\n\n{river}\n\n{road}");
    desk.write("a.jsonl", record(&twice) + &record(&river));
    let wanted = record(&format!("Title.\n\n{river}\n\n{road}")) + &record(&river);
    desk.run(&["a.jsonl"]).succeeds().prints(&wanted).says("2 documents, 1 with repeats");
}

#[test]
fn a_record_left_without_text_is_dropped_or_kept_without_it() {
    let desk = Desk::new();
    desk.write(
        "a.jsonl",
        format!("{{\"id\":1,\"text\":\"{RIVER}\"}}\n{{\"id\":2,\"text\":\"{RIVER}\"}}\n{{\"id\":3,\"text\":\"\"}}\n{{\"text\":\" \\n\"}}\n{{\"id\":5,\"text\":\"{RIVER}\"}}"),
    );
    across(&desk, &["a.jsonl", "--stats", "stats"])
        .succeeds()
        .prints(&format!("{{\"id\":1,\"text\":\"{RIVER}\"}}\n{{\"id\":3,\"text\":\"\"}}\n{{\"text\":\" \\n\"}}\n"))
        .says("5 documents, 2 with repeats, 2 dropped");
    assert_eq!(stats(&desk, "stats")["dropped"], serde_json::json!({ "emptied": 2, "repeated": 0, "too_repetitive": 0 }));

    across(&desk, &["a.jsonl", "--empty", "keep", "--stats", "stats"]).succeeds().prints(&format!(
        "{{\"id\":1,\"text\":\"{RIVER}\"}}\n{{\"id\":2,\"text\":\"\"}}\n{{\"id\":3,\"text\":\"\"}}\n{{\"text\":\" \\n\"}}\n{{\"id\":5,\"text\":\"\"}}"
    ));
    assert_eq!(stats(&desk, "stats")["dropped"]["emptied"], 0);
}

#[test]
fn the_fields_of_a_record_have_the_names_that_are_given() {
    let desk = Desk::new();
    desk.write("a.jsonl", format!("{{\"text\":1,\"body\":\"{RIVER}\"}}\n{{\"url\":\"b/2\",\"body\":\"{RIVER}\\n\\nMore.\"}}\n"));
    let wanted = format!("{{\"text\":1,\"body\":\"{RIVER}\"}}\n{{\"url\":\"b/2\",\"body\":\"More.\"}}\n");
    for flag in ["--text-field", "--text-key"] {
        across(&desk, &[flag, "body", "a.jsonl"]).succeeds().prints(&wanted);
    }
    let scan = [&["scan"], &ACROSS[..], &["--text-field", "body", "--id-field", "url", "--format", "json", "a.jsonl"]].concat();
    let report: serde_json::Value = serde_json::from_str(&desk.run(&scan).succeeds().stdout).unwrap();
    assert_eq!(report["documents"][0]["id"], "b/2");
    assert_eq!(report["documents"][0]["record"], 2);
}

#[test]
fn records_that_are_taken_for_text_are_told_apart_from_it() {
    let desk = Desk::new();
    let records = format!("\u{feff}\n{{\"id\":1,\"body\":\"{RIVER}\"}}\n{{\"id\":2,\"body\":\"{ROAD}\"}}\n");
    desk.write("crawl", &records);
    desk.write("crawl.txt.gz", gz(&records));
    desk.write("prose", format!("{{In braces}}\n{records}"));
    let hint = "looks like JSONL and was taken for text: --from jsonl takes it for records";
    for (line, place) in [
        ("unecho --text-field body < crawl", "standard input"),
        ("unecho --text-field body < crawl.txt.gz | gzip -dc", "standard input"),
        ("unecho --text-field body -q crawl", "crawl"), // what was cleaned only seemingly is found out too late
        ("unecho --text-field body crawl.txt.gz | gzip -dc", "crawl.txt.gz"),
    ] {
        desk.sh(line).succeeds().prints(&records).says(&format!("{place}: {hint}\n"));
    }
    desk.run(&["scan", "--text-field", "body", "crawl", "prose"]).succeeds().says(&format!("crawl: {hint}\n"));
    for line in [
        "unecho --text-field body --from text < crawl",
        "unecho --text-field body --from jsonl < crawl",
        "unecho < crawl",
        "unecho --text-field body prose",
    ] {
        let ran = desk.sh(line);
        ran.succeeds();
        assert!(!ran.stderr.contains("looks like"), "{ran}");
    }
}

// Whatever documents come in.

/// Three documents, what is left of them, and a name for each.
const DOCUMENTS: [(&str, &str, &str); 3] = [
    (
        "a.txt",
        "The river runs past the old mill and under the bridge.\n\nFirst.",
        "The river runs past the old mill and under the bridge.\n\nFirst.",
    ),
    ("b.txt", "Second.\n\nThe river runs past the old mill and under the bridge.\n\nAnd so on.", "Second.\n\nAnd so on."),
    ("c.txt", "First.\n\nThird, é.", "Third, é."),
];

fn as_jsonl(text_of: impl Fn(&(&str, &'static str, &'static str)) -> &'static str) -> String {
    DOCUMENTS.iter().map(|document| record(text_of(document))).collect()
}

#[test]
fn the_same_documents_are_cleaned_alike_in_any_form_and_packing() {
    let desk = Desk::new();
    let (before, after) = (as_jsonl(|document| document.1), as_jsonl(|document| document.2));
    for (name, text, _) in DOCUMENTS {
        desk.write(&format!("texts/{name}"), text);
        desk.write(&format!("packed/{name}.gz"), gz(text));
    }
    for threads in ["1", "2", "8"] {
        across(&desk, &["--threads", threads, "texts", "-o", "out"]).succeeds();
        across(&desk, &["--threads", threads, "packed", "-o", "out"]).succeeds();
        for (name, _, wanted) in DOCUMENTS {
            assert_same(&desk.read(&format!("out/{name}")), wanted, name);
            assert_same(&un_gz(desk.path(&format!("out/{name}.gz"))), wanted, name);
        }
    }

    desk.write("a.jsonl", &before);
    desk.write("a.jsonl.gz", gz(&before));
    desk.write("a.jsonl.zst", zst(&before));
    across(&desk, &["a.jsonl", "-o", "o.jsonl"]).succeeds();
    across(&desk, &["a.jsonl.gz", "-o", "o.jsonl.gz"]).succeeds();
    across(&desk, &["a.jsonl.zst", "-o", "o.jsonl.zst"]).succeeds();
    assert_same(&desk.read("o.jsonl"), &after, "o.jsonl");
    assert_same(&un_gz(desk.path("o.jsonl.gz")), &after, "o.jsonl.gz");
    assert_same(&un_zst(desk.path("o.jsonl.zst")), &after, "o.jsonl.zst");

    for name in ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"] {
        let line = format!(
            "unecho --from jsonl --across --min-chars 1 < {name} > piped; cat {name} | unecho --from jsonl --across --min-chars 1 | cmp piped -"
        );
        desk.sh(&line).succeeds();
        match name.rsplit('.').next().unwrap() {
            "gz" => assert_same(&un_gz(desk.path("piped")), &after, "piped"),
            "zst" => assert_same(&un_zst(desk.path("piped")), &after, "piped"),
            _ => assert_same(&desk.read("piped"), &after, "piped"),
        }
    }
}

#[test]
fn all_members_and_frames_of_a_packed_file_are_read() {
    let desk = Desk::new();
    let (before, after) = (as_jsonl(|document| document.1), as_jsonl(|document| document.2));
    let (one, two) = before.split_at(40); // within a record
    desk.write("a.jsonl.gz", [gz(one), gz(""), gz(two)].concat());
    desk.write("a.jsonl.zst", [zst(one), zst(""), zst(two)].concat());
    for name in ["a.jsonl.gz", "a.jsonl.zst"] {
        across(&desk, &[name, "-o", "o.jsonl"]).succeeds();
        assert_same(&desk.read("o.jsonl"), &after, name);
    }
}

#[test]
fn the_name_of_the_one_output_says_how_it_is_packed() {
    let desk = Desk::new();
    let after = as_jsonl(|document| document.2);
    desk.write("a.jsonl", as_jsonl(|document| document.1));
    desk.write("a.jsonl.gz", gz(as_jsonl(|document| document.1)));
    across(&desk, &["a.jsonl.gz", "-o", "o.jsonl"]).succeeds();
    across(&desk, &["a.jsonl", "-o", "o.jsonl.gz"]).succeeds();
    across(&desk, &["a.jsonl.gz", "-o", "o.jsonl.zst"]).succeeds();
    assert_same(&desk.read("o.jsonl"), &after, "o.jsonl");
    assert_same(&un_gz(desk.path("o.jsonl.gz")), &after, "o.jsonl.gz");
    assert_same(&un_zst(desk.path("o.jsonl.zst")), &after, "o.jsonl.zst");
}

/// Numbers that look like chance and are always the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// Texts of about so many bytes, a fifth of whose lines stood before, however long ago.
fn texts_with_repeats(bytes: usize) -> Vec<String> {
    let mut chance = Chance(7);
    let mut lines: Vec<String> = Vec::new();
    let mut size = 0;
    let mut texts = Vec::new();
    while size < bytes {
        let mut text: Vec<&str> = Vec::new();
        let new: Vec<String> = (0..=chance.below(60))
            .map(|_| match lines.len() as u64 {
                known if known > 0 && chance.below(5) == 0 => lines[chance.below(known) as usize].clone(),
                known => format!(
                    "line {known} \"{}\" of ünequal \\ lines, {}",
                    chance.below(1 << 30),
                    "x".repeat(chance.below(60) as usize)
                ),
            })
            .collect();
        text.extend(new.iter().map(String::as_str));
        let text = text.join("\n");
        size += text.len();
        lines.extend(new);
        texts.push(text);
    }
    texts
}

/// The records of the texts less every line that stood before, and less the records that are left without any: by a set of all
/// lines, and nothing else.
fn by_a_set_of_lines(texts: &[String]) -> String {
    let mut known = HashSet::new();
    let mut clean = String::new();
    for text in texts {
        let lines: Vec<&str> = text.split('\n').filter(|line| known.insert(*line)).collect();
        if !lines.is_empty() {
            clean += &record(&lines.join("\n"));
        }
    }
    clean
}

#[test]
fn a_file_of_many_stretches_is_cleaned_as_if_it_were_one() {
    let desk = Desk::new();
    let texts = texts_with_repeats(30 << 20);
    let before: String = texts.iter().map(|text| record(text)).collect();
    let wanted = by_a_set_of_lines(&texts);
    let lines = ["--unit", "line", "--match", "bytes", "--min-chars", "1", "--across"];
    desk.write("a.jsonl", &before);
    desk.write("a.jsonl.gz", gz(&before));
    let (one, two) = before.split_at(17 << 20);
    desk.write("a.jsonl.zst", [zst(one), zst(two)].concat());
    for threads in ["1", "2", "8"] {
        desk.run(&[&lines, &["a.jsonl", "-o", "o.jsonl", "--threads", threads][..]].concat()).succeeds();
        assert_same(&desk.read("o.jsonl"), &wanted, threads);
    }
    desk.run(&[&lines, &["a.jsonl.zst", "-o", "o.jsonl.zst"][..]].concat()).succeeds();
    assert_same(&un_zst(desk.path("o.jsonl.zst")), &wanted, "zst");
    let mut packed = Vec::new();
    for threads in ["1", "8"] {
        desk.run(&[&lines, &["a.jsonl.gz", "-o", "o.jsonl.gz", "--threads", threads][..]].concat()).succeeds();
        packed.push(fs::read(desk.path("o.jsonl.gz")).unwrap());
    }
    assert!(packed[0] == packed[1], "the packed bytes depend on the number of threads");
    assert_same(&un_gz(desk.path("o.jsonl.gz")), &wanted, "gz");
    desk.sh(&format!("cat a.jsonl | unecho --from jsonl {} > piped", lines.join(" "))).succeeds();
    assert_same(&desk.read("piped"), &wanted, "standard input");
}

// Several forms in one run.

#[test]
fn files_of_all_forms_are_compared_in_the_order_they_are_read() {
    let desk = Desk::new();
    desk.write("in/a.txt", format!("{RIVER}\n\nA."));
    desk.write("in/b.jsonl", record(&format!("{ROAD}\n\nB.")) + &record(&format!("{RIVER}\n\nBB.")));
    desk.write("in/c.jsonl.gz", gz(record(&format!("{RIVER}\n\n{ROAD}\n\nC."))));
    desk.write("in/d.txt", format!("{ROAD}\n\nD."));
    across(&desk, &["in", "-o", "out"]).succeeds().says("5 documents, 3 with repeats");
    assert_same(&desk.read("out/a.txt"), &format!("{RIVER}\n\nA."), "a");
    assert_same(&desk.read("out/b.jsonl"), &(record(&format!("{ROAD}\n\nB.")) + &record("BB.")), "b");
    assert_same(&un_gz(desk.path("out/c.jsonl.gz")), &record("C."), "c");
    assert_same(&desk.read("out/d.txt"), "D.", "d");

    // Given in another order, other copies stay.
    across(&desk, &["in/d.txt", "in/c.jsonl.gz", "in/b.jsonl", "in/a.txt", "-o", "back"]).succeeds();
    assert_same(&desk.read("back/d.txt"), &format!("{ROAD}\n\nD."), "d");
    assert_same(&un_gz(desk.path("back/c.jsonl.gz")), &record(&format!("{RIVER}\n\nC.")), "c");
    assert_same(&desk.read("back/b.jsonl"), &(record("B.") + &record("BB.")), "b");
    assert_same(&desk.read("back/a.txt"), "A.", "a");
}

// What is broken.

#[test]
fn a_packed_file_cut_short_is_named_and_no_witness() {
    let desk = Desk::new();
    let cut_short = |mut packed: Vec<u8>| {
        packed.truncate(packed.len() - 5);
        packed
    };
    desk.write("in/a.jsonl.gz", cut_short(gz(record(RIVER))));
    desk.write("in/b.jsonl.zst", cut_short(zst(record(ROAD))));
    desk.write("in/c.txt.gz", cut_short(gz("Short.")));
    desk.write("in/d.jsonl", record(&format!("{RIVER}\n\n{ROAD}\n\nShort.")) + &record(RIVER));
    let ran = across(&desk, &["in", "-o", "out", "--stats", "stats"]);
    ran.fails("in/a.jsonl.gz: the gzip stream ends early, after 66 unpacked bytes");
    ran.says("in/b.jsonl.zst: the zstd stream ends early").says("in/c.txt.gz: the gzip stream ends early").says("failed: 3");
    assert!(!desk.exists("out/a.jsonl.gz") && !desk.exists("out/b.jsonl.zst") && !desk.exists("out/c.txt.gz"));
    assert_same(&desk.read("out/d.jsonl"), &record(&format!("{RIVER}\n\n{ROAD}\n\nShort.")), "the other file");
    assert_eq!(stats(&desk, "stats")["failed"], 3);
}

#[test]
fn what_came_before_a_stream_broke_off_is_kept_where_that_is_asked_for() {
    let desk = Desk::new();
    let records = record(RIVER) + &record(&format!("{RIVER}\n\nNew."));
    for (name, packed) in [("a.jsonl.gz", gz(&records)), ("a.jsonl.zst", zst(&records))] {
        // The checksum lacks, or the zstd block ends early: what can be unpacked depends on it.
        let whole = [packed, if name.ends_with("gz") { gz(record(ROAD)) } else { zst(record(ROAD)) }].concat();
        desk.write(name, &whole[..whole.len() - 20]);
        for what in ["keep", "drop"] {
            desk.sh("rm -f o.jsonl").succeeds();
            across(&desk, &["--on-error", what, name, "-o", "o.jsonl"]).fails(&format!("{name}: the ")).says("failed: 1");
            let (whole, unfinished) = (record(RIVER) + &record("New."), record(ROAD));
            let found = desk.read("o.jsonl");
            assert_same(&found[..whole.len()], &whole, name);
            let kept = &found[whole.len()..];
            assert!(unfinished.starts_with(kept) && kept.is_empty() == (what == "drop"), "{name}, {what}: {kept}");
        }
        across(&desk, &[name, "-o", "none.jsonl"]).fails(&format!("{name}: the "));
        assert!(!desk.exists("none.jsonl"));
    }
}

#[test]
fn a_text_that_broke_off_is_not_said_to_be_unchanged() {
    let desk = Desk::new();
    let end = "the copy ends where the stream broke off\n";
    for (text, said) in [
        (RIVER.into(), format!("a.txt.gz: nothing repeats (1 paragraph, 54 bytes); {end}")),
        (format!("{RIVER}\n\n{RIVER}"), format!("2 → 1 paragraph, 110 → 54 bytes (−51 %); {end}")),
    ] {
        let packed = gz(&text);
        desk.write("a.txt.gz", &packed[..packed.len() - 5]);
        let args = ["--min-chars", "1", "--on-error", "keep", "a.txt.gz", "-o", "a.txt"];
        desk.run(&args).fails("a.txt.gz: the gzip stream ends early").says(&said);
        assert_same(&desk.read("a.txt"), RIVER, "what came");
    }
}

#[test]
fn a_text_that_is_dropped_is_said_not_to_be_written() {
    let desk = Desk::new();
    let said = "art.txt: dropped as a whole: more of its text repeats than --drop-above allows (13 of 27 paragraphs); nothing of it is written\n";
    desk.run(&["--drop-above", "20%", "art.txt"]).succeeds().says(said).prints("");
    desk.write("out.txt", "What stood there.");
    desk.run(&["--drop-above", "20%", "art.txt", "-o", "out.txt"]).succeeds().says(said);
    assert!(!desk.exists("out.txt"), "it would be taken for the clean copy");
    let said = "d/sub/x.md: dropped as a whole: repeats d/art.txt:1-27; nothing of it is written\n";
    desk.run(&["--unit", "document", "-v", "d", "-o", "out"]).succeeds().says(said);
}

#[test]
fn documents_left_without_text_are_counted_and_records_kept_where_that_is_asked_for() {
    let desk = Desk::new();
    desk.write("in/a.txt", RIVER);
    desk.write("in/b.txt", RIVER);
    desk.run(&["--across", "--min-chars", "1", "in", "-o", "out"]).succeeds().says("2 documents, 1 with repeats, 1 left empty, ");
    assert_same(&desk.read("out/b.txt"), "", "of a text file an empty one stays");
    desk.write("a.jsonl", record(RIVER).repeat(2));
    let emptied = record(RIVER) + &record("");
    for across in [&["--across", "--min-chars", "1"][..], &["--unit", "document"]] {
        let args = [across, &["--empty", "keep", "a.jsonl"]].concat();
        desk.run(&args).succeeds().says("1 left empty").prints(&emptied);
        desk.run(&[across, &["a.jsonl"]].concat()).succeeds().says("1 dropped").prints(&record(RIVER));
    }
}

#[test]
fn what_is_packed_in_another_way_is_refused() {
    let desk = Desk::new();
    let bzip2 = b"BZh91AY&SY\xd9\x9d\x0f";
    desk.write("a.jsonl.bz2", bzip2);
    desk.write("a.txt", bzip2);
    desk.run(&["a.jsonl.bz2"])
        .fails("a.jsonl.bz2: is packed in a way that isn't read; unpack it on the way: bzip2 -dc FILE | unecho");
    desk.run(&["a.txt"]).fails("a.txt: is packed in a way that isn't read; unpack it on the way: bzip2 -dc FILE | unecho");
    desk.sh("unecho --from jsonl < a.txt").fails("standard input: is packed in a way that isn't read");
    desk.write("b.txt", "BZh9 is how bzip2 begins.\n");
    desk.run(&["b.txt"]).succeeds();
    desk.run(&["b.txt", "-o", "b.txt.xz"])
        .fails("b.txt.xz: has the name of a packed file, but isn't packed so; .gz and .zst are");
}

#[test]
fn a_packed_stream_of_which_only_the_beginning_comes_out_is_not_ended() {
    let desk = Desk::new();
    let records = many_records("wheat", 3 * LARGE);
    for (name, packed, test) in [("a.jsonl.gz", gz(&records), "gzip -t"), ("a.jsonl.zst", zst(&records), "zstd -qt")] {
        desk.write(name, &packed[..packed.len() - 5]);
        desk.sh(&format!("unecho --from jsonl < {name} > out")).fails("what was written is not all of its clean copy");
        if desk.sh(&format!("command -v {}", &test[..4])).status == Some(0) {
            assert_ne!(desk.sh(&format!("{test} < out")).status, Some(0), "{name}");
        }
    }
}

#[test]
fn a_document_ends_on_its_last_line() {
    let desk = Desk::new();
    desk.write("in/a.txt", "One line.\nAnother.\n");
    desk.write("in/b.txt", "One line.\nAnother.\n");
    let ran = desk.run(&["scan", "--unit", "document", "in"]);
    assert!(ran.succeeds().stdout.contains("in/b.txt:1-2: repeats in/a.txt:1-2 ("), "{ran}");
}

#[test]
fn what_holds_no_text_is_left_out_or_named_however_it_comes() {
    let desk = Desk::new();
    let wide =
        |text: &str| -> Vec<u8> { std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect() };
    let stored = |bytes: &[u8]| {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    };
    desk.write("in/a.jsonl.gz", stored(&wide(&record(RIVER))));
    desk.write("in/b.jsonl.gz", stored(&wide(&many_records("wheat", LARGE))));
    desk.write("in/c.jsonl.gz", stored(&vec![0; LARGE]));
    desk.write("in/d.jsonl", wide(&many_records("rye", LARGE)));
    desk.write("in/e.jsonl.gz", stored(record(RIVER).as_bytes()));
    for what in ["fail", "keep"] {
        for command in [&["in", "-o", "out"][..], &["scan", "in"]] {
            desk.run(&[command, &["--on-error", what]].concat()).succeeds().says("1 document").says("left out: 4 binary");
        }
        for name in ["a.jsonl.gz", "b.jsonl.gz", "d.jsonl"] {
            let ran = desk.run(&[&format!("in/{name}"), "--on-error", what]);
            ran.fails(&format!("in/{name}: is UTF-16")).prints("");
            desk.sh(&format!("unecho --from jsonl --on-error {what} < in/{name}")).fails("standard input: is UTF-16").prints("");
        }
        desk.run(&["in/c.jsonl.gz", "--on-error", what, "-o", "o.jsonl"]).fails("in/c.jsonl.gz: line 1: "); // it was named
    }
}

/// A file of many records, one of which is broken, and the number of its line.
fn with_one_broken(bytes: usize) -> (String, String, usize) {
    let records = many_records("wheat", bytes);
    let middle = records.len() / 2 + records[records.len() / 2..].find('\n').unwrap() + 1;
    let (before, after) = records.split_at(middle);
    (before.into(), after.into(), before.lines().count() + 1)
}

#[test]
fn one_broken_record_among_many_is_named_and_left_out_or_kept() {
    let desk = Desk::new();
    for size in [100_000, LARGE] {
        let (before, after, line) = with_one_broken(size);
        desk.write("in/a.jsonl", format!("{before}{{\"text\": \"Broken\n{after}"));
        desk.write("in/b.jsonl", record(RIVER));
        let named = format!("error: in/a.jsonl: line {line}: is not JSON at column 16: EOF while parsing a string");
        for (what, wanted) in [
            ("fail", None),
            ("keep", Some(format!("{before}{{\"text\": \"Broken\n{after}"))),
            ("drop", Some(format!("{before}{after}"))),
        ] {
            for across in [&["--across"][..], &[]] {
                desk.sh("rm -rf out").succeeds();
                let args = [across, &["--on-error", what, "in", "-o", "out", "--stats", "stats"]].concat();
                desk.run(&args).fails(&named).says("failed: 1");
                assert_same(&desk.read("out/b.jsonl"), &record(RIVER), "the other file");
                match &wanted {
                    None => assert!(!desk.exists("out/a.jsonl")),
                    Some(wanted) => assert_same(&desk.read("out/a.jsonl"), wanted, what),
                }
                assert!(desk.leftovers("out").is_empty());
                assert_eq!(stats(&desk, "stats")["failed"], 1);
            }
        }
    }
}

#[test]
fn what_stood_only_in_a_file_that_failed_is_not_cut_elsewhere() {
    let desk = Desk::new();
    for (size, packed) in [(1000, false), (LARGE, false), (LARGE, true)] {
        let (before, after, _) = with_one_broken(size);
        let broken = record(RIVER) + &before + "broken\n" + &after;
        desk.sh("rm -rf in out").succeeds();
        match packed {
            false => desk.write("in/b.jsonl", broken),
            // Stored, so that it is large when packed.
            true => {
                let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
                gz.write_all(broken.as_bytes()).unwrap();
                desk.write("in/b.jsonl.gz", gz.finish().unwrap());
            }
        }
        desk.write("in/a.txt", ROAD);
        let (first, other) = (before.lines().next().unwrap(), after.lines().last().unwrap());
        let first_text = "On day 0 all wheat was late, and 0 more came.";
        assert!(first.contains(first_text));
        desk.write("in/c.jsonl", format!("{first}\n{other}\n") + &record(&format!("{RIVER}\n\n{ROAD}\n\nC.")));
        desk.write("in/d.txt", format!("{RIVER}\n\n{first_text}\n\nD."));
        across(&desk, &["in", "-o", "out"]).fails(": is not JSON").says("failed: 1").says("5 documents");
        assert_same(&desk.read("out/c.jsonl"), &(format!("{first}\n{other}\n") + &record(&format!("{RIVER}\n\nC."))), "c");
        assert_same(&desk.read("out/d.txt"), "D.", "d");
    }
}

#[test]
fn a_file_that_fails_takes_no_run_of_the_document_before_it_along() {
    let desk = Desk::new();
    // "Fourth" follows "First" only where "First" isn't the first of its kind, and only both together are long enough.
    let [first, second, fourth] = ["First", "Second", "Fourth"].map(|word| format!("{word}, {}.", "and so on ".repeat(11)));
    desk.write("in/a.txt", format!("{first}\n\n{second}\n\n{first}\n\n{fourth}"));
    desk.write("in/b.jsonl", many_records("wheat", LARGE) + "broken\n");
    desk.write("in/c.txt", format!("{first}\n\n{fourth}\n\nC."));
    for b in ["fails", "is not there"] {
        desk.run(&["--across", "--min-chars", "200", "in", "-o", "out"]);
        assert_same(&desk.read("out/c.txt"), "C.", b);
        desk.sh("rm -rf in/b.jsonl out").succeeds();
    }
}

#[test]
fn an_empty_file_after_one_that_failed_is_its_own_clean_copy() {
    let desk = Desk::new();
    desk.write("in/a.jsonl", many_records("wheat", LARGE) + "broken\n");
    desk.write("in/b.jsonl", "");
    desk.run(&["in", "-o", "out"]).fails("in/a.jsonl: line ");
    assert!(!desk.exists("out/a.jsonl"));
    assert_same(&desk.read("out/b.jsonl"), "", "the other");
}

#[test]
fn an_output_that_cannot_be_begun_gets_no_stretch_into_another() {
    let desk = Desk::new();
    desk.write("in/a.jsonl", many_records("wheat", LARGE) + "broken\n");
    desk.write("in/b.jsonl", many_records("barley", LARGE));
    desk.write("in/c.jsonl", many_records("rye", LARGE));
    desk.sh("mkdir -p out/b.jsonl").succeeds();
    let ran = desk.run(&["in", "-o", "out"]);
    ran.fails("in/a.jsonl: line ").says("out/b.jsonl: is a folder");
    assert!(!desk.exists("out/a.jsonl"));
    assert_same(&desk.read("out/c.jsonl"), &many_records("rye", LARGE), "the other");
}

#[test]
fn what_is_no_record_is_named_with_its_reason() {
    let desk = Desk::new();
    let deep = format!("{{\"text\":\"x\",\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    for (line, why) in [
        (r#"{"id":1}"#, r#"has no field "text"; --text-field names another"#),
        (r#"{"a":{"text":"nested"}}"#, r#"has no field "text""#),
        (r#"{"text":null}"#, r#"its field "text" is null, not a string"#),
        (r#"{"text":12}"#, r#"its field "text" is a number, not a string"#),
        (r#"{"text":["a"]}"#, r#"its field "text" is an array, not a string"#),
        (r#"{"text":{}}"#, r#"its field "text" is an object, not a string"#),
        (r#"{"text":true}"#, r#"its field "text" is true, not a string"#),
        (r#"{"text":"a","text":"a"}"#, r#"has the field "text" twice"#),
        (r#"{"text":"a","t\u0065xt":"a"}"#, r#"has the field "text" twice"#),
        (r#"["text"]"#, "is an array, not an object with a text"),
        (r#""text""#, "is a string, not an object with a text"),
        ("null", "is null, not an object with a text"),
        (r#"{"text":"a"} {"text":"b"}"#, "is not JSON at column 14: trailing characters"),
        (r#"{'text':'a'}"#, "is not JSON at column 2: "),
        ("{\"text\":\"a\u{1}b\"}", "is not JSON at column 10: control character"),
        ("{\"text\":\"a\0b\"}", "is not JSON at column 10: control character"),
        (r#"{"text":"\x"}"#, "is not JSON at column 11: invalid escape"),
        ("{", "is not JSON at column 1: EOF while parsing an object; a record takes one line, as jq -c writes it"),
        (&deep, "nests values more than 127 deep"),
    ] {
        let text = format!("{{\"text\":\"before\"}}\n{line}\n{{\"text\":\"after\"}}\n");
        desk.write("a.jsonl", &text);
        let why = format!("a.jsonl: line 2: {why}");
        desk.run(&["a.jsonl"]).fails(&why).prints("");
        desk.run(&["a.jsonl", "--on-error", "keep"]).fails(&why).prints(&text);
        desk.run(&["a.jsonl", "--on-error", "drop"]).fails(&why).prints("{\"text\":\"before\"}\n{\"text\":\"after\"}\n");
        desk.sh("unecho --from jsonl --on-error keep < a.jsonl | cmp a.jsonl -").succeeds();
    }
    desk.write("a.jsonl", b"{\"text\":\"\xc3\xa9\xff\"}\n");
    desk.run(&["a.jsonl"]).fails("a.jsonl: line 1: is not UTF-8 at column 11").prints("");
    desk.sh("unecho a.jsonl --on-error keep | cmp a.jsonl -").succeeds();
}

#[test]
fn half_a_surrogate_pair_and_an_escaped_nul_are_text() {
    let desk = Desk::new();
    let records = [r#"{"text":"Half \ud83d of one."}"#, r#"{"text":"Half \ude00 of one."}"#, r#"{"text":"A \u0000 here."}"#];
    desk.write("a.jsonl", [records.join("\n"), records.join("\n")].join("\n"));
    across(&desk, &["a.jsonl"]).succeeds().prints(&(records.join("\n") + "\n"));
}

#[test]
fn a_file_without_records_is_its_own_clean_copy() {
    let desk = Desk::new();
    for text in ["", "\n", " \n\r\n\n", "\u{feff}", "\u{feff}\n"] {
        for args in [&["--across"][..], &[]] {
            desk.write("in/a.jsonl", text);
            desk.write("in/b.jsonl.gz", gz(text));
            desk.write("in/c.txt", "A text.");
            desk.run(&[args, &["in", "-o", "out"]].concat()).succeeds().says("1 document, 0 with repeats").says("failed: 0");
            assert_same(&desk.read("out/a.jsonl"), text, "plain");
            assert_same(&un_gz(desk.path("out/b.jsonl.gz")), text, "packed");
        }
    }
    desk.write("empty.jsonl", "");
    desk.run(&["empty.jsonl"]).succeeds().prints("").says("0 documents, 0 with repeats, 0 bytes");
    desk.run(&["scan", "empty.jsonl"]).succeeds().prints("");
    desk.sh(": | unecho --from jsonl --across").succeeds().prints("");
    desk.write("in/b.jsonl.gz", "");
    desk.run(&["in", "-o", "out"]).fails("in/b.jsonl.gz: the gzip stream ends early, after 0 unpacked bytes");
}

#[test]
fn the_first_broken_records_of_a_file_are_named_and_the_others_counted() {
    let desk = Desk::new();
    let broken = |count: usize| record("before") + &"{}\n".repeat(count) + &record("after");
    desk.write("in/a.jsonl", broken(12));
    desk.write("in/b.jsonl", broken(1));
    desk.write("in/c.jsonl", broken(11));
    let ran = desk.run(&["--on-error", "drop", "in", "-o", "out"]);
    let fault = r#"has no field "text"; --text-field names another"#;
    let mut said: Vec<String> = (2..12).map(|line| format!("error: in/a.jsonl: line {line}: {fault}")).collect();
    said.push("error: in/a.jsonl: 2 broken records more".into());
    said.push(format!("error: in/b.jsonl: line 2: {fault}"));
    said.extend((2..12).map(|line| format!("error: in/c.jsonl: line {line}: {fault}")));
    said.push("error: in/c.jsonl: 1 broken record more".into());
    assert_same(&ran.stderr.lines().take(said.len()).collect::<Vec<_>>().join("\n"), &said.join("\n"), "what is said");
    ran.fails("failed: 3");
    for name in ["a", "b", "c"] {
        assert_same(&desk.read(&format!("out/{name}.jsonl")), &broken(0), name);
    }
}

#[test]
fn broken_records_far_apart_make_one_file_that_failed() {
    let desk = Desk::new();
    let (before, after, line) = with_one_broken(LARGE);
    desk.write("in/a.jsonl", format!("broken\n{before}broken\n{after}broken\n"));
    desk.write("in/b.jsonl", record(RIVER));
    let ran = desk.run(&["--on-error", "drop", "--across", "in", "-o", "out"]);
    ran.fails("in/a.jsonl: line 1: is not JSON")
        .says(&format!("in/a.jsonl: line {}: ", line + 1))
        .says("failed: 1 (3 broken records)\n");
    assert_same(&desk.read("out/a.jsonl"), &(before + &after), "the clean copy");
}

#[test]
fn what_standard_input_held_before_it_broke_off_has_gone_out_and_is_an_error() {
    let desk = Desk::new();
    let records = record(RIVER) + &record(ROAD);
    let whole = gz(&records);
    desk.write("short.gz", &whole[..whole.len() - 5]);
    desk.write("broken", records.clone() + "broken\n" + &record("after"));
    for what in ["keep", "drop"] {
        let line = format!("unecho --from jsonl --on-error {what} < short.gz > out");
        desk.sh(&line).fails("standard input: the gzip stream ends early");
        assert_same(&un_gz(desk.path("out")), &records, what);
    }
    let wanted = records.clone() + &record("after");
    desk.sh("unecho --from jsonl --on-error drop < broken").fails("standard input: line 3: is not JSON").prints(&wanted);
    desk.sh("unecho --from jsonl < broken").fails("standard input: line 3: is not JSON").prints(&records);
    desk.sh("unecho --from jsonl < broken -o out.jsonl").fails("standard input: line 3: is not JSON");
    assert!(!desk.exists("out.jsonl"));
}

// Systems that start few threads, and signals.

#[test]
fn where_few_threads_are_started_a_container_is_cleaned_or_the_lack_is_named() {
    let desk = Desk::new();
    let records = many_records("wheat", LARGE);
    desk.write("a.jsonl", &records);
    desk.write("a.jsonl.gz", gz(&records));
    // The empty one has a writer that ends before there is any other work.
    desk.write("empty.jsonl.gz", gz(""));
    let as_guest = "chmod 777 . && timeout 60 setpriv --reuid=65533 --regid=65533 --clear-groups prlimit";
    if desk.sh(&format!("{as_guest} --nproc=1 unecho --version")).status != Some(0) {
        return skipped("only root can become a user who may start nothing");
    }
    for threads in 1..=3 {
        for inputs in ["a.jsonl.gz", "--on-error keep empty.jsonl.gz a.jsonl"] {
            desk.sh("rm -rf out").succeeds();
            let ran = desk.sh(&format!("{as_guest} --nproc={threads} unecho --threads 4 {inputs} art.txt -o out"));
            if ran.status == Some(0) {
                let packed = desk.exists("out/a.jsonl.gz").then(|| un_gz(desk.path("out/a.jsonl.gz")));
                assert_same(&packed.unwrap_or_else(|| desk.read("out/a.jsonl")), &records, inputs);
            } else {
                ran.fails("the system starts no thread");
            }
            assert_same(&desk.read("out/art.txt"), &desk::clean_article(), "the other");
        }
    }
}

// Outputs that can't be written.

#[test]
fn a_reader_that_has_seen_enough_of_a_container_ends_the_run() {
    let desk = Desk::new();
    desk.write("a.jsonl", many_records("wheat", 4 * LARGE));
    desk.write("a.jsonl.gz", gz(many_records("wheat", 4 * LARGE)));
    let first = many_records("wheat", 1);
    for line in [
        "unecho a.jsonl | head -n 1",
        "cat a.jsonl | unecho --from jsonl --across | head -n 1",
        "unecho a.jsonl.gz | gzip -dc 2>&- | head -n 1",
    ] {
        let ran = desk.sh(line);
        ran.succeeds().prints(&first);
        assert!(!ran.stderr.contains("error"), "{ran}");
    }
}

#[test]
fn a_full_device_is_an_error_for_a_container_too() {
    if !fs::exists("/dev/full").unwrap() {
        return skipped("there is no /dev/full");
    }
    let desk = Desk::new();
    desk.write("large.jsonl", many_records("wheat", LARGE));
    desk.write("small.jsonl", record(RIVER));
    desk.write("small.jsonl.gz", gz(record(RIVER)));
    for name in ["large.jsonl", "small.jsonl", "small.jsonl.gz"] {
        desk.sh(&format!("unecho {name} > /dev/full")).fails("standard output: no space left on device");
        desk.sh(&format!("unecho --from jsonl < {name} > /dev/full")).fails("standard output: no space left on device");
    }
}

#[test]
fn a_full_disk_fails_the_container_it_has_no_room_for_and_leaves_nothing_behind() {
    let desk = Desk::new();
    fs::create_dir(desk.path("small")).unwrap();
    if desk.sh("mount -t tmpfs -o size=64k tmpfs small").status != Some(0) {
        return skipped("no small file system could be mounted");
    }
    desk.write("in/a.jsonl", many_records("wheat", LARGE));
    desk.write("in/b.jsonl", record(RIVER));
    let ran = desk.run(&["in", "-o", "small/out"]);
    let (leftovers, other) = (desk.leftovers("small/out"), desk.exists("small/out/b.jsonl"));
    desk.sh("umount small").succeeds();
    ran.fails("small/out/a.jsonl: no space left on device");
    assert!(leftovers.is_empty(), "{leftovers:?}");
    assert!(other, "{ran}");
}

#[test]
fn an_output_folder_that_cannot_be_made_is_an_error() {
    let desk = Desk::new();
    desk.write("in/a.jsonl", many_records("wheat", LARGE));
    desk.write("in/b.jsonl", record(RIVER));
    desk.write("file", "");
    desk.run(&["in", "-o", "file/out"]).fails("file/out/a.jsonl: not a directory").says("file/out/b.jsonl: not a directory");
    desk.run(&["in/a.jsonl", "-o", "file/o.jsonl"]).fails("file/o.jsonl: not a directory");
}

/// What stands in `lost` and again in `c` isn't cut there if `lost` has no output.
fn with_what_is_lost(desk: &Desk, lost: &str, text: impl AsRef<[u8]>) {
    desk.sh("rm -rf in out").succeeds();
    desk.write("in/a.txt", format!("{RIVER}\n\nA."));
    desk.write(&format!("in/{lost}"), text);
    desk.write("in/c.txt", format!("{RIVER}\n\n{ROAD}\n\nC."));
}

const ENDED: &str = "in: ended there: what comes later would have been compared with a document that is in no output";

#[test]
fn what_was_compared_with_a_document_that_cannot_be_written_isnt_written() {
    let desk = Desk::new();
    let mount = "mkdir -p out && echo >old && echo >out/b.txt && mount --bind old out/b.txt";
    for (line, why) in [("mkdir -p out/b.txt", "is a folder"), (mount, "device or resource busy")] {
        with_what_is_lost(&desk, "b.txt", ROAD);
        if desk.sh(line).status != Some(0) {
            skipped("no file can be mounted");
            continue;
        }
        let ran = across(&desk, &["in", "-o", "out"]);
        desk.sh("umount out/b.txt");
        ran.fails(&format!("out/b.txt: {why}")).says(ENDED);
        assert_same(&desk.read("out/a.txt"), &format!("{RIVER}\n\nA."), why);
        assert!(!desk.exists("out/c.txt") && desk.leftovers("out").is_empty(), "{ran}");
    }
}

#[test]
fn what_cannot_be_begun_is_forgotten_before_the_next_is_read() {
    let desk = Desk::new();
    let text: String = (0..400_000).map(|number| format!("line {number}\n")).collect();
    for (name, large) in [("b.jsonl", record(ROAD) + &many_records("wheat", LARGE)), ("b.txt", format!("{ROAD}\n{text}"))] {
        with_what_is_lost(&desk, name, large);
        desk.sh(&format!("mkdir -p out/{name}")).succeeds();
        across(&desk, &["in", "-o", "out"]).fails(&format!("out/{name}: is a folder")).says("failed: 1");
        assert_same(&desk.read("out/c.txt"), &format!("{ROAD}\n\nC."), name);
    }
}

#[test]
fn nothing_is_compared_with_a_container_the_disk_has_no_room_for() {
    let desk = Desk::new();
    with_what_is_lost(&desk, "b.jsonl", record(ROAD) + &many_records("wheat", LARGE));
    fs::create_dir(desk.path("small")).unwrap();
    if desk.sh("mount -t tmpfs -o size=64k tmpfs small").status != Some(0) {
        return skipped("no small file system could be mounted");
    }
    let ran = across(&desk, &["in", "-o", "small/out"]);
    let left = ["a.txt", "b.jsonl", "c.txt"].map(|name| desk.exists(&format!("small/out/{name}")));
    let leftovers = desk.leftovers("small/out");
    desk.sh("umount small").succeeds();
    ran.fails("small/out/b.jsonl: no space left on device").says(ENDED);
    assert!(left == [true, false, false] && leftovers.is_empty(), "{ran}");
}

// Whole documents.

#[test]
fn with_whole_documents_a_repeated_record_is_dropped() {
    let desk = Desk::new();
    let texts =
        [format!("{RIVER}\n\n{ROAD}"), ROAD.into(), format!("{RIVER}\n{ROAD}"), format!("{RIVER}\n\n{ROAD}"), ROAD.into()];
    desk.write("a.jsonl", texts.iter().map(|text| record(text)).collect::<String>());
    // White space doesn't count, unless bytes do; what is part of another document stays.
    for (matching, left) in [("text", 2), ("bytes", 3)] {
        let wanted: String = texts[..left].iter().map(|text| record(text)).collect();
        desk.run(&["--unit", "document", "--min-chars", "1", "--match", matching, "a.jsonl", "--stats", "stats"])
            .succeeds()
            .prints(&wanted)
            .says(&format!("5 documents, {0} with repeats, {0} dropped", 5 - left));
        assert_eq!(stats(&desk, "stats")["dropped"]["repeated"], 5 - left);
    }
}

#[test]
fn with_whole_documents_a_repeated_file_is_not_written() {
    let desk = Desk::new();
    desk.write("in/a.txt", RIVER);
    desk.write("in/b.txt", RIVER);
    desk.write("in/c.jsonl", record(RIVER) + &record(ROAD));
    desk.write("in/d.txt", ROAD);
    desk.write("in/e.txt", "");
    desk.write("in/f.txt", "");
    let ran = desk.run(&["--unit", "document", "--min-chars", "1", "in", "-o", "out", "--stats", "stats"]);
    ran.succeeds().says("7 documents, 3 with repeats, 3 dropped");
    let written = ["a.txt", "b.txt", "c.jsonl", "d.txt", "e.txt", "f.txt"].map(|name| desk.exists(&format!("out/{name}")));
    assert_eq!(written, [true, false, true, false, true, true]);
    assert_same(&desk.read("out/c.jsonl"), &record(ROAD), "c");
    assert_eq!(stats(&desk, "stats")["dropped"], serde_json::json!({ "emptied": 0, "repeated": 3, "too_repetitive": 0 }));
}

#[test]
fn what_stood_in_the_place_of_a_dropped_document_goes() {
    let desk = Desk::new();
    let whole = ["--unit", "document", "--min-chars", "1", "in", "-o", "out"];
    desk.write("in/a.txt", RIVER);
    desk.write("in/b.txt", ROAD);
    desk.run(&whole).succeeds();
    assert_same(&desk.read("out/b.txt"), ROAD, "b");
    for name in ["in/b.txt", "in/c.txt", "in/sub/d.txt"] {
        desk.write(name, RIVER);
    }
    desk.write("out/c.txt/other", "");
    desk.run(&whole).succeeds().says("4 documents, 3 with repeats, 3 dropped");
    assert_same(&desk.read("out/a.txt"), RIVER, "a");
    assert!(!desk.exists("out/b.txt") && desk.exists("out/c.txt/other") && !desk.exists("out/sub"));

    desk.write("old.txt", "old");
    desk.run(&["--drop-above", "90%", "art.txt", "-o", "old.txt"]).succeeds();
    assert_same(&desk.read("old.txt"), &desk::clean_article(), "not dropped");
    desk.run(&["--drop-above", "10%", "art.txt", "-o", "old.txt"]).succeeds().says("art.txt: dropped as a whole");
    assert!(!desk.exists("old.txt"));
}

#[test]
fn the_last_copy_cannot_be_kept_across_documents() {
    let desk = Desk::new();
    for args in [["--across", "--keep", "last", "a.jsonl"], ["--unit=document", "--keep", "last", "a.jsonl"]] {
        desk.run(&args).fails("--keep last: across documents the first copy stays").prints("");
    }
    let settings = Settings { across: true, keep: Keep::Last, ..Settings::default() };
    let (reading, threads, stop) = (Reading::default(), Threads::new(1), AtomicBool::new(false));
    let budget = Budget::of_machine();
    let course = Course { settings: &settings, reading: &reading, budget: &budget, threads: &threads, stop: &stop };
    assert!(runner::run(std::iter::empty(), course, |_| Ok(()), |_| Ok(())).is_err());
}

// Reports.

#[test]
fn of_what_repeats_often_the_first_places_are_named_and_the_others_counted() {
    let desk = Desk::new();
    desk.write("a.txt", format!("{RIVER}\n\n{RIVER}\n\nA."));
    desk.write("b.jsonl", record(RIVER).repeat(1003));
    let stdout = desk.run(&[&["scan"], &ACROSS[..], &["a.txt", "b.jsonl"]].concat()).succeeds().stdout.clone();
    let wanted = "Most repeated:
  1,004 repeats, 54,216 bytes: The river runs past the old mill and under the bridge.
    first a.txt:1
    again a.txt:3; b.jsonl:1 line 1; b.jsonl:2 line 1; and 1,001 more
";
    assert_same(&stdout[stdout.find("Most").unwrap()..], wanted, "what repeats most");
}

#[test]
fn a_scan_across_names_documents_and_what_repeats_most() {
    let desk = Desk::new();
    desk.write("a.txt", format!("A.\n\n{RIVER}"));
    let two = serde_json::json!({ "id": "b/2", "text": format!("Two.\n\n{ROAD}\n\n{RIVER}") });
    desk.write("b.jsonl", record(&format!("{RIVER}\n\nB.")) + &format!("\n{two}\n"));
    desk.write("c.txt", ROAD);
    let args = [&["scan"], &ACROSS[..], &["a.txt", "b.jsonl", "c.txt"]].concat();
    desk.run(&args).succeeds().says("4 documents, 3 with repeats").prints(
        "b.jsonl:1 line 1: repeats a.txt:3 (1 paragraph, 54 columns)
    The river runs past the old mill and under the bridge.
b.jsonl:3 (b/2) line 5: repeats a.txt:3 (1 paragraph, 54 columns)
    The river runs past the old mill and under the bridge.
c.txt:1: repeats b.jsonl:3 (1 paragraph, 52 columns)
    The road goes up the hill, where the old inn stands.
Most repeated:
  2 repeats, 108 bytes: The river runs past the old mill and under the bridge.
    first a.txt:3
    again b.jsonl:1 line 1; b.jsonl:3 (b/2) line 5
  1 repeat, 52 bytes: The road goes up the hill, where the old inn stands.
    first b.jsonl:3
    again c.txt:1
",
    );
    let report: serde_json::Value =
        serde_json::from_str(&desk.run(&[&args[..], &["--format", "json"]].concat()).succeeds().stdout).unwrap();
    let first = &report["documents"][0];
    assert_eq!((&first["path"], &first["record"]), (&"b.jsonl".into(), &1.into()));
    assert_eq!(first["repeats"][0]["rule"], "repeated-across");
    assert_eq!(first["repeats"][0]["repeats_document"], serde_json::json!({ "path": "a.txt" }));
    assert_eq!(first["repeats"][0]["repeats_lines"], serde_json::json!([{ "first": 3, "last": 3 }]));
    assert_eq!(
        report["most_repeated"][0],
        serde_json::json!({
            "begins": RIVER,
            "repeats": 2,
            "bytes": 108,
            "first": { "path": "a.txt", "lines": [{ "first": 3, "last": 3 }] },
            "places": [
                { "path": "b.jsonl", "record": 1, "lines": [{ "first": 1, "last": 1 }] },
                { "path": "b.jsonl", "record": 3, "id": "b/2", "lines": [{ "first": 5, "last": 5 }] },
            ],
        })
    );
    assert_eq!(report["summary"]["documents"], 4);
}

#[test]
fn a_scan_shows_nothing_of_a_file_that_is_left_out() {
    let desk = Desk::new();
    let (begins, twice) = (record(RIVER) + &record(RIVER), record(ROAD) + &record(ROAD));
    desk.write("in/a.jsonl", begins + &many_records("wheat", 4 * LARGE) + "broken\n");
    desk.write("in/b.jsonl", &twice);
    let args = [&["scan"], &ACROSS[..], &["in", "--stats", "stats"]].concat();
    let of_b = "in/b.jsonl:2 line 1: repeats in/b.jsonl:1 (1 paragraph, 52 columns)";
    let ran = desk.run(&args);
    ran.fails("in/a.jsonl: line ").says("2 documents, 1 with repeats");
    assert!(ran.stdout.starts_with(of_b) && !ran.stdout.contains(RIVER), "{}", ran.stdout);
    assert_eq!(stats(&desk, "stats")["documents"], 2);

    let ran = desk.run(&[&args[..], &["--on-error", "keep"]].concat());
    ran.fails("in/a.jsonl: line ");
    assert!(ran.stdout.starts_with("in/a.jsonl:2 line 1: repeats in/a.jsonl:1"), "{}", ran.stdout);
}

/// What stands only in a document that is dropped, though not all of it repeats, is kept where it comes next.
#[test]
fn a_dropped_document_justifies_no_cut() {
    let desk = Desk::new();
    let first = format!("{RIVER}\n{RIVER} So it is.");
    let mostly_the_same = format!("{first}\n{ROAD}");
    desk.write("all.jsonl", [record(&first), record(&mostly_the_same), record(ROAD), record(ROAD)].concat());
    across(&desk, &["--drop-above", "60%", "all.jsonl", "-o", "clean.jsonl", "--stats", "stats.json"]).succeeds();
    assert_same(&desk.read("clean.jsonl"), &[record(&first), record(ROAD)].concat(), "clean.jsonl");
    let stats: serde_json::Value = serde_json::from_str(&desk.read("stats.json")).unwrap();
    assert_eq!(stats["dropped"], serde_json::json!({"emptied": 0, "repeated": 0, "too_repetitive": 2}));
}

#[test]
fn what_repeats_as_a_whole_is_more_than_any_share() {
    let desk = Desk::new();
    desk.write("all.jsonl", [record(RIVER), record(RIVER)].concat());
    across(&desk, &["--drop-above", "80%", "--empty", "keep", "all.jsonl", "-o", "clean.jsonl"]).succeeds();
    assert_same(&desk.read("clean.jsonl"), &record(RIVER), "clean.jsonl");
    desk.write("in/a.txt", RIVER);
    desk.write("in/b.txt", RIVER);
    across(&desk, &["--drop-above", "80%", "in", "-o", "out"]).succeeds();
    assert_same(&desk.read("out/a.txt"), RIVER, "a.txt");
    assert!(!desk.path("out/b.txt").exists());
    // More than all of it is none.
    across(&desk, &["--drop-above", "100%", "in", "-o", "out"]).succeeds();
    assert_same(&desk.read("out/b.txt"), "", "b.txt");
}

#[test]
fn files_without_documents_make_no_difference_to_those_around_them() {
    let desk = Desk::new();
    let line = |name: &str| format!("{name}: {RIVER} {ROAD}\n\n");
    // The run of A and C stood in the first file, but not as the firsts of their kind.
    desk.write("a.txt", ["A", "B", "A", "C"].map(line).concat());
    desk.write("c.txt", ["D", "A", "C", "E"].map(line).concat());
    for empty in ["1.jsonl", "3.jsonl", "5.jsonl"] {
        desk.write(empty, "");
    }
    desk.write("2.jsonl", "\n\n");
    desk.write("4.jsonl", "no record\n");
    for between in [&[][..], &["2.jsonl"], &["1.jsonl", "2.jsonl", "3.jsonl"], &["1.jsonl", "4.jsonl", "5.jsonl", "missing.txt"]]
    {
        for threads in ["1", "2"] {
            let flags = ["--across", "--min-chars", "200", "--threads", threads, "-o", "out", "a.txt"];
            desk.run(&[&flags, between, &["c.txt"]].concat());
            assert_same(&desk.read("out/c.txt"), &["D", "E"].map(line).concat(), &format!("{between:?}"));
            fs::remove_dir_all(desk.path("out")).unwrap();
        }
    }
}

#[test]
fn a_packed_file_whose_name_does_not_say_so_is_named() {
    let desk = Desk::new();
    desk.write("a.jsonl", b"\x1f\x8b\x08\0\0\0\0\0\0\x03");
    desk.write("a.txt", b"\x28\xb5\x2f\xfd\x04\x58");
    desk.run(&["a.jsonl"]).fails("a.jsonl: is packed, which its name doesn't say: add .gz");
    desk.run(&["a.txt"]).fails("a.txt: is packed, which its name doesn't say: add .zst");
}
