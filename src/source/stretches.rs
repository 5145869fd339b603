//! A container of lines in stretches: a mapped or read one as it stands, a stream as a thread of its own reads and unpacks it,
//! ahead of those who use it.

use super::records::{Passed, Stretch};
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

/// So many times that it may be ahead.
const AHEAD: usize = 4;
/// A place in the channel to those who use it, which is bounded in places, is for so many bytes.
const PLACE: usize = 512 << 10;
/// So often who waits for a stream looks whether the run is to end.
const PATIENCE: Duration = Duration::from_millis(50);

/// Consecutive stretches of whole lines; only the last one may lack its line end.
pub(crate) struct Stretches(Way);

enum Way {
    Whole(Bytes),
    Stream {
        stretches: Receiver<io::Result<Stretch>>,
        reader: Option<JoinHandle<()>>,
        /// Whether they are small, so that many make a batch.
        are_small: bool,
        /// What came after those that were asked for.
        failed: Option<io::Error>,
    },
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
        Self::of(pace, false, move || {
            let failed = io::copy(&mut (&mut stream).take(from), &mut io::sink()).err();
            let mut lines = Lines { stream, keeps_broken, pace, rest: Vec::new(), is_passing: false, failed };
            std::iter::from_fn(move || lines.next().transpose())
        })
    }

    /// Stretches whose records are found as they are read, behind the first `done` of them.
    ///
    /// # Errors
    /// If the system doesn't allow another thread.
    pub(crate) fn of_records(
        stretches: impl Iterator<Item = io::Result<Stretch>> + Send + 'static,
        pace: Pace,
        done: u64,
    ) -> io::Result<Self> {
        Self::of(pace, true, move || {
            let numbered = (0..).zip(stretches);
            numbered.skip_while(move |(number, stretch)| *number < done && stretch.is_ok()).map(|(_, stretch)| stretch)
        })
    }

    /// Those that a thread of its own makes.
    fn of<I: Iterator<Item = io::Result<Stretch>>>(
        pace: Pace,
        are_small: bool,
        begin: impl FnOnce() -> I + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, stretches) = sync_channel((AHEAD * pace.stretch / PLACE).max(AHEAD));
        let reader = beside("reader", move || {
            for stretch in begin() {
                let is_last = stretch.is_err();
                let places = stretch.as_ref().map_or(1, |stretch| stretch.bytes.len() / PLACE);
                // Nobody listens any more: the run has ended.
                if send(&sender, stretch, places, || Ok(Stretch::lines(Bytes::new()))).is_err() || is_last {
                    break;
                }
            }
        })?;
        Ok(Self(Way::Stream { stretches, reader: Some(reader), are_small, failed: None }))
    }

    /// More stretches, of about so many bytes, or as much as a stream has by now; none at the end. A stream has no more once `stop`
    /// is set.
    ///
    /// # Errors
    /// Those of the stream, after all that came before.
    pub(crate) fn next(&mut self, size: usize, stop: &AtomicBool) -> io::Result<Vec<Stretch>> {
        let Way::Stream { stretches, reader, are_small, failed } = &mut self.0 else { return Ok(self.next_of_whole(size)) };
        if let Some(error) = failed.take() {
            return Err(error);
        }
        let first = loop {
            match stretches.recv_timeout(PATIENCE) {
                Ok(come) if come.as_ref().is_ok_and(Stretch::only_takes_a_place) => {}
                Ok(come) => break come?,
                Err(RecvTimeoutError::Timeout) if !stop.load(Ordering::Relaxed) => {}
                Err(RecvTimeoutError::Timeout) => return Ok(Vec::new()),
                Err(RecvTimeoutError::Disconnected) => {
                    let ended = reader.take().map_or(Ok(()), JoinHandle::join);
                    return ended.map(|()| Vec::new()).map_err(|_| io::Error::other("its reader broke off"));
                }
            }
        };
        let mut bytes = first.bytes.len();
        let mut all = vec![first];
        while *are_small
            && bytes < size
            && let Ok(come) = stretches.try_recv()
        {
            match come {
                Ok(stretch) if stretch.only_takes_a_place() => {}
                Ok(stretch) => {
                    bytes += stretch.bytes.len();
                    all.push(stretch);
                }
                Err(error) => {
                    *failed = Some(error);
                    break;
                }
            }
        }
        Ok(all)
    }

    fn next_of_whole(&mut self, size: usize) -> Vec<Stretch> {
        let Way::Whole(bytes) = &mut self.0 else { return Vec::new() };
        if bytes.is_empty() {
            return Vec::new();
        }
        let end = line_end(bytes, size);
        vec![Stretch::lines(bytes.split_to(end))]
    }
}

