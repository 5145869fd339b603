//! The one error: what happened, to which file, and at which place in it; and how names from anywhere and numbers are shown.

use crate::document::TooLarge;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::{fmt, io};

/// Why something could not be read, cleaned or written.
#[derive(Debug)]
pub struct Error {
    /// What it happened to.
    pub place: Place,
    /// What happened.
    pub what: What,
}

/// What an error happened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file or folder, by the path that was given or found.
    Path(PathBuf),
    /// Standard input.
    Stdin,
    /// Standard output.
    Stdout,
    /// A text in memory.
    Text,
    /// What was asked for, in the words in which it was asked.
    Request(String),
}

/// What happened.
#[derive(Debug)]
pub enum What {
    /// The system said no.
    Io(io::Error),
    /// The file was changed or cut short by someone else between the first and the last look at it.
    Changed {
        /// What had been written for it by then and can't be taken back.
        spoilt: Option<Place>,
    },
    /// A record of a container can't be read.
    Record {
        /// What it is called: "line".
        what: &'static str,
        /// Its number, from 1 on.
        number: u64,
        /// Why.
        why: String,
    },
    /// A text is too large to be taken apart.
    TooLarge(TooLarge),
    /// What was asked for makes no sense or would put an input at risk: the sentence says what to do.
    Refused(String),
}

/// Why documents can't be compared with one another.
#[derive(Debug)]
pub(crate) enum Stuck {
    /// One of them, or all of them, are too large.
    TooLarge(TooLarge),
    /// One of them, by its number among those that come together, isn't what it was when it was read the first time.
    Changed(usize),
    /// Anything else, whatever document it is met at.
    Failed(Error),
}

impl From<TooLarge> for Stuck {
    fn from(what: TooLarge) -> Self {
        Self::TooLarge(what)
    }
}

impl From<Error> for Stuck {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Stuck {
    /// The error that it is at a document of this place.
    pub(crate) fn at(self, place: Place) -> Error {
        match self {
            Stuck::TooLarge(what) => Error::too_large(place, what),
            Stuck::Changed(_) => Error { place, what: What::Changed { spoilt: None } },
            Stuck::Failed(error) => error,
        }
    }
}

/// A result that fails with an [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The same, where what was written at once to this place is spoilt by the change.
    pub(crate) fn spoiling(self, place: Place) -> Self {
        match self.what {
            What::Changed { .. } => Self { what: What::Changed { spoilt: Some(place) }, ..self },
            _ => self,
        }
    }

    /// An error of the system at `place`.
    pub fn io(place: impl Into<Place>, error: io::Error) -> Self {
        Self { place: place.into(), what: What::Io(error) }
    }

    /// A refusal that concerns `place`; `why` reads on after the place and a colon.
    pub fn refused(place: impl Into<Place>, why: impl Into<String>) -> Self {
        Self { place: place.into(), what: What::Refused(why.into()) }
    }

    /// The record of this number of the container at `place` can't be read; `what` it is called.
    pub fn record(place: Place, what: &'static str, number: u64, why: &impl fmt::Display) -> Self {
        Self { place, what: What::Record { what, number, why: why.to_string() } }
    }

    /// The text, or all texts, at `place` are too large.
    pub fn too_large(place: Place, what: TooLarge) -> Self {
        Self { place, what: What::TooLarge(what) }
    }

    /// Whether there was more of it than may be in memory.
    pub(crate) fn is_too_much(&self) -> bool {
        matches!(&self.what, What::Io(error) if error.kind() == io::ErrorKind::FileTooLarge)
    }

    /// Whether it is the reader of standard output that went away: not a failure, only an end.
    pub fn is_end_of_reader(&self) -> bool {
        self.place == Place::Stdout && matches!(&self.what, What::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Place::Path(path.into())
    }
}

impl From<&PathBuf> for Place {
    fn from(path: &PathBuf) -> Self {
        Place::Path(path.clone())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Path(path) => write!(f, "{}", path.display()),
            Place::Stdin => f.write_str("standard input"),
            Place::Stdout => f.write_str("standard output"),
            Place::Text => f.write_str("text"),
            Place::Request(words) => f.write_str(words),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Paths, and patterns quoted by a reason, may hold anything; escape codes must not reach the terminal.
        f.write_str(&visible(&format!("{}: {}", self.place, self.what)))
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Io(error) => f.write_str(&io_reason(error)),
            What::Changed { spoilt: None } => {
                f.write_str("changed while it was read; nothing was written for it; run again when it is at rest")
            }
            What::Changed { spoilt: Some(place) } => {
                write!(f, "changed while it was read; what went to {place} is not its clean copy; run again when it is at rest")
            }
            What::Record { what, number, why } => write!(f, "{what} {number}: {why}"),
            What::TooLarge(TooLarge::Paragraph { at }) => {
                write!(f, "the paragraph at byte {at} is longer than 4 GiB, the most that is compared")
            }
            What::TooLarge(TooLarge::Document) => {
                f.write_str("more than 4,294,967,294 paragraphs, or more than 1 TiB, in one document")
            }
            What::TooLarge(TooLarge::Corpus) => f.write_str(
                "with it, more than 4,294,967,294 paragraphs, or more than 1 TiB, would be compared with one another; clean parts",
            ),
            What::Refused(why) => f.write_str(why),
        }
    }
}

/// The system's reason in lower case and without its number, as the end of a sentence.
pub(crate) fn io_reason(error: &io::Error) -> String {
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

/// A number with its thousands marked: "6,287".
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of bytes in whole megabytes of 2^20: "1,500 MB".
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{} MB", count(bytes >> 20))
}

/// The same rounded up.
pub(crate) fn megabytes_up(bytes: u64) -> String {
    megabytes(bytes.next_multiple_of(1 << 20))
}

/// That a record is longer than the longest that is read, in words.
pub(crate) struct TooLong {
    /// In bytes.
    pub(crate) longest: u64,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "has more than {}, an eighth of --memory", megabytes(self.longest))
    }
}

/// Text from anywhere without what would drive a terminal or disturb its lines: control characters, directional marks and
/// line separators stand escaped.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if is_harmful(c) { c.escape_default().to_string() } else { c.to_string() }).collect::<String>().into()
}

/// Whether a character does something to a terminal other than standing there.
pub fn is_harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_codes_are_shown_not_sent() {
        assert_eq!(visible("a\u{1b}[31m\u{202e}b"), "a\\u{1b}[31m\\u{202e}b");
        assert_eq!(visible("\u{200e}\u{200f}\u{61c}\u{2028}\u{2029}"), "\\u{200e}\\u{200f}\\u{61c}\\u{2028}\\u{2029}");
        assert_eq!(visible("naïve “text”"), "naïve “text”");
    }

    #[test]
    fn a_reason_is_shown_as_harmless_as_its_place() {
        let error = Error::refused(Path::new("\u{1b}a"), "line 1: \u{1b}[2J");
        assert_eq!(error.to_string(), "\\u{1b}a: line 1: \\u{1b}[2J");
    }
}
