//! The one place where documents run in parallel: an order-preserving map over batches of inputs, or of stretches of a large one.
//!
//! Inputs are numbered by their order before anything runs, and outcomes come out in that order, whichever thread was first. With
//! `--across` a batch goes through the corpus between two parallel steps: it is taken apart, entered in order, and planned.

use crate::corpus::{Corpus, Known, Mark};
use crate::detect::earlier::InDocument;
use crate::document::{Span, TooLarge};
use crate::error::{Error, Result, What};
use crate::heirs::Heirs;
use crate::index::Index;
use crate::page::Read;
use crate::plan::Fate;
use crate::sheaf::{Sheaf, Taken};
use crate::source::jsonl::{Fault, Fields};
use crate::source::{Form, Found, Input, LeftOut, Loaded, Origin, Packing, Source, Stretches, line_end, load, open, text};
use crate::threads::Threads;
use crate::{Plan, Settings};
use bytes::Bytes;
use rayon::prelude::*;
use std::cell::RefCell;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// What became of something the walk came upon.
pub enum Outcome<T> {
    /// It, or a stretch of it, was planned, and this was made of the plans.
    Done(T),
    /// It is not read, on purpose.
    LeftOut(PathBuf, LeftOut),
    /// It, or a record of it, could not be read or written.
    Failed(Error),
}

/// An input smaller than this shares its batch with others; a larger one has all threads for itself, which also bounds the
/// memory: a batch holds [`BATCH_BYTES`] or one document.
const LARGE: u64 = 4 << 20;
const BATCH_BYTES: u64 = 32 << 20;
/// Enough for a thread's work to be even, few enough for their outputs to be temporary files at the same time.
const BATCH_INPUTS: usize = 2048;
/// An input alone and up to this size is done before a thread would have started. (It has at most 2^16 paragraphs, the
/// number from which on the index is built in parallel.)
const ALONE: usize = 1 << 17;
/// So much of a container makes a batch, in lots of so much each: enough lots for threads to end together, and a batch that the
/// processor's outer cache nearly holds.
const STRETCH: usize = 16 << 20;
const LOT: usize = 512 << 10;

/// How a run goes about its documents.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// What counts as a repeat.
    pub settings: &'a Settings,
    /// How containers are read.
    pub reading: &'a Reading,
    /// The threads that do the work.
    pub threads: &'a Threads,
    /// Once it is set, nothing more is read, and what a batch has made by then is dropped.
    pub stop: &'a AtomicBool,
}

/// How containers are read, and what becomes of their records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Which fields of a record are read.
    pub fields: Fields,
    /// What becomes of what is broken.
    pub on_error: OnError,
    /// Whether records whose text is cut as a whole stay, without it.
    pub keep_empty: bool,
}

/// What becomes of a record that can't be read, and of a stream that breaks off. In each case it is an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// Its whole file is left out, and justifies no cut elsewhere.
    #[default]
    Fail,
    /// It stays as it is.
    Keep,
    /// It is left out.
    Drop,
}

/// What is planned for an input, or for a stretch of one.
pub struct Portion<'a> {
    /// The input.
    pub input: &'a Input,
    /// Its file.
    pub source: &'a Source,
    /// Which part of it this is.
    pub part: Part,
    /// The bytes of this part, unpacked.
    pub bytes: Bytes,
    /// Where it begins in the unpacked file.
    pub offset: u64,
    /// The documents in it.
    pub documents: Vec<Planned>,
    /// What goes of the bytes, documents that are dropped included.
    pub cuts: Vec<Span>,
    /// The records that can't be read, by their line, and why; with [`OnError::Drop`] they go too.
    pub faults: Vec<(u64, Fault)>,
    earlier: Option<&'a Corpus>,
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
    /// Where its text is written.
    pub text: Span,
    /// What goes, and why.
    pub plan: Plan,
    /// Whether it is dropped as a whole.
    pub is_dropped: bool,
}

