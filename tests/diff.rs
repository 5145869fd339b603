//! What `scan --format diff` prints turns inputs into their clean copies.

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/desk.rs"]
mod desk;
#[path = "support/patch.rs"]
mod patch;

use desk::{ARTICLE, Desk, skipped};
use patch::{applied, is_there, takes};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use unecho::document::Span;
use unecho::report::{Changes, Diff};
use unecho::runner::{self, Budget, Course, OnError, Outcome, Portion, Reading};
use unecho::source::{Selection, Walk};
use unecho::threads::Threads;
use unecho::{Keep, Result, Settings, Share, Threshold, Unit, apply};

/// What `unecho scan --format diff` prints.
#[track_caller]
fn diff(desk: &Desk, args: &[&str]) -> Vec<u8> {
    let args = [&["scan", "--format", "diff"], args].concat();
    let ran = desk.unecho(&args).output().unwrap();
    assert!(matches!(ran.status.code(), Some(0 | 2)), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    ran.stdout
}

/// The files below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files =
        walkdir::WalkDir::new(folder).into_iter().map(std::result::Result::unwrap).filter(|entry| entry.file_type().is_file());
    files.map(|entry| (entry.path().strip_prefix(folder).unwrap().into(), fs::read(entry.path()).unwrap())).collect()
}

/// Texts and records of all kinds, in the folder `in`.
fn write_inputs(desk: &Desk) {
    let filler: String = (0..200).map(|at| format!("Line {at}, of which there is but one, and it is rather wide.\n")).collect();
    let crlf = ARTICLE.replace('\n', "\r\n");
    desk.write("in/a article.txt", ARTICLE);
    desk.write("in/crlf.md", format!("{crlf}\r\n{filler}\r\n{crlf}\r\n"));
    desk.write("in/bytes.txt", [filler.as_bytes(), b"\xff\xfe\0\n\n", ARTICLE.as_bytes(), b"\n\xe9\n--- x\n+++ y\n"].concat());
    desk.write("in/again/tab\t \"quoted\" line\n \\ end.txt", ARTICLE);
    desk.write("in/naïve/none.txt", "Nothing repeats.\n");
    desk.write("in/empty.txt", "");
    let record = |id: u32, text: &str| serde_json::json!({ "id": id, "text": text }).to_string();
    let own = |id: u32| format!("{filler}And {id} is its own.");
    let records = [
        record(1, ARTICLE),
        record(2, &own(2)),
        "no record".into(),
        record(3, &own(3)),
        String::new(),
        record(4, "Short."),
        record(5, &own(5)),
        record(5, &own(5)),
    ];
    desk.write("in/records.jsonl", records.join("\n"));
}

#[test]
fn it_is_what_clean_does() {
    let desk = Desk::new();
    write_inputs(&desk);
    let originals = files(&desk.path("in"));
    let (has_patch, has_git) = (is_there("patch"), is_there("git"));
    if !has_patch || !has_git {
        skipped("patch or git isn't there: diffs are applied by the test alone");
    }
    let ways: [&[&str]; 7] = [
        &[],
        &["--keep", "last"],
        &["--across"],
        &["--across", "--empty", "keep"],
        &["--across", "--drop-above", "30%"],
        &["--unit", "document"],
        &["--unit", "line", "--min-chars", "0", "--match", "bytes"],
    ];
    for (number, way) in ways.iter().enumerate() {
        let args = [way, &["--on-error", "drop", "in"][..]].concat();
        let diff = diff(&desk, &args);
        let clean = format!("clean{number}");
        desk.run(&[&args[..], &["-o", &clean]].concat());
        let clean = files(&desk.path(&clean));

        let mut copies = originals.clone();
        let path = |name: &str| Path::new(name).strip_prefix("in").unwrap().to_owned();
        for (name, copy) in applied(&diff, |name| originals[&path(name)].clone()) {
            match copy {
                Some(copy) => copies.insert(path(&name), copy),
                None => copies.remove(&path(&name)),
            };
        }
        assert!(copies == clean && copies != originals, "{way:?}");

        for (program, is_there) in [(&["patch", "-p0"][..], has_patch), (&["git", "apply", "-p0"], has_git)] {
            if is_there {
                let folder = format!("{}{number}", program[0]);
                originals.iter().for_each(|(path, bytes)| desk.write(&format!("{folder}/in/{}", path.display()), bytes));
                takes(program, &desk.path(&folder), &diff);
                assert!(files(&desk.path(&format!("{folder}/in"))) == clean, "{program:?} {way:?}");
            }
        }
    }
}

