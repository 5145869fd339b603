//! Made-up documents that repeat one another, as pages of the web do, and of which it is known what repeats.
//!
//! Everything follows from the seed, on any machine, and a corpus of fewer bytes is the beginning of a larger one. A paragraph is
//! a line. One that is new carries a number that occurs once, so nothing repeats but what is meant to: whole documents, blocks
//! of an earlier document, boilerplate, and short lines. The truth is kept unambiguous: a block has well over 200 columns, begins
//! and ends with prose, and stands between new prose; boilerplate stands at the edge of a document and ends with a sentence; short
//! lines stand between new prose; and a document that is new has a line wider than any wrapped text.

use super::corpus::{Random, new_word, put_number};
use std::ops::Range;

/// How many documents in a hundred are there before.
const COPIES_PERCENT: usize = 19;
/// How many new documents in a hundred begin with boilerplate, and how many end with it.
const BOILERPLATE_PERCENT: usize = 40;
/// How many steps of a hundred add a block of an earlier document, a short line, a heading; the others add prose.
const BLOCK_PERCENT: usize = 8;
const SHORT_PERCENT: usize = 4;
const HEADING_PERCENT: usize = 16;
/// A block has so many paragraphs.
const BLOCK_PARAGRAPHS: (usize, usize) = (2, 15);
/// What a repeat must have to be one without doubt; what counts is 200.
const LEAST_COLUMNS: usize = 230;
/// A line of so many bytes, a few of them not ASCII, is wider than the 120 columns of hard-wrapped text.
const WIDE: usize = 180;
/// Sizes of documents: so many bytes where half of the sixteen coins show heads, and half as many again for each head more.
const MIDDLE_BYTES: u64 = 1_800;
const MOST_BYTES: u64 = 100_000;
const LEAST_BYTES: u64 = 400;

/// What a paragraph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// New, and ends with a full stop.
    Prose,
    /// New and short.
    Heading,
    /// Short, perhaps met before, and stays where short runs do.
    Short,
    /// A line of boilerplate that is met for the first time.
    Boilerplate,
    /// Stood in an earlier document, in a run that goes.
    Repeat,
}

/// A document: lines, each ended by `\n`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    pub(crate) text: Vec<u8>,
    pub(crate) paragraphs: Vec<(Range<usize>, Origin)>,
    /// All of it is an earlier document.
    pub(crate) is_copy: bool,
}

impl Document {
    fn clear(&mut self) {
        self.text.clear();
        self.paragraphs.clear();
        self.is_copy = false;
    }

    /// Ends the paragraph that was begun at `start`.
    fn end_paragraph(&mut self, start: usize, origin: Origin) {
        self.paragraphs.push((start..self.text.len(), origin));
        self.text.push(b'\n');
    }

    fn push(&mut self, line: &[u8], origin: Origin) {
        let start = self.text.len();
        self.text.extend_from_slice(line);
        self.end_paragraph(start, origin);
    }

    /// Takes over an earlier document.
    fn copy(&mut self, earlier: &Document) {
        self.text.extend_from_slice(&earlier.text);
        self.paragraphs.extend(earlier.paragraphs.iter().map(|(span, _)| (span.clone(), Origin::Repeat)));
        self.is_copy = true;
    }
}

/// Makes one document after another.
pub(crate) struct Documents {
    random: Random,
    prose: Prose,
    boilerplate: Vec<Boilerplate>,
    earlier: Vec<Document>,
    document: Document,
}

