//! Runs over many files that are held back or go on: nothing is written where too much would go, and a run that was interrupted ends
//! as one that wasn't.

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/desk.rs"]
mod desk;

use corpus::{Kind, document, folder};
use desk::{Desk, Ran};
use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Of each kind of run so many are killed, at moments spread over its time.
const KILLS: u32 = 4;

fn files(desk: &Desk, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let top = desk.path(folder);
    let all = walkdir::WalkDir::new(&top).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    let name = |entry: &walkdir::DirEntry| entry.path().strip_prefix(&top).unwrap().to_str().unwrap().to_owned();
    all.filter(|entry| !name(entry).contains(".unecho")).map(|entry| (name(&entry), fs::read(entry.path()).unwrap())).collect()
}

/// Kills a run after some time.
fn killed(desk: &Desk, args: &[&str], after: Duration) -> bool {
    let mut child = desk.unecho(args).stderr(std::process::Stdio::null()).spawn().unwrap();
    sleep(after);
    let _ = child.kill();
    !child.wait().unwrap().success()
}

#[test]
fn a_run_that_was_killed_goes_on_to_the_same_end() {
    let desk = Desk::new();
    folder(5, 4500, &desk.path("in")).unwrap();
    for flags in [&[][..], &["--across", "--record", "r.jsonl"]] {
        run(&desk, &["in", "-o", "wanted"], flags).succeeds();
        let started = Instant::now();
        run(&desk, &["in", "-o", "timed"], flags).succeeds();
        let took = started.elapsed();
        let (mut interrupted, mut gone_on) = (0, 0);
        for number in 0..KILLS {
            let _ = fs::remove_dir_all(desk.path("out"));
            if !killed(&desk, &[&["in", "-o", "out"], flags].concat(), took * (2 * number + 1) / (2 * KILLS)) {
                continue;
            }
            interrupted += 1;
            // Now and then once more.
            if number == 3 {
                killed(&desk, &[&["in", "-o", "out", "--resume"], flags].concat(), took / 3);
            }
            let ran = run(&desk, &["in", "-o", "out", "--resume"], flags);
            ran.succeeds();
            gone_on += u32::from(ran.stderr.contains("complete already"));
            assert!(files(&desk, "out") == files(&desk, "wanted"), "{flags:?}, killed after {} of {KILLS}", number + 1);
            assert!(!desk.exists("out/.unecho.journal"));
            if flags.contains(&"--record") {
                desk.run(&["verify", "r.jsonl"]).succeeds();
                let _ = fs::remove_dir_all(desk.path("back"));
                desk.run(&["restore", "r.jsonl", "-o", "back"]).succeeds();
                assert!(files(&desk, "back") == files(&desk, "in"));
            }
        }
        eprintln!("{flags:?}: of {KILLS} runs {interrupted} were interrupted, {gone_on} went on with something done");
        // Whether any had something done by then is up to the disk; another test begins with that.
        assert!(interrupted > 0, "{flags:?}: none was interrupted");
    }
}

fn run(desk: &Desk, args: &[&str], flags: &[&str]) -> Ran {
    desk.run(&[args, flags].concat())
}

