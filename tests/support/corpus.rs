//! Made-up texts whose truth is known: documents with planted repeats beside the clean copy they must give, and corpora of any
//! size for the benches. Everything follows from the seed, on any machine. Knows the rules of DESIGN, section 4, from their
//! text alone and nothing of the crate, so that neither can share the other's mistake: every length is planned well clear of
//! the threshold it is meant to pass or to miss, and every sentence carries a number of its own, so that nothing repeats but
//! what was planted.
#![allow(dead_code, reason = "each test and bench takes the part it needs")]
#![allow(unreachable_pub, reason = "a module that several crates include speaks to whichever includes it")]

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

/// A text, and what must be left of it.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The document.
    pub text: Vec<u8>,
    /// Its clean copy by the rules within a document, byte for byte.
    pub expected: Vec<u8>,
    /// How many paragraphs the clean copy has less than the document.
    pub planted: usize,
}

/// How a document sets its paragraphs. Line ends (LF or CRLF) and the end of the file vary within each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One a line, without blank lines.
    Lines,
    /// One a line, with blank lines between any two.
    Spaced,
    /// Hard-wrapped at 72 columns, with blank lines between any two.
    Wrapped,
    /// One a line, with blank lines here and there.
    Grouped,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::Lines, Kind::Spaced, Kind::Wrapped, Kind::Grouped];

    /// The least length of a paragraph. Lines that stand together must be wider than 120 columns, or they look hard-wrapped;
    /// alone, wider than the 60 columns of verse, or the refrain guard spares their repeats.
    fn least_columns(self) -> usize {
        match self {
            Kind::Lines | Kind::Grouped => 125,
            Kind::Spaced | Kind::Wrapped => 64,
        }
    }

    /// How many line ends stand between a paragraph and the next.
    fn separator(self, random: &mut Random) -> usize {
        match self {
            Kind::Lines => 1,
            Kind::Spaced | Kind::Wrapped => 2 + usize::from(random.chance(15)),
            Kind::Grouped => random.within(1, 3),
        }
    }
}

/// The document of this seed and kind.
pub fn document(seed: u64, kind: Kind) -> Generated {
    let mut draft = Draft::new(seed, kind);
    match draft.author.random.below(6) {
        0 => draft.nothing_to_cut(),
        1 => draft.short_doubled_body(),
        2 => draft.repeated_body(2),
        3 => draft.repeated_body(3),
        4 => draft.block_repeated_later(),
        _ => draft.block_and_lone_paragraph(),
    }
    draft.print()
}

/// A paragraph of a document.
struct Paragraph {
    /// Its text on one line.
    text: String,
    /// How it is set if it is a planted repeat, which must be cut.
    copy: Option<Disguise>,
}

/// What sets a copy apart from its original without making it another text.
#[derive(Clone, Copy)]
enum Disguise {
    /// Nothing.
    Plain,
    /// Some spaces are doubled; a hard-wrapped paragraph is wrapped at another width.
    Spaces,
    /// Some spaces are no-break spaces.
    NoBreak,
    /// Accents are characters of their own (canonically equivalent).
    Decomposed,
}

/// A document in the making.
struct Draft {
    author: Author,
    kind: Kind,
    paragraphs: Vec<Paragraph>,
}

impl Draft {
    fn new(seed: u64, kind: Kind) -> Self {
        // Chinese isn't set in hard-wrapped documents: a line end within it would have to be told from a space.
        let author = Author::new(seed, kind != Kind::Wrapped);
        Self { author, kind, paragraphs: Vec::new() }
    }

    /// Only decoys. The lone paragraph is 285 columns at most, in 2,800 at least: a tenth.
    fn nothing_to_cut(&mut self) {
        self.lone_paragraph();
        self.near_copy();
        self.short_lines();
        self.fill(2800);
    }

    /// A body of 260 to some 500 columns twice: short of 600, but more than a quarter of the document.
    fn short_doubled_body(&mut self) {
        let lede = self.unique(1);
        let body = self.new_body(260);
        self.keep(&body);
        self.copy(&body);
        let tail = self.author.paragraph(self.kind.least_columns());
        if 2 * (lede + columns(&tail)) < 3 * length(&body) && self.author.random.chance(50) {
            self.keep(&[tail]);
        }
    }