impl Documents {
    const BOILERPLATES: usize = 400;
    const EARLIER: usize = 8192;
    /// One new document of so many is remembered, so that most of what repeats lies far back.
    const REMEMBERED: usize = 6;

    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let mut prose = Prose::new(&mut random);
        let boilerplate = (0..Self::BOILERPLATES).map(|_| Boilerplate::new(&mut random, &mut prose)).collect();
        Self { random, prose, boilerplate, earlier: Vec::new(), document: Document::default() }
    }

    /// The next document.
    pub(crate) fn make(&mut self) -> &Document {
        self.document.clear();
        if !self.earlier.is_empty() && self.random.chance(COPIES_PERCENT) {
            self.document.copy(self.random.pick(&self.earlier));
        } else {
            self.write();
            self.remember();
        }
        &self.document
    }

    fn remember(&mut self) {
        if self.earlier.len() < Self::EARLIER {
            self.earlier.push(self.document.clone());
        } else if self.random.one_in(Self::REMEMBERED) {
            let place = self.random.below(Self::EARLIER);
            self.earlier[place].clone_from(&self.document);
        }
    }

    fn write(&mut self) {
        let bytes = self.size();
        self.add_boilerplate();
        self.add_heading();
        self.add_prose(WIDE);
        // Between two steps the last paragraph is always new prose.
        while self.document.text.len() < bytes {
            let step = self.random.below(100);
            if step < BLOCK_PERCENT {
                self.add_block();
            } else if step < BLOCK_PERCENT + SHORT_PERCENT {
                self.document.push(self.random.pick(&SHORT).as_bytes(), Origin::Short);
            } else if step < BLOCK_PERCENT + SHORT_PERCENT + HEADING_PERCENT {
                self.add_heading();
            }
            let bytes = self.prose_bytes();
            self.add_prose(bytes);
        }
        self.add_boilerplate();
    }

    /// Near a log-normal distribution, by whole numbers alone: sixteen coins say how often half is added.
    fn size(&mut self) -> usize {
        let heads = (self.random.next() as u16).count_ones();
        let middle = MIDDLE_BYTES * 3u64.pow(heads) / 2u64.pow(heads) * 2u64.pow(8) / 3u64.pow(8);
        let bytes = middle + self.random.below(middle as usize / 2) as u64;
        bytes.clamp(LEAST_BYTES, MOST_BYTES) as usize
    }

    /// Most paragraphs are short, a few very long.
    fn prose_bytes(&mut self) -> usize {
        if self.random.one_in(50) {
            return self.random.within(1000, 2000);
        }
        let most = if self.random.chance(90) { 320 } else { self.random.below(321) };
        80 + self.random.below(most + 1)
    }

    fn add_prose(&mut self, bytes: usize) {
        let start = self.document.text.len();
        self.prose.sentences(&mut self.random, bytes, &mut self.document.text);
        self.document.end_paragraph(start, Origin::Prose);
    }

    fn add_heading(&mut self) {
        let start = self.document.text.len();
        let bytes = self.random.within(10, 48);
        self.prose.heading(&mut self.random, bytes, &mut self.document.text);
        self.document.end_paragraph(start, Origin::Heading);
    }

    fn add_boilerplate(&mut self) {
        if !self.random.chance(BOILERPLATE_PERCENT) {
            return;
        }
        // Some sites are much larger than others.
        let site = self.random.below(Self::BOILERPLATES).min(self.random.below(Self::BOILERPLATES));
        let boilerplate = &mut self.boilerplate[site];
        let origin = if boilerplate.is_known { Origin::Repeat } else { Origin::Boilerplate };
        boilerplate.is_known = true;
        boilerplate.lines.iter().for_each(|line| self.document.push(line, origin));
    }

    /// Adds consecutive paragraphs of an earlier document that were new there, if the ones that were met are long enough.
    fn add_block(&mut self) {
        if self.earlier.is_empty() {
            return;
        }
        let earlier = self.random.pick(&self.earlier);
        let start = self.random.below(earlier.paragraphs.len());
        let most = self.random.within(BLOCK_PARAGRAPHS.0, BLOCK_PARAGRAPHS.1);
        let of_prose = |at: &usize| earlier.paragraphs[*at].1 == Origin::Prose;
        let was_new = |&(_, origin): &&(Range<usize>, Origin)| !matches!(origin, Origin::Boilerplate | Origin::Repeat);
        let count = earlier.paragraphs[start..].iter().take(most).take_while(was_new).count();
        let Some(first) = (start..start + count).find(of_prose) else { return };
        let last = (start..start + count).rfind(of_prose).unwrap_or(first);
        let columns: usize =
            (first..=last).filter(of_prose).map(|at| columns(&earlier.text[earlier.paragraphs[at].0.clone()])).sum();
        if last - first + 1 < BLOCK_PARAGRAPHS.0 || columns < LEAST_COLUMNS {
            return;
        }
        for (span, _) in &earlier.paragraphs[first..=last] {
            self.document.push(&earlier.text[span.clone()], Origin::Repeat);
        }
    }
}

