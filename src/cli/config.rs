//! `unecho.toml`: flags that are always given, and the policy of `check`. Flags on the command line win.

use super::args::{Args, Broken, Clean, Command, Common, ComparedUnit, Empty, FromForm, Global, HowAlike, WhichStays};
use pathdiff::diff_paths;
use regex::bytes::Regex;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use toml::Spanned;
use unecho::check::{Allowlist, Entry, Level, Levels, Place as Line, Rule, What};
use unecho::report::Fingerprint;
use unecho::source::{Globs, Patterns, here};
use unecho::{Error, Result, Share, Tidy};

/// The name of the file.
const NAME: &str = "unecho.toml";

/// What stands in one.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Config {
    across: Option<bool>,
    unit: Option<ComparedUnit>,
    #[serde(rename = "match")]
    matching: Option<HowAlike>,
    min_chars: Option<u32>,
    keep: Option<WhichStays>,
    drop_above: Option<OneShare>,
    tidy: Option<Repairs>,
    no_dedup: Option<bool>,
    empty: Option<Empty>,
    text_field: Option<String>,
    id_field: Option<String>,
    on_error: Option<Broken>,
    from: Option<FromForm>,
    include: Option<Vec<Glob>>,
    exclude: Option<Vec<Glob>>,
    threads: Option<Threads>,
    memory: Option<Size>,
    temp_dir: Option<PathBuf>,
    clean: CleanConfig,
    check: CheckConfig,
    /// The file, and its folder by an absolute path.
    #[serde(skip)]
    path: PathBuf,
    #[serde(skip)]
    folder: PathBuf,
    #[serde(skip)]
    text: String,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct CleanConfig {
    max_removed: Option<OneShare>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct CheckConfig {
    baseline: Option<PathBuf>,
    fail_on_skip: Option<bool>,
    gitignore: Option<bool>,
    levels: BTreeMap<Rule, Level>,
    per_path: Vec<PerPath>,
    allow: Vec<Spanned<Allowed>>,
}

/// Levels in some files.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", expecting = "a table with paths and levels")]
struct PerPath {
    paths: Vec<Glob>,
    levels: BTreeMap<Rule, Level>,
}

/// An entry of the allowlist: one of three kinds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", expecting = "a table with hash, text or regex")]
struct Allowed {
    hash: Option<Hash>,
    text: Option<String>,
    regex: Option<Expression>,
    /// For people.
    #[serde(rename = "reason")]
    _reason: Option<String>,
}

/// Values that are written as strings, each with what is wrong with one that isn't right.
macro_rules! written {
    ($($name:ident($of:ty) by $read:expr;)*) => { $(
        #[derive(Clone, Deserialize)]
        #[serde(try_from = "String")]
        pub(super) struct $name(pub(super) $of);

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(written: String) -> std::result::Result<Self, String> {
                let read: fn(&str) -> std::result::Result<$of, String> = $read;
                read(&written).map(Self)
            }
        }
    )* };
}

written! {
    OneShare(Share) by super::args::share;
    Size(u64) by super::args::size;
    Glob(String) by |glob| {
        let globs = Globs { list: vec![glob.into()], base: None };
        Patterns::new("", &globs).map(|_| glob.to_owned()).map_err(|error| format!("not a pattern: {}", error.what))
    };
    Expression(Regex) by regular_expression;
    Hash(Fingerprint) by fingerprint;
}

/// Repairs: a list of them, or whether those that are safe.
#[derive(Clone, Deserialize)]
#[serde(try_from = "ListOrNot")]
pub(super) struct Repairs(pub(super) Tidy);

#[derive(Deserialize)]
#[serde(untagged, expecting = "repairs are a list in quotation marks, \"entities,newlines\", or true for those that are safe")]
enum ListOrNot {
    List(String),
    Not(bool),
}

impl TryFrom<ListOrNot> for Repairs {
    type Error = String;

    fn try_from(written: ListOrNot) -> std::result::Result<Self, String> {
        match written {
            ListOrNot::List(list) => list.parse().map(Self),
            ListOrNot::Not(is_safe) => Ok(Self(if is_safe { Tidy::SAFE } else { Tidy::NONE })),
        }
    }
}

/// A regular expression that is searched for in paragraphs.
pub(super) fn regular_expression(written: &str) -> std::result::Result<Regex, String> {
    Regex::new(written).map_err(|error| {
        let why = error.to_string();
        format!("not a regular expression: {}", why.lines().last().unwrap_or_default().trim_start_matches("error: "))
    })
}

