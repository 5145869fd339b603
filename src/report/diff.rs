//! `scan` as a unified diff: of each text and its clean copy the lines that differ, as `patch` takes them. They are derived from the
//! cuts and repairs, which are bytes: nothing is compared.
//!
//! Of text and JSONL it is a diff of files by their bytes; files of the other forms have no lines, so there it is one of each
//! document's text.

use super::{Passage, Sums, Told};
use crate::document::{Span, edited};
use crate::error::{Error, Place, Result};
use crate::runner::{Budget, Part, Planned, Portion};
use crate::scratch::Waiting;
use crate::source::{Form, feed};
use crate::tidy::Encoded;
use bytes::{Buf, Bytes};
use memchr::{memchr, memchr_iter, memrchr};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

/// So many lines around those that differ are shown.
const CONTEXT: usize = 3;
/// What is shown before a change may have come in an earlier stretch, and a longer line isn't kept. Programs that apply a diff need
/// all of the context behind a change, not before it.
const LONGEST_BEFORE: usize = 64 << 10;
/// What stands for a text that isn't there.
const NOTHING: &[u8] = b"/dev/null";
/// What tells that a line has no end, behind an end that it doesn't have.
const NO_LINE_END: &[u8] = b"\n\\ No newline at end of file\n";

/// What of a portion differs from its clean copy.
pub struct Changes(Kind);

enum Kind {
    /// The diff of an input.
    Whole(Waiting),
    /// Those of the records of a stretch.
    Records(Waiting),
    /// The lines of a stretch whose diff is one with those of the others.
    Stretch(Lines),
    /// The end of an input that came in stretches.
    End,
}

impl Changes {
    /// What of a portion differs, and its sums. What doesn't fit in memory goes where the budget says.
    ///
    /// # Errors
    /// If it has no lines, since it is in UTF-16; those of temporary files.
    pub fn of(portion: &Portion, budget: &Budget) -> Result<(Self, Told)> {
        if let Some(wide) = wide(portion) {
            let why = format!("is in {wide}, of which a diff has no lines; unecho -o writes the clean copy");
            return Err(Error::refused(portion.input.place(), why));
        }
        let kind = match portion.part {
            Part::End => Kind::End,
            _ if !portion.input.form.has_lines_to_look_up() => {
                let is_changed = |document: &&Planned| !document.plan.blocks.is_empty() || !document.repairs.is_none();
                let changed = portion.documents.iter().filter(is_changed);
                Kind::Records(Patch::of(changed.map(|document| Lines::of_text(portion, document)), budget)?)
            }
            Part::Stretch => Kind::Stretch(Lines::of_file(portion)),
            Part::Whole => Kind::Whole(Patch::of([Lines::of_file(portion)], budget)?),
        };
        Ok((Self(kind), Told { sums: Sums::of(portion), findings: Vec::new() }))
    }
}

/// In which encoding of more than a byte each a portion is, if it is in one and anything is changed.
fn wide(portion: &Portion) -> Option<&'static str> {
    let encoded = portion.documents.iter().find_map(|document| document.encoded);
    let named = encoded.filter(|encoded| encoded.unit() > 1).map(Encoded::name);
    let is_markup = matches!(portion.input.form, Form::Feed | Form::Html);
    named.or_else(|| feed::wide(&portion.bytes).filter(|_| is_markup && portion.is_changed()).map(|(encoding, _)| encoding))
}

/// The diffs of all inputs, in order. That of an input in stretches waits for its end, since it may be left out as a whole.
pub struct Diff<'a, W> {
    out: W,
    waiting: Patch,
    budget: &'a Budget,
}

impl<'a, W: Write> Diff<'a, W> {
    /// Diffs that are written to `out`, which is standard output.
    pub fn new(out: W, budget: &'a Budget) -> Self {
        Self { out, waiting: Patch::new(budget), budget }
    }

