//! Repair of mojibake: UTF-8 text that was read as a single-byte encoding and written as UTF-8 again.
//!
//! The work is local. Each line is scanned for runs of characters that, taken back to bytes in one of the
//! candidate encodings, form multi-byte UTF-8. A run is repaired if it looks wrong as it stands (a capital or a
//! currency sign inside a word, say) and its decoding looks right. A run with little evidence of its own is repaired
//! if a run with much evidence in the same encoding is near. This is repeated until nothing changes.

mod encodings;
mod evidence;

use super::edits::Edits;
use super::{is_noncharacter, line_around};
use encodings::{C1, MAC, TURKISH, Table, table};
use evidence::{gain, is_latin, is_letter, is_lower, is_upper, is_word, island, odd, prior, quoted};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ops::Range;

/// Finds mojibake.
pub(super) fn find(text: &str, edits: &mut Edits) {
    mojibake(text).into_iter().for_each(|Edit { at, put }| edits.put(at, put));
}

/// One replacement in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    /// The bytes of the text to replace.
    at: Range<usize>,
    /// What to put there.
    put: String,
}

/// A run needs this much evidence to be repaired by itself.
const STRONG: i32 = 3;
/// A run with less needs this much support of the runs near it.
const SUPPORT: i32 = 2;
/// The least evidence for a run in the company of its script. A character that must not be decoded has much less.
const LEAST: i32 = -2;
/// So many sequences of a run are looked at to judge it.
const ENOUGH: usize = 1000;
/// How far, in bytes, a strong run supports weak ones of the same encoding.
const REACH: usize = 1000;
/// A line that is not stable after so many rounds is left as it is; eight wrong encodings need ten rounds.
const ROUNDS: usize = 12;

/// The edits that repair the mojibake in `text`, in order and without overlap.
fn mojibake(text: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    if text.is_ascii() {
        return edits;
    }
    let table = table();
    let mut scan = Scan { table, runs: Vec::new(), puts: String::new(), sequences: Vec::new(), scored: Vec::new() };
    let mut from = 0;
    while let Some(hit) = suspicious(table, &text.as_bytes()[from..]) {
        let hit = from + hit;
        let line = line_around(text, hit, from);
        from = line.end;
        for part in outside_of_code(text, line) {
            let repaired = repair_line(&mut scan, &text[part.clone()]).into_iter();
            edits.extend(repaired.map(|edit| Edit { at: edit.at.start + part.start..edit.at.end + part.start, ..edit }));
        }
    }
    edits
}

/// The parts of a line that aren't between backticks.
fn outside_of_code(text: &str, line: Range<usize>) -> SmallVec<[Range<usize>; 2]> {
    let backticks: SmallVec<[usize; 4]> =
        memchr::memchr_iter(b'`', text[line.clone()].as_bytes()).map(|at| line.start + at).collect();
    let mut parts = SmallVec::new();
    let mut from = line.start;
    for pair in backticks.chunks_exact(2) {
        parts.push(from..pair[0]);
        from = pair[1] + 1;
    }
    parts.push(from..line.end);
    parts
}

/// `text` with `edits` applied.
fn apply(text: &str, edits: &[Edit]) -> String {
    apply_within(text, 0..text.len(), edits)
}

/// A part of `text` with `edits` applied, which lie within the part.
fn apply_within(text: &str, part: Range<usize>, edits: &[Edit]) -> String {
    let mut out = String::with_capacity(part.len());
    let mut from = part.start;
    for edit in edits {
        out.push_str(&text[from..edit.at.start]);
        out.push_str(&edit.put);
        from = edit.at.end;
    }
    out.push_str(&text[from..part.end]);
    out
}

