//! The pace at which batches are delivered that have waited: a rate, and a number of deliveries at a time. State alone, without a
//! clock.

use super::settings::BacklogConfig;
pub(super) use super::settings::BacklogOrder as Order;
use std::time::{Duration, Instant};

/// The pace of a queue's deliveries from its files.
#[derive(Debug)]
pub(super) struct Pace {
    order: Order,
    /// `None`: no limit.
    bytes_per_second: Option<u64>,
    max_deliveries: usize,
    /// Deliveries of batches that have waited.
    deliveries: usize,
    /// From then on the rate allows a batch; `None` before the first batch.
    free_at: Option<Instant>,
}

/// The limit that keeps a batch back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limited {
    /// The rate, until then.
    Until(Instant),
    /// The number of deliveries, until one ends.
    Deliveries,
}

// === impl Pace ===

impl Pace {
    /// The pace of a queue with this number of consumers.
    pub(super) fn new(config: &BacklogConfig, consumers: usize) -> Self {
        let share = config.max_share.map(|share| share.of(consumers as u64).max(1));
        Self {
            order: config.order,
            bytes_per_second: config.max_bytes_per_second.map(|rate| rate.get()),
            max_deliveries: share.map_or(usize::MAX, |share| usize::try_from(share).unwrap_or(usize::MAX)),
            deliveries: 0,
            free_at: None,
        }
    }

    /// The pace after another one, of which deliveries may be under way.
    pub(super) fn after(self, other: Self) -> Self {
        Self { deliveries: other.deliveries, free_at: other.free_at, ..self }
    }

    pub(super) fn order(&self) -> Order {
        self.order
    }

    /// Returns the limit that keeps the next batch back; `None` if it can be delivered.
    pub(super) fn limited(&self, now: Instant) -> Option<Limited> {
        if self.deliveries >= self.max_deliveries {
            return Some(Limited::Deliveries);
        }
        self.free_at.filter(|free_at| *free_at > now).map(Limited::Until)
    }

    /// Starts a delivery. A batch that is larger than the rate allows at once is paid for by a pause.
    pub(super) fn start(&mut self, now: Instant, bytes: u64) {
        self.deliveries += 1;
        let Some(rate) = self.bytes_per_second else { return };
        // Consumers wake late now and then: some of that time counts.
        let earliest = now.checked_sub(CREDIT).unwrap_or(now);
        let from = self.free_at.map_or(now, |free_at| free_at.max(earliest));
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate.max(1));
        let pause = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)).min(MAX_PAUSE);
        self.free_at = from.checked_add(pause);
    }

    /// Ends a delivery.
    pub(super) fn end(&mut self) {
        self.deliveries = self.deliveries.saturating_sub(1);
    }
}

/// The longest time that a rate was not used and counts.
const CREDIT: Duration = Duration::from_millis(100);
/// After one batch.
const MAX_PAUSE: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::disk::settings::Share;
    use otlp_transport::{Clock, TokioClock};
    use std::num::NonZeroU64;

    fn pace(rate: Option<u64>, share: Option<f64>) -> Pace {
        let max_bytes_per_second = rate.and_then(NonZeroU64::new);
        let config = BacklogConfig {
            max_bytes_per_second,
            max_share: share.and_then(Share::new),
            ..BacklogConfig::default()
        };
        Pace::new(&config, 10)
    }

    /// Bytes taken in this time by a consumer that is late by `late` each time.
    fn taken(pace: &mut Pace, seconds: u64, bytes: u64, late: Duration) -> u64 {
        let start = TokioClock.now();
        let (mut now, mut taken) = (start, 0);
        while now < start + Duration::from_secs(seconds) {
            match pace.limited(now) {
                None => {
                    pace.start(now, bytes);
                    pace.end();
                    taken += bytes;
                }
                Some(Limited::Until(until)) => now = until + late,
                Some(Limited::Deliveries) => panic!("a delivery is left"),
            }
        }
        taken
    }

    #[test]
    fn a_rate_is_kept_whatever_the_size_of_batches() {
        for bytes in [10, 100, 1_000, 5_000] {
            let taken = taken(&mut pace(Some(1_000), None), 60, bytes, Duration::ZERO);
            assert!((60_000 - 1_000..=60_000 + 5_000).contains(&taken), "{bytes}: {taken}");
        }
    }

    #[test]
    fn consumers_that_wake_late_do_not_lower_the_rate() {
        let taken = taken(&mut pace(Some(1_000), None), 60, 100, Duration::from_millis(20));
        assert!((59_000..=61_000).contains(&taken), "{taken}");
    }

    #[test]
    fn time_without_batches_is_no_credit_for_later() {
        let mut pace = pace(Some(1_000), None);
        let start = TokioClock.now();
        pace.start(start, 100);
        let later = start + Duration::from_secs(1000);
        for _ in 0..2 {
            assert_eq!(pace.limited(later), None);
            pace.start(later, 100);
        }
        assert_eq!(pace.limited(later), Some(Limited::Until(later + Duration::from_millis(100))));
    }

    #[test]
    fn a_share_limits_the_deliveries_at_a_time() {
        let now = TokioClock.now();
        for (share, most) in [(0.25, 2), (0.01, 1), (1.0, 10)] {
            let mut pace = pace(None, Some(share));
            for _ in 0..most {
                assert_eq!(pace.limited(now), None);
                pace.start(now, 1);
            }
            assert_eq!(pace.limited(now), Some(Limited::Deliveries), "{share}");
            pace.end();
            assert_eq!(pace.limited(now), None);
        }
    }

    #[test]
    fn new_settings_know_the_deliveries_under_way() {
        let now = TokioClock.now();
        let mut old = pace(None, None);
        (0..3).for_each(|_| old.start(now, 1));
        let new = pace(None, Some(0.3)).after(old);
        assert_eq!(new.limited(now), Some(Limited::Deliveries));
    }
}
