//! OTLP over sockets: gRPC and HTTP servers and clients, compression, TLS, connection pools.
//!
//! **What this crate must not know:** pipelines, queues, retry policy, configuration files. It takes a body off a
//! socket, checks it and hands it to an [`Export`]; it takes a [`Batch`](otlp_protocol::Batch) and makes one attempt to
//! deliver it.
//!
//! Time and network are passed in: [`Clock`] and [`Net`].

mod clock;
mod config;
mod context;
mod error;
mod export;
mod net;
mod routes;
mod server;
mod strategy;

pub use clock::{Clock, Sleep, TokioClock};
pub use config::{
    ClientConfig, ClientLimits, Compression, ConfigError, ServerConfig, ServerLimits, TlsConfig,
};
pub use context::TransportContext;
pub use error::ExportError;
pub use export::{BoxExport, Export, ExportFuture, ExportResult};
pub use net::{BoxIo, Io, Listener, Net, NetFuture, TcpNet};
pub use routes::{Route, Routes};
pub use server::{Server, ServerStats};
pub use strategy::TransportStrategy;
