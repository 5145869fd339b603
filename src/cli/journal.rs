//! What a run over many files has done, in the folder of its outputs: so that one that was interrupted can go on (`--resume`).

use super::args::Clean;
use super::inputs::Inputs;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use unecho::apply::{Outputs, Target};
use unecho::record::Conditions;
use unecho::report::counted;
use unecho::runner::Portion;
use unecho::source::{Found, Input};
use unecho::{Error, Result};

/// Its name.
const NAME: &str = ".unecho.journal";
/// The version of its lines.
const VERSION: u32 = 1;

/// The journal of a run.
pub(super) struct Journal {
    path: PathBuf,
    header: Header,
    /// It is there from the first output on.
    file: Option<File>,
}

/// What an interrupted run has done.
#[derive(Default)]
pub(super) struct Interrupted {
    /// By the names of inputs within the outputs.
    done: HashMap<String, Done>,
}

/// What makes a run what it is.
#[derive(PartialEq, Serialize, Deserialize)]
struct Header {
    #[serde(rename = "unecho-journal")]
    version: u32,
    unecho: String,
    settings: Conditions,
    inputs: Vec<String>,
    include: Vec<String>,
    exclude: Vec<String>,
    to: Option<String>,
}

/// An input that is done.
#[derive(Serialize, Deserialize)]
pub(super) struct Done {
    /// Its name within the outputs; bytes that aren't UTF-8 stand as U+FFFD, and its number tells it from others.
    name: String,
    number: u32,
    size: u64,
    modified: (i64, i64),
    has_copy: bool,
}

impl Done {
    /// The input of a portion, which has a clean copy, or hasn't; none for a pipe.
    pub(super) fn of(portion: &Portion, has_copy: bool) -> Option<Self> {
        let (size, modified) = portion.source.stamp()?;
        Some(Self { name: name(portion.input), number: portion.input.number, size, modified, has_copy })
    }

    fn is_unchanged(&self, input: &Input) -> bool {
        let is = |now: fs::Metadata| now.len() == self.size && (now.mtime(), now.mtime_nsec()) == self.modified;
        fs::metadata(input.path()).is_ok_and(is)
    }
}

fn name(input: &Input) -> String {
    input.name.to_string_lossy().into_owned()
}

impl Journal {
    /// The journal of a run whose outputs go to a folder; with `--resume` what it tells of an interrupted one is done.
    ///
    /// # Errors
    /// If that was another run: by another version, with other settings, on other inputs.
    pub(super) fn open(args: &Clean, inputs: &Inputs, target: &Target) -> Result<(Option<Self>, Interrupted)> {
        let Target::Folder(folder) = target else {
            return match args.resume {
                true => {
                    Err(Error::refused(inputs.in_words(), "--resume goes with several files, whose clean copies go to a folder"))
                }
                false => Ok((None, Interrupted::default())),
            };
        };
        let mut settings = Conditions::of(&args.common.settings(), &args.common.reading());
        settings.from(args.common.form());
        let path = folder.join(NAME);
        let selection = args.common.selection(None);
        let header = Header {
            version: VERSION,
            unecho: env!("CARGO_PKG_VERSION").into(),
            settings,
            inputs: inputs.paths().iter().map(|path| path.to_string_lossy().into_owned()).collect(),
            include: selection.include,
            exclude: selection.exclude,
            to: args.to().map(|form| format!("{form:?}")),
        };
        let mut journal = Self { path, header, file: None };
        let interrupted = if args.resume { journal.interrupted(inputs)? } else { Interrupted::default() };
        if !interrupted.done.is_empty() {
            let mut known: Vec<&Done> = interrupted.done.values().collect();
            known.sort_unstable_by_key(|done| done.number);
            journal.add(known)?;
        }
        Ok((Some(journal), interrupted))
    }

