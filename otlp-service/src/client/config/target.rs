//! The target of a signal: its destination with all defaults, and the client for it.

use super::destination::DEFAULT_TIMEOUT;
use super::from_vars::{EXPORTER, signal_prefix};
use super::{ConfigProblem, Destination, OtlpConfig, Pem, Protocol, SignalSettings};
use otlp_protocol::Signal;
use otlp_transport::{BoxAttempt, ClientConfig, ConfigError, Encoding, TransportContext};

/// A destination with all defaults. Signals with equal targets share a client.
#[derive(Clone, PartialEq)]
pub(super) struct Target {
    destination: Destination,
    protocol: Protocol,
    /// A signal's own URL of HTTP, which is used as it is.
    own_url: Option<(Signal, String)>,
}

// === impl Target ===

impl Target {
    pub(super) fn new(config: &OtlpConfig, signal: Signal, settings: &SignalSettings) -> Self {
        let mut destination = Destination::of_signal(&settings.destination, &config.destination);
        let protocol = destination.protocol.unwrap_or_default();
        let own_url = match &settings.destination.endpoint {
            Some(url) if protocol != Protocol::Grpc => Some((signal, url.clone())),
            _ => None,
        };
        if own_url.is_some() || destination.endpoint.is_none() {
            destination.endpoint.clone_from(&config.destination.endpoint);
        }
        Self { destination, protocol, own_url }
    }

    /// Makes the client. The client connects when first used.
    pub(super) fn client(&self, context: &TransportContext) -> Result<BoxAttempt, ConfigError> {
        let mut config = self.client_config();
        match self.protocol {
            Protocol::Grpc => grpc(context, &config),
            Protocol::HttpJson => {
                config.encoding = Encoding::Json;
                http(context, &config)
            }
            Protocol::HttpProtobuf => http(context, &config),
        }
    }

    fn client_config(&self) -> ClientConfig {
        let destination = &self.destination;
        let mut config = ClientConfig::new(destination.endpoint.clone().unwrap_or_default());
        if let Some((signal, url)) = &self.own_url {
            config.signals = vec![*signal];
            config.signal_endpoints = vec![(signal.name.to_owned(), url.clone())];
        }
        config.headers.clone_from(&destination.headers);
        config.compression = destination.compression.unwrap_or_default();
        config.timeout = Some(destination.timeout.unwrap_or(DEFAULT_TIMEOUT));
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
        config
    }
}

/// Names the setting that an error of the transport is about: the signal's own setting if there is one, or else that of all
/// signals.
pub(super) fn problem(signal: Signal, settings: &SignalSettings, error: ConfigError) -> ConfigProblem {
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
