//! The clean copy: the source less its cuts, and how it comes to stand under its name. The only writer of user data.
//!
//! An output appears whole or not at all: it is written to a temporary file beside its place, the batch is synced once, and
//! then each takes its name.

use crate::document::Span;
use crate::error::{Error, Result};
use crate::source::{Input, Source};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

/// Short stretches between cuts are gathered up to this size; longer ones are written as they stand in memory.
const BUFFER: usize = 256 << 10;

/// Writes `source` without `cuts` (in order, without overlap).
///
/// # Errors
/// Those of `out`.
pub fn write_without(source: &[u8], cuts: impl IntoIterator<Item = Span>, out: &mut dyn Write) -> io::Result<()> {
    let mut at = 0;
    for cut in cuts {
        out.write_all(&source[at..cut.start as usize])?;
        at = cut.end as usize;
    }
    out.write_all(&source[at..])
}

/// `source` without `cuts` (in order, without overlap).
pub fn without(source: &[u8], cuts: impl IntoIterator<Item = Span>) -> Vec<u8> {
    let mut out = Vec::with_capacity(source.len());
    write_without(source, cuts, &mut out).expect("memory takes what is written to it");
    out
}

/// Where clean copies go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// One file.
    File(PathBuf),
    /// A folder in which each output has its input's name.
    Folder(PathBuf),
}

/// An output that is complete but has not its name yet. Dropping it removes it.
#[must_use]
pub struct Pending {
    written: TempPath,
    place: PathBuf,
}

impl Target {
    /// Refuses to write where an input is: the output being an input, lying inside one, or holding one.
    ///
    /// # Errors
    /// A refusal that names both.
    pub fn ensure_apart(&self, inputs: &[PathBuf]) -> Result<()> {
        let (place, is_folder) = match self {
            Target::Stdout => return Ok(()),
            Target::File(path) => (path, false),
            Target::Folder(path) => (path, true),
        };
        let real_place = real_path(place);
        for input in inputs {
            let Ok(real) = fs::canonicalize(input) else { continue }; // a missing input is reported when it is opened
            let meets = if !is_folder {
                real_place == real
            } else if real.is_dir() {
                real_place.starts_with(&real) || real.starts_with(&real_place)
            } else {
                real.parent() == Some(&real_place)
            };
            if meets {
                let why = format!(
                    "as an output would meet the input {}; inputs are never written to: choose another place",
                    input.display()
                );
                return Err(Error::refused(place, why));
            }
        }
        if is_folder && place.exists() && !place.is_dir() {
            return Err(Error::refused(place, "is a file; the clean copies of several inputs need a folder"));
        }
        if !is_folder && (place.is_dir() || place.as_os_str().to_string_lossy().ends_with('/')) {
            let name = inputs.first().and_then(|input| input.file_name()).unwrap_or("clean.txt".as_ref());
            let why = format!("is a folder; for one input, name the file: -o {}", place.join(name).display());
            return Err(Error::refused(place, why));
        }
        Ok(())
    }

    /// Writes the clean copy of a source; what goes to a file waits for [`publish`].
    ///
    /// # Errors
    /// If it can't be written, or the input changed meanwhile.
    pub fn write(&self, input: &Input, source: &Source, cuts: impl IntoIterator<Item = Span>) -> Result<Option<Pending>> {
        let place = match self {
            Target::Stdout => return write_stdout(source, cuts).map(|()| None),
            Target::File(path) => real_path(path),
            Target::Folder(folder) => folder.join(&input.name),
        };
        if fs::metadata(&place).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
            // A pipe or device keeps its name: it is written to, not replaced.
            return write_special(&place, source, cuts).map(|()| None);
        }
        let pending = Pending::write(&place, source.permissions(), |out| write_without(source, cuts, out))?;
        source.ensure_unchanged(input)?;
        Ok(Some(pending))
    }
}

