//! OTLP over sockets: gRPC and HTTP servers and clients, compression, TLS, connection pools.
//!
//! **What this crate must not know:** pipelines, queues, retry policy, configuration files. It takes a body off a
//! socket, checks it and hands it to an [`Export`]; it takes a [`Batch`](otlp_protocol::Batch) and makes one attempt to
//! deliver it.
//!
//! Time and network are passed in: [`Clock`] and [`Net`].

mod client;
mod clock;
mod compression;
mod config;
mod context;
mod endpoint;
mod error;
mod export;
mod grpc;
mod http;
mod net;
mod pages;
mod routes;
mod server;
mod strategy;
#[cfg_attr(not(feature = "tls"), path = "tls/absent.rs")]
mod tls;

pub use client::{ClientStats, ConnectionPool, GrpcClient, HttpClient, PooledConnection};
pub use clock::{Clock, Sleep, TokioClock};
pub use compression::{Codec, CompressError, DecompressError, accepted_encodings, codec};
pub use config::{
    ClientConfig, ClientLimits, Compression, ConfigError, InvalidUtf8, OriginConfig, ServerConfig,
    ServerLimits, TlsConfig,
};
pub use context::TransportContext;
pub use error::ExportError;
pub use export::{BoxExport, Export, ExportFuture, ExportResult};
pub use grpc::GrpcTransportStrategy;
pub use http::HttpTransportStrategy;
pub use net::{BoxIo, Io, Listener, Net, NetFuture, TcpNet};
pub use pages::{Page, PagesServer, serve_pages};
pub use routes::{Route, Routes};
pub use server::{Server, ServerStats};
pub use strategy::{Client, TransportStrategy};

#[cfg(doctest)]
#[doc = include_str!("../../docs/transport.md")]
struct DocsPage;
