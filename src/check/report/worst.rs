//! The worst findings, where only so many can be shown.

use crate::check::{Hit, Level};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The worst of all findings so far: the highest level first, of a level the longest, of those the first.
pub(super) struct Worst {
    most: usize,
    count: u64,
    hits: BTreeMap<(Reverse<Level>, Reverse<u64>, u64), Hit>,
}

impl Worst {
    /// At most so many.
    pub(super) fn new(most: usize) -> Self {
        Self { most, count: 0, hits: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, hit: &Hit) {
        self.count += 1;
        let rank = (Reverse(hit.level), Reverse(hit.columns), self.count);
        if self.hits.len() == self.most {
            if self.hits.last_key_value().is_none_or(|(last, _)| rank > *last) {
                return;
            }
            self.hits.pop_last();
        }
        self.hits.insert(rank, hit.clone());
    }

    /// Those that there are, the worst first.
    pub(super) fn hits(&self) -> impl Iterator<Item = &Hit> {
        self.hits.values()
    }

    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// How many of those aren't here.
    pub(super) fn left_out(&self) -> u64 {
        self.count - self.hits.len() as u64
    }
}
