//! The open requests of an HTTP/2 connection, told by its service to whoever closes idle connections.

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};

/// Counts the requests of a connection. Only compared with itself, so nothing has to be ordered.
#[derive(Debug, Default)]
pub(super) struct OpenRequests {
    /// Streams that the peer opened, however they went on.
    opened: AtomicU64,
    /// Of these, the ones already counted that never became a request.
    counted: AtomicU64,
    begun: AtomicU64,
    ended: AtomicU64,
}

/// A request from its head to the end of its answer, or until it is given up.
pub(super) struct OpenRequest(Arc<OpenRequests>);

/// An answer's body, which keeps its request open for as long as it is being sent: watching health takes long.
pub(super) struct OpenBody<B> {
    body: B,
    _open: OpenRequest,
}

// === impl OpenRequests ===

impl OpenRequests {
    /// The peer has opened a stream.
    pub(super) fn opened(&self) {
        self.opened.fetch_add(1, Relaxed);
    }

    /// How many streams, since the last call, never became a request: h2 refused their heads, or the peer reset them at
    /// once. To be asked when no stream is open.
    pub(super) fn take_refused(&self) -> u64 {
        let refused = self.opened.load(Relaxed).saturating_sub(self.begun.load(Relaxed));
        refused.saturating_sub(self.counted.swap(refused, Relaxed))
    }

    /// A request has come.
    pub(super) fn begin(self: &Arc<Self>) -> OpenRequest {
        self.begun.fetch_add(1, Relaxed);
        OpenRequest(Arc::clone(self))
    }

    /// If no request is open, the number of those that were: the same number is the same silence, uninterrupted.
    pub(super) fn silence(&self) -> Option<u64> {
        let ended = self.ended.load(Relaxed);
        (self.begun.load(Relaxed) == ended).then_some(ended)
    }
}

// === impl OpenRequest ===

impl OpenRequest {
    /// Ends with `body`.
    pub(super) fn until_sent<B>(self, body: B) -> OpenBody<B> {
        OpenBody { body, _open: self }
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
    }
}

impl<B: Body<Data: Buf> + Unpin> Body for OpenBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
