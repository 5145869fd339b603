//! The paragraph rule. A chunk is what stands between blank lines. A hard-wrapped chunk is joined, any other is taken line by
//! line, a closed fence as a whole. The rule looks at nothing but the chunk, so equal text is taken apart equally.

use super::fence::is_mark;
use super::lines::{ends_sentence, first_word_columns, has_marker, is_blank};
use crate::compare::columns;
use crate::document::{Kind, Span};

/// A chunk of more lines than this is never hard-wrapped: no paragraph is that long, and it bounds the look-ahead.
pub(super) const MOST_WRAPPED_LINES: usize = 1000;
/// Where people and programs break lines; a longest line outside it is no measure.
pub(super) const WRAP_COLUMNS: std::ops::RangeInclusive<usize> = 40..=120;
/// A line of more bytes has more columns than that (a character has at most 4 bytes) or is too odd to judge.
const LONGEST_WRAPPED_LINE: usize = 4 * *WRAP_COLUMNS.end();

/// A part of a text that can be taken apart by itself: it ends at a blank line or, in a chunk too long to be hard-wrapped, at
/// any line's end; never inside a fence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stretch {
    span: Span,
    /// It begins inside a chunk that is too long to be hard-wrapped.
    begins_inside: bool,
    /// It ends inside one.
    ends_inside: bool,
}

impl Stretch {
    /// The stretch of about `size` bytes that follows this one (the default one comes before the first); `None` at the end.
    ///
    /// # Errors
    /// [`MetMark`], where fences aren't known and one may begin near its end.
    pub(super) fn next(&self, text: &[u8], fences: Option<&[Span]>, size: usize) -> Result<Option<Stretch>, MetMark> {
        let start = self.end();
        let target = start.saturating_add(size);
        let (end, ends_inside) = if target < text.len() { boundary(text, fences, target)? } else { (text.len(), false) };
        Ok((start < end).then_some(Stretch { span: Span::new(start, end), begins_inside: self.ends_inside, ends_inside }))
    }

    /// All of a text, unless it is empty.
    pub(super) fn whole(text: &[u8]) -> Option<Stretch> {
        (!text.is_empty()).then(|| Stretch { span: Span::new(0, text.len()), ..Stretch::default() })
    }

    /// Its bytes.
    pub(super) fn span(&self) -> Span {
        self.span
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.span.len() as usize
    }

    /// Where it ends.
    pub(super) fn end(&self) -> usize {
        self.span.range().end
    }
}

/// A line that may open a code block was met where none were looked for yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MetMark;

/// The first place from `target` on where a stretch may end, and whether it lies inside a long chunk.
fn boundary(text: &[u8], fences: Option<&[Span]>, target: usize) -> Result<(usize, bool), MetMark> {
    let are_known = fences.is_some();
    let fences = fences.unwrap_or_default();
    let mut first_line = None;
    let (mut at, mut lines) = (next_line(text, target), 0);
    while at < text.len() {
        let fence = fences.partition_point(|fence| fence.end <= at as u64);
        if let Some(fence) = fences.get(fence).filter(|fence| fence.start <= at as u64) {
            (at, first_line, lines) = (next_line(text, fence.end as usize), None, 0);
            continue;
        }
        if !are_known && is_mark(text, at) {
            return Err(MetMark);
        }
        let end = next_line(text, at);
        if is_blank(&text[at..end]) {
            return Ok((end, false));
        }
        let first = *first_line.get_or_insert(at);
        lines += 1;
        if lines > MOST_WRAPPED_LINES || end - at > LONGEST_WRAPPED_LINE + 2 {
            return Ok((first, true)); // the chunk can't be hard-wrapped
        }
        at = end;
    }
    Ok((text.len(), false))
}

/// Where the line after the one that holds byte `at` begins.
fn next_line(text: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |lf| at + lf + 1)
}

