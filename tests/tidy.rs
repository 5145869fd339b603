//! Texts that are repaired before they are compared: the copy is what cleaning the repaired text gives, and what was repaired is on record
//! and taken back.

#[path = "support/bodies.rs"]
mod bodies;
#[path = "support/desk.rs"]
mod desk;
#[path = "support/feeds.rs"]
mod feeds;
#[path = "support/patch.rs"]
mod patch;
#[path = "support/texts.rs"]
mod texts;

use desk::{ARTICLE, Desk, clean_article};
use encoding_rs::WINDOWS_1252;
use feeds::{KINDS, Kind, Way};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use unecho::runner::{Budget, Course, Outcome, Reading, run};
use unecho::source::{Selection, Walk};
use unecho::threads::Threads;
use unecho::tidy::Repair;
use unecho::{Settings, Tidy, tidy};
use xxhash_rust::xxh3::Xxh3;

/// What is written of a file.
fn cleaned(path: &Path, settings: &Settings) -> Vec<u8> {
    let (reading, budget, threads, stop) = (Reading::default(), Budget::of_machine(), Threads::new(1), AtomicBool::new(false));
    let course = Course { settings, reading: &reading, budget: &budget, threads: &threads, stop: &stop };
    let mut all = Vec::new();
    let found = Walk::new(&[path.to_owned()], Selection::default()).unwrap();
    let add = |outcomes: Vec<Outcome<Vec<u8>>>| {
        outcomes.into_iter().for_each(|outcome| match outcome {
            Outcome::Done(written) => all.extend(written),
            Outcome::Failed(error) => panic!("{error}"),
            Outcome::LeftOut(..) | Outcome::Notice(_) => {}
        });
        Ok(())
    };
    run(found, course, |portion| Ok(portion.edited()), add).unwrap();
    all
}

/// The repaired text, cleaned.
fn expected(text: &str) -> String {
    let tidied = tidy(text, &Tidy::SAFE);
    unecho::clean(&tidied.text, &Settings::default()).unwrap().text.into_owned()
}

const REPAIRED: Settings = Settings { tidy: SAFE, ..texts::DEFAULT };
/// Those that are safe.
const SAFE: Tidy = Tidy::SAFE;

/// A paragraph, damaged in one of several ways.
fn damaged(number: usize, way: usize) -> String {
    let text = format!(
        "Paragraph {number} is about the “café” of the harbour – number {number} – where the crew of boat {number} met at noon, and \
         nobody could say what the fish, the nets & the ropes of that year would bring at the market in week {number}."
    );
    match way {
        0 => text,
        1 => text.replace(' ', "\u{a0}"),
        2 => text.replace('&', "&amp;amp;").replace('é', "&eacute;").replace('“', "&ldquo;"),
        3 => text.replace('é', "e\u{301}").replace("harbour", "har\u{ad}bour"),
        4 => format!("{text} \t "),
        5 => text.replace(". ", ".\u{200b} ").replace("crew", "\u{feff}crew\u{84}"),
        6 => text.replace("é", "Ã©").replace('“', "â€œ"),
        _ => text.replace("crew", "\x1b[1mcrew\x1b[0m"),
    }
}

/// A paragraph that XML can hold.
fn damaged_in_xml(number: usize, way: usize) -> String {
    damaged(number, way % 7)
}

/// What is repaired in markup.
fn in_markup() -> Tidy {
    [Repair::Mojibake, Repair::Control, Repair::Invisible, Repair::Unicode].into_iter().collect()
}

impl Kind {
    fn is_markup(self) -> bool {
        !matches!(self.way, Way::Plain | Way::JsonText)
    }

    /// A feed that has this body, repaired.
    fn repaired(self, paragraphs: &[String]) -> String {
        let repaired = |text: &String| tidy(text, &in_markup()).text.into_owned();
        let repaired: Vec<String> = paragraphs.iter().map(repaired).collect();
        // What RSS doesn't say to be text is markup if it has references.
        let is_markup = self.is_markup() || self.name.starts_with("RSS") && paragraphs.iter().any(|text| text.contains("&amp;"));
        self.feed(&match is_markup {
            true => self.body(&repaired),
            false => tidy(&self.body(paragraphs), &SAFE).text.into_owned(),
        })
    }
}