impl<'a> Portion<'a> {
    /// Where something of it stands in the unpacked file.
    pub fn in_file(&self, span: Span) -> Span {
        Span { start: span.start + self.offset, end: span.end + self.offset }
    }

    /// The number of bytes that go.
    pub fn removed_bytes(&self) -> u64 {
        self.cuts.iter().map(|cut| cut.len()).sum()
    }

    fn new(input: &'a Input, source: &'a Source, part: Part, bytes: Bytes) -> Self {
        Self { input, source, part, bytes, offset: 0, documents: Vec::new(), cuts: Vec::new(), faults: Vec::new(), earlier: None }
    }

    /// Adds the next document.
    fn add(&mut self, mut planned: Planned, reading: &Reading) {
        planned.is_dropped = is_dropped(planned.plan.fate, self.input.form, reading);
        match planned.is_dropped {
            true => self.cuts.push(planned.extent),
            false => self.cuts.extend(planned.plan.cuts.iter().map(|cut| cut.at)),
        }
        self.documents.push(planned);
    }

    /// The text of an earlier document that is a block's witness, by its first and last paragraph.
    pub fn earlier(&self, first: u32, last: u32) -> Option<Known<'_>> {
        self.earlier.map(|corpus| corpus.known(first, last))
    }
}

/// Plans the documents of `found`.
///
/// `work` makes something of the plans of an input or of a stretch of one, in any order; `batch` gets what it made, in order,
/// batch by batch. What was made of a document that changed meanwhile is dropped, and so is any other failure of its: what the
/// system says of bytes that vanish while they are written puts the blame on the output.
///
/// # Errors
/// The first that `batch` gives; nothing more is read then.
pub fn run<T: Send>(
    found: impl Iterator<Item = Found>,
    course: Course,
    work: impl Fn(Portion) -> Result<T> + Sync,
    batch: impl FnMut(Vec<Outcome<T>>) -> Result<()>,
) -> Result<()> {
    let mut run = Run {
        course,
        work,
        batch,
        corpus: course.settings.across.then(|| Compared { corpus: Corpus::new(course.settings), heirs: Heirs::default() }),
        kept: Vec::new(),
        used: Vec::new(),
    };
    for group in (Batches { found, waiting: None, reading: course.reading }) {
        if course.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let goes_on = match <[Found; 1]>::try_from(group) {
            Ok([Found::Input(input)]) if is_streamed(&input, course.reading) => run.stream(&input)?,
            Ok([Found::Input(input)]) if run.corpus.is_some() && input.form == Form::Text && input.size >= LARGE => {
                run.large(&input)?
            }
            Ok([Found::Input(input)]) if run.corpus.is_none() => run.alone(&input)?,
            Ok([found]) => run.small(vec![found])?,
            Err(group) => run.small(group)?,
        };
        if !goes_on {
            return Ok(());
        }
    }
    run.end()
}

/// Whether an input comes in stretches: a container that is large or whose size isn't known, or of which the beginning counts
/// even if it is broken.
fn is_streamed(input: &Input, reading: &Reading) -> bool {
    let may_break = input.packing != Packing::Plain && reading.on_error != OnError::Fail;
    input.form.is_container() && (input.size == 0 || input.size >= LARGE || may_break)
}

/// What documents are compared with.
struct Compared {
    corpus: Corpus,
    heirs: Heirs,
}

impl Compared {
    fn forget(&mut self, mark: &Mark) {
        self.corpus.forget(mark);
        self.heirs.forget(mark.segments());
    }
}

/// A run under way.
struct Run<'a, W, B> {
    course: Course<'a>,
    work: W,
    batch: B,
    corpus: Option<Compared>,
    /// Mapped inputs whose bytes later documents are compared with.
    kept: Vec<(Input, Source)>,
    /// Sheaves whose memory is used again: new memory costs more than what is done with it.
    used: Vec<Sheaf>,
}

