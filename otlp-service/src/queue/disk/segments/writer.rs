//! Appends groups of records, and starts new segments.
//!
//! A group is on the device before it is in the index. After a sync that failed, nothing that was written since the last good one
//! is trusted: the segment is given up at the last good length, and the group is written again into another.

use super::{Index, Indexed, Log};
use crate::queue::disk::properties::Properties;
use crate::queue::disk::record::{Header, Kind, MAX_NUMBER, after, checksum};
use crate::queue::disk::segment::{Left, Name, Segment, Totals, append};
use otlp_protocol::Batch;
use otlp_transport::{Disk, DiskFile};
use parking_lot::Mutex;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A batch to be appended.
#[derive(Clone, Copy, Debug)]
pub(in crate::queue::disk) struct Entry<'a> {
    pub(in crate::queue::disk) batch: &'a Batch,
    /// The pipeline that counts the batch.
    pub(in crate::queue::disk) pipeline: &'a Arc<str>,
    /// The batch's body as a zstd frame; `None`: the body is stored as it is.
    pub(in crate::queue::disk) compressed: Option<&'a [u8]>,
}

/// Error: the group is not in the log.
#[derive(Debug, thiserror::Error)]
pub(in crate::queue::disk) enum AppendError {
    /// The file system has less room than a segment takes.
    #[error("the disk is nearly full: {free} bytes are left, {reserve} are kept free")]
    NoRoom {
        /// Bytes that may still be written.
        free: u64,
        /// Bytes that the log leaves free.
        reserve: u64,
    },
    /// A file cannot be written.
    #[error("the queue's files cannot be written: {0}")]
    Io(#[from] io::Error),
}

/// The end of the log.
#[derive(Debug)]
pub(super) struct Writer {
    active: Option<Active>,
    /// The place of the next segment in the order of making.
    ordinal: u64,
    /// Makes the random numbers of segments.
    random: fastrand::Rng,
}

/// The segment that is being written.
#[derive(Debug)]
struct Active {
    name: Name,
    file: Arc<dyn DiskFile>,
    /// Length of what is committed.
    len: u64,
}

// === impl Log ===

impl Log {
    /// Appends a group, and returns the number of its first record once the device has all of them. `now` is in milliseconds
    /// since 1970.
    ///
    /// # Errors
    /// If the group is not in the log. Another call may succeed.
    pub(in crate::queue::disk) fn append(&self, group: &[Entry<'_>], now: u64) -> Result<u64, AppendError> {
        let mut writer = self.writer.lock();
        let first = self.index.lock().next;
        if group.is_empty() {
            return Ok(first);
        }
        if first.saturating_add(group.len() as u64) > MAX_NUMBER {
            let used_up = "the numbers of records are used up: drain the queue, and remove its directory";
            return Err(io::Error::other(used_up).into());
        }
        self.check_room()?;
        let (disk, directory) = (&*self.disk, &*self.directory);
        if writer.active.as_ref().is_some_and(|active| active.len >= self.segment_bytes) {
            // Without the sums the next open reads the records.
            let _ = writer.complete(&self.index);
        }
        for attempt in 1.. {
            let is_new = writer.active.is_none();
            let (name, file, before) = writer.segment(disk, directory, first)?;
            let (totals, len) = match write(&*file, name, group, first, now) {
                Ok(written) => written,
                Err(error) => {
                    // A part may have been written: whole records, which their senders are told to send again.
                    if is_new || cut(&*file, before).is_err() {
                        writer.give_up(disk, directory, is_new);
                    }
                    return Err(error.into());
                }
            };
            match file.sync().and_then(|()| if is_new { disk.sync_directory(directory) } else { Ok(()) }) {
                Ok(()) => {
                    writer.committed(len);
                    self.index.lock().append(name, len, totals, self.cursors.len());
                    return Ok(first);
                }
                Err(error) => {
                    self.counters.failed_syncs.fetch_add(1, Ordering::Relaxed);
                    // Left as it is, the file might bring back records whose senders are told to send again.
                    let _ = cut(&*file, before);
                    writer.give_up(disk, directory, is_new);
                    if attempt == MAX_ATTEMPTS {
                        return Err(error.into());
                    }
                }
            }
        }
        Err(io::Error::other("not written").into())
    }

    /// Refuses to write into the last bytes of the file system: cursors and reads need them.
    fn check_room(&self) -> Result<(), AppendError> {
        let reserve = self.segment_bytes;
        match self.disk.free_bytes(&self.directory) {
            Ok(free) if free < reserve => Err(AppendError::NoRoom { free, reserve }),
            // A disk that cannot tell answers with an error when it is full.
            _ => Ok(()),
        }
    }
}

// === impl Entry ===

impl<'a> Entry<'a> {
    /// Returns the bytes of the body that are stored.
    fn body(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let plain = self.compressed.is_none().then(|| self.batch.body().plain().segments());
        self.compressed.into_iter().chain(plain.into_iter().flatten().map(|segment| &segment[..]))
    }
}

// === impl Writer ===

impl Writer {
    pub(super) fn new(ordinal: u64, random: fastrand::Rng) -> Self {
        Self { active: None, ordinal, random }
    }

