//! `unecho clean`: the plan, applied.

use super::args::{COMMANDS, Clean, Global};
use super::inputs::Inputs;
use super::run::{Ended, Frame};
use super::signals::Signals;
use super::suggest::Suggestion;
use super::terminal::Terminal;
use super::{Status, files};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unecho::apply::{Growing, Outputs, Pending, Piece, Shape, Target};
use unecho::report::{Finding, Tally, Told, bytes};
use unecho::runner::{Part, Portion};
use unecho::source::{Form, base_name};
use unecho::threads::Threads;
use unecho::{Error, Result};

/// So many blocks of one document are named; with -v all are.
const SHOWN_BLOCKS: usize = 10;

/// Cleans. `is_named`: the command was written out, so that no path is a command with a typing error.
pub(super) fn run(args: &Clean, global: &Global, terminal: &Terminal, is_named: bool) -> Result<Status> {
    let inputs = Inputs::new(&args.common)?;
    if !is_named {
        refuse_unknown_command(&inputs)?;
    }
    args.common.settings().ensure_sensible()?;
    if args.common.files {
        return files::list(&inputs, &args.common, terminal);
    }
    let target = target(args.output.as_deref(), &inputs)?;
    if matches!(target, Target::Folder(_)) {
        ensure_names_differ(inputs.paths())?;
    }
    let budget = global.budget(args.output.as_deref().filter(|_| target != Target::Stdout))?;
    let shape = Shape {
        to: args.to(),
        fields: args.common.reading().fields,
        temporary: budget.folder(),
        waiting: budget.stretch(),
        packing: budget.packing(),
    };
    let outputs = Outputs::new(&target, inputs.paths(), shape)?;
    for (path, size) in outputs.left_over() {
        let why = format!("{}, left by a run that was killed, unless one is under way there; nobody needs it", bytes(size, size));
        terminal.warn(&Error::refused(&path, why).to_string());
    }
    let signals = if outputs.have_names() { Signals::watched() } else { Signals::ignored() };
    let threads = Arc::new(Threads::new(global.threads()));
    let frame = Frame {
        inputs: &inputs,
        common: &args.common,
        terminal,
        threads: &threads,
        budget: &budget,
        is_converted: args.to().is_some() || outputs.form_by_name().is_some(),
        becomes_table: args.to().or(outputs.form_by_name()) == Some(Form::Parquet),
        results_on_stdout: outputs.are_stdout(),
        report: None,
        stop: signals.stop(),
    };
    let stats = frame.stats(&outputs)?;
    inputs.say_what_is_awaited(terminal);

    let mut log = Log { args, inputs: &inputs, terminal, one: None };
    let ended = clean(&frame, &threads, &outputs, &signals, &mut log);
    if !matches!(&ended, Ok(ended) if ended.tally.sums.documents == 0) {
        outputs.finish()?; // also what has its name when something ends the run
    }
    let ended = ended?;
    let status = Status::of(ended.tally.failed);
    if ended.is_unheard {
        return Ok(status);
    }
    ended.write_stats(stats.as_ref())?;
    if ended.found_nothing() {
        return Err(inputs.nothing_read(terminal, ended.tally.left_out.unknown_form));
    }
    log.summarise(&ended, &outputs);
    Ok(status)
}

/// What is made of a portion.
enum Output {
    /// The clean copy of all of an input, or that there is none; nothing if that goes without saying or it went to standard output.
    Whole(Option<Pending>),
    /// What stays of a stretch of one, and its output if it is the first.
    Stretch(Option<Growing>, Piece),
    /// The end of one that came in stretches, and its output if there was none.
    End(Option<Growing>),
}

