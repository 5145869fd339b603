//! The same on disk, where texts and index are more than memory holds. Documents come twice. The first time only fingerprints are
//! gathered, and the skeleton of each document: how long its paragraphs are. Then memory holds one part of the fingerprints at a
//! time to find which are equal; the skeletons tell in which order those come and which windows of them must be looked up. The
//! second time each document is told what repeats in it, as if all before it were in memory.
//!
//! Here a document's first paragraph never has the number after the last one's of the document before it, so that consecutive
//! numbers are of one document.

use super::{Corpus, Entering, Mark, Texts};
use crate::detect::earlier::Earlier;
use crate::detect::windows::Rolling;
use crate::document::{Kind, Repeat, Segment, Span, TooLarge};
use crate::error::{Error, Place, Stuck};
use crate::fingerprint::{Hash, Key};
use crate::index::{Gathering, Index, Settled, first_bits};
use crate::scratch::{Reading, Scratch, Tape};
use crate::segment::print;
use crate::source::Form;
use rayon::prelude::*;
use std::io;
use std::iter;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// So many paragraphs are looked at together by all threads.
const TOGETHER: usize = 1 << 17;
/// So many of them by one.
const GROUP: usize = 1 << 13;
/// A tape that is read alone is read in pieces of this size.
const READ_AT_ONCE: usize = 32 << 10;

/// What stands in the tapes of documents: that an input ends, that numbers go on from another one, or a document of so many
/// paragraphs more.
const END: u64 = 0;
const JUMP: u64 = 1;
const DOCUMENT: u64 = 2;

/// What is on disk.
pub(super) struct Spilled {
    scratch: Arc<Scratch>,
    key: Key,
    /// The number that the next paragraph may have.
    next: u32,
    /// The number that the first one may have had which comes twice.
    first: u32,
    /// How many windows the documents have that don't come again, and how many the first of all.
    windows: u32,
    windows_of_first: u32,
    pass: Pass,
    /// Of each document that has paragraphs the number of the first, its input and its line.
    catalogue: Catalogue,
    /// Where their paragraphs stand, if that is kept.
    places: Option<Places>,
}

enum Pass {
    First {
        prints: Gathering,
        /// For each document, as it stands in its input: a check, and for each paragraph where it is gathered and its weight.
        skeletons: Tape,
    },
    /// For each document a check and what repeats in it.
    Second { repeats: Reading },
}

impl Spilled {
    /// How much room so many paragraphs, windows and documents take at most: a fingerprint and a number for what is gathered, for a
    /// paragraph a few bytes of a skeleton, for a document what the catalogue has of it.
    pub(super) fn size(paragraphs: u64, windows: u64, documents: u64) -> u64 {
        paragraphs * (17 + 4) + windows * 18 + documents * (Catalogue::ENTRY as u64 + 10)
    }

    /// Numbers the paragraphs of the next document.
    fn number(next: &mut u32, count: usize) -> Result<Range<u32>, TooLarge> {
        if *next as usize + 1 + count > Index::MOST {
            return Err(TooLarge::Corpus);
        }
        let first = *next + u32::from(count > 0);
        *next = first + count as u32;
        Ok(first..*next)
    }
}

impl Corpus {
    /// Whether documents come twice.
    pub(crate) fn is_spilled(&self) -> bool {
        self.spilled.is_some()
    }

    /// Whether they come for the first time.
    pub(crate) fn is_gathering(&self) -> bool {
        matches!(&self.spilled, Some(Spilled { pass: Pass::First { .. }, .. }))
    }

    /// How the compared forms of what comes are to be hashed.
    pub(crate) fn hash(&self) -> Hash {
        match &self.spilled {
            None => Hash::Fast,
            Some(Spilled { pass: Pass::First { .. }, key, .. }) => Hash::Keyed(*key),
            Some(Spilled { pass: Pass::Second { .. }, .. }) => Hash::Not,
        }
    }

