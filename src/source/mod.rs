//! Where documents come from: finding files, opening them, and the forms they have. The only reader of user data.
//!
//! A form is one file of this folder and one line in [`Form`].

#[cfg(not(unix))]
compile_error!("unecho knows files by device and inode, maps them and handles SIGBUS: it needs Linux, macOS or another Unix");

mod at;
mod at_hand;
pub(crate) mod feed;
mod filter;
mod identity;
#[doc(hidden)]
pub mod jsonl;
mod load;
mod mapping;
mod open;
mod packing;
#[cfg(feature = "parquet")]
#[doc(hidden)]
pub mod parquet;
mod records;
mod stretches;
pub mod text;
mod walk;
#[doc(hidden)]
pub mod warc;

pub use at_hand::Room;
pub(crate) use at_hand::{AtHand, Had};
pub use feed::About;
pub use filter::{Globs, Patterns, below, here};
pub use identity::Identity;
pub use jsonl::Fields;
pub(crate) use load::{Loaded, Watch, if_it_may_break, load, unpacked_size};
pub use load::{Source, reason_to_leave_out};
pub(crate) use mapping::can_be_mapped;
pub(crate) use open::{again, open, texts_of};
pub(crate) use packing::Packer;
pub use packing::Packing;
pub(crate) use packing::not_read_by_name;
pub use records::{Fault, Skipped};
pub(crate) use records::{Holds, Passed, Record, Records, Stretch};
pub(crate) use stretches::{Pace, Stretches, line_end};
pub(crate) use walk::RECORDS;
pub use walk::{Found, LeftOut, Selection, Walk, base_name};

use crate::document::BYTE_ORDER_MARK;
use crate::error::{Error, Place};
use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The forms that are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Plain text and Markdown, one document a file.
    Text,
    /// JSON Lines, one document a line.
    Jsonl,
    /// WARC and WET, one document for each record that holds text.
    Warc,
    /// Apache Parquet, one document a row.
    Parquet,
    /// RSS, Atom or JSON Feed, one document an item.
    Feed,
    /// HTML, one document a file.
    Html,
}

/// The rows of a table.
#[cfg(feature = "parquet")]
pub type Table = parquet::Values;
/// There are none where Parquet isn't read.
#[cfg(not(feature = "parquet"))]
#[derive(Debug)]
pub enum Table {}

impl Form {
    /// The form of a file by its name, packed or not, if it is known, and whether that alone says so. A name without an extension is text
    /// until its bytes say otherwise; what follows the dot in "notes.2024" or "v1.2 draft" is none.
    pub fn of_name(path: &Path) -> Option<(Form, By)> {
        const KNOWN: [(Form, By, &[&str]); 7] = [
            (Form::Text, By::Name, &["txt", "text", "md", "markdown", "rst", "adoc", "asciidoc"]),
            (Form::Jsonl, By::Name, &["jsonl", "ndjson", "jsonlines"]),
            (Form::Warc, By::Name, &["warc", "wet"]),
            (Form::Parquet, By::Name, &["parquet"]),
            (Form::Feed, By::Name, &["rss", "atom", "rdf"]),
            (Form::Feed, By::Beginning, &["xml", "json"]),
            (Form::Html, By::Name, &["html", "htm", "xhtml", "xht"]),
        ];
        let is_extension = |name: &Cow<str>| {
            name.chars().all(char::is_alphanumeric) && !name.chars().all(char::is_numeric) // which the empty one is
        };
        let (_, path) = Packing::of_name(path);
        let Some(extension) = path.extension().map(OsStr::to_string_lossy).filter(is_extension) else {
            return Some((Form::Text, By::Nothing));
        };
        let is_known = |(_, _, names): &&(Form, By, &[&str])| names.iter().any(|name| extension.eq_ignore_ascii_case(name));
        KNOWN.iter().find(is_known).map(|&(form, by, _)| (form, by))
    }

    /// The form of what begins so, if that is one that bytes tell: a feed, or a page in HTML.
    pub(crate) fn of_beginning(beginning: &[u8]) -> Option<Form> {
        if feed::begins(beginning) {
            return Some(Form::Feed);
        }
        if let Some((_, text)) = feed::wide(beginning) {
            return Form::of_beginning(text.as_bytes());
        }
        let text = beginning.strip_prefix(BYTE_ORDER_MARK).unwrap_or(beginning).trim_ascii_start();
        let begins = |with: &[u8]| text.get(..with.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(with));
        (begins(b"<!doctype html") || begins(b"<html")).then_some(Form::Html)
    }

    /// Whether a file of this form holds many documents.
    pub fn is_container(self) -> bool {
        !matches!(self, Form::Text | Form::Html)
    }

    /// Whether it is read as a whole, however large it is.
    pub(crate) fn is_whole(self) -> bool {
        matches!(self, Form::Text | Form::Html | Form::Feed)
    }

    /// Whether the lines that are told of a text are those of its file.
    pub(crate) fn has_lines_of_file(self) -> bool {
        self.is_whole()
    }

    /// Whether its documents have lines that one can look up in the file: their own, or those that they are.
    pub(crate) fn has_lines_to_look_up(self) -> bool {
        self.has_lines() || self.has_lines_of_file()
    }

    /// Whether its records are its lines; else they are found as it is read.
    pub(crate) fn has_lines(self) -> bool {
        self == Form::Jsonl
    }

