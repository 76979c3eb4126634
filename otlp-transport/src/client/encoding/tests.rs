use super::*;
use bytes::Bytes;

/// However it is taken, the bytes are the frame header and the segments in order.
#[test]
fn it_reads_as_header_and_segments() {
    let payload = || Payload::from_iter([Bytes::from_static(b"ab"), Bytes::from_static(b"cde")]);
    let expected = b"\x01\0\0\0\x05abcde";
    for step in 1..=expected.len() {
        let mut body = Outgoing::framed(FrameHeader::new(true, 5), payload());
        let mut read = Vec::new();
        while body.has_remaining() {
            assert_eq!(body.remaining(), expected.len() - read.len());
            let take = step.min(body.remaining());
            read.extend_from_slice(&body.copy_to_bytes(take));
        }
        assert_eq!(read, expected, "in steps of {step}");
    }
    let mut plain = Outgoing::plain(payload());
    assert_eq!(plain.copy_to_bytes(plain.remaining()), "abcde");
}

#[test]
fn one_vectored_write_takes_header_and_segments() {
    let payload = Payload::from_iter([Bytes::from_static(b"ab"), Bytes::from_static(b"cde")]);
    let mut body = Outgoing::framed(FrameHeader::new(false, 5), payload);
    body.advance(2);
    let mut slices = [IoSlice::new(&[]); 8];
    assert_eq!(body.chunks_vectored(&mut slices), 3);
    assert_eq!((&*slices[0], &*slices[1], &*slices[2]), (&b"\0\0\x05"[..], &b"ab"[..], &b"cde"[..]));
    assert_eq!(body.chunks_vectored(&mut []), 0);
}