    /// After a lede, a body of at least 720 columns so many times over. No lone paragraph: repeats are a large share here.
    fn repeated_body(&mut self, times: usize) {
        self.decoys();
        let least = 720 + self.author.random.below(2500);
        let mut body = self.new_body(least);
        if matches!(self.kind, Kind::Spaced | Kind::Wrapped) && self.author.random.chance(40) {
            body.push("(With inputs from agencies)".to_owned()); // goes with its block, short as it is
        }
        self.keep(&body);
        (1..times).for_each(|_| self.copy(&body));
        if self.author.random.chance(50) {
            self.decoys();
        }
    }

    /// A block of at least 720 columns among other paragraphs, and again further down.
    fn block_repeated_later(&mut self) {
        self.decoys();
        self.block_and_its_copy();
        if self.author.random.chance(60) {
            self.decoys();
        }
    }

    /// The same in a document so long that repeats are less than a seventh of it: the lone paragraph stays, the block goes.
    fn block_and_lone_paragraph(&mut self) {
        self.lone_paragraph();
        let block = self.block_and_its_copy();
        self.decoys();
        self.fill(7 * (block + LONE_COLUMNS.1));
    }

    /// Gives the block's length.
    fn block_and_its_copy(&mut self) -> usize {
        let least = 720 + self.author.random.below(500);
        let body = self.new_body(least);
        self.keep(&body);
        let between = self.author.random.within(1, 6);
        self.unique(between);
        self.copy(&body);
        length(&body)
    }

    /// Paragraphs of at least so many columns together, at least two, perhaps with a mark between them.
    fn new_body(&mut self, least: usize) -> Vec<String> {
        let mut body = Vec::new();
        while body.len() < 2 || length(&body) < least {
            if body.len() == 2 && self.author.random.chance(30) {
                body.push("* * *".to_owned());
            }
            body.push(self.author.paragraph(self.kind.least_columns()));
        }
        body
    }

    /// One to four paragraphs, perhaps with decoys among them; the first and the last are ordinary ones.
    fn decoys(&mut self) {
        let before = self.author.random.within(1, 3);
        self.unique(before);
        if self.author.random.chance(50) {
            self.near_copy();
        }
        if self.author.random.chance(50) {
            self.short_lines();
        }
    }

    /// A paragraph that stands twice and must stay, being neither long nor a large share. Ordinary ones around both.
    fn lone_paragraph(&mut self) {
        let lone = loop {
            let text = self.author.paragraph(LONE_COLUMNS.0);
            if columns(&text) <= LONE_COLUMNS.1 {
                break text;
            }
        };
        self.unique(2);
        self.keep(std::slice::from_ref(&lone));
        let between = self.author.random.within(1, 5);
        self.unique(between);
        self.keep(&[lone]);
        self.unique(1);
    }

    /// A paragraph and one that differs from it in a single digit, so placed that less than 250 columns repeat on either side:
    /// too little for a repeated span of words as well.
    fn near_copy(&mut self) {
        let (text, near) = loop {
            let text = self.author.paragraph(200);
            let digit = middle_digit(&text);
            if columns(&text[..digit]).max(columns(&text[digit..])) < 250 {
                break (text.clone(), with_next_digit(text, digit));
            }
        };
        self.unique(1);
        self.keep(&[text]);
        self.unique(1);
        self.keep(&[near]);
        self.unique(1);
    }

    /// A short line that stands two to four times, each time alone between ordinary paragraphs.
    fn short_lines(&mut self) {
        let line = *self.author.random.pick(&["* * *", "Yes.", "Background", "## What happened next", "“No.”", "Да."]);
        self.unique(1);
        for _ in 0..self.author.random.within(2, 4) {
            self.keep(&[line.to_owned()]);
            self.unique(1);
        }
    }

