//! Cutting one batch in several.

use otlp_protocol::{Batch, SplitLimits, split};

/// The batch in parts within the limits, in order; in one if it fits, or cannot be cut. The parts share the charge.
pub(crate) fn cut(mut batch: Batch, limits: SplitLimits) -> Vec<Batch> {
    let parts = match split(batch.signal, batch.body().plain(), limits) {
        Ok(parts) if parts.len() > 1 => parts,
        // An error cannot be: the body was checked at the door. Then it goes as it is.
        Ok(_) | Err(_) => return vec![batch],
    };
    let mut part_of = |(payload, count)| {
        let (_, _, charge) = batch.share().into_parts();
        let mut part = Batch::new(batch.signal, payload, count, batch.is_mergeable(), charge);
        part.origin = batch.origin.clone();
        part.deadline = batch.deadline;
        part
    };
    parts.into_iter().map(&mut part_of).collect()
}
