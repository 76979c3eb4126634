//! An open file of requests, and the file with their reasons.
//!
//! Each request follows its length in four bytes, big endian. A file begins with two empty requests, which readers skip: no
//! other file that `otlp inspect` reads begins so, whatever bytes a request begins with.

use super::letter::Letter;
use super::name::Stem;
use otlp_transport::{Disk, DiskFile};
use std::io::{self, IoSlice};
use std::path::Path;

/// An open file of requests, and the file with their reasons.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) stem: Stem,
    requests: Box<dyn DiskFile>,
    reasons: Box<dyn DiskFile>,
    pub(super) extent: Extent,
}

/// Lengths of the two files, and the number of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    requests_bytes: u64,
    reasons_bytes: u64,
    count: u64,
}

// === impl Segment ===

impl Segment {
    /// Makes the files. Returns `None` if there are such files.
    pub(super) fn create(disk: &dyn Disk, directory: &Path, stem: Stem) -> io::Result<Option<Self>> {
        let requests = disk.open(&directory.join(stem.requests()))?;
        if !requests.is_empty()? {
            return Ok(None);
        }
        let created = Self::begin(disk, directory, stem.clone(), requests);
        if created.is_err() {
            // An empty file would be left at each attempt on a full disk.
            drop(disk.remove(&directory.join(stem.requests())));
            drop(disk.remove(&directory.join(stem.reasons())));
        }
        created.map(Some)
    }

    fn begin(disk: &dyn Disk, directory: &Path, stem: Stem, requests: Box<dyn DiskFile>) -> io::Result<Self> {
        requests.append(&[IoSlice::new(HEADER)])?;
        let reasons = disk.open(&directory.join(stem.reasons()))?;
        disk.sync_directory(directory)?;
        let extent = Extent { requests_bytes: HEADER.len() as u64, reasons_bytes: reasons.len()?, count: 0 };
        Ok(Self { stem, requests, reasons, extent })
    }

    /// Opens files that were written before, to go on with them. Returns `None` if they are not as they were left: they were moved
    /// or removed.
    pub(super) fn reopen(
        disk: &dyn Disk,
        directory: &Path,
        stem: Stem,
        extent: Extent,
    ) -> io::Result<Option<Self>> {
        let (requests_path, reasons_path) = (directory.join(stem.requests()), directory.join(stem.reasons()));
        let (requests, reasons) = (disk.open(&requests_path)?, disk.open(&reasons_path)?);
        if requests.len()? == extent.requests_bytes && reasons.len()? == extent.reasons_bytes {
            return Ok(Some(Self { stem, requests, reasons, extent }));
        }
        for (file, path) in [(requests, requests_path), (reasons, reasons_path)] {
            // Just made, by the opening.
            if file.is_empty()? {
                disk.remove(&path)?;
            }
        }
        Ok(None)
    }

    /// Appends a letter. The device may not have the letter until the next [`sync`](Self::sync).
    pub(super) fn append(&mut self, letter: &Letter) -> io::Result<()> {
        let body = letter.batch.body().plain();
        let len =
            u32::try_from(body.len()).map_err(|_| io::Error::other("the request is larger than 4 GiB"))?;
        let prefix = len.to_be_bytes();
        let mut parts = vec![IoSlice::new(&prefix)];
        parts.extend(body.segments().map(|segment| IoSlice::new(segment)));
        let before = self.extent;
        let offset = before.requests_bytes + prefix.len() as u64;
        let line = letter.reason_line(before.count + 1, offset);
        let appended =
            self.requests.append(&parts).and_then(|()| self.reasons.append(&[IoSlice::new(line.as_bytes())]));
        if let Err(error) = appended {
            // What follows a part of a request could not be read. The caller begins another file in any case.
            drop(self.requests.truncate(before.requests_bytes));
            drop(self.reasons.truncate(before.reasons_bytes));
            return Err(error);
        }
        self.extent = Extent {
            requests_bytes: offset + u64::from(len),
            reasons_bytes: before.reasons_bytes + line.len() as u64,
            count: before.count + 1,
        };
        Ok(())
    }

    /// Waits until the device has all letters.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.requests.sync()?;
        self.reasons.sync()
    }
}

// === impl Extent ===

impl Extent {
    /// Returns the length of both files.
    pub(super) fn bytes(self) -> u64 {
        self.requests_bytes + self.reasons_bytes
    }

    /// True if there are no requests in the file.
    pub(super) fn is_empty(self) -> bool {
        self.count == 0
    }
}

/// Returns the most bytes that a letter takes in both files.
pub(super) fn bytes_of(letter: &Letter) -> u64 {
    let line = letter.reason_line(u64::MAX, u64::MAX);
    (HEADER.len() + 4 + letter.batch.len() + line.len()) as u64
}

/// Two empty requests.
const HEADER: &[u8] = &[0; 8];
