//! The position of a reader: the numbers of the records that it has settled, on disk in two files.
//!
//! `NAME.cursor` has all of them at one time, under a checksum; it is replaced as a whole. `NAME-GENERATION.acks` has those settled
//! since, an entry each; an entry is written when the record is settled, without waiting for the device. A crash of the process
//! keeps the entries, a power cut may lose some: their records are delivered again.

use super::ranges::Ranges;
use super::record::{MAX_NUMBER, after, u32_at, u64_at};
use super::segment::append;
use otlp_transport::{Disk, DiskFile, replace_file};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The position of a reader.
#[derive(Debug)]
pub(super) struct Cursor {
    name: String,
    settled: Ranges,
    /// The newest journal; `None` if it cannot be written.
    journal: Option<Arc<dyn DiskFile>>,
    generation: u64,
    /// Generations of all journals in the directory.
    journals: Vec<u64>,
    /// Entries in the newest journal.
    entries: u64,
    /// Entries that could not be written.
    unwritten: u64,
    /// A checkpoint has begun and not ended: the newest journal may have entries from before.
    is_pending: bool,
}

/// What is to be written for a checkpoint.
#[derive(Debug)]
pub(super) struct Checkpoint {
    path: PathBuf,
    content: Vec<u8>,
    /// Journals whose entries are in the content.
    obsolete: Vec<u64>,
    /// Numbers in the content that no journal has.
    unwritten: u64,
}

// === impl Cursor ===

impl Cursor {
    /// Reads the position of a reader from the files of a directory. Returns true if a file was damaged: records may be delivered
    /// again. The first checkpoint starts a journal.
    pub(super) fn load(
        disk: &dyn Disk,
        directory: &Path,
        name: &str,
        files: &[(String, u64)],
    ) -> (Self, bool) {
        let mut cursor = Self {
            name: name.into(),
            settled: Ranges::default(),
            journal: None,
            generation: 0,
            journals: Vec::new(),
            entries: 0,
            unwritten: 0,
            is_pending: false,
        };
        let mut is_sound = true;
        let read = |file: &str| {
            let path = directory.join(file);
            let read = || disk.read(&path, MAX_FILE_BYTES);
            // What is not read now is written over: all records of the log would be delivered again.
            read().or_else(|_| read()).or_else(|_| read())
        };
        if files.iter().any(|(file, _)| *file == cursor.file()) {
            is_sound &= read(&cursor.file()).is_ok_and(|content| cursor.decode(&content).is_some());
        }
        for (file, _) in files {
            let Some(generation) = cursor.generation_of(file) else { continue };
            is_sound &= read(file).is_ok_and(|journal| cursor.replay(&journal));
            cursor.generation = cursor.generation.max(generation);
            cursor.journals.push(generation);
        }
        (cursor, !is_sound)
    }

    /// Returns the numbers that are settled.
    pub(super) fn settled(&self) -> &Ranges {
        &self.settled
    }

    /// Adds numbers that need no entry: no segment has their records.
    pub(super) fn skip(&mut self, range: Range<u64>) {
        self.settled.insert(range);
    }

    /// Adds settled numbers, and writes an entry. Returns false if it could not be written: the next checkpoint has the numbers.
    pub(super) fn settle(&mut self, range: Range<u64>) -> bool {
        self.settled.insert(range.clone());
        let mut entry = [range.start.to_le_bytes(), range.end.to_le_bytes()].concat();
        entry.extend_from_slice(&crc32c::crc32c(&entry).to_le_bytes());
        let Some(journal) = self.journal.as_ref().filter(|_| self.entries < MOST_ENTRIES) else {
            self.unwritten += 1;
            return false;
        };
        if append(&**journal, &entry).is_err() {
            // A part of an entry would hide those behind it.
            self.unwritten += 1;
            self.journal = None;
            return false;
        }
        self.entries += 1;
        true
    }

    /// True if the journal is long, or lacks entries; or, if `all`, has any.
    pub(super) fn wants_checkpoint(&self, all: bool) -> bool {
        let most = if all { 1 } else { MAX_ENTRIES };
        self.entries >= most || self.unwritten > 0 || self.is_pending || self.journal.is_none()
    }

