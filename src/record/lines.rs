//! What is recorded of a portion: a line a cut, and the hashes of what it came of and became.

use super::format::{CutLine, Literal, PartLine, Piece, Place, WitnessOf};
use super::hex;
use crate::document::{Block, Span, Witness};
use crate::error::Result;
use crate::fingerprint::fingerprint;
use crate::plan::Fate;
use crate::runner::{Planned, Portion};
use memchr::memmem;
use std::borrow::Cow;
use xxhash_rust::xxh3::Xxh3;

/// The rule by which a broken record goes (`--on-error drop`).
const BROKEN: &str = "broken-record";
/// The rule by which text goes with its document although it doesn't repeat (`--drop-above`).
const TOO_REPETITIVE: &str = "too-repetitive";
/// The rule by which the head of a record is written anew, whose text became shorter.
const HEAD: &str = "record-head";

/// What is recorded of a portion.
pub struct Lines {
    /// The lines of its cuts, and that of the part that it is.
    pub(super) written: Vec<u8>,
    pub(super) cuts: u64,
    /// How many bytes of the clean copy come of it.
    pub(super) clean: u64,
    /// Where it ends in its file.
    pub(super) end: u64,
}

impl Lines {
    /// What is recorded of a portion.
    ///
    /// # Errors
    /// If it can't be read from temporary files where an earlier document stands.
    pub fn of(portion: &Portion) -> Result<Self> {
        let mut writing = Writing { portion, lines: Vec::new(), count: 0 };
        let heads = portion.heads();
        let mut next_head = heads.iter().peekable();
        let mut next_cut = portion.cuts.iter().peekable();
        for document in &portion.documents {
            let own = if document.is_dropped { 1 } else { document.plan.cuts.len() };
            while let Some(broken) = next_cut.next_if(|cut| own > 0 && cut.start < document.extent.start) {
                writing.add(None, *broken, BROKEN, None, None)?;
            }
            if let Some((head, anew)) = next_head.next_if(|(head, _)| head.start == document.extent.start) {
                writing.add(Some(document), *head, HEAD, None, Some(anew))?;
            }
            writing.document(document)?;
            next_cut.by_ref().take(own).for_each(drop);
        }
        for broken in next_cut {
            writing.add(None, *broken, BROKEN, None, None)?;
        }
        Ok(writing.end(&heads))
    }
}

/// Appends a line.
pub(super) fn put(out: &mut Vec<u8>, line: &impl serde::Serialize) {
    serde_json::to_writer(&mut *out, line).expect("memory takes all, and keys are strings");
    out.push(b'\n');
}

/// The lines so far.
struct Writing<'a> {
    portion: &'a Portion<'a>,
    lines: Vec<u8>,
    count: u64,
}

