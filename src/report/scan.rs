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
            let what = repeat.paragraph_numbers.map_or_else(String::new, |numbers| format!(" {}", numbers.named("paragraph")));
            writeln!(self.out, "{passage}{what}: repeats {} ({size})", repeat.repeated_in_words())?;
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

/// One object of JSON that begins with its version and a list, whose entries are written as they come.
pub(crate) struct JsonList<W> {
    out: W,
    name: &'static str,
    any: bool,
}

impl<W: Write> JsonList<W> {
    pub(crate) fn new(out: W, name: &'static str) -> Self {
        Self { out, name, any: false }
    }

    pub(crate) fn add(&mut self, entry: &impl serde::Serialize) -> io::Result<()> {
        self.open()?;
        Ok(serde_json::to_writer(&mut self.out, entry)?)
    }

    fn open(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.any, true) {
            return writeln!(self.out, ",");
        }
        writeln!(self.out, "{{\"version\":1,\"{}\":[", self.name)
    }

    /// The end of the list.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        if !self.any {
            self.open()?;
        }
        write!(self.out, "\n]")
    }

    /// What follows the list.
    pub(crate) fn key(&mut self, name: &str, value: &impl serde::Serialize) -> io::Result<()> {
        write!(self.out, ",\"{name}\":")?;
        Ok(serde_json::to_writer(&mut self.out, value)?)
    }

    /// The end of the object.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        writeln!(self.out, "}}")?;
        self.out.flush()
    }
}

/// For programs: one object with the documents in which something repeats, and the sums.
pub struct Json<W>(JsonList<W>);

impl<W: Write> Json<W> {
    /// Findings as JSON, written to `out` as they come.
    pub fn new(out: W) -> Self {
        Self(JsonList::new(out, "documents"))
    }
}

impl<W: Write> ScanReport for Json<W> {
    fn document(&mut self, finding: &Finding) -> io::Result<()> {
        self.0.add(finding)
    }

    fn end(&mut self, tally: &Tally, most: Option<&MostRepeated>) -> io::Result<()> {
        const LISTED: usize = 100;
        self.0.close()?;
        if let Some(most) = most {
            self.0.key("most_repeated", &most.first(LISTED))?;
        }
        self.0.key("summary", tally)?;
        self.0.end()
    }
}
