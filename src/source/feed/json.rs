//! JSON Feed (<https://www.jsonfeed.org/version/1.1/>).

use super::{About, Body, Fault, Feed, Item, Written, line};
use crate::document::Span;
use crate::source::jsonl::id_in_words;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Whole<'a> {
    #[serde(borrow)]
    version: Option<&'a RawValue>,
    #[serde(borrow)]
    items: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    url: Option<&'a RawValue>,
    #[serde(borrow)]
    external_url: Option<&'a RawValue>,
    #[serde(borrow)]
    title: Option<&'a RawValue>,
    #[serde(borrow)]
    content_html: Option<&'a RawValue>,
    #[serde(borrow)]
    content_text: Option<&'a RawValue>,
    #[serde(borrow)]
    summary: Option<&'a RawValue>,
    #[serde(borrow)]
    date_published: Option<&'a RawValue>,
    #[serde(borrow)]
    date_modified: Option<&'a RawValue>,
    #[serde(borrow)]
    attachments: Option<Vec<Attachment<'a>>>,
}

#[derive(Deserialize)]
struct Attachment<'a> {
    #[serde(borrow)]
    url: Option<&'a RawValue>,
}

pub(super) fn read(text: &str, from: usize) -> Result<Feed, Fault> {
    let reading = Reading { text };
    let whole: Whole = reading.value(&text[from..])?;
    let version = whole.version.map(words);
    let is_feed = version.flatten().is_some_and(|version| version.contains("jsonfeed.org/version/"));
    let (Some(items), true) = (whole.items, is_feed) else {
        let what = if is_feed { "it has no items" } else { "its version isn't one of JSON Feed" };
        return Err(Fault::NoFeed { what: what.into() });
    };
    let list: Vec<&RawValue> = reading.value(items.get())?;
    let places: Vec<Span> = list.iter().map(|item| reading.place(item.get())).collect();
    let mut feed = Feed::default();
    for (number, item) in list.into_iter().enumerate() {
        let place = places[number];
        let before = number.checked_sub(1).map(|before| places[before].end);
        let behind = places.get(number + 1).map_or(place.end, |next| next.start);
        let extent = Span { start: before.unwrap_or(place.start), end: place.end };
        let leading = Span { start: place.start, end: behind };
        feed.items.push(Item { extent, leading, ..reading.item(item.get(), place)? });
    }
    Ok(feed)
}

/// A string as it reads, or another value as it is written; nothing for no text.
fn words(value: &RawValue) -> Option<String> {
    let words = id_in_words(value.get().as_bytes()).trim().to_string();
    (!words.is_empty() && value.get() != "null").then_some(words)
}

struct Reading<'a> {
    text: &'a str,
}

impl<'a> Reading<'a> {
    fn place(&self, part: &str) -> Span {
        let start = part.as_ptr() as usize - self.text.as_ptr() as usize;
        Span::new(start, start + part.len())
    }

    /// A value that is a part of the text.
    fn value<T: Deserialize<'a>>(&self, part: &'a str) -> Result<T, Fault> {
        serde_json::from_str(part).map_err(|error| {
            let before = line(self.text, self.place(part).range().start);
            let reason = error.to_string();
            let reason = reason.split(" at line ").next().unwrap_or(&reason).to_string();
            Fault::Json { line: before + (error.line() as u64).saturating_sub(1), reason }
        })
    }

    fn item(&self, part: &'a str, place: Span) -> Result<Item, Fault> {
        let entry: Entry = self.value(part)?;
        let body = |name, value: Option<&RawValue>, is_html| {
            let value = value.filter(|value| value.get() != "null")?;
            let written = self.place(value.get());
            if !value.get().starts_with('"') {
                let reason = format!("{name} is no string");
                return Some(Err(Fault::Json { line: line(self.text, written.range().start), reason }));
            }
            let at = Span { start: written.start + 1, end: written.end - 1 };
            Some(Ok(Body { name, at, written: Written::String, is_html: Some(is_html) }))
        };
        let bodies = [
            body("content_html", entry.content_html, true),
            body("content_text", entry.content_text, false),
            body("summary", entry.summary, false),
        ];
        let id_at = entry.id.map_or(Span::default(), |id| self.place(id.get()));
        let attachments = entry.attachments.unwrap_or_default();
        let about = About {
            id: entry.id.and_then(words),
            link: entry.url.or(entry.external_url).and_then(words),
            title: entry.title.and_then(words),
            date: entry.date_published.or(entry.date_modified).and_then(words),
            place,
            id_at,
            other_ids: Vec::new(),
            brings: attachments.into_iter().filter_map(|attachment| attachment.url.and_then(words)).collect(),
        };
        let bodies = bodies.into_iter().flatten().collect::<Result<_, _>>()?;
        Ok(Item { about, bodies, ..Item::default() })
    }
}