/// Cleans every document; the outputs stand under their names when it returns.
fn clean(frame: &Frame, threads: &Arc<Threads>, outputs: &Outputs, signals: &Signals, log: &mut Log) -> Result<Ended> {
    // The output of the input whose stretches come; none if it couldn't be begun.
    let mut growing: Option<Growing> = None;
    let ended = frame.run(
        |portion| {
            signals.let_temporaries_go_first();
            let told = told(frame, &portion)?;
            let begin = || portion.is_first.then(|| outputs.begin(portion.input, portion.source, threads)).transpose();
            let output = match portion.part {
                Part::Whole if is_dropped(&portion) => Output::Whole(outputs.none(portion.input, portion.source)?),
                Part::Whole => Output::Whole(outputs.write(portion.input, portion.source, &portion.bytes, &portion.cuts)?),
                Part::Stretch => {
                    let begun = begin()?;
                    Output::Stretch(begun, portion.written(outputs.form(portion.input)))
                }
                Part::End => {
                    outputs.ensure_unspoilt(portion.source)?;
                    Output::End(begin()?)
                }
            };
            Ok((output, told))
        },
        most(frame.terminal),
        |done, tally| {
            // A container of which nothing more comes has failed. What waits is still written where it can't be taken back.
            let is_only_begun = done.is_empty() && growing.take().is_some();
            if is_only_begun && !outputs.have_names() {
                let why = "what was written is not all of its clean copy";
                frame.terminal.error(&Error::refused(frame.inputs.in_words(), why));
            }
            let mut complete = Vec::with_capacity(done.len());
            for (output, told) in done {
                let written = match output {
                    Output::Whole(pending) => {
                        complete.push((told, pending));
                        Ok(())
                    }
                    Output::Stretch(begun, piece) => {
                        growing = begun.or(growing.take());
                        growing.as_mut().map_or(Ok(()), |growing| growing.append(piece))
                    }
                    Output::End(begun) => match begun.or(growing.take()) {
                        Some(growing) => growing.finish().map(|pending| complete.push((told, pending))),
                        None => Ok(()),
                    },
                };
                match written {
                    // Of a stream there is but one, of files others to be done.
                    Err(error) if outputs.have_names() => {
                        growing = None;
                        log.add(Err(error), tally)?;
                    }
                    written => written?,
                }
            }
            outputs.publish(complete).try_for_each(|named| log.add(named, tally))?;
            if growing.is_none() {
                signals.let_go_at_once();
            }
            Ok(())
        },
    )?;
    drop(growing); // of a run that was stopped
    signals.end_if_stopped();
    Ok(ended)
}

/// Whether nothing of an input is written.
fn is_dropped(portion: &Portion) -> bool {
    !portion.input.form.is_container() && portion.documents.iter().all(|document| document.is_dropped)
}

/// What is said about a portion. Line numbers cost another look at the text, so only what is wanted is found.
fn told(frame: &Frame, portion: &Portion) -> Result<Told> {
    let is_one = frame.inputs.is_single() && !portion.input.form.is_container();
    let is_told = !frame.terminal.is_quiet() && (is_one || frame.terminal.is_verbose());
    let is_in_any_case = is_one || portion.is_part_of_text();
    Told::of(portion, most(frame.terminal), |document| is_told && (is_in_any_case || !document.plan.blocks.is_empty()))
}

/// How many blocks of a document are named.
fn most(terminal: &Terminal) -> usize {
    if terminal.is_verbose() { usize::MAX } else { SHOWN_BLOCKS }
}

/// A first word that is no file is a command that doesn't exist, more often than a file; and one that is a command, but not the
/// first, was meant as one.
fn refuse_unknown_command(inputs: &Inputs) -> Result<()> {
    let is_missing = |path: &Path| std::fs::symlink_metadata(path).is_err();
    let is_command = |path: &&PathBuf| COMMANDS.iter().any(|command| path.as_os_str() == *command);
    match inputs.paths() {
        [first, ..] if first.components().count() == 1 && first.extension().is_none() && is_missing(first) => {
            Err(Error::refused(first, "no such file or folder, and no command; the commands are clean and scan"))
        }
        paths => match paths.iter().find(is_command) {
            Some(path) if is_missing(path) => {
                let why = format!("no such file or folder; a command stands before its paths: unecho {} …", path.display());
                Err(Error::refused(path, why))
            }
            _ => Ok(()),
        },
    }
}