#[test]
fn a_name_begins_below_the_folder_where_it_is_applied() {
    let desk = Desk::new();
    for path in ["./art.txt", "art.txt", ".//art.txt"] {
        let diff = diff(&desk, &[path]);
        assert!(diff.starts_with(b"--- art.txt\n+++ art.txt\n@@ -11,17 +11,4 @@\n"), "{}", String::from_utf8_lossy(&diff));
    }
}

#[test]
#[cfg(feature = "gzip")]
fn of_a_packed_file_it_is_about_what_that_unpacks_to() {
    use std::io::{Read, Write};
    let desk = Desk::new();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(ARTICLE.as_bytes()).unwrap();
    desk.write("a.txt.gz", packed.finish().unwrap());
    desk.run(&["a.txt.gz", "-o", "clean.txt.gz"]).succeeds();
    let mut clean = Vec::new();
    flate2::read::GzDecoder::new(&*fs::read(desk.path("clean.txt.gz")).unwrap()).read_to_end(&mut clean).unwrap();
    let copies = applied(&diff(&desk, &["a.txt.gz"]), |_| ARTICLE.into());
    assert_eq!(copies, [("a.txt.gz".into(), Some(clean))]);
}

/// Does something with each portion of an input, less its broken records: the library takes less memory than the program does.
fn each<T: Send>(
    path: &Path,
    settings: &Settings,
    budget: &Budget,
    threads: usize,
    work: impl Fn(Portion) -> Result<T> + Sync,
    mut done: impl FnMut(T) -> Result<()>,
) {
    let found = Walk::new(&[path.into()], Selection::default()).unwrap();
    let reading = Reading { on_error: OnError::Drop, ..Reading::default() };
    let (threads, stop) = (Threads::new(threads), AtomicBool::new(false));
    let course = Course { settings, reading: &reading, budget, threads: &threads, stop: &stop };
    let ended = runner::run(found, course, work, |outcomes| {
        outcomes.into_iter().try_for_each(|outcome| match outcome {
            Outcome::Done(made) => done(made),
            Outcome::Failed(error) => Err(error),
            Outcome::LeftOut(..) | Outcome::Notice(_) => Ok(()),
        })
    });
    ended.unwrap();
}

fn library_diff(path: &Path, settings: &Settings, memory: u64, threads: usize) -> Vec<u8> {
    let budget = Budget { memory, temporary: None, packs: false };
    let mut out = Vec::new();
    let mut diff = Diff::new(&mut out, &budget);
    each(path, settings, &budget, threads, |portion| Ok(Changes::of(&portion, &budget)?.0), |changes| diff.add(changes));
    out
}

fn library_copy(path: &Path, settings: &Settings) -> Vec<u8> {
    let budget = Budget { memory: AMPLE, temporary: None, packs: false };
    let work = |portion: Portion| {
        let Span { start, end } = portion.extent;
        let cuts = portion.cuts.iter().map(|cut| Span { start: cut.start - start, end: cut.end - start });
        Ok(apply::without(&portion.bytes[start as usize..end as usize], cuts))
    };
    let mut copy = Vec::new();
    each(path, settings, &budget, 2, work, |stretch| {
        copy.extend(stretch);
        Ok(())
    });
    copy
}

/// Nearly nothing is held.
const TINY: u64 = (18 << 20) + 200_000;
/// All is held.
const AMPLE: u64 = 1 << 30;

