//! Interface between the server and its protocol engine: requests, the pieces of their bodies, and replies. An engine
//! passes requests to a [`Service`], and asks a connection's [`Life`](super::connection::Life) when to close it. The two
//! sides share nothing else: `hyper` is one engine, tests have another without sockets.

use super::http::Fault;
use super::peer::Peer;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode, Uri};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Answers requests.
pub(super) trait Service: Send + Sync + 'static {
    /// Answers any request. A body that is not read to its end is dropped with the reply's future.
    fn respond<B: RequestBody>(
        self: &Arc<Self>,
        request: Request<B>,
        peer: &Arc<Peer>,
    ) -> impl Future<Output = Reply> + Send + use<Self, B>;
}

/// HTTP versions as far as the server distinguishes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// HTTP/1.0 and HTTP/1.1.
    Http1,
    Http2,
}

/// A request whose head has arrived.
pub(super) struct Request<B> {
    pub(super) head: Head,
    pub(super) body: B,
}

/// The head of a request.
pub(super) struct Head {
    pub(super) version: Version,
    pub(super) method: Method,
    pub(super) target: Uri,
    pub(super) headers: HeaderMap,
    /// Fault of the head. The connection must not be used after the reply.
    pub(super) fault: Option<Fault>,
}

/// The body of a request, read from a connection.
pub(crate) trait RequestBody: Send + Unpin + 'static {
    /// Returns the next piece, which is not empty; `None` at the end. A piece may be a slice of a read buffer of
    /// [`Version::read_buffer_bytes`]. Trailers are skipped.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenBody>>>;

    /// True if the end is known to be reached. False does not mean that more pieces follow.
    fn is_at_end(&self) -> bool;

    /// Returns the number of bytes left, if the head told the length.
    fn remaining(&self) -> Option<u64>;
}

/// A body that broke off.
pub(crate) struct BrokenBody {
    /// True if the peer closed the connection; false if the peer sent an invalid body.
    pub(crate) is_gone: bool,
    pub(crate) cause: Box<dyn std::error::Error + Send + Sync>,
}

/// An answer.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: ReplyBody,
}

/// Body and trailers of a reply.
pub(crate) enum ReplyBody {
    /// The whole body, which may be empty. Without trailers the head tells the length.
    Whole(Bytes, Option<HeaderMap>),
    /// Pieces of a body, then trailers.
    Stream(BoxStream<'static, Bytes>, Option<HeaderMap>),
}

/// A part of a [`ReplyBody`].
pub(crate) enum ReplyPiece {
    Bytes(Bytes),
    Trailers(HeaderMap),
}

// === impl Version ===

impl Version {
    /// Returns the size of a connection's read buffer, in bytes. HTTP/1.1: 100 spans in JSON, 120 KB, are read at once.
    /// HTTP/2: the size of the largest frame; 100 spans, 60 KB, fit into one frame.
    pub(super) const fn read_buffer_bytes(self) -> usize {
        match self {
            Self::Http1 => 128 << 10,
            Self::Http2 => 64 << 10,
        }
    }
}

// === impl Head ===

impl Head {
    /// Returns the path of the target, without the query.
    pub(super) fn path(&self) -> &str {
        self.target.path()
    }
}

// === impl ReplyBody ===

impl ReplyBody {
    /// No body: the reply ends with its head.
    pub(super) const NONE: Self = Self::Whole(Bytes::new(), None);

    /// Returns the next part to send; `None` at the end.
    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<ReplyPiece>> {
        loop {
            match self {
                Self::Whole(bytes, trailers) if bytes.is_empty() => {
                    return Poll::Ready(trailers.take().map(ReplyPiece::Trailers));
                }
                Self::Whole(bytes, _) => return Poll::Ready(Some(ReplyPiece::Bytes(std::mem::take(bytes)))),
                Self::Stream(pieces, trailers) => match ready!(pieces.as_mut().poll_next(cx)) {
                    Some(bytes) => return Poll::Ready(Some(ReplyPiece::Bytes(bytes))),
                    // A stream must not be polled after its end.
                    None => {
                        let trailers = trailers.take();
                        *self = Self::Whole(Bytes::new(), trailers);
                    }
                },
            }
        }
    }

    /// True if neither bytes nor trailers are left to send.
    pub(super) fn is_at_end(&self) -> bool {
        matches!(self, Self::Whole(bytes, None) if bytes.is_empty())
    }

    /// Returns the number of bytes left, if it is known and the head tells it.
    pub(super) fn len(&self) -> Option<u64> {
        match self {
            Self::Whole(bytes, None) => Some(bytes.len() as u64),
            Self::Whole(_, Some(_)) | Self::Stream(..) => None,
        }
    }
}
