//! The files of a disk, and the steps of operations on them.

use super::content::Content;
use super::faults::{Faults, Verdict};
use super::names::{Entry, Names};
use super::record::Record;
use super::{Crash, DiskOperation};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IoSlice};
use std::path::Path;

/// All of a disk.
#[derive(Debug)]
pub(super) struct State {
    pub(super) names: Names,
    pub(super) files: BTreeMap<u64, Content>,
    last_file: u64,
    /// Open handles and locks, by file.
    handles: BTreeMap<u64, usize>,
    pub(super) locks: BTreeSet<u64>,
    pub(super) capacity: u64,
    pub(super) faults: Faults,
    pub(super) record: Record,
    /// The reason that no operation works any more.
    pub(super) stopped: Option<String>,
    rng: fastrand::Rng,
}

// === impl State ===

impl State {
    pub(super) fn new(rng: fastrand::Rng) -> Self {
        Self {
            names: Names::default(),
            files: BTreeMap::new(),
            last_file: 0,
            handles: BTreeMap::new(),
            locks: BTreeSet::new(),
            capacity: u64::MAX,
            faults: Faults::default(),
            record: Record::default(),
            stopped: None,
            rng,
        }
    }

    pub(super) fn alive(&self) -> io::Result<()> {
        match &self.stopped {
            Some(reason) => Err(io::Error::other(format!("the disk has stopped: {reason}"))),
            None => Ok(()),
        }
    }

    /// Runs an operation: counts it, decides on its fate, and traces it. `work` does what the fate leaves; its result counts
    /// if that is all.
    pub(super) fn run<T>(
        &mut self,
        operation: DiskOperation,
        paths: &[&Path],
        detail: String,
        work: impl FnOnce(&mut Self, Verdict) -> io::Result<T>,
    ) -> io::Result<T> {
        self.alive()?;
        let change = self.record.count(operation);
        let verdict = self.faults.verdict(operation, paths, change, &mut self.rng);
        let done = work(self, verdict);
        let result = match verdict {
            Verdict::Whole => done,
            Verdict::Fails => Err(io::Error::other("simulated input/output error")),
            Verdict::Stops => {
                self.stopped = change.map(|change| format!("crash point {change}"));
                self.alive().and(done)
            }
        };
        self.record.add(operation, paths, &detail, &result);
        result
    }

