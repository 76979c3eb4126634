//! Why a server refuses, as log lines name it.

use otlp_protocol::ErrorKind;

/// Why a request or a connection is refused. The names are those of the counters where they tell as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Reason {
    /// Another check of a password could not be begun, or a large body had no turn.
    Busy,
    /// The content type is not one that is served.
    ContentType,
    CredentialsMissing,
    CredentialsWrong,
    /// The content encoding is not one that is served.
    Encoding,
    /// Headers over the limit; on HTTP/2 any that are refused, and requests reset at once.
    Headers,
    /// The receiver has had the request before.
    Loop,
    /// Not OTLP, or corrupt.
    Malformed,
    /// No room in the memory budget.
    Memory,
    /// Path, method or signal are not served.
    NotServed,
    Other,
    /// The pipeline refused a batch for good.
    PipelineFailed,
    /// The pipeline takes nothing now: a queue is full, or a destination does not answer.
    PipelineRefused,
    /// The body came too slowly.
    Slow,
    TooLarge,
    /// gRPC to the HTTP port, or the reverse.
    WrongPort,
    /// The system gives no connection, as for want of file descriptors.
    Accept,
    /// All connections that may be open have requests under way.
    ConnectionLimit,
    /// The peer broke the rules of HTTP.
    Protocol,
    TlsHandshake,
    /// TLS to a port without TLS.
    TlsUnexpected,
}

/// What a reason is about.
pub(super) enum Subject {
    Request,
    Connection,
    Listener,
}

// === impl Reason ===

impl Reason {
    /// All of them, in the order of their numbers.
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

    /// Of a request that the server itself refuses.
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

    /// As in the field `reason`.
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