/// Calls `each` with every paragraph of a stretch, in order. `lines` is memory that is used again.
///
/// # Errors
/// [`MetMark`], at the first line that may open a code block where `fences` aren't known.
pub(super) fn paragraphs(
    text: &[u8],
    stretch: Stretch,
    fences: Option<&[Span]>,
    lines: &mut Vec<Span>,
    mut each: impl FnMut(Span, Kind),
) -> Result<(), MetMark> {
    lines.clear();
    let mut chunk = Chunk { text, lines, by_line: stretch.begins_inside };
    let end = stretch.span.range().end;
    let mut at = stretch.span.range().start;
    let are_known = fences.is_some();
    let fences = fences.unwrap_or_default();
    let mut fences = fences[fences.partition_point(|fence| fence.start < at as u64)..].iter().peekable();
    while at < end {
        if !are_known && is_mark(text, at) {
            return Err(MetMark);
        }
        if let Some(&fence) = fences.next_if(|fence| fence.start == at as u64) {
            chunk.close(&mut each);
            each(fence, Kind::Fence);
            at = next_line(text, fence.end as usize);
            continue;
        }
        // Blank lines are common, and mostly empty.
        let lf = if text[at] == b'\n' { at } else { memchr::memchr(b'\n', &text[at..end]).map_or(end, |lf| at + lf) };
        let line_end = if lf < end && lf > at && text[lf - 1] == b'\r' { lf - 1 } else { lf };
        let line = Span::new(at, line_end);
        at = lf + 1;
        if is_blank(line.of(text)) {
            chunk.close(&mut each);
        } else if chunk.by_line {
            each(line, Kind::Line);
        } else if chunk.lines.is_empty() && at < end && text[at] == b'\n' {
            each(line, Kind::Line); // a chunk by itself, as most are where blank lines stand
            at += 1;
        } else {
            chunk.line(line, &mut each);
        }
    }
    chunk.by_line |= stretch.ends_inside;
    chunk.close(&mut each);
    Ok(())
}

struct Chunk<'a> {
    text: &'a [u8],
    /// The lines so far, unless they were handed on one by one.
    lines: &'a mut Vec<Span>,
    by_line: bool,
}

impl Chunk<'_> {
    fn line(&mut self, line: Span, each: &mut impl FnMut(Span, Kind)) {
        self.lines.push(line);
        if self.lines.len() > MOST_WRAPPED_LINES {
            self.by_line = true;
            self.lines.drain(..).for_each(|line| each(line, Kind::Line));
        }
    }

    fn close(&mut self, each: &mut impl FnMut(Span, Kind)) {
        if self.by_line {
            self.lines.iter().for_each(|&line| each(line, Kind::Line));
        } else {
            chunk_paragraphs(self.text, self.lines, each);
        }
        self.lines.clear();
        self.by_line = false;
    }
}

/// Hands on the paragraphs of a chunk that consists of these lines.
pub(super) fn chunk_paragraphs(text: &[u8], lines: &[Span], each: &mut impl FnMut(Span, Kind)) {
    if is_hard_wrapped(text, lines) {
        join_wrapped(text, lines, each);
    } else {
        lines.iter().for_each(|&line| each(line, Kind::Line));
    }
}

/// Whether the lines of a chunk are running text broken at a right margin: at least two lines, the longest 40–120 columns
/// wide, none marked, and at most a third of those before the last shorter than the next word forced them to be.
fn is_hard_wrapped(text: &[u8], lines: &[Span]) -> bool {
    if lines.len() < 2 || lines.len() > MOST_WRAPPED_LINES {
        return false;
    }
    let mut longest = 0;
    for line in lines {
        longest = longest.max(line_columns(line.of(text)));
        if longest > *WRAP_COLUMNS.end() {
            return false;
        }
    }
    if longest < *WRAP_COLUMNS.start() || lines.iter().any(|line| has_marker(line.of(text))) {
        return false;
    }
    let short = lines.windows(2).filter(|pair| !is_full(text, pair, longest)).count();
    short * 3 < lines.len() && !is_list_of_sentences(text, lines)
}

/// Whether every line ends a sentence: where prose is broken few do, but sentences of one length, each on its line, look broken.
fn is_list_of_sentences(text: &[u8], lines: &[Span]) -> bool {
    // Fewer lines of prose may end so by chance.
    const LEAST: usize = 5;
    lines.len() >= LEAST && lines.iter().all(|line| ends_sentence(line.of(text)))
}

/// Hands on the paragraphs of a hard-wrapped chunk: one, unless a short line that ends a sentence shows where the next begins.
fn join_wrapped(text: &[u8], lines: &[Span], each: &mut impl FnMut(Span, Kind)) {
    let longest = lines.iter().map(|line| line_columns(line.of(text))).max().unwrap_or(0);
    let mut first = 0;
    let mut hand_on = |first: usize, last: usize| {
        let kind = if first == last { Kind::Line } else { Kind::Wrapped };
        each(Span { start: lines[first].start, end: lines[last].end }, kind);
    };
    for (last, pair) in lines.windows(2).enumerate() {
        if ends_sentence(pair[0].of(text)) && !is_full(text, pair, longest) {
            hand_on(first, last);
            first = last + 1;
        }
    }
    hand_on(first, lines.len() - 1);
}

