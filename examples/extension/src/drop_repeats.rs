//! A holder: it remembers over time, and answers for what comes in.

use otlp_protocol::{Accepted, Batch};
use otlp_service::{
    Answers, BuildContext, GoDuration, Holder, HolderAccount, HolderContext, HolderSpec, Outlet, Reason,
    SettingsError,
};
use otlp_transport::{Clock, Export, ExportResult};
use parking_lot::Mutex;
use serde::Deserialize;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Settings of the holder `drop_repeats`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Time after a delivery within which an equal request is dropped. Default 1 m.
    window: GoDuration,
    /// Requests that are remembered at most; beyond that nothing more is. Default 10000.
    max_remembered: usize,
}

/// Makes the holder, once for each pipeline that it stands in.
pub(crate) fn make(given: Settings, _: &BuildContext<'_>) -> Result<HolderSpec, SettingsError> {
    let Settings { window: GoDuration(window), max_remembered } = given;
    if window.is_zero() {
        return Err(SettingsError::at("window", "it must be more than 0"));
    }
    Ok(HolderSpec::new(Answers::AfterCommit, move |context: HolderContext| {
        let HolderContext { account, outlets, clock, .. } = context;
        let outlet = outlets.into_iter().next().ok_or("there is nothing behind it")?;
        Ok(DropRepeats { account, outlet, clock, window, max_remembered, known: Mutex::default() })
    }))
}

/// Lets the first of equal requests through.
struct DropRepeats {
    account: HolderAccount,
    outlet: Outlet,
    clock: Arc<dyn Clock>,
    window: Duration,
    max_remembered: usize,
    /// Times of delivery, by a hash of the delivered body.
    known: Mutex<HashMap<u64, Instant>>,
}

impl DropRepeats {
    fn is_known(&self, hash: u64) -> bool {
        let now = self.clock.now();
        let mut known = self.known.lock();
        if known.len() >= self.max_remembered {
            known.retain(|_, delivered| now.duration_since(*delivered) < self.window);
        }
        known.get(&hash).is_some_and(|delivered| now.duration_since(*delivered) < self.window)
    }

    /// Only what was delivered is known: a sender that tries again after an error is to be heard.
    fn remember(&self, hash: u64) {
        let mut known = self.known.lock();
        if known.len() < self.max_remembered {
            known.insert(hash, self.clock.now());
        }
    }
}

impl Export for DropRepeats {
    async fn export(&self, batch: Batch) -> ExportResult {
        let items = batch.items();
        let mut hasher = DefaultHasher::new();
        batch.body().plain().to_contiguous().hash(&mut hasher);
        let hash = hasher.finish();
        let mut held = self.account.hold(items);
        if self.is_known(hash) {
            held.settle(Reason::Filtered, items);
            return Ok(Accepted::FULL);
        }
        let result = self.outlet.export(batch, held).await;
        if result.is_ok() {
            self.remember(hash);
        }
        result
    }
}

impl Holder for DropRepeats {}

impl Default for Settings {
    fn default() -> Self {
        Self { window: GoDuration(Duration::from_secs(60)), max_remembered: 10_000 }
    }
}
