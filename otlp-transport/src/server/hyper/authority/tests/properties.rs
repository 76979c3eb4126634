//! Random connections through the watch, and through h2 behind the watch.

use super::super::{
    AUTHORITY, AUTHORITY_CODED, END_HEADERS, FRAME_HEADER_LEN, FrameWatch, HEADERS, MAX_FRAME_BYTES, PADDED,
    PREFACE_LEN, PRIORITY, is_unreserved, string,
};
use super::coded;
use fastrand::Rng;
use http::uri::Authority;
use std::ops::Range;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;

/// An integer with a prefix of `bits`, with `first` above the prefix. RFC 7541 §5.1.
fn integer(first: u8, bits: u32, value: usize) -> Vec<u8> {
    let most = (1 << bits) - 1;
    if value < most {
        return vec![first | value as u8];
    }
    let (mut bytes, mut rest) = (vec![first | most as u8], value - most);
    while rest >= 0x80 {
        bytes.push(0x80 | (rest & 0x7f) as u8);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

fn literal(is_coded: bool, text: &[u8]) -> Vec<u8> {
    let (bit, text) = if is_coded { (0x80, coded(text)) } else { (0, text.to_vec()) };
    [integer(bit, 7, text.len()), text].concat()
}

/// An `:authority` in one of the ways to write it.
fn authority(random: &mut Rng, is_coded: bool, value: &[u8]) -> Vec<u8> {
    let kind = *random.choice(&[0x40, 0x00, 0x10]).unwrap();
    let name = match random.u8(..3) {
        0 => [&[kind], &literal(false, AUTHORITY)[..]].concat(),
        1 => [&[kind], &literal(true, AUTHORITY)[..]].concat(),
        _ => vec![kind | 1],
    };
    [name, literal(is_coded, value)].concat()
}

/// A HEADERS frame that ends its stream, of a POST with this `:authority`.
fn request(random: &mut Rng, stream: u32, authority: &[u8]) -> Vec<u8> {
    let mut pseudo = [&[0x83][..], &[0x86], &[0x84], authority];
    random.shuffle(&mut pseudo);
    let size_update = if random.bool() { integer(0x20, 5, 4096) } else { Vec::new() };
    let others =
        [&[0x40][..], &literal(random.bool(), b"x"), &literal(random.bool(), b":authority <\\>")].concat();
    let block = [size_update, pseudo.concat(), others].concat();
    let padding = random.u8(..20);
    let (mut flags, mut payload) = (END_HEADERS | 1, Vec::new());
    if random.bool() {
        flags |= PADDED;
        payload.push(padding);
    }
    if random.bool() {
        flags |= PRIORITY;
        payload.extend([0, 0, 0, 0, 16]);
    }
    payload.extend(block);
    payload.resize(payload.len() + if flags & PADDED == 0 { 0 } else { padding.into() }, 0);
    frame(HEADERS, flags, stream, &payload)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u32).to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Characters as hostnames, ports, paths and other nonsense have them.
fn value(random: &mut Rng) -> Vec<u8> {
    let printable: Vec<u8> = (b' '..=b'~').collect();
    let choices = *random.choice(&[&b"ab1.-_~:"[..], b"a:@[]%/#", &printable]).unwrap();
    let len = *random.choice(&[1, 3, 12, 200]).unwrap();
    (0..random.usize(1..=len)).map(|_| *random.choice(choices).unwrap()).collect()
}

/// Passes `bytes` through a watch in random pieces. Returns the output, with the bytes held back at the end.
fn passed(random: &mut Rng, mut bytes: &[u8]) -> Vec<u8> {
    let (mut watch, mut held, mut passed) = (FrameWatch::new(Arc::default()), Vec::new(), Vec::new());
    let most = *random.choice(&[1, 10, 300, 100_000]).unwrap();
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(random.usize(1..=most).min(bytes.len()));
        held.extend_from_slice(piece);
        let count = watch.see(&mut held);
        passed.extend(held.drain(..count));
        assert!(held.len() < FRAME_HEADER_LEN + MAX_FRAME_BYTES);
        bytes = rest;
    }
    passed.extend(held);
    passed
}

/// Whatever is printable in an `:authority`, h2 takes the request, and the rest of its head is as it was sent.
#[tokio::test]
async fn h2_takes_any_printable_authority() {
    let mut random = Rng::with_seed(3);
    let mut sent = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[])].concat();
    let mut expected = Vec::new();
    for stream in (1..1000).step_by(2) {
        let (value, is_coded) = (value(&mut random), random.bool());
        let field = authority(&mut random, is_coded, &value);
        sent.extend(request(&mut random, stream, &field));
        // The exceptions that `repair_coded` documents.
        if !is_coded || !value.iter().any(|byte| b"#>^}<{`\\".contains(byte)) {
            expected.push(value);
        }
    }
    let (mut peer, own) = tokio::io::duplex(1 << 20);
    peer.write_all(&passed(&mut random, &sent)).await.unwrap();
    let mut connection = h2::server::handshake(own).await.unwrap();
    for value in expected {
        let text = String::from_utf8_lossy(&value);
        let (request, mut respond) = connection.accept().await.expect(&text).expect(&text);
        let seen = request.uri().authority().unwrap().as_str().as_bytes();
        assert_eq!(seen.len(), value.len(), "{text}");
        if Authority::try_from(&value[..]).is_ok() {
            assert_eq!(seen, value);
        }
        assert!(seen.iter().zip(&value).all(|(seen, sent)| seen == sent || !is_unreserved(*sent)), "{text}");
        assert_eq!(request.headers()["x"], ":authority <\\>", "{text}");
        respond.send_response(http::Response::new(()), true).unwrap();
    }
}

