//! Which names of a folder are wanted: `--include`, `--exclude`, the configuration's, `.unechoignore` and, where that is asked
//! for, `.gitignore`, all in the syntax of the last.

use crate::document::BYTE_ORDER_MARK;
use crate::error::{Error, Place, Result, io_reason};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::fmt::Display;
use std::path::{Component, Path, PathBuf};
use std::{env, fs, io};

/// The name of the files that list what is to be left out.
const IGNORE_FILE: &str = ".unechoignore";
/// The name of those that list what git leaves out.
const GIT_IGNORE_FILE: &str = ".gitignore";

/// Patterns in the syntax of `.gitignore`, as they were given.
#[derive(Clone, Debug, Default)]
pub struct Globs {
    /// The patterns, in order.
    pub list: Vec<String>,
    /// The folder that they are relative to, by an absolute path; none: the one that is walked.
    pub base: Option<PathBuf>,
}

/// The same, ready to be held against paths.
#[derive(Clone, Debug)]
pub struct Patterns {
    matcher: Gitignore,
    /// The folder that they are relative to, if that isn't the one that is walked; and how the current one stands in it.
    base: Option<(PathBuf, PathBuf)>,
}

impl Patterns {
    /// Those that `from` gives, a flag or a key.
    ///
    /// # Errors
    /// If one of them isn't a pattern.
    pub fn new(from: &str, globs: &Globs) -> Result<Self> {
        let refused = |error: ignore::Error| Error::refused(Place::Request(from.into()), error.to_string());
        let mut builder = GitignoreBuilder::new("");
        for glob in &globs.list {
            builder.add_line(None, &anchored(glob)).map_err(refused)?;
        }
        let here = || env::current_dir().map_err(|error| Error::io(Place::Request("the current folder".into()), error));
        let base = globs.base.clone().map(|base| Ok::<_, Error>((base, here()?))).transpose()?;
        Ok(Self { matcher: builder.build().map_err(refused)?, base })
    }

    /// Whether one of them is meant for a path, which stands in the folder that is walked at `within`.
    fn matched(&self, path: &Path, within: &Path, is_folder: bool) -> bool {
        match &self.base {
            None => self.matcher.matched(within, is_folder).is_ignore(),
            Some((base, here)) => below(base, here, path).is_some_and(|path| self.matcher.matched(path, is_folder).is_ignore()),
        }
    }

    /// Whether one of them is meant for a path or a folder it is in.
    fn matched_with_parents(&self, path: &Path, within: &Path) -> bool {
        let matched = |path: &Path| self.matcher.matched_path_or_any_parents(path, false).is_ignore();
        match &self.base {
            None => matched(within),
            Some((base, here)) => below(base, here, path).is_some_and(|path| matched(&path)),
        }
    }

    /// Whether one of them is meant for the file at `path`, or for a folder it is in.
    pub fn cover(&self, path: &Path) -> bool {
        self.matched_with_parents(path, path)
    }
}

/// A path as it stands below a folder, seen from `here`; `None` if it doesn't.
pub fn below(folder: &Path, here: &Path, path: &Path) -> Option<PathBuf> {
    let mut whole = PathBuf::new();
    for component in here.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(whole.pop()),
            component => whole.push(component),
        }
    }
    whole.strip_prefix(folder).ok().map(Path::to_owned)
}

/// The patterns that a walk goes by.
pub(super) struct Filter {
    include: Option<Patterns>,
    exclude: Option<Patterns>,
}

impl Filter {
    /// # Errors
    /// If a pattern isn't one.
    pub(super) fn new(include: &Globs, exclude: &Globs) -> Result<Self> {
        let patterns = |from, globs: &Globs| (!globs.list.is_empty()).then(|| Patterns::new(from, globs)).transpose();
        Ok(Self { include: patterns("--include", include)?, exclude: patterns("--exclude", exclude)? })
    }