    /// What it is called.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Form::Text => "plain text",
            Form::Jsonl => "JSONL",
            Form::Warc => "WARC",
            Form::Parquet => "Parquet",
            Form::Feed => "a feed",
            Form::Html => "HTML",
        }
    }

    /// The name of a file that becomes one of this form, packed as before unless it packs itself.
    pub(crate) fn rename(self, name: &Path) -> PathBuf {
        let (packing, stem) = Packing::of_name(name);
        let stem =
            if Form::of_name(&stem).is_some() && stem.extension().is_some() { stem.with_extension("") } else { stem.into() };
        let mut renamed = stem.into_os_string();
        renamed.push(match self {
            Form::Text => ".txt",
            Form::Jsonl => ".jsonl",
            Form::Warc => ".wet",
            Form::Parquet => ".parquet",
            Form::Feed => ".xml",
            Form::Html => ".html",
        });
        if let Some(extension) = packing.extension().filter(|_| self != Form::Parquet) {
            renamed.push(".");
            renamed.push(extension);
        }
        renamed.into()
    }

    /// What a record of it is called in errors.
    pub fn record(self) -> &'static str {
        match self {
            Form::Text | Form::Jsonl | Form::Html => "line",
            Form::Feed => "item",
            Form::Warc => "record",
            Form::Parquet => "row",
        }
    }

    /// A piece of a text as it reads, given as it is written.
    pub(crate) fn decoded(self, written: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Form::Jsonl if memchr::memchr(b'\\', written).is_some() => {
                let mut text = Vec::new();
                jsonl::unescape(written, &mut text, &mut Vec::new());
                text.into()
            }
            _ => written.into(),
        }
    }

    /// How many line ends a piece of a text has, given as it is written.
    pub(crate) fn line_ends(self, written: &[u8]) -> usize {
        match self {
            Form::Text | Form::Warc | Form::Parquet | Form::Feed | Form::Html => memchr::memchr_iter(b'\n', written).count(),
            Form::Jsonl => jsonl::line_ends(written),
        }
    }
}

/// Something to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Where it is.
    pub from: Origin,
    /// Its path within the outputs.
    pub name: PathBuf,
    /// Its form.
    pub form: Form,
    /// What says so.
    pub form_by: By,
    /// How it is packed, by its name; standard input tells by its first bytes.
    pub packing: Packing,
    /// Its size in bytes when it was found; 0 if that can't be known.
    pub size: u64,
    /// How many bytes it unpacks to, if it is packed and that is known.
    pub unpacked: Option<u64>,
    /// Whether it may be a text in UTF-16, which is decoded.
    pub is_decoded: bool,
    /// Its number among the inputs of a run, from 0 on, in the order in which they were found.
    pub number: u32,
}

/// What says which form an input has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A flag, or its name.
    Name,
    /// Nothing: it is taken for text, unless it begins as a feed or a page in HTML does.
    Nothing,
    /// Its name tells of a form that many things have: it must begin as a feed or a page does.
    Beginning,
}

/// Where an input is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Standard input.
    Stdin,
    /// A file that was named.
    Named(PathBuf),
    /// A file that was found in a folder.
    Walked(PathBuf),
}

impl Input {
    /// Standard input, of this form.
    pub fn stdin(form: Form) -> Self {
        Self {
            from: Origin::Stdin,
            name: PathBuf::from("-"),
            form,
            form_by: By::Name,
            packing: Packing::Plain,
            size: 0,
            unpacked: None,
            is_decoded: false,
            number: 0,
        }
    }

    /// Takes it for what its bytes, which are there now, begin like; false if they must tell and don't.
    pub(crate) fn is_told_by(&mut self, bytes: &[u8]) -> bool {
        let told = self.told(bytes);
        self.form = told.unwrap_or(self.form);
        self.form_by != By::Beginning || told.is_some()
    }

    /// The form that its bytes tell of, if they may: what has a name as some feeds have is a feed or nothing.
    pub(crate) fn told(&self, bytes: &[u8]) -> Option<Form> {
        match self.form_by {
            By::Name => None,
            By::Beginning if self.form == Form::Feed => Form::of_beginning(bytes).filter(|told| *told == Form::Feed),
            By::Nothing | By::Beginning => Form::of_beginning(bytes),
        }
    }

    /// Its path, or the words that stand for it in reports.
    pub fn path(&self) -> &Path {
        match &self.from {
            Origin::Stdin => Path::new("standard input"),
            Origin::Named(path) | Origin::Walked(path) => path,
        }
    }

    /// A broken record of it ends it, as was asked for.
    pub(crate) fn ended_by_record(&self, number: u64, why: &Fault) -> Error {
        // Of another format there is nothing behind it.
        let advice =
            if matches!(why, Fault::Warc(warc::Fault::Arc)) { "" } else { ". --on-error keep, or drop, goes on behind it" };
        Error::record(self.place(), self.form.record(), number, &format_args!("{why}{advice}"))
    }

    /// The place that an error about it names.
    pub fn place(&self) -> Place {
        match &self.from {
            Origin::Stdin => Place::Stdin,
            Origin::Named(path) | Origin::Walked(path) => Place::Path(path.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_form() {
        let known = |name: &str| Form::of_name(Path::new(name)).is_some();
        assert!(
            ["a.txt", "a.MD", "README", "README.", "a.b.adoc", "a.txt.gz", "a.jsonl.ZST", "a.ndjson", "README.gz"]
                .into_iter()
                .all(known)
        );
        assert!(!["a.svg", "a.svg.gz", "a.rs", "a.csv", "a.yaml"].into_iter().any(known));
    }
}
