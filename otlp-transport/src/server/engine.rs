//! Between the server and the protocol engine that speaks HTTP for it: what a request is, how the pieces of its body are
//! pulled, and what a reply is. An engine hands requests to a [`Service`], and asks a connection's
//! [`Life`](super::connection::Life) when to close it. Neither side knows more of the other: `hyper` is one engine, tests have
//! another one, without sockets.

use super::http::Fault;
use super::peer::Peer;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode, Uri};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Answers requests.
pub(super) trait Service: Send + Sync + 'static {
    /// Answers a request, whatever it is. A body that is not read to its end is dropped with the reply's future.
    fn respond<B: RequestBody>(
        self: &Arc<Self>,
        request: Request<B>,
        peer: &Arc<Peer>,
    ) -> impl Future<Output = Reply> + Send + use<Self, B>;
}

/// HTTP versions, as far as the difference matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// HTTP/1.0 and HTTP/1.1.
    Http1,
    Http2,
}

/// A request whose head has come.
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
    /// What is wrong with it. The connection must not be used after the reply.
    pub(super) fault: Option<Fault>,
}

/// The body of a request, on its way off a connection.
pub(crate) trait RequestBody: Send + Unpin + 'static {
    /// The next piece, which is not empty; `None` at the end. A piece may be a slice of a read buffer, of
    /// [`Version::read_buffer_bytes`]. Trailers are skipped.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenBody>>>;

    /// Whether the end is known to be reached. False does not mean that more will come.
    fn is_at_end(&self) -> bool;

    /// How many bytes are left, if the head told.
    fn remaining(&self) -> Option<u64>;
}

/// Why a body broke off.
pub(crate) struct BrokenBody {
    /// Whether the peer is gone, rather than sending what is no body.
    pub(crate) is_gone: bool,
    pub(crate) cause: Box<dyn std::error::Error + Send + Sync>,
}

/// An answer.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: ReplyBody,
}

/// What follows a reply's head.
pub(crate) enum ReplyBody {
    /// All there is, perhaps nothing. Without trailers the length is told in the head.
    Whole(Bytes, Option<HeaderMap>),
    /// One piece after the other, then trailers.
    Stream(BoxStream<'static, Bytes>, Option<HeaderMap>),
}

/// A part of a [`ReplyBody`].
pub(crate) enum ReplyPiece {
    Bytes(Bytes),
    Trailers(HeaderMap),
}

// === impl Version ===

impl Version {
    /// The size of the buffer that a connection is read into. HTTP/1.1: 100 spans in JSON, 120 KB, are read at once.
    /// HTTP/2: of the largest frame; 100 spans, 60 KB, come in one frame.
    pub(super) const fn read_buffer_bytes(self) -> usize {
        match self {
            Self::Http1 => 128 << 10,
            Self::Http2 => 64 << 10,
        }
    }
}

// === impl Head ===

impl Head {
    /// The path of its target, without a query.
    pub(super) fn path(&self) -> &str {
        self.target.path()
    }
}

// === impl ReplyBody ===

impl ReplyBody {
    /// Nothing: the reply ends with its head.
    pub(super) const NONE: Self = Self::Whole(Bytes::new(), None);

    /// What is to be sent next; `None` at the end.
    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<ReplyPiece>> {
        loop {
            match self {
                Self::Whole(bytes, trailers) if bytes.is_empty() => {
                    return Poll::Ready(trailers.take().map(ReplyPiece::Trailers));
                }
                Self::Whole(bytes, _) => return Poll::Ready(Some(ReplyPiece::Bytes(std::mem::take(bytes)))),
                Self::Stream(pieces, trailers) => match ready!(pieces.as_mut().poll_next(cx)) {
                    Some(bytes) => return Poll::Ready(Some(ReplyPiece::Bytes(bytes))),
                    // A stream must not be asked again.
                    None => {
                        let trailers = trailers.take();
                        *self = Self::Whole(Bytes::new(), trailers);
                    }
                },
            }
        }
    }

    /// Whether nothing is left to be sent, neither bytes nor trailers.
    pub(super) fn is_at_end(&self) -> bool {
        matches!(self, Self::Whole(bytes, None) if bytes.is_empty())
    }

    /// How many bytes are left, if that is known and told in the head.
    pub(super) fn len(&self) -> Option<u64> {
        match self {
            Self::Whole(bytes, None) => Some(bytes.len() as u64),
            Self::Whole(_, Some(_)) | Self::Stream(..) => None,
        }
    }
}
