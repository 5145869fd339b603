//! JSONL: each line is one JSON object, and one of its fields holds the text. A record's text is read from between its
//! quotation marks and cut there, so that nothing else of the line is ever written anew.

use crate::document::{Map, Span};
use crate::error::TooLong;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::{fmt, iter};

/// Which fields of a record are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// The one that holds the text.
    pub text: String,
    /// The one that names the record in reports, if one does.
    pub id: Option<String>,
}

impl Default for Fields {
    fn default() -> Self {
        Self { text: "text".into(), id: None }
    }
}

/// What a line holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// White space, or nothing.
    Blank,
    /// An object with a text.
    Record(Record),
    /// What can't be read.
    Broken(Fault),
}

/// Where a record's fields stand in the chunk its line is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The text as it is written, between its quotation marks.
    pub text: Span,
    /// The value of the id as it is written; the last one, if there are several.
    pub id: Option<Span>,
}

/// Why a line can't be read. Columns count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Bytes that are no UTF-8, which JSON is.
    NotUtf8 {
        /// The first of them.
        column: usize,
    },
    /// Anything else that JSON doesn't allow.
    NotJson {
        /// Where that shows, or the one before.
        column: usize,
        /// The parser's reason.
        reason: String,
        /// Whether the line ends where the value doesn't.
        is_unfinished: bool,
    },
    /// Values within values beyond all reason.
    TooDeep,
    /// Another value than an object.
    NotObject {
        /// What it is: "an array".
        what: &'static str,
    },
    /// An object without a text.
    NoText {
        /// The field it should have.
        field: String,
    },
    /// Another value than a string where the text should be.
    NotString {
        /// The field it is in.
        field: String,
        /// What it is: "a number".
        what: &'static str,
    },
    /// More bytes than memory holds of a line.
    TooLong {
        /// The most that are read.
        longest: u64,
    },
    /// More than one text. Parsers disagree which of them counts, so none is cut.
    TwoTexts {
        /// The field they are in.
        field: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NotUtf8 { column } => write!(f, "is not UTF-8 at column {column}"),
            Fault::NotJson { column, reason, is_unfinished } => {
                write!(f, "is not JSON at column {column}: {reason}")?;
                if *is_unfinished { f.write_str("; a record takes one line, as jq -c writes it") } else { Ok(()) }
            }
            Fault::TooDeep => write!(f, "nests values more than {DEEPEST} deep"),
            Fault::NotObject { what: "an array" } => {
                f.write_str("is an array, not an object with a text; jq -c '.[]' takes it apart")
            }
            Fault::NotObject { what } => write!(f, "is {what}, not an object with a text"),
            Fault::NoText { field } => write!(f, "has no field {field:?}; --text-field names another"),
            Fault::NotString { field, what } => write!(f, "its field {field:?} is {what}, not a string"),
            Fault::TooLong { longest } => TooLong { longest: *longest }.fmt(f),
            Fault::TwoTexts { field } => write!(f, "has the field {field:?} twice"),
        }
    }
}

/// Where the texts of the records in a chunk stand, as they are written; `from` so far into it lines begin.
pub(crate) fn texts(chunk: &[u8], from: usize, fields: &Fields) -> Vec<Span> {
    let moved = |span: Span| Span { start: span.start + from as u64, end: span.end + from as u64 };
    let text = |(_, line)| if let Line::Record(record) = line { Some(moved(record.text)) } else { None };
    lines(&chunk[from..], fields).filter_map(text).collect()
}

/// Whether a place in a text as it is written stands in no escape.
pub(crate) fn is_between(raw: &[u8], at: usize) -> bool {
    let is_escape = |start: usize| raw[..start].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0;
    let begun = (at.saturating_sub(5)..at).filter(|&start| raw[start] == b'\\' && is_escape(start));
    begun.map(|start| start + if raw.get(start + 1) == Some(&b'u') { 6 } else { 2 }).all(|end| end <= at)
}

/// The lines of a chunk, each with its place in it, line end included.
pub fn lines<'a>(chunk: &'a [u8], fields: &'a Fields) -> impl Iterator<Item = (Span, Line)> + 'a {
    let mut start = 0;
    iter::from_fn(move || {
        let rest = &chunk[start..];
        if rest.is_empty() {
            return None;
        }
        let len = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let line = read(&rest[..len], start as u64, fields);
        let span = Span::new(start, start + len);
        start += len;
        Some((span, line))
    })
}

