//! `--max-removed`: outputs wait for their names until it is sure that not too much goes.

use super::inputs::Inputs;
use super::writing::{Complete, Waiting};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use unecho::apply::Pending;
use unecho::source::{Form, Found, Origin, Packing};
use unecho::{Result, Share};

/// So much of a corpus may go if nothing else is said, in percent: more is a mistake more often than not.
const OF_CORPUS: u8 = 90;

/// The outputs that wait.
pub(super) struct Held {
    /// How much of all may go; `None`: any part.
    most: Option<Share>,
    /// Tells how many bytes all inputs have, if that can be known beforehand.
    total: Option<Receiver<Option<u64>>>,
    known: Option<u64>,
    /// Whether what stays by now is enough, whatever comes.
    is_sure: bool,
    /// The bytes of all documents by now, and of what stays of them.
    bytes: (u64, u64),
    waiting: Waiting,
}

impl Held {
    /// For a run on these inputs. Of what an interrupted one has done, and isn't read again, it is known how many `bytes` it had and
    /// how many stay. What is `written_at_once` can't be held back.
    pub(super) fn new(asked: Option<Share>, inputs: &Inputs, bytes: (u64, u64), written_at_once: bool) -> Result<Self> {
        let of_corpus = || if inputs.is_corpus() { Share::of_percent(OF_CORPUS) } else { None };
        let most = asked.or_else(of_corpus).filter(|most| most.percent() < 100);
        let total = match most {
            Some(_) if !written_at_once && !inputs.is_single() => Some(counted(inputs)?),
            _ => None,
        };
        Ok(Self { most, total, known: None, is_sure: written_at_once || most.is_none(), bytes, waiting: Vec::new() })
    }

    /// What may have its name, now that this is complete.
    pub(super) fn release(&mut self, mut complete: Waiting) -> Waiting {
        for (Complete { told, .. }, _) in &complete {
            self.bytes.0 += told.sums.bytes_before;
            self.bytes.1 += told.sums.bytes_after;
        }
        self.is_sure = self.is_sure || self.stays_enough();
        if self.is_sure && self.waiting.is_empty() {
            return complete;
        }
        complete.iter_mut().filter_map(|(_, pending)| pending.as_mut()).for_each(Pending::wait);
        self.waiting.append(&mut complete);
        if self.is_sure { std::mem::take(&mut self.waiting) } else { Vec::new() }
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether what stays by now is so much that what goes can't become too much.
    fn stays_enough(&mut self) -> bool {
        if let Some(Ok(known)) = self.total.as_ref().map(Receiver::try_recv) {
            (self.known, self.total) = (known, None);
        }
        let (Some(most), Some(total)) = (self.most, self.known) else { return false };
        !most.is_exceeded(total.saturating_sub(self.bytes.1), total)
    }

    /// What still waits, at the end of the run, unless too much goes.
    pub(super) fn end(self) -> std::result::Result<Waiting, TooMuch> {
        let (all, stays) = self.bytes;
        let gone = all.saturating_sub(stays); // what is repaired may take more
        match self.most {
            Some(most) if most.is_exceeded(gone, all) => Err(TooMuch { most, all, gone }),
            _ => Ok(self.waiting),
        }
    }
}

/// More goes than may.
pub(super) struct TooMuch {
    /// So much may go.
    pub(super) most: Share,
    /// The bytes of all documents.
    pub(super) all: u64,
    /// Those that go.
    pub(super) gone: u64,
}

/// Counts the bytes of all inputs, beside the run; none if some of them don't tell how much text they hold.
fn counted(inputs: &Inputs) -> Result<Receiver<Option<u64>>> {
    let (sender, total) = channel();
    let mut found = inputs.walk(None)?;
    let size = |found| match found {
        Found::Input(input) if input.packing == Packing::Plain && matches!(input.form, Form::Text | Form::Jsonl) => {
            // Nothing, if it isn't a file.
            (input.size > 0 || matches!(input.from, Origin::Walked(_))).then_some(input.size)
        }
        Found::Input(_) => None,
        Found::LeftOut(..) | Found::Failed(_) => Some(0),
    };
    let count = move || {
        let _ = sender.send(found.try_fold(0, |all, found| Some(all + size(found)?))); // whoever asked may have ended
    };
    // Without a thread more, all waits for the end.
    let _ = thread::Builder::new().name("sizes".into()).spawn(count);
    Ok(total)
}
