//! Records that someone else has written, with sums that are right: they prove nothing that isn't so, and do no harm.

#[path = "support/desk.rs"]
mod desk;

use desk::Desk;
use serde_json::{Value, json};
use std::fs;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

fn hex(bytes: &[u8]) -> String {
    format!("{:032x}", xxh3_128(bytes))
}

/// What a record says of a file.
struct File<'a> {
    name: &'a str,
    original: &'a str,
    cuts: Vec<String>,
    /// What the clean copy is.
    clean: &'a str,
}

impl<'a> File<'a> {
    fn new(name: &'a str, original: &'a str, cuts: &[Value], clean: &'a str) -> Self {
        Self { name, original, cuts: cuts.iter().map(Value::to_string).collect(), clean }
    }

    fn lines(&self, number: usize) -> Vec<String> {
        let Self { name, original, clean, .. } = self;
        let form = match name.rsplit('.').next() {
            Some("jsonl") => "jsonl",
            Some("rss") => "feed",
            Some("html") => "html",
            _ => "text",
        };
        let mut lines = vec![ordered(&[
            ("file", json!(number)),
            ("path", json!(format!("in/{name}"))),
            ("name", json!(name)),
            ("form", json!(form)),
            ("clean", json!(format!("out/{name}"))),
        ])];
        lines.extend(self.cuts.clone());
        lines.push(ordered(&[
            ("part", json!([0, original.len()])),
            ("hash", json!(hex(original.as_bytes()))),
            ("clean", json!(clean.len())),
            ("clean_hash", json!(hex(clean.as_bytes()))),
            ("sum", json!("")),
        ]));
        lines.push(ordered(&[("ends", json!(number)), ("bytes", json!(original.len())), ("clean_bytes", json!(clean.len()))]));
        lines
    }
}

/// An object whose first key is the first of these.
fn ordered(entries: &[(&str, Value)]) -> String {
    let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{}:{value}", json!(key))).collect();
    format!("{{{}}}", entries.join(","))
}

/// Writes the files, and a record of them whose sums are right; `change` says what else it says.
fn forge(desk: &Desk, settings: &Value, files: &[File], change: impl Fn(String) -> String) {
    let mut lines = vec![ordered(&[("unecho-record", json!(1)), ("unecho", json!("0.1.0")), ("settings", settings.clone())])];
    for (number, file) in files.iter().enumerate() {
        desk.write(&format!("in/{}", file.name), file.original);
        desk.write(&format!("out/{}", file.name), file.clean);
        lines.extend(file.lines(number));
    }
    let (mut all, mut part, mut sum, mut cuts) = (String::new(), String::new(), Xxh3::new(), 0);
    for line in lines.into_iter().map(change) {
        let mut line = line + "\n";
        if line.starts_with("{\"cut\":") {
            part += &line;
            cuts += 1;
        } else {
            if line.starts_with("{\"part\":") {
                line = line.replace("\"sum\":\"\"", &format!("\"sum\":\"{}\"", hex(part.as_bytes())));
                part.clear();
            }
            sum.update(line.as_bytes());
        }
        all += &line;
    }
    let sum = json!(format!("{:032x}", sum.digest128()));
    let end = [("complete", json!(true)), ("files", json!(files.len())), ("cuts", json!(cuts)), ("sum", sum)];
    desk.write("r.jsonl", all + &ordered(&end) + "\n");
}

fn settings() -> Value {
    json!({
        "match": "text", "unit": "paragraph", "keep": "first", "across": true, "empty": "drop", "on_error": "fail", "text_field": "text"
    })
}

const TEXT: &str =
    "One paragraph that stands here twice.\n\nAnd another one, which doesn't.\n\nOne paragraph that stands here twice.\n";
const FIRST: (usize, usize) = (0, 37);
const SECOND: (usize, usize) = (72, 109);

/// The line of a cut.
fn cut(range: (usize, usize), rule: &str, others: &[(&str, Value)]) -> String {
    let first = [("cut", json!(range)), ("rule", json!(rule))];
    ordered(&[&first[..], others].concat())
}

/// Where a cut begins, its rule, what else its line says, and why it doesn't hold.
type Case<'a> = (usize, &'a str, Vec<(&'a str, Value)>, &'a str);

