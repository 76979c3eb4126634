//! Text to times.

use super::zone::{Zone, offset_of};
use super::{Element, MONTHS, Offset, SECOND, TimeFormat, WEEKDAYS};
use crate::calendar::{days, signed_date};
use crate::ottl::error::EvalError;
use crate::ottl::value::Time;

/// The parts that a text says of a time.
#[derive(Debug)]
struct Parts {
    year: Option<i64>,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
    nanos: i64,
    /// True after noon, false before noon.
    is_pm: Option<bool>,
    /// Seconds from UTC, and the index of the offset's abbreviation.
    offset: Option<(i64, Option<u8>)>,
}

// === impl TimeFormat ===

impl TimeFormat {
    /// Reads a time. `zone` is the zone of texts without an offset. A text without a year is in the
    /// year of `now`, or in the year before if the time would be more than a week after `now`.
    ///
    /// # Errors
    /// If the text does not have this format, or the time is not from 1678 to 2261.
    pub(crate) fn parse(&self, text: &str, zone: &Zone, now: i64) -> Result<Time, EvalError> {
        let mut parts = Parts {
            year: None,
            month: 1,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
            nanos: 0,
            is_pm: None,
            offset: None,
        };
        let mut rest = text;
        let mut elements = self.0.iter().peekable();
        while let Some(element) = elements.next() {
            rest = parts.read(element, rest, zone).ok_or_else(|| mismatch(text))?;
            // Like Go: a second may have a fraction that the format does not name.
            if matches!(element, Element::Second)
                && !matches!(elements.peek(), Some(Element::Fraction { .. }))
            {
                rest = parts.read_fraction(rest);
            }
        }
        if !rest.is_empty() {
            return Err(mismatch(text));
        }
        parts
            .finish(zone, now)
            .ok_or_else(|| mismatch(text))?
            .ok_or_else(|| EvalError::new("the time is not from 1678 to 2261"))
    }
}

// === impl Parts ===

impl Parts {
    /// Reads an element, and returns the rest of the text.
    fn read<'t>(&mut self, element: &Element, text: &'t str, zone: &Zone) -> Option<&'t str> {
        let rest = match element {
            Element::AmPm { is_upper } => {
                let [am, pm] = if *is_upper { ["AM", "PM"] } else { ["am", "pm"] };
                let after = text.strip_prefix(pm);
                self.is_pm = Some(after.is_some());
                after.or_else(|| text.strip_prefix(am))?
            }
            Element::Day(_) => number(text, 1, 2, &mut self.day)?,
            Element::Fraction { .. } => self.read_fraction(text),
            Element::Hour => number(text, 1, 2, &mut self.hour)?,
            Element::Hour12(_) => {
                let rest = number(text, 1, 2, &mut self.hour)?;
                if self.hour > 12 {
                    return None;
                }
                rest
            }
            Element::Minute => number(text, 1, 2, &mut self.minute)?,
            Element::Month(_) => number(text, 1, 2, &mut self.month)?,
            Element::MonthName { is_full } => {
                let (index, rest) = named(&MONTHS, text, *is_full)?;
                self.month = index as u64 + 1;
                rest
            }
            Element::Offset(form) => {
                let (offset, rest) = offset(text, *form)?;
                self.offset = Some((offset, None));
                rest
            }
            Element::Second => number(text, 1, 2, &mut self.second)?,
            Element::ShortYear => self.read_year(text, 2)?,
            Element::Text(expected) => literal(text, expected)?,
            Element::WeekdayName { is_full } => named(&WEEKDAYS, text, *is_full)?.1,
            Element::Year => self.read_year(text, 4)?,
            Element::YearOfDate => self.read_year(text, 4).or_else(|| self.read_year(text, 2))?,
            Element::ZoneName => {
                let len = text.find(|char: char| !char.is_ascii_uppercase()).unwrap_or(text.len());
                let (name, rest) = text.split_at(len);
                let in_zone = || zone.offset_named(name).map(|offset| (offset, None));
                self.offset = Some(offset_of(name).or_else(in_zone)?);
                rest
            }
        };
        Some(rest)
    }

    fn read_year<'t>(&mut self, text: &'t str, digits: usize) -> Option<&'t str> {
        let mut year = 0;
        let rest = number(text, digits, digits, &mut year)?;
        let century = if digits > 2 {
            0
        } else if year >= 69 {
            1900
        } else {
            2000
        };
        self.year = Some((century + year) as i64);
        Some(rest)
    }

    /// Reads a fraction of a second of any number of digits, if there is one.
    fn read_fraction<'t>(&mut self, text: &'t str) -> &'t str {
        let Some(digits) = text.strip_prefix(['.', ',']) else { return text };
        let len = digits.find(|char: char| !char.is_ascii_digit()).unwrap_or(digits.len());
        if len == 0 {
            return text;
        }
        let (digits, rest) = digits.split_at(len);
        let digits = format!("{:0<9}", digits.get(..9).unwrap_or(digits));
        self.nanos = digits.parse().unwrap_or_default();
        rest
    }

    /// Returns the time; `None` for parts out of range, `Some(None)` for a time that nanoseconds cannot say.
    fn finish(mut self, zone: &Zone, now: i64) -> Option<Option<Time>> {
        match self.is_pm {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        let is_in_range =
            (1..=12).contains(&self.month) && self.hour < 24 && self.minute < 60 && self.second < 60;
        // Without a year every day of a leap year exists.
        let year = self.year.filter(|year| *year != 0);
        if !is_in_range || !(1..=days_of(year.unwrap_or(2000), self.month)).contains(&self.day) {
            return None;
        }
        let Some(year) = year else {
            let week = 7 * 86_400 * SECOND;
            let (this_year, ..) = signed_date(now.div_euclid(86_400 * SECOND));
            let time = self.in_year(this_year, zone);
            let is_later = time.as_ref().is_none_or(|time| time.nanos > now.saturating_add(week));
            return Some(if is_later { self.in_year(this_year - 1, zone) } else { time });
        };
        Some(self.in_year(year, zone))
    }

    fn in_year(&self, year: i64, zone: &Zone) -> Option<Time> {
        let of_day = self.hour * 3_600 + self.minute * 60 + self.second;
        let local = days(year, self.month, self.day) * 86_400 + of_day as i64;
        let offset = self.offset.map_or_else(|| zone.offset_at_local(local), |(offset, _)| offset);
        let seconds = local - offset;
        let zone = match self.offset {
            Some((offset, abbreviation)) => zone.with_offset(seconds, offset, abbreviation),
            None => zone.clone(),
        };
        Some(Time { nanos: seconds.checked_mul(SECOND)?.checked_add(self.nanos)?, zone })
    }
}

