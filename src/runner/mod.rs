//! The one place where documents run in parallel: an order-preserving map over batches of inputs, or of stretches of a large one.
//!
//! Inputs are numbered by their order before anything runs, and outcomes come out in that order, whichever thread was first. With
//! `--across` a batch goes through the corpus between two parallel steps: it is taken apart, entered in order, and planned.

mod batches;
mod budget;
mod container;
mod large;
mod lots;
mod portion;
mod small;
mod twice;

pub use budget::Budget;
#[cfg(feature = "check")]
pub(crate) use portion::Words;
pub use portion::{Part, Planned, Portion};

use crate::Settings;
use crate::error::{Error, Result};
use crate::scratch::Tape;
use crate::sheaf::Sheaf;
use crate::source::jsonl::Fields;
use crate::source::{Form, Found, Input, LeftOut, Source, Watch};
use crate::threads::Threads;
use crate::tidy::{NoRoom, decoded, wide};
use batches::{Batch, Batches, is_streamed};
use bytes::Bytes;
use container::Container;
use large::LargeText;
use lots::{Compared, Lines};
use small::unless_changed;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What became of something the walk came upon.
pub enum Outcome<T> {
    /// It, or a stretch of it, was planned, and this was made of the plans.
    Done(T),
    /// It is not read, on purpose.
    LeftOut(PathBuf, LeftOut),
    /// It, or a record of it, could not be read or written.
    Failed(Error),
    /// Something to be said meanwhile; it comes alone.
    Notice(String),
}

impl<T> From<Result<T>> for Outcome<T> {
    fn from(made: Result<T>) -> Self {
        made.map_or_else(Outcome::Failed, Outcome::Done)
    }
}

/// How a run goes about its documents.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// What counts as a repeat.
    pub settings: &'a Settings,
    /// How containers are read.
    pub reading: &'a Reading,
    /// How much memory it may take.
    pub budget: &'a Budget,
    /// The threads that do the work.
    pub threads: &'a Threads,
    /// Once it is set, nothing more is read, and what a batch has made by then is dropped.
    pub stop: &'a AtomicBool,
}

impl Course<'_> {
    /// Refuses what is to be repaired and can't be.
    fn ensure_repairable(&self, input: &Input, beginning: &[u8]) -> Result<()> {
        let is_repaired = input.form == Form::Text && !self.settings.tidy.is_none();
        let is_begun = || wide::is_marked(beginning) || wide::may_be_unmarked(beginning);
        let is_broken = is_repaired && is_begun() && decoded(beginning).is_none();
        let why = "begins as UTF-16 or UTF-32 does, and isn't UTF-16: there is half of a character in it, or what no text has";
        if is_broken { Err(Error::refused(input.place(), why)) } else { Ok(()) }
    }
}

/// How containers are read, and what becomes of their records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Which fields of a record are read.
    pub fields: Fields,
    /// What becomes of what is broken.
    pub on_error: OnError,
    /// Whether records whose text is cut as a whole stay, without it.
    pub keep_empty: bool,
    /// Whether all containers come in stretches, however small they are.
    pub in_stretches: bool,
    /// Whether it is known of all earlier texts where they stand, even of those that memory doesn't hold.
    pub keeps_places: bool,
    /// Whether stretches of a text begin lines of its file, whatever ends lines once it is repaired.
    pub by_lines: bool,
}

impl Reading {
    /// Whether what precedes a fault counts.
    fn keeps_broken(&self) -> bool {
        self.on_error != OnError::Fail
    }
}

/// What becomes of a record that can't be read, and of a stream that breaks off. In each case it is an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// Its whole file is left out, and justifies no cut elsewhere.
    #[default]
    Fail,
    /// It stays as it is.
    Keep,
    /// It is left out.
    Drop,
}

