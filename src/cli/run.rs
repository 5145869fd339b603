//! The frame of every command that plans documents: progress, what is left out, what fails, the sums.

use super::args::Common;
use super::inputs::Inputs;
use super::progress::Progress;
use super::terminal::Terminal;
use std::io;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use unecho::apply::{Outputs, Shape, Target};
use unecho::report::{Stats, Tally, Told, counted};
use unecho::runner::{self, Budget, Course, OnError, Outcome, Part, Portion, Reading};
use unecho::source::text::looks_like;
use unecho::source::{Fault, Fields, Form, Found, Identity, Input, Origin};
use unecho::threads::Threads;
use unecho::{Error, Place, Result};

/// What a command is run with.
pub(super) struct Frame<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) common: &'a Common,
    pub(super) terminal: &'a Terminal,
    pub(super) threads: &'a Threads,
    pub(super) budget: &'a Budget,
    /// Whether outputs may have another form than their inputs.
    pub(super) is_converted: bool,
    /// Whether it is recorded what is cut.
    pub(super) is_recorded: bool,
    /// Whether they are tables.
    pub(super) becomes_table: bool,
    /// Whether results go to standard output as they come.
    pub(super) results_on_stdout: bool,
    /// Whether results are about lines of files.
    pub(super) by_lines: bool,
    /// The file that a report goes to.
    pub(super) report: Option<Identity>,
    /// Whether what was found counts, if only as left out; an error says why it mustn't be read.
    pub(super) admit: &'a (dyn Fn(&Found) -> Result<bool> + Sync),
    /// Ends the run early.
    pub(super) stop: &'a AtomicBool,
}

/// How a run ended.
pub(super) struct Ended {
    pub(super) tally: Tally,
    pub(super) took: Duration,
    /// Whether anything was read, if only to find no document in it.
    pub(super) is_any_read: bool,
    /// Whoever read standard output went away; nobody wants to hear more.
    pub(super) is_unheard: bool,
}

impl<'a> Frame<'a> {
    /// That of a command that reports to standard output and writes nothing else.
    pub(super) fn of_report(
        inputs: &'a Inputs<'a>,
        common: &'a Common,
        terminal: &'a Terminal,
        threads: &'a Threads,
        budget: &'a Budget,
        stop: &'a AtomicBool,
    ) -> Self {
        Self {
            inputs,
            common,
            terminal,
            threads,
            budget,
            is_converted: false,
            is_recorded: false,
            becomes_table: false,
            results_on_stdout: true,
            by_lines: false,
            report: Identity::of_regular(&io::stdout()),
            admit: &|_| Ok(true),
            stop,
        }
    }
}

impl Frame<'_> {
    /// Plans every document. `work` makes something of each portion, in any order; `batch` gets what it made, in order, and adds
    /// what is said about it to the sums. What is said about the stretches of an input waits for its end, since it may be left out
    /// as a whole, and is about at most so many blocks of a text.
    pub(super) fn run<T: Send>(
        &self,
        work: impl Fn(Portion) -> Result<(T, Told)> + Sync,
        most: usize,
        mut batch: impl FnMut(Vec<(T, Told)>, &mut Tally) -> Result<()>,
    ) -> Result<Ended> {
        let started = Instant::now();
        let mut tally = Tally { only_tidied: self.common.settings().only_tidies, ..Tally::default() };
        let progress = Progress::start(self.terminal.bar(self.results_on_stdout), "document");
        let settings = self.common.settings();
        let (in_stretches, keeps_places, by_lines) = (self.is_converted, self.is_recorded, self.by_lines);
        let mut reading = Reading { in_stretches, keeps_places, by_lines, ..self.common.reading() };
        if self.becomes_table && reading.on_error == OnError::Keep {
            reading.on_error = OnError::Drop; // what is broken has no place in a table
        }
        let (budget, threads, stop) = (self.budget, self.threads, self.stop);
        let course = Course { settings: &settings, reading: &reading, budget, threads, stop };
        let each = |mut portion: Portion| {
            progress.add(portion.begun(), portion.extent.len());
            let remarks = self.remarks(&mut portion, &reading.fields);
            if let Some(hint) = remarks.hint.filter(|_| !settings.tidy.is_none()) {
                return Err(Error::refused(
                    remarks.place,
                    format!("{hint}, --from text for text: repairs may break it otherwise"),
                ));
            }
            let part = portion.part;
            work(portion).map(|(made, told)| (made, told, part, remarks))
        };
        let mut waiting = Told::default();
        let mut is_any_read = false;
        let mut faults = Faults { place: None, count: 0, terminal: self.terminal };
        let admitted = |found| match (self.admit)(&found) {
            Ok(counts) => counts.then_some(found),
            Err(error) => Some(Found::Failed(error)),
        };
        let found = self.inputs.found(self.report)?.filter_map(admitted);
        let ended = runner::run(found, course, each, |outcomes| {
            if let [Outcome::Notice(words)] = outcomes.as_slice() {
                self.terminal.say(words);
                return Ok(());
            }
            let mut done = Vec::with_capacity(outcomes.len());
            for outcome in outcomes {
                let Some((made, told, part, remarks)) = self.note(outcome, &mut tally, &faults)? else { continue };
                is_any_read = true;
                if let Some(hint) = remarks.hint {
                    self.terminal.warn(&Error::refused(remarks.place.clone(), hint).to_string());
                }
                if let Some(error) = remarks.broken {
                    tally.failed += 1;
                    self.terminal.error(&Error::io(remarks.place.clone(), error));
                }
                tally.broken_records += remarks.faults.len() as u64;
                tally.failed += u64::from(faults.name(remarks.place, remarks.record, remarks.faults));
                let told = match part {
                    Part::Whole => told,
                    Part::Stretch => {
                        waiting.append(told, most);
                        Told::default()
                    }
                    Part::End => std::mem::take(&mut waiting).in_order(most),
                };
                done.push((made, told));
            }
            if done.is_empty() {
                waiting = Told::default(); // an input of which nothing more comes has failed
            }
            batch(done, &mut tally)
        });
        drop(progress);
        faults.end();
        let is_unheard = match ended {
            Err(error) if error.is_end_of_reader() => true,
            Err(error) => return Err(self.ended_there(error)),
            Ok(()) => false,
        };
        Ok(Ended { tally, took: started.elapsed(), is_any_read, is_unheard })
    }

    /// The error that a run ends with that met this one: where documents are compared with one another, others weren't read for it.
    pub(super) fn ended_there(&self, error: Error) -> Error {
        if !self.common.is_across() || self.results_on_stdout || self.inputs.is_single() {
            return error;
        }
        self.terminal.error(&error);
        let why = "ended there: what comes later would have been compared with a document that is in no output";
        Error::refused(self.inputs.in_words(), why)
    }

    /// What is to be said of a portion.
    fn remarks(&self, portion: &mut Portion, fields: &Fields) -> Remarks {
        let Input { from, form, .. } = portion.input;
        let is_by_default = *form == Form::Text && !matches!(from, Origin::Walked(_)) && self.common.form().is_none();
        let broken = portion.source.broken().filter(|_| portion.is_first);
        Remarks {
            place: portion.input.place(),
            broken: broken.map(|error| io::Error::new(error.kind(), error.to_string())),
            hint: if is_by_default && portion.is_first { hint(&portion.bytes, fields) } else { None },
            record: portion.input.form.record(),
            faults: std::mem::take(&mut portion.faults),
        }
    }

    /// Counts an outcome that gave nothing, and says why where that is wanted.
    fn note<T>(&self, outcome: Outcome<T>, tally: &mut Tally, faults: &Faults) -> Result<Option<T>> {
        match outcome {
            Outcome::Done(done) => return Ok(Some(done)),
            Outcome::Notice(words) => self.terminal.say(&words),
            Outcome::LeftOut(path, why) => {
                tally.leave_out(why);
                self.terminal.left_out(&path, why);
            }
            Outcome::Failed(error) if error.is_end_of_reader() => return Err(error),
            Outcome::Failed(error) => {
                let is_counted = faults.place.as_ref() == Some(&error.place); // by a broken record of it
                tally.failed += u64::from(!is_counted);
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
            return Outputs::new(&Target::Stdout, self.inputs.paths(), Shape::default()).map(Some);
        }
        outputs.beside(path, self.inputs.paths(), self.common.form()).map(Some)
    }
}

