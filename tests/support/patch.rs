//! Applies unified diffs, strictly: every number, every line of context and every mark of a missing line end must be right.
#![allow(dead_code, reason = "each test takes the part it needs")]

use std::path::Path;
use std::process::{Command, Stdio};

/// Lines of context.
const CONTEXT: usize = 3;

/// What a diff makes of each of its files, in order; nothing of one that goes. `original` gives what a file holds.
pub(crate) fn applied(diff: &[u8], mut original: impl FnMut(&str) -> Vec<u8>) -> Vec<(String, Option<Vec<u8>>)> {
    let mut diff = diff;
    let mut files = Vec::new();
    while !diff.is_empty() {
        let name = heading(&mut diff, "--- ");
        let new_name = heading(&mut diff, "+++ ");
        assert!(new_name == name || new_name == "/dev/null", "{new_name} for {name}");
        let old = original(&name);
        let new = apply(&mut diff, &old, &name);
        if new_name == "/dev/null" {
            assert_eq!(new, b"", "of {name} something is left");
        }
        files.push((name, (new_name != "/dev/null").then_some(new)));
    }
    files
}

/// The names of the files of a diff, as they are written.
fn heading(diff: &mut &[u8], begins: &str) -> String {
    let line = String::from_utf8(line(diff).to_vec()).unwrap();
    let name = line.strip_suffix('\n').and_then(|line| line.strip_prefix(begins)).unwrap_or_else(|| panic!("no name: {line}"));
    let name = name.trim_end_matches('\t');
    name.strip_prefix('"').map_or_else(|| name.to_owned(), |quoted| unquoted(quoted.strip_suffix('"').unwrap()))
}

/// A name in which other bytes stand escaped.
fn unquoted(name: &str) -> String {
    let mut pieces = name.split('\\');
    let mut text = pieces.next().unwrap().to_owned();
    while let Some(piece) = pieces.next() {
        match u8::from_str_radix(piece.get(..3).unwrap_or_default(), 8) {
            Ok(byte) => text.extend([char::from(byte).to_string().as_str(), &piece[3..]]),
            Err(_) if piece.is_empty() => text.extend(["\\", pieces.next().unwrap()]),
            Err(_) => text.push_str(piece),
        }
    }
    text
}

/// Takes the next line off a text.
fn line<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let (line, rest) = text.split_at(text.iter().position(|&byte| byte == b'\n').map_or(text.len(), |lf| lf + 1));
    *text = rest;
    line
}

fn apply(diff: &mut &[u8], old: &[u8], name: &str) -> Vec<u8> {
    let old: Vec<&[u8]> = old.split_inclusive(|&byte| byte == b'\n').collect();
    let (mut new, mut new_lines, mut at) = (Vec::new(), 0, 0);
    assert!(diff.starts_with(b"@@ "), "{name} has a heading and no hunk");
    while diff.starts_with(b"@@ ") {
        let heading = String::from_utf8(line(diff).to_vec()).unwrap();
        let numbers: Vec<usize> = heading.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
        let &[first_old, mut old_count, first_new, mut new_count] = numbers.as_slice() else { panic!("{name}: {heading}") };
        // Those of no lines name the line before.
        let start = first_old - usize::from(old_count > 0);
        assert!(start > at || (start == 0 && at == 0), "{name}: {heading} meets the hunk before, which ends at line {at}");
        new.extend(old[at..start].concat());
        new_lines += start - at;
        at = start;
        assert_eq!(first_new, new_lines + usize::from(new_count > 0), "{name}: {heading}");
        let mut signs = Vec::new();
        while old_count + new_count > 0 {
            let (sign, text) = line(diff).split_first().unwrap();
            let text = match diff.starts_with(b"\\ No newline at end of file\n") {
                true => {
                    line(diff);
                    text.strip_suffix(b"\n").unwrap()
                }
                false => text,
            };
            if *sign != b'+' {
                assert!(old[at] == text, "{name}: {heading} has another line {}", at + 1);
                (at, old_count) = (at + 1, old_count - 1);
            }
            if *sign != b'-' {
                new.extend(text);
                (new_lines, new_count) = (new_lines + 1, new_count - 1);
            }
            signs.push(*sign);
        }
        let is_context = |sign: &&u8| **sign == b' ';
        let before = signs.iter().take_while(is_context).count();
        let behind = signs.iter().rev().take_while(is_context).count();
        assert!(before < signs.len() && before <= CONTEXT, "{name}: {heading}");
        // Less of it, and patch looks for the end of the file.
        assert!(behind == CONTEXT || (behind < CONTEXT && at == old.len()), "{name}: {heading} {behind} lines behind");
    }
    new.extend(old[at..].concat());
    new
}

/// Whether a program is there.
pub(crate) fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs a program in a folder with a diff as its input, and holds that it takes it without a word of doubt.
#[track_caller]
pub(crate) fn takes(program: &[&str], folder: &Path, diff: &[u8]) {
    let file = folder.join("../the.diff");
    std::fs::write(&file, diff).unwrap();
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).current_dir(folder).stdin(std::fs::File::open(&file).unwrap());
    let ran = command.output().unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(ran.status.success(), "{program:?}: {said}");
    assert!(!["fuzz", "offset", "garbage", "tripping"].iter().any(|doubt| said.contains(doubt)), "{program:?}: {said}");
}
