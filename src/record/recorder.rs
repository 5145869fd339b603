//! The record while it is written. It goes with the run: complete when that is, or, of a run in place, on the disk before anything
//! is replaced.

use super::format::{
    CompleteLine, Conditions, CopyLine, EndsLine, FailsLine, FileLine, Header, PLAIN, RecordedPath, STREAM, VERSION,
};
use super::hex;
use super::home::{Homes, begin, folder_of, home_of};
use super::lines::{Lines, put};
use super::reading::{Record, is_record};
use super::tables::Table;
use crate::apply::{Draft, Outputs, Pending};
use crate::error::{Error, Place, Result};
use crate::runner::Portion;
use crate::source::{Form, Input, Origin, Packing, Room};
use crate::threads::Threads;
use std::collections::HashMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// So much of a record waits in memory before it is written.
const AT_ONCE: usize = 32 << 10;

/// So many folders are remembered; any number may be recorded.
const REMEMBERED: usize = 4096;

/// A record that is being written.
pub struct Recorder {
    to: To,
    /// What isn't written yet.
    waiting: Vec<u8>,
    sum: Xxh3,
    folders: Folders,
    file: Option<UnderWay>,
    /// Whether the file that ended last was a table.
    is_table: bool,
    files: u64,
    cuts: u64,
    /// It couldn't be written: behind the gap nothing may follow, and nothing that it should tell of may happen.
    has_failed: bool,
}

/// The file under way.
struct UnderWay {
    number: u32,
    /// How much of it and of its clean copy is recorded.
    bytes: u64,
    clean_bytes: u64,
    /// Rows that went as a whole, and the table that they are read from.
    rows: Vec<u64>,
    table: Option<Table>,
}

/// A file that begins.
pub struct Begins {
    input: Input,
    packing: Packing,
    clean: Clean,
    clean_packing: Packing,
    table: Option<Table>,
    encoding: Option<String>,
}

/// Where a clean copy goes.
enum Clean {
    /// There is none.
    None,
    Stream,
    At(PathBuf),
}

impl Begins {
    /// The file of a portion, whose clean copy, if it `has_copy`, goes to `outputs`.
    ///
    /// # Errors
    /// If the clean copy is of another form, which the original can't be made of; or if it is a table that can't be read.
    pub fn of(portion: &Portion, outputs: &Outputs, has_copy: bool) -> Result<Self> {
        let Portion { input, source, .. } = portion;
        if outputs.form(input) != input.form {
            let why = "becomes another form, and a record tells of copies in the same one; convert in a second run";
            return Err(Error::refused(input.place(), why));
        }
        let clean = match outputs.place(input) {
            _ if !has_copy => Clean::None,
            None => Clean::Stream,
            Some(place) => Clean::At(place),
        };
        let table = Table::of(portion, outputs)?;
        let text = portion.documents.first().filter(|_| input.form == Form::Text);
        let encoding = text.and_then(|text| text.encoded).map(|encoded| encoded.name().to_owned());
        let (input, clean_packing) = ((*input).clone(), outputs.packing(source));
        Ok(Self { input, packing: source.packing(), clean, clean_packing, table, encoding })
    }
}

enum To {
    /// It appears when the run is complete, and is begun when there is something to be written: until then a signal may end the program
    /// at once.
    Draft { outputs: Arc<Outputs>, path: PathBuf, begun: Option<Box<Draft>> },
    /// It is there from the beginning.
    Journal(Journal),
}

impl Recorder {
    /// A record that goes to `outputs`, whose place is `path`, of a run over one input or `several`. It is for its owner alone, since
    /// who may not read a text may not read what was cut of it.
    ///
    /// # Errors
    /// If it can't be begun.
    pub fn draft(outputs: &Arc<Outputs>, path: &Path, several: bool, conditions: Conditions) -> Result<Self> {
        drop(draft(outputs, path)?); // whatever keeps it from being begun is said now
        Self::begin(To::Draft { outputs: Arc::clone(outputs), path: path.into(), begun: None }, path, several, conditions)
    }

    /// The record of a run in place.
    ///
    /// # Errors
    /// If it can't be begun.
    pub fn journal(homes: &Homes, several: bool, conditions: Conditions) -> Result<Self> {
        let path = homes.next_record()?;
        let file = begin(&path)?;
        let to = To::Journal(Journal { file, path: path.clone(), is_relied_on: false });
        let mut recorder = Self::begin(to, &path, several, conditions)?;
        recorder.write(&[])?; // so that it is one, whenever the run ends
        Ok(recorder)
    }

    fn begin(to: To, path: &Path, several: bool, settings: Conditions) -> Result<Self> {
        let folders = Folders::new(path)?;
        let (waiting, sum) = (Vec::new(), Xxh3::new());
        let mut recorder = Self { to, waiting, sum, folders, file: None, is_table: false, files: 0, cuts: 0, has_failed: false };
        let unecho = env!("CARGO_PKG_VERSION").into();
        recorder.line(&Header { version: VERSION, unecho, several, settings })?;
        Ok(recorder)
    }