    /// Starts a journal, and returns what is to be written of the numbers before it. After a checkpoint that could not be written,
    /// the journal stays: while the disk is full, there must not be more and more of them.
    pub(super) fn checkpoint(&mut self, disk: &dyn Disk, directory: &Path) -> io::Result<Checkpoint> {
        if !self.is_pending || self.journal.is_none() {
            // The entries go on in the next journal while the numbers before them are written.
            let generation = after(self.generation);
            let journal = disk.open(&directory.join(self.journal_of(generation)))?;
            self.journal = Some(journal.into());
            self.generation = generation;
            self.journals.push(self.generation);
            self.entries = 0;
        }
        self.is_pending = true;
        let mut obsolete = self.journals.clone();
        obsolete.retain(|generation| *generation != self.generation);
        let path = directory.join(self.file());
        Ok(Checkpoint { path, content: self.encode(), obsolete, unwritten: self.unwritten })
    }

    /// Ends a checkpoint that the device has: removes the journals whose entries are in it.
    pub(super) fn written(&mut self, disk: &dyn Disk, directory: &Path, checkpoint: &Checkpoint) {
        self.is_pending = false;
        self.unwritten -= checkpoint.unwritten;
        for generation in &checkpoint.obsolete {
            match disk.remove(&directory.join(self.journal_of(*generation))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {}
                _ => self.journals.retain(|known| known != generation),
            }
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut content = self.generation.to_le_bytes().to_vec();
        for range in self.settled.iter() {
            content.extend_from_slice(&range.start.to_le_bytes());
            content.extend_from_slice(&range.end.to_le_bytes());
        }
        let checksum = crc32c::crc32c(&content).to_le_bytes();
        [&MAGIC[..], &checksum, &content].concat()
    }

    fn decode(&mut self, content: &[u8]) -> Option<()> {
        let rest = content.strip_prefix(&MAGIC)?;
        let ranges = rest.get(12..)?;
        if u32_at(rest, 0)? != crc32c::crc32c(&rest[4..]) {
            return None;
        }
        let generation = u64_at(rest, 4)?.min(MAX_NUMBER);
        let ranges: Vec<_> = ranges.chunks_exact(16).map(range).collect::<Option<_>>()?;
        self.generation = generation;
        ranges.into_iter().for_each(|range| self.settled.insert(range));
        Some(())
    }

    /// Adds the entries of a journal. Returns false if some are damaged.
    fn replay(&mut self, journal: &[u8]) -> bool {
        let mut is_sound = true;
        for entry in journal.chunks_exact(ENTRY_BYTES) {
            match (range(entry), u32_at(entry, 16)) {
                (Some(range), Some(checksum)) if checksum == crc32c::crc32c(&entry[..16]) => {
                    self.settled.insert(range);
                }
                _ => is_sound = false,
            }
        }
        is_sound
    }

    fn file(&self) -> String {
        format!("{}.cursor", self.name)
    }

    fn journal_of(&self, generation: u64) -> String {
        format!("{}-{generation:08x}.acks", self.name)
    }

    fn generation_of(&self, file: &str) -> Option<u64> {
        let generation = file.strip_prefix(&*self.name)?.strip_prefix('-')?.strip_suffix(".acks")?;
        u64::from_str_radix(generation, 16).ok().filter(|generation| *generation <= MAX_NUMBER)
    }
}

// === impl Checkpoint ===

impl Checkpoint {
    /// Writes the numbers, and waits until the device has them.
    pub(super) fn write(&self, disk: &dyn Disk) -> io::Result<()> {
        replace_file(disk, &self.path, &self.content)
    }
}

/// Decodes a range of numbers; `None` if they cannot be those of records.
fn range(bytes: &[u8]) -> Option<Range<u64>> {
    let range = u64_at(bytes, 0)?..u64_at(bytes, 8)?;
    (range.start <= range.end && range.end <= MAX_NUMBER).then_some(range)
}

const MAGIC: [u8; 4] = *b"OQC1";
/// Start, end, checksum.
const ENTRY_BYTES: usize = 20;
/// 80 KiB.
const MAX_ENTRIES: u64 = 4096;
/// 20 MB, while checkpoints fail.
const MOST_ENTRIES: u64 = 1 << 20;
/// Of a cursor, whose ranges are as many as batches being sent, and of a journal.
const MAX_FILE_BYTES: u64 = 64 << 20;
