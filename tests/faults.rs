//! No byte is ever lost, whatever the system refuses and whenever the program is ended: each call that it makes of the system
//! fails once, disks fill up, folders are not to be written to, and processes are killed.

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/desk.rs"]
mod desk;
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
#[path = "support/tracer.rs"]
mod tracer;

use desk::{Desk, Ran, skipped};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Contents by their paths.
type Files = BTreeMap<String, Vec<u8>>;

/// Everything below a folder.
fn files(desk: &Desk, folder: &str) -> Files {
    let top = desk.path(folder);
    let all = walkdir::WalkDir::new(&top).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    all.map(|entry| (entry.path().strip_prefix(&top).unwrap().to_str().unwrap().to_owned(), fs::read(entry.path()).unwrap()))
        .collect()
}

/// Makes a folder what it was.
fn put_back(desk: &Desk, folder: &str, files: &Files) {
    let _ = fs::remove_dir_all(desk.path(folder));
    files.iter().for_each(|(name, bytes)| desk.write(&format!("{folder}/{name}"), bytes));
}

/// A file as a record counts it.
fn unpacked(name: &str, bytes: &[u8]) -> Vec<u8> {
    if !name.ends_with(".gz") {
        return bytes.to_vec();
    }
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut text).unwrap_or_else(|error| panic!("{name}: {error}"));
    text
}

fn gz(text: &str) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    gz.finish().unwrap()
}

/// A paragraph that no other subject has.
fn paragraph(subject: &str) -> String {
    (0..8).fold(String::new(), |mut text, day| {
        write!(text, "On {subject} day {day} all {subject} was late by {day} hours. ").unwrap();
        text
    })
}

/// A text that has a body twice, and one paragraph that all others have.
fn text(subject: &str) -> String {
    let body = ["morning", "noon", "night"].map(|time| paragraph(&format!("{subject} {time}"))).join("\n");
    format!("About {subject}.\n{body}\n{body}\n{}\n", paragraph("every"))
}

fn records(subject: &str, number: usize) -> String {
    let record = |at: usize| serde_json::json!({ "id": at, "text": text(&format!("{subject} {}", at / 2)) }).to_string() + "\n";
    (0..number).map(record).collect()
}

/// Small files, of which two are packed.
fn inputs() -> Files {
    let mut files = Files::new();
    files.insert("a.txt".into(), text("harbour").into());
    files.insert("c.jsonl".into(), records("hill", 4).into());
    files.insert("d/b.txt".into(), text("market").into());
    files.insert("d/plain.txt".into(), b"Nothing repeats.\n".to_vec());
    files.insert("d/z.jsonl.gz".into(), gz(&records("river", 3)));
    files.insert("p.txt.gz".into(), gz(&text("garden")));
    files
}

/// Files whose cuts make a record that is written piece by piece.
fn inputs_of_a_long_record() -> Files {
    let record = |number: usize| {
        let paragraph = paragraph(&format!("street {number}"));
        serde_json::json!({ "id": number, "text": format!("{paragraph}\n{paragraph}") }).to_string() + "\n"
    };
    let file =
        |number: usize| (format!("d/{number}.jsonl"), (0..140).map(|at| record(number * 140 + at)).collect::<String>().into());
    (0..3).map(file).collect()
}

/// Files that take many pages of a disk.
fn inputs_of_many_pages() -> Files {
    let more = (0..2).map(|number| (format!("m{number}.jsonl"), records(&format!("lane {number}"), 15).into()));
    inputs().into_iter().chain(more).collect()
}

/// What a run over many files has in the folder of its outputs until it is done.
const JOURNAL: &str = ".unecho.journal";

/// Everything but what a run needs for itself.
fn outputs(files: &Files) -> Files {
    files
        .iter()
        .filter(|(name, _)| !name.starts_with(".unecho/") && *name != JOURNAL)
        .map(|(name, bytes)| (name.clone(), bytes.clone()))
        .collect()
}

/// The record of the first run in place, if anything is in it.
fn record(files: &Files) -> Option<&[u8]> {
    files.get(".unecho/0001.jsonl").map(Vec::as_slice).filter(|record| record.contains(&b'\n'))
}

/// Holds that each file is, as a whole, what it is in one of these.
#[track_caller]
fn assert_each_is_whole<'f>(found: &Files, allowed: impl IntoIterator<Item = &'f Files> + Clone, what: &str) {
    for (name, bytes) in found {
        let is = |files: &Files| files.get(name).is_some_and(|wanted| unpacked(name, wanted) == unpacked(name, bytes));
        assert!(allowed.clone().into_iter().any(is), "{what}: {name} is neither its old nor its new content");
    }
}

#[track_caller]
fn assert_same(found: &Files, wanted: &Files, what: &str) {
    assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "{what}");
    assert_each_is_whole(found, [wanted], what);
}

/// Holds that a run in place, however it ended, lost nothing: what it changed is in its record.
#[track_caller]
fn assert_is_taken_back(desk: &Desk, originals: &Files, what: &str) {
    let found = files(desk, "in");
    match record(&found) {
        None => assert_same(&without_temporary(&outputs(&found)), originals, what),
        Some(_) => {
            let ran = desk.run(&["restore", "in/.unecho/0001.jsonl"]);
            assert!(ran.status == Some(0), "{what}: {ran}");
            assert_same(&without_temporary(&outputs(&files(desk, "in"))), originals, what);
        }
    }
}

