//! Entities of HTML in what is no HTML.

use super::edits::Edits;
use super::{is_noncharacter, line_around};
use crate::entity::entity;
use memchr::{memchr, memchr_iter};
use std::borrow::Cow;

/// Finds entities: those that end with a semicolon, and stand for a character of texts. In a line with tags, or with code between
/// backticks, they stay, since there they mean something; and `&amp;` where an ampersand stands by itself, or before a comma, since that line
/// speaks of it.
pub(super) fn find(text: &str, edits: &mut Edits) {
    let bytes = text.as_bytes();
    let mut done = 0;
    // The line that was looked at last ends here.
    let (mut line_end, mut has_tags, mut has_ampersand) = (0, false, false);
    for amp in memchr_iter(b'&', bytes) {
        if amp < done {
            continue;
        }
        let Some((mut read, mut len)) = complete(&bytes[amp + 1..]) else { continue };
        if amp >= line_end {
            let line = line_around(text, amp, line_end);
            line_end = line.end;
            has_tags = holds_a_tag(&bytes[line.clone()]) || memchr(b'`', &bytes[line.clone()]).is_some();
            has_ampersand = holds_an_ampersand(&bytes[line]);
        }
        if has_tags || has_ampersand && read == "&" || is_address(&bytes[..amp], &read) {
            continue;
        }
        done = amp + 1 + len;
        while read == "&"
            && let Some(inner) = complete(&bytes[done..])
        {
            (read, len) = inner;
            done += len;
        }
        if read != "&" || may_follow_an_ampersand(&bytes[done..]) {
            edits.put(amp..done, read);
        }
    }
}

/// An entity that ends as it should, of what follows its `&`. By its name it stands for a letter or a sign that is written between words:
/// names of other signs are names of all sorts of things in programs.
fn complete(rest: &[u8]) -> Option<(Cow<'static, str>, usize)> {
    let (read, len) = entity(rest)?;
    let is_of_text =
        |char: char| char.is_alphanumeric() || char < '\u{100}' || matches!(char, '\u{2000}'..='\u{206f}' | '€' | '™');
    let is_none = |char: char| is_noncharacter(char) || char.is_control() && !matches!(char, '\t' | '\n' | '\r' | '\u{85}');
    let is_one = if rest[0] == b'#' { !read.contains(is_none) } else { read.chars().all(is_of_text) };
    (rest[len - 1] == b';' && read != "\u{fffd}" && is_one).then_some((read, len))
}

/// Whether what stands before the name of a letter or a sign makes it the address of something, as C has it.
fn is_address(before: &[u8], read: &str) -> bool {
    !read.is_ascii() && before.trim_ascii_end().ends_with(b"=")
}

/// Whether something follows an ampersand that stands between words, or in an address: a text that speaks of one goes on otherwise.
fn may_follow_an_ampersand(behind: &[u8]) -> bool {
    !matches!(behind, [b'.' | b',' | b';' | b':' | b'!' | b'?' | b')' | b'"' | b'\'', ..])
}

/// Whether a line has an ampersand that begins nothing.
fn holds_an_ampersand(line: &[u8]) -> bool {
    memchr_iter(b'&', line).any(|amp| line.get(amp + 1).is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'#'))
}

/// Whether a line has what ends an element, or begins one of those that text is made of.
fn holds_a_tag(line: &[u8]) -> bool {
    const NAMES: [&[u8]; 22] = [
        b"a",
        b"b",
        b"blockquote",
        b"br",
        b"code",
        b"div",
        b"em",
        b"font",
        b"h1",
        b"h2",
        b"h3",
        b"hr",
        b"i",
        b"img",
        b"li",
        b"p",
        b"pre",
        b"span",
        b"strong",
        b"td",
        b"tr",
        b"ul",
    ];
    let is_tag = |at: usize| {
        let rest = &line[at + 1..];
        let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let is_known = || NAMES.iter().any(|known| rest[..name].eq_ignore_ascii_case(known));
        match rest.get(name) {
            Some(b'/') if name == 0 => rest.get(1).is_some_and(u8::is_ascii_alphabetic),
            Some(b'>' | b' ' | b'/') => name > 0 && is_known(),
            _ => false,
        }
    };
    memchr_iter(b'<', line).any(is_tag)
}
