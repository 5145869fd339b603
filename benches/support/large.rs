//! How time, memory and disk grow with a corpus: in memory, and far beyond it.

use super::Result;
use super::measuring::{readable, remove, seconds};
use super::memory::temporary_files;
use super::sets::jsonl_alone;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// So much memory the large corpus is given.
const MEMORY: u64 = 256 << 20;
/// The one in memory that is compared with a smaller one has so many times its bytes.
const TIMES: usize = 4;
/// How often the resident set is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// So many rows has the curve.
const ROWS: usize = 20;
/// The resident set may be so much of what `--memory` allows.
const MOST: f64 = 1.25;

/// Prints all; false if the large corpus takes more memory than there may be.
pub(crate) fn print(small: usize, large: usize, unecho: &Path, dir: &Path) -> Result<bool> {
    println!(
        "JSONL, `--across`, two threads; what is read lies in the system's cache if that holds it. Clean copies are written to\n\
         /dev/null but for the last, since disks, and memory that serves as one, get slower the more is on them.\n"
    );
    println!("| text | --memory | wall | ns a byte | peak RSS | temporary files | a byte |");
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    for (bytes, memory) in [(small, None), (small * TIMES, None), (small, Some(MEMORY))] {
        with_corpus(dir, bytes, |input| {
            let runs = [run(unecho, dir, input, memory, false)?, run(unecho, dir, input, memory, false)?];
            let best = runs.iter().min_by_key(|run| run.wall).expect("there are two");
            best.print(input, memory)
        })?;
    }
    with_corpus(dir, large, |input| {
        run(unecho, dir, input, Some(MEMORY), false)?.print(input, Some(MEMORY))?;
        let run = run(unecho, dir, input, Some(MEMORY), true)?;
        run.print(input, Some(MEMORY))?;
        println!("\n| after | resident, most since the last row |");
        println!("|---:|---:|");
        for looks in run.curve.chunks(run.curve.len().div_ceil(ROWS).max(1)) {
            let resident = looks.iter().map(|look| look.resident).max().unwrap_or(0);
            println!("| {} | {} |", seconds(looks[looks.len() - 1].after), readable(resident));
        }
        let most = run.peak();
        println!("\nThe most: {}, {:.2} of what --memory allows", readable(most), most as f64 / MEMORY as f64);
        Ok(most as f64 <= MOST * MEMORY as f64)
    })
}

/// Does something with a corpus of so much text, which is removed after if it wasn't there.
fn with_corpus<T>(dir: &Path, bytes: usize, work: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let before: Vec<_> = fs::read_dir(dir)?.collect::<std::io::Result<_>>()?;
    let was_there = |path: &Path| before.iter().any(|entry| entry.path() == *path);
    let input = jsonl_alone(dir, bytes)?;
    let done = work(&input)?;
    if !was_there(&input) {
        remove(&input)?;
    }
    Ok(done)
}

/// A run that was watched.
struct Run {
    wall: Duration,
    curve: Vec<Look>,
    /// The temporary files it took, in MB.
    took: Option<u64>,
}

/// Cleans a corpus; without `memory` all is in memory. The clean copy may go to a file.
fn run(unecho: &Path, dir: &Path, input: &Path, memory: Option<u64>, is_kept: bool) -> Result<Run> {
    let (log, out) = (dir.join("out.log"), dir.join("out.jsonl"));
    let allowed = memory.map_or("64G".to_owned(), |memory| format!("{}M", memory >> 20));
    let mut command = Command::new(unecho);
    command.args(["--across", "--threads", "2", "--memory", &allowed, "--temp-dir"]).arg(dir);
    command.arg(input).stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
    if is_kept {
        command.arg("-o").arg(&out);
    }
    let start = Instant::now();
    let mut child = command.spawn()?;
    let curve = curve(&mut child, start)?;
    let (wall, status) = (start.elapsed(), child.wait()?);
    let said = fs::read_to_string(&log)?;
    if !status.success() {
        return Err(format!("{command:?}: {status}\n{said}").into());
    }
    if is_kept {
        remove(&out)?;
    }
    remove(&log)?;
    Ok(Run { wall, curve, took: temporary_files(&said) })
}

impl Run {
    fn peak(&self) -> u64 {
        self.curve.iter().map(|look| look.peak).max().unwrap_or(0)
    }

    fn print(&self, input: &Path, memory: Option<u64>) -> Result<()> {
        let len = fs::metadata(input)?.len();
        let a_byte = |took: u64| format!("{took} MB | {:.3}", (took << 20) as f64 / len as f64);
        if memory.is_some() && self.took.is_none() {
            return Err("no temporary files were needed".into());
        }
        println!(
            "| {} | {} | {} | {:.2} | {} | {} |",
            readable(len),
            memory.map_or("–".to_owned(), readable),
            seconds(self.wall),
            self.wall.as_nanos() as f64 / len as f64,
            readable(self.peak()),
            self.took.map_or("– | –".to_owned(), a_byte),
        );
        Ok(())
    }
}

/// How much memory a process has at a moment.
struct Look {
    after: Duration,
    resident: u64,
    /// The most it had so far.
    peak: u64,
}

/// Looks at a process until it ends.
fn curve(child: &mut Child, start: Instant) -> Result<Vec<Look>> {
    let mut looks = Vec::new();
    let path = format!("/proc/{}/status", child.id());
    while child.try_wait()?.is_none() {
        let status = fs::read_to_string(&path)?;
        // It has none any more when it is about to end.
        if let (Some(resident), Some(peak)) = (field(&status, "VmRSS:"), field(&status, "VmHWM:")) {
            looks.push(Look { after: start.elapsed(), resident, peak });
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(looks)
}

/// A field of the status in proc(5), in bytes; it says kB.
fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}
