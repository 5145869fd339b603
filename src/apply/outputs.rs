//! The outputs of a run: where they go, and that they keep away from the inputs.

use super::apart::Inputs;
use super::copy::CleanCopy;
use super::disk::{Disk, sync_names};
use super::draft::Draft;
use super::folders::Folders;
use super::growing::Growing;
use super::in_place;
use super::pending::{Berth, Pending, left_over, left_over_below};
use super::place::{Leads, follow};
use super::sink::Writing;
use super::stream::Stream;
use crate::document::Span;
use crate::error::{Error, Result};
#[cfg(feature = "parquet")]
use crate::source::parquet::Spool;
use crate::source::{By, Fields, Form, Input, Packing, Source, base_name, not_read_by_name};
use crate::threads::Threads;
use std::collections::HashMap;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Where clean copies go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// One file.
    File(PathBuf),
    /// A folder in which each output has its input's name.
    Folder(PathBuf),
    /// Each where its input is.
    InPlace,
}

/// What the outputs are like.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// Their form, if it isn't that of their inputs.
    pub to: Option<Form>,
    /// Which fields of a record are read.
    pub fields: Fields,
    /// The folder for temporary files.
    pub temporary: PathBuf,
    /// So many bytes of a container may wait to be written.
    pub waiting: usize,
    /// How much memory packing may take, in bytes.
    pub packing: u64,
}

/// The outputs of a run.
pub struct Outputs {
    way: Way,
    shape: Shape,
    disk: Disk,
    /// Names that inputs have in another form, and whose they are: two may come to have the same.
    renamed: Mutex<HashMap<PathBuf, PathBuf>>,
}

enum Way {
    Stream(Stream),
    /// A file, and its path as it was given.
    File(PathBuf, PathBuf),
    Folder(Folders),
    /// Where the inputs are.
    InPlace,
}

impl Outputs {
    /// Outputs at `target` that come from `inputs`. Nothing is written yet.
    ///
    /// # Errors
    /// A refusal to write where an input is: the output being an input, lying inside one, or holding one; and one to write a form
    /// that the name of the output denies.
    pub fn new(target: &Target, inputs: &[PathBuf], shape: Shape) -> Result<Self> {
        let known = Inputs::new(inputs);
        let way = match target {
            Target::Stdout => apart(Stream::stdout()?, &known)?,
            Target::File(given) => {
                if not_read_by_name(given).is_some() {
                    return Err(Error::refused(given, "has the name of a packed file, but isn't packed so; .gz and .zst are"));
                }
                file(given, inputs, &known)?
            }
            Target::Folder(given) => folder(given, inputs, known)?,
            Target::InPlace => Way::InPlace,
        };
        let outputs = Self::by(way, shape);
        match (outputs.shape.to, outputs.form_by_name(), target) {
            (Some(to), Some(named), Target::File(given)) if to != named => {
                let why = format!("has the name of {}, and --to asks for {}", named.in_words(), to.in_words());
                Err(Error::refused(given, why))
            }
            _ => Ok(outputs),
        }
    }

    fn by(way: Way, shape: Shape) -> Self {
        Self { way, shape, disk: Disk::default(), renamed: Mutex::default() }
    }

    /// An output beside the clean copies of a run, such as its statistics; `from` is the form its inputs are taken for.
    ///
    /// # Errors
    /// A refusal to write where an input or a clean copy is.
    pub fn beside(&self, path: &Path, inputs: &[PathBuf], from: Option<Form>) -> Result<Self> {
        let known = Inputs::new(inputs);
        let way = file(path, &[], &known)?;
        if let Way::File(real, given) = &way {
            known.refuse_readable(real, given, from)?;
        }
        let beside = Self::by(way, Shape::default());
        self.ensure_apart(&beside, path)?;
        Ok(beside)
    }

    /// Makes sure that others, whose place is `path`, don't go where these do.
    ///
    /// # Errors
    /// A refusal.
    pub fn ensure_apart(&self, others: &Self, path: &Path) -> Result<()> {
        let clash = match (&others.way, &self.way) {
            (Way::File(other, _), Way::File(real, _)) => other == real,
            (Way::File(other, _), Way::Folder(folders)) => folders.hold(other),
            (Way::Stream(other), Way::Stream(stream)) => other.is_same(stream),
            _ => false,
        };
        if clash { Err(Error::refused(path, "is where the results go; choose another place")) } else { Ok(()) }
    }

