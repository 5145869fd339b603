//! What comes of a stretch of a container, on its way to an output.

use crate::document::{Edit, Span, edited};
use crate::source::{Form, Holds, Records, Table, warc};
use bytes::Bytes;
use std::sync::Arc;

/// What is to be written of a stretch.
pub struct Piece(pub(super) Kind);

#[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "no table is read or written"))]
pub(super) enum Kind {
    /// Bytes less their cuts, and where members begin in them, if it is packed in several.
    Bytes { bytes: Bytes, cuts: Vec<Span>, members: Vec<usize> },
    /// Rows of a table with the edits of their texts, and less those that are dropped, by their numbers among them.
    Rows { rows: Arc<Table>, edits: Vec<Edit>, dropped: Vec<u32> },
    /// Nothing: it only takes a place.
    Nothing,
}

impl Piece {
    /// Bytes less their cuts (in order, without overlap).
    pub(crate) fn bytes(bytes: Bytes, cuts: Vec<Span>) -> Self {
        Self(Kind::Bytes { bytes, cuts, members: Vec::new() })
    }

    /// Records that stand in `bytes`, edited, written in a form; those are gone of which all is cut.
    pub(crate) fn records(bytes: &Bytes, records: &Records, edits: Vec<Edit>, dropped: Vec<u32>, to: Form) -> Self {
        if let Some(rows) = &records.rows {
            return Self(Kind::Rows { rows: Arc::clone(rows), edits, dropped });
        }
        let mut written = Vec::with_capacity(bytes.len());
        let mut members = Vec::with_capacity(records.list.len());
        let mut last = records.goes_on;
        let mut rest = &*edits;
        for record in &records.list {
            let whole = record.extent.of(bytes);
            let (its, after) = rest.split_at(rest.partition_point(|edit| edit.at.end <= record.extent.end));
            rest = after;
            if its.first().is_some_and(|edit| edit.at == record.extent) && !whole.is_empty() {
                continue;
            }
            if last.replace(record.number) != Some(record.number) {
                members.push(written.len());
            }
            match (&record.holds, to) {
                (Holds::Text { text, .. }, Form::Warc) => {
                    let within: Vec<Edit> = its.iter().map(|edit| edit.counted_from(record.extent.start)).collect();
                    debug_assert!(its.iter().all(|edit| edit.at.start >= text.start && edit.at.end <= text.end));
                    warc::rewrite(whole, &within, &mut written);
                }
                (_, Form::Warc) => written.extend_from_slice(whole),
                (Holds::Text { text, .. }, _) => {
                    let within = its.iter().map(|edit| (edit.at.counted_from(text.start), &*edit.put));
                    let left = edited(text.of(bytes), within);
                    warc::as_json(whole, text.of(bytes), &left, &mut written);
                }
                _ => {}
            }
        }
        Self(Kind::Bytes { bytes: written.into(), cuts: Vec::new(), members })
    }

    /// How many bytes it is about.
    pub(super) fn len(&self) -> usize {
        match &self.0 {
            Kind::Bytes { bytes, .. } => bytes.len(),
            #[cfg(feature = "parquet")]
            Kind::Rows { rows, .. } => rows.bytes.len(),
            #[cfg(not(feature = "parquet"))]
            Kind::Rows { rows, .. } => match **rows {},
            Kind::Nothing => 0,
        }
    }
}
