//! The contracts of components that are started and stopped with their gateway: exporters with a lifecycle, and extensions.

use crate::component::Needs;
use crate::holder::BoxError;
use otlp_transport::Attempt;
use std::pin::Pin;
use std::sync::Arc;

/// Attempts to deliver batches, and is started and stopped with its gateway.
///
/// A destination that needs neither is an [`Attempt`] alone.
pub trait Exporter: Attempt {
    /// Parts of a request beside its body that the exporter needs: the receivers of its pipelines keep them. Default none.
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// Starts the exporter, before its first batch and before any receiver starts: opens a file, logs in. Default nothing.
    ///
    /// # Errors
    /// The reason that the component cannot work: the gateway does not start then, or the reload changes nothing.
    fn start(&self) -> impl Future<Output = Result<(), BoxError>> + Send {
        async { Ok(()) }
    }

    /// Delivers accepted items that the exporter keeps in buffers, after its queues have been drained; cut off at the deadline
    /// of the drain. Default nothing.
    fn flush(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Stops the exporter, after the flush has ended or was cut off; cut off at the deadline of the drain too. Also called for an
    /// exporter that was started if the gateway could not be started. Default nothing.
    fn stop(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Runs beside the pipelines, from the start of the gateway to its stop: registers the gateway with a service discovery, or
/// renews credentials of other components.
///
/// ```
/// use otlp_service::{BoxError, Extension, ExtensionSpec};
/// use std::path::PathBuf;
///
/// /// A file that is there while the gateway runs.
/// struct Marker(PathBuf);
///
/// impl Extension for Marker {
///     async fn start(&self) -> Result<(), BoxError> {
///         Ok(std::fs::write(&self.0, "up")?)
///     }
///
///     async fn stop(&self) {
///         drop(std::fs::remove_file(&self.0));
///     }
/// }
///
/// # drop(ExtensionSpec::new("marker", Marker("gateway.up".into())));
/// ```
pub trait Extension: Send + Sync + 'static {
    /// Starts the extension, before all other components. Default nothing.
    ///
    /// # Errors
    /// The reason that the component cannot work: the gateway does not start then, or the reload changes nothing.
    fn start(&self) -> impl Future<Output = Result<(), BoxError>> + Send {
        async { Ok(()) }
    }

    /// Stops the extension, after all other components; cut off at the deadline of the drain. Also called for an extension that
    /// was started if the gateway could not be started. Default nothing.
    fn stop(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Any [`Extension`].
pub struct BoxExtension(pub(crate) Lifecycle);

/// An extension, which has nothing to flush.
struct Unbuffered<E>(E);

/// Start, flush and stop of any [`Exporter`] or [`Extension`].
pub(crate) type Lifecycle = Arc<dyn DynLifecycle>;

type Done<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

pub(crate) trait DynLifecycle: Send + Sync {
    fn start(&self) -> Done<'_, Result<(), BoxError>>;

    fn flush(&self) -> Done<'_, ()>;

    fn stop(&self) -> Done<'_, ()>;
}

// === impl BoxExtension ===

impl BoxExtension {
    /// Wraps any extension.
    pub fn new(extension: impl Extension) -> Self {
        Self(Arc::new(Unbuffered(extension)))
    }
}

// === impl DynLifecycle ===

impl<E: Extension> DynLifecycle for Unbuffered<E> {
    fn start(&self) -> Done<'_, Result<(), BoxError>> {
        Box::pin(self.0.start())
    }

    fn flush(&self) -> Done<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn stop(&self) -> Done<'_, ()> {
        Box::pin(self.0.stop())
    }
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
