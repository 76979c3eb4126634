//! Open files and locks.

use super::DiskOperation;
use super::faults::unreadable;
use super::state::State;
use crate::disk::{DiskFile, DiskLock};
use parking_lot::Mutex;
use std::fmt;
use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::Arc;

/// A file, which keeps its bytes while it is open, whatever happens to its name.
pub(super) struct OpenFile {
    pub(super) disk: Arc<Mutex<State>>,
    pub(super) file: u64,
    /// The path that it was opened by.
    pub(super) path: PathBuf,
}

pub(super) struct Lock {
    pub(super) disk: Arc<Mutex<State>>,
    pub(super) file: u64,
}

// === impl OpenFile ===

impl DiskFile for OpenFile {
    fn append(&self, parts: &[IoSlice<'_>]) -> io::Result<()> {
        self.disk.lock().append(self.file, &self.path, parts)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.lock().sync(self.file, &self.path)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let detail = format!("{} at {offset}", buffer.len());
        self.disk.lock().run(DiskOperation::Read, &[&self.path], detail, |state, _| {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let rest = state.content(self.file).now.get(start..).unwrap_or_default();
            let read = rest.len().min(buffer.len());
            if state.faults.is_unreadable(&self.path, &(offset..offset.saturating_add(read as u64))) {
                return Err(unreadable());
            }
            buffer[..read].copy_from_slice(&rest[..read]);
            Ok(read)
        })
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.disk.lock().truncate(self.file, &self.path, len)
    }

    fn len(&self) -> io::Result<u64> {
        let state = self.disk.lock();
        state.alive().map(|()| state.content(self.file).now.len() as u64)
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        self.disk.lock().closed(self.file);
    }
}

impl fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenFile").field("path", &self.path).finish_non_exhaustive()
    }
}

// === impl Lock ===

impl DiskLock for Lock {}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut disk = self.disk.lock();
        disk.locks.remove(&self.file);
        disk.closed(self.file);
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}
