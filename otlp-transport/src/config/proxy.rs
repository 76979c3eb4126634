//! Proxies of clients, as in the environment variables `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.

use std::fmt;

/// The proxies that clients connect through. The texts are those of the environment variables of the same names, with the
/// rules of Go's `golang.org/x/net/http/httpproxy`, and so of the Collector. Default: no proxy.
///
/// A proxy is `http://host:port` or `https://host:port`, with `user:password@` before the host if the proxy asks for
/// credentials; `host:port` alone is `http://`. `Debug` output shows no proxy, since URLs of proxies may have passwords.
///
/// ```
/// use otlp_transport::ProxyConfig;
///
/// let env = |name: &str| (name == "HTTPS_PROXY").then(|| "http://proxy:3128".to_owned());
/// assert_eq!(ProxyConfig::from_env(env).https_proxy, "http://proxy:3128");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyConfig {
    /// The proxy for `http://` URLs of OTLP/HTTP, which gets requests with their whole URL. Empty: no proxy.
    pub http_proxy: String,
    /// The proxy for `https://` URLs of OTLP/HTTP, and for gRPC with and without TLS, as in grpc-go; connections go through
    /// the proxy by CONNECT. Empty: no proxy.
    pub https_proxy: String,
    /// Destinations without a proxy, separated by commas: host names (which include subdomains), names after `.` or `*.`
    /// (subdomains alone), IP addresses, CIDR ranges; all but ranges with or without `:port`; `*` is all destinations.
    /// `localhost` and loopback addresses never go through a proxy.
    pub no_proxy: String,
}

// === impl ProxyConfig ===

impl ProxyConfig {
    /// Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, or the same names in lower case where these are unset or empty.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let get = |upper: &str, lower: &str| {
            let given = |name| lookup(name).filter(|value| !value.is_empty());
            given(upper).or_else(|| given(lower)).unwrap_or_default()
        };
        Self {
            http_proxy: get("HTTP_PROXY", "http_proxy"),
            https_proxy: get("HTTPS_PROXY", "https_proxy"),
            no_proxy: get("NO_PROXY", "no_proxy"),
        }
    }
}

impl fmt::Debug for ProxyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyConfig")
            .field("http_proxy", &!self.http_proxy.is_empty())
            .field("https_proxy", &!self.https_proxy.is_empty())
            .field("no_proxy", &self.no_proxy)
            .finish()
    }
}
