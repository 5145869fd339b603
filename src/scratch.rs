//! Temporary space: many streams of bytes in one file that has no name, so that nothing stays behind however the program ends.
//! Knows bytes only.

use crate::error::{Error, Place, Result, io_reason};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// The file is given out in pieces of this size: large enough that a piece is worth a system call, small enough that hundreds of
/// streams can each hold one in memory.
const CHUNK: usize = 32 << 10;

/// A file without a name.
pub(crate) struct Scratch {
    file: File,
    folder: PathBuf,
    chunks: Mutex<Chunks>,
}

/// Which pieces of the file are in use.
#[derive(Default)]
struct Chunks {
    free: Vec<u32>,
    /// How many there are, free or not.
    count: u32,
}

impl Scratch {
    /// A new one in a folder.
    ///
    /// # Errors
    /// If that can't be written to.
    pub(crate) fn new(folder: &Path) -> Result<Arc<Self>> {
        match tempfile::tempfile_in(folder) {
            Ok(file) => Ok(Arc::new(Self { file, folder: folder.into(), chunks: Mutex::default() })),
            Err(error) => Err(failed(folder, &error)),
        }
    }

    /// The most bytes it has held so far.
    pub(crate) fn size(&self) -> u64 {
        u64::from(self.chunks.lock().expect("nothing panics with the lock").count) * CHUNK as u64
    }

    fn write(&self, bytes: &[u8]) -> Result<u32> {
        let chunk = {
            let mut chunks = self.chunks.lock().expect("nothing panics with the lock");
            let new = chunks.count;
            chunks.free.pop().unwrap_or_else(|| {
                chunks.count += 1;
                new
            })
        };
        let written = self.file.write_all_at(bytes, u64::from(chunk) * CHUNK as u64);
        written.map(|()| chunk).map_err(|error| failed(&self.folder, &error))
    }

    fn read(&self, chunk: u32, at: usize, bytes: &mut [u8]) -> Result<()> {
        let read = self.file.read_exact_at(bytes, u64::from(chunk) * CHUNK as u64 + at as u64);
        read.map_err(|error| failed(&self.folder, &error))
    }

    fn give_back(&self, chunks: impl Iterator<Item = u32>) {
        self.chunks.lock().expect("nothing panics with the lock").free.extend(chunks);
    }
}

/// A file without a name in a folder.
///
/// # Errors
/// If there can't be one; the error names the folder, since what it is for has another place.
pub(crate) fn nameless(folder: &Path) -> io::Result<File> {
    tempfile::tempfile_in(folder).map_err(|error| in_folder(folder, &error))
}

/// An error of such a file that names its folder, since it becomes one of another place.
pub(crate) fn in_folder(folder: &Path, error: &io::Error) -> io::Error {
    let why = format!("temporary file in {}: {}; --temp-dir names another folder", folder.display(), io_reason(error));
    io::Error::new(error.kind(), why)
}

/// Bytes that wait until what they are a part of is complete: in memory, or, if they are many, in a file without a name.
pub(crate) struct Waiting {
    /// Those that came first, if they are many.
    file: Option<File>,
    rest: Vec<u8>,
    /// So many may be in memory.
    most: usize,
    folder: PathBuf,
}

impl Waiting {
    /// None; of those that come so many may be in memory, and more go to this folder.
    pub(crate) fn new(most: usize, folder: PathBuf) -> Self {
        Self { file: None, rest: Vec::new(), most, folder }
    }

    /// Goes on with these bytes.
    ///
    /// # Errors
    /// If there is no room for them.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<()> {
        if self.rest.len() + bytes.len() <= self.most {
            self.rest.extend_from_slice(bytes);
            return Ok(());
        }
        let write = |file: &mut File| file.write_all(&self.rest).and_then(|()| file.write_all(bytes));
        let written = match &mut self.file {
            Some(file) => write(file),
            none => tempfile::tempfile_in(&self.folder).and_then(|file| write(none.insert(file))),
        };
        self.rest.clear();
        written.map_err(|error| failed(&self.folder, &error))
    }

    /// Hands on all of them; then there are none.
    ///
    /// # Errors
    /// Those of whoever takes them, and if they can't be read.
    pub(crate) fn hand_on(&mut self, mut to: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let failed = |error: io::Error| failed(&self.folder, &error);
        if let Some(mut file) = self.file.take() {
            file.rewind().map_err(failed)?;
            let mut piece = vec![0; CHUNK];
            loop {
                match file.read(&mut piece).map_err(failed)? {
                    0 => break,
                    len => to(&piece[..len])?,
                }
            }
        }
        to(&self.rest)?;
        self.rest.clear();
        Ok(())
    }
}