    /// Where it is, if it is there already and tells of something that was done.
    pub fn path(&self) -> Option<&Path> {
        if let To::Journal(Journal { path, is_relied_on: true, .. }) = &self.to { Some(path) } else { None }
    }

    /// Whether it couldn't be written. Nothing more can be recorded then.
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// How many cuts are recorded.
    pub fn cuts(&self) -> u64 {
        self.cuts
    }

    /// A file begins.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn file(&mut self, Begins { input, packing, clean, clean_packing, table, encoding }: Begins) -> Result<()> {
        let path = match &input.from {
            Origin::Stdin => STREAM.into(),
            Origin::Named(path) | Origin::Walked(path) => self.folders.as_seen(path)?,
        };
        let clean = match clean {
            Clean::None => None,
            Clean::Stream => Some(STREAM.into()),
            Clean::At(clean) => Some(self.folders.as_seen(&clean)?),
        };
        let name = |packing: Packing| packing.extension().map(str::to_owned);
        let clean_packing = (clean_packing != packing).then(|| name(clean_packing).unwrap_or_else(|| PLAIN.into()));
        let row_groups = table.as_ref().map(Table::row_groups);
        self.file = Some(UnderWay { number: input.number, bytes: 0, clean_bytes: 0, rows: Vec::new(), table });
        self.line(&FileLine {
            number: input.number,
            path: RecordedPath(path),
            name: RecordedPath(input.name),
            form: FileLine::name_of(input.form),
            packing: name(packing),
            clean_packing,
            clean: clean.map(RecordedPath),
            row_groups,
            encoding,
        })
    }

    /// A part of the file under way, if that hasn't failed.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn part(&mut self, lines: &Lines) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) }; // it has failed
        file.bytes = lines.end;
        file.clean_bytes += lines.clean;
        file.rows.extend(&lines.rows);
        self.cuts += lines.cuts;
        self.put(&lines.written[..lines.sums_from])?;
        self.sum.update(&lines.written[lines.sums_from..]);
        self.put(&lines.written[lines.sums_from..])
    }

    /// The file under way ends, or `broke_off`; gives its number. Of a table the rows that went are read again, by these threads.
    ///
    /// # Errors
    /// If it can't be read or written.
    pub fn ends(&mut self, broke_off: bool, threads: &Threads) -> Result<Option<u32>> {
        let Some(file) = &mut self.file else { return Ok(None) };
        let rows = std::mem::take(&mut file.rows);
        self.is_table = file.table.is_some();
        if let Some(mut table) = file.table.take().filter(|_| !rows.is_empty()) {
            threads.run(|| table.each_line(&rows, |line| self.line(&line)))?;
        }
        let Some(UnderWay { number: ends, bytes, clean_bytes, .. }) = self.file.take() else { return Ok(None) };
        self.files += 1;
        self.line(&EndsLine { ends, bytes, clean_bytes, broke_off }).map(|()| Some(ends))
    }

    /// The clean copy of the file that ended last. That of a table is recorded as a file: its texts alone don't tell what it is.
    ///
    /// # Errors
    /// If it can't be read, or the record can't be written.
    pub fn copy(&mut self, number: u32, copy: &Pending) -> Result<()> {
        if !self.is_table {
            return Ok(());
        }
        let hash = copy.open_written().and_then(|file| file.map(super::hash_of).transpose());
        match hash.map_err(|error| Error::io(copy.given(), error))? {
            Some(hash) => self.line(&CopyLine { copy: number, hash }),
            None => Ok(()),
        }
    }

    /// The file under way is left as it is.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn fails(&mut self) -> Result<()> {
        let Some(UnderWay { number, .. }) = self.file.take() else { return Ok(()) };
        self.was_left(number)
    }

    /// A file that ended is left as it is after all.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn was_left(&mut self, number: u32) -> Result<()> {
        self.line(&FailsLine { fails: number })
    }

    /// Writes what is recorded, and brings it to the disk if it is in a journal: then what it tells of may be done.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn sync(&mut self) -> Result<()> {
        self.write(&[])?;
        self.or_fail(To::sync)
    }

    /// The run is complete. What isn't there already waits for its name. Of a run that changed nothing no journal stays, and of one
    /// that did nothing no record.
    ///
    /// # Errors
    /// If the rest of it can't be written.
    pub fn complete(mut self) -> Result<Option<Pending>> {
        let is_journal = matches!(self.to, To::Journal(_));
        if self.files == 0 || is_journal && self.cuts == 0 {
            return Ok(None);
        }
        let sum = hex(self.sum.digest128());
        let line = CompleteLine { complete: true, files: self.files, cuts: self.cuts, sum };
        self.line(&line)?;
        self.sync()?;
        match self.to {
            To::Draft { begun, .. } => begun.map_or(Ok(None), |draft| draft.finish()),
            To::Journal(..) => Ok(None),
        }
    }

    fn line(&mut self, line: &impl serde::Serialize) -> Result<()> {
        let mut written = Vec::new();
        put(&mut written, line);
        self.sum.update(&written);
        self.put(&written)
    }

    fn put(&mut self, lines: &[u8]) -> Result<()> {
        if self.waiting.len() + lines.len() < AT_ONCE {
            self.waiting.extend_from_slice(lines);
            return Ok(());
        }
        self.write(lines)
    }

    /// Writes what waits, and these lines behind it.
    fn write(&mut self, lines: &[u8]) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        self.or_fail(|to| to.append(&waiting).and_then(|()| to.append(lines)))?;
        self.waiting = waiting;
        self.waiting.clear();
        Ok(())
    }

    /// Does something with the file, unless that has failed before.
    fn or_fail(&mut self, write: impl FnOnce(&mut To) -> Result<()>) -> Result<()> {
        if self.has_failed {
            return Err(Error::refused(Place::Request("the record".into()), "could not be written, so nothing more is done"));
        }
        let written = write(&mut self.to);
        self.has_failed = written.is_err();
        written
    }
}

