//! Whether a run that memory doesn't hold (`--memory`) leaves what one in memory does, in every form, and what that costs.

use super::Result;
use super::measuring::{Cost, once, readable, remove, seconds};
use super::planted::{hash, hash_of, hash_of_folder, hash_of_texts};
use super::sets::{MoreForms, Sets};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// What `--memory` allows; `None`: the flag isn't there, and everything is in memory.
const MEMORIES: [Option<u64>; 3] = [None, Some(256), Some(64)];
/// The threads with which each form is measured, and the others, with which the plain JSONL is.
const THREADS: &str = "2";
const OTHER_THREADS: [&str; 2] = ["1", "8"];
/// The resident set may be so much of what `--memory` allows.
const MOST: f64 = 1.25;
/// One text of the whole corpus must be refused with so much memory.
const FOR_TEXT: &str = "256M";

/// The log with `$1`, the rest is the command.
const LOGGED: &str = "log=\"$1\"; shift; exec \"$@\" 2>\"$log\"";
/// The same with `$2` on standard input, by a pipe.
const PIPED: &str = "log=\"$1\" from=\"$2\"; shift 2; cat \"$from\" | \"$@\" 2>\"$log\"";

/// Prints the table; false if a clean copy is another one, or takes more memory than there may be.
pub(crate) fn print(sets: &Sets, unecho: &Path, dir: &Path) -> Result<bool> {
    let more = MoreForms::made(sets)?;
    println!(
        "`--across` with `--memory`. One run of each. What is left is compared with what is left where\n\
         memory holds all: packed forms unpacked, and packed. The peak may be {MOST} times what is allowed.\n"
    );
    println!("| input | extent | --memory | threads | wall | CPU | peak RSS | of --memory | temporary files | what is left |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|");
    let mut table = Table { unecho, dir, in_memory: HashMap::new(), is_right: true };
    let forms = [
        Form { of: "jsonl", ..Form::file("jsonl", &sets.jsonl) },
        Form { is_piped: true, of: "jsonl", ..Form::file("standard input", &sets.jsonl) },
        Form { of: "jsonl", ..Form::file("jsonl.gz", &sets.gzip) },
        Form { of: "jsonl", ..Form::file("jsonl.zst", &sets.zstd) },
        Form::file("folder", &sets.folder),
        Form::file("parquet", &more.parquet),
        Form { of: "wet", ..Form::file("wet", &more.wet) },
        Form { of: "wet", ..Form::file("wet.gz", &more.wet_gzip) },
    ];
    for form in &forms {
        for memory in MEMORIES {
            table.row(form, memory, THREADS)?;
        }
    }
    for threads in OTHER_THREADS {
        for memory in MEMORIES {
            table.row(&forms[0], memory, threads)?;
        }
    }
    println!();
    table.texts(&sets.jsonl, [&more.parquet, &more.wet_gzip])?;
    table.one_text(&sets.text)?;
    Ok(table.is_right)
}

/// A form of the corpus.
struct Form<'a> {
    name: &'static str,
    /// Its output, unpacked, is that of the first form which this names, if it isn't its own.
    of: &'static str,
    input: &'a Path,
    is_piped: bool,
}

impl<'a> Form<'a> {
    fn file(name: &'static str, input: &'a Path) -> Self {
        Self { name, of: name, input, is_piped: false }
    }

    /// The ending of its output.
    fn ending(&self) -> &str {
        if self.is_piped { self.of } else { self.name }
    }
}

struct Table<'a> {
    unecho: &'a Path,
    dir: &'a Path,
    /// What is left in memory, by form: hashes of it unpacked, and of it packed.
    in_memory: HashMap<(&'static str, bool), String>,
    is_right: bool,
}

