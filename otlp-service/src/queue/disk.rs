//! The queue on disk: batches are in files before their senders are answered, and leave them when their outcome is final.
//!
//! [`segments`] has the files, without tokio and without a clock; [`store`] the tasks that write and read them, and what is in memory.

mod backlog;
mod commit;
mod common;
mod compression;
mod cursor;
mod monitor;
mod offline;
mod pace;
mod places;
mod properties;
mod ranges;
mod record;
mod scan;
mod segment;
mod segments;
mod settings;
mod store;
mod stores;

pub(crate) use monitor::StorageCheck;
pub use offline::{FileReport, QueueFiles, QueueSummary, QueueView, StoredRequest, StoredRequests};
pub(crate) use settings::escaped;
pub use settings::{BacklogConfig, BacklogOrder, DiskCompression, DiskConfig, QueueName, Share};
pub(crate) use stores::Stores;

use super::consumers::{Consumers, Source};
use super::{OnFull, Queue, QueueConfig, QueueEntry, QueueFuture, Size, Sizer, Slot, Wait};
use crate::exporter::Watch;
use crate::fanout::{Delivery, shutting_down};
use crate::telemetry::{ExporterStats, Registration, Registry};
use backlog::Amount;
use otlp_protocol::ErrorKind;
use otlp_transport::{Clock, Export, ExportError, TransportContext};
use places::{Places, Reserved};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use store::Hops;

/// The sending queue of an exporter for one signal, in files: an export is answered once its batch is on the device. Batches that are
/// left when the process ends are delivered after the next start.
pub(crate) struct DiskQueue {
    shared: Arc<Shared>,
    consumers: Consumers,
}

struct Shared {
    config: QueueConfig,
    disk: DiskConfig,
    places: Places,
    clock: Arc<dyn Clock>,
    stats: Arc<ExporterStats>,
    watch: OnceLock<Arc<Watch>>,
    is_draining: AtomicBool,
}

struct DiskSlot {
    shared: Arc<Shared>,
    room: Reserved,
    wait: Wait,
}

// === impl DiskQueue ===

impl DiskQueue {
    /// Opens the files in `directory`, unless another queue of `stores` has them open, and starts a queue whose consumers export to `export`. `hops` makes the hop in which the items
    /// of a pipeline are counted that was named by an earlier process. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If the files cannot be read or written, or another process has the queue open. Damaged files are no error.
    pub(crate) fn open<E: Export>(
        stores: &Stores,
        context: &TransportContext,
        directory: &Path,
        config: QueueConfig,
        hops: Hops,
        stats: Arc<ExporterStats>,
        export: E,
    ) -> io::Result<Arc<Self>> {
        let disk = config.storage.clone().unwrap_or_else(|| DiskConfig::new(directory));
        let places = Places::open(stores, context, directory, &disk, &hops)?;
        places.common.set_pace(&disk.backlog, config.num_consumers.max(1));
        let clock = context.clock.clone();
        let is_draining = AtomicBool::new(false);
        let shared = Shared { config, disk, places, clock, stats, watch: OnceLock::new(), is_draining };
        let shared = Arc::new(shared);
        let consumers =
            Consumers::start(&shared.config, &shared, export, context.clock.clone(), &shared.stats);
        shared.places.common.ready.notify_one();
        Ok(Arc::new(Self { shared, consumers }))
    }

