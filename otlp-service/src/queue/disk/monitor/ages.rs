//! Times at which records were stored, by number: a bounded list of some of them.

use std::collections::VecDeque;

/// Numbers of records, ascending, and the times since which records from there on were stored, in milliseconds since 1970.
#[derive(Debug)]
pub(super) struct Ages {
    times: VecDeque<(u64, u64)>,
    /// Least time between two of them; longer if there are many.
    distance_millis: u64,
}

impl Ages {
    /// Starts with the first records of segments.
    pub(super) fn start(&mut self, times: impl IntoIterator<Item = (u64, u64)>) {
        times.into_iter().for_each(|(record, time)| self.add(record, time));
    }

    /// Adds a record that was stored at `time`, unless the last one is about as old.
    pub(super) fn add(&mut self, record: u64, time: u64) {
        if self.times.back().is_some_and(|(_, last)| time < last.saturating_add(self.distance_millis)) {
            return;
        }
        self.times.push_back((record, time));
        if self.times.len() > MAX_TIMES {
            self.distance_millis = self.distance_millis.saturating_mul(2);
            let mut is_kept = false;
            self.times.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
        }
    }

    /// Returns the time since which `oldest` may be stored, and forgets the times before.
    pub(super) fn of(&mut self, oldest: u64) -> Option<u64> {
        while self.times.get(1).is_some_and(|(record, _)| *record <= oldest) {
            self.times.pop_front();
        }
        if self.times.len() <= 1 {
            self.distance_millis = MIN_DISTANCE_MILLIS;
        }
        self.times.front().map(|(_, time)| *time)
    }
}

impl Default for Ages {
    fn default() -> Self {
        Self { times: VecDeque::new(), distance_millis: MIN_DISTANCE_MILLIS }
    }
}

const MIN_DISTANCE_MILLIS: u64 = 1000;
/// 64 KiB.
const MAX_TIMES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_record_is_found_within_a_second() {
        let mut ages = Ages::default();
        assert_eq!(ages.of(7), None);
        ages.start([(10, 5_000)]);
        for (record, time) in [(11, 5_500), (12, 6_000), (20, 9_999), (21, 10_000)] {
            ages.add(record, time);
        }
        assert_eq!(
            [11, 12, 19, 20, 500].map(|record| ages.of(record)),
            [5_000, 6_000, 6_000, 9_999, 9_999].map(Some)
        );
    }

    #[test]
    fn the_list_is_bounded_and_keeps_the_oldest() {
        let mut ages = Ages::default();
        (0..100_000).for_each(|record| ages.add(record, record * 2_000));
        assert!(ages.times.len() <= MAX_TIMES);
        let time = ages.of(50_000).unwrap();
        assert!((99_000_000..=100_000_000).contains(&time), "{time}");
    }
}
