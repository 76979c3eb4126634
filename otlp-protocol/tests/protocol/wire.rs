//! The wire format's edges: ten-byte varints, tags, lengths, groups; prost's own reader as the second opinion.

use otlp_protocol::wire::{
    Cursor, WireError, WireType, put_len_delimited, put_tag, put_uint, put_varint, varint_len,
};
use proptest::prelude::*;
use prost::encoding;

// === Varints ===

#[test]
fn varint_len_is_what_put_varint_writes() {
    let powers = (0..64).map(|bits| 1u64 << bits);
    for value in powers.flat_map(|power| [power - 1, power, power | (power - 1)]) {
        let written = varint(value);
        assert_eq!(varint_len(value), written.len(), "{value:#x}");
        assert_eq!(encoding::encoded_len_varint(value), written.len(), "{value:#x}");
    }
}

#[test]
fn varints_end_at_ten_bytes_and_64_bits() {
    let nines = |byte, last: &[u8]| [&[byte; 9][..], last].concat();
    let cases = [
        (vec![], Err(WireError::Truncated)),
        (vec![0x80], Err(WireError::Truncated)),
        (nines(0x80, &[]), Err(WireError::Truncated)),
        (nines(0x80, &[0]), Ok(0)),
        (nines(0x80, &[1]), Ok(1 << 63)),
        (nines(0xff, &[1]), Ok(u64::MAX)),
        (nines(0xff, &[2]), Err(WireError::VarintOverflow)),
        (nines(0xff, &[0x7f]), Err(WireError::VarintOverflow)),
        (nines(0x80, &[0x80]), Err(WireError::VarintOverflow)),
        (nines(0x80, &[0x80, 0]), Err(WireError::VarintOverflow)),
        (nines(0xff, &[0x81, 0]), Err(WireError::VarintOverflow)),
    ];
    for (bytes, expected) in cases {
        assert_eq!(Cursor::new(&bytes).varint(), expected, "{bytes:02x?}");
    }
}

proptest! {
    #[test]
    fn varints_read_back(value in any_width(), rest in prop::collection::vec(any::<u8>(), 0..4)) {
        let mut bytes = varint(value);
        let len = bytes.len();
        bytes.extend(rest);
        let mut cursor = Cursor::new(&bytes);
        prop_assert_eq!(cursor.varint(), Ok(value));
        prop_assert_eq!(cursor.position(), len);
    }

    #[test]
    fn varints_read_as_prost_reads_them(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x80u8..], 0..14)) {
        let mut rest = &bytes[..];
        let expected = encoding::decode_varint(&mut rest).ok();
        let mut cursor = Cursor::new(&bytes);
        prop_assert_eq!(cursor.varint().ok(), expected);
        if expected.is_some() {
            prop_assert_eq!(cursor.position(), bytes.len() - rest.len());
        }
    }
}

// === Fields ===

#[test]
fn tags_name_possible_fields_and_types() {
    const LAST: u64 = (1 << 29) - 1;
    let cases = [
        (1 << 3, Ok((1, WireType::Varint))),
        (1 << 3 | 1, Ok((1, WireType::Fixed64))),
        (15 << 3 | 2, Ok((15, WireType::Len))),
        (16 << 3 | 3, Ok((16, WireType::StartGroup))),
        (1 << 3 | 4, Ok((1, WireType::EndGroup))),
        (LAST << 3 | 5, Ok((LAST as u32, WireType::Fixed32))),
        (1 << 3 | 6, Err(WireError::WireType)),
        (1 << 3 | 7, Err(WireError::WireType)),
        (0, Err(WireError::FieldNumber)),
        (2, Err(WireError::FieldNumber)),
        ((LAST + 1) << 3, Err(WireError::FieldNumber)),
        (u64::from(u32::MAX), Err(WireError::WireType)),
        (1 << 35, Err(WireError::Overlong)),
        (u64::MAX - 7, Err(WireError::Overlong)),
    ];
    for (tag, expected) in cases {
        assert_eq!(Cursor::new(&varint(tag)).tag(), expected, "{tag:#x}");
    }
    assert_eq!(Cursor::new(&[]).tag(), Err(WireError::Truncated));
}

