//! Clients of one destination each, which make one attempt for each batch.
//!
//! A client borrows a [`Batch`](otlp_protocol::Batch), compresses and frames the request, sends the request over a pooled
//! connection and reads the answer. The service layer retries, with one exception: a request that the server cannot have
//! processed (GOAWAY, REFUSED_STREAM, a connection that was closed before anything was written) is sent once more at
//! once, on another connection.

mod activity;
mod attempt;
#[cfg(feature = "grpc")]
mod coalesce;
mod connect;
mod encoding;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
#[cfg(feature = "http")]
mod get;
mod greeting;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "http")]
mod http;
#[cfg_attr(not(feature = "http"), path = "client/http1/absent.rs")]
mod http1;
#[cfg_attr(not(feature = "grpc"), path = "client/http2/absent.rs")]
mod http2;
mod pool;
mod proxy;
mod room;
mod send_error;
mod stats;

pub(crate) use attempt::is_reserved;
#[cfg(feature = "http")]
pub use get::http_get;
#[cfg(feature = "grpc")]
pub use grpc::GrpcClient;
#[cfg(feature = "http")]
pub use http::HttpClient;
pub use pool::{ConnectionPool, PooledConnection};
pub(crate) use room::{Place, Room, Rooms};
pub use stats::ClientStats;
