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

mod fixtures;
mod harness;

#[cfg(feature = "tls")]
mod auth;
mod balance;
#[cfg(feature = "tls")]
mod certificates;
mod client;
mod fifth_signal;
mod hops;
#[cfg(feature = "tls")]
mod pages;
mod server_authority;
mod server_cors;
mod server_early;
mod server_grpc;
mod server_health;
mod server_http;
mod server_idle;
mod server_ids;
mod server_json;
mod server_life;
mod server_memory;
mod server_multiplex;
mod server_origin;
mod server_retire;
mod sink;
mod strangers;
#[cfg(feature = "tls")]
mod tls_reload;
#[cfg(feature = "tls")]
mod tls_server;
#[cfg(feature = "tls")]
mod tls_trust;
#[cfg(feature = "tonic")]
mod tonic_server;
mod trace_context;
#[cfg(feature = "tls")]
mod version1;
