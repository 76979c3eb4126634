//! Series of an instrument: one for each set of attributes, up to the cardinality limit.

use super::aggregation::Cells;
use super::attributes::AttributeSet;
use super::lock_wait;
use parking_lot::RwLock;
use std::collections::HashMap;
use std::panic::RefUnwindSafe;
use std::sync::Arc;

/// Measurements of one instrument with the same attributes.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) attributes: AttributeSet,
    pub(super) cells: Cells,
}

/// Series by attributes. A measurement whose attributes would need a series beyond the limit goes to the overflow series, which
/// counts as one of them.
#[derive(Debug)]
pub(super) struct SeriesMap {
    map: RwLock<HashMap<AttributeSet, Arc<Series>>>,
    limit: usize,
}

/// The series of attributes.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) series: Arc<Series>,
    /// True if the overflow series is new: the limit is reached for the first time since the last series were removed.
    pub(super) overflows: bool,
}

/// As for [`Instrument`](super::instrument::Instrument).
impl RefUnwindSafe for Series {}

// === impl SeriesMap ===

impl SeriesMap {
    pub(super) fn new(limit: usize) -> Self {
        Self { map: RwLock::default(), limit }
    }

    /// Returns the series of the attributes, which `make` makes if there is none.
    pub(super) fn get(&self, attributes: AttributeSet, make: impl Fn() -> Cells) -> Found {
        if let Some(map) = self.map.try_read_for(lock_wait())
            && let Some(series) = map.get(&attributes)
        {
            return Found { series: Arc::clone(series), overflows: false };
        }
        let overflow = AttributeSet::overflow();
        let Some(mut map) = self.map.try_write_for(lock_wait()) else {
            // The series is not exported.
            let series = Arc::new(Series { attributes, cells: make() });
            return Found { series, overflows: false };
        };
        let used = map.len() + usize::from(!map.contains_key(&overflow));
        let is_full = used >= self.limit && !map.contains_key(&attributes);
        let attributes = if is_full { overflow } else { attributes };
        let overflows = is_full && !map.contains_key(&attributes);
        let series = map.entry(attributes).or_insert_with_key(|attributes| {
            Arc::new(Series { attributes: attributes.clone(), cells: make() })
        });
        Found { series: Arc::clone(series), overflows }
    }

    /// Calls `read` with all series, in no particular order.
    pub(super) fn for_each(&self, mut read: impl FnMut(&Series)) {
        // The lock is not held while the series are read: a process that is forked off meanwhile could not lock the map.
        let map = self.map.try_read_for(lock_wait());
        let all: Vec<_> = map.map(|map| map.values().cloned().collect()).unwrap_or_default();
        all.iter().for_each(|series| read(series));
    }

    /// Calls `read` with all series, and removes those for which it returns `false`, unless a handle or a thread's cache has the
    /// series.
    pub(super) fn retain(&self, mut read: impl FnMut(&Series) -> bool) {
        let Some(mut map) = self.map.try_write_for(lock_wait()) else {
            return;
        };
        map.retain(|_, series| {
            // Before the values are read: who has the series may measure and drop the series afterwards.
            let is_unused = Arc::get_mut(series).is_some();
            read(series) || !is_unused
        });
    }
}