/// What the line that begins at `start` holds.
fn read(line: &[u8], start: u64, fields: &Fields) -> Line {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.trim_ascii_start().is_empty() {
        return Line::Blank;
    }
    let record = simdutf8::compat::from_utf8(line);
    let record = record.map_err(|error| Fault::NotUtf8 { column: column(line, error.valid_up_to() + 1) });
    match record.and_then(|line| record_in(line, start, fields)) {
        Ok(record) => Line::Record(record),
        Err(fault) => Line::Broken(fault),
    }
}

fn record_in(line: &str, start: u64, fields: &Fields) -> Result<Record, Fault> {
    let bytes = line.as_bytes();
    let found = object(line, fields)?;
    let field = || fields.text.clone();
    let text = found.text.ok_or_else(|| Fault::NoText { field: field() })?;
    if found.is_twice {
        return Err(Fault::TwoTexts { field: field() });
    }
    match kind(text.of(bytes)) {
        "a string" => {}
        what => return Err(Fault::NotString { field: field(), what }),
    }
    let text = Span { start: start + text.start + 1, end: start + text.end - 1 };
    Ok(Record { text, id: found.id.map(|id| Span { start: start + id.start, end: start + id.end }) })
}

/// What the object holds that the line is.
fn object(line: &str, fields: &Fields) -> Result<Found, Fault> {
    let not_json = |error| not_json(line, &error);
    let value = line.as_bytes().trim_ascii_start();
    if !value.starts_with(b"{") {
        let IgnoredAny = serde_json::from_str(line).map_err(not_json)?;
        return Err(Fault::NotObject { what: kind(value) });
    }
    let mut json = serde_json::Deserializer::from_str(line);
    let found = json.deserialize_map(Members { line, fields }).map_err(not_json)?;
    json.end().map_err(not_json)?;
    if found.is_too_deep { Err(Fault::TooDeep) } else { Ok(found) }
}

fn not_json(line: &str, error: &serde_json::Error) -> Fault {
    let words = error.to_string();
    let reason = words.rfind(" at line ").map_or(&*words, |end| &words[..end]);
    Fault::NotJson { column: column(line.as_bytes(), error.column()), reason: reason.into(), is_unfinished: error.is_eof() }
}

/// The character that holds the last of the line's first `bytes` bytes, counted from 1.
fn column(line: &[u8], bytes: usize) -> usize {
    let is_first = |byte: &&u8| **byte & 0xc0 != 0x80;
    line[..bytes.min(line.len())].iter().filter(is_first).count().max(1)
}

/// What a value is, by its first byte.
fn kind(value: &[u8]) -> &'static str {
    match value.first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't') => "true",
        Some(b'f') => "false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// What an object holds.
#[derive(Default)]
struct Found {
    text: Option<Span>,
    id: Option<Span>,
    /// Whether there is more than one text.
    is_twice: bool,
    is_too_deep: bool,
}

/// Notes where the fields of the object stand that the line is. No value is built, so that half a surrogate pair or a number
/// beyond all bounds is no fault.
struct Members<'a> {
    line: &'a str,
    fields: &'a Fields,
}

impl Members<'_> {
    fn note(&self, key: &str, value: &str, found: &mut Found) {
        let key = unquoted(key.as_bytes());
        let start = value.as_ptr().addr() - self.line.as_ptr().addr();
        let span = Span::new(start, start + value.len());
        if is_key(key, &self.fields.text) {
            found.is_twice |= found.text.replace(span).is_some();
        }
        if self.fields.id.as_ref().is_some_and(|id| is_key(key, id)) {
            found.id = Some(span);
        }
        found.is_too_deep |= is_too_deep(value.as_bytes());
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Found, A::Error> {
        let mut found = Found::default();
        // Keys raw too: as strings they couldn't hold half a surrogate pair.
        while let Some((key, value)) = members.next_entry::<&RawValue, &RawValue>()? {
            self.note(key.get(), value.get(), &mut found);
        }
        Ok(found)
    }
}

/// Values within values within values: as many as serde_json allows where it builds them. It skips any number.
const DEEPEST: usize = 127;

/// Whether a member's value, which is JSON, makes the record nest too deep. The first two looks spare nearly all the count.
fn is_too_deep(value: &[u8]) -> bool {
    matches!(value.first(), Some(b'[' | b'{'))
        && memchr::memchr2_iter(b'[', b'{', value).nth(DEEPEST - 1).is_some()
        && depth(value) >= DEEPEST
}

