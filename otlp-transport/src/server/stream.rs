//! A connection's bytes, with those that were read to learn which HTTP it speaks put back.

use super::activity::HeadWatch;
use crate::BoxIo;
use bytes::BytesMut;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// A connection that begins with bytes already read.
pub(super) struct Stream {
    begun: BytesMut,
    io: BoxIo,
    watch: Option<HeadWatch>,
}

/// Which HTTP a peer begins to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
}

impl Stream {
    /// Reads as much of the connection's beginning as tells its version. Not bounded in time.
    pub(super) async fn begin(mut io: BoxIo) -> io::Result<(Version, Self)> {
        let mut begun = BytesMut::with_capacity(PREFACE.len());
        loop {
            if !PREFACE.starts_with(&begun) {
                return Ok((Version::Http1, Self { begun, io, watch: None }));
            }
            if begun.len() == PREFACE.len() {
                return Ok((Version::Http2, Self { begun, io, watch: None }));
            }
            let mut rest = [0; PREFACE.len()];
            let count = io.read(&mut rest[begun.len()..]).await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let at = begun.len();
            begun.extend_from_slice(&rest[at..at + count]);
        }
    }
}

impl Stream {
    /// Shows what is read to `watch` first.
    pub(super) fn watched(self, watch: HeadWatch) -> Self {
        Self { watch: Some(watch), ..self }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = out.filled().len();
        if this.begun.is_empty() {
            ready!(Pin::new(&mut this.io).poll_read(cx, out))?;
        } else {
            let count = this.begun.len().min(out.remaining());
            out.put_slice(&this.begun.split_to(count));
        }
        if let Some(watch) = &mut this.watch {
            watch.see(&out.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

/// RFC 9113 §3.4.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
