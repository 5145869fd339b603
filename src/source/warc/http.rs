//! The HTTP message that a response is, and which media types are text.

use super::head::{self, Headers};

/// What a response holds.
pub(super) enum Payload<'a> {
    /// Too little of it is there to tell.
    Unknown,
    /// No HTTP message, or none with a body.
    None,
    /// A message whose body begins there.
    Body { headers: Headers<'a>, start: usize },
}

/// The HTTP message that goes from `from` to the end of `bytes`, or on if that `is_all`.
pub(super) fn payload(bytes: &[u8], from: usize, is_all: bool) -> Payload<'_> {
    const MAGIC: &[u8] = b"HTTP/";
    let message = &bytes[from..];
    let begins = message.iter().zip(MAGIC).all(|(byte, magic)| byte == magic);
    let status = memchr::memchr(b'\n', &message[..message.len().min(head::MOST)]);
    match status {
        _ if !begins => Payload::None,
        // A status line alone ends like this, too.
        None if is_all || message.len() >= head::MOST => Payload::None,
        None => Payload::Unknown,
        Some(status) => {
            let fields = from + status + 1;
            match head::end(bytes, fields) {
                Ok(Some(start)) => Payload::Body { headers: Headers::new(bytes, fields, start), start },
                Ok(None) if !is_all => Payload::Unknown,
                _ => Payload::None,
            }
        }
    }
}

/// Whether a media type is one of HTML.
pub(super) fn is_html(media: &[u8]) -> bool {
    media.eq_ignore_ascii_case(b"text/html") || media.eq_ignore_ascii_case(b"application/xhtml+xml")
}

/// Whether a media type is one of text, HTML among them. "text/dns" is what crawlers call their look-ups of addresses.
pub(super) fn is_text(media: &[u8]) -> bool {
    let is_text = media.get(..5).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/"));
    is_text && !media.eq_ignore_ascii_case(b"text/dns")
}
