//! The dead letter of an exporter: files with the items that are lost for good after the gateway has answered for them.
//!
//! Batches that were refused for good, whose retries are exhausted, or that are too large are written to files that `otlp inspect`
//! and `otlp send` read, with the reason of each request in a file beside. An export whose items are lost ends once the device has
//! them, so that a drain waits for the files, and a queue on disk forgets the items only then. A disk that fails or hangs costs the
//! dead letter alone: the items are counted as not written, and the export waits no longer than 10 seconds, and not at all until the
//! disk works again.
//!
//! Partial success is not part of it: the destination does not say which items it rejected.

mod letter;
mod name;
mod segment;
mod store;

use crate::exporter::Losses;
use crate::ledger::DropReason;
use crate::retry::LostBatches;
use crate::telemetry::{Counter, MetricKind, Registration, Registry};
use letter::{Letter, LetterCounters};
use otlp_protocol::{Batch, Signal};
use otlp_transport::{Clock, Disk, ExportError, offload};
use parking_lot::Mutex;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use store::Store;

/// Settings of an exporter's dead letter: files with the items that are lost for good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetterConfig {
    /// Directory of the files; made if there is none. Exporters may share a directory.
    pub directory: PathBuf,
    /// Largest length of all files of the exporter; the oldest are deleted first. Default 1 GiB.
    pub max_bytes: u64,
}

/// The dead letter of an exporter, for all signals.
pub(crate) struct DeadLetter {
    shared: Arc<Shared>,
    _bytes: Registration,
}

/// The dead letter of an exporter, for one signal.
struct SignalDeadLetter {
    shared: Arc<Shared>,
    /// By reason.
    counters: Vec<(DropReason, LetterCounters)>,
}

struct Shared {
    exporter: String,
    directory: PathBuf,
    clock: Arc<dyn Clock>,
    waiting: Mutex<Waiting>,
    /// Used by the running writer alone.
    store: Mutex<Store>,
    bytes: AtomicU64,
    deleted: Counter,
    /// The disk did not answer in time, and has not answered since.
    is_stalled: AtomicBool,
    told: Mutex<Told>,
}

/// Letters that wait for the writer.
#[derive(Default)]
struct Waiting {
    letters: Vec<Letter>,
    /// Bytes of the letters that wait or are being written.
    bytes: usize,
    is_writing: bool,
}

/// Pace of the log lines.
#[derive(Default)]
struct Told {
    written: Losses,
    failed: Losses,
    deleted: Losses,
}

// === impl DeadLetterConfig ===

impl DeadLetterConfig {
    /// A dead letter in `directory` with the default limit.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), max_bytes: 1 << 30 }
    }
}

// === impl DeadLetter ===

impl DeadLetter {
    /// Makes the directory, and checks that files can be written there.
    ///
    /// # Errors
    /// If that fails, with the setting and the path.
    pub(crate) async fn open(
        exporter: &str,
        config: DeadLetterConfig,
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        registry: &Registry,
    ) -> Result<Self, String> {
        let (id, directory) = (exporter.to_owned(), config.directory.clone());
        let opened = offload::run(true, move || Store::open(disk, &id, config)).await;
        let opened = opened.unwrap_or_else(|error| Err(error.to_string()));
        let store = opened.map_err(|error| format!("dead_letter.directory: {error}"))?;
        let labels = [("exporter", exporter)];
        let shared = Arc::new(Shared {
            exporter: exporter.to_owned(),
            directory,
            clock,
            waiting: Mutex::default(),
            bytes: store.bytes().into(),
            store: Mutex::new(store),
            deleted: registry.counter(
                "otlp_dead_letter_deleted_items",
                "Items in deleted files of the dead letter.",
                &labels,
            ),
            is_stalled: AtomicBool::new(false),
            told: Mutex::default(),
        });
        let shown = Arc::downgrade(&shared);
        let bytes = move || shown.upgrade().map_or(0.0, |shared| shared.bytes.load(Ordering::Relaxed) as f64);
        let help = "Length of the files of the dead letter, in bytes.";
        let bytes = registry.observe(MetricKind::Gauge, "otlp_dead_letter_bytes", help, &labels, bytes);
        Ok(Self { shared, _bytes: bytes })
    }

    /// Returns the dead letter for a signal.
    pub(crate) fn of_signal(&self, registry: &Registry, signal: Signal) -> Arc<dyn LostBatches> {
        let counters = REASONS.map(|reason| {
            let labels =
                [("exporter", &*self.shared.exporter), ("data_type", signal.name), ("reason", reason.name())];
            let counter = |name: &str, help| registry.counter(name, help, &labels);
            let counters = LetterCounters {
                written: counter(
                    "otlp_dead_letter_written_items",
                    "Lost items that were written to the dead letter.",
                ),
                failed: counter(
                    "otlp_dead_letter_failed_items",
                    "Lost items that could not be written to the dead letter.",
                ),
            };
            (reason, counters)
        });
        Arc::new(SignalDeadLetter { shared: self.shared.clone(), counters: counters.into() })
    }
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter").field("directory", &self.shared.directory).finish_non_exhaustive()
    }
}

// === impl SignalDeadLetter ===

