//! Feeds in XML: elements by what they mean, texts by where they stand.

use super::{About, Body, Fault, Feed, Item, Written, line};
use crate::document::{Map, Span};
use crate::entity::entity;
use memchr::memmem;
use quick_xml::NsReader;
use quick_xml::errors::IllFormedError;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use std::borrow::Cow;
use std::ops::Range;

/// What the namespace of an element says of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// RSS, of whichever version, or none.
    Rss,
    Atom,
    Content,
    Xhtml,
    Dublin,
    Sync,
    Other,
}

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const RSS_1_1: &str = "http://purl.org/net/rss1.1#";

impl Of {
    fn namespace(resolved: &ResolveResult) -> Self {
        match resolved {
            ResolveResult::Unbound => Of::Rss,
            ResolveResult::Bound(Namespace(name)) => match *name {
                "http://purl.org/rss/1.0/"
                | "http://my.netscape.com/rdf/simple/0.9/"
                | "http://channel.netscape.com/rdf/simple/0.9/"
                | "http://backend.userland.com/rss2"
                | "http://blogs.law.harvard.edu/tech/rss"
                | RSS_1_1
                | "" => Of::Rss,
                "http://www.w3.org/2005/Atom" | "http://purl.org/atom/ns#" => Of::Atom,
                "http://purl.org/rss/1.0/modules/content/" => Of::Content,
                "http://www.w3.org/1999/xhtml" => Of::Xhtml,
                "http://purl.org/dc/elements/1.1/" | "http://purl.org/dc/terms/" => Of::Dublin,
                "http://feedsync.org/2007/feedsync"
                | "http://www.microsoft.com/schemas/rss/sse"
                | "http://www.microsoft.com/schemas/sse" => Of::Sync,
                _ => Of::Other,
            },
            // A prefix that isn't declared means what it always does.
            ResolveResult::Unknown(prefix) => match prefix.as_str() {
                "content" => Of::Content,
                "atom" => Of::Atom,
                "dc" => Of::Dublin,
                _ => Of::Other,
            },
        }
    }
}

/// The name of the root of what begins so, less its prefix.
pub(super) fn root(beginning: &[u8]) -> Option<&[u8]> {
    let mut rest = beginning;
    loop {
        rest = rest[memchr::memchr(b'<', rest)?..].strip_prefix(b"<")?;
        let end = match rest.first()? {
            b'?' => memmem::find(rest, b"?>")?,
            b'!' if rest.starts_with(b"!--") => memmem::find(rest, b"-->")?,
            b'!' => {
                // What it declares ends before it does.
                let (bracket, end) = (memchr::memchr(b'[', rest), memchr::memchr(b'>', rest)?);
                match bracket {
                    Some(bracket) if bracket < end => bracket + memmem::find(&rest[bracket..], b"]")?,
                    _ => end,
                }
            }
            _ => {
                let len = rest.iter().take_while(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'>' | b'/')).count();
                let name = &rest[..len];
                return Some(name.rsplit(|&byte| byte == b':').next().unwrap_or(name));
            }
        };
        rest = &rest[end..];
    }
}

/// Whether a root is one of feeds.
pub(super) fn is_feed(root: &[u8]) -> bool {
    matches!(root, b"rss" | b"RDF" | b"feed" | b"entry" | b"Channel")
}

/// Where the reader is.
#[derive(PartialEq, Eq)]
enum Within {
    Nothing,
    Feed,
    Done,
}

pub(super) fn read(text: &str, from: usize) -> Result<Feed, Fault> {
    let mut reading = Reading {
        text,
        from,
        reader: NsReader::from_str(&text[from..]),
        feed: Feed::default(),
        is_rss_1_1: false,
        is_rdf: false,
        is_atom: false,
    };
    reading.reader.config_mut().trim_markup_names_in_closing_tags = true;
    if let Some(at) = first_not_allowed(text.as_bytes()) {
        return Err(reading.broken(at, format!("a character that XML doesn't allow: U+{:04X}", text.as_bytes()[at])));
    }
    reading.all()?;
    Ok(reading.feed)
}

/// Whether it is a character that XML has (XML 1.0, 2.2).
pub(super) fn may_be(char: char) -> bool {
    !u8::try_from(char).is_ok_and(is_not_allowed) && !matches!(char, '\u{fffe}' | '\u{ffff}')
}

/// Whether it is a control character that XML doesn't allow (XML 1.0, 2.2).
fn is_not_allowed(byte: u8) -> bool {
    (byte < b' ') & (byte != b'\t') & (byte != b'\n') & (byte != b'\r')
}

