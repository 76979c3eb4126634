//! Scratch buffers of codecs, kept between bodies.

use otlp_protocol::Payload;

/// Returns the payload as one slice: without a copy if it has one segment, else joined in `scratch`.
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

/// Empties a scratch buffer, and frees a large one.
pub(super) fn reset_scratch(scratch: &mut Vec<u8>) {
    scratch.clear();
    if scratch.capacity() > MAX_SCRATCH_BYTES {
        *scratch = Vec::new();
    }
}

/// Capacity that an idle context keeps of each scratch buffer, in bytes.
pub(super) const MAX_SCRATCH_BYTES: usize = 1 << 20;