/// What is to be said of a portion, whatever is made of it.
struct Remarks {
    place: Place,
    /// Why it breaks off.
    broken: Option<io::Error>,
    /// What a record of it is called.
    record: &'static str,
    /// Its broken records.
    faults: Vec<(u64, Fault)>,
    /// It was taken for text, which no flag asked for, and looks like something else.
    hint: Option<&'static str>,
}

/// What is said of a text that looks like something else.
fn hint(text: &[u8], fields: &Fields) -> Option<&'static str> {
    match looks_like(text, fields)? {
        Form::Jsonl => Some("looks like JSONL and was taken for text: --from jsonl takes it for records"),
        Form::Feed => Some("looks like a feed and was taken for text: --from feed takes it for one"),
        Form::Html => Some("looks like a page and was taken for text: --from html takes it for one"),
        Form::Text | Form::Warc | Form::Parquet => None,
    }
}

/// So many broken records of a file are named; the others are counted.
const NAMED_FAULTS: u64 = 10;

/// The broken records of the file that is under way.
struct Faults<'a> {
    place: Option<Place>,
    count: u64,
    terminal: &'a Terminal,
}

impl Faults<'_> {
    /// Names some more of them; whether they are the first of their file.
    fn name(&mut self, place: Place, record: &'static str, records: Vec<(u64, Fault)>) -> bool {
        if records.is_empty() {
            return false;
        }
        let is_first = self.place.as_ref() != Some(&place);
        if is_first {
            self.end();
            self.place = Some(place.clone());
        }
        for (number, fault) in records {
            self.count += 1;
            if self.count <= NAMED_FAULTS {
                self.terminal.error(&Error::record(place.clone(), record, number, &fault));
            }
        }
        is_first
    }

    fn end(&mut self) {
        let more = self.count.saturating_sub(NAMED_FAULTS);
        if let Some(place) = self.place.take().filter(|_| more > 0) {
            self.terminal.error(&Error::refused(place, format!("{} more", counted(more, "broken record"))));
        }
        self.count = 0;
    }
}

impl Ended {
    /// What is still to be written once all is read, unless nobody wants to hear it.
    pub(super) fn then(mut self, write: impl FnOnce(&Tally) -> Result<()>) -> Result<Self> {
        if !self.is_unheard {
            match write(&self.tally) {
                Err(error) if error.is_end_of_reader() => self.is_unheard = true,
                written => written?,
            }
        }
        Ok(self)
    }

    /// Whether there was nothing to read, nor anything that couldn't be.
    pub(super) fn found_nothing(&self) -> bool {
        !self.is_any_read && self.tally.failed == 0
    }

    /// Writes the sums.
    pub(super) fn write_stats(&self, to: Option<&Outputs>) -> Result<()> {
        let Some(outputs) = to else { return Ok(()) };
        let stats = Stats { tally: &self.tally, seconds: self.took.as_secs_f64() };
        let mut json = serde_json::to_vec_pretty(&stats).expect("numbers and names are JSON");
        json.push(b'\n');
        outputs.put(&json)
    }
}
