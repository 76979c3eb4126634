//! Tests of the client: `cargo test -p otlp-service --no-default-features --features client,grpc,http --test client`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(all(feature = "grpc", feature = "http"))]
mod connect;
#[cfg(unix)]
mod forks;
#[cfg(all(feature = "grpc", feature = "http"))]
mod hangs;
mod propagation;
#[cfg(feature = "tower")]
mod tower;
