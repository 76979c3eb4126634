//! The contract of holders and connectors: components that hold data over time, or send data into other pipelines.
//!
//! A holder is a stage of a pipeline and emits into the following stages (tail sampling, deduplication). A connector is at the
//! end of a pipeline, in the place of an exporter, and emits into other pipelines (counting, routing, forwarding). Both are an
//! [`Export`] with a line of their own in the ledger, which they keep through a [`HolderAccount`].

mod account;
mod outlet;
mod stage;

pub use account::HolderAccount;
pub use outlet::Outlet;
pub use stage::HolderStage;

use crate::component::Needs;
use crate::fanout::Delivery;
use crate::ledger::{Account, Hop};
use crate::telemetry::Registry;
use otlp_protocol::{Batch, ByteBudget, Signal};
use otlp_transport::{BoxExport, Clock, Export, ExportFuture};
use outlet::Emissions;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

/// Any error of a component that could not be made or started.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Holds data over time, or sends data into other pipelines.
///
/// [`Export::export`] receives batches. [`Answers`] is the time of its answer. A panic fails the batch with a final error, and
/// nothing else.
///
/// ```
/// use otlp_protocol::Batch;
/// use otlp_service::{Answers, Holder, HolderAccount, HolderContext, HolderSpec, Outlet};
/// use otlp_transport::{Export, ExportResult};
///
/// /// Sends batches into another pipeline.
/// struct Forward(HolderAccount, Outlet);
///
/// impl Export for Forward {
///     async fn export(&self, batch: Batch) -> ExportResult {
///         let held = self.0.hold(batch.items());
///         self.1.export(batch, held).await
///     }
/// }
///
/// impl Holder for Forward {}
///
/// let spec = HolderSpec::new(Answers::AfterCommit, |context: HolderContext| {
///     let outlet = context.outlets.first().ok_or("no pipeline to send to")?;
///     Ok(Forward(context.account.clone(), outlet.clone()))
/// });
/// # drop(spec);
/// ```
pub trait Holder: Export {
    /// Starts background work, such as a timer. Called once, within the tokio runtime, before the first batch. Default: none.
    fn start(&self) {}

    /// Emits all held data at once, and waits until it is emitted. Default: nothing is held.
    fn flush(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Refuses new batches and emits all held data; cancelled at `deadline`. All components in front of the holder have been
    /// drained before. Default: [`flush`](Self::flush).
    fn drain(&self, _deadline: Instant) -> impl Future<Output = ()> + Send {
        self.flush()
    }
}

/// Time of a holder's answer to a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// Before the emitted batches are committed: a crash loses the held data, so the pipeline is in memory mode.
    /// [Held](HolderAccount::hold) items count as accepted, and as dropped for
    /// [`DropReason::Shutdown`](crate::DropReason::Shutdown) if the guard is dropped.
    OnAdmission,
    /// With the answer to the emitted batches, or once the holder's state is on disk. [Held](HolderAccount::hold) items count
    /// as accepted with the answer, and as refused if the guard is dropped.
    AfterCommit,
}

/// Input for making a holder, once for each pipeline with that holder: from the gateway, or from [`HolderSpec::context`].
#[non_exhaustive]
pub struct HolderContext {
    /// The component's id: `dedup/fast`.
    pub id: String,
    /// The id of the holder's pipeline.
    pub pipeline: String,
    /// The signal of the incoming batches.
    pub signal: Signal,
    /// The holder's line in the ledger.
    pub account: HolderAccount,
    /// Outlets to emit into: the rest of the pipeline for a stage, the pipelines that name a connector as a receiver.
    pub outlets: Vec<Outlet>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The byte budget, for held data outside of batches; batches are charged already.
    pub budget: ByteBudget,
    /// The registry for own metrics.
    pub registry: Registry,
    emissions: Emissions,
}

/// Description of a holder or a connector, and its factory. Cloning shares the factory.
#[derive(Clone)]
pub struct HolderSpec {
    /// Time of the answer.
    pub answers: Answers,
    /// Metadata of requests that the holder reads. Default none.
    pub needs: Needs,
    /// A connector emits the data of a signal into pipelines of that signal alone. Default false: it may emit into pipelines of
    /// any signal.
    pub same_signal: bool,
    make: Arc<Make>,
}

type Make = dyn Fn(HolderContext) -> Result<BoxHolder, BoxError> + Send + Sync;

/// Any [`Holder`]. Cloning shares the holder.
#[derive(Clone)]
pub(crate) struct BoxHolder(Arc<dyn DynHolder>);

