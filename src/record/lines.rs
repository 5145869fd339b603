//! What is recorded of a portion: a line a cut, and the hashes of what it came of and became.

use super::format::{BROKEN, HEAD, Literal, PartLine, Piece, TIDIED, TOO_REPETITIVE};
use super::{hex, says_nothing};
use crate::Match;
use crate::corpus::Known;
use crate::document::{Block, Put, Span, Witness, edits};
use crate::error::Result;
use crate::fingerprint::fingerprint;
use crate::plan::Fate;
use crate::runner::{Planned, Portion};
use crate::source::Form;
use memchr::memmem;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::hint::black_box;
use std::iter::Peekable;
use xxhash_rust::xxh3::Xxh3;

/// The line of a cut has about so many bytes.
const ABOUT: usize = 200;
/// So many bytes of repairs that touch stand in one line.
const TOGETHER: u64 = 4 << 10;

/// What is recorded of a portion.
pub struct Lines {
    /// The lines of its cuts, and that of the part that it is.
    pub(super) written: Vec<u8>,
    /// Where in them that of the part begins.
    pub(super) sums_from: usize,
    pub(super) cuts: u64,
    /// How many bytes of the clean copy come of it.
    pub(super) clean: u64,
    /// Where it ends in its file.
    pub(super) end: u64,
    /// The rows that went as a whole, if it is of a table; from 0 on.
    pub(super) rows: Vec<u64>,
}

impl Lines {
    /// What is recorded of a portion.
    ///
    /// # Errors
    /// If it can't be read from temporary files where an earlier document stands.
    pub fn of(portion: &Portion) -> Result<Self> {
        let witnesses = witnesses(portion)?;
        let mut witnesses = &*witnesses;
        let heads = portion.heads();
        let mut next_head = heads.iter().peekable();
        let mut next_cut = portion.cuts.iter().peekable();
        let cuts: usize = portion.documents.iter().map(|document| document.plan.cuts.len()).sum();
        let lines = Vec::with_capacity(cuts * ABOUT);
        let mut writing = Writing { portion, lines, count: 0, document: Vec::new(), edits: portion.edits.iter().peekable() };
        for document in &portion.documents {
            let (its, others) = witnesses.split_at(document.plan.blocks.len());
            witnesses = others;
            let own = if document.is_dropped { 1 } else { document.plan.cuts.len() };
            if own == 0 && !writing.has_edits_before(document.extent.end) {
                continue;
            }
            while let Some(broken) = next_cut.next_if(|cut| cut.start < document.extent.start) {
                writing.broken(*broken);
            }
            writing.begin(document);
            if let Some((head, anew)) = next_head.next_if(|(head, _)| head.start == document.extent.start) {
                writing.add(*head, HEAD, Why::Nothing, Some(anew));
            }
            writing.document(document, its);
            writing.tidied_before(document.extent.end);
            next_cut.by_ref().take(own).for_each(drop);
        }
        next_cut.for_each(|broken| writing.broken(*broken));
        Ok(writing.end(&heads))
    }
}

/// The earlier texts that stand for the blocks of a portion, in order, for each that has one.
fn witnesses<'a>(portion: &'a Portion) -> Result<Vec<Option<Known<'a>>>> {
    let blocks = portion.documents.iter().flat_map(|document| &document.plan.blocks);
    let earlier = blocks.map(|block| match block.witness {
        Witness::Here(_) => Ok(None),
        Witness::Earlier { first, last } => portion.earlier(first, last).transpose(),
    });
    let witnesses: Vec<Option<Known>> = earlier.collect::<Result<_>>()?;
    // They stand anywhere in memory: where none is waited for before the next is asked for, they come together.
    let first = |known: &Known| known.written().and_then(|written| written.first().copied()).unwrap_or_default();
    black_box(witnesses.iter().flatten().map(first).fold(0, |all, byte| all ^ byte));
    Ok(witnesses)
}

/// Appends a line.
pub(super) fn put(out: &mut Vec<u8>, line: &impl serde::Serialize) {
    put_value(out, line);
    out.push(b'\n');
}

fn put_value(out: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    serde_json::to_writer(&mut *out, value).expect("memory takes all, and keys are strings");
}