#[test]
fn what_a_cut_takes_is_proven_to_the_last_byte() {
    let desk = Desk::new();
    let clean = &TEXT[..SECOND.0 - 2];
    let of_first = json!({ "ranges": [FIRST] });
    let gone = |start: usize| &TEXT[start..];
    let file = |start: usize, line: String| File { name: "a.txt", original: TEXT, cuts: vec![line], clean: &TEXT[..start] };
    let holds = cut((70, 110), "repeated-block", &[("witness", of_first.clone()), ("pieces", json!(["\n\n", 0, "\n"]))]);
    forge(&desk, &settings(), &[file(70, holds)], |line| line);
    desk.run(&["verify", "r.jsonl"]).succeeds().says("1 cut (1 equal to a text that stays): all hold");
    desk.run(&["restore", "r.jsonl", "-o", "back.txt"]).succeeds();
    assert_eq!(desk.read("back.txt"), TEXT);
    assert_eq!(desk.read("out/a.txt"), clean);

    let more = ("pieces", json!([&TEXT[37..72], 0, "\n"]));
    let literal = ("pieces", json!([gone(70)]));
    let repeat = ("repeat", json!([SECOND]));
    let cases: [Case; 18] = [
        (
            70,
            "repeated-block",
            vec![repeat.clone(), ("witness", json!({ "ranges": [[39, 70]] })), ("similarity", json!(0.0)), literal.clone()],
            "isn't content with similar texts",
        ),
        (
            70,
            "later-rule",
            vec![repeat.clone(), ("witness", json!({ "ranges": [[39, 70]] })), ("similarity", json!(0.9)), literal.clone()],
            "is similar to its witness by 0.000, not by 0.900",
        ),
        (37, "repeated-block", vec![("witness", of_first.clone()), more.clone()], "cuts more than what it repeats"),
        (37, "repeated-block", vec![repeat.clone(), ("witness", of_first.clone()), more], "cuts more than what it repeats"),
        (70, "repeated-block", vec![literal.clone()], "isn't what its rule cuts"),
        (70, "repeated-block", vec![("witness", of_first.clone()), literal.clone()], "says not what it repeats"),
        (70, "repeated-block", vec![repeat.clone(), ("witness", json!({ "ranges": [] })), literal.clone()], "or is no text"),
        (
            70,
            "repeated-block",
            vec![("repeat", json!([[72, 72]])), ("witness", json!({ "ranges": [[3, 3]] })), literal.clone()],
            "cuts more",
        ),
        (
            70,
            "repeated-block",
            vec![repeat.clone(), ("witness", json!({ "ranges": [[3, 3]] })), literal.clone()],
            "or is no text",
        ),
        (
            70,
            "repeated-block",
            vec![repeat.clone(), ("witness", json!({ "ranges": [[39, 70]] })), literal.clone()],
            "isn't what its witness says",
        ),
        (
            70,
            "repeated-block",
            vec![repeat.clone(), ("witness", json!({ "ranges": [SECOND] })), literal.clone()],
            "was cut itself",
        ),
        (
            70,
            "repeated-block",
            vec![("repeat", json!([[39, 70]])), ("witness", of_first.clone()), literal.clone()],
            "isn't what it cuts",
        ),
        (
            70,
            "later-rule",
            vec![repeat, ("witness", json!({ "ranges": [[39, 70]] })), literal.clone()],
            "isn't what its witness says",
        ),
        (70, "broken-record", vec![literal.clone()], "isn't what its rule cuts"),
        (70, "too-repetitive", vec![("dropped", json!(true)), literal.clone()], "isn't what its rule cuts"),
        (70, "record-head", vec![literal.clone()], "isn't what its rule cuts"),
        (
            70,
            "repeated-block",
            vec![("dropped", json!(true)), ("repeat", json!([SECOND])), literal.clone()],
            "its document stays, and went as a whole",
        ),
        (
            37,
            "repeated-block",
            vec![
                ("dropped", json!(true)),
                ("repeat", json!([SECOND])),
                ("witness", of_first),
                ("pieces", json!([&TEXT[37..72], gone(72)])),
            ],
            "its document stays, and went as a whole",
        ),
    ];
    for (start, rule, others, why) in cases {
        forge(&desk, &settings(), &[file(start, cut((start, 110), rule, &others))], |line| line);
        desk.run(&["verify", "r.jsonl"]).disagrees(why).says("r.jsonl: line 3: ");
    }
    // A rule that isn't known is another matter: it isn't proven, and said to be so.
    forge(&desk, &settings(), &[file(70, cut((70, 110), "later-rule", &[literal]))], |line| line);
    desk.run(&["verify", "r.jsonl"]).succeeds().says(
        "1 cut (1 not proven: by rules that this unecho doesn't know, in a table repaired in place, or in a text of an unknown encoding): all others hold",
    );
}

