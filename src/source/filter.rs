//! Which names of a folder are wanted: `--include`, `--exclude` and `.unechoignore`, all in the syntax of `.gitignore`.

use crate::document::BYTE_ORDER_MARK;
use crate::error::{Error, Place, Result, io_reason};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::fmt::Display;
use std::path::Path;
use std::{fs, io};

/// The name of the files that list what is to be left out.
const IGNORE_FILE: &str = ".unechoignore";

/// The patterns given by flags.
pub(super) struct Filter {
    include: Option<Gitignore>,
    exclude: Gitignore,
}

impl Filter {
    /// # Errors
    /// If a pattern isn't one.
    pub(super) fn new(include: &[String], exclude: &[String]) -> Result<Self> {
        let include = if include.is_empty() { None } else { Some(patterns("--include", include)?) };
        Ok(Self { include, exclude: patterns("--exclude", exclude)? })
    }

    /// Whether the entry at `path`, relative to the folder that is walked, is wanted.
    pub(super) fn wants(&self, path: &Path, is_folder: bool) -> bool {
        !self.exclude.matched(path, is_folder).is_ignore()
            && (is_folder
                || self.include.as_ref().is_none_or(|include| include.matched_path_or_any_parents(path, false).is_ignore()))
    }
}

fn patterns(flag: &str, globs: &[String]) -> Result<Gitignore> {
    let refused = |error: ignore::Error| Error::refused(Place::Request(flag.into()), error.to_string());
    let mut builder = GitignoreBuilder::new("");
    for glob in globs {
        builder.add_line(None, &anchored(glob)).map_err(refused)?;
    }
    builder.build().map_err(refused)
}

/// The pattern, with "./" at its beginning, which git takes for a name that never occurs, as the "/" it is meant for.
fn anchored(pattern: &str) -> String {
    let (not, rest) = pattern.strip_prefix('!').map_or(("", pattern), |rest| ("!", rest));
    rest.strip_prefix("./").map_or_else(|| pattern.into(), |rest| format!("{not}/{rest}"))
}

/// The `.unechoignore` files of the folders from the walk's root down to where it stands.
#[derive(Default)]
pub(super) struct IgnoreFiles(Vec<(usize, Gitignore)>);

impl IgnoreFiles {
    /// The walk enters a folder at `depth`: what stood in folders it has left counts no more.
    ///
    /// # Errors
    /// If the folder's ignore file can't be read or holds something that isn't a pattern. Nobody knows then which of the
    /// folder's files are wanted.
    pub(super) fn enter(&mut self, folder: &Path, depth: usize) -> Result<()> {
        self.leave(depth);
        let path = folder.join(IGNORE_FILE);
        // What stands there but isn't a file is looked at no further: a pipe would be waited for.
        match fs::symlink_metadata(&path).and_then(|_| fs::metadata(&path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(&path).is_err() => return Ok(()),
            Err(error) => {
                // Where the folder itself can't be entered that is what is wrong.
                fs::read_dir(folder).map_err(|error| Error::io(folder, error))?;
                return Err(unusable(&path, io_reason(&error)));
            }
            Ok(metadata) if !metadata.is_file() => return Err(unusable(&path, "not a file")),
            Ok(_) => {}
        }
        self.0.push((depth, read(folder, &path)?));
        Ok(())
    }

    fn leave(&mut self, depth: usize) {
        while self.0.last().is_some_and(|&(entered, _)| entered >= depth) {
            self.0.pop();
        }
    }

    /// Whether the entry at `path`, at `depth`, is to be left out. The innermost file that says something decides.
    pub(super) fn leave_out(&mut self, path: &Path, depth: usize, is_folder: bool) -> bool {
        self.leave(depth);
        let matches = self.0.iter().rev().map(|(_, ignore)| ignore.matched(path, is_folder));
        matches.into_iter().find(|found| !found.is_none()).is_some_and(|found| found.is_ignore())
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
}
