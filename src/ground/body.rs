//! Bodies of feeds and pages, read from how they are written, and cut there.

use super::{Repairs, joined};
use crate::document::{Edits, Map, Put, Span, Unit, edited};
use crate::markup::{self, Dialect, Markup};
use crate::source::feed::{Body, CDATA, Coding, Hand, Written};
use crate::tidy::{self, Repair, Repaired, Tidy};
use memchr::memmem;
use smallvec::SmallVec;
use std::borrow::Cow;

/// So often at most a body is repaired without what turned out to be stuck.
const MOST_ROUNDS: usize = 8;

/// A body, repaired.
struct Made {
    inside: Vec<u8>,
    markup: Option<Markup>,
    /// What reads in that.
    text: Option<Vec<u8>>,
    /// What leads from it to the inside as it was.
    map: Map,
    repairs: Repairs,
}

/// A body, read.
pub(crate) struct Reading<'a> {
    body: Body,
    /// The file as it reads, and how it is written, if that isn't UTF-8.
    file: &'a [u8],
    coding: Option<&'a Coding>,
    /// What stands in the body, which may be markup; repaired.
    inside: Cow<'a, [u8]>,
    /// What was repaired in it, which is changed in what is written, and what leads from it to its inside as it was before.
    repairs: Option<(Repairs, Map)>,
    /// From that to what is written.
    to_written: Map,
    /// The markup that it is.
    pub(crate) markup: Option<Markup>,
}

/// Reads a body of a file and repairs it; its text goes to the end of `out`.
pub(crate) fn read<'a>(body: Body, file: &'a [u8], coding: Option<&'a Coding>, tidy: Tidy, out: &mut Vec<u8>) -> Reading<'a> {
    let (inside, to_written) = body.written.read(body.at.of(file));
    let is_html = body.is_html.unwrap_or_else(|| markup::is_in(&inside));
    let markup = is_html.then(|| Markup::read(&inside, dialect(body.written), out));
    if markup.is_none() {
        out.extend_from_slice(&inside);
    }
    let body = Body { is_html: Some(is_html), ..body };
    let mut reading = Reading { body, file, coding, inside, repairs: None, to_written, markup };
    reading.repair(tidy, out);
    reading
}

fn dialect(written: Written) -> Dialect {
    if written == Written::Elements { Dialect::Xhtml } else { Dialect::Html }
}

/// What is repaired in a text that is written so. What makes lines and spaces in markup are its tags and references, which say so on purpose;
/// and what isn't in UTF-8 says itself what it is in.
fn repairs_in(body: &Body, tidy: Tidy) -> Tidy {
    const NOT_IN_MARKUP: [Repair; 5] =
        [Repair::Encoding, Repair::Entities, Repair::Newlines, Repair::Whitespace, Repair::BlankLines];
    match body {
        Body { is_html: Some(true), .. } => NOT_IN_MARKUP.into_iter().fold(tidy, Tidy::without),
        Body { written: Written::Plainly, .. } => tidy,
        _ => tidy.without(Repair::Encoding),
    }
}

