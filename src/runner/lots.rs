//! Inputs and stretches of inputs, taken apart side by side and planned together: by themselves, or between two parallel steps by
//! way of the corpus.

use super::portion::is_dropped;
use super::{Course, OnError, Part, Planned, Portion};
use crate::corpus::{Corpus, Entering, Mark, Origins, Stand};
use crate::detect::earlier::{InDocument, Sought};
use crate::document::Span;
use crate::error::{Error, Result, Stuck, TooLong};
use crate::fingerprint::Hash;
use crate::heirs::Heirs;
use crate::page::Read;
use crate::plan::Fate;
use crate::segment::expected;
use crate::sheaf::{self, Sheaf, Taken, Taking, Unreadable};
use crate::source::{Fault, Holds, Input, Passed, Records, Source, Stretch, line_end};
use crate::tidy::{Counts, Firsts};
use crate::{Plan, Settings};
use bytes::Bytes;
use rayon::prelude::*;
use std::ops::Range;

/// So much of a stretch is taken apart by one thread: there are enough lots for the threads to end together.
const LOT: usize = 512 << 10;

/// What documents are compared with.
pub(super) struct Compared {
    pub(super) corpus: Corpus,
    pub(super) heirs: Heirs,
    keeps_places: bool,
}

impl Compared {
    pub(super) fn new(settings: &Settings, room: u64, keeps_places: bool) -> Self {
        Self { corpus: Corpus::new(settings, room, keeps_places), heirs: Heirs::default(), keeps_places }
    }

    /// How what is compared is taken apart.
    pub(super) fn taking(&self, settings: &Settings) -> Taking {
        let is_spilled = self.corpus.is_spilled();
        let has_places = !is_spilled || self.keeps_places && self.corpus.is_gathering();
        Taking {
            manner: settings.manner(self.corpus.hash()),
            are_compared: true,
            has_places,
            is_checked: is_spilled,
            tidy: settings.tidy,
        }
    }

    /// Forgets all that came after a mark.
    ///
    /// # Errors
    /// Those of temporary files.
    pub(super) fn forget(&mut self, mark: &Mark) -> Result<()> {
        self.corpus.forget(mark)?;
        self.heirs.forget(mark.segments());
        Ok(())
    }
}

/// How documents are taken apart that are compared with these, if with any.
pub(super) fn taking(compared: Option<&Compared>, settings: &Settings) -> Taking {
    let manner = settings.manner(Hash::Fast);
    let alone = || Taking { manner, are_compared: false, has_places: false, is_checked: false, tidy: settings.tidy };
    compared.map_or_else(alone, |compared| compared.taking(settings))
}

/// An input of a batch, or a stretch of one, taken apart.
pub(super) struct Lot<'a> {
    pub(super) input: &'a Input,
    pub(super) source: &'a Source,
    part: Part,
    pub(super) bytes: Bytes,
    /// Where it begins in its input.
    pub(super) offset: u64,
    /// Where it stands among all that is compared.
    pub(super) stand: Stand,
    /// The number of its first line, or other record.
    pub(super) line: u64,
    is_first: bool,
    /// Its records, unless they are its lines.
    records: Option<Records>,
    /// Which part it is of a line that isn't read, if it is one.
    passed: Option<Passed>,
    pub(super) sheaf: Sheaf,
}

/// How far a container is read.
#[derive(Clone, Copy)]
pub(super) struct Lines {
    pub(super) offset: u64,
    /// The number of the next one.
    pub(super) next: u64,
    /// How many stretches are done.
    pub(super) stretches: u64,
    /// Whether anything of it is.
    pub(super) is_begun: bool,
}

