//! WARC and WET from end to end: what a record says of itself once something of it is cut, what becomes of the others, and what
//! else records are written as.

#[path = "support/desk.rs"]
mod desk;
#[path = "support/python.rs"]
mod python;

use data_encoding::BASE32;
use desk::{Desk, Ran, assert_same};
use sha1::{Digest, Sha1};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use unecho::source::warc::{Held, records};

const RIVER: &str = "The river runs past the old mill and under the bridge.";
const ROAD: &str = "The road goes up the hill, where the old inn stands.";

/// Cleans across documents, runs of any length.
fn across(desk: &Desk, args: &[&str]) -> Ran {
    desk.run(&[&["--across", "--min-chars", "1"], args].concat())
}

fn sha1(bytes: &[u8]) -> String {
    format!("sha1:{}", BASE32.encode(&Sha1::digest(bytes)))
}

/// A record with such headers, as Common Crawl writes them.
fn record(kind: &str, uri: &str, headers: &str, content: &[u8]) -> Vec<u8> {
    let headers: String = headers.lines().map(|line| format!("{line}\r\n")).collect();
    let (id, digest) = (sha1(uri.as_bytes()).to_lowercase(), sha1(content));
    let head = format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {uri}\r\nWARC-Date: 2024-05-18T01:58:10Z\r\n\
         WARC-Record-ID: <urn:{id}>\r\nWARC-Block-Digest: {digest}\r\n{headers}Content-Length: {}\r\n\r\n",
        content.len()
    );
    [head.as_bytes(), content, b"\r\n\r\n"].concat()
}

fn info() -> Vec<u8> {
    let content = b"Software-Info: a crawler\r\n";
    let head = format!(
        "WARC/1.0\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: <urn:info>\r\nContent-Type: application/warc-fields\r\nContent-Length: {}\r\n\r\n",
        content.len()
    );
    [head.as_bytes(), content, b"\r\n\r\n"].concat()
}

fn conversion(uri: &str, text: &str) -> Vec<u8> {
    record("conversion", uri, "WARC-Refers-To: <urn:x>\nContent-Type: text/plain", text.as_bytes())
}

/// Texts with repeats, and what is left of each; nothing where all of it repeats.
fn texts() -> Vec<(String, Option<String>)> {
    let text = |paragraphs: &[&str]| paragraphs.join("\n\n");
    vec![
        (text(&[RIVER, "First, é."]), Some(text(&[RIVER, "First, é."]))),
        (text(&["Second.", RIVER]), Some("Second.".into())),
        (text(&[RIVER]), None),
        (String::new(), Some(String::new())),
        (text(&[ROAD, RIVER, "Last."]), Some(text(&[ROAD, "Last."]))),
    ]
}

fn uri(number: usize) -> String {
    format!("https://example.org/{number}")
}

/// The records of a WET of the texts.
fn wet_records() -> Vec<Vec<u8>> {
    let texts = texts();
    let all = texts.iter().enumerate().map(|(number, (text, _))| conversion(&uri(number), text));
    std::iter::once(info()).chain(all).collect()
}

/// And of its clean copy.
fn clean_records() -> Vec<Vec<u8>> {
    let texts = texts();
    let all = texts.iter().enumerate().filter_map(|(number, (_, left))| Some(conversion(&uri(number), left.as_ref()?)));
    std::iter::once(info()).chain(all).collect()
}

fn gz(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes.as_ref()).unwrap();
    gz.finish().unwrap()
}

/// Each record packed by itself.
fn members(records: &[Vec<u8>]) -> Vec<u8> {
    records.iter().flat_map(gz).collect()
}

/// What each member of a packed file holds.
fn unpacked(path: &Path) -> Vec<Vec<u8>> {
    let packed = fs::read(path).unwrap();
    let mut rest = packed.as_slice();
    let mut all = Vec::new();
    while !rest.is_empty() {
        let mut member = Vec::new();
        flate2::bufread::GzDecoder::new(&mut rest).read_to_end(&mut member).unwrap();
        all.push(member);
    }
    all
}

