//! Values of scalar types, from protobuf.

use super::text;
use crate::DecodeErrorKind;
use crate::error::Fault;
use crate::schema::{Field, Kind};
use crate::wire::first_invalid;
use crate::wire::{Cursor, WireError, WireType};

/// True if a text is UTF-8.
#[inline]
pub(super) fn is_utf8(text: &[u8]) -> bool {
    text.is_ascii() || simdutf8::basic::from_utf8(text).is_ok()
}

/// Appends the string or the bytes of a field. A fault's offset is from the start of the value.
#[inline]
pub(super) fn put_text(out: &mut Vec<u8>, field: &Field, value: &[u8]) -> Result<(), Fault> {
    if field.kind == Kind::String {
        if !is_utf8(value) {
            return Err(Fault { kind: DecodeErrorKind::Utf8, offset: first_invalid(value) });
        }
        text::put_string(out, value);
        return Ok(());
    }
    out.push(b'"');
    match field.is_id() {
        true => text::put_hex(out, value),
        false => text::put_base64(out, value),
    }
    out.push(b'"');
    Ok(())
}

/// Returns the length of the text that [`put_text`] writes.
pub(super) fn text_len(field: &Field, value: &[u8]) -> usize {
    2 + match (field.kind == Kind::String, field.is_id()) {
        (true, _) => text::escaped_len(value),
        (false, true) => value.len() * 2,
        (false, false) => value.len().div_ceil(3) * 4,
    }
}

/// Reads the value of a varint or a fixed-size field.
#[inline]
pub(super) fn bits(kind: Kind, values: &mut Cursor<'_>) -> Result<u64, WireError> {
    match kind.wire_type() {
        WireType::Fixed64 => values.fixed64(),
        WireType::Fixed32 => values.fixed32().map(u64::from),
        _ => values.varint(),
    }
}

/// True if the bits are the default of the kind. Bits beyond the size of the kind are ignored.
#[inline]
pub(super) fn is_default(kind: Kind, bits: u64) -> bool {
    match kind {
        Kind::Enum | Kind::Int32 | Kind::Sint32 | Kind::Uint32 => bits as u32 == 0,
        _ => bits == 0,
    }
}

/// Appends a number or a boolean.
#[inline]
pub(super) fn put_bits(out: &mut Vec<u8>, kind: Kind, bits: u64) {
    match kind {
        Kind::Bool => out.extend_from_slice(if bits != 0 { b"true" } else { b"false" }),
        Kind::Double => put_double(out, f64::from_bits(bits)),
        Kind::Float => put_float(out, f32::from_bits(bits as u32)),
        Kind::Enum | Kind::Int32 | Kind::Sfixed32 => put_integer(out, bits as i32),
        Kind::Sint32 => put_integer(out, ((bits as u32 >> 1) as i32) ^ -((bits & 1) as i32)),
        Kind::Fixed32 | Kind::Uint32 => put_integer(out, bits as u32),
        Kind::Int64 | Kind::Sfixed64 => put_quoted(out, bits as i64),
        Kind::Sint64 => put_quoted(out, ((bits >> 1) as i64) ^ -((bits & 1) as i64)),
        _ => put_quoted(out, bits),
    }
}

/// Appends a 64-bit integer in quotes, as JSON requires.
#[inline]
pub(super) fn put_quoted(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.push(b'"');
    put_integer(out, value);
    out.push(b'"');
}

#[inline]
fn put_integer(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends the shortest number that reads as this double.
fn put_double(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        put_word(out, value.is_nan(), value.is_sign_negative());
    }
}

fn put_float(out: &mut Vec<u8>, value: f32) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        put_word(out, value.is_nan(), value.is_sign_negative());
    }
}

fn put_word(out: &mut Vec<u8>, is_nan: bool, is_negative: bool) {
    out.extend_from_slice(match (is_nan, is_negative) {
        (true, _) => b"\"NaN\"",
        (false, true) => b"\"-Infinity\"",
        (false, false) => b"\"Infinity\"",
    });
}
