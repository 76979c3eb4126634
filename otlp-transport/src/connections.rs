//! The connections that servers have open together: how many there may be, and which one makes room for a new one.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::sync::Notify;

/// A limit of open connections, shared by the servers of a [`TransportContext`](crate::TransportContext): file
/// descriptors and memory are the process's.
///
/// One connection more makes the one close that has been idle for the longest time. While such connections are closing,
/// up to an eighth and one over the limit may be open. Where none is idle, the new connection is closed at once.
pub struct Connections {
    max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: usize,
    last_key: u64,
    /// Those without a request under way, in the order in which they became idle.
    idle: BTreeMap<u64, Arc<Signals>>,
}

/// An open connection. Dropping it makes room for another one.
pub(crate) struct Slot {
    all: Arc<Connections>,
    /// The connection's key in `idle`; 0 while it has a request. Changed by the connection alone.
    key: AtomicU64,
    signals: Arc<Signals>,
}

#[derive(Default)]
struct Signals {
    evicted: Notify,
    used: Notify,
}

// === impl Connections ===

impl Connections {
    /// At most `max` connections, and at least one.
    pub fn new(max: usize) -> Self {
        Self { max: max.max(1), state: Mutex::default() }
    }

    /// How many connections may be open.
    pub fn max(&self) -> usize {
        self.max
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.state.lock().open
    }

    pub(crate) fn is_full(&self) -> bool {
        self.open() >= self.max
    }

    /// Room for a new connection, which is idle until its first request; `None` if there is none.
    pub(crate) fn admit(self: &Arc<Self>) -> Option<Slot> {
        let mut state = self.state.lock();
        if state.open >= self.max && (state.open - self.max > self.max / CLOSING_SHARE || !state.evict()) {
            return None;
        }
        state.open += 1;
        let signals = Arc::default();
        let key = AtomicU64::new(state.enter(&signals));
        Some(Slot { all: Arc::clone(self), key, signals })
    }

    /// Tells the connection to close that has been idle for the longest time.
    pub(crate) fn evict(&self) {
        self.state.lock().evict();
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("max", &self.max).field("open", &self.open()).finish()
    }
}

// === impl State ===

impl State {
    fn enter(&mut self, signals: &Arc<Signals>) -> u64 {
        self.last_key += 1;
        self.idle.insert(self.last_key, Arc::clone(signals));
        self.last_key
    }

    /// Returns false if no connection is idle.
    fn evict(&mut self) -> bool {
        let oldest = self.idle.pop_first();
        oldest.map(|(_, signals)| signals.evicted.notify_one()).is_some()
    }
}

// === impl Slot ===

impl Slot {
    /// The connection is idle from now on.
    pub(crate) fn enter(&self) {
        if self.key.load(Relaxed) == 0 {
            self.key.store(self.all.state.lock().enter(&self.signals), Relaxed);
        }
    }

    /// The connection has a request.
    pub(crate) fn leave(&self) {
        let key = self.key.load(Relaxed);
        if key != 0 {
            self.key.store(0, Relaxed);
            self.all.state.lock().idle.remove(&key);
            self.signals.used.notify_one();
        }
    }

    /// Resolves when the connection is to make room.
    pub(crate) async fn evicted(&self) {
        self.signals.evicted.notified().await;
    }

    /// Resolves when the connection has been idle and has a request again.
    pub(crate) async fn used(&self) {
        self.signals.used.notified().await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.all.state.lock();
        state.open -= 1;
        state.idle.remove(&self.key.load(Relaxed));
    }
}

/// Of the connections that may be open, one in so many more may be closing.
const CLOSING_SHARE: usize = 8;

#[cfg(test)]
mod tests;