    /// What a run that was killed left where the outputs go, each with its size; or what another one is writing there now.
    pub fn left_over(&self) -> Vec<(PathBuf, u64)> {
        match &self.way {
            Way::Stream(_) | Way::InPlace => Vec::new(),
            Way::File(real, _) => left_over(real.parent().unwrap_or(real)),
            Way::Folder(folders) => left_over_below(&folders.place(Path::new(""))),
        }
    }

    /// Nothing is written after all: folders that were made for it go.
    pub fn forget(&self) {
        if let Way::Folder(folders) = &self.way {
            folders.forget();
        }
    }

    /// Whether they are temporary files before they have their names.
    pub fn have_names(&self) -> bool {
        !matches!(self.way, Way::Stream(_))
    }

    /// Whether they go to standard output.
    pub fn are_stdout(&self) -> bool {
        matches!(&self.way, Way::Stream(stream) if stream.is_stdout())
    }

    /// Writes the clean copy of a source; what goes to a file waits for [`Outputs::publish`].
    ///
    /// # Errors
    /// If it can't be written, or what was written at once is spoilt because the input changed meanwhile. For a file the caller
    /// makes sure of that.
    pub fn write(&self, input: &Input, source: &Source, bytes: &[u8], cuts: &[Span]) -> Result<Option<Pending>> {
        self.ensure_is_written(input)?;
        let copy = CleanCopy { source: bytes, cuts, packing: self.packing(source) };
        let berth = match &self.way {
            Way::Stream(stream) => return stream.write(input, source, copy).map(|()| None),
            Way::File(real, given) => berth(real, given)?,
            Way::Folder(folders) => folders.berth(&self.name(input), source.identity(), &self.disk)?,
            Way::InPlace => in_place::berth(input.path(), &self.disk)?,
        };
        Pending::write(berth, source.permissions(), copy).map(Some)
    }

    /// What it takes that an input has no clean copy: a file that one would replace goes with [`Outputs::publish`].
    ///
    /// # Errors
    /// If that mustn't be replaced.
    pub fn none(&self, input: &Input, source: &Source) -> Result<Option<Pending>> {
        self.ensure_is_written(input)?;
        if matches!(self.way, Way::InPlace) {
            return Err(Error::refused(input.place(), "would go as a whole, and no file is removed in place"));
        }
        let is_taken =
            |place: &Path| fs::symlink_metadata(place).is_ok_and(|existing| existing.is_file() || existing.is_symlink());
        Ok(match &self.way {
            Way::File(real, given) if is_taken(real) => Some(Pending::none(berth(real, given)?)),
            Way::Folder(folders) if is_taken(&folders.place(&self.name(input))) => {
                Some(Pending::none(folders.berth(&self.name(input), source.identity(), &self.disk)?))
            }
            _ => None,
        })
    }

    /// Begins the output of a container that comes in stretches. `threads` pack it.
    ///
    /// # Errors
    /// If it can't be begun.
    pub fn begin(&self, input: &Input, source: &Source, threads: &Arc<Threads>) -> Result<Growing> {
        let writing = self.writing(input, source)?;
        self.ensure_name_is_free(input)?;
        match &self.way {
            Way::Stream(stream) => {
                Growing::to_stream(stream.begin(input, source)?, stream.place().clone(), source, writing, threads)
            }
            Way::File(real, given) => Growing::to_file(berth(real, given)?, source, writing, threads),
            Way::Folder(folders) => {
                Growing::to_file(folders.berth(&self.name(input), source.identity(), &self.disk)?, source, writing, threads)
            }
            Way::InPlace => Growing::to_file(in_place::berth(input.path(), &self.disk)?, source, writing, threads),
        }
    }

    /// Makes sure that an input whose clean copy was written at once is still what it was; files wait for their names.
    ///
    /// # Errors
    /// If it isn't.
    pub fn ensure_unspoilt(&self, source: &Source) -> Result<()> {
        match &self.way {
            Way::Stream(stream) => stream.ensure_unspoilt(source),
            Way::File(..) | Way::Folder(_) | Way::InPlace => Ok(()),
        }
    }

    /// The form of the clean copy of an input: as was asked for, or as the name of the one output says, or the same.
    pub fn form(&self, input: &Input) -> Form {
        self.shape.to.or(self.form_by_name()).unwrap_or(input.form)
    }

    /// The form that the name of the one output tells of, if that holds records.
    pub fn form_by_name(&self) -> Option<Form> {
        match &self.way {
            Way::File(_, given) if given.extension().is_some() => {
                let (form, by) = Form::of_name(given)?;
                (form.is_container() && form != Form::Feed && by == By::Name).then_some(form)
            }
            _ => None,
        }
    }

