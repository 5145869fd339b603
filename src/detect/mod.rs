//! Detectors: which segments repeat, and what justifies it. They see integers, never files, flags or text, and can't fail.

pub(crate) mod earlier;
pub mod runs;
mod windows;

/// No segment: what stands where a segment has no witness.
pub const NONE: u32 = u32::MAX;
