//! Feeds: RSS 0.9x, 1.0, 1.1 and 2.0, Atom 0.3 and 1.0 (RFC 4287), JSON Feed 1. Each item is a document, and each body of it a text,
//! which is read from where it stands and cut there.

mod charset;
mod json;
mod xml;

pub(crate) use charset::{Coding, Declared, Decoded, decoded, wide};
pub(crate) use xml::{CDATA, is_seam};

use super::jsonl;
use crate::document::{Map, Span};
use memchr::memmem;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::fmt;

/// What an item is besides its bodies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What names it for ever: `guid`, `id`, `rdf:about`.
    pub id: Option<String>,
    /// Where it can be read.
    pub link: Option<String>,
    /// Its title, as it reads; HTML, if it looks like it.
    pub title: Option<String>,
    /// Where that is written.
    pub(crate) title_at: Span,
    /// When it was published, or changed, as that is written.
    pub date: Option<String>,
    /// Its place in the file, as it was decoded.
    pub place: Span,
    /// Where its id is written, as it was decoded.
    pub(crate) id_at: Span,
    /// Other things that name it: that of a synchronised item, and what statements about it name.
    pub(crate) other_ids: Vec<(Span, &'static str, String)>,
    /// All else that it has, as it is written: sounds, films, pictures, what extensions say.
    pub(crate) others: Vec<String>,
}

impl About {
    /// The kind of id that items have.
    pub(crate) const ID: &'static str = "id";
    /// The kind that FeedSync gives them.
    pub(crate) const SYNC: &'static str = "sx:sync";
}

/// An item, and where it stands in the feed as that was decoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Item {
    pub(crate) about: About,
    /// All that goes with it if something before it stays.
    pub(crate) extent: Span,
    /// And if nothing before it does.
    pub(crate) leading: Span,
    /// Its bodies, the fullest one first.
    pub(crate) bodies: SmallVec<[Body; 2]>,
}

/// A text of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    /// The element or the field that it is.
    pub(crate) name: &'static str,
    /// Where it is written.
    pub(crate) at: Span,
    pub(crate) written: Written,
    /// Whether it is HTML; `None`: if it looks like it.
    pub(crate) is_html: Option<bool>,
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// As it reads.
    Plainly,
    /// As characters of XML: in sections of character data, or with entities.
    Characters,
    /// As elements of the XML document.
    Elements,
    /// As a string of JSON, between its quotation marks.
    String,
}

impl Written {
    /// The text that is written so, and where it stands.
    pub(crate) fn read(self, written: &[u8]) -> (Cow<'_, [u8]>, Map) {
        match self {
            Written::Plainly | Written::Elements => (written.into(), Map::shift(0, written.len())),
            Written::Characters => xml::characters(written),
            Written::String => {
                let (mut text, mut escapes) = (Vec::new(), Vec::new());
                jsonl::unescape(written, &mut text, &mut escapes);
                (text.into(), jsonl::map(&escapes, written.len(), 0))
            }
        }
    }
}

/// Writes in the place of something that is written, as that is.
pub(crate) struct Hand<'c> {
    how: Written,
    is_html: bool,
    is_ascii: bool,
    coding: Option<&'c Coding>,
    /// The sections of character data.
    sections: Vec<Span>,
}

impl<'c> Hand<'c> {
    /// Who writes in the place of parts of a body of a file that is written so.
    pub(crate) fn of(body: &Body, file: &[u8], coding: Option<&'c Coding>) -> Self {
        let written = body.at.of(file);
        let sections = if body.written == Written::Characters { xml::sections(written) } else { Vec::new() };
        let is_html = body.is_html == Some(true);
        Self { how: body.written, is_html, is_ascii: written.is_ascii(), coding, sections }
    }

