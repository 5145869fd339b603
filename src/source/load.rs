//! The bytes of an input: read whole, or, where a file is large, mapped; and whether they are still what they were.

use super::mapping::Mapping;
use super::packing::{more_than, not_read_by_beginning};
use super::text::LineNumbers;
use super::{By, Form, Identity, Input, LeftOut, Origin, Packing};
use crate::error::{Error, Place, Result, What};
use crate::tidy::wide;
use bytes::Bytes;
use std::fs::{File, Metadata, Permissions};
use std::io::{self, Read, Seek};
use std::ops::{Deref, Range};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::Arc;

/// From this size on a file is mapped: it saves a copy and the memory for it. Smaller ones are read faster than mapped.
pub(super) const MAP_FROM: u64 = 1 << 20;
/// A found file with a NUL in so many first bytes is binary (git's measure).
const BINARY_PROBE: u64 = 8 << 10;
/// Above this size a found file's beginning is read by itself first: below, one system call more costs more than it saves.
const PROBE_APART: u64 = 64 << 10;

/// How a Parquet file begins: with its magic bytes and, in Thrift's compact protocol, an integer that is the first field of the header
/// of a page, or of the footer where there is none.
const PARQUET: &[u8] = b"PAR1\x15";

/// So much of a packed file is counted at once.
const COUNTED_AT_ONCE: usize = 64 << 10;

/// What loading an input gives.
pub(crate) enum Loaded {
    /// Its bytes.
    Source(Source),
    /// It was found in a folder and isn't read.
    LeftOut(LeftOut),
}

/// The bytes of an input, unpacked.
pub struct Source {
    bytes: Bytes,
    /// Why there are no more of them, if they break off.
    broken: Option<io::Error>,
    packing: Packing,
    line_numbers: LineNumbers,
    watch: Arc<Watch>,
    identity: Option<Identity>,
    /// What came by a pipe and must be read at any place.
    spool: Option<File>,
    /// Where in its file it begins.
    start: u64,
}

/// What tells whether the bytes of a source are still what they were.
pub(crate) struct Watch {
    place: Place,
    /// The open file, unless it is a stream, whose bytes can't change any more.
    file: Option<(File, Stamp)>,
    /// What the bytes are a part of, if the file is mapped.
    mapping: Option<Arc<Mapping>>,
}

/// A mapping that is shared by all who use its bytes.
struct Shared(Arc<Mapping>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// What a file was like when it was opened. While it is left alone, its size and time stay.
struct Stamp {
    size: u64,
    modified: (i64, i64),
    mode: u32,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { size: metadata.len(), modified: (metadata.mtime(), metadata.mtime_nsec()), mode: metadata.mode() }
    }
}

/// Opens and reads an input whole, which has at most so many bytes that must be in memory. `keeps_broken`: what a packed one gives
/// before it breaks off is taken for all of it; see [`Source::broken`].
///
/// # Errors
/// If it can't be opened, read or unpacked.
pub(crate) fn load(input: &Input, keeps_broken: bool, most: u64) -> Result<Loaded> {
    let loaded = match &input.from {
        Origin::Stdin => Source::stdin(input, most).map(Ok),
        Origin::Named(path) => File::open(path).and_then(|file| Source::of(file, input, false, most)),
        Origin::Walked(path) => File::open(path).and_then(|file| Source::of(file, input, true, most)),
    };
    match loaded.map_err(|error| Error::io(input.place(), error))? {
        Err(why) => Ok(Loaded::LeftOut(why)),
        // The beginning of what is too large doesn't count for all of it.
        Ok(Source { broken: Some(error), .. }) if !keeps_broken || error.kind() == io::ErrorKind::FileTooLarge => {
            Err(Error::io(input.place(), if_it_may_break(error)))
        }
        Ok(source) => refuse_no_text(input, &source).map(|()| Loaded::Source(source)),
    }
}

/// The same, with advice if a packed stream breaks off.
pub(crate) fn if_it_may_break(error: io::Error) -> io::Error {
    match error.kind() {
        kind @ (io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) => {
            io::Error::new(kind, format!("{error}. --on-error keep, or drop, takes what comes before"))
        }
        _ => error,
    }
}