#[test]
fn what_takes_the_place_of_a_cut_is_proven_too() {
    let desk = Desk::new();
    let insert = |text: &str| {
        let witness = ("witness", json!({ "ranges": [FIRST] }));
        let line = cut((70, 110), "repeated-block", &[witness, ("pieces", json!(["\n\n", 0, "\n"])), ("insert", json!(text))]);
        let clean = format!("{}{text}", &TEXT[..70]);
        forge(&desk, &settings(), &[File { name: "a.txt", original: TEXT, cuts: vec![line], clean: &clean }], |line| line);
    };
    for text in ["\n", "\nBuy now.\n"] {
        insert(text);
        desk.run(&["verify", "r.jsonl"]).disagrees("puts a text in its place, which its rule doesn't");
    }
    desk.run(&["restore", "r.jsonl", "-o", "back.txt"]).succeeds();
    assert_eq!(desk.read("back.txt"), TEXT);
}

#[test]
fn a_rule_cuts_what_it_cuts_and_nothing_else() {
    let desk = Desk::new();
    let (first, last) = (json!({ "ranges": [FIRST] }), ("pieces", json!(["\n\n", 0, "\n"])));
    let literal = ("pieces", json!([&TEXT[70..]]));
    let anew = ("insert", json!("WHOLLY INVENTED"));
    let witness = || ("witness", first.clone());
    let mut settings = settings();
    settings["on_error"] = json!("drop");
    settings["drop_above"] = json!(50);
    let cases: [(&str, Vec<(&str, Value)>); 10] = [
        ("record-head", vec![witness(), last.clone(), anew.clone()]),
        ("record-head", vec![literal.clone(), anew.clone()]),
        ("record-head", vec![("dropped", json!(true)), literal.clone(), anew.clone()]),
        ("broken-record", vec![witness(), last.clone()]),
        ("broken-record", vec![literal.clone(), anew.clone()]),
        ("broken-record", vec![("dropped", json!(true)), literal.clone()]),
        ("too-repetitive", vec![literal.clone()]),
        ("too-repetitive", vec![("dropped", json!(true)), witness(), last.clone()]),
        ("repeated-across", vec![literal.clone()]),
        ("repeated-document", vec![witness(), last.clone(), anew]),
    ];
    for (rule, others) in cases {
        let line = cut((70, 110), rule, &others);
        let inserted = if line.contains("insert") { "WHOLLY INVENTED" } else { "" };
        let clean = format!("{}{inserted}", &TEXT[..70]);
        forge(&desk, &settings, &[File { name: "a.txt", original: TEXT, cuts: vec![line.clone()], clean: &clean }], |line| line);
        desk.run(&["verify", "r.jsonl"]).disagrees("r.jsonl: line ");
    }
}