/// Paragraphs, some of which stand several times, with line ends of several kinds.
fn pages() -> impl Strategy<Value = String> {
    let separator =
        select(vec!["\n", "\n\n", "\r\n", "\r\n\r\n", "\r", "\n \n\n\t\n\n", "\u{2028}", "\u{85}\n", "\n\x0c", " \n"]);
    let piece = (0..9usize, 0..8usize, separator);
    vec(piece, 0..14)
        .prop_map(|pieces| pieces.iter().map(|(number, way, separator)| damaged(*number, *way) + separator).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_repaired_text_is_cleaned_as_if_it_had_come_so(page in pages(), tail in select(vec!["", "End", "\n", "é\r"])) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.txt");
        let page = page + tail;
        fs::write(&path, &page).unwrap();
        let copy = String::from_utf8(cleaned(&path, &REPAIRED)).unwrap();
        prop_assert_eq!(&copy, &expected(&page), "{:?}", page);
        fs::write(&path, &copy).unwrap();
        prop_assert_eq!(String::from_utf8(cleaned(&path, &REPAIRED)).unwrap(), copy, "cleaned twice");
    }

    #[test]
    fn so_is_the_body_of_a_feed(kind in select(&KINDS[..]), paragraphs in vec((0..9usize, 0..7usize), 1..14)) {
        let folder = tempfile::tempdir().unwrap();
        let clean = |feed: &str, settings: &Settings| {
            let path = folder.path().join(kind.file);
            fs::write(&path, feed).unwrap();
            String::from_utf8(cleaned(&path, settings)).unwrap()
        };
        let paragraphs: Vec<String> = paragraphs.into_iter().map(|(number, way)| damaged_in_xml(number, way)).collect();
        let copy = clean(&kind.feed(&kind.body(&paragraphs)), &REPAIRED);
        prop_assert_eq!(&copy, &clean(&kind.repaired(&paragraphs), &Settings::default()), "{:?}", kind);
        prop_assert_eq!(&clean(&copy, &REPAIRED), &copy, "cleaned twice");
    }

    #[test]
    fn so_is_the_text_of_a_record(pages in vec(pages(), 1..5), is_ascii in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pages.jsonl");
        let line = |(id, page): (usize, &String)| {
            let record = serde_json::json!({ "id": id, "text": page, "more": "&amp;\u{a0}" }).to_string();
            if is_ascii { ascii(&record) + "\n" } else { record + "\n" }
        };
        let lines: String = pages.iter().enumerate().map(line).collect();
        fs::write(&path, &lines).unwrap();
        let copy = String::from_utf8(cleaned(&path, &REPAIRED)).unwrap();
        prop_assert!(!is_ascii || copy.is_ascii());
        let records: Vec<serde_json::Value> = copy.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let left: Vec<(usize, String)> = pages.iter().map(|page| expected(page)).enumerate().collect();
        prop_assert_eq!(records.len(), left.len());
        for (record, (id, text)) in records.iter().zip(left) {
            prop_assert_eq!(record, &serde_json::json!({ "id": id, "text": text, "more": "&amp;\u{a0}" }));
        }
    }
}

/// JSON without a character beyond ASCII.
fn ascii(json: &str) -> String {
    let unit = |unit: u16| match u8::try_from(unit) {
        Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
        _ => format!("\\u{unit:04x}"),
    };
    json.encode_utf16().map(unit).collect()
}

#[test]
fn a_damaged_copy_goes() {
    let desk = Desk::in_memory();
    let (first, second) = ARTICLE.split_at(clean_article().len() + 1);
    // As UTF-8 that was taken for Windows-1252.
    let misread = WINDOWS_1252.decode_without_bom_handling(second.as_bytes()).0;
    desk.write("misread.txt", format!("{first}{misread}"));
    assert_eq!(desk.run(&["--tidy", "misread.txt"]).stdout, clean_article());

    let damaged = second.replace(' ', "\u{a0}").replace('\n', " \r\n").replace('’', "&rsquo;").replace('“', "&#147;");
    assert_ne!(damaged, second);
    desk.write("article.txt", format!("{first}{damaged}"));
    assert_eq!(desk.run(&["--tidy", "article.txt"]).stdout, clean_article());
    let without = desk.run(&["--tidy", "--no-dedup", "article.txt"]);
    assert_eq!(without.stdout, ARTICLE);
    assert!(without.stderr.contains("; repaired: entities "), "{without}");
}

