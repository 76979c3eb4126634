//! brotli, deflate, snappy, lz4.

use super::{MAX_BYTES, edited, read, take};
use otlp_transport::{DecompressError, codec};
use std::io::Write;

/// As of [`inflate`](super::inflate()).
pub fn inflate_others(data: &[u8]) {
    let Some((&[choice, cut, room], data)) = data.split_first_chunk() else { return };
    let name = NAMES[usize::from(choice) % NAMES.len()];
    let codec = codec(name).expect("a codec");
    let (plain, edits) = data.split_at(data.len() * usize::from(cut) / 256);
    let wire = match usize::from(choice) / NAMES.len() % 4 {
        0 => data.to_vec(),
        1 => {
            assert_eq!(take(codec, &made(name, data), data.len(), u64::MAX).as_deref(), Ok(data));
            return;
        }
        _ => edited(made(name, plain), edits),
    };
    let inflated = take(codec, &wire, MAX_BYTES, u64::MAX);
    match (&inflated, other(&wire, name)) {
        // A stream decoder does not look at what follows the end.
        (Err(DecompressError::Malformed { .. }), _) => {}
        (Err(DecompressError::TooLarge { .. }), Some(plain)) => assert!(plain.len() > MAX_BYTES, "{name}"),
        (Ok(ours), Some(theirs)) => assert!(*ours == theirs, "{name} differs"),
        // Only what was cut short may differ, beyond the limit.
        (Err(DecompressError::TooLarge { .. }), None) => {}
        (Ok(_), None) => panic!("{name} takes what is refused"),
        (Err(error), _) => panic!("{name}: {error}"),
    }
    if let Ok(plain) = &inflated
        && let Some(limit) = plain.len().checked_sub(1)
    {
        assert_eq!(take(codec, &wire, limit, u64::MAX), Err(DecompressError::TooLarge { limit }));
    }
    match take(codec, &wire, MAX_BYTES, u64::from(room) * 64) {
        Err(DecompressError::Budget(_)) => {}
        poor => assert_eq!(poor, inflated),
    }
}

fn made(name: &str, plain: &[u8]) -> Vec<u8> {
    let written = "into memory";
    match name {
        "br" => {
            let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 4, 16);
            encoder.write_all(plain).expect(written);
            encoder.into_inner()
        }
        "deflate" => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(plain).expect(written);
            encoder.finish().expect(written)
        }
        "lz4" => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
            encoder.write_all(plain).expect(written);
            encoder.finish().expect(written)
        }
        "snappy" => snap::raw::Encoder::new().compress_vec(plain).expect("short enough"),
        _ => {
            let mut encoder = snap::write::FrameEncoder::new(Vec::new());
            encoder.write_all(plain).expect(written);
            let framed = encoder.into_inner().expect(written);
            if framed.is_empty() { IDENTIFIER.to_vec() } else { framed }
        }
    }
}

fn other(wire: &[u8], name: &str) -> Option<Vec<u8>> {
    match name {
        "br" => read(brotli::Decompressor::new(wire, 4096)),
        "deflate" => read(flate2::bufread::ZlibDecoder::new(wire)),
        "lz4" => read(lz4_flex::frame::FrameDecoder::new(wire)),
        _ if wire.starts_with(IDENTIFIER) => read(snap::read::FrameDecoder::new(wire)),
        _ => {
            let is_short = snap::raw::decompress_len(wire).is_ok_and(|len| len <= 2 * MAX_BYTES);
            let block = || snap::raw::Decoder::new().decompress_vec(wire).ok();
            is_short.then(block).flatten().filter(|_| !wire.is_empty())
        }
    }
}

const NAMES: [&str; 5] = ["br", "deflate", "lz4", "snappy", "x-snappy-framed"];
const IDENTIFIER: &[u8] = b"\xff\x06\0\0sNaPpY";
