//! The 128-bit fingerprint of a compared form.
//!
//! XXH3 (Yann Collet, <https://xxhash.com>) is fast and can be made to collide on purpose, so a fingerprint alone never
//! justifies a cut: where it finds an equal, the bytes are compared.

/// XXH3-128 of a compared form.
#[inline]
pub fn fingerprint(form: &[u8]) -> u128 {
    xxhash_rust::xxh3::xxh3_128(form)
}
