//! The contract of receivers, which take telemetry in and hand it to pipelines.

mod inlets;
mod otlp;

pub use inlets::Inlets;
pub use otlp::{OtlpReceiver, OtlpServers};

pub(crate) use inlets::{Entrance, PipelineEntry, Pipelines};

use crate::gateway::StartError;
use otlp_transport::{Address, TransportContext};
use std::pin::Pin;
use std::time::Instant;

/// Takes telemetry in and hands it to the pipelines that name the receiver: a server, a reader of files, a poller of devices.
///
/// ```
/// use otlp_protocol::{Batch, Charge, Count, Signal};
/// use otlp_service::{Inlets, Receiver, Running, StartError};
/// use otlp_transport::{Export, TransportContext};
/// use std::time::Instant;
///
/// /// Sends one empty batch, when it starts.
/// struct Once;
///
/// struct Started(tokio::task::JoinHandle<()>);
///
/// impl Receiver for Once {
///     type Running = Started;
///
///     async fn start(self, inlets: Inlets, _: &TransportContext) -> Result<Started, StartError> {
///         let logs = inlets.to(Signal::LOGS, "once");
///         Ok(Started(tokio::spawn(async move {
///             let batch = Batch::unchecked(Signal::LOGS, vec![], Count::default(), true, Charge::none());
///             if let Some(logs) = logs {
///                 drop(logs.export(batch).await);
///             }
///         })))
///     }
/// }
///
/// impl Running for Started {
///     async fn drain(self, _deadline: Instant) {
///         drop(self.0.await);
///     }
/// }
/// ```
pub trait Receiver: Send + Sync + 'static {
    /// The receiver once started.
    type Running: Running;

    /// Starts the receiver. Everything behind the receiver has been started before. While a reload builds, the receiver runs
    /// beside its predecessor already; its batches go into the new pipelines, and it is drained if the reload fails. Called within the tokio runtime.
    ///
    /// # Errors
    /// The reason that the receiver cannot work: the gateway does not start then, or the reload changes nothing.
    fn start(
        self,
        inlets: Inlets,
        context: &TransportContext,
    ) -> impl Future<Output = Result<Self::Running, StartError>> + Send;

    /// Addresses (`host:port`) at which the receiver keeps no headers, though [`Inlets::needs`] asks for headers. Default
    /// none.
    fn without_headers(&self) -> Vec<String> {
        Vec::new()
    }

    /// Addresses (`host:port`) on which the receiver is to listen by the network of its context, for the text of
    /// [`Changes`](crate::Changes): on the same addresses as its predecessor it takes over the sockets. Default none.
    fn listens_on(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A receiver that was started. Dropping it stops it at once.
pub trait Running: Send + Sync + 'static {
    /// Tells health probes that the receiver is about to stop, and goes on. Default nothing.
    fn leave(&self) {}

    /// Prepares the receiver to take the signals of `inlets` in place of those that it was started with, for a reload that
    /// changes which signals pipelines take from it. The function that comes back makes the change, or is dropped if the
    /// reload fails; inlets of signals that stay lead to the new pipelines by themselves. `None`, the default: the receiver
    /// cannot, and the reload makes it anew. A replaced receiver is asked as well, to give up signals that no pipeline takes
    /// any more: if it can, it retires like any other; if it cannot, it is drained at once.
    fn reroute(&self, _inlets: &Inlets) -> Option<Reroute> {
        None
    }

    /// Accepts no new connections, and lets connected senders finish in their own time: a reload has put another receiver
    /// in its place, or removed it. Resolves when the last sender has gone; [`drain`](Self::drain) follows. Cancel-safe.
    /// Default: resolves at once.
    fn retire(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Accepts no further requests, and waits until requests under way have been answered; cut off at `deadline`.
    fn drain(self, deadline: Instant) -> impl Future<Output = ()> + Send;

    /// Names and addresses of the receiver's listeners: `otlp/grpc`. Default none.
    fn endpoints(&self) -> Vec<(String, Address)> {
        Vec::new()
    }
}

/// Changes which signals a running receiver takes, at once and without fail: made by [`Running::reroute`].
pub type Reroute = Box<dyn FnOnce() + Send>;

/// Any [`Receiver`].
pub struct BoxReceiver(Box<dyn DynReceiver>);

/// Any [`Running`] receiver.
pub(crate) struct BoxRunning(Box<dyn DynRunning>);

type Done<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

trait DynReceiver: Send + Sync {
    fn start<'a>(
        self: Box<Self>,
        inlets: Inlets,
        context: &'a TransportContext,
    ) -> Done<'a, Result<BoxRunning, StartError>>;

    fn without_headers(&self) -> Vec<String>;

    fn listens_on(&self) -> Vec<String>;
}

trait DynRunning: Send + Sync {
    fn leave(&self);

    fn reroute(&self, inlets: &Inlets) -> Option<Reroute>;

    fn retire(&self) -> Done<'_, ()>;

    fn drain(self: Box<Self>, deadline: Instant) -> Done<'static, ()>;

    fn endpoints(&self) -> Vec<(String, Address)>;
}

// === impl BoxReceiver ===

impl BoxReceiver {
    /// Wraps any receiver.
    pub fn new(receiver: impl Receiver) -> Self {
        Self(Box::new(receiver))
    }

    pub(crate) async fn start(
        self,
        inlets: Inlets,
        context: &TransportContext,
    ) -> Result<BoxRunning, StartError> {
        self.0.start(inlets, context).await
    }

    pub(crate) fn without_headers(&self) -> Vec<String> {
        self.0.without_headers()
    }

    pub(crate) fn listens_on(&self) -> Vec<String> {
        self.0.listens_on()
    }
}

impl<R: Receiver> DynReceiver for R {
    fn start<'a>(
        self: Box<Self>,
        inlets: Inlets,
        context: &'a TransportContext,
    ) -> Done<'a, Result<BoxRunning, StartError>> {
        Box::pin(async move {
            let running = Receiver::start(*self, inlets, context).await?;
            Ok(BoxRunning(Box::new(running)))
        })
    }

    fn without_headers(&self) -> Vec<String> {
        Receiver::without_headers(self)
    }

    fn listens_on(&self) -> Vec<String> {
        Receiver::listens_on(self)
    }
}

// === impl BoxRunning ===

impl BoxRunning {
    pub(crate) fn leave(&self) {
        self.0.leave();
    }

    pub(crate) fn reroute(&self, inlets: &Inlets) -> Option<Reroute> {
        self.0.reroute(inlets)
    }

    pub(crate) async fn retire(&self) {
        self.0.retire().await;
    }

    pub(crate) async fn drain(self, deadline: Instant) {
        self.0.drain(deadline).await;
    }

    pub(crate) fn endpoints(&self) -> Vec<(String, Address)> {
        self.0.endpoints()
    }
}

impl<R: Running> DynRunning for R {
    fn leave(&self) {
        Running::leave(self);
    }

    fn reroute(&self, inlets: &Inlets) -> Option<Reroute> {
        Running::reroute(self, inlets)
    }

    fn retire(&self) -> Done<'_, ()> {
        Box::pin(Running::retire(self))
    }

    fn drain(self: Box<Self>, deadline: Instant) -> Done<'static, ()> {
        Box::pin(Running::drain(*self, deadline))
    }

    fn endpoints(&self) -> Vec<(String, Address)> {
        Running::endpoints(self)
    }
}