/// The offset of the first character that may belong to mojibake. This is the fast path for clean text.
fn suspicious(table: &Table, bytes: &[u8]) -> Option<usize> {
    let (mut i, mut two, mut three, mut lead, mut merges) = (0, 0, 0, 0, false);
    while i < bytes.len() {
        let b = bytes[i];
        if b < 0x80 {
            if merges && b == b' ' {
                return Some(i);
            }
            i = skip_ascii(bytes, i + 1);
            (two, three, lead, merges) = (0, 0, 0, false);
            continue;
        }
        // `bytes` is the tail of a `str`, so a sequence is complete.
        let (c, len) = match b {
            ..=0xDF => ((u32::from(b) & 0x1F) << 6 | u32::from(bytes[i + 1]) & 0x3F, 2),
            0xE0..=0xEF => (u32::from(b & 0xF) << 12 | (u32::from(bytes[i + 1]) & 0x3F) << 6 | u32::from(bytes[i + 2]) & 0x3F, 3),
            _ => (u32::MAX, 4),
        };
        let entry = table.code(c);
        if (two | three) & entry.trail != 0 || entry.control {
            return Some(i);
        }
        three = lead & entry.trail;
        lead = entry.lead3;
        (two, merges) = (entry.lead2, entry.merges);
        i += len;
    }
    None
}

/// The offset of the next byte at or after `i` that is not ASCII.
fn skip_ascii(bytes: &[u8], mut i: usize) -> usize {
    while let Some(chunk) = bytes.get(i..).and_then(|rest| rest.first_chunk::<8>()) {
        let high = u64::from_le_bytes(*chunk) & 0x8080_8080_8080_8080;
        if high != 0 {
            return i + high.trailing_zeros() as usize / 8;
        }
        i += 8;
    }
    while i < bytes.len() && bytes[i] < 0x80 {
        i += 1;
    }
    i
}

/// Repairs one line, level by level, until it is stable. A line that never becomes stable is left alone, so that
/// the repair of a repaired text is always empty.
fn repair_line(scan: &mut Scan, line: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut current = Cow::Borrowed(line);
    for round in 0..ROUNDS {
        if round > 0 && suspicious(scan.table, current.as_bytes()).is_none() {
            return edits;
        }
        let mut found = scan.repair_once(&current);
        if found.is_empty() {
            found = controls(&current, !edits.is_empty());
        }
        if found.is_empty() {
            return edits;
        }
        lost_quotes(&current, &mut found);
        let next = apply(&current, &found);
        edits = if edits.is_empty() { found } else { compose(&edits, &current, &found) };
        current = Cow::Owned(next);
    }
    Vec::new()
}

/// Adds the closing quotation marks that lost their last byte, where opening ones that didn't are repaired.
fn lost_quotes(line: &str, found: &mut Vec<Edit>) {
    const REST: &str = "â€";
    if !found.iter().any(|edit| edit.put.contains('“')) {
        return;
    }
    let is_apart =
        |found: &[Edit], at: &Range<usize>| found.iter().all(|edit| edit.at.end <= at.start || at.end <= edit.at.start);
    for (at, _) in line.match_indices(REST) {
        let at = at..at + REST.len();
        let closes = line[..at.start].chars().next_back().is_some_and(|char| !char.is_whitespace());
        let ends = line[at.end..].chars().next().is_none_or(|char| char == ' ' || char.is_ascii_punctuation());
        if closes && ends && is_apart(found, &at) {
            found.push(Edit { at, put: "”".into() });
        }
    }
    found.sort_by_key(|edit| edit.at.start);
}

/// Joins `first`, which makes `text` of an older text, and `second`, which are edits of `text`, into edits of the
/// older text.
fn compose(first: &[Edit], text: &str, second: &[Edit]) -> Vec<Edit> {
    let mut out = Vec::with_capacity(first.len() + second.len());
    // What to add to an offset in `text` to have the one in the older text.
    let mut shift = 0isize;
    let (mut i, mut j) = (0, 0);
    while i < first.len() || j < second.len() {
        let (before, done) = (shift, j);
        let start = first.get(i).map_or(usize::MAX, |edit| edit.at.start.wrapping_add_signed(-shift));
        let start = second.get(j).map_or(start, |edit| start.min(edit.at.start));
        let mut end = start;
        // Takes all edits that overlap each other.
        loop {
            let overlaps = |at: usize| at < end || at == start;
            if let Some(edit) = first.get(i).filter(|edit| overlaps(edit.at.start.wrapping_add_signed(-shift))) {
                end = end.max(edit.at.start.wrapping_add_signed(-shift) + edit.put.len());
                shift += edit.at.len() as isize - edit.put.len() as isize;
                i += 1;
            } else if let Some(edit) = second.get(j).filter(|edit| overlaps(edit.at.start)) {
                end = end.max(edit.at.end);
                j += 1;
            } else {
                break;
            }
        }
        let at = start.wrapping_add_signed(before)..end.wrapping_add_signed(shift);
        out.push(Edit { at, put: apply_within(text, start..end, &second[done..j]) });
    }
    out
}

