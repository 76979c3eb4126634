//! Damaged bytes are copied to files of their own before they are skipped or cut: a person may find something in them.
//!
//! A file `damaged-ORDINAL-OFFSET` has bytes of the segment of that ordinal, from that offset on. The first 16 MiB are kept; to make
//! room, remove files, and open the log again.

use super::Log;
use crate::queue::disk::record::{MAX_NUMBER, after};
use crate::queue::disk::segment::Name;
use otlp_transport::{Disk, DiskFile};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::Ordering;

/// The files with damaged bytes.
#[derive(Debug, Default)]
pub(super) struct Aside {
    bytes: u64,
    files: u64,
    /// Greater than the ordinals in the names of the files.
    pub(super) ordinal: u64,
}

// === impl Aside ===

impl Aside {
    /// Finds the files among those of the directory.
    pub(super) fn find(files: &[(String, u64)]) -> Self {
        let mut aside = Self::default();
        for (file, len) in files {
            let Some(ordinal) = ordinal_of(file) else { continue };
            aside.bytes += len;
            aside.files += 1;
            aside.ordinal = aside.ordinal.max(after(ordinal));
        }
        aside
    }

    /// Copies bytes of a segment, as many as there is room for. Returns their number; 0 if they were copied before, or are zeros.
    pub(super) fn keep(
        &mut self,
        disk: &dyn Disk,
        directory: &Path,
        name: &Name,
        file: &dyn DiskFile,
        bytes: Range<u64>,
    ) -> io::Result<u64> {
        let len = (bytes.end - bytes.start).min(MAX_BYTES.saturating_sub(self.bytes));
        if len == 0 || self.files >= MAX_FILES {
            return Ok(0);
        }
        let mut content = vec![0; usize::try_from(len).unwrap_or_default()];
        let read = file.read_at(bytes.start, &mut content)?;
        content.truncate(read);
        if content.iter().all(|byte| *byte == 0) {
            return Ok(0);
        }
        let path = directory.join(format!("{PREFIX}{:08x}-{:016x}", name.ordinal, bytes.start));
        match disk.write_new(&path, &content) {
            Ok(()) => {
                self.bytes += read as u64;
                self.files += 1;
                Ok(read as u64)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(0),
            Err(error) => {
                // A part of the bytes is not worth its place on a disk that is full.
                let _ = disk.remove(&path);
                Err(error)
            }
        }
    }
}

// === impl Log ===

impl Log {
    /// Counts damaged bytes of a segment, once however often they are read, and copies them.
    pub(super) fn set_aside(&self, name: &Name, file: &dyn DiskFile, bytes: Range<u64>) {
        let fresh = {
            let mut index = self.index.lock();
            let Some(indexed) = index.named(name) else { return };
            let fresh = indexed.damaged.gaps(bytes.clone());
            indexed.damaged.insert(bytes);
            fresh
        };
        for bytes in fresh {
            self.counters.damaged_bytes.fetch_add(bytes.end - bytes.start, Ordering::Relaxed);
            let kept = self.aside.lock().keep(&*self.disk, &self.directory, name, file, bytes);
            // What cannot be copied is counted all the same.
            self.counters.kept_bytes.fetch_add(kept.unwrap_or_default(), Ordering::Relaxed);
        }
    }
}

fn ordinal_of(file: &str) -> Option<u64> {
    let (ordinal, _) = file.strip_prefix(PREFIX)?.split_once('-')?;
    u64::from_str_radix(ordinal, 16).ok().filter(|ordinal| *ordinal <= MAX_NUMBER)
}

const PREFIX: &str = "damaged-";
const MAX_BYTES: u64 = 16 << 20;
/// Damage may be in many small places.
const MAX_FILES: u64 = 1024;
