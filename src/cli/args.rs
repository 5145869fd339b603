//! The flags, each beside its help.

use super::config::{fingerprint, regular_expression};
use clap::builder::{OsStringValueParser, PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use serde::Deserialize;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use unecho::check::{Level, Rule, What};
use unecho::report::visible;
use unecho::runner::{Budget, OnError, Reading};
use unecho::source::{Fields, Form, Globs, Identity, Packing, Selection};
use unecho::{Error, Keep, Match, Settings, Share, Threshold, Unit};

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

const CHECK_EXAMPLES: &str = "\
Examples:
  unecho check .                                     All texts of a repository
  unecho check . --report sarif:unecho.sarif         The same, and a file for code scanning
  unecho check . --baseline .unecho-baseline         Only what isn't listed there
  unecho check . --since origin/main                 Only what that revision doesn't have
  curl -f https://example.org/a.txt | unecho check   A text in a pipe";

const CHECK_STATUS: &str =
    "Exit status: 0 nothing at the level of an error, 1 such findings, 2 any error (nothing to check is one).";

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
pub(super) struct Check {
    /// The form of what goes to standard output
    #[arg(long, value_enum, value_name = "FORM", default_value_t = CheckForm::Text, conflicts_with = "files", help_heading = "What is said")]
    pub(super) format: CheckForm,
    /// Write the findings to a file as well, such as sarif:unecho.sarif (may be repeated)
    #[arg(long = "report", value_name = "FORM:FILE", conflicts_with_all = ["files", "update_baseline"], help_heading = "What is said")]
    #[arg(value_parser = OsStringValueParser::new().try_map(report))]
    pub(super) reports: Vec<(CheckForm, PathBuf)>,
    /// How much a rule matters: off, note, warning, or error, which fails the check (may be repeated). The rules are doubled-block (an
    /// error), repeated-paragraph, repeated-across, repeated-document and unused-ignore (warnings); docs/rules.md explains them
    #[arg(long = "level", value_name = "RULE=LEVEL", value_parser = level, help_heading = "What counts")]
    pub(super) levels: Vec<(Rule, Level)>,
    /// Let a text repeat: hash:FINGERPRINT as reports give it, text:WORDS or regex:EXPRESSION in each paragraph of it (may be repeated)
    #[arg(long, value_name = "KIND:WHAT", value_parser = allowed, help_heading = "What counts")]
    pub(super) allow: Vec<What>,
    /// Report only what this file doesn't list; --update-baseline makes it
    #[arg(long, value_name = "FILE", help_heading = "What counts")]
    pub(super) baseline: Option<PathBuf>,
    /// Make the baseline what is found now, and say what came and went
    #[arg(long, conflicts_with_all = ["since", "files"], help_heading = "What counts")]
    pub(super) update_baseline: bool,
    /// Report only what this git revision doesn't have, compared with all that is there
    #[arg(long, value_name = "REV", conflicts_with = "files", help_heading = "What counts")]
    pub(super) since: Option<String>,
    /// End with 0 though something was found; errors end with 2 all the same
    #[arg(long, help_heading = "What counts")]
    pub(super) exit_zero: bool,
    /// End with 2 if something was left out that neither its name nor a pattern leaves out
    #[arg(long, overrides_with = "no_fail_on_skip", help_heading = "What counts")]
    pub(super) fail_on_skip: bool,
    /// Take back --fail-on-skip.
    #[arg(long, hide = true, overrides_with = "fail_on_skip")]
    no_fail_on_skip: bool,
    /// Of a folder, read also what .gitignore files name
    #[arg(long, overrides_with = "gitignore", help_heading = "What is read")]
    pub(super) no_gitignore: bool,
    /// Take back --no-gitignore.
    #[arg(long, hide = true, overrides_with = "no_gitignore")]
    gitignore: bool,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckForm {
    /// Each finding with both its places
    Text,
    /// One object: findings, counts, a summary
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of the worst ten for GitHub Actions, and the summary of the step
    Github,
    /// A code quality report for GitLab
    Gitlab,
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

/// What the commands share: what is read, and what counts as a repeat.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// Files and folders; none, or -, is standard input
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Take what stands in an earlier document for a repeat, too: runs of 200 columns or more, in the order in which documents are read
    #[arg(long, overrides_with = "no_across", help_heading = "What repeats")]
    pub(super) across: bool,
    /// Take back --across.
    #[arg(long, hide = true, overrides_with = "across")]
    no_across: bool,
    /// What is compared as a whole
    #[arg(long, value_enum, value_name = "UNIT", default_value_t = ComparedUnit::Paragraph, help_heading = "What repeats")]
    pub(super) unit: ComparedUnit,
    /// How alike two paragraphs must be to be the same
    #[arg(long = "match", value_enum, value_name = "HOW", default_value_t = HowAlike::Text, help_heading = "What repeats")]
    pub(super) matching: HowAlike,
    /// Take runs that are at least N columns wide for repeats, within a document and across documents [default: within one 600, or
    /// 200 where they make up a fifth of it; across them 200]
    #[arg(long, value_name = "N", help_heading = "What repeats")]
    pub(super) min_chars: Option<u32>,
    /// Which of several copies stays
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = WhichStays::First, help_heading = "What repeats")]
    pub(super) keep: WhichStays,
    /// Drop a document of whose columns more than SHARE repeats, written like 80%; of a file nothing is written then, and what
    /// stood in its place goes
    #[arg(long, value_name = "SHARE", value_parser = share, help_heading = "What repeats")]
    pub(super) drop_above: Option<Share>,
    /// What becomes of a record all of whose text is removed
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Empty::Drop, help_heading = "What repeats")]
    pub(super) empty: Empty,
    /// Of a record, the field that holds the text
    #[arg(long, alias = "text-key", value_name = "FIELD", default_value = "text", help_heading = "What is read")]
    pub(super) text_field: String,
    /// Of a record, the field that names it in reports
    #[arg(long, value_name = "FIELD", default_value = "id", help_heading = "What is read")]
    pub(super) id_field: String,
    /// What becomes of a broken record, and of a .gz or .zst that breaks off; in each case the exit status is 2
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Broken::Fail, help_heading = "What is read")]
    pub(super) on_error: Broken,
    /// Take every file for this form, whatever its name; .gz and .zst are unpacked all the same
    #[arg(long, value_enum, value_name = "FORM", help_heading = "What is read")]
    pub(super) from: Option<FromForm>,
    /// Of a folder, read only what matches GLOB (as in .gitignore, relative to the folder; may be repeated)
    #[arg(long, value_name = "GLOB", help_heading = "What is read")]
    include: Vec<String>,
    /// Of a folder, leave out what matches GLOB (may be repeated; .unechoignore files do the same)
    #[arg(long, value_name = "GLOB", help_heading = "What is read")]
    exclude: Vec<String>,
    /// Only list what would be read, a path a line
    #[arg(long, help_heading = "What is read")]
    pub(super) files: bool,
    /// With --files, end each path with a NUL instead of a line end
    #[arg(short = '0', long, requires = "files", help_heading = "What is read")]
    pub(super) null: bool,
    /// Write the sums of the run to FILE, as JSON
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    pub(super) stats: Option<PathBuf>,
    /// What stands for `include` and `exclude` if they aren't given.
    #[arg(skip)]
    pub(super) include_always: Option<Globs>,
    #[arg(skip)]
    pub(super) exclude_always: Option<Globs>,
    /// Whether what git leaves out is left out.
    #[arg(skip)]
    pub(super) skips_git_ignored: bool,
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

