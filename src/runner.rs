//! The one place where documents run in parallel: an order-preserving map over batches of inputs.
//!
//! Inputs are numbered by their order before anything runs, and outcomes come out in that order, whichever thread was first.

use crate::error::{Error, Result, What};
use crate::source::{Found, Input, LeftOut, Loaded, Source, load};
use crate::{Plan, Settings};
use rayon::prelude::*;
use std::path::PathBuf;
use std::sync::OnceLock;

/// What became of something the walk came upon.
pub enum Outcome<T> {
    /// It was planned, and this was made of the plan.
    Done(T),
    /// It is not read, on purpose.
    LeftOut(PathBuf, LeftOut),
    /// It could not be read or written.
    Failed(Error),
}

/// An input smaller than this shares its batch with others; a larger one has all threads for itself, which also bounds the
/// memory: a batch holds [`BATCH_BYTES`] or one document.
const LARGE: u64 = 4 << 20;
const BATCH_BYTES: u64 = 32 << 20;
/// Enough for a thread's work to be even, few enough for their outputs to be temporary files at the same time.
const BATCH_INPUTS: usize = 2048;
/// An input alone and up to this size is done before a thread would have started. (It has at most 2^16 paragraphs, the
/// number from which on the index is built in parallel.)
const ALONE: usize = 1 << 17;

/// Plans the documents of `found` with `threads` threads (0: as many as there are cores).
///
/// `work` makes something of each plan, in any order; `batch` gets what it made, in order, batch by batch.
///
/// # Errors
/// The first that `batch` gives; nothing more is read then.
pub fn run<T: Send>(
    found: impl Iterator<Item = Found>,
    settings: &Settings,
    threads: usize,
    work: impl Fn(&Input, &Source, &Plan) -> Result<T> + Sync,
    mut batch: impl FnMut(Vec<Outcome<T>>) -> Result<()>,
) -> Result<()> {
    let pool = Threads { count: threads, pool: OnceLock::new() };
    let one = |found: Found| match found {
        Found::Input(input) => finish(&input, settings, &pool, &work),
        Found::LeftOut(path, why) => Outcome::LeftOut(path, why),
        Found::Failed(error) => Outcome::Failed(error),
    };
    for group in (Batches { found, waiting: None }) {
        batch(match group.len() {
            0 | 1 => group.into_iter().map(one).collect(),
            _ => pool.run(|| group.into_par_iter().map(one).collect()),
        })?;
    }
    Ok(())
}

fn finish<T: Send>(
    input: &Input,
    settings: &Settings,
    pool: &Threads,
    work: &(impl Fn(&Input, &Source, &Plan) -> Result<T> + Sync),
) -> Outcome<T> {
    let made = || {
        let Loaded::Source(source) = load(input)? else { return Ok(None) };
        let plan = || Plan::new(&input.form.document(&source), settings);
        let plan = if source.len() <= ALONE || rayon::current_thread_index().is_some() { plan() } else { pool.run(plan) };
        let plan = plan.map_err(|what| Error { path: input.path().into(), what: What::TooLarge(what) })?;
        source.ensure_unchanged(input)?;
        work(input, &source, &plan).map(Some)
    };
    match made() {
        Ok(Some(done)) => Outcome::Done(done),
        Ok(None) => Outcome::LeftOut(input.path().into(), LeftOut::Binary),
        Err(error) => Outcome::Failed(error),
    }
}

/// The threads, started when the first work comes that is worth it.
struct Threads {
    count: usize,
    pool: OnceLock<rayon::ThreadPool>,
}

impl Threads {
    fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        let start = || rayon::ThreadPoolBuilder::new().num_threads(self.count).build().expect("the system starts threads");
        self.pool.get_or_init(start).install(work)
    }
}

struct Batches<I> {
    found: I,
    /// A large input that ended the last batch.
    waiting: Option<Found>,
}

impl<I: Iterator<Item = Found>> Iterator for Batches<I> {
    type Item = Vec<Found>;

    fn next(&mut self) -> Option<Vec<Found>> {
        let mut group: Vec<Found> = self.waiting.take().into_iter().collect();
        let mut bytes = 0;
        while group.len() < BATCH_INPUTS && bytes < BATCH_BYTES && !group.first().is_some_and(is_large) {
            let Some(found) = self.found.next() else { break };
            if is_large(&found) && !group.is_empty() {
                self.waiting = Some(found);
                break;
            }
            bytes += size(&found);
            group.push(found);
        }
        (!group.is_empty()).then_some(group)
    }
}

fn size(found: &Found) -> u64 {
    if let Found::Input(input) = found { input.size } else { 0 }
}

fn is_large(found: &Found) -> bool {
    size(found) >= LARGE
}
