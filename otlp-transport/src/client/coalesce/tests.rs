use super::*;
use std::task::Waker;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

#[tokio::test]
async fn small_writes_leave_together_when_drained() {
    let (io, mut peer) = duplex(1 << 20);
    let mut stream = Coalescing::new(Box::new(io));
    for part in [&b"one "[..], b"two ", b"three"] {
        stream.write_all(part).await.unwrap();
        stream.flush().await.unwrap();
    }
    let mut context = Context::from_waker(Waker::noop());
    let mut read = [0; 64];
    let mut buffer = ReadBuf::new(&mut read);
    assert!(Pin::new(&mut peer).poll_read(&mut context, &mut buffer).is_pending());
    assert!(stream.poll_drain(&mut context).is_ready());
    let len = peer.read(&mut read).await.unwrap();
    assert_eq!(&read[..len], b"one two three");
}

/// Through a pipe of any width, all bytes come out in order, whatever the sizes of the writes.
#[tokio::test]
async fn nothing_is_lost_or_reordered() {
    for width in [1, 7, 4096, 1 << 20] {
        let (io, mut peer) = duplex(width);
        let mut stream = Coalescing::new(Box::new(io));
        let sizes = [1, 100, 20_000, 5, 16_000, 16_000, 16_000, 16_000, 16_000, 3, 70_000, 40_000, 9];
        let sent: Vec<u8> = (0..sizes.iter().sum::<usize>()).map(|at| (at % 251) as u8).collect();
        let expected = sent.clone();
        let writer = tokio::spawn(async move {
            let mut rest = &sent[..];
            for size in sizes {
                let (mut now, later) = rest.split_at(size);
                rest = later;
                while !now.is_empty() {
                    let (front, back) = now.split_at(now.len() / 2);
                    let slices = [IoSlice::new(front), IoSlice::new(back)];
                    let written = stream.write_vectored(&slices).await.unwrap();
                    now = &now[written..];
                }
            }
            stream.shutdown().await.unwrap();
        });
        let mut received = Vec::new();
        peer.read_to_end(&mut received).await.unwrap();
        writer.await.unwrap();
        assert!(received == expected, "width {width}");
    }
}

#[tokio::test]
async fn a_closed_stream_is_an_error() {
    let (io, peer) = duplex(16);
    drop(peer);
    let mut stream = Coalescing::new(Box::new(io));
    stream.write_all(b"small").await.unwrap();
    assert!(stream.shutdown().await.is_err());
    let mut stream = stream.clone();
    assert!(stream.write_all(&[0; 1 << 20]).await.is_err());
}