/// A run of characters that is UTF-8 in one encoding.
#[derive(Clone, Default)]
struct Run {
    at: Range<usize>,
    /// The decoding, as a part of all of them.
    put: Range<usize>,
    encoding: usize,
    /// How odd the text is as it stands, and how good the decoding.
    score: i32,
    /// The decoding has letters of another script than Latin.
    foreign: bool,
    /// The decoding is only one of several, so this run needs others near it.
    doubtful: bool,
}

impl Run {
    fn is_strong(&self) -> bool {
        self.score >= STRONG && !self.doubtful
    }

    /// The encoding, and one for two that hardly differ: their runs support each other.
    fn group(&self) -> usize {
        if self.encoding == TURKISH { 0 } else { self.encoding }
    }

    /// What the run lends to others near it.
    fn support(&self) -> i32 {
        match self.is_strong() {
            true => self.score,
            false if self.doubtful => SUPPORT,
            false => i32::from(self.encoding == MANGLED),
        }
    }
}

/// In place of an encoding: the remains of a sequence that was changed after the damage.
const MANGLED: usize = encodings::COUNT;

/// The search for runs, with what is used for line after line.
struct Scan<'a> {
    table: &'a Table,
    runs: Vec<Run>,
    /// The decodings of all runs.
    puts: String,
    /// The sequences of the present run.
    sequences: Vec<Sequence>,
    /// The sequences of the last run at the same place. Encodings often agree.
    scored: Vec<Sequence>,
}