    /// Adds ordinary paragraphs and gives their length.
    fn unique(&mut self, count: usize) -> usize {
        let new: Vec<String> = (0..count).map(|_| self.author.paragraph(self.kind.least_columns())).collect();
        self.keep(&new);
        length(&new)
    }

    /// Adds ordinary paragraphs until the document has at least so many columns.
    fn fill(&mut self, least: usize) {
        let mut all: usize = self.paragraphs.iter().map(|paragraph| columns(&paragraph.text)).sum();
        while all < least {
            all += self.unique(1);
        }
    }

    fn keep(&mut self, texts: &[String]) {
        self.paragraphs.extend(texts.iter().map(|text| Paragraph { text: text.clone(), copy: None }));
    }

    fn copy(&mut self, texts: &[String]) {
        let disguise = *self.author.random.pick(&[Disguise::Plain, Disguise::Spaces, Disguise::NoBreak, Disguise::Decomposed]);
        self.paragraphs.extend(texts.iter().map(|text| Paragraph { text: text.clone(), copy: Some(disguise) }));
    }

    /// The text, and the text without the copies.
    fn print(mut self) -> Generated {
        let random = &mut self.author.random;
        let line_end = if random.chance(30) { "\r\n" } else { "\n" };
        let last = self.paragraphs.len() - 1;
        let mut line_ends: Vec<usize> = (0..last).map(|_| self.kind.separator(random)).collect();
        line_ends.push(*random.pick(&[0, 1, 1, 1, 2]));
        let texts: Vec<String> = self.paragraphs.iter().map(|paragraph| paragraph.set(self.kind, line_end)).collect();
        let cut: Vec<bool> = self.paragraphs.iter().map(|paragraph| paragraph.copy.is_some()).collect();
        let kept_ends = without_cut_separators(&cut, &line_ends);

        let mut generated = Generated { text: Vec::new(), expected: Vec::new(), planted: 0 };
        for (at, text) in texts.iter().enumerate() {
            generated.text.extend_from_slice(text.as_bytes());
            generated.text.extend_from_slice(line_end.repeat(line_ends[at]).as_bytes());
            if cut[at] {
                generated.planted += 1;
            } else {
                generated.expected.extend_from_slice(text.as_bytes());
            }
            generated.expected.extend_from_slice(line_end.repeat(kept_ends[at]).as_bytes());
        }
        generated
    }
}

/// The length of a lone repeated paragraph: over the 200 columns of the shortest repeat, under the 300 of a span.
const LONE_COLUMNS: (usize, usize) = (225, 285);

/// How many line ends after each paragraph are left, by the separator rule: a cut takes the separator beside it with fewer
/// line ends, at a tie the following one; at the end of the document it takes the preceding one and leaves what follows.
fn without_cut_separators(cut: &[bool], line_ends: &[usize]) -> Vec<usize> {
    let mut left = line_ends.to_vec();
    let mut start = 0;
    while let Some(skipped) = cut[start..].iter().position(|&cut| cut) {
        start += skipped;
        let end = cut[start..].iter().position(|&cut| !cut).map_or(cut.len(), |len| start + len);
        assert!(start > 0, "the first copy is the one that is kept");
        left[start..end - 1].fill(0);
        let takes_following = end < cut.len() && line_ends[end - 1] <= line_ends[start - 1];
        left[if takes_following { end - 1 } else { start - 1 }] = 0;
        start = end;
    }
    left
}

impl Paragraph {
    /// The paragraph as it stands in the document.
    fn set(&self, kind: Kind, line_end: &str) -> String {
        let doubled = matches!(self.copy, Some(Disguise::Spaces));
        let mut text = match kind {
            Kind::Wrapped => wrap(&self.text, if doubled { 64 } else { 72 }, line_end),
            _ if doubled => replace_every_third_space(&self.text, "  "),
            _ => self.text.clone(),
        };
        match self.copy {
            Some(Disguise::NoBreak) => text = replace_every_third_space(&text, "\u{a0}"),
            Some(Disguise::Decomposed) => text = decompose(&text),
            Some(Disguise::Plain | Disguise::Spaces) | None => {}
        }
        text
    }
}

