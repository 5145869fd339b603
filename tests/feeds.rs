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
fn a_cut_that_sections_part_is_one() {
    let desk = desk();
    let told = |ends: &str| (1..=3).map(|number| format!("<![CDATA[<p>{}{ends}", paragraph(number))).collect::<String>();
    let feed = |body: &str| rss(&format!("<item><title>t</title><guid>1</guid><description>{body}</description></item>"));
    let (once, again) = (told("</p>\n]]>"), told("<]]>/p&gt;<!-- and on --><![CDATA[\n]]>"));
    desk.write("a.rss", feed(&format!("{once}&lt;p&gt;Between.&lt;/p&gt;{again}")));
    desk.sh("unecho -q a.rss -o b.rss --record r.jsonl && unecho verify r.jsonl").succeeds();
    let copy = desk.read("b.rss");
    assert!(copy.contains("Between.") && copy.matches("Paragraph 2 tells").count() == 1, "{copy}");
}

#[test]
fn items_are_compared_whatever_their_encoding() {
    let desk = desk();
    let items: String = (0..4).map(|number| item(&"é".repeat(300), &number.to_string(), &body(number / 2))).collect();
    let feed = rss(&items).replacen('<', "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><", 1);
    desk.write("a.rss", encoding_rs::WINDOWS_1252.encode(&feed).0);
    desk.sh("unecho -q --across a.rss -o b.rss --record r.jsonl && unecho verify r.jsonl").succeeds();
    let copy = fs::read(desk.path("b.rss")).unwrap();
    assert_eq!(encoding_rs::WINDOWS_1252.decode(&copy).0.matches("<guid>").count(), 2);
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
    assert_eq!((findings(&ran), ran.status), (vec![("repeated-id".into(), "the id is the one of item 1".into())], Some(1)));
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
        ("repeated-item", "the description says what item 1 (1) says"),
        ("repeated-item", "the description says what item 3 (3) says"),
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
        ("body-repeats-summary", "the content:encoded begins with what the description says"),
        ("body-repeats-title", "the content:encoded begins with the title"),
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
        ("repeated-item", "the description says what item 1 (1) says"),
        ("item-in-two-feeds", "an item that says the same stands in f/a.rss:3 (item 2)"),
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
    let cases: [(&str, Vec<u8>, &str); 17] = [
        (
            "nul.rss",
            b"<rss><channel>\n<title>\x08</title></channel></rss>".into(),
            "line 2: broken XML: a character that XML doesn't allow: U+0008",
        ),
        ("hz.rss", b"<?xml version=\"1.0\" encoding=\"hz-gb-2312\"?>\n<rss><channel/></rss>".into(), "iconv -f hz-gb-2312"),
        (
            "item.json",
            b"{\"version\": \"https://jsonfeed.org/version/1\", \"items\": [\n[\"1\"]]}".into(),
            "line 2: no JSON Feed: invalid type: sequence, expected an object",
        ),
        ("tags.rss", b"<rss><channel>\n<item>\n</channel></rss>".into(), "line 3: broken XML"),
        ("early.rss", b"<rss>\n<channel><item>\n<title>".into(), "line 3: broken XML: it ends within an item"),
        (
            "cdata.rss",
            b"<rss><channel><item>\n<description><![CDATA[ text </description></item></channel></rss>".into(),
            "line 2: broken XML",
        ),
        (
            "amp.rss",
            b"<rss><channel><item>\n<title>this & that</title></item></channel></rss>".into(),
            "line 2: broken XML: an & that begins no entity; it is written &amp;",
        ),
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
        ("kanji.rss", b"<?xml version=\"1.0\" encoding=\"iso-2022-jp\"?>\n<rss><channel/></rss>".into(), "iconv -f iso-2022-jp"),
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
            "line 2: no JSON Feed: content_text stands twice in one item",
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
    desk.write("array.json", "[\"https://jsonfeed.org/version/1\", []]");
    desk.run(&["check", "array.json"]).fails("is no feed: it is an array");
    desk.run(&["check", "f/pom.xml"]).fails("is no feed: its root is <project>");
    desk.run(&["check", "f/package.json"]).fails("is no feed: it has no version of JSON Feed");
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

/// An Atom feed whose one entry has this XHTML.
fn xhtml(inside: &str) -> String {
    format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><id>1</id><content type=\"xhtml\"><div \
         xmlns=\"http://www.w3.org/1999/xhtml\">{inside}</div></content></entry></feed>"
    )
}

#[test]
fn what_is_left_of_xhtml_is_well_formed() {
    let (a, b, c) = (paragraph(1), paragraph(2), paragraph(3));
    let deep = |count: usize, inside: &str| format!("{}{inside}{}", "<div>".repeat(count), "</div>".repeat(count));
    let cases = [
        format!("<p>{a}</p><p>{b}</p><p>{c}</p><p>{a}<div>{b}</div>unique tail {c}</p>"),
        format!("<p>{a}</p><p>{b}</p><p>{a}<ul><li>u</li></ul>{b}</p>"),
        format!("<p>{a}</p><p>{b}</p><p>{a}<p>u</p>{b}</p>"),
        format!("<p>{a}</p><p>{b}</p><ul><li>{a}<p>{b}</p><li>u</li></li></ul>"),
        format!("<p>{a}</p><p>{b}</p>{}", deep(249, &format!("<div>{a}<div/></div><p>{b}<i>z</i></p>"))),
        format!("<p>{a}</p><p>{b}</p>{}", deep(700, &format!("<p>{a}</p><p>{b}</p>"))),
        format!("<p>{a}</p><p>{b}</p><i><table><tr><td>u<p>{a}</p><p>{b}</p></td></tr></table></i>tail"),
    ];
    for inside in cases {
        let desk = desk();
        desk.write("a.atom", xhtml(&inside));
        let cleaned = desk.sh("unecho -q a.atom").succeeds().stdout.clone();
        let mut reader = quick_xml::Reader::from_str(&cleaned);
        while !matches!(reader.read_event().unwrap_or_else(|error| panic!("{error}: {cleaned}")), quick_xml::events::Event::Eof) {
        }
        desk.write("b.atom", &cleaned);
        desk.sh("unecho -q b.atom | cmp - b.atom").succeeds();
    }
}

#[test]
fn tags_that_cross_out_of_a_cell_are_never_parted() {
    let desk = desk();
    let (a, b) = (paragraph(1), paragraph(2));
    let page = format!("<p>{a}</p><p>{b}</p><i><table><tr><td>unique<p>{a}</i></p><p>{b}</p></td></tr></table>tail");
    desk.write("a.html", &page);
    let cleaned = desk.sh("unecho -q a.html").stdout;
    assert_eq!(cleaned.matches("<i>").count(), cleaned.matches("</i>").count(), "{cleaned}");
}

#[test]
fn blanks_that_stay_between_tags_are_no_part_of_a_paragraph() {
    let desk = desk();
    for blank in [" ", "\n  ", "&nbsp;&#32;"] {
        let line = format!("The ferry came back in spring<i>{blank}<b>the council said on Tuesday.<br>");
        desk.write("a.html", format!("<p>{line}Something else.<br>{line}The end.</p>"));
        desk.sh("unecho -q --unit line --min-chars 20 a.html -o b.html --record r.jsonl").succeeds();
        assert_same(&desk.read("b.html"), &format!("<p>{line}Something else.<br><i>{blank}<b>The end.</p>"), blank);
        desk.run(&["verify", "r.jsonl"]).succeeds();
    }
}

#[test]
fn what_shows_something_else_stays_unless_it_stands_elsewhere() {
    let desk = desk();
    let (a, b) = (paragraph(1), paragraph(2));
    let between = "<amp-img src=\"2.jpg\"></amp-img><a id=\"anchor\"></a><hr class=\"x\"><!--[if mso]>unique<![endif]-->";
    desk.write("a.html", format!("<p>{a}</p><p>{b}</p><p>other</p><p>{a}</p>{between}<p>{b}</p>"));
    assert_same(&desk.sh("unecho -q a.html").stdout, &format!("<p>{a}</p><p>{b}</p><p>other</p>{between}"), "what lies between");
    desk.write("a.html", format!("<!-- p --><p>{a}</p><hr><p>{b}</p><p>other</p><!-- p --><p>{a}</p><hr><p>{b}</p>"));
    assert_same(
        &desk.sh("unecho -q a.html").stdout,
        &format!("<!-- p --><p>{a}</p><hr><p>{b}</p><p>other</p><!-- p -->"),
        "what stood before",
    );
}

#[test]
fn items_that_say_something_of_their_own_stay() {
    let (title, long) = ("<title>t</title>", escaped(&(body(1) + &body(2))));
    let own = [
        "<itunes:summary>Unique words.</itunes:summary>",
        "<fulltext>Unique words.</fulltext>",
        "<media:group><media:content url=\"https://example.org/unique.mp4\"><media:rating>x</media:rating></media:content></media:group>",
        "<media:thumbnail url=\"https://example.org/unique.png\"/>",
        "<dc:title>Unique</dc:title>",
        "<atom:content type=\"application/xml\"><doc>unique</doc></atom:content>",
        "<atom:content src=\"https://example.org/unique.mp4\"/>",
        "&lt;lite-youtube videoid=\"unique\"&gt;&lt;/lite-youtube&gt;",
    ];
    for own in own {
        let desk = desk();
        let of = |number: usize, own: &str| {
            if own.starts_with('&') {
                return format!("<item>{title}<guid>{number}</guid><description>{long}{own}</description></item>\n");
            }
            format!("<item>{title}<guid>{number}</guid><description>{long}</description>{own}</item>\n")
        };
        let feed = format!(
            "<rss xmlns:itunes=\"i\" xmlns:media=\"http://search.yahoo.com/mrss/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
             xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel>{}{}{}</channel></rss>",
            of(1, ""),
            of(2, own),
            of(3, "")
        );
        desk.write("a.rss", &feed);
        let cleaned = desk.sh("unecho -q --across a.rss").stdout;
        assert_eq!((cleaned.matches("<item>").count(), cleaned.matches(own).count()), (2, 1), "{own}");
    }
    let desk = desk();
    let of =
        |number: usize, own: &str| format!("{{\"id\": \"{number}\", \"title\": \"t\", \"content_html\": \"{}\"{own}}}", body(1));
    desk.write(
        "a.json",
        format!(
            "{{\"version\": \"https://jsonfeed.org/version/1\", \"items\": [{}, {}, {}]}}",
            of(1, ""),
            of(2, ", \"image\": \"u.png\""),
            of(3, "")
        ),
    );
    let cleaned: serde_json::Value = serde_json::from_str(&desk.sh("unecho -q --across a.json").stdout).unwrap();
    assert_eq!(cleaned["items"].as_array().unwrap().len(), 2);
}

#[test]
fn markup_that_xml_holds_between_texts_stays_whole() {
    let desk = desk();
    let (a, b) = (paragraph(1), paragraph(2));
    desk.write(
        "a.rss",
        rss(&format!("<item><description>{a}\n\n{b} ?&gt;\n\nfoo <?x > unique\n\n{a}\n\n{b} ?></description></item>")),
    );
    let cleaned = desk.sh("unecho -q a.rss").succeeds().stdout.clone();
    assert!(cleaned.contains("<?x > unique"), "{cleaned}");
    assert!(feed_rs::parser::parse(cleaned.as_bytes()).is_ok(), "{cleaned}");
}

#[test]
fn each_cut_of_an_item_has_its_own_witness() {
    let desk = desk();
    let of = |title: &str, description: &str, content: &str| {
        format!(
            "<item><title>{title}</title><description>{}</description><encoded xmlns=\"http://purl.org/rss/1.0/modules/content/\">{}</encoded></item>\n",
            escaped(description),
            escaped(content)
        )
    };
    let (a, b) = (body(1), body(2));
    desk.write(
        "a.rss",
        rss(&(of("One", &a, "")
            + &of("Two", &b, "")
            + &of("Three", &format!("<p>Own one.</p>{a}"), &format!("<p>Own two.</p>{b}"))
            + &of("One", &a, &b))),
    );
    // Pictures between two copies make several cuts of one block.
    let pictures = format!("{a}{b}<img src=\"1.png\">{a}{b}<img src=\"2.png\">");
    desk.write("p/a.html", format!("{a}{b}"));
    desk.write("p/b.html", pictures);
    for args in [&["--across", "a.rss", "-o", "out.rss"][..], &["--across", "p", "-o", "out", "--max-removed", "100%"]] {
        desk.run(&[args, &["--record", "record"]].concat()).succeeds();
        desk.run(&["verify", "record"]).succeeds();
        fs::remove_file(desk.path("record")).unwrap();
    }
    assert_eq!(desk.read("out/b.html"), "<img src=\"1.png\"><p></p><img src=\"2.png\">"); // which keeps them apart
}

#[test]
fn atom_without_a_namespace_is_atom() {
    let desk = desk();
    let entry = |id: usize| {
        format!("<entry><id>{id}</id><content type=\"html\">{}</content></entry>", escaped(&(body(1) + &body(2)).repeat(2)))
    };
    desk.write("a.xml", format!("<feed>{}{}</feed>", entry(1), entry(1)));
    assert_eq!(rules(&check(&desk, &["a.xml"])), ["doubled-body", "doubled-body", "repeated-id", "repeated-item"]);
}

#[test]
fn a_finding_about_an_id_is_allowed_and_listed_like_others() {
    let desk = desk();
    desk.write("a.rss", rss(&(item("One", "tag:1", &body(1)) + &item("Two", "tag:1", &body(2)))));
    let fingerprint = found(&check(&desk, &["a.rss"]))["findings"][0]["fingerprint"].as_str().unwrap().to_owned();
    desk.run(&["check", "a.rss", "--allow", &format!("hash:{fingerprint}")]).succeeds();
    let ran = desk.run(&["check", "a.rss", "--baseline", "known", "--update-baseline"]);
    assert!(ran.stdout.contains("repeated-id tag:1"), "{}", ran.stdout);
    desk.run(&["check", "a.rss", "--baseline", "known"]).succeeds();
    let shown = desk.run(&["check", "a.rss"]).stdout;
    assert!(shown.contains("a.rss:3") && shown.contains("it stands first in a.rss:2 (item 1, tag:1)"), "{shown}");
}

#[test]
fn pages_that_go_as_a_whole_are_proven_and_taken_back() {
    for args in [&["--unit", "document"][..], &["--drop-above", "60%"]] {
        let desk = desk();
        let page = |own: &str| format!("<html><body><p>{}</p><p>{}</p>{own}</body></html>\n", paragraph(1), paragraph(2));
        let own = if args[0] == "--unit" { "" } else { "<p>Own words.</p>" };
        desk.write("f/a.html", page(""));
        desk.write("f/b.html", page(own));
        desk.run(&[&["--across", "--max-removed", "100%", "f", "-o", "out", "--record", "record"], args].concat()).succeeds();
        assert!(desk.sh("ls out").stdout.trim() == "a.html", "{args:?}");
        desk.run(&["verify", "record"]).succeeds();
        desk.run(&["restore", "record", "-o", "back"]).succeeds();
        assert_eq!(desk.read("back/b.html"), page(own), "{args:?}");
    }
}

#[test]
fn a_text_that_looks_like_a_feed_or_a_page_is_taken_as_named_and_that_is_said() {
    let desk = desk();
    let a = item("a", "1", &escaped(&body(1).repeat(2)));
    let news = rss(&a);
    desk.write("news.txt", &news);
    desk.write("page.txt", "<!DOCTYPE html>\n<p>Words.</p>\n");
    desk.write("notes.txt", "<p> begins a paragraph\n");
    let said = |name: &str, form: &str| {
        let ran = desk.run(&["scan", name]);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        let hint = format!("was taken for text: --from {form} takes it for one");
        assert!(ran.stderr.contains(name) && ran.stderr.contains(&hint), "{}", ran.stderr);
        let told = desk.run(&["scan", "--from", "text", name]);
        assert!(!told.stderr.contains("taken for"), "{}", told.stderr);
    };
    said("news.txt", "feed");
    said("page.txt", "html");
    assert!(!desk.run(&["scan", "notes.txt"]).stderr.contains("taken for"));
}

#[test]
fn a_page_is_no_feed_whatever_its_name() {
    let desk = desk();
    desk.write("d/error.xml", "<!DOCTYPE html><html><body><p>503</p></body></html>");
    desk.write("d/a.txt", "Some text.");
    desk.run(&["check", "-v", "d"]).succeeds().says("left out: d/error.xml (of unknown form)");
    desk.run(&["check", "d", "--fail-on-skip"]).fails("of unknown form");
    let wide: Vec<u8> = format!("<html><body>{}</body></html>", (body(1) + &body(2)).repeat(2))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    desk.write("w/page.html", [&[0xff, 0xfe][..], &wide].concat());
    assert_eq!(desk.run(&["check", "w"]).status, Some(1));
}

#[test]
fn hostile_markup_takes_no_longer_than_other_markup() {
    let desk = desk();
    let cases = [
        format!("{}{}{}", "<table><tr><td>".repeat(40), "<b>".repeat(370), "x<br>".repeat(200_000)),
        "<b>".repeat(499) + &"<p>x".repeat(300_000),
        "<ul><li>".repeat(400) + &"<li>x".repeat(200_000),
    ];
    for (number, page) in cases.into_iter().enumerate() {
        desk.write("a.html", page);
        let started = std::time::Instant::now();
        desk.run(&["check", "-q", "a.html"]);
        println!("case {number}: {:?}", started.elapsed());
    }
}