    /// Whether the entry at `path`, which stands in the folder that is walked at `within`, is wanted.
    pub(super) fn wants(&self, path: &Path, within: &Path, is_folder: bool) -> bool {
        !self.exclude.as_ref().is_some_and(|exclude| exclude.matched(path, within, is_folder))
            && (is_folder || self.include.as_ref().is_none_or(|include| include.matched_with_parents(path, within)))
    }
}

/// The pattern, with "./" at its beginning, which git takes for a name that never occurs, as the "/" it is meant for.
fn anchored(pattern: &str) -> String {
    let (not, rest) = pattern.strip_prefix('!').map_or(("", pattern), |rest| ("!", rest));
    rest.strip_prefix("./").map_or_else(|| pattern.into(), |rest| format!("{not}/{rest}"))
}

/// The files of the folders, from the walk's root down to where it stands, that say what is to be left out.
#[derive(Default)]
pub(super) struct IgnoreFiles {
    own: Vec<(usize, Gitignore)>,
    git: Option<GitIgnoreFiles>,
}

/// The `.gitignore` files of a walk.
struct GitIgnoreFiles {
    /// Those of the folders that the root is in, up to the root of its repository, the innermost first.
    above: Vec<Gitignore>,
    /// The root by its path without links, as those above know it.
    root: PathBuf,
    within: Vec<(usize, Gitignore)>,
}

impl IgnoreFiles {
    /// Those for a walk below `root`; `.gitignore` files count, too.
    pub(super) fn with_git(root: &Path) -> Self {
        let root = fs::canonicalize(root).unwrap_or_else(|_| root.into()); // what isn't there is reported by the walk
        let above = if root.join(".git").exists() { Vec::new() } else { above(&root) };
        Self { own: Vec::new(), git: Some(GitIgnoreFiles { above, root, within: Vec::new() }) }
    }

    /// The walk enters a folder at `depth`: what stood in folders it has left counts no more.
    ///
    /// # Errors
    /// If the folder's ignore file can't be read or holds something that isn't a pattern. Nobody knows then which of the
    /// folder's files are wanted.
    pub(super) fn enter(&mut self, folder: &Path, depth: usize) -> Result<()> {
        leave(&mut self.own, depth);
        let path = folder.join(IGNORE_FILE);
        if exists(folder, &path)? {
            self.own.push((depth, read(folder, &path)?));
        }
        let Some(git) = &mut self.git else { return Ok(()) };
        leave(&mut git.within, depth);
        let path = folder.join(GIT_IGNORE_FILE);
        if exists(folder, &path)? {
            let lines = lines_as_git_takes_them(&path)?;
            git.within.push((depth, patterns_of_git(folder, lines.iter().map(String::as_str))));
        }
        Ok(())
    }

    /// Whether the entry at `path`, at `depth`, which stands below the root at `within`, is to be left out. The innermost file that
    /// says something decides, and a `.unechoignore` before any `.gitignore`.
    pub(super) fn leave_out(&mut self, path: &Path, within: &Path, depth: usize, is_folder: bool) -> bool {
        leave(&mut self.own, depth);
        let said = |ignore: &Gitignore, path: &Path| match ignore.matched(path, is_folder) {
            Match::None => None,
            said => Some(said.is_ignore()),
        };
        let own = self.own.iter().rev().find_map(|(_, ignore)| said(ignore, path));
        let by_git = |git: &mut GitIgnoreFiles| {
            leave(&mut git.within, depth);
            let below = git.within.iter().rev().find_map(|(_, ignore)| said(ignore, path));
            below.or_else(|| {
                let path = if git.above.is_empty() { return None } else { git.root.join(within) };
                git.above.iter().find_map(|ignore| said(ignore, &path))
            })
        };
        own.or_else(|| self.git.as_mut().and_then(by_git)).unwrap_or(false)
    }
}

fn leave(files: &mut Vec<(usize, Gitignore)>, depth: usize) {
    while files.last().is_some_and(|&(entered, _)| entered >= depth) {
        files.pop();
    }
}

