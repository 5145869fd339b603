//! The blocks that repeat most in a corpus: how often, how much that is, and where.

use super::{Finding, Passage};
use std::cmp::Reverse;
use std::collections::HashMap;

/// The repeated blocks so far, each by the place of the text that stays.
#[derive(Default)]
pub struct MostRepeated(HashMap<(String, u64), RepeatedBlock>);

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
    /// Where it stands again: the first few places.
    pub places: Vec<Passage>,
}

/// So many places of a block are kept.
const PLACES: usize = 3;

impl MostRepeated {
    /// Adds what repeats in a document.
    pub fn add(&mut self, finding: &Finding) {
        for repeat in &finding.repeats {
            let first = finding.repeated(repeat);
            let start = repeat.repeats_bytes.first().map_or(0, |span| span.start);
            let block = self.0.entry((first.to_string(), start)).or_insert_with(|| RepeatedBlock {
                begins: repeat.begins.clone(),
                repeats: 0,
                bytes: 0,
                first,
                places: Vec::new(),
            });
            block.repeats += 1;
            block.bytes += repeat.bytes.len();
            if block.places.len() < PLACES {
                block.places.push(finding.passage(&[repeat.lines]));
            }
        }
    }

    /// The first of them, by all their bytes.
    pub fn first(&self, count: usize) -> Vec<&RepeatedBlock> {
        let mut blocks: Vec<(&(String, u64), &RepeatedBlock)> = self.0.iter().collect();
        blocks.sort_unstable_by_key(|&(place, block)| (Reverse(block.bytes), place));
        blocks.into_iter().take(count).map(|(_, block)| block).collect()
    }
}
