//! What the first record of some bytes is, and how long: as far as can be told when more of them may come.

use super::head::{self, Begins, Headers};
use super::http::{self, Payload};
use super::{Coding, Document, Fault, Held, Kind};
use crate::document::Span;

/// The line ends behind a record.
const ENDS: u64 = 4;

/// What can be told of the record that bytes begin with.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing, before there are so many bytes; there are fewer.
    More(u64),
    /// What it is; it is whole.
    Is {
        /// Its length, with the line ends behind it.
        len: usize,
        held: Held,
        /// What is wrong behind it.
        after: Option<Fault>,
    },
    /// It gives no document, and isn't whole; its headers are.
    Passed {
        held: Held,
        /// How far its content goes.
        end: u64,
        /// How long that is.
        len: u64,
    },
    /// It can't be read; where the next one begins isn't known, but no earlier than `from`.
    Broken { fault: Fault, from: usize },
}

/// What `bytes` begin with, which aren't empty. If they end `is_end`, it is always known. A text is at most `longest` bytes.
pub(super) fn step(bytes: &[u8], is_end: bool, longest: u64) -> Step {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    if blank > 0 {
        return Step::Is { len: blank, held: Held::Blank, after: None };
    }
    let more = || Step::More(bytes.len() as u64 + 1);
    let version = match head::begins(bytes) {
        Begins::Version(len) => len,
        // So that what is said of it doesn't depend on how many bytes have come.
        _ if !is_end && bytes.len() < head::VERSION => return more(),
        _ => return broken(bytes, is_end, 0, not_warc(bytes)),
    };
    let headers_end = match head::end(bytes, version) {
        Ok(Some(end)) => end,
        Ok(None) if !is_end => return more(),
        _ => return broken(bytes, is_end, 0, Fault::EndlessHeaders),
    };
    let record = match Record::new(bytes, version, headers_end) {
        Ok(record) => record,
        Err(fault) => return broken(bytes, is_end, 0, fault),
    };
    match record.held(is_end) {
        None => more(),
        Some(Held::Document(_)) if record.len > longest => {
            record.passed(Held::Broken(Fault::TooLong { len: record.len, longest }), is_end)
        }
        Some(Held::Document(document)) => record.document(document, is_end),
        Some(held) => record.passed(held, is_end),
    }
}

fn broken(bytes: &[u8], is_end: bool, from: usize, fault: Fault) -> Step {
    match head::next_version(bytes, from) {
        Some(len) => Step::Is { len, held: Held::Broken(fault), after: None },
        None if is_end => Step::Is { len: bytes.len(), held: Held::Broken(fault), after: None },
        None => Step::Broken { fault, from },
    }
}

fn not_warc(bytes: &[u8]) -> Fault {
    if bytes.starts_with(b"filedesc://") {
        return Fault::Arc;
    }
    let line = bytes[..bytes.len().min(head::VERSION)].split(|&byte| byte == b'\n').next().unwrap_or_default();
    Fault::NotWarc { begins: String::from_utf8_lossy(line.trim_ascii_end()).into_owned() }
}

/// Whether a record's content is followed by what should follow it.
pub(super) enum End {
    /// It is; the line ends that belong to it are so long.
    Here(usize),
    /// It isn't.
    Nowhere,
    /// These are too few bytes to tell.
    Unknown,
}

/// What `bytes` that follow a record's content say of it. Two line ends should follow; one or none will do if that is all, or if
/// the next record begins.
pub(super) fn end(bytes: &[u8], is_end: bool) -> End {
    let mut at = 0;
    for _ in 0..2 {
        match &bytes[at..] {
            [b'\r', b'\n', ..] => at += 2,
            [b'\n', ..] => at += 1,
            [] | [b'\r'] if !is_end => return End::Unknown,
            [] => return End::Here(at),
            rest => match head::begins(rest) {
                Begins::Version(_) => return End::Here(at),
                Begins::Unknown if !is_end => return End::Unknown,
                _ => return End::Nowhere,
            },
        }
    }
    End::Here(at)
}

/// A record whose headers are there.
pub(super) struct Record<'a> {
    bytes: &'a [u8],
    pub(super) headers: Headers<'a>,
    /// Where its content begins.
    pub(super) content: usize,
    /// How long that is.
    pub(super) len: u64,
    pub(super) kind: Kind,
}

impl<'a> Record<'a> {
    /// The record at the beginning of `bytes` whose version line and headers end there.
    fn new(bytes: &'a [u8], version: usize, content: usize) -> Result<Self, Fault> {
        let headers = Headers::new(bytes, version, content);
        let kind = Kind::of(headers.value("WARC-Type"));
        let mut lens = headers.places("Content-Length").map(|place| length(place.of(bytes)));
        let len = lens.next().ok_or(Fault::NoLength)??;
        if lens.any(|other| other != Ok(len)) {
            return Err(Fault::TwoLengths);
        }
        Ok(Self { bytes, headers, content, len, kind })
    }

    /// The record that `bytes` are, which was read before.
    pub(super) fn known(bytes: &'a [u8]) -> Self {
        let Begins::Version(version) = head::begins(bytes) else { panic!("a record begins with its version") };
        let content = head::end(bytes, version).ok().flatten().expect("the headers of a record end");
        Self::new(bytes, version, content).expect("a record has a length")
    }