    /// Runs a change that has no parts.
    pub(super) fn change<T: Default>(
        &mut self,
        operation: DiskOperation,
        paths: &[&Path],
        work: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> io::Result<T> {
        self.change_with(operation, paths, String::new(), work)
    }

    /// Makes a file. Returns its number.
    pub(super) fn make(&mut self, path: &Path) -> io::Result<u64> {
        self.change(DiskOperation::Make, &[path], |state| {
            let file = state.last_file + 1;
            state.names.make(path, Entry::File(file))?;
            state.last_file = file;
            state.files.insert(file, Content::default());
            Ok(file)
        })
    }

    pub(super) fn append(&mut self, file: u64, path: &Path, parts: &[IoSlice<'_>]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        self.run(DiskOperation::Append, &[path], bytes.len().to_string(), |state, verdict| {
            let part = match verdict {
                Verdict::Whole => bytes.len(),
                Verdict::Fails => state.rng.usize(0..bytes.len().max(1)),
                Verdict::Stops => state.rng.usize(0..=bytes.len()),
            };
            let fits = part.min(usize::try_from(state.free_bytes()).unwrap_or(usize::MAX));
            state.content_mut(file).append(&bytes[..fits]);
            if fits < part { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    }

    pub(super) fn sync(&mut self, file: u64, path: &Path) -> io::Result<()> {
        let len = self.content(file).now.len().to_string();
        self.run(DiskOperation::Sync, &[path], len, |state, verdict| {
            match verdict {
                Verdict::Fails => state.content_mut(file).lose_unsynced(),
                Verdict::Stops if state.rng.bool() => {}
                _ => state.content_mut(file).sync(),
            }
            Ok(())
        })
    }

    pub(super) fn truncate(&mut self, file: u64, path: &Path, len: u64) -> io::Result<()> {
        self.change_with(DiskOperation::Truncate, &[path], len.to_string(), |state| {
            let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
            state.content_mut(file).resize(len);
            Ok(())
        })
    }

    pub(super) fn content(&self, file: u64) -> &Content {
        &self.files[&file]
    }

    pub(super) fn contents(&self, path: &Path) -> Option<Vec<u8>> {
        Some(self.content(self.names.file(path).ok()?).now.clone())
    }

    pub(super) fn corrupt(&mut self, path: &Path, offset: u64) -> io::Result<()> {
        let file = self.names.file(path)?;
        let bit = 1 << self.rng.u8(0..8);
        if usize::try_from(offset).is_ok_and(|place| self.content_mut(file).flip(place, bit)) {
            return Ok(());
        }
        let len = self.content(file).now.len();
        let message = format!("{} has {len} bytes, none at offset {offset}", path.display());
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, message))
    }

    pub(super) fn sync_all(&mut self) {
        self.names.sync_all();
        self.files.values_mut().for_each(Content::sync);
        self.forget_files();
    }

    /// The capacity without the bytes of all files that have a name or are open.
    pub(super) fn free_bytes(&self) -> u64 {
        if self.capacity == u64::MAX {
            return self.capacity;
        }
        let named: BTreeSet<u64> = self.names.files().map(|(_, file)| file).collect();
        let is_used = |file: &u64| named.contains(file) || self.handles.contains_key(file);
        let used =
            self.files.iter().filter(|(file, _)| is_used(file)).map(|(_, content)| content.now.len() as u64);
        self.capacity.saturating_sub(used.sum())
    }

    pub(super) fn opened(&mut self, file: u64) {
        *self.handles.entry(file).or_default() += 1;
    }

    pub(super) fn closed(&mut self, file: u64) {
        if let Some(handles) = self.handles.get_mut(&file) {
            *handles -= 1;
            if *handles == 0 {
                self.handles.remove(&file);
                self.forget_files();
            }
        }
    }

    /// Frees files that are not open, and have no name and get none by a crash.
    pub(super) fn forget_files(&mut self) {
        let reachable = self.names.reachable();
        self.files.retain(|file, _| reachable.contains(file) || self.handles.contains_key(file));
    }

    pub(super) fn crash(&mut self, how: Crash) -> Self {
        let names = self.names.found(how, &mut self.rng);
        let numbers: BTreeSet<u64> = names.files().map(|(_, file)| file).collect();
        let mut found = |file: u64| (file, Content::synced(self.files[&file].found(how, &mut self.rng)));
        let files = numbers.into_iter().map(&mut found).collect();
        self.restarted(names, files, "a power cut")
    }

    pub(super) fn kill(&mut self) -> Self {
        let reachable = self.names.reachable();
        let mut files = self.files.clone();
        files.retain(|file, _| reachable.contains(file));
        self.restarted(self.names.clone(), files, "the end of the process")
    }

    fn restarted(&mut self, names: Names, files: BTreeMap<u64, Content>, reason: &str) -> Self {
        self.stopped.get_or_insert_with(|| reason.to_owned());
        let mut record = Record::default();
        for (path, file) in names.files() {
            record.found(path, files[&file].now.len());
        }
        Self {
            names,
            files,
            last_file: self.last_file,
            capacity: self.capacity,
            faults: self.faults.after_restart(),
            record,
            ..Self::new(self.rng.fork())
        }
    }

    fn change_with<T: Default>(
        &mut self,
        operation: DiskOperation,
        paths: &[&Path],
        detail: String,
        work: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> io::Result<T> {
        self.run(operation, paths, detail, |state, verdict| match verdict {
            Verdict::Fails => Ok(T::default()),
            Verdict::Stops if state.rng.bool() => Ok(T::default()),
            _ => work(state),
        })
    }

    fn content_mut(&mut self, file: u64) -> &mut Content {
        self.files.entry(file).or_default()
    }
}