    /// Makes sure that the form of an input can become that of its clean copy.
    fn ensure_is_written(&self, input: &Input) -> Result<()> {
        let (from, to) = (input.form, self.form(input));
        let is_possible = from == to
            || matches!((from, to), (Form::Warc | Form::Parquet, Form::Jsonl) | (Form::Jsonl | Form::Warc, Form::Parquet));
        if is_possible {
            return Ok(());
        }
        let why = format!("is {}, which isn't written as {}", from.in_words(), to.in_words());
        Err(Error::refused(input.place(), why))
    }

    /// Makes sure that no other input has the name that this one has in another form.
    fn ensure_name_is_free(&self, input: &Input) -> Result<()> {
        if self.shape.to.is_none() {
            return Ok(());
        }
        let mut renamed = self.renamed.lock().expect("nothing panics with the lock");
        let first = renamed.entry(self.name(input)).or_insert_with(|| input.path().into());
        if *first == input.path() {
            return Ok(());
        }
        let why = format!("would have its clean copy where that of {} stands; clean them one after the other", first.display());
        Err(Error::refused(input.place(), why))
    }

    /// How the clean copy of a container is written.
    fn writing(&self, input: &Input, source: &Source) -> Result<Writing> {
        self.ensure_is_written(input)?;
        let (from, to) = (input.form, self.form(input));
        let packing = match (&self.way, to) {
            (Way::File(_, given), Form::Parquet) if Packing::of_name(given).0 != Packing::Plain => {
                let why = "has the name of a packed file, and Parquet packs its pages itself; leave out the last extension";
                return Err(Error::refused(given, why));
            }
            (_, Form::Parquet) => Packing::Plain,
            _ => self.packing(source),
        };
        let table =
            if from == Form::Parquet { Some(source.file().map_err(|error| Error::io(input.place(), error))?) } else { None };
        let Shape { fields, temporary, waiting, packing: memory, .. } = &self.shape;
        Ok(Writing {
            from,
            to,
            packing,
            table,
            fields: fields.clone(),
            folder: temporary.clone(),
            waiting: *waiting,
            memory: usize::try_from(*memory).unwrap_or(usize::MAX),
        })
    }

    /// Where the columns of a table wait for their turn.
    #[cfg(feature = "parquet")]
    pub(crate) fn spool(&self) -> Spool {
        Spool { held: self.shape.waiting, folder: self.shape.temporary.clone() }
    }

    /// Which fields of a record are read.
    #[cfg(feature = "parquet")]
    pub(crate) fn fields(&self) -> &Fields {
        &self.shape.fields
    }

    /// The path of the clean copy of an input within the outputs.
    fn name(&self, input: &Input) -> PathBuf {
        match self.form(input) {
            to if to == input.form => input.name.clone(),
            to => to.rename(&input.name),
        }
    }

    /// How a clean copy is packed: as its input is, unless the name of the one output says otherwise.
    pub(crate) fn packing(&self, source: &Source) -> Packing {
        self.packing_by_name().unwrap_or(source.packing())
    }

    /// Brings a batch to the disk, then gives each output its name, in order, as they are asked for; those after the last that is
    /// asked for get none. What comes with an output comes back with it, or the error that kept it from its name.
    pub fn publish<T>(&self, batch: Vec<(T, Option<Pending>)>) -> impl Iterator<Item = Result<T>> {
        let waiting: Vec<&Pending> = batch.iter().filter_map(|(_, pending)| pending.as_ref()).collect();
        let synced = self.disk.sync(&waiting);
        let name = move |pending: Pending| {
            let synced = synced.get(&pending.device);
            pending.take_name(synced)
        };
        batch.into_iter().map(move |(with, pending)| pending.map_or(Ok(()), &name).map(|()| with))
    }

    /// Brings the names of what was published to the disk.
    ///
    /// # Errors
    /// If the system can't.
    pub fn finish(&self) -> Result<()> {
        match &self.way {
            Way::Stream(_) => Ok(()),
            Way::File(real, given) => sync_names(real.parent().unwrap_or(real), given),
            Way::Folder(folders) => self.disk.finish(folders.given()),
            Way::InPlace => self.disk.finish(Path::new(".")),
        }
    }

    /// Writes one output whole, gives it its name and brings it to the disk.
    ///
    /// # Errors
    /// If that fails; what stood there before still does then, unless it is a stream.
    pub fn put(&self, content: &[u8]) -> Result<()> {
        let copy = CleanCopy { source: content, cuts: &[], packing: Packing::Plain };
        match &self.way {
            Way::Stream(stream) => stream.put(copy),
            Way::File(real, given) => {
                let pending = Pending::write(berth(real, given)?, None, copy)?;
                self.publish(vec![((), Some(pending))]).collect::<Result<()>>()?;
                self.finish()
            }
            Way::Folder(_) | Way::InPlace => unreachable!("only what has one place is put there whole"),
        }
    }

