//! Batches in queues, and the receipts of stored batches.

use crate::fanout::deliver;
use crate::ledger::{DropReason, Held};
use otlp_protocol::Batch;
use otlp_transport::{Export, ExportResult};
use std::fmt;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// A batch in a [`Queue`](crate::Queue), with its account in the ledger and the sender that waits for the answer.
///
/// Dropping an entry counts its items as dropped for a shutdown, or as refused if the entry was not admitted, and answers the
/// sender with an error. Dropping an entry [with a receipt](Self::with_receipt) counts nothing: its batch stays stored.
#[derive(Debug)]
pub struct QueueEntry {
    /// The batch.
    pub batch: Batch,
    pub(crate) held: Held,
    /// The sender that waits for the destination's answer.
    pub(crate) answer: Option<oneshot::Sender<ExportResult>>,
    pub(crate) receipts: Receipts,
    /// Room in the queue, kept until the batch is handed to a consumer.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

/// Told by an entry that its outcome is final: the batch was delivered, or dropped for good and counted.
///
/// A queue that stores batches attaches a receipt to each entry that it hands out, and removes the stored batch when the
/// receipt is settled. A receipt that is dropped unsettled belongs to a batch whose outcome is open, because a shutdown
/// cancelled the delivery: the batch stays stored, and is delivered after the next start.
pub trait Receipt: Send + 'static {
    /// The outcome is final.
    fn settled(self: Box<Self>);
}

/// Receipts of a batch. No receipts and one receipt take no further allocation.
#[derive(Default)]
pub(crate) struct Receipts(Option<Box<dyn Receipt>>);

/// Two receipts of one batch.
struct Both(Box<dyn Receipt>, Box<dyn Receipt>);

// === impl QueueEntry ===

impl QueueEntry {
    pub(crate) fn new(batch: Batch, held: Held, answer: Option<oneshot::Sender<ExportResult>>) -> Self {
        Self { batch, held, answer, receipts: Receipts::default(), room: None }
    }

    /// Adds a receipt, which is settled once the outcome of the batch is final. From now on the batch counts as stored: if the
    /// entry is dropped or its delivery is cancelled, its items are not counted as dropped.
    #[must_use]
    pub fn with_receipt(mut self, receipt: Box<dyn Receipt>) -> Self {
        self.held.store();
        self.receipts.add(receipt);
        self
    }

    /// Counts the batch as accepted, unless its sender waits for the destination's answer. To be called once the batch is
    /// stored, and before it is delivered.
    pub fn admit(&mut self) {
        if self.answer.is_none() {
            // The sender has its answer: the sender's deadline must not drop the data.
            self.batch.deadline = None;
            self.held.admit();
        }
    }

    /// Exports the batch, counts the outcome of its items, settles the receipts, and answers a sender that waits. A panic of the
    /// exporter is an error like others.
    pub async fn deliver<E: Export>(self, export: &E) {
        let Self { batch, held, answer, receipts, room } = self;
        drop(room);
        let result = deliver(export, batch, held).await;
        receipts.settle();
        if let Some(answer) = answer {
            // A caller that went away needs no answer.
            drop(answer.send(result));
        }
    }

    /// Drops the batch of a full queue, and counts its items as dropped for [`DropReason::QueueFull`].
    pub fn overflow(mut self) {
        self.admit();
        self.held.drop_for(DropReason::QueueFull);
        self.receipts.settle();
    }
}

// === impl Receipts ===

impl Receipts {
    /// True if there are no receipts.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn add(&mut self, receipt: Box<dyn Receipt>) {
        self.0 = Some(match self.0.take() {
            None => receipt,
            Some(first) => Box::new(Both(first, receipt)),
        });
    }

    /// Settles all receipts.
    pub(crate) fn settle(self) {
        if let Some(receipt) = self.0 {
            receipt.settled();
        }
    }
}

impl Receipt for Both {
    fn settled(self: Box<Self>) {
        let Self(first, second) = *self;
        first.settled();
        second.settled();
    }
}

impl fmt::Debug for Receipts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Receipts(..)" } else { "Receipts" })
    }
}
