//! Values of attributes, and the types that they can be made of.

use crate::AttributeValue;
use crate::encode::{any_value, plain_len};
use crate::view::AnyValue;
use bytes::Bytes;
use std::borrow::Cow;

/// A value to be written: by its type, or encoded already.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A value by its type: `AnyValue::Int(7)`.
    Any(AnyValue<'a>),
    /// A value that is encoded already.
    Encoded(&'a AttributeValue),
}

/// Types that writers and edits accept as the value of an attribute.
///
/// | type | value |
/// |---|---|
/// | `&str`, `String`, `Cow<str>` | a string |
/// | `bool` | a boolean |
/// | integers | an integer; over `i64::MAX`, the decimal digits as a string, as OpenTelemetry's attribute mapping says |
/// | `f32`, `f64` | a double |
/// | `&[u8]`, `Vec<u8>`, `[u8; N]`, `Bytes` | bytes |
/// | [`AnyValue`] | the value that a view read |
/// | [`AttributeValue`] | a value that is encoded already: lists and maps |
/// | `Option` of these | no value if `None` |
///
/// References to these types are accepted as well.
///
/// ```
/// use otlp_protocol::{AttributeValue, view::AnyValue};
///
/// assert_eq!(AttributeValue::new("GET").view(), AnyValue::String("GET"));
/// assert_eq!(AttributeValue::new(vec![1u8, 2].len()).view(), AnyValue::Int(2));
/// assert_eq!(AttributeValue::new(u64::MAX).view(), AnyValue::String("18446744073709551615"));
/// ```
pub trait ToValue {
    /// Calls `write` with the value.
    fn with_value<R>(&self, write: impl FnOnce(Value<'_>) -> R) -> R;

    /// Returns the value if it can be borrowed as it is. Default `None`.
    #[inline]
    fn borrowed(&self) -> Option<AnyValue<'_>> {
        None
    }
}

// === impl Value ===

impl<'a> Value<'a> {
    /// Appends the encoded `AnyValue`.
    #[inline]
    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        match self {
            Self::Any(value) => any_value(out, value),
            Self::Encoded(encoded) => out.extend_from_slice(encoded.as_bytes()),
        }
    }

    /// Returns the length of the encoded `AnyValue`, in bytes; `None` for a view of a list or a map.
    #[inline]
    pub(crate) fn encoded_len(self) -> Option<usize> {
        match self {
            Self::Any(value) => plain_len(value),
            Self::Encoded(encoded) => Some(encoded.as_bytes().len()),
        }
    }

    /// Returns the value as views read it.
    pub fn view(self) -> AnyValue<'a> {
        match self {
            Self::Any(value) => value,
            Self::Encoded(encoded) => encoded.view(),
        }
    }
}

impl Default for Value<'_> {
    fn default() -> Self {
        Self::Any(AnyValue::Empty)
    }
}

impl<'a> From<AnyValue<'a>> for Value<'a> {
    fn from(value: AnyValue<'a>) -> Self {
        Self::Any(value)
    }
}

impl<'a> From<Value<'a>> for AnyValue<'a> {
    fn from(value: Value<'a>) -> Self {
        value.view()
    }
}

impl<'a> From<&'a AttributeValue> for Value<'a> {
    fn from(value: &'a AttributeValue) -> Self {
        Self::Encoded(value)
    }
}

// === impl ToValue ===

impl<T: ToValue + ?Sized> ToValue for &T {
    #[inline(always)]
    fn with_value<R>(&self, write: impl FnOnce(Value<'_>) -> R) -> R {
        T::with_value(self, write)
    }

    #[inline(always)]
    fn borrowed(&self) -> Option<AnyValue<'_>> {
        T::borrowed(self)
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn with_value<R>(&self, write: impl FnOnce(Value<'_>) -> R) -> R {
        match self {
            Some(value) => value.with_value(write),
            None => write(Value::default()),
        }
    }
}

impl ToValue for u64 {
    fn with_value<R>(&self, write: impl FnOnce(Value<'_>) -> R) -> R {
        match i64::try_from(*self) {
            Ok(value) => write(Value::Any(AnyValue::Int(value))),
            Err(_) => write(Value::Any(AnyValue::String(itoa::Buffer::new().format(*self)))),
        }
    }
}

impl ToValue for usize {
    fn with_value<R>(&self, write: impl FnOnce(Value<'_>) -> R) -> R {
        (*self as u64).with_value(write)
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn with_value<R>(&self, write: impl FnOnce(Value<'_>) -> R) -> R {
        write(Value::Any(AnyValue::Bytes(self)))
    }
}

impl ToValue for Value<'_> {
    #[inline(always)]
    fn with_value<R>(&self, write: impl FnOnce(Value<'_>) -> R) -> R {
        write(*self)
    }
}

impl ToValue for AttributeValue {
    #[inline(always)]
    fn with_value<R>(&self, write: impl FnOnce(Value<'_>) -> R) -> R {
        write(Value::Encoded(self))
    }
}

/// Implements [`ToValue`] for types, each with an expression for the value of `this`.
macro_rules! to_value {
    ($($type:ty: $this:ident => $value:expr;)*) => { $(
        impl ToValue for $type {
            // `write` is large if it encodes for each type of value, and small once the type is known.
            #[inline(always)]
            fn with_value<R>(&self, write: impl FnOnce(Value<'_>) -> R) -> R {
                let $this = self;
                write(Value::Any($value))
            }

            #[inline(always)]
            fn borrowed(&self) -> Option<AnyValue<'_>> {
                let $this = self;
                Some($value)
            }
        }
    )* };
}

to_value! {
    str: this => AnyValue::String(this);
    String: this => AnyValue::String(this);
    Cow<'_, str>: this => AnyValue::String(this);
    [u8]: this => AnyValue::Bytes(this);
    Vec<u8>: this => AnyValue::Bytes(this);
    Bytes: this => AnyValue::Bytes(this);
    bool: this => AnyValue::Bool(*this);
    i8: this => AnyValue::Int(i64::from(*this));
    i16: this => AnyValue::Int(i64::from(*this));
    i32: this => AnyValue::Int(i64::from(*this));
    i64: this => AnyValue::Int(*this);
    isize: this => AnyValue::Int(*this as i64);
    u8: this => AnyValue::Int(i64::from(*this));
    u16: this => AnyValue::Int(i64::from(*this));
    u32: this => AnyValue::Int(i64::from(*this));
    f32: this => AnyValue::Double(f64::from(*this));
    f64: this => AnyValue::Double(*this);
    AnyValue<'_>: this => *this;
}
