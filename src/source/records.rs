//! What a container gives as it is read: stretches of its bytes, and, where its records aren't lines, the records in them.

use super::{Table, jsonl, warc};
use crate::document::Span;
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;

/// Consecutive bytes of a container: whole records.
#[derive(Clone)]
pub(crate) struct Stretch {
    pub(crate) bytes: Bytes,
    /// The records in it, unless they are its lines.
    pub(crate) records: Option<Records>,
    /// Which part it is of a line that isn't read, if it is one.
    pub(crate) passed: Option<Passed>,
}

/// A part of a line that is longer than memory holds, and passed on unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Whether the line begins with it.
    pub(crate) is_first: bool,
    /// Whether the line ends with it.
    pub(crate) is_last: bool,
    /// The longest line that is read, in bytes.
    pub(crate) longest: u64,
}

impl Stretch {
    /// Whole lines.
    pub(crate) fn lines(bytes: Bytes) -> Self {
        Self { bytes, records: None, passed: None }
    }
}

/// Records in a stretch.
#[derive(Clone, Default)]
pub(crate) struct Records {
    /// In order; together they cover the stretch.
    pub(crate) list: Vec<Record>,
    /// The rows of a table that they are.
    pub(crate) rows: Option<Arc<Table>>,
    /// The number of the record that the first one goes on with, if it began in the stretch before.
    pub(crate) goes_on: Option<u64>,
    /// Those that have no place in the stretch.
    pub(crate) skipped: Skipped,
}

impl Records {
    /// The id of the record of this number, in words; `written` is what stands for it in the stretch.
    pub(crate) fn id(&self, number: u64, written: Option<&[u8]>) -> Option<String> {
        #[cfg(feature = "parquet")]
        if let (Some(rows), Some(first)) = (&self.rows, self.list.first()) {
            return rows.ids.as_ref()?.of((number - first.number) as usize).map(str::to_owned);
        }
        #[cfg(not(feature = "parquet"))]
        let _ = number;
        written.map(|written| String::from_utf8_lossy(written).into_owned())
    }
}

/// A record, or a part of one that isn't read.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) extent: Span,
    /// Its number in the file, from 1 on.
    pub(crate) number: u64,
    pub(crate) holds: Holds,
}

/// What a record holds.
#[derive(Clone)]
pub(crate) enum Holds {
    /// A text, and maybe an id, as they stand in the stretch.
    Text {
        /// The text.
        text: Span,
        /// The id.
        id: Option<Span>,
        /// Whether the text is a page in HTML.
        is_html: bool,
    },
    /// No text.
    Nothing,
    /// What can't be read; without a reason if that was said of the part before.
    Broken(Option<Fault>),
}

/// Records that are left out, since they have no text or none that is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Requests, revisits, and responses that hold something else.
    pub other: u64,
}

/// Why a record can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A line of JSONL.
    Jsonl(jsonl::Fault),
    /// A record of a WARC.
    Warc(warc::Fault),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Jsonl(fault) => fault.fmt(f),
            Fault::Warc(fault) => fault.fmt(f),
        }
    }
}
