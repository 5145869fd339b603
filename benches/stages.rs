//! How fast each stage is, on one thread: `cargo bench --bench stages`. The texts follow from a fixed seed.

#[path = "../tests/support/corpus.rs"]
mod corpus;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use unecho::detect::runs::repeated_runs;
use unecho::document::Repeat;
use unecho::fingerprint::Hash;
use unecho::index::{Index, Proof};
use unecho::segment::{Manner, Segmenter, Segments};
use unecho::{Match, Plan, Settings, apply, compare, fingerprint, source};

const BYTES: usize = 32 << 20;
const REPEATED_PERCENT: u32 = 20;

fn main() {
    // One thread: the figures are a core's.
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("nothing has started threads yet");
    divan::main();
}

fn text(paragraph: usize) -> Vec<u8> {
    text_with(paragraph, true)
}

fn text_with(paragraph: usize, blank_lines: bool) -> Vec<u8> {
    let mut text = Vec::new();
    corpus::big_text(7, BYTES, paragraph, REPEATED_PERCENT, blank_lines, &mut text).expect("memory takes what is written to it");
    text
}

fn read(text: &[u8], how: Match, mut each: impl FnMut(&[Segments])) {
    let mut segmenter = Segmenter::new(text, Manner { how, unit: unecho::Unit::Paragraph, is_measured: true, hash: Hash::Fast });
    let mut batch = Vec::new();
    while segmenter.next_batch(&mut batch).expect("no paragraph is too large") {
        each(&batch);
    }
}

/// What is done to every byte: paragraphs, compared form, columns, fingerprint. With blank lines between paragraphs or without.
#[divan::bench(args = [(75, true), (75, false), (600, true)])]
fn split_and_hash(bencher: Bencher, (paragraph, blank_lines): (usize, bool)) {
    let text = text_with(paragraph, blank_lines);
    bencher.counter(BytesCount::new(text.len())).bench(|| {
        let mut segments = 0;
        read(&text, Match::Text, |batch| segments += batch.iter().map(|part| part.list.len()).sum::<usize>());
        segments
    });
}

/// XXH3-128 alone, over the same paragraphs: what the stage above can't be faster than.
#[divan::bench(args = [75, 600])]
fn hash_alone(bencher: Bencher, paragraph: usize) {
    let text = text(paragraph);
    let mut spans = Vec::new();
    read(&text, Match::Text, |batch| {
        spans.extend(batch.iter().flat_map(|part| part.list.iter().map(|segment| segment.span())));
    });
    bencher
        .counter(BytesCount::new(text.len()))
        .bench(|| spans.iter().fold(0, |sum, span| sum ^ fingerprint::fingerprint(span.of(&text))));
}

/// The slow path of the compared form: curly quotes, accents, no-break spaces.
#[divan::bench(args = [Match::Text, Match::Loose])]
fn compared_form_beyond_ascii(bencher: Bencher, how: Match) {
    let paragraph = "“Café au lait”, naïve as ever, was served at the château — twice.\u{a0}".repeat(8);
    let mut scratch = Vec::new();
    bencher
        .counter(BytesCount::new(paragraph.len()))
        .bench_local(|| compare::compared(paragraph.as_bytes(), how, &mut scratch).len());
}

/// Fingerprints into the table; the bytes are taken for equal where the fingerprints are.
#[divan::bench(args = [10_000, 1_000_000])]
fn index(bencher: Bencher, segments: u64) {
    let prints: Vec<u128> = (0..segments).map(|at| fingerprint::fingerprint(&(at * at % (segments - 7)).to_le_bytes())).collect();
    bencher.counter(ItemsCount::new(segments)).bench(|| Index::new(1, prints.len()).enter(&[&prints], &Trust));
}

struct Trust;

impl Proof for Trust {
    fn same(&self, _: u32, _: u32) -> bool {
        true
    }

    fn touch(&self, _: &[u32]) -> u8 {
        0
    }
}

/// A million repeats: copies of blocks of 24, every eighth of which holds a line that stood elsewhere before.
#[divan::bench]
fn runs(bencher: Bencher) {
    const BLOCK: u32 = 24;
    let repeats: Vec<Repeat> = (0..1_000_000u32)
        .map(|at| {
            let odd = (at / BLOCK).is_multiple_of(8) && at % BLOCK == 11;
            Repeat { at: 2_000_000 + at + at / BLOCK, kept: if odd { 3 } else { 2 * at / BLOCK * BLOCK + at % BLOCK } }
        })
        .collect();
    bencher.counter(ItemsCount::new(repeats.len())).bench(|| repeated_runs(&repeats, |_| 75, 200));
}

/// Everything up to the cuts.
#[divan::bench(args = [75, 600])]
fn plan(bencher: Bencher, paragraph: usize) {
    let text = text(paragraph);
    let document = source::text::document(&text);
    bencher.counter(BytesCount::new(text.len())).bench(|| Plan::new(&document, &Settings::default()));
}

/// The clean copy, into memory.
#[divan::bench(args = [75, 600])]
fn apply_cuts(bencher: Bencher, paragraph: usize) {
    let text = text(paragraph);
    let plan = Plan::new(&source::text::document(&text), &Settings::default()).expect("no paragraph is too large");
    bencher.counter(BytesCount::new(text.len())).bench(|| apply::without(&text, plan.cuts.iter().map(|cut| cut.at)));
}

/// The small case: a whole article, as the library's one function takes it.
#[divan::bench]
fn one_article(bencher: Bencher) {
    let article = include_str!("../fixtures/doubled-article.txt");
    bencher.counter(BytesCount::new(article.len())).bench(|| unecho::clean(article, &Settings::default()));
}
