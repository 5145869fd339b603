//! What was found in one document, with the line numbers people look for.

use super::evidence::Reads;
use super::{Evidence, Wanted, visible};
use crate::Plan;
use crate::compare::columns;
use crate::document::{Block, Rule, Span, Witness};
use crate::runner::{Planned, Portion};
use crate::sheaf::Layout;
use crate::tidy::{Counts, Encoded};
use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The repeats of one document.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Finding {
    /// The document's path; in JSON, bytes that aren't UTF-8 stand as U+FFFD.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// The line of its file that it is, if it is a record, or else its number; of a feed's item its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// Its id, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether its lines are those of the file, although it may be a record.
    #[serde(skip)]
    pub has_lines_of_file: bool,
    /// Whether it is dropped as a whole.
    pub dropped: bool,
    /// Whether this is only what came of it before its stream broke off.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut_short: bool,
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
    /// How often each repair was made.
    #[serde(skip_serializing_if = "Counts::tell_nothing")]
    pub repairs: Counts,
    /// What it was decoded from, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoded_from: Option<&'static str>,
    /// The blocks, the longest first; perhaps only the longest.
    pub repeats: Vec<Repeat>,
}

/// One block that repeats.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Repeat {
    /// The rule that found it.
    pub rule: crate::document::Rule,
    /// Its lines; of a record those of its text, of a feed's item those of the file.
    pub lines: Lines,
    /// The numbers of its paragraphs in their text, if that isn't written as it reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paragraph_numbers: Option<Lines>,
    /// Its bytes in the file.
    pub bytes: Span,
    /// The earlier document that holds the text that stays; none: the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeats_document: Option<Earlier>,
    /// The lines of the text that stays; none for an earlier record, or an earlier text that is no longer in memory.
    pub repeats_lines: Vec<Lines>,
    /// The bytes of the text that stays; none for one that is no longer in memory.
    pub repeats_bytes: Vec<Span>,
    /// Whether its lines are those of the text that stays to the byte; if not, their compared forms are. `None` for one that is no
    /// longer in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identical: Option<bool>,
    /// What tells the text that stays from any other in its file.
    #[serde(skip)]
    pub kept: Span,
    /// The numbers of the paragraphs that stay, if they are of the same document and that isn't written as it reads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repeats_paragraph_numbers: Vec<Lines>,
    /// How many paragraphs it holds.
    pub paragraphs: u64,
    /// Its length in display columns.
    pub columns: u64,
    /// How many columns its text has without what repeats in that, if it isn't written as it reads.
    #[serde(skip)]
    pub unique: Option<u64>,
    /// How it begins, at most 72 characters.
    pub begins: String,
    /// What is kept of its text, if that was asked for.
    #[serde(skip)]
    pub evidence: Option<Arc<Evidence>>,
}

/// An earlier document.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Earlier {
    /// Its path.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// The line of its file that it is, if it is a record, or its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// Whether its lines are those of the file, although it is a record.
    #[serde(skip)]
    pub has_lines_of_file: bool,
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Passage {
    /// The path of its file.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// The line of its file that its document is, if that is a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// The id of its document, if that has one and it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its lines; of a record those of its text, of a feed's item those of the file. If there are none, it is the document, or they aren't
    /// known.
    pub lines: Vec<Lines>,
    /// Whether those are of the file.
    #[serde(skip)]
    pub has_lines_of_file: bool,
}

impl Passage {
    /// The first of its lines, if they are known.
    pub fn first_line(&self) -> Option<u64> {
        self.lines.first().map(|lines| lines.first)
    }
}

/// As editors and terminals take it, "a.txt:15-27"; of a record as "a.jsonl:2 (its id) lines 15–27", of a feed's item as
/// "a.xml:15-27 (item 2, its id)".
impl fmt::Display for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible(&self.path.to_string_lossy()))?;
        if let (Some(item), true) = (self.record, self.has_lines_of_file) {
            if !self.lines.is_empty() {
                write!(f, ":{}", listed(&self.lines, Lines::in_numbers))?;
            }
            let id = self.id.as_ref().map_or_else(String::new, |id| format!(", {}", visible(id)));
            return write!(f, " (item {item}{id})");
        }
        self.record.map_or(Ok(()), |record| write!(f, ":{record}"))?;
        self.id.as_ref().map_or(Ok(()), |id| write!(f, " ({})", visible(id)))?;
        match self.record {
            _ if self.lines.is_empty() => Ok(()),
            None => write!(f, ":{}", listed(&self.lines, Lines::in_numbers)),
            Some(_) => write!(f, " {}", listed(&self.lines, Lines::to_string)),
        }
    }
}

