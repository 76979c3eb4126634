//! Endpoints from DNS: all A and AAAA records of a name, looked up periodically.

use super::{ResolvedEndpoint, Resolver};
use crate::{Clock, Net, NetFuture, TransportContext};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Settings of a DNS resolver.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DnsConfig {
    /// The name to look up.
    pub hostname: String,
    /// The port of every endpoint. Default 4317.
    pub port: u16,
    /// Time from an answer to the next lookup, at least 100 ms. Default 5 s.
    pub interval: Duration,
    /// The longest time for a lookup. Default 1 s.
    pub timeout: Duration,
    /// Prefix of the endpoints, before `hostname:port`. Default empty; OTLP/HTTP needs `http://` or `https://`.
    pub scheme: String,
}

/// Looks up the addresses of a name. Requests and certificates carry the name; only connections use the addresses.
#[derive(Debug)]
pub struct DnsResolver {
    net: Arc<dyn Net>,
    clock: Arc<dyn Clock>,
    config: DnsConfig,
    has_asked: bool,
}

// === impl DnsConfig ===

impl DnsConfig {
    /// Defaults, for `hostname`.
    pub fn new(hostname: impl Into<String>) -> Self {
        Self {
            hostname: hostname.into(),
            port: 4317,
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(1),
            scheme: String::new(),
        }
    }
}

// === impl DnsResolver ===

impl DnsResolver {
    /// Makes a resolver that has not looked up the name yet.
    pub fn new(context: &TransportContext, config: DnsConfig) -> Self {
        Self { net: context.net.clone(), clock: context.clock.clone(), config, has_asked: false }
    }

    fn target(&self) -> String {
        format!("{}:{}", self.config.hostname, self.config.port)
    }

    async fn ask(&self) -> io::Result<Vec<ResolvedEndpoint>> {
        let DnsConfig { hostname, timeout, scheme, .. } = &self.config;
        let target = self.target();
        let mut addresses = tokio::select! {
            biased;
            addresses = self.net.resolve(&target) => addresses.map_err(|error| {
                io::Error::new(error.kind(), format!("`{target}` cannot be looked up: {error}"))
            })?,
            () = self.clock.sleep((*timeout).min(MAX_TIME)) => {
                let message = format!("no DNS answer for {hostname} within {timeout:?}");
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
        };
        // Servers rotate their answers; the order says nothing.
        addresses.sort_unstable();
        addresses.dedup();
        let found = addresses.into_iter().map(|address| ResolvedEndpoint {
            endpoint: format!("{scheme}{target}"),
            connect_to: Some(address.to_string()),
            weight: 1,
        });
        Ok(found.collect())
    }
}

impl Resolver for DnsResolver {
    fn name(&self) -> &'static str {
        "dns"
    }

    fn example(&self) -> Option<ResolvedEndpoint> {
        Some(ResolvedEndpoint::new(format!("{}{}", self.config.scheme, self.target())))
    }

    fn next(&mut self) -> NetFuture<'_, Vec<ResolvedEndpoint>> {
        Box::pin(async move {
            if self.has_asked {
                self.clock.sleep(self.config.interval.clamp(MIN_INTERVAL, MAX_TIME)).await;
            }
            self.has_asked = true;
            self.ask().await
        })
    }
}

/// Lower bound of `interval`.
const MIN_INTERVAL: Duration = Duration::from_millis(100);
/// Upper bound of `interval` and `timeout`, so that the time can be added to an instant.
const MAX_TIME: Duration = Duration::from_secs(24 * 60 * 60);
