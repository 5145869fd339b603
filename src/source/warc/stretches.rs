//! The records of a WARC that have a place in a WET, from a stream: those that hold text as they stand there, but for responses,
//! which become conversions; what tells of the file or of a record besides; and what can't be read. What is part of the exchange with
//! a server is left out and counted.

use super::{Cut, Cutter, Document, Held, Kind, conversion, records};
use crate::document::Span;
use crate::source::records::{Fault, Holds, Record, Records, Stretch};
use std::io::{self, Read};

/// A stream is read in pieces of this size.
const READ_AT_ONCE: usize = 256 << 10;

/// Stretches of about the same size.
pub(crate) struct Stretches<R> {
    stream: R,
    /// About so many bytes make one.
    size: usize,
    /// No text has more than so many.
    longest: u64,
    cutter: Cutter,
    /// Bytes that are read; those from `at` on are to be cut off.
    read: Vec<u8>,
    at: usize,
    is_end: bool,
    failed: Option<io::Error>,
    /// The number of the last record.
    number: u64,
    /// Whether the record whose bytes come is passed on, and what it is then.
    passing: Option<Holds>,
    out: Vec<u8>,
    found: Records,
}

impl<R: Read> Stretches<R> {
    /// The stretches of a stream, of about `size` bytes, or of one record of at most `longest`.
    pub(crate) fn new(stream: R, size: usize, longest: u64) -> Self {
        Self {
            stream,
            size,
            longest,
            cutter: Cutter::new(longest),
            read: Vec::new(),
            at: 0,
            is_end: false,
            failed: None,
            number: 0,
            passing: None,
            out: Vec::new(),
            found: Records::default(),
        }
    }

    /// Reads until so many bytes are at hand, or the stream ends.
    fn read_on(&mut self, least: u64) {
        self.read.drain(..std::mem::take(&mut self.at));
        let wanted = (least as usize).saturating_sub(self.read.len()).max(READ_AT_ONCE) as u64;
        let before = self.read.len();
        if let Err(error) = (&mut self.stream).take(wanted).read_to_end(&mut self.read) {
            self.failed = Some(error);
        }
        self.is_end = self.failed.is_some() || self.read.len() == before;
    }

    /// Goes on with a part of a record.
    fn put(&mut self, bytes: &[u8], holds: Holds) {
        let start = self.out.len();
        self.out.extend_from_slice(bytes);
        let extent = Span::new(start, self.out.len());
        self.found.list.push(Record { extent, number: self.number, holds });
    }

    /// Goes on with a record, or the beginning of one. Whether the rest of it is to come, and as what.
    fn take(&mut self, bytes: &[u8], held: Held) -> Option<Holds> {
        let is_new = !matches!(held, Held::Blank | Held::After(_));
        self.number += u64::from(is_new);
        match held {
            Held::Document(document) => {
                self.put_document(bytes, &document);
                None
            }
            Held::Other(Kind::Request | Kind::Response | Kind::Revisit | Kind::Continuation) => {
                self.found.skipped.other += 1;
                None
            }
            Held::Blank | Held::Other(_) => {
                self.put(bytes, Holds::Nothing);
                Some(Holds::Nothing)
            }
            Held::Broken(fault) | Held::After(fault) => {
                self.put(bytes, Holds::Broken(Some(Fault::Warc(fault))));
                Some(Holds::Broken(None))
            }
        }
    }

    fn put_document(&mut self, bytes: &[u8], document: &Document) {
        let start = self.out.len();
        if document.kind != Kind::Response {
            let moved = |span: Span| Span { start: span.start + start as u64, end: span.end + start as u64 };
            return self
                .put(bytes, Holds::Text { text: moved(document.text), id: document.uri.map(moved), is_html: document.is_html });
        }
        let mut decoded = Vec::new();
        let text = match &document.coding {
            None => document.text.of(bytes),
            Some(coding) => match coding.decode(bytes, document.text, self.longest, &mut decoded) {
                Ok(()) => &decoded,
                Err(fault) => return self.put(bytes, Holds::Broken(Some(Fault::Warc(fault)))),
            },
        };
        let mut record = Vec::new();
        conversion(bytes, text, document.is_html, &mut record);
        let written = records(&record).next().map(|(_, held)| held);
        match written {
            Some(Held::Document(document)) if document.kind != Kind::Response => self.put_document(&record, &document),
            _ => self.put(bytes, Holds::Nothing), // it has no text
        }
    }

    fn stretch(&mut self) -> Option<Stretch> {
        let is_any = !self.found.list.is_empty() || self.found.skipped != Default::default();
        let last = self.found.list.last().map(|record| record.number).or(self.found.goes_on);
        is_any.then(|| {
            let next = Records { goes_on: last, ..Records::default() };
            let records = std::mem::replace(&mut self.found, next);
            Stretch { bytes: std::mem::take(&mut self.out).into(), records: Some(records), passed: None }
        })
    }
}

/// The same, with places that count from where its record begins.
fn within(held: Held, start: u64) -> Held {
    let moved = |span: Span| Span { start: span.start - start, end: span.end - start };
    match held {
        Held::Document(document) => Held::Document(Document {
            text: moved(document.text),
            coding: document.coding.map(|coding| coding.moved(moved)),
            uri: document.uri.map(moved),
            ..document
        }),
        held => held,
    }
}

impl<R: Read> Iterator for Stretches<R> {
    type Item = io::Result<Stretch>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.out.len() < self.size {
            match self.cutter.cut(&self.read[self.at..], self.is_end) {
                Some(Cut::More(least)) => self.read_on(least),
                Some(Cut::Records(len)) => {
                    let bytes = std::mem::take(&mut self.read);
                    let whole = &bytes[self.at..self.at + len];
                    for (span, held) in records(whole) {
                        self.take(span.of(whole), within(held, span.start));
                    }
                    (self.read, self.at) = (bytes, self.at + len);
                }
                Some(Cut::Begins(len, held)) => {
                    let bytes = std::mem::take(&mut self.read);
                    self.passing = self.take(&bytes[self.at..self.at + len], held);
                    (self.read, self.at) = (bytes, self.at + len);
                }
                Some(Cut::GoesOn(len)) => {
                    if let Some(holds) = self.passing.clone() {
                        let bytes = std::mem::take(&mut self.read);
                        self.put(&bytes[self.at..self.at + len], holds);
                        self.read = bytes;
                    }
                    self.at += len;
                }
                None => {
                    let last = self.stretch().map(Ok);
                    return last.or_else(|| self.failed.take().map(Err));
                }
            }
        }
        self.stretch().map(Ok)
    }
}
