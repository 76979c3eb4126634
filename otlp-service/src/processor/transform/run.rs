//! The run of a pass over a body: statements change the open messages.

use super::pass::{Pass, Step};
use crate::ottl::{Cache, Context, Environment, EvalError};
use crate::processor::filter::ErrorMode;
use otlp_protocol::rewrite::{Level, OpenMessages, Rewriter};
use otlp_protocol::{Decision, ErrorKind, Origin, Retry};
use otlp_transport::ExportError;

/// Run of a pass over one body.
pub(super) struct Run<'p> {
    pass: &'p Pass,
    ignores_nil: bool,
    origin: Option<&'p Origin>,
    now: i64,
    /// The scratch map of the message, empty between messages.
    cache: Cache,
    /// The scratch maps that all messages of a context share.
    shared: Vec<(Context, Cache)>,
    /// For each condition and statement of the pass, in order.
    found: Vec<Found>,
    failure: Option<ExportError>,
}

/// Counts of a condition or a statement in a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Messages that met the condition, or on which the statement ran.
    pub(super) hits: u64,
    /// Messages on which it failed.
    pub(super) errors: u64,
}

// === impl Run ===

impl<'p> Run<'p> {
    pub(super) fn new(pass: &'p Pass, ignores_nil: bool, origin: Option<&'p Origin>, now: i64) -> Self {
        let texts = pass.steps.iter().map(Step::texts).sum();
        Self {
            pass,
            ignores_nil,
            origin,
            now,
            cache: Cache::new(),
            shared: Vec::new(),
            found: vec![Found::default(); texts],
            failure: None,
        }
    }

    /// Returns what happened to the conditions and statements, in order.
    ///
    /// # Errors
    /// Of a statement or condition whose errors fail the request.
    pub(super) fn finish(self) -> Result<Vec<Found>, ExportError> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.found),
        }
    }

    /// Runs a group on the open message. `first` is the index of the group's first condition or statement in the pass.
    fn step(&mut self, step: &'p Step, first: usize, messages: &mut OpenMessages) {
        let cache = self.take_cache(step);
        let mut env = Environment::open(messages, self.origin, self.now).with(cache, self.ignores_nil);
        let found = self.found.get_mut(first..).unwrap_or_default();
        let failure = run(step, &mut env, found).err();
        let cache = env.into_cache();
        self.give_cache(step, cache);
        if let Some(failure) = failure {
            self.failure.get_or_insert(failure);
        }
    }

    fn take_cache(&mut self, step: &Step) -> Cache {
        if !step.shares_cache {
            return std::mem::take(&mut self.cache);
        }
        let shared = self.shared.iter_mut().find(|(context, _)| *context == step.group.context);
        shared.map(|(_, cache)| std::mem::take(cache)).unwrap_or_default()
    }

    fn give_cache(&mut self, step: &Step, mut cache: Cache) {
        let context = step.group.context;
        match self.shared.iter_mut().find(|(known, _)| *known == context) {
            _ if !step.shares_cache => {
                cache.clear();
                self.cache = cache;
            }
            Some((_, place)) => *place = cache,
            None => self.shared.push((context, cache)),
        }
    }
}

impl Rewriter for Run<'_> {
    fn shows(&self, level: Level) -> bool {
        self.pass.steps.iter().any(|step| step.level == level)
    }

    fn visit(&mut self, level: Level, messages: &mut OpenMessages) -> Decision {
        let mut first = 0;
        let pass = self.pass;
        for step in &pass.steps {
            if step.level == level && self.failure.is_none() {
                self.step(step, first, messages);
            }
            first += step.texts();
        }
        if self.failure.is_some() { Decision::SkipLevel } else { Decision::Keep }
    }
}

/// Runs the statements of a group, if a condition is met or there are none.
///
/// # Errors
/// Of a statement or condition whose errors fail the request.
fn run(step: &Step, env: &mut Environment<'_>, found: &mut [Found]) -> Result<(), ExportError> {
    let conditions = &step.group.conditions;
    let (of_conditions, of_statements) = found.split_at_mut(conditions.len().min(found.len()));
    let mut is_met = conditions.is_empty();
    for (index, (condition, found)) in conditions.iter().zip(of_conditions).enumerate() {
        match condition.test.holds(env) {
            Ok(false) => continue,
            Ok(true) => {
                found.hits += 1;
                is_met = true;
                break;
            }
            Err(error) => {
                found.errors += 1;
                note(step, index, &condition.text, &error)?;
            }
        }
    }
    if !is_met {
        return Ok(());
    }
    for (index, (statement, found)) in step.group.statements.iter().zip(of_statements).enumerate() {
        match statement.run(env) {
            Ok(has_run) => found.hits += u64::from(has_run),
            Err(error) => {
                found.errors += 1;
                note(step, conditions.len() + index, &statement.text, &error)?;
            }
        }
    }
    Ok(())
}

/// Logs the first error of a condition or statement.
///
/// # Errors
/// The answer to the sender, if errors of the group fail the request.
#[cold]
fn note(step: &Step, index: usize, statement: &str, error: &EvalError) -> Result<(), ExportError> {
    let context = step.group.context.name();
    if step.error_mode == ErrorMode::Propagate {
        let message = format!("the {context} statement `{statement}` failed: {error}");
        return Err(ExportError::new(ErrorKind::Internal, Retry::Never, message));
    }
    if step.may_log(index) {
        tracing::warn!(statement, context, %error, "a statement failed and changed nothing; further errors are counted");
    }
    Ok(())
}
