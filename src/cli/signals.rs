//! Ctrl-C and its like: temporary files go before the program does.
//!
//! While there are none, a signal ends the program at once, as if nobody watched. While there are, it sets a flag that ends the
//! run at the next document, or while it waits for one; the second one ends it at once all the same.
#![allow(unsafe_code)]

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_default, register_usize};
use signal_hook::low_level::emulate_default_handler;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What signals did, and what they may do.
pub(super) struct Signals {
    stop: Arc<AtomicBool>,
    /// There is nothing to tidy up.
    at_rest: Arc<AtomicBool>,
    /// The number of the signal that came.
    came: Arc<AtomicUsize>,
}

impl Signals {
    /// For a run without temporary files: signals do what they do to any program.
    pub(super) fn ignored() -> Self {
        Self { stop: Arc::default(), at_rest: Arc::new(AtomicBool::new(true)), came: Arc::default() }
    }

    /// For a run that makes temporary files.
    pub(super) fn watched() -> Self {
        let signals = Self::ignored();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            if !is_ignored(signal) {
                // Should the system refuse, the signal does what it does to any program.
                let _ = signals.watch(signal);
            }
        }
        signals
    }

    /// The order counts: the first signal finds the flag unset and sets it, the second finds it set.
    fn watch(&self, signal: i32) -> std::io::Result<()> {
        register_conditional_default(signal, Arc::clone(&self.at_rest))?;
        register_conditional_default(signal, Arc::clone(&self.stop))?;
        register_usize(signal, Arc::clone(&self.came), signal as usize)?;
        register(signal, Arc::clone(&self.stop)).map(drop)
    }

    /// The flag that ends the run.
    pub(super) fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    /// Temporary files may exist from now on.
    pub(super) fn let_temporaries_go_first(&self) {
        self.at_rest.store(false, Ordering::SeqCst);
    }

    /// No temporary files exist from now on.
    pub(super) fn let_go_at_once(&self) {
        self.at_rest.store(true, Ordering::SeqCst);
    }

    /// Ends the program by the signal that came, if one did, now that nothing is left to tidy up.
    pub(super) fn end_if_stopped(&self) {
        if self.stop.load(Ordering::SeqCst) {
            let _ = emulate_default_handler(self.came.load(Ordering::SeqCst) as i32);
        }
    }
}

/// Whether whoever started the program wants it to live through a signal (nohup, a shell's background jobs).
fn is_ignored(signal: i32) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the call only fills the structure, which is valid when zeroed too.
    unsafe {
        let asked = libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr());
        asked == 0 && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}
