//! Where the text of a document stands in its source, and what goes there with paragraphs of it. Knows markup and maps, no rules.

mod body;
mod repairs;

pub(crate) use body::{Reading, read};
pub(crate) use repairs::{Repairs, changed, edits_of, repair};

use crate::document::{Map, Span, Unit};
use smallvec::SmallVec;

/// What a text is made of.
pub(crate) enum Ground<'a> {
    /// What leads from it to the source is all there is to it.
    Plain(Map),
    /// It was read from something that isn't text as it stands.
    Read(Box<Reading<'a>>),
    /// It was repaired.
    Tidied(&'a Map),
}

impl From<Map> for Ground<'_> {
    fn from(map: Map) -> Self {
        Ground::Plain(map)
    }
}

impl Ground<'_> {
    /// From the first to the last byte of the source that belongs to the bytes of a text.
    pub(crate) fn around(&self, text: Span) -> Span {
        match self {
            Ground::Plain(map) => map.around(text),
            Ground::Tidied(map) => map.around(text),
            Ground::Read(reading) => reading.around(text),
        }
    }

    /// The stretches of the source in which a text stands that is a witness. What was read or repaired has more between its pieces, which
    /// belongs to it.
    pub(crate) fn witness(&self, text: Span) -> SmallVec<[Span; 1]> {
        match self {
            Ground::Plain(map) => joined(map, text).collect(),
            Ground::Read(reading) => SmallVec::from_elem(reading.around(text), 1),
            Ground::Tidied(map) => SmallVec::from_elem(map.around(text), 1),
        }
    }

    /// Whether no character of the source is one of a text and one beside it, too.
    pub(crate) fn may_be_parted(&self, text: Span) -> bool {
        match self {
            Ground::Tidied(map) => map.may_be_parted(text.start) && map.may_be_parted(text.end),
            Ground::Plain(_) | Ground::Read(_) => true, // of which each character stands by itself
        }
    }

    /// The stretches of the source in which a text stands.
    pub(crate) fn pieces(&self, text: Span) -> SmallVec<[Span; 2]> {
        self.told_pieces(text).into_iter().map(|(piece, _)| piece).collect()
    }

    /// The same, and of each whether it is blank, as between tags.
    pub(crate) fn told_pieces(&self, text: Span) -> SmallVec<[(Span, bool); 2]> {
        match self {
            Ground::Plain(map) => joined(map, text).map(|piece| (piece, false)).collect(),
            Ground::Read(reading) => reading.pieces(text).collect(),
            Ground::Tidied(map) => SmallVec::from_elem((map.around(text), false), 1),
        }
    }

    /// Where the source is cut if these paragraphs go: pieces in order, each with the first paragraph that is in it; nothing if that
    /// depends on what stands between paragraphs alone. Those that can't go are taken out of `gone`. The `text` is all of it, which has
    /// these units.
    pub(crate) fn cuts_without(&self, gone: &mut Vec<u32>, text: &[u8], unit: Unit) -> Option<Vec<(Span, u32)>> {
        match self {
            Ground::Read(reading) => reading.cuts_without(gone, text, unit),
            Ground::Plain(_) | Ground::Tidied(_) => None,
        }
    }
}

/// The stretches of the source in which the bytes of a text stand, those that touch made one.
pub(crate) fn joined(map: &Map, text: Span) -> impl Iterator<Item = Span> + '_ {
    let mut source = map.source(text).filter(|span| !span.is_empty()).peekable();
    std::iter::from_fn(move || {
        let mut all = source.next()?;
        while let Some(next) = source.next_if(|next| next.start == all.end) {
            all.end = next.end;
        }
        Some(all)
    })
}
