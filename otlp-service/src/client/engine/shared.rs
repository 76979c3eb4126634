//! The part of an engine that all threads share.

use super::chunk::Chunk;
use super::clock::unix_nanos;
use super::control::Control;
use super::kind::Kind;
use super::leases::Leases;
use super::local;
use super::losses::{ClientStats, LossReason, Losses};
use super::scope::Scopes;
use super::settings::{BatchSettings, EngineConfig};
use super::slot::Slot;
use super::store::{Pushed, Store};
use super::sync::{CLOCK, Mutex};
use super::worker;
use otlp_transport::Clock as _;
use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// State of an engine that all threads share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Different for all engines of a process.
    pub(crate) id: u64,
    pub(crate) config: EngineConfig,
    pub(crate) scopes: Arc<Scopes>,
    pub(crate) store: Store,
    pub(crate) losses: Losses,
    pub(crate) leases: Leases,
    pub(crate) control: Control,
    slots: Mutex<Slots>,
    /// The process that made the engine.
    process: AtomicU32,
    /// The engine of a process that was forked off this engine's process.
    child: OnceLock<Arc<Shared>>,
}

/// The slots of all threads.
#[derive(Debug, Default)]
struct Slots {
    threads: Vec<Arc<Slot>>,
    /// Kinds that were collected for the last time.
    is_closed: [bool; Kind::BUFFERED],
    /// The slot of threads that have none: their thread-local storage is gone.
    orphans: Arc<Slot>,
}

impl Shared {
    pub(crate) fn new(config: EngineConfig) -> Self {
        let scopes = Scopes::new(&config.scope.0, &config.scope.1);
        Self::with_scopes(config, Arc::new(scopes))
    }

