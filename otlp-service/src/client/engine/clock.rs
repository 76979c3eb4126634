//! Wall-clock time in Unix nanoseconds.

use otlp_transport::{Clock as _, TokioClock};
use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the time, in nanoseconds since 1970.
#[inline]
pub(crate) fn unix_nanos() -> u64 {
    to_unix_nanos(TokioClock.wall())
}

/// Converts a time to nanoseconds since 1970: 0 before 1970, the maximum after 2554.
pub(crate) fn to_unix_nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
