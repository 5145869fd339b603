//! Repairs of texts in memory, on one thread: `cargo bench --bench tidy`. Clean text (English, and French with its accents), of which it must
//! be seen at once that nothing is to be repaired; and the French text damaged, a paragraph in one way. The text follows from a fixed seed.

#[path = "../tests/support/corpus.rs"]
mod corpus;

use divan::Bencher;
use divan::counter::BytesCount;
use encoding_rs::WINDOWS_1252;
use unecho::tidy::{Repair, Tidy, tidy};

const BYTES: usize = 4 << 20;

fn main() {
    divan::main();
}

fn english() -> String {
    let mut text = Vec::new();
    corpus::big_text(11, BYTES, 300, 0, true, &mut text).expect("memory takes what is written to it");
    String::from_utf8(text).expect("the generator writes UTF-8").replace(|char: char| !char.is_ascii(), "x")
}

fn french() -> String {
    english().replace('e', "é").replace(", ", " – ").replace('\'', "’")
}

/// Every paragraph in another way.
fn damaged() -> String {
    let text = french();
    let paragraphs = text.split("\n\n").enumerate().map(|(number, paragraph)| match number % 6 {
        0 => paragraph.into(),
        1 => WINDOWS_1252.decode_without_bom_handling(paragraph.as_bytes()).0.into_owned(),
        2 => paragraph.replace('é', "&eacute;"),
        3 => paragraph.replace('é', "e\u{301}"),
        4 => paragraph.replace(' ', "\u{a0}"),
        _ => paragraph.replace(". ", ".\u{200b} \r\n"),
    });
    paragraphs.collect::<Vec<_>>().join("  \r\n\r\n\r\n")
}

#[divan::bench(args = Repair::ALL.map(Repair::name))]
fn one_of_clean_english(bencher: Bencher, repair: &str) {
    timed(bencher, &english(), repair.parse().expect("it is its name"), false);
}

#[divan::bench(args = ["english", "french"])]
fn all_of_clean_text(bencher: Bencher, language: &str) {
    timed(bencher, &if language == "english" { english() } else { french() }, Tidy::SAFE, false);
}

#[divan::bench]
fn all_of_damaged_text(bencher: Bencher) {
    timed(bencher, &damaged(), Tidy::SAFE, true);
}

fn timed(bencher: Bencher, text: &str, repairs: Tidy, is_damaged: bool) {
    bencher.counter(BytesCount::of_str(text)).bench(|| {
        let tidied = tidy(text, &repairs);
        assert_ne!(tidied.changes.is_empty(), is_damaged);
    });
}
