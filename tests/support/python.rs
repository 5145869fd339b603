//! Other readers of the same files, where Python has them.

use crate::desk::{Desk, Ran, skipped};
use std::env;
use std::ffi::OsString;
use std::process::Command;

/// The Python that has this module: the one that UNECHO_PYTHON names, or python3. Nothing, which is said, if it hasn't.
pub(crate) fn with(module: &str) -> Option<OsString> {
    let python = env::var_os("UNECHO_PYTHON").unwrap_or_else(|| "python3".into());
    let imported = Command::new(&python).args(["-c", &format!("import {module}")]).output();
    if imported.is_ok_and(|imported| imported.status.success()) {
        return Some(python);
    }
    skipped(&format!("{} has no {module}; UNECHO_PYTHON names another Python", python.display()));
    None
}

/// Runs a program in it, in the folder of the test, and holds that it succeeds.
#[track_caller]
pub(crate) fn run(python: &OsString, desk: &Desk, program: &str, what: &str) -> Ran {
    let mut command = Command::new(python);
    command.args(["-c", program]).current_dir(desk.path(""));
    let ran = Ran::new(format!("python, {what}"), command.output().unwrap());
    ran.succeeds();
    ran
}
