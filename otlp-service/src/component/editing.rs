//! Edits of batches within the byte budget: the new body is charged before it is made.

use super::{Out, Reason};
use otlp_protocol::rewrite::{Rewriter, rewrite};
use otlp_protocol::{
    Batch, Charge, Count, EditError, Edited, Editor, ErrorKind, Regrouped, Retry, edit, regroup,
};
use otlp_transport::ExportError;

/// Room for the edit of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Expected growth, in bytes.
    pub(crate) growth: usize,
    /// Bodies of the largest length that are in memory at the same time, the list of changes included.
    pub(crate) bodies: u64,
}

// === impl Room ===

impl Room {
    /// Room for an edit with one list of changes, which may take as much memory as the body that is made of it.
    pub(crate) fn growing(growth: usize) -> Self {
        Self { growth, bodies: 2 }
    }
}

// === impl Out ===

impl Out {
    /// Edits a batch, and [emits](Self::emit) the edited batch. Items that the editor drops are
    /// [settled](Self::settle) as [`Reason::Filtered`].
    ///
    /// `max_bytes` is the largest length of the edited body, and of the list of changes, in bytes: some KiB more than the
    /// body's length for an edit that only removes. Twice as much is charged to the byte budget of the batch during the edit.
    /// Afterwards the batch has the charge for its new body alone. A body that the editor does not change is emitted as it
    /// is.
    ///
    /// ```
    /// use otlp_protocol::encode::{LogRecords, RequestWriter};
    /// use otlp_protocol::{AttributeEdits, Batch, Charge, Decision, Editor, Item, Signal, ValidateLimits};
    /// use otlp_service::Out;
    ///
    /// /// Removes the attribute `password` of each item.
    /// struct RemovePasswords;
    ///
    /// impl Editor for RemovePasswords {
    ///     fn item(&mut self, _: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
    ///         attributes.delete("password");
    ///         Decision::Keep
    ///     }
    /// }
    ///
    /// let mut body = Vec::new();
    /// RequestWriter::<LogRecords>::new(&mut body).resource_group(|group| {
    ///     group.scope_group(|scope| {
    ///         scope.log_record(|record| {
    ///             record.body("login").attribute("password", "hunter2");
    ///         });
    ///     });
    /// });
    /// let batch = Batch::checked(Signal::LOGS, body, &ValidateLimits::default(), Charge::none())?;
    ///
    /// let mut out = Out::new();
    /// let max_bytes = batch.len() + 4096;
    /// out.edit(batch, &mut RemovePasswords, max_bytes)?;
    /// let edited = out.into_batches();
    /// assert!(!edited[0].body().plain().to_contiguous().windows(7).any(|bytes| bytes == b"hunter2"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Nothing is emitted if the edited body would be longer than `max_bytes` (final), or if the byte budget has no room
    /// (retryable, unless the need is larger than the whole budget).
    pub fn edit(
        &mut self,
        batch: Batch,
        editor: &mut (impl Editor + ?Sized),
        max_bytes: usize,
    ) -> Result<(), ExportError> {
        let mut charge = batch.charge().another();
        reserve(&batch, &mut charge, (max_bytes as u64).saturating_mul(Room::growing(0).bodies))?;
        let edited = edit(batch.body(), editor, max_bytes).map_err(refusal)?;
        self.emit_edited(batch, edited, Reason::Filtered, charge);
        Ok(())
    }

    /// Edits a batch that is expected to become `growth` bytes longer. An edit that runs out of room starts again with twice as
    /// much, up to four times the length of the batch or 64 MiB; `editor` makes the editor of each start. Items that the editor
    /// drops are settled for `reason`. Returns the editor of the edit that was made.
    ///
    /// # Errors
    /// As of [`edit`](Self::edit).
    pub(crate) fn edit_growing<E: Editor>(
        &mut self,
        batch: Batch,
        growth: usize,
        reason: Reason,
        mut editor: impl FnMut() -> E,
    ) -> Result<E, ExportError> {
        let once = |limit| {
            let mut editor = editor();
            edit(batch.body(), &mut editor, limit).map(|edited| (edited, editor))
        };
        let ((edited, editor), charge) = growing(&batch, Room::growing(growth), once)?;
        self.emit_edited(batch, edited, reason, charge);
        Ok(editor)
    }

    /// Changes a batch that is expected to become `growth` bytes longer, as [`rewrite`] does, and [emits](Self::emit) the batch.
    /// `rewriter` makes the rewriter of each start.
    ///
    /// # Errors
    /// As of [`edit`](Self::edit).
    pub(crate) fn rewrite_growing<R: Rewriter>(
        &mut self,
        batch: Batch,
        growth: usize,
        mut rewriter: impl FnMut() -> R,
    ) -> Result<(), ExportError> {
        let (edited, charge) =
            growing(&batch, Room::growing(growth), |limit| rewrite(batch.body(), &mut rewriter(), limit))?;
        self.emit_edited(batch, edited, Reason::Filtered, charge);
        Ok(())
    }

