//! The clean copy: the source less its cuts, and how it comes to stand under its name. The only writer of user data.
//!
//! An output appears whole or not at all: it is written to a temporary file beside its place, the batch is synced once, and
//! then each takes its name. What can't be replaced (a pipe, a device, an open descriptor) is written to as it is.

mod apart;
mod copy;
mod disk;
mod draft;
mod folders;
mod growing;
mod in_place;
mod outputs;
mod pending;
mod piece;
mod place;
mod sink;
mod stream;

pub(crate) use disk::sync_names;
pub use draft::Draft;
pub use growing::Growing;
pub use in_place::ensure_replaceable;
pub use outputs::{Outputs, Shape, Target};
pub use pending::{Pending, left_over_below};
pub use piece::Piece;

use crate::document::Span;

/// `source` without `cuts` (in order, without overlap).
pub fn without(source: &[u8], cuts: impl IntoIterator<Item = Span>) -> Vec<u8> {
    let mut out = Vec::with_capacity(source.len());
    stretches(source, cuts).for_each(|stretch| out.extend_from_slice(stretch));
    out
}

/// What stays of `source`, in order.
pub(crate) fn stretches(source: &[u8], cuts: impl IntoIterator<Item = Span>) -> impl Iterator<Item = &[u8]> {
    let end = Span::new(source.len(), source.len());
    let mut at = 0;
    cuts.into_iter().chain([end]).filter_map(move |cut| {
        let stretch = &source[at..cut.start as usize];
        at = cut.end as usize;
        (!stretch.is_empty()).then_some(stretch)
    })
}