#[derive(Clone, Copy, Debug, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum HowAlike {
    /// The same bytes
    Bytes,
    /// White space, invisible characters and Unicode spelling don't count
    Text,
    /// As text, and case and punctuation don't count either
    Loose,
}

#[derive(Clone, Copy, Debug, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum WhichStays {
    First,
    Last,
}

#[derive(Clone, Copy, Debug, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FromForm {
    /// Plain text and Markdown
    Text,
    /// JSON Lines: a record a line
    Jsonl,
    /// WARC and WET: the records that hold plain text
    Warc,
    /// Apache Parquet: a document a row
    Parquet,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ComparedUnit {
    /// Paragraphs, in runs
    Paragraph,
    /// Lines, in runs, whatever they are part of
    Line,
    /// Whole documents, with all earlier ones: implies --across
    Document,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Empty {
    /// It is left out
    Drop,
    /// It stays, without its text
    Keep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Broken {
    /// The whole file is left out; on standard output what came before stays
    Fail,
    /// The record stays as it is; what came before a stream broke off is cleaned
    Keep,
    /// The record is left out; what came before a stream broke off is cleaned
    Drop,
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

/// A report such as "sarif:unecho.sarif".
fn report(words: OsString) -> Result<(CheckForm, PathBuf), String> {
    let bytes = words.as_encoded_bytes();
    let named = bytes.iter().position(|&byte| byte == b':').map(|at| (&bytes[..at], &bytes[at + 1..]));
    let form = named.and_then(|(form, _)| CheckForm::from_str(str::from_utf8(form).ok()?, false).ok());
    match form.zip(named) {
        Some((_, (_, b"-"))) => Err("standard output has the form that --format says".into()),
        Some((form, (_, path))) if !path.is_empty() => Ok((form, OsStr::from_bytes(path).into())),
        _ => Err("a report is a form and a file: text, json, sarif, github or gitlab, then a colon: sarif:unecho.sarif".into()),
    }
}

/// A level such as "doubled-block=warning".
fn level(words: &str) -> Result<(Rule, Level), String> {
    let (rule, level) = words.split_once('=').ok_or("a level is written RULE=LEVEL: doubled-block=warning")?;
    let names = |names: Vec<&str>| names.join(", ");
    let rule = Rule::ALL.into_iter().find(|of| of.name() == rule);
    let rule = rule.ok_or_else(|| format!("the rules are {}", names(Rule::ALL.map(Rule::name).to_vec())))?;
    let level = Level::ALL.into_iter().find(|of| of.name() == level);
    let level = level.ok_or_else(|| format!("the levels are {}", names(Level::ALL.map(Level::name).to_vec())))?;
    Ok((rule, level))
}

/// What may repeat, such as "text:All rights reserved".
fn allowed(words: &str) -> Result<What, String> {
    match words.split_once(':') {
        Some(("hash", hash)) => fingerprint(hash).map(What::Hash),
        Some(("text", text)) if !text.trim().is_empty() => Ok(What::Text(text.into())),
        Some(("regex", regex)) => regular_expression(regex).map(What::Regex),
        _ => Err("what may repeat is written hash:FINGERPRINT, text:WORDS or regex:EXPRESSION".into()),
    }
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

impl Common {
    pub(super) fn settings(&self) -> Settings {
        Settings {
            matching: match self.matching {
                HowAlike::Bytes => Match::Bytes,
                HowAlike::Text => Match::Text,
                HowAlike::Loose => Match::Loose,
            },
            threshold: self.min_chars.map_or(Threshold::LongOrLargeShare, Threshold::Flat),
            keep: match self.keep {
                WhichStays::First => Keep::First,
                WhichStays::Last => Keep::Last,
            },
            unit: match self.unit {
                ComparedUnit::Paragraph => Unit::Paragraph,
                ComparedUnit::Line => Unit::Line,
                ComparedUnit::Document => Unit::Document,
            },
            across: self.is_across(),
            drop_above: self.drop_above,
        }
    }

    /// Whether documents are compared with one another.
    pub(super) fn is_across(&self) -> bool {
        self.across || self.unit == ComparedUnit::Document
    }

    /// How containers are read.
    pub(super) fn reading(&self) -> Reading {
        Reading {
            fields: Fields { text: self.text_field.clone(), id: Some(self.id_field.clone()) },
            on_error: match self.on_error {
                Broken::Fail => OnError::Fail,
                Broken::Keep => OnError::Keep,
                Broken::Drop => OnError::Drop,
            },
            keep_empty: self.empty == Empty::Keep,
            in_stretches: false,
            keeps_places: false,
        }
    }

    /// What is read of the paths; `output` is the file that the run's own results go to.
    pub(super) fn selection(&self, output: Option<Identity>) -> Selection {
        let globs = |list: &Vec<String>, always: &Option<Globs>| match always {
            Some(always) => always.clone(),
            None => Globs { list: list.clone(), base: None },
        };
        let (include, exclude) = (globs(&self.include, &self.include_always), globs(&self.exclude, &self.exclude_always));
        Selection { include, exclude, skips_git_ignored: self.skips_git_ignored, from: self.form(), output }
    }

    /// The form that every file is taken for.
    pub(super) fn form(&self) -> Option<Form> {
        self.from.map(|form| match form {
            FromForm::Text => Form::Text,
            FromForm::Jsonl => Form::Jsonl,
            FromForm::Warc => Form::Warc,
            FromForm::Parquet => Form::Parquet,
        })
    }

    /// The flags without which another command would read or find something else.
    pub(super) fn flags_that_matter(&self) -> Vec<OsString> {
        let value = |value: Option<PossibleValue>| value.map(|value| value.get_name().to_owned()).unwrap_or_default();
        let mut flags = Vec::new();
        flags.extend(self.across.then(|| "--across".into()));
        match self.unit {
            ComparedUnit::Paragraph => {}
            unit => flags.push(format!("--unit={}", value(unit.to_possible_value()))),
        }
        match self.matching {
            HowAlike::Text => {}
            how => flags.push(format!("--match={}", value(how.to_possible_value()))),
        }
        flags.extend(self.min_chars.map(|least| format!("--min-chars={least}")));
        match self.keep {
            WhichStays::First => {}
            which => flags.push(format!("--keep={}", value(which.to_possible_value()))),
        }
        flags.extend(self.drop_above.map(|share| format!("--drop-above={}%", share.percent())));
        flags.extend((self.empty == Empty::Keep).then(|| "--empty=keep".into()));
        flags.extend((self.text_field != "text").then(|| format!("--text-field={}", self.text_field)));
        flags.extend((self.id_field != "id").then(|| format!("--id-field={}", self.id_field)));
        match self.on_error {
            Broken::Fail => {}
            what => flags.push(format!("--on-error={}", value(what.to_possible_value()))),
        }
        flags.extend(self.from.map(|form| format!("--from={}", value(form.to_possible_value()))));
        flags.extend(self.include.iter().map(|glob| format!("--include={glob}")));
        flags.extend(self.exclude.iter().map(|glob| format!("--exclude={glob}")));
        flags.into_iter().map(OsString::from).collect()
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