/// Refuses what begins like something that is no text as it stands.
pub(super) fn refuse_no_text(input: &Input, beginning: &[u8]) -> Result<()> {
    let wide = || {
        let utf = if beginning.starts_with(b"\xff\xfe\0\0") { "UTF-32" } else { "UTF-16" };
        format!("is {utf}, in which bytes don't tell where lines end; make it UTF-8 first: iconv -f {utf} -t UTF-8")
    };
    let is_named = input.packing == Packing::Plain && input.from != Origin::Stdin;
    let unnamed = || is_named.then(|| Packing::of_bytes(beginning).missing_name()).flatten();
    let may_be_wide = may_be_wide(input) || Form::of_beginning(beginning).is_some();
    let table = "is a Parquet file; --from parquet takes it for one";
    let warc = "is a WARC; --from warc takes it for one";
    let is_warc = input.form != Form::Warc && (beginning.starts_with(b"WARC/1.0\r\n") || beginning.starts_with(b"WARC/1.1\r\n"));
    let why = not_read_by_beginning(beginning)
        .or_else(unnamed)
        .or_else(|| (wide::is_marked(beginning) && !may_be_wide).then(wide))
        .or_else(|| beginning.starts_with(PARQUET).then(|| table.into()))
        .or_else(|| is_warc.then(|| warc.into()));
    let Some(why) = why else { return Ok(()) };
    Err(Error::refused(input.place(), why))
}

/// How many bytes a packed file unpacks to, as far as it can be unpacked: counted, not kept, and no further than `most`.
pub(crate) fn unpacked_size(input: &Input, most: u64) -> u64 {
    let Ok(mut unpacked) = File::open(input.path()).and_then(|file| input.packing.reader(file)) else { return 0 };
    let mut piece = vec![0; COUNTED_AT_ONCE];
    let mut count = 0;
    while count < most {
        match unpacked.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(more) => count += more as u64,
        }
    }
    count
}

/// Why a file that was found won't be read, if it won't, going by its beginning.
///
/// # Errors
/// If it can't be opened or read.
pub fn reason_to_leave_out(input: &Input) -> Result<Option<LeftOut>> {
    let Origin::Walked(path) = &input.from else { return Ok(None) };
    if input.form == Form::Parquet {
        return Ok(None); // which is all NULs, and read all the same
    }
    let beginning = || {
        let mut beginning = Vec::new();
        let unpacked = input.packing.reader(File::open(path)?)?;
        unpacked.take(BINARY_PROBE).read_to_end(&mut beginning)?;
        Ok(beginning)
    };
    let beginning: Vec<u8> = beginning().map_err(|error| Error::io(input.place(), error))?;
    Ok(no_text(input, &beginning))
}

/// Whether an input may be UTF-16, going by its form.
fn may_be_wide(input: &Input) -> bool {
    matches!(input.form, Form::Feed | Form::Html) || input.form == Form::Text && input.is_decoded
}

/// Why a file that was found and begins so isn't read, if it isn't.
fn no_text(input: &Input, beginning: &[u8]) -> Option<LeftOut> {
    let told = input.told(beginning);
    let may_be_marked = told.is_some() || may_be_wide(input);
    let may_be_unmarked = input.form == Form::Text && input.is_decoded;
    let is_wide = may_be_marked && wide::is_marked(beginning) || may_be_unmarked && wide::may_be_unmarked(beginning);
    match input.form_by {
        By::Beginning if told.is_none() => Some(LeftOut::UnknownForm),
        _ => (is_binary(beginning) && !is_wide).then_some(LeftOut::Binary),
    }
}

impl Source {
    fn stdin(input: &Input, most: u64) -> io::Result<Self> {
        let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let metadata = file.metadata()?;
        let bytes = read_at_most(io::stdin().lock(), most)?;
        let packing = Packing::of_bytes(&bytes);
        let (bytes, broken) = plain_or_unpacked(bytes, packing, most);
        Ok(Self { broken, ..Self::new(bytes, None, file, &metadata, packing, input) })
    }

