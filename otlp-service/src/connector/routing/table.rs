//! The table of routes: settings, their check, and the choice of a route for each item.

use super::request::RequestCondition;
use crate::component::Needs;
use crate::ottl::{Context, Environment, EvalError, Group, Level, OttlError, PointKind, Test, Texts};
use crate::processor::ErrorMode;
use otlp_protocol::view::Metric;
use otlp_protocol::{ErrorKind, Item, MAX_PARTS, Origin, Retry, Signal};
use otlp_transport::ExportError;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Settings of the connector `routing`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RoutingConfig {
    /// Ids of the pipelines for items that no route selects: `logs/rest`. Empty: these items are removed, and count as filtered.
    pub default_pipelines: Vec<String>,
    /// Mode for errors of conditions. Default [`ErrorMode::Propagate`]: the request fails before any part is sent.
    pub error_mode: ErrorMode,
    /// Time for which a part that its pipeline refuses retryably is sent again to that pipeline alone, if other pipelines accepted
    /// their parts; not beyond the sender's deadline. Default zero: the sender sends the whole request again.
    pub retry_parts_for: Duration,
    /// The routes, in order.
    pub table: Vec<Route>,
}

/// A route: items that meet the condition are sent into the pipelines.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Route {
    /// The context of paths without a context: `resource`, `span`, `metric`, `datapoint`, `log`; or `request`. `None`: each path
    /// has its context in front.
    pub context: Option<String>,
    /// The condition, in OTTL. In the context `request`: `request["key"] == "value"`, or with `!=`.
    pub condition: String,
    /// Sends copies: the items are asked the following conditions as well. Default false.
    pub is_copy: bool,
    /// Ids of the pipelines: `logs/acme`. Pipelines of other signals are left out.
    pub pipelines: Vec<String>,
}

/// The faults of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoutingError {
    /// Index of the route.
    pub index: usize,
    /// The faults.
    pub error: OttlError,
}

/// Routes with checked conditions.
#[derive(Debug)]
pub(crate) struct Table {
    pub(super) routes: Vec<CheckedRoute>,
    pub(super) default_pipelines: Vec<String>,
    pub(super) retry_parts_for: Duration,
    error_mode: ErrorMode,
    /// Logs the first error of a condition.
    log: fn(&str, &EvalError),
}

#[derive(Debug)]
pub(super) struct CheckedRoute {
    condition: Condition,
    pub(super) text: String,
    pub(super) is_copy: bool,
    pub(super) pipelines: Vec<String>,
    has_logged: AtomicBool,
}

#[derive(Debug)]
enum Condition {
    Items(Context, Test),
    Request(RequestCondition),
}

/// Chooses routes for the items of one body.
pub(crate) struct Chooser<'t> {
    table: &'t Table,
    signal: Signal,
    origin: Option<&'t Origin>,
    now: i64,
    /// For each route, the last message that was asked and the answer.
    last: Vec<Option<(Asked, bool)>>,
    /// For each route, the messages on which the condition failed.
    errors: Vec<u64>,
    failure: Option<ExportError>,
}

/// A message that a condition was asked about: a resource by its index, another message by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Request,
    Resource(usize),
    Message(usize),
}

// === impl RoutingConfig ===

impl Default for RoutingConfig {
    fn default() -> Self {
        Self {
            default_pipelines: Vec::new(),
            error_mode: ErrorMode::Propagate,
            retry_parts_for: Duration::ZERO,
            table: Vec::new(),
        }
    }
}

// === impl Route ===

impl Route {
    /// A route by a condition whose paths have contexts.
    pub fn new<T: Into<String>>(
        condition: impl Into<String>,
        pipelines: impl IntoIterator<Item = T>,
    ) -> Self {
        let pipelines = pipelines.into_iter().map(Into::into).collect();
        Self { context: None, condition: condition.into(), is_copy: false, pipelines }
    }

