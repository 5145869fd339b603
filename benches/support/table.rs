//! How long whole runs take beside other programs, and whether that is within what is aimed at.

use super::Result;
use super::measuring::{Cost, once, readable, remove, seconds};
use super::peers::{self, DolmaDesk};
use super::sets::Sets;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Copies each line once, whatever document it is of.
const LINES: [&str; 7] = ["--unit", "line", "--match", "bytes", "--min-chars", "0", "--across"];
const DEFAULTS: [&str; 1] = ["--across"];
/// To pack by gzip takes a minute.
const GZIP_RUNS: usize = 3;
/// What a peak may be above the text and the keys.
const ROOM: u64 = 64_000_000;
const BYTES_A_KEY: u64 = 24;

/// Prints both tables; false if a run of unecho failed.
pub(crate) fn print(sets: &Sets, unecho: &Path, dir: &Path, runs: usize) -> Result<bool> {
    println!(
        "Whole processes, start to end, warm cache, two threads; {runs} runs of each in turn, at most {GZIP_RUNS} on .gz, dolma and sort once. Medians of wall time\n\
         and CPU time (user and system); peak RSS is the largest, and counts pages of mapped files; of several processes at a time\n\
         that of the largest.\n"
    );
    println!("| job | program | wall | CPU | peak RSS | wall of unecho / its |");
    println!("|---|---|---:|---:|---:|---:|");
    let mut table = Table { sets, unecho, dir, runs, dolma: peers::dolma(dir), targets: Vec::new(), is_done: true };
    table.lines()?;
    table.text()?;
    table.zstd()?;
    table.gzip_and_plain()?;
    println!("\n| target | measured | aimed at | met |");
    println!("|---|---:|---:|---|");
    table.targets.iter().for_each(Target::print);
    Ok(table.is_done)
}

struct Table<'a> {
    sets: &'a Sets,
    unecho: &'a Path,
    dir: &'a Path,
    runs: usize,
    dolma: Option<PathBuf>,
    targets: Vec<Target>,
    /// All runs of unecho succeeded.
    is_done: bool,
}

/// What is aimed at.
struct Target {
    what: String,
    /// `None` if a program it needs failed, or isn't there.
    measured: Option<f64>,
    limit: f64,
    /// The limit is the least, not the most.
    is_least: bool,
}

impl Target {
    fn print(&self) {
        let Self { what, limit, is_least, .. } = self;
        let sign = if *is_least { '≥' } else { '≤' };
        match self.measured {
            None => println!("| {what} | – | {sign} {limit:.2} | not measured |"),
            Some(measured) => {
                let is_met = if *is_least { measured >= *limit } else { measured <= *limit };
                println!("| {what} | {measured:.2} | {sign} {limit:.2} | {} |", if is_met { "yes" } else { "**no**" });
            }
        }
    }
}

/// A program that a job is done with.
struct Runner {
    name: &'static str,
    command: Vec<OsString>,
    runs: usize,
}

impl Runner {
    fn new(name: &'static str, command: &[&OsStr], runs: usize) -> Self {
        Self { name, command: command.iter().map(|&arg| arg.to_owned()).collect(), runs }
    }

    /// A command of the shell, in which `$1` is the input and `$2` the output.
    fn shell(name: &'static str, command: &str, [input, out]: [&Path; 2], runs: usize) -> Self {
        Self::new(name, &["sh".as_ref(), "-c".as_ref(), command.as_ref(), "sh".as_ref(), input.as_ref(), out.as_ref()], runs)
    }
}

/// What the programs of a job took, in their order; `None` for one that failed or isn't there.
type Costs = Vec<Option<Cost>>;

