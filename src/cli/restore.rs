//! `unecho restore`: a run, taken back.

use super::Status;
use super::args::{Global, Restore};
use super::progress::Progress;
use super::signals::Signals;
use super::terminal::Terminal;
use super::verify::{ensure_piped, say_what_broke_off};
use std::path::PathBuf;
use std::time::Instant;
use unecho::apply::{Outputs, Shape, Target};
use unecho::record::{Homes, Record, Restoring, home_of, restore};
use unecho::report::{bytes, counted};
use unecho::threads::Threads;
use unecho::{Error, Result};

/// Restores.
pub(super) fn run(args: &Restore, global: &Global, terminal: &Terminal) -> Result<Status> {
    let started = Instant::now();
    let room = global.budget(args.output.as_deref())?.room();
    let threads = Threads::new(global.threads());
    let is_at_home = args.output.is_none();
    // Before it is read, since a run that has it may be under way.
    let home = if is_at_home { home_of(&args.record) } else { None };
    let mut homes = home.as_ref().map(|home| Homes::of([home.as_path()])).transpose()?;
    let record = threads.run(|| Record::open(&args.record, &room))?;
    ensure_piped(&record)?;
    say_what_broke_off(&record, terminal);
    let target = match &args.output {
        None => Target::InPlace,
        Some(output) if output.as_os_str() == "-" && record.is_of_one() => Target::Stdout,
        Some(output) if output.as_os_str() == "-" => {
            return Err(Error::refused(
                &args.record,
                "is of a folder or several files, whose originals need a folder: -o originals/",
            ));
        }
        Some(output) if record.is_of_one() && !output.is_dir() => Target::File(output.clone()),
        Some(output) => Target::Folder(output.clone()),
    };
    // What is read to make them, which nothing else may take the place of.
    let known: Vec<PathBuf> = match target {
        Target::InPlace => Vec::new(),
        _ => record.clean_copies().chain([&*args.record]).map(PathBuf::from).collect(),
    };
    let outputs = Outputs::new(&target, &known, Shape::default())?;
    terminal.left_over(&outputs.left_over());
    if !record.is_complete() {
        terminal
            .say(&format!("{}: its run broke off, or it is cut short; what it tells of is taken back", args.record.display()));
    }
    let others = if is_at_home { record.folders_in_place() } else { Vec::new() };
    if !others.is_empty() {
        drop(homes.take()); // all are locked together
        homes = Some(Homes::of(home.iter().chain(&others).map(PathBuf::as_path))?);
    }
    let signals = if outputs.have_names() { Signals::watched() } else { Signals::ignored() };
    signals.let_temporaries_go_first();
    let progress = Progress::start(terminal.bar(outputs.are_stdout()), "file");
    let each = |files, bytes| progress.add(files, bytes);
    let (keeps_going, stop) = (args.keep_going, signals.stop());
    let how = Restoring { outputs: &outputs, is_at_home, keeps_going, room: &room, threads: &threads, stop, each: &each };
    let restored = restore(&record, &how);
    drop((progress, homes));
    let restored = restored?;
    signals.end_if_stopped();
    terminal.errors(restored.failed.iter(), &args.record, "failed");
    let were_there = match restored.were_there {
        0 => String::new(),
        number => format!(" ({} had it already)", counted(number, "file")),
    };
    let took = started.elapsed().as_secs_f64();
    terminal.say(&format!(
        "{} restored{were_there}: {} in {took:.1} s",
        counted(restored.files, "original"),
        bytes(restored.bytes, restored.bytes)
    ));
    if is_at_home && restored.files > 0 && !restored.failed.is_empty() {
        terminal.say("The others are as they were: the same command goes on with them, once it can");
    }
    Ok(Status::of(restored.failed.len() as u64))
}