/// Where the first control character is that XML doesn't allow.
fn first_not_allowed(text: &[u8]) -> Option<usize> {
    const AT_ONCE: usize = 64; // without a way out in between, so that they are compared in one go
    let chunk = text.chunks(AT_ONCE).position(|chunk| chunk.iter().fold(false, |any, &byte| any | is_not_allowed(byte)))?;
    let at = chunk * AT_ONCE;
    text[at..].iter().position(|&byte| is_not_allowed(byte)).map(|more| at + more)
}

struct Reading<'a> {
    text: &'a str,
    /// Where it begins behind a byte order mark.
    from: usize,
    reader: NsReader<&'a [u8]>,
    feed: Feed,
    is_rss_1_1: bool,
    /// Whether its items are named as RDF names things.
    is_rdf: bool,
    /// Whether what has no namespace is Atom.
    is_atom: bool,
}

impl<'a> Reading<'a> {
    fn at(&self) -> usize {
        self.from + self.reader.buffer_position() as usize
    }

    fn next(&mut self) -> Result<Event<'a>, Fault> {
        self.reader.read_event().map_err(|error| {
            let at = self.from + self.reader.error_position() as usize;
            let reason = match &error {
                quick_xml::Error::IllFormed(IllFormedError::UnclosedReference) => {
                    "an & that begins no entity; it is written &amp;".into()
                }
                error => error.to_string(),
            };
            Fault::Xml { line: line(self.text, at), reason }
        })
    }

    fn broken(&self, at: usize, reason: impl Into<String>) -> Fault {
        Fault::Xml { line: line(self.text, at), reason: reason.into() }
    }

    fn of<'t>(&self, tag: &'t BytesStart) -> (Of, &'t str) {
        let (resolved, local) = self.reader.resolver().resolve_element(tag.name());
        let of = match resolved {
            ResolveResult::Unbound if self.is_atom => Of::Atom,
            resolved => Of::namespace(&resolved),
        };
        (of, local.into_inner())
    }

    fn all(&mut self) -> Result<(), Fault> {
        let mut within = Within::Nothing;
        let mut depth = 0;
        loop {
            let start = self.at();
            match self.next()? {
                Event::Start(tag) if within == Within::Nothing => {
                    self.root(&tag)?;
                    within = Within::Feed;
                    if tag.local_name().as_ref() == "entry" {
                        self.item(start, &tag)?;
                        within = Within::Done;
                    }
                }
                Event::Empty(tag) if within == Within::Nothing => {
                    self.root(&tag)?;
                    within = Within::Done;
                }
                Event::Start(_) | Event::Empty(_) if within == Within::Done => {
                    return Err(self.broken(start, "something follows the end of the feed"));
                }
                Event::Start(tag) => self.of_feed(start, &tag, &mut depth)?,
                Event::End(_) if depth == 0 => within = Within::Done,
                Event::End(_) => depth -= 1,
                Event::Text(text) if within != Within::Feed && !text.as_ref().trim_ascii().is_empty() => {
                    let what = if within == Within::Done {
                        "something follows the end of the feed"
                    } else {
                        "text stands before the feed"
                    };
                    let blank = text.as_ref().len() - text.as_ref().trim_ascii_start().len();
                    return Err(self.broken(start + blank, what));
                }
                Event::CData(_) | Event::GeneralRef(_) if within != Within::Feed => {
                    return Err(self.broken(start, "text stands outside of the feed"));
                }
                Event::Eof => {
                    return match within {
                        Within::Done => Ok(()),
                        Within::Nothing => Err(Fault::NoFeed { what: "there is no element in it".into() }),
                        Within::Feed => Err(self.broken(self.text.len(), "it ends before the feed does")),
                    };
                }
                _ => {}
            }
        }
    }

    fn root(&mut self, tag: &BytesStart) -> Result<(), Fault> {
        let (resolved, local) = self.reader.resolver().resolve_element(tag.name());
        let name = match &resolved {
            ResolveResult::Bound(Namespace(name)) => name,
            _ => "",
        };
        self.is_rss_1_1 = local.as_ref() == "Channel";
        self.is_rdf = self.is_rss_1_1 || local.as_ref() == "RDF";
        self.is_atom = matches!(local.as_ref(), "feed" | "entry");
        let is_feed = match local.as_ref() {
            "rss" | "feed" | "entry" => Of::namespace(&resolved) != Of::Other || local.as_ref() == "rss",
            "RDF" => name == RDF,
            "Channel" => name == RSS_1_1,
            _ => false,
        };
        if !is_feed {
            return Err(Fault::NoFeed { what: format!("its root is <{}>", tag.name().as_ref()) });
        }
        if self.is_rss_1_1 {
            self.feed.id = attribute(tag, "about").map(|(_, id)| id);
        }
        Ok(())
    }

    /// An element of the feed itself: an item, or something else.
    fn of_feed(&mut self, start: usize, tag: &BytesStart<'a>, depth: &mut usize) -> Result<(), Fault> {
        let (of, name) = self.of(tag);
        match (of, name) {
            (Of::Rss, "item") | (Of::Atom, "entry") => return self.item(start, tag),
            (Of::Rss, "channel") => self.feed.id = self.feed.id.take().or_else(|| attribute(tag, "about").map(|(_, id)| id)),
            _ => {}
        }
        *depth += 1;
        Ok(())
    }

    fn item(&mut self, start: usize, tag: &BytesStart<'a>) -> Result<(), Fault> {
        let mut item = Item::default();
        if let Some((at, about)) = attribute(tag, "about").filter(|_| self.is_rdf) {
            item.about.id_at = self.place(start, at);
            item.about.id = Some(about);
        }
        loop {
            let at = self.at();
            match self.next()? {
                Event::Start(tag) => self.member(&mut item, at, &tag)?,
                Event::Empty(tag) => {
                    let is_known = self.attributes(&mut item, at, &tag);
                    if !is_known {
                        self.other(&mut item, at);
                    }
                }
                Event::End(_) => break,
                Event::Eof => return Err(self.broken(self.text.len(), "it ends within an item")),
                _ => {}
            }
        }
        let before = &self.text[..start];
        let blank = before.len() - before.trim_ascii_end().len();
        item.about.place = Span::new(start, self.at());
        item.extent = Span::new(start - blank, self.at());
        item.leading = item.extent;
        item.bodies.sort_by_key(|body| rank(body.name));
        self.feed.items.push(item);
        Ok(())
    }

    /// Where a piece of a tag stands that begins at `start`.
    fn place(&self, start: usize, within: Span) -> Span {
        let inside = start as u64 + 1;
        Span { start: inside + within.start, end: inside + within.end }
    }

    /// An element of an item that is empty, or begins.
    fn attributes(&self, item: &mut Item, at: usize, tag: &BytesStart) -> bool {
        let (of, name) = self.of(tag);
        let value = |name: &str| attribute(tag, name).map(|(_, value)| value);
        match (of, name) {
            (Of::Atom, "link") => match value("rel").as_deref() {
                None | Some("alternate") => item.about.link = item.about.link.take().or(value("href")),
                Some("enclosure") => return false,
                Some(_) => {}
            },
            (Of::Sync, "sync") => {
                let id = attribute(tag, "id").map(|(id_at, id)| (self.place(at, id_at), About::SYNC, id));
                item.about.other_ids.extend(id);
            }
            _ => return false,
        }
        true
    }

    /// An element of an item that holds something.
    fn member(&mut self, item: &mut Item, at: usize, tag: &BytesStart<'a>) -> Result<(), Fault> {
        let is_known = self.attributes(item, at, tag);
        let (of, name) = self.of(tag);
        let inside = self.inside(item)?;
        let words = |inside: &Inside| {
            let (text, _) = characters(inside.all.of(self.text.as_bytes()));
            let text = String::from_utf8_lossy(&text).trim().to_string();
            (!text.is_empty()).then_some(text)
        };
        let about = &mut item.about;
        match (of, name) {
            (Of::Rss, "guid") | (Of::Atom, "id") if about.id.is_none() => {
                about.id_at = inside.all;
                about.id = words(&inside);
            }
            (Of::Rss, "link") => about.link = about.link.take().or_else(|| words(&inside)),
            (Of::Rss | Of::Atom | Of::Dublin, "title") if about.title.is_none() => {
                about.title_at = inside.all;
                about.title = words(&inside);
            }
            (Of::Rss, "pubDate") | (Of::Atom, "published" | "issued") => about.date = words(&inside),
            (Of::Dublin, "date") | (Of::Atom, "updated" | "modified" | "created") => {
                about.date = about.date.take().or_else(|| words(&inside));
            }
            (Of::Rss, "description") => item.bodies.push(body("description", &inside, None)),
            (Of::Content, "encoded") => item.bodies.push(body("content:encoded", &inside, None)),
            (Of::Xhtml, "body" | "div") => {
                item.bodies.push(Body { written: Written::Elements, ..body("body", &inside, Some(true)) });
            }
            (Of::Atom, "content" | "summary") => {
                match construct(if name == "content" { "content" } else { "summary" }, tag, &inside) {
                    Some(body) => item.bodies.push(body),
                    None => self.other(item, at),
                }
            }
            // Of its comments, its origin and its copies: each copy of an item has its own.
            (_, "comments" | "commentRss" | "origLink" | "origEnclosureLink" | "total" | "source") => {}
            _ if is_known => {}
            _ => self.other(item, at),
        }
        Ok(())
    }

    /// Notes an element of an item that begins there and ends here, and says something else than its texts, its id, its link and its dates.
    fn other(&self, item: &mut Item, at: usize) {
        item.about.others.push(self.text[at..self.at()].to_owned());
    }

    /// What is in the element that began last, up to its end.
    fn inside(&mut self, item: &mut Item) -> Result<Inside, Fault> {
        let start = self.at();
        let mut inside = Inside { all: Span::default(), has_elements: false, wrapper: None };
        let mut depth = 0;
        let mut children = 0;
        let mut wrapper = Span::default();
        loop {
            let at = self.at();
            match self.next()? {
                Event::Start(tag) => {
                    if depth == 0 {
                        children += 1;
                        wrapper = Span::new(self.at(), self.at());
                        inside.wrapper = (children == 1 && tag.local_name().as_ref() == "div").then_some(wrapper);
                    }
                    self.noted(item, at, &tag);
                    inside.has_elements = true;
                    depth += 1;
                }
                Event::Empty(tag) => {
                    children += usize::from(depth == 0);
                    self.noted(item, at, &tag);
                    inside.has_elements = true;
                }
                Event::End(_) if depth == 0 => {
                    inside.all = Span::new(start, at);
                    inside.wrapper = inside.wrapper.filter(|_| children == 1);
                    return Ok(inside);
                }
                Event::End(_) => {
                    depth -= 1;
                    if depth == 0 && inside.wrapper.is_some() && children == 1 {
                        inside.wrapper = Some(Span { end: at as u64, ..wrapper });
                    }
                }
                Event::Eof => return Err(self.broken(self.text.len(), "it ends within an item")),
                _ => {}
            }
        }
    }

    /// In RSS 1.1 what statements within an item are about has a name of its own.
    fn noted(&self, item: &mut Item, at: usize, tag: &BytesStart) {
        if self.is_rss_1_1
            && let Some((about_at, about)) = attribute(tag, "about")
        {
            item.about.other_ids.push((self.place(at, about_at), About::ID, about));
        }
    }
}

