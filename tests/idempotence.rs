//! What holds for every text, however odd: cleaning it twice is cleaning it once, nothing that goes is lost, and nothing else
//! changes. Checked on made-up texts of all that is known to be hard to take apart.

#[path = "support/texts.rs"]
mod texts;

use proptest::prelude::*;
use texts::{DEFAULT, clean, prose, same_bytes, wrapped};
use unecho::compare::compared;
use unecho::document::{Cut, Span};
use unecho::fingerprint::Hash;
use unecho::segment::{Manner, Segmenter};
use unecho::{Keep, Match, Plan, Settings, Threshold, apply, source};

/// Holds all that is promised of every text.
#[track_caller]
fn keeps_its_promises(source: &[u8], settings: &Settings) {
    let plan = Plan::new(&source::text::document(source), settings).expect("it is small");
    let copy = apply::without(source, plan.cuts.iter().map(|cut| cut.at));
    let again = clean(&copy, settings);
    if again != copy {
        eprintln!("by {settings:?}, of {}", source.escape_ascii());
    }
    same_bytes(&again, &copy, "the clean copy, cleaned again,");
    nothing_is_lost(source, &plan, &copy, settings);
    if let Ok(text) = std::str::from_utf8(source) {
        let cleaned = unecho::clean(text, settings).expect("it is small");
        assert_eq!((cleaned.text.as_bytes(), &cleaned.plan), (&copy[..], &plan));
    }
}

/// Holds that what each cut takes stands in the clean copy and in the cut's witness, and that no cut takes a witness.
#[track_caller]
fn nothing_is_lost(source: &[u8], plan: &Plan, copy: &[u8], settings: &Settings) {
    let form = |raw: &[u8]| compared(raw, settings.matching, &mut Vec::new()).to_vec();
    let whole_copy = form(copy);
    for (cut, paragraph) in removed_paragraphs(source, plan, settings.matching) {
        let text = || format!("{}, cut by {settings:?} from {}", paragraph.escape_ascii(), source.escape_ascii());
        assert!(stands(&form(paragraph), &whole_copy), "lost: {}", text());
        let witness: Vec<&[u8]> = plan.blocks[cut.block].witness.here().iter().map(|span| span.of(source)).collect();
        let witness = form(&witness.join(&b'\n'));
        for line in paragraph.split(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            assert!(stands(&form(line), &witness), "not in its witness: {}", text());
        }
    }
    for witness in plan.blocks.iter().flat_map(|block| block.witness.here()) {
        let survives = plan.cuts.iter().all(|cut| cut.at.end <= witness.start || witness.end <= cut.at.start);
        assert!(survives, "witness {witness:?} is cut from {}", source.escape_ascii());
    }
}

/// The paragraphs, or parts of them, that each cut takes.
fn removed_paragraphs<'a>(source: &'a [u8], plan: &'a Plan, how: Match) -> Vec<(&'a Cut, &'a [u8])> {
    let paragraphs = paragraphs(source, how);
    let common = |a: Span, b: Span| a.start.max(b.start) as usize..a.end.min(b.end) as usize;
    let taken = |cut: &'a Cut| paragraphs.iter().map(move |&paragraph| (cut, common(paragraph, cut.at)));
    let parts = plan.cuts.iter().flat_map(taken).filter(|(_, part)| part.start < part.end);
    parts.map(|(cut, part)| (cut, &source[part])).collect()
}

fn paragraphs(source: &[u8], how: Match) -> Vec<Span> {
    let text = &source::text::document(source).parts[0].text;
    let mark = (source.len() - text.len()) as u64;
    let mut segmenter = Segmenter::new(text, Manner { how, unit: unecho::Unit::Paragraph, is_measured: true, hash: Hash::Fast });
    let (mut all, mut batch) = (Vec::new(), Vec::new());
    while segmenter.next_batch(&mut batch).expect("it is small") {
        let spans = batch.iter().flat_map(|part| &part.list).map(|segment| segment.span());
        all.extend(spans.map(|span| Span { start: span.start + mark, end: span.end + mark }));
    }
    all
}

/// Whether `text` has `part` in it as whole words (or whole lines of bytes).
fn stands(part: &[u8], text: &[u8]) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_whitespace);
    let starts = |at: &usize| *at == 0 || is_edge(text.get(at - 1));
    let stands_at = |at: usize| text[at..].starts_with(part) && is_edge(text.get(at + part.len()));
    part.is_empty() || (0..text.len()).filter(starts).any(stands_at)
}

