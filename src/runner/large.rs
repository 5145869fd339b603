//! A large text: one document, which all threads take apart together. It is handed on in stretches, so that the first are written
//! while the next are planned; where no paragraph is decided about by those that follow, while the next are read.

use super::lots::Compared;
use super::portion::is_dropped;
use super::{Course, Part, Planned, Portion};
use crate::Plan;
use crate::corpus::Stand;
use crate::document::{Map, Span, TooLarge, Unit};
use crate::error::{Result, Stuck};
use crate::fingerprint::Hash;
use crate::ground::Ground;
use crate::page::Page;
use crate::plan::{Around, Fate};
use crate::rules::{Decided, Keep, Removed, decide};
use crate::segment::{Segmenter, Segments};
use crate::source::{Input, Source, text};
use rayon::prelude::*;
use std::ops::Range;

/// So much of a text makes a stretch.
const STRETCH: u64 = 1 << 20;
/// So many stretches are handed on together.
const TOGETHER: usize = 16;

/// A large text under way.
pub(super) struct LargeText<'a> {
    input: &'a Input,
    source: &'a Source,
    course: Course<'a>,
    compared: &'a mut Compared,
    text: &'a [u8],
    /// From the text to the file.
    ground: Ground<'a>,
    /// Where the text stands among all that is compared.
    stand: Stand,
    segmenter: Segmenter<'a>,
    batch: Vec<Segments>,
    is_read: bool,
    /// The columns of all paragraphs so far.
    columns: u64,
    /// The number of its first paragraph; the others are called by how many precede them.
    first: u32,
    decided: Decided,
    /// How many paragraphs are spared that nothing was said about yet.
    spared: usize,
    fate: Fate,
    /// The paragraphs that are decided about and not handed on.
    waiting: Range<u32>,
    /// The first of those removed that isn't handed on.
    next_removed: usize,
    /// How much of the file is handed on.
    done: u64,
}

impl<'a> LargeText<'a> {
    pub(super) fn new(input: &'a Input, source: &'a Source, compared: &'a mut Compared, course: Course<'a>) -> Self {
        let begins = text::begins(source.bytes());
        let text = &source.bytes()[begins..];
        let stand = compared.corpus.hold(source.bytes().clone(), None, input, 0).further(begins as u64);
        let first = compared.corpus.begin_text();
        Self {
            input,
            source,
            course,
            compared,
            text,
            ground: Map::shift(begins, text.len()).into(),
            stand,
            segmenter: Segmenter::new(text, course.settings.manner(Hash::Fast)),
            batch: Vec::new(),
            is_read: false,
            columns: 0,
            first,
            decided: Decided::default(),
            spared: 0,
            fate: Fate::Stays,
            waiting: 0..0,
            next_removed: 0,
            done: 0,
        }
    }

    /// Plans the next stretches, and makes something of each; nothing at the end.
    ///
    /// # Errors
    /// If the text is too large.
    pub(super) fn next<T: Send>(&mut self, work: impl Fn(Portion) -> Result<T> + Sync) -> Result<Vec<Result<T>>> {
        while self.waiting.is_empty() && !self.is_read {
            let decided = if self.is_causal() { self.read_on() } else { self.read_all() };
            decided.map_err(|stuck| stuck.at(self.input.place()))?;
        }
        let stretches = self.next_stretches();
        if self.is_dropped() {
            self.source.ensure_unchanged()?; // what stands in its place goes at once
        }
        Ok(stretches.into_par_iter().map(|stretch| work(self.portion(stretch))).collect())
    }

    /// Whether what is read can be decided about at once: no paragraph is by those that follow.
    fn is_causal(&self) -> bool {
        self.course.settings.takes_each_line() && self.course.settings.keep == Keep::First
    }

    /// The number of its paragraphs so far.
    fn paragraphs(&self) -> u32 {
        self.compared.corpus.paragraphs() - self.first
    }

    /// Reads more paragraphs; false at the end.
    fn read_more(&mut self) -> std::result::Result<bool, TooLarge> {
        let is_more = self.compared.corpus.enter_text(&mut self.segmenter, &mut self.batch, self.stand)?;
        self.is_read = !is_more;
        self.columns += self.batch.iter().map(|part| part.columns).sum::<u64>() * u64::from(is_more);
        Ok(is_more)
    }

