//! The signal of a request, by its content.

use otlp_protocol::json::from_protobuf;
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
            let unknown = |signal: &Signal| (unknown_fields(*signal, bytes), *signal);
            let mut ranked: Vec<_> = several.iter().map(unknown).collect();
            ranked.sort_by_key(|(unknown, _)| *unknown);
            match ranked.as_slice() {
                [(least, best), (more, _), ..] if least < more => Guess::Signal(*best),
                _ => Guess::Unclear,
            }
        }
    }
}

fn unknown_fields(signal: Signal, bytes: &[u8]) -> u64 {
    let written = from_protobuf(signal.request, bytes, MAX_JSON_BYTES, &mut Vec::new());
    written.map_or(u64::MAX, |written| written.unknown_fields)
}

const MAX_JSON_BYTES: usize = 512 << 20;
