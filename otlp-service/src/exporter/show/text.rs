//! Text of senders, escaped for terminals and cut to a length; formats of numbers, ids and times.

use crate::calendar::date;
use std::fmt::{self, Display, Formatter, Write};

/// Appends at most `max` bytes of a sender's text, escaped, and the number of bytes left out.
pub(super) fn put_text(out: &mut String, text: &str, max: usize) {
    let end = text.floor_char_boundary(max);
    text.get(..end).unwrap_or_default().chars().for_each(|c| put_char(out, c));
    if end < text.len() {
        put(out, format_args!("…(+{} bytes)", Grouped((text.len() - end) as u64)));
    }
}

/// Appends a character, escaped if a terminal interprets the character or reorders text because of it.
pub(super) fn put_char(out: &mut String, c: char) {
    if is_unsafe(c) {
        out.extend(c.escape_default());
    } else {
        out.push(c);
    }
}

/// Appends formatted text. Writing to a `String` cannot fail.
pub(in crate::exporter) fn put(out: &mut String, text: fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

/// Returns true if the text of a batch has reached its limit: further text is left out.
pub(super) fn is_full(out: &str) -> bool {
    out.len() >= MAX_BATCH_BYTES
}

/// Returns true if a terminal interprets a character, or reorders or breaks text because of it.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// An id in hex.
pub(super) struct Hex<T>(pub(super) T);

/// A number with commas between groups of three digits: `12,345`.
pub(in crate::exporter) struct Grouped(pub(in crate::exporter) u64);

/// A double in the shortest exact form.
pub(super) struct Double(pub(super) f64);

/// A double in at most six digits.
pub(super) struct ShortDouble(pub(super) f64);

/// A time in nanoseconds since 1970: `2020-02-11 20:26:12.000000321 +0000 UTC`.
pub(super) struct Timestamp(pub(super) u64);

/// The time of day of a time in nanoseconds since 1970, in UTC: `20:26:12.000`. A time of 0 is unknown.
pub(super) struct TimeOfDay(pub(super) u64);

/// A duration in nanoseconds, in three digits: `12.3ms`.
pub(super) struct Nanos(pub(super) u64);

impl<const N: usize> Display for Hex<Option<&[u8; N]>> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |id| Hex(id.as_slice()).fmt(f))
    }
}

impl Display for Hex<&[u8]> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Display for Grouped {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        digits.char_indices().try_for_each(|(at, digit)| {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_char(',')?;
            }
            f.write_char(digit)
        })
    }
}

impl Display for Double {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        let is_plain = size == 0.0 || !size.is_finite() || (1e-6..1e21).contains(&size);
        if is_plain { write!(f, "{}", self.0) } else { write!(f, "{:e}", self.0) }
    }
}

impl Display for ShortDouble {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Double(format!("{:.5e}", self.0).parse().unwrap_or(self.0)).fmt(f)
    }
}

impl Display for Timestamp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0 / NANOS_A_SECOND, self.0 % NANOS_A_SECOND);
        let (year, month, day) = date(seconds / SECONDS_A_DAY);
        let (hour, minute, second) = time_of_day(seconds);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")?;
        if nanos > 0 {
            write!(f, ".{}", format!("{nanos:09}").trim_end_matches('0'))?;
        }
        f.write_str(" +0000 UTC")
    }
}

impl Display for TimeOfDay {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("--:--:--.---");
        }
        let (hour, minute, second) = time_of_day(self.0 / NANOS_A_SECOND);
        write!(f, "{hour:02}:{minute:02}:{second:02}.{:03}", self.0 % NANOS_A_SECOND / 1_000_000)
    }
}

impl Display for Nanos {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / NANOS_A_SECOND;
        let (size, unit) = match self.0 {
            0..1_000 => return write!(f, "{}ns", self.0),
            1_000..1_000_000 => (1e3, "µs"),
            1_000_000..NANOS_A_SECOND => (1e6, "ms"),
            _ if seconds < 60 => (1e9, "s"),
            _ => return write!(f, "{}m{}s", seconds / 60, seconds % 60),
        };
        let value = self.0 as f64 / size;
        let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
        write!(f, "{value:.digits$}{unit}")
    }
}

fn time_of_day(seconds: u64) -> (u64, u64, u64) {
    (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

const NANOS_A_SECOND: u64 = 1_000_000_000;
const SECONDS_A_DAY: u64 = 86_400;

/// Limit of a batch's text. The last write may exceed the limit by some tens of KiB.
const MAX_BATCH_BYTES: usize = 256 << 10;
