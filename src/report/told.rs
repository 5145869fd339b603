//! What is said of an input, gathered from the parts it comes in.

use super::{Finding, Sums, Wanted};
use crate::error::Result;
use crate::runner::{Planned, Portion};

/// What is said of an input, or of a part of one.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Its sums.
    pub sums: Sums,
    /// What was found in its documents, as far as that is wanted.
    pub findings: Vec<Finding>,
}

impl Told {
    /// What is said of a portion: of those of its documents that are wanted, their longest blocks, at most so many.
    ///
    /// # Errors
    /// Those of [`Finding::new`].
    pub fn of(portion: &Portion, most: usize, is_wanted: impl Fn(&Planned) -> bool) -> Result<Self> {
        Self::with(portion, most, is_wanted, None)
    }

    /// All that repeats in a portion, and what is `wanted` of its text.
    ///
    /// # Errors
    /// Those of [`Finding::new`].
    pub fn of_all(portion: &Portion, wanted: Option<Wanted>) -> Result<Self> {
        // What of a text repeats shows in all its parts together.
        let is_wanted = |document: &Planned| portion.is_part_of_text() || !document.plan.blocks.is_empty();
        Self::with(portion, usize::MAX, is_wanted, wanted)
    }

    fn with(portion: &Portion, most: usize, is_wanted: impl Fn(&Planned) -> bool, wanted: Option<Wanted>) -> Result<Self> {
        let documents = portion.documents.iter().filter(|document| is_wanted(document));
        let findings = documents.map(|document| Finding::new(portion, document, most, wanted)).collect::<Result<_>>()?;
        Ok(Self { sums: Sums::of(portion), findings })
    }

    /// Goes on with what is said of the next part, in which a text, being one document, goes on.
    pub fn append(&mut self, more: Told, most: usize) {
        self.sums.append(&more.sums);
        for finding in more.findings {
            match self.findings.last_mut() {
                Some(last) if finding.record.is_none() => last.append(finding, most),
                _ => self.findings.push(finding),
            }
        }
    }

    /// The same, now that all parts have come: of each document the longest blocks, at most so many.
    pub fn in_order(mut self, most: usize) -> Self {
        self.findings.iter_mut().for_each(|finding| finding.put_in_order(most));
        self
    }
}
