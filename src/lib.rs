//! Finds text that repeats itself and writes a clean copy.
//!
//! # One text
//!
//! ```
//! let body = "The harbour was quiet that morning, and nobody had seen the ferry leave. ".repeat(9);
//! let article = format!("A short lede.\n{body}\n(From our reporters)\n{body}\n(From our reporters)");
//! let cleaned = unecho::clean(&article, &unecho::Settings::default())?;
//! assert_eq!(cleaned.text, format!("A short lede.\n{body}\n(From our reporters)"));
//! assert_eq!(cleaned.plan.blocks[0].paragraphs, 2);
//! # Ok::<(), unecho::Error>(())
//! ```
//!
//! A text that may not be UTF-8 goes the same way in three steps:
//!
//! ```
//! use unecho::{Plan, Settings, apply, source};
//!
//! let text: &[u8] = b"Latin-1: caf\xe9\n";
//! let plan = Plan::new(&source::text::document(text), &Settings::default()).expect("no paragraph has 4 GiB");
//! let copy = apply::without(text, plan.cuts.iter().map(|cut| cut.at));
//! assert_eq!(copy, text);
//! ```
//!
//! # Many files
//!
//! [`source::Walk`] finds them, [`runner::run`] plans each in parallel and hands on, in order, what was made of the plans; the
//! command line is made of these two.
//!
//! ```
//! use std::path::{Path, PathBuf};
//! use std::sync::atomic::AtomicBool;
//! use unecho::Settings;
//! use unecho::runner::{Budget, Course, Outcome, Reading, run};
//! use unecho::source::{Selection, Walk};
//! use unecho::threads::Threads;
//!
//! let found = Walk::new(&[PathBuf::from("fixtures")], Selection::default())?;
//! let (settings, reading, threads, stop) = (Settings::default(), Reading::default(), Threads::new(0), AtomicBool::new(false));
//! let budget = Budget::of_machine();
//! let course = Course { settings: &settings, reading: &reading, budget: &budget, threads: &threads, stop: &stop };
//! let mut removed = Vec::new();
//! run(
//!     found,
//!     course,
//!     |portion| {
//!         let removed: usize = portion.documents.iter().map(|document| document.plan.removed_paragraphs()).sum();
//!         Ok((portion.input.path().to_owned(), removed))
//!     },
//!     |outcomes| {
//!         for outcome in outcomes {
//!             match outcome {
//!                 Outcome::Done(done) => removed.push(done),
//!                 Outcome::LeftOut(..) | Outcome::Notice(_) => {}
//!                 Outcome::Failed(error) => eprintln!("{error}"),
//!             }
//!         }
//!         Ok(())
//!     },
//! )?;
//! let expected = [("crawl.jsonl", 0), ("doubled-article.txt", 13), ("misread-article.txt", 7), ("news.rss", 4)];
//! assert_eq!(removed, expected.map(|(name, paragraphs)| (Path::new("fixtures").join(name), paragraphs)));
//! # Ok::<(), unecho::Error>(())
//! ```
//!
//! ARCHITECTURE.md in the repository shows how the rooms hang together.

pub mod apply;
mod bits;
#[cfg(feature = "check")]
pub mod check;
mod corpus;
pub mod document;
mod entity;
mod error;
mod ground;
mod heirs;
mod markup;
mod near;
mod page;
mod plan;
pub mod record;
pub mod report;
mod rules;
pub mod runner;
mod scratch;
mod sheaf;
pub mod source;
mod survivors;
pub mod threads;
pub mod tidy;

// What tests and benches look at by itself, and no one else should.
#[doc(hidden)]
pub mod compare;
#[doc(hidden)]
pub mod detect;
#[doc(hidden)]
pub mod fingerprint;
#[doc(hidden)]
pub mod index;
#[doc(hidden)]
pub mod segment;

pub use compare::Match;
pub use corpus::Known;
pub use document::Unit;
pub use error::{Error, Place, Result, What};
pub use plan::{Fate, Plan};
pub use rules::{Keep, Share, Threshold};
pub use tidy::{Tidy, tidy};

