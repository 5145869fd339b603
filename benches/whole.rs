//! How long whole processes take, beside `cat` and `cp` on the same input: `cargo bench --bench whole`.
//!
//! The corpora follow from a fixed seed. Each run of unecho is followed by one of what it is compared with, so that a change in
//! the machine's temper meets both; what counts is the ratio of the medians. A run is measured by a process of its own (this
//! program again), since the kernel counts the memory of whoever starts a process towards that process's peak.

#[path = "../tests/support/corpus.rs"]
mod corpus;
#[path = "support/measuring.rs"]
mod measuring;

use measuring::{Cost, MEASURE, Result, flags, generated, measure, once, readable, remove, seconds, size};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

const USAGE: &str = "\
cargo bench --bench whole -- [--dir DIR] [--files 20000] [--bytes 1G] [--runs 5]
  --dir DIR    where corpora and outputs go; a corpus that is there already is used [a new folder in target/tmp, removed after]
  --files N    files in the folder
  --bytes N    size of each big file (K, M, G: powers of 1024)
  --runs N     runs of each command on folders and big files";

const SEED: u64 = 0x00ec_0ec0;
/// One article takes about a millisecond, most of it the start of a process: only many runs give a steady median.
const ARTICLE_RUNS: usize = 200;
/// The paragraphs of the big file that is repaired, too.
const REPAIRED: usize = 600;

fn main() -> Result<()> {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    if args.first().is_some_and(|arg| arg == MEASURE) {
        return measure(&args[1..]);
    }
    match Options::parse(&args)? {
        Some(options) => bench(&options),
        // `cargo test --all-targets` starts benches too, without `--bench`.
        None => {
            println!("{USAGE}");
            Ok(())
        }
    }
}

struct Options {
    dir: Option<PathBuf>,
    files: usize,
    bytes: usize,
    runs: usize,
}