/// How deep a JSON value nests.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut is_string) = (0, 0, false);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => is_string = !is_string,
            b'\\' => _ = bytes.next(),
            b'[' | b'{' if !is_string => depth += 1,
            b']' | b'}' if !is_string => depth -= 1,
            _ => continue,
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Whether a key as it is written names `field`.
fn is_key(key: &[u8], field: &str) -> bool {
    if memchr::memchr(b'\\', key).is_none() {
        return key == field.as_bytes();
    }
    let mut text = Vec::new();
    unescape(key, &mut text, &mut Vec::new());
    text == field.as_bytes()
}

/// What stands between the quotation marks of a string.
fn unquoted(string: &[u8]) -> &[u8] {
    string.strip_prefix(b"\"").and_then(|string| string.strip_suffix(b"\"")).unwrap_or(string)
}

/// A character that is written otherwise in the source than it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escape {
    /// Where it begins in the string as it is written.
    at: u64,
    /// Its length there: 2, 6, or 12 for a surrogate pair.
    len: u8,
    /// Its length in the text.
    decoded: u8,
}

/// Appends the text of a string that is written as `raw` to `out`, and its escapes to `escapes`.
///
/// Half a surrogate pair alone, which no Unicode text can hold but some programs write, becomes three bytes that aren't UTF-8
/// (WTF-8), so that different halves remain different.
pub fn unescape(raw: &[u8], out: &mut Vec<u8>, escapes: &mut Vec<Escape>) {
    out.reserve(raw.len());
    let mut from = 0;
    while let Some(at) = next_escape(raw, from) {
        out.extend_from_slice(&raw[from..at]);
        let (len, decoded) = decode(&raw[at..], out);
        escapes.push(Escape { at: at as u64, len: len as u8, decoded: decoded as u8 });
        from = at + len;
    }
    out.extend_from_slice(&raw[from..]);
}

/// A text as it is written in a string, in ASCII alone if that `is_ascii`. Bytes that aren't UTF-8 stand as they are.
pub fn escaped(text: &[u8], is_ascii: bool) -> Vec<u8> {
    let mut written = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        let string = serde_json::to_string(chunk.valid()).expect("a text is JSON");
        let within = &string[1..string.len() - 1];
        match is_ascii {
            true => within.encode_utf16().for_each(|unit| match u8::try_from(unit) {
                Ok(byte) if byte.is_ascii() => written.push(byte),
                _ => written.extend_from_slice(format!("\\u{unit:04x}").as_bytes()),
            }),
            false => written.extend_from_slice(within.as_bytes()),
        }
        written.extend_from_slice(chunk.invalid());
    }
    written
}

/// Where the next backslash is.
#[inline]
fn next_escape(raw: &[u8], from: usize) -> Option<usize> {
    let rest = &raw[from..];
    near(rest, |byte| byte == b'\\').or_else(|| memchr::memchr(b'\\', rest)).map(|at| from + at)
}

/// The first byte that `is` looked for, if it is near: escapes often follow one another, or a space on, where a search costs
/// more than a look.
#[inline]
fn near(rest: &[u8], is: impl Fn(u8) -> bool) -> Option<usize> {
    rest.iter().take(2).position(|&byte| is(byte))
}

/// Appends the character whose escape begins `raw`; the lengths of the escape and of the character. What is no escape stands
/// for itself.
#[inline]
fn decode(raw: &[u8], out: &mut Vec<u8>) -> (usize, usize) {
    let short = match raw.get(1) {
        Some(&same @ (b'"' | b'\\' | b'/')) => same,
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'b') => 0x08,
        Some(b'f') => 0x0c,
        Some(b'u') => return decode_unicode(raw, out),
        _ => {
            out.push(raw[0]);
            return (1, 1);
        }
    };
    out.push(short);
    (2, 1)
}

fn decode_unicode(raw: &[u8], out: &mut Vec<u8>) -> (usize, usize) {
    let Some(unit) = code_unit(raw) else {
        out.push(raw[0]);
        return (1, 1);
    };
    let mut code = u32::from(unit);
    let mut len = 6;
    if (0xd800..0xdc00).contains(&unit)
        && let Some(low @ 0xdc00..0xe000) = code_unit(&raw[6..])
    {
        code = 0x10000 + ((code - 0xd800) << 10 | (u32::from(low) - 0xdc00));
        len = 12;
    }
    // Not by way of `char`, which can't be half a pair.
    let tail = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
    let decoded = match code {
        0..0x80 => append(out, [code as u8]),
        0x80..0x800 => append(out, [0xc0 | (code >> 6) as u8, tail(0)]),
        0x800..0x10000 => append(out, [0xe0 | (code >> 12) as u8, tail(6), tail(0)]),
        _ => append(out, [0xf0 | (code >> 18) as u8, tail(12), tail(6), tail(0)]),
    };
    (len, decoded)
}

