//! Where a path leads: the same for what is there and for what isn't yet, links followed in both.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::RawFd;
use std::path::{Component, Path, PathBuf};

/// More links than this in one path are taken for a circle, as the system does.
const MOST_LINKS: usize = 40;

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Leads {
    /// A descriptor that this process holds open, such as "/dev/stdout".
    ToDescriptor(RawFd),
    /// A path without links and "..".
    ToPath(PathBuf),
}

/// Follows a path to its end. Of a part that doesn't exist the names are taken as they stand, ".." being the name before.
///
/// # Errors
/// If there is no working directory to start from, or the links go round in a circle.
pub(super) fn follow(path: &Path) -> io::Result<Leads> {
    let mut real = PathBuf::new();
    let mut rest = steps(&std::path::absolute(path)?);
    let mut links = 0;
    while let Some(step) = rest.pop() {
        if step == OsStr::new("..") {
            real.pop();
            continue;
        }
        let next = real.join(&step);
        if let Some(number) = descriptor(&next) {
            return Ok(Leads::ToDescriptor(number));
        }
        // An absolute step or link starts again at the root, since joining it replaces what came before.
        match fs::read_link(&next) {
            Ok(target) if links < MOST_LINKS => {
                links += 1;
                rest.extend(steps(&target));
            }
            Ok(_) => return Err(io::Error::from_raw_os_error(libc::ELOOP)),
            Err(_) => real = next, // not a link, or not there
        }
    }
    Ok(Leads::ToPath(real))
}

/// The steps of a path, the first one last.
fn steps(path: &Path) -> Vec<OsString> {
    let steps = path.components().rev().filter(|step| *step != Component::CurDir);
    steps.map(|step| step.as_os_str().to_owned()).collect()
}

/// The number of the descriptor that a path names, if it is one of this process.
fn descriptor(path: &Path) -> Option<RawFd> {
    let number = path.file_name()?.to_str()?.parse().ok()?;
    let folder = path.parent()?;
    let own = Path::new("/proc").join(std::process::id().to_string());
    let is_own = folder == Path::new("/dev/fd")
        || folder == own.join("fd")
        || (folder.starts_with(own.join("task")) && folder.ends_with("fd"));
    is_own.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_is_not_there_is_followed_like_what_is() {
        let folder = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(top.join("in")).unwrap();
        symlink("nowhere/yet", top.join("dangling")).unwrap();
        symlink(top.join("in"), top.join("link")).unwrap();
        symlink("circle", top.join("circle")).unwrap();
        for (path, real) in [
            ("new/../in/a", "in/a"),
            ("link/../in", "in"),
            ("dangling", "nowhere/yet"),
            ("dangling/../x", "nowhere/x"),
            ("./in/./a", "in/a"),
            ("link/a/..", "in"),
        ] {
            assert_eq!(follow(&top.join(path)).unwrap(), Leads::ToPath(top.join(real)), "{path}");
        }
        assert!(follow(&top.join("circle")).is_err());
    }

    #[test]
    fn a_descriptor_is_not_a_place() {
        assert_eq!(follow(Path::new("/dev/fd/7")).unwrap(), Leads::ToDescriptor(7));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_names_of_standard_output_lead_to_its_descriptor() {
        for path in ["/dev/stdout", "/proc/self/fd/1", "/dev/fd/1"] {
            assert_eq!(follow(Path::new(path)).unwrap(), Leads::ToDescriptor(1), "{path}");
        }
    }
}
