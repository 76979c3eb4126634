//! The signal of a request, by its content.

use otlp_protocol::schema::{Kind, Message};
use otlp_protocol::wire::{Cursor, WireError, WireType};
use otlp_protocol::{Signal, ValidateLimits, validate};

/// Signal of bytes in protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    /// A valid request of this signal.
    Signal(Signal),
    /// A valid request of several signals, such as an empty request.
    Unclear,
    /// Not a valid request. Of all signals this signal's check finds its first fault last.
    Broken(Signal),
}

/// Returns the signal whose key comes first in a JSON text: `resourceSpans` and so on.
pub(super) fn by_key(text: &[u8]) -> Option<Signal> {
    let keys =
        Signal::ALL.map(|signal| (signal.request.fields.first().map_or("", |field| field.json_name), signal));
    let quotes = text.iter().enumerate().filter(|(_, byte)| **byte == b'"');
    quotes.map(|(at, _)| text.get(at + 1..).unwrap_or_default()).find_map(|rest| {
        let is_key = |key: &str| {
            let behind = rest.strip_prefix(key.as_bytes()).and_then(|rest| rest.strip_prefix(b"\""));
            !key.is_empty() && behind.is_some_and(|behind| behind.trim_ascii_start().starts_with(b":"))
        };
        keys.iter().find(|(key, _)| is_key(key)).map(|(_, signal)| *signal)
    })
}

/// Finds the signal of a request in protobuf: the signal whose check accepts the bytes, and of several the signal that knows
/// most of the fields.
pub(super) fn of_protobuf(bytes: &[u8]) -> Guess {
    let checked = |signal| (signal, validate(signal, bytes, &ValidateLimits::default()));
    let checked = Signal::ALL.map(checked);
    let valid: Vec<Signal> =
        checked.iter().filter(|(_, found)| found.is_ok()).map(|(signal, _)| *signal).collect();
    match valid.as_slice() {
        [] => {
            let reached = |found: &Result<_, otlp_protocol::DecodeError>| {
                found.as_ref().map_or_else(|fault| fault.offset, |_: &otlp_protocol::Checked| 0)
            };
            let farthest = checked.iter().rev().max_by_key(|(_, found)| reached(found));
            farthest.map_or(Guess::Unclear, |(signal, _)| Guess::Broken(*signal))
        }
        [only] => Guess::Signal(*only),
        several => {
            let oddities = |signal: &Signal| (oddities(signal.request, bytes).unwrap_or(u64::MAX), *signal);
            let mut ranked: Vec<_> = several.iter().map(oddities).collect();
            ranked.sort_by_key(|(oddities, _)| *oddities);
            match ranked.as_slice() {
                [(least, best), (more, _), ..] if least < more => Guess::Signal(*best),
                _ => Guess::Unclear,
            }
        }
    }
}

/// Counts what is possible in a message, but rare: unknown fields, control characters in strings, ids of printable
/// characters. A name of 16 bytes is a possible trace id, for example.
fn oddities(message: &'static Message, bytes: &[u8]) -> Result<u64, WireError> {
    let mut found = 0;
    let mut cursor = Cursor::new(bytes);
    while !cursor.is_at_end() {
        let (number, wire_type) = cursor.tag()?;
        let field = message.field(number);
        if field.is_none() || wire_type != WireType::Len {
            cursor.skip_value(number, wire_type)?;
            found += u64::from(field.is_none());
            continue;
        }
        let value = cursor.len_delimited()?;
        let Some(field) = field else { continue };
        found += match field.message() {
            Some(message) => oddities(message, value)?,
            None if field.kind == Kind::String => u64::from(value.iter().any(|byte| is_control(*byte))),
            None if field.name.ends_with("_id") => u64::from(is_printable(value)),
            None => 0,
        };
    }
    Ok(found)
}

fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r')
}

fn is_printable(id: &[u8]) -> bool {
    !id.is_empty() && id.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
}
