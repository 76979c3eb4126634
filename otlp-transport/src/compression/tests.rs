use super::{CODECS, Codec, Compressor, DecompressError, codec};
use bytes::Bytes;
use otlp_protocol::{BufferPool, ByteBudget, Charge, Payload};
use std::io::{Read, Write};

const LIMIT: usize = 64 << 20;

#[test]
fn what_is_compressed_inflates_to_the_same() {
    for (codec, compressor) in both_ways() {
        for plain in [vec![], b"a".to_vec(), text(600), text(200_000), noise(100_000), vec![0; 3 << 20]] {
            let segments: Payload = plain.chunks(70_000).map(Bytes::copy_from_slice).collect();
            let wire = compressor.compress(&segments, &buffers()).unwrap();
            assert_eq!(inflate(codec, &wire, LIMIT).unwrap(), plain, "{}", codec.name());
        }
    }
}

#[test]
fn pieces_of_any_size_inflate_to_the_whole() {
    for (codec, by_pieces) in both_ways() {
        for plain in [vec![], b"a".to_vec(), text(200_000), noise(300_000), vec![0; 3 << 20]] {
            for piece in [1 + plain.len() / 50, 70_000, 8 << 20] {
                // Given up in the middle, it must not show in the next one, which uses its context.
                let mut given_up = by_pieces.piecewise(1000);
                given_up.push(b"given up").unwrap();
                drop(given_up);
                let mut compressor = by_pieces.piecewise(plain.len());
                plain.chunks(piece).for_each(|piece| compressor.push(piece).unwrap());
                let wire = compressor.finish().unwrap();
                assert_eq!(inflate(codec, &wire, LIMIT).unwrap(), plain, "{} by {piece}", codec.name());
            }
        }
    }
}

#[test]
fn the_announced_length_is_that_of_one_body_and_never_panics() {
    for codec in ["gzip", "zstd"].map(|name| codec(name).unwrap()) {
        for plain in [vec![], text(5_000), vec![0; 3 << 20]] {
            let wire = compress(codec, &plain);
            assert_eq!(codec.announced_len(&wire), plain.len() as u64, "{}", codec.name());
            let cut_short = (0..wire.len().min(100)).map(|len| codec.announced_len(&wire[..len]));
            assert!(cut_short.max() <= Some(u64::from(u32::MAX)), "{}", codec.name());
        }
    }
}

/// A context that has compressed at one level compresses at the other as a new one does.
#[test]
fn levels_are_kept_apart() {
    let body = Payload::from(text(60_000));
    for (name, levels) in [("gzip", [1, 6]), ("zstd", [1, 3]), ("br", [3, 5])] {
        let offered: Vec<_> =
            (0..30).filter(|&level| codec(name).unwrap().compressor_at(level).is_some()).collect();
        assert_eq!(offered, levels, "{name}");
        let compressed = |level| {
            let compressor = codec(name).unwrap().compressor_at(level).unwrap();
            compressor.compress(&body, &buffers()).unwrap()
        };
        let [low, high] = levels.map(compressed);
        assert_ne!(low, high, "{name}");
        assert_eq!((compressed(levels[0]), compressed(levels[1])), (low, high), "{name}");
        assert_eq!(compressed(levels[0]), compress(codec(name).unwrap(), &text(60_000)), "{name}");
    }
}

#[test]
fn names_are_found_in_any_case() {
    assert_eq!(codec("GZip").map(Codec::name), Some("gzip"));
    assert_eq!(codec("zstd").map(Codec::name), Some("zstd"));
    assert!(codec("identity").is_none() && codec("brotli").is_none() && codec("").is_none());
    assert_eq!(super::accepted_encodings(), "identity,gzip,zstd,br,deflate,zlib,snappy,x-snappy-framed,lz4");
}

