//! The keeper of a walk: asks the conditions of each message.

use super::ErrorMode;
use super::config::FilterMatch;
use super::rule::{ENTRY, PART, Pass, RESOURCE, Rule, SCOPE};
use super::stats::Found;
use crate::ottl::{Environment, EvalError, Level, PointKind};
use crate::processor::matching::{MatchConfig, Selection};
use otlp_protocol::retain::{Depth, Keeper};
use otlp_protocol::view::{Entry, Resource, Scope};
use otlp_protocol::{Count, ErrorKind, Retry, Signal};
use otlp_transport::ExportError;
use std::borrow::Cow;

/// Asks the conditions of a pass.
pub(super) struct Judge<'a, 'p> {
    pass: &'p Pass,
    signal: Signal,
    env: Environment<'a>,
    of_resource: Selection,
    of_scope: Selection,
    /// Number of parts of the entry that were shown.
    parts: usize,
    /// By level, for each condition.
    found: [Vec<Found>; 4],
    /// Level and index of the condition that the last removed message met.
    met: Option<(usize, usize)>,
    failure: Option<ExportError>,
}

// === impl Judge ===

impl<'a, 'p> Judge<'a, 'p> {
    pub(super) fn new(pass: &'p Pass, signal: Signal, env: Environment<'a>) -> Self {
        let found = pass.levels.each_ref().map(|rules| vec![Found::default(); rules.len()]);
        let (of_resource, of_scope) = (Selection::ALL, Selection::ALL);
        Self { pass, signal, env, of_resource, of_scope, parts: 0, found, met: None, failure: None }
    }

    /// Returns what the conditions found, in the order of the conditions.
    ///
    /// # Errors
    /// Of a condition whose errors fail the request.
    pub(super) fn finish(self) -> Result<Vec<Found>, ExportError> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.found.into_iter().flatten().collect()),
        }
    }

    /// Returns true if no condition of a level is met.
    #[inline]
    fn stays(&mut self, level: usize) -> bool {
        let (rules, found) = (&self.pass.levels[level], &mut self.found[level]);
        for (index, (rule, found)) in rules.iter().zip(found).enumerate() {
            match rule.condition.test.holds(&self.env) {
                Ok(false) => {}
                Ok(true) => {
                    found.met += 1;
                    self.met = Some((level, index));
                    return false;
                }
                Err(error) => {
                    found.errors += 1;
                    if let Some(failure) = note(rule, &error) {
                        self.failure.get_or_insert(failure);
                        return true;
                    }
                }
            }
        }
        true
    }

    fn selects_entry(&self, matches: &FilterMatch, entry: &'a [u8]) -> bool {
        let config = &matches.entries;
        let entry = Entry::new(self.signal, entry);
        let selection = config.of_entry(self.of_scope, entry);
        config
            .selects(selection, |test| test.matches(entry.attributes().and_then(|list| list.get(&test.key))))
    }
}

impl<'a> Keeper<'a> for Judge<'a, '_> {
    fn depth(&self) -> Depth {
        self.pass.depth()
    }

    fn resource(&mut self, group: &'a [u8], resource: Cow<'a, [u8]>) -> bool {
        if let Some(matches) = &self.pass.matches {
            let resource = Resource::new(&resource);
            self.of_resource = matches.entries.of_resource(resource);
            if !is_selected(&matches.resources, resource) {
                return false;
            }
        }
        self.env.set(Level::ResourceGroup, group);
        self.env.set_joined(Level::Resource, resource);
        self.stays(RESOURCE)
    }

    fn scope(&mut self, group: &'a [u8], scope: Cow<'a, [u8]>) -> bool {
        if let Some(matches) = &self.pass.matches {
            self.of_scope = matches.entries.of_scope(self.of_resource, Scope::new(&scope));
        }
        self.env.set(Level::ScopeGroup, group);
        self.env.set_joined(Level::Scope, scope);
        self.stays(SCOPE)
    }

    #[inline]
    fn entry(&mut self, entry: &'a [u8]) -> bool {
        if let Some(matches) = &self.pass.matches
            && !matches.entries.is_empty()
            && !self.selects_entry(matches, entry)
        {
            return false;
        }
        self.env.set(Level::Entry, entry);
        self.parts = 0;
        if !self.stays(ENTRY) {
            return false;
        }
        if !self.pass.levels[PART].is_empty()
            && let Entry::Metric(metric) = Entry::new(self.signal, entry)
            && let Some(kind) = PointKind::of(metric.data())
        {
            self.env.set_point_kind(kind);
        }
        true
    }

    fn part(&mut self, part: &'a [u8]) -> bool {
        self.env.set(Level::Child, part);
        self.env.set_child_index(self.parts);
        self.parts += 1;
        let stays = self.stays(PART);
        if !stays {
            let is_item = matches!(Entry::new(self.signal, &[]), Entry::Metric(_));
            self.removed(Count { items: u64::from(is_item), entries: 0 });
        }
        stays
    }

    fn removed(&mut self, count: Count) {
        let met = self.met.take();
        let found = met.and_then(|(level, index)| self.found.get_mut(level)?.get_mut(index));
        if let Some(found) = found {
            found.items += count.items;
        }
    }
}

/// Returns true if a configuration that tests resources alone selects a resource.
fn is_selected(config: &MatchConfig, resource: Resource<'_>) -> bool {
    config.is_empty() || config.selects(config.of_resource(resource), |_| true)
}

/// Logs the first error of a condition. Returns the answer to the sender, if errors of the condition fail the request.
fn note(rule: &Rule, error: &EvalError) -> Option<ExportError> {
    let (condition, context) = (&*rule.condition.text, rule.context.name());
    if rule.error_mode == ErrorMode::Propagate {
        let message = format!("the filter condition `{condition}` failed: {error}");
        return Some(ExportError::new(ErrorKind::Internal, Retry::Never, message));
    }
    if rule.may_log() {
        tracing::warn!(condition, context, %error, "a filter condition failed, so it counts as not met; further errors are counted");
    }
    None
}