#[test]
fn only_whole_lines_repeat_and_something_that_shows() {
    let desk = Desk::new();
    let check = |original: &str, range: (usize, usize), witness: (usize, usize), why: &str| {
        for (name, of) in [("a.txt", ""), ("a.jsonl", "{\"text\": \"")] {
            let written =
                |text: &str| if of.is_empty() { text.into() } else { json!(text).to_string().trim_matches('"').to_owned() };
            let moved = |at: usize| of.len() + written(&original[..at]).len();
            let whole = if of.is_empty() { original.to_owned() } else { format!("{of}{}\"}}\n", written(original)) };
            let (start, end) = (moved(range.0), moved(range.1));
            let witness = [moved(witness.0), moved(witness.1)];
            let line =
                cut((start, end), "repeated-block", &[("witness", json!({ "ranges": [witness] })), ("pieces", json!([0]))]);
            let clean = format!("{}{}", &whole[..start], &whole[end..]);
            forge(&desk, &settings(), &[File { name, original: &whole, cuts: vec![line], clean: &clean }], |line| line);
            match why {
                "" => drop(desk.run(&["verify", "r.jsonl"]).succeeds()),
                why => drop(desk.run(&["verify", "r.jsonl"]).disagrees(why)),
            }
        }
    };
    let text = "attack at dawn\n\nor at dusk\n\nattack at dawn\n \u{a0}\n";
    check(text, (28, 42), (0, 14), "");
    check(text, (28, 38), (0, 10), "isn't whole lines"); // attack at
    check(text, (35, 42), (7, 14), "isn't whole lines"); // at dawn
    check("one\n \u{a0}\ntwo\n \u{a0}\n", (12, 15), (4, 7), "repeats nothing that shows");
    let wide = format!("{0}x\n\nx\n{0}\n\nx\n", "\u{a0}".repeat(700));
    let end = wide.len();
    check(&wide, (end - 2, end - 1), (1400, 1401), "");
    check(&wide, (1403, 1404), (end - 2, end - 1), "");
}

#[test]
fn a_record_that_goes_as_a_whole_says_nothing_that_does_not_stay() {
    let desk = Desk::new();
    let said = "A text of a record, long enough to be one.";
    let record = |id: u32, text: &str| json!({ "id": id, "text": text }).to_string() + "\n";
    for (text, why) in [(said.to_owned(), None), (format!("{said} And more."), Some("ends with a text that repeats nothing"))] {
        let (kept, gone) = (record(1, said), record(2, &text));
        let at = kept.find(said).unwrap();
        let original = format!("{kept}{gone}");
        let (start, end) = (kept.len() + at, kept.len() + at + said.len());
        let line = ordered(&[
            ("cut", json!([kept.len(), original.len()])),
            ("record", json!(2)),
            ("dropped", json!(true)),
            ("rule", json!("repeated-across")),
            ("repeat", json!([[start, end]])),
            ("witness", json!({ "record": 1, "ranges": [[at, at + said.len()]] })),
            ("pieces", json!([&gone])),
        ]);
        forge(&desk, &settings(), &[File { name: "a.jsonl", original: &original, cuts: vec![line], clean: &kept }], |line| line);
        match why {
            None => drop(desk.run(&["verify", "r.jsonl"]).succeeds()),
            Some(why) => drop(desk.run(&["verify", "r.jsonl"]).disagrees(why)),
        }
    }
    // Nor does a part of a document go as a whole.
    let mut dropping = settings();
    dropping["drop_above"] = json!(30);
    let line = cut((39, 72), "too-repetitive", &[("dropped", json!(true)), ("pieces", json!([&TEXT[39..72]]))]);
    let clean = format!("{}{}", &TEXT[..39], &TEXT[72..]);
    forge(&desk, &dropping, &[File { name: "a.txt", original: TEXT, cuts: vec![line], clean: &clean }], |line| line);
    desk.run(&["verify", "r.jsonl"]).disagrees("its document stays, and went as a whole");
    // A record that can be read isn't broken.
    let (kept, gone) = (record(1, said), record(2, "Another text."));
    for (gone, holds) in [(gone, false), ("no record\n".into(), true)] {
        let original = format!("{kept}{gone}");
        let line = cut((kept.len(), original.len()), "broken-record", &[("pieces", json!([&gone]))]);
        let mut settings = settings();
        settings["on_error"] = json!("drop");
        forge(&desk, &settings, &[File { name: "a.jsonl", original: &original, cuts: vec![line], clean: &kept }], |line| line);
        let ran = desk.run(&["verify", "r.jsonl"]);
        assert_eq!(ran.status, Some(if holds { 0 } else { 1 }), "{ran}");
    }
}

