//! A large text: one document, which all threads take apart together. It is handed on in stretches, so that the first are written
//! while the next are planned; where no paragraph is decided about by those that follow, while the next are read.

use super::lots::Compared;
use super::portion::is_dropped;
use super::{Course, Part, Planned, Portion};
use crate::Plan;
use crate::corpus::{Origins, Stand};
use crate::document::{Map, Span, TooLarge, Unit};
use crate::error::{Result, Stuck};
use crate::fingerprint::Hash;
use crate::ground::{Ground, Repairs, changed};
use crate::page::Page;
use crate::plan::{Around, Fate};
use crate::rules::{Decided, Keep, Removed, decide};
use crate::segment::{Segmenter, Segments};
use crate::source::{Input, Source, text};
use crate::tidy::{Counts, Encoded, Firsts, NoRoom, Repaired, Tidy, repaired_within};
use bytes::Bytes;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

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
    text: &'a Reads,
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
    /// How much of the text is handed on, and of the file.
    done: (u64, u64),
}

/// How a large text reads.
pub(super) struct Reads {
    /// What is compared.
    bytes: Bytes,
    /// From that to the file.
    map: Arc<Map>,
    /// What precedes it in the file is no part of it.
    begins: u64,
    /// How often each repair was made, where first, and how it was encoded if not in UTF-8; if anything was repaired.
    repairs: Option<(Counts, Firsts, Option<Encoded>)>,
}

impl Reads {
    /// As a file is written, but for its mark, or repaired.
    ///
    /// # Errors
    /// If it takes more memory then than there is room for beside the file.
    pub(super) fn of(source: &Source, tidy: Tidy, room: u64) -> std::result::Result<Self, NoRoom> {
        let begins = text::begins(source.bytes());
        let written = source.bytes().slice(begins..);
        let shift = Map::shift(begins, written.len());
        let (bytes, map, repairs) = match repaired_within(&written, &tidy, room)? {
            Some(Repaired { text, map, counts, firsts, encoded }) => {
                let firsts = firsts.map(|first| first.map(|first| shift.around(first)));
                (text.into(), map.led_on(&shift), Some((counts, firsts, encoded)))
            }
            None => (written, shift, None),
        };
        Ok(Self { bytes, map: Arc::new(map), begins: begins as u64, repairs })
    }

    /// Where a byte of it stands in the file.
    fn in_file(&self, at: u64) -> u64 {
        self.map.around(Span { start: at, end: at + 1 }).start
    }

    /// Whether a stretch may begin where a paragraph does; `by_lines`: where a line of the file does.
    fn may_be_parted(&self, at: u64, source: &Source, by_lines: bool) -> bool {
        let Some((.., encoded)) = self.repairs else { return true };
        let line_feed = encoded.map_or(&b"\n"[..], Encoded::line_feed);
        let before = || &source.bytes()[..self.in_file(at) as usize];
        // What becomes of a form feed depends on what is behind it.
        let is_feed = |before: &[u8]| before.iter().rev().take(line_feed.len()).any(|byte| matches!(byte, 0x0b | 0x0c));
        self.map.may_be_parted(at) && !is_feed(before()) && (!by_lines || before().ends_with(line_feed))
    }

    /// What is repaired of it in a stretch.
    fn repairs_in(&self, stretch: &Stretch, source: &Source) -> Option<Repairs> {
        let (counts, firsts, encoded) = self.repairs?;
        let start = stretch.extent.start.max(self.begins);
        let (text, extent) = ((&*self.bytes, stretch.text), (&**source.bytes(), Span { start, ..stretch.extent }));
        let edits = changed(&self.map, text, extent).map(|(at, text)| (at, text.of(&self.bytes))).collect();
        // All are told of with the first one.
        let (counts, firsts) = if stretch.text.start == 0 { (counts, firsts) } else { Default::default() };
        Some(Repairs { edits, counts, firsts, encoded })
    }
}