/// An input of a batch, or a stretch of one, taken apart.
struct Lot<'a> {
    input: &'a Input,
    source: &'a Source,
    part: Part,
    bytes: Bytes,
    /// Where it begins in its input.
    offset: u64,
    /// Where it stands among all that is compared.
    base: u64,
    /// The number of its first line.
    line: u64,
    sheaf: Sheaf,
}

impl<T: Send, W: Fn(Portion) -> Result<T> + Sync, B: FnMut(Vec<Outcome<T>>) -> Result<()>> Run<'_, W, B> {
    /// Hands a batch on; false if the run is to end.
    fn hand_on(&mut self, outcomes: Vec<Outcome<T>>) -> Result<bool> {
        if self.course.stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        (self.batch)(outcomes)?;
        Ok(true)
    }

    /// A group of small inputs, each taken whole.
    fn small(&mut self, group: Vec<Found>) -> Result<bool> {
        let Self { course, work, corpus, .. } = self;
        let is_stopped = || course.stop.load(Ordering::Relaxed);
        if corpus.is_none() {
            let one = |found: Found| match found {
                _ if is_stopped() => None,
                Found::Input(input) => Some(by_itself(&input, *course, work)),
                found => Some(not_read(found)),
            };
            let outcomes: Option<Vec<Outcome<T>>> = match group.len() {
                1 => group.into_iter().map(one).collect(),
                _ => course.threads.run(|| group.into_par_iter().map(one).collect()),
            };
            return outcomes.map_or(Ok(false), |outcomes| self.hand_on(outcomes));
        }
        let corpus = corpus.as_mut().expect("looked at above");
        let outcomes = course.threads.run(|| {
            let loaded: Vec<std::result::Result<Apart, Outcome<T>>> =
                group.into_par_iter().map(|found| taken_apart(found, *course)).collect();
            planned(loaded, corpus, *course, work)
        });
        self.hand_on(outcomes)
    }

    /// One input that isn't compared with others.
    fn alone(&mut self, input: &Input) -> Result<bool> {
        let outcome = by_itself(input, self.course, &self.work);
        self.hand_on(vec![outcome])
    }

    /// A large text, which is compared with others: one document, which all threads take apart together.
    fn large(&mut self, input: &Input) -> Result<bool> {
        let Self { course, work, corpus, kept, .. } = self;
        let corpus = corpus.as_mut().expect("it is there where documents are compared");
        let mark = corpus.corpus.mark();
        let mut made = || {
            let Loaded::Source(source) = load(input, course.reading.on_error != OnError::Fail)? else { return Ok(None) };
            let made = course.threads.run(|| large(input, &source, corpus, *course, work));
            source.ensure_unchanged(input)?;
            Ok(Some((made?, source)))
        };
        let outcome = match made() {
            Ok(None) => Outcome::LeftOut(input.path().into(), LeftOut::Binary),
            Ok(Some((made, source))) => {
                if source.is_mapped() {
                    kept.push((input.clone(), source));
                }
                Outcome::Done(made)
            }
            Err(error) => {
                course.threads.run(|| corpus.forget(&mark));
                Outcome::Failed(error)
            }
        };
        self.hand_on(vec![outcome])
    }

    /// A container in stretches.
    fn stream(&mut self, input: &Input) -> Result<bool> {
        let opened = match self.open(input) {
            Ok(Some(opened)) => opened,
            Ok(None) => return self.hand_on(vec![Outcome::LeftOut(input.path().into(), LeftOut::Binary)]),
            Err(error) => return self.hand_on(vec![Outcome::Failed(error)]),
        };
        let (source, mut stretches) = opened;
        let mark = self.corpus.as_ref().map(|compared| compared.corpus.mark());
        let mut way = Way { offset: 0, line: 1 };
        let failed = loop {
            let stretch = match stretches.next(STRETCH) {
                Ok(Some(stretch)) => stretch,
                Ok(None) => break None,
                Err(error) => {
                    let error = Error::io(input.place(), error);
                    if self.course.reading.on_error == OnError::Fail {
                        break Some(error);
                    }
                    if !self.hand_on(vec![Outcome::Failed(error)])? {
                        return Ok(false);
                    }
                    break None;
                }
            };
            match self.stretch(input, &source, &stretch, &mut way) {
                Ok((done, fault)) => {
                    if !self.hand_on(done)? {
                        return Ok(false);
                    }
                    if fault.is_some() {
                        break fault;
                    }
                }
                Err(error) => break Some(error),
            }
        };
        let failed = failed.or_else(|| source.ensure_unchanged(input).err());
        let is_complete = failed.is_none();
        let outcome = match failed {
            Some(error) => {
                if let (Some(corpus), Some(mark)) = (&mut self.corpus, &mark) {
                    self.course.threads.run(|| corpus.forget(mark));
                }
                vec![Outcome::Failed(error)]
            }
            None => {
                let end = Portion { offset: way.offset, ..Portion::new(input, &source, Part::End, Bytes::new()) };
                vec![(self.work)(end).map_or_else(Outcome::Failed, Outcome::Done)]
            }
        };
        if is_complete && source.is_mapped() && self.corpus.is_some() {
            self.kept.push((input.clone(), source));
        }
        self.hand_on(outcome)
    }

    /// The source of a container and its stretches; `None` if it was found and is binary.
    fn open(&self, input: &Input) -> Result<Option<(Source, Stretches)>> {
        if input.from == Origin::Stdin || input.packing != Packing::Plain || input.size == 0 {
            return open(input).map(Some);
        }
        let Loaded::Source(source) = load(input, self.course.reading.on_error != OnError::Fail)? else { return Ok(None) };
        let stretches = Stretches::of_bytes(source.bytes().clone());
        Ok(Some((source, stretches)))
    }

    /// A stretch of a container: what came of it, and the error that ends the container there.
    fn stretch(
        &mut self,
        input: &Input,
        source: &Source,
        stretch: &Bytes,
        way: &mut Way,
    ) -> Result<(Vec<Outcome<T>>, Option<Error>)> {
        let Self { course, work, corpus, used, .. } = self;
        let work = &*work;
        let (course, fails) = (*course, course.reading.on_error == OnError::Fail);
        course.threads.run(|| {
            let begins = way.offset;
            let mut lots = way.lots(input, source, stretch, course, used)?;
            if let Some(Compared { corpus, .. }) = corpus {
                let base = corpus.hold(stretch.clone(), input.form, input.path(), begins);
                lots.iter_mut().for_each(|lot| lot.base = base + (lot.offset - begins));
            }
            let mut failed = None;
            if fails && let Some(at) = lots.iter().position(|lot| !lot.sheaf.faults.is_empty()) {
                // What precedes the fault may have a reader already.
                lots.truncate(at + 1);
                let lot = &mut lots[at];
                let (line, extent, fault) = lot.sheaf.faults.swap_remove(0);
                failed =
                    Some(Error { place: input.place(), what: What::Record { line: lot.line + line, why: fault.to_string() } });
                lot.bytes.truncate(extent.start as usize);
                lot.read(course, lot.offset == 0)?;
            }
            let done = plan_lots(&lots, corpus.as_mut(), course, work)
                .map_err(|what| Error { place: input.place(), what: What::TooLarge(what) })?;
            used.extend(lots.into_iter().map(|lot| lot.sheaf));
            Ok((done.into_iter().map(|done| done.map_or_else(Outcome::Failed, Outcome::Done)).collect(), failed))
        })
    }

    /// What documents were compared with must not have changed meanwhile.
    fn end(&mut self) -> Result<()> {
        let changed = |(input, source): &(Input, Source)| source.ensure_unchanged(input).is_err().then(|| input.place());
        let failed = |place| {
            let why = "changed after it was read, while others were compared with it; run again when it is at rest";
            Outcome::Failed(Error::refused(place, why))
        };
        let changed: Vec<Outcome<T>> = self.kept.iter().filter_map(changed).map(failed).collect();
        if changed.is_empty() { Ok(()) } else { self.hand_on(changed).map(drop) }
    }
}

