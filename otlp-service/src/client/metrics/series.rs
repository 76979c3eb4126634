//! Series of an instrument: one for each set of attributes, up to the cardinality limit.

use super::aggregation::Cells;
use super::attributes::AttributeSet;
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
        if let Some(series) = self.map.read().get(&attributes) {
            return Found { series: Arc::clone(series), overflows: false };
        }
        let overflow = AttributeSet::overflow();
        let mut map = self.map.write();
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
        self.map.read().values().for_each(|series| read(series));
    }

    /// Calls `read` with all series, and removes those for which it returns `false`, unless a handle or a thread's cache has the
    /// series.
    pub(super) fn retain(&self, mut read: impl FnMut(&Series) -> bool) {
        self.map.write().retain(|_, series| {
            // Before the values are read: who has the series may measure and drop the series afterwards.
            let is_unused = Arc::get_mut(series).is_some();
            read(series) || !is_unused
        });
    }
}