    fn check(self, needs: &mut Needs) -> Result<CheckedRoute, OttlError> {
        let condition = match self.context.as_deref() {
            Some("request") => {
                let condition = RequestCondition::new(&self.condition)
                    .map_err(|problem| OttlError::of_all(&self.condition, problem))?;
                needs.add(&Needs { headers: vec![condition.key.clone()], ..Needs::default() });
                Condition::Request(condition)
            }
            Some(name) => match Context::named(name).filter(|context| CONTEXTS.contains(context)) {
                Some(context) => self.of_items(Some(context), needs)?,
                None => {
                    let names: Vec<_> = CONTEXTS.iter().map(|context| context.name()).collect();
                    let problem = format!("unknown context `{name}`, known: {}, request", names.join(", "));
                    return Err(OttlError::of_all(name, problem));
                }
            },
            None => self.of_items(None, needs)?,
        };
        let Self { condition: text, is_copy, pipelines, .. } = self;
        Ok(CheckedRoute { condition, text, is_copy, pipelines, has_logged: AtomicBool::new(false) })
    }

    fn of_items(&self, context: Option<Context>, needs: &mut Needs) -> Result<Condition, OttlError> {
        let conditions = std::slice::from_ref(&self.condition);
        let texts = Texts { context, allowed: &CONTEXTS, conditions, statements: &[] };
        let group = match Group::new(texts) {
            Ok(group) => group,
            Err(errors) => {
                let first = errors.into_iter().next();
                let error = first.map(|error| error.error);
                return Err(
                    error.unwrap_or_else(|| OttlError::of_all(&self.condition, "the condition is wrong"))
                );
            }
        };
        needs.add(&group.needs);
        let (context, mut conditions) = (group.context, group.conditions.into_iter());
        let condition = conditions.next().map(|condition| Condition::Items(context, condition.test));
        condition.ok_or_else(|| OttlError::of_all(&self.condition, "the condition is empty"))
    }
}

// === impl Table ===

impl Table {
    /// Checks the conditions.
    ///
    /// # Errors
    /// The faults of all conditions.
    pub(crate) fn new(config: RoutingConfig, needs: &mut Needs) -> Result<Self, Vec<RoutingError>> {
        let mut errors = Vec::new();
        let mut routes = Vec::new();
        for (index, route) in config.table.into_iter().enumerate() {
            let checked = match index {
                MAX_ROUTES.. => Err(OttlError::of_all(&route.condition, "there are too many routes")),
                _ => route.check(needs),
            };
            match checked {
                Ok(route) => routes.push(route),
                Err(error) => errors.push(RoutingError { index, error }),
            }
        }
        if errors.is_empty() {
            let RoutingConfig { default_pipelines, error_mode, retry_parts_for, .. } = config;
            Ok(Self { routes, default_pipelines, retry_parts_for, error_mode, log })
        } else {
            Err(errors)
        }
    }

    /// Sets the log line of a condition's first error.
    pub(crate) fn with_log(self, log: fn(&str, &EvalError)) -> Self {
        Self { log, ..self }
    }
}

// === impl CheckedRoute ===

impl CheckedRoute {
    /// Returns the name of the condition's context.
    pub(super) fn context(&self) -> &'static str {
        match &self.condition {
            Condition::Items(context, _) => context.name(),
            Condition::Request(_) => "request",
        }
    }
}

// === impl Chooser ===

impl<'t> Chooser<'t> {
    pub(crate) fn new(table: &'t Table, signal: Signal, origin: Option<&'t Origin>, now: i64) -> Self {
        let routes = table.routes.len();
        Self { table, signal, origin, now, last: vec![None; routes], errors: vec![0; routes], failure: None }
    }

    /// Returns the first route that an item moves to.
    pub(crate) fn moves(&mut self, item: &Item<'_>) -> Option<usize> {
        self.moves_before(self.table.routes.len(), item)
    }

    /// Returns true if a route that copies selects an item that has not moved to a route before.
    pub(super) fn copies(&mut self, index: usize, item: &Item<'_>) -> bool {
        self.holds(index, item) && self.moves_before(index, item).is_none()
    }