fn put_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn put_range(out: &mut Vec<u8>, range: Span) {
    out.push(b'[');
    put_number(out, range.start);
    out.push(b',');
    put_number(out, range.end);
    out.push(b']');
}

/// A list, of which each one is put by `put`.
fn put_list<T>(out: &mut Vec<u8>, list: impl IntoIterator<Item = T>, mut put: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (number, one) in list.into_iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        put(out, one);
    }
    out.push(b']');
}

/// What justifies a cut.
enum Why<'a> {
    /// Nothing by itself.
    Nothing,
    /// It repeats something that goes with it.
    Gone(&'a Block),
    /// It repeats something in the same file.
    Here(&'a Block, &'a [Span]),
    /// It repeats something in an earlier document.
    Earlier(&'a Block, &'a Known<'a>),
}

/// The lines so far. They are put together by hand: there are millions of them, and they are a large part of what recording takes.
struct Writing<'a> {
    portion: &'a Portion<'a>,
    lines: Vec<u8>,
    count: u64,
    /// What each line says of the document under way.
    document: Vec<u8>,
    /// The repairs that are still to come.
    edits: Peekable<edits::Each<'a>>,
}

impl<'a> Writing<'a> {
    /// A document begins.
    fn begin(&mut self, document: &Planned) {
        self.document.clear();
        if let Some(record) = document.line {
            self.document.extend_from_slice(b",\"record\":");
            put_number(&mut self.document, record);
        }
        if let Some(id) = self.portion.id(document) {
            self.document.extend_from_slice(b",\"id\":");
            put_value(&mut self.document, &id);
        }
        if document.is_dropped {
            self.document.extend_from_slice(b",\"dropped\":true");
        }
    }

    fn has_edits_before(&mut self, end: u64) -> bool {
        self.edits.peek().is_some_and(|(at, _)| at.start < end)
    }

    /// What is repaired before a place. What touches is one line, as each word of a text that was decoded does; but for what stands between
    /// the lines of the text, with which a witness may end.
    fn tidied_before(&mut self, end: u64) {
        while let Some((mut at, put)) = self.edits.next_if(|(at, _)| at.start < end) {
            let is_within = is_within_lines(put);
            let mut put = Cow::Borrowed(put);
            let touches = |at: Span, next: Span| next.start == at.end && next.start < end && at.len() < TOGETHER;
            let goes_on = |at: Span, next: Put| touches(at, next.0) && is_within_lines(next.1) == is_within;
            while let Some((next, more)) = self.edits.next_if(|next| goes_on(at, *next)) {
                at.end = next.end;
                put.to_mut().extend_from_slice(more);
            }
            self.add(at, TIDIED, Why::Nothing, Some(&put));
        }
    }

    /// A record that can't be read goes.
    fn broken(&mut self, cut: Span) {
        self.document.clear();
        self.add(cut, BROKEN, Why::Nothing, None);
    }

