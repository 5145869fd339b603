//! Characters that can be spelt in several ways.

use super::edits::Edits;
use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};

const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfc();
const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfkc();

/// A normalization form (UAX #15).
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// Canonical composition.
    Nfc,
    /// Compatibility composition.
    Nfkc,
}

/// Finds what isn't in a normalization form.
pub(super) fn find(text: &str, form: Form, edits: &mut Edits) {
    let normalizer = match form {
        Form::Nfc => NFC,
        Form::Nfkc => NFKC,
    };
    let mut from = normalizer.split_normalized(text).0.len();
    while from < text.len() {
        // ASCII goes together with what follows it alone.
        let bytes = text.as_bytes();
        let Some(next) = bytes[from..].iter().position(|byte| !byte.is_ascii()) else { return };
        let start = (from + next).saturating_sub(1).max(from);
        let beyond = from + next;
        let end = bytes[beyond..].iter().position(u8::is_ascii).map_or(text.len(), |len| beyond + len);
        let written = &text[start..end];
        if !normalizer.is_normalized(written) {
            narrowed(written, &normalizer.normalize(written), start, edits);
        }
        from = end;
    }
}

/// Puts a text in the place of another one, but for what they have in common at their ends.
fn narrowed(old: &str, new: &str, start: usize, edits: &mut Edits) {
    let same = |(a, b): &(char, char)| a == b;
    let len = |(char, _): (char, char)| char.len_utf8();
    let before: usize = old.chars().zip(new.chars()).take_while(same).map(len).sum();
    let (left, right) = (&old[before..], &new[before..]);
    let behind: usize = left.chars().rev().zip(right.chars().rev()).take_while(same).map(len).sum();
    if behind == left.len() {
        // Nothing of it goes: what is before the new one goes with it.
        let last = old[..before].chars().next_back().map_or(0, char::len_utf8);
        return edits.put(start + before - last..start + old.len(), new[before - last..].to_owned());
    }
    edits.put(start + before..start + old.len() - behind, right[..right.len() - behind].to_owned());
}