// Made-up texts.

/// Each way to compare, with the thresholds and the copy that is kept.
fn settings() -> impl Strategy<Value = Settings> {
    let matching = prop::sample::select(vec![Match::Text, Match::Text, Match::Loose, Match::Bytes]);
    let flat = [0, 1, 20, 80, 200].map(Threshold::Flat);
    let threshold = prop_oneof![Just(Threshold::LongOrLargeShare), prop::sample::select(flat.to_vec())];
    let keep = prop::sample::select(vec![Keep::First, Keep::Last]);
    (matching, threshold, keep).prop_map(|(matching, threshold, keep)| Settings { matching, threshold, keep, ..DEFAULT })
}

/// What a text is made of: a piece of it and what ends it, which may be several line ends or none.
type Piece = (Vec<u8>, &'static str);

fn line_end() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["\n", "\n", "\n", "\n\n", "\r\n", "\n\n\n", "\r\n\r\n", "\r\r\n", "\r", " ", ""])
}

/// An odd line, a paragraph, a fenced code block or a hard-wrapped paragraph. The lines of these are pieces of their own, so that
/// others come between them.
fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    const LINES: &[&str] = &[
        "Yes.",
        "* * *",
        "---",
        "}",
        "# A heading",
        "- an item of a list",
        "12. Another item",
        "> a quote",
        "(With inputs from agencies)",
        "and so it runs on",
        "A line of some fifty columns, as wrapped ones are,",
        "goes on with words of many kinds until it is full",
        "and ends here.",
        "It was on a Sunday that the boats came back at last.",
        "| a | row |",
        "| another | row |",
        "one | two | three | four",
        "a\tb\tc",
        "a b c",
        "```",
        "```rust",
        "~~~~",
        "let x = 1;",
        "cafe\u{301} no\u{308}el",
        "café nöel",
        "CAFÉ, nöel!",
        "日本語の文章はここで終わる。",
        "日本語の文章はここでは終わらずにまだまだ続いていくの",
        "\u{200b}",
        "zero\u{200b}width",
        "zerowidth",
        "\u{ad}soft hyphen",
        "\u{feff}marked",
        "\u{301}",
        "\u{a0}",
        " ",
        "\t",
        "\r",
        "one\rtwo",
        "-5",
        "5",
    ];
    const BYTES: &[&[u8]] = &[b"\xff", b"\xc3", b"\xa9", b"\0", b"\xe2\x80", b"caf\xe9 au lait"];
    let topic = prop::sample::select(vec!["ships", "crews", "trout"]);
    let long = (topic, prop::sample::select(vec![30usize, 70, 130, 210, 610])).prop_map(|(topic, columns)| prose(topic, columns));
    let one = prop_oneof![
        20 => prop::sample::select(LINES).prop_map(|line| line.as_bytes().to_vec()),
        5 => long.clone().prop_map(String::into_bytes),
        1 => prop::sample::select(BYTES).prop_map(<[u8]>::to_vec),
    ];
    let lines = |(text, columns, end): (String, usize, &'static str)| {
        wrapped(&text, columns).lines().map(|line| (line.as_bytes().to_vec(), end)).collect()
    };
    let wrap_end = prop::sample::select(vec!["\n", "\r\n"]);
    let fence =
        prop::sample::select(vec!["one", "two"]).prop_map(|code| ["```", code, "```"].map(|line| (line.into(), "\n")).into());
    prop_oneof![
        10 => (one, line_end()).prop_map(|piece| vec![piece]),
        1 => fence,
        2 => (long, prop::sample::select(vec![45usize, 72]), wrap_end).prop_map(lines),
    ]
}

/// A text of pieces, some of which stand again further down, perhaps set otherwise.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::collection::vec(pieces(), 1..12);
    let index = any::<prop::sample::Index>;
    let copy = (index(), 1usize..16, index(), 0usize..6, prop::option::weighted(0.2, line_end()));
    (pieces, prop::collection::vec(copy, 0..6)).prop_map(|(pieces, copies)| {
        let mut pieces = pieces.concat();
        for (from, count, to, how, end) in copies {
            let from = from.index(pieces.len());
            let some = pieces[from..pieces.len().min(from + count)].to_vec();
            let to = to.index(pieces.len() + 1);
            pieces.splice(to..to, some.into_iter().map(|(piece, old)| (set(piece, how), end.unwrap_or(old))));
        }
        pieces.into_iter().flat_map(|(piece, end)| [piece, end.as_bytes().to_vec()]).flatten().collect()
    })
}

