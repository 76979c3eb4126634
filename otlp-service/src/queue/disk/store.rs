//! The stored batches of an exporter for one signal: a log, and what of it is in memory. A reload passes the store on to the
//! next queue.
//!
//! Two tasks work for it: one appends batches in groups, the other reads batches that are on disk alone.

mod append;
mod fetch;
mod live;
mod receipt;

use super::backlog::{Amount, Backlog, Ready};
use super::common::Common;
use super::monitor::Monitor;
use super::segments::{Gone, Log, Recovery};
use super::settings::{DiskCompression, DiskConfig, segment_bytes};
use crate::fanout::shutting_down;
use crate::ledger::{DropReason, Hop};
use crate::queue::{QueueEntry, Size, Sizer};
use append::Appends;
use otlp_transport::offload::Offload;
use otlp_transport::{Clock, Disk, ExportError, TransportContext};
use parking_lot::Mutex;
use receipt::Settling;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::{Notify, oneshot};

/// Makes the hop in which the items of a pipeline are counted.
pub(crate) type Hops = Arc<dyn Fn(&str) -> Hop + Send + Sync>;

/// Stored batches.
pub(super) struct Store {
    pub(super) log: Arc<Log>,
    pub(super) monitor: Monitor,
    pub(super) common: Arc<Common>,
    context: TransportContext,
    hops: Hops,
    max_bytes: AtomicU64,
    /// In milliseconds; `u64::MAX`: none.
    max_age: AtomicU64,
    compresses: AtomicBool,
    /// The queues that use the store, by number. The first of them takes batches out.
    users: Mutex<VecDeque<u64>>,
    last_user: AtomicU64,
    backlog: Mutex<Backlog>,
    appends: Mutex<Appends>,
    /// Bytes of reserved and waiting batches.
    reserved: AtomicU64,
    is_closed: AtomicBool,
    /// Segments may be released, or are too old.
    wants_care: AtomicBool,
    /// Wakes the task that appends.
    appended: Notify,
    /// Wakes the task that reads.
    wanted: Notify,
    /// Bytes of batches in memory beyond which batches are on disk alone.
    memory_bytes: u64,
}

/// Room for one batch in the files.
#[derive(Debug)]
pub(super) struct Room {
    store: Arc<Store>,
    bytes: u64,
    /// The oldest segments are dropped until the batch fits.
    drops: bool,
}

// === impl Store ===

impl Store {
    /// Opens the log in a directory, and starts the tasks. Must be called within a tokio runtime.
    pub(super) fn open(
        context: &TransportContext,
        directory: &Path,
        config: &DiskConfig,
        hops: Hops,
        common: Arc<Common>,
    ) -> io::Result<Arc<Self>> {
        let disk = context.disk.clone();
        make_directory(&*disk, config, directory)?;
        let used = bytes_in(&*disk, directory)?;
        let max_bytes = config.limit(disk.free_bytes(directory).ok().map(|free| free.saturating_add(used)));
        let seed = fastrand::u64(..);
        let (log, recovery) = Log::open(disk, directory, &[READER], segment_bytes(max_bytes), seed)?;
        // The memory of a queue does not grow by its classes.
        let classes = config.classes.as_ref().map_or(1, |classes| classes.all().len().max(1) as u64);
        let monitor = Monitor::new(context.clock.clone(), directory.into());
        monitor.opened(&log, &recovery);
        let store = Self {
            monitor,
            common,
            backlog: Mutex::new(recovered(&log, recovery, &hops)),
            log,
            hops,
            max_bytes: AtomicU64::new(max_bytes),
            max_age: AtomicU64::new(age(config.max_age)),
            compresses: AtomicBool::new(config.compression == DiskCompression::Zstd),
            users: Mutex::default(),
            last_user: AtomicU64::new(0),
            appends: Mutex::default(),
            reserved: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
            wants_care: AtomicBool::new(false),
            appended: Notify::new(),
            wanted: Notify::new(),
            memory_bytes: (MEMORY_BYTES / classes).min(context.budget.limit() / 4),
            context: context.clone(),
        };
        let store = Arc::new(store);
        tokio::spawn(append::run(store.clone()));
        tokio::spawn(fetch::run(store.clone()));
        Ok(store)
    }

