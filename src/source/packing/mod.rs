//! Packed files: what is read is unpacked, what is written is packed, and the packed bytes depend on nothing but the text.
//!
//! A packing is one file of this folder and one line each in [`Packing`], `Packing::unpacker` and `Packing::packer`.

#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "zstd")]
mod zstd;

use crate::error::{count, megabytes};
use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{self, IoSlice, Read, Write};
use std::iter;
use std::path::Path;

/// How a file is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    #[default]
    Plain,
    /// By gzip (RFC 1952).
    Gzip,
    /// By zstd (RFC 8878).
    Zstd,
}

/// Programs whose files aren't read: what unpacks them, the extension, and how they begin.
const NOT_READ: [(&str, &str, &[u8]); 6] = [
    ("bzip2 -dc", "bz2", b"BZh"),
    ("xz -dc", "xz", b"\xfd7zXZ\0"),
    ("lz4 -dc", "lz4", b"\x04\x22\x4d\x18"),
    ("brotli -dc", "br", b""),
    ("unzip -p", "zip", b"PK\x03\x04"),
    ("7z x -so", "7z", b"7z\xbc\xaf\x27\x1c"),
];

/// Why a file with such a name isn't read, if that is the name of a packing that isn't.
pub(crate) fn not_read_by_name(path: &Path) -> Option<String> {
    let extension = path.extension()?.to_str()?;
    NOT_READ.iter().find(|(_, known, _)| extension.eq_ignore_ascii_case(known)).map(|(program, ..)| not_read(program))
}

/// Why a file that begins like this isn't read, if that is the beginning of a packing that isn't.
pub(crate) fn not_read_by_beginning(first: &[u8]) -> Option<String> {
    let is_text = |magic: &[u8]| magic == b"BZh" && first.get(4..10) != Some(b"1AY&SY"); // behind it stands a digit, then this
    let begins = |magic: &[u8]| !magic.is_empty() && first.starts_with(magic) && !is_text(magic);
    NOT_READ.iter().find(|(.., magic)| begins(magic)).map(|(program, ..)| not_read(program))
}

fn not_read(program: &str) -> String {
    format!("is packed in a way that isn't read; unpack it on the way: {program} FILE | unecho, with --from if it isn't text")
}

/// What is wrong with a text that has more than so many bytes.
pub(super) fn more_than(most: u64) -> io::Error {
    let why = format!("one document of more than {}, more than --memory holds", megabytes(most));
    io::Error::new(io::ErrorKind::FileTooLarge, why)
}

impl Packing {
    /// The packing of a file by its last extension, and the path without it.
    pub fn of_name(path: &Path) -> (Packing, Cow<'_, Path>) {
        let extension = path.extension().and_then(OsStr::to_str);
        let is_its = |packing: &Packing| packing.extension().zip(extension).is_some_and(|(its, of)| its.eq_ignore_ascii_case(of));
        let Some(packing) = [Packing::Gzip, Packing::Zstd].into_iter().find(is_its) else { return (Packing::Plain, path.into()) };
        let stem = path.with_extension("");
        // What is left of "...gz" would be a folder's name.
        if stem.file_name() != path.file_stem() {
            return (Packing::Plain, path.into());
        }
        (packing, stem.into())
    }

    /// What to do with a file that is packed so and isn't named so.
    pub(crate) fn missing_name(self) -> Option<String> {
        self.extension().map(|extension| format!("is packed, which its name doesn't say: add .{extension}"))
    }

