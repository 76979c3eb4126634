//! The command line.

use crate::commands::completions::CompletionsArgs;
use crate::commands::components::ComponentsArgs;
use crate::commands::config::ConfigCommand;
use crate::commands::convert::ConvertArgs;
use crate::commands::doctor::DoctorArgs;
use crate::commands::exec::ExecArgs;
use crate::commands::inspect::InspectArgs;
use crate::commands::man::ManArgs;
use crate::commands::ottl::OttlCommand;
use crate::commands::queue::QueueCommand;
use crate::commands::send::SendArgs;
use crate::commands::tap::TapArgs;
use crate::config::listen::listen_address;
use crate::config::{AllowUnset, Lookup, SystemLookup};
use clap::{Args as ClapArgs, Parser, Subcommand};
use otlp_protocol::Signal;
use otlp_service::GoDuration;
use std::path::PathBuf;
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// The OpenTelemetry gateway: OTLP in, batched, OTLP out.
///
/// Without --config, otlp runs a local gateway: it listens on 127.0.0.1:4317 (gRPC) and :4318 (HTTP), prints the telemetry
/// that arrives, and forwards the telemetry if OTEL_EXPORTER_OTLP_ENDPOINT is set.
#[derive(Debug, Parser)]
#[command(name = "otlp", version, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the gateway: the default command
    Run(RunArgs),
    /// Check a configuration with the files that it names, without opening ports or connections
    Validate(ValidateArgs),
    /// Print the merged configuration, or the JSON Schema of configuration files
    #[command(subcommand)]
    Config(ConfigCommand),
    /// The Collector's name of `config print`
    #[command(hide = true)]
    PrintConfig(ConfigArgs),
    /// List the components that a configuration can name
    Components(ComponentsArgs),
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write the manual pages of all commands
    Man(ManArgs),
    /// Send files or generated telemetry to a destination
    Send(Box<SendArgs>),
    /// Write the requests of a file in another format: protobuf, OTLP/JSON, JSON lines
    Convert(ConvertArgs),
    /// Show what is in a file of requests, and where a request is broken
    Inspect(InspectArgs),
    /// Check conditions and statements in OTTL, or run them on a file
    #[command(subcommand)]
    Ottl(OttlCommand),
    /// Check ports, endpoints, configuration and limits, and say what to do
    Doctor(DoctorArgs),
    /// Run a command whose telemetry goes to a gateway of its own, and show that telemetry
    Exec(Box<ExecArgs>),
    /// Show telemetry that passes through a running gateway, by its admin socket
    Tap(TapArgs),
    /// List, check, export, drain and fill the queues on disk
    #[command(subcommand)]
    Queue(QueueCommand),
}

/// Flags that name a configuration.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ConfigArgs {
    /// Configuration in the Collector's YAML: FILE, file:FILE, env:VARIABLE or yaml:TEXT. Several are merged from left to
    /// right: maps merge, lists and values replace
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) config: Vec<PathBuf>,
    /// Set one key, after all files: exporters.otlp.endpoint=localhost:4317. `::` separates keys, too
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Replace environment variables that are not set by nothing, as the Collector does. Default: an unset variable without
    /// a default is an error
    #[arg(long)]
    pub(crate) allow_unset: bool,
    /// Ignored with a note: accepted so that command lines of the Collector work
    #[arg(long, value_name = "GATES", value_delimiter = ',', allow_hyphen_values = true)]
    pub(crate) feature_gates: Vec<String>,
}

/// Flags of `otlp validate`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Configuration of a running gateway, given like --config: print what a reload of that gateway with this configuration
    /// would change. --set applies to both
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) against: Vec<PathBuf>,
    /// Print when each pipeline answers its senders, and what a crash loses
    #[arg(long)]
    pub(crate) delivery: bool,
}

/// Flags of `otlp run`.
#[derive(Debug, ClapArgs)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Reload the configuration when one of its files changes, as SIGHUP does. Files are read every 2 s
    #[arg(long, requires = "config")]
    pub(crate) watch: bool,
    /// Longest time to deliver accepted telemetry after SIGTERM, SIGINT or SIGQUIT; a second of these signals stops at once.
    /// Also the time for components that a reload replaces
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    pub(crate) drain_timeout: Duration,
    /// Time between such a signal and the drain: health says that the gateway is not ready, and requests are still taken. A
    /// second signal begins the drain at once
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = parse_duration)]
    pub(crate) drain_delay: Duration,
    /// Least severe log lines to write: off, error, warn, info, debug, trace. Overrides RUST_LOG and the configuration
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<LevelFilter>,
    /// Unix socket for `otlp tap`, for the user of the process alone (mode 0600). Default: no socket
    #[arg(long, value_name = "PATH")]
    pub(crate) admin: Option<String>,
    #[command(flatten)]
    pub(crate) local: LocalArgs,
}

