//! A log of records in segments: appended to in groups, read by any number of readers, each with a cursor, without tokio and
//! without a clock.
//!
//! A record is in the log once [`Log::append`] has returned. It leaves the log when all readers have settled it, when its segment is
//! dropped, or when it is damaged. The index in memory has an entry for each segment, not for each record.
//!
//! # What holds after a crash, a power cut, or damage
//!
//! - Records that were appended and not settled are found, with their bytes, unless these bytes are damaged.
//! - Settled records are found again only if no checkpoint has followed, and only by the reader that had settled them.
//! - Records whose append has failed may be found: if the process ended, or the disk failed for good, before the file was cut.
//! - Numbers only grow. If a cursor is damaged, they go on far behind all that the cursor may have had, so that a settled number
//!   that comes to light later never hides a record.
//! - Bytes that cannot be read are neither cut nor settled: a later read may succeed.
//! - The log opens whatever its files have in them. It does not open if the disk cannot list, make or open files.

mod aside;
mod compact;
mod reader;
mod recover;
mod writer;

pub(super) use reader::{Reader, Stored};
pub(super) use recover::{LOCK, Recovery};
pub(super) use writer::{AppendError, Entry};

use super::cursor::Cursor;
use super::ranges::Ranges;
use super::segment::{Left, Name, Segment};
use aside::Aside;
use otlp_transport::{Disk, DiskLock};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use writer::Writer;

/// A log. Methods that read or write files block, unless they say otherwise.
#[derive(Debug)]
pub(super) struct Log {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    /// A segment that is longer is complete.
    segment_bytes: u64,
    index: Mutex<Index>,
    /// Held while a group is written.
    writer: Mutex<Writer>,
    /// By reader.
    cursors: Vec<Mutex<Cursor>>,
    /// Held while cursors are written.
    checkpoints: Mutex<()>,
    /// Held while segments are written anew.
    compaction: Mutex<()>,
    /// Segments that have left the log, and whose files could not be removed.
    leftovers: Mutex<Vec<Name>>,
    aside: Mutex<Aside>,
    pub(super) counters: Counters,
    _lock: Box<dyn DiskLock>,
}

/// What went wrong with the log's files. They only grow.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Bytes at the end of segments that were cut: records that were being written in a crash.
    pub(super) torn_bytes: AtomicU64,
    /// Bytes that are no sound records.
    pub(super) damaged_bytes: AtomicU64,
    /// Of the cut and the damaged bytes: those copied to files of their own.
    pub(super) kept_bytes: AtomicU64,
    /// Records that are lost: damaged, or not in the file that should have them. Of several readers, each counts what it misses.
    pub(super) damaged_records: AtomicU64,
    /// Bytes that readers have left out, since they could not be read.
    pub(super) unread_bytes: AtomicU64,
    /// The numbers of the records in these bytes, as many as there may be. They stay in the log.
    pub(super) unread_records: AtomicU64,
    /// Syncs that failed.
    pub(super) failed_syncs: AtomicU64,
    /// Settled records that could not be written to the cursor at once.
    pub(super) failed_acks: AtomicU64,
}

/// The segments, the oldest first. The writer appends to the last one, if it has a file open.
#[derive(Debug, Default)]
struct Index {
    segments: VecDeque<Indexed>,
    /// The number of the next record.
    next: u64,
}

/// A segment, with what each reader has left of it.
#[derive(Debug)]
struct Indexed {
    segment: Segment,
    left: Vec<Vec<Left>>,
    /// The bytes that are known to be damaged.
    damaged: Ranges,
    /// The last bytes could not be read when the log was opened: there may be less records than numbers.
    is_unsure: bool,
    /// It is not worth a look whether the segment can be smaller unless less than so many records are unsettled.
    compact_below: u64,
}

/// A segment that has left the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gone {
    /// The numbers of its records.
    pub(super) records: Range<u64>,
    /// Length of its file.
    pub(super) len: u64,
    /// What each reader had left of it.
    pub(super) left: Vec<Vec<Left>>,
}

// === impl Log ===

impl Log {
    /// Returns the number of the next record.
    pub(super) fn next(&self) -> u64 {
        self.index.lock().next
    }

