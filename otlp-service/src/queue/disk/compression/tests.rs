use super::super::record::Kind;
use super::*;
use otlp_protocol::{Count, Signal};

fn header(plain_len: usize, body_len: usize) -> Header {
    Header {
        sequence: 0,
        stored_at: 0,
        count: Count::default(),
        properties_len: 0,
        body_len: body_len as u32,
        plain_len: plain_len as u32,
        content_checksum: 0,
        kind: Kind::Request(Signal::LOGS),
        is_mergeable: true,
        is_compressed: true,
    }
}

fn text(len: usize) -> Vec<u8> {
    b"checked out, checked in. ".iter().copied().cycle().take(len).collect()
}

#[test]
fn a_body_comes_back() {
    for len in [256, 10_000, 3 << 20] {
        let stored = compress(&text(len).into()).unwrap();
        assert!(stored.len() < len / 2, "{} of {len}", stored.len());
        assert_eq!(inflate(&header(len, stored.len()), stored).unwrap(), text(len));
    }
}

#[test]
fn a_body_that_gains_little_is_stored_as_it_is() {
    let mut random = vec![0; 10_000];
    fastrand::Rng::with_seed(1).fill(&mut random);
    let plain = Payload::from(random.clone());
    assert_eq!((compress(&plain), compress(&text(255).into())), (None, None));
    assert_eq!(compress(&vec![0; MAX_PLAIN_BYTES + 1].into()), None);
    let as_it_is = Header { is_compressed: false, ..header(10_000, 10_000) };
    assert_eq!(inflate(&as_it_is, random.clone().into()).unwrap(), random);
}

/// Guarantee: no more is inflated than the header tells, nor more than the limit; a body of another length is damaged.
#[test]
fn inflation_is_limited() {
    let bomb = compress(&vec![0; MAX_PLAIN_BYTES].into()).unwrap();
    assert!(bomb.len() < 10_000);
    assert_eq!(inflate(&header(MAX_PLAIN_BYTES, bomb.len()), bomb.clone()).unwrap().len(), MAX_PLAIN_BYTES);
    for told in [0, 1, MAX_PLAIN_BYTES - 1, MAX_PLAIN_BYTES + 1, u32::MAX as usize] {
        assert_eq!(inflate(&header(told, bomb.len()), bomb.clone()), Err(InflateError::Damaged), "{told}");
    }
    // Two frames of half the limit and more.
    let half = zstd().unwrap().compressor().unwrap();
    let half = half.compress(&vec![0; MAX_PLAIN_BYTES / 2 + 1].into(), &BufferPool::new(1)).unwrap();
    let twice = Bytes::from([&half[..], &half].concat());
    assert_eq!(inflate(&header(MAX_PLAIN_BYTES + 2, twice.len()), twice), Err(InflateError::Damaged));
    for damaged in [&bomb[..bomb.len() - 1], b"", b"text"] {
        let damaged = Bytes::copy_from_slice(damaged);
        assert_eq!(inflate(&header(100, damaged.len()), damaged), Err(InflateError::Damaged));
    }
}
