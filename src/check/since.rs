//! What a git revision doesn't have: findings in lines that differ from it, or in files that it doesn't know. Asks git.

use super::{Hit, Rule};
use crate::error::{Error, Place, Result};
use crate::report::{Fingerprint, Lines, Passage};
use crate::source::{Form, Packing, below, text};
use crate::{Plan, Settings};
use rustc_hash::FxHashMap;
use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What of the work tree a revision doesn't have.
pub struct Since {
    git: Git,
    /// The revision, by its hash.
    commit: String,
    /// What was compared.
    settings: Settings,
    /// The root of the work tree.
    top: PathBuf,
    here: PathBuf,
    /// What is new of the files that differ, by their paths below the root.
    new: FxHashMap<PathBuf, New>,
    /// What the files were called that have another name now.
    old_names: FxHashMap<PathBuf, PathBuf>,
    /// Other repositories within this one, of whose files it has none.
    others: Vec<PathBuf>,
}

#[derive(Debug, PartialEq, Eq)]
enum New {
    All,
    /// Lines, in order.
    Lines(Vec<Lines>),
}

/// What a hunk of a diff without context begins with.
const HUNK: &[u8] = b"@@ -";

impl Since {
    /// What of the work tree that the current folder is in, as far as `paths` are concerned, this revision doesn't have.
    ///
    /// # Errors
    /// If git isn't there, there is no work tree, or it has no such revision.
    pub fn new(revision: &str, paths: &[PathBuf], settings: &Settings) -> Result<Self> {
        let git = Git { asked: format!("--since {revision}") };
        let here = env::current_dir().map_err(|error| Error::io(Place::Request("the current folder".into()), error))?;
        let top = git.output(&["rev-parse", "--show-toplevel"])?;
        let top = PathBuf::from(OsStr::from_bytes(top.strip_suffix(b"\n").unwrap_or(&top)));
        let commit = git.output(&["rev-parse", "--verify", "--end-of-options", &format!("{revision}^{{commit}}")])?;
        let commit = String::from_utf8_lossy(&commit).trim_end().to_owned();
        let settings = Settings { across: false, ..settings.clone() };
        let (new, old_names) = (FxHashMap::default(), FxHashMap::default());
        let mut since = Self { git, commit, settings, top, here, new, old_names, others: Vec::new() };
        since.add_changed()?;
        let inside: Vec<PathBuf> = paths.iter().filter_map(|path| since.below(path)).collect();
        if !inside.is_empty() {
            since.add_unknown(&inside)?;
        }
        Ok(since)
    }

    /// Files that the revision has otherwise.
    fn add_changed(&mut self) -> Result<()> {
        const DIFF: [&str; 6] = ["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules", "-M"];
        // What isn't text for git has no lines.
        let changed = self.git.output(&[&DIFF[..], &["--numstat", "-z", &self.commit, "--"]].concat())?;
        let mut fields = changed.split(|&byte| byte == 0);
        while let Some(field) = fields.next().filter(|field| !field.is_empty()) {
            let mut parts = field.splitn(3, |&byte| byte == b'\t');
            let (added, _, path) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
            let mut path = OsStr::from_bytes(path);
            if path.is_empty() {
                let mut name = || OsStr::from_bytes(fields.next().unwrap_or_default());
                let old = name();
                path = name();
                self.old_names.insert(path.into(), old.into());
            }
            if added == Some(b"-") {
                self.new.insert(path.into(), New::All);
            }
        }
        let prefixes = ["-U0", "--src-prefix=a/", "--dst-prefix=b/", &self.commit, "--"];
        let mut path = None;
        self.git.lines(&[&DIFF[..], &prefixes].concat(), |line| {
            if let Some(name) = line.strip_prefix(b"+++ ") {
                path = unquoted(name).strip_prefix(b"b/").map(|name| PathBuf::from(OsStr::from_bytes(name)));
            } else if let Some((lines, path)) = line.strip_prefix(HUNK).and_then(added).zip(path.as_ref()) {
                match self.new.entry(path.clone()).or_insert_with(|| New::Lines(Vec::new())) {
                    New::All => {}
                    New::Lines(all) => all.push(lines),
                }
            }
        })
    }

    /// Files that git doesn't know.
    fn add_unknown(&mut self, paths: &[PathBuf]) -> Result<()> {
        let paths = paths.iter().map(|path| if path.as_os_str().is_empty() { OsStr::new(".") } else { path.as_os_str() });
        let words = ["--literal-pathspecs", "ls-files", "--others", "-z", "--"].map(OsStr::new);
        let words: Vec<&OsStr> = words.into_iter().chain(paths).collect();
        let unknown = self.git.output_in(&self.top, &words)?;
        for path in unknown.split(|&byte| byte == 0).filter(|path| !path.is_empty()) {
            match path.strip_suffix(b"/") {
                Some(repository) => self.others.push(OsStr::from_bytes(repository).into()),
                None => drop(self.new.insert(OsStr::from_bytes(path).into(), New::All)),
            }
        }
        // A submodule is an entry of its own kind: mode, hash and stage, then a tab and its path.
        let known = self.git.output_in(&self.top, &["ls-files", "--stage", "-z"].map(OsStr::new))?;
        let submodules = known.split(|&byte| byte == 0).filter(|entry| entry.starts_with(b"160000 "));
        self.others.extend(
            submodules.filter_map(|entry| Some(OsStr::from_bytes(entry.splitn(2, |&byte| byte == b'\t').nth(1)?).into())),
        );
        Ok(())
    }

