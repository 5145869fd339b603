//! Where in a long list, in order, what begins at or before some place is looked for: near enough to be found in a few steps, where a
//! binary search waits for memory at each of many.

/// For each stretch of places, how many of the list begin before it, or fewer.
pub(crate) struct Near {
    /// A stretch has 2 to the power of so many places.
    shift: u32,
    before: Vec<u32>,
}

impl Near {
    pub(crate) fn new(shift: u32) -> Self {
        Self { shift, before: Vec::new() }
    }

    /// The list, which has so many now, goes on with what begins at `start`.
    pub(crate) fn push(&mut self, start: u64, count: usize) {
        while self.before.len() as u64 <= start >> self.shift {
            self.before.push(count as u32);
        }
    }

    /// The list has no more than so many.
    pub(crate) fn truncate(&mut self, count: usize) {
        let kept = self.before.partition_point(|&before| before as usize <= count);
        self.before.truncate(kept);
    }

    /// The last of a list that begins at or before a place, by its number; the first one does.
    pub(crate) fn last<T>(&self, list: &[T], place: u64, start: impl Fn(&T) -> u64) -> usize {
        let before = self.before.get((place >> self.shift) as usize).map_or(list.len(), |&before| before as usize);
        let from = before.saturating_sub(1);
        let steps = list[from..].iter().take_while(|one| start(one) <= place).count();
        (from + steps).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_near_is_what_a_search_finds(steps in prop::collection::vec((0u64..40, prop::bool::weighted(0.1)), 1..200)) {
            let (mut near, mut list) = (Near::new(3), Vec::new());
            let mut next = 0;
            for (step, is_cut) in steps {
                if is_cut && list.len() > 1 {
                    list.truncate(list.len() / 2);
                    near.truncate(list.len());
                    next = list.last().copied().unwrap_or(0);
                }
                near.push(next, list.len());
                list.push(next);
                for place in 0..next + 20 {
                    let found = list.partition_point(|&start| start <= place) - 1;
                    let last = near.last(&list, place, |&start| start);
                    prop_assert_eq!(list[last], list[found]);
                }
                next += step;
            }
        }
    }
}
