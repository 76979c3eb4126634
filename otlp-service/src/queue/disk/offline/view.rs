//! The files of a queue, read without the queue's lock.

use super::StoredRequest;
use super::segment::{Piece, Pieces, SegmentFile};
use crate::queue::disk::compression::{InflateError, inflate};
use crate::queue::disk::cursor::Cursor;
use crate::queue::disk::ranges::Ranges;
use crate::queue::disk::segments::LOCK;
use crate::queue::disk::store::READER;
use otlp_transport::Disk;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of a queue on disk, which are read and not changed. The queue may be in use: what is seen may be some seconds old then.
///
/// ```
/// use otlp_service::{DiskConfig, QueueView};
/// use otlp_protocol::Signal;
/// use otlp_transport::SystemDisk;
/// use std::sync::Arc;
///
/// let directory = DiskConfig::new("/nowhere").directory_of("otlp", Signal::TRACES);
/// assert!(!QueueView::is_queue(&SystemDisk, &directory));
/// assert!(QueueView::open(Arc::new(SystemDisk), &directory).is_err());
/// ```
#[derive(Debug)]
pub struct QueueView {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) directory: PathBuf,
    pub(super) segments: Vec<SegmentFile>,
    pub(super) settled: Ranges,
    pub(super) is_cursor_damaged: bool,
}

/// The requests of a queue that are not delivered, the oldest first. Damaged records are left out.
#[derive(Debug)]
pub struct StoredRequests<'a> {
    view: &'a QueueView,
    segments: std::slice::Iter<'a, SegmentFile>,
    pieces: Option<Pieces>,
}

// === impl QueueView ===

impl QueueView {
    /// True if a directory has the files of a queue.
    pub fn is_queue(disk: &dyn Disk, directory: &Path) -> bool {
        disk.list(directory).is_ok_and(|files| is_queue(&files))
    }

    /// Lists the files of a queue, and reads which of its requests are delivered.
    ///
    /// # Errors
    /// If the directory cannot be read, or has no queue.
    pub fn open(disk: Arc<dyn Disk>, directory: &Path) -> io::Result<Self> {
        let mut attempt = 0;
        loop {
            let files = disk.list(directory)?;
            if !is_queue(&files) {
                let missing = format!("there is no queue in {}", directory.display());
                return Err(io::Error::new(io::ErrorKind::NotFound, missing));
            }
            let (cursor, is_cursor_damaged) = Cursor::load(&*disk, directory, READER, &files);
            attempt += 1;
            // A gateway may have replaced files since they were listed.
            if is_cursor_damaged && attempt < MAX_ATTEMPTS {
                continue;
            }
            let (directory, segments) = (directory.into(), SegmentFile::all(&files));
            return Ok(Self {
                disk,
                directory,
                segments,
                settled: cursor.settled().clone(),
                is_cursor_damaged,
            });
        }
    }

    /// Returns the directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Reads the requests that are not delivered.
    pub fn requests(&self) -> StoredRequests<'_> {
        StoredRequests { view: self, segments: self.segments.iter(), pieces: None }
    }
}

// === impl StoredRequests ===

impl StoredRequests<'_> {
    fn read(&mut self) -> io::Result<Option<StoredRequest>> {
        loop {
            let Some(pieces) = &mut self.pieces else {
                let Some(segment) = self.segments.next() else { return Ok(None) };
                let file = segment.open(&*self.view.disk, &self.view.directory)?;
                self.pieces = file.map(|file| segment.pieces(file));
                continue;
            };
            let piece = match pieces.next() {
                Ok(Some(piece)) => piece,
                Ok(None) => {
                    self.pieces = None;
                    continue;
                }
                Err(error) => {
                    self.pieces = None;
                    return Err(error);
                }
            };
            let Piece::Record(record) = piece else { continue };
            if self.view.settled.contains(record.header.sequence) {
                continue;
            }
            let body = match inflate(&record.header, record.body) {
                Ok(body) => body,
                Err(InflateError::Damaged) => continue,
                Err(error) => {
                    self.pieces = None;
                    return Err(io::Error::new(io::ErrorKind::Unsupported, error));
                }
            };
            if let Some(request) = StoredRequest::new(&record.header, &record.properties, body) {
                return Ok(Some(request));
            }
        }
    }
}

impl Iterator for StoredRequests<'_> {
    type Item = io::Result<StoredRequest>;

    /// Returns the next request, or the error of a segment that cannot be read. Requests of the next segment follow.
    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

fn is_queue(files: &[(String, u64)]) -> bool {
    files.iter().any(|(file, _)| file == LOCK)
}

const MAX_ATTEMPTS: u32 = 5;