    /// Goes on with the next portion.
    ///
    /// # Errors
    /// Those of the output and of temporary files.
    pub fn add(&mut self, changes: Changes) -> Result<()> {
        match changes.0 {
            Kind::Stretch(lines) => self.waiting.add(&lines),
            Kind::Records(mut diffs) => diffs.hand_on(|bytes| self.waiting.done.put(bytes)),
            Kind::Whole(mut diff) => diff.hand_on(|bytes| write(&mut self.out, bytes)),
            Kind::End => {
                self.waiting.end()?;
                self.waiting.done.hand_on(|bytes| write(&mut self.out, bytes))
            }
        }
    }

    /// Forgets what waits: that input has failed.
    pub fn forget(&mut self) {
        self.waiting = Patch::new(self.budget);
    }

    /// The end of the run.
    ///
    /// # Errors
    /// Those of the output.
    pub fn end(&mut self) -> Result<()> {
        self.out.flush().map_err(|error| Error::io(Place::Stdout, error))
    }
}

fn write(out: &mut impl Write, bytes: &[u8]) -> Result<()> {
    out.write_all(bytes).map_err(|error| Error::io(Place::Stdout, error))
}

/// Lines of a text, and which of them change.
struct Lines {
    heading: Vec<u8>,
    bytes: Bytes,
    /// How many line ends there are.
    count: u64,
    changes: Vec<Change>,
}

/// Lines that become others, or nothing.
struct Change {
    /// How many lines precede them.
    line: u64,
    old: Span,
    new: Vec<u8>,
}

impl Lines {
    /// Those of a file, or of a stretch of one.
    fn of_file(portion: &Portion) -> Self {
        let path = portion.input.path();
        // What is below the folder in which the diff is applied, git takes without a dot.
        let name = name(path.strip_prefix(".").unwrap_or(path).as_os_str().as_bytes());
        let is_gone = !portion.input.form.is_container() && portion.documents.iter().any(|document| document.is_dropped);
        let bytes = portion.bytes.slice(portion.extent.range());
        let edits: Vec<Put> = portion.changes().map(|(at, put)| (within(at, portion.extent), put)).collect();
        Self::new(&name, is_gone, bytes, &edits)
    }

    /// Those of a record's text, as it reads.
    fn of_text(portion: &Portion, document: &Planned) -> Self {
        let Planned { text, is_dropped, .. } = *document;
        let path = portion.input.path().into();
        let (id, lines) = (portion.id(document), Vec::new());
        let passage = Passage { path, record: document.line, id, lines, has_lines_of_file: false };
        let edits: Vec<Put> = match is_dropped {
            true => vec![(within(text, text), b"")],
            false => portion.changes_in(text).map(|(at, put)| (within(at, text), put)).collect(),
        };
        Self::new(&name(passage.to_string().as_bytes()), is_dropped, portion.bytes.slice(text.range()), &edits)
    }

    /// Those of a text that is edited (in order, without overlap). `is_gone`: not even an empty one is left.
    fn new(name: &[u8], is_gone: bool, bytes: Bytes, mut edits: &[Put]) -> Self {
        let heading = [b"--- ".as_slice(), name, b"\n+++ ", if is_gone { NOTHING } else { name }, b"\n"].concat();
        let mut changes = Vec::new();
        let (mut line, mut from) = (0, 0);
        while !edits.is_empty() {
            let (old, count) = touched(&bytes, edits);
            let new = edited(old.of(&bytes), edits[..count].iter().map(|&(at, put)| (within(at, old), put)));
            let (before, after) = equal_lines(old.of(&bytes), &new);
            let old = Span { start: old.start + before as u64, end: old.end - after as u64 };
            let new = &new[before..new.len() - after];
            line += line_ends(&bytes[from..old.range().start]);
            if !(old.is_empty() && new.is_empty()) {
                changes.push(Change { line, old, new: new.into() });
            }
            (from, edits) = (old.range().start, &edits[count..]);
        }
        let count = line + line_ends(&bytes[from..]);
        Self { heading, bytes, count, changes }
    }
}

/// A span as it stands within another one.
fn within(span: Span, outer: Span) -> Span {
    Span { start: span.start - outer.start, end: span.end - outer.start }
}

/// What is edited, and what stands there then.
type Put<'p> = (Span, &'p [u8]);

