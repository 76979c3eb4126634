//! Fields of spans: attributes, and the fields `otel.*`.

use super::attributes::{AttributeWriter, formatted};
use super::callsite::Callsite;
use super::failure::Failure;
use super::key::Role;
use crate::client::key::Key;
use crate::client::trace::OpenSpan;
use otlp_protocol::{SpanKind, StatusCode};
use std::error::Error;
use std::fmt::Debug;
use tracing::field::{Field, Visit};

/// Encodes the fields of a span.
pub(super) struct SpanFields<'a> {
    callsite: &'static Callsite,
    attributes: AttributeWriter<'a>,
    /// `None` unless a field is not an attribute.
    pub(super) marks: Option<Box<Marks>>,
}

/// Properties of a span other than attributes, set by fields.
#[derive(Default)]
pub(super) struct Marks {
    /// `otel.name`.
    pub(super) name: Option<String>,
    /// `otel.kind`.
    pub(super) kind: Option<SpanKind>,
    /// `otel.status_code`, or Error if there is a description.
    pub(super) status: Option<StatusCode>,
    /// `otel.status_description`.
    pub(super) description: Option<String>,
}

// === impl SpanFields ===

impl<'a> SpanFields<'a> {
    pub(super) fn new(callsite: &'static Callsite, attributes: AttributeWriter<'a>) -> Self {
        Self { callsite, attributes, marks: None }
    }

    /// Calls `attribute` if the field is an attribute, otherwise `mark` with a text.
    #[inline]
    fn field(
        &mut self,
        field: &Field,
        attribute: impl FnOnce(&mut AttributeWriter<'a>, &Key),
        text: impl FnOnce() -> String,
    ) {
        match self.callsite.field(field.index()) {
            Some((key, Role::Attribute)) => attribute(&mut self.attributes, key),
            Some((_, role)) => self.marks.get_or_insert_default().set(role, text),
            None => {}
        }
    }
}

impl Visit for SpanFields<'_> {
    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, |attributes, key| attributes.field(key, value), || value.to_owned());
    }

    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, |attributes, key| attributes.field(key, value), || value.to_string());
    }

    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, |attributes, key| attributes.wide(key, value), || value.to_string());
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.field(field, |attributes, key| attributes.wide(key, value), || value.to_string());
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.field(field, |attributes, key| attributes.wide(key, value), || value.to_string());
    }

    #[inline]
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.field(field, |attributes, key| attributes.field(key, value), || value.to_string());
    }

    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, |attributes, key| attributes.field(key, value), || value.to_string());
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.field(field, |attributes, key| attributes.field(key, value), String::new);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let Callsite { fingerprints, extras, .. } = self.callsite;
        let put = |attributes: &mut AttributeWriter<'_>, key: &Key| {
            let failure = Failure::new(value);
            failure.put_field(attributes, *fingerprints, key);
            if !extras.has_exception {
                failure.put_exception(attributes, *fingerprints);
            }
        };
        self.field(field, put, || formatted(format_args!("{value}")));
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let put = |attributes: &mut AttributeWriter<'_>, key: &Key| {
            attributes.formatted(key, format_args!("{value:?}"));
        };
        self.field(field, put, || formatted(format_args!("{value:?}")));
    }
}

// === impl Marks ===

impl Marks {
    /// Sets the properties of a span. True if the span has a name of its own from now on.
    pub(super) fn apply(self, span: &mut OpenSpan) -> bool {
        if let Some(kind) = self.kind {
            span.set_kind(kind);
        }
        if let Some(status) = self.status {
            span.set_status(status, self.description.as_deref().unwrap_or_default());
        }
        let has_name = self.name.is_some();
        if let Some(name) = self.name {
            span.name = name;
        }
        has_name
    }

    #[inline(never)]
    fn set(&mut self, role: Role, text: impl FnOnce() -> String) {
        match role {
            Role::Name => self.name = Some(text()),
            Role::Kind => self.kind = kind(&text()).or(self.kind),
            Role::StatusCode => self.status = status(&text()).or(self.status),
            Role::StatusDescription => {
                self.status = Some(StatusCode::Error);
                self.description = Some(text());
            }
            Role::Attribute | Role::Message | Role::Error | Role::Replaced => {}
        }
    }
}

fn kind(text: &str) -> Option<SpanKind> {
    let kinds = [
        ("internal", SpanKind::Internal),
        ("server", SpanKind::Server),
        ("client", SpanKind::Client),
        ("producer", SpanKind::Producer),
        ("consumer", SpanKind::Consumer),
    ];
    kinds.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, kind)| kind)
}

fn status(text: &str) -> Option<StatusCode> {
    let codes = [("ok", StatusCode::Ok), ("error", StatusCode::Error)];
    codes.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, code)| code)
}