/// How far a container is read.
struct Way {
    offset: u64,
    /// The number of the next line.
    line: u64,
}

impl Way {
    /// The next stretch, taken apart in lots.
    fn lots<'a>(
        &mut self,
        input: &'a Input,
        source: &'a Source,
        stretch: &Bytes,
        course: Course,
        used: &mut Vec<Sheaf>,
    ) -> Result<Vec<Lot<'a>>> {
        let mut lots = Vec::new();
        let mut rest = stretch.clone();
        while !rest.is_empty() {
            let bytes = rest.split_to(line_end(&rest, LOT));
            let len = bytes.len() as u64;
            let sheaf = used.pop().unwrap_or_default();
            lots.push(Lot { input, source, part: Part::Stretch, bytes, offset: self.offset, base: 0, line: 0, sheaf });
            self.offset += len;
        }
        lots.par_iter_mut().try_for_each(|lot| lot.read(course, lot.offset == 0))?;
        for lot in &mut lots {
            lot.line = self.line;
            self.line += lot.sheaf.lines;
        }
        Ok(lots)
    }
}

impl Lot<'_> {
    fn read(&mut self, course: Course, is_first: bool) -> Result<()> {
        let read = self.sheaf.read(&self.bytes, self.input.form, &course.reading.fields, course.settings, is_first);
        read.map_err(|what| Error { place: self.input.place(), what: What::TooLarge(what) })
    }

    /// What repeats in a document by itself.
    fn repeats(&self, taken: &Taken, course: Course) -> InDocument {
        let page = self.sheaf.page(taken, &self.bytes);
        InDocument::alone(Read::repeats(page.text, page.segments, self.sheaf.prints(taken), course.settings.matching))
    }

    /// What is planned for the documents, of each of which this repeats.
    fn portion<'a>(
        &'a self,
        mut repeats: impl FnMut(&Taken) -> InDocument,
        mut settled: impl FnMut(&Plan),
        course: Course,
        earlier: Option<&'a Corpus>,
    ) -> Portion<'a> {
        let mut portion = Portion::new(self.input, self.source, self.part, self.bytes.clone());
        let sheaf = &self.sheaf;
        for taken in &sheaf.documents {
            let mut plan = Plan::default();
            let page = sheaf.page(taken, &self.bytes);
            plan.add(&page, repeats(taken), course.settings, || sheaf.map(taken), earlier);
            plan.settle(course.settings);
            settled(&plan);
            let line = self.input.form.is_container().then_some(self.line + taken.line);
            let (extent, text) = (taken.extent, taken.source);
            portion.add(Planned { line, id: taken.id, extent, text, plan, is_dropped: false }, course.reading);
        }
        if course.reading.on_error == OnError::Drop && !sheaf.faults.is_empty() {
            portion.cuts.extend(sheaf.faults.iter().map(|&(_, extent, _)| extent));
            portion.cuts.sort_unstable();
        }
        portion.faults = sheaf.faults.iter().map(|(line, _, fault)| (self.line + line, fault.clone())).collect();
        portion.earlier = earlier;
        portion.offset = self.offset;
        portion
    }
}

