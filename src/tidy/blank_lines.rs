//! Lines with nothing in them.

use super::edits::Edits;
use super::whitespace::is_blank;
use memchr::memchr_iter;

/// Finds blank lines behind others.
pub(super) fn find(text: &str, edits: &mut Edits) {
    let (mut start, mut is_behind_one) = (0, false);
    for end in memchr_iter(b'\n', text.as_bytes()) {
        let is_blank = text[start..end].trim_end_matches('\r').chars().all(is_blank);
        if is_blank && is_behind_one {
            edits.remove(start..end + 1);
        }
        (start, is_behind_one) = (end + 1, is_blank);
    }
}
