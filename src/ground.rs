//! Where the text of a document stands in its source, and what goes there with paragraphs of it. Knows markup and maps, no rules.

use crate::document::{Map, Span, Unit};
use crate::markup::{self, Dialect, Markup};
use crate::rules::Removed;
use crate::source::feed::{Body, Written};
use std::borrow::Cow;

/// What a text is made of.
pub(crate) struct Ground<'a> {
    /// From the text to the source.
    pub(crate) map: Map,
    /// Whether it was read from something that isn't text as it stands.
    pub(crate) is_read: bool,
    page: Option<Page<'a>>,
}

/// A text that is made of markup.
struct Page<'a> {
    markup: Markup,
    /// As it reads where it isn't written as it is.
    html: Cow<'a, [u8]>,
    /// From that to the source.
    to_source: Map,
    /// What it is written as, and from the markup to that.
    written: (&'a [u8], Written, Map),
    /// The text.
    text: Vec<u8>,
    /// Whether all of it is one paragraph.
    is_one: bool,
}

impl From<Map> for Ground<'_> {
    fn from(map: Map) -> Self {
        Self { map, is_read: false, page: None }
    }
}

/// A body, read.
pub(crate) struct Reading<'a> {
    /// Its markup, if it is HTML.
    pub(crate) markup: Option<Markup>,
    html: Cow<'a, [u8]>,
    to_written: Map,
}

/// Reads a body of a file, which may have been decoded; its text goes to the end of `out`.
pub(crate) fn read<'a>(body: &Body, file: &'a [u8], out: &mut Vec<u8>) -> Reading<'a> {
    let (html, to_written) = body.written.read(body.at.of(file));
    if !body.is_html.unwrap_or_else(|| markup::is_in(&html)) {
        out.extend_from_slice(&html);
        return Reading { markup: None, html, to_written };
    }
    let markup = Markup::read(&html, dialect(body.written), out);
    Reading { markup: Some(markup), html, to_written }
}

fn dialect(written: Written) -> Dialect {
    if written == Written::Elements { Dialect::Xhtml } else { Dialect::Html }
}

impl<'a> Reading<'a> {
    /// From its text to the source; `decoded` leads there from the file as it was decoded, if it was.
    pub(crate) fn map(&self, body: &Body, decoded: Option<&Map>) -> Map {
        let to_source = self.to_source(body, decoded);
        self.markup.as_ref().map_or_else(|| to_source.clone(), |markup| markup.map.then(&to_source))
    }

    fn to_source(&self, body: &Body, decoded: Option<&Map>) -> Map {
        let to_file = self.to_written.clone().moved(body.at.start);
        decoded.map_or_else(|| to_file.clone(), |decoded| to_file.then(decoded))
    }

    /// What its text is made of; `text` is that.
    pub(crate) fn ground(self, body: &Body, file: &'a [u8], decoded: Option<&Map>, text: &[u8], unit: Unit) -> Ground<'a> {
        let (map, to_source) = (self.map(body, decoded), self.to_source(body, decoded));
        let Self { markup, html, to_written } = self;
        let page = markup.map(|markup| Page {
            markup,
            html,
            to_source,
            written: (body.at.of(file), body.written, to_written),
            text: text.to_vec(),
            is_one: unit == Unit::Document,
        });
        Ground { map, is_read: true, page }
    }
}

impl Ground<'_> {
    /// Where the source is cut if these paragraphs go: pieces in order, each with the first paragraph that is in it; nothing if that
    /// depends on what stands between paragraphs alone. Those that can't go are taken out of `removed`.
    pub(crate) fn cuts_without(&self, removed: &mut Vec<Removed>) -> Option<Vec<(Span, u32)>> {
        let page = self.page.as_ref()?;
        let mut paragraphs = removed.iter().map(|removed| removed.at).collect();
        let cuts = page.cuts(&mut paragraphs);
        removed.retain(|removed| paragraphs.binary_search(&removed.at).is_ok());
        Some(cuts)
    }
}

impl Page<'_> {
    fn cuts(&self, paragraphs: &mut Vec<u32>) -> Vec<(Span, u32)> {
        let blocks = self.markup.blocks.len() as u32;
        let mut gone = if self.is_one && !paragraphs.is_empty() { (0..blocks).collect() } else { paragraphs.clone() };
        let mut cuts = self.markup.cuts(&mut gone);
        if !self.reads_on(&cuts, &gone) {
            gone.clear();
            cuts.clear();
        }
        if self.is_one {
            if gone.len() < blocks as usize {
                paragraphs.clear();
                return Vec::new();
            }
        } else {
            paragraphs.clone_from(&gone);
        }
        let first = |cut: &Span| self.markup.first_block(*cut).map_or(0, |block| if self.is_one { 0 } else { block });
        let mut all = Vec::new();
        for cut in cuts {
            let first = first(&cut);
            all.extend(joined(&self.to_source, cut).map(|at| (at, first)));
        }
        all
    }

    /// Whether what is left reads as just the blocks that stay, and is written as before.
    fn reads_on(&self, cuts: &[Span], gone: &[u32]) -> bool {
        let left = without(&self.html, cuts.iter().copied());
        let (written, how, to_written) = &self.written;
        let cuts_written = cuts.iter().flat_map(|&cut| joined(to_written, cut));
        if *how.read(&without(written, cuts_written)).0 != *left {
            return false;
        }
        let mut text = Vec::new();
        let read = Markup::read(&left, dialect(*how), &mut text);
        let mut gone = gone.iter().peekable();
        let stays = |(number, _): &(u32, &markup::Block)| gone.next_if(|gone| **gone == *number).is_none();
        let stay = (0..).zip(&self.markup.blocks).filter(stays).map(|(_, block)| block);
        stay.map(|block| block.text.of(&self.text)).eq(read.blocks.iter().map(|block| block.text.of(&text)))
    }
}

fn without(bytes: &[u8], cuts: impl Iterator<Item = Span>) -> Vec<u8> {
    let mut left = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for cut in cuts {
        left.extend_from_slice(&bytes[from..cut.range().start]);
        from = cut.range().end;
    }
    left.extend_from_slice(&bytes[from..]);
    left
}

/// The stretches of the source in which the bytes of a text stand, those that touch made one.
pub(crate) fn joined(map: &Map, text: Span) -> impl Iterator<Item = Span> + '_ {
    let mut source = map.source(text).filter(|span| !span.is_empty()).peekable();
    std::iter::from_fn(move || {
        let mut all = source.next()?;
        while let Some(next) = source.next_if(|next| next.start == all.end) {
            all.end = next.end;
        }
        Some(all)
    })
}
