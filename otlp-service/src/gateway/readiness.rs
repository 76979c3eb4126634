//! Readiness of the gateway: starting, ready or draining.

use crate::health::{Health, HealthCheck};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// State of the gateway: starting, ready or draining.
#[derive(Debug, Default)]
pub(super) struct Readiness(AtomicU8);

/// Health check of the gateway's state.
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
