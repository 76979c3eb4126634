//! Fields of resources and scopes.

use super::Field;
use super::span::int;
use crate::ottl::environment::Level;
use crate::ottl::target::Write;
use crate::ottl::value::{Map, Value};

pub(super) const RESOURCE: &[Field] = &[
    Field::new(Level::Resource, "attributes", Write::Attributes(1), |env| {
        Value::Map(Map::Encoded(env.resource().attributes()))
    }),
    Field::new(Level::Resource, "dropped_attributes_count", Write::Int(2), |env| {
        int(env.resource().dropped_attributes_count())
    }),
    Field::new(Level::ResourceGroup, "schema_url", Write::Text(3), |env| {
        Value::text(env.schema_url(Level::ResourceGroup))
    }),
];

pub(super) const SCOPE: &[Field] = &[
    Field::new(Level::Scope, "attributes", Write::Attributes(3), |env| {
        Value::Map(Map::Encoded(env.scope().attributes()))
    }),
    Field::new(Level::Scope, "dropped_attributes_count", Write::Int(4), |env| {
        int(env.scope().dropped_attributes_count())
    }),
    Field::new(Level::Scope, "name", Write::Text(1), |env| Value::text(env.scope().name())),
    Field::new(Level::ScopeGroup, "schema_url", Write::Text(3), |env| {
        Value::text(env.schema_url(Level::ScopeGroup))
    }),
    Field::new(Level::Scope, "version", Write::Text(2), |env| Value::text(env.scope().version())),
];
