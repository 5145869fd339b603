//! The clean copy of a container that comes stretch by stretch: a thread of its own packs and writes it, while the next
//! stretches are read and compared.

use super::copy::CleanCopy;
use super::pending::{Berth, Pending};
use crate::document::Span;
use crate::error::{Error, Place, Result};
use crate::source::{Packer, Packing, Source, Watch};
use crate::threads::{Threads, beside, send};
use bytes::Bytes;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use tempfile::NamedTempFile;

/// So many stretches may wait to be written: a batch of them.
const WAITING: usize = 32;
/// A longer one counts for as many as it has this length of.
const STRETCH: usize = 512 << 10;

/// What comes next: a stretch, and what goes of it; or that the output is complete.
type Next = Option<(Bytes, Vec<Span>)>;

/// An output that grows. Dropping it before it is finished removes it, unless it is a stream.
#[must_use]
pub struct Growing {
    stretches: Option<SyncSender<Next>>,
    writer: Option<JoinHandle<io::Result<()>>>,
    place: Place,
    /// What its stretches come from.
    source: Arc<Watch>,
    /// The file it is before it has its name.
    named: Option<(Berth, NamedTempFile)>,
}

impl Growing {
    pub(super) fn to_stream(file: File, place: Place, source: &Source, packing: Packing, threads: &Arc<Threads>) -> Result<Self> {
        Self::start(file, place, source, packing, threads, None)
    }

    pub(super) fn to_file(berth: Berth, source: &Source, packing: Packing, threads: &Arc<Threads>) -> Result<Self> {
        let place = Place::from(&berth.given);
        let named = berth.open(source.permissions())?;
        let file = named.as_file().try_clone().map_err(|error| Error::io(place.clone(), error))?;
        Self::start(file, place, source, packing, threads, Some((berth, named)))
    }

    fn start(
        file: File,
        place: Place,
        source: &Source,
        packing: Packing,
        threads: &Arc<Threads>,
        named: Option<(Berth, NamedTempFile)>,
    ) -> Result<Self> {
        let (sender, stretches) = sync_channel(WAITING);
        let threads = Arc::clone(threads);
        let write = move || write(file, packing, &threads, &stretches);
        let writer = beside("writer", write).map_err(|error| Error::io(place.clone(), error))?;
        Ok(Self { stretches: Some(sender), writer: Some(writer), place, source: Arc::clone(source.watch()), named })
    }

    /// Goes on with a stretch, less its cuts (in order, without overlap).
    ///
    /// # Errors
    /// If what came before can't be written.
    pub fn append(&mut self, stretch: Bytes, cuts: Vec<Span>) -> Result<()> {
        let sender = self.stretches.as_ref().expect("nothing is appended after the end");
        let places = stretch.len() / STRETCH;
        let sent = send(sender, Some((stretch, cuts)), places, || Some((Bytes::new(), Vec::new())));
        // The writer listens until it fails.
        if sent.is_ok() { Ok(()) } else { self.end() }
    }

    /// Ends it; what goes to a file waits for its name.
    ///
    /// # Errors
    /// If it can't be written, or what it comes from changed meanwhile.
    pub fn finish(mut self) -> Result<Option<Pending>> {
        if let Some(sender) = &self.stretches {
            let _ = sender.send(None); // a writer that doesn't listen has failed, as the end shows
        }
        self.end()?;
        let Some((berth, file)) = self.named.take() else { return Ok(None) };
        Ok(Some(Pending::of(berth, file, true)))
    }

    fn end(&mut self) -> Result<()> {
        self.stretches = None;
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let written = writer.join().unwrap_or_else(|_| Err(io::Error::other("the writer broke off")));
        // What the system says of bytes that vanish while they are written puts the blame on the output.
        match self.source.ensure_unchanged() {
            Err(changed) if self.named.is_none() => Err(changed.spoiling(self.place.clone())),
            unchanged => unchanged.and(written.map_err(|error| Error::io(self.place.clone(), error))),
        }
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        let _ = self.end(); // whoever drops it has an error already
    }
}

/// Writes what comes. What isn't completed isn't ended as its packing demands, so that nobody takes it for whole.
fn write(file: File, packing: Packing, threads: &Threads, stretches: &Receiver<Next>) -> io::Result<()> {
    if packing == Packing::Plain {
        return copy(&file, stretches, |more| more()).map(drop);
    }
    let mut packer: Packer<File> = threads.run(|| packing.writer(file))?;
    if copy(&mut packer, stretches, |more| threads.run(more))? { threads.run(|| packer.finish()).map(drop) } else { Ok(()) }
}

/// Copies what comes, and says whether that is all. `on` is where it is written.
fn copy(
    mut out: impl Write + Send,
    stretches: &Receiver<Next>,
    on: impl Fn(&mut (dyn FnMut() -> io::Result<()> + Send)) -> io::Result<()>,
) -> io::Result<bool> {
    for next in stretches {
        let Some((bytes, cuts)) = next else { return Ok(true) };
        let copy = CleanCopy { source: &bytes, cuts: &cuts, packing: Packing::Plain };
        on(&mut || copy.write_plain_to(&mut out))?;
    }
    Ok(false)
}
