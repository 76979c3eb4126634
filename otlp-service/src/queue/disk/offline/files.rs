//! The files of a queue that no gateway has open: requests are taken out and added.

use super::StoredRequest;
use super::view::QueueView;
use crate::queue::disk::DiskConfig;
use crate::queue::disk::segments::{AppendError, Entry, LOCK, Log, Reader};
use crate::queue::disk::store::{READER, RECORD_BYTES};
use otlp_protocol::Batch;
use otlp_transport::Disk;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// The files of a queue on disk, locked against gateways and other programs. Calls block.
///
/// Requests that are read stay in the queue until they are [settled](Self::settle). Opening does what a gateway does at its start: it
/// cuts off the end of a record that was being written in a crash, and removes files whose requests are delivered.
pub struct QueueFiles {
    log: Arc<Log>,
    reader: Reader,
    max_bytes: u64,
}

// === impl QueueFiles ===

impl QueueFiles {
    /// Opens the files in a directory. `max_bytes` is the limit for [`append`](Self::append), as [`DiskConfig::max_bytes`].
    ///
    /// # Errors
    /// If there is no queue in the directory, if files cannot be read or written, or of kind
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if a gateway or another program has the queue open.
    pub fn open(disk: Arc<dyn Disk>, directory: &Path, max_bytes: Option<u64>) -> io::Result<Self> {
        if !QueueView::is_queue(&*disk, directory) {
            let missing = format!("there is no queue in {}", directory.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, missing));
        }
        let free = disk.free_bytes(directory).ok();
        let (log, _) = Log::open(disk, directory, &[READER], SEGMENT_BYTES, fastrand::u64(..))?;
        let config = DiskConfig { max_bytes, ..DiskConfig::new(directory) };
        let max_bytes = config.limit(free.map(|free| free.saturating_add(log.bytes())));
        let reader = Reader::new(log.clone(), 0, log.first());
        Ok(Self { log, reader, max_bytes })
    }

    /// Returns the largest size of the files, in bytes.
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Returns the path of the file that a gateway locks while it has the queue in a directory open.
    pub fn lock_file(directory: &Path) -> PathBuf {
        directory.join(LOCK)
    }

    /// Reads about `max_bytes` bytes of further requests that are not settled, at least one; none at the end. Damaged records are
    /// left out, and are not read again.
    ///
    /// # Errors
    /// If a file cannot be read. Another call may succeed.
    pub fn read(&mut self, max_bytes: usize) -> io::Result<Vec<StoredRequest>> {
        let stored = self.reader.read(self.log.next(), max_bytes)?;
        let requests = stored
            .into_iter()
            .filter_map(|stored| StoredRequest::new(&stored.header, &stored.properties, stored.body));
        Ok(requests.collect())
    }

    /// Takes a request out of the queue. The device may not know until [`close`](Self::close).
    pub fn settle(&self, request: &StoredRequest) {
        let StoredRequest { sequence, pipeline, batch, record_bytes, .. } = request;
        self.log.settle(0, *sequence, pipeline, batch.items(), *record_bytes);
        if self.log.may_release() {
            self.log.release();
        }
    }

    /// Adds requests to the end of the queue, in order, as many as there is room for within [`max_bytes`](Self::max_bytes), and
    /// returns their number. As in a gateway, a queue that is empty also takes a request that is larger than the limit. The device
    /// has the requests when the call returns. `pipeline` counts their items in the gateway that delivers them; `now` is the time
    /// from which their age counts.
    ///
    /// # Errors
    /// If the disk is nearly full, or cannot be written. None of the requests is in the queue then.
    pub fn append(&self, batches: &[Batch], pipeline: &str, now: SystemTime) -> io::Result<usize> {
        let pipeline: Arc<str> = pipeline.into();
        let fitting = self.fitting(batches);
        let entry = |batch| Entry { batch, pipeline: &pipeline, compressed: None };
        let entries: Vec<_> = batches.iter().take(fitting).map(entry).collect();
        if entries.is_empty() {
            return Ok(0);
        }
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        match self.log.append(&entries, millis) {
            Ok(_) => Ok(entries.len()),
            Err(AppendError::Io(error)) => Err(error),
            Err(error) => Err(io::Error::new(io::ErrorKind::StorageFull, error.to_string())),
        }
    }

    /// Returns the number of the first batches that there is room for.
    fn fitting(&self, batches: &[Batch]) -> usize {
        let mut bytes = self.log.bytes();
        let fits = |batch: &&Batch| {
            bytes += batch.len() as u64 + RECORD_BYTES;
            bytes <= self.max_bytes
        };
        let fitting = batches.iter().take_while(fits).count();
        let is_empty = fitting == 0 && self.log.unsettled(0).is_empty();
        if is_empty { batches.len().min(1) } else { fitting }
    }

    /// Writes what is settled, and waits until the device has it. Without this call requests may be delivered again.
    ///
    /// # Errors
    /// If files cannot be written.
    pub fn close(self) -> io::Result<()> {
        self.log.release();
        self.log.close()
    }
}

impl fmt::Debug for QueueFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueFiles").field("directory", &self.log.directory()).finish_non_exhaustive()
    }
}

/// A gateway's segments are not longer either.
const SEGMENT_BYTES: u64 = 32 << 20;
