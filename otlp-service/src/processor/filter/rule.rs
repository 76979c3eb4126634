//! Conditions that were checked, by the level of the messages that they are about.

use super::config::{ErrorMode, FilterMatch};
use crate::ottl::{Condition, Context, Test};
use otlp_protocol::retain::Depth;
use std::sync::atomic::{AtomicBool, Ordering};

/// A condition with what its errors do.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) condition: Condition,
    pub(super) context: Context,
    pub(super) error_mode: ErrorMode,
    /// Path in the settings.
    pub(super) path: String,
    has_logged: AtomicBool,
}

/// The conditions of one walk over a body.
#[derive(Debug)]
pub(super) struct Pass {
    /// By level: resource, scope, entry, part of an entry.
    pub(super) levels: [Vec<Rule>; LEVELS],
    pub(super) matches: Option<FilterMatch>,
}

/// Number of levels of messages.
pub(super) const LEVELS: usize = 4;

// Levels, as indices of `Pass::levels`.
pub(super) const RESOURCE: usize = 0;
pub(super) const SCOPE: usize = 1;
pub(super) const ENTRY: usize = 2;
pub(super) const PART: usize = 3;

/// Returns the level of the messages of a context.
pub(super) fn level(context: Context) -> usize {
    match context {
        Context::Resource => RESOURCE,
        Context::Scope => SCOPE,
        Context::Log | Context::Metric | Context::Profile | Context::Span => ENTRY,
        Context::DataPoint | Context::Exemplar | Context::SpanEvent => PART,
    }
}

// === impl Rule ===

impl Rule {
    pub(super) fn new(condition: Condition, context: Context, error_mode: ErrorMode, path: String) -> Self {
        Self { condition, context, error_mode, path, has_logged: AtomicBool::new(false) }
    }

    /// Returns true once: the first error of a condition is logged.
    pub(super) fn may_log(&self) -> bool {
        self.error_mode == ErrorMode::Ignore && !self.has_logged.swap(true, Ordering::Relaxed)
    }

    /// Returns what is strange about the condition; `None`: nothing.
    pub(super) fn remark(&self) -> Option<&'static str> {
        match self.condition.test.constant() {
            Some(true) => Some("the condition is always met: everything is removed"),
            Some(false) => Some("the condition is never met: nothing is removed"),
            None if never_holds(&self.condition.test) => {
                Some("the condition is never met: the types of the compared values differ")
            }
            None => None,
        }
    }
}

/// Returns true if a comparison for equality is of a field and a constant of another type.
fn never_holds(test: &Test) -> bool {
    match test {
        Test::All(parts) => parts.iter().any(never_holds),
        Test::Any(parts) => parts.iter().all(never_holds),
        other => other.compares_other_types(),
    }
}

// === impl Pass ===

impl Pass {
    pub(super) fn new(levels: [Vec<Rule>; LEVELS]) -> Self {
        Self { levels, matches: None }
    }

    pub(super) fn of_match(matches: FilterMatch) -> Self {
        Self { levels: Default::default(), matches: Some(matches) }
    }

    /// Returns true if further conditions can be asked in the same walk. Conditions on entries may read their parts, so these
    /// conditions come before those on parts, or in another walk.
    pub(super) fn takes(&self, further: &[Vec<Rule>; LEVELS]) -> bool {
        let has_parts = !self.levels[PART].is_empty();
        self.matches.is_none() && (!has_parts || further[ENTRY].is_empty())
    }

    pub(super) fn add(&mut self, further: [Vec<Rule>; LEVELS]) {
        for (rules, further) in self.levels.iter_mut().zip(further) {
            rules.extend(further);
        }
    }

    /// Returns true if a condition is on profiles, which refer to the request's dictionary.
    pub(super) fn is_on_profiles(&self) -> bool {
        self.levels[ENTRY].iter().any(|rule| rule.context == Context::Profile)
    }

    /// Returns the innermost level with a condition.
    pub(super) fn depth(&self) -> Depth {
        let has_entries = self.matches.as_ref().is_some_and(|matches| !matches.entries.is_empty());
        match self.levels.iter().rposition(|rules| !rules.is_empty()) {
            _ if has_entries => Depth::Entry,
            Some(PART) => Depth::Part,
            Some(ENTRY) => Depth::Entry,
            Some(SCOPE) => Depth::Scope,
            _ => Depth::Resource,
        }
    }
}
