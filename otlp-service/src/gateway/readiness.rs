//! Readiness of the gateway: starting, ready or draining.

use crate::health::{GATEWAY, Health, HealthCheck, Life};
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

    pub(super) fn life(&self) -> Life {
        match self.0.load(Ordering::Relaxed) {
            READY => Life::Ready,
            DRAINING => Life::Stopping,
            _ => Life::Starting,
        }
    }
}

impl HealthCheck for ReadinessCheck {
    fn name(&self) -> &str {
        GATEWAY
    }

    fn check(&self) -> Health {
        match self.0.life() {
            Life::Starting => Health::Unhealthy("starting".into()),
            Life::Ready => Health::Healthy,
            Life::Stopping => Health::Unhealthy("shutting down".into()),
        }
    }
}

/// 0 is starting.
const READY: u8 = 1;
const DRAINING: u8 = 2;