    fn below(&self, path: &Path) -> Option<PathBuf> {
        below(&self.top, &self.here, path)
    }

    /// Which of the findings of a document are new.
    ///
    /// Those in lines that are, or that repeat such lines. But of equal texts that follow one another a diff doesn't tell which came last,
    /// so as many of them are old as were found in the revision.
    ///
    /// # Errors
    /// If git can't say what the document was.
    pub(super) fn new_ones(&self, hits: &[Hit]) -> Result<Vec<bool>> {
        let is_new = |hit: &Hit| self.is_new(&hit.at) || hit.repeats.as_ref().is_some_and(|first| self.is_new(first));
        let mut new: Vec<bool> = hits.iter().map(is_new).collect();
        let is_within = |hit: &Hit| matches!(hit.rule, Rule::DoubledBlock | Rule::RepeatedParagraph);
        let Some(first) = hits.iter().zip(&new).find(|(hit, is_new)| **is_new && is_within(hit)).map(|(hit, _)| hit) else {
            return Ok(new);
        };
        let mut old = self.found_then(first)?;
        let mut was_old = |hit: &Hit| match old.get_mut(&hit.fingerprint) {
            Some(count) if is_within(hit) && *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        };
        for (hit, _) in hits.iter().zip(&new).filter(|(_, is_new)| !**is_new) {
            was_old(hit);
        }
        for (hit, is_new) in hits.iter().zip(&mut new).filter(|(_, is_new)| **is_new) {
            *is_new = !was_old(hit);
        }
        Ok(new)
    }

    /// What was found in a document when it was in the revision, and how often, if it is a text.
    fn found_then(&self, hit: &Hit) -> Result<FxHashMap<Fingerprint, u64>> {
        let mut found = FxHashMap::default();
        let path = self.below(&hit.at.path).filter(|_| hit.at.record.is_none());
        let Some(path) = path.filter(|path| matches!(self.new.get(path), Some(New::Lines(_)))) else { return Ok(found) };
        let path = self.old_names.get(&path).unwrap_or(&path);
        let name = [self.commit.as_bytes(), b":", path.as_os_str().as_bytes()].concat();
        let Ok(then) = self.git.checked(Git::command(&[OsStr::new("cat-file"), OsStr::new("blob"), OsStr::from_bytes(&name)]))
        else {
            return Ok(found); // it wasn't there
        };
        let plan =
            Plan::new(&text::document(&then), &self.settings).map_err(|what| Error::too_large((&hit.at.path).into(), what))?;
        for block in &plan.blocks {
            *found.entry(Fingerprint::of(block.repeat.of(&then))).or_default() += 1;
        }
        Ok(found)
    }

    /// Whether a passage, or a part of it, is in lines that the revision doesn't have. What is outside of the work tree is.
    pub(super) fn is_new(&self, passage: &Passage) -> bool {
        let Some(path) = self.below(&passage.path) else { return true };
        let new = match self.new.get(&path) {
            None => return self.others.iter().any(|other| path.starts_with(other)),
            Some(New::All) => return true,
            Some(New::Lines(new)) => new,
        };
        let has_lines =
            Packing::of_name(&path).0 == Packing::Plain && matches!(Form::of_name(&path), None | Some(Form::Text | Form::Jsonl));
        let its: Vec<Lines> = match passage.record {
            Some(record) if has_lines => vec![Lines { first: record, last: record }],
            None if has_lines => passage.lines.clone(),
            _ => Vec::new(),
        };
        its.is_empty() || its.iter().any(|its| new.iter().any(|new| new.first <= its.last && its.first <= new.last))
    }
}

/// The lines that a hunk adds, given what follows "@@ -": "3,2 +3,4 @@".
fn added(hunk: &[u8]) -> Option<Lines> {
    let new = str::from_utf8(hunk.split(|&byte| byte == b' ').nth(1)?.strip_prefix(b"+")?).ok()?;
    let (first, count) = new.split_once(',').unwrap_or((new, "1"));
    let (first, count): (u64, u64) = (first.parse().ok()?, count.parse().ok()?);
    (count > 0).then(|| Lines { first, last: first + count - 1 })
}

