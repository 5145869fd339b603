//! Feeds: each format, each way of holding a body, and what is wrong with them.

#[path = "support/bodies.rs"]
mod bodies;
#[path = "support/desk.rs"]
mod desk;
#[path = "support/feeds.rs"]
mod feeds;

use bodies::{check, desk, found, paragraph};
use desk::{assert_same, skipped};
use feeds::{KINDS, Kind, escaped, told};
use std::fs;
use std::path::{Path, PathBuf};

/// The rule of each finding and what it says.
fn findings(ran: &desk::Ran) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    found(ran)["findings"].as_array().unwrap().iter().map(|hit| (text(&hit["rule"]), text(&hit["message"]))).collect()
}

fn rules(ran: &desk::Ran) -> Vec<String> {
    findings(ran).into_iter().map(|(rule, _)| rule).collect()
}

fn kind(name: &str) -> Kind {
    *KINDS.iter().find(|kind| kind.name == name).unwrap()
}

/// An RSS feed of items given as they are written.
fn rss(items: &str) -> String {
    format!("<rss version=\"2.0\"><channel><title>t</title>\n{items}</channel></rss>\n")
}

fn item(title: &str, guid: &str, body: &str) -> String {
    format!("<item><title>{title}</title><guid>{guid}</guid><description>{}</description></item>\n", escaped(body))
}

/// A body of one paragraph.
fn body(number: usize) -> String {
    format!("<p>{}</p>", paragraph(number))
}

#[test]
fn a_doubled_body_is_found_and_mended_in_every_format() {
    for kind in KINDS {
        let desk = desk();
        let (doubled, expected) = (kind.feed(&kind.body(&told(3, 2))), kind.feed(&kind.body(&told(3, 1))));
        desk.write(kind.file, &doubled);
        let ran = check(&desk, &[kind.file]);
        assert_eq!((rules(&ran), ran.status), (vec!["doubled-body".into()], Some(1)), "{}: {ran}", kind.name);
        let finding = &found(&ran)["findings"][0];
        assert_eq!((&finding["record"], &finding["repeats"]["record"]), (&1.into(), &1.into()), "{}", kind.name);
        assert_eq!(finding["message"], "paragraphs 5–7 repeat paragraphs 2–4 of the same item", "{}", kind.name);
        let shown = desk.run(&["check", kind.file]).stdout;
        assert!(shown.contains("paragraph:5:1") && shown.contains("paragraph:2:1"), "{}: {shown}", kind.name);

        desk.run(&["clean", kind.file, "-o", "out"]).succeeds();
        assert_same(&desk.read("out"), &expected, kind.name);
        desk.write(kind.file, &expected);
        assert_eq!(check(&desk, &[kind.file]).status, Some(0), "{}", kind.name);
        let parsed = |feed: &str| feed_rs::parser::parse(feed.as_bytes()).ok();
        let entries = |feed: &str| -> Vec<(String, Option<String>)> {
            let parsed = parsed(feed).unwrap_or_else(|| panic!("{}: {feed}", kind.name));
            parsed.entries.into_iter().map(|entry| (entry.id, entry.title.map(|title| title.content))).collect()
        };
        if kind.name != "Atom 0.3" {
            assert_eq!(entries(&expected), entries(&doubled), "{}", kind.name); // it knows no Atom 0.3
        }
    }
}

#[test]
fn the_same_from_standard_input_and_whatever_the_name() {
    for kind in KINDS {
        let desk = desk();
        desk.write("input", kind.feed(&kind.body(&told(3, 2))));
        let expected = kind.feed(&kind.body(&told(3, 1)));
        assert_eq!(desk.sh("unecho check - < input").status, Some(1), "{}", kind.name);
        assert_eq!(desk.sh("cat input | unecho check -q").status, Some(1), "{}", kind.name);
        assert_same(&desk.sh("unecho < input").stdout, &expected, kind.name);
        fs::rename(desk.path("input"), desk.path("feed.php")).unwrap();
        assert_same(&desk.sh("unecho feed.php").stdout, &expected, kind.name);
        desk.sh("gzip -k feed.php && mv feed.php.gz feed.gz && unecho feed.gz -o out.gz && gzip -dc out.gz > out").succeeds();
        assert_same(&desk.read("out"), &expected, kind.name);
    }
}

