//! Expiry of the certificates of servers and clients, for metrics.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// Certificates in use, by side (`server` or `client`) and source (a file, or the key of the setting that holds the
/// certificate).
#[derive(Debug, Default)]
pub struct Certificates(Mutex<BTreeMap<(&'static str, String), SystemTime>>);

impl Certificates {
    /// Side, source and expiry of each certificate. Of a chain, the earliest expiry.
    pub fn expiries(&self) -> Vec<(&'static str, String, SystemTime)> {
        let known = self.0.lock();
        known.iter().map(|((side, source), not_after)| (*side, source.clone(), *not_after)).collect()
    }

    /// Records a certificate in use, in place of the last certificate of that source.
    #[cfg(feature = "tls")]
    pub(crate) fn took(&self, side: &'static str, source: String, not_after: SystemTime) {
        self.0.lock().insert((side, source), not_after);
    }
}
