//! For programs: one object with the findings and the sums.

use super::{Ending, Report};
use crate::check::Hit;
use crate::report::JsonList;
use std::io::{self, Write};

/// Findings as JSON.
pub struct Json<W>(JsonList<W>);

impl<W: Write> Json<W> {
    /// Findings, written to `out` as they come.
    pub fn new(out: W) -> Self {
        Self(JsonList::new(out, "findings"))
    }
}

impl<W: Write> Report for Json<W> {
    fn hit(&mut self, hit: &Hit) -> io::Result<()> {
        self.0.add(hit)
    }

    fn end(&mut self, Ending { counts, tally, .. }: Ending) -> io::Result<()> {
        self.0.close()?;
        self.0.key("counts", counts)?;
        self.0.key("summary", tally)?;
        self.0.end()
    }
}
