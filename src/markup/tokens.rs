//! Markup into tags and texts, each with its place; and texts into characters.

use super::Dialect;
use crate::document::{Map, Span};
use crate::source::feed::entity;
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span as Place, Tokenizer};
use quick_xml::Reader;
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

/// A tag under way.
#[derive(Default)]
struct Tag {
    name: Vec<u8>,
    start: usize,
    /// How many of its width and its height are at most 1.
    small: u8,
    is_size: bool,
}

fn html(markup: &[u8], each: &mut impl FnMut(Token, Span)) -> usize {
    let mut done = 0;
    let mut tag = Tag::default();
    let event = |event: CallbackEvent, Place { start, end }: Place<usize>| {
        let mut put = |token: Token, start: usize, end: usize, done: &mut usize| {
            if *done < start {
                each(Token::Text, Span::new(*done, start));
            }
            each(token, Span::new(start, end));
            *done = end;
        };
        match event {
            CallbackEvent::OpenStartTag { name } => {
                tag.name.clear();
                tag.name.extend_from_slice(name);
                (tag.start, tag.small, tag.is_size) = (start, 0, false);
            }
            CallbackEvent::AttributeName { name } => tag.is_size = name == b"width" || name == b"height",
            CallbackEvent::AttributeValue { value } => tag.small += u8::from(tag.is_size && matches!(value, b"0" | b"1" | b"0px" | b"1px")),
            CallbackEvent::CloseStartTag { .. } => {
                // What looks like an empty element begins one all the same.
                let open = Token::Open { name: &tag.name, is_empty: false, is_point: tag.small == 2 };
                put(open, tag.start, end, &mut done);
            }
            CallbackEvent::EndTag { name } => put(Token::Close(name), start, end, &mut done),
            CallbackEvent::Comment { .. } | CallbackEvent::Doctype { .. } => put(Token::Nothing, start, end, &mut done),
            CallbackEvent::String { .. } => {
                if done < end {
                    each(Token::Text, Span::new(done, end));
                    done = end;
                }
            }
            CallbackEvent::Error(_) => {}
        }
        None::<Infallible>
    };
    let mut emitter = CallbackEmitter::new(event);
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(markup, emitter).finish();
    done
}

fn xhtml(markup: &[u8], each: &mut impl FnMut(Token, Span)) -> usize {
    let Ok(text) = str::from_utf8(markup) else { return 0 };
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    reader.config_mut().allow_dangling_amp = true;
    let mut done = 0;
    let mut name = Vec::new();
    let mut named = |full: &str| {
        name.clear();
        name.extend(full.rsplit(':').next().unwrap_or(full).bytes().map(|byte| byte.to_ascii_lowercase()));
        name.clone()
    };
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
    let is_small = |name: &str| matches!(tag.try_get_attribute(name), Ok(Some(size)) if matches!(&*size.value, "0" | "1" | "0px" | "1px"));
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