#[track_caller]
fn assert_same_bytes(found: &[u8], wanted: &[u8], what: &str) {
    assert_same(&String::from_utf8_lossy(found), &String::from_utf8_lossy(wanted), what);
    assert!(found == wanted, "{what}");
}

/// Holds that each record is what its headers say.
#[track_caller]
fn is_sound(bytes: &[u8]) {
    for (span, held) in records(bytes) {
        let record = span.of(bytes);
        let text = String::from_utf8_lossy(record);
        assert!(!matches!(held, Held::Broken(_) | Held::After(_)), "{held:?}: {text}");
        let Some(end) = text.find("\r\n\r\n") else { continue };
        let header = |name: &str| text[..end].lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let Some(len) = header("Content-Length") else { continue };
        let content = &record[end + 4..][..len.parse::<usize>().unwrap()];
        assert_eq!(&record[end + 4 + content.len()..], b"\r\n\r\n");
        if let Some(digest) = header("WARC-Block-Digest") {
            assert_eq!(digest, sha1(content), "{text}");
        }
    }
}

// WET.

#[test]
fn a_wet_loses_what_repeats_and_nothing_else() {
    let desk = Desk::new();
    desk.write("a.warc.wet", wet_records().concat());
    desk.write("a.warc.wet.gz", members(&wet_records()));
    let said = "5 documents, 3 with repeats, 1 dropped";
    across(&desk, &["a.warc.wet", "-o", "out.warc.wet"]).succeeds().says(said);
    assert_same_bytes(&fs::read(desk.path("out.warc.wet")).unwrap(), &clean_records().concat(), "plain");
    is_sound(&fs::read(desk.path("out.warc.wet")).unwrap());
    across(&desk, &["a.warc.wet.gz", "-o", "out.warc.wet.gz"]).succeeds().says(said);
    let found = unpacked(&desk.path("out.warc.wet.gz"));
    assert_same_bytes(&found.concat(), &clean_records().concat(), "packed");
    assert!(found == clean_records(), "each record is a member");
}

#[test]
fn a_wet_in_which_nothing_repeats_is_its_own_clean_copy() {
    let desk = Desk::new();
    // Line ends, spacing and headers as others write them.
    let odd = b"WARC/1.1\nwarc-type: conversion\nContent-Length:   5\nX-Own:\n folded\n\ntext.\r\n\r\n".to_vec();
    let all = [vec![info(), odd, conversion("x", RIVER)], vec![record("metadata", "y", "", b"\0binary")]].concat();
    desk.write("a.wet", all.concat());
    desk.write("a.wet.gz", members(&all));
    for more in [&[][..], &["--across"]] {
        desk.run(&[&["a.wet", "-o", "out.wet"], more].concat()).succeeds();
        assert_same_bytes(&fs::read(desk.path("out.wet")).unwrap(), &all.concat(), "plain");
        desk.run(&[&["a.wet.gz", "-o", "out.wet.gz"], more].concat()).succeeds();
        assert!(unpacked(&desk.path("out.wet.gz")) == all);
        desk.sh(&format!("unecho a.wet {} | cmp a.wet -", more.join(" "))).succeeds();
    }
}

#[test]
fn a_record_left_without_text_is_kept_where_that_is_asked_for() {
    let desk = Desk::new();
    desk.write("a.wet", wet_records().concat());
    across(&desk, &["--empty", "keep", "a.wet", "-o", "out.wet"]).succeeds().says("1 left empty");
    let texts = texts();
    let wanted = texts.iter().enumerate().map(|(number, (_, left))| conversion(&uri(number), left.as_deref().unwrap_or("")));
    let wanted: Vec<Vec<u8>> = std::iter::once(info()).chain(wanted).collect();
    assert_same_bytes(&fs::read(desk.path("out.wet")).unwrap(), &wanted.concat(), "out.wet");
}

