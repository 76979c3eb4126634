//! Bodies written by hand, field by field.

use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{Body, Payload, Signal, ValidateLimits};

/// A length-delimited field.
pub(crate) fn field(number: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_len_delimited(&mut out, number, value);
    out
}

/// A body that the check finds sound.
pub(crate) fn sound(signal: Signal, bytes: impl Into<Payload>) -> Body {
    Body::check(signal, bytes, &ValidateLimits::default()).unwrap()
}
