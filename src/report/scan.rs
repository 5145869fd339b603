//! What `scan` prints: findings, document by document in order, in one of two forms.

use super::{Finding, MostRepeated, Passage, Tally, bytes, count, counted, noun, visible};
use crate::document::Unit;
use std::io::{self, Write};

/// A form of the findings.
pub trait ScanReport {
    /// A document in which something repeats.
    ///
    /// # Errors
    /// Those of the output.
    fn document(&mut self, finding: &Finding) -> io::Result<()>;

    /// The end of the run; `most` are the blocks that repeat most, where documents are compared with one another.
    ///
    /// # Errors
    /// Those of the output.
    fn end(&mut self, tally: &Tally, most: Option<&MostRepeated>) -> io::Result<()>;
}

/// For people: a line a block with both places, as editors take them, and how the block begins.
pub struct Text<W> {
    out: W,
    unit: Unit,
}

impl<W: Write> Text<W> {
    /// Findings in words, written to `out`; `unit` was compared.
    pub fn new(out: W, unit: Unit) -> Self {
        Self { out, unit }
    }
}

impl<W: Write> ScanReport for Text<W> {
    fn document(&mut self, finding: &Finding) -> io::Result<()> {
        for repeat in &finding.repeats {
            let size = format!("{}, {}", counted(repeat.paragraphs, noun(self.unit)), counted(repeat.columns, "column"));
            let passage = finding.passage(&[repeat.lines]);
            writeln!(self.out, "{passage}: repeats {} ({size})", repeat.repeated_in_words())?;
            writeln!(self.out, "    {}", visible(&repeat.begins))?;
        }
        Ok(())
    }

    fn end(&mut self, _: &Tally, most: Option<&MostRepeated>) -> io::Result<()> {
        const SHOWN: usize = 10;
        let most = most.map_or_else(Vec::new, |most| most.first(SHOWN));
        if !most.is_empty() {
            writeln!(self.out, "Most repeated:")?;
        }
        for block in most {
            let times = counted(block.repeats, "repeat");
            writeln!(self.out, "  {times}, {}: {}", bytes(block.bytes, block.bytes), visible(&block.begins))?;
            writeln!(self.out, "    first {}", block.first)?;
            let places: Vec<String> = block.places.iter().map(Passage::to_string).collect();
            let more = match block.repeats - places.len() as u64 {
                0 => String::new(),
                more => format!("; and {} more", count(more)),
            };
            writeln!(self.out, "    again {}{more}", places.join("; "))?;
        }
        self.out.flush()
    }
}

/// For programs: one object with the documents in which something repeats, and the sums.
pub struct Json<W> {
    out: W,
    any: bool,
}

impl<W: Write> Json<W> {
    /// Findings as JSON, written to `out` as they come.
    pub fn new(out: W) -> Self {
        Self { out, any: false }
    }

    fn open(&mut self) -> io::Result<()> {
        let open = if self.any { "," } else { "{\"version\":1,\"documents\":[" };
        self.any = true;
        writeln!(self.out, "{open}")
    }
}

impl<W: Write> ScanReport for Json<W> {
    fn document(&mut self, finding: &Finding) -> io::Result<()> {
        self.open()?;
        Ok(serde_json::to_writer(&mut self.out, finding)?)
    }

    fn end(&mut self, tally: &Tally, most: Option<&MostRepeated>) -> io::Result<()> {
        const LISTED: usize = 100;
        if !self.any {
            self.open()?;
        }
        if let Some(most) = most {
            write!(self.out, "\n],\"most_repeated\":")?;
            serde_json::to_writer(&mut self.out, &most.first(LISTED))?;
            write!(self.out, ",\"summary\":")?;
        } else {
            write!(self.out, "\n],\"summary\":")?;
        }
        serde_json::to_writer(&mut self.out, tally)?;
        writeln!(self.out, "}}")?;
        self.out.flush()
    }
}
