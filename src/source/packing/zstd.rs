//! zstd. One frame is written. What is large is packed by threads of the library's own: always, since packing without them gives
//! other bytes, while their number makes no difference.

use super::{Pack, Step, Unpack};
use std::io::{self, Write};
use zstd::bulk::Compressor;
use zstd::stream::raw::{CParameter, DParameter, Decoder, InBuffer, Operation, OutBuffer};
use zstd::stream::write::Encoder;

/// The largest window of a frame that is unpacked, by its logarithm: what `zstd --long=31` writes, or all there is where memory has
/// 32-bit addresses. A frame may well promise more than it holds; only what is unpacked costs memory.
const WINDOW_BITS: u32 = if usize::BITS < 64 { 30 } else { 31 };
/// A text up to this size is packed without threads.
pub(super) const SMALL: usize = 1 << 20;
/// How much of a text a thread packs at a time: a quarter of the library's own measure takes a third of the memory, and packs 0.3 %
/// worse.
const JOB: u32 = 2 << 20;
/// What a thread takes that packs jobs of this size: its window and its tables, what comes in and what goes out.
const THREAD: usize = 16 << 20;
/// The level of zstd itself.
const LEVEL: i32 = 3;

pub(super) struct Unpacker {
    decoder: Decoder<'static>,
    /// How many bytes the decoder wants to end the block it is in.
    wanted: usize,
    /// Whether there was no room for all of the text that it has: it may have more.
    has_more: bool,
}

impl Unpacker {
    pub(super) fn new() -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_BITS))?;
        Ok(Self { decoder, wanted: 0, has_more: false })
    }

    fn run(&mut self, packed: &[u8], text: &mut [u8]) -> Step {
        let (mut packed, mut text) = (InBuffer::around(packed), OutBuffer::around(text));
        let wanted = self.decoder.run(&mut packed, &mut text);
        self.wanted = *wanted.as_ref().unwrap_or(&0);
        self.has_more = text.pos() == text.capacity();
        let is_end = wanted.map(|wanted| wanted == 0).map_err(|error| crate::error::io_reason(&error));
        Step { taken: packed.pos(), given: text.pos(), is_end }
    }
}

impl Unpack for Unpacker {
    /// A block at a time, since those that came out before a broken one in the same call would be lost with it.
    fn step(&mut self, packed: &[u8], text: &mut [u8]) -> Step {
        const AT_LEAST: usize = 4;
        if self.has_more {
            let rest = self.run(&[], text);
            if rest.given > 0 {
                return rest;
            }
        }
        self.run(&packed[..packed.len().min(self.wanted.max(AT_LEAST))], text)
    }
}

pub(super) struct Packer {
    encoder: Option<Encoder<'static, Vec<u8>>>,
    /// About so much may be in memory.
    memory: usize,
}

impl Packer {
    pub(super) fn new(memory: usize) -> Self {
        Self { encoder: None, memory }
    }
}

impl Pack for Packer {
    fn at_once(&self) -> usize {
        SMALL
    }

    fn pack(&mut self, text: &[u8], is_last: bool, packed: &mut Vec<u8>) -> io::Result<()> {
        let mut encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None if is_last => return pack_small(text, packed),
            None => new_encoder(self.memory)?,
        };
        encoder.write_all(text)?;
        if is_last {
            packed.append(&mut encoder.finish()?);
        } else {
            packed.append(encoder.get_mut());
            self.encoder = Some(encoder);
        }
        Ok(())
    }
}

fn new_encoder(memory: usize) -> io::Result<Encoder<'static, Vec<u8>>> {
    let mut encoder = Encoder::new(Vec::new(), LEVEL)?;
    encoder.set_parameter(CParameter::ChecksumFlag(true))?;
    encoder.set_parameter(CParameter::JobSize(JOB))?;
    let threads = rayon::current_num_threads().min(memory / THREAD).max(1);
    encoder.set_parameter(CParameter::NbWorkers(threads as u32))?;
    Ok(encoder)
}

fn pack_small(text: &[u8], packed: &mut Vec<u8>) -> io::Result<()> {
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    packed.append(&mut compressor.compress(text)?);
    Ok(())
}
