//! Changes of a value inside lists and maps, by its keys.

use super::special::{Special, point_attributes, trace_state_with};
use super::{Write, encoded, put, put_attribute};
use crate::ottl::environment::{Environment, Level};
use crate::ottl::error::EvalError;
use crate::ottl::path::{Key, KeyValue, Path};
use crate::ottl::value::Value;
use otlp_protocol::rewrite::FieldValue;
use otlp_protocol::{AttributeValue, Value as Encodable};
use std::borrow::Cow;

/// Sets the value at the end of the keys of a path.
///
/// # Errors
/// If a key does not fit to its list or map, or the value cannot be there.
pub(super) fn set(path: &Path, env: &mut Environment<'_>, value: Value<'_>) -> Result<(), EvalError> {
    let field = path.field;
    let (number, is_body) = match field.write {
        Write::AnyValue(number) => (number, true),
        Write::Attributes(number) => (number, false),
        Write::Special(Special::PointAttributes) => (point_attributes(env), false),
        Write::Special(Special::TraceState) => return set_member(path, env, value),
        _ => return Err(EvalError::new("the path cannot be set")),
    };
    if is_body {
        let body = (field.read)(env);
        if !matches!(body, Value::List(_) | Value::Map(_)) {
            return Err(EvalError::wrong_type("a map or a list for the key", &body));
        }
        let body = encoded(&with(body, &path.keys, env, value)?)?;
        return put(env, field.level, &[number], FieldValue::Value(Encodable::Encoded(&body)));
    }
    let Some((first, below)) = path.keys.split_first() else {
        return Err(EvalError::new("a key is required"));
    };
    let key = match first {
        Key::Name(name) => Cow::Borrowed(&**name),
        key => Cow::Owned(name_of(key.value(env)?)?.into_owned()),
    };
    if field.level == Level::Cache {
        return set_in_cache(env, key, below, value);
    }
    if below.is_empty() {
        return put_attribute(env, field.level, number, &key, &value);
    }
    let map = (field.read)(env).into_map()?;
    let old = map.get(&key).unwrap_or_default();
    let new: AttributeValue = encoded(&with(old, below, env, value)?)?;
    let is_set = env.edit(field.level)?.set_attribute(number, &key, &new);
    if is_set { Ok(()) } else { Err(super::NO_FIELD) }
}

/// Replaces the whole scratch map.
pub(super) fn set_cache(env: &mut Environment<'_>, value: Value<'_>) -> Result<(), EvalError> {
    let entries = match value {
        Value::Nil => Vec::new(),
        value => value.into_map()?.into_vec(),
    };
    let own = |(key, value): (Cow<'_, str>, Value<'_>)| {
        check_size(key.len(), &value)?;
        Ok((Cow::Owned(key.into_owned()), value.into_owned()))
    };
    *env.cache_mut() = entries.into_iter().map(own).collect::<Result<_, EvalError>>()?;
    Ok(())
}

fn set_in_cache(
    env: &mut Environment<'_>,
    key: Cow<'_, str>,
    below: &[Key],
    value: Value<'_>,
) -> Result<(), EvalError> {
    let index = env.cache().iter().position(|(known, _)| *known == key);
    let old = index.and_then(|index| env.cache().get(index)).map(|(_, old)| old.borrow()).unwrap_or_default();
    let new = with(old, below, env, value)?;
    check_size(key.len(), &new)?;
    let new = new.into_owned();
    match index.and_then(|index| env.cache_mut().get_mut(index)) {
        Some((_, place)) => *place = new,
        None => env.cache_mut().push((Cow::Owned(key.into_owned()), new)),
    }
    Ok(())
}

/// Checks that the scratch map can take a value: statements could otherwise double a value again and again.
fn check_size(key: usize, value: &Value<'_>) -> Result<(), EvalError> {
    if key + value.encoded()?.len() > MAX_CACHED_BYTES {
        return Err(EvalError::new("the value is too large for the cache"));
    }
    Ok(())
}

/// Returns `old` with the value at the end of the keys. Missing maps and lists are made.
///
/// # Errors
/// If a key does not fit to its list or map.
fn with<'a>(
    old: Value<'a>,
    keys: &'a [Key],
    env: &'a Environment<'_>,
    value: Value<'a>,
) -> Result<Value<'a>, EvalError> {
    let Some((key, below)) = keys.split_first() else { return Ok(value) };
    match (old, key.value(env)?) {
        (Value::Nil, KeyValue::Name(name)) => {
            Ok(Value::from(vec![(name, with(Value::Nil, below, env, value)?)]))
        }
        (Value::Map(map), KeyValue::Name(name)) => {
            let mut entries = map.into_vec();
            match entries.iter_mut().find(|(known, _)| *known == name) {
                Some((_, place)) => *place = with(std::mem::take(place), below, env, value)?,
                None => entries.push((name, with(Value::Nil, below, env, value)?)),
            }
            Ok(Value::from(entries))
        }
        (Value::Nil, KeyValue::Index(index)) => {
            let index = usize::try_from(index).ok().filter(|index| *index < MAX_NEW_LIST);
            let index = index.ok_or(EvalError::new("the index is outside of the list"))?;
            let mut list = vec![Value::Nil; index];
            list.push(with(Value::Nil, below, env, value)?);
            Ok(Value::from(list))
        }
        (Value::List(list), KeyValue::Index(index)) => {
            let mut list = list.into_vec();
            let place = usize::try_from(index).ok().and_then(|index| list.get_mut(index));
            let place = place.ok_or(EvalError::new("the index is outside of the list"))?;
            *place = with(std::mem::take(place), below, env, value)?;
            Ok(Value::from(list))
        }
        (other, KeyValue::Name(_)) => Err(EvalError::wrong_type("a map for the key", &other)),
        (other, KeyValue::Index(_)) => Err(EvalError::wrong_type("a list for the index", &other)),
    }
}

/// Sets a member of a W3C `tracestate`.
fn set_member(path: &Path, env: &mut Environment<'_>, value: Value<'_>) -> Result<(), EvalError> {
    let Some(key) = path.keys.first() else { return Err(EvalError::new("a key is required")) };
    let key = name_of(key.value(env)?)?.into_owned();
    let state = (path.field.read)(env).into_text()?;
    let state = trace_state_with(&state, &key, &value.into_text()?)?;
    put(env, path.field.level, &[TRACE_STATE], FieldValue::Text(&state))
}

fn name_of(key: KeyValue<'_>) -> Result<Cow<'_, str>, EvalError> {
    match key {
        KeyValue::Name(name) => Ok(name),
        KeyValue::Index(_) => Err(EvalError::new("a key of a map must be a string")),
    }
}

/// Field number of the trace state in a span.
pub(super) const TRACE_STATE: u32 = 3;

/// The largest length of a value in the scratch map with its key, in bytes: 1 MiB.
const MAX_CACHED_BYTES: usize = 1 << 20;

/// The most elements of a list that is made by setting one of its elements.
const MAX_NEW_LIST: usize = 1 << 16;