/// What is in an element.
struct Inside {
    all: Span,
    has_elements: bool,
    /// Of XHTML what is in the `div` that is all there is.
    wrapper: Option<Span>,
}

/// The fullest bodies come first.
fn rank(name: &str) -> usize {
    ["content", "content:encoded", "body", "description", "summary"].iter().position(|known| *known == name).unwrap_or(usize::MAX)
}

/// A body whose element doesn't say what it holds.
fn body(name: &'static str, inside: &Inside, is_html: Option<bool>) -> Body {
    match inside.has_elements {
        true => Body { name, at: inside.wrapper.unwrap_or(inside.all), written: Written::Elements, is_html: Some(true) },
        false => Body { name, at: inside.all, written: Written::Characters, is_html },
    }
}

/// A text construct, which says what it is (RFC 4287, 3.1 and 4.1.3; Atom 0.3 by its mode); none if that is no text.
fn construct(name: &'static str, tag: &BytesStart, inside: &Inside) -> Option<Body> {
    let value = |name: &str| attribute(tag, name).map(|(_, value)| value.to_ascii_lowercase());
    let (kind, mode) = (value("type"), value("mode"));
    if mode.as_deref() == Some("base64") || value("src").is_some() {
        return None;
    }
    let is_html = match kind.as_deref() {
        Some("html" | "text/html" | "xhtml" | "application/xhtml+xml") => true,
        None | Some("text" | "text/plain") => {
            return Some(body(name, inside, inside.has_elements.then_some(true).or(Some(false)).filter(|_| mode.is_none())));
        }
        Some(kind) if kind.starts_with("text/") => false,
        Some(_) => return None,
    };
    Some(body(name, inside, Some(is_html)))
}

