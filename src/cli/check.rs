//! `unecho check`: the plan, judged.

use super::args::{Check as Args, CheckForm, Global};
use super::config::Config;
use super::inputs::Inputs;
use super::run::{Ended, Frame};
use super::signals::Signals;
use super::terminal::Terminal;
use super::{Status, files};
use anstream::AutoStream;
use std::cell::RefCell;
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use unecho::apply::{Draft, Outputs, Shape, Target};
use unecho::check::report::{GitHub, GitLab, Json, Report, Root, Sarif, StepSummary, Text};
use unecho::check::{Baseline, Change, Check, Counts, Entry, Marks, Policy, Since};
use unecho::report::{count, counted, visible};
use unecho::source::{Found, Packing, here};
use unecho::threads::Threads;
use unecho::{Error, Place, Result, What};

/// Checks; nothing is written but reports, and a baseline where that is asked for.
pub(super) fn run(args: &Args, config: &Config, global: &Global, terminal: &Terminal) -> Result<Status> {
    let inputs = Inputs::new(&args.common)?;
    args.common.settings().ensure_sensible()?;
    if args.common.files {
        return files::list(&inputs, &args.common, terminal);
    }
    let policy = policy(args, config, &inputs)?;
    let own = Own::of(args, config);
    let baseline = baseline(args)?;
    let signals = if args.reports.is_empty() { Signals::ignored() } else { Signals::watched() };
    let threads = Threads::new(global.threads());
    let budget = global.budget(None)?;
    let frame = Frame {
        admit: &|found| Ok(!own.has(found)),
        ..Frame::of_report(&inputs, &args.common, terminal, &threads, &budget, signals.stop())
    };
    let stdout = Outputs::new(&Target::Stdout, &[], Shape::default())?;
    let stats = frame.stats(&stdout)?;
    own.ensure_apart(args)?;
    let files = ReportFiles::new(args, &inputs, &stdout, stats.as_ref())?;
    inputs.say_what_is_awaited(terminal);

    let unit = args.common.settings().unit;
    let mut check = if args.update_baseline {
        Check::for_baseline(&policy, unit)
    } else {
        Check::new(&policy, unit, baseline.clone(), reports(args, &files)?)
    };
    let ended = judge(&frame, &policy, &mut check, &signals)?;
    if signals.stop().load(Ordering::SeqCst) {
        drop((check, files));
        signals.end_if_stopped();
        return Ok(Status::SomeFailed);
    }
    let complete = ensure_complete(args, &ended, check.has_feeds(), &inputs, terminal);
    signals.let_temporaries_go_first();
    // Who has heard enough doesn't make a check pass.
    let ended = ended.then(|tally| check.end(tally, tally.failed == 0 && complete.is_ok()))?;
    if ended.is_unheard {
        return Ok(status(args, &ended, check.counts()));
    }
    files.finish()?;
    ended.write_stats(stats.as_ref())?;
    if let Some(found) = check.found() {
        complete?;
        return update(args, &baseline.unwrap_or_default(), found, &ended, terminal).map(|()| Status::Done);
    }
    say(args, &inputs, &check, &ended, terminal);
    complete?;
    Ok(status(args, &ended, check.counts()))
}

/// Hands all that repeats to the check.
fn judge(frame: &Frame, policy: &Policy, check: &mut Check, signals: &Signals) -> Result<Ended> {
    frame.run(
        |portion| Marks::of(&portion, policy),
        usize::MAX,
        |done, tally| {
            signals.let_temporaries_go_first();
            if done.is_empty() {
                check.forget(); // an input of which nothing more comes has failed
            }
            done.into_iter().try_for_each(|(marks, told)| {
                tally.add(&told.sums);
                check.add(marks, told.findings)
            })
        },
    )
}

fn status(args: &Args, ended: &Ended, counts: &Counts) -> Status {
    match Status::of(ended.tally.failed) {
        Status::Done if counts.errors > 0 && !args.exit_zero => Status::Found,
        status => status,
    }
}

fn policy(args: &Args, config: &Config, inputs: &Inputs) -> Result<Policy> {
    let mut levels = config.levels()?;
    levels.in_any_case.clone_from(&args.levels);
    let mut allowlist = config.allowlist()?;
    let covers_allowlist = inputs.cover(config.folder()) && !args.common.is_selective();
    allowlist.unit = args.common.settings().unit;
    allowlist.entries.extend(args.allow.iter().map(|what| Entry::new(what.clone(), None)));
    let since = match &args.since {
        Some(_) if inputs.is_stdin() => {
            return Err(Error::refused(
                Place::Request("--since".into()),
                "standard input is in no revision; name files or folders",
            ));
        }
        Some(revision) => Some(Since::new(revision, &args.common.settings())?),
        None => None,
    };
    Ok(Policy {
        levels,
        allowlist,
        covers_allowlist,
        is_shown: args.reports_as(CheckForm::Text),
        since,
        compares_feeds: args.common.is_across(),
    })
}

