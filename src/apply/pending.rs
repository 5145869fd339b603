//! An output that is complete but has not its name yet.

use super::copy::CleanCopy;
use super::disk::written;
use crate::error::{Error, Result, What, io_reason};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};
use xattr::FileExt;

/// A file from this size on is kept open until it has its name, to be synced by itself if it is alone in its batch. A batch
/// holds few of them, so that the system's bound on open files isn't met.
pub(super) const KEPT_OPEN: usize = 4 << 20;

/// An output that is complete but has not its name yet. Dropping it removes it.
#[must_use]
pub struct Pending {
    /// `None`: there is to be none.
    written: Option<TempPath>,
    /// Where it will stand, absolute.
    pub(super) place: PathBuf,
    /// The same as it was asked for, for errors.
    given: PathBuf,
    /// The file system it is in.
    pub(super) device: u64,
    /// The input that it replaces, in place.
    replaced: Option<Standing>,
    /// The file itself, where it is worth keeping open.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "synced when it was written"))]
    pub(super) open: Option<File>,
}

/// Where an output will stand.
pub(super) struct Berth {
    /// Absolute; its folder exists.
    pub(super) place: PathBuf,
    /// The same as it was asked for, for errors.
    pub(super) given: PathBuf,
    /// The file system it is in.
    pub(super) device: u64,
    /// The mode of the file that stands there already: who may not read it may not read what replaces it.
    pub(super) mode: Option<u32>,
    /// Who owns what it replaces, and the group, if that is to stay so, as is its mode then.
    pub(super) owner: Option<(u32, u32)>,
    /// What stands there and is to be replaced as it is now, if it is an input.
    pub(super) replaced: Option<Standing>,
    /// Whether it is the only output.
    pub(super) is_alone: bool,
}

/// What tells whether a file is still the one that was looked at.
#[derive(PartialEq, Eq)]
pub(super) struct Standing {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Standing {
    pub(super) fn of(metadata: &fs::Metadata) -> Self {
        Self { inode: metadata.ino(), size: metadata.len(), modified: (metadata.mtime(), metadata.mtime_nsec()) }
    }
}

impl Berth {
    /// A new file beside it. Who may not read what stands there already may not read what replaces it.
    pub(super) fn open(&self, permissions: Option<Permissions>) -> Result<NamedTempFile> {
        let failed = |error| Error::io(&self.given, error);
        if let (Some(owner), Some(mode)) = (self.owner, self.mode) {
            let file = temporary_beside(&self.place, Some(&Permissions::from_mode(0o600))).map_err(failed)?;
            keep_rights(file.as_file(), owner, mode)
                .and_then(|()| keep_attributes(file.as_file(), &self.place))
                .map_err(failed)?;
            return Ok(file);
        }
        let of_source = permissions.as_ref().map_or(0o777, Permissions::mode);
        let kept = self.mode.map(|mode| Permissions::from_mode(mode & 0o777 & of_source));
        let file = temporary_beside(&self.place, kept.as_ref().or(permissions.as_ref())).map_err(failed)?;
        if let Some(kept) = kept {
            file.as_file().set_permissions(kept).map_err(failed)?; // whatever the mask takes from new files
        }
        Ok(file)
    }
}

impl Pending {
    /// Writes the file that will stand at `berth`. Nothing stays behind if that fails.
    pub(super) fn write(berth: Berth, permissions: Option<Permissions>, copy: CleanCopy) -> Result<Self> {
        let file = berth.open(permissions)?;
        copy.write_to(file.as_file()).map_err(|error| Error::io(&berth.given, error))?;
        Self::of(berth, file, copy.source.len() >= KEPT_OPEN)
    }

    /// What was written whole to the file that will stand at `berth`.
    pub(super) fn of(berth: Berth, file: NamedTempFile, is_large: bool) -> Result<Self> {
        written(file.as_file()).map_err(|error| Error::io(&berth.given, error))?;
        let (file, written) = file.into_parts();
        let open = (berth.is_alone || is_large).then_some(file);
        Ok(Self { written: Some(written), open, ..Self::none(berth) })
    }

    /// That nothing is to stand at `berth`.
    pub(super) fn none(berth: Berth) -> Self {
        let Berth { place, given, device, replaced, .. } = berth;
        Self { written: None, place, given, device, replaced, open: None }
    }

