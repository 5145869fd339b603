//! A record as it is read: which files it is about, in which parts, and where their cuts stand in it.

use super::format::{
    Conditions, CutLine, EndsLine, FileLine, Header, Line, PartLine, Place as Range, RecordedPath, RowsLine, VERSION,
};
use super::hex;
use super::home::{folder_of, home_of};
use super::quick::{CUT, Edited};
use crate::document::Span;
use crate::error::{Error, Place, Result};
use crate::fingerprint::fingerprint;
use crate::source::{AtHand, Fields, Form, Input, Origin, Packing, Room};
use crate::tidy::{Encoded, Repair};
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Display;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

/// Whether a file begins as a record does.
///
/// # Errors
/// If that can't be read.
pub(super) fn is_record(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    let unpacked = Packing::of_name(path).0.reader(fs::File::open(path)?)?;
    unpacked.take(HEADER.len() as u64).read_to_end(&mut beginning)?;
    Ok(beginning == HEADER)
}

/// No file has more bytes than a place in one can tell.
const MOST: u64 = i64::MAX as u64;

/// So many folders are locked each by itself.
const MOST_FOLDERS: usize = 64;

/// What another file is told.
const NO_RECORD: &str = "is no record of unecho: its first line is no header of one";

/// The error that a header is that of a later version, whatever else it says.
fn later_version(path: &Path, header: &[u8]) -> Option<Error> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        #[serde(rename = "unecho-record")]
        version: u64,
    }
    let Versioned { version } = serde_json::from_slice(header).ok()?;
    let why = format!("has version {version} of the format, and this unecho reads versions up to {VERSION}");
    (version > VERSION.into()).then(|| Error::refused(path, why))
}

/// How a record begins.
const HEADER: &[u8] = b"{\"unecho-record\":";

/// A record.
pub struct Record {
    path: PathBuf,
    lines: AtHand,
    header: Header,
    /// The files that it is about, without those that were left as they were.
    files: Vec<RecordedFile>,
    is_complete: bool,
}

/// A file that a record is about.
pub(super) struct RecordedFile {
    pub(super) number: u32,
    /// Where the original is, or was.
    pub(super) original: Input,
    /// Where its clean copy is, if it has one.
    pub(super) clean: Option<Input>,
    pub(super) parts: Vec<Part>,
    /// The sizes of both, unpacked.
    pub(super) bytes: u64,
    pub(super) clean_bytes: u64,
    /// Of a table, how many rows each row group has.
    pub(super) row_groups: Option<Vec<u64>>,
    /// The rows that went as a whole, in order.
    pub(super) gone: Vec<Gone>,
    /// The hash of the file of its clean copy.
    pub(super) copy: Option<String>,
    /// How its text was encoded, if it was decoded.
    pub(super) encoded: Option<Encoded>,
    /// Whether its stream broke off behind what is recorded.
    broke_off: bool,
}

/// Rows of a table that went as a whole, and are in the record.
pub(super) struct Gone {
    /// Their numbers, from 0 on: at least one.
    pub(super) rows: Vec<u64>,
    /// Their line, and the number of that.
    line: Span,
    pub(super) number: u64,
}

/// A part of a file.
pub(super) struct Part {
    /// Its number among those of its file.
    pub(super) number: usize,
    /// Its bytes in the original.
    pub(super) original: Span,
    pub(super) hash: String,
    /// Those that come of it in the clean copy.
    pub(super) clean: Span,
    pub(super) clean_hash: String,
    /// Where the lines of its cuts stand in the record.
    lines: Span,
    /// The number of the first one.
    first_line: u64,
}

impl RecordedFile {
    /// Whether the row of this number, from 0 on, went as a whole.
    pub(super) fn lacks(&self, row: u64) -> bool {
        let those = self.gone.partition_point(|gone| gone.rows.last().is_some_and(|last| *last < row));
        self.gone.get(those).is_some_and(|gone| gone.rows.binary_search(&row).is_ok())
    }

    /// Whether its clean copy took its place.
    pub(super) fn is_in_place(&self) -> bool {
        self.clean.as_ref().is_some_and(|clean| clean.path() == self.original.path() && clean.from != Origin::Stdin)
    }
}

