//! Records from end to end: what is on record proves the run once more and takes it back, whatever the flags, the form, the
//! packing; and what isn't as it was is found, and where.

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/desk.rs"]
mod desk;
#[path = "support/python.rs"]
mod python;

use corpus::{Kind, document};
use desk::{Desk, Ran};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;

/// Documents of each kind that there is.
fn documents() -> Vec<String> {
    let each = |kind: &Kind| (0..4).map(|seed| String::from_utf8(document(seed, *kind).text).unwrap()).collect::<Vec<_>>();
    Kind::ALL.iter().flat_map(each).collect()
}

fn line(id: usize, text: &str) -> String {
    serde_json::json!({ "id": format!("n{id}"), "title": "Ein \"Titel\" — ü", "text": text }).to_string() + "\n"
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn unpacked(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = Vec::new();
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => flate2::read::MultiGzDecoder::new(&*bytes).read_to_end(&mut text).map(drop).unwrap(),
        Some("zst") => text = zstd::decode_all(&*bytes).unwrap(),
        _ => text = bytes,
    }
    text
}

fn wet(texts: &[String]) -> Vec<u8> {
    let mut all = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        write!(
            all,
            "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: http://example.org/{number}\r\nWARC-Date: 2024-05-18T01:58:10Z\r\n\
             WARC-Record-ID: <urn:uuid:{number:08}-0000-4000-8000-000000000000>\r\nContent-Type: text/plain\r\n\
             Content-Length: {}\r\n\r\n{text}\r\n\r\n",
            text.len()
        )
        .unwrap();
    }
    all
}

/// A folder "in" with documents in all forms whose originals are bytes, each form with the next five, of which some come again.
fn desk() -> Desk {
    let desk = Desk::new();
    let all = documents();
    let again = |at: usize| all[at % all.len()].clone();
    for (number, text) in all.iter().enumerate() {
        desk.write(&format!("in/a/{number:02}.txt"), text);
    }
    desk.write("in/b/latin.md", [all[0].as_bytes(), b"\n\xff\xfe no UTF-8\n", all[0].as_bytes()].concat());
    desk.write("in/b/crlf.txt", format!("\u{feff}{}", all[1].replace('\n', "\r\n")));
    desk.write("in/b/empty.txt", "");
    desk.write("in/b/packed.txt.gz", gz(again(2).as_bytes()));
    let lines: String = (3..9).chain(3..5).map(|at| line(at, &again(at))).collect();
    desk.write("in/c.jsonl", lines + "\n" + "{\"text\": \"no line end\"}");
    desk.write("in/d.jsonl.gz", gz((7..12).chain([3]).map(|at| line(at, &again(at))).collect::<String>().as_bytes()));
    desk.write(
        "in/e.ndjson.zst",
        zstd::encode_all((9..14).map(|at| line(at, &again(at))).collect::<String>().as_bytes(), 1).unwrap(),
    );
    desk.write("in/f.wet", wet(&[again(10), again(11), "Short.".into(), again(10)]));
    desk
}

/// What makes runs that differ.
const FLAGS: [&[&str]; 10] = [
    &[],
    &["--across"],
    &["--across", "--match", "bytes"],
    &["--across", "--match", "loose", "--min-chars", "1"],
    &["--keep", "last"],
    &["--unit", "line", "--min-chars", "0"],
    &["--unit", "line", "--across"],
    &["--unit", "document"],
    &["--across", "--drop-above", "30%"],
    &["--across", "--empty", "keep"],
];

fn files(desk: &Desk, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let top = desk.path(folder);
    let all = walkdir::WalkDir::new(&top).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    let all = all.filter(|entry| !entry.path().to_str().unwrap().contains("/.unecho/"));
    all.map(|entry| (entry.path().strip_prefix(&top).unwrap().to_str().unwrap().to_owned(), unpacked(entry.path()))).collect()
}

#[track_caller]
fn assert_same_files(desk: &Desk, found: &str, wanted: &str, what: &str) {
    let (found, wanted) = (files(desk, found), files(desk, wanted));
    assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "{what}");
    for (name, bytes) in &found {
        assert!(*bytes == wanted[name], "{what}: {name} differs");
    }
}

fn run(desk: &Desk, args: &[&[&str]]) -> Ran {
    desk.run(&args.concat())
}

