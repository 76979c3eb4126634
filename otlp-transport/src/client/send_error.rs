//! Failures of a request on a connection, which say whether the server can have seen the request.

use crate::ExportError;
use otlp_protocol::{ErrorKind, Retry};

/// A request without an answer.
#[derive(Debug)]
pub(crate) enum SendError {
    /// The server cannot have processed the request, which may be sent again at once, on another connection.
    Unprocessed(ExportError),
    /// The server may have processed the request.
    Failed(ExportError),
}

// === impl SendError ===

impl SendError {
    /// Adds the endpoint's name, and `mix_up`, the protocol that the server speaks instead.
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
}

/// OTLP §All Other Responses: a disconnect without a response is retried with backoff.
pub(super) fn disconnected(message: String) -> ExportError {
    ExportError::new(ErrorKind::Unavailable, Retry::Backoff, message)
}
