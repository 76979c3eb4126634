//! Bodies of pages: whole, or made part by part.

use crate::Compressor;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use otlp_protocol::{BufferPool, Payload};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The body of an answer.
pub(super) enum Document {
    Whole(Bytes),
    Parted { parts: Box<dyn FnMut() -> Option<Bytes> + Send>, compressor: Option<&'static dyn Compressor> },
}

/// True if the header `accept-encoding` names gzip, and not with a weight of 0.
pub(super) fn accepts_gzip(accepted: &str) -> bool {
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

// === impl Document ===

impl Document {
    /// A body whose parts are made when the connection can take them. With a compressor each part is a stream of its own, which
    /// readers of gzip join: RFC 1952 §2.2.
    pub(super) fn parted(
        parts: Box<dyn FnMut() -> Option<Bytes> + Send>,
        compressor: Option<&'static dyn Compressor>,
    ) -> Self {
        Self::Parted { parts, compressor }
    }
}

impl Default for Document {
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl From<String> for Document {
    fn from(text: String) -> Self {
        Self::Whole(text.into())
    }
}

impl Body for Document {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = match self.get_mut() {
            Self::Whole(whole) if whole.is_empty() => None,
            Self::Whole(whole) => Some(std::mem::take(whole)),
            Self::Parted { parts, compressor: None } => parts(),
            // The compressor refuses nothing: see `CompressError`.
            Self::Parted { parts, compressor: Some(compressor) } => {
                parts().and_then(|part| compressor.compress(&Payload::from(part), &BufferPool::new(0)).ok())
            }
        };
        Poll::Ready(part.map(|part| Ok(Frame::data(part))))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => SizeHint::with_exact(whole.len() as u64),
            Self::Parted { .. } => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::accepts_gzip;

    #[test]
    fn gzip_is_named_with_a_weight() {
        let accepting = ["gzip", "deflate, GZIP;q=0.5", "br;q=1, gzip; q=1"];
        assert!(accepting.into_iter().all(accepts_gzip));
        assert!(!["", "identity", "gzip;q=0", "zstd, *", "gzip;q=x"].into_iter().any(accepts_gzip));
    }
}
