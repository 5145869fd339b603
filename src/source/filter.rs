//! Which names of a folder are wanted: `--include`, `--exclude`, the configuration's, `.unechoignore` and, where that is asked
//! for, `.gitignore`, all in the syntax of the last.

use crate::document::BYTE_ORDER_MARK;
use crate::error::{Error, Place, Result, io_reason};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::borrow::Cow;
use std::fmt::Display;
use std::path::{Component, Path, PathBuf};
use std::{env, fs, io};

/// The name of the files that list what is to be left out.
const IGNORE_FILE: &str = ".unechoignore";
/// The name of those that list what git leaves out.
const GIT_IGNORE_FILE: &str = ".gitignore";

/// Patterns in the syntax of `.gitignore`, as they were given.
#[derive(Clone, Debug, Default)]
pub struct Globs {
    /// The patterns, in order.
    pub list: Vec<String>,
    /// The folder that they are relative to, by an absolute path without links; none: the one that is walked.
    pub base: Option<PathBuf>,
}

/// The same, ready to be held against paths.
#[derive(Clone, Debug)]
pub struct Patterns {
    matcher: Gitignore,
    /// The folder that they are relative to, without links, if that isn't the one that is walked.
    base: Option<PathBuf>,
}

impl Patterns {
    /// Those that `from` gives, a flag or a key.
    ///
    /// # Errors
    /// If one of them isn't a pattern.
    pub fn new(from: &str, globs: &Globs) -> Result<Self> {
        let refused = |error: ignore::Error| Error::refused(Place::Request(from.into()), error.to_string());
        let mut builder = GitignoreBuilder::new("");
        for glob in &globs.list {
            builder.add_line(None, &anchored(glob)).map_err(refused)?;
        }
        Ok(Self { matcher: builder.build().map_err(refused)?, base: globs.base.clone() })
    }

    /// The path that they are held against, of one that stands in the folder that is walked at `within`; `real` gives it without links.
    fn path<'p>(&self, real: impl Fn() -> PathBuf, within: &'p Path) -> Option<Cow<'p, Path>> {
        match &self.base {
            None => Some(within.into()),
            Some(base) => real().strip_prefix(base).ok().map(|path| path.to_owned().into()),
        }
    }

    /// Whether one of them is meant for such a path.
    fn matched(&self, real: impl Fn() -> PathBuf, within: &Path, is_folder: bool) -> bool {
        self.path(real, within).is_some_and(|path| self.matcher.matched(&path, is_folder).is_ignore())
    }

    /// Whether one of them is meant for such a path or a folder it is in.
    fn matched_with_parents(&self, real: impl Fn() -> PathBuf, within: &Path) -> bool {
        self.path(real, within).is_some_and(|path| self.matcher.matched_path_or_any_parents(&path, false).is_ignore())
    }

    /// Whether one of them is meant for the file at `path`, or for a folder it is in.
    pub fn cover(&self, path: &Path) -> bool {
        fs::canonicalize(path).is_ok_and(|real| self.matched_with_parents(|| real.clone(), path))
    }
}

/// The current folder, by an absolute path without links.
///
/// # Errors
/// If it isn't there any more.
pub fn here() -> Result<PathBuf> {
    env::current_dir().map_err(|error| Error::io(Place::Request("the current folder".into()), error))
}

/// A path as it stands below a folder, seen from `here`; `None` if it doesn't.
pub fn below(folder: &Path, here: &Path, path: &Path) -> Option<PathBuf> {
    let mut whole = PathBuf::new();
    for component in here.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(whole.pop()),
            component => whole.push(component),
        }
    }
    whole.strip_prefix(folder).ok().map(Path::to_owned)
}

/// The patterns that a walk goes by.
pub(super) struct Filter {
    include: Option<Patterns>,
    exclude: Option<Patterns>,
}

impl Filter {
    /// # Errors
    /// If a pattern isn't one.
    pub(super) fn new(include: &Globs, exclude: &Globs) -> Result<Self> {
        let patterns = |from, globs: &Globs| (!globs.list.is_empty()).then(|| Patterns::new(from, globs)).transpose();
        Ok(Self { include: patterns("--include", include)?, exclude: patterns("--exclude", exclude)? })
    }

    /// Whether the entry that stands in the folder that is walked at `within` is wanted; `real` gives its path without links.
    pub(super) fn wants(&self, real: impl Fn() -> PathBuf, within: &Path, is_folder: bool) -> bool {
        !self.exclude.as_ref().is_some_and(|exclude| exclude.matched(&real, within, is_folder))
            && (is_folder || self.include.as_ref().is_none_or(|include| include.matched_with_parents(real, within)))
    }
}

/// The pattern, with "./" at its beginning, which git takes for a name that never occurs, as the "/" it is meant for.
fn anchored(pattern: &str) -> String {
    let (not, rest) = pattern.strip_prefix('!').map_or(("", pattern), |rest| ("!", rest));
    rest.strip_prefix("./").map_or_else(|| pattern.into(), |rest| format!("{not}/{rest}"))
}

