//! What every part of this layer is handed at its making.

use crate::{
    Certificates, Clock, Connections, Disk, Net, ProxyConfig, ReloadStats, SystemDisk, TcpNet, TokioClock,
};
use otlp_protocol::{BufferPool, ByteBudget};
use std::sync::Arc;

/// Time, network, disk and memory, passed in.
#[derive(Clone)]
pub struct TransportContext {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Listeners and connections.
    pub net: Arc<dyn Net>,
    /// Files of certificates and credentials.
    pub disk: Arc<dyn Disk>,
    /// What became of such files that changed.
    pub reloads: Arc<ReloadStats>,
    /// When the certificates in use expire.
    pub certificates: Arc<Certificates>,
    /// The proxies that clients connect through. Default none.
    pub proxies: Arc<ProxyConfig>,
    /// Open connections of all servers.
    pub connections: Arc<Connections>,
    /// Charged before a body is read or inflated.
    pub budget: ByteBudget,
    /// Where buffers for bodies come from.
    pub buffers: BufferPool,
}

impl TransportContext {
    /// Real time, TCP and files, with a budget for bodies of `max_body_bytes` in all, and at most 4096 connections.
    pub fn tcp(max_body_bytes: u64) -> Self {
        Self {
            clock: Arc::new(TokioClock),
            net: Arc::new(TcpNet),
            disk: Arc::new(SystemDisk),
            reloads: Arc::default(),
            certificates: Arc::default(),
            proxies: Arc::default(),
            connections: Arc::new(Connections::new(DEFAULT_MAX_CONNECTIONS)),
            budget: ByteBudget::new(max_body_bytes),
            buffers: BufferPool::new(IDLE_BUFFERS),
        }
    }
}

const DEFAULT_MAX_CONNECTIONS: usize = 4096;
/// At most 1 MiB each, so at most 16 MiB idle.
const IDLE_BUFFERS: usize = 16;
