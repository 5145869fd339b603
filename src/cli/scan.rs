//! `unecho scan`: the plan, shown.

use super::args::{Global, ReportForm, Scan};
use super::progress::Progress;
use super::terminal::Terminal;
use super::{Inputs, list_files, note, write_stats};
use std::io::BufWriter;
use std::path::Path;
use std::time::Instant;
use unecho::report::{Finding, Json, ScanReport, Tally, Text};
use unecho::runner;
use unecho::{Error, Result};

/// Scans; gives the number of inputs that failed.
pub(super) fn run(args: &Scan, global: &Global, terminal: &Terminal) -> Result<u64> {
    let inputs = Inputs::new(&args.common)?;
    if args.common.files {
        return list_files(inputs, terminal);
    }
    let out = BufWriter::new(std::io::stdout().lock());
    let mut report: Box<dyn ScanReport> = match args.format {
        ReportForm::Text => Box::new(Text::new(out)),
        ReportForm::Json => Box::new(Json::new(out)),
    };
    let mut tally = Tally::default();
    let started = Instant::now();
    let progress = Progress::start(terminal.shows_progress());
    runner::run(
        inputs.found(),
        &args.common.settings(),
        global.threads,
        |input, source, plan| {
            progress.add(source.len() as u64);
            Ok(Finding::new(input.path(), source, plan))
        },
        |outcomes| {
            for outcome in outcomes {
                if let Some(finding) = note(outcome, &mut tally, terminal)? {
                    tally.add(&finding);
                    report.document(&finding).map_err(write_failed)?;
                }
            }
            Ok(())
        },
    )?;
    drop(progress);
    tally.seconds = started.elapsed().as_secs_f64();
    report.end(&tally).map_err(write_failed)?;
    terminal.say(&tally.in_words());
    write_stats(args.stats.as_deref(), &tally)?;
    if tally.is_empty() { terminal.nothing_read().map(|()| 1) } else { Ok(tally.failed) }
}

fn write_failed(error: std::io::Error) -> Error {
    Error::io(Path::new("standard output"), error)
}
