//! Repeated runs: a segment repeats iff it lies in a run of consecutive segments, at least so long, that occurred earlier in
//! the same order (overlap allowed). A run's length is the sum over its distinct segments.
//!
//! A run that occurred earlier consists of segments that are not the first of their kind, so only stretches of those are
//! looked at, and the cost depends on what repeats, not on the size of the text. Most stretches are plain copies: where the
//! firsts of consecutive segments are consecutive too, the earlier run is in sight. Only a stretch in which such links break
//! (it holds a "* * *" that stood elsewhere before) is left to the table of minimal windows.

use super::NONE;
use super::windows::{Region, Rolling, Scratch, Table, Window, Windows};
use crate::bits::Bits;
use crate::document::Repeat;
use crate::threads;
use rayon::prelude::*;
use std::cmp::Reverse;
use std::ops::Range;

/// For each of `repeats` (in order, all there are) the number of an equal segment in an earlier occurrence of a run of at
/// least `least` columns that it lies in, or [`NONE`]. `weight` tells how long the segment of a number is; equal segments
/// have equal lengths.
///
/// The numbers continue from one segment to the next as far as the earlier occurrence does.
pub fn repeated_runs(repeats: &[Repeat], weight: impl Fn(u32) -> u32 + Sync, least: u64) -> Vec<u32> {
    let is_large = repeats.len() > MANY && threads::is_one();
    let part = if is_large { repeats.len().div_ceil(4 * rayon::current_num_threads()) } else { repeats.len() };
    runs_by_parts(repeats, weight, least, part)
}

/// More repeats than these are looked at by all threads.
const MANY: usize = 1 << 16;

/// The same, with so many repeats at least looked at by one thread.
fn runs_by_parts(repeats: &[Repeat], weight: impl Fn(u32) -> u32 + Sync, least: u64, part: usize) -> Vec<u32> {
    let least = least.max(1);
    let mut places = vec![NONE; repeats.len()];
    let linked = |(start, places): (usize, &mut [u32])| linked_runs(repeats, start, places, &weight, least);
    let parts = parts(repeats, &mut places, part);
    let open: Vec<Vec<u32>> =
        if parts.len() > 1 { parts.into_par_iter().map(linked).collect() } else { parts.into_iter().map(linked).collect() };
    let mut sought = Bits::default();
    open.iter().flatten().for_each(|&kind| sought.set(kind));
    let regions = regions(repeats, &sought);
    if !regions.is_empty() {
        search_windows(repeats, weight, least, &regions, &mut places);
    }
    places
}

/// Takes the repeats, of each of which there is a place, apart where a stretch ends, which isn't divided: each part has at least so
/// many, and begins with the repeat of a number.
fn parts<'a>(repeats: &[Repeat], mut places: &'a mut [u32], least: usize) -> Vec<(usize, &'a mut [u32])> {
    let (mut parts, mut start) = (Vec::new(), 0);
    while start < repeats.len() {
        let goes_on = |&at: &usize| at < repeats.len() && repeats[at].at == repeats[at - 1].at + 1;
        let end = (start + least..).find(|at| !goes_on(at)).map_or(repeats.len(), |end| end.min(repeats.len()));
        let (part, rest) = places.split_at_mut(end - start);
        parts.push((start, part));
        (start, places) = (end, rest);
    }
    parts
}

/// Settles the linked runs among consecutive repeats, which begin with the one of this number. Gives the kinds of which a window may
/// hold some that reaches beyond such a run.
fn linked_runs(repeats: &[Repeat], start: usize, places: &mut [u32], weight: impl Fn(u32) -> u32, least: u64) -> Vec<u32> {
    let weight_at = |at: usize| u64::from(weight(repeats[at].at));
    let mut open = Vec::new();
    for stretch in ranges(repeats, start..start + places.len(), |a, b| b.at == a.at + 1) {
        if stretch.clone().map(weight_at).sum::<u64>() < least {
            continue;
        }
        for linked in ranges(repeats, stretch.clone(), |a, b| b.kept == a.kept + 1) {
            // Firsts that follow one another are distinct.
            if linked.clone().map(weight_at).sum::<u64>() >= least {
                linked.clone().for_each(|at| places[at - start] = repeats[at].kept);
            }
            add_open_ends(linked, &stretch, weight_at, least, |end| open.extend(end.map(|at| repeats[at].kept)));
        }
    }
    open
}

