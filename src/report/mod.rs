//! What is said about a run: findings, the summary, statistics. Knows plans and sources; writes only what it is given to
//! write to.

mod changes;
mod diff;
mod evidence;
mod finding;
mod most;
mod scan;
mod tally;
mod told;
mod words;

pub use crate::error::{count, is_harmful, visible};
pub use diff::{Changes, Diff};
#[cfg(feature = "check")]
pub(crate) use evidence::Reads;
pub use evidence::{Evidence, Fingerprint, Quote, Seen, Wanted};
#[cfg(feature = "check")]
pub(crate) use finding::beginning;
pub use finding::{Earlier, Finding, Lines, Passage, Repeat};
pub use most::{MostRepeated, RepeatedBlock};
#[cfg(feature = "check")]
pub(crate) use scan::JsonList;
pub use scan::{Json, ScanReport, Text};
pub use tally::{Dropped, LeftOutCounts, Stats, Sums, Tally};
pub use told::Told;
pub use words::{bytes, change, counted, noun, share};