fn lossy<S: serde::Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&path.display())
}

/// The first few of several lines.
fn listed(lines: &[Lines], show: impl Fn(&Lines) -> String) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = lines.iter().take(SHOWN).map(show).collect();
    let more = if lines.len() > SHOWN { " and more" } else { "" };
    format!("{}{more}", shown.join(", "))
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

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.named("line"))
    }
}

impl Lines {
    /// How many they are.
    pub fn count(&self) -> u64 {
        self.last - self.first + 1
    }

    /// The same of something else that is numbered: "paragraphs 4–6".
    pub(crate) fn named(&self, noun: &str) -> String {
        if self.first == self.last { format!("{noun} {}", self.first) } else { format!("{noun}s {}–{}", self.first, self.last) }
    }

    fn in_numbers(&self) -> String {
        if self.first == self.last { self.first.to_string() } else { format!("{}-{}", self.first, self.last) }
    }
}

impl Finding {
    /// What was found in a document: its longest blocks, at most so many, and what is `wanted` of their texts.
    ///
    /// # Errors
    /// If it can't be read from temporary files where an earlier document stands.
    pub fn new(portion: &Portion, document: &Planned, most: usize, wanted: Option<Wanted>) -> crate::error::Result<Self> {
        let plan = &document.plan;
        let layout = if plan.blocks.is_empty() { None } else { portion.layout(document) };
        let text = Text { portion, start: document.text.start, layout };
        let mut blocks: Vec<(u64, &Block)> = plan.blocks.iter().map(|block| (text.columns(block), block)).collect();
        let by_length = |(columns, block): &(u64, &Block)| (Reverse(*columns), block.repeat.start);
        if most < blocks.len() {
            blocks.select_nth_unstable_by_key(most, by_length);
            blocks.truncate(most);
        }
        blocks.sort_unstable_by_key(by_length);
        let numbers = text.line_numbers(&blocks);
        let lines = |span: &Span| Lines { first: numbers.of(span.start), last: numbers.of(last(span)) };
        let repeat = |(columns, block): (u64, &Block)| {
            let written = text.read(block.repeat);
            let mut repeat = Repeat {
                rule: block.rule,
                lines: lines(&block.repeat),
                bytes: portion.in_file(block.repeat),
                repeats_document: None,
                repeats_lines: Vec::new(),
                repeats_bytes: Vec::new(),
                identical: None,
                kept: Span::default(),
                paragraphs: block.paragraphs as u64,
                columns,
                begins: beginning(&written),
                paragraph_numbers: text.numbers(block.repeat),
                repeats_paragraph_numbers: Vec::new(),
                unique: text.unique(block.repeat, plan),
                evidence: None,
            };
            let witness: Option<Vec<Cow<[u8]>>> = match &block.witness {
                Witness::Here(witness) => {
                    repeat.repeats_lines = witness.iter().map(lines).collect();
                    repeat.repeats_bytes = witness.iter().map(|&span| portion.in_file(span)).collect();
                    repeat.repeats_paragraph_numbers = witness.iter().filter_map(|&span| text.numbers(span)).collect();
                    Some(witness.iter().map(|&span| text.read(span)).collect())
                }
                &Witness::Earlier { first, last } => {
                    let known = portion.earlier(first, last).expect("what has earlier witnesses was compared with them")?;
                    repeat.repeats_document = Some(Earlier {
                        path: known.path.into(),
                        record: known.record,
                        has_lines_of_file: known.has_lines_of_file(),
                    });
                    repeat.repeats_lines = known.lines().map(|(first, last)| Lines { first, last }).into_iter().collect();
                    repeat.repeats_bytes = known.place.into_iter().collect();
                    repeat.kept = Span { start: first.into(), end: last.into() };
                    known.text().map(|text| vec![text.into_owned().into()])
                }
            };
            if let ([first, ..], [.., last]) = (&*repeat.repeats_bytes, &*repeat.repeats_bytes) {
                repeat.kept = Span { start: first.start, end: last.end };
            }
            let quoted = text.lined(block.repeat);
            let reads = Reads {
                text: quoted.as_deref().unwrap_or(&written),
                lines: repeat.paragraph_numbers.unwrap_or(repeat.lines),
                are_paragraphs: quoted.is_some(),
            };
            let stays =
                block.witness.here().first().and_then(|&span| text.lined(span)).zip(repeat.repeats_paragraph_numbers.first());
            let kept = match &stays {
                Some((stays, lines)) => Some(Reads { text: stays, lines: **lines, are_paragraphs: true }),
                None => witness
                    .as_ref()
                    .and_then(|texts| texts.first())
                    .zip(repeat.repeats_lines.first())
                    .map(|(text, &lines)| Reads { text, lines, are_paragraphs: false }),
            };
            repeat.evidence = wanted.map(|wanted| Arc::new(Evidence::new(reads, block.paragraphs, kept, wanted)));
            let is_identical = |witness: Vec<Cow<[u8]>>| lines_of(&written).eq(witness.iter().flat_map(|text| lines_of(text)));
            repeat.identical = witness.map(is_identical);
            Ok(repeat)
        };
        let (here, all) = (portion.extent, document.extent);
        let bytes = here.end.min(all.end) - here.start.max(all.start);
        let removed = if document.is_dropped { bytes } else { plan.removed_bytes() };
        Ok(Self {
            path: portion.input.path().into(),
            record: document.line,
            id: portion.id(document),
            has_lines_of_file: portion.input.form.has_lines_of_file(),
            dropped: document.is_dropped,
            cut_short: portion.source.broken().is_some(),
            bytes,
            clean_bytes: (bytes - removed).saturating_add_signed(portion.growth(document)),
            repairs: document.repairs,
            decoded_from: document.encoded.map(Encoded::name),
            paragraphs: plan.paragraphs as u64,
            repeated_paragraphs: plan.removed_paragraphs() as u64,
            blocks: plan.blocks.len() as u64,
            spared_paragraphs: plan.spared as u64,
            repeats: blocks.into_iter().map(repeat).collect::<crate::error::Result<_>>()?,
        })
    }

