//! Verbs of formats: `%s`, `%5d`, `%+.2f`.

use crate::ottl::error::EvalError;
use crate::ottl::go::number::{self, Notation};
use crate::ottl::go::{duration, quote};
use crate::ottl::strptime;
use crate::ottl::value::{Value, hex};
use std::borrow::Cow;

/// A verb with its flags, width and precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verb {
    letter: char,
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// The largest width and the largest precision.
const MAX_WIDTH: usize = 1000;

/// Verbs by the types of values that Go shows with them; `%%` is no verb.
const LETTERS: &str = "vsdtqxXoObcUeEfFgG";

// === impl Verb ===

impl Verb {
    /// Reads a verb behind its `%`, and returns its length. `None` for `%%`.
    pub(super) fn read(text: &str) -> Result<(Option<Self>, usize), String> {
        let mut verb = Self::default();
        let mut rest = text;
        while let Some(flag) = rest.chars().next().filter(|char| "-+# 0".contains(*char)) {
            match flag {
                '-' => verb.minus = true,
                '+' => verb.plus = true,
                '#' => verb.sharp = true,
                ' ' => verb.space = true,
                _ => verb.zero = true,
            }
            rest = rest.get(1..).unwrap_or_default();
        }
        (verb.width, rest) = size(rest)?;
        if let Some(behind) = rest.strip_prefix('.') {
            let (precision, behind) = size(behind)?;
            (verb.precision, rest) = (Some(precision.unwrap_or(0)), behind);
        }
        // A field that is filled up on the right has no zeros on the left.
        verb.zero &= !verb.minus;
        let Some(letter) = rest.chars().next() else {
            return Err("the format ends within a verb; write %% for a percent sign".into());
        };
        verb.letter = letter;
        let len = text.len() - rest.len() + letter.len_utf8();
        match letter {
            '%' => Ok((None, len)),
            '*' | '[' => {
                Err(format!("'{letter}' in verbs is not supported; write widths and arguments in place"))
            }
            letter if verb.sharp && LETTERS.contains(letter) && !"xXoOq".contains(letter) => {
                Err(format!("the flag '#' is not supported with %{letter}"))
            }
            letter if LETTERS.contains(letter) => Ok((Some(verb), len)),
            letter => Err(format!("unknown verb %{letter}; supported: {LETTERS}, and %% for a percent sign")),
        }
    }

    pub(super) fn letter(self) -> char {
        self.letter
    }

    /// Appends a value.
    pub(super) fn put(self, out: &mut String, value: &Value<'_>) -> Result<(), EvalError> {
        match (self.letter, value) {
            ('v', Value::Nil) => self.pad(out, "<nil>"),
            ('v' | 't', Value::Bool(value)) => self.pad(out, if *value { "true" } else { "false" }),
            ('v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' | 'c' | 'q' | 'U', Value::Int(value)) => {
                self.int(out, *value);
            }
            ('d' | 'b' | 'o' | 'O' | 'c' | 'U', Value::Duration(value)) => self.int(out, *value),
            ('v' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G', Value::Double(value)) => self.double(out, *value),
            ('v' | 's' | 'q' | 'x' | 'X', Value::Text(text)) => self.text(out, text.as_bytes()),
            ('s' | 'q' | 'x' | 'X', Value::Bytes(bytes)) => self.text(out, bytes),
            ('v' | 'd', Value::Bytes(bytes)) => {
                self.list(out, bytes.iter().map(|byte| Value::Int(i64::from(*byte))))?;
            }
            (_, Value::List(list)) => self.list(out, list.iter())?,
            ('v' | 's', Value::Map(_)) => self.pad(out, &value.json()?),
            ('v' | 's' | 'q' | 'x' | 'X', Value::Duration(value)) => {
                let mut text = String::new();
                duration::put(&mut text, *value);
                self.text(out, text.as_bytes());
            }
            ('v' | 's' | 'q' | 'x' | 'X', Value::Time(time)) => {
                self.text(out, strptime::default_text(time).as_bytes());
            }
            ('v' | 's' | 'q' | 'x' | 'X', Value::SpanId(id)) => self.text(out, hex(id).as_bytes()),
            ('v' | 's' | 'q' | 'x' | 'X', Value::ProfileId(id) | Value::TraceId(id)) => {
                self.text(out, hex(id).as_bytes());
            }
            (_, Value::Messages(_)) => return Err(EvalError::wrong_type("a value with a text form", value)),
            (letter, _) => {
                out.push_str("%!");
                out.push(letter);
                out.push('(');
                put_typed(out, value)?;
                out.push(')');
            }
        }
        Ok(())
    }

    /// Appends the elements between brackets, each with this verb.
    fn list<'v>(self, out: &mut String, values: impl Iterator<Item = Value<'v>>) -> Result<(), EvalError> {
        out.push('[');
        for (index, value) in values.enumerate() {
            out.push_str(if index > 0 { " " } else { "" });
            self.put(out, &value)?;
        }
        out.push(']');
        Ok(())
    }

