//! Markup into tags and texts, each with its place; and texts into characters.

use super::Dialect;
use crate::document::{Map, Span};
use crate::entity::entity;
use html5gum::{Emitter, Error, State, Tokenizer, naive_next_state};
use quick_xml::events::Event;
use std::convert::Infallible;

/// A piece of markup. Names are in lower case, without prefix.
pub(super) enum Token<'n> {
    /// A tag that begins an element.
    Open {
        name: &'n [u8],
        /// Whether it is the element's end, too.
        is_empty: bool,
        /// Whether it is said to be as large as a point.
        is_point: bool,
    },
    /// A tag that ends one.
    Close(&'n [u8]),
    /// Text, with entities.
    Text,
    /// Text as it stands.
    Verbatim(Span),
    /// A comment, or another thing that shows nothing.
    Nothing,
    /// What ends too early to be anything.
    Unfinished,
}

/// Gives all pieces of some markup, each with its place; together they cover it.
pub(super) fn each(markup: &[u8], dialect: Dialect, mut each: impl FnMut(Token, Span)) {
    let end = match dialect {
        Dialect::Html => html(markup, &mut each),
        Dialect::Xhtml => xhtml(markup, &mut each),
    };
    if end < markup.len() {
        each(Token::Unfinished, Span::new(end, markup.len()));
    }
}

fn html(markup: &[u8], each: &mut impl FnMut(Token, Span)) -> usize {
    let mut done = 0;
    let tags = Tags {
        each,
        done: &mut done,
        at: 0,
        start: 0,
        text_end: 0,
        name: Vec::new(),
        last: Vec::new(),
        is_end: false,
        is_closed: false,
        attribute: Vec::new(),
        value: Vec::new(),
        small: 0,
    };
    let Ok(()) = Tokenizer::new_with_emitter(Characters { left: markup }, tags).finish();
    done
}

/// Gives the tokenizer its characters. No character is replaced here, so NUL and carriage returns are like others.
struct Characters<'m> {
    left: &'m [u8],
}

impl html5gum::Reader for Characters<'_> {
    type Error = Infallible;

    #[inline(always)]
    fn read_byte(&mut self) -> Result<Option<u8>, Infallible> {
        Ok(self.left.split_off_first().copied())
    }

    #[inline(always)]
    fn read_until<'b>(&'b mut self, needle: &[u8], _: &'b mut [u8; 4]) -> Result<Option<&'b [u8]>, Infallible> {
        let found = match *needle {
            [one, 0, b'\r'] => memchr::memchr(one, self.left),
            [one, two, 0, b'\r'] => memchr::memchr2(one, two, self.left),
            _ => self.left.iter().position(|byte| needle.contains(byte)),
        };
        let end = found.map_or(self.left.len(), |found| found.max(1));
        Ok(self.left.split_off(..end).filter(|read| !read.is_empty()))
    }

    #[inline(always)]
    fn try_read_string(&mut self, wanted: &[u8], case_sensitive: bool) -> Result<bool, Infallible> {
        let Some((next, left)) = self.left.split_at_checked(wanted.len()) else { return Ok(false) };
        let is_it = if case_sensitive { next == wanted } else { next.eq_ignore_ascii_case(wanted) };
        if is_it {
            self.left = left;
        }
        Ok(is_it)
    }
}

/// Takes what the tokenizer finds: of tags their names and places, of all else the place alone.
struct Tags<'e, F> {
    each: &'e mut F,
    /// So far all is given.
    done: &'e mut usize,
    /// So far the tokenizer is.
    at: usize,
    /// Where the tag, or what looks like one, begins.
    start: usize,
    /// Where the text before it ends.
    text_end: usize,
    name: Vec<u8>,
    /// The name of the last tag that began an element.
    last: Vec<u8>,
    is_end: bool,
    /// Whether it ends itself, which counts in SVG and MathML.
    is_closed: bool,
    /// The name of an attribute and its value, as far as those are of interest.
    attribute: Vec<u8>,
    value: Vec<u8>,
    /// How many of the width and the height are at most 1.
    small: u8,
}

/// No name or value that is looked at is longer.
const OF_INTEREST: usize = 8;

impl<F: FnMut(Token, Span)> Tags<'_, F> {
    /// Gives the text before what ends here; where that begins.
    fn begun(&mut self) -> Span {
        let start = self.start.max(*self.done);
        if *self.done < start {
            (self.each)(Token::Text, Span::new(*self.done, start));
        }
        *self.done = self.at;
        Span::new(start, self.at)
    }

    fn nothing(&mut self) {
        let place = self.begun();
        (self.each)(Token::Nothing, place);
    }

    fn end_attribute(&mut self) {
        let is_size = matches!(&*self.attribute, b"width" | b"height");
        self.small += u8::from(is_size && matches!(&*self.value, b"0" | b"1" | b"0px" | b"1px"));
        self.attribute.clear();
        self.value.clear();
    }
}

fn push(to: &mut Vec<u8>, more: &[u8]) {
    if to.len() <= OF_INTEREST {
        to.extend_from_slice(&more[..more.len().min(OF_INTEREST + 1)]);
    }
}