#[test]
fn what_was_cut_of_a_feed_is_recorded_proven_and_taken_back() {
    for kind in KINDS {
        let desk = desk();
        let doubled = kind.feed(&kind.body(&told(3, 2)));
        desk.write(kind.file, &doubled);
        desk.run(&["clean", kind.file, "-o", "out", "--record", "record.jsonl"]).succeeds();
        desk.run(&["verify", "record.jsonl"]).succeeds();
        desk.run(&["restore", "record.jsonl", "-o", "back"]).succeeds();
        assert_same(&desk.read("back"), &doubled, kind.name);
        desk.run(&["--in-place", kind.file]).succeeds();
        assert_same(&desk.read(kind.file), &kind.feed(&kind.body(&told(3, 1))), kind.name);
        desk.run(&["verify", ".unecho/0001.jsonl"]).succeeds();
        desk.run(&["restore", ".unecho/0001.jsonl"]).succeeds();
        assert_same(&desk.read(kind.file), &doubled, kind.name);
    }
}

#[test]
fn encodings_other_than_utf_8_are_read_and_left_as_they_are() {
    let text = |times: usize| {
        let body = (1..=3).map(|number| format!("<p>Über den Häfen: {}</p>\n", paragraph(number))).collect::<String>();
        format!("<p>Öffentlich.</p>\n{}", body.repeat(times))
    };
    let feed = |times: usize, encoding: &str| {
        let body = text(times);
        format!(
            "<?xml version=\"1.0\" encoding=\"{encoding}\"?>\n<rss version=\"2.0\"><channel><item><title>Ä</title><description><![CDATA[{}]]></description></item></channel></rss>\n",
            body.trim_end()
        )
    };
    let wide = |text: &str, big: bool| -> Vec<u8> {
        let mark = if big { [0xfe, 0xff] } else { [0xff, 0xfe] };
        mark.into_iter()
            .chain(text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }))
            .collect()
    };
    let latin = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>();
    type Encoded<'a> = &'a dyn Fn(&str) -> Vec<u8>;
    let in_all: [(&str, Encoded); 5] = [
        ("ISO-8859-1", &latin),
        ("windows-1252", &latin),
        ("UTF-16", &|text| wide(text, false)),
        ("UTF-16", &|text| wide(text, true)),
        ("utf-8", &|text| ["\u{feff}", text].concat().into_bytes()),
    ];
    for (encoding, encoded) in in_all {
        let desk = desk();
        desk.write("a.xml", encoded(&feed(2, encoding)));
        desk.write("in/a.xml", encoded(&feed(2, encoding)));
        let ran = check(&desk, &["a.xml"]);
        assert_eq!((rules(&ran), ran.status), (vec!["doubled-body".into()], Some(1)), "{encoding}: {ran}");
        desk.run(&["clean", "a.xml", "-o", "out.xml", "--record", "record"]).succeeds();
        assert!(fs::read(desk.path("out.xml")).unwrap() == encoded(&feed(1, encoding)), "{encoding}");
        desk.run(&["verify", "record"]).succeeds();
        // And so in a folder.
        desk.run(&["clean", "in", "-o", "d"]).succeeds();
        assert!(fs::read(desk.path("d/a.xml")).unwrap() == encoded(&feed(1, encoding)), "{encoding}");
    }
}

#[test]
fn ids_of_a_feed_are_its_items_own() {
    let desk = desk();
    desk.write("a.rss", rss(&(item("One", "1", &body(1)) + &item("Two", " &#49; ", &body(2)) + &item("Three", "3", &body(3)))));
    let ran = check(&desk, &["a.rss"]);
    assert_eq!((findings(&ran), ran.status), (vec![("repeated-id".into(), "its id is the one of item 1: 1".into())], Some(1)));
    let at = &found(&ran)["findings"][0];
    assert_eq!((&at["record"], &at["lines"][0]["first"], &at["repeats"]["lines"][0]["first"]), (&2.into(), &3.into(), &2.into()));
    let json = |first: &str, second: &str| {
        format!("{{\"version\": \"https://jsonfeed.org/version/1\", \"items\": [{{\"id\": {first}}}, {{\"id\": {second}}}]}}")
    };
    desk.write("a.json", json("\"a\\u0062\"", "\"ab\""));
    assert_eq!(rules(&check(&desk, &["a.json"])), ["repeated-id"]);
    desk.write("a.json", json("7", "\"8\""));
    assert_eq!((rules(&check(&desk, &["a.json"])), check(&desk, &["a.json"]).status), (vec![], Some(0)));
}