/// A name as a diff writes it, which quotes what is odd as C does.
fn unquoted(name: &[u8]) -> Vec<u8> {
    let name = name.strip_suffix(b"\t").unwrap_or(name); // which follows one with spaces
    let Some(quoted) = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")) else { return name.into() };
    let mut out = Vec::new();
    let mut rest = quoted;
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        if let Some((octal, after)) = rest.split_at_checked(3).filter(|(octal, _)| octal.iter().all(u8::is_ascii_digit)) {
            out.push(octal.iter().fold(0_u8, |byte, digit| byte.wrapping_mul(8).wrapping_add(digit - b'0')));
            rest = after;
        } else if let [escaped, after @ ..] = rest {
            rest = after;
            out.push(match escaped {
                b'a' => 7,
                b'b' => 8,
                b't' => b'\t',
                b'n' => b'\n',
                b'v' => 11,
                b'f' => 12,
                b'r' => b'\r',
                other => *other,
            });
        }
    }
    out
}

/// The program, and what it is asked for.
struct Git {
    asked: String,
}

impl Git {
    fn failed(&self, why: &str) -> Error {
        Error::refused(Place::Request(self.asked.clone()), why)
    }

    fn not_run(&self, error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::NotFound => self.failed("needs git, which isn't there"),
            _ => self.failed(&format!("git can't be run: {error}")),
        }
    }

    fn command(words: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new("git");
        command.args(words).env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    fn output(&self, words: &[&str]) -> Result<Vec<u8>> {
        self.checked(Self::command(words))
    }

    fn output_in(&self, folder: &Path, words: &[&OsStr]) -> Result<Vec<u8>> {
        let mut command = Self::command(words);
        command.current_dir(folder);
        self.checked(command)
    }

    fn checked(&self, mut command: Command) -> Result<Vec<u8>> {
        let output = command.output().map_err(|error| self.not_run(&error))?;
        if output.status.success() { Ok(output.stdout) } else { Err(self.said_no(&output.stderr)) }
    }

    /// What git said when it failed, in words that go with what was asked for.
    fn said_no(&self, stderr: &[u8]) -> Error {
        let said = String::from_utf8_lossy(stderr);
        let said = said.trim().lines().next().unwrap_or_default();
        let said = said.strip_prefix("fatal: ").unwrap_or(said);
        match said {
            _ if said.contains("not a git repository") => self.failed("the current folder is in no git repository"),
            _ if said.contains("must be run in a work tree") => {
                self.failed("the repository is a bare one: it has no files to compare")
            }
            _ if said.contains("Needed a single revision") || said.contains("unknown revision") => {
                self.failed("there is no such revision (a shallow clone has only the last ones: git fetch gets it)")
            }
            _ => self.failed(&format!("git says: {said}")),
        }
    }

    /// Hands on the lines of its output that are no line of a text: those of a hunk are counted and passed over.
    fn lines(&self, words: &[&str], mut each: impl FnMut(&[u8])) -> Result<()> {
        let mut command = Self::command(words);
        // What it warns of (line ends that it would change) is nothing to a check.
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(|error| self.not_run(&error))?;
        let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
        let (mut line, mut of_text) = (Vec::new(), 0);
        loop {
            line.clear();
            let read = out.read_until(b'\n', &mut line).map_err(|error| self.failed(&error.to_string()))?;
            if read == 0 {
                break;
            }
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            if of_text > 0 {
                of_text -= u64::from(!line.starts_with(b"\\"));
                continue;
            }
            if let Some(hunk) = line.strip_prefix(HUNK) {
                of_text = count(hunk.split(|&byte| byte == b' '));
            }
            each(line);
        }
        let status = child.wait().map_err(|error| self.not_run(&error))?;
        if status.success() { Ok(()) } else { Err(self.failed("git diff failed")) }
    }
}

/// How many lines follow a hunk's heading, given its first two words: "3,2" and "+3,4".
fn count<'a>(words: impl Iterator<Item = &'a [u8]>) -> u64 {
    let number = |word: &[u8]| {
        let count = word.splitn(2, |&byte| byte == b',').nth(1).unwrap_or(b"1");
        str::from_utf8(count).ok().and_then(|count| count.parse::<u64>().ok()).unwrap_or(0)
    };
    words.take(2).map(number).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hunk_says_what_it_adds() {
        let lines = |hunk: &[u8]| added(hunk).map(|lines| (lines.first, lines.last));
        assert_eq!(lines(b"3,2 +5,4 @@ fn x() {"), Some((5, 8)));
        assert_eq!(lines(b"3 +5 @@"), Some((5, 5)));
        assert_eq!(lines(b"3,2 +2,0 @@"), None);
        assert_eq!(count(b"3,2 +5,4 @@".split(|&byte| byte == b' ')), 6);
        assert_eq!(count(b"3 +5,0 @@".split(|&byte| byte == b' ')), 1);
    }

    #[test]
    fn a_quoted_name_is_read() {
        assert_eq!(unquoted(b"b/plain name\t"), b"b/plain name");
        assert_eq!(unquoted(br#""b/a\tb\"c\\\303\251\n""#), "b/a\tb\"c\\é\n".as_bytes());
    }
}
