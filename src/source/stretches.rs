//! A container of lines in stretches: a mapped or read one as it stands, a stream as a thread of its own reads and unpacks it,
//! ahead of those who use it.

use crate::error::count;
use crate::threads::{beside, send};
use bytes::Bytes;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How a stream is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// So much its reader hands on at a time, but no less than a line.
    pub(crate) stretch: usize,
    /// The longest line there may be, in bytes.
    pub(crate) longest: u64,
}

/// So many stretches it may be ahead, a longer one counting for as many as it has the length of.
const AHEAD: usize = 4;
/// So often who waits for a stream looks whether the run is to end.
const PATIENCE: Duration = Duration::from_millis(50);

/// Consecutive stretches of whole lines; only the last one may lack its line end.
pub(crate) struct Stretches(Way);

enum Way {
    Whole(Bytes),
    Stream(Receiver<io::Result<Bytes>>, Option<JoinHandle<()>>),
}

impl Stretches {
    /// The stretches of bytes that are there.
    pub(crate) fn of_bytes(bytes: Bytes) -> Self {
        Self(Way::Whole(bytes))
    }

    /// The stretches of a stream behind its first `from` bytes. What came before an error is handed on before it; a part of a line
    /// only if it `keeps_broken`.
    ///
    /// # Errors
    /// If the system doesn't allow another thread.
    pub(crate) fn of_stream(
        mut stream: impl Read + Send + 'static,
        keeps_broken: bool,
        pace: Pace,
        from: u64,
    ) -> io::Result<Self> {
        let (sender, stretches) = sync_channel(AHEAD);
        let reader = beside("reader", move || {
            let failed = io::copy(&mut (&mut stream).take(from), &mut io::sink()).err();
            let mut lines = Lines { stream, keeps_broken, pace, given: from, rest: Vec::new(), failed };
            // Nobody listens any more: the run has ended.
            while let Some(stretch) = lines.next().transpose() {
                let is_last = stretch.is_err();
                let places = stretch.as_ref().map_or(1, |stretch| stretch.len() / pace.stretch);
                if send(&sender, stretch, places, || Ok(Bytes::new())).is_err() || is_last {
                    break;
                }
            }
        })?;
        Ok(Self(Way::Stream(stretches, Some(reader))))
    }

    /// At least one more stretch, if there is one: about so many bytes, or as much as a stream has by now. A stream has no more
    /// once `stop` is set.
    ///
    /// # Errors
    /// Those of the stream, after all that came before.
    pub(crate) fn next(&mut self, size: usize, stop: &AtomicBool) -> io::Result<Option<Bytes>> {
        match &mut self.0 {
            Way::Whole(bytes) if bytes.is_empty() => Ok(None),
            Way::Whole(bytes) => {
                let end = line_end(bytes, size);
                Ok(Some(bytes.split_to(end)))
            }
            Way::Stream(stretches, reader) => loop {
                match stretches.recv_timeout(PATIENCE) {
                    Ok(Ok(bytes)) if bytes.is_empty() => {} // it only took a place
                    Ok(come) => return come.map(Some),
                    Err(RecvTimeoutError::Timeout) if !stop.load(Ordering::Relaxed) => {}
                    Err(RecvTimeoutError::Timeout) => return Ok(None),
                    Err(RecvTimeoutError::Disconnected) => {
                        let ended = reader.take().map_or(Ok(()), JoinHandle::join);
                        return ended.map(|()| None).map_err(|_| io::Error::other("its reader broke off"));
                    }
                }
            },
        }
    }
}

/// Where the line ends that holds the byte before `at`, or the text.
pub(crate) fn line_end(text: &[u8], at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    let from = at.saturating_sub(1);
    memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |lf| from + lf + 1)
}

struct Lines<R> {
    stream: R,
    keeps_broken: bool,
    pace: Pace,
    /// How many bytes were handed on.
    given: u64,
    /// The beginning of a line whose end has not come yet.
    rest: Vec<u8>,
    /// What kept more from coming.
    failed: Option<io::Error>,
}

impl<R: Read> Lines<R> {
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        let mut stretch = std::mem::take(&mut self.rest);
        loop {
            if self.failed.is_some() && self.keeps_broken && !stretch.is_empty() {
                return Ok(Some(stretch.into()));
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            let (known, size) = (stretch.len(), self.pace.stretch);
            if known as u64 > self.pace.longest {
                return Err(self.too_long());
            }
            let wanted = size.saturating_sub(known).max(size / 4).max(known) as u64;
            stretch.reserve(wanted as usize);
            self.failed = { &mut self.stream }.take(wanted).read_to_end(&mut stretch).err();
            let is_end = stretch.len() == known && self.failed.is_none();
            if let Some(lf) = memchr::memrchr(b'\n', &stretch[known..]) {
                self.rest = stretch.split_off(known + lf + 1);
                self.given += stretch.len() as u64;
                return Ok(Some(stretch.into()));
            }
            if is_end {
                return Ok((!stretch.is_empty()).then(|| stretch.into()));
            }
        }
    }

    fn too_long(&self) -> io::Error {
        let (at, longest) = (count(self.given), count(self.pace.longest >> 20));
        let why = format!("the line that begins at byte {at} has more than {longest} MB, more than --memory holds");
        io::Error::new(io::ErrorKind::FileTooLarge, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    const PACE: Pace = Pace { stretch: 4 << 20, longest: 64 << 20 };

    /// Lines of so many bytes without end, and how many of their bytes were read.
    struct Endless(usize, Arc<AtomicUsize>);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = buffer.len().min(1 << 20);
            let read = self.1.fetch_add(len, Ordering::Relaxed);
            let byte = |at: usize| if (read + at + 1).is_multiple_of(self.0) { b'\n' } else { b'x' };
            buffer[..len].iter_mut().enumerate().for_each(|(at, to)| *to = byte(at));
            Ok(len)
        }
    }

    #[test]
    fn the_reader_is_no_further_ahead_of_long_lines_than_of_short_ones() {
        for line in [1 << 20, 16 << 20] {
            let read = Arc::new(AtomicUsize::new(0));
            let mut stretches = Stretches::of_stream(Box::new(Endless(line, Arc::clone(&read))), false, PACE, 0).unwrap();
            let first = stretches.next(0, &AtomicBool::new(false)).unwrap().unwrap();
            assert!(first.len() >= line && first.ends_with(b"\n"));
            let mut all = 0;
            while all < read.load(Ordering::Relaxed) {
                all = read.load(Ordering::Relaxed);
                thread::sleep(Duration::from_millis(200)); // until it waits
            }
            assert!(all <= first.len() + line + (AHEAD + 2) * PACE.stretch, "{all} bytes read for lines of {line}");
            let second = stretches.next(0, &AtomicBool::new(false)).unwrap().unwrap();
            assert!(second.len() >= line && second.ends_with(b"\n"));
        }
    }
}
