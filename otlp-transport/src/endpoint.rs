//! Endpoints of clients, parsed when a client is made: the address to connect to, the name to expect, and the path to
//! request.

use crate::user_info::{self, split_user};
use crate::{Address, ConfigError};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};

/// A parsed endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// True if the endpoint uses TLS.
    pub(crate) secure: bool,
    /// Host and, if given, port.
    pub(crate) authority: Authority,
    /// Value of `:authority` and `host`: `authority`, unless the setting `authority` replaces it.
    pub(crate) called: Authority,
    /// User and password, as a header value.
    pub(crate) authorization: Option<HeaderValue>,
    /// Address to connect to: `host:port`, IPv6 in brackets, or `unix://` and a path.
    pub(crate) address: String,
    /// Path and query; `/` if none was given.
    pub(crate) path: PathAndQuery,
}

// === impl Endpoint ===

impl Endpoint {
    /// Parses a gRPC endpoint: `host:port`, also as gRPC's targets have it (`dns:///host:port`,
    /// `passthrough:///host:port`, `ipv4:address:port`, `ipv6:[address]:port`), a Unix socket (`unix:path`,
    /// `unix:///path`), or an `http(s)://` URL, whose scheme overrides `insecure`. Empty: `http://localhost:4317`.
    pub(crate) fn grpc(endpoint: &str, insecure: bool) -> Result<Self, ConfigError> {
        let endpoint = if endpoint.is_empty() { DEFAULT_GRPC } else { endpoint };
        // `dns:4317` is a host named `dns` and a port.
        let after = |scheme: &&str| endpoint.strip_prefix(*scheme).filter(|rest| rest.contains(':'));
        let target = TARGET_SCHEMES.iter().find_map(after).unwrap_or(endpoint);
        if let Some(path) = Address::unix_path(target) {
            return Self::unix(path, !insecure);
        }
        if target.contains("://") {
            let parsed = Self::url(ENDPOINT, target)?;
            if parsed.path != "/" {
                return Err(problem(ENDPOINT, endpoint, "a gRPC endpoint cannot have a path"));
            }
            return Ok(parsed);
        }
        let (user, target) = split_user(target);
        let authority = target
            .parse::<Authority>()
            .map_err(|error| problem(ENDPOINT, endpoint, &format!("{error}: expected host:port or a URL")))?;
        Self::new(!insecure, authority, None, PathAndQuery::from_static("/"), user)
            .map_err(|error| problem(ENDPOINT, endpoint, error))
    }

    /// Parses a URL; without a path it gets `/`. `key` is the setting that holds the URL.
    pub(crate) fn url(key: &'static str, url: &str) -> Result<Self, ConfigError> {
        let (user, bare) = split_user(url);
        let parsed = bare
            .parse::<Uri>()
            .map_err(|error| problem(key, url, &format!("not a URL: {error}")))?
            .into_parts();
        let (secure, default_port) = match &parsed.scheme {
            Some(scheme) if *scheme == Scheme::HTTP => (false, 80),
            Some(scheme) if *scheme == Scheme::HTTPS => (true, 443),
            _ => return Err(problem(key, url, "expected a URL that starts with http:// or https://")),
        };
        let authority = parsed.authority.ok_or_else(|| problem(key, url, "the host is missing"))?;
        let path = parsed.path_and_query.filter(|path| path.as_str() != "");
        let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
        Self::new(secure, authority, Some(default_port), path, user).map_err(|error| problem(key, url, error))
    }

    /// Parses the base URL of OTLP/HTTP, or a Unix socket (`unix:///path`), and appends `signal_path` (`/v1/traces`) to its
    /// path; a query stays at the end. Empty: `http://localhost:4318`.
    /// OTLP exporter §Endpoint URLs for OTLP/HTTP.
    pub(crate) fn http(base: &str, signal_path: &str) -> Result<Self, ConfigError> {
        let base = if base.is_empty() { DEFAULT_HTTP } else { base };
        let mut endpoint = match Address::unix_path(base) {
            Some(path) => Self::unix(path, false)?,
            None => Self::url(ENDPOINT, base)?,
        };
        let query = endpoint.path.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = format!("{}{signal_path}{query}", endpoint.path.path().trim_end_matches('/'));
        endpoint.path = path.parse().map_err(|error| problem(ENDPOINT, base, &format!("{error}")))?;
        Ok(endpoint)
    }

