//! When the certificates of servers and clients expire, for whoever shows it.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// The certificates in use, by side (`server` or `client`) and source (a file, or the key of the setting that holds it).
#[derive(Debug, Default)]
pub struct Certificates(Mutex<BTreeMap<(&'static str, String), SystemTime>>);

impl Certificates {
    /// Side, source, and the end of each certificate: of a chain, the first to end.
    pub fn expiries(&self) -> Vec<(&'static str, String, SystemTime)> {
        let known = self.0.lock();
        known.iter().map(|((side, source), not_after)| (*side, source.clone(), *not_after)).collect()
    }

    /// A certificate was taken into use, in place of the last one of that source.
    #[cfg(feature = "tls")]
    pub(crate) fn took(&self, side: &'static str, source: String, not_after: SystemTime) {
        self.0.lock().insert((side, source), not_after);
    }
}
