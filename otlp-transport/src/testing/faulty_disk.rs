//! A disk in memory that loses, tears and corrupts what real disks may.

mod content;
mod faults;
mod handle;
mod names;
mod operation;
mod record;
mod state;

pub use operation::DiskOperation;

use crate::disk::{Disk, DiskFile, DiskLock};
use faults::{Verdict, unreadable};
use handle::{Lock, OpenFile};
use names::{Entry, is_root};
use parking_lot::Mutex;
use state::State;
use std::fmt;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A disk in memory with the faults of real ones, for tests of what is written to files. Everything that is left to chance
/// follows from the seed: two runs of the same calls have the same [`trace`](Self::trace).
///
/// # What is durable
///
/// - Bytes and the length of a file, after [`DiskFile::sync`]. The name of the file is not.
/// - Names of the files and directories in a directory, as they are at [`Disk::sync_directory`]. A new directory has a name
///   too: sync the directory above.
/// - [`Disk::write_new`] syncs the bytes of the file, not its name.
///
/// The directories `/` and the empty path always exist. Paths are compared as they are written: `.` and `..` are names. Directories
/// cannot be renamed or removed.
///
/// # Crashes
///
/// [`crash`](Self::crash) returns the disk as found after a power cut, and [`kill`](Self::kill) after the end of the process.
/// The disk before, its files and locks give errors then. Both may be called again on the disk before, and return another
/// possible outcome. With [`crash_at`](Self::crash_at) a test stops a scenario at each of its changes:
///
/// ```
/// use otlp_transport::testing::FaultyDisk;
/// use otlp_transport::{Disk, replace_file};
/// use std::path::Path;
///
/// let path = Path::new("/state");
/// let scenario = |disk: &FaultyDisk| replace_file(disk, path, b"new");
/// let before = FaultyDisk::new(1);
/// replace_file(&before, path, b"old")?;
///
/// let whole = before.kill();
/// scenario(&whole)?;
/// for change in 1..=whole.changes() {
///     let disk = before.kill();
///     disk.crash_at(change);
///     let error = scenario(&disk).unwrap_err();
///     let found = disk.restart();
///     let bytes = found.read(path, 100)?;
///     assert!(bytes == b"old" || bytes == b"new", "{change}, {error}: {:#?}", found.trace());
/// }
/// # std::io::Result::Ok(())
/// ```
///
/// # Faults
///
/// An operation fails once ([`fail_next`](Self::fail_next), [`fail_at`](Self::fail_at)) or by chance
/// ([`fail_at_random`](Self::fail_at_random)), and reads of some bytes always ([`fail_reads`](Self::fail_reads)). A failed
/// append has written a part of its bytes. After a failed sync of a file its unsynced bytes can be read until the next power cut,
/// but never reach the device, while later syncs succeed; space for the bytes is kept, and is found as zeros. Any other operation
/// that fails changes nothing. The disk is full at [`set_capacity`](Self::set_capacity), and stored bytes change by
/// [`corrupt`](Self::corrupt).
#[derive(Clone)]
pub struct FaultyDisk(Arc<Mutex<State>>);

/// The fate of unsynced changes in a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Crash {
    /// All unsynced changes are lost.
    LoseUnsynced,
    /// All unsynced changes are kept.
    KeepUnsynced,
    /// Of each file, and of the names, the changes up to one of them are kept. An append that was cut off ends at a multiple of
    /// 512 bytes of the file. A rename that was cut off leaves both names.
    Torn,
    /// Changes reach the device in any order. Each 512 bytes of a file are as after one of its changes, and so is its length;
    /// what was never written reads as zeros. Each name is kept or forgotten; of a rename, both names may be there, but not
    /// none.
    Reordered,
    /// One of the others, for each file and for the names.
    Any,
}

// === impl FaultyDisk ===

impl FaultyDisk {
    /// Makes an empty disk without a limit and without faults.
    pub fn new(seed: u64) -> Self {
        Self::of(State::new(fastrand::Rng::with_seed(seed)))
    }

    /// Sets the capacity, in bytes of all files together; the capacity may also be less than what is stored already. An append
    /// beyond writes the part that fits, and fails with [`StorageFull`](io::ErrorKind::StorageFull).
    pub fn set_capacity(&self, bytes: u64) {
        self.0.lock().capacity = bytes;
    }

    /// Lets the next operation of this kind on a file or directory `under` a path fail; `""` is any path. Several calls let several
    /// operations fail.
    pub fn fail_next(&self, operation: DiskOperation, under: impl Into<PathBuf>) {
        self.0.lock().faults.next.push((operation, under.into()));
    }

    /// Lets one change fail, by its number as counted by [`changes`](Self::changes), the first being 1. Later operations work.
    pub fn fail_at(&self, change: u64) {
        self.0.lock().faults.fail_at.insert(change);
    }

    /// Lets each operation of this kind fail with a probability from 0 to 1; others keep theirs.
    pub fn fail_at_random(&self, operation: DiskOperation, probability: f64) {
        self.0.lock().faults.chances.insert(operation, probability);
    }

    /// Lets each read of some bytes of a file fail, by the path with which the file is opened, as on a device with bad blocks.
    pub fn fail_reads(&self, path: impl Into<PathBuf>, bytes: Range<u64>) {
        self.0.lock().faults.unreadable.push((path.into(), bytes));
    }

    /// Stops the disk at a change, by its number as counted by [`changes`](Self::changes), the first being 1. Nothing of this
    /// change, all, or, of an append, a part is done; the change and every later operation fail, until
    /// [`restart`](Self::restart), [`crash`](Self::crash) or [`kill`](Self::kill) return another disk.
    pub fn crash_at(&self, change: u64) {
        self.0.lock().faults.crash_at = Some(change);
    }

