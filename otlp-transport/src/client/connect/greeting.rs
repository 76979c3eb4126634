//! What a server's first bytes say of the protocol it speaks, for errors that name mix-ups.

use crate::BoxIo;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The protocol of the first bytes that came from a server. Cloning shares it with the connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Greeting(Arc<OnceLock<Spoken>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    Http1,
    Http2,
    Tls,
    Unknown,
}

/// A connection that notes its greeting.
struct Noting {
    io: BoxIo,
    greeting: Greeting,
}

// === impl Greeting ===

impl Greeting {
    /// A greeting that will be that of `io`, and the connection to use instead.
    pub(super) fn of(io: BoxIo) -> (Self, BoxIo) {
        let greeting = Self::default();
        (greeting.clone(), Box::new(Noting { io, greeting }))
    }

    /// What is mixed up if a connection failed on which we speak HTTP/2, or HTTP/1.1, in the clear or within TLS.
    pub(crate) fn mix_up(&self, http2: bool) -> Option<&'static str> {
        let Some(spoken) = self.0.get() else {
            return Some(
                "the server sent nothing on this connection: it may expect TLS or another protocol here",
            );
        };
        match (spoken, http2) {
            (Spoken::Tls, _) => Some(
                "the server speaks TLS here: give the endpoint with https://, or remove `tls: {insecure: true}`",
            ),
            (Spoken::Http1, true) => Some(
                "the server speaks HTTP/1.1 here, not gRPC: use the exporter otlp_http, or the gRPC port (4317)",
            ),
            (Spoken::Http2, false) => Some(
                "the server speaks HTTP/2 alone here, as gRPC does: use the exporter otlp_grpc, or the HTTP port (4318)",
            ),
            _ => None,
        }
    }
}

impl Spoken {
    fn of(first: &[u8]) -> Self {
        match first {
            // A record: alert or handshake.
            [0x15 | 0x16, 3, ..] => Self::Tls,
            // A SETTINGS frame.
            [0, _, _, 4, ..] => Self::Http2,
            [b'H', b'T', b'T', b'P', b'/', ..] => Self::Http1,
            _ => Self::Unknown,
        }
    }
}

// === impl Noting ===

impl AsyncRead for Noting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(context, into))?;
        if self.greeting.0.get().is_none()
            && let Some(first @ [_, ..]) = into.filled().get(before..)
        {
            let _ = self.greeting.0.set(Spoken::of(first));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Noting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