#[test]
fn an_item_that_stands_twice_is_one() {
    let desk = desk();
    let long = [1, 2].map(body).concat();
    // With other tags and another title, if it is long; a short one with the same title.
    let again = long.replace("<p>", "<div class=\"x\">").replace("</p>", "</div>");
    desk.write(
        "a.rss",
        rss(&(item("One", "1", &long)
            + &item("Two", "2", &again)
            + &item("A", "3", "Comments")
            + &item("B", "4", "Comments")
            + &item("A", "5", "<b>Comments</b>"))),
    );
    let ran = check(&desk, &["a.rss"]);
    let expected = [
        ("repeated-item", "its description says what item 1 (1) says"),
        ("repeated-item", "its description says what item 3 (3) says"),
    ];
    assert_eq!(findings(&ran), expected.map(|(rule, message)| (rule.into(), message.into())));
    assert_eq!(ran.status, Some(0));
    assert_eq!(check(&desk, &["--level", "repeated-item=error", "a.rss"]).status, Some(1));
    assert_eq!(rules(&check(&desk, &["--level", "repeated-item=off", "a.rss"])), Vec::<String>::new());
}

#[test]
fn a_body_that_begins_with_title_or_summary_is_noted() {
    let desk = desk();
    let of = |title: &str, summary: &str, content: &str| {
        format!(
            "<item><title>{title}</title><description>{}</description><encoded xmlns=\"http://purl.org/rss/1.0/modules/content/\">{}</encoded></item>\n",
            escaped(summary),
            escaped(content)
        )
    };
    let (one, two) = (body(1), body(2));
    desk.write(
        "a.rss",
        rss(&(of("A", &one, &format!("{one}{two}"))
            + &of("B &amp;amp; C", "Other", &format!("<h1>B &amp; C</h1>{two}"))
            + &of("D", "Short…", &body(3)))),
    );
    let ran = check(&desk, &["a.rss"]);
    let expected = [
        ("body-repeats-summary", "its content:encoded begins with what its description says"),
        ("body-repeats-title", "its content:encoded begins with its title"),
    ];
    assert_eq!(findings(&ran), expected.map(|(rule, message)| (rule.into(), message.into())));
    assert_eq!(ran.status, Some(0));
    // A summary is no repeat: nothing is cut.
    let feed = desk.read("a.rss");
    assert_same(&desk.sh("unecho a.rss").stdout, &feed, "unchanged");
    let (before, again) = feed.split_at(feed.rfind(&escaped(&two)).unwrap());
    assert_same(&desk.sh("unecho --across a.rss").stdout, &format!("{before}{}", &again[escaped(&two).len()..]), "across");
}

#[test]
fn across_items_and_feeds_whole_items_go() {
    let desk = desk();
    let (one, two, three) = (item("One", "1", &body(1)), item("Two", "2", &body(2)), item("Three", "3", &body(3)));
    desk.write("f/a.rss", rss(&(one.clone() + &two + &item("One", "9", &body(1)))));
    desk.write("f/b.rss", rss(&(item("Two", "b2", &body(2)) + &three)));
    desk.run(&["clean", "--across", "f", "-o", "out", "--record", "record"]).succeeds();
    assert_same(&desk.read("out/a.rss"), &rss(&(one + &two)), "a");
    assert_same(&desk.read("out/b.rss"), &rss(&three), "b");
    desk.run(&["verify", "record"]).succeeds();
    desk.run(&["restore", "record", "-o", "back"]).succeeds();
    for file in ["a.rss", "b.rss"] {
        assert_same(&desk.read(&format!("back/{file}")), &desk.read(&format!("f/{file}")), file);
    }
    let ran = check(&desk, &["--across", "f"]);
    let expected = [
        ("repeated-item", "its description says what item 1 (1) says"),
        ("item-in-two-feeds", "the same item stands in f/a.rss:3 (item 2, 2)"),
    ];
    assert_eq!(findings(&ran), expected.map(|(rule, message)| (rule.into(), message.into())));
    assert_eq!(rules(&check(&desk, &["f"])), ["repeated-item"]);
}

#[test]
fn an_item_with_a_title_or_a_sound_of_its_own_stays() {
    let desk = desk();
    let sound = |number: usize| format!("<enclosure url=\"https://example.org/{number}.mp3\"/></item>");
    let episodes =
        [1, 2].map(|number| item("The show", &number.to_string(), &body(1)).replace("</item>", &sound(number))).concat();
    let feed = rss(&(item("One", "3", &body(2)) + &item("Two", "4", &body(2)) + &episodes));
    desk.write("a.rss", &feed);
    let cleaned = desk.sh("unecho --across a.rss").stdout;
    assert_eq!(cleaned.matches("<item>").count(), 4);
    assert_eq!(cleaned.matches(&paragraph(1)).count() + cleaned.matches(&paragraph(2)).count(), 2);
    assert_eq!(desk.sh("unecho --across --empty=keep a.rss").stdout, cleaned);
}

