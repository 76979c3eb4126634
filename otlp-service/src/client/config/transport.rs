//! Exporters of signals: a client for each different destination, retries, and one time limit over all attempts.

use super::bounded::Bounded;
use super::console::Console;
use super::destination::DEFAULT_TIMEOUT;
use super::from_vars::{EXPORTER, signal_prefix};
use super::{ConfigProblem, Destination, ExporterKind, OtlpConfig, Pem, Protocol, SignalSettings};
use crate::{ExponentialBackoffRetry, RetryConfig};
use otlp_protocol::Signal;
use otlp_protocol::encode::{Entries as _, LogRecords, Metrics, Spans};
use otlp_transport::{BoxAttempt, BoxExport, ClientConfig, ConfigError, Encoding, TransportContext};
use std::sync::Arc;
use std::time::Duration;

/// Makes the exporters of all signals that have one. Signals with the same destination share its connections.
pub(super) fn exporters(
    config: &OtlpConfig,
    context: &TransportContext,
) -> Result<Vec<(Signal, BoxExport)>, ConfigProblem> {
    let mut context = context.clone();
    context.proxies = Arc::new(config.proxies.clone());
    let mut made: Vec<(Target, BoxAttempt)> = Vec::new();
    let mut exporters = Vec::new();
    for (signal, settings, export_timeout) in signals(config) {
        let exporter = match settings.exporter {
            ExporterKind::None => continue,
            ExporterKind::Console => BoxExport::new(Console::new(std::io::stdout())),
            ExporterKind::Otlp => {
                let target = Target::new(config, signal, settings, export_timeout);
                let same = made.iter().find(|(known, _)| *known == target);
                let attempt = match same {
                    Some((_, attempt)) => attempt.clone(),
                    None => {
                        let attempt = target.client(&context);
                        let attempt = attempt.map_err(|error| problem(signal, settings, error))?;
                        made.push((target.clone(), attempt.clone()));
                        attempt
                    }
                };
                bounded(attempt, target.limit, &context)
            }
        };
        exporters.push((signal, exporter));
    }
    Ok(exporters)
}

/// Returns the signals, each with its settings and the time limit of an export that its batches have.
pub(super) fn signals(config: &OtlpConfig) -> [(Signal, &SignalSettings, Duration); 3] {
    [
        (Spans::SIGNAL, &config.traces, config.span_batches.export_timeout),
        (Metrics::SIGNAL, &config.metrics, config.metric_settings.export_timeout),
        (LogRecords::SIGNAL, &config.logs, config.log_batches.export_timeout),
    ]
}

/// Wraps a client in retries and a time limit.
fn bounded(attempt: BoxAttempt, limit: Option<Duration>, context: &TransportContext) -> BoxExport {
    // Within the usual limit of 10 s some attempts must have their turn.
    let retry = RetryConfig {
        initial_interval: Duration::from_secs(1),
        max_interval: Duration::from_secs(5),
        ..RetryConfig::default()
    };
    let inner = ExponentialBackoffRetry::new(retry, context.clock.clone(), attempt);
    BoxExport::new(Bounded { inner, limit, clock: context.clock.clone() })
}

/// A destination with all defaults. Signals with equal targets share a client.
#[derive(Clone, PartialEq)]
struct Target {
    destination: Destination,
    protocol: Protocol,
    /// A signal's own URL of HTTP, which is used as it is.
    own_url: Option<(Signal, String)>,
    /// Time limit of an export; `None`: no limit.
    limit: Option<Duration>,
}

// === impl Target ===

impl Target {
    fn new(config: &OtlpConfig, signal: Signal, settings: &SignalSettings, export_timeout: Duration) -> Self {
        let mut destination = Destination::of_signal(&settings.destination, &config.destination);
        let protocol = destination.protocol.unwrap_or_default();
        let own_url = match &settings.destination.endpoint {
            Some(url) if protocol != Protocol::Grpc => Some((signal, url.clone())),
            _ => None,
        };
        if own_url.is_some() || destination.endpoint.is_none() {
            destination.endpoint.clone_from(&config.destination.endpoint);
        }
        let timeout = destination.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let limit = [timeout, export_timeout].into_iter().filter(|limit| !limit.is_zero()).min();
        Self { destination, protocol, own_url, limit }
    }