    /// Returns the number of the oldest record that is in the log, or of the next one.
    pub(super) fn first(&self) -> u64 {
        let index = self.index.lock();
        index.segments.front().map_or(index.next, |oldest| oldest.segment.name.first)
    }

    /// Returns the numbers of the segment that has a record.
    pub(super) fn segment_of(&self, sequence: u64) -> Option<Range<u64>> {
        self.index.lock().holding(sequence).map(|indexed| indexed.segment.range())
    }

    /// Returns the directory of the files.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the numbers of the records that a reader has not settled.
    pub(super) fn unsettled(&self, reader: usize) -> Vec<Range<u64>> {
        let all = self.first()..self.next();
        self.cursors.get(reader).map(|cursor| cursor.lock().settled().gaps(all)).unwrap_or_default()
    }

    /// True if [`release`](Self::release) may find something.
    pub(super) fn may_release(&self) -> bool {
        let index = self.index.lock();
        let mut segments = index.segments.iter().map(|indexed| &indexed.segment);
        let Some(oldest) = segments.next() else { return false };
        let is_complete = segments.next().is_some() || oldest.len >= self.segment_bytes;
        is_complete && self.cursors.iter().all(|cursor| cursor.lock().settled().covers(&oldest.range()))
    }

    /// Returns the bytes of all segments.
    pub(super) fn bytes(&self) -> u64 {
        self.index.lock().segments.iter().map(|indexed| indexed.segment.len).sum()
    }

    /// Returns the number of segments.
    pub(super) fn segments(&self) -> usize {
        self.index.lock().segments.len()
    }

    /// Returns the number and the time of the first record of each segment, in milliseconds since 1970.
    pub(super) fn first_times(&self) -> Vec<(u64, u64)> {
        let index = self.index.lock();
        let segments = index.segments.iter().map(|indexed| &indexed.segment);
        segments.map(|segment| (segment.name.first, segment.totals.oldest)).collect()
    }

    /// Returns the bytes that may still be written to the file system, and those that the log leaves free. `None` if the disk cannot
    /// tell.
    pub(super) fn room(&self) -> Option<(u64, u64)> {
        let free = self.disk.free_bytes(&self.directory).ok()?;
        Some((free, self.segment_bytes))
    }

    /// Settles a record for a reader: it is not read again. Writes a few bytes, without waiting for the device.
    pub(super) fn settle(&self, reader: usize, sequence: u64, pipeline: &str, items: u64, bytes: u64) {
        if self.cursors.get(reader).is_none_or(|cursor| cursor.lock().settled().contains(sequence)) {
            return;
        }
        self.settle_range(reader, sequence..sequence + 1);
        let mut index = self.index.lock();
        if let Some(indexed) = index.holding(sequence)
            && let Some(left) = indexed.left.get_mut(reader).and_then(|left| of_pipeline(left, pipeline))
        {
            left.records = left.records.saturating_sub(1);
            left.items = left.items.saturating_sub(items);
            left.bytes = left.bytes.saturating_sub(bytes);
        }
    }

