//! The URL of each signal, and the connections to its server.

use crate::client::attempt::exposes_secrets;
use crate::client::connect::{Connector, Versions};
use crate::client::pool::ConnectionPool;
use crate::client::stats::ClientStats;
use crate::endpoint::Endpoint;
use crate::{ClientConfig, ConfigError, TransportContext};
use http::{HeaderValue, Uri};
use otlp_protocol::Signal;
use std::sync::Arc;

/// The targets of all signals. Targets with the same scheme, host and port share connections.
pub(super) struct Targets {
    targets: Vec<(Signal, Target)>,
    pools: Vec<(bool, String, ConnectionPool)>,
}

/// The URL of a signal in its parts.
pub(super) struct Target {
    /// The URL with scheme and authority, for HTTP/2.
    pub(super) url: Uri,
    /// For HTTP/1.1: path and query; to a forwarding proxy the whole URL.
    pub(super) path: Uri,
    /// User and password of the URL.
    pub(super) authorization: Option<HeaderValue>,
    /// Credentials for a forwarding proxy.
    pub(super) proxy_authorization: Option<HeaderValue>,
    /// Host and, if given, port.
    pub(super) host: HeaderValue,
    /// The URL for messages, without its query, which may hold a secret.
    pub(super) name: String,
    pool: ConnectionPool,
}

// === impl Targets ===

impl Targets {
    pub(super) fn new(
        context: &TransportContext,
        config: &ClientConfig,
        stats: &Arc<ClientStats>,
    ) -> Result<Self, ConfigError> {
        if let Some((name, _)) = config
            .signal_endpoints
            .iter()
            .find(|(name, _)| config.signals.iter().all(|signal| signal.name != name))
        {
            let problem = format!("unknown signal `{name}`");
            return Err(ConfigError::new(SIGNAL_ENDPOINTS, problem));
        }
        let mut targets = Self { targets: Vec::new(), pools: Vec::new() };
        for signal in config.signals.iter().copied() {
            let own = config.signal_endpoints.iter().rev().find(|(name, _)| name == signal.name);
            let endpoint = match own {
                Some((_, url)) => Endpoint::url(SIGNAL_ENDPOINTS, url)?,
                None => Endpoint::http(&config.endpoint, signal.http_path)?,
            };
            let endpoint = endpoint.called(&config.authority)?;
            let pool = targets.pool(context, config, &endpoint, stats).map_err(|error| match own {
                Some(_) if error.key == ENDPOINT => error.with_key(SIGNAL_ENDPOINTS),
                _ => error,
            })?;
            targets.targets.push((signal, Target::new(endpoint, pool)?));
        }
        Ok(targets)
    }

    pub(super) fn of(&self, signal: Signal) -> Option<&Target> {
        self.targets.iter().find(|(of, _)| *of == signal).map(|(_, target)| target)
    }

    pub(super) fn pools(&self) -> impl Iterator<Item = &ConnectionPool> {
        self.pools.iter().map(|(_, _, pool)| pool)
    }

    fn pool(
        &mut self,
        context: &TransportContext,
        config: &ClientConfig,
        endpoint: &Endpoint,
        stats: &Arc<ClientStats>,
    ) -> Result<ConnectionPool, ConfigError> {
        let Endpoint { secure, address, .. } = endpoint;
        if let Some((_, _, pool)) = self.pools.iter().find(|(s, a, _)| s == secure && a == address) {
            return Ok(pool.clone());
        }
        if exposes_secrets(config, endpoint) {
            tracing::warn!(
                endpoint = address,
                "credentials are sent in cleartext to another machine: use https://"
            );
        }
        let connector = Connector::new(context, config, endpoint, Versions::Any)?;
        let pool =
            ConnectionPool::new(connector, config.limits.clone(), context.clock.clone(), stats.clone());
        self.pools.push((*secure, address.clone(), pool.clone()));
        Ok(pool)
    }
}

// === impl Target ===

impl Target {
    fn new(endpoint: Endpoint, pool: ConnectionPool) -> Result<Self, ConfigError> {
        let problem = |problem: String| ConfigError::new(ENDPOINT, problem);
        let url = endpoint.uri(endpoint.path.clone())?;
        let host =
            HeaderValue::from_str(endpoint.called.as_str()).map_err(|error| problem(error.to_string()))?;
        let (name, authorization) = (endpoint.name(), endpoint.authorization.clone());
        let (path, proxy_authorization) = match pool.forwarding() {
            Some((proxy, address)) => {
                let authority =
                    if address == endpoint.address { endpoint.authority.as_str() } else { address };
                let parts = Uri::builder().scheme("http").authority(authority).path_and_query(endpoint.path);
                let url = parts.build().map_err(|error| problem(error.to_string()))?;
                (url, proxy.authorization.clone())
            }
            None => (Uri::from(endpoint.path), None),
        };
        Ok(Self { url, path, authorization, proxy_authorization, host, name, pool })
    }

    pub(super) fn pool(&self) -> &ConnectionPool {
        &self.pool
    }
}

const ENDPOINT: &str = "endpoint";
const SIGNAL_ENDPOINTS: &str = "signal_endpoints";
