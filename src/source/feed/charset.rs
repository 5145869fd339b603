//! Bytes into characters, where those aren't UTF-8, each with its place.

use super::Fault;
use crate::document::{BYTE_ORDER_MARK, Map, Span};
use encoding_rs::{Decoder, DecoderResult, Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use memchr::memmem;
use std::borrow::Cow;

/// A text in UTF-8, and how that was written.
#[derive(Clone, Debug)]
pub(crate) struct Decoded<'a> {
    pub(crate) text: Cow<'a, str>,
    /// None: as it reads.
    pub(crate) coding: Option<Coding>,
}

/// How a text is written that isn't UTF-8.
#[derive(Clone, Debug)]
pub(crate) struct Coding {
    /// Where its characters stand in the bytes that it was decoded from.
    pub(crate) map: Map,
    encoding: &'static Encoding,
}

impl Coding {
    /// How something is written so, if it can be.
    pub(crate) fn encoded(&self, text: &[u8]) -> Option<Vec<u8>> {
        let text = str::from_utf8(text).ok()?;
        match self.encoding {
            wide if wide == UTF_16LE => Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            wide if wide == UTF_16BE => Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            encoding => {
                let (written, _, is_lossy) = encoding.encode(text);
                let is_read_so =
                    || encoding.decode_without_bom_handling_and_without_replacement(&written).as_deref() == Some(text);
                (!is_lossy && is_read_so()).then(|| written.into_owned())
            }
        }
    }
}

/// What is said of the encoding of something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declared {
    /// In XML, in which every byte must be one of its encoding.
    Xml,
    /// In HTML, in which nothing need be said.
    Html,
}

/// So far in from its beginning a file says which encoding it has (HTML Living Standard, 13.2.3.2).
const PROBE: usize = 1024;

/// The text of a file.
///
/// # Errors
/// Of XML: if its encoding isn't known, or it isn't in that.
pub(crate) fn decoded(bytes: &[u8], declared: Declared) -> Result<Decoded<'_>, Fault> {
    if matches!(bytes, [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] | [0, 0, 0, b'<', ..]) {
        return Err(Fault::UnknownEncoding { label: "UTF-32".into() });
    }
    let of_bytes = by_bytes(bytes);
    let named = if of_bytes.is_none() { label(bytes, declared) } else { None };
    let encoding = match (of_bytes, &named) {
        (Some(encoding), _) => encoding,
        (None, Some(label)) => match Encoding::for_label(label.as_bytes()) {
            // What says so in ASCII is none.
            Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => UTF_8,
            Some(encoding) => encoding,
            None if declared == Declared::Html => UTF_8,
            None => return Err(Fault::UnknownEncoding { label: label.clone() }),
        },
        (None, None) => UTF_8,
    };
    if encoding == ISO_2022_JP || encoding == REPLACEMENT {
        // What the latter stands for (ISO-2022-KR, HZ) has states, too.
        return Err(Fault::Stateful { encoding: named.unwrap_or_else(|| encoding.name().into()) });
    }
    if encoding == UTF_8 {
        return match simdutf8::compat::from_utf8(bytes) {
            Ok(text) => Ok(Decoded { text: text.into(), coding: None }),
            // As browsers take what says nothing, which any bytes are.
            Err(_) if declared == Declared::Html => by_character(bytes, WINDOWS_1252, false),
            Err(error) => {
                let line = 1 + memchr::memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count() as u64;
                Err(Fault::NotInEncoding { line, encoding: "UTF-8", is_declared: named.is_some() })
            }
        };
    }
    by_character(bytes, encoding, declared == Declared::Xml)
}

/// A beginning in UTF-16: in which one, and in UTF-8.
pub(crate) fn wide(beginning: &[u8]) -> Option<(&'static str, String)> {
    const PROBE: usize = 8 << 10;
    let beginning = &beginning[..beginning.len().min(PROBE)];
    let encoding = by_bytes(beginning).filter(|encoding| *encoding != UTF_8)?;
    Some((encoding.name(), encoding.decode(beginning).0.into_owned()))
}

/// The encoding that the first bytes tell: by a mark, or by what a file begins with (XML 1.0, appendix F).
fn by_bytes(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0xff, 0xfe, ..] | [b'<' | b'{', 0, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] | [0, b'<' | b'{', ..] => Some(UTF_16BE),
        _ if bytes.starts_with(BYTE_ORDER_MARK) => Some(UTF_8),
        _ => None,
    }
}

/// The name of the encoding that a file gives itself.
fn label(bytes: &[u8], declared: Declared) -> Option<String> {
    let beginning = &bytes[..bytes.len().min(PROBE)];
    let (within, key): (&[u8], &[u8]) = match declared {
        Declared::Xml => {
            let start = beginning.trim_ascii_start();
            let end = memmem::find(start, b"?>").filter(|_| start.starts_with(b"<?xml"))?;
            (&start[..end], b"encoding")
        }
        Declared::Html => (beginning, b"charset"),
    };
    let at = memmem::find_iter(within, key).find(|at| within[at + key.len()..].trim_ascii_start().starts_with(b"="))?;
    let value = within[at + key.len()..].trim_ascii_start()[1..].trim_ascii_start();
    let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_:.+".contains(byte);
    let label: Vec<u8> = value.iter().take_while(is_part).copied().collect();
    (!label.is_empty()).then(|| String::from_utf8_lossy(&label).into_owned())
}

/// Decodes one character after another, but for stretches of ASCII.
fn by_character(bytes: &[u8], encoding: &'static Encoding, is_strict: bool) -> Result<Decoded<'static>, Fault> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let (mut text, mut map) = (String::with_capacity(bytes.len()), Map::default());
    let mut at = 0;
    while at < bytes.len() {
        let ascii = if encoding.is_ascii_compatible() { Encoding::ascii_valid_up_to(&bytes[at..]) } else { 0 };
        if ascii > 0 {
            text.push_str(str::from_utf8(&bytes[at..at + ascii]).expect("it is ASCII"));
            map.push(Span::new(at, at + ascii), ascii as u64, false);
            at += ascii;
            continue;
        }
        let before = text.len();
        let (taken, is_one) = character(&mut decoder, &bytes[at..], &mut text);
        if !is_one && is_strict {
            let line = 1 + text[..before].bytes().filter(|&byte| byte == b'\n').count() as u64;
            return Err(Fault::NotInEncoding { line, encoding: encoding.name(), is_declared: true });
        }
        map.push(Span::new(at, at + taken), (text.len() - before) as u64, true);
        at += taken;
    }
    Ok(Decoded { text: text.into(), coding: Some(Coding { map, encoding }) })
}

/// Decodes the next character; how many bytes it takes, and whether it is one.
fn character(decoder: &mut Decoder, bytes: &[u8], text: &mut String) -> (usize, bool) {
    let mut out = [0; 16];
    for len in 1..=bytes.len() {
        let is_last = len == bytes.len();
        let (result, read, written) = decoder.decode_to_utf8_without_replacement(&bytes[len - 1..len], &mut out, is_last);
        debug_assert!(read <= 1);
        text.push_str(str::from_utf8(&out[..written]).expect("it decodes to UTF-8"));
        match result {
            DecoderResult::Malformed(..) => {
                text.push('\u{fffd}');
                if is_last {
                    *decoder = decoder.encoding().new_decoder_without_bom_handling();
                }
                return (len - usize::from(read == 0 && len > 1), false);
            }
            _ if written > 0 => return (len, true),
            DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
        }
    }
    (bytes.len(), true)
}