    /// Makes the client. The client connects when first used.
    fn client(&self, context: &TransportContext) -> Result<BoxAttempt, ConfigError> {
        let destination = &self.destination;
        let mut config = ClientConfig::new(destination.endpoint.clone().unwrap_or_default());
        if let Some((signal, url)) = &self.own_url {
            config.signals = vec![*signal];
            config.signal_endpoints = vec![(signal.name.to_owned(), url.clone())];
        }
        config.headers.clone_from(&destination.headers);
        config.compression = destination.compression.unwrap_or_default();
        config.timeout = Some(self.limit.unwrap_or_default());
        config.user_agent = concat!("OTel-OTLP-Exporter-Rust/", env!("CARGO_PKG_VERSION"), " otlp").into();
        let tls = &mut config.tls;
        tls.insecure = destination.insecure.unwrap_or_default();
        match &destination.certificate {
            Some(Pem::File(path)) => tls.ca_file = Some(path.clone()),
            Some(Pem::Text(text)) => tls.ca_pem = Some(text.expose().to_owned()),
            None => {}
        }
        match &destination.client_certificate {
            Some(Pem::File(path)) => tls.certificate.cert_file = Some(path.clone()),
            Some(Pem::Text(text)) => tls.certificate.cert_pem = Some(text.expose().to_owned()),
            None => {}
        }
        match &destination.client_key {
            Some(Pem::File(path)) => tls.certificate.key_file = Some(path.clone()),
            Some(Pem::Text(text)) => tls.certificate.key_pem = Some(text.clone()),
            None => {}
        }
        match self.protocol {
            Protocol::Grpc => grpc(context, &config),
            Protocol::HttpJson => {
                config.encoding = Encoding::Json;
                http(context, &config)
            }
            Protocol::HttpProtobuf => http(context, &config),
        }
    }
}

#[cfg(feature = "grpc")]
fn grpc(context: &TransportContext, config: &ClientConfig) -> Result<BoxAttempt, ConfigError> {
    Ok(BoxAttempt::new(otlp_transport::GrpcClient::new(context, config)?))
}

#[cfg(not(feature = "grpc"))]
fn grpc(_context: &TransportContext, _config: &ClientConfig) -> Result<BoxAttempt, ConfigError> {
    Err(absent("grpc", "grpc"))
}

#[cfg(feature = "http")]
fn http(context: &TransportContext, config: &ClientConfig) -> Result<BoxAttempt, ConfigError> {
    Ok(BoxAttempt::new(otlp_transport::HttpClient::new(context, config)?))
}

#[cfg(not(feature = "http"))]
fn http(_context: &TransportContext, config: &ClientConfig) -> Result<BoxAttempt, ConfigError> {
    let is_json = config.encoding == Encoding::Json;
    Err(absent(if is_json { "http/json" } else { "http/protobuf" }, "http"))
}

/// The problem with a protocol that this build does not have.
#[cfg(not(all(feature = "grpc", feature = "http")))]
fn absent(protocol: &str, feature: &str) -> ConfigError {
    let other = match (cfg!(feature = "grpc"), cfg!(feature = "http")) {
        (true, _) => ", or set the protocol `grpc`",
        (_, true) => ", or set the protocol `http/protobuf`",
        _ => "",
    };
    let problem = format!("not compiled in: build otlp-service with the feature `{feature}`{other}");
    ConfigError::new("protocol", problem).with_value(protocol)
}

/// Names the setting that an error of the transport is about: the signal's own setting if there is one, or else that of all
/// signals.
fn problem(signal: Signal, settings: &SignalSettings, error: ConfigError) -> ConfigProblem {
    let own = &settings.destination;
    let (field, variable, is_own) = match error.key {
        "compression" => ("compression", "COMPRESSION", own.compression.is_some()),
        "headers" => ("headers", "HEADERS", !own.headers.is_empty()),
        "protocol" => ("protocol", "PROTOCOL", own.protocol.is_some()),
        "proxy_url" => return ConfigProblem::of_transport("proxies".into(), "HTTPS_PROXY".into(), error),
        "tls.ca_file" | "tls.ca_pem" => ("certificate", "CERTIFICATE", own.certificate.is_some()),
        "tls.cert_file" | "tls.cert_pem" => {
            ("client_certificate", "CLIENT_CERTIFICATE", own.client_certificate.is_some())
        }
        "tls.key_file" | "tls.key_pem" => ("client_key", "CLIENT_KEY", own.client_key.is_some()),
        _ => ("endpoint", "ENDPOINT", own.endpoint.is_some()),
    };
    let (fields, variables) = match is_own {
        true => (format!("{}.destination", signal.name), signal_prefix(signal)),
        false => ("destination".to_owned(), EXPORTER.to_owned()),
    };
    ConfigProblem::of_transport(format!("{fields}.{field}"), format!("{variables}_{variable}"), error)
}
