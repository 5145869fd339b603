//! The frame of every command that plans documents: progress, what is left out, what fails, the sums.

use super::args::{Common, Global};
use super::inputs::Inputs;
use super::progress::Progress;
use super::terminal::Terminal;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use unecho::apply::{Outputs, Target};
use unecho::report::{Stats, Tally};
use unecho::runner::{self, Course, Outcome};
use unecho::source::{Identity, Input, Source};
use unecho::{Error, Place, Plan, Result};

/// What a command is run with.
pub(super) struct Frame<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) common: &'a Common,
    pub(super) global: &'a Global,
    pub(super) terminal: &'a Terminal,
    /// Whether results go to standard output as they come.
    pub(super) results_on_stdout: bool,
    /// The file that a report goes to.
    pub(super) report: Option<Identity>,
    /// Ends the run early.
    pub(super) stop: &'a AtomicBool,
}

/// How a run ended.
pub(super) struct Ended {
    pub(super) tally: Tally,
    pub(super) took: Duration,
    /// Whoever read standard output went away; nobody wants to hear more.
    pub(super) is_unheard: bool,
}

impl Frame<'_> {
    /// Plans every document. `work` makes something of each, in any order; `batch` gets what it made, in order, and adds it to
    /// the sums.
    pub(super) fn run<T: Send>(
        &self,
        work: impl Fn(&Input, &Source, &Plan) -> Result<T> + Sync,
        mut batch: impl FnMut(Vec<T>, &mut Tally) -> Result<()>,
    ) -> Result<Ended> {
        let started = Instant::now();
        let mut tally = Tally::default();
        let progress = Progress::start(self.terminal.bar(self.results_on_stdout));
        let settings = self.common.settings();
        let course = Course { settings: &settings, threads: self.global.threads(), stop: self.stop };
        let counted = |input: &Input, source: &Source, plan: &Plan| {
            progress.add(source.len() as u64);
            work(input, source, plan)
        };
        let ended = runner::run(self.inputs.found(self.report)?, course, counted, |outcomes| {
            let mut done = Vec::with_capacity(outcomes.len());
            for outcome in outcomes {
                done.extend(self.note(outcome, &mut tally)?);
            }
            batch(done, &mut tally)
        });
        drop(progress);
        let is_unheard = match ended {
            Err(error) if error.is_end_of_reader() => true,
            ended => ended.map(|()| false)?,
        };
        Ok(Ended { tally, took: started.elapsed(), is_unheard })
    }

    /// Counts an outcome that gave nothing, and says why where that is wanted.
    fn note<T>(&self, outcome: Outcome<T>, tally: &mut Tally) -> Result<Option<T>> {
        match outcome {
            Outcome::Done(done) => return Ok(Some(done)),
            Outcome::LeftOut(path, why) => {
                tally.leave_out(why);
                self.terminal.left_out(&path, why);
            }
            Outcome::Failed(error) if error.is_end_of_reader() => return Err(error),
            Outcome::Failed(error) => {
                tally.failed += 1;
                self.terminal.error(&error);
            }
        }
        Ok(None)
    }

    /// Where `--stats` asks for the sums to go, checked before anything is read. `outputs` are the run's own.
    pub(super) fn stats(&self, outputs: &Outputs) -> Result<Option<Outputs>> {
        let Some(path) = &self.common.stats else { return Ok(None) };
        if path.as_os_str() == "-" {
            if outputs.are_stdout() {
                return Err(Error::refused(Place::Request("--stats -".into()), "standard output holds the results already"));
            }
            return Outputs::new(&Target::Stdout, self.inputs.paths()).map(Some);
        }
        outputs.beside(path, self.inputs.paths(), self.common.form()).map(Some)
    }
}

impl Ended {
    /// Writes the sums.
    pub(super) fn write_stats(&self, to: Option<&Outputs>) -> Result<()> {
        let Some(outputs) = to else { return Ok(()) };
        let stats = Stats { tally: &self.tally, seconds: self.took.as_secs_f64() };
        let mut json = serde_json::to_vec_pretty(&stats).expect("numbers and names are JSON");
        json.push(b'\n');
        outputs.put(&json)
    }
}
