//! Tests of the client: `cargo test -p otlp-service --no-default-features --features client,grpc,http --test client`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(all(feature = "grpc", feature = "http"))]
#[path = "client/connect.rs"]
mod connect;
#[cfg(unix)]
#[path = "client/forks.rs"]
mod forks;
#[cfg(all(feature = "grpc", feature = "http"))]
#[path = "client/hangs.rs"]
mod hangs;
#[path = "client/propagation.rs"]
mod propagation;
#[cfg(feature = "tower")]
#[path = "client/tower.rs"]
mod tower;
