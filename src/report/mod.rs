//! What is said about a run: findings, the summary, statistics. Knows plans and sources; writes only what it is given to
//! write to.

mod finding;
mod scan;
mod tally;
mod words;

pub use finding::{Finding, Lines, Repeat};
pub use scan::{Json, ScanReport, Text};
pub use tally::{LeftOutCounts, Tally};
pub use words::{bytes, change, count, counted, visible};
