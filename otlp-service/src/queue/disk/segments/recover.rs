//! Opens a log: finds the segments, cuts what a crash left half written, and reads the cursors. Complete segments are not read but
//! for their last record; so the time is that of the number of segments. A segment of which a reader has settled a part is read.
//!
//! Damage is no error, nor is a disk that cannot be written: what would be cut or removed stays, and is cut at the next open. Bytes
//! that cannot be read stay as they are, with all the numbers that their records may have.

use super::aside::Aside;
use super::writer::{Writer, add};
use super::{Counters, Index, Indexed, Log};
use crate::queue::disk::cursor::Cursor;
use crate::queue::disk::properties::Properties;
use crate::queue::disk::record::{HEADER_BYTES, Kind, after};
use crate::queue::disk::scan::{Found, Scanner};
use crate::queue::disk::segment::{Left, Name, Segment, Totals};
use otlp_transport::{Disk, DiskFile};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What was found in a log that was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::queue::disk) struct Recovery {
    /// What each reader has left, by pipeline.
    pub(in crate::queue::disk) left: Vec<Vec<Left>>,
    /// A cursor was damaged: records may be delivered again.
    pub(in crate::queue::disk) is_cursor_damaged: bool,
}

// === impl Log ===

impl Log {
    /// Opens the log in a directory, which is made if there is none. `readers` are the names of its cursors; `seed` is random.
    ///
    /// # Errors
    /// If the directory cannot be made or listed, if a file cannot be opened, or of kind
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if the log is open already. Damage is no error.
    pub(in crate::queue::disk) fn open(
        disk: Arc<dyn Disk>,
        directory: &Path,
        readers: &[&str],
        segment_bytes: u64,
        seed: u64,
    ) -> io::Result<(Arc<Self>, Recovery)> {
        disk.create_directory(directory)?;
        // The names of new directories are in those above, which this process may have no right to open.
        for above in directory.ancestors().skip(1).take(MAX_NEW_DIRECTORIES) {
            let _ = disk.sync_directory(above);
        }
        let lock = disk.lock(&directory.join(LOCK))?;
        let files = disk.list(directory)?;
        for (file, _) in files.iter().filter(|(file, _)| Name::is_new(file)) {
            // A file that stays is replaced by the next that gets its name.
            let _ = disk.remove(&directory.join(file));
        }
        let mut recovery = Recovery::default();
        let mut cursors = Vec::with_capacity(readers.len());
        for reader in readers {
            let (cursor, is_damaged) = Cursor::load(&*disk, directory, reader, &files);
            recovery.is_cursor_damaged |= is_damaged;
            cursors.push(cursor);
        }
        let names = names(&files);
        let (counters, mut aside) = (Counters::default(), Aside::find(&files));
        let ordinal = names.iter().map(|(name, _)| after(name.ordinal)).max().unwrap_or_default();
        let ordinal = ordinal.max(aside.ordinal);
        let mut opening =
            Opening { disk: &*disk, directory, counters: &counters, aside: &mut aside, cursors: &cursors };
        let (segments, settled) = opening.segments(&names)?;
        let next = next(&segments, &cursors, recovery.is_cursor_damaged);
        let missing = skip_missing(&segments, &mut cursors, next);
        if !recovery.is_cursor_damaged {
            counters.damaged_records.fetch_add(missing, Ordering::Relaxed);
        }
        for reader in 0..cursors.len() {
            let mut sums = Vec::new();
            segments.iter().for_each(|indexed| add(&mut sums, &indexed.left[reader]));
            sums.retain(|left: &Left| left.records > 0);
            recovery.left.push(sums);
        }
        let log = Self {
            disk,
            directory: directory.into(),
            segment_bytes,
            index: Mutex::new(Index { segments, next }),
            writer: Mutex::new(Writer::new(ordinal, fastrand::Rng::with_seed(seed))),
            cursors: cursors.into_iter().map(Mutex::new).collect(),
            checkpoints: Mutex::new(()),
            compaction: Mutex::new(()),
            leftovers: Mutex::default(),
            aside: Mutex::new(aside),
            counters,
            _lock: lock,
        };
        // The old journals are complete now: entries go to a new one. On a disk that is full, what is stored is delivered all the
        // same, and the cursors are written when there is room.
        let _ = log.checkpoint(true);
        for name in settled {
            // A file that stays is removed by the next open.
            let _ = log.disk.remove(&log.directory.join(name.file()));
        }
        Ok((Arc::new(log), recovery))
    }
}