#[test]
fn what_was_repaired_is_proven_and_taken_back() {
    let desk = Desk::in_memory();
    let page = |number: usize| {
        let ways = (0..12).map(|at| damaged((number + at * at) % 7, (number * 3 + at) % 8));
        ways.collect::<Vec<_>>().join(["\r\n", "\n\n\n", "\u{2029}", "\n"][number % 4])
    };
    (0..12).for_each(|number| desk.write(&format!("in/{number:02}.txt"), page(number)));
    let lines: String =
        (0..40).map(|number| serde_json::json!({ "id": number, "text": page(number) }).to_string() + "\n").collect();
    desk.write("in/pages.jsonl", lines);
    let wide: Vec<u8> = page(5).encode_utf16().flat_map(u16::to_le_bytes).collect();
    desk.write("in/wide.txt", [b"\xff\xfe".as_slice(), &wide].concat());
    desk.write(
        "in/broken.txt",
        [b"a \xff b\n".as_slice(), page(6).as_bytes(), b" \x81 \r\n\x81\x82 &amp;\n", page(6).as_bytes()].concat(),
    );
    desk.write(
        "in/halves.jsonl",
        format!("{{\"text\": \"caf\\u00e9 {}\\ud800 x &amp; \\r\\n\\udc00\"}}\n", "\\u00e9".repeat(40)),
    );
    desk.write("in/latin.txt", [b"caf\xe9 & \xa0 \r\n".as_slice(), page(3).as_bytes(), b"\r\n\xff\xfe &amp;  \n"].concat());
    desk.sh("unecho -q --min-chars 100000 in/pages.jsonl --to parquet > in/pages.parquet").succeeds();
    for (number, kind) in KINDS.into_iter().enumerate() {
        let paragraphs: Vec<String> =
            (0..12).map(|at| damaged_in_xml((number + at * at) % 5, (number * 3 + at * at) % 7)).collect();
        let feed = kind.feed(&kind.body(&paragraphs));
        desk.write(&format!("in/{number:02}-{}", kind.file), &feed);
        if kind.way == Way::Escaped {
            desk.write(&format!("in/{number:02}.html"), kind.body(&paragraphs));
            let wide: Vec<u8> = feed.encode_utf16().flat_map(u16::to_be_bytes).collect();
            desk.write(&format!("in/wide-{number:02}.rss"), [b"\xfe\xff".as_slice(), &wide].concat());
        }
    }
    let resource = |number: usize| {
        let paragraphs = (0..12).map(|at| damaged_in_xml((number + at * at) % 5, (number * 3 + at) % 7));
        warc("resource", "text/html", number, &KINDS[0].body(&paragraphs.collect::<Vec<_>>()))
    };
    let documents = (0..40).map(|number| if number % 3 == 0 { conversion(number, &page(number)) } else { resource(number) });
    desk.write("in/pages.warc", documents.collect::<String>());
    desk.write("in/pages.wet", (0..40).map(|number| conversion(number, &page(number))).collect::<String>());
    for flags in [
        "--tidy",
        "--tidy --across",
        "--tidy=encoding,newlines,whitespace,nfkc --across --memory 64M",
        "--tidy --no-dedup",
        "--tidy --unit line --min-chars 0",
        "--tidy --match bytes",
    ] {
        let made: Vec<String> = [1, 2, 8]
            .into_iter()
            .map(|threads| {
                desk.sh("rm -rf out back run.jsonl").succeeds();
                desk.sh(&format!("unecho {flags} --max-removed 100% --threads {threads} in -o out --record run.jsonl"))
                    .succeeds();
                desk.sh("cat out/* run.jsonl").succeeds().stdout.clone()
            })
            .collect();
        assert!(made.iter().all(|one| *one == made[0]), "{flags}");
        assert!(made[0].contains("\"rule\":\"tidied\""), "{flags}");
        let verified = desk.sh("unecho verify run.jsonl");
        assert!(verified.status == Some(0), "{flags}: {verified}");
        desk.sh("unecho restore run.jsonl -o back && diff -rq --exclude '*.parquet' in back").succeeds();
        desk.assert_same_tables("in/pages.parquet", "back/pages.parquet");
        // In place.
        desk.sh("rm -rf there && cp -r in there && rm there/*.wet there/*.warc").succeeds();
        desk.sh(&format!("unecho {flags} --max-removed 100% --in-place there")).succeeds();
        desk.sh("diff -r --exclude .unecho --exclude 'pages.w*' out there").succeeds();
        let verified = desk.sh("unecho verify there/.unecho/*");
        assert!(verified.status == Some(0), "{flags}, in place: {verified}");
        desk.sh("unecho restore there/.unecho/* && diff -r --exclude .unecho --exclude 'pages.[wp]*' in there").succeeds();
        desk.assert_same_tables("in/pages.parquet", "there/pages.parquet");
    }
}

#[test]
fn a_large_text_is_repaired_as_a_small_one_is() {
    let desk = Desk::in_memory();
    let page: String = (0..21_500)
        .map(|at: usize| {
            let number = if (at / 4).is_multiple_of(5) { at / 28 * 4 + at % 4 } else { at }; // every fifth four of them are four of before
            damaged(number, at * 3 % 8) + ["\r\n", "\n\n\n", "\u{2029}", "\r", "\n", " \u{feff}\n", "\x0c"][at % 7]
        })
        .collect();
    let half = &page[..page.match_indices("Paragraph").nth(10_500).unwrap().0];
    let wide: Vec<u8> = half.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (utf_8, wide) = ([b"\xef\xbb\xbf", page.as_bytes()].concat(), [b"\xff\xfe".as_slice(), &wide].concat());
    for (name, page, bytes, mark) in [("a.txt", &*page, utf_8, "\u{feff}"), ("wide.txt", half, wide, "")] {
        let whole = expected(page);
        assert!(bytes.len() > 4 << 20 && whole.len() < page.len() * 9 / 10);
        let tidied = tidy(page, &Tidy::SAFE).text.into_owned();
        desk.write(&format!("in/{name}"), bytes);
        let flags = [
            "--threads 8",
            "--across --memory 64M",
            "--unit line --min-chars 0",
            "--unit line --min-chars 0 --threads 8",
            "--no-dedup",
        ];
        for flags in if mark.is_empty() { &flags[..1] } else { &flags[..] } {
            desk.sh("rm -rf out back").succeeds();
            desk.sh(&format!("unecho -q --tidy {flags} in/{name} -o out --record run.jsonl")).succeeds();
            match *flags {
                "--no-dedup" => assert!(desk.read("out") == format!("{mark}{tidied}"), "{name} {flags}"),
                "--unit line --min-chars 0" => desk.write("lines", desk.read("out")),
                "--unit line --min-chars 0 --threads 8" => assert!(desk.read("out") == desk.read("lines"), "{name} {flags}"),
                _ => assert!(desk.read("out") == format!("{mark}{whole}"), "{name} {flags}"),
            }
            let verified = desk.run(&["verify", "run.jsonl"]);
            assert!(verified.status == Some(0), "{name} {flags}: {verified}");
            assert!(!verified.stderr.contains("not proven"), "{name} {flags}: {verified}");
            desk.sh(&format!("unecho -q restore run.jsonl -o back && cmp in/{name} back && rm run.jsonl")).succeeds();
        }
    }
    let checked = desk.sh("unecho check --tidy --format json in/a.txt");
    let found: serde_json::Value = serde_json::from_str(&checked.stdout).unwrap();
    let rule = |finding: &&serde_json::Value| finding["rule"] == "untidy";
    assert_eq!(found["findings"].as_array().unwrap().iter().filter(rule).count(), 8);
    // The diff, and a file beside it whose paragraphs are those of the first.
    desk.sh("rm -r in/wide.txt back").succeeds();
    desk.write("in/b.txt", half);
    desk.sh("unecho -q --tidy --across in -o both --record run.jsonl && unecho verify run.jsonl").succeeds();
    desk.sh("unecho -q restore run.jsonl -o back && diff -r in back").succeeds();
    assert!(desk.read("both/b.txt").is_empty());
    desk.sh("unecho scan -q --tidy --format diff in/a.txt > run.diff").succeeds();
    let applied = patch::applied(&fs::read(desk.path("run.diff")).unwrap(), |name| fs::read(desk.path(name)).unwrap());
    assert!(applied == [("in/a.txt".to_owned(), Some(format!("\u{feff}{}", expected(&page)).into_bytes()))]);
}

