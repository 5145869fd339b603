//! `unecho verify`: a run, proven once more.

use super::Status;
use super::args::{Global, Verify};
use super::progress::Progress;
use super::terminal::Terminal;
use std::io::IsTerminal;
use std::time::Instant;
use unecho::record::{Cuts, Record, Verified, verify};
use unecho::report::{bytes, count, counted};
use unecho::threads::Threads;
use unecho::{Error, Result};

/// Verifies.
pub(super) fn run(args: &Verify, global: &Global, terminal: &Terminal) -> Result<Status> {
    let started = Instant::now();
    let room = global.budget(None)?.room();
    let progress = Progress::start(terminal.bar(false), "file");
    let verified = Threads::new(global.threads()).run(|| {
        let record = Record::open(&args.record, &room)?;
        ensure_piped(&record)?;
        say_what_broke_off(&record, terminal);
        if !record.is_complete() {
            terminal
                .say(&format!("{}: its run broke off, or it is cut short; what it tells of is looked at", args.record.display()));
        }
        verify(&record, &room, |files, bytes| progress.add(files, bytes))
    });
    drop(progress);
    let verified = verified?;
    terminal.errors(verified.unreadable.iter().chain(&verified.disagreements), &args.record, "disagree");
    if !verified.unreadable.is_empty() {
        return Ok(Status::SomeFailed);
    }
    if !verified.disagreements.is_empty() {
        return Ok(Status::Found);
    }
    terminal.say(&in_words(&verified));
    terminal.say(&format!("{} in {:.1} s", bytes(verified.bytes, verified.bytes), started.elapsed().as_secs_f64()));
    Ok(Status::Done)
}

/// Makes sure that a clean copy that went to standard output comes from standard input.
pub(super) fn ensure_piped(record: &Record) -> Result<()> {
    if !record.has_streams() || !std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Error::refused(
        record.path(),
        "is of a clean copy that went to standard output, and is read from standard input: < clean.txt",
    ))
}

/// Says of which originals the record has no more than came.
pub(super) fn say_what_broke_off(record: &Record, terminal: &Terminal) {
    let why = "broke off when it was read; what came by then is on record, and nothing else";
    record.broken_off().for_each(|original| terminal.warn(&Error::refused(original, why).to_string()));
}

fn in_words(verified: &Verified) -> String {
    if verified.files == 0 {
        return "0 files: nothing is on record".into();
    }
    let Cuts { compared, similar, without, repaired, unknown } = verified.cuts;
    let proofs = [
        (compared, "equal to a text that stays"),
        (similar, "similar to a text that stays"),
        (without, "that need none"),
        (repaired, "that repair what stood there"),
        (
            unknown,
            "not proven: by rules that this unecho doesn't know, in a table repaired in place, or in a text of an unknown encoding",
        ),
    ];
    let proofs: Vec<String> =
        proofs.iter().filter(|(number, _)| *number > 0).map(|(n, how)| format!("{} {how}", count(*n))).collect();
    let how = if proofs.is_empty() { String::new() } else { format!(" ({})", proofs.join(", ")) };
    let hold = if unknown > 0 { "all others hold" } else { "all hold" };
    let mut words = format!("{}, {}{how}: {hold}", counted(verified.files, "file"), counted(verified.cuts.total(), "cut"));
    let (rebuilt, originals) = (verified.rebuilt, verified.originals);
    if rebuilt == 0 && originals == 0 {
        words += "; clean copies are their originals less these";
    }
    if rebuilt > 0 {
        words += &format!("; {} made of clean copies", counted(rebuilt, "original"));
    }
    if originals > 0 {
        words += &format!(
            "; {} as the original",
            if originals == 1 { "1 file stands".into() } else { counted(originals, "file") + " stand" }
        );
    }
    words
}