    fn with_scopes(config: EngineConfig, scopes: Arc<Scopes>) -> Self {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            scopes,
            store: Store::new(config.max_finished_bytes, [config.spans.max_waiting, config.logs.max_waiting]),
            losses: Losses::default(),
            leases: Leases::new(config.max_open_spans),
            control: Control::new(),
            slots: Mutex::default(),
            process: AtomicU32::new(std::process::id()),
            child: OnceLock::new(),
            config,
        }
    }

    /// Starts the engine's thread; a client that is disabled needs none.
    ///
    /// # Errors
    /// The operating system's error if no thread can be started.
    pub(crate) fn start(self: &Arc<Self>) -> io::Result<()> {
        if self.config.is_disabled { Ok(()) } else { worker::start(self) }
    }

    /// True in a process that was forked off the process that made the engine.
    ///
    /// Threads of the other process may have held locks of the engine: such a process locks nothing of it, but uses the engine's
    /// [`child`](Self::after_fork).
    pub(crate) fn is_foreign(&self) -> bool {
        self.process.load(Ordering::Relaxed) != std::process::id()
    }

    /// Returns the engine of this process if this process was forked off the process that made the engine.
    pub(crate) fn after_fork(&self) -> Option<Arc<Self>> {
        self.is_foreign().then(|| self.child())
    }

    #[cold]
    fn child(&self) -> Arc<Self> {
        let child = self.child.get_or_init(|| {
            local::seed_ids();
            self.config.meters.restart(unix_nanos());
            let child = Arc::new(Self::with_scopes(self.config.clone(), self.scopes.clone()));
            if self.control.is_stopping() || child.start().is_err() {
                child.end();
            }
            child
        });
        let child = child.after_fork().unwrap_or_else(|| child.clone());
        // Counts the other process's entries in the thread's chunks.
        local::leave_foreign();
        child
    }

    /// Makes this process appear to be forked off the engine's process.
    #[cfg(test)]
    pub(crate) fn pretend_fork(&self) {
        self.process.store(0, Ordering::Relaxed);
    }

    /// Returns the engine of this process, unless this process was forked and has not used the engine.
    pub(crate) fn present(self: &Arc<Self>) -> Option<Arc<Self>> {
        if self.is_foreign() { self.child.get()?.present() } else { Some(self.clone()) }
    }

    /// Counts items that the process from which this process was forked recorded, or that were recorded for it.
    #[cold]
    pub(crate) fn lose_by_fork(&self, kind: Kind, items: usize) {
        if items > 0 {
            self.child().losses.add(kind, LossReason::Fork, items as u64);
        }
    }

    pub(crate) fn batch(&self, kind: Kind) -> &BatchSettings {
        match kind {
            Kind::Spans => &self.config.spans,
            Kind::Logs => &self.config.logs,
            Kind::Points => &self.config.points,
        }
    }

    #[inline]
    pub(crate) fn max_items(&self, kind: Kind) -> usize {
        self.batch(kind).max_items
    }

    /// Makes the slot of a new thread.
    pub(crate) fn new_slot(&self) -> Arc<Slot> {
        let mut slots = self.slots.lock();
        let slot = Arc::new(Slot::new(slots.is_closed));
        slots.threads.push(slot.clone());
        slot
    }

    pub(crate) fn orphan_slot(&self) -> Arc<Slot> {
        self.slots.lock().orphans.clone()
    }

    /// Moves the unfinished entries of a thread that ends to the store. At no time are they neither in the slot nor in the store: a
    /// collection at the same time finds them.
    pub(crate) fn retire_slot(&self, slot: &Arc<Slot>) {
        if self.is_foreign() {
            let chunks = Kind::ALL.into_iter().zip(slot.take(self));
            return chunks.for_each(|(kind, chunk)| self.lose_by_fork(kind, chunk.items()));
        }
        for kind in [Kind::Spans, Kind::Logs] {
            slot.collect(self, kind, true, false);
        }
        self.slots.lock().threads.retain(|other| !Arc::ptr_eq(other, slot));
    }

    /// Moves the unfinished entries of all threads to the store; with `close`, for the last time.
    pub(crate) fn collect(&self, kind: Kind, wait: bool, close: bool) {
        let threads = {
            let mut slots = self.slots.lock();
            if let Some(is_closed) = slots.is_closed.get_mut(kind.index()) {
                *is_closed |= close;
            }
            let mut threads = slots.threads.clone();
            threads.push(slots.orphans.clone());
            threads
        };
        for slot in threads {
            slot.collect(self, kind, wait, close);
        }
    }

    /// Moves a chunk to the store and leaves a chunk with room for `len` bytes.
    #[cold]
    pub(crate) fn hand_over(&self, kind: Kind, chunk: &mut Chunk, len: usize) {
        let items = chunk.items();
        if self.is_foreign() {
            self.lose_by_fork(kind, items);
            *chunk = Chunk::with_room(len);
            return;
        }
        let pushed = self.store.push(kind, chunk, len);
        self.stored(kind, items, pushed);
    }

    /// Moves the content of an unfinished chunk to the store.
    pub(crate) fn collect_chunk(&self, kind: Kind, chunk: &mut Chunk) {
        let items = chunk.items();
        let pushed = self.store.collect(kind, chunk, self.max_items(kind));
        self.stored(kind, items, pushed);
    }

    /// Counts everything that is left and everything that comes later as lost.
    pub(crate) fn end(&self) {
        for kind in [Kind::Spans, Kind::Logs] {
            self.collect(kind, true, true);
            let left = self.store.close(kind);
            self.losses.add(kind, LossReason::Shutdown, left as u64);
        }
        self.control.order_stop(CLOCK.now());
        self.control.set_ended();
    }

    fn stored(&self, kind: Kind, items: usize, pushed: Pushed) {
        match pushed {
            Pushed::Closed => self.losses.add(kind, LossReason::Shutdown, items as u64),
            Pushed::Full => self.losses.add(kind, LossReason::QueueFull, items as u64),
            Pushed::Waits(waiting) => {
                let max = self.max_items(kind);
                if waiting >= max && waiting - items.min(waiting) < max {
                    self.control.enough[kind.index()].notify_one();
                }
            }
        }
    }

    pub(crate) fn stats(&self) -> ClientStats {
        ClientStats {
            spans: self.losses.stats(Kind::Spans),
            logs: self.losses.stats(Kind::Logs),
            points: self.losses.stats(Kind::Points),
            refused_scopes: self.scopes.refused(),
        }
    }
}