#[test]
fn large_texts_whose_lines_end_otherwise_are_proven_too() {
    let desk = Desk::in_memory();
    let words = "The ferry came back in spring, and the council said that the boat would run again. ".repeat(3);
    let paragraph = |at: usize| format!("P{at} Ã la of the town. {words}cafÃ© Ã©tÃ© lÃ\u{a0}&#233;\x1b(B");
    let paragraphs: Vec<String> = (0..16_000).map(paragraph).collect();
    let expected = format!("{}\n", tidy(&paragraphs.join("\n"), &Tidy::SAFE).text);
    for end in ["\r", "\x0c", "\u{2028}", "\n"] {
        let text = paragraphs.join(end) + end;
        assert!(text.len() > 4 << 20);
        desk.write("a.txt", &text);
        desk.sh("unecho -q --tidy --no-dedup a.txt -o b.txt --record r.jsonl && unecho verify r.jsonl").succeeds();
        assert!(desk.read("b.txt").trim_end() == expected.trim_end(), "{end:?}");
        desk.sh("unecho -q restore r.jsonl -o c.txt && cmp a.txt c.txt && rm r.jsonl b.txt c.txt").succeeds();
    }
}

#[test]
fn a_text_that_grows_beyond_the_memory_there_may_be_is_refused() {
    let desk = Desk::in_memory();
    desk.write("a.txt", "\u{fdfa} a\n".repeat(1 << 21));
    desk.write("b.txt", "a\u{a0}b\n".repeat(5 << 20));
    for file in ["a.txt", "b.txt"] {
        let flags = ["--tidy=safe,nfkc", "--no-dedup", "--memory", "64M", file];
        let said: Vec<String> =
            ["1", "2", "8"].map(|threads| desk.run(&[&flags[..], &["--threads", threads]].concat()).stderr).into();
        assert!(said[0].contains("of memory, and --memory allows 64 MB"), "{}", said[0]);
        assert!(said.iter().all(|each| *each == said[0]), "{said:?}");
    }
}

#[test]
fn what_is_broken_is_repaired_once() {
    let desk = Desk::in_memory();
    let words = b"The ferry came back in spring, and the council said that the boat would run again.\n".as_slice();
    let wide = |bytes: &[u8]| bytes.iter().flat_map(|byte| [*byte, 0]).collect::<Vec<u8>>();
    let twice = [b"\xff\xfe".as_slice(), &wide(&wide(b"Hello world again\n"))].concat();
    for (broken, tidy) in [
        (&b"it\xc2\x07\x85is"[..], "--tidy"),
        (b"it\xe2\x07\x80\xa8is", "--tidy"),
        (b"it\xc3\x07\x83\xc2\xa9is", "--tidy"),
        (b"it\xef\x07\xbb\xbfis", "--tidy"),
        (b"caf\xe2\x82 &#xFDD0; \xe2\x82 end", "--tidy"),
        (&twice, "--tidy=encoding"),
    ] {
        let text = if tidy == "--tidy" { [words, broken, b"\n", words].concat() } else { broken.to_vec() };
        desk.write("a.txt", &text);
        desk.sh(&format!("unecho -q {tidy} --no-dedup a.txt -o b.txt --record r && unecho verify r")).succeeds();
        desk.sh(&format!("unecho -q {tidy} --no-dedup b.txt -o c.txt && cmp b.txt c.txt")).succeeds();
        desk.sh("unecho -q restore r -o d.txt && cmp a.txt d.txt && rm r b.txt c.txt d.txt").succeeds();
    }
    // Halves of a character that come together would be one.
    let halves = "{\"text\":\"a \\ud83d\\u0007\\ude00 \"}\n";
    desk.write("a.jsonl", halves);
    desk.run(&["-q", "--tidy", "a.jsonl"]).prints(halves);
}

#[test]
fn what_looks_like_records_is_not_repaired_as_text() {
    let desk = Desk::in_memory();
    let record = "{\"text\":\"He said &quot;hi&quot;\"}\n";
    desk.write("a", record);
    desk.sh("unecho --tidy < a")
        .fails("standard input: looks like JSONL and was taken for text: --from jsonl takes it for records");
    desk.sh("unecho --tidy -q --from jsonl < a").prints("{\"text\":\"He said \\\"hi\\\"\"}\n");
    desk.sh("unecho --tidy -q --from text < a").prints(&record.replace("&quot;", "\""));
}

#[test]
fn what_cannot_be_decoded_is_told() {
    let desk = Desk::in_memory();
    desk.write("a.txt", b"The ferry \x81 came back.  \n");
    desk.run(&["--tidy", "a.txt", "-o", "b.txt"]).says("whitespace 1, 1 text not decoded, since nothing tells what it is in");
    let checked = desk.run(&["check", "--tidy", "b.txt"]);
    assert!(checked.stdout.contains("isn't UTF-8, and nothing tells what it is in"), "{checked}");
}

