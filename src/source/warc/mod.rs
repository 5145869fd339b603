//! WARC 1.0 and 1.1 (ISO 28500), and WET, which is WARC: records one after the other, each with headers that say how long its
//! content is. A record is a document if its content is text or HTML: a conversion or a resource that says so, or a response whose HTTP
//! message does. What gives no document is known by its headers, and may be any length.
//!
//! Knows bytes alone: [`records`] takes apart what begins and ends with whole records, [`Cutter`] cuts a stream so, and
//! [`rewrite`], [`conversion`] and [`as_json`] append records to a buffer.

mod coding;
mod cutter;
mod digest;
mod head;
mod http;
mod step;
mod stretches;
mod write;

pub use coding::Coding;
pub use cutter::{Cut, Cutter};
pub(crate) use stretches::Stretches;
pub(crate) use write::head;
pub use write::{as_json, conversion, rewrite};

use crate::document::Span;
use crate::error::count;
use std::{fmt, iter};
use step::Step;

/// The longest content of a record that is read as text: it is held as a whole. Crawlers keep some MB of a page.
pub const LONGEST: u64 = 1 << 30;

/// What stands at a place where a record may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Line ends beyond those that end a record. They count as no record.
    Blank,
    /// A record that is a document.
    Document(Document),
    /// A record that gives no document.
    Other(Kind),
    /// A record that can't be read, up to where the next one begins, as far as that can be told.
    Broken(Fault),
    /// What follows a record that gives no document and isn't followed by another one. It counts as no record: the fault is that of
    /// the one before.
    After(Fault),
}

/// A document, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What kind of record it is: a conversion, a resource, or a response.
    pub kind: Kind,
    /// The text as it is written. Bytes that aren't UTF-8 stay as they are, whatever the record says of its charset.
    pub text: Span,
    /// How the text is coded there, if it is: then [`Coding::decode`] gives it. Only responses are.
    pub coding: Option<Coding>,
    /// Whether the text is a page in HTML.
    pub is_html: bool,
    /// Where it came from: its WARC-Target-URI without "<" and ">".
    pub uri: Option<Span>,
}

/// The kinds of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "they are the standard's names")]
pub enum Kind {
    Warcinfo,
    Request,
    Response,
    Resource,
    Conversion,
    Metadata,
    Revisit,
    Continuation,
    /// None of the standard's.
    Unknown,
}

impl Kind {
    /// All that the standard knows, with the names it gives them.
    const KNOWN: [(&str, Kind); 8] = [
        ("warcinfo", Kind::Warcinfo),
        ("request", Kind::Request),
        ("response", Kind::Response),
        ("resource", Kind::Resource),
        ("conversion", Kind::Conversion),
        ("metadata", Kind::Metadata),
        ("revisit", Kind::Revisit),
        ("continuation", Kind::Continuation),
    ];

    /// The kind of a record by its WARC-Type.
    fn of(name: &[u8]) -> Kind {
        let known = Kind::KNOWN.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
        known.map_or(Kind::Unknown, |&(_, kind)| kind)
    }

    /// Its name: "warcinfo".
    pub fn name(self) -> &'static str {
        Kind::KNOWN.iter().find(|(_, kind)| *kind == self).map_or("unknown", |(name, _)| name)
    }
}

