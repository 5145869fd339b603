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
use unecho::apply::{Outputs, Target};
use unecho::report::{Finding, Sums, Tally};
use unecho::source::base_name;
use unecho::{Error, Result};

/// So many blocks of one document are named; with -v all are.
const SHOWN_BLOCKS: usize = 10;

/// Cleans. `is_named`: the command was written out, so that no path is a command with a typing error.
pub(super) fn run(args: &Clean, global: &Global, terminal: &Terminal, is_named: bool) -> Result<Status> {
    let inputs = Inputs::new(&args.common)?;
    if !is_named {
        refuse_unknown_command(&inputs)?;
    }
    if args.common.files {
        return files::list(&inputs, &args.common, terminal);
    }
    let target = target(args.output.as_deref(), &inputs)?;
    if matches!(target, Target::Folder(_)) {
        ensure_names_differ(inputs.paths())?;
    }
    let outputs = Outputs::new(&target, inputs.paths())?;
    let signals = if outputs.have_names() { Signals::watched() } else { Signals::ignored() };
    let frame = Frame {
        inputs: &inputs,
        common: &args.common,
        global,
        terminal,
        results_on_stdout: outputs.are_stdout(),
        report: None,
        stop: signals.stop(),
    };
    let stats = frame.stats(&outputs)?;
    inputs.say_what_is_awaited(terminal);

    let mut log = Log { args, inputs: &inputs, terminal, one: None };
    let ended = clean(&frame, &outputs, &signals, &mut log)?;
    let status = Status::of(ended.tally.failed);
    if ended.is_unheard {
        return Ok(status);
    }
    outputs.finish()?;
    ended.write_stats(stats.as_ref())?;
    if ended.tally.is_empty() {
        return Err(inputs.nothing_read(terminal, ended.tally.left_out.unknown_form));
    }
    log.summarise(&ended, &outputs);
    Ok(status)
}

/// Cleans every document; the outputs stand under their names when it returns.
fn clean(frame: &Frame, outputs: &Outputs, signals: &Signals, log: &mut Log) -> Result<Ended> {
    let ended = frame.run(
        |input, source, plan| {
            signals.let_temporaries_go_first();
            let pending = outputs.write(input, source, &plan.cuts)?;
            let shown = if frame.terminal.is_verbose() { usize::MAX } else { SHOWN_BLOCKS };
            let finding = || Finding::new(input.path(), source, plan, shown);
            let finding = log_wants(frame, plan.blocks.is_empty()).then(finding);
            Ok(((Sums::of(plan, source.len()), finding), pending))
        },
        |done, tally| {
            outputs.publish(done).into_iter().for_each(|named| log.add(named, tally));
            signals.let_go_at_once();
            Ok(())
        },
    )?;
    signals.end_if_stopped();
    Ok(ended)
}

/// Whether the line numbers of a document's repeats are wanted: they cost another look at its text.
fn log_wants(frame: &Frame, nothing_repeats: bool) -> bool {
    !frame.terminal.is_quiet() && (frame.inputs.is_single() || (frame.terminal.is_verbose() && !nothing_repeats))
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
    fn add(&mut self, named: Result<(Sums, Option<Finding>)>, tally: &mut Tally) {
        match named {
            Err(error) => {
                tally.failed += 1;
                self.terminal.error(&error);
            }
            Ok((sums, finding)) => {
                tally.add(&sums);
                if self.inputs.is_single() {
                    self.one = finding;
                } else if let Some(finding) = finding {
                    self.say(&finding);
                }
            }
        }
    }

    fn say(&self, finding: &Finding) {
        let lines = finding.in_words(self.args.common.settings().matching, !self.inputs.is_single());
        lines.iter().for_each(|line| self.terminal.say(line));
    }

    fn summarise(&self, ended: &Ended, outputs: &Outputs) {
        let suggestion = Suggestion { common: &self.args.common, paths: self.inputs.paths() };
        if ended.tally.documents == 0 {
            return; // all failed, and was named
        }
        if !self.inputs.is_single() {
            self.terminal.say(&ended.tally.cleaned_in_words(ended.took, true));
            if ended.tally.blocks > 0 {
                let scan = suggestion.scan();
                self.terminal.say(&format!("Compared within each document, not across them. What was removed: {scan}"));
            }
            return;
        }
        let Some(finding) = &self.one else { return };
        self.say(finding);
        if self.inputs.is_stdin() || finding.blocks == 0 {
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