/// Whether a document of this fate leaves nothing behind. Of a text file that is cut as a whole an empty one stays, so that
/// outputs are as many as inputs.
fn is_dropped(fate: Fate, form: Form, reading: &Reading) -> bool {
    match fate {
        Fate::Stays => false,
        Fate::Emptied => form.is_container() && !reading.keep_empty,
        Fate::Repeated | Fate::TooRepetitive => true,
    }
}

/// Plans lots, one after another, and makes something of each plan.
fn plan_lots<R: Send>(
    lots: &[Lot],
    compared: Option<&mut Compared>,
    course: Course,
    work: impl Fn(Portion) -> R + Sync,
) -> std::result::Result<Vec<R>, TooLarge> {
    let Some(Compared { corpus, heirs }) = compared else {
        let one = |lot: &Lot| work(lot.portion(|taken| lot.repeats(taken, course), |_| {}, course, None));
        return Ok(lots.par_iter().map(one).collect());
    };
    let held: Vec<(&Sheaf, u64, u64)> = lots.iter().map(|lot| (&lot.sheaf, lot.base, lot.line)).collect();
    let bytes: usize = lots.iter().map(|lot| lot.bytes.len()).sum();
    let whole: u64 = lots.last().map_or(0, |lot| if lot.part == Part::Whole { bytes as u64 } else { lot.input.size });
    let expected = |count: usize| expected(count, bytes as u64, whole);
    let firsts = corpus.enter(&held, expected)?;
    let documents: Vec<_> = lots
        .iter()
        .zip(firsts)
        .flat_map(|(lot, first)| {
            lot.sheaf.documents.iter().map(move |taken| first + taken.segments.start..first + taken.segments.end)
        })
        .collect();
    let mut repeats = corpus.repeats(&documents)?.into_iter();
    let corpus = &*corpus;
    let repeats = lots.iter().map(|lot| repeats.by_ref().take(lot.sheaf.documents.len()).collect());
    let with_repeats: Vec<(&Lot, Vec<InDocument>)> = lots.iter().zip(repeats).collect();
    if course.settings.drop_above.is_some() {
        // Whether a document is dropped changes what the next ones keep, so they are planned one after the other.
        let mut documents = documents.into_iter();
        let portion = |(lot, repeats)| lot_in_order(lot, repeats, &mut documents, course, corpus, heirs);
        let portions: Vec<Portion> = with_repeats.into_iter().map(portion).collect();
        return Ok(portions.into_par_iter().map(&work).collect());
    }
    let one = |(lot, repeats): (&Lot, Vec<InDocument>)| {
        let mut repeats = repeats.into_iter();
        let mut next = || repeats.next().expect("each document has what repeats in it");
        work(lot.portion(|_| next(), |_| {}, course, Some(corpus)))
    };
    Ok(with_repeats.into_par_iter().map(one).collect())
}

