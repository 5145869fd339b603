//! What shells and `man` want of the program: completions and pages, made of its arguments.

use super::Status;
use super::args::{Args, Completions, Man};
use clap::CommandFactory;
use std::io::{self, Write};
use unecho::{Error, Place, Result};

/// The completions of a shell.
pub(super) fn completions(args: &Completions) -> Result<Status> {
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "unecho", &mut out);
    put(&out)
}

/// The page of the program, or that of a command.
pub(super) fn man(args: &Man) -> Result<Status> {
    let mut program = Args::command();
    program.build();
    let command = match &args.command {
        None => program,
        Some(name) => {
            let found = program.find_subcommand(name).filter(|found| found.get_name() != "help");
            let no_command =
                || Error::refused(Place::Request(name.clone()), "there is no such command; unecho --help lists them");
            found.ok_or_else(no_command)?.clone()
        }
    };
    let mut out = Vec::new();
    clap_mangen::Man::new(command).render(&mut out).map_err(|error| Error::io(Place::Stdout, error))?;
    put(&out)
}

fn put(bytes: &[u8]) -> Result<Status> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Error::io(Place::Stdout, error))?;
    Ok(Status::Done)
}
