//! SARIF 2.1.0 (OASIS, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>), for GitHub's code scanning and others.

use super::worst::Worst;
use super::{Ending, Report, Root};
use crate::check::{Hit, Level, Rule};
use crate::report::{Passage, counted};
use crate::source::Packing;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// GitHub refuses a run of more than 25,000 results and shows the first 5,000 by their level
/// (<https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>).
const MOST: usize = 5000;
/// What a path may hold in a URI (RFC 3986) as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Findings as SARIF.
pub struct Sarif<W> {
    out: W,
    root: Root,
    worst: Worst,
}

impl<W: Write> Sarif<W> {
    /// Findings, written to `out` at the end; paths begin at the root.
    pub fn new(out: W, root: Root) -> Self {
        Self { out, root, worst: Worst::new(MOST) }
    }

    fn location(&self, passage: &Passage, first: Option<(u64, u64)>) -> Value {
        let mut physical = json!({ "artifactLocation": self.artifact(&passage.path) });
        if let Some((first, last)) = first {
            physical["region"] = json!({ "startLine": first, "endLine": last });
        }
        let mut location = json!({ "physicalLocation": physical });
        if let Some(record) = passage.record {
            let name = passage.id.clone().unwrap_or_else(|| record.to_string());
            location["logicalLocations"] = json!([{ "name": name, "fullyQualifiedName": passage.to_string(), "kind": "object" }]);
        }
        location
    }

    fn artifact(&self, path: &Path) -> Value {
        let path = self.root.seen(path);
        let uri = percent_encode(path.as_os_str().as_bytes(), PATH).to_string();
        if path.is_absolute() {
            json!({ "uri": format!("file://{uri}") })
        } else {
            json!({ "uri": uri, "uriBaseId": "%SRCROOT%" })
        }
    }

    fn result(&self, hit: &Hit) -> Value {
        let lines = hit.lines_of_file();
        let mut result = json!({
            "ruleId": hit.rule.name(),
            "ruleIndex": Rule::ALL.iter().position(|rule| *rule == hit.rule),
            "level": level(hit.level),
            "message": { "text": hit.in_words() },
            "locations": [self.location(&hit.at, Some((lines.first, lines.last)))],
            "partialFingerprints": {
                "primaryLocationLineHash": format!("{}:{}", hit.fingerprint, hit.occurrence),
                "unechoFingerprint/v1": hit.fingerprint.to_string(),
            },
            "properties": { "paragraphs": hit.paragraphs, "columns": hit.columns },
        });
        if let Some(repeats) = &hit.repeats {
            let has_lines =
                Packing::of_name(&repeats.path).0 == Packing::Plain && (repeats.record.is_none() || repeats.has_lines_of_file);
            let lines = repeats.lines.first().filter(|_| has_lines).map(|lines| (lines.first, lines.last));
            let mut related = self.location(repeats, lines);
            related["id"] = json!(1);
            related["message"] = json!({ "text": "the text that it repeats" });
            result["relatedLocations"] = json!([related]);
        }
        result
    }

    fn rules() -> Vec<Value> {
        let rule = |rule: &Rule| {
            json!({
                "id": rule.name(),
                "name": rule.name(),
                "shortDescription": { "text": rule.in_words() },
                "help": { "text": rule.help() },
                "defaultConfiguration": { "level": level(rule.default_level()) },
            })
        };
        Rule::ALL.iter().map(rule).collect()
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Off => "none",
        level => level.name(),
    }
}

impl<W: Write> Report for Sarif<W> {
    fn hit(&mut self, hit: &Hit) -> io::Result<()> {
        self.worst.add(hit);
        Ok(())
    }

    fn end(&mut self, Ending { counts, tally, is_complete }: Ending) -> io::Result<()> {
        let mut notifications = Vec::new();
        if tally.failed > 0 {
            let text = format!("{} could not be checked", counted(tally.failed, "file"));
            notifications.push(json!({ "level": "error", "message": { "text": text } }));
        }
        if self.worst.left_out() > 0 {
            let all = counted(self.worst.count(), "finding");
            let text = format!("{all} in all; the worst {MOST} are listed, since code scanning shows no more");
            notifications.push(json!({ "level": "warning", "message": { "text": text } }));
        }
        let results: Vec<Value> = self.worst.hits().map(|hit| self.result(hit)).collect();
        let log = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": { "name": "unecho", "version": env!("CARGO_PKG_VERSION"), "rules": Self::rules() } },
                "invocations": [{
                    "executionSuccessful": is_complete,
                    "toolExecutionNotifications": notifications,
                }],
                "results": results,
                "properties": { "counts": counts, "summary": tally },
            }],
        });
        serde_json::to_writer(&mut self.out, &log)?;
        writeln!(self.out)?;
        self.out.flush()
    }
}