/// The lines that the first edits touch, and how many edits that are: those that share lines. What is left of them is whole lines
/// again, for which the line that an edit ends at may be needed too.
fn touched(text: &[u8], edits: &[Put]) -> (Span, usize) {
    let start = line_start(text, edits[0].0.range().start);
    let (mut at, mut end, mut is_open, mut count) = (start, start, false, 0);
    for (place, put) in edits.iter().map(|(place, put)| (place.range(), put)) {
        if count > 0 && place.start >= end {
            break;
        }
        is_open = put.last().or(text[at..place.start].last()).map_or(is_open, |&last| last != b'\n');
        at = place.end;
        if at >= end {
            let is_whole = !is_open && text[..at].ends_with(b"\n");
            end = if is_whole { at } else { at + first_line(&text[at..]).len() };
        }
        count += 1;
    }
    (Span::new(start, end), count)
}

/// How many bytes of two texts are equal lines at the beginning, and then at the end.
fn equal_lines(old: &[u8], new: &[u8]) -> (usize, usize) {
    let before = equal(lines(old), lines(new));
    (before, equal(lines(&old[before..]).rev(), lines(&new[before..]).rev()))
}

fn equal<'a>(old: impl Iterator<Item = &'a [u8]>, new: impl Iterator<Item = &'a [u8]>) -> usize {
    old.zip(new).take_while(|(old, new)| old == new).map(|(line, _)| line.len()).sum()
}

fn lines(text: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n')
}

fn line_ends(text: &[u8]) -> u64 {
    memchr_iter(b'\n', text).count() as u64
}

/// Where the line begins that byte `at` is in.
fn line_start(text: &[u8], at: usize) -> usize {
    memrchr(b'\n', &text[..at]).map_or(0, |lf| lf + 1)
}

fn first_line(text: &[u8]) -> &[u8] {
    &text[..memchr(b'\n', text).map_or(text.len(), |lf| lf + 1)]
}

fn last_line(text: &[u8]) -> &[u8] {
    &text[line_start(text, text.len().saturating_sub(1))..]
}

/// Diffs, one behind the other, as their texts come.
struct Patch {
    done: Waiting,
    hunk: Option<Hunk>,
    /// The lines of that, whose heading says how many they are.
    body: Waiting,
    /// Whether the diff under way has a heading.
    is_begun: bool,
    /// How many lines of the text have come before those that come next.
    line: u64,
    /// How many fewer the clean copy has of those that are in hunks; it may have more.
    fewer: i64,
    /// The last lines that came and are in no hunk, as far as they may be the context of the next change.
    before: Vec<Bytes>,
    /// Whether what came last is a part of a line, which goes on.
    is_within_line: bool,
}

/// Changes whose contexts meet.
struct Hunk {
    /// The number of its first line.
    first: u64,
    old: u64,
    new: u64,
    /// How many lines stand behind the last change.
    behind: usize,
    /// Whether its last line has no end so far.
    is_open: bool,
}

impl Patch {
    fn new(budget: &Budget) -> Self {
        let waiting = || Waiting::new(budget.stretch(), budget.folder());
        Self {
            done: waiting(),
            hunk: None,
            body: waiting(),
            is_begun: false,
            line: 0,
            fewer: 0,
            before: Vec::new(),
            is_within_line: false,
        }
    }

    /// The diffs of texts that come whole.
    fn of(texts: impl IntoIterator<Item = Lines>, budget: &Budget) -> Result<Waiting> {
        let mut patch = Self::new(budget);
        for lines in texts {
            patch.add(&lines)?;
            patch.end()?;
        }
        Ok(patch.done)
    }