/// Why a record can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It begins otherwise.
    NotWarc {
        /// How.
        begins: String,
    },
    /// It begins as an ARC file does.
    Arc,
    /// Its headers don't end.
    EndlessHeaders,
    /// It has no Content-Length.
    NoLength,
    /// Its Content-Length isn't one.
    NotLength {
        /// What it is.
        value: String,
    },
    /// It has two of them.
    TwoLengths,
    /// It is text, and too long to be held.
    TooLong {
        /// Its Content-Length.
        len: u64,
        /// The longest that is.
        longest: u64,
    },
    /// Bytes are missing.
    CutShort {
        /// Its Content-Length.
        len: u64,
        /// How many there are.
        there: u64,
    },
    /// Where it should end, by its Content-Length, is neither the end nor the next record.
    NoEnd {
        /// Its Content-Length.
        len: u64,
    },
    /// Its content is packed in a way that isn't read, or not as it says.
    Coded {
        /// The way: "br".
        by: String,
        /// What is wrong, if it can be unpacked in general.
        why: Option<String>,
    },
    /// Its content unpacks to more than is held.
    Bomb {
        /// How it is packed.
        by: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NotWarc { begins } => write!(f, "doesn't begin as a WARC record does: {begins:?}"),
            Fault::Arc => f.write_str("is an ARC file, the older form, which isn't read; warcio recompress makes it a WARC"),
            Fault::EndlessHeaders => f.write_str("has headers that no blank line ends"),
            Fault::NoLength => f.write_str("has no Content-Length"),
            Fault::NotLength { value } => write!(f, "its Content-Length is no number of bytes: {value:?}"),
            Fault::TwoLengths => f.write_str("has two Content-Lengths that differ"),
            Fault::TooLong { len, longest } => {
                let (len, most) = (count(*len), count(*longest));
                let by_memory = if *longest < LONGEST { ", an eighth of --memory" } else { "" };
                write!(f, "its Content-Length is {len}, and a text has at most {most} bytes{by_memory}")
            }
            Fault::CutShort { len, there } => {
                write!(f, "ends early: its Content-Length is {} and {} bytes follow", count(*len), count(*there))
            }
            Fault::NoEnd { len } => write!(f, "its Content-Length is {}, and no record begins behind that", count(*len)),
            Fault::Coded { by, why: None } => write!(f, "its content is packed in a way that isn't read: {by}"),
            Fault::Coded { by, why: Some(why) } => write!(f, "its content is packed by {by}, which is broken: {why}"),
            Fault::Bomb { by } => {
                write!(f, "its content is packed by {by}, and unpacks to more than 256 MiB, or than --memory holds")
            }
        }
    }
}

/// The records of bytes that begin where one does and end where one does, each with its place, the line ends behind it included.
pub fn records(bytes: &[u8]) -> impl Iterator<Item = (Span, Held)> {
    let mut start = 0;
    let mut after = None;
    iter::from_fn(move || {
        let rest = &bytes[start..];
        let (len, held) = match after.take() {
            Some(fault) => (head::next_version(rest, 0).unwrap_or(rest.len()), Held::After(fault)),
            None if rest.is_empty() => return None,
            None => match step::step(rest, true, LONGEST) {
                Step::Is { len, held, after: fault } => {
                    after = fault;
                    (len, held)
                }
                other => unreachable!("all is there: {other:?}"),
            },
        };
        let span = Span::new(start, start + len);
        start += len;
        Some((span, moved(held, span.start)))
    })
}

/// What is held by a record that stands `by` bytes further on.
fn moved(held: Held, by: u64) -> Held {
    let on = |span: Span| Span { start: span.start + by, end: span.end + by };
    match held {
        Held::Document(document) => Held::Document(Document {
            text: on(document.text),
            coding: document.coding.map(|coding| coding.moved(on)),
            uri: document.uri.map(on),
            ..document
        }),
        held => held,
    }
}

