//! Times with their zones.

use super::Value;
use crate::ottl::strptime::Zone;

/// A time, in the zone that the time was read in. Times of messages are UTC.
#[derive(Clone, Debug)]
pub(crate) struct Time {
    /// Nanoseconds since 1970.
    pub(crate) nanos: i64,
    pub(crate) zone: Zone,
}

// === impl Time ===

impl Time {
    pub(crate) fn utc(nanos: i64) -> Self {
        Self { nanos, zone: Zone::Utc }
    }
}

impl Value<'_> {
    /// A time in UTC, in nanoseconds since 1970.
    pub(crate) fn utc(nanos: i64) -> Self {
        Self::Time(Time::utc(nanos))
    }
}
