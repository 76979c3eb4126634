//! The error of an export: its kind, and whether the batch may be sent again.

use otlp_protocol::{
    BudgetExhausted, Code, ErrorKind, FieldViolation, Retry, RpcStatus, classify_grpc_refusal,
    classify_http_refusal, grpc_code,
};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A failed export. `Clone`, since one failure may answer many waiters.
#[derive(Clone)]
pub struct ExportError(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    retry: Retry,
    message: String,
    violations: Vec<FieldViolation>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ExportError {
    /// Makes an error of this kind. `message` is for the sender's developer, in English. A message over 1 KiB, such as a
    /// text of a destination, is cut: one failure may answer many waiters.
    pub fn new(kind: ErrorKind, retry: Retry, message: impl Into<String>) -> Self {
        let message = truncated(message.into());
        Self(Arc::new(Inner { kind, retry, message, violations: Vec::new(), source: None }))
    }

    /// Makes a retryable refusal with a delay of one second.
    pub fn refused(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::new(kind, Retry::After(REFUSAL_DELAY), message)
    }

    /// Makes an error of a gRPC server's answer: code, message, and the delay of its `RetryInfo`, if any. A message that
    /// names a size limit makes [`ErrorKind::TooLarge`] of the codes that servers use for size.
    pub fn from_grpc(code: Code, message: String, delay: Option<Duration>) -> Self {
        let (kind, retry) = classify_grpc_refusal(code, delay, &message);
        Self::new(kind, retry, message)
    }

    /// Makes an error of an HTTP server's answer: status, message and `Retry-After`. A message that names a size limit
    /// makes [`ErrorKind::TooLarge`] of 400, 422 and 500.
    pub fn from_http(status: u16, message: String, delay: Option<Duration>) -> Self {
        let (kind, retry) = classify_http_refusal(status, delay, &message);
        Self::new(kind, retry, message)
    }

    /// Sets the cause.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let Inner { kind, retry, message, violations, .. } = self.into_inner();
        Self(Arc::new(Inner { kind, retry, message, violations, source: Some(source.into()) }))
    }

    /// Adds an offending field. The first 16 fields are kept, and the first 1 KiB of each text.
    #[must_use]
    pub fn with_violation(self, violation: FieldViolation) -> Self {
        let Inner { kind, retry, message, mut violations, source } = self.into_inner();
        if violations.len() < MAX_VIOLATIONS {
            let FieldViolation { field, description } = violation;
            violations.push(FieldViolation { field: truncated(field), description: truncated(description) });
        }
        Self(Arc::new(Inner { kind, retry, message, violations, source }))
    }

    /// Replaces the retry classification.
    #[must_use]
    pub fn with_retry(self, retry: Retry) -> Self {
        let Inner { kind, message, violations, source, .. } = self.into_inner();
        Self(Arc::new(Inner { kind, retry, message, violations, source }))
    }

    /// Returns the kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns whether the same bytes may be sent again.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Returns the message for the sender.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the error as `google.rpc.Status`, with `RetryInfo` and `BadRequest` where they apply.
    pub fn to_status(&self) -> RpcStatus {
        let mut status = RpcStatus::new(grpc_code(self.kind(), self.retry()), self.message());
        if let Retry::After(delay) = self.retry() {
            status.retry_delay = Some(delay);
        }
        status.violations.clone_from(&self.0.violations);
        status
    }

    /// Unwraps the error if it is not shared; otherwise copies all but the source.
    fn into_inner(self) -> Inner {
        Arc::try_unwrap(self.0).unwrap_or_else(|shared| Inner {
            kind: shared.kind,
            retry: shared.retry,
            message: shared.message.clone(),
            violations: shared.violations.clone(),
            source: None,
        })
    }
}

impl From<BudgetExhausted> for ExportError {
    fn from(exhausted: BudgetExhausted) -> Self {
        if exhausted.never_fits() {
            let BudgetExhausted { limit, needed } = exhausted;
            let message =
                format!("the request needs {needed} bytes of memory, over the memory budget of {limit}");
            return Self::new(ErrorKind::TooLarge, Retry::Never, message);
        }
        Self::refused(ErrorKind::Exhausted, exhausted.to_string())
    }
}

impl fmt::Debug for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportError")
            .field("kind", &self.kind())
            .field("retry", &self.retry())
            .field("message", &self.message())
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for ExportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Cuts a text to [`MAX_TEXT_BYTES`], ending in an ellipsis.
fn truncated(mut text: String) -> String {
    if text.len() > MAX_TEXT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES - ELLIPSIS.len()));
        text.push_str(ELLIPSIS);
        text.shrink_to_fit();
    }
    text
}

/// Limit on the message, and on each text of a violation.
const MAX_TEXT_BYTES: usize = 1 << 10;
const MAX_VIOLATIONS: usize = 16;
const ELLIPSIS: &str = "…";
/// Long enough for a queue or the byte budget to move, short enough for senders not to drop the data.
const REFUSAL_DELAY: Duration = Duration::from_secs(1);
