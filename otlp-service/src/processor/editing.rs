//! Editing a batch within the byte budget: the new body is charged before it is made.

use otlp_protocol::{Batch, Charge, EditError, Edited, Editor, ErrorKind, Retry, edit};
use otlp_transport::ExportError;

/// Lets an editor change a batch, which is expected to become `growth` bytes longer. What becomes longer than was charged
/// is edited anew with twice as much; `editor` makes an editor each time.
pub(super) fn edit_batch<E: Editor>(
    mut batch: Batch,
    growth: usize,
    mut editor: impl FnMut() -> E,
) -> Result<Batch, ExportError> {
    let most = batch.len().saturating_mul(MAX_GROWTH).max(MAX_BYTES);
    let mut limit = batch.len().saturating_add(growth).saturating_add(SLACK_BYTES).min(most);
    let mut charge = batch.charge().another();
    loop {
        // The notes on what to change take as much again, at most, until the body is made of them.
        reserve(&batch, &mut charge, (limit as u64).saturating_mul(2))?;
        match edit(batch.body(), &mut editor(), limit) {
            Err(EditError::TooLarge { .. }) if limit < most => limit = limit.saturating_mul(2).min(most),
            Err(error) => return Err(ExportError::new(ErrorKind::TooLarge, Retry::Never, error.to_string())),
            Ok(Edited { changed: false, .. }) => return Ok(batch),
            Ok(Edited { body, .. }) => {
                charge.shrink_to(body.len() as u64);
                if body.plain().segments().nth(1).is_some() {
                    // It links to stretches of the old body, which stays as long.
                    drop(charge.merge(batch.take_charge()));
                }
                return Ok(batch.with_body(body, charge));
            }
        }
    }
}

/// Lets `charge` hold `bytes`, beside what the batch holds.
///
/// # Errors
/// If the memory budget has no room for them: retryable, unless it would have none if it were empty.
pub(super) fn reserve(batch: &Batch, charge: &mut Charge, bytes: u64) -> Result<(), ExportError> {
    let more = bytes.saturating_sub(charge.bytes());
    charge.try_grow(more).map_err(|exhausted| exhausted.beside(batch.charge().bytes()).into())
}

/// Attributes that came from elsewhere in the request, and changed lengths.
const SLACK_BYTES: usize = 4 << 10;

/// A request may become this many times as long, or [`MAX_BYTES`].
const MAX_GROWTH: usize = 4;

/// As long as a request may be when it comes: OTLP §Request size.
const MAX_BYTES: usize = 64 << 20;

#[cfg(test)]
mod tests;
