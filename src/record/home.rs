//! Where the records of runs in place are kept: the folder `.unecho` beside the inputs. One run at a time has it.

use crate::apply::sync_names;
use crate::error::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// The name of the folder.
const NAME: &str = ".unecho";
/// The file in it that a run has while it is under way.
const LOCK: &str = "lock";

/// The folder that belongs to this run until it is dropped.
#[must_use]
pub struct Home {
    folder: PathBuf,
    /// Held open: the lock goes with it, however the program ends.
    _lock: File,
}

impl Home {
    /// Takes the one beside a path: in it, if that is a folder.
    ///
    /// # Errors
    /// If another run has it, or it can't be made.
    pub fn beside(path: &Path) -> Result<Self> {
        let around = around(path);
        let folder = around.join(NAME);
        let failed = |error| Error::io(&folder, error);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(LOCK));
        let lock = open.map_err(failed)?;
        match rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { folder, _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                Err(Error::refused(around, "another run is under way there; run again when it has ended"))
            }
            Err(error) => Err(failed(error.into())),
        }
    }

    /// Whether it is the one beside a path.
    pub fn is_beside(&self, path: &Path) -> bool {
        let [here, there] = [&self.folder, &around(path).join(NAME)].map(|folder| fs::canonicalize(folder).ok());
        here.is_some() && here == there
    }

    /// A new file for the record of this run: the next number that is free.
    ///
    /// # Errors
    /// If it can't be made.
    pub(super) fn journal(&self) -> Result<(File, PathBuf)> {
        let failed = |error| Error::io(&self.folder, error);
        let number = |name: &str| name.split('.').next().and_then(|digits| digits.parse::<u32>().ok());
        let entries = fs::read_dir(&self.folder).map_err(failed)?;
        let last = entries.flatten().filter_map(|entry| number(entry.file_name().to_str()?)).max().unwrap_or(0);
        let path = self.folder.join(format!("{:04}.jsonl", last + 1));
        let file = OpenOptions::new().append(true).create_new(true).open(&path).map_err(|error| Error::io(&path, error))?;
        // What comes to be in it must be found after a power cut, too.
        sync_names(&self.folder, &self.folder)?;
        sync_names(self.folder.parent().unwrap_or(&self.folder), &self.folder)?;
        Ok((file, path))
    }
}

/// The folder that the records of runs on a path are beside in.
fn around(path: &Path) -> &Path {
    match path.parent() {
        _ if path.is_dir() => path,
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