    /// Goes on with the next lines of a text.
    fn add(&mut self, lines: &Lines) -> Result<()> {
        let mut from = 0;
        for change in &lines.changes {
            let old = change.old.range();
            self.pass(lines.bytes.slice(from..old.start))?;
            if self.hunk.is_none() {
                if !std::mem::replace(&mut self.is_begun, true) {
                    self.done.put(&lines.heading)?;
                }
                let first = self.line + change.line + 1 - self.before.len() as u64;
                self.hunk = Some(Hunk { first, old: 0, new: 0, behind: 0, is_open: false });
            }
            for line in std::mem::take(&mut self.before) {
                self.put(b' ', &line)?;
            }
            self.put(b'-', &lines.bytes[old.clone()])?;
            self.put(b'+', &change.new)?;
            from = old.end;
        }
        self.pass(lines.bytes.slice(from..))?;
        self.line += lines.count;
        self.is_within_line = !lines.bytes.is_empty() && !lines.bytes.ends_with(b"\n");
        Ok(())
    }

    /// Ends the diff of a text.
    fn end(&mut self) -> Result<()> {
        self.end_hunk()?;
        (self.is_begun, self.is_within_line, self.line, self.fewer) = (false, false, 0, 0);
        self.before.clear();
        Ok(())
    }

    /// Goes on with lines that stay as they are: the first ones are shown behind a change, the last ones may be shown before the
    /// next, and if there are others between them, the hunk ends.
    fn pass(&mut self, mut lines: Bytes) -> Result<()> {
        while let Some(hunk) = &mut self.hunk
            && (hunk.behind < CONTEXT || self.is_within_line && hunk.is_open)
            && !lines.is_empty()
        {
            hunk.behind += usize::from(!self.is_within_line);
            self.put(b' ', &lines.split_to(first_line(&lines).len()))?;
        }
        if lines.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.is_within_line) {
            // The rest of a line that isn't shown, and too long to be kept until it is.
            lines.advance(first_line(&lines).len());
            self.before.clear();
            self.end_hunk()?;
        }
        let known = self.before.len();
        while !lines.is_empty() && self.before.len() < known + CONTEXT {
            self.before.insert(known, lines.split_off(lines.len() - last_line(&lines).len()));
        }
        let long = self.before.iter().rposition(|line| line.len() > LONGEST_BEFORE).map_or(0, |at| at + 1);
        let too_many = self.before.len().saturating_sub(CONTEXT).max(long);
        if !lines.is_empty() || too_many > 0 {
            self.before.drain(..too_many);
            self.end_hunk()?;
        }
        Ok(())
    }

    /// Puts lines in the hunk.
    fn put(&mut self, sign: u8, mut lines: &[u8]) -> Result<()> {
        let hunk = self.hunk.as_mut().expect("a hunk is begun before lines are put in it");
        while !lines.is_empty() {
            if !std::mem::take(&mut self.is_within_line) {
                if hunk.is_open {
                    self.body.put(NO_LINE_END)?;
                }
                self.body.put(&[sign])?;
                hunk.old += u64::from(sign != b'+');
                hunk.new += u64::from(sign != b'-');
            }
            let line = first_line(lines);
            self.body.put(line)?;
            hunk.is_open = !line.ends_with(b"\n");
            lines = &lines[line.len()..];
        }
        if sign != b' ' {
            hunk.behind = 0;
        }
        Ok(())
    }

    fn end_hunk(&mut self) -> Result<()> {
        let Some(Hunk { first, old, new, is_open, .. }) = self.hunk.take() else { return Ok(()) };
        if is_open {
            self.body.put(NO_LINE_END)?;
        }
        // No lines stand behind a line, others begin at one.
        let first_new = first as i64 - self.fewer - i64::from(new == 0);
        self.done.put(format!("@@ -{first},{old} +{first_new},{new} @@\n").as_bytes())?;
        self.fewer += old as i64 - new as i64;
        self.body.hand_on(|bytes| self.done.put(bytes))
    }
}

/// A name as the heading of a diff has it: as git quotes it, if it must be, and with a tab behind blanks, which else would end it.
fn name(bytes: &[u8]) -> Vec<u8> {
    let is_quoted = bytes.iter().any(|&byte| byte.is_ascii_control() || matches!(byte, b'"' | b'\\'));
    let mut name = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => name.extend([b'\\', byte]),
            _ if byte.is_ascii_control() => name.extend(format!("\\{byte:03o}").bytes()),
            _ => name.push(byte),
        }
    }
    if is_quoted {
        name = [b"\"", &*name, b"\""].concat();
    }
    if bytes.contains(&b' ') {
        name.push(b'\t');
    }
    name
}

