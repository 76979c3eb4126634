//! Destinations of own telemetry: OTLP, and the console.

use super::Reading;
use crate::config::files::FilePath;
use crate::config::headers::Headers;
use crate::config::problem::Problem;
use crate::config::source::Span;
use crate::protocol::Protocol;
use otlp_protocol::Signal;
use otlp_transport::{ClientConfig, Compression, ConfigError, Encoding};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use std::time::Duration;

/// Destination of own telemetry: one of the two.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OwnExporter {
    otlp: Option<OwnOtlp>,
    /// Writes to stdout, each item as a line of OTLP/JSON.
    console: Option<Present>,
}

/// A destination that takes OTLP.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OwnOtlp {
    /// grpc, http/protobuf, http/json. Default http/protobuf.
    protocol: OwnProtocol,
    /// URL; over gRPC also `host:port`. Over HTTP, a URL without a path gets `/v1/<signal>`. Default `http://localhost:4317`
    /// over gRPC, `http://localhost:4318` over HTTP.
    endpoint: String,
    /// Headers of each request: a list of `{name, value}`, or a map.
    headers: Headers,
    /// More headers, as `name=value,name=value`.
    headers_list: String,
    /// Sends without TLS, if the endpoint has no scheme. Default false.
    insecure: bool,
    /// gzip, none. Default none.
    compression: OwnCompression,
    /// Time limit of one attempt, in milliseconds; 0: no limit. Default 10000.
    timeout: Option<u64>,
    /// PEM file of trusted certificates. Default: the system's.
    certificate: Option<FilePath>,
    /// PEM file of the certificate that is shown if the server asks for one. Default none.
    client_certificate: Option<FilePath>,
    /// PEM file of the certificate's key.
    client_key: Option<FilePath>,
    /// Of metrics: cumulative, delta, lowmemory. Default cumulative; lowmemory is delta.
    temporality_preference: Option<OwnTemporality>,
}

/// Protocols of own telemetry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
enum OwnProtocol {
    #[serde(rename = "grpc")]
    Grpc,
    #[default]
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
    #[serde(rename = "http/json")]
    HttpJson,
}

/// Content encodings of own telemetry.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OwnCompression {
    Gzip,
    #[default]
    #[serde(alias = "")]
    None,
}

/// Temporality of own metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OwnTemporality {
    Cumulative,
    Delta,
    LowMemory,
}

/// A section that has no keys.
#[derive(Debug)]
pub(super) struct Present;

