//! Opening a connection: TCP, TLS if the endpoint is secure, and the start of HTTP, all within one timeout.

use crate::client::outgoing::Outgoing;
use crate::client::{http1, http2};
use crate::endpoint::Endpoint;
use crate::tls::{Alpn, TlsConnector};
use crate::{BoxIo, ClientConfig, Clock, ConfigError, ExportError, Net, TransportContext};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use otlp_protocol::{ErrorKind, Retry};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Opens connections to one endpoint.
#[derive(Debug)]
pub(crate) struct Connector {
    net: Arc<dyn Net>,
    clock: Arc<dyn Clock>,
    address: String,
    versions: Versions,
    tls: Option<TlsConnector>,
    timeout: Duration,
}

/// Which versions of HTTP a connection may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Versions {
    /// HTTP/2 alone, with prior knowledge on cleartext: gRPC.
    Http2,
    /// HTTP/1.1 on cleartext; over TLS what ALPN chooses, preferably HTTP/2.
    Any,
}

/// A connection just opened, and what drives it.
pub(crate) enum Opened {
    Http1(http1::Sender, Box<hyper::client::conn::http1::Connection<TokioIo<BoxIo>, Full<Outgoing>>>),
    Http2(http2::Sender, Box<http2::Http2Connection>),
}

// === impl Connector ===

impl Connector {
    /// A connector to `endpoint`; reads CA files now, connects to nothing.
    pub(crate) fn new(
        context: &TransportContext,
        config: &ClientConfig,
        endpoint: &Endpoint,
        versions: Versions,
    ) -> Result<Self, ConfigError> {
        let tls = match (endpoint.secure, versions) {
            (false, _) => None,
            (true, Versions::Http2) => {
                Some(TlsConnector::new(context, &config.tls, endpoint.host(), Alpn::Http2)?)
            }
            (true, Versions::Any) => {
                Some(TlsConnector::new(context, &config.tls, endpoint.host(), Alpn::Any)?)
            }
        };
        Ok(Self {
            net: context.net.clone(),
            clock: context.clock.clone(),
            address: config.connect_to.clone().unwrap_or_else(|| endpoint.address.clone()),
            versions,
            tls,
            timeout: config.limits.connect_timeout,
        })
    }

    /// Whether a connection takes many requests at once; `None` if ALPN has yet to choose.
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
            opened = self.open() => opened.map_err(|error| self.failed(&error.to_string()).with_source(error)),
            () = self.clock.sleep(self.timeout) => Err(self.failed(&format!("not within {:?}", self.timeout))),
        }
    }

    async fn open(&self) -> io::Result<Opened> {
        let mut io = self.net.connect(&self.address).await?;
        let mut multiplexes = self.versions == Versions::Http2;
        if let Some(tls) = &self.tls {
            let secured = tls.connect(io).await?;
            if multiplexes && !secured.http2 {
                return Err(io::Error::other("the server does not speak HTTP/2 over TLS (ALPN h2)"));
            }
            (io, multiplexes) = (secured.io, secured.http2);
        }
        if multiplexes {
            let (sender, connection) = http2::handshake(io).await.map_err(io::Error::other)?;
            Ok(Opened::Http2(sender, Box::new(connection)))
        } else {
            let (sender, connection) = http1::handshake(io).await.map_err(io::Error::other)?;
            Ok(Opened::Http1(sender, Box::new(connection)))
        }
    }

    fn failed(&self, why: &str) -> ExportError {
        let message = format!("cannot connect to {}: {why}", self.address);
        ExportError::new(ErrorKind::Unavailable, Retry::Backoff, message)
    }
}
