//! What memory doesn't hold comes twice: first to be gathered on disk, then, when it is known what repeats, to be planned. What was
//! done before stays done.

use super::batches::{Batch, Batches, Unpacking, is_streamed};
use super::container::{Container, Ended};
use super::lots::Lot;
use super::small::{Apart, all_apart};
use super::{Outcome, Portion, Run, Way};
use crate::error::{Error, Place, Result, megabytes, megabytes_up};
use crate::scratch::{Scratch, Tape, free};
use crate::source::{Found, Input, LeftOut, Stretches, again, texts_of};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Something that comes twice, unless it can't.
fn unless_pipe(found: Found) -> Found {
    match found {
        // Only of what isn't a file the size is unknown, or of what is empty.
        Found::Input(input) if input.size == 0 && !fs::metadata(input.path()).is_ok_and(|metadata| metadata.is_file()) => {
            let why = "isn't a file, and from here on memory doesn't hold all, so that all is read twice; name it first, or write it to a file";
            Found::Failed(Error::refused(input.place(), why))
        }
        found => found,
    }
}

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
    /// Does the rest of a run: what is left of a container that is under way, and what comes later.
    pub(super) fn twice(mut self, begun: Option<Box<Container>>, later: Batches<impl Iterator<Item = Found>>) -> Result<()> {
        let course = self.course;
        let unpacking = later.unpacking();
        let later: Vec<Found> = later.rest().map(unless_pipe).collect();
        let folder = course.budget.folder();
        if !self.say_what_it_takes(&folder, begun.as_deref(), &later, unpacking)? {
            return Ok(());
        }
        let scratch = Scratch::new(&folder)?;
        self.spill(&scratch)?;

        let begun = match begun {
            None => None,
            Some(container) => match self.gather_rest(container, &scratch, later.is_empty())? {
                Gathered::Container(container, failed) => Some((container, failed)),
                Gathered::Nothing => None,
                Gathered::Run => return Ok(()),
            },
        };
        let mut batches = Batches::new(later.into_iter(), &course);
        while let Some(batch) = batches.next() {
            match self.gather(batch)? {
                Way::On => {}
                Way::Again(batch) => batches.again(batch),
                Way::End | Way::Twice(_) => return Ok(()),
            }
        }
        let compared = self.compared();
        let settled = course.threads.run(|| compared.corpus.settle(course.budget.corpus() / 2, course.stop));
        settled.map_err(|stuck| stuck.at(Place::Path(folder.clone())))?;
        if course.stop.load(Ordering::Relaxed) {
            return Ok(());
        }

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
            let mut batches = Batches::new(first.into_iter().chain(others), &course);
            while let Some(batch) = batches.next() {
                match self.batch(batch)? {
                    Way::On => {}
                    Way::Again(batch) => batches.again(batch),
                    Way::End | Way::Twice(_) => return Ok(()),
                }
            }
        }
        self.hand_on(vec![Outcome::Notice(format!("temporary files took {}", megabytes_up(scratch.size())))])?;
        self.end()
    }

    /// Says how much disk it will take, and makes sure that it is there; false if the run is to end.
    fn say_what_it_takes(
        &mut self,
        folder: &Path,
        begun: Option<&Container>,
        later: &[Found],
        unpacking: Unpacking,
    ) -> Result<bool> {
        let inputs = || later.iter().filter_map(|found| if let Found::Input(input) = found { Some(input) } else { None });
        let fields = &self.course.reading.fields;
        let size = |input: &Input| texts_of(input, fields).unwrap_or_else(|| unpacking.size(input));
        let bytes = begun.map_or(0, |container| container.left(size(&container.input))) + inputs().map(size).sum::<u64>();
        let needed = self.compared().corpus.expected_on_disk(bytes);
        let free = free(folder)?;
        if free < needed {
            let why = format!(
                "temporary files take about {} there, and {} are free; --temp-dir names another folder, --memory allows more memory",
                megabytes_up(needed),
                megabytes(free)
            );
            return Err(Error::refused(folder, why));
        }
        let (memory, folder) = (megabytes(self.course.budget.memory), folder.display());
        let first = begun.map(|container| &container.input).or(inputs().next());
        let from = first.map_or(Place::Text, Input::place);
        let said = if begun.is_some_and(Container::is_spooled) {
            format!(
                "{from} is more than {memory} of memory hold; the rest of it goes to temporary files in {folder} and is read from there"
            )
        } else {
            format!(
                "more than {memory} of memory hold: from {from} on all is read twice, with about {} of temporary files in {folder}",
                megabytes_up(needed)
            )
        };
        self.hand_on(vec![Outcome::Notice(said)])
    }

    /// Moves what is in memory to disk.
    fn spill(&mut self, scratch: &Arc<Scratch>) -> Result<()> {
        let course = self.course;
        let compared = self.compared();
        let spilled = course.threads.run(|| compared.corpus.spill(scratch));
        spilled.map_err(|stuck| stuck.at(Place::Request("all documents so far".into())))?;
        // What was hashed now is what was compared before, and need not stay as it is.
        self.kept.iter().try_for_each(|watch| watch.ensure_unchanged())?;
        self.kept.drain(..).for_each(|watch| watch.let_go(0..u64::MAX));
        self.used.clear();
        Ok(())
    }

    /// Gathers the rest of a container.
    fn gather_rest(&mut self, mut container: Box<Container>, scratch: &Arc<Scratch>, is_last: bool) -> Result<Gathered> {
        let course = self.course;
        let lines = container.lines;
        if container.is_spooled() {
            self.spool = Some(Tape::new(scratch));
        } else if container.source.is_mapped() {
            container.waiting.clear();
            container.stretches = self.open_again(&container)?;
            container.source.watch().let_go(0..u64::MAX);
        }
        let failed = match self.stretches(&mut container)? {
            Ended::Container(failed) => failed,
            Ended::Run | Ended::Memory => return Ok(Gathered::Run),
        };
        let compared = self.compared();
        match failed {
            None => compared.corpus.end_input().map_err(|stuck| stuck.at(container.input.place()))?,
            Some(error) if is_last => {
                container.lines = lines;
                return Ok(Gathered::Container(container, Some(error)));
            }
            Some(error) => {
                let mark = container.mark.as_ref().expect("only what is compared takes memory");
                course.threads.run(|| compared.forget(mark))?;
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
        let course = self.course;
        let failed = match self.stretches(&mut container)? {
            Ended::Container(failed) => failed,
            Ended::Run | Ended::Memory => return Ok(None),
        };
        let failed = failed.or_else(|| container.source.ensure_unchanged().err());
        let compared = self.compared();
        match (&failed, &container.mark) {
            (Some(_), Some(mark)) => course.threads.run(|| compared.forget(mark))?,
            _ => compared.corpus.end_input().map_err(|stuck| stuck.at(container.input.place()))?,
        }
        Ok(Some(failed))
    }

    /// Gathers a batch.
    fn gather(&mut self, batch: Batch) -> Result<Way> {
        if self.course.stop.load(Ordering::Relaxed) {
            return Ok(Way::End);
        }
        let [Found::Input(input)] = batch.group.as_slice() else { return self.gather_small(batch) };
        if !is_streamed(input, self.course.reading) {
            return self.gather_small(batch);
        }
        let input = input.clone();
        let found = match self.begin(&input) {
            Ok(Some(container)) => match self.gather_container(container)? {
                Some(failed) => failed.map_or(Found::Input(input), Found::Failed),
                None => return Ok(Way::End),
            },
            Ok(None) => Found::LeftOut(input.path().into(), LeftOut::Binary),
            Err(error) => Found::Failed(error),
        };
        self.again.push(found);
        Ok(Way::On)
    }

    /// Gathers small inputs.
    fn gather_small(&mut self, batch: Batch) -> Result<Way> {
        let course = self.course;
        let taking = self.compared().taking(course.settings);
        let apart = match course.threads.run(|| all_apart::<T>(batch, course, taking)) {
            Ok(apart) => apart,
            Err(batch) => return Ok(Way::Again(batch)),
        };
        for apart in apart {
            let found = match apart {
                Ok(Apart { input, source, sheaf }) => {
                    let corpus = &mut self.compared().corpus;
                    let mut lot = Lot::whole(&input, &source, sheaf);
                    lot.hold(corpus);
                    let entered = course.threads.run(|| corpus.enter(&[lot.entering()], |count| count));
                    entered.map_err(|stuck| stuck.at(input.place()))?;
                    Found::Input(input)
                }
                Err(Outcome::LeftOut(path, why)) => Found::LeftOut(path, why),
                Err(Outcome::Failed(error)) => Found::Failed(error),
                Err(Outcome::Done(_) | Outcome::Notice(_)) => continue,
            };
            self.again.push(found);
        }
        Ok(Way::On)
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