    /// Goes on with what was found in the next part of the same document.
    pub(super) fn append(&mut self, mut more: Self, most: usize) {
        self.bytes += more.bytes;
        self.clean_bytes += more.clean_bytes;
        self.paragraphs += more.paragraphs;
        self.repeated_paragraphs += more.repeated_paragraphs;
        self.blocks += more.blocks;
        self.spared_paragraphs += more.spared_paragraphs;
        self.repairs.add(&more.repairs);
        self.repeats.append(&mut more.repeats);
        if self.repeats.len() / 2 > most {
            self.put_in_order(most);
        }
    }

    /// Puts the longest blocks first and leaves out those beyond the first so many.
    pub(super) fn put_in_order(&mut self, most: usize) {
        self.repeats.sort_by_key(|repeat| (Reverse(repeat.columns), repeat.bytes.start));
        self.repeats.truncate(most);
    }

    /// Lines of it, or, without any, where it stands itself.
    pub fn passage(&self, lines: &[Lines]) -> Passage {
        let has_lines_of_file = self.has_lines_of_file;
        Passage { path: self.path.clone(), record: self.record, id: self.id.clone(), lines: lines.into(), has_lines_of_file }
    }

    /// Where the text stands that one of its blocks repeats.
    pub fn repeated(&self, repeat: &Repeat) -> Passage {
        repeat.earlier().unwrap_or_else(|| self.passage(&repeat.repeats_lines))
    }
}

/// The last byte of something that isn't empty. What ends with a line end ends on that line.
fn last(span: &Span) -> u64 {
    span.end - 1
}

/// A text as it is written in a portion.
struct Text<'a> {
    portion: &'a Portion<'a>,
    start: u64,
    layout: Option<Layout<'a>>,
}

