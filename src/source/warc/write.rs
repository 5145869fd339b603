//! Records that are written: one with its edits, one of the text of a response, and one as a line of JSONL.

use super::digest::Check;
use super::head::{self, Headers};
use super::http::{self, Payload};
use super::step::Record;
use crate::document::{Edit, Span};
use crate::source::feed::{Declared, Decoded, decoded};
use encoding_rs::Encoding;
use serde::Serialize;
use sha1::{Digest, Sha1};
use std::borrow::Cow;
use std::io::Write as _;

/// Appends a conversion or resource that was read as a document, with `edits` (bytes of `record` in its text, in order, without
/// overlap). Its length and check sums are made right, and a check sum goes that was made in a way that isn't known; all other
/// bytes are as they were, all bytes if nothing is changed.
pub fn rewrite(record: &[u8], edits: &[Edit], out: &mut Vec<u8>) {
    if edits.iter().all(|edit| edit.at.is_empty()) {
        out.extend_from_slice(record);
        return;
    }
    let read = Record::known(record);
    let end = read.content + read.len as usize;
    let left: Vec<&[u8]> = pieces(record, Span::new(read.content, end), edits).collect();
    let len: usize = left.iter().map(|piece| piece.len()).sum();
    let mut from = 0;
    for field in read.headers.fields() {
        let name = field.name.of(record);
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        let is_check = is("WARC-Block-Digest") || is("WARC-Payload-Digest");
        if !is_check && !is("Content-Length") {
            continue;
        }
        let check = if is_check { Check::like(field.value.of(record)) } else { None };
        let until = if is_check && check.is_none() { field.line } else { field.value };
        out.extend_from_slice(&record[from..until.start as usize]);
        from = until.end as usize;
        match check {
            Some(mut check) => {
                left.iter().for_each(|piece| check.update(piece));
                check.append_to(out);
            }
            None if is_check => {}
            None => out.extend_from_slice(len.to_string().as_bytes()),
        }
    }
    out.extend_from_slice(&record[from..read.content]);
    left.iter().for_each(|piece| out.extend_from_slice(piece));
    out.extend_from_slice(&record[end..]);
}

/// The head of a record whose text goes on with `edits`; all places are in `bytes`.
pub(crate) fn head(extent: Span, text: Span, edits: &[Edit], bytes: &[u8]) -> Vec<u8> {
    let within: Vec<Edit> = edits.iter().map(|edit| edit.counted_from(extent.start)).collect();
    let mut anew = Vec::new();
    rewrite(extent.of(bytes), &within, &mut anew);
    let stays = edits.iter().fold(extent.end - text.start, |len, edit| len + edit.put.len() as u64 - edit.at.len());
    anew.truncate(anew.len() - stays as usize);
    anew
}

/// What a span is with the edits.
fn pieces<'a>(record: &'a [u8], span: Span, edits: &'a [Edit]) -> impl Iterator<Item = &'a [u8]> {
    let starts = [span.start].into_iter().chain(edits.iter().map(|edit| edit.at.end));
    let ends = edits.iter().map(|edit| edit.at.start).chain([span.end]);
    let put = edits.iter().map(|edit| &*edit.put).chain([&[][..]]);
    starts.zip(ends).zip(put).flat_map(|((start, end), put)| [Span { start, end }.of(record), put])
}

