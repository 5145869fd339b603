//! Runs that memory doesn't hold, ended at any moment: nothing half-written has the name of the clean copy, and no temporary file
//! stays.

#[path = "support/desk.rs"]
mod desk;

use desk::Desk;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A run is killed so often, at moments spread over its time.
const KILLS: u32 = 20;
/// What repeats at first, until memory holds no more: of the 64 MB that must be allowed, 46 are for documents.
const REPEATING: usize = 44 << 20;
/// What comes then, half of it new. Of all that stays only a little is planned before memory is full.
const LATER: usize = 24 << 20;
/// So much of the clean copy is there in the second pass only.
const LATE: u64 = 4 << 20;

#[test]
fn a_run_that_is_killed_leaves_no_half_of_a_clean_copy_and_no_temporary_file() {
    let desk = desk();
    let whole = || {
        let started = Instant::now();
        assert!(clean(&desk).wait().unwrap().success(), "{}", said(&desk));
        started.elapsed()
    };
    // The shortest, so that a machine with other work doesn't put the moments behind the end.
    let mut took = (0..3).map(|_| whole()).min().expect("there are three");
    assert!(said(&desk).contains("temporary files took"), "{}", said(&desk));
    assert_is_clean(&desk);

    let (mut done, mut left) = (0, 0);
    for number in 0..KILLS {
        let mut child = clean(&desk);
        sleep(took * (2 * number + 1) / (2 * KILLS));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        if desk.exists("out/clean.jsonl") {
            assert_is_clean(&desk);
            done += 1;
            took = took * 9 / 10; // the machine has less other work by now
        } else {
            assert_eq!(status.signal(), Some(9), "{}", said(&desk));
        }
        assert_eq!(temporary_files(&desk), 0, "killed after {} of {KILLS}", number + 1);
        for path in desk.leftovers("out") {
            left += 1;
            fs::remove_file(path).unwrap();
        }
    }
    eprintln!("{KILLS} runs of {took:.1?} killed: {done} were done, {left} left a nameless part of the clean copy");
    assert!(done < KILLS, "all runs were done before they were killed");
    whole();
    assert_is_clean(&desk);
}

#[test]
fn a_signal_ends_the_first_pass_and_nothing_is_left() {
    for (name, number) in SIGNALS {
        let desk = desk();
        let mut child = desk
            .unecho(&["--from", "jsonl", "--across", "--memory", "64M", "--temp-dir", "temporary", "-o", "out/clean.jsonl", "-"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut records = child.stdin.take().unwrap();
        records.write_all(&fs::read(desk.path("documents.jsonl")).unwrap()).unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("temporary files in") {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "it ended before its first pass");
        }
        // More may come, so the first pass goes on.
        send(&desk, name, &child);
        assert_is_ended_by(&desk, number, child.wait().unwrap(), &mut said);
    }
}

#[test]
fn a_signal_ends_the_second_pass_and_nothing_is_left() {
    let desk = desk();
    for (name, number) in SIGNALS {
        // A machine with other work may look too late.
        let was_in_time = (0..20).any(|_| {
            let mut child = clean(&desk);
            while written(&desk) < LATE {
                if child.try_wait().unwrap().is_some() {
                    return false;
                }
                sleep(Duration::from_millis(1));
            }
            send(&desk, name, &child);
            let status = child.wait().unwrap();
            // It may come when all is done but to end, too.
            let is_ended = !status.success() && !desk.exists("out/clean.jsonl");
            if is_ended {
                assert_is_ended_by(&desk, number, status, &mut said(&desk).as_bytes());
            }
            is_ended
        });
        assert!(was_in_time, "no run lasted until its second pass was interrupted");
    }
}

const SIGNALS: [(&str, i32); 2] = [("INT", 2), ("TERM", 15)];

/// A folder with documents, a place for their clean copy, and one for temporary files.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("documents.jsonl", documents(false));
    desk.write("expected.jsonl", documents(true));
    ["out", "temporary"].iter().for_each(|folder| fs::create_dir(desk.path(folder)).unwrap());
    desk
}

/// The documents, or what is left of them: none that came before.
fn documents(is_clean: bool) -> String {
    /// So many are there when the others begin to repeat them.
    const FIRST: usize = 64;
    let mut all = String::new();
    let (mut bytes, mut new) = (0, 0);
    for number in 0.. {
        if bytes > REPEATING + LATER {
            break;
        }
        let is_new = new < FIRST || bytes > REPEATING && number % 2 == 0;
        let name = if is_new { new } else { number * 7 % new };
        new += usize::from(is_new);
        let start = all.len();
        write_document(name, &mut all);
        bytes += all.len() - start;
        if is_clean && !is_new {
            all.truncate(start);
        }
    }
    all
}

/// A document of some ten paragraphs that no other one has.
fn write_document(name: usize, to: &mut String) {
    to.push_str("{\"text\": \"");
    for paragraph in 0..10 {
        let number = name * 10 + paragraph;
        write!(to, "Paragraph {number} stands in the document of number {name}").unwrap();
        (0..24).for_each(|word| write!(to, ", where {} are more than {word} of them", number * 31 + word).unwrap());
        to.push_str(".\\n\\n");
    }
    to.push_str("\"}\n");
}

/// Starts a run that memory doesn't hold, whose words go to a file.
fn clean(desk: &Desk) -> Child {
    let out = desk.path("out/clean.jsonl");
    if out.exists() {
        fs::remove_file(out).unwrap();
    }
    let said = fs::File::create(desk.path("said")).unwrap();
    desk.unecho(&["documents.jsonl", "--across", "--memory", "64M", "--temp-dir", "temporary", "-o", "out/clean.jsonl"])
        .stderr(said)
        .spawn()
        .unwrap()
}

fn said(desk: &Desk) -> String {
    desk.read("said")
}

fn send(desk: &Desk, signal: &str, child: &Child) {
    desk.sh(&format!("kill -{signal} {}", child.id()));
}

/// How much there is of a clean copy without its name.
fn written(desk: &Desk) -> u64 {
    desk.leftovers("out").iter().filter_map(|path| fs::metadata(path).ok()).map(|data| data.len()).sum()
}

fn temporary_files(desk: &Desk) -> usize {
    fs::read_dir(desk.path("temporary")).unwrap().count()
}

#[track_caller]
fn assert_is_clean(desk: &Desk) {
    let [found, expected] = ["out/clean.jsonl", "expected.jsonl"].map(|path| fs::read(desk.path(path)).unwrap());
    assert!(found == expected, "{} bytes are left, {} should be", found.len(), expected.len());
}

#[track_caller]
fn assert_is_ended_by(desk: &Desk, signal: i32, status: ExitStatus, said: &mut impl Read) {
    let mut words = String::new();
    said.read_to_string(&mut words).unwrap();
    assert_eq!(status.signal(), Some(signal), "{status}: {words}");
    let beside: Vec<PathBuf> = fs::read_dir(desk.path("out")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(beside, [""; 0].map(PathBuf::from), "what is beside the output");
    assert_eq!(temporary_files(desk), 0);
    assert_eq!(desk.leftovers("."), [""; 0].map(PathBuf::from));
}
