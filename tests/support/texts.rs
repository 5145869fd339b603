//! What the tests of the rules share: prose of a known length, and how a text is cleaned and compared with what it must give.
#![allow(dead_code, reason = "each test takes the part it needs")]
#![allow(unreachable_pub, reason = "a module that several crates include speaks to whichever includes it")]

use unecho::{Keep, Match, Plan, Settings, Threshold, Unit, apply, source};

/// What runs without flags.
pub const DEFAULT: Settings = Settings {
    matching: Match::Text,
    threshold: Threshold::LongOrLargeShare,
    keep: Keep::First,
    unit: Unit::Paragraph,
    across: false,
    drop_above: None,
    tidy: unecho::Tidy::NONE,
    only_tidies: false,
};

/// An article of fourteen paragraphs, the last thirteen of which stand a second time.
pub const ARTICLE: &str = include_str!("../../fixtures/doubled-article.txt");

/// The article's fourteen paragraphs, and the thirteen that stand again.
pub fn article() -> (Vec<&'static str>, Vec<&'static str>) {
    let lines: Vec<&str> = ARTICLE.lines().collect();
    let (first, again) = lines.split_at(14);
    assert_eq!(first[1..], *again);
    (first.to_vec(), again.to_vec())
}

/// Sentences about a topic, so many columns together. No two topics share three words in a row but "was late that".
pub fn prose(topic: &str, columns: usize) -> String {
    let mut text = String::new();
    let mut day = 1;
    while text.len() < columns {
        text.push_str(&format!("On {topic} day {day} all {topic} was late. "));
        day += 1;
    }
    text.truncate(columns - 1);
    text.push('.');
    text
}

/// The text broken into lines of at most so many columns (an ASCII text's bytes), each as full as can be.
pub fn wrapped(text: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut line = 0;
    for word in text.split(' ') {
        let wide = word.chars().count();
        if line > 0 && line + 1 + wide > columns {
            out.push('\n');
            line = 0;
        } else if line > 0 {
            out.push(' ');
            line += 1;
        }
        out.push_str(word);
        line += wide;
    }
    out
}

/// The clean copy of a text in any encoding.
pub fn clean(source: &[u8], settings: &Settings) -> Vec<u8> {
    let plan = Plan::new(&source::text::document(source), settings).expect("the texts of tests are small");
    apply::without(source, plan.cuts.iter().map(|cut| cut.at))
}

/// Holds that the clean copy is `expected` to the byte, and that cleaning it again changes nothing.
#[track_caller]
pub fn gives_by(settings: &Settings, source: impl AsRef<[u8]>, expected: impl AsRef<[u8]>) {
    let (source, expected) = (source.as_ref(), expected.as_ref());
    same_bytes(&clean(source, settings), expected, "the clean copy");
    same_bytes(&clean(expected, settings), expected, "the clean copy of the clean copy");
}

/// The same by the rules that hold without flags.
#[track_caller]
pub fn gives(source: impl AsRef<[u8]>, expected: impl AsRef<[u8]>) {
    gives_by(&DEFAULT, source, expected);
}

/// Holds that nothing is cut.
#[track_caller]
pub fn stays(source: impl AsRef<[u8]>) {
    gives(&source, &source);
}

/// Holds that two texts are equal; else shows the first line in which they differ.
#[track_caller]
pub fn same_bytes(is: &[u8], must_be: &[u8], what: &str) {
    if is != must_be {
        let at = is.iter().zip(must_be).take_while(|(a, b)| a == b).count();
        let line = is[..at].iter().filter(|&&byte| byte == b'\n').count();
        let shown = |bytes: &[u8]| match bytes.split_inclusive(|&byte| byte == b'\n').nth(line) {
            Some(bytes) => format!("\"{}\"", bytes.escape_ascii()),
            None => "nothing".to_owned(),
        };
        panic!("{what} differs in line {}\n    it is   {}\n    must be {}", line + 1, shown(is), shown(must_be));
    }
}
