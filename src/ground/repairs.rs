//! What is repaired in texts, as it is written in their source.

use crate::document::{Edits, Map, Span};
use crate::source::Form;
use crate::source::jsonl;
use crate::tidy::{self, Counts, Encoded, Firsts, Repair, Repaired, Tidy};
use smallvec::SmallVec;

/// What was repaired in a text.
pub(crate) struct Repairs {
    /// From the text, repaired, to its source.
    pub(crate) map: Map,
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
    /// None, of a text of so many bytes.
    pub(super) fn none(len: usize) -> Self {
        let (counts, firsts) = (Counts::default(), Firsts::default());
        Self { map: Map::shift(0, len), edits: Edits::default(), counts, firsts, encoded: None }
    }

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
        for (was, is) in repaired.map.changes(all.0, all.1) {
            if is.of(&repaired.text) == was.of(read) {
                continue;
            }
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
        let map = repaired.map.clone().led_on(to_source);
        Ok(Self { map, edits, counts: repaired.counts, firsts, encoded: repaired.encoded })
    }
}

/// A text as it was read from a source to which this leads, repaired, and what that changes there; nothing if nothing is to be repaired.
/// `string`: it is one of JSON, perhaps in ASCII.
pub(crate) fn repair(
    read: &[u8],
    to_source: impl FnOnce() -> Map,
    string: Option<bool>,
    repairs: Tidy,
) -> Option<(Vec<u8>, Repairs)> {
    // A string of JSON is UTF-8, but for halves of surrogate pairs.
    let repairs = if string.is_some() { repairs.without(Repair::Encoding) } else { repairs };
    let repaired = tidy::repaired(read, &repairs)?;
    let put = |text: &[u8], _, _| Some(string.map_or_else(|| text.into(), |is_ascii| jsonl::escaped(text, is_ascii).into()));
    let repairs = Repairs::of(&repaired, read, &to_source(), put).expect("all can be written so");
    Some((repaired.text, repairs))
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
    let (mut text, mut escapes) = (Vec::new(), Vec::new());
    let is_string = form == Form::Jsonl;
    if is_string {
        jsonl::unescape(written, &mut text, &mut escapes);
    }
    if form == Form::Text {
        let Some(repaired) = tidy::repaired_of(written, encoded, is_beginning, repairs) else { return Edits::default() };
        let put = |text: &[u8], _, _| Some(text.into());
        let to_file = Map::shift(start as usize, written.len());
        return Repairs::of(&repaired, written, &to_file, put).expect("all can be written so").edits;
    }
    let read = if is_string { &text } else { written };
    let to_file = || jsonl::map(&escapes, written.len(), start);
    repair(read, to_file, is_string.then(|| written.is_ascii()), repairs)
        .map_or_else(Edits::default, |(_, repairs)| repairs.edits)
}
