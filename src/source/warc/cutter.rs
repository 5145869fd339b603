//! Cuts a stream where records begin, holding no more than it must: a record that gives no document is known by its headers,
//! and what follows them is passed on as it comes.

use super::step::{self, End, Step};
use super::{Fault, Held, head};

/// So much of what can't be read is kept back: the version line that ends it, and the line end before that, may have come in part.
const KEPT: usize = head::VERSION + 1;

/// What to do with the bytes at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// So many bytes are whole records: [`records`](super::records) takes them apart.
    Records(usize),
    /// A record that gives no document begins, or what can't be read: what it is, and so many bytes of it, maybe none. Its other
    /// ones go on.
    Begins(usize, Held),
    /// So many bytes belong to what began before.
    GoesOn(usize),
    /// Nothing, before there are so many bytes, or the end. That is what a record of text takes as a whole, and so never much more
    /// than the longest that is read; of anything else no more is asked for than its headers.
    More(u64),
}

/// Where in a stream it is cut next.
#[derive(Debug)]
pub struct Cutter {
    state: State,
    /// The longest content of a record that is read as text.
    longest: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Between two records.
    Between,
    /// In a record that gives no document, whose Content-Length is `len`, and of which `left` bytes are to come.
    Passed { len: u64, left: u64 },
    /// In what can't be read.
    Broken,
}

impl Cutter {
    /// At the beginning of a stream. Of text no more than `longest` bytes are read as one record: [`LONGEST`](super::LONGEST), or
    /// fewer.
    pub fn new(longest: u64) -> Self {
        Self { state: State::Between, longest: longest.min(super::LONGEST) }
    }

    /// What to do with `bytes`, which follow what was cut off before: nothing if all is done. The cut is never longer than they
    /// are. `is_end`: no more will come.
    pub fn cut(&mut self, bytes: &[u8], is_end: bool) -> Option<Cut> {
        match self.state {
            State::Between if bytes.is_empty() => (!is_end).then_some(Cut::More(1)),
            State::Between => Some(self.between(bytes, is_end)),
            State::Passed { len, left: 0 } => self.ended(bytes, is_end, len),
            State::Passed { len, left } => Some(self.passed(bytes, is_end, len, left)),
            State::Broken => self.broken(bytes, is_end),
        }
    }

    fn between(&mut self, bytes: &[u8], is_end: bool) -> Cut {
        if is_end {
            return Cut::Records(bytes.len());
        }
        let mut whole = 0;
        while whole < bytes.len() {
            let rest = &bytes[whole..];
            let step = step::step(rest, false, self.longest);
            if let Step::Is { len, .. } = step {
                whole += len;
            } else if whole > 0 {
                break;
            } else {
                return self.begin(rest, step);
            }
        }
        Cut::Records(whole)
    }

    /// What to do with a record that isn't whole.
    fn begin(&mut self, bytes: &[u8], step: Step) -> Cut {
        match step {
            Step::Is { len, .. } => Cut::Records(len),
            Step::More(least) => Cut::More(least),
            Step::Passed { held, end, len } => {
                let taken = bytes.len().min(usize::try_from(end).unwrap_or(usize::MAX));
                self.state = State::Passed { len, left: end - taken as u64 };
                Cut::Begins(taken, held)
            }
            Step::Broken { fault, from } => {
                let len = from.max(bytes.len().saturating_sub(KEPT));
                if len == 0 {
                    return more(bytes);
                }
                self.state = State::Broken;
                Cut::Begins(len, Held::Broken(fault))
            }
        }
    }

    fn passed(&mut self, bytes: &[u8], is_end: bool, len: u64, left: u64) -> Cut {
        if bytes.is_empty() && is_end {
            self.state = State::Between;
            return Cut::Begins(0, Held::After(Fault::CutShort { len, there: len - left }));
        }
        if bytes.is_empty() {
            return more(bytes);
        }
        let taken = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.state = State::Passed { len, left: left - taken as u64 };
        Cut::GoesOn(taken)
    }

    /// Behind the content of a record that gave no document.
    fn ended(&mut self, bytes: &[u8], is_end: bool, len: u64) -> Option<Cut> {
        match step::end(bytes, is_end) {
            End::Unknown => Some(more(bytes)),
            End::Here(ends) => {
                self.state = State::Between;
                if ends > 0 { Some(Cut::GoesOn(ends)) } else { self.cut(bytes, is_end) }
            }
            End::Nowhere => {
                self.state = State::Broken;
                Some(Cut::Begins(0, Held::After(Fault::NoEnd { len })))
            }
        }
    }

    fn broken(&mut self, bytes: &[u8], is_end: bool) -> Option<Cut> {
        let end = head::next_version(bytes, 0).or_else(|| is_end.then_some(bytes.len()));
        let len = end.unwrap_or_else(|| bytes.len().saturating_sub(KEPT));
        if end.is_some() {
            self.state = State::Between;
        }
        match len {
            0 if end.is_some() => self.cut(bytes, is_end),
            0 => Some(more(bytes)),
            _ => Some(Cut::GoesOn(len)),
        }
    }
}

fn more(bytes: &[u8]) -> Cut {
    Cut::More(bytes.len() as u64 + 1)
}

#[cfg(test)]
mod tests {
    use super::super::tests::record;
    use super::super::{LONGEST, records};
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    /// What is held, and all its bytes.
    type Told = Vec<(Vec<u8>, Held)>;

