//! How much memory a run may take, and what that means for each of its parts.

use crate::error::{Error, Place, Result, megabytes, megabytes_up};
use crate::source::{Form, Pace, Room};
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// How much memory a run may take, and where it goes if that isn't enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// In bytes.
    pub memory: u64,
    /// The folder for temporary files; `None`: the system's.
    pub temporary: Option<PathBuf>,
    /// Whether what is written is packed, as far as that is known before.
    pub packs: bool,
}

/// So much of a container makes a batch at the most, which the processor's outer cache nearly holds.
const LARGEST_STRETCH: u64 = 16 << 20;
/// And so much at least: less isn't worth a parallel step.
const SMALLEST_STRETCH: u64 = 1 << 20;
/// So much of a stream is handed on at a time at the most.
const READ_AT_ONCE: usize = 4 << 20;
/// A stretch is this part of the memory.
const STRETCHES: u64 = 64;
/// What is read, taken apart, planned and written takes so many stretches: those a reader is ahead, the one under way with what is
/// made of it, those that wait to be written.
const UNDER_WAY: u64 = 6;
/// What the program and its threads take in any case.
const PROGRAM: u64 = 12 << 20;
/// What is packed takes more on its way in and out, at least and at most so much: a thread that packs takes some 16 MB.
const PACKING: RangeInclusive<u64> = 24 << 20..=1 << 30;
/// Between those, this part of the memory.
const PACKING_PART: u64 = 8;
/// A text with its paragraphs and what is found about them takes at most so many thirds of its size, unless its lines are very
/// short.
const THIRDS_OF_TEXT: u64 = 5;

/// A feed or a page with what is read from it and found about that takes at most so many times its size.
const TIMES_OF_MARKUP: u64 = 8;

/// What is unpacked to be read at any place takes at most this part of the memory.
const UNPACKED: u64 = 2;

/// And a record, which is read ahead, taken apart, planned and written like a stretch, at most this part of the memory.
const RECORDS: u64 = 8;

/// How much memory a text of so many bytes takes.
fn of_text(bytes: u64) -> u64 {
    bytes.div_ceil(3).saturating_mul(THIRDS_OF_TEXT)
}

impl Budget {
    /// The least there may be.
    pub const LEAST: u64 = 64 << 20;

    /// Half of what the machine has, or its control group allows.
    pub fn of_machine() -> Self {
        let mut system = sysinfo::System::new();
        system.refresh_memory();
        let allowed = system.cgroup_limits().map_or(u64::MAX, |limits| limits.total_memory);
        Self { memory: (system.total_memory().min(allowed) / 2).max(Self::LEAST), temporary: None, packs: false }
    }

    /// How much of a container is taken at once, and may wait to be written.
    pub fn stretch(&self) -> usize {
        (self.memory / STRETCHES).clamp(SMALLEST_STRETCH, LARGEST_STRETCH) as usize
    }

    /// How a stream is read.
    pub(super) fn pace(&self) -> Pace {
        Pace { stretch: self.stretch().min(READ_AT_ONCE), longest: self.longest_record() }
    }

    /// How much documents that are compared with one another may take.
    pub(super) fn corpus(&self) -> u64 {
        let room = self.memory.saturating_sub(UNDER_WAY * self.stretch() as u64 + PROGRAM);
        if self.packs { room.saturating_sub(self.packing()) } else { room }
    }

    /// How much they may take beside a stream that is packed.
    pub(super) fn corpus_beside_packing(&self) -> u64 {
        Self { packs: true, ..self.clone() }.corpus()
    }

    /// How much packing may take.
    pub fn packing(&self) -> u64 {
        (self.memory / PACKING_PART).clamp(*PACKING.start(), *PACKING.end())
    }

    /// The longest record that is read, in bytes.
    pub fn longest_record(&self) -> u64 {
        self.memory / RECORDS
    }

    /// The longest text that is taken apart.
    pub(super) fn most_text(&self) -> u64 {
        self.memory / THIRDS_OF_TEXT * 3
    }

    /// Refuses a document of so many bytes that takes more memory than there may be.
    pub(super) fn ensure_fits(&self, bytes: u64, form: Form, place: impl FnOnce() -> Place) -> Result<()> {
        let needed = match form {
            Form::Feed | Form::Html => bytes.saturating_mul(TIMES_OF_MARKUP),
            _ => of_text(bytes),
        };
        if needed <= self.memory { Ok(()) } else { Err(self.too_much(bytes, needed, place())) }
    }

    /// How much there may be beside a text of so many bytes: what it is, repaired.
    pub(super) fn beside_text(&self, bytes: u64) -> u64 {
        self.memory.saturating_sub(of_text(bytes))
    }

    /// Why a text of so many bytes is refused that takes so much beside.
    pub(super) fn too_much_beside(&self, bytes: u64, beside: u64, place: Place) -> Error {
        self.too_much(bytes, of_text(bytes).saturating_add(beside), place)
    }

    fn too_much(&self, bytes: u64, needed: u64, place: Place) -> Error {
        let (of, needed, allowed) = (megabytes(bytes), megabytes_up(needed), megabytes(self.memory));
        let why = format!("one document of {of} takes up to {needed} of memory, and --memory allows {allowed}");
        Error::refused(place, why)
    }

    /// Where streams go that are read at any place.
    pub fn room(&self) -> Room {
        Room::new(self.memory / UNPACKED, self.folder())
    }

    /// The folder for temporary files. Not /tmp, which often is memory: what is large and short-lived goes to /var/tmp (Filesystem
    /// Hierarchy Standard 3.0, 5.15).
    pub fn folder(&self) -> PathBuf {
        let of_system = || match std::env::var_os("TMPDIR") {
            Some(folder) if !folder.is_empty() => folder.into(),
            _ => PathBuf::from("/var/tmp"),
        };
        self.temporary.clone().unwrap_or_else(of_system)
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::of_machine()
    }
}