/// Whether the first word of the second line would not have fitted on the first.
fn is_full(text: &[u8], pair: &[Span], longest: usize) -> bool {
    line_columns(pair[0].of(text)) + first_word_columns(pair[1].of(text)) > longest
}

/// The columns of a line up to its last visible character.
fn line_columns(line: &[u8]) -> usize {
    if line.len() > LONGEST_WRAPPED_LINE { line.len() } else { columns(line.trim_ascii_end()) as usize }
}

#[cfg(test)]
mod tests {
    use super::super::fence::closed_fences;
    use super::*;

    fn read(text: &str) -> Vec<&str> {
        let mut out = Vec::new();
        let fences = closed_fences(text.as_bytes(), 0);
        for stretch in stretches(text.as_bytes(), &fences, usize::MAX) {
            paragraphs(text.as_bytes(), stretch, Some(&fences), &mut Vec::new(), |span, _| out.push(&text[span.range()]))
                .unwrap();
        }
        out
    }

    fn stretches(text: &[u8], fences: &[Span], size: usize) -> Vec<Stretch> {
        let next = |last: &Stretch| last.next(text, Some(fences), size).unwrap();
        std::iter::successors(next(&Stretch::default()), next).collect()
    }

    #[test]
    fn a_line_is_a_paragraph_unless_the_chunk_is_hard_wrapped() {
        assert_eq!(read("One.\nTwo.\n\n\nThree.\r\nFour."), ["One.", "Two.", "Three.", "Four."]);
        let wrapped = "It was late when the last of the boats came\nback to the harbour, and nobody waited on the\nquay.";
        assert_eq!(read(wrapped), [wrapped]);
    }

    #[test]
    fn a_short_line_that_ends_a_sentence_ends_a_wrapped_paragraph() {
        let first = "It was late when the last of the boats came\nback to the harbour, and nobody waited on the\nquay at all.";
        let second = "The nets were empty for the third night, and\nthe men said little while they tied the ropes\nto the posts.";
        assert_eq!(read(&format!("{first}\n{second}\n")), [first, second]);
    }

    #[test]
    fn lists_and_verse_are_taken_by_the_line() {
        assert_eq!(
            read("- one thing that is rather long, as lists go\n- two"),
            ["- one thing that is rather long, as lists go", "- two"]
        );
        let verse = "The sea is wide and blue today\nNo sail\nNo gull has lost its way\nNo gale\nThe sea is wide";
        assert_eq!(read(verse).len(), 5);
    }

    #[test]
    fn a_closed_fence_is_one_paragraph() {
        assert_eq!(read("Text:\n```\na\n\nb\n```\nMore."), ["Text:", "```\na\n\nb\n```", "More."]);
        assert_eq!(read("```\na\n\nb"), ["```", "a", "b"]);
    }

    #[test]
    fn a_lone_carriage_return_is_text() {
        assert_eq!(read("a\rb\r\nc\r"), ["a\rb", "c\r"]);
    }

    #[test]
    fn chinese_is_wrapped_without_spaces() {
        let text =
            "这是一个很长的段落它被硬换行了因为它太长不能放在一行\n里所以分成了几行每一行的宽度都一样直到最后一行才比较\n短。";
        assert_eq!(read(text), [text]);
    }

    #[test]
    fn stretches_give_the_same_paragraphs_as_the_whole() {
        let unit = "(line|A line of some fifty columns to look wrapped, no|-|```|\u{a0}|long line of words and words and words){0,1}\r?\n";
        let pattern = format!("({unit}){{0,60}}");
        proptest::proptest!(|(text in pattern.as_str(), size in 1usize..200)| {
            let text = text.replace("long line", &"long line ".repeat(12));
            let fences = closed_fences(text.as_bytes(), 0);
            let mut parts = Vec::new();
            for stretch in stretches(text.as_bytes(), &fences, size) {
                paragraphs(text.as_bytes(), stretch, Some(&fences), &mut Vec::new(), |span, _| parts.push(&text[span.range()])).unwrap();
            }
            proptest::prop_assert_eq!(parts, read(&text));
        });
        let long = "A line of some fifty columns, to look hard-wrapped\n".repeat(3 * MOST_WRAPPED_LINES);
        let parts = stretches(long.as_bytes(), &[], 1000);
        assert!(parts.len() > 90 && parts[1].begins_inside);
        let mut count = 0;
        for stretch in parts {
            paragraphs(long.as_bytes(), stretch, Some(&[]), &mut Vec::new(), |_, _| count += 1).unwrap();
        }
        assert_eq!(count, read(&long).len());
    }
}