/// The columns of a line without wide or combining characters.
fn columns(line: &[u8]) -> usize {
    line.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

/// What a site puts above or below its documents.
struct Boilerplate {
    lines: Vec<Vec<u8>>,
    /// It has stood in a document.
    is_known: bool,
}

impl Boilerplate {
    /// A few links, and sentences behind them: wide enough not to be verse, long enough to go.
    fn new(random: &mut Random, prose: &mut Prose) -> Self {
        let mut lines: Vec<Vec<u8>> = (0..random.within(2, 9)).map(|_| random.pick(&MENU).as_bytes().to_vec()).collect();
        for _ in 0..random.within(1, 3) {
            let mut line = Vec::new();
            let bytes = LEAST_COLUMNS + random.below(60);
            prose.sentences(random, bytes, &mut line);
            lines.push(line);
        }
        Self { lines, is_known: false }
    }
}

/// Writes prose with the frequencies of words that languages have, faster than a disk takes it.
struct Prose {
    /// Words with a space behind them, each in a field of fixed size: copying the whole field costs less than asking its length
    /// first.
    words: Vec<([u8; Self::FIELD], u8)>,
    draw: Vec<Alias>,
    number: u64,
}

/// A place of the table from which a word is drawn: the word itself below the limit, else another one.
#[derive(Clone, Copy, Default)]
struct Alias {
    limit: u16,
    other: u16,
}

impl Prose {
    const FIELD: usize = 16;
    const WORDS: usize = 50_000;
    /// As many places as sixteen random bits can name.
    const PLACES: usize = 1 << 16;
    /// Sentences end at the first word after so many bytes.
    const SENTENCE: usize = 85;
    /// One word of so many is in letters that aren't ASCII.
    const FOREIGN: usize = 27;

    fn new(random: &mut Random) -> Self {
        let words = (0..Self::WORDS).map(|rank| in_field(&word(random, rank))).collect();
        Self { words, draw: aliases(Self::WORDS, Self::PLACES), number: 100_000_000 }
    }

    /// Adds sentences of about `bytes` bytes together, the first with a number that occurs once.
    fn sentences(&mut self, random: &mut Random, bytes: usize, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + bytes + 6 * Self::FIELD, 0);
        let mut at = self.begin(random, out, start);
        let mut sentence = start;
        while at < start + bytes {
            let bits = random.next();
            if at - sentence > Self::SENTENCE {
                out[at - 1] = b'.';
                out[at] = b' ';
                sentence = at + 1;
                at = put(out, sentence, self.word(bits));
                capitalize(&mut out[sentence..]);
                continue;
            }
            at = put(out, at, self.word(bits));
            match bits >> 56 {
                0..14 if at - sentence < Self::SENTENCE => {
                    out[at - 1] = b',';
                    out[at] = b' ';
                    at += 1;
                }
                14 if at - sentence < Self::SENTENCE => {
                    out[at] = b'"';
                    at = put(out, at + 1, self.word(bits.rotate_left(20)));
                    out[at - 1] = b'"';
                    out[at] = b' ';
                    at += 1;
                }
                _ => {}
            }
        }
        at = put(out, at, self.word(random.next())); // no comma or quote before the full stop
        out[at - 1] = b'.';
        out.truncate(at);
    }

    /// Adds a few words of about `bytes` bytes, a number that occurs once among them, and no full stop.
    fn heading(&mut self, random: &mut Random, bytes: usize, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + bytes + 4 * Self::FIELD, 0);
        let mut at = self.begin(random, out, start);
        while at < start + bytes {
            at = put(out, at, self.word(random.next()));
        }
        out.truncate(at - 1);
    }

    /// Puts a word with a capital letter and the next number at `at`; gives where the next word goes.
    fn begin(&mut self, random: &mut Random, out: &mut [u8], at: usize) -> usize {
        let number_at = put(out, at, self.word(random.next()));
        capitalize(&mut out[at..]);
        self.number += 1;
        put_number::<9>(out, number_at, self.number)
    }

    fn word(&self, bits: u64) -> &([u8; Self::FIELD], u8) {
        let place = bits as u16;
        let alias = self.draw[usize::from(place)];
        let word = if ((bits >> 16) as u16) < alias.limit { place } else { alias.other };
        &self.words[usize::from(word)]
    }
}

