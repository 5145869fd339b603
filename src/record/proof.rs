//! The proof of what was cut: that it stands in a witness which survives, and that what went with it says nothing.

use super::format::{BROKEN, CutLine, HEAD, Literal, Piece, Place, TIDIED, TOO_REPETITIVE, WitnessOf};
use super::markup;
use super::replay::{each_piece, file_of};
use super::similarity::similarity;
use super::texts::{Reader, Stands, Texts, documents, is_between, pages, text_around};
use super::{Script, says_nothing};
use crate::compare::compared;
use crate::document::{Edit, Edits, Rule, Span};
use crate::error::{Error, Result};
use crate::ground::edits_of;
use crate::segment::is_blank;
use crate::source::jsonl::{self, Line};
use crate::source::{Form, text, warc};
use crate::tidy::{Encoded, Repair};
use crate::{Match, Tidy};
use rustc_hash::FxHashSet;
use smallvec::SmallVec;
use std::borrow::Cow;

/// So far may the similarity be from the one that is recorded.
const ROUNDING: f64 = 0.0005;

/// How many cuts were proven, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cuts {
    /// By comparing what was cut with its witness.
    pub compared: u64,
    /// By computing their similarity.
    pub similar: u64,
    /// They need no witness: what goes with a document as a whole, a broken record, the head of one.
    pub without: u64,
    /// By repairing their text once more.
    pub repaired: u64,
    /// Not: this program doesn't know their rules, and they have no witness, or put something in its place; or they are repairs in a table
    /// whose rows can't be told apart, or in a text of an unknown encoding.
    pub unknown: u64,
}

impl Cuts {
    /// How many there are.
    pub fn total(self) -> u64 {
        self.compared + self.similar + self.without + self.repaired + self.unknown
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            compared: self.compared + other.compared,
            similar: self.similar + other.similar,
            without: self.without + other.without,
            repaired: self.repaired + other.repaired,
            unknown: self.unknown + other.unknown,
        }
    }
}

/// Ranges of a text, in order.
type Ranges = SmallVec<[Span; 2]>;

/// The proof of the cuts of a part, one after the other.
pub(super) struct Proving<'t> {
    texts: &'t Texts<'t>,
    file: usize,
    how: Match,
    /// The part, and where it begins in its file.
    part: &'t [u8],
    start: u64,
    reader: Reader<'t>,
    pub(super) cuts: Cuts,
    /// The document under way, if it went as a whole.
    dropped: Option<Dropped>,
    /// Where texts stand in the part.
    own: Option<Vec<Span>>,
    /// What is changed of texts in the part, of WARC.
    gone: Vec<Edit>,
    /// Where pages stand in the part, of WARC.
    pages: Option<Vec<Span>>,
    /// What is cut of a feed or a page.
    markup: markup::Proof<'t>,
    /// The heads that were written anew, each with its line.
    heads: Vec<(u64, Span, Vec<u8>)>,
    /// What was repaired, each with its line.
    tidied: Vec<(u64, Edit)>,
    repairs: Tidy,
}

