//! Outcome of a batch that was sent in parts.

use otlp_protocol::Accepted;
use otlp_transport::ExportError;
use std::error::Error as _;

/// Items of one batch by outcome: the source of the error that
/// [`ExponentialBackoffRetry`](crate::ExponentialBackoffRetry) returns for a batch that was sent in parts with different
/// outcomes.
///
/// The error is retryable if `failed` is not 0; the items that were sent then arrive twice.
#[derive(Clone, Debug, Default, thiserror::Error)]
#[error(
    "{sent} items sent, {rejected} rejected, {refused} refused for good, {failed} failed after all retries"
)]
#[non_exhaustive]
pub struct PartlyDelivered {
    /// Items that the destination accepted.
    pub sent: u64,
    /// Items that the destination rejected in a partial success.
    pub rejected: u64,
    /// Items that the destination refused with a final error.
    pub refused: u64,
    /// Of the refused items, those that were refused for their size.
    pub too_large: u64,
    /// Items whose last attempt failed with a retryable error.
    pub failed: u64,
    /// Indices and service name of the first items that were refused; empty if none were.
    pub refused_first: String,
    /// The answer to the sender if `failed` is 0: rejected and refused items, in the unit of the response, and the
    /// destination's messages.
    pub answer: Accepted,
}

impl PartlyDelivered {
    /// Returns the outcomes of the items, if the error is of a batch that was sent in parts.
    pub fn of(error: &ExportError) -> Option<&Self> {
        error.source()?.downcast_ref()
    }
}
