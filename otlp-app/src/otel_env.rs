//! The exporter that the `OTEL_EXPORTER_OTLP_*` variables describe: OTLP exporter §Configuration Options.
//!
//! Of the variables of single signals only the endpoint is read, and only over HTTP: the local gateway has one exporter.

use crate::config::Lookup;
use crate::own_addresses::Place;
use crate::protocol::Protocol;
use otlp_protocol::Signal;
use otlp_transport::{ClientConfig, Compression, Encoding, parse_headers};
use std::time::Duration;

/// The exporter to forward to.
pub(crate) struct Forward {
    /// Protocol of the destination.
    pub(crate) protocol: Protocol,
    /// Endpoint and other settings of the client.
    pub(crate) config: ClientConfig,
    /// Names of the signals that have an endpoint; `None`: all signals.
    pub(crate) takes: Option<Vec<&'static str>>,
}

/// Reads the variables. Without an endpoint there is no exporter. An empty variable counts as not set. Also returns warnings
/// about values that were ignored, without the values, which may be secrets.
pub(crate) fn forward(lookup: &dyn Lookup) -> (Option<Forward>, Vec<String>) {
    let get =
        |name: &str| lookup.env(&format!("OTEL_EXPORTER_OTLP_{name}")).filter(|value| !value.is_empty());
    let mut warnings = Vec::new();
    let given = get("PROTOCOL").map(|protocol| protocol.to_ascii_lowercase());
    let (protocol, encoding) = match given.as_deref() {
        None | Some("http/protobuf") => (Protocol::Http, Encoding::Protobuf),
        Some("http/json") => (Protocol::Http, Encoding::Json),
        Some("grpc") => (Protocol::Grpc, Encoding::Protobuf),
        Some(_) => {
            let problem = "unknown protocol; available: grpc, http/protobuf, http/json; using http/protobuf";
            warnings.push(format!("OTEL_EXPORTER_OTLP_PROTOCOL: {problem}"));
            (Protocol::Http, Encoding::Protobuf)
        }
    };
    let own = own_endpoints(&get, protocol, &mut warnings);
    let base = get("ENDPOINT");
    if base.is_none() && own.is_empty() {
        return (None, warnings);
    }
    let takes = base.is_none().then(|| own.iter().map(|(signal, _)| *signal).collect());
    let mut config = ClientConfig::new(base.unwrap_or_default());
    config.signal_endpoints = own.into_iter().map(|(signal, url)| (signal.to_owned(), url)).collect();
    config.encoding = encoding;
    config.compression = match get("COMPRESSION")
        .map(|compression| compression.to_ascii_lowercase())
        .as_deref()
    {
        None | Some("none") => Compression::None,
        Some("gzip") => Compression::Gzip,
        Some("zstd") => Compression::Zstd,
        Some("br") => Compression::Brotli,
        Some(_) => {
            warnings
                    .push("OTEL_EXPORTER_OTLP_COMPRESSION: unknown compression; available: none, gzip, zstd, br; using none".into());
            Compression::None
        }
    };
    let (headers, problems) = parse_headers(&get("HEADERS").unwrap_or_default());
    config.headers = headers;
    warnings.extend(problems.into_iter().map(|problem| format!("OTEL_EXPORTER_OTLP_HEADERS: {problem}")));
    // In `ClientConfig` zero is no limit, as in the variable.
    config.timeout = Some(timeout(&get("TIMEOUT").unwrap_or_default(), &mut warnings).unwrap_or_default());
    config.tls.insecure = match get("INSECURE").map(|insecure| insecure.to_ascii_lowercase()).as_deref() {
        Some("true") => true,
        None | Some("false") => false,
        Some(_) => {
            warnings.push("OTEL_EXPORTER_OTLP_INSECURE: neither true nor false; using false".into());
            false
        }
    };
    config.tls.ca_file = get("CERTIFICATE").map(Into::into);
    config.tls.certificate.cert_file = get("CLIENT_CERTIFICATE").map(Into::into);
    config.tls.certificate.key_file = get("CLIENT_KEY").map(Into::into);
    (Some(Forward { protocol, config, takes }), warnings)
}

/// Returns the variable that a setting of the client comes from.
pub(crate) fn variable(key: &str) -> String {
    let name = VARIABLES.iter().find(|(known, _)| *known == key).map_or("*", |(_, name)| name);
    format!("OTEL_EXPORTER_OTLP_{name}")
}

// === impl Forward ===

