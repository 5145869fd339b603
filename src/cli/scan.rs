//! `unecho scan`: the plan, shown.

use super::args::{Global, ReportForm, Scan};
use super::inputs::Inputs;
use super::run::{Ended, Frame};
use super::terminal::Terminal;
use super::{Status, files};
use std::io::{BufWriter, Write};
use std::sync::atomic::AtomicBool;
use unecho::apply::{Outputs, Shape, Target};
use unecho::report::{Changes, Diff, Json, MostRepeated, ScanReport, Text, Told};
use unecho::runner::Portion;
use unecho::source::Identity;
use unecho::threads::Threads;
use unecho::{Error, Place, Result};

/// Scans; nothing is written but the report.
pub(super) fn run(args: &Scan, global: &Global, terminal: &Terminal) -> Result<Status> {
    let inputs = Inputs::new(&args.common)?;
    args.common.settings().ensure_sensible()?;
    if args.common.files {
        return files::list(&inputs, &args.common, terminal);
    }
    let never = AtomicBool::new(false);
    let threads = Threads::new(global.threads());
    let budget = global.budget(None)?;
    let by_lines = matches!(args.format, ReportForm::Diff);
    let frame = Frame { by_lines, ..Frame::of_report(&inputs, &args.common, terminal, &threads, &budget, &never) };
    let stats = frame.stats(&Outputs::new(&Target::Stdout, &[], Shape::default())?)?;
    inputs.say_what_is_awaited(terminal);

    let most = args.common.is_across().then(MostRepeated::default);
    let out = BufWriter::new(std::io::stdout().lock());
    let ended = match args.format {
        ReportForm::Text => findings(&frame, &mut Text::new(out, args.common.settings().unit), most),
        ReportForm::Json => findings(&frame, &mut Json::new(out), most),
        ReportForm::Diff => diff(&frame, Diff::new(out, &budget)),
    }?;
    let status = Status::of(ended.tally.failed);
    if ended.is_unheard {
        return Ok(status);
    }
    ended.write_stats(stats.as_ref())?;
    if ended.found_nothing() {
        return Err(inputs.nothing_read(terminal, ended.tally.left_out.unknown_form));
    }
    if ended.tally.sums.documents > 0 || ended.tally.failed == 0 {
        terminal.say(&ended.tally.scanned_in_words(ended.took, !inputs.is_single()));
        ended.tally.repaired_in_words().iter().for_each(|words| terminal.say(words));
    }
    Ok(status)
}

/// Says what repeats, document by document, and at the end what repeats `most`, if that is wanted.
pub(super) fn findings(frame: &Frame, report: &mut dyn ScanReport, mut most: Option<MostRepeated>) -> Result<Ended> {
    let ended = frame.run(
        |portion| {
            ensure_not_output(&portion, frame.report)?;
            Ok(((), Told::of_all(&portion, None)?))
        },
        usize::MAX,
        |done, tally| {
            for ((), told) in done {
                tally.add(&told.sums);
                for finding in told.findings.into_iter().filter(|finding| finding.blocks > 0) {
                    if let Some(most) = &mut most {
                        most.add(&finding);
                    }
                    report.document(&finding).map_err(write_failed)?;
                }
            }
            Ok(())
        },
    )?;
    ended.then(|tally| report.end(tally, most.as_ref()).map_err(write_failed))
}

/// Shows what the clean copies would lack.
fn diff(frame: &Frame, mut diff: Diff<impl Write>) -> Result<Ended> {
    let ended = frame.run(
        |portion| {
            ensure_not_output(&portion, frame.report)?;
            Changes::of(&portion, frame.budget)
        },
        0,
        |done, tally| {
            if done.is_empty() {
                diff.forget(); // an input of which nothing more comes has failed
            }
            done.into_iter().try_for_each(|(changes, told)| {
                tally.add(&told.sums);
                diff.add(changes)
            })
        },
    )?;
    ended.then(|_| diff.end())
}

/// A report that grows into the text it is about would report itself.
fn ensure_not_output(portion: &Portion, output: Option<Identity>) -> Result<()> {
    if output.is_some() && portion.source.identity() == output {
        return Err(Error::refused(portion.input.place(), "is where standard output goes as well; inputs are never written to"));
    }
    Ok(())
}

fn write_failed(error: std::io::Error) -> Error {
    Error::io(Place::Stdout, error)
}
