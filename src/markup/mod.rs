//! HTML, as it is scraped and as feeds hold it: which of it is text, where each block of that stands, and what can be taken out
//! without unbalancing it. Knows tags and characters, nothing of files or of what repeats.
//!
//! A block is what stands between two tags that end a line: `p`, `div`, `li`, `br` and their like (HTML Living Standard, 15.3, the elements
//! that are displayed as blocks). Its text is what a reader sees, with entities decoded; tags within it, and their attributes, are left
//! out. What shows something else than text (an image, a frame, a script) is there as it is written, so that it never goes unproven.

mod cuts;
mod elements;
mod tokens;
mod tree;

pub(crate) use tree::{Block, Markup};

use crate::entity::entity;
use quick_xml::events::Event;

/// How markup is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// HTML, whatever its mistakes.
    Html,
    /// XHTML: elements of the XML document around it.
    Xhtml,
}

/// Whether a text has anything that HTML would take for markup: a tag, a comment or an entity.
pub(crate) fn is_in(text: &[u8]) -> bool {
    let begins = |at: usize| match (text[at], &text[at + 1..]) {
        (b'<', [next, ..]) => next.is_ascii_alphabetic() || matches!(next, b'/' | b'!'),
        (b'&', rest) => entity(rest).is_some(),
        _ => false,
    };
    memchr::memchr2_iter(b'<', b'&', text).any(begins)
}

/// Whether each element of some XHTML is ended by its own tag.
pub(crate) fn is_well_formed(xhtml: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(xhtml) else { return false };
    let mut reader = quick_xml::Reader::from_str(text);
    let mut depth = 0u64;
    loop {
        match reader.read_event() {
            Ok(Event::Start(_)) => depth += 1,
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Eof) => return depth == 0,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}
