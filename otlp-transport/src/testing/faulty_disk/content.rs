//! Bytes of a file, and how much of them is durable.

use super::Crash;
use std::collections::BTreeSet;

/// The bytes of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    /// The bytes that programs read.
    pub(super) now: Vec<u8>,
    synced: Vec<u8>,
    /// Changes since the last sync, in order.
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write {
        offset: usize,
        bytes: Vec<u8>,
    },
    /// The new length: cut off, or filled up with zeros.
    Resize(usize),
}

/// The unit that a device writes whole or not at all.
const SECTOR: usize = 512;

// === impl Content ===

impl Content {
    /// Content that is durable.
    pub(super) fn synced(bytes: Vec<u8>) -> Self {
        Self { now: bytes.clone(), synced: bytes, unsynced: Vec::new() }
    }

    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.change(Change::Write { offset: self.now.len(), bytes: bytes.to_vec() });
    }

    pub(super) fn resize(&mut self, len: usize) {
        self.change(Change::Resize(len));
    }

    pub(super) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.synced);
        }
    }

    /// Marks unsynced bytes as if they were synced, although the device does not have them; their space is not lost.
    pub(super) fn lose_unsynced(&mut self) {
        for change in &mut self.unsynced {
            if let Change::Write { offset, bytes } = change {
                *change = Change::Resize(*offset + bytes.len());
            }
        }
    }

    /// Flips a bit. Returns false if there is no such byte.
    pub(super) fn flip(&mut self, place: usize, bit: u8) -> bool {
        let Some(byte) = self.now.get_mut(place) else { return false };
        *byte ^= bit;
        if let Some(byte) = self.synced.get_mut(place) {
            *byte ^= bit;
        }
        for change in &mut self.unsynced {
            let Change::Write { offset, bytes } = change else { continue };
            if let Some(byte) = place.checked_sub(*offset).and_then(|place| bytes.get_mut(place)) {
                *byte ^= bit;
            }
        }
        true
    }

    /// The bytes found after a power cut.
    pub(super) fn found(&self, how: Crash, rng: &mut fastrand::Rng) -> Vec<u8> {
        match how.chosen(rng) {
            Crash::KeepUnsynced => self.after(self.unsynced.len()),
            Crash::Torn => self.torn(rng),
            Crash::Reordered => self.reordered(rng),
            Crash::LoseUnsynced | Crash::Any => self.synced.clone(),
        }
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.unsynced.push(change);
    }

    /// The durable bytes after the first `count` changes.
    fn after(&self, count: usize) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        self.unsynced.iter().take(count).for_each(|change| change.apply(&mut bytes));
        bytes
    }

    fn torn(&self, rng: &mut fastrand::Rng) -> Vec<u8> {
        let count = rng.usize(0..=self.unsynced.len());
        let mut found = self.after(count);
        if let Some(Change::Write { offset, bytes }) = self.unsynced.get(count) {
            let first = offset / SECTOR;
            let boundaries = (offset + bytes.len()) / SECTOR - first;
            let end = (first + rng.usize(0..=boundaries)) * SECTOR;
            let part = bytes[..end.saturating_sub(*offset)].to_vec();
            Change::Write { offset: *offset, bytes: part }.apply(&mut found);
        }
        found
    }

    fn reordered(&self, rng: &mut fastrand::Rng) -> Vec<u8> {
        let count = self.unsynced.len();
        let len = self.after(rng.usize(0..=count)).len();
        let mut found = self.synced.clone();
        found.resize(len, 0);
        for start in self.changed_sectors() {
            let bytes = self.sector_after(start, rng.usize(0..=count));
            let end = (start + SECTOR).min(len);
            if start < end {
                found[start..end].copy_from_slice(&bytes[..end - start]);
            }
        }
        found
    }

    /// The offsets of the sectors that unsynced changes have touched.
    fn changed_sectors(&self) -> BTreeSet<usize> {
        let mut sectors = BTreeSet::new();
        let mut len = self.synced.len();
        for change in &self.unsynced {
            let (from, to) = match change {
                Change::Write { offset, bytes } => (*offset, offset + bytes.len()),
                Change::Resize(new) => (len.min(*new), len.max(*new)),
            };
            sectors.extend((from / SECTOR..to.div_ceil(SECTOR)).map(|sector| sector * SECTOR));
            len = change.len_after(len);
        }
        sectors
    }

    /// A sector after the first `count` changes, with zeros after the end of the file.
    fn sector_after(&self, start: usize, count: usize) -> [u8; SECTOR] {
        let mut sector = [0; SECTOR];
        let synced = self.synced.get(start..).unwrap_or_default();
        let synced = &synced[..synced.len().min(SECTOR)];
        sector[..synced.len()].copy_from_slice(synced);
        for change in self.unsynced.iter().take(count) {
            match change {
                Change::Resize(len) => sector[len.saturating_sub(start).min(SECTOR)..].fill(0),
                Change::Write { offset, bytes } => {
                    let from = (*offset).max(start);
                    let to = (offset + bytes.len()).min(start + SECTOR);
                    if from < to {
                        sector[from - start..to - start].copy_from_slice(&bytes[from - offset..to - offset]);
                    }
                }
            }
        }
        sector
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } if *offset == content.len() => content.extend_from_slice(bytes),
            Self::Write { offset, bytes } => {
                content.resize(self.len_after(content.len()), 0);
                content[*offset..offset + bytes.len()].copy_from_slice(bytes);
            }
            Self::Resize(len) => content.resize(*len, 0),
        }
    }

    fn len_after(&self, len: usize) -> usize {
        match self {
            Self::Write { offset, bytes } => len.max(offset + bytes.len()),
            Self::Resize(len) => *len,
        }
    }
}

impl Crash {
    /// One of the kinds in place of `Any`.
    pub(super) fn chosen(self, rng: &mut fastrand::Rng) -> Self {
        match self {
            Self::Any => match rng.u8(0..6) {
                0 => Self::LoseUnsynced,
                1 => Self::KeepUnsynced,
                2 | 3 => Self::Torn,
                _ => Self::Reordered,
            },
            chosen => chosen,
        }
    }
}
