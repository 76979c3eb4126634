//! Where a socket is.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

/// The address of a listener or of a peer. `Display` writes what [`Net`](crate::Net) takes: `127.0.0.1:4317`,
/// `unix:///run/otlp.sock`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(Arc<Path>),
}

// === impl Address ===

impl Address {
    /// The address of a TCP socket.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }

    /// The IP address, without the port, of a TCP socket.
    pub fn ip(&self) -> Option<IpAddr> {
        self.tcp().map(|address| address.ip())
    }

    /// The path in `unix:///path`, `unix:/path` or `unix:path`; `None` for other addresses.
    pub(crate) fn unix_path(address: &str) -> Option<&str> {
        let path = address.strip_prefix("unix:")?;
        Some(path.strip_prefix("//").unwrap_or(path))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}
