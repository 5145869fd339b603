//! How time, memory and disk grow with a corpus: in memory, and far beyond it.

use super::Result;
use super::measuring::{once, readable, remove, seconds};
use super::memory::temporary_files;
use super::sets::jsonl_alone;
use std::ffi::OsStr;
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
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// So many rows has the curve.
const ROWS: usize = 20;
/// The resident set may be so much of what `--memory` allows.
const MOST: f64 = 1.25;

/// Prints all; false if the large corpus takes more memory than there may be.
pub(crate) fn print(small: usize, large: usize, unecho: &Path, dir: &Path) -> Result<bool> {
    println!("JSONL, `--across`, two threads; what is read lies in the system's cache if that holds it.\n");
    println!("| text | --memory | wall | ns a byte | peak RSS | temporary files | a byte |");
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    for bytes in [small, small * TIMES] {
        let (input, out) = (jsonl_alone(dir, bytes)?, dir.join("out.jsonl"));
        let args = ["-q", "--across", "--threads", "2", "--memory", "64G"].map(OsStr::new);
        let files = [input.as_os_str(), "-o".as_ref(), out.as_os_str()];
        let command: Vec<&OsStr> = [unecho.as_os_str()].into_iter().chain(args).chain(files).collect();
        let costs = [once(&command, &out)?, once(&command, &out)?];
        let cost = costs.into_iter().min_by_key(|cost| cost.wall).expect("there are two");
        remove(&out)?;
        let (wall, len) = (cost.wall, fs::metadata(&input)?.len());
        println!("| {} | – | {} | {:.2} | {} | – | – |", readable(len), seconds(wall), per_byte(wall, len), readable(cost.peak));
    }
    let input = jsonl_alone(dir, large)?;
    let (log, out) = (dir.join("out.log"), dir.join("out.jsonl"));
    let mut command = Command::new(unecho);
    command.args(["--across", "--threads", "2", "--memory", &format!("{}M", MEMORY >> 20), "--temp-dir"]).arg(dir);
    command.arg(&input).arg("-o").arg(&out).stdin(Stdio::null()).stderr(File::create(&log)?);
    let start = Instant::now();
    let mut child = command.spawn()?;
    let curve = curve(&mut child, start)?;
    let (wall, status) = (start.elapsed(), child.wait()?);
    let said = fs::read_to_string(&log)?;
    if !status.success() {
        return Err(format!("{command:?}: {status}\n{said}").into());
    }
    remove(&out)?;
    remove(&log)?;
    let len = fs::metadata(&input)?.len();
    let took = temporary_files(&said).ok_or("no temporary files were needed")?;
    let most = curve.iter().map(|look| look.peak).max().unwrap_or(0);
    println!(
        "| {} | {} | {} | {:.2} | {} | {took} MB | {:.3} |\n",
        readable(len),
        readable(MEMORY),
        seconds(wall),
        per_byte(wall, len),
        readable(most),
        (took << 20) as f64 / len as f64
    );
    println!("| after | resident, most since the last row |");
    println!("|---:|---:|");
    for looks in curve.chunks(curve.len().div_ceil(ROWS).max(1)) {
        let resident = looks.iter().map(|look| look.resident).max().unwrap_or(0);
        println!("| {} | {} |", seconds(looks[looks.len() - 1].after), readable(resident));
    }
    println!("\nThe most: {}, {:.2} of what --memory allows", readable(most), most as f64 / MEMORY as f64);
    Ok(most as f64 <= MOST * MEMORY as f64)
}

fn per_byte(wall: Duration, bytes: u64) -> f64 {
    wall.as_nanos() as f64 / bytes as f64
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