/// Returns the segments in the order of their records, with their lengths.
fn names(files: &[(String, u64)]) -> Vec<(Name, u64)> {
    let mut names: Vec<_> = files.iter().filter_map(|(file, len)| Some((Name::parse(file)?, *len))).collect();
    names.sort_unstable_by_key(|(name, _)| (name.first, name.ordinal));
    names
}

/// Returns the number of the next record: greater than those of all records, and than all settled numbers.
fn next(segments: &VecDeque<Indexed>, cursors: &[Cursor], is_cursor_damaged: bool) -> u64 {
    let settled = cursors.iter().map(|cursor| cursor.settled().end()).max().unwrap_or_default();
    let next = segments.back().map_or(0, |last| last.segment.totals.next).max(settled);
    // The settled numbers that cannot be read now must not be those of new records.
    if is_cursor_damaged { next + UNKNOWN_NUMBERS } else { next }
}

/// Adds the numbers before `next` that no segment has to the cursors. Returns how many between segments were not settled.
fn skip_missing(segments: &VecDeque<Indexed>, cursors: &mut [Cursor], next: u64) -> u64 {
    let (mut from, mut missing) = (0, 0);
    let ranges = segments.iter().map(|indexed| indexed.segment.range()).chain(std::iter::once(next..next));
    for range in ranges {
        let unsettled = |cursor: &Cursor| -> u64 {
            cursor.settled().gaps(from..range.start).iter().map(|gap| gap.end - gap.start).sum()
        };
        if from > 0 {
            missing += cursors.iter().map(unsettled).max().unwrap_or_default();
        }
        cursors.iter_mut().for_each(|cursor| cursor.skip(from..range.start));
        from = range.end;
    }
    missing
}

struct Opening<'a> {
    disk: &'a dyn Disk,
    directory: &'a Path,
    counters: &'a Counters,
    aside: &'a mut Aside,
    cursors: &'a [Cursor],
}

/// What was found in the file of a segment.
struct Scanned {
    totals: Totals,
    /// What each reader has left.
    left: Vec<Totals>,
    /// Length up to the last record.
    len: u64,
    /// Length with the sums behind the records, if these are sound.
    complete_len: u64,
    /// The end of the last bytes that could not be read.
    unread_end: u64,
}

impl Scanned {
    /// True if there may be records behind the last one that was read.
    fn is_unsure(&self) -> bool {
        self.unread_end > self.len
    }
}

