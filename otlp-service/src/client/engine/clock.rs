//! Wall-clock time in Unix nanoseconds, by the processor's cycle counter where it is reliable.
//!
//! The engines' threads compare the counter with the wall clock each second and publish the pair as an anchor: times between are
//! the anchor and the cycles since. A step of the wall clock is followed within a second. Without an anchor, and while an anchor
//! is being published, the operating system is asked.

use super::sync::CLOCK;
use super::tsc;
use super::unsafe_calls::ticks;
use otlp_transport::Clock as _;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Returns the time, in nanoseconds since 1970.
#[inline]
pub(crate) fn unix_nanos() -> u64 {
    ANCHOR.time(ticks()).unwrap_or_else(system_nanos)
}

/// Converts a time to nanoseconds since 1970: 0 before 1970, the maximum after 2554.
pub(crate) fn to_unix_nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Keeps the anchor of the process up to date, until the future is dropped.
pub(crate) async fn keep_time() {
    if !tsc::is_reliable() {
        return;
    }
    let _keeping = Keeping::begin();
    let (mut former, mut wait) = (Sample::take(), FIRST_INTERVAL);
    loop {
        CLOCK.sleep(wait).await;
        let now = Sample::take();
        if let Some(scale) = now.scale_since(&former) {
            ANCHOR.publish(&now, scale);
        }
        (former, wait) = (now, INTERVAL);
    }
}

#[cold]
fn system_nanos() -> u64 {
    to_unix_nanos(CLOCK.wall())
}

/// The anchor of the process.
static ANCHOR: Anchor = Anchor::new();

/// Number of tasks that keep the anchor up to date.
static KEEPERS: AtomicU32 = AtomicU32::new(0);

/// A point at which the counter and the wall clock were compared, and the rate of the counter. Readers take no lock: they read the
/// version before and after.
#[derive(Debug)]
struct Anchor {
    /// Odd without an anchor, and while the anchor is written.
    version: AtomicU64,
    ticks: AtomicU64,
    unix_nanos: AtomicU64,
    /// Nanoseconds of a tick, times 2^32.
    scale: AtomicU64,
    writing: Mutex<()>,
}

/// The counter and both clocks at one time.
#[derive(Clone, Copy, Debug)]
struct Sample {
    ticks: u64,
    unix_nanos: u64,
    instant: Instant,
}

/// A task that keeps the anchor up to date: when the last of them ends, the anchor is removed.
struct Keeping;

// === impl Anchor ===

impl Anchor {
    const fn new() -> Self {
        Self {
            version: AtomicU64::new(1),
            ticks: AtomicU64::new(0),
            unix_nanos: AtomicU64::new(0),
            scale: AtomicU64::new(0),
            writing: Mutex::new(()),
        }
    }

    /// Returns the time at which the counter has this value.
    #[inline]
    fn time(&self, ticks: u64) -> Option<u64> {
        let version = self.version.load(Ordering::Acquire);
        let since = ticks.saturating_sub(self.ticks.load(Ordering::Relaxed));
        let scale = self.scale.load(Ordering::Relaxed);
        let anchor = self.unix_nanos.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        if version % 2 == 1 || self.version.load(Ordering::Relaxed) != version {
            return None;
        }
        Some(anchor.wrapping_add(((u128::from(since) * u128::from(scale)) >> 32) as u64))
    }

    fn publish(&self, sample: &Sample, scale: u64) {
        self.write(|version| {
            self.ticks.store(sample.ticks, Ordering::Relaxed);
            self.unix_nanos.store(sample.unix_nanos, Ordering::Relaxed);
            self.scale.store(scale, Ordering::Relaxed);
            self.version.store(version.wrapping_add(1), Ordering::Release);
        });
    }

    fn remove(&self) {
        self.write(|_| ());
    }

    /// Takes the anchor away, and calls `write` with the odd version.
    fn write(&self, write: impl FnOnce(u64)) {
        // Another thread writes, or held the lock when this process was forked: its anchor is as good.
        let Some(_writing) = self.writing.try_lock() else {
            return;
        };
        // Odd also if a process that was forked off inherits an anchor that is half written.
        let version = self.version.load(Ordering::Relaxed) | 1;
        self.version.store(version, Ordering::Relaxed);
        fence(Ordering::Release);
        write(version);
    }
}

// === impl Sample ===

impl Sample {
    /// Reads the counter and the clocks. Of several tries the fastest counts: no other thread ran in between.
    fn take() -> Self {
        let tries = (0..TRIES).map(|_| {
            let before = ticks();
            let (wall, instant) = (CLOCK.wall(), CLOCK.now());
            let took = ticks().saturating_sub(before);
            (took, Self { ticks: before + took / 2, unix_nanos: to_unix_nanos(wall), instant })
        });
        let fastest = tries.min_by_key(|(took, _)| *took);
        fastest.map_or_else(|| Self { ticks: 0, unix_nanos: 0, instant: CLOCK.now() }, |(_, sample)| sample)
    }

    /// Returns the nanoseconds of a tick since an earlier sample, times 2^32.
    fn scale_since(&self, former: &Self) -> Option<u64> {
        let nanos = self.instant.saturating_duration_since(former.instant).as_nanos();
        let ticks = u128::from(self.ticks.checked_sub(former.ticks).filter(|&ticks| ticks > 0)?);
        u64::try_from((nanos << 32) / ticks).ok().filter(|&scale| scale > 0)
    }
}

// === impl Keeping ===

impl Keeping {
    fn begin() -> Self {
        KEEPERS.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        if KEEPERS.fetch_sub(1, Ordering::Relaxed) == 1 {
            ANCHOR.remove();
        }
    }
}

/// Time between two anchors.
const INTERVAL: Duration = Duration::from_secs(1);

/// Time until the first anchor: long enough to measure the rate of the counter.
const FIRST_INTERVAL: Duration = Duration::from_millis(20);

/// Comparisons of the counter with the clocks, of which one counts.
const TRIES: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_follow_the_anchor() {
        let anchor = Anchor::new();
        assert_eq!(anchor.time(5), None);
        let sample = Sample { ticks: 1_000, unix_nanos: 50_000, instant: CLOCK.now() };
        let later = Sample { ticks: 3_000, instant: sample.instant + Duration::from_nanos(1_000), ..sample };
        let scale = later.scale_since(&sample);
        assert_eq!(scale, Some(1 << 31));
        anchor.publish(&sample, 1 << 31);
        assert_eq!(anchor.time(3_000), Some(51_000));
        // The counter of another core can be slightly behind.
        assert_eq!(anchor.time(999), Some(50_000));
        assert_eq!(sample.scale_since(&later), None);
        anchor.remove();
        assert_eq!(anchor.time(3_000), None);
    }

    #[test]
    fn two_writers_do_not_mix() {
        let anchor = Anchor::new();
        let sample = Sample { ticks: 0, unix_nanos: 7, instant: CLOCK.now() };
        let _writing = anchor.writing.lock();
        anchor.publish(&sample, 1);
        assert_eq!(anchor.time(0), None);
    }
}