/// How many paragraphs come if it goes on like the `count` ones of the first `bytes`; no more than if those to come are of ordinary
/// length, so that a container which begins with short records doesn't take memory for what never comes.
fn expected(count: usize, bytes: u64, whole: u64) -> usize {
    const TYPICAL_PARAGRAPH: u64 = 64;
    let alike = count as u128 * u128::from(whole.max(bytes)) / u128::from(bytes.max(1));
    let ordinary = count as u64 + whole.saturating_sub(bytes) / TYPICAL_PARAGRAPH;
    usize::try_from(alike.min(u128::from(ordinary))).unwrap_or(usize::MAX).min(Index::MOST)
}

/// What is planned for a lot whose documents' fates depend on those before.
fn lot_in_order<'a>(
    lot: &'a Lot,
    repeats: Vec<InDocument>,
    documents: &mut impl Iterator<Item = Range<u32>>,
    course: Course,
    corpus: &'a Corpus,
    heirs: &mut Heirs,
) -> Portion<'a> {
    let heirs = RefCell::new(heirs);
    let mut repeats = repeats.into_iter();
    let next = |_: &Taken| {
        let mut found = repeats.next().expect("each document has what repeats in it");
        heirs.borrow().spare(&mut found);
        found
    };
    let settle = |plan: &Plan| {
        let document = documents.next().expect("each document has its numbers");
        heirs.borrow_mut().settle(document.clone(), corpus.repeats_of(&document), plan.fate == Fate::TooRepetitive);
    };
    lot.portion(next, settle, course, Some(corpus))
}

/// An input of a group, taken apart.
struct Apart {
    input: Input,
    source: Source,
    sheaf: Sheaf,
}