    /// Moves all to disk. What comes from now on comes twice.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn spill(&mut self, scratch: &Arc<Scratch>) -> Result<(), Stuck> {
        let no_key = |error: io::Error| Error::io(Place::Request("a random key".into()), error);
        let (key, rolling) = (Key::random().map_err(no_key)?, Rolling::random().map_err(no_key)?);
        let mut prints = Gathering::new(scratch);
        let how = self.settings.matching;
        for (start, segments) in (0..).step_by(TOGETHER).zip(self.texts.segments.chunks(TOGETHER)) {
            let keyed = |scratch: &mut Vec<u8>, segment: &Segment| {
                let (form, written) = self.texts.source(*segment);
                print(&form.decoded(written), segment.kind(), how, Hash::Keyed(key), scratch)
            };
            let keyed: Vec<u128> = segments.par_iter().map_init(Vec::new, keyed).collect();
            prints.add(&[(start, &keyed)])?;
        }
        let mut catalogue = Catalogue(Tape::new(scratch));
        let count = self.texts.segments.len() as u32;
        let firsts = std::mem::take(&mut self.documents.list);
        for &(first, line) in firsts.iter().filter(|&&(first, _)| first < count) {
            let held = self.texts.held(self.texts.segments[first as usize].span().start);
            catalogue.add(first, held.input, if held.is_container { line } else { 0 })?;
        }
        let mut places = self.keeps_places.then(|| Places(Tape::new(scratch)));
        if let Some(places) = &mut places {
            for (number, segment) in (0..).zip(&self.texts.segments) {
                let span = segment.span();
                places.add(number, self.texts.held(span.start).in_file(span))?;
            }
        }
        self.earlier = Earlier::on_disk(scratch, rolling);
        self.is_one = false;
        let ends = firsts.iter().skip(1).map(|&(first, _)| first).chain([count]);
        let documents: Vec<Range<u32>> = firsts.iter().zip(ends).map(|(&(first, _), end)| first..end).collect();
        let (one, others) = documents.split_at(documents.len().min(1));
        self.seek_from(0, &[one.to_vec()])?;
        let windows_of_first = self.earlier.windows();
        for some in others.chunk_by(|a, b| a.start as usize / TOGETHER == b.start as usize / TOGETHER) {
            let groups: Vec<Vec<Range<u32>>> = some.chunks(64).map(<[Range<u32>]>::to_vec).collect();
            self.seek_from(some[0].start, &groups)?;
        }
        self.index = None;
        self.repeats = Vec::new();
        self.texts = Texts { inputs: std::mem::take(&mut self.texts.inputs), ..Texts::new(how) };
        self.spilled = Some(Spilled {
            scratch: Arc::clone(scratch),
            key,
            next: count,
            first: count,
            windows_of_first,
            windows: self.earlier.windows(),
            pass: Pass::First { prints, skeletons: Tape::new(scratch) },
            catalogue,
            places,
        });
        Ok(())
    }

    /// What the documents of a sheaf are called, which come for the first time or, if so, what repeats in them.
    pub(super) fn enter_spilled(&mut self, sheaves: &[Entering]) -> Result<Vec<Vec<Range<u32>>>, Stuck> {
        let Some(spilled) = &mut self.spilled else { return Ok(Vec::new()) };
        let Spilled { pass, next, catalogue, places, .. } = spilled;
        match pass {
            Pass::First { prints, skeletons } => {
                let mut numbered = Vec::new();
                for &Entering { sheaf, stand, line, .. } in sheaves {
                    for document in &sheaf.documents {
                        let numbers = Spilled::number(next, document.segments.len())?;
                        if !numbers.is_empty() {
                            let line = if stand.is_container { line + document.line } else { 0 };
                            catalogue.add(numbers.start, stand.input, line)?;
                        }
                        if let Some(places) = places {
                            let stand = sheaf.places_of(document).iter().map(|segment| segment.moved(stand.base).span());
                            (numbers.start..).zip(stand).try_for_each(|(number, place)| places.add(number, place))?;
                        }
                        numbered.push((numbers.start, sheaf.prints(document)));
                    }
                }
                let least = u32::try_from(self.settings.least()).unwrap_or(u32::MAX);
                let (gathered, written) = rayon::join(|| prints.add(&numbered), || write_skeletons(skeletons, sheaves, least));
                gathered.and(written)?;
                Ok(Vec::new())
            }
            Pass::Second { repeats } => {
                let Texts { first, segments: list, .. } = &mut self.texts;
                self.repeats.clear();
                list.clear();
                let mut all = Vec::with_capacity(sheaves.len());
                for (number, &Entering { sheaf, is_whole, .. }) in sheaves.iter().enumerate() {
                    let mut documents = Vec::with_capacity(sheaf.documents.len());
                    for document in &sheaf.documents {
                        let count = document.segments.len();
                        let tag = next_tag(repeats, next)?;
                        if tag != DOCUMENT + count as u64 || u64::from_le_bytes(repeats.array()?) != document.check {
                            return Err(Stuck::Changed(number));
                        }
                        let numbers = Spilled::number(next, count)?;
                        read_repeats(repeats, numbers.start, &mut self.repeats)?;
                        let segments = sheaf.segments_of(document);
                        add_numbered(first, list, &numbers, segments.iter().copied());
                        documents.push(numbers);
                    }
                    if is_whole && next_tag(repeats, next)? != END {
                        return Err(Stuck::Changed(number));
                    }
                    all.push(documents);
                }
                Ok(all)
            }
        }
    }

    /// An input ends here.
    ///
    /// # Errors
    /// If it had more documents when it came the first time; those of the disk.
    pub(crate) fn end_input(&mut self) -> Result<(), Stuck> {
        match &mut self.spilled {
            None => Ok(()),
            Some(Spilled { pass: Pass::First { skeletons, .. }, .. }) => Ok(skeletons.put_number(END)?),
            Some(Spilled { pass: Pass::Second { repeats }, next, .. }) => {
                if next_tag(repeats, next)? == END {
                    Ok(())
                } else {
                    Err(Stuck::Changed(0))
                }
            }
        }
    }

    /// The number that the next paragraph may have.
    pub(super) fn next_spilled(&self) -> Option<u32> {
        self.spilled.as_ref().map(|spilled| spilled.next)
    }

    pub(super) fn mark_spilled(&self) -> u64 {
        match &self.spilled {
            Some(Spilled { pass: Pass::First { skeletons, .. }, .. }) => skeletons.len(),
            _ => 0,
        }
    }

    /// Forgets all that came after a mark, if it came for the first time.
    pub(super) fn forget_spilled(&mut self, mark: &Mark) -> Result<(), Error> {
        let Some(spilled) = &mut self.spilled else { return Ok(()) };
        let Pass::First { prints, skeletons } = &mut spilled.pass else { return Ok(()) };
        prints.forget(mark.segments..spilled.next);
        self.earlier.forget(if mark.is_one { spilled.windows_of_first } else { mark.windows });
        skeletons.truncate(mark.skeletons)?;
        skeletons.put_number(JUMP)?;
        skeletons.put_number(u64::from(spilled.next))?;
        spilled.places.as_mut().map_or(Ok(()), |places| places.forget(mark.segments))?;
        spilled.catalogue.forget(mark.segments)
    }

    /// Ends the first pass: finds what is equal, in so many bytes of memory. Once `stop` is set, nothing is to come again.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn settle(&mut self, room: u64, stop: &AtomicBool) -> Result<(), Stuck> {
        let Some(spilled) = &mut self.spilled else { return Ok(()) };
        let rewound = Pass::Second { repeats: Tape::new(&spilled.scratch).read(READ_AT_ONCE, true) };
        let Pass::First { prints, skeletons } = std::mem::replace(&mut spilled.pass, rewound) else { return Ok(()) };
        let first = spilled.first;
        let (out, settled) = (Tape::new(&spilled.scratch), prints.settle(room, first, stop)?);
        let mut order = Order { skeletons: skeletons.read(READ_AT_ONCE, true), settled, out, next: first };
        let mut next = Together::default();
        let is_stopped = || stop.load(Ordering::Relaxed);
        let mut is_any = !is_stopped() && order.read(&mut next)?;
        while is_any {
            let first = next.first;
            self.texts.first = first;
            std::mem::swap(&mut self.texts.segments, &mut next.segments);
            std::mem::swap(&mut self.repeats, &mut next.repeats);
            let groups = std::mem::take(&mut next.groups);
            // One thread reads on while the others look for what repeats.
            let (sought, read) = rayon::join(|| self.seek_from(first, &groups), || order.read(&mut next));
            sought?;
            is_any = read? && !is_stopped();
        }
        self.repeats = Vec::new();
        self.texts.segments = Vec::new();
        let spilled = self.spilled.as_mut().expect("it was above");
        spilled.next = first;
        spilled.pass = Pass::Second { repeats: order.out.read(READ_AT_ONCE, true) };
        self.earlier = std::mem::take(&mut self.earlier).settle(room, spilled.windows, stop)?;
        Ok(())
    }

    /// The input and the line of the document that consecutive paragraphs are of, and where those stand, if that is kept.
    pub(super) fn known_spilled(&self, first: u32, last: u32) -> Option<Result<Found<'_>, Error>> {
        let spilled = self.spilled.as_ref()?;
        let found = || {
            let (input, line) = spilled.catalogue.document(first)?;
            let place = |places: &Places| Ok(Span { start: places.of(first)?.start, end: places.of(last)?.end });
            Ok((&self.texts.inputs[input as usize], line, spilled.places.as_ref().map(place).transpose()?))
        };
        Some(found())
    }
}

