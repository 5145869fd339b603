//! Text into segments, and segments into fingerprints. Knows the compared form; knows nothing of what is done with repeats.
//!
//! A large text is taken apart in parallel, and comes out as if it had been read from front to back.

mod fence;
mod lines;
mod paragraph;

#[cfg(feature = "check")]
pub(crate) use fence::closed_fences;
pub(crate) use lines::{is_blank, runs_on};

use crate::compare::{Look, Match, columns, compared};
use crate::document::{Kind, Segment, Span, TooLarge, Unit};
use crate::fingerprint::Hash;
use paragraph::{MOST_WRAPPED_LINES, MetMark, Stretch, WRAP_COLUMNS, paragraphs};
use rayon::prelude::*;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::ops::Range;

/// Consecutive segments of a text, each with its fingerprint.
#[derive(Debug, Default)]
pub struct Segments {
    /// Where they stand.
    pub list: Vec<Segment>,
    /// The fingerprint of each one's compared form.
    pub prints: Vec<u128>,
    /// The columns of all of them.
    pub columns: u64,
    too_large: Option<TooLarge>,
    scratch: Scratch,
}

/// Memory that is used again from text to text.
#[derive(Debug, Default)]
struct Scratch {
    /// A compared form.
    form: Vec<u8>,
    /// The lines of a chunk.
    lines: Vec<Span>,
}

impl Segments {
    /// Forgets all segments, but keeps their memory for the next ones.
    pub fn clear(&mut self) {
        self.make_room(0);
    }

    /// Goes on with the segments of a small text.
    ///
    /// # Errors
    /// If a segment has more than [`Segment::MAX_LEN`] bytes.
    pub fn append(&mut self, text: &[u8], manner: Manner) -> Result<(), TooLarge> {
        let (count, columns) = (self.list.len(), self.columns);
        let mut segmenter = Segmenter { text, manner, fences: None, last: Stretch::default(), stretch: usize::MAX };
        let Some(stretch) = Stretch::whole(text) else { return Ok(()) };
        if segmenter.hash(stretch, self) == Err(MetMark) {
            self.list.truncate(count);
            self.prints.truncate(count);
            self.columns = columns;
            segmenter.fences = Some(fence::closed_fences(text, 0));
            segmenter.hash(stretch, self).expect("marks are met only where fences aren't known");
        }
        self.too_large.take().map_or(Ok(()), Err)
    }

    /// Goes on with one of a text that was taken apart before; what stands at `objects` in that isn't text.
    ///
    /// # Errors
    /// If it has more than [`Segment::MAX_LEN`] bytes.
    pub(crate) fn push(
        &mut self,
        text: &[u8],
        (span, kind): (Span, Kind),
        objects: &[Span],
        manner: Manner,
    ) -> Result<(), TooLarge> {
        if let Some(too_large) = too_large_for_a_segment(span) {
            return Err(too_large);
        }
        let raw = span.of(text);
        let (form, columns_of_all) = Look::at(raw).compared(raw, how_compared(kind, manner.how), &mut self.scratch.form);
        let print = manner.hash.of(form, kind.goes_alone());
        let all = if manner.is_measured { columns_of_all } else { 0 };
        let segment =
            Segment::new(span, kind, objects.iter().fold(all, |left, object| left.saturating_sub(columns(object.of(text)))));
        self.list.push(segment);
        self.prints.push(print);
        self.columns += u64::from(segment.columns());
        Ok(())
    }

    /// Goes on with all of a text as one that is as wide as any.
    ///
    /// # Errors
    /// If it has more than [`Segment::MAX_LEN`] bytes.
    pub(crate) fn push_wide(&mut self, text: &[u8], manner: Manner) -> Result<(), TooLarge> {
        let columns = self.columns + u64::from(Segment::MAX_COLUMNS);
        self.push(text, (Span::new(0, text.len()), Kind::Line), &[], manner)?;
        let last = self.list.last_mut().expect("it was pushed");
        *last = Segment::new(last.span(), Kind::Line, Segment::MAX_COLUMNS);
        self.columns = columns;
        Ok(())
    }

    /// How much memory it holds, in bytes.
    pub(crate) fn held(&self) -> usize {
        let Self { list, prints, scratch: Scratch { form, lines }, .. } = self;
        held(list) + held(prints) + held(form) + held(lines)
    }

