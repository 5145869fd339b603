//! Measuring whole processes, and saying what they took: what the benches of whole runs share.
//!
//! A run is measured by a process of its own (the bench again), since the kernel counts the memory of whoever starts a process
//! towards that process's peak.

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The first argument with which a bench measures another program.
pub(crate) const MEASURE: &str = "--measure";

/// Hands each flag of a bench and its value to `take`, which is false for what it doesn't know. Gives whether anything is to be
/// measured: `cargo test --all-targets` starts benches too, without `--bench`.
pub(crate) fn flags(args: &[OsString], usage: &str, mut take: impl FnMut(&str, &OsStr) -> Result<bool>) -> Result<bool> {
    let mut is_bench = false;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let arg = arg.to_str().ok_or("a flag that isn't UTF-8")?;
        if arg == "--bench" {
            is_bench = true;
            continue;
        }
        let value = args.next().ok_or_else(|| format!("{arg}: no value, or no such flag\n{usage}"))?;
        if !take(arg, value).map_err(|error| format!("{arg} {}: {error}", value.display()))? {
            return Err(format!("{arg} {}: no such flag or value\n{usage}", value.display()).into());
        }
    }
    Ok(is_bench)
}

/// A number above 0, perhaps followed by K, M or G.
pub(crate) fn size(value: &OsStr) -> Result<usize> {
    value.to_str().and_then(number).ok_or_else(|| "not a number above 0".into())
}

fn number(value: &str) -> Option<usize> {
    let digits = value.trim_end_matches(['K', 'M', 'G']);
    let shift = match &value[digits.len()..] {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(1 << shift).filter(|&number| number > 0)
}

/// Makes a corpus unless it is there, under another name until it is whole. Gives its size if it was made.
pub(crate) fn generated(path: &Path, make: impl FnOnce(&Path) -> io::Result<u64>) -> Result<Option<u64>> {
    if path.exists() {
        return Ok(None);
    }
    let unfinished = path.with_extension("unfinished");
    remove(&unfinished)?;
    let bytes = make(&unfinished)?;
    fs::rename(&unfinished, path)?;
    Ok(Some(bytes))
}

/// Runs a command that writes to `out`, in a process that measures it.
pub(crate) fn once(command: &[&OsStr], out: &Path) -> Result<Cost> {
    if remove(out)? {
        // What the last run left to be written must not slow this one.
        Command::new("sync").arg("-f").arg(out.parent().unwrap_or(out)).status()?;
    }
    let measured = Command::new(std::env::current_exe()?)
        .arg(MEASURE)
        .args(command)
        .stderr(Stdio::inherit())
        .stdin(Stdio::null())
        .output()?;
    if !measured.status.success() {
        return Err(format!("failed: {}", command.join(OsStr::new(" ")).display()).into());
    }
    Cost::read(&String::from_utf8(measured.stdout)?).ok_or_else(|| "the measuring process gave no numbers".into())
}

/// Removes a file or folder, if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<bool> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        other => other.map(|()| true),
    }
}

/// What a process took.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// User and system time, of all threads.
    pub(crate) cpu: Duration,
    /// The largest resident set, in bytes.
    pub(crate) peak: u64,
}

impl Cost {
    /// The medians, and the largest peak.
    pub(crate) fn of(runs: &[Cost]) -> Cost {
        let median = |part: fn(&Cost) -> Duration| {
            let mut sorted: Vec<Duration> = runs.iter().map(part).collect();
            sorted.sort_unstable();
            sorted[sorted.len() / 2]
        };
        Cost {
            wall: median(|run| run.wall),
            cpu: median(|run| run.cpu),
            peak: runs.iter().map(|run| run.peak).max().unwrap_or(0),
        }
    }

    fn print(&self) {
        println!("{} {} {}", self.wall.as_nanos(), self.cpu.as_nanos(), self.peak);
    }

    fn read(printed: &str) -> Option<Cost> {
        let mut numbers = printed.split_whitespace().map(|number| number.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        Some(Cost { wall: Duration::from_nanos(next()?), cpu: Duration::from_nanos(next()?), peak: next()? })
    }
}

/// Runs a command to its end and prints what it took.
pub(crate) fn measure(command: &[OsString]) -> Result<()> {
    let (program, args) = command.split_first().ok_or("no command to measure")?;
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let wall = start.elapsed();
    if !status.success() {
        return Err(format!("{}: {status}", program.display()).into());
    }
    let (cpu, peak) = children_usage()?;
    Cost { wall, cpu, peak }.print();
    Ok(())
}

/// CPU time and peak RSS of the children that have ended: here, of one.
#[cfg(unix)]
fn children_usage() -> Result<(Duration, u64)> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;

    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    // getrusage(2): kilobytes, but bytes on Apple's systems.
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    Ok((Duration::from_micros(cpu.try_into()?), u64::try_from(usage.max_rss())? * unit))
}

#[cfg(not(unix))]
fn children_usage() -> Result<(Duration, u64)> {
    Err("this bench asks a Unix kernel what a process took".into())
}

pub(crate) fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 0.1 { format!("{:.2} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}

pub(crate) fn readable(bytes: u64) -> String {
    let mega = bytes as f64 / 1e6;
    if mega < 1000.0 { format!("{mega:.1} MB") } else { format!("{:.2} GB", mega / 1e3) }
}