/// Breaks a text into lines of at most `width` columns, each as full as can be.
fn wrap(text: &str, width: usize, line_end: &str) -> String {
    let mut out = String::new();
    let mut line = 0;
    for word in text.split(' ') {
        let wide = columns(word);
        if line == 0 {
            line = wide;
        } else if line + 1 + wide <= width {
            out.push(' ');
            line += 1 + wide;
        } else {
            out.push_str(line_end);
            line = wide;
        }
        out.push_str(word);
    }
    out
}

fn replace_every_third_space(text: &str, put: &str) -> String {
    let mut out = String::new();
    for (at, word) in text.split(' ').enumerate() {
        if at > 0 {
            out.push_str(if at % 3 == 1 { put } else { " " });
        }
        out.push_str(word);
    }
    out
}

fn decompose(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match DECOMPOSED.iter().find(|(composed, _)| *composed == c) {
            Some((_, parts)) => out.push_str(parts),
            None => out.push(c),
        }
    }
    out
}

/// The ASCII digit nearest the middle of a text, which has one.
fn middle_digit(text: &str) -> usize {
    let middle = text.len() / 2;
    let digits = text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit());
    digits.map(|(at, _)| at).min_by_key(|at| at.abs_diff(middle)).expect("every sentence has a number")
}

fn with_next_digit(mut text: String, digit: usize) -> String {
    let next = match &text[digit..=digit] {
        "9" => "0".to_owned(),
        other => (other.parse::<u32>().expect("it is a digit") + 1).to_string(),
    };
    text.replace_range(digit..=digit, &next);
    text
}

fn length(texts: &[String]) -> usize {
    texts.iter().map(|text| columns(text)).sum()
}

/// Display columns, for the characters that an [`Author`] knows.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if matches!(c, '\u{3000}'..='\u{9fff}') { 2 } else { 1 }).sum()
}

/// Writes sentences, no two alike.
struct Author {
    random: Random,
    words: Vec<&'static str>,
    russian: Vec<&'static str>,
    chinese: Option<Vec<char>>,
    last_number: usize,
}

impl Author {
    fn new(seed: u64, chinese: bool) -> Self {
        let mut random = Random(seed);
        let last_number = 10_000 + random.below(50_000);
        let list = |words: &'static str| words.split_whitespace().collect();
        let chinese = chinese.then(|| CHINESE.chars().collect());
        Self { random, words: list(WORDS), russian: list(RUSSIAN), chinese, last_number }
    }

    /// Sentences of at least so many columns together. The last one is English and ends in a full stop: no rule can doubt
    /// that a sentence ends there.
    fn paragraph(&mut self, least: usize) -> String {
        let mut text = String::new();
        loop {
            match self.random.below(25) {
                0 => text.push_str(&self.russian()),
                1 => text.push_str(&self.chinese()),
                _ => {}
            }
            text.push_str(&self.english());
            if columns(&text) >= least {
                return text;
            }
            text.push(' ');
        }
    }

    /// A number that occurs once.
    fn number(&mut self) -> usize {
        self.last_number += self.random.within(1, 9);
        self.last_number
    }

    /// A sentence of 7 to 14 words. Its number stands inside it: before a full stop, at the start of a wrapped line, it could
    /// be taken for the number of a list item.
    fn english(&mut self) -> String {
        let count = self.random.within(7, 14);
        let number_at = self.random.within(2, count - 2);
        let quoted = self.random.chance(12).then(|| self.random.within(1, count - 3));
        let mut sentence = String::new();
        for at in 0..count {
            let word = if at == number_at { self.number().to_string() } else { self.word() };
            let word = if at == 0 { capitalized(&word) } else { word };
            let (open, close) = (quoted == Some(at), quoted.is_some_and(|first| first + 1 == at));
            sentence.push_str(if open { "“" } else { "" });
            sentence.push_str(&word);
            sentence.push_str(if close { "”" } else { "" });
            sentence.push_str(if at + 1 == count {
                "."
            } else if at != number_at && self.random.chance(7) {
                ", "
            } else {
                " "
            });
        }
        sentence
    }

