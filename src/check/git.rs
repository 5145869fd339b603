//! What git is asked, and how its answers are read.

use crate::error::{Error, Place, Result};
use crate::report::Lines;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program, and what it is asked for.
pub(super) struct Git {
    /// In the words of whoever asks.
    asked: String,
    /// The root of the work tree.
    top: PathBuf,
}

/// How differences are asked for, whatever the user's own settings say of them.
const DIFF: [&str; 10] = [
    "diff",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-relative",
    "--ignore-submodules",
    "--inter-hunk-context=0",
    "-O/dev/null",
    "-M",
    "-l0",
];

/// What differs in a file.
pub(super) enum Difference {
    /// It holds no text, as git sees it.
    NoText(PathBuf),
    /// It had another name: this, and then the new one.
    Renamed(PathBuf, PathBuf),
    /// These lines were added.
    Added(PathBuf, Lines),
    /// It isn't among the files that git knows any more.
    Removed(PathBuf),
}

impl Git {
    /// That of the work tree that the current folder is in.
    ///
    /// # Errors
    /// If there is no git, or no work tree.
    pub(super) fn here(asked: String) -> Result<Self> {
        let mut git = Self { asked, top: PathBuf::from(".") };
        git.top = path(trimmed(&git.output(["rev-parse", "--show-toplevel"])?));
        Ok(git)
    }

    pub(super) fn top(&self) -> &Path {
        &self.top
    }

    /// The hash of a revision.
    pub(super) fn commit(&self, revision: &str) -> Result<String> {
        let commit = self.output(["rev-parse", "--verify", "--end-of-options", &format!("{revision}^{{commit}}")])?;
        Ok(String::from_utf8_lossy(trimmed(&commit)).into_owned())
    }

    /// The files of a revision, by their paths below the root.
    pub(super) fn files(&self, commit: &str) -> Result<Vec<PathBuf>> {
        let files = self.output(["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit])?;
        Ok(files.split(|&byte| byte == 0).filter(|name| !name.is_empty()).map(path).collect())
    }

    /// A file as it is in a revision, if it is there.
    pub(super) fn file(&self, commit: &str, path: &Path) -> Option<Vec<u8>> {
        let name = [commit.as_bytes(), b":", path.as_os_str().as_bytes()].concat();
        self.output([OsStr::new("cat-file"), OsStr::new("blob"), OsStr::from_bytes(&name)]).ok()
    }

    /// Whether git keeps another form of a file than the work tree has, such as a pointer to it: then its lines are others.
    pub(super) fn is_filtered(&self, path: &Path) -> bool {
        let words = ["check-attr", "-z", "filter", "--"].map(OsStr::new);
        let said = self.output(words.into_iter().chain([path.as_os_str()])).unwrap_or_default();
        let value = said.split(|&byte| byte == 0).nth(2).unwrap_or_default();
        !matches!(value, b"" | b"unspecified" | b"unset")
    }

    /// How the work tree differs from a revision.
    pub(super) fn differences(&self, commit: &str, mut each: impl FnMut(Difference)) -> Result<()> {
        let numbers = self.output(DIFF.into_iter().chain(["--numstat", "-z", commit, "--"]))?;
        let mut fields = numbers.split(|&byte| byte == 0);
        while let Some(field) = fields.next().filter(|field| !field.is_empty()) {
            let mut parts = field.splitn(3, |&byte| byte == b'\t');
            let (added, _, name) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
            let mut name = path(name);
            if name.as_os_str().is_empty() {
                let mut next = || path(fields.next().unwrap_or_default()); // of what has another name both names follow
                let old = next();
                name = next();
                each(Difference::Renamed(old, name.clone()));
            }
            if added == Some(b"-") {
                each(Difference::NoText(name));
            }
        }
        let (mut old, mut new) = (None, None);
        let named = |name: &[u8], prefix: &[u8]| unquoted(name).strip_prefix(prefix).map(path);
        self.headings(DIFF.into_iter().chain(["-U0", "--src-prefix=a/", "--dst-prefix=b/", commit, "--"]), |line| {
            if let Some(name) = line.strip_prefix(b"--- ") {
                old = named(name, b"a/");
            } else if let Some(name) = line.strip_prefix(b"+++ ") {
                new = named(name, b"b/");
                if let (Some(old), None) = (old.take(), &new) {
                    each(Difference::Removed(old));
                }
            } else if let Some((lines, new)) = line.strip_prefix(HUNK).and_then(added).zip(new.as_ref()) {
                each(Difference::Added(new.clone(), lines));
            }
        })
    }

    fn command<A: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new("git");
        command.args(words).current_dir(&self.top).env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    fn output<A: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = A>) -> Result<Vec<u8>> {
        let output = self.command(words).output().map_err(|error| self.not_run(&error))?;
        if output.status.success() { Ok(output.stdout) } else { Err(self.said_no(&output.stderr)) }
    }

    /// Hands on the lines of a diff that are none of a text: those of a hunk are counted and passed over.
    fn headings<'a>(&self, words: impl Iterator<Item = &'a str>, mut each: impl FnMut(&[u8])) -> Result<()> {
        // What it warns of (line ends that it would change) is nothing to a check.
        let mut command = self.command(words.map(OsString::from));
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

    fn failed(&self, why: &str) -> Error {
        Error::refused(Place::Request(self.asked.clone()), why)
    }

    fn not_run(&self, error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::NotFound => self.failed("needs git, which isn't there"),
            _ => self.failed(&format!("git can't be run: {error}")),
        }
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
}

fn path(name: &[u8]) -> PathBuf {
    OsStr::from_bytes(name).into()
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// What a hunk of a diff begins with.
const HUNK: &[u8] = b"@@ -";

/// The lines that a hunk without context adds, given what follows "@@ -": "3,2 +3,4 @@".
fn added(hunk: &[u8]) -> Option<Lines> {
    let new = str::from_utf8(hunk.split(|&byte| byte == b' ').nth(1)?.strip_prefix(b"+")?).ok()?;
    let (first, count) = new.split_once(',').unwrap_or((new, "1"));
    let (first, count): (u64, u64) = (first.parse().ok()?, count.parse().ok()?);
    (count > 0).then(|| Lines { first, last: first + count - 1 })
}

/// How many lines follow a hunk's heading, given its first two words: "3,2" and "+3,4".
fn count<'a>(words: impl Iterator<Item = &'a [u8]>) -> u64 {
    let number = |word: &[u8]| {
        let count = word.splitn(2, |&byte| byte == b',').nth(1).unwrap_or(b"1");
        str::from_utf8(count).ok().and_then(|count| count.parse::<u64>().ok()).unwrap_or(0)
    };
    words.take(2).map(number).sum()
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