    fn int(self, out: &mut String, value: i64) {
        let size = value.unsigned_abs();
        let (prefix, digits) = match self.letter {
            'b' => ("", format!("{size:b}")),
            'o' if self.sharp => ("0", format!("{size:o}")),
            'o' => ("", format!("{size:o}")),
            'O' => ("0o", format!("{size:o}")),
            'x' => (if self.sharp { "0x" } else { "" }, format!("{size:x}")),
            'X' => (if self.sharp { "0X" } else { "" }, format!("{size:X}")),
            'U' => return self.pad(out, &format!("U+{size:04X}")),
            'c' | 'q' => {
                let char = u32::try_from(value).ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
                let mut text = String::new();
                match self.letter {
                    'c' => text.push(char),
                    _ => quote::put(&mut text, char.encode_utf8(&mut [0; 4]), '\'', self.plus),
                }
                return self.pad(out, &text);
            }
            _ => ("", size.to_string()),
        };
        let sign = self.sign(value < 0);
        let least = match (self.precision, self.width) {
            (Some(precision), _) => precision,
            (None, Some(width)) if self.zero => width.saturating_sub(sign.len()),
            _ => 0,
        };
        let zeros = "0".repeat(least.saturating_sub(digits.len()));
        Self { zero: false, ..self }.pad(out, &format!("{sign}{prefix}{zeros}{digits}"));
    }

    fn double(self, out: &mut String, value: f64) {
        let notation = match self.letter.to_ascii_lowercase() {
            'e' => Notation::Exponent,
            'f' => Notation::Fixed,
            _ => Notation::General,
        };
        let mut digits = String::new();
        let size = value.abs();
        match (self.precision, notation) {
            (Some(precision), _) => number::put_precise(&mut digits, size, notation, precision),
            (None, Notation::General) => number::put_shortest(&mut digits, size, notation),
            (None, _) => number::put_precise(&mut digits, size, notation, 6),
        }
        if self.letter.is_ascii_uppercase() {
            digits.make_ascii_uppercase();
        }
        let mut sign = self.sign(value.is_sign_negative() && !value.is_nan());
        if value.is_infinite() {
            // The text of infinity has a sign.
            digits = digits.trim_start_matches('+').to_owned();
            sign = if value > 0.0 && sign.is_empty() { "+" } else { sign };
        }
        match self.width {
            Some(width) if self.zero && value.is_finite() => {
                let zeros = "0".repeat(width.saturating_sub(sign.len() + digits.len()));
                out.push_str(&format!("{sign}{zeros}{digits}"));
            }
            _ => Self { zero: false, ..self }.pad(out, &format!("{sign}{digits}")),
        }
    }

    fn text(self, out: &mut String, bytes: &[u8]) {
        match self.letter {
            'x' | 'X' => self.pad(out, &self.hex(bytes)),
            letter => {
                let text = self.cut(String::from_utf8_lossy(bytes));
                if letter != 'q' {
                    return self.pad(out, &text);
                }
                let mut quoted = String::new();
                if self.sharp && !text.contains(|char: char| char == '`' || char.is_control() && char != '\t')
                {
                    quoted = format!("`{text}`");
                } else {
                    quote::put(&mut quoted, &text, '"', self.plus);
                }
                self.pad(out, &quoted);
            }
        }
    }

    fn hex(self, bytes: &[u8]) -> String {
        let bytes = bytes.get(..self.precision.unwrap_or(usize::MAX)).unwrap_or(bytes);
        let prefix = if self.sharp { "0x" } else { "" };
        let groups: Vec<String> = match self.space {
            true => bytes.iter().map(|byte| format!("{prefix}{byte:02x}")).collect(),
            false if bytes.is_empty() => Vec::new(),
            false => vec![format!("{prefix}{}", hex(bytes))],
        };
        let text = groups.join(" ");
        if self.letter == 'X' { text.to_ascii_uppercase() } else { text }
    }

    /// Cuts a text to the precision, in characters.
    fn cut<'t>(self, text: Cow<'t, str>) -> Cow<'t, str> {
        match self.precision {
            Some(precision) => Cow::Owned(text.chars().take(precision).collect()),
            None => text,
        }
    }

    fn sign(self, is_negative: bool) -> &'static str {
        match (is_negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
    }

    /// Appends a text, filled up to the width.
    fn pad(self, out: &mut String, text: &str) {
        let fill = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        let fill = if self.zero { "0" } else { " " }.repeat(fill);
        if self.minus {
            out.push_str(text);
            out.push_str(&fill);
        } else {
            out.push_str(&fill);
            out.push_str(text);
        }
    }
}

/// Appends the Go type and the value, of values that a verb does not fit.
pub(super) fn put_typed(out: &mut String, value: &Value<'_>) -> Result<(), EvalError> {
    let name = match value {
        Value::Nil => {
            return {
                out.push_str("<nil>");
                Ok(())
            };
        }
        Value::Bool(_) => "bool",
        Value::Bytes(_) => "[]uint8",
        Value::Double(_) => "float64",
        Value::Duration(_) => "time.Duration",
        Value::Int(_) => "int64",
        Value::List(_) => "list",
        Value::Map(_) | Value::Messages(_) => "map",
        Value::ProfileId(_) => "pprofile.ProfileID",
        Value::SpanId(_) => "pcommon.SpanID",
        Value::Text(_) => "string",
        Value::Time(_) => "time.Time",
        Value::TraceId(_) => "pcommon.TraceID",
    };
    out.push_str(name);
    out.push('=');
    Verb { letter: 'v', ..Verb::default() }.put(out, value)
}

/// Reads a width or a precision.
fn size(text: &str) -> Result<(Option<usize>, &str), String> {
    let (digits, rest) = text.split_at(text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len()));
    if digits.is_empty() {
        return Ok((None, rest));
    }
    match digits.parse() {
        Ok(size) if size <= MAX_WIDTH => Ok((Some(size), rest)),
        _ => Err(format!("the width or precision {digits} is over {MAX_WIDTH}")),
    }
}
