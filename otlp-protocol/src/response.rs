//! The response to an export request. Responses of all signals differ in the name of the rejected count alone.

use crate::Signal;
use crate::json::lexer::Lexer;
use crate::json::{JsonError, put_string};
use crate::wire::{Cursor, WireError, WireType, put_len_delimited, put_uint};
use std::io::Write as _;

/// Response to a request that was accepted, wholly or in part (`rejected` > 0). OTLP §Partial Success. Never retried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Number of spans, data points, log records or profiles that the receiver rejected.
    pub rejected: u64,
    /// Reason of the rejection, or a warning if `rejected` is 0. May be empty.
    pub message: String,
}

impl Accepted {
    /// Full success, without a warning.
    pub const FULL: Self = Self { rejected: 0, message: String::new() };

    /// True if the response needs `partial_success`: items were rejected, or there is a warning.
    pub fn is_partial(&self) -> bool {
        self.rejected > 0 || !self.message.is_empty()
    }

    /// Appends the message of another response to the same request, separated by `; `, unless it is there already. The joined
    /// text is cut at 4096 bytes.
    ///
    /// ```
    /// use otlp_protocol::Accepted;
    ///
    /// let mut answer = Accepted { rejected: 2, message: "too old".into() };
    /// for message in ["too large", "", "too old"] {
    ///     answer.add_message(message);
    /// }
    /// assert_eq!(answer.message, "too old; too large");
    /// ```
    pub fn add_message(&mut self, message: &str) {
        let separator = if self.message.is_empty() { "" } else { "; " };
        let room = MAX_JOINED_BYTES.saturating_sub(self.message.len() + separator.len());
        if message.is_empty() || room < MIN_JOINED_BYTES || self.message.contains(message) {
            return;
        }
        self.message.push_str(separator);
        self.message.push_str(&message[..message.floor_char_boundary(room)]);
    }

    /// Encodes `Export<Signal>ServiceResponse`: `partial_success` (1) { rejected (1), error_message (2) }. The encoding of full
    /// success is empty.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.is_partial() {
            let mut partial = Vec::with_capacity(self.message.len() + 16);
            // The field is an int64: more would read as negative.
            put_uint(&mut partial, 1, self.rejected.min(i64::MAX as u64));
            if !self.message.is_empty() {
                put_len_delimited(&mut partial, 2, self.message.as_bytes());
            }
            put_len_delimited(&mut out, 1, &partial);
        }
        out
    }

    /// Decodes the response of any signal. A negative count is read as 0. Invalid UTF-8 in a message is replaced. Unknown
    /// fields are ignored. The first 1 KiB of a message is kept.
    ///
    /// # Errors
    /// If the bytes are not a protobuf message.
    pub fn decode(response: &[u8]) -> Result<Self, WireError> {
        let mut accepted = Self::default();
        let mut outer = Cursor::new(response);
        while !outer.is_at_end() {
            match outer.tag()? {
                (1, WireType::Len) => accepted.decode_partial(outer.len_delimited()?)?,
                (number, wire_type) => outer.skip_value(number, wire_type)?,
            }
        }
        Ok(accepted)
    }

    /// Encodes `Export<Signal>ServiceResponse` as JSON. The JSON of full success is `{}`.
    ///
    /// ```
    /// use otlp_protocol::{Accepted, Signal};
    ///
    /// let accepted = Accepted { rejected: 3, message: "no ids".to_owned() };
    /// let text = accepted.encode_json(Signal::TRACES);
    /// assert_eq!(text, br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no ids"}}"#);
    /// assert_eq!(Accepted::decode_json(&text).unwrap(), accepted);
    /// ```
    pub fn encode_json(&self, signal: Signal) -> Vec<u8> {
        if !self.is_partial() {
            return b"{}".to_vec();
        }
        let mut out = b"{\"partialSuccess\":{".to_vec();
        if self.rejected > 0 {
            put_string(&mut out, signal.rejected_name.as_bytes());
            // The field is an int64, which is quoted in JSON.
            let _ = write!(out, ":\"{}\"", self.rejected.min(i64::MAX as u64));
        }
        if !self.message.is_empty() {
            out.extend_from_slice(if self.rejected > 0 {
                b",\"errorMessage\":"
            } else {
                b"\"errorMessage\":"
            });
            put_string(&mut out, self.message.as_bytes());
        }
        out.extend_from_slice(b"}}");
        out
    }

    /// Decodes the JSON response of any signal, with the rules of [`decode`](Self::decode). The count is any key that starts
    /// with `rejected`.
    ///
    /// # Errors
    /// If the text is not the JSON of such a message.
    pub fn decode_json(response: &[u8]) -> Result<Self, JsonError> {
        let mut accepted = Self::default();
        let text = String::from_utf8_lossy(response);
        let mut lexer = Lexer::new(text.as_bytes())?;
        lexer.object(|lexer, key| match key {
            b"partialSuccess" => lexer.object(|lexer, key| {
                match key {
                    b"errorMessage" => accepted.message = shortened(&lexer.owned_string()?),
                    _ if key.starts_with(b"rejected") => {
                        accepted.rejected = u64::try_from(lexer.int64()?).unwrap_or(0);
                    }
                    _ => lexer.skip_value()?,
                }
                Ok(())
            }),
            _ => lexer.skip_value(),
        })?;
        lexer.end()?;
        Ok(accepted)
    }

    fn decode_partial(&mut self, partial: &[u8]) -> Result<(), WireError> {
        let mut fields = Cursor::new(partial);
        while !fields.is_at_end() {
            match fields.tag()? {
                (1, WireType::Varint) => self.rejected = u64::try_from(fields.varint()? as i64).unwrap_or(0),
                (2, WireType::Len) => {
                    self.message = shortened(&String::from_utf8_lossy(fields.len_delimited()?));
                }
                (number, wire_type) => fields.skip_value(number, wire_type)?,
            }
        }
        Ok(())
    }
}

/// Returns the start of a text, at most [`MAX_MESSAGE_BYTES`].
fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_MESSAGE_BYTES)].to_owned()
}

/// The longest message kept of a response.
const MAX_MESSAGE_BYTES: usize = 1 << 10;

/// The longest joined message.
const MAX_JOINED_BYTES: usize = 4096;
/// A message is not appended if less room than this is left.
const MIN_JOINED_BYTES: usize = 64;
