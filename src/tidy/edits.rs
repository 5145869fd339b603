//! What a repair changes in a text.

use crate::document::{Map, Span};
use std::borrow::Cow;
use std::ops::Range;

/// Changes of a text, in order.
#[derive(Debug, Default)]
pub(super) struct Edits {
    list: Vec<(Range<usize>, Cow<'static, str>)>,
}

impl Edits {
    /// Puts something in the place of some bytes, which are behind those of the last change.
    pub(super) fn put(&mut self, at: Range<usize>, text: impl Into<Cow<'static, str>>) {
        debug_assert!(!at.is_empty() && self.list.last().is_none_or(|(last, _)| last.end <= at.start));
        self.list.push((at, text.into()));
    }

    pub(super) fn remove(&mut self, at: Range<usize>) {
        self.put(at, "");
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.list.clear();
    }

    /// What they change.
    pub(super) fn places(&self) -> impl Iterator<Item = Span> {
        self.list.iter().map(|(at, _)| Span::new(at.start, at.end))
    }

    /// The text with the changes made, and what leads from it to the one that was changed.
    pub(super) fn make(&self, text: &str) -> (String, Map) {
        let mut made = String::with_capacity(text.len() + text.len() / 8);
        let mut map = Map::with_room(2 * self.list.len() + 1);
        let mut from = 0;
        let keep = |made: &mut String, map: &mut Map, from: usize, to: usize| {
            made.push_str(&text[from..to]);
            map.push(Span::new(from, to), (to - from) as u64, false);
        };
        for (at, put) in &self.list {
            keep(&mut made, &mut map, from, at.start);
            made.push_str(put);
            map.push(Span::new(at.start, at.end), put.len() as u64, true);
            from = at.end;
        }
        keep(&mut made, &mut map, from, text.len());
        (made, map)
    }
}
