//! Detectors: which segments repeat, and what justifies it. They see integers, never files, flags or text, and can't fail.

pub(crate) mod earlier;
pub mod runs;
pub(crate) mod windows;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// The first segment of each kind, as they come.
pub(crate) enum Firsts {
    /// A few are sought one by one, which costs less than a table.
    Few(SmallVec<[(u32, u32); Firsts::FEW]>),
    Many(FxHashMap<u32, u32>),
}

impl Firsts {
    const FEW: usize = 24;

    /// For at most so many kinds.
    pub(crate) fn new(kinds: usize) -> Self {
        if kinds <= Self::FEW { Self::Few(SmallVec::new()) } else { Self::Many(FxHashMap::default()) }
    }

    /// The first segment of a kind; if none has come, this one is it.
    pub(crate) fn of(&mut self, kind: u32, segment: u32) -> u32 {
        match self {
            Self::Few(known) => match known.iter().find(|known| known.0 == kind) {
                Some(known) => known.1,
                None => {
                    known.push((kind, segment));
                    segment
                }
            },
            Self::Many(known) => *known.entry(kind).or_insert(segment),
        }
    }
}

/// No segment: what stands where a segment has no witness.
pub const NONE: u32 = u32::MAX;