impl Options {
    /// `None` if nothing is to be measured.
    fn parse(args: &[OsString]) -> Result<Option<Self>> {
        let mut options = Self { dir: None, files: 20_000, bytes: 1 << 30, runs: 5 };
        let is_bench = flags(args, USAGE, |flag, value| {
            match flag {
                "--dir" => options.dir = Some(std::path::absolute(value)?),
                "--files" => options.files = size(value)?,
                "--bytes" => options.bytes = size(value)?,
                "--runs" => options.runs = size(value)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(is_bench.then_some(options))
    }
}

fn bench(options: &Options) -> Result<()> {
    let temporary = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let dir = options.dir.as_deref().unwrap_or(temporary.path());
    fs::create_dir_all(dir)?;
    println!(
        "Whole processes, start to end, warm cache, unecho on 2 threads; {} runs of each in turn, the article {ARTICLE_RUNS}.\n\
         Medians of wall time and CPU time (user and system); peak RSS is the largest, and counts pages of mapped files.\n\
         Outputs are removed before each run, outside its time. unecho syncs what it writes, cp doesn't: on a slow disk\n\
         that is part of the ratio (--dir on a tmpfs leaves it out).\n\
         In {}\n",
        options.runs,
        dir.display()
    );
    println!("| job | unecho | beside | ratio | CPU unecho | CPU beside | RSS unecho | RSS beside |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    one_article(dir)?;
    for files in [options.files, options.files.div_ceil(10)] {
        small_files(dir, files, options.runs)?;
    }
    checked_files(dir, options.files.div_ceil(2), options.runs)?;
    for (paragraph, blank_lines) in [(75, true), (75, false), (600, true)] {
        big_file(dir, options, paragraph, blank_lines)?;
    }
    Ok(())
}

fn one_article(dir: &Path) -> Result<()> {
    let article = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/doubled-article.txt");
    let out = dir.join("out"); // both write to standard output
    let unecho = [UNECHO.as_ref(), "-q".as_ref(), article.as_os_str()];
    let cat = ["cat".as_ref(), article.as_os_str()];
    Job { name: "one article, beside cat".to_owned(), out, unecho: &unecho, beside: &cat }.run(ARTICLE_RUNS)
}

fn small_files(dir: &Path, files: usize, runs: usize) -> Result<()> {
    let (folder, words) = folder(dir, files)?;
    beside_cp(&format!("{words}, beside cp -r"), &folder, &dir.join("out"), runs)
}

/// A folder of small files, made if it isn't there, and what it is in words.
fn folder(dir: &Path, files: usize) -> Result<(PathBuf, String)> {
    let folder = dir.join(format!("folder-{files}"));
    let bytes = generated(&folder, |new| {
        fs::create_dir(new)?;
        corpus::folder(SEED, files, new)
    })?;
    let of = bytes.map_or(String::new(), |bytes| format!(" of {}", readable(bytes)));
    Ok((folder, format!("{files} small files{of}")))
}

/// The gate beside a search that reads every line.
fn checked_files(dir: &Path, files: usize, runs: usize) -> Result<()> {
    if Command::new("rg").arg("--version").output().is_err() {
        println!("(check beside rg -c: rg isn't there)");
        return Ok(());
    }
    let (folder, words) = folder(dir, files)?;
    let out = dir.join("out"); // both write to standard output
    let check = ["check", "-q", "--exit-zero", "--threads", "2"].map(OsStr::new);
    let unecho = [&[UNECHO.as_ref()], &check[..], &[folder.as_os_str()]].concat();
    let rg = ["rg".as_ref(), "-c".as_ref(), ".".as_ref(), folder.as_os_str()];
    Job { name: format!("{words}, check beside rg -c"), out, unecho: &unecho, beside: &rg }.run(runs)
}

fn big_file(dir: &Path, options: &Options, paragraph: usize, blank_lines: bool) -> Result<()> {
    let between = if blank_lines { "blank lines" } else { "no blank lines" };
    let file = dir.join(format!("big-{}-{paragraph}-{}.txt", options.bytes, between.replace(' ', "-")));
    generated(&file, |new| {
        let mut out = fs::File::create(new)?;
        corpus::big_text(SEED, options.bytes, paragraph, 20, blank_lines, &mut out)?;
        Ok(options.bytes as u64)
    })?;
    let name = format!("{} in paragraphs of {paragraph} bytes, {between}, beside cp", readable(options.bytes as u64));
    beside_cp(&name, &file, &dir.join("out"), options.runs)?;
    if paragraph == REPAIRED {
        repaired_file(dir, &file, &name, options)?;
    }
    if options.dir.is_none() {
        fs::remove_file(&file)?; // three of them may not fit on the disk
    }
    Ok(())
}

/// Repairs of a big file in which there is nothing to repair, and where each line ends in another way.
fn repaired_file(dir: &Path, clean: &Path, name: &str, options: &Options) -> Result<()> {
    let file = clean.with_extension("crlf.txt");
    generated(&file, |new| {
        let mut out = CrLf(io::BufWriter::new(fs::File::create(new)?));
        let bytes = io::copy(&mut fs::File::open(clean)?, &mut out)?;
        out.flush()?;
        Ok(bytes)
    })?;
    let out = dir.join("out");
    let name = name.trim_end_matches(", beside cp");
    for (input, what) in [(clean, "`--tidy`"), (&file, "CRLF, `--tidy`")] {
        let unecho = with_output(&["--tidy"], input, &out);
        beside(
            &format!("{name}, {what} beside cp"),
            &unecho,
            &["cp".as_ref(), input.as_os_str(), out.as_os_str()],
            &out,
            options.runs,
        )?;
    }
    if options.dir.is_none() {
        fs::remove_file(&file)?;
    }
    Ok(())
}

/// Writes line feeds as CRLF.
struct CrLf<W>(W);

impl<W: Write> Write for CrLf<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\n") {
                Some(line) => [line, b"\r\n"].into_iter().try_for_each(|part| self.0.write_all(part))?,
                None => self.0.write_all(line)?,
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn beside_cp(name: &str, input: &Path, out: &Path, runs: usize) -> Result<()> {
    let cp = ["cp".as_ref(), "-r".as_ref(), input.as_os_str(), out.as_os_str()];
    beside(name, &with_output(&[], input, out), &cp, out, runs)
}

/// A run of unecho with these flags.
fn with_output<'a>(flags: &[&'a str], input: &'a Path, out: &'a Path) -> Vec<&'a OsStr> {
    let flags = flags.iter().copied().chain(["-q", "--threads", "2"]).map(OsStr::new);
    [UNECHO.as_ref()].into_iter().chain(flags).chain([input.as_os_str(), "-o".as_ref(), out.as_os_str()]).collect()
}

fn beside(name: &str, unecho: &[&OsStr], beside: &[&OsStr], out: &Path, runs: usize) -> Result<()> {
    Job { name: name.to_owned(), out: out.to_owned(), unecho, beside }.run(runs)
}

const UNECHO: &str = env!("CARGO_BIN_EXE_unecho");

/// Two commands to compare, each a program and its arguments.
struct Job<'a> {
    name: String,
    /// What both write, if they write a file or folder.
    out: PathBuf,
    unecho: &'a [&'a OsStr],
    beside: &'a [&'a OsStr],
}

impl Job<'_> {
    /// Runs both in turn and prints a row of the table.
    fn run(&self, runs: usize) -> Result<()> {
        let (mut unecho, mut beside) = (Vec::new(), Vec::new());
        // The first pair of runs warms the cache and isn't counted.
        for run in 0..=runs {
            let pair = (once(self.unecho, &self.out)?, once(self.beside, &self.out)?);
            if run > 0 {
                unecho.push(pair.0);
                beside.push(pair.1);
            }
        }
        remove(&self.out)?;
        let (unecho, beside) = (Cost::of(&unecho), Cost::of(&beside));
        println!(
            "| {} | {} | {} | {:.2} | {} | {} | {} | {} |",
            self.name,
            seconds(unecho.wall),
            seconds(beside.wall),
            unecho.wall.as_secs_f64() / beside.wall.as_secs_f64(),
            seconds(unecho.cpu),
            seconds(beside.cpu),
            readable(unecho.peak),
            readable(beside.peak),
        );
        Ok(io::stdout().flush()?)
    }
}