    /// Registers the metrics of joined batches, if batches are joined.
    pub(crate) fn register_joined(
        &self,
        registry: &Registry,
        labels: &[(&'static str, &str)],
    ) -> Option<Registration> {
        self.consumers.register(registry, labels)
    }

    /// Registers the metrics of the files, unless a queue that had the files before has done that.
    pub(crate) fn register_files(&self, registry: &Registry, labels: &[(&'static str, &str)]) {
        for place in self.shared.places.iter() {
            place.store().register(registry, labels, place.class.as_ref());
        }
    }

    /// Returns the health check of the files.
    pub(crate) fn check(&self, name: String) -> StorageCheck {
        let stores = self.shared.places.iter().map(|place| (place.class.clone(), place.store()));
        StorageCheck::new(name, stores)
    }

    /// Sets the writer of log lines about a full queue.
    pub(crate) fn tell(&self, watch: Arc<Watch>) {
        // The gateway calls this once.
        let _ = self.shared.watch.set(watch);
    }
}

impl fmt::Debug for DiskQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskQueue")
            .field("config", &self.shared.config)
            .field("places", &self.shared.places)
            .finish_non_exhaustive()
    }
}

impl Queue for DiskQueue {
    fn reserve(&self, size: Size, wait: Wait) -> QueueFuture<'_, Result<Box<dyn Slot>, ExportError>> {
        let shared = &self.shared;
        if shared.is_draining.load(Ordering::Relaxed) {
            return QueueFuture::ready(Err(shutting_down()));
        }
        if let Some(room) = shared.places.try_reserve(size, shared.limit(), shared.drops()) {
            return QueueFuture::ready(Ok(shared.slot(room, wait)));
        }
        if wait == Wait::AsConfigured && shared.config.on_full != OnFull::Block {
            return QueueFuture::ready(Err(shared.refuse(size.items)));
        }
        QueueFuture::new(async move {
            loop {
                let freed = shared.places.common.freed.notified();
                if shared.is_draining.load(Ordering::Relaxed) {
                    return Err(shutting_down());
                }
                if let Some(room) = shared.places.try_reserve(size, shared.limit(), false) {
                    return Ok(shared.slot(room, wait));
                }
                freed.await;
            }
        })
    }

    fn delivery(&self) -> Delivery {
        self.shared.config.delivery()
    }

    fn len(&self) -> usize {
        self.shared.places.waiting().records as usize
    }

    fn sizer(&self) -> Sizer {
        if self.shared.is_limited() { self.shared.config.sizer } else { Sizer::Bytes }
    }

    fn size(&self) -> u64 {
        if self.shared.is_limited() {
            return self.sizer().of(self.shared.places.waiting());
        }
        self.shared.places.bytes()
    }

    fn capacity(&self) -> u64 {
        if self.shared.is_limited() { self.shared.limit().1 } else { self.shared.places.max_bytes() }
    }

    /// Refuses new batches, and waits for those that are being delivered. The others stay in the files.
    fn drain(&self, deadline: Instant) -> QueueFuture<'_, ()> {
        QueueFuture::new(async move {
            let shared = &self.shared;
            shared.is_draining.store(true, Ordering::Relaxed);
            let common = &shared.places.common;
            common.freed.notify_waiters();
            common.ready.notify_one();
            common.turned.notify_waiters();
            self.consumers.join(deadline).await;
            shared.places.leave().await;
        })
    }
}

// === impl DiskSlot ===

impl Slot for DiskSlot {
    fn commit(self: Box<Self>, entry: QueueEntry) -> QueueFuture<'static, Result<(), ExportError>> {
        let Self { shared, room, wait } = *self;
        QueueFuture::new(async move {
            let Size { items, bytes } = Size::of(&entry.batch);
            let result = shared.commit(entry, room, wait).await;
            match &result {
                Ok(()) => shared.stats.enqueued.record_size(items, bytes as usize),
                Err(_) => shared.stats.enqueue_failed.add(items),
            }
            result
        })
    }
}

// === impl Shared ===

impl Shared {
    fn slot(self: &Arc<Self>, room: Reserved, wait: Wait) -> Box<dyn Slot> {
        Box::new(DiskSlot { shared: self.clone(), room, wait })
    }

    /// True if what waits is dropped for what comes in.
    fn drops(&self) -> bool {
        matches!(self.config.on_full, OnFull::DropOldest | OnFull::DropLowest)
    }

    /// The largest size of what waits, beside that of the files.
    fn limit(&self) -> (Sizer, u64) {
        (self.config.sizer, self.config.queue_size as u64)
    }

    /// True if what waits is limited beside the files.
    fn is_limited(&self) -> bool {
        self.config.queue_size < usize::MAX
    }

    /// Waits until there may be a batch to take. Cancel-safe.
    async fn wait(&self) {
        let ready = self.places.common.ready.notified();
        match self.places.due() {
            None => ready.await,
            Some(due) => tokio::select! {
                biased;
                () = ready => {}
                () = self.clock.sleep_until(due) => {}
            },
        }
    }

    /// Counts items that are refused because the queue is full.
    fn refuse(&self, items: u64) -> ExportError {
        self.stats.enqueue_failed.add(items);
        self.full(items)
    }

    /// Tells of items that are refused because the queue is full.
    fn full(&self, items: u64) -> ExportError {
        if let Some(watch) = self.watch.get() {
            watch.refused(items);
        }
        ExportError::refused(ErrorKind::Unavailable, "sending queue is full")
    }
}

impl Sizer {
    /// Returns an amount in this unit.
    fn of(self, amount: Amount) -> u64 {
        match self {
            Self::Requests => amount.records,
            Self::Items => amount.items,
            Self::Bytes => amount.bytes,
        }
    }
}

impl Source for Shared {
    async fn next(&self) -> Option<QueueEntry> {
        loop {
            if self.is_draining.load(Ordering::Relaxed) {
                // Notify stores one permit only: each consumer wakes the next.
                self.places.common.ready.notify_one();
                return None;
            }
            let turn = self.places.common.turned.notified();
            if !self.places.has_turn() {
                turn.await;
                continue;
            }
            match self.places.take() {
                Some(entry) => return Some(entry),
                None => self.wait().await,
            }
        }
    }
}
