//! The framing of a unary call, against the same rule written for a whole body.

use otlp_protocol::{FRAME_HEADER_LEN, FrameError, FrameHeader, FrameReader};
use std::cmp::Ordering;

/// Any bytes, cut anywhere, are judged without a panic, after every piece as if it were the last.
pub fn grpc_frame(data: &[u8]) {
    let Some((&[choice, limit, cut], message)) = data.split_first_chunk() else { return };
    let mut body = Vec::new();
    // Every second input gets a header that is right or nearly so, which chance alone would not come upon.
    if choice & 1 == 1 {
        let off_by = [-1, 0, 0, 1][usize::from(choice >> 1 & 3)];
        let len = (message.len() as u32).saturating_add_signed(off_by);
        body.extend(FrameHeader::new(choice & 8 != 0, len).encode());
    }
    body.extend(message);
    let max_len = if limit == u8::MAX { usize::MAX } else { usize::from(limit) * 16 };

    let mut reader = FrameReader::new(max_len);
    let (mut seen, mut rest, mut step) = (0, &body[..], cut);
    while !rest.is_empty() {
        step = step.wrapping_mul(197).wrapping_add(101);
        let size = usize::from(step >> 5) << (step & 7);
        let (piece, after) = rest.split_at(size.min(rest.len()));
        (seen, rest) = (seen + piece.len(), after);

        let pushed = reader.push(piece);
        let expected = judge(&body[..seen], max_len);
        assert_eq!(reader.clone().finish(), expected);
        match expected {
            Ok(_) | Err(FrameError::Truncated) => assert_eq!(pushed, Ok(())),
            Err(error) => assert_eq!(pushed, Err(error)),
        }
        if let Some(total) = reader.expected() {
            let header = *body.first_chunk().expect("nothing is expected before the header has come");
            assert_eq!(
                FrameHeader::parse(header),
                Ok(FrameHeader::new(header[0] == 1, (total - FRAME_HEADER_LEN) as u32))
            );
        }
    }
}

fn judge(body: &[u8], max_len: usize) -> Result<FrameHeader, FrameError> {
    let Some((&[flag, a, b, c, d], message)) = body.split_first_chunk() else {
        return Err(FrameError::Truncated);
    };
    let len = u32::from_be_bytes([a, b, c, d]);
    if flag > 1 {
        return Err(FrameError::Flag(flag));
    }
    if len as usize > max_len {
        return Err(FrameError::TooLong { len, limit: max_len });
    }
    match message.len().cmp(&(len as usize)) {
        Ordering::Less => Err(FrameError::Truncated),
        Ordering::Equal => Ok(FrameHeader::new(flag == 1, len)),
        Ordering::Greater => Err(FrameError::TrailingBytes),
    }
}