#[test]
fn only_text_is_cut_of_a_record_and_only_text_is_a_witness() {
    let desk = Desk::new();
    let (kept, gone) =
        ("{\"id\": \"a name\", \"text\": \"a name\\nnew\"}\n", "{\"id\": \"a name\", \"text\": \"a name\\nnew\"}\n");
    let original = format!("{kept}{gone}");
    let (id, text) = (kept.find("a name").unwrap(), kept.rfind("a name").unwrap());
    let second = |at: usize| kept.len() + at;
    let cases = [
        ((second(id), second(id) + 6), (text, text + 6), "cuts what is no text"),
        ((second(text), second(text) + 6), (id, id + 6), "or is no text"),
        ((second(text), second(text) + 7), (text, text + 7), "cuts what is no text"), // half of an escape
        ((second(text), second(text) + 6), (text, text + 6), ""),
    ];
    for (range, witness, why) in cases {
        let line = cut(range, "repeated-across", &[("witness", json!({ "ranges": [witness] })), ("pieces", json!([0]))]);
        let clean = format!("{}{}", &original[..range.0], &original[range.1..]);
        forge(&desk, &settings(), &[File { name: "a.jsonl", original: &original, cuts: vec![line], clean: &clean }], |line| line);
        match why {
            "" => drop(desk.run(&["verify", "r.jsonl"]).succeeds()),
            why => drop(desk.run(&["verify", "r.jsonl"]).disagrees(why)),
        }
    }
}

#[test]
fn a_text_that_is_only_written_alike_is_no_witness() {
    let desk = Desk::new();
    // In JSONL the two characters are a line end, in a text they are themselves.
    let text = "A path such as C:\\new is no line end here.\n";
    let record = "{\"text\": \"A path such as C:\\new is no line end here.\"}\n";
    let (start, end) = (10, record.len() - 3);
    let line = cut(
        (start, end),
        "repeated-across",
        &[("record", json!(1)), ("witness", json!({ "file": 0, "ranges": [[0, 42]] })), ("pieces", json!([0]))],
    );
    let files = [
        File::new("a.txt", text, &[], text),
        File { name: "b.jsonl", original: record, cuts: vec![line], clean: "{\"text\": \"\"}\n" },
    ];
    forge(&desk, &settings(), &files, |line| line);
    desk.run(&["verify", "r.jsonl"]).disagrees("isn't what its witness says");
}