#[test]
fn it_is_the_same_for_any_memory_and_threads() {
    let desk = Desk::new();
    let mut text = Vec::new();
    corpus::big_text(7, 9 << 19, 150, 30, true, &mut text).unwrap();
    desk.write("scattered.txt", &text);
    let half = &text[..9 << 18];
    desk.write("doubled.txt", [half, b"\n\n", half].concat());
    let record = |text: &[u8]| serde_json::json!({ "text": String::from_utf8_lossy(text) }).to_string() + "\n";
    let mut records: String = text.chunks(20_000).map(record).collect();
    desk.write("records.jsonl", &records);
    records += &records.clone();
    records += "broken\n";
    desk.write("twice.jsonl", &records);

    let alone = Settings::default();
    let across = Settings { across: true, ..Settings::default() };
    let lines = Settings { unit: Unit::Line, threshold: Threshold::Flat(0), ..across };
    let last = Settings { keep: Keep::Last, ..Settings::default() };
    let documents = Settings { unit: Unit::Document, ..across };
    let few = Settings { drop_above: Share::of_percent(10), ..across };
    let cases = [
        ("scattered.txt", [&alone, &lines, &few]),
        ("doubled.txt", [&last, &across, &lines]),
        ("records.jsonl", [&across, &lines, &few]),
        ("twice.jsonl", [&across, &documents, &few]),
    ];
    for (name, ways) in cases {
        let path = desk.path(name);
        let original = fs::read(&path).unwrap();
        for settings in ways {
            let one = library_diff(&path, settings, AMPLE, 1);
            let copies = applied(&one, |_| original.clone());
            let (copy, others) = copies.split_first().expect("something repeats");
            let copy = copy.1.as_deref().unwrap_or_default();
            assert!(copy == library_copy(&path, settings) && others.is_empty(), "{name}: {settings:?}");
            // A text needs more.
            let memory = if name.ends_with("txt") { 64 << 20 } else { TINY };
            assert!(library_diff(&path, settings, memory, 8) == one, "{name}: {settings:?}, with less memory and more threads");
        }
    }
}

#[test]
fn of_a_file_that_fails_midway_it_says_nothing() {
    let desk = Desk::new();
    let record = |id: usize| serde_json::json!({ "id": id, "text": ARTICLE }).to_string() + "\n";
    let records: String = (0..2000).map(record).collect();
    desk.write("e/a.jsonl", records + "broken\n");
    desk.write("e/b.txt", ARTICLE);
    let ran = desk.run(&["scan", "--format", "diff", "e"]);
    ran.fails("e/a.jsonl: line 2001: ");
    assert!(ran.stdout.starts_with("--- e/b.txt\n"), "{:.80}", ran.stdout);
}

/// A WET of the texts.
fn wet(texts: &[&str]) -> String {
    let record = |(number, text): (usize, &&str)| {
        let head = format!("WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: https://example.org/{number}\r\n");
        format!("{head}WARC-Record-ID: <urn:{number}>\r\nContent-Length: {}\r\n\r\n{text}\r\n\r\n", text.len())
    };
    texts.iter().enumerate().map(record).collect()
}

#[test]
fn where_files_have_no_lines_it_is_about_the_text_of_each_document() {
    let desk = Desk::new();
    desk.write("a.wet", wet(&["One.\nRiver.\n\nTwo.", "Three.\nRiver.\n", "One.\nRiver."]));
    let wanted = "--- a.wet:2 (https://example.org/1)\t\n+++ a.wet:2 (https://example.org/1)\t\n@@ -1,2 +1,1 @@\n Three.\n-River.\n\
                  --- a.wet:3 (https://example.org/2)\t\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-One.\n-River.\n\\ No newline at end of file\n";
    let args = ["scan", "--format", "diff", "--across", "--min-chars", "1"];
    desk.run(&[&args[..], &["a.wet"]].concat()).succeeds().prints(wanted);
    if cfg!(feature = "parquet") {
        desk.run(&["a.wet", "-o", "a.parquet"]).succeeds();
        let wanted = wanted.replace("a.wet", "a.parquet");
        desk.run(&[&args[..], &["a.parquet"]].concat()).succeeds().prints(&wanted);
    }
}
