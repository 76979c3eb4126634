//! Opening a connection: TCP, a proxy's tunnel, TLS for secure endpoints, and the start of HTTP, within one timeout.

use crate::client::greeting::Greeting;
use crate::client::proxy::{ProxyUrl, Route, open_tunnel};
use crate::client::{http1, http2};
use crate::endpoint::Endpoint;
use crate::tls::{self, Alpn, Secured, TlsConnector};
use crate::{
    Address, BoxIo, CertificateConfig, ClientConfig, Clock, ConfigError, ExportError, Net, TlsConfig,
    TransportContext,
};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use otlp_protocol::{ErrorKind, Retry};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Opens connections to one endpoint.
#[derive(Debug)]
pub(crate) struct Connector {
    net: Arc<dyn Net>,
    clock: Arc<dyn Clock>,
    /// The endpoint's name for messages.
    name: String,
    address: String,
    route: Route,
    versions: Versions,
    /// TLS to the proxy itself.
    proxy_tls: Option<TlsConnector>,
    tls: Option<TlsConnector>,
    /// True once a handshake has succeeded. A certificate that was trusted before and is refused now is perhaps being
    /// exchanged: later attempts may succeed.
    has_been_secure: AtomicBool,
    timeout: Duration,
}

/// HTTP versions that a connection may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Versions {
    /// HTTP/2 alone, with prior knowledge on cleartext: gRPC.
    Http2,
    /// HTTP/1.1 on cleartext; over TLS the version that ALPN chooses, preferably HTTP/2.
    Any,
}

/// A connection opened just now, the future that drives it, and the server's first bytes.
pub(crate) enum Opened {
    Http1(http1::Sender, Box<http1::Http1Connection>, Greeting),
    Http2(http2::Sender, Box<http2::Http2Connection>, Greeting),
}

/// A failure to open a connection.
struct ConnectError {
    cause: io::Error,
    retry: Retry,
}

// === impl Connector ===

impl Connector {
    /// Makes a connector to `endpoint`. Reads CA files, connects to nothing.
    pub(crate) fn new(
        context: &TransportContext,
        config: &ClientConfig,
        endpoint: &Endpoint,
        versions: Versions,
    ) -> Result<Self, ConfigError> {
        let alpn = if versions == Versions::Http2 { Alpn::Http2 } else { http2::HTTP_ALPN };
        let tls = endpoint
            .secure
            .then(|| TlsConnector::new(context, &config.tls, endpoint.host(), alpn))
            .transpose()?;
        let route = Route::new(&context.proxies, config, endpoint, versions == Versions::Http2)?;
        let proxy_tls = match route.proxy() {
            Some(proxy) if proxy.secure => Some(tls_to_proxy(context, config, proxy)?),
            _ => None,
        };
        Ok(Self {
            net: context.net.clone(),
            clock: context.clock.clone(),
            name: endpoint.place(),
            address: config.connect_to.clone().unwrap_or_else(|| endpoint.address.clone()),
            route,
            versions,
            proxy_tls,
            tls,
            has_been_secure: AtomicBool::new(false),
            timeout: config.limits.connect_timeout,
        })
    }

    /// Returns the endpoint's name for messages: scheme, host and port.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the proxy that takes requests with their whole URL, and the address for that URL.
    pub(crate) fn forwarding(&self) -> Option<(&ProxyUrl, &str)> {
        match &self.route {
            Route::Forward(proxy) => Some((proxy, &self.address)),
            Route::Direct | Route::Tunnel(_) => None,
        }
    }

    /// True if a connection carries many requests at once; `None` if ALPN has yet to choose.
    pub(crate) fn multiplexes(&self) -> Option<bool> {
        match (self.versions, &self.tls) {
            (Versions::Http2, _) => Some(true),
            (Versions::Any, None) => Some(false),
            (Versions::Any, Some(_)) => None,
        }
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self) -> Result<Opened, ExportError> {
        tokio::select! {
            biased;
            opened = self.open() => opened.map_err(|ConnectError { cause, retry }| {
                self.failed(&cause.to_string(), retry).with_source(cause)
            }),
            () = self.clock.sleep(self.timeout) => {
                let why = format!("no connection within {:?} (connect_timeout)", self.timeout);
                Err(self.failed(&why, Retry::Backoff))
            }
        }
    }

    async fn open(&self) -> Result<Opened, ConnectError> {
        let mut io = self.reach().await?;
        let mut multiplexes = self.versions == Versions::Http2;
        if let Some(tls) = &self.tls {
            let secured = self.secure(tls, io).await?;
            if multiplexes && !secured.http2 {
                let problem = "the server does not offer HTTP/2 over TLS (ALPN h2), which gRPC needs: use the gRPC port \
                               (4317), or the exporter otlp_http";
                return Err(io::Error::other(problem).into());
            }
            (io, multiplexes) = (secured.io, secured.http2);
        }
        let (greeting, io) = Greeting::of(io);
        if multiplexes {
            let (sender, connection) = http2::handshake(io).await.map_err(io::Error::other)?;
            Ok(Opened::Http2(sender, Box::new(connection), greeting))
        } else {
            let (sender, connection) = http1::handshake(io).await.map_err(io::Error::other)?;
            Ok(Opened::Http1(sender, Box::new(connection), greeting))
        }
    }

