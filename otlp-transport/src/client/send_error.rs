//! Why a connection did not bring an answer, and whether the server can have seen the request.

use crate::ExportError;
use h2::Reason;
use otlp_protocol::{Code, ErrorKind, Retry};

/// A request without an answer.
#[derive(Debug)]
pub(crate) enum SendError {
    /// The server cannot have processed it: it may be sent again at once, elsewhere.
    Unprocessed(ExportError),
    /// It may have been processed.
    Failed(ExportError),
}

// === impl SendError ===

impl SendError {
    /// The stream or its connection broke off. gRPC's mapping of RST_STREAM (PROTOCOL-HTTP2 §Errors).
    pub(crate) fn from_h2(error: h2::Error) -> Self {
        let message = format!("the server did not answer: {error}");
        // A GOAWAY from the peer reaches only the streams above its last-stream-id: those were never processed
        // (RFC 9113 §6.8). The others go on, and end with the connection.
        if error.is_go_away() && error.is_remote() {
            return Self::Unprocessed(disconnected(message).with_source(error));
        }
        let failed = match error.reason().filter(|_| error.is_reset()) {
            Some(Reason::REFUSED_STREAM) => {
                return Self::Unprocessed(disconnected(message).with_source(error));
            }
            Some(Reason::CANCEL) => ExportError::from_grpc(Code::Cancelled, message, None),
            // Transport-level throttling is not the OTLP answer RESOURCE_EXHAUSTED, which would be final.
            Some(Reason::ENHANCE_YOUR_CALM) => {
                ExportError::from_grpc(Code::ResourceExhausted, message, None).with_retry(Retry::Backoff)
            }
            Some(_) => ExportError::from_grpc(Code::Internal, message, None),
            None => disconnected(message),
        };
        Self::Failed(failed.with_source(error))
    }

    /// The same, naming the endpoint, and what is mixed up if anything is.
    pub(crate) fn explained(self, endpoint: &str, mix_up: Option<&str>) -> Self {
        let explain = |error: ExportError| {
            let because = mix_up.map(|mix_up| format!("; {mix_up}")).unwrap_or_default();
            let message = format!("{endpoint}: {error}{because}");
            ExportError::new(error.kind(), error.retry(), message).with_source(error)
        };
        match self {
            Self::Unprocessed(error) => Self::Unprocessed(explain(error)),
            Self::Failed(error) => Self::Failed(explain(error)),
        }
    }

    /// An HTTP/1.1 connection broke off before the answer was complete.
    pub(crate) fn from_hyper(error: hyper::Error) -> Self {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        Self::Failed(disconnected(format!("the server did not answer: {error}{cause}")).with_source(error))
    }
}

/// OTLP §All Other Responses: a disconnect without a response is retried with backoff.
fn disconnected(message: String) -> ExportError {
    ExportError::new(ErrorKind::Unavailable, Retry::Backoff, message)
}
