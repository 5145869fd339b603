//! The check sums of a record, written as they were: "sha1:" and so on, in base 32, 16 or 64.

use data_encoding::{BASE32, BASE64, Encoding, HEXLOWER, HEXUPPER};
use md5::Md5;
use sha1::Sha1;
use sha2::digest::{Digest, DynDigest};
use sha2::{Sha256, Sha512};

/// A check sum of some bytes that is being made.
pub(super) struct Check {
    label: Vec<u8>,
    encoding: Encoding,
    sum: Box<dyn DynDigest>,
}

impl Check {
    /// One like the value of such a header, if the way is known that it says it was made in.
    pub(super) fn like(value: &[u8]) -> Option<Self> {
        let colon = memchr::memchr(b':', value)?;
        let (label, old) = (&value[..colon], value[colon + 1..].trim_ascii());
        let sum: Box<dyn DynDigest> = match &*label.to_ascii_lowercase() {
            b"sha1" | b"sha-1" => Box::new(Sha1::new()),
            b"sha256" | b"sha-256" => Box::new(Sha256::new()),
            b"sha512" | b"sha-512" => Box::new(Sha512::new()),
            b"md5" => Box::new(Md5::new()),
            _ => return None,
        };
        Some(Self { label: label.to_vec(), encoding: encoding(old, sum.output_size()), sum })
    }

    /// The one that crawlers make.
    pub(super) fn sha1() -> Self {
        Self { label: b"sha1".to_vec(), encoding: BASE32, sum: Box::new(Sha1::new()) }
    }

    /// Takes more of the bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.sum.update(bytes);
    }

    /// Appends the value of the header.
    pub(super) fn append_to(self, out: &mut Vec<u8>) {
        out.extend(self.label);
        out.push(b':');
        out.extend(self.encoding.encode(&self.sum.finalize()).into_bytes());
    }
}

/// How a check sum of `len` bytes is written: what it isn't known by is base 32, which nearly all are written in.
fn encoding(written: &[u8], len: usize) -> Encoding {
    // An MD5 is as long in base 32, padded, as in base 16.
    let is_hex = written.len() == HEXLOWER.encode_len(len) && written.iter().all(u8::is_ascii_hexdigit);
    match written.len() {
        _ if is_hex && written.iter().any(u8::is_ascii_uppercase) => HEXUPPER,
        _ if is_hex => HEXLOWER,
        digits if digits == BASE64.encode_len(len) => BASE64,
        _ => BASE32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_sum_is_written_as_the_one_it_replaces() {
        // Those of nothing at all.
        for sum in [
            "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
            "SHA-1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "sha1:DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
            "sha1:2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "md5:2QOYZWMPACZAJ2MABGMOZ6CCPY======",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "sha-256:4OYMIQUY7QOBJGX36TEJS35ZEQT24QPEMSNZGTFESWMRW6CSXBKQ====",
        ] {
            let mut out = Vec::new();
            Check::like(sum.as_bytes()).unwrap().append_to(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), sum);
        }
        for unknown in ["sha3:ABC", "crc32:1", "", "no label"] {
            assert!(Check::like(unknown.as_bytes()).is_none());
        }
    }
}