#[test]
fn digests_are_written_in_the_way_they_were() {
    let desk = Desk::new();
    let with = |digests: &str, text: &str| {
        let head = format!("WARC/1.0\r\nWARC-Type: conversion\r\n{digests}Content-Length: {}\r\n\r\n", text.len());
        [head.as_bytes(), text.as_bytes(), b"\r\n\r\n"].concat()
    };
    let hex = |text: &str| data_encoding::HEXLOWER.encode(&Sha1::digest(text));
    let dirty = format!("A.\n\n{RIVER}");
    let digests =
        |text: &str| format!("WARC-Payload-Digest: sha1:{}\r\nWARC-Block-Digest: {}\r\n", hex(text), sha1(text.as_bytes()));
    desk.write("a.wet", [conversion("x", RIVER), with(&digests(&dirty), &dirty)].concat());
    across(&desk, &["a.wet", "-o", "out.wet"]).succeeds();
    let wanted = [conversion("x", RIVER), with(&digests("A."), "A.")].concat();
    assert_same_bytes(&fs::read(desk.path("out.wet")).unwrap(), &wanted, "out.wet");
}

// Other forms.

#[test]
fn records_are_written_as_lines_and_rows() {
    let desk = Desk::new();
    desk.write("a.wet.gz", members(&wet_records()));
    let texts = texts();
    let wanted: String = texts
        .iter()
        .enumerate()
        .filter_map(|(number, (_, left))| {
            let id = format!("<urn:{}>", sha1(uri(number).as_bytes()).to_lowercase());
            Some(format!(
                "{{\"id\":\"{}\",\"text\":{},\"warc\":{{\"WARC-Date\":\"2024-05-18T01:58:10Z\",\"WARC-Record-ID\":\"{id}\",\
                 \"Content-Type\":\"text/plain\"}}}}\n",
                uri(number),
                serde_json::to_string(left.as_ref()?).unwrap()
            ))
        })
        .collect();
    across(&desk, &["a.wet.gz", "-o", "out.jsonl"]).succeeds();
    assert_same(&desk.read("out.jsonl"), &wanted, "by the name");
    across(&desk, &["a.wet.gz", "--to", "jsonl", "-o", "out.jsonl.zst"]).succeeds();
    let packed = fs::File::open(desk.path("out.jsonl.zst")).unwrap();
    assert_same(&String::from_utf8(zstd::decode_all(packed).unwrap()).unwrap(), &wanted, "packed");
    desk.sh("unecho --across --min-chars 1 a.wet.gz --to jsonl > piped").succeeds();
    assert_same(&String::from_utf8(unpacked(&desk.path("piped")).concat()).unwrap(), &wanted, "packed as its input is");
    if cfg!(feature = "parquet") {
        across(&desk, &["a.wet.gz", "-o", "out.parquet"]).succeeds();
        desk.run(&["out.parquet", "-o", "back.jsonl"]).succeeds();
        let values =
            |lines: &str| lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<serde_json::Value>>();
        assert_eq!(values(&desk.read("back.jsonl")), values(&wanted));
    }
    desk.write("b.jsonl", "{\"text\":\"x\"}\n");
    desk.run(&["b.jsonl", "-o", "x.wet"]).fails("b.jsonl: is JSONL, which isn't written as WARC");
}

fn response(uri: &str, http: &str, body: &[u8]) -> Vec<u8> {
    let http: String = http.lines().map(|line| format!("{line}\r\n")).collect();
    let message = [b"HTTP/1.1 200 OK\r\n", http.as_bytes(), b"\r\n", body].concat();
    record("response", uri, "Content-Type: application/http; msgtype=response", &message)
}

fn chunked(text: &str) -> Vec<u8> {
    let mut body: Vec<u8> = text
        .as_bytes()
        .chunks(20)
        .flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())
        .collect();
    body.extend_from_slice(b"0\r\n\r\n");
    body
}

