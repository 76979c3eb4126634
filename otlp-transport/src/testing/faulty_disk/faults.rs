//! Faults that tests have asked for.

use super::DiskOperation;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The faults of a disk.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// The change at which the disk stops.
    pub(super) crash_at: Option<u64>,
    pub(super) fail_at: BTreeSet<u64>,
    pub(super) next: Vec<(DiskOperation, PathBuf)>,
    pub(super) chances: BTreeMap<DiskOperation, f64>,
    /// Bytes that cannot be read.
    pub(super) unreadable: Vec<(PathBuf, Range<u64>)>,
}

/// The fate of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Whole,
    /// The operation returns an error.
    Fails,
    /// The operation is the last of the disk.
    Stops,
}

impl Faults {
    /// Decides on an operation, which is the change of a number if it is a change.
    pub(super) fn verdict(
        &mut self,
        operation: DiskOperation,
        paths: &[&Path],
        change: Option<u64>,
        rng: &mut fastrand::Rng,
    ) -> Verdict {
        if change.is_some() && change == self.crash_at {
            return Verdict::Stops;
        }
        let is_next = |(kind, under): &(DiskOperation, PathBuf)| {
            *kind == operation && paths.iter().any(|path| path.starts_with(under))
        };
        if change.is_some_and(|change| self.fail_at.remove(&change)) {
            return Verdict::Fails;
        }
        if let Some(place) = self.next.iter().position(is_next) {
            self.next.remove(place);
            return Verdict::Fails;
        }
        match self.chances.get(&operation) {
            Some(probability) if rng.f64() < *probability => Verdict::Fails,
            _ => Verdict::Whole,
        }
    }

    /// True if some bytes of a range of a file cannot be read.
    pub(super) fn is_unreadable(&self, path: &Path, read: &Range<u64>) -> bool {
        let meets = |bytes: &Range<u64>| bytes.start < read.end && read.start < bytes.end;
        self.unreadable.iter().any(|(file, bytes)| file == path && meets(bytes))
    }

    /// The faults that stay after a restart.
    pub(super) fn after_restart(&self) -> Self {
        Self { chances: self.chances.clone(), unreadable: self.unreadable.clone(), ..Self::default() }
    }
}

/// The error of reads of bytes that cannot be read.
pub(super) fn unreadable() -> io::Error {
    io::Error::other("simulated bytes that cannot be read")
}
