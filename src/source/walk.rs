//! Finding files: arguments as given, folders in the order of their names' bytes, each file once.

use super::filter::{Filter, Globs, IgnoreFiles};
use super::{By, Form, Identity, Input, Origin, Packing, not_read_by_name};
use crate::error::{Error, Place, Result};
use std::collections::{HashSet, VecDeque};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// What is wanted of the paths given.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Patterns, one of which a file found in a folder must match; none: all do.
    pub include: Globs,
    /// Patterns that leave out what they match.
    pub exclude: Globs,
    /// Whether what `.gitignore` files name is left out, too.
    pub skips_git_ignored: bool,
    /// The form of every file, whatever its name.
    pub from: Option<Form>,
    /// Whether texts in UTF-16 are decoded.
    pub decodes: bool,
    /// The file that the run's own results go to, which is left out of a folder.
    pub output: Option<Identity>,
}

/// Why something in a folder is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// Its name starts with a dot.
    Hidden,
    /// It is a symbolic link.
    Link,
    /// Neither a file nor a folder: a socket, a pipe, a device.
    Special,
    /// A pattern says so.
    Excluded,
    /// Its name tells of no form that is read.
    UnknownForm,
    /// It holds a NUL near its beginning.
    Binary,
    /// Another path led to it before.
    AlreadyRead,
    /// The results of this very run go to it.
    Output,
}

/// What a walk comes upon.
#[derive(Debug)]
pub enum Found {
    /// Something to read.
    Input(Input),
    /// Something that is not read.
    LeftOut(PathBuf, LeftOut),
    /// Something that can't be looked at.
    Failed(Error),
}

/// An iterator over the inputs below the paths given. It holds no more than one folder's names at a time.
pub struct Walk {
    roots: VecDeque<PathBuf>,
    /// Whether a single folder was given, whose files stand in the outputs without its name.
    is_alone: bool,
    folder: Option<Folder>,
    filter: Filter,
    selection: Selection,
    /// How many inputs there were.
    count: u32,
    /// The files so far, where one may be reached twice.
    seen: Option<HashSet<PathBuf>>,
}

/// The folder for records of runs in place.
pub(crate) const RECORDS: &str = ".unecho";

struct Folder {
    path: PathBuf,
    /// The same without links.
    real: PathBuf,
    /// Where its files stand in the outputs.
    name: PathBuf,
    entries: walkdir::IntoIter,
    ignore: IgnoreFiles,
}

impl Walk {
    /// A walk over `paths` in that order.
    ///
    /// # Errors
    /// If a pattern isn't one.
    pub fn new(paths: &[PathBuf], selection: Selection) -> Result<Self> {
        Ok(Self {
            seen: may_meet(paths).then(HashSet::new),
            roots: paths.iter().cloned().collect(),
            is_alone: paths.len() == 1,
            folder: None,
            count: 0,
            filter: Filter::new(&selection.include, &selection.exclude)?,
            selection,
        })
    }