/// Appends a conversion record of a text that a response gave, as WET has them. Its id is made of the response's, so that the
/// same response always gives the same bytes. It is of version 1.0, or of 1.1 if the response is, whose dates may be longer. A text in
/// another charset, which its byte order mark or the HTTP message tells, becomes UTF-8, as texts are in WET.
///
/// One of a page in HTML, which may name its charset itself, is one of HTML.
pub fn conversion(response: &[u8], text: &[u8], is_html: bool, out: &mut Vec<u8>) {
    let read = Record::known(response);
    let id = read.headers.value("WARC-Record-ID");
    let media = message_of(&read, response).value("Content-Type");
    let text = &*if is_html { page_in_utf8(text, media) } else { in_utf8(text, media) };
    let mut check = Check::sha1();
    check.update(text);
    let version: &[u8] = if response.starts_with(b"WARC/1.1") { b"WARC/1.1" } else { b"WARC/1.0" };
    out.extend_from_slice(version);
    out.extend_from_slice(b"\r\nWARC-Type: conversion\r\n");
    let uri = read.headers.place("WARC-Target-URI").map_or(&[][..], |uri| head::bare(response, uri).of(response));
    append_header(out, "WARC-Target-URI", uri);
    append_header(out, "WARC-Date", read.headers.value("WARC-Date"));
    let name = if id.is_empty() { &response[..read.content] } else { id };
    append_header(out, "WARC-Record-ID", urn(name).as_bytes());
    append_header(out, "WARC-Refers-To", id);
    out.extend_from_slice(b"WARC-Block-Digest: ");
    check.append_to(out);
    let media = match is_html {
        // What the page says of itself may not be so any more.
        true if simdutf8::basic::from_utf8(text).is_ok() => "text/html; charset=utf-8",
        true => "text/html",
        false => "text/plain",
    };
    write!(out, "\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n", text.len()).expect("memory takes all");
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n\r\n");
}

/// A text in UTF-8, if it is known what it is in.
fn in_utf8<'t>(text: &'t [u8], media: &[u8]) -> Cow<'t, [u8]> {
    let charset = Encoding::for_bom(text).map(|(charset, _)| charset).or_else(|| head::charset(media));
    let is_utf8 = || simdutf8::basic::from_utf8(text).is_ok();
    match charset {
        // Many a server names another one for what is UTF-8; bytes that are both are the same there.
        Some(charset) if charset != encoding_rs::UTF_8 && !(charset.is_ascii_compatible() && is_utf8()) => {
            charset.decode(text).0.into_owned().into_bytes().into()
        }
        _ => text.into(),
    }
}

/// A page in UTF-8, if it is known what it is in.
fn page_in_utf8<'t>(text: &'t [u8], media: &[u8]) -> Cow<'t, [u8]> {
    let by_message = in_utf8(text, media);
    if simdutf8::basic::from_utf8(&by_message).is_ok() {
        return by_message;
    }
    match decoded(text, Declared::Html) {
        Ok(Decoded { text: Cow::Borrowed(text), .. }) => text.as_bytes().into(),
        Ok(Decoded { text: Cow::Owned(text), .. }) => text.into_bytes().into(),
        Err(_) => text.into(),
    }
}

/// The headers that say what the text of a record is: of a response those of its HTTP message.
fn message_of<'a>(read: &Record<'a>, record: &'a [u8]) -> Headers<'a> {
    match http::payload(record, read.content, true) {
        Payload::Body { headers, .. } if read.kind == super::Kind::Response => headers,
        _ => read.headers,
    }
}

/// Appends a header, if it has a value: in one line, even if it took several.
fn append_header(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    if value.is_empty() {
        return;
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend(in_one_line(value));
    out.extend_from_slice(b"\r\n");
}

fn in_one_line(value: &[u8]) -> impl Iterator<Item = u8> {
    value.iter().map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte })
}

