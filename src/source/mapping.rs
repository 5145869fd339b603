//! Files mapped into memory, and the signal that comes when someone else cuts one short. The only `unsafe` code.
//!
//! # Safety argument
//!
//! Two things can go wrong with a mapped file. Its bytes may *change* under a `&[u8]`: no code here relies on two looks at a
//! byte giving the same value for memory safety (all indexing is checked, no text is taken for UTF-8 unchecked), and
//! `Source::ensure_unchanged` turns it into an error before an output gets its name. And it may get *shorter*: touching a page
//! beyond the end raises SIGBUS. The handler puts zeroed anonymous memory over the rest of that mapping and marks it broken;
//! the reader goes on over zeros, and the same check turns that into an error. The handler only reads atomics that live as
//! long as the program and calls `mmap`, a bare system call. A SIGBUS outside our mappings goes to whoever handled it before.
#![allow(unsafe_code)]

use memmap2::Mmap;
use std::fs::File;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How many files are mapped at once; beyond that they are read.
const SLOTS: usize = 64;

/// What the handler knows of one mapping. `start` is 0 while the slot is free.
struct Slot {
    taken: AtomicBool,
    start: AtomicUsize,
    len: AtomicUsize,
    broken: AtomicBool,
}

static MAPPED: [Slot; SLOTS] = [const {
    Slot { taken: AtomicBool::new(false), start: AtomicUsize::new(0), len: AtomicUsize::new(0), broken: AtomicBool::new(false) }
}; SLOTS];

/// A file in memory.
pub(super) struct Mapping {
    map: Mmap,
    slot: &'static Slot,
}

impl Mapping {
    /// Maps a file, or gives `None` where that can't be done and it should be read instead.
    pub(super) fn new(file: &File) -> Option<Self> {
        if !watch_for_short_files() {
            return None;
        }
        let slot = MAPPED.iter().find(|slot| !slot.taken.swap(true, Ordering::AcqRel))?;
        // SAFETY: see the head of this file.
        let Ok(map) = (unsafe { Mmap::map(file) }) else {
            slot.taken.store(false, Ordering::Release);
            return None;
        };
        slot.broken.store(false, Ordering::Relaxed);
        slot.len.store(map.len(), Ordering::Relaxed);
        slot.start.store(map.as_ptr() as usize, Ordering::Release);
        Some(Self { map, slot })
    }

    /// Whether no byte was missing when it was looked at.
    pub(super) fn is_intact(&self) -> bool {
        !self.slot.broken.load(Ordering::Acquire)
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // Before the memory goes back to the system (fields are dropped after this), so the handler never touches what isn't ours.
        self.slot.start.store(0, Ordering::Release);
        self.slot.taken.store(false, Ordering::Release);
    }
}

static PREVIOUS: AtomicUsize = AtomicUsize::new(libc::SIG_DFL);

/// Installs the handler once. False if the system refuses.
fn watch_for_short_files() -> bool {
    static INSTALL: Once = Once::new();
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    INSTALL.call_once(|| {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        let mut previous = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: both structures are valid when zeroed (integers and an empty signal set); the handler has the signature
        // that SA_SIGINFO asks for; `previous` is read only after the call succeeded.
        unsafe {
            let set = action.assume_init_mut();
            set.sa_sigaction = on_bus_error as *const () as usize;
            set.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            if libc::sigaction(libc::SIGBUS, set, previous.as_mut_ptr()) == 0 {
                PREVIOUS.store(previous.assume_init().sa_sigaction, Ordering::Relaxed);
                INSTALLED.store(true, Ordering::Release);
            }
        }
    });
    INSTALLED.load(Ordering::Acquire)
}

extern "C" fn on_bus_error(signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the system hands a valid `siginfo_t` to a handler installed with SA_SIGINFO.
    let address = unsafe { (*info).si_addr() } as usize;
    for slot in &MAPPED {
        let (start, len) = (slot.start.load(Ordering::Acquire), slot.len.load(Ordering::Relaxed));
        if start == 0 || !(start..start + len).contains(&address) {
            continue;
        }
        slot.broken.store(true, Ordering::Release);
        // SAFETY: from the faulting page to the end of a mapping that is ours and alive (a thread is reading it). A page's
        // size divides every mapping's start, so rounding down stays inside.
        let put = unsafe {
            let page = libc::sysconf(libc::_SC_PAGESIZE) as usize;
            let from = address & !(page - 1);
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
            libc::mmap(from as *mut libc::c_void, start + len - from, libc::PROT_READ, flags, -1, 0)
        };
        if put != libc::MAP_FAILED {
            return;
        }
    }
    // Not ours: back to whoever was there; the faulting instruction runs again and meets them.
    // SAFETY: the value came from `sigaction` (or is SIG_DFL).
    unsafe { libc::signal(signal, PREVIOUS.load(Ordering::Relaxed)) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_cut_short_while_mapped_reads_as_zeros_and_is_marked() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![b'x'; 1 << 20]).unwrap();
        let mapping = Mapping::new(&file).unwrap();
        assert!(mapping.iter().all(|&b| b == b'x') && mapping.is_intact());
        file.set_len(10_000).unwrap();
        assert_eq!(mapping[1 << 19], 0);
        assert!(!mapping.is_intact());
        assert_eq!(mapping[100], b'x');
        let other = Mapping::new(&file).unwrap();
        assert!(other.is_intact());
    }
}
