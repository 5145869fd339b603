//! Feeds and pages into documents: each body a text, and what else an item says beside those.

use super::{Part, Sheaf, Taken, Taking, Unreadable, added, placed};
use crate::compare::{Match, compared};
use crate::document::{Kind, Span, TooLarge, Unit};
use crate::fingerprint::check;
use crate::ground;
use crate::source::feed::{self, About, Body, Coding, Declared, Item, Written};

impl Sheaf {
    /// Takes a page in HTML apart.
    pub(super) fn read_html(&mut self, stretch: &[u8], taking: Taking) -> Result<(), Unreadable> {
        let decoded = feed::decoded(stretch, Declared::Html)?;
        let (text, coding) = (decoded.text, decoded.coding);
        let all = Span::new(0, text.len());
        let body = Body { name: "body", at: all, written: Written::Plainly, is_html: Some(true) };
        let extent = Span::new(0, stretch.len());
        self.take_body(text.as_bytes(), coding.as_ref(), (extent, extent), body, taking)?;
        self.decoded = coding.map(|coding| (text.into_owned(), coding));
        Ok(())
    }

    /// Takes a feed apart.
    pub(super) fn read_feed(&mut self, stretch: &[u8], taking: Taking) -> Result<(), Unreadable> {
        let feed::Decoded { text, coding } = feed::decoded(stretch, Declared::Xml)?;
        let feed = feed::read(&text)?;
        let in_file = |span: Span| coding.as_ref().map_or(span, |coding| coding.map.around(span));
        for item in feed.items {
            let Item { mut about, extent, leading, bodies } = item;
            let extents = (in_file(extent), in_file(leading));
            if bodies.is_empty() {
                // It counts all the same.
                let at = Span { start: about.place.end, end: about.place.end };
                let none = Body { name: "body", at, written: Written::Plainly, is_html: Some(false) };
                self.take_body(text.as_bytes(), coding.as_ref(), extents, none, taking)?;
            }
            for body in bodies {
                self.take_body(text.as_bytes(), coding.as_ref(), extents, body, taking)?;
            }
            (about.place, about.id_at, about.title_at) = (in_file(about.place), in_file(about.id_at), in_file(about.title_at));
            about.other_ids.iter_mut().for_each(|(at, ..)| *at = in_file(*at));
            if taking.are_compared {
                self.take_rest(&about, extents, taking)?;
            }
            self.items.push(about);
            self.lines += 1;
        }
        self.id = feed.id;
        self.decoded = coding.map(|coding| (text.into_owned(), coding));
        Ok(())
    }

    /// Takes a body of a file apart, which may have been decoded.
    pub(super) fn take_body(
        &mut self,
        file: &[u8],
        coding: Option<&Coding>,
        (extent, leading): (Span, Span),
        body: Body,
        taking: Taking,
    ) -> Result<(), TooLarge> {
        let texts = self.texts.len();
        let reading = ground::read(body, file, coding, taking.tidy, &mut self.texts);
        let body = Body { is_html: Some(reading.markup.is_some()), ..body };
        let text = &self.texts[texts..];
        let (first, columns) = (self.segments.list.len(), self.segments.columns);
        match &reading.markup {
            Some(_) if text.is_empty() => {}
            Some(_) if taking.manner.unit == Unit::Document => {
                self.segments.push(text, (Span::new(0, text.len()), Kind::Line), &[], taking.manner)?;
            }
            Some(markup) => {
                for block in &markup.blocks {
                    self.segments.push(text, (block.text, block.kind), &block.objects, taking.manner)?;
                    let in_all = |object: &Span| Span { start: object.start + texts as u64, end: object.end + texts as u64 };
                    self.objects.extend(block.objects.iter().map(in_all));
                }
            }
            None => self.segments.append(text, taking.manner)?,
        }
        if taking.has_places {
            for segment in &self.segments.list[first..] {
                self.places.push(placed(*segment, reading.around(segment.span()))?);
            }
        }
        let repairs = reading.repairs().map(|repairs| added(&mut self.repairs, repairs));
        self.documents.push(Taken {
            extent,
            leading,
            line: self.lines,
            id: None,
            source: coding.map_or(body.at, |coding| coding.map.around(body.at)),
            text: Some(texts..self.texts.len()),
            segments: first as u32..self.segments.list.len() as u32,
            escapes: 0..0,
            repairs,
            map: None,
            part: Part::Body(body),
            columns: self.segments.columns - columns,
            check: if taking.is_checked { check(body.at.of(file)) } else { 0 },
        });
        Ok(())
    }

    /// Takes what an item says besides its bodies, as one paragraph that goes by itself as far as thresholds are concerned.
    fn take_rest(&mut self, about: &About, (extent, leading): (Span, Span), taking: Taking) -> Result<(), TooLarge> {
        const NO_TEXT: u8 = 0xff; // so that it equals no other text
        let texts = self.texts.len();
        self.texts.push(NO_TEXT);
        let title = about.title.as_deref().unwrap_or_default();
        self.texts.extend_from_slice(compared(title.as_bytes(), Match::Text, &mut Vec::new()));
        for other in &about.others {
            self.texts.push(b'\n');
            self.texts.extend_from_slice(other.as_bytes());
        }
        let (first, columns) = (self.segments.list.len(), self.segments.columns);
        let text = &self.texts[texts..];
        self.segments.push_wide(text, taking.manner)?;
        if taking.has_places {
            self.places.push(placed(self.segments.list[first], about.place)?);
        }
        self.documents.push(Taken {
            extent,
            leading,
            line: self.lines,
            id: None,
            source: about.place,
            text: Some(texts..self.texts.len()),
            segments: first as u32..self.segments.list.len() as u32,
            escapes: 0..0,
            repairs: None,
            map: None,
            part: Part::Rest,
            columns: self.segments.columns - columns,
            check: if taking.is_checked { check(text) } else { 0 },
        });
        Ok(())
    }
}
