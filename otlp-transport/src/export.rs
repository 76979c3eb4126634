//! The contracts between components: [`Export`] takes a batch and answers for it, [`Attempt`] tries once to deliver a
//! borrowed batch.

use crate::ExportError;
use otlp_protocol::{Accepted, Batch};
use std::any::type_name;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// The outcome of an export: how much the receiver accepted, or why the batch failed.
pub type ExportResult = Result<Accepted, ExportError>;

/// A boxed future of an [`ExportResult`].
pub type ExportFuture<'a> = Pin<Box<dyn Future<Output = ExportResult> + Send + 'a>>;

/// Takes a batch and answers for it: the returned future is the acknowledgement.
///
/// `Ok` means that responsibility for the batch has passed on; an error says in [`ExportError::retry`] if the same bytes may
/// be sent again. There is no `poll_ready`: back-pressure is a future that does not resolve yet, or a retryable error.
///
/// Cancel-safety: dropping the future never un-sends; the batch may still arrive.
///
/// Servers hand their batches to an export ([`Routes`](crate::Routes)). `Arc<E>` is an export too, so that a test or a program
/// keeps its own handle; a closure becomes one by [`BoxExport::from_fn`].
///
/// ```
/// use otlp_protocol::{Accepted, Batch, ErrorKind};
/// use otlp_transport::{Export, ExportError, ExportResult};
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// /// Counts items, and refuses more than `max` of them for the moment.
/// struct Counter {
///     items: AtomicU64,
///     max: u64,
/// }
///
/// impl Export for Counter {
///     async fn export(&self, batch: Batch) -> ExportResult {
///         if self.items.fetch_add(batch.items(), Ordering::Relaxed) > self.max {
///             return Err(ExportError::refused(ErrorKind::Exhausted, "too many items")); // to be sent again
///         }
///         Ok(Accepted::FULL)
///     }
/// }
/// ```
pub trait Export: Send + Sync + 'static {
    /// Exports one batch.
    fn export(&self, batch: Batch) -> impl Future<Output = ExportResult> + Send;

    /// Counts `items` that a server took out of a request before the request became a batch: the sender was told, and
    /// keeps them. The default counts nothing.
    fn refuse(&self, _items: u64) {}

    /// Counts a request that a server refused for lack of memory. The number of its items is unknown, since the request was
    /// not read. The default counts nothing.
    fn refuse_unread(&self) {}
}

/// Makes one attempt to deliver a batch. The caller keeps the batch, and the memory that is charged for it.
///
/// Clients and exporters are attempts; a retry passes one batch to several attempts. Each attempt is an [`Export`] too, which
/// keeps the batch until its one attempt has ended.
///
/// An error says in [`ExportError::retry`] if the same bytes may be sent again. Cancel-safety: dropping the future never
/// un-sends; the batch may still arrive.
///
/// ```
/// use otlp_protocol::{Accepted, Batch};
/// use otlp_transport::{Attempt, ExportResult};
///
/// /// Accepts everything and keeps nothing.
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

/// The shared export itself. An `Arc` of an [`Attempt`] is an export, but no attempt: see [`BoxAttempt`] for a shared one.
impl<E: Export> Export for Arc<E> {
    fn export(&self, batch: Batch) -> impl Future<Output = ExportResult> + Send {
        E::export(self, batch)
    }

    fn refuse(&self, items: u64) {
        E::refuse(self, items);
    }

    fn refuse_unread(&self) {
        E::refuse_unread(self);
    }
}

/// Any [`Export`] behind one type: what connects configured components. Cloning shares the export.
///
/// ```
/// use otlp_protocol::encode::{RequestWriter, Spans};
/// use otlp_protocol::{Accepted, Batch, Charge, Signal, ValidateLimits};
/// use otlp_transport::{BoxExport, Export};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let export = BoxExport::from_fn(|batch: Batch| async move {
///     assert_eq!(batch.items(), 1);
///     Ok(Accepted::FULL)
/// });
/// let mut body = Vec::new();
/// RequestWriter::<Spans>::new(&mut body).resource_group(|group| {
///     group.scope_group(|scope| {
///         scope.span(|span| {
///             span.name("GET /cart");
///         });
///     });
/// });
/// let batch = Batch::checked(Signal::TRACES, body, &ValidateLimits::default(), Charge::none())?;
/// assert_eq!(export.export(batch).await?, Accepted::FULL);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct BoxExport(Arc<dyn DynExport>);

