//! Examples of conditions, and texts that are refused: what the Collector of v0.161 makes of each.

mod conditions;
mod errors;
mod inference;
mod refusals;
mod remarks;

use super::context::Context;
use super::environment::{Environment, Level, PointKind};
use super::program::{Group, Texts};
use otlp_protocol::encode::{
    GaugeWriter, LogRecordWriter, LogRecords, Metrics, RequestWriter, SpanWriter, Spans,
};
use otlp_protocol::view::{Metric, RequestView};
use otlp_protocol::{Body, Origin, Signal};

/// 2026-11-30T08:55:16Z
const NOW: i64 = 1_796_028_916_000_000_000;

/// Checks a condition in a context, to which paths without a context belong.
fn group(context: Context, text: &str) -> Result<Group, String> {
    let conditions = [text.to_owned()];
    let texts =
        Texts { context: Some(context), allowed: &Context::ALL, conditions: &conditions, statements: &[] };
    Group::new(texts)
        .map_err(|errors| errors.iter().map(|error| error.error.to_string()).collect::<Vec<_>>().join("\n"))
}

/// Checks and evaluates a condition.
fn holds(context: Context, text: &str, env: &Environment<'_>) -> Result<bool, String> {
    let group = group(context, text).unwrap_or_else(|error| panic!("{text} is refused:\n{error}"));
    group.conditions[0].test.holds(env).map_err(|error| error.to_string())
}

/// Makes a request with one log record, in a resource and a scope.
fn log(write: impl FnOnce(&mut LogRecordWriter<'_>)) -> Vec<u8> {
    let mut body = Vec::new();
    RequestWriter::<LogRecords>::new(&mut body).resource_group(|group| {
        group.schema_url("https://example.com/r").resource(|resource| {
            resource.attribute("service.name", "cart");
        });
        group.scope_group(|group| {
            group.schema_url("https://example.com/s").scope(|scope| {
                scope.name("lib").version("1.2").attribute("k", "v");
            });
            group.log_record(write);
        });
    });
    body
}

fn span(write: impl FnOnce(&mut SpanWriter<'_>)) -> Vec<u8> {
    let mut body = Vec::new();
    RequestWriter::<Spans>::new(&mut body).resource_group(|group| {
        group.scope_group(|group| {
            group.span(write);
        });
    });
    body
}

fn gauge(write: impl FnOnce(&mut GaugeWriter<'_>)) -> Vec<u8> {
    let body = Body::write::<Metrics>(|request| {
        request.resource_group(|group| {
            group.scope_group(|group| {
                group.metric(|metric| metric.name("m").unit("By").gauge(write));
            });
        });
    });
    body.to_bytes().to_vec()
}

/// Opens the first entry of a request.
fn env<'a>(signal: Signal, body: &'a [u8], origin: Option<&'a Origin>) -> Environment<'a> {
    let mut env = Environment::new(origin, NOW);
    let group = RequestView::new(signal, body).resources().next().unwrap();
    env.set(Level::ResourceGroup, group.as_bytes());
    if let Some(resource) = group.resource().pieces().next() {
        env.set(Level::Resource, resource);
    }
    let scope_group = group.scopes().next().unwrap();
    env.set(Level::ScopeGroup, scope_group.as_bytes());
    if let Some(scope) = scope_group.scope().pieces().next() {
        env.set(Level::Scope, scope);
    }
    env.set(Level::Entry, scope_group.entries().next().unwrap_or_default());
    env
}

/// Opens the first data point of a request, too.
fn point_env(body: &[u8]) -> Environment<'_> {
    let mut env = env(Signal::METRICS, body, None);
    let metric = RequestView::new(Signal::METRICS, body).metrics().next().unwrap();
    let metric: Metric<'_> = *metric;
    env.set_point_kind(PointKind::of(metric.data()).unwrap());
    env.set(Level::Child, metric.points().next().unwrap().as_bytes());
    env
}
