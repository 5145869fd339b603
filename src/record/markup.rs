//! The proof of what was cut of feeds and pages, whose paragraphs are told by tags: it is paragraphs as a whole, each of which stands in the
//! witness of its cut.

use super::Script;
use super::format::Place;
use super::texts::{Reader, Stands, Texts};
use crate::Tidy;
use crate::compare::{Match, compared};
use crate::document::{Edit, Edits, Span};
use crate::error::{Error, Result};
use crate::sheaf::{Apart, Paragraph};
use crate::source::{Form, feed};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// So many files are kept, taken apart.
const KEPT: usize = 16;

/// A cut of a feed or a page.
pub(super) struct Cut {
    /// Its line in the record.
    pub(super) line: u64,
    /// Where it is in its file.
    pub(super) at: Span,
    /// The file and the ranges of its witness, if it has one.
    pub(super) witness: Option<(usize, Vec<Place>)>,
    /// The number of its document, if that went as a whole.
    pub(super) dropped: Option<Option<u64>>,
}

/// The cuts of a file, one after the other.
pub(super) struct Proof<'t> {
    texts: &'t Texts<'t>,
    how: Match,
    repairs: Tidy,
    cuts: Vec<Cut>,
    /// What was repaired, each with its line.
    tidied: Vec<(u64, Edit)>,
    /// Other files, taken apart, by their numbers.
    others: FxHashMap<usize, Arc<Apart>>,
}

impl<'t> Proof<'t> {
    pub(super) fn new(texts: &'t Texts<'t>, how: Match, repairs: Tidy) -> Self {
        Self { texts, how, repairs, cuts: Vec::new(), tidied: Vec::new(), others: FxHashMap::default() }
    }

    pub(super) fn add(&mut self, cut: Cut) {
        self.cuts.push(cut);
    }

    pub(super) fn add_repair(&mut self, line: u64, edit: Edit) {
        self.tidied.push((line, edit));
    }

    /// Proves all of them: those of a `file` that has this text.
    ///
    /// # Errors
    /// If one doesn't hold.
    pub(super) fn end(&mut self, file: usize, text: &[u8]) -> Result<()> {
        let (cuts, tidied) = (std::mem::take(&mut self.cuts), std::mem::take(&mut self.tidied));
        if cuts.is_empty() && tidied.is_empty() {
            return Ok(());
        }
        let own = self.apart(file, text)?;
        for (line, edit) in tidied {
            if !is_among(&edit, &own.edits) {
                return Err(self.texts.record.broken(line, &NOT_REPAIRED_SO));
            }
        }
        let broken = |cut: &Cut, why: &str| Err(self.texts.record.broken(cut.line, &why));
        // For each cut the paragraphs that begin in it.
        let mut gone: Vec<Vec<&Paragraph>> = cuts.iter().map(|_| Vec::new()).collect();
        let mut has_text = vec![false; cuts.len()];
        for paragraph in &own.paragraphs {
            let first = paragraph.pieces.first().and_then(|&(piece, _)| around(&cuts, piece)).map(|(number, _)| number);
            if let Some(first) = first {
                gone[first].push(paragraph);
            }
            for &(piece, is_blank) in &paragraph.pieces {
                match (around(&cuts, piece), first) {
                    (Some((number, true)), Some(_)) => has_text[number] = true,
                    (Some((number, _)), _) => return broken(&cuts[number], HALVED),
                    (None, Some(first)) if !piece.is_empty() && !is_blank => return broken(&cuts[first], HALVED),
                    (None, _) => {}
                }
            }
        }
        // One cut may be in several pieces, since a section of character data ends or begins in it.
        let mut first = 0;
        while first < cuts.len() {
            let goes_on = |pair: &&[Cut]| {
                let is_same = pair[0].witness == pair[1].witness && pair[0].dropped == pair[1].dropped;
                is_same && feed::is_seam(Span { start: pair[0].at.end, end: pair[1].at.start }.of(text))
            };
            let end = first + 1 + cuts[first..].windows(2).take_while(goes_on).count();
            let has_any = has_text[first..end].contains(&true);
            has_text[first..end].fill(has_any);
            first = end;
        }
        let is_repetitive = self.texts.record.settings().drops_repetitive();
        for (number, cut) in cuts.iter().enumerate() {
            match cut.dropped {
                None if !has_text[number] || !own.is_in_a_body(cut.at) => return broken(cut, "cuts what is no text"),
                Some(record) if !self.is_item(file, &own, record, cut.at) => return broken(cut, "cuts what is no item"),
                _ => {}
            }
            let Some((other, ranges)) = &cut.witness else {
                if cut.dropped.is_some() && !is_repetitive && !self.stand_elsewhere(&cuts, &gone, number) {
                    return broken(cut, "its document went as a whole, and a text of it stays nowhere");
                }
                continue;
            };
            let forms: Vec<&[u8]> = gone[number].iter().map(|paragraph| &*paragraph.form).collect();
            let is_in_it = match self.texts.file(*other).original.form {
                _ if forms.is_empty() => true,
                Form::Feed | Form::Html | Form::Warc => {
                    self.witness(*other, ranges)?.windows(forms.len()).any(|window| window == forms)
                }
                form => self.stands_in_text(*other, ranges, form, &forms)?,
            };
            if !is_in_it {
                return broken(cut, "what it repeats isn't what its witness says");
            }
        }
        Ok(())
    }

