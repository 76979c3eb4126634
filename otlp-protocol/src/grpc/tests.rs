use super::{FRAME_HEADER_LEN, FrameError, FrameHeader, FrameReader};

const MAX_LEN: usize = 300;

/// Everything a body is judged on, in pieces of `size` bytes: where it was refused, if it was, and the end.
fn read(body: &[u8], size: usize) -> (Option<usize>, Result<FrameHeader, FrameError>) {
    let mut reader = FrameReader::new(MAX_LEN);
    let mut refused = None;
    for (index, piece) in body.chunks(size).enumerate() {
        if let Err(error) = reader.push(piece) {
            refused.get_or_insert(index * size + piece.len());
            assert_eq!(reader.clone().finish(), Err(error), "what was refused stays so");
        } else {
            assert_eq!(refused, None);
        }
    }
    (refused, reader.finish())
}

fn frame(compressed: bool, len: usize) -> Vec<u8> {
    let mut frame = FrameHeader::new(compressed, len as u32).encode().to_vec();
    frame.resize(FRAME_HEADER_LEN + len, 0xff);
    frame
}

#[test]
fn one_message_is_read_however_it_is_cut() {
    for (compressed, len) in [(false, 0), (true, 0), (false, 1), (true, 255), (false, 256), (true, MAX_LEN)] {
        let body = frame(compressed, len);
        for cut in 0..=body.len() {
            let mut reader = FrameReader::new(MAX_LEN);
            assert_eq!(reader.push(&body[..cut]), Ok(()));
            assert_eq!(
                reader.expected(),
                (cut >= FRAME_HEADER_LEN).then_some(body.len()),
                "{len}, cut at {cut}"
            );
            if cut < body.len() {
                assert_eq!(reader.clone().finish(), Err(FrameError::Truncated), "{len}, cut at {cut}");
            }
            assert_eq!(reader.push(&body[cut..]), Ok(()));
            assert_eq!(reader.finish(), Ok(FrameHeader::new(compressed, len as u32)), "{len}, cut at {cut}");
        }
    }
}

#[test]
fn what_is_not_one_message_is_refused_with_the_byte_that_shows_it() {
    let too_long = |len| FrameError::TooLong { len, limit: MAX_LEN };
    let cases = [
        (b"\x02\0\0\0\0".to_vec(), FRAME_HEADER_LEN, FrameError::Flag(2)),
        (b"\xff\xff\xff\xff\xff".to_vec(), FRAME_HEADER_LEN, FrameError::Flag(255)),
        (frame(false, MAX_LEN + 1), FRAME_HEADER_LEN, too_long(301)),
        (b"\x01\xff\xff\xff\xff".to_vec(), FRAME_HEADER_LEN, too_long(u32::MAX)),
        ([frame(false, 0), vec![0]].concat(), 6, FrameError::TrailingBytes),
        ([frame(true, 7), frame(true, 7)].concat(), 13, FrameError::TrailingBytes),
    ];
    for (body, at, error) in cases {
        for size in 1..=body.len() {
            let expected = (Some(at.next_multiple_of(size).min(body.len())), Err(error));
            assert_eq!(read(&body, size), expected, "{body:?} in pieces of {size}");
        }
    }
}

#[test]
fn empty_pieces_and_no_piece_at_all_are_no_message() {
    let mut reader = FrameReader::new(MAX_LEN);
    assert_eq!(reader.clone().finish(), Err(FrameError::Truncated));
    for piece in [&b""[..], b"\0", b"", b"\0\0\0\x01", b"", b"x", b""] {
        assert_eq!(reader.push(piece), Ok(()));
    }
    assert_eq!(reader.finish(), Ok(FrameHeader::new(false, 1)));
}

#[test]
fn no_limit_and_none_left_are_limits_too() {
    let mut reader = FrameReader::new(usize::MAX);
    reader.push(&FrameHeader::new(true, u32::MAX).encode()).unwrap();
    assert_eq!(reader.expected(), Some(FRAME_HEADER_LEN + u32::MAX as usize));
    assert_eq!(reader.finish(), Err(FrameError::Truncated));

    let mut reader = FrameReader::new(0);
    assert_eq!(reader.push(&frame(false, 1)), Err(FrameError::TooLong { len: 1, limit: 0 }));
    assert_eq!(reader.expected(), None);
    let mut reader = FrameReader::new(0);
    assert_eq!(reader.push(&frame(false, 0)), Ok(()));
    assert_eq!(reader.finish(), Ok(FrameHeader::new(false, 0)));
}