    /// Groups the items of a batch by attributes with these keys, as [`regroup`] does, and [emits](Self::emit) the batch. `growth` is the
    /// expected growth. Returns the number of items that had one of the keys, and the number of resources afterwards.
    ///
    /// # Errors
    /// As of [`edit`](Self::edit).
    pub(crate) fn regroup(
        &mut self,
        batch: Batch,
        keys: &[Box<str>],
        growth: usize,
    ) -> Result<(u64, usize), ExportError> {
        let (regrouped, charge) =
            growing(&batch, Room::growing(growth), |limit| regroup(batch.body(), keys, limit))?;
        let Regrouped { body, moved, resources, changed, .. } = regrouped;
        let edited = Edited { body, dropped: Count::default(), changed };
        self.emit_edited(batch, edited, Reason::Filtered, charge);
        Ok((moved, resources))
    }

    /// Edits a batch by `attempt`, which gets the largest length of the body and of the list of changes, in the room that is given, and
    /// [emits](Self::emit) the batch. An attempt that runs out of room starts again with twice as much. A dry run emits the batch as the
    /// batch is. Returns the second result of the last attempt.
    ///
    /// # Errors
    /// As of [`edit`](Self::edit).
    pub(crate) fn attempt<T>(
        &mut self,
        batch: Batch,
        room: Room,
        is_dry_run: bool,
        mut attempt: impl FnMut(&Batch, usize) -> (Result<Edited, EditError>, T),
    ) -> Result<T, ExportError> {
        let once = |limit| {
            let (edited, found) = attempt(&batch, limit);
            edited.map(|edited| (edited, found))
        };
        let ((edited, found), charge) = growing(&batch, room, once)?;
        if is_dry_run {
            self.emit(batch);
        } else {
            self.emit_edited(batch, edited, Reason::Filtered, charge);
        }
        Ok(found)
    }

    fn emit_edited(&mut self, mut batch: Batch, edited: Edited, reason: Reason, mut charge: Charge) {
        let Edited { body, dropped, changed } = edited;
        self.settle(reason, dropped.items);
        if !changed {
            return self.emit(batch);
        }
        charge.shrink_to(body.len() as u64);
        if body.plain().segments().nth(1).is_some() {
            // The new body links to stretches of the old body, which keeps all of the old body in memory.
            drop(charge.merge(batch.take_charge()));
        }
        self.emit(batch.with_body(body, charge));
    }
}

/// Changes a body in the room that is given, within the limit that `change` gets. Starts again with twice as much when that is too
/// little. Returns the result with a charge for at least its bytes.
fn growing<T>(
    batch: &Batch,
    room: Room,
    mut change: impl FnMut(usize) -> Result<T, EditError>,
) -> Result<(T, Charge), ExportError> {
    let most = batch.len().saturating_mul(MAX_GROWTH).max(MAX_BYTES);
    let mut limit = batch.len().saturating_add(room.growth).saturating_add(SLACK_BYTES).min(most);
    let mut charge = batch.charge().another();
    loop {
        reserve(batch, &mut charge, (limit as u64).saturating_mul(room.bodies))?;
        match change(limit) {
            Err(EditError::TooLarge { .. }) if limit < most => limit = limit.saturating_mul(2).min(most),
            Err(error) => return Err(refusal(error)),
            Ok(changed) => return Ok((changed, charge)),
        }
    }
}

/// Grows `charge` to `bytes`, beside the bytes that the batch holds.
///
/// # Errors
/// If the byte budget has no room for them: retryable, unless they would not fit into an empty budget.
pub(crate) fn reserve(batch: &Batch, charge: &mut Charge, bytes: u64) -> Result<(), ExportError> {
    let more = bytes.saturating_sub(charge.bytes());
    charge.try_grow(more).map_err(|exhausted| exhausted.beside(batch.charge().bytes()).into())
}

fn refusal(error: EditError) -> ExportError {
    ExportError::new(ErrorKind::TooLarge, Retry::Never, error.to_string())
}

/// Room for attributes that are copied from elsewhere in the request, and for lengths that grow.
const SLACK_BYTES: usize = 4 << 10;

/// The largest growth of a request by an edit, as a multiple of its length, unless [`MAX_BYTES`] is more.
const MAX_GROWTH: usize = 4;

/// 64 MiB, the limit of a received request: OTLP §Request size.
const MAX_BYTES: usize = 64 << 20;

#[cfg(test)]
mod tests;