#[cfg(all(test, feature = "gzip"))]
mod data;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    /// A record of version 1.0 with such headers, and the Content-Length of its content.
    pub(super) fn record(headers: &str, content: &[u8]) -> Vec<u8> {
        let headers: String = headers.lines().map(|line| format!("{line}\r\n")).collect();
        let head = format!("WARC/1.0\r\n{headers}Content-Length: {}\r\n\r\n", content.len());
        [head.as_bytes(), content, b"\r\n\r\n"].concat()
    }

    fn response(http: &str) -> Vec<u8> {
        record("WARC-Type: response\nContent-Type: application/http; msgtype=response", http.as_bytes())
    }

    /// What is held by `bytes`, in words.
    fn all(bytes: &[u8]) -> Vec<String> {
        let mut next = 0;
        let told = records(bytes).map(|(span, held)| {
            assert_eq!(span.start, next);
            next = span.end;
            match held {
                Held::Document(document) => {
                    let mut text = Vec::new();
                    match &document.coding {
                        Some(coding) => coding.decode(bytes, document.text, LONGEST, &mut text).unwrap(),
                        None => text.extend_from_slice(document.text.of(bytes)),
                    }
                    let uri = document.uri.map_or("-".into(), |uri| String::from_utf8_lossy(uri.of(bytes)));
                    let html = if document.is_html { "html " } else { "" };
                    format!("{html}{} {uri} {}", document.kind.name(), String::from_utf8_lossy(&text))
                }
                Held::Blank => "blank".into(),
                Held::Other(kind) => kind.name().into(),
                Held::Broken(fault) => format!("broken: {fault}"),
                Held::After(fault) => format!("after: {fault}"),
            }
        });
        let told = told.collect();
        assert_eq!(next, bytes.len() as u64);
        told
    }

    #[test]
    fn the_kind_and_the_media_type_tell_what_is_a_document() {
        let of = |kind: &str, media: &str| all(&record(&format!("WARC-Type: {kind}\nContent-Type: {media}"), b"text")).join(", ");
        for (kind, media, expected) in [
            ("conversion", "text/plain", "conversion - text"),
            ("conversion", "", "conversion - text"),
            ("Conversion", "TEXT/Plain; charset=utf-8", "conversion - text"),
            ("conversion", "text/html", "html conversion - text"),
            ("conversion", "image/png", "conversion"),
            ("resource", "text/csv;x", "resource - text"),
            ("resource", "application/xhtml+xml", "html resource - text"),
            ("resource", "application/json", "resource"),
            ("resource", "", "resource"),
            ("resource", "text/dns", "resource"),
            ("response", "text/dns", "response"),
            ("response", "text/plain", "response"),
            ("response", "application/http", "response"),
            ("warcinfo", "application/warc-fields", "warcinfo"),
            ("metadata", "text/plain", "metadata"),
            ("request", "application/http;msgtype=request", "request"),
            ("revisit", "application/http", "revisit"),
            ("continuation", "text/plain", "continuation"),
            ("novelty", "text/plain", "unknown"),
        ] {
            assert_eq!(of(kind, media), expected, "{kind} {media}");
        }
        let part = record("WARC-Type: resource\nContent-Type: text/plain\nWARC-Segment-Number: 1", b"text");
        assert_eq!(all(&part), ["resource"]);
    }

    #[test]
    fn of_a_response_the_http_message_tells() {
        for (http, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\ntext\r\n", "response - text\r\n"),
            ("HTTP/1.0 404 no\ncontent-type:TEXT/plain;charset=x\n\ntext\n\n", "response - text\n\n"),
            ("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", "response - "),
            ("HTTP/1.1 200 OK\r\nContent-Type:\r\n text/plain\r\n\r\ntext", "response - text"),
            (
                "HTTP/2\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n2\r\nte\r\n2\r\nxt\r\n0\r\n",
                "response - text",
            ),
            ("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>", "html response - <p>"),
            ("HTTP/1.1 200 OK\r\nContent-Type: image/gif\r\n\r\n", "response"),
            ("HTTP/1.1 200 OK\r\nServer: x\r\n\r\ntext", "response"),
            ("HTTP/1.1 200 OK\r\nContent-Type: text/plain", "response"),
            ("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n", "response"),
            ("HTTP/1.1 200 OK", "response"),
            ("HT", "response"),
            ("", "response"),
            ("no HTTP at all\r\nContent-Type: text/plain\r\n\r\ntext", "response"),
        ] {
            assert_eq!(all(&response(http)), [expected], "{http}");
        }
        let found = |media: &str, http: &str| {
            all(&record(&format!("WARC-Type: response\nWARC-Identified-Payload-Type: {media}"), http.as_bytes())).join(", ")
        };
        assert_eq!(found("text/html", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n<p>"), "html response - <p>");
        assert_eq!(found("text/plain", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>"), "html response - <p>");
        assert_eq!(found("text/plain", "HTTP/1.1 200 OK\r\n\r\ntext"), "response - text");
    }

    #[test]
    fn records_are_read_as_real_ones_are_written() {
        let text = "WARC-Type: conversion\r\nContent-Length: 4\r\n\r\ntext";
        for (bytes, expected) in [
            (format!("WARC/1.0\r\n{text}\r\n\r\n"), &["conversion - text"][..]),
            (format!("WARC/1.1\r\n{text}"), &["conversion - text"]),
            (format!("WARC/1.1\r\n{text}\r\n"), &["conversion - text"]),
            (format!("WARC/0.18\r\n{text}\r\n\r\n\r\n\n\n"), &["conversion - text", "blank"]),
            (format!("\r\n\r\nWARC/1.0\r\n{text}\n\nWARC/1.0\r\n{text}"), &["blank", "conversion - text", "conversion - text"]),
            (format!("WARC/1.0\r\n{text}WARC/1.0\r\n{text}\nWARC/1.0\r\n{text}"), &["conversion - text"; 3]),
            (format!("WARC/1.0\r\n{text}\r\n\r\n").replace("\r\n", "\n"), &["conversion - text"]),
            (format!("WARC/1.0\r\n{text}\r\n\r\n").to_lowercase().replace("warc/1", "WARC/1"), &["conversion - text"]),
            (format!("WARC/1.0\r\nWARC-Target-URI: <http://a.b/c d>\r\n{text}"), &["conversion http://a.b/c d text"]),
            (format!("WARC/1.0\r\nWARC-Target-URI:\r\n http://a.b/\r\nno header\r\n{text}"), &["conversion http://a.b/ text"]),
            (format!("WARC/1.0\r\nWARC-Target-URI: <>\r\nWARC-Truncated: length\r\n{text}"), &["conversion - text"]),
            (format!("WARC/1.0\r\nContent-Length:4\r\n{text}"), &["conversion - text"]),
            (String::new(), &[]),
        ] {
            assert_eq!(all(bytes.as_bytes()), expected, "{bytes}");
        }
        assert_eq!(all(&record("WARC-Type: conversion", b"\xff\0")), ["conversion - \u{fffd}\0"]);
    }

    #[test]
    fn a_fault_says_what_is_wrong_and_the_next_record_is_read() {
        let good = record("WARC-Type: conversion", b"good");
        for (broken, fault) in [
            ("WARC/1.0\r\nWARC-Type: conversion\r\n\r\ntext\r\n\r\n", "has no Content-Length"),
            ("WARC/1.0\r\nContent-Length: -4\r\n\r\ntext\r\n\r\n", "its Content-Length is no number of bytes: \"-4\""),
            ("WARC/1.0\r\nContent-Length:\r\n\r\ntext\r\n\r\n", "its Content-Length is no number of bytes: \"\""),
            (
                "WARC/1.0\r\nContent-Length: 99999999999999999999\r\n\r\ntext\r\n\r\n",
                "its Content-Length is no number of bytes: \"99999999999999999999\"",
            ),
            ("WARC/1.0\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\ntext\r\n\r\n", "has two Content-Lengths that differ"),
            (
                "WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 3\r\n\r\ntext\r\n\r\n",
                "its Content-Length is 3, and no record begins behind that",
            ),
            (
                "WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 9\r\n\r\ntext\r\n\r\n",
                "its Content-Length is 9, and no record begins behind that",
            ),
            ("WARC/1.0\r\nWARC-Type: conversion\r\n", "has headers that no blank line ends"),
            ("Some text.\r\nMore of it.\r\n", "doesn't begin as a WARC record does: \"Some text.\""),
            ("WARC/one\r\n\r\n", "doesn't begin as a WARC record does: \"WARC/one\""),
            (
                "filedesc://a.arc 127.0.0.1 20140301000000 text/plain -1\n",
                "is an ARC file, the older form, which isn't read; warcio recompress makes it a WARC",
            ),
        ] {
            let told = all(&[broken.as_bytes(), &good].concat());
            let is_partial = broken.contains(": 9\r\n"); // it reaches into the next one's first line, which isn't found any more
            let expected = [format!("broken: {fault}"), "conversion - good".into()];
            assert_eq!(told, expected[..if is_partial { 1 } else { 2 }], "{broken}");
        }
        let cut = &good[..good.len() - 6];
        assert_eq!(all(cut), ["broken: ends early: its Content-Length is 4 and 2 bytes follow"]);
        let long = all(b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 1073741825\r\n\r\ntext\r\n\r\n");
        let told = "broken: its Content-Length is 1,073,741,825, and a text has at most 1,073,741,824 bytes";
        assert_eq!(long, [told, "after: ends early: its Content-Length is 1,073,741,825 and 8 bytes follow"]);
        let endless = [b"WARC/1.0\r\n", &b"a: b\r\n".repeat(head::MOST / 6 + 1)[..], &good].concat();
        assert_eq!(all(&endless), ["broken: has headers that no blank line ends", "conversion - good"]);
    }

    #[test]
    fn what_is_wrong_behind_a_record_that_gives_no_document_stands_by_itself() {
        let good = record("WARC-Type: conversion", b"good");
        let short = b"WARC/1.0\r\nWARC-Type: request\r\nContent-Length: 3\r\n\r\ntext\r\n\r\n";
        let told = all(&[short, &good[..]].concat());
        assert_eq!(told, ["request", "after: its Content-Length is 3, and no record begins behind that", "conversion - good"]);
        assert_eq!(all(&short[..short.len() - 5]), ["request"]);
        let after = "after: ends early: its Content-Length is 3 and 1 bytes follow";
        assert_eq!(all(&short[..short.len() - 7]), ["request", after]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(texts in vec((any::<Vec<u8>>(), "[a-z:/ ]{0,9}[a-z]", 0..3usize), 0..6), end in select(&["\r\n", "\n"][..])) {
            let kinds = [Kind::Conversion, Kind::Resource, Kind::Response];
            let mut all = Vec::new();
            for (text, uri, kind) in &texts {
                let kind = kinds[*kind];
                let http = if kind == Kind::Response { format!("HTTP/1.1 200 OK{end}Content-Type: text/plain{end}{end}") } else { String::new() };
                let media = if kind == Kind::Response { "application/http" } else { "text/plain" };
                let headers = format!("WARC-Type: {}{end}WARC-Target-URI: {uri}{end}Content-Type: {media}", kind.name());
                let len = http.len() + text.len();
                all.extend_from_slice(format!("WARC/1.1{end}{headers}{end}Content-Length: {len}{end}{end}{http}").as_bytes());
                all.extend_from_slice(text);
                all.extend_from_slice(end.repeat(2).as_bytes());
            }
            let read: Vec<_> = records(&all).map(|(_, held)| {
                let Held::Document(document) = held else { panic!("a document") };
                let uri = document.uri.unwrap().of(&all);
                (document.text.of(&all).to_vec(), String::from_utf8(uri.to_vec()).unwrap(), document.kind)
            }).collect();
            let written: Vec<_> = texts.into_iter().map(|(text, uri, kind)| (text, uri.trim().to_owned(), kinds[kind])).collect();
            prop_assert_eq!(read, written);
        }
    }
}
