//! Outputs that take the place of their inputs: what is refused, so that nothing is lost that isn't in the record.

use super::disk::Disk;
use super::pending::{Berth, Standing};
use crate::error::{Error, Result, io_reason};
use crate::source::{Input, Origin};
use rustix::fs::Access;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Makes sure that a file can be replaced, with nothing but its content changed.
///
/// # Errors
/// A refusal that says why not.
pub fn ensure_replaceable(input: &Input) -> Result<()> {
    match &input.from {
        Origin::Stdin => Err(Error::refused(input.place(), "is no file that could be changed in place")),
        Origin::Named(path) | Origin::Walked(path) => berth(path, &Disk::default()).and_then(|berth| ensure_writable(&berth)),
    }
}

/// Makes sure that a file can be made beside it.
fn ensure_writable(berth: &Berth) -> Result<()> {
    let folder = berth.place.parent().unwrap_or(&berth.place);
    let may = rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK);
    may.map_err(|why| {
        Error::refused(
            &berth.given,
            format!("can't be replaced, since no file can be made in its folder: {}", io_reason(&why.into())),
        )
    })
}

/// The place of an input, which its clean copy takes.
pub(super) fn berth(path: &Path, disk: &Disk) -> Result<Berth> {
    let failed = |error| Error::io(path, error);
    let refused = |why: String| Err(Error::refused(path, why));
    let existing = fs::symlink_metadata(path).map_err(failed)?;
    if existing.is_symlink() {
        let target = fs::canonicalize(path).map_err(failed)?;
        return refused(format!(
            "is a symbolic link, which would no longer be one; clean what it leads to: {}",
            target.display()
        ));
    }
    if !existing.is_file() {
        return refused("is no file that could be changed in place".into());
    }
    if existing.nlink() > 1 {
        let names = existing.nlink();
        return refused(format!(
            "has {names} names (hard links), and the others would keep the text as it was; -o writes a copy"
        ));
    }
    if existing.mode() & 0o222 == 0 {
        return refused("is read-only; chmod u+w lets it be changed in place".into());
    }
    let place = std::path::absolute(path).map_err(failed)?;
    disk.meet(place.parent().unwrap_or(&place), existing.dev());
    let owner = Some((existing.uid(), existing.gid()));
    let (device, mode, replaced) = (existing.dev(), Some(existing.mode()), Some(Standing::of(&existing)));
    Ok(Berth { place, given: path.into(), device, mode, owner, replaced, is_alone: false })
}