    fn word(&mut self) -> String {
        match self.random.below(100) {
            0..6 => (*self.random.pick(&ACCENTED)).to_owned(),
            6..20 => new_word(&mut self.random),
            _ => (*self.random.pick(&self.words)).to_owned(),
        }
    }

    fn russian(&mut self) -> String {
        let count = self.random.within(5, 10);
        let words: Vec<&str> = (0..count).map(|_| *self.random.pick(&self.russian)).collect();
        let number = self.number();
        format!("{} {number} {}. ", capitalized(words[0]), words[1..].join(" "))
    }

    fn chinese(&mut self) -> String {
        let Some(chinese) = &self.chinese else { return String::new() };
        let count = self.random.within(8, 20);
        let mut sentence: String = (0..count).map(|_| *self.random.pick(chinese)).collect();
        let number = self.number();
        let _ = write!(sentence, "第{number}号。 "); // a String takes what is written to it
        sentence
    }
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A word of two to four syllables that no dictionary knows.
pub fn new_word(random: &mut Random) -> String {
    (0..random.within(2, 4)).map(|_| *random.pick(&SYLLABLES)).collect()
}

/// Writes about `bytes` bytes (never less, at most a block more): blocks of 8 to 40 consecutive paragraphs, of which so many
/// percent repeat an earlier block of the last few megabytes.
///
/// A paragraph is one line of half to one and a half times `paragraph` bytes. With lines of one length a text without blank
/// lines would look hard-wrapped, and be a single paragraph.
///
/// # Errors
/// Those of `out`.
pub fn big_text(
    seed: u64,
    bytes: usize,
    paragraph: usize,
    repeated_percent: u32,
    blank_lines: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut typist = Typist::new(seed);
    let mut recent = Recent::default();
    let mut out = io::BufWriter::with_capacity(1 << 20, out); // blocks are small, calls of the system dear
    let mut written = 0;
    while written < bytes {
        if typist.random.chance(repeated_percent as usize)
            && let Some(block) = recent.any(&mut typist.random)
        {
            out.write_all(block)?;
            written += block.len();
            continue;
        }
        let mut block = Vec::new();
        for _ in 0..typist.random.within(8, 40) {
            let len = paragraph / 2 + typist.random.below(paragraph + 1);
            typist.paragraph(len, &mut block);
            block.extend_from_slice(if blank_lines { b"\n\n" } else { b"\n" });
        }
        out.write_all(&block)?;
        written += block.len();
        recent.add(block);
    }
    out.flush()
}

/// Writes so many files of 0.5 to 12 KB, .txt and .md, into subfolders of 500 in `dir`; in one of 66 the body stands twice.
/// Gives their size together.
///
/// # Errors
/// If a folder or a file can't be written.
pub fn folder(seed: u64, files: usize, dir: &Path) -> io::Result<u64> {
    const PER_FOLDER: usize = 500;
    let mut typist = Typist::new(seed);
    let mut total = 0;
    let mut text = Vec::new();
    for file in 0..files {
        let subfolder = dir.join(format!("{:04}", file / PER_FOLDER));
        if file % PER_FOLDER == 0 {
            std::fs::create_dir_all(&subfolder)?;
        }
        text.clear();
        typist.article(&mut text);
        let extension = if typist.random.chance(50) { "txt" } else { "md" };
        std::fs::write(subfolder.join(format!("{file:07}.{extension}")), &text)?;
        total += text.len() as u64;
    }
    Ok(total)
}

/// The blocks of the last few megabytes: what a repeat may repeat.
#[derive(Default)]
struct Recent {
    blocks: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Recent {
    const MOST_BYTES: usize = 4 << 20;

    fn any(&self, random: &mut Random) -> Option<&[u8]> {
        (!self.blocks.is_empty()).then(|| self.blocks[random.below(self.blocks.len())].as_slice())
    }

    fn add(&mut self, block: Vec<u8>) {
        self.bytes += block.len();
        self.blocks.push_back(block);
        while self.bytes > Self::MOST_BYTES {
            self.bytes -= self.blocks.pop_front().map_or(0, |oldest| oldest.len());
        }
    }
}

/// Writes plain English faster than a disk takes it.
struct Typist {
    random: Random,
    /// Words with a space behind them, each in a field of fixed size: copying the whole field costs less than asking its length
    /// first.
    words: Vec<([u8; Self::FIELD], u8)>,
    number: u64,
}

impl Typist {
    const FIELD: usize = 16;
    /// As many words as ten random bits can name.
    const WORDS: usize = 1 << 10;
    /// Sentences end at the first word after so many bytes.
    const SENTENCE: usize = 70;

    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let mut words: Vec<_> = WORDS.split_whitespace().map(in_field).collect();
        words.resize_with(Self::WORDS, || in_field(&new_word(&mut random)));
        Self { random, words, number: 10_000_000 }
    }

