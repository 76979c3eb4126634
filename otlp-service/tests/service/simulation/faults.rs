//! Faults of the disk of a simulation.

use super::run::{Simulation, used};
use otlp_transport::Disk as _;
use otlp_transport::testing::DiskOperation;
use std::path::Path;

// === impl Simulation ===

impl Simulation {
    /// Operations fail from now on, by chance.
    pub(super) fn break_disk(&mut self) {
        if self.world.once_in(4) {
            return self.break_reads();
        }
        let operation = self.world.pick(&FAILING);
        let probability = self.world.pick(&[0.01, 0.1, 0.5]);
        self.world.note(format!("{operation} fails with a probability of {probability}"));
        self.disk.fail_at_random(operation, probability);
    }

    /// Up to two reads fail: a place that fails three times in a row is given up.
    fn break_reads(&mut self) {
        let reads = self.disk.count(DiskOperation::Read);
        if self.reads == 0 || reads >= self.reads + 2 {
            self.reads = reads;
            self.world.note("reads fail");
            for _ in 0..=self.world.below(2) {
                self.disk.fail_next(DiskOperation::Read, "/data");
            }
        }
    }

    /// The disk has little room from now on.
    pub(super) fn fill_disk(&self) {
        let used: u64 = self.plan.stored().map(|plan| used(&self.disk, plan.id)).sum();
        let capacity = used + self.world.below(300_000);
        self.world.note(format!("the disk has room for {capacity} bytes"));
        self.disk.set_capacity(capacity);
    }

    /// A bit changes in a file.
    pub(super) fn rot(&mut self) {
        let exporter = self.world.below(self.plan.exporters.len() as u64) as usize;
        let directory = Path::new("/data").join(self.plan.exporters[exporter].id).join("logs");
        let files = self.disk.list(&directory).unwrap_or_default();
        let files: Vec<_> = files.into_iter().filter(|(_, len)| *len > 0).collect();
        if files.is_empty() {
            return;
        }
        let (file, len) = &files[self.world.below(files.len() as u64) as usize];
        let place = self.world.below(*len);
        let path = directory.join(file);
        self.world.note(format!("a bit changes in {} at {place}", path.display()));
        self.disk.corrupt(&path, place).unwrap();
        self.tally.changed_bits += 1;
        if file.ends_with(".log") {
            self.rotten[exporter] += 1;
        } else {
            self.fates.last_mut().unwrap().has_broken_cursor.insert(exporter);
        }
    }

    /// Removes the faults that last.
    pub(super) fn repair_disk(&self) {
        self.world.note("the disk works");
        FAILING.iter().for_each(|operation| self.disk.fail_at_random(*operation, 0.0));
        self.disk.set_capacity(u64::MAX);
    }
}

const FAILING: [DiskOperation; 8] = [
    DiskOperation::Append,
    DiskOperation::Sync,
    DiskOperation::Sync,
    DiskOperation::SyncDirectory,
    DiskOperation::Make,
    DiskOperation::Truncate,
    DiskOperation::Rename,
    DiskOperation::Remove,
];