    /// Reads all and decides about it.
    fn read_all(&mut self) -> std::result::Result<(), Stuck> {
        while self.read_more()? {}
        self.batch = Vec::new();
        if !self.course.settings.across {
            self.compared.corpus.end();
        }
        let numbers = self.first..self.first + self.paragraphs();
        let Compared { corpus, heirs, .. } = &mut *self.compared;
        let settings = self.course.settings;
        let sought = corpus.seek(&[vec![numbers.clone()]])?.pop().expect("one for one");
        let mut repeats = corpus.repeats(std::slice::from_ref(&numbers), sought).next().expect("one for one");
        heirs.spare(&mut repeats);
        let alike = repeats.alike;
        let page = corpus.page(self.text, self.stand, numbers.clone(), self.columns);
        self.decided = decide(&page, repeats, settings.measure());
        let removed = &self.decided.removed;
        self.fate = Fate::of((removed.len(), self.decided.columns), (page.segments.len(), self.columns), settings);
        self.spared = alike - removed.len();
        self.waiting = 0..numbers.len() as u32;
        if settings.drop_above.is_some() {
            heirs.settle(numbers.clone(), corpus.repeats_of(&numbers), self.fate == Fate::TooRepetitive);
        }
        Ok(())
    }

    /// Reads some and decides about what ends with a survivor: how the cut behind that one goes, the next paragraph tells.
    fn read_on(&mut self) -> std::result::Result<(), Stuck> {
        let known = self.first + self.paragraphs();
        self.read_more()?;
        let numbers = known..self.first + self.paragraphs();
        self.decided.removed.drain(..std::mem::take(&mut self.next_removed));
        let count = self.decided.removed.len();
        let removed = self.compared.corpus.repeats_of(&numbers).iter().map(|repeat| match repeat.kept.checked_sub(self.first) {
            Some(witness) => Removed { at: repeat.at - self.first, witness, is_across: false },
            None => Removed { at: repeat.at - self.first, witness: repeat.kept, is_across: true },
        });
        self.decided.removed.extend(removed);
        let new = self.decided.removed[count..].iter().map(|removed| removed.at);
        self.decided.survivors.grow(self.paragraphs() as usize, new);
        let is_left = |&at: &u32| !self.decided.survivors.is_gone(at);
        let last = (numbers.start - self.first..self.paragraphs()).rev().find(is_left);
        self.waiting.end = if self.is_read { self.paragraphs() } else { last.unwrap_or(self.waiting.end) };
        Ok(())
    }

    fn is_dropped(&self) -> bool {
        is_dropped(self.fate, self.input.form, self.course.reading)
    }

    fn page(&self) -> Page<'_> {
        let numbers = self.first..self.first + self.paragraphs();
        self.compared.corpus.page(self.text, self.stand, numbers, self.columns)
    }

    /// The next stretches of what waits. Each begins with a survivor, so that no cut is in two of them.
    fn next_stretches(&mut self) -> Vec<Stretch> {
        let len = self.source.bytes().len() as u64;
        let begins = len - self.text.len() as u64;
        let mut stretches = Vec::new();
        while stretches.len() < TOGETHER && self.done < len && (self.is_read || !self.waiting.is_empty()) {
            let page = self.page();
            let Range { start, end } = self.waiting;
            let about = page.first_from(self.done - begins.min(self.done) + STRETCH).clamp((start + 1).min(end), end);
            let is_cut = |&paragraph: &u32| !self.is_dropped() && !self.decided.survivors.is_gone(paragraph);
            let next = (about..end).find(is_cut).unwrap_or(end);
            let is_last = self.is_read && next == end;
            let extent = Span { start: self.done, end: if is_last { len } else { begins + page.start(next) } };
            let removed = &self.decided.removed[self.next_removed..];
            let removed = self.next_removed..self.next_removed + removed.partition_point(|removed| removed.at < next);
            (self.next_removed, self.waiting.start, self.done) = (removed.end, next, extent.end);
            stretches.push(Stretch { paragraphs: start..next, removed, spared: std::mem::take(&mut self.spared), extent });
        }
        stretches
    }

    fn portion(&self, stretch: Stretch) -> Portion<'_> {
        let (page, corpus) = (self.page(), Some(&self.compared.corpus));
        let is_whole = self.course.settings.unit == Unit::Document;
        let around = Around { page: &page, survivors: &self.decided.survivors, ground: &self.ground, earlier: corpus, is_whole };
        let mut plan = Plan::default();
        plan.add_removed(&self.decided.removed[stretch.removed], &around);
        (plan.paragraphs, plan.spared, plan.fate) = (stretch.paragraphs.len(), stretch.spared, self.fate);
        let is_dropped = self.is_dropped();
        let part = if is_dropped { Part::Whole } else { Part::Stretch };
        let mut portion = Portion::new(self.input, self.source, part, self.source.bytes().clone());
        let extent = portion.extent;
        portion.extent = stretch.extent;
        portion.is_first = stretch.extent.start == 0;
        portion.add(Planned::text(extent, plan, is_dropped));
        portion.earlier = corpus;
        portion
    }
}

/// A part of a text that is handed on by itself.
struct Stretch {
    paragraphs: Range<u32>,
    /// Those of all that are removed which are in it.
    removed: Range<usize>,
    /// How many paragraphs are spared, as is said with it.
    spared: usize,
    /// Its bytes in the file.
    extent: Span,
}