fn write_stdout(source: &[u8], cuts: impl IntoIterator<Item = Span>) -> Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, unbuffered_stdout());
    write_without(source, cuts, &mut out)
        .and_then(|()| out.flush())
        .map_err(|error| Error::io(Path::new("standard output"), error))
}

/// Standard output without the line buffer of the standard library, which would cost a system call a line.
#[cfg(unix)]
fn unbuffered_stdout() -> impl Write {
    use std::os::fd::AsFd;
    let descriptor = io::stdout().as_fd().try_clone_to_owned();
    descriptor.map_or_else(|_| Box::new(io::stdout()) as Box<dyn Write>, |fd| Box::new(File::from(fd)))
}

#[cfg(not(unix))]
fn unbuffered_stdout() -> impl Write {
    io::stdout()
}

fn write_special(place: &Path, source: &[u8], cuts: impl IntoIterator<Item = Span>) -> Result<()> {
    let write = || {
        let mut out = BufWriter::with_capacity(BUFFER, OpenOptions::new().write(true).open(place)?);
        write_without(source, cuts, &mut out)?;
        out.flush()
    };
    write().map_err(|error| Error::io(place, error))
}

impl Pending {
    /// Writes a file that will stand at `place`.
    ///
    /// # Errors
    /// If that fails; nothing stays behind then.
    pub fn write(
        place: &Path,
        permissions: Option<fs::Permissions>,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Self> {
        let failed = |error| Error::io(place, error);
        let file = temporary_beside(place, permissions).map_err(failed)?;
        let mut out = BufWriter::with_capacity(BUFFER, file);
        content(&mut out).and_then(|()| out.flush()).map_err(failed)?;
        let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
        #[cfg(not(target_os = "linux"))]
        file.as_file().sync_all().map_err(failed)?;
        Ok(Self { written: file.into_temp_path(), place: place.into() })
    }
}

/// A temporary file in the folder of `place`, which is made if it isn't there.
fn temporary_beside(place: &Path, permissions: Option<fs::Permissions>) -> io::Result<NamedTempFile> {
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".unecho-").suffix(".tmp");
    // The permissions of the input, or those of any new file, less what the user's mask takes.
    builder.permissions(permissions.unwrap_or_else(new_file_permissions));
    match builder.tempfile_in(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            builder.tempfile_in(folder)
        }
        done => done,
    }
    .map_err(|error| {
        io::Error::new(error.kind(), error.into_inner().map_or_else(|| "can't be written".into(), |e| e.to_string()))
    })
}

#[cfg(unix)]
fn new_file_permissions() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

/// Syncs what was written once, then gives each output its name, in order. What comes with an output comes back with it, or
/// the error that kept it from its name.
pub fn publish<T>(batch: Vec<(T, Option<Pending>)>) -> Vec<Result<T>> {
    let waiting: Vec<&Pending> = batch.iter().filter_map(|(_, pending)| pending.as_ref()).collect();
    let synced = waiting.first().map_or(Ok(()), |first| sync(&first.written, waiting.len()));
    let name = |pending: Pending| match &synced {
        Ok(()) => pending.written.persist(&pending.place).map_err(|error| Error::io(&pending.place, error.error)),
        Err(error) => Err(Error::io(&pending.place, error.kind().into())),
    };
    batch.into_iter().map(|(with, pending)| pending.map_or(Ok(()), name).map(|()| with)).collect()
}

/// Brings a batch of outputs to the disk: one file by itself, more with all else in its file system in one call.
#[cfg(target_os = "linux")]
fn sync(written: &Path, count: usize) -> io::Result<()> {
    let file = File::open(written)?;
    if count == 1 { file.sync_data() } else { rustix::fs::syncfs(&file).map_err(io::Error::from) }
}

#[cfg(not(target_os = "linux"))]
fn sync(_: &Path, _: usize) -> io::Result<()> {
    Ok(()) // each was synced when it was written
}

/// The path without links, also of what doesn't exist yet.
fn real_path(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => real_path(parent).join(name),
        _ => path,
    }
}