    fn make_room(&mut self, count: usize) {
        self.list.clear();
        self.prints.clear();
        self.columns = 0;
        self.too_large = None;
        self.list.reserve(count);
        self.prints.reserve(count);
    }
}

/// How much memory a list holds, in bytes.
pub(crate) fn held<T>(list: &Vec<T>) -> usize {
    list.capacity() * size_of::<T>()
}

/// How texts are taken apart.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// How alike segments must be to be equal.
    pub how: Match,
    /// What a segment is.
    pub unit: Unit,
    /// Whether their columns are counted. They may not be where bytes are compared, and nothing depends on columns: it costs more
    /// than hashing.
    pub is_measured: bool,
    /// How their compared forms are hashed.
    pub hash: Hash,
}

/// Room is made for paragraphs of so many bytes; where they are shorter, it grows.
const TYPICAL_PARAGRAPH: usize = 64;
/// How much one task takes: some milliseconds of work, and many times the look-ahead that finding its end may need.
const STRETCH: usize = 1 << 20;
/// A text is taken apart in batches of so many stretches a thread: enough for the threads to end together, few enough for
/// the fingerprints of a batch to stay in the processor's cache until they are looked up.
const STRETCHES_PER_THREAD: usize = 2;

/// Takes a text apart into paragraphs (the rule stands in `paragraph.rs`) and hashes their compared forms, batch by batch.
pub struct Segmenter<'a> {
    text: &'a [u8],
    manner: Manner,
    /// The closed code blocks from the next batch on. In a large text they are looked for when the first line turns up that
    /// may open one: most texts have none, and the search would cost a tenth of all that is done here.
    fences: Option<Vec<Span>>,
    /// The last stretch that was read.
    last: Stretch,
    /// How many bytes a stretch has, about.
    stretch: usize,
}

impl<'a> Segmenter<'a> {
    /// A segmenter of `text`.
    pub fn new(text: &'a [u8], manner: Manner) -> Self {
        match manner.unit {
            Unit::Paragraph => Self::with_stretches(text, manner, STRETCH),
            Unit::Line => Self { fences: Some(Vec::new()), ..Self::with_stretches(text, manner, STRETCH) },
            Unit::Document => Self { fences: Some(Vec::new()), ..Self::with_stretches(text, manner, usize::MAX) },
        }
    }

    /// The same, with stretches of about so many bytes.
    fn with_stretches(text: &'a [u8], manner: Manner, stretch: usize) -> Self {
        let fences = (text.len() <= stretch).then(|| fence::closed_fences(text, 0));
        Self { text, manner, fences, last: Stretch::default(), stretch }
    }

    /// Puts the next segments into `batch`, in consecutive parts; false at the end. What `batch` held is overwritten, its memory
    /// used again: given back to the system batch by batch, it would cost more than the hashing.
    ///
    /// # Errors
    /// If a paragraph has more than [`Segment::MAX_LEN`] bytes.
    pub fn next_batch(&mut self, batch: &mut Vec<Segments>) -> Result<bool, TooLarge> {
        match self.read(batch) {
            Ok(stretches) => {
                self.last = stretches.last().copied().unwrap_or(self.last);
                let too_large = batch.iter().find_map(|part| part.too_large);
                too_large.map_or(Ok(!stretches.is_empty()), Err)
            }
            Err(MetMark) => {
                self.fences = Some(fence::closed_fences(self.text, self.last.end()));
                self.next_batch(batch)
            }
        }
    }

    fn read(&self, batch: &mut Vec<Segments>) -> Result<Vec<Stretch>, MetMark> {
        let stretches = self.next_stretches()?;
        batch.resize_with(stretches.len(), Segments::default);
        match (batch.as_mut_slice(), stretches.as_slice()) {
            (_, []) => {}
            ([out], &[stretch]) => self.hash_anew(stretch, out)?, // a small text needs no threads
            _ => batch.par_iter_mut().zip(&stretches).try_for_each(|(out, &stretch)| self.hash_anew(stretch, out))?,
        }
        Ok(stretches)
    }

    /// How many segments the whole text has if it goes on like the `so_far` ones it gave, and those to come are not shorter than
    /// ordinary ones.
    pub fn expected(&self, so_far: usize) -> usize {
        expected(so_far, self.last.end() as u64, self.text.len() as u64)
    }