    /// What its headers say, and those of the HTTP message in it; nothing if those aren't all there.
    fn held(&self, is_end: bool) -> Option<Held> {
        let media = head::media(self.headers.value("Content-Type"));
        let is_part = self.kind == Kind::Continuation || self.headers.place("WARC-Segment-Number").is_some();
        Some(match self.kind {
            _ if is_part => Held::Other(self.kind),
            Kind::Conversion if media.is_empty() => self.text(Span::new(self.content, self.content), None, false),
            Kind::Conversion | Kind::Resource => self.text_of_media(media, Span::new(self.content, self.content), None),
            Kind::Response if media.is_empty() || media.eq_ignore_ascii_case(b"application/http") => {
                let end = self.end();
                let here = &self.bytes[..usize::try_from(end).unwrap_or(usize::MAX).min(self.bytes.len())];
                let is_all = is_end || here.len() as u64 == end;
                match http::payload(here, self.content, is_all) {
                    Payload::Unknown => return None,
                    Payload::None => Held::Other(self.kind),
                    Payload::Body { headers, start } => self.response(headers, start),
                }
            }
            kind => Held::Other(kind),
        })
    }

    /// What a response with such an HTTP message holds. Servers call many a page of HTML plain text; some crawlers look.
    fn response(&self, http: Headers, start: usize) -> Held {
        let found = head::media(self.headers.value("WARC-Identified-Payload-Type"));
        let said = head::media(http.value("Content-Type"));
        let media = if said.is_empty() || http::is_html(found) { found } else { said };
        let is_truncated = self.headers.place("WARC-Truncated").is_some();
        self.text_of_media(media, Span::new(start, start), Coding::of(http, is_truncated))
    }

    fn text_of_media(&self, media: &[u8], start: Span, coding: Option<Coding>) -> Held {
        match media {
            html if http::is_html(html) => self.text(start, coding, true),
            text if http::is_text(text) => self.text(start, coding, false),
            _ => Held::Other(self.kind),
        }
    }

    /// A text that goes from there to the end of the record, and may be HTML.
    fn text(&self, start: Span, coding: Option<Coding>, is_html: bool) -> Held {
        let uri = self.headers.place("WARC-Target-URI").map(|uri| head::bare(self.bytes, uri)).filter(|uri| !uri.is_empty());
        Held::Document(Document { kind: self.kind, text: Span { end: self.end(), ..start }, coding, is_html, uri })
    }

    /// Where its content ends.
    fn end(&self) -> u64 {
        self.content as u64 + self.len
    }

    /// Its content, and what follows, if it is all there.
    fn split(&self) -> Option<(usize, &'a [u8])> {
        let end = usize::try_from(self.end()).ok()?;
        Some((end, self.bytes.get(end..)?))
    }

    fn document(&self, document: Document, is_end: bool) -> Step {
        let Some((end, rest)) = self.split() else {
            return if is_end { self.cut_short() } else { Step::More(self.end() + ENDS) };
        };
        match self::end(rest, is_end) {
            End::Here(ends) => Step::Is { len: end + ends, held: Held::Document(document), after: None },
            End::Unknown => Step::More(self.bytes.len() as u64 + 1),
            End::Nowhere => broken(self.bytes, is_end, end, Fault::NoEnd { len: self.len }),
        }
    }

    /// All that is left belongs to it, by what it says; so nothing in it is taken for the next record.
    fn cut_short(&self) -> Step {
        let there = (self.bytes.len() - self.content) as u64;
        let held = Held::Broken(Fault::CutShort { len: self.len, there });
        Step::Is { len: self.bytes.len(), held, after: None }
    }

    fn passed(&self, held: Held, is_end: bool) -> Step {
        let passed = |held| Step::Passed { held, end: self.end(), len: self.len };
        match self.split() {
            None if is_end => {
                let there = (self.bytes.len() - self.content) as u64;
                let after = Some(Fault::CutShort { len: self.len, there });
                Step::Is { len: self.bytes.len(), held, after }
            }
            None => passed(held),
            Some((end, rest)) => match self::end(rest, is_end) {
                End::Here(ends) => Step::Is { len: end + ends, held, after: None },
                // What is cut off as a whole is taken apart once more, by itself: what is wrong behind it wouldn't be seen.
                End::Unknown | End::Nowhere if !is_end => passed(held),
                _ => Step::Is { len: end, held, after: Some(Fault::NoEnd { len: self.len }) },
            },
        }
    }
}

/// A Content-Length. Beyond half of what a file may have, sums of them could overflow, and none is real.
fn length(value: &[u8]) -> Result<u64, Fault> {
    const SHOWN: usize = 40;
    const MOST: u64 = i64::MAX as u64 / 2;
    let number = std::str::from_utf8(value).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
    number.and_then(|digits| digits.parse().ok()).filter(|len| *len < MOST).ok_or_else(|| {
        let shown = String::from_utf8_lossy(&value[..value.len().min(SHOWN)]).into_owned();
        Fault::NotLength { value: shown }
    })
}
