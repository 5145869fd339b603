//! What stands for texts whose first document is dropped although not all of it repeats (`--drop-above`): they are gone with it,
//! so the next document that has them keeps them. Knows numbers only.

use crate::bits::Bits;
use crate::detect::earlier::InDocument;
use crate::document::Repeat;
use rustc_hash::FxHashMap;
use std::ops::Range;

/// The paragraphs that are gone with their documents, and those that stand for them.
#[derive(Default)]
pub(crate) struct Heirs {
    lost: Bits,
    /// By the number of a kind's first, which is lost.
    heirs: FxHashMap<u32, u32>,
}

impl Heirs {
    /// Takes back what nothing that is left justifies.
    pub(crate) fn spare(&self, found: &mut InDocument) {
        found.across.retain_mut(|repeat| {
            let heir = self.heir(repeat.kept);
            repeat.kept = heir.unwrap_or(repeat.kept);
            heir.is_some()
        });
    }

    /// What stands for the kind of a first: itself, unless it is lost.
    fn heir(&self, first: u32) -> Option<u32> {
        if self.lost.has(first) { self.heirs.get(&first).copied() } else { Some(first) }
    }

    /// A document is decided about: `repeats` are its paragraphs that are not the first of their kind.
    pub(crate) fn settle(&mut self, document: Range<u32>, repeats: &[Repeat], is_dropped: bool) {
        if is_dropped {
            document.for_each(|paragraph| self.lost.set(paragraph));
            return;
        }
        for repeat in repeats {
            if self.heir(repeat.kept).is_none() {
                self.heirs.insert(repeat.kept, repeat.at);
            }
        }
    }

    /// Forgets the documents from a paragraph on.
    pub(crate) fn forget(&mut self, from: u32) {
        self.lost.clear_from(from);
        self.heirs.retain(|_, heir| *heir < from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_with_its_document_is_kept_by_the_next() {
        let mut heirs = Heirs::default();
        heirs.settle(0..3, &[], true);
        let repeat = |at, kept| Repeat { at, kept };
        let found = |at| InDocument { across: vec![repeat(at, 1)], ..InDocument::default() };
        let mut first = found(0);
        heirs.spare(&mut first);
        assert_eq!(first.across, []);
        heirs.settle(3..5, &[repeat(3, 1), repeat(4, 1)], false);
        let mut second = found(0);
        heirs.spare(&mut second);
        assert_eq!(second.across, [repeat(0, 3)]);
        heirs.forget(3);
        let mut third = found(0);
        heirs.spare(&mut third);
        assert_eq!(third.across, []);
    }
}
