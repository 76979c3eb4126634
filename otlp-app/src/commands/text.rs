//! Numbers, times and tables as text for people.

use std::time::Duration;

/// Writes a number with commas between thousands: `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a number and its noun, which loses its `s` after 1: `1 request`, `2 requests`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let noun = if number == 1 { noun.strip_suffix('s').unwrap_or(noun) } else { noun };
    format!("{} {noun}", grouped(number))
}

/// Writes a number of bytes in a unit with about three digits: `512 B`, `12.3 kB`.
pub(crate) fn bytes(bytes: f64) -> String {
    let mut value = bytes;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 {
            return format!("{} {unit}", three_digits(value, unit == "B"));
        }
        value /= 1000.0;
    }
    format!("{} TB", three_digits(value, false))
}

/// Writes a duration in a unit with about three digits: `350 µs`, `1.25 ms`.
pub(crate) fn duration(duration: Duration) -> String {
    let micros = duration.as_secs_f64() * 1e6;
    match micros {
        ..1e3 => format!("{} µs", three_digits(micros, true)),
        ..1e6 => format!("{} ms", three_digits(micros / 1e3, false)),
        _ => format!("{} s", three_digits(micros / 1e6, false)),
    }
}

/// Writes a time in nanoseconds since 1970: `2026-11-29 18:18:32.709 UTC`.
pub(crate) fn utc(unix_nanos: u64) -> String {
    let (seconds, millis) = (unix_nanos / 1_000_000_000, unix_nanos / 1_000_000 % 1_000);
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03} UTC")
}

/// Returns year, month and day of a number of days since 1970 in the Gregorian calendar.
fn date(mut days: u64) -> (u64, u64, u64) {
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

/// Writes a table without borders, two spaces between its columns. A column is aligned to the right if it has numbers, below
/// its heading if it has one. Lines end without spaces.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let width = |row: &[String], column: usize| row.get(column).map_or(0, |cell| cell.chars().count());
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> =
        (0..columns).map(|column| rows.iter().map(|row| width(row, column)).max().unwrap_or(0)).collect();
    let is_number = |cell: &String| cell.starts_with(|first: char| first.is_ascii_digit());
    let has_numbers = |column| rows.iter().skip(1).filter_map(|row| row.get(column)).all(is_number);
    let has_numbers: Vec<bool> = (0..columns).map(has_numbers).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for ((cell, width), is_number) in row.iter().zip(&widths).zip(&has_numbers) {
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            let (before, after) = if *is_number { (padding.as_str(), "") } else { ("", padding.as_str()) };
            line.extend(["  ", before, cell, after]);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn three_digits(value: f64, is_whole: bool) -> String {
    match value {
        _ if is_whole => format!("{value:.0}"),
        ..9.995 => format!("{value:.2}"),
        ..99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests;
