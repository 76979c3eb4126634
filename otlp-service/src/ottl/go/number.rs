//! Doubles as text, by the rules of Go's `strconv.FormatFloat`.

use crate::processor::Shortest;
use std::fmt::Write as _;

/// A form of a double in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    /// `%e`: `1.5e+06`.
    Exponent,
    /// `%f`: `1500000`.
    Fixed,
    /// `%g`: `%e` if the exponent is below -4, or the precision or more; else `%f`. The precision of the shortest form is 6.
    General,
}

/// Appends a double, in as few digits as identify the double.
pub(crate) fn put_shortest(out: &mut String, value: f64, notation: Notation) {
    if !value.is_finite() {
        return out.push_str(special(value));
    }
    let is_exponent = match notation {
        Notation::Exponent => true,
        Notation::Fixed => false,
        Notation::General => value != 0.0 && !(1e-4..1e6).contains(&value.abs()),
    };
    let shortest = Shortest::new(value);
    out.push_str(&if is_exponent { shortest.with_exponent(2) } else { shortest.fixed() });
}

/// Appends a double with a number of digits: after the point in `%e` and `%f`, in all in `%g`.
pub(crate) fn put_precise(out: &mut String, value: f64, notation: Notation, precision: usize) {
    if !value.is_finite() {
        return out.push_str(special(value));
    }
    match notation {
        Notation::Exponent => put_exponent(out, &format!("{value:.precision$e}")),
        Notation::Fixed => {
            let _ = write!(out, "{value:.precision$}");
        }
        Notation::General => {
            let digits = precision.max(1);
            let rounded = format!("{value:.*e}", digits - 1);
            let (_, exponent) = rounded.split_once('e').unwrap_or((&rounded, "0"));
            let exponent: i64 = exponent.parse().unwrap_or_default();
            let (mut text, mut tail) = (String::new(), String::new());
            match usize::try_from(digits as i64 - 1 - exponent) {
                Ok(decimals) if exponent >= -4 => {
                    let _ = write!(text, "{value:.decimals$}");
                }
                _ => put_exponent(&mut text, &rounded),
            }
            if let Some(at) = text.find('e') {
                tail = text.split_off(at);
            }
            if text.contains('.') {
                text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
            }
            out.push_str(&text);
            out.push_str(&tail);
        }
    }
}

/// Appends a number in Rust's exponent form with Go's exponent: a sign and two digits at least.
fn put_exponent(out: &mut String, rust: &str) {
    let (digits, exponent) = rust.split_once('e').unwrap_or((rust, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(out, "{digits}e{sign}{:02}", exponent.unsigned_abs());
}

fn special(value: f64) -> &'static str {
    match (value.is_nan(), value > 0.0) {
        (true, _) => "NaN",
        (_, true) => "+Inf",
        _ => "-Inf",
    }
}

#[cfg(test)]
mod tests;
