//! Integration tests of otlp-transport.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share may panic like the tests themselves"
)]

#[path = "transport/fixtures.rs"]
mod fixtures;
#[path = "transport/harness.rs"]
mod harness;

#[path = "transport/client.rs"]
mod client;
#[path = "transport/server_grpc.rs"]
mod server_grpc;
#[path = "transport/server_http.rs"]
mod server_http;
#[path = "transport/server_life.rs"]
mod server_life;
