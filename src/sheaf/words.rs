//! What the bodies of an item say, whatever their tags and images.

use super::{Part, Sheaf};
use crate::compare::{Match, compared};
use crate::document::Span;
use crate::markup::{self, Dialect, Markup};
use std::borrow::Cow;
use std::ops::Range;

/// What a body says.
#[derive(Clone, Debug)]
pub(crate) struct Words<'a> {
    /// The element or the field that it is.
    pub(crate) name: &'static str,
    /// Where it is written.
    pub(crate) at: Span,
    /// The compared form of each paragraph that has any text.
    pub(crate) paragraphs: Vec<Cow<'a, [u8]>>,
    pub(crate) columns: u64,
}

impl Words<'_> {
    /// The compared form of a title, which may be markup.
    pub(crate) fn of_title(title: &str) -> Vec<u8> {
        let mut text = Vec::new();
        match markup::is_in(title.as_bytes()) {
            true => _ = Markup::read(title.as_bytes(), Dialect::Html, &mut text),
            false => text.extend_from_slice(title.as_bytes()),
        }
        form(text.into()).into_owned()
    }

    /// All that it says, a paragraph a line.
    pub(crate) fn text(&self) -> Vec<u8> {
        self.paragraphs.join(&b'\n')
    }

    /// Its first paragraphs.
    pub(crate) fn beginning(&self, paragraphs: usize) -> Self {
        Self { paragraphs: self.paragraphs[..paragraphs].to_vec(), ..self.clone() }
    }
}

/// The compared form of a text, which most are themselves.
fn form(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let mut form = Vec::new();
    let is_itself = std::ptr::eq(compared(&text, Match::Text, &mut form), &*text);
    if is_itself { text } else { form.into() }
}

impl Sheaf {
    /// What the bodies of a record say, given by its documents, the fullest one first.
    pub(crate) fn words(&self, documents: Range<usize>) -> Vec<Words<'_>> {
        let mut all = Vec::new();
        for document in &self.documents[documents] {
            let (Part::Body(body), Some(text)) = (document.part, &document.text) else { continue };
            let segments = self.segments_of(document);
            let paragraphs = Vec::with_capacity(segments.len());
            let mut words = Words { name: body.name, at: document.source, paragraphs, columns: 0 };
            for segment in segments {
                let form = form(self.without_objects(segment.moved(text.start as u64).span()));
                if !form.is_empty() {
                    words.columns += u64::from(segment.columns());
                    words.paragraphs.push(form);
                }
            }
            all.push(words);
        }
        all
    }

    /// A part of the texts without what isn't text.
    fn without_objects(&self, place: Span) -> Cow<'_, [u8]> {
        let first = self.objects.partition_point(|object| object.start < place.start);
        let objects = &self.objects[first..first + self.objects[first..].partition_point(|object| object.end <= place.end)];
        if objects.is_empty() {
            return place.of(&self.texts).into();
        }
        let (mut left, mut from) = (Vec::new(), place.start);
        for object in objects {
            left.extend_from_slice(Span { start: from, end: object.start }.of(&self.texts));
            from = object.end;
        }
        left.extend_from_slice(Span { start: from, end: place.end }.of(&self.texts));
        left.into()
    }
}
