//! What is said about the clean copy of one document.

use super::{Finding, Repeat, bytes, change, count, counted};
use crate::Match;
use crate::document::Rule;

impl Finding {
    /// The lines about the clean copy: what was removed, block by block, and the sums. `how` was compared; `is_one_of_many`: each
    /// line names the document.
    pub fn in_words(&self, how: Match, is_one_of_many: bool) -> Vec<String> {
        let path = self.passage(&[]);
        if self.blocks == 0 {
            return vec![format!("{path}: {}", self.nothing_removed())];
        }
        if self.dropped {
            return vec![format!("{path}: dropped as a whole: {}; nothing of it is written", self.why_dropped())];
        }
        let mut by_place: Vec<&Repeat> = self.repeats.iter().collect();
        by_place.sort_by_key(|repeat| repeat.bytes.start);
        let mut lines: Vec<String> = by_place.into_iter().map(|repeat| format!("{path}: {}", removed(repeat, how))).collect();
        if self.blocks > self.repeats.len() as u64 {
            let rest = counted(self.blocks - self.repeats.len() as u64, "shorter block");
            lines.push(format!("{path}: removed {rest} more"));
        }
        lines.push(format!(
            "{}{} → {}, {} ({}); {}",
            if is_one_of_many { format!("{path}: ") } else { String::new() },
            count(self.paragraphs),
            counted(self.paragraphs - self.repeated_paragraphs, "paragraph"),
            bytes(self.bytes, self.clean_bytes),
            change(self.bytes, self.clean_bytes),
            self.end("nothing else changed")
        ));
        lines
    }

    fn why_dropped(&self) -> String {
        let earlier = self.repeats.first().filter(|repeat| repeat.rule == Rule::RepeatedDocument);
        match earlier {
            Some(document) => format!("repeats {}", document.repeated_in_words()),
            None => format!("{} of {} repeat", count(self.repeated_paragraphs), counted(self.paragraphs, "paragraph")),
        }
    }

    /// What is said of the rest of it: this, if all of it came.
    fn end(&self, all: &'static str) -> &'static str {
        if self.cut_short { "the copy ends where the stream broke off" } else { all }
    }

    fn nothing_removed(&self) -> String {
        let end = self.end("nothing changed");
        let sums = format!("{}, {}", counted(self.paragraphs, "paragraph"), bytes(self.bytes, self.bytes));
        match self.spared_paragraphs {
            0 => format!("nothing repeats ({sums}); {end}"),
            1 => {
                format!("1 paragraph repeats, which alone doesn't count (--min-chars sets the length); {end} ({sums})")
            }
            spared => {
                let spared = count(spared);
                format!("{spared} paragraphs repeat, in runs too short (--min-chars) or of a kind that stays; {end} ({sums})")
            }
        }
    }
}

fn removed(repeat: &Repeat, how: Match) -> String {
    let what = counted(repeat.paragraphs, "paragraph");
    let verb = if repeat.lines.first == repeat.lines.last { "repeats" } else { "repeat" };
    let proof = match how {
        Match::Bytes => "compared byte for byte",
        _ if repeat.identical => "compared byte for byte",
        Match::Text => "the same but for white space and Unicode form",
        Match::Loose => "the same but for case, punctuation and white space",
    };
    format!("removed {what}: {} {verb} {} ({proof})", repeat.lines, repeat.repeated_in_words())
}
