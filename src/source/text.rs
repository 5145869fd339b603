//! Plain text and Markdown: the file is one document, and its bytes are the text, but for a byte order mark.

use crate::document::{BYTE_ORDER_MARK, Document, Map, Part, Span};
use std::borrow::Cow;

/// The one document of a text file.
pub fn document(source: &[u8]) -> Document<'_> {
    let skip = begins(source);
    let text = &source[skip..];
    let part = Part { text: Cow::Borrowed(text), map: Map::shift(skip, text.len()) };
    Document { extent: Span::new(0, source.len()), parts: vec![part] }
}

/// Where the text of a file begins: behind its byte order mark.
pub(crate) fn begins(source: &[u8]) -> usize {
    if source.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}
