//! Settings of the processor `transform`, and their check.

use super::pass::Step;
use crate::component::Needs;
use crate::ottl::{Context, Group, OttlError, Place, Texts};
use crate::processor::filter::ErrorMode;
use otlp_protocol::Signal;
use std::fmt;

/// Settings of the processor `transform`. The default changes nothing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TransformConfig {
    /// Groups of statements. The groups of a signal run in order.
    pub groups: Vec<TransformGroup>,
    /// Runs and counts the statements, and changes nothing. Default false.
    pub is_dry_run: bool,
    /// Makes `set` leave its target unchanged if the value is nil, as Collectors before v0.161 do. By default nil empties an
    /// attribute, a body or a map, and is an error for other fields.
    pub ignores_nil: bool,
}

/// A group of statements that run one after the other on each message of a context.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransformGroup {
    /// The signal.
    pub signal: Signal,
    /// The context of paths without a context: `span`. `None`: each path has its context in front, and the context of the group
    /// is inferred.
    pub context: Option<String>,
    /// Conditions in OTTL. The statements run on a message that meets one of them, or if there are none.
    pub conditions: Vec<String>,
    /// The statements, in OTTL.
    pub statements: Vec<String>,
    /// Mode for errors of statements and conditions.
    pub error_mode: ErrorMode,
    /// One scratch map for all messages of a request, and for all groups of the context that share it. By default each message
    /// has an empty scratch map in each group.
    pub shares_cache: bool,
    /// Path of the statements in the settings, for errors: `trace_statements`, or `trace_statements.0.statements` beside the
    /// conditions and the context of a group. Empty: none.
    pub path: String,
}

/// The faults of a statement or a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransformError {
    /// Path of the statement or condition in the settings.
    pub path: String,
    /// The faults.
    pub error: OttlError,
}

// === impl TransformConfig ===

impl TransformConfig {
    /// Checks the groups.
    pub(super) fn steps(self, needs: &mut Needs) -> Result<Vec<(Signal, Step)>, Vec<TransformError>> {
        let mut steps = Vec::new();
        let mut errors = Vec::new();
        for group in self.groups {
            match group.step() {
                Ok(step) => {
                    needs.add(&step.group.needs);
                    steps.push((group.signal, step));
                }
                Err(wrong) => errors.extend(wrong),
            }
        }
        if errors.is_empty() { Ok(steps) } else { Err(errors) }
    }
}

// === impl TransformGroup ===

impl TransformGroup {
    /// Statements whose paths have contexts.
    pub fn new<T: Into<String>>(signal: Signal, statements: impl IntoIterator<Item = T>) -> Self {
        Self {
            signal,
            context: None,
            conditions: Vec::new(),
            statements: statements.into_iter().map(Into::into).collect(),
            error_mode: ErrorMode::default(),
            shares_cache: false,
            path: String::new(),
        }
    }

    fn step(&self) -> Result<Step, Vec<TransformError>> {
        let allowed = &contexts(self.signal);
        let context = match &self.context {
            None => None,
            Some(name) => Some(self.named(name, allowed)?),
        };
        let (conditions, statements) = (&self.conditions[..], &self.statements[..]);
        let group = Group::new(Texts { context, allowed, conditions, statements }).map_err(|errors| {
            let error = |error: crate::ottl::GroupError| TransformError {
                path: self.place(error.place),
                error: error.error,
            };
            errors.into_iter().map(error).collect::<Vec<_>>()
        })?;
        let remarks =
            group.statements.iter().enumerate().filter_map(|(index, statement)| {
                Some((self.place(Place::Statement(index)), statement.remark?))
            });
        let remarks = remarks.collect();
        Ok(Step::new(group, self.error_mode, self.shares_cache, remarks))
    }

    fn named(&self, name: &str, allowed: &[Context]) -> Result<Context, Vec<TransformError>> {
        Context::named(name).filter(|context| allowed.contains(context)).ok_or_else(|| {
            let names: Vec<_> = allowed.iter().map(|context| context.name()).collect();
            let problem = format!("unknown context `{name}`, known: {}", names.join(", "));
            vec![TransformError { path: self.beside("context"), error: OttlError::of_all(name, problem) }]
        })
    }

    fn place(&self, place: Place) -> String {
        match place {
            Place::Condition(index) => format!("{}.{index}", self.beside("conditions")),
            Place::Statement(index) if self.path.is_empty() => format!("statements.{index}"),
            Place::Statement(index) => format!("{}.{index}", self.path),
        }
    }

    /// Returns the path of a key of the group.
    fn beside(&self, key: &str) -> String {
        match self.path.rsplit_once('.') {
            Some((group, _)) => format!("{group}.{key}"),
            None => key.to_owned(),
        }
    }
}

/// Returns the contexts of a signal, from the inside out. Profiles cannot be changed.
fn contexts(signal: Signal) -> Vec<Context> {
    let mut contexts = Context::of_signal(signal).to_vec();
    contexts.retain(|context| *context != Context::Profile);
    if contexts.contains(&Context::DataPoint) {
        contexts.insert(0, Context::Exemplar);
    }
    contexts
}

impl fmt::Display for TransformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.error)
    }
}

impl std::error::Error for TransformError {}