/// An input by its number, path and form, a line, and a place.
type Found<'a> = (&'a (u32, PathBuf, Form), u64, Option<Span>);

/// Reads the skeletons of all documents and writes what repeats in each.
struct Order {
    skeletons: Reading,
    settled: Settled,
    out: Tape,
    /// The number that the next paragraph may have. Documents that don't come again have the numbers before; the tape says where it
    /// goes on if it isn't there.
    next: u32,
}

/// Documents that are looked at together.
#[derive(Default)]
struct Together {
    /// The number of the first paragraph.
    first: u32,
    segments: Vec<Segment>,
    repeats: Vec<Repeat>,
    /// The numbers of each one's paragraphs.
    groups: Vec<Vec<Range<u32>>>,
}

impl Order {
    /// The next documents; false at the end.
    fn read(&mut self, into: &mut Together) -> Result<bool, Stuck> {
        let Self { skeletons, settled, out, next } = self;
        let Together { first, segments, repeats, groups } = into;
        segments.clear();
        repeats.clear();
        *groups = vec![Vec::new()];
        if skeletons.is_at_end() {
            return Ok(false);
        }
        let mut in_group = 0;
        while segments.len() < TOGETHER && !skeletons.is_at_end() {
            let tag = skeletons.number()?;
            out.put_number(tag)?;
            match tag {
                END => continue,
                JUMP => {
                    let number = skeletons.number()?;
                    out.put_number(number)?;
                    *next = number as u32;
                    break; // so that nothing is kept for what lies between
                }
                _ => {}
            }
            out.put(&skeletons.array::<8>()?)?;
            let numbers = Spilled::number(next, (tag - DOCUMENT) as usize)?;
            let before = repeats.len();
            let mut weights = Vec::with_capacity(numbers.len());
            for number in numbers.clone() {
                let bits = u16::from_le_bytes(skeletons.array()?);
                weights.push(skeletons.number()? as u32);
                repeats.extend(settled.next(bits, number)?);
            }
            write_repeats(out, numbers.start, &repeats[before..])?;
            let weigh = |weight| Segment::new(Span::default(), Kind::Line, weight);
            add_numbered(first, segments, &numbers, weights.into_iter().map(weigh));
            if in_group >= GROUP {
                groups.push(Vec::new());
                in_group = 0;
            }
            in_group += numbers.len();
            groups.last_mut().expect("there is one from the start").push(numbers);
        }
        Ok(true)
    }
}