/// A fingerprint as reports write it.
pub(super) fn fingerprint(written: &str) -> std::result::Result<Fingerprint, String> {
    Fingerprint::read(written).ok_or_else(|| "a fingerprint has 32 hexadecimal digits".into())
}

/// A number of threads.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "u64")]
struct Threads(u64);

impl TryFrom<u64> for Threads {
    type Error = String;

    fn try_from(number: u64) -> std::result::Result<Self, String> {
        let most = super::args::MOST_THREADS;
        if number <= most { Ok(Self(number)) } else { Err(format!("there may be {most} threads")) }
    }
}

impl Config {
    /// The one that was named, or the first there is in the current folder and those it is in; an empty one if there is none.
    pub(super) fn find(global: &Global) -> Result<Self> {
        let here = here()?;
        let found = || here.ancestors().map(|folder| folder.join(NAME)).find(|path| path.exists());
        match &global.config {
            _ if global.no_config => Ok(Self::default()),
            Some(path) => Self::read(path.clone()),
            None => found().map_or_else(|| Ok(Self::default()), |path| Self::read(diff_paths(&path, &here).unwrap_or(path))),
        }
    }

    fn read(path: PathBuf) -> Result<Self> {
        if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(Error::refused(&path, "a configuration is a file"));
        }
        let bytes = fs::read(&path).map_err(|error| Error::io(&path, error))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
            Error::refused(&path, format!("line {line}: not UTF-8"))
        })?;
        // If it is a link itself, it is for the folder that that is in.
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = fs::canonicalize(parent).map_err(|error| Error::io(&path, error))?;
        let config: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(&text, span.start));
            Error::refused(&path, format!("line {line}: {}", in_plain_words(error.message())))
        })?;
        let config = Self { path, folder, text, ..config };
        config.allowed()?; // so that what is wrong there is said by any command
        Ok(config)
    }

    /// Its path, if there is one.
    pub(super) fn path(&self) -> Option<&Path> {
        Some(&*self.path).filter(|path| !path.as_os_str().is_empty())
    }

    /// The folder that it is for.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sets what no argument `is_given` for.
    pub(super) fn complete(&self, args: &mut Args, is_given: impl Fn(&str) -> bool) -> Result<()> {
        let global = &mut args.global;
        set(&mut global.threads, self.threads.map(|Threads(number)| number), is_given("threads"));
        set(&mut global.memory, self.memory.clone().map(|Size(bytes)| Some(bytes)), is_given("memory"));
        set(
            &mut global.temp_dir,
            self.temp_dir.as_ref().map(|path| self.seen_from_here(path).map(Some)).transpose()?,
            is_given("temp_dir"),
        );
        let clean = |clean: &mut Clean| {
            let share = self.clean.max_removed.clone().map(|OneShare(share)| Some(share));
            set(&mut clean.max_removed, share, is_given("max_removed"));
        };
        match &mut args.command {
            None => {
                clean(&mut args.clean);
                self.complete_common(&mut args.clean.common, is_given);
            }
            Some(Command::Clean(args)) => {
                clean(args);
                self.complete_common(&mut args.common, is_given);
            }
            Some(Command::Scan(scan)) => self.complete_common(&mut scan.common, is_given),
            Some(Command::Check(check)) => {
                let of = &self.check;
                set(
                    &mut check.baseline,
                    of.baseline.as_ref().map(|path| self.seen_from_here(path).map(Some)).transpose()?,
                    is_given("baseline"),
                );
                set(&mut check.fail_on_skip, of.fail_on_skip, is_given("fail_on_skip") || is_given("no_fail_on_skip"));
                set(
                    &mut check.no_gitignore,
                    of.gitignore.map(|is_read| !is_read),
                    is_given("no_gitignore") || is_given("gitignore"),
                );
                self.complete_common(&mut check.common, is_given);
                check.common.skips_git_ignored = !check.no_gitignore;
            }
            Some(Command::Verify(_) | Command::Restore(_) | Command::Completions(_) | Command::Man(_)) => {}
        }
        Ok(())
    }

    fn complete_common(&self, common: &mut Common, is_given: impl Fn(&str) -> bool) {
        let globs = |list: &Option<Vec<Glob>>| -> Option<Globs> {
            let list = list.as_ref()?.iter().map(|Glob(glob)| glob.clone()).collect();
            Some(Globs { list, base: Some(self.folder.clone()) })
        };
        set(&mut common.across, self.across, is_given("across") || is_given("no_across"));
        set(&mut common.unit, self.unit, is_given("unit"));
        set(&mut common.matching, self.matching, is_given("matching"));
        set(&mut common.min_chars, self.min_chars.map(Some), is_given("min_chars"));
        set(&mut common.keep, self.keep, is_given("keep"));
        set(&mut common.drop_above, self.drop_above.clone().map(|OneShare(share)| Some(share)), is_given("drop_above"));
        set(&mut common.tidy, self.tidy.clone().map(|Repairs(repairs)| Some(repairs)), is_given("tidy") || is_given("no_tidy"));
        set(&mut common.no_dedup, self.no_dedup, is_given("no_dedup") || is_given("across") || is_given("drop_above"));
        set(&mut common.empty, self.empty, is_given("empty"));
        set(&mut common.text_field, self.text_field.clone(), is_given("text_field"));
        set(&mut common.id_field, self.id_field.clone(), is_given("id_field"));
        set(&mut common.on_error, self.on_error, is_given("on_error"));
        set(&mut common.from, self.from.map(Some), is_given("from"));
        common.include_always = globs(&self.include).filter(|_| !is_given("include"));
        common.exclude_always = globs(&self.exclude).filter(|_| !is_given("exclude"));
    }

    /// A path that is relative to the file's folder, as it is from here.
    fn seen_from_here(&self, path: &Path) -> Result<PathBuf> {
        let whole = self.folder.join(path);
        Ok(diff_paths(&whole, here()?).unwrap_or(whole))
    }

    /// How much each rule of a check matters.
    pub(super) fn levels(&self) -> Result<Levels> {
        let list = |levels: &BTreeMap<Rule, Level>| levels.iter().map(|(&rule, &level)| (rule, level)).collect::<Vec<_>>();
        let by_path = |PerPath { paths, levels }: &PerPath| {
            let globs = Globs { list: paths.iter().map(|Glob(glob)| glob.clone()).collect(), base: Some(self.folder.clone()) };
            Ok((Patterns::new("per-path", &globs)?, list(levels)))
        };
        let by_path = self.check.per_path.iter().map(by_path).collect::<Result<_>>()?;
        Ok(Levels { all: list(&self.check.levels), by_path, in_any_case: Vec::new() })
    }

    /// The texts that may repeat.
    pub(super) fn allowlist(&self) -> Result<Allowlist> {
        Ok(Allowlist { entries: self.allowed()?, ..Allowlist::default() })
    }

    fn allowed(&self) -> Result<Vec<Entry>> {
        self.check.allow.iter().map(|entry| self.entry(entry)).collect()
    }

    fn entry(&self, allowed: &Spanned<Allowed>) -> Result<Entry> {
        let line = line_of(&self.text, allowed.span().start);
        let refused = |why: &str| Error::refused(&self.path, format!("line {line}: {why}"));
        let what = match allowed.get_ref() {
            Allowed { hash: Some(Hash(hash)), text: None, regex: None, .. } => What::Hash(*hash),
            Allowed { hash: None, text: Some(text), regex: None, .. } => What::Text(text.clone()),
            Allowed { hash: None, text: None, regex: Some(Expression(regex)), .. } => What::Regex(regex.clone()),
            _ => return Err(refused("an entry of check.allow has one of hash, text and regex")),
        };
        if what.is_of_anything() {
            return Err(refused("this entry of check.allow would let any text repeat"));
        }
        Ok(Entry::new(what, Some(Line { path: self.path.clone(), line })))
    }
}

/// What is wrong, in words that aren't those of a programming language.
fn in_plain_words(why: &str) -> String {
    const WORDS: [(&str, &str); 6] = [
        ("unknown field", "unknown key"),
        ("unknown variant", "unknown value"),
        ("expected u32", "expected a whole number"),
        ("expected u64", "expected a whole number"),
        ("expected a sequence", "expected a list"),
        ("\n", "; "),
    ];
    WORDS.iter().fold(why.to_owned(), |why, (theirs, ours)| why.replace(theirs, ours))
}

/// Sets a value that no argument is given for.
fn set<T>(value: &mut T, always: Option<T>, is_given: bool) {
    if let Some(always) = always.filter(|_| !is_given) {
        *value = always;
    }
}

fn line_of(text: &str, at: usize) -> u64 {
    1 + text.as_bytes()[..at.min(text.len())].iter().filter(|&&byte| byte == b'\n').count() as u64
}