#[test]
fn a_check_says_what_would_be_repaired() {
    let desk = Desk::in_memory();
    desk.write("a.txt", "One.\nTwo\u{a0}words.\r\n\r\nThree  \r\n");
    desk.write("b.jsonl", "{\"text\": \"clean\"}\n{\"id\": \"x\", \"text\": \"a\\nb \\n\"}\n");
    let ran = desk.run(&["check", "--tidy", "a.txt", "b.jsonl"]);
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| !line.is_empty() && !line.contains("fingerprint")).collect();
    let wanted = [
        "warning[untidy]: newlines would repair 3 places, of which this is the first",
        "--> a.txt:2",
        "warning[untidy]: whitespace would repair 2 places, of which this is the first",
        "--> a.txt:2",
        "warning[untidy]: whitespace would repair this",
        "--> b.jsonl:2 (x) text:2",
    ];
    assert_eq!(lines, wanted, "{ran}");
    assert_eq!(ran.status, Some(0), "{ran}");
    desk.run(&["check", "--tidy", "--level", "untidy=error", "a.txt"]).disagrees("2 errors");
    desk.run(&["check", "--tidy=entities", "--level", "untidy=error", "a.txt"]).succeeds();
    desk.run(&["--no-dedup", "a.txt"]).fails("--no-dedup: leaves nothing to do");
    desk.write("unecho.toml", "tidy = \"safe\"\nacross = true\n");
    desk.run(&["--no-dedup", "-q", "a.txt"]).prints("One.\nTwo words.\n\nThree\n");
    desk.run(&["--no-tidy", "-q", "a.txt"]).prints("One.\nTwo\u{a0}words.\r\n\r\nThree  \r\n");
    desk.write("unecho.toml", "tidy = true\n");
    desk.run(&["-q", "a.txt"]).prints("One.\nTwo words.\n\nThree\n");
    desk.write("twice.txt", format!("{0}\u{a0}\n{0}\n", "Long enough to go. ".repeat(40)));
    desk.write("unecho.toml", "tidy = true\nno-dedup = true\n");
    desk.run(&["-q", "twice.txt"]).prints(&format!("{0}\n{0}\n", "Long enough to go. ".repeat(40).trim_end()));
    desk.sh("rm unecho.toml").succeeds();
    desk.write("c.wet", conversion(1, "a\u{a0}b\r\n"));
    let ran = desk.run(&["check", "--tidy", "c.wet"]);
    assert_eq!(ran.stdout.matches("warning[untidy]").count(), 2, "{ran}");
    desk.write("feed.rss", KINDS[5].feed("<p>Two \u{ad}words.</p>\n<p>Three\u{ad}</p>"));
    let ran = desk.run(&["check", "--tidy", "feed.rss"]);
    assert!(ran.stdout.contains("invisible would repair 2 places, of which this is the first"), "{ran}");
}

#[test]
fn a_diff_shows_what_would_be_repaired_and_cut() {
    let desk = Desk::in_memory();
    let page: String = (0..9).map(|at| damaged(at % 5, at % 8) + ["\r\n", "\u{2028}", "\n\n\n"][at % 3]).collect();
    desk.write("a.txt", &page);
    desk.write("b.jsonl", serde_json::json!({ "text": page }).to_string() + "\n{\"text\": \"a \\n\"}\n");
    desk.write("c.rss", KINDS[5].feed(&KINDS[5].body(&(0..9).map(|at| damaged_in_xml(at % 5, at % 7)).collect::<Vec<_>>())));
    desk.sh("mkdir new && unecho -q --tidy a.txt b.jsonl c.rss -o new").succeeds();
    desk.sh("unecho scan -q --tidy --format diff a.txt b.jsonl c.rss > run.diff").succeeds();
    let diff = fs::read(desk.path("run.diff")).unwrap();
    let applied = patch::applied(&diff, |name| fs::read(desk.path(name)).unwrap());
    let names: Vec<&str> = applied.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["a.txt", "b.jsonl", "c.rss"]);
    for (name, copy) in &applied {
        assert_eq!(copy.as_deref(), Some(&*fs::read(desk.path(&format!("new/{name}"))).unwrap()), "{name}");
    }
    let wide: Vec<u8> = "\u{feff}One.\nTwo  \n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    desk.write("wide.txt", wide);
    desk.run(&["scan", "-q", "--tidy", "--format", "diff", "wide.txt"]).fails("is in UTF-16LE, of which a diff has no lines");
    let feed = "<rss version=\"2.0\"><channel><item><description>caf\u{ad}\u{e9}</description></item></channel></rss>";
    desk.write("wide.rss", feed.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>());
    desk.run(&["scan", "-q", "--tidy", "--format", "diff", "wide.rss"]).fails("is in UTF-16BE, of which a diff has no lines");
    desk.run(&["scan", "-q", "--format", "diff", "wide.rss"]).prints("");
    desk.write("d.wet", conversion(1, "a\u{a0}b\r\nc\r\n"));
    desk.run(&["scan", "-q", "--tidy", "--format", "diff", "d.wet"]).prints(
        "--- d.wet:1 (https://example.org/1)\t\n+++ d.wet:1 (https://example.org/1)\t\n@@ -1,2 +1,2 @@\n-a\u{a0}b\r\n+a b\n-c\r\n+c\n",
    );
}

