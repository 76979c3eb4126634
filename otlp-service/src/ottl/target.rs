//! Paths that editors change.

mod detached;
mod keyed;
mod special;

pub(crate) use detached::Detached;
pub(crate) use special::Special;

use super::environment::{Environment, Level};
use super::error::EvalError;
use super::path::Path;
use super::value::Value;
use otlp_protocol::rewrite::FieldValue;
use otlp_protocol::{AttributeValue, Value as Encodable, view};

/// A path that an editor reads and changes.
///
/// A value that was read refers to the messages, which therefore cannot be changed as long as the value lives: an editor
/// computes the new value, makes it [`Detached`], and then sets it. A map is changed by its entries:
///
/// ```text
/// let mut entries = self.target.value(env)?.into_map()?.into_vec();
/// entries.retain(|(key, _)| self.keys.contains(key));
/// let new = Detached::new(Value::from(entries))?;
/// self.target.set(env, new.value())
/// ```
#[derive(Debug)]
pub(crate) struct Target {
    path: Path,
}

/// Form in which a field is written into its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// The field is refused as a target.
    ReadOnly,
    /// A set does nothing.
    Ignored,
    /// An `AnyValue` in this field.
    AnyValue(u32),
    /// A list of `KeyValue` in this field.
    Attributes(u32),
    Double(u32),
    Fixed32(u32),
    /// An int of 64 bits of fixed size: times in nanoseconds, counts.
    Fixed64(u32),
    Id(u32),
    /// An id as text in lower hex.
    IdText(u32),
    /// A varint.
    Int(u32),
    Text(u32),
    /// A time, as nanoseconds of fixed size.
    Time(u32),
    /// Each of these is a form of its own.
    Special(Special),
}

// === impl Target ===

impl Target {
    pub(crate) fn new(path: Path) -> Self {
        Self { path }
    }

    /// Returns the value before the change.
    ///
    /// # Errors
    /// As of [`Path::value`].
    pub(crate) fn value<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        self.path.value(env)
    }

    /// Sets the value. Nil empties an attribute, a body, a map.
    ///
    /// # Errors
    /// If the field does not take a value of this type, or a key does not fit; then nothing was changed.
    pub(crate) fn set(&self, env: &mut Environment<'_>, value: Value<'_>) -> Result<(), EvalError> {
        let field = self.path.field;
        if !self.path.keys.is_empty() {
            return keyed::set(&self.path, env, value);
        }
        match field.write {
            Write::ReadOnly => Err(EvalError::new("the path cannot be set")),
            Write::Ignored => Ok(()),
            Write::AnyValue(number) => {
                let encoded = encoded(&value)?;
                put(env, field.level, &[number], FieldValue::Value(Encodable::Encoded(&encoded)))
            }
            Write::Attributes(_) if field.level == Level::Cache => keyed::set_cache(env, value),
            Write::Attributes(number) => set_attributes(env, field.level, number, value),
            Write::Special(special) => special.set(field, env, value),
            Write::Double(number) => {
                put(env, field.level, &[number], FieldValue::Double(value.into_double()?))
            }
            Write::Fixed32(number) | Write::Fixed64(number) | Write::Int(number) => {
                put(env, field.level, &[number], FieldValue::Int(value.into_int()?))
            }
            Write::Time(number) => {
                put(env, field.level, &[number], FieldValue::Int(value.into_time()?.nanos))
            }
            Write::Text(number) => match field.level.envelope() {
                Some(level) => {
                    let url = value.into_text()?;
                    env.messages()?.set_schema_url(level, &url);
                    Ok(())
                }
                None => put(env, field.level, &[number], FieldValue::Text(&value.into_text()?)),
            },
            Write::Id(number) => match value {
                Value::SpanId(id) => put(env, field.level, &[number], FieldValue::Bytes(unless_zero(&id))),
                Value::TraceId(id) => put(env, field.level, &[number], FieldValue::Bytes(unless_zero(&id))),
                other => Err(EvalError::wrong_type("an id", &other)),
            },
            Write::IdText(number) => {
                let id = id_of(&value.into_text()?)?;
                put(env, field.level, &[number], FieldValue::Bytes(unless_zero(&id)))
            }
        }
    }

    /// Deletes a key of the map. A missing key is no error.
    ///
    /// # Errors
    /// If the target is not a map.
    pub(crate) fn delete_key(&self, env: &mut Environment<'_>, key: &str) -> Result<(), EvalError> {
        let field = self.path.field;
        if let Some(number) = attributes(field.write, env).filter(|_| self.path.keys.is_empty())
            && field.level != Level::Cache
        {
            env.edit(field.level)?.delete_attribute(number, key);
            return Ok(());
        }
        let mut entries = self.value(env)?.into_map()?.into_vec();
        let before = entries.len();
        entries.retain(|(known, _)| known != key);
        if entries.len() == before {
            return Ok(());
        }
        let new = Detached::new(Value::from(entries))?;
        self.set(env, new.value())
    }
}

