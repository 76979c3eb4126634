//! Counters of the processor `transform`, by statement.

use super::pass::Pass;
use super::run::Found;
use crate::component::ProcessorMetrics;
use crate::processor::shown;
use crate::telemetry::Counter;

/// Counters in a pipeline, two for each condition and statement. The default counts nowhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Stats(Vec<(Counter, Counter)>);

// === impl Stats ===

impl Stats {
    /// Registers the counters of the passes of a signal.
    pub(super) fn new(metrics: &ProcessorMetrics<'_>, passes: &[Pass]) -> Self {
        let mut counters = Vec::new();
        for step in passes.iter().flat_map(|pass| &pass.steps) {
            let context = step.group.context.name();
            let conditions = step.group.conditions.iter().map(|condition| &*condition.text);
            let statements = step.group.statements.iter().map(|statement| &*statement.text);
            for text in conditions.chain(statements) {
                let labels = [("context", context), ("statement", shown(text))];
                counters.push((
                    metrics.counter("otelcol_processor_transform_statement_runs", RUNS_HELP, &labels),
                    metrics.counter("otelcol_processor_transform_statement_errors", ERRORS_HELP, &labels),
                ));
            }
        }
        Self(counters)
    }

    /// Adds what happened in a batch.
    pub(super) fn count(&self, found: &[Found]) {
        for ((runs, errors), found) in self.0.iter().zip(found) {
            runs.add(found.hits);
            errors.add(found.errors);
        }
    }
}

const RUNS_HELP: &str = "Messages on which a statement of the transform ran, or that met a condition of a group, also in a dry run.";
const ERRORS_HELP: &str = "Messages on which a statement or condition of the transform failed.";