#[test]
fn all_members_and_frames_are_read() {
    for codec in ["gzip", "zstd"].map(|name| codec(name).unwrap()) {
        let (first, second) = (text(5_000), text(70));
        let mut wire = compress(codec, &first);
        wire.extend(compress(codec, &second));
        wire.extend(compress(codec, b""));
        wire.extend(compress(codec, &first));
        let expected = [first.clone(), second, first].concat();
        assert_eq!(inflate(codec, &wire, LIMIT).unwrap(), expected, "{}", codec.name());
    }
}

#[test]
fn every_truncation_and_anything_after_the_end_is_refused() {
    for codec in CODECS {
        let one = compress(*codec, &text(3_000));
        // A second stream is none, but for encodings whose streams join, as gzip's members do.
        let joins = ["gzip", "zstd"].contains(&codec.name());
        let two = if joins { [one.clone(), compress(*codec, b"xyz")].concat() } else { one.clone() };
        // Between two chunks, a framed stream may end.
        let is_end = |len: usize| is_framed(&one) && [0, 10].contains(&len);
        for len in (0..one.len()).chain(one.len() + 1..two.len()).filter(|&len| !is_end(len)) {
            let error = inflate(*codec, &two[..len], LIMIT).unwrap_err();
            assert!(matches!(error, DecompressError::Malformed { .. }), "{} {len}: {error}", codec.name());
        }
        // The last is gzip's trailer once more, after something.
        let trailer = [b"x", &one[one.len() - 8..]].concat();
        for tail in [&b"\0"[..], b"\0\0\0\0\0\0\0\0", b"garbage", b"\x1f\x8b\x08", &trailer] {
            let error = inflate(*codec, &[&one, tail].concat(), LIMIT).unwrap_err();
            assert!(matches!(error, DecompressError::Malformed { .. }), "{} {tail:?}: {error}", codec.name());
        }
    }
}

#[test]
fn snappy_is_read_in_both_formats_under_both_names() {
    for name in ["snappy", "x-snappy-framed"] {
        for plain in [vec![], text(10), text(200_000), noise(100_000)] {
            for wire in [snappy_block(&plain), snappy_stream(&plain)] {
                assert_eq!(inflate(codec(name).unwrap(), &wire, LIMIT).unwrap(), plain, "{name}");
            }
        }
    }
}

/// Streams are made as their names mean them, by other makers' readers.
#[test]
fn others_read_what_is_made() {
    for plain in [vec![], text(10), text(200_000), noise(100_000)] {
        let mut read = Vec::new();
        for name in ["zlib", "deflate"] {
            read.clear();
            let wire = compress(codec(name).unwrap(), &plain);
            flate2::read::ZlibDecoder::new(&wire[..]).read_to_end(&mut read).unwrap();
            assert_eq!(read, plain, "{name}");
        }
        let block = compress(codec("snappy").unwrap(), &plain);
        assert_eq!(snap::raw::Decoder::new().decompress_vec(&block).unwrap(), plain);
        read.clear();
        let stream = compress(codec("x-snappy-framed").unwrap(), &plain);
        snap::read::FrameDecoder::new(&stream[..]).read_to_end(&mut read).unwrap();
        assert_eq!(read, plain);
    }
}

#[test]
fn no_flipped_bit_is_accepted_as_something_else() {
    let plain = text(400);
    let gzip = codec("gzip").unwrap();
    let wire = compress(gzip, &plain);
    for bit in 0..wire.len() * 8 {
        let mut flipped = wire.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(inflated) = inflate(gzip, &flipped, LIMIT) {
            assert_eq!(inflated, plain, "bit {bit}");
        }
    }
}

