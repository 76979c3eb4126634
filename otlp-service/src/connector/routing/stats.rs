//! Counters of the connector `routing`, by route.

use super::table::Table;
use crate::holder::HolderContext;
use crate::processor::shown;
use crate::telemetry::Counter;

/// Counters in a pipeline: for each route, and then for what no route selects.
#[derive(Clone, Debug)]
pub(super) struct Stats(Vec<RouteCounters>);

/// Counters of a route.
#[derive(Clone, Debug)]
struct RouteCounters {
    items: Counter,
    errors: Counter,
    retries: Counter,
}

// === impl Stats ===

impl Stats {
    /// Registers the counters of a table.
    pub(super) fn new(context: &HolderContext, table: &Table) -> Self {
        let routes = table.routes.iter().map(|route| (route.context(), shown(&route.text)));
        let counters = routes.chain([(DEFAULT, "")]).map(|(of, condition)| {
            let labels = [
                ("connector", &*context.id),
                ("otel_signal", context.signal.name),
                ("pipeline", &*context.pipeline),
                ("context", of),
                ("condition", condition),
            ];
            RouteCounters {
                items: context.registry.counter("otlp_connector_routing_items", ITEMS_HELP, &labels),
                errors: context.registry.counter("otlp_connector_routing_errors", ERRORS_HELP, &labels),
                retries: context.registry.counter("otlp_connector_routing_retries", RETRIES_HELP, &labels),
            }
        });
        Self(counters.collect())
    }

    /// Counts items that a route selects.
    pub(super) fn add_items(&self, route: usize, items: u64) {
        if let Some(counters) = self.0.get(route) {
            counters.items.add(items);
        }
    }

    /// Counts messages on which the condition of a route failed.
    pub(super) fn add_errors(&self, route: usize, errors: u64) {
        if let Some(counters) = self.0.get(route) {
            counters.errors.add(errors);
        }
    }

    /// Counts a further attempt to send the part of a route to a pipeline.
    pub(super) fn add_retry(&self, route: usize) {
        if let Some(counters) = self.0.get(route) {
            counters.retries.add(1);
        }
    }
}

/// The label `context` of items that no route selects.
const DEFAULT: &str = "default";

const ITEMS_HELP: &str = "Items that a route of the connector selected, or no route.";
const ERRORS_HELP: &str = "Messages on which the condition of a route failed.";
const RETRIES_HELP: &str =
    "Further attempts to send the part of a route to a pipeline that refused the part.";
