//! What is said about the clean copy of one document.

use super::{Finding, Repeat, bytes, change, count, counted, visible};
use crate::Match;

impl Finding {
    /// The lines about the clean copy: what was removed, block by block, and the sums. `how` was compared.
    pub fn in_words(&self, how: Match) -> Vec<String> {
        let path = visible(&self.path);
        if self.blocks == 0 {
            let size = bytes(self.bytes, self.bytes);
            return vec![format!("{path}: nothing repeats ({}, {size}); nothing changed", counted(self.paragraphs, "paragraph"))];
        }
        let mut by_place: Vec<&Repeat> = self.repeats.iter().collect();
        by_place.sort_by_key(|repeat| repeat.bytes.start);
        let mut lines: Vec<String> = by_place.into_iter().map(|repeat| format!("{path}: {}", removed(repeat, how))).collect();
        if self.blocks > self.repeats.len() as u64 {
            let rest = counted(self.blocks - self.repeats.len() as u64, "shorter block");
            lines.push(format!("{path}: removed {rest} more"));
        }
        lines.push(format!(
            "{} → {}, {} ({}); nothing else changed",
            count(self.paragraphs),
            counted(self.paragraphs - self.repeated_paragraphs, "paragraph"),
            bytes(self.bytes, self.clean_bytes),
            change(self.bytes, self.clean_bytes)
        ));
        lines
    }
}

fn removed(repeat: &Repeat, how: Match) -> String {
    let what = counted(repeat.paragraphs, "paragraph");
    let verb = if repeat.lines.first == repeat.lines.last { "repeats" } else { "repeat" };
    let proof = match how {
        Match::Bytes => "compared byte for byte",
        Match::Text => "same text, compared byte for byte",
        Match::Loose => "same words, compared byte for byte",
    };
    format!("removed {what}: {} {verb} {} ({proof})", repeat.lines, repeat.repeated_lines())
}