/// Payloads of the frames that the watch may change.
fn whole_headers(bytes: &[u8]) -> Vec<Range<usize>> {
    let (mut at, mut found) = (PREFACE_LEN, Vec::new());
    while let Some(header) = bytes.get(at..at + FRAME_HEADER_LEN) {
        let len = usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2]);
        let payload = at + FRAME_HEADER_LEN..at + FRAME_HEADER_LEN + len;
        at = payload.end;
        if header[3] == HEADERS && header[4] & END_HEADERS != 0 && len <= MAX_FRAME_BYTES && at <= bytes.len()
        {
            found.push(payload);
        }
    }
    found
}

/// True if some value of an `:authority` in `payload` covers `changed`.
fn is_in_authority(payload: &[u8], changed: Range<usize>) -> bool {
    (1..changed.start).any(|mut at| {
        let before = &payload[..at];
        let is_named = matches!(before[at - 1], 0x41 | 0x01 | 0x11)
            || before.ends_with(AUTHORITY)
            || before.ends_with(AUTHORITY_CODED);
        let value = string(payload, &mut at).map(|(value, _)| value);
        is_named && value.is_some_and(|value| value.start <= changed.start && changed.end <= value.end)
    })
}

/// Whatever comes, and however it is cut: nothing moves, and nothing but values of `:authority` changes.
#[test]
fn damaged_connections_are_changed_in_authorities_alone() {
    let mut random = Rng::with_seed(5);
    let mut changed_frames = 0;
    for _ in 0..3_000 {
        let mut sent = vec![b'P'; PREFACE_LEN];
        for stream in [1, 3, 3, 5] {
            let (value, is_coded) = (value(&mut random), random.bool());
            let field = authority(&mut random, is_coded, &value);
            sent.extend(request(&mut random, stream, &field));
            let other: Vec<u8> = (0..random.usize(..30)).map(|_| random.u8(..)).collect();
            sent.extend(frame(random.u8(..10), random.u8(..), stream, &other));
        }
        for _ in 0..random.usize(..8) {
            let at = random.usize(PREFACE_LEN..sent.len());
            let any = random.u8(..);
            sent[at] = *random.choice(&[0x41, 0x01, 0x40, 0xff, 0x7f, any]).unwrap();
        }
        sent.truncate(random.usize(PREFACE_LEN..=sent.len()));
        let seen = passed(&mut random, &sent);
        assert!(seen == passed(&mut random, &sent), "the pieces matter");
        assert!(seen == passed(&mut random, &seen), "what is repaired needs no repair");
        assert_eq!(seen.len(), sent.len());
        let mut untouched = 0;
        for payload in whole_headers(&sent) {
            assert!(seen[untouched..payload.start] == sent[untouched..payload.start]);
            untouched = payload.end;
            let (sent, seen) = (&sent[payload.clone()], &seen[payload]);
            let differs = |at: &usize| sent[*at] != seen[*at];
            if let Some(first) = (0..sent.len()).find(differs) {
                let last = (0..sent.len()).rfind(differs).unwrap();
                assert!(is_in_authority(sent, first..last + 1), "{sent:x?} {seen:x?}");
                changed_frames += 1;
            }
        }
        assert!(seen[untouched..] == sent[untouched..]);
    }
    assert!(changed_frames > 1_000, "{changed_frames}");
}