/// Something of a group, read and taken apart, or why it isn't.
fn taken_apart<T>(found: Found, course: Course) -> std::result::Result<Apart, Outcome<T>> {
    let Found::Input(input) = found else { return Err(not_read(found)) };
    let taken = || {
        let Loaded::Source(source) = load(&input, course.reading.on_error != OnError::Fail)? else { return Ok(None) };
        let sheaf = sheaf(&input, &source, course)?;
        source.ensure_unchanged(&input)?;
        Ok(Some((source, sheaf)))
    };
    match taken() {
        Ok(Some((source, sheaf))) => Ok(Apart { input, source, sheaf }),
        Ok(None) => Err(Outcome::LeftOut(input.path().into(), LeftOut::Binary)),
        Err(error) => Err(Outcome::Failed(error)),
    }
}

/// A small input taken apart.
fn sheaf(input: &Input, source: &Source, course: Course) -> Result<Sheaf> {
    let mut sheaf = Sheaf::default();
    sheaf
        .read(source, input.form, &course.reading.fields, course.settings, true)
        .map_err(|what| Error { place: input.place(), what: What::TooLarge(what) })?;
    if course.reading.on_error == OnError::Fail && !sheaf.faults.is_empty() {
        let (line, _, fault) = sheaf.faults.swap_remove(0);
        return Err(Error { place: input.place(), what: What::Record { line: line + 1, why: fault.to_string() } });
    }
    Ok(sheaf)
}

/// What is made of a group that is taken apart, in order.
fn planned<T: Send>(
    mut loaded: Vec<std::result::Result<Apart, Outcome<T>>>,
    compared: &mut Compared,
    course: Course,
    work: &(impl Fn(Portion) -> Result<T> + Sync),
) -> Vec<Outcome<T>> {
    let mut lots = Vec::new();
    for Apart { input, source, sheaf } in loaded.iter_mut().flatten() {
        let sheaf = std::mem::take(sheaf);
        lots.push(Lot { input, source, part: Part::Whole, bytes: source.bytes().clone(), offset: 0, base: 0, line: 1, sheaf });
    }
    let mark = compared.corpus.mark();
    for lot in &mut lots {
        lot.base = compared.corpus.hold(lot.bytes.clone(), lot.input.form, lot.input.path(), 0);
    }
    let made = plan_lots(&lots, Some(compared), course, work);
    let made: Vec<Result<T>> = match made {
        Ok(made) => lots.iter().zip(made).map(|(lot, made)| lot.source.ensure_unchanged(lot.input).and(made)).collect(),
        Err(what) => {
            compared.forget(&mark);
            lots.iter().map(|lot| Err(Error { place: lot.input.place(), what: What::TooLarge(what) })).collect()
        }
    };
    let mut made = made.into_iter();
    drop(lots);
    let mut next = || made.next().expect("each input that was read is planned").map_or_else(Outcome::Failed, Outcome::Done);
    loaded.into_iter().map(|loaded| loaded.map_or_else(|outcome| outcome, |_| next())).collect()
}

/// One input that is not compared with others.
fn by_itself<T: Send>(input: &Input, course: Course, work: &(impl Fn(Portion) -> Result<T> + Sync)) -> Outcome<T> {
    let made = || {
        let Loaded::Source(source) = load(input, course.reading.on_error != OnError::Fail)? else { return Ok(None) };
        let plan_and_work = || {
            if input.form == Form::Text {
                one_text(input, &source, course, work)
            } else {
                container(input, &source, course, work)
            }
        };
        let is_small = source.len() <= ALONE || rayon::current_thread_index().is_some();
        let made = if is_small { plan_and_work() } else { course.threads.run(plan_and_work) };
        match source.ensure_unchanged(input) {
            Err(changed) if !matches!(made, Err(Error { what: What::Changed { .. }, .. })) => Err(changed),
            _ => made.map(Some),
        }
    };
    match made() {
        Ok(Some(done)) => Outcome::Done(done),
        Ok(None) => Outcome::LeftOut(input.path().into(), LeftOut::Binary),
        Err(error) => Outcome::Failed(error),
    }
}

