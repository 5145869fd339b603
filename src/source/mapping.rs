//! Files mapped into memory, and the signal that comes when someone else cuts one short.
//!
//! # Safety argument
//!
//! Two things can go wrong with a mapped file. Its bytes may *change* under a `&[u8]`, which the language forbids and no program
//! that maps files can rule out. What is left of the risk: all indexing is checked, UTF-8 is checked where it is decoded and
//! decoded at once, one paragraph at a time, and `Source::ensure_unchanged` turns a change into an error before an output gets
//! its name. And it may get *shorter*: touching a page
//! beyond the end raises SIGBUS. The handler puts zeroed anonymous memory over the rest of that mapping and marks it broken;
//! the reader goes on over zeros, and the same check turns that into an error. The handler only reads atomics and a cell that
//! was filled before it was installed, all of which live as long as the program, and calls `mmap`, a bare system call. A
//! SIGBUS outside our mappings goes to whoever handled it before.
#![allow(unsafe_code)]

use libc::{c_int, c_void, siginfo_t};
use std::fs::File;
use std::mem::MaybeUninit;
use std::ops::{Deref, Range};
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Once, OnceLock};

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

/// Whether one more file can be mapped. Where it can't, a large one is better read a part at a time.
pub(crate) fn can_be_mapped() -> bool {
    MAPPED.iter().any(|slot| !slot.taken.load(Ordering::Relaxed))
}

/// A file in memory.
pub(super) struct Mapping {
    start: NonNull<u8>,
    len: usize,
    slot: &'static Slot,
}

// SAFETY: the memory belongs to the mapping alone and is only ever read; it can be let go by any thread.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `len` bytes of a file, or gives `None` where that can't be done and it should be read instead.
    pub(super) fn new(file: &File, len: u64) -> Option<Self> {
        let len = usize::try_from(len).ok().filter(|&len| len > 0)?;
        if !watch_for_short_files() {
            return None;
        }
        let slot = MAPPED.iter().find(|slot| !slot.taken.swap(true, Ordering::AcqRel))?;
        // SAFETY: a new mapping at an address of the system's choice, for reading only.
        let start = unsafe { libc::mmap(ptr::null_mut(), len, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        let Some(start) = NonNull::new(start.cast()).filter(|_| start != libc::MAP_FAILED) else {
            slot.taken.store(false, Ordering::Release);
            return None;
        };
        slot.broken.store(false, Ordering::Relaxed);
        slot.len.store(len, Ordering::Relaxed);
        slot.start.store(start.as_ptr() as usize, Ordering::Release);
        Some(Self { start, len, slot })
    }

    /// Some of its bytes are not needed in memory for now; who looks at them has them read again. Those go that share a page with the
    /// first, those stay that share one with what is behind the last.
    pub(super) fn let_go(&self, bytes: Range<u64>) {
        let page = PAGE.load(Ordering::Relaxed);
        let [from, to] = [bytes.start, bytes.end].map(|at| usize::try_from(at).unwrap_or(usize::MAX).min(self.len) & !(page - 1));
        let to = if bytes.end >= self.len as u64 { self.len } else { to };
        if from < to {
            // SAFETY: the advice concerns just what is mapped here, which is a file that is only read: what is given back comes again.
            unsafe { libc::madvise(self.start.as_ptr().add(from).cast(), to - from, libc::MADV_DONTNEED) };
        }
    }

    /// Whether no byte was missing when it was looked at.
    pub(super) fn is_intact(&self) -> bool {
        !self.slot.broken.load(Ordering::Acquire)
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `len` bytes from `start` are mapped until `self` is dropped; see the head of this file for their changing.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // Before the memory goes back to the system, so that the handler never touches what isn't ours.
        self.slot.start.store(0, Ordering::Release);
        // SAFETY: what `new` mapped, and nobody borrows it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
        self.slot.taken.store(false, Ordering::Release);
    }
}

/// What was there before our handler.
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();
/// The size of a page of memory, asked for beforehand: a handler may not ask.
static PAGE: AtomicUsize = AtomicUsize::new(0);

/// Installs the handler once. False if the system refuses.
fn watch_for_short_files() -> bool {
    static INSTALL: Once = Once::new();
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    INSTALL.call_once(|| INSTALLED.store(install().is_some(), Ordering::Release));
    INSTALLED.load(Ordering::Acquire)
}

fn install() -> Option<()> {
    // SAFETY: a question without preconditions.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    PAGE.store(usize::try_from(page).ok().filter(|page| page.is_power_of_two())?, Ordering::Relaxed);
    let mut previous = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the structure is valid when zeroed (integers and an empty signal set), and is read only after the call succeeded.
    let previous =
        unsafe { (libc::sigaction(libc::SIGBUS, ptr::null(), previous.as_mut_ptr()) == 0).then(|| previous.assume_init())? };
    PREVIOUS.set(previous).ok()?;
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: valid when zeroed as above; the handler has the signature that SA_SIGINFO asks for.
    let installed = unsafe {
        let set = action.assume_init_mut();
        set.sa_sigaction = on_bus_error as *const () as usize;
        set.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGBUS, set, ptr::null_mut())
    };
    (installed == 0).then_some(())
}

extern "C" fn on_bus_error(signal: c_int, info: *mut siginfo_t, _context: *mut c_void) {
    // SAFETY: the system hands a valid `siginfo_t` to a handler installed with SA_SIGINFO.
    let address = unsafe { (*info).si_addr() } as usize;
    for slot in &MAPPED {
        let (start, len) = (slot.start.load(Ordering::Acquire), slot.len.load(Ordering::Relaxed));
        if start == 0 || !(start..start + len).contains(&address) {
            continue;
        }
        slot.broken.store(true, Ordering::Release);
        let from = address & !(PAGE.load(Ordering::Relaxed) - 1);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        // SAFETY: from the faulting page to the end of a mapping that is ours and alive (a thread is reading it). A page's
        // size divides every mapping's start, so rounding down stays inside.
        let put = unsafe { libc::mmap(from as *mut c_void, start + len - from, libc::PROT_READ, flags, -1, 0) };
        if put != libc::MAP_FAILED {
            return;
        }
    }
    // Not ours: back to whoever was there; the faulting instruction runs again and meets them.
    if let Some(previous) = PREVIOUS.get() {
        // SAFETY: the very structure that `sigaction` gave.
        unsafe { libc::sigaction(signal, previous, ptr::null_mut()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_cut_short_while_mapped_reads_as_zeros_and_is_marked() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![b'x'; 1 << 20]).unwrap();
        let mapping = Mapping::new(&file, 1 << 20).unwrap();
        assert!(mapping.iter().all(|&b| b == b'x') && mapping.is_intact());
        file.set_len(10_000).unwrap();
        assert_eq!(mapping[1 << 19], 0);
        assert!(!mapping.is_intact());
        assert_eq!(mapping[100], b'x');
        let other = Mapping::new(&file, 10_000).unwrap();
        assert!(other.is_intact());
    }
}