    /// The next path that was given: a file itself, or, with `None`, a folder that is entered.
    fn root(&mut self, path: PathBuf) -> Option<Found> {
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => return Some(Found::Failed(Error::io(&path, error))),
        };
        if metadata.is_dir() {
            let entries = WalkDir::new(&path).sort_by_file_name().into_iter();
            let name = if self.is_alone { PathBuf::new() } else { base_name(&path) };
            let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
            let ignore = if self.selection.skips_git_ignored { IgnoreFiles::with_git(&real) } else { IgnoreFiles::default() };
            self.folder = Some(Folder { path, real, name, entries, ignore });
            return None;
        }
        if let Some(why) = not_read_by_name(&path).filter(|_| self.selection.from.is_none()) {
            return Some(Found::Failed(Error::refused(&path, why)));
        }
        let (form, form_by) = match self.form(&path) {
            Some((form, By::Beginning)) => (form, By::Name), // whoever names it takes it for one
            form => form.unwrap_or((Form::Text, By::Beginning)),
        };
        if self.was_seen(&path) {
            return Some(Found::LeftOut(path, LeftOut::AlreadyRead));
        }
        let size = if metadata.is_file() { metadata.len() } else { 0 };
        let name = base_name(&path);
        let (packing, is_decoded) = (Packing::of_name(&path).0, self.selection.decodes);
        Some(Found::Input(Input {
            from: Origin::Named(path),
            name,
            form,
            form_by,
            packing,
            size,
            unpacked: None,
            is_decoded,
            number: 0,
        }))
    }

    fn entry(&mut self, entry: walkdir::Result<DirEntry>) -> Option<Found> {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return Some(Found::Failed(walk_error(error))),
        };
        // The first entry is the folder that was given, perhaps by a link to it.
        if entry.depth() == 0 || entry.file_type().is_dir() { self.enter(entry) } else { Some(self.file(entry)) }
    }

    fn enter(&mut self, entry: DirEntry) -> Option<Found> {
        let folder = self.folder.as_mut()?;
        if let Some(why) = folder.reason_to_leave_out(&self.filter, &entry) {
            folder.entries.skip_current_dir();
            let is_ours = entry.file_name() == RECORDS; // which nobody misses
            return (!is_ours).then(|| Found::LeftOut(entry.into_path(), why));
        }
        let failed = folder.ignore.enter(entry.path(), entry.depth()).err()?;
        folder.entries.skip_current_dir();
        Some(Found::Failed(failed))
    }

    fn file(&mut self, entry: DirEntry) -> Found {
        let folder = self.folder.as_mut().expect("an entry stands in a folder");
        if let Some(why) = folder.reason_to_leave_out(&self.filter, &entry) {
            return Found::LeftOut(entry.into_path(), why);
        }
        let name = folder.name.join(relative(entry.path(), &folder.path));
        let Some((form, form_by)) = self.form(entry.path()) else {
            return Found::LeftOut(entry.into_path(), LeftOut::UnknownForm);
        };
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            Err(error) => return Found::Failed(walk_error(error)),
        };
        if self.is_output(&metadata) {
            return Found::LeftOut(entry.into_path(), LeftOut::Output);
        }
        if self.was_seen(entry.path()) {
            return Found::LeftOut(entry.into_path(), LeftOut::AlreadyRead);
        }
        let (packing, is_decoded) = (Packing::of_name(entry.path()).0, self.selection.decodes);
        let (from, size) = (Origin::Walked(entry.into_path()), metadata.len());
        Found::Input(Input { from, name, form, form_by, packing, size, unpacked: None, is_decoded, number: 0 })
    }

    /// The form of a file, and what says so.
    fn form(&self, path: &Path) -> Option<(Form, By)> {
        self.selection.from.map(|form| (form, By::Name)).or_else(|| Form::of_name(path))
    }

    fn is_output(&self, metadata: &Metadata) -> bool {
        self.selection.output.is_some_and(|output| output == Identity::of(metadata))
    }

    fn was_seen(&mut self, path: &Path) -> bool {
        let Some(seen) = &mut self.seen else { return false };
        fs::canonicalize(path).is_ok_and(|path| !seen.insert(path))
    }
}

impl Folder {
    fn reason_to_leave_out(&mut self, filter: &Filter, entry: &DirEntry) -> Option<LeftOut> {
        if entry.depth() == 0 {
            return None;
        }
        let (kind, path) = (entry.file_type(), entry.path());
        if entry.file_name().as_bytes().starts_with(b".") {
            Some(LeftOut::Hidden)
        } else if kind.is_symlink() {
            Some(LeftOut::Link)
        } else if !kind.is_dir() && !kind.is_file() {
            Some(LeftOut::Special)
        } else {
            let within = relative(path, &self.path);
            let real = || self.real.join(within); // which few ask for
            let is_excluded =
                self.ignore.leave_out(path, real, entry.depth(), kind.is_dir()) || !filter.wants(real, within, kind.is_dir());
            is_excluded.then_some(LeftOut::Excluded)
        }
    }
}

impl Iterator for Walk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let found = match self.folder.as_mut().map(|folder| folder.entries.next()) {
                Some(Some(entry)) => self.entry(entry),
                _ => {
                    let path = self.roots.pop_front()?;
                    self.folder = None;
                    self.root(path)
                }
            };
            match found {
                Some(Found::Input(input)) => {
                    let number = self.count;
                    self.count += 1;
                    return Some(Found::Input(Input { number, ..input }));
                }
                Some(found) => return Some(found),
                None => {}
            }
        }
    }
}

fn relative<'a>(path: &'a Path, root: &Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}

fn walk_error(error: walkdir::Error) -> Error {
    let place = error.path().map_or_else(|| Place::Request("a folder".into()), Place::from);
    Error::io(place, error.into_io_error().unwrap_or_else(|| io::Error::other("the folder contains itself")))
}

/// The last name of a path, under which its clean copies stand; of ".", ".." and "/" the name of what they are.
pub fn base_name(path: &Path) -> PathBuf {
    let name = |path: &Path| path.file_name().map(OsStr::to_owned);
    name(path).or_else(|| name(&fs::canonicalize(path).ok()?)).unwrap_or_default().into()
}

/// Whether one of `paths` lies in another or is the same. In the order of their components a path directly precedes the first
/// of those that lie in it.
fn may_meet(paths: &[PathBuf]) -> bool {
    if paths.len() < 2 {
        return false;
    }
    let mut real: Vec<_> = paths.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    real.sort_unstable();
    real.windows(2).any(|pair| pair[1].starts_with(&pair[0]))
}
