//! Appends batches in groups: all that came in while the last group was written.

use super::{Room, Store};
use crate::ledger::DropReason;
use crate::queue::QueueEntry;
use crate::queue::disk::backlog::Ready;
use crate::queue::disk::compression::compress;
use crate::queue::disk::segments::{AppendError, Entry, Gone, Log};
use bytes::Bytes;
use otlp_protocol::{ErrorKind, Retry};
use otlp_transport::{ExportError, offload};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Batches that are to be appended.
#[derive(Debug, Default)]
pub(super) struct Appends {
    waiting: VecDeque<Waiting>,
    /// Those that ask for the oldest segment to be dropped. This task does that: a segment that has left the log while its records
    /// are on the way into the backlog would leave them there.
    drops: Vec<oneshot::Sender<bool>>,
    ended: Option<oneshot::Sender<()>>,
}

/// A batch that is to be appended.
#[derive(Debug)]
struct Waiting {
    entry: QueueEntry,
    pipeline: Arc<str>,
    room: Room,
    /// The body as it is stored, if it is compressed.
    compressed: Option<Bytes>,
    stored: oneshot::Sender<Result<(), ExportError>>,
}

/// Runs until the store is closed.
pub(super) async fn run(store: Arc<Store>) {
    let mut next_care = store.clock().now() + CARE_INTERVAL;
    loop {
        let (drops, is_waiting) = {
            let mut appends = store.appends.lock();
            (std::mem::take(&mut appends.drops), !appends.waiting.is_empty())
        };
        for asked in drops {
            store.drop_segment(asked).await;
        }
        if is_waiting {
            store.append_until(next_care).await;
        }
        // Appends that never pause must not keep what is too old.
        if store.wants_care.swap(false, Ordering::Relaxed) || store.clock().now() >= next_care {
            store.care().await;
            next_care = store.clock().now() + CARE_INTERVAL;
        }
        let (is_idle, ended) = {
            let mut appends = store.appends.lock();
            let is_idle = appends.waiting.is_empty() && appends.drops.is_empty();
            (is_idle, appends.ended.take_if(|_| is_idle && store.is_closed()))
        };
        if let Some(ended) = ended {
            let log = store.log.clone();
            // What is not written is read again at the next start.
            drop(offload::on(store.offload(), move || log.close()).await);
            drop(ended);
            return;
        }
        if is_idle {
            tokio::select! {
                biased;
                () = store.appended.notified() => {}
                () = store.clock().sleep(CARE_INTERVAL) => store.wants_care.store(true, Ordering::Relaxed),
            }
        }
    }
}

// === impl Store ===

impl Store {
    /// Appends groups until none waits, or other work is due. The groups follow each other without a change of threads.
    async fn append_until(self: &Arc<Self>, next_care: Instant) {
        let store = self.clone();
        let work = move || {
            loop {
                let group = {
                    let mut appends = store.appends.lock();
                    if appends.drops.is_empty() { appends.group() } else { Vec::new() }
                };
                if group.is_empty() {
                    return;
                }
                store.append(group);
                if store.wants_care.load(Ordering::Relaxed) || store.clock().now() >= next_care {
                    return;
                }
            }
        };
        // After a panic, the senders of the group get an error, since their ends are dropped.
        offload::on(self.offload(), work).await;
    }

    /// Appends a group, and answers those that wait.
    fn append(&self, mut group: Vec<Waiting>) {
        if self.compresses.load(Ordering::Relaxed) {
            group.iter_mut().for_each(Waiting::compress);
        }
        let (now, started) = (self.now(), self.clock().now());
        let (result, gone) = append_to(&self.log, &group, now, self.max_bytes());
        let took = self.clock().now().saturating_duration_since(started);
        if !gone.is_empty() {
            let items = gone.iter().map(|gone| self.account(gone, DropReason::QueueFull)).sum();
            self.monitor.overflowed(gone.len() as u64, items);
        }
        match result {
            Ok(first) => {
                self.monitor.appended(first, now, took);
                self.committed(first, group);
            }
            Err(error) => {
                let items = group.iter().map(|waiting| waiting.entry.batch.items()).sum();
                self.monitor.failed(&error, group.len() as u64, items, took);
                let error = refusal(&error);
                for waiting in group {
                    drop(waiting.entry);
                    drop(waiting.stored.send(Err(error.clone())));
                }
            }
        }
    }

    /// Drops the oldest segment.
    async fn drop_segment(&self, asked: oneshot::Sender<bool>) {
        let log = self.log.clone();
        let gone = offload::on(self.offload(), move || log.drop_oldest()).await.flatten();
        if let Some(gone) = &gone {
            let items = self.account(gone, DropReason::QueueFull);
            self.monitor.overflowed(1, items);
        }
        // Nobody asks any more if the request was cancelled.
        let _ = asked.send(gone.is_some());
    }

