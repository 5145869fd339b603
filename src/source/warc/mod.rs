//! WARC 1.0 and 1.1 (ISO 28500), and WET, which is WARC: records one after the other, each with headers that say how long its
//! content is. A record is a document if its content is text: a conversion or a resource that says so, or a response whose HTTP
//! message does. HTML isn't read as text. What gives no document is known by its headers, and may be any length.
//!
//! Knows bytes alone: [`records`] takes apart what begins and ends with whole records, [`Cutter`] cuts a stream so, and
//! [`rewrite`], [`conversion`] and [`as_json`] append records to a buffer.

mod coding;
mod cutter;
mod digest;
mod head;
mod http;
mod step;
mod write;

pub use coding::Coding;
pub use cutter::{Cut, Cutter};
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
    /// A record of a page in HTML, which isn't read as text.
    Html,
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
            Fault::TooLong { len } => {
                write!(f, "its Content-Length is {}, and a text has at most {} bytes", count(*len), count(LONGEST))
            }
            Fault::CutShort { len, there } => {
                write!(f, "ends early: its Content-Length is {} and {} bytes follow", count(*len), count(*there))
            }
            Fault::NoEnd { len } => write!(f, "its Content-Length is {}, and no record begins behind that", count(*len)),
            Fault::Coded { by, why: None } => write!(f, "its content is packed in a way that isn't read: {by}"),
            Fault::Coded { by, why: Some(why) } => write!(f, "its content is packed by {by}, which is broken: {why}"),
            Fault::Bomb { by } => {
                write!(f, "its content is packed by {by}, and unpacks to more than {} bytes", count(coding::MOST as u64))
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
            None => match step::step(rest, true) {
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
        Held::Document(Document { kind, text, coding, uri }) => {
            Held::Document(Document { kind, text: on(text), coding: coding.map(|coding| coding.moved(by)), uri: uri.map(on) })
        }
        held => held,
    }
}