impl Lines {
    /// The next stretch, taken apart in lots.
    pub(super) fn lots<'a>(
        &mut self,
        input: &'a Input,
        source: &'a Source,
        stretches: Vec<Stretch>,
        course: Course,
        taking: Taking,
        used: &mut Vec<Sheaf>,
    ) -> std::result::Result<Vec<Lot<'a>>, Error> {
        let mut lots = Vec::new();
        let mut add = |Stretch { bytes, records, passed }: Stretch| {
            let (offset, sheaf) = (self.offset, used.pop().unwrap_or_default());
            self.offset += bytes.len() as u64;
            lots.push(Lot {
                input,
                source,
                part: Part::Stretch,
                bytes,
                offset,
                stand: Stand::default(),
                line: 0,
                is_first: !self.is_begun,
                records,
                passed,
                sheaf,
            });
            self.is_begun = true;
        };
        self.stretches += stretches.len() as u64;
        let longest = course.budget.longest_record();
        for stretch in stretches {
            if stretch.records.is_some() || stretch.passed.is_some() {
                add(stretch);
                continue;
            }
            let mut rest = stretch.bytes;
            while !rest.is_empty() {
                let (end, is_long) = lot_end(&rest, longest);
                let passed = is_long.then_some(Passed { is_first: true, is_last: true, longest });
                add(Stretch { passed, ..Stretch::lines(rest.split_to(end)) });
            }
        }
        let read = |lot: &mut Lot| {
            // The reader of a table doesn't pass by what is too long.
            let records = lot.records.as_ref().filter(|records| records.rows.is_some());
            let long = records.and_then(|records| records.list.iter().find(|record| record.extent.len() > longest));
            if let Some(record) = long {
                return Err(Error::record(input.place(), input.form.record(), record.number, &TooLong { longest }));
            }
            lot.read(course, taking, lot.offset == 0).map_err(|why| unreadable(input, why))
        };
        lots.par_iter_mut().try_for_each(read)?;
        for lot in &mut lots {
            let first = lot.records.as_ref().and_then(|records| records.list.first());
            lot.line = first.map_or(self.next, |first| first.number);
            self.next = lot.line + lot.sheaf.lines;
        }
        Ok(lots)
    }
}

/// The error that something can't be taken apart.
pub(super) fn unreadable(input: &Input, why: Unreadable) -> Error {
    match why {
        Unreadable::TooLarge(what) => Error::too_large(input.place(), what),
        Unreadable::Feed(fault) => Error::refused(input.place(), fault.to_string()),
    }
}

/// Where the next lot of whole lines ends, and whether it is one that is longer than any may be.
fn lot_end(lines: &[u8], longest: u64) -> (usize, bool) {
    let end = line_end(lines, LOT);
    if end as u64 <= longest {
        return (end, false);
    }
    if let Some(lf) = memchr::memrchr(b'\n', &lines[..LOT.min(end - 1)]) {
        return (lf + 1, false); // the line behind it is the long one
    }
    let has_end = lines[end - 1] == b'\n';
    (end, (end - usize::from(has_end)) as u64 > longest)
}

impl<'l> Lot<'l> {
    /// All of an input.
    pub(super) fn whole(input: &'l Input, source: &'l Source, sheaf: Sheaf) -> Self {
        Self {
            input,
            source,
            part: Part::Whole,
            bytes: source.bytes().clone(),
            offset: 0,
            stand: Stand::default(),
            line: 1,
            is_first: true,
            records: None,
            passed: None,
            sheaf,
        }
    }

    /// Keeps what its paragraphs are compared with.
    pub(super) fn hold(&mut self, corpus: &mut Corpus) {
        let has_lines = self.input.form.has_lines_of_file();
        let read = self.sheaf.read_from(|at| if has_lines { self.source.line(at) } else { 0 });
        let (bytes, origins) = match read {
            Some((bytes, origins)) => (bytes, Some(Origins::Each(origins))),
            None => (self.bytes.clone(), None),
        };
        self.stand = corpus.hold(bytes, origins, self.input, self.offset);
    }

    /// Its bytes in the file, if they go by unread.
    pub(super) fn passed(&self) -> Option<Range<u64>> {
        self.passed.map(|_| self.offset..self.offset + self.bytes.len() as u64)
    }