type Done<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

trait DynHolder: Send + Sync {
    fn export(&self, batch: Batch) -> ExportFuture<'_>;

    fn start(&self);

    fn flush(&self) -> Done<'_>;

    fn drain(&self, deadline: Instant) -> Done<'_>;
}

// === impl Answers ===

impl Answers {
    /// Returns the delivery of a pipeline from the holder on, if the next component has the delivery `behind`.
    pub(crate) fn delivery(self, behind: Delivery) -> Delivery {
        match self {
            Self::OnAdmission => Delivery::Memory,
            Self::AfterCommit => behind,
        }
    }
}

// === impl HolderContext ===

impl HolderContext {
    /// Adds an outlet into `next`, as a pipeline of that id and signal.
    #[must_use]
    pub fn with_outlet(mut self, pipeline: &str, signal: Signal, next: impl Export) -> Self {
        let (clock, emissions) = (self.clock.clone(), self.emissions.clone());
        self.outlets.push(Outlet::new(pipeline, signal, BoxExport::new(next), clock, emissions));
        self
    }
}

impl fmt::Debug for HolderContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HolderContext")
            .field("id", &self.id)
            .field("pipeline", &self.pipeline)
            .field("signal", &self.signal)
            .field("outlets", &self.outlets)
            .finish_non_exhaustive()
    }
}

// === impl HolderSpec ===

impl fmt::Debug for HolderSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HolderSpec")
            .field("answers", &self.answers)
            .field("needs", &self.needs)
            .field("same_signal", &self.same_signal)
            .finish_non_exhaustive()
    }
}

impl HolderSpec {
    /// Creates a description with a factory, which is called for each pipeline with the holder.
    pub fn new<H: Holder>(
        answers: Answers,
        make: impl Fn(HolderContext) -> Result<H, BoxError> + Send + Sync + 'static,
    ) -> Self {
        let make = move |context| make(context).map(|holder| BoxHolder(Arc::new(holder)));
        Self { answers, needs: Needs::default(), same_signal: false, make: Arc::new(make) }
    }

    /// Makes a connector lead from pipelines of a signal into pipelines of that signal alone.
    #[must_use]
    pub fn with_same_signal(mut self) -> Self {
        self.same_signal = true;
        self
    }

    /// Returns true if a connector that ends a pipeline of the signal `from` emits into pipelines of the signal `to`.
    pub fn connects(&self, from: Signal, to: Signal) -> bool {
        !self.same_signal || from == to
    }

    /// Sets the metadata of requests that the holder reads.
    #[must_use]
    pub fn with_needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    /// Creates the input for a holder outside of a gateway. `account` names the holder and its pipeline. The context has no outlet
    /// yet, a byte budget without a limit, and a registry of its own.
    pub fn context(&self, account: Arc<Account>, signal: Signal, clock: Arc<dyn Clock>) -> HolderContext {
        let line = account.line();
        HolderContext {
            id: line.destination,
            pipeline: line.pipeline,
            signal,
            account: HolderAccount { hop: Hop::of([account]), answers: self.answers },
            outlets: Vec::new(),
            clock,
            budget: ByteBudget::new(u64::MAX),
            registry: Registry::new(),
            emissions: Emissions::new(),
        }
    }

    /// Makes the holder, without starting it.
    ///
    /// # Errors
    /// The error of the factory.
    pub fn make(&self, context: HolderContext) -> Result<HolderStage, BoxError> {
        let (account, clock) = (context.account.clone(), context.clock.clone());
        let emissions = context.emissions.clone();
        Ok(HolderStage::new((self.make)(context)?, account, emissions, clock))
    }
}

// === impl BoxHolder ===

impl BoxHolder {
    pub(crate) fn export(&self, batch: Batch) -> ExportFuture<'_> {
        self.0.export(batch)
    }

    pub(crate) fn start(&self) {
        self.0.start();
    }

    pub(crate) fn flush(&self) -> Done<'_> {
        self.0.flush()
    }

    pub(crate) fn drain(&self, deadline: Instant) -> Done<'_> {
        self.0.drain(deadline)
    }
}

impl<H: Holder> DynHolder for H {
    fn export(&self, batch: Batch) -> ExportFuture<'_> {
        Box::pin(Export::export(self, batch))
    }

    fn start(&self) {
        Holder::start(self);
    }

    fn flush(&self) -> Done<'_> {
        Box::pin(Holder::flush(self))
    }

    fn drain(&self, deadline: Instant) -> Done<'_> {
        Box::pin(Holder::drain(self, deadline))
    }
}
