//! Fields of log records.

use super::Field;
use super::span::{id, int};
use crate::ottl::environment::Level;
use crate::ottl::target::{Special, Write};
use crate::ottl::value::{Map, Value, hex};
use crate::processor::text_of;

pub(super) const FIELDS: &[Field] = &[
    log("attributes", Write::Attributes(6), |env| Value::Map(Map::Encoded(env.log().attributes()))),
    log("body", Write::AnyValue(5), |env| Value::from_any(env.log().body())),
    log("body.string", Write::Special(Special::BodyText), |env| Value::text(text_of(env.log().body()))),
    log("dropped_attributes_count", Write::Int(7), |env| int(env.log().dropped_attributes_count())),
    log("event_name", Write::Text(12), |env| Value::text(env.log().event_name())),
    log("flags", Write::Fixed32(8), |env| int(env.log().flags())),
    log("observed_time", Write::Time(11), |env| Value::utc(env.log().observed_time_unix_nano() as i64)),
    log("observed_time_unix_nano", Write::Fixed64(11), |env| {
        Value::Int(env.log().observed_time_unix_nano() as i64)
    }),
    log("severity_number", Write::Int(2), |env| {
        Value::Int(i64::from(i32::from(env.log().severity_number())))
    }),
    log("severity_text", Write::Text(3), |env| Value::text(env.log().severity_text())),
    log("span_id", Write::Id(10), |env| Value::SpanId(id(env.log().span_id()))),
    log("span_id.string", Write::IdText(10), |env| Value::text(hex(&id(env.log().span_id())))),
    log("time", Write::Time(1), |env| Value::utc(env.log().time_unix_nano() as i64)),
    log("time_unix_nano", Write::Fixed64(1), |env| Value::Int(env.log().time_unix_nano() as i64)),
    log("trace_id", Write::Id(9), |env| Value::TraceId(id(env.log().trace_id()))),
    log("trace_id.string", Write::IdText(9), |env| Value::text(hex(&id(env.log().trace_id())))),
];

const fn log(name: &'static str, write: Write, read: super::Read) -> Field {
    Field::new(Level::Entry, name, write, read)
}