    /// Returns the name of the segment that is being written.
    pub(super) fn active(&self) -> Option<Name> {
        self.active.as_ref().map(|active| active.name)
    }

    /// Leaves the segment that is being written without its sums.
    pub(super) fn abandon(&mut self) {
        self.active = None;
    }

    /// Completes the segment that is being written.
    pub(super) fn complete(&mut self, index: &Mutex<Index>) -> io::Result<()> {
        let Some(Active { name, file, .. }) = self.active.take() else { return Ok(()) };
        let totals = {
            let index = index.lock();
            let indexed = index.segments.back().filter(|indexed| indexed.segment.name == name);
            indexed.map(|indexed| indexed.segment.totals.clone())
        };
        match totals {
            Some(totals) => append(&*file, &totals.encode(name.nonce, name.first)),
            None => Ok(()),
        }
    }

    /// The segment that is being written, or a new one; its length.
    fn segment(
        &mut self,
        disk: &dyn Disk,
        directory: &Path,
        first: u64,
    ) -> io::Result<(Name, Arc<dyn DiskFile>, u64)> {
        if let Some(active) = &self.active {
            return Ok((active.name, active.file.clone(), active.len));
        }
        let name = Name { ordinal: self.ordinal, first, nonce: self.random.u32(..) };
        self.ordinal = after(self.ordinal);
        let file: Arc<dyn DiskFile> = disk.open(&directory.join(name.file()))?.into();
        self.active = Some(Active { name, file: file.clone(), len: 0 });
        Ok((name, file, 0))
    }

    fn committed(&mut self, len: u64) {
        if let Some(active) = &mut self.active {
            active.len += len;
        }
    }

    /// Leaves a segment that cannot be written, and removes the file if nothing in it is committed.
    fn give_up(&mut self, disk: &dyn Disk, directory: &Path, is_new: bool) {
        if let Some(active) = self.active.take()
            && is_new
        {
            // A file that stays is replaced by the next segment, which has the same first number.
            let _ = disk.remove(&directory.join(active.name.file()));
        }
    }
}

// === impl Index ===

impl Index {
    /// Adds committed records to the last segment.
    fn append(&mut self, name: Name, len: u64, totals: Totals, readers: usize) {
        self.next = totals.next;
        let last = self.segments.back_mut().filter(|last| last.segment.name == name);
        let Some(last) = last else {
            let left = vec![totals.left.clone(); readers];
            let segment = Segment { name, len, edition: 0, totals };
            return self.segments.push_back(Indexed::new(segment, left));
        };
        for left in &mut last.left {
            add(left, &totals.left);
        }
        add(&mut last.segment.totals.left, &totals.left);
        last.segment.len += len;
        last.segment.totals.next = totals.next;
        last.segment.totals.newest = last.segment.totals.newest.max(totals.newest);
    }
}

/// Writes records. Returns their sums and their length.
fn write(
    file: &dyn DiskFile,
    name: Name,
    group: &[Entry<'_>],
    first: u64,
    now: u64,
) -> io::Result<(Totals, u64)> {
    let mut totals = Totals::none(first);
    let mut heads = Vec::with_capacity(group.len());
    for (sequence, entry) in (first..).zip(group) {
        let Entry { batch, pipeline, compressed } = *entry;
        let properties = Properties::encode(pipeline, batch);
        let len = |len: usize| u32::try_from(len).map_err(|_| io::Error::other("a request of over 4 GiB"));
        let parts = [&properties[..]].into_iter().chain(entry.body());
        let header = Header {
            sequence,
            stored_at: now,
            count: batch.count(),
            properties_len: len(properties.len())?,
            body_len: len(compressed.map_or(batch.len(), <[u8]>::len))?,
            plain_len: len(batch.len())?,
            content_checksum: checksum(name.nonce, parts),
            kind: Kind::Request(batch.signal()),
            is_mergeable: batch.is_mergeable(),
            is_compressed: compressed.is_some(),
        };
        totals.add(&header, pipeline);
        heads.push((header.encode(name.nonce), properties));
    }
    let mut parts = Vec::with_capacity(3 * group.len());
    for ((header, properties), entry) in heads.iter().zip(group) {
        parts.extend([IoSlice::new(header), IoSlice::new(properties)]);
        parts.extend(entry.body().map(IoSlice::new));
    }
    let len = parts.iter().map(|part| part.len() as u64).sum();
    file.append(&parts)?;
    Ok((totals, len))
}

/// Cuts what was not committed, so that it is not found after a power cut either.
fn cut(file: &dyn DiskFile, len: u64) -> io::Result<()> {
    file.truncate(len)?;
    file.sync()
}

pub(super) fn add(sums: &mut Vec<Left>, more: &[Left]) {
    for left in more {
        match sums.iter_mut().find(|sum| sum.pipeline == left.pipeline) {
            Some(sum) => {
                sum.records += left.records;
                sum.items += left.items;
                sum.bytes += left.bytes;
            }
            None => sums.push(left.clone()),
        }
    }
}

/// A sync that fails is tried once more, in another segment.
const MAX_ATTEMPTS: u32 = 2;