/// Goes on with the paragraphs of a document that have these numbers; the list begins with number `first`, unless it is empty.
fn add_numbered(first: &mut u32, list: &mut Vec<Segment>, numbers: &Range<u32>, segments: impl Iterator<Item = Segment>) {
    if numbers.is_empty() {
        return;
    }
    if list.is_empty() {
        *first = numbers.start;
    }
    let nothing = Segment::new(Span::default(), Kind::Line, 0);
    let missing = (numbers.start - *first) as usize - list.len();
    list.extend(iter::repeat_n(nothing, missing));
    list.extend(segments);
}

/// Writes the skeletons of documents that come for the first time.
fn write_skeletons(tape: &mut Tape, sheaves: &[Entering], least: u32) -> Result<(), Error> {
    for &Entering { sheaf, is_whole, .. } in sheaves {
        for document in &sheaf.documents {
            let segments = sheaf.segments_of(document);
            tape.put_number(DOCUMENT + segments.len() as u64)?;
            tape.put(&document.check.to_le_bytes())?;
            for (segment, &print) in segments.iter().zip(sheaf.prints(document)) {
                tape.put(&first_bits(print).to_le_bytes())?;
                // More than makes a run long enough needs not be told apart.
                tape.put_number(u64::from(segment.weight().min(least)))?;
            }
        }
        if is_whole {
            tape.put_number(END)?;
        }
    }
    Ok(())
}