/// The local gateway, without --config.
#[derive(Debug, ClapArgs)]
pub(crate) struct LocalArgs {
    /// Local gateway: address for OTLP/gRPC, or a Unix socket, unix:///path
    #[arg(
        long,
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:4317",
        conflicts_with = "config",
        value_parser = listen_address
    )]
    pub(crate) grpc: String,
    /// Local gateway: address for OTLP/HTTP, protobuf and JSON. The address of --grpc: both share one port
    #[arg(
        long,
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:4318",
        conflicts_with = "config",
        value_parser = listen_address
    )]
    pub(crate) http: String,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

/// Flags that choose what the local gateway shows.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ShowArgs {
    /// Local gateway: show all fields of each item
    #[arg(short = 'v', long, visible_alias = "verbose", conflicts_with = "config")]
    pub(crate) details: bool,
    /// Local gateway: show each span, log record, metric and profile as a line of OTLP/JSON
    #[arg(long, conflicts_with_all = ["config", "details"])]
    pub(crate) json: bool,
    /// Local gateway: show only this signal: traces, metrics, logs, profiles. May be given several times
    #[arg(long, value_name = "SIGNAL", conflicts_with = "config", value_parser = parse_signal)]
    pub(crate) signal: Vec<Signal>,
    /// Local gateway: show only items of this service.name
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    pub(crate) service: Option<String>,
    /// Local gateway: show only items that contain this text in a name, body, attribute or id
    #[arg(long, value_name = "TEXT", conflicts_with = "config")]
    pub(crate) grep: Option<String>,
    /// Local gateway: largest number of items shown in a second. Further items are counted
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, conflicts_with = "config")]
    pub(crate) max_items_per_second: u64,
}

impl ConfigArgs {
    /// Returns the source of environment variables and files that `${env:…}` and `${file:…}` name.
    pub(crate) fn lookup(&self) -> &'static dyn Lookup {
        if self.allow_unset { &AllowUnset(SystemLookup) } else { &SystemLookup }
    }

    /// Returns notes on flags that have no effect.
    pub(crate) fn notes(&self) -> Vec<String> {
        let gates = self.feature_gates.join(",");
        if gates.is_empty() {
            return Vec::new();
        }
        vec![format!("--feature-gates={gates} is ignored: this gateway has no feature gates")]
    }
}

pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    text.parse().map(|GoDuration(duration)| duration)
}

pub(crate) fn parse_signal(text: &str) -> Result<Signal, String> {
    let names = || Signal::ALL.map(|signal| signal.name).join(", ");
    Signal::by_name(text).ok_or_else(|| format!("unknown signal; available: {}", names()))
}

const AFTER_HELP: &str = "\
Examples:
  otlp                                       receive OTLP on this machine and show it
  otlp -v --service cart                     show all fields of the items of one service
  otlp --json --signal logs | jq             show log records as OTLP/JSON
  OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 otlp
                                             receive, show and forward
  otlp --config gateway.yaml                 run a gateway; SIGHUP reloads its configuration
  otlp --config gateway.yaml --watch         run a gateway; reload when the file changes
  otlp --config base.yaml --config prod.yaml --set exporters.otlp.endpoint=collector:4317
  otlp --config env:GATEWAY_YAML             run a gateway whose configuration is in a variable
  otlp --config gateway.yaml --admin /run/otlp/admin.sock
                                             run a gateway; `otlp tap` shows what passes through it
  otlp validate --config gateway.yaml        check a configuration
  otlp validate --config new.yaml --against running.yaml
                                             also print what a reload would change

Exit codes:
  0    stopped by a signal; accepted telemetry was delivered, or reported as lost
  1    failed at the start or while running, such as an address in use
  2    wrong command line
  78   wrong configuration
  130  stopped by a second signal before the drain was over";

#[cfg(test)]
mod tests;
