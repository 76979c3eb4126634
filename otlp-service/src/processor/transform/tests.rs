//! Tests of the processor `transform`: what the Collector of v0.161 makes of each statement.

mod examples;
mod groups;
mod paths;

use super::*;
use crate::processor::filter::ErrorMode;
use otlp_protocol::encode::{LogRecords, Metrics, Spans};
use otlp_protocol::view::{Attributes, LogRecord, RequestView};
use otlp_protocol::{Body, Charge, Origin};

/// A group with a context, to which paths without a context belong.
fn group<T: Into<String>>(
    signal: Signal,
    context: &str,
    statements: impl IntoIterator<Item = T>,
) -> TransformGroup {
    TransformGroup { context: Some(context.into()), ..TransformGroup::new(signal, statements) }
}

fn processor(groups: impl IntoIterator<Item = TransformGroup>) -> TransformProcessor {
    let config = TransformConfig { groups: groups.into_iter().collect(), ..TransformConfig::default() };
    let shown =
        |errors: Vec<TransformError>| errors.iter().map(TransformError::to_string).collect::<String>();
    TransformProcessor::new(config).map_err(shown).unwrap()
}

fn transform(processor: &TransformProcessor, body: Body) -> Body {
    let mut out = Out::new();
    processor.process(Batch::new(body, Charge::none()), &mut out).unwrap();
    out.into_batches().remove(0).body().clone()
}

/// A request with one log record, of a resource and a scope.
fn log(text: &str) -> Body {
    Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.resource(|resource| {
                resource.attribute("service.name", "cart");
            });
            group.scope_group(|scope| {
                scope.scope(|scope| {
                    scope.name("lib");
                });
                scope.log_record(|record| {
                    record.body(text);
                });
            });
        });
    })
}

/// Shows the attributes of a log record after statements in the context `log`. `attributes` is a map in OTTL.
fn attributes(attributes: &str, statements: &[&str]) -> String {
    shown(&log("text"), attributes, statements)
}

fn shown(body: &Body, attributes: &str, statements: &[&str]) -> String {
    let first = format!("set(attributes, {attributes})");
    let statements = [first.as_str()].into_iter().chain(statements.iter().copied());
    let transformed = transform(&processor([group(Signal::LOGS, "log", statements)]), body.clone());
    show_log(&transformed, |record| format!("{:?}", record.attributes()))
}

/// Shows a part of the first log record.
fn show_log(body: &Body, show: impl FnOnce(LogRecord<'_>) -> String) -> String {
    let bytes = body.to_bytes();
    let record = RequestView::new(Signal::LOGS, &bytes).log_records().next();
    record.map(|record| show(*record)).unwrap_or_default()
}

fn show_attributes(attributes: Attributes<'_>) -> String {
    format!("{attributes:?}")
}
