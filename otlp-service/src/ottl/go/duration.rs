//! Durations as text, by the rules of Go's `time.ParseDuration` and `Duration.String`.

use std::fmt::Write as _;

/// Reads a duration such as `1.5s`, `-2h45m` or `300ms`, in nanoseconds. `None` if the text is no duration, or longer than 292
/// years.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (is_negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum = 0i128;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let unit_len = after.find(|char: char| char == '.' || char.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        let unit = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, nanos)| *nanos)?;
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        sum = sum.checked_add(whole.checked_mul(unit)?)?.checked_add(part_of(unit, fraction))?;
        rest = after;
    }
    i64::try_from(if is_negative { -sum } else { sum }).ok()
}

/// Appends a duration as Go shows it: `1h15m30.918s`, `100ms`, `0s`.
pub(crate) fn put(out: &mut String, nanos: i64) {
    let total = nanos.unsigned_abs();
    if nanos < 0 {
        out.push('-');
    }
    let unit = match total {
        0 => return out.push_str("0s"),
        1..1_000 => ("ns", 1),
        1_000..1_000_000 => ("µs", 1_000),
        1_000_000..1_000_000_000 => ("ms", 1_000_000),
        _ => ("s", 1_000_000_000),
    };
    let mut rest = total;
    if total >= 1_000_000_000 {
        let minutes = total / 60_000_000_000;
        rest = total % 60_000_000_000;
        if minutes >= 60 {
            // Writing into a string does not fail.
            let _ = write!(out, "{}h", minutes / 60);
        }
        if minutes > 0 {
            let _ = write!(out, "{}m", minutes % 60);
        }
    }
    let (name, size) = unit;
    let _ = write!(out, "{}", rest / size);
    if !rest.is_multiple_of(size) {
        let width = size.ilog10() as usize;
        let fraction = format!("{:0width$}", rest % size);
        let _ = write!(out, ".{}", fraction.trim_end_matches('0'));
    }
    out.push_str(name);
}

/// Splits a text behind its leading digits.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len()))
}

/// Returns the part of a unit that decimals say; decimals behind the 18th are below a nanosecond.
fn part_of(unit: i128, decimals: &str) -> i128 {
    let decimals = decimals.get(..18).unwrap_or(decimals);
    let (mut numerator, mut denominator) = (0i128, 1i128);
    for digit in decimals.bytes() {
        numerator = numerator * 10 + i128::from(digit - b'0');
        denominator *= 10;
    }
    numerator * unit / denominator
}

/// Units, in nanoseconds.
const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

#[cfg(test)]
mod tests;