fn append<const N: usize>(out: &mut Vec<u8>, bytes: [u8; N]) -> usize {
    out.extend_from_slice(&bytes);
    N
}

/// The UTF-16 code unit whose escape begins `raw`.
#[inline]
fn code_unit(raw: &[u8]) -> Option<u16> {
    let [b'\\', b'u', digits @ ..] = raw.first_chunk::<6>()? else { return None };
    let [a, b, c, d] = digits.map(|digit| HEX[usize::from(digit)]);
    u16::try_from(a << 12 | b << 8 | c << 4 | d).ok()
}

/// What a hexadecimal digit is worth, and for any other byte more than fits a code unit.
const HEX: [u32; 256] = {
    let mut worth = [1 << 16; 256];
    let mut digit = 0;
    while digit < 16 {
        worth[b"0123456789abcdef"[digit] as usize] = digit as u32;
        worth[b"0123456789ABCDEF"[digit] as usize] = digit as u32;
        digit += 1;
    }
    worth
};

/// Where the bytes of a text stand whose string is written in `raw_len` bytes from byte `offset` of the source on.
///
/// A cut that brought the halves of a surrogate pair together would make them one character. None does: it leaves a line end or
/// an end of the text beside it.
pub fn map(escapes: &[Escape], raw_len: usize, offset: u64) -> Map {
    let mut map = Map::with_room(2 * escapes.len() + 1);
    let mut from = 0;
    let mut stretch = |map: &mut Map, at: u64, len: u8| {
        map.push(Span { start: offset + from, end: offset + at }, at - from, false);
        from = at + u64::from(len);
    };
    for &Escape { at, len, decoded } in escapes {
        stretch(&mut map, at, len);
        map.push(Span { start: offset + at, end: offset + at + u64::from(len) }, u64::from(decoded), true);
    }
    stretch(&mut map, raw_len as u64, 0);
    map
}

/// Goes from places in a text to those in its string, forward only.
#[derive(Debug)]
pub struct Places<'a> {
    escapes: std::slice::Iter<'a, Escape>,
    /// By how much the string is ahead of the text.
    ahead: u64,
}

impl<'a> Places<'a> {
    /// From the beginning of a text that has these escapes.
    pub fn new(escapes: &'a [Escape]) -> Self {
        Self { escapes: escapes.iter(), ahead: 0 }
    }

    /// Where the byte of the text stands in the string that is no earlier than those asked for before: of the character of an
    /// escape the whole escape's first byte.
    pub fn of(&mut self, text: u64) -> u64 {
        while let Some(escape) = self.escapes.as_slice().first() {
            let after = escape.at - self.ahead + u64::from(escape.decoded);
            if text < after {
                break;
            }
            self.ahead = escape.at + u64::from(escape.len) - after;
            self.escapes.next();
        }
        let within = self.escapes.as_slice().first().map_or(u64::MAX, |escape| escape.at);
        (text + self.ahead).min(within)
    }
}

/// How many line ends the text of a string has that is written as `raw`.
pub fn line_ends(raw: &[u8]) -> usize {
    let mut count = 0;
    let mut from = 0;
    while let Some(at) = next_escape(raw, from) {
        let escape = &raw[at..];
        count += usize::from(escape.starts_with(b"\\n") || code_unit(escape) == Some(u16::from(b'\n')));
        from = raw.len().min(at + 2); // past the character that a backslash stands before, which may be one too
    }
    count
}

