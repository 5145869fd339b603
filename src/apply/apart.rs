//! Outputs and inputs never meet: whether a place is an input, lies in one, or holds one.

use crate::error::{Error, Place, Result};
use crate::source::{By, Form, Identity};
use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// The inputs of a run, as what outputs must keep away from.
pub(super) struct Inputs {
    /// The folders, by their paths without links; each with the path it was given by.
    folders: HashMap<PathBuf, PathBuf>,
    /// Files and folders, whatever path leads to them.
    known: HashMap<Identity, PathBuf>,
}

impl Inputs {
    /// What doesn't exist is reported when it is opened, and can't be met.
    pub(super) fn new(paths: &[PathBuf]) -> Self {
        let mut inputs = Self { folders: HashMap::new(), known: HashMap::new() };
        for path in paths {
            let Ok(metadata) = fs::metadata(path) else { continue };
            if metadata.is_dir()
                && let Ok(real) = fs::canonicalize(path)
            {
                inputs.folders.insert(real, path.clone());
            }
            inputs.known.insert(Identity::of(&metadata), path.clone());
        }
        // Also where nothing is read from it: what a caller's loop reads is no place for an output either.
        if let Some(stdin) = Identity::of_regular(&io::stdin()) {
            inputs.known.insert(stdin, "standard input".into());
        }
        inputs
    }

    /// Refuses an output folder that is an input, lies in one, or holds one of `paths`.
    pub(super) fn refuse_folder(&self, real: &Path, given: &Path, paths: &[PathBuf]) -> Result<()> {
        self.refuse_inside(real, given)?;
        if fs::symlink_metadata(real).is_err() {
            return Ok(()); // what isn't there holds nothing
        }
        let held = |path: &&PathBuf| fs::canonicalize(path).is_ok_and(|path| path.starts_with(real));
        paths.iter().find(held).map_or(Ok(()), |path| Err(meets(given, "holds", path)))
    }

    /// Refuses a place that is an input folder or lies in one, by its path without links or by a mount.
    pub(super) fn refuse_inside(&self, real: &Path, given: &Path) -> Result<()> {
        for (steps, folder) in real.ancestors().enumerate() {
            let by_path = || self.folders.get(folder);
            let by_identity = || fs::metadata(folder).ok().and_then(|metadata| self.known.get(&Identity::of(&metadata)));
            if !self.folders.is_empty()
                && let Some(input) = by_path().or_else(by_identity)
            {
                return Err(meets(given, if steps == 0 { "is" } else { "lies in" }, input));
            }
        }
        Ok(())
    }

    /// Refuses a file that is an input.
    pub(super) fn refuse_file(&self, existing: &Metadata, given: &Path) -> Result<()> {
        self.known.get(&Identity::of(existing)).map_or(Ok(()), |input| Err(meets(given, "is", input)))
    }

    /// Refuses an open descriptor that leads to an input.
    pub(super) fn refuse_stream(&self, stream: Option<Identity>, place: &Place) -> Result<()> {
        let input = stream.and_then(|stream| self.known.get(&stream));
        input.map_or(Ok(()), |input| Err(meets(place.clone(), "is", input)))
    }

    /// Refuses a file for something other than a clean copy, such as statistics, where it is an input, or will be one of the next run:
    /// in an input folder, and of a form that is read.
    pub(super) fn refuse_readable(&self, real: &Path, given: &Path, from: Option<Form>) -> Result<()> {
        let is_hidden = real.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && (from.is_some() || Form::of_name(real).is_some_and(|(_, by)| by != By::Beginning)) {
            let or_name = |error: Error| Error::refused(given, format!("{}, or a name that isn't read", error.what));
            return self.refuse_inside(real, given).map_err(or_name);
        }
        Ok(())
    }
}

fn meets(given: impl Into<Place>, how: &str, input: &Path) -> Error {
    Error::refused(given, format!("{how} the input {}; inputs are never written to: choose another place", input.display()))
}
