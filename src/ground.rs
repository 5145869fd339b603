//! Where the text of a document stands in its source, and what goes there with paragraphs of it. Knows markup and maps, no rules.

use crate::document::{Map, Span, Unit};
use crate::markup::{self, Dialect, Markup};
use crate::source::feed::{Body, Written};
use smallvec::SmallVec;
use std::borrow::Cow;

/// What a text is made of.
pub(crate) enum Ground<'a> {
    /// What leads from it to the source is all there is to it.
    Plain(Map),
    /// It was read from something that isn't text as it stands.
    Read(Reading<'a>),
    /// It was repaired.
    Tidied(&'a Map),
}

impl From<Map> for Ground<'_> {
    fn from(map: Map) -> Self {
        Ground::Plain(map)
    }
}

/// A body, read.
pub(crate) struct Reading<'a> {
    body: Body,
    /// The file as it was decoded, and how that leads back, if it was.
    file: &'a [u8],
    decoded: Option<&'a Map>,
    /// What stands in the body, which may be markup.
    inside: Cow<'a, [u8]>,
    /// From that to what is written.
    to_written: Map,
    /// The markup that it is.
    pub(crate) markup: Option<Markup>,
}

/// Reads a body of a file, which may have been decoded; its text goes to the end of `out`.
pub(crate) fn read<'a>(body: Body, file: &'a [u8], decoded: Option<&'a Map>, out: &mut Vec<u8>) -> Reading<'a> {
    let (inside, to_written) = body.written.read(body.at.of(file));
    let is_html = body.is_html.unwrap_or_else(|| markup::is_in(&inside));
    let markup = is_html.then(|| Markup::read(&inside, dialect(body.written), out));
    if markup.is_none() {
        out.extend_from_slice(&inside);
    }
    Reading { body: Body { is_html: Some(is_html), ..body }, file, decoded, inside, to_written, markup }
}

fn dialect(written: Written) -> Dialect {
    if written == Written::Elements { Dialect::Xhtml } else { Dialect::Html }
}

impl Ground<'_> {
    /// From the first to the last byte of the source that belongs to the bytes of a text.
    pub(crate) fn around(&self, text: Span) -> Span {
        match self {
            Ground::Plain(map) => map.around(text),
            Ground::Tidied(map) => map.around(text),
            Ground::Read(reading) => reading.around(text),
        }
    }

    /// The stretches of the source in which a text stands that is a witness. What was read or repaired has more between its pieces, which
    /// belongs to it.
    pub(crate) fn witness(&self, text: Span) -> SmallVec<[Span; 1]> {
        match self {
            Ground::Plain(map) => joined(map, text).collect(),
            Ground::Read(reading) => SmallVec::from_elem(reading.around(text), 1),
            Ground::Tidied(map) => SmallVec::from_elem(map.around(text), 1),
        }
    }

    /// The stretches of the source in which a text stands.
    pub(crate) fn pieces(&self, text: Span) -> SmallVec<[Span; 2]> {
        match self {
            Ground::Plain(map) => joined(map, text).collect(),
            Ground::Read(reading) => reading.pieces(text).collect(),
            Ground::Tidied(map) => SmallVec::from_elem(map.around(text), 1),
        }
    }

    /// Where the source is cut if these paragraphs go: pieces in order, each with the first paragraph that is in it; nothing if that
    /// depends on what stands between paragraphs alone. Those that can't go are taken out of `gone`. The `text` is all of it, which has
    /// these units.
    pub(crate) fn cuts_without(&self, gone: &mut Vec<u32>, text: &[u8], unit: Unit) -> Option<Vec<(Span, u32)>> {
        let Ground::Read(reading) = self else { return None };
        let markup = reading.markup.as_ref()?;
        let is_one = unit == Unit::Document;
        let mut blocks: Vec<u32> = if is_one { (0..markup.blocks.len() as u32).collect() } else { gone.clone() };
        let count = blocks.len();
        let mut cuts = markup.cuts(&mut blocks);
        if (is_one && blocks.len() < count) || !reading.reads_on(markup, &cuts, &blocks, text) {
            (blocks, cuts) = (Vec::new(), Vec::new());
        }
        gone.retain(|gone| blocks.binary_search(gone).is_ok());
        let first = |cut: Span| if is_one { 0 } else { markup.first_block(cut).unwrap_or_default() };
        Some(cuts.into_iter().flat_map(|cut| reading.in_source(cut).map(move |at| (at, first(cut)))).collect())
    }
}