impl Reading<'_> {
    /// Repairs it, and its text at the end of `out`, but for what would read as something else once it is written.
    fn repair(&mut self, tidy: Tidy, out: &mut Vec<u8>) {
        let tidy = repairs_in(&self.body, tidy);
        let start = out.len() - self.text_len();
        if !tidy::may_call_for(&out[start..], tidy) {
            return;
        }
        let (mut wanted, mut stuck, mut rounds) = (None, Vec::new(), 0..MOST_ROUNDS);
        let made = loop {
            let Some(repaired) = self.repaired(tidy, &stuck) else { break None };
            wanted.get_or_insert(repaired.counts.total());
            match self.made(repaired) {
                Ok(made) => break Some(made),
                Err(places) if !places.is_empty() && rounds.next().is_some() => {
                    stuck.extend(places);
                    stuck.sort_unstable();
                }
                Err(_) => break None,
            }
        };
        let Some(wanted) = wanted else { return };
        let (mut repairs, mut map) = (Repairs::default(), Map::shift(0, self.inside.len()));
        if let Some(made) = made {
            out.truncate(start);
            out.extend_from_slice(made.text.as_ref().unwrap_or(&made.inside));
            (self.inside, self.markup) = (made.inside.into(), made.markup);
            (repairs, map) = (made.repairs, made.map);
        }
        repairs.counts.left = wanted.saturating_sub(repairs.counts.total());
        self.repairs = Some((repairs, map));
    }

    /// What stands in it, repaired but for what is stuck, which is in order.
    fn repaired(&self, tidy: Tidy, stuck: &[Span]) -> Option<Repaired> {
        if self.markup.is_none() && stuck.is_empty() {
            return tidy::repaired(&self.inside, &tidy);
        }
        let all = || SmallVec::from_elem(Span::new(0, self.inside.len()), 1);
        let texts: SmallVec<[Span; 4]> = self.markup.as_ref().map_or_else(all, |markup| markup.characters().into());
        tidy::repaired_in(&self.inside, &parted(texts, stuck), tidy, tidy::TAGS)
    }

    /// What is made of it by repairs.
    ///
    /// # Errors
    /// The parts of its inside that can't be written otherwise; none if it would read as something else as a whole.
    fn made(&self, repaired: Repaired) -> Result<Made, Vec<Span>> {
        let hand = Hand::of(&self.body, self.file, self.coding);
        let put = |text: &[u8], was: Span, at: Span| {
            // What parts a text in its source stays there.
            let is_in_one_piece = joined(&self.to_written, was).nth(1).is_none();
            let stands_well = |put: &Vec<u8>| self.meets_well(at, put) && !self.begins_markup(text, was);
            hand.put(text, at).filter(stands_well).filter(|_| is_in_one_piece).map(SmallVec::from_vec)
        };
        let repairs = Repairs::of(&repaired, &self.inside, &self.to_written, put)?;
        let Repaired { text: inside, map, .. } = repaired;
        let written = edited(self.body.at.of(self.file), repairs.edits.iter());
        let read = self.markup.as_ref().map(|_| {
            let mut text = Vec::new();
            (Markup::read(&inside, dialect(self.body.written), &mut text), text)
        });
        let has_as_many_ends = || {
            let ends = |xml: &[u8]| memmem::find_iter(xml, CDATA.1).count();
            ends(&written) == ends(self.body.at.of(self.file))
        };
        let is_as_well_formed = match self.body.written {
            Written::Plainly | Written::String => true,
            Written::Characters => has_as_many_ends(),
            Written::Elements => has_as_many_ends() && markup::is_well_formed(&written),
        };
        let reads_on = is_as_well_formed
            && *self.body.written.read(&written).0 == inside
            && match (&self.markup, &read) {
                (Some(was), Some((is, _))) => without(&self.inside, &was.characters()) == without(&inside, &is.characters()),
                _ => self.body.written == Written::Plainly || !markup::is_in(&inside) || markup::is_in(&self.inside),
            };
        let (markup, text) = read.unzip();
        let made = Made { inside, markup, text, map, repairs };
        if reads_on { Ok(made) } else { Err(Vec::new()) }
    }

    /// Whether a text in the place of a part of its inside begins a tag or a reference, with what stands beside it.
    fn begins_markup(&self, text: &[u8], at: Span) -> bool {
        const LONGEST: usize = 40; // more than any name of an entity
        let (before, behind) = (&self.inside[..at.range().start], &self.inside[at.range().end..]);
        let before = &before[before.len().saturating_sub(LONGEST)..];
        let before = memchr::memrchr2(b'<', b'&', before).map_or(&[][..], |begins| &before[begins..]);
        let behind = &behind[..behind.len().min(LONGEST)];
        let behind = &behind[..memchr::memchr2(b'<', b'&', behind).unwrap_or(behind.len())];
        let is_in = |text| markup::is_in(&[before, text, behind].concat());
        (self.markup.is_some() || self.body.written != Written::Plainly) && is_in(text) && !is_in(at.of(&self.inside))
    }

    /// How long its text is.
    fn text_len(&self) -> usize {
        self.markup.as_ref().map_or(self.inside.len(), |markup| markup.map.len() as usize)
    }

    /// What was repaired in it, as that is changed in the source.
    pub(crate) fn repairs(&self) -> Option<Repairs> {
        let (repairs, _) = self.repairs.as_ref()?;
        let mut edits = Edits::default();
        for (at, put) in repairs.edits.iter() {
            let at = self.written_in_source(at);
            match self.coding {
                None => edits.push(at, put),
                Some(coding) => edits.push(at, &coding.encoded(put).expect("it was tried")),
            }
        }
        Some(Repairs {
            edits,
            counts: repairs.counts,
            encoded: None,
            firsts: repairs.firsts.map(|first| first.map(|first| self.written_in_source(first))),
        })
    }

    /// From the first to the last byte of the source that belongs to the bytes of its text.
    pub(crate) fn around(&self, text: Span) -> Span {
        let inside = self.markup.as_ref().map_or(text, |markup| markup.map.around(text));
        self.written_in_source(self.to_written.around(self.before_repair(inside)))
    }

    /// Where something of its inside stood before that was repaired.
    fn before_repair(&self, inside: Span) -> Span {
        self.repairs.as_ref().map_or(inside, |(_, map)| map.around(inside))
    }

    /// From the first to the last byte of the source in which something stands that is written.
    fn written_in_source(&self, written: Span) -> Span {
        let file = Span { start: written.start + self.body.at.start, end: written.end + self.body.at.start };
        self.coding.map_or(file, |coding| coding.map.around(file))
    }

    /// The stretches of what is written in which something of its inside stands.
    fn in_written(&self, inside: Span) -> impl Iterator<Item = Span> {
        joined(&self.to_written, self.before_repair(inside))
    }

    /// The stretches of the source in which its text stands, and whether that is blank there.
    pub(super) fn pieces(&self, text: Span) -> impl Iterator<Item = (Span, bool)> {
        let inside: SmallVec<[Span; 4]> = match &self.markup {
            Some(markup) => joined(&markup.map, text).collect(),
            None => SmallVec::from_elem(text, 1),
        };
        inside.into_iter().flat_map(|span| {
            let is_blank = is_blank(span.of(&self.inside));
            self.in_source(span).map(|piece| (piece, is_blank)).collect::<SmallVec<[_; 2]>>()
        })
    }

    /// The stretches of the source in which something of its inside stands.
    fn in_source(&self, inside: Span) -> impl Iterator<Item = Span> {
        let by = self.body.at.start;
        let in_file = self.in_written(inside).map(move |span| Span { start: span.start + by, end: span.end + by });
        in_file.flat_map(|span| match self.coding {
            Some(coding) => joined(&coding.map, span).collect::<SmallVec<[Span; 2]>>(),
            None => SmallVec::from_elem(span, 1),
        })
    }

    /// See [`Ground::cuts_without`](super::Ground::cuts_without).
    pub(super) fn cuts_without(&self, gone: &mut Vec<u32>, text: &[u8], unit: Unit) -> Option<Vec<(Span, u32)>> {
        let markup = self.markup.as_ref()?;
        let is_one = unit == Unit::Document;
        let mut blocks: Vec<u32> = if is_one { (0..markup.blocks.len() as u32).collect() } else { gone.clone() };
        let count = blocks.len();
        let mut cuts = markup.cuts(&mut blocks);
        if (is_one && blocks.len() < count) || !self.reads_on(markup, &cuts, &blocks, text) {
            (blocks, cuts) = (Vec::new(), Vec::new());
        }
        gone.retain(|gone| blocks.binary_search(gone).is_ok());
        let first = |cut: Span| if is_one { 0 } else { markup.first_block(cut).unwrap_or_default() };
        Some(cuts.into_iter().flat_map(|cut| self.in_source(cut).map(move |at| (at, first(cut)))).collect())
    }

    /// Whether what is left without some blocks reads as just those that stay, and where it is cut nothing comes together that means something
    /// else.
    fn reads_on(&self, markup: &Markup, cuts: &[Span], gone: &[u32], text: &[u8]) -> bool {
        if !self.meet_well(cuts) {
            return false;
        }
        let left = without(&self.inside, cuts);
        if !self.is_written_so(cuts, &left) {
            return false;
        }
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

    /// Whether what is written without some cuts, repaired, reads as what is `left`.
    fn is_written_so(&self, cuts: &[Span], left: &[u8]) -> bool {
        let Some((repairs, _)) = &self.repairs else { return true };
        let gone: Vec<Span> = cuts.iter().flat_map(|&cut| self.in_written(cut)).collect();
        let is_gone = |at: Span| {
            let next = gone.partition_point(|cut| cut.end <= at.start);
            gone.get(next).is_some_and(|cut| cut.start < at.end)
        };
        let edits = repairs.edits.iter().filter(|(at, _)| !is_gone(*at));
        let mut changes: Vec<Put> = gone.iter().map(|&cut| (cut, &[][..])).chain(edits).collect();
        changes.sort_unstable();
        *self.body.written.read(&edited(self.body.at.of(self.file), changes)).0 == *left
    }

    /// Whether where it is cut all that comes together stands well.
    fn meet_well(&self, cuts: &[Span]) -> bool {
        cuts.iter().flat_map(|&cut| self.in_written(cut)).all(|cut| self.meets_well(cut, b""))
    }

    /// Whether with this in the place of something that is written no end of a section of character data comes to be, nor a character of two
    /// halves.
    fn meets_well(&self, at: Span, put: &[u8]) -> bool {
        let written = self.body.at.of(self.file);
        let (before, behind) = (&written[..at.range().start], &written[at.range().end..]);
        match self.body.written {
            Written::Plainly => true,
            Written::Characters | Written::Elements => {
                let seam = [&before[before.len().saturating_sub(2)..], put, &behind[..behind.len().min(2)]].concat();
                memmem::find(&seam, CDATA.1).is_none()
            }
            Written::String => {
                !put.is_empty() || !is_half(before.last_chunk(), 8..=11) || !is_half(behind.first_chunk(), 12..=15)
            }
        }
    }
}

