//! The files of queues without a gateway: looked at while they are in use or not, and taken out or added to while they are not.

mod files;
mod report;
mod segment;
mod summary;
mod view;

pub use files::QueueFiles;
pub use report::FileReport;
pub use summary::QueueSummary;
pub use view::{QueueView, StoredRequests};

use super::properties::Properties;
use super::record::{Header, Kind};
use bytes::Bytes;
use otlp_protocol::{Batch, Charge};
use std::time::{Duration, SystemTime};

/// A request in a queue on disk.
#[derive(Debug)]
#[non_exhaustive]
pub struct StoredRequest {
    /// The number of the record in the queue, ascending.
    pub sequence: u64,
    /// Time at which the request was stored.
    pub stored_at: SystemTime,
    /// The pipeline that the request came from.
    pub pipeline: String,
    /// The request, with the properties of its sender.
    pub batch: Batch,
    /// Length of the record in its file, in bytes.
    pub record_bytes: u64,
}

// === impl StoredRequest ===

impl StoredRequest {
    /// Makes a request of a record; `None` if the record is no request.
    fn new(header: &Header, properties: &[u8], body: Bytes) -> Option<Self> {
        let Kind::Request(signal) = header.kind else { return None };
        let Properties { pipeline, origin, hops } = Properties::decode(properties).unwrap_or_default();
        let mut batch = Batch::unchecked(signal, body, header.count, header.is_mergeable, Charge::none());
        (batch.origin, batch.hops) = (origin, hops);
        Some(Self {
            sequence: header.sequence,
            stored_at: time(header.stored_at),
            pipeline,
            batch,
            record_bytes: header.record_len(),
        })
    }

    /// Returns the names of the sender's headers that are stored with the request. Their values may be secrets.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        let headers = self.batch.origin.iter().flat_map(|origin| &origin.headers);
        headers.map(|(name, _)| name.as_ref())
    }
}

fn time(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

#[cfg(test)]
mod tests;
