//! Writes segments anew without their settled records, when a few records keep many bytes.
//!
//! The new file gets the name of the old: the same place, and the same random number, so that records are copied byte for byte. The
//! cursors are on the device before: a number that the new file lacks is a settled one, not a lost one.

use super::{Indexed, Log};
use crate::queue::disk::properties::Properties;
use crate::queue::disk::ranges::Ranges;
use crate::queue::disk::record::Kind;
use crate::queue::disk::scan::{Found, Scanner};
use crate::queue::disk::segment::{Segment, Totals, append};
use otlp_transport::DiskFile;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a new file has.
struct Copied {
    totals: Totals,
    len: u64,
}

// === impl Log ===

impl Log {
    /// Writes the segments anew of which less than a quarter is unsettled, and which are not being written; damaged segments stay
    /// as they are. Returns the number of bytes by which the log is smaller.
    ///
    /// # Errors
    /// If a file cannot be read or written; the log is as before, but for segments that were written anew already.
    pub(in crate::queue::disk) fn compact(&self) -> io::Result<u64> {
        let _compaction = self.compaction.lock();
        let settled = self.settled_by_all();
        let candidates = self.candidates(&settled);
        if candidates.is_empty() {
            return Ok(0);
        }
        self.checkpoint(true)?;
        let (mut freed, mut failure) = (0, None);
        for (segment, unsettled) in candidates {
            let compacted = self.compact_segment(&segment, &settled);
            if !matches!(compacted, Ok(bytes) if bytes > 0) {
                // There may be none.
                let _ = self.disk.remove(&self.directory.join(segment.name.new_file()));
            }
            match compacted {
                Ok(bytes) => freed += bytes,
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return Err(error),
                Err(error) => failure = failure.or(Some(error)),
            }
            if let Some(indexed) = self.index.lock().named(&segment.name) {
                indexed.compact_below = unsettled / 2;
            }
        }
        failure.map_or(Ok(freed), Err)
    }

    /// Writes a segment anew. Returns the bytes that this frees.
    fn compact_segment(&self, segment: &Segment, settled: &Ranges) -> io::Result<u64> {
        let copied = self.copy(segment, settled)?;
        copied.map_or(Ok(0), |copied| self.replace(segment, copied))
    }

    fn settled_by_all(&self) -> Ranges {
        let (mut settled, all) = (Ranges::default(), 0..self.next());
        settled.insert(all.clone());
        for cursor in &self.cursors {
            let unsettled = cursor.lock().settled().gaps(all.clone());
            unsettled.into_iter().for_each(|range| settled.remove(range));
        }
        settled
    }

    /// Returns the segments that may be worth it, and the number of their unsettled records. Their bytes are known when the segment
    /// is read.
    fn candidates(&self, settled: &Ranges) -> Vec<(Segment, u64)> {
        let active = self.writer.lock().active();
        let index = self.index.lock();
        let mut candidates = Vec::new();
        for Indexed { segment, left, damaged, is_unsure, compact_below } in &index.segments {
            let unsettled: u64 = settled.gaps(segment.range()).iter().map(|gap| gap.end - gap.start).sum();
            let left_bytes = |left: &Vec<_>| left.iter().map(|left: &super::Left| left.bytes).sum::<u64>();
            let most_bytes = left.iter().map(left_bytes).max().unwrap_or_default();
            let is_worth_it = unsettled.saturating_mul(WORTH) < segment.totals.records()
                || most_bytes.saturating_mul(WORTH) < segment.len;
            if Some(segment.name) != active
                && damaged.is_empty()
                && !is_unsure
                && (1..*compact_below).contains(&unsettled)
                && is_worth_it
            {
                candidates.push((segment.clone(), unsettled));
            }
        }
        candidates
    }

    /// Copies the records that are not settled to a new file; `None` if these are too many, or the segment is damaged.
    fn copy(&self, segment: &Segment, settled: &Ranges) -> io::Result<Option<Copied>> {
        let name = segment.name;
        let old = self.disk.open(&self.directory.join(name.file()))?.into();
        let mut scanner = Scanner { file: old, nonce: name.nonce, offset: 0 };
        let new = self.directory.join(name.new_file());
        match self.disk.remove(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let new: Arc<dyn DiskFile> = self.disk.open(&new)?.into();
        let (mut totals, mut len) = (Totals::none(name.first), 0);
        while scanner.offset < segment.len {
            let mut records = Vec::new();
            for found in scanner.read(segment.len, READ_BYTES)? {
                let Found::Record(record) = found else { return Ok(None) };
                if record.header.kind == Kind::Summary || settled.contains(record.header.sequence) {
                    continue;
                }
                let pipeline = Properties::decode(&record.properties).unwrap_or_default().pipeline.into();
                totals.add(&record.header, &pipeline);
                len += record.raw.len() as u64;
                records.push(record.raw);
            }
            if len.saturating_mul(WORTH) >= segment.len {
                return Ok(None);
            }
            if !records.is_empty() {
                new.append(&records.iter().map(|record| IoSlice::new(record)).collect::<Vec<_>>())?;
            }
        }
        totals.next = segment.totals.next;
        append(&*new, &totals.encode(name.nonce, name.first))?;
        new.sync()?;
        Ok(Some(Copied { totals, len }))
    }

    /// Gives the new file the name of the old. Returns the bytes that this frees; 0 if the segment has left the log.
    fn replace(&self, segment: &Segment, copied: Copied) -> io::Result<u64> {
        let (from, to) = (segment.name.new_file(), segment.name.file());
        {
            // Readers look into the index before and after they open a file: they get the old one, or begin anew.
            let mut index = self.index.lock();
            let Some(indexed) = index.named(&segment.name) else { return Ok(0) };
            self.disk.rename(&self.directory.join(from), &self.directory.join(to))?;
            indexed.segment.len = copied.len;
            indexed.segment.edition += 1;
            indexed.segment.totals = copied.totals;
        }
        if self.disk.sync_directory(&self.directory).is_err() {
            // A power cut may bring back the old file, which has the same records and more.
            self.counters.failed_syncs.fetch_add(1, Ordering::Relaxed);
        }
        Ok(segment.len - copied.len)
    }
}

/// A segment is written anew if less than one byte in so many is unsettled.
const WORTH: u64 = 4;
const READ_BYTES: usize = 1 << 20;
