//! Counts and the trace of operations.

use super::DiskOperation;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// What has been done on a disk.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) changes: u64,
    pub(super) counts: BTreeMap<DiskOperation, u64>,
    pub(super) lines: Vec<String>,
}

impl Record {
    /// Counts an operation. Returns the number of a change.
    pub(super) fn count(&mut self, operation: DiskOperation) -> Option<u64> {
        *self.counts.entry(operation).or_default() += 1;
        operation.is_change().then(|| {
            self.changes += 1;
            self.changes
        })
    }

    /// Adds the line of an operation that has ended.
    pub(super) fn add<T>(
        &mut self,
        operation: DiskOperation,
        paths: &[&Path],
        detail: &str,
        result: &io::Result<T>,
    ) {
        let mut line = operation.to_string();
        for path in paths {
            line += &format!(" {}", path.display());
        }
        if !detail.is_empty() {
            line += &format!(" {detail}");
        }
        if let Err(error) = result {
            line += &format!(": {error}");
        }
        self.lines.push(line);
    }

    /// Adds the line of a file that was found after a crash.
    pub(super) fn found(&mut self, path: &Path, len: usize) {
        self.lines.push(format!("found {} {len}", path.display()));
    }
}