impl Record {
    /// Reads a record. A line of it that can't be read, or was changed, is an error that names it.
    ///
    /// # Errors
    /// If it isn't a record, or not one that was written to its end; one of a run in place need not be.
    pub fn open(path: &Path, room: &Room) -> Result<Self> {
        let failed = |error| Error::io(path, error);
        if fs::metadata(path).map_err(failed)?.is_file() && !is_record(path).map_err(failed)? {
            return Err(Error::refused(path, NO_RECORD)); // before all of it is unpacked
        }
        let packing = Packing::of_name(path).0;
        let input = Input { from: Origin::Named(path.into()), packing, ..Input::stdin(Form::Jsonl) };
        let lines = AtHand::open(&input, &Fields::default(), room, None)?;
        let all = lines.read(Span { start: 0, end: lines.len() })?;
        let mut reading = Reading::new(path, &all)?;
        reading.all()?;
        let Reading { header, files, is_complete, .. } = reading;
        lines.ensure_intact()?;
        drop(all);
        Ok(Self { path: path.into(), lines, header, files, is_complete })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether its run came to its end.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    pub(super) fn files(&self) -> &[RecordedFile] {
        &self.files
    }

    /// An original that is none of these inputs, nor in them, or isn't there as it was.
    pub(super) fn other_original<'r>(&'r self, inputs: &[PathBuf]) -> Option<&'r Path> {
        let inputs: Vec<PathBuf> = inputs.iter().filter_map(|input| fs::canonicalize(input).ok()).collect();
        let is_in_them =
            |path: &Path| fs::canonicalize(path).is_ok_and(|real| inputs.iter().any(|input| real.starts_with(input)));
        let mut folders: HashMap<&'r Path, bool> = HashMap::new();
        let mut is_other = |file: &&'r RecordedFile| match &file.original.from {
            Origin::Stdin => false, // it never stays
            Origin::Named(path) | Origin::Walked(path) => {
                let folder = folder_of(path);
                let is_in = *folders.entry(folder).or_insert_with(|| is_in_them(folder)) || is_in_them(path);
                file.is_in_place() || !is_in || !path.exists()
            }
        };
        self.files.iter().find(|file| is_other(file)).map(|file| file.original.path())
    }

    /// The paths of the clean copies that it is about.
    pub fn clean_copies(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().filter_map(|file| file.clean.as_ref()).map(Input::path)
    }

    /// The originals whose streams broke off: of those no more is on record than came.
    pub fn broken_off(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().filter(|file| file.broke_off).map(|file| file.original.path())
    }

    /// Whether a clean copy went to standard output.
    pub fn has_streams(&self) -> bool {
        self.files.iter().any(|file| file.clean.as_ref().is_some_and(|clean| clean.from == Origin::Stdin))
    }

    /// Whether it is about one file, which was named.
    pub fn is_of_one(&self) -> bool {
        self.files.len() == 1 && !self.header.several
    }

    /// The folders, other than the one that it is kept for and those in it, in which files took the place of their originals: few, so
    /// that each can be locked.
    pub fn folders_in_place(&self) -> Vec<PathBuf> {
        let own = home_of(&self.path);
        let real = |file: &RecordedFile| fs::canonicalize(folder_of(file.original.path())).ok();
        let folders = self.files.iter().filter(|file| file.is_in_place()).filter_map(real);
        let folders: BTreeSet<PathBuf> =
            folders.filter(|folder| own.as_ref().is_none_or(|own| !folder.starts_with(own))).collect();
        let both = |a: PathBuf, b| a.components().zip(Path::components(b)).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
        match folders.first() {
            Some(first) if folders.len() > MOST_FOLDERS => vec![folders.iter().map(PathBuf::as_path).fold(first.clone(), both)],
            _ => folders.into_iter().collect(),
        }
    }

    /// Whether its run was one in place.
    pub fn is_in_place(&self) -> bool {
        self.files.iter().any(RecordedFile::is_in_place)
    }

    /// What its run went by.
    pub(super) fn settings(&self) -> &Conditions {
        &self.header.settings
    }

    pub(super) fn fields(&self) -> Fields {
        Fields { text: self.settings().text_field().into(), id: None }
    }

    pub(super) fn file(&self, number: u32) -> Option<usize> {
        self.files.binary_search_by_key(&number, |file| file.number).ok()
    }

    /// Does something with each cut of a part, in order.
    pub(super) fn each_cut(&self, part: &Part, mut each: impl FnMut(u64, CutLine) -> Result<()>) -> Result<()> {
        self.each_line(part, |number, line| each(number, CutLine::read(line).map_err(|error| self.unreadable(number, &error))?))
    }

    fn unreadable(&self, number: u64, error: &serde_json::Error) -> Error {
        self.broken(number, &without_place(error))
    }

    fn each_line(&self, part: &Part, mut each: impl FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        let lines = self.lines.read(part.lines)?;
        let (mut from, mut number) = (0, part.first_line);
        for end in memchr::memchr_iter(b'\n', &lines) {
            each(number, &lines[from..end])?;
            (from, number) = (end + 1, number + 1);
        }
        Ok(())
    }

    /// The table of rows that went as a whole.
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "no table is restored"))]
    pub(super) fn table_of(&self, gone: &Gone) -> Result<Vec<u8>> {
        let line = self.lines.read(gone.line)?;
        let line: RowsLine = serde_json::from_slice(&line).map_err(|error| self.unreadable(gone.number, &error))?;
        Ok(line.parquet.0.into_owned())
    }

    /// What was changed of a part: in order, within it, without overlap.
    pub(super) fn edits(&self, part: &Part) -> Result<Vec<Edit>> {
        let (mut edits, mut from, mut clean) = (Vec::new(), part.original.start, part.clean.start);
        self.each_line(part, |number, line| {
            let Edited { cut: Range(start, end), inserted, is_repair } =
                Edited::read(line).map_err(|error| self.unreadable(number, &error))?;
            if start < from || end < start || end > part.original.end {
                return Err(self.broken(number, &"its cut isn't behind the one before, and within its part"));
            }
            if start == end && (inserted == 0 || start == from && !edits.is_empty()) {
                return Err(self.broken(number, &"its cut changes nothing, or what one before has changed"));
            }
            clean = clean.saturating_add(start - from).saturating_add(inserted);
            edits.push(Edit { at: Span { start, end }, clean_end: clean, is_repair });
            from = end;
            Ok(())
        })?;
        if clean.saturating_add(part.original.end - from) != part.clean.end {
            return Err(self.broken(part.first_line, &"what is cut from here on doesn't leave as much as its part says"));
        }
        Ok(edits)
    }

    /// The error that a line of it can't be read.
    pub(super) fn broken(&self, line: u64, why: &impl Display) -> Error {
        Error::record(Place::from(&self.path), "line", line, why)
    }
}