/// What a cut is proven by.
enum Basis<'c> {
    /// What it repeats, which stays.
    Witness(&'c WitnessOf),
    /// All of its document, which repeats.
    Document,
    /// That nobody can read it.
    Broken,
    /// What is cut behind it.
    Head(&'c [u8]),
    /// That its text, repaired, has this there.
    Tidied(&'c [u8]),
    /// Nobody knows.
    Unknown,
}

/// A document that went as a whole, as far as its cuts came.
struct Dropped {
    record: Option<u64>,
    /// The line of its first cut.
    line: u64,
    /// What went, in the original.
    all: Span,
    /// What repeats, and whether that has a witness.
    repeats: Vec<(Span, bool)>,
}

impl<'t> Proving<'t> {
    /// Of the cuts of a part of a file, which begins at `start` of that.
    pub(super) fn new(texts: &'t Texts<'t>, file: usize, (part, start): (&'t [u8], u64), how: Match) -> Self {
        let (reader, cuts) = (Reader::new(texts), Cuts::default());
        let repairs = texts.record.settings().tidy().unwrap_or_default();
        let (markup, gone, heads) = (markup::Proof::new(texts, how, repairs), Vec::new(), Vec::new());
        let tidied = Vec::new();
        Self {
            texts,
            file,
            how,
            part,
            start,
            reader,
            cuts,
            dropped: None,
            own: None,
            gone,
            pages: None,
            markup,
            heads,
            tidied,
            repairs,
        }
    }

    /// Proves a cut.
    ///
    /// # Errors
    /// If it doesn't hold, or can't be told.
    pub(super) fn prove(&mut self, line: u64, cut: &CutLine) -> Result<()> {
        let at = self.within(cut.cut.into());
        let gone = at.of(self.part);
        if markup::is_proven_so(self.form(self.file)) || self.is_of_page(at) {
            self.ends_before(cut)?;
            return self.prove_of_markup(line, cut, gone);
        }
        let ends = self.ends_before(cut);
        let named = self.pieces(line, cut, gone)?;
        let repeats = self.repeats(line, cut, &named)?;
        self.keep_dropped(line, cut, &repeats);
        ends?; // of the document before; this one has begun
        let lacks = |row: u64| self.texts.file(self.file).lacks(row - 1);
        if cut.dropped && self.form(self.file) == Form::Parquet && !cut.record.is_some_and(|row| row > 0 && lacks(row)) {
            return Err(self.broken(line, "its row went as a whole, and isn't in the record"));
        }
        match self.basis(line, cut)? {
            Basis::Witness(witness) if self.is_of_unknown_encoding(self.file) => {
                self.cuts.unknown += 1;
                self.survives(line, witness).map(drop)
            }
            Basis::Witness(witness) => {
                if !cut.dropped {
                    self.ensure_only_text(line, at, &repeats)?;
                }
                self.compare(line, cut, gone, &repeats, witness)
            }
            Basis::Document => self.is_without(true, line), // proven with it
            Basis::Broken => self.is_without(self.is_broken(at), line),
            Basis::Head(anew) => {
                self.heads.push((line, at, anew.to_vec())); // proven when all cuts of its record are known
                self.is_without(self.form(self.file) == Form::Warc, line)
            }
            Basis::Tidied(put) => {
                let edit = Edit { at, put: put.into() };
                if self.form(self.file) == Form::Warc {
                    self.gone.push(edit.clone());
                }
                self.tidied.push((line, edit)); // proven when all of its text is known
                self.cuts.repaired += 1;
                Ok(())
            }
            Basis::Unknown => {
                self.cuts.unknown += 1;
                Ok(())
            }
        }
    }

    /// Whether something stands in a page of a WARC.
    fn is_of_page(&mut self, at: Span) -> bool {
        if self.form(self.file) != Form::Warc {
            return false;
        }
        let pages = self.pages.get_or_insert_with(|| pages(self.part));
        let next = pages.partition_point(|page| page.end <= at.start);
        pages.get(next).is_some_and(|page| page.start <= at.start)
    }

    /// Proves a cut of a feed or a page as far as it can be by itself; the rest waits for the others.
    fn prove_of_markup(&mut self, line: u64, cut: &CutLine, gone: &[u8]) -> Result<()> {
        self.pieces(line, cut, gone)?;
        let witness = match self.basis(line, cut)? {
            Basis::Witness(witness) => {
                self.cuts.compared += 1;
                Some((self.survives(line, witness)?, witness.ranges.to_vec()))
            }
            Basis::Document => {
                self.is_without(true, line)?;
                None
            }
            Basis::Head(anew) if self.form(self.file) == Form::Warc => {
                self.heads.push((line, self.within(cut.cut.into()), anew.to_vec()));
                return self.is_without(true, line);
            }
            Basis::Tidied(put) => {
                let edit = Edit { at: self.within(cut.cut.into()), put: put.into() };
                if self.form(self.file) == Form::Warc {
                    self.gone.push(edit.clone());
                }
                self.markup.add_repair(line, edit);
                self.cuts.repaired += 1;
                return Ok(());
            }
            Basis::Broken | Basis::Head(_) => return self.is_without(false, line),
            Basis::Unknown => {
                self.cuts.unknown += 1;
                return Ok(());
            }
        };
        if self.form(self.file) == Form::Warc && !cut.dropped {
            self.gone.push(self.within(cut.cut.into()).into());
        }
        let dropped = cut.dropped.then_some(cut.record);
        self.markup.add(markup::Cut { line, at: self.within(cut.cut.into()), witness, dropped });
        Ok(())
    }

    /// What a cut is proven by, which its rule says, and the settings of its run.
    fn basis<'c>(&self, line: u64, cut: &'c CutLine) -> Result<Basis<'c>> {
        let settings = self.texts.record.settings();
        let is_bare = cut.witness.is_none() && cut.repeat.is_empty() && cut.similarity.is_none();
        let (is_as_its_rule, ground) = match (&*cut.rule, &cut.witness) {
            (BROKEN, _) => (is_bare && !cut.dropped && settings.drops_broken(), Basis::Broken),
            (TOO_REPETITIVE, _) => (is_bare && cut.dropped && settings.drops_repetitive(), Basis::Document),
            (HEAD, _) => match &cut.insert {
                Some(Literal(anew)) if is_bare && !cut.dropped => return Ok(Basis::Head(anew)),
                _ => (false, Basis::Unknown),
            },
            (TIDIED, _) if settings.tidy().is_none() => return Ok(Basis::Unknown),
            (TIDIED, _) => match &cut.insert {
                Some(Literal(put)) if is_bare && !cut.dropped => return Ok(Basis::Tidied(put)),
                _ => (false, Basis::Unknown),
            },
            (rule, witness) if Rule::ALL.iter().any(|known| known.name() == rule) => {
                if cut.similarity.is_some() {
                    return Err(self.broken(line, "is by a rule that isn't content with similar texts"));
                }
                (witness.is_some() || cut.dropped, witness.as_ref().map_or(Basis::Document, Basis::Witness))
            }
            (_, Some(witness)) if cut.insert.is_none() => return Ok(Basis::Witness(witness)),
            _ => return Ok(Basis::Unknown), // nor what may stand in its place
        };
        if !is_as_its_rule {
            return Err(self.broken(line, NOT_ITS_RULE));
        }
        match &cut.insert {
            Some(_) => Err(self.broken(line, "puts a text in its place, which its rule doesn't")),
            None => Ok(ground),
        }
    }

    /// Counts a cut that needs no witness.
    fn is_without(&mut self, is_as_its_rule: bool, line: u64) -> Result<()> {
        self.cuts.without += 1;
        if is_as_its_rule { Ok(()) } else { Err(self.broken(line, NOT_ITS_RULE)) }
    }

    /// Whether what stands here can't be read, or is longer than what the run would read.
    fn is_broken(&self, at: Span) -> bool {
        let (gone, settings) = (at.of(self.part), self.texts.record.settings());
        match self.form(self.file) {
            Form::Jsonl => {
                let from = text::begins_in(self.part, self.start == 0) as u64;
                let is_end = |at: u64| at == from || at == self.part.len() as u64 || self.part[at as usize - 1] == b'\n';
                let is_unread = settings.longest_record().is_some_and(|longest| gone.len() as u64 > longest);
                is_end(at.start) && is_end(at.end) && (is_unread || jsonl::texts(gone, 0, &self.texts.fields).is_empty())
            }
            Form::Warc => true,
            Form::Text | Form::Parquet | Form::Feed | Form::Html => false,
        }
    }

    /// Bytes of the original as they stand in the part.
    fn within(&self, span: Span) -> Span {
        Span { start: span.start - self.start, end: span.end - self.start }
    }

    /// Where texts stand in the part.
    fn own(&mut self) -> Result<&[Span]> {
        let part = Span { start: self.start, end: self.start + self.part.len() as u64 };
        Ok(match &mut self.own {
            Some(own) => own,
            unknown => unknown.insert(self.texts.own(self.file, self.part, part)?),
        })
    }

    /// Makes sure that what was repaired is what its text has there, repaired again.
    fn ensure_tidied(&mut self) -> Result<()> {
        let tidied = std::mem::take(&mut self.tidied);
        let (form, begins, repairs) = (self.form(self.file), text::begins_in(self.part, self.start == 0) as u64, self.repairs);
        if form == Form::Parquet && self.own()?.len() == 1 || self.is_of_unknown_encoding(self.file) {
            // Its rows may not be told apart, and where one ends matters.
            let count = tidied.len() as u64;
            (self.cuts.repaired, self.cuts.unknown) = (self.cuts.repaired - count, self.cuts.unknown + count);
            return Ok(());
        }
        let (encoded, is_beginning) = (self.texts.file(self.file).encoded, self.start == 0);
        let mut known: (Span, Edits) = Default::default();
        for (line, edit) in tidied {
            let Some(mut text) = text_around(self.own()?, edit.at) else {
                return Err(self.broken(line, "repairs what is no text"));
            };
            text.start = text.start.max(begins.min(text.end));
            if known.0 != text {
                known = (text, edits_of(text.of(self.part), text.start, form, repairs, encoded, is_beginning));
            }
            if !markup::is_among(&edit, &known.1) {
                return Err(self.broken(line, markup::NOT_REPAIRED_SO));
            }
        }
        Ok(())
    }

    /// Whether a file is a text that was decoded, and it isn't known from what.
    fn is_of_unknown_encoding(&self, file: usize) -> bool {
        self.texts.file(file).encoded == Some(Encoded::Late)
    }

    /// How a file is written, of which a text is read and repaired.
    fn written(&self, file: usize) -> Script {
        Script { form: self.form(file), repairs: self.repairs, encoded: self.texts.file(file).encoded }
    }

    /// The same of the text of a witness, as it is read: of the original, or of the clean copy.
    fn written_of_witness(&self, file: usize) -> Result<Script> {
        let written = self.written(file);
        let is_clean = self.texts.stands(file)? == Stands::Clean;
        Ok(if is_clean { Script { encoded: None, ..written } } else { written })
    }

    /// Makes sure that what is cut is text, and that it is whole lines that repeat, beside which nothing is said.
    fn ensure_only_text(&mut self, line: u64, at: Span, repeats: &[Span]) -> Result<()> {
        let (form, written) = (self.form(self.file), self.written(self.file));
        let own = self.own()?;
        let is_whole = own.len() == 1;
        let Some(text) = text_around(own, at).filter(|text| is_between(form, text.of(self.part), *text, at)) else {
            return Err(self.broken(line, "cuts what is no text"));
        };
        if form == Form::Warc {
            self.gone.push(at.into());
        }
        let gone = at.of(self.part);
        let starts = [0].into_iter().chain(repeats.iter().map(|repeat| repeat.end));
        let ends = repeats.iter().map(|repeat| repeat.start).chain([gone.len() as u64]);
        let mut beside = starts.zip(ends).map(|(start, end)| Span { start, end }.of(gone));
        if !repeats.is_empty() && !beside.all(|bytes| self.says_nothing(bytes)) {
            return Err(self.broken(line, "cuts more than what it repeats"));
        }
        let are_lines = form == Form::Parquet && is_whole // whose rows may not be told apart
            || repeats.iter().all(|repeat| {
                let before = Span { start: text.start, end: at.start + repeat.start }.of(self.part);
                let behind = Span { start: at.start + repeat.end, end: text.end }.of(self.part);
                ends_a_line(before, written, self.how) && begins_a_line(behind, written, self.how)
            });
        if are_lines { Ok(()) } else { Err(self.broken(line, "what it repeats isn't whole lines")) }
    }

    /// Compares what repeats with its witness, which must survive.
    fn compare(&mut self, line: u64, cut: &CutLine, gone: &[u8], repeats: &[Span], witness: &WitnessOf) -> Result<()> {
        if repeats.is_empty() {
            return Err(self.broken(line, "says not what it repeats"));
        }
        let other = self.survives(line, witness)?;
        let (form, other_form) = (self.written(self.file), self.written_of_witness(other)?);
        let is_blank = |repeat: &Span| says_nothing(repeat.of(gone), form, Match::Text);
        if !self.texts.record.settings().takes_any_line() && repeats.iter().all(is_blank) {
            return Err(self.broken(line, "repeats nothing that shows"));
        }
        if cut.repeat.is_empty() && cut.similarity.is_none() && form == other_form {
            self.cuts.compared += 1; // its bytes are those of the witness
            return Ok(());
        }
        let repeat = joined(repeats.iter().map(|repeat| form.decoded(repeat.of(gone))));
        let mut staying = Vec::new();
        for &range in &witness.ranges {
            let written = self.reader.read_repaired(other, range.into())?;
            append(&mut staying, &other_form.decoded(&written));
        }
        if let Some(recorded) = cut.similarity {
            self.cuts.similar += 1;
            let is = similarity(&repeat, &staying);
            let why = || format!("what it repeats is similar to its witness by {is:.3}, not by {recorded:.3}");
            let holds = is > 0.0 && (is - recorded).abs() <= ROUNDING;
            return if holds { Ok(()) } else { Err(self.broken(line, &why())) };
        }
        if other_form.encoded == Some(Encoded::Late) {
            self.cuts.unknown += 1;
            return Ok(());
        }
        self.cuts.compared += 1;
        let is_proven = are_alike(&repeat, &staying, self.how) || self.says_the_same(&repeat, other, witness)?;
        if is_proven { Ok(()) } else { Err(self.broken(line, "what it repeats isn't what its witness says")) }
    }

    /// Whether a text is what a witness says that isn't written as it reads.
    fn says_the_same(&mut self, text: &[u8], other: usize, witness: &WitnessOf) -> Result<bool> {
        if !matches!(self.form(other), Form::Feed | Form::Html | Form::Warc) {
            return Ok(false);
        }
        let staying = self.markup.witness(other, &witness.ranges)?.join(&b'\n');
        Ok(are_alike(text, &staying, self.how))
    }

    /// The part has no more cuts.
    ///
    /// # Errors
    /// Those of the last of them.
    pub(super) fn end(&mut self) -> Result<()> {
        let whole = self.dropped.take().map_or(Ok(()), |dropped| self.repeats_as_a_whole(&dropped));
        if self.form(self.file) == Form::Warc {
            self.ensure_heads()?;
        }
        self.ensure_tidied()?;
        self.markup.end(self.file, self.part)?;
        whole
    }

    /// Makes sure that the head of each record is anew as the cuts of its text have it.
    fn ensure_heads(&self) -> Result<()> {
        let mut gone = &self.gone[..];
        let mut heads = self.heads.iter().peekable();
        for (extent, text) in documents(self.part) {
            let its = gone.partition_point(|edit| edit.at.end <= extent.end);
            let (its, rest) = gone.split_at(its);
            gone = rest;
            let head = heads.next_if(|(_, at, _)| at.end <= extent.end);
            let (line, is_as_cut) = match (its, head) {
                ([], None) => continue,
                ([], Some((line, ..))) => (*line, false),
                (_, Some((line, at, anew))) => {
                    let is_head = *at == Span { start: extent.start, end: text.start };
                    (*line, is_head && warc::head(extent, text, its, self.part) == *anew)
                }
                (_, None) => {
                    let why =
                        format!("the head of its record at byte {} tells of a text that isn't cut", self.start + extent.start);
                    return Err(Error::refused(self.texts.file(self.file).original.place(), why));
                }
            };
            if !is_as_cut {
                return Err(self.broken(line, "isn't the head that its record has with what is cut"));
            }
        }
        match heads.next() {
            None => Ok(()),
            Some((line, ..)) => Err(self.broken(*line, "is the head of no record")),
        }
    }

    fn form(&self, file: usize) -> Form {
        self.texts.file(file).original.form
    }

    fn broken(&self, line: u64, why: &str) -> Error {
        self.texts.record.broken(line, &why)
    }

    /// Whether a text has nothing that is compared.
    fn says_nothing(&self, written: &[u8]) -> bool {
        says_nothing(written, self.written(self.file), self.how)
    }

    /// Makes sure that what went is what its pieces say, and gives where in it those of the witness stand.
    fn pieces(&mut self, line: u64, cut: &CutLine, gone: &[u8]) -> Result<SmallVec<[(usize, Span); 2]>> {
        let (mut named, mut at, mut is_same) = (SmallVec::new(), 0, true);
        each_piece(&mut self.reader, self.file, line, cut, |piece, bytes| {
            is_same &= gone[at.min(gone.len())..].starts_with(bytes);
            if let Piece::Witness(number) = piece {
                named.push((*number, Span::new(at, at + bytes.len())));
            }
            at += bytes.len();
        })?;
        if is_same && at == gone.len() {
            return Ok(named);
        }
        let (Place(start, end), place) = (cut.cut, self.texts.file(self.file).original.place());
        Err(self.broken(line, &format!("its pieces aren't what stands at bytes {start}–{end} of {place}")))
    }

    /// Where in what went the text stands that repeats; nothing if the cut doesn't say.
    fn repeats(&self, line: u64, cut: &CutLine, named: &[(usize, Span)]) -> Result<Ranges> {
        if cut.repeat.is_empty() {
            let all = cut.witness.as_ref().map_or(0, |witness| witness.ranges.len());
            let is_all = named.iter().map(|(number, _)| *number).eq(0..all);
            return Ok(if is_all { named.iter().map(|(_, at)| *at).collect() } else { Ranges::new() });
        }
        let mut from = cut.cut.0;
        let mut repeats = Ranges::new();
        for &Place(start, end) in &cut.repeat {
            if start < from || end < start || end > cut.cut.1 {
                return Err(self.broken(line, "what it repeats isn't what it cuts"));
            }
            repeats.push(Span { start: start - cut.cut.0, end: end - cut.cut.0 });
            from = end;
        }
        Ok(repeats)
    }

    /// Makes sure that a witness is there, and survives; gives its file.
    fn survives(&self, line: u64, witness: &WitnessOf) -> Result<usize> {
        let other = file_of(self.texts.record, self.file, line, witness)?;
        let mut ranges = witness.ranges.clone();
        ranges.sort_unstable_by_key(|range| range.0);
        let are_apart = ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        let stays = |range: Place| match self.texts.repaired_in_clean(other, range.into())? {
            Some(there) => self.texts.is_text_in_clean(other, there),
            None => Ok(false),
        };
        let mut is_there = !ranges.is_empty() && are_apart && self.texts.file(other).clean.is_some();
        for range in ranges {
            is_there = is_there && range.0 < range.1 && stays(range)?;
        }
        if is_there { Ok(other) } else { Err(self.broken(line, "its witness was cut itself, or is no text")) }
    }

    /// Adds a cut to the document that went as a whole, or begins it.
    fn keep_dropped(&mut self, line: u64, cut: &CutLine, repeats: &[Span]) {
        if !cut.dropped {
            return;
        }
        let Place(start, end) = cut.cut;
        let begins = Dropped { record: cut.record, line, all: Span { start, end: start }, repeats: Vec::new() };
        let dropped = self.dropped.get_or_insert(begins);
        dropped.all.end = end;
        let is_witnessed = cut.witness.is_some();
        dropped
            .repeats
            .extend(repeats.iter().map(|repeat| (Span { start: start + repeat.start, end: start + repeat.end }, is_witnessed)));
    }

    /// Ends the document that went as a whole, if a cut isn't one of it.
    fn ends_before(&mut self, cut: &CutLine) -> Result<()> {
        let goes_on = |dropped: &mut Dropped| cut.dropped && cut.record == dropped.record && cut.cut.0 == dropped.all.end;
        match self.dropped.take_if(|dropped| !goes_on(dropped)) {
            Some(dropped) => self.repeats_as_a_whole(&dropped),
            None => Ok(()),
        }
    }

    /// Makes sure that all of the text of a document repeats that went as a whole, unless too much was enough.
    fn repeats_as_a_whole(&self, dropped: &Dropped) -> Result<()> {
        let (form, part) = (self.written(self.file), self.part);
        if form.form == Form::Text && self.texts.file(self.file).clean.is_some() {
            return Err(self.broken(dropped.line, "its document stays, and went as a whole"));
        }
        let all = self.within(dropped.all);
        let Some(text) = self.text_of(all.of(part)) else {
            return Err(self.broken(dropped.line, "its document is no whole one, and went as a whole"));
        };
        if self.texts.record.settings().drops_repetitive() || self.is_of_unknown_encoding(self.file) {
            return Ok(()); // what repeated was enough
        }
        let text = Span { start: all.start + text.start, end: all.start + text.end };
        let mut from = text.start;
        for repeat in dropped.repeats.iter().map(|(repeat, _)| self.within(*repeat)) {
            if repeat.start < from || repeat.end > text.end || !self.says_nothing(&part[from as usize..repeat.start as usize]) {
                return Err(self.broken(dropped.line, "its document went as a whole, and has a text that repeats nothing"));
            }
            from = repeat.end;
        }
        if !self.says_nothing(&part[from as usize..text.end as usize]) {
            return Err(self.broken(dropped.line, "its document went as a whole, and ends with a text that repeats nothing"));
        }
        // What repeats only what goes with it must stand in what has a witness.
        let of = |is_witnessed: bool| {
            let those = dropped.repeats.iter().filter(move |(_, is)| *is == is_witnessed);
            joined(those.map(|(repeat, _)| form.decoded(self.within(*repeat).of(part))))
        };
        let (without, witnessed) = (of(false), of(true));
        let (mut form_of_all, mut form_of_line) = (Vec::new(), Vec::new());
        let of_lines = |line: &[u8]| compared(line.trim_ascii(), self.how, &mut Vec::new()).to_vec();
        let those: FxHashSet<Vec<u8>> = witnessed.split(|&byte| byte == b'\n').map(of_lines).collect();
        let witnessed = compared(&witnessed, self.how, &mut form_of_all);
        let mut lines = without.split(|&byte| byte == b'\n');
        let stands = |line: &[u8]| {
            let line = compared(line.trim_ascii(), self.how, &mut form_of_line);
            let is_whole = |at: usize| {
                let (before, after) = (&witnessed[..at], &witnessed[at + line.len()..]);
                before.last().is_none_or(|byte| *byte <= b' ') && after.first().is_none_or(|byte| *byte <= b' ')
            };
            line.is_empty() || those.contains(line) || memchr::memmem::find_iter(witnessed, line).any(is_whole)
        };
        if lines.all(stands) {
            Ok(())
        } else {
            Err(self.broken(dropped.line, "its document went as a whole, and a text of it stays nowhere"))
        }
    }

    /// Where the text of a document stands in all of it, as it is written.
    fn text_of(&self, document: &[u8]) -> Option<Span> {
        match self.form(self.file) {
            Form::Text | Form::Parquet | Form::Feed | Form::Html => Some(Span::new(0, document.len())),
            Form::Jsonl => {
                let mut lines = jsonl::lines(document, &self.texts.fields).filter(|(_, line)| *line != Line::Blank);
                match (lines.next()?, lines.next()) {
                    ((_, Line::Record(record)), None) => Some(record.text),
                    _ => None,
                }
            }
            Form::Warc => {
                let head = memchr::memmem::find(document, b"\r\n\r\n")?;
                Some(Span::new(head + 4, document.len()))
            }
        }
    }
}

/// Why a cut isn't one of its run.
const NOT_ITS_RULE: &str = "isn't what its rule cuts, or that isn't one of its run";

/// So many bytes are looked at first for a line end.
const NEAR: usize = 1 << 10;

/// Whether a text as it is written, up to where a repeat begins in it, ends with a line; what says nothing may stand behind that.
fn ends_a_line(before: &[u8], form: Script, how: Match) -> bool {
    let is_end = |end: &[u8]| before.ends_with(end) && may_be_split(before, before.len() - end.len(), form);
    if before.is_empty() || is_end(line_end(form)) || form_feed(form).is_some_and(is_end) {
        return true; // nearly always
    }
    let tail = |written: &[u8]| {
        let read = form.decoded(written);
        rest_says_nothing(&read, memchr::memrchr(b'\n', &read).map(|end| &read[end + 1..]), how)
    };
    let from = (before.len().saturating_sub(NEAR)..before.len()).find(|&from| may_be_split(before, from, form)).unwrap_or(0);
    tail(&before[from..]).or_else(|| tail(before)).unwrap_or(true)
}

/// Whether a text as it is written, behind a repeat, begins with the end of a line; what says nothing may stand before that.
fn begins_a_line(behind: &[u8], form: Script, how: Match) -> bool {
    if behind.is_empty() || behind.starts_with(line_end(form)) || form_feed(form).is_some_and(|end| behind.starts_with(end)) {
        return true;
    }
    let head = |written: &[u8]| {
        let read = form.decoded(written);
        rest_says_nothing(&read, memchr::memchr(b'\n', &read).map(|end| &read[..end]), how)
    };
    let to = (0..=behind.len().min(NEAR)).rev().find(|&to| may_be_split(behind, to, form)).unwrap_or(behind.len());
    head(&behind[..to]).or_else(|| head(behind)).unwrap_or(true)
}

/// Whether the rest of a line says nothing. `None` if the text has no line end, and says nothing itself.
fn rest_says_nothing(text: &[u8], rest: Option<&[u8]>, how: Match) -> Option<bool> {
    let is_blank = says_nothing(rest.unwrap_or(text), Form::Text.into(), how);
    (rest.is_some() || !is_blank).then_some(rest.is_some() && is_blank)
}

/// A line end, as it is written mostly.
fn line_end(written: Script) -> &'static [u8] {
    match (written.form, written.encoded) {
        (Form::Jsonl, _) => b"\\n",
        (_, Some(encoded)) => encoded.line_feed(),
        (_, None) => b"\n",
    }
}

