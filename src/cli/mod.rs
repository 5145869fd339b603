//! From arguments to exit status: flags are read and checked here, the library does the work, and each command is one file.
//!
//! Results go to standard output through the library's `report` (findings) and `apply` (clean copies); the list of `--files`,
//! which is neither, is written here.

mod args;
mod check;
mod clean;
mod config;
mod files;
mod held;
mod inputs;
mod journal;
mod progress;
mod recording;
mod restore;
mod run;
mod scan;
mod shell;
mod signals;
mod suggest;
mod terminal;
mod verify;
mod writing;

use args::{Args, Command};
use config::Config;
use std::process::ExitCode;
use terminal::Terminal;
use unecho::Result;

/// What was looked for was found: a repeat that fails a check, a proof that doesn't hold.
const FOUND: u8 = 1;
/// Any error, one unreadable file among thousands included.
const FAILED: u8 = 2;

/// How a command ended that went through to its end.
enum Status {
    Done,
    /// Something repeats or doesn't hold, and was named.
    Found,
    /// Something could not be read or written, and was named.
    SomeFailed,
}

impl Status {
    fn of(failed: u64) -> Self {
        if failed == 0 { Status::Done } else { Status::SomeFailed }
    }
}

pub(crate) fn main() -> ExitCode {
    let (mut args, given) = Args::read();
    args.global.color.write_global();
    let terminal = Terminal::new(&args.global);
    let outcome = Config::find(&args.global).and_then(|config| {
        config.complete(&mut args, given)?;
        run(&args, &config, &terminal)
    });
    match outcome {
        Ok(Status::Done) => ExitCode::SUCCESS,
        Ok(Status::Found) => ExitCode::from(FOUND),
        Ok(Status::SomeFailed) => ExitCode::from(FAILED),
        Err(error) if error.is_end_of_reader() => ExitCode::SUCCESS,
        Err(error) => {
            terminal.error(&error);
            ExitCode::from(FAILED)
        }
    }
}

fn run(args: &Args, config: &Config, terminal: &Terminal) -> Result<Status> {
    if let Some(path) = config.path().filter(|_| terminal.is_verbose()) {
        terminal.say(&format!("configured by {}", path.display()));
    }
    match &args.command {
        Some(Command::Scan(scan)) => scan::run(scan, &args.global, terminal),
        Some(Command::Check(check)) => check::run(check, config, &args.global, terminal),
        Some(Command::Verify(verify)) => verify::run(verify, &args.global, terminal),
        Some(Command::Restore(restore)) => restore::run(restore, &args.global, terminal),
        Some(Command::Completions(completions)) => shell::completions(completions),
        Some(Command::Man(man)) => shell::man(man),
        Some(Command::Clean(clean)) => clean::run(clean, &args.global, terminal, true),
        None => clean::run(&args.clean, &args.global, terminal, false),
    }
}