    /// Returns the number of messages on which the condition of a route failed.
    pub(super) fn errors(&self, index: usize) -> u64 {
        self.errors.get(index).copied().unwrap_or_default()
    }

    /// # Errors
    /// Of a condition whose errors fail the request.
    pub(super) fn finish(self) -> Result<(), ExportError> {
        self.failure.map_or(Ok(()), Err)
    }

    fn moves_before(&mut self, end: usize, item: &Item<'_>) -> Option<usize> {
        let table = self.table;
        let moving = |index: &usize| table.routes.get(*index).is_some_and(|route| !route.is_copy);
        (0..end).filter(moving).find(|index| self.holds(*index, item))
    }

    fn holds(&mut self, index: usize, item: &Item<'_>) -> bool {
        let table = self.table;
        let Some(route) = table.routes.get(index) else { return false };
        let asked = match &route.condition {
            Condition::Request(_) => Asked::Request,
            Condition::Items(Context::Resource, _) => Asked::Resource(item.resource_index),
            Condition::Items(Context::DataPoint, _) => {
                Asked::Message(item.point.unwrap_or_default().as_ptr().addr())
            }
            Condition::Items(..) => Asked::Message(item.entry.as_ptr().addr()),
        };
        if let Some(Some((last, holds))) = self.last.get(index)
            && *last == asked
        {
            return *holds;
        }
        let holds = match &route.condition {
            Condition::Request(condition) => Ok(condition.holds(self.origin)),
            Condition::Items(context, test) => self.ask(*context, test, item),
        };
        let holds = holds.unwrap_or_else(|error| {
            if let Some(errors) = self.errors.get_mut(index) {
                *errors += 1;
            }
            self.note(route, &error);
            false
        });
        if let Some(last) = self.last.get_mut(index) {
            *last = Some((asked, holds));
        }
        holds
    }

    /// Asks a condition about an item. A condition on messages of another signal does not hold.
    fn ask(&self, context: Context, test: &Test, item: &Item<'_>) -> Result<bool, EvalError> {
        if !Context::of_signal(self.signal).contains(&context) {
            return Ok(false);
        }
        let mut env = Environment::new(self.origin, self.now);
        env.set(Level::ResourceGroup, item.resource_group);
        env.set(Level::Resource, item.resource);
        env.set(Level::ScopeGroup, item.scope_group);
        env.set(Level::Scope, item.scope);
        env.set(Level::Entry, item.entry);
        if context == Context::DataPoint {
            let (Some(point), Some(kind)) = (item.point, PointKind::of(Metric::new(item.entry).data()))
            else {
                return Ok(false);
            };
            env.set(Level::Child, point);
            env.set_point_kind(kind);
        }
        test.holds(&env)
    }

    /// Logs the first error of a condition, or fails the request.
    #[cold]
    fn note(&mut self, route: &CheckedRoute, error: &EvalError) {
        let condition = &*route.text;
        match self.table.error_mode {
            ErrorMode::Propagate => {
                let message = format!("the routing condition `{condition}` failed: {error}");
                self.failure.get_or_insert(ExportError::new(ErrorKind::Internal, Retry::Never, message));
            }
            ErrorMode::Ignore if !route.has_logged.swap(true, Ordering::Relaxed) => {
                (self.table.log)(condition, error);
            }
            ErrorMode::Ignore | ErrorMode::Silent => {}
        }
    }
}

fn log(condition: &str, error: &EvalError) {
    tracing::warn!(condition, %error, "a routing condition failed, so it counts as not met; further errors are not logged");
}

impl fmt::Display for RoutingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "route {}: {}", self.index, self.error)
    }
}

impl std::error::Error for RoutingError {}

/// Contexts of routes, from the inside out.
const CONTEXTS: [Context; 5] =
    [Context::Log, Context::DataPoint, Context::Metric, Context::Span, Context::Resource];

/// The most routes of a table: the rest is a further part of each request.
const MAX_ROUTES: usize = MAX_PARTS - 1;
