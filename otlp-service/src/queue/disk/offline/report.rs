//! Checks of all records in the files of a queue.

use super::segment::{Piece, SegmentFile};
use super::view::QueueView;
use crate::queue::disk::compression::{InflateError, inflate};
use std::io;
use std::ops::Range;

/// What was found in a file of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileReport {
    /// Name of the file.
    pub file: String,
    /// Length of the file, in bytes.
    pub bytes: u64,
    /// Sound requests.
    pub requests: u64,
    /// Sound requests that are not delivered.
    pub undelivered: u64,
    /// Requests that are not delivered and cannot be read any more.
    pub lost: u64,
    /// Places of bytes that are no sound record.
    pub damage: Vec<Range<u64>>,
    /// Bytes at the end of the newest file that are being written, or were in a crash. The next start cuts them off.
    pub unfinished_bytes: u64,
    /// The system's error, if the file cannot be read to its end.
    pub error: Option<String>,
}

impl QueueView {
    /// Reads every record of every segment, and reports each file.
    pub fn verify(&self) -> Vec<FileReport> {
        let reports = self.segments.iter().filter_map(|segment| {
            let report = self.report(segment).transpose()?;
            let unread = |error: io::Error| FileReport {
                file: segment.name.file(),
                bytes: segment.len,
                error: Some(error.to_string()),
                ..FileReport::default()
            };
            Some(report.unwrap_or_else(unread))
        });
        reports.collect()
    }

    /// True if the file that tells which requests are delivered is damaged: some may be delivered again.
    pub fn is_cursor_damaged(&self) -> bool {
        self.is_cursor_damaged
    }

    /// Checks a file; `None` if it has been removed meanwhile.
    fn report(&self, segment: &SegmentFile) -> io::Result<Option<FileReport>> {
        let Some(file) = segment.open(&*self.disk, &self.directory)? else { return Ok(None) };
        let mut report =
            FileReport { file: segment.name.file(), bytes: segment.len, ..FileReport::default() };
        let totals = segment.totals(&*file)?;
        let mut pieces = segment.pieces(file);
        let mut next = segment.name.first;
        loop {
            match pieces.next() {
                Ok(Some(Piece::Record(record)))
                    if inflate(&record.header, record.body.clone()) == Err(InflateError::Damaged) =>
                {
                    report.damaged(record.bytes);
                }
                Ok(Some(Piece::Record(record))) => {
                    let sequence = record.header.sequence;
                    report.requests += 1;
                    report.undelivered += u64::from(!self.settled.contains(sequence));
                    report.lost += self.undelivered(next..sequence);
                    next = sequence + 1;
                }
                Ok(Some(Piece::Damaged(bytes))) => report.damaged(bytes),
                Ok(None) => break,
                Err(error) => {
                    report.error = Some(error.to_string());
                    break;
                }
            }
        }
        match totals {
            Some(totals) => report.lost += self.undelivered(next..totals.next),
            None if segment.is_newest => report.cut_unfinished(segment.len),
            None => report.lost += self.undelivered(next..segment.end.max(next)),
        }
        Ok(Some(report))
    }

    fn undelivered(&self, records: Range<u64>) -> u64 {
        self.settled.gaps(records).iter().map(|gap| gap.end - gap.start).sum()
    }
}

// === impl FileReport ===

impl FileReport {
    /// True if nothing is damaged, and the file can be read.
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty() && self.error.is_none() && self.lost == 0
    }

    fn damaged(&mut self, bytes: Range<u64>) {
        match self.damage.last_mut() {
            // The rest of a long piece.
            Some(last) if last.end == bytes.start => last.end = bytes.end,
            _ => self.damage.push(bytes),
        }
    }

    /// Takes damage at the end of the file for a record that is not written to its end.
    fn cut_unfinished(&mut self, len: u64) {
        if let Some(last) = self.damage.pop_if(|last| last.end == len) {
            self.unfinished_bytes = last.end - last.start;
        }
    }
}