impl Table<'_> {
    /// Measures a run and prints it.
    fn row(&mut self, form: &Form, memory: Option<u64>, threads: &str) -> Result<()> {
        let Form { name, of, input, is_piped } = *form;
        let out = self.dir.join("out").with_extension(form.ending());
        let log = self.dir.join("out.log");
        let command = self.command(input, &out, &log, memory, threads, is_piped);
        let command: Vec<&OsStr> = command.iter().map(OsString::as_os_str).collect();
        let said = || fs::read_to_string(&log).unwrap_or_default();
        let Cost { wall, cpu, peak } = once(&command, &out).map_err(|error| format!("{error}\n{}", said()))?;
        let is_known = self.in_memory.contains_key(&(of, false));
        let [unpacked, packed] = hashes(&out)?;
        let is_same = *self.in_memory.entry((of, false)).or_insert_with(|| unpacked.clone()) == unpacked;
        let is_packed_the_same = *self.in_memory.entry((name, true)).or_insert_with(|| packed.clone()) == packed;
        let left = match (is_same, is_packed_the_same) {
            (true, true) if !is_known => format!("sha256 {}", &unpacked[..16]),
            (true, true) => "the same".to_owned(),
            (true, false) => "the same, packed otherwise".to_owned(),
            (false, _) => "**NOT the same**".to_owned(),
        };
        let share = memory.map(|memory| peak as f64 / (memory << 20) as f64);
        self.is_right &= is_same && is_packed_the_same && share.is_none_or(|share| share <= MOST);
        println!(
            "| {name} | {} | {} | {threads} | {} | {} | {} | {} | {} | {left} |",
            readable(extent(input)?),
            memory.map_or("–".to_owned(), |memory| format!("{memory}M")),
            seconds(wall),
            seconds(cpu),
            readable(peak),
            share.map_or("–".to_owned(), |share| format!("{share:.2}{}", if share > MOST { " **too much**" } else { "" })),
            temporary_files(&said()).map_or("–".to_owned(), |took| format!("{took} MB")),
        );
        io::stdout().flush()?;
        remove(&out)?;
        remove(&log)?;
        Ok(())
    }

    /// The command that cleans a file, or what comes of it by a pipe, and keeps what it says in a log.
    fn command(&self, input: &Path, out: &Path, log: &Path, memory: Option<u64>, threads: &str, is_piped: bool) -> Vec<OsString> {
        let script = if is_piped { PIPED } else { LOGGED };
        let mut command: Vec<OsString> = ["sh", "-c", script, "sh"].iter().map(OsString::from).collect();
        command.push(log.into());
        if is_piped {
            command.push(input.into());
        }
        command.push(self.unecho.into());
        command.extend(["--across", "--threads", threads, "--temp-dir"].iter().map(OsString::from));
        command.push(self.dir.into());
        if let Some(memory) = memory {
            command.extend(["--memory".into(), format!("{memory}M").into()]);
        }
        match is_piped {
            true => command.extend(["--from", "jsonl", "-"].iter().map(OsString::from)),
            false => command.push(input.into()),
        }
        command.extend(["-o".into(), out.into()]);
        command
    }

    /// Whether other forms are left with the texts that JSONL is left with.
    fn texts(&mut self, jsonl: &Path, others: [&Path; 2]) -> Result<()> {
        let out = self.dir.join("out.jsonl");
        let left = |input: &Path, memory: &str| -> Result<String> {
            remove(&out)?;
            let mut command = Command::new(self.unecho);
            command.args(["-q", "--across", "--threads", THREADS, "--memory", memory, "--to", "jsonl", "--temp-dir"]);
            let status = command.arg(self.dir).arg(input).arg("-o").arg(&out).stdin(Stdio::null()).status()?;
            if !status.success() {
                return Err(format!("{command:?}: {status}").into());
            }
            let hash = hash_of_texts(&out)?;
            remove(&out)?;
            Ok(hash)
        };
        let expected = left(jsonl, "8G")?;
        for input in others {
            let is_same = left(input, FOR_TEXT)? == expected;
            self.is_right &= is_same;
            let name = input.file_name().unwrap_or(input.as_os_str()).display();
            println!(
                "{name} --to jsonl --memory {FOR_TEXT}: {} texts as of .jsonl",
                if is_same { "the same" } else { "NOT the same" }
            );
        }
        Ok(())
    }

    /// One text that is larger than memory must be refused, and say why.
    fn one_text(&mut self, text: &Path) -> Result<()> {
        let out = self.dir.join("out.txt");
        remove(&out)?;
        let mut command = Command::new(self.unecho);
        command.args(["--across", "--memory", FOR_TEXT]).arg(text).arg("-o").arg(&out).stdin(Stdio::null());
        let ran = command.output()?;
        let said = String::from_utf8_lossy(&ran.stderr);
        let is_refused = !ran.status.success() && !remove(&out)? && said.contains("--memory");
        self.is_right &= is_refused;
        println!("one text, --memory {FOR_TEXT}: {}, {}", if is_refused { "refused" } else { "NOT refused" }, ran.status);
        said.lines().for_each(|line| println!("    {line}"));
        Ok(())
    }
}

/// The hashes of what is left: of it unpacked, and as it is.
fn hashes(out: &Path) -> Result<[String; 2]> {
    if out.is_dir() {
        let hash = hash_of_folder(out)?;
        return Ok([hash.clone(), hash]);
    }
    Ok([hash(out)?, hash_of(File::open(out)?)?])
}

fn extent(input: &Path) -> Result<u64> {
    let files = walkdir::WalkDir::new(input).into_iter();
    let sizes = files
        .map(|entry| entry.and_then(|entry| entry.metadata()))
        .filter(|data| data.as_ref().map_or(true, |data| data.is_file()));
    sizes.map(|data| Ok(data?.len())).sum()
}

/// What the program says that temporary files took, in MB.
pub(crate) fn temporary_files(said: &str) -> Option<u64> {
    let (_, rest) = said.split_once("temporary files took ")?;
    let (number, _) = rest.split_once(" MB")?;
    number.replace(',', "").parse().ok()
}
