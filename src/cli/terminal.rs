//! What goes to standard error: messages, coloured where a person sees them, and the line that moves. Its only owner, so that
//! a message never lands on that line.

use super::args::Global;
use indicatif::ProgressBar;
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use unecho::Error;
use unecho::report::{bytes, count, visible};
use unecho::source::LeftOut;

/// Standard error, as talkative as was asked for.
pub(super) struct Terminal {
    quiet: bool,
    verbose: bool,
    /// A person is looking.
    is_watched: bool,
    /// Not even errors are said.
    is_silent: bool,
    bar: Bar,
}

/// The line that moves, while there is one.
#[derive(Clone, Default)]
pub(super) struct Bar(Arc<Mutex<Option<ProgressBar>>>);

const RED: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();
const FAINT: anstyle::Style = anstyle::Style::new().dimmed();

impl Terminal {
    pub(super) fn new(global: &Global) -> Self {
        let is_watched = std::io::stderr().is_terminal();
        Self { quiet: global.quiet, verbose: global.verbose, is_watched, is_silent: false, bar: Bar::default() }
    }

    /// One that says nothing.
    pub(super) fn silent() -> Self {
        Self { quiet: true, verbose: false, is_watched: false, is_silent: true, bar: Bar::default() }
    }

    /// The line that moves, if there may be one: not on a terminal that shows the results as well.
    pub(super) fn bar(&self, results_on_stdout: bool) -> Option<Bar> {
        let is_shared = results_on_stdout && std::io::stdout().is_terminal();
        (self.is_watched && !self.quiet && !is_shared).then(|| self.bar.clone())
    }

    /// Whether nothing but errors is said.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether each document with repeats is named.
    pub(super) fn is_verbose(&self) -> bool {
        self.verbose
    }

    pub(super) fn error(&self, error: &Error) {
        self.line(format_args!("{RED}error{RED:#}: {error}"));
    }

    /// What may not be meant: said in any case.
    pub(super) fn warn(&self, text: &str) {
        self.line(text);
    }

    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// Something for people, not for logs.
    pub(super) fn hint(&self, text: &str) {
        if self.is_watched {
            self.say(&format!("{FAINT}{text}{FAINT:#}"));
        }
    }

    pub(super) fn left_out(&self, path: &Path, why: LeftOut) {
        if self.verbose {
            let why = match why {
                LeftOut::Hidden => "hidden",
                LeftOut::Link => "a symbolic link",
                LeftOut::Special => "neither a file nor a folder",
                LeftOut::Excluded => "excluded by a pattern",
                LeftOut::UnknownForm => "of unknown form",
                LeftOut::Binary => "binary",
                LeftOut::AlreadyRead => "already read",
                LeftOut::Output => "the output of this run",
            };
            self.line(format_args!("left out: {} ({why})", visible(&path.to_string_lossy())));
        }
    }

    /// Temporary files, each with its size, that a run left which was killed.
    pub(super) fn left_over(&self, files: &[(PathBuf, u64)]) {
        let Some((first, _)) = files.first() else { return };
        let size: u64 = files.iter().map(|(_, size)| size).sum();
        let size = bytes(size, size);
        let (more, removed) = match files.len() as u64 - 1 {
            0 => (String::new(), ""),
            more => (format!(" and {} more like it", count(more)), ", nor the others: find FOLDER -name '.unecho-*.tmp' -delete"),
        };
        let why = format!("{size}{more}, left by a run that was killed, unless one is under way there; nobody needs it{removed}");
        self.warn(&Error::refused(first, why).to_string());
    }

    /// Some of many errors that came of a file; of the others how many `do_what`.
    pub(super) fn errors<'e>(&self, errors: impl Iterator<Item = &'e Error> + Clone, of: &Path, do_what: &str) {
        const TOLD: usize = 20;
        errors.clone().take(TOLD).for_each(|error| self.error(error));
        if let Some(more) = errors.count().checked_sub(TOLD).filter(|&more| more > 0) {
            self.error(&Error::refused(of, format!("{} more that {do_what}", count(more as u64))));
        }
    }

    /// A line on standard error. If nobody reads there is nobody to tell.
    fn line(&self, text: impl Display) {
        if self.is_silent {
            return;
        }
        let line = format!("{text}\n"); // written at once, so that lines of other programs come before or after it
        self.bar.aside(|| {
            let _ = anstream::stderr().write_all(line.as_bytes());
        });
    }
}

impl Bar {
    /// Draws the line with a message, having made it first if it isn't there.
    pub(super) fn draw(&self, make: impl FnOnce() -> ProgressBar, message: String) {
        let mut bar = self.lock();
        let bar = bar.get_or_insert_with(make);
        bar.set_message(message);
        bar.tick();
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        if let Some(bar) = self.lock().take() {
            bar.finish_and_clear();
        }
    }

    /// Does something to standard error while the line is away.
    fn aside(&self, write: impl FnOnce()) {
        match &*self.lock() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