#[test]
fn lengths_stay_inside() {
    let cases = [
        (4, WireError::LengthPastEnd),
        (5, WireError::LengthPastEnd),
        (u64::from(u32::MAX), WireError::LengthPastEnd),
        (i64::MAX as u64, WireError::Overlong),
        (u64::MAX, WireError::Overlong),
    ];
    for (len, expected) in cases {
        let bytes = [varint(len), vec![1, 2, 3]].concat();
        assert_eq!(Cursor::new(&bytes).len_delimited(), Err(expected), "{len}");
    }
    // Padded to five bytes, and to six.
    assert_eq!(Cursor::new(&[0x81, 0x80, 0x80, 0x80, 0x00, 7]).len_delimited(), Ok(&[7][..]));
    let padded = [0x81, 0x80, 0x80, 0x80, 0x80, 0x00, 7];
    assert_eq!(Cursor::new(&padded).len_delimited(), Err(WireError::Overlong));
    let mut cursor = Cursor::new(&[3, 1, 2, 3, 0]);
    assert_eq!(cursor.len_delimited(), Ok(&[1, 2, 3][..]));
    assert_eq!(cursor.len_delimited(), Ok(&[][..]));
    assert!(cursor.is_at_end());
    assert_eq!(cursor.len_delimited(), Err(WireError::Truncated));
    assert_eq!(cursor.skip_bytes(0), Ok(()));
    assert_eq!(cursor.skip_bytes(1), Err(WireError::Truncated));
    assert_eq!(cursor.skip_bytes(usize::MAX), Err(WireError::Truncated));
}

proptest! {
    #[test]
    fn fields_read_back(number in 1u32..1 << 29, value in any_width(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut out = Vec::new();
        put_uint(&mut out, number, value);
        put_len_delimited(&mut out, number, &bytes);
        put_tag(&mut out, number, WireType::Fixed32);
        out.extend([0; 4]);

        let mut cursor = Cursor::new(&out);
        if value != 0 {
            prop_assert_eq!(cursor.tag(), Ok((number, WireType::Varint)));
            prop_assert_eq!(cursor.varint(), Ok(value));
        }
        prop_assert_eq!(cursor.tag(), Ok((number, WireType::Len)));
        prop_assert_eq!(cursor.len_delimited(), Ok(&bytes[..]));
        prop_assert_eq!(cursor.tag(), Ok((number, WireType::Fixed32)));
        prop_assert_eq!(cursor.skip_value(number, WireType::Fixed32), Ok(()));
        prop_assert!(cursor.is_at_end());

        prop_assert!(walk(&out).is_ok());
        prop_assert!(walk(&out[..out.len() - 1]).is_err());
    }

    #[test]
    fn messages_are_walked_as_prost_walks_them(bytes in prop::collection::vec(prop_oneof![0u8..0x20, any::<u8>()], 0..24)) {
        match walk(&bytes) {
            // prost takes padded tags and lengths; others do not.
            Err(WireError::Overlong) => {}
            walked => prop_assert_eq!(walked.is_ok(), walk_by_prost(&bytes).is_ok()),
        }
    }
}

// === Groups ===

#[test]
fn groups_are_skipped_whole() {
    let cases: [(&str, &[u8], Result<(), WireError>); 9] = [
        ("empty", &[0x0b, 0x0c], Ok(())),
        (
            "all wire types",
            &[0x0b, 8, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 1, 0, 0x1d, 0, 0, 0, 0, 0x0c],
            Ok(()),
        ),
        ("one in another of its number", &[0x0b, 0x0b, 0x0c, 0x0c], Ok(())),
        ("two in a row", &[0x0b, 0x13, 0x14, 0x13, 0x14, 0x0c], Ok(())),
        ("never closed", &[0x0b, 8, 1], Err(WireError::Truncated)),
        ("closed by another", &[0x0b, 0x14], Err(WireError::Group)),
        ("crossed", &[0x0b, 0x13, 0x0c, 0x14], Err(WireError::Group)),
        ("closed twice", &[0x0b, 0x0c, 0x0c], Err(WireError::Group)),
        ("a length past the end inside", &[0x0b, 0x12, 9, 0x0c], Err(WireError::LengthPastEnd)),
    ];
    for (what, bytes, expected) in cases {
        assert_eq!(walk(bytes), expected, "{what}");
    }
}

#[test]
fn groups_nest_to_a_hundred() {
    let nested = |depth| [vec![0x0b; depth], vec![0x0c; depth]].concat();
    assert_eq!(walk(&nested(100)), Ok(()));
    assert_eq!(walk(&nested(101)), Err(WireError::GroupDepth));
    assert_eq!(walk(&nested(1_000_000)), Err(WireError::GroupDepth));
    assert_eq!(walk(&vec![0x0b; 1_000_000]), Err(WireError::GroupDepth));
}

// === What the tests share ===

fn varint(value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, value);
    out
}

/// Numbers of all widths alike: uniform ones are nearly all ten bytes long.
fn any_width() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0u32..=64).prop_map(|(value, shift)| value.checked_shr(shift).unwrap_or(0))
}

fn walk(bytes: &[u8]) -> Result<(), WireError> {
    let mut cursor = Cursor::new(bytes);
    while !cursor.is_at_end() {
        let (number, wire_type) = cursor.tag()?;
        cursor.skip_value(number, wire_type)?;
    }
    Ok(())
}

fn walk_by_prost(mut bytes: &[u8]) -> Result<(), prost::DecodeError> {
    while !bytes.is_empty() {
        let (number, wire_type) = encoding::decode_key(&mut bytes)?;
        encoding::skip_field(wire_type, number, &mut bytes, encoding::DecodeContext::default())?;
    }
    Ok(())
}
