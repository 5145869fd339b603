//! Taking a run back: the originals, made of the clean copies and the record alone.

use super::home;
use super::reading::{Part, Record};
use super::replay::rebuild;
use super::tables;
use super::texts::{Stands, Texts, ensure_len};
use crate::apply::{Draft, Outputs, Pending, ensure_replaceable};
use crate::error::{Error, Result};
use crate::source::warc::{self, Held};
use crate::source::{Form, Input, Origin, Packing, Room};
use crate::threads::Threads;
use rayon::prelude::*;
use std::collections::HashSet;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Files of together so many bytes are restored side by side; of a larger one its parts are.
const TOGETHER: u64 = 32 << 20;
/// So many of them.
const MOST_FILES: usize = 2048;
/// So many parts of a file are made while those before are written.
const PARTS: usize = 16;

/// What came of taking a run back.
#[derive(Debug, Default)]
pub struct Restored {
    /// The files that were restored.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The files whose originals were there already.
    pub were_there: u64,
    /// Why others weren't.
    pub failed: Vec<Error>,
}

/// How a run is taken back.
pub struct Restoring<'a> {
    /// Where the originals go.
    pub outputs: &'a Outputs,
    /// Whether that is where they were.
    pub is_at_home: bool,
    /// Whether those are restored that can be, although others can't.
    pub keeps_going: bool,
    /// Where streams are unpacked.
    pub room: &'a Room,
    /// Those that do it.
    pub threads: &'a Threads,
    /// Once it is set, no other file is begun.
    pub stop: &'a AtomicBool,
    /// Is told how many files and bytes are made, as they are.
    pub each: &'a (dyn Fn(u64, u64) + Sync),
}

/// Gives back the originals of a run.
///
/// # Errors
/// If files that are needed aren't there; nothing is written then. What can't be made of them is left out, and named.
pub fn restore(record: &Record, how: &Restoring) -> Result<Restored> {
    if !how.is_at_home {
        ensure_apart(record)?;
    }
    let texts = Texts::new(record, how.room);
    texts.rely_on_clean_copies();
    let near = if how.is_at_home { near(record.path()) } else { Vec::new() };
    let mut at_work = AtWork { texts: &texts, how, near, restored: Restored::default() };
    if !how.keeps_going {
        texts.ensure_there(false, "; nothing was done, and --keep-going restores what doesn't need it")?;
        if record.is_in_place() && how.is_at_home {
            if let Some(later) = applied_later(record, how) {
                let why = format!(
                    "is of an earlier run than {}, whose files it may need as they are; that is undone first",
                    later.display()
                );
                return Err(Error::refused(record.path(), why));
            }
            let unknown = how.threads.run(|| unknown(&texts));
            if !unknown.is_empty() {
                return Ok(Restored { failed: unknown, ..Restored::default() });
            }
        }
    }
    let mut batch = Vec::new();
    let mut bytes = 0;
    for (file, recorded) in record.files().iter().enumerate() {
        if how.stop.load(Ordering::Relaxed) {
            batch.clear();
            break;
        }
        if recorded.bytes >= TOGETHER && recorded.original.form != Form::Parquet {
            at_work.batch(std::mem::take(&mut batch));
            at_work.large(file);
            bytes = 0;
            continue;
        }
        batch.push(file);
        bytes += recorded.bytes;
        if bytes >= TOGETHER || batch.len() == MOST_FILES {
            at_work.batch(std::mem::take(&mut batch));
            bytes = 0;
        }
    }
    at_work.batch(batch);
    if let Err(error) = how.outputs.finish() {
        at_work.restored.failed.push(error);
    }
    Ok(at_work.restored)
}

/// The folders that originals may be put back into: the current one and the record's own, or the one that its `.unecho` is in. A
/// record may come from anywhere, and say anything.
fn near(record: &Path) -> Vec<PathBuf> {
    let beside = || fs::canonicalize(record).ok()?.parent().map(Path::to_path_buf);
    home::home_of(record).or_else(beside).into_iter().chain(std::env::current_dir().and_then(fs::canonicalize)).collect()
}

/// Makes sure that no two originals go to the same place in another folder.
fn ensure_apart(record: &Record) -> Result<()> {
    let mut names = HashSet::new();
    match record.files().iter().find(|file| !names.insert(&file.original.name)) {
        None => Ok(()),
        Some(file) => {
            let why = format!("has two originals named {}; without -o they go where they were", file.original.name.display());
            Err(Error::refused(record.path(), why))
        }
    }
}