impl Writing<'_> {
    /// What is cut of a document. Of one that is dropped each block goes with what stands before it, so that all of it goes.
    fn document(&mut self, document: &Planned) -> Result<()> {
        let plan = &document.plan;
        let mut from = document.extent.start;
        for (number, cut) in plan.cuts.iter().enumerate() {
            let block = &plan.blocks[cut.block];
            let rule = block.rule.name();
            let is_last = number + 1 == plan.cuts.len();
            let at = match plan.fate {
                _ if !document.is_dropped => cut.at,
                Fate::TooRepetitive => {
                    self.add_gap(document, Span { start: from, end: cut.at.start })?;
                    cut.at
                }
                _ => Span { start: from, end: if is_last { document.extent.end } else { cut.at.end } },
            };
            self.add(Some(document), at, rule, Some(block), None)?;
            from = at.end;
        }
        if document.is_dropped { self.add_gap(document, Span { start: from, end: document.extent.end }) } else { Ok(()) }
    }

    /// What goes with a document and repeats nothing.
    fn add_gap(&mut self, document: &Planned, gap: Span) -> Result<()> {
        if gap.is_empty() { Ok(()) } else { self.add(Some(document), gap, TOO_REPETITIVE, None, None) }
    }

    fn add(
        &mut self,
        document: Option<&Planned>,
        cut: Span,
        rule: &str,
        block: Option<&Block>,
        insert: Option<&Vec<u8>>,
    ) -> Result<()> {
        let portion = self.portion;
        let mut line = CutLine {
            cut: portion.in_file(cut).into(),
            record: document.and_then(|document| document.line),
            id: document.and_then(|document| portion.id(document)).map(Cow::Owned),
            rule: rule.into(),
            dropped: document.is_some_and(|document| document.is_dropped),
            repeat: Vec::new(),
            witness: None,
            similarity: None,
            pieces: Vec::new(),
            insert: insert.map(|insert| Literal(insert.into())),
        };
        let bytes = cut.of(&portion.bytes);
        match block {
            None => line.pieces = pieces(bytes, Span::default(), &[]),
            Some(block) => {
                line.repeat = vec![portion.in_file(block.repeat).into()];
                let repeat = Span { start: block.repeat.start - cut.start, end: block.repeat.end - cut.start };
                match &block.witness {
                    // What it repeats of itself goes with it.
                    Witness::Here(_) if line.dropped => line.pieces = pieces(bytes, repeat, &[]),
                    Witness::Here(spans) => {
                        let written = spans.iter().map(|&span| (portion.in_file(span).into(), span.of(&portion.bytes)));
                        let written: Vec<(Place, &[u8])> = written.collect();
                        line.pieces = pieces(bytes, repeat, &written);
                        let ranges = written.into_iter().map(|(place, _)| place).collect();
                        line.witness = Some(WitnessOf { file: None, record: None, ranges });
                    }
                    &Witness::Earlier { first, last } => {
                        let known = portion.earlier(first, last).expect("what has earlier witnesses was compared with them")?;
                        let place = known.place.map(Place::from);
                        let written = place.zip(known.written());
                        line.pieces = pieces(bytes, repeat, written.as_slice());
                        let (file, record) = (Some(known.input), known.record);
                        line.witness = Some(WitnessOf { file, record, ranges: place.into_iter().collect() });
                    }
                }
            }
        }
        put(&mut self.lines, &line);
        self.count += 1;
        Ok(())
    }

    /// The lines, with that of the part itself; `heads` are written anew.
    fn end(self, heads: &[(Span, Vec<u8>)]) -> Lines {
        let Self { portion, mut lines, count } = self;
        let part = portion.extent;
        if portion.is_end() {
            return Lines { written: lines, cuts: 0, clean: 0, end: portion.offset };
        }
        let mut edits: Vec<(Span, &[u8])> = portion.cuts.iter().map(|&cut| (cut, &[][..])).collect();
        if !heads.is_empty() {
            edits.extend(heads.iter().map(|(head, anew)| (*head, &**anew)));
            edits.sort_by_key(|(span, _)| span.start);
        }
        let (mut clean, mut hash, mut from) = (0, Xxh3::new(), part.start);
        for (edit, insert) in edits.into_iter().chain([(Span { start: part.end, end: part.end }, &[][..])]) {
            let kept = Span { start: from, end: edit.start };
            hash.update(kept.of(&portion.bytes));
            hash.update(insert);
            clean += kept.len() + insert.len() as u64;
            from = edit.end;
        }
        let sum = hex(fingerprint(&lines));
        let (clean_hash, place) = (hex(hash.digest128()), portion.in_file(part).into());
        put(&mut lines, &PartLine { part: place, hash: hex(fingerprint(part.of(&portion.bytes))), clean, clean_hash, sum });
        Lines { written: lines, cuts: count, clean, end: portion.in_file(part).end }
    }
}

/// A cut, in pieces: where what stands in `repeat` of it is what a witness is as it is written, the witness stands for it.
fn pieces<'a>(cut: &'a [u8], repeat: Span, witness: &[(Place, &[u8])]) -> Vec<Piece<'a>> {
    let mut pieces = Vec::with_capacity(2 * witness.len() + 1);
    let literal = |from: usize, to: usize, pieces: &mut Vec<Piece<'a>>| {
        if from < to {
            pieces.push(Piece::Literal(Literal(cut[from..to].into())));
        }
    };
    let (mut from, mut at) = (0, repeat.range().start);
    for &(place, written) in witness {
        let rest = &cut[at..repeat.range().end];
        let found = if rest.starts_with(written) { Some(0) } else { memmem::find(rest, written) };
        let Some(found) = found.filter(|_| !written.is_empty()) else { break };
        literal(from, at + found, &mut pieces);
        pieces.push(Piece::Witness(place));
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
        let all = |cut, repeat, witness: &[(Place, &[u8])]| pieces(str::as_bytes(cut), repeat, witness);
        let (a, b) = (Place(100, 103), Place(200, 204));
        assert_eq!(all("\n\none", Span::new(2, 5), &[(a, b"one")]), [literal("\n\n"), Piece::Witness(a)]);
        assert_eq!(
            all("one\n\nfour\n", Span::new(0, 9), &[(a, b"one"), (b, b"four")]),
            [Piece::Witness(a), literal("\n\n"), Piece::Witness(b), literal("\n")]
        );
        // Alike, but not the same bytes.
        assert_eq!(all("one \n four", Span::new(0, 10), &[(a, b"one\nfour")]), [literal("one \n four")]);
        assert_eq!(all("gone", Span::default(), &[]), [literal("gone")]);
    }
}
