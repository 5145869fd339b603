//! The record of a run: each cut with what was cut and what justifies it, so that anyone can check the run and take it back.
//!
//! JSON Lines, described in docs/record-format.md; the first key of a line says what the line is. What is recorded of a file comes
//! in parts, as the file is read; so the record is written while the run goes on, and holds no more in memory than a part.

mod format;
mod home;
mod lines;
mod markup;
mod proof;
mod quick;
mod reading;
mod recorder;
mod replay;
mod restore;
mod similarity;
#[cfg_attr(not(feature = "parquet"), path = "no_tables.rs")]
mod tables;
mod texts;
mod verify;

use crate::compare::compared;
use crate::source::Form;
use crate::tidy::{Encoded, repaired_of};
use crate::{Match, Tidy};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read as _};
use xxhash_rust::xxh3::Xxh3;

pub use format::Conditions;
pub use home::{Homes, home_of};
pub use lines::Lines;
pub use proof::Cuts;
pub use reading::Record;
pub use recorder::{Begins, Kept, Recorder, keep_earlier};
pub use restore::{Restored, Restoring, restore};
pub use verify::{Verified, verify};

/// How texts are written in a file, and what of them is repaired when they are read.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Script {
    form: Form,
    repairs: Tidy,
    encoded: Option<Encoded>,
}

impl From<Form> for Script {
    fn from(form: Form) -> Self {
        Self { form, repairs: Tidy::NONE, encoded: None }
    }
}

impl Script {
    /// A text as it reads.
    fn decoded(self, written: &[u8]) -> Cow<'_, [u8]> {
        let read = self.form.decoded(written);
        repaired_of(&read, self.encoded, false, self.repairs).map_or(read, |repaired| repaired.text.into())
    }
}

/// Whether text, as it is written in a file of a form, has nothing that is compared. White space and invisible characters never are.
fn says_nothing(written: &[u8], form: Script, how: Match) -> bool {
    match written.first() {
        None => return true,
        Some(byte) if byte.is_ascii_alphabetic() => return false, // letters always are
        Some(_) => {}
    }
    let how = if how == Match::Bytes { Match::Text } else { how };
    compared(&form.decoded(written), how, &mut Vec::new()).is_empty()
}

/// XXH3-128 of a file.
fn hash_of(mut file: File) -> io::Result<String> {
    let (mut hash, mut piece) = (Xxh3::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(hex(hash.digest128())),
            Ok(read) => hash.update(&piece[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// XXH3-128 in hexadecimal digits.
fn hex(hash: u128) -> String {
    format!("{hash:032x}")
}