    fn next_stretches(&self) -> Result<Vec<Stretch>, MetMark> {
        let mut last = self.last;
        let mut next = || {
            let stretch = last.next(self.text, self.fences.as_deref(), self.stretch)?;
            last = stretch.unwrap_or(last);
            Ok(stretch)
        };
        let mut stretches: Vec<Stretch> = next()?.into_iter().collect();
        if stretches.first().is_some_and(|first| first.end() < self.text.len()) {
            let more = STRETCHES_PER_THREAD * rayon::current_num_threads() - 1;
            for _ in 0..more {
                stretches.extend(next()?);
            }
        }
        Ok(stretches)
    }

    fn hash_anew(&self, stretch: Stretch, out: &mut Segments) -> Result<(), MetMark> {
        out.make_room(stretch.len() / TYPICAL_PARAGRAPH);
        self.hash(stretch, out)
    }

    /// Goes on with the segments of a stretch.
    fn hash(&self, stretch: Stretch, out: &mut Segments) -> Result<(), MetMark> {
        let Segments { list, prints, columns, too_large, scratch: Scratch { form, lines } } = out;
        let mut each = |span: Span, kind| {
            if let Some(what) = too_large_for_a_segment(span) {
                too_large.get_or_insert(what);
                return;
            }
            let (segment, print) = self.hash_one(span, kind, form);
            list.push(segment);
            *columns += u64::from(segment.columns());
            prints.push(print);
        };
        match self.manner.unit {
            Unit::Paragraph => paragraphs(self.text, stretch, self.fences.as_deref(), lines, each)?,
            Unit::Line => {
                let lines = lines_of(self.text, stretch.span());
                lines.filter(|line| !line.is_empty()).for_each(|line| each(line, Kind::Line));
            }
            Unit::Document => each(stretch.span(), Kind::Line),
        }
        Ok(())
    }

    fn hash_one(&self, span: Span, kind: Kind, scratch: &mut Vec<u8>) -> (Segment, u128) {
        let raw = span.of(self.text);
        let Manner { how, unit, is_measured, hash } = self.manner;
        if !is_measured {
            return (Segment::new(span, kind, 0), hash.of(raw, kind.goes_alone()));
        }
        let look = Look::at(raw);
        let may_be_row =
            unit == Unit::Paragraph && kind == Kind::Line && (look.may_have_cells() || matches!(raw.first(), Some(b'+' | b' ')));
        let kind = if may_be_row && lines::is_table_row(raw) { Kind::Row } else { kind };
        let (form, columns) = look.compared(raw, how_compared(kind, how), scratch);
        (Segment::new(span, kind, columns), hash.of(form, kind.goes_alone()))
    }
}

/// How many segments `whole` bytes have if they go on like the `so_far` ones of the first `read`; no more than if those to come are
/// of ordinary length, so that what begins with many short lines doesn't take memory for what never comes.
pub(crate) fn expected(so_far: usize, read: u64, whole: u64) -> usize {
    let read = read.max(1);
    let alike = so_far as u128 * u128::from(whole.max(read)) / u128::from(read);
    let ordinary = so_far as u128 + u128::from(whole.saturating_sub(read)) / TYPICAL_PARAGRAPH as u128;
    usize::try_from(alike.min(ordinary)).unwrap_or(usize::MAX)
}

fn too_large_for_a_segment(span: Span) -> Option<TooLarge> {
    if span.len() > Segment::MAX_LEN {
        return Some(TooLarge::Paragraph { at: span.start });
    }
    (span.start >= Segment::MAX_START).then_some(TooLarge::Document)
}

/// A fenced code block is compared with its white space.
fn how_compared(kind: Kind, how: Match) -> Match {
    if kind == Kind::Fence { Match::Bytes } else { how }
}

