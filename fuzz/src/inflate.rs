//! The codecs against other decoders: flate2's for gzip, zstd's own two for zstd. The rest of the encodings against their
//! libraries' own stream decoders, which know no limits.

mod others;

use bytes::Bytes;
pub use others::inflate_others;
use otlp_protocol::{BufferPool, ByteBudget};
use otlp_transport::{Codec, DecompressError, codec};
use std::io::{Read, Write};

/// What is compressed inflates to the same. Any bytes inflate to what another decoder makes of them, or are refused,
/// within the limit and the budget.
pub fn inflate(data: &[u8]) {
    let Some((&[choice, cut, room], data)) = data.split_first_chunk() else { return };
    let name = ["gzip", "zstd"][usize::from(choice & 1)];
    let codec = codec(name).expect("a codec");
    let (first, second) = data.split_at(data.len() * usize::from(cut) / 256);
    let wire = match choice >> 1 & 3 {
        0 => data.to_vec(),
        1 => {
            let wire = [compress(codec, first), compress(codec, second)].concat();
            assert_eq!(take(codec, &wire, data.len(), u64::MAX).as_deref(), Ok(data));
            wire
        }
        2 => edited([compress(codec, first), compress(codec, second)].concat(), second),
        _ if name == "gzip" => completed(&edited(deflate(first), second)),
        _ => edited(framed(first, room), second),
    };
    let others = if name == "gzip" { vec![gunzip(&wire)] } else { unzstd(&wire).into() };
    let inflated = take(codec, &wire, MAX_BYTES, u64::MAX);
    if let Ok(plain) = &inflated {
        assert!(
            others.iter().flatten().any(|other| other == plain),
            "{name} differs, or takes what is refused"
        );
        assert!(take(codec, &wire, plain.len(), u64::MAX).is_ok());
        if let Some(limit) = plain.len().checked_sub(1) {
            assert_eq!(take(codec, &wire, limit, u64::MAX), Err(DecompressError::TooLarge { limit }));
        }
    } else {
        let refuse = |other: &Option<Vec<u8>>| other.as_ref().is_none_or(|plain| plain.len() > MAX_BYTES);
        assert!(others.iter().any(refuse), "{name}: {inflated:?}, but all others take it");
    }
    // With less memory than that, it is refused or nothing changes.
    match take(codec, &wire, MAX_BYTES, u64::from(room) * 64) {
        Err(DecompressError::Budget(_)) => {}
        poor => assert_eq!(poor, inflated),
    }
}

/// Inflates under a limit and a budget, and holds the codec to what it says of them.
fn take(codec: &dyn Codec, wire: &[u8], limit: usize, budget: u64) -> Result<Bytes, DecompressError> {
    let budget = ByteBudget::new(budget.saturating_add(HELD));
    let mut charge = budget.try_charge(HELD).expect("room for what is held");
    let inflated = codec.decompress(wire, limit, &mut charge, &BufferPool::new(1));
    match &inflated {
        Ok(plain) => {
            assert!(plain.len() <= limit);
            assert_eq!(charge.bytes(), HELD + plain.len() as u64);
        }
        // One byte more tells a body of the limit's size from a larger one; brotli's window is charged beside it.
        Err(_) => assert!((HELD..=HELD + limit as u64 + 1 + MAX_WINDOW_BYTES).contains(&charge.bytes())),
    }
    assert_eq!(budget.used(), charge.bytes());
    drop(charge);
    assert_eq!(budget.used(), 0);
    inflated
}

fn compress(codec: &dyn Codec, plain: &[u8]) -> Vec<u8> {
    let compressor = codec.compressor().expect("an encoding that is made, too");
    compressor
        .compress(&plain.to_vec().into(), &BufferPool::new(1))
        .expect("anything can be compressed")
        .to_vec()
}

fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain).expect("into memory");
    encoder.finish().expect("into memory")
}

/// A frame with or without content size, checksum, and window of its own.
fn framed(plain: &[u8], choice: u8) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("a level");
    encoder.include_contentsize(choice & 1 == 0).expect("a setting");
    encoder.include_checksum(choice & 2 == 0).expect("a setting");
    encoder.window_log(10 + u32::from(choice >> 2) % 16).expect("a window");
    encoder.set_pledged_src_size((choice & 1 == 0).then_some(plain.len() as u64)).expect("a setting");
    encoder.write_all(plain).expect("into memory");
    encoder.finish().expect("into memory")
}

/// The wire with a few of its bytes replaced, as the edits say: every two bytes of their end are a place and a value.
fn edited(mut wire: Vec<u8>, edits: &[u8]) -> Vec<u8> {
    let len = wire.len();
    for edit in edits.rchunks_exact(2).take(3) {
        if let Some(byte) = wire.get_mut(usize::from(edit[0]) * len / 256) {
            *byte ^= edit[1];
        }
    }
    wire
}

/// A gzip member with that body, whose trailer is right if the body is: chance would not come upon the checksum.
fn completed(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let _ = flate2::read::DeflateDecoder::new(body).take(MAX_BYTES as u64).read_to_end(&mut plain);
    let mut crc = flate2::Crc::new();
    crc.update(&plain);
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    [&header, body, &crc.sum().to_le_bytes(), &crc.amount().to_le_bytes()].concat()
}

fn gunzip(wire: &[u8]) -> Option<Vec<u8>> {
    read(flate2::bufread::MultiGzDecoder::new(wire))
}

/// As zstd's two decoders have it, streaming and in one shot. The latter doesn't look at windows, the former overlooks
/// a content size that does not match if the last block is empty.
fn unzstd(wire: &[u8]) -> [Option<Vec<u8>>; 2] {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(wire).expect("a decoder");
    decoder.window_log_max(23).expect("a setting");
    [read(decoder), zstd::bulk::decompress(wire, MAX_BYTES).ok()]
        .map(|plain| plain.filter(|_| !wire.is_empty()))
}

/// All of it, or just over the limit of it.
fn read(decoder: impl Read) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    decoder.take(MAX_BYTES as u64 + 1).read_to_end(&mut plain).ok()?;
    Some(plain)
}

const MAX_BYTES: usize = 256 << 10;
/// The largest window of brotli.
const MAX_WINDOW_BYTES: u64 = 16 << 20;
/// Charged for something else beforehand.
const HELD: u64 = 7;
