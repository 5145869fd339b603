//! The flags, each beside its help.

mod check;
mod common;

pub(super) use check::{Check, CheckForm};
pub(super) use common::{Broken, Common, ComparedUnit, Empty, FromForm, HowAlike, WhichStays};

use check::{CHECK_EXAMPLES, CHECK_STATUS};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};
use unecho::report::visible;
use unecho::runner::Budget;
use unecho::source::{Form, Packing};
use unecho::{Error, Share};

const EXIT_STATUS: &str = "Exit status: 0 done, 2 any error (all other files are still done).";

/// More threads than this do nothing but wait on any machine there is.
pub(super) const MOST_THREADS: u64 = 1024;

/// Finds text that repeats itself and writes a clean copy.
///
/// Without a command, `unecho` cleans: one file or standard input to standard output, several files or a folder to the
/// folder given with -o. A paragraph, or a run of them, that stands in the text a second time is removed; the first stays, and
/// every other byte comes out as it went in. Inputs are never written to, unless with --in-place.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
#[command(after_help = format!("{CLEAN_EXAMPLES}\n  unecho scan texts/                     What repeats there, and where\n\n{EXIT_STATUS}"))]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) clean: Clean,
    #[command(flatten)]
    pub(super) global: Global,
}

const CLEAN_EXAMPLES: &str = "\
Examples:
  unecho article.txt -o clean.txt        The clean copy of one text
  curl https://example.org/a | unecho    The same in a pipe
  unecho texts/ -o clean/                All texts of a folder
  unecho --across crawl/ -o clean/       The same, less what stands in an earlier document
  unecho --in-place texts/               The same where they are; unecho restore takes it back
  zstd -dc crawl.jsonl.zst | unecho --from jsonl --across > clean.jsonl";

const SCAN_EXAMPLES: &str = "\
Examples:
  unecho scan article.txt                What repeats, with its lines
  unecho scan --format json texts/ | jq '.documents[].path'
  unecho scan --format diff texts/       The lines that would go";

const VERIFY_STATUS: &str = "Exit status: 0 all holds, 1 something doesn't, 2 it can't be told.";

const RESTORE_EXAMPLES: &str = "\
Examples:
  unecho restore .unecho/0001.jsonl      Undo a run in place
  unecho restore record.jsonl -o texts/  Write the originals to a folder
  unecho restore record.jsonl -o -       Write the one original to standard output";

const RESTORE_STATUS: &str = "Exit status: 0 all originals are there, 2 any error (if a clean copy is missing nothing is done).";

impl Args {
    /// The arguments of this process; ends it with a message if they make no sense.
    /// Beside them, which of them are given, by the names of their fields.
    pub(super) fn read() -> (Self, impl Fn(&str) -> bool) {
        let matches = Self::command().get_matches();
        if let Some(why) = misplaced(&Self::command(), &matches) {
            Self::command().error(ErrorKind::ArgumentConflict, why).exit();
        }
        let args = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        let of_command = matches.subcommand().map_or_else(|| matches.clone(), |(_, matches)| matches.clone());
        let is_given = move |name: &str| {
            let is_known = of_command.try_contains_id(name).is_ok();
            is_known && of_command.value_source(name) == Some(ValueSource::CommandLine)
        };
        (args, is_given)
    }
}

/// What to say if something that belongs to a command stands before it.
fn misplaced(command: &clap::Command, matches: &ArgMatches) -> Option<String> {
    let (name, _) = matches.subcommand()?;
    let is_given = |arg: &&Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    let arg = command.get_arguments().filter(|arg| !arg.is_global_set()).find(is_given)?;
    let shown = match arg.get_long() {
        Some(long) => format!("--{long}"),
        None => matches.get_raw(arg.get_id().as_str())?.next()?.to_string_lossy().into_owned(),
    };
    let shown = visible(&shown);
    Some(format!("'{shown}' stands before the command '{name}'; write it after the command (a file of that name is ./{name})"))
}

