//! A message within an unfinished message: its length stands before it, and is known at its end.

use otlp_protocol::wire::varint_len;

/// Starts a message of field `tag`, and returns the position of its length.
#[inline]
pub(super) fn begin(out: &mut Vec<u8>, tag: u8) -> usize {
    out.extend_from_slice(&[tag, 0]);
    out.len() - 1
}

/// Writes the length of the message that started with its length at `at`.
#[inline]
pub(super) fn end(out: &mut Vec<u8>, at: usize) {
    let len = out.len() - at - 1;
    if len < 0x80 {
        if let Some(byte) = out.get_mut(at) {
            *byte = len as u8;
        }
        return;
    }
    end_long(out, at, len);
}

#[cold]
fn end_long(out: &mut Vec<u8>, at: usize, len: usize) {
    let mut rest = len;
    let bytes = (0..varint_len(len as u64)).map(|_| {
        let byte = rest as u8 & 0x7f | if rest >= 0x80 { 0x80 } else { 0 };
        rest >>= 7;
        byte
    });
    out.splice(at..=at, bytes);
}