impl<F: FnMut(Token, Span)> Emitter for Tags<'_, F> {
    type Token = Infallible;

    fn pop_token(&mut self) -> Option<Infallible> {
        None
    }

    fn should_emit_errors(&mut self) -> bool {
        false // which are looked for in each character
    }

    fn move_position(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by);
    }

    fn emit_string(&mut self, _: &[u8]) {
        self.text_end = self.at;
    }

    fn emit_eof(&mut self) {
        if *self.done < self.text_end {
            (self.each)(Token::Text, Span::new(*self.done, self.text_end));
            *self.done = self.text_end;
        }
    }

    fn start_open_tag(&mut self) {
        self.start = self.at - 1;
    }

    fn init_start_tag(&mut self) {
        self.name.clear();
        (self.is_end, self.is_closed, self.small) = (false, false, 0);
    }

    fn init_end_tag(&mut self) {
        self.name.clear();
        self.is_end = true;
    }

    fn push_tag_name(&mut self, name: &[u8]) {
        self.name.extend_from_slice(name);
    }

    fn init_attribute(&mut self) {
        self.end_attribute();
    }

    fn push_attribute_name(&mut self, name: &[u8]) {
        push(&mut self.attribute, name);
    }

    fn push_attribute_value(&mut self, value: &[u8]) {
        push(&mut self.value, value);
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        self.end_attribute();
        let place = self.begun();
        if self.is_end {
            self.last.clear();
            (self.each)(Token::Close(&self.name), place);
            return None;
        }
        self.last.clone_from(&self.name);
        // What looks like an empty element begins one all the same, unless it isn't one of HTML.
        let is_empty = self.is_closed && matches!(&*self.name, b"svg" | b"math");
        (self.each)(Token::Open { name: &self.name, is_empty, is_point: self.small == 2 }, place);
        naive_next_state(&self.name)
    }

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.is_end && !self.last.is_empty() && self.last == self.name
    }

    fn set_last_start_tag(&mut self, name: Option<&[u8]>) {
        self.last = name.unwrap_or_default().to_vec();
    }

    fn emit_current_comment(&mut self) {
        self.nothing();
    }

    fn emit_current_doctype(&mut self) {
        self.nothing();
    }

    fn set_self_closing(&mut self) {
        self.is_closed = true;
    }

    fn emit_error(&mut self, _: Error) {}
    fn init_comment(&mut self) {}
    fn init_doctype(&mut self) {}
    fn set_force_quirks(&mut self) {}
    fn push_comment(&mut self, _: &[u8]) {}
    fn push_doctype_name(&mut self, _: &[u8]) {}
    fn set_doctype_public_identifier(&mut self, _: &[u8]) {}
    fn set_doctype_system_identifier(&mut self, _: &[u8]) {}
    fn push_doctype_public_identifier(&mut self, _: &[u8]) {}
    fn push_doctype_system_identifier(&mut self, _: &[u8]) {}
}

fn xhtml(markup: &[u8], each: &mut impl FnMut(Token, Span)) -> usize {
    let Ok(text) = str::from_utf8(markup) else { return 0 };
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    reader.config_mut().allow_dangling_amp = true;
    let mut done = 0;
    let named = |full: &str| full.rsplit(':').next().unwrap_or(full).to_ascii_lowercase().into_bytes();
    loop {
        let Ok(event) = reader.read_event() else { return done };
        let place = Span::new(done, reader.buffer_position() as usize);
        match event {
            Event::Start(tag) => {
                let name = named(tag.name().as_ref());
                each(Token::Open { name: &name, is_empty: false, is_point: is_point(&tag) }, place);
            }
            Event::Empty(tag) => {
                let name = named(tag.name().as_ref());
                each(Token::Open { name: &name, is_empty: true, is_point: is_point(&tag) }, place);
            }
            Event::End(tag) => each(Token::Close(&named(tag.name().as_ref())), place),
            Event::Text(_) | Event::GeneralRef(_) => each(Token::Text, place),
            Event::CData(_) => {
                const BEGIN: u64 = "<![CDATA[".len() as u64;
                const END: u64 = "]]>".len() as u64;
                each(Token::Verbatim(Span { start: place.start + BEGIN, end: place.end - END }), place);
            }
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::DocType(_) => each(Token::Nothing, place),
            Event::Eof => return done,
        }
        done = place.range().end;
    }
}

fn is_point(tag: &quick_xml::events::BytesStart) -> bool {
    let is_small =
        |name: &str| matches!(tag.try_get_attribute(name), Ok(Some(size)) if matches!(&*size.value, "0" | "1" | "0px" | "1px"));
    tag.name().as_ref() == "img" && is_small("width") && is_small("height")
}

/// Appends a text, of which the entities are decoded, to `out`, and its places to `map`; `at` is where it begins.
pub(super) fn decode(written: &[u8], at: usize, out: &mut Vec<u8>, map: &mut Map) {
    let mut from = 0;
    let plain = |from: usize, to: usize, out: &mut Vec<u8>, map: &mut Map| {
        out.extend_from_slice(&written[from..to]);
        map.push(Span::new(at + from, at + to), (to - from) as u64, false);
    };
    for amp in memchr::memchr_iter(b'&', written) {
        if amp < from {
            continue;
        }
        let Some((read, len)) = entity(&written[amp + 1..]) else { continue };
        plain(from, amp, out, map);
        out.extend_from_slice(read.as_bytes());
        from = amp + 1 + len;
        map.push(Span::new(at + amp, at + from), read.len() as u64, true);
    }
    plain(from, written.len(), out, map);
}