/// An id in words: a string's text, any other value as it is written.
pub fn id_in_words(value: &[u8]) -> String {
    let mut words = Vec::new();
    unescape(unquoted(value), &mut words, &mut Vec::new());
    String::from_utf8_lossy(&words).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::{Index, select};
    use serde_json::Value;

    fn fields(text: &str, id: &str) -> Fields {
        Fields { text: text.into(), id: Some(id.into()) }
    }

    /// What the one line of `chunk` holds: its text and id as they are written, `None` for a blank line, or the fault's words.
    fn one(chunk: &[u8], fields: &Fields) -> Result<Option<(String, Option<String>)>, String> {
        let mut lines = lines(chunk, fields);
        let (span, line) = lines.next().expect("a line");
        assert_eq!((span, lines.next()), (Span::new(0, chunk.len()), None));
        let written = |span: Span| String::from_utf8(span.of(chunk).to_vec()).expect("UTF-8");
        match line {
            Line::Blank => Ok(None),
            Line::Record(record) => Ok(Some((written(record.text), record.id.map(written)))),
            Line::Broken(fault) => Err(fault.to_string()),
        }
    }

    fn unescaped(raw: &[u8]) -> (Vec<u8>, Vec<Escape>) {
        let (mut text, mut escapes) = (Vec::new(), Vec::new());
        unescape(raw, &mut text, &mut escapes);
        (text, escapes)
    }

    #[test]
    fn a_record_gives_its_text_and_its_id() {
        let fields = fields("text", "id");
        for (line, text, id) in [
            (r#"{"text":"a"}"#, "a", None),
            (r#"{"text":""}"#, "", None),
            (r#" { "id" : 7 , "text" : "a\nb" } "#, r"a\nb", Some("7")),
            (r#"{"id":"x\"y","text":"say \"\\\""}"#, r#"say \"\\\""#, Some(r#""x\"y""#)),
            (r#"{"te\u0078t":"a","\u0069d":null}"#, "a", Some("null")),
            (r#"{"text":"a","id":1,"id":[2, 3]}"#, "a", Some("[2, 3]")),
            (r#"{"meta":{"text":"no","id":1},"text":"yes","list":[{"text":"no"}]}"#, "yes", None),
            (r#"{"Text":"no","texts":"no","text":"yes","":"no"}"#, "yes", None),
            (r#"{"text":"half \ud83d of a pair","\udc00":-1.5e+3}"#, r"half \ud83d of a pair", None),
            ("{\"text\":\"\u{7f}\u{2028}é漢😀\u{feff}\"}", "\u{7f}\u{2028}é漢😀\u{feff}", None),
            ("\t{\t\"text\"\t:\t\"a\"\t}\r\n", "a", None),
        ] {
            assert_eq!(one(line.as_bytes(), &fields), Ok(Some((text.into(), id.map(Into::into)))), "{line}");
        }
        let same = Fields { text: "id".into(), id: Some("id".into()) };
        assert_eq!(one(br#"{"id":"a"}"#, &same), Ok(Some(("a".into(), Some("\"a\"".into())))));
        assert_eq!(one(br#"{"text":"a","id":1}"#, &Fields::default()), Ok(Some(("a".into(), None))));
    }

    #[test]
    fn a_fault_says_what_and_where() {
        let fields = fields("text", "id");
        for (line, words) in [
            (&b"{\"text\":\"a\"}}"[..], "is not JSON at column 13: trailing characters"),
            (b"{\"text\":\"a\"} {\"text\":\"b\"}", "is not JSON at column 14: trailing characters"),
            (b"{\"text\":\"a\",\"n\":01}", "is not JSON at column 18: invalid number"),
            (b"{\"text\":\"a\",\"n\":NaN}", "is not JSON at column 17: expected value"),
            (b"{\"text\":\"a\",}", "is not JSON at column 13: trailing comma"),
            (b"{\"text\":\"\xc3\xa9\xc3\xa9\" \"b\"}", "is not JSON at column 14: expected `,` or `}`"),
            (
                b"{\"text\":\"a\x00b\"}",
                "is not JSON at column 10: control character (\\u0000-\\u001F) found while parsing a string",
            ),
            (
                b"{\"te\x01xt\":\"a\"}",
                "is not JSON at column 4: control character (\\u0000-\\u001F) found while parsing a string",
            ),
            (b"{\"text\":\"\\x\"}", "is not JSON at column 11: invalid escape"),
            (b"{\"text\":\"\\u12g4\"}", "is not JSON at column 15: invalid escape"),
            (b"{'text':'a'}", "is not JSON at column 2: key must be a string"),
            (b"\0", "is not JSON at column 1: expected value"),
            (b"\xef\xbb\xbf{}", "is not JSON at column 1: expected value"),
            (
                b"{\"text\":\r\n",
                "is not JSON at column 8: EOF while parsing a value; a record takes one line, as jq -c writes it",
            ),
            (
                b"{\"text\":\"a",
                "is not JSON at column 10: EOF while parsing a string; a record takes one line, as jq -c writes it",
            ),
            (b"[\n", "is not JSON at column 1: EOF while parsing a list; a record takes one line, as jq -c writes it"),
            (b"{\"text\":\"\xc3\xa9\xff\"}", "is not UTF-8 at column 11"),
            (b"{\"text\":\"a\"}\xc3", "is not UTF-8 at column 13"),
            (b"[]", "is an array, not an object with a text; jq -c '.[]' takes it apart"),
            (b" \"text\"", "is a string, not an object with a text"),
            (b"-1", "is a number, not an object with a text"),
            (b"null", "is null, not an object with a text"),
            (b"{}", "has no field \"text\"; --text-field names another"),
            (b"{\"meta\":{\"text\":\"a\"}}", "has no field \"text\"; --text-field names another"),
            (b"{\"text\":null}", "its field \"text\" is null, not a string"),
            (b"{\"text\":[\"a\"]}", "its field \"text\" is an array, not a string"),
            (b"{\"text\":{}}", "its field \"text\" is an object, not a string"),
            (b"{\"text\":false}", "its field \"text\" is false, not a string"),
            (b"{\"text\":0}", "its field \"text\" is a number, not a string"),
            (b"{\"text\":\"a\",\"te\\u0078t\":\"a\"}", "has the field \"text\" twice"),
            (b"{\"text\":null,\"text\":\"a\"}", "has the field \"text\" twice"),
        ] {
            assert_eq!(one(line, &fields), Err(words.into()), "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn lines_follow_one_another_without_a_gap() {
        let chunk = b"\n{\"text\":\"a\"}\r\n \t\r\nx\n{\"text\":\"b\"}";
        let fields = Fields::default();
        let found: Vec<_> = lines(chunk, &fields).collect();
        let starts = [0, 1, 15, 19, 21, 33];
        assert!(found.iter().map(|(span, _)| *span).eq(starts.windows(2).map(|pair| Span::new(pair[0], pair[1]))));
        let record = |start, end| Line::Record(Record { text: Span::new(start, end), id: None });
        assert_eq!((&found[0].1, &found[1].1, &found[2].1), (&Line::Blank, &record(10, 11), &Line::Blank));
        assert!(matches!(found[3].1, Line::Broken(Fault::NotJson { column: 1, .. })));
        assert_eq!(found[4].1, record(30, 31));
        assert_eq!(lines(b"", &fields).count(), 0);
    }

    #[test]
    fn depth_is_a_fault_not_a_crash() {
        let nested = |depth: usize| format!("{{\"text\":\"a\",\"deep\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        let fields = Fields::default();
        assert!(one(nested(DEEPEST - 1).as_bytes(), &fields).is_ok());
        let words = Err("nests values more than 127 deep".to_owned());
        assert_eq!(one(nested(DEEPEST).as_bytes(), &fields), words);
        assert_eq!(one(nested(1_000_000).as_bytes(), &fields), words);
        let strings = format!("{{\"text\":\"[\",\"flat\":[{}{{}}]}}", r#""\"[[{",[],"#.repeat(200));
        assert_eq!(one(strings.as_bytes(), &fields), Ok(Some(("[".into(), None))));
        assert_eq!(
            one("{\"a\":".repeat(1_000_000).as_bytes(), &fields),
            Err("is not JSON at column 5000000: EOF while parsing a value; a record takes one line, as jq -c writes it".into())
        );
    }

    #[test]
    fn half_a_surrogate_pair_stays_itself() {
        let (high, low) = (b"\xed\xa0\xbd", b"\xed\xb8\x80");
        for (raw, text) in [
            (&br"\ud83d"[..], &high[..]),
            (br"\ude00", low),
            (br"\ude00\ud83d", &[&low[..], high].concat()),
            (br"\ud83d\n", b"\xed\xa0\xbd\n"),
            (br"\ud83d\ud83d\ude00", b"\xed\xa0\xbd\xf0\x9f\x98\x80"),
            (br"\uD83D\uDE00", "😀".as_bytes()),
        ] {
            assert_eq!(unescaped(raw).0, text, "{}", String::from_utf8_lossy(raw));
        }
    }

    #[test]
    fn what_is_no_escape_stands_for_itself() {
        for raw in [&br"\"[..], br"a\", br"\x", br"\u12", br"\u12g4 \u", b"\xff\\"] {
            let (text, escapes) = unescaped(raw);
            assert_eq!(text, raw);
            assert_eq!(removed(raw, &map(&escapes, raw.len(), 0), Span::new(0, text.len())), b"");
            assert_eq!(line_ends(raw), 0);
        }
    }

    #[test]
    fn an_id_in_words() {
        for (value, words) in [
            ("\"urn:1\"", "urn:1"),
            (r#""a\"é\u00e9""#, "a\"éé"),
            ("17", "17"),
            ("1.50e3", "1.50e3"),
            ("null", "null"),
            ("[1, \"a\"]", "[1, \"a\"]"),
            ("\"\"", ""),
        ] {
            assert_eq!(id_in_words(value.as_bytes()), words);
        }
    }

    /// `raw` without the source of `cut`.
    fn removed(raw: &[u8], map: &Map, cut: Span) -> Vec<u8> {
        let mut rest = raw.to_vec();
        for span in map.source(cut).collect::<Vec<_>>().into_iter().rev() {
            rest.drain(span.range());
        }
        rest
    }

    /// A piece of a string as it is written, and as it is: a character in one of the ways in which it can be, or the second
    /// half of a surrogate pair alone.
    fn piece() -> impl Strategy<Value = (String, Vec<u8>)> {
        let common: Vec<char> = "aé漢😀 \n\r\t\"\\/nu0\u{8}\u{c}\u{7f}\u{800}\u{ffff}\u{10000}".chars().collect();
        let character = prop_oneof![4 => select(common), 1 => any::<char>()];
        let written = (character, 0..4).prop_map(|(c, style)| {
            let units = c.encode_utf16(&mut [0; 2]).to_vec();
            let raw = match style {
                0 => units.iter().map(|unit| format!("\\u{unit:04x}")).collect(),
                1 => units.iter().map(|unit| format!("\\u{unit:04X}")).collect(),
                _ if c == '/' => "\\/".into(),
                _ => {
                    let quoted = serde_json::to_string(&c).expect("a character");
                    quoted[1..quoted.len() - 1].into()
                }
            };
            (raw, c.to_string().into_bytes())
        });
        prop_oneof![20 => written, 1 => Just(("\\udc00".into(), b"\xed\xb0\x80".to_vec()))]
    }

    /// A line that is a record, or nearly one.
    fn line() -> impl Strategy<Value = Vec<u8>> {
        let space = || select(vec!["", "", " ", "\t", "\r", "  "]);
        let key = select(vec!["text", "text", "id", "te\\u0078t", "a", "", "é\\n"]);
        let value = select(vec![
            "\"\"",
            "\"a\\nb\"",
            "\"é\\u00e9\\\"\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            "null",
            "true",
            "false",
            "0",
            "-1.5e-7",
            "10E+2",
            "[]",
            "{}",
            "[1,[\"]\"],{}]",
            "{\"text\":\"b\",\"c\":{\"d\":[ ]}}",
            "[[[ 1 , 2 ]]]",
        ]);
        let member = (space(), key, space(), space(), value, space())
            .prop_map(|(a, key, b, c, value, d)| format!("{a}\"{key}\"{b}:{c}{value}{d}"));
        let object = (space(), vec(member, 0..4), space()).prop_map(|(a, members, b)| format!("{a}{{{}}}{b}", members.join(",")));
        let alphabet: Vec<&[u8]> = vec![
            b"{",
            b"}",
            b"[",
            b"]",
            b"\"",
            b"\\",
            b",",
            b":",
            b"u",
            b"n",
            b"0",
            b"9",
            b"-",
            b"+",
            b".",
            b"e",
            b" ",
            b"\t",
            b"\r",
            b"\x01",
            b"\0",
            b"\x0c",
            b"\x7f",
            b"\xff",
            b"\xc3",
            "é".as_bytes(),
            b"true",
            b"text",
            b"\\u00",
            b"\"text\":\"\",",
        ];
        let change = (any::<Index>(), 0..3usize, select(alphabet), 0..3usize);
        (object, vec(change, 0..4)).prop_map(|(object, changes)| {
            let mut line = object.into_bytes();
            for (at, gone, new, times) in changes {
                let at = at.index(line.len() + 1);
                let end = line.len().min(at + gone);
                line.splice(at..end, new.repeat(times));
            }
            line
        })
    }

    /// What serde_json makes of a line: the text, or the beginning of the fault's words. `None` for JSON that it skips but
    /// can't hold: half a surrogate pair, a number beyond all bounds.
    fn opinion(line: &[u8]) -> Option<Result<Option<String>, &'static str>> {
        #[derive(serde::Deserialize)]
        struct Once {
            #[serde(rename = "text")]
            _text: Option<IgnoredAny>,
        }
        let Ok(line) = str::from_utf8(line) else { return Some(Err("is not UTF-8")) };
        if line.trim_matches(|c: char| c.is_ascii_whitespace()).is_empty() {
            return Some(Ok(None));
        }
        let Ok(IgnoredAny) = serde_json::from_str(line) else { return Some(Err("is not JSON")) };
        Some(match serde_json::from_str(line).ok()? {
            Value::Object(object) => match object.get("text") {
                None => Err("has no field"),
                Some(_) if serde_json::from_str::<Once>(line).is_err() => Err("has the field \"text\" twice"),
                Some(Value::String(text)) => Ok(Some(text.clone())),
                Some(_) => Err("its field"),
            },
            Value::Array(_) => Err("is an array"),
            Value::String(_) => Err("is a string"),
            Value::Number(_) => Err("is a number"),
            Value::Bool(value) => Err(if value { "is true" } else { "is false" }),
            Value::Null => Err("is null"),
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_line_is_what_serde_json_says(line in line()) {
            let fields = Fields::default();
            let (_, found) = lines(&line, &fields).next().unwrap_or((Span::default(), Line::Blank));
            match (found, opinion(&line)) {
                (Line::Blank, Some(Ok(None))) => {}
                (Line::Record(record), Some(Ok(Some(text)))) => {
                    prop_assert_eq!(unescaped(record.text.of(&line)).0, text.into_bytes());
                }
                (Line::Broken(fault), Some(Err(words))) => prop_assert!(fault.to_string().starts_with(words), "{} {}", fault, words),
                (Line::Record(_), None) => {}
                (Line::Broken(fault), None) => prop_assert!(!matches!(fault, Fault::NotJson { .. } | Fault::TooDeep), "{}", fault),
                (found, opinion) => prop_assert!(false, "{:?} {:?}", found, opinion),
            }
        }

        #[test]
        fn unescaping_gives_the_string(pieces in vec(piece(), 0..30)) {
            let (raw, expected): (String, Vec<Vec<u8>>) = pieces.into_iter().unzip();
            let (text, _) = unescaped(raw.as_bytes());
            prop_assert_eq!(&text, &expected.concat());
            prop_assert_eq!(line_ends(raw.as_bytes()), memchr::memchr_iter(b'\n', &text).count());
            if let Ok(string) = serde_json::from_str::<String>(&format!("\"{raw}\"")) {
                prop_assert_eq!(text, string.into_bytes());
            }
        }

        #[test]
        fn unescaping_appends(before in vec(piece(), 0..3), after in vec(piece(), 0..9)) {
            let raw = |pieces: &[(String, Vec<u8>)]| pieces.iter().map(|(raw, _)| raw.as_str()).collect::<String>();
            let (mut text, mut escapes) = unescaped(raw(&before).as_bytes());
            let (texts, count) = (text.clone(), escapes.len());
            unescape(raw(&after).as_bytes(), &mut text, &mut escapes);
            let (expected, expected_escapes) = unescaped(raw(&after).as_bytes());
            prop_assert_eq!(text, [texts, expected].concat());
            prop_assert_eq!(&escapes[count..], expected_escapes);
        }

        #[test]
        fn what_is_cut_in_the_source_is_cut_in_the_text(pieces in vec(piece(), 0..30), a in any::<Index>(), b in any::<Index>()) {
            let (raw, texts): (String, Vec<Vec<u8>>) = pieces.into_iter().unzip();
            let (text, escapes) = unescaped(raw.as_bytes());
            let (a, b) = (a.index(texts.len() + 1), b.index(texts.len() + 1));
            let len = |pieces: &[Vec<u8>]| pieces.concat().len();
            let cut = Span::new(len(&texts[..a.min(b)]), len(&texts[..a.max(b)]));
            let rest = removed(raw.as_bytes(), &map(&escapes, raw.len(), 0), cut);
            prop_assert_eq!(unescaped(&rest).0, [&text[..cut.range().start], &text[cut.range().end..]].concat());

            const OFFSET: u64 = 1 << 40;
            let shifted: Vec<_> = map(&escapes, raw.len(), OFFSET).source(cut).collect();
            let shift = |span: Span| Span { start: span.start + OFFSET, end: span.end + OFFSET };
            prop_assert_eq!(shifted, map(&escapes, raw.len(), 0).source(cut).map(shift).collect::<Vec<_>>());
        }
    }
}
