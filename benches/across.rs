//! Repeats across documents: whether exactly what was planted goes, and how long that takes beside other programs:
//! `cargo bench --bench across`.
//!
//! The documents follow from a fixed seed (support/documents.rs), and so does what must be left of them. The first part compares
//! that with what is left, for each unit, on one thread and on several, from plain and packed files; anything missing or too much
//! makes the exit status 1. The second part measures whole processes in turn, as the bench `whole` does. The third compares what is
//! left, in every form, where memory holds all and where it doesn't; a difference, or too much memory, makes the exit status 1.
//! Then what is recorded is proven and taken back, beside `cp`. With `--large` a corpus of that size is made besides, which memory is far from holding.

#[path = "../tests/support/corpus.rs"]
mod corpus;
#[path = "support/documents.rs"]
mod documents;
#[path = "support/large.rs"]
mod large;
#[path = "support/measuring.rs"]
mod measuring;
#[path = "support/memory.rs"]
mod memory;
#[path = "support/peers.rs"]
mod peers;
#[path = "support/planted.rs"]
mod planted;
#[path = "support/records.rs"]
mod records;
#[path = "support/sets.rs"]
mod sets;
#[path = "support/table.rs"]
mod table;

use measuring::{MEASURE, Result, flags, measure, readable, size};
use sets::Sets;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
cargo bench --bench across -- [--dir DIR] [--bytes 937M] [--runs 5] [--unecho PATH]
       [--only planted|table|memory|records|large] [--large SIZE]
  --dir DIR      where corpora, outputs and peers go; what is there already is used [a new folder in target/tmp, removed after]
  --bytes N      size of the text (K, M, G: powers of 1024)
  --runs N       runs of each command; dolma and sort run once
  --unecho PATH  the program to measure [the one that Cargo built]
  --only PART    planted: whether what must go goes, and nothing else; table: times, beside other programs;
                 memory: with --memory, in every form; records: what --record takes, verify and restore; large: nothing but --large
  --large SIZE   a corpus of so much text with little memory, beside 1 and 4 times --bytes in memory; better not in a DIR that is
                 memory itself [none; 10G if --only large]";

fn main() -> Result<ExitCode> {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    if args.first().is_some_and(|arg| arg == MEASURE) {
        measure(&args[1..])?;
        return Ok(ExitCode::SUCCESS);
    }
    match Options::parse(&args)? {
        Some(options) => bench(&options),
        // `cargo test --all-targets` starts benches too, without `--bench`.
        None => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
    }
}

struct Options {
    dir: Option<PathBuf>,
    bytes: usize,
    runs: usize,
    unecho: PathBuf,
    only: Option<Only>,
    /// The size of the large corpus.
    large: Option<usize>,
}

/// A part of the bench.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    Planted,
    Table,
    Memory,
    Records,
    Large,
}

/// The large corpus, if its size isn't said.
const LARGE: usize = 10 << 30;

impl Options {
    /// `None` if nothing is to be measured.
    fn parse(args: &[OsString]) -> Result<Option<Self>> {
        let unecho = PathBuf::from(env!("CARGO_BIN_EXE_unecho"));
        let mut options = Self { dir: None, bytes: 937 << 20, runs: 5, unecho, only: None, large: None };
        let is_bench = flags(args, USAGE, |flag, value| {
            match flag {
                "--dir" => options.dir = Some(std::path::absolute(value)?),
                "--bytes" => options.bytes = size(value)?,
                "--runs" => options.runs = size(value)?,
                "--unecho" => options.unecho = std::path::absolute(value)?,
                "--only" if value == "planted" => options.only = Some(Only::Planted),
                "--only" if value == "table" => options.only = Some(Only::Table),
                "--only" if value == "memory" => options.only = Some(Only::Memory),
                "--only" if value == "records" => options.only = Some(Only::Records),
                "--only" if value == "large" => options.only = Some(Only::Large),
                "--large" => options.large = Some(size(value)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        if options.only == Some(Only::Large) {
            options.large.get_or_insert(LARGE);
        }
        Ok(is_bench.then_some(options))
    }

    /// Whether a part is to be done.
    fn has(&self, part: Only) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}

fn bench(options: &Options) -> Result<ExitCode> {
    let temporary = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let dir = options.dir.as_deref().unwrap_or(temporary.path());
    fs::create_dir_all(dir)?;
    let mut is_right = true;
    if [Only::Planted, Only::Table, Only::Memory, Only::Records].into_iter().any(|part| options.has(part)) {
        is_right &= with_sets(options, dir)?;
    }
    if let Some(large) = options.large {
        is_right &= large::print(options.bytes, large, &options.unecho, dir)?;
    }
    Ok(if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The parts that measure one corpus; false if something isn't as it must be.
fn with_sets(options: &Options, dir: &Path) -> Result<bool> {
    let sets = Sets::made(dir, options.bytes)?;
    let sums = sets.sums;
    println!(
        "{} documents, {} paragraphs, {} of them distinct, {}, of which {:.1} % stood in a document before; in {}\n",
        sums.documents,
        sums.paragraphs,
        sums.keys,
        readable(sums.bytes),
        sums.repeated as f64 / sums.bytes as f64 * 100.0,
        dir.display()
    );
    let is_exact = !options.has(Only::Planted) || planted::check(&sets, &options.unecho, dir)?;
    let is_done = !options.has(Only::Table) || table::print(&sets, &options.unecho, dir, options.runs)?;
    let is_same = !options.has(Only::Memory) || memory::print(&sets, &options.unecho, dir)?;
    let is_restored = !options.has(Only::Records) || records::print(&sets, &options.unecho, dir, options.runs)?;
    Ok(is_exact && is_done && is_same && is_restored)
}
