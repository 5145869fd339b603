//! `unecho clean`: the plan, applied.

use super::args::{COMMANDS, Clean, Global};
use super::held::{Held, TooMuch};
use super::inputs::Inputs;
use super::journal::{Interrupted, Journal};
use super::recording::Recording;
use super::run::{Ended, Frame};
use super::scan::findings;
use super::signals::Signals;
use super::suggest::Suggestion;
use super::terminal::Terminal;
use super::writing::{Making, Writing};
use super::{Status, files};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use unecho::apply::{Outputs, Shape, Target, ensure_replaceable};
use unecho::report::{Finding, MostRepeated, ScanReport, Tally, Text, Told};
use unecho::runner::Portion;
use unecho::source::{Form, Found, Input, base_name};
use unecho::threads::Threads;
use unecho::{Error, Place, Result, Tidy, Unit};

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
    if args.no_record && !args.in_place {
        return Err(Error::refused(
            Place::Request("--no-record".into()),
            "goes with --in-place; other runs have a record if --record asks for it",
        ));
    }
    let target = if args.in_place { in_place(&inputs)? } else { target(args.output.as_deref(), &inputs)? };
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
    terminal.left_over(&outputs.left_over());
    let (mut journal, interrupted) = Journal::open(args, &inputs, &target, &outputs)?;
    let is_read_again = args.common.is_across() || args.record.is_some();
    let signals = if outputs.have_names() || args.record.is_some() { Signals::watched() } else { Signals::ignored() };
    let threads = Arc::new(Threads::new(global.threads()));
    let frame = Frame {
        inputs: &inputs,
        common: &args.common,
        terminal,
        threads: &threads,
        budget: &budget,
        is_converted: args.to().is_some() || outputs.form_by_name().is_some(),
        is_recorded: args.record.is_some() || args.in_place && !args.no_record,
        becomes_table: args.to().or(outputs.form_by_name()) == Some(Form::Parquet),
        results_on_stdout: outputs.are_stdout(),
        by_lines: false,
        report: None,
        admit: &|found| match found {
            Found::Input(input) if args.in_place => admit_in_place(args, input).map(|()| true),
            Found::Input(input) => Ok(is_read_again || !interrupted.has(input)),
            _ => Ok(true),
        },
        stop: signals.stop(),
    };
    let stats = frame.stats(&outputs)?;
    let mut recording = Recording::begin(args, &inputs, &budget, (&outputs, stats.as_ref()), &threads, terminal)?;
    inputs.say_what_is_awaited(terminal);
    if args.resume {
        terminal.say(&interrupted.in_words(is_read_again));
    }

    let mut log = Log { args, inputs: &inputs, terminal, one: None };
    let before = if is_read_again { (0, 0) } else { interrupted.bytes() };
    let mut beside = Beside { recording: &mut recording, journal: journal.as_mut(), interrupted: &interrupted, before };
    let ended = clean(&frame, &threads, &outputs, &signals, &mut beside, &mut log);
    if !matches!(&ended, Ok(ended) if ended.tally.sums.documents == 0) {
        outputs.finish()?; // also what has its name when something ends the run
    }
    if ended.is_err() && journal.as_ref().is_some_and(Journal::has_begun) {
        terminal.say("What is complete stays: the same command with --resume goes on with the rest");
    }
    let ended = ended?;
    let status = Status::of(ended.tally.failed);
    if ended.is_unheard {
        if args.record.is_some() {
            terminal.warn("No record was written, since the reader of standard output went away");
        }
        return Ok(status);
    }
    ended.write_stats(stats.as_ref())?;
    if ended.found_nothing() && interrupted.is_empty() {
        return Err(inputs.nothing_read(terminal, ended.tally.left_out.unknown_form));
    }
    log.summarise(&ended, &outputs);
    recording.end(terminal)?;
    journal.map_or(Ok(()), Journal::end)?;
    if args.no_record && ended.tally.sums.blocks > 0 {
        terminal.say("No record was kept: what was removed can't be brought back");
    }
    Ok(status)
}

/// What a run writes beside its outputs.
struct Beside<'a> {
    recording: &'a mut Recording,
    journal: Option<&'a mut Journal>,
    interrupted: &'a Interrupted,
    /// How many bytes that had which isn't read again, and how many stay.
    before: (u64, u64),
}

/// Cleans every document; the outputs stand under their names when it returns.
fn clean(
    frame: &Frame,
    threads: &Arc<Threads>,
    outputs: &Outputs,
    signals: &Signals,
    beside: &mut Beside,
    log: &mut Log,
) -> Result<Ended> {
    let args = log.args;
    let Beside { recording, journal, interrupted, before } = beside;
    let (is_recorded, is_noted) = (recording.is_wanted(), journal.is_some());
    let making = Making { args, outputs, threads, is_recorded, interrupted, is_noted };
    let mut writing = Writing::new(outputs, recording, args.in_place);
    let mut held = Held::new(args.max_removed, frame.inputs, *before, !outputs.have_names())?;
    let mut ended = frame.run(
        |portion| {
            signals.let_temporaries_go_first();
            let told = told(frame, &portion)?;
            Ok((making.make(&portion)?, told))
        },
        most(frame.terminal),
        |done, tally| {
            // A container of which nothing more comes has failed. What waits is still written where it can't be taken back.
            if done.is_empty() && writing.fail()? && !outputs.have_names() {
                let why = "what was written is not all of its clean copy";
                frame.terminal.error(&Error::refused(frame.inputs.in_words(), why));
            }
            for (made, told) in done {
                match writing.add(made, told) {
                    // Of a stream there is but one, of files others to be done; but none without the record that was to tell of it.
                    Err(error) if outputs.have_names() && !writing.is_unrecorded() => {
                        writing.fail()?;
                        log.add(Err(error), tally)?;
                    }
                    added => added?,
                }
            }
            let complete = held.release(writing.take_complete());
            writing.publish(complete, journal.as_deref_mut(), |named| log.add(named, tally))?;
            if !is_recorded && !writing.is_under_way() && held.is_empty() {
                signals.let_go_at_once();
            }
            Ok(())
        },
    );
    let is_stopped = signals.stop().load(Ordering::SeqCst);
    let mut none = Tally::default();
    let tally = ended.as_mut().map_or(&mut none, |ended| &mut ended.tally);
    let published = match held.end() {
        // Of a run that ends early, too: what is complete stays.
        Ok(complete) => {
            let published = writing.publish(complete, journal.as_deref_mut(), |named| log.add(named, tally));
            published.map_err(|error| frame.ended_there(error))
        }
        Err(goes) if ended.is_ok() && !is_stopped => too_much(frame, outputs, &goes),
        Err(_) => Ok(()),
    };
    drop(writing); // of a run that was stopped
    if is_stopped {
        recording.break_off(frame.terminal);
        signals.end_if_stopped();
    }
    let ended = ended.and_then(|ended| published.map(|()| ended));
    if ended.is_err() {
        recording.break_off(frame.terminal);
    }
    ended
}

