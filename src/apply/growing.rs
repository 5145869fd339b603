//! The clean copy of a container that comes stretch by stretch: a thread of its own packs and writes it, while the next
//! stretches are read and compared.

use super::pending::{Berth, Pending};
use super::piece::{Kind, Piece};
use super::sink::{Sink, Writing};
use crate::error::{Error, Place, Result};
use crate::source::{Source, Watch};
use crate::threads::{Threads, beside, send};
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use tempfile::NamedTempFile;

/// So much of what waits to be written is a place in the channel; a larger piece takes several.
const PIECE: usize = 512 << 10;

/// An output that grows. Dropping it before it is finished removes it, unless it is a stream.
#[must_use]
pub struct Growing {
    /// What comes next; nothing when the output is complete.
    pieces: Option<SyncSender<Option<Piece>>>,
    writer: Option<JoinHandle<io::Result<()>>>,
    place: Place,
    /// What its stretches come from.
    source: Arc<Watch>,
    /// The file it is before it has its name.
    named: Option<(Berth, NamedTempFile)>,
}

impl Growing {
    pub(super) fn to_stream(file: File, place: Place, source: &Source, writing: Writing, threads: &Arc<Threads>) -> Result<Self> {
        Self::start(file, place, source, writing, threads, None)
    }

    pub(super) fn to_file(berth: Berth, source: &Source, writing: Writing, threads: &Arc<Threads>) -> Result<Self> {
        let place = Place::from(&berth.given);
        let named = berth.open(source.permissions())?;
        let file = named.as_file().try_clone().map_err(|error| Error::io(place.clone(), error))?;
        Self::start(file, place, source, writing, threads, Some((berth, named)))
    }

    fn start(
        file: File,
        place: Place,
        source: &Source,
        writing: Writing,
        threads: &Arc<Threads>,
        named: Option<(Berth, NamedTempFile)>,
    ) -> Result<Self> {
        let (sender, pieces) = sync_channel((writing.waiting / PIECE).max(2));
        let threads = Arc::clone(threads);
        let write = move || write(threads.run(|| writing.to(file))?, &threads, &pieces);
        let writer = beside("writer", write).map_err(|error| Error::io(place.clone(), error))?;
        Ok(Self { pieces: Some(sender), writer: Some(writer), place, source: Arc::clone(source.watch()), named })
    }

    /// Goes on with a piece.
    ///
    /// # Errors
    /// If what came before can't be written.
    pub fn append(&mut self, piece: Piece) -> Result<()> {
        let sender = self.pieces.as_ref().expect("nothing is appended after the end");
        let places = piece.len() / PIECE;
        let sent = send(sender, Some(piece), places, || Some(Piece(Kind::Nothing)));
        // The writer listens until it fails.
        if sent.is_ok() { Ok(()) } else { self.end() }
    }

    /// Ends it; what goes to a file waits for its name.
    ///
    /// # Errors
    /// If it can't be written, or what it comes from changed meanwhile.
    pub fn finish(mut self) -> Result<Option<Pending>> {
        if let Some(sender) = &self.pieces {
            let _ = sender.send(None); // a writer that doesn't listen has failed, as the end shows
        }
        self.end()?;
        let Some((berth, file)) = self.named.take() else { return Ok(None) };
        Pending::of(berth, file, true).map(Some)
    }

    fn end(&mut self) -> Result<()> {
        self.pieces = None;
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let written = writer.join().unwrap_or_else(|_| Err(io::Error::other("the writer broke off")));
        // What the system says of bytes that vanish while they are written puts the blame on the output.
        match self.source.ensure_unchanged() {
            Err(changed) if self.named.is_none() => Err(changed.spoiling(self.place.clone())),
            unchanged => unchanged.and(written.map_err(|error| {
                // What doesn't go into the form of the output is no fault of its place.
                let is_of_source = error.kind() == io::ErrorKind::InvalidData;
                Error::io(if is_of_source { self.source.place().clone() } else { self.place.clone() }, error)
            })),
        }
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        let _ = self.end(); // whoever drops it has an error already
    }
}

/// Writes what comes. What isn't completed isn't ended as its form demands, so that nobody takes it for whole.
fn write(mut sink: Sink, threads: &Threads, pieces: &Receiver<Option<Piece>>) -> io::Result<()> {
    for piece in pieces {
        let Some(piece) = piece else { return sink.finish(threads) };
        sink.put(piece.0, threads)?;
    }
    Ok(())
}
