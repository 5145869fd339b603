//! Records that are written: one less its cuts, one of the text of a response, and one as a line of JSONL.

use super::digest::Check;
use super::head::{self, Headers};
use super::http::{self, Payload};
use super::step::Record;
use crate::document::Span;
use serde::Serialize;
use sha1::{Digest, Sha1};
use std::borrow::Cow;
use std::io::Write as _;

/// Appends a conversion or resource that was read as a document, less `cuts` (bytes of `record` in its text, in order, without
/// overlap). Its length and check sums are made right, and a check sum goes that was made in a way that isn't known; all other
/// bytes are as they were, all bytes if nothing is cut.
pub fn rewrite(record: &[u8], cuts: &[Span], out: &mut Vec<u8>) {
    if cuts.iter().all(|cut| cut.is_empty()) {
        out.extend_from_slice(record);
        return;
    }
    let read = Record::known(record);
    let end = read.content + read.len as usize;
    let left: Vec<&[u8]> = pieces(record, Span::new(read.content, end), cuts).collect();
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

/// What is left of a span without the cuts.
fn pieces<'a>(record: &'a [u8], span: Span, cuts: &'a [Span]) -> impl Iterator<Item = &'a [u8]> {
    let starts = [span.start].into_iter().chain(cuts.iter().map(|cut| cut.end));
    let ends = cuts.iter().map(|cut| cut.start).chain([span.end]);
    starts.zip(ends).map(|(start, end)| Span { start, end }.of(record))
}

/// Appends a conversion record of a text that a response gave, as WET has them. Its id is made of the response's, so that the
/// same response always gives the same bytes. It is of version 1.0, or of 1.1 if the response is, whose dates may be longer.
pub fn conversion(response: &[u8], text: &[u8], out: &mut Vec<u8>) {
    let read = Record::known(response);
    let id = read.headers.value("WARC-Record-ID");
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
    write!(out, "\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", text.len()).expect("memory takes all");
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n\r\n");
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

/// Appends a line of JSONL with a record's address, a text that is what it has or what is left of that, and some of its headers;
/// of a response the media type is that of its HTTP message. JSON is UTF-8: other bytes become U+FFFD, each maximal part of a
/// character one.
pub fn as_json(record: &[u8], text: &[u8], out: &mut Vec<u8>) {
    let read = Record::known(record);
    let words = |value: &'_ [u8]| String::from_utf8(in_one_line(value).collect()).unwrap_or_else(|error| lossy(error.as_bytes()));
    let header = |headers: Headers<'_>, name| Some(headers.value(name)).filter(|value| !value.is_empty()).map(|value| words(value).into());
    let uri = read.headers.place("WARC-Target-URI").map(|uri| words(head::bare(record, uri).of(record)).into());
    let media = match http::payload(record, read.content, true) {
        Payload::Body { headers, .. } if read.kind == super::Kind::Response => headers,
        _ => read.headers,
    };
    let warc = Known {
        date: header(read.headers, "WARC-Date"),
        id: header(read.headers, "WARC-Record-ID"),
        media: header(media, "Content-Type"),
        language: header(read.headers, "WARC-Identified-Content-Language"),
    };
    let line = Line { id: uri, text: String::from_utf8_lossy(text), warc };
    serde_json::to_writer(&mut *out, &line).expect("memory takes all");
    out.push(b'\n');
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