fn mismatch(text: &str) -> EvalError {
    let shown: String = text.chars().take(64).collect();
    EvalError::detail(format!("{shown:?} does not have the time format"))
}

/// Reads a number of `least` to `most` digits, behind spaces.
fn number<'t>(text: &'t str, least: usize, most: usize, number: &mut u64) -> Option<&'t str> {
    let text = text.trim_ascii_start();
    let len = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if len < least {
        return None;
    }
    let (digits, rest) = text.split_at(len);
    *number = digits.parse().ok()?;
    Some(rest)
}

/// Reads a name in any case.
fn named<'t>(names: &[&str], text: &'t str, is_full: bool) -> Option<(usize, &'t str)> {
    names.iter().enumerate().find_map(|(index, name)| {
        let len = if is_full { name.len() } else { 3 };
        let start = text.get(..len)?;
        start.eq_ignore_ascii_case(name.get(..len)?).then_some((index, text.get(len..)?))
    })
}

/// Reads a text of the format; spaces stand for any number of spaces.
fn literal<'t>(text: &'t str, expected: &str) -> Option<&'t str> {
    let (mut text, mut expected) = (text, expected);
    while let Some(char) = expected.chars().next() {
        if char == ' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return None;
            }
            (text, expected) = (text.trim_start_matches(' '), expected.trim_start_matches(' '));
            continue;
        }
        text = text.strip_prefix(char)?;
        expected = expected.get(char.len_utf8()..)?;
    }
    Some(text)
}

/// Reads an offset from UTC, in seconds.
fn offset(text: &str, form: Offset) -> Option<(i64, &str)> {
    let text = if form == Offset::Any { text.trim_ascii_start() } else { text };
    if form == Offset::Any
        && let Some(rest) = text.strip_prefix('Z')
    {
        return Some((0, rest));
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let two = |text: &'_ str| -> Option<i64> {
        text.get(..2).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
    };
    let mut rest = text.get(1..)?;
    let hours = two(rest)?;
    rest = rest.get(2..)?;
    let (mut minutes, mut seconds) = (0, 0);
    match form {
        Offset::Any => {
            let behind = rest.strip_prefix(':').unwrap_or(rest);
            if let Some(found) = two(behind) {
                (minutes, rest) = (found, behind.get(2..)?);
            }
        }
        Offset::Hours => {}
        Offset::Minutes => (minutes, rest) = part(rest, ":")?,
        Offset::Seconds => {
            (minutes, rest) = part(rest, ":")?;
            (seconds, rest) = part(rest, ":")?;
        }
        Offset::SecondsPlain => {
            (minutes, rest) = part(rest, "")?;
            (seconds, rest) = part(rest, "")?;
        }
    }
    let is_in_range = hours <= 24 && minutes <= 60 && seconds <= 60;
    is_in_range.then_some((sign * (hours * 3_600 + minutes * 60 + seconds), rest))
}

/// Reads two digits behind a separator.
fn part<'t>(text: &'t str, separator: &str) -> Option<(i64, &'t str)> {
    let mut found = 0;
    let text = text.strip_prefix(separator)?;
    let rest =
        text.starts_with(|char: char| char.is_ascii_digit()).then(|| number(text, 2, 2, &mut found))??;
    Some((found as i64, rest))
}

fn days_of(year: i64, month: u64) -> u64 {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    (days(next_year, next, 1) - days(year, month, 1)) as u64
}