/// The next tag that is no jump.
fn next_tag(tape: &mut Reading, next: &mut u32) -> Result<u64, Error> {
    loop {
        match if tape.is_at_end() { END } else { tape.number()? } {
            JUMP => *next = tape.number()? as u32,
            tag => return Ok(tag),
        }
    }
}

fn write_repeats(tape: &mut Tape, first: u32, repeats: &[Repeat]) -> Result<(), Error> {
    tape.put_number(repeats.len() as u64)?;
    let mut last = first;
    for &Repeat { at, kept } in repeats {
        tape.put_number(u64::from(at - std::mem::replace(&mut last, at)))?;
        tape.put_number(u64::from(at - kept))?;
    }
    Ok(())
}

fn read_repeats(tape: &mut Reading, first: u32, repeats: &mut Vec<Repeat>) -> Result<(), Error> {
    let mut at = first;
    for _ in 0..tape.number()? {
        at += tape.number()? as u32;
        repeats.push(Repeat { at, kept: at - tape.number()? as u32 });
    }
    Ok(())
}

/// Where paragraphs stand in their inputs, by their numbers.
struct Places(Tape);

impl Places {
    const ENTRY: usize = 8 + 4;

    /// The next one; none is called by the numbers that are left out.
    fn add(&mut self, number: u32, place: Span) -> Result<(), Error> {
        while self.0.len() < u64::from(number) * Self::ENTRY as u64 {
            self.0.put(&[0; Self::ENTRY])?;
        }
        self.0.put(&place.start.to_le_bytes())?;
        self.0.put(&(place.len() as u32).to_le_bytes()) // as its segment has it
    }

    fn of(&self, number: u32) -> Result<Span, Error> {
        let (mut start, mut len) = ([0; 8], [0; 4]);
        let at = u64::from(number) * Self::ENTRY as u64;
        self.0.read_at(at, &mut start)?;
        self.0.read_at(at + 8, &mut len)?;
        let start = u64::from_le_bytes(start);
        Ok(Span { start, end: start + u64::from(u32::from_le_bytes(len)) })
    }

    fn forget(&mut self, from: u32) -> Result<(), Error> {
        let len = u64::from(from) * Self::ENTRY as u64;
        if self.0.len() > len { self.0.truncate(len) } else { Ok(()) }
    }
}

/// Where documents stand, by the numbers of their paragraphs.
struct Catalogue(Tape);

impl Catalogue {
    /// What it has of a document: the number of its first paragraph, its input, its line.
    const ENTRY: usize = 4 + 4 + 8;

    fn add(&mut self, first: u32, input: u32, line: u64) -> Result<(), Error> {
        let mut entry = [0; Self::ENTRY];
        entry[..4].copy_from_slice(&first.to_le_bytes());
        entry[4..8].copy_from_slice(&input.to_le_bytes());
        entry[8..].copy_from_slice(&line.to_le_bytes());
        self.0.put(&entry)
    }

