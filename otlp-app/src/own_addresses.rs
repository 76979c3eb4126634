//! Names and addresses of this machine, to find exporters that send to the gateway itself.
//!
//! No name is looked up. A loop over DNS, address translation or a load balancer is ended by the header `otlp-hops`.

use std::net::IpAddr;

/// Names and addresses of this machine.
pub(crate) struct OwnAddresses {
    /// Host name, in lower case.
    host_name: String,
    /// Addresses of the network interfaces.
    interfaces: Vec<IpAddr>,
}

/// Address that a client connects to, or that a server listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A name or an address without brackets, in lower case; and a port.
    Tcp(String, u16),
    /// Path of a Unix socket.
    Unix(String),
}

// === impl Place ===

impl Place {
    /// Parses an endpoint: `host:port`, a URL, `dns:///host:port`, `unix:path`. `None` for any other text.
    pub(crate) fn of(endpoint: &str) -> Option<Self> {
        if let Some(path) = endpoint.strip_prefix("unix:") {
            return Some(Self::Unix(path.strip_prefix("//").unwrap_or(path).to_owned()));
        }
        let (scheme, rest) = endpoint.split_once("://").unwrap_or(("", endpoint));
        let default_port = match scheme.to_ascii_lowercase().as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        let authority = rest.trim_start_matches('/').split(['/', '?', '#']).next()?;
        let host = authority.rsplit('@').next()?;
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
            _ => (host, default_port),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        Some(Self::Tcp(host.to_ascii_lowercase(), port?))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix://{path}"),
        }
    }
}

/// Returns the addresses of the network interfaces, without loopback. Without permission to read the addresses there are none.
pub(crate) fn interface_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let others = interfaces.into_iter().filter(|interface| !interface.is_loopback());
    others.map(|interface| interface.ip()).collect()
}

// === impl OwnAddresses ===

impl OwnAddresses {
    /// Reads host name and addresses from the system. Without permission to read the addresses there are none.
    pub(crate) fn of_machine() -> Self {
        let host_name = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        Self { host_name, interfaces: interfaces.into_iter().map(|interface| interface.ip()).collect() }
    }

    /// Returns true if a client that connects to `target` reaches the server that listens on `listener`.
    pub(crate) fn reaches(&self, target: &Place, listener: &Place) -> bool {
        match (target, listener) {
            (Place::Unix(target), Place::Unix(listener)) => target == listener,
            (Place::Tcp(target, port), Place::Tcp(listener, listened)) if port == listened && *port > 0 => {
                target == listener || self.is_heard(target, listener)
            }
            _ => false,
        }
    }

    /// Returns true if a server that listens on the address `listener` accepts connections to the host `target`.
    fn is_heard(&self, target: &str, listener: &str) -> bool {
        let listener: Option<IpAddr> = match listener {
            "localhost" => Some(IpAddr::from([127, 0, 0, 1])),
            "" => Some(IpAddr::from([0; 16])),
            _ => listener.parse().ok().map(|address: IpAddr| address.to_canonical()),
        };
        let address = target.parse().ok().map(|address: IpAddr| address.to_canonical());
        match (listener, address) {
            (Some(listener), None) if listener.is_unspecified() => self.is_own_name(target),
            // A name of the machine resolves to one of its addresses.
            (Some(listener), None) if listener.is_loopback() => is_localhost(target),
            (Some(listener), None) => self.is_host_name(target) && self.interfaces.contains(&listener),
            (Some(listener), Some(target)) if listener.is_unspecified() => {
                target.is_loopback() || target.is_unspecified() || self.interfaces.contains(&target)
            }
            // A connection to the unspecified address goes to the loopback address.
            (Some(listener), Some(target)) => {
                listener == target || (target.is_unspecified() && listener.is_loopback())
            }
            (None, _) => false,
        }
    }

    fn is_own_name(&self, name: &str) -> bool {
        name.is_empty() || is_localhost(name) || self.is_host_name(name)
    }

    /// Returns true if a name is the host's full name or its first label.
    fn is_host_name(&self, name: &str) -> bool {
        let first = self.host_name.split('.').next().unwrap_or_default();
        !name.is_empty() && (name == self.host_name || name == first)
    }
}

/// RFC 6761 §6.3.
fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost") || name == "ip6-localhost"
}

#[cfg(test)]
mod tests;
