//! The proof of what was cut: that it stands in a witness which survives, and that what went with it says nothing.

use super::format::{BROKEN, CutLine, HEAD, Literal, Piece, Place, TOO_REPETITIVE, WitnessOf};
use super::replay::{each_piece, file_of};
use super::says_nothing;
use super::similarity::similarity;
use super::texts::{Reader, Texts, is_text};
use crate::Match;
use crate::compare::compared;
use crate::document::{Rule, Span};
use crate::error::{Error, Result};
use crate::segment::is_blank;
use crate::source::Form;
use crate::source::jsonl::{self, Line};
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
    /// Not: this program doesn't know their rules, and they have no witness, or put something in its place.
    pub unknown: u64,
}

impl Cuts {
    /// How many there are.
    pub fn total(self) -> u64 {
        self.compared + self.similar + self.without + self.unknown
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            compared: self.compared + other.compared,
            similar: self.similar + other.similar,
            without: self.without + other.without,
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
    reader: Reader<'t>,
    pub(super) cuts: Cuts,
    /// The document under way, if it went as a whole.
    dropped: Option<Dropped>,
    /// Where the texts of records stand in the part, of JSONL.
    records: Option<Vec<Span>>,
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
    pub(super) fn new(texts: &'t Texts<'t>, file: usize, how: Match) -> Self {
        Self { texts, file, how, reader: Reader::new(texts), cuts: Cuts::default(), dropped: None, records: None }
    }

    /// Proves a cut of a part of an original; `part` is all of that, which begins at `start` of its file.
    ///
    /// # Errors
    /// If it doesn't hold, or can't be told.
    pub(super) fn prove(&mut self, line: u64, cut: &CutLine, part: &[u8], start: u64) -> Result<()> {
        let at = Span { start: cut.cut.0 - start, end: cut.cut.1 - start };
        let gone = at.of(part);
        let ends = self.ends_before(cut, part, start);
        let named = self.pieces(line, cut, gone)?;
        let repeats = self.repeats(line, cut, &named)?;
        self.keep_dropped(line, cut, &repeats);
        ends?; // of the document before; this one has begun
        self.ensure_nothing_else(line, cut, gone, &repeats)?;
        if !cut.dropped && cut.rule != BROKEN && !self.is_text(part, at)? {
            return Err(self.broken(line, "cuts what is no text"));
        }
        let Some(witness) = &cut.witness else { return self.without(line, cut, part, at) };
        if repeats.is_empty() {
            return Err(self.broken(line, "says not what it repeats"));
        }
        let other = self.survives(line, witness)?;
        if cut.insert.is_some() && !self.is_known(cut) {
            self.cuts.unknown += 1; // nobody knows what may stand in its place
            return Ok(());
        }
        self.compare(line, cut, gone, &repeats, (witness, other))
    }

    /// Makes sure that a cut takes nothing, and puts nothing in its place, that its rule doesn't give.
    fn ensure_nothing_else(&self, line: u64, cut: &CutLine, gone: &[u8], repeats: &[Span]) -> Result<()> {
        let lacks = |row: u64| self.texts.file(self.file).lacks(row - 1);
        if cut.dropped && self.form(self.file) == Form::Parquet && !cut.record.is_some_and(|row| row > 0 && lacks(row)) {
            return Err(self.broken(line, "its row went as a whole, and isn't in the record"));
        }
        let inserted = cut.insert.as_ref().filter(|_| cut.rule != HEAD && self.is_known(cut));
        if inserted.is_some_and(|Literal(insert)| !self.says_nothing(insert)) {
            return Err(self.broken(line, "puts a text in its place that its rule doesn't give"));
        }
        if cut.dropped || repeats.is_empty() {
            return Ok(()); // proven with its document, or without a witness
        }
        let starts = [0].into_iter().chain(repeats.iter().map(|repeat| repeat.end));
        let ends = repeats.iter().map(|repeat| repeat.start).chain([gone.len() as u64]);
        let mut beside = starts.zip(ends).map(|(start, end)| Span { start, end }.of(gone));
        let is_all = beside.all(|bytes| self.says_nothing(bytes));
        if is_all { Ok(()) } else { Err(self.broken(line, "cuts more than what it repeats")) }
    }

    /// Compares what repeats with its witness, which stands in the file `other`.
    fn compare(
        &mut self,
        line: u64,
        cut: &CutLine,
        gone: &[u8],
        repeats: &[Span],
        (witness, other): (&WitnessOf, usize),
    ) -> Result<()> {
        let (form, other_form) = (self.form(self.file), self.form(other));
        if cut.repeat.is_empty() && cut.similarity.is_none() && form == other_form {
            self.cuts.compared += 1; // its bytes are those of the witness
            return Ok(());
        }
        let repeat = joined(repeats.iter().map(|repeat| form.decoded(repeat.of(gone))));
        let mut staying = Vec::new();
        for &range in &witness.ranges {
            append(&mut staying, &other_form.decoded(&self.reader.read(other, range.into())?));
        }
        if let Some(recorded) = cut.similarity {
            if self.is_known(cut) {
                return Err(self.broken(line, "is by a rule that isn't content with similar texts"));
            }
            self.cuts.similar += 1;
            let is = similarity(&repeat, &staying);
            let why = || format!("what it repeats is similar to its witness by {is:.3}, not by {recorded:.3}");
            return if (is - recorded).abs() > ROUNDING { Err(self.broken(line, &why())) } else { Ok(()) };
        }
        self.cuts.compared += 1;
        let is_proven = are_alike(&repeat, &staying, self.how);
        if is_proven { Ok(()) } else { Err(self.broken(line, "what it repeats isn't what its witness says")) }
    }

    /// The part has no more cuts.
    ///
    /// # Errors
    /// Those of the last of them.
    pub(super) fn end(&mut self, part: &[u8], start: u64) -> Result<()> {
        self.dropped.take().map_or(Ok(()), |dropped| self.repeats_as_a_whole(&dropped, part, start))
    }

    fn form(&self, file: usize) -> Form {
        self.texts.file(file).original.form
    }

    fn broken(&self, line: u64, why: &str) -> Error {
        self.texts.record.broken(line, &why)
    }

    /// Whether a text has nothing that is compared.
    fn says_nothing(&self, written: &[u8]) -> bool {
        says_nothing(written, self.form(self.file), self.how)
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

    /// Whether bytes of the part are text. Of other forms than JSONL all is taken for it.
    fn is_text(&mut self, part: &[u8], at: Span) -> Result<bool> {
        if self.form(self.file) != Form::Jsonl {
            return Ok(true);
        }
        let records = self.records.get_or_insert_with(|| jsonl::texts(part, &self.texts.fields));
        is_text(records, at, |text| Ok(text.of(part).into()))
    }

    /// Whether the rule of a cut is one of this program.
    fn is_known(&self, cut: &CutLine) -> bool {
        [BROKEN, TOO_REPETITIVE, HEAD].contains(&&*cut.rule) || Rule::ALL.iter().any(|rule| rule.name() == cut.rule)
    }

    /// Makes sure that a cut needs no witness.
    fn without(&mut self, line: u64, cut: &CutLine, part: &[u8], at: Span) -> Result<()> {
        let gone = at.of(part);
        let settings = self.texts.record.settings();
        let form = self.form(self.file);
        if !self.is_known(cut) {
            self.cuts.unknown += 1;
            return Ok(());
        }
        self.cuts.without += 1;
        let is_as_its_rule = match &*cut.rule {
            BROKEN => {
                let is_end = |at: u64| at == 0 || at == part.len() as u64 || part[at as usize - 1] == b'\n';
                let is_broken = match form {
                    Form::Jsonl => is_end(at.start) && is_end(at.end) && jsonl::texts(gone, &self.texts.fields).is_empty(),
                    Form::Warc => true,
                    Form::Text | Form::Parquet => false,
                };
                settings.drops_broken() && is_broken
            }
            TOO_REPETITIVE => cut.dropped && settings.drops_repetitive(),
            HEAD => form == Form::Warc && cut.insert.as_ref().is_some_and(|Literal(anew)| is_same_head(gone, anew)),
            _ => cut.dropped, // proven with its document
        };
        if is_as_its_rule {
            Ok(())
        } else {
            Err(self.broken(line, "has no witness, and its rule needs one, or isn't one of its run"))
        }
    }

    /// Makes sure that a witness is there, and survives; gives its file.
    fn survives(&self, line: u64, witness: &WitnessOf) -> Result<usize> {
        let other = file_of(self.texts.record, self.file, line, witness)?;
        let mut ranges = witness.ranges.clone();
        ranges.sort_unstable_by_key(|range| range.0);
        let are_apart = ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        let stays = |range: Place| match self.texts.in_clean(other, range.into())? {
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
    fn ends_before(&mut self, cut: &CutLine, part: &[u8], start: u64) -> Result<()> {
        let goes_on = |dropped: &mut Dropped| cut.dropped && cut.record == dropped.record && cut.cut.0 == dropped.all.end;
        match self.dropped.take_if(|dropped| !goes_on(dropped)) {
            Some(dropped) => self.repeats_as_a_whole(&dropped, part, start),
            None => Ok(()),
        }
    }

    /// Makes sure that all of the text of a document repeats that went as a whole, unless too much was enough.
    fn repeats_as_a_whole(&self, dropped: &Dropped, part: &[u8], start: u64) -> Result<()> {
        let form = self.form(self.file);
        if form == Form::Text && self.texts.file(self.file).clean.is_some() {
            return Err(self.broken(dropped.line, "its document stays, and went as a whole"));
        }
        let within = |span: Span| Span { start: span.start - start, end: span.end - start };
        let all = within(dropped.all);
        let Some(text) = self.text_of(all.of(part)) else {
            return Err(self.broken(dropped.line, "its document is no whole one, and went as a whole"));
        };
        if self.texts.record.settings().drops_repetitive() {
            return Ok(()); // what repeated was enough
        }
        let text = Span { start: all.start + text.start, end: all.start + text.end };
        let mut from = text.start;
        for repeat in dropped.repeats.iter().map(|(repeat, _)| within(*repeat)) {
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
            joined(those.map(|(repeat, _)| form.decoded(within(*repeat).of(part))))
        };
        let (without, witnessed) = (of(false), of(true));
        let (mut form_of_all, mut form_of_line) = (Vec::new(), Vec::new());
        let witnessed = compared(&witnessed, self.how, &mut form_of_all);
        let mut lines = without.split(|&byte| byte == b'\n');
        let stands = |line: &[u8]| {
            let line = compared(line.trim_ascii(), self.how, &mut form_of_line);
            let is_whole = |at: usize| {
                let (before, after) = (&witnessed[..at], &witnessed[at + line.len()..]);
                before.last().is_none_or(|byte| *byte <= b' ') && after.first().is_none_or(|byte| *byte <= b' ')
            };
            line.is_empty() || memchr::memmem::find_iter(witnessed, line).any(is_whole)
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
            Form::Text | Form::Parquet => Some(Span::new(0, document.len())),
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

/// Whether two heads of a WARC record are the same, but for the length and the check sums.
fn is_same_head(a: &[u8], b: &[u8]) -> bool {
    fn rest(head: &[u8]) -> Vec<&[u8]> {
        let is_of_length = |line: &[u8]| {
            let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
            [&b"content-length"[..], b"warc-block-digest", b"warc-payload-digest"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
        };
        head.split(|&byte| byte == b'\n').filter(|line| !is_of_length(line)).collect()
    }
    let end = |head: &[u8]| memchr::memmem::find(head, b"\r\n\r\n").map(|at| at + 4);
    let is_head = |head: &[u8]| head.starts_with(b"WARC/") && end(head) == Some(head.len());
    is_head(a) && is_head(b) && rest(a) == rest(b)
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
