//! Characters that HTML and XML name instead of writing them.

use std::borrow::Cow;

/// Those that XML itself knows, which are nearly all that are met.
const COMMON: [(&[u8], &str); 6] =
    [(b"lt;", "<"), (b"gt;", ">"), (b"amp;", "&"), (b"quot;", "\""), (b"nbsp;", "\u{a0}"), (b"apos;", "'")];
/// No entity has more characters.
const LONGEST: usize = 40;

/// The characters of the entity that is written as `&` and then begins `rest`, and its length there; none if that is no entity.
pub(crate) fn entity(rest: &[u8]) -> Option<(Cow<'static, str>, usize)> {
    if let Some((name, read)) = COMMON.iter().find(|(name, _)| rest.starts_with(name)) {
        return Some(((*read).into(), name.len()));
    }
    let is_part = |&(at, byte): &(usize, &u8)| byte.is_ascii_alphanumeric() || at == 0 && *byte == b'#';
    let name = rest.iter().enumerate().take(LONGEST).take_while(is_part).count();
    let len = name + usize::from(rest.get(name) == Some(&b';'));
    if name == 0 {
        return None;
    }
    let written = format!("&{}", str::from_utf8(&rest[..len]).expect("it is ASCII"));
    let read = htmlize::unescape(written.as_str());
    (*read != written).then(|| (read.into_owned().into(), len))
}
