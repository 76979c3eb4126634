//! Fields of spans and of their events.

use super::Field;
use crate::ottl::environment::{Environment, Level};
use crate::ottl::target::{Special, Write};
use crate::ottl::value::{Map, Messages, Value, hex};
use otlp_protocol::SpanKind;

pub(super) const SPAN: &[Field] = &[
    span("attributes", Write::Attributes(9), |env| Value::Map(Map::Encoded(env.span().attributes()))),
    span("dropped_attributes_count", Write::Int(10), |env| int(env.span().dropped_attributes_count())),
    span("dropped_events_count", Write::Int(12), |env| int(env.span().dropped_events_count())),
    span("dropped_links_count", Write::Int(14), |env| int(env.span().dropped_links_count())),
    span("end_time", Write::Time(8), |env| Value::utc(env.span().end_time_unix_nano() as i64)),
    span("end_time_unix_nano", Write::Fixed64(8), |env| Value::Int(env.span().end_time_unix_nano() as i64)),
    span("events", Write::ReadOnly, |env| Value::Messages(Messages::Events(env.span()))),
    span("flags", Write::Fixed32(16), |env| int(env.span().flags())),
    span("kind", Write::Special(Special::Kind), |env| Value::Int(kind(env))),
    span("kind.deprecated_string", Write::Special(Special::KindText), |env| {
        Value::text(OLD_KINDS.get(kind(env) as usize).copied().unwrap_or_default())
    }),
    span("kind.string", Write::Special(Special::KindText), |env| {
        Value::text(KINDS.get(kind(env) as usize).copied().unwrap_or_default())
    }),
    span("links", Write::ReadOnly, |env| Value::Messages(Messages::Links(env.span()))),
    span("name", Write::Text(5), |env| Value::text(env.span().name())),
    span("parent_span_id", Write::Id(4), |env| Value::SpanId(id(env.span().parent_span_id()))),
    span("parent_span_id.string", Write::IdText(4), |env| Value::text(hex(&id(env.span().parent_span_id())))),
    span("span_id", Write::Id(2), |env| Value::SpanId(id(env.span().span_id()))),
    span("span_id.string", Write::IdText(2), |env| Value::text(hex(&id(env.span().span_id())))),
    span("start_time", Write::Time(7), |env| Value::utc(env.span().start_time_unix_nano() as i64)),
    span("start_time_unix_nano", Write::Fixed64(7), |env| {
        Value::Int(env.span().start_time_unix_nano() as i64)
    }),
    span("status", Write::ReadOnly, |env| Value::Messages(Messages::Status(env.span().status()))),
    span("status.code", Write::Special(Special::StatusCode), |env| {
        Value::Int(i64::from(i32::from(env.span().status().code())))
    }),
    span("status.message", Write::Special(Special::StatusMessage), |env| {
        Value::text(env.span().status().message())
    }),
    span("trace_id", Write::Id(1), |env| Value::TraceId(id(env.span().trace_id()))),
    span("trace_id.string", Write::IdText(1), |env| Value::text(hex(&id(env.span().trace_id())))),
    span("trace_state", Write::Special(Special::TraceState), |env| Value::text(env.span().trace_state())),
];

pub(super) const EVENT: &[Field] = &[
    event("attributes", Write::Attributes(3), |env| Value::Map(Map::Encoded(env.event().attributes()))),
    event("dropped_attributes_count", Write::Int(4), |env| int(env.event().dropped_attributes_count())),
    event("event_index", Write::ReadOnly, |env| Value::Int(env.child_index() as i64)),
    event("name", Write::Text(2), |env| Value::text(env.event().name())),
    event("time", Write::Time(1), |env| Value::utc(env.event().time_unix_nano() as i64)),
    event("time_unix_nano", Write::Fixed64(1), |env| Value::Int(env.event().time_unix_nano() as i64)),
];

/// Names of the kinds by their numbers; other numbers have none.
pub(crate) const KINDS: [&str; 6] = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"];

/// The kinds by the names of the protocol.
pub(crate) const OLD_KINDS: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

const fn span(name: &'static str, write: Write, read: super::Read) -> Field {
    Field::new(Level::Entry, name, write, read)
}

const fn event(name: &'static str, write: Write, read: super::Read) -> Field {
    Field::new(Level::Child, name, write, read)
}

fn kind(env: &Environment<'_>) -> i64 {
    let kind: SpanKind = env.span().kind();
    i64::from(i32::from(kind))
}

/// Returns an id; zeros if absent.
pub(super) fn id<const N: usize>(id: Option<&[u8; N]>) -> [u8; N] {
    id.copied().unwrap_or([0; N])
}

pub(super) fn int<'a>(value: u32) -> Value<'a> {
    Value::Int(i64::from(value))
}
