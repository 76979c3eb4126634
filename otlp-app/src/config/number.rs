//! Numbers for which the Collector takes less than zero.

use serde::de::{Deserialize, Deserializer};

/// A whole number; less than zero is zero, which stands for the default: `max_request_body_size: -1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AtLeastZero(pub(crate) u64);

impl<'de> Deserialize<'de> for AtLeastZero {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(|number| Self(u64::try_from(number).unwrap_or(0)))
    }
}
