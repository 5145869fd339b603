//! The command line of unecho.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