/// The names of the commands.
pub(super) const COMMANDS: [&str; 8] = ["clean", "scan", "check", "verify", "restore", "completions", "man", "help"];

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a clean copy (what runs without a command)
    #[command(after_help = format!("{CLEAN_EXAMPLES}\n\n{EXIT_STATUS}"))]
    Clean(Clean),
    /// Show what repeats and where; changes nothing
    #[command(after_help = format!("{SCAN_EXAMPLES}\n\n{EXIT_STATUS}"))]
    Scan(Scan),
    /// Fail if something repeats: the gate for CI
    #[command(after_help = format!("{CHECK_EXAMPLES}\n\n{CHECK_STATUS}"))]
    Check(Check),
    /// Prove a recorded run once more: each cut by its witness, and the clean copies
    #[command(after_help = VERIFY_STATUS)]
    Verify(Verify),
    /// Take a recorded run back: the originals, made of the clean copies and the record
    #[command(after_help = format!("{RESTORE_EXAMPLES}\n\n{RESTORE_STATUS}"))]
    Restore(Restore),
    /// Print the completions for a shell: unecho completions bash > /etc/bash_completion.d/unecho
    Completions(Completions),
    /// Print the manual page of the program or of a command: unecho man check | man -l -
    Man(Man),
}

#[derive(Debug, clap::Args)]
pub(super) struct Clean {
    /// Where the clean copy goes: a file (or -, standard output) for one input, a folder for several or for a folder
    #[arg(short, long, value_name = "OUT", conflicts_with = "files")]
    pub(super) output: Option<PathBuf>,
    /// Put each clean copy where its input is; a record in .unecho/ beside them takes it back
    #[arg(short, long, conflicts_with_all = ["output", "to", "files", "record"])]
    pub(super) in_place: bool,
    /// With --in-place, keep no record: what is removed is lost
    #[arg(long)]
    pub(super) no_record: bool,
    /// Write each cut with its proof to FILE, such as cuts.jsonl or cuts.jsonl.zst, for `unecho verify` and `unecho restore`
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    pub(super) record: Option<PathBuf>,
    /// Stop before anything is written if more than SHARE of all bytes would go, written like 50%; a stream can't be held back, and has a
    /// warning [default: 90% of several documents]
    #[arg(long, value_name = "SHARE", value_parser = share, conflicts_with = "files")]
    pub(super) max_removed: Option<Share>,
    /// Go on with a run over several files that was interrupted: what is complete in the folder of the outputs stays
    #[arg(long, conflicts_with_all = ["files", "in_place"])]
    pub(super) resume: bool,
    /// Write records in this form, whatever theirs is; the name of the one output, such as clean.parquet, says the same
    #[arg(long, value_enum, value_name = "FORM", conflicts_with = "files")]
    to: Option<ToForm>,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, clap::Args)]