/// A change: bytes of the original that are gone, and where in the clean copy what comes behind them begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) at: Span,
    pub(super) clean_end: u64,
    /// Whether what stood there was repaired, and stays.
    pub(super) is_repair: bool,
}

/// What a JSON error says, without the line and column it counts in its own way.
fn without_place(error: &serde_json::Error) -> String {
    let words = error.to_string();
    words.split(" at line ").next().unwrap_or_default().to_owned()
}

/// The lines of a record, one after the other.
struct Reading<'a> {
    path: &'a Path,
    folder: PathBuf,
    all: &'a [u8],
    header: Header,
    files: Vec<RecordedFile>,
    /// Numbers of files that were left as they were.
    failed: HashSet<u32>,
    is_complete: bool,
    /// The file under way.
    file: Option<RecordedFile>,
    /// The number of the line under way.
    number: u64,
    /// Of all lines but those of cuts.
    sum: Xxh3,
    /// Of those.
    sums: Vec<Sum>,
}

/// What the lines of the cuts of a part should be.
struct Sum {
    lines: Span,
    sum: String,
    /// The numbers of the first and the last of them.
    first: u64,
    last: u64,
}

/// A line that is no cut.
struct OtherLine {
    /// Where it begins, and its line end is.
    start: usize,
    end: usize,
    /// From 1 on.
    number: u64,
}

/// So many bytes of a record are looked through at once.
const AT_ONCE: usize = 4 << 20;

/// The lines that are no cuts, and how many lines there are, without the last if it has no end.
fn other_lines(all: &[u8]) -> (Vec<OtherLine>, u64) {
    let mut bounds = vec![0];
    while let Some(end) = bounds.last().and_then(|from| Some(from + AT_ONCE + memchr::memchr(b'\n', all.get(from + AT_ONCE..)?)?))
    {
        bounds.push(end + 1);
    }
    bounds.push(all.len());
    let each = |bounds: &[usize]| {
        let (mut others, mut count, mut start) = (Vec::new(), 0, bounds[0]);
        for end in memchr::memchr_iter(b'\n', &all[bounds[0]..bounds[1]]).map(|end| bounds[0] + end) {
            count += 1;
            if !all[start..end].starts_with(CUT) {
                others.push(OtherLine { start, end, number: count });
            }
            start = end + 1;
        }
        (others, count)
    };
    let (mut all_others, mut lines) = (Vec::new(), 0);
    for (others, count) in bounds.par_windows(2).map(each).collect::<Vec<_>>() {
        all_others.extend(others.into_iter().map(|other| OtherLine { number: lines + other.number, ..other }));
        lines += count;
    }
    (all_others, lines)
}