/// A destination of own telemetry.
#[derive(Debug)]
pub(crate) struct OwnExporterPlan {
    /// The destination.
    pub(crate) destination: OwnDestination,
    /// Sends own metrics as increments.
    pub(crate) is_delta: bool,
    /// Path of the exporter's settings.
    at: String,
    /// Places of the settings.
    places: Vec<(&'static str, Span)>,
    place: Span,
}

/// A server that own telemetry is sent to.
pub(crate) struct OwnServer {
    /// Path of the settings in the file.
    pub(crate) place: String,
    /// Signal that is sent.
    pub(crate) signal: Signal,
    /// Protocol of the server.
    pub(crate) protocol: Protocol,
    /// Settings of the client.
    pub(crate) config: ClientConfig,
}

/// A destination of own telemetry, by kind.
#[derive(Debug)]
pub(crate) enum OwnDestination {
    /// A server.
    Otlp(Protocol, Box<ClientConfig>),
    /// stdout.
    Console,
}

// === impl OwnExporter ===

impl OwnExporter {
    /// Makes the plan of the exporter at the path `at`, which sends `signal`.
    pub(super) fn plan(self, at: &str, signal: &str, reading: &mut Reading<'_>) -> Option<OwnExporterPlan> {
        match self {
            Self { otlp: Some(otlp), console: None } => otlp.plan(&format!("{at}.otlp"), signal, reading),
            Self { otlp: None, console: Some(Present) } => {
                let place = reading.span(at);
                let (destination, places) = (OwnDestination::Console, Vec::new());
                Some(OwnExporterPlan { destination, is_delta: false, at: at.to_owned(), places, place })
            }
            Self { otlp: None, console: None } => {
                reading.wrong(at, "an exporter is missing: `otlp` or `console`");
                None
            }
            Self { otlp: Some(_), console: Some(_) } => {
                reading.wrong(at, "both `otlp` and `console`: make two of them, with an exporter each");
                None
            }
        }
    }
}

// === impl OwnOtlp ===

impl OwnOtlp {
    fn plan(self, at: &str, signal: &str, reading: &mut Reading<'_>) -> Option<OwnExporterPlan> {
        let is_metrics = at.starts_with("metrics.");
        if self.temporality_preference.is_some() && !is_metrics {
            reading.note(&format!("{at}.temporality_preference"), "it has no effect: it is for metrics");
        }
        let is_delta = self.temporality_preference.is_some_and(|given| given != OwnTemporality::Cumulative);
        let mut headers = self.headers.0;
        for pair in self.headers_list.split(',').filter(|pair| !pair.trim().is_empty()) {
            match pair.split_once('=') {
                Some((name, value)) => headers.push((name.trim().to_owned(), value.trim().to_owned())),
                None => reading.wrong(&format!("{at}.headers_list"), "expected name=value,name=value"),
            }
        }
        let protocol = if self.protocol == OwnProtocol::Grpc { Protocol::Grpc } else { Protocol::Http };
        let mut config = ClientConfig::new("");
        match protocol {
            Protocol::Grpc => config.endpoint = self.endpoint,
            Protocol::Http => {
                let url = with_scheme(self.endpoint, self.insecure);
                if has_path(&url) {
                    config.signal_endpoints = vec![(signal.to_owned(), url)];
                } else {
                    config.endpoint = url;
                }
            }
        }
        config.headers = headers;
        if self.protocol == OwnProtocol::HttpJson {
            config.encoding = Encoding::Json;
        }
        if matches!(self.compression, OwnCompression::Gzip) {
            config.compression = Compression::Gzip;
        }
        config.timeout = Some(self.timeout.map_or(DEFAULT_TIMEOUT, Duration::from_millis));
        config.tls.insecure = self.insecure;
        config.tls.ca_file = FilePath::path(self.certificate);
        config.tls.certificate.cert_file = FilePath::path(self.client_certificate);
        config.tls.certificate.key_file = FilePath::path(self.client_key);
        let places = KEYS.map(|(_, key)| (key, reading.span(&format!("{at}.{key}"))));
        Some(OwnExporterPlan {
            destination: OwnDestination::Otlp(protocol, Box::new(config)),
            is_delta,
            at: at.to_owned(),
            places: places.into(),
            place: reading.span(at),
        })
    }
}

// === impl OwnServer ===

impl OwnServer {
    /// Returns the URL or address.
    pub(crate) fn url(&self) -> &str {
        let whole = self.config.signal_endpoints.first().map(|(_, url)| url);
        match whole.unwrap_or(&self.config.endpoint).as_str() {
            "" if self.protocol == Protocol::Grpc => "http://localhost:4317",
            "" => "http://localhost:4318",
            url => url,
        }
    }
}

// === impl OwnExporterPlan ===

impl OwnExporterPlan {
    /// Returns the server. `None` for the console.
    pub(crate) fn server(&self) -> Option<OwnServer> {
        let OwnDestination::Otlp(protocol, config) = &self.destination else { return None };
        let signal = Signal::by_name(self.at.split('.').next()?)?;
        let place = format!("service.telemetry.{}", self.at);
        Some(OwnServer { place, signal, protocol: *protocol, config: (**config).clone() })
    }

    /// Returns the problem of a client's error, at the key of the file.
    pub(crate) fn wrong(&self, error: &ConfigError) -> Problem {
        let key = KEYS.iter().find(|(field, _)| *field == error.key).map_or(error.key, |(_, key)| key);
        let place = self.places.iter().find(|(known, _)| *known == key).map_or(self.place, |(_, span)| *span);
        Problem::at(place, format!("service.telemetry.{}.{key}: {}", self.at, error.without_key()))
    }
}

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(IgnoredAny).map(|IgnoredAny| Self)
    }
}

/// Puts a scheme before an endpoint that has none.
fn with_scheme(endpoint: String, insecure: bool) -> String {
    if endpoint.is_empty() || endpoint.contains("://") {
        return endpoint;
    }
    format!("{}://{endpoint}", if insecure { "http" } else { "https" })
}

/// Returns true if a URL has a path.
fn has_path(url: &str) -> bool {
    let authority = url.split_once("://").filter(|(scheme, _)| *scheme != "unix").map(|(_, rest)| rest);
    let path = authority.and_then(|rest| rest.split_once('/')).map(|(_, path)| path);
    path.is_some_and(|path| !path.trim_matches('/').is_empty())
}

/// Fields of the client's settings, and their keys in the file.
const KEYS: [(&str, &str); 8] = [
    ("endpoint", "endpoint"),
    ("signal_endpoints", "endpoint"),
    ("headers", "headers"),
    ("compression", "compression"),
    ("tls.ca_file", "certificate"),
    ("tls.cert_file", "client_certificate"),
    ("tls.cert_pem", "client_certificate"),
    ("tls.key_pem", "client_key"),
];
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
