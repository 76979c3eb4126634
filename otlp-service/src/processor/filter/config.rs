//! Settings of the processor `filter`, and their check.

use super::rule::{LEVELS, Pass, Rule, level};
use crate::component::Needs;
use crate::ottl::{Context, Group, OttlError, Texts};
use crate::processor::matching::MatchConfig;
use otlp_protocol::Signal;
use std::fmt;

/// Settings of the processor `filter`. The default removes nothing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FilterConfig {
    /// Lists of conditions. The lists of a signal are used in order.
    pub conditions: Vec<FilterConditions>,
    /// Properties of items that stay.
    pub matches: Vec<FilterMatch>,
    /// Counts what would be removed, and removes nothing. Default false.
    pub is_dry_run: bool,
}

/// A list of conditions. Telemetry that meets one of them is removed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FilterConditions {
    /// The signal.
    pub signal: Signal,
    /// The context of paths without a context: `span`. `None`: each path has its context in front.
    pub context: Option<String>,
    /// The conditions, in OTTL.
    pub conditions: Vec<String>,
    /// The effect of an error of a condition.
    pub error_mode: ErrorMode,
    /// Path of the list in the settings, for errors and remarks. Empty: none.
    pub path: String,
}

/// Selection of items in the way of the processor `attributes`: what is not selected is removed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FilterMatch {
    /// The signal.
    pub signal: Signal,
    /// Selects resources. Default: all.
    pub resources: MatchConfig,
    /// Selects spans, metrics and log records, also by their resources. Default: all.
    pub entries: MatchConfig,
}

/// Effect of an error of evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorMode {
    /// The condition counts as not met, and the first error of each condition is logged.
    #[default]
    Ignore,
    /// The request fails.
    Propagate,
    /// As [`Ignore`](Self::Ignore), without a line in the log.
    Silent,
}

/// The faults of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterError {
    /// Path of the condition in the settings.
    pub path: String,
    /// The faults.
    pub error: OttlError,
}

// === impl FilterConfig ===

impl FilterConfig {
    /// Checks the conditions, and puts them into as few passes as can be.
    pub(super) fn passes(&self, needs: &mut Needs) -> Result<Vec<(Signal, Pass)>, Vec<FilterError>> {
        let mut passes: Vec<(Signal, Pass)> = Vec::new();
        let mut errors = Vec::new();
        for list in &self.conditions {
            let mut rules: [Vec<Rule>; LEVELS] = Default::default();
            for (context, rule) in list.rules(needs, &mut errors) {
                if let Some(rules) = rules.get_mut(level(context)) {
                    rules.push(rule);
                }
            }
            // Without a condition nothing is asked: also empty resources stay.
            if rules.iter().all(Vec::is_empty) {
                continue;
            }
            let last = passes.iter_mut().rev().find(|(signal, _)| *signal == list.signal);
            match last {
                Some((_, pass)) if pass.takes(&rules) => pass.add(rules),
                _ => passes.push((list.signal, Pass::new(rules))),
            }
        }
        for matches in &self.matches {
            passes.push((matches.signal, Pass::of_match(matches.clone())));
        }
        if errors.is_empty() { Ok(passes) } else { Err(errors) }
    }
}

// === impl FilterConditions ===

impl FilterConditions {
    /// Conditions whose paths have contexts.
    pub fn new<T: Into<String>>(signal: Signal, conditions: impl IntoIterator<Item = T>) -> Self {
        Self {
            signal,
            context: None,
            conditions: conditions.into_iter().map(Into::into).collect(),
            error_mode: ErrorMode::default(),
            path: String::new(),
        }
    }

    /// Returns the rules, each with its context.
    fn rules(&self, needs: &mut Needs, errors: &mut Vec<FilterError>) -> Vec<(Context, Rule)> {
        let allowed = Context::of_signal(self.signal);
        let context = match &self.context {
            None => None,
            Some(name) => match Context::named(name).filter(|context| allowed.contains(context)) {
                Some(context) => Some(context),
                None => {
                    let names: Vec<_> = allowed.iter().map(|context| context.name()).collect();
                    let problem = format!("unknown context `{name}`, known: {}", names.join(", "));
                    errors.push(FilterError {
                        path: self.path.clone(),
                        error: OttlError::of_all(name, problem),
                    });
                    return Vec::new();
                }
            },
        };
        let mut rules = Vec::new();
        for (index, text) in self.conditions.iter().enumerate() {
            let path =
                if self.path.is_empty() { index.to_string() } else { format!("{}.{index}", self.path) };
            let conditions = std::slice::from_ref(text);
            match Group::new(Texts { context, allowed, conditions, statements: &[] }) {
                Ok(group) => {
                    needs.add(&group.needs);
                    let context = group.context;
                    let conditions = group.conditions.into_iter();
                    rules.extend(conditions.map(|condition| {
                        (context, Rule::new(condition, context, self.error_mode, path.clone()))
                    }));
                }
                Err(wrong) => errors.extend(
                    wrong.into_iter().map(|wrong| FilterError { path: path.clone(), error: wrong.error }),
                ),
            }
        }
        rules
    }
}

// === impl FilterMatch ===

impl FilterMatch {
    /// Selects everything of a signal.
    pub fn new(signal: Signal) -> Self {
        Self { signal, resources: MatchConfig::default(), entries: MatchConfig::default() }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "condition {}: {}", self.path, self.error)
    }
}

impl std::error::Error for FilterError {}
