//! Sanitizing of span names.

use super::rules::Rules;
use super::stats::{Rule, Tally};
use otlp_protocol::view::Span;
use otlp_protocol::{AttributeEdits, SpanKind};

/// Returns the new name of a span; `None` if the name stays. `attributes` are those that redaction has left.
pub(super) fn sanitized_name(
    rules: &Rules,
    tally: &mut Tally,
    span: Span<'_>,
    attributes: &mut AttributeEdits<'_>,
) -> Option<String> {
    let url = rules.url_of_names()?;
    let name = span.name();
    if rules.allows(name) || !matches!(span.kind(), SpanKind::Client | SpanKind::Server) {
        return None;
    }
    let is_of_http = name.contains('/') || HTTP_KEYS.iter().any(|key| attributes.get(key).is_some());
    if !is_of_http {
        return None;
    }
    let sanitized = url.sanitize(name);
    if sanitized == name || sanitized.is_empty() || sanitized == "..." || is_nothing_left(&sanitized) {
        return None;
    }
    tally.count(Rule::Url);
    Some(sanitized)
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
