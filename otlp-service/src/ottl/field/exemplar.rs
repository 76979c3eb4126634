//! Fields of exemplars.

use super::Field;
use super::point::{double, int_of};
use super::span::id;
use crate::ottl::environment::Level;
use crate::ottl::target::{Special, Write};
use crate::ottl::value::{Map, Value, hex};

pub(super) const FIELDS: &[Field] = &[
    exemplar("double_value", Write::Special(Special::Number), |env| double(env.exemplar().value())),
    exemplar("filtered_attributes", Write::Attributes(7), |env| {
        Value::Map(Map::Encoded(env.exemplar().filtered_attributes()))
    }),
    exemplar("int_value", Write::Special(Special::Number), |env| int_of(env.exemplar().value())),
    exemplar("span_id", Write::Id(4), |env| Value::SpanId(id(env.exemplar().span_id()))),
    exemplar("span_id.string", Write::IdText(4), |env| Value::text(hex(&id(env.exemplar().span_id())))),
    exemplar("time", Write::Time(2), |env| Value::utc(env.exemplar().time_unix_nano() as i64)),
    exemplar("time_unix_nano", Write::Fixed64(2), |env| Value::Int(env.exemplar().time_unix_nano() as i64)),
    exemplar("trace_id", Write::Id(5), |env| Value::TraceId(id(env.exemplar().trace_id()))),
    exemplar("trace_id.string", Write::IdText(5), |env| Value::text(hex(&id(env.exemplar().trace_id())))),
];

const fn exemplar(name: &'static str, write: Write, read: super::Read) -> Field {
    Field::new(Level::Exemplar, name, write, read)
}