/// The findings that are known.
fn baseline(args: &Args) -> Result<Option<Baseline>> {
    match &args.baseline {
        None if args.update_baseline => Err(Error::refused(
            Place::Request("--update-baseline".into()),
            "needs a file: --baseline FILE, or check.baseline in unecho.toml",
        )),
        Some(path) if args.update_baseline && !path.exists() => Ok(Some(Baseline::default())),
        Some(path) => Baseline::read(path).map(Some),
        None => Ok(None),
    }
}

/// The files that a check itself reads and writes: no text of those that are checked.
struct Own<'a>(Vec<&'a Path>);

impl<'a> Own<'a> {
    fn of(args: &'a Args, config: &'a Config) -> Self {
        let reports = args.reports.iter().map(|(_, path)| &**path);
        let others = [args.baseline.as_deref(), config.path(), args.common.stats.as_deref()];
        Self(others.into_iter().flatten().chain(reports).collect())
    }

    fn has(&self, found: &Found) -> bool {
        let path = match found {
            Found::Input(input) => input.path(),
            Found::LeftOut(path, _) => path,
            Found::Failed(_) => return false,
        };
        self.0.iter().any(|own| is_same(own, path))
    }

    /// What is written must not be what is read.
    fn ensure_apart(&self, args: &Args) -> Result<()> {
        for written in args.reports.iter().map(|(_, path)| path).chain(&args.common.stats) {
            let times = self.0.iter().filter(|own| **own == written || is_same(own, written)).count();
            if times > 1 {
                return Err(Error::refused(written, "is where something else of this check is; choose another place"));
            }
        }
        Ok(())
    }
}

/// Whether two paths lead to the same file; most have other names, and are told by that.
fn is_same(one: &Path, other: &Path) -> bool {
    one.file_name() == other.file_name()
        && matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

/// Writes the baseline that was found, and says what came and went.
fn update(args: &Args, old: &Baseline, found: &Baseline, ended: &Ended, terminal: &Terminal) -> Result<()> {
    let path = args.baseline.as_deref().expect("it was read, or is to be made");
    if ended.tally.failed > 0 {
        let why = format!("stays as it is, since {} could not be checked", counted(ended.tally.failed, "file"));
        return Err(Error::refused(path, why));
    }
    let changes = old.changes_to(found);
    if !changes.is_empty() || !path.exists() {
        Outputs::new(&Target::File(path.into()), &[], Shape::default())?.put(&found.written())?;
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let written = changes.iter().try_for_each(|change| writeln!(out, "{}", in_words(change))).and_then(|()| out.flush());
    let sum = |by: fn(&Change) -> u64| changes.iter().map(by).sum::<u64>();
    let came = sum(|change| change.now.saturating_sub(change.before));
    let went = sum(|change| change.before.saturating_sub(change.now));
    let findings = counted(found.len(), "finding");
    terminal.say(&format!("{}: {findings}; {} came, {} went", visible(&path.to_string_lossy()), count(came), count(went)));
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Error::io(Place::Stdout, error)),
    }
}

fn in_words(change: &Change) -> String {
    let Change { before, now, about, fingerprint } = change;
    let times =
        if (*before, *now) == (0, 1) || (*before, *now) == (1, 0) { String::new() } else { format!(" ({before} → {now})") };
    format!("{} {fingerprint} {about}{times}", if now > before { '+' } else { '-' })
}

/// Makes sure that there was something to check, and, if that is asked for, that it was all there is. What failed was named.
fn ensure_complete(args: &Args, ended: &Ended, has_feeds: bool, inputs: &Inputs, terminal: &Terminal) -> Result<()> {
    let tally = &ended.tally;
    if tally.failed > 0 {
        return Ok(());
    }
    if ended.found_nothing() {
        return Err(inputs.nothing_read(terminal, tally.left_out.unknown_form));
    }
    if tally.sums.paragraphs == 0 && !has_feeds {
        return Err(Error::refused(inputs.in_words(), "nothing to check: there is no text in it"));
    }
    let left_out = tally.left_out.of_what_might_be_read();
    if args.fail_on_skip && left_out != Default::default() {
        let words = left_out.in_words();
        let why = format!("not all of it was checked (--fail-on-skip): left out {words}; -v names them");
        return Err(Error::refused(inputs.in_words(), why));
    }
    Ok(())
}

/// Says how many findings there are; of a clean run nothing, unless somebody looks or a text was taken for none.
fn say(args: &Args, inputs: &Inputs, check: &Check, ended: &Ended, terminal: &Terminal) {
    let (tally, counts) = (&ended.tally, check.counts());
    let words = counts.in_words(tally, ended.took);
    let is_all_well = counts.reported() + tally.failed + tally.left_out.binary == 0;
    if !is_all_well || terminal.is_verbose() {
        terminal.say(&words);
    } else {
        terminal.hint(&words);
    }
    if args.baseline.as_deref().is_some_and(|path| inputs.cover(path.parent().unwrap_or(path))) {
        say_what_is_gone(check, terminal);
    }
}

