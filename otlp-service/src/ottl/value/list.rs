//! Lists of values.

use super::Value;
use crate::ottl::error::EvalError;
use otlp_protocol::view::Array;

/// A list, as encoded in a message or made by an expression.
#[derive(Clone, Debug)]
pub(crate) enum List<'a> {
    Borrowed(&'a [Value<'a>]),
    Encoded(Array<'a>),
    Owned(Vec<Value<'a>>),
}

// === impl List ===

impl<'a> List<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Encoded(array) => array.count(),
            Self::Borrowed(_) | Self::Owned(_) => self.slice().len(),
        }
    }

    /// Iterates over the values in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Value<'_>> {
        let encoded = if let Self::Encoded(array) = self { Some(array.iter()) } else { None };
        self.slice().iter().map(Value::borrow).chain(encoded.into_iter().flatten().map(Value::from_any))
    }

    /// Returns the values in order.
    pub(crate) fn into_vec(self) -> Vec<Value<'a>> {
        match self {
            Self::Borrowed(values) => values.iter().map(Value::borrow).collect(),
            Self::Encoded(array) => array.iter().map(Value::from_any).collect(),
            Self::Owned(values) => values,
        }
    }

    /// Returns the value at an index.
    ///
    /// # Errors
    /// If the list has no such index.
    pub(crate) fn at(self, index: i64) -> Result<Value<'a>, EvalError> {
        let outside = || EvalError::new("the index is outside of the list");
        let index = usize::try_from(index).map_err(|_| outside())?;
        match self {
            Self::Borrowed(values) => values.get(index).map(Value::borrow),
            Self::Encoded(array) => array.iter().nth(index).map(Value::from_any),
            Self::Owned(mut values) => (index < values.len()).then(|| values.swap_remove(index)),
        }
        .ok_or_else(outside)
    }

    pub(super) fn borrow(&self) -> List<'_> {
        match self {
            Self::Encoded(array) => List::Encoded(*array),
            Self::Borrowed(_) | Self::Owned(_) => List::Borrowed(self.slice()),
        }
    }

    /// The values, unless they are encoded.
    fn slice(&self) -> &[Value<'a>] {
        match self {
            Self::Borrowed(values) => values,
            Self::Encoded(_) => &[],
            Self::Owned(values) => values,
        }
    }
}

impl<'a> From<Vec<Value<'a>>> for Value<'a> {
    fn from(values: Vec<Value<'a>>) -> Self {
        Value::List(List::Owned(values))
    }
}
