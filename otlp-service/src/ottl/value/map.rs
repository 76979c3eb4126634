//! Maps from keys to values, in order.

use super::Value;
use crate::ottl::dictionary::ProfileAttributes;
use otlp_protocol::view::Attributes;
use std::borrow::Cow;

/// A map, as encoded in a message or made by an expression. Of several values of a key the first counts, of profiles the last.
#[derive(Clone, Debug)]
pub(crate) enum Map<'a> {
    Borrowed(&'a [(Cow<'a, str>, Value<'a>)]),
    Encoded(Attributes<'a>),
    OfProfile(ProfileAttributes<'a>),
    Owned(Vec<(Cow<'a, str>, Value<'a>)>),
}

// === impl Map ===

impl<'a> Map<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Encoded(attributes) => attributes.count(),
            Self::OfProfile(attributes) => attributes.iter().count(),
            Self::Borrowed(_) | Self::Owned(_) => self.slice().len(),
        }
    }

    /// Iterates over the keys and values in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        let encoded = if let Self::Encoded(attributes) = self { Some(attributes.iter()) } else { None };
        let encoded = encoded.into_iter().flatten();
        let of_profile = if let Self::OfProfile(attributes) = self { Some(attributes.iter()) } else { None };
        let entries = self.slice().iter().map(|(key, value)| (&**key, value.borrow()));
        let encoded = encoded.map(|attribute| (attribute.key(), Value::from_any(attribute.value())));
        entries.chain(encoded).chain(of_profile.into_iter().flatten())
    }

    /// Returns the keys and values in order.
    pub(crate) fn into_vec(self) -> Vec<(Cow<'a, str>, Value<'a>)> {
        match self {
            Self::Borrowed(entries) => {
                entries.iter().map(|(key, value)| (Cow::Borrowed(&**key), value.borrow())).collect()
            }
            Self::Encoded(attributes) => {
                let entry = |attribute: otlp_protocol::view::KeyValue<'a>| {
                    (Cow::Borrowed(attribute.key()), Value::from_any(attribute.value()))
                };
                attributes.iter().map(entry).collect()
            }
            Self::OfProfile(attributes) => {
                attributes.iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect()
            }
            Self::Owned(entries) => entries,
        }
    }

    /// Returns the value of a key.
    #[inline]
    pub(crate) fn get(self, key: &str) -> Option<Value<'a>> {
        match self {
            Self::Encoded(attributes) => attributes.get(key).map(Value::from_any),
            Self::OfProfile(attributes) => attributes.get(key),
            Self::Borrowed(entries) => {
                entries.iter().find(|(known, _)| known == key).map(|(_, value)| value.borrow())
            }
            Self::Owned(entries) => {
                entries.into_iter().find(|(known, _)| known == key).map(|(_, value)| value)
            }
        }
    }

    pub(super) fn borrow(&self) -> Map<'_> {
        match self {
            Self::Encoded(attributes) => Map::Encoded(*attributes),
            Self::OfProfile(attributes) => Map::OfProfile(*attributes),
            Self::Borrowed(_) | Self::Owned(_) => Map::Borrowed(self.slice()),
        }
    }

    /// The entries, unless they are encoded.
    fn slice(&self) -> &[(Cow<'a, str>, Value<'a>)] {
        match self {
            Self::Borrowed(entries) => entries,
            Self::Encoded(_) | Self::OfProfile(_) => &[],
            Self::Owned(entries) => entries,
        }
    }
}

impl<'a> From<Vec<(Cow<'a, str>, Value<'a>)>> for Value<'a> {
    fn from(entries: Vec<(Cow<'a, str>, Value<'a>)>) -> Self {
        Value::Map(Map::Owned(entries))
    }
}
