//! What is edited in a source.

use super::{Span, numbers};

/// A place, and what stands there then.
pub type Put<'e> = (Span, &'e [u8]);

/// What is edited in a source: places in order and without overlap, and what stands there then. Each takes but a few bytes more than that, since
/// there may be one for each word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Each by how far it is from the one before, how long the place is, how long what is put there, and that itself.
    written: Vec<u8>,
    /// Where one may begin to read.
    marks: Vec<Mark>,
    count: usize,
    /// Where the last place ends.
    end: u64,
}

/// So many edits are between two marks.
const MARKED: usize = 32;

/// Where an edit is written, and where the one before it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    at: usize,
    end: u64,
}

impl Edits {
    /// Goes on with an edit.
    ///
    /// # Panics
    /// If it isn't behind the last one.
    pub fn push(&mut self, at: Span, put: &[u8]) {
        assert!(at.start >= self.end && at.start <= at.end, "edits come in order, without overlap");
        if self.count.is_multiple_of(MARKED) {
            self.marks.push(Mark { at: self.written.len(), end: self.end });
        }
        self.count += 1;
        for number in [at.start - self.end, at.len(), put.len() as u64] {
            numbers::put(&mut self.written, number);
        }
        self.written.extend_from_slice(put);
        self.end = at.end;
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The first place.
    pub fn first(&self) -> Option<Span> {
        self.iter().next().map(|(at, _)| at)
    }

    /// All of them, in order.
    pub fn iter(&self) -> Each<'_> {
        Each { rest: &self.written, end: 0 }
    }

    /// Those that don't end before a place.
    pub fn behind(&self, place: u64) -> impl Iterator<Item = Put<'_>> {
        let mark = self.marks.partition_point(|mark| mark.end < place).checked_sub(1).map(|mark| self.marks[mark]);
        let Mark { at, end } = mark.unwrap_or(Mark { at: 0, end: 0 });
        Each { rest: &self.written[at..], end }.skip_while(move |(at, _)| at.end < place)
    }
}

/// The edits of two sources of them, in order.
pub(crate) fn merged<'e>(
    some: impl Iterator<Item = Put<'e>>,
    others: impl Iterator<Item = Put<'e>>,
) -> impl Iterator<Item = Put<'e>> {
    let (mut some, mut others) = (some.peekable(), others.peekable());
    std::iter::from_fn(move || match (some.peek(), others.peek()) {
        (Some((at, _)), Some((other, _))) if other.start < at.start => others.next(),
        (Some(_), _) => some.next(),
        (None, _) => others.next(),
    })
}

/// Edits, one after the other.
#[derive(Clone, Debug)]
pub struct Each<'e> {
    rest: &'e [u8],
    /// Where the last place ends.
    end: u64,
}

impl<'e> Iterator for Each<'e> {
    type Item = Put<'e>;

    fn next(&mut self) -> Option<Put<'e>> {
        if self.rest.is_empty() {
            return None;
        }
        let start = self.end + numbers::take(&mut self.rest);
        self.end = start + numbers::take(&mut self.rest);
        let len = numbers::take(&mut self.rest) as usize;
        let put = self.rest.split_off(..len).expect("all of it was written");
        Some((Span { start, end: self.end }, put))
    }
}

impl<'e> FromIterator<Put<'e>> for Edits {
    fn from_iter<I: IntoIterator<Item = Put<'e>>>(edits: I) -> Self {
        let mut all = Self::default();
        edits.into_iter().for_each(|(at, put)| all.push(at, put));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn edits_are_those_that_were_pushed(
            list in vec((prop_oneof![3 => 0..3u64, 1 => 0..1000u64], 0..200u64, vec(any::<u8>(), 0..4)), 0..150),
            place in 0..4000u64,
        ) {
            let mut end = 0;
            let placed = |(gap, len, put): &(u64, u64, Vec<u8>)| {
                let start = end + gap;
                end = start + len;
                (Span { start, end }, put.clone())
            };
            let wanted: Vec<(Span, Vec<u8>)> = list.iter().map(placed).collect();
            let edits: Edits = wanted.iter().map(|(at, put)| (*at, &**put)).collect();
            let owned = |(at, put): Put| (at, put.to_vec());
            prop_assert_eq!(edits.iter().map(owned).collect::<Vec<_>>(), &wanted[..]);
            prop_assert_eq!(edits.is_empty(), wanted.is_empty());
            let behind: Vec<_> = wanted.into_iter().skip_while(|(at, _)| at.end < place).collect();
            prop_assert_eq!(edits.behind(place).map(owned).collect::<Vec<_>>(), behind);
        }
    }
}