#[test]
fn markup_keeps_its_tags_references_and_layout() {
    let desk = Desk::in_memory();
    for (html, wanted) in [
        // Spaces before tags, lines in preformatted text, references, what is no text.
        ("<p>a <b>b</b>\u{a0}c  \n</p>\r\n\n\n\n<pre>x  \n\n\n\ny</pre>&amp;amp; &nbsp;&shy;", None),
        ("<script>'cafÃ©\u{ad}'</script><title>cafÃ©</title><!-- cafÃ© --><img alt=\"cafÃ©\">", None),
        // What would become a tag or a reference.
        ("<p>a <\u{ad}b> c</p>", None),
        ("<p>a &\u{ad}lt; c, a &\u{ad}\u{ad}lt; c</p>", None),
        ("<p>\u{ad}a &\u{ad}lt; \u{ad}b</p>", Some("<p>a &\u{ad}lt; b</p>")),
        ("<p>caf\u{ad}Ã©<b>x\u{200b}</b>e\u{301}\u{202e}</p><p>\u{ad}</p>", Some("<p>café<b>x</b>é</p><p>\u{ad}</p>")),
        ("<p>cafÃ© <i>cafÃ©</i></p>", Some("<p>café <i>café</i></p>")),
    ] {
        let page = format!("<!doctype html><meta charset=utf-8><body>{html}<p>x</p>");
        desk.write("a.html", &page);
        let wanted = wanted.map_or(page.clone(), |wanted| page.replace(html, wanted));
        desk.run(&["-q", "--tidy", "--no-dedup", "a.html"]).prints(&wanted);
    }
    // Nor what makes another text of a feed, or can't be written in its encoding.
    for (feed, wanted) in [
        ("<description><![CDATA[a ]]]]><![CDATA[\u{ad}> b]]></description>", None),
        ("<description>a ] ]&gt; &lt;\u{ad}b&gt;</description>", None),
        ("<description>\u{ad}a &lt;\u{ad}b cafÃ©</description>", Some("<description>a &lt;\u{ad}b café</description>")),
        ("<description>Ã<![CDATA[©]]> cafÃ© </description>", Some("<description>Ã<![CDATA[©]]> café </description>")),
        ("<description><![CDATA[cafÃ]]>&#169;</description>", None),
        ("<description>Ã&#xa9; caf<![CDATA[Ã© &]]> </description>", Some("<description>é caf<![CDATA[é &]]> </description>")),
        // What would end a section, or be none of XML's characters.
        (
            "<description>a ]]\u{200b}&gt; ]]\u{200b}> b\u{200b}</description>",
            Some("<description>a ]]&gt; ]]\u{200b}> b</description>"),
        ),
        (
            "<description><![CDATA[a ]]\u{200b}> b\u{200b}]]></description>",
            Some("<description><![CDATA[a ]]\u{200b}> b]]></description>"),
        ),
        ("<description><![CDATA[a ]\u{200b}]\u{200b}> b\u{200b}]]></description>", None),
    ] {
        let all = format!("<rss version=\"2.0\"><channel><item>{feed}</item></channel></rss>");
        desk.write("a.rss", &all);
        let wanted = wanted.map_or(all.clone(), |wanted| all.replace(feed, wanted));
        desk.run(&["-q", "--tidy=invisible,mojibake", "--no-dedup", "a.rss"]).prints(&wanted);
    }
    let atom = |content: &str| format!("<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><id>1</id>{content}</entry></feed>");
    for (content, wanted) in [
        ("<content><!-- <![CDATA[ -->fish &amp;amp; chips</content>", "<content><!-- <![CDATA[ -->fish &amp; chips</content>"),
        (
            "<content type=\"xhtml\"><div><p>AT＆T ﬁn</p></div></content>",
            "<content type=\"xhtml\"><div><p>AT＆T fin</p></div></content>",
        ),
        ("<content>&NotEqualTilde; ＡＢ &#xFF21;</content>", "<content>&NotEqualTilde; AB A</content>"),
        (
            "<content type=\"text\">a &amp;#xFFFE; &amp;#1; &amp;#233;</content>",
            "<content type=\"text\">a &amp;#xFFFE; &amp;#1; é</content>",
        ),
        (
            "<content type=\"xhtml\"><div><p>a ]]\u{200b}> b\u{200b}</p></div></content>",
            "<content type=\"xhtml\"><div><p>a ]]\u{200b}> b</p></div></content>",
        ),
    ] {
        desk.write("a.atom", atom(content));
        desk.run(&["-q", "--tidy=safe,nfkc", "--no-dedup", "a.atom"]).prints(&atom(wanted));
    }
    let latin = |text: &str| {
        let feed = format!(
            "<?xml version=\"1.0\" encoding=\"iso-8859-5\"?><rss><channel><item><description>{text}</description></item></channel></rss>"
        );
        encoding_rs::ISO_8859_5.encode(&feed).0.into_owned()
    };
    for (text, wanted, left) in [
        ("\u{ad}Привет", "Привет", 0),
        ("\u{ad}Привет &#xc3;&#xa9;", "Привет &#233;", 0),
        ("<![CDATA[\u{ad}Привет ]]>&#xc3;<![CDATA[]]>&#xa9;", "<![CDATA[Привет ]]>&#xc3;<![CDATA[]]>&#xa9;", 1),
    ] {
        desk.write("a.rss", latin(text));
        let ran = desk.sh("unecho --tidy a.rss -o b.rss");
        ran.succeeds();
        assert_eq!(fs::read(desk.path("b.rss")).unwrap(), latin(wanted), "{text}");
        assert_eq!(ran.stderr.contains("1 repair left, which can't be written there"), left == 1, "{ran}");
    }
}

