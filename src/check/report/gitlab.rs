//! For GitLab: a code quality report, as <https://docs.gitlab.com/ci/testing/code_quality/> describes it.

use super::{Ending, Report, Root};
use crate::check::{Hit, Level};
use crate::report::Fingerprint;
use serde_json::json;
use std::io::{self, Write};

/// Findings as a code quality report.
pub struct GitLab<W> {
    out: W,
    root: Root,
    any: bool,
}

impl<W: Write> GitLab<W> {
    /// Findings, written to `out` as they come; paths begin at the root.
    pub fn new(out: W, root: Root) -> Self {
        Self { out, root, any: false }
    }
}

impl<W: Write> Report for GitLab<W> {
    fn hit(&mut self, hit: &Hit) -> io::Result<()> {
        let path = self.root.seen(&hit.at.path).to_string_lossy().into_owned();
        // Of two findings with the same one GitLab shows one.
        let own = format!("{} {} {path} {}", hit.rule.name(), hit.fingerprint, hit.occurrence);
        let lines = hit.lines_of_file();
        let issue = json!({
            "description": hit.in_words(),
            "check_name": hit.rule.name(),
            "fingerprint": Fingerprint::of(own.as_bytes()).to_string(),
            "severity": match hit.level {
                Level::Error => "major",
                Level::Warning => "minor",
                Level::Note | Level::Off => "info",
            },
            "location": { "path": path, "lines": { "begin": lines.first, "end": lines.last } },
        });
        write!(self.out, "{}{issue}", if self.any { ",\n" } else { "[\n" })?;
        self.any = true;
        Ok(())
    }

    fn end(&mut self, _: Ending) -> io::Result<()> {
        self.out.write_all(if self.any { b"\n]\n" } else { b"[]\n" })?;
        self.out.flush()
    }
}