/// Hands on what a minimal window that reaches beyond a linked run can hold of it: its ends, or all of a short one. The run
/// stands in a stretch which no window leaves.
pub(super) fn add_open_ends(
    linked: Range<usize>,
    stretch: &Range<usize>,
    columns: impl Fn(usize) -> u64,
    least: u64,
    mut add: impl FnMut(Range<usize>),
) {
    // Where both neighbours are long enough alone, no minimal window holds both.
    let is_long = |at: usize| columns(at) >= least;
    let is_open = |at: usize| stretch.start < at && at < stretch.end && !(is_long(at - 1) && is_long(at));
    let reach = |segments: &mut dyn Iterator<Item = usize>| {
        let mut length = 0;
        let mut is_short = |at| {
            let was_short = length < least;
            length += columns(at);
            was_short
        };
        segments.take_while(|&at| is_short(at)).count()
    };
    let first = linked.start + if is_open(linked.start) { reach(&mut linked.clone()) } else { 0 };
    let last = linked.end - if is_open(linked.end) { reach(&mut linked.clone().rev()) } else { 0 };
    if first < last {
        [linked.start..first, last..linked.end].into_iter().filter(|end| !end.is_empty()).for_each(add);
    } else {
        add(linked);
    }
}

/// The maximal ranges of the items of `within` in which each is joined to the next.
fn ranges<T>(items: &[T], within: Range<usize>, joined: impl Fn(&T, &T) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut end = within.start;
    items[within].chunk_by(joined).map(move |chunk| {
        let start = end;
        end += chunk.len();
        start..end
    })
}

/// Settles what isn't in sight: windows of these regions stood in one of them earlier.
fn search_windows(
    repeats: &[Repeat],
    weight: impl Fn(u32) -> u32 + Sync,
    least: u64,
    regions: &[Range<u32>],
    places: &mut [u32],
) {
    /// So many regions are looked at by one thread, and so many before what they gave is forgotten.
    const TOGETHER: usize = 512;
    const AT_A_TIME: usize = 32 * TOGETHER;
    let shards = if regions.len() <= TOGETHER || !threads::is_one() { 1 } else { rayon::current_num_threads() };
    let mut table = Table::default();
    for some in regions.chunks(AT_A_TIME) {
        let windows = in_parts(some, TOGETHER, |regions| windows(regions, repeats, &weight, least));
        let mut number = table.len();
        let count: usize = windows.iter().map(|windows| windows.list.len()).sum();
        let expected = count * regions.len() / some.len();
        let hits = table.enter(windows.iter(), repeats, || (shards, expected));
        let hits_of = windows.iter().map(|windows| {
            let first = number;
            number += windows.list.len() as u32;
            let before = |number| hits.partition_point(|hit| hit.at < number);
            before(first)..before(number)
        });
        let hits_of: Vec<Range<usize>> = hits_of.collect();
        let found_in =
            |parts: &[Range<usize>]| parts.iter().flat_map(|part| found(repeats, &table, &hits[part.clone()])).collect();
        let found: Vec<Vec<(u32, u32)>> = in_parts(&hits_of, 1, found_in);
        for (repeat, place) in found.into_iter().flatten() {
            let known = &mut places[repeat as usize];
            if *known == NONE {
                *known = place;
            }
        }
    }
}

/// Does something with so many items at a time; where that makes more than one part, by all threads.
fn in_parts<I: Sync, T: Send>(items: &[I], together: usize, each: impl Fn(&[I]) -> T + Sync + Send) -> Vec<T> {
    if items.len() <= together || !threads::is_one() { vec![each(items)] } else { items.par_chunks(together).map(each).collect() }
}

/// The minimal windows of some regions.
fn windows(regions: &[Range<u32>], repeats: &[Repeat], weight: impl Fn(u32) -> u32, least: u64) -> Windows {
    let (mut windows, mut scratch, mut kinds, mut weights) = (Windows::default(), Scratch::default(), vec![], vec![]);
    let mut before = regions.first().map_or(0, |first| repeats.partition_point(|repeat| repeat.at < first.start));
    for region in regions {
        before += repeats[before..].iter().take_while(|repeat| repeat.at < region.start).count();
        let mut behind = repeats[before..].iter().peekable();
        kinds.clear();
        kinds.extend(region.clone().map(|at| behind.next_if(|repeat| repeat.at == at).map_or(at, |repeat| repeat.kept)));
        weights.clear();
        weights.extend(region.clone().map(&weight));
        let (first, repeats, repeats_before) = (region.start, &repeats[before..], before as u32);
        let region = Region { first, kinds: &kinds, weights: &weights, least, repeats, repeats_before, rolling: Rolling::Plain };
        region.windows(|at| at > 0 && kinds[at] != kinds[at - 1] + 1, &mut scratch, &mut windows);
    }
    windows
}

