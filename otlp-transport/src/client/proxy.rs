//! Proxies: the proxy of an endpoint, and the way a connection goes through the proxy.

mod no_proxy;
mod tunnel;
mod url;

pub(crate) use no_proxy::NoProxy;
pub(crate) use tunnel::open_tunnel;
pub(crate) use url::ProxyUrl;

use crate::endpoint::Endpoint;
use crate::{Address, ClientConfig, ConfigError, ProxyConfig};

/// Route to an endpoint.
#[derive(Debug)]
pub(crate) enum Route {
    Direct,
    /// The proxy receives requests with their whole URL and forwards them.
    Forward(ProxyUrl),
    /// The proxy connects to the endpoint (CONNECT) and then relays bytes.
    Tunnel(ProxyUrl),
}

// === impl Route ===

impl Route {
    /// Returns the route to `endpoint`: through `config.proxy_url`, or as the environment says. `grpc`: HTTP/2 with prior
    /// knowledge, which proxies cannot forward.
    pub(crate) fn new(
        proxies: &ProxyConfig,
        config: &ClientConfig,
        endpoint: &Endpoint,
        grpc: bool,
    ) -> Result<Self, ConfigError> {
        if Address::unix_path(&endpoint.address).is_some() {
            return Ok(Self::Direct);
        }
        let tunnels = grpc || endpoint.secure;
        let (name, url) = match (config.proxy_url.as_str(), tunnels) {
            ("", true) => ("HTTPS_PROXY in the environment", &proxies.https_proxy),
            ("", false) => ("HTTP_PROXY in the environment", &proxies.http_proxy),
            _ => ("", &config.proxy_url),
        };
        if url.is_empty() || (config.proxy_url.is_empty() && is_exempt(proxies, config, endpoint)) {
            return Ok(Self::Direct);
        }
        let proxy = ProxyUrl::parse(url).map_err(|problem| {
            let place = if name.is_empty() { String::new() } else { format!("{name}: ") };
            ConfigError::new("proxy_url", format!("{place}{problem}"))
        })?;
        Ok(if tunnels { Self::Tunnel(proxy) } else { Self::Forward(proxy) })
    }

    /// Returns the proxy to connect to.
    pub(crate) fn proxy(&self) -> Option<&ProxyUrl> {
        match self {
            Self::Direct => None,
            Self::Forward(proxy) | Self::Tunnel(proxy) => Some(proxy),
        }
    }
}

// === impl ProxyConfig ===

impl ProxyConfig {
    /// Returns scheme, host and port of the proxy for `address` (`host:port`), or what is wrong with the proxy's URL; `None`:
    /// connections need no proxy. `is_tunnelled`: the endpoint is `https://`, or gRPC.
    ///
    /// ```
    /// use otlp_transport::ProxyConfig;
    ///
    /// let env = |name: &str| (name == "HTTPS_PROXY").then(|| "http://user:secret@proxy:3128".into());
    /// let proxies = ProxyConfig::from_env(env);
    /// assert_eq!(proxies.proxy_of("collector:4317", true), Some(Ok("http://proxy:3128".into())));
    /// assert_eq!(proxies.proxy_of("localhost:4317", true), None);
    /// assert_eq!(proxies.proxy_of("collector:4318", false), None);
    /// ```
    pub fn proxy_of(&self, address: &str, is_tunnelled: bool) -> Option<Result<String, String>> {
        let url = if is_tunnelled { &self.https_proxy } else { &self.http_proxy };
        if url.is_empty() || NoProxy::parse(&self.no_proxy).contains(address) {
            return None;
        }
        Some(ProxyUrl::parse(url).map(|proxy| proxy.to_string()).map_err(|problem| problem.to_string()))
    }
}

/// True if `NO_PROXY` names the endpoint, or the address that balancing found for the endpoint.
fn is_exempt(proxies: &ProxyConfig, config: &ClientConfig, endpoint: &Endpoint) -> bool {
    let exempt = NoProxy::parse(&proxies.no_proxy);
    let addresses = [Some(endpoint.address.as_str()), config.connect_to.as_deref()];
    addresses.into_iter().flatten().any(|address| exempt.contains(address))
}

#[cfg(test)]
mod tests;