/// Kills a run over "in" once something is so, or after a long time.
fn killed_once(desk: &Desk, is_so: impl Fn() -> bool) {
    let args = ["in", "-o", "out", "--across", "--max-removed", "100%"];
    let mut child = desk.unecho(&args).stderr(std::process::Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while !is_so() && Instant::now() < until {
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A run of which a part is done: its journal says so.
fn interrupted() -> Desk {
    interrupted_with(60_000)
}

/// The same, whose last text has so many lines.
fn interrupted_with(lines: usize) -> Desk {
    let desk = Desk::new();
    for (number, kind) in Kind::ALL.iter().cycle().take(12).enumerate() {
        desk.write(&format!("in/{number:02}.txt"), document(number as u64, *kind).text);
    }
    desk.write("in/05.txt", "");
    let line = |number: usize| format!("Of {number} lines each says something that no other one says, be it only {number}.\n");
    desk.write("in/12.txt", (0..lines).map(line).collect::<String>());
    desk.write("in/20.jsonl", "{\"text\":\"x\"}\n".repeat(1_000_000));
    let lines = || fs::read_to_string(desk.path("out/.unecho.journal")).map_or(0, |journal| journal.lines().count());
    killed_once(&desk, || lines() >= 2);
    assert!(desk.exists("out/.unecho.journal") && desk.exists("out/00.txt") && !desk.exists("out/20.jsonl"));
    desk
}

#[test]
fn a_run_that_goes_on_must_be_the_same_run() {
    let desk = interrupted();
    let journal = desk.read("out/.unecho.journal");
    let resume = |flags: &[&str]| run(&desk, &["in", "-o", "out", "--resume"], flags);
    resume(&[]).fails("with other settings (--across)");
    resume(&["--across", "--record", "r.jsonl"]).fails("with other settings (--record)");
    resume(&["--across", "--match", "bytes"]).fails("with other settings (--match)");
    resume(&["--across", "--exclude", "*.md"]).fails("with other settings (--exclude)");
    desk.run(&["in", "d", "-o", "out", "--across", "--resume"]).fails("on other inputs (in)");
    desk.write("out/.unecho.journal", journal.replace("\"unecho\":\"", "\"unecho\":\"9."));
    resume(&["--across"]).fails("by unecho 9.");
    desk.write("out/.unecho.journal", "nonsense\n");
    resume(&["--across"]).fails("is no journal of this unecho");
    desk.write("out/.unecho.journal", &journal);
    desk.write("in/00-new.txt", "new");
    resume(&["--across"]).fails("isn't read in the same place");
    fs::remove_file(desk.path("in/00-new.txt")).unwrap();
    let text = desk.read("in/03.txt");
    desk.write("in/03.txt", text + "more");
    resume(&["--across"]).fails("in/03.txt: changed since the interrupted run read it");
    assert!(!desk.exists("out/20.jsonl"), "nothing more was written");
    desk.run(&["in/00.txt", "-o", "one.txt", "--resume"]).fails("--resume goes with several files");
}

#[test]
fn an_output_that_is_gone_again_is_made_again() {
    let desk = interrupted();
    fs::remove_file(desk.path("out/02.txt")).unwrap();
    desk.run(&["in", "-o", "out", "--across", "--resume"]).succeeds().says("complete already");
    desk.run(&["in", "-o", "whole", "--across"]).succeeds();
    assert!(files(&desk, "out") == files(&desk, "whole"));
    desk.run(&["in", "-o", "out", "--across", "--resume"]).succeeds().says("No interrupted run is on record there");
}

#[test]
fn an_output_that_is_no_longer_what_was_put_there_is_made_again() {
    let desk = interrupted();
    desk.write("out/02.txt", "Someone else's.\n");
    desk.run(&["in", "-o", "out", "--across", "--resume"]).succeeds().says("complete already");
    desk.run(&["in", "-o", "whole", "--across"]).succeeds();
    assert!(files(&desk, "out") == files(&desk, "whole"));
}

#[test]
fn how_much_goes_is_told_of_the_whole_run() {
    let desk = interrupted_with(600);
    // Of what was done a part went; of what is left nothing does.
    let journal = desk.read("out/.unecho.journal");
    desk.write("out/.unecho.journal", journal.replace("\"across\":true", "\"across\":false"));
    desk.write("in/20.jsonl", "{\"text\":\"x\"}\n");
    let resume = ["in", "-o", "out", "--resume", "--max-removed"];
    run(&desk, &resume, &["5%"]).fails("more than the 5 % of --max-removed");
    assert!(!desk.exists("out/20.jsonl"));
    run(&desk, &resume, &["99%"]).succeeds();
    assert!(desk.exists("out/20.jsonl"));
}

#[test]
fn names_that_look_alike_are_not_the_same() {
    use std::os::unix::ffi::OsStrExt;
    let desk = interrupted();
    let name = |byte: u8| desk.path("in").join(std::ffi::OsStr::from_bytes(&[b'0', byte, b'.', b't', b'x', b't']));
    let (desk, names) = (&desk, [name(0xfe), name(0xff)]);
    for (number, path) in names.iter().enumerate() {
        fs::write(path, format!("Of number {number}.\n")).unwrap();
    }
    fs::remove_dir_all(desk.path("out")).unwrap();
    killed_once(desk, || fs::metadata(desk.path("out/.unecho.journal")).is_ok_and(|journal| journal.len() >= 1500));
    desk.run(&["in", "-o", "out", "--across", "--resume"]).succeeds().says("complete already");
    for (number, path) in names.iter().enumerate() {
        let copy = desk.path("out").join(path.file_name().unwrap());
        assert_eq!(fs::read_to_string(copy).unwrap(), format!("Of number {number}.\n"));
    }
}

#[test]
fn a_pipe_is_not_read_again_to_find_the_causes() {
    let desk = repeating();
    let line = "mkdir j && cp many.jsonl j && mkfifo pipe && (cat many.jsonl >pipe & unecho pipe j --from jsonl --across -o out)";
    desk.sh(line).fails("would go of all bytes");
}

#[test]
fn a_run_whose_first_document_goes_as_a_whole_has_a_journal_as_soon_as_it_has_a_folder() {
    let desk = Desk::new();
    let run = |to: &str| desk.run(&["d", "art.txt", "-o", to, "--drop-above", "1%", "--max-removed", "100%"]);
    run("none").succeeds();
    assert!(!desk.exists("none"), "all went");
    desk.write("d/zz.txt", "It stays.\n");
    run("some").succeeds();
    assert_eq!(files(&desk, "some").into_keys().collect::<Vec<_>>(), ["d/zz.txt"]);
}

/// A folder of which nearly all repeats.
fn repeating() -> Desk {
    let desk = Desk::new();
    let text = String::from_utf8(document(1, Kind::Spaced).expected).unwrap();
    for number in 0..40 {
        desk.write(&format!("in/{number:02}.txt"), &text);
    }
    let line = |number: usize| serde_json::json!({ "id": number, "text": text }).to_string() + "\n";
    desk.write("many.jsonl", (0..40).map(line).collect::<String>());
    desk
}

#[test]
fn where_too_much_would_go_nothing_is_written_and_the_causes_are_shown() {
    let desk = repeating();
    let ran = desk.run(&["in", "-o", "out", "--across"]);
    ran.fails("in: 97.5 % would go of all bytes, more than the 90 % of --max-removed; nothing was written");
    ran.says("Most repeated:").says("first in/00.txt").says("again in/01.txt").says("and 36 more");
    assert!(files(&desk, "out").is_empty());
    assert!(desk.leftovers("out").is_empty());
    assert!(!desk.exists("out"));
    desk.run(&["many.jsonl", "-o", "many-clean.jsonl", "--across"]).fails("would go of all bytes");
    assert!(!desk.exists("many-clean.jsonl"));
    desk.run(&["-i", "in", "--across"]).fails("would go of all bytes");
    assert!(files(&desk, "in").values().all(|text| !text.is_empty()));
    desk.run(&["in", "-o", "out", "--across", "--max-removed", "98%"]).succeeds();
    assert_eq!(files(&desk, "out").len(), 40);
    // What is written as it is read can't be held back.
    desk.run(&["many.jsonl", "--across"]).succeeds().says("were removed of all bytes, more than the 90 %");
}

#[test]
fn one_document_may_lose_any_part_unless_it_is_said() {
    let desk = Desk::new();
    let body = String::from_utf8(document(1, Kind::Spaced).expected).unwrap();
    desk.write("a.txt", [body.trim_end(); 20].join("\n\n"));
    desk.run(&["a.txt", "-o", "b.txt"]).succeeds();
    desk.run(&["a.txt", "-o", "c.txt", "--max-removed", "50%"]).fails("more than the 50 % of --max-removed").says("first a.txt");
    assert!(!desk.exists("c.txt"));
    desk.run(&["a.txt", "-o", "c.txt", "--max-removed", "x"]).fails("a share is a whole number of percent");
}