/// The files of the folders, from the walk's root down to where it stands, that say what is to be left out.
#[derive(Default)]
pub(super) struct IgnoreFiles {
    own: Vec<(usize, Gitignore)>,
    git: Option<GitIgnoreFiles>,
}

/// The `.gitignore` files of a walk.
struct GitIgnoreFiles {
    /// Those of the folders that the root is in, up to the root of its repository, the innermost first.
    above: Vec<Gitignore>,
    within: Vec<(usize, Gitignore)>,
}

impl IgnoreFiles {
    /// Those for a walk below `root`, given without links; `.gitignore` files count, too.
    pub(super) fn with_git(root: &Path) -> Self {
        let above = if root.join(".git").exists() { Vec::new() } else { above(root) };
        Self { own: Vec::new(), git: Some(GitIgnoreFiles { above, within: Vec::new() }) }
    }

    /// The walk enters a folder at `depth`: what stood in folders it has left counts no more.
    ///
    /// # Errors
    /// If the folder's ignore file can't be read or holds something that isn't a pattern. Nobody knows then which of the
    /// folder's files are wanted.
    pub(super) fn enter(&mut self, folder: &Path, depth: usize) -> Result<()> {
        leave(&mut self.own, depth);
        let path = folder.join(IGNORE_FILE);
        if exists(folder, &path)? {
            self.own.push((depth, read(folder, &path)?));
        }
        let Some(git) = &mut self.git else { return Ok(()) };
        leave(&mut git.within, depth);
        let path = folder.join(GIT_IGNORE_FILE);
        // Git follows no link to one, and doesn't mind what else has the name.
        if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
            git.within.push((depth, patterns_of_git(folder, &lines_that_are_text(&path)?)));
        }
        Ok(())
    }

    /// Whether the entry at `path`, at `depth`, is to be left out; `real` gives its path without links. The innermost file that says
    /// something decides, and a `.unechoignore` before any `.gitignore`.
    pub(super) fn leave_out(&mut self, path: &Path, real: impl Fn() -> PathBuf, depth: usize, is_folder: bool) -> bool {
        leave(&mut self.own, depth);
        let said = |ignore: &Gitignore, path: &Path| match ignore.matched(path, is_folder) {
            Match::None => None,
            said => Some(said.is_ignore()),
        };
        let own = self.own.iter().rev().find_map(|(_, ignore)| said(ignore, path));
        let by_git = |git: &mut GitIgnoreFiles| {
            leave(&mut git.within, depth);
            let below = git.within.iter().rev().find_map(|(_, ignore)| said(ignore, path));
            below.or_else(|| git.above.iter().find_map(|ignore| said(ignore, &real())))
        };
        own.or_else(|| self.git.as_mut().and_then(by_git)).unwrap_or(false)
    }
}

fn leave(files: &mut Vec<(usize, Gitignore)>, depth: usize) {
    while files.last().is_some_and(|&(entered, _)| entered >= depth) {
        files.pop();
    }
}

/// Whether there is an ignore file at `path`. What stands there but isn't a file is looked at no further: a pipe would be waited for.
fn exists(folder: &Path, path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path).and_then(|_| fs::metadata(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => Ok(false),
        Err(error) => {
            // Where the folder itself can't be entered that is what is wrong.
            fs::read_dir(folder).map_err(|error| Error::io(folder, error))?;
            Err(unusable(path, io_reason(&error)))
        }
        Ok(metadata) if !metadata.is_file() => Err(unusable(path, "not a file")),
        Ok(_) => Ok(true),
    }
}

fn read(folder: &Path, path: &Path) -> Result<Gitignore> {
    let mut builder = GitignoreBuilder::new(folder);
    for (number, line) in lines(path)? {
        let line = String::from_utf8(line).map_err(|_| unusable(path, format!("line {number}: not UTF-8")))?;
        builder.add_line(None, &anchored(&line)).map_err(|error| unusable(path, format!("line {number}: {error}")))?;
    }
    builder.build().map_err(|error| unusable(path, error))
}

/// The lines of a file and their numbers.
fn lines(path: &Path) -> Result<Vec<(u64, Vec<u8>)>> {
    let text = fs::read(path).map_err(|error| unusable(path, io_reason(&error)))?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
    let lines = text.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec());
    Ok((1..).zip(lines).collect())
}

/// The lines of a `.gitignore` file, but for those that aren't UTF-8, which are passed over.
fn lines_that_are_text(path: &Path) -> Result<Vec<String>> {
    Ok(lines(path)?.into_iter().filter_map(|(_, line)| String::from_utf8(line).ok()).collect())
}

