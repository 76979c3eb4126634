//! Whether the gateway takes telemetry.

use crate::health::{Health, HealthCheck};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Starting, ready or draining.
#[derive(Debug, Default)]
pub(super) struct Readiness(AtomicU8);

/// Tells whether the gateway takes telemetry.
pub(super) struct ReadinessCheck(pub(super) Arc<Readiness>);

impl Readiness {
    pub(super) fn ready(&self) {
        self.0.store(READY, Ordering::Relaxed);
    }

    pub(super) fn drain(&self) {
        self.0.store(DRAINING, Ordering::Relaxed);
    }
}

impl HealthCheck for ReadinessCheck {
    fn name(&self) -> &str {
        "gateway"
    }

    fn check(&self) -> Health {
        match self.0.0.load(Ordering::Relaxed) {
            READY => Health::Healthy,
            DRAINING => Health::Unhealthy("shutting down".into()),
            _ => Health::Unhealthy("starting".into()),
        }
    }
}

/// 0 is starting.
const READY: u8 = 1;
const DRAINING: u8 = 2;
