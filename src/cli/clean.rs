//! `unecho clean`: the plan, applied.

use super::args::{Clean, Global};
use super::progress::Progress;
use super::terminal::Terminal;
use super::{Inputs, list_files, note, write_stats};
use std::path::{Path, PathBuf};
use std::time::Instant;
use unecho::apply::{Target, publish};
use unecho::report::{Finding, Tally, counted, visible};
use unecho::runner;
use unecho::{Error, Result};

/// So many blocks of one document are named; with -v all are.
const SHOWN_BLOCKS: usize = 10;

/// Cleans; gives the number of inputs that failed.
pub(super) fn run(args: &Clean, global: &Global, terminal: &Terminal) -> Result<u64> {
    let inputs = Inputs::new(&args.common)?;
    if args.common.files {
        return list_files(inputs, terminal);
    }
    let target = target(args, &inputs)?;
    target.ensure_apart(inputs.paths())?;
    let (single, paths) = (inputs.is_single(), inputs.paths().to_vec());
    if matches!(inputs, Inputs::Stdin(_)) && std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        terminal.hint("Reading standard input; Ctrl-D ends it, Ctrl-C stops, --help explains.");
    }

    let mut log = Log { tally: Tally::default(), one: None, single, terminal };
    let started = Instant::now();
    let progress = Progress::start(terminal.shows_progress());
    runner::run(
        inputs.found(),
        &args.common.settings(),
        global.threads,
        |input, source, plan| {
            let pending = target.write(input, source, plan.cuts.iter().map(|cut| cut.at))?;
            progress.add(source.len() as u64);
            Ok((Finding::new(input.path(), source, plan), pending))
        },
        |outcomes| {
            let mut done = Vec::new();
            for outcome in outcomes {
                done.extend(note(outcome, &mut log.tally, terminal)?);
            }
            publish(done).into_iter().for_each(|named| log.add(named));
            Ok(())
        },
    )?;
    drop(progress);
    log.tally.seconds = started.elapsed().as_secs_f64();
    log.summarise(&target, &paths);
    write_stats(args.stats.as_deref(), &log.tally)?;
    if log.tally.is_empty() { terminal.nothing_read().map(|()| 1) } else { Ok(log.tally.failed) }
}

/// Where the clean copies go.
fn target(args: &Clean, inputs: &Inputs) -> Result<Target> {
    match (&args.output, inputs.paths()) {
        (Some(output), _) if inputs.is_single() => Ok(Target::File(output.clone())),
        (Some(output), _) => Ok(Target::Folder(output.clone())),
        (None, _) if inputs.is_single() => Ok(Target::Stdout),
        (None, [folder]) => Err(Error::refused(folder, "is a folder; say where its clean copy goes: -o clean/")),
        (None, paths) => {
            let why =
                format!("and {} more need a folder for their clean copies: -o clean/", counted(paths.len() as u64 - 1, "path"));
            Err(Error::refused(&paths[0], why))
        }
    }
}

/// What is said about a run.
struct Log<'a> {
    tally: Tally,
    /// The finding of a single input, for its own summary.
    one: Option<Finding>,
    single: bool,
    terminal: &'a Terminal,
}

impl Log<'_> {
    fn add(&mut self, named: Result<Finding>) {
        match named {
            Err(error) => {
                self.tally.failed += 1;
                self.terminal.error(&error);
            }
            Ok(finding) => {
                self.tally.add(&finding);
                if self.single {
                    self.one = Some(finding);
                } else if self.terminal.is_verbose() && !finding.repeats.is_empty() {
                    self.say(&finding);
                }
            }
        }
    }

    fn say(&self, finding: &Finding) {
        let shown = if self.terminal.is_verbose() { usize::MAX } else { SHOWN_BLOCKS };
        finding.in_words(shown).iter().for_each(|line| self.terminal.say(line));
    }

    fn summarise(&self, target: &Target, paths: &[PathBuf]) {
        let names = || paths.iter().map(|path| quoted(path)).collect::<Vec<_>>().join(" ");
        if self.single {
            let Some(finding) = &self.one else { return };
            self.say(finding);
            if *target == Target::Stdout && !paths.is_empty() && !finding.repeats.is_empty() {
                self.terminal.hint(&format!("The file is untouched. To keep the clean copy: unecho {} -o FILE", names()));
            }
            return;
        }
        self.terminal.say(&self.tally.in_words());
        if self.tally.blocks > 0 {
            self.terminal.say(&format!("Compared within each document. What was removed: unecho scan {}", names()));
        }
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if text.chars().all(plain) { text.into_owned() } else { format!("'{}'", visible(&text).replace('\'', r"'\''")) }
}
