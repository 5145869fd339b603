//! Taking a run back: the originals, made of the clean copies and the record alone.

use super::reading::{Part, Record};
use super::replay::rebuild;
use super::tables;
use super::texts::{Stands, Texts};
use crate::apply::{Draft, Outputs, Pending, ensure_replaceable};
use crate::error::{Error, Result};
use crate::source::{Form, Origin};
use crate::threads::Threads;
use rayon::prelude::*;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
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

/// Gives back the originals of a run. They go to `outputs`, or, if that `is_at_home`, to where they were. Once `stop` is set, no
/// other file is begun.
///
/// # Errors
/// If files that are needed aren't there; nothing is written then. What can't be made of them is left out, and named.
pub fn restore(
    record: &Record,
    outputs: &Outputs,
    is_at_home: bool,
    temporary: &Path,
    threads: &Threads,
    stop: &AtomicBool,
) -> Result<Restored> {
    let texts = Texts::new(record, temporary);
    texts.ensure_there(false)?;
    texts.rely_on_clean_copies();
    let unknown = if record.is_in_place() && is_at_home { threads.run(|| unknown(&texts)) } else { Vec::new() };
    if !unknown.is_empty() {
        return Ok(Restored { failed: unknown, ..Restored::default() });
    }
    let mut restoring = Restoring { texts: &texts, outputs, is_at_home, restored: Restored::default() };
    let mut batch = Vec::new();
    let mut bytes = 0;
    for (file, recorded) in record.files().iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            batch.clear();
            break;
        }
        if recorded.bytes >= TOGETHER && recorded.original.form != Form::Parquet {
            restoring.batch(std::mem::take(&mut batch), threads);
            restoring.large(file, threads);
            bytes = 0;
            continue;
        }
        batch.push(file);
        bytes += recorded.bytes;
        if bytes >= TOGETHER || batch.len() == MOST_FILES {
            restoring.batch(std::mem::take(&mut batch), threads);
            bytes = 0;
        }
    }
    restoring.batch(batch, threads);
    if let Err(error) = outputs.finish() {
        restoring.restored.failed.push(error);
    }
    Ok(restoring.restored)
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

struct Restoring<'a> {
    texts: &'a Texts<'a>,
    outputs: &'a Outputs,
    is_at_home: bool,
    restored: Restored,
}

/// What came of a file.
enum Came {
    Made(Option<Pending>),
    WasThere,
}

impl Restoring<'_> {
    /// Small files, side by side.
    fn batch(&mut self, files: Vec<usize>, threads: &Threads) {
        let one = |&file: &usize| self.begin(file).and_then(|draft| self.all(file, draft));
        let made: Vec<Result<Came>> = threads.run(|| files.par_iter().map(one).collect());
        self.publish(files.into_iter().zip(made).collect());
    }

    /// A large file, whose parts are made side by side.
    fn large(&mut self, file: usize, threads: &Threads) {
        let made = self.begin(file).and_then(|draft| match draft {
            None => Ok(Came::WasThere),
            Some(draft) => threads.run(|| self.parts(file, draft)),
        });
        self.publish(vec![(file, made)]);
    }

    /// Begins the original of a file, unless it is there.
    fn begin(&self, file: usize) -> Result<Option<Draft>> {
        let recorded = self.texts.file(file);
        let path = match &recorded.original.from {
            Origin::Named(path) | Origin::Walked(path) => Some(&**path),
            Origin::Stdin => None,
        };
        if self.is_at_home {
            let Some(path) = path else {
                return Err(Error::refused(recorded.original.place(), "was the original; -o says where it goes now"));
            };
            let is_there = recorded.is_in_place() || fs::symlink_metadata(path).is_ok();
            if is_there && self.texts.stands_at_home(file)? == Stands::Original {
                return Ok(None);
            }
        }
        let permissions =
            self.texts.clean(file)?.map(|copy| Permissions::from_mode(copy.metadata().permissions().mode() & 0o777));
        let (name, path) = (&recorded.original.name, path.unwrap_or(&recorded.original.name));
        self.outputs.draft(name, path, recorded.original.packing, permissions).map(Some)
    }

    fn all(&self, file: usize, draft: Option<Draft>) -> Result<Came> {
        let Some(mut draft) = draft else { return Ok(Came::WasThere) };
        if self.texts.file(file).original.form == Form::Parquet {
            return tables::restored(self.texts, file, draft)?.finish().map(Came::Made);
        }
        let mut original = Vec::new();
        for part in &self.texts.file(file).parts {
            rebuild(self.texts, file, part, &mut original)?;
            draft.append(&original)?;
        }
        draft.finish().map(Came::Made)
    }

    fn parts(&self, file: usize, mut draft: Draft) -> Result<Came> {
        // Memory that is used again: new memory costs more than what is done with it.
        let [mut made, mut next] = [(); 2].map(|()| vec![Vec::new(); PARTS]);
        let make = |parts: &[Part], originals: &mut [Vec<u8>]| {
            let each = parts.par_iter().zip(originals.par_iter_mut());
            each.try_for_each(|(part, original)| rebuild(self.texts, file, part, original)).map(|()| parts.len())
        };
        let mut groups = self.texts.file(file).parts.chunks(PARTS);
        let mut count = 0;
        loop {
            let write = || made[..count].iter().try_for_each(|part| draft.append(part));
            let (written, came) = rayon::join(write, || groups.next().map_or(Ok(0), |parts| make(parts, &mut next)));
            written?;
            count = came?;
            if count == 0 {
                return draft.finish().map(Came::Made);
            }
            std::mem::swap(&mut made, &mut next);
        }
    }

    fn publish(&mut self, made: Vec<(usize, Result<Came>)>) {
        let mut complete = Vec::with_capacity(made.len());
        for (file, made) in made {
            match made {
                Ok(Came::Made(pending)) => complete.push((file, pending)),
                Ok(Came::WasThere) => self.restored.were_there += 1,
                Err(error) => self.restored.failed.push(error),
            }
        }
        let files: Vec<usize> = complete.iter().map(|(file, _)| *file).collect();
        for (named, file) in self.outputs.publish(complete).zip(files) {
            match named {
                Ok(_) => {
                    self.restored.files += 1;
                    self.restored.bytes += self.texts.file(file).bytes;
                    if self.is_at_home && self.texts.file(file).is_in_place() {
                        self.texts.was_restored(file);
                    }
                }
                Err(error) => self.restored.failed.push(error),
            }
        }
    }
}
