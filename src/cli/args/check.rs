//! The flags of `check`.

use super::Common;
use crate::cli::config::{fingerprint, regular_expression};
use clap::ValueEnum;
use clap::builder::{OsStringValueParser, TypedValueParser};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use unecho::check::{Level, Rule, What};

pub(super) const CHECK_EXAMPLES: &str = "\
Examples:
  unecho check .                                     All texts of a repository
  unecho check . --report sarif:unecho.sarif         The same, and a file for code scanning
  unecho check . --baseline .unecho-baseline         Only what isn't listed there
  unecho check . --since origin/main                 Only what that revision doesn't have
  curl -f https://example.org/a.txt | unecho check   A text in a pipe";

pub(super) const CHECK_STATUS: &str =
    "Exit status: 0 nothing at the level of an error, 1 such findings, 2 any error (nothing to check is one).";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Check {
    /// The form of what goes to standard output
    #[arg(long, value_enum, value_name = "FORM", default_value_t = CheckForm::Text, conflicts_with = "files", help_heading = "What is said")]
    pub(in crate::cli) format: CheckForm,
    /// Write the findings to a file as well, such as sarif:unecho.sarif (may be repeated)
    #[arg(long = "report", value_name = "FORM:FILE", conflicts_with_all = ["files", "update_baseline"], help_heading = "What is said")]
    #[arg(value_parser = OsStringValueParser::new().try_map(report))]
    pub(in crate::cli) reports: Vec<(CheckForm, PathBuf)>,
    /// How much a rule matters: off, note, warning, or error, which fails the check (may be repeated). The rules are doubled-block (an
    /// error), repeated-paragraph, repeated-across, repeated-document, unused-ignore and, with --tidy, untidy (warnings); of feeds doubled-body, repeated-id
    /// (errors), repeated-item (a warning), body-repeats-summary, body-repeats-title and item-in-two-feeds (notes); docs/rules.md
    /// explains them
    #[arg(long = "level", value_name = "RULE=LEVEL", value_parser = level, help_heading = "What counts")]
    pub(in crate::cli) levels: Vec<(Rule, Level)>,
    /// Let a text repeat: hash:FINGERPRINT as reports give it, text:WORDS or regex:EXPRESSION in each paragraph of it (may be repeated)
    #[arg(long, value_name = "KIND:WHAT", value_parser = allowed, help_heading = "What counts")]
    pub(in crate::cli) allow: Vec<What>,
    /// Report only what this file doesn't list; --update-baseline makes it
    #[arg(long, value_name = "FILE", help_heading = "What counts")]
    pub(in crate::cli) baseline: Option<PathBuf>,
    /// Make the baseline what is found now, and say what came and went
    #[arg(long, conflicts_with_all = ["since", "files"], help_heading = "What counts")]
    pub(in crate::cli) update_baseline: bool,
    /// Report only what this git revision doesn't have, compared with all that is there
    #[arg(long, value_name = "REV", conflicts_with = "files", help_heading = "What counts")]
    pub(in crate::cli) since: Option<String>,
    /// End with 0 though something was found; errors end with 2 all the same
    #[arg(long, help_heading = "What counts")]
    pub(in crate::cli) exit_zero: bool,
    /// End with 2 if anything was left out that is neither hidden nor excluded by a pattern: files of unknown form, binaries, links
    #[arg(long, overrides_with = "no_fail_on_skip", help_heading = "What counts")]
    pub(in crate::cli) fail_on_skip: bool,
    /// Take back --fail-on-skip.
    #[arg(long, hide = true, overrides_with = "fail_on_skip")]
    no_fail_on_skip: bool,
    /// Of a folder, read also what .gitignore files name
    #[arg(long, overrides_with = "gitignore", help_heading = "What is read")]
    pub(in crate::cli) no_gitignore: bool,
    /// Take back --no-gitignore.
    #[arg(long, hide = true, overrides_with = "no_gitignore")]
    gitignore: bool,
    #[command(flatten)]
    pub(in crate::cli) common: Common,
}

impl Check {
    /// Whether one of its reports has this form.
    pub(in crate::cli) fn reports_as(&self, form: CheckForm) -> bool {
        self.format == form || self.reports.iter().any(|(of, _)| *of == form)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CheckForm {
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
    let what = match words.split_once(':') {
        Some(("hash", hash)) => What::Hash(fingerprint(hash)?),
        Some(("text", text)) => What::Text(text.into()),
        Some(("regex", regex)) => What::Regex(regular_expression(regex)?),
        _ => return Err("what may repeat is written hash:FINGERPRINT, text:WORDS or regex:EXPRESSION".into()),
    };
    if what.is_of_anything() { Err("that would let any text repeat".into()) } else { Ok(what) }
}
