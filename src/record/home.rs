//! Where the records of runs in place are kept, the folder `.unecho` beside the inputs; and that one run at a time changes what is in a
//! folder.

use crate::apply::sync_names;
use crate::error::{Error, Result};
use crate::source::RECORDS;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The last line of a record that came to its end is in its last bytes, which are so many.
const END: u64 = 256;

/// The folders that a run changes something in, which are its own until this is dropped, however the program ends.
///
/// A run locks each of its folders for itself, and those around it together with all that change something elsewhere in them. So two
/// runs meet wherever one's folder is the other's or lies in it.
#[must_use]
pub struct Homes {
    /// The first one, as it was given.
    first: PathBuf,
    _locks: Vec<File>,
}

impl Homes {
    /// Takes the folders of these paths: of a folder it itself, of a file the one that it is in.
    ///
    /// # Errors
    /// If another run has one of them.
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Result<Self> {
        let mut given: Vec<(PathBuf, &Path)> = Vec::new();
        let mut first = None;
        for path in paths {
            let around = around(path);
            first.get_or_insert(around);
            // What isn't there is said where it is opened.
            if let Ok(real) = fs::canonicalize(around) {
                given.push((real, around));
            }
        }
        given.sort();
        given.dedup_by(|inner, outer| inner.0.starts_with(&outer.0)); // what lies in another one is locked with it
        let mut locks = Vec::new();
        let mut shared: Vec<&Path> = Vec::new();
        for (real, around) in &given {
            locks.extend(lock(real, around, rustix::fs::FlockOperation::NonBlockingLockExclusive)?);
            for outer in real.ancestors().skip(1) {
                if !shared.contains(&outer) {
                    shared.push(outer);
                    locks.extend(lock(outer, around, rustix::fs::FlockOperation::NonBlockingLockShared)?);
                }
            }
        }
        Ok(Self { first: first.unwrap_or(Path::new(".")).into(), _locks: locks })
    }

    /// The last record here, if its run broke off.
    pub fn broken_off(&self) -> Option<PathBuf> {
        let (_, last) = self.last_record().ok()??;
        let mut file = File::open(&last).ok()?;
        let mut end = Vec::new();
        file.seek(SeekFrom::End(0)).and_then(|size| file.seek(SeekFrom::Start(size.saturating_sub(END)))).ok()?;
        file.read_to_end(&mut end).ok()?;
        let is_ended = memchr::memmem::rfind(&end, b"{\"complete\":").is_some() && end.ends_with(b"\n");
        (!is_ended).then_some(last)
    }

    /// Where the record of this run goes: the next number that is free.
    pub(super) fn next_record(&self) -> Result<PathBuf> {
        let number = self.last_record()?.map_or(0, |(number, _)| number);
        let folder = self.first.join(RECORDS);
        let next = number.checked_add(1).ok_or_else(|| Error::refused(&folder, "has no number left for another record"))?;
        Ok(folder.join(format!("{next:04}.jsonl")))
    }

    fn last_record(&self) -> Result<Option<(u32, PathBuf)>> {
        let folder = self.first.join(RECORDS);
        match numbered(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            records => Ok(records.map_err(|error| Error::io(&folder, error))?.pop()),
        }
    }
}

/// The records in a folder, in the order of their numbers.
fn numbered(folder: &Path) -> io::Result<Vec<(u32, PathBuf)>> {
    let record = |entry: fs::DirEntry| Some((number(&entry.path())?, entry.path()));
    let mut records: Vec<(u32, PathBuf)> = fs::read_dir(folder)?.flatten().filter_map(record).collect();
    records.sort_unstable();
    Ok(records)
}

/// The number of a record of this name.
fn number(record: &Path) -> Option<u32> {
    record.file_name()?.to_str()?.split('.').next()?.parse().ok()
}

/// The records of later runs in place that are beside one, the last one first.
pub(super) fn later_than(record: &Path) -> Vec<PathBuf> {
    let Some((own, folder)) = number(record).zip(record.parent().filter(|folder| folder.ends_with(RECORDS))) else {
        return Vec::new();
    };
    let later = numbered(folder).unwrap_or_default().into_iter().rev().take_while(|(number, _)| *number > own);
    later.map(|(_, path)| path).collect()
}

/// The folder that a record of a run in place is kept for.
pub fn home_of(record: &Path) -> Option<PathBuf> {
    let folder = record.parent().filter(|folder| folder.ends_with(RECORDS))?;
    fs::canonicalize(folder).ok()?.parent().map(Path::to_path_buf)
}

/// Begins a record of a run in place. Who may not read a text may not read what was cut of it.
pub(super) fn begin(path: &Path) -> Result<File> {
    let folder = path.parent().unwrap_or(path);
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(Error::io(folder, error)),
        _ => {}
    }
    let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path).map_err(|error| Error::io(path, error))?;
    // What comes to be in it must be found after a power cut, too.
    sync_names(folder, folder)?;
    sync_names(folder.parent().unwrap_or(folder), folder)?;
    Ok(file)
}

/// Locks a folder; nothing where that may be changed but not read, or its file system knows no locks.
fn lock(folder: &Path, given: &Path, how: rustix::fs::FlockOperation) -> Result<Option<File>> {
    let Ok(file) = File::open(folder) else { return Ok(None) };
    match rustix::fs::flock(&file, how) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(Error::refused(given, "another run changes something there, or around it; run again when it has ended"))
        }
        Err(rustix::io::Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(Error::io(given, error.into())),
    }
}

/// The folder that the records of runs on a path are beside in.
fn around(path: &Path) -> &Path {
    if path.is_dir() { path } else { folder_of(path) }
}

/// The folder that a path is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