/// How many bytes are free in a folder.
///
/// # Errors
/// If the system doesn't tell.
pub(crate) fn free(folder: &Path) -> Result<u64> {
    let free = rustix::fs::statvfs(folder).map(|system| system.f_bavail * system.f_frsize);
    free.map_err(|error| failed(folder, &error.into()))
}

fn failed(folder: &Path, error: &io::Error) -> Error {
    let why = format!("{}; --temp-dir names another folder for temporary files", io_reason(error));
    Error::refused(Place::Path(folder.into()), why)
}

/// A stream of bytes that is written first and read then.
pub(crate) struct Tape {
    scratch: Arc<Scratch>,
    chunks: Vec<u32>,
    /// How many of those are given back.
    given_back: usize,
    /// What comes after those.
    rest: Vec<u8>,
    /// How many bytes of the last chunk are its, if it has ended.
    in_last: usize,
}

impl Tape {
    /// An empty one.
    pub(crate) fn new(scratch: &Arc<Scratch>) -> Self {
        Self { scratch: Arc::clone(scratch), chunks: Vec::new(), given_back: 0, rest: Vec::new(), in_last: CHUNK }
    }

    /// An empty one in the same file.
    pub(crate) fn another(&self) -> Self {
        Self::new(&self.scratch)
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> u64 {
        (self.chunks.len() * CHUNK + self.rest.len()) as u64 - (CHUNK - self.in_last) as u64
    }

    /// Nothing more is put on it: what is in memory goes to the file.
    ///
    /// # Errors
    /// If there is no room for it.
    pub(crate) fn end(&mut self) -> Result<()> {
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            self.chunks.push(self.scratch.write(&rest)?);
            self.in_last = rest.len();
        }
        Ok(())
    }

    /// Goes on with these bytes.
    ///
    /// # Errors
    /// If there is no room for them.
    #[inline] // so that a few bytes are copied without a call
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.rest.extend_from_slice(bytes);
        if self.rest.len() >= CHUNK { self.write() } else { Ok(()) }
    }

    /// Goes on with a number: seven bits a byte, the lowest first (LEB128).
    ///
    /// # Errors
    /// As [`Tape::put`].
    pub(crate) fn put_number(&mut self, mut number: u64) -> Result<()> {
        while number >= 0x80 {
            self.rest.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.put(&[number as u8])
    }

    #[inline(never)]
    fn write(&mut self) -> Result<()> {
        let whole = self.rest.len() / CHUNK * CHUNK;
        for chunk in self.rest[..whole].chunks(CHUNK) {
            self.chunks.push(self.scratch.write(chunk)?);
        }
        self.rest.drain(..whole);
        Ok(())
    }

    /// Forgets all behind the first `len` bytes.
    ///
    /// # Errors
    /// If what is to go on can't be read.
    pub(crate) fn truncate(&mut self, len: u64) -> Result<()> {
        let (whole, part) = ((len / CHUNK as u64) as usize, (len % CHUNK as u64) as usize);
        if whole < self.chunks.len() {
            self.rest.clear();
            self.rest.resize(part, 0);
            self.scratch.read(self.chunks[whole], 0, &mut self.rest)?;
            self.scratch.give_back(self.chunks.drain(whole..));
        }
        self.rest.truncate(part);
        Ok(())
    }

    /// Its bytes from a place on, which it has.
    ///
    /// # Errors
    /// If they can't be read.
    pub(crate) fn read_at(&self, mut at: u64, mut bytes: &mut [u8]) -> Result<()> {
        while !bytes.is_empty() {
            let (chunk, within) = ((at / CHUNK as u64) as usize, (at % CHUNK as u64) as usize);
            let Some(&number) = self.chunks.get(chunk) else {
                bytes.copy_from_slice(&self.rest[within..within + bytes.len()]);
                break;
            };
            let (now, then) = bytes.split_at_mut(bytes.len().min(CHUNK - within));
            self.scratch.read(number, within, now)?;
            at += now.len() as u64;
            bytes = then;
        }
        Ok(())
    }

    /// Reads it from the beginning, about `at_once` bytes at a time. Its room is given back as it is read, if it `is_last` to read it.
    pub(crate) fn read(self, at_once: usize, is_last: bool) -> Reading {
        Reading { tape: self, at_once: at_once.clamp(64, CHUNK).next_power_of_two(), is_last, next: 0, bytes: Vec::new(), at: 0 }
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        self.scratch.give_back(self.chunks.drain(self.given_back..));
    }
}

/// A tape that is read.
pub(crate) struct Reading {
    tape: Tape,
    /// A power of two, so that no piece is in two chunks.
    at_once: usize,
    is_last: bool,
    /// Where its bytes stand that are not at hand yet.
    next: u64,
    /// Bytes at hand.
    bytes: Vec<u8>,
    at: usize,
}

