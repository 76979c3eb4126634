//! Times as text, by formats with the directives of `strptime`, as in the Collector.

mod read;
mod write;
mod zone;

pub(crate) use write::{default_text, rfc3339};
pub(crate) use zone::Zone;

/// A format of times, such as `%Y-%m-%dT%H:%M:%SZ`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimeFormat(Vec<Element>);

/// A part of a time, or text around the parts.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Element {
    AmPm {
        is_upper: bool,
    },
    Day(Pad),
    /// A point or comma, and the digits of a second behind it.
    Fraction {
        separator: char,
        digits: usize,
    },
    Hour,
    Hour12(Pad),
    Minute,
    Month(Pad),
    MonthName {
        is_full: bool,
    },
    Offset(Offset),
    Second,
    /// Two digits: 69 to 99 are in the 20th century.
    ShortYear,
    Text(String),
    WeekdayName {
        is_full: bool,
    },
    /// Four digits.
    Year,
    /// Four digits, or two when read.
    YearOfDate,
    ZoneName,
}

/// Filling of numbers up to two digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pad {
    None,
    Space,
    Zero,
}

/// Form of an offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offset {
    /// `Z`, `+0100`; `+01:00` and `+01` when read.
    Any,
    /// `+01`
    Hours,
    /// `+01:00`
    Minutes,
    /// `+01:00:00`
    Seconds,
    /// `+010000`
    SecondsPlain,
}

const SECOND: i64 = 1_000_000_000;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

// === impl TimeFormat ===

impl TimeFormat {
    /// Reads a format.
    ///
    /// # Errors
    /// The fault of the format, in one line.
    pub(crate) fn new(format: &str) -> Result<Self, String> {
        if format.is_empty() {
            return Err("the time format is empty".into());
        }
        let mut elements = Vec::new();
        read_format(format, &mut elements)?;
        Ok(Self(elements))
    }
}

fn read_format(format: &str, elements: &mut Vec<Element>) -> Result<(), String> {
    let mut rest = format;
    while let Some((text, behind)) = rest.split_once('%') {
        push_text(elements, text);
        let Some(letter) = behind.chars().next() else {
            return Err("the time format ends within a directive; write %% for a percent sign".into());
        };
        directive(letter, elements)?;
        rest = behind.get(letter.len_utf8()..).unwrap_or_default();
    }
    push_text(elements, rest);
    Ok(())
}

fn directive(letter: char, elements: &mut Vec<Element>) -> Result<(), String> {
    let element = match letter {
        'Y' => Element::Year,
        'y' => Element::ShortYear,
        'm' => Element::Month(Pad::Zero),
        'o' => Element::Month(Pad::Space),
        'q' => Element::Month(Pad::None),
        'b' | 'h' => Element::MonthName { is_full: false },
        'B' => Element::MonthName { is_full: true },
        'd' => Element::Day(Pad::Zero),
        'e' => Element::Day(Pad::Space),
        'g' => Element::Day(Pad::None),
        'a' => Element::WeekdayName { is_full: false },
        'A' => Element::WeekdayName { is_full: true },
        'H' => Element::Hour,
        'I' => Element::Hour12(Pad::Zero),
        'l' => Element::Hour12(Pad::None),
        'p' => Element::AmPm { is_upper: true },
        'P' => Element::AmPm { is_upper: false },
        'M' => Element::Minute,
        'S' => Element::Second,
        'Z' => Element::ZoneName,
        'z' => Element::Offset(Offset::Any),
        'w' => Element::Offset(Offset::SecondsPlain),
        'i' => Element::Offset(Offset::Hours),
        'j' => Element::Offset(Offset::Minutes),
        'k' => Element::Offset(Offset::Seconds),
        'L' => fraction(letter, 3, elements)?,
        'f' => fraction(letter, 6, elements)?,
        's' => fraction(letter, 9, elements)?,
        'D' | 'x' => {
            elements.push(Element::Month(Pad::Zero));
            push_text(elements, "/");
            elements.push(Element::Day(Pad::Zero));
            push_text(elements, "/");
            Element::YearOfDate
        }
        'F' => return read_format("%Y-%m-%d", elements),
        'T' | 'X' => return read_format("%H:%M:%S", elements),
        'r' => return read_format("%I:%M:%S %P", elements),
        'R' => return read_format("%H:%M", elements),
        'c' => return read_format("%a %b %d %H:%M:%S %Y", elements),
        'n' => {
            return {
                push_text(elements, "\n");
                Ok(())
            };
        }
        't' => {
            return {
                push_text(elements, "\t");
                Ok(())
            };
        }
        '%' => {
            return {
                push_text(elements, "%");
                Ok(())
            };
        }
        letter => return Err(format!("unknown directive %{letter} in the time format")),
    };
    elements.push(element);
    Ok(())
}

/// Makes the element of a fraction, which takes the point or comma before the directive.
fn fraction(letter: char, digits: usize, elements: &mut [Element]) -> Result<Element, String> {
    if let Some(Element::Text(text)) = elements.last_mut()
        && let Some(separator) = text.chars().next_back().filter(|char| matches!(char, '.' | ','))
    {
        text.pop();
        return Ok(Element::Fraction { separator, digits });
    }
    Err(format!("a point or a comma must stand before %{letter} in the time format"))
}

fn push_text(elements: &mut Vec<Element>, text: &str) {
    match elements.last_mut() {
        Some(Element::Text(last)) => last.push_str(text),
        _ if text.is_empty() => {}
        _ => elements.push(Element::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests;