    /// The last extension of files that are packed so.
    pub(crate) fn extension(self) -> Option<&'static str> {
        match self {
            Packing::Plain => None,
            Packing::Gzip => Some("gz"),
            Packing::Zstd => Some("zst"),
        }
    }

    /// The packing of bytes that begin like this, for those that have no name. Four are enough.
    pub(crate) fn of_bytes(first: &[u8]) -> Packing {
        let begins = |packing: &Packing| first.len() >= MAGIC && packing.may_begin(first);
        [Packing::Gzip, Packing::Zstd].into_iter().find(begins).unwrap_or_default()
    }

    /// Whether a member begins like this, as far as these bytes go.
    fn may_begin(self, bytes: &[u8]) -> bool {
        let is = |magic: &[u8]| bytes.iter().zip(magic).all(|(byte, magic)| byte == magic);
        match self {
            Packing::Plain => true,
            Packing::Gzip => is(b"\x1f\x8b"),
            // Some packers begin with a frame that is to be skipped.
            Packing::Zstd => is(b"\x28\xb5\x2f\xfd") || (0x50..=0x5f).any(|first| is(&[first, 0x2a, 0x4d, 0x18])),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Packing::Plain => "plain",
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        }
    }

    /// The text of all members, one after the other. A fault in `packed` is an error after all text before it has been read:
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if something is missing at the end, else
    /// [`InvalidData`](io::ErrorKind::InvalidData).
    ///
    /// # Errors
    /// If this packing was not built in.
    pub(crate) fn reader(self, packed: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self.unpacker()? {
            None => Box::new(packed),
            Some(unpacker) => Box::new(Unpacking::new(self, unpacker, packed)),
        })
    }

    /// Appends the text of all members to `text`; gives its length, which is at most `most`.
    ///
    /// # Errors
    /// As those of [`Packing::reader`]. `text` has what stands before the fault.
    pub(crate) fn unpack(self, packed: &[u8], text: &mut Vec<u8>, most: u64) -> io::Result<usize> {
        let limit = most.saturating_add(1);
        let len = match self.unpacker()? {
            None => packed.take(limit).read_to_end(text)?,
            Some(unpacker) => Unpacking::new(self, unpacker, packed).take(limit).read_to_end(text)?,
        };
        if len as u64 > most { Err(more_than(most)) } else { Ok(len) }
    }

    /// A writer that packs what is written to it on its way to `to`, with as many threads as take about `memory` bytes, and one at
    /// least.
    ///
    /// # Errors
    /// If this packing was not built in.
    pub(crate) fn writer<W: Write>(self, to: W, memory: usize) -> io::Result<Packer<W>> {
        Ok(Packer {
            to,
            packer: self.packer(memory)?,
            text: Vec::new(),
            ends: Vec::new(),
            has_member: false,
            packed: Vec::new(),
            has_failed: false,
        })
    }

    fn unpacker(self) -> io::Result<Option<Box<dyn Unpack>>> {
        Ok(match self {
            Packing::Plain => None,
            #[cfg(feature = "gzip")]
            Packing::Gzip => Some(Box::new(gzip::Unpacker::new())),
            #[cfg(feature = "zstd")]
            Packing::Zstd => Some(Box::new(zstd::Unpacker::new()?)),
            #[cfg(not(all(feature = "gzip", feature = "zstd")))]
            absent => return Err(absent.not_built_in()),
        })
    }

    #[cfg_attr(not(any(feature = "gzip", feature = "zstd")), expect(unused_variables, reason = "nothing packs"))]
    fn packer(self, memory: usize) -> io::Result<Option<Box<dyn Pack>>> {
        Ok(match self {
            Packing::Plain => None,
            #[cfg(feature = "gzip")]
            Packing::Gzip => Some(Box::new(gzip::Packer::new(memory))),
            #[cfg(feature = "zstd")]
            Packing::Zstd => Some(Box::new(zstd::Packer::new(memory))),
            #[cfg(not(all(feature = "gzip", feature = "zstd")))]
            absent => return Err(absent.not_built_in()),
        })
    }

    #[cfg(not(all(feature = "gzip", feature = "zstd")))]
    fn not_built_in(self) -> io::Error {
        io::Error::new(io::ErrorKind::Unsupported, format!("this unecho was built without {}", self.name()))
    }
}

/// One of the ways to unpack, a step at a time.
trait Unpack: Send {
    /// Unpacks some of `packed`, which is empty only at the end of all, into `text`, which is never empty.
    fn step(&mut self, packed: &[u8], text: &mut [u8]) -> Step;
}

/// What a step did.
struct Step {
    /// Packed bytes that are done with.
    taken: usize,
    /// Bytes of text, also those before a fault.
    given: usize,
    /// Whether that was the end of a member, or what is wrong with it.
    is_end: Result<bool, String>,
}

/// How many packed bytes are read at once.
const READ_AT_ONCE: usize = 64 << 10;
/// So many bytes tell whether a member begins.
pub(super) const MAGIC: usize = 4;