impl LostBatches for SignalDeadLetter {
    /// Writes a batch. Cancel-safe: the batch is written, or counted as not written, in any case.
    fn take<'a>(
        &'a self,
        batch: Batch,
        error: &'a ExportError,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        let reason = DropReason::of(error);
        let counters = self.counters.iter().find(|(known, _)| *known == reason);
        Box::pin(async move {
            // A batch without items is no loss.
            let (Some((_, counters)), true) = (counters, batch.items() > 0) else { return };
            let (letter, settled) = Letter::new(batch, error, self.shared.clock.wall(), counters);
            if self.shared.push(letter) {
                self.shared.settled(settled).await;
            }
        })
    }
}

// === impl Shared ===

impl Shared {
    /// Hands a letter to the writer, and starts the writer if it does not run. Returns false if too much waits.
    fn push(self: &Arc<Self>, letter: Letter) -> bool {
        let (items, bytes) = (letter.batch.items(), letter.batch.len());
        let mut waiting = self.waiting.lock();
        if waiting.bytes > 0 && waiting.bytes.saturating_add(bytes) > MAX_WAITING_BYTES {
            drop(waiting);
            self.tell_failed(items, "the disk is too slow: 64 MiB wait to be written");
            return false;
        }
        waiting.bytes = waiting.bytes.saturating_add(bytes);
        waiting.letters.push(letter);
        if !std::mem::replace(&mut waiting.is_writing, true) {
            drop(waiting);
            let shared = self.clone();
            // Runs on when the caller goes away.
            drop(tokio::spawn(offload::run(true, move || shared.write_all())));
        }
        true
    }

    /// Waits until a letter is settled, unless the disk hangs.
    async fn settled(&self, settled: tokio::sync::oneshot::Receiver<()>) {
        if self.is_stalled.load(Ordering::Relaxed) {
            return;
        }
        tokio::select! {
            biased;
            // An error means that the letter was dropped: it is settled.
            _ = settled => {}
            () = self.clock.sleep(MAX_WAIT) => {
                if !self.is_stalled.swap(true, Ordering::Relaxed) {
                    self.tell_failed(0, "the disk has not answered for 10 s; lost items are not waited for");
                }
            }
        }
    }

    /// Writes all letters that wait, and those that come meanwhile.
    fn write_all(&self) {
        loop {
            let letters = {
                let mut waiting = self.waiting.lock();
                if waiting.letters.is_empty() {
                    waiting.is_writing = false;
                    return;
                }
                std::mem::take(&mut waiting.letters)
            };
            self.write(letters);
        }
    }

    /// Writes a group of letters.
    fn write(&self, letters: Vec<Letter>) {
        let bytes: usize = letters.iter().map(|letter| letter.batch.len()).sum();
        let (outcomes, deleted) = {
            let mut store = self.store.lock();
            let written = catch_unwind(AssertUnwindSafe(|| store.write(&letters, self.clock.wall())));
            let panicked =
                || letters.iter().map(|_| Err("the disk panicked; see the log".to_owned())).collect();
            self.bytes.store(store.bytes(), Ordering::Relaxed);
            (written.unwrap_or_else(|_| panicked()), store.take_deleted())
        };
        self.is_stalled.store(false, Ordering::Relaxed);
        self.free(bytes);
        self.deleted.add(deleted);
        self.tell_deleted(deleted);
        for (letter, outcome) in letters.into_iter().zip(outcomes) {
            let items = letter.batch.items();
            match outcome {
                Ok(()) => {
                    letter.written();
                    self.tell_written(items);
                }
                Err(error) => {
                    drop(letter);
                    self.tell_failed(items, &error);
                }
            }
        }
    }

    /// Makes room for other letters.
    fn free(&self, bytes: usize) {
        let mut waiting = self.waiting.lock();
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
    }

    fn tell_written(&self, items: u64) {
        let line = self.told.lock().written.count(self.clock.now(), items);
        let Some((items, batches)) = line else { return };
        let (exporter, directory) = (&self.exporter, self.directory.display());
        tracing::warn!(exporter, %directory, items, batches, "lost items are in the dead letter");
    }

    fn tell_failed(&self, items: u64, cause: &str) {
        let line = self.told.lock().failed.count(self.clock.now(), items);
        let Some((items, batches)) = line else { return };
        let exporter = &self.exporter;
        tracing::error!(exporter, cause, items, batches, "lost items cannot be written to the dead letter");
    }

    fn tell_deleted(&self, items: u64) {
        if items == 0 {
            return;
        }
        let Some((items, _)) = self.told.lock().deleted.count(self.clock.now(), items) else { return };
        let (exporter, directory) = (&self.exporter, self.directory.display());
        tracing::warn!(exporter, %directory, items, "the oldest files of the dead letter are deleted");
    }
}

/// Reasons for which batches are lost in attempts.
const REASONS: [DropReason; 3] = [DropReason::Permanent, DropReason::RetriesExhausted, DropReason::TooLarge];
/// Limit of the letters that wait to be written.
const MAX_WAITING_BYTES: usize = 64 << 20;
/// Longest wait of an export for the disk.
const MAX_WAIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
