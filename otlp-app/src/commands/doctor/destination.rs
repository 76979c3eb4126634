//! An endpoint that telemetry is sent to: does the server take an empty request?

use super::finding::{Finding, Level};
use super::mistakes::mistakes;
use super::ways::{self, FIRST, Way, empty};
use crate::commands::send;
use crate::config::Lookup;
use crate::config::telemetry::OwnServer;
use crate::otel_env::{self, Forward, variable};
use crate::own_addresses::Place;
use crate::protocol::Protocol;
use otlp_protocol::{ErrorKind, Signal};
use otlp_service::Target;
use otlp_transport::{Attempt as _, BoxAttempt, ClientConfig, ConfigError, ExportError, TransportContext};
use std::time::Duration;

/// An endpoint, and the client that is made for it.
pub(super) struct Destination {
    /// An exporter, a variable, or nothing.
    place: String,
    /// The endpoint as it was given.
    pub(super) url: String,
    pub(super) protocol: Protocol,
    /// True if the endpoint is the whole URL of one signal.
    is_whole: bool,
    /// True if the client has the headers and credentials of the sender.
    has_credentials: bool,
    signal: Signal,
    /// The client, or the error in its settings.
    client: Result<BoxAttempt, String>,
}

impl Destination {
    /// An endpoint of the command line.
    pub(super) fn given(endpoint: &str, context: &TransportContext) -> Self {
        let (protocol, config) = send::client_of(endpoint);
        let (place, url) = (String::new(), config.endpoint.clone());
        let client = client(protocol, context, config, |error| error.to_string());
        Self { place, url, protocol, is_whole: false, has_credentials: false, signal: FIRST, client }
    }

    /// The endpoints of `OTEL_EXPORTER_OTLP_*`.
    pub(super) fn of_environment(
        lookup: &dyn Lookup,
        context: &TransportContext,
        findings: &mut Vec<Finding>,
    ) -> Vec<Self> {
        let (forward, warnings) = otel_env::forward(lookup);
        findings.extend(warnings.into_iter().map(|warning| Finding::warning("variable", "", warning)));
        let Some(Forward { protocol, config, .. }) = forward else { return Vec::new() };
        let mut destinations = Vec::new();
        for signal in Signal::ALL {
            let own = config.signal_endpoints.iter().find(|(name, _)| name == signal.name);
            let (place, url) = match own {
                Some((name, url)) => {
                    (format!("OTEL_EXPORTER_OTLP_{}_ENDPOINT", name.to_ascii_uppercase()), url)
                }
                None => (variable("endpoint"), &config.endpoint),
            };
            if url.is_empty() || destinations.iter().any(|known: &Self| known.url == *url) {
                continue;
            }
            let wrong = |error: ConfigError| format!("{}: {}", variable(error.key), error.without_key());
            destinations.push(Self {
                place,
                url: url.clone(),
                protocol,
                is_whole: own.is_some(),
                has_credentials: true,
                signal,
                client: client(protocol, context, config.clone(), wrong),
            });
        }
        destinations
    }

    /// A server that the gateway's own telemetry is sent to.
    pub(super) fn of_own_telemetry(server: OwnServer, context: &TransportContext) -> Self {
        let url = server.url().to_owned();
        let OwnServer { place, signal, protocol, config } = server;
        let is_whole = !config.signal_endpoints.is_empty();
        let client = client(protocol, context, config, |error| error.to_string());
        Self { place, url, protocol, is_whole, has_credentials: true, signal, client }
    }

    /// An endpoint of an exporter.
    pub(super) fn of_exporter(id: &str, signal: Signal, target: &Target, client: &BoxAttempt) -> Self {
        let protocol = if target.transport == Protocol::Http.strategy().name() {
            Protocol::Http
        } else {
            Protocol::Grpc
        };
        Self {
            place: format!("exporter {id}"),
            url: target.endpoint.clone(),
            protocol,
            is_whole: target.path.ends_with("_endpoint"),
            has_credentials: true,
            signal,
            client: Ok(client.clone()),
        }
    }