    /// What will stand there, to be read; nothing if there is to be none.
    pub(crate) fn open_written(&self) -> io::Result<Option<File>> {
        self.written.as_ref().map(File::open).transpose()
    }

    /// Where it will stand, as it was asked for.
    pub(crate) fn given(&self) -> &Path {
        &self.given
    }

    /// It is to wait for long, with many others: what needn't be open isn't.
    pub fn wait(&mut self) {
        self.open = None;
    }

    /// Takes its name, now that what stands in it is on the disk; if there is to be none, what has that name goes.
    pub(super) fn take_name(self, synced: Option<&io::Result<()>>) -> Result<()> {
        if let Some(Err(error)) = synced {
            let error = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
            return Err(Error::io(&self.given, error));
        }
        // Someone may have changed it while it waited; what they do in this very moment can't be seen.
        let is_as_it_was = |then: &Standing| fs::symlink_metadata(&self.place).is_ok_and(|now| Standing::of(&now) == *then);
        if !self.replaced.as_ref().is_none_or(is_as_it_was) {
            return Err(Error { place: (&self.given).into(), what: What::Changed { spoilt: None } });
        }
        let named = match self.written {
            Some(written) => written.persist(&self.place).map_err(|error| error.error),
            None => fs::remove_file(&self.place),
        };
        named.map_err(|error| Error::io(&self.given, error))
    }
}

/// Gives a new file the owner and the mode of what it replaces.
fn keep_rights(file: &File, (user, group): (u32, u32), mode: u32) -> io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (user, group) {
        fchown(file, Some(user), Some(group)).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => {
                io::Error::other("belongs to another user or group, who can't be given the new file; -o writes a copy")
            }
            _ => error,
        })?;
    }
    file.set_permissions(Permissions::from_mode(mode & 0o7777)) // after it, since a change of owners takes rights away
}

/// Gives a new file the extended attributes of what it replaces, its access control lists among them.
fn keep_attributes(file: &File, replaced: &Path) -> io::Result<()> {
    let names = match xattr::list(replaced) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(()),
        names => names?,
    };
    for name in names {
        let Some(value) = xattr::get(replaced, &name)? else { continue };
        let is_kept = file.set_xattr(&name, &value);
        // The system itself labels new files.
        if let Err(error) = is_kept.or_else(|error| if name.as_bytes().starts_with(b"security.") { Ok(()) } else { Err(error) }) {
            let why = format!("has the extended attribute {}, which can't be kept: {}", name.display(), io_reason(&error));
            return Err(io::Error::other(why));
        }
    }
    Ok(())
}

/// How the names of temporary files begin and end.
const PREFIX: &str = ".unecho-";
const SUFFIX: &str = ".tmp";

/// So many names are looked at for temporary files.
const MOST_NAMES: usize = 100_000;

/// The temporary files in a folder, each with its size. Of a folder with very many names only the first are looked at.
pub(super) fn left_over(folder: &Path) -> Vec<(PathBuf, u64)> {
    temporaries(walkdir::WalkDir::new(folder).min_depth(1).max_depth(1).into_iter().take(MOST_NAMES))
}

/// The same, and those in the folders in it.
pub fn left_over_below(folder: &Path) -> Vec<(PathBuf, u64)> {
    temporaries(walkdir::WalkDir::new(folder).into_iter().take(MOST_NAMES))
}

fn temporaries(entries: impl IntoIterator<Item = walkdir::Result<walkdir::DirEntry>>) -> Vec<(PathBuf, u64)> {
    let is_ours = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
    let ours = entries.into_iter().flatten().filter(|entry| is_ours(entry.file_name()));
    ours.map(|entry| (entry.path().into(), entry.metadata().map_or(0, |metadata| metadata.len()))).collect()
}

/// A temporary file in the folder of `place`, with these permissions, or those of any new file, less what the user's mask takes.
fn temporary_beside(place: &Path, permissions: Option<&Permissions>) -> io::Result<NamedTempFile> {
    let folder = place.parent().unwrap_or(place);
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX).permissions(permissions.cloned().unwrap_or_else(|| Permissions::from_mode(0o666)));
    builder.tempfile_in(folder).map_err(without_path)
}

/// The system's error alone: the name of a temporary file tells nobody anything.
fn without_path(error: io::Error) -> io::Error {
    let inner = error.get_ref().and_then(|with_path| with_path.source()?.downcast_ref::<io::Error>()?.raw_os_error());
    inner.map_or(error, io::Error::from_raw_os_error)
}