#[test]
fn items_of_a_json_feed_go_with_their_commas() {
    let desk = desk();
    let item = |id: usize, number: usize| format!("{{ \"id\": \"{id}\", \"content_html\": \"{}\" }}", body(number));
    let feed = |items: &[String]| {
        format!("{{ \"version\": \"https://jsonfeed.org/version/1.1\", \"items\": [\n  {}\n] }}\n", items.join(",\n  "))
    };
    desk.write("f/a.json", feed(&[item(1, 1), item(2, 2)]));
    for (items, left) in [
        (vec![item(3, 1), item(4, 3), item(5, 2)], vec![item(4, 3)]),
        (vec![item(3, 3), item(4, 1), item(5, 2)], vec![item(3, 3)]),
        (vec![item(3, 1), item(4, 2), item(5, 3)], vec![item(5, 3)]),
        (vec![item(3, 1), item(4, 2)], vec![]),
    ] {
        desk.write("f/b.json", feed(&items));
        desk.run(&["clean", "--across", "f", "-o", "out", "--record", "record"]).succeeds();
        let cleaned = desk.read("out/b.json");
        assert_same(&cleaned, &feed(&left), "b");
        serde_json::from_str::<serde_json::Value>(&cleaned).unwrap();
        desk.run(&["verify", "record"]).succeeds();
        fs::remove_dir_all(desk.path("out")).unwrap();
    }
}

#[test]
fn memory_and_threads_change_nothing() {
    let desk = desk();
    for file in 0..100 {
        let items: String = (0..30)
            .map(|number| {
                item(
                    &format!("Title {}", number % 7),
                    &number.to_string(),
                    &(0..60).map(|more| body((file * 600 + number * 41 + more) % 20_000)).collect::<String>(),
                )
            })
            .collect();
        desk.write(&format!("f/{file}.xml"), rss(&items));
    }
    let run = |args: &[&str], out: &str| {
        desk.run(&[&["clean", "-q", "--across", "f", "-o", out], args].concat()).succeeds();
        (0..100).map(|file| desk.read(&format!("{out}/{file}.xml"))).collect::<Vec<_>>()
    };
    let all = run(&["--threads", "1"], "one");
    assert!(all.iter().map(String::len).sum::<usize>() > 1 << 20);
    for (number, args) in [
        &["--threads", "2"][..],
        &["--threads", "8"],
        &["--memory", "64M"],
        &["--memory", "64M", "--record", "record", "--threads", "2"],
    ]
    .into_iter()
    .enumerate()
    {
        assert!(run(args, &format!("out{number}")) == all, "{args:?}");
    }
    desk.run(&["verify", "record"]).succeeds();
}

