//! The editor `set_semconv_span_name`: names of spans by the semantic conventions.

use super::{ArgumentError, Arguments, Edit, Function, Kind, Parameter};
use crate::ottl::context::{Context, Contexts};
use crate::ottl::environment::{Environment, Level};
use crate::ottl::error::EvalError;
use crate::processor::text_of;
use otlp_protocol::SpanKind;
use otlp_protocol::rewrite::FieldValue;
use otlp_protocol::view::{AnyValue, Attributes, Span};

pub(super) static FUNCTIONS: &[Function] = &[Function::editor(
    "set_semconv_span_name",
    &[
        Parameter::required("semconv_version", Kind::LiteralText),
        Parameter::optional("original_span_name_attribute", Kind::LiteralText),
    ],
    set_semconv_span_name,
)
.only_in(Contexts::of(&[Context::Span]))];

/// The versions of the semantic conventions, whose span names are the same.
const VERSIONS: std::ops::RangeInclusive<[u32; 3]> = [1, 37, 0]..=[1, 43, 0];

// Field numbers of a span.
const NAME: u32 = 5;
const ATTRIBUTES: u32 = 9;

/// The call of `set_semconv_span_name`.
#[derive(Debug)]
struct SetSpanName {
    /// Attribute that gets a name that was replaced.
    original: Option<Box<str>>,
}

fn set_semconv_span_name(arguments: &mut Arguments) -> Result<Box<dyn Edit>, ArgumentError> {
    let version = arguments.literal_text(0)?.unwrap_or_default();
    let parts: Option<Vec<u32>> = version.split('.').map(|part| part.parse().ok()).collect();
    let parts = parts.and_then(|parts| <[u32; 3]>::try_from(parts).ok());
    if !parts.is_some_and(|parts| VERSIONS.contains(&parts)) {
        let problem = format!("the version {version:?} is not from 1.37.0 to 1.43.0");
        return Err(ArgumentError::new(0, problem));
    }
    let original = arguments.literal_text(1)?;
    if original.as_ref().is_some_and(|key| key.is_empty()) {
        return Err(ArgumentError::new(1, "the key must not be empty"));
    }
    Ok(Box::new(SetSpanName { original }))
}

impl Edit for SetSpanName {
    fn edit(&self, env: &mut Environment<'_>) -> Result<(), EvalError> {
        let span = env.span();
        let Some(name) = name_of(&span).filter(|name| name != span.name()) else { return Ok(()) };
        let old = span.name().to_owned();
        let mut span = env.edit(Level::Entry)?;
        span.set(&[NAME], FieldValue::Text(&name));
        if let Some(key) = &self.original {
            span.set_attribute(ATTRIBUTES, key, &*old);
        }
        Ok(())
    }
}

/// Returns the name by the conventions for the kind of the span; `None` if no convention applies.
fn name_of(span: &Span<'_>) -> Option<String> {
    let attributes = Named(span.attributes());
    match span.kind() {
        SpanKind::Server => {
            attributes.http("http.route").or_else(|| attributes.rpc()).or_else(|| attributes.messaging())
        }
        SpanKind::Client => attributes
            .http("url.template")
            .or_else(|| attributes.rpc())
            .or_else(|| attributes.database())
            .or_else(|| attributes.messaging()),
        SpanKind::Consumer | SpanKind::Producer => attributes.messaging(),
        _ => None,
    }
}

/// Attributes by their keys, and by their keys of earlier conventions.
struct Named<'a>(Attributes<'a>);

// === impl Named ===

impl Named<'_> {
    fn text(&self, key: &str) -> Option<String> {
        self.0.get(key).map(|value| text_of(value).into_owned())
    }

    /// Returns the text of the first key, or else of the second.
    fn either(&self, key: &str, old: &str) -> Option<String> {
        self.text(key).or_else(|| self.text(old))
    }

    /// `GET /users/{id}`, or the method alone.
    fn http(&self, target: &str) -> Option<String> {
        let method = self.either("http.request.method", "http.method")?;
        Some(joined(Some(method), " ", self.text(target)))
    }

    /// `service/method`.
    fn rpc(&self) -> Option<String> {
        let system = self.either("rpc.system.name", "rpc.system")?;
        let method = self.either("rpc.method", "rpc.grpc.method");
        Some(match (self.either("rpc.service", "rpc.grpc.service"), method) {
            (Some(service), Some(method)) => format!("{service}/{method}"),
            (Some(service), None) => format!("{service}/*"),
            (None, Some(method)) => method,
            (None, None) => system,
        })
    }

    /// The summary of the query, or the operation and what it works on.
    fn database(&self) -> Option<String> {
        let system = self.either("db.system.name", "db.system")?;
        let summary = self.text("db.query.summary");
        let operation = self.either("db.operation.name", "db.operation").filter(|name| !name.is_empty());
        let name = || joined(operation, " ", self.database_target());
        Some(summary.unwrap_or_else(|| Some(name()).filter(|name| !name.is_empty()).unwrap_or(system)))
    }

    fn database_target(&self) -> Option<String> {
        let namespace = self.either("db.namespace", "db.name").filter(|name| !name.is_empty());
        let object = self.either("db.collection.name", "db.stored_procedure.name");
        match (&namespace, &object) {
            (None, None) => self.server(),
            _ => Some(joined(namespace, ".", object)),
        }
    }

    /// The operation and the destination.
    fn messaging(&self) -> Option<String> {
        let system = self.text("messaging.system")?;
        let operation = self.either("messaging.operation.name", "messaging.operation");
        let destination = self.destination().filter(|name| !name.is_empty());
        Some(match (&operation, &destination) {
            (None, None) => system,
            _ => joined(operation, " ", destination),
        })
    }

    fn destination(&self) -> Option<String> {
        let is_true = |key| self.0.get(key) == Some(AnyValue::Bool(true));
        if is_true("messaging.destination.temporary") {
            return Some("(temporary)".into());
        }
        if is_true("messaging.destination.anonymous") {
            return Some("(anonymous)".into());
        }
        self.text("messaging.destination.template")
            .or_else(|| self.either("messaging.destination.name", "messaging.destination"))
            .or_else(|| self.server())
    }

    /// `address:port`.
    fn server(&self) -> Option<String> {
        let address = self.text("server.address")?;
        Some(joined(Some(address), ":", self.text("server.port")))
    }
}

/// Joins the texts that are there.
fn joined(first: Option<String>, separator: &str, second: Option<String>) -> String {
    let parts: Vec<String> = first.into_iter().chain(second).collect();
    parts.join(separator)
}

#[cfg(test)]
mod tests;
