//! A segment that is read without a log: its records in their order, and the damage between them.

use crate::queue::disk::record::Kind;
use crate::queue::disk::scan::{Found, Record, Scanner};
use crate::queue::disk::segment::{Name, Totals};
use otlp_transport::{Disk, DiskFile};
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// A segment's file, as a directory lists it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SegmentFile {
    pub(super) name: Name,
    pub(super) len: u64,
    /// The records from this number on are in later segments.
    pub(super) end: u64,
    /// True if no segment was begun after this one: the gateway may be writing it.
    pub(super) is_newest: bool,
}

/// What is next in a segment.
#[derive(Debug)]
pub(super) enum Piece {
    /// A record that is a request.
    Record(Record),
    /// Bytes that are no sound record.
    Damaged(Range<u64>),
}

/// Reads a segment.
#[derive(Debug)]
pub(super) struct Pieces {
    scanner: Scanner,
    found: VecDeque<Found>,
    segment: SegmentFile,
    /// The number that the next record has at least.
    next: u64,
}

// === impl SegmentFile ===

impl SegmentFile {
    /// Finds the segments among the files of a directory, in the order of their records.
    pub(super) fn all(files: &[(String, u64)]) -> Vec<Self> {
        let mut names: Vec<_> =
            files.iter().filter_map(|(file, len)| Some((Name::parse(file)?, *len))).collect();
        names.sort_unstable_by_key(|(name, _)| (name.first, name.ordinal));
        let newest = names.iter().map(|(name, _)| name.ordinal).max();
        let mut segments = Vec::with_capacity(names.len());
        for (place, (name, len)) in names.iter().enumerate() {
            // A segment that was given up ends where a later one begins.
            let end = names.get(place + 1).map_or(u64::MAX, |(later, _)| later.first);
            let is_newest = Some(name.ordinal) == newest;
            segments.push(Self { name: *name, len: *len, end, is_newest });
        }
        segments
    }

    /// Opens the file; `None` if it has been removed meanwhile.
    pub(super) fn open(&self, disk: &dyn Disk, directory: &Path) -> io::Result<Option<Arc<dyn DiskFile>>> {
        match disk.open_to_read(&directory.join(self.name.file())) {
            Ok(file) => Ok(Some(file.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the sums at the end; `None` if the segment is not complete.
    pub(super) fn totals(&self, file: &dyn DiskFile) -> io::Result<Option<Totals>> {
        let read = Totals::read(file, &self.name, self.len)?;
        Ok(read.map(|(totals, _)| totals).filter(|totals| totals.next <= self.end))
    }

    /// Reads the records.
    pub(super) fn pieces(&self, file: Arc<dyn DiskFile>) -> Pieces {
        let scanner = Scanner { file, nonce: self.name.nonce, offset: 0 };
        Pieces { scanner, found: VecDeque::new(), segment: *self, next: self.name.first }
    }
}

// === impl Pieces ===

impl Pieces {
    /// Returns what is next; `None` at the end of the file. Records that another segment has are left out.
    pub(super) fn next(&mut self) -> io::Result<Option<Piece>> {
        loop {
            let found = match self.found.pop_front() {
                Some(found) => found,
                None => {
                    self.found = self.scanner.read(self.segment.len, READ_BYTES)?.into();
                    if self.found.is_empty() {
                        return Ok(None);
                    }
                    continue;
                }
            };
            match found {
                Found::Damage(damage) => return Ok(Some(Piece::Damaged(damage.bytes))),
                Found::Record(record) => {
                    let sequence = record.header.sequence;
                    let is_own = (self.next..self.segment.end).contains(&sequence);
                    if record.header.kind != Kind::Summary && is_own {
                        self.next = sequence + 1;
                        return Ok(Some(Piece::Record(record)));
                    }
                }
            }
        }
    }
}

/// Read at a time.
const READ_BYTES: usize = 1 << 20;