impl Reading<'_> {
    /// From the first to the last byte of the source that belongs to the bytes of its text.
    pub(crate) fn around(&self, text: Span) -> Span {
        let inside = self.markup.as_ref().map_or(text, |markup| markup.map.around(text));
        let written = self.to_written.around(inside);
        let file = Span { start: written.start + self.body.at.start, end: written.end + self.body.at.start };
        self.decoded.map_or(file, |decoded| decoded.around(file))
    }

    /// The stretches of the source in which its text stands.
    fn pieces(&self, text: Span) -> impl Iterator<Item = Span> {
        let inside: SmallVec<[Span; 4]> = match &self.markup {
            Some(markup) => joined(&markup.map, text).collect(),
            None => SmallVec::from_elem(text, 1),
        };
        inside.into_iter().flat_map(|span| self.in_source(span).collect::<SmallVec<[Span; 2]>>())
    }

    /// The stretches of the source in which something of its inside stands.
    fn in_source(&self, inside: Span) -> impl Iterator<Item = Span> {
        let by = self.body.at.start;
        let in_file = joined(&self.to_written, inside).map(move |span| Span { start: span.start + by, end: span.end + by });
        in_file.flat_map(|span| match self.decoded {
            Some(decoded) => joined(decoded, span).collect::<SmallVec<[Span; 2]>>(),
            None => SmallVec::from_elem(span, 1),
        })
    }

    /// Whether what is left without some blocks reads as just those that stay, and where it is cut nothing comes together that means something
    /// else.
    fn reads_on(&self, markup: &Markup, cuts: &[Span], gone: &[u32], text: &[u8]) -> bool {
        if !self.meet_well(cuts) {
            return false;
        }
        let left = without(&self.inside, cuts);
        let mut read = Vec::new();
        let dialect = dialect(self.body.written);
        let again = Markup::read(&left, dialect, &mut read);
        if again.loose > markup.loose || (dialect == Dialect::Xhtml && !markup::is_well_formed(&left)) {
            return false;
        }
        drop(left);
        let mut gone = gone.iter().peekable();
        let stays = |(number, _): &(u32, &markup::Block)| gone.next_if(|gone| **gone == *number).is_none();
        let stay = (0..).zip(&markup.blocks).filter(stays).map(|(_, block)| block);
        stay.map(|block| block.text.of(text)).eq(again.blocks.iter().map(|block| block.text.of(&read)))
    }

    /// Whether where it is cut no end of a section of character data comes to be, nor a character of two halves.
    fn meet_well(&self, cuts: &[Span]) -> bool {
        let written = self.body.at.of(self.file);
        cuts.iter().flat_map(|&cut| joined(&self.to_written, cut)).all(|cut| {
            let (before, behind) = (&written[..cut.range().start], &written[cut.range().end..]);
            match self.body.written {
                Written::Plainly | Written::Elements => true,
                Written::Characters => {
                    let seam = [&before[before.len().saturating_sub(2)..], &behind[..behind.len().min(2)]].concat();
                    memchr::memmem::find(&seam, b"]]>").is_none()
                }
                Written::String => !is_half(before.last_chunk(), 8..=11) || !is_half(behind.first_chunk(), 12..=15),
            }
        })
    }
}

/// Whether an escape stands for a half of a character, of those whose third digit is one of these.
fn is_half(escape: Option<&[u8; 6]>, which: std::ops::RangeInclusive<u8>) -> bool {
    let digit = |digit: u8| (digit as char).to_digit(16).unwrap_or_default() as u8;
    matches!(escape, Some([b'\\', b'u', b'd' | b'D', third, ..]) if which.contains(&digit(*third)))
}

fn without(bytes: &[u8], cuts: &[Span]) -> Vec<u8> {
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