/// Returns the field number of a list of attributes.
fn attributes(write: Write, env: &Environment<'_>) -> Option<u32> {
    match write {
        Write::Attributes(number) => Some(number),
        Write::Special(Special::PointAttributes) => Some(special::point_attributes(env)),
        _ => None,
    }
}

/// Replaces a whole list of attributes.
fn set_attributes(
    env: &mut Environment<'_>,
    level: Level,
    number: u32,
    value: Value<'_>,
) -> Result<(), EvalError> {
    let map = match value {
        Value::Nil => Value::from(Vec::<(std::borrow::Cow<'_, str>, Value<'_>)>::new()).into_map()?,
        value => value.into_map()?,
    };
    let entries = detached::key_values(&map)?;
    let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    put(env, level, &[number], FieldValue::Messages(&entries))
}

/// Sets a field of a message.
///
/// # Errors
/// If the message does not have the field, such as a data point of another kind.
fn put(
    env: &mut Environment<'_>,
    level: Level,
    path: &[u32],
    value: FieldValue<'_>,
) -> Result<(), EvalError> {
    if env.edit(level)?.set(path, value) { Ok(()) } else { Err(NO_FIELD) }
}

/// Encodes a value to be written as an attribute or a body.
///
/// # Errors
/// If attributes cannot have the value.
fn encoded(value: &Value<'_>) -> Result<AttributeValue, EvalError> {
    Ok(match value {
        Value::Nil => AttributeValue::empty(),
        Value::Text(text) => AttributeValue::new(&**text),
        Value::Int(value) => AttributeValue::int(*value),
        value => AttributeValue::check(value.encoded()?)
            .map_err(|_| EvalError::new("the value is nested too deep"))?,
    })
}

/// Sets an attribute.
///
/// # Errors
/// If attributes cannot have the value.
fn put_attribute(
    env: &mut Environment<'_>,
    level: Level,
    number: u32,
    key: &str,
    value: &Value<'_>,
) -> Result<(), EvalError> {
    let plain = match value {
        Value::Text(text) => Some(view::AnyValue::String(text)),
        Value::Bool(value) => Some(view::AnyValue::Bool(*value)),
        Value::Bytes(value) => Some(view::AnyValue::Bytes(value)),
        Value::Double(value) => Some(view::AnyValue::Double(*value)),
        Value::Int(value) => Some(view::AnyValue::Int(*value)),
        Value::Nil => Some(view::AnyValue::Empty),
        _ => None,
    };
    let is_set = match plain {
        Some(plain) => env.edit(level)?.set_attribute(number, key, plain),
        None => {
            let encoded = encoded(value)?;
            env.edit(level)?.set_attribute(number, key, &encoded)
        }
    };
    if is_set { Ok(()) } else { Err(NO_FIELD) }
}

/// Returns an id; empty for an id of zeros, which is no id.
fn unless_zero(id: &[u8]) -> &[u8] {
    if id.iter().all(|byte| *byte == 0) { &[] } else { id }
}

/// Reads an id in hex.
///
/// # Errors
/// If the text is not hex, or has a wrong length.
fn id_of(text: &str) -> Result<Vec<u8>, EvalError> {
    let wrong = || EvalError::detail(format!("{text:?} is not an id in hex"));
    let digit = |digit: u8| char::from(digit).to_digit(16).ok_or_else(wrong);
    let pairs = text.as_bytes().chunks(2).map(|pair| match *pair {
        [high, low] => Ok((digit(high)? << 4 | digit(low)?) as u8),
        _ => Err(wrong()),
    });
    let id = pairs.collect::<Result<Vec<u8>, EvalError>>()?;
    if matches!(id.len(), 8 | 16) { Ok(id) } else { Err(wrong()) }
}

const NO_FIELD: EvalError =
    EvalError::new("the message does not have the field, or the field does not take the value");
