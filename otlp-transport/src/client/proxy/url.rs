//! The URL of a proxy.

use crate::user_info;
use http::HeaderValue;
use http::uri::Authority;
use std::fmt;

/// A parsed proxy URL. `Display` and `Debug` show neither user nor password.
#[derive(Clone)]
pub(crate) struct ProxyUrl {
    /// True if the connection to the proxy uses TLS.
    pub(crate) secure: bool,
    /// `host:port`, IPv6 in brackets.
    pub(crate) address: String,
    /// `Proxy-Authorization`, if the URL has a user.
    pub(crate) authorization: Option<HeaderValue>,
}

// === impl ProxyUrl ===

impl ProxyUrl {
    /// Parses `http://…`, `https://…` or `host:port`. The error does not quote a URL that has a user.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let url = url.trim();
        let problem = |problem: &str| {
            let quoted = if url.contains('@') { "…" } else { url };
            format!("`{quoted}`: {problem}")
        };
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (secure, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (false, 80),
            "https" => (true, 443),
            "socks4" | "socks4a" | "socks5" | "socks5h" => {
                return Err(problem("SOCKS proxies are not supported; give an http:// or https:// proxy"));
            }
            _ => return Err(problem("expected a proxy as http://host:port or https://host:port")),
        };
        let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, host) = match rest.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, rest),
        };
        let authority: Authority = host.parse().map_err(|_| problem("invalid host or port of the proxy"))?;
        let name = authority.host();
        let port = match authority.port_u16().filter(|&port| port > 0) {
            Some(port) => port,
            None if name.len() == host.len() => default_port,
            None => return Err(problem("the proxy's port must be a number from 1 to 65535")),
        };
        if name.is_empty() {
            return Err(problem("the proxy's host is missing"));
        }
        let authorization = user
            .map(user_info::basic)
            .transpose()
            .map_err(|()| problem("the proxy's user or password has characters that cannot be sent"))?;
        Ok(Self { secure, address: format!("{name}:{port}"), authorization })
    }

    /// Returns the host as certificates name it: without brackets.
    pub(crate) fn host(&self) -> &str {
        let host = self.address.rsplit_once(':').map_or("", |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']')
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.secure { "https" } else { "http" }, self.address)
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({self})")
    }
}
