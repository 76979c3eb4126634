//! Names of files and directories, and how much of them is durable.

use super::Crash;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// A file, by its number, or a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    File(u64),
    Directory,
}

/// All names of a disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    now: Entries,
    synced: Entries,
    /// Changes since the last sync of their directory, in order.
    unsynced: Vec<NameChange>,
    last_number: u64,
}

type Entries = BTreeMap<PathBuf, Entry>;

#[derive(Clone, Debug)]
struct NameChange {
    number: u64,
    path: PathBuf,
    /// None if the name is removed.
    entry: Option<Entry>,
    /// The change that gave the file its new name, if this one removes the old: the device never has the removal alone.
    renamed_by: Option<u64>,
}

/// True if the directory exists on every disk.
pub(super) fn is_root(path: &Path) -> bool {
    path.parent().is_none()
}

// === impl Names ===

impl Names {
    pub(super) fn get(&self, path: &Path) -> Option<Entry> {
        if is_root(path) { Some(Entry::Directory) } else { self.now.get(path).copied() }
    }

    /// The number of a file.
    pub(super) fn file(&self, path: &Path) -> io::Result<u64> {
        match self.get(path) {
            Some(Entry::File(file)) => Ok(file),
            Some(Entry::Directory) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is a directory: give the path of a regular file",
            )),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// The names and numbers of the files in a directory.
    pub(super) fn list(&self, directory: &Path) -> io::Result<Vec<(String, u64)>> {
        self.check_directory(directory)?;
        let in_it = self.now.iter().filter(|(path, _)| path.parent() == Some(directory));
        let files = in_it.filter_map(|(path, entry)| match entry {
            Entry::File(file) => Some((path.file_name()?.to_str()?.to_owned(), *file)),
            Entry::Directory => None,
        });
        Ok(files.collect())
    }

    /// The names of the directories in a directory.
    pub(super) fn list_directories(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.check_directory(directory)?;
        let in_it = self.now.iter().filter(|(path, _)| path.parent() == Some(directory));
        let names = in_it.filter_map(|(path, entry)| match entry {
            Entry::Directory => path.file_name()?.to_str().map(str::to_owned),
            Entry::File(_) => None,
        });
        Ok(names.collect())
    }

    /// The paths and numbers of all files.
    pub(super) fn files(&self) -> impl Iterator<Item = (&Path, u64)> {
        self.now.iter().filter_map(|(path, entry)| match entry {
            Entry::File(file) => Some((path.as_path(), *file)),
            Entry::Directory => None,
        })
    }

    /// The numbers of the files that have a name now, or may have one after a crash.
    pub(super) fn reachable(&self) -> BTreeSet<u64> {
        let changed = self.unsynced.iter().filter_map(|change| change.entry.as_ref());
        let all = self.now.values().chain(self.synced.values()).chain(changed);
        let files = all.filter_map(|entry| match entry {
            Entry::File(file) => Some(*file),
            Entry::Directory => None,
        });
        files.collect()
    }

    pub(super) fn make(&mut self, path: &Path, entry: Entry) -> io::Result<()> {
        if self.get(path).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.check_directory(path.parent().unwrap_or(path))?;
        self.change(path, Some(entry), None);
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.file(path)?;
        self.change(path, None, None);
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let file = self.file(from)?;
        self.check_directory(to.parent().unwrap_or(to))?;
        match self.get(to) {
            Some(Entry::Directory) => Err(io::ErrorKind::IsADirectory.into()),
            // POSIX: two names of one file both stay.
            Some(Entry::File(other)) if other == file => Ok(()),
            _ => {
                self.change(to, Some(Entry::File(file)), None);
                self.change(from, None, Some(self.last_number));
                Ok(())
            }
        }
    }

    /// Makes the names in a directory durable.
    pub(super) fn sync(&mut self, directory: &Path) -> io::Result<()> {
        self.check_directory(directory)?;
        let in_it = self.unsynced.iter().filter(|change| change.path.parent() == Some(directory));
        let numbers = self.with_needed(in_it.map(|change| change.number).collect());
        let (durable, rest): (Vec<_>, Vec<_>) =
            self.unsynced.drain(..).partition(|change| numbers.contains(&change.number));
        self.unsynced = rest;
        durable.iter().for_each(|change| change.apply(&mut self.synced));
        Ok(())
    }

    pub(super) fn sync_all(&mut self) {
        self.unsynced.clear();
        self.synced = self.now.clone();
    }

    /// The names found after a power cut.
    pub(super) fn found(&self, how: Crash, rng: &mut fastrand::Rng) -> Self {
        let count = self.unsynced.len();
        let kept = match how.chosen(rng) {
            Crash::KeepUnsynced => self.numbers(count),
            Crash::Torn => self.numbers(rng.usize(0..=count)),
            Crash::Reordered => {
                let kept = self.numbers(count).into_iter().filter(|_| rng.bool()).collect();
                self.with_needed(kept)
            }
            Crash::LoseUnsynced | Crash::Any => BTreeSet::new(),
        };
        let mut found = self.synced.clone();
        for change in self.unsynced.iter().filter(|change| kept.contains(&change.number)) {
            change.apply(&mut found);
        }
        // A forgotten directory takes along what is in it.
        let is_directory = |path: &Path| is_root(path) || found.get(path) == Some(&Entry::Directory);
        let is_found = |path: &Path| path.ancestors().skip(1).all(is_directory);
        let now: Entries = found
            .iter()
            .filter(|(path, _)| is_found(path))
            .map(|(path, entry)| (path.clone(), *entry))
            .collect();
        Self { synced: now.clone(), now, unsynced: Vec::new(), last_number: self.last_number }
    }

    fn change(&mut self, path: &Path, entry: Option<Entry>, renamed_by: Option<u64>) {
        self.last_number += 1;
        let change = NameChange { number: self.last_number, path: path.into(), entry, renamed_by };
        change.apply(&mut self.now);
        self.unsynced.push(change);
    }

    /// The numbers of the first `count` unsynced changes.
    fn numbers(&self, count: usize) -> BTreeSet<u64> {
        self.unsynced.iter().take(count).map(|change| change.number).collect()
    }

    /// Adds to some unsynced changes those that the device must have too: new names, if the old ones are removed, and the earlier
    /// changes of these new names.
    fn with_needed(&self, mut numbers: BTreeSet<u64>) -> BTreeSet<u64> {
        for change in self.unsynced.iter().rev().filter(|change| change.renamed_by.is_some()) {
            let new_name = self.unsynced.iter().find(|other| Some(other.number) == change.renamed_by);
            if let (true, Some(new_name)) = (numbers.contains(&change.number), new_name) {
                let earlier = self.unsynced.iter().filter(|other| other.path == new_name.path);
                numbers.extend(earlier.map(|other| other.number).filter(|number| *number <= new_name.number));
            }
        }
        numbers
    }

    fn check_directory(&self, path: &Path) -> io::Result<()> {
        match self.get(path) {
            Some(Entry::Directory) => Ok(()),
            Some(Entry::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("there is no directory {}", path.display()),
            )),
        }
    }
}

impl NameChange {
    fn apply(&self, entries: &mut Entries) {
        match self.entry {
            Some(entry) => entries.insert(self.path.clone(), entry),
            None => entries.remove(&self.path),
        };
    }
}
