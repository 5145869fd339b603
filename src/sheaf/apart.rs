//! A file taken apart by itself, for those who prove what was cut of it.

use super::{Part, Sheaf, Taking, Unreadable};
use crate::compare::{Match, compared};
use crate::document::{Edits, Kind, Span, Unit};
use crate::fingerprint::Hash;
use crate::ground::Repairs;
use crate::segment::Manner;
use crate::source::{Fields, Form, Holds, Record, warc};
use crate::tidy::Tidy;
use smallvec::SmallVec;

/// A paragraph of what isn't written as it reads.
pub(crate) struct Paragraph {
    /// From its first to its last byte in the file.
    pub(crate) around: Span,
    /// Those that are its text, and whether they are blank.
    pub(crate) pieces: SmallVec<[(Span, bool); 2]>,
    /// Its compared form.
    pub(crate) form: Vec<u8>,
}

/// A feed or a page, taken apart by itself.
pub(crate) struct Apart {
    /// In order.
    pub(crate) paragraphs: Vec<Paragraph>,
    /// Where its bodies are written, in order.
    bodies: Vec<Span>,
    /// What is repaired in them.
    pub(crate) edits: Edits,
    /// What goes with each item, if something before it stays or nothing does.
    pub(crate) items: Vec<[Span; 2]>,
}

impl Apart {
    /// All of a file.
    ///
    /// # Errors
    /// Why it can't be taken apart, in words.
    pub(crate) fn new(file: &[u8], form: Form, fields: &Fields, how: Match, unit: Unit, tidy: Tidy) -> Result<Self, String> {
        let manner = Manner { how, unit, is_measured: true, hash: Hash::Not };
        let taking = Taking { manner, are_compared: false, has_places: false, is_checked: false, tidy };
        let mut sheaf = Sheaf::default();
        let records = (form == Form::Warc).then(|| records_of(file));
        sheaf.read(file, records.as_deref(), form, fields, taking, true).map_err(|why| match why {
            Unreadable::TooLarge(_) => "has a paragraph that is too long".to_owned(),
            Unreadable::Feed(fault) => fault.to_string(),
        })?;
        let mut apart = Self {
            paragraphs: Vec::with_capacity(sheaf.segments.list.len()),
            bodies: Vec::new(),
            edits: Edits::default(),
            items: Vec::new(),
        };
        for document in &sheaf.documents {
            let (ground, page) = (sheaf.ground(document, file), sheaf.page(document, file));
            for segment in page.segments {
                let text = segment.span();
                let how = if segment.kind() == Kind::Fence { Match::Bytes } else { how };
                let form = compared(text.of(page.text), how, &mut Vec::new()).to_vec();
                apart.paragraphs.push(Paragraph { around: ground.around(text), pieces: ground.told_pieces(text), form });
            }
            apart.bodies.push(document.source);
            if document.part != Part::Rest && apart.items.last().is_none_or(|[last, _]| *last != document.extent) {
                apart.items.push([document.extent, document.leading]);
            }
        }
        apart.paragraphs.sort_by_key(|paragraph| paragraph.around);
        apart.bodies.sort_unstable();
        let repairs = sheaf.documents.iter().filter_map(|document| sheaf.repairs(document));
        apart.edits = Repairs::in_order(repairs).collect();
        Ok(apart)
    }

    /// Whether all of a place is in one of its bodies.
    pub(crate) fn is_in_a_body(&self, place: Span) -> bool {
        let behind = self.bodies.partition_point(|body| body.start <= place.start);
        behind > 0 && place.end <= self.bodies[behind - 1].end
    }
}

/// The documents of a WET.
fn records_of(file: &[u8]) -> Vec<Record> {
    let record = |(number, (extent, held)): (u64, (Span, warc::Held))| match held {
        warc::Held::Document(warc::Document { text, is_html, .. }) => {
            Some(Record { extent, number, holds: Holds::Text { text, id: None, is_html } })
        }
        _ => None,
    };
    (1..).zip(warc::records(file)).filter_map(record).collect()
}
