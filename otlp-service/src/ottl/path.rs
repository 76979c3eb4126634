//! Paths: a field of a message, and keys into its lists and maps.

use super::environment::Environment;
use super::error::EvalError;
use super::expression::Expression;
use super::field::Field;
use super::target::{Special, Write};
use super::value::{Map, Value};
use memchr::memmem::Finder;

/// A path that was checked.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) field: &'static Field,
    pub(crate) keys: Vec<Key>,
    /// Finds the only key, if that is a name, in encoded messages.
    name: Option<Box<Finder<'static>>>,
}

/// A key into a list or a map.
#[derive(Debug)]
pub(crate) enum Key {
    /// A key that is computed for each item.
    Computed(Expression),
    Index(i64),
    Name(Box<str>),
}

/// The value of a key.
#[derive(Debug)]
pub(crate) enum KeyValue<'a> {
    Index(i64),
    Name(std::borrow::Cow<'a, str>),
}

// === impl Path ===

impl Path {
    pub(crate) fn new(field: &'static Field, keys: Vec<Key>) -> Self {
        let name = match &keys[..] {
            [Key::Name(name)] => Some(Box::new(Finder::new(name.as_bytes()).into_owned())),
            _ => None,
        };
        Self { field, keys, name }
    }

    /// Returns the value; nil if a key is missing.
    ///
    /// # Errors
    /// If a key does not fit to its list or map.
    #[inline]
    pub(crate) fn value<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        let value = (self.field.read)(env);
        match &self.keys[..] {
            [] => Ok(value),
            [key] if self.field.write == Write::Special(Special::TraceState) => {
                member(value, key.value(env)?)
            }
            // An empty body is no map, where attributes that are missing are nil with all their keys.
            [..] if value.is_nil() && matches!(self.field.write, Write::AnyValue(_)) => {
                Err(EvalError::wrong_type("a map or a list for the key", &value))
            }
            // Most keys that conditions ask for are missing, and a search is faster than reading all keys.
            _ if let (Some(name), Value::Map(Map::Encoded(attributes))) = (&self.name, &value)
                && name.find(attributes.enclosing()).is_none() =>
            {
                Ok(Value::Nil)
            }
            keys => walk(value, keys, env, true),
        }
    }
}

// === impl Key ===

impl Key {
    pub(crate) fn value<'a>(&'a self, env: &'a Environment<'_>) -> Result<KeyValue<'a>, EvalError> {
        match self {
            Self::Index(index) => Ok(KeyValue::Index(*index)),
            Self::Name(name) => Ok(KeyValue::Name((&**name).into())),
            Self::Computed(expression) => match expression.value(env)? {
                Value::Int(index) => Ok(KeyValue::Index(index)),
                Value::Text(name) => Ok(KeyValue::Name(name)),
                other => Err(EvalError::wrong_type("a key, a string or an int", &other)),
            },
        }
    }
}

/// Follows keys into a value. A missing key of a map is nil if `may_miss`, else an error.
///
/// # Errors
/// If a key does not fit to its list or map, or is missing.
pub(crate) fn walk<'a>(
    value: Value<'a>,
    keys: &'a [Key],
    env: &'a Environment<'_>,
    may_miss: bool,
) -> Result<Value<'a>, EvalError> {
    let mut value = value;
    for key in keys {
        value = match (value, key.value(env)?) {
            (Value::Nil, _) if may_miss => return Ok(Value::Nil),
            (Value::Map(map), KeyValue::Name(name)) => match map.get(&name) {
                Some(value) => value,
                None if may_miss => return Ok(Value::Nil),
                None => return Err(EvalError::new("the key is not in the map")),
            },
            (Value::List(list), KeyValue::Index(index)) => list.at(index)?,
            (other, KeyValue::Name(_)) => return Err(EvalError::wrong_type("a map for the key", &other)),
            (other, KeyValue::Index(_)) => return Err(EvalError::wrong_type("a list for the index", &other)),
        };
    }
    Ok(value)
}

/// Returns the value of a member of a W3C `tracestate`; empty if there is none.
fn member<'a>(state: Value<'a>, key: KeyValue<'_>) -> Result<Value<'a>, EvalError> {
    let KeyValue::Name(key) = key else {
        return Err(EvalError::new("a key of trace_state must be a string"));
    };
    let state = state.into_text()?;
    let members = state.split(',').filter_map(|member| member.split_once('='));
    let mut values = members.filter(|(name, _)| name.trim_start() == key).map(|(_, value)| value);
    Ok(Value::text(values.next().unwrap_or_default().trim_end().to_owned()))
}
