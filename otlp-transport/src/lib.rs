//! OTLP over sockets: gRPC and HTTP servers and clients, compression, TLS, connection pools.
//!
//! **What this crate must not know:** pipelines, queues, retry policy, configuration files. It takes a body off a
//! socket, checks it and hands it to an [`Export`]; it borrows a [`Batch`](otlp_protocol::Batch) and makes one [`Attempt`]
//! to deliver it.
//!
//! Time, network and disk are passed in: [`Clock`], [`Net`] and [`Disk`].

mod auth;
mod balance;
mod certificates;
mod client;
mod clock;
mod compression;
mod config;
mod connections;
mod context;
mod counter;
mod disk;
mod endpoint;
mod error;
mod export;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod grpc;
mod http;
mod multiplex;
mod net;
pub mod offload;
mod pages;
mod resolve;
mod routes;
mod seldom;
mod server;
mod strategy;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
#[cfg_attr(not(feature = "tls"), path = "tls/absent.rs")]
mod tls;
mod user_info;

pub use auth::{
    ApiKey, ApiKeyAuth, AuthRequest, Authenticate, BasicAuth, BasicCredentials, BearerAuth, BearerConfig,
    BearerCredentials, ClientCertificateAuth, Credentials, Denied, HeaderAction, HeaderSource, HeadersSetter,
    Htpasswd, Identity, NameKind, OnEmpty, Password, PeerCertificate, Secret, SetHeader, SlowCheck, Username,
    Verdict,
};
pub use balance::{
    BalanceConfig, BalanceLimits, BalancePolicy, BalanceStats, BalancedClient, Candidate,
    ConsistentHashStrategy, EjectionConfig, EndpointStats, LATENCY_BOUNDS_MS, LeastConnectionsStrategy,
    LoadBalancingStrategy, RoundRobinStrategy, RoutingKey, WeightedRoundRobinStrategy, hash_key,
};
pub use certificates::Certificates;
pub use client::{ClientStats, ConnectionPool, GrpcClient, HttpClient, PooledConnection};
pub use clock::{Clock, Sleep, TokioClock};
pub use compression::{
    Codec, CompressError, Compressor, DecompressError, PiecewiseCompressor, accepted_encodings, codec,
};
pub use config::{
    CertificateConfig, ClientConfig, ClientLimits, Compression, ConfigError, CorsConfig, Encoding,
    InvalidIds, InvalidUtf8, OriginConfig, ProxyConfig, ServerConfig, ServerLimits, ServerTlsConfig,
    TlsConfig, TlsParameters, TlsVersion,
};
pub use connections::Connections;
pub use context::TransportContext;
pub use disk::{Disk, ReloadStats, SystemDisk};
pub use error::ExportError;
pub use export::{Attempt, BoxAttempt, BoxExport, Export, ExportFuture, ExportResult};
pub use grpc::GrpcTransportStrategy;
pub use http::HttpTransportStrategy;
pub use multiplex::MultiplexTransportStrategy;
pub use net::{Address, BoxIo, Io, Listener, Net, NetFuture, TcpNet};
pub use pages::{Page, PagesServer, serve_pages};
pub use resolve::{DnsConfig, DnsResolver, FixedResolver, ResolvedEndpoint, Resolver};
pub use routes::{Route, RouteHandle, Routes};
pub use server::{Server, ServerStats};
pub use strategy::{Client, ClientStrategy, ServerStrategy, TransportStrategy};

#[cfg(doctest)]
#[doc = include_str!("../../docs/transport.md")]
struct DocsPage;