/// The value of an attribute, by its name less its prefix, and where it stands in the tag behind its `<`.
fn attribute(tag: &BytesStart, name: &str) -> Option<(Span, String)> {
    let all: &str = tag;
    let found = tag.attributes().with_checks(false).flatten().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    let start = found.value.as_ptr() as usize - all.as_ptr() as usize;
    let place = if start <= all.len() { Span::new(start, start + found.value.len()) } else { Span::default() };
    let (text, _) = characters(found.value.as_bytes());
    Some((place, String::from_utf8_lossy(&text).trim().to_string()))
}

/// What a section of character data begins and ends with.
pub(crate) const CDATA: (&[u8], &[u8]) = (b"<![CDATA[", b"]]>");

/// Where sections of character data stand in characters of XML, without what they begin and end with.
pub(super) fn sections(written: &[u8]) -> Vec<Span> {
    let (mut sections, mut at) = (Vec::new(), 0);
    let ends = |from: usize, end: &[u8]| memmem::find(&written[from..], end).map_or(written.len(), |len| from + len);
    while let Some(found) = memmem::find(&written[at..], b"<!") {
        let begins = at + found;
        at = match &written[begins..] {
            rest if rest.starts_with(CDATA.0) => {
                let start = begins + CDATA.0.len();
                let end = ends(start, CDATA.1);
                sections.push(Span::new(start, end));
                end
            }
            rest if rest.starts_with(b"<!--") => ends(begins + 4, b"-->"),
            _ => begins + 2,
        };
    }
    sections
}

