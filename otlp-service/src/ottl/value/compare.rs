//! Comparisons. A comparison never fails: of values that cannot be compared only `!=` is true.

use super::{List, Map, Value};
use std::cmp::Ordering;

/// A comparing operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Relation of two values.
enum Relation {
    /// Values in an order; `None`: one is not a number.
    Ordered(Option<Ordering>),
    /// Values without an order.
    Equal(bool),
    /// Values of different types.
    None,
}

// === impl Comparison ===

impl Comparison {
    /// Compares two values.
    #[inline]
    pub(crate) fn holds(self, left: &Value<'_>, right: &Value<'_>) -> bool {
        match (relation(left, right), self) {
            (Relation::Ordered(order), _) => self.accepts(order),
            (Relation::Equal(is_equal), Self::Equal) => is_equal,
            (Relation::Equal(is_equal), Self::NotEqual) => !is_equal,
            (Relation::None, Self::NotEqual) => true,
            (Relation::Equal(_) | Relation::None, _) => false,
        }
    }

    fn accepts(self, order: Option<Ordering>) -> bool {
        let Some(order) = order else { return self == Self::NotEqual };
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

fn relation(left: &Value<'_>, right: &Value<'_>) -> Relation {
    let order = match (left, right) {
        (Value::Nil, Value::Nil) => Some(Ordering::Equal),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Int(left), Value::Double(right)) => (*left as f64).partial_cmp(right),
        (Value::Double(left), Value::Int(right)) => left.partial_cmp(&(*right as f64)),
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(right),
        (Value::Text(left), Value::Text(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
        (Value::Bytes(left), Value::Bytes(right)) => Some(left.cmp(right)),
        (Value::Time(left), Value::Time(right)) => Some(left.nanos.cmp(&right.nanos)),
        (Value::Duration(left), Value::Duration(right)) => Some(left.cmp(right)),
        (Value::List(left), Value::List(right)) => return Relation::Equal(lists_equal(left, right)),
        (Value::Map(left), Value::Map(right)) => return Relation::Equal(maps_equal(left, right)),
        (Value::TraceId(left), Value::TraceId(right)) | (Value::ProfileId(left), Value::ProfileId(right)) => {
            return Relation::Equal(left == right);
        }
        (Value::SpanId(left), Value::SpanId(right)) => return Relation::Equal(left == right),
        (Value::Messages(left), Value::Messages(right)) => return Relation::Equal(left == right),
        _ => return Relation::None,
    };
    Relation::Ordered(order)
}

/// Compares values inside of lists and maps, where an int never equals a double.
fn deeply_equal(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Int(_), Value::Double(_)) | (Value::Double(_), Value::Int(_)) => false,
        _ => Comparison::Equal.holds(left, right),
    }
}

fn lists_equal(left: &List<'_>, right: &List<'_>) -> bool {
    left.len() == right.len()
        && left.iter().zip(right.iter()).all(|(left, right)| deeply_equal(&left, &right))
}

/// Maps are equal if they have the same keys with the same values, in any order.
fn maps_equal(left: &Map<'_>, right: &Map<'_>) -> bool {
    let has = |key: &str, value: &Value<'_>| {
        right.borrow().get(key).is_some_and(|other| deeply_equal(value, &other))
    };
    left.len() == right.len() && left.iter().all(|(key, value)| has(key, &value))
}
