//! The library's decoders take lengths and offsets from the file on trust and panic where these are wrong: a bit that is flipped in
//! a page is enough (`a_flipped_bit_is_no_panic` finds dozens of such places, on slices, in arithmetic and in assertions). Bad input
//! is an error here, so what they do is caught. What they were doing it with is thrown away by those who see the error.

use ::parquet::errors::{ParquetError, Result};
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether this thread is within [`guarded`].
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// What `work` gives, or an error if it panics.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    silence();
    let was_guarded = IS_GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(was_guarded);
    result.unwrap_or_else(|payload| {
        let words = payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref().copied());
        Err(ParquetError::General(format!("its bytes make no sense ({})", words.unwrap_or("no reason is known"))))
    })
}

/// Lets panics that are caught say nothing. Any other speaks as before.
fn silence() {
    static SILENCE: Once = Once::new();
    SILENCE.call_once(|| {
        let speak = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_GUARDED.get() {
                speak(panic);
            }
        }));
    });
}
