//! What a run hands on: the plans of an input, or of a stretch of one.

use super::Reading;
use crate::Plan;
use crate::apply::Piece;
use crate::corpus::{Corpus, Known};
use crate::document::{Edit, Edits, Map, Put, Span, edited, edits};
use crate::error::Result;
use crate::ground::Repairs;
use crate::plan::Fate;
#[cfg(feature = "check")]
pub(crate) use crate::sheaf::Words;
use crate::sheaf::{Layout, Sheaf};
use crate::source::{About, Fault, Form, Holds, Input, Records, Skipped, Source, jsonl, warc};
use crate::tidy::{Counts, Encoded, Firsts};
use bytes::Bytes;
use smallvec::SmallVec;
use std::ops::Range;

/// What is planned for an input, or for a stretch of one.
pub struct Portion<'a> {
    /// The input.
    pub input: &'a Input,
    /// Its file.
    pub source: &'a Source,
    /// Which part of it this is.
    pub part: Part,
    /// The bytes in which all places are, unpacked: of a text all of them, of a container those of this part.
    pub bytes: Bytes,
    /// Where they begin in the unpacked file.
    pub offset: u64,
    /// What of them belongs to this part.
    pub extent: Span,
    /// The documents in it; the first may have begun in the part before, and its plan is then about what belongs to this one.
    pub documents: Vec<Planned>,
    /// What goes of the bytes, documents that are dropped included.
    pub cuts: Vec<Span>,
    /// What is repaired in them, beside the cuts.
    pub edits: Edits,
    /// The records that can't be read, by their line, and why; with [`OnError::Drop`](super::OnError::Drop) they go too.
    pub faults: Vec<(u64, Fault)>,
    /// Whether it is the first part of its input.
    pub is_first: bool,
    pub(super) earlier: Option<&'a Corpus>,
    /// Its records, unless they are its lines.
    pub(super) records: Option<&'a Records>,
    /// It, taken apart.
    pub(super) sheaf: Option<&'a Sheaf>,
    /// What leads to its bytes from the text that they are, repaired, of which it is a part.
    pub(super) repaired: Option<&'a Map>,
}

/// Which part of an input something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// One of several stretches, in order.
    Stretch,
    /// What comes after the last stretch: nothing.
    End,
}

/// A document and its plan. Places are in the bytes of its portion.
pub struct Planned {
    /// The line it is, from 1 on, if it is a record.
    pub line: Option<u64>,
    /// Its id as it is written.
    pub id: Option<Span>,
    /// All that belongs to it.
    pub extent: Span,
    /// Where its text is written, or the first of its texts.
    pub text: Span,
    /// Which of the texts of the portion are its.
    pub(crate) parts: Range<usize>,
    /// What goes, and why.
    pub plan: Plan,
    /// Whether it is dropped as a whole.
    pub is_dropped: bool,
    /// How often each repair was made in it.
    pub repairs: Counts,
    /// And where first.
    pub(crate) first_repairs: Firsts,
    /// How its text was encoded, if it was decoded.
    pub(crate) encoded: Option<Encoded>,
}

impl Planned {
    /// The document that a text file is.
    pub(super) fn text(extent: Span, plan: Plan, is_dropped: bool) -> Self {
        let (repairs, first_repairs) = (Counts::default(), Firsts::default());
        Self { line: None, id: None, extent, text: extent, parts: 0..0, plan, is_dropped, repairs, first_repairs, encoded: None }
    }
}

impl<'a> Portion<'a> {
    /// Where something of it stands in the unpacked file.
    pub fn in_file(&self, span: Span) -> Span {
        Span { start: span.start + self.offset, end: span.end + self.offset }
    }

    /// The number of the line of the file that a byte of a text is in.
    pub fn line(&self, at: u64) -> u64 {
        self.source.line(at)
    }

    /// Whether a document of it began in the part before.
    pub fn goes_on(&self, document: &Planned) -> bool {
        document.extent.start < self.extent.start
    }

    /// Whether nothing of its input is in it: it only tells of the end.
    pub(crate) fn is_end(&self) -> bool {
        self.part == Part::End
    }

    /// Whether it is a part of a text: what is to be said of that shows in all its parts together.
    pub fn is_part_of_text(&self) -> bool {
        self.part == Part::Stretch && !self.input.form.is_container()
    }

    /// How many documents begin in it.
    pub fn begun(&self) -> u64 {
        self.documents.iter().filter(|document| !self.goes_on(document)).count() as u64
    }

