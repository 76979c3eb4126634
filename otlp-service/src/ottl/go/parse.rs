//! Numbers of texts, by the rules of Go's `strconv`.

/// Reads a double: decimal or hexadecimal, with underscores between digits only where Go takes them. `None` for another text, and for
/// a number that is too large.
pub(crate) fn double(text: &str) -> Option<f64> {
    let plain = without_underscores(text)?;
    let (sign, digits) = signed(&plain);
    let value = match prefixed(digits, "0x") {
        Some(digits) => sign * hexadecimal(digits)?,
        None => plain.parse().ok()?,
    };
    // Infinity has a sign, NaN has none.
    let is_name = digits.starts_with(|char: char| char.is_ascii_alphabetic());
    let is_sound = if value.is_nan() { digits == plain } else { value.is_finite() || is_name };
    is_sound.then_some(value)
}

/// Reads an int whose base is that of the prefix: `0x1f`, `0o17`, `017`, `0b11`, and 10 without a prefix.
pub(crate) fn int_of_any_base(text: &str) -> Option<i64> {
    let plain = without_underscores(text)?;
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let prefixes = [("0x", 16), ("0o", 8), ("0b", 2)];
    let found = prefixes.iter().find_map(|(prefix, base)| Some((prefixed(digits, prefix)?, *base)));
    let is_octal = digits.len() > 1 && digits.starts_with('0');
    let (digits, base) = found.unwrap_or((digits, if is_octal { 8 } else { 10 }));
    if digits.starts_with(['+', '-']) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{digits}"), base).ok()
}

/// Removes underscores; `None` if one is not between digits, or between a prefix and a digit.
fn without_underscores(text: &str) -> Option<String> {
    let (_, digits) = signed(text);
    let is_hexadecimal = prefixed(digits, "0x").is_some();
    let has_prefix = ["0x", "0o", "0b"].iter().any(|prefix| prefixed(digits, prefix).is_some());
    let digits = if has_prefix { digits.get(2..).unwrap_or_default() } else { digits };
    let is_digit = |char: Option<char>| {
        char.is_some_and(|char| char.is_ascii_digit() || is_hexadecimal && char.is_ascii_hexdigit())
    };
    let mut before = if has_prefix { Some('0') } else { None };
    let mut chars = digits.chars().peekable();
    while let Some(char) = chars.next() {
        if char == '_' && !(is_digit(before) && is_digit(chars.peek().copied())) {
            return None;
        }
        before = Some(char);
    }
    Some(text.replace('_', ""))
}

/// Reads the digits of a hexadecimal double: `1.8p-1`, whose exponent is required.
fn hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0;
    for char in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(char.to_digit(16)?);
    }
    let exponent: i32 = exponent.parse().ok()?;
    let exponent = i64::from(exponent) - 4 * fraction.len() as i64;
    Some(value * f64::from(i32::try_from(exponent).ok()?).exp2())
}

fn signed(text: &str) -> (f64, &str) {
    match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Returns the text behind a prefix, which may be in upper case.
fn prefixed<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    text.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix))?;
    text.get(prefix.len()..)
}

#[cfg(test)]
mod tests;
