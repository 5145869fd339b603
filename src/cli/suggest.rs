//! Commands that are suggested, made of the arguments that were given, as a shell takes them.

use super::args::{COMMANDS, Common};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use unecho::report::is_harmful;

/// More paths than these are not written out again.
const MOST_PATHS: usize = 5;

/// What a suggested command is made of.
pub(super) struct Suggestion<'a> {
    pub(super) common: &'a Common,
    pub(super) paths: &'a [PathBuf],
}

impl Suggestion<'_> {
    /// The command that shows what repeats in the same inputs.
    pub(super) fn scan(&self) -> String {
        self.command(&["unecho", "scan"], "")
    }

    /// The command that keeps the clean copy of the one input.
    pub(super) fn clean(&self) -> String {
        self.command(&["unecho"], " -o FILE")
    }

    fn command(&self, words: &[&str], end: &str) -> String {
        let flags = self.common.flags_that_matter();
        let mut words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        words.extend(flags.iter().map(|flag| quoted(flag)));
        if self.paths.len() > MOST_PATHS {
            return format!("{}{end} and the same paths", words.join(" "));
        }
        words.extend(self.paths.iter().map(|path| argument(path)));
        words.join(" ") + end
    }
}

/// A path as an argument, which neither the shell nor the program takes for anything else.
pub(super) fn argument(path: &Path) -> String {
    let is_taken = COMMANDS.iter().any(|command| path.as_os_str() == *command);
    if is_taken || path.as_os_str().as_encoded_bytes().starts_with(b"-") {
        return quoted(Path::new(".").join(path).as_os_str());
    }
    quoted(path.as_os_str())
}

/// A word as bash and zsh take it; what would disturb a terminal stands in it by its bytes.
fn quoted(word: &OsStr) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%=".contains(c);
    match word.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(is_plain) => text.to_owned(),
        Some(text) if !text.contains(is_harmful) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => by_bytes(word.as_encoded_bytes()),
    }
}

fn by_bytes(word: &[u8]) -> String {
    let mut out = String::from("$'");
    let escaped = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    for chunk in word.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' | '\\' => out.extend(['\\', c]),
                _ if is_harmful(c) => out += &escaped(c.encode_utf8(&mut [0; 4]).as_bytes()),
                _ => out.push(c),
            }
        }
        out += &escaped(chunk.invalid());
    }
    out + "'"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn a_shell_takes_a_path_as_it_is() {
        for (path, shown) in [
            (&b"naive.txt"[..], "naive.txt"),
            (b"it's a file", r"'it'\''s a file'"),
            (b"-v", "./-v"),
            (b"scan", "./scan"),
            (b"$HOME", "'$HOME'"),
            (b"~", "'~'"),
            (b"a\x1b[31m\\b\xff", r"$'a\x1b[31m\\b\xff'"),
        ] {
            assert_eq!(argument(Path::new(OsStr::from_bytes(path))), shown);
        }
    }
}