    /// What is written of this part, in this form.
    pub fn written(&self, to: Form) -> Piece {
        if let Some(records) = self.records {
            let first = records.list.first().map_or(0, |record| record.number);
            let dropped = self.documents.iter().filter(|document| document.is_dropped);
            let number = |document: &Planned| document.line.map_or(0, |line| (line - first) as u32);
            return Piece::records(&self.bytes, records, self.all_edits(), dropped.map(number).collect(), to);
        }
        if !self.edits.is_empty() {
            return Piece::bytes(self.edited().into(), Vec::new());
        }
        let start = self.extent.start;
        let cuts = self.cuts.iter().map(|cut| Span { start: cut.start - start, end: cut.end - start });
        Piece::bytes(self.bytes.slice(self.extent.range()), cuts.collect())
    }

    /// All that is changed of the bytes, in order: each place and what stands there then.
    pub(crate) fn changes(&self) -> impl Iterator<Item = Put<'_>> {
        self.changes_in(self.extent)
    }

    /// The same of some of the bytes.
    pub(crate) fn changes_in(&self, all: Span) -> impl Iterator<Item = Put<'_>> {
        let cuts = &self.cuts[self.cuts.partition_point(|cut| cut.start < all.start)..];
        let cuts = cuts.iter().map(|&cut| (cut, &[][..])).take_while(move |(cut, _)| cut.end <= all.end);
        edits::merged(cuts, self.edits_in(all))
    }

    /// The same, to be kept.
    fn all_edits(&self) -> Vec<Edit> {
        self.changes().map(|(at, put)| Edit { at, put: put.into() }).collect()
    }

    fn edits_in(&self, all: Span) -> impl Iterator<Item = Put<'_>> {
        let edits = self.edits.behind(all.start).skip_while(move |(at, _)| at.start < all.start);
        edits.take_while(move |(at, _)| at.end <= all.end)
    }

    /// Whether something of the text it is about is repaired.
    pub(crate) fn is_repaired(&self, span: Span) -> bool {
        if let Some(map) = self.repaired {
            return !map.has(span);
        }
        let mut edits = self.edits.behind(span.start).skip_while(|(at, _)| at.end == span.start);
        edits.next().is_some_and(|(at, _)| at.start < span.end)
    }

    /// Whether anything is.
    pub fn is_changed(&self) -> bool {
        !self.cuts.is_empty() || !self.edits.is_empty()
    }

    /// Its bytes, cut and repaired.
    pub fn edited(&self) -> Vec<u8> {
        let within = self.changes().map(|(at, put)| (at.counted_from(self.extent.start), put));
        edited(self.extent.of(&self.bytes), within)
    }

    /// The heads of records that are written anew, since their text becomes shorter: where each stands, and what takes its place.
    pub(crate) fn heads(&self) -> Vec<(Span, Vec<u8>)> {
        let Some(records) = self.records.filter(|_| self.input.form == Form::Warc) else { return Vec::new() };
        let mut heads = Vec::new();
        let edits = self.all_edits();
        let mut rest = &*edits;
        for record in &records.list {
            let (its, after) = rest.split_at(rest.partition_point(|edit| edit.at.end <= record.extent.end));
            rest = after;
            let Holds::Text { text, .. } = &record.holds else { continue };
            if its.is_empty() || its[0].at == record.extent {
                continue;
            }
            let head = Span { start: record.extent.start, end: text.start };
            heads.push((head, warc::head(record.extent, *text, its, &self.bytes)));
        }
        heads
    }

    /// The number of bytes of its part that its clean copy has.
    pub fn clean_bytes(&self) -> u64 {
        self.changes().fold(self.extent.len(), |bytes, (at, put)| bytes + put.len() as u64 - at.len())
    }

    /// By how many bytes a document becomes longer, or shorter, because it is repaired.
    pub(crate) fn growth(&self, document: &Planned) -> i64 {
        self.edits_in(document.extent).map(|(at, put)| put.len() as i64 - at.len() as i64).sum()
    }

    pub(super) fn new(input: &'a Input, source: &'a Source, part: Part, bytes: Bytes) -> Self {
        let extent = Span::new(0, bytes.len());
        let (documents, cuts, edits, faults) = (Vec::new(), Vec::new(), Edits::default(), Vec::new());
        Self {
            input,
            source,
            part,
            bytes,
            offset: 0,
            extent,
            documents,
            cuts,
            edits,
            faults,
            is_first: true,
            earlier: None,
            records: None,
            sheaf: None,
            repaired: None,
        }
    }

    /// The id of a document, in words.
    pub fn id(&self, document: &Planned) -> Option<String> {
        if let Some(records) = self.records {
            return records.id(document.line?, document.id.map(|id| id.of(&self.bytes)));
        }
        if let Some(about) = self.about(document) {
            return about.id.clone().or_else(|| about.link.clone());
        }
        document.id.map(|id| jsonl::id_in_words(id.of(&self.bytes)))
    }

    /// What an item of a feed is besides its texts.
    pub fn about(&self, document: &Planned) -> Option<&About> {
        let sheaf = self.sheaf.filter(|_| self.input.form == Form::Feed)?;
        sheaf.items.get(document.line? as usize - 1)
    }

    /// What a feed is named by, if its items may not be.
    #[cfg(feature = "check")]
    pub(crate) fn id_of_feed(&self) -> Option<&str> {
        self.sheaf?.id.as_deref()
    }

    /// What the bodies of a document say, if it is an item of a feed; the fullest one first.
    #[cfg(feature = "check")]
    pub(crate) fn words(&self, document: &Planned) -> Vec<Words<'_>> {
        self.sheaf.map_or_else(Vec::new, |sheaf| sheaf.words(document.parts.clone()))
    }

    /// Where the texts of a document stand and how they read, if what is written doesn't say so by itself.
    pub(crate) fn layout(&self, document: &Planned) -> Option<Layout<'_>> {
        self.sheaf?.layout(document.parts.clone(), &self.bytes)
    }

    /// The records that are left out.
    pub fn skipped(&self) -> Skipped {
        self.records.map_or_else(Skipped::default, |records| records.skipped)
    }

    /// Adds the next document.
    pub(super) fn add(&mut self, planned: Planned) {
        match planned.is_dropped {
            true => self.cuts.push(planned.extent),
            false => self.cuts.extend(planned.plan.cuts.iter().map(|cut| cut.at)),
        }
        self.documents.push(planned);
    }

    /// Repairs the last document, but for what is cut of it.
    pub(super) fn repair<'r>(&mut self, of_texts: impl Iterator<Item = &'r Repairs>) {
        let of_texts: SmallVec<[&Repairs; 2]> = of_texts.collect();
        let document = self.documents.last_mut().expect("one was added");
        document.encoded = of_texts.iter().find_map(|repairs| repairs.encoded);
        if document.is_dropped {
            return;
        }
        for Repairs { counts, firsts, .. } in &of_texts {
            document.repairs.add(counts);
            for (first, of_text) in document.first_repairs.iter_mut().zip(firsts) {
                *first = [*first, *of_text].into_iter().flatten().min();
            }
        }
        let mut cuts = document.plan.cuts.iter().map(|cut| cut.at).peekable();
        for (at, put) in Repairs::in_order(of_texts.into_iter()) {
            while cuts.next_if(|cut| cut.end <= at.start).is_some() {}
            let is_apart = cuts.peek().is_none_or(|cut| at.end <= cut.start);
            debug_assert!(is_apart || cuts.peek().is_some_and(|cut| cut.start <= at.start && at.end <= cut.end));
            if is_apart {
                self.edits.push(at, put);
            }
        }
    }

    /// The text of an earlier document that is a block's witness, by its first and last paragraph.
    ///
    /// # Errors
    /// If it can't be read from temporary files where that stands.
    pub fn earlier(&self, first: u32, last: u32) -> Option<Result<Known<'_>>> {
        self.earlier.map(|corpus| corpus.known(first, last))
    }
}

/// The portion that is one text as a whole.
pub(super) fn of_one<'a>(input: &'a Input, source: &'a Source, plan: Plan, reading: &Reading) -> Portion<'a> {
    let mut portion = Portion::new(input, source, Part::Whole, source.bytes().clone());
    let extent = Span::new(0, source.len());
    let is_dropped = is_dropped(plan.fate, input.form, reading);
    portion.add(Planned::text(extent, plan, is_dropped));
    portion
}

/// Whether a document of this fate leaves nothing behind. Of a text file that is cut as a whole an empty one stays, so that
/// outputs are as many as inputs, unless it is an earlier one again.
pub(super) fn is_dropped(fate: Fate, form: Form, reading: &Reading) -> bool {
    match fate {
        Fate::Stays => false,
        Fate::Emptied => form.is_container() && !reading.keep_empty,
        Fate::Repeated => !(form.is_container() && reading.keep_empty),
        Fate::TooRepetitive => true,
    }
}