impl Forward {
    /// Removes the endpoints that are the gateway's own, with a warning each: telemetry sent there would come back. `None` if
    /// no endpoint is left.
    pub(crate) fn without_own(
        self,
        is_own: impl Fn(&Place) -> bool,
        warnings: &mut Vec<String>,
    ) -> Option<Self> {
        let Self { protocol, mut config, takes } = self;
        let mut is_own = |variable: String, url: &str| {
            let Some(place) = Place::of(url).filter(&is_own) else { return false };
            warnings.push(format!(
                "{variable}: {place} is this gateway itself; nothing is forwarded there, since all of it would come back"
            ));
            true
        };
        let base_is_own = is_own("OTEL_EXPORTER_OTLP_ENDPOINT".into(), &config.endpoint);
        let variable = |signal: &str| format!("OTEL_EXPORTER_OTLP_{}_ENDPOINT", signal.to_ascii_uppercase());
        let (own, others): (Vec<_>, Vec<_>) = std::mem::take(&mut config.signal_endpoints)
            .into_iter()
            .partition(|(signal, url)| is_own(variable(signal), url));
        let names = |signal: &str, list: &[(String, String)]| list.iter().any(|(name, _)| name == signal);
        let mut taken = takes.clone().unwrap_or_else(|| Signal::ALL.map(|signal| signal.name).into());
        taken.retain(|signal| !names(signal, &own) && (!base_is_own || names(signal, &others)));
        if base_is_own {
            config.endpoint.clear();
        }
        config.signal_endpoints = others;
        let takes = if base_is_own || !own.is_empty() { Some(taken) } else { takes };
        let is_left = takes.as_ref().is_none_or(|takes| !takes.is_empty());
        is_left.then_some(Self { protocol, config, takes })
    }

    /// Returns hosts and ports of the destinations, without credentials.
    pub(crate) fn places(&self) -> String {
        let urls = self.config.signal_endpoints.iter().map(|(_, url)| url).chain([&self.config.endpoint]);
        let mut places: Vec<_> =
            urls.filter_map(|url| Place::of(url)).map(|place| place.to_string()).collect();
        places.dedup();
        places.join(", ")
    }
}

/// Reads the full URLs of single signals. OTLP exporter §Endpoint URLs for OTLP/HTTP.
fn own_endpoints(
    get: &dyn Fn(&str) -> Option<String>,
    protocol: Protocol,
    warnings: &mut Vec<String>,
) -> Vec<(&'static str, String)> {
    let mut own = Vec::new();
    for signal in Signal::ALL {
        let prefix = signal.name.to_ascii_uppercase();
        match get(&format!("{prefix}_ENDPOINT")) {
            Some(url) if protocol == Protocol::Http => own.push((signal.name, url)),
            Some(_) => warnings.push(format!(
                "OTEL_EXPORTER_OTLP_{prefix}_ENDPOINT: ignored: over gRPC all signals go to OTEL_EXPORTER_OTLP_ENDPOINT"
            )),
            None => {}
        }
        let unread = OF_ALL_SIGNALS.iter().filter(|name| get(&format!("{prefix}_{name}")).is_some());
        warnings.extend(unread.map(|name| {
            format!(
                "OTEL_EXPORTER_OTLP_{prefix}_{name}: ignored; OTEL_EXPORTER_OTLP_{name} is for all signals"
            )
        }));
    }
    own
}

/// Parses milliseconds; zero is no limit (`None`).
fn timeout(value: &str, warnings: &mut Vec<String>) -> Option<Duration> {
    let millis = match value {
        "" => DEFAULT_TIMEOUT_MS,
        _ => value.parse().unwrap_or_else(|_| {
            warnings.push("OTEL_EXPORTER_OTLP_TIMEOUT: not a number of milliseconds; using 10000".into());
            DEFAULT_TIMEOUT_MS
        }),
    };
    (millis > 0).then(|| Duration::from_millis(millis))
}

/// Settings of the client, and their variables without `OTEL_EXPORTER_OTLP_`.
const VARIABLES: [(&str, &str); 6] = [
    ("endpoint", "ENDPOINT"),
    ("headers", "HEADERS"),
    ("signal_endpoints", "<SIGNAL>_ENDPOINT"),
    ("tls.ca_file", "CERTIFICATE"),
    ("tls.cert_file", "CLIENT_CERTIFICATE"),
    ("tls.key_file", "CLIENT_KEY"),
];
/// Variables that single signals cannot have.
const OF_ALL_SIGNALS: [&str; 8] = [
    "PROTOCOL",
    "HEADERS",
    "COMPRESSION",
    "TIMEOUT",
    "INSECURE",
    "CERTIFICATE",
    "CLIENT_KEY",
    "CLIENT_CERTIFICATE",
];
const DEFAULT_TIMEOUT_MS: u64 = 10_000;

#[cfg(test)]
mod tests;
