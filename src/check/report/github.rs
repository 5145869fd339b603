//! For GitHub Actions: the worst findings as annotations, which are commands in what a step prints
//! (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>), and a summary of the step in Markdown.

use super::worst::Worst;
use super::{Ending, Report, Root};
use crate::check::{Counts, Hit, Level};
use crate::report::{Tally, counted, is_harmful};
use std::fmt::Write as _;
use std::io::{self, Write};

/// A step shows ten annotations of a kind; more of them would hide those of other steps.
const SHOWN: usize = 10;

/// Findings as annotations.
pub struct GitHub<W> {
    out: W,
    root: Root,
    worst: Worst,
}

/// Findings as the summary of a step.
pub struct StepSummary<W>(GitHub<W>);

impl<W: Write> GitHub<W> {
    /// Findings, written to `out` at the end; paths begin at the root.
    pub fn new(out: W, root: Root) -> Self {
        Self { out, root, worst: Worst::new(SHOWN) }
    }

    fn annotation(&self, hit: &Hit) -> String {
        let command = match hit.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note | Level::Off => "notice",
        };
        let path = self.root.seen(&hit.at.path);
        let (path, lines) = (property(&path.to_string_lossy()), hit.lines_of_file());
        let title = property(hit.rule.name());
        format!("::{command} file={path},line={},endLine={},title={title}::{}", lines.first, lines.last, data(&hit.in_words()))
    }
}

impl<W: Write> StepSummary<W> {
    /// Findings, written to `out` at the end; paths begin at the root.
    pub fn new(out: W, root: Root) -> Self {
        Self(GitHub::new(out, root))
    }

    fn text(&self, counts: &Counts, tally: &Tally) -> String {
        let GitHub { worst, root, .. } = &self.0;
        let Counts { errors, warnings, notes, .. } = *counts;
        let numbers = [counted(errors, "error"), counted(warnings, "warning"), counted(notes, "note")].join(", ");
        let documents = counted(tally.sums.documents, "document");
        let failed = match tally.failed {
            0 => String::new(),
            failed => format!("{} could not be checked; ", counted(failed, "file")),
        };
        let mut text = format!("### unecho: {failed}{numbers}\n\n{documents} checked.\n\n");
        if worst.count() > 0 {
            text += "| | rule | place | |\n|---|---|---|---|\n";
        }
        for hit in worst.hits() {
            let (level, rule) = (hit.level.name(), hit.rule.name());
            let path = root.seen(&hit.at.path);
            let place = format!("{}:{}", path.to_string_lossy(), hit.lines_of_file().first);
            let _ = writeln!(text, "| {level} | {rule} | {} | {} |", markdown(&place), markdown(&hit.in_words()));
        }
        if worst.left_out() > 0 {
            let _ = writeln!(text, "\nand {} more", counted(worst.left_out(), "finding"));
        }
        text + "\n"
    }
}

impl<W: Write> Report for GitHub<W> {
    fn hit(&mut self, hit: &Hit) -> io::Result<()> {
        self.worst.add(hit);
        Ok(())
    }

    fn end(&mut self, Ending { tally, .. }: Ending) -> io::Result<()> {
        if tally.failed > 0 {
            let files = counted(tally.failed, "file");
            writeln!(self.out, "::error title=unecho::{files} could not be checked; the log of the step says why")?;
        }
        for hit in self.worst.hits() {
            writeln!(self.out, "{}", self.annotation(hit))?;
        }
        if self.worst.left_out() > 0 {
            let of = counted(self.worst.count(), "finding");
            writeln!(self.out, "::notice title=unecho::{of}; the worst {SHOWN} are shown here")?;
        }
        self.out.flush()
    }
}

impl<W: Write> Report for StepSummary<W> {
    fn hit(&mut self, hit: &Hit) -> io::Result<()> {
        self.0.hit(hit)
    }

    fn end(&mut self, Ending { counts, tally, .. }: Ending) -> io::Result<()> {
        let text = self.text(counts, tally);
        self.0.out.write_all(text.as_bytes())?;
        self.0.out.flush()
    }
}

/// The message of a command, on one line, without anything that would disturb a terminal.
fn data(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' => out.push_str("%25"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            c if is_harmful(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

/// A property of a command, which ends at a comma or a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text that Markdown takes for nothing but text: each sign by its number.
fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() || c == '\n' {
            let _ = write!(out, "&#{};", u32::from(c));
        } else if is_harmful(c) {
            out += &markdown(&c.escape_default().to_string());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_or_text_is_a_command() {
        assert_eq!(property("a::b,c%0A\n.md"), "a%3A%3Ab%2Cc%250A%0A.md");
        assert_eq!(data("50%: a\r\n::error::b"), "50%25: a%0D%0A::error::b");
        assert_eq!(markdown("a|b<c>`\n*é"), "a&#124;b&#60;c&#62;&#96;&#10;&#42;é");
        assert_eq!(markdown("\r\u{1b}"), "&#92;r&#92;u&#123;1b&#125;");
    }
}
