//! Values as text, byte for byte like the Collector.

use super::Value;
use crate::ottl::error::EvalError;
use crate::ottl::strptime;
use crate::processor::{SmallNumbers, json_of, number_text};
use otlp_protocol::view::AnyValue;
use std::borrow::Cow;
use std::fmt::Write;

impl<'a> Value<'a> {
    /// Converts to text; `None` for nil. Bytes and ids are in lower hex; times are in quotes; lists and maps are JSON with sorted
    /// keys.
    ///
    /// # Errors
    /// If the value has no form as text: NaN and infinity, also in lists and maps.
    pub(crate) fn into_text_like(self) -> Result<Option<Cow<'a, str>>, EvalError> {
        let text = match &self {
            Self::Nil => return Ok(None),
            Self::Text(_) => return self.into_text().map(Some),
            Self::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Int(value) => Cow::Owned(value.to_string()),
            Self::Duration(value) => Cow::Owned(value.to_string()),
            Self::Double(value) if value.is_finite() => {
                Cow::Owned(number_text(*value, SmallNumbers::TwoDigits))
            }
            Self::Bytes(bytes) => Cow::Owned(hex(bytes)),
            Self::SpanId(id) => Cow::Owned(hex(id)),
            Self::ProfileId(id) | Self::TraceId(id) => Cow::Owned(hex(id)),
            Self::List(_) | Self::Map(_) => {
                let json = self.json()?;
                // Go's encoder escapes what HTML does not allow in a text.
                Cow::Owned(json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e"))
            }
            // JSON, as everything that is no string, bytes or id.
            Self::Time(time) => Cow::Owned(format!("\"{}\"", strptime::rfc3339(time))),
            Self::Double(_) | Self::Messages(_) => {
                return Err(EvalError::wrong_type("a value with the form of a string", &self));
            }
        };
        Ok(Some(text))
    }

    /// Returns a list or a map as JSON with sorted keys.
    ///
    /// # Errors
    /// If there is a value that JSON does not have.
    pub(crate) fn json(&self) -> Result<String, EvalError> {
        let encoded = self.encoded()?;
        let json = json_of(AnyValue::new(&encoded), SmallNumbers::TwoDigits);
        json.ok_or_else(|| EvalError::new("JSON has no NaN and no infinity"))
    }
}

/// Returns bytes in lower hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