/// Plans the documents of `found`.
///
/// `work` makes something of the plans of an input or of a stretch of one, in any order; `batch` gets what it made, in order,
/// batch by batch; of a container in the end either something of its end or only why it failed. What was made of a document that
/// changed meanwhile is dropped, and so is any other failure of its: what the system says of bytes that vanish while they are
/// written puts the blame on the output.
///
/// # Errors
/// The first that `batch` gives, or that `work` gives of an input with which others have been compared by then; nothing more is read
/// after it. Those of [`Settings::ensure_sensible`], and of temporary files.
pub fn run<T: Send>(
    found: impl Iterator<Item = Found>,
    course: Course,
    work: impl Fn(Portion) -> Result<T> + Sync,
    batch: impl FnMut(Vec<Outcome<T>>) -> Result<()>,
) -> Result<()> {
    course.settings.ensure_sensible()?;
    let corpus =
        course.settings.across.then(|| Compared::new(course.settings, course.budget.corpus(), course.reading.keeps_places));
    let mut run = Run { course, work, batch, corpus, kept: Vec::new(), used: Vec::new(), again: Vec::new(), spool: None };
    let mut batches = Batches::new(found, &course);
    while let Some(batch) = batches.next() {
        match run.batch(batch)? {
            Way::On => {}
            Way::Again(batch) => batches.again(batch),
            Way::End => return Ok(()),
            Way::Twice(Rest::Container(container)) => return run.twice(Some(container), batches),
            Way::Twice(Rest::Batch(batch)) => {
                batches.give_back(batch);
                return run.twice(None, batches);
            }
        }
    }
    run.end()
}

/// How a run goes on.
enum Way {
    On,
    /// Something asked for its end.
    End,
    /// Something of the batch unpacks to more than was expected: nothing of it is done.
    Again(Batch),
    /// Memory holds no more: what isn't done comes twice.
    Twice(Rest),
}

impl Way {
    fn on_if(goes_on: bool) -> Self {
        if goes_on { Way::On } else { Way::End }
    }
}

/// What of a batch isn't done.
enum Rest {
    Batch(Batch),
    Container(Box<Container>),
}

/// A run under way.
struct Run<'a, W, B> {
    course: Course<'a>,
    work: W,
    batch: B,
    corpus: Option<Compared>,
    /// Mapped inputs whose bytes later documents are compared with.
    kept: Vec<Arc<Watch>>,
    /// Sheaves whose memory is used again: new memory costs more than what is done with it.
    used: Vec<Sheaf>,
    /// What was found when it came for the first time and comes again.
    again: Vec<Found>,
    /// Standard input, if it comes again.
    spool: Option<Tape>,
}

