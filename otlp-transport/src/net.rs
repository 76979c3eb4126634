//! The network, passed in so that faults can be simulated.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncWrite};

/// A byte stream between two peers.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// Any [`Io`].
pub type BoxIo = Box<dyn Io>;

/// The answer of a [`Net`] or a [`Listener`], in its own time.
pub type NetFuture<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// Listeners and connections.
pub trait Net: fmt::Debug + Send + Sync + 'static {
    /// Listens on `address` (`host:port`; port 0 lets the system choose).
    fn bind<'a>(&'a self, address: &'a str) -> NetFuture<'a, Box<dyn Listener>>;

    /// Connects to `address` (`host:port`), trying each address the name resolves to.
    fn connect<'a>(&'a self, address: &'a str) -> NetFuture<'a, BoxIo>;
}

/// Accepts connections.
pub trait Listener: Send + Sync + 'static {
    /// The next connection and its peer. Cancel-safe.
    fn accept(&self) -> NetFuture<'_, (BoxIo, SocketAddr)>;

    /// The address it listens on.
    ///
    /// # Errors
    /// If the system cannot tell.
    fn local_addr(&self) -> io::Result<SocketAddr>;
}

/// TCP, without Nagle's delay.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpNet;

struct TcpListener(tokio::net::TcpListener);

#[expect(clippy::disallowed_methods, reason = "the one place that opens sockets")]
impl Net for TcpNet {
    fn bind<'a>(&'a self, address: &'a str) -> NetFuture<'a, Box<dyn Listener>> {
        Box::pin(async move {
            let listener = tokio::net::TcpListener::bind(address).await?;
            Ok(Box::new(TcpListener(listener)) as Box<dyn Listener>)
        })
    }

    fn connect<'a>(&'a self, address: &'a str) -> NetFuture<'a, BoxIo> {
        Box::pin(async move {
            let stream = tokio::net::TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as BoxIo)
        })
    }
}

impl Listener for TcpListener {
    fn accept(&self) -> NetFuture<'_, (BoxIo, SocketAddr)> {
        Box::pin(async move {
            let (stream, peer) = self.0.accept().await?;
            stream.set_nodelay(true)?;
            Ok((Box::new(stream) as BoxIo, peer))
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
