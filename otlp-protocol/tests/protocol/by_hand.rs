//! Bodies written by hand, field by field.

use otlp_protocol::wire::put_len_delimited;

/// A length-delimited field.
pub(crate) fn field(number: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_len_delimited(&mut out, number, value);
    out
}