/// Whether something is but what parts characters of XML: the bounds of sections, comments, instructions; whatever its characters are written in.
pub(crate) fn is_seam(between: &[u8]) -> bool {
    let plain: Vec<u8> = between.iter().copied().filter(|byte| *byte != 0).collect();
    let mut rest = &*plain;
    let behind = |rest: &'_ [u8], begin: &[u8], end: &[u8]| {
        let inside = rest.strip_prefix(begin)?;
        Some(begin.len() + memmem::find(inside, end)? + end.len())
    };
    while !rest.is_empty() {
        let bounds: [(&[u8], &[u8]); 4] = [(CDATA.1, b""), (CDATA.0, b""), (b"<!--", b"-->"), (b"<?", b"?>")];
        let Some(len) = bounds.iter().find_map(|(begin, end)| behind(rest, begin, end)) else { return false };
        rest = &rest[len..];
    }
    true
}

/// The text of characters of XML that is well formed, and where they stand in what is `written`.
///
/// No entity is expanded that the document declares: it stands for itself, unless HTML knows it.
pub(super) fn characters(written: &[u8]) -> (Cow<'_, [u8]>, Map) {
    if memchr::memchr2(b'<', b'&', written).is_none() {
        return (written.into(), Map::shift(0, written.len()));
    }
    let section = written.trim_ascii().strip_prefix(CDATA.0).and_then(|rest| rest.strip_suffix(CDATA.1));
    if let Some(inside) = section.filter(|inside| memmem::find(inside, CDATA.1).is_none()) {
        let blank = written.len() - written.trim_ascii_start().len();
        return (inside.into(), Map::shift(blank + CDATA.0.len(), inside.len()));
    }
    let (mut text, mut map) = (Vec::with_capacity(written.len()), Map::default());
    let plain = |text: &mut Vec<u8>, map: &mut Map, place: Range<usize>| {
        text.extend_from_slice(&written[place.clone()]);
        map.push(Span::new(place.start, place.end), place.len() as u64, false);
    };
    // So far in from `at` the end of a piece of markup is.
    let behind = |at: usize, end: &[u8]| memmem::find(&written[at..], end).map_or(written.len(), |found| at + found);
    let mut at = 0;
    while at < written.len() {
        let rest = &written[at..];
        match rest[0] {
            b'&' => {
                let known = entity(&rest[1..]);
                let len = known.as_ref().map_or(1, |(_, len)| 1 + len);
                match known {
                    Some((read, _)) => {
                        text.extend_from_slice(read.as_bytes());
                        map.push(Span::new(at, at + len), read.len() as u64, true);
                    }
                    None => plain(&mut text, &mut map, at..at + len),
                }
                at += len;
            }
            b'<' if rest.starts_with(CDATA.0) => {
                let start = at + CDATA.0.len();
                let end = behind(start, CDATA.1);
                plain(&mut text, &mut map, start..end);
                at = (end + CDATA.1.len()).min(written.len());
            }
            b'<' => {
                let end: &[u8] = match rest.get(1) {
                    Some(b'!') => b"-->",
                    Some(b'?') => b"?>",
                    _ => b">",
                };
                at = (behind(at, end) + end.len()).min(written.len());
            }
            _ => {
                let len = memchr::memchr2(b'<', b'&', rest).unwrap_or(rest.len());
                plain(&mut text, &mut map, at..at + len);
                at += len;
            }
        }
    }
    (text.into(), map)
}
