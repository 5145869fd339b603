//! The threads that all parallel work of a run is done by.

use std::sync::OnceLock;
use std::thread::available_parallelism;

/// The threads of a run, started when the first work comes that is worth it. All parallel work runs on them.
#[derive(Debug)]
pub struct Threads {
    count: usize,
    pool: OnceLock<rayon::ThreadPool>,
}

impl Threads {
    /// So many threads; 0: as many as there are cores.
    pub fn new(count: usize) -> Self {
        Self { count, pool: OnceLock::new() }
    }

    /// Does some work on them.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
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
