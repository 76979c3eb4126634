//! Metrics that stay although their owners are gone: while a gateway drains, pages and the last push have the totals of parts
//! that have stopped.

use super::{Families, Registration, Registry};
use parking_lot::Mutex;
use std::sync::Weak;

/// Metrics whose owners are gone.
#[derive(Default)]
pub(super) struct Kept {
    /// Number of guards.
    keepers: usize,
    /// Names and ids.
    gone: Vec<(String, u64)>,
}

/// Keeps metrics whose owners go: dropping the last guard removes the metrics.
pub(crate) struct Keeper(Weak<Mutex<Families>>);

// === impl Registry ===

impl Registry {
    /// Keeps the metrics whose owners go from now on, with their last values, until the guard is dropped.
    pub(crate) fn keep_gone(&self) -> Keeper {
        self.families.lock().kept.keepers += 1;
        Keeper(std::sync::Arc::downgrade(&self.families))
    }
}

// === impl Families ===

impl Families {
    /// Notes a metric whose owner is gone. Returns false if the metric is to be removed.
    pub(super) fn keep(&mut self, registration: &Registration) -> bool {
        let keeps = self.kept.keepers > 0;
        if keeps {
            self.kept.gone.push((registration.name.clone(), registration.id));
        }
        keeps
    }
}

// === impl Keeper ===

impl Drop for Keeper {
    fn drop(&mut self) {
        let Some(families) = self.0.upgrade() else { return };
        let gone = {
            let mut families = families.lock();
            families.kept.keepers -= 1;
            if families.kept.keepers > 0 {
                return;
            }
            std::mem::take(&mut families.kept.gone)
        };
        for (name, id) in gone {
            drop(Registration { families: self.0.clone(), name, id });
        }
    }
}

#[cfg(test)]
mod tests;