impl Scan<'_> {
    /// One round: finds the runs and keeps the best ones.
    fn repair_once(&mut self, line: &str) -> Vec<Edit> {
        self.find_runs(line);
        let runs = &self.runs;
        let mut kept: Vec<(&Run, (i32, i32))> = Vec::new();
        let mut near = [[0; 2]; encodings::COUNT + 1];
        let (mut low, mut high) = (0, 0);
        for run in runs {
            while high < runs.len() && runs[high].at.start <= run.at.start + REACH {
                near[runs[high].group()][usize::from(runs[high].foreign)] += runs[high].support();
                high += 1;
            }
            while runs[low].at.start + REACH < run.at.start {
                near[runs[low].group()][usize::from(runs[low].foreign)] -= runs[low].support();
                low += 1;
            }
            let [latin, foreign] = near[run.group()];
            let others = latin + foreign - run.support();
            // In the company of its script even a letter alone is good.
            let least = if run.foreign && foreign >= SUPPORT { LEAST } else { 0 };
            let supported = others >= SUPPORT && run.score >= least;
            if near[MANGLED][0] > 0 || !run.is_strong() && !supported {
                continue;
            }
            let rank = (run.score, others);
            match kept.last_mut() {
                Some(last) if last.0.at.end > run.at.start => *last = if rank > last.1 { (run, rank) } else { *last },
                _ => kept.push((run, rank)),
            }
        }
        let edit = |run: &Run| Edit { at: run.at.clone(), put: self.puts[run.put.clone()].to_string() };
        kept.into_iter().map(|(run, _)| edit(run)).collect()
    }

    fn clear(&mut self) {
        self.runs.clear();
        self.puts.clear();
        self.runs.reserve(32);
        self.sequences.reserve(32);
        self.scored.reserve(32);
    }

    /// Finds all runs of a line that may be repaired, by their start.
    fn find_runs(&mut self, line: &str) {
        let table = self.table;
        self.clear();
        // Up to where each encoding was looked at: no character is read twice in one encoding.
        let mut done = [0; encodings::COUNT];
        let mut at = skip_ascii(line.as_bytes(), 0);
        while let Some(c) = line[at..].chars().next() {
            let (start, end) = (at, at + c.len_utf8());
            at = skip_ascii(line.as_bytes(), end);
            let Some(next) = line[end..].chars().next() else { break };
            let mut leads = table.leads(c, next);
            if c == 'ã' && mangled(table, &line[start..]) {
                let at = start..start;
                self.runs.push(Run { at, encoding: MANGLED, ..Run::default() });
            }
            self.scored.clear();
            while leads != 0 {
                let encoding = leads.trailing_zeros() as usize;
                leads &= leads - 1;
                if done[encoding] <= start {
                    done[encoding] = self.run_at(line, start, encoding);
                }
            }
        }
    }

    /// Adds the longest run that starts at `start`, if it is any good. Tells up to where it has read.
    fn run_at(&mut self, line: &str, start: usize, encoding: usize) -> usize {
        self.sequences.clear();
        let mut read = start;
        while let Some(next) = sequence(self.table, line, read, encoding) {
            read = next.end;
            self.sequences.push(next);
        }
        // A question mark after a lead is a lost byte only within a run.
        while self.sequences.last().is_some_and(|s| s.bytes == 2 && s.lost == Some('?')) {
            self.sequences.pop();
        }
        let Some(last) = self.sequences.last() else { return read };
        let end = last.end;
        match self.runs.last() {
            // The likelier encodings come first, and explain it.
            Some(run) if encoding >= MAC && run.is_strong() && run.at.start == start && run.at.end >= end => return read,
            Some(run) if self.scored == self.sequences && (run.encoding >= MAC) == (encoding >= MAC) => {
                self.runs.push(Run { encoding, ..run.clone() });
                return read;
            }
            _ => (),
        }
        let score = score(line, start, encoding, &self.sequences);
        if score >= LEAST {
            // Windows-1252 and MacRoman can both explain it, with different results.
            let doubtful = &line[start..end] == "Ã¥";
            let foreign = self.sequences.iter().any(|s| is_letter(s.put) && !is_latin(s.put));
            let (at, from) = (start..end, self.puts.len());
            self.puts.extend(self.sequences.iter().map(|s| s.put));
            let put = from..self.puts.len();
            self.runs.push(Run { at, put, encoding, score, foreign, doubtful });
            std::mem::swap(&mut self.sequences, &mut self.scored);
        }
        read
    }
}

/// One UTF-8 sequence seen through an encoding.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Sequence {
    end: usize,
    put: char,
    /// A plain space stands for the byte A0.
    space: bool,
    /// A byte is lost: as U+FFFD, or as a question mark.
    lost: Option<char>,
    /// How many bytes of UTF-8.
    bytes: usize,
}

/// How many bytes a sequence with this first byte has.
fn length(lead: u8) -> usize {
    match lead {
        ..=0xDF => 2,
        0xE0..=0xEF => 3,
        _ => 4,
    }
}

