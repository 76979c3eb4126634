//! The network, passed in so that tests can simulate faults, and the addresses of its sockets.

#[cfg_attr(not(unix), path = "net/absent.rs")]
mod unix;

mod handover;

pub use handover::{Handover, Sockets};

use socket2::{Domain, Protocol, Socket, Type};
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// A byte stream between two peers.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// Any [`Io`].
pub type BoxIo = Box<dyn Io>;

/// The result of an operation of a [`Net`] or a [`Listener`].
pub type NetFuture<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// Opens listeners and connections.
pub trait Net: fmt::Debug + Send + Sync + 'static {
    /// Listens on `address`: `host:port` (with port 0 the system chooses), or `unix:///path`. Without a host, and for
    /// `0.0.0.0` and `[::]`, the listener accepts on all addresses of the machine, on IPv6 if the system supports it. A
    /// host name prefers its IPv4 address. `tcp4://host:port` and `tcp6://host:port` accept on IPv4 or IPv6 alone.
    fn bind<'a>(&'a self, address: &'a str) -> NetFuture<'a, Box<dyn Listener>>;

    /// Connects to `address`: `host:port`, trying each address of the name, or `unix:///path`.
    fn connect<'a>(&'a self, address: &'a str) -> NetFuture<'a, BoxIo>;

    /// Looks up the addresses of `name` (`host:port`), best first; clients race them (RFC 8305). Default: an error, for
    /// networks without names. Clients then call [`connect`](Self::connect) with the name.
    fn resolve<'a>(&'a self, name: &'a str) -> NetFuture<'a, Vec<SocketAddr>> {
        let message = format!("{name} cannot be looked up on this network");
        Box::pin(std::future::ready(Err(io::Error::new(ErrorKind::Unsupported, message))))
    }
}

/// Accepts connections.
pub trait Listener: Send + Sync + 'static {
    /// Returns the next connection and its peer. A peer on a Unix socket has the path of the listener's socket as its
    /// address. Cancel-safe.
    fn accept(&self) -> NetFuture<'_, (BoxIo, Address)>;

    /// Returns the address of the listener.
    ///
    /// # Errors
    /// If the system cannot tell the address.
    fn local_addr(&self) -> io::Result<Address>;
}

/// Address of a listener or of a peer. `Display` writes the form that [`Net`] accepts: `127.0.0.1:4317`,
/// `unix:///run/otlp.sock`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(Arc<Path>),
}

/// TCP without Nagle's delay, and Unix sockets.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpNet;

struct TcpListener(tokio::net::TcpListener);

#[expect(clippy::disallowed_methods, reason = "the one place that opens sockets")]
impl Net for TcpNet {
    fn bind<'a>(&'a self, address: &'a str) -> NetFuture<'a, Box<dyn Listener>> {
        Box::pin(async move {
            if let Some(path) = Address::unix_path(address) {
                return unix::bind(path).await;
            }
            let (family, address) = Family::of(address);
            let address =
                if address.starts_with(':') { format!("[::]{address}") } else { address.to_owned() };
            let mut failure = io::Error::new(ErrorKind::InvalidInput, "the name has no such address");
            let mut addresses: Vec<_> = tokio::net::lookup_host(address).await?.collect();
            // `localhost` often resolves to `::1` first, which few senders use.
            addresses.sort_by_key(SocketAddr::is_ipv6);
            for address in addresses.into_iter().filter(|address| family.has(address)) {
                match listen_at(address, family) {
                    Ok(listener) => return Ok(Box::new(TcpListener(listener)) as Box<dyn Listener>),
                    Err(error) => failure = error,
                }
            }
            Err(failure)
        })
    }

    fn connect<'a>(&'a self, address: &'a str) -> NetFuture<'a, BoxIo> {
        Box::pin(async move {
            if let Some(path) = Address::unix_path(address) {
                return unix::connect(path).await;
            }
            let stream = tokio::net::TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as BoxIo)
        })
    }

    fn resolve<'a>(&'a self, name: &'a str) -> NetFuture<'a, Vec<SocketAddr>> {
        Box::pin(async move { Ok(tokio::net::lookup_host(name).await?.collect()) })
    }
}

/// IP versions of a listener.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Any,
    V4,
    V6,
}

impl Family {
    /// Splits the IP version off an address.
    fn of(address: &str) -> (Self, &str) {
        let (v4, v6) = (address.strip_prefix("tcp4://"), address.strip_prefix("tcp6://"));
        v4.map(|rest| (Self::V4, rest)).or(v6.map(|rest| (Self::V6, rest))).unwrap_or((Self::Any, address))
    }

    fn has(self, address: &SocketAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}

/// Listens on an address. The unspecified address listens on IPv6 and IPv4, as in Go; on a system without IPv6, on IPv4.
fn listen_at(address: SocketAddr, family: Family) -> io::Result<tokio::net::TcpListener> {
    if family != Family::Any || !address.ip().is_unspecified() {
        return listen(address, true);
    }
    match listen(SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), address.port()), false) {
        Err(error) if !matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => {
            listen(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port()), true)
        }
        outcome => outcome,
    }
}

/// Listens as `tokio::net::TcpListener::bind` does, but with another backlog, and with IPv4 on IPv6 sockets.
fn listen(address: SocketAddr, only_its_family: bool) -> io::Result<tokio::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // The system's default is configurable, so the option is set explicitly.
        socket.set_only_v6(only_its_family)?;
    }
    // On other systems the option would let two processes share the port.
    if cfg!(unix) {
        socket.set_reuse_address(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    tokio::net::TcpListener::from_std(socket.into())
}

impl Listener for TcpListener {
    fn accept(&self) -> NetFuture<'_, (BoxIo, Address)> {
        Box::pin(async move {
            let (stream, peer) = self.0.accept().await?;
            stream.set_nodelay(true)?;
            // On an IPv6 socket an IPv4 peer appears as `::ffff:1.2.3.4`.
            let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
            Ok((Box::new(stream) as BoxIo, Address::Tcp(peer)))
        })
    }

    fn local_addr(&self) -> io::Result<Address> {
        self.0.local_addr().map(Address::Tcp)
    }
}

// === impl Address ===

impl Address {
    /// Returns the address of a TCP socket.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }

    /// Returns the IP address of a TCP socket, without the port.
    pub fn ip(&self) -> Option<IpAddr> {
        self.tcp().map(|address| address.ip())
    }

    /// Returns the path of `unix:///path`, `unix:/path` or `unix:path`; `None` for other addresses.
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

/// Connections that may wait to be accepted. With the usual 128, senders that reconnect together after a restart would be
/// delayed for a second or more by their own retransmissions.
const BACKLOG: i32 = 1024;

#[cfg(all(test, unix))]
mod tests;