    /// What is cut of a document. Of one that is dropped each block goes with what stands before it, so that all of it goes.
    fn document(&mut self, document: &'a Planned, witnesses: &'a [Option<Known<'a>>]) {
        let plan = &document.plan;
        let mut from = document.extent.start;
        for (number, cut) in plan.cuts.iter().enumerate() {
            self.tidied_before(cut.at.start);
            let block = &plan.blocks[cut.block];
            let is_last = number + 1 == plan.cuts.len();
            let at = match plan.fate {
                _ if !document.is_dropped => cut.at,
                Fate::TooRepetitive => {
                    self.add_gap(Span { start: from, end: cut.at.start });
                    cut.at
                }
                _ => Span { start: from, end: if is_last { document.extent.end } else { cut.at.end } },
            };
            let why = match &block.witness {
                Witness::Here(_) if document.is_dropped => Why::Gone(block),
                Witness::Here(spans) => Why::Here(block, spans),
                Witness::Earlier { .. } => {
                    Why::Earlier(block, witnesses[cut.block].as_ref().expect("each block that has one has one here"))
                }
            };
            self.add(at, block.rule.name(), why, None);
            from = at.end;
        }
        if document.is_dropped {
            self.add_gap(Span { start: from, end: document.extent.end });
        }
    }

    /// What goes with a document and repeats nothing.
    fn add_gap(&mut self, gap: Span) {
        if !gap.is_empty() {
            self.add(gap, TOO_REPETITIVE, Why::Nothing, None);
        }
    }

    fn add(&mut self, cut: Span, rule: &str, why: Why, insert: Option<&[u8]>) {
        let portion = self.portion;
        let out = &mut self.lines;
        out.extend_from_slice(b"{\"cut\":");
        put_range(out, portion.in_file(cut));
        out.extend_from_slice(&self.document);
        out.extend_from_slice(b",\"rule\":\"");
        out.extend_from_slice(rule.as_bytes());
        out.push(b'"');
        let (bytes, form) = (cut.of(&portion.bytes), portion.input.form);
        // A block of markup may be in several cuts.
        let of_cut = |block: &Block| {
            let start = block.repeat.start.clamp(cut.start, cut.end);
            Span { start, end: block.repeat.end.clamp(start, cut.end) }
        };
        let within = |block: &Block| {
            let repeat = of_cut(block);
            Span { start: repeat.start - cut.start, end: repeat.end - cut.start }
        };
        let pieces: Pieces = match &why {
            Why::Nothing | Why::Gone(_) => pieces(bytes, Span::default(), &[], form),
            // What is repaired there can't be made of what stays.
            Why::Here(block, spans) if spans.iter().any(|&span| portion.is_repaired(span)) => {
                pieces(bytes, within(block), &[], form)
            }
            Why::Here(block, spans) => {
                let written: SmallVec<[&[u8]; 4]> = spans.iter().map(|span| span.of(&portion.bytes)).collect();
                pieces(bytes, within(block), &written, form)
            }
            Why::Earlier(block, known) => pieces(bytes, within(block), known.written().as_slice(), form),
        };
        // Where all of the witness stands in it, that is what it repeats.
        let named = |witness: usize| pieces.iter().filter(|piece| matches!(piece, Piece::Witness(_))).count() == witness;
        let repeat = match &why {
            Why::Nothing => None,
            Why::Gone(block) => Some(block),
            Why::Here(block, spans) => Some(block).filter(|_| !named(spans.len())),
            Why::Earlier(block, _) => Some(block).filter(|_| !named(1)),
        };
        if let Some(block) = repeat.filter(|block| !of_cut(block).is_empty()) {
            out.extend_from_slice(b",\"repeat\":");
            put_list(out, [portion.in_file(of_cut(block))], put_range);
        }
        match &why {
            Why::Nothing | Why::Gone(_) => {}
            Why::Here(_, spans) => {
                out.extend_from_slice(b",\"witness\":{\"ranges\":");
                put_list(out, spans.iter().map(|&span| portion.in_file(span)), put_range);
                out.push(b'}');
            }
            Why::Earlier(_, known) => {
                out.extend_from_slice(b",\"witness\":{");
                if known.input != portion.input.number {
                    out.extend_from_slice(b"\"file\":");
                    put_number(out, known.input.into());
                    out.push(b',');
                }
                if let Some(record) = known.record {
                    out.extend_from_slice(b"\"record\":");
                    put_number(out, record);
                    out.push(b',');
                }
                out.extend_from_slice(b"\"ranges\":");
                put_list(out, known.place, put_range);
                out.push(b'}');
            }
        }
        out.extend_from_slice(b",\"pieces\":");
        put_list(out, &pieces, |out, piece| match piece {
            Piece::Witness(number) => put_number(out, *number as u64),
            Piece::Literal(literal) => put_value(out, literal),
        });
        if let Some(insert) = insert {
            out.extend_from_slice(b",\"insert\":");
            put_value(out, &Literal(insert.into()));
        }
        out.extend_from_slice(b"}\n");
        self.count += 1;
    }

    /// The lines, with that of the part itself; `heads` are written anew.
    fn end(self, heads: &[(Span, Vec<u8>)]) -> Lines {
        let Self { portion, mut lines, count, .. } = self;
        let part = portion.extent;
        if portion.is_end() {
            return Lines { written: lines, sums_from: 0, cuts: 0, clean: 0, end: portion.offset, rows: Vec::new() };
        }
        let heads = heads.iter().map(|(head, anew)| (*head, &**anew));
        let edits = edits::merged(portion.changes(), heads);
        let (mut clean, mut hash, mut from) = (0, Xxh3::new(), part.start);
        for (edit, insert) in edits.chain([(Span { start: part.end, end: part.end }, &[][..])]) {
            let kept = Span { start: from, end: edit.start };
            hash.update(kept.of(&portion.bytes));
            hash.update(insert);
            clean += kept.len() + insert.len() as u64;
            from = edit.end;
        }
        let (sums_from, sum) = (lines.len(), hex(fingerprint(&lines)));
        let (clean_hash, place) = (hex(hash.digest128()), portion.in_file(part).into());
        put(&mut lines, &PartLine { part: place, hash: hex(fingerprint(part.of(&portion.bytes))), clean, clean_hash, sum });
        let rows = if portion.input.form == Form::Parquet {
            let gone = portion.documents.iter().filter(|document| document.is_dropped);
            gone.filter_map(|document| document.line).map(|row| row - 1).collect()
        } else {
            Vec::new()
        };
        Lines { written: lines, sums_from, cuts: count, clean, end: portion.in_file(part).end, rows }
    }
}

/// Whether what is put somewhere ends no line, nor is nothing, as what stood between lines may become.
fn is_within_lines(put: &[u8]) -> bool {
    let is_end = |char: char| char.is_whitespace() && !matches!(char, ' ' | '\t') || char.is_control() && char != '\t';
    !put.is_empty() && !str::from_utf8(put).is_ok_and(|text| text.contains(is_end))
}

/// So many places are tried at which a text may stand behind a separator.
const TRIED: usize = 8;

type Pieces<'a> = SmallVec<[Piece<'a>; 3]>;