/// The text of packed bytes.
struct Unpacking<R> {
    packing: Packing,
    unpacker: Box<dyn Unpack>,
    from: R,
    /// Packed bytes; those from `next` to `filled` are still to be unpacked.
    packed: Vec<u8>,
    next: usize,
    filled: usize,
    is_all_read: bool,
    is_between_members: bool,
    members: u64,
    given: u64,
    /// What is wrong, once it is known; it stays wrong.
    fault: Option<(io::ErrorKind, String)>,
}

impl<R: Read> Unpacking<R> {
    fn new(packing: Packing, unpacker: Box<dyn Unpack>, from: R) -> Self {
        Self {
            packing,
            unpacker,
            from,
            packed: Vec::new(),
            next: 0,
            filled: 0,
            is_all_read: false,
            is_between_members: true,
            members: 0,
            given: 0,
            fault: None,
        }
    }

    /// Packed bytes that are at hand: at least so many, unless they are the last.
    fn at_hand(&mut self, least: usize) -> io::Result<&[u8]> {
        while self.filled - self.next < least && !self.is_all_read {
            self.packed.copy_within(self.next..self.filled, 0);
            self.filled -= self.next;
            self.next = 0;
            self.packed.resize(READ_AT_ONCE, 0);
            match self.from.read(&mut self.packed[self.filled..]) {
                Ok(0) => self.is_all_read = true,
                Ok(more) => self.filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(&self.packed[self.next..self.filled])
    }

    /// Begins the next member; gives whether there is one.
    fn begin_member(&mut self) -> io::Result<bool> {
        let is_first = self.members == 0;
        let is_padded = self.packing == Packing::Gzip && !is_first;
        // Tapes and disks fill their last block with zeros.
        while is_padded && self.at_hand(1)?.first() == Some(&0) {
            self.next += 1;
        }
        let packing = self.packing;
        match self.at_hand(MAGIC)? {
            [] if !is_first => return Ok(false),
            bytes if packing.may_begin(bytes) => {}
            _ if is_first => {
                self.fault = Some((io::ErrorKind::InvalidData, format!("doesn't begin as a {} stream does", packing.name())));
            }
            _ => self.set_fault(io::ErrorKind::InvalidData, "is followed by something else", ""),
        }
        self.is_between_members = false;
        Ok(true)
    }

    fn set_fault(&mut self, kind: io::ErrorKind, what: &str, why: &str) {
        let (name, given) = (self.packing.name(), count(self.given));
        self.fault = Some((kind, format!("the {name} stream {what} after {given} unpacked bytes{why}")));
    }
}

impl<R: Read> Read for Unpacking<R> {
    fn read(&mut self, text: &mut [u8]) -> io::Result<usize> {
        if text.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some((kind, why)) = &self.fault {
                return Err(io::Error::new(*kind, why.clone()));
            }
            if self.is_between_members {
                if !self.begin_member()? {
                    return Ok(0);
                }
                continue;
            }
            self.at_hand(1)?;
            let is_all = self.next == self.filled;
            let step = self.unpacker.step(&self.packed[self.next..self.filled], text);
            self.next += step.taken;
            self.given += step.given as u64;
            match step.is_end {
                Ok(true) => {
                    self.is_between_members = true;
                    self.members += 1;
                }
                Ok(false) if step.given == 0 && step.taken == 0 && is_all => {
                    self.set_fault(io::ErrorKind::UnexpectedEof, "ends early,", "");
                }
                Ok(false) if step.given == 0 && step.taken == 0 => self.set_fault(io::ErrorKind::InvalidData, "is broken", ""),
                Ok(false) => {}
                Err(why) => self.set_fault(io::ErrorKind::InvalidData, "is broken", &format!(": {why}")),
            }
            if step.given > 0 {
                return Ok(step.given);
            }
        }
    }
}

/// One of the ways to pack.
trait Pack: Send {
    /// How many bytes of text it is handed at once.
    fn at_once(&self) -> usize;

    /// Appends to `packed` what becomes of the next bytes of the text: [`Pack::at_once`] of them, or as many or fewer if they are
    /// the last, with which the packed bytes end.
    fn pack(&mut self, text: &[u8], is_last: bool, packed: &mut Vec<u8>) -> io::Result<()>;