#[test]
fn a_record_that_makes_no_sense_ends_in_an_error() {
    let desk = Desk::new();
    let witness = ("witness", json!({ "ranges": [FIRST] }));
    let pieces = ("pieces", json!(["\n\n", 0, "\n"]));
    let line = cut((70, 110), "repeated-block", &[witness, pieces]);
    let file = || File { name: "a.txt", original: TEXT, cuts: vec![line.clone()], clean: &TEXT[..70] };
    let huge = 1u64 << 62;
    let changes: &[(&str, String, &str)] = &[
        ("\"part\":[0,110]", format!("\"part\":[0,{huge}]"), "line "),
        ("\"part\":[0,110]", format!("\"part\":[0,{}]", u64::MAX), "line "),
        ("\"part\":[0,110]", "\"part\":[110,0]".into(), "line "),
        ("\"clean\":70", format!("\"clean\":{huge}"), "line "),
        ("\"clean\":70", format!("\"clean\":{}", u64::MAX), "line "),
        ("\"cut\":[70,110]", format!("\"cut\":[70,{}]", u64::MAX), "line "),
        ("\"cut\":[70,110]", "\"cut\":[110,70]".into(), "line "),
        ("\"ranges\":[[0,37]]", format!("\"ranges\":[[0,{}]]", u64::MAX), "r.jsonl"),
        ("\"ranges\":[[0,37]]", format!("\"ranges\":[[{},0]]", u64::MAX), "r.jsonl"),
        ("\"ranges\":[[0,37]]", "\"ranges\":[]".into(), "names a range of its witness that isn't there"),
        ("\"ranges\":[[0,37]]", "\"file\":7,\"ranges\":[[0,37]]".into(), "names a witness in a file that isn't in it"),
        ("\"pieces\":[", "\"\\u0069nsert\":\"x\",\"pieces\":[".into(), "reads in two ways"),
        ("\"name\":\"a.txt\"", "\"name\":\"../a.txt\"".into(), "leads out of the folder"),
        ("\"clean\":\"out/a.txt\"", "\"clean\":\"/dev/zero\"".into(), "/dev/zero: can't be read: is no file"),
        ("\"clean\":\"out/a.txt\"", "\"clean\":\"pipe\"".into(), "pipe: can't be read: is no file"),
        ("\"form\":\"text\"", "\"form\":\"text\",\"packing\":\"gz\"".into(), "a.txt"),
        ("\"part\":[0,110]", "\"part\":[0,115]".into(), "line "),
    ];
    desk.sh("mkfifo pipe").succeeds();
    for (from, to, why) in changes {
        let forged = || {
            forge(&desk, &settings(), &[file()], |line| line.replace(from, to));
            assert!(desk.read("r.jsonl").contains(to), "{from}");
        };
        forged();
        let ran = desk.run(&["verify", "r.jsonl"]);
        assert!(matches!(ran.status, Some(1 | 2)), "{to}: {ran}");
        let ran = desk.run(&["restore", "r.jsonl", "-o", "back.txt"]);
        assert!(ran.status == Some(2) && !desk.exists("back.txt"), "{to}: {ran}");
        let said = ran.stderr.contains(why) || ran.stderr.contains("in/a.txt");
        assert!(said, "{to}: {ran}");
    }
    let nothing = cut((110, 110), "repeated-block", &[("pieces", json!([]))]);
    forge(&desk, &settings(), &[File { cuts: vec![line.clone(), nothing], ..file() }], |line| line);
    desk.run(&["verify", "r.jsonl"]).disagrees("r.jsonl: line 4: its cut changes nothing");
    // What looks like a witness within something that isn't known is none.
    forge(&desk, &settings(), &[file()], |line| {
        line.replace(",\"witness\":{", ",\"later\":{\"a\":1,\"witness\":{\"ranges\":[[3,40]]}},\"witness\":{")
    });
    desk.run(&["verify", "r.jsonl"]).succeeds();
    desk.run(&["restore", "r.jsonl", "-o", "back.txt"]).succeeds();
    assert_eq!(desk.read("back.txt"), TEXT);
    fs::remove_file(desk.path("back.txt")).unwrap();
}

#[test]
fn a_part_is_as_long_as_it_says() {
    let desk = Desk::new();
    let line =
        cut((2, 5000), "repeated-block", &[("witness", json!({ "ranges": [[0, 1]] })), ("pieces", json!(["b\n", 0, "\n"]))]);
    forge(&desk, &settings(), &[File { name: "a.txt", original: "a\nb\na\n", cuts: vec![line], clean: "a\n" }], |line| {
        line.replace("[0,6]", "[0,5000]").replace("\"bytes\":6", "\"bytes\":5000").replace("in/a.txt", "out/a.txt")
    });
    desk.run(&["verify", "r.jsonl"]).disagrees("out/a.txt: ");
    desk.run(&["restore", "r.jsonl", "-o", "back.txt"])
        .fails("out/a.txt: bytes 0–5000 aren't what its clean copy and the record give");
    assert!(!desk.exists("back.txt"));
}

#[test]
fn two_originals_of_one_name_are_not_restored_over_one_another() {
    let desk = Desk::new();
    let files = [File::new("a.txt", "One.\n", &[], "One.\n"), File::new("b.txt", "Two.\n", &[], "Two.\n")];
    forge(&desk, &settings(), &files, |line| line.replace("\"name\":\"b.txt\"", "\"name\":\"a.txt\""));
    desk.run(&["restore", "r.jsonl", "-o", "back"]).fails("has two originals named a.txt");
}