impl Reading {
    /// The tape, to be read again.
    pub(crate) fn into_tape(self) -> Tape {
        self.tape
    }

    /// Whether all is read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len() && self.next == self.tape.len()
    }

    /// Gets more bytes; false at the end.
    #[inline(never)] // once in thousands of bytes
    fn fetch(&mut self) -> Result<bool> {
        let rest = self.tape.len() - self.next;
        let len = rest.min(self.at_once as u64 - self.next % self.at_once as u64);
        self.bytes.resize(len as usize, 0);
        self.at = 0;
        self.tape.read_at(self.next, &mut self.bytes)?;
        self.next += len;
        let done = ((self.next / CHUNK as u64) as usize).min(self.tape.chunks.len());
        if self.is_last && done > self.tape.given_back {
            self.tape.scratch.give_back(self.tape.chunks[self.tape.given_back..done].iter().copied());
            self.tape.given_back = done;
        }
        Ok(len > 0)
    }

    #[inline]
    fn byte(&mut self) -> Result<u8> {
        if self.at == self.bytes.len() && !self.fetch()? {
            return Err(Error::refused(Place::Path(self.tape.scratch.folder.clone()), "temporary files there end early"));
        }
        self.at += 1;
        Ok(self.bytes[self.at - 1])
    }

    /// The next bytes.
    ///
    /// # Errors
    /// If they can't be read.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        if let Some(at_hand) = self.bytes.get(self.at..self.at + N) {
            array.copy_from_slice(at_hand);
            self.at += N;
            return Ok(array);
        }
        for byte in &mut array {
            *byte = self.byte()?;
        }
        Ok(array)
    }

    /// The next number.
    ///
    /// # Errors
    /// If it can't be read.
    pub(crate) fn number(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        Ok(number)
    }
}

impl io::Read for Reading {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.bytes.len() && !self.fetch().map_err(io::Error::other)? {
            return Ok(0);
        }
        let len = into.len().min(self.bytes.len() - self.at);
        into[..len].copy_from_slice(&self.bytes[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_on_a_tape_is_read_from_it() {
        proptest::proptest!(|(numbers: Vec<u64>, cut in 0usize..70_000, at_once in 1usize..100_000)| {
            let scratch = Scratch::new(&std::env::temp_dir()).unwrap();
            let mut tape = Tape::new(&scratch);
            tape.put(&vec![7; cut]).unwrap();
            let len = tape.len();
            tape.put(&[9; CHUNK]).unwrap();
            tape.truncate(len).unwrap();
            for &number in &numbers {
                tape.put_number(number).unwrap();
                tape.put(&number.to_le_bytes()).unwrap();
            }
            for is_last in [false, true] {
                if is_last {
                    tape.end().unwrap();
                }
                let mut reading = tape.read(at_once, is_last);
                let mut before = vec![0; cut];
                reading.read_exact(&mut before).unwrap();
                assert_eq!(before, vec![7; cut]);
                for &number in &numbers {
                    assert_eq!((reading.number().unwrap(), reading.array().unwrap()), (number, number.to_le_bytes()));
                }
                assert!(reading.byte().is_err());
                tape = reading.into_tape();
            }
        });
    }

    #[test]
    fn room_is_used_again() {
        let scratch = Scratch::new(&std::env::temp_dir()).unwrap();
        for _ in 0..5 {
            let mut tape = Tape::new(&scratch);
            tape.put(&[1; 10 * CHUNK]).unwrap();
            let mut bytes = Vec::new();
            tape.read(CHUNK, true).read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes.len(), 10 * CHUNK);
        }
        assert_eq!(scratch.size(), 10 * CHUNK as u64);
    }

    #[test]
    fn what_waits_is_handed_on_in_order_wherever_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let mut waiting = Waiting::new(10, folder.path().into());
        for pieces in [&["abc", "def", "ghij"][..], &["abc", "defghijk", "l", "mnopqrstuvwxyz", "0"], &[]] {
            pieces.iter().for_each(|piece| waiting.put(piece.as_bytes()).unwrap());
            let mut all = Vec::new();
            let take = |bytes: &[u8]| {
                all.extend_from_slice(bytes);
                Ok(())
            };
            waiting.hand_on(take).unwrap();
            assert_eq!(String::from_utf8(all).unwrap(), pieces.concat());
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let error = Scratch::new(Path::new("/nowhere")).err().unwrap().to_string();
        assert_eq!(error, "/nowhere: no such file or directory; --temp-dir names another folder for temporary files");
    }
}