    /// Appends to `packed` what becomes of the next bytes of the text, in which members end at `ends`, the last of them where the
    /// bytes do.
    fn pack_members(&mut self, text: &[u8], ends: &[usize], packed: &mut Vec<u8>) -> io::Result<()> {
        members(text, ends).try_for_each(|member| self.pack(member, true, packed))
    }
}

/// The members of a text that end there.
fn members<'a>(text: &'a [u8], ends: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let starts = iter::once(0).chain(ends.iter().copied());
    iter::zip(starts, ends).map(|(start, &end)| &text[start..end])
}

/// Packs what is written to it. The packed bytes depend on the text alone, and on where its members end: not on the number of
/// threads, and not on how the text was divided between calls; so `flush` hands on what is packed already and no more.
///
/// Packing uses the threads of the rayon pool it is called in. As with all work in one, a thread that waits for its share may take
/// up another task in the meantime: don't write while holding a lock that such a task needs.
#[must_use = "what is packed has no end until `finish`"]
pub(crate) struct Packer<W> {
    to: W,
    packer: Option<Box<dyn Pack>>,
    /// Text that isn't packed yet.
    text: Vec<u8>,
    /// Where members end in it.
    ends: Vec<usize>,
    /// Whether one has ended.
    has_member: bool,
    /// Empty between calls; it is kept for its memory.
    packed: Vec<u8>,
    /// An error left a hole: nothing more makes sense.
    has_failed: bool,
}

impl<W: Write> Packer<W> {
    /// Ends a member here, so that what follows can be unpacked without what precedes: that of one record, say. Nothing is ended
    /// if nothing was written since the last one. What isn't packed has no members.
    pub(crate) fn end_member(&mut self) {
        if self.packer.is_some() && self.text.len() > self.last_end() {
            self.ends.push(self.text.len());
            self.has_member = true;
        }
    }

