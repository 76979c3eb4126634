//! Processing that a plugin brings: steps in an order, and the plugin of one function.

use super::{Components, OtlpPlugin};
use crate::component::{Access, Out, Processor};
use otlp_protocol::Batch;
use otlp_transport::ExportError;
use std::fmt;
use std::sync::Arc;

/// A plugin that is one function of a batch.
///
/// In a configuration the plugin is a processor without settings, under the plugin's name; there the pipeline gives the order.
/// In a program without a configuration, [`PluginManager::processors`](super::PluginManager::processors) gives the functions of
/// all plugins by their [order](Self::with_order), for a [`ProcessorChain`](crate::ProcessorChain), and
/// [`PluginManager::process`](super::PluginManager::process) runs them.
///
/// ```
/// use otlp_protocol::encode::{LogRecords, RequestWriter};
/// use otlp_protocol::{Batch, Charge, Signal, ValidateLimits};
/// use otlp_service::{
///     Destination, FanOut, Ledger, NopExporter, Out, PluginManager, ProcessPlugin, ProcessorChain, ProcessorStats, Reason,
///     Registry,
/// };
/// use otlp_transport::{BoxExport, Export, TokioClock};
/// use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut plugins = PluginManager::new();
/// plugins.load(
///     ProcessPlugin::new("large_requests", "1.0.0", |batch: Batch, out: &mut Out| {
///         match batch.items() > 1000 {
///             true => out.settle(Reason::Filtered, batch.items()),
///             false => out.emit(batch),
///         }
///         Ok(())
///     })
///     .with_order(10),
/// )?;
/// plugins.load(ProcessPlugin::new("as_it_is", "1.0.0", |batch: Batch, out: &mut Out| Ok(out.emit(batch))))?;
///
/// let (ledger, registry, clock) = (Ledger::new(), Registry::new(), Arc::new(TokioClock));
/// let fanout = FanOut::new(vec![Destination::direct(ledger.account("logs", "nop"), NopExporter)], clock.clone());
/// let steps = plugins.processors().iter().map(|step| {
///     let stats = ProcessorStats::new(&registry, step.name(), "logs", Signal::LOGS);
///     (step.name().to_owned(), step.processor().clone(), stats)
/// });
/// let chain = ProcessorChain::new(steps, BoxExport::new(fanout.clone()), fanout.hop().clone(), clock);
///
/// let mut body = Vec::new();
/// RequestWriter::<LogRecords>::new(&mut body).resource_group(|group| {
///     group.scope_group(|scope| {
///         scope.log_record(|record| {
///             record.body("started");
///         });
///     });
/// });
/// chain.export(Batch::checked(Signal::LOGS, body, &ValidateLimits::default(), Charge::none())?).await?;
/// assert_eq!(ledger.snapshot().line("logs", "nop").map(|line| line.sent), Some(1));
/// # Ok(())
/// # }
/// ```
pub struct ProcessPlugin {
    name: &'static str,
    version: &'static str,
    about: &'static str,
    order: i32,
    function: Function,
}

/// A step of processing that a plugin registered.
#[derive(Clone)]
pub struct ProcessStep {
    pub(super) name: &'static str,
    pub(super) order: i32,
    /// Index of the step's plugin.
    pub(super) plugin: usize,
    pub(super) processor: Arc<dyn Processor>,
}

/// A function as a processor.
#[derive(Clone)]
struct Function {
    access: Access,
    process: Arc<Process>,
}

type Process = dyn Fn(Batch, &mut Out) -> Result<(), ExportError> + Send + Sync;

// === impl ProcessPlugin ===

impl ProcessPlugin {
    /// Creates the plugin of a function, which has the contract of [`Processor::process`]. The name is also the name of the
    /// processor in a configuration.
    pub fn new(
        name: &'static str,
        version: &'static str,
        process: impl Fn(Batch, &mut Out) -> Result<(), ExportError> + Send + Sync + 'static,
    ) -> Self {
        let function = Function { access: Access::Edit, process: Arc::new(process) };
        Self { name, version, about: "processes batches by a function of its plugin", order: 0, function }
    }

    /// Sets the position among the steps of all plugins: smaller numbers run first, equal numbers in the order of loading.
    /// Default 0.
    #[must_use]
    pub fn with_order(mut self, order: i32) -> Self {
        self.order = order;
        self
    }

    /// Sets the function's use of bodies. Default [`Access::Edit`]: large batches are processed on a thread for blocking work.
    #[must_use]
    pub fn with_access(mut self, access: Access) -> Self {
        self.function.access = access;
        self
    }

    /// Sets the description, one line.
    #[must_use]
    pub fn with_about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }
}

impl OtlpPlugin for ProcessPlugin {
    fn name(&self) -> &str {
        self.name
    }

    fn version(&self) -> &str {
        self.version
    }

    fn register(&self, components: &mut Components<'_>) {
        components.process(self.name, self.about, self.order, self.function.clone());
    }
}

impl fmt::Debug for ProcessPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessPlugin")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

// === impl ProcessStep ===

impl ProcessStep {
    /// Returns the name of the step, and of the processor in a configuration.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the position: smaller numbers run first.
    pub fn order(&self) -> i32 {
        self.order
    }

    /// Returns the processor of the step.
    pub fn processor(&self) -> &Arc<dyn Processor> {
        &self.processor
    }
}

impl fmt::Debug for ProcessStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessStep")
            .field("name", &self.name)
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

// === impl Function ===

impl Processor for Function {
    fn access(&self) -> Access {
        self.access
    }

    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError> {
        (self.process)(batch, out)
    }
}
