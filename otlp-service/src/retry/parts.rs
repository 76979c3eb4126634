//! What became of a batch whose parts had different fates.

use otlp_protocol::Accepted;
use otlp_transport::ExportError;
use std::error::Error as _;

/// Items of one batch by their fate: the source of the error that
/// [`ExponentialBackoffRetry`](crate::ExponentialBackoffRetry) returns for a batch that was sent in parts, if not all of
/// the parts were accepted and not all failed alike.
///
/// The error may be sent again if `failed` is not 0; the items that were sent then arrive twice.
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
    /// Items that the destination refused for good.
    pub refused: u64,
    /// Items whose last attempt failed in a way that may be retried.
    pub failed: u64,
    /// The first items that were refused, and the service they are of; empty without any.
    pub refused_first: String,
    /// What the sender is told if nothing is to be sent again: rejected and refused items, in the unit of the response,
    /// and the destination's texts.
    pub answer: Accepted,
}

impl PartlyDelivered {
    /// The fates of the items, if an error has them.
    pub fn of(error: &ExportError) -> Option<&Self> {
        error.source()?.downcast_ref()
    }
}