    /// How a text is written in a place, if it can be.
    pub(crate) fn put(&self, text: &[u8], at: Span) -> Option<Vec<u8>> {
        let is_in_section = || {
            let next = self.sections.partition_point(|section| section.end <= at.start);
            self.sections.get(next).is_some_and(|section| section.start <= at.start)
        };
        let can_be_encoded = |text: &[u8]| self.coding.is_none_or(|coding| coding.encoded(text).is_some());
        let put = match (self.how, str::from_utf8(text)) {
            _ if self.is_html && memchr::memchr2(b'<', b'&', text).is_some() => return None, // which are no text there
            (Written::Characters | Written::Elements, Ok(text)) if text.contains(|char| !xml::may_be(char)) => return None,
            (Written::String, _) => jsonl::escaped(text, self.is_ascii),
            (Written::Characters, Ok(text)) if !is_in_section() => {
                let mut put = String::with_capacity(text.len());
                for char in quick_xml::escape::partial_escape(text).chars() {
                    match char {
                        char if can_be_encoded(char.encode_utf8(&mut [0; 4]).as_bytes()) => put.push(char),
                        char => put.push_str(&format!("&#{};", u32::from(char))),
                    }
                }
                put.into()
            }
            _ => text.into(),
        };
        can_be_encoded(&put).then_some(put)
    }
}

/// The items of a feed, and what the feed itself is named by.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    pub(crate) items: Vec<Item>,
    pub(crate) id: Option<String>,
}

/// Takes a feed apart.
///
/// # Errors
/// If it is none, or broken.
pub(crate) fn read(text: &str) -> Result<Feed, Fault> {
    let mark = text.len() - text.trim_start_matches('\u{feff}').len();
    match text[mark..].trim_ascii_start().bytes().next() {
        Some(b'{' | b'[') => json::read(text, mark),
        _ => xml::read(text, mark),
    }
}

/// Whether something begins as a feed does, whatever follows: with an element or a member that only feeds have.
pub(crate) fn begins(beginning: &[u8]) -> bool {
    const PROBE: usize = 8 << 10;
    let beginning = &beginning[..beginning.len().min(PROBE)];
    if let Some((_, text)) = charset::wide(beginning) {
        return begins(text.as_bytes());
    }
    let beginning = beginning.strip_prefix(crate::document::BYTE_ORDER_MARK).unwrap_or(beginning).trim_ascii_start();
    match beginning.first() {
        Some(b'{') => {
            memmem::find(beginning, b"jsonfeed.org/version/").is_some()
                || memmem::find(beginning, br"jsonfeed.org\/version\/").is_some()
        }
        Some(b'<') => xml::root(beginning).is_some_and(xml::is_feed),
        _ => false,
    }
}

/// Why a feed can't be read. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// XML that isn't well formed.
    Xml {
        /// The line in which that shows.
        line: u64,
        /// The parser's reason.
        reason: String,
    },
    /// What isn't JSON, or not of the shape of a feed.
    Json {
        /// The line in which that shows.
        line: u64,
        /// The parser's reason.
        reason: String,
    },
    /// XML or JSON, but no feed.
    NoFeed {
        /// What it is: "its root is <html>".
        what: String,
    },
    /// A name of an encoding that nobody knows.
    UnknownEncoding {
        /// The name.
        label: String,
    },
    /// Bytes that aren't characters in the encoding that it says it has.
    NotInEncoding {
        /// The line of the first of them.
        line: u64,
        /// The name of the encoding.
        encoding: &'static str,
        /// Whether the feed names it itself.
        is_declared: bool,
    },
    /// An encoding in which a byte may mean something else by what precedes it.
    Stateful {
        /// The name of the encoding.
        encoding: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Xml { line, reason } => write!(f, "line {line}: broken XML: {reason}"),
            Fault::Json { line, reason } => write!(f, "line {line}: no JSON Feed: {reason}"),
            Fault::NoFeed { what } => write!(f, "is no feed: {what}"),
            Fault::UnknownEncoding { label } => write!(f, "is in the encoding {label:?}, which is none that is known"),
            Fault::NotInEncoding { line, encoding, is_declared: true } => {
                write!(f, "line {line}: bytes that are no {encoding}, which it says it is in")
            }
            Fault::NotInEncoding { line, encoding, is_declared: false } => {
                write!(f, "line {line}: bytes that are no {encoding}, and it names no other encoding")
            }
            Fault::Stateful { encoding } => {
                write!(
                    f,
                    "is in {encoding}, in which nothing can be cut by itself; make it UTF-8 first: iconv -f {encoding} -t UTF-8"
                )
            }
        }
    }
}

/// The number of the line that a byte of a text is in.
fn line(text: &str, at: usize) -> u64 {
    1 + memchr::memchr_iter(b'\n', &text.as_bytes()[..at.min(text.len())]).count() as u64
}
