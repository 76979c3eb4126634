//! The bytes of a connection on their way to hyper. Bytes read to find the HTTP version are put back, and HTTP/1.1 heads
//! and HTTP/2 frames are observed as they pass.

use super::activity::HeadWatch;
use super::authority::FrameWatch;
use crate::BoxIo;
use crate::server::engine::Version;
use bytes::{Bytes, BytesMut};
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// A connection whose first bytes have been read.
pub(in crate::server) struct Stream {
    /// Bytes read and not passed on yet.
    held: BytesMut,
    /// Number of bytes in `held` that may be passed on.
    ready: usize,
    io: BoxIo,
    watch: Watch,
}

/// Observer of the bytes read. Boxed, since streams move through futures that reserve their size.
enum Watch {
    Nothing,
    Heads(Box<HeadWatch>),
    Frames(Box<FrameWatch>),
}

impl Stream {
    /// Reads the connection's first bytes until they tell the HTTP version. No time limit of its own.
    pub(in crate::server) async fn begin(mut io: BoxIo) -> io::Result<(Version, Self)> {
        let mut begun = BytesMut::with_capacity(PREFACE.len());
        let version = loop {
            if !PREFACE.starts_with(&begun) {
                break Version::Http1;
            }
            if begun.len() == PREFACE.len() {
                break Version::Http2;
            }
            let mut rest = [0; PREFACE.len()];
            let count = io.read(&mut rest[begun.len()..]).await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let at = begun.len();
            begun.extend_from_slice(&rest[at..at + count]);
        };
        Ok((version, Self { ready: 0, held: begun, io, watch: Watch::Nothing }.examined()))
    }

    /// Passes the bytes read through `watch`.
    pub(super) fn with_heads(self, watch: HeadWatch) -> Self {
        Self { watch: Watch::Heads(Box::new(watch)), ..self }.examined()
    }

    /// Passes the bytes read through `watch`, which may change them.
    pub(super) fn with_frames(self, watch: FrameWatch) -> Self {
        Self { watch: Watch::Frames(Box::new(watch)), ..self }.examined()
    }

    /// True if the connection begins with a TLS handshake.
    pub(in crate::server) fn is_tls(&self) -> bool {
        self.held.first() == Some(&TLS_HANDSHAKE)
    }

    /// True if the connection begins like an HTTP/1.1 request: with a method in capitals.
    pub(super) fn may_be_http1(&self) -> bool {
        self.held.first().is_some_and(u8::is_ascii_uppercase)
    }

    /// HTTP/1.1: true if the bytes read so far end within a request.
    pub(super) fn is_amid_request(&self) -> bool {
        matches!(&self.watch, Watch::Heads(watch) if watch.is_amid_request())
    }

    /// Puts back bytes that were passed on and not used.
    pub(super) fn put_back(&mut self, bytes: &Bytes) {
        if !bytes.is_empty() {
            self.held = [bytes, &self.held[..]].concat().as_slice().into();
            self.ready += bytes.len();
        }
    }

    /// Waits for the next bytes and keeps them. Returns false if the connection has ended. Cancel-safe.
    pub(super) async fn readable(&mut self) -> bool {
        if !self.held.is_empty() {
            return true;
        }
        let count = std::future::poll_fn(|cx| self.poll_fill(cx)).await;
        self.ready = self.watch.see(&mut self.held);
        count.is_ok_and(|count| count > 0)
    }

    /// Reads up to `max_bytes` and drops them, until the peer closes.
    pub(super) async fn discard(&mut self, max_bytes: usize) {
        let mut discarded = 0;
        while discarded < max_bytes {
            match std::future::poll_fn(|cx| self.poll_fill(cx)).await {
                Ok(count) if count > 0 => discarded += count,
                _ => return,
            }
            self.held.clear();
        }
    }

    /// Shuts down the writing side, if that needs no waiting.
    pub(super) async fn close_write(&mut self) {
        std::future::poll_fn(|cx| {
            let _ = Pin::new(&mut self.io).poll_shutdown(cx);
            Poll::Ready(())
        })
        .await;
    }

    fn examined(mut self) -> Self {
        self.ready = self.watch.see(&mut self.held);
        self
    }

    /// Reads into `held`. Returns the number of bytes, 0 at the end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut piece = [MaybeUninit::uninit(); FILL_BYTES];
        let mut piece = ReadBuf::uninit(&mut piece);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut piece))?;
        self.held.extend_from_slice(piece.filled());
        Poll::Ready(Ok(piece.filled().len()))
    }

    /// Passes on the bytes of `held` that may be passed on, and reads more of an incomplete frame.
    fn poll_held(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.ready == 0 {
            self.ready = match ready!(self.poll_fill(cx))? {
                0 => self.held.len(),
                _ => self.watch.see(&mut self.held),
            };
        }
        let count = self.ready.min(out.remaining());
        out.put_slice(&self.held[..count]);
        self.ready -= count;
        if count == self.held.len() {
            // Frees the buffer, which would otherwise be kept for the life of the connection.
            self.held = BytesMut::new();
        } else {
            let _ = self.held.split_to(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl Watch {
    /// Observes bytes. Returns the number of bytes that may be passed on.
    fn see(&mut self, bytes: &mut [u8]) -> usize {
        match self {
            Self::Nothing => {}
            Self::Heads(watch) => watch.see(bytes),
            Self::Frames(watch) => return watch.see(bytes),
        }
        bytes.len()
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.held.is_empty() {
            return this.poll_held(cx, out);
        }
        let before = out.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, out))?;
        let fresh = &mut out.filled_mut()[before..];
        let passed = this.watch.see(fresh);
        if passed == fresh.len() {
            return Poll::Ready(Ok(()));
        }
        this.held.extend_from_slice(&fresh[passed..]);
        out.set_filled(before + passed);
        if passed > 0 { Poll::Ready(Ok(())) } else { this.poll_held(cx, out) }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Watch::Heads(watch) = &this.watch {
            watch.activity().writing();
        }
        Pin::new(&mut this.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Watch::Heads(watch) = &this.watch {
            watch.activity().writing();
        }
        Pin::new(&mut this.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.io).poll_flush(cx))?;
        if let Watch::Heads(watch) = &this.watch {
            watch.activity().flushed();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

/// RFC 9113 §3.4.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The first byte of a TLS record that holds a handshake. RFC 8446 §5.1.
const TLS_HANDSHAKE: u8 = 22;
/// Bytes read at a time where hyper's buffer is not used; on the stack.
const FILL_BYTES: usize = 2048;
