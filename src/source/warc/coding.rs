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

    /// The same in bytes where what it names stands elsewhere.
    pub(super) fn moved(self, moved: impl Fn(Span) -> Span) -> Self {
        Self { packed: self.packed.map(moved), ..self }
    }

    /// Appends the text that is coded in `span` of the bytes that hold the record. If it ends early, that is all there is.
    ///
    /// # Errors
    /// If it is packed in a way that isn't read, or unpacks to more than `most` bytes or 256 MiB; nothing is appended then.
    pub fn decode(&self, bytes: &[u8], span: Span, most: u64, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.decode_at_most(usize::try_from(most).unwrap_or(MOST).min(MOST), bytes, span, out)
    }

    fn decode_at_most(&self, most: usize, bytes: &[u8], span: Span, out: &mut Vec<u8>) -> Result<(), Fault> {
        let start = out.len();
        let body = span.of(bytes);
        if !(self.is_chunked && joined(body, self.is_truncated, out)) {
            out.extend_from_slice(body);
        }
        let named = self.packed.map_or(&[][..], |packed| packed.of(bytes));
        let all: Vec<&[u8]> = ways(named).collect();
        for way in all.into_iter().rev() {
            let unpacked = unpack(way, &out[start..], most).inspect_err(|_| out.truncate(start))?;
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
fn unpack(way: &[u8], body: &[u8], most: usize) -> Result<Option<Vec<u8>>, Fault> {
    let is = |names: &[&str]| names.iter().any(|name| way.eq_ignore_ascii_case(name.as_bytes()));
    let unpacked: Result<Vec<u8>, Option<String>> = match () {
        () if body.is_empty() => return Ok(None),
        () if is(&["gzip", "x-gzip"]) && !body.starts_with(b"\x1f\x8b") => return Ok(None),
        #[cfg(feature = "gzip")]
        () if is(&["gzip", "x-gzip"]) => inflated::gzip(body, most),
        #[cfg(feature = "gzip")]
        () if is(&["deflate"]) => inflated::deflate(body, most),
        () => Err(None),
    };
    let by = || String::from_utf8_lossy(way).into_owned();
    match unpacked {
        Ok(text) if text.len() > most => Err(Fault::Bomb { by: by() }),
        Ok(text) => Ok(Some(text)),
        Err(_) if simdutf8::basic::from_utf8(body).is_ok() => Ok(None),
        Err(why) => Err(Fault::Coded { by: by(), why }),
    }
}

/// What deflate packs, in its three wrappings.
#[cfg(feature = "gzip")]
mod inflated {
    use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
    use std::io::{self, Read};

    /// What is unpacked, one byte more than is allowed at most; or what is wrong.
    type Unpacked = Result<Vec<u8>, Option<String>>;

    /// All members, up to where none begins.
    pub(super) fn gzip(mut body: &[u8], most: usize) -> Unpacked {
        let mut text = Vec::new();
        while body.starts_with(b"\x1f\x8b") && text.len() <= most {
            let before = body.len();
            read(GzDecoder::new(&mut body), &mut text, most)?;
            if body.len() == before {
                break;
            }
        }
        Ok(text)
    }

    /// In zlib's wrapping, as the standard says, or in none, as some servers have it.
    pub(super) fn deflate(body: &[u8], most: usize) -> Unpacked {
        const METHOD: u8 = 8;
        let is_wrapped = body
            .first_chunk()
            .is_some_and(|&[first, second]| first & 0x0f == METHOD && u16::from_be_bytes([first, second]).is_multiple_of(31));
        let mut text = Vec::new();
        if is_wrapped {
            read(ZlibDecoder::new(body), &mut text, most)
        } else {
            read(DeflateDecoder::new(body), &mut text, most)
        }?;
        Ok(text)
    }

    /// Appends what there is to read. Servers and crawlers break off: what ends early is as much as they took.
    fn read(from: impl Read, text: &mut Vec<u8>, most: usize) -> Result<(), Option<String>> {
        let left = most + 1 - text.len();
        match from.take(left as u64).read_to_end(text) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(Some(crate::error::io_reason(&error))),
            _ => Ok(()),
        }
    }
}

#[cfg(all(test, feature = "gzip"))]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    const TEXT: &[u8] = b"A text that is long enough to be packed, to be packed.";

    fn packed(mut reader: impl std::io::Read) -> Vec<u8> {
        let mut packed = Vec::new();
        reader.read_to_end(&mut packed).unwrap();
        packed
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        packed(GzEncoder::new(text, Compression::fast()))
    }

    fn chunks(text: &[u8], len: usize) -> Vec<u8> {
        let chunk = |text: &[u8]| [format!("{:x};x=y\r\n", text.len()).as_bytes(), text, b"\r\n"].concat();
        let all = text.chunks(len).map(chunk).collect::<Vec<_>>().concat();
        [&all[..], b"0\r\nTrailer: 1\r\n\r\n"].concat()
    }

    /// What a body is that is coded so: in chunks where "chunked," precedes the ways it is packed in.
    fn decoded_at_most(most: usize, coding: &str, body: &[u8]) -> Result<Vec<u8>, String> {
        let (is_chunked, named) = coding.strip_prefix("chunked,").map_or((false, coding), |named| (true, named));
        let bytes = [named.as_bytes(), body].concat();
        let coding = Coding { is_chunked, packed: Some(Span::new(0, named.len())), is_truncated: false };
        let mut out = b"before".to_vec();
        let result = coding.decode_at_most(most, &bytes, Span::new(named.len(), bytes.len()), &mut out);
        let text = out.strip_prefix(b"before").unwrap().to_vec();
        result.map(|()| text).map_err(|fault| fault.to_string())
    }

    fn decoded(coding: &str, body: &[u8]) -> Result<Vec<u8>, String> {
        decoded_at_most(MOST, coding, body)
    }

    #[test]
    fn what_is_packed_or_in_chunks_is_read() {
        let zlib = packed(ZlibEncoder::new(TEXT, Compression::fast()));
        let bare = packed(DeflateEncoder::new(TEXT, Compression::fast()));
        let gzip = gzip(TEXT);
        for (coding, body) in [
            ("gzip", &gzip),
            ("X-GZip", &gzip),
            ("deflate", &zlib),
            ("deflate", &bare),
            ("identity, gzip", &gzip),
            ("deflate, gzip", &self::gzip(&zlib)),
            ("chunked,", &chunks(TEXT, 10)),
            ("chunked,gzip", &chunks(&gzip, 7)),
        ] {
            assert_eq!(decoded(coding, body).as_deref(), Ok(TEXT), "{coding}");
        }
        assert_eq!(decoded("gzip", &gzip.repeat(2)), Ok(TEXT.repeat(2)));
        assert_eq!(decoded("gzip", &[&gzip[..], b"\0\0\0"].concat()).as_deref(), Ok(TEXT));
    }

    #[test]
    fn what_isnt_coded_after_all_is_taken_as_it_is() {
        for coding in ["gzip", "deflate", "br", "zstd", "utf-8", "chunked,", "chunked,gzip", "chunked,deflate"] {
            for text in [TEXT, b"", b"add\r\nthree hundred bytes\r\n", b"3\r\nthree bytes\r\n"] {
                assert_eq!(decoded(coding, text).as_deref(), Ok(text), "{coding}");
            }
        }
        assert_eq!(decoded("gzip", b"\xa4\xcf\xa4\xa4").as_deref(), Ok(&b"\xa4\xcf\xa4\xa4"[..])); // EUC-JP
    }

    #[test]
    fn what_ends_early_is_read_as_far_as_it_goes() {
        let long = TEXT.repeat(100);
        let packed = gzip(&long);
        let half = decoded("gzip", &packed[..packed.len() / 2]).unwrap();
        assert!(long.starts_with(&half));
        assert_eq!(decoded("gzip", &packed[..packed.len() - 1]), Ok(long));
        assert_eq!(decoded("chunked,", b"4\r\nfour\r\n4\r\nfi"), Ok(b"fourfi".to_vec()));
        assert_eq!(decoded("chunked,", b"4\nfour\n4\nfive\nand more"), Ok(b"fourfiveand more".to_vec()));
        let coding = Coding { is_chunked: true, packed: None, is_truncated: true };
        let mut out = Vec::new();
        coding.decode(b"400\r\ncut", Span::new(0, 8), 1 << 20, &mut out).unwrap();
        assert_eq!(out, b"cut");
    }

    #[test]
    fn a_fault_says_what_it_is_packed_by() {
        let binary = b"\xff\xfe\xfd and no text";
        let said = |coding: &str, body: &[u8]| decoded(coding, body).unwrap_err();
        assert_eq!(said("br", binary), "its content is packed in a way that isn't read: br");
        assert_eq!(said("deflate, zstd", binary), "its content is packed in a way that isn't read: zstd");
        let broken = [&gzip(TEXT)[..10], &[0xff; 20]].concat();
        assert!(
            said("gzip", &broken).starts_with("its content is packed by gzip, which is broken: "),
            "{}",
            said("gzip", &broken)
        );
        let bomb = gzip(&[b'a'; 1001]);
        assert_eq!(decoded_at_most(1001, "gzip", &bomb), Ok(vec![b'a'; 1001]));
        let fault = decoded_at_most(1000, "gzip", &bomb).unwrap_err();
        assert_eq!(fault, "its content is packed by gzip, and unpacks to more than 256 MiB, or than --memory holds");
        assert!(decoded_at_most(1000, "gzip", &gzip(&[b'a'; 600]).repeat(2)).is_err());
    }

    proptest! {
        #[test]
        fn chunks_of_any_text_and_length_are_joined(text: Vec<u8>, len in 1..20usize) {
            prop_assert_eq!(decoded("chunked,", &chunks(&text, len)), Ok(text));
        }

        #[test]
        fn nothing_panics(coding in "(chunked,)?(gzip|deflate|br|)", body: Vec<u8>, is_like: bool) {
            let body = if is_like { [b"\x1f\x8b\x08\0", &body[..]].concat() } else { body };
            let _ = decoded(&coding, &body);
        }
    }
}
