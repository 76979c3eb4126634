//! The processor `transform`: statements in OTTL that change telemetry.

mod config;
mod pass;
mod run;
mod stats;

pub use config::{TransformConfig, TransformError, TransformGroup};

use crate::component::{Access, Needs, Out, Processor, ProcessorMetrics, Reason, Room};
use crate::ottl::unix_nanos;
use otlp_protocol::rewrite::rewrite;
use otlp_protocol::{Batch, Count, EditError, Edited, Signal};
use otlp_transport::{Clock, ExportError, TokioClock};
use pass::Pass;
use run::{Found, Run};
use stats::Stats;
use std::sync::Arc;

/// Runs statements in OTTL on resources, scopes, spans, span events, metrics, data points, exemplars and log records.
///
/// Groups of statements run in order, each over the whole request, and see the changes of the groups before. If a statement
/// fails whose errors fail the request, the request is not changed at all.
///
/// ```
/// use otlp_protocol::Signal;
/// use otlp_service::{TransformConfig, TransformGroup, TransformProcessor};
///
/// let mut config = TransformConfig::default();
/// let statement = r#"set(span.attributes["env"], "prod") where resource.attributes["env"] == nil"#;
/// config.groups.push(TransformGroup::new(Signal::TRACES, [statement]));
/// assert!(TransformProcessor::new(config.clone()).is_ok());
///
/// config.groups.push(TransformGroup::new(Signal::TRACES, [r#"sett(span.name, "x")"#]));
/// let errors = TransformProcessor::new(config).unwrap_err();
/// assert!(errors[0].error.to_string().contains("did you mean `set`?"));
/// ```
#[derive(Clone, Debug)]
pub struct TransformProcessor {
    plans: Arc<[Plan]>,
    settings: Settings,
    stats: Stats,
    needs: Needs,
    /// Time that statements read.
    clock: Arc<dyn Clock>,
}

#[derive(Clone, Copy, Debug)]
struct Settings {
    is_dry_run: bool,
    ignores_nil: bool,
}

/// The passes over the bodies of a signal.
#[derive(Debug)]
struct Plan {
    signal: Signal,
    passes: Vec<Pass>,
}

// === impl TransformProcessor ===

impl TransformProcessor {
    /// Parses and checks the statements.
    ///
    /// # Errors
    /// The faults of all statements and conditions.
    pub fn new(config: TransformConfig) -> Result<Self, Vec<TransformError>> {
        let settings = Settings { is_dry_run: config.is_dry_run, ignores_nil: config.ignores_nil };
        let mut needs = Needs::default();
        let mut plans: Vec<Plan> = Vec::new();
        for (signal, step) in config.steps(&mut needs)? {
            let index = plans.iter().position(|plan| plan.signal == signal).unwrap_or_else(|| {
                plans.push(Plan { signal, passes: Vec::new() });
                plans.len() - 1
            });
            let Some(Plan { passes, .. }) = plans.get_mut(index) else { continue };
            match passes.last_mut() {
                Some(pass) if pass.takes(&step) => pass.steps.push(step),
                _ => passes.push(Pass { steps: vec![step] }),
            }
        }
        let clock = Arc::new(TokioClock);
        Ok(Self { plans: plans.into(), settings, stats: Stats::default(), needs, clock })
    }

    /// Sets the clock that statements read. Default: the system's.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Returns remarks on statements whose meaning has changed or surprises, each with the path of the statement. With
    /// [`ignores_nil`](TransformConfig::ignores_nil) there are none.
    pub fn remarks(&self) -> Vec<(String, &'static str)> {
        if self.settings.ignores_nil {
            return Vec::new();
        }
        let passes = self.plans.iter().flat_map(|plan| &plan.passes);
        passes.flat_map(|pass| &pass.steps).flat_map(|step| step.remarks.iter().cloned()).collect()
    }

    fn plan(&self, signal: Signal) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.signal == signal)
    }

    /// Runs the passes over a body of up to `limit` bytes.
    ///
    /// # Errors
    /// If a limit is exceeded, or a statement fails whose errors fail the request.
    fn passes(
        &self,
        plan: &Plan,
        batch: &Batch,
        limit: usize,
    ) -> (Result<Edited, EditError>, Result<Vec<Found>, ExportError>) {
        let now = unix_nanos(self.clock.wall());
        let mut edited = Edited { body: batch.body().clone(), dropped: Count::default(), changed: false };
        let mut found = Vec::new();
        for pass in &plan.passes {
            let mut run = Run::new(pass, self.settings.ignores_nil, batch.origin.as_deref(), now);
            match rewrite(&edited.body, &mut run, limit) {
                Ok(rewritten) => {
                    edited.changed |= rewritten.changed;
                    edited.body = rewritten.body;
                }
                Err(error) => return (Err(error), Ok(found)),
            }
            match run.finish() {
                Ok(of_pass) => found.extend(of_pass),
                Err(failure) => return (Ok(edited), Err(failure)),
            }
        }
        (Ok(edited), Ok(found))
    }
}

impl Processor for TransformProcessor {
    fn access(&self) -> Access {
        Access::Edit
    }

    fn needs(&self) -> Needs {
        self.needs.clone()
    }

    fn with_metrics(&self, metrics: &ProcessorMetrics<'_>) -> Option<Arc<dyn Processor>> {
        let plan = self.plan(metrics.signal())?;
        Some(Arc::new(Self { stats: Stats::new(metrics, &plan.passes), ..self.clone() }))
    }

    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError> {
        let Some(plan) = self.plan(batch.signal()) else {
            out.emit(batch);
            return Ok(());
        };
        let incoming = batch.items();
        let mut own = Out::new();
        // Between two passes there are the body that the first pass made, the body that the second makes, and its changes.
        let mut room = Room::growing(batch.len() / 4);
        room.bodies += u64::from(plan.passes.len() > 1);
        let attempt = |batch: &Batch, limit| self.passes(plan, batch, limit);
        let found = own.attempt(batch, room, self.settings.is_dry_run, attempt)?;
        self.stats.count(&found?);
        let outgoing = own.batches.iter().map(Batch::items).sum();
        // Data points that were aggregated are not lost.
        out.settle(Reason::Filtered, incoming.saturating_sub(outgoing));
        own.batches.into_iter().for_each(|batch| out.emit(batch));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