fn one_text<T>(input: &Input, source: &Source, course: Course, work: &impl Fn(Portion) -> Result<T>) -> Result<T> {
    let plan = Plan::new(&text::document(source), course.settings);
    work(of_one(input, source, plan.map_err(|what| Error { place: input.place(), what: What::TooLarge(what) })?, course.reading))
}

/// The portion that is one text as a whole.
fn of_one<'a>(input: &'a Input, source: &'a Source, plan: Plan, reading: &Reading) -> Portion<'a> {
    let mut portion = Portion::new(input, source, Part::Whole, source.bytes().clone());
    let extent = Span::new(0, source.len());
    portion.add(Planned { line: None, id: None, extent, text: extent, plan, is_dropped: false }, reading);
    portion
}

fn container<T>(input: &Input, source: &Source, course: Course, work: &(impl Fn(Portion) -> Result<T> + Sync)) -> Result<T>
where
    T: Send,
{
    let sheaf = sheaf(input, source, course)?;
    let lot = Lot { input, source, part: Part::Whole, bytes: source.bytes().clone(), offset: 0, base: 0, line: 1, sheaf };
    work(lot.portion(|taken| lot.repeats(taken, course), |_| {}, course, None))
}

/// A large text that is compared with others.
fn large<T>(
    input: &Input,
    source: &Source,
    compared: &mut Compared,
    course: Course,
    work: &impl Fn(Portion) -> Result<T>,
) -> Result<T> {
    let Compared { corpus, heirs } = compared;
    let too_large = |what| Error { place: input.place(), what: What::TooLarge(what) };
    let document = text::document(source);
    let [part] = document.parts.as_slice() else { unreachable!("a text file holds one text") };
    let base = corpus.hold(source.bytes().clone(), input.form, input.path(), 0) + (source.len() - part.text.len()) as u64;
    let (numbers, columns) = corpus.enter_text(&part.text, base).map_err(too_large)?;
    let mut repeats = corpus.repeats(std::slice::from_ref(&numbers)).map_err(too_large)?.pop().expect("one for one");
    let corpus = &*corpus;
    heirs.spare(&mut repeats);
    let mut plan = Plan::default();
    let page = corpus.page(&part.text, base, numbers.clone(), columns);
    plan.add(&page, repeats, course.settings, || part.map.clone(), Some(corpus));
    plan.settle(course.settings);
    heirs.settle(numbers.clone(), corpus.repeats_of(&numbers), plan.fate == Fate::TooRepetitive);
    let mut portion = of_one(input, source, plan, course.reading);
    portion.earlier = Some(corpus);
    work(portion)
}

fn not_read<T>(found: Found) -> Outcome<T> {
    match found {
        Found::LeftOut(path, why) => Outcome::LeftOut(path, why),
        Found::Failed(error) => Outcome::Failed(error),
        Found::Input(input) => unreachable!("{} is to be read", input.path().display()),
    }
}

struct Batches<'a, I> {
    found: I,
    reading: &'a Reading,
    /// A large input that ended the last batch.
    waiting: Option<Found>,
}

impl<I: Iterator<Item = Found>> Iterator for Batches<'_, I> {
    type Item = Vec<Found>;

    fn next(&mut self) -> Option<Vec<Found>> {
        let mut group: Vec<Found> = self.waiting.take().into_iter().collect();
        let mut bytes = 0;
        while group.len() < BATCH_INPUTS && bytes < BATCH_BYTES && !group.first().is_some_and(|first| self.is_alone(first)) {
            let Some(found) = self.found.next() else { break };
            if self.is_alone(&found) && !group.is_empty() {
                self.waiting = Some(found);
                break;
            }
            bytes += if let Found::Input(input) = &found { input.size } else { 0 };
            group.push(found);
        }
        (!group.is_empty()).then_some(group)
    }
}

impl<I> Batches<'_, I> {
    fn is_alone(&self, found: &Found) -> bool {
        matches!(found, Found::Input(input) if input.size >= LARGE || is_streamed(input, self.reading))
    }
}