    /// Whether the paragraphs of a cut stand in others of the same document, which have witnesses.
    fn stand_elsewhere(&self, cuts: &[Cut], gone: &[Vec<&Paragraph>], number: usize) -> bool {
        // Those of a document stand together.
        let is_of_it = |other: &usize| cuts[*other].dropped == cuts[number].dropped;
        let first = (0..number).rev().take_while(is_of_it).last().unwrap_or(number);
        let all = (first..cuts.len()).take_while(is_of_it);
        let others = all.filter(|&other| cuts[other].witness.is_some()).flat_map(|other| &gone[other]);
        let others: FxHashSet<&[u8]> = others.map(|paragraph| &*paragraph.form).collect();
        gone[number].iter().all(|paragraph| others.contains(&*paragraph.form))
    }

    /// Whether a place is in the document of this number, which a page has none of; of a WARC, which may be told in parts, in any.
    fn is_item(&self, file: usize, own: &Apart, record: Option<u64>, at: Span) -> bool {
        let is_in = |item: &[Span; 2]| item.iter().any(|place| place.start <= at.start && at.end <= place.end);
        match (self.texts.file(file).original.form, record) {
            (Form::Warc, _) | (Form::Html, None) => own.items.iter().any(is_in),
            (_, Some(record)) => own.items.get((record as usize).wrapping_sub(1)).is_some_and(is_in),
            (_, None) => false,
        }
    }

    /// Whether paragraphs stand in a witness that is text as it is written.
    fn stands_in_text(&self, file: usize, ranges: &[Place], form: Form, paragraphs: &[&[u8]]) -> Result<bool> {
        let (mut text, mut reader) = (Vec::new(), Reader::new(self.texts));
        let is_clean = self.texts.stands(file)? == Stands::Clean;
        let encoded = if is_clean { None } else { self.texts.file(file).encoded };
        for &range in ranges {
            let written = reader.read_repaired(file, range.into())?;
            text.extend_from_slice(&Script { form, repairs: self.repairs, encoded }.decoded(&written));
            text.push(b'\n');
        }
        let (mut of_text, mut of_all) = (Vec::new(), Vec::new());
        let paragraphs = paragraphs.join(&b'\n');
        let (text, all) = (compared(&text, self.how, &mut of_text), compared(&paragraphs, self.how, &mut of_all));
        let is_whole = |at: usize| {
            let (before, behind) = (&text[..at], &text[at + all.len()..]);
            before.last().is_none_or(|byte| *byte <= b' ') && behind.first().is_none_or(|byte| *byte <= b' ')
        };
        Ok(memchr::memmem::find_iter(text, all).any(is_whole))
    }

    /// What the paragraphs of a witness say.
    pub(super) fn witness(&mut self, file: usize, ranges: &[Place]) -> Result<Vec<Vec<u8>>> {
        // Of a file that is there only as its clean copy that is looked at, in which the witness stands.
        let stands = self.texts.stands(file)?;
        let mut places = Vec::with_capacity(ranges.len());
        for &range in ranges {
            places.push(match stands {
                Stands::Original => Some(range.into()),
                Stands::Clean => self.texts.repaired_in_clean(file, range.into())?,
            });
        }
        let other = self.other(file, stands)?;
        let paragraphs = other.as_ref().map_or(&[][..], |other| &other.paragraphs);
        let mut forms = Vec::new();
        for place in places.into_iter().flatten() {
            let first = paragraphs.partition_point(|paragraph| paragraph.around.start < place.start);
            let within = paragraphs[first..].iter().take_while(|paragraph| paragraph.around.end <= place.end);
            forms.extend(within.map(|paragraph| paragraph.form.clone()));
        }
        Ok(forms)
    }

    fn other(&mut self, file: usize, stands: Stands) -> Result<Option<Arc<Apart>>> {
        if let Some(known) = self.others.get(&file) {
            return Ok(Some(Arc::clone(known)));
        }
        let text = match stands {
            Stands::Original => Some(self.texts.original(file)?),
            Stands::Clean => self.texts.clean(file)?,
        };
        let Some(text) = text else { return Ok(None) };
        let apart = self.apart(file, &text.read(Span { start: 0, end: text.len() })?)?;
        if self.others.len() == KEPT {
            self.others.clear();
        }
        Ok(Some(Arc::clone(self.others.entry(file).or_insert(Arc::new(apart)))))
    }

    fn apart(&self, file: usize, text: &[u8]) -> Result<Apart> {
        let input = &self.texts.file(file).original;
        let unit = self.texts.record.settings().unit();
        Apart::new(text, input.form, &self.texts.fields, self.how, unit, self.repairs)
            .map_err(|why| Error::refused(input.place(), why))
    }
}

/// Whether an edit is among those of a text, or is several of them that touch.
pub(super) fn is_among(edit: &Edit, edits: &Edits) -> bool {
    let (mut from, mut rest) = (edit.at.start, &*edit.put);
    for (at, put) in edits.behind(edit.at.start).skip_while(|(at, _)| at.start < edit.at.start) {
        match rest.strip_prefix(put) {
            Some(more) if at.start == from && at.end <= edit.at.end => (from, rest) = (at.end, more),
            _ => return false,
        }
        if from == edit.at.end {
            return rest.is_empty();
        }
    }
    false
}

/// Why a repair doesn't hold.
pub(super) const NOT_REPAIRED_SO: &str = "isn't what its text has there, repaired again";

const HALVED: &str = "cuts a part of a paragraph";

/// The cut that has something of a place, and whether it has all of it.
fn around(cuts: &[Cut], place: Span) -> Option<(usize, bool)> {
    let number = cuts.partition_point(|cut| cut.at.end <= place.start);
    let cut = cuts.get(number).filter(|cut| cut.at.start < place.end && !place.is_empty())?;
    Some((number, cut.at.start <= place.start && place.end <= cut.at.end))
}

/// Whether the cuts of a form are proven so.
pub(super) fn is_proven_so(form: Form) -> bool {
    matches!(form, Form::Feed | Form::Html)
}
