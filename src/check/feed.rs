//! What is wrong with a feed as a feed: one id for two items, an item twice, a body that begins with its title or its summary.

use super::hit::Hit;
use super::{Level, Policy, Rule};
use crate::document::Span;
use crate::fingerprint::fingerprint;
use crate::report::{Evidence, Fingerprint, Lines, Passage, Reads, Wanted, beginning};
use crate::runner::{Planned, Portion, Words};
use crate::source::{About, Form};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

/// From so many columns on a body that two items have is the same item, whatever their titles.
const LONG: u64 = 200;

/// What is found in a feed beside what repeats in its bodies.
#[derive(Default)]
pub(super) struct Findings {
    /// By item.
    pub(super) hits: Vec<Hit>,
    /// The items, for those of other feeds to be held against.
    pub(super) items: Vec<Item>,
}

/// An item, for those of other feeds.
pub(super) struct Item {
    /// What its body and, if that is short, its title say.
    key: u128,
    /// What is said of it if another feed had it before.
    hit: Hit,
}

/// The items of the feeds so far.
#[derive(Default)]
pub(super) struct Feeds {
    paths: Vec<PathBuf>,
    /// By what they say: the number of the path, that of the item, and its line.
    items: FxHashMap<u128, (u32, u32, u32)>,
}

impl Findings {
    /// What is found in a feed; nothing in anything else.
    pub(super) fn of(portion: &Portion, policy: &Policy, wanted: Wanted) -> Self {
        if portion.input.form != Form::Feed {
            return Self::default();
        }
        let mut reading = Reading { portion, wanted, ids: FxHashMap::default(), bodies: FxHashMap::default(), hits: Vec::new() };
        let mut items = Vec::new();
        for document in &portion.documents {
            let Some(about) = portion.about(document) else { continue };
            let texts = portion.words(document);
            reading.ids(document, about);
            reading.body(document, about, &texts);
            if policy.compares_feeds {
                items.extend(reading.item(document, about, &texts));
            }
        }
        Self { hits: reading.hits, items }
    }
}

impl Feeds {
    /// Takes the items of a feed in, and gives those that another one had before.
    pub(super) fn add(&mut self, path: &Path, items: Vec<Item>) -> Vec<Hit> {
        if items.is_empty() {
            return Vec::new();
        }
        let here = self.paths.len() as u32;
        self.paths.push(path.into());
        let again = |Item { key, mut hit }| {
            let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
            let own = (here, small(hit.at.record.unwrap_or_default()), small(hit.at.first_line().unwrap_or_default()));
            let &mut (path, item, line) = self.items.entry(key).or_insert(own);
            let lines = vec![Lines { first: line.into(), last: line.into() }];
            let path = (path != here).then(|| self.paths[path as usize].clone())?;
            let first = Passage { path, record: Some(item.into()), id: None, lines, has_lines_of_file: true };
            hit.message = format!("an item that says the same stands in {first}");
            hit.repeats = Some(first);
            Some(hit)
        };
        items.into_iter().filter_map(again).collect()
    }
}

/// A feed under way.
struct Reading<'a> {
    portion: &'a Portion<'a>,
    wanted: Wanted<'a>,
    /// By what kind of id and by the id itself: the item that had it first, and where that stands.
    ids: FxHashMap<(&'static str, &'a str), Option<(&'a Planned, Span)>>,
    /// By what a body says: the item that has it first.
    bodies: FxHashMap<u128, (&'a Planned, &'a About)>,
    hits: Vec<Hit>,
}

impl<'a> Reading<'a> {
    fn passage(&self, document: &Planned, place: Span) -> Passage {
        let line = |at: u64| self.portion.line(at);
        let lines = vec![Lines { first: line(place.start), last: line(place.end.max(place.start + 1) - 1) }];
        Passage {
            path: self.portion.input.path().into(),
            record: document.line,
            id: self.portion.id(document),
            lines,
            has_lines_of_file: true,
        }
    }

    /// Its ids are its own.
    fn ids(&mut self, document: &'a Planned, about: &'a About) {
        if self.ids.is_empty()
            && let Some(of_feed) = self.portion.id_of_feed()
        {
            self.ids.insert((About::ID, of_feed), None);
        }
        let own = about.id.as_deref().map(|id| (about.id_at, About::ID, id));
        let others = about.other_ids.iter().map(|(at, kind, id)| (*at, *kind, id.as_str()));
        for (place, kind, id) in own.into_iter().chain(others) {
            let first = match self.ids.entry((kind, id)) {
                Entry::Vacant(new) => {
                    new.insert(Some((document, place)));
                    continue;
                }
                Entry::Occupied(first) => *first.get(),
            };
            let of = match first {
                None => "the feed itself".into(),
                Some((first, _)) if first.line == document.line => "something else in it".into(),
                Some((first, _)) => format!("item {}", first.line.unwrap_or_default()),
            };
            let message = format!("the id is the one of {of}");
            let about = (self.portion.in_file(place), Fingerprint::of(format!("{kind} {id}").as_bytes()));
            let (at, first) = (self.passage(document, place), first.map(|(first, place)| self.passage(first, place)));
            self.hits.push(Hit { begins: id.into(), ..Hit::told(Rule::RepeatedId, message, at, about, first) });
        }
    }

