//! What is said about the clean copy of one document.

use super::{Finding, Repeat, bytes, change, count, counted, noun};
use crate::document::Rule;
use crate::{Match, Settings};

impl Finding {
    /// The lines about the clean copy: what was removed, block by block, and the sums. `is_one_of_many`: each line names the document.
    pub fn in_words(&self, settings: &Settings, is_one_of_many: bool) -> Vec<String> {
        let path = self.passage(&[]);
        if settings.only_tidies {
            let (paragraphs, size) = (counted(self.paragraphs, noun(settings.unit)), bytes(self.bytes, self.clean_bytes));
            return vec![format!("{path}: {paragraphs}, {size}; {}", self.end("nothing changed"))];
        }
        if self.blocks == 0 {
            return vec![format!("{path}: {}", self.nothing_removed(settings))];
        }
        if self.dropped {
            return vec![format!("{path}: dropped as a whole: {}; nothing of it is written", self.why_dropped(settings))];
        }
        let mut by_place: Vec<&Repeat> = self.repeats.iter().collect();
        by_place.sort_by_key(|repeat| repeat.bytes.start);
        let mut lines: Vec<String> =
            by_place.into_iter().map(|repeat| format!("{path}: {}", self.removed(repeat, settings))).collect();
        if self.blocks > self.repeats.len() as u64 {
            let rest = counted(self.blocks - self.repeats.len() as u64, "shorter block");
            lines.push(format!("{path}: removed {rest} more"));
        }
        lines.push(format!(
            "{}{} → {}, {} ({}); {}",
            if is_one_of_many { format!("{path}: ") } else { String::new() },
            count(self.paragraphs),
            counted(self.paragraphs - self.repeated_paragraphs, noun(settings.unit)),
            bytes(self.bytes, self.clean_bytes),
            change(self.bytes, self.clean_bytes),
            self.end("nothing else changed")
        ));
        lines
    }

    fn why_dropped(&self, settings: &Settings) -> String {
        let earlier = self.repeats.first().filter(|repeat| repeat.rule == Rule::RepeatedDocument);
        let all = || counted(self.paragraphs, noun(settings.unit));
        match earlier {
            Some(document) => format!("repeats {}", document.repeated_in_words()),
            None if self.repeated_paragraphs == self.paragraphs => format!("all of it repeats ({})", all()),
            None => {
                let repeated = count(self.repeated_paragraphs);
                format!("more of its text repeats than --drop-above allows ({repeated} of {})", all())
            }
        }
    }

    /// What is said of the rest of it: this, if all of it came, and nothing was repaired.
    fn end(&self, all: &str) -> String {
        let broken = self.cut_short.then(|| "the copy ends where the stream broke off".to_owned());
        let repaired = self.repairs.in_words().map(|repairs| format!("repaired: {repairs}"));
        let decoded = self.decoded_from.map(|encoding| format!("it was in {encoding}"));
        let words: Vec<String> = repaired.into_iter().chain(decoded).chain(broken).collect();
        if words.is_empty() { all.into() } else { words.join("; ") }
    }

    fn removed(&self, repeat: &Repeat, settings: &Settings) -> String {
        let what = counted(repeat.paragraphs, noun(settings.unit));
        let verb = if repeat.is_one() { "repeats" } else { "repeat" };
        let proof = match settings.matching {
            _ if repeat.identical.is_none() => "the same by a keyed 128-bit hash",
            _ if repeat.identical == Some(true) => "compared byte for byte",
            _ if !self.repairs.is_none() => "the same once repaired",
            Match::Bytes => "compared byte for byte",
            Match::Text => "the same but for white space and Unicode form",
            Match::Loose => "the same but for case, punctuation and white space",
        };
        format!("removed {what}: {} {verb} {} ({proof})", repeat.in_words(), repeat.repeated_in_words())
    }

    fn nothing_removed(&self, settings: &Settings) -> String {
        let end = self.end("nothing changed");
        let what = |number| counted(number, noun(settings.unit));
        let sums = format!("{}, {}", what(self.paragraphs), bytes(self.bytes, self.clean_bytes));
        let (repeat, of_any_length) = match self.spared_paragraphs {
            0 => return format!("nothing repeats ({sums}); {end}"),
            1 => ("repeats, alone", settings.least() <= 1),
            _ => ("repeat, in runs", settings.least() <= 1),
        };
        let why = if of_any_length { "of a kind that stays" } else { "too short (--min-chars) or of a kind that stays" };
        format!("{} {repeat} {why}; {end} ({sums})", what(self.spared_paragraphs))
    }
}
