//! Times to text, in the zones of the times.

use super::{Element, MONTHS, Offset, Pad, SECOND, TimeFormat, WEEKDAYS};
use crate::calendar::signed_date;
use crate::ottl::value::Time;
use std::fmt::Write as _;

// === impl TimeFormat ===

impl TimeFormat {
    /// Formats a time.
    pub(crate) fn format(&self, time: &Time) -> String {
        let (seconds, nanos) = (time.nanos.div_euclid(SECOND), time.nanos.rem_euclid(SECOND));
        let offset = time.zone.offset_at(seconds);
        let abbreviation = time.zone.abbreviation_at(seconds);
        let (days, seconds) = ((seconds + offset).div_euclid(86_400), (seconds + offset).rem_euclid(86_400));
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
                Element::Offset(form) => put_offset(&mut out, offset, *form),
                Element::Second => write!(out, "{second:02}"),
                Element::ShortYear => write!(out, "{:02}", year % 100),
                Element::Text(text) => out.write_str(text),
                Element::WeekdayName { is_full } => {
                    // 1970-01-01 was a Thursday.
                    out.write_str(name(&WEEKDAYS, (days + 4).rem_euclid(7) as usize, *is_full))
                }
                Element::Year | Element::YearOfDate => write!(out, "{year:04}"),
                Element::ZoneName if abbreviation.is_empty() => put_plain_offset(&mut out, offset),
                Element::ZoneName => out.write_str(abbreviation),
            };
        }
        out
    }
}

/// Formats a time like Go's `time.RFC3339Nano`.
pub(crate) fn rfc3339(time: &Time) -> String {
    let mut elements = Vec::new();
    // The format is known: reading it does not fail.
    let _ = super::read_format("%FT%T", &mut elements);
    elements.push(Element::Fraction { separator: '.', digits: 9 });
    let is_utc = time.zone.offset_at(time.nanos.div_euclid(SECOND)) == 0;
    elements.push(Element::Offset(if is_utc { Offset::Any } else { Offset::Minutes }));
    TimeFormat(elements).format(time)
}

/// Formats a time like Go's `Time.String`.
pub(crate) fn default_text(time: &Time) -> String {
    let fraction = Element::Fraction { separator: '.', digits: 9 };
    let mut elements = Vec::new();
    // The format is known: reading it does not fail.
    let _ = super::read_format("%F %T", &mut elements);
    elements.push(fraction);
    let mut text = TimeFormat(elements).format(time);
    let offset = time.zone.offset_at(time.nanos.div_euclid(SECOND));
    text.push(' ');
    // Writing into a string does not fail.
    let _ = put_plain_offset(&mut text, offset);
    text + &TimeFormat(vec![Element::Text(" ".into()), Element::ZoneName]).format(time)
}

/// Appends an offset from UTC in seconds.
fn put_offset(out: &mut String, offset: i64, form: Offset) -> std::fmt::Result {
    let (sign, hours, minutes, seconds) = parts(offset);
    match form {
        Offset::Any if offset == 0 => out.write_str("Z"),
        Offset::Any => put_plain_offset(out, offset),
        Offset::Hours => write!(out, "{sign}{hours:02}"),
        Offset::Minutes => write!(out, "{sign}{hours:02}:{minutes:02}"),
        Offset::Seconds => write!(out, "{sign}{hours:02}:{minutes:02}:{seconds:02}"),
        Offset::SecondsPlain => write!(out, "{sign}{hours:02}{minutes:02}{seconds:02}"),
    }
}

/// Appends an offset as `+0100`.
fn put_plain_offset(out: &mut String, offset: i64) -> std::fmt::Result {
    let (sign, hours, minutes, _) = parts(offset);
    write!(out, "{sign}{hours:02}{minutes:02}")
}

/// Returns the sign, hours, minutes and seconds of an offset.
fn parts(offset: i64) -> (char, u64, u64, u64) {
    let size = offset.unsigned_abs();
    (if offset < 0 { '-' } else { '+' }, size / 3_600, size / 60 % 60, size % 60)
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