impl<'a> Reading<'a> {
    fn new(path: &'a Path, all: &'a [u8]) -> Result<Self> {
        let end = memchr::memchr(b'\n', all).unwrap_or(all.len());
        let header = match Line::read(&all[..end]) {
            Ok(Line::Header(header)) if header.version <= VERSION => header,
            _ => return Err(later_version(path, &all[..end]).unwrap_or_else(|| Error::refused(path, NO_RECORD))),
        };
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let (files, failed, sums) = (Vec::new(), HashSet::new(), Vec::new());
        Ok(Self { path, folder, all, header, files, failed, is_complete: false, file: None, number: 1, sum: Xxh3::new(), sums })
    }

    fn all(&mut self) -> Result<()> {
        let read = self.each_line();
        // A line that was changed may make others wrong.
        let changed = self.sums.par_iter().find_first(|sum| hex(fingerprint(sum.lines.of(self.all))) != sum.sum);
        if let Some(Sum { first, last, .. }) = changed {
            let why = format!("it, or another line up to {last}, isn't as it was written");
            return Err(Error::record(self.path.into(), "line", *first, &why));
        }
        read?;
        let failed = std::mem::take(&mut self.failed);
        self.files.retain(|file| !failed.contains(&file.number));
        let known = || self.files.iter().chain(&self.file);
        let may_be_cut_short = match known().next() {
            None => home_of(self.path).is_some(), // its run broke off before it did anything
            Some(_) => known().all(RecordedFile::is_in_place),
        };
        if !self.is_complete && !may_be_cut_short {
            return Err(Error::refused(
                self.path,
                format!("is cut short: it ends with line {}, not with its end", self.number - 1),
            ));
        }
        Ok(())
    }

    fn each_line(&mut self) -> Result<()> {
        let (others, lines) = other_lines(self.all);
        let (mut first_cut, mut cuts) = (None, 0u64);
        let mut known = Vec::new();
        // Where the next line begins, and its number.
        let mut next = (0, 1);
        for OtherLine { start, end, number } in others {
            if self.is_complete {
                break;
            }
            if number > next.1 {
                first_cut.get_or_insert(next);
                cuts += number - next.1;
            }
            self.number = number;
            next = (end + 1, number + 1);
            let line = &self.all[start..end];
            match Line::read(line).map_err(|error| self.broken(&without_place(&error)))? {
                Line::Header(_) if number == 1 => {}
                Line::Cut => return Err(self.broken(&"has the line of a cut in another shape than it is written in")),
                Line::Header(_) => return Err(self.broken(&"is the header of another record")),
                Line::File(line) => {
                    self.no_more(first_cut)?;
                    self.begin(line)?;
                }
                Line::Part(line) => {
                    let (from, first) = first_cut.take().unwrap_or((start, number));
                    self.part(line, Span::new(from, start), first)?;
                }
                Line::Rows(rows) => {
                    self.no_more(first_cut)?;
                    self.rows(rows, Span::new(start, end))?;
                }
                Line::Ends(line) => {
                    self.no_more(first_cut)?;
                    known.push(line.ends);
                    self.end(&line)?;
                }
                Line::Copy(line) => match self.files.last_mut().filter(|file| file.number == line.copy && self.file.is_none()) {
                    Some(file) => file.copy = Some(line.hash),
                    None => return Err(self.broken(&"tells of the clean copy of another file")),
                },
                Line::Fails(number) => {
                    self.failed.insert(number);
                    self.file.take_if(|file| file.number == number);
                    first_cut = None;
                }
                Line::Complete(line) => {
                    self.no_more(first_cut)?;
                    let is_all = line.files == known.len() as u64 && line.cuts == cuts;
                    if !line.complete || !is_all || hex(self.sum.digest128()) != line.sum || self.file.is_some() {
                        return Err(self.broken(&"a line before it isn't as it was written, or is missing"));
                    }
                    self.is_complete = true;
                }
                Line::Other => self.no_more(first_cut)?,
            }
            self.sum.update(&self.all[start..=end]);
        }
        self.number = next.1;
        if self.is_complete && next.0 < self.all.len() {
            return Err(self.broken(&"stands behind the end of the record"));
        }
        self.number = lines + 1;
        Ok(())
    }

    /// Makes sure that no cut stands outside a part.
    fn no_more(&self, cut: Option<(usize, u64)>) -> Result<()> {
        let outside = |(_, line)| Err(Error::record(self.path.into(), "line", line, &"stands in no part of a file"));
        cut.map_or(Ok(()), outside)
    }

