//! Sanitizing of span names.

use super::rules::Rules;
use super::stats::{Rule, Tally};
use otlp_protocol::view::{AnyValue, Span};
use otlp_protocol::{AttributeEdits, SpanKind};

/// Returns the new name of a span; `None` if the name stays. `attributes` are those that redaction has left.
pub(super) fn sanitized_name(
    rules: &Rules,
    tally: &mut Tally,
    span: Span<'_>,
    attributes: &mut AttributeEdits<'_>,
) -> Option<String> {
    if rules.url_of_names().is_none() && rules.database_of_names().is_none() || rules.allows(span.name()) {
        return None;
    }
    let (sanitized, rule) = match of_url(rules, span, attributes) {
        Some(sanitized) => (sanitized, Rule::Url),
        None => (of_database(rules, span, attributes)?, Rule::Database),
    };
    if sanitized == span.name() || sanitized.is_empty() || sanitized == "..." {
        return None;
    }
    tally.count(rule);
    Some(sanitized)
}

/// Returns the database that attributes name, in lower case; empty if there is none.
pub(super) fn database_of(attributes: &mut AttributeEdits<'_>) -> String {
    for key in ["db.system.name", "db.system"] {
        if let Some(AnyValue::String(system)) = attributes.value(key)
            && !system.is_empty()
        {
            return system.to_lowercase();
        }
    }
    String::new()
}

/// Sanitizes the name of a span of HTTP. `None` if no segment is replaced, or if nothing else would be left.
fn of_url(rules: &Rules, span: Span<'_>, attributes: &mut AttributeEdits<'_>) -> Option<String> {
    let (url, name) = (rules.url_of_names()?, span.name());
    if !matches!(span.kind(), SpanKind::Client | SpanKind::Server) {
        return None;
    }
    let is_of_http = name.contains('/') || HTTP_KEYS.iter().any(|key| attributes.get(key).is_some());
    let sanitized = is_of_http.then(|| url.sanitize(name))?;
    (sanitized != name && !is_nothing_left(&sanitized)).then_some(sanitized)
}

/// Sanitizes the name of a span of a database.
fn of_database(rules: &Rules, span: Span<'_>, attributes: &mut AttributeEdits<'_>) -> Option<String> {
    let database = rules.database_of_names()?;
    if !matches!(span.kind(), SpanKind::Client | SpanKind::Server | SpanKind::Internal) {
        return None;
    }
    database.name(span.name(), &database_of(attributes))
}

/// True if each segment of a name was replaced.
fn is_nothing_left(name: &str) -> bool {
    name.contains('*') && name.split('/').all(|segment| matches!(segment, "" | "*"))
}

/// Attributes of spans of HTTP, by the current and by earlier semantic conventions.
const HTTP_KEYS: [&str; 9] = [
    "http.route",
    "http.request.method",
    "http.request.method_original",
    "http.response.status_code",
    "url.full",
    "http.scheme",
    "http.target",
    "http.method",
    "http.url",
];
