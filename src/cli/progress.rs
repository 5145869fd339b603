//! A line that moves while a long run is under way, on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
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
    documents: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    pub(super) fn start(shown: bool) -> Self {
        let done = Arc::new(Done::default());
        let painter = shown.then(|| {
            let (stop, stopped) = channel();
            let done = Arc::clone(&done);
            let paint = move || {
                let mut wait = PATIENCE;
                let mut bar = None;
                while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                    let bar = bar.get_or_insert_with(new_bar);
                    let size = done.bytes.load(Ordering::Relaxed);
                    bar.set_message(format!(
                        "{}, {}",
                        counted(done.documents.load(Ordering::Relaxed), "document"),
                        bytes(size, size)
                    ));
                    bar.tick();
                    wait = REDRAW;
                }
                if let Some(bar) = bar {
                    bar.finish_and_clear();
                }
            };
            (stop, std::thread::spawn(paint))
        });
        Self { done, painter }
    }

    /// A document of so many bytes is done.
    pub(super) fn add(&self, bytes: u64) {
        self.done.documents.fetch_add(1, Ordering::Relaxed);
        self.done.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
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
