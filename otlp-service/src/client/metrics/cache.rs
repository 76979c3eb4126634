//! The way from attributes to a series: through a cache of the thread, without locks and without writes to shared memory.
//!
//! An entry of the cache has the attributes as the program gave them, and is used if a measurement has the same in the same order.
//! In that case nothing is sorted and nothing is allocated. Entries keep their series alive; [`release`] makes all threads drop
//! their entries, so that series without measurements can be removed.

use super::Attributes;
use super::attributes::AttributeSet;
use super::given::{Given, fingerprint, is_given};
use super::instrument::Instrument;
use super::series::Series;
use super::shards::Padded;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Series by instrument and attributes as given. An entry has two places; a new entry takes the first, moves what is there to the
/// second, and replaces what is in the second. Before an entry is replaced, the cache grows, up to its limit.
struct Cache {
    epoch: u64,
    entries: Vec<Option<Entry>>,
}

struct Entry {
    hash: u64,
    instrument: u64,
    given: Box<[u8]>,
    series: Arc<Series>,
}

/// Entries of a thread, at first and at most; powers of two.
const FIRST_ENTRIES: usize = 64;
const MAX_ENTRIES: usize = 4_096;
/// Longest attributes in an entry, in bytes, with 16 for each attribute.
const MAX_GIVEN_BYTES: usize = 1_024;

/// Number of times that threads were asked to drop their entries.
static EPOCH: Padded<AtomicU64> = Padded(AtomicU64::new(0));

thread_local! {
    static CACHE: RefCell<Cache> = const { RefCell::new(Cache { epoch: 0, entries: Vec::new() }) };
}

/// Calls `record` with the series of the instrument for the attributes.
#[inline]
pub(super) fn with_series(
    instrument: &Instrument,
    attributes: &(impl Attributes + ?Sized),
    record: impl Fn(&Series),
) {
    let hash = fingerprint(instrument.id, attributes);
    let is_done = CACHE.try_with(|cache| {
        let cache = cache.try_borrow().ok()?;
        record(cache.find(hash, instrument.id, attributes)?);
        Some(())
    });
    if !matches!(is_done, Ok(Some(()))) {
        record(&find(instrument, hash, attributes));
    }
}

/// Makes all threads drop their entries before they use their caches again.
pub(super) fn release() {
    EPOCH.0.fetch_add(1, Ordering::Relaxed);
}

/// Finds the series in the instrument, and makes an entry in the cache.
#[cold]
#[inline(never)]
fn find(instrument: &Instrument, hash: u64, attributes: &(impl Attributes + ?Sized)) -> Arc<Series> {
    let given = Given::of(attributes);
    let series = instrument.find(AttributeSet::of_given(&given));
    if given.len() <= MAX_GIVEN_BYTES {
        let entry =
            Entry { hash, instrument: instrument.id, given: given.into_bytes(), series: Arc::clone(&series) };
        // The cache is in use if a value's conversion measures something itself, and is gone if the thread ends.
        let _ = CACHE.try_with(|cache| cache.try_borrow_mut().map(|mut cache| cache.insert(entry)));
    }
    series
}

// === impl Cache ===

impl Cache {
    #[inline]
    fn find(&self, hash: u64, instrument: u64, attributes: &(impl Attributes + ?Sized)) -> Option<&Series> {
        if self.epoch != EPOCH.0.load(Ordering::Relaxed) {
            return None;
        }
        let place = self.place(hash);
        let at = |place: usize| self.entries.get(place)?.as_ref().filter(|entry| entry.hash == hash);
        let entry = at(place).or_else(|| at(place ^ 1))?;
        let is_it = entry.instrument == instrument && is_given(&entry.given, attributes);
        is_it.then_some(&entry.series)
    }

    fn insert(&mut self, entry: Entry) {
        let epoch = EPOCH.0.load(Ordering::Relaxed);
        if self.epoch != epoch || self.entries.is_empty() {
            self.epoch = epoch;
            self.entries.clear();
            self.entries.resize_with(FIRST_ENTRIES, || None);
        }
        let mut replaced = self.put(entry);
        while let Some(entry) = replaced.take().filter(|_| self.entries.len() < MAX_ENTRIES) {
            let doubled = self.entries.len() * 2;
            let old = std::mem::take(&mut self.entries);
            self.entries.resize_with(doubled, || None);
            old.into_iter().flatten().for_each(|entry| drop(self.put(entry)));
            replaced = self.put(entry);
        }
    }

    /// Puts an entry in its first place. Returns an entry that has no place any more.
    fn put(&mut self, entry: Entry) -> Option<Entry> {
        let place = self.place(entry.hash);
        let before = self.entries.get_mut(place)?.replace(entry)?;
        self.entries.get_mut(place ^ 1)?.replace(before)
    }

    /// First place of a hash.
    #[inline]
    fn place(&self, hash: u64) -> usize {
        // The upper bits are the better ones. The number of places is a power of two, or zero.
        (hash >> u32::BITS) as usize & self.entries.len().wrapping_sub(1)
    }
}
