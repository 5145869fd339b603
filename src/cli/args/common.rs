//! The flags that the commands share: what is read, and what counts as a repeat.

use super::share;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde::Deserialize;
use std::ffi::OsString;
use std::path::PathBuf;
use unecho::runner::{OnError, Reading};
use unecho::source::{Fields, Form, Globs, Identity, Selection};
use unecho::tidy::Repair;
use unecho::{Keep, Match, Settings, Share, Threshold, Tidy, Unit};

/// What the commands share: what is read, and what counts as a repeat.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Common {
    /// Files and folders; none, or -, is standard input
    #[arg(value_name = "PATH")]
    pub(in crate::cli) paths: Vec<PathBuf>,
    /// Take what stands in an earlier document for a repeat, too: runs of 200 columns or more, in the order in which documents are read
    #[arg(long, overrides_with = "no_across", help_heading = "What repeats")]
    pub(in crate::cli) across: bool,
    /// Take back --across.
    #[arg(long, hide = true, overrides_with = "across")]
    no_across: bool,
    /// What is compared as a whole
    #[arg(long, value_enum, value_name = "UNIT", default_value_t = ComparedUnit::Paragraph, help_heading = "What repeats")]
    pub(in crate::cli) unit: ComparedUnit,
    /// How alike two paragraphs must be to be the same
    #[arg(long = "match", value_enum, value_name = "HOW", default_value_t = HowAlike::Text, help_heading = "What repeats")]
    pub(in crate::cli) matching: HowAlike,
    /// Take runs that are at least N columns wide for repeats, within a document and across documents [default: within one 600, or
    /// 200 where they make up a fifth of it; across them 200]
    #[arg(long, value_name = "N", help_heading = "What repeats")]
    pub(in crate::cli) min_chars: Option<u32>,
    /// Which of several copies stays
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = WhichStays::First, help_heading = "What repeats")]
    pub(in crate::cli) keep: WhichStays,
    /// Drop a document of whose columns more than SHARE repeats, written like 80%; of a file nothing is written then, and what
    /// stood in its place goes
    #[arg(long, value_name = "SHARE", value_parser = share, help_heading = "What repeats")]
    pub(in crate::cli) drop_above: Option<Share>,
    /// Repair texts before they are compared, and write them so: all that is safe, or what LIST names, with commas: encoding, entities,
    /// mojibake, newlines, control, invisible, unicode, nfkc (not among those that are safe), whitespace, blank-lines
    #[arg(
        long,
        value_name = "LIST",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "safe",
        overrides_with = "no_tidy",
        help_heading = "What is repaired"
    )]
    pub(in crate::cli) tidy: Option<Tidy>,
    /// Take back --tidy.
    #[arg(long, hide = true, overrides_with = "tidy")]
    no_tidy: bool,
    /// With --tidy, only repair: whatever repeats stays
    #[arg(long, conflicts_with_all = ["across", "drop_above"], help_heading = "What is repaired")]
    pub(in crate::cli) no_dedup: bool,
    /// What becomes of a record all of whose text is removed
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Empty::Drop, help_heading = "What repeats")]
    pub(in crate::cli) empty: Empty,
    /// Of a record, the field that holds the text
    #[arg(long, alias = "text-key", value_name = "FIELD", default_value = "text", help_heading = "What is read")]
    pub(in crate::cli) text_field: String,
    /// Of a record, the field that names it in reports
    #[arg(long, value_name = "FIELD", default_value = "id", help_heading = "What is read")]
    pub(in crate::cli) id_field: String,
    /// What becomes of a broken record, and of a .gz or .zst that breaks off; in each case the exit status is 2
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Broken::Fail, help_heading = "What is read")]
    pub(in crate::cli) on_error: Broken,
    /// Take every file for this form, whatever its name; .gz and .zst are unpacked all the same
    #[arg(long, value_enum, value_name = "FORM", help_heading = "What is read")]
    pub(in crate::cli) from: Option<FromForm>,
    /// Of a folder, read only what matches GLOB (as in .gitignore, relative to the folder; may be repeated)
    #[arg(long, value_name = "GLOB", help_heading = "What is read")]
    include: Vec<String>,
    /// Of a folder, leave out what matches GLOB (may be repeated; .unechoignore files do the same)
    #[arg(long, value_name = "GLOB", help_heading = "What is read")]
    exclude: Vec<String>,
    /// Only list what would be read, a path a line
    #[arg(long, help_heading = "What is read")]
    pub(in crate::cli) files: bool,
    /// With --files, end each path with a NUL instead of a line end
    #[arg(short = '0', long, requires = "files", help_heading = "What is read")]
    pub(in crate::cli) null: bool,
    /// Write the sums of the run to FILE, as JSON
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    pub(in crate::cli) stats: Option<PathBuf>,
    /// What stands for `include` and `exclude` if they aren't given.
    #[arg(skip)]
    pub(in crate::cli) include_always: Option<Globs>,
    #[arg(skip)]
    pub(in crate::cli) exclude_always: Option<Globs>,
    /// Whether what git leaves out is left out.
    #[arg(skip)]
    pub(in crate::cli) skips_git_ignored: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum HowAlike {
    /// The same bytes
    Bytes,
    /// White space, invisible characters and Unicode spelling don't count
    Text,
    /// As text, and case and punctuation don't count either
    Loose,
}

