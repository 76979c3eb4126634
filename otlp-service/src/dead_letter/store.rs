//! The files of one exporter in its directory: the newest of each signal is written, the oldest is deleted when all together would
//! be larger than the limit. Calls block.
//!
//! Files are opened for each group of letters. So files can be moved away at any time: the next letter begins another file.

use super::DeadLetterConfig;
use super::letter::{Letter, items_of};
use super::name::{Names, Stem};
use super::segment::{Extent, Segment, bytes_of};
use otlp_protocol::Signal;
use otlp_transport::Disk;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The files of one exporter.
#[derive(Debug)]
pub(super) struct Store {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    names: Names,
    max_bytes: u64,
    /// Lengths of all files of the exporter, the oldest first.
    files: BTreeMap<Stem, u64>,
    /// The files that are written, by the name of their signal.
    current: BTreeMap<&'static str, (Stem, Extent)>,
    /// Items in files that were deleted since the last call of [`take_deleted`](Self::take_deleted).
    deleted_items: u64,
}

/// Outcome of a letter: an error has the path.
pub(super) type Outcome = Result<(), String>;

// === impl Store ===

impl Store {
    /// Makes the directory, unless it exists, and checks that files can be written there.
    ///
    /// # Errors
    /// If the directory cannot be made, written or read, with its path.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        exporter: &str,
        config: DeadLetterConfig,
    ) -> Result<Self, String> {
        let DeadLetterConfig { directory, max_bytes } = config;
        let names = Names::new(exporter);
        let failed =
            |what: &str, error: io::Error| format!("cannot {what} `{}`: {error}", directory.display());
        disk.create_directory(&directory).map_err(|error| failed("make the directory", error))?;
        let probe = directory.join(names.probe(fastrand::u128(..)));
        let written = disk.write_new(&probe, b"");
        let removed = disk.remove(&probe);
        written.and(removed).map_err(|error| failed("write to the directory", error))?;
        let mut store = Self {
            disk,
            directory: directory.clone(),
            names,
            max_bytes,
            files: BTreeMap::new(),
            current: BTreeMap::new(),
            deleted_items: 0,
        };
        store.scan()?;
        Ok(store)
    }

    /// Returns the length of all files, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.files.values().sum()
    }

    /// Returns the number of items in deleted files since the last call.
    pub(super) fn take_deleted(&mut self) -> u64 {
        std::mem::take(&mut self.deleted_items)
    }

    /// Writes letters, and waits until the device has them. Returns the outcomes in order.
    pub(super) fn write(&mut self, letters: &[Letter], now: SystemTime) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = letters.iter().map(|_| Ok(())).collect();
        for signal in Signal::ALL {
            let of_signal = letters.iter().enumerate().filter(|(_, letter)| letter.batch.signal() == signal);
            let mut open = None;
            let mut unsynced = Vec::new();
            for (index, letter) in of_signal {
                let size = bytes_of(letter);
                if open.as_ref().is_some_and(|open: &Segment| self.is_full(open.extent, size)) {
                    self.close(signal, open.take(), &mut unsynced, &mut outcomes);
                }
                match self.append(signal, &mut open, letter, size, now) {
                    Ok(()) => unsynced.push(index),
                    Err(error) => {
                        outcomes[index] = Err(error);
                        // Its length is not certain any more: the next letter begins another file.
                        self.close(signal, open.take(), &mut unsynced, &mut outcomes);
                        self.current.remove(signal.name);
                    }
                }
            }
            self.close(signal, open, &mut unsynced, &mut outcomes);
        }
        outcomes
    }

    /// Appends a letter to the open file of its signal, or to another that is opened.
    fn append(
        &mut self,
        signal: Signal,
        open: &mut Option<Segment>,
        letter: &Letter,
        size: u64,
        now: SystemTime,
    ) -> Outcome {
        if size > self.max_bytes {
            return Err(format!("a request of {size} bytes is larger than max_bytes ({})", self.max_bytes));
        }
        self.make_room(size)?;
        let segment = match open.take() {
            Some(segment) => segment,
            None => self.segment(signal, size, now)?,
        };
        let segment = open.insert(segment);
        let appended = segment.append(letter);
        self.files.insert(segment.stem.clone(), segment.extent.bytes());
        appended.map_err(|error| self.error("write", segment.stem.requests(), &error))
    }

    /// Opens the file that the next letter of a signal is appended to.
    fn segment(&mut self, signal: Signal, size: u64, now: SystemTime) -> Result<Segment, String> {
        if let Some((stem, extent)) =
            self.current.remove(signal.name).filter(|(_, at)| !self.is_full(*at, size))
        {
            let reopened = Segment::reopen(&*self.disk, &self.directory, stem.clone(), extent);
            let reopened = reopened.map_err(|error| self.error("open", stem.requests(), &error))?;
            if let Some(segment) = reopened {
                return Ok(segment);
            }
        }
        self.scan()?;
        let mut time = now;
        for _ in 0..MAX_NAMES {
            let stem = self.names.stem(signal, time);
            let created = Segment::create(&*self.disk, &self.directory, stem.clone());
            match created.map_err(|error| self.error("make", stem.requests(), &error))? {
                Some(segment) => return Ok(segment),
                None => time += Duration::from_millis(1),
            }
        }
        let name = self.names.stem(signal, now).requests();
        Err(self.error("make", name, &"there are such files for this time and the times after it"))
    }

    /// Waits until the device has the letters `unsynced`, and keeps the place at which the next letter is appended.
    fn close(
        &mut self,
        signal: Signal,
        open: Option<Segment>,
        unsynced: &mut Vec<usize>,
        outcomes: &mut [Outcome],
    ) {
        let letters = std::mem::take(unsynced);
        let Some(segment) = open else { return };
        if segment.extent.is_empty() {
            // Nothing but the beginning of a file that could not be written.
            return self.discard(&segment.stem);
        }
        match segment.sync() {
            Ok(()) => drop(self.current.insert(signal.name, (segment.stem, segment.extent))),
            // After such an error nobody knows what the device has: the next letter begins another file.
            Err(error) => {
                let error = self.error("sync", segment.stem.requests(), &error);
                letters.into_iter().for_each(|index| outcomes[index] = Err(error.clone()));
            }
        }
    }

    /// Deletes the oldest files until `size` bytes more are within the limit.
    fn make_room(&mut self, size: u64) -> Outcome {
        if self.bytes() + size <= self.max_bytes {
            return Ok(());
        }
        // Files may have been moved away meanwhile.
        self.scan()?;
        while self.bytes() + size > self.max_bytes {
            let Some((stem, _)) = self.files.pop_first() else { break };
            self.current.retain(|_, (current, _)| *current != stem);
            let reasons = self.disk.read(&self.directory.join(stem.reasons()), MAX_REASONS_BYTES);
            for name in [stem.requests(), stem.reasons()] {
                match self.disk.remove(&self.directory.join(&name)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(self.error("delete", name, &error));
                    }
                    _ => {}
                }
            }
            self.deleted_items += items_of(&reasons.unwrap_or_default());
        }
        Ok(())
    }

    /// Removes files without letters.
    fn discard(&mut self, stem: &Stem) {
        self.files.remove(stem);
        for name in [stem.requests(), stem.reasons()] {
            drop(self.disk.remove(&self.directory.join(name)));
        }
    }

    /// Finds the files of the exporter, also those of an earlier run.
    fn scan(&mut self) -> Outcome {
        let mut files = BTreeMap::new();
        let listed = self.disk.list(&self.directory);
        let listed = listed.map_err(|error| self.error("read", String::new(), &error))?;
        for (name, bytes) in listed {
            if let Some(stem) = self.names.parse(&name) {
                *files.entry(stem).or_default() += bytes;
            }
        }
        self.files = files;
        Ok(())
    }

    /// True if a letter of `size` bytes would make a file with letters too large.
    fn is_full(&self, extent: Extent, size: u64) -> bool {
        let limit = (self.max_bytes / 8).min(MAX_SEGMENT_BYTES);
        !extent.is_empty() && extent.bytes() + size > limit
    }

    fn error(&self, what: &str, name: String, error: &dyn Display) -> String {
        format!("cannot {what} `{}`: {error}", self.directory.join(name).display())
    }
}

/// A file of this length is quickly inspected, sent and deleted.
const MAX_SEGMENT_BYTES: u64 = 16 << 20;
/// A file of reasons of letters of a few bytes each is many times as long as the letters.
const MAX_REASONS_BYTES: u64 = 256 << 20;
/// Files that begin within a millisecond: other processes may use the directory.
const MAX_NAMES: u32 = 1000;
