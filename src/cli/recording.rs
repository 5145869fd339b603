//! The record of a run that cleans, beside its outputs.

use super::args::Clean;
use super::inputs::Inputs;
use super::terminal::Terminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unecho::apply::{Outputs, Pending, left_over_below};
use unecho::record::{Begins, Conditions, Homes, Kept, Lines, Recorder, keep_earlier};
use unecho::report::counted;
use unecho::runner::{Budget, Part, Portion};
use unecho::threads::Threads;
use unecho::{Error, Result};

/// The record of a run, if it has one.
pub(super) struct Recording {
    recorder: Option<Recorder>,
    /// Where it goes, and as what.
    place: Option<(PathBuf, Arc<Outputs>)>,
    threads: Arc<Threads>,
    /// The folders that a run in place has for itself.
    _homes: Option<Homes>,
}

/// What is recorded of a portion.
pub(super) struct Recorded {
    /// The file, if it begins.
    begins: Option<Begins>,
    lines: Lines,
    /// Whether its stream has broken off.
    broke_off: bool,
}

impl Recorded {
    /// What is recorded of a portion, whose input, if it `has_copy`, has a clean copy.
    pub(super) fn of(portion: &Portion, outputs: &Outputs, has_copy: bool) -> Result<Self> {
        let begins = portion.is_first.then(|| Begins::of(portion, outputs, has_copy)).transpose()?;
        Ok(Self { begins, lines: Lines::of(portion)?, broke_off: portion.source.broken().is_some() })
    }
}

impl Recording {
    /// Begins the record that was asked for, or that of a run in place; it stands apart from its outputs, statistics among them.
    pub(super) fn begin(
        args: &Clean,
        inputs: &Inputs,
        budget: &Budget,
        (outputs, stats): (&Outputs, Option<&Outputs>),
        threads: &Arc<Threads>,
        terminal: &Terminal,
    ) -> Result<Self> {
        let mut conditions = Conditions::of(&args.common.settings(), &args.common.reading());
        conditions.from(args.common.form());
        conditions.reading_up_to(budget.longest_record());
        let mut recording = Self { recorder: None, place: None, threads: Arc::clone(threads), _homes: None };
        if args.in_place {
            let homes = Homes::of(inputs.paths().iter().map(PathBuf::as_path).filter(|path| path.exists()))?;
            if let Some(path) = homes.broken_off() {
                say_what_was_left(&path, inputs, terminal);
            }
            if !args.no_record && inputs.paths().iter().any(|path| path.exists()) {
                recording.recorder = Some(Recorder::journal(&homes, !inputs.is_single(), conditions)?);
            }
            recording._homes = Some(homes);
        } else if let Some(path) = &args.record {
            if path.as_os_str() == "-" {
                return Err(Error::refused(path, "a record goes to a file; --record cuts.jsonl"));
            }
            let place = Arc::new(outputs.beside(path, inputs.paths(), args.common.form())?);
            if let Some(Kept { original, path: kept }) = keep_earlier(path, inputs.paths(), &budget.room())? {
                let (original, kept) = (original.display(), kept.display());
                terminal
                    .say(&format!("{}: is of another run, which gives {original} back, and is kept as {kept}", path.display()));
            }
            stats.map_or(Ok(()), |stats| stats.ensure_apart(&place, path))?;
            recording.recorder = Some(Recorder::draft(&place, path, !inputs.is_single(), conditions)?);
            recording.place = Some((path.clone(), place));
        }
        Ok(recording)
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.recorder.is_some()
    }

    /// Whether it couldn't be written.
    pub(super) fn has_failed(&self) -> bool {
        self.recorder.as_ref().is_some_and(Recorder::has_failed)
    }

    /// Records a portion; gives the number of its file if it is all of that, or the end.
    pub(super) fn add(&mut self, recorded: Option<Recorded>, part: Part) -> Result<Option<u32>> {
        let (Some(recorder), Some(Recorded { begins, lines, broke_off })) = (&mut self.recorder, recorded) else {
            return Ok(None);
        };
        if let Some(begins) = begins {
            recorder.file(begins)?;
        }
        recorder.part(&lines)?;
        if part == Part::Stretch { Ok(None) } else { recorder.ends(broke_off, &self.threads) }
    }

    /// The file under way stays as it is.
    pub(super) fn fails(&mut self) -> Result<()> {
        self.recorder.as_mut().map_or(Ok(()), Recorder::fails)
    }

    /// The clean copy of the file that ended last is complete.
    pub(super) fn copy(&mut self, number: Option<u32>, copy: Option<&Pending>) -> Result<()> {
        match (&mut self.recorder, number, copy) {
            (Some(recorder), Some(number), Some(copy)) => recorder.copy(number, copy),
            _ => Ok(()),
        }
    }

    /// A file that was recorded stays as it is.
    pub(super) fn was_left(&mut self, number: Option<u32>) -> Result<()> {
        match (&mut self.recorder, number) {
            (Some(recorder), Some(number)) => recorder.was_left(number),
            _ => Ok(()),
        }
    }

    /// What is recorded must be on the disk before inputs are replaced.
    pub(super) fn sync(&mut self) -> Result<()> {
        self.recorder.as_mut().map_or(Ok(()), Recorder::sync)
    }

    /// The run ends early: what it has done by then can be taken back.
    pub(super) fn break_off(&mut self, terminal: &Terminal) {
        if let Some(path) = self.recorder.as_ref().and_then(Recorder::path) {
            terminal.say(&format!("To undo what was done by then: unecho restore {}", shown(path)));
        }
        self.recorder = None;
    }

    /// Ends the record, and says how it is used.
    pub(super) fn end(self, terminal: &Terminal) -> Result<()> {
        let Some(recorder) = self.recorder else { return Ok(()) };
        let (cuts, journal) = (recorder.cuts(), recorder.path().map(Path::to_owned)); // none where nothing was replaced
        let pending = recorder.complete()?;
        if let (Some((path, place)), Some(pending)) = (&self.place, pending) {
            place.publish(vec![((), Some(pending))]).collect::<Result<()>>()?;
            place.finish()?;
            terminal.hint(&format!("{} on record; unecho verify {} proves them again", counted(cuts, "cut"), shown(path)));
        }
        if let Some(path) = journal.filter(|_| cuts > 0) {
            terminal.say(&format!("To undo it: unecho restore {}", shown(&path)));
        }
        Ok(())
    }
}

/// Says what a run in place left that was killed.
fn say_what_was_left(record: &Path, inputs: &Inputs, terminal: &Terminal) {
    let undo = format!("is of a run that broke off; what it had done is undone by unecho restore {}", shown(record));
    terminal.warn(&Error::refused(record, undo).to_string());
    let left: Vec<(PathBuf, u64)> = inputs.paths().iter().flat_map(|path| left_over_below(path)).collect();
    terminal.left_over(&left);
}

fn shown(path: &Path) -> String {
    super::suggest::argument(path)
}