trait DynExport: Send + Sync {
    fn export(&self, batch: Batch) -> ExportFuture<'_>;

    fn refuse(&self, items: u64);

    fn refuse_unread(&self);

    fn type_name(&self) -> &'static str;
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

    fn type_name(&self) -> &'static str {
        type_name::<E>()
    }
}

impl BoxExport {
    /// Wraps any export.
    pub fn new(export: impl Export) -> Self {
        Self(Arc::new(export))
    }

    /// Makes an export of a closure that returns a future, such as `|batch| async move { … }`.
    pub fn from_fn<F, R>(export: F) -> Self
    where
        F: Fn(Batch) -> R + Send + Sync + 'static,
        R: Future<Output = ExportResult> + Send + 'static,
    {
        Self::new(FromFn(export))
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

impl fmt::Debug for BoxExport {
    /// The type of the export.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BoxExport({})", self.0.type_name())
    }
}

/// The export of a closure.
struct FromFn<F>(F);

impl<F, R> Export for FromFn<F>
where
    F: Fn(Batch) -> R + Send + Sync + 'static,
    R: Future<Output = ExportResult> + Send + 'static,
{
    fn export(&self, batch: Batch) -> impl Future<Output = ExportResult> + Send {
        (self.0)(batch)
    }
}

/// Any [`Attempt`] behind one type: what configured exporters are. Cloning shares the attempt.
///
/// ```
/// # use otlp_protocol::{Accepted, Batch};
/// # use otlp_transport::{Attempt, BoxAttempt, ExportResult};
/// # use std::sync::Arc;
/// # struct Nop;
/// # impl Attempt for Nop {
/// #     async fn attempt(&self, _batch: &Batch) -> ExportResult { Ok(Accepted::FULL) }
/// # }
/// let attempt = BoxAttempt::new(Nop);
/// let kept = Arc::new(Nop);
/// let shared = BoxAttempt::from(kept.clone());
/// assert!(format!("{attempt:?}").contains("Nop"));
/// let counting = BoxAttempt::from_fn(|batch: &Batch| {
///     let items = batch.items();
///     async move {
///         println!("{items} items");
///         Ok(Accepted::FULL)
///     }
/// });
/// # drop((shared, counting));
/// ```
#[derive(Clone)]
pub struct BoxAttempt(Arc<dyn DynAttempt>);

trait DynAttempt: Send + Sync {
    fn attempt<'a>(&'a self, batch: &'a Batch) -> ExportFuture<'a>;

    fn type_name(&self) -> &'static str;
}

impl<A: Attempt> DynAttempt for A {
    fn attempt<'a>(&'a self, batch: &'a Batch) -> ExportFuture<'a> {
        Box::pin(Attempt::attempt(self, batch))
    }

    fn type_name(&self) -> &'static str {
        type_name::<A>()
    }
}

impl BoxAttempt {
    /// Wraps any attempt.
    pub fn new(attempt: impl Attempt) -> Self {
        Self(Arc::new(attempt))
    }

    /// Makes an attempt of a closure. The closure looks at the batch and returns a future, which does not borrow the batch.
    pub fn from_fn<F, R>(attempt: F) -> Self
    where
        F: Fn(&Batch) -> R + Send + Sync + 'static,
        R: Future<Output = ExportResult> + Send + 'static,
    {
        Self::new(FromRef(attempt))
    }
}

/// The attempt of a closure.
struct FromRef<F>(F);

impl<F, R> Attempt for FromRef<F>
where
    F: Fn(&Batch) -> R + Send + Sync + 'static,
    R: Future<Output = ExportResult> + Send + 'static,
{
    fn attempt(&self, batch: &Batch) -> impl Future<Output = ExportResult> + Send {
        (self.0)(batch)
    }
}

impl<A: Attempt> From<Arc<A>> for BoxAttempt {
    fn from(attempt: Arc<A>) -> Self {
        Self(attempt)
    }
}

impl Attempt for BoxAttempt {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        self.0.attempt(batch).await
    }
}

impl fmt::Debug for BoxAttempt {
    /// The type of the attempt.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BoxAttempt({})", self.0.type_name())
    }
}

#[cfg(test)]
mod tests;
