//! The rules on real texts. They belong to others, so they stand beside the project and not in it, in the folder that
//! UNECHO_DATA names or in ../shared/data; where they are absent these tests say so and pass.

#[path = "support/texts.rs"]
mod texts;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use texts::{DEFAULT, clean, gives};
use unecho::Match;
use unecho::compare::compared;

/// A file of the real data, if it is there.
fn real(name: &str) -> Option<String> {
    std::fs::read_to_string(path(name)).map_err(|error| skip(name, &error)).ok()
}

fn path(name: &str) -> PathBuf {
    let folder = std::env::var_os("UNECHO_DATA").map(PathBuf::from);
    folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data")).join(name)
}

fn skip(name: &str, error: &std::io::Error) {
    // Not by eprintln: what a test that passes says by it is not shown.
    let _ = writeln!(std::io::stderr(), "skipped: {}: {error}", path(name).display());
}

#[test]
fn of_a_doubled_article_the_first_fourteen_lines_are_left() {
    let Some(article) = real("articles/doubled-article.txt") else { return };
    let first: Vec<&str> = article.lines().take(14).collect();
    gives(&article, first.join("\n"));
}

#[test]
fn no_extracted_page_loses_a_line_that_stands_nowhere_else() {
    let Some(pages) = real("doubled/doubled-bodies.jsonl") else { return };
    for page in pages.lines() {
        let page: serde_json::Value = serde_json::from_str(page).expect("a record is JSON");
        let (id, text) = (page["id"].as_str().expect("it has an id"), page["text"].as_str().expect("it has a text"));
        let cleaned = unecho::clean(text, &DEFAULT).expect("it is small");
        let left = form(&cleaned.text);
        for cut in &cleaned.plan.cuts {
            for line in text[cut.at.range()].lines() {
                assert!(left.contains(&form(line)), "{id}: stands nowhere any more: {line}");
            }
        }
        assert_eq!(clean(cleaned.text.as_bytes(), &DEFAULT), cleaned.text.as_bytes(), "{id}: cleaning again changes it");
    }
}

/// The lines that occurred in an earlier document, as Dolma's own tool marks them; but for the last one of document 2, which it
/// ends one character behind the text.
#[test]
fn lines_across_documents_are_those_that_dolma_marks() {
    let Some(documents) = unpacked("dolma/documents.jsonl.gz") else { return };
    let marked = unpacked("dolma/duplicate-paragraph-spans.jsonl.gz").expect("it stands beside the documents");
    let folder = tempfile::tempdir().unwrap();
    let (all, clean) = (folder.path().join("all.jsonl"), folder.path().join("clean.jsonl"));
    std::fs::write(&all, &documents).unwrap();
    let flags = ["-q", "--unit", "line", "--match", "bytes", "--min-chars", "0", "--across", "--empty", "keep"];
    let unecho = std::process::Command::new(env!("CARGO_BIN_EXE_unecho")).args(flags).arg(&all).arg("-o").arg(&clean).status();
    assert!(unecho.unwrap().success());
    let cleaned = std::fs::read_to_string(clean).unwrap();
    let value = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("a record is JSON");
    let mut repeats = 0;
    for ((document, marks), cleaned) in documents.lines().zip(marked.lines()).zip(cleaned.lines()) {
        let text: Vec<char> = value(document)["text"].as_str().expect("it has a text").chars().collect();
        let marks = value(marks)["attributes"]["bff_duplicate_paragraph_spans"].clone();
        let mut left = String::new();
        let mut from = 0;
        for mark in marks.as_array().expect("it has marks") {
            let (start, end) = (mark[0].as_u64().expect("a start") as usize, mark[1].as_u64().expect("an end") as usize);
            left.extend(&text[from..start]);
            from = end.min(text.len());
            repeats += 1;
        }
        left.extend(&text[from..]);
        let is_same =
            value(cleaned)["text"].as_str().expect("it has a text").trim_end_matches('\n') == left.trim_end_matches('\n');
        assert!(is_same, "{cleaned}\n\n{left}");
    }
    assert_eq!((repeats, cleaned.lines().count()), (43, documents.lines().count()));
}

/// A packed file of the real data, if it is there.
fn unpacked(name: &str) -> Option<String> {
    let mut text = String::new();
    let packed = std::fs::File::open(path(name));
    let read = packed.and_then(|packed| flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text));
    read.map_err(|error| skip(name, &error)).ok().map(|_| text)
}

fn form(text: &str) -> String {
    String::from_utf8(compared(text.as_bytes(), Match::Text, &mut Vec::new()).to_vec()).expect("text stays text")
}

/// Texts that were read in a wrong encoding, and what they were; and texts that only look like it.
#[test]
fn mojibake_is_repaired_as_people_would() {
    let repairs = unecho::Tidy::from_iter([unecho::tidy::Repair::Mojibake]);
    for (name, misses) in [("in-the-wild", 0), ("negative", 0), ("language-names", 0), ("synthetic", 0), ("known-failures", 6)] {
        let Some(cases) = real(&format!("repair/{name}.json")) else { return };
        let cases: Vec<serde_json::Value> = serde_json::from_str(&cases).unwrap();
        let missed = cases.iter().filter(|case| {
            let original = case["original"].as_str().unwrap();
            let wanted = case.get("fixed-encoding").unwrap_or(&case["fixed"]).as_str().unwrap();
            assert_eq!(unecho::tidy(wanted, &repairs).text, wanted, "it is clean");
            unecho::tidy(original, &repairs).text != wanted
        });
        let missed: Vec<&serde_json::Value> = missed.collect();
        assert!(missed.len() <= misses, "{name}: {} of {} missed: {missed:#?}", missed.len(), cases.len());
    }
}
