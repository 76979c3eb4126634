//! Counters of the processor `filter`, in all and by condition.

use super::rule::Pass;
use crate::component::ProcessorMetrics;
use crate::telemetry::Counter;
use otlp_protocol::Signal;
use otlp_protocol::view::Entry;

/// Counters in a pipeline. The default counts nowhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Stats {
    filtered: Counter,
    /// In the order of the conditions in the passes.
    conditions: Vec<ConditionCounters>,
}

/// Counters of a condition.
#[derive(Clone, Debug)]
struct ConditionCounters {
    met: Counter,
    items: Counter,
    errors: Counter,
}

/// Numbers of messages of a batch, of one condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Messages that met the condition.
    pub(super) met: u64,
    /// Items in these messages.
    pub(super) items: u64,
    /// Messages on which the condition failed.
    pub(super) errors: u64,
}

/// Findings of the conditions in a batch, in the order of the conditions in the passes.
#[derive(Debug, Default)]
pub(super) struct Tallies(Vec<Found>);

// === impl Stats ===

impl Stats {
    /// Registers the counters of the passes of a signal.
    pub(super) fn new(metrics: &ProcessorMetrics<'_>, passes: &[Pass]) -> Self {
        let id = ("filter", metrics.processor());
        let noun = noun(metrics.signal());
        let filtered =
            metrics.counter(format!("otelcol_processor_filter_{noun}_filtered"), FILTERED_HELP, &[id]);
        let rules = passes.iter().flat_map(|pass| pass.levels.iter().flatten());
        let conditions = rules.map(|rule| {
            let labels = [id, ("context", rule.context.name()), ("condition", shown(&rule.condition.text))];
            ConditionCounters {
                met: metrics.counter("otelcol_processor_filter_condition_met", MET_HELP, &labels),
                items: metrics.counter("otelcol_processor_filter_condition_items", ITEMS_HELP, &labels),
                errors: metrics.counter("otelcol_processor_filter_condition_errors", ERRORS_HELP, &labels),
            }
        });
        Self { filtered, conditions: conditions.collect() }
    }

    pub(super) fn count(&self, tallies: &Tallies, filtered: u64) {
        self.filtered.add(filtered);
        for (counters, found) in self.conditions.iter().zip(&tallies.0) {
            counters.met.add(found.met);
            counters.items.add(found.items);
            counters.errors.add(found.errors);
        }
    }
}

// === impl Tallies ===

impl Tallies {
    /// Adds what the conditions of the next pass found.
    pub(super) fn add(&mut self, found: Vec<Found>) {
        self.0.extend(found);
    }
}

/// Returns the Collector's noun for the items of a signal.
fn noun(signal: Signal) -> &'static str {
    match Entry::new(signal, &[]) {
        Entry::LogRecord(_) => "logs",
        Entry::Metric(_) => "datapoints",
        Entry::Span(_) => "spans",
        _ => signal.name,
    }
}

/// Returns the beginning of a condition, for a label.
pub(crate) fn shown(text: &str) -> &str {
    let end = text.char_indices().map(|(at, _)| at).nth(MAX_SHOWN_CHARS);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// Longest text of a condition in a label.
const MAX_SHOWN_CHARS: usize = 120;

const FILTERED_HELP: &str = "Items that the filter removed.";
const MET_HELP: &str = "Messages that met a condition of the filter, also in a dry run.";
const ITEMS_HELP: &str =
    "Items in the messages that met a condition of the filter, also in a dry run; span events are no items.";
const ERRORS_HELP: &str = "Messages on which a condition of the filter failed.";
