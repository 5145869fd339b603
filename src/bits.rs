//! A bit a segment. Knows numbers only.

/// A set of segments, by number.
#[derive(Default)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// Adds one.
    pub(crate) fn set(&mut self, at: u32) {
        let word = at as usize / 64;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (at % 64);
    }

    /// Whether one is in it.
    pub(crate) fn has(&self, at: u32) -> bool {
        self.0.get(at as usize / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// Those in it, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..).step_by(64).zip(&self.0).flat_map(|(start, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let lowest = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1; // the lowest bit goes
                Some(start + lowest)
            })
        })
    }

    /// Takes all out from a number on.
    pub(crate) fn clear_from(&mut self, at: u32) {
        self.0.truncate((at as usize).div_ceil(64));
        if let Some(last) = self.0.get_mut(at as usize / 64) {
            *last &= (1 << (at % 64)) - 1;
        }
    }
}