fn lines_of(desk: &Desk, record: &str) -> Vec<Value> {
    let text = String::from_utf8(unpacked(&desk.path(record))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_is_on_record_is_proven_and_taken_back_whatever_the_flags() {
    let desk = desk();
    let mut cuts = 0;
    for (number, flags) in FLAGS.iter().enumerate() {
        let (out, back) = (format!("out{number}"), format!("back{number}"));
        let record = format!("records/{number}.jsonl{}", ["", ".zst", ".gz"][number % 3]);
        fs::create_dir_all(desk.path("records")).unwrap();
        run(&desk, &[&["in", "-o", &out, "--record", &record], flags]).succeeds();
        desk.run(&["verify", &record]).succeeds().says("all hold");
        desk.run(&["restore", &record, "-o", &back]).succeeds();
        assert_same_files(&desk, &back, "in", &format!("{flags:?}"));
        cuts += lines_of(&desk, &record).iter().filter(|line| line.get("cut").is_some()).count();
    }
    assert!(cuts > 200, "{cuts} cuts");
}

/// Paragraphs, and what else may stand in a text.
const PIECES: [&str; 16] = [
    "The river runs past the old mill and under the bridge, and on to the sea.",
    "The road goes up the hill, where the old inn stands, and down again to the harbour.",
    "THE river runs past the old mill, and under the bridge and on to the sea",
    "A line that is wrapped\nby hand, so that it goes on\nfor three lines.",
    "A line that is wrapped by hand, so that it goes on for three lines.",
    "```\ncode();\n```",
    "***",
    "- one item of a list\n- and another item of it\n- and a third one",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "Heading\n=======",
    "# A heading",
    "Caf\u{e9} au lait, in one form of writing an accent, and long enough to count.",
    "Cafe\u{301} au lait, in one form of writing an accent, and long enough to count.",
    "soft\u{ad}ly",
    "12.5 % of \"all\" C:\\new \\ \t tabs",
    "x",
];
/// What may stand between them.
const BETWEEN: [&str; 10] =
    ["\n\n", "\n", "\n\n\n", "\r\n\r\n", "\n\u{a0}\n", "\n \t\n", "  \n\n", "\n\u{ad}\n", "\n\u{2028}\n", "\r\n"];

fn odd_text(random: &mut corpus::Random) -> String {
    let mut text = String::from(if random.below(8) == 0 { "\u{feff}" } else { "" });
    let few = 2 + random.below(PIECES.len() - 1);
    for _ in 0..random.below(12) {
        text += PIECES[random.below(few)];
        text += BETWEEN[if random.below(3) == 0 { random.below(BETWEEN.len()) } else { 0 }];
    }
    text
}

#[test]
fn what_is_on_record_is_proven_and_taken_back_whatever_stands_between_paragraphs() {
    let mut random = corpus::Random(11);
    let desk = Desk::in_memory();
    let mut cuts = 0;
    for number in 0..400 {
        let _ = fs::remove_dir_all(desk.path("in"));
        for name in ["a.txt", "b.txt"] {
            desk.write(&format!("in/{name}"), odd_text(&mut random));
        }
        let records: String = (0..random.below(5)).map(|at| line(at, &odd_text(&mut random))).collect();
        desk.write("in/c.jsonl", if random.below(2) == 0 { records.replace("\u{e9}", "\\u00e9") } else { records });
        desk.write("in/d.wet", wet(&[odd_text(&mut random), odd_text(&mut random)]));
        let mut flags = vec!["in", "-o", "out", "--record", "r.jsonl", "--max-removed", "100%"];
        let mut one_of = |all: &[&'static [&'static str]]| flags.extend(all[random.below(all.len())]);
        one_of(&[&["--match", "bytes"], &["--match", "loose"], &[]]);
        one_of(&[
            &["--across"],
            &["--unit", "line"],
            &["--unit", "document"],
            &["--keep", "last"],
            &["--across", "--unit", "line"],
            &[],
        ]);
        one_of(&[&["--min-chars", "0"], &["--min-chars", "1"], &["--min-chars", "30"], &[]]);
        one_of(&[&["--drop-above", "30%"], &["--empty", "keep"], &[], &[]]);
        let _ = fs::remove_dir_all(desk.path("out"));
        let _ = fs::remove_dir_all(desk.path("back"));
        desk.run(&flags).succeeds();
        let verified = desk.run(&["verify", "r.jsonl"]);
        let restored = desk.run(&["restore", "r.jsonl", "-o", "back"]);
        let is_same = files(&desk, "back") == files(&desk, "in");
        if verified.status != Some(0) || restored.status != Some(0) || !is_same {
            panic!(
                "{number}, {flags:?} in {}: {verified}{restored}{}",
                desk.kept().display(),
                if is_same { "" } else { "\nnot the same" }
            );
        }
        cuts += lines_of(&desk, "r.jsonl").iter().filter(|line| line.get("cut").is_some()).count();
    }
    assert!(cuts > 1000, "{cuts} cuts");
}

#[test]
fn what_is_on_record_is_just_what_scan_finds() {
    let desk = desk();
    for (number, flags) in FLAGS.iter().enumerate() {
        let out = format!("out{number}");
        run(&desk, &[&["in", "-o", &out, "--record", "r.jsonl"], flags]).succeeds();
        let scanned = run(&desk, &[&["scan", "--format", "json", "in"], flags]);
        let scanned: Value = serde_json::from_str(&scanned.succeeds().stdout).unwrap();
        let mut found = BTreeSet::new();
        for document in scanned["documents"].as_array().unwrap() {
            for repeat in document["repeats"].as_array().unwrap() {
                let bytes = (repeat["bytes"]["start"].as_u64().unwrap(), repeat["bytes"]["end"].as_u64().unwrap());
                found.insert((
                    document["path"].as_str().unwrap().to_owned(),
                    document["record"].as_u64(),
                    repeat["rule"].to_string(),
                    bytes,
                ));
            }
        }
        let (mut recorded, mut path) = (BTreeSet::new(), String::new());
        for line in lines_of(&desk, "r.jsonl") {
            if line.get("file").is_some() && line.get("name").is_some() {
                path = line["path"].as_str().unwrap().to_owned();
            }
            if let Some(bytes) = repeat_of(&line) {
                recorded.insert((path.clone(), line["record"].as_u64(), line["rule"].to_string(), bytes));
            }
        }
        assert!(!found.is_empty(), "{flags:?}");
        assert!(recorded == found, "{flags:?}: {:?}", recorded.symmetric_difference(&found).take(5).collect::<Vec<_>>());
    }
}

/// The bytes that a cut repeats: as it says, or from its first to its last piece that is its witness.
fn repeat_of(line: &Value) -> Option<(u64, u64)> {
    let range = |value: &Value| Some((value[0].as_u64()?, value[1].as_u64()?));
    if let Some(repeat) = line.get("repeat") {
        return range(&repeat[0]);
    }
    let (mut at, mut repeat) = (line.get("cut")?[0].as_u64()?, None);
    for piece in line["pieces"].as_array()? {
        let Some(number) = piece.as_u64() else {
            at += piece.as_str()?.len() as u64;
            continue;
        };
        let (start, end) = range(&line["witness"]["ranges"][number as usize])?;
        let first = repeat.map_or(at, |(first, _)| first);
        at += end - start;
        repeat = Some((first, at));
    }
    repeat
}

#[test]
fn a_record_is_the_same_on_any_number_of_threads() {
    let desk = desk();
    for flags in [&["--across"][..], &["--unit", "line", "--min-chars", "0"]] {
        for threads in ["1", "2", "8"] {
            let record = format!("{threads}.jsonl");
            run(&desk, &[&["in", "-o", "out", "--record", &record, "--threads", threads], flags]).succeeds();
        }
        assert!(desk.read("1.jsonl") == desk.read("2.jsonl") && desk.read("2.jsonl") == desk.read("8.jsonl"), "{flags:?}");
    }
}

#[test]
fn what_memory_does_not_hold_is_on_record_with_its_places() {
    let desk = Desk::new();
    // More than the 46 MB of 64 that are for documents; what repeats first stood early or late.
    let text = |number: usize| {
        let line = |at: usize| {
            format!(
                "Of document {number} this is line {at}, and no other one has it, since {} is a number of its own.",
                number * 1000 + at
            )
        };
        (0..60).map(line).collect::<Vec<_>>().join("\n\n")
    };
    let mut lines = String::new();
    for number in 0..7000 {
        lines += &line(number, &text(number));
        if number % 100 == 99 {
            lines += &line(number, &format!("Again é:\n\n{}", text(number / 2)));
        }
    }
    desk.write("in/a.jsonl", &lines);
    desk.write("in/b.jsonl", [line(0, &text(6998)), line(1, &text(3))].concat());
    desk.run(&["--across", "in", "-o", "wanted"]).succeeds();
    let ran = desk.run(&["--across", "in", "-o", "out", "--record", "r.jsonl", "--memory", "64M"]);
    ran.succeeds().says("temporary files took");
    assert_same_files(&desk, "out", "wanted", "little memory");
    desk.run(&["verify", "r.jsonl"]).succeeds().says("72 cuts (72 equal to a text that stays)");
    desk.run(&["restore", "r.jsonl", "-o", "back"]).succeeds();
    assert_same_files(&desk, "back", "in", "little memory");
}

#[test]
fn originals_go_back_to_where_they_were() {
    let desk = desk();
    desk.sh("cp -r in before").succeeds();
    desk.run(&["in", "--across", "-o", "out", "--record", "r.jsonl"]).succeeds();
    desk.run(&["restore", "r.jsonl"]).succeeds().says("0 originals restored (24 files had it already)");
    fs::remove_dir_all(desk.path("in/b")).unwrap();
    desk.write("in/c.jsonl", "{}\n");
    desk.run(&["restore", "r.jsonl"]).fails("in/c.jsonl: is there already, and isn't the original").says("4 originals restored");
    fs::remove_file(desk.path("in/c.jsonl")).unwrap();
    desk.run(&["restore", "r.jsonl"]).succeeds().says("1 original restored");
    assert_same_files(&desk, "in", "before", "put back");
}

#[test]
fn a_run_in_place_is_proven_and_undone() {
    for flags in [&["--across"][..], &[], &["--keep", "last"], &["--unit", "line", "--min-chars", "0"]] {
        let desk = desk();
        fs::remove_file(desk.path("in/f.wet")).unwrap();
        desk.sh("cp -r in before").succeeds();
        run(&desk, &[&["in", "-o", "wanted"], flags]).succeeds();
        run(&desk, &[&["--in-place", "in"], flags]).succeeds().says("To undo it: unecho restore in/.unecho/0001.jsonl");
        assert_same_files(&desk, "in", "wanted", "cleaned in place");
        desk.run(&["verify", "in/.unecho/0001.jsonl"]).succeeds().says("made of clean copies");
        desk.run(&["restore", "in/.unecho/0001.jsonl"]).succeeds();
        assert_same_files(&desk, "in", "before", "undone");
        desk.run(&["restore", "in/.unecho/0001.jsonl"]).succeeds().says("0 originals restored");
        desk.run(&["verify", "in/.unecho/0001.jsonl"]).succeeds();
    }
}

#[test]
fn two_runs_one_upon_the_other_are_undone_in_reverse() {
    let desk = desk();
    fs::remove_file(desk.path("in/f.wet")).unwrap();
    desk.sh("cp -r in before").succeeds();
    desk.run(&["-i", "in"]).succeeds();
    desk.sh("cp -r in between").succeeds();
    desk.run(&["-i", "in", "--across"]).succeeds().says("0002.jsonl");
    desk.run(&["restore", "in/.unecho/0001.jsonl"])
        .fails("0002.jsonl, whose files it may need as they are; that is undone first");
    assert!(!files(&desk, "in").is_empty());
    desk.run(&["restore", "in/.unecho/0002.jsonl"]).succeeds();
    assert_same_files(&desk, "in", "between", "the second undone");
    desk.run(&["restore", "in/.unecho/0001.jsonl"]).succeeds();
    assert_same_files(&desk, "in", "before", "both undone");

    desk.run(&["in", "-o", "first", "--record", "1.jsonl"]).succeeds();
    desk.run(&["first", "--across", "-o", "second", "--record", "2.jsonl"]).succeeds();
    desk.run(&["restore", "2.jsonl", "-o", "back1"]).succeeds();
    assert_same_files(&desk, "back1", "first", "the second taken back");
    desk.run(&["restore", "1.jsonl", "-o", "back"]).succeeds();
    assert_same_files(&desk, "back", "before", "both taken back");
}

#[test]
fn streams_are_on_record_too() {
    let desk = desk();
    desk.sh("unecho --across --from jsonl --record r.jsonl <in/c.jsonl >clean.jsonl").succeeds();
    desk.sh("unecho restore r.jsonl -o back.jsonl <clean.jsonl").succeeds();
    desk.sh("cmp back.jsonl in/c.jsonl").succeeds();
    desk.sh("unecho restore r.jsonl -o - <clean.jsonl | cmp - in/c.jsonl").succeeds();
    desk.sh("unecho verify r.jsonl <clean.jsonl").succeeds();
    desk.sh("unecho restore r.jsonl <clean.jsonl").fails("-o says where it goes");
    desk.sh("gzip -dc in/d.jsonl.gz | unecho --across --from jsonl --record s.jsonl.zst -o copy.jsonl.gz").succeeds();
    desk.sh("unecho restore s.jsonl.zst -o back.jsonl && gzip -dc in/d.jsonl.gz | cmp - back.jsonl").succeeds();
    desk.run(&["in/a/00.txt", "--record", "-"]).fails("a record goes to a file");
    desk.run(&["in/c.jsonl", "-o", "c.parquet", "--record", "p.jsonl"]).fails("becomes another form");
    assert!(!desk.exists("p.jsonl"), "a run that failed has no record");
}

/// A record of few files, and what it is about.
fn small() -> Desk {
    let desk = Desk::new();
    let all = documents();
    desk.write("in/a.txt", &all[0]);
    desk.write("in/b.jsonl", (0..4).chain(0..2).map(|at| line(at, &all[at])).collect::<String>());
    desk.run(&["--across", "in", "-o", "out", "--record", "r.jsonl"]).succeeds();
    desk.run(&["verify", "r.jsonl"]).succeeds();
    desk
}

#[test]
fn a_byte_that_was_changed_is_found_and_where() {
    let desk = small();
    let mut random = corpus::Random(7);
    let mut places = 0;
    for name in ["in/a.txt", "in/b.jsonl", "out/a.txt", "out/b.jsonl", "r.jsonl"] {
        let path = desk.path(name);
        let whole = fs::read(&path).unwrap();
        for _ in 0..60 {
            let at = random.below(whole.len());
            let mut changed = whole.clone();
            changed[at] ^= 1 << random.below(7);
            fs::write(&path, &changed).unwrap();
            let ran = desk.run(&["verify", "r.jsonl"]);
            assert!(matches!(ran.status, Some(1 | 2)), "byte {at} of {name}\n{ran}");
            let is_named = ran
                .stderr
                .lines()
                .any(|line| line.contains(name) || line.contains("r.jsonl: line ") || line.contains("r.jsonl: is no record"));
            assert!(is_named, "byte {at} of {name}\n{ran}");
            if name != "r.jsonl" {
                assert_eq!(ran.status, Some(1), "byte {at} of {name}\n{ran}");
            }
            // Of what is cut nobody else knows the byte; of all else it is told.
            places += usize::from(ran.stderr.contains(&format!("byte {at} ")) || ran.stderr.contains(": line "));
            let restored = desk.run(&["restore", "r.jsonl", "-o", "back"]);
            if name.starts_with("in") {
                restored.succeeds();
            } else {
                restored.fails(if name == "r.jsonl" { "r.jsonl" } else { name });
            }
            let _ = fs::remove_dir_all(desk.path("back"));
        }
        fs::write(&path, &whole).unwrap();
    }
    assert!(places > 250, "of 300 changes {places} were told to the byte or line");
    desk.run(&["verify", "r.jsonl"]).succeeds();
}

#[test]
fn a_missing_file_is_said_and_nothing_is_touched() {
    for (gone, verifies) in [("out/a.txt", "out/a.txt"), ("out/b.jsonl", "out/b.jsonl"), ("in/a.txt", "in/a.txt")] {
        let desk = small();
        fs::remove_file(desk.path(gone)).unwrap();
        desk.run(&["verify", "r.jsonl"]).fails(verifies).says("(paths in a record lead from its folder)");
        let restored = desk.run(&["restore", "r.jsonl", "-o", "back"]);
        if gone.starts_with("out") {
            restored.fails(gone).says("nothing was done");
            assert!(!desk.exists("back/b.jsonl"));
        } else {
            restored.succeeds();
        }
    }
}

#[test]
fn what_can_be_restored_is_if_that_is_asked_for() {
    let desk = small();
    fs::remove_file(desk.path("out/b.jsonl")).unwrap();
    desk.run(&["restore", "r.jsonl", "-o", "back"]).fails(
        "out/b.jsonl: can't be read: no such file or directory (paths in a record lead from its folder); nothing was done, and \
                --keep-going",
    );
    desk.run(&["restore", "r.jsonl", "-o", "back", "--keep-going"])
        .fails("out/b.jsonl: no such file")
        .says("1 original restored");
    assert_eq!(desk.read("back/a.txt"), desk.read("in/a.txt"));
    assert!(!desk.exists("back/b.jsonl"));
}

#[test]
fn originals_that_are_still_there_go_elsewhere_as_well() {
    let desk = desk();
    fs::remove_file(desk.path("in/f.wet")).unwrap();
    desk.sh("cp -r in before").succeeds();
    desk.run(&["-i", "in", "--across"]).succeeds();
    desk.run(&["restore", "in/.unecho/0001.jsonl", "-o", "first"]).succeeds();
    assert_same_files(&desk, "first", "before", "of clean copies");
    desk.run(&["restore", "in/.unecho/0001.jsonl"]).succeeds();
    desk.run(&["restore", "in/.unecho/0001.jsonl", "-o", "second"]).succeeds();
    assert_same_files(&desk, "second", "before", "of originals");
}

#[test]
fn a_folder_of_one_file_comes_back_as_a_folder_and_a_file_as_its_name_says() {
    let desk = Desk::new();
    desk.run(&["d/sub", "-o", "out", "--record", "r.jsonl"]).succeeds();
    desk.run(&["restore", "r.jsonl", "-o", "back"]).succeeds();
    assert_eq!(desk.read("back/x.md"), desk::ARTICLE);
    desk.run(&["restore", "r.jsonl", "-o", "-"]).fails("need a folder");
    desk.run(&["art.txt", "-o", "out.txt", "--record", "r.jsonl"]).succeeds();
    desk.run(&["restore", "r.jsonl", "-o", "back.txt.gz"]).succeeds();
    assert_eq!(unpacked(&desk.path("back.txt.gz")), desk::ARTICLE.as_bytes());
    desk.run(&["restore", "r.jsonl", "-o", "."]).fails("holds the input out.txt");
}

#[test]
fn a_clean_copy_that_goes_on_is_not_what_it_was() {
    let desk = small();
    let name = "out/b.jsonl";
    desk.write(name, desk.read(name) + "{\"text\": \"More.\"}\n");
    desk.run(&["restore", "r.jsonl", "-o", "back"]).fails("out/b.jsonl: is longer, and had");
    desk.run(&["verify", "r.jsonl"]).disagrees("out/b.jsonl: is longer, and had");
}

#[test]
fn a_stream_that_broke_off_is_proven_as_far_as_it_came() {
    let desk = Desk::new();
    let lines: String = (0..40).map(|at| line(at, &documents()[at % 16])).collect();
    let whole = gz(lines.as_bytes());
    desk.write("in/c.jsonl.gz", &whole[..whole.len() * 3 / 4]);
    for how in ["keep", "drop"] {
        desk.run(&["in", "-o", "out", "--across", "--on-error", how, "--record", "r.jsonl"]).fails("in/c.jsonl.gz");
        let why = "in/c.jsonl.gz: broke off when it was read; what came by then is on record, and nothing else";
        desk.run(&["verify", "r.jsonl"]).succeeds().says("all hold").says(why);
        desk.run(&["restore", "r.jsonl", "-o", "back"]).succeeds().says(why);
        let back = unpacked(&desk.path("back/c.jsonl.gz"));
        assert!(lines.as_bytes().starts_with(&back) && back.len() > lines.len() / 2);
    }
    // What can't be read isn't what disagrees.
    let copy = fs::read(desk.path("out/c.jsonl.gz")).unwrap();
    fs::write(desk.path("out/c.jsonl.gz"), &copy[..copy.len() / 2]).unwrap();
    desk.run(&["verify", "r.jsonl"]).fails("out/c.jsonl.gz");
}

#[test]
fn what_looks_like_a_text_within_an_escape_is_none() {
    let desk = Desk::new();
    desk.write("a.jsonl", r#"{"id":1,"text":"t\nt\nn\nn\nx y z\nt\nn\nend"}"#.to_owned() + "\n");
    desk.run(&["a.jsonl", "--unit", "line", "--min-chars", "1", "--record", "r.jsonl", "-o", "o.jsonl"]).succeeds();
    desk.run(&["verify", "r.jsonl"]).succeeds();
}

#[test]
fn a_packed_warc_comes_back_with_a_member_a_record() {
    let desk = Desk::new();
    let record = |text: &str| {
        let length = text.len();
        format!("WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: {length}\r\n\r\n{text}\r\n\r\n")
    };
    let records = [record(desk::ARTICLE), record("Another text."), record("A third one.")];
    desk.write("w.warc.gz", records.iter().flat_map(|record| gz(record.as_bytes())).collect::<Vec<u8>>());
    desk.run(&["w.warc.gz", "-o", "c.warc.gz", "--record", "r.jsonl"]).succeeds();
    desk.run(&["verify", "r.jsonl"]).succeeds();
    desk.run(&["restore", "r.jsonl", "-o", "back.warc.gz"]).succeeds();
    let back = fs::read(desk.path("back.warc.gz")).unwrap();
    let mut rest = &back[..];
    for record in &records {
        let mut member = String::new();
        std::io::Read::read_to_string(&mut flate2::bufread::GzDecoder::new(&mut rest), &mut member).unwrap();
        assert!(member == *record);
    }
    assert!(rest.is_empty());
}

#[test]
fn a_stream_whose_check_sum_is_wrong_has_all_of_its_text() {
    let desk = Desk::new();
    for size in [33, 1000, 5000, 131_072, 131_073, 1_000_033] {
        let line = |at: usize| format!("Line {at} says what no other line says.\n");
        let text: String = (0..size / 20).map(line).collect::<String>()[..size.min(size / 20 * 30)].to_owned();
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(text.as_bytes()).unwrap();
        let mut packed = encoder.finish().unwrap();
        *packed.last_mut().unwrap() ^= 1;
        desk.write("a.txt.zst", packed);
        desk.run(&["a.txt.zst", "-o", "o.txt", "--on-error", "keep", "--record", "r.jsonl"]).fails("a.txt.zst");
        assert!(desk.read("o.txt") == text, "{size} bytes");
        desk.run(&["verify", "r.jsonl"]).succeeds();
        desk.run(&["restore", "r.jsonl", "-o", "back.txt"]).succeeds();
        assert!(desk.read("back.txt") == text, "{size} bytes");
    }
}

#[test]
fn a_packed_clean_copy_that_does_not_unpack_is_found() {
    let desk = Desk::new();
    desk.write("in/a.txt.gz", gz(desk::ARTICLE.as_bytes()));
    desk.run(&["in", "-o", "out", "--record", "r.jsonl"]).succeeds();
    let mut copy = fs::read(desk.path("out/a.txt.gz")).unwrap();
    let at = copy.len() - 6; // in its check sum
    copy[at] ^= 1;
    fs::write(desk.path("out/a.txt.gz"), copy).unwrap();
    desk.run(&["verify", "r.jsonl"]).fails("out/a.txt.gz");
    desk.run(&["restore", "r.jsonl", "-o", "back"]).fails("out/a.txt.gz");
}

#[test]
fn a_run_in_place_is_undone_from_wherever_it_was_done() {
    let desk = Desk::new();
    desk.sh("mkdir -p a b c/d; cp art.txt a; cp art.txt b").succeeds();
    desk.sh("cd c/d && unecho -i ../../a ../../b").succeeds().says("To undo it: unecho restore ../../a/.unecho/0001.jsonl");
    assert_eq!(desk.read("b/art.txt"), desk::clean_article());
    desk.sh("cd c/d && unecho restore ../../a/.unecho/0001.jsonl").succeeds().says("2 originals restored");
    assert_eq!((desk.read("a/art.txt"), desk.read("b/art.txt")), (desk::ARTICLE.into(), desk::ARTICLE.into()));
}

#[test]
fn a_run_whose_witnesses_an_earlier_one_has_changed_is_undone_before_that() {
    let desk = Desk::new();
    let half: String = desk::ARTICLE.lines().skip(14).map(|line| format!("{line}\n")).collect();
    desk.write("q/a.txt", desk::ARTICLE);
    desk.write("q/b.txt", &half);
    desk.run(&["-i", "q/a.txt"]).succeeds();
    let between = desk.read("q/a.txt");
    desk.run(&["-i", "--across", "q"]).succeeds();
    assert_eq!(desk.read("q/a.txt"), between, "it is what b.txt is made of");
    desk.run(&["restore", "q/.unecho/0001.jsonl"]).fails("is of an earlier run than q/.unecho/0002.jsonl");
    assert_eq!(desk.read("q/a.txt"), between);
    desk.run(&["restore", "q/.unecho/0002.jsonl"]).succeeds();
    desk.run(&["restore", "q/.unecho/0001.jsonl"]).succeeds();
    desk.run(&["restore", "q/.unecho/0001.jsonl"]).succeeds().says("0 originals restored");
    assert_eq!((desk.read("q/a.txt"), desk.read("q/b.txt")), (desk::ARTICLE.into(), half));
}

#[test]
fn what_cannot_be_made_is_named_with_what_it_lacks() {
    let desk = Desk::new();
    desk.run(&["-i", "--across", "--max-removed", "100%", "d", "art.txt"]).succeeds();
    desk.write("d/art.txt", desk.read("d/art.txt") + "A note.\n");
    let ran = desk.run(&["restore", "d/.unecho/0001.jsonl", "--keep-going"]);
    ran.fails("d/art.txt: is neither the original nor the clean copy").says("art.txt: can't be made: d/art.txt: is neither");
    ran.says("d/sub/x.md: can't be made: d/art.txt");
}

#[test]
fn a_clean_copy_that_went_to_standard_output_is_read_from_standard_input() {
    let desk = Desk::new();
    desk.sh("unecho art.txt --record r.jsonl >clean.txt").succeeds();
    desk.sh("unecho verify r.jsonl <clean.txt").succeeds();
    assert_eq!(desk.sh("echo junk | unecho verify r.jsonl").status, Some(1));
    desk.sh("echo junk | unecho restore r.jsonl -o x.txt").fails("standard input: has 5 bytes");
    assert!(!desk.exists("x.txt"));
}

#[test]
fn a_file_of_the_name_of_a_stream_is_a_file() {
    let desk = Desk::new();
    desk.sh("cp art.txt ./- && unecho ./- -o o.txt --record r.jsonl").succeeds();
    desk.run(&["verify", "r.jsonl"]).succeeds().says("clean copies are their originals");
    desk.run(&["art.txt", "-o", "./-", "--record", "r.jsonl"]).succeeds();
    desk.run(&["verify", "r.jsonl"]).succeeds().says("clean copies are their originals");
}

#[test]
fn a_run_that_was_killed_is_remembered() {
    let desk = Desk::new();
    desk.run(&["-i", "d"]).succeeds();
    let record = desk.read("d/.unecho/0001.jsonl");
    let without_end: String =
        record.lines().filter(|line| !line.starts_with("{\"complete\"")).map(|line| format!("{line}\n")).collect();
    desk.write("d/.unecho/0001.jsonl", without_end);
    desk.write("d/sub/.unecho-abc.tmp", "part");
    desk.write("d/new.txt", desk::ARTICLE);
    let ran = desk.run(&["-i", "d"]);
    ran.succeeds().says("d/.unecho/0001.jsonl: is of a run that broke off; what it had done is undone by unecho restore");
    ran.says("d/sub/.unecho-abc.tmp: 4 bytes, left by a run that was killed");
    desk.run(&["-i", "d"]).succeeds();
    desk.run(&["restore", "d/.unecho/0002.jsonl"]).succeeds();
    desk.run(&["restore", "d/.unecho/0001.jsonl"]).succeeds().says("its run broke off").says("2 originals restored");
}

#[test]
fn a_record_that_originals_need_is_kept() {
    let desk = Desk::new();
    let args = ["art.txt", "-o", "clean.txt", "--record", "r.jsonl.gz"];
    desk.run(&args).succeeds();
    desk.run(&args).succeeds();
    assert!(!desk.exists("r.1.jsonl.gz"), "nothing needs it");
    let record = fs::read(desk.path("r.jsonl.gz")).unwrap();
    desk.sh("mv art.txt elsewhere.txt").succeeds();
    let ran = desk.run(&["elsewhere.txt", "-o", "other.txt", "--record", "r.jsonl.gz"]);
    ran.succeeds().says("r.jsonl.gz: is of another run, which gives art.txt back, and is kept as r.1.jsonl.gz");
    assert!(fs::read(desk.path("r.1.jsonl.gz")).unwrap() == record);
    desk.run(&["restore", "r.1.jsonl.gz"]).succeeds();
    assert_eq!(desk.read("art.txt"), desk::ARTICLE);
    desk.run(&["verify", "r.jsonl.gz"]).succeeds();
    let ran = desk.run(&["other.txt", "-o", "more.txt", "--record", "r.jsonl.gz"]);
    ran.succeeds().says("r.jsonl.gz: is of another run, which gives elsewhere.txt back, and is kept as r.2.jsonl.gz");
    desk.run(&["-i", "d"]).succeeds();
    let ran = desk.run(&["art.txt", "-o", "x.txt", "--record", "d/.unecho/0001.jsonl"]);
    ran.fails("d/.unecho/0001.jsonl: would be among the records of runs in place");
    desk.run(&["restore", "d/.unecho/0001.jsonl"]).succeeds().says("2 originals restored");
}

#[test]
fn jsonl_with_a_byte_order_mark_is_proven() {
    let desk = Desk::new();
    let record = |text: &str| format!("{}\n", serde_json::json!({ "text": text }));
    let twice = record(desk::ARTICLE);
    let first_broken = format!("\u{feff}no record\n{twice}{twice}");
    let first_gone = format!("\u{feff}{}{twice}{twice}", record("short"));
    for (text, flags) in [
        (format!("\u{feff}{twice}{twice}"), &["--across"][..]),
        (first_broken, &["--across", "--on-error", "drop"]),
        (format!("\u{feff}{twice}{twice}"), &["--drop-above", "20%"]),
        (first_gone, &["--across", "--keep", "first", "--unit", "document"]),
    ] {
        desk.write("m.jsonl", &text);
        desk.run(&[&["m.jsonl", "-o", "c.jsonl", "--record", "r.jsonl", "--max-removed", "100%"], flags].concat());
        desk.run(&["verify", "r.jsonl"]).succeeds();
        desk.run(&["restore", "r.jsonl", "-o", "back.jsonl"]).succeeds();
        assert!(desk.read("back.jsonl") == text);
        desk.run(&[&["-i", "m.jsonl", "--max-removed", "100%"], flags].concat());
        desk.run(&["verify", ".unecho/0001.jsonl"]).succeeds();
        desk.sh("rm -r .unecho").succeeds();
    }
}

#[test]
fn a_witness_that_reaches_from_part_to_part_is_proven() {
    let desk = Desk::new();
    let paragraph =
        |number: u32| format!("Paragraph {number} {}\n\n", "of a text that is recorded in several parts ".repeat(400));
    let half: String = (0..1000).map(paragraph).collect();
    desk.write("m.txt", half.repeat(2) + &half[..1 << 20]);
    desk.run(&["m.txt", "-o", "c.txt", "--record", "r.jsonl"]).succeeds();
    assert!(desk.read("r.jsonl").matches("{\"part\"").count() > 1);
    desk.run(&["verify", "r.jsonl"]).succeeds().says("all hold");
    desk.sh("unecho restore r.jsonl -o back.txt && cmp m.txt back.txt").succeeds();
}

#[test]
fn a_copy_that_begins_with_what_looks_like_a_mark_is_proven() {
    let desk = Desk::new();
    let first = "The ferry to the island leaves at noon, and comes back before the last tram. ".repeat(3);
    let marked = "\u{feff}The harbour master rings a bell when it does,";
    desk.write("m.txt", format!("{first}\n\n{marked}\n\n{first}\n\n{marked}\n\n{first}\n"));
    desk.run(&["m.txt", "-o", "c.txt", "--record", "r.jsonl", "--unit", "line", "--keep", "last"]).succeeds();
    assert!(desk.read("c.txt").starts_with('\u{feff}'), "{:?}", desk.read("c.txt"));
    desk.run(&["verify", "r.jsonl"]).succeeds();
}

#[test]
fn a_record_that_went_since_it_is_too_long_is_proven() {
    let desk = Desk::new();
    let line = |text: &str| format!("{{\"text\": \"{text}\"}}\n");
    desk.write("a.jsonl", [line("first"), line(&"word ".repeat(1_800_000)), line("last")].concat());
    let ran = desk.run(&[
        "a.jsonl",
        "-o",
        "c.jsonl",
        "--memory",
        "64M",
        "--on-error",
        "drop",
        "--max-removed",
        "100%",
        "--record",
        "r.jsonl",
    ]);
    ran.fails("a.jsonl: line 2: has more than 8 MB");
    desk.run(&["verify", "r.jsonl"]).succeeds().says("1 cut (1 that need none): all hold");
    assert_eq!(desk.read("c.jsonl"), line("first") + &line("last"));
}

#[test]
fn an_original_goes_where_nothing_but_a_file_stands() {
    let desk = Desk::new();
    desk.run(&["art.txt", "-o", "clean.txt", "--record", "r.jsonl"]).succeeds();
    desk.sh("rm art.txt && mkfifo art.txt").succeeds();
    desk.run(&["restore", "r.jsonl"]).fails("art.txt: is there already, and is no file; -o writes the original elsewhere");
}

#[test]
fn a_run_that_is_stopped_while_it_waits_leaves_nothing() {
    let desk = Desk::new();
    desk.sh("mkfifo p.txt").succeeds();
    desk.sh("unecho p.txt -o x.txt --record r.jsonl & waits=$!; sleep 0.5; kill -TERM $waits; wait $waits");
    assert!(desk.leftovers(".").is_empty() && !desk.exists("x.txt") && !desk.exists("r.jsonl"));
}

#[test]
fn a_record_that_is_none_is_refused() {
    let desk = small();
    let whole = desk.read("r.jsonl");
    let lines: Vec<&str> = whole.lines().collect();
    let version = whole.replacen(":1,", ":2,", 1);
    let other_shape = "{\"unecho-record\":2,\"settings\":7}\n";
    let no_end = whole.replace("\"complete\":true", "\"complete\":false");
    let cut_at = whole.find("{\"cut\"").unwrap();
    let among_cuts = format!("{}{{\"later\":1}}\n{}", &whole[..whole[cut_at..].find('\n').unwrap() + cut_at + 1], "rest");
    let without_end = lines[..lines.len() - 1].join("\n") + "\n";
    let half = &whole[..whole.len() / 2];
    let more = whole.clone() + lines[1] + "\n";
    for (text, why) in [
        ("", "is no record of unecho"),
        ("{\"text\":\"x\"}\n", "is no record of unecho"),
        (&version, "has version 2 of the format"),
        (other_shape, "has version 2 of the format"),
        (&no_end, "isn't as it was written, or is missing"),
        (&among_cuts, "stands in no part of a file"),
        (&format!("{}\n", lines[0]), "is cut short: it ends with line 1"),
        (&without_end, "is cut short"),
        (half, "is cut short"),
        (&more, "stands behind the end of the record"),
        (&whole.replace("\"file\":1", "\"file\":0"), "line "),
        (&whole.replacen("\"cut\":[", "\"cut\":[9", 1), "line "),
    ] {
        desk.write("x.jsonl", text);
        desk.run(&["verify", "x.jsonl"]).fails("x.jsonl").says(why);
        desk.run(&["restore", "x.jsonl", "-o", "back"]).fails("x.jsonl").says(why);
        assert!(!desk.exists("back"));
    }
    desk.run(&["verify", "nowhere.jsonl"]).fails("nowhere.jsonl: no such file");
}

#[test]
fn what_cannot_be_changed_in_place_is_refused_by_name() {
    let desk = Desk::new();
    fs::hard_link(desk.path("art.txt"), desk.path("other.txt")).unwrap();
    std::os::unix::fs::symlink("d/art.txt", desk.path("link.txt")).unwrap();
    desk.write("read-only.txt", desk::ARTICLE);
    desk.sh("chmod a-w read-only.txt").succeeds();
    desk.write("f.wet", wet(&["x".into()]));
    desk.run(&["-i", "art.txt"]).fails("art.txt: has 2 names (hard links)");
    desk.run(&["-i", "link.txt"]).fails("link.txt: is a symbolic link").says("d/art.txt");
    desk.run(&["-i", "read-only.txt"]).fails("read-only.txt: is read-only");
    desk.run(&["-i", "f.wet"]).fails("f.wet: is a WARC");
    desk.run(&["-i"]).fails("standard input: can't be changed in place");
    desk.run(&["-i", "--unit", "document", "d"]).fails("d/art.txt: might go as a whole");
    desk.run(&["-i", "--drop-above", "20%", "d/art.txt"]).fails("might go as a whole");
    for path in ["art.txt", "other.txt", "link.txt", "read-only.txt", "d/art.txt", "d/sub/x.md"] {
        assert_eq!(desk.read(path), desk::ARTICLE);
    }
    // One that is refused keeps none of the others from being done.
    desk.run(&["-i", "."]).fails("has 2 names");
    assert_eq!(desk.read("d/sub/x.md"), desk::clean_article());
    assert_eq!(desk.read("art.txt"), desk::ARTICLE);
}

#[test]
fn what_is_cleaned_in_place_keeps_its_rights_and_what_isnt_changed_is_left_alone() {
    use std::os::unix::fs::MetadataExt;
    let desk = Desk::new();
    desk.write("d/plain.txt", "Nothing repeats.\n");
    desk.sh("chmod 4640 d/art.txt; touch -d 2001-01-01 d/plain.txt").succeeds();
    let _ = desk.sh("chown 1234:1234 d/art.txt && chmod 4640 d/art.txt"); // as root
    let [art, plain] = ["d/art.txt", "d/plain.txt"].map(|path| fs::metadata(desk.path(path)).unwrap());
    desk.run(&["-i", "d"]).succeeds();
    let [new, same] = ["d/art.txt", "d/plain.txt"].map(|path| fs::metadata(desk.path(path)).unwrap());
    assert_eq!((new.mode(), new.uid(), new.gid()), (art.mode(), art.uid(), art.gid()));
    assert_ne!(new.ino(), art.ino());
    assert_eq!((same.ino(), same.mtime()), (plain.ino(), plain.mtime()));
    desk.run(&["restore", "d/.unecho/0001.jsonl"]).succeeds();
    let back = fs::metadata(desk.path("d/art.txt")).unwrap();
    assert_eq!((back.mode(), back.uid(), back.gid()), (art.mode(), art.uid(), art.gid()));
    assert_eq!(desk.leftovers("d"), [""; 0].map(std::path::PathBuf::from));
}

#[test]
fn what_is_cleaned_in_place_keeps_its_attributes_and_access_control_list() {
    let desk = Desk::new();
    let path = desk.path("d/art.txt");
    // Read and write for its owner, read for user 4321, nothing for all others, as acl(5) has it.
    let entry = |tag: u16, rights: u16, id: u32| [&tag.to_le_bytes()[..], &rights.to_le_bytes(), &id.to_le_bytes()].concat();
    let nobody = u32::MAX;
    let entries =
        [entry(1, 6, nobody), entry(2, 4, 4321), entry(4, 0, nobody), entry(16, 4, nobody), entry(32, 0, nobody)].concat();
    let list = [&2u32.to_le_bytes()[..], &entries].concat();
    let all = [("user.origin", &b"https://example.org/"[..]), ("system.posix_acl_access", &list)];
    let set: Vec<(&str, &[u8])> = all.into_iter().filter(|(name, value)| xattr::set(&path, name, value).is_ok()).collect();
    if set.is_empty() {
        return desk::skipped("the file system has no extended attributes");
    }
    for command in [&["-i", "d"][..], &["restore", "d/.unecho/0001.jsonl"]] {
        desk.run(command).succeeds();
        for (name, value) in &set {
            assert_eq!(xattr::get(&path, name).unwrap().as_deref(), Some(*value), "{name} after {command:?}");
        }
    }
    assert_eq!(desk.read("d/art.txt"), desk::ARTICLE);
}

#[test]
fn a_run_that_changes_nothing_leaves_no_record_and_one_without_a_record_says_so() {
    let desk = Desk::new();
    desk.write("p/plain.txt", "Nothing repeats.\n");
    desk.run(&["-i", "p"]).succeeds();
    assert!(!desk.exists("p/.unecho/0001.jsonl"));
    desk.run(&["-i", "d", "--no-record"]).succeeds().says("can't be brought back");
    assert!(!desk.exists("d/.unecho/0001.jsonl"));
    assert_eq!(desk.read("d/art.txt"), desk::clean_article());
}

#[test]
fn one_run_at_a_time_has_a_folder() {
    let desk = Desk::new();
    // Whoever has a folder has what is in it, and who changes something in it shares those around it.
    for other in ["flock d", "flock .", "flock -s d"] {
        desk.sh(&format!("{other} unecho -i d")).fails("d: another run changes something there, or around it");
    }
    assert_eq!(desk.read("d/art.txt"), desk::ARTICLE);
    desk.sh("flock -s . unecho -i d").succeeds();
    desk.sh("flock d unecho restore d/.unecho/0001.jsonl").fails("another run changes something there");
    desk.sh("flock -s . unecho restore d/.unecho/0001.jsonl").succeeds();
    assert_eq!(desk.read("d/art.txt"), desk::ARTICLE);
}

#[test]
fn each_line_of_a_record_is_as_its_schema_says() {
    let schema: Value = serde_json::from_str(include_str!("../docs/record.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let desk = desk();
    desk.write("in/broken.jsonl", format!("{}no record\n", line(1, &documents()[0])));
    run(&desk, &[&["in", "-o", "out", "--record", "r.jsonl", "--across", "--drop-above", "50%", "--on-error", "drop"]])
        .fails("broken.jsonl");
    let mut kinds = BTreeSet::new();
    for line in lines_of(&desk, "r.jsonl") {
        assert!(validator.is_valid(&line), "{line}");
        kinds.insert(line.get("rule").map_or_else(|| line.as_object().unwrap().keys().next().unwrap().clone(), Value::to_string));
    }
    assert!(kinds.len() >= 8, "{kinds:?}");
    assert!(!validator.is_valid(&serde_json::json!({ "cut": [1], "rule": "x", "pieces": [] })));
    desk.run(&["verify", "r.jsonl"]).succeeds();
    desk.run(&["restore", "r.jsonl", "-o", "back"]).succeeds();
    assert_same_files(&desk, "back", "in", "with broken records");
}

#[test]
fn an_auditor_needs_no_more_than_a_script() {
    let Some(python) = python::with("json") else { return };
    let format = include_str!("../docs/record-format.md");
    let script = format.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let desk = Desk::new();
    let all = documents();
    for (number, text) in all.iter().enumerate() {
        desk.write(&format!("in/{number:02}.txt"), text);
    }
    desk.write("in/z.jsonl", (3..9).chain(3..5).map(|at| line(at, &all[at])).collect::<String>());
    desk.run(&["--across", "in", "-o", "out", "--record", "cuts/r.jsonl"]).succeeds();
    desk.write("audit.py", script);
    let audit = |what: &str| {
        python::run(
            &python,
            &desk,
            &format!("import sys; sys.argv = ['', 'cuts/r.jsonl']; {}", "exec(open('audit.py').read())"),
            what,
        )
    };
    assert!(audit("all").stdout.contains("cuts hold"));
    desk.write("out/03.txt", desk.read("out/03.txt") + "x");
    let failed =
        std::process::Command::new(&python).args(["audit.py", "cuts/r.jsonl"]).current_dir(desk.path("")).output().unwrap();
    assert!(!failed.status.success());
}
