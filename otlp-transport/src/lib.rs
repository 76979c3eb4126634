//! OTLP over sockets: gRPC and HTTP servers that hand on checked batches, and clients that make one attempt to deliver a
//! batch; with compression, TLS, authentication, connection pools and balancing over several endpoints.
//!
//! ```toml
//! [dependencies]
//! otlp-transport = "0.1"
//! ```
//!
//! A server and a client:
//!
//! ```
//! use otlp_protocol::encode::LogRecords;
//! use otlp_protocol::{Accepted, Batch, Body, Charge};
//! use otlp_transport::{
//!     BoxExport, ClientConfig, Export, GrpcClient, GrpcTransportStrategy, Routes, ServerConfig, ServerStrategy,
//!     TransportContext,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let context = TransportContext::tcp(64 << 20); // at most 64 MiB of bodies in memory
//! let routes = Routes::all(BoxExport::from_fn(|batch: Batch| async move {
//!     println!("{} {}", batch.items(), batch.signal().items_noun);
//!     Ok(Accepted::FULL) // the acknowledgement
//! }));
//! let server = GrpcTransportStrategy.bind(&context, ServerConfig::new("127.0.0.1:0"), routes).await?;
//!
//! let client = GrpcClient::new(&context, &ClientConfig::new(format!("http://{}", server.local_addr())))?;
//! let body = Body::write::<LogRecords>(|request| {
//!     request.resource_group(|group| {
//!         group.scope_group(|scope| {
//!             scope.log_record(|record| {
//!                 record.body("checked out");
//!             });
//!         });
//!     });
//! });
//! assert_eq!(client.export(Batch::new(body, Charge::none())).await?, Accepted::FULL);
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! An HTTP client alone is `default-features = false, features = ["client", "http"]`; add `tls` for `https://` endpoints.
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `client` | yes | clients of what is compiled in of `grpc` and `http`; credentials, proxies, balancing |
//! | `server` | yes | servers of what is compiled in of `grpc` and `http`; authentication, health, pages |
//! | `grpc` | yes | OTLP/gRPC, and HTTP/2 for OTLP/HTTP |
//! | `http` | yes | OTLP/HTTP over HTTP/1.1 |
//! | `tls` | yes | TLS by rustls and ring |
//! | `gzip`, `zstd`, `brotli`, `deflate`, `snappy`, `lz4` | yes | a content encoding each, in both directions |
//! | `basic-auth` | yes | bcrypt hashes in htpasswd files |
//! | `testing` | no | [`testing::Sink`], a server that keeps what it receives, for tests of exporters; [`testing::FaultyDisk`], for tests of what is written to files |
//! | `tonic` | no | [`tonic::services`], OTLP services for a tonic server with other services |
//!
//! # Main types
//!
//! | to | use |
//! |---|---|
//! | connect components | [`Export`], [`Attempt`]; [`BoxExport`], [`BoxAttempt`]; [`ExportError`] says if the same bytes may be sent again |
//! | receive | [`GrpcTransportStrategy`], [`HttpTransportStrategy`], [`MultiplexTransportStrategy`] (both on one port): [`ServerStrategy::bind`] → [`Server`]; [`Routes`], [`ServerConfig`], [`ServerLimits`], [`ServerStats`] |
//! | send | [`GrpcClient`], [`HttpClient`]; [`ClientConfig`], [`ClientLimits`], [`ClientStats`]; [`ClientStrategy`] if the protocol is chosen at run time |
//! | send to several endpoints | [`BalancedClient`], [`BalancePolicy`], [`FixedResolver`], [`DnsResolver`] |
//! | authenticate senders | [`ServerConfig::auth`]: [`ApiKeyAuth`], [`BasicAuth`], [`BearerAuth`], [`ClientCertificateAuth`], or an own [`Authenticate`] |
//! | authenticate to servers | [`ClientConfig::credentials`]: [`BasicCredentials`], [`BearerCredentials`], [`HeadersSetter`], or own [`Credentials`] |
//! | encrypt | [`ServerConfig::tls`]: [`ServerTlsConfig`]; [`ClientConfig::tls`]: [`TlsConfig`] |
//! | pass in time, network, files, memory | [`TransportContext`]; [`Clock`], [`Net`], [`Disk`] |
//! | compress alone | [`codec`], [`accepted_encodings`]; [`AdaptiveCompressor`] chooses by what it measures |
//! | serve metrics and health | [`serve_pages`] |
//!
//! A setting that cannot work is a [`ConfigError`], from [`ServerStrategy::bind`] and from making a client alike.
//!
//! # Notes
//!
//! * A client makes **one attempt**: wrap it in `ExponentialBackoffRetry` of otlp-service for retries, or send again what
//!   [`ExportError::retry`] allows. Only a request that the server cannot have processed (GOAWAY, REFUSED_STREAM, a connection
//!   closed before anything was written) is sent once more at once, on another connection.
//! * A gRPC endpoint without a scheme is TLS: write `http://host:port` for cleartext.
//! * Requests are not compressed unless [`ClientConfig::compression`] says so; the Collector's exporters default to gzip.
//! * Servers check each body (UTF-8, ids, limits) before they hand it on, and charge it to [`TransportContext::budget`]. A
//!   body is released when its last [`Batch`](otlp_protocol::Batch) is dropped.
//! * All limits, with their defaults and counters, are fields of [`ServerLimits`], [`ClientLimits`] and [`BalanceLimits`].
//!
//! This crate knows no pipelines, queues, retry policy or configuration files; they are in otlp-service and otlp-app.

