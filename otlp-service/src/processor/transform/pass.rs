//! Groups of statements, and passes: groups that run in the same walk over a body.

use crate::ottl::{Context, Group};
use crate::processor::filter::ErrorMode;
use otlp_protocol::rewrite::Level;
use std::sync::atomic::{AtomicBool, Ordering};

/// A group with its settings.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) group: Group,
    pub(super) error_mode: ErrorMode,
    pub(super) shares_cache: bool,
    /// Remarks on statements, each with the path of its statement.
    pub(super) remarks: Vec<(String, &'static str)>,
    /// Level of the messages that the group runs on.
    pub(super) level: Level,
    /// For each condition, then for each statement: the first error was logged.
    has_logged: Vec<AtomicBool>,
}

/// The groups of one walk over a body.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) steps: Vec<Step>,
}

// === impl Step ===

impl Step {
    pub(super) fn new(
        group: Group,
        error_mode: ErrorMode,
        shares_cache: bool,
        remarks: Vec<(String, &'static str)>,
    ) -> Self {
        let level = match group.context {
            Context::Resource => Level::Resource,
            Context::Scope => Level::Scope,
            Context::Log | Context::Metric | Context::Profile | Context::Span => Level::Entry,
            Context::DataPoint | Context::SpanEvent => Level::Child,
            Context::Exemplar => Level::Exemplar,
        };
        let texts = group.conditions.len() + group.statements.len();
        let has_logged = (0..texts).map(|_| AtomicBool::new(false)).collect();
        Self { group, error_mode, shares_cache, remarks, level, has_logged }
    }

    /// Returns the number of conditions and statements.
    pub(super) fn texts(&self) -> usize {
        self.has_logged.len()
    }

    /// Returns true once for each condition and statement: its first error is logged.
    pub(super) fn may_log(&self, index: usize) -> bool {
        let is_first =
            || self.has_logged.get(index).is_some_and(|logged| !logged.swap(true, Ordering::Relaxed));
        self.error_mode == ErrorMode::Ignore && is_first()
    }

    /// True if messages can see what the group did on other messages.
    fn links_messages(&self) -> bool {
        self.group.reaches_up || self.shares_cache
    }
}

// === impl Pass ===

impl Pass {
    /// Returns true if a further group can run in the same walk, with the result of a walk of its own: the group runs on messages
    /// inside of those of the last group or on the same messages, and no message sees what a group did on another message.
    pub(super) fn takes(&self, step: &Step) -> bool {
        let is_inside = self.steps.last().is_none_or(|last| last.level <= step.level);
        is_inside && !step.links_messages() && !self.steps.iter().any(Step::links_messages)
    }
}
