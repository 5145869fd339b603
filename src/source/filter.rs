//! Which names of a folder are wanted: `--include`, `--exclude` and `.unechoignore`, all in the syntax of `.gitignore`.

use crate::error::{Error, Result};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::path::Path;

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
    let mut builder = GitignoreBuilder::new("");
    for glob in globs {
        builder.add_line(None, glob).map_err(|error| Error::refused(Path::new(flag), error.to_string()))?;
    }
    builder.build().map_err(|error| Error::refused(Path::new(flag), error.to_string()))
}

/// The `.unechoignore` files of the folders from the walk's root down to where it stands.
#[derive(Default)]
pub(super) struct IgnoreFiles(Vec<(usize, Gitignore)>);

impl IgnoreFiles {
    /// The walk enters a folder at `depth`: what stood in folders it has left counts no more.
    ///
    /// # Errors
    /// If the folder's ignore file can't be read or holds something that isn't a pattern.
    pub(super) fn enter(&mut self, folder: &Path, depth: usize) -> Result<()> {
        self.leave(depth);
        let path = folder.join(IGNORE_FILE);
        if !path.is_file() {
            return Ok(());
        }
        let (ignore, error) = Gitignore::new(&path);
        self.0.push((depth, ignore));
        error.map_or(Ok(()), |error| Err(Error::refused(&path, error.to_string())))
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
