//! The rules on real texts. They belong to others, so they stand beside the project and not in it, in the folder that
//! UNECHO_DATA names or in ../shared/data; where they are absent these tests say so and pass.

#[path = "support/texts.rs"]
mod texts;

use std::io::Write;
use std::path::{Path, PathBuf};
use texts::{DEFAULT, clean, gives};
use unecho::Match;
use unecho::compare::compared;

/// A file of the real data, if it is there.
fn real(name: &str) -> Option<String> {
    let folder = std::env::var_os("UNECHO_DATA").map(PathBuf::from);
    let path = folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data")).join(name);
    let text = std::fs::read_to_string(&path);
    if let Err(error) = &text {
        // Not by eprintln: what a test that passes says by it is not shown.
        let _ = writeln!(std::io::stderr(), "skipped: {}: {error}", path.display());
    }
    text.ok()
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

fn form(text: &str) -> String {
    String::from_utf8(compared(text.as_bytes(), Match::Text, &mut Vec::new()).to_vec()).expect("text stays text")
}
