//! For programs: one object with the findings and the sums.

use super::{Ending, Report};
use crate::check::Hit;
use std::io::{self, Write};

/// Findings as JSON.
pub struct Json<W> {
    out: W,
    any: bool,
}

impl<W: Write> Json<W> {
    /// Findings, written to `out` as they come.
    pub fn new(out: W) -> Self {
        Self { out, any: false }
    }

    fn open(&mut self) -> io::Result<()> {
        let open = if self.any { "," } else { "{\"version\":1,\"findings\":[" };
        self.any = true;
        writeln!(self.out, "{open}")
    }
}

impl<W: Write> Report for Json<W> {
    fn hit(&mut self, hit: &Hit) -> io::Result<()> {
        self.open()?;
        Ok(serde_json::to_writer(&mut self.out, hit)?)
    }

    fn end(&mut self, Ending { counts, tally, .. }: Ending) -> io::Result<()> {
        if !self.any {
            self.open()?;
        }
        write!(self.out, "\n],\"counts\":")?;
        serde_json::to_writer(&mut self.out, counts)?;
        write!(self.out, ",\"summary\":")?;
        serde_json::to_writer(&mut self.out, tally)?;
        writeln!(self.out, "}}")?;
        self.out.flush()
    }
}