fn is_temporary(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|name| name.to_str().unwrap().starts_with(".unecho-"))
}

fn without_temporary(files: &Files) -> Files {
    files.iter().filter(|(name, _)| !is_temporary(name)).map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
}

/// Holds that it failed as it should, and said of what.
#[track_caller]
fn assert_fails_in_words(ran: &Ran, what: &str) {
    assert!(ran.status == Some(2) && !ran.stderr.contains("panicked"), "{what}: {ran}");
    let is_named = |line: &str| {
        let mut parts = line.strip_prefix("error: ").unwrap_or_default().split(": ");
        parts.next().is_some_and(|place| !place.is_empty()) && parts.next().is_some_and(|why| !why.is_empty())
    };
    assert!(ran.stderr.lines().any(is_named), "{what}: {ran}");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod each_call {
    use super::tracer::{self, Call, Counted, Fault, Kind, Traced};
    use super::*;
    use nix::errno::Errno;
    use std::collections::BTreeSet;

    /// What is run, on what, and what it may leave.
    struct Scene {
        args: Vec<&'static str>,
        /// Folders as they are before it.
        before: BTreeMap<&'static str, Files>,
        /// The folder that it writes to.
        writes: &'static str,
        /// What stands in that before, and when it has gone well.
        old: Files,
        new: Files,
        /// What else may stand there: clean copies that were compared with less, since one of the inputs couldn't be read.
        others: Vec<Files>,
        /// The inputs of the run in place that it is, or takes back.
        originals: Option<Files>,
        /// A record that it writes, if it is not one in place.
        record: Option<&'static str>,
        /// Whether it goes on where it ended.
        is_resumed: bool,
    }

    impl Scene {
        fn prepare(&self, desk: &Desk) {
            for folder in ["in", "out", "back", "records"] {
                let _ = fs::remove_dir_all(desk.path(folder));
            }
            self.before.iter().for_each(|(folder, files)| put_back(desk, folder, files));
        }

        fn traced(&self, desk: &Desk, fault: Option<(Counted, usize, Fault)>) -> nix::Result<(Traced, Ran)> {
            self.prepare(desk);
            let traced = tracer::run(&desk.unecho(&self.args), &desk.path(""), fault)?;
            let output = traced.output.clone();
            Ok((traced, Ran::new(format!("unecho {}", self.args.join(" ")), output)))
        }

        /// Holds that nothing was lost, and that what is there is whole.
        #[track_caller]
        fn check(&self, desk: &Desk, kind: Counted, fault: Fault, ran: &Ran, what: &str) {
            let found = files(desk, self.writes);
            let is_killed = matches!(fault, Fault::Kills);
            let temporary: Vec<&String> = found.keys().filter(|name| is_temporary(name)).collect();
            assert!(temporary.is_empty() || is_killed || kind == Some(Kind::Unlink), "{what}: {temporary:?} are left\n{ran}");
            let written = without_temporary(&outputs(&found));
            assert_each_is_whole(&written, [&self.old, &self.new].into_iter().chain(&self.others), what);
            for (folder, before) in &self.before {
                if *folder != self.writes {
                    assert!(files(desk, folder) == *before, "{what}: {folder} was changed\n{ran}");
                }
            }
            if is_killed {
                assert_eq!(ran.signal, Some(9), "{what}: {ran}");
            } else if ran.status == Some(0) {
                assert_same(&written, &self.new, what);
                assert!(!found.contains_key(JOURNAL), "{what}");
            } else {
                assert_fails_in_words(ran, what);
            }
            if let Some(record) = self.record.filter(|record| desk.exists(record)) {
                desk.run(&["verify", record]).succeeds();
            } else if self.record.is_some() {
                assert_ne!(ran.status, Some(0), "{what}: no record\n{ran}");
            }
            if self.is_resumed {
                desk.run(&[&self.args[..], &["--resume"]].concat()).succeeds();
                assert_same(&without_temporary(&files(desk, self.writes)), &self.new, &format!("resumed, {what}"));
            }
            if let Some(originals) = &self.originals {
                assert_eq!(written.keys().collect::<Vec<_>>(), originals.keys().collect::<Vec<_>>(), "{what}");
                assert_is_taken_back(desk, originals, what);
            }
        }
    }

    /// How each kind of call fails.
    fn faults(kind: Kind) -> Vec<Fault> {
        use Fault::{Fails, FailsFromNowOn, IsShortAndFails};
        match kind {
            Kind::Look => vec![Fails(Errno::EMFILE)],
            Kind::Read => vec![Fails(Errno::EIO)],
            Kind::Open => vec![Fails(Errno::ENOSPC), Fails(Errno::EACCES)],
            Kind::Write => {
                vec![Fails(Errno::EIO), Fails(Errno::ENOSPC), FailsFromNowOn(Errno::ENOSPC), IsShortAndFails(Errno::ENOSPC)]
            }
            Kind::Sync => vec![Fails(Errno::EIO), FailsFromNowOn(Errno::EIO)],
            Kind::Rename => vec![Fails(Errno::EIO), FailsFromNowOn(Errno::ENOSPC)],
            Kind::Unlink => vec![Fails(Errno::EIO)],
            Kind::Mkdir => vec![Fails(Errno::ENOSPC), Fails(Errno::EACCES)],
            Kind::Rights => vec![Fails(Errno::EPERM)],
            Kind::Truncate => vec![Fails(Errno::ENOSPC)],
            Kind::Lock => vec![Fails(Errno::EIO)],
        }
    }

    /// Runs a scene with each of its calls failing once, in each way. Gives the calls without which it succeeds.
    fn fail_each_call(desk: &Desk, scene: &Scene) -> Option<BTreeSet<String>> {
        let (calls, ran) = match scene.traced(desk, None) {
            Ok((traced, ran)) => (traced.calls, ran),
            Err(error) => {
                skipped(&format!("nothing can be traced here: {error}"));
                return None;
            }
        };
        ran.succeeds();
        let mut points = 0;
        let mut missed = 0;
        let mut harmless = BTreeSet::new();
        let mut one = |counted: Counted, number: usize, fault: Fault| {
            let (traced, ran) = scene.traced(desk, Some((counted, number, fault))).unwrap();
            let Some(met) = traced.met else {
                missed += 1; // threads share the work in another way
                return;
            };
            points += 1;
            let what = format!("{fault:?} at {} {} of {:?}, {met:?}", number + 1, scene.args.join(" "), met.kind);
            scene.check(desk, counted, fault, &ran, &what);
            if ran.status == Some(0) {
                let name = match met.path.to_str().unwrap() {
                    "" => "the folder around",
                    name if is_temporary(name) => "a temporary file",
                    name => name,
                };
                harmless.insert(format!("{:?} {name}", met.kind));
            }
        };
        let mut counts = Vec::new();
        for kind in Kind::ALL {
            let count = calls.iter().filter(|call| call.kind == kind).count();
            counts.push(format!("{count} {kind:?}"));
            for fault in faults(kind) {
                (0..count).for_each(|number| one(Some(kind), number, fault));
            }
        }
        let changes = calls.iter().filter(|call| call.kind.changes_something()).count();
        (0..changes).for_each(|number| one(None, number, Fault::Kills));
        eprintln!(
            "{points} faults of unecho {} ({}), {missed} missed, {} harmless",
            scene.args.join(" "),
            counts.join(", "),
            harmless.len()
        );
        Some(harmless)
    }

    /// Holds that whenever the power fails, what was renamed is whole, and a name is taken in place only when the record is on the
    /// disk, with the names that lead to it.
    fn assert_safe_from_power_cuts(scene: &Scene, calls: &[Call]) {
        let what = scene.args.join(" ");
        let mut contents = BTreeSet::new();
        let mut names = BTreeSet::new();
        let mut has_journal = false;
        for call in calls {
            let path = &call.path;
            has_journal |= call.kind == Kind::Write && path.ends_with(".unecho.journal");
            match call.kind {
                Kind::Write => drop(contents.insert(path.clone())),
                Kind::Open | Kind::Mkdir => drop(names.insert(path.clone())),
                Kind::Sync if call.is_of_system => {
                    contents.clear();
                    names.clear();
                }
                Kind::Unlink => drop(names.remove(path)),
                Kind::Sync => {
                    contents.remove(path);
                    names.retain(|name: &PathBuf| name.parent() != Some(path));
                }
                Kind::Rename => {
                    assert!(!contents.contains(path), "{what}: {path:?} is renamed before it is on the disk");
                    let to = call.to.clone().unwrap();
                    assert!(
                        has_journal || !to.starts_with("out"),
                        "{what}: {to:?} has its name, and the journal is of another run"
                    );
                    if scene.originals.is_some() {
                        let late = contents.iter().chain(&names).find(|path| path.starts_with("in/.unecho"));
                        assert_eq!(late, None, "{what}: it is not on the disk when {to:?} is replaced");
                    }
                    names.remove(path);
                    names.insert(to);
                }
                _ => {}
            }
        }
        assert!(contents.is_empty() && names.is_empty(), "{what}: {contents:?} {names:?} are not on the disk in the end");
    }

    /// What a run writes if one of its inputs isn't there.
    fn without_each(desk: &Desk, inputs: &Files, args: &[&str], writes: &str) -> Vec<Files> {
        let without = |name: &String| {
            put_back(
                desk,
                "in",
                &inputs.iter().filter(|(other, _)| *other != name).map(|(name, bytes)| (name.clone(), bytes.clone())).collect(),
            );
            desk.run(args).succeeds();
            outputs(&files(desk, writes))
        };
        if args.contains(&"--across") { inputs.keys().map(without).collect() } else { Vec::new() }
    }

    fn scene_in_place(desk: &Desk, inputs: Files, args: &[&'static str]) -> Scene {
        put_back(desk, "in", &inputs);
        desk.run(args).succeeds();
        let new = outputs(&files(desk, "in"));
        Scene {
            args: args.to_vec(),
            before: BTreeMap::from([("in", inputs.clone())]),
            writes: "in",
            old: inputs.clone(),
            new,
            others: without_each(desk, &inputs, args, "in"),
            originals: Some(inputs),
            record: None,
            is_resumed: false,
        }
    }

    /// That a run in place is taken back.
    fn scene_taken_back(desk: &Desk, scene: &Scene) -> Scene {
        scene.prepare(desk);
        desk.run(&scene.args).succeeds();
        Scene {
            args: vec!["restore", "in/.unecho/0001.jsonl"],
            before: BTreeMap::from([("in", files(desk, "in"))]),
            writes: "in",
            old: scene.new.clone(),
            new: scene.old.clone(),
            others: Vec::new(),
            originals: scene.originals.clone(),
            record: None,
            is_resumed: false,
        }
    }

    fn scene_with_record(desk: &Desk, inputs: Files, flags: &[&'static str]) -> Scene {
        put_back(desk, "in", &inputs);
        let older = |name: &str| (name.to_owned(), b"An older clean copy.\n".to_vec());
        let old = Files::from([older("a.txt"), older("d/b.txt")]);
        put_back(desk, "out", &old);
        let args = [&["in", "--across", "-o", "out", "--record", "records/r.jsonl"], flags].concat();
        desk.run(&args).succeeds();
        Scene {
            new: files(desk, "out"),
            others: without_each(desk, &inputs, &args, "out"),
            args,
            before: BTreeMap::from([("in", inputs), ("out", old.clone())]),
            writes: "out",
            old,
            originals: None,
            record: Some("records/r.jsonl"),
            is_resumed: false,
        }
    }

    fn scene_restored_elsewhere(desk: &Desk, scene: &Scene) -> Scene {
        scene.prepare(desk);
        desk.run(&scene.args).succeeds();
        let before = ["in", "out", "records"].map(|folder| (folder, files(desk, folder)));
        Scene {
            args: vec!["restore", "records/r.jsonl", "-o", "back"],
            before: before.into(),
            writes: "back",
            old: Files::new(),
            new: scene.before["in"].clone(),
            others: Vec::new(),
            originals: None,
            record: None,
            is_resumed: false,
        }
    }

    const IN_PLACE: [&str; 3] = ["-i", "in", "--across"];

    /// What can be done without.
    const HARMLESS: [&str; 23] = [
        // A folder that can't be opened to be synced: all is synced instead, or its names reach the disk in the system's own time.
        "Look in",
        "Look in/d",
        "Look out",
        "Look out/d",
        "Look back",
        "Look records",
        // Where there are no locks, nobody is locked out.
        "Look the folder around",
        "Lock the folder around",
        "Lock in",
        // What a run that was killed left is only warned of; a folder that is there needn't be made.
        "Read out",
        "Read out/d",
        "Mkdir out",
        "Mkdir out/d",
        // What is left out is only counted; a number that is taken is an error when the record is made.
        "Look in/.unecho",
        "Read in/.unecho",
        // The sizes of all inputs are added up beside the run.
        "Read in",
        "Read in/d",
        // It is left, and the next run says so; a record that says nothing is left.
        "Unlink a temporary file",
        "Unlink in/.unecho/0001.jsonl",
        "Unlink in/.unecho",
        // What can't be read to be looked at is read again.
        "Read in/d/0.jsonl.gz",
        "Read in/d/1.jsonl.gz",
        "Read in/d/z.jsonl.gz",
    ];

    /// Holds that nothing is lost, and that the run succeeds only where it can do without what failed.
    #[track_caller]
    fn assert_nothing_is_lost(desk: &Desk, scene: &Scene) {
        let harmless = fail_each_call(desk, scene).unwrap_or_default();
        let others: Vec<_> = harmless.iter().filter(|call| !HARMLESS.contains(&call.as_str())).collect();
        assert!(others.is_empty(), "{others:?} did no harm");
    }

    #[test]
    fn a_run_in_place_loses_nothing_whatever_call_fails() {
        let desk = Desk::in_memory();
        let scene = scene_in_place(&desk, inputs(), &IN_PLACE);
        assert_nothing_is_lost(&desk, &scene);
    }

    #[test]
    fn a_run_in_place_with_a_long_record_loses_nothing_whatever_call_fails() {
        let desk = Desk::in_memory();
        let scene = scene_in_place(&desk, inputs_of_a_long_record(), &["-i", "in"]);
        assert!(fs::metadata(desk.path("in/.unecho/0001.jsonl")).unwrap().len() > 40 << 10, "it is written in one piece");
        assert_nothing_is_lost(&desk, &scene);
    }

    #[test]
    fn a_run_in_place_over_streams_loses_nothing_whatever_call_fails() {
        let desk = Desk::in_memory();
        let inputs = (0..2).map(|number| (format!("d/{number}.jsonl.gz"), gz(&records(&format!("street {number}"), 20))));
        let scene = scene_in_place(&desk, inputs.collect(), &["-i", "in", "--on-error", "keep", "--max-removed", "100%"]);
        assert_nothing_is_lost(&desk, &scene);
    }

    #[test]
    fn taking_a_run_in_place_back_loses_nothing_whatever_call_fails() {
        let desk = Desk::in_memory();
        let scene = scene_taken_back(&desk, &scene_in_place(&desk, inputs(), &IN_PLACE));
        assert_nothing_is_lost(&desk, &scene);
    }

    #[test]
    fn clean_copies_and_their_record_are_whole_or_not_there_whatever_call_fails() {
        let desk = Desk::in_memory();
        let scene = scene_with_record(&desk, inputs(), &[]);
        assert_nothing_is_lost(&desk, &scene);
    }

    #[test]
    fn clean_copies_with_a_long_record_are_whole_or_not_there_whatever_call_fails() {
        let desk = Desk::in_memory();
        let scene = scene_with_record(&desk, inputs_of_a_long_record(), &[]);
        assert_nothing_is_lost(&desk, &scene);
    }

    #[test]
    fn a_run_goes_on_where_it_ended_whatever_call_failed() {
        let desk = Desk::in_memory();
        let inputs = inputs();
        put_back(&desk, "in", &inputs);
        let args = vec!["in", "-o", "out", "--on-error", "keep"];
        desk.run(&args).succeeds();
        let scene = Scene {
            new: files(&desk, "out"),
            others: Vec::new(),
            args,
            before: BTreeMap::from([("in", inputs)]),
            writes: "out",
            old: Files::new(),
            originals: None,
            record: None,
            is_resumed: true,
        };
        assert_nothing_is_lost(&desk, &scene);
    }

    #[test]
    fn a_document_that_goes_as_a_whole_takes_only_what_stood_in_its_place_with_it() {
        let desk = Desk::in_memory();
        let inputs = ["a.txt", "d/b.txt"].map(|name| (name.to_owned(), text("harbour").into()));
        let scene = scene_with_record(&desk, inputs.into(), &["--unit", "document"]);
        assert_eq!(scene.new.keys().collect::<Vec<_>>(), ["a.txt"]);
        assert_nothing_is_lost(&desk, &scene);
    }

    #[test]
    fn a_run_in_place_that_has_nothing_to_change_changes_nothing_whatever_call_fails() {
        let desk = Desk::in_memory();
        let plain = ["a.txt", "d/b.txt"].map(|name| (name.to_owned(), format!("Nothing repeats in {name}.\n").into()));
        let mut inputs = Files::from(plain);
        inputs.insert("d/0.jsonl.gz".into(), gz("{\"text\": \"Nor does anything here.\"}\n"));
        let scene = scene_in_place(&desk, inputs, &["-i", "in", "--on-error", "keep"]);
        assert_nothing_is_lost(&desk, &scene);
    }

    #[test]
    fn originals_elsewhere_are_whole_or_not_there_whatever_call_fails() {
        let desk = Desk::in_memory();
        let scene = scene_restored_elsewhere(&desk, &scene_with_record(&desk, inputs(), &[]));
        assert_nothing_is_lost(&desk, &scene);
    }

    #[test]
    fn what_takes_a_name_is_on_the_disk_and_the_record_before_anything_in_place() {
        let large = Files::from([("large.txt".to_owned(), (0..3000).map(|at| text(&at.to_string())).collect::<String>().into())]);
        let desk = Desk::in_memory();
        let mut scenes = vec![
            scene_in_place(&desk, inputs(), &IN_PLACE),
            scene_in_place(&desk, inputs(), &["-i", "in", "--on-error", "keep"]),
            scene_in_place(&desk, large, &["-i", "in"]),
            scene_with_record(&desk, inputs(), &[]),
        ];
        scenes.extend(scenes[..3].iter().map(|scene| scene_taken_back(&desk, scene)).collect::<Vec<_>>());
        scenes.push(scene_restored_elsewhere(&desk, &scenes[3]));
        for scene in &scenes {
            match scene.traced(&desk, None) {
                Ok((traced, ran)) => {
                    ran.succeeds();
                    assert_safe_from_power_cuts(scene, &traced.calls);
                }
                Err(error) => return skipped(&format!("nothing can be traced here: {error}")),
            }
        }
    }
}

/// So many files are cleaned, among them streams, each of which is published by itself. Without optimization fewer take as long.
const FILES: usize = if cfg!(debug_assertions) { 300 } else { 2000 };
const STREAM_EACH: usize = 40;
/// A run is killed so often, at moments spread over its time.
const KILLS: usize = 50;
/// The same of one that takes a run back, and of each of the signals that ask for an end.
const FEWER_KILLS: usize = 12;

const OVER_MANY: [&str; 6] = ["-i", "in", "--on-error", "keep", "--max-removed", "100%"];

fn many() -> Files {
    let file = |number: usize| {
        let paragraph = paragraph(&number.to_string());
        match number % STREAM_EACH {
            0 => (format!("{number:04}.jsonl.gz"), gz(&records(&number.to_string(), 4))),
            _ => (format!("{number:04}.txt"), format!("About {number}.\n{paragraph}\n{paragraph}\n").into()),
        }
    };
    (0..FILES).map(file).collect()
}

/// Files that a run is to be ended on.
struct Many {
    desk: Desk,
    originals: Files,
    random: corpus::Random,
    /// So long a run takes.
    took: Duration,
    /// Moments before this part of it, in percent, aren't of interest.
    from: usize,
    midway: usize,
}

impl Many {
    fn new(seed: u64) -> Self {
        let (desk, originals) = (Desk::in_memory(), many());
        put_back(&desk, "in", &originals);
        Self { desk, originals, random: corpus::Random(seed), took: Duration::ZERO, from: 0, midway: 0 }
    }

    /// Runs it to its end, and takes the time.
    fn whole(&mut self, args: &[&str]) {
        let started = Instant::now();
        self.desk.run(args).succeeds();
        self.took = started.elapsed();
    }

    /// Ends a run by a signal at some moment.
    fn ended(&mut self, args: &[&str], signal: &str) -> ExitStatus {
        let mut child = self.desk.unecho(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let moment = self.took.as_micros() as usize * self.random.within(self.from * 100, 10_000) / 10_000;
        std::thread::sleep(Duration::from_micros(moment as u64));
        self.desk.sh(&format!("kill -{signal} {}", child.id())).succeeds();
        let status = child.wait().unwrap();
        if status.success() {
            self.took = self.took * 9 / 10; // the machine has less other work by now
        }
        self.count_if_midway();
        status
    }

    /// Whether some files are changed, and others not.
    fn count_if_midway(&mut self) {
        let found = without_temporary(&outputs(&files(&self.desk, "in")));
        assert_eq!(found.len(), FILES, "a file is missing");
        let changed =
            found.iter().filter(|(name, bytes)| unpacked(name, bytes) != unpacked(name, &self.originals[*name])).count();
        self.midway += usize::from(0 < changed && changed < FILES);
    }

    /// Takes the run back, and holds that all is as it was; then it may begin anew.
    fn assert_is_taken_back(&self) {
        assert_is_taken_back(&self.desk, &self.originals, "ended");
        let _ = fs::remove_dir_all(self.desk.path("in/.unecho"));
        self.desk.leftovers("in").iter().for_each(|path| fs::remove_file(path).unwrap());
    }
}

#[test]
fn a_run_in_place_that_is_killed_is_taken_back() {
    let mut many = Many::new(1);
    many.whole(&OVER_MANY);
    many.assert_is_taken_back();
    let mut killed = 0;
    for _ in 0..KILLS {
        killed += usize::from(many.ended(&OVER_MANY, "KILL").signal() == Some(9));
        many.assert_is_taken_back();
    }
    eprintln!("{killed} of {KILLS} runs of {:.1?} were killed before their end, {} midway", many.took, many.midway);
    assert!(many.midway > 0, "no run was killed midway");
}

#[test]
fn taking_back_that_is_killed_is_done_again() {
    let mut many = Many { from: 75, ..Many::new(2) }; // it makes all before it renames any
    let mut killed = 0;
    for round in 0..=FEWER_KILLS {
        many.desk.run(&OVER_MANY).succeeds();
        if round == 0 {
            many.whole(&["restore", "in/.unecho/0001.jsonl"]);
        } else {
            killed += usize::from(many.ended(&["restore", "in/.unecho/0001.jsonl"], "KILL").signal() == Some(9));
        }
        many.assert_is_taken_back();
    }
    eprintln!("{killed} of {FEWER_KILLS} restores of {:.1?} were killed before their end, {} midway", many.took, many.midway);
    assert!(killed > 0, "none was killed before its end");
}

#[test]
fn a_signal_ends_a_run_in_place_and_its_taking_back_and_leaves_nothing_behind() {
    let mut many = Many::new(3);
    many.whole(&OVER_MANY);
    many.assert_is_taken_back();
    let mut ended = 0;
    for (name, number) in [("INT", 2), ("TERM", 15)] {
        for round in 0..FEWER_KILLS {
            let mut args = &OVER_MANY[..];
            if round % 3 == 0 {
                many.desk.run(args).succeeds();
                args = &["restore", "in/.unecho/0001.jsonl"];
            }
            let status = many.ended(args, name);
            assert!(status.success() || status.signal() == Some(number), "{status}");
            ended += usize::from(!status.success());
            assert!(many.desk.leftovers("in").is_empty(), "temporary files are left");
            many.assert_is_taken_back();
        }
    }
    eprintln!("{ended} of {} were ended by a signal, {} midway", 2 * FEWER_KILLS, many.midway);
    assert!(ended > 0, "none was ended by a signal");
}

/// A disk in memory of so many pages, at a folder.
struct Disk<'a> {
    desk: &'a Desk,
    folder: &'static str,
}

impl<'a> Disk<'a> {
    /// A page of it, in KB.
    const PAGE: usize = 4;
    /// More than is ever needed.
    const ROOM: usize = 10_000;

    /// Nothing, if none can be had here.
    fn new(desk: &'a Desk, folder: &'static str, pages: usize) -> Option<Self> {
        fs::create_dir_all(desk.path(folder)).unwrap();
        let size = pages * Self::PAGE;
        let ran = desk.sh(&format!("mount -t tmpfs -o size={size}k tmpfs {folder}"));
        if ran.status != Some(0) {
            skipped("a small disk in memory can't be mounted");
            return None;
        }
        Some(Self { desk, folder })
    }

    /// How many pages are in use.
    fn used(&self) -> usize {
        let used = self.desk.sh(&format!("df -k --output=used {} | tail -n 1", self.folder)).stdout;
        used.trim().parse::<usize>().unwrap() / Self::PAGE
    }

    fn resize(&self, pages: usize) {
        self.desk.sh(&format!("mount -o remount,size={}k {}", pages * Self::PAGE, self.folder)).succeeds();
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        self.desk.sh(&format!("umount {}", self.folder));
    }
}

/// Does something with more and more room on a disk, from none on, until it has gone well a few times; gives how often it failed.
fn with_more_and_more_room(mut each: impl FnMut(usize) -> Option<bool>) -> Option<usize> {
    let (mut failed, mut well) = (0, 0);
    for pages in 0.. {
        if each(pages)? {
            well += 1;
        } else {
            (failed, well) = (failed + 1, 0);
        }
        if well == 3 {
            break;
        }
    }
    Some(failed)
}

/// Holds that a run on a disk that may be full did all or says what it didn't, and left nothing behind.
#[track_caller]
fn is_whole_or_fails(desk: &Desk, ran: &Ran, allowed: [&Files; 2], folder: &str) -> bool {
    let found = outputs(&files(desk, folder));
    assert_each_is_whole(&found, allowed, &ran.to_string());
    let goes_well = ran.status == Some(0);
    if goes_well {
        assert_same(&found, allowed[1], &ran.to_string());
        assert!(!desk.exists(&format!("{folder}/{JOURNAL}")), "{ran}");
    } else {
        assert_fails_in_words(ran, "on a full disk");
        ran.says("no space left on device");
    }
    goes_well
}

#[test]
fn a_disk_that_is_full_in_the_midst_of_a_run_in_place_loses_nothing() {
    let desk = Desk::new();
    let originals = inputs_of_many_pages();
    let args = ["-i", "in"];
    put_back(&desk, "in", &originals);
    desk.run(&args).succeeds();
    let clean = outputs(&files(&desk, "in"));
    let record = fs::read(desk.path("in/.unecho/0001.jsonl")).unwrap();
    let filled = |files: &Files, pages: usize| {
        let disk = Disk::new(&desk, "in", Disk::ROOM)?;
        files.iter().for_each(|(name, bytes)| desk.write(&format!("in/{name}"), bytes));
        disk.resize(disk.used() + pages);
        Some(disk)
    };
    let runs = with_more_and_more_room(|pages| {
        let disk = filled(&originals, pages)?;
        let goes_well = is_whole_or_fails(&desk, &desk.run(&args), [&originals, &clean], "in");
        disk.resize(Disk::ROOM);
        assert_is_taken_back(&desk, &originals, &format!("{pages} pages"));
        Some(goes_well)
    });
    let restores = with_more_and_more_room(|pages| {
        let mut all = clean.clone();
        all.insert(".unecho/0001.jsonl".into(), record.clone());
        let disk = filled(&all, pages)?;
        let ran = desk.run(&["restore", "in/.unecho/0001.jsonl"]);
        let goes_well = is_whole_or_fails(&desk, &ran, [&clean, &originals], "in");
        disk.resize(Disk::ROOM);
        assert_is_taken_back(&desk, &originals, &format!("{pages} pages"));
        Some(goes_well)
    });
    eprintln!("on full disks {runs:?} runs in place and {restores:?} of taking back failed");
}

#[test]
fn a_disk_that_is_full_in_the_midst_of_a_record_in_place_loses_nothing() {
    let desk = Desk::new();
    let originals = inputs_of_a_long_record();
    put_back(&desk, "in", &originals);
    desk.run(&["-i", "in"]).succeeds();
    let clean = outputs(&files(&desk, "in"));
    let runs = with_more_and_more_room(|pages| {
        put_back(&desk, "in", &originals);
        let disk = Disk::new(&desk, "in/.unecho", pages + 1)?;
        let goes_well = is_whole_or_fails(&desk, &desk.run(&["-i", "in"]), [&originals, &clean], "in");
        disk.resize(Disk::ROOM);
        assert_is_taken_back(&desk, &originals, &format!("{pages} pages"));
        Some(goes_well)
    });
    eprintln!("on full disks {runs:?} records failed");
}

#[test]
fn a_disk_that_is_full_in_the_midst_of_outputs_and_their_record_has_whole_ones_only() {
    let desk = Desk::new();
    let originals = inputs_of_many_pages();
    put_back(&desk, "in", &originals);
    let args = ["in", "-o", "out/clean", "--record", "out/r.jsonl"];
    desk.run(&args).succeeds();
    let clean = files(&desk, "out/clean");
    let runs = with_more_and_more_room(|pages| {
        let _disk = Disk::new(&desk, "out", pages + 1)?;
        let goes_well = is_whole_or_fails(&desk, &desk.run(&args), [&Files::new(), &clean], "out/clean");
        if desk.exists("out/r.jsonl") {
            desk.run(&["verify", "out/r.jsonl"]).succeeds();
        }
        assert_eq!(desk.leftovers("out"), [""; 0].map(PathBuf::from));
        assert!(goes_well == desk.exists("out/r.jsonl") || !goes_well);
        Some(goes_well)
    });
    eprintln!("on full disks {runs:?} runs failed");
    assert_eq!(files(&desk, "in"), originals);
    if Path::new("/dev/full").exists() {
        desk.run(&["in", "-o", "new", "--record", "/dev/full"]).fails("/dev/full: no space left on device");
        assert_eq!(files(&desk, "in"), originals);
    }
}

#[test]
fn a_folder_for_records_that_is_a_file_is_said_and_nothing_is_changed() {
    let desk = Desk::new();
    put_back(&desk, "in", &inputs());
    desk.write("in/.unecho", "a file");
    desk.run(&["-i", "in"]).fails("in/.unecho: not a directory");
    fs::remove_file(desk.path("in/.unecho")).unwrap();
    assert_eq!(files(&desk, "in"), inputs());
}

/// How the program is run by somebody to whom not everything is allowed; nothing, if that can't be.
fn as_nobody(desk: &Desk) -> Option<&'static str> {
    const NOBODY: &str = "setpriv --reuid=65534 --regid=65534 --clear-groups ";
    if desk.sh("test $(id -u) != 0").status == Some(0) {
        return Some("");
    }
    let is_possible = desk.sh(&format!("chown -R 65534:65534 . && {NOBODY} unecho --version && {NOBODY} touch here"));
    if is_possible.status != Some(0) {
        skipped("all is allowed to root, and nobody can't run the program");
        return None;
    }
    Some(NOBODY)
}

#[test]
fn what_must_not_be_written_to_is_said_and_nothing_is_lost() {
    let desk = Desk::new();
    put_back(&desk, "in", &inputs());
    let Some(nobody) = as_nobody(&desk) else { return };
    let run = |line: &str| desk.sh(&format!("{nobody}{line}"));

    desk.sh("chmod 555 in").succeeds();
    run("unecho -i in").fails("in/.unecho: permission denied");
    assert_eq!(files(&desk, "in"), inputs());

    desk.sh("chmod 755 in; chmod 555 in/d; chmod 444 in/c.jsonl; chmod 200 in/p.txt.gz").succeeds();
    let ran = run("unecho -i in");
    ran.fails("in/d/b.txt: can't be replaced, since no file can be made in its folder: permission denied")
        .says("in/d/z.jsonl.gz: can't");
    ran.says("in/c.jsonl: is read-only").says("in/p.txt.gz: permission denied").says("1 document, 1 with repeats");
    desk.sh("chmod 644 in/p.txt.gz").succeeds();
    let found = outputs(&files(&desk, "in"));
    let changed: Vec<_> = found.iter().filter(|(name, bytes)| inputs()[*name] != **bytes).map(|(name, _)| name.clone()).collect();
    assert_eq!(changed, ["a.txt"]);
    assert_eq!(desk.leftovers("in"), [""; 0].map(PathBuf::from));

    desk.sh("chmod 555 in; chmod 755 in/d").succeeds();
    run("unecho restore in/.unecho/0001.jsonl").fails("in/a.txt: can't be replaced, since no file can be made in its folder");
    assert_eq!(outputs(&files(&desk, "in")), found);
    desk.sh("chmod 755 in").succeeds();
    run("unecho restore in/.unecho/0001.jsonl").succeeds();
    assert_eq!(outputs(&files(&desk, "in")), inputs());
}

#[test]
fn more_files_are_taken_back_than_may_be_open() {
    let desk = Desk::in_memory();
    let inputs: Files = (0..300).map(|number| (format!("{number}.txt"), text(&number.to_string()).into())).collect();
    put_back(&desk, "in", &inputs);
    desk.sh("ulimit -n 64; unecho -i in").succeeds();
    desk.sh("ulimit -n 64; unecho restore in/.unecho/0001.jsonl").succeeds();
    assert_same(&outputs(&files(&desk, "in")), &inputs, "taken back");
}

#[test]
fn what_breaks_off_stays_as_it_is_in_place() {
    for (on_error, flags) in [("keep", &[][..]), ("drop", &[]), ("keep", &["--across"])] {
        let desk = Desk::new();
        let mut packed = gz(&(0..200).map(|at| text(&format!("{on_error} {at}"))).collect::<String>());
        let middle = packed.len() / 2;
        packed[middle..middle + 100].fill(0xff);
        let mut packed_records = gz(&records("broken", 400));
        let middle = packed_records.len() / 2;
        packed_records[middle..middle + 100].fill(0xff);
        let inputs = Files::from([
            ("a.jsonl.gz".to_owned(), packed_records.clone()),
            ("b.txt.gz".to_owned(), packed.clone()),
            ("c.jsonl.gz".to_owned(), packed_records[..middle].to_vec()),
            ("d.jsonl.gz".to_owned(), packed_records[..5].to_vec()),
        ]);
        put_back(&desk, "in", &inputs);
        let ran = desk.run(&[&["-i", "in", "--on-error", on_error], flags].concat());
        assert_fails_in_words(&ran, on_error);
        assert!(outputs(&files(&desk, "in")) == inputs, "--on-error {on_error} {flags:?}: {ran}");
        ran.says("breaks off, and what comes behind would be lost in place; it stays as it is");
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")))]
#[test]
fn calls_fail_on_linux_alone() {
    skipped("calls of the system are made to fail on 64-bit Linux on x86 alone");
}