/// The piece as it is, or in a form that differs in what some ways to compare pass over.
fn set(piece: Vec<u8>, how: usize) -> Vec<u8> {
    let Ok(text) = String::from_utf8(piece.clone()) else { return piece };
    match how {
        0 => text.replace(' ', "\u{a0}").into_bytes(),
        1 => text.replacen(' ', "\t", 2).into_bytes(),
        2 => text.replace('\n', " ").into_bytes(),
        _ => piece,
    }
}

proptest! {
    // Eight times the default, which PROPTEST_CASES sets. What fails becomes a test below, not a file of seeds.
    #![proptest_config(ProptestConfig {
        cases: 8 * ProptestConfig::default().cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn promises_hold_for_texts_of_odd_pieces((text, settings) in (text(), settings())) {
        keeps_its_promises(&text, &settings);
    }

    #[test]
    fn promises_hold_for_any_bytes(half in prop::collection::vec(prop::sample::select(b"a.\n\n\r `|\t\xc2\xa0-".as_slice()), 0..40), settings in settings()) {
        keeps_its_promises(&half.repeat(2), &settings);
        keeps_its_promises(&[&half[..], b"\n\n", &half, b"\n", &half].concat(), &settings);
    }
}

// What once broke a promise, by what was wrong.

/// `Word0. Word1. …`
fn words(word: &str, count: usize) -> String {
    (0..count).map(|number| format!("{word}{number}.")).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_cut_between_two_fences_glued_the_lines_around_them() {
    let lines: Vec<String> =
        (0..9).map(|i| format!("the quick line number {i:02} of some seventy columns that runs on and on wd")).collect();
    let block = format!("```\none\n```\n{}\n```\ntwo\n```", words("Word", 110));
    let text = format!(
        "{all}\n\n{block}\n\nfiller one two three is here and unique enough.\n\n{start}\n{block}\n{end}\n\nThe end of it.\n",
        all = lines.join("\n"),
        start = lines[..4].join("\n"),
        end = lines[4..].join("\n"),
    );
    keeps_its_promises(text.as_bytes(), &DEFAULT);
}

#[test]
fn a_lone_carriage_return_became_half_of_a_line_end() {
    let (p, r) = (words("Word", 110), words("Other", 110));
    let text = format!("{p}\n\n{r}\n\nmiddle one is unique.\n\n{p}\r\r\n\r\n{r}\n\n\nlast one.\n");
    keeps_its_promises(text.as_bytes(), &Settings { matching: Match::Bytes, ..DEFAULT });
}

#[test]
fn a_lone_carriage_return_met_the_line_end_that_ends_the_text() {
    let p = words("Word", 110);
    let text = format!("{p}\n-5\r\n\n-5\r\r\n{p}\n");
    let settings = Settings { matching: Match::Bytes, threshold: Threshold::Flat(0), ..DEFAULT };
    keeps_its_promises(text.as_bytes(), &settings);
    assert_eq!(clean(text.as_bytes(), &settings), format!("{p}\n-5\r\n\n-5\r\r\n").as_bytes());
}

#[test]
fn an_invisible_character_became_the_byte_order_mark() {
    let (p, r) = (words("Word", 110), words("Other", 110));
    let text = format!("{r}\n\u{feff}{p}\nmid.\n{r}\n{p}\nend.\n");
    keeps_its_promises(text.as_bytes(), &Settings { matching: Match::Bytes, keep: Keep::Last, ..DEFAULT });
}

#[test]
fn a_row_of_a_table_met_the_same_words_outside_of_one() {
    let text = "Sing of while 977290.\nSing\tof\twhile 977290.";
    keeps_its_promises(text.as_bytes(), &Settings { threshold: Threshold::Flat(1), ..DEFAULT });
    let words = words("Word", 30);
    let text = format!("{words} a b\n{} a b\n", words.replacen(' ', "\t", 2));
    keeps_its_promises(text.as_bytes(), &DEFAULT);
}
