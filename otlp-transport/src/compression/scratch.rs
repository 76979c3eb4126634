//! Memory that a codec works in, kept from one body to the next.

use otlp_protocol::Payload;

/// The payload in one piece: as it is, if it is, else joined in `scratch`.
pub(super) fn contiguous<'a>(plain: &'a Payload, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    let mut segments = plain.segments();
    match (segments.next(), segments.next()) {
        (None, _) => &[],
        (Some(only), None) => only,
        _ => {
            scratch.clear();
            scratch.reserve(plain.len());
            plain.segments().for_each(|segment| scratch.extend_from_slice(segment));
            scratch
        }
    }
}

/// Empties a scratch buffer, and frees it if it has become large.
pub(super) fn reset_scratch(scratch: &mut Vec<u8>) {
    scratch.clear();
    if scratch.capacity() > MAX_SCRATCH_BYTES {
        *scratch = Vec::new();
    }
}

/// What an idle context keeps of each scratch buffer.
pub(super) const MAX_SCRATCH_BYTES: usize = 1 << 20;
