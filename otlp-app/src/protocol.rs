//! The two transports of OTLP, by name.

use otlp_transport::{GrpcTransportStrategy, HttpTransportStrategy, TransportStrategy};
use std::sync::Arc;

/// A transport of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP with protobuf.
    Http,
}

impl Protocol {
    /// Returns the implementation of client and server.
    pub(crate) fn strategy(self) -> Arc<dyn TransportStrategy> {
        match self {
            Self::Grpc => Arc::new(GrpcTransportStrategy),
            Self::Http => Arc::new(HttpTransportStrategy),
        }
    }
}
