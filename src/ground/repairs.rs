//! What is repaired in texts, as it is written in their source.

use crate::document::{Edits, Map, Put, Span};
use crate::source::Form;
use crate::source::jsonl;
use crate::tidy::{self, Counts, Encoded, Firsts, Repair, Repaired, Tidy};
use smallvec::SmallVec;

/// What was repaired in a text, as it is written in its source.
#[derive(Default)]
pub(crate) struct Repairs {
    /// What is changed there.
    pub(crate) edits: Edits,
    /// How often each repair was made.
    pub(crate) counts: Counts,
    /// And where first.
    pub(crate) firsts: Firsts,
    /// How the text was encoded, if not in UTF-8.
    pub(crate) encoded: Option<Encoded>,
}

impl Repairs {
    /// Those of a text that was read from a source; `put`: how something is written there, if it can be, in the place of a part of the text,
    /// which stands at another one.
    ///
    /// # Errors
    /// The parts of the text that can't be written so, in order.
    pub(super) fn of(
        repaired: &Repaired,
        read: &[u8],
        to_source: &Map,
        put: impl Fn(&[u8], Span, Span) -> Option<SmallVec<[u8; 16]>>,
    ) -> Result<Self, Vec<Span>> {
        let (mut edits, mut stuck) = (Edits::default(), Vec::new());
        let mut write = |(was, is): (Span, Span)| {
            let at = to_source.around(was);
            match put(is.of(&repaired.text), was, at) {
                Some(put) => edits.push(at, &put),
                None => stuck.push(was),
            }
        };
        let mut last = None::<(Span, Span)>;
        let all = (Span::new(0, repaired.text.len()), Span::new(0, read.len()));
        for (was, is) in changed(&repaired.map, (&repaired.text, all.0), (read, all.1)) {
            // What one escape stands for is written anew as a whole.
            let whole = to_source.unparted(was);
            let is = Span { start: is.start - (was.start - whole.start), end: is.end + (whole.end - was.end) };
            match &mut last {
                Some((last_was, last_is)) if whole.start < last_was.end => (last_was.end, last_is.end) = (whole.end, is.end),
                last => {
                    if let Some(change) = last.replace((whole, is)) {
                        write(change);
                    }
                }
            }
        }
        last.into_iter().for_each(write);
        if !stuck.is_empty() {
            return Err(stuck);
        }
        let firsts = repaired.firsts.map(|first| first.map(|first| to_source.around(first)));
        Ok(Self { edits, counts: repaired.counts, firsts, encoded: repaired.encoded })
    }

    /// The edits of several texts of a document, which may be read in another order than they stand in.
    pub(crate) fn in_order<'r>(of_texts: impl Iterator<Item = &'r Repairs>) -> impl Iterator<Item = Put<'r>> {
        let mut of_texts: SmallVec<[&Repairs; 2]> = of_texts.collect();
        of_texts.sort_by_key(|repairs| repairs.edits.first());
        of_texts.into_iter().flat_map(|repairs| repairs.edits.iter())
    }
}

/// What is changed in a part of a source of which a part of a text was made: where in the one and in the other.
pub(crate) fn changed<'m>(
    map: &'m Map,
    (text, of_text): (&'m [u8], Span),
    (source, of_source): (&'m [u8], Span),
) -> impl Iterator<Item = (Span, Span)> + 'm {
    map.changes(of_text, of_source).filter(move |(was, is)| was.of(source) != is.of(text))
}

/// A text as it was read from a source to which this leads, repaired, what leads from that to the source, and what is changed there; nothing
/// if nothing is to be repaired. `string`: it is one of JSON, perhaps in ASCII.
pub(crate) fn repair(
    read: &[u8],
    to_source: impl FnOnce() -> Map,
    string: Option<bool>,
    repairs: Tidy,
) -> Option<(Vec<u8>, Map, Repairs)> {
    // A string of JSON is UTF-8, but for halves of surrogate pairs.
    let repairs = if string.is_some() { repairs.without(Repair::Encoding) } else { repairs };
    let repaired = tidy::repaired(read, &repairs)?;
    let to_source = to_source();
    let repairs = of_text(&repaired, read, &to_source, string);
    Some((repaired.text, repaired.map.led_on(&to_source), repairs))
}

/// What was repaired in a text that is written as it reads, or as a string of JSON.
fn of_text(repaired: &Repaired, read: &[u8], to_source: &Map, string: Option<bool>) -> Repairs {
    let put = |text: &[u8], _, _| Some(string.map_or_else(|| text.into(), |is_ascii| jsonl::escaped(text, is_ascii).into()));
    Repairs::of(repaired, read, to_source, put).expect("all can be written so")
}

/// What is repaired in a text as it is written in a file of a form, from `start` on. Of a text file it is a part, of which it is known how
/// it is encoded if not in UTF-8; `is_beginning`: the first.
pub(crate) fn edits_of(
    written: &[u8],
    start: u64,
    form: Form,
    repairs: Tidy,
    encoded: Option<Encoded>,
    is_beginning: bool,
) -> Edits {
    let shift = || Map::shift(start as usize, written.len());
    let repaired = match form {
        Form::Text => {
            tidy::repaired_of(written, encoded, is_beginning, repairs).map(|repaired| of_text(&repaired, written, &shift(), None))
        }
        Form::Jsonl => {
            let (mut text, mut escapes) = (Vec::new(), Vec::new());
            jsonl::unescape(written, &mut text, &mut escapes);
            let to_file = || jsonl::map(&escapes, written.len(), start);
            repair(&text, to_file, Some(written.is_ascii()), repairs).map(|(.., repairs)| repairs)
        }
        _ => repair(written, shift, None, repairs).map(|(.., repairs)| repairs),
    };
    repaired.map_or_else(Edits::default, |repairs| repairs.edits)
}