#[cfg(test)]
#[path = "../../tests/support/patch.rs"]
mod patch;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    const BUDGET: Budget = Budget { memory: Budget::LEAST, temporary: None, packs: false };

    /// The diff of a text that comes in pieces, which end at these bytes, and the last one at its end.
    fn diff(text: &[u8], edits: &[Put], ends: &[usize]) -> Vec<u8> {
        let text = Bytes::copy_from_slice(text);
        let mut patch = Patch::new(&BUDGET);
        let mut from = 0;
        for end in ends.iter().copied().chain([text.len()]) {
            let piece = Span::new(from, end);
            let is_in = |(at, _): &&Put| at.start >= piece.start && at.end <= piece.end && !at.is_empty();
            let edits: Vec<Put> = edits.iter().filter(is_in).map(|&(at, put)| (within(at, piece), put)).collect();
            patch.add(&Lines::new(b"a", false, text.slice(piece.range()), &edits)).unwrap();
            from = end;
        }
        patch.end().unwrap();
        let mut out = Vec::new();
        patch.done.hand_on(|bytes| write(&mut out, bytes)).unwrap();
        out
    }

    #[track_caller]
    fn gives(text: &str, cuts: &[(usize, usize)], wanted: &str) {
        let cuts: Vec<Put> = cuts.iter().map(|&(start, end)| (Span::new(start, end), &b""[..])).collect();
        let diff = diff(text.as_bytes(), &cuts, &[]);
        assert_eq!(String::from_utf8_lossy(&diff), wanted);
        applies(text.as_bytes(), &cuts, &diff);
    }

    #[track_caller]
    fn applies(text: &[u8], edits: &[Put], diff: &[u8]) {
        let copy = edited(text, edits.iter().copied());
        assert!(copy == text || !diff.is_empty());
        let wanted = if diff.is_empty() { vec![] } else { vec![("a".to_owned(), Some(copy))] };
        assert_eq!(patch::applied(diff, |_| text.to_vec()), wanted);
    }

    #[test]
    fn a_cut_from_line_end_to_line_end_takes_the_lines_behind_the_first() {
        gives("1\n2\n3\n4\n5\n6\n7\n8\n9\n", &[(9, 11)], "--- a\n+++ a\n@@ -3,7 +3,6 @@\n 3\n 4\n 5\n-6\n 7\n 8\n 9\n");
    }

    #[test]
    fn contexts_that_meet_are_one_hunk() {
        let hunk = "--- a\n+++ a\n@@ -1,8 +1,6 @@\n-1\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n";
        gives("1\n2\n3\n4\n5\n6\n7\n8\n", &[(0, 2), (14, 16)], hunk);
        let two = "--- a\n+++ a\n@@ -1,4 +1,3 @@\n-1\n 2\n 3\n 4\n@@ -6,4 +5,3 @@\n 6\n 7\n 8\n-9\n";
        gives("1\n2\n3\n4\n5\n6\n7\n8\n9\n", &[(0, 2), (16, 18)], two);
    }

    #[test]
    fn what_is_left_of_a_line_is_a_new_one() {
        gives(
            "one two three\nfour",
            &[(4, 8)],
            "--- a\n+++ a\n@@ -1,2 +1,2 @@\n-one two three\n+one three\n four\n\\ No newline at end of file\n",
        );
        let joined =
            "--- a\n+++ a\n@@ -1,2 +1,1 @@\n-one\n-two\n\\ No newline at end of file\n+onetwo\n\\ No newline at end of file\n";
        gives("one\ntwo", &[(3, 4)], joined);
    }

    #[test]
    fn a_last_line_loses_its_end_with_those_behind_it() {
        gives("one\ntwo\n", &[(3, 8)], "--- a\n+++ a\n@@ -1,2 +1,1 @@\n-one\n-two\n+one\n\\ No newline at end of file\n");
    }

    #[test]
    fn nothing_may_be_left() {
        gives("one\ntwo", &[(0, 7)], "--- a\n+++ a\n@@ -1,2 +0,0 @@\n-one\n-two\n\\ No newline at end of file\n");
        gives("one\n", &[], "");
        gives("", &[], "");
    }

    #[test]
    fn a_line_that_comes_in_parts_is_one() {
        let long = "x".repeat(LONGEST_BEFORE + 9);
        let text = format!("1\n2\n3\n{long}\n4\n5\n");
        let (start, end) = (6, 6 + long.len());
        let diff = |cuts: &[Span], ends: &[usize]| {
            let cuts: Vec<Put> = cuts.iter().map(|&cut| (cut, &b""[..])).collect();
            let diff = diff(text.as_bytes(), &cuts, ends);
            applies(text.as_bytes(), &cuts, &diff);
            String::from_utf8(diff).unwrap().replace(&long, "long")
        };
        for ends in [&[][..], &[start, end - 5, end - 2, end + 1]] {
            let is_behind = diff(&[Span::new(0, 2)], ends);
            assert_eq!(is_behind, "--- a\n+++ a\n@@ -1,4 +1,3 @@\n-1\n 2\n 3\n long\n", "{ends:?}");
            let is_before = diff(&[Span::new(end + 1, end + 3)], ends);
            assert_eq!(is_before, "--- a\n+++ a\n@@ -5,2 +5,1 @@\n-4\n 5\n", "{ends:?}");
        }
        // Such a line comes by itself, and goes as a whole or not at all.
        let parts = [start, end - 5, end - 2, end + 1];
        let cuts: Vec<Span> = parts.windows(2).map(|part| Span::new(part[0], part[1])).collect();
        assert_eq!(diff(&cuts, &parts), "--- a\n+++ a\n@@ -1,6 +1,5 @@\n 1\n 2\n 3\n-long\n 4\n 5\n");
    }

    #[test]
    fn names_are_quoted_as_git_does() {
        let quoted = |name_: &str| String::from_utf8(name(name_.as_bytes())).unwrap();
        assert_eq!(quoted("a/b.txt"), "a/b.txt");
        assert_eq!(quoted("naïve name"), "naïve name\t");
        assert_eq!(quoted("a\nb\"\\\u{1b}"), "\"a\\012b\\\"\\\\\\033\"");
    }

    proptest! {
        #[test]
        fn applied_to_the_text_it_gives_the_clean_copy_whatever_pieces_that_came_in(
            lines in vec(select(vec![&b""[..], b"", b"a", b"b", b"a\r", b"\0", b"\xff\xfe", b"a long line", b"-- a"]), 0..60),
            has_end in any::<bool>(),
            places in vec(any::<Index>(), 0..12),
            puts in vec(select(vec![&b""[..], b"", b"", b"x", b"\n", b"x\ny", b"\n\n", b"x\n"]), 6),
            ends in vec(any::<Index>(), 0..9),
        ) {
            let mut text = lines.join(&b'\n');
            text.extend_from_slice(if has_end { b"\n" } else { b"" });
            let mut places: Vec<usize> = places.iter().map(|at| at.index(text.len() + 1)).collect();
            places.sort_unstable();
            let places = places.chunks_exact(2).map(|pair| Span::new(pair[0], pair[1]));
            let edits: Vec<Put> = places.zip(puts).filter(|(at, _)| !at.is_empty()).collect();
            let whole = diff(&text, &edits, &[]);
            applies(&text, &edits, &whole);

            // Pieces are whole lines, and what one loses doesn't depend on the next.
            let mut ends: Vec<usize> = ends.iter().map(|at| line_start(&text, at.index(text.len() + 1))).collect();
            ends.sort_unstable();
            let mut rest = &*edits;
            while !rest.is_empty() {
                let (lines, count) = touched(&text, rest);
                ends.retain(|&end| end as u64 <= lines.start || end as u64 >= lines.end);
                rest = &rest[count..];
            }
            prop_assert_eq!(diff(&text, &edits, &ends), whole);
        }
    }
}