    fn new(
        bytes: Bytes,
        mapping: Option<Arc<Mapping>>,
        file: File,
        metadata: &Metadata,
        packing: Packing,
        input: &Input,
    ) -> Self {
        let identity = Some(Identity::of(metadata)).filter(|_| metadata.is_file());
        let file = metadata.is_file().then(|| (file, Stamp::of(metadata)));
        let watch = Arc::new(Watch { place: input.place(), file, mapping });
        Self { bytes, broken: None, packing, line_numbers: LineNumbers::default(), watch, identity, spool: None, start: 0 }
    }

    /// A stream that is unpacked as it is read; its bytes begin at `start` of the file. `spool` has what came by a pipe.
    pub(super) fn of_stream(
        input: &Input,
        file: File,
        metadata: &Metadata,
        packing: Packing,
        spool: Option<File>,
        start: u64,
    ) -> Self {
        Self { spool, start, ..Self::new(Bytes::new(), None, file, metadata, packing, input) }
    }

    /// The bytes of an open file; or, if it `is_found`, not named, why it isn't read.
    fn of(file: File, input: &Input, is_found: bool, most: u64) -> io::Result<std::result::Result<Self, LeftOut>> {
        let packing = input.packing;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let bytes;
        let mut broken = None;
        let mut mapping = None;
        if !metadata.is_file() {
            (bytes, broken) = plain_or_unpacked(read_at_most(&file, most)?, packing, most);
        } else if metadata.len() >= MAP_FROM
            && let Some(mapped) = Mapping::new(&file, metadata.len())
        {
            if packing == Packing::Plain {
                let shared = Arc::new(mapped);
                bytes = Bytes::from_owner(Shared(Arc::clone(&shared)));
                mapping = Some(shared);
            } else {
                (bytes, broken) = unpacked(&mapped, packing, most);
            }
        } else {
            let probe = |beginning: &[u8]| if is_found && packing == Packing::Plain { no_text(input, beginning) } else { None };
            let read = match read_whole(&file, metadata.len(), probe)? {
                Ok(read) => read,
                Err(why) => return Ok(Err(why)),
            };
            (bytes, broken) = plain_or_unpacked(read, packing, most);
        }
        if is_found && let Some(why) = no_text(input, &bytes) {
            return Ok(Err(why));
        }
        Ok(Ok(Self { broken, ..Self::new(bytes, mapping, file, &metadata, packing, input) }))
    }

    /// The file itself.
    ///
    /// # Errors
    /// If it is none, or the system gives no other handle to it.
    pub(crate) fn file(&self) -> io::Result<File> {
        let file = self.watch.file.as_ref().map(|(file, _)| file).or(self.spool.as_ref());
        file.map_or(Err(io::ErrorKind::NotSeekable.into()), File::try_clone)
    }

    /// Where in its file it begins.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Its bytes, or some of them, to be kept.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The number of the line that byte `at` of it is in, from 1 on.
    pub(crate) fn line(&self, at: u64) -> u64 {
        self.line_numbers.of(&self.bytes, at as usize)
    }

    /// It came in stretches, and breaks off.
    pub(crate) fn break_off(&mut self, why: &io::Error) {
        self.broken = Some(io::Error::new(why.kind(), why.to_string()));
    }

    /// Why it breaks off, if that is known by now.
    pub fn broken(&self) -> Option<&io::Error> {
        self.broken.as_ref()
    }

    /// Whether it is a file, so that it can be read again at any place.
    pub(crate) fn is_file(&self) -> bool {
        self.watch.file.is_some()
    }

    /// How many bytes of the file were read by now, if it is read as a stream.
    pub(crate) fn read_so_far(&self) -> Option<u64> {
        let (file, _) = self.watch.file.as_ref()?;
        // All handles share one position.
        { file }.stream_position().ok()
    }

    /// How it is packed.
    pub(crate) fn packing(&self) -> Packing {
        self.packing
    }

    /// Fails if the file was changed or cut short since it was opened.
    ///
    /// # Errors
    /// [`What::Changed`], or the system's error if the file can't be looked at.
    pub(crate) fn ensure_unchanged(&self) -> Result<()> {
        self.watch.ensure_unchanged()
    }

