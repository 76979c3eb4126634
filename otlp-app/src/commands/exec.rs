//! `otlp exec`: runs a command whose telemetry goes to a gateway in this process.

mod child;
mod environment;

use crate::app::{self, runtime};
use crate::args::{ConfigArgs, ShowArgs, parse_duration};
use crate::color;
use crate::config::SystemLookup;
use crate::config::plan::Plan;
use crate::config::source::Sources;
use crate::exit::Failure;
use crate::local::{self, Local};
use crate::logging::LogExport;
use crate::output::Output;
use crate::own_telemetry::OwnSources;
use crate::signals::{OnHangup, Signals};
use crate::start;
use clap::Args as ClapArgs;
use environment::Environment;
use otlp_service::{Gateway, PluginManager};
use std::ffi::OsString;
use std::io::{IsTerminal, stderr};
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// Flags of `otlp exec`.
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ExecArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Longest time to deliver accepted telemetry after the command has ended
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    drain_timeout: Duration,
    /// Least severe log lines to write: off, error, warn, info, debug, trace. Default: warn, or what RUST_LOG or the
    /// configuration says
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<LevelFilter>,
    #[command(flatten)]
    show: ShowArgs,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Runs the command, and ends as the command ends.
pub(crate) fn run(args: &ExecArgs, plugins: &PluginManager) -> Result<(), Failure> {
    let mut sources = Sources::default();
    let local = args.gateway(plugins, &mut sources)?;
    let exported = app::start_logs(&local.plan, args.log_level)?;
    if let Some(places) = &local.forwards_to {
        tracing::info!("forwards all that arrives to {places}, as OTEL_EXPORTER_OTLP_* say");
    }
    local.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    // The limit of file descriptors stays: the command inherits the limit.
    let runtime = runtime()?;
    let outcome = runtime.block_on(serve(args, local, exported, &sources));
    runtime.shutdown_background();
    outcome
}

impl ExecArgs {
    /// Makes the local gateway on one port that the system chooses, or the gateway of the configuration.
    fn gateway(&self, plugins: &PluginManager, sources: &mut Sources) -> Result<Local, Failure> {
        if self.config.config.is_empty() && self.config.set.is_empty() {
            let show = self.show.config(color::is_wanted(&SystemLookup, stderr().is_terminal()));
            let servers = vec![local::one_server(ANY_PORT)];
            let mut local = local::of_environment(servers, show, Output::stderr(), &[], sources);
            local.plan.telemetry.logs.level = LevelFilter::WARN;
            local.warnings.extend(self.config.notes());
            return Ok(local);
        }
        let loaded = app::load(&self.config, self.config.lookup(), plugins, sources);
        let (plan, warnings) = loaded.map_err(|problems| app::config_failure(&problems, sources))?;
        let plan = plan.without_loops().map_err(|problems| app::config_failure(&problems, sources))?;
        Ok(Local { plan, warnings, forwards_to: None })
    }
}

/// Runs gateway and command until the command ends, and drains.
async fn serve(args: &ExecArgs, local: Local, exported: LogExport, sources: &Sources) -> Result<(), Failure> {
    let mut signals = Signals::listen(OnHangup::Drain)?;
    let mut context = start::context(&local.plan);
    context.proxies = start::proxies(&SystemLookup);
    let own = OwnSources::new(&context, exported);
    let open = open_servers(&local.plan);
    let spec = start::spec(local.plan, &context, &own);
    let mut spec = spec.map_err(|problems| app::config_failure(&problems, sources))?;
    spec.drain_timeout = args.drain_timeout;
    let clock = context.clock.clone();
    let started = Gateway::start(context, spec).await;
    let gateway = started.map_err(|error| Failure::Runtime(error.to_string()))?;
    for (name, address) in gateway.endpoints() {
        tracing::info!("{name} listens on {address}");
    }
    let endpoints = gateway.endpoints().into_iter().filter(|(name, _)| open.contains(name));
    let environment = Environment::of(&endpoints.collect::<Vec<_>>(), &SystemLookup);
    let environment = environment.ok_or_else(|| Failure::Runtime(NO_RECEIVER.into()))?;
    let outcome = child::run(&args.command, &environment, &mut signals).await;
    tokio::select! {
        report = gateway.drain(clock.now() + args.drain_timeout) => match report.dropped_items {
            0 => tracing::info!("drained"),
            dropped => tracing::warn!("drained; {dropped} accepted items could not be delivered in time"),
        },
        () = signals.end_now_asked() => return Err(Failure::Interrupted),
    }
    outcome
}

/// Returns the names of the OTLP servers to which any command can send: without TLS, since the command need not trust the
/// certificate, and without authentication.
fn open_servers(plan: &Plan) -> Vec<String> {
    let servers = plan.receivers.iter().flat_map(|(id, receiver)| {
        let open = receiver
            .servers
            .iter()
            .filter(|server| server.spec.config.tls.is_none() && server.auth.is_none());
        open.map(move |server| format!("{id}/{}", server.spec.strategy.name()))
    });
    servers.collect()
}

const ANY_PORT: &str = "127.0.0.1:0";
const NO_RECEIVER: &str = "the configuration has no OTLP receiver on TCP to which the command could send: one without `tls` and \
    `auth`; add `receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:0'}}}}` to a pipeline";
const AFTER_HELP: &str = "\
The command gets OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:PORT, where both gRPC and HTTP are \
served, and OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf unless that variable is set. Telemetry is \
shown on stderr; stdout is the command's alone. If OTEL_EXPORTER_OTLP_ENDPOINT was set before, all telemetry is forwarded there.

Examples:
  otlp exec -- python app.py                 run a program, and show its telemetry
  otlp exec -v --signal logs -- ./app        show all fields of its log records
  otlp exec --json -- ./app 2>telemetry.jsonl
                                             keep its telemetry as OTLP/JSON, with its own stderr
  OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 otlp exec -- ./app
                                             show and forward
  otlp exec --config gateway.yaml -- ./app   run a program with the gateway of a configuration

TERM, HUP, INT and QUIT are passed to the command.

Exit codes: that of the command, and
  128 + N  signal N ended the command
  126  the command cannot be executed
  127  there is no such command
  1    the gateway could not start
  2    wrong command line
  78   wrong configuration
  130  a second signal ended the drain after the command";