#![cfg_attr(
    not(all(feature = "client", feature = "server", feature = "grpc", feature = "http")),
    allow(dead_code, reason = "what the two ends and the two protocols share, each of them uses in part")
)]
#![warn(missing_debug_implementations)]

mod auth;
#[cfg(feature = "client")]
mod balance;
mod certificates;
#[cfg(feature = "client")]
mod client;
mod clock;
mod compression;
mod config;
mod connections;
mod context;
mod counter;
mod disk;
#[cfg(feature = "client")]
mod endpoint;
mod error;
mod export;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod log_limiter;
mod net;
pub mod offload;
#[cfg(feature = "server")]
mod pages;
#[cfg(feature = "client")]
mod resolve;
mod routes;
#[cfg(feature = "server")]
mod server;
mod strategy;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(any(feature = "client", feature = "server"))]
#[cfg_attr(not(feature = "tls"), path = "tls/absent.rs")]
mod tls;
#[cfg(feature = "tonic")]
pub mod tonic;
#[cfg(feature = "client")]
mod user_info;

#[cfg(any(feature = "client", feature = "server"))]
pub use auth::BearerConfig;
#[cfg(feature = "server")]
pub use auth::{
    ApiKey, ApiKeyAuth, AuthRequest, Authenticate, BasicAuth, BearerAuth, ClientCertificateAuth, Denied,
    Htpasswd, Identity, NameKind, PeerCertificate, SlowCheck, Verdict,
};
#[cfg(feature = "client")]
pub use auth::{
    BasicCredentials, BearerCredentials, Credentials, HeaderAction, HeaderSource, HeadersSetter, Password,
    SetHeader, Username,
};
pub use auth::{OnEmpty, Secret};
#[cfg(feature = "client")]
pub use balance::{
    BalanceConfig, BalanceLimits, BalancePolicy, BalanceStats, BalancedClient, Candidate,
    ConsistentHashStrategy, EjectionConfig, EndpointState, EndpointStats, EndpointStatus, LATENCY_BOUNDS_MS,
    LeastConnectionsStrategy, LoadBalancingStrategy, RoundRobinStrategy, RoutingKey,
    WeightedRoundRobinStrategy, hash_key,
};
pub use certificates::Certificates;
#[cfg(all(feature = "client", feature = "grpc"))]
pub use client::GrpcClient;
#[cfg(feature = "client")]
pub use client::{ClientStats, ConnectionPool, PooledConnection};
#[cfg(all(feature = "client", feature = "http"))]
pub use client::{HttpClient, http_get};
pub use clock::{Clock, Sleep, TokioClock};
#[cfg(feature = "client")]
pub use compression::{AdaptiveBody, AdaptiveCompressionConfig, AdaptiveCompressor, AdaptiveStats};
pub use compression::{
    Codec, CompressError, Compressor, DecompressError, PiecewiseCompressor, accepted_encodings, codec,
};
pub use config::{
    CertificateConfig, ConfigError, ProxyConfig, ServerTlsConfig, TlsConfig, TlsParameters, TlsVersion,
};
#[cfg(feature = "client")]
pub use config::{ClientConfig, ClientLimits, Compression, Encoding, parse_headers, percent_decode};
#[cfg(feature = "server")]
pub use config::{CorsConfig, InvalidIds, InvalidUtf8, OriginConfig, ServerConfig, ServerLimits};
pub use connections::Connections;
pub use context::TransportContext;
pub use disk::{Disk, DiskFile, DiskLock, ReloadStats, SystemDisk, replace_file};
pub use error::ExportError;
pub use export::{Attempt, BoxAttempt, BoxExport, Export, ExportFuture, ExportResult};
pub use net::{Address, BoxIo, Handover, Io, Listener, Net, NetFuture, Sockets, TcpNet};
#[cfg(feature = "server")]
pub use pages::{AnyPage, Page, PageRequest, PagesConfig, PagesServer, PartedPage, serve_pages};
#[cfg(feature = "client")]
pub use resolve::{
    DecodeEndpoints, DnsConfig, DnsResolver, FileConfig, FileResolver, FixedResolver, ResolvedEndpoint,
    Resolver, endpoints_from_json,
};
pub use routes::{Route, RouteHandle, Routes};
#[cfg(feature = "server")]
pub use server::{HealthSource, Server, ServerStats};
#[cfg(feature = "grpc")]
pub use strategy::GrpcTransportStrategy;
#[cfg(feature = "http")]
pub use strategy::HttpTransportStrategy;
#[cfg(all(feature = "server", feature = "grpc", feature = "http"))]
pub use strategy::MultiplexTransportStrategy;
#[cfg(all(feature = "client", feature = "server"))]
pub use strategy::TransportStrategy;
#[cfg(feature = "server")]
pub use strategy::{BindFuture, ServerStrategy};
#[cfg(feature = "client")]
pub use strategy::{Client, ClientStrategy};

// Crates whose types stand in public signatures.
pub use ::{bytes, http, otlp_protocol};

#[cfg(all(doctest, feature = "default"))]
#[doc = include_str!("../../docs/transport.md")]
struct DocsPage;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmePage;
