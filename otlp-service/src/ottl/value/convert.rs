//! Values as arguments of functions: strict, or converted if a conversion exists (the types called "like").

use super::{List, Map, Time, Value};
use crate::ottl::error::EvalError;
use crate::ottl::go;
use std::borrow::Cow;

impl<'a> Value<'a> {
    /// # Errors
    /// If the value is not a string.
    pub(crate) fn into_text(self) -> Result<Cow<'a, str>, EvalError> {
        if let Self::Text(text) = self { Ok(text) } else { Err(EvalError::wrong_type("a string", &self)) }
    }

    /// # Errors
    /// If the value is not an int.
    pub(crate) fn into_int(self) -> Result<i64, EvalError> {
        if let Self::Int(value) = self { Ok(value) } else { Err(EvalError::wrong_type("an int", &self)) }
    }

    /// # Errors
    /// If the value is not a double.
    pub(crate) fn into_double(self) -> Result<f64, EvalError> {
        if let Self::Double(value) = self { Ok(value) } else { Err(EvalError::wrong_type("a double", &self)) }
    }

    /// # Errors
    /// If the value is not a bool.
    pub(crate) fn into_bool(self) -> Result<bool, EvalError> {
        if let Self::Bool(value) = self { Ok(value) } else { Err(EvalError::wrong_type("a bool", &self)) }
    }

    /// # Errors
    /// If the value is not a time.
    pub(crate) fn into_time(self) -> Result<Time, EvalError> {
        if let Self::Time(time) = self { Ok(time) } else { Err(EvalError::wrong_type("a time", &self)) }
    }

    /// # Errors
    /// If the value is not a duration. The duration is in nanoseconds.
    pub(crate) fn into_duration(self) -> Result<i64, EvalError> {
        if let Self::Duration(value) = self {
            Ok(value)
        } else {
            Err(EvalError::wrong_type("a duration", &self))
        }
    }

    /// # Errors
    /// If the value is not a list.
    pub(crate) fn into_list(self) -> Result<List<'a>, EvalError> {
        if let Self::List(list) = self { Ok(list) } else { Err(EvalError::wrong_type("a list", &self)) }
    }

    /// # Errors
    /// If the value is not a map.
    pub(crate) fn into_map(self) -> Result<Map<'a>, EvalError> {
        if let Self::Map(map) = self { Ok(map) } else { Err(EvalError::wrong_type("a map", &self)) }
    }

    /// Converts to an int; `None` for nil. Texts are of base 10, doubles are truncated.
    ///
    /// # Errors
    /// If the value has no form as an int.
    pub(crate) fn into_int_like(self) -> Result<Option<i64>, EvalError> {
        match &self {
            Self::Nil => Ok(None),
            Self::Int(value) => Ok(Some(*value)),
            Self::Double(value) => Ok(Some(*value as i64)),
            Self::Bool(value) => Ok(Some(i64::from(*value))),
            Self::Text(text) => match text.parse() {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(EvalError::detail(format!("{text:?} is not an int"))),
            },
            _ => Err(EvalError::wrong_type("a value with the form of an int", &self)),
        }
    }

    /// Converts to a double; `None` for nil.
    ///
    /// # Errors
    /// If the value has no form as a double.
    pub(crate) fn into_double_like(self) -> Result<Option<f64>, EvalError> {
        match &self {
            Self::Nil => Ok(None),
            Self::Int(value) => Ok(Some(*value as f64)),
            Self::Double(value) => Ok(Some(*value)),
            Self::Bool(value) => Ok(Some(f64::from(u8::from(*value)))),
            Self::Text(text) => match go::parse::double(text) {
                Some(value) => Ok(Some(value)),
                None => Err(EvalError::detail(format!("{text:?} is not a double"))),
            },
            _ => Err(EvalError::wrong_type("a value with the form of a double", &self)),
        }
    }

    /// Converts to a bool; `None` for nil. Texts are those of Go's `ParseBool`.
    ///
    /// # Errors
    /// If the value has no form as a bool.
    pub(crate) fn into_bool_like(self) -> Result<Option<bool>, EvalError> {
        match &self {
            Self::Nil => Ok(None),
            Self::Int(value) => Ok(Some(*value != 0)),
            Self::Double(value) => Ok(Some(*value != 0.0)),
            Self::Bool(value) => Ok(Some(*value)),
            Self::Text(text) => match &**text {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Some(true)),
                "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Some(false)),
                _ => Err(EvalError::detail(format!("{text:?} is not a bool"))),
            },
            _ => Err(EvalError::wrong_type("a value with the form of a bool", &self)),
        }
    }

    /// Converts to bytes; `None` for nil. Numbers are in eight bytes, the most significant first.
    ///
    /// # Errors
    /// If the value has no form as bytes.
    pub(crate) fn into_bytes_like(self) -> Result<Option<Cow<'a, [u8]>>, EvalError> {
        match self {
            Self::Nil => Ok(None),
            Self::Bytes(bytes) => Ok(Some(bytes)),
            Self::Text(Cow::Borrowed(text)) => Ok(Some(Cow::Borrowed(text.as_bytes()))),
            Self::Text(Cow::Owned(text)) => Ok(Some(Cow::Owned(text.into_bytes()))),
            Self::Int(value) => Ok(Some(Cow::Owned(value.to_be_bytes().to_vec()))),
            Self::Double(value) => Ok(Some(Cow::Owned(value.to_be_bytes().to_vec()))),
            Self::Bool(value) => Ok(Some(Cow::Owned(vec![u8::from(value)]))),
            other => Err(EvalError::wrong_type("a value with the form of bytes", &other)),
        }
    }
}
