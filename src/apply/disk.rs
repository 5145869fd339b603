//! What brings outputs to the disk before they take their names, and the names after them.
//!
//! Linux syncs all that is new in a file system in one call, so a batch costs one; the names of a batch come with the next one
//! or at the end. Elsewhere each file is synced when it is written, and the folders with the batch.

use crate::error::{Error, Result};
use std::fs::File;
use std::path::Path;

#[cfg(target_os = "linux")]
pub(super) use linux::{Disk, written};
#[cfg(not(target_os = "linux"))]
pub(super) use other::{Disk, written};

/// Brings the names in a folder to the disk.
pub(crate) fn sync_names(folder: &Path, given: &Path) -> Result<()> {
    match File::open(folder) {
        Ok(folder) => folder.sync_all().map_err(|error| Error::io(given, error)),
        Err(_) => Ok(()), // a folder that may be written but not read; the system brings its names in its own time
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use crate::apply::Pending;
    use crate::error::{Error, Result};
    use std::collections::HashMap;
    use std::fs::File;
    use std::io;
    use std::path::Path;
    use std::sync::Mutex;

    /// A file is written; the batch brings it to the disk.
    pub(in crate::apply) fn written(_: &File) -> io::Result<()> {
        Ok(())
    }

    /// The file systems that are written to, by device, each by a folder in it that is kept open: it then also tells of
    /// failures between two syncs. `None` where no folder could be opened.
    #[derive(Default)]
    pub(in crate::apply) struct Disk(Mutex<HashMap<u64, Option<File>>>);

    impl Disk {
        /// Outputs go to a folder on this device.
        pub(in crate::apply) fn meet(&self, folder: &Path, device: u64) {
            let mut systems = self.0.lock().expect("nothing panics with the lock");
            systems.entry(device).or_insert_with(|| File::open(folder).ok());
        }

        /// Brings a batch to the disk: a file that is still open by itself, if it is the only one.
        pub(in crate::apply) fn sync(&self, batch: &[&Pending]) -> HashMap<u64, io::Result<()>> {
            if let [Pending { open: Some(file), device, .. }] = batch {
                return HashMap::from([(*device, file.sync_data())]);
            }
            let systems = self.0.lock().expect("nothing panics with the lock");
            let mut synced = HashMap::new();
            for pending in batch {
                let system = || systems.get(&pending.device).and_then(Option::as_ref);
                synced.entry(pending.device).or_insert_with(|| sync_system(system()));
            }
            synced
        }

        /// Brings the last names to the disk.
        pub(in crate::apply) fn finish(&self, given: &Path) -> Result<()> {
            let systems = self.0.lock().expect("nothing panics with the lock");
            systems.values().try_for_each(|system| sync_system(system.as_ref()).map_err(|error| Error::io(given, error)))
        }
    }

    fn sync_system(folder: Option<&File>) -> io::Result<()> {
        let Some(folder) = folder else {
            rustix::fs::sync();
            return Ok(());
        };
        rustix::fs::syncfs(folder).map_err(io::Error::from)
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use super::sync_names;
    use crate::apply::Pending;
    use crate::error::Result;
    use std::collections::{HashMap, HashSet};
    use std::fs::File;
    use std::io;
    use std::path::{Path, PathBuf};
    use std::sync::Mutex;

    /// A file is written; it goes to the disk at once.
    pub(in crate::apply) fn written(file: &File) -> io::Result<()> {
        file.sync_all()
    }

    /// The folders that outputs of this batch stand in.
    #[derive(Default)]
    pub(in crate::apply) struct Disk(Mutex<HashSet<PathBuf>>);

    impl Disk {
        /// Outputs go to a folder.
        pub(in crate::apply) fn meet(&self, _: &Path, _: u64) {}

        /// Notes the folders of a batch and brings the names of the one before to the disk.
        pub(in crate::apply) fn sync(&self, batch: &[&Pending]) -> HashMap<u64, io::Result<()>> {
            let mut folders = self.0.lock().expect("nothing panics with the lock");
            folders.extend(batch.iter().filter_map(|pending| pending.place.parent().map(Path::to_path_buf)));
            HashMap::new()
        }

        /// Brings the names to the disk.
        pub(in crate::apply) fn finish(&self, given: &Path) -> Result<()> {
            let mut folders = self.0.lock().expect("nothing panics with the lock");
            folders.drain().try_for_each(|folder| sync_names(&folder, given))
        }
    }
}
