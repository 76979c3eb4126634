//! Paths of every context: the scratch map, and properties of the request below `otelcol`.

use super::Field;
use crate::ottl::environment::{Environment, Level};
use crate::ottl::target::Write;
use crate::ottl::value::{Map, Value};
use std::borrow::Cow;

/// The scratch map of an item.
pub(crate) static CACHE: Field =
    Field::new(Level::Cache, "cache", Write::Attributes(0), |env| Value::Map(Map::Borrowed(env.cache())));

static REQUEST: [Field; 4] = [
    Field::new(Level::Cache, "client.addr", Write::ReadOnly, |env| {
        match env.origin().and_then(|origin| origin.peer) {
            Some(peer) => Value::text(peer.to_string()),
            None => Value::Nil,
        }
    }),
    Field::new(Level::Cache, "client.auth.attributes", Write::ReadOnly, identity).keyed(),
    Field::new(Level::Cache, "client.metadata", Write::ReadOnly, headers).keyed(),
    Field::new(Level::Cache, "grpc.metadata", Write::ReadOnly, headers).keyed(),
];

/// Returns the field with a path below `otelcol`.
pub(crate) fn request_field(name: &str) -> Option<&'static Field> {
    REQUEST.iter().find(|field| field.name == name)
}

/// Returns all fields with paths below `otelcol`.
pub(crate) fn request_fields() -> &'static [Field] {
    &REQUEST
}

/// Returns the sender's identity, under the names that authenticators give it.
fn identity<'a>(env: &'a Environment<'_>) -> Value<'a> {
    let identity = env.origin().and_then(|origin| origin.identity.as_deref());
    let entry = |name| identity.map(|identity| (Cow::Borrowed(name), Value::text(identity)));
    Value::from(["subject", "username"].into_iter().filter_map(entry).collect::<Vec<_>>())
}

/// Returns the headers that the receiver kept, each as a list of its values.
fn headers<'a>(env: &'a Environment<'_>) -> Value<'a> {
    let mut entries: Vec<(Cow<'a, str>, Vec<Value<'a>>)> = Vec::new();
    for (name, value) in env.origin().into_iter().flat_map(|origin| &origin.headers) {
        let value = Value::Text(String::from_utf8_lossy(value));
        match entries.iter_mut().find(|(known, _)| **known == **name) {
            Some((_, values)) => values.push(value),
            None => entries.push((Cow::Borrowed(name), vec![value])),
        }
    }
    Value::from(entries.into_iter().map(|(name, values)| (name, Value::from(values))).collect::<Vec<_>>())
}
