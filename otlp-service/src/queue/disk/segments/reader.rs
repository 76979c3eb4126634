//! Reads the records that a reader has not settled, in their order, past damage.
//!
//! Damaged records are settled, since nothing can bring them back. Records that cannot be read, though the read was tried again, are
//! left out without being settled: they stay in the log, and are tried again after the next start.

use super::Log;
use crate::queue::disk::compression::{InflateError, inflate};
use crate::queue::disk::record::{Header, Kind};
use crate::queue::disk::scan::{Damage, Found, Record, Scanner};
use crate::queue::disk::segment::{Name, Segment};
use bytes::Bytes;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A reader's place in a log.
#[derive(Debug)]
pub(in crate::queue::disk) struct Reader {
    log: Arc<Log>,
    /// Its cursor in the log.
    reader: usize,
    /// The number of the next record.
    next: u64,
    place: Option<Place>,
    /// Reads that have failed at this place.
    failures: u32,
    /// Bytes between the last record and the place could not be read.
    is_unread: bool,
}

/// A record that was read.
#[derive(Debug)]
pub(in crate::queue::disk) struct Stored {
    pub(in crate::queue::disk) header: Header,
    pub(in crate::queue::disk) properties: Bytes,
    /// As it was before compression.
    pub(in crate::queue::disk) body: Bytes,
}

/// The segment that is being read.
#[derive(Debug)]
struct Place {
    scanner: Scanner,
    name: Name,
    edition: u32,
}

/// What the index tells of a segment.
struct Extent {
    name: Name,
    edition: u32,
    len: u64,
    records: Range<u64>,
    is_unsure: bool,
}

// === impl Reader ===

impl Reader {
    /// A reader of the records from `next` on, with the cursor `reader`.
    pub(in crate::queue::disk) fn new(log: Arc<Log>, reader: usize, next: u64) -> Self {
        Self { log, reader, next, place: None, failures: 0, is_unread: false }
    }

    /// The number of the next record.
    pub(in crate::queue::disk) fn next(&self) -> u64 {
        self.next
    }

    /// Reads about `max_bytes` bytes of records before `end` that are not settled, at least one record unless there is none.
    /// Records of dropped segments are left out. The limit holds for the bytes as stored, and for the bodies before compression.
    ///
    /// # Errors
    /// If a segment cannot be read. After three errors at one place, the records there are counted and left out.
    pub(in crate::queue::disk) fn read(&mut self, end: u64, max_bytes: usize) -> io::Result<Vec<Stored>> {
        let mut records = Vec::new();
        while records.is_empty() {
            let Some(extent) = self.find(end)? else { break };
            let Some(place) = &mut self.place else { break };
            let found = match place.scanner.read(extent.len, max_bytes) {
                Ok(found) => found,
                Err(error) => {
                    self.failures += 1;
                    if self.failures < MAX_FAILURES {
                        return Err(error);
                    }
                    place.scanner.read_around(extent.len, max_bytes)
                }
            };
            self.failures = 0;
            self.take(found, end, max_bytes, &extent, &mut records);
        }
        Ok(records)
    }

    /// Finds the segment with the next record, and opens it if it is another than before.
    fn find(&mut self, end: u64) -> io::Result<Option<Extent>> {
        loop {
            let Some(extent) = self.log.extent(self.next) else { return Ok(None) };
            // Segments between were dropped.
            self.next = self.next.max(extent.records.start);
            if self.next >= end {
                return Ok(None);
            }
            let known = self.place.as_ref();
            if known.is_none_or(|place| (place.name, place.edition) != (extent.name, extent.edition)) {
                self.place = self.open(&extent)?;
                continue;
            }
            match &self.place {
                // All bytes were read: what is missing is damaged.
                Some(place) if place.scanner.offset >= extent.len => {
                    if extent.is_unsure && !self.is_unread {
                        // All could be read now: there are no records of these numbers.
                        let rest = self.next..extent.records.end.min(end);
                        self.next = rest.end;
                        self.log.settle_range(self.reader, rest);
                        continue;
                    }
                    self.skip_to(extent.records.end, end);
                }
                _ => return Ok(Some(extent)),
            }
        }
    }

