//! Recognition of answers that refuse a request for its size.
//!
//! OTLP has HTTP 413 and gRPC RESOURCE_EXHAUSTED for a request over a size limit. But tonic answers OUT_OF_RANGE, older
//! servers UNKNOWN or INTERNAL, and the Collector's HTTP receiver 400: there the message decides. Messages count only with
//! statuses that servers use for sizes.

use crate::Code;

/// True if a gRPC status without a delay refuses the request for its size.
pub(super) fn grpc(code: Code, message: &str) -> bool {
    let may_mean_size = matches!(
        code,
        Code::Internal | Code::InvalidArgument | Code::OutOfRange | Code::ResourceExhausted | Code::Unknown
    );
    may_mean_size && names_size_limit(message)
}

/// True if an HTTP status refuses the request for its size.
pub(super) fn http(status: u16, message: &str) -> bool {
    status == 413 || (matches!(status, 400 | 422 | 500) && names_size_limit(message))
}

/// True if a text says that a message or body is over a size limit.
fn names_size_limit(message: &str) -> bool {
    let beginning = message.as_bytes().get(..MAX_READ_BYTES).unwrap_or(message.as_bytes());
    let text = beginning.to_ascii_lowercase();
    TEXTS.iter().any(|wanted| text.windows(wanted.len()).any(|window| window == wanted.as_bytes()))
}

/// Texts in lower case, with the servers that write them.
const TEXTS: &[&str] = &[
    // grpc-go, gRPC core (C++, Python, Ruby, PHP), grpc-node: "received message larger than max (N vs. M)".
    "larger than max",
    // grpc-java: "gRPC message exceeds maximum size M: N".
    "exceeds maximum size",
    // grpc-dotnet: "Received message exceeds the maximum configured message size."
    "exceeds the maximum configured message size",
    // tonic: "decoded message length too large: found N bytes, the limit is: M bytes".
    "length too large",
    // Go's net/http, and with it the Collector's HTTP receiver.
    "request body too large",
    // nginx, Node's body-parser.
    "request entity too large",
    // RFC 9110's reason phrases of 413, as proxies write them into a page.
    "payload too large",
    "content too large",
    // Ours, and the keys that servers of OTLP name.
    "is over the request limit",
    "is over max_request_bytes",
    "bytes is over the limit",
    "max_request_body_size",
    "max_recv_msg_size",
];

/// Length of the beginning of a text that is searched: servers may send a whole page.
const MAX_READ_BYTES: usize = 1024;
