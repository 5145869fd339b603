//! An output folder and the folders in it, each looked at once: it is made if it isn't there, and if it is, no link may lead
//! from it back to an input.

use super::apart::Inputs;
use super::disk::Disk;
use super::pending::Berth;
use crate::error::{Error, Result};
use crate::source::Identity;
use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// So many folders are remembered; any number may be written to. What is forgotten is looked at again.
const REMEMBERED: usize = 4096;

/// A folder in which each output has its input's name.
pub(super) struct Folders {
    real: PathBuf,
    given: PathBuf,
    inputs: Inputs,
    known: Mutex<HashMap<PathBuf, Home>>,
}

/// A folder that outputs stand in.
#[derive(Clone, Copy)]
struct Home {
    device: u64,
    /// This run made it, so nothing stands in it but what this run put there.
    is_new: bool,
}

impl Folders {
    pub(super) fn new(real: PathBuf, given: PathBuf, inputs: Inputs) -> Self {
        Self { real, given, inputs, known: Mutex::new(HashMap::new()) }
    }

    /// The folder as it was asked for.
    pub(super) fn given(&self) -> &Path {
        &self.given
    }

    /// Whether a path without links lies in it, or it in that.
    pub(super) fn hold(&self, real: &Path) -> bool {
        real.starts_with(&self.real) || self.real.starts_with(real)
    }

    /// Where the clean copy of this name stands.
    pub(super) fn place(&self, name: &Path) -> PathBuf {
        self.real.join(name)
    }

    /// The place for the clean copy of this name, of an input which is the file `source`; its folder is there after this.
    pub(super) fn berth(&self, name: &Path, source: Option<Identity>, disk: &Disk) -> Result<Berth> {
        let (place, given) = (self.place(name), self.given.join(name));
        let folder = place.parent().unwrap_or(&self.real);
        let home = {
            let mut known = self.known.lock().expect("nothing panics with the lock");
            self.home(folder, &given, &mut known, disk)?
        };
        let existing = if home.is_new { None } else { fs::symlink_metadata(&place).ok() };
        if let Some(existing) = &existing {
            self.look_at(existing, source, &given)?;
        }
        let mode = existing.filter(Metadata::is_file).map(|existing| existing.mode());
        Ok(Berth { place, given, device: home.device, mode, owner: None, replaced: None, is_alone: false })
    }

    /// Makes a folder and those around it, or looks at one that is there.
    fn home(&self, folder: &Path, given: &Path, known: &mut HashMap<PathBuf, Home>, disk: &Disk) -> Result<Home> {
        if let Some(&home) = known.get(folder) {
            return Ok(home);
        }
        let failed = |error| Error::io(given, error);
        let is_top = folder == self.real;
        let is_new = match make(folder, is_top) {
            Err(error) if error.kind() == ErrorKind::NotFound && !is_top => {
                let around = folder.parent().unwrap_or(&self.real);
                self.home(around, given, known, disk)?;
                make(folder, false)
            }
            made => made,
        }
        .map_err(failed)?;
        if !is_new {
            let real = fs::canonicalize(folder).map_err(failed)?;
            self.inputs.refuse_inside(&real, given)?;
        }
        let device = fs::metadata(folder).map_err(failed)?.dev();
        disk.meet(folder, device);
        if known.len() == REMEMBERED {
            known.clear();
        }
        known.insert(folder.into(), Home { device, is_new });
        Ok(Home { device, is_new })
    }

    /// Takes away the folders that were made, as far as nothing stands in them.
    pub(super) fn forget(&self) {
        let known = self.known.lock().expect("nothing panics with the lock");
        let mut made: Vec<&PathBuf> = known.iter().filter(|(_, home)| home.is_new).map(|(folder, _)| folder).collect();
        made.sort_unstable_by(|a, b| b.cmp(a)); // inner ones first
        made.into_iter().for_each(|folder| drop(fs::remove_dir(folder)));
    }

    /// Refuses to put an output where something stands that it can't or mustn't replace.
    fn look_at(&self, existing: &Metadata, source: Option<Identity>, given: &Path) -> Result<()> {
        if existing.is_dir() {
            return Err(Error::refused(given, "is a folder, where a file should stand"));
        }
        if !existing.is_file() && !existing.is_symlink() {
            return Err(Error::refused(given, "is a pipe or a device, which no file replaces"));
        }
        // A mount may show the input folder at another path. A file with a second name is left under that one.
        if existing.nlink() == 1 && Some(Identity::of(existing)) == source {
            return Err(Error::refused(given, "is the input itself; inputs are never written to: choose another place"));
        }
        self.inputs.refuse_file(existing, given)
    }
}

/// Makes a folder, with those around it if asked; gives whether it wasn't there before.
fn make(folder: &Path, with_parents: bool) -> io::Result<bool> {
    match fs::create_dir(folder) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound && with_parents => {
            fs::create_dir_all(folder)?;
            Ok(true)
        }
        Err(_) if folder.is_dir() => Ok(false),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(ErrorKind::NotADirectory.into()),
        Err(error) => Err(error),
    }
}
