//! Headers sent to destinations; their values are secrets.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Names and values in order: in the file a map, or a list of `{name, value}`.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Headers(pub(crate) Vec<(String, String)>);

/// One header of the list form.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Header {
    name: String,
    value: String,
}

// === impl Headers ===

impl Headers {
    /// The value of `Host`, if it is there, and the other headers.
    pub(crate) fn without_host(self) -> (String, Vec<(String, String)>) {
        let (host, others): (Vec<_>, Vec<_>) =
            self.0.into_iter().partition(|(name, _)| name.eq_ignore_ascii_case("host"));
        (host.into_iter().map(|(_, value)| value).next().unwrap_or_default(), others)
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MapOrList;
        impl<'de> Visitor<'de> for MapOrList {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of headers, or a list of {name, value}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut headers = Headers::default();
                while let Some(header) = map.next_entry()? {
                    headers.0.push(header);
                }
                Ok(headers)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Headers, A::Error> {
                let mut headers = Headers::default();
                while let Some(Header { name, value }) = list.next_element()? {
                    headers.0.push((name, value));
                }
                Ok(headers)
            }
        }
        deserializer.deserialize_any(MapOrList)
    }
}
