//! gzip. One member is written whatever the size, unless they are asked for, since many readers know but one: the deflated blocks
//! stand in one stream, as pigz joins them, and their check sums are combined.

use super::{Pack, Step, Unpack, members};
use flate2::{Compress, Compression, Crc, Decompress, FlushCompress, FlushDecompress, Status};
use rayon::prelude::*;
use std::io;

/// The logarithm of the window, which is the largest there is.
const WINDOW_BITS: u8 = 15;
/// How far back deflate looks.
const WINDOW: usize = 1 << WINDOW_BITS;
/// How much of a text is deflated by itself, knowing the window before it.
pub(super) const BLOCK: usize = 128 << 10;
/// So many blocks a thread at once make up for those that take longer.
const BLOCKS_A_THREAD: usize = 4;
/// What a block takes in memory: its text, deflated too, and what is known of it meanwhile.
const BLOCK_MEMORY: usize = 640 << 10;
/// So many members are one task: a few KB each, as records of text have, they take about a millisecond.
const MEMBERS: usize = 16;
/// What gzip and pigz use.
const LEVEL: u32 = 6;
/// No name, no time, no system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

pub(super) struct Unpacker {
    /// Knows headers and check sums.
    inflate: Decompress,
    is_at_end: bool,
}

impl Unpacker {
    pub(super) fn new() -> Self {
        Self { inflate: Decompress::new_gzip(WINDOW_BITS), is_at_end: false }
    }
}

impl Unpack for Unpacker {
    fn step(&mut self, packed: &[u8], text: &mut [u8]) -> Step {
        if self.is_at_end {
            self.inflate.reset(true);
            self.is_at_end = false;
        }
        let (taken, given) = (self.inflate.total_in(), self.inflate.total_out());
        let result = self.inflate.decompress(packed, text, FlushDecompress::None);
        self.is_at_end = matches!(result, Ok(Status::StreamEnd));
        Step {
            taken: (self.inflate.total_in() - taken) as usize,
            given: (self.inflate.total_out() - given) as usize,
            is_end: result.map(|_| self.is_at_end).map_err(|error| error.message().unwrap_or("invalid data").to_owned()),
        }
    }
}

pub(super) struct Packer {
    at_once: usize,
    is_begun: bool,
    /// The end of what was packed before.
    window: Vec<u8>,
    check: Crc,
}

impl Packer {
    /// One that takes about so much memory.
    pub(super) fn new(memory: usize) -> Self {
        let blocks = BLOCKS_A_THREAD * rayon::current_num_threads();
        let at_once = BLOCK * blocks.min(memory / BLOCK_MEMORY).max(1);
        Self { at_once, is_begun: false, window: Vec::new(), check: Crc::new() }
    }
}

impl Pack for Packer {
    fn at_once(&self) -> usize {
        self.at_once
    }

    fn pack(&mut self, text: &[u8], is_last: bool, packed: &mut Vec<u8>) -> io::Result<()> {
        if !self.is_begun {
            packed.extend(HEADER);
            self.is_begun = true;
        }
        let blocks = text.len() / BLOCK + usize::from(is_last); // the last one has what is left, maybe nothing
        let block = |at: usize| {
            let start = at * BLOCK;
            let before = if start == 0 { &self.window } else { &text[start - WINDOW..start] };
            let is_last = is_last && at + 1 == blocks;
            Block::new(before, &text[start..text.len().min(start + BLOCK)], is_last)
        };
        let blocks: Vec<Block> = match blocks {
            1 => vec![block(0)?],
            _ => (0..blocks).into_par_iter().map(block).collect::<io::Result<_>>()?,
        };
        for block in &blocks {
            packed.extend_from_slice(&block.deflated);
            self.check.combine(&block.check);
        }
        if is_last {
            packed.extend(self.check.sum().to_le_bytes());
            packed.extend(self.check.amount().to_le_bytes());
            self.is_begun = false;
            self.window.clear();
            self.check.reset();
        } else {
            self.window.clear();
            self.window.extend_from_slice(&text[text.len() - WINDOW..]);
        }
        Ok(())
    }

    /// The first one may have begun before; the others are packed side by side.
    fn pack_members(&mut self, text: &[u8], ends: &[usize], packed: &mut Vec<u8>) -> io::Result<()> {
        let mut all = members(text, ends);
        let Some(first) = all.next() else { return Ok(()) };
        self.pack(first, true, packed)?;
        let rest: Vec<&[u8]> = all.collect();
        let pack = |members: &[&[u8]]| {
            let (mut packer, mut packed) = (Packer::new(0), Vec::new());
            members.iter().try_for_each(|member| packer.pack(member, true, &mut packed)).map(|()| packed)
        };
        let rest: Vec<Vec<u8>> = rest.par_chunks(MEMBERS).map(pack).collect::<io::Result<_>>()?;
        rest.iter().for_each(|members| packed.extend_from_slice(members));
        Ok(())
    }
}

struct Block {
    deflated: Vec<u8>,
    check: Crc,
}

impl Block {
    /// Deflates `text`, which follows `before`, up to a whole number of bytes.
    fn new(before: &[u8], text: &[u8], is_last: bool) -> io::Result<Self> {
        // A new one for each: one that is reset packs a little otherwise now and then, by what it packed before. It would save a
        // tenth of the time of members of 2 KB, a smaller window for small ones next to nothing.
        let mut deflate = Compress::new(Compression::new(LEVEL), false);
        if !before.is_empty() {
            deflate.set_dictionary(before)?;
        }
        let mut check = Crc::new();
        check.update(text);
        // What can't be made smaller is stored, so that all fits.
        let mut deflated = Vec::with_capacity(text.len() + text.len() / 8 + 64);
        let flush = if is_last { FlushCompress::Finish } else { FlushCompress::Sync };
        deflate.compress_vec(text, &mut deflated, flush)?;
        assert!(deflate.total_in() == text.len() as u64 && deflated.len() < deflated.capacity(), "a block has room");
        Ok(Self { deflated, check })
    }
}
