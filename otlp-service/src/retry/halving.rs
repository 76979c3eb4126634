//! What the destination finds too large is cut in halves until it fits.

use super::ExponentialBackoffRetry;
use crate::cut::cut;
use crate::fanout::join_messages;
use otlp_protocol::{Accepted, Batch, ErrorKind, Retry, SplitLimits};
use otlp_transport::{Export, ExportError, ExportResult};

impl<E: Export> ExponentialBackoffRetry<E> {
    /// Sends a batch that was refused as too large, in parts. Parts that are refused for good count as rejected; a part
    /// that fails retryably fails the whole, so that what was sent before it may arrive twice.
    pub(super) async fn export_halves(&self, batch: Batch, refusal: ExportError) -> ExportResult {
        let signal = batch.signal;
        let mut parts = halves(batch);
        let mut cuts = 1;
        let mut delivered = false;
        let mut sum = Accepted::FULL;
        if parts.len() < 2 {
            return Err(refusal.with_retry(Retry::Never));
        }
        while let Some(part) = parts.pop() {
            let rejectable = part.count().rejectable(signal);
            let error = match self.attempt(&part).await {
                Ok(accepted) => {
                    delivered = true;
                    sum.rejected += accepted.rejected.min(rejectable);
                    join_messages(&mut sum.message, &accepted.message);
                    continue;
                }
                Err(error) => error,
            };
            if is_too_large(&error) {
                if part.items() > 1 && cuts < MAX_CUTS {
                    cuts += 1;
                    let smaller = halves(part);
                    if smaller.len() > 1 {
                        parts.extend(smaller);
                        continue;
                    }
                }
            } else if error.retry().is_retryable() {
                return Err(error);
            }
            sum.rejected += rejectable;
            join_messages(&mut sum.message, error.message());
        }
        if delivered { Ok(sum) } else { Err(refusal.with_retry(Retry::Never)) }
    }
}

/// Whether an error says that the request is over a size limit. Not every server uses the right code for it: tonic
/// answers OUT_OF_RANGE and the Collector's HTTP receiver 400, so the texts are looked at too.
pub(super) fn is_too_large(error: &ExportError) -> bool {
    error.kind() == ErrorKind::TooLarge || SIZE_TEXTS.iter().any(|text| error.message().contains(text))
}

/// The batch in two parts of about as many items, the first one last; in one if it cannot be cut.
fn halves(batch: Batch) -> Vec<Batch> {
    let max_items = batch.items().div_ceil(2).max(1);
    let mut parts = cut(batch, SplitLimits { max_items: Some(max_items), max_bytes: None });
    parts.reverse();
    parts
}

/// As grpc-go, tonic and Go's net/http put it.
const SIZE_TEXTS: [&str; 3] = ["larger than max", "length too large", "request body too large"];

/// A batch is sent in at most 64 parts: a destination that finds everything too large must not cost a request an item.
const MAX_CUTS: u32 = 63;
