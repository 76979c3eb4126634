//! Addresses to listen on: `host:port`, or the path of a Unix socket.

use serde::Deserialize;

/// Kind of an endpoint: the Collector's `transport`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    #[default]
    Tcp,
    /// IPv4 only.
    Tcp4,
    /// IPv6 only.
    Tcp6,
    Unix,
}

impl Transport {
    /// Checks an endpoint to listen on.
    pub(crate) fn address(self, endpoint: &str) -> Result<String, &'static str> {
        let checked = listen_address(endpoint);
        match self {
            Self::Tcp => checked,
            Self::Unix => listen_path(endpoint),
            Self::Tcp4 | Self::Tcp6 if endpoint.starts_with("unix:") => checked,
            Self::Tcp4 | Self::Tcp6 => checked.map(|_| {
                let (scheme, any) = if self == Self::Tcp4 { ("tcp4", "0.0.0.0") } else { ("tcp6", "[::]") };
                let host = if endpoint.starts_with(':') { any } else { "" };
                format!("{scheme}://{host}{endpoint}")
            }),
        }
    }
}

/// Checks an address to listen on. No host (`:4317`), `0.0.0.0` and `[::]` mean the same: every address of the machine,
/// IPv6 included where the system has it. `unix:///path` is a Unix socket.
pub(crate) fn listen_address(endpoint: &str) -> Result<String, &'static str> {
    if endpoint.starts_with("unix:") {
        return listen_path(endpoint);
    }
    if endpoint.contains(['/', ' ']) {
        return Err("host:port is expected, not a URL");
    }
    let (host, port) = endpoint.rsplit_once(':').ok_or("a port is missing: host:port")?;
    if port.parse::<u16>().is_err() {
        return Err("the port must be a number up to 65535");
    }
    let bracketed = host.starts_with('[') && host.ends_with(']');
    if host.contains(':') && !bracketed {
        return Err("an IPv6 address needs brackets: [::1]:4317");
    }
    Ok(if matches!(host, "" | "0.0.0.0" | "[::]") { format!("[::]:{port}") } else { endpoint.to_owned() })
}

/// Returns true if two checked addresses are the same port or socket. Two addresses with port 0 are different ports.
pub(crate) fn are_one(one: &str, other: &str) -> bool {
    one == other && !one.ends_with(":0")
}

/// Checks the path of a Unix socket to listen on.
fn listen_path(endpoint: &str) -> Result<String, &'static str> {
    let path = endpoint.strip_prefix("unix:").unwrap_or(endpoint);
    if !path.contains('/') {
        return Err("with `transport: unix` the path of a socket, with a `/`, is expected");
    }
    Ok(format!("unix://{}", path.strip_prefix("//").unwrap_or(path)))
}