/// Reads one sequence at `start`.
fn sequence(table: &Table, line: &str, start: usize, encoding: usize) -> Option<Sequence> {
    let mut chars = line[start..].chars();
    let lead = table.lead(chars.next()?, encoding)?;
    let bytes = length(lead);
    let mut seq = Sequence { put: '\u{FFFD}', bytes, ..Sequence::default() };
    let mut code = u32::from(lead) & (0x7F >> bytes);
    let mut good = 0;
    for _ in 1..bytes {
        let c = chars.next()?;
        let byte = match c {
            '?' | '\u{FFFD}' => {
                seq.lost = if seq.lost == Some('?') { seq.lost } else { Some(c) };
                0x80
            }
            ' ' if table.spaced >> encoding & 1 == 1 => {
                seq.space = true;
                0xA0
            }
            _ => {
                good += 1;
                table.trail(c, encoding)?
            }
        };
        code = code << 6 | u32::from(byte) & 0x3F;
    }
    seq.end = line.len() - chars.as_str().len();
    if bytes == 2 && seq.space {
        return spaced(table, line, start, encoding, seq, code);
    }
    if seq.lost.is_some() {
        return (!seq.space && (good > 0 || bytes == 2)).then_some(seq);
    }
    if good == 0 {
        return None;
    }
    if (0xD800..0xDC00).contains(&code) && bytes == 3 {
        return surrogates(table, line, seq, code, encoding);
    }
    let least = [0x80, 0x800, 0x10000][bytes - 2];
    seq.put = char::from_u32(code).filter(|char| code >= least && !is_noncharacter(*char))?;
    // A quotation mark whose last byte was lost, mostly, and a space that was one.
    let is_lost_quote = seq.space && seq.put == '†';
    (!is_lost_quote).then_some(seq)
}

/// The second half of a character that was written as two surrogates of three bytes each.
fn surrogates(table: &Table, line: &str, mut seq: Sequence, high: u32, encoding: usize) -> Option<Sequence> {
    let mut chars = line[seq.end..].chars();
    if table.lead(chars.next()?, encoding)? != 0xED {
        return None;
    }
    let second = u32::from(table.trail(chars.next()?, encoding)?);
    let third = u32::from(table.trail(chars.next()?, encoding)?);
    let low = 0xD000 | (second & 0x3F) << 6 | third & 0x3F;
    if !(0xDC00..0xE000).contains(&low) {
        return None;
    }
    seq.put = char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?;
    seq.end = line.len() - chars.as_str().len();
    Some(seq)
}

/// A sequence of two bytes, the second of which became a plain space. After "à" the space mostly was the merger of a
/// no-break space and a space, so one is kept.
fn spaced(table: &Table, line: &str, start: usize, encoding: usize, mut seq: Sequence, code: u32) -> Option<Sequence> {
    seq.put = char::from_u32(code)?;
    let after = line[seq.end..].chars().next();
    let before = line[..start].chars().next_back();
    let alone = before.is_none_or(char::is_whitespace);
    match seq.put {
        '\u{A0}' if encoding == 0 => (),
        'à' if before.is_some_and(is_upper) => return None,
        'à' if after.is_some_and(|c| !c.is_whitespace()) && !rest_of_word(&line[seq.end..]) => seq.end -= 1,
        'à' => (),
        'Š' if after.is_some_and(is_lower) && alone => (),
        _ => {
            // Elsewhere the space counts only if the run goes on behind it.
            let mut next = line[seq.end..].chars();
            table.lead(next.next()?, encoding).and(table.trail(next.next()?, encoding))?;
        }
    }
    Some(seq)
}

/// Whether the text goes on with the rest of a word in "à": Portuguese "às", "àquele" and its forms, or a Vietnamese
/// word such as "làm" or "hàng".
fn rest_of_word(rest: &str) -> bool {
    let end = rest.find(|c: char| !is_letter(c)).unwrap_or(rest.len());
    let word = &rest[..end];
    let apostrophe = rest[end..].starts_with(['\'', '’']) || rest[end..].starts_with("â€™");
    !apostrophe && matches!(word, "s" | "quele" | "queles" | "quela" | "quelas" | "quilo" | "m" | "n" | "ng" | "nh")
}

/// Whether a pair is the end of a word in capitals, such as Portuguese "AMANHÃ" or Russian "СССР", or a letter in quotation marks, and a sign that
/// may follow any word.
fn ends_capitals(pair: &str, before: Option<char>, rest: &str) -> bool {
    let mut pair = pair.chars();
    let is_sign = |char: char| matches!(char, '”' | '“' | '’' | '»' | '›' | '…' | '—' | '–');
    let opens = |char: char| matches!(char, '«' | '„' | '“' | '‹');
    let (letter, sign) = (pair.next(), pair.next());
    let is_closed = letter.is_some_and(|letter| is_upper(letter) && !is_latin(letter))
        && matches!(sign, Some('”' | '“' | '»' | '›'))
        && before.is_some_and(|before| is_upper(before) || opens(before));
    let is_end = letter == Some('Ã') && sign.is_some_and(is_sign) && sign != Some('“') && before.is_some_and(is_upper);
    (is_closed || is_end) && !rest.starts_with(char::is_alphabetic)
}

