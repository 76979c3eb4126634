//! OTLP over sockets: gRPC and HTTP servers and clients, compression, TLS, connection pools.
//!
//! **What this crate must not know:** pipelines, queues, retry policy, configuration files. It takes a body off a
//! socket, checks it and hands it to an [`Export`]; it borrows a [`Batch`](otlp_protocol::Batch) and makes one [`Attempt`]
//! to deliver it.
//!
//! Time, network and disk are passed in: [`Clock`], [`Net`] and [`Disk`].

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
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "http")]
mod http;
#[cfg(all(feature = "server", feature = "grpc", feature = "http"))]
mod multiplex;
mod net;
pub mod offload;
#[cfg(feature = "server")]
mod pages;
#[cfg(feature = "client")]
mod resolve;
mod routes;
mod seldom;
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
    ConsistentHashStrategy, EjectionConfig, EndpointStats, LATENCY_BOUNDS_MS, LeastConnectionsStrategy,
    LoadBalancingStrategy, RoundRobinStrategy, RoutingKey, WeightedRoundRobinStrategy, hash_key,
};
pub use certificates::Certificates;
#[cfg(all(feature = "client", feature = "grpc"))]
pub use client::GrpcClient;
#[cfg(all(feature = "client", feature = "http"))]
pub use client::HttpClient;
#[cfg(feature = "client")]
pub use client::{ClientStats, ConnectionPool, PooledConnection};
pub use clock::{Clock, Sleep, TokioClock};
pub use compression::{
    Codec, CompressError, Compressor, DecompressError, PiecewiseCompressor, accepted_encodings, codec,
};
pub use config::{
    CertificateConfig, ConfigError, ProxyConfig, ServerTlsConfig, TlsConfig, TlsParameters, TlsVersion,
};
#[cfg(feature = "client")]
pub use config::{ClientConfig, ClientLimits, Compression, Encoding};
#[cfg(feature = "server")]
pub use config::{CorsConfig, InvalidIds, InvalidUtf8, OriginConfig, ServerConfig, ServerLimits};
pub use connections::Connections;
pub use context::TransportContext;
pub use disk::{Disk, ReloadStats, SystemDisk};
pub use error::ExportError;
pub use export::{Attempt, BoxAttempt, BoxExport, Export, ExportFuture, ExportResult};
#[cfg(feature = "grpc")]
pub use grpc::GrpcTransportStrategy;
#[cfg(feature = "http")]
pub use http::HttpTransportStrategy;
#[cfg(all(feature = "server", feature = "grpc", feature = "http"))]
pub use multiplex::MultiplexTransportStrategy;
pub use net::{Address, BoxIo, Io, Listener, Net, NetFuture, TcpNet};
#[cfg(feature = "server")]
pub use pages::{Page, PagesServer, serve_pages};
#[cfg(feature = "client")]
pub use resolve::{DnsConfig, DnsResolver, FixedResolver, ResolvedEndpoint, Resolver};
pub use routes::{Route, RouteHandle, Routes};
#[cfg(feature = "server")]
pub use server::{Server, ServerStats};
#[cfg(all(feature = "client", feature = "server"))]
pub use strategy::TransportStrategy;
#[cfg(feature = "server")]
pub use strategy::{BindFuture, ServerStrategy};
#[cfg(feature = "client")]
pub use strategy::{Client, ClientStrategy};

#[cfg(all(doctest, feature = "default"))]
#[doc = include_str!("../../docs/transport.md")]
struct DocsPage;
