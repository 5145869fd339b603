//! The threads that all parallel work of a run is done by.

use crate::error::io_reason;
use rayon::prelude::*;
use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{SendError, SyncSender};
use std::thread::{self, JoinHandle, available_parallelism};

/// The threads of a run, started when the first work comes that is worth it. All parallel work runs on them.
#[derive(Debug)]
pub struct Threads {
    count: usize,
    /// `None` where the system starts none.
    pool: OnceLock<Option<rayon::ThreadPool>>,
}

impl Threads {
    /// So many threads; 0: as many as there are cores.
    pub fn new(count: usize) -> Self {
        Self { count, pool: OnceLock::new() }
    }

    /// Does some work on them; where there are none, on the thread that asks.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        if let Some(pool) = self.pool.get_or_init(|| start(self.count)) {
            return pool.install(work);
        }
        if rayon::current_thread_index().is_none() {
            // One that all shared would belong to one of them, and the others would wait until it has time.
            let alone = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
            std::mem::forget(alone.build().expect("a pool of this thread alone starts none, and no pool holds it yet"));
        }
        work()
    }
}

/// A pool of `count` threads, or of fewer where the system doesn't allow so many.
fn start(count: usize) -> Option<rayon::ThreadPool> {
    let wanted = if count == 0 { available_parallelism().map_or(1, |cores| cores.get()) } else { count };
    let halves = std::iter::successors(Some(wanted), |&count| (count > 1).then_some(count / 2));
    halves.map(|count| rayon::ThreadPoolBuilder::new().num_threads(count)).find_map(|pool| pool.build().ok())
}

/// Whether this is one of the threads that parallel work is done by. What is done elsewhere is small, and starts none.
pub(crate) fn is_one() -> bool {
    rayon::current_thread_index().is_some()
}

/// From so many things on all threads work on them.
const MANY: usize = 4096;

fn is_worth_it(count: usize) -> bool {
    count >= MANY && is_one()
}

/// Goes over things, by all threads if there are many.
pub(crate) fn in_parts<T: Send>(things: &mut [T], each: impl Fn(&mut [T]) + Sync + Send) {
    if !is_worth_it(things.len()) {
        return each(things);
    }
    things.par_chunks_mut(things.len().div_ceil(rayon::current_num_threads())).for_each(each);
}

/// Those of the first numbers that are wanted, in order; found by all threads if there are many.
pub(crate) fn wanted(count: usize, is_wanted: impl Fn(&usize) -> bool + Sync + Send) -> Vec<usize> {
    if !is_worth_it(count) {
        return (0..count).filter(is_wanted).collect();
    }
    (0..count).into_par_iter().with_min_len(MANY).filter(is_wanted).collect()
}

/// A sum over the first numbers, by all threads if there are many.
pub(crate) fn sum(count: usize, each: impl Fn(usize) -> u64 + Sync + Send) -> u64 {
    if !is_worth_it(count) {
        return (0..count).map(each).sum();
    }
    (0..count).into_par_iter().with_min_len(MANY).map(each).sum()
}

/// A thread beside them, for what waits rather than works.
///
/// # Errors
/// If the system starts none.
pub(crate) fn beside<R: Send + 'static>(name: &str, work: impl FnOnce() -> R + Send + 'static) -> io::Result<JoinHandle<R>> {
    let why = |error: io::Error| format!("the system starts no thread as its {name}: {}", io_reason(&error));
    thread::Builder::new().name(name.into()).spawn(work).map_err(|error| io::Error::new(error.kind(), why(error)))
}

/// Sends something that takes so many places in a channel, and at least one: `nothing` takes the others. So a channel that is bounded
/// in places is bounded in bytes.
pub(crate) fn send<T>(sender: &SyncSender<T>, thing: T, places: usize, nothing: impl Fn() -> T) -> Result<(), SendError<T>> {
    sender.send(thing)?;
    (1..places).try_for_each(|_| sender.send(nothing()))
}
