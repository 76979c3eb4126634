//! Whether a destination can be reached, as the last attempt found it.

use super::{Health, HealthCheck};
use otlp_protocol::ErrorKind;
use otlp_transport::ExportResult;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells whether the last attempt to reach a destination did. No connection is opened for it.
pub struct NetworkHealthCheck {
    name: String,
    reachability: Arc<Reachability>,
}

/// What the last attempt found; until the first one, the best is hoped for.
#[derive(Debug, Default)]
pub(crate) struct Reachability {
    failed: AtomicBool,
    reason: Mutex<String>,
}

impl NetworkHealthCheck {
    pub(crate) fn new(name: String, reachability: Arc<Reachability>) -> Self {
        Self { name, reachability }
    }
}

impl HealthCheck for NetworkHealthCheck {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Health {
        if self.reachability.failed.load(Ordering::Relaxed) {
            Health::Degraded(self.reachability.reason.lock().clone())
        } else {
            Health::Healthy
        }
    }
}

impl Reachability {
    /// Takes note of an attempt. Whoever answers, be it with a refusal, is reachable.
    pub(crate) fn note(&self, result: &ExportResult) {
        match result {
            Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout) => {
                let reason = error.message().chars().take(MAX_REASON_CHARS).collect();
                *self.reason.lock() = reason;
                self.failed.store(true, Ordering::Relaxed);
            }
            // Written only when it changes, as all exports share the cache line.
            Ok(_) | Err(_) if self.failed.load(Ordering::Relaxed) => {
                self.failed.store(false, Ordering::Relaxed)
            }
            Ok(_) | Err(_) => {}
        }
    }
}

/// The text comes from the network.
const MAX_REASON_CHARS: usize = 200;
