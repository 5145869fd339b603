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
mod twice;

pub use budget::Budget;
pub use portion::{Part, Planned, Portion};

use crate::error::{Error, Place, Result, Stuck, What};
use crate::scratch::Tape;
use crate::sheaf::{Sheaf, Taking};
use crate::source::jsonl::Fields;
use crate::source::{Form, Found, Input, LeftOut, Loaded, Source, Watch, load, text};
use crate::threads::Threads;
use crate::{Plan, Settings};
use batches::{Batch, Batches, LARGE, Unpacking, is_streamed};
use bytes::Bytes;
use container::Container;
use large::LargeText;
use lots::{Compared, Lines, Lot, plan_lots, taking};
use portion::of_one;
use rayon::prelude::*;
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

/// An input alone and up to this size is done before a thread would have started.
const ALONE: usize = 1 << 17;

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
    let corpus = course.settings.across.then(|| Compared::new(course.settings, course.budget.corpus()));
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
            Found::Input(input) if self.course.budget.ensure_fits(input.size, || input.place()).is_ok() => batch.unpacking.size(input),
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

    /// A batch of small inputs, each taken whole.
    fn small(&mut self, batch: Batch) -> Result<Way> {
        let Self { course, work, corpus, kept, .. } = self;
        let Some(compared) = corpus else {
            let one = |found| (!course.stop.load(Ordering::Relaxed)).then(|| by_itself(found, *course, work));
            let outcomes: Option<Vec<Outcome<T>>> = course.threads.run(|| batch.group.into_par_iter().map(one).collect());
            return outcomes.map_or(Ok(Way::End), |outcomes| self.hand_on(outcomes).map(Way::on_if));
        };
        let is_input: Vec<bool> = batch.group.iter().map(|found| matches!(found, Found::Input(_))).collect();
        let apart = match course.threads.run(|| all_apart(batch, *course, compared.taking(course.settings))) {
            Ok(apart) if compared.corpus.is_spilled() => all_came_again(apart, &is_input)?,
            Ok(apart) => apart,
            Err(batch) => return Ok(Way::Again(batch)),
        };
        let made = course.threads.run(|| planned(apart, compared, kept, *course, work))?;
        self.hand_on_together(made).map(Way::on_if)
    }

    /// A text alone, which is all of a batch.
    fn text(&mut self, input: Input, batch: Batch) -> Result<Way> {
        let (input, source) = match loaded(Found::Input(input), self.course, self.corpus.as_ref().map(|_| batch.unpacking)) {
            Err(_) => return Ok(Way::Again(batch)),
            Ok(Ok((input, source))) if source.len() as u64 >= LARGE => return self.large(input, source).map(Way::on_if),
            Ok(Ok(loaded)) => loaded,
            Ok(Err(outcome)) => return self.hand_on(vec![outcome]).map(Way::on_if),
        };
        let Self { course, work, corpus, kept, .. } = self;
        let outcome = match corpus {
            None if source.len() <= ALONE => one_by_itself(&input, &source, *course, work),
            None => course.threads.run(|| one_by_itself(&input, &source, *course, work)),
            Some(corpus) => {
                let made = course.threads.run(|| {
                    let apart = Apart::new(input, source, *course, corpus.taking(course.settings));
                    planned(vec![apart.map_err(Outcome::Failed)], corpus, kept, *course, work)
                })?;
                return self.hand_on_together(made).map(Way::on_if);
            }
        };
        self.hand_on(vec![outcome]).map(Way::on_if)
    }

    /// A large text in stretches.
    fn large(&mut self, input: Input, source: Source) -> Result<bool> {
        let course = self.course;
        let mut compared = self.corpus.take().unwrap_or_else(|| Compared::new(course.settings, course.budget.memory));
        let mark = compared.corpus.mark();
        let mut text = LargeText::new(&input, &source, &mut compared, course);
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

/// An input of a group, taken apart.
struct Apart {
    input: Input,
    source: Source,
    sheaf: Sheaf,
}

impl Apart {
    fn new(input: Input, source: Source, course: Course, taking: Taking) -> Result<Self> {
        let sheaf = sheaf(&input, &source, course, taking)?;
        source.ensure_unchanged()?;
        Ok(Self { input, source, sheaf })
    }
}

/// What is read, or why it isn't.
type Read<R, T> = std::result::Result<R, Outcome<T>>;

/// All of a batch, taken apart; or the batch, if something of it unpacks to more than was expected.
fn all_apart<T: Send>(batch: Batch, course: Course, taking: Taking) -> std::result::Result<Vec<Read<Apart, T>>, Batch> {
    let Batch { group, unpacking } = batch;
    let one = |found| {
        let loaded = loaded(found, course, Some(unpacking))?;
        Ok(loaded.and_then(|(input, source)| Apart::new(input, source, course, taking).map_err(Outcome::Failed)))
    };
    let all: Vec<std::result::Result<Read<Apart, T>, Input>> = group.into_par_iter().map(one).collect();
    if all.iter().all(std::result::Result::is_ok) {
        return Ok(all.into_iter().flatten().collect());
    }
    let found = |one| match one {
        Ok(Ok(Apart { input, .. })) | Err(input) => Some(Found::Input(input)),
        Ok(Err(Outcome::LeftOut(path, why))) => Some(Found::LeftOut(path, why)),
        Ok(Err(Outcome::Failed(error))) => Some(Found::Failed(error)),
        Ok(Err(Outcome::Done(_) | Outcome::Notice(_))) => None,
    };
    Err(Batch { group: all.into_iter().filter_map(found).collect(), unpacking })
}

/// Something that was found, read; or the input, if it unpacks to more than was expected.
fn loaded<T>(found: Found, course: Course, expected: Option<Unpacking>) -> std::result::Result<Read<(Input, Source), T>, Input> {
    let input = match found {
        Found::Input(input) => input,
        Found::LeftOut(path, why) => return Ok(Err(Outcome::LeftOut(path, why))),
        Found::Failed(error) => return Ok(Err(Outcome::Failed(error))),
    };
    let budget = course.budget;
    if input.form == Form::Text
        && let Err(error) = budget.ensure_fits(input.size, || input.place())
    {
        return Ok(Err(Outcome::Failed(error)));
    }
    let expected = expected.map_or(u64::MAX, |unpacking| unpacking.most(&input));
    Ok(match load(&input, course.reading.keeps_broken(), expected.min(budget.most_text())) {
        Ok(Loaded::Source(source)) => Ok((input, source)),
        Ok(Loaded::Binary) => Err(Outcome::LeftOut(input.path().into(), LeftOut::Binary)),
        Err(error) if expected < budget.most_text() && error.is_too_much() => return Err(input),
        Err(error) => Err(Outcome::Failed(error)),
    })
}

/// A small input taken apart.
fn sheaf(input: &Input, source: &Source, course: Course, taking: Taking) -> Result<Sheaf> {
    let mut sheaf = Sheaf::default();
    sheaf
        .read(source, None, input.form, &course.reading.fields, taking, true)
        .map_err(|what| Error::too_large(input.place(), what))?;
    if !course.reading.keeps_broken()
        && let Some((line, _, fault)) = sheaf.faults.first()
    {
        let fault = fault.as_ref().expect("the first one has a reason");
        return Err(input.ended_by_record(line + 1, fault));
    }
    Ok(sheaf)
}

/// The same, if all that was read the first time was read again: the others have been compared with it.
fn all_came_again<T>(
    apart: Vec<Read<Apart, T>>,
    is_input: &[bool],
) -> Result<Vec<Read<Apart, T>>> {
    let one = |(apart, &is_input): (Read<Apart, T>, &bool)| match apart {
        Err(Outcome::Failed(error)) if is_input => Err(error),
        Err(Outcome::LeftOut(path, _)) if is_input => Err(Stuck::Changed(0).at((&path).into())),
        apart => Ok(apart),
    };
    apart.into_iter().zip(is_input).map(one).collect()
}

/// What is made of a group that is taken apart, in order; or why nothing is made of what others have been compared with.
fn planned<T: Send>(
    mut loaded: Vec<Read<Apart, T>>,
    compared: &mut Compared,
    kept: &mut Vec<Arc<Watch>>,
    course: Course,
    work: &(impl Fn(Portion) -> Result<T> + Sync),
) -> Result<Vec<Result<Outcome<T>>>> {
    let mut lots = Vec::new();
    for Apart { input, source, sheaf } in loaded.iter_mut().flatten() {
        lots.push(Lot::whole(input, source, std::mem::take(sheaf)));
    }
    let mark = compared.corpus.mark();
    for lot in &mut lots {
        lot.stand = compared.corpus.hold(lot.bytes.clone(), lot.input.form, lot.input.path(), 0);
    }
    let made = plan_lots(&lots, Some(compared), course, work);
    let made: Vec<Result<Outcome<T>>> = match made {
        Ok(made) => {
            let unless_changed = |(lot, made): (&Lot, Result<T>)| lot.source.ensure_unchanged().and(made).map(Outcome::Done);
            lots.iter().zip(made).map(unless_changed).collect()
        }
        Err(Stuck::TooLarge(what)) => {
            compared.forget(&mark)?;
            lots.iter().map(|lot| Ok(Outcome::Failed(Error::too_large(lot.input.place(), what)))).collect()
        }
        Err(stuck) => {
            let number = if let Stuck::Changed(number) = stuck { number } else { 0 };
            return Err(stuck.at(lots.get(number).map_or(Place::Text, |lot| lot.input.place())));
        }
    };
    let mut made = made.into_iter();
    drop(lots);
    let is_in_memory = !compared.corpus.is_spilled();
    let mut next = |Apart { source, .. }: Apart| {
        if is_in_memory {
            keep(&source, kept);
        }
        made.next().expect("each input that was read is planned")
    };
    Ok(loaded.into_iter().map(|loaded| loaded.map_or_else(Ok, &mut next)).collect())
}

/// Something of a group that is not compared with others.
fn by_itself<T: Send>(found: Found, course: Course, work: &(impl Fn(Portion) -> Result<T> + Sync)) -> Outcome<T> {
    match loaded(found, course, None) {
        Ok(Ok((input, source))) => one_by_itself(&input, &source, course, work),
        Ok(Err(outcome)) => outcome,
        Err(input) => unreachable!("nothing was expected of {}", input.place()),
    }
}

/// One input that is not compared with others.
fn one_by_itself<T: Send>(
    input: &Input,
    source: &Source,
    course: Course,
    work: &(impl Fn(Portion) -> Result<T> + Sync),
) -> Outcome<T> {
    let made =
        if input.form == Form::Text { one_text(input, source, course, work) } else { container(input, source, course, work) };
    unless_changed(source, made)
}

/// What was made of an input, unless that changed meanwhile.
fn unless_changed<T>(source: &Source, made: Result<T>) -> Outcome<T> {
    match source.ensure_unchanged() {
        Err(changed) if !matches!(made, Err(Error { what: What::Changed { .. }, .. })) => Outcome::Failed(changed),
        _ => made.into(),
    }
}

fn one_text<T>(input: &Input, source: &Source, course: Course, work: &impl Fn(Portion) -> Result<T>) -> Result<T> {
    let plan = Plan::new(&text::document(source), course.settings).map_err(|what| Error::too_large(input.place(), what))?;
    work(of_one(input, source, plan, course.reading))
}

fn container<T>(input: &Input, source: &Source, course: Course, work: &(impl Fn(Portion) -> Result<T> + Sync)) -> Result<T>
where
    T: Send,
{
    let lot = Lot::whole(input, source, sheaf(input, source, course, taking(None, course.settings))?);
    work(lot.portion(|taken| lot.plan_alone(taken, course), course, None))
}
