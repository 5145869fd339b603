//! From arguments to exit status: flags are read and checked here, the library does the work, and each command is one file.

mod args;
mod clean;
mod progress;
mod scan;
mod terminal;

use args::{Args, Command, Common};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use terminal::Terminal;
use unecho::report::Tally;
use unecho::runner::Outcome;
use unecho::source::{Form, Found, Input, Walk};
use unecho::{Error, Result};

/// Any error, one unreadable file among thousands included.
const FAILED: u8 = 2;

pub(crate) fn main() -> ExitCode {
    let args = Args::read();
    args.global.color.write_global();
    let terminal = Terminal::new(&args.global);
    let outcome = match args.command {
        Some(Command::Scan(scan)) => scan::run(&scan, &args.global, &terminal),
        Some(Command::Clean(clean)) => clean::run(&clean, &args.global, &terminal),
        None => clean::run(&args.clean, &args.global, &terminal),
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(FAILED),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            terminal.error(&error);
            ExitCode::from(FAILED)
        }
    }
}

/// What is to be read.
enum Inputs {
    Stdin(Form),
    Paths(Vec<PathBuf>, Walk),
}

impl Inputs {
    fn new(common: &Common) -> Result<Self> {
        let selection = common.selection();
        match common.paths.as_slice() {
            [] => Ok(Inputs::Stdin(Form::Text)),
            [path] if path.as_os_str() == "-" => Ok(Inputs::Stdin(Form::Text)),
            paths => match paths.iter().find(|path| path.as_os_str() == "-") {
                Some(path) => {
                    Err(Error::refused(path, "standard input can't be read together with files; a file of that name is ./-"))
                }
                None => Ok(Inputs::Paths(paths.to_vec(), Walk::new(paths, &selection)?)),
            },
        }
    }

    /// The one file, or standard input, that this is; `None` for several or a folder.
    fn is_single(&self) -> bool {
        match self {
            Inputs::Stdin(_) => true,
            Inputs::Paths(paths, _) => matches!(paths.as_slice(), [path] if !path.is_dir()),
        }
    }

    fn paths(&self) -> &[PathBuf] {
        match self {
            Inputs::Stdin(_) => &[],
            Inputs::Paths(paths, _) => paths,
        }
    }

    fn found(self) -> Box<dyn Iterator<Item = Found>> {
        match self {
            Inputs::Stdin(form) => Box::new(std::iter::once(Found::Input(Input::stdin(form)))),
            Inputs::Paths(_, walk) => Box::new(walk),
        }
    }
}

/// Lists what would be read, a path a line.
fn list_files(inputs: Inputs, terminal: &Terminal) -> Result<u64> {
    use std::io::Write;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (mut listed, mut failed) = (0, 0);
    let written = |error| Error::io(Path::new("standard output"), error);
    for found in inputs.found() {
        match found {
            Found::Input(input) => {
                listed += 1;
                out.write_all(input.path().as_os_str().as_encoded_bytes())
                    .and_then(|()| out.write_all(b"\n"))
                    .map_err(written)?;
            }
            Found::LeftOut(path, why) => terminal.left_out(&path, why),
            Found::Failed(error) => {
                failed += 1;
                terminal.error(&error);
            }
        }
    }
    out.flush().map_err(written)?;
    if listed + failed == 0 { terminal.nothing_read().map(|()| 1) } else { Ok(failed) }
}

/// Counts an outcome that gave nothing, and says why where that is wanted.
fn note<T>(outcome: Outcome<T>, tally: &mut Tally, terminal: &Terminal) -> Result<Option<T>> {
    match outcome {
        Outcome::Done(done) => return Ok(Some(done)),
        Outcome::LeftOut(path, why) => {
            tally.leave_out(why);
            terminal.left_out(&path, why);
        }
        Outcome::Failed(error) if error.is_broken_pipe() => return Err(error),
        Outcome::Failed(error) => {
            tally.failed += 1;
            terminal.error(&error);
        }
    }
    Ok(None)
}

/// Writes the sums where `--stats` asks for them.
fn write_stats(path: Option<&Path>, tally: &Tally) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let mut json = serde_json::to_vec_pretty(tally).expect("numbers and names are JSON");
    json.push(b'\n');
    std::fs::write(path, json).map_err(|error| Error::io(path, error))
}
