//! Durations in settings, as Go writes them: `200ms`, `1m30s`, `0`.

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A duration in settings: decimal numbers, each with its unit (`ns`, `us`, `µs`, `ms`, `s`, `m`, `h`), or `0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GoDuration(pub Duration);

// === impl GoDuration ===

impl GoDuration {
    /// Returns the duration, or `None` for 0.
    pub fn given(self) -> Option<Duration> {
        (!self.0.is_zero()).then_some(self.0)
    }
}

impl FromStr for GoDuration {
    /// The fault of the text.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text).map(Self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = GoDuration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as 200ms or 1m30s")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<GoDuration, E> {
                text.parse().map_err(|problem: String| E::custom(problem))
            }

            fn visit_unit<E: Error>(self) -> Result<GoDuration, E> {
                Ok(GoDuration::default())
            }
        }
        deserializer.deserialize_str(Text)
    }
}

fn parse(text: &str) -> Result<Duration, String> {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    if unsigned == "0" {
        return Ok(Duration::ZERO);
    }
    if unsigned.starts_with('-') {
        return Err("a duration must not be negative".into());
    }
    let mut rest = unsigned;
    let mut total = Duration::ZERO;
    while !rest.is_empty() || unsigned.is_empty() {
        let number_len = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_len);
        let unit_len = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        let seconds_per_unit = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "" if !number.is_empty() => {
                return Err(format!("a unit is missing: {number}ms, {number}s, {number}m?"));
            }
            _ => return Err(BAD_DURATION.into()),
        };
        let value: f64 = number.parse().map_err(|_| BAD_DURATION.to_owned())?;
        total = Duration::try_from_secs_f64(value * seconds_per_unit)
            .ok()
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= MAX_DURATION)
            .ok_or("the duration is too long; the limit is 292 years, as in Go")?;
        rest = after;
    }
    Ok(total)
}

const BAD_DURATION: &str = "invalid duration; write numbers with units, such as 200ms or 1m30s";
/// 2^63 − 1 nanoseconds: the longest duration in Go.
const MAX_DURATION: Duration = Duration::from_nanos(i64::MAX as u64);