    /// Connects a byte stream to the server, or to the proxy that forwards requests.
    async fn reach(&self) -> Result<BoxIo, ConnectError> {
        let (Route::Forward(proxy) | Route::Tunnel(proxy)) = &self.route else {
            return Ok(dial(&*self.net, &*self.clock, &self.address).await?);
        };
        let unreachable = |error: io::Error| {
            io::Error::new(error.kind(), format!("proxy {proxy} cannot be reached: {error}"))
        };
        let mut io = dial(&*self.net, &*self.clock, &proxy.address).await.map_err(unreachable)?;
        if let Some(tls) = &self.proxy_tls {
            let secured = self.secure(tls, io).await;
            io = secured
                .map_err(|ConnectError { cause, retry }| ConnectError { cause: unreachable(cause), retry })?
                .io;
        }
        match &self.route {
            Route::Tunnel(proxy) => Ok(open_tunnel(io, proxy, &self.address).await?),
            Route::Direct | Route::Forward(_) => Ok(io),
        }
    }

    /// Does a TLS handshake on a byte stream. A failure that only a setting or a certificate ends is final, unless a
    /// handshake has succeeded before.
    async fn secure(&self, tls: &TlsConnector, io: BoxIo) -> Result<Secured, ConnectError> {
        match tls.connect(io).await {
            Ok(secured) => {
                self.has_been_secure.store(true, Ordering::Relaxed);
                Ok(secured)
            }
            Err(error) => {
                let is_final =
                    tls::is_lasting_failure(&error) && !self.has_been_secure.load(Ordering::Relaxed);
                let retry = if is_final { Retry::Never } else { Retry::Backoff };
                let cause = io::Error::new(error.kind(), format!("TLS handshake failed: {error}"));
                Err(ConnectError { cause, retry })
            }
        }
    }

    fn failed(&self, why: &str, retry: Retry) -> ExportError {
        let at =
            if self.name.ends_with(&self.address) { String::new() } else { format!(" ({})", self.address) };
        let message = format!("cannot connect to {}{at}: {why}", self.name);
        ExportError::new(ErrorKind::Unavailable, retry, message)
    }
}

/// Makes TLS to a proxy, with the authorities of the endpoint's settings but without its client certificate.
fn tls_to_proxy(
    context: &TransportContext,
    config: &ClientConfig,
    proxy: &ProxyUrl,
) -> Result<TlsConnector, ConfigError> {
    let certificate = CertificateConfig::default();
    let tls = TlsConfig { certificate, server_name_override: None, ..config.tls.clone() };
    TlsConnector::new(context, &tls, proxy.host(), Alpn::Http1)
}

impl From<io::Error> for ConnectError {
    fn from(cause: io::Error) -> Self {
        Self { cause, retry: Retry::Backoff }
    }
}

/// Connects to `address`: `host:port` or `unix:///path`. No timeout of its own.
///
/// Happy Eyeballs (RFC 8305): the next address of a name is tried as soon as the last attempt failed, or 250 ms after it
/// started, whichever comes first. The first connection wins and the other attempts are dropped. An address that swallows
/// packets costs 250 ms. Each connection begins with the first address again.
async fn dial(net: &dyn Net, clock: &dyn Clock, address: &str) -> io::Result<BoxIo> {
    if Address::unix_path(address).is_some() || address.parse::<SocketAddr>().is_ok() {
        return net.connect(address).await;
    }
    match net.resolve(address).await {
        Ok(found) if found.is_empty() => {
            Err(io::Error::new(io::ErrorKind::NotFound, format!("`{address}` has no address")))
        }
        Ok(found) => race(net, clock, interleaved(found)).await,
        // A network without names connects to the address as given.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => net.connect(address).await,
        Err(error) => {
            let hint = if error.kind() == io::ErrorKind::InvalidInput { "; write host:port" } else { "" };
            let message = format!("`{address}` cannot be looked up: {error}{hint}");
            Err(io::Error::new(error.kind(), message))
        }
    }
}

async fn race(net: &dyn Net, clock: &dyn Clock, addresses: Vec<SocketAddr>) -> io::Result<BoxIo> {
    let mut left: VecDeque<_> = addresses.into_iter().take(MAX_ADDRESSES).collect();
    let mut attempts = FuturesUnordered::new();
    let mut failures = Vec::new();
    loop {
        match left.pop_front() {
            Some(address) => attempts.push(async move {
                let text = address.to_string();
                net.connect(&text).await.map_err(|error| (text, error))
            }),
            None if attempts.is_empty() => return Err(all_failed(&failures)),
            None => {}
        }
        tokio::select! {
            biased;
            Some(ended) = attempts.next() => match ended {
                Ok(io) => return Ok(io),
                Err(failure) => failures.push(failure),
            },
            () = clock.sleep(STAGGER), if !left.is_empty() => {}
        }
    }
}

/// Orders addresses by family in turns, beginning with the first address's family (RFC 8305 §4), and in the resolver's
/// order within a family.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let is_first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == is_first);
    let mut second = second.into_iter();
    let mut order: Vec<_> =
        first.into_iter().flat_map(|address| [Some(address), second.next()]).flatten().collect();
    order.extend(second);
    order
}

/// Joins all addresses with their failures.
fn all_failed(failures: &[(String, io::Error)]) -> io::Error {
    let kind = failures.first().map_or(io::ErrorKind::Other, |(_, error)| error.kind());
    let texts: Vec<_> = failures.iter().map(|(address, error)| format!("{address}: {error}")).collect();
    io::Error::new(kind, texts.join("; "))
}

/// RFC 8305 §5: "Connection Attempt Delay".
const STAGGER: Duration = Duration::from_millis(250);
/// The most addresses tried of one name.
const MAX_ADDRESSES: usize = 32;

#[cfg(test)]
mod tests;
