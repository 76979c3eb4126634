//! The first bytes of a server, which show its protocol, so that errors can name a wrong port.

use crate::{BoxIo, tls};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Protocol of a server's first bytes. Clones share the state with the connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Greeting(Arc<OnceLock<Spoken>>);

/// Protocol of a server's first bytes, or the end of the connection before them.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Spoken {
    Http1,
    Http2,
    Tls,
    /// The server ended the connection by an alert within TLS, explained here.
    Alert(String),
    Unknown,
}

/// A connection that records its greeting.
struct Noting {
    io: BoxIo,
    greeting: Greeting,
}

// === impl Greeting ===

impl Greeting {
    /// Returns the greeting of `io`, and the connection to use in its place.
    pub(crate) fn of(io: BoxIo) -> (Self, BoxIo) {
        let greeting = Self::default();
        (greeting.clone(), Box::new(Noting { io, greeting }))
    }

    /// Explains the failure of a connection by the protocol that the server speaks on this port. `http2`: we sent HTTP/2,
    /// otherwise HTTP/1.1.
    pub(crate) fn mix_up(&self, http2: bool) -> Option<&str> {
        match (self.0.get(), http2) {
            (None, true) => Some(
                "the server sent nothing on this connection: it may expect TLS (give the endpoint with https://), or may \
                 be no gRPC port (4317)",
            ),
            (None, false) => Some(
                "the server sent nothing on this connection: it may be a gRPC port (use the exporter otlp_grpc, or the \
                 HTTP port 4318), or expect TLS (give the endpoint with https://)",
            ),
            (Some(Spoken::Alert(why)), _) => Some(why),
            (Some(Spoken::Tls), _) => Some(
                "the server speaks TLS on this port: give the endpoint with https://, or remove `tls: {insecure: true}`",
            ),
            (Some(Spoken::Http1), true) => Some(
                "the server speaks HTTP/1.1 on this port, not gRPC: use the exporter otlp_http, or the gRPC port (4317)",
            ),
            (Some(Spoken::Http2), false) => Some(
                "the server speaks only HTTP/2 on this port, as gRPC does: use the exporter otlp_grpc, or the HTTP port \
                 (4318)",
            ),
            (Some(Spoken::Http1 | Spoken::Http2 | Spoken::Unknown), _) => None,
        }
    }
}

impl Spoken {
    fn of(first: &[u8]) -> Self {
        match first {
            // A TLS record: alert or handshake.
            [0x15 | 0x16, 3, ..] => Self::Tls,
            // An HTTP/2 SETTINGS frame.
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
        if let Err(error) = ready!(Pin::new(&mut self.io).poll_read(context, into)) {
            if let Some(why) = tls::explained(&error) {
                let _ = self.greeting.0.set(Spoken::Alert(why));
            }
            return Poll::Ready(Err(error));
        }
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

#[cfg(all(test, feature = "tls"))]
mod tests;
