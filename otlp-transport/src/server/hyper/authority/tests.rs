use super::{
    AUTHORITY, AUTHORITY_CODED, COUNTS, FRAME_HEADER_LEN, FrameWatch, PREFACE_LEN, SYMBOLS, decode,
    repair_coded, repair_plain,
};
use std::sync::Arc;

mod properties;

/// HEADERS of stream 1 with an indexed field, `:authority` and a literal field, between two other frames.
fn connection(flags: u8, before: &[u8], value: &[u8], after: &[u8]) -> Vec<u8> {
    let field = [&[0x83, 0x41, value.len() as u8], value, b"\x40\x02te\x08trailers"].concat();
    let payload = [before, &field, after].concat();
    let ping = [&[0, 0, 8, 6, 0, 0, 0, 0, 0][..], &[1; 8]].concat();
    let header = [0, 0, payload.len() as u8, 1, flags, 0, 0, 0, 1];
    [&[b'P'; PREFACE_LEN], &ping[..], &header, &payload, &ping].concat()
}

/// Passes `bytes` through a watch in pieces, and returns the output.
fn passed(bytes: &[u8], piece: usize) -> Vec<u8> {
    let (mut watch, mut held, mut passed) = (FrameWatch::new(Arc::default()), Vec::new(), Vec::new());
    for bytes in bytes.chunks(piece) {
        held.extend_from_slice(bytes);
        let count = watch.see(&mut held);
        passed.extend(held.drain(..count));
    }
    assert!(held.is_empty(), "nothing is held back after the last frame");
    passed
}

/// Decodes a coded string.
fn text(value: &[u8]) -> Option<Vec<u8>> {
    Some(decode(value)?.iter().map(|symbol| symbol.byte).collect())
}

/// A text as a coded string, padded with ones.
fn coded(text: &[u8]) -> Vec<u8> {
    let mut bits = Vec::new();
    for byte in text {
        let (code, len) = code(*byte);
        bits.extend((0..len).rev().map(|shift| code >> shift & 1 == 1));
    }
    bits.chunks(8)
        .map(|bits| (0..8).fold(0, |byte, at| byte << 1 | u8::from(*bits.get(at).unwrap_or(&true))))
        .collect()
}

/// The code of a printable character, and its length.
fn code(byte: u8) -> (usize, usize) {
    let rare = [(b'<', 0x7ffc, 15), (b'`', 0x7ffd, 15), (b'{', 0x7ffe, 15), (b'\\', 0x7_fff0, 19)];
    if let Some((_, code, len)) = rare.into_iter().find(|(rare, ..)| *rare == byte) {
        return (code, len);
    }
    let place = SYMBOLS.iter().position(|symbol| *symbol == byte).unwrap();
    let (mut code, mut before) = (0, 0);
    for (len, count) in (1..).zip(COUNTS) {
        code <<= 1;
        if place < before + count {
            return (code + place - before, len);
        }
        (code, before) = (code + count, before + count);
    }
    unreachable!("COUNTS add up to the number of SYMBOLS")
}

#[test]
fn only_a_value_that_does_not_parse_is_changed() {
    for (value, expected) in [
        ("%2Ftmp%2Fx.sock", "-2Ftmp-2Fx.sock"),
        ("/tmp/x.sock", "-tmp-x.sock"),
        ("a b", "a-b"),
        ("a:1:2", "a-1-2"),
        ("[::1", "---1"),
        ("user@", "user-"),
        ("user@host", "user@host"),
        ("my_host:4317", "my_host:4317"),
        ("[::1]:4317", "[::1]:4317"),
        ("", ""),
    ] {
        let mut bytes = value.as_bytes().to_vec();
        repair_plain(&mut bytes);
        assert_eq!(bytes, expected.as_bytes(), "{value}");
        for (flags, before, after) in [
            (0x4, &[][..], &[][..]),
            (0x8 | 0x4, &[3], &[0; 3]),
            (0x20 | 0x8 | 0x4, &[1, 0, 0, 0, 3, 7], &[0]),
        ] {
            let connection_of = |value: &str| connection(flags, before, value.as_bytes(), after);
            for piece in [1, 5, 1000] {
                assert!(passed(&connection_of(value), piece) == connection_of(expected), "{value}, {piece}");
            }
        }
        // A block that goes on in CONTINUATION frames is not looked at.
        let unfinished = connection(0, &[], value.as_bytes(), &[]);
        assert!(passed(&unfinished, 7) == unfinished);
    }
}

#[test]
fn the_name_may_be_spelled_out() {
    assert_eq!(text(AUTHORITY_CODED).unwrap(), AUTHORITY);
    for (bit, name) in [(0, &AUTHORITY[..]), (0x80, AUTHORITY_CODED)] {
        let block =
            |value: &[u8]| [&[0x40, bit | name.len() as u8], name, &[value.len() as u8], value].concat();
        let mut repaired = block(b"tmp%2Fx");
        super::repair(&mut repaired);
        assert_eq!(repaired, block(b"tmp-2Fx"));
    }
}

#[test]
fn coded_values_keep_their_length() {
    // "www.example.com", RFC 7541 §C.4.1.
    let mut valid = *b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
    repair_coded(&mut valid);
    assert_eq!(valid, *b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff");
    // "%2F" is 010101 00010 1100001, "-2F" is 010110 00010 1100001; six bits of padding.
    let mut invalid = [0b0101_0100, 0b0101_1000, 0b0111_1111];
    repair_coded(&mut invalid);
    assert_eq!(invalid, [0b0101_1000, 0b0101_1000, 0b0111_1111]);
    assert_eq!(text(&invalid).unwrap(), b"-2F");
    // No code at all.
    let mut broken = [0xff; 8];
    repair_coded(&mut broken);
    assert_eq!(broken, [0xff; 8]);
}

#[test]
fn blocks_that_make_no_sense_are_passed_on() {
    for block in [
        &b"\x41"[..],
        b"\x41\x7f",
        b"\x41\x7f\xff\xff\xff\xff",
        b"\x40\x05ab",
        b"\xff\xff\xff\xff\xff\x01\x41\x01 ",
    ] {
        let header = [0, 0, block.len() as u8, 1, 4, 0, 0, 0, 1];
        let bytes = [&[0; PREFACE_LEN], &header[..], block].concat();
        assert!(passed(&bytes, 1) == bytes, "{block:?}");
    }
    assert_eq!(
        FrameWatch::new(Arc::default()).see(&mut [0; PREFACE_LEN + FRAME_HEADER_LEN - 1]),
        PREFACE_LEN
    );
}