/// Patterns of a `.gitignore` file; one that isn't any matches nothing, as for git.
fn patterns_of_git(folder: &Path, lines: &[String]) -> Gitignore {
    let mut builder = GitignoreBuilder::new(folder);
    for line in lines.iter().filter_map(|line| as_git_means(line)) {
        let _ = builder.add_line(None, &line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

/// A pattern of git's in the syntax that is at hand: there braces are alternatives, which git doesn't know, and classes have no names.
/// None if it matches nothing, since a class isn't closed.
fn as_git_means(line: &str) -> Option<String> {
    const CLASSES: [(&str, &str); 8] = [
        ("[:alpha:]", "a-zA-Z"),
        ("[:digit:]", "0-9"),
        ("[:alnum:]", "a-zA-Z0-9"),
        ("[:upper:]", "A-Z"),
        ("[:lower:]", "a-z"),
        ("[:xdigit:]", "0-9a-fA-F"),
        ("[:space:]", " \t"),
        ("[:blank:]", " \t"),
    ];
    let (not, line) = line.strip_prefix('!').map_or(("", line), |line| ("!", line));
    let line = if line.ends_with("\\ ") { line } else { line.trim_end_matches(' ') };
    let tabs = line.len() - line.trim_end_matches('\t').len(); // which are meant, at the end of a line as well
    let line = &format!("{}{}", &line[..line.len() - tabs], "[\t]".repeat(tabs));
    let names_nothing = line.trim_matches(['/', '\\']).is_empty();
    if names_nothing || line.starts_with('#') && not.is_empty() {
        return None;
    }
    let line = CLASSES.iter().fold(line.to_owned(), |line, (name, signs)| line.replace(name, signs));
    // What has no "/" but at its end is meant anywhere below, which it must say itself once a "/" stands in a class.
    let anywhere = if line.trim_end_matches('/').contains('/') { "" } else { "**/" };
    let mut out = format!("{not}{anywhere}");
    let mut rest = &*line;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                let escaped = after.chars().next().map_or(0, char::len_utf8);
                out += &rest[..1 + escaped];
                rest = &after[escaped..];
            }
            '{' | '}' => {
                out.extend(['[', c, ']']);
                rest = after;
            }
            '[' => {
                // The first sign in a class, after a "!" or "^", is one of it even if it is a bracket.
                let not = usize::from(after.starts_with(['!', '^']));
                let first = after[not..].chars().next()?.len_utf8();
                let end = not + first + after[not + first..].find(']')?;
                out += &rest[..1 + end];
                out += if not > 0 { "/]" } else { "]" }; // a "/" is never meant
                rest = &after[end + 1..];
            }
            c => {
                out.push(c);
                rest = after;
            }
        }
    }
    Some(out)
}

/// The `.gitignore` files of the folders that `root` is in, the innermost first, up to that of its repository, without the patterns that
/// cover the root itself: it was named all the same. Without a repository there are none.
fn above(root: &Path) -> Vec<Gitignore> {
    let Some(top) = root.ancestors().skip(1).position(|folder| folder.join(".git").exists()) else { return Vec::new() };
    let mut above = Vec::new();
    for folder in root.ancestors().skip(1).take(top + 1) {
        // What can't be read here concerns what wasn't named.
        let Ok(mut lines) = lines_that_are_text(&folder.join(GIT_IGNORE_FILE)) else { continue };
        // A pattern for all that a folder holds covers that folder as well.
        let whole =
            |line: &str| line.trim_end_matches('*').strip_suffix('/').filter(|line| !line.is_empty()).unwrap_or(line).to_owned();
        let covers = |line: &String| patterns_of_git(folder, &[whole(line)]).matched_path_or_any_parents(root, true).is_ignore();
        lines.retain(|line| !covers(line));
        above.push(patterns_of_git(folder, &lines));
    }
    above
}

fn unusable(path: &Path, why: impl Display) -> Error {
    Error::refused(path, format!("{why}; the files of its folder are not read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_from_here_on_is_anchored() {
        assert_eq!([anchored("./a"), anchored("!./a/b"), anchored("a/b"), anchored(".a")], ["/a", "!/a/b", "a/b", ".a"]);
    }

    #[test]
    fn a_pattern_of_git_means_what_git_means() {
        for (pattern, path, is_ignored) in [
            ("*.{md,rst}", "a.md", false),
            ("*.{md,rst}", "a.{md,rst}", true),
            ("a{b", "a{b", true),
            ("a[[:digit:]]", "a7", true),
            ("a[[:digit:]x]", "ax", true),
            ("a[!b]", "ac", true),
            ("a[!b]c", "a/c", false),
            ("a[", "a[", false),
            ("[]a]", "]", true),
            ("\\{a}", "{a}", true),
            ("# a", "# a", false),
            ("a\t", "a", false),
            ("a\t", "a\t", true),
            ("\\#a", "#a", true),
        ] {
            let ignore = patterns_of_git(Path::new("/r"), &[pattern.into()]);
            assert_eq!(ignore.matched(Path::new("/r").join(path), false).is_ignore(), is_ignored, "{pattern} {path}");
        }
    }

    #[test]
    fn a_path_is_seen_from_a_folder_above() {
        let seen = |path: &str| below(Path::new("/a"), Path::new("/a/b"), Path::new(path));
        assert_eq!(seen("c.md"), Some("b/c.md".into()));
        assert_eq!(seen("../c/./d.md"), Some("c/d.md".into()));
        assert_eq!(seen("/a/d.md"), Some("d.md".into()));
        assert_eq!(seen("../../d.md"), None);
    }
}
