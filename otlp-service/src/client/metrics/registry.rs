//! Instruments by name.

use super::instrument::{Identity, Instrument, MetricScope};
use super::problem::MetricProblem;
use std::collections::HashMap;
use std::sync::Arc;

/// The instruments of a program, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Registry {
    instruments: Vec<Arc<Instrument>>,
    /// Indices of `instruments`, by scope and name in lower case.
    by_name: HashMap<(MetricScope, String), Vec<usize>>,
}

/// Result of a declaration.
pub(super) struct Declared {
    /// The instrument; `None` if there is no room for it.
    pub(super) instrument: Option<Arc<Instrument>>,
    pub(super) problem: Option<MetricProblem>,
}

/// Most instruments of a program.
pub(super) const MAX_INSTRUMENTS: usize = 4_096;

// === impl Registry ===

impl Registry {
    /// Returns all instruments.
    pub(super) fn instruments(&self) -> Vec<Arc<Instrument>> {
        self.instruments.clone()
    }

    /// Returns the instrument of this identity, which `make` makes if there is none.
    pub(super) fn declare(
        &mut self,
        scope: &MetricScope,
        identity: &Identity,
        make: impl FnOnce() -> Instrument,
    ) -> Declared {
        let key = (scope.clone(), identity.name.to_ascii_lowercase());
        let of_name = self.by_name.get(&key).map(Vec::as_slice).unwrap_or_default();
        let mut of_name = of_name.iter().filter_map(|index| self.instruments.get(*index));
        if let Some(same) = of_name.clone().find(|instrument| instrument.identity.is_same(identity)) {
            return Declared { instrument: Some(Arc::clone(same)), problem: None };
        }
        let metric = Arc::clone(&identity.name);
        if self.instruments.len() >= MAX_INSTRUMENTS {
            return Declared {
                instrument: None,
                problem: Some(MetricProblem::TooManyInstruments { metric }),
            };
        }
        let problem = of_name.next().map(|first| MetricProblem::Conflict {
            metric,
            first: first.identity.to_string(),
            second: identity.to_string(),
        });
        let instrument = Arc::new(make());
        self.by_name.entry(key).or_default().push(self.instruments.len());
        self.instruments.push(Arc::clone(&instrument));
        Declared { instrument: Some(instrument), problem }
    }
}