/// The evidence that a run is mojibake: how odd it is as it stands, and how good its decoding is.
fn score(line: &str, start: usize, encoding: usize, sequences: &[Sequence]) -> i32 {
    let mut before = line[..start].chars().rev();
    let (one, two) = (before.next(), before.next());
    let rest = &line[sequences.last().map_or(start, |s| s.end)..];
    if sequences.len() == 1
        && sequences[0].bytes == 2
        && (quoted(&line[..start], rest) || ends_capitals(&line[start..], one, rest))
    {
        return LEAST - 1;
    }
    let (mut strange, mut good) = (0, 0);
    let mut previous = one;
    let mut attached = one.is_some_and(is_word);
    let mut past = (two, one);
    let mut i = start;
    for (n, seq) in sequences.iter().enumerate().take(ENOUGH) {
        let mut chars = line[i..].chars().peekable();
        for _ in line[i..seq.end].chars() {
            let Some(c) = chars.next() else { break };
            // At the start of a word or between signs, a sign and what follows it are usual.
            if attached || previous.is_some_and(is_word) {
                strange += odd(previous, c, chars.peek().copied());
            }
            attached |= i > start || is_word(c);
            previous = Some(c);
        }
        let after = chars.peek().copied();
        strange += prior(&line[i..seq.end], encoding >= MAC, past.1, after);
        let future = sequences.get(n + 1).map_or(after, |s| Some(s.put));
        good += match seq.lost {
            Some('?') => 0,
            Some(_) => 1,
            None => gain(seq.put, past.0, past.1, future),
        };
        past = (past.1, Some(seq.put));
        i = seq.end;
    }
    let lead = line[start..].chars().next();
    strange += lead.map_or(0, |lead| island(one, lead, rest.chars().next()));
    // What is not odd at all needs the support of others.
    (strange + good).min(if strange > 0 { i32::MAX } else { STRONG - 1 })
}

/// Whether the text begins with an "Ã" that was made lower-case and with the byte after it. Text that was changed in
/// that way after it was damaged cannot be repaired, and what else looks like UTF-8 in it is so by chance.
fn mangled(table: &Table, rest: &str) -> bool {
    let mut chars = rest.chars();
    chars.next() == Some('ã')
        && chars.next().is_some_and(|c| matches!(c, 'ƒ' | '‚' | '†' | '¢'))
        && chars.next().is_some_and(|c| is_letter(c) && table.trail(c, 0).is_none())
}

/// The C1 control characters that stand for characters of Windows-1252. The one that may be the end of a line is taken for an ellipsis
/// only within a line, beside others, or where something was repaired.
fn controls(line: &str, was_repaired: bool) -> Vec<Edit> {
    const ELLIPSIS: char = '…'; // written as the next line of ISO 6429
    let controls = line.char_indices().filter(|(_, c)| ('\u{80}'..='\u{9F}').contains(c));
    let mapped = controls.map(|(i, c)| (i, C1[c as usize - 0x80]));
    let mapped: Vec<(usize, char)> = mapped.filter(|(_, to)| !to.is_control()).collect();
    let is_within = |at: usize| line[at + 2..].starts_with([' ', '"', '\'', ')', '?', '!', '”', '’', '»']);
    if !was_repaired && mapped.iter().all(|&(at, to)| to == ELLIPSIS && !is_within(at)) {
        return Vec::new();
    }
    let edit = |(i, to): (usize, char)| Edit { at: i..i + 2, put: to.to_string() };
    mapped.into_iter().map(edit).collect()
}

#[cfg(test)]
mod tests;
