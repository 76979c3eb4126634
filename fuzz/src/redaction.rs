//! Redaction of any body.

use bytes::Bytes;
use otlp_protocol::encode::Spans;
use otlp_protocol::view::{AnyValue, Attributes, DataPoint, Entry, RequestView};
use otlp_protocol::{Batch, Body, Charge, ValidateLimits};
use otlp_service::{Out, Processor, RedactionConfig, RedactionProcessor};

/// Of a sound body that is masked as a whole nothing is left but masks, and a second run changes nothing. Of a body without allowed keys
/// no attribute is left. Both are sound, with as many items as before.
pub fn redaction(data: &[u8]) {
    let Some((signal, bytes)) = super::signal(data) else { return };
    let limits = ValidateLimits::default();
    let Ok(body) = Body::check(signal, Bytes::copy_from_slice(bytes), &limits) else { return };
    if !body.signal().request.fields.iter().all(|field| field.name != "dictionary") {
        return;
    }
    let mut all = RedactionConfig::default();
    all.allow_all_keys = true;
    all.redact_all_types = true;
    all.links_and_exemplars = true;
    all.blocked_values = vec!["(?s)^.*$".into()];
    let masked = run(&all, &body);
    each(&masked, |attributes| {
        for attribute in attributes.iter() {
            assert_eq!(attribute.value(), AnyValue::String("****"));
        }
    });
    assert_eq!(run(&all, &masked).to_bytes(), masked.to_bytes());

    let mut none = RedactionConfig::default();
    none.links_and_exemplars = true;
    each(&run(&none, &body), |attributes| assert_eq!(attributes.iter().count(), 0));
}

/// A statement in SQL that has the input as a text keeps nothing of the input. Any input is a statement that does not become longer.
pub fn redaction_sql(data: &[u8]) {
    let mut config = RedactionConfig::default();
    config.allow_all_keys = true;
    config.db_sanitizer.sql.enabled = true;
    config.db_sanitizer.sql.attributes = vec!["statement".into()];
    let text = String::from_utf8_lossy(data);
    let quoted = text.replace(['\\', '\0'], "").replace('\'', "''");
    let values = "?".repeat(1 + quoted.matches("''").count());
    for system in ["mysql", "postgresql"] {
        let sanitized = |statement: &str| {
            let body = Body::write::<Spans>(|request| {
                request.resource_group(|group| {
                    group.scope_group(|scope| {
                        scope.span(|span| {
                            span.attribute("db.system", system).attribute("statement", statement);
                        });
                    });
                });
            });
            let bytes = run(&config, &body).to_bytes();
            let span = RequestView::new(body.signal(), &bytes).spans().next().expect("a span");
            match span.attributes().get("statement") {
                Some(AnyValue::String(statement)) => statement.to_owned(),
                _ => String::new(),
            }
        };
        assert!(sanitized(&text).len() <= text.len());
        let literal = sanitized(&format!("SELECT '{quoted}' FROM a"));
        assert_eq!(literal, format!("SELECT {values} FROM a"));
    }
}

fn run(config: &RedactionConfig, body: &Body) -> Body {
    let processor = RedactionProcessor::new(config).expect("the settings are valid");
    let mut out = Out::new();
    let batch = Batch::new(body.clone(), Charge::none());
    if processor.process(batch, &mut out).is_err() {
        // Too large, or too many attributes.
        return Body::unchecked(body.signal(), Bytes::new(), Default::default(), true);
    }
    let Some(batch) = out.into_batches().pop() else { return body.clone() };
    let redacted = batch.body().clone();
    let checked = otlp_protocol::validate(body.signal(), &redacted.to_bytes(), &ValidateLimits::default());
    assert_eq!(checked.expect("a redacted body is sound").count, body.count());
    redacted
}

/// Calls `check` with all attributes that are redacted.
fn each(body: &Body, check: impl Fn(Attributes<'_>)) {
    let bytes = body.to_bytes();
    for entry in RequestView::new(body.signal(), &bytes).entries() {
        check(entry.resource().attributes());
        check(entry.scope().attributes());
        match *entry {
            Entry::LogRecord(record) => check(record.attributes()),
            Entry::Span(span) => {
                check(span.attributes());
                span.events().for_each(|event| check(event.attributes()));
                span.links().for_each(|link| check(link.attributes()));
            }
            Entry::Metric(metric) => {
                metric.points().for_each(|point: DataPoint<'_>| check(point.attributes()))
            }
            _ => {}
        }
    }
}