    /// Packs what is left, ends it properly and gives back the inner writer.
    ///
    /// # Errors
    /// That of the inner writer; and if one was met before.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        // An empty text has one member, too.
        if self.packer.is_some() && self.text.len() == self.last_end() && !self.has_member {
            self.ends.push(0);
        }
        self.end_member();
        self.pack_members()?;
        Ok(self.to)
    }

    /// Where the last member ended, as far as that is still to be packed.
    fn last_end(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Packs the members that have ended. The one that hasn't stays as it is: how it is divided depends on no other.
    fn pack_members(&mut self) -> io::Result<()> {
        let end = self.last_end();
        self.pack(end, |packer, text, ends, packed| packer.pack_members(text, ends, packed))
    }

    /// Packs `len` bytes by `how`.
    fn pack(
        &mut self,
        len: usize,
        how: impl FnOnce(&mut dyn Pack, &[u8], &[usize], &mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.has_failed {
            return Err(io::Error::other("an earlier write failed"));
        }
        let Some(packer) = &mut self.packer else { return Ok(()) };
        let packed = how(&mut **packer, &self.text[..len], &self.ends, &mut self.packed);
        let written = packed.and_then(|()| self.to.write_all(&self.packed));
        self.has_failed = written.is_err();
        self.text.drain(..len);
        self.ends.clear();
        self.packed.clear();
        written
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let Some(packer) = &self.packer else { return self.to.write(text) };
        let at_once = packer.at_once();
        if self.text.len() == at_once && !text.is_empty() {
            if self.ends.is_empty() {
                self.pack(at_once, |packer, text, _, packed| packer.pack(text, false, packed))?;
            } else {
                self.pack_members()?;
            }
        }
        let taken = text.len().min(at_once - self.text.len());
        self.text.extend_from_slice(&text[..taken]);
        Ok(taken)
    }

    fn write_vectored(&mut self, slices: &[IoSlice]) -> io::Result<usize> {
        match &self.packer {
            None => self.to.write_vectored(slices),
            Some(_) => self.write(slices.iter().find(|slice| !slice.is_empty()).map_or(&[], |slice| slice)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(all(test, feature = "gzip", feature = "zstd"))]
mod tests {
    use super::*;

    const BOTH: [Packing; 2] = [Packing::Gzip, Packing::Zstd];

    fn packed_in_pieces(packing: Packing, text: &[u8], piece: usize) -> Vec<u8> {
        let mut packer = packing.writer(Vec::new(), usize::MAX).unwrap();
        text.chunks(piece).for_each(|piece| packer.write_all(piece).unwrap());
        packer.finish().unwrap()
    }

    fn packed(packing: Packing, text: &[u8]) -> Vec<u8> {
        packed_in_pieces(packing, text, usize::MAX)
    }

    fn unpacked(packing: Packing, packed: &[u8]) -> (Vec<u8>, io::Result<usize>) {
        let mut text = Vec::new();
        let result = packing.unpack(packed, &mut text, u64::MAX);
        (text, result)
    }

    fn fault(packing: Packing, packed: &[u8]) -> (io::ErrorKind, String) {
        let error = unpacked(packing, packed).1.unwrap_err();
        (error.kind(), error.to_string())
    }

    /// Bytes that nothing packs.
    fn noise() -> impl Iterator<Item = u8> {
        iter::successors(Some(7u64), |state| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1)))
            .map(|state| (state >> 56) as u8)
    }

    fn words(len: usize) -> Vec<u8> {
        const WORDS: [&str; 8] = ["the ", "harbour ", "was ", "quiet, ", "ferry ", "leave.\n", "nobody ", "morning "];
        noise().flat_map(|byte| WORDS[usize::from(byte) % 8].bytes()).take(len).collect()
    }

    /// Texts about as long as what is packed at once.
    fn texts() -> Vec<Vec<u8>> {
        const SIZES: [usize; 8] = [0, 1, 5000, 131_071, 131_072, 131_073, 1 << 20, (1 << 20) + 1];
        SIZES.into_iter().map(words).chain([noise().take(300_000).collect()]).collect()
    }

    #[test]
    fn a_name_tells_the_packing() {
        let of = |name: &'static str| {
            let (packing, stem) = Packing::of_name(Path::new(name));
            (packing, stem.to_str().unwrap().to_owned())
        };
        assert_eq!(of("a/b.jsonl.gz"), (Packing::Gzip, "a/b.jsonl".to_owned()));
        assert_eq!(of("b.ZST"), (Packing::Zstd, "b".to_owned()));
        for plain in ["a.txt", "gz", ".gz", "a.gz/b", "..gz", "a/...zst", "a.tgz", ""] {
            assert_eq!(of(plain), (Packing::Plain, plain.to_owned()));
        }
    }

    #[test]
    fn first_bytes_tell_the_packing() {
        for packing in BOTH {
            assert_eq!(Packing::of_bytes(&packed(packing, b"text")), packing);
        }
        assert_eq!(Packing::of_bytes(b"\x53\x2a\x4d\x18\0\0\0\0"), Packing::Zstd);
        for plain in [&b""[..], b"\x1f", b"\x1f\x8c\x08\0", b"text", b"\x4f\x2a\x4d\x18"] {
            assert_eq!(Packing::of_bytes(plain), Packing::Plain);
        }
    }

    #[test]
    fn what_is_packed_comes_back() {
        for text in texts() {
            for packing in [Packing::Plain, Packing::Gzip, Packing::Zstd] {
                let packed = packed(packing, &text);
                assert!(packed.len() <= text.len() + text.len() / 1000 + 40, "{packing:?}: {} bytes", text.len());
                let (back, result) = unpacked(packing, &packed);
                assert_eq!(result.unwrap(), text.len());
                assert!(back == text, "{packing:?}: {} bytes", text.len());
                let mut streamed = Vec::new();
                packing.reader(io::Cursor::new(packed)).unwrap().read_to_end(&mut streamed).unwrap();
                assert!(streamed == text, "{packing:?}: {} bytes, streamed", text.len());
            }
        }
    }

    #[test]
    fn packed_bytes_depend_on_the_text_alone() {
        for text in [words(131_073), words(2_300_000)] {
            for packing in BOTH {
                let expected = packed(packing, &text);
                for (threads, piece) in [(1, 70_001), (2, 131_072), (8, 999), (3, usize::MAX)] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    let packed = pool.install(|| packed_in_pieces(packing, &text, piece));
                    assert!(packed == expected, "{packing:?}: {} bytes, {threads} threads, by {piece}", text.len());
                }
            }
        }
    }

    /// The members of `text` that end there, packed as one text in pieces.
    fn packed_members(packing: Packing, text: &[u8], ends: &[usize], piece: usize) -> Vec<u8> {
        let mut packer = packing.writer(Vec::new(), usize::MAX).unwrap();
        let mut ends = ends.iter().copied().peekable();
        let mut from = 0;
        while from < text.len() {
            let to = text.len().min(from.saturating_add(piece)).min(*ends.peek().unwrap_or(&usize::MAX));
            packer.write_all(&text[from..to]).unwrap();
            if ends.next_if_eq(&to).is_some() {
                packer.end_member();
                packer.end_member(); // which has nothing to end
            }
            from = to;
        }
        packer.finish().unwrap()
    }

    #[test]
    fn members_are_packed_as_each_would_be_alone() {
        let text = words(3_400_000);
        let many: Vec<usize> = (1..=400).map(|at| at * 3000).chain([1_200_001, 1_331_073, 3_000_000]).collect();
        for ends in [&many[..], &[2_300_000], &[1], &[3_400_000], &[131_072, 262_144, 2_359_296], &[]] {
            for packing in BOTH {
                let all = [ends, &[text.len()]].concat();
                let expected: Vec<Vec<u8>> =
                    members(&text, &all).filter(|member| !member.is_empty()).map(|member| packed(packing, member)).collect();
                for (threads, piece) in [(1, 70_001), (2, 131_072), (3, usize::MAX)] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    let packed = pool.install(|| packed_members(packing, &text, ends, piece));
                    assert!(
                        packed == expected.concat(),
                        "{packing:?}: {} members, {threads} threads, by {piece}",
                        expected.len()
                    );
                }
            }
            assert!(packed_members(Packing::Plain, &text, ends, 70_001) == text);
        }
        for packing in BOTH {
            assert_eq!(packed_members(packing, b"", &[], 1), packed(packing, b""));
        }
    }

    #[test]
    fn a_reader_of_one_member_reads_all() {
        for text in texts() {
            let (mut back, packed) = (Vec::new(), packed(Packing::Gzip, &text));
            let mut rest = &packed[..];
            flate2::bufread::GzDecoder::new(&mut rest).read_to_end(&mut back).unwrap();
            assert!(back == text && rest.is_empty(), "gzip: {} bytes", text.len());
            let packed = packed_in_pieces(Packing::Zstd, &text, usize::MAX);
            let mut one = ::zstd::stream::read::Decoder::with_buffer(&packed[..]).unwrap().single_frame();
            back.clear();
            one.read_to_end(&mut back).unwrap();
            assert!(back == text && one.finish().is_empty(), "zstd: {} bytes", text.len());
        }
    }

    #[test]
    fn members_follow_one_another() {
        for packing in BOTH {
            let [one, none, two] = [&b"one"[..], b"", b"two"].map(|text| packed(packing, text));
            assert_eq!(unpacked(packing, &[&one[..], &none, &two, &none].concat()).0, b"onetwo");
        }
        let gzip = packed(Packing::Gzip, b"text");
        for zeros in [1, 511, 300_000] {
            let padded = [&gzip[..], &vec![0; zeros]].concat();
            assert_eq!(unpacked(Packing::Gzip, &padded).1.unwrap(), 4);
            assert_eq!(unpacked(Packing::Gzip, &[padded, gzip.clone()].concat()).1.unwrap(), 8);
        }
        let named = [b"\x1f\x8b\x08\x08\0\0\0\0\0\x03name\0", &gzip[10..]].concat();
        assert_eq!(unpacked(Packing::Gzip, &named).0, b"text");
    }

    #[test]
    fn frames_of_every_kind_are_read() {
        let text = words(400_000);
        let whole = packed(Packing::Zstd, &text);
        let skipped = b"\x5f\x2a\x4d\x18\x03\0\0\0abc";
        assert_eq!(unpacked(Packing::Zstd, &[&skipped[..], &whole, skipped].concat()).1.unwrap(), text.len());
        assert_eq!(unpacked(Packing::Zstd, skipped).1.unwrap(), 0);
        // A stored block in a frame that says neither how long it is nor whether there is a check sum, with the largest window.
        let window = if usize::BITS < 64 { 20 << 3 } else { 21 << 3 };
        let long = [b"\x28\xb5\x2f\xfd\0", &[window][..], b"\x21\0\0text"].concat();
        assert!(unpacked(Packing::Zstd, &[long, whole].concat()).0 == [b"text", &text[..]].concat());
    }

    #[test]
    fn what_is_cut_short_is_said_to_be() {
        for packing in BOTH {
            let members = [packed(packing, &words(300)), packed(packing, b"more")];
            let whole = members.concat();
            for len in (0..whole.len()).filter(|&len| len != members[0].len()) {
                let (kind, why) = fault(packing, &whole[..len]);
                assert_eq!(kind, io::ErrorKind::UnexpectedEof, "{len}: {why}");
                assert!(why.contains("ends early"), "{len}: {why}");
            }
        }
        assert_eq!(fault(Packing::Gzip, b"").1, "the gzip stream ends early, after 0 unpacked bytes");
    }

    #[test]
    fn a_flipped_bit_is_noticed_where_it_changes_the_text() {
        let text = words(300);
        for packing in BOTH {
            let mut packed = packed(packing, &text);
            for bit in 0..packed.len() * 8 {
                packed[bit / 8] ^= 1 << (bit % 8);
                let (back, result) = unpacked(packing, &packed);
                assert!(result.is_err() || back == text, "{packing:?}: bit {bit}");
                packed[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    #[test]
    fn what_stands_before_a_fault_is_read() {
        let text = words(1_000_000);
        for packing in BOTH {
            let packed = packed(packing, &text);
            let half = packed.len() / 2;
            let broken = [&packed[..half], &[0xff; 1000], &packed[half + 1000..]].concat();
            let (text_before, result) = unpacked(packing, &packed[..half]);
            assert_eq!(result.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
            assert!(text_before.len() > 300_000 && text.starts_with(&text_before), "{}", text_before.len());
            let (read, result) = unpacked(packing, &broken);
            let error = result.unwrap_err();
            let said = format!("the {} stream is broken after {} unpacked bytes: ", packing.name(), count(read.len() as u64));
            assert!(error.kind() == io::ErrorKind::InvalidData && error.to_string().starts_with(&said), "{error}");
            assert!(read.len() >= text_before.len() && read[..text_before.len()] == text_before, "{}", read.len());
        }
    }

    #[test]
    fn a_fault_stays() {
        let mut reader = Packing::Gzip.reader(&b"\x1f\x8b"[..]).unwrap();
        for _ in 0..2 {
            assert_eq!(reader.read(&mut [0; 9]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn what_isnt_packed_is_named() {
        for (packing, name) in iter::zip(BOTH, ["gzip", "zstd"]) {
            let invalid = |why: String| (io::ErrorKind::InvalidData, why);
            for plain in [&b"A text."[..], b"A", b"\0\0\0\0"] {
                assert_eq!(fault(packing, plain), invalid(format!("doesn't begin as a {name} stream does")));
            }
            for more in [&b"x"[..], b"\0\0more"] {
                let followed = [&packed(packing, &words(1234)), more].concat();
                let why = format!("the {name} stream is followed by something else after 1,234 unpacked bytes");
                assert_eq!(fault(packing, &followed), invalid(why));
            }
        }
    }

    /// Takes so many bytes, then no more.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_failed_write_stays_one() {
        let text: Vec<u8> = noise().take(3_000_000).collect();
        for packing in BOTH {
            let mut packer = packing.writer(Full(100_000), usize::MAX).unwrap();
            // Threads may be some way behind.
            let error = (0..1000).find_map(|_| packer.write_all(&text).err()).unwrap();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            packer.to.0 = usize::MAX;
            assert!((0..9).any(|_| packer.write_all(&text).is_err()));
            assert!(packer.finish().is_err());
            let mut small = packing.writer(Full(3), usize::MAX).unwrap();
            small.write_all(b"text").unwrap();
            assert!(small.finish().is_err());
        }
    }
}
