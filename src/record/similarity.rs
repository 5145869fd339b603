//! How similar two texts are: the Jaccard similarity of their sets of five consecutive words.
//!
//! A word is a run of letters, digits and underscores, in lower case; in a script that has no spaces between words each character is
//! one. A text of fewer than five words has one shingle, which is all of it. (A. Broder, On the resemblance and containment of
//! documents, 1997.)

use rustc_hash::FxHashSet;

/// So many words make a shingle.
const WORDS: usize = 5;

/// The share of the shingles of two texts that both have: 1 if they are equal, and if none of them has a word.
pub(super) fn similarity(a: &[u8], b: &[u8]) -> f64 {
    let (a, b) = (shingles(a), shingles(b));
    let both = a.intersection(&b).count();
    let either = a.len() + b.len() - both;
    if either == 0 { 1.0 } else { both as f64 / either as f64 }
}

fn shingles(text: &[u8]) -> FxHashSet<Vec<String>> {
    let text = String::from_utf8_lossy(text).to_lowercase();
    let mut words: Vec<String> = Vec::new();
    let mut is_within = false;
    for c in text.chars() {
        let is_word = c.is_alphanumeric() || c == '_';
        match words.last_mut().filter(|_| is_within && is_word && !stands_alone(c)) {
            Some(word) => word.push(c),
            None if is_word => words.push(c.into()),
            None => {}
        }
        is_within = is_word && !stands_alone(c);
    }
    if words.is_empty() {
        return FxHashSet::default();
    }
    words.windows(WORDS.min(words.len())).map(<[String]>::to_vec).collect()
}

/// Whether a character is of a script without spaces: Thai, Lao, Myanmar, Khmer, kana, Han.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_share_of_shingles_both_have() {
        let of = |a: &str, b: &str| similarity(a.as_bytes(), b.as_bytes());
        assert_eq!([of("", ""), of("one", ""), of("One two", "one, two!"), of("one two", "one three")], [1.0, 0.0, 1.0, 0.0]);
        // a b c d e | b c d e f against a b c d e | b c d e g
        assert_eq!(of("a b c d e f", "a b c d e g"), 1.0 / 3.0);
        assert_eq!(of("早上的船很早", "早上的船很晚"), 1.0 / 3.0);
    }
}
