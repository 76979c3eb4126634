use super::*;

/// Whatever room was left, the length is as short as can be and what it measures is whole.
#[test]
fn lengths_are_minimal_whatever_room_was_left() {
    for len in [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152] {
        for room in [SHORT, MEDIUM, LONG] {
            let content: Vec<u8> = (0..len).map(|index: usize| index as u8 ^ 0x5a).collect();
            let mut out = b"before".to_vec();
            nested(&mut out, 3, room, |out| out.extend_from_slice(&content));
            let mut expected = b"before".to_vec();
            put_len_delimited(&mut expected, 3, &content);
            assert!(out == expected, "{len} bytes, room for {room}");
        }
    }
}
