//! Finding files: arguments as given, folders in the order of their names' bytes, each file once.

use super::filter::{Filter, IgnoreFiles};
use super::{Form, Input, Origin};
use crate::error::{Error, Result};
use std::collections::{HashSet, VecDeque};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// What is wanted of the paths given.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Patterns (as in `.gitignore`), one of which a file found in a folder must match; none: all do.
    pub include: Vec<String>,
    /// Patterns that leave out what they match.
    pub exclude: Vec<String>,
    /// The form of every file, whatever its name.
    pub from: Option<Form>,
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
    roots: VecDeque<Root>,
    folder: Option<Folder>,
    filter: Filter,
    from: Option<Form>,
    /// The files so far, where one may be reached twice.
    seen: Option<HashSet<PathBuf>>,
}

struct Root {
    path: PathBuf,
    /// Where its files stand in the outputs.
    name: PathBuf,
}

struct Folder {
    root: Root,
    entries: walkdir::IntoIter,
    ignore: IgnoreFiles,
}

impl Walk {
    /// A walk over `paths` in that order.
    ///
    /// # Errors
    /// If a pattern isn't one, or two paths would have the same name in the outputs.
    pub fn new(paths: &[PathBuf], selection: &Selection) -> Result<Self> {
        let mut roots: VecDeque<Root> = VecDeque::new();
        for path in paths {
            let alone = paths.len() == 1 && path.is_dir();
            let name = if alone { PathBuf::new() } else { base_name(path) };
            if let Some(clash) = roots.iter().find(|root| root.name == name) {
                let why =
                    format!("has the same name as {} and their outputs would clash; give their parent", clash.path.display());
                return Err(Error::refused(path, why));
            }
            roots.push_back(Root { path: path.clone(), name });
        }
        Ok(Self {
            seen: may_meet(paths).then(HashSet::new),
            roots,
            folder: None,
            filter: Filter::new(&selection.include, &selection.exclude)?,
            from: selection.from,
        })
    }

    fn root(&mut self, root: Root) -> Option<Found> {
        let metadata = match fs::metadata(&root.path) {
            Ok(metadata) => metadata,
            Err(error) => return Some(Found::Failed(Error::io(&root.path, error))),
        };
        if metadata.is_dir() {
            let entries = WalkDir::new(&root.path).sort_by_file_name().into_iter();
            self.folder = Some(Folder { root, entries, ignore: IgnoreFiles::default() });
            return None;
        }
        let Some(form) = self.from.or_else(|| Form::of_name(&root.path)) else {
            let why = "is of no form that unecho knows by name (.txt, .md, .rst, .adoc, or no extension); \
                       if cutting lines out of it does no harm: --from text";
            return Some(Found::Failed(Error::refused(&root.path, why)));
        };
        if self.was_seen(&root.path) {
            return None;
        }
        let size = if metadata.is_file() { metadata.len() } else { 0 };
        Some(Found::Input(Input { from: Origin::Named(root.path), name: root.name, form, size }))
    }

    fn entry(&mut self, entry: walkdir::Result<DirEntry>) -> Option<Found> {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return Some(Found::Failed(walk_error(error))),
        };
        let is_folder = entry.file_type().is_dir();
        if let Some(why) = self.reason_to_leave_out(&entry, is_folder) {
            if is_folder {
                self.folder.as_mut()?.entries.skip_current_dir();
            }
            return Some(Found::LeftOut(entry.into_path(), why));
        }
        let folder = self.folder.as_mut()?;
        if is_folder {
            return folder.ignore.enter(entry.path(), entry.depth()).err().map(Found::Failed);
        }
        let name = folder.root.name.join(relative(entry.path(), &folder.root.path));
        let size = match entry.metadata() {
            Ok(metadata) => metadata.len(),
            Err(error) => return Some(Found::Failed(walk_error(error))),
        };
        if self.was_seen(entry.path()) {
            return None;
        }
        let form = self.from.or_else(|| Form::of_name(entry.path()))?;
        Some(Found::Input(Input { from: Origin::Walked(entry.into_path()), name, form, size }))
    }

    fn reason_to_leave_out(&mut self, entry: &DirEntry, is_folder: bool) -> Option<LeftOut> {
        let folder = self.folder.as_mut()?;
        if entry.depth() == 0 {
            return None;
        }
        let kind = entry.file_type();
        if entry.file_name().as_bytes().starts_with(b".") {
            Some(LeftOut::Hidden)
        } else if kind.is_symlink() {
            Some(LeftOut::Link)
        } else if !is_folder && !kind.is_file() {
            Some(LeftOut::Special)
        } else if folder.ignore.leave_out(entry.path(), entry.depth(), is_folder)
            || !self.filter.wants(relative(entry.path(), &folder.root.path), is_folder)
        {
            Some(LeftOut::Excluded)
        } else {
            (!is_folder && self.from.is_none() && Form::of_name(entry.path()).is_none()).then_some(LeftOut::UnknownForm)
        }
    }

    fn was_seen(&mut self, path: &Path) -> bool {
        let Some(seen) = &mut self.seen else { return false };
        fs::canonicalize(path).is_ok_and(|path| !seen.insert(path))
    }
}

impl Iterator for Walk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let found = match self.folder.as_mut().map(|folder| folder.entries.next()) {
                Some(Some(entry)) => self.entry(entry),
                _ => {
                    let root = self.roots.pop_front()?;
                    self.folder = None;
                    self.root(root)
                }
            };
            if found.is_some() {
                return found;
            }
        }
    }
}

fn relative<'a>(path: &'a Path, root: &Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}

fn walk_error(error: walkdir::Error) -> Error {
    let path = error.path().unwrap_or(Path::new("folder")).to_owned();
    Error::io(&path, error.into_io_error().unwrap_or_else(|| io::Error::other("the folder contains itself")))
}

/// The last name of a path; of ".", ".." and "/" the name of what they are.
fn base_name(path: &Path) -> PathBuf {
    let name = |path: &Path| path.file_name().map(OsStr::to_owned);
    name(path).or_else(|| name(&fs::canonicalize(path).ok()?)).unwrap_or_default().into()
}

/// Whether one of `paths` lies in another or is the same.
fn may_meet(paths: &[PathBuf]) -> bool {
    let real: Vec<_> = paths.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    (0..real.len()).any(|i| (0..real.len()).any(|j| i != j && real[i].starts_with(&real[j])))
}
