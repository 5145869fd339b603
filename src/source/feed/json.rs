//! JSON Feed (<https://www.jsonfeed.org/version/1.1/>).

use super::{About, Body, Fault, Feed, Item, Written, line};
use crate::document::Span;
use crate::source::jsonl::id_in_words;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// An object, whose values are left as they are written, each with its key as it reads.
struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// The value of a key, if it isn't null; the last one, as parsers take it.
    fn get(&self, key: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().rev().find(|(known, _)| known == key);
        found.map(|(_, value)| *value).filter(|value| value.get() != "null")
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(key) = map.next_key::<Cow<str>>()? {
                    members.push((Cow::Owned(key.into_owned()), map.next_value()?));
                }
                Ok(Object(members))
            }
        }
        from.deserialize_map(Members)
    }
}

pub(super) fn read(text: &str, from: usize) -> Result<Feed, Fault> {
    let reading = Reading { text };
    if text[from..].trim_ascii_start().starts_with('[') {
        reading.value::<Vec<&RawValue>>(&text[from..])?;
        return Err(Fault::NoFeed { what: "it is an array".into() });
    }
    let whole: Object = reading.value(&text[from..])?;
    let is_feed = whole.get("version").and_then(words).is_some_and(|version| version.contains("jsonfeed.org/version/"));
    if !is_feed {
        return Err(Fault::NoFeed { what: "it has no version of JSON Feed".into() });
    }
    let Some(items) = whole.get("items") else {
        return Err(Fault::NoFeed { what: "it has no items".into() });
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
    (!words.is_empty()).then_some(words)
}

struct Reading<'a> {
    text: &'a str,
}

impl<'a> Reading<'a> {
    fn place(&self, part: &str) -> Span {
        let start = part.as_ptr() as usize - self.text.as_ptr() as usize;
        Span::new(start, start + part.len())
    }

    fn broken(&self, at: &str, reason: String) -> Fault {
        Fault::Json { line: line(self.text, self.place(at).range().start), reason }
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
        const BODIES: [(&str, bool); 3] = [("content_html", true), ("content_text", false), ("summary", false)];
        const KNOWN: [&str; 6] = ["id", "url", "external_url", "title", "date_published", "date_modified"];
        let object: Object = self.value(part)?;
        let mut item = Item::default();
        for (name, is_html) in BODIES {
            let mut all = object.0.iter().filter(|(key, _)| key == name).map(|(_, value)| *value);
            let Some(value) = all.next() else { continue };
            if let Some(again) = all.next() {
                return Err(self.broken(again.get(), format!("{name} stands twice in one item"))); // parsers disagree which of them counts
            }
            let written = self.place(value.get());
            match value.get() {
                "null" => {}
                text if text.starts_with('"') => {
                    let at = Span { start: written.start + 1, end: written.end - 1 };
                    item.bodies.push(Body { name, at, written: Written::String, is_html: Some(is_html) });
                }
                _ => return Err(self.broken(value.get(), format!("{name} is no string"))),
            }
        }
        let at = |key: &str| object.get(key).map_or(Span::default(), |value| self.place(value.get()));
        let text = |key: &str| object.get(key).and_then(words);
        let is_other = |key: &str| !KNOWN.contains(&key) && BODIES.iter().all(|(name, _)| *name != key);
        item.about = About {
            id: text("id"),
            link: text("url").or_else(|| text("external_url")),
            title: text("title"),
            title_at: at("title"),
            date: text("date_published").or_else(|| text("date_modified")),
            place,
            id_at: at("id"),
            other_ids: Vec::new(),
            others: object
                .0
                .iter()
                .filter(|(key, _)| is_other(key))
                .map(|(key, value)| format!("{key}: {}", value.get()))
                .collect(),
        };
        Ok(item)
    }
}
