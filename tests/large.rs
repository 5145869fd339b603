//! A large text, which the program takes in stretches, comes out as the library, which takes it whole, cuts it.

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/texts.rs"]
mod texts;

use corpus::Kind;
use std::fs;
use std::process::Command;
use texts::{DEFAULT, clean, same_bytes};
use unecho::{Keep, Match, Settings, Threshold, Unit};

/// Every text has more than this: what is smaller is taken whole.
const LARGE: usize = 4 << 20;

fn ways() -> [(&'static [&'static str], Settings); 6] {
    let lines = Settings { unit: Unit::Line, threshold: Threshold::Flat(0), matching: Match::Bytes, ..DEFAULT };
    [
        (&[], DEFAULT),
        (&["--across"], DEFAULT),
        (&["--keep", "last"], Settings { keep: Keep::Last, ..DEFAULT }),
        (&["--unit", "line", "--min-chars", "0", "--match", "bytes"], lines.clone()),
        (&["--unit", "line", "--min-chars", "0", "--match", "bytes", "--across"], lines),
        (&["--unit", "line"], Settings { unit: Unit::Line, ..DEFAULT }),
    ]
}

#[track_caller]
fn is_cut_alike(name: &str, text: &[u8]) {
    is_cut_alike_by(&ways(), name, text);
}

#[track_caller]
fn is_cut_alike_by(ways: &[(&[&str], Settings)], name: &str, text: &[u8]) {
    assert!(text.len() > LARGE, "{name} has only {} bytes", text.len());
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let (dirty, copy) = (folder.path().join("dirty.txt"), folder.path().join("clean.txt"));
    fs::write(&dirty, text).expect("there is room");
    for (args, settings) in ways {
        let ran = Command::new(env!("CARGO_BIN_EXE_unecho")).arg(&dirty).arg("-o").arg(&copy).args(*args).output();
        let ran = ran.expect("it starts");
        assert!(ran.status.success(), "{name} {args:?}: {}", String::from_utf8_lossy(&ran.stderr));
        let copy = fs::read(&copy).expect("it was written");
        same_bytes(&copy, &clean(text, settings), &format!("{name} by {args:?}"));
    }
}

/// A text of which only the middle repeats.
fn with_one_repeat() -> String {
    let line = |at: usize| format!("Line {at} of a long text in which nothing else stands a second time, whatever comes.\n");
    let mut lines: Vec<String> = (0..60_000).map(line).collect();
    let again: Vec<String> = lines[30_000..30_010].to_vec();
    lines.splice(30_020..30_020, again);
    lines.concat()
}

#[test]
fn what_is_said_of_it_is_about_all_of_it() {
    let text = with_one_repeat();
    assert!(text.len() > LARGE);
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let dirty = folder.path().join("dirty.txt");
    fs::write(&dirty, &text).expect("there is room");
    let ran =
        Command::new(env!("CARGO_BIN_EXE_unecho")).args(["scan", "--format", "json"]).arg(&dirty).output().expect("it starts");
    let report: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("it is JSON");
    let (document, summary) = (&report["documents"][0], &report["summary"]);
    assert_eq!(report["documents"].as_array().map(Vec::len), Some(1));
    for (of_document, of_all) in [("bytes", "bytes_before"), ("clean_bytes", "bytes_after"), ("paragraphs", "paragraphs")] {
        assert_eq!(document[of_document], summary[of_all], "{of_document}");
    }
    assert_eq!((&document["paragraphs"], &document["blocks"]), (&60_010.into(), &1.into()));
    assert_eq!(document["repeats"][0]["lines"], serde_json::json!({"first": 30_021, "last": 30_030}));
    assert_eq!(document["repeats"][0]["repeats_lines"], serde_json::json!([{"first": 30_001, "last": 30_010}]));
}

