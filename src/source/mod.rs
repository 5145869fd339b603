//! Where documents come from: finding files, opening them, and the forms they have. The only reader of user data.
//!
//! A form is one file of this folder and one line in [`Form`].

#[cfg(not(unix))]
compile_error!("unecho knows files by device and inode, maps them and handles SIGBUS: it needs Linux, macOS or another Unix");

mod filter;
mod identity;
mod load;
mod mapping;
pub mod text;
mod walk;

pub use identity::Identity;
pub use load::{Loaded, Source, holds_text, load};
pub use walk::{Found, LeftOut, Selection, Walk, base_name};

use crate::document::Document;
use crate::error::Place;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The forms that are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Plain text and Markdown, one document a file.
    Text,
}

impl Form {
    /// The form of a file by its name, if it is known. A name without an extension is text until its bytes say otherwise; what
    /// follows the dot in "notes.2024" or "v1.2 draft" is none.
    pub fn of_name(path: &Path) -> Option<Form> {
        const TEXT: [&str; 7] = ["txt", "text", "md", "markdown", "rst", "adoc", "asciidoc"];
        let is_extension = |name: &Cow<str>| {
            name.chars().all(char::is_alphanumeric) && !name.chars().all(char::is_numeric) // which the empty one is
        };
        match path.extension().map(OsStr::to_string_lossy).filter(is_extension) {
            None => Some(Form::Text),
            Some(extension) => TEXT.iter().any(|known| extension.eq_ignore_ascii_case(known)).then_some(Form::Text),
        }
    }

    /// The document in a source of this form.
    pub fn document(self, source: &[u8]) -> Document<'_> {
        match self {
            Form::Text => text::document(source),
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
    /// Its size in bytes when it was found; 0 if that can't be known.
    pub size: u64,
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
    /// Standard input.
    pub fn stdin(form: Form) -> Self {
        Self { from: Origin::Stdin, name: PathBuf::from("-"), form, size: 0 }
    }

    /// Its path, or the words that stand for it in reports.
    pub fn path(&self) -> &Path {
        match &self.from {
            Origin::Stdin => Path::new("standard input"),
            Origin::Named(path) | Origin::Walked(path) => path,
        }
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
        assert!(["a.txt", "a.MD", "README", "README.", "a.b.adoc"].into_iter().all(known));
        assert!(!["a.html", "a.txt.gz", "a.rs", "a.csv"].into_iter().any(known));
    }
}
