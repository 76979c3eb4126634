//! Ways to speak OTLP: gRPC, HTTP, or both on one port, interchangeable at run time. Another way is one more file with an
//! `impl` of [`ServerStrategy`], of [`ClientStrategy`], or of both.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "http")]
mod http;
#[cfg(all(feature = "server", feature = "grpc", feature = "http"))]
mod multiplex;
#[cfg(feature = "server")]
mod server;

#[cfg(feature = "client")]
pub use client::{Client, ClientStrategy};
#[cfg(feature = "grpc")]
pub use grpc::GrpcTransportStrategy;
#[cfg(feature = "http")]
pub use http::HttpTransportStrategy;
#[cfg(all(feature = "server", feature = "grpc", feature = "http"))]
pub use multiplex::MultiplexTransportStrategy;
#[cfg(feature = "server")]
pub use server::{BindFuture, ServerStrategy};

/// Both ends of a way to speak OTLP: every [`ServerStrategy`] that is a [`ClientStrategy`] too.
///
/// ```
/// use otlp_transport::{GrpcTransportStrategy, HttpTransportStrategy, TransportStrategy};
///
/// /// The protocol of a setting, chosen at run time.
/// fn protocol(name: &str) -> Option<&'static dyn TransportStrategy> {
///     match name {
///         "grpc" => Some(&GrpcTransportStrategy),
///         "http/protobuf" | "http/json" => Some(&HttpTransportStrategy),
///         _ => None,
///     }
/// }
/// assert_eq!(protocol("grpc").unwrap().name(), "grpc");
/// ```
#[cfg(all(feature = "client", feature = "server"))]
pub trait TransportStrategy: ServerStrategy + ClientStrategy {}

#[cfg(all(feature = "client", feature = "server"))]
impl<S: ServerStrategy + ClientStrategy> TransportStrategy for S {}