#[test]
fn a_large_text_that_is_another_one_again_is_dropped() {
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let (dirty, copy) = (folder.path().join("dirty"), folder.path().join("clean"));
    fs::create_dir(&dirty).expect("it is new");
    for name in ["a.txt", "b.txt"] {
        fs::write(dirty.join(name), with_one_repeat()).expect("there is room");
    }
    for args in [&["--unit", "document"][..], &["--unit", "document", "--min-chars", "0"]] {
        let ran =
            Command::new(env!("CARGO_BIN_EXE_unecho")).args(args).arg(&dirty).arg("-o").arg(&copy).output().expect("it starts");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success() && said.contains("2 documents, 1 with repeats, 1 dropped"), "{args:?}: {said}");
        assert_eq!(fs::read_dir(&copy).expect("it was made").count(), 1, "{args:?}");
    }
}

#[test]
fn a_large_text_is_dropped_by_the_share_of_it_that_repeats() {
    let line = |at: usize| format!("Line {at} of a long text in which it stands once or twice, whatever else comes.\n\n");
    let text: String = (0..40_000).chain(0..25_000).map(line).collect(); // 38 % of it
    assert!(text.len() > LARGE);
    let lines = ["--unit", "line", "--min-chars", "0"];
    for way in [&[][..], &["--keep", "last"], &lines, &[&lines[..], &["--keep", "last"]].concat()] {
        for (share, is_dropped) in [("30%", true), ("45%", false)] {
            let folder = tempfile::tempdir().expect("there is room for temporary files");
            let (dirty, copy) = (folder.path().join("dirty.txt"), folder.path().join("clean.txt"));
            fs::write(&dirty, &text).expect("there is room");
            let mut unecho = Command::new(env!("CARGO_BIN_EXE_unecho"));
            let ran = unecho.arg(&dirty).arg("-o").arg(&copy).args(["--drop-above", share]).args(way).output();
            assert!(ran.expect("it starts").status.success());
            assert_eq!(!copy.exists(), is_dropped, "{way:?} {share}");
        }
    }
}

#[test]
fn documents_one_after_another() {
    let mut text = b"\xef\xbb\xbf\n\n".to_vec();
    for seed in 0.. {
        text.extend(corpus::document(seed % 900, Kind::ALL[seed as usize % Kind::ALL.len()]).text);
        text.extend(b"\r\n\n");
        if text.len() > LARGE + LARGE / 2 {
            break;
        }
    }
    is_cut_alike("documents", &text);
    text.truncate(text.len() - 40);
    is_cut_alike("documents, the last of which breaks off", &text);
}

#[test]
fn few_lines_again_and_again() {
    is_cut_alike("one line", &b"The same line, always.\r\n".repeat(400_000));
    let pattern: String = (0..1_200_000u32).map(|at| format!("{}\n", (at.count_ones() + at / 1000) % 3000)).collect();
    is_cut_alike_by(&ways()[3..5], "short lines", pattern.as_bytes());
    let once: String = (0..120_000).map(|at| format!("Line {at} of many that are new and then stand again.\n")).collect();
    is_cut_alike("a copy of all", (once.clone() + &once).as_bytes());
    is_cut_alike("a copy of all without the last line end", (once.clone() + "\r\n" + &once).trim_end().as_bytes());
}

/// Enough repeats in enough runs that every step of the rules is done by all threads.
#[test]
fn many_runs_in_another_order() {
    let line =
        |at: usize| format!("Line {at} of many that are new and then stand again, in {}.\n", "another order ".repeat(at % 5));
    let lines: Vec<String> = (0..80_000).map(line).collect();
    let mut text = lines.concat();
    for (number, start) in (0..80_000).step_by(8).map(|start| (start / 8, start * 7 % 80_000)) {
        text += &lines[start..start + 8].concat();
        text += &if number % 2 == 0 {
            format!("\nWhat stands between is new, for the {number}th time.\n\n")
        } else {
            lines[number].clone()
        };
    }
    is_cut_alike("many runs", text.as_bytes());
}

#[test]
fn nothing_but_blank_lines_and_lines_without_end() {
    is_cut_alike("blank lines", &b"\n \n\r\n".repeat(1_000_000));
    is_cut_alike("one line without end", &b"word ".repeat(1_000_000));
    is_cut_alike("two long lines", &[&b"word ".repeat(900_000)[..], b"\n", &b"word ".repeat(900_000)].concat());
}
