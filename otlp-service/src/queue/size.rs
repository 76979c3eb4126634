//! Sizes of batches, in the units in which a queue can be limited.

use otlp_protocol::Batch;

/// Size of a batch in each of the units of [`Sizer`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Number of items: spans, metric data points, log records, profile samples.
    pub items: u64,
    /// Length of the encoded request, in bytes.
    pub bytes: u64,
}

/// Unit of [`QueueConfig::queue_size`](crate::QueueConfig::queue_size).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sizer {
    /// Number of batches.
    #[default]
    Requests,
    /// Number of items in the batches.
    Items,
    /// Encoded length of the batches.
    Bytes,
}

// === impl Size ===

impl Size {
    /// Returns the size of a batch.
    pub fn of(batch: &Batch) -> Self {
        Self { items: batch.items(), bytes: batch.len() as u64 }
    }
}

// === impl Sizer ===

impl Sizer {
    /// All units.
    pub const ALL: [Self; 3] = [Self::Requests, Self::Items, Self::Bytes];

    /// Returns the name of the unit in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Items => "items",
            Self::Bytes => "bytes",
        }
    }

    /// Returns the noun of the unit in texts.
    pub(crate) fn noun(self) -> &'static str {
        if self == Self::Requests { "batches" } else { self.name() }
    }

    /// Returns the room that a batch takes in a queue: at least 1, so that empty batches are limited, too.
    pub fn room(self, size: Size) -> u64 {
        match self {
            Self::Requests => 1,
            Self::Items => size.items.max(1),
            Self::Bytes => size.bytes.max(1),
        }
    }
}
