//! A line that moves while a long run is under way, on a terminal only.

use super::terminal::Bar;
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use unecho::report::{bytes, counted};

/// A shorter run shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);
const REDRAW: Duration = Duration::from_millis(100);

/// Counts what is done and shows it, until it is dropped.
pub(super) struct Progress {
    done: Arc<Done>,
    painter: Option<(Sender<()>, JoinHandle<()>)>,
}

#[derive(Default)]
struct Done {
    number: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// Shown where there is a line for it; without a thread to paint it there is none. What is counted is called `what`.
    pub(super) fn start(bar: Option<Bar>, what: &'static str) -> Self {
        let done = Arc::new(Done::default());
        let painter = bar.and_then(|bar| {
            let (stop, stopped) = channel();
            let counts = Arc::clone(&done);
            let thread = thread::Builder::new().spawn(move || paint(&counts, what, &bar, &stopped)).ok()?;
            Some((stop, thread))
        });
        Self { done, painter }
    }

    /// So many are done, and so many bytes.
    pub(super) fn add(&self, number: u64, bytes: u64) {
        self.done.number.fetch_add(number, Ordering::Relaxed);
        self.done.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

fn paint(done: &Done, what: &str, bar: &Bar, stopped: &Receiver<()>) {
    let mut wait = PATIENCE;
    while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        let size = done.bytes.load(Ordering::Relaxed);
        let message = format!("{}, {}", counted(done.number.load(Ordering::Relaxed), what), bytes(size, size));
        bar.draw(new_bar, message);
        wait = REDRAW;
    }
    bar.clear();
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, painter)) = self.painter.take() {
            drop(stop);
            let _ = painter.join(); // it only draws
        }
    }
}

fn new_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} in {elapsed}").expect("the template is well-formed");
    ProgressBar::new_spinner().with_style(style)
}