#[test]
fn what_grows_is_taken_back_too() {
    let desk = Desk::in_memory();
    desk.write("in/a.txt", b"caf\xe9\n");
    desk.write("in/b.txt", b"cr\xe8me br\xfbl\xe9e\n");
    desk.sh("unecho --tidy in -o out").succeeds().says("18 → 22 bytes (+22 %)");
    desk.sh("gzip in/a.txt && cp -r in there && unecho -q --tidy -i there").succeeds();
    desk.sh("gzip -dc there/a.txt.gz | cmp - out/a.txt && unecho verify there/.unecho/*").succeeds();
    desk.sh("unecho restore there/.unecho/* && gzip -dc there/a.txt.gz > a && gzip -dc in/a.txt.gz | cmp - a").succeeds();
    // Three bytes that are thirty-three in another form.
    let feed =
        |text: &str| format!("<rss version=\"2.0\"><channel><item><description>{text}</description></item></channel></rss>");
    desk.write("feeds/a.rss", feed(&"\u{fdfa} ".repeat(100)));
    desk.sh("cp -r feeds were && unecho -q --tidy=nfkc -i feeds && unecho verify feeds/.unecho/*").succeeds();
    assert_eq!(desk.read("feeds/a.rss"), feed(&"صلى الله عليه وسلم ".repeat(100)));
    desk.sh("unecho restore feeds/.unecho/* && cmp feeds/a.rss were/a.rss").succeeds();
}

#[test]
fn a_page_break_beside_a_cut_is_the_end_of_a_line() {
    let desk = Desk::in_memory();
    let body = "The ferry came back in spring and the council said that the boat would run again after eleven months. ".repeat(7);
    let text = format!("{body}\x0cMiddle.\x0c{body}\x0cNext.\n");
    let wide: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let line = serde_json::json!({ "text": text }).to_string() + "\n";
    for (name, written) in [("a.txt", text.into_bytes()), ("b.txt", wide), ("c.jsonl", line.into_bytes())] {
        desk.write(name, written);
        desk.sh(&format!("rm -f r && unecho -q --tidy {name} -o o --record r && unecho verify r")).succeeds();
        assert_eq!(desk.read("o").matches("The ferry").count(), 7, "{name}");
    }
}

#[test]
fn commands_to_terminals_go_and_japanese_in_seven_bits_stays() {
    let desk = Desk::in_memory();
    for (text, wanted) in [
        ("\x1b[1mbold\x1b(B\x1b[m text\n", "bold text\n"),
        ("a\x1bPq#0;2;0~\x1b\\b\x1b]0;title\x07c\n", "abc\n"),
        ("\x1b$B$3$l$O\x1b(B and\x1b[0m more\n", "\x1b$B$3$l$O\x1b(B and more\n"),
    ] {
        desk.write("a.txt", text);
        desk.run(&["-q", "--tidy", "a.txt"]).prints(wanted);
    }
}

/// A record of a WARC.
fn warc(kind: &str, of: &str, number: usize, block: &str) -> String {
    let len = block.len();
    format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://example.org/{number}\r\nWARC-Date: 2024-05-01T12:00:00Z\r\n\
         WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-{number:012}>\r\nContent-Type: {of}\r\nContent-Length: {len}\r\n\r\n{block}\r\n\r\n"
    )
}

impl Desk {
    /// Makes sure that two tables have the same rows; a file may hold them in several ways.
    fn assert_same_tables(&self, one: &str, other: &str) {
        let rows = |table: &str| self.sh(&format!("unecho -q --min-chars 100000 {table} --to jsonl")).succeeds().stdout.clone();
        assert!(rows(one) == rows(other), "{one} and {other}");
    }
}

#[test]
fn bytes_that_are_no_text_stay_where_they_are() {
    let desk = Desk::in_memory();
    for (text, wanted) in [
        (&b"abc \x81 def  \n"[..], &b"abc \x81 def\n"[..]),
        (
            b"Gr\xc3\xb6\xc3\x9fe \xe2\x80\x94 foo \x81 bar\x0c\x81x\n\n\x81\n\ndef\n",
            b"Gr\xc3\xb6\xc3\x9fe \xe2\x80\x94 foo \x81 bar\n\x81x\n\n\x81\n\ndef\n",
        ),
        (b"hello\0world\0", b"helloworld"),
        // No text at all.
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01 \x08 \n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01 \x08 \n"),
        ("ï»¿\u{200b}The ferry is back.\n".as_bytes(), b"The ferry is back.\n"),
        ("\u{feff}The ferry is back.\u{feff}\n".as_bytes(), "\u{feff}The ferry is back.\n".as_bytes()),
        ("The ferryï»¿ is back.\n".as_bytes(), "The ferry is back.\n".as_bytes()),
    ] {
        desk.write("a.txt", text);
        desk.sh("unecho -q --tidy --no-dedup a.txt -o b.txt").succeeds();
        assert_eq!(fs::read(desk.path("b.txt")).unwrap(), wanted, "{text:?}");
    }
    desk.write("c.jsonl", "{\"text\":\"\\u00e9\\u00e9\\u00e9 &amp; abc\\ud800x def  \"}\n{\"text\":\"a\\u0000bc\"}\n");
    let wanted = "{\"text\":\"\\u00e9\\u00e9\\u00e9 & abc\\ud800x def\"}\n{\"text\":\"abc\"}\n";
    desk.run(&["--tidy", "-q", "c.jsonl"]).prints(wanted);
}