/// Says what of the baseline can't be found any more.
fn say_what_is_gone(check: &Check, terminal: &Terminal) {
    let gone = check.gone();
    if gone.is_empty() {
        return;
    }
    let number = counted(check.counts().gone, "finding");
    let (named, by_name) = if terminal.is_verbose() { (gone, ":") } else { (Vec::new(), " (-v names them)") };
    terminal.say(&format!(
        "{number} of the baseline can't be found any more{by_name}; --update-baseline takes what is gone out of it"
    ));
    named.iter().for_each(|gone| terminal.say(&format!("  {gone}")));
}

/// The reports that go to files.
struct ReportFiles {
    list: Vec<(CheckForm, PathBuf, Late)>,
}

/// A file that a report writes to. It is there once something is written, so that nothing is left by a check that is stopped while
/// it waits for its input; and it gets its name when the report has ended.
#[derive(Clone)]
struct Late(Rc<LateFile>);

struct LateFile {
    path: PathBuf,
    outputs: Outputs,
    draft: RefCell<Option<Draft>>,
}

impl Late {
    fn with<T>(&self, write: impl FnOnce(&mut Draft) -> io::Result<T>) -> io::Result<T> {
        let LateFile { path, outputs, draft } = &*self.0;
        let mut draft = draft.borrow_mut();
        if draft.is_none() {
            let new = outputs.draft(Path::new(""), path, Packing::Plain, None);
            *draft = Some(new.map_err(|error| match error.what {
                What::Io(error) => error,
                what => io::Error::other(what.to_string()),
            })?);
        }
        write(draft.as_mut().expect("it was made where it wasn't there"))
    }
}

impl Write for Late {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|draft| draft.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(Draft::flush)
    }
}

impl ReportFiles {
    fn new(args: &Args, inputs: &Inputs, stdout: &Outputs, stats: Option<&Outputs>) -> Result<Self> {
        let mut list: Vec<(CheckForm, PathBuf, Late)> = Vec::new();
        for (form, path) in &args.reports {
            if path.is_dir() {
                return Err(Error::refused(path, "is a folder, and a report is a file"));
            }
            let outputs = stdout.beside(path, inputs.paths(), args.common.form())?;
            for other in list.iter().map(|(_, _, file)| &file.0.outputs).chain(stats) {
                let clash = |_| Error::refused(path, "is where something else of this check is; choose another place");
                other.ensure_apart(&outputs, path).map_err(clash)?;
            }
            let file = LateFile { path: path.clone(), outputs, draft: RefCell::default() };
            list.push((*form, path.clone(), Late(Rc::new(file))));
        }
        Ok(Self { list })
    }

    /// Gives them their names.
    fn finish(self) -> Result<()> {
        for (_, _, Late(file)) in self.list {
            let draft = file.draft.borrow_mut().take();
            if let Some(pending) = draft.map_or(Ok(None), Draft::finish)? {
                file.outputs.publish(vec![((), Some(pending))]).collect::<Result<()>>()?;
                file.outputs.finish()?;
            }
        }
        Ok(())
    }
}

/// Standard output, which may lose its reader without an end to the reports that go to files.
struct Stdout<W> {
    out: W,
    is_alone: bool,
}

impl<W: Write> Stdout<W> {
    fn heard<T>(&self, written: io::Result<T>, unheard: T) -> io::Result<T> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && !self.is_alone => Ok(unheard),
            written => written,
        }
    }
}

impl<W: Write> Write for Stdout<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        self.heard(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.heard(flushed, ())
    }
}

/// The reports, each with the place that it goes to.
fn reports(args: &Args, files: &ReportFiles) -> Result<Vec<(Place, Box<dyn Report>)>> {
    let root = Root::of(&here()?);
    let is_coloured = AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
    let out = Stdout { out: BufWriter::new(io::stdout()), is_alone: files.list.is_empty() };
    let mut reports = vec![(Place::Stdout, report(args.format, out, is_coloured, &root))];
    for (form, path, file) in &files.list {
        reports.push((Place::from(path), report(*form, BufWriter::new(file.clone()), false, &root)));
    }
    if args.reports_as(CheckForm::Github)
        && let Some((path, file)) = step_summary()?
    {
        reports.push((Place::from(&path), Box::new(StepSummary::new(file, root))));
    }
    Ok(reports)
}

fn report(form: CheckForm, out: impl Write + 'static, is_coloured: bool, root: &Root) -> Box<dyn Report> {
    match form {
        CheckForm::Text => Box::new(Text::new(out, is_coloured)),
        CheckForm::Json => Box::new(Json::new(out)),
        CheckForm::Sarif => Box::new(Sarif::new(out, root.clone())),
        CheckForm::Github => Box::new(GitHub::new(out, root.clone())),
        CheckForm::Gitlab => Box::new(GitLab::new(out, root.clone())),
    }
}

/// Where the summary of a step of GitHub Actions goes, if this is one.
fn step_summary() -> Result<Option<(PathBuf, File)>> {
    let Some(path) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    let file = OpenOptions::new().append(true).create(true).open(&path).map_err(|error| Error::io(&path, error))?;
    Ok(Some((path, file)))
}