/// A name for what is made of the record with that id: a UUID of version 5 (RFC 9562), which is a hash of it.
fn urn(id: &[u8]) -> String {
    /// The name space of URLs and URNs.
    const SPACE: [u8; 16] = *b"\x6b\xa7\xb8\x11\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8";
    let hash = Sha1::new().chain_update(SPACE).chain_update(b"unecho conversion of ").chain_update(id).finalize();
    let mut uuid: [u8; 16] = *hash.first_chunk().expect("SHA-1 has 20 bytes");
    uuid[6] = uuid[6] & 0x0f | 0x50; // its version
    uuid[8] = uuid[8] & 0x3f | 0x80; // its variant
    let hex = data_encoding::HEXLOWER.encode(&uuid);
    format!("<urn:uuid:{}-{}-{}-{}-{}>", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// A record as a line of JSONL.
#[derive(Serialize)]
struct Line<'a> {
    id: Option<Cow<'a, str>>,
    text: Cow<'a, str>,
    warc: Known<'a>,
}

/// What is kept of the headers.
#[derive(Serialize)]
struct Known<'a> {
    #[serde(rename = "WARC-Date", skip_serializing_if = "Option::is_none")]
    date: Option<Cow<'a, str>>,
    #[serde(rename = "WARC-Record-ID", skip_serializing_if = "Option::is_none")]
    id: Option<Cow<'a, str>>,
    #[serde(rename = "Content-Type", skip_serializing_if = "Option::is_none")]
    media: Option<Cow<'a, str>>,
    #[serde(rename = "WARC-Identified-Content-Language", skip_serializing_if = "Option::is_none")]
    language: Option<Cow<'a, str>>,
}