#[test]
fn utf_16_without_a_mark_is_found_in_a_folder() {
    let desk = Desk::in_memory();
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let text = "The ferry came back in spring, and the café opened.\n";
    desk.write("in/a.txt", wide(text));
    desk.write("in/b.txt", wide("Паром вернётся в порт весной.\n"));
    desk.write("in/c.txt", [&wide(text)[..], b"\0"].concat());
    desk.write("in/d.txt", b"\x7fELF\x02\x01\0\0\0\0\0\0");
    let ran = desk.sh("unecho --tidy --no-dedup in -o out");
    assert!(ran.status == Some(2) && ran.stderr.contains("in/c.txt: begins as UTF-16"), "{ran}");
    assert!(ran.stderr.contains("2 documents, 164 → 107 bytes") && ran.stderr.contains("left out: 1 binary"), "{ran}");
    assert_eq!(desk.read("out/a.txt"), text);
    assert_eq!(desk.read("out/b.txt"), "Паром вернётся в порт весной.\n");
    desk.run(&["in", "-o", "plain"]).fails("nothing to read");
}

#[test]
fn words_beside_a_cut_in_utf_16_stay() {
    let desk = Desk::in_memory();
    let body = "The ferry came back in spring and the council said that the boat would run again after eleven months. ".repeat(7);
    let text = format!("{body}\nMiddle stays.\n{body}\nNext words stay.\n");
    desk.write("a.txt", [&b"\xff\xfe"[..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()].concat());
    desk.run(&["--tidy", "-q", "a.txt"]).prints(&format!("{}\nMiddle stays.\nNext words stay.\n", body.trim_end()));
    // Line ends that aren't blank in the bytes: separators, and entities in a word that was decoded as a whole.
    let text = format!("Begins{body}ends.\u{2028}Middle.\u{2028}Begins{body}ends.\u{2028}Next.\n");
    desk.write("a.txt", [&b"\xff\xfe"[..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()].concat());
    desk.run(&["--tidy", "-q", "a.txt"]).prints(&format!("Begins{body}ends.\nMiddle.\nNext.\n"));
    let text = format!("caf\u{e9}&#10;\u{c9}t\u{e9}{body}\u{e9}&#10;Middle caf\u{e9}&#10;\u{c9}t\u{e9}{body}\u{e9}&#10;Next.\n");
    desk.write("a.txt", WINDOWS_1252.encode(&text).0);
    let left = format!("caf\u{e9}&#10;\u{c9}t\u{e9}{body}\u{e9}&#10;Middle caf\u{e9}&#10;Next.\n");
    desk.run(&["--tidy", "-q", "a.txt"]).prints(&left.replace("&#10;", "\n"));
}

/// A record of a WET.
fn conversion(number: usize, text: &str) -> String {
    warc("conversion", "text/plain", number, text)
}

#[test]
fn a_repair_that_the_record_lies_about_is_found() {
    let desk = Desk::in_memory();
    desk.write("a.txt", "caf&eacute;  \r\nand more\r\n");
    desk.sh("unecho -q --tidy a.txt -o b.txt --record run.jsonl").succeeds();
    let record = desk.read("run.jsonl");
    assert!(record.contains("\"insert\":\"é\""), "{record}");
    assert_eq!(desk.run(&["verify", "run.jsonl"]).status, Some(0));
    let is_found = |record: &str, status: i32, why: &str| {
        desk.write("run.jsonl", summed(record));
        let verified = desk.run(&["verify", "run.jsonl"]);
        assert!(verified.status == Some(status) && verified.stderr.contains(why), "{verified}");
    };
    let without = record.replace("\"tidy\":\"encoding,entities,", "\"tidy\":\"encoding,");
    is_found(&without, 1, "isn't what its text has there, repaired again");
    // Nor is it decoded from what it isn't in, or from what nobody knows.
    let other = "isn't in the encoding that the record tells of";
    let named = |encoding: &str| record.replace("\"form\":\"text\"", &format!("\"form\":\"text\",\"encoding\":\"{encoding}\""));
    is_found(&named("windows-1252"), 1, other);
    is_found(&named("latin-x"), 2, "tells of an encoding that nothing was decoded from");
    // Nor where it is gone, and its clean copy stands in its place.
    desk.write("there/a.txt", WINDOWS_1252.encode("Le caf\u{e9} o\u{f9} les gar\u{e7}ons servaient des cr\u{ea}pes.\n").0);
    desk.sh("unecho -q --tidy -i there && unecho verify there/.unecho/*").succeeds();
    let record = desk.read("there/.unecho/0001.jsonl");
    assert!(record.contains("\"encoding\":\"windows-1252\""), "{record}");
    desk.write("there/.unecho/0001.jsonl", summed(&record.replace("windows-1252", "windows-1254")));
    let verified = desk.sh("unecho verify there/.unecho/*");
    assert!(verified.status == Some(1) && verified.stderr.contains(other), "{verified}");
}

/// A record with the sum that is right for it, whatever was changed in it but its cuts.
fn summed(record: &str) -> String {
    let (lines, end) = record.trim_end().rsplit_once('\n').expect("it has an end");
    let mut sum = Xxh3::new();
    let counted = lines.lines().filter(|line| !line.starts_with("{\"cut\":"));
    counted.for_each(|line| sum.update(format!("{line}\n").as_bytes()));
    let (before, _) = end.split_once("\"sum\":").expect("its end has the sum");
    format!("{lines}\n{before}\"sum\":\"{:032x}\"}}\n", sum.digest128())
}
