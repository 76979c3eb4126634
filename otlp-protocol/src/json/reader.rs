//! A reader of JSON that is not OTLP/JSON: settings and lists, value by value, without a tree.

use super::error::{Fault, JsonError, JsonErrorKind};
use super::lexer::Lexer;

/// Reads a JSON text of any form. The caller says at each value which type is expected; `null` reads as the empty value.
///
/// Each error has the position in the text, and an empty path.
///
/// ```
/// use otlp_protocol::json::JsonReader;
///
/// let (mut name, mut ports) = (String::new(), Vec::new());
/// JsonReader::read(br#"{"name": "cart", "ports": [4317, "4318"], "more": {}}"#, |reader| {
///     reader.object(|reader, key| {
///         match key {
///             "name" => name = reader.string()?,
///             "ports" => reader.array(|reader| Ok(ports.push(reader.int64()?)))?,
///             _ => reader.skip()?,
///         }
///         Ok(())
///     })
/// })?;
/// assert_eq!((name.as_str(), ports), ("cart", vec![4317, 4318]));
///
/// let error = JsonReader::read(b"[1, true]", |reader| reader.array(|reader| reader.int64().map(drop))).unwrap_err();
/// assert_eq!(error.to_string(), "expected an integer (at byte 4)");
/// # Ok::<(), otlp_protocol::json::JsonError>(())
/// ```
#[derive(Debug)]
pub struct JsonReader<'a, 'b>(&'b mut Lexer<'a>);

/// A type of JSON values. JSON has no more of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonType {
    /// `[…]`
    Array,
    /// `true` or `false`
    Bool,
    /// `null`
    Null,
    /// A number.
    Number,
    /// `{…}`
    Object,
    /// `"…"`
    String,
}

// === impl JsonReader ===

impl<'a> JsonReader<'a, '_> {
    /// Reads the whole text: `value` reads the outermost value.
    ///
    /// # Errors
    /// If the text is not UTF-8 or not JSON, if more text follows the value, or with the error of `value`.
    pub fn read<T>(
        text: &'a [u8],
        value: impl FnOnce(&mut JsonReader<'a, '_>) -> Result<T, JsonError>,
    ) -> Result<T, JsonError> {
        let mut lexer = Lexer::new(text)?;
        let value = value(&mut JsonReader(&mut lexer))?;
        lexer.end()?;
        Ok(value)
    }

    /// Reads an object. `member` is called with each key, and reads the value.
    ///
    /// # Errors
    /// If another value is next, or with the error of `member`.
    pub fn object(
        &mut self,
        mut member: impl FnMut(&mut JsonReader<'a, '_>, &str) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        let read = self.0.object(|lexer, key| {
            let key = String::from_utf8_lossy(key);
            member(&mut JsonReader(lexer), &key).map_err(Fault::from)
        });
        Ok(read?)
    }

    /// Reads an array. `element` reads each element.
    ///
    /// # Errors
    /// If another value is next, or with the error of `element`.
    pub fn array(
        &mut self,
        mut element: impl FnMut(&mut JsonReader<'a, '_>) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        Ok(self.0.array(|lexer| element(&mut JsonReader(lexer)).map_err(Fault::from))?)
    }

    /// Reads a string.
    ///
    /// # Errors
    /// If another value is next.
    pub fn string(&mut self) -> Result<String, JsonError> {
        Ok(self.0.owned_string()?)
    }

    /// Reads an integer, in quotes or not.
    ///
    /// # Errors
    /// If another value is next, or the number does not fit.
    pub fn int64(&mut self) -> Result<i64, JsonError> {
        self.0.peek();
        Ok(self.0.int64()?)
    }

    /// Reads `true` or `false`.
    ///
    /// # Errors
    /// If another value is next.
    pub fn bool(&mut self) -> Result<bool, JsonError> {
        let is_true = self.0.peek() == b't';
        let word: &[u8] = if is_true { b"true" } else { b"false" };
        self.0.literal(word, "true or false")?;
        Ok(is_true)
    }

    /// Reads a number without converting it; the text is a number of JSON: `-1.5e3`.
    ///
    /// # Errors
    /// If another value is next.
    pub fn number(&mut self) -> Result<&'a str, JsonError> {
        let text = self.0.number("a value")?;
        Ok(std::str::from_utf8(text).unwrap_or_default())
    }

    /// Returns the type of the next value; `None` at the end and before text that is no value.
    pub fn next_type(&mut self) -> Option<JsonType> {
        Some(match self.0.peek() {
            b'[' => JsonType::Array,
            b't' | b'f' => JsonType::Bool,
            b'n' => JsonType::Null,
            b'-' | b'0'..=b'9' => JsonType::Number,
            b'{' => JsonType::Object,
            b'"' => JsonType::String,
            _ => return None,
        })
    }

    /// Passes over a value of any type.
    ///
    /// # Errors
    /// If the value is not JSON, or nested deeper than 128 levels.
    pub fn skip(&mut self) -> Result<(), JsonError> {
        Ok(self.0.skip_value()?)
    }

    /// Returns true if a string is next.
    pub fn is_at_string(&mut self) -> bool {
        self.0.peek() == b'"'
    }

    /// Makes an error at the position of the reader: `what` is expected there.
    pub fn expected(&self, what: &'static str) -> JsonError {
        JsonError { kind: JsonErrorKind::Expected(what), path: String::new(), offset: self.0.position() }
    }
}

impl From<JsonError> for Fault {
    fn from(JsonError { kind, offset, .. }: JsonError) -> Self {
        Self { kind, offset }
    }
}

#[cfg(test)]
mod tests;