/// Where the clean copies go.
fn target(output: Option<&Path>, inputs: &Inputs) -> Result<Target> {
    match output {
        Some(output) if inputs.is_single() && output.as_os_str() == "-" => Ok(Target::Stdout),
        Some(output) if inputs.is_single() => Ok(Target::File(output.into())),
        Some(output) if !output.exists() && output.extension().is_some() && Form::of_name(output).is_some() => {
            Err(Error::refused(output, "has the name of a file, and the clean copies of several inputs need a folder: -o clean/"))
        }
        Some(output) if output.as_os_str() != "-" => Ok(Target::Folder(output.into())),
        None if inputs.is_single() => Ok(Target::Stdout),
        _ if inputs.paths().len() == 1 => {
            Err(Error::refused(inputs.in_words(), "is a folder; its clean copy needs one too: -o clean/"))
        }
        _ => Err(Error::refused(inputs.in_words(), "several inputs need a folder for their clean copies: -o clean/")),
    }
}

/// Refuses paths whose clean copies would have the same name. A path given twice is read once, so it clashes with nothing.
fn ensure_names_differ(paths: &[PathBuf]) -> Result<()> {
    let mut by_name: HashMap<PathBuf, &PathBuf> = HashMap::new();
    for path in paths {
        let Some(other) = by_name.insert(base_name(path), path) else { continue };
        let is_same = |path: &Path| std::fs::canonicalize(path).ok();
        if is_same(path) != is_same(other) || is_same(path).is_none() {
            let why = format!("would have its clean copy where that of {} stands; give the folder above", other.display());
            return Err(Error::refused(path, why));
        }
    }
    Ok(())
}

/// What is said about a run.
struct Log<'a> {
    args: &'a Clean,
    inputs: &'a Inputs<'a>,
    terminal: &'a Terminal,
    /// The finding of a single input, for its own summary.
    one: Option<Finding>,
}

impl Log<'_> {
    fn add(&mut self, named: Result<Told>, tally: &mut Tally) -> Result<()> {
        match named {
            // Others have been, or would be, compared with it.
            Err(error) if self.args.common.is_across() => return Err(error),
            Err(error) => {
                tally.failed += 1;
                self.terminal.error(&error);
            }
            Ok(mut told) => {
                tally.add(&told.sums);
                if self.inputs.is_single() && told.findings.iter().all(|finding| finding.record.is_none()) {
                    self.one = told.findings.pop();
                } else {
                    told.findings.iter().filter(|finding| finding.blocks > 0).for_each(|finding| self.say(finding));
                }
            }
        }
        Ok(())
    }

    fn say(&self, finding: &Finding) {
        let is_one_of_many = !self.inputs.is_single() || finding.record.is_some();
        let lines = finding.in_words(&self.args.common.settings(), is_one_of_many);
        lines.iter().for_each(|line| self.terminal.say(line));
    }

    fn summarise(&self, ended: &Ended, outputs: &Outputs) {
        let suggestion = Suggestion { common: &self.args.common, paths: self.inputs.paths() };
        if ended.tally.sums.documents == 0 && ended.tally.failed > 0 {
            return; // all failed, and was named
        }
        let Some(finding) = &self.one else {
            self.terminal.say(&ended.tally.cleaned_in_words(ended.took, !self.inputs.is_stdin()));
            if ended.tally.sums.blocks > 0 {
                let how = match self.args.common.is_across() {
                    true => "",
                    false => "Compared within each document, not across them (--across). ",
                };
                let what = match self.inputs.is_stdin() {
                    true => String::new(),
                    false => format!("What was removed: {}", suggestion.scan()),
                };
                let line = format!("{how}{what}");
                if !line.is_empty() {
                    self.terminal.say(line.trim_end());
                }
            }
            return;
        };
        self.say(finding);
        if self.inputs.is_stdin() || finding.blocks == 0 || finding.dropped {
            return;
        }
        if finding.blocks > finding.repeats.len() as u64 {
            self.terminal.say(&format!("All that was removed: {}", suggestion.scan()));
        }
        if outputs.are_stdout() {
            self.terminal.hint(&format!("The file is untouched. To keep the clean copy: {}", suggestion.clean()));
        }
    }
}
