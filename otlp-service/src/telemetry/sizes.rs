//! Sizes of batches.

use super::{Histogram, Registry};
use otlp_protocol::Batch;

/// Items and bytes of batches. The default is in no registry.
#[derive(Clone, Debug, Default)]
pub(crate) struct BatchSizes {
    items: Histogram,
    bytes: Histogram,
}

impl BatchSizes {
    /// Registers the sizes as `name` and `name` with `_bytes`, each at the level of its registry.
    pub(super) fn new(
        (registry, bytes_registry): (&Registry, &Registry),
        name: &str,
        (items_help, bytes_help): (&'static str, &'static str),
        labels: &[(&'static str, &str)],
    ) -> Self {
        Self {
            items: registry.histogram(name, items_help, labels, Histogram::new(ITEM_BOUNDS)),
            bytes: bytes_registry.histogram(
                format!("{name}_bytes"),
                bytes_help,
                labels,
                Histogram::new(BYTE_BOUNDS),
            ),
        }
    }

    /// Counts a batch.
    pub(crate) fn record(&self, batch: &Batch) {
        self.record_size(batch.items(), batch.len());
    }

    /// Counts a batch of `items` and `bytes`.
    pub(crate) fn record_size(&self, items: u64, bytes: usize) {
        self.items.record(items);
        self.bytes.record(bytes as u64);
    }
}

/// The Collector's bounds.
const ITEM_BOUNDS: &[u64] = &[
    10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000, 20_000,
    30_000, 50_000, 100_000,
];

/// The Collector's bounds: the powers of two from 128 B to 16 MiB.
const BYTE_BOUNDS: &[u64] = &[
    128,
    256,
    512,
    1 << 10,
    2 << 10,
    4 << 10,
    8 << 10,
    16 << 10,
    32 << 10,
    64 << 10,
    128 << 10,
    256 << 10,
    512 << 10,
    1 << 20,
    2 << 20,
    4 << 20,
    8 << 20,
    16 << 20,
];