#[test]
fn the_limit_is_exact_and_nothing_beyond_it_is_charged() {
    for codec in CODECS {
        let plain = text(100_000);
        let mut wires = vec![compress(*codec, &plain)];
        if ["gzip", "zstd"].contains(&codec.name()) {
            wires.push([compress(*codec, &plain[..1]), compress(*codec, &plain[1..])].concat());
        }
        for wire in wires {
            assert_eq!(inflate(*codec, &wire, plain.len()).unwrap().len(), plain.len());
            let error = inflate(*codec, &wire, plain.len() - 1).unwrap_err();
            assert_eq!(error, DecompressError::TooLarge { limit: plain.len() - 1 }, "{}", codec.name());
        }
        let (bomb, limit) = (compress(*codec, &vec![0; 9 << 20]), 8 << 20);
        let budget = ByteBudget::new(1 << 30);
        let mut charge = budget.try_charge(0).unwrap();
        let error = codec.decompress(&bomb, limit, &mut charge, &buffers()).unwrap_err();
        assert_eq!(error, DecompressError::TooLarge { limit }, "{}", codec.name());
        assert!(charge.bytes() <= limit as u64 + 1);
        drop(charge);
        assert_eq!(budget.used(), 0);
    }
}

#[test]
fn the_window_of_brotli_is_charged_while_it_is_held() {
    let brotli = codec("br").unwrap();
    // RFC 7932 §9.1: 16 MiB. The stream is otherwise empty.
    let wire = [0b0011_1111];
    let budget = ByteBudget::new(16 << 20);
    let mut charge = budget.try_charge(0).unwrap();
    let error = brotli.decompress(&wire, LIMIT, &mut charge, &buffers()).unwrap_err();
    assert!(matches!(error, DecompressError::Budget(_)), "{error}");
    let mut charge = ByteBudget::new(17 << 20).try_charge(0).unwrap();
    assert_eq!(brotli.decompress(&wire, LIMIT, &mut charge, &buffers()).unwrap(), "");
    // A window of 1 GiB, which is not in the RFC.
    let error = inflate(brotli, &[0x11, 0x1e, 0x03], LIMIT).unwrap_err();
    assert!(matches!(error, DecompressError::Malformed { .. }), "{error}");
}

#[test]
fn the_budget_is_charged_before_memory_is_taken() {
    for codec in CODECS {
        let plain = text(100_000);
        let one = compress(*codec, &plain);
        let two = [one.clone(), compress(*codec, b"")].concat();
        for wire in if ["gzip", "zstd"].contains(&codec.name()) { vec![one, two] } else { vec![one] } {
            let budget = ByteBudget::new(plain.len() as u64 - 1);
            let mut charge = budget.try_charge(0).unwrap();
            let error = codec.decompress(&wire, LIMIT, &mut charge, &buffers()).unwrap_err();
            assert!(matches!(error, DecompressError::Budget(_)), "{}: {error}", codec.name());

            let budget = ByteBudget::new(10 << 20);
            let mut charge = budget.try_charge(7).unwrap();
            codec.decompress(&wire, LIMIT, &mut charge, &buffers()).unwrap();
            assert_eq!(charge.bytes(), plain.len() as u64 + 7, "{}", codec.name());
        }
    }
}

/// A body is worked on by its real size: what it says at its end, or how much it is cut up, changes nothing.
#[test]
fn a_small_limit_is_little_work_whatever_the_body_says() {
    let zeros = vec![0; 4 << 20];
    let limit = 1 << 20;
    for codec in CODECS {
        let whole = compress(*codec, &zeros);
        let mut wires = vec![whole.clone()];
        if ["gzip", "zstd"].contains(&codec.name()) {
            wires.push([&whole[..], &compress(*codec, b"")].concat());
        }
        if codec.name() == "gzip" {
            wires.push(compress(*codec, b"").repeat(2_000));
        }
        for wire in wires {
            let budget = ByteBudget::new(64 << 20);
            let mut charge = budget.try_charge(0).unwrap();
            let error = codec.decompress(&wire, limit, &mut charge, &buffers()).unwrap_err();
            assert_eq!(error, DecompressError::TooLarge { limit }, "{}", codec.name());
        }
    }
    let gzip = codec("gzip").unwrap();
    assert!(inflate(gzip, &compress(gzip, b"").repeat(1_000), limit).unwrap().is_empty());
    // A few members cost nothing to speak of, however small the limit is.
    assert!(inflate(gzip, &compress(gzip, b"").repeat(64), 0).unwrap().is_empty());
}