#[derive(Clone, Copy, Debug, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum WhichStays {
    First,
    Last,
}

#[derive(Clone, Copy, Debug, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum FromForm {
    /// Plain text and Markdown
    Text,
    /// JSON Lines: a record a line
    Jsonl,
    /// WARC and WET: the records that hold plain text
    Warc,
    /// Apache Parquet: a document a row
    Parquet,
    /// RSS, Atom and JSON Feed: a document an item
    Feed,
    /// HTML: a document a file
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum ComparedUnit {
    /// Paragraphs, in runs
    Paragraph,
    /// Lines, in runs, whatever they are part of
    Line,
    /// Whole documents, with all earlier ones: implies --across
    Document,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum Empty {
    /// It is left out
    Drop,
    /// It stays, without its text
    Keep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum Broken {
    /// The whole file is left out; on standard output what came before stays
    Fail,
    /// The record stays as it is; what came before a stream broke off is cleaned
    Keep,
    /// The record is left out; what came before a stream broke off is cleaned
    Drop,
}

impl Common {
    pub(in crate::cli) fn settings(&self) -> Settings {
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
            drop_above: self.drop_above.filter(|_| !self.no_dedup),
            tidy: self.tidy.unwrap_or_default(),
            only_tidies: self.no_dedup,
        }
    }

    /// Whether texts in UTF-16 are decoded.
    pub(in crate::cli) fn decodes(&self) -> bool {
        self.tidy.is_some_and(|tidy| tidy.has(Repair::Encoding))
    }

    /// Whether documents are compared with one another.
    pub(in crate::cli) fn is_across(&self) -> bool {
        !self.no_dedup && (self.across || self.unit == ComparedUnit::Document)
    }

    /// How containers are read.
    pub(in crate::cli) fn reading(&self) -> Reading {
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
            by_lines: false,
        }
    }

    /// What is read of the paths; `output` is the file that the run's own results go to.
    pub(in crate::cli) fn selection(&self, output: Option<Identity>) -> Selection {
        let globs = |list: &Vec<String>, always: &Option<Globs>| match always {
            Some(always) => always.clone(),
            None => Globs { list: list.clone(), base: None },
        };
        let (include, exclude) = (globs(&self.include, &self.include_always), globs(&self.exclude, &self.exclude_always));
        Selection {
            include,
            exclude,
            skips_git_ignored: self.skips_git_ignored,
            from: self.form(),
            decodes: self.decodes(),
            output,
        }
    }

    /// Whether arguments choose among what there is.
    pub(in crate::cli) fn is_selective(&self) -> bool {
        !self.include.is_empty() || !self.exclude.is_empty() || self.from.is_some()
    }

    /// The form that every file is taken for.
    pub(in crate::cli) fn form(&self) -> Option<Form> {
        self.from.map(|form| match form {
            FromForm::Text => Form::Text,
            FromForm::Jsonl => Form::Jsonl,
            FromForm::Warc => Form::Warc,
            FromForm::Parquet => Form::Parquet,
            FromForm::Feed => Form::Feed,
            FromForm::Html => Form::Html,
        })
    }

    /// The flags without which another command would read or find something else.
    pub(in crate::cli) fn flags_that_matter(&self) -> Vec<OsString> {
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
        flags.extend(self.tidy.map(|tidy| if tidy == Tidy::SAFE { "--tidy".into() } else { format!("--tidy={tidy}") }));
        flags.extend(self.no_dedup.then(|| "--no-dedup".into()));
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
