//! How the body of an HTTP message is coded: in chunks, packed, or both. Crawlers often write down what a server said of a
//! coding and the body without it, so that what can't be decoded and reads as it stands is taken as it stands.

use super::Fault;
use super::head::Headers;
use crate::document::Span;

/// The most that a body may unpack to.
pub(super) const MOST: usize = 256 << 20;
/// More than any line has that begins a chunk.
const CHUNK_LINE: usize = 4096;

/// How a text is coded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coding {
    is_chunked: bool,
    /// Where the ways stand that it is packed in, in order.
    packed: Option<Span>,
    /// Whether the crawler says that it didn't take all of it.
    is_truncated: bool,
}

impl Coding {
    /// The one that the headers of an HTTP message tell of.
    pub(super) fn of(http: Headers, is_truncated: bool) -> Option<Self> {
        let is_chunked = http.value("Transfer-Encoding").to_ascii_lowercase().ends_with(b"chunked");
        let packed = http.place("Content-Encoding").filter(|_| ways(http.value("Content-Encoding")).next().is_some());
        (is_chunked || packed.is_some()).then_some(Self { is_chunked, packed, is_truncated })
    }

    pub(super) fn moved(self, by: u64) -> Self {
        let packed = self.packed.map(|span| Span { start: span.start + by, end: span.end + by });
        Self { packed, ..self }
    }

    /// Appends the text that is coded in `span` of the bytes that hold the record. If it ends early, that is all there is.
    ///
    /// # Errors
    /// If it is packed in a way that isn't read, or unpacks to more than 256 MiB; nothing is appended then.
    pub fn decode(&self, bytes: &[u8], span: Span, out: &mut Vec<u8>) -> Result<(), Fault> {
        let start = out.len();
        let body = span.of(bytes);
        if !(self.is_chunked && joined(body, self.is_truncated, out)) {
            out.extend_from_slice(body);
        }
        let named = self.packed.map_or(&[][..], |packed| packed.of(bytes));
        let all: Vec<&[u8]> = ways(named).collect();
        for way in all.into_iter().rev() {
            let unpacked = unpack(way, &out[start..]).inspect_err(|_| out.truncate(start))?;
            if let Some(unpacked) = unpacked {
                out.truncate(start);
                out.extend(unpacked);
            }
        }
        Ok(())
    }
}

/// The ways in which a Content-Encoding says that a body is packed.
fn ways(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let all = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    all.filter(|way| !way.is_empty() && !way.eq_ignore_ascii_case(b"identity") && !way.eq_ignore_ascii_case(b"none"))
}

/// Appends what the chunks of a body hold. If it doesn't begin as a chunk does, it isn't in chunks, and nothing is appended; if
/// what follows a chunk isn't one, it belongs to the text as it is.
fn joined(body: &[u8], is_truncated: bool, out: &mut Vec<u8>) -> bool {
    let mut rest = body;
    loop {
        let is_first = rest.len() == body.len();
        let Some((len, from)) = chunk(rest) else {
            if !is_first {
                out.extend_from_slice(rest);
            }
            return !is_first;
        };
        let there = &rest[from..];
        let text = &there[..there.len().min(len)];
        let after = &there[text.len()..];
        let next = after.strip_prefix(b"\r\n").or_else(|| after.strip_prefix(b"\n"));
        // A text may well begin with "add" or "42" in a line.
        let is_one = len == 0 || next.is_some() || !is_first || is_truncated;
        if !is_one {
            return false;
        }
        out.extend_from_slice(text);
        if len == 0 || after.is_empty() {
            return true; // what follows the last one are headers
        }
        rest = next.unwrap_or(after);
    }
}

/// The length of the chunk that begins there, and where its text begins.
fn chunk(bytes: &[u8]) -> Option<(usize, usize)> {
    let end = memchr::memchr(b'\n', &bytes[..bytes.len().min(CHUNK_LINE)])?;
    let number = bytes[..end].split(|&byte| byte == b';').next()?.trim_ascii();
    let digits = std::str::from_utf8(number).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    Some((usize::from_str_radix(digits, 16).ok()?, end + 1))
}

/// What a body unpacks to, or nothing if it isn't packed after all.
fn unpack(way: &[u8], body: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    let is = |names: &[&str]| names.iter().any(|name| way.eq_ignore_ascii_case(name.as_bytes()));
    let unpacked = match () {
        () if body.is_empty() => return Ok(None),
        () if is(&["gzip", "x-gzip"]) && !body.starts_with(b"\x1f\x8b") => return Ok(None),
        #[cfg(feature = "gzip")]
        () if is(&["gzip", "x-gzip"]) => inflated::gzip(body),
        #[cfg(feature = "gzip")]
        () if is(&["deflate"]) => inflated::deflate(body),
        () => Err(None),
    };
    let by = || String::from_utf8_lossy(way).into_owned();
    match unpacked {
        Ok(text) if text.len() > MOST => Err(Fault::Bomb { by: by() }),
        Ok(text) => Ok(Some(text)),
        Err(_) if simdutf8::basic::from_utf8(body).is_ok() => Ok(None),
        Err(why) => Err(Fault::Coded { by: by(), why }),
    }
}

/// What deflate packs, in its three wrappings.
#[cfg(feature = "gzip")]
mod inflated {
    use super::MOST;
    use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
    use std::io::{self, Read};

    /// What is unpacked, one byte more than is allowed at most; or what is wrong.
    type Unpacked = Result<Vec<u8>, Option<String>>;

    /// All members, up to where none begins.
    pub(super) fn gzip(mut body: &[u8]) -> Unpacked {
        let mut text = Vec::new();
        while body.starts_with(b"\x1f\x8b") && text.len() <= MOST {
            let before = body.len();
            read(GzDecoder::new(&mut body), &mut text)?;
            if body.len() == before {
                break;
            }
        }
        Ok(text)
    }

    /// In zlib's wrapping, as the standard says, or in none, as some servers have it.
    pub(super) fn deflate(body: &[u8]) -> Unpacked {
        const METHOD: u8 = 8;
        let is_wrapped = body.first_chunk().is_some_and(|&[first, second]| {
            first & 0x0f == METHOD && u16::from_be_bytes([first, second]).is_multiple_of(31)
        });
        let mut text = Vec::new();
        if is_wrapped { read(ZlibDecoder::new(body), &mut text) } else { read(DeflateDecoder::new(body), &mut text) }?;
        Ok(text)
    }

    /// Appends what there is to read. Servers and crawlers break off: what ends early is as much as they took.
    fn read(from: impl Read, text: &mut Vec<u8>) -> Result<(), Option<String>> {
        let left = MOST + 1 - text.len();
        match from.take(left as u64).read_to_end(text) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(Some(crate::error::io_reason(&error))),
            _ => Ok(()),
        }
    }
}