    /// Reads what an interrupted run has done.
    fn interrupted(&self, inputs: &Inputs) -> Result<Interrupted> {
        let Ok(text) = fs::read(&self.path) else { return Ok(Interrupted::default()) };
        let mut lines = text.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
        let Some(header) = lines.next() else { return Ok(Interrupted::default()) }; // it ended before anything was done
        let header = serde_json::from_slice::<Header>(header);
        let header = header.map_err(|_| self.refused("is no journal of this unecho; without --resume all is done anew"))?;
        if let Some(why) = self.header.differs_from(&header) {
            return Err(self.refused(&format!("is of a run {why}; without --resume all is done anew")));
        }
        // A line that makes no sense is the last one before a crash.
        let done = lines.map_while(|line| serde_json::from_slice::<Done>(line).ok());
        let interrupted = Interrupted { done: done.map(|done| (done.name.clone(), done)).collect() };
        let mut met = 0;
        for found in inputs.found(None)? {
            let Found::Input(input) = found else { continue };
            let Some(done) = interrupted.done(&input) else { continue };
            if done.number != input.number {
                let why = "isn't read in the same place as in the interrupted run: other files came, or went; without --resume all is \
                           done anew";
                return Err(Error::refused(input.place(), why));
            }
            if !done.is_unchanged(&input) {
                let why = "changed since the interrupted run read it; without --resume all is done anew";
                return Err(Error::refused(input.place(), why));
            }
            met += 1;
        }
        if met < interrupted.done.len() {
            return Err(self.refused("names files that aren't there any more; without --resume all is done anew"));
        }
        Ok(interrupted)
    }

    fn refused(&self, why: &str) -> Error {
        Error::refused(&self.path, why)
    }

    /// Adds inputs that are done.
    pub(super) fn add<'d>(&mut self, done: impl IntoIterator<Item = &'d Done>) -> Result<()> {
        let failed = |error| Error::io(&self.path, error);
        let mut lines = Vec::new();
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                put(&mut lines, &self.header);
                OpenOptions::new().create(true).write(true).truncate(true).open(&self.path).map_err(failed)?
            }
        };
        done.into_iter().for_each(|done| put(&mut lines, done));
        file.write_all(&lines).map_err(failed)?;
        self.file = Some(file);
        Ok(())
    }

    /// The run has come to its end.
    pub(super) fn end(self) -> Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&self.path, error)),
            _ => Ok(()),
        }
    }
}

impl Interrupted {
    fn done(&self, input: &Input) -> Option<&Done> {
        self.done.get(&name(input))
    }

    /// Whether nothing is done.
    pub(super) fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    /// Whether an input is done, and its clean copy still there.
    pub(super) fn has(&self, input: &Input, outputs: &Outputs) -> bool {
        let is_there = || outputs.place(input).is_some_and(|place| fs::symlink_metadata(place).is_ok());
        self.done(input).is_some_and(|done| done.has_copy == is_there())
    }

    /// What is said of a run that goes on, and reads again what is done, or doesn't.
    pub(super) fn in_words(&self, is_read_again: bool) -> String {
        match (self.done.len() as u64, is_read_again) {
            (0, _) => "Nothing is complete there yet: all is done from the beginning".into(),
            (done, true) => format!("{} complete already, read again for what comes after them", counted(done, "file")),
            (done, false) => format!("{} complete already, not in the sums below", counted(done, "file")),
        }
    }
}

impl Header {
    /// In what it differs from that of an interrupted run, if in anything.
    fn differs_from(&self, other: &Self) -> Option<String> {
        if (self.version, &self.unecho) != (other.version, &other.unecho) {
            return Some(format!("by unecho {}, and this is {}", other.unecho, self.unecho));
        }
        let mut names = self.settings.differences(&other.settings);
        let others = [
            ("--include", self.include == other.include),
            ("--exclude", self.exclude == other.exclude),
            ("--to", self.to == other.to),
        ];
        names.extend(others.iter().filter(|(_, is_same)| !is_same).map(|(name, _)| *name));
        if !names.is_empty() {
            return Some(format!("with other settings ({})", names.join(", ")));
        }
        (self.inputs != other.inputs).then(|| format!("on other inputs ({})", other.inputs.join(", ")))
    }
}

fn put(lines: &mut Vec<u8>, line: &impl Serialize) {
    serde_json::to_writer(&mut *lines, line).expect("memory takes all, and keys are strings");
    lines.push(b'\n');
}