    /// Returns the place and the endpoint for findings, without user, password and query.
    pub(super) fn name(&self) -> String {
        let url = self.url.split('?').next().unwrap_or_default();
        let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
        let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
        let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
        let space = if self.place.is_empty() { "" } else { " " };
        format!("{}{space}{scheme}{rest}", self.place)
    }

    /// Sends an empty request.
    pub(super) async fn check(&self, context: &TransportContext, timeout: Duration) -> Finding {
        let client = match &self.client {
            Ok(client) => client,
            Err(problem) => return self.finding(Level::Problem, problem.clone()),
        };
        let Some(batch) = empty(self.signal) else {
            return self.finding(Level::Problem, "an empty request cannot be made".into());
        };
        let way = if self.protocol == Protocol::Grpc { "gRPC" } else { "HTTP" };
        tokio::select! {
            biased;
            sent = client.attempt(&batch) => match sent {
                Ok(_) => self.finding(Level::Ok, format!("takes {} over {way}", self.signal)),
                Err(error) => self.explained(&error, context, timeout).await,
            },
            () = context.clock.sleep(timeout) => {
                let error = format!("no answer within {timeout:?}");
                self.with_ways(self.finding(Level::Problem, error), context, timeout).await
            }
        }
    }

    /// Adds to an error what helps.
    async fn explained(&self, error: &ExportError, context: &TransportContext, timeout: Duration) -> Finding {
        let text = error.to_string();
        match error.kind() {
            ErrorKind::Unauthenticated | ErrorKind::PermissionDenied => {
                let level = if self.has_credentials { Level::Problem } else { Level::Warning };
                let finding = self.finding(level, text);
                finding.help(
                    "the server is reached and wants other credentials: see `headers` and `auth` of \
                    exporters, or OTEL_EXPORTER_OTLP_HEADERS",
                )
            }
            ErrorKind::InvalidData | ErrorKind::Exhausted => {
                let finding = self.finding(Level::Warning, text);
                finding.help("the server is reached; it refuses the empty request of this check")
            }
            _ if text.contains("redirect to ") => {
                let finding = self.finding(Level::Problem, text);
                finding.help("write the URL that the server redirects to as the endpoint")
            }
            _ => self.with_ways(self.finding(Level::Problem, text), context, timeout).await,
        }
    }

    /// Adds mistakes in the endpoint, and the ways in which OTLP is spoken at its host.
    async fn with_ways(&self, finding: Finding, context: &TransportContext, timeout: Duration) -> Finding {
        let Some(Place::Tcp(host, port)) = self.tcp_place() else { return finding };
        let finding =
            mistakes(&self.url, self.protocol, self.is_whole).into_iter().fold(finding, Finding::help);
        let ports = match port {
            4317 => vec![4317, 4318],
            4318 => vec![4318, 4317],
            port => vec![port],
        };
        match ways::spoken(&host, &ports, context, timeout).await {
            Some(way) => finding.help(advice(&way)),
            None => finding,
        }
    }

    /// Returns host and port. An endpoint of gRPC has no scheme.
    pub(super) fn tcp_place(&self) -> Option<Place> {
        Place::of(&self.url).filter(|place| matches!(place, Place::Tcp(..)))
    }

    fn finding(&self, level: Level, text: String) -> Finding {
        Finding::new(level, "endpoint", self.name(), text)
    }
}

fn advice(way: &Way) -> String {
    let (exporter, protocol) = match way.protocol {
        Protocol::Grpc => ("otlp_grpc", "grpc"),
        Protocol::Http => ("otlp_http", "http/protobuf"),
    };
    format!(
        "{way} works: use the exporter {exporter} (OTEL_EXPORTER_OTLP_PROTOCOL={protocol}) with the endpoint {}",
        way.url()
    )
}

fn client(
    protocol: Protocol,
    context: &TransportContext,
    config: ClientConfig,
    wrong: impl FnOnce(ConfigError) -> String,
) -> Result<BoxAttempt, String> {
    protocol.strategy().client(context, config).map(|client| client.into_attempt()).map_err(wrong)
}
