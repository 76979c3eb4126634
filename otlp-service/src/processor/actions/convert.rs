//! Conversions of values between types, by the Collector's rules.

use crate::processor::text::text_of;
use otlp_protocol::AttributeValue;
use otlp_protocol::view::AnyValue;

/// Target type of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConvertTo {
    /// A double.
    Double,
    /// An integer: the fraction of a double is cut off.
    Int,
    /// A string: arrays and maps become JSON.
    String,
}

// === impl ConvertTo ===

impl ConvertTo {
    /// All types.
    pub const ALL: [Self; 3] = [Self::Int, Self::Double, Self::String];

    /// Returns the name in settings: `int`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::Int => "int",
            Self::String => "string",
        }
    }

    /// Converts a value; `None` if the value has the type already, or cannot be converted.
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

/// Parses a double like Go, without the hexadecimal form: underscores only between digits, NaN without a sign, no overflow to
/// infinity.
pub(in crate::processor) fn parse_double(text: &str) -> Option<f64> {
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
