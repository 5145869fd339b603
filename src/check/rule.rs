//! The rules of a check, and how much each of them matters.

use crate::document;
use crate::report::{Finding, Repeat};
use crate::source::Patterns;
use std::path::Path;

/// What a check finds. Each has a section in docs/rules.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Two or more paragraphs in a row stand in the same document again, or one that is a third of it.
    DoubledBlock,
    /// One paragraph stands in the same document again.
    RepeatedParagraph,
    /// Text stands in an earlier document.
    RepeatedAcross,
    /// A document is an earlier one again.
    RepeatedDocument,
    /// What is to be ignored isn't there.
    UnusedIgnore,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It isn't looked for.
    Off,
    /// It is said.
    Note,
    /// It is said, and should be looked at.
    Warning,
    /// It fails the check.
    Error,
}

impl Rule {
    /// All that there are.
    pub const ALL: [Self; 5] =
        [Rule::DoubledBlock, Rule::RepeatedParagraph, Rule::RepeatedAcross, Rule::RepeatedDocument, Rule::UnusedIgnore];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Rule::DoubledBlock => "doubled-block",
            Rule::RepeatedParagraph => "repeated-paragraph",
            Rule::RepeatedAcross => "repeated-across",
            Rule::RepeatedDocument => "repeated-document",
            Rule::UnusedIgnore => "unused-ignore",
        }
    }

    /// What it says, in a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Rule::DoubledBlock => {
                "Several paragraphs in a row stand in the same document twice, or one that is a third of it or more."
            }
            Rule::RepeatedParagraph => "A long paragraph stands in the same document twice.",
            Rule::RepeatedAcross => "Text stands in an earlier document as well (--across).",
            Rule::RepeatedDocument => "A document is an earlier one again (--across).",
            Rule::UnusedIgnore => "A mark or an entry that lets text repeat has nothing to let through.",
        }
    }

    /// What to do about it, in a sentence.
    pub fn help(self) -> &'static str {
        match self {
            Rule::DoubledBlock | Rule::RepeatedParagraph => {
                "Delete one of the copies: unecho --in-place FILE does it. If both are meant, put the second between \
                 unecho:ignore-start and unecho:ignore-end."
            }
            Rule::RepeatedAcross | Rule::RepeatedDocument => {
                "Keep the text in one place. If it is meant to stand in several, such as a licence, allow it in unecho.toml."
            }
            Rule::UnusedIgnore => "Delete it.",
        }
    }

    /// How much it matters if nobody says otherwise: that a body is doubled is nearly always a mistake, while licences and footers
    /// are alike in every repository.
    pub fn default_level(self) -> Level {
        match self {
            Rule::DoubledBlock => Level::Error,
            _ => Level::Warning,
        }
    }

    /// The rule that a block of a document falls under.
    pub(super) fn of(finding: &Finding, repeat: &Repeat) -> Self {
        match repeat.rule {
            document::Rule::RepeatedAcross => Rule::RepeatedAcross,
            document::Rule::RepeatedDocument => Rule::RepeatedDocument,
            document::Rule::RepeatedBlock => {
                let is_body = repeat.paragraphs > 1 || 3 * repeat.bytes.len() >= finding.bytes;
                if is_body { Rule::DoubledBlock } else { Rule::RepeatedParagraph }
            }
        }
    }
}

impl Level {
    /// All that there are.
    pub const ALL: [Self; 4] = [Level::Off, Level::Note, Level::Warning, Level::Error];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Level::Off => "off",
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// How much each rule matters, and where it matters more or less.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    /// Everywhere.
    pub all: Vec<(Rule, Level)>,
    /// In what these patterns cover; later ones count more.
    pub by_path: Vec<(Patterns, Vec<(Rule, Level)>)>,
    /// Everywhere, whatever the others say.
    pub in_any_case: Vec<(Rule, Level)>,
}

impl Levels {
    /// The level of a rule in the file at `path`.
    pub fn of(&self, rule: Rule, path: &Path) -> Level {
        let said = |levels: &[(Rule, Level)]| levels.iter().rev().find(|(of, _)| *of == rule).map(|&(_, level)| level);
        let there = || self.by_path.iter().rev().find_map(|(paths, levels)| said(levels).filter(|_| paths.cover(path)));
        said(&self.in_any_case).or_else(there).or_else(|| said(&self.all)).unwrap_or(rule.default_level())
    }
}