/// A form feed, where one ends a line once that is repaired: at the bounds of a text by itself it doesn't.
fn form_feed(written: Script) -> Option<&'static [u8]> {
    let feed: &[u8] = match (written.form, line_end(written)) {
        (Form::Jsonl, _) => b"\\f",
        (_, b"\n\0") => b"\x0c\0",
        (_, b"\0\n") => b"\0\x0c",
        _ => b"\x0c",
    };
    written.repairs.has(Repair::Newlines).then_some(feed)
}

/// Whether a text as it is written has no character and no escape across a place; in doubt it has.
fn may_be_split(text: &[u8], at: usize, written: Script) -> bool {
    match (written.form, written.encoded) {
        (Form::Jsonl, _) => is_no_continuation(text, at) && jsonl::is_between(text, at),
        (_, None | Some(Encoded::Mixed)) => is_no_continuation(text, at),
        (_, Some(encoded)) if encoded.unit() > 1 => at.is_multiple_of(encoded.unit()),
        // What is blank is no part of another character.
        (_, Some(_)) => at == text.len() || at.checked_sub(1).is_none_or(|before| text[before] <= b' '),
    }
}

fn is_no_continuation(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(|byte| byte & 0xc0 != 0x80)
}

/// Pieces of a text, each on lines of its own.
fn joined<'p>(pieces: impl Iterator<Item = Cow<'p, [u8]>>) -> Vec<u8> {
    let mut text = Vec::new();
    pieces.for_each(|piece| append(&mut text, &piece));
    text
}

fn append(text: &mut Vec<u8>, piece: &[u8]) {
    if !text.is_empty() {
        text.push(b'\n');
    }
    text.extend_from_slice(piece);
}

/// Whether two texts are the same in their compared forms. By bytes, their lines are; blank ones don't count.
fn are_alike(a: &[u8], b: &[u8], how: Match) -> bool {
    fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
        let lines = text.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        lines.filter(|line| !is_blank(line))
    }
    match how {
        _ if a == b => true,
        Match::Bytes => lines(a).eq(lines(b)),
        how => compared(a, how, &mut Vec::new()) == compared(b, how, &mut Vec::new()),
    }
}
