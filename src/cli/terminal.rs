//! What goes to standard error: messages, coloured where a person sees them.

use super::args::Global;
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::path::Path;
use unecho::report::visible;
use unecho::source::LeftOut;
use unecho::{Error, Result};

/// Standard error, as talkative as was asked for.
pub(super) struct Terminal {
    quiet: bool,
    verbose: bool,
    /// A person is looking.
    pub(super) is_watched: bool,
}

const RED: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();
const FAINT: anstyle::Style = anstyle::Style::new().dimmed();

impl Terminal {
    pub(super) fn new(global: &Global) -> Self {
        Self { quiet: global.quiet, verbose: global.verbose, is_watched: std::io::stderr().is_terminal() }
    }

    /// Whether progress is shown.
    pub(super) fn shows_progress(&self) -> bool {
        self.is_watched && !self.quiet
    }

    /// Whether each document with repeats is named.
    pub(super) fn is_verbose(&self) -> bool {
        self.verbose
    }

    pub(super) fn error(&self, error: &Error) {
        line(format_args!("{RED}error{RED:#}: {error}"));
    }

    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            line(format_args!("{text}"));
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
            };
            line(format_args!("left out: {} ({why})", visible(&path.to_string_lossy())));
        }
    }

    pub(super) fn nothing_read(&self) -> Result<()> {
        let why = "nothing was read: no text, Markdown, reStructuredText or AsciiDoc file was found (-v names what was left out)";
        Err(Error::refused(Path::new("input"), why))
    }
}

/// A line on standard error. If nobody reads there is nobody to tell.
fn line(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}
