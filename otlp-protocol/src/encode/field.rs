//! Encoding of fields and lengths.

use crate::wire::{WireType, put_len_delimited, put_tag, put_varint, varint_len};

/// Bytes reserved for the length of messages that are usually shorter than 128 bytes.
pub(super) const SHORT: usize = 1;
/// Bytes reserved for the length of messages that usually have 128 bytes to 16 KiB.
pub(crate) const MEDIUM: usize = 2;
/// Bytes reserved for the length of messages that usually have 16 KiB to 2 MiB.
pub(super) const LONG: usize = 3;

/// Writes a nested message, with `room` bytes reserved for its length.
#[inline]
pub(crate) fn nested<R>(
    out: &mut Vec<u8>,
    number: u32,
    room: usize,
    write: impl FnOnce(&mut Vec<u8>) -> R,
) -> R {
    put_tag(out, number, WireType::Len);
    let start = out.len();
    out.extend_from_slice(&[0; LONG][..room]);
    let result = write(out);
    close(out, start, room);
    result
}

/// Writes the length of the message after `start` and its reserved bytes.
#[inline]
fn close(out: &mut Vec<u8>, start: usize, room: usize) {
    let len = out.len() - start - room;
    let needed = varint_len(len as u64);
    if needed != room {
        moved(out, start + room, start + needed);
    }
    let mut rest = len;
    for byte in &mut out[start..start + needed - 1] {
        *byte = rest as u8 | 0x80;
        rest >>= 7;
    }
    out[start + needed - 1] = rest as u8;
}

/// Moves the bytes from `from` to the end of the buffer to `to`.
#[inline(never)]
fn moved(out: &mut Vec<u8>, from: usize, to: usize) {
    let end = out.len();
    if to > from {
        out.resize(end + (to - from), 0);
    }
    out.copy_within(from..end, to);
    out.truncate(end + to - from);
}

#[inline]
pub(super) fn fixed32(out: &mut Vec<u8>, number: u32, value: u32) {
    if value != 0 {
        put_tag(out, number, WireType::Fixed32);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

#[inline]
pub(super) fn fixed64(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        some_fixed64(out, number, value);
    }
}

/// Writes a value also if it is zero, for `optional` fields and arms of a `oneof`.
#[inline]
pub(super) fn some_fixed64(out: &mut Vec<u8>, number: u32, value: u64) {
    put_tag(out, number, WireType::Fixed64);
    out.extend_from_slice(&value.to_le_bytes());
}

#[inline]
pub(super) fn bytes(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    if !value.is_empty() {
        put_len_delimited(out, number, value);
    }
}

/// Writes a packed field of eight-byte numbers.
pub(super) fn packed_fixed64(out: &mut Vec<u8>, number: u32, values: impl IntoIterator<Item = u64>) {
    packed(out, number, values, |out, value| out.extend_from_slice(&value.to_le_bytes()));
}

/// Writes a packed field of varints.
pub(super) fn packed_varint(out: &mut Vec<u8>, number: u32, values: impl IntoIterator<Item = u64>) {
    packed(out, number, values, put_varint);
}

fn packed(
    out: &mut Vec<u8>,
    number: u32,
    values: impl IntoIterator<Item = u64>,
    put: impl Fn(&mut Vec<u8>, u64),
) {
    let mut values = values.into_iter().peekable();
    if values.peek().is_some() {
        nested(out, number, SHORT, |out| values.for_each(|value| put(out, value)));
    }
}

/// Encodes a `sint32` in zigzag.
pub(super) fn zigzag32(value: i32) -> u64 {
    u64::from(((value << 1) ^ (value >> 31)) as u32)
}

#[cfg(test)]
mod tests;