/// More goes than may: an error, unless it is written already.
fn too_much(frame: &Frame, outputs: &Outputs, &TooMuch { most, all, gone }: &TooMuch) -> Result<()> {
    let goes = format!("of all bytes, more than the {} % of --max-removed", most.percent());
    if !outputs.have_names() {
        let why = format!("{} were removed {goes}", exact(gone, all));
        frame.terminal.warn(&Error::refused(frame.inputs.in_words(), why).to_string());
        return Ok(());
    }
    if !frame.inputs.is_stdin() {
        largest_causes(frame)?;
    }
    outputs.forget();
    let enough = (gone as f64 * 100.0 / all as f64).floor() as u64 + 1;
    let why = format!("{} would go {goes}; nothing was written. If that is meant: --max-removed {enough}%", exact(gone, all));
    Err(Error::refused(frame.inputs.in_words(), why))
}

/// A share to a tenth of a percent.
fn exact(part: u64, whole: u64) -> String {
    format!("{:.1} %", part as f64 * 100.0 / whole as f64)
}

/// Says which blocks take most away, for which all is read once more.
fn largest_causes(frame: &Frame) -> Result<()> {
    // A pipe has nothing more to give, or never ends.
    let is_file = |found: &Found| match found {
        Found::Input(input) => Ok(std::fs::metadata(input.path()).is_ok_and(|there| there.is_file())),
        _ => Ok(true),
    };
    let silent = Frame { terminal: &Terminal::silent(), admit: &is_file, ..*frame };
    let mut words = Vec::new();
    findings(&silent, &mut Causes(Text::new(&mut words, frame.common.settings().unit)), Some(MostRepeated::default()))?;
    String::from_utf8_lossy(&words).lines().for_each(|line| frame.terminal.warn(line));
    Ok(())
}

/// The end of a report alone, which says what repeats most.
struct Causes<R>(R);

impl<R: ScanReport> ScanReport for Causes<R> {
    fn document(&mut self, _: &Finding) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self, tally: &Tally, most: Option<&MostRepeated>) -> io::Result<()> {
        self.0.end(tally, most)
    }
}

/// Refuses what mustn't be cleaned in place.
fn admit_in_place(args: &Clean, input: &Input) -> Result<()> {
    let refused = |why: &str| Err(Error::refused(input.place(), why));
    let settings = args.common.settings();
    match input.form {
        Form::Text if settings.unit == Unit::Document || settings.drop_above.is_some() => {
            refused("might go as a whole, and no file is removed in place; -o leaves it out of the copies")
        }
        Form::Warc => refused("is a WARC, which becomes a WET, and what that lacks would be lost in place; -o writes it"),
        _ => ensure_replaceable(input),
    }
}

/// Makes sure that there is something to be replaced.
fn in_place(inputs: &Inputs) -> Result<Target> {
    if inputs.is_stdin() {
        return Err(Error::refused(inputs.in_words(), "can't be changed in place; name the files"));
    }
    Ok(Target::InPlace)
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
    let is_list = |path: &PathBuf| path.to_str().is_some_and(|path| path.parse::<Tidy>().is_ok());
    match inputs.paths() {
        [first, ..] if is_list(first) && is_missing(first) => {
            let why = format!("no such file or folder; repairs are named behind an equals sign: --tidy={}", first.display());
            Err(Error::refused(first, why))
        }
        [first, ..] if first.components().count() == 1 && first.extension().is_none() && is_missing(first) => {
            let [commands @ .., last, _] = COMMANDS;
            let commands = commands.join(", ");
            Err(Error::refused(first, format!("no such file or folder, and no command; the commands are {commands} and {last}")))
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
            ended.tally.repaired_in_words().iter().for_each(|words| self.terminal.say(words));
            if ended.tally.sums.blocks > 0 {
                let how = match self.args.common.is_across() {
                    true => "",
                    false => "Compared within each document, not across them (--across). ",
                };
                let what = match self.inputs.is_stdin() || self.args.in_place {
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
        if finding.blocks > finding.repeats.len() as u64 && !self.args.in_place {
            self.terminal.say(&format!("All that was removed: {}", suggestion.scan()));
        }
        if outputs.are_stdout() {
            self.terminal.hint(&format!("The file is untouched. To keep the clean copy: {}", suggestion.clean()));
        }
    }
}