/// Appends a line of JSONL with a record's address, what is left of the text that it `has`, and some of its headers;
/// of a response the media type is that of its HTTP message. JSON is UTF-8: a text in another charset, which the media type names, is
/// decoded; other bytes become U+FFFD, each maximal part of a character one.
pub fn as_json(record: &[u8], has: &[u8], left: &[u8], out: &mut Vec<u8>) {
    let read = Record::known(record);
    let words = |value: &'_ [u8]| String::from_utf8(in_one_line(value).collect()).unwrap_or_else(|error| lossy(error.as_bytes()));
    let header =
        |headers: Headers<'_>, name| Some(headers.value(name)).filter(|value| !value.is_empty()).map(|value| words(value).into());
    let uri = read.headers.place("WARC-Target-URI").map(|uri| words(head::bare(record, uri).of(record)).into());
    let media = message_of(&read, record);
    let warc = Known {
        date: header(read.headers, "WARC-Date"),
        id: header(read.headers, "WARC-Record-ID"),
        media: header(media, "Content-Type"),
        language: header(read.headers, "WARC-Identified-Content-Language"),
    };
    // How it is read doesn't depend on what is left of it.
    let is_utf8 = simdutf8::basic::from_utf8(has).is_ok();
    let charset = head::charset(media.value("Content-Type")).filter(|charset| charset.is_ascii_compatible());
    let text = match charset.filter(|_| !is_utf8) {
        Some(charset) => charset.decode_without_bom_handling(left).0,
        None => String::from_utf8_lossy(left),
    };
    let line = Line { id: uri, text, warc };
    serde_json::to_writer(&mut *out, &line).expect("memory takes all");
    out.push(b'\n');
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::record;
    use super::super::{Document, Held, records};
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::json;

    /// The one document that `bytes` are.
    fn document(bytes: &[u8]) -> Document {
        let mut all = records(bytes);
        let Some((span, Held::Document(document))) = all.next() else { panic!("a document") };
        assert_eq!((span.end, all.next()), (bytes.len() as u64, None));
        document
    }

    fn rewritten(record: &[u8], cuts: &[Span]) -> Vec<u8> {
        let mut out = b"before".to_vec();
        let cuts: Vec<Edit> = cuts.iter().map(|&cut| cut.into()).collect();
        rewrite(record, &cuts, &mut out);
        out.split_off(6)
    }

    /// A check sum as it should be.
    fn sha1(text: &[u8]) -> String {
        data_encoding::BASE32.encode(&Sha1::digest(text))
    }

    #[test]
    fn a_record_less_its_cuts_says_what_it_is_now() {
        let old = b"WARC/1.0\nwarc-type:conversion\r\nWARC-Payload-Digest: sha1:OLD\r\nX:  as it was\t\r\n\
            content-length:   11  \r\nWARC-Block-Digest: blake3:OLD,\r\n and on\r\nY: z\n\nlong\nlonger\n\nWARC/1";
        let old = old.strip_suffix(b"WARC/1").unwrap();
        let text = document(old).text.start;
        let new = rewritten(old, &[Span { start: text + 4, end: text + 11 }]);
        let expected = format!(
            "WARC/1.0\nwarc-type:conversion\r\nWARC-Payload-Digest: sha1:{}\r\nX:  as it was\t\r\ncontent-length:   4  \r\nY: z\n\nlong\n\n",
            sha1(b"long")
        );
        assert_eq!(String::from_utf8(new).unwrap(), expected);
        assert_eq!(rewritten(old, &[]), old);
    }

    #[test]
    fn a_conversion_says_what_it_was_made_of() {
        let headers = "WARC-Type: response\nWARC-Target-URI: <http://a.b/>\nWARC-Date: 2024-05-18T01:58:10Z\n\
            WARC-Record-ID: <urn:uuid:12345678-1234-1234-1234-123456789012>\nContent-Type: application/http";
        let response = record(headers, b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nlong text");
        let mut out = Vec::new();
        conversion(&response, b"text", false, &mut out);
        let expected = format!(
            "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: http://a.b/\r\nWARC-Date: 2024-05-18T01:58:10Z\r\n\
             WARC-Record-ID: {}\r\nWARC-Refers-To: <urn:uuid:12345678-1234-1234-1234-123456789012>\r\n\
             WARC-Block-Digest: sha1:{}\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ntext\r\n\r\n",
            "<urn:uuid:4c8b145f-3828-52ff-9f32-f78931d25622>",
            sha1(b"text")
        );
        assert_eq!(String::from_utf8(out.clone()).unwrap(), expected);
        assert_eq!(document(&out).uri.map(|uri| uri.of(&out)), Some(&b"http://a.b/"[..]));
        let newer = [b"WARC/1.1", &response[8..]].concat();
        let bare = record("WARC-Type: response\nX: y\n injected: no", b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n");
        for (response, begins) in [(newer, "WARC/1.1\r\n"), (bare, "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <urn")] {
            out.clear();
            conversion(&response, b"", false, &mut out);
            assert!(out.starts_with(begins.as_bytes()) && document(&out).text.is_empty());
        }
    }

    #[test]
    fn a_line_of_json_has_the_text_and_where_it_came_from() {
        let of = |record: &[u8], text: &[u8]| -> serde_json::Value {
            let mut out = Vec::new();
            as_json(record, text, text, &mut out);
            assert!(out.ends_with(b"}\n") && memchr::memchr_iter(b'\n', &out).count() == 1);
            serde_json::from_slice(&out).unwrap()
        };
        let headers = "WARC-Type: conversion\nWARC-Target-URI: <http://a.b/>\nWARC-Date: 2024\nWARC-Record-ID: <urn:x>\n\
            WARC-Identified-Content-Language: eng,\n deu\nContent-Type: text/plain";
        assert_eq!(
            of(&record(headers, b""), "A \u{201c}text\u{201d}.\n\0".as_bytes()),
            json!({"id": "http://a.b/", "text": "A \u{201c}text\u{201d}.\n\0", "warc": {"WARC-Date": "2024", "WARC-Record-ID": "<urn:x>",
                "Content-Type": "text/plain", "WARC-Identified-Content-Language": "eng,   deu"}})
        );
        let http =
            record("WARC-Type: response\nContent-Type: application/http", b"HTTP/1.1 200 OK\r\nContent-Type: text/x;y\r\n\r\n");
        let broken = "a\u{fffd}b\u{fffd}";
        assert_eq!(of(&http, b"a\xffb\xe2\x82"), json!({"id": null, "text": broken, "warc": {"Content-Type": "text/x;y"}}));
    }

    #[test]
    fn a_text_in_another_charset_is_decoded() {
        let response = |media: &str| {
            let http = format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\n\r\n");
            record("WARC-Type: response\nContent-Type: application/http", http.as_bytes())
        };
        let utf16: Vec<u8> = "na\u{ef}ve".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = [b"\xff\xfe", &*utf16].concat();
        for (media, text) in [
            ("text/plain; charset=latin-1", &b"na\xefve"[..]),
            ("text/plain; charset=latin1", "na\u{ef}ve".as_bytes()),
            ("text/plain; charset=utf-16le", &utf16),
            ("text/plain", &marked),
            ("text/plain", "na\u{ef}ve".as_bytes()),
        ] {
            let mut converted = Vec::new();
            conversion(&response(media), text, false, &mut converted);
            let mut line = Vec::new();
            let place = document(&converted).text;
            as_json(&converted, place.of(&converted), place.of(&converted), &mut line);
            assert_eq!(serde_json::from_slice::<serde_json::Value>(&line).unwrap()["text"], "na\u{ef}ve", "{media}");
        }
        // What it is read as doesn't depend on what is left of it.
        let conversion = record("WARC-Type: conversion\nContent-Type: text/plain; charset=latin1", b"");
        let mut line = Vec::new();
        as_json(&conversion, b"na\xefve, \xc3\xa9", b"\xc3\xa9", &mut line);
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&line).unwrap()["text"], "\u{c3}\u{a9}");
    }

    /// A record of a text, and the places of cuts in it.
    fn cut_records() -> impl Strategy<Value = (Vec<u8>, Vec<Span>)> {
        let digest =
            select(&["WARC-Block-Digest: sha1:OLD\n", "warc-payload-digest:md5:OLD\n", "WARC-Block-Digest: crc:1\n", ""][..]);
        (digest.clone(), digest, vec(any::<u8>(), 0..60), vec(0..60usize, 0..8)).prop_map(|(first, second, text, mut cuts)| {
            let bytes = record(&format!("{first}WARC-Type: conversion\n{second}X: y"), &text);
            let from = document(&bytes).text.start as usize;
            cuts.sort_unstable();
            let places = cuts.chunks_exact(2).map(|cut| Span::new(from + cut[0].min(text.len()), from + cut[1].min(text.len())));
            let places = places.collect();
            (bytes, places)
        })
    }

    proptest! {
        #[test]
        fn what_is_rewritten_is_read_as_what_is_left((bytes, cuts) in cut_records()) {
            let new = rewritten(&bytes, &cuts);
            let (before, after) = (document(&bytes).text, document(&new).text);
            let left: Vec<u8> = (before.start..before.end).filter(|at| !cuts.iter().any(|cut| (cut.start..cut.end).contains(at)))
                .map(|at| bytes[at as usize]).collect();
            prop_assert_eq!(after.of(&new), &left[..]);
            prop_assert_eq!(&rewritten(&new, &[])[..], &new[..]);
            if left.len() as u64 == before.len() {
                prop_assert_eq!(&new, &bytes);
            } else {
                let read = Record::known(&new);
                for value in ["WARC-Block-Digest", "WARC-Payload-Digest"].into_iter().flat_map(|name| read.headers.places(name)) {
                    let value = String::from_utf8_lossy(value.of(&new)).into_owned();
                    let is_sha1 = value == format!("sha1:{}", sha1(&left));
                    let md5 = data_encoding::BASE32.encode(&md5::Md5::digest(&left));
                    prop_assert!(is_sha1 || value == format!("md5:{md5}"), "{}", value);
                }
                prop_assert!(new.windows(5).filter(|words| words == b"X: y\r").count() == 1);
            }
        }

        #[test]
        fn cuts_give_the_same_one_after_the_other((bytes, cuts) in cut_records(), at in 0..5usize) {
            let (first, second) = cuts.split_at(at.min(cuts.len()));
            let once = rewritten(&bytes, first);
            // Those after the first ones move as the end of the text does, back or, where check sums became longer, on.
            let by = document(&once).text.end.wrapping_sub(document(&bytes).text.end);
            let moved = |at: u64| at.wrapping_add(by);
            let second: Vec<Span> = second.iter().map(|cut| Span { start: moved(cut.start), end: moved(cut.end) }).collect();
            prop_assert_eq!(rewritten(&once, &second), rewritten(&bytes, &cuts));
        }
    }
}