#[test]
fn a_record_puts_no_file_where_nobody_looks_for_it() {
    let desk = Desk::new();
    let line =
        cut((70, 110), "repeated-block", &[("witness", json!({ "ranges": [FIRST] })), ("pieces", json!(["\n\n", 0, "\n"]))]);
    let file = File { name: "a.txt", original: TEXT, cuts: vec![line], clean: &TEXT[..70] };
    fs::create_dir_all(desk.path("far/records")).unwrap();
    fs::create_dir_all(desk.path("near")).unwrap();
    for path in [desk.path("far/away.txt").display().to_string(), "../away.txt".into()] {
        forge(&desk, &settings(), std::slice::from_ref(&file), |line| {
            line.replace("in/a.txt", &path).replace("\"out/", "\"../../out/")
        });
        desk.sh("mv r.jsonl far/records").succeeds();
        desk.sh("cd near && unecho restore ../far/records/r.jsonl").fails("away.txt").says("-o");
        assert!(!desk.exists("far/away.txt"));
        // From above both it is seen where it goes.
        desk.run(&["restore", "far/records/r.jsonl"]).succeeds();
        assert_eq!(desk.read("far/away.txt"), TEXT);
        fs::remove_file(desk.path("far/away.txt")).unwrap();
    }
}

#[test]
fn what_is_cut_of_a_feed_or_a_page_is_whole_paragraphs_of_it() {
    const PAGE: &str = "<p>A paragraph of some length.</p>\n<p>Another <b>one</b>.</p>\n<p>A paragraph of some length.</p>\n";
    const FEED: &str = "<rss><channel><title>News</title>\n<item><title>A</title><description>Once.</description></item>\n\
                        <item><title>B</title><description>Once.</description></item>\n\
                        <item><title>C</title><description>Else.</description></item></channel></rss>";
    let desk = Desk::new();
    let at = |text: &str, part: &str, number: usize| {
        let start = text.match_indices(part).nth(number).unwrap().0;
        (start, start + part.len())
    };
    let verify = |name: &str, text: &str, (start, end): (usize, usize), line: &str| {
        let clean = format!("{}{}", &text[..start], &text[end..]);
        forge(&desk, &settings(), &[File { name, original: text, cuts: vec![line.to_owned()], clean: &clean }], |line| line);
        desk.run(&["verify", "r.jsonl"])
    };
    let of = |text: &str, range: (usize, usize), witness: (usize, usize), rule: &str, others: &[(&str, Value)]| {
        let its = [("witness", json!({ "ranges": [witness] })), ("pieces", json!([&text[range.0..range.1]]))];
        cut(range, rule, &[others, &its[..]].concat())
    };
    let (first, last) = (at(PAGE, "A paragraph of some length.", 0), at(PAGE, "<p>A paragraph of some length.</p>", 1));
    let holds = of(PAGE, last, first, "repeated-block", &[]);
    verify("a.html", PAGE, last, &holds).succeeds();
    let halved = (last.0, last.0 + 12);
    verify("a.html", PAGE, halved, &of(PAGE, halved, first, "repeated-block", &[])).disagrees("cuts a part of a paragraph");
    let other = at(PAGE, "Another <b>one</b>.", 0);
    verify("a.html", PAGE, last, &of(PAGE, last, other, "repeated-block", &[])).disagrees("isn't what its witness says");
    let both = (other.0, last.1);
    verify("a.html", PAGE, both, &of(PAGE, both, first, "repeated-block", &[])).disagrees("isn't what its witness says");
    let tag = at(PAGE, "<b>", 0);
    verify("a.html", PAGE, tag, &of(PAGE, tag, first, "repeated-block", &[])).disagrees("cuts what is no text");

    let (once, second) = (at(FEED, "Once.", 0), at(FEED, "\n<item><title>B</title><description>Once.</description></item>", 0));
    let dropped = |record: u64| [("record", json!(record)), ("dropped", json!(true))];
    verify("a.rss", FEED, second, &of(FEED, second, once, "repeated-across", &dropped(2))).succeeds();
    verify("a.rss", FEED, second, &of(FEED, second, once, "repeated-across", &dropped(3))).disagrees("cuts what is no item");
    let third = at(FEED, "\n<item><title>C</title><description>Else.</description></item>", 0);
    verify("a.rss", FEED, third, &of(FEED, third, once, "repeated-across", &dropped(3))).disagrees("isn't what its witness says");
    let title = at(FEED, "<title>News</title>", 0);
    verify("a.rss", FEED, title, &of(FEED, title, once, "repeated-across", &dropped(1))).disagrees("cuts what is no item");
    verify("a.rss", FEED, title, &of(FEED, title, once, "repeated-across", &[])).disagrees("cuts what is no text");
}
