//! Items a second over the last seconds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts items by second. Time is passed in, as the time since a fixed start.
#[derive(Debug, Default)]
pub(super) struct Throughput {
    /// The last seconds, each at its number modulo [`SLOTS`]: the number in the upper half, items in the lower half.
    slots: [AtomicU64; SLOTS],
}

impl Throughput {
    /// Counts items.
    pub(super) fn add(&self, since_start: Duration, items: u64) {
        let second = since_start.as_secs();
        let Some(slot) = self.slots.get(second as usize % SLOTS) else { return };
        let items = items.min(MAX_ITEMS);
        let mut known = slot.load(Ordering::Relaxed);
        while known >> 32 != second & MAX_ITEMS {
            let new = (second << 32) | items;
            match slot.compare_exchange_weak(known, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(changed) => known = changed,
            }
        }
        slot.fetch_add(items, Ordering::Relaxed);
    }

    /// Returns the items a second over the last [`WINDOW`] complete seconds, or since the start if that is later.
    pub(super) fn per_second(&self, since_start: Duration) -> f64 {
        let now = since_start.as_secs();
        let (first, end, seconds) = match now {
            0 => (0, 1, since_start.as_secs_f64()),
            _ => (now.saturating_sub(WINDOW), now, now.min(WINDOW) as f64),
        };
        let known = self.slots.iter().map(|slot| slot.load(Ordering::Relaxed));
        let in_window = known.filter(|known| (first..end).contains(&(known >> 32)));
        let items: u64 = in_window.map(|known| known & MAX_ITEMS).sum();
        if seconds > 0.0 { items as f64 / seconds } else { 0.0 }
    }
}

/// Seconds that are kept: the window, the current second, and room for requests that are counted late.
const SLOTS: usize = 16;
/// Seconds of the window.
const WINDOW: u64 = 10;
/// Lower half of a slot. A slot holds more than any machine counts in a second.
const MAX_ITEMS: u64 = u32::MAX as u64;

#[cfg(test)]
mod tests;
