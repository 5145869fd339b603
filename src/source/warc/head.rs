//! Version lines and headers: those of a record, and those of the HTTP message in it, which have the same form. A line may end
//! in LF alone, a value may go on in the next line if that is indented, names have any case, and a line that is no header is
//! passed over: crawlers write down what servers send, and real archives have all of it.

use crate::document::Span;
use encoding_rs::Encoding;
use std::iter;

/// The most that is held to find the end of headers: far more than any have, and a bound for those that have none.
pub(super) const MOST: usize = 1 << 20;
/// More than any version line has.
pub(super) const VERSION: usize = 32;
/// How a version line begins.
const MAGIC: &[u8] = b"WARC/";

/// Whether bytes begin with a version line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    /// With one of so many bytes, its line end included.
    Version(usize),
    /// With something else.
    Otherwise,
    /// They are too few to tell.
    Unknown,
}

/// Whether `bytes` begin with a version line. Any version will do: those before 1.0 that are still about read the same.
pub(super) fn begins(bytes: &[u8]) -> Begins {
    let line = &bytes[..bytes.len().min(VERSION)];
    if !iter::zip(line, MAGIC).all(|(byte, magic)| byte == magic) {
        return Begins::Otherwise;
    }
    match memchr::memchr(b'\n', line) {
        Some(end) if is_number(line[..end].get(MAGIC.len()..).unwrap_or_default().trim_ascii_end()) => Begins::Version(end + 1),
        None if line.len() < VERSION => Begins::Unknown,
        _ => Begins::Otherwise,
    }
}

/// Whether that is a version: "1.0".
fn is_number(version: &[u8]) -> bool {
    let is_digits = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let dot = memchr::memchr(b'.', version);
    dot.is_some_and(|dot| is_digits(&version[..dot]) && is_digits(&version[dot + 1..]))
}

/// Where the first version line from `from` on is that begins a line.
pub(super) fn next_version(bytes: &[u8], from: usize) -> Option<usize> {
    let lines = memchr::memmem::find_iter(&bytes[from..], b"\nWARC/").map(|end| from + end + 1);
    lines.into_iter().find(|&line| matches!(begins(&bytes[line..]), Begins::Version(_)))
}

/// One past the blank line that ends the headers whose first line begins at `from`; an error if there is none because the next
/// record begins, and nothing if there is none yet.
pub(super) fn end(bytes: &[u8], from: usize) -> Result<Option<usize>, NoEnd> {
    let most = &bytes[..bytes.len().min(from.saturating_add(MOST))];
    let mut at = from;
    while let Some(len) = memchr::memchr(b'\n', &most[at..]) {
        match &most[at..at + len] {
            b"" | b"\r" => return Ok(Some(at + len + 1)),
            line if line.starts_with(MAGIC) && matches!(begins(&most[at..]), Begins::Version(_)) => return Err(NoEnd),
            _ => at += len + 1,
        }
    }
    if most.len() - from < MOST { Ok(None) } else { Err(NoEnd) }
}

/// That headers have no end.
#[derive(Debug)]
pub(super) struct NoEnd;

/// Headers that have an end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Headers<'a> {
    /// What they stand in, up to their end.
    bytes: &'a [u8],
    /// Where the first one begins.
    from: usize,
}

/// Where a header stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// All of it, its line end and the lines it goes on in included.
    pub(super) line: Span,
    pub(super) name: Span,
    /// Without the blanks around it.
    pub(super) value: Span,
}

impl<'a> Headers<'a> {
    /// The headers from `from` up to `end`, which is past their blank line.
    pub(super) fn new(bytes: &'a [u8], from: usize, end: usize) -> Self {
        Self { bytes: &bytes[..end], from }
    }

    /// All of them, in order.
    pub(super) fn fields(self) -> impl Iterator<Item = Field> + 'a {
        let Headers { bytes, from: mut start } = self;
        iter::from_fn(move || {
            loop {
                let end = line_end(bytes, start)?;
                let line = Span::new(start, end);
                start = end;
                if let Some(field) = field(bytes, line) {
                    return Some(field);
                }
            }
        })
    }

    /// Where the value stands of the first header of that name.
    pub(super) fn place(self, name: &str) -> Option<Span> {
        self.places(name).next()
    }

    /// Where the values stand of all headers of that name.
    pub(super) fn places(self, name: &str) -> impl Iterator<Item = Span> {
        let is_it = move |field: &Field| field.name.of(self.bytes).eq_ignore_ascii_case(name.as_bytes());
        self.fields().filter(is_it).map(|field| field.value)
    }

    /// The value of the first header of that name; empty if there is none.
    pub(super) fn value(self, name: &str) -> &'a [u8] {
        self.place(name).map_or(&[], |place| place.of(self.bytes))
    }
}

/// Where the header ends that begins at `start`, unless that is the blank line: behind the last of its lines.
fn line_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut end = start;
    loop {
        let len = memchr::memchr(b'\n', &bytes[end..])?;
        let is_blank = matches!(&bytes[end..end + len], b"" | b"\r");
        if is_blank && end == start {
            return None;
        }
        end += len + 1;
        if !matches!(bytes.get(end), Some(b' ' | b'\t')) {
            return Some(end);
        }
    }
}

