//! What is made of the portions of a run that cleans, on its way to the outputs, the record and the journal.

use super::args::Clean;
use super::journal::{Done, Interrupted, Journal};
use super::recording::{Recorded, Recording};
use std::sync::Arc;
use unecho::apply::{Growing, Outputs, Pending, Piece};
use unecho::report::Told;
use unecho::runner::{Part, Portion};
use unecho::threads::Threads;
use unecho::{Error, Result};

/// What is made of a portion.
pub(super) struct Made {
    output: Output,
    /// Whether anything was cut.
    is_changed: bool,
    part: Part,
    recorded: Option<Recorded>,
    /// What is noted when its input is done, if that is wanted.
    done: Option<Done>,
}

enum Output {
    /// The clean copy of all of an input, or that there is none; nothing if that goes without saying or it went to standard output.
    Whole(Option<Pending>),
    /// What stays of a stretch of one, and its output if it is the first.
    Stretch(Option<Growing>, Piece),
    /// The end of one that came in stretches, and its output if there was none.
    End(Option<Growing>),
    /// The clean copy is there from before.
    Stands,
}

/// How clean copies are made.
pub(super) struct Making<'a> {
    pub(super) args: &'a Clean,
    pub(super) outputs: &'a Outputs,
    pub(super) threads: &'a Arc<Threads>,
    pub(super) is_recorded: bool,
    /// What an interrupted run has done.
    pub(super) interrupted: &'a Interrupted,
    /// Whether it is noted what is done.
    pub(super) is_noted: bool,
}

impl Making<'_> {
    /// Makes the clean copy of a portion, or its part of it.
    pub(super) fn make(&self, portion: &Portion) -> Result<Made> {
        let Self { args, outputs, .. } = self;
        let (input, source, is_changed) = (portion.input, portion.source, portion.is_changed());
        let has_copy = !is_dropped(portion);
        if args.in_place && source.broken().is_some() {
            let why = "breaks off, and what comes behind would be lost in place; it stays as it is";
            return Err(Error::refused(input.place(), why));
        }
        let recorded = if self.is_recorded { Some(Recorded::of(portion, outputs, has_copy)?) } else { None };
        let done = if self.is_noted && portion.part != Part::Stretch { Done::of(portion, outputs, has_copy) } else { None };
        let begin = || portion.is_first.then(|| outputs.begin(input, source, self.threads)).transpose();
        let output = match portion.part {
            _ if self.interrupted.has(input) => Output::Stands,
            // What isn't changed stays where it is.
            Part::Whole if args.in_place && !is_changed => Output::Stands,
            Part::Whole if !has_copy => Output::Whole(outputs.none(input, source)?),
            Part::Whole if !portion.edits.is_empty() => Output::Whole(outputs.write(input, source, &portion.edited(), &[])?),
            Part::Whole => Output::Whole(outputs.write(input, source, &portion.bytes, &portion.cuts)?),
            Part::Stretch => Output::Stretch(begin()?, portion.written(outputs.form(input))),
            Part::End => {
                outputs.ensure_unspoilt(source)?;
                Output::End(begin()?)
            }
        };
        Ok(Made { output, is_changed, part: portion.part, recorded, done })
    }
}

/// Whether nothing of an input is written.
fn is_dropped(portion: &Portion) -> bool {
    !portion.input.form.is_container() && portion.documents.iter().all(|document| document.is_dropped)
}

/// The outputs under way.
pub(super) struct Writing<'a> {
    outputs: &'a Outputs,
    recording: &'a mut Recording,
    is_in_place: bool,
    /// The output of the input whose stretches come; none if it couldn't be begun.
    growing: Option<Growing>,
    /// Whether anything of that was cut.
    is_changed: bool,
    complete: Waiting,
}

/// Inputs that are complete, each with its output, if it has one that waits for its name.
pub(super) type Waiting = Vec<(Complete, Option<Pending>)>;

/// An input that waits for its output to have its name.
pub(super) struct Complete {
    pub(super) told: Told,
    /// Its number in the record.
    number: Option<u32>,
    done: Option<Done>,
}

impl<'a> Writing<'a> {
    pub(super) fn new(outputs: &'a Outputs, recording: &'a mut Recording, is_in_place: bool) -> Self {
        Self { outputs, recording, is_in_place, growing: None, is_changed: false, complete: Vec::new() }
    }

    /// Whether an input is under way.
    pub(super) fn is_under_way(&self) -> bool {
        self.growing.is_some()
    }

    /// Whether the record couldn't be written that was to tell of it.
    pub(super) fn is_unrecorded(&self) -> bool {
        self.recording.has_failed()
    }

    /// Goes on with what was made of a portion.
    pub(super) fn add(&mut self, made: Made, told: Told) -> Result<()> {
        let Made { output, is_changed, part, recorded, done } = made;
        let number = self.recording.add(recorded, part)?;
        let complete = Complete { told, number, done };
        match output {
            Output::Whole(pending) => self.complete.push((complete, pending)),
            Output::Stands if part == Part::Stretch => {}
            Output::Stands => self.complete.push((complete, None)),
            Output::Stretch(begun, piece) => {
                self.is_changed = is_changed || (begun.is_none() && self.is_changed);
                self.growing = begun.or(self.growing.take());
                self.growing.as_mut().map_or(Ok(()), |growing| growing.append(piece))?;
            }
            Output::End(begun) => {
                let is_changed = begun.is_none() && std::mem::take(&mut self.is_changed);
                let finished = match begun.or(self.growing.take()) {
                    None => return self.recording.was_left(number), // it has failed
                    Some(_) if self.is_in_place && !is_changed => Ok(None),
                    Some(growing) => growing.finish().and_then(|finished| {
                        self.recording.copy(number, finished.as_ref())?;
                        Ok(finished)
                    }),
                };
                if finished.is_err() {
                    self.recording.was_left(number)?;
                }
                self.complete.push((complete, finished?));
            }
        }
        Ok(())
    }

    /// The input under way has failed; whether there was one.
    pub(super) fn fail(&mut self) -> Result<bool> {
        self.recording.fails()?; // also where its clean copy is there from before
        Ok(self.growing.take().is_some())
    }

    /// What is complete.
    pub(super) fn take_complete(&mut self) -> Waiting {
        std::mem::take(&mut self.complete)
    }

    /// Gives what is complete its name, and says so of each.
    pub(super) fn publish(
        &mut self,
        complete: Waiting,
        mut journal: Option<&mut Journal>,
        mut each: impl FnMut(Result<Told>) -> Result<()>,
    ) -> Result<()> {
        if complete.is_empty() {
            return Ok(());
        }
        if self.is_in_place && complete.iter().any(|(_, pending)| pending.is_some()) {
            self.recording.sync()?;
        }
        journal.as_mut().map_or(Ok(()), |journal| journal.begin())?;
        let numbers: Vec<Option<u32>> = complete.iter().map(|(complete, _)| complete.number).collect();
        let mut all_done = Vec::new();
        for (named, number) in self.outputs.publish(complete).zip(numbers) {
            if named.is_err() {
                self.recording.was_left(number)?;
            }
            each(named.map(|Complete { told, mut done, .. }| {
                done.iter_mut().for_each(|done| done.is_named(told.sums.bytes_before, told.sums.bytes_after));
                all_done.extend(done);
                told
            }))?;
        }
        journal.map_or(Ok(()), |journal| journal.add(&all_done))
    }
}
