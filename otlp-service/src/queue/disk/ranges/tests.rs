use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

proptest! {
    /// A set of ranges is the set of its numbers.
    #[test]
    fn ranges_are_sets(changes in prop::collection::vec((any::<bool>(), 0u64..60, 0u64..8), 0..30), at in 0u64..60, len in 0u64..12) {
        let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
        for (is_added, start, len) in changes {
            let range = start..start + len;
            if is_added {
                ranges.insert(range.clone());
                set.extend(range);
            } else {
                ranges.remove(range.clone());
                set.retain(|number| !range.contains(number));
            }
        }
        let within = at..at + len;
        prop_assert_eq!(ranges.iter().flatten().collect::<Vec<_>>(), set.iter().copied().collect::<Vec<_>>());
        prop_assert_eq!(ranges.contains(at), set.contains(&at));
        prop_assert_eq!(ranges.covers(&within), within.clone().all(|number| set.contains(&number)));
        prop_assert_eq!(ranges.meets(&within), within.clone().any(|number| set.contains(&number)));
        prop_assert_eq!(ranges.end(), set.last().map_or(0, |last| last + 1));
        let gaps: Vec<_> = ranges.gaps(within.clone()).into_iter().flatten().collect();
        prop_assert_eq!(gaps, within.clone().filter(|number| !set.contains(number)).collect::<Vec<_>>());
        prop_assert_eq!(ranges.start(), set.first().copied());
        let part: Vec<_> = ranges.part(within.clone(), usize::MAX).iter().flatten().collect();
        prop_assert_eq!(part, within.clone().filter(|number| set.contains(number)).collect::<Vec<_>>());
        // Ranges that touch are one.
        let all: Vec<_> = ranges.iter().collect();
        prop_assert!(all.windows(2).all(|pair| pair[0].end < pair[1].start));
        prop_assert_eq!(ranges.is_empty(), set.is_empty());
    }
}