    /// Reserves room in the files for one batch; with `drops` in any case. `limit` is the largest size of what waits.
    pub(super) fn try_reserve(
        self: &Arc<Self>,
        size: Size,
        limit: (Sizer, u64),
        drops: bool,
    ) -> Option<Room> {
        let bytes = size.bytes + RECORD_BYTES;
        let (sizer, most) = limit;
        // The lock keeps another reservation from taking the same room.
        let backlog = self.backlog.lock();
        let reserved = self.reserved.load(Ordering::Relaxed);
        let fits = self.log.bytes() + reserved + bytes <= self.max_bytes()
            && sizer.of(backlog.waiting()).saturating_add(sizer.room(size)) <= most;
        // A batch that is larger than the whole queue is taken when the queue is empty.
        let is_idle = reserved == 0 && backlog.is_idle();
        // A room that is dropped wakes all that wait for room: none is made for a refusal.
        (drops || fits || is_idle).then(|| {
            self.reserved.fetch_add(bytes, Ordering::Relaxed);
            Room { store: self.clone(), bytes, drops }
        })
    }

    /// Stores a batch. Resolves once the device has the batch.
    pub(super) async fn commit(self: Arc<Self>, entry: QueueEntry, room: Room) -> Result<(), ExportError> {
        let stored = {
            let mut appends = self.appends.lock();
            if self.is_closed.load(Ordering::Relaxed) {
                return Err(shutting_down());
            }
            appends.add(entry, room)
        };
        self.appended.notify_one();
        stored.await.unwrap_or_else(|_| Err(shutting_down()))
    }

    /// Drops the oldest segment, to make room for batches of another store. Returns true if there was one.
    pub(super) async fn drop_oldest(&self) -> bool {
        let dropped = {
            let mut appends = self.appends.lock();
            if self.is_closed() {
                return false;
            }
            appends.ask_for_drop()
        };
        self.appended.notify_one();
        dropped.await.unwrap_or(false)
    }

    /// Takes the next batch, with a receipt.
    pub(super) fn take(self: &Arc<Self>) -> Option<QueueEntry> {
        let (taken, is_more, wants) = match self.common.pace() {
            None => {
                let mut backlog = self.backlog.lock();
                let taken = backlog.take();
                (taken, !backlog.is_ready_empty(), backlog.wanted(self.memory_bytes / 2).is_some())
            }
            Some(mut pace) => {
                let (taken, is_more) = self.take_live_first(&mut pace);
                // Older batches may have been left to the disk.
                self.wanted.notify_one();
                (taken, is_more, false)
            }
        };
        let Ready { sequence, pipeline, entry, record_len, .. } = taken?;
        if is_more {
            self.common.ready.notify_one();
        }
        if wants {
            self.wanted.notify_one();
        }
        // What waits is less by this batch.
        self.common.freed.notify_waiters();
        let items = entry.held.items();
        let settling = Settling { store: Some(self.clone()), sequence, pipeline, items, record_len };
        Some(entry.with_receipt(Box::new(settling)))
    }

    /// Adds a queue that uses the store, and returns its number; `None` if the store is closing.
    pub(super) fn join(&self) -> Option<u64> {
        let mut users = self.users.lock();
        if self.is_closed() {
            return None;
        }
        let user = self.last_user.fetch_add(1, Ordering::Relaxed);
        users.push_back(user);
        Some(user)
    }

    /// True if this queue takes batches out.
    pub(super) fn has_turn(&self, user: u64) -> bool {
        self.users.lock().front() == Some(&user)
    }