    /// Its body is its own, and begins with neither its title nor its summary.
    fn body(&mut self, document: &'a Planned, about: &'a About, texts: &[Words]) {
        let Some(body) = texts.first().filter(|body| !body.paragraphs.is_empty()) else { return };
        let own = key(body, about);
        match own.map(|own| self.bodies.entry(own)) {
            None => {}
            Some(Entry::Vacant(new)) => _ = new.insert((document, about)),
            Some(Entry::Occupied(first)) => {
                let (first, of_first) = *first.get();
                let then = self.portion.words(first);
                if then.first().is_some_and(|then| then.paragraphs == body.paragraphs) {
                    let message = format!("the {} says what {} says", body.name, named(first, of_first));
                    let kept = then.first().map(|then| (self.passage(first, then.at), then));
                    let hit = self.hit(Rule::RepeatedItem, message, document, body, kept);
                    self.hits.push(hit);
                }
            }
        }
        let is_beginning = |other: &&Words| {
            let count = other.paragraphs.len();
            count > 0 && body.paragraphs.get(..count).is_some_and(|begins| begins == other.paragraphs)
        };
        if let Some(summary) = texts[1..].iter().find(is_beginning) {
            let is_all = summary.paragraphs.len() == body.paragraphs.len();
            let message = match is_all {
                true if body.name == summary.name => format!("there are two of {}, which say the same", body.name),
                true => format!("the {} says what the {} says", body.name, summary.name),
                false => format!("the {} begins with what the {} says", body.name, summary.name),
            };
            let kept = Some((self.passage(document, summary.at), summary));
            let beginning = body.beginning(summary.paragraphs.len());
            let hit = self.hit(Rule::BodyRepeatsSummary, message, document, &beginning, kept);
            self.hits.push(hit);
        }
        let is_title = |title: &Vec<u8>| !title.is_empty() && body.paragraphs.first().is_some_and(|first| **first == **title);
        if let Some(title) = about.title.as_deref().map(Words::of_title).filter(is_title) {
            let message = format!("the {} begins with the title", body.name);
            let beginning = body.beginning(1);
            let title = Words { name: "title", at: about.title_at, paragraphs: vec![title.into()], columns: 0 };
            let kept = Some((self.passage(document, about.title_at), &title));
            let hit = self.hit(Rule::BodyRepeatsTitle, message, document, &beginning, kept);
            self.hits.push(hit);
        }
    }

    /// It as it stands in the feed, for other feeds, if it says anything.
    fn item(&self, document: &Planned, about: &About, texts: &[Words]) -> Option<Item> {
        let body = texts.first().filter(|body| !body.paragraphs.is_empty())?;
        let mut hit = self.hit(Rule::ItemInTwoFeeds, String::new(), document, body, None);
        hit.at = self.passage(document, about.place);
        Some(Item { key: key(body, about)?, hit })
    }

    fn hit(&self, rule: Rule, message: String, document: &Planned, body: &Words, kept: Option<(Passage, &Words)>) -> Hit {
        let text = body.text();
        let of_kept = kept.as_ref().map(|(_, words)| (words.text(), numbers(words)));
        let reads = |text, lines| Reads { text, lines, are_paragraphs: true };
        let kept_reads = of_kept.as_ref().map(|(text, lines)| reads(text, *lines));
        let evidence = Evidence::new(reads(&text, numbers(body)), body.paragraphs.len(), kept_reads, self.wanted);
        let about = (self.portion.in_file(body.at), evidence.fingerprint);
        let at = self.passage(document, body.at);
        Hit {
            paragraphs: body.paragraphs.len() as u64,
            columns: body.columns,
            begins: beginning(&text),
            evidence: Some(evidence.into()),
            ..Hit::told(rule, message, at, about, kept.map(|(passage, _)| passage))
        }
    }
}

/// What tells the body of an item from others: what it says, and, if that is little, what its title says; without one nothing.
fn key(body: &Words, about: &About) -> Option<u128> {
    let mut all = Vec::with_capacity(size_of::<u128>() * (body.paragraphs.len() + 1));
    let mut add = |text: &[u8]| all.extend_from_slice(&fingerprint(text).to_ne_bytes());
    body.paragraphs.iter().for_each(|paragraph| add(paragraph));
    if body.columns < LONG {
        add(&Words::of_title(about.title.as_deref()?));
    }
    Some(fingerprint(&all))
}

/// The numbers of its paragraphs.
fn numbers(body: &Words) -> Lines {
    Lines { first: 1, last: body.paragraphs.len().max(1) as u64 }
}

fn named(document: &Planned, about: &About) -> String {
    let number = document.line.unwrap_or_default();
    match about.id.as_ref().or(about.link.as_ref()) {
        Some(id) => format!("item {number} ({id})"),
        None => format!("item {number}"),
    }
}

/// The level of a rule in a file.
pub(super) fn leveled(mut hit: Hit, policy: &Policy, path: &Path) -> Option<Hit> {
    hit.level = policy.levels.of(hit.rule, path);
    (hit.level > Level::Off).then_some(hit)
}
