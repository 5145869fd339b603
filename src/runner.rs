//! The one place where documents run in parallel: an order-preserving map over batches of inputs.
//!
//! Inputs are numbered by their order before anything runs, and outcomes come out in that order, whichever thread was first.

use crate::error::{Error, Result, What};
use crate::source::{Found, Input, LeftOut, Loaded, Source, load};
use crate::{Plan, Settings};
use rayon::prelude::*;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;

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

/// How a run goes about its documents.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// What counts as a repeat.
    pub settings: &'a Settings,
    /// The number of threads; 0: as many as there are cores.
    pub threads: usize,
    /// Once it is set, nothing more is read, and what a batch has made by then is dropped.
    pub stop: &'a AtomicBool,
}

/// Plans the documents of `found`.
///
/// `work` makes something of each plan, in any order; `batch` gets what it made, in order, batch by batch. What was made of a
/// document that changed meanwhile is dropped, and so is any other failure of its: what the system says of bytes that vanish
/// while they are written puts the blame on the output.
///
/// # Errors
/// The first that `batch` gives; nothing more is read then.
pub fn run<T: Send>(
    found: impl Iterator<Item = Found>,
    course: Course,
    work: impl Fn(&Input, &Source, &Plan) -> Result<T> + Sync,
    mut batch: impl FnMut(Vec<Outcome<T>>) -> Result<()>,
) -> Result<()> {
    let pool = Threads { count: course.threads, pool: OnceLock::new() };
    let is_stopped = || course.stop.load(Ordering::Relaxed);
    let one = |found: Found| match found {
        _ if is_stopped() => None,
        Found::Input(input) => Some(finish(&input, course.settings, &pool, &work)),
        Found::LeftOut(path, why) => Some(Outcome::LeftOut(path, why)),
        Found::Failed(error) => Some(Outcome::Failed(error)),
    };
    for group in (Batches { found, waiting: None }) {
        let outcomes: Option<Vec<_>> = match group.len() {
            0 | 1 => group.into_iter().map(one).collect(),
            _ => pool.run(|| group.into_par_iter().map(one).collect()),
        };
        match outcomes {
            Some(outcomes) if !is_stopped() => batch(outcomes)?,
            _ => break,
        }
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
        let plan_and_work = || {
            let plan = Plan::new(&input.form.document(&source), settings);
            work(input, &source, &plan.map_err(|what| Error { place: input.place(), what: What::TooLarge(what) })?)
        };
        let is_small = source.len() <= ALONE || rayon::current_thread_index().is_some();
        let made = if is_small { plan_and_work() } else { pool.run(plan_and_work) };
        match source.ensure_unchanged(input) {
            Err(changed) if !matches!(made, Err(Error { what: What::Changed { .. }, .. })) => Err(changed),
            _ => made.map(Some),
        }
    };
    match made() {
        Ok(Some(done)) => Outcome::Done(done),
        Ok(None) => Outcome::LeftOut(input.path().into(), LeftOut::Binary),
        Err(error) => Outcome::Failed(error),
    }
}

/// The threads, started when the first work comes that is worth it. All parallel work runs on them.
struct Threads {
    count: usize,
    pool: OnceLock<rayon::ThreadPool>,
}

impl Threads {
    fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.get_or_init(|| start(self.count)).install(work)
    }
}

/// A pool of `count` threads, or of fewer where the system doesn't allow so many; at the least this thread alone.
fn start(count: usize) -> rayon::ThreadPool {
    let wanted = if count == 0 { available_parallelism().map_or(1, |cores| cores.get()) } else { count };
    let halves = std::iter::successors(Some(wanted), |&count| (count > 1).then_some(count / 2));
    halves.map(|count| rayon::ThreadPoolBuilder::new().num_threads(count)).find_map(|pool| pool.build().ok()).unwrap_or_else(
        || {
            let alone = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
            alone.build().expect("a pool of this thread alone starts none, and no pool holds it yet")
        },
    )
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