    /// Removes all faults that are set, and the crash point. The capacity stays.
    pub fn clear_faults(&self) {
        self.0.lock().faults = faults::Faults::default();
    }

    /// Flips one bit of a stored byte, synced or not.
    ///
    /// # Errors
    /// If there is no such file, or the file is not longer than `offset`.
    pub fn corrupt(&self, path: impl AsRef<Path>, offset: u64) -> io::Result<()> {
        self.0.lock().corrupt(path.as_ref(), offset)
    }

    /// Returns the bytes of a file as a program reads them now; not an operation, also works on a stopped disk.
    pub fn contents(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        self.0.lock().contents(path.as_ref())
    }

    /// Makes all files and names durable; not an operation.
    pub fn sync_all(&self) {
        self.0.lock().sync_all();
    }

    /// Returns the disk as found after a power cut. Its capacity, the probabilities of its faults and the bytes that cannot be
    /// read stay; one-time faults and counts do not.
    #[must_use = "the disk before the crash gives errors"]
    pub fn crash(&self, how: Crash) -> Self {
        Self::of(self.0.lock().crash(how))
    }

    /// Returns the disk after the end of the process: everything written is there, synced or not, and no file is locked.
    /// Otherwise as [`crash`](Self::crash).
    #[must_use = "the disk before the end of the process gives errors"]
    pub fn kill(&self) -> Self {
        Self::of(self.0.lock().kill())
    }

    /// [`crash`](Self::crash) with [`Crash::Any`].
    #[must_use = "the disk before the restart gives errors"]
    pub fn restart(&self) -> Self {
        self.crash(Crash::Any)
    }

    /// True after [`crash_at`](Self::crash_at) has stopped the disk, and after a crash.
    pub fn is_stopped(&self) -> bool {
        self.0.lock().stopped.is_some()
    }

    /// Returns the number of operations so far that change the disk ([`DiskOperation::is_change`]), including those that failed.
    pub fn changes(&self) -> u64 {
        self.0.lock().record.changes
    }

    /// Returns the number of operations of a kind so far, including those that failed.
    pub fn count(&self, operation: DiskOperation) -> u64 {
        self.0.lock().record.counts.get(&operation).copied().unwrap_or_default()
    }

    /// Returns a line for each operation so far: the kind, the path, lengths or offsets, and the error if it failed. After a
    /// crash the first lines are the files found.
    pub fn trace(&self) -> Vec<String> {
        self.0.lock().record.lines.clone()
    }

    fn of(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }
}

impl fmt::Debug for FaultyDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        let (changes, stopped) = (state.record.changes, &state.stopped);
        f.debug_struct("FaultyDisk")
            .field("changes", &changes)
            .field("stopped", stopped)
            .finish_non_exhaustive()
    }
}

impl Disk for FaultyDisk {
    fn read(&self, path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
        self.0.lock().run(DiskOperation::Read, &[path], String::new(), |state, _| {
            let bytes = &state.content(state.names.file(path)?).now;
            if state.faults.is_unreadable(path, &(0..bytes.len() as u64)) {
                return Err(unreadable());
            }
            if bytes.len() as u64 > max_bytes {
                return Err(io::Error::other(format!("the file has more than {max_bytes} bytes")));
            }
            Ok(bytes.clone())
        })
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock();
        let file = state.make(path)?;
        state.append(file, path, &[IoSlice::new(bytes)])?;
        state.sync(file, path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.lock().change(DiskOperation::Remove, &[path], |state| {
            state.names.remove(path)?;
            state.forget_files();
            Ok(())
        })
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.0.lock();
        let file = match state.names.get(path) {
            None => state.make(path)?,
            Some(_) => {
                state.run(DiskOperation::Open, &[path], String::new(), |state, _| state.names.file(path))?
            }
        };
        state.opened(file);
        Ok(Box::new(OpenFile { disk: self.0.clone(), file, path: path.into() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.lock().change(DiskOperation::Rename, &[from, to], |state| {
            state.names.rename(from, to)?;
            state.forget_files();
            Ok(())
        })
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<(String, u64)>> {
        self.0.lock().run(DiskOperation::List, &[directory], String::new(), |state, _| {
            let files = state.names.list(directory)?;
            Ok(files.into_iter().map(|(name, file)| (name, state.content(file).now.len() as u64)).collect())
        })
    }

    fn list_directories(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.0.lock().run(DiskOperation::List, &[directory], String::new(), |state, _| {
            state.names.list_directories(directory)
        })
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        let mut missing: Vec<_> = path.ancestors().filter(|path| !is_root(path)).collect();
        missing.retain(|path| !matches!(state.names.get(path), Some(Entry::Directory)));
        for path in missing.into_iter().rev() {
            state.change(DiskOperation::CreateDirectory, &[path], |state| {
                state.names.make(path, Entry::Directory)
            })?;
        }
        state.alive()
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.0.lock().change(DiskOperation::SyncDirectory, &[path], |state| {
            state.names.sync(path)?;
            state.forget_files();
            Ok(())
        })
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn DiskLock>> {
        let mut state = self.0.lock();
        if state.names.get(path).is_none() {
            state.make(path)?;
        }
        let file = state.run(DiskOperation::Lock, &[path], String::new(), |state, verdict| {
            let file = state.names.file(path)?;
            match verdict {
                Verdict::Whole if !state.locks.insert(file) => Err(io::ErrorKind::WouldBlock.into()),
                _ => Ok(file),
            }
        })?;
        state.opened(file);
        Ok(Box::new(Lock { disk: self.0.clone(), file }))
    }

    fn free_bytes(&self, _directory: &Path) -> io::Result<u64> {
        let state = self.0.lock();
        state.alive().map(|()| state.free_bytes())
    }
}

#[cfg(test)]
mod tests;
