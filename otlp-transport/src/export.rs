//! The contracts between components: hand over a batch and await its fate, or lend it for one attempt.

use crate::ExportError;
use otlp_protocol::{Accepted, Batch};
use std::pin::Pin;
use std::sync::Arc;

/// The fate of a batch.
pub type ExportResult = Result<Accepted, ExportError>;

/// An [`ExportResult`] in its own time, of a [`BoxExport`] or a [`BoxAttempt`].
pub type ExportFuture<'a> = Pin<Box<dyn Future<Output = ExportResult> + Send + 'a>>;

/// Takes a batch and answers for it: the returned future is the acknowledgement.
///
/// `Ok` means that responsibility for the batch has passed on; an error says whether the same bytes may be sent again.
/// There is no `poll_ready`: back-pressure is the future not resolving, or a retryable error.
///
/// Dropping the future never un-sends: what has left may still arrive.
pub trait Export: Send + Sync + 'static {
    /// Exports one batch.
    fn export(&self, batch: Batch) -> impl Future<Output = ExportResult> + Send;

    /// Counts `items` that a server took out of a request before the request became a batch: they stay the sender's. By
    /// default nothing is counted.
    fn refuse(&self, _items: u64) {}

    /// Counts a request that a server refused for want of memory: how many items it has is not known, since it was not
    /// read. By default nothing is counted.
    fn refuse_unread(&self) {}
}

/// Makes one attempt to deliver a batch, which stays the caller's: so does the memory that is charged for it.
///
/// Clients and exporters are attempts; whoever retries lends one batch to several. Each of them is an [`Export`] too, which
/// keeps the batch until its one attempt has ended.
///
/// An error says whether the same bytes may be sent again. Dropping the future never un-sends: what has left may still
/// arrive.
///
/// ```
/// use otlp_protocol::{Accepted, Batch};
/// use otlp_transport::{Attempt, ExportResult};
///
/// /// Takes everything and keeps nothing.
/// struct Nop;
///
/// impl Attempt for Nop {
///     async fn attempt(&self, _batch: &Batch) -> ExportResult {
///         Ok(Accepted::FULL)
///     }
/// }
/// ```
pub trait Attempt: Send + Sync + 'static {
    /// Attempts to deliver one batch.
    fn attempt(&self, batch: &Batch) -> impl Future<Output = ExportResult> + Send;
}

impl<A: Attempt> Export for A {
    async fn export(&self, batch: Batch) -> ExportResult {
        self.attempt(&batch).await
    }
}

/// Any [`Export`]: the plug between configured components. Cloning shares it.
#[derive(Clone)]
pub struct BoxExport(Arc<dyn DynExport>);

trait DynExport: Send + Sync {
    fn export(&self, batch: Batch) -> ExportFuture<'_>;

    fn refuse(&self, items: u64);

    fn refuse_unread(&self);
}

impl<E: Export> DynExport for E {
    fn export(&self, batch: Batch) -> ExportFuture<'_> {
        Box::pin(Export::export(self, batch))
    }

    fn refuse(&self, items: u64) {
        Export::refuse(self, items);
    }

    fn refuse_unread(&self) {
        Export::refuse_unread(self);
    }
}

impl BoxExport {
    /// Wraps any export.
    pub fn new(export: impl Export) -> Self {
        Self(Arc::new(export))
    }
}

impl Export for BoxExport {
    fn export(&self, batch: Batch) -> impl Future<Output = ExportResult> + Send {
        self.0.export(batch)
    }

    fn refuse(&self, items: u64) {
        self.0.refuse(items);
    }

    fn refuse_unread(&self) {
        self.0.refuse_unread();
    }
}

/// Any [`Attempt`]: the plug of configured exporters. Cloning shares it.
#[derive(Clone)]
pub struct BoxAttempt(Arc<dyn DynAttempt>);

trait DynAttempt: Send + Sync {
    fn attempt<'a>(&'a self, batch: &'a Batch) -> ExportFuture<'a>;
}

impl<A: Attempt> DynAttempt for A {
    fn attempt<'a>(&'a self, batch: &'a Batch) -> ExportFuture<'a> {
        Box::pin(Attempt::attempt(self, batch))
    }
}

impl BoxAttempt {
    /// Wraps any attempt.
    pub fn new(attempt: impl Attempt) -> Self {
        Self(Arc::new(attempt))
    }
}

impl Attempt for BoxAttempt {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        self.0.attempt(batch).await
    }
}
