//! The blocks that repeat most in a corpus: how often, how much that is, and where.

use super::{Finding, Passage};
use crate::document::Span;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::path::PathBuf;

/// The repeated blocks so far, each by the place of the text that stays. Of all of them there are two numbers; words only of
/// those that may be among the first in the end.
#[derive(Default)]
pub struct MostRepeated {
    /// The files that hold what stays, numbered.
    files: FxHashMap<PathBuf, u32>,
    /// How often each block repeats, and the bytes of all its repeats.
    sums: FxHashMap<Place, (u64, u64)>,
    blocks: FxHashMap<Place, RepeatedBlock>,
    /// What comes after this isn't among the first: so many come before it.
    last: Option<Rank>,
}

/// The number of a file, and bytes of it.
type Place = (u32, Span);
/// The first is the one with the most bytes.
type Rank = (Reverse<u64>, Place);

/// A block that repeats.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RepeatedBlock {
    /// How it begins.
    pub begins: String,
    /// How often it repeats, its first occurrence not counted.
    pub repeats: u64,
    /// The bytes of all repeats.
    pub bytes: u64,
    /// Where it stands first.
    pub first: Passage,
    /// Where it stands again: a few places, the first ones unless there were many other blocks before it.
    pub places: Vec<Passage>,
}

/// So many places of a block are kept.
const PLACES: usize = 3;

impl MostRepeated {
    /// So many of the first have words.
    pub const KEPT: usize = 1000;

    /// Adds what repeats in a document.
    pub fn add(&mut self, finding: &Finding) {
        for repeat in &finding.repeats {
            let path = repeat.repeats_document.as_ref().map_or(&finding.path, |earlier| &earlier.path);
            let next = self.files.len() as u32;
            let file = self.files.get(path).copied().unwrap_or_else(|| *self.files.entry(path.clone()).or_insert(next));
            let place = (file, repeat.kept);
            let (repeats, bytes) = self.sums.entry(place).or_default();
            *repeats += 1;
            *bytes += repeat.bytes.len();
            if self.last.is_some_and(|last| (Reverse(*bytes), place) > last) {
                continue;
            }
            let block = self.blocks.entry(place).or_insert_with(|| RepeatedBlock {
                begins: repeat.begins.clone(),
                repeats: 0,
                bytes: 0,
                first: finding.repeated(repeat),
                places: Vec::new(),
            });
            (block.repeats, block.bytes) = (*repeats, *bytes);
            if block.places.len() < PLACES {
                block.places.push(finding.passage(&[repeat.lines]));
            }
            if self.blocks.len() == 2 * Self::KEPT {
                self.forget_last();
            }
        }
    }

    /// Forgets the words of those that aren't among the first.
    fn forget_last(&mut self) {
        let mut ranks: Vec<Rank> = self.blocks.iter().map(rank).collect();
        let (_, &mut last, _) = ranks.select_nth_unstable(Self::KEPT - 1);
        self.last = Some(last);
        self.blocks.retain(|place, block| rank((place, block)) <= last);
    }

    /// The first of them by all their bytes, at most [`MostRepeated::KEPT`].
    pub fn first(&self, count: usize) -> Vec<&RepeatedBlock> {
        let mut blocks: Vec<(&Place, &RepeatedBlock)> = self.blocks.iter().collect();
        blocks.sort_unstable_by_key(|&block| rank(block));
        blocks.into_iter().take(count.min(Self::KEPT)).map(|(_, block)| block).collect()
    }
}

fn rank((&place, block): (&Place, &RepeatedBlock)) -> Rank {
    (Reverse(block.bytes), place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Rule;
    use crate::report::{Lines, Repeat};
    use std::collections::BTreeMap;

    /// Blocks of the same file, which begin at these bytes and repeat.
    fn finding(starts: &[u64]) -> Finding {
        let repeat = |&start: &u64| Repeat {
            rule: Rule::RepeatedBlock,
            lines: Lines { first: 1, last: 1 },
            bytes: Span { start: 0, end: 1 + start % 97 },
            repeats_document: None,
            repeats_lines: Vec::new(),
            repeats_bytes: vec![Span { start, end: start + 1 + start % 97 }],
            identical: Some(true),
            kept: Span { start, end: start + 1 + start % 97 },
            paragraphs: 1,
            columns: 1,
            unique: None,
            paragraph_numbers: None,
            repeats_paragraph_numbers: Vec::new(),
            begins: start.to_string(),
            evidence: None,
        };
        Finding {
            repairs: Default::default(),
            decoded_from: None,
            path: "a".into(),
            record: None,
            id: None,
            has_lines_of_file: true,
            dropped: false,
            cut_short: false,
            bytes: 0,
            clean_bytes: 0,
            paragraphs: 0,
            repeated_paragraphs: 0,
            blocks: 0,
            spared_paragraphs: 0,
            repeats: starts.iter().map(repeat).collect(),
        }
    }

    #[test]
    fn the_first_are_the_first_of_all_however_many_there_are() {
        let mut most = MostRepeated::default();
        let mut all: BTreeMap<u64, u64> = BTreeMap::new();
        for round in 0..200 {
            // Some come once, some in all rounds, some only late.
            let starts: Vec<u64> = (0..100).map(|at| (at * at * 31 + round * (at % 7) * 13 + (round / 150) * 7) % 9001).collect();
            starts.iter().for_each(|&start| *all.entry(start).or_default() += 1);
            most.add(&finding(&starts));
            assert!(most.blocks.len() < 2 * MostRepeated::KEPT);
        }
        assert!(all.len() > 3 * MostRepeated::KEPT && most.last.is_some(), "{}", all.len());
        let mut wanted: Vec<(Reverse<u64>, u64, u64)> =
            all.iter().map(|(&start, &repeats)| (Reverse(repeats * (1 + start % 97)), start, repeats)).collect();
        wanted.sort_unstable();
        let found = most.first(MostRepeated::KEPT);
        let found: Vec<_> = found.iter().map(|b| (Reverse(b.bytes), b.begins.parse().unwrap(), b.repeats)).collect();
        assert_eq!(found, wanted[..MostRepeated::KEPT]);
    }
}