    fn entry(&self, number: u64) -> Result<(u32, u32, u64), Error> {
        let mut entry = [0; Self::ENTRY];
        self.0.read_at(number * Self::ENTRY as u64, &mut entry)?;
        let four = |at: usize| u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]);
        Ok((four(0), four(4), u64::from(four(8)) | u64::from(four(12)) << 32))
    }

    /// How many documents begin before a paragraph or with it.
    fn begun(&self, paragraph: u32) -> Result<u64, Error> {
        let (mut low, mut high) = (0, self.0.len() / Self::ENTRY as u64);
        while low < high {
            let middle = (low + high) / 2;
            if self.entry(middle)?.0 <= paragraph { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// The input and the line of the document that a paragraph is of.
    fn document(&self, paragraph: u32) -> Result<(u32, u64), Error> {
        let (_, input, line) = self.entry(self.begun(paragraph)? - 1)?;
        Ok((input, line))
    }

    fn forget(&mut self, from: u32) -> Result<(), Error> {
        let kept = from.checked_sub(1).map_or(Ok(0), |last| self.begun(last))?;
        self.0.truncate(kept * Self::ENTRY as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::earlier::InDocument;
    use crate::sheaf::Taking;
    use crate::source::{Fields, Input};
    use crate::{Settings, Threshold};
    use bytes::Bytes;
    use proptest::prelude::*;

    /// Inputs that come one after the other, each with its documents, each with its paragraphs; and whether it fails in the end.
    type Inputs = Vec<(Vec<Vec<u8>>, bool)>;

    fn inputs() -> impl Strategy<Value = Inputs> {
        let document = prop_oneof![
            prop::collection::vec(0u8..6, 0..9),
            (0u8..40, 0usize..12).prop_map(|(first, len)| (first..).take(len).collect()),
        ];
        prop::collection::vec((prop::collection::vec(document, 0..6), prop::bool::weighted(0.2)), 1..7)
    }

    fn stretch(documents: &[Vec<u8>]) -> Bytes {
        let paragraph =
            |kind: &u8| if kind % 5 == 4 { format!("| a row | {kind} |") } else { format!("Paragraph {kind} of some.") };
        let record = |document: &Vec<u8>| {
            let text = document.iter().map(paragraph).collect::<Vec<_>>().join("\n\n");
            serde_json::json!({ "text": text }).to_string() + "\n"
        };
        documents.iter().map(record).collect::<String>().into()
    }

    /// What repeats in a document, with the words of what it repeats.
    type Found = (Vec<(u32, u32)>, Vec<(u32, u8)>, usize);

    struct Run {
        corpus: Corpus,
        settings: Settings,
        /// The kinds of paragraphs by their numbers.
        kinds: std::collections::HashMap<u32, u8>,
        /// Each input's documents as they are found.
        found: Vec<Vec<Found>>,
    }

    impl Run {
        /// An input comes.
        fn enter(&mut self, documents: &[Vec<u8>]) {
            let bytes = stretch(documents);
            let is_spilled = self.corpus.is_spilled();
            let manner = self.settings.manner(self.corpus.hash());
            let taking =
                Taking { manner, are_compared: true, has_places: !is_spilled, is_checked: is_spilled, tidy: self.settings.tidy };
            let mut sheaf = crate::sheaf::Sheaf::default();
            sheaf.read(&bytes, None, Form::Jsonl, &Fields::default(), taking, true).unwrap();
            let stand = self.corpus.hold(bytes, None, &Input::stdin(Form::Jsonl), 0);
            let entering = Entering { sheaf: &sheaf, stand, line: 1, is_whole: false };
            let numbers = self.corpus.enter(&[entering], |count| count).unwrap();
            if self.corpus.is_gathering() {
                return;
            }
            for (numbers, kinds) in numbers[0].iter().zip(documents) {
                self.kinds.extend(numbers.clone().zip(kinds.iter().copied()));
            }
            let sought = self.corpus.seek(&numbers).unwrap().pop().unwrap();
            let found = self.corpus.repeats(&numbers[0], sought).map(|InDocument { within, across, alike }| {
                let within = within.iter().map(|repeat| (repeat.at, repeat.kept)).collect();
                (within, across.iter().map(|repeat| (repeat.at, self.kinds[&repeat.kept])).collect(), alike)
            });
            self.found.push(found.collect());
        }

        fn all(&mut self, inputs: &Inputs, from: usize, to: usize) {
            for (documents, fails) in &inputs[from..to] {
                let mark = self.corpus.mark();
                self.enter(documents);
                if *fails {
                    self.corpus.forget(&mark).unwrap();
                } else {
                    self.corpus.end_input().unwrap();
                }
            }
        }
    }

    fn run(inputs: &Inputs, spilled_at: Option<usize>, room: u64) -> Vec<Vec<Found>> {
        let settings = Settings { across: true, threshold: Threshold::Flat(40), ..Settings::default() };
        let corpus = Corpus::new(&settings, u64::MAX, false);
        let mut run = Run { corpus, settings, kinds: Default::default(), found: Vec::new() };
        let at = spilled_at.unwrap_or(inputs.len());
        run.all(inputs, 0, at);
        if at < inputs.len() {
            let scratch = Scratch::new(&std::env::temp_dir()).unwrap();
            run.corpus.spill(&scratch).unwrap();
            run.all(inputs, at, inputs.len());
            run.corpus.settle(room, &AtomicBool::new(false)).unwrap();
            for (documents, fails) in &inputs[at..] {
                if *fails {
                    run.found.push(Vec::new());
                } else {
                    run.enter(documents);
                    run.corpus.end_input().unwrap();
                }
            }
            assert_eq!(
                next_tag(
                    match &mut run.corpus.spilled.as_mut().unwrap().pass {
                        Pass::Second { repeats } => repeats,
                        Pass::First { .. } => panic!(),
                    },
                    &mut 0
                )
                .unwrap(),
                END
            );
        }
        run.found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn what_is_on_disk_repeats_as_in_memory(inputs in inputs(), at: prop::sample::Index, room in 0u64..5000) {
            let in_memory = run(&inputs, None, 0);
            let at = at.index(inputs.len());
            let mut on_disk = run(&inputs, Some(at), room);
            for ((found, (_, fails)), number) in on_disk.iter_mut().zip(&inputs).zip(0..) {
                if *fails && number >= at {
                    found.clone_from(&in_memory[number]); // nothing is planned for what fails
                }
            }
            prop_assert_eq!(on_disk, in_memory);
        }
    }

    #[test]
    fn what_changed_meanwhile_is_seen() {
        let settings = Settings { across: true, ..Settings::default() };
        let documents = |text: u8| vec![vec![1, 2], vec![text]];
        for (second, is_changed) in
            [(documents(3), false), (documents(4), true), (vec![vec![1, 2]], true), (vec![vec![1, 2, 3]], true)]
        {
            let corpus = Corpus::new(&settings, u64::MAX, false);
            let mut run = Run { corpus, settings: settings.clone(), kinds: Default::default(), found: Vec::new() };
            run.corpus.spill(&Scratch::new(&std::env::temp_dir()).unwrap()).unwrap();
            run.enter(&documents(3));
            run.corpus.end_input().unwrap();
            run.corpus.settle(1 << 20, &AtomicBool::new(false)).unwrap();
            let bytes = stretch(&second);
            let taking = Taking {
                manner: settings.manner(Hash::Not),
                are_compared: true,
                has_places: false,
                is_checked: true,
                tidy: settings.tidy,
            };
            let mut sheaf = crate::sheaf::Sheaf::default();
            sheaf.read(&bytes, None, Form::Jsonl, &Fields::default(), taking, true).unwrap();
            let entering = Entering { sheaf: &sheaf, stand: super::super::Stand::default(), line: 1, is_whole: true };
            let entered = run.corpus.enter(&[entering], |count| count);
            assert_eq!(matches!(entered, Err(Stuck::Changed(0))), is_changed);
        }
    }
}
