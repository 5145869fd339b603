//! The rows of a table as records, a part of a row group at a time.

use super::Texts;
use crate::source::records::{Holds, Record, Records, Stretch};
use std::io;
use std::sync::Arc;

/// Stretches of about so many bytes.
pub(crate) struct Stretches {
    texts: Texts,
    size: usize,
}

impl Stretches {
    /// Those of all texts, of about `size` bytes.
    pub(crate) fn new(texts: Texts, size: usize) -> Self {
        Self { texts, size }
    }
}

impl Iterator for Stretches {
    type Item = io::Result<Stretch>;

    fn next(&mut self) -> Option<Self::Item> {
        let values = match self.texts.next(self.size).transpose()? {
            Ok(values) => values,
            Err(fault) => return Some(Err(fault.into())),
        };
        let record = |row: usize| {
            let text = values.span(row);
            let holds = if values.is_null(row) { Holds::Nothing } else { Holds::Text { text, id: None, is_html: false } };
            Record { extent: text, number: values.first_row + row as u64, holds }
        };
        let list = (0..values.len()).map(record).collect();
        let bytes = values.bytes.clone();
        let records = Records { list, rows: Some(Arc::new(values)), ..Records::default() };
        Some(Ok(Stretch { bytes, records: Some(records), passed: None }))
    }
}
