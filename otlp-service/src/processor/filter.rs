//! The processor `filter`: removes telemetry that meets a condition.

mod config;
mod judge;
mod rule;
mod stats;

pub use config::{ErrorMode, FilterConditions, FilterConfig, FilterError, FilterMatch};

pub(crate) use stats::shown;

use crate::component::{Access, Needs, Out, Processor, ProcessorMetrics, Room, reserve};
use crate::ottl::{Dictionary, Environment, unix_nanos};
use judge::Judge;
use otlp_protocol::retain::retain;
use otlp_protocol::{Batch, Signal};
use otlp_transport::{Clock, ExportError, TokioClock};
use rule::Pass;
use stats::{Stats, Tallies};
use std::sync::Arc;

/// Removes resources, scopes, spans, span events, metrics, data points and log records that meet a condition in OTTL.
///
/// Conditions on resources come first, then those on scopes, then those on entries, then those on data points and span events.
/// Conditions are not asked about messages that are removed already. Envelopes and metrics in which nothing stays are removed, also those
/// that came empty.
///
/// ```
/// use otlp_protocol::Signal;
/// use otlp_service::{FilterConditions, FilterConfig, FilterProcessor};
///
/// let mut config = FilterConfig::default();
/// let condition = r#"span.attributes["http.route"] == "/health""#;
/// config.conditions.push(FilterConditions::new(Signal::TRACES, [condition]));
/// assert!(FilterProcessor::new(config.clone()).is_ok());
///
/// config.conditions.push(FilterConditions::new(Signal::TRACES, [r#"span.nmae == "x""#]));
/// let errors = FilterProcessor::new(config).unwrap_err();
/// assert!(errors[0].error.to_string().contains("did you mean `name`?"));
/// ```
#[derive(Clone, Debug)]
pub struct FilterProcessor {
    plans: Arc<[Plan]>,
    is_dry_run: bool,
    stats: Stats,
    needs: Needs,
    /// Time that conditions read.
    clock: Arc<dyn Clock>,
}

/// The passes over the bodies of a signal.
#[derive(Debug)]
struct Plan {
    signal: Signal,
    passes: Vec<Pass>,
}

// === impl FilterProcessor ===

impl FilterProcessor {
    /// Parses and checks the conditions.
    ///
    /// # Errors
    /// The faults of all conditions.
    pub fn new(config: FilterConfig) -> Result<Self, Vec<FilterError>> {
        let mut needs = Needs::default();
        let passes = config.passes(&mut needs)?;
        let mut plans: Vec<Plan> = Vec::new();
        for (signal, pass) in passes {
            match plans.iter_mut().find(|plan| plan.signal == signal) {
                Some(plan) => plan.passes.push(pass),
                None => plans.push(Plan { signal, passes: vec![pass] }),
            }
        }
        let (plans, is_dry_run) = (plans.into(), config.is_dry_run);
        Ok(Self { plans, is_dry_run, stats: Stats::default(), needs, clock: Arc::new(TokioClock) })
    }

    /// Sets the clock that conditions read. Default: the system's.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Returns remarks on conditions that remove nothing or everything, each with the path that the condition was given.
    pub fn remarks(&self) -> Vec<(String, &'static str)> {
        let passes = self.plans.iter().flat_map(|plan| &plan.passes);
        let rules = passes.flat_map(|pass| pass.levels.iter().flatten());
        rules.filter_map(|rule| Some((rule.path.clone(), rule.remark()?))).collect()
    }

    fn plan(&self, signal: Signal) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.signal == signal)
    }

    /// Runs a pass over a batch. Returns the batch that stays; `None` if nothing stays.
    fn pass(
        &self,
        pass: &Pass,
        batch: Batch,
        tallies: &mut Tallies,
        out: &mut Out,
    ) -> Result<Option<Batch>, ExportError> {
        let origin = batch.origin.clone();
        let bytes = batch.body().to_bytes();
        let mut own = Out::new();
        let now = unix_nanos(self.clock.wall());
        let mut room = batch.charge().another();
        let dictionary = pass
            .is_on_profiles()
            .then(|| Dictionary::new(batch.signal(), &bytes, |more| reserve(&batch, &mut room, more)))
            .transpose()?;
        let attempt = |batch: &Batch, limit| {
            let mut env = Environment::new(origin.as_deref(), now);
            env.set_dictionary(dictionary.as_ref());
            let mut judge = Judge::new(pass, batch.signal(), env);
            let retained = retain(batch.body(), &bytes, &mut judge, limit);
            (retained, judge.finish())
        };
        let found = own.attempt(batch, Room::growing(0), self.is_dry_run, attempt)?;
        tallies.add(found?);
        out.tally.add(&own.tally);
        Ok(own.batches.pop())
    }
}

impl Processor for FilterProcessor {
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
        let mut left = Some(batch);
        let mut tallies = Tallies::default();
        for pass in &plan.passes {
            let Some(batch) = left.take() else { break };
            left = self.pass(pass, batch, &mut tallies, out)?;
        }
        let outgoing = left.as_ref().map_or(0, Batch::items);
        self.stats.count(&tallies, incoming.saturating_sub(outgoing));
        if let Some(batch) = left {
            out.emit(batch);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