pub(super) struct Scan {
    /// The form of the report
    #[arg(long, value_enum, default_value_t = ReportForm::Text, conflicts_with = "files")]
    pub(super) format: ReportForm,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// The command; without one, the program
    pub(super) command: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// The record of a run
    #[arg(value_name = "RECORD")]
    pub(super) record: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// The record of a run
    #[arg(value_name = "RECORD")]
    pub(super) record: PathBuf,
    /// Where the originals go: a file (or -, standard output) for one, a folder for several [default: where they were]
    #[arg(short, long, value_name = "OUT")]
    pub(super) output: Option<PathBuf>,
    /// Restore what can be, though files are missing, or were changed where a run in place had been
    #[arg(long)]
    pub(super) keep_going: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ReportForm {
    /// A line a block: FILE:LINES: repeats lines …
    Text,
    /// One object: documents, their repeats, a summary
    Json,
    /// What a clean copy would lack, as patch takes it; of Parquet and WARC each document's text
    Diff,
}

/// What any command takes.
#[derive(Debug, clap::Args)]
pub(super) struct Global {
    /// Say nothing but errors, and warnings of what may not be meant
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Name every document with repeats, and all that is left out
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// The number of threads, up to 1024; 0 or nothing: one a core. The output is the same for any
    #[arg(long, value_name = "N", global = true, default_value_t = 0, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(..=MOST_THREADS))]
    pub(super) threads: u64,
    /// How much memory a run with --across may take, written like 4G or 512M, at least 64M; what it doesn't hold is read twice, by way
    /// of temporary files, with the same output [default: half of what there is]
    #[arg(long, value_name = "SIZE", global = true, value_parser = size)]
    pub(super) memory: Option<u64>,
    /// The folder for temporary files [default: that of the output; for standard output $TMPDIR or /var/tmp]
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) temp_dir: Option<PathBuf>,
    /// The configuration [default: unecho.toml in the current folder or the nearest one it is in]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,
    /// Read no configuration
    #[arg(long, global = true, conflicts_with = "config")]
    pub(super) no_config: bool,
    /// When to colour messages
    #[arg(long, value_enum, value_name = "WHEN", global = true, default_value_t = Color::Auto)]
    pub(super) color: Color,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ToForm {
    /// JSON Lines; of WARC and Parquet
    Jsonl,
    /// Apache Parquet; of JSON Lines and WARC
    Parquet,
    /// WET: WARC with plain text alone; of WARC
    Wet,
}

/// A share such as "80%".
pub(super) fn share(words: &str) -> Result<Share, String> {
    let percent = words.strip_suffix('%').unwrap_or(words).trim_end().parse().ok();
    percent.and_then(Share::of_percent).ok_or_else(|| "a share is a whole number of percent: 80%".into())
}

/// A size such as "4G", in units of 1024.
pub(super) fn size(words: &str) -> Result<u64, String> {
    let digits = words.trim_end_matches(|c: char| !c.is_ascii_digit());
    let shift = match words[digits.len()..].trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => Some(0),
        "k" | "kb" | "kib" => Some(10),
        "m" | "mb" | "mib" => Some(20),
        "g" | "gb" | "gib" => Some(30),
        "t" | "tb" | "tib" => Some(40),
        _ => None,
    };
    let bytes = shift.and_then(|shift| digits.parse::<u64>().ok()?.checked_mul(1 << shift));
    let bytes = bytes.ok_or("a size is a whole number of bytes, or of K, M, G or T: 512M")?;
    if bytes < Budget::LEAST { Err("less than 64M is too little".into()) } else { Ok(bytes) }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Settles it for all messages. `auto` asks the terminal and the NO_COLOR variable.
    pub(super) fn write_global(self) {
        match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::AlwaysAnsi,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

impl Clean {
    /// The form of the outputs, if it was asked for.
    pub(super) fn to(&self) -> Option<Form> {
        self.to.map(|form| match form {
            ToForm::Jsonl => Form::Jsonl,
            ToForm::Parquet => Form::Parquet,
            ToForm::Wet => Form::Warc,
        })
    }
}

impl Global {
    /// How much memory there is, and where temporary files go: beside an output of this name if that isn't said.
    ///
    /// # Errors
    /// If that is no folder.
    pub(super) fn budget(&self, output: Option<&Path>) -> Result<Budget, Error> {
        if let Some(folder) = self.temp_dir.as_deref().filter(|folder| !folder.is_dir()) {
            return Err(Error::refused(folder, "is no folder, and --temp-dir needs one that is there"));
        }
        let beside =
            |output: &Path| -> PathBuf { output.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new(".")).into() };
        // What isn't a file or a folder, such as a pipe, has nothing beside it.
        let output = output.filter(|output| output.is_dir() || output.is_file() || !output.exists());
        let memory = self.memory.unwrap_or_else(|| Budget::of_machine().memory);
        let packs = output.is_some_and(|output| Packing::of_name(output).0 != Packing::Plain);
        Ok(Budget { memory, temporary: self.temp_dir.clone().or_else(|| output.map(beside)), packs })
    }

    /// The number of threads; 0: one a core.
    pub(super) fn threads(&self) -> usize {
        usize::try_from(self.threads).expect("the parser allows no more than MOST_THREADS")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Args::command().debug_assert();
        let mut command = Args::command();
        command.build();
        assert_eq!(command.get_subcommands().map(clap::Command::get_name).collect::<Vec<_>>(), COMMANDS);
    }
}