    /// Settles records that cannot be read. What was left of them is told when their segment is gone.
    fn settle_range(&self, reader: usize, records: Range<u64>) {
        let Some(cursor) = self.cursors.get(reader) else { return };
        if !cursor.lock().settle(records) {
            self.counters.failed_acks.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Removes segments whose records all readers have settled, but for one that is being written and not full. Before that, writes
    /// the cursors: a segment that is missing was settled, or is lost.
    pub(super) fn release(&self) -> Vec<Gone> {
        let mut writer = self.writer.lock();
        let active = writer.active();
        let mut gone = Vec::new();
        let mut index = self.index.lock();
        let settled: Vec<_> = self.cursors.iter().map(|cursor| cursor.lock()).collect();
        index.segments.retain(|indexed| {
            let range = indexed.segment.range();
            let is_settled = settled.iter().all(|cursor| cursor.settled().covers(&range));
            let is_active = Some(indexed.segment.name) == active;
            let stays = !is_settled || (is_active && indexed.segment.len < self.segment_bytes);
            if !stays {
                if is_active {
                    writer.abandon();
                }
                gone.push((indexed.segment.name, indexed.gone()));
            }
            stays
        });
        drop(settled);
        drop(index);
        drop(writer);
        if !gone.is_empty() {
            // Without room for the cursors, the segments must go all the same.
            let _ = self.checkpoint(true);
        }
        self.remove(gone)
    }

    /// Drops the oldest segment, whoever has left something of it, and writes the cursors before. `None` if there is no segment.
    pub(super) fn drop_oldest(&self) -> Option<Gone> {
        self.drop_oldest_if(|_| true)
    }

    fn drop_oldest_if(&self, is_dropped: impl FnOnce(&Segment) -> bool) -> Option<Gone> {
        let mut writer = self.writer.lock();
        let indexed = {
            let mut index = self.index.lock();
            let is_dropped = is_dropped(&index.segments.front()?.segment);
            if is_dropped { index.segments.pop_front() } else { None }
        }?;
        if writer.active() == Some(indexed.segment.name) {
            writer.abandon();
        }
        drop(writer);
        let records = indexed.segment.range();
        (0..self.cursors.len()).for_each(|reader| self.settle_range(reader, records.clone()));
        let _ = self.checkpoint(true);
        self.remove(vec![(indexed.segment.name, indexed.gone())]).pop()
    }

    /// Drops the oldest segment if its newest record is older than `before`, in milliseconds since 1970.
    pub(super) fn drop_older(&self, before: u64) -> Option<Gone> {
        self.drop_oldest_if(|oldest| oldest.totals.newest < before)
    }

    /// Writes the cursors whose journals are long, or all that have changed: from then on the device has what was settled. To be
    /// called now and then.
    pub(super) fn checkpoint(&self, all: bool) -> io::Result<()> {
        let _checkpoints = self.checkpoints.lock();
        let (disk, directory) = (&*self.disk, &*self.directory);
        for cursor in &self.cursors {
            let checkpoint = {
                let mut cursor = cursor.lock();
                if !cursor.wants_checkpoint(all) {
                    continue;
                }
                cursor.checkpoint(disk, directory)?
            };
            checkpoint.write(disk)?;
            cursor.lock().written(disk, directory, &checkpoint);
        }
        Ok(())
    }

    /// Writes the sums of the segment that is being written: the next open reads them instead of the records.
    pub(super) fn close(&self) -> io::Result<()> {
        let written = self.checkpoint(true);
        self.writer.lock().complete(&self.index)?;
        written
    }

    /// Removes the files of segments that have left the index, and those that could not be removed before.
    fn remove(&self, gone: Vec<(Name, Gone)>) -> Vec<Gone> {
        let mut leftovers = self.leftovers.lock();
        leftovers.extend(gone.iter().map(|(name, _)| *name));
        // A file that stays is settled: the next open removes it, if no later call does.
        leftovers.retain(|name| {
            let removed = self.disk.remove(&self.directory.join(name.file()));
            removed.is_err_and(|error| error.kind() != io::ErrorKind::NotFound)
        });
        gone.into_iter().map(|(_, gone)| gone).collect()
    }
}

// === impl Index ===

impl Index {
    /// Returns the segment of this name.
    fn named(&mut self, name: &Name) -> Option<&mut Indexed> {
        self.segments.iter_mut().find(|indexed| indexed.segment.name == *name)
    }

    /// Returns the segment with this record.
    fn holding(&mut self, sequence: u64) -> Option<&mut Indexed> {
        let place = self.segments.partition_point(|indexed| indexed.segment.totals.next <= sequence);
        self.segments.get_mut(place).filter(|indexed| indexed.segment.name.first <= sequence)
    }
}

// === impl Indexed ===

impl Indexed {
    fn new(segment: Segment, left: Vec<Vec<Left>>) -> Self {
        Self { segment, left, damaged: Ranges::default(), is_unsure: false, compact_below: u64::MAX }
    }

    fn gone(&self) -> Gone {
        Gone { records: self.segment.range(), len: self.segment.len, left: self.left.clone() }
    }
}

fn of_pipeline<'a>(left: &'a mut [Left], pipeline: &str) -> Option<&'a mut Left> {
    left.iter_mut().find(|left| *left.pipeline == *pipeline)
}

#[cfg(test)]
mod tests;