    /// A text with blank lines between its paragraphs, of 0.5 to 12 KB.
    fn article(&mut self, out: &mut Vec<u8>) {
        let bytes = self.random.within(500, 12_000);
        if self.random.one_in(66) {
            self.paragraphs(bytes / 10, out);
            let body = out.len();
            self.paragraphs(bytes.max(1500) * 2 / 5, out);
            out.extend_from_within(body..);
        } else {
            self.paragraphs(bytes, out);
        }
        out.pop(); // no blank line at the end
    }

    fn paragraphs(&mut self, bytes: usize, out: &mut Vec<u8>) {
        let end = out.len() + bytes;
        while out.len() < end {
            let len = self.random.within(100, 600).min((end - out.len()).max(70));
            self.paragraph(len, out);
            out.extend_from_slice(b"\n\n");
        }
    }

    /// Adds sentences of about `bytes` bytes together, the first with a number that occurs once.
    fn paragraph(&mut self, bytes: usize, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + bytes + 4 * Self::FIELD, 0);
        let mut at = self.sentence_start(out, start);
        let mut sentence = start;
        at = put_number::<8>(out, at, self.number);
        self.number += 1;
        let mut bits = Bits::default();
        while at < start + bytes {
            if at - sentence > Self::SENTENCE {
                out[at - 1] = b'.';
                out[at] = b' ';
                sentence = at + 1;
                at = self.sentence_start(out, sentence);
            }
            let (field, len) = &self.words[bits.ten(&mut self.random)];
            out[at..at + Self::FIELD].copy_from_slice(field);
            at += usize::from(*len);
        }
        out[at - 1] = b'.';
        out.truncate(at);
    }

    /// Puts a word with a capital letter at `at` and gives where the next one goes.
    fn sentence_start(&mut self, out: &mut [u8], at: usize) -> usize {
        let (field, len) = &self.words[self.random.below(Self::WORDS)];
        out[at..at + Self::FIELD].copy_from_slice(field);
        out[at].make_ascii_uppercase();
        at + usize::from(*len)
    }
}

fn in_field(word: &str) -> ([u8; Typist::FIELD], u8) {
    let len = word.len().min(Typist::FIELD - 1);
    let mut field = [b' '; Typist::FIELD];
    field[..len].copy_from_slice(&word.as_bytes()[..len]);
    (field, len as u8 + 1)
}

/// Puts a number of so many digits and a space at `at` and gives where the next word goes.
pub fn put_number<const DIGITS: usize>(out: &mut [u8], at: usize, number: u64) -> usize {
    let mut rest = number;
    for digit in out[at..at + DIGITS].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out[at + DIGITS] = b' ';
    at + DIGITS + 1
}

/// Random numbers of ten bits, six to a step of the generator.
#[derive(Default)]
struct Bits {
    bits: u64,
    left: u32,
}

impl Bits {
    fn ten(&mut self, random: &mut Random) -> usize {
        if self.left == 0 {
            (self.bits, self.left) = (random.next(), 6);
        }
        let ten = (self.bits & 1023) as usize;
        self.bits >>= 10;
        self.left -= 1;
        ten
    }
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): small, quick, any seed will do.
pub struct Random(pub u64);