    /// Replaces the authority that requests carry; an empty `name` changes nothing.
    pub(crate) fn called(mut self, name: &str) -> Result<Self, ConfigError> {
        if !name.is_empty() {
            self.called = name.parse().map_err(|error| problem(AUTHORITY, name, &format!("{error}")))?;
        }
        Ok(self)
    }

    /// Returns the host as certificates name it: without brackets.
    pub(crate) fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    /// Returns the URI of `path` at this endpoint, with scheme and authority.
    pub(crate) fn uri(&self, path: PathAndQuery) -> Result<Uri, ConfigError> {
        let scheme = if self.secure { Scheme::HTTPS } else { Scheme::HTTP };
        Uri::builder()
            .scheme(scheme)
            .authority(self.called.clone())
            .path_and_query(path)
            .build()
            .map_err(|error| problem(ENDPOINT, self.authority.as_str(), &error.to_string()))
    }

    /// Returns the name for messages: scheme, host, port if given, and path, without the query, which may hold a secret.
    pub(crate) fn name(&self) -> String {
        format!("{}{}", self.place(), self.path.path().trim_end_matches('/'))
    }

    /// Returns the name for messages without the path.
    pub(crate) fn place(&self) -> String {
        match (Address::unix_path(&self.address), self.secure) {
            (Some(_), _) => self.address.clone(),
            (None, true) => format!("https://{}", self.authority),
            (None, false) => format!("http://{}", self.authority),
        }
    }

    /// Makes an endpoint on a Unix socket, whose server is named `localhost` as in gRPC.
    fn unix(path: &str, secure: bool) -> Result<Self, ConfigError> {
        if path.is_empty() {
            return Err(problem(ENDPOINT, "unix:", "the path of the socket is missing"));
        }
        let authority = Authority::from_static("localhost");
        let address = format!("unix://{path}");
        let called = authority.clone();
        Ok(Self {
            secure,
            authority,
            called,
            authorization: None,
            address,
            path: PathAndQuery::from_static("/"),
        })
    }

    /// Makes an endpoint on TCP. `user` is `name:password` as in a URL.
    fn new(
        secure: bool,
        authority: Authority,
        default_port: Option<u16>,
        path: PathAndQuery,
        user: Option<&str>,
    ) -> Result<Self, &'static str> {
        let host = authority.host();
        if host.is_empty() {
            return Err("the host is missing");
        }
        let has_port = authority.as_str().len() > host.len();
        let port = match (authority.port_u16().filter(|&port| port > 0), default_port) {
            (Some(port), _) => port,
            (None, Some(port)) if !has_port => port,
            (None, None) if !has_port => return Err("the port is missing; gRPC's default port is 4317"),
            _ => return Err("the port must be a number from 1 to 65535"),
        };
        let address = format!("{host}:{port}");
        let basic = user.map(user_info::basic).transpose();
        let authorization = basic.map_err(|()| "user or password has characters that cannot be sent")?;
        Ok(Self { secure, called: authority.clone(), authority, authorization, address, path })
    }
}

fn problem(key: &'static str, given: &str, problem: &str) -> ConfigError {
    // Text that may hold credentials is not quoted, nor is a query.
    let given = if given.contains('@') { "…" } else { given.split('?').next().unwrap_or_default() };
    ConfigError::new(key, problem).with_value(given)
}

/// Schemes of gRPC's targets, which may omit the slashes.
const TARGET_SCHEMES: [&str; 6] = ["dns:///", "dns:", "passthrough:///", "passthrough:", "ipv4:", "ipv6:"];
const AUTHORITY: &str = "authority";
const ENDPOINT: &str = "endpoint";
const DEFAULT_GRPC: &str = "http://localhost:4317";
const DEFAULT_HTTP: &str = "http://localhost:4318";

#[cfg(test)]
mod tests;