#[test]
fn what_is_broken_is_named_with_its_line_and_the_others_are_checked() {
    let desk = desk();
    let good = kind("RSS 2.0, description");
    desk.write("f/good.rss", good.feed(&good.body(&told(3, 2))));
    let cases: [(&str, Vec<u8>, &str); 14] = [
        ("tags.rss", b"<rss><channel>\n<item>\n</channel></rss>".into(), "line 3: broken XML"),
        ("early.rss", b"<rss>\n<channel><item>\n<title>".into(), "line 3: broken XML: it ends within an item"),
        (
            "cdata.rss",
            b"<rss><channel><item>\n<description><![CDATA[ text </description></item></channel></rss>".into(),
            "line 2: broken XML",
        ),
        ("amp.rss", b"<rss><channel><item>\n<title>this & that</title></item></channel></rss>".into(), "line 2: broken XML"),
        (
            "behind.rss",
            b"<rss><channel/></rss>\n<p>Error 500</p>".into(),
            "line 2: broken XML: something follows the end of the feed",
        ),
        (
            "before.rss",
            b"Warning: no such table\n<rss><channel/></rss>".into(),
            "line 1: broken XML: text stands before the feed",
        ),
        ("error.rss", b"<html><body><p>Error</p><rss><channel/></rss></body></html>".into(), "is no feed: its root is <html>"),
        (
            "latin.rss",
            b"<rss><channel>\n<title>caf\xe9</title></channel></rss>".into(),
            "line 2: bytes that are no UTF-8, and it names no other encoding",
        ),
        (
            "wrong.rss",
            b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss><channel>\n<title>caf\xe9</title></channel></rss>".into(),
            "line 3: bytes that are no UTF-8, which it says it is in",
        ),
        (
            "unknown.rss",
            b"<?xml version=\"1.0\" encoding=\"klingon\"?>\n<rss><channel/></rss>".into(),
            "is in the encoding \"klingon\", which is none that is known",
        ),
        ("kanji.rss", b"<?xml version=\"1.0\" encoding=\"iso-2022-jp\"?>\n<rss><channel/></rss>".into(), "iconv -f ISO-2022-JP"),
        (
            "shape.json",
            br#"{"version": "https://jsonfeed.org/version/1",
 "items": {"id": 1}}"#
                .into(),
            "line 2: no JSON Feed: invalid type: map, expected a sequence",
        ),
        (
            "twice.json",
            br#"{"version": "https://jsonfeed.org/version/1", "items": [
 {"id": 1, "content_text": "a", "content_text": "b"}]}"#
                .into(),
            "line 2: no JSON Feed: duplicate field `content_text`",
        ),
        (
            "type.json",
            br#"{"version": "https://jsonfeed.org/version/1", "items": [{"id": 1,
 "content_html": 7}]}"#
                .into(),
            "line 2: no JSON Feed: content_html is no string",
        ),
    ];
    for (name, feed, why) in cases {
        desk.write(&format!("f/{name}"), feed);
        check(&desk, &[&format!("f/{name}")]).fails(why);
        let ran = check(&desk, &["f"]);
        ran.fails(&format!("f/{name}"));
        ran.says(why);
        assert_eq!(rules(&ran), ["doubled-body"], "{name}");
        let cleaned = desk.run(&["clean", "f", "-o", "out"]);
        assert_eq!(
            (cleaned.status, desk.exists("out/good.rss"), desk.exists(&format!("out/{name}"))),
            (Some(2), true, false),
            "{name}"
        );
        fs::remove_dir_all(desk.path("out")).unwrap();
        fs::remove_file(desk.path(&format!("f/{name}"))).unwrap();
    }
}