#[test]
fn gzip_headers_may_have_all_optional_fields() {
    let plain = text(300);
    let wire = compress(codec("gzip").unwrap(), &plain);
    let mut header = wire[..10].to_vec();
    header[3] = 0b1_1110;
    header.extend(b"\x03\x00abcname\0comment\0");
    let crc = libdeflater::crc32(&header) as u16;
    header.extend(crc.to_le_bytes());
    let rich = [&header, &wire[10..]].concat();
    let gzip = codec("gzip").unwrap();
    assert_eq!(inflate(gzip, &rich, LIMIT).unwrap(), plain);
    let mut corrupt = rich.clone();
    corrupt[header.len() - 1] ^= 1;
    assert!(inflate(gzip, &corrupt, LIMIT).is_err(), "the header's checksum is wrong");
    // Followed by another member, it is read member by member.
    assert_eq!(inflate(gzip, &[&rich[..], &wire].concat(), LIMIT).unwrap().len(), 600);
}

#[test]
fn lying_lengths_cost_nothing() {
    let gzip = codec("gzip").unwrap();
    let mut wire = compress(gzip, b"abc");
    let at = wire.len() - 4;
    wire[at..].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut charge = ByteBudget::new(100).try_charge(0).unwrap();
    let error = gzip.decompress(&wire, usize::MAX, &mut charge, &buffers()).unwrap_err();
    assert!(matches!(error, DecompressError::Malformed { .. }), "{error}");

    // A zstd frame whose header claims 2^40 bytes, with one empty raw block.
    let wire = [&[0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0x40], &(1u64 << 40).to_le_bytes()[..], &[1, 0, 0]].concat();
    let error = codec("zstd").unwrap().decompress(&wire, usize::MAX, &mut charge, &buffers()).unwrap_err();
    assert!(matches!(error, DecompressError::Malformed { .. }), "{error}");
}

fn inflate(codec: &dyn Codec, wire: &[u8], limit: usize) -> Result<Vec<u8>, DecompressError> {
    codec.decompress(wire, limit, &mut Charge::none(), &buffers()).map(|plain| plain.to_vec())
}

/// Compresses with the encoding's own compressor.
fn compress(codec: &dyn Codec, plain: &[u8]) -> Vec<u8> {
    codec.compressor().unwrap().compress(&plain.to_vec().into(), &buffers()).unwrap().to_vec()
}

fn both_ways() -> impl Iterator<Item = (&'static dyn Codec, &'static dyn Compressor)> {
    let compressors = |codec: &'static dyn Codec| {
        codec.compressor().into_iter().chain((0..30).filter_map(|level| codec.compressor_at(level)))
    };
    CODECS.iter().flat_map(move |codec| compressors(*codec).map(|compressor| (*codec, compressor)))
}

fn snappy_block(plain: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(plain).unwrap()
}

fn snappy_stream(plain: &[u8]) -> Vec<u8> {
    let mut encoder = snap::write::FrameEncoder::new(b"\xff\x06\0\0sNaPpY".to_vec());
    encoder.write_all(plain).unwrap();
    let mut stream = encoder.into_inner().unwrap();
    // The encoder writes the identifier only before data; then it is here twice, which the format allows.
    if stream.len() > 10 {
        stream.drain(..10);
    }
    stream
}

fn is_framed(wire: &[u8]) -> bool {
    wire.starts_with(b"\xff\x06\0\0sNaPpY")
}

fn buffers() -> BufferPool {
    BufferPool::new(4)
}

fn text(len: usize) -> Vec<u8> {
    (0..).flat_map(|n: u32| format!("service.name={n};").into_bytes()).take(len).collect()
}

fn noise(len: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}