impl<'a> LargeText<'a> {
    pub(super) fn new(
        input: &'a Input,
        source: &'a Source,
        text: &'a Reads,
        compared: &'a mut Compared,
        course: Course<'a>,
    ) -> Self {
        let (ground, stand) = if text.repairs.is_some() {
            let origins = Origins::By(Arc::clone(&text.map), source.bytes().clone());
            (Ground::Tidied(&text.map), compared.corpus.hold(text.bytes.clone(), Some(origins), input, 0))
        } else {
            let stand = compared.corpus.hold(source.bytes().clone(), None, input, 0).further(text.begins);
            (Map::clone(&text.map).into(), stand)
        };
        let first = compared.corpus.begin_text();
        Self {
            input,
            source,
            course,
            compared,
            text,
            ground,
            stand,
            segmenter: Segmenter::new(&text.bytes, course.settings.manner(Hash::Fast)),
            batch: Vec::new(),
            is_read: false,
            columns: 0,
            first,
            decided: Decided::default(),
            spared: 0,
            fate: Fate::Stays,
            waiting: 0..0,
            next_removed: 0,
            done: (0, 0),
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
        let made = |stretch: Stretch| {
            let repairs = self.text.repairs_in(&stretch, self.source);
            work(self.portion(stretch, repairs.as_ref()))
        };
        Ok(stretches.into_par_iter().map(made).collect())
    }

    /// Whether what is read can be decided about at once: no paragraph is by those that follow.
    fn is_causal(&self) -> bool {
        let settings = self.course.settings;
        settings.takes_each_line() && settings.keep == Keep::First && !settings.only_tidies
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
        self.waiting = 0..self.paragraphs();
        if self.course.settings.only_tidies {
            return Ok(());
        }
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
        let page = corpus.page(&self.text.bytes, self.stand, numbers.clone(), self.columns);
        self.decided = decide(&page, repeats, settings.measure());
        let removed = &self.decided.removed;
        self.fate = Fate::of((removed.len(), self.decided.columns), (page.segments.len(), self.columns), settings);
        self.spared = alike - removed.len();
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
        let page = self.page();
        let last = (numbers.start - self.first..self.paragraphs()).rev().find(|&at| self.may_begin(&page, at));
        self.waiting.end = if self.is_read { self.paragraphs() } else { last.unwrap_or(self.waiting.end) };
        Ok(())
    }

    fn is_dropped(&self) -> bool {
        is_dropped(self.fate, self.input.form, self.course.reading)
    }

    fn page(&self) -> Page<'_> {
        let numbers = self.first..self.first + self.paragraphs();
        self.compared.corpus.page(&self.text.bytes, self.stand, numbers, self.columns)
    }

    /// Whether a stretch may begin with a paragraph.
    fn may_begin(&self, page: &Page, paragraph: u32) -> bool {
        let by_lines = self.course.reading.by_lines;
        !self.decided.survivors.is_gone(paragraph) && self.text.may_be_parted(page.start(paragraph), self.source, by_lines)
    }

    /// The next stretches of what waits. Each begins with a survivor, so that no cut is in two of them.
    fn next_stretches(&mut self) -> Vec<Stretch> {
        let (text_len, len) = (self.text.bytes.len() as u64, self.source.bytes().len() as u64);
        let mut stretches = Vec::new();
        while stretches.len() < TOGETHER && self.done.1 < len && (self.is_read || !self.waiting.is_empty()) {
            let page = self.page();
            let Range { start, end } = self.waiting;
            let about = page.first_from(self.done.0 + STRETCH).clamp((start + 1).min(end), end);
            let next = (about..end).find(|&at| !self.is_dropped() && self.may_begin(&page, at)).unwrap_or(end);
            let is_last = self.is_read && next == end;
            let text = Span { start: self.done.0, end: if is_last { text_len } else { page.start(next) } };
            let extent = Span { start: self.done.1, end: if is_last { len } else { self.text.in_file(text.end) } };
            let removed = &self.decided.removed[self.next_removed..];
            let removed = self.next_removed..self.next_removed + removed.partition_point(|removed| removed.at < next);
            (self.next_removed, self.waiting.start, self.done) = (removed.end, next, (text.end, extent.end));
            stretches.push(Stretch { paragraphs: start..next, removed, spared: std::mem::take(&mut self.spared), text, extent });
        }
        stretches
    }

    fn portion<'p>(&'p self, stretch: Stretch, repairs: Option<&'p Repairs>) -> Portion<'p> {
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
        portion.repair(repairs.into_iter());
        portion.repaired = repairs.map(|_| &*self.text.map);
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
    /// Its part of the text.
    text: Span,
    /// Its bytes in the file.
    extent: Span,
}