/// Whether two paragraphs are equal, the row of a table only to another one: the proof that precedes every cut.
pub fn same((left, a): (&[u8], Kind), (right, b): (&[u8], Kind), how: Match) -> bool {
    thread_local! {
        /// The compared forms, in memory that is used again: where a copy is set otherwise, this runs for each of its paragraphs.
        static FORMS: RefCell<[Vec<u8>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
    }
    let are_same = |[of_left, of_right]: &mut [Vec<u8>; 2]| {
        compared(left, how_compared(a, how), of_left) == compared(right, how_compared(b, how), of_right)
    };
    a.goes_alone() == b.goes_alone() && (left == right || FORMS.with_borrow_mut(are_same))
}

/// The fingerprint of a paragraph that was taken apart before.
pub(crate) fn print(raw: &[u8], kind: Kind, how: Match, hash: Hash, scratch: &mut Vec<u8>) -> u128 {
    hash.of(compared(raw, how_compared(kind, how), scratch), kind.goes_alone())
}

/// Whether the lines of these paragraphs, were they one chunk, would be read as just these paragraphs.
///
/// They may not: a chunk is hard-wrapped or not as a whole.
pub(crate) fn reads_the_same(text: &[u8], mut chunk: impl Iterator<Item = Segment>) -> bool {
    let first: SmallVec<[Segment; 16]> = chunk.by_ref().take(MOST_WRAPPED_LINES + 1).collect();
    if first.len() > MOST_WRAPPED_LINES {
        return first.into_iter().chain(chunk).all(|segment| segment.kind() != Kind::Wrapped); // it is taken by the line
    }
    // What is wider than any wrapped line is in no wrapped chunk.
    let is_wide = |segment: &Segment| segment.columns() as usize > *WRAP_COLUMNS.end();
    if first.iter().all(|segment| segment.kind() != Kind::Wrapped) && first.iter().any(is_wide) {
        return true;
    }
    let lines: SmallVec<[Span; 16]> = first.iter().flat_map(|segment| lines_of(text, segment.span())).collect();
    let mut as_before = first.iter().map(|segment| segment.span());
    let mut is_same = true;
    paragraph::chunk_paragraphs(text, &lines, &mut |span, _| is_same &= as_before.next() == Some(span));
    is_same && as_before.next().is_none()
}

/// The lines of a paragraph, without their ends.
fn lines_of(text: &[u8], span: Span) -> impl Iterator<Item = Span> + '_ {
    let Range { start, end } = span.range();
    let mut next = start;
    let mut line_ends = memchr::memchr_iter(b'\n', &text[start..end]);
    std::iter::from_fn(move || {
        let line = next;
        let lf = line_ends.next().map_or(end, |lf| start + lf);
        next = lf + 1;
        let has_cr = lf < end && lf > line && text[lf - 1] == b'\r';
        (line < end).then(|| Span::new(line, lf - usize::from(has_cr)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spans(text: &[u8], stretch: usize) -> Vec<(Span, Kind, u128)> {
        let mut segmenter = Segmenter::with_stretches(
            text,
            Manner { how: Match::Text, unit: Unit::Paragraph, is_measured: true, hash: Hash::Fast },
            stretch,
        );
        let (mut all, mut batch) = (Vec::new(), Vec::new());
        while segmenter.next_batch(&mut batch).unwrap() {
            for part in &batch {
                all.extend(part.list.iter().zip(&part.prints).map(|(s, &print)| (s.span(), s.kind(), print)));
            }
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]
        #[test]
        fn stretches_and_batches_change_nothing(lines in prop::collection::vec(0usize..11, 0..70), stretch in 1usize..900) {
            const LINES: [&str; 9] = [
                "", "A line of some fifty columns, as if it were wrapped,", "and one more of them, which goes on and on for long",
                "```", "~~~", "  ````", "```rust", "- an item", "\r",
            ];
            let long = "A line that is longer than any that is wrapped. ".repeat(12);
            let text: String = lines.iter().map(|&line| format!("{}\n", LINES.get(line).copied().unwrap_or(&long))).collect();
            let whole = spans(text.as_bytes(), usize::MAX);
            for threads in [1, 2] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                prop_assert_eq!(&pool.install(|| spans(text.as_bytes(), stretch)), &whole);
            }
        }
    }

    #[test]
    fn a_fence_behind_the_end_of_a_batch_is_seen() {
        let wrapped = "A line of some fifty columns, as if it were wrapped,\n".repeat(4);
        let code = format!("```\n{}\n```\n", "long ".repeat(200));
        let text = format!("{}{wrapped}{code}{wrapped}", "Filler that stands alone.\n\n".repeat(100));
        let whole = spans(text.as_bytes(), usize::MAX);
        for stretch in (1..text.len()).step_by(7) {
            assert_eq!(spans(text.as_bytes(), stretch), whole, "{stretch}");
        }
    }
}
