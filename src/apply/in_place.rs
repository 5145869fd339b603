//! Outputs that take the place of their inputs: what is refused, so that nothing is lost that isn't in the record.

use super::disk::Disk;
use super::pending::{Berth, Standing};
use crate::error::{Error, Result};
use crate::source::{Input, Origin};
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
        Origin::Named(path) | Origin::Walked(path) => berth(path, &Disk::default()).map(drop),
    }
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