use fingerprint::Hash;
use rules::Measure;
use segment::Manner;
use std::borrow::Cow;

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// What counts as a repeat, and which copy stays.
///
/// ```
/// let settings = unecho::Settings { across: true, keep: unecho::Keep::Last, ..Default::default() };
/// assert!(unecho::clean("A text.", &settings).is_err()); // an earlier document may be written already
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How alike two paragraphs must be.
    pub matching: Match,
    /// How long a repeated run must be.
    pub threshold: Threshold,
    /// Which of several copies stays; across documents always the first.
    pub keep: Keep,
    /// What is compared as a whole.
    pub unit: Unit,
    /// Whether what stands in an earlier document goes too.
    pub across: bool,
    /// The share of a document that may repeat before all of it goes.
    pub drop_above: Option<Share>,
    /// What is repaired in texts, before they are compared.
    pub tidy: Tidy,
    /// Whether nothing is compared, and texts are only repaired.
    pub only_tidies: bool,
}

impl Settings {
    /// Refuses what makes no sense together.
    ///
    /// # Errors
    /// If the last copy is to be kept across documents; if nothing is to be done, or documents are to be compared though nothing is.
    pub fn ensure_sensible(&self) -> Result<()> {
        if self.only_tidies && (self.tidy.is_none() || self.across) {
            let why = "leaves nothing to do: it goes with --tidy, and without what is compared";
            return Err(Error::refused(Place::Request("--no-dedup".into()), why));
        }
        if self.across && self.keep == Keep::Last {
            let why = "across documents the first copy stays; --keep last goes with repeats within a document only";
            return Err(Error::refused(Place::Request("--keep last".into()), why));
        }
        Ok(())
    }

    /// The length that a repeated run must reach anywhere.
    fn least(&self) -> u64 {
        match (self.unit, self.threshold) {
            (Unit::Document, Threshold::LongOrLargeShare) => 1, // any that has text
            (Unit::Line | Unit::Document, Threshold::Flat(columns)) => u64::from(columns), // even what shows nothing
            (_, threshold) => threshold.least(),
        }
    }

    /// Whether each line that repeats goes, whatever stands around it: then nothing depends on columns.
    fn takes_each_line(&self) -> bool {
        self.unit == Unit::Line && self.least() == 0 && self.drop_above.is_none()
    }

    /// How texts are taken apart.
    fn manner(&self, hash: Hash) -> Manner {
        let is_measured = self.matching != Match::Bytes || !self.takes_each_line();
        Manner { how: self.matching, unit: self.unit, is_measured, hash }
    }

    fn measure(&self) -> Measure {
        Measure { threshold: self.threshold, least: self.least(), keep: self.keep, is_guarded: self.unit == Unit::Paragraph }
    }
}

/// A text and its clean copy.
#[derive(Clone, Debug)]
pub struct Cleaned<'a> {
    /// The clean copy; borrowed if nothing was cut.
    pub text: Cow<'a, str>,
    /// What was cut, and why; places are byte ranges of the original.
    pub plan: Plan,
}

/// The clean copy of one text.
///
/// # Errors
/// [`What::TooLarge`] if a paragraph has more than 4 GiB, or the text more than 1 TiB or 4,294,967,294 paragraphs; those of
/// [`Settings::ensure_sensible`].
pub fn clean<'a>(text: &'a str, settings: &Settings) -> Result<Cleaned<'a>> {
    settings.ensure_sensible()?;
    let document = source::text::document(text.as_bytes());
    let plan = Plan::new(&document, settings).map_err(|what| Error::too_large(Place::Text, what))?;
    let text = if plan.cuts.is_empty() {
        Cow::Borrowed(text)
    } else {
        let copy = apply::without(text.as_bytes(), plan.cuts.iter().map(|cut| cut.at));
        Cow::Owned(String::from_utf8(copy).expect("cuts begin and end at line ends, which are characters of their own"))
    };
    Ok(Cleaned { text, plan })
}
