//! A container that comes in stretches.

use super::lots::{Lines, Lot, plan_lots, taking};
use super::{Outcome, Portion, Rest, Run, Way, keep, until_failed};
use crate::corpus::Mark;
use crate::error::{Error, Result, Stuck, What};
use crate::sheaf::{Sheaf, Unreadable};
use crate::source::{
    Form, Input, LeftOut, Loaded, Origin, Packing, Source, Stretch, Stretches, can_be_mapped, if_it_may_break, load, open,
};
use std::ops::Range;
use std::sync::atomic::Ordering;

/// What is so many stretches back is written by now.
const WRITTEN_BEHIND: u64 = 4;

/// A container under way.
pub(super) struct Container {
    pub(super) input: Input,
    pub(super) source: Source,
    pub(super) stretches: Stretches,
    /// Stretches that are read and not done.
    pub(super) waiting: Vec<Stretch>,
    /// How far it is done.
    pub(super) lines: Lines,
    /// What went by unread and isn't let go of yet.
    pub(super) passed: Vec<Range<u64>>,
    /// What there was before it.
    pub(super) mark: Option<Mark>,
    /// What kept more of it from coming, if what came counts.
    pub(super) broken: Option<Error>,
}

impl Container {
    /// Whether it can't be opened a second time, if it must come twice.
    pub(super) fn is_spooled(&self) -> bool {
        self.input.form.has_lines() && (self.input.from == Origin::Stdin || !self.source.is_file())
    }
}

impl Container {
    /// About how many bytes of it are still to come, of so many: the file tells how far a packed one is read.
    pub(super) fn left(&self, of: u64) -> u64 {
        let done = self.lines.offset;
        let packed = (self.source.packing() != Packing::Plain).then(|| self.source.read_so_far()).flatten();
        match packed {
            Some(read) if read > 0 => {
                let left = self.input.size.saturating_sub(read);
                (u128::from(left) * u128::from(done) / u128::from(read)) as u64
            }
            _ => of.saturating_sub(done),
        }
    }
}

/// Why no more stretches are done.
pub(super) enum Ended {
    /// There are none, or something is wrong with one.
    Container(Option<Error>),
    /// Something asked for the end of the run.
    Run,
    /// Memory doesn't hold the next one.
    Memory,
}

