//! Small inputs, each taken whole: a batch of them, or one alone.

use super::batches::{Batch, LARGE, Unpacking};
use super::lots::unreadable;
use super::lots::{Compared, Lot, plan_lots, taking};
use super::portion::of_one;
use super::{Course, Outcome, Portion, Run, Way, keep};
use crate::Plan;
use crate::error::{Error, Place, Result, Stuck, What};
use crate::sheaf::{Sheaf, Taking};
use crate::source::{Form, Found, Input, Loaded, Packing, Source, Watch, load, text, unpacked_size};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What is said of what neither name nor bytes tell the form of.
const NO_KNOWN_FORM: &str = "of no known form; --from text, jsonl, warc, parquet, feed or html says which it has";
/// An input alone and up to this size is done before a thread would have started.
const ALONE: usize = 1 << 17;

impl<T: Send, W: Fn(Portion) -> Result<T> + Sync, B: FnMut(Vec<Outcome<T>>) -> Result<()>> Run<'_, W, B> {
    /// A batch of small inputs, each taken whole.
    pub(super) fn small(&mut self, batch: Batch) -> Result<Way> {
        let Self { course, work, corpus, kept, .. } = self;
        let course = *course;
        let Some(compared) = corpus else {
            let outcomes = match course.threads.run(|| each_alone(batch, course, work)) {
                Ok(outcomes) => outcomes,
                Err(batch) => return Ok(Way::Again(batch)),
            };
            return outcomes.map_or(Ok(Way::End), |outcomes| self.hand_on(outcomes).map(Way::on_if));
        };
        let is_input: Vec<bool> = batch.group.iter().map(|found| matches!(found, Found::Input(_))).collect();
        let apart = match course.threads.run(|| all_apart(batch, course, compared.taking(course.settings))) {
            Ok(apart) if compared.corpus.is_spilled() => all_came_again(apart, &is_input)?,
            Ok(apart) => apart,
            Err(batch) => return Ok(Way::Again(batch)),
        };
        let made = course.threads.run(|| planned(apart, compared, kept, course, work))?;
        self.hand_on_together(made).map(Way::on_if)
    }

    /// A text alone, which is all of a batch.
    pub(super) fn text(&mut self, input: Input, batch: Batch) -> Result<Way> {
        let (input, source) = match loaded(Found::Input(input), self.course, batch.unpacking) {
            Err(input) => return Ok(Way::Again(Batch { group: vec![counted(input, self.course)], ..batch })),
            Ok(Ok((input, source))) if source.len() as u64 >= LARGE && input.form == Form::Text => {
                return self.large(input, source).map(Way::on_if);
            }
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
}

/// An input of a group, taken apart.
pub(super) struct Apart {
    pub(super) input: Input,
    pub(super) source: Source,
    pub(super) sheaf: Sheaf,
}

impl Apart {
    fn new(input: Input, source: Source, course: Course, taking: Taking) -> Result<Self> {
        let sheaf = sheaf(&input, &source, course, taking)?;
        source.ensure_unchanged()?;
        Ok(Self { input, source, sheaf })
    }
}

/// What came of an input, and how many bytes it unpacked to; or the input, if those are more than was expected.
type Came<R, T> = std::result::Result<(Read<R, T>, Option<u64>), Input>;

/// What is read, or why it isn't.
pub(super) type Read<R, T> = std::result::Result<R, Outcome<T>>;

/// All of a batch, taken apart; or the batch, if something of it unpacks to more than was expected.
pub(super) fn all_apart<T: Send>(
    batch: Batch,
    course: Course,
    taking: Taking,
) -> std::result::Result<Vec<Read<Apart, T>>, Batch> {
    all(batch, course, |input, source| Apart::new(input, source, course, taking))
}

/// What is made of each input of a batch, once all are read; or the batch, if something of it unpacks to more than was expected:
/// then it is known of each how much.
fn all<R: Send, T: Send>(
    batch: Batch,
    course: Course,
    make: impl Fn(Input, Source) -> Result<R> + Sync,
) -> std::result::Result<Vec<Read<R, T>>, Batch> {
    let Batch { group, unpacking } = batch;
    // What comes again is what came, whatever became of it.
    let input = |found: &Found| if let Found::Input(input) = found { Some(input.clone()) } else { None };
    let inputs: Vec<Option<Input>> = if any_packed(&group) { group.iter().map(input).collect() } else { Vec::new() };
    let one = |found| {
        let read = loaded(found, course, unpacking)?;
        let size = read.as_ref().ok().map(|(_, source)| source.len() as u64);
        Ok((read.and_then(|(input, source)| make(input, source).map_err(Outcome::Failed)), size))
    };
    let all: Vec<Came<R, T>> = group.into_par_iter().map(one).collect();
    if all.iter().all(std::result::Result::is_ok) {
        return Ok(all.into_iter().flatten().map(|(read, _)| read).collect());
    }
    let found = |(one, input): (Came<R, T>, Option<Input>)| match (one, input) {
        (Err(input), _) => Some(counted(input, course)),
        (Ok((_, size)), Some(input)) if input.packing != Packing::Plain => Some(Found::Input(Input { unpacked: size, ..input })),
        (Ok(_), Some(input)) => Some(Found::Input(input)),
        (Ok((Err(Outcome::LeftOut(path, why)), _)), None) => Some(Found::LeftOut(path, why)),
        (Ok((Err(Outcome::Failed(error)), _)), None) => Some(Found::Failed(error)),
        (Ok(_), None) => None,
    };
    Err(Batch { group: all.into_par_iter().zip(inputs).filter_map(found).collect(), unpacking })
}

fn any_packed(group: &[Found]) -> bool {
    group.iter().any(|found| matches!(found, Found::Input(input) if input.packing != Packing::Plain))
}

/// An input that unpacks to more than was expected, now that it is known how much: as far as memory holds it.
fn counted(input: Input, course: Course) -> Found {
    let size = unpacked_size(&input, course.budget.most_text() + 1);
    Found::Input(Input { unpacked: Some(size), ..input })
}

/// Something that was found, read; or the input, if it unpacks to more than was expected.
fn loaded<T>(found: Found, course: Course, unpacking: Unpacking) -> std::result::Result<Read<(Input, Source), T>, Input> {
    let mut input = match found {
        Found::Input(input) => input,
        Found::LeftOut(path, why) => return Ok(Err(Outcome::LeftOut(path, why))),
        Found::Failed(error) => return Ok(Err(Outcome::Failed(error))),
    };
    let budget = course.budget;
    if input.form.is_whole()
        && let Err(error) = budget.ensure_fits(input.size, input.form, || input.place())
    {
        return Ok(Err(Outcome::Failed(error)));
    }
    let expected = unpacking.most(&input);
    Ok(match load(&input, course.reading.keeps_broken(), expected.min(budget.most_text())) {
        Ok(Loaded::Source(source)) => match input.is_told_by(&source) {
            true => match budget
                .ensure_fits(source.len() as u64, input.form, || input.place())
                .and_then(|()| course.ensure_repairable(&input, &source))
            {
                Ok(()) => Ok((input, source)),
                Err(error) => Err(Outcome::Failed(error)),
            },
            false => Err(Outcome::Failed(Error::refused(input.place(), NO_KNOWN_FORM))),
        },
        Ok(Loaded::LeftOut(why)) => Err(Outcome::LeftOut(input.path().into(), why)),
        Err(error) if expected < budget.most_text() && error.is_too_much() => return Err(input),
        Err(error) => Err(Outcome::Failed(error)),
    })
}

/// A small input taken apart.
fn sheaf(input: &Input, source: &Source, course: Course, taking: Taking) -> Result<Sheaf> {
    let mut sheaf = Sheaf::default();
    sheaf.read(source, None, input.form, &course.reading.fields, taking, true).map_err(|why| unreadable(input, why))?;
    if !course.reading.keeps_broken()
        && let Some((line, _, fault)) = sheaf.faults.first()
    {
        let fault = fault.as_ref().expect("the first one has a reason");
        return Err(input.ended_by_record(line + 1, fault));
    }
    Ok(sheaf)
}

/// The same, if all that was read the first time was read again: the others have been compared with it.
fn all_came_again<T>(apart: Vec<Read<Apart, T>>, is_input: &[bool]) -> Result<Vec<Read<Apart, T>>> {
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
        lot.hold(&mut compared.corpus);
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

/// The inputs of a batch that are not compared with others; none if the run is to end. Nothing is made of one before all are
/// unpacked, so that nothing is made twice.
fn each_alone<T: Send>(
    batch: Batch,
    course: Course,
    work: &(impl Fn(Portion) -> Result<T> + Sync),
) -> std::result::Result<Option<Vec<Outcome<T>>>, Batch> {
    let is_stopped = || course.stop.load(Ordering::Relaxed);
    let made = |read: Read<(Input, Source), T>| match read {
        Ok((input, source)) => one_by_itself(&input, &source, course, work),
        Err(outcome) => outcome,
    };
    if any_packed(&batch.group) {
        let read = all(batch, course, |input, source| Ok((input, source)))?;
        return Ok(read.into_par_iter().map(|read| (!is_stopped()).then(|| made(read))).collect());
    }
    let unpacking = batch.unpacking;
    let one = |found| match loaded(found, course, unpacking) {
        Ok(read) => made(read),
        Err(input) => unreachable!("{} isn't packed", input.place()),
    };
    Ok(batch.group.into_par_iter().map(|found| (!is_stopped()).then(|| one(found))).collect())
}

/// One input that is not compared with others.
fn one_by_itself<T: Send>(
    input: &Input,
    source: &Source,
    course: Course,
    work: &(impl Fn(Portion) -> Result<T> + Sync),
) -> Outcome<T> {
    let made = match input.form {
        Form::Text if course.settings.tidy.is_none() => one_text(input, source, course, work),
        _ => container(input, source, course, work),
    };
    unless_changed(source, made)
}

/// What was made of an input, unless that changed meanwhile.
pub(super) fn unless_changed<T>(source: &Source, made: Result<T>) -> Outcome<T> {
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