/// The record of a later run beside this one that isn't undone: a file that it left as it was may be what others can be made of.
fn applied_later(record: &Record, how: &Restoring) -> Option<PathBuf> {
    let is_applied = |path: &PathBuf| {
        let Ok(later) = Record::open(path, how.room) else { return false };
        let texts = Texts::new(&later, how.room);
        let is_changed = |file: &usize| texts.file(*file).parts.iter().any(|part| part.hash != part.clean_hash);
        let mut changed = (0..later.files().len()).filter(is_changed);
        changed.any(|file| texts.file(file).is_in_place() && texts.stands(file).is_ok_and(|stands| stands == Stands::Clean))
    };
    how.threads.run(|| home::later_than(record.path()).into_iter().find(is_applied))
}

/// Why files can't be told that a run in place changed. Of such a run all is taken back or nothing, so that the runs before it can be,
/// too.
fn unknown(texts: &Texts) -> Vec<Error> {
    let files = 0..texts.record.files().len();
    let can_be_taken_back = |file| match texts.stands(file)? {
        Stands::Original => Ok(()),
        Stands::Clean => ensure_replaceable(&texts.file(file).original),
    };
    files.into_par_iter().filter_map(|file| can_be_taken_back(file).err()).collect()
}

/// A run that is being taken back.
struct AtWork<'a> {
    texts: &'a Texts<'a>,
    how: &'a Restoring<'a>,
    /// The folders in which originals may be put where they were.
    near: Vec<PathBuf>,
    restored: Restored,
}

/// What came of a file.
enum Came {
    Made(Option<Pending>),
    WasThere,
}