/// Whether there is an ignore file at `path`. What stands there but isn't a file is looked at no further: a pipe would be waited for.
fn exists(folder: &Path, path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path).and_then(|_| fs::metadata(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => Ok(false),
        Err(error) => {
            // Where the folder itself can't be entered that is what is wrong.
            fs::read_dir(folder).map_err(|error| Error::io(folder, error))?;
            Err(unusable(path, io_reason(&error)))
        }
        Ok(metadata) if !metadata.is_file() => Err(unusable(path, "not a file")),
        Ok(_) => Ok(true),
    }
}

fn read(folder: &Path, path: &Path) -> Result<Gitignore> {
    let text = fs::read(path).map_err(|error| unusable(path, io_reason(&error)))?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
    let mut builder = GitignoreBuilder::new(folder);
    for (number, line) in (1..).zip(text.split(|&byte| byte == b'\n')) {
        let line = str::from_utf8(line).map_err(|_| unusable(path, format!("line {number}: not UTF-8")))?;
        let pattern = anchored(line.strip_suffix('\r').unwrap_or(line));
        builder.add_line(None, &pattern).map_err(|error| unusable(path, format!("line {number}: {error}")))?;
    }
    builder.build().map_err(|error| unusable(path, error))
}

/// The lines of a `.gitignore` file; what isn't UTF-8 names no file of ours.
fn lines_as_git_takes_them(path: &Path) -> Result<Vec<String>> {
    let text = fs::read(path).map_err(|error| unusable(path, io_reason(&error)))?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
    let lines = text.split(|&byte| byte == b'\n').filter_map(|line| str::from_utf8(line).ok());
    Ok(lines.map(|line| line.strip_suffix('\r').unwrap_or(line).into()).collect())
}

/// Patterns of a `.gitignore` file; one that isn't any matches nothing, as for git.
fn patterns_of_git<'a>(folder: &Path, lines: impl Iterator<Item = &'a str>) -> Gitignore {
    let mut builder = GitignoreBuilder::new(folder);
    for line in lines {
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

/// The `.gitignore` files of the folders that `root` is in, the innermost first, up to that of its repository. None of them counts if
/// they cover the root itself: it was named all the same. Without a repository there are none.
fn above(root: &Path) -> Vec<Gitignore> {
    let Some(top) = root.ancestors().skip(1).position(|folder| folder.join(".git").exists()) else { return Vec::new() };
    let mut above = Vec::new();
    for folder in root.ancestors().skip(1).take(top + 1) {
        // What can't be read here concerns what wasn't named.
        let Ok(lines) = lines_as_git_takes_them(&folder.join(GIT_IGNORE_FILE)) else { continue };
        // A pattern for all that a folder holds covers that folder as well.
        let whole = lines.iter().map(|line| line.trim_end_matches('*').strip_suffix('/').unwrap_or(line));
        let covers = patterns_of_git(folder, whole.filter(|line| !line.is_empty()));
        if covers.matched_path_or_any_parents(root, true).is_ignore() {
            return Vec::new();
        }
        above.push(patterns_of_git(folder, lines.iter().map(String::as_str)));
    }
    above
}

fn unusable(path: &Path, why: impl Display) -> Error {
    Error::refused(path, format!("{why}; the files of its folder are not read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_from_here_on_is_anchored() {
        assert_eq!([anchored("./a"), anchored("!./a/b"), anchored("a/b"), anchored(".a")], ["/a", "!/a/b", "a/b", ".a"]);
    }

    #[test]
    fn a_path_is_seen_from_a_folder_above() {
        let seen = |path: &str| below(Path::new("/a"), Path::new("/a/b"), Path::new(path));
        assert_eq!(seen("c.md"), Some("b/c.md".into()));
        assert_eq!(seen("../c/./d.md"), Some("c/d.md".into()));
        assert_eq!(seen("/a/d.md"), Some("d.md".into()));
        assert_eq!(seen("../../d.md"), None);
    }
}
