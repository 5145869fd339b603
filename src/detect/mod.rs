//! Detectors: which segments repeat, and what justifies it. They see integers, never files, flags or text, and can't fail.

pub mod runs;
mod windows;

/// No segment: what stands where a segment has no witness.
pub const NONE: u32 = u32::MAX;

/// A segment that equals another one, which is kept whatever happens to this one: with keep-first the first of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Its number.
    pub at: u32,
    /// The number of the one that is kept.
    pub kept: u32,
}
