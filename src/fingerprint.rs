//! The 128-bit fingerprint of a compared form.
//!
//! XXH3 (Yann Collet, <https://xxhash.com>) is fast and can be made to collide on purpose, so it alone never justifies a cut: where
//! it finds an equal, the bytes are compared. Where they can't be, since they are no longer in memory, a keyed hash takes its
//! place, under a key that nobody knows: SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012). On paragraphs of 74 and 175
//! bytes it takes 40 and 79 ns, HighwayHash 57 and 65, BLAKE3 129 and 208.

use siphasher::sip128::SipHasher24;
use std::io;

/// XXH3-128 of a compared form.
#[inline]
pub fn fingerprint(form: &[u8]) -> u128 {
    xxhash_rust::xxh3::xxh3_128(form)
}

/// 64 bits of XXH3: whether some bytes are still what they were.
pub(crate) fn check(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// How compared forms are hashed.
#[derive(Clone, Copy, Debug, Default)]
pub enum Hash {
    /// By [`fingerprint`]: equal ones are to be compared.
    #[default]
    Fast,
    /// By a keyed hash: equal ones are equal.
    Keyed(Key),
    /// Not at all: all fingerprints are 0.
    Not,
}

impl Hash {
    /// The fingerprint of the compared form of a segment that goes alone, or of one that doesn't. Under a key those are different.
    #[inline]
    pub(crate) fn of(self, form: &[u8], goes_alone: bool) -> u128 {
        match self {
            Hash::Fast => fingerprint(form),
            Hash::Keyed(key) => key.hash(form) ^ u128::from(goes_alone),
            Hash::Not => 0,
        }
    }
}

/// A key of SipHash.
#[derive(Clone, Copy)]
pub struct Key(u64, u64);

impl Key {
    /// One that nobody can know.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub(crate) fn random() -> io::Result<Self> {
        Ok(Self(random()?, random()?))
    }

    /// The keyed hash of some bytes.
    #[inline]
    pub(crate) fn hash(self, bytes: &[u8]) -> u128 {
        SipHasher24::new_with_keys(self.0, self.1).hash(bytes).as_u128()
    }
}

/// A random number.
///
/// # Errors
/// If the system gives none.
pub(crate) fn random() -> io::Result<u64> {
    getrandom::u64().map_err(io::Error::from)
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(secret)")
    }
}