    /// Blank lines may be cut anywhere, and what goes on belongs to what began. Where a document stands in a stretch says where it
    /// was cut, so its text stands for it.
    fn note(told: &mut Told, bytes: &[u8], place: &[u8], held: Held) {
        let held = match held {
            Held::Document(document) => {
                let is_its = document.text.len() <= place.len() as u64 && document.text.of(bytes).as_ptr() >= place.as_ptr();
                assert!(is_its);
                let uri = document.uri.map(|uri| uri.of(bytes).to_vec());
                let text = document.text.of(bytes).to_vec();
                return told.push(([place, &text, &uri.unwrap_or_default()].concat(), Held::Other(document.kind)));
            }
            held => held,
        };
        match told.last_mut() {
            Some((blank, Held::Blank)) if held == Held::Blank => blank.extend_from_slice(place),
            _ => told.push((place.to_vec(), held)),
        }
    }

    fn whole(bytes: &[u8]) -> Told {
        let mut told = Vec::new();
        records(bytes).for_each(|(span, held)| note(&mut told, bytes, span.of(bytes), held));
        told
    }

    /// The same as a stream of pieces tells it; and the most that was held.
    fn streamed(bytes: &[u8], mut piece: impl FnMut() -> usize) -> (Told, usize) {
        let (mut told, mut cutter) = (Vec::new(), Cutter::new(LONGEST));
        let (mut from, mut to, mut most) = (0, 0, 0);
        while let Some(cut) = cutter.cut(&bytes[from..to], to == bytes.len()) {
            most = most.max(to - from);
            let here = &bytes[from..to];
            from += match cut {
                Cut::Records(len) => {
                    assert!(len > 0);
                    records(&here[..len]).for_each(|(span, held)| note(&mut told, &here[..len], span.of(here), held));
                    len
                }
                Cut::Begins(len, held) => {
                    note(&mut told, here, &here[..len], held);
                    len
                }
                Cut::GoesOn(len) => {
                    assert!(len > 0);
                    told.last_mut().unwrap().0.extend_from_slice(&here[..len]);
                    len
                }
                Cut::More(least) => {
                    assert!(to < bytes.len() && least > here.len() as u64, "{least} of {}", here.len());
                    to = bytes.len().min(to + piece());
                    0
                }
            };
        }
        assert_eq!(from, bytes.len());
        (told, most)
    }

    /// Records and what is none, such as to be mixed up.
    fn parts() -> impl Strategy<Value = Vec<u8>> {
        let text = || "[a-z \n]{0,40}";
        let media = select(&["text/plain", "text/plain", "text/html", "application/http", "image/png"][..]);
        let kind = select(&["conversion", "conversion", "resource", "response", "request", "warcinfo"][..]);
        let http = select(&["", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\nContent-Type: text/plain\n\n", "HTTP/1.1 200"][..]);
        let good = (kind, media, http, text()).prop_map(|(kind, media, http, text)| {
            let uri = if text.len() > 20 { "WARC-Target-URI: <http://a.b/>\n" } else { "" };
            record(&format!("WARC-Type: {kind}\n{uri}Content-Type: {media}"), [http, &text].concat().as_bytes())
        });
        const LINES: [&[u8]; 8] = [b"WARC/1.0\r\n", b"\nWARC/1.", b"\r\n", b"\n", b"\r", b"filedesc://", b"\xff", b"WARC/"];
        let line = select(&LINES[..]);
        let wrong = (good.clone(), 0..200usize, line.clone()).prop_map(|(record, at, more)| {
            let at = at.min(record.len());
            [&record[..at], more, &record[at..]].concat()
        });
        let cut = (good.clone(), 0..200usize).prop_map(|(record, at)| record[..at.min(record.len())].to_vec());
        prop_oneof![4 => good, 2 => wrong, 1 => cut, 1 => line.prop_map(<[u8]>::to_vec)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn however_a_stream_comes_its_records_are_the_same(parts in vec(parts(), 0..6), pieces in vec(1..100usize, 1..9)) {
            let bytes = parts.concat();
            let mut next = pieces.iter().copied().cycle();
            prop_assert_eq!(streamed(&bytes, || next.next().unwrap()).0, whole(&bytes));
            prop_assert_eq!(streamed(&bytes, || 1).0, whole(&bytes));
        }

        #[test]
        fn any_bytes_are_cut(bytes: Vec<u8>, len in 1..9usize) {
            prop_assert_eq!(streamed(&bytes, || len).0, whole(&bytes));
        }
    }

    #[test]
    fn what_gives_no_document_is_not_held() {
        let long = record("WARC-Type: metadata\nContent-Type: text/plain", &b"x".repeat(1_000_000));
        let image = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n";
        let image = record("WARC-Type: response\nContent-Type: application/http", &[image, &b"x".repeat(1_000_000)[..]].concat());
        let noise = b"no record\n".repeat(100_000);
        for bytes in [long.clone(), image, noise.clone(), [&long[..], &noise, &long].concat()] {
            let (told, most) = streamed(&bytes, || 1000);
            assert_eq!(told, whole(&bytes));
            assert!(most < 2000, "{most}");
        }
        let text = record("WARC-Type: conversion", &b"x".repeat(1_000_000));
        assert_eq!(streamed(&text, || 1000).0, whole(&text));
    }

    #[test]
    fn it_is_known_how_much_a_text_needs() {
        let text = record("WARC-Type: conversion", &b"x".repeat(1000));
        assert_eq!(Cutter::new(LONGEST).cut(&text[..100], false), Some(Cut::More(text.len() as u64)));
        assert_eq!(Cutter::new(LONGEST).cut(&text, false), Some(Cut::Records(text.len())));
        assert_eq!(Cutter::new(LONGEST).cut(b"", true), None);
    }
}
