//! What a run over many files has done, in the folder of its outputs: so that one that was interrupted can go on (`--resume`).

use super::args::Clean;
use super::inputs::Inputs;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
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
    /// By the numbers of inputs.
    done: HashMap<u32, Done>,
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
    /// The record of the run.
    #[serde(default)]
    record: Option<String>,
}

/// An input that is done.
#[derive(Serialize, Deserialize)]
pub(super) struct Done {
    /// Its name within the outputs; bytes that aren't UTF-8 stand as U+FFFD, and its number tells it from others.
    name: String,
    number: u32,
    original: Stamp,
    /// Its clean copy, as soon as that has its name; none: it has none.
    copy: Option<Stamp>,
    /// How many bytes its documents had, and how many stay.
    bytes: (u64, u64),
    /// Where its clean copy goes.
    #[serde(skip)]
    place: Option<PathBuf>,
}

/// What tells whether a file is still the one that it was.
#[derive(PartialEq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    /// That of a file, if it is there.
    fn of(path: &Path) -> Option<Self> {
        let now = fs::metadata(path).ok()?;
        Some(Self { size: now.len(), modified: (now.mtime(), now.mtime_nsec()) })
    }
}

impl Done {
    /// The input of a portion, which has a clean copy in `outputs`, or hasn't; none for a pipe. It had `bytes`, and so many stay.
    pub(super) fn of(portion: &Portion, outputs: &Outputs, has_copy: bool) -> Option<Self> {
        let Portion { input, source, .. } = portion;
        let (size, modified) = source.stamp()?;
        Some(Self {
            name: name(input),
            number: input.number,
            original: Stamp { size, modified },
            copy: None,
            bytes: (0, 0),
            place: if has_copy { outputs.place(input) } else { None },
        })
    }

    /// It has its name, and had so many bytes of which so many stay.
    pub(super) fn is_named(&mut self, before: u64, after: u64) {
        self.copy = self.place.as_deref().and_then(Stamp::of);
        self.bytes = (before, after);
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
    pub(super) fn open(args: &Clean, inputs: &Inputs, target: &Target, outputs: &Outputs) -> Result<(Option<Self>, Interrupted)> {
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
            include: selection.include.list,
            exclude: selection.exclude.list,
            to: args.to().map(|form| format!("{form:?}")),
            record: args.record.as_ref().map(|path| path.to_string_lossy().into_owned()),
        };
        let mut journal = Self { path, header, file: None };
        let interrupted = if args.resume { journal.interrupted(inputs, outputs)? } else { Interrupted::default() };
        if !interrupted.done.is_empty() {
            let mut known: Vec<&Done> = interrupted.done.values().collect();
            known.sort_unstable_by_key(|done| done.number);
            journal.add(known)?;
        }
        Ok((Some(journal), interrupted))
    }

    /// Reads what an interrupted run has done.
    fn interrupted(&self, inputs: &Inputs, outputs: &Outputs) -> Result<Interrupted> {
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
        let mut done: HashMap<u32, Done> = done.map(|done| (done.number, done)).collect();
        let (mut met, known) = (0, done.len());
        for found in inputs.found(None)? {
            let Found::Input(input) = found else { continue };
            let Some(then) = done.get(&input.number) else { continue };
            if then.name != name(&input) {
                let why = "isn't read in the same place as in the interrupted run: other files came, or went; without --resume all is \
                           done anew";
                return Err(Error::refused(input.place(), why));
            }
            if Stamp::of(input.path()).as_ref() != Some(&then.original) {
                let why = "changed since the interrupted run read it; without --resume all is done anew";
                return Err(Error::refused(input.place(), why));
            }
            met += 1;
            // What stands there now must be what the run put there.
            if then.copy != outputs.place(&input).as_deref().and_then(Stamp::of) {
                done.remove(&input.number);
            }
        }
        if met < known {
            return Err(self.refused("names files that aren't there any more; without --resume all is done anew"));
        }
        Ok(Interrupted { done })
    }

    fn refused(&self, why: &str) -> Error {
        Error::refused(&self.path, why)
    }

    /// It begins, and one of another run ends: before any output has its name. Where the folder isn't there yet, there is none to end.
    pub(super) fn begin(&mut self) -> Result<()> {
        if self.file.is_some() {
            return Ok(());
        }
        let mut header = Vec::new();
        put(&mut header, &self.header);
        let begun = OpenOptions::new().create(true).write(true).truncate(true).open(&self.path);
        match begun.and_then(|mut file| file.write_all(&header).map(|()| file)) {
            Ok(file) => self.file = Some(file),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io(&self.path, error)),
        }
        Ok(())
    }

    /// Whether anything has its name by now.
    pub(super) fn has_begun(&self) -> bool {
        self.file.is_some()
    }

    /// Adds inputs that are done. Where no output has been written by now, it can be done again.
    pub(super) fn add<'d>(&mut self, done: impl IntoIterator<Item = &'d Done>) -> Result<()> {
        self.begin()?;
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut lines = Vec::new();
        done.into_iter().for_each(|done| put(&mut lines, done));
        file.write_all(&lines).map_err(|error| Error::io(&self.path, error))
    }

    /// The run has come to its end.
    pub(super) fn end(self) -> Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(&self.path, error)),
            _ => Ok(()),
        }
    }
}

impl Interrupted {
    /// Whether nothing is done.
    pub(super) fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    /// Whether an input is done, and its clean copy still there.
    pub(super) fn has(&self, input: &Input) -> bool {
        self.done.contains_key(&input.number)
    }

    /// How many bytes all that is done had, and how many stay.
    pub(super) fn bytes(&self) -> (u64, u64) {
        self.done.values().fold((0, 0), |(before, after), done| (before + done.bytes.0, after + done.bytes.1))
    }

    /// What is said of a run that goes on, and reads again what is done, or doesn't.
    pub(super) fn in_words(&self, is_read_again: bool) -> String {
        match (self.done.len() as u64, is_read_again) {
            (0, _) => "No interrupted run is on record there that had completed anything: all is done from the beginning".into(),
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
            ("--record", self.record == other.record),
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
