//! Counters of adaptive compression.

use super::candidate::{COUNT, Candidate};
use super::chooser::{CLASSES, Choice};
use crate::counter;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of adaptive compression, shared by the destinations of one exporter. All only grow.
#[derive(Debug, Default)]
pub struct AdaptiveStats {
    bodies: [[AtomicU64; COUNT]; CLASSES.len()],
    /// Times that a size class changed to another candidate.
    pub switches: AtomicU64,
    /// Bodies that were compressed a second time, to measure another candidate.
    pub probes: AtomicU64,
    /// Probes left out because the memory budget had no room for them.
    pub skipped_probes: AtomicU64,
    /// Requests whose encoding the destination refused. Each was sent again at once with another encoding.
    pub refused_encodings: AtomicU64,
    /// Bytes of bodies before compression.
    pub plain_bytes: AtomicU64,
    /// Bytes of bodies after compression.
    pub wire_bytes: AtomicU64,
}

// === impl AdaptiveStats ===

impl AdaptiveStats {
    /// Returns the number of bodies by size class and candidate. A class has the name of its end: `4KiB` are bodies from 1 KiB to
    /// below 4 KiB before compression, `more` those from 4 MiB. A candidate is an encoding with its level, as in `zstd-1`, or
    /// `none`.
    pub fn bodies(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        let of_class = |(row, (class, _)): (&'_ [AtomicU64; COUNT], &(&'static str, usize))| {
            let class = *class;
            let counts: Vec<_> = row.iter().map(|count| count.load(Ordering::Relaxed)).collect();
            Candidate::ALL
                .into_iter()
                .zip(counts)
                .map(move |(candidate, count)| (class, candidate.label(), count))
        };
        self.bodies.iter().zip(&CLASSES).flat_map(of_class)
    }

    pub(super) fn count(&self, choice: &Choice, plain_len: usize, wire_len: usize) {
        counter::count(&self.bodies[choice.class][choice.candidate as usize]);
        counter::add(&self.plain_bytes, plain_len as u64);
        counter::add(&self.wire_bytes, wire_len as u64);
        if choice.is_switch {
            counter::count(&self.switches);
        }
    }
}