    fn committed(&self, first: u64, group: Vec<Waiting>) {
        let mut answers = Vec::with_capacity(group.len());
        let (since, is_live_first) = (self.clock().now(), self.common.pace().is_some());
        let wants = {
            let mut backlog = self.backlog.lock();
            for (sequence, waiting) in (first..).zip(group) {
                let record_len = waiting.stored_len() + super::RECORD_BYTES;
                let Waiting { mut entry, pipeline, room, stored, .. } = waiting;
                entry.admit();
                let ready = Ready { sequence, pipeline, entry, record_len, since };
                if is_live_first {
                    backlog.append_live(ready, self.memory_bytes);
                } else {
                    backlog.append(ready, self.memory_bytes);
                }
                answers.push((stored, room));
            }
            is_live_first || backlog.wanted(self.memory_bytes / 2).is_some()
        };
        self.common.ready.notify_one();
        if wants {
            self.wanted.notify_one();
        }
        for (stored, room) in answers {
            // The sender may have gone away.
            drop(stored.send(Ok(())));
            drop(room);
        }
    }

    /// Removes what is delivered or too old, and writes the cursor.
    async fn care(&self) {
        let (log, max_bytes) = (self.log.clone(), self.max_bytes());
        let oldest = self.now().saturating_sub(self.max_age.load(Ordering::Relaxed));
        let work = move || {
            let expired: Vec<_> = std::iter::from_fn(|| log.drop_older(oldest)).collect();
            let released = log.release();
            let mut written = log.checkpoint(false);
            if log.bytes() > max_bytes / 2 {
                // A few batches that are not delivered may keep whole segments.
                written = written.and_then(|()| log.compact().map(drop));
            }
            (expired, released, written, log.room())
        };
        let Some((expired, released, written, room)) = offload::on(self.offload(), work).await else {
            return;
        };
        let items = expired.iter().map(|gone| self.account(gone, DropReason::Expired)).sum();
        self.monitor.expired(expired.len() as u64, items);
        if let Err(error) = written {
            self.monitor.unwritten(&error);
        }
        self.monitor.looked(room);
        for gone in &released {
            // All records were settled: what is left in the sums could not be read.
            self.account(gone, DropReason::Damaged);
        }
        self.monitor.look_for_damage(&self.log);
        self.common.freed.notify_waiters();
    }
}

// === impl Appends ===

impl Appends {
    /// Adds a batch; the receiver gets the outcome.
    pub(super) fn add(
        &mut self,
        entry: QueueEntry,
        room: Room,
    ) -> oneshot::Receiver<Result<(), ExportError>> {
        let (stored, outcome) = oneshot::channel();
        let account = entry.held.hop().accounts().first();
        let pipeline = account.map_or_else(|| Arc::from(""), |account| account.pipeline().clone());
        self.waiting.push_back(Waiting { entry, pipeline, room, compressed: None, stored });
        outcome
    }

    /// Asks for the oldest segment to be dropped; the receiver is told whether there was one.
    pub(super) fn ask_for_drop(&mut self) -> oneshot::Receiver<bool> {
        let (asked, dropped) = oneshot::channel();
        self.drops.push(asked);
        dropped
    }

    /// Resolves when the task has ended.
    pub(super) fn ended(&mut self) -> oneshot::Receiver<()> {
        let (ended, end) = oneshot::channel();
        self.ended = Some(ended);
        end
    }

    /// Takes the batches of the next group.
    fn group(&mut self) -> Vec<Waiting> {
        let mut bytes = 0;
        let mut group = Vec::new();
        while let Some(next) = self.waiting.front() {
            bytes += next.entry.batch.len();
            if !group.is_empty() && bytes > MAX_GROUP_BYTES {
                break;
            }
            group.extend(self.waiting.pop_front());
        }
        group
    }
}

// === impl Waiting ===

impl Waiting {
    fn compress(&mut self) {
        self.compressed = compress(self.entry.batch.body().plain());
    }

    /// Returns the length of the body as it is stored.
    fn stored_len(&self) -> u64 {
        self.compressed.as_ref().map_or(self.entry.batch.len(), Bytes::len) as u64
    }
}

/// Appends a group, and drops the oldest segments if it does not fit and all its batches want that.
fn append_to(
    log: &Log,
    group: &[Waiting],
    now: u64,
    max_bytes: u64,
) -> (Result<u64, AppendError>, Vec<Gone>) {
    fn entry(waiting: &Waiting) -> Entry<'_> {
        let Waiting { entry, pipeline, compressed, .. } = waiting;
        Entry { batch: &entry.batch, pipeline, compressed: compressed.as_deref() }
    }
    let entries: Vec<_> = group.iter().map(entry).collect();
    let drops = group.iter().all(|waiting| waiting.room.drops);
    let bytes: u64 = group.iter().map(|waiting| waiting.room.bytes).sum();
    let mut gone = Vec::new();
    while drops && log.bytes() + bytes > max_bytes {
        let Some(oldest) = log.drop_oldest() else { break };
        gone.push(oldest);
    }
    loop {
        match log.append(&entries, now) {
            Err(AppendError::NoRoom { .. }) if drops => match log.drop_oldest() {
                Some(oldest) => gone.push(oldest),
                None => break (log.append(&entries, now), gone),
            },
            result => break (result, gone),
        }
    }
}

fn refusal(error: &AppendError) -> ExportError {
    let message = format!("the sending queue cannot store the request: {error}");
    ExportError::new(ErrorKind::Unavailable, Retry::After(RETRY_AFTER), message)
}

const MAX_GROUP_BYTES: usize = 1 << 20;
/// Time between looks for records that are too old, and for cursors that could not be written.
const CARE_INTERVAL: Duration = Duration::from_secs(1);
const RETRY_AFTER: Duration = Duration::from_secs(5);
