//! `NO_PROXY`, by the rules of Go's httpproxy.

use std::net::IpAddr;

/// Destinations that are connected to directly.
#[derive(Debug, Default)]
pub(crate) struct NoProxy(Vec<Entry>);

#[derive(Debug)]
enum Entry {
    All,
    /// An address and the number of its leading bits to compare.
    Range(IpAddr, u32),
    Ip(IpAddr, Port),
    Domain {
        /// The domain in lower case, with a dot before it.
        suffix: String,
        /// True if the entry covers the domain itself, not only its subdomains.
        itself: bool,
        port: Port,
    },
}

/// Any port if `None`.
type Port = Option<String>;

// === impl NoProxy ===

impl NoProxy {
    /// Parses the list. Invalid entries are ignored, as in Go.
    pub(crate) fn parse(list: &str) -> Self {
        let entries = list.split(',').map(|entry| entry.trim().to_lowercase());
        Self(entries.filter_map(|entry| Entry::parse(&entry)).collect())
    }

    /// True if `address` (`host:port`, IPv6 in brackets) is connected to directly: the list contains the address, or the
    /// address is on this machine.
    pub(crate) fn contains(&self, address: &str) -> bool {
        let Some((host, port)) = address.rsplit_once(':') else { return true };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
        let ip = host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
        if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
            return true;
        }
        self.0.iter().any(|entry| entry.matches(&host, ip, port))
    }
}

// === impl Entry ===

impl Entry {
    fn parse(entry: &str) -> Option<Self> {
        if entry.is_empty() {
            return None;
        }
        if entry == "*" {
            return Some(Self::All);
        }
        if let Some(range) = Self::range(entry) {
            return Some(range);
        }
        let (host, port) = split_port(entry);
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Some(Self::Ip(ip.to_canonical(), port));
        }
        let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        if host.is_empty() {
            return None;
        }
        let itself = !host.starts_with('.');
        let suffix = if itself { format!(".{host}") } else { host.to_owned() };
        Some(Self::Domain { suffix, itself, port })
    }

    /// Parses `10.0.0.0/8` or `fd00::/8`.
    fn range(entry: &str) -> Option<Self> {
        let (address, bits) = entry.split_once('/')?;
        let (ip, bits) = (address.parse::<IpAddr>().ok()?, bits.parse().ok()?);
        let most = if ip.is_ipv4() { 32 } else { 128 };
        (bits <= most).then_some(Self::Range(ip, bits))
    }

    fn matches(&self, host: &str, ip: Option<IpAddr>, port: &str) -> bool {
        let is_port = |wanted: &Port| wanted.as_deref().is_none_or(|wanted| wanted == port);
        match (self, ip) {
            (Self::All, _) => true,
            (Self::Range(range, bits), Some(ip)) => in_range(*range, *bits, ip),
            (Self::Ip(wanted, port), Some(ip)) => *wanted == ip && is_port(port),
            (Self::Domain { suffix, itself, port }, None) => {
                let is_it = *itself && suffix.strip_prefix('.') == Some(host);
                (is_it || host.ends_with(suffix.as_str())) && is_port(port)
            }
            (Self::Range(..) | Self::Ip(..), None) | (Self::Domain { .. }, Some(_)) => false,
        }
    }
}

fn in_range(range: IpAddr, bits: u32, ip: IpAddr) -> bool {
    match (range, ip) {
        (IpAddr::V4(range), IpAddr::V4(ip)) => {
            (range.to_bits() ^ ip.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(range), IpAddr::V6(ip)) => {
            (range.to_bits() ^ ip.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// Splits `host:port`, `[v6]:port`, or a host alone, which may be an IPv6 address with or without brackets.
fn split_port(entry: &str) -> (&str, Port) {
    if let Some(rest) = entry.strip_prefix('[')
        && let Some((host, after)) = rest.split_once(']')
    {
        return (host, after.strip_prefix(':').map(str::to_owned));
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port.to_owned())),
        _ => (entry, None),
    }
}
