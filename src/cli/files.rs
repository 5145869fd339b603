//! `--files`: what would be read, a path a line.

use super::Status;
use super::args::Common;
use super::inputs::Inputs;
use super::terminal::Terminal;
use std::io::{BufWriter, Write};
use unecho::source::{Found, Identity, LeftOut, reason_to_leave_out};
use unecho::{Error, Place, Result};

#[derive(Default)]
struct Counts {
    listed: u64,
    failed: u64,
    of_unknown_form: u64,
}

pub(super) fn list(inputs: &Inputs, common: &Common, terminal: &Terminal) -> Result<Status> {
    let mut counts = Counts::default();
    match write(inputs, if common.null { b"\0" } else { b"\n" }, terminal, &mut counts) {
        // A reader who has seen enough doesn't make good what failed before.
        Err(error) if error.is_end_of_reader() => return Ok(Status::of(counts.failed)),
        written => written?,
    }
    if counts.listed + counts.failed == 0 {
        Err(inputs.nothing_read(terminal, counts.of_unknown_form))
    } else {
        Ok(Status::of(counts.failed))
    }
}

fn write(inputs: &Inputs, end: &[u8], terminal: &Terminal, counts: &mut Counts) -> Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let failed = |error| Error::io(Place::Stdout, error);
    for found in inputs.found(Identity::of_regular(&std::io::stdout()))? {
        match found {
            Found::Input(input) => {
                match reason_to_leave_out(&input) {
                    Ok(None) => counts.listed += 1,
                    Ok(Some(why)) => {
                        terminal.left_out(input.path(), why);
                        continue;
                    }
                    Err(error) => {
                        counts.failed += 1;
                        terminal.error(&error);
                        continue;
                    }
                }
                let path = input.path().as_os_str().as_encoded_bytes();
                out.write_all(path).and_then(|()| out.write_all(end)).map_err(failed)?;
            }
            Found::LeftOut(path, why) => {
                counts.of_unknown_form += u64::from(why == LeftOut::UnknownForm);
                terminal.left_out(&path, why);
            }
            Found::Failed(error) => {
                counts.failed += 1;
                terminal.error(&error);
            }
        }
    }
    out.flush().map_err(failed)
}
