//! The one error: what happened, to which file, and at which place in it.

use crate::segment::TooLarge;
use std::path::{Path, PathBuf};
use std::{fmt, io};

/// Why something could not be read, cleaned or written.
#[derive(Debug)]
pub struct Error {
    /// The file or folder it happened to; "standard input" and "standard output" stand for those.
    pub path: PathBuf,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Debug)]
pub enum What {
    /// The system said no.
    Io(io::Error),
    /// The file was changed or cut short by someone else between the first and the last look at it.
    Changed,
    /// A text is too large to be taken apart.
    TooLarge(TooLarge),
    /// What was asked for makes no sense or would put an input at risk: the sentence says what to do.
    Refused(String),
}

/// A result that fails with an [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of the system at `path`.
    pub fn io(path: &Path, error: io::Error) -> Self {
        Self { path: path.into(), what: What::Io(error) }
    }

    /// A refusal that concerns `path`; `why` reads on after the path and a colon.
    pub fn refused(path: &Path, why: impl Into<String>) -> Self {
        Self { path: path.into(), what: What::Refused(why.into()) }
    }

    /// Whether it is the reader of our output that went away: not a failure, only an end.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(&self.what, What::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Paths may hold anything; escape codes must not reach the terminal.
        write!(f, "{}: ", crate::report::visible(&self.path.to_string_lossy()))?;
        match &self.what {
            What::Io(error) => f.write_str(io_reason(error).as_str()),
            What::Changed => f.write_str("changed while it was read; nothing was written for it; run again when it is at rest"),
            What::TooLarge(TooLarge::Paragraph { at }) => {
                write!(f, "the paragraph at byte {at} is longer than 4 GiB, the most that is compared")
            }
            What::TooLarge(TooLarge::Document) => f.write_str("more than 4,294,967,294 paragraphs in one document"),
            What::Refused(why) => f.write_str(why),
        }
    }
}

/// The system's reason in lower case and without its number, as the end of a sentence.
fn io_reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.what {
            What::Io(error) => Some(error),
            _ => None,
        }
    }
}