impl Table<'_> {
    fn lines(&mut self) -> Result<()> {
        let (input, out) = (&self.sets.text, self.dir.join("out.txt"));
        let files = [input.as_path(), &out];
        let mut runners = vec![
            self.runner("unecho", &LINES, "2", files),
            self.cp(files),
            self.runner("unecho, 1 thread", &LINES, "1", files),
            Runner::shell("LC_ALL=C sort -u", "LC_ALL=C sort -u --parallel=2 -o \"$2\" \"$1\"", files, 1),
        ];
        let huniq = peers::huniq(self.dir);
        if let Some(huniq) = &huniq {
            let command = format!("exec '{}' <\"$1\" >\"$2\"", huniq.display());
            runners.push(Runner::shell("huniq", &command, files, self.runs));
        }
        let costs = self.job("lines, exact", &runners, &out)?;
        if huniq.is_none() {
            println!("| lines, exact | huniq | not installed | | | |");
        }
        let huniq = costs.get(4).copied().flatten();
        self.most("lines: wall / cp", wall_ratio(costs[0], costs[1]), 1.5);
        self.least("lines: times faster than huniq", wall_ratio(huniq, costs[0]), 3.5);
        self.most("lines: CPU / cp", cpu_ratio(costs[0], costs[1]), 3.0);
        self.least("lines: 2 threads faster than 1", wall_ratio(costs[2], costs[0]), 1.6);
        self.peak("lines", costs[0], input)
    }

    fn text(&mut self) -> Result<()> {
        let (input, out) = (&self.sets.text, self.dir.join("out.txt"));
        let files = [input.as_path(), &out];
        let costs = self.job("text, defaults", &[self.runner("unecho", &DEFAULTS, "2", files), self.cp(files)], &out)?;
        self.most("text: wall / cp", wall_ratio(costs[0], costs[1]), 2.2);
        self.peak("text", costs[0], input)
    }

    fn zstd(&mut self) -> Result<()> {
        let out = self.dir.join("out.jsonl.zst");
        let files = [self.sets.zstd.as_path(), &out];
        let pipe = "zstd -q -dc \"$1\" | zstd -q -T2 -o \"$2\"";
        let pipe = Runner::shell("zstd -dc \\| zstd -T2", pipe, files, self.runs);
        let costs = self.job(".jsonl.zst", &[self.runner("unecho", &DEFAULTS, "2", files), pipe], &out)?;
        let dolma = self.dolma(".jsonl.zst", "zst", "zstd -q -c", costs[0]);
        self.most("zst: wall / zstd pipe", wall_ratio(costs[0], costs[1]), 1.3);
        self.least("zst: times faster than dolma, one file", wall_ratio(dolma[0], costs[0]), 5.0);
        self.least("zst: times faster than dolma, two files", wall_ratio(dolma[1], costs[0]), 5.0);
        self.peak("zst", costs[0], &self.sets.jsonl)
    }

    /// Dolma packs what it writes in any case, so its run on .gz stands beside both.
    fn gzip_and_plain(&mut self) -> Result<()> {
        let out = self.dir.join("out.jsonl.gz");
        let files = [self.sets.gzip.as_path(), &out];
        let packer = if peers::is_there("pigz") { "pigz -p2" } else { "gzip" };
        let runs = self.runs.min(GZIP_RUNS);
        let pipe = Runner::shell("pigz -dc \\| pigz -p2", "pigz -dc \"$1\" | pigz -p2 >\"$2\"", files, runs);
        let unecho = Runner { runs, ..self.runner("unecho", &DEFAULTS, "2", files) };
        let costs = self.job(".jsonl.gz", &[unecho, pipe], &out)?;
        let dolma = self.dolma(".jsonl.gz", "gz", packer, costs[0]);
        self.most("gz: wall / pigz pipe", wall_ratio(costs[0], costs[1]), 0.8);
        self.peak("gz", costs[0], &self.sets.jsonl)?;

        let (input, out) = (&self.sets.jsonl, self.dir.join("out.jsonl"));
        let files = [input.as_path(), &out];
        let runners = [
            self.runner("unecho", &DEFAULTS, "2", files),
            self.cp(files),
            self.runner("unecho, 1 thread", &DEFAULTS, "1", files),
        ];
        let costs = self.job(".jsonl", &runners, &out)?;
        print_row(".jsonl", "dolma on .jsonl.gz, one file", dolma[0], costs[0], dolma[0].is_some());
        print_row(".jsonl", "dolma on .jsonl.gz, two files", dolma[1], costs[0], dolma[1].is_some());
        self.most("JSONL: wall / cp", wall_ratio(costs[0], costs[1]), 4.0);
        self.least("JSONL: times faster than dolma on .gz, one file", wall_ratio(dolma[0], costs[0]), 10.0);
        self.least("JSONL: times faster than dolma on .gz, two files", wall_ratio(dolma[1], costs[0]), 10.0);
        self.least("JSONL: 2 threads faster than 1", wall_ratio(costs[2], costs[0]), 1.6);
        self.peak("JSONL", costs[0], input)
    }

    fn runner(&self, name: &'static str, flags: &[&str], threads: &str, [input, out]: [&Path; 2]) -> Runner {
        let mut command: Vec<&OsStr> = vec![self.unecho.as_ref(), "-q".as_ref(), "--threads".as_ref(), threads.as_ref()];
        command.extend(flags.iter().map(|flag| OsStr::new(*flag)));
        command.extend([input.as_os_str(), "-o".as_ref(), out.as_ref()]);
        Runner::new(name, &command, self.runs)
    }

    fn cp(&self, [input, out]: [&Path; 2]) -> Runner {
        Runner::new("cp", &["cp".as_ref(), input.as_ref(), out.as_ref()], self.runs)
    }

    /// Runs all programs in turn and prints a row for each. The first is unecho.
    fn job(&mut self, name: &str, runners: &[Runner], out: &Path) -> Result<Costs> {
        let mut taken: Vec<Vec<Cost>> = vec![Vec::new(); runners.len()];
        let mut has_failed = vec![false; runners.len()];
        // The first run of each warms the cache and isn't counted, but where there is only one.
        for run in 0..=self.runs {
            for (at, runner) in runners.iter().enumerate() {
                let is_done = run > if runner.runs == 1 { 0 } else { runner.runs };
                if has_failed[at] || is_done {
                    continue;
                }
                let command: Vec<&OsStr> = runner.command.iter().map(OsString::as_os_str).collect();
                match once(&command, out) {
                    Ok(cost) if run > 0 || runner.runs == 1 => taken[at].push(cost),
                    Ok(_) => {}
                    Err(error) => {
                        eprintln!("{name}, {}: {error}", runner.name);
                        has_failed[at] = true;
                    }
                }
            }
        }
        remove(out)?;
        let cost = |at: usize| (!has_failed[at]).then(|| Cost::of(&taken[at]));
        let costs: Costs = (0..runners.len()).map(cost).collect();
        for (runner, &cost) in runners.iter().zip(&costs) {
            print_row(name, runner.name, cost, costs[0], true);
            self.is_done &= cost.is_some() || !runner.name.starts_with("unecho");
        }
        Ok(costs)
    }

    /// Runs dolma once on one file, as unecho gets it, and once on two, so that it uses both cores. Prints its rows and gives both.
    fn dolma(&self, job: &str, ending: &str, packer: &str, unecho: Option<Cost>) -> [Option<Cost>; 2] {
        let row = |name: &str, files: usize| {
            let run = |dolma: &PathBuf| self.one_run(dolma, files, ending, packer);
            let cost =
                self.dolma.as_ref().and_then(|dolma| run(dolma).inspect_err(|error| eprintln!("{job}, {name}: {error}")).ok());
            print_row(job, name, cost, unecho, self.dolma.is_some());
            cost
        };
        [row("dolma, one file", 1), row("dolma, two files", 2)]
    }

    fn one_run(&self, dolma: &Path, files: usize, ending: &str, packer: &str) -> Result<Cost> {
        let desk = DolmaDesk::new(dolma, &self.sets.jsonl, files, self.sets.sums.keys, ending, packer)?;
        desk.clear()?;
        let command: Vec<&OsStr> = desk.command.iter().map(|arg| arg.as_os_str()).collect();
        let cost = once(&command, &desk.out)?;
        desk.clear()?;
        remove(&desk.out)?;
        Ok(cost)
    }

    fn most(&mut self, what: &str, measured: Option<f64>, limit: f64) {
        self.targets.push(Target { what: what.to_owned(), measured, limit, is_least: false });
    }

    fn least(&mut self, what: &str, measured: Option<f64>, limit: f64) {
        self.targets.push(Target { what: what.to_owned(), measured, limit, is_least: true });
    }

    /// Memory: the unpacked input, which is mapped or held, and so much a key. A paragraph is one; windows, which are others, aren't
    /// counted.
    fn peak(&mut self, job: &str, cost: Option<Cost>, unpacked: &Path) -> Result<()> {
        let most = std::fs::metadata(unpacked)?.len() + BYTES_A_KEY * self.sets.sums.paragraphs as u64 + ROOM;
        self.most(&format!("{job}: peak RSS, MB"), cost.map(|cost| cost.peak as f64 / 1e6), most as f64 / 1e6);
        Ok(())
    }
}

fn print_row(job: &str, program: &str, cost: Option<Cost>, unecho: Option<Cost>, is_there: bool) {
    let ratio = wall_ratio(unecho, cost).map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
    match cost {
        Some(cost) => {
            let (wall, cpu, peak) = (seconds(cost.wall), seconds(cost.cpu), readable(cost.peak));
            println!("| {job} | {program} | {wall} | {cpu} | {peak} | {ratio} |");
        }
        None => println!("| {job} | {program} | {} | | | |", if is_there { "failed" } else { "not installed" }),
    }
    let _ = io::stdout().flush(); // a table that no one reads is no reason to stop
}

fn wall_ratio(of: Option<Cost>, to: Option<Cost>) -> Option<f64> {
    Some(of?.wall.as_secs_f64() / to?.wall.as_secs_f64())
}

fn cpu_ratio(of: Option<Cost>, to: Option<Cost>) -> Option<f64> {
    Some(of?.cpu.as_secs_f64() / to?.cpu.as_secs_f64())
}
