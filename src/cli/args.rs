//! The flags, each beside its help.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use unecho::source::{Form, Selection};
use unecho::{Keep, Match, Settings, Threshold};

/// Finds text that repeats itself and writes a clean copy.
///
/// Without a command, `unecho` cleans: one file or standard input to standard output, several files or a folder to the
/// folder given with -o. A paragraph, or a run of them, that stands in the text a second time is removed; the first stays, and
/// every other byte comes out as it went in. Inputs are never written to.
#[derive(Debug, Parser)]
#[command(version, subcommand_precedence_over_arg = true, max_term_width = 100)]
#[command(after_help = "Exit status: 0 done, 2 any error (all other files are still done).")]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) clean: Clean,
    #[command(flatten)]
    pub(super) global: Global,
}

impl Args {
    /// The arguments of this process; ends it with a message if they make no sense.
    pub(super) fn read() -> Self {
        let matches = Self::command().get_matches();
        let given = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
        let anywhere = ["quiet", "verbose", "threads", "color"];
        let misplaced = matches.ids().filter(given).find(|id| !anywhere.contains(&id.as_str()) && !is_group(id));
        if let (Some((command, _)), Some(id)) = (matches.subcommand(), misplaced) {
            let why = format!(
                "{id} stands before the command '{command}'; write it after the command (a file of that name is ./{command})"
            );
            Self::command().error(ErrorKind::ArgumentConflict, why).exit();
        }
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// Whether an id is one of the groups that clap makes of flattened structures.
fn is_group(id: &clap::Id) -> bool {
    id.as_str().starts_with(char::is_uppercase)
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a clean copy (what runs without a command)
    Clean(Clean),
    /// Show what repeats and where; changes nothing
    Scan(Scan),
}

#[derive(Debug, clap::Args)]
pub(super) struct Clean {
    #[command(flatten)]
    pub(super) common: Common,
    /// Where the clean copy goes: a file for one input, a folder for several or for a folder
    #[arg(short, long, value_name = "OUT")]
    pub(super) output: Option<PathBuf>,
    /// Write the sums of the run to FILE, as JSON
    #[arg(long, value_name = "FILE")]
    pub(super) stats: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Scan {
    #[command(flatten)]
    pub(super) common: Common,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = ReportForm::Text)]
    pub(super) format: ReportForm,
    /// Write the sums of the run to FILE, as JSON
    #[arg(long, value_name = "FILE")]
    pub(super) stats: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ReportForm {
    /// A line a block: FILE:LINES: repeats lines …
    Text,
    /// One object: documents, their repeats, a summary
    Json,
}

/// What the commands share: what is read, and what counts as a repeat.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// Files and folders; none, or -, is standard input
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// How alike two paragraphs must be to be the same
    #[arg(long = "match", value_enum, value_name = "HOW", default_value_t = HowAlike::Text, help_heading = "What repeats")]
    matching: HowAlike,
    /// Remove runs of at least N columns [default: 600, or 200 in a text of which a fifth or more repeats]
    #[arg(long, value_name = "N", help_heading = "What repeats")]
    min_chars: Option<u32>,
    /// Which of several copies stays
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = WhichStays::First, help_heading = "What repeats")]
    keep: WhichStays,
    /// Take every file for this form, whatever its name
    #[arg(long, value_enum, value_name = "FORM", help_heading = "What is read")]
    from: Option<FromForm>,
    /// Of a folder, read only what matches GLOB (as in .gitignore; may be repeated)
    #[arg(long, value_name = "GLOB", help_heading = "What is read")]
    include: Vec<String>,
    /// Of a folder, leave out what matches GLOB (may be repeated; .unechoignore files do the same)
    #[arg(long, value_name = "GLOB", help_heading = "What is read")]
    exclude: Vec<String>,
    /// Only list what would be read
    #[arg(long, help_heading = "What is read")]
    pub(super) files: bool,
}

/// What any command takes.
#[derive(Debug, clap::Args)]
pub(super) struct Global {
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Name every document with repeats, and all that is left out
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// The number of threads [default: one a core]; the output is the same for any
    #[arg(long, value_name = "N", global = true, default_value_t = 0, hide_default_value = true)]
    pub(super) threads: usize,
    /// When to colour messages
    #[arg(long, value_enum, value_name = "WHEN", global = true, default_value_t = Colour::Auto)]
    pub(super) color: Colour,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum HowAlike {
    /// The same bytes
    Bytes,
    /// White space, invisible characters and Unicode spelling don't count
    Text,
    /// Nor do case and punctuation
    Loose,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WhichStays {
    First,
    Last,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FromForm {
    /// Plain text and Markdown
    Text,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Colour {
    Auto,
    Always,
    Never,
}

impl Colour {
    /// Settles it for all messages. `auto` asks the terminal and the NO_COLOR variable.
    pub(super) fn write_global(self) {
        match self {
            Colour::Auto => anstream::ColorChoice::Auto,
            Colour::Always => anstream::ColorChoice::AlwaysAnsi,
            Colour::Never => anstream::ColorChoice::Never,
        }
        .write_global();
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
        }
    }

    pub(super) fn selection(&self) -> Selection {
        let from = self.from.map(|FromForm::Text| Form::Text);
        Selection { include: self.include.clone(), exclude: self.exclude.clone(), from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Args::command().debug_assert();
    }
}