impl Opening<'_> {
    /// Finds the segments with records that a reader has left, and the others. These are removed once the device has the cursors: a
    /// segment that is missing was settled, or is lost.
    fn segments(&mut self, names: &[(Name, u64)]) -> io::Result<(VecDeque<Indexed>, Vec<Name>)> {
        let (mut segments, mut settled) = (VecDeque::with_capacity(names.len()), Vec::new());
        for (place, (name, len)) in names.iter().enumerate() {
            // A segment that was given up ends where a later one begins.
            let end = names.get(place + 1).map_or(u64::MAX, |(later, _)| later.first);
            let indexed = if name.first < end { self.segment(name, *len, end)? } else { None };
            match indexed {
                Some(indexed) => segments.push_back(indexed),
                None => settled.push(*name),
            }
        }
        Ok((segments, settled))
    }

    /// Opens a segment; `None` if no reader has left anything of it.
    fn segment(&mut self, name: &Name, len: u64, end: u64) -> io::Result<Option<Indexed>> {
        let file: Arc<dyn DiskFile> = self.disk.open(&self.directory.join(name.file()))?.into();
        // Sums that cannot be read are those of a segment that is not complete.
        let summary = Totals::read(&*file, name, len).unwrap_or_default();
        let (totals, len, scanned) = match summary.filter(|(totals, _)| totals.next <= end) {
            Some((totals, len)) => (totals, len, None),
            None => {
                let scanned = self.scan(&file, name, len, end);
                let sound = self.cut(name, &*file, len, &scanned);
                let mut totals = scanned.totals.clone();
                if scanned.is_unsure() {
                    // Each of the bytes that could not be read may be a part of a record.
                    let most = (len - scanned.len).div_ceil(HEADER_BYTES as u64);
                    totals.next = totals.next.saturating_add(most).min(end);
                }
                (totals, sound, Some(scanned))
            }
        };
        let is_incomplete = scanned.is_some();
        let range = name.first..totals.next;
        if self.cursors.iter().all(|cursor| cursor.settled().covers(&range)) {
            return Ok(None);
        }
        let is_partial = |cursor: &Cursor| {
            let settled = cursor.settled();
            settled.meets(&range) && !settled.covers(&range)
        };
        let scanned = match scanned {
            None if self.cursors.iter().any(is_partial) => Some(self.scan(&file, name, len, end)),
            scanned => scanned,
        };
        let mut left = Vec::with_capacity(self.cursors.len());
        for (reader, cursor) in self.cursors.iter().enumerate() {
            left.push(match (cursor.settled(), &scanned) {
                (settled, _) if settled.covers(&range) => Vec::new(),
                (_, Some(scanned)) => scanned.left[reader].left.clone(),
                (_, None) => totals.left.clone(),
            });
        }
        let is_unsure = is_incomplete && scanned.is_some_and(|scanned| scanned.is_unsure());
        let segment = Segment { name: *name, len, edition: 0, totals };
        Ok(Some(Indexed { is_unsure, ..Indexed::new(segment, left) }))
    }

    /// Reads all records before `end`.
    fn scan(&self, file: &Arc<dyn DiskFile>, name: &Name, len: u64, end: u64) -> Scanned {
        let none = Totals::none(name.first);
        let left = vec![none.clone(); self.cursors.len()];
        let mut scanned = Scanned { totals: none, left, len: 0, complete_len: 0, unread_end: 0 };
        let mut scanner = Scanner { file: file.clone(), nonce: name.nonce, offset: 0 };
        while scanner.offset < len {
            let found = scanner.read(len, READ_BYTES);
            for found in found.unwrap_or_else(|_| scanner.read_around(len, READ_BYTES)) {
                match found {
                    Found::Damage(damage) if damage.is_unread => scanned.unread_end = damage.bytes.end,
                    Found::Damage(_) => {}
                    Found::Record(record) if record.header.kind == Kind::Summary => {
                        scanned.complete_len = record.bytes.end;
                    }
                    Found::Record(record) => {
                        let sequence = record.header.sequence;
                        if !(scanned.totals.next..end).contains(&sequence) {
                            continue;
                        }
                        let properties = Properties::decode(&record.properties).unwrap_or_default();
                        let pipeline = properties.pipeline.into();
                        scanned.totals.add(&record.header, &pipeline);
                        for (cursor, left) in self.cursors.iter().zip(&mut scanned.left) {
                            if !cursor.settled().contains(sequence) {
                                left.add(&record.header, &pipeline);
                            }
                        }
                        scanned.len = record.bytes.end;
                    }
                }
            }
        }
        scanned
    }

    /// Cuts what is behind the last record, which was being written in a crash, or is damaged. Returns the length that may have
    /// records.
    fn cut(&mut self, name: &Name, file: &dyn DiskFile, len: u64, scanned: &Scanned) -> u64 {
        if scanned.is_unsure() {
            return len;
        }
        let is_complete = scanned.complete_len == len;
        if scanned.len < len && !is_complete {
            let torn = scanned.len..len;
            self.counters.torn_bytes.fetch_add(torn.end - torn.start, Ordering::Relaxed);
            let kept = self.aside.keep(self.disk, self.directory, name, file, torn).unwrap_or_default();
            self.counters.kept_bytes.fetch_add(kept, Ordering::Relaxed);
            // The length in the index is what counts.
            let _ = file.truncate(scanned.len);
        }
        // What was written before a crash of the process may not be on the device yet. It was not answered, and is not lost sooner
        // than with the sync.
        if file.sync().is_err() {
            self.counters.failed_syncs.fetch_add(1, Ordering::Relaxed);
        }
        scanned.len
    }
}

pub(in crate::queue::disk) const LOCK: &str = "lock";
const READ_BYTES: usize = 1 << 20;
/// Signal, exporter, and two of the configured path.
const MAX_NEW_DIRECTORIES: usize = 4;
/// More than records can be stored between two starts: five years of 100,000 each second.
const UNKNOWN_NUMBERS: u64 = 1 << 44;
