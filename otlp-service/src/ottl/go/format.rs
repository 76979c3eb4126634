//! Formats of Go's `fmt.Sprintf`.

mod verb;

use crate::ottl::error::EvalError;
use crate::ottl::value::Value;
use verb::Verb;

/// A format: text and verbs, such as `%s` or `%-8.2f`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Format(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Verb(Verb),
}

/// The most bytes of a text that a format makes.
pub(crate) const MAX_FORMATTED_BYTES: usize = 1 << 20;

// === impl Format ===

impl Format {
    /// Reads a format.
    ///
    /// # Errors
    /// The fault of the format, in one line.
    pub(crate) fn new(format: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = format;
        while let Some((text, behind)) = rest.split_once('%') {
            push_text(&mut pieces, text);
            let (verb, len) = Verb::read(behind)?;
            match verb {
                Some(verb) => pieces.push(Piece::Verb(verb)),
                None => push_text(&mut pieces, "%"),
            }
            rest = behind.get(len..).unwrap_or_default();
        }
        push_text(&mut pieces, rest);
        Ok(Self(pieces))
    }

    /// Writes the values into the format. A verb that does not fit the type of its value shows so in the text, as in Go:
    /// `%!d(string=x)`.
    ///
    /// # Errors
    /// If a value has no text form, or the text is longer than [`MAX_FORMATTED_BYTES`].
    pub(crate) fn fill(&self, values: &[Value<'_>]) -> Result<String, EvalError> {
        let mut out = String::new();
        let mut values = values.iter();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Verb(verb) => match values.next() {
                    Some(value) => verb.put(&mut out, value)?,
                    None => out.push_str(&format!("%!{}(MISSING)", verb.letter())),
                },
            }
            check_len(&out)?;
        }
        let left = values.as_slice();
        for (index, value) in left.iter().enumerate() {
            out.push_str(if index == 0 { "%!(EXTRA " } else { ", " });
            verb::put_typed(&mut out, value)?;
            check_len(&out)?;
        }
        if !left.is_empty() {
            out.push(')');
        }
        Ok(out)
    }
}

fn check_len(out: &str) -> Result<(), EvalError> {
    if out.len() > MAX_FORMATTED_BYTES {
        return Err(EvalError::new("the formatted text is longer than 1 MiB"));
    }
    Ok(())
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        Some(Piece::Text(last)) => last.push_str(text),
        _ if text.is_empty() => {}
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests;