    /// Ends it before one of its records.
    pub(super) fn truncate(&mut self, len: u64) {
        self.bytes.truncate(len as usize);
        self.passed = None;
        if let Some(records) = &mut self.records {
            records.list.retain(|record| record.extent.end <= len && !matches!(record.holds, Holds::Broken(_)));
        }
    }

    pub(super) fn read(&mut self, course: Course, taking: Taking, is_first: bool) -> std::result::Result<(), Unreadable> {
        if let Some(passed) = self.passed {
            self.sheaf.pass(self.bytes.len() as u64, passed);
            return Ok(());
        }
        let records = self.records.as_ref().map(|records| &*records.list);
        self.sheaf.read(&self.bytes, records, self.input.form, &course.reading.fields, taking, is_first)
    }

    /// What repeats in a document by itself.
    fn repeats(&self, taken: &Taken, course: Course) -> InDocument<'static> {
        let page = self.sheaf.page(taken, &self.bytes);
        InDocument::alone(Read::repeats(page.text, page.segments, self.sheaf.prints(taken), course.settings.matching))
    }

    /// What is planned for a document, of which this repeats.
    fn plan(&self, taken: &Taken, repeats: InDocument, course: Course, earlier: Option<&Corpus>) -> Plan {
        let ground = || self.sheaf.ground(taken, &self.bytes);
        Plan::of(&self.sheaf.page(taken, &self.bytes), repeats, course.settings, ground, earlier)
    }

    /// What is planned for each document if it isn't compared with others.
    pub(super) fn plan_alone(&self, taken: &Taken, course: Course) -> Plan {
        let repeats = match course.settings.only_tidies {
            true => InDocument::alone(Vec::new()),
            false => self.repeats(taken, course),
        };
        self.plan(taken, repeats, course, None)
    }

    /// What repeats in each document, given by the numbers of its paragraphs; no other text of its record is an earlier one.
    fn compared<'c>(&self, documents: &[Range<u32>], sought: Sought, corpus: &'c Corpus) -> impl Iterator<Item = InDocument<'c>> {
        let mut record = (u64::MAX, 0);
        self.sheaf.documents.iter().zip(documents).zip(corpus.repeats(documents, sought)).map(
            move |((taken, numbers), mut found)| {
                if record.0 != taken.line {
                    record = (taken.line, numbers.start);
                }
                found.across.retain(|repeat| repeat.kept < record.1);
                found
            },
        )
    }

    /// What is to be compared with what was entered before.
    pub(super) fn entering(&self) -> Entering<'_> {
        Entering { sheaf: &self.sheaf, stand: self.stand, line: self.line, is_whole: self.part == Part::Whole }
    }

    /// The portion in which each document has its plan.
    pub(super) fn portion<'a>(
        &'a self,
        mut plan: impl FnMut(&Taken) -> Plan,
        course: Course,
        earlier: Option<&'a Corpus>,
    ) -> Portion<'a> {
        let mut portion = Portion::new(self.input, self.source, self.part, self.bytes.clone());
        let sheaf = &self.sheaf;
        portion.documents.reserve(sheaf.documents.len());
        let mut is_any_left = false;
        let mut first = 0;
        for parts in sheaf.documents.chunk_by(|a, b| a.line == b.line) {
            let plan = match parts {
                [taken] if taken.part == sheaf::Part::All => plan(taken),
                parts => {
                    let (rests, bodies): (Vec<&Taken>, Vec<&Taken>) =
                        parts.iter().partition(|taken| taken.part == sheaf::Part::Rest);
                    let bodies = bodies.into_iter().map(&mut plan).collect();
                    Plan::together(bodies, &rests.into_iter().map(&mut plan).collect::<Vec<_>>())
                }
            };
            let is_dropped = is_dropped(plan.fate, self.input.form, course.reading);
            let (texts, taken) = (parts, &parts[0]);
            let line = self.input.form.is_container().then_some(self.line + taken.line);
            let extent = if is_dropped && !is_any_left { taken.leading } else { taken.extent };
            let parts = first..first + parts.len();
            first = parts.end;
            is_any_left |= !is_dropped;
            portion.add(Planned {
                line,
                id: taken.id,
                extent,
                text: taken.source,
                parts,
                plan,
                is_dropped,
                repairs: Counts::default(),
                first_repairs: Firsts::default(),
                encoded: None,
            });
            portion.repair(texts.iter().filter_map(|taken| sheaf.repairs(taken)));
        }
        portion.sheaf = Some(sheaf);
        if course.reading.on_error == OnError::Drop && !sheaf.faults.is_empty() {
            // What only became clear behind a record has no bytes of its own.
            portion.cuts.extend(sheaf.faults.iter().map(|&(_, extent, _)| extent).filter(|extent| !extent.is_empty()));
            portion.cuts.sort_unstable();
        }
        let fault = |(line, _, fault): &(u64, Span, Option<Fault>)| Some((self.line + line, fault.clone()?));
        portion.faults = sheaf.faults.iter().filter_map(fault).collect();
        portion.records = self.records.as_ref();
        portion.earlier = earlier;
        portion.offset = self.offset;
        portion.is_first = self.is_first;
        portion
    }
}