impl<T: Send, W: Fn(Portion) -> Result<T> + Sync, B: FnMut(Vec<Outcome<T>>) -> Result<()>> Run<'_, W, B> {
    /// Plans a batch.
    fn batch(&mut self, batch: Batch) -> Result<Way> {
        if self.course.stop.load(Ordering::Relaxed) {
            return Ok(Way::End);
        }
        if let [Found::Input(input)] = batch.group.as_slice()
            && is_streamed(input, self.course.reading)
        {
            let input = input.clone();
            return self.container(input);
        }
        if self.is_full_with(&batch) {
            return Ok(Way::Twice(Rest::Batch(batch)));
        }
        match batch.group.as_slice() {
            [Found::Input(input)] if input.form == Form::Text && !self.is_spilled() => self.text(input.clone(), batch),
            _ => self.small(batch),
        }
    }

    /// Whether that much more is too much for memory.
    fn is_full_with(&self, batch: &Batch) -> bool {
        let Some(Compared { corpus, .. }) = &self.corpus else { return false };
        let size = |found: &Found| match found {
            // What is too large by itself isn't read.
            Found::Input(input) if self.course.budget.ensure_fits(input.size, input.form, || input.place()).is_ok() => {
                batch.unpacking.size(input)
            }
            _ => 0,
        };
        !corpus.is_spilled() && corpus.is_full_with(batch.group.iter().map(size).sum())
    }

    /// What documents are compared with, which is why memory doesn't hold all.
    fn compared(&mut self) -> &mut Compared {
        self.corpus.as_mut().expect("only what is compared takes memory")
    }

    fn is_spilled(&self) -> bool {
        self.corpus.as_ref().is_some_and(|compared| compared.corpus.is_spilled())
    }

    /// Whether what is read comes again, before anything is planned for it.
    fn is_gathering(&self) -> bool {
        self.corpus.as_ref().is_some_and(|compared| compared.corpus.is_gathering())
    }

    /// Hands a batch on; false if the run is to end.
    fn hand_on(&mut self, outcomes: Vec<Outcome<T>>) -> Result<bool> {
        if self.course.stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        (self.batch)(outcomes)?;
        Ok(true)
    }

    /// Hands on what was made of inputs of a batch that was planned together. The first that failed ends the run: the others have
    /// been compared with it.
    fn hand_on_together(&mut self, made: Vec<Result<Outcome<T>>>) -> Result<bool> {
        let mut failed = None;
        let before = made.into_iter().map_while(|made| made.map_err(|error| failed = Some(error)).ok()).collect();
        Ok(self.hand_on(before)? && failed.map_or(Ok(true), Err)?)
    }

    /// A large text in stretches.
    fn large(&mut self, input: Input, source: Source) -> Result<bool> {
        let course = self.course;
        let len = source.len() as u64;
        let room = course.budget.beside_text(len);
        let reads = match course.threads.run(|| large::Reads::of(&source, course.settings.tidy, room)) {
            Ok(reads) => reads,
            Err(NoRoom(needed)) => {
                let error = course.budget.too_much_beside(len, needed, input.place());
                return self.hand_on(vec![Outcome::Failed(error)]);
            }
        };
        let mut compared = self.corpus.take().unwrap_or_else(|| Compared::new(course.settings, course.budget.memory, false));
        let mark = compared.corpus.mark();
        let mut text = LargeText::new(&input, &source, &reads, &mut compared, course);
        let failed = loop {
            match course.threads.run(|| text.next(&self.work)) {
                Ok(made) if made.is_empty() => break None,
                Ok(made) => {
                    let (done, not_done) = until_failed(made);
                    if !self.hand_on(done)? {
                        return Ok(false);
                    }
                    if not_done.is_some() {
                        break not_done;
                    }
                }
                Err(error) => break Some(error),
            }
        };
        let lines = Lines { offset: source.len() as u64, next: 1, stretches: 0, is_begun: !source.is_empty() };
        let outcome = self.ended(&input, &source, &lines, failed);
        if let Outcome::Failed(_) = outcome {
            course.threads.run(|| compared.forget(&mark))?;
        }
        if course.settings.across {
            self.corpus = Some(compared);
            keep(&source, &mut self.kept);
        }
        self.hand_on(vec![outcome])
    }

    /// What comes of the end of an input that came in stretches.
    fn ended(&self, input: &Input, source: &Source, lines: &Lines, failed: Option<Error>) -> Outcome<T> {
        match failed {
            Some(error) => Outcome::Failed(error),
            None => {
                let (offset, is_first) = (lines.offset, !lines.is_begun);
                let end = Portion { offset, is_first, ..Portion::new(input, source, Part::End, Bytes::new()) };
                unless_changed(source, (self.work)(end))
            }
        }
    }

    /// What documents were compared with must not have changed meanwhile.
    fn end(&mut self) -> Result<()> {
        let changed = |input: &Arc<Watch>| input.ensure_unchanged().is_err().then(|| input.place().clone());
        let failed = |place| {
            let why = "changed after it was read, while others were compared with it; run again when it is at rest";
            Outcome::Failed(Error::refused(place, why))
        };
        let changed: Vec<Outcome<T>> = self.kept.iter().filter_map(changed).map(failed).collect();
        if changed.is_empty() { Ok(()) } else { self.hand_on(changed).map(drop) }
    }
}

/// Watches an input that others are compared with, if its bytes may change.
fn keep(source: &Source, kept: &mut Vec<Arc<Watch>>) {
    if source.is_mapped() {
        kept.push(Arc::clone(source.watch()));
    }
}

/// What was made, up to the first that failed, and why that did.
fn until_failed<T>(made: Vec<Result<T>>) -> (Vec<Outcome<T>>, Option<Error>) {
    let mut failed = None;
    let done = made.into_iter().map_while(|made| made.map(Outcome::Done).map_err(|error| failed = Some(error)).ok()).collect();
    (done, failed)
}
