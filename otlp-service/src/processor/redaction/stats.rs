//! Counters of what each rule did.

use super::rules::Rules;
use crate::component::ProcessorMetrics;
use crate::telemetry::Counter;

/// A rule that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// The key is not among the allowed keys.
    AllowedKeys,
    /// The expression of this index blocks the key.
    BlockedKey(usize),
    /// The expression of this index blocks the value.
    BlockedValue(usize),
    /// The value is a statement of a database.
    Database,
    /// The value is a URL.
    Url,
}

/// The counters of a processor in a pipeline. The default is in no registry.
#[derive(Debug, Default)]
pub(super) struct Stats {
    counters: Vec<(Rule, Counter)>,
}

/// Numbers of changes by rule, of one request.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: Vec<(Rule, u64)>,
}

// === impl Stats ===

impl Stats {
    pub(super) fn new(metrics: &ProcessorMetrics<'_>, rules: &Rules) -> Self {
        let counter = |name: &str| {
            let help = "Attributes and parts of log bodies that a rule removed or masked.";
            metrics.counter("otlp_processor_redaction_changes", help, &[("rule", name)])
        };
        Self { counters: rules.names().map(|(rule, name)| (rule, counter(&name))).collect() }
    }

    pub(super) fn add(&self, tally: &Tally) {
        for (rule, count) in &tally.counts {
            if let Some((_, counter)) = self.counters.iter().find(|(known, _)| known == rule) {
                counter.add(*count);
            }
        }
    }
}

// === impl Tally ===

impl Tally {
    pub(super) fn count(&mut self, rule: Rule) {
        // As many as there are rules in the settings, at most.
        match self.counts.iter_mut().find(|(known, _)| *known == rule) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((rule, 1)),
        }
    }
}
