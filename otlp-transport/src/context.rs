//! Time, network, disk and memory, as servers and clients get them.

use crate::offload::{BlockingThreads, Offload};
use crate::{
    Certificates, Clock, Connections, Disk, Net, ProxyConfig, ReloadStats, SystemDisk, TcpNet, TokioClock,
};
use otlp_protocol::{BufferPool, ByteBudget};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Time, network, disk and memory of servers and clients. Cloning shares all of them: one context for each process is usual.
///
/// [`tcp`](Self::tcp) is the real ones; tests replace single fields.
///
/// ```
/// use otlp_protocol::ByteBudget;
/// use otlp_transport::{Connections, TransportContext};
/// use std::sync::Arc;
///
/// let mut context = TransportContext::tcp(256 << 20); // 256 MiB for bodies
/// context.connections = Arc::new(Connections::new(500)); // in place of 4096
/// assert_eq!((context.budget.limit(), context.connections.max()), (256 << 20, 500));
/// ```
#[derive(Clone)]
pub struct TransportContext {
    /// Monotonic and wall-clock time, and timers.
    pub clock: Arc<dyn Clock>,
    /// Listeners and connections.
    pub net: Arc<dyn Net>,
    /// Files of certificates, credentials and queues.
    pub disk: Arc<dyn Disk>,
    /// Runs work on files that are written and read all the time.
    pub offload: Arc<dyn Offload>,
    /// Counters of the watched files that were taken into use or refused after a change.
    pub reloads: Arc<ReloadStats>,
    /// Expiry times of the certificates in use.
    pub certificates: Arc<Certificates>,
    /// The proxies that clients connect through. Default none.
    pub proxies: Arc<ProxyConfig>,
    /// Open connections of all servers, and their limit.
    pub connections: Arc<Connections>,
    /// True while servers read the header `traceparent` of requests into [`Batch::trace`](otlp_protocol::Batch::trace). Default
    /// false.
    pub reads_traceparent: Arc<AtomicBool>,
    /// The byte budget: bodies are charged to it before they are read or inflated.
    pub budget: ByteBudget,
    /// The pool of buffers for bodies.
    pub buffers: BufferPool,
}

impl TransportContext {
    /// Real time, TCP and files, with a byte budget of `max_body_bytes` for the bodies in memory at a time, and at most
    /// 4096 connections of servers.
    pub fn tcp(max_body_bytes: u64) -> Self {
        Self {
            clock: Arc::new(TokioClock),
            net: Arc::new(TcpNet),
            disk: Arc::new(SystemDisk),
            offload: Arc::new(BlockingThreads),
            reloads: Arc::default(),
            certificates: Arc::default(),
            proxies: Arc::default(),
            connections: Arc::new(Connections::new(DEFAULT_MAX_CONNECTIONS)),
            reads_traceparent: Arc::default(),
            budget: ByteBudget::new(max_body_bytes),
            buffers: BufferPool::new(IDLE_BUFFERS),
        }
    }
}

impl fmt::Debug for TransportContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportContext")
            .field("clock", &self.clock)
            .field("net", &self.net)
            .field("disk", &self.disk)
            .field("offload", &self.offload)
            .field("reloads", &self.reloads)
            .field("certificates", &self.certificates)
            .field("proxies", &self.proxies)
            .field("connections", &self.connections)
            .field("reads_traceparent", &self.reads_traceparent)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

const DEFAULT_MAX_CONNECTIONS: usize = 4096;
/// At most 1 MiB each, so at most 16 MiB idle.
const IDLE_BUFFERS: usize = 16;
