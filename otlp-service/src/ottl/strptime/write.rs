//! Times to text. All times are UTC.

use super::{Element, MONTHS, Offset, Pad, SECOND, TimeFormat, WEEKDAYS};
use crate::calendar::signed_date;
use std::fmt::Write as _;

// === impl TimeFormat ===

impl TimeFormat {
    /// Formats a time, in nanoseconds since 1970.
    pub(crate) fn format(&self, time: i64) -> String {
        let (days, of_day) = (time.div_euclid(86_400 * SECOND), time.rem_euclid(86_400 * SECOND));
        let (seconds, nanos) = (of_day / SECOND, of_day % SECOND);
        let (year, month, day) = signed_date(days);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let mut out = String::new();
        for element in &self.0 {
            // Writing into a string does not fail.
            let _ = match element {
                Element::AmPm { is_upper } => out.write_str(match (hour >= 12, is_upper) {
                    (true, true) => "PM",
                    (true, false) => "pm",
                    (false, true) => "AM",
                    (false, false) => "am",
                }),
                Element::Day(pad) => put_padded(&mut out, day, *pad),
                Element::Fraction { separator, digits } => put_fraction(&mut out, *separator, *digits, nanos),
                Element::Hour => write!(out, "{hour:02}"),
                Element::Hour12(pad) => put_padded(&mut out, ((hour + 11) % 12 + 1) as u64, *pad),
                Element::Minute => write!(out, "{minute:02}"),
                Element::Month(pad) => put_padded(&mut out, month, *pad),
                Element::MonthName { is_full } => out.write_str(name(&MONTHS, month as usize - 1, *is_full)),
                Element::Offset(offset) => out.write_str(match offset {
                    Offset::Any => "Z",
                    Offset::Hours => "+00",
                    Offset::Minutes => "+00:00",
                    Offset::Seconds => "+00:00:00",
                    Offset::SecondsPlain => "+000000",
                }),
                Element::Second => write!(out, "{second:02}"),
                Element::ShortYear => write!(out, "{:02}", year % 100),
                Element::Text(text) => out.write_str(text),
                Element::WeekdayName { is_full } => {
                    // 1970-01-01 was a Thursday.
                    out.write_str(name(&WEEKDAYS, (days + 4).rem_euclid(7) as usize, *is_full))
                }
                Element::Year | Element::YearOfDate => write!(out, "{year:04}"),
                Element::ZoneName => out.write_str("UTC"),
            };
        }
        out
    }
}

/// Formats a time like Go's `Time.String`.
pub(crate) fn default_text(time: i64) -> String {
    let fraction = Element::Fraction { separator: '.', digits: 9 };
    let mut elements = Vec::new();
    // The format is known: reading it does not fail.
    let _ = super::read_format("%F %T", &mut elements);
    elements.push(fraction);
    let _ = super::read_format(" +0000 UTC", &mut elements);
    TimeFormat(elements).format(time)
}

fn put_padded(out: &mut String, number: u64, pad: Pad) -> std::fmt::Result {
    match pad {
        Pad::None => write!(out, "{number}"),
        Pad::Space => write!(out, "{number:2}"),
        Pad::Zero => write!(out, "{number:02}"),
    }
}

/// Appends the digits of a fraction without trailing zeros; nothing for no fraction.
fn put_fraction(out: &mut String, separator: char, digits: usize, nanos: i64) -> std::fmt::Result {
    let text = format!("{nanos:09}");
    match text.get(..digits).unwrap_or(&text).trim_end_matches('0') {
        "" => Ok(()),
        fraction => write!(out, "{separator}{fraction}"),
    }
}

fn name(names: &[&'static str], index: usize, is_full: bool) -> &'static str {
    let name = names.get(index).copied().unwrap_or_default();
    if is_full { name } else { name.get(..3).unwrap_or(name) }
}
