//! `otlp doctor`: looks for what keeps telemetry from arriving. A check is a file.

mod certificates;
mod clock;
mod configuration;
mod destination;
mod finding;
mod limits;
mod mistakes;
mod owner;
mod ports;
mod proxies;
mod ways;

use crate::app::runtime;
use crate::args::{ConfigArgs, parse_duration};
use crate::config::SystemLookup;
use crate::config::source::Sources;
use crate::exit::Failure;
use crate::start;
use clap::Args as ClapArgs;
use clap::builder::NonEmptyStringValueParser;
use configuration::{Examined, LOCAL};
use destination::Destination;
use finding::{Finding, Level};
use otlp_service::PluginManager;
use otlp_transport::TransportContext;
use std::io::{Write, stdout};
use std::time::Duration;

/// Flags of `otlp doctor`.
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct DoctorArgs {
    /// Endpoints to check: http://host:port, https://host:port, host:port (cleartext). Ports 4318 and paths are OTLP/HTTP,
    /// others gRPC. Default: the exporters and the own telemetry of the configuration, or the endpoints of OTEL_EXPORTER_OTLP_*
    #[arg(value_name = "ENDPOINT", value_parser = NonEmptyStringValueParser::new())]
    endpoints: Vec<String>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Write each finding as a line of JSON
    #[arg(long)]
    json: bool,
    /// Time limit of each request
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    timeout: Duration,
}

/// Writes findings. A problem is a failure.
pub(crate) fn run(args: &DoctorArgs, plugins: &PluginManager) -> Result<(), Failure> {
    let runtime = runtime()?;
    let mut sources = Sources::default();
    let findings = runtime.block_on(examine(args, plugins, &mut sources));
    // A name that is looked up must not keep the process.
    runtime.shutdown_background();
    let mut out = stdout().lock();
    for finding in &findings {
        let text = if args.json { finding.json() } else { finding.text() };
        out.write_all(sources.masked(&text).as_bytes())?;
    }
    let count = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    let (problems, warnings) = (count(Level::Problem), count(Level::Warning));
    if !args.json {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        writeln!(out, "{problems} problem{}, {warnings} warning{}", plural(problems), plural(warnings))?;
    }
    if problems == 0 { Ok(()) } else { Err(Failure::Command { code: 1, problem: String::new() }) }
}

async fn examine(args: &DoctorArgs, plugins: &PluginManager, sources: &mut Sources) -> Vec<Finding> {
    let mut context = TransportContext::tcp(MAX_BODY_BYTES);
    context.proxies = start::proxies(&SystemLookup);
    let mut findings = Vec::new();
    let has_config = !args.config.config.is_empty() || !args.config.set.is_empty();
    let mut examined = if has_config {
        configuration::examine(&args.config, plugins, &context, sources)
    } else if !args.endpoints.is_empty() {
        Examined::default()
    } else {
        Examined {
            listeners: LOCAL.map(|(name, place)| (name.into(), place.into())).into(),
            ..Examined::default()
        }
    };
    findings.append(&mut examined.findings);
    let mut destinations = examined.destinations;
    if !args.endpoints.is_empty() {
        destinations = args.endpoints.iter().map(|endpoint| Destination::given(endpoint, &context)).collect();
    } else if !has_config {
        destinations = Destination::of_environment(&SystemLookup, &context, &mut findings);
    }
    destinations.iter().for_each(|destination| sources.hide_secrets_of(&destination.url));
    for (name, address) in &examined.listeners {
        findings.push(ports::check(name, address, &context, args.timeout).await);
    }
    findings.extend(certificates::check(&context.certificates, context.clock.wall()));
    if destinations.is_empty() && !examined.is_unread {
        findings.push(Finding::ok("endpoint", "", "there is no endpoint to send to"));
    }
    // All at once: each may take several times the timeout.
    let check = |destination| tokio::spawn(endpoint(destination, context.clone(), args.timeout));
    for checked in destinations.into_iter().map(check).collect::<Vec<_>>() {
        match checked.await {
            Ok(found) => findings.extend(found),
            Err(error) => findings.push(Finding::problem("endpoint", "", error.to_string())),
        }
    }
    findings.extend(limits::check(examined.memory_limit_bytes));
    findings
}

/// Checks an endpoint, and the clock and the proxy of the endpoint.
async fn endpoint(destination: Destination, context: TransportContext, timeout: Duration) -> Vec<Finding> {
    let endpoint = destination.check(&context, timeout).await;
    // Of an endpoint that does not answer there is no clock to tell of.
    let is_told = |clock: &Finding| clock.level != Level::Skipped || endpoint.level != Level::Problem;
    let clock = clock::check(&destination, &context, timeout).await.filter(is_told);
    let proxy = proxies::check(&destination, &context.proxies);
    [endpoint].into_iter().chain(clock).chain(proxy).collect()
}

/// Budget of answers in memory.
const MAX_BODY_BYTES: u64 = 64 << 20;
const AFTER_HELP: &str = "\
Examples:
  otlp doctor                                is the local gateway's port free? is the endpoint of
                                             OTEL_EXPORTER_OTLP_* reachable?
  otlp doctor --config gateway.yaml          check a configuration, its ports and its endpoints
  otlp doctor http://collector:4318          check an endpoint
  otlp doctor --json | jq 'select(.level == \"problem\")'
                                             list the problems alone

An endpoint gets empty requests, with the headers and credentials of its exporter, and no telemetry. If an endpoint \
does not answer as it should, the other protocols and ports of OTLP are tried on its host, without headers and credentials.

A check that is not possible is `skipped`: clocks are compared over HTTP without TLS alone. The \
expiry of certificates is checked of those that the configuration gives to servers and clients, not of trusted certificates (`ca_file`) \
and not of those of peers.

Exit codes:
  0    no problem; there may be warnings
  1    problems
  2    wrong command line";