/// A cut, in pieces: where what stands in `repeat` of it is what a witness is as it is written, the witness stands for it.
fn pieces<'a>(cut: &'a [u8], repeat: Span, witness: &[&[u8]], form: Form) -> Pieces<'a> {
    let mut pieces = Pieces::new();
    let literal = |from: usize, to: usize, pieces: &mut Pieces<'a>| {
        if from < to {
            pieces.push(Piece::Literal(Literal(cut[from..to].into())));
        }
    };
    let (mut from, mut at) = (0, repeat.range().start);
    for (number, &written) in witness.iter().enumerate() {
        let rest = &cut[at..repeat.range().end];
        let found = match rest.starts_with(written) {
            true => Some(0),
            false if witness.len() == 1 => None,
            // Behind a separator: in one, or in an escape, it would be another.
            false => {
                memmem::find_iter(rest, written).take(TRIED).find(|&found| says_nothing(&rest[..found], form.into(), Match::Text))
            }
        };
        let Some(found) = found.filter(|_| !written.is_empty()) else { break };
        literal(from, at + found, &mut pieces);
        pieces.push(Piece::Witness(number));
        at += found + written.len();
        from = at;
    }
    literal(from, cut.len(), &mut pieces);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Piece<'_> {
        Piece::Literal(Literal(text.as_bytes().into()))
    }

    #[test]
    fn a_cut_is_its_witness_and_what_that_lacks() {
        let all = |cut, repeat, witness: &[&[u8]]| pieces(str::as_bytes(cut), repeat, witness, Form::Jsonl).into_vec();
        assert_eq!(all("\n\none", Span::new(2, 5), &[b"one"]), [literal("\n\n"), Piece::Witness(0)]);
        assert_eq!(
            all("one\n\nfour\n", Span::new(0, 9), &[b"one", b"four"]),
            [Piece::Witness(0), literal("\n\n"), Piece::Witness(1), literal("\n")]
        );
        // Alike, but not the same bytes.
        assert_eq!(all("one \n four", Span::new(0, 10), &[b"one\nfour"]), [literal("one \n four")]);
        assert_eq!(all("gone", Span::default(), &[]), [literal("gone")]);
        // What looks like the second one is half of a line end.
        assert_eq!(all(r"x\nn", Span::new(0, 4), &[b"x", b"n"]), [Piece::Witness(0), literal(r"\n"), Piece::Witness(1)]);
    }
}