/// The repeats, by their numbers, that lie in windows which stood earlier, each with its place there.
fn found(repeats: &[Repeat], table: &Table, hits: &[Repeat]) -> Vec<(u32, u32)> {
    let mut hits: Vec<(Window, u32)> = hits.iter().map(|hit| (table.window(hit.at), table.window(hit.kept).first)).collect();
    hits.sort_unstable_by_key(|(window, _)| (window.first, Reverse(window.len)));
    let mut found = Vec::with_capacity(hits.len());
    // What a window has said of a segment stands. Where it goes on, so does the place, if that can.
    let (mut covered, mut last) = (0, NONE);
    for (window, earlier) in hits {
        for at in window.first.max(covered)..window.first + window.len {
            let repeat = window.repeat + (at - window.first);
            let (follows, place) = (last.wrapping_add(1), earlier + (at - window.first));
            let kept = repeats[repeat as usize].kept;
            let goes_on = at == covered && (follows == place || (follows < at && kind(repeats, follows) == kept));
            (covered, last) = (at + 1, if goes_on { follows } else { place });
            found.push((repeat, last));
        }
    }
    found
}

/// The kind of a segment.
fn kind(repeats: &[Repeat], segment: u32) -> u32 {
    repeats.binary_search_by_key(&segment, |repeat| repeat.at).map_or(segment, |at| repeats[at].kept)
}

