//! Values of one type made values of another, as the Collector does it.

use crate::processor::text::text_of;
use otlp_protocol::AttributeValue;
use otlp_protocol::view::AnyValue;

/// A type to convert to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConvertTo {
    /// A double.
    Double,
    /// An integer: a double loses its fraction.
    Int,
    /// A string: lists become JSON.
    String,
}

// === impl ConvertTo ===

impl ConvertTo {
    /// All types.
    pub const ALL: [Self; 3] = [Self::Int, Self::Double, Self::String];

    /// Its name in settings: `int`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::Int => "int",
            Self::String => "string",
        }
    }

    /// The value in this type; `None` if it is of the type already, or has no value of it.
    pub(super) fn convert(self, value: AnyValue<'_>) -> Option<AttributeValue> {
        match (self, value) {
            (Self::String, AnyValue::String(_)) | (Self::Int, AnyValue::Int(_)) => None,
            (Self::String, value) => Some(AttributeValue::string(&text_of(value))),
            (Self::Int, AnyValue::Double(number)) => Some(AttributeValue::int(number as i64)),
            (Self::Int, AnyValue::Bool(value)) => Some(AttributeValue::int(value.into())),
            (Self::Int, AnyValue::String(text)) => text.parse().ok().map(AttributeValue::int),
            (Self::Double, AnyValue::Int(number)) => Some(AttributeValue::double(number as f64)),
            (Self::Double, AnyValue::Bool(value)) => Some(AttributeValue::double(u8::from(value).into())),
            (Self::Double, AnyValue::String(text)) => parse_double(text).map(AttributeValue::double),
            (Self::Int | Self::Double, _) => None,
        }
    }
}

/// As Go has it, but for its hexadecimal form: underscores stand between digits, and NaN has no sign. A number that is
/// too large is none, unless the text says that it is infinite.
fn parse_double(text: &str) -> Option<f64> {
    if text.contains('_') {
        let is_digit = |c: char| c.is_ascii_digit();
        let parts: Vec<&str> = text.split('_').collect();
        let are_digits = |pair: &[&str]| matches!(pair, [before, after] if before.ends_with(is_digit) && after.starts_with(is_digit));
        return if parts.windows(2).all(are_digits) { parse_double(&parts.concat()) } else { None };
    }
    let number: f64 = text.parse().ok()?;
    if number.is_nan() {
        return text.starts_with(['n', 'N']).then_some(number);
    }
    (number.is_finite() || !text.contains(|c: char| c.is_ascii_digit())).then_some(number)
}