    /// Removes a queue. Returns true if it was the last one: the store is to be closed.
    pub(super) fn leave(&self, user: u64) -> bool {
        let mut users = self.users.lock();
        let before = users.len();
        users.retain(|known| *known != user);
        let is_last = before > 0 && users.is_empty();
        if is_last {
            self.is_closed.store(true, Ordering::Relaxed);
        }
        drop(users);
        self.common.turned.notify_waiters();
        self.common.ready.notify_one();
        is_last
    }

    /// Takes the settings of a later configuration.
    pub(super) fn configure(&self, config: &DiskConfig) {
        if let Some(max_bytes) = config.max_bytes {
            self.max_bytes.store(max_bytes, Ordering::Relaxed);
        }
        self.max_age.store(age(config.max_age), Ordering::Relaxed);
        self.compresses.store(config.compression == DiskCompression::Zstd, Ordering::Relaxed);
    }

    /// Stops the tasks once what was committed is appended, and closes the log. The batches stay stored. Resolves when that is done.
    pub(super) async fn close(&self) {
        // The task ends in any case.
        drop(self.start_closing().await);
    }

    pub(super) fn start_closing(&self) -> oneshot::Receiver<()> {
        self.is_closed.store(true, Ordering::Relaxed);
        let ended = self.appends.lock().ended();
        self.appended.notify_one();
        self.wanted.notify_one();
        ended
    }

    /// Returns what waits.
    pub(super) fn waiting(&self) -> Amount {
        self.backlog.lock().waiting()
    }

    /// True if no batch waits or is being delivered.
    pub(super) fn is_idle(&self) -> bool {
        self.backlog.lock().is_idle()
    }

    pub(super) fn max_bytes(&self) -> u64 {
        self.max_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    fn clock(&self) -> &dyn Clock {
        &*self.context.clock
    }

    fn offload(&self) -> &dyn Offload {
        &*self.context.offload
    }

    /// Returns the time of day, in milliseconds since 1970.
    pub(super) fn now(&self) -> u64 {
        let since = self.clock().wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Counts what was left of a segment that is gone.
    fn account(&self, gone: &Gone, reason: DropReason) -> u64 {
        let left = gone.left.first().map(Vec::as_slice).unwrap_or_default();
        let items = self.backlog.lock().drop_all(&gone.records, left, reason);
        self.monitor.dropped(reason, items);
        items
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("max_bytes", &self.max_bytes())
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

// === impl Room ===

impl Room {
    pub(super) fn store(&self) -> &Arc<Store> {
        &self.store
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.store.reserved.fetch_sub(self.bytes, Ordering::Relaxed);
        self.store.common.freed.notify_waiters();
    }
}

/// Makes the directory of a queue.
pub(super) fn make_directory(disk: &dyn Disk, config: &DiskConfig, directory: &Path) -> io::Result<()> {
    config.check_directory(disk)?;
    disk.create_directory(directory)
}

/// Returns the bytes of the files in a directory.
pub(super) fn bytes_in(disk: &dyn Disk, directory: &Path) -> io::Result<u64> {
    Ok(disk.list(directory)?.iter().map(|(_, len)| len).sum())
}

/// The batches of a log that was opened.
fn recovered(log: &Log, recovery: Recovery, hops: &Hops) -> Backlog {
    let mut backlog = Backlog::default();
    let left = recovery.left.into_iter().next().unwrap_or_default();
    backlog.recover(log.unsettled(0), left, |pipeline| hops(pipeline));
    backlog
}

fn age(max_age: Option<Duration>) -> u64 {
    max_age.map_or(u64::MAX, |age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
}

/// The name of the cursor of the exporter.
pub(super) const READER: &str = "exporter";
/// Batches in memory need no read; a destination that is down must not fill the memory.
const MEMORY_BYTES: u64 = 16 << 20;
/// Of a record, beside its body.
pub(super) const RECORD_BYTES: u64 = 256;
