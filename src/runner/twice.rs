//! What memory doesn't hold comes twice: first to be gathered on disk, then, when it is known what repeats, to be planned. What was
//! done before stays done.

use super::batches::{Batches, is_streamed, unpacked};
use super::container::{Container, Ended};
use super::lots::Lot;
use super::{Apart, Outcome, Portion, Rest, Run, Way};
use crate::error::{Error, Place, Result, count};
use crate::scratch::{Scratch, Tape, free};
use crate::source::{Found, LeftOut, Stretches, again};
use rayon::prelude::*;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const MEGABYTE: u64 = 1 << 20;

/// What came of a container that was under way.
enum Gathered {
    /// It, as it was before, comes again; and why it failed if nothing comes after it: then what precedes that is cleaned, as it
    /// would be if memory held all.
    Container(Box<Container>, Option<Error>),
    /// It failed and is forgotten.
    Nothing,
    /// Something asked for the end of the run.
    Run,
}

impl<T: Send, W: Fn(Portion) -> Result<T> + Sync, B: FnMut(Vec<Outcome<T>>) -> Result<()>> Run<'_, W, B> {
    /// Does the rest of a run, of which this is under way and those come later.
    pub(super) fn twice(mut self, rest: Rest, later: Batches<impl Iterator<Item = Found>>) -> Result<()> {
        let course = self.course;
        let later: Vec<Found> = later.flatten().collect();
        let folder = course.budget.folder();
        if !self.say_what_it_takes(&folder, &rest, &later)? {
            return Ok(());
        }
        let scratch = Scratch::new(&folder)?;
        self.spill(&scratch)?;

        let mut begun = None;
        match rest {
            Rest::Group(group) => self.gather_group(group)?,
            Rest::Container(container) => match self.gather_rest(container, &scratch, later.is_empty())? {
                Gathered::Container(container, failed) => begun = Some((container, failed)),
                Gathered::Nothing => {}
                Gathered::Run => return Ok(()),
            },
        }
        for group in Batches::new(later.into_iter(), &course) {
            if course.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            match group.as_slice() {
                [Found::Input(input)] if is_streamed(input, course.reading) => {
                    let input = input.clone();
                    let found = match self.begin(&input) {
                        Ok(Some(container)) => match self.gather_container(container)? {
                            Some(failed) => failed.map_or(Found::Input(input), Found::Failed),
                            None => return Ok(()),
                        },
                        Ok(None) => Found::LeftOut(input.path().into(), LeftOut::Binary),
                        Err(error) => Found::Failed(error),
                    };
                    self.again.push(found);
                }
                _ => self.gather_group(group)?,
            }
        }
        let compared = self.corpus.as_mut().expect("only what is compared takes memory");
        let settled = course.threads.run(|| compared.corpus.settle(course.budget.corpus() / 2));
        settled.map_err(|stuck| stuck.at(Place::Path(folder.clone())))?;

        if let Some((container, failed)) = begun
            && !self.second_time(*container, failed)?
        {
            return Ok(());
        }
        // What failed may have left a gap in the numbers, and numbers of one batch lie close together.
        let again = std::mem::take(&mut self.again);
        let mut again = again.into_iter().peekable();
        while again.peek().is_some() {
            let first = again.next();
            let others = std::iter::from_fn(|| again.next_if(|found| !matches!(found, Found::Failed(_))));
            for group in Batches::new(first.into_iter().chain(others), &course) {
                if !matches!(self.group(group)?, Way::On) {
                    return Ok(());
                }
            }
        }
        let took = scratch.size() / MEGABYTE;
        self.hand_on(vec![Outcome::Notice(format!("temporary files took {} MB", count(took)))])?;
        self.end()
    }

    /// Says how much disk it will take, and makes sure that it is there; false if the run is to end.
    fn say_what_it_takes(&mut self, folder: &Path, rest: &Rest, later: &[Found]) -> Result<bool> {
        let size = |found: &Found| if let Found::Input(input) = found { unpacked(input) } else { 0 };
        let (of_rest, is_stdin) = match rest {
            Rest::Group(group) => (group.iter().map(size).sum(), false),
            Rest::Container(container) => {
                let Container { input, lines, .. } = &**container;
                (unpacked(input).saturating_sub(lines.offset), container.is_spooled())
            }
        };
        let compared = self.corpus.as_ref().expect("only what is compared takes memory");
        let needed = compared.corpus.expected_on_disk(of_rest + later.iter().map(size).sum::<u64>());
        let free = free(folder)?;
        let megabytes = |bytes: u64| count(bytes.div_ceil(MEGABYTE));
        if free < needed {
            let why = format!(
                "temporary files take about {} MB there, and {} MB are free; --temp-dir names another folder, --memory allows more memory",
                megabytes(needed),
                megabytes(free)
            );
            return Err(Error::refused(folder, why));
        }
        let memory = megabytes(self.course.budget.memory);
        let said = match is_stdin {
            true => format!(
                "standard input is more than {memory} MB of memory hold; the rest of it goes to temporary files in {} and is read from there",
                folder.display()
            ),
            false => format!(
                "more than {memory} MB of memory hold: the rest is read twice, with about {} MB of temporary files in {}",
                megabytes(needed),
                folder.display()
            ),
        };
        self.hand_on(vec![Outcome::Notice(said)])
    }

    /// Moves what is in memory to disk.
    fn spill(&mut self, scratch: &Arc<Scratch>) -> Result<()> {
        let compared = self.corpus.as_mut().expect("only what is compared takes memory");
        let spilled = self.course.threads.run(|| compared.corpus.spill(scratch));
        spilled.map_err(|stuck| stuck.at(Place::Request("all documents so far".into())))?;
        // What was hashed now is what was compared before, and need not stay as it is.
        self.kept.iter().try_for_each(|watch| watch.ensure_unchanged())?;
        self.kept.drain(..).for_each(|watch| watch.let_go());
        self.used.clear();
        Ok(())
    }

    /// Gathers the rest of a container.
    fn gather_rest(&mut self, mut container: Box<Container>, scratch: &Arc<Scratch>, is_last: bool) -> Result<Gathered> {
        let lines = container.lines;
        if container.is_spooled() {
            self.spool = Some(Tape::new(scratch));
        } else if container.source.is_mapped() {
            container.waiting.clear();
            container.stretches = self.open_again(&container)?;
            container.source.watch().let_go();
        }
        let failed = match self.stretches(&mut container)? {
            Ended::Container(failed) => failed,
            Ended::Run | Ended::Memory => return Ok(Gathered::Run),
        };
        let compared = self.corpus.as_mut().expect("only what is compared takes memory");
        match failed {
            None => compared.corpus.end_input().map_err(|stuck| stuck.at(container.input.place()))?,
            Some(error) if is_last => {
                container.lines = lines;
                return Ok(Gathered::Container(container, Some(error)));
            }
            Some(error) => {
                let mark = container.mark.as_ref().expect("only what is compared takes memory");
                self.course.threads.run(|| compared.forget(mark))?;
                // What of it is done goes with it, before anything else is handed on.
                let goes_on = self.hand_on(vec![Outcome::Failed(error)])?;
                return Ok(if goes_on { Gathered::Nothing } else { Gathered::Run });
            }
        }
        container.lines = lines;
        Ok(Gathered::Container(container, None))
    }

    /// Gathers a container; why it is left out, if it is. `None` if the run is to end.
    fn gather_container(&mut self, mut container: Container) -> Result<Option<Option<Error>>> {
        let failed = match self.stretches(&mut container)? {
            Ended::Container(failed) => failed,
            Ended::Run | Ended::Memory => return Ok(None),
        };
        let failed = failed.or_else(|| container.source.ensure_unchanged().err());
        let compared = self.corpus.as_mut().expect("only what is compared takes memory");
        match (&failed, &container.mark) {
            (Some(_), Some(mark)) => self.course.threads.run(|| compared.forget(mark))?,
            _ => compared.corpus.end_input().map_err(|stuck| stuck.at(container.input.place()))?,
        }
        Ok(Some(failed))
    }

    /// Gathers small inputs.
    fn gather_group(&mut self, group: Vec<Found>) -> Result<()> {
        let Self { course, corpus, again, .. } = self;
        let compared = corpus.as_mut().expect("only what is compared takes memory");
        let taking = compared.taking(course.settings);
        course.threads.run(|| {
            let apart: Vec<std::result::Result<Apart, Outcome<T>>> =
                group.into_par_iter().map(|found| Apart::of(found, *course, taking)).collect();
            for apart in apart {
                again.push(match apart {
                    Ok(Apart { input, source, sheaf }) => {
                        let mut lot = Lot::whole(&input, &source, sheaf);
                        lot.stand = compared.corpus.hold(lot.bytes.clone(), input.form, input.path(), 0);
                        let entered = compared.corpus.enter(&[lot.entering()], |count| count);
                        entered.map_err(|stuck| stuck.at(input.place()))?;
                        Found::Input(input)
                    }
                    Err(Outcome::LeftOut(path, why)) => Found::LeftOut(path, why),
                    Err(Outcome::Failed(error)) => Found::Failed(error),
                    Err(Outcome::Done(_) | Outcome::Notice(_)) => continue,
                });
            }
            Ok(())
        })
    }

    /// Plans the rest of a container that was gathered until it failed, if it did; false if the run is to end.
    fn second_time(&mut self, mut container: Container, known: Option<Error>) -> Result<bool> {
        container.stretches = match self.spool.take() {
            Some(tape) => {
                let stretches = Stretches::of_stream(tape.read(usize::MAX, true), true, self.course.budget.pace(), 0);
                stretches.map_err(|error| Error::io(container.input.place(), error))?
            }
            None => self.open_again(&container)?,
        };
        let failed = match self.stretches(&mut container)? {
            Ended::Container(failed) => failed,
            Ended::Run | Ended::Memory => return Ok(false),
        };
        match failed {
            // The others have been compared with it.
            Some(error) if known.is_none() => Err(error),
            failed => self.end_container(container, failed.or(known)),
        }
    }

    /// What is left of a container that is open.
    fn open_again(&self, container: &Container) -> Result<Stretches> {
        let (reading, pace) = (self.course.reading, self.course.budget.pace());
        let Container { input, source, lines, .. } = container;
        again(input, source, &reading.fields, (lines.offset, lines.stretches), reading.keeps_broken(), pace)
    }
}