impl AtWork<'_> {
    /// Small files, side by side.
    fn batch(&mut self, files: Vec<usize>) {
        let one = |&file: &usize| {
            let made = self.one(file, Self::all);
            (self.how.each)(1, self.texts.file(file).bytes);
            made
        };
        let made: Vec<Result<Came>> = self.how.threads.run(|| files.par_iter().map(one).collect());
        self.publish(files.into_iter().zip(made).collect());
    }

    /// A large file, whose parts are made side by side.
    fn large(&mut self, file: usize) {
        let made = self.how.threads.run(|| self.one(file, Self::parts));
        self.publish(vec![(file, made)]);
    }

    fn one(&self, file: usize, make: impl Fn(&Self, usize, Draft) -> Result<Draft>) -> Result<Came> {
        let Some(draft) = self.begin(file)? else { return Ok(Came::WasThere) };
        let draft = match self.texts.stands(file)? {
            Stands::Original => self.copied(file, draft),
            Stands::Clean => make(self, file, draft),
        };
        draft?.finish().map(Came::Made)
    }

    /// Begins the original of a file, unless it is where it was.
    fn begin(&self, file: usize) -> Result<Option<Draft>> {
        let recorded = self.texts.file(file);
        let path = match &recorded.original.from {
            Origin::Named(path) | Origin::Walked(path) => Some(&**path),
            Origin::Stdin => None,
        };
        if self.how.is_at_home {
            let Some(path) = path else {
                return Err(Error::refused(recorded.original.place(), "was the original; -o says where it goes now"));
            };
            let there = fs::symlink_metadata(path);
            if !recorded.is_in_place() {
                self.ensure_near(path)?; // what stands there in place is known to the byte
                if there.as_ref().is_ok_and(|there| !there.is_file()) {
                    return Err(Error::refused(path, "is there already, and is no file; -o writes the original elsewhere"));
                }
            }
            if there.is_ok() && self.texts.stands_at_home(file)? == Stands::Original {
                return Ok(None);
            }
        }
        let stands = self.texts.stands(file)?;
        let there = if stands == Stands::Original { Some(self.texts.original(file)?) } else { self.texts.clean(file)? };
        if let Some((copy, clean)) = there.as_ref().zip(recorded.clean.as_ref()).filter(|_| stands == Stands::Clean) {
            ensure_len(clean, copy.len(), recorded.clean_bytes)?;
        }
        let rights = there.map(|there| Permissions::from_mode(there.metadata().permissions().mode() & 0o777));
        let (name, path) = (&recorded.original.name, path.unwrap_or(&recorded.original.name));
        self.how.outputs.draft(name, path, recorded.original.packing, rights).map(Some)
    }

    /// Makes sure that an original is put where whoever restores it can be expected to look.
    fn ensure_near(&self, path: &Path) -> Result<()> {
        let there = path.ancestors().skip(1).find_map(|folder| {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            fs::canonicalize(folder).ok().map(|real| (real, path.strip_prefix(folder).unwrap_or(path)))
        });
        let is_near = there.is_some_and(|(real, rest)| {
            let is_below = rest.components().all(|step| matches!(step, Component::Normal(_) | Component::CurDir));
            is_below && self.near.iter().any(|near| real.starts_with(near))
        });
        if is_near {
            return Ok(());
        }
        let why = "was the original, and is neither below the record's folder nor the current one: restore it from a folder above, or \
                   elsewhere, with -o";
        Err(Error::refused(path, why))
    }

    /// An original that is there, and goes to another place as well.
    fn copied(&self, file: usize, mut draft: Draft) -> Result<Draft> {
        let recorded = self.texts.file(file);
        let original = self.texts.original(file)?;
        if recorded.original.form == Form::Parquet {
            let copied = fs::File::open(recorded.original.path()).and_then(|mut table| io::copy(&mut table, &mut draft));
            return copied.map(|_| draft).map_err(|error| Error::io(recorded.original.place(), error));
        }
        for part in &recorded.parts {
            self.append(file, &original.read(part.original)?, &mut draft)?;
        }
        Ok(draft)
    }

    /// Goes on with bytes of an original. Each record of a packed WARC can be unpacked by itself, as its readers want it.
    fn append(&self, file: usize, bytes: &[u8], draft: &mut Draft) -> Result<()> {
        let original = &self.texts.file(file).original;
        if original.form != Form::Warc || original.packing == Packing::Plain {
            return draft.append(bytes);
        }
        warc::records(bytes).try_for_each(|(record, held)| {
            draft.append(record.of(bytes))?;
            if held != Held::Blank {
                draft.end_member();
            }
            Ok(())
        })
    }

    fn all(&self, file: usize, mut draft: Draft) -> Result<Draft> {
        if self.texts.file(file).original.form == Form::Parquet {
            return tables::restored(self.texts, file, draft);
        }
        let mut original = Vec::new();
        for part in &self.texts.file(file).parts {
            rebuild(self.texts, file, part, &mut original)?;
            self.append(file, &original, &mut draft)?;
        }
        Ok(draft)
    }

    fn parts(&self, file: usize, mut draft: Draft) -> Result<Draft> {
        // Memory that is used again: new memory costs more than what is done with it.
        let [mut made, mut next] = [(); 2].map(|()| vec![Vec::new(); PARTS]);
        let make = |parts: &[Part], originals: &mut [Vec<u8>]| {
            let each = parts.par_iter().zip(originals.par_iter_mut());
            let made = each.try_for_each(|(part, original)| {
                rebuild(self.texts, file, part, original)?;
                (self.how.each)(u64::from(part.number == 0), part.original.len());
                Ok(())
            });
            made.map(|()| parts.len())
        };
        let mut groups = self.texts.file(file).parts.chunks(PARTS);
        let mut count = 0;
        loop {
            let write = || made[..count].iter().try_for_each(|part| self.append(file, part, &mut draft));
            let (written, came) = rayon::join(write, || groups.next().map_or(Ok(0), |parts| make(parts, &mut next)));
            written?;
            count = came?;
            if count == 0 {
                return Ok(draft);
            }
            std::mem::swap(&mut made, &mut next);
        }
    }

    /// An error that kept a file from being made, which may be about another one.
    fn named(&self, file: usize, error: Error) -> Error {
        let recorded = self.texts.file(file);
        let is_own = |input: &Input| input.place() == error.place;
        if is_own(&recorded.original) || recorded.clean.as_ref().is_some_and(is_own) {
            return error;
        }
        Error::refused(recorded.original.place(), format!("can't be made: {error}"))
    }

    fn publish(&mut self, made: Vec<(usize, Result<Came>)>) {
        let mut complete = Vec::with_capacity(made.len());
        for (file, made) in made {
            match made {
                Ok(Came::Made(pending)) => complete.push((file, pending)),
                Ok(Came::WasThere) => self.restored.were_there += 1,
                Err(error) => self.restored.failed.push(self.named(file, error)),
            }
        }
        let files: Vec<usize> = complete.iter().map(|(file, _)| *file).collect();
        for (named, file) in self.how.outputs.publish(complete).zip(files) {
            match named {
                Ok(_) => {
                    self.restored.files += 1;
                    self.restored.bytes += self.texts.file(file).bytes;
                    if self.how.is_at_home && self.texts.file(file).is_in_place() {
                        self.texts.was_restored(file);
                    }
                }
                Err(error) => self.restored.failed.push(error),
            }
        }
    }
}
