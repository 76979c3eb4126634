//! Doubles in as few digits as identify the double, as by Go.

/// Digits of a finite double.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shortest {
    is_negative: bool,
    /// The first digit is in front of the point.
    digits: String,
    exponent: i32,
}

// === impl Shortest ===

impl Shortest {
    /// Finds the digits. Of two decimals that are equally close, the one with an even last digit counts, as in Go; Rust takes the
    /// larger one.
    pub(crate) fn new(value: f64) -> Self {
        let size = value.abs();
        let short = format!("{size:e}");
        let count = short.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
        // Rust rounds to a number of digits as Go does. Next to a power of two, the closest decimal may be one of another double.
        let close = format!("{size:.*e}", count.saturating_sub(1));
        let text = if close.parse() == Ok(size) { close } else { short };
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        Self {
            is_negative: value.is_sign_negative(),
            digits: digits.replace('.', ""),
            exponent: exponent.parse().unwrap_or_default(),
        }
    }

    /// Returns the number without an exponent.
    pub(crate) fn fixed(&self) -> String {
        let zeros = |count: usize| "0".repeat(count);
        let digits = &self.digits;
        let size = match usize::try_from(self.exponent) {
            Err(_) => format!("0.{}{digits}", zeros(self.exponent.unsigned_abs() as usize - 1)),
            Ok(exponent) if digits.len() <= exponent + 1 => {
                format!("{digits}{}", zeros(exponent + 1 - digits.len()))
            }
            Ok(exponent) => {
                let (whole, fraction) = digits.split_at(exponent + 1);
                format!("{whole}.{fraction}")
            }
        };
        format!("{}{size}", self.sign())
    }

    /// Returns the number with an exponent of `least` digits at least, and its sign.
    pub(crate) fn with_exponent(&self, least: usize) -> String {
        let (first, rest) = self.digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if self.exponent < 0 { '-' } else { '+' };
        let exponent = self.exponent.unsigned_abs();
        format!("{}{first}{point}{rest}e{sign}{exponent:0least$}", self.sign())
    }

    fn sign(&self) -> &'static str {
        if self.is_negative { "-" } else { "" }
    }
}