/// Whether an escape stands for a half of a character, of those whose third digit is one of these.
fn is_half(escape: Option<&[u8; 6]>, which: std::ops::RangeInclusive<u8>) -> bool {
    let digit = |digit: u8| (digit as char).to_digit(16).unwrap_or_default() as u8;
    matches!(escape, Some([b'\\', b'u', b'd' | b'D', third, ..]) if which.contains(&digit(*third)))
}

/// Whether something of markup that is text shows nothing.
fn is_blank(text: &[u8]) -> bool {
    let rest = text.trim_ascii_start();
    let may_be = matches!(rest, [] | [b'&' | 0x80.., ..]);
    may_be && String::from_utf8_lossy(&Written::Characters.read(rest).0).trim().is_empty()
}

/// Places without what of them is in others; both in order.
fn parted(places: impl IntoIterator<Item = Span>, others: &[Span]) -> Vec<Span> {
    let mut parted = Vec::new();
    for place in places {
        let mut start = place.start;
        let first = others.partition_point(|other| other.end <= place.start);
        for other in others[first..].iter().take_while(|other| other.start < place.end) {
            parted.push(Span { start, end: other.start.max(start) });
            start = start.max(other.end);
        }
        parted.push(Span { start: start.min(place.end), end: place.end });
    }
    parted.retain(|place| !place.is_empty());
    parted
}

fn without(bytes: &[u8], cuts: &[Span]) -> Vec<u8> {
    edited(bytes, cuts.iter().map(|&cut| (cut, &[][..])))
}
