//! The rules of a check, and how much each of them matters.

use crate::document;
use crate::report::{Finding, Repeat};
use crate::source::Patterns;
use std::fs;
use std::path::Path;

/// What a check finds. Each has a section in docs/rules.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Text stands in the same document again: more than half of that without it, or several paragraphs of prose.
    DoubledBlock,
    /// The same in an item of a feed.
    DoubledBody,
    /// A paragraph stands in the same document again, or several that are no prose.
    RepeatedParagraph,
    /// Text stands in an earlier document.
    RepeatedAcross,
    /// A document is an earlier one again.
    RepeatedDocument,
    /// Two items of a feed have the same body.
    RepeatedItem,
    /// Two items of a feed have the same id.
    RepeatedId,
    /// The body of an item begins with its summary.
    BodyRepeatsSummary,
    /// The body of an item begins with its title.
    BodyRepeatsTitle,
    /// An item stands in an earlier feed.
    ItemInTwoFeeds,
    /// A text isn't as it would be repaired.
    Untidy,
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
    pub const ALL: [Self; 12] = [
        Rule::DoubledBlock,
        Rule::DoubledBody,
        Rule::RepeatedParagraph,
        Rule::RepeatedAcross,
        Rule::RepeatedDocument,
        Rule::RepeatedItem,
        Rule::RepeatedId,
        Rule::BodyRepeatsSummary,
        Rule::BodyRepeatsTitle,
        Rule::ItemInTwoFeeds,
        Rule::Untidy,
        Rule::UnusedIgnore,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Rule::DoubledBlock => "doubled-block",
            Rule::DoubledBody => "doubled-body",
            Rule::RepeatedParagraph => "repeated-paragraph",
            Rule::RepeatedItem => "repeated-item",
            Rule::RepeatedId => "repeated-id",
            Rule::BodyRepeatsSummary => "body-repeats-summary",
            Rule::BodyRepeatsTitle => "body-repeats-title",
            Rule::ItemInTwoFeeds => "item-in-two-feeds",
            Rule::RepeatedAcross => "repeated-across",
            Rule::RepeatedDocument => "repeated-document",
            Rule::Untidy => "untidy",
            Rule::UnusedIgnore => "unused-ignore",
        }
    }

    /// What it says, in a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Rule::DoubledBlock => {
                "A body stands in the same document twice: several paragraphs of prose in a row, or more than half of all its text."
            }
            Rule::DoubledBody => {
                "The body of a feed's item holds its text twice: several paragraphs in a row, or more than half of it."
            }
            Rule::RepeatedItem => "Two items of a feed have the same body.",
            Rule::RepeatedId => "Two items of a feed have the same id.",
            Rule::BodyRepeatsSummary => "The body of a feed's item begins with its summary, which readers show as well.",
            Rule::BodyRepeatsTitle => "The body of a feed's item begins with its title, which readers show as well.",
            Rule::ItemInTwoFeeds => "An item stands in an earlier feed as well (--across).",
            Rule::RepeatedParagraph => "A paragraph, or a few lines in a row, stand in the same document twice.",
            Rule::RepeatedAcross => "Text stands in an earlier document as well (--across).",
            Rule::RepeatedDocument => "A document is an earlier one again (--across).",
            Rule::Untidy => "A text has what --tidy repairs.",
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
            Rule::DoubledBody => "Mend what writes the feed; unecho --in-place FILE takes the second copy out of it.",
            Rule::RepeatedItem | Rule::ItemInTwoFeeds => {
                "Publish it once. If items may say the same, as those of a status feed do, set the level of the rule in unecho.toml."
            }
            Rule::RepeatedId => "Give each item an id of its own, which it keeps: readers take two items of one id for one.",
            Rule::BodyRepeatsSummary | Rule::BodyRepeatsTitle => {
                "Leave it out of the body, or set the level of the rule in unecho.toml."
            }
            Rule::Untidy => "unecho --tidy --no-dedup --in-place FILE repairs it; --tidy=LIST names what counts.",
            Rule::UnusedIgnore => "Delete it.",
        }
    }

    /// How much it matters if nobody says otherwise: that a body is doubled is nearly always a mistake, while licences and footers
    /// are alike in every repository.
    pub fn default_level(self) -> Level {
        match self {
            Rule::DoubledBlock | Rule::DoubledBody | Rule::RepeatedId => Level::Error,
            Rule::BodyRepeatsSummary | Rule::BodyRepeatsTitle | Rule::ItemInTwoFeeds => Level::Note,
            _ => Level::Warning,
        }
    }

    /// The same for the file at `path`. Of 430 crates those in which a block stands twice were licences, which state the same terms for
    /// several authors, and lists of changes, where one stands under two releases.
    fn default_level_in(self, path: &Path) -> Level {
        let may_be = self == Rule::DoubledBlock && may_repeat_itself(path);
        if may_be { Level::Warning } else { self.default_level() }
    }

    /// The rule that a block falls under in a document that has so many bytes without its own repeats, and may be an item of a feed.
    pub(super) fn of(repeat: &Repeat, unique: u64, is_item: bool) -> Self {
        match repeat.rule {
            document::Rule::RepeatedAcross => Rule::RepeatedAcross,
            document::Rule::RepeatedDocument => Rule::RepeatedDocument,
            document::Rule::RepeatedBlock => {
                let is_most = match repeat.unique {
                    Some(unique) => 2 * repeat.columns > unique, // of markup only what it says counts
                    None => 2 * repeat.bytes.len() > unique,
                };
                match is_most || is_prose(repeat) {
                    true if is_item => Rule::DoubledBody,
                    true => Rule::DoubledBlock,
                    false => Rule::RepeatedParagraph,
                }
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
        said(&self.in_any_case).or_else(there).or_else(|| said(&self.all)).unwrap_or_else(|| rule.default_level_in(path))
    }
}

/// Whether a block is text that somebody wrote once and that got in twice. Lists of options, headings and lines of an example recur in
/// manuals on purpose: of the 283 blocks of several paragraphs that recur in 2,471 of them, two are prose by this.
fn is_prose(repeat: &Repeat) -> bool {
    const COLUMNS: u64 = 600;
    const COLUMNS_A_PARAGRAPH: u64 = 120;
    repeat.paragraphs > 1 && repeat.columns >= COLUMNS.max(COLUMNS_A_PARAGRAPH * repeat.paragraphs)
}

/// How many bytes a document has without what repeats within it.
pub(super) fn unique_bytes(finding: &Finding) -> u64 {
    let within = finding.repeats.iter().filter(|repeat| repeat.rule == document::Rule::RepeatedBlock);
    finding.bytes.saturating_sub(within.map(|repeat| repeat.bytes.len()).sum())
}

/// Whether a file is of a kind that has good reasons to say things twice: a licence, or a list of changes, alone or with a version
/// behind it. docs/rules.md lists them.
fn may_repeat_itself(path: &Path) -> bool {
    const LICENCES: [&str; 8] =
        ["license", "licence", "licenses", "licences", "copying", "copyright", "third-party-notices", "third_party_notices"];
    const OTHERS: [&str; 10] = [
        "notice",
        "notices",
        "changelog",
        "changes",
        "history",
        "news",
        "releases",
        "release-notes",
        "release_notes",
        "third-party",
    ];
    let real = fs::canonicalize(path);
    let path = real.as_deref().unwrap_or(path);
    let name = |of: &Path| of.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let folder = path.parent().map(name).unwrap_or_default();
    let name = name(path);
    let behind = |words: &[&str], may_follow: fn(&str) -> bool| {
        let mut rests = words.iter().filter_map(|word| name.strip_prefix(word));
        rests.any(|rest| rest.is_empty() || rest.starts_with('.') || may_follow(rest))
    };
    let is_kind = |rest: &str| rest.starts_with(['-', '_']); // LICENSE-MIT
    let is_version = |rest: &str| rest.starts_with(['-', '_']) && rest[1..].starts_with(|c: char| c.is_ascii_digit());
    behind(&LICENCES, is_kind) || behind(&OTHERS, is_version) || ["licenses", "licences"].contains(&&*folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_reasons_to_repeat_itself_is_no_error() {
        let level = |path: &str| Levels::default().of(Rule::DoubledBlock, Path::new(path));
        for path in [
            "LICENSE",
            "./LICENSE-MIT.md",
            "a/Copying.txt",
            "src/licenses/Net-SNMP",
            "CHANGELOG.md",
            "CHANGELOG-1.2.md",
            "docs/changes.rst",
            "NEWS",
        ] {
            assert_eq!(level(path), Level::Warning, "{path}");
        }
        for path in [
            "a.md",
            "news/a.md",
            "README",
            "newsletter-2024.md",
            "history-of-the-harbour.md",
            "notices-to-mariners.md",
            "licenses/proj/README.md",
            "my-license.md",
            "docs/licensing/a.md",
        ] {
            assert_eq!(level(path), Level::Error, "{path}");
        }
    }
}