impl Stretch {
    /// Whether it is only there so that a larger one takes as many places as it has the length of.
    fn only_takes_a_place(&self) -> bool {
        self.bytes.is_empty() && self.records.is_none()
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
    /// The beginning of a line whose end has not come yet.
    rest: Vec<u8>,
    /// Whether that line is too long, and its beginning was passed on.
    is_passing: bool,
    /// What kept more from coming.
    failed: Option<io::Error>,
}

impl<R: Read> Lines<R> {
    fn next(&mut self) -> io::Result<Option<Stretch>> {
        let mut bytes = std::mem::take(&mut self.rest);
        let mut searched = 0; // behind a line that was passed on there may be whole ones
        loop {
            let of_lines = if self.is_passing { memchr::memchr } else { memchr::memrchr };
            if let Some(lf) = of_lines(b'\n', &bytes[searched..]) {
                self.rest = bytes.split_off(searched + lf + 1);
                return Ok(Some(self.stretch(bytes)));
            }
            let (known, size, longest) = (bytes.len(), self.pace.stretch, self.pace.longest);
            if known as u64 > longest || (known > 0 && self.is_passing) {
                return Ok(Some(self.pass(bytes, false)));
            }
            if self.failed.is_some() && self.keeps_broken && known > 0 {
                return Ok(Some(self.stretch(bytes)));
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            // No more than shows that a line is too long: which line is must not depend on how it comes.
            let most = (longest - known as u64).saturating_add(1);
            let wanted = most.min(size.saturating_sub(known).max(size / 4).max(known) as u64);
            bytes.reserve(wanted as usize);
            self.failed = { &mut self.stream }.take(wanted).read_to_end(&mut bytes).err();
            if bytes.len() == known && self.failed.is_none() {
                return Ok((known > 0).then(|| self.stretch(bytes)));
            }
            searched = known;
        }
    }

    /// What is handed on next: whole lines, or the last part of one that is passed on.
    fn stretch(&mut self, bytes: Vec<u8>) -> Stretch {
        if self.is_passing {
            return self.pass(bytes, true);
        }
        Stretch::lines(bytes.into())
    }

    /// Hands on a part of a line that is too long.
    fn pass(&mut self, bytes: Vec<u8>, is_last: bool) -> Stretch {
        let is_first = !std::mem::replace(&mut self.is_passing, !is_last);
        let passed = Passed { is_first, is_last, longest: self.pace.longest };
        Stretch { passed: Some(passed), ..Stretch::lines(bytes.into()) }
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
    fn a_line_that_is_too_long_is_passed_on_in_parts() {
        let pace = Pace { stretch: 8, longest: 20 };
        let all = |lines: &[usize], has_end: bool| {
            let mut text: Vec<u8> = lines.iter().flat_map(|&len| [&vec![b'x'; len - 1][..], b"\n"].concat()).collect();
            if !has_end {
                text.pop();
            }
            let mut lines =
                Lines { stream: &*text, keeps_broken: false, pace, rest: Vec::new(), is_passing: false, failed: None };
            let all: Vec<Stretch> = std::iter::from_fn(|| lines.next().unwrap()).collect();
            assert_eq!(all.iter().flat_map(|stretch| &stretch.bytes).copied().collect::<Vec<u8>>(), text);
            let passed = |stretch: &Stretch| stretch.passed.map(|passed| (passed.is_first, passed.is_last));
            all.iter().map(|stretch| (stretch.bytes.len(), passed(stretch))).collect::<Vec<_>>()
        };
        let (begins, goes_on, ends) = (Some((true, false)), Some((false, false)), Some((false, true)));
        for has_end in [true, false] {
            let fits = all(&[3, 21], has_end);
            assert_eq!(fits, if has_end { [(3, None), (21, None)] } else { [(3, None), (20, None)] });
        }
        let long = all(&[3, 22, 2, 2, 31], true);
        assert_eq!(long, [(3, None), (21, begins), (1, ends), (4, None), (21, begins), (8, goes_on), (2, ends)]);
        assert_eq!(all(&[3, 22], false), [(3, None), (21, begins)]);
    }

    #[test]
    fn the_reader_is_no_further_ahead_of_long_lines_than_of_short_ones() {
        for line in [1 << 20, 16 << 20] {
            let read = Arc::new(AtomicUsize::new(0));
            let mut stretches = Stretches::of_stream(Box::new(Endless(line, Arc::clone(&read))), false, PACE, 0).unwrap();
            let first = stretches.next(0, &AtomicBool::new(false)).unwrap().remove(0).bytes;
            assert!(first.len() >= line && first.ends_with(b"\n"));
            let mut all = 0;
            while all < read.load(Ordering::Relaxed) {
                all = read.load(Ordering::Relaxed);
                thread::sleep(Duration::from_millis(200)); // until it waits
            }
            assert!(all <= first.len() + line + (AHEAD + 2) * PACE.stretch, "{all} bytes read for lines of {line}");
            let second = stretches.next(0, &AtomicBool::new(false)).unwrap().remove(0).bytes;
            assert!(second.len() >= line && second.ends_with(b"\n"));
        }
    }
}