/// A crawl of six pages, of which four are plain text and one is HTML.
fn crawl() -> Vec<Vec<u8>> {
    vec![
        info(),
        record("request", "r", "Content-Type: application/http; msgtype=request", b"GET / HTTP/1.1\r\n\r\n"),
        response("a", "Content-Type: text/plain", format!("{RIVER}\n\nA.").as_bytes()),
        response("b", "Content-Type: text/html", b"<p>No.</p>"),
        response("c", "Content-Type: text/plain; charset=utf-8\nTransfer-Encoding: chunked", &chunked(&format!("{RIVER}\n\nC."))),
        response("d", "Content-Type: text/plain\nContent-Encoding: gzip", &gz(format!("{ROAD}\n\n{RIVER}"))),
        response("e", "Content-Type: image/png", b"\x89PNG"),
        response("f", "Content-Type: text/plain\nContent-Encoding: gzip\nTransfer-Encoding: chunked", &chunked_bytes(&gz(ROAD))),
        record("metadata", "m", "", b"fetchTimeMs: 12"),
    ]
}

fn chunked_bytes(bytes: &[u8]) -> Vec<u8> {
    [format!("{:X};x=y\r\n", bytes.len()).as_bytes(), bytes, b"\r\n0\r\n\r\n"].concat()
}