/// Plans lots, one after another, and makes something of each plan.
pub(super) fn plan_lots<R: Send>(
    lots: &[Lot],
    compared: Option<&mut Compared>,
    course: Course,
    work: impl Fn(Portion) -> R + Sync,
) -> std::result::Result<Vec<R>, Stuck> {
    let Some(Compared { corpus, heirs, .. }) = compared else {
        let one = |lot: &Lot| work(lot.portion(|taken| lot.plan_alone(taken, course), course, None));
        return Ok(lots.par_iter().map(one).collect());
    };
    let entering: Vec<Entering> = lots.iter().map(Lot::entering).collect();
    let bytes: usize = lots.iter().map(|lot| lot.bytes.len()).sum();
    let whole: u64 = lots.last().map_or(0, |lot| if lot.part == Part::Whole { bytes as u64 } else { lot.input.size });
    let documents = corpus.enter(&entering, |count| expected(count, bytes as u64, whole))?;
    if corpus.is_gathering() {
        return Ok(Vec::new());
    }
    let sought = corpus.seek(&documents)?;
    let corpus = &*corpus;
    let lots = lots.iter().zip(&documents).zip(sought);
    let each: Vec<(&Lot, &[Range<u32>], Sought)> = lots.map(|((lot, documents), sought)| (lot, &**documents, sought)).collect();
    if course.settings.drop_above.is_some() {
        // Whether a document is dropped changes what the next ones keep, so they are planned one after the other.
        let portion = |(lot, documents, sought)| lot_in_order(lot, documents, sought, course, corpus, heirs);
        let portions: Vec<Portion> = each.into_iter().map(portion).collect();
        return Ok(portions.into_par_iter().map(&work).collect());
    }
    let one = |(lot, documents, sought): (&Lot, &[Range<u32>], Sought)| {
        let mut repeats = lot.compared(documents, sought, corpus);
        let mut next = || repeats.next().expect("each document has what repeats in it");
        work(lot.portion(|taken| lot.plan(taken, next(), course, Some(corpus)), course, Some(corpus)))
    };
    Ok(each.into_par_iter().map(one).collect())
}

/// What is planned for a lot whose documents' fates depend on those before.
fn lot_in_order<'a>(
    lot: &'a Lot,
    documents: &[Range<u32>],
    sought: Sought,
    course: Course,
    corpus: &'a Corpus,
    heirs: &mut Heirs,
) -> Portion<'a> {
    let mut each = documents.iter().zip(lot.compared(documents, sought, corpus));
    let plan = |taken: &Taken| {
        let (document, mut found) = each.next().expect("each document has its numbers");
        heirs.spare(&mut found);
        let plan = lot.plan(taken, found, course, Some(corpus));
        heirs.settle(document.clone(), corpus.repeats_of(document), plan.fate == Fate::TooRepetitive);
        plan
    };
    lot.portion(plan, course, Some(corpus))
}
