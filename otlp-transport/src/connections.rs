//! The open connections of all servers: their limit, and the choice of an idle connection to close for a new one.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::sync::Notify;

/// A limit on open connections, shared by the servers of a [`TransportContext`](crate::TransportContext), since file
/// descriptors and memory belong to the process.
///
/// A new connection at the limit closes the connection that has been idle for the longest time. While idle connections
/// are closing, up to an eighth of the limit, and one more, may be open beyond the limit. If no connection is idle, the
/// new connection is closed at once.
pub struct Connections {
    max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: usize,
    last_key: u64,
    /// Connections without a request in flight, in the order in which they became idle.
    idle: BTreeMap<u64, Arc<Signals>>,
}

/// An open connection. Dropping it frees its place.
pub(crate) struct Slot {
    all: Arc<Connections>,
    /// The connection's key in `idle`; 0 while a request is in flight. Only the connection changes it.
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
    /// Allows at most `max` connections, and at least one.
    pub fn new(max: usize) -> Self {
        Self { max: max.max(1), state: Mutex::default() }
    }

    /// Returns the limit.
    pub fn max(&self) -> usize {
        self.max
    }

    /// Returns the number of open connections.
    pub fn open(&self) -> usize {
        self.state.lock().open
    }

    pub(crate) fn is_full(&self) -> bool {
        self.open() >= self.max
    }

    /// Registers a new connection, idle until its first request. `None` if the limit is reached and no connection is
    /// idle.
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

    /// Asks the connection that has been idle for the longest time to close.
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

    /// Asks the longest idle connection to close. Returns false if no connection is idle.
    fn evict(&mut self) -> bool {
        let oldest = self.idle.pop_first();
        oldest.map(|(_, signals)| signals.evicted.notify_one()).is_some()
    }
}

// === impl Slot ===

impl Slot {
    /// Marks the connection as idle.
    pub(crate) fn enter(&self) {
        if self.key.load(Relaxed) == 0 {
            self.key.store(self.all.state.lock().enter(&self.signals), Relaxed);
        }
    }

    /// Marks the connection as busy with a request.
    pub(crate) fn leave(&self) {
        let key = self.key.load(Relaxed);
        if key != 0 {
            self.key.store(0, Relaxed);
            self.all.state.lock().idle.remove(&key);
            self.signals.used.notify_one();
        }
    }

    /// Resolves when the connection is asked to close for a new one.
    pub(crate) async fn evicted(&self) {
        self.signals.evicted.notified().await;
    }

    /// Resolves when a request comes on the connection after it was idle.
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

/// Divisor of the limit: this share of connections may be closing beyond the limit.
const CLOSING_SHARE: usize = 8;

#[cfg(test)]
mod tests;
