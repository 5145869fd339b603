//! What was found in one document, with the line numbers people look for.

use crate::Plan;
use crate::document::{Block, Span};
use std::cmp::Reverse;
use std::path::Path;

/// The repeats of one document.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Finding {
    /// The document's path; bytes that aren't UTF-8 stand as U+FFFD.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The size of its clean copy.
    pub clean_bytes: u64,
    /// The number of its paragraphs.
    pub paragraphs: u64,
    /// How many of them repeat.
    pub repeated_paragraphs: u64,
    /// How many blocks those form.
    pub blocks: u64,
    /// How many paragraphs equal another one and stay all the same, by the rules.
    pub spared_paragraphs: u64,
    /// The blocks, the longest first; perhaps only the longest.
    pub repeats: Vec<Repeat>,
}

/// One block that repeats.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Repeat {
    /// The rule that found it.
    pub rule: crate::document::Rule,
    /// Its lines.
    pub lines: Lines,
    /// Its bytes.
    pub bytes: Span,
    /// The lines of the text that stays.
    pub repeats_lines: Vec<Lines>,
    /// The bytes of the text that stays.
    pub repeats_bytes: Vec<Span>,
    /// Whether its lines are those of the text that stays to the byte; if not, their compared forms are.
    pub identical: bool,
    /// How many paragraphs it holds.
    pub paragraphs: u64,
    /// Its length in display columns.
    pub columns: u64,
    /// How it begins, at most 72 characters.
    pub begins: String,
}

/// The first and the last line of something, from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Lines {
    /// The first.
    pub first: u64,
    /// The last; it may be the first.
    pub last: u64,
}

/// How much of a block is quoted: what fits on a line of a terminal.
const BEGINNING: usize = 72;

impl std::fmt::Display for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.first == self.last { write!(f, "line {}", self.first) } else { write!(f, "lines {}–{}", self.first, self.last) }
    }
}

impl Finding {
    /// What `plan` found in `source`, the longest blocks first and at most so many.
    pub fn new(path: &Path, source: &[u8], plan: &Plan, most: usize) -> Self {
        let mut blocks: Vec<&Block> = plan.blocks.iter().collect();
        let by_length = |block: &&Block| (Reverse(block.columns), block.repeat.start);
        if most < blocks.len() {
            blocks.select_nth_unstable_by_key(most, by_length);
            blocks.truncate(most);
        }
        blocks.sort_unstable_by_key(by_length);
        let numbers = LineNumbers::new(source, &blocks);
        let lines = |span: &Span| Lines { first: numbers.of(span.start), last: numbers.of(span.end) };
        let repeat = |block: &Block| Repeat {
            rule: block.rule,
            lines: lines(&block.repeat),
            bytes: block.repeat,
            repeats_lines: block.witness.iter().map(lines).collect(),
            repeats_bytes: block.witness.clone(),
            identical: lines_of(source, &[block.repeat]).eq(lines_of(source, &block.witness)),
            paragraphs: block.paragraphs as u64,
            columns: block.columns,
            begins: beginning(block.repeat.of(source)),
        };
        Self {
            path: path.to_string_lossy().into_owned(),
            bytes: source.len() as u64,
            clean_bytes: source.len() as u64 - plan.removed_bytes(),
            paragraphs: plan.paragraphs as u64,
            repeated_paragraphs: plan.removed_paragraphs() as u64,
            blocks: plan.blocks.len() as u64,
            spared_paragraphs: plan.spared as u64,
            repeats: blocks.into_iter().map(repeat).collect(),
        }
    }
}

impl Repeat {
    /// The lines it repeats, in words.
    pub fn repeated_lines(&self) -> String {
        const SHOWN: usize = 3;
        let shown: Vec<String> = self.repeats_lines.iter().take(SHOWN).map(Lines::to_string).collect();
        let more = if self.repeats_lines.len() > SHOWN { " and more" } else { "" };
        format!("{}{more}", shown.join(", "))
    }
}

/// The line numbers of just those bytes at which blocks and witnesses begin and end, in order.
struct LineNumbers(Vec<(u64, u64)>);

impl LineNumbers {
    fn new(source: &[u8], blocks: &[&Block]) -> Self {
        let spans = blocks.iter().flat_map(|block| block.witness.iter().chain([&block.repeat]));
        let mut numbers: Vec<(u64, u64)> = spans.flat_map(|span| [(span.start, 0), (span.end, 0)]).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let (mut at, mut line) = (0, 1);
        for (byte, number) in &mut numbers {
            line += memchr::memchr_iter(b'\n', &source[at..*byte as usize]).count() as u64;
            (at, *number) = (*byte as usize, line);
        }
        Self(numbers)
    }

    fn of(&self, byte: u64) -> u64 {
        self.0[self.0.partition_point(|&(at, _)| at < byte)].1
    }
}

/// The lines of some stretches, less blank ones.
fn lines_of<'a>(source: &'a [u8], spans: &'a [Span]) -> impl Iterator<Item = &'a [u8]> {
    let lines = spans.iter().flat_map(|span| span.of(source).split(|&byte| byte == b'\n'));
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).filter(|line| !line.trim_ascii().is_empty())
}

fn beginning(block: &[u8]) -> String {
    let line = block.trim_ascii_start().split(|&byte| byte == b'\n').next().unwrap_or_default();
    let text = String::from_utf8_lossy(&line[..line.len().min(4 * BEGINNING)]);
    let mut out: String = text.trim_end().chars().take(BEGINNING).collect();
    if out.len() < line.trim_ascii_end().len() {
        out = format!("{}…", out.trim_end_matches('\u{fffd}'));
    }
    out
}