/// What is kept of a record that another one replaces.
pub struct Kept {
    /// An original that only it gives back, or may come to.
    pub original: PathBuf,
    /// Where it is from now on, too.
    pub path: PathBuf,
}

/// Makes sure that nothing is lost if a new record, of these inputs, stands here: one there that other originals need, or those that
/// aren't there any more, has another name as well then.
///
/// # Errors
/// If a file stands there that is no record, or one of a run in place; or if the record has no other name.
pub fn keep_earlier(path: &Path, inputs: &[PathBuf], room: &Room) -> Result<Option<Kept>> {
    if home_of(path).is_some() {
        return Err(Error::refused(path, "would be among the records of runs in place; choose another folder"));
    }
    if !fs::metadata(path).is_ok_and(|existing| existing.is_file() && existing.len() > 0) {
        return Ok(None);
    }
    if !is_record(path).unwrap_or(false) {
        return Err(Error::refused(path, "is there already, and is no record, which a new one may replace"));
    }
    let Some(original) = Record::open(path, room)?.other_original(inputs).map(Path::to_path_buf) else { return Ok(None) };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (stem, extensions) = name.split_once('.').unwrap_or((&name, ""));
    for number in 1u32.. {
        let kept = path.with_file_name(format!("{stem}.{number}.{extensions}"));
        let named = fs::hard_link(path, &kept).or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Err(error),
            _ => fs::copy(path, &kept).map(drop), // not every file system has hard links
        });
        match named {
            Ok(()) => return Ok(Some(Kept { original, path: kept })),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io(&kept, error)),
        }
    }
    Err(Error::refused(path, "is needed, and no number is left for its name"))
}

/// A record of a run in place. One that nobody relies on doesn't stay.
struct Journal {
    file: File,
    path: PathBuf,
    /// Whether something may be done that it tells of.
    is_relied_on: bool,
}

impl Drop for Journal {
    fn drop(&mut self) {
        if !self.is_relied_on {
            let _ = fs::remove_file(&self.path); // it says nothing
            let _ = fs::remove_dir(folder_of(&self.path)); // unless there are others
        }
    }
}

fn draft(outputs: &Outputs, path: &Path) -> Result<Draft> {
    outputs.draft(path, path, Packing::of_name(path).0, Some(Permissions::from_mode(0o600)))
}

impl To {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            To::Draft { begun: Some(draft), .. } => draft.append(bytes),
            To::Draft { outputs, path, begun } => begun.insert(Box::new(draft(outputs, path)?)).append(bytes),
            To::Journal(Journal { file, path, .. }) => file.write_all(bytes).map_err(|error| Error::io(&*path, error)),
        }
    }

    fn sync(&mut self) -> Result<()> {
        match self {
            To::Draft { .. } => Ok(()),
            To::Journal(journal) => {
                journal.is_relied_on = true;
                journal.file.sync_data().map_err(|error| Error::io(&*journal.path, error))
            }
        }
    }
}

/// Paths as they lead from the record's folder.
struct Folders {
    /// That folder, without links.
    here: PathBuf,
    /// Folders as they are given, and how they lead from here.
    known: HashMap<PathBuf, PathBuf>,
}

impl Folders {
    fn new(record: &Path) -> Result<Self> {
        let here = fs::canonicalize(folder_of(record)).map_err(|error| Error::io(record, error))?;
        Ok(Self { here, known: HashMap::new() })
    }

    /// A path as it is seen from here. Its folder is there, unless nothing is to stand in it.
    fn as_seen(&mut self, path: &Path) -> Result<PathBuf> {
        let folder = folder_of(path);
        if self.known.len() == REMEMBERED {
            self.known.clear();
        }
        if !self.known.contains_key(folder) {
            let real = fs::canonicalize(folder).map_err(|error| Error::io(path, error))?;
            let leads = pathdiff::diff_paths(&real, &self.here).unwrap_or(real);
            self.known.insert(folder.into(), leads);
        }
        let seen = self.known[folder].join(path.file_name().unwrap_or_default());
        Ok(if seen.as_os_str() == STREAM { Path::new(".").join(seen) } else { seen })
    }
}