impl Random {
    /// Sixty-four random bits.
    #[allow(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number less than `end`.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    /// A number from `least` to `most`.
    pub fn within(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }

    /// True so many times in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// True once in so many times.
    pub fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Ordinary words of two letters or more: a single one before a bracket or full stop could be taken for a list marker.
const WORDS: &str = "
    about above across after again against air almost along already also although always among and animal another answer
    any apple area around arrive art ask at autumn away back bad ball bank be bear beautiful because become before begin
    behind believe below best better between big bird black blue boat body book both bottle bread break bridge bring brother
    brown build building business but buy by call can captain car carry cat cause centre chair change child church city
    class clean clear climb close cloud coast coat cold colour come common company condition contain cook cool copy corner
    could council country course cover cross cry cut dance dark daughter day deep did differ direction do doctor dog done
    door down draw dream dress drink drive dry during each ear early earth east easy eat edge egg end engine enough even
    evening ever every example eye face fact fall family far farm fast father feel few field figure fill final find fine
    fire first fish floor flower fly follow food foot force forest form found four free fresh friend from front full game
    garden gave general gentle gold good government grass great green ground group grow hair half hand happen happy harbour
    hard have head hear heart heat heavy help here high hill history hold home hope horse hour house hundred idea if inch
    interest iron island join just keep kind king know lake land language large last late laugh law lead learn leave left
    letter level lie life light line list listen little long look love low machine make many map market matter mean measure
    meet men middle might mile milk minute money month moon more morning most mother mountain move much music must name
    near need never new next night north note nothing notice now number object ocean of off office often oil old on once
    one only open or order other our out over own page paint pair paper part pass people perhaps person picture piece
    place plain plan plane plant play point poor possible power present problem produce proof pull question quick quiet
    rain reach read ready real reason record red remember rest rich ride right ring river road rock roof room rope round
    rule run safe said sail salt same sand say school sea season second see seed seem sentence seven several shape ship
    short should show side silver simple since sing sister sit six sleep slow small snow so soft some song soon south
    speak spring stand star start state station stay steel still stone stood story street strong study such summer sun
    sure table take talk teacher tell ten than that the their them then there these thing think this thousand though three
    through time together told tomorrow too took top toward town trade train travel tree true try turn two under until up
    use valley very village visit voice wait walk wall want warm was watch water way wear weather week well were west what
    wheel when where while white who whole why wide will wind window winter wish with woman wonder wood word work world
    would write year yellow yesterday yet young";

const SYLLABLES: [&str; 40] = [
    "ba", "bel", "cor", "da", "den", "dri", "el", "fa", "fen", "gal", "gor", "ha", "hin", "is", "jo", "ka", "kel", "la", "lin",
    "lo", "ma", "mer", "mi", "na", "nor", "ol", "pa", "per", "qui", "ra", "ron", "sa", "sil", "ta", "ter", "tu", "va", "ven",
    "wy", "za",
];

/// What they are made of is in [`DECOMPOSED`].
const ACCENTED: [&str; 12] =
    ["café", "naïve", "façade", "über", "señor", "château", "fiancée", "Zürich", "São", "Malmö", "crème", "Łódź"];

/// Composed characters and the canonical decomposition of each (Unicode, UnicodeData.txt, field 5).
const DECOMPOSED: [(char, &str); 13] = [
    ('é', "e\u{301}"),
    ('ï', "i\u{308}"),
    ('ç', "c\u{327}"),
    ('ü', "u\u{308}"),
    ('ñ', "n\u{303}"),
    ('â', "a\u{302}"),
    ('ã', "a\u{303}"),
    ('ö', "o\u{308}"),
    ('è', "e\u{300}"),
    ('ó', "o\u{301}"),
    ('ź', "z\u{301}"),
    ('й', "и\u{306}"),
    ('ё', "е\u{308}"),
];

const RUSSIAN: &str = "
    вечером город старый дом стоит над рекой люди говорят что зимой снег идёт новый мост строили долго потом лодка пришла";

const CHINESE: &str = "春天河水慢流过老城市人们在桥上走看远山云雨后新书店开门孩子学习写字夜里月光照海边船回来";
