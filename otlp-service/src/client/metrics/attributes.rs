//! Attributes of measurements, and the sets of them that tell series apart.

use super::given::Given;
use otlp_protocol::encode::ResourceWriter;
use otlp_protocol::view::{Attributes as AttributesView, Resource};
use otlp_protocol::{ToValue, Value};
use std::sync::Arc;

/// Attributes of a measurement: pairs of a key and a value of a type of [`ToValue`]. The order does not matter; of pairs with the
/// same key the last counts.
///
/// | attributes | example |
/// |---|---|
/// | none | `()` |
/// | one, or several whose values have the same type | `[("http.request.method", "GET"), ("http.route", "/cart")]` |
/// | up to twelve, of several types | `(("http.request.method", "GET"), ("http.response.status_code", 200))` |
/// | a number known at run time | a slice or a `Vec` of pairs; [`Value`] and [`AttributeValue`](otlp_protocol::AttributeValue) have any type |
///
/// References to attributes are attributes as well. Keys are of any type that is `AsRef<str>`.
pub trait Attributes {
    /// Calls `visit` with each key and value, in order.
    fn visit(&self, visit: &mut impl FnMut(&str, Value<'_>));
}

/// A set of attributes in canonical form: sorted by key, each key once, encoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct AttributeSet(Arc<[u8]>);

// === impl Attributes ===

impl<A: Attributes + ?Sized> Attributes for &A {
    #[inline]
    fn visit(&self, visit: &mut impl FnMut(&str, Value<'_>)) {
        A::visit(self, visit);
    }
}

impl<K: AsRef<str>, V: ToValue> Attributes for [(K, V)] {
    #[inline]
    fn visit(&self, visit: &mut impl FnMut(&str, Value<'_>)) {
        for (key, value) in self {
            value.with_value(|value| visit(key.as_ref(), value));
        }
    }
}

impl<K: AsRef<str>, V: ToValue, const N: usize> Attributes for [(K, V); N] {
    #[inline]
    fn visit(&self, visit: &mut impl FnMut(&str, Value<'_>)) {
        self.as_slice().visit(visit);
    }
}

impl<K: AsRef<str>, V: ToValue> Attributes for Vec<(K, V)> {
    #[inline]
    fn visit(&self, visit: &mut impl FnMut(&str, Value<'_>)) {
        self.as_slice().visit(visit);
    }
}

impl Attributes for () {
    #[inline]
    fn visit(&self, _: &mut impl FnMut(&str, Value<'_>)) {}
}

macro_rules! tuples {
    ($($key:ident $value:ident $index:tt),+) => {
        impl<$($key: AsRef<str>, $value: ToValue),+> Attributes for ($(($key, $value),)+) {
            #[inline]
            fn visit(&self, visit: &mut impl FnMut(&str, Value<'_>)) {
                $( self.$index.1.with_value(|value| visit(self.$index.0.as_ref(), value)); )+
            }
        }
    };
}

tuples!(K0 V0 0);
tuples!(K0 V0 0, K1 V1 1);
tuples!(K0 V0 0, K1 V1 1, K2 V2 2);
tuples!(K0 V0 0, K1 V1 1, K2 V2 2, K3 V3 3);
tuples!(K0 V0 0, K1 V1 1, K2 V2 2, K3 V3 3, K4 V4 4);
tuples!(K0 V0 0, K1 V1 1, K2 V2 2, K3 V3 3, K4 V4 4, K5 V5 5);
tuples!(K0 V0 0, K1 V1 1, K2 V2 2, K3 V3 3, K4 V4 4, K5 V5 5, K6 V6 6);
tuples!(K0 V0 0, K1 V1 1, K2 V2 2, K3 V3 3, K4 V4 4, K5 V5 5, K6 V6 6, K7 V7 7);
tuples!(K0 V0 0, K1 V1 1, K2 V2 2, K3 V3 3, K4 V4 4, K5 V5 5, K6 V6 6, K7 V7 7, K8 V8 8);
tuples!(K0 V0 0, K1 V1 1, K2 V2 2, K3 V3 3, K4 V4 4, K5 V5 5, K6 V6 6, K7 V7 7, K8 V8 8, K9 V9 9);
tuples!(K0 V0 0, K1 V1 1, K2 V2 2, K3 V3 3, K4 V4 4, K5 V5 5, K6 V6 6, K7 V7 7, K8 V8 8, K9 V9 9, K10 V10 10);
tuples!(K0 V0 0, K1 V1 1, K2 V2 2, K3 V3 3, K4 V4 4, K5 V5 5, K6 V6 6, K7 V7 7, K8 V8 8, K9 V9 9, K10 V10 10, K11 V11 11);

// === impl AttributeSet ===

impl AttributeSet {
    /// Returns the set of the attributes.
    pub(super) fn of(attributes: &(impl Attributes + ?Sized)) -> Self {
        Self::of_given(&Given::of(attributes))
    }

    pub(super) fn of_given(given: &Given) -> Self {
        let mut pairs: Vec<(&str, Value<'_>)> = given.pairs().collect();
        pairs.sort_by_key(|(key, _)| *key);
        let mut encoded = Vec::with_capacity(given.len());
        let mut writer = ResourceWriter::new(&mut encoded);
        for (index, (key, value)) in pairs.iter().enumerate() {
            let is_last = pairs.get(index + 1).is_none_or(|(next, _)| next != key);
            if is_last {
                writer.attribute(key, value);
            }
        }
        Self(encoded.into())
    }

    /// The set of the series that takes what is over the cardinality limit.
    pub(super) fn overflow() -> Self {
        Self::of(&[("otel.metric.overflow", true)])
    }

    /// Views the attributes.
    pub(super) fn view(&self) -> AttributesView<'_> {
        Resource::new(&self.0).attributes()
    }
}
