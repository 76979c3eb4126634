//! Reasons of refusals, as named in log lines.

use otlp_protocol::ErrorKind;

/// Reason to refuse a request or a connection. The names equal those of counters where a counter has the same meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Reason {
    /// Too many passwords are being checked, or too many large bodies.
    Busy,
    /// The content type is not supported.
    ContentType,
    CredentialsMissing,
    CredentialsWrong,
    /// The content encoding is not supported.
    Encoding,
    /// Headers over the limit; on HTTP/2 any refused headers, and requests reset at once.
    Headers,
    /// The receiver has had the request before.
    Loop,
    /// Not OTLP, or corrupt.
    Malformed,
    /// The memory budget is used up.
    Memory,
    /// Path, method or signal is not served.
    NotServed,
    Other,
    /// The pipeline refused a batch for good.
    PipelineFailed,
    /// The pipeline accepts nothing now: a queue is full, or a destination does not answer.
    PipelineRefused,
    /// The body arrived too slowly.
    Slow,
    TooLarge,
    /// gRPC on the HTTP port, or HTTP on the gRPC port.
    WrongPort,
    /// The system provides no connection, such as for lack of file descriptors.
    Accept,
    /// The limit of connections is reached, and all have requests in flight.
    ConnectionLimit,
    /// The peer violated HTTP.
    Protocol,
    TlsHandshake,
    /// TLS on a port without TLS.
    TlsUnexpected,
}

/// Subject of a log line.
pub(super) enum Subject {
    Request,
    Connection,
    Listener,
}

// === impl Reason ===

impl Reason {
    /// All reasons, in the order of their numbers.
    pub(super) const ALL: [Self; 21] = [
        Self::Busy,
        Self::ContentType,
        Self::CredentialsMissing,
        Self::CredentialsWrong,
        Self::Encoding,
        Self::Headers,
        Self::Loop,
        Self::Malformed,
        Self::Memory,
        Self::NotServed,
        Self::Other,
        Self::PipelineFailed,
        Self::PipelineRefused,
        Self::Slow,
        Self::TooLarge,
        Self::WrongPort,
        Self::Accept,
        Self::ConnectionLimit,
        Self::Protocol,
        Self::TlsHandshake,
        Self::TlsUnexpected,
    ];

    /// Returns the reason for a request that the server itself refuses.
    pub(in crate::server) fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Exhausted => Self::Memory,
            ErrorKind::InvalidData => Self::Malformed,
            ErrorKind::Loop => Self::Loop,
            ErrorKind::Timeout => Self::Slow,
            ErrorKind::TooLarge => Self::TooLarge,
            ErrorKind::Unavailable => Self::Busy,
            ErrorKind::Unimplemented => Self::NotServed,
            ErrorKind::UnsupportedMediaType => Self::ContentType,
            ErrorKind::UnsupportedEncoding => Self::Encoding,
            _ => Self::Other,
        }
    }

    /// Returns the value of the log field `reason`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::ContentType => "content_type",
            Self::CredentialsMissing => "credentials_missing",
            Self::CredentialsWrong => "credentials_wrong",
            Self::Encoding => "encoding",
            Self::Headers => "headers",
            Self::Loop => "loop",
            Self::Malformed => "malformed",
            Self::Memory => "memory",
            Self::NotServed => "not_served",
            Self::Other => "other",
            Self::PipelineFailed => "pipeline_failed",
            Self::PipelineRefused => "pipeline_refused",
            Self::Slow => "slow",
            Self::TooLarge => "too_large",
            Self::WrongPort => "wrong_port",
            Self::Accept => "accept",
            Self::ConnectionLimit => "connection_limit",
            Self::Protocol => "protocol",
            Self::TlsHandshake => "tls_handshake",
            Self::TlsUnexpected => "tls_unexpected",
        }
    }

    pub(super) fn subject(self) -> Subject {
        match self {
            Self::Accept => Subject::Listener,
            Self::ConnectionLimit | Self::Protocol | Self::TlsHandshake | Self::TlsUnexpected => {
                Subject::Connection
            }
            _ => Subject::Request,
        }
    }
}