    /// Opens a segment; `None` if the segment has left the log, or was written anew, in the meantime.
    fn open(&mut self, extent: &Extent) -> io::Result<Option<Place>> {
        (self.failures, self.is_unread) = (0, false);
        let Extent { name, edition, .. } = *extent;
        let path = self.log.directory.join(name.file());
        let file: Arc<dyn otlp_transport::DiskFile> = self.log.disk.open(&path)?.into();
        let is_same = |now: Extent| (now.name, now.edition) == (name, edition);
        if !self.log.extent(self.next).is_some_and(is_same) {
            if file.is_empty()? {
                // The file was removed before it was opened, and so was made anew. If it stays, the next open removes it.
                let _ = self.log.disk.remove(&path);
            }
            return Ok(None);
        }
        let scanner = Scanner { file, nonce: name.nonce, offset: 0 };
        Ok(Some(Place { scanner, name, edition }))
    }

    /// Adds the records of what was read, up to `end` or about `max_bytes` bytes.
    fn take(
        &mut self,
        found: Vec<Found>,
        end: u64,
        max_bytes: usize,
        extent: &Extent,
        records: &mut Vec<Stored>,
    ) {
        let mut taken_bytes = 0;
        for found in found {
            let Record { header, properties, body, bytes, .. } = match found {
                Found::Record(record) => record,
                Found::Damage(damage) => {
                    self.pass(&damage, extent);
                    continue;
                }
            };
            let sequence = header.sequence;
            if header.kind == Kind::Summary || !extent.records.contains(&sequence) {
                continue;
            }
            if sequence < self.next {
                self.is_unread = false;
                continue;
            }
            let is_settled =
                self.log.cursors.get(self.reader).is_some_and(|c| c.lock().settled().contains(sequence));
            if !is_settled {
                taken_bytes += header.plain_len as usize;
            }
            if sequence >= end || (taken_bytes > max_bytes && !records.is_empty()) {
                self.skip_to(sequence, end);
                // A later call may read on from here.
                if let Some(place) = &mut self.place {
                    place.scanner.offset = bytes.start;
                }
                return;
            }
            let body = if is_settled { Ok(body) } else { inflate(&header, body) };
            let body = match body {
                Ok(body) => body,
                Err(error) => {
                    let is_unread = error == InflateError::NoZstd;
                    self.pass(&Damage { bytes, is_unread }, extent);
                    continue;
                }
            };
            self.skip_to(sequence, end);
            self.next = sequence + 1;
            if !is_settled {
                records.push(Stored { header, properties, body });
            }
        }
    }

    /// Passes bytes that are no records.
    fn pass(&mut self, damage: &Damage, extent: &Extent) {
        let bytes = damage.bytes.clone();
        if damage.is_unread {
            self.is_unread = true;
            self.log.counters.unread_bytes.fetch_add(bytes.end - bytes.start, Ordering::Relaxed);
        } else if let Some(place) = &self.place {
            self.log.set_aside(&extent.name, &*place.scanner.file, bytes);
        }
    }

    /// Moves to a record, or to `end`; those between that are not settled are damaged, or cannot be read.
    fn skip_to(&mut self, sequence: u64, end: u64) {
        let to = sequence.min(end);
        if self.next < to {
            self.log.lose(self.reader, self.next..to, self.is_unread);
            self.next = to;
        }
        self.is_unread &= sequence > end;
    }
}

// === impl Log ===

impl Log {
    /// Returns the segment with a record, or with the next one behind.
    fn extent(&self, sequence: u64) -> Option<Extent> {
        let index = self.index.lock();
        let place = index.segments.partition_point(|indexed| indexed.segment.totals.next <= sequence);
        let indexed = index.segments.get(place)?;
        let Segment { name, len, edition, .. } = indexed.segment;
        let (records, is_unsure) = (indexed.segment.range(), indexed.is_unsure);
        Some(Extent { name, edition, len, records, is_unsure })
    }

    /// Counts records that a reader does not get, and settles those that are damaged.
    fn lose(&self, reader: usize, records: Range<u64>, is_unread: bool) {
        let Some(cursor) = self.cursors.get(reader) else { return };
        let lost = cursor.lock().settled().gaps(records);
        let counter = if is_unread { &self.counters.unread_records } else { &self.counters.damaged_records };
        for lost in lost {
            counter.fetch_add(lost.end - lost.start, Ordering::Relaxed);
            if !is_unread {
                self.settle_range(reader, lost);
            }
        }
    }
}

/// Reads of one place that fail, until the records there are left out.
const MAX_FAILURES: u32 = 3;
