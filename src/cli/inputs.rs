//! What a command reads.

use super::args::Common;
use super::terminal::Terminal;
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use unecho::report::{count, counted};
use unecho::source::{By, Form, Found, Identity, Input, Walk};
use unecho::{Error, Place, Result};

/// The inputs of a command, as they were given.
pub(super) struct Inputs<'a> {
    common: &'a Common,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Stdin,
    /// One file.
    File,
    /// One folder.
    Folder,
    /// Several files and folders.
    Several,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(common: &'a Common) -> Result<Self> {
        let is_stdin = |path: &&PathBuf| path.as_os_str() == "-";
        let kind = match common.paths.as_slice() {
            [] => Kind::Stdin,
            [path] if is_stdin(&path) => Kind::Stdin,
            [path] if path.is_dir() => Kind::Folder,
            [_] => Kind::File,
            paths => match paths.iter().find(is_stdin) {
                Some(path) => {
                    let why = "standard input can't be read together with files; a file of that name is ./-";
                    return Err(Error::refused(path, why));
                }
                None => Kind::Several,
            },
        };
        Ok(Self { common, kind })
    }

    pub(super) fn is_stdin(&self) -> bool {
        self.kind == Kind::Stdin
    }

    /// Whether it is one file or standard input.
    pub(super) fn is_single(&self) -> bool {
        matches!(self.kind, Kind::Stdin | Kind::File)
    }

    /// The paths; none for standard input.
    pub(super) fn paths(&self) -> &'a [PathBuf] {
        if self.is_stdin() { &[] } else { &self.common.paths }
    }

    /// Whether they may hold several documents.
    pub(super) fn is_corpus(&self) -> bool {
        match self.paths() {
            [] => self.common.form().is_some_and(Form::is_container),
            [path] if self.is_single() => {
                self.common.form().or_else(|| Some(Form::of_name(path)?.0)).is_some_and(Form::is_container)
            }
            _ => true,
        }
    }

    /// Whether all of a folder is among them.
    pub(super) fn cover(&self, folder: &Path) -> bool {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let Ok(folder) = fs::canonicalize(folder) else { return false };
        self.paths().iter().any(|path| fs::canonicalize(path).is_ok_and(|path| folder.starts_with(path)))
    }

    /// A walk over the files and folders.
    pub(super) fn walk(&self, output: Option<Identity>) -> Result<Walk> {
        Walk::new(self.paths(), self.common.selection(output))
    }

    /// What is found there. `output` is the file that the run's own results go to.
    pub(super) fn found(&self, output: Option<Identity>) -> Result<Box<dyn Iterator<Item = Found>>> {
        Ok(if self.is_stdin() {
            let is_decoded = self.common.decodes();
            let input = match self.common.form() {
                Some(form) => Input { is_decoded, ..Input::stdin(form) },
                None => Input { form_by: By::Nothing, is_decoded, ..Input::stdin(Form::Text) },
            };
            Box::new(std::iter::once(Found::Input(input)))
        } else {
            Box::new(self.walk(output)?)
        })
    }

    /// Tells a person who started it without arguments what it waits for.
    pub(super) fn say_what_is_awaited(&self, terminal: &Terminal) {
        if self.is_stdin() && std::io::stdin().is_terminal() {
            terminal.hint("Reading standard input; Ctrl-D ends it, Ctrl-C stops, --help explains.");
        }
    }

    /// The error that there was nothing in them to read.
    pub(super) fn nothing_read(&self, terminal: &Terminal, of_unknown_form: u64) -> Error {
        let hint = if of_unknown_form > 0 {
            format!("; {} of unknown form: --from text takes them as text", counted(of_unknown_form, "file"))
        } else if terminal.is_verbose() {
            String::new()
        } else {
            " (-v names what was left out)".into()
        };
        Error::refused(self.in_words(), format!("nothing to read{hint}"))
    }

    /// What errors about all of them name.
    pub(super) fn in_words(&self) -> Place {
        match self.paths() {
            [] => Place::Stdin,
            [path] => path.into(),
            [path, rest @ ..] => Place::Request(format!("{} and {} more", path.display(), count(rest.len() as u64))),
        }
    }
}
