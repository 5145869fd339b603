//! Small inputs, each taken whole: a batch of them, or one alone.

use super::batches::{Batch, LARGE, Unpacking};
use super::lots::{Compared, Lot, plan_lots, taking};
use super::portion::of_one;
use super::{Course, Outcome, Portion, Run, Way, keep};
use crate::Plan;
use crate::error::{Error, Place, Result, Stuck, What};
use crate::sheaf::{Sheaf, Taking};
use crate::source::{Form, Found, Input, LeftOut, Loaded, Source, Watch, load, text};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// An input alone and up to this size is done before a thread would have started.
const ALONE: usize = 1 << 17;

impl<T: Send, W: Fn(Portion) -> Result<T> + Sync, B: FnMut(Vec<Outcome<T>>) -> Result<()>> Run<'_, W, B> {
    /// A batch of small inputs, each taken whole.
    pub(super) fn small(&mut self, batch: Batch) -> Result<Way> {
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
    pub(super) fn text(&mut self, input: Input, batch: Batch) -> Result<Way> {
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

/// What is read, or why it isn't.
pub(super) type Read<R, T> = std::result::Result<R, Outcome<T>>;

/// All of a batch, taken apart; or the batch, if something of it unpacks to more than was expected.
pub(super) fn all_apart<T: Send>(
    batch: Batch,
    course: Course,
    taking: Taking,
) -> std::result::Result<Vec<Read<Apart, T>>, Batch> {
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
