//! What recording takes, beside the same runs without it; and what proving a run once more and taking it back take, beside `cp`. In
//! every form what is restored must be what was read.

use super::Result;
use super::measuring::{Cost, once, readable, remove, seconds};
use super::sets::{MoreForms, Sets};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A job, its input, and its flags.
struct Job<'a> {
    name: &'a str,
    input: &'a Path,
    flags: &'a [&'a str],
}

/// Prints all; false if something isn't restored as it was.
pub(crate) fn print(sets: &Sets, unecho: &Path, dir: &Path, runs: usize) -> Result<bool> {
    let more = MoreForms::made(sets)?;
    let across: &[&str] = &["--across"];
    let jobs = [
        Job { name: ".jsonl, within records", input: &sets.jsonl, flags: &[] },
        Job { name: ".jsonl, across", input: &sets.jsonl, flags: across },
        Job { name: ".txt, across", input: &sets.text, flags: across },
        Job {
            name: ".txt, lines, exact",
            input: &sets.text,
            flags: &["--across", "--unit", "line", "--match", "bytes", "--min-chars", "0"],
        },
        Job { name: ".jsonl.gz", input: &sets.gzip, flags: across },
        Job { name: ".jsonl.zst", input: &sets.zstd, flags: across },
        Job { name: "folder", input: &sets.folder, flags: across },
        Job { name: ".wet", input: &more.wet, flags: across },
        Job { name: ".parquet", input: &more.parquet, flags: across },
    ];
    println!("\n| job | wall | with --record | | CPU | with --record | | record | verify | restore | cp | |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    let mut is_right = true;
    for job in &jobs {
        is_right &= job.print(unecho, dir, runs)?;
    }
    Ok(is_right)
}

impl Job<'_> {
    fn print(&self, unecho: &Path, dir: &Path, runs: usize) -> Result<bool> {
        remove(&dir.join("records"))?;
        let name = self.input.file_name().expect("a corpus has a name");
        let [out, back, log] = ["clean", "back", "log"].map(|folder| dir.join("records").join(folder).join(name));
        let record = dir.join("records").join("record.jsonl");
        for folder in [&out, &back, &log] {
            fs::create_dir_all(folder.parent().expect("it is in a folder"))?;
        }
        let flags = self.flags.iter().map(OsStr::new);
        let clean: Vec<&OsStr> = [unecho.as_os_str(), "-q".as_ref()].into_iter().chain(flags).collect();
        let clean = [clean, vec![self.input.as_os_str(), "-o".as_ref(), out.as_os_str()]].concat();
        let recorded = [clean.clone(), vec!["--record".as_ref(), record.as_os_str()]].concat();
        let verify = [unecho.as_os_str(), "-q".as_ref(), "verify".as_ref(), record.as_os_str()];
        let restore =
            [unecho.as_os_str(), "-q".as_ref(), "restore".as_ref(), record.as_os_str(), "-o".as_ref(), back.as_os_str()];
        let copy: [&OsStr; 4] = ["cp".as_ref(), "-r".as_ref(), self.input.as_os_str(), back.as_os_str()];
        let mut costs: [Vec<Cost>; 5] = Default::default();
        let mut is_same = true;
        for _ in 0..runs {
            let commands = [(&*clean, &out), (&recorded, &out), (&verify, &log), (&restore, &back), (&copy, &back)];
            for (number, (command, to)) in commands.into_iter().enumerate() {
                costs[number].push(once(command, to)?);
                if number == 3 {
                    is_same &= self.is_same_as(&back)?;
                }
            }
        }
        let size = fs::metadata(&record)?.len();
        let [plain, recorded, verify, restore, copy] = costs.map(|runs| Cost::of(&runs));
        let more = |with: std::time::Duration, without: std::time::Duration| {
            format!("{:+.0} %", (with.as_secs_f64() / without.as_secs_f64() - 1.0) * 100.0)
        };
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.2} |{}",
            self.name,
            seconds(plain.wall),
            seconds(recorded.wall),
            more(recorded.wall, plain.wall),
            seconds(plain.cpu),
            seconds(recorded.cpu),
            more(recorded.cpu, plain.cpu),
            readable(size),
            seconds(verify.wall),
            seconds(restore.wall),
            seconds(copy.wall),
            restore.wall.as_secs_f64() / copy.wall.as_secs_f64(),
            if is_same { "" } else { " not what it was" }
        );
        remove(&dir.join("records"))?;
        Ok(is_same)
    }

    /// Whether a copy holds what is read, as it unpacks; of a table that is for the tests to hold.
    fn is_same_as(&self, back: &Path) -> Result<bool> {
        let line = match self.input.extension().and_then(OsStr::to_str) {
            Some("parquet") => return Ok(back.exists()),
            Some("gz") => "gzip -dc \"$1\" | cmp - <(gzip -dc \"$2\")",
            Some("zst") => "zstd -dc \"$1\" | cmp - <(zstd -dc \"$2\")",
            _ => "diff -rq \"$1\" \"$2\"",
        };
        let shell = Command::new("bash").args(["-c", line, "bash"]).args([self.input, back]).status()?;
        Ok(shell.success())
    }
}