#[test]
fn of_a_warc_the_plain_texts_become_conversions() {
    let desk = Desk::new();
    desk.write("a.warc", crawl().concat());
    desk.write("a.warc.gz", members(&crawl()));
    let ran = across(&desk, &["a.warc", "-o", "out.wet", "--stats", "stats"]);
    ran.succeeds().says("5 documents, 3 with repeats, 1 dropped").says("left out: 2 other records");
    let out = fs::read(desk.path("out.wet")).unwrap();
    is_sound(&out);
    let held: Vec<String> = records(&out)
        .map(|(_, held)| match held {
            Held::Document(document) => {
                let uri = String::from_utf8_lossy(document.uri.unwrap().of(&out)).into_owned();
                format!("{} {uri}: {}", document.kind.name(), String::from_utf8_lossy(document.text.of(&out)))
            }
            Held::Other(kind) => kind.name().into(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        held,
        [
            "warcinfo",
            &format!("conversion a: {RIVER}\n\nA."),
            "conversion b: <p>No.</p>",
            "conversion c: C.",
            &format!("conversion d: {ROAD}"),
            "metadata"
        ]
    );
    let stats: serde_json::Value = serde_json::from_str(&desk.read("stats")).unwrap();
    assert_eq!(stats["left_out"]["other_records"], 2);

    across(&desk, &["a.warc.gz", "-o", "out.wet.gz"]).succeeds();
    assert_same_bytes(&unpacked(&desk.path("out.wet.gz")).concat(), &out, "packed");
    assert_eq!(unpacked(&desk.path("out.wet.gz")).len(), 6);
    across(&desk, &["a.warc", "-o", "out.jsonl"]).succeeds();
    let ids: Vec<String> = desk
        .read("out.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, ["a", "b", "c", "d"]);
    // The clean copy is an input like any other.
    desk.sh("unecho out.wet | cmp - out.wet").succeeds();
}

#[test]
fn a_warc_without_plain_text_is_said_to_have_none() {
    let desk = Desk::new();
    desk.write("a.warc", [info(), response("b", "Content-Type: image/png", b"\x89PNG")].concat());
    desk.run(&["a.warc", "-o", "out.warc"]).succeeds().says("0 documents").says("left out: 1 other record");
    assert_same_bytes(&fs::read(desk.path("out.warc")).unwrap(), &info(), "out.warc");
}

#[test]
fn records_are_numbered_as_they_stand_in_their_file() {
    let desk = Desk::new();
    let broken = b"WARC/1.0\r\nWARC-Type: conversion\r\n\r\nno length\r\n\r\n".to_vec();
    desk.write("a.warc", [crawl(), vec![broken]].concat().concat());
    let args = ["scan", "--across", "--min-chars", "1", "--on-error", "keep", "a.warc"];
    let ran = desk.run(&args);
    ran.fails("error: a.warc: record 10: has no Content-Length");
    let lines: Vec<&str> =
        ran.stdout.lines().filter(|line| line.starts_with("a.warc:")).map(|line| line.split(" (1 ").next().unwrap()).collect();
    assert_eq!(
        lines,
        [
            "a.warc:5 (c) line 1: repeats a.warc:3",
            "a.warc:6 (d) line 3: repeats a.warc:3",
            "a.warc:8 (f) line 1: repeats a.warc:6"
        ]
    );
}

// What is broken.

#[test]
fn a_broken_record_fails_its_file_or_stays_or_goes() {
    let desk = Desk::new();
    let broken = b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: many\r\n\r\nx\r\n\r\n".to_vec();
    let with = |mut records: Vec<Vec<u8>>, at: usize| {
        records.insert(at, broken.clone());
        records
    };
    for (name, all) in [("in/a.wet", with(wet_records(), 3).concat()), ("in/a.wet.gz", members(&with(wet_records(), 3)))] {
        desk.sh("rm -rf in out").succeeds();
        desk.write(name, all);
        desk.write("in/b.wet", conversion("b", ROAD));
        let named = format!("error: {name}: record 4: its Content-Length is no number of bytes: \"many\"");
        let out = name.replace("in/", "out/");
        across(&desk, &["in", "-o", "out"]).fails(&named).says("failed: 1").says("--on-error keep, or drop, goes on behind it");
        assert!(!desk.exists(&out));
        assert_same_bytes(&fs::read(desk.path("out/b.wet")).unwrap(), &conversion("b", ROAD), "the other");
        for (what, wanted) in [("keep", with(clean_records(), 3)), ("drop", clean_records())] {
            desk.sh("rm -rf out").succeeds();
            across(&desk, &["in", "-o", "out", "--on-error", what]).fails(&named).says("failed: 1 (1 broken record)");
            let found =
                if name.ends_with("gz") { unpacked(&desk.path(&out)).concat() } else { fs::read(desk.path(&out)).unwrap() };
            assert_same_bytes(&found, &wanted.concat(), &format!("{name} {what}"));
            across(&desk, &[name, "-o", "x.jsonl", "--on-error", what]).fails(&named);
            assert_eq!(desk.read("x.jsonl").lines().count(), 4, "a broken record has no line");
        }
    }
}

#[test]
fn a_file_that_is_cut_short_is_told_and_what_came_before_kept_where_that_is_asked_for() {
    let desk = Desk::new();
    let (plain, packed) = (wet_records().concat(), members(&wet_records()));
    let last = conversion(&uri(4), &texts()[4].0).len();
    for (name, all) in [("a.wet", &plain[..plain.len() - 20]), ("a.wet.gz", &packed[..packed.len() - 20])] {
        desk.write(name, all);
        let named = format!("error: {name}: ");
        across(&desk, &[name, "-o", "out.wet"]).fails(&named);
        assert!(!desk.exists("out.wet"), "{name}");
        across(&desk, &[name, "-o", "drop.wet", "--on-error", "drop"]).fails(&named).says("failed: 1");
        let wanted = clean_records()[..4].concat();
        assert_same_bytes(&fs::read(desk.path("drop.wet")).unwrap(), &wanted, name);
        across(&desk, &[name, "-o", "keep.wet", "--on-error", "keep"]).fails(&named).says("failed: 1");
        let kept = fs::read(desk.path("keep.wet")).unwrap();
        assert!(kept.starts_with(&wanted) && plain[plain.len() - last..].starts_with(&kept[wanted.len()..]), "{name}");
        desk.sh("rm drop.wet keep.wet").succeeds();
    }
}

#[test]
fn what_is_no_warc_is_refused() {
    let desk = Desk::new();
    desk.write("a.warc", "filedesc://example.arc 0.0.0.0 2014 text/plain 200\nx\n");
    desk.run(&["a.warc", "-o", "x.warc"])
        .fails("a.warc: record 1: is an ARC file, the older form, which isn't read; warcio recompress");
    desk.write("b.warc", RIVER);
    desk.run(&["b.warc", "-o", "x.warc"]).fails("b.warc: record 1: doesn't begin as a WARC record does: ");
    assert!(!desk.exists("x.warc"));
    desk.write("c.warc", "");
    desk.run(&["c.warc", "-o", "x.warc"]).succeeds().says("0 documents");
    assert_same(&desk.read("x.warc"), "", "nothing");
}

// Whatever it comes in.

#[test]
fn a_folder_of_packed_archives_becomes_one_of_clean_ones() {
    let desk = Desk::new();
    desk.write("in/a.warc.gz", members(&crawl()));
    desk.write("in/sub/b.warc.wet.gz", members(&[info(), conversion("b", &format!("{RIVER}\n\n{ROAD}\n\nB."))]));
    desk.write("in/c.warc.gz", gz(conversion("c", ROAD))); // read before what is in the folder, or after it
    across(&desk, &["in", "-o", "out"]).succeeds().says("7 documents").says("left out: 2 other records");
    assert_same_bytes(&unpacked(&desk.path("out/sub/b.warc.wet.gz")).concat(), &[info(), conversion("b", "B.")].concat(), "b");
    is_sound(&unpacked(&desk.path("out/a.warc.gz")).concat());
    across(&desk, &["in", "-o", "lines", "--to", "jsonl"]).succeeds();
    assert!(
        desk.exists("lines/a.warc.jsonl.gz") || desk.exists("lines/a.jsonl.gz"),
        "{:?}",
        fs::read_dir(desk.path("lines")).unwrap().collect::<Vec<_>>()
    );
}

#[test]
fn an_archive_comes_by_standard_input_packed_or_not() {
    let desk = Desk::new();
    desk.write("a.wet", wet_records().concat());
    desk.write("a.wet.gz", members(&wet_records()));
    let unecho = "unecho --from warc --across --min-chars 1";
    for line in [format!("cat a.wet | {unecho}"), format!("{unecho} < a.wet"), format!("cat a.wet | {unecho} -o piped")] {
        desk.sh(&format!("{line} > stdout")).succeeds();
        let name = if line.contains("-o") { "piped" } else { "stdout" };
        assert_same_bytes(&fs::read(desk.path(name)).unwrap(), &clean_records().concat(), &line);
    }
    for line in [format!("cat a.wet.gz | {unecho}"), format!("{unecho} < a.wet.gz")] {
        desk.sh(&format!("{line} > stdout")).succeeds();
        assert!(unpacked(&desk.path("stdout")) == clean_records(), "{line}");
    }
    desk.sh(&format!("cat a.wet | {unecho} --to jsonl | wc -l")).succeeds().prints("4\n");
}

#[test]
fn threads_and_memory_change_no_byte() {
    let desk = Desk::new();
    let letters: String = (b'a'..=b'z').map(char::from).collect();
    let large: Vec<Vec<u8>> = (0..60).map(|at| conversion(&uri(at), &format!("{}{}", at % 3, letters.repeat(40_000)))).collect();
    desk.write("large.wet", [crawl(), large, wet_records()].concat().concat());
    desk.write("small.warc.gz", members(&[crawl(), wet_records()].concat()));
    for name in ["small.warc.gz", "large.wet"] {
        let mut first: Option<Vec<u8>> = None;
        for more in [["--threads", "1"], ["--threads", "8"], ["--memory", "64M"]] {
            let ran = across(&desk, &[&[name, "-o", "out", "--max-removed", "100%"], &more[..]].concat());
            ran.succeeds();
            if (name, more[1]) == ("large.wet", "64M") {
                ran.says("more than 64 MB of memory hold");
            }
            let out = fs::read(desk.path("out")).unwrap();
            assert!(first.as_ref().is_none_or(|first| *first == out), "{name} {more:?}");
            first = Some(out);
        }
    }
    desk.sh("cat large.wet | unecho --from warc --across --min-chars 1 --memory 64M | cmp - out")
        .succeeds()
        .says("more than 64 MB");
}

#[test]
fn another_reader_finds_sound_records() {
    let Some(python) = python::with("warcio") else { return };
    let desk = Desk::new();
    desk.write("a.warc.gz", members(&[crawl(), wet_records()].concat()));
    across(&desk, &["a.warc.gz", "-o", "out.wet.gz"]).succeeds();
    let check = "from warcio.archiveiterator import ArchiveIterator\n\
        for r in ArchiveIterator(open('out.wet.gz', 'rb'), check_digests='raise'):\n    \
            n = len(r.content_stream().read())\n    \
            assert r.rec_type == 'warcinfo' or r.length == n\n    \
            print(r.rec_type, r.rec_headers.get_header('WARC-Target-URI'), n)\n";
    let ran = python::run(&python, &desk, check, "warcio");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 11, "{lines:#?}");
    assert_eq!(lines[3], "conversion c 2");
}

#[test]
fn a_long_record_that_is_passed_on_is_one_member() {
    let long = record("metadata", "https://example.org/long", "Content-Type: text/x", "word ".repeat(300_000).as_bytes());
    let records = [info(), long, conversion(&uri(1), RIVER)];
    let desk = Desk::new();
    desk.write("a.warc.gz", members(&records));
    across(&desk, &["a.warc.gz", "-o", "b.warc.gz"]).succeeds();
    assert!(unpacked(&desk.path("b.warc.gz")) == records, "a member a record");
}

#[test]
fn a_record_that_says_it_is_too_long_is_an_error_and_no_more() {
    let long = b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Type: text/plain\r\nContent-Length: 50000000\r\n\r\ncut";
    let desk = Desk::new();
    desk.write("a.wet", [info(), long.to_vec()].concat());
    for how in ["fail", "keep", "drop"] {
        let ran = desk.run(&["--across", "--memory", "64M", "--on-error", how, "a.wet", "-o", "b.wet"]);
        ran.fails(
            "a.wet: record 2: its Content-Length is 50,000,000, and a text has at most 8,388,608 bytes, an eighth of --memory",
        );
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
}

#[test]
fn what_follows_a_record_that_is_too_long_is_read() {
    let long = conversion(&uri(2), &"word ".repeat(9_000_000));
    let all = [info(), conversion(&uri(1), RIVER), long, conversion(&uri(3), RIVER), conversion(&uri(4), ROAD)];
    let without = |gone: &[usize]| -> Vec<u8> {
        all.iter().enumerate().filter(|(number, _)| !gone.contains(number)).flat_map(|(_, record)| record.clone()).collect()
    };
    let desk = Desk::new();
    desk.write("a.wet", all.concat());
    desk.write("a.wet.gz", members(&all));
    for name in ["a.wet", "a.wet.gz"] {
        for (how, gone) in [("keep", &[3][..]), ("drop", &[2, 3])] {
            let ran = across(&desk, &["--memory", "64M", "--max-removed", "100%", "--on-error", how, name, "-o", "b.wet"]);
            ran.fails(&format!("{name}: record 3: its Content-Length is 45,000,000, and a text has at most 8,388,608 bytes"));
            assert!(fs::read(desk.path("b.wet")).unwrap() == without(gone), "{name} {how}");
        }
    }
}

#[test]
fn wherever_a_file_is_cut_off_what_is_left_is_written() {
    let html = record(
        "response",
        "https://example.org/html",
        "Content-Type: application/http",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>",
    );
    let all = [info(), conversion(&uri(1), RIVER), html, conversion(&uri(2), ROAD)].concat();
    let desk = Desk::new();
    for len in (1..all.len()).step_by(7) {
        desk.write("a.wet", &all[..len]);
        for (how, to) in [("drop", "wet"), ("drop", "jsonl"), ("keep", "wet"), ("keep", "jsonl")] {
            let ran = desk.run(&["--across", "--on-error", how, "--to", to, "a.wet", "-o", "b"]);
            assert!(!ran.stderr.contains("panicked"), "{len} {how} {to}: {}", ran.stderr);
        }
    }
}

#[test]
fn an_archive_is_not_taken_for_text() {
    let desk = Desk::new();
    desk.write("a.wet", info());
    desk.sh("unecho < a.wet").fails("standard input: is a WARC; --from warc takes it for one");
}

#[test]
fn pages_of_a_warc_are_cleaned_as_they_are() {
    let long = || [RIVER, ROAD].map(|text| text.repeat(6));
    let page = |title: &str, times: usize| {
        let body: String = long().iter().map(|text| format!("<p class=\"x\">{text}</p>\n")).collect();
        format!(
            "<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n{}<p>End.</p></body></html>",
            body.repeat(times)
        )
    };
    let latin: Vec<u8> = page("Über", 2).chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'"')).collect();
    let desk = Desk::new();
    let all = [
        info(),
        response("a", "Content-Type: text/html; charset=utf-8\nContent-Encoding: gzip", &gz(page("A", 2))),
        response("b", "Content-Type: text/html; charset=iso-8859-1", &latin),
        response("c", "Content-Type: text/plain", long()[1].as_bytes()),
        conversion("d", &long()[0]),
    ];
    desk.write("a.warc", all.concat());
    let texts = |path: &str| {
        let out = fs::read(desk.path(path)).unwrap();
        is_sound(&out);
        let text = |(_, held)| {
            if let Held::Document(document) = held {
                Some((document.is_html, String::from_utf8_lossy(document.text.of(&out)).into_owned()))
            } else {
                None
            }
        };
        records(&out).filter_map(text).collect::<Vec<_>>()
    };
    desk.run(&["clean", "a.warc", "-o", "out.wet", "--record", "record"]).succeeds();
    let left = texts("out.wet");
    assert_eq!(left[0], (true, page("A", 1)));
    assert_eq!(left[1].1.matches("River").count(), page("Über", 1).matches("River").count());
    assert!(left[1].1.contains("<title>Über</title>") && left[1].0);
    assert_eq!(left[2..], [(false, long()[1].clone()), (false, long()[0].clone())]);
    desk.run(&["verify", "record"]).succeeds();
    desk.sh("unecho out.wet | cmp - out.wet").succeeds();
    // Across documents what pages and texts say is the same.
    across(&desk, &["a.warc", "-o", "all.wet", "--max-removed", "100%", "--record", "all"]).succeeds();
    assert_eq!(texts("all.wet").len(), 2);
    desk.run(&["verify", "all"]).succeeds();
    across(&desk, &["a.warc", "-o", "few.wet", "--max-removed", "100%", "--memory", "64M", "--threads", "2"]).succeeds();
    assert_same_bytes(&fs::read(desk.path("few.wet")).unwrap(), &fs::read(desk.path("all.wet")).unwrap(), "memory");
}

#[test]
fn texts_pages_and_feeds_are_compared_with_one_another() {
    let desk = Desk::new();
    let page = |text: &str| format!("<p>{}</p>", text.replace('\n', " "));
    let feed = |text: &str| {
        format!(
            "<rss><channel><item><title>t</title><description><![CDATA[{}]]></description></item></channel></rss>",
            page(text)
        )
    };
    desk.write("in/1.html", page(RIVER));
    desk.write("in/2.txt", format!("{RIVER}\n\n{ROAD}\n"));
    desk.write("in/3.rss", feed(ROAD));
    desk.write("in/4.jsonl", format!("{}\n", serde_json::json!({ "text": format!("{ROAD}\n\nElse.") })));
    desk.write("in/5.html", format!("{}<p>Other.</p>", page(ROAD)));
    across(&desk, &["in", "-o", "out", "--max-removed", "100%", "--record", "record"]).succeeds();
    assert_eq!(desk.read("out/2.txt"), format!("{ROAD}\n"));
    assert_eq!(
        desk.read("out/3.rss"),
        "<rss><channel><item><title>t</title><description><![CDATA[]]></description></item></channel></rss>"
    );
    assert_eq!(desk.read("out/4.jsonl"), "{\"text\":\"Else.\"}\n");
    assert_eq!(desk.read("out/5.html"), "<p>Other.</p>");
    desk.run(&["verify", "record"]).succeeds();
    desk.run(&["restore", "record", "-o", "back"]).succeeds();
    desk.sh("diff -r in back").succeeds();
}