impl<'a> Text<'a> {
    fn read(&self, span: Span) -> Cow<'a, [u8]> {
        match &self.layout {
            Some(layout) => layout.read(span).into(),
            None => self.portion.input.form.decoded(span.of(&self.portion.bytes)),
        }
    }

    /// What paragraphs say, a line each, if the text isn't written as it reads.
    fn lined(&self, span: Span) -> Option<Vec<u8>> {
        Some(self.layout.as_ref()?.lines(span))
    }

    /// The numbers of paragraphs, if the text isn't written as it reads.
    fn numbers(&self, span: Span) -> Option<Lines> {
        let (first, last) = self.layout.as_ref()?.numbers(span)?;
        Some(Lines { first, last })
    }

    /// How many columns the text that a block is in has without what repeats in it, if it isn't written as it reads.
    fn unique(&self, span: Span, plan: &Plan) -> Option<u64> {
        let (all, columns) = self.layout.as_ref()?.text_around(span)?;
        let is_in = |block: &&Block| all.start <= block.repeat.start && block.repeat.end <= all.end;
        let within = plan.blocks.iter().filter(|block| block.rule == Rule::RepeatedBlock).filter(is_in);
        Some(columns.saturating_sub(within.map(|block| block.columns).sum()))
    }

    /// The columns of a block, if need be those of its lines.
    fn columns(&self, block: &Block) -> u64 {
        if block.columns > 0 {
            return block.columns;
        }
        let text = self.read(block.repeat);
        let lines = text.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        lines.map(|line| u64::from(columns(line))).sum()
    }

    /// The line numbers of just those bytes at which blocks, and witnesses beside them, begin and end.
    fn line_numbers(&self, blocks: &[(u64, &Block)]) -> LineNumbers {
        let spans = blocks.iter().flat_map(|(_, block)| block.witness.here().iter().copied().chain([block.repeat]));
        let mut numbers: Vec<(u64, u64)> = spans.flat_map(|span| [(span.start, 0), (last(&span), 0)]).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let (form, bytes) = (self.portion.input.form, &self.portion.bytes);
        let (mut at, mut line) = (self.start, 1);
        for (byte, number) in &mut numbers {
            line = if !form.has_lines_of_file() {
                line + form.line_ends(&bytes[at as usize..*byte as usize]) as u64
            } else {
                self.portion.source.line(*byte)
            };
            (at, *number) = (*byte, line);
        }
        LineNumbers(numbers)
    }
}

impl Repeat {
    /// It, in words: "lines 15–27", or, if its text isn't written as it reads, "paragraphs 6–9".
    pub fn in_words(&self) -> String {
        self.paragraph_numbers.map_or_else(|| self.lines.to_string(), |numbers| numbers.named("paragraph"))
    }

    /// Whether that is one line, or paragraph.
    pub fn is_one(&self) -> bool {
        self.paragraph_numbers.unwrap_or(self.lines).count() == 1
    }

    /// What it repeats, in words.
    pub fn repeated_in_words(&self) -> String {
        if let Some(earlier) = self.earlier() {
            return earlier.to_string();
        }
        match &*self.repeats_paragraph_numbers {
            [] => listed(&self.repeats_lines, Lines::to_string),
            numbers => listed(numbers, |numbers| numbers.named("paragraph")),
        }
    }

    /// Where the text stands that it repeats, if that is an earlier document.
    fn earlier(&self) -> Option<Passage> {
        let Earlier { path, record, has_lines_of_file } = self.repeats_document.clone()?;
        Some(Passage { path, record, id: None, lines: self.repeats_lines.clone(), has_lines_of_file })
    }
}

/// Bytes and their line numbers, in order.
struct LineNumbers(Vec<(u64, u64)>);

impl LineNumbers {
    fn of(&self, byte: u64) -> u64 {
        self.0[self.0.partition_point(|&(at, _)| at < byte)].1
    }
}

/// The lines of a text, less blank ones.
fn lines_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = text.split(|&byte| byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).filter(|line| !line.trim_ascii().is_empty())
}

/// How a block begins, at most so many characters.
pub(crate) fn beginning(block: &[u8]) -> String {
    let line = block.trim_ascii_start().split(|&byte| byte == b'\n').next().unwrap_or_default();
    let text = String::from_utf8_lossy(&line[..line.len().min(4 * BEGINNING)]);
    let mut out: String = text.trim_end().chars().take(BEGINNING).collect();
    if out.len() < line.trim_ascii_end().len() {
        out = format!("{}…", out.trim_end_matches('\u{fffd}'));
    }
    out
}
