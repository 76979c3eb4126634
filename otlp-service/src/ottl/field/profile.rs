//! Fields of profiles, which are read only.

use super::Field;
use super::span::{id, int};
use crate::ottl::environment::Level;
use crate::ottl::target::Write;
use crate::ottl::value::{Map, Value, hex};

pub(super) const FIELDS: &[Field] = &[
    profile("attribute_indices", |env| {
        let indices = env.profile().attribute_indices().map(|index| Value::Int(i64::from(index)));
        Value::from(indices.collect::<Vec<_>>())
    }),
    profile("attributes", |env| Value::Map(Map::OfProfile(env.profile_attributes()))).keyed(),
    profile("dropped_attributes_count", |env| int(env.profile().dropped_attributes_count())),
    profile("duration", |env| Value::Int(env.profile().duration_nano() as i64)),
    profile("duration_unix_nano", |env| Value::Int(env.profile().duration_nano() as i64)),
    profile("original_payload", |env| Value::Bytes(env.profile().original_payload().into())),
    profile("original_payload_format", |env| Value::text(env.profile().original_payload_format())),
    profile("period", |env| Value::Int(env.profile().period())),
    profile("profile_id", |env| Value::ProfileId(id(env.profile().profile_id()))),
    profile("profile_id.string", |env| Value::text(hex(&id(env.profile().profile_id())))),
    profile("time", |env| Value::utc(env.profile().time_unix_nano() as i64)),
    profile("time_unix_nano", |env| Value::Int(env.profile().time_unix_nano() as i64)),
];

const fn profile(name: &'static str, read: super::Read) -> Field {
    Field::new(Level::Entry, name, Write::ReadOnly, read)
}