/// The header of a line, if it is one.
fn field(bytes: &[u8], line: Span) -> Option<Field> {
    let colon = line.start + memchr::memchr(b':', line.of(bytes))? as u64;
    let name = trimmed(bytes, Span { start: line.start, end: colon });
    let value = trimmed(bytes, Span { start: colon + 1, end: line.end });
    (!name.is_empty()).then_some(Field { line, name, value })
}

/// A span without the white space around it.
pub(super) fn trimmed(bytes: &[u8], span: Span) -> Span {
    let text = span.of(bytes).trim_ascii_end();
    let end = span.start + text.len() as u64;
    Span { start: end - text.trim_ascii_start().len() as u64, end }
}

/// A value without "<" and ">" around it, which some put around addresses since WARC 1.0 did so in its grammar.
pub(super) fn bare(bytes: &[u8], span: Span) -> Span {
    match span.of(bytes) {
        [b'<', .., b'>'] => Span { start: span.start + 1, end: span.end - 1 },
        _ => span,
    }
}

/// A media type without its parameters: "text/html" of "text/html; charset=utf-8".
pub(super) fn media(value: &[u8]) -> &[u8] {
    value.split(|byte| matches!(byte, b';' | b',')).next().unwrap_or_default().trim_ascii()
}

/// The charset that a media type names among its parameters.
pub(super) fn charset(value: &[u8]) -> Option<&'static Encoding> {
    let label = value.split(|&byte| byte == b';').skip(1).find_map(|parameter| {
        let (name, label) = parameter.split_at(memchr::memchr(b'=', parameter)?);
        name.trim_ascii().eq_ignore_ascii_case(b"charset").then_some(&label[1..])
    })?;
    let label = label.trim_ascii();
    let label = label.strip_prefix(b"\"").and_then(|label| label.strip_suffix(b"\"")).unwrap_or(label);
    let label = if label.eq_ignore_ascii_case(b"latin-1") { b"latin1" } else { label };
    Encoding::for_label(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The headers of a block as pairs.
    fn pairs(block: &[u8]) -> Vec<(String, String)> {
        let end = end(block, 0).unwrap().unwrap();
        let words = |span: Span| String::from_utf8(span.of(block).to_vec()).unwrap();
        Headers::new(block, 0, end).fields().map(|field| (words(field.name), words(field.value))).collect()
    }

    #[test]
    fn a_charset_is_known_by_its_label() {
        for (media, expected) in [
            ("text/plain; charset=ISO-8859-1", Some("windows-1252")),
            ("text/plain;format=flowed;Charset = \"shift_jis\" ", Some("Shift_JIS")),
            ("text/plain; charset=utf-8", Some("UTF-8")),
            ("text/plain; charset=utf-16", Some("UTF-16LE")),
            ("text/plain; charset=Latin-1", Some("windows-1252")),
            ("text/plain; charset=no such", None),
            ("text/plain; charset", None),
            ("charset=utf-8", None),
        ] {
            assert_eq!(charset(media.as_bytes()).map(Encoding::name), expected, "{media}");
        }
    }

    #[test]
    fn a_version_line_is_known_as_soon_as_it_can_be() {
        for (bytes, expected) in [
            ("WARC/1.0\r\n", Begins::Version(10)),
            ("WARC/0.18\nWARC-Type", Begins::Version(10)),
            ("WARC/1.1 \r\n", Begins::Version(11)),
            ("", Begins::Unknown),
            ("WAR", Begins::Unknown),
            ("WARC/1.0\r", Begins::Unknown),
            ("WARD", Begins::Otherwise),
            ("WARC/\n", Begins::Otherwise),
            ("WARC/1.\n", Begins::Otherwise),
            ("WARC/one.two\n", Begins::Otherwise),
            ("WARC/1.00000000000000000000000000\n", Begins::Otherwise),
        ] {
            assert_eq!(begins(bytes.as_bytes()), expected, "{bytes:?}");
        }
    }

    #[test]
    fn headers_are_read_however_they_are_written() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let two = [pair("A", "1"), pair("b", "two")];
        assert_eq!(pairs(b"A: 1\r\nb: two\r\n\r\nc: 3\r\n\r\n"), two);
        assert_eq!(pairs(b"A:1\nb\t:  two \n\nc: 3\n\n"), two);
        assert_eq!(pairs(b"A: 1\r\nno header\r\n: none\r\nb: two\n\r\n"), two);
        assert_eq!(
            pairs(b"A: 1\r\n \tand\r\n more\r\nb:\r\n two\r\n\r\n"),
            [pair("A", "1\r\n \tand\r\n more"), pair("b", "two")]
        );
        assert_eq!(pairs(b"\r\n"), []);
    }

    #[test]
    fn headers_end_at_the_next_record_or_at_the_bound_if_nothing_else_ends_them() {
        assert!(matches!(end(b"A: 1\r\nb: 2\r\n", 0), Ok(None)));
        assert!(end(b"A: 1\r\nWARC/1.0\r\nb: 2\r\n\r\n", 0).is_err());
        assert!(matches!(end(b"A: 1\r\nWARC/x\r\n\r\n", 0), Ok(Some(16))));
        let long = b"a: b\n".repeat(MOST / 5 + 1);
        assert!(end(&long, 0).is_err());
        assert!(matches!(end(&long[..MOST - 1], 0), Ok(None)));
    }
}
