//! Cuts a stream where records begin, holding no more than it must: a record that gives no document is known by its headers,
//! and what follows them is passed on as it comes.

use super::step::{self, End, Step};
use super::{Fault, Held, head};

/// So much of what can't be read is kept back: the version line that ends it may have come in part.
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
    /// Nothing, before there are so many bytes. It takes a record of text as it is told to, so the number is no more than the
    /// longest has, its headers, and 40.
    More(u64),
}

/// Where in a stream it is cut next.
#[derive(Debug, Default)]
pub struct Cutter(State);

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// Between two records.
    #[default]
    Between,
    /// In a record that gives no document, whose Content-Length is `len`, and of which `left` bytes are to come.
    Passed { len: u64, left: u64 },
    /// In what can't be read.
    Broken,
}

impl Cutter {
    /// What to do with `bytes`, which follow what was cut off before: nothing if all is done. The cut is never longer than they
    /// are. `is_end`: no more will come.
    pub fn cut(&mut self, bytes: &[u8], is_end: bool) -> Option<Cut> {
        match self.0 {
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
            let step = step::step(rest, false);
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
                self.0 = State::Passed { len, left: end - taken as u64 };
                Cut::Begins(taken, held)
            }
            Step::Broken { fault, from } => {
                let len = from.max(bytes.len().saturating_sub(KEPT));
                if len == 0 {
                    return more(bytes);
                }
                self.0 = State::Broken;
                Cut::Begins(len, Held::Broken(fault))
            }
        }
    }

    fn passed(&mut self, bytes: &[u8], is_end: bool, len: u64, left: u64) -> Cut {
        if bytes.is_empty() && is_end {
            self.0 = State::Between;
            return Cut::Begins(0, Held::After(Fault::CutShort { len, there: len - left }));
        }
        if bytes.is_empty() {
            return more(bytes);
        }
        let taken = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.0 = State::Passed { len, left: left - taken as u64 };
        Cut::GoesOn(taken)
    }

    /// Behind the content of a record that gave no document.
    fn ended(&mut self, bytes: &[u8], is_end: bool, len: u64) -> Option<Cut> {
        match step::end(bytes, is_end) {
            End::Unknown => Some(more(bytes)),
            End::Here(ends) => {
                self.0 = State::Between;
                if ends > 0 { Some(Cut::GoesOn(ends)) } else { self.cut(bytes, is_end) }
            }
            End::Nowhere => {
                self.0 = State::Broken;
                Some(Cut::Begins(0, Held::After(Fault::NoEnd { len })))
            }
        }
    }

    fn broken(&mut self, bytes: &[u8], is_end: bool) -> Option<Cut> {
        let end = head::next_version(bytes, 0).or_else(|| is_end.then_some(bytes.len()));
        let len = end.unwrap_or_else(|| bytes.len().saturating_sub(KEPT));
        if end.is_some() {
            self.0 = State::Between;
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