    fn begin(&mut self, line: FileLine) -> Result<()> {
        if self.file.is_some() || self.files.last().is_some_and(|last| last.number >= line.number) {
            return Err(self.broken(&"begins a file where none can begin"));
        }
        let (Some(form), Some(packing), Some(clean_packing)) = (line.form(), line.packing(), line.clean_packing()) else {
            return Err(self.broken(&format_args!("tells of a form that this unecho doesn't know: {}", line.form)));
        };
        if !line.name.0.components().all(|step| matches!(step, Component::Normal(_))) {
            return Err(self.broken(&"has a name that leads out of the folder that it is in"));
        }
        let encoded = line.encoding.as_deref().map(Encoded::named);
        let is_decoded = || form == Form::Text && self.header.settings.tidy().is_none_or(|tidy| tidy.has(Repair::Encoding));
        if encoded.is_some_and(|encoded| encoded.is_none() || !is_decoded()) {
            return Err(self.broken(&"tells of an encoding that nothing was decoded from"));
        }
        let input = |path: &RecordedPath, packing, form| {
            let from = if path.is_stream() { Origin::Stdin } else { Origin::Named(joined(&self.folder, &path.0)) };
            Input { from, name: line.name.0.clone(), packing, number: line.number, ..Input::stdin(form) }
        };
        let original = input(&line.path, packing, form);
        // The clean copy of a WARC is a WET, which counts as it stands.
        let form_of_clean = if form == Form::Warc { Form::Text } else { form };
        let clean = line.clean.as_ref().map(|clean| input(clean, clean_packing, form_of_clean));
        self.file = Some(RecordedFile {
            number: line.number,
            original,
            clean,
            parts: Vec::new(),
            bytes: 0,
            clean_bytes: 0,
            row_groups: line.row_groups,
            encoded: encoded.flatten(),
            gone: Vec::new(),
            copy: None,
            broke_off: false,
        });
        Ok(())
    }

    fn part(&mut self, line: PartLine, lines: Span, first_line: u64) -> Result<()> {
        self.sums.push(Sum { lines, sum: line.sum, first: first_line, last: self.number - 1 });
        let Some(file) = &mut self.file else { return Err(self.broken(&"is a part of no file")) };
        let (original, clean_end) = (Span::from(line.part), file.clean_bytes.checked_add(line.clean));
        let clean = match clean_end {
            Some(end) if original.start == file.bytes && end <= MOST && original.end <= MOST => {
                Span { start: file.clean_bytes, end }
            }
            _ => return Err(self.broken(&"isn't the part behind the one before")),
        };
        (file.bytes, file.clean_bytes) = (original.end, clean.end);
        let (hash, clean_hash) = (line.hash, line.clean_hash);
        let number = file.parts.len();
        file.parts.push(Part { number, original, hash, clean, clean_hash, lines, first_line });
        Ok(())
    }

    fn rows(&mut self, rows: Vec<u64>, line: Span) -> Result<()> {
        let groups = self.file.as_ref().and_then(|file| file.row_groups.as_ref());
        let all = groups.map_or(0, |groups| groups.iter().fold(0, |all: u64, rows| all.saturating_add(*rows)));
        let before = self.file.as_ref().and_then(|file| file.gone.last()?.rows.last().copied());
        let are_in_order = before.iter().chain(&rows).is_sorted_by(|a, b| a < b);
        match &mut self.file {
            Some(file) if are_in_order && rows.last().is_some_and(|last| *last < all) => {
                file.gone.push(Gone { rows, line, number: self.number });
                Ok(())
            }
            _ => Err(self.broken(&"holds rows that aren't in a table, behind those before")),
        }
    }

    fn end(&mut self, line: &EndsLine) -> Result<()> {
        match self.file.take() {
            Some(file) if (file.number, file.bytes, file.clean_bytes) == (line.ends, line.bytes, line.clean_bytes) => {
                self.files.push(RecordedFile { broke_off: line.broke_off, ..file });
                Ok(())
            }
            _ => Err(self.broken(&"ends a file that isn't what it says")),
        }
    }

    fn broken(&self, why: &impl Display) -> Error {
        Error::record(self.path.into(), "line", self.number, why)
    }
}

/// A path as it leads from a folder; what goes up from one that is no link goes up at once.
fn joined(folder: &Path, path: &Path) -> PathBuf {
    let (mut folder, mut path) = (folder, path);
    while let Ok(rest) = path.strip_prefix("..")
        && matches!(folder.components().next_back(), Some(Component::Normal(_)))
        && !folder.is_symlink()
    {
        (folder, path) = (folder.parent().unwrap_or(Path::new("")), rest);
    }
    folder.join(path)
}