/// Puts a word at `at` and gives where the next one goes.
fn put(out: &mut [u8], at: usize, (field, len): &([u8; Prose::FIELD], u8)) -> usize {
    out[at..at + Prose::FIELD].copy_from_slice(field);
    at + usize::from(*len)
}

/// Foreign words are capitals already.
fn capitalize(text: &mut [u8]) {
    text[0].make_ascii_uppercase();
}

/// The word of this rank: the more frequent, the shorter.
fn word(random: &mut Random, rank: usize) -> String {
    let mut word = String::new();
    let syllables = match rank {
        0..60 => 1,
        60..4000 => 2,
        _ => 3,
    };
    if rank % Prose::FOREIGN == Prose::FOREIGN - 1 {
        (0..syllables.min(2)).for_each(|_| word.push_str(random.pick::<&str>(&FOREIGN)));
        return word;
    }
    while word.len() < 2 * syllables {
        word.push_str(&new_word(random)[..2]);
    }
    if random.chance(50) {
        word.push(*random.pick(&['n', 'r', 's', 't', 'l', 'd', 'y']));
    }
    word
}

fn in_field(word: &str) -> ([u8; Prose::FIELD], u8) {
    assert!(word.len() < Prose::FIELD, "{word} doesn't fit, or would be cut inside a character");
    let mut field = [b' '; Prose::FIELD];
    field[..word.len()].copy_from_slice(word.as_bytes());
    (field, word.len() as u8 + 1)
}

/// The table by which word n is drawn as often as Zipf's law has it, 1 / (n + 3), in one look (Walker's alias method): each
/// place stands for a word and, above its limit, for another.
fn aliases(words: usize, places: usize) -> Vec<Alias> {
    let weights: Vec<f64> = (0..words).map(|rank| 1.0 / (rank + 3) as f64).collect();
    let sum: f64 = weights.iter().sum();
    let mut left: Vec<f64> = weights.iter().map(|weight| weight / sum * places as f64).collect();
    left.resize(places, 0.0);
    let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..places).partition(|&place| left[place] < 1.0);
    let mut table: Vec<Alias> = (0..places).map(|place| Alias { limit: u16::MAX, other: place as u16 }).collect();
    while let (Some(&giver), Some(taker)) = (large.last(), small.pop()) {
        table[taker] = Alias { limit: (left[taker] * 65536.0) as u16, other: giver as u16 };
        left[giver] -= 1.0 - left[taker];
        if left[giver] < 1.0 {
            large.pop();
            small.push(giver);
        }
    }
    // What rounding left over, if it is no word, stands for the first one.
    for place in &mut table[words..] {
        if place.limit == u16::MAX {
            *place = Alias::default();
        }
        place.limit = 0;
    }
    table
}

/// Lines that repeat and say nothing.
const SHORT: [&str; 12] = [
    "* * *",
    "Read more",
    "Share",
    "Advertisement",
    "Yes.",
    "Continue reading",
    "Photo: archive",
    "Back to top",
    "Comments",
    "No.",
    "See also",
    "Café “Zürich”",
];

const MENU: [&str; 24] = [
    "Home",
    "About us",
    "Contact",
    "Privacy",
    "Terms of use",
    "News",
    "Sport",
    "Culture",
    "Opinion",
    "Weather",
    "Archive",
    "Jobs",
    "Subscribe",
    "Log in",
    "Register",
    "Search",
    "Help",
    "Imprint",
    "Newsletter",
    "Shop",
    "Events",
    "Gallery",
    "Русский",
    "Français",
];

const FOREIGN: [&str; 16] = ["né", "çà", "ür", "só", "Ło", "mö", "è", "ñu", "да", "но", "вы", "ре", "ši", "ží", "Æn", "îl"];