impl<T: Send, W: Fn(Portion) -> Result<T> + Sync, B: FnMut(Vec<Outcome<T>>) -> Result<()>> Run<'_, W, B> {
    /// Plans a container, or as much of it as memory holds.
    pub(super) fn container(&mut self, input: Input) -> Result<Way> {
        let mut container = match self.begin(&input) {
            Ok(Some(container)) => container,
            Ok(None) if self.is_spilled() => return Err(Stuck::Changed(0).at(input.place())),
            Ok(None) => return self.hand_on(vec![Outcome::LeftOut(input.path().into(), LeftOut::Binary)]).map(Way::on_if),
            Err(error) if self.is_spilled() => return Err(error),
            Err(error) => return self.hand_on(vec![Outcome::Failed(error)]).map(Way::on_if),
        };
        match self.stretches(&mut container)? {
            Ended::Run => Ok(Way::End),
            Ended::Memory => Ok(Way::Twice(Rest::Container(Box::new(container)))),
            // The others have been compared with what doesn't come a second time.
            Ended::Container(Some(error)) if self.is_spilled() => Err(error),
            Ended::Container(failed) => self.end_container(container, failed).map(Way::on_if),
        }
    }

    /// Opens a container; `None` if it was found and is binary.
    pub(super) fn begin(&mut self, input: &Input) -> Result<Option<Container>> {
        self.course.ensure_repairable(input, &[])?;
        let Some((source, stretches)) = self.open(input)? else { return Ok(None) };
        if let Some(compared) = self.corpus.as_mut().filter(|_| source.packing() != Packing::Plain) {
            compared.corpus.limit(self.course.budget.corpus_beside_packing());
        }
        let mark = self.corpus.as_ref().map(|compared| compared.corpus.mark());
        let (input, lines) = (input.clone(), Lines { offset: 0, next: 1, stretches: 0, is_begun: false });
        Ok(Some(Container { input, source, stretches, waiting: Vec::new(), lines, passed: Vec::new(), mark, broken: None }))
    }

    fn open(&self, input: &Input) -> Result<Option<(Source, Stretches)>> {
        let (keeps_broken, pace) = (self.course.reading.keeps_broken(), self.course.budget.pace());
        // What is mapped and read once stays in memory.
        let is_read = !can_be_mapped()
            || !input.form.has_lines()
            || input.from == Origin::Stdin
            || input.packing != Packing::Plain
            || input.size == 0
            || self.is_spilled();
        if is_read {
            return open(
                input,
                &self.course.reading.fields,
                keeps_broken,
                pace,
                &self.course.budget.folder(),
                self.corpus.is_some(),
            );
        }
        let Loaded::Source(source) = load(input, keeps_broken, u64::MAX)? else { return Ok(None) };
        let stretches = Stretches::of_bytes(source.bytes().clone());
        Ok(Some((source, stretches)))
    }

    /// Does the stretches of a container one after the other.
    pub(super) fn stretches(&mut self, container: &mut Container) -> Result<Ended> {
        loop {
            let begins = container.lines.offset;
            container.passed.drain(..).for_each(|bytes| container.source.watch().let_go(bytes));
            let mut next = Ok(std::mem::take(&mut container.waiting));
            if next.as_ref().is_ok_and(Vec::is_empty) {
                next = container.stretches.next(self.course.budget.stretch(), self.course.stop);
            }
            let stretches = match next {
                Ok(stretches) if !stretches.is_empty() => stretches,
                Ok(_) => return Ok(Ended::Container(None)),
                Err(error) => {
                    let place = container.input.place();
                    // Of a table nothing is written without its end.
                    if container.input.form == Form::Parquet {
                        return Ok(Ended::Container(Some(Error::io(place, error))));
                    }
                    if !self.course.reading.keeps_broken() {
                        return Ok(Ended::Container(Some(Error::io(place, if_it_may_break(error)))));
                    }
                    container.broken = Some(Error::io(place, error));
                    return Ok(Ended::Container(None));
                }
            };
            if let Some(compared) = &self.corpus
                && !compared.corpus.is_spilled()
                && compared.corpus.is_full_with(stretches.iter().map(|stretch| stretch.bytes.len() as u64).sum())
            {
                container.waiting = stretches;
                return Ok(Ended::Memory);
            }
            if let Some(spool) = self.spool.as_mut().filter(|_| container.is_spooled()) {
                stretches.iter().try_for_each(|stretch| spool.put(&stretch.bytes))?;
            }
            let (done, failed) = match self.batch_of(container, stretches) {
                Ok(done) => done,
                Err(Stuck::TooLarge(what)) if !self.is_spilled() => {
                    (Vec::new(), Some(Error::too_large(container.input.place(), what)))
                }
                Err(stuck) => return Err(stuck.at(container.input.place())),
            };
            let goes_on = match self.is_gathering() {
                true => !self.course.stop.load(Ordering::Relaxed),
                false => self.hand_on(done)?,
            };
            if !goes_on {
                return Ok(Ended::Run);
            }
            if failed.is_some() {
                return Ok(Ended::Container(failed));
            }
            if self.corpus.is_none() {
                // What waits to be written would come again, and stay.
                let written = |offset: u64| offset.saturating_sub(WRITTEN_BEHIND * self.course.budget.stretch() as u64);
                container.source.watch().let_go(written(begins)..written(container.lines.offset));
            }
        }
    }

    /// What came of some stretches, and the error that ends the container there.
    fn batch_of(
        &mut self,
        container: &mut Container,
        stretches: Vec<Stretch>,
    ) -> std::result::Result<(Vec<Outcome<T>>, Option<Error>), Stuck> {
        let Self { course, work, corpus, used, .. } = self;
        let (work, course) = (&*work, *course);
        let Container { input, source, lines, passed, .. } = container;
        course.threads.run(|| {
            let taking = taking(corpus.as_ref(), course.settings);
            let mut lots = match lines.lots(input, source, stretches, course, taking, used) {
                Ok(lots) => lots,
                Err(error) => return Ok((Vec::new(), Some(error))),
            };
            passed.extend(lots.iter().filter_map(Lot::passed));
            if let Some(compared) = corpus {
                // What holds no document is compared with none.
                for lot in lots.iter_mut().filter(|lot| !lot.sheaf.documents.is_empty()) {
                    lot.hold(&mut compared.corpus);
                }
            }
            let mut failed = None;
            if !course.reading.keeps_broken()
                && let Some(at) = lots.iter().position(|lot| !lot.sheaf.faults.is_empty())
            {
                // What precedes the fault may have a reader already.
                lots.truncate(at + 1);
                let lot = &mut lots[at];
                let (line, extent, fault) = lot.sheaf.faults.swap_remove(0);
                failed = fault.map(|fault| input.ended_by_record(lot.line + line, &fault));
                lot.truncate(extent.start);
                lot.read(course, taking, lot.offset == 0).map_err(|why| match why {
                    Unreadable::TooLarge(what) => Stuck::TooLarge(what),
                    Unreadable::Feed(fault) => unreachable!("{fault}: a feed doesn't come in stretches"),
                })?;
            }
            let done = plan_lots(&lots, corpus.as_mut(), course, work)?;
            used.extend(lots.into_iter().map(|lot| lot.sheaf).filter(Sheaf::is_of_use));
            let (done, not_done) = until_failed(done);
            Ok((done, not_done.or(failed)))
        })
    }

    /// Ends a container of which nothing more is to be done; false if the run is to end.
    pub(super) fn end_container(&mut self, container: Container, failed: Option<Error>) -> Result<bool> {
        let Container { input, mut source, lines, mark, broken, .. } = container;
        let has_failed = failed.is_some();
        if let Some(Error { what: What::Io(error), .. }) = &broken {
            source.break_off(error);
        }
        let end = self.ended(&input, &source, &lines, failed);
        if let Some(compared) = &mut self.corpus {
            match &end {
                Outcome::Failed(_) => {
                    if let Some(mark) = &mark {
                        self.course.threads.run(|| compared.forget(mark))?;
                    }
                }
                _ => compared.corpus.end_input().map_err(|stuck| stuck.at(input.place()))?,
            }
            if !self.is_spilled() {
                keep(&source, &mut self.kept);
            }
        }
        match end {
            // It was well when the others were compared with it.
            Outcome::Failed(error) if self.is_spilled() && !has_failed => Err(error),
            Outcome::Failed(error) => self.hand_on(vec![Outcome::Failed(error)]),
            end => {
                let broken = broken.filter(|_| lines.is_begun); // else its end is all of it, and tells of it
                self.hand_on(broken.map(Outcome::Failed).into_iter().chain([end]).collect())
            }
        }
    }
}
