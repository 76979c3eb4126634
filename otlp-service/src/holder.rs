//! The contract of holders and connectors: components that hold data over time, or lead it into other pipelines.
//!
//! A holder stands among the stages of a pipeline and emits into the rest of it (tail sampling, deduplication). A
//! connector stands at the end of a pipeline, where exporters stand, and emits into other pipelines (counting, routing,
//! forwarding). Both are an [`Export`] with a line of their own in the ledger, which they keep through a [`HolderAccount`].

mod account;
mod outlet;
mod stage;

pub use account::HolderAccount;
pub use outlet::Outlet;
pub use stage::HolderStage;

use crate::component::Needs;
use crate::fanout::Delivery;
use crate::ledger::{Account, Hop};
use otlp_protocol::{Batch, ByteBudget, Signal};
use otlp_transport::{BoxExport, Clock, Export, ExportFuture};
use outlet::Emissions;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

/// Any error: why a component of somebody else's could not be made or started.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Holds data and answers for it, or leads it into other pipelines.
///
/// [`Export::export`] takes what comes in. When it may answer is what [`Answers`] says. A panic in it fails the batch
/// for good, and nothing else.
///
/// ```
/// use otlp_protocol::Batch;
/// use otlp_service::{Answers, Holder, HolderAccount, HolderContext, HolderSpec, Outlet};
/// use otlp_transport::{Export, ExportResult};
///
/// /// Leads batches into another pipeline.
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
///     let outlet = context.outlets.first().ok_or("forward leads nowhere")?;
///     Ok(Forward(context.account.clone(), outlet.clone()))
/// });
/// # drop(spec);
/// ```
pub trait Holder: Export {
    /// Starts work beside the batches that come in, such as a timer. Called once, within the tokio runtime, before the
    /// first batch comes. Default none.
    fn start(&self) {}

    /// Emits at once what is held, and waits until that has been emitted. Default: nothing is held.
    fn flush(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Takes no more, and emits what is held; cut off at `deadline`. Everything in front of the holder has been drained
    /// before. Default: [`flush`](Self::flush).
    fn drain(&self, _deadline: Instant) -> impl Future<Output = ()> + Send {
        self.flush()
    }
}

/// When a holder answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// Before what it emits is committed: what it holds in memory is lost in a crash, so that its pipeline counts as memory
    /// mode. What it [holds](HolderAccount::hold) counts as accepted, and as dropped for
    /// [`DropReason::Shutdown`](crate::DropReason::Shutdown) if it gives that up unsettled.
    OnAdmission,
    /// With the answer to what it emitted, or once its state is on disk. What it [holds](HolderAccount::hold) counts as accepted
    /// with the answer, and as refused if it gives that up unsettled.
    AfterCommit,
}

/// What a holder is made of, once for each pipeline that it stands in: by the gateway, or by [`HolderSpec::context`].
#[non_exhaustive]
pub struct HolderContext {
    /// The component's id: `dedup/fast`.
    pub id: String,
    /// The id of the pipeline that it stands in.
    pub pipeline: String,
    /// What comes in.
    pub signal: Signal,
    /// Its line in the ledger.
    pub account: HolderAccount,
    /// Where to emit: of a stage the rest of its pipeline, of a connector the pipelines that name it as a receiver.
    pub outlets: Vec<Outlet>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Charged for what is held beside batches, which bring their own charge.
    pub budget: ByteBudget,
    emissions: Emissions,
}

/// How a holder or a connector is made, and what is known of it before. Cloning shares it.
#[derive(Clone)]
pub struct HolderSpec {
    /// When it answers.
    pub answers: Answers,
    /// What it needs of a request beside its body. Default nothing.
    pub needs: Needs,
    make: Arc<Make>,
}

type Make = dyn Fn(HolderContext) -> Result<BoxHolder, BoxError> + Send + Sync;

/// Any [`Holder`]. Cloning shares it.
#[derive(Clone)]
pub(crate) struct BoxHolder(Arc<dyn DynHolder>);

type Done<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

trait DynHolder: Send + Sync {
    fn export(&self, batch: Batch) -> ExportFuture<'_>;

    fn start(&self);

    fn drain(&self, deadline: Instant) -> Done<'_>;
}

// === impl Answers ===

impl Answers {
    /// When a holder answers that emits into what answers like `behind`.
    pub(crate) fn delivery(self, behind: Delivery) -> Delivery {
        match self {
            Self::OnAdmission => Delivery::Memory,
            Self::AfterCommit => behind,
        }
    }
}

// === impl HolderContext ===

impl HolderContext {
    /// The same with one more outlet, into `next`: a pipeline of that id, which takes that signal.
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
            .finish_non_exhaustive()
    }
}

impl HolderSpec {
    /// A holder that `make` makes for each pipeline that it stands in.
    pub fn new<H: Holder>(
        answers: Answers,
        make: impl Fn(HolderContext) -> Result<H, BoxError> + Send + Sync + 'static,
    ) -> Self {
        let make = move |context| make(context).map(|holder| BoxHolder(Arc::new(holder)));
        Self { answers, needs: Needs::default(), make: Arc::new(make) }
    }

    /// The same, with what the holder needs of a request beside its body.
    #[must_use]
    pub fn with_needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    /// What a holder of this kind is made of that keeps `account`, whose ids are those of the holder and its pipeline. It
    /// leads nowhere yet, and its budget has no limit.
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
            emissions: Emissions::new(),
        }
    }

    /// Makes the holder; it is not started yet.
    ///
    /// # Errors
    /// What the component says.
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

    fn drain(&self, deadline: Instant) -> Done<'_> {
        Box::pin(Holder::drain(self, deadline))
    }
}
