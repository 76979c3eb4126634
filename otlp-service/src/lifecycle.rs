//! The contract of exporters that have more to do than attempts.

use crate::component::Needs;
use crate::holder::BoxError;
use otlp_transport::Attempt;
use std::pin::Pin;
use std::sync::Arc;

/// Attempts to deliver batches, and is started and stopped with its gateway.
///
/// A destination that needs neither is an [`Attempt`] alone.
pub trait Exporter: Attempt {
    /// What it needs of a request beside its body: the receivers of its pipelines keep that. Default nothing.
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// Starts it, before its first batch and before any receiver starts: opens a file, logs in. Default nothing.
    ///
    /// # Errors
    /// Why it cannot work: the gateway does not start then.
    fn start(&self) -> impl Future<Output = Result<(), BoxError>> + Send {
        async { Ok(()) }
    }

    /// Hands on what it has taken and keeps in buffers, after its queues have been drained; cut off at the deadline of the
    /// drain. Default nothing.
    fn flush(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Stops it, after the flush or its cut; cut off at the deadline of the drain too. Also called for an exporter that was
    /// started if the gateway could not be. Default nothing.
    fn stop(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Start, flush and stop of any [`Exporter`].
pub(crate) type Lifecycle = Arc<dyn DynLifecycle>;

type Done<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

pub(crate) trait DynLifecycle: Send + Sync {
    fn start(&self) -> Done<'_, Result<(), BoxError>>;

    fn flush(&self) -> Done<'_, ()>;

    fn stop(&self) -> Done<'_, ()>;
}

impl<E: Exporter> DynLifecycle for E {
    fn start(&self) -> Done<'_, Result<(), BoxError>> {
        Box::pin(Exporter::start(self))
    }

    fn flush(&self) -> Done<'_, ()> {
        Box::pin(Exporter::flush(self))
    }

    fn stop(&self) -> Done<'_, ()> {
        Box::pin(Exporter::stop(self))
    }
}
