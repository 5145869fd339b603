//! A folder of its own for a test of the whole program, and what running it there gave.
#![allow(dead_code, reason = "each test takes the part it needs")]

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub(crate) const ARTICLE: &str = include_str!("../../fixtures/doubled-article.txt");

/// The article less its second body.
pub(crate) fn clean_article() -> String {
    ARTICLE.lines().take(14).collect::<Vec<_>>().join("\n")
}

/// A folder with the article in three places: `art.txt`, `d/art.txt` and `d/sub/x.md`.
pub(crate) struct Desk(tempfile::TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        ["art.txt", "d/art.txt", "d/sub/x.md"].iter().for_each(|path| desk.write(path, ARTICLE));
        desk
    }

    /// The same in memory, where that is a folder: syncs cost nothing there, however busy the disk is.
    pub(crate) fn in_memory() -> Self {
        match tempfile::tempdir_in("/dev/shm") {
            Ok(folder) => Self(folder),
            Err(_) => Self(tempfile::tempdir().unwrap()),
        }
    }

    /// Its folder, which stays when the test ends: to look at what failed.
    pub(crate) fn kept(self) -> PathBuf {
        self.0.keep()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))).into_owned()
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        fs::symlink_metadata(self.path(path)).is_ok()
    }

    /// The program, to be started here.
    pub(crate) fn unecho(&self, args: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unecho"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::new(format!("unecho {}", args.join(" ")), self.unecho(args).output().unwrap())
    }

    /// Runs a line of the shell here, in which `unecho` is the program.
    pub(crate) fn sh(&self, line: &str) -> Ran {
        let folder = Path::new(env!("CARGO_BIN_EXE_unecho")).parent().unwrap();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(self.0.path()).env("PATH", path).stdin(Stdio::null());
        Ran::new(line.into(), command.output().unwrap())
    }

    /// Everything below a folder whose name begins with a dot: temporary files, if any were forgotten.
    pub(crate) fn leftovers(&self, folder: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.to_string_lossy().contains("/.unecho-")).collect()
    }
}

/// What a command did.
pub(crate) struct Ran {
    command: String,
    pub(crate) status: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn new(command: String, output: Output) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let Output { status, stdout, stderr } = &output;
        Self { command, status: status.code(), signal: status.signal(), stdout: text(stdout), stderr: text(stderr) }
    }

    #[track_caller]
    pub(crate) fn succeeds(&self) -> &Self {
        assert_eq!(self.status, Some(0), "{self}");
        self
    }

    /// It ends with status 2 and says so.
    #[track_caller]
    pub(crate) fn fails(&self, because: &str) -> &Self {
        assert_eq!(self.status, Some(2), "{self}");
        self.says(because)
    }

    /// A proof doesn't hold: it ends with status 1 and says so.
    #[track_caller]
    pub(crate) fn disagrees(&self, because: &str) -> &Self {
        assert_eq!(self.status, Some(1), "{self}");
        self.says(because)
    }

    #[track_caller]
    pub(crate) fn says(&self, what: &str) -> &Self {
        assert!(self.stderr.contains(what), "not said: {what}\n{self}");
        self
    }

    #[track_caller]
    pub(crate) fn prints(&self, text: &str) -> &Self {
        if self.stdout != text {
            panic!("{self}\n{}", difference(text, &self.stdout));
        }
        self
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "$ {}\nstatus {:?}, signal {:?}\nstderr:\n{}", self.command, self.status, self.signal, self.stderr)
    }
}

/// Panics with the first difference of two texts, byte for byte.
#[track_caller]
pub(crate) fn assert_same(found: &str, wanted: &str, what: &str) {
    if found != wanted {
        panic!("{what}: {}", difference(wanted, found));
    }
}

fn difference(wanted: &str, found: &str) -> String {
    let at = wanted.bytes().zip(found.bytes()).take_while(|(a, b)| a == b).count();
    let around =
        |text: &str| String::from_utf8_lossy(&text.as_bytes()[at.min(text.len())..(at + 60).min(text.len())]).into_owned();
    format!(
        "{} bytes wanted, {} found; from byte {at} on:\nwanted {:?}\nfound  {:?}",
        wanted.len(),
        found.len(),
        around(wanted),
        around(found)
    )
}

/// Says that a test could not be run, past the capture of the test's output.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}