    /// Begins an output of this name that comes of no input; `path` is where it goes in place.
    ///
    /// # Errors
    /// If it can't be begun.
    pub fn draft(&self, name: &Path, path: &Path, packing: Packing, permissions: Option<Permissions>) -> Result<Draft> {
        match &self.way {
            Way::Stream(stream) => Draft::to_stream(stream.open()?, stream.place().clone(), Packing::Plain),
            Way::File(real, given) => Draft::to_file(berth(real, given)?, permissions, self.packing_by_name().unwrap_or(packing)),
            Way::Folder(folders) => Draft::to_file(folders.berth(name, None, &self.disk)?, permissions, packing),
            Way::InPlace if fs::symlink_metadata(path).is_ok() => {
                Draft::to_file(in_place::berth(path, &self.disk)?, None, packing)
            }
            Way::InPlace => {
                let real = std::path::absolute(path).map_err(|error| Error::io(path, error))?;
                let berth = Berth { is_alone: false, ..berth(&real, path)? };
                self.disk.meet(real.parent().unwrap_or(&real), berth.device);
                Draft::to_file(berth, permissions, packing)
            }
        }
    }

    /// Where the clean copy of an input stands, or will: nowhere, if it goes to a stream.
    pub fn place(&self, input: &Input) -> Option<PathBuf> {
        match &self.way {
            Way::Stream(_) => None,
            Way::File(real, _) => Some(real.clone()),
            Way::Folder(folders) => Some(folders.place(&self.name(input))),
            Way::InPlace => Some(input.path().into()),
        }
    }

    /// How the one output is packed, if its name tells what it holds.
    fn packing_by_name(&self) -> Option<Packing> {
        match &self.way {
            Way::File(_, given) if Form::of_name(given).is_some() && given.extension().is_some() => {
                Some(Packing::of_name(given).0)
            }
            _ => None,
        }
    }
}

/// The way to an open descriptor, which may be an input that was redirected.
fn apart(stream: Stream, known: &Inputs) -> Result<Way> {
    known.refuse_stream(stream.identity(), stream.place())?;
    Ok(Way::Stream(stream))
}

/// The way to the one file at a path, which may name a pipe, a device or an open descriptor instead.
fn file(given: &Path, inputs: &[PathBuf], known: &Inputs) -> Result<Way> {
    let real = match follow(given).map_err(|error| Error::io(given, error))? {
        Leads::ToDescriptor(number) => return apart(Stream::descriptor(number, given)?, known),
        Leads::ToPath(real) => real,
    };
    let name = || inputs.first().map_or_else(|| "clean.txt".into(), |input| base_name(input));
    let file_in = |folder: &Path| format!("for one output, name the file: {}", folder.join(name()).display());
    match fs::metadata(&real) {
        Ok(existing) if existing.is_dir() => Err(Error::refused(given, format!("is a folder; {}", file_in(given)))),
        Ok(existing) if existing.is_file() => known.refuse_file(&existing, given).map(|()| Way::File(real, given.into())),
        Ok(_) => Ok(Way::Stream(Stream::special(real, given))),
        Err(_) if given.as_os_str().as_encoded_bytes().ends_with(b"/") => {
            Err(Error::refused(given, format!("names a folder, which isn't there; {}", file_in(given))))
        }
        Err(_) => Ok(Way::File(real, given.into())),
    }
}

/// The place of the only output; its folder is made if it isn't there.
fn berth(real: &Path, given: &Path) -> Result<Berth> {
    let folder = real.parent().unwrap_or(real);
    let device = match fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(folder).and_then(|()| fs::metadata(folder)),
        found => found,
    }
    .map_err(|error| Error::io(given, error))?
    .dev();
    let mode = fs::metadata(real).ok().map(|existing| existing.mode());
    Ok(Berth { place: real.into(), given: given.into(), device, mode, owner: None, replaced: None, is_alone: true })
}

/// The way to the folder at a path.
fn folder(given: &Path, inputs: &[PathBuf], known: Inputs) -> Result<Way> {
    match follow(given).map_err(|error| Error::io(given, error))? {
        Leads::ToPath(real) if fs::metadata(&real).map_or(true, |existing| existing.is_dir()) => {
            known.refuse_folder(&real, given, inputs)?;
            Ok(Way::Folder(Folders::new(real, given.into(), known)))
        }
        _ => Err(Error::refused(given, "is no folder; the clean copies of several inputs need one")),
    }
}