/// The maximal ranges of segments of these kinds.
fn regions(repeats: &[Repeat], kinds: &Bits) -> Vec<Range<u32>> {
    let mut regions: Vec<Range<u32>> = Vec::new();
    let mut add = |at: u32| match regions.last_mut() {
        Some(region) if region.end == at => region.end += 1,
        _ => regions.push(at..at + 1),
    };
    let mut firsts = kinds.iter().peekable();
    for repeat in repeats.iter().filter(|repeat| kinds.has(repeat.kept)) {
        while let Some(first) = firsts.next_if(|&first| first < repeat.at) {
            add(first);
        }
        add(repeat.at);
    }
    firsts.for_each(add);
    regions.retain(|region| region.len() > 1);
    regions
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// The definition itself: every pair of places, every common run, its distinct segments summed.
    fn by_definition(ids: &[u32], columns: &[u32], least: u64) -> Vec<bool> {
        let mut repeated = vec![false; ids.len()];
        for later in 0..ids.len() {
            for earlier in 0..later {
                let mut seen = std::collections::HashSet::new();
                let mut length = 0;
                for run in 0..ids.len() - later {
                    if ids[earlier + run] != ids[later + run] {
                        break;
                    }
                    if seen.insert(ids[later + run]) {
                        length += u64::from(columns[later + run]);
                    }
                    if length >= least.max(1) {
                        repeated[later..=later + run].fill(true);
                    }
                }
            }
        }
        repeated
    }

    /// The same by a suffix automaton (Blumer et al., 1985): for each place the longest run ending there that occurred earlier.
    fn by_suffix_automaton(ids: &[u32], columns: &[u32], least: u64) -> Vec<bool> {
        struct State {
            len: usize,
            link: usize,
            next: HashMap<u32, usize>,
        }
        let root = || State { len: 0, link: usize::MAX, next: HashMap::new() };
        let (mut states, mut last) = (vec![root()], 0);
        let mut repeated = vec![false; ids.len()];
        let (mut at, mut longest) = (0, 0);
        for (end, &id) in ids.iter().enumerate() {
            // Match against the automaton of ids[..end]: what it accepts ends before this place, so it occurred earlier.
            while at != 0 && !states[at].next.contains_key(&id) {
                at = states[at].link;
                longest = states[at].len;
            }
            if let Some(&next) = states[at].next.get(&id) {
                (at, longest) = (next, longest + 1);
            }
            let start = end + 1 - longest;
            let distinct: std::collections::HashSet<u32> = ids[start..=end].iter().copied().collect();
            let length: u64 =
                distinct.iter().map(|id| u64::from(columns[ids.iter().position(|other| other == id).unwrap()])).sum();
            if longest > 0 && length >= least.max(1) {
                repeated[start..=end].fill(true);
            }
            // Extend the automaton by id.
            let new = states.len();
            states.push(State { len: states[last].len + 1, link: 0, next: HashMap::new() });
            let mut from = last;
            while from != usize::MAX && !states[from].next.contains_key(&id) {
                states[from].next.insert(id, new);
                from = states[from].link;
            }
            if from != usize::MAX {
                let target = states[from].next[&id];
                if states[from].len + 1 == states[target].len {
                    states[new].link = target;
                } else {
                    let copy = states.len();
                    let (link, next) = (states[target].link, states[target].next.clone());
                    states.push(State { len: states[from].len + 1, link, next });
                    while from != usize::MAX && states[from].next.get(&id) == Some(&target) {
                        states[from].next.insert(id, copy);
                        from = states[from].link;
                    }
                    states[target].link = copy;
                    states[new].link = copy;
                }
            }
            last = new;
            // The state matched may have been split: stand where a run of this length ends.
            while at != 0 && states[states[at].link].len >= longest {
                at = states[at].link;
            }
        }
        repeated
    }

    /// The places of all segments, equal ones having equal ids.
    fn find(ids: &[u32], columns: &[u32], least: u64) -> Vec<u32> {
        find_by_parts(ids, columns, least, ids.len())
    }

    fn find_by_parts(ids: &[u32], columns: &[u32], least: u64, part: usize) -> Vec<u32> {
        let repeats: Vec<Repeat> = (0..).zip(ids).filter(|(at, id)| at != *id).map(|(at, &id)| Repeat { at, kept: id }).collect();
        let mut places = vec![NONE; ids.len()];
        for (repeat, place) in repeats.iter().zip(runs_by_parts(&repeats, |at| columns[at as usize], least, part)) {
            places[repeat.at as usize] = place;
        }
        places
    }

    #[track_caller]
    fn check(labels: &[u32], lengths: &[u32], least: u64) {
        let ids: Vec<u32> = labels.iter().map(|l| labels.iter().position(|o| o == l).unwrap() as u32).collect();
        let columns: Vec<u32> = labels.iter().map(|&l| lengths[l as usize]).collect();
        let places = find(&ids, &columns, least);
        let repeated: Vec<bool> = places.iter().map(|&place| place != NONE).collect();
        assert_eq!(repeated, by_definition(&ids, &columns, least), "{labels:?} {lengths:?} {least}");
        assert_eq!(repeated, by_suffix_automaton(&ids, &columns, least), "{labels:?} {lengths:?} {least}");
        for part in 1..=ids.len().min(20) {
            assert_eq!(find_by_parts(&ids, &columns, least, part), places, "{labels:?} {lengths:?} {least} {part}");
        }
        for (at, &place) in places.iter().enumerate().filter(|(_, place)| **place != NONE) {
            assert!((place as usize) < at && ids[place as usize] == ids[at], "{labels:?} {lengths:?} {least}");
        }
    }

    /// Sequences as they come up: random, periodic, with pieces copied to later places.
    fn labels() -> impl Strategy<Value = Vec<u32>> {
        let random = |kinds| prop::collection::vec(0u32..kinds, 0..60);
        let periodic = (prop::collection::vec(0u32..4, 1..6), 0usize..60)
            .prop_map(|(unit, len)| unit.into_iter().cycle().take(len).collect());
        let pasted = (random(30), prop::collection::vec((any::<prop::sample::Index>(), 1usize..20), 1..4)).prop_map(
            |(mut all, pastes)| {
                for (from, len) in pastes.iter().filter(|_| !all.is_empty()).collect::<Vec<_>>() {
                    let from = from.index(all.len());
                    let copy = all[from..(from + len).min(all.len())].to_vec();
                    all.extend(copy);
                }
                all
            },
        );
        prop_oneof![random(3), random(30), periodic, pasted]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn equals_the_definition_and_the_suffix_automaton(labels in labels(), lengths in prop::collection::vec(0u32..9, 30), least in 0u64..40) {
            check(&labels, &lengths, least);
        }
    }

    #[test]
    fn fifty_times_yes_is_no_run() {
        assert!(find(&[0; 50], &[4; 50], 200).iter().all(|&place| place == NONE));
    }

    #[test]
    fn places_continue_as_far_as_the_earlier_occurrence_does() {
        let places = find(&[0, 1, 2, 1, 4, 0, 1, 2, 1, 4], &[9, 1, 9, 1, 9, 9, 1, 9, 1, 9], 9);
        assert_eq!(places, [NONE, NONE, NONE, NONE, NONE, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn hostile_sequences_take_linear_time() {
        let long_windows = [vec![0; 200_000], vec![200_000], vec![0; 200_000], vec![200_000]].concat();
        let columns: Vec<u32> = long_windows.iter().map(|&id| if id == 0 { 1 } else { 100 }).collect();
        assert_eq!(find(&long_windows, &columns, 101).iter().filter(|&&place| place != NONE).count(), 200_001);
        let thue_morse: Vec<u32> = (0u32..1 << 18).map(|i| i.count_ones() & 1).collect();
        let alike = find(&thue_morse, &vec![100; 1 << 18], 200);
        assert!(alike[8..].iter().all(|&place| place != NONE));
    }
}
