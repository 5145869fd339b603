//! The allowlist: texts that may repeat.

use super::Place;
use crate::compare::{Match, compared};
use crate::document::Unit;
use crate::fingerprint::Hash;
use crate::report::{Fingerprint, Seen};
use crate::segment::{Manner, Segments};
use memchr::memmem;
use regex::bytes::Regex;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// What may repeat.
#[derive(Clone, Debug)]
pub enum What {
    /// The block with this fingerprint.
    Hash(Fingerprint),
    /// Each paragraph in which this text stands, in its compared form.
    Text(String),
    /// Each paragraph whose compared form this finds something in.
    Regex(Regex),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Hash(fingerprint) => write!(f, "hash {fingerprint}"),
            What::Text(text) => write!(f, "text \"{text}\""),
            What::Regex(regex) => write!(f, "regex '{regex}'"),
        }
    }
}

/// An entry of the allowlist.
#[derive(Debug)]
pub struct Entry {
    what: What,
    /// Where it is listed, if that is a file.
    at: Option<Place>,
    is_used: AtomicBool,
}

impl What {
    /// Whether it would allow any text.
    pub fn is_of_anything(&self) -> bool {
        match self {
            What::Hash(_) => false,
            What::Text(text) => form(text.as_bytes()).is_empty(),
            What::Regex(regex) => regex.is_match(b""),
        }
    }
}

impl Entry {
    /// An entry, and where it is listed.
    pub fn new(what: What, at: Option<Place>) -> Self {
        let what = match what {
            What::Text(text) => What::Text(String::from_utf8_lossy(&form(text.as_bytes())).into_owned()),
            what => what,
        };
        Self { what, at, is_used: AtomicBool::new(false) }
    }

    fn is_of(&self, fingerprint: Fingerprint) -> bool {
        matches!(self.what, What::Hash(of) if of == fingerprint)
    }

    /// Whether it allows a paragraph of this compared form.
    fn finds(&self, form: &[u8]) -> bool {
        match &self.what {
            What::Hash(_) => false,
            What::Text(text) => memmem::find(form, text.as_bytes()).is_some(),
            What::Regex(regex) => regex.is_match(form),
        }
    }

    fn use_it(&self) {
        self.is_used.store(true, Ordering::Relaxed);
    }
}

/// The texts that may repeat.
#[derive(Debug, Default)]
pub struct Allowlist {
    /// Its entries.
    pub entries: Vec<Entry>,
    /// What a paragraph is.
    pub unit: Unit,
}

impl Allowlist {
    /// Whether a block may repeat: it is listed, or each of its paragraphs is. One that has a listed phrase somewhere in it isn't: an
    /// article doesn't go unseen for the footer under it.
    pub fn allows(&self, Seen { text, fingerprint, paragraphs }: Seen) -> bool {
        if self.entries.is_empty() {
            return false;
        }
        // All of them are looked at: each entry that finds something has its use.
        let listed = self.entries.iter().find(|entry| entry.is_of(fingerprint));
        listed.into_iter().for_each(Entry::use_it);
        let all = self.paragraphs(text, paragraphs);
        let allowed = all.iter().filter(|paragraph| self.allows_paragraph(paragraph)).count();
        listed.is_some() || allowed == all.len()
    }

    /// Whether what has this fingerprint is listed by it.
    pub(super) fn has(&self, fingerprint: Fingerprint) -> bool {
        let listed = self.entries.iter().find(|entry| entry.is_of(fingerprint));
        listed.inspect(|entry| entry.use_it()).is_some()
    }

    fn allows_paragraph(&self, paragraph: &[u8]) -> bool {
        let form = form(paragraph);
        let found = self.entries.iter().filter(|entry| entry.finds(&form));
        found.inspect(|entry| entry.use_it()).count() > 0
    }

    /// The entries by which nothing is allowed, each in words and with its place in a file.
    pub(super) fn unused(&self) -> impl Iterator<Item = (String, &Place)> {
        let unused = self.entries.iter().filter(|entry| !entry.is_used.load(Ordering::Relaxed));
        unused.filter_map(|entry| Some((entry.what.to_string(), entry.at.as_ref()?)))
    }

    /// The paragraphs of a block. What stood around it may have told them apart otherwise than it does alone: then its lines, which are
    /// never more than a paragraph.
    fn paragraphs<'a>(&self, block: &'a [u8], count: usize) -> Vec<&'a [u8]> {
        let mut paragraphs = Segments::default();
        let manner = Manner { how: Match::Text, unit: self.unit, is_measured: true, hash: Hash::Not };
        paragraphs.append(block, manner).expect("a block is made of paragraphs that were not too long");
        if paragraphs.list.len() == count {
            return paragraphs.list.iter().map(|paragraph| paragraph.span().of(block)).collect();
        }
        block.split(|&byte| byte == b'\n').filter(|line| !form(line).is_empty()).collect()
    }
}

fn form(text: &[u8]) -> Vec<u8> {
    compared(text, Match::Text, &mut Vec::new()).to_vec()
}