#[test]
fn entities_are_neither_expanded_nor_fetched() {
    let desk = desk();
    let bomb: String =
        (1..30).map(|level| format!("<!ENTITY e{level} \"{}\">\n", format!("&e{};", level - 1).repeat(10))).collect();
    let feed = format!(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE rss [\n<!ENTITY e0 \"{0}\">\n{bomb}<!ENTITY far SYSTEM \"file:///etc/passwd\">\n]>\n{1}",
        paragraph(1),
        rss(&format!("<item><title>&far;</title><description>&e29; &far; {}</description></item>", escaped(&body(2))))
    );
    desk.write("a.rss", &feed);
    let ran = check(&desk, &["a.rss"]);
    assert_eq!((rules(&ran), ran.status), (vec![], Some(0)), "{ran}");
    assert_same(&desk.sh("unecho a.rss").stdout, &feed, "unchanged");
}

#[test]
fn xml_and_json_that_are_no_feeds_are_left_out_of_a_folder() {
    let desk = desk();
    let good = kind("Atom, html");
    desk.write("f/feed.xml", good.feed(&good.body(&told(3, 1))));
    desk.write("f/pom.xml", "<project><description>Two</description></project>");
    desk.write("f/package.json", "{\"name\": \"a\", \"version\": \"1.0\"}");
    desk.write("f/large.json", "[1]".repeat(100_000));
    desk.run(&["check", "f"]).succeeds();
    desk.run(&["check", "-v", "f"]).says("f/pom.xml").says("f/package.json").says("f/large.json");
    desk.run(&["check", "--files", "f"]).prints("f/feed.xml\n");
    desk.run(&["check", "f/pom.xml"]).fails("is no feed: its root is <project>");
    desk.run(&["check", "f/package.json"]).fails("is no feed: its version isn't one of JSON Feed");
}

#[test]
fn an_item_of_many_megabytes_is_an_item() {
    let desk = desk();
    let unique: String = (10..70_000).map(body).collect();
    let feed = |times: usize| rss(&item("Long", "1", &(unique.clone() + &[1, 2, 3].map(body).concat().repeat(times))));
    desk.write("a.rss", feed(2));
    let ran = desk.run(&["clean", "a.rss", "-o", "out.rss", "--memory", "512M"]);
    ran.succeeds();
    assert!(desk.read("out.rss") == feed(1));
    desk.run(&["check", "a.rss", "--memory", "128M"])
        .fails("one document of 20 MB takes up to 165 MB of memory, and --memory allows 128 MB");
}

#[test]
fn a_feed_called_news_is_no_list_of_changes() {
    let desk = desk();
    let kind = kind("RSS 2.0, description");
    desk.write("news.rss", kind.feed(&kind.body(&told(3, 2))));
    assert_eq!(desk.run(&["check", "news.rss"]).status, Some(1));
}

#[test]
fn reports_name_the_lines_of_the_feed() {
    let desk = desk();
    let kind = kind("RSS 2.0, description");
    desk.write("a.rss", kind.feed(&kind.body(&told(3, 2))));
    let of = |form: &str| desk.run(&["check", "a.rss", "--format", form]).stdout;
    assert!(of("github").contains("file=a.rss,line=15,endLine=17"), "{}", of("github"));
    let sarif: serde_json::Value = serde_json::from_str(&of("sarif")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 15);
    assert_eq!(result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"], 12);
    assert!(of("gitlab").contains("\"begin\":15"), "{}", of("gitlab"));
}

/// The folder of real feeds, or the reason to skip.
fn real() -> Option<PathBuf> {
    let data = std::env::var_os("UNECHO_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let folder = data.join("feeds");
    if !folder.is_dir() {
        skipped("no real feeds");
        return None;
    }
    Some(folder)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

#[test]
fn real_feeds_are_read_as_another_parser_reads_them() {
    let Some(folder) = real() else { return };
    let desk = desk();
    let mut refused = Vec::new();
    for path in files(&folder.join("real")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let ran = check(&desk, &[&path.to_string_lossy()]);
        let parsed = feed_rs::parser::parse(&*fs::read(&path).unwrap());
        if ran.status == Some(2) {
            assert!(parsed.is_err() || name == "InvalidDateFormat.xml", "{name}: {ran}"); // which lacks its end
            refused.push(name);
            continue;
        }
        assert_eq!(ran.status, Some(0), "{name}: no error in a real feed\n{ran}");
        let documents = found(&ran)["summary"]["documents"].as_u64().unwrap();
        assert_eq!(documents as usize, parsed.unwrap_or_else(|error| panic!("{name}: {error}")).entries.len(), "{name}");
        if name == "json_feed_with_escaped_uris.json" {
            assert_eq!(rules(&ran), ["repeated-item"; 3]);
        }
    }
    assert_eq!(refused.len(), 9, "{refused:?}");
}

#[test]
fn a_feed_without_findings_stays_as_it_is() {
    let Some(folder) = real() else { return };
    let desk = desk();
    for path in files(&folder) {
        let ran = desk.run(&["clean", "-q", &path.to_string_lossy(), "-o", "out"]);
        if ran.status == Some(0) {
            assert!(fs::read(desk.path("out")).unwrap() == fs::read(&path).unwrap(), "{}", path.display());
            fs::remove_file(desk.path("out")).unwrap();
        }
    }
}

#[test]
fn made_feeds_have_the_faults_that_they_show() {
    let Some(folder) = real() else { return };
    let desk = desk();
    let expectations = fs::read_to_string(folder.join("duplicates/expectations.tsv")).unwrap();
    // Those that are about entries, ids and contents; not of other documents than feeds (KML), nor of days and hours.
    let is_ours = |file: &str, message: &str| {
        let about = message.trim_start_matches('!').split('{').next().unwrap_or_default();
        let of_feed = !file.starts_with("kml/") && !message.contains("skipDays") && !message.contains("skipHours");
        of_feed && ["DuplicateEntries", "DuplicateIds", "DuplicateValue"].contains(&about) || message == "!Error"
    };
    let mut count = (0, 0);
    for line in expectations.lines() {
        let mut fields = line.split('\t');
        let (file, message) = (fields.next().unwrap().trim_start_matches("feedvalidator/testcases/"), fields.next().unwrap());
        let path = folder.join("duplicates").join(file);
        let ran = check(&desk, &[&path.to_string_lossy()]);
        let is_found = ran.status != Some(2) && rules(&ran).contains(&"repeated-id".to_owned());
        match (is_ours(file, message), message.starts_with('!')) {
            (true, false) => {
                assert!(is_found, "{file}: {message}");
                count.0 += 1;
            }
            (true, true) => {
                assert!(!is_found, "{file}: {message}");
                count.1 += 1;
            }
            (false, _) => assert!(!is_found, "{file}: {message}"),
        }
    }
    assert_eq!(count, (10, 2));
}
