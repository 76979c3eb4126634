//! The client's settings, of flags and of the environment.

use super::args::{DestinationArgs, WireProtocol};
use crate::config::Lookup;
use crate::otel_env;
use crate::protocol::Protocol;
use otlp_transport::{ClientConfig, Encoding};

/// Destination of the requests.
pub(super) struct Destination {
    pub(super) protocol: Protocol,
    pub(super) config: ClientConfig,
}

/// The environment, with the protocol of the flag in place of `OTEL_EXPORTER_OTLP_PROTOCOL`.
struct WithProtocol<'a> {
    protocol: Option<&'static str>,
    lookup: &'a dyn Lookup,
}

impl Lookup for WithProtocol<'_> {
    fn env(&self, name: &str) -> Option<String> {
        let given = self.protocol.filter(|_| name == "OTEL_EXPORTER_OTLP_PROTOCOL");
        given.map(str::to_owned).or_else(|| self.lookup.env(name))
    }

    fn file(&self, path: &str) -> std::io::Result<String> {
        self.lookup.file(path)
    }
}

impl Destination {
    /// Reads flags, and without `--to` also the environment. Adds warnings about variables to `warnings`.
    pub(super) fn new(args: &DestinationArgs, lookup: &dyn Lookup, warnings: &mut Vec<String>) -> Self {
        let mut destination = match &args.to {
            Some(endpoint) => Self::of_endpoint(endpoint, args.protocol),
            None => {
                let (forward, found) = otel_env::forward(&WithProtocol {
                    protocol: args.protocol.map(WireProtocol::name),
                    lookup,
                });
                warnings.extend(found);
                let default = || Self::speaking(args.protocol.unwrap_or(WireProtocol::Grpc), String::new());
                let of_env = |otel_env::Forward { protocol, config, .. }| Self { protocol, config };
                forward.map_or_else(default, of_env)
            }
        };
        let config = &mut destination.config;
        if let Some(compression) = args.compression {
            config.compression = compression.compression();
        }
        if args.timeout.is_some() {
            config.timeout = args.timeout;
        }
        config.headers.extend(args.header.iter().cloned());
        config.tls.ca_file = args.tls_ca.clone().or(config.tls.ca_file.take());
        config.tls.certificate.cert_file = args.tls_cert.clone().or(config.tls.certificate.cert_file.take());
        config.tls.certificate.key_file = args.tls_key.clone().or(config.tls.certificate.key_file.take());
        config.tls.server_name_override = args.tls_server_name.clone();
        config.tls.insecure_skip_verify = args.tls_skip_verify;
        if args.has_tls_flags() && destination.is_cleartext() {
            let to = destination.description();
            warnings
                .push(format!("--tls-* flags have no effect: {to} is in cleartext; give https:// for TLS"));
        }
        destination
    }

    /// An endpoint without a scheme is in cleartext.
    pub(super) fn of_endpoint(endpoint: &str, protocol: Option<WireProtocol>) -> Self {
        let protocol = protocol.unwrap_or_else(|| usual_protocol(endpoint));
        let has_scheme = endpoint.contains("://") || endpoint.starts_with("unix:");
        let is_http = protocol != WireProtocol::Grpc;
        let endpoint =
            if is_http && !has_scheme { format!("http://{endpoint}") } else { endpoint.to_owned() };
        let mut destination = Self::speaking(protocol, endpoint);
        let config = &mut destination.config;
        config.tls.insecure = !has_scheme || config.endpoint.starts_with("unix:");
        destination
    }

    /// An empty endpoint is the usual port of the protocol on this machine.
    fn speaking(protocol: WireProtocol, endpoint: String) -> Self {
        let mut config = ClientConfig::new(endpoint);
        if protocol == WireProtocol::HttpJson {
            config.encoding = Encoding::Json;
        }
        Self {
            protocol: if protocol == WireProtocol::Grpc { Protocol::Grpc } else { Protocol::Http },
            config,
        }
    }

    /// True if no request is sent over TLS.
    fn is_cleartext(&self) -> bool {
        let config = &self.config;
        // The default endpoint, of the empty text, is in cleartext.
        let is_clear = |url: &str| match url.split_once(':') {
            Some(("http" | "unix", _)) => true,
            Some(("https", _)) => false,
            _ => url.is_empty() || config.tls.insecure,
        };
        is_clear(&config.endpoint) && config.signal_endpoints.iter().all(|(_, url)| is_clear(url))
    }

    /// Returns protocol and endpoint for messages, without credentials and queries.
    pub(super) fn description(&self) -> String {
        let Self { protocol, config } = self;
        let (name, default) = match (protocol, config.encoding) {
            (Protocol::Grpc, _) => ("gRPC", "http://localhost:4317"),
            (Protocol::Http, Encoding::Protobuf) => ("HTTP, protobuf", "http://localhost:4318"),
            (Protocol::Http, Encoding::Json) => ("HTTP, JSON", "http://localhost:4318"),
        };
        let first = config.signal_endpoints.first().map(|(_, url)| url.as_str());
        let endpoint = if config.endpoint.is_empty() { first.unwrap_or(default) } else { &config.endpoint };
        let endpoint = endpoint.split('?').next().unwrap_or_default();
        let (scheme, rest) =
            endpoint.split_once("://").map_or(("", endpoint), |(scheme, rest)| (scheme, rest));
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
        format!("{scheme}{place} ({name})")
    }
}

/// Returns the protocol of an endpoint by its port and path: 4318 is the port of OTLP over HTTP, and gRPC has no paths.
fn usual_protocol(endpoint: &str) -> WireProtocol {
    let (scheme, place) = endpoint.split_once("://").unwrap_or(("", endpoint));
    let (authority, path) = place.split_once('/').unwrap_or((place, ""));
    let is_unix = scheme == "unix" || endpoint.starts_with("unix:");
    if !is_unix && (authority.ends_with(":4318") || !path.is_empty()) {
        WireProtocol::HttpProtobuf
    } else {
        WireProtocol::Grpc
    }
}

#[cfg(test)]
mod tests;
