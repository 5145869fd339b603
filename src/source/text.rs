//! Plain text and Markdown: the file is one document, and its bytes are the text, but for a byte order mark.

use super::Form;
use super::jsonl::{self, Fields, Line};
use crate::document::{BYTE_ORDER_MARK, Document, Map, Part, Span};
use std::borrow::Cow;
use std::sync::OnceLock;

/// The one document of a text file.
pub fn document(source: &[u8]) -> Document<'_> {
    let skip = begins(source);
    let text = &source[skip..];
    let part = Part { text: Cow::Borrowed(text), map: Map::shift(skip, text.len()) };
    Document { extent: Span::new(0, source.len()), parts: vec![part] }
}

/// The numbers of a text's lines. Its line ends are counted once, when someone asks for the first number.
#[derive(Default)]
pub(crate) struct LineNumbers {
    /// How many line ends precede each page.
    before: OnceLock<Vec<u64>>,
}

impl LineNumbers {
    /// The number of the line that byte `at` of the text is in, from 1 on.
    pub(crate) fn of(&self, text: &[u8], at: usize) -> u64 {
        const PAGE: usize = 64 << 10;
        let line_ends = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count() as u64;
        let before = self.before.get_or_init(|| {
            let mut sum = 0;
            let mut add = |page| {
                sum += line_ends(page);
                sum
            };
            std::iter::once(0).chain(text.chunks(PAGE).map(&mut add)).collect()
        });
        let page = (at / PAGE).min(before.len() - 1);
        1 + before[page] + line_ends(&text[page * PAGE..at])
    }
}

/// Where the text of a file begins: behind its byte order mark.
pub(crate) fn begins(source: &[u8]) -> usize {
    if source.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

/// Where text begins in a part of a file, which may be the first one.
pub(crate) fn begins_in(part: &[u8], is_first: bool) -> usize {
    if is_first { begins(part) } else { 0 }
}

/// What a text may be besides that no name tells of: JSONL if it begins with a record, a feed or a page if it begins as one.
pub fn looks_like(source: &[u8], fields: &Fields) -> Option<Form> {
    let text = source[begins(source)..].trim_ascii_start();
    Form::of_beginning(source).or_else(|| {
        let is_jsonl = text.starts_with(b"{") && matches!(jsonl::lines(text, fields).next(), Some((_, Line::Record(_))));
        is_jsonl.then_some(Form::Jsonl)
    })
}
