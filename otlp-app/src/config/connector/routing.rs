//! The connector `routing`: conditions in OTTL lead to pipelines.

use crate::config::ottl::{Mode, faults};
use otlp_service::{
    BuildContext, ConnectorPart, GoDuration, KeyRule, PipelineRef, Route, RoutingConfig, RoutingConnector,
    SettingsError,
};
use serde::Deserialize;

/// Settings of the connector `routing`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Routing {
    /// Pipelines for what no route selects. Without it, what no route selects is removed, and counts as filtered.
    default_pipelines: Vec<String>,
    /// Mode for errors of conditions. `propagate`: the request fails before any part is sent. `ignore` and `silent`: the condition
    /// counts as not met, and `ignore` logs the first error of each condition. Default propagate.
    error_mode: Option<Mode>,
    /// Time for which a part that its pipeline refuses retryably is sent again to that pipeline alone, if other pipelines accepted their
    /// parts; at most until the sender's deadline. Default 0s: the sender sends the whole request again, also to the others. Not a key of
    /// the Collector.
    retry_parts_for: Option<GoDuration>,
    /// Routes, in order: the first route whose condition holds takes the telemetry.
    table: Vec<RouteRow>,
}

/// A route of the connector `routing`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RouteRow {
    /// Context of paths without a context: `resource`, `span`, `metric`, `datapoint`, `log`; or `request`, with
    /// `request["header"] == "value"` as the condition. Default: each path has its context in front, or `resource` if the route has a
    /// statement.
    context: Option<String>,
    /// Condition in OTTL.
    condition: Option<String>,
    /// Older form of the condition: `route() where CONDITION`.
    statement: Option<String>,
    /// `move`: the telemetry goes to the pipelines and nowhere else; `copy`: a copy goes to the pipelines, and the following
    /// conditions are asked too. Default move.
    action: RouteAction,
    /// Pipelines of the route.
    pipelines: Vec<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RouteAction {
    Copy,
    #[default]
    Move,
}

/// Keys of the Collector's `routing` that have no effect here.
pub(crate) const ROUTING_RULES: &[KeyRule] =
    &[KeyRule::ignored("match_once", "the first route takes the telemetry, unless its action is copy")];

/// Makes `routing`.
pub(crate) fn routing(routing: Routing, context: &BuildContext<'_>) -> Result<ConnectorPart, SettingsError> {
    let mut config = RoutingConfig::default();
    config.error_mode = routing.error_mode.unwrap_or(Mode::Propagate).into();
    config.retry_parts_for = routing.retry_parts_for.map(|GoDuration(time)| time).unwrap_or_default();
    let mut named: Vec<PipelineRef> = Vec::new();
    let mut name = |path: String, ids: &[String]| {
        let refs = ids.iter().enumerate();
        named.extend(refs.map(|(index, id)| PipelineRef { id: id.clone(), path: format!("{path}.{index}") }));
    };
    name("default_pipelines".to_owned(), &routing.default_pipelines);
    if routing.table.is_empty() {
        return Err(SettingsError::at("table", "a route is required")
            .help("use the connector forward without routes"));
    }
    for (index, row) in routing.table.into_iter().enumerate() {
        if row.pipelines.is_empty() {
            return Err(SettingsError::at(format!("table.{index}.pipelines"), "a pipeline is required"));
        }
        name(format!("table.{index}.pipelines"), &row.pipelines);
        config.table.push(row.route(index)?);
    }
    config.default_pipelines = routing.default_pipelines;
    match RoutingConnector::spec(config) {
        Ok(connector) => Ok(ConnectorPart::from(connector).with_pipelines(named)),
        Err(errors) => {
            let places = errors.iter().map(|error| (format!("table.{}", error.index), &error.error));
            context.check(places.flat_map(|(path, error)| faults(&path, error)))?;
            Err(SettingsError::new("the conditions are wrong"))
        }
    }
}

// === impl RouteRow ===

impl RouteRow {
    fn route(self, index: usize) -> Result<Route, SettingsError> {
        let wrong = |problem: &str| SettingsError::at(format!("table.{index}"), problem);
        let mut context = self.context.filter(|context| !context.is_empty());
        let condition = match (self.condition, self.statement) {
            (Some(condition), None) => condition,
            (None, Some(statement)) => {
                context = context.or(Some("resource".to_owned()));
                of_statement(&statement).ok_or_else(|| {
                    SettingsError::at(
                        format!("table.{index}.statement"),
                        "it must be `route() where CONDITION`",
                    )
                    .help("change telemetry in the pipelines of the route, by the processor transform")
                })?
            }
            (Some(_), Some(_)) => {
                return Err(wrong("condition and statement are the same; remove one of them"));
            }
            (None, None) => return Err(wrong("a condition is required")),
        };
        let mut route = Route::new(condition, self.pipelines);
        route.context = context;
        route.is_copy = self.action == RouteAction::Copy;
        Ok(route)
    }
}

/// Returns the condition of a statement `route() where …`; `true` without a condition.
fn of_statement(statement: &str) -> Option<String> {
    let rest = statement.trim().strip_prefix("route")?.trim_start().strip_prefix('(')?;
    let rest = rest.trim_start().strip_prefix(')')?.trim_start();
    if rest.is_empty() {
        return Some("true".to_owned());
    }
    let condition = rest.strip_prefix("where")?;
    condition.starts_with(char::is_whitespace).then(|| condition.trim().to_owned())
}
