//! Integration tests of otlp-transport.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share may panic like the tests themselves"
)]

/// Makes a test for each engine of each function, which takes the engine.
macro_rules! on_each_engine {
    ($($suite:ident),+ $(,)?) => {
        on_each_engine!(@over_sockets Hyper: $($suite),+);
        on_each_engine!(@in_memory Memory: $($suite),+);
    };
    (@$module:ident $engine:ident: $($suite:ident),+) => {
        mod $module {
            $(
                #[tokio::test]
                async fn $suite() {
                    super::$suite($crate::harness::engines::Engine::$engine).await;
                }
            )+
        }
    };
}

#[path = "transport/fixtures.rs"]
mod fixtures;
#[path = "transport/harness.rs"]
mod harness;

#[cfg(feature = "tls")]
#[path = "transport/auth.rs"]
mod auth;
#[path = "transport/balance.rs"]
mod balance;
#[cfg(feature = "tls")]
#[path = "transport/certificates.rs"]
mod certificates;
#[path = "transport/client.rs"]
mod client;
#[path = "transport/fifth_signal.rs"]
mod fifth_signal;
#[path = "transport/hops.rs"]
mod hops;
#[path = "transport/server_authority.rs"]
mod server_authority;
#[path = "transport/server_cors.rs"]
mod server_cors;
#[path = "transport/server_early.rs"]
mod server_early;
#[path = "transport/server_grpc.rs"]
mod server_grpc;
#[path = "transport/server_health.rs"]
mod server_health;
#[path = "transport/server_http.rs"]
mod server_http;
#[path = "transport/server_idle.rs"]
mod server_idle;
#[path = "transport/server_ids.rs"]
mod server_ids;
#[path = "transport/server_json.rs"]
mod server_json;
#[path = "transport/server_life.rs"]
mod server_life;
#[path = "transport/server_memory.rs"]
mod server_memory;
#[path = "transport/server_multiplex.rs"]
mod server_multiplex;
#[path = "transport/server_origin.rs"]
mod server_origin;
#[path = "transport/server_retire.rs"]
mod server_retire;
#[path = "transport/sink.rs"]
mod sink;
#[path = "transport/strangers.rs"]
mod strangers;
#[cfg(feature = "tls")]
#[path = "transport/tls_reload.rs"]
mod tls_reload;
#[cfg(feature = "tls")]
#[path = "transport/tls_server.rs"]
mod tls_server;
#[cfg(feature = "tls")]
#[path = "transport/tls_trust.rs"]
mod tls_trust;
#[cfg(feature = "tonic")]
#[path = "transport/tonic_server.rs"]
mod tonic_server;
#[path = "transport/trace_context.rs"]
mod trace_context;
#[cfg(feature = "tls")]
#[path = "transport/version1.rs"]
mod version1;