    /// What tells that later.
    pub(crate) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// Whether its bytes are those of the file itself, which someone may change.
    pub(crate) fn is_mapped(&self) -> bool {
        self.watch.mapping.is_some()
    }

    /// Who may read and write the file, for its clean copy; `None` for what isn't a file. Rights to act as its owner, which a
    /// program may have, are no matter of a text.
    pub(crate) fn permissions(&self) -> Option<Permissions> {
        self.watch.file.as_ref().map(|(_, stamp)| Permissions::from_mode(stamp.mode & 0o777))
    }

    /// Its size in bytes and when it was changed last, in seconds and nanoseconds, when it was opened; `None` for what isn't a file.
    pub fn stamp(&self) -> Option<(u64, (i64, i64))> {
        self.watch.file.as_ref().map(|(_, stamp)| (stamp.size, stamp.modified))
    }

    /// Which file it is; `None` for standard input that isn't a file.
    pub fn identity(&self) -> Option<Identity> {
        self.identity
    }
}

impl Watch {
    /// The input that is watched.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Some of its bytes aren't needed in memory for now.
    pub(crate) fn let_go(&self, bytes: Range<u64>) {
        if let Some(mapping) = &self.mapping {
            mapping.let_go(bytes);
        }
    }

    /// See [`Source::ensure_unchanged`].
    pub(crate) fn ensure_unchanged(&self) -> Result<()> {
        let Some((file, then)) = &self.file else { return Ok(()) };
        let now = Stamp::of(&file.metadata().map_err(|error| Error::io(self.place.clone(), error))?);
        let is_intact = self.mapping.as_ref().is_none_or(|mapping| mapping.is_intact());
        if then.size == now.size && then.modified == now.modified && is_intact {
            return Ok(());
        }
        Err(Error { place: self.place.clone(), what: What::Changed { spoilt: None } })
    }
}

fn plain_or_unpacked(read: Vec<u8>, packing: Packing, most: u64) -> (Bytes, Option<io::Error>) {
    if packing == Packing::Plain { (read.into(), None) } else { unpacked(&read, packing, most) }
}

/// What can be unpacked, and why that isn't all.
fn unpacked(packed: &[u8], packing: Packing, most: u64) -> (Bytes, Option<io::Error>) {
    let mut text = Vec::new();
    let broken = packing.unpack(packed, &mut text, most).err();
    (text.into(), broken)
}

fn read_at_most(from: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(more_than(most)) } else { Ok(bytes) }
}

/// Reads a file of about this size; or gives the reason not to that its beginning has, at which a large one is looked before the rest is
/// read.
fn read_whole(
    file: &File,
    size: u64,
    reason_not_to: impl Fn(&[u8]) -> Option<LeftOut>,
) -> io::Result<std::result::Result<Vec<u8>, LeftOut>> {
    // One byte more than the file has: a read that leaves it free has met the end, and needs no second one to see it.
    let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)? + 1];
    let mut len = 0;
    if size > PROBE_APART {
        len = fill(file, &mut bytes[..BINARY_PROBE as usize])?;
        if let Some(why) = reason_not_to(&bytes[..len]) {
            return Ok(Err(why));
        }
    }
    len += fill(file, &mut bytes[len..])?;
    let is_longer = len == bytes.len();
    bytes.truncate(len);
    if is_longer {
        // The system doesn't tell the size of some files (in /proc).
        { file }.read_to_end(&mut bytes)?;
    }
    Ok(Ok(bytes))
}

/// Reads until `buffer`, but for at most its last byte, is full or the file ends; gives the number of bytes read.
fn fill(mut file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    loop {
        match file.read(&mut buffer[len..]) {
            Ok(0) => return Ok(len),
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if len + 1 >= buffer.len() {
            return Ok(len);
        }
    }
}

pub(super) fn is_binary(bytes: &[u8]) -> bool {
    wide::is_marked(bytes) || memchr::memchr(0, &bytes[..bytes.len().min(BINARY_PROBE as usize)]).is_some()
}

impl Deref for Source {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}
