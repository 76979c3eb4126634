//! Running a gateway from start to exit.

use crate::admin::AdminSocket;
use crate::args::{ConfigArgs, LocalArgs, RunArgs, ValidateArgs};
use crate::config::plan::Plan;
use crate::config::problem::Problems;
use crate::config::source::Sources;
use crate::config::telemetry::LogConfig;
use crate::config::{self, Contents, Lookup, Recorded, SystemLookup};
use crate::exit::Failure;
use crate::logging::LogExport;
use crate::output::Output;
use crate::own_telemetry::OwnSources;
use crate::reload::Reloader;
use crate::service_manager::ServiceManager;
use crate::signals::{Asked, OnHangup, Signals};
use crate::{color, descriptors, local, logging, memory, start};
use otlp_service::{Delivery, Gateway, GatewaySpec, PluginManager};
use otlp_transport::Clock;
use std::io::{IsTerminal, Write, stdout};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tracing::level_filters::LevelFilter;

/// `otlp`, `otlp run`: runs a gateway until a signal ends it.
pub(crate) fn run(args: &RunArgs, plugins: &Arc<PluginManager>) -> Result<(), Failure> {
    let mut sources = Sources::default();
    let mut forwards_to = None;
    let (plan, warnings, contents) = if args.config.config.is_empty() && args.config.set.is_empty() {
        let LocalArgs { grpc, http, show } = &args.local;
        let show = show.config(color::is_wanted(&SystemLookup, stdout().is_terminal()));
        let servers = local::servers(grpc, http);
        let local = local::of_environment(servers, show, Output::stdout(), &[grpc, http], &mut sources);
        forwards_to = local.forwards_to;
        (local.plan, [local.warnings, args.config.notes()].concat(), None)
    } else {
        let lookup = Recorded::first(args.config.lookup());
        let loaded = load(&args.config, &lookup, plugins, &mut sources);
        let (plan, notes) = loaded.map_err(|problems| config_failure(&problems, &sources))?;
        let plan = plan.without_loops().map_err(|problems| config_failure(&problems, &sources))?;
        (plan, notes, Some(lookup.contents()))
    };
    let exported = start_logs(&plan, args.log_level)?;
    if let Some(places) = forwards_to {
        tracing::info!("forwards all that arrives to {places}, as OTEL_EXPORTER_OTLP_* say");
    }
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    descriptors::raise_limit();
    let runtime = runtime()?;
    let outcome = runtime.block_on(serve(plan, exported, &sources, args, plugins, contents));
    // The drain has delivered what can be delivered: a read of a file that hangs must not keep the process.
    runtime.shutdown_background();
    outcome
}

/// Writes log lines from now on, of the levels that the flag `--log-level`, `RUST_LOG` or the plan name.
pub(crate) fn start_logs(plan: &Plan, level: Option<LevelFilter>) -> Result<LogExport, Failure> {
    let rust_log = SystemLookup.env("RUST_LOG");
    let logs = &plan.telemetry.logs;
    let (levels, wrong) = match logging::levels(logs, level, rust_log.as_deref()) {
        Ok(levels) => (levels, None),
        Err((wrong, levels)) => (levels, Some(wrong)),
    };
    let exported = logging::init(logs, levels, has_color_on_stderr()).map_err(Failure::Config)?;
    if !plan.telemetry.log_processors.is_empty() {
        exported.keep_early();
    }
    wrong.iter().for_each(|warning| tracing::warn!("{warning}"));
    Ok(exported)
}

/// `otlp validate`: checks a configuration without the network.
pub(crate) fn validate(args: &ValidateArgs, plugins: &PluginManager) -> Result<(), Failure> {
    // Some clients are made within a runtime.
    let runtime = runtime()?;
    let _inside = runtime.enter();
    let checked = check(&args.config, plugins)?;
    let mut out = stdout().lock();
    for note in &checked.notes {
        writeln!(out, "note: {note}")?;
    }
    if !args.against.is_empty() {
        let running = check(&ConfigArgs { config: args.against.clone(), ..args.config.clone() }, plugins)?;
        let changes = checked.spec.changes_from(&running.spec).to_string();
        let later = (checked.logs != running.logs).then_some(LOGS_LATER);
        let changes: Vec<_> = changes.lines().chain(later).collect();
        match changes.as_slice() {
            [] => writeln!(out, "a reload would change nothing")?,
            changes => writeln!(out, "a reload would change:\n  {}", changes.join("\n  "))?,
        }
    }
    if args.delivery {
        for known in checked.spec.deliveries() {
            writeln!(out, "{} answers {}", known.pipeline, when_answered(known.delivery))?;
        }
    }
    writeln!(out, "OK: pipelines {}", checked.pipelines.join(", "))?;
    Ok(())
}

fn when_answered(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Memory => "once the data is queued in memory: a crash loses the queue",
        Delivery::Disk => "once the data is on disk: a crash loses nothing that was answered",
        _ => "with the answers of its exporters: senders keep the data until then",
    }
}

/// `otlp print-config`: prints the configuration that files, variables and arguments make together.
pub(crate) fn print_config(args: &ConfigArgs) -> Result<(), Failure> {
    let mut sources = Sources::default();
    let yaml = config::print(&args.config, &args.set, args.lookup(), &mut sources)
        .map_err(|problems| config_failure(&problems, &sources))?;
    stdout().lock().write_all(yaml.as_bytes())?;
    Ok(())
}

/// Reads configuration files. Returns the plan, and its notes as lines.
pub(crate) fn load(
    args: &ConfigArgs,
    lookup: &dyn Lookup,
    plugins: &PluginManager,
    sources: &mut Sources,
) -> Result<(Plan, Vec<String>), Problems> {
    let plan = config::load(&args.config, &args.set, lookup, plugins, sources)?;
    let notes = plan.notes.iter().map(|note| note.render(sources));
    let beyond = plan.memory_limit_bytes.and_then(memory::beyond_machine);
    let notes = notes.chain(args.notes()).chain(beyond).collect();
    Ok((plan, notes))
}

/// A configuration that was checked without the network.
struct Checked {
    spec: GatewaySpec,
    logs: LogConfig,
    /// Notes for the operator, one a line.
    notes: Vec<String>,
    /// Ids of the pipelines.
    pipelines: Vec<String>,
}

fn check(args: &ConfigArgs, plugins: &PluginManager) -> Result<Checked, Failure> {
    let mut sources = Sources::default();
    let loaded = load(args, args.lookup(), plugins, &mut sources);
    let failure = |problems: Problems| config_failure(&problems, &sources);
    let (plan, mut notes) = loaded.map_err(failure)?;
    notes.extend(plan.loops.notes(LOOP_CONSEQUENCE).map(|note| note.render(&sources)));
    let pipelines = plan.pipelines.iter().map(|pipeline| pipeline.id.clone()).collect();
    let mut context = start::context(&plan);
    context.proxies = start::proxies(&SystemLookup);
    let (places, logs) = (plan.places.clone(), plan.telemetry.logs.clone());
    let own = OwnSources::new(&context, LogExport::default());
    let spec = start::spec(plan, &context, &own).map_err(failure)?;
    notes.extend(start::admitting(&spec, &places).map(|note| note.render(&sources)));
    Ok(Checked { spec, logs, notes, pipelines })
}

pub(crate) fn config_failure(problems: &Problems, sources: &Sources) -> Failure {
    Failure::Config(problems.render(sources, has_color_on_stderr()))
}

pub(crate) fn has_color_on_stderr() -> bool {
    color::is_wanted(&SystemLookup, std::io::stderr().is_terminal())
}

/// Runs a gateway until a signal ends it. `contents` are those of the configuration's files; `None` without a configuration.
async fn serve(
    plan: Plan,
    exported: LogExport,
    sources: &Sources,
    args: &RunArgs,
    plugins: &Arc<PluginManager>,
    contents: Option<Contents>,
) -> Result<(), Failure> {
    // From here on a signal drains; before, it ends the process as usual.
    let has_terminal = stdout().is_terminal() || std::io::stderr().is_terminal();
    let mut signals = Signals::listen(OnHangup::of(contents.is_some(), has_terminal))?;
    let mut context = start::context(&plan);
    context.proxies = start::proxies(&SystemLookup);
    let logs = plan.telemetry.logs.clone();
    let own = OwnSources::new(&context, exported);
    let mut spec =
        start::spec(plan, &context, &own).map_err(|problems| config_failure(&problems, sources))?;
    spec.drain_timeout = args.drain_timeout;
    let clock = context.clock.clone();
    let admin = match &args.admin {
        Some(path) => Some(AdminSocket::bind(path, &context).await?),
        None => None,
    };
    let started = Gateway::start(context.clone(), spec).await;
    let mut gateway = started.map_err(|error| Failure::Runtime(error.to_string()))?;
    // The metrics of both are there once the page is announced.
    let admin = admin.map(|socket| socket.serve(gateway.observers().clone(), gateway.registry()));
    let reloader =
        contents.map(|contents| Reloader::new(args, plugins.clone(), context, own, logs, contents, &gateway));
    for (name, address) in gateway.endpoints() {
        tracing::info!("{name} listens on {address}");
    }
    let manager = Arc::new(ServiceManager::from_env(&SystemLookup));
    manager.ready("all ports are open");
    manager.keep_alive(clock.clone());
    let name = until_end_asked(&mut gateway, &mut signals, reloader, &manager).await;
    manager.stopping(args.drain_delay.saturating_add(args.drain_timeout));
    delay_drain(&gateway, &mut signals, &*clock, name, args.drain_delay).await;
    let drain_timeout = args.drain_timeout;
    tracing::info!("{name}: draining, at most {drain_timeout:?}");
    tokio::select! {
        report = gateway.drain(clock.now() + drain_timeout) => match report.dropped_items {
            0 => tracing::info!("drained"),
            dropped => tracing::warn!("drained; {dropped} accepted items could not be delivered in time"),
        },
        () = signals.end_now_asked() => return Err(Failure::Interrupted),
    }
    if let Some(admin) = admin {
        admin.finish().await;
    }
    Ok(())
}

/// Reloads whenever a signal or a changed file asks for a reload. Returns the name of the signal that begins the drain.
async fn until_end_asked(
    gateway: &mut Gateway,
    signals: &mut Signals,
    mut reloader: Option<Reloader>,
    manager: &ServiceManager,
) -> &'static str {
    loop {
        let changed = async {
            match &mut reloader {
                Some(reloader) => reloader.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            asked = signals.asked() => match asked {
                Asked::End(name) => return name,
                Asked::Reload => {}
            },
            () = changed => {}
        }
        let Some(reloader) = &mut reloader else {
            tracing::info!("SIGHUP: nothing to reload: there is no configuration file");
            continue;
        };
        tokio::select! {
            biased;
            name = signals.end_asked() => return name,
            () = reloader.reload(gateway, manager) => {}
        }
    }
}

/// Takes requests for some more time while health says that the gateway is not ready: load balancers need time to see that and
/// to send elsewhere.
async fn delay_drain(
    gateway: &Gateway,
    signals: &mut Signals,
    clock: &dyn Clock,
    name: &str,
    delay: Duration,
) {
    if delay.is_zero() {
        return;
    }
    gateway.leave();
    tracing::info!("{name}: not ready any more; the drain begins in {delay:?}");
    tokio::select! {
        () = clock.sleep(delay) => {}
        name = signals.delay_ended() => tracing::info!("{name}: the drain begins now"),
    }
}

/// Makes a runtime: on one core with one thread, since a scheduler between threads would only cost.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut builder = if cores == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    if cores > 1 {
        builder.worker_threads(cores);
    }
    builder.enable_all().build().map_err(|error| Failure::Runtime(format!("cannot start threads: {error}")))
}

const LOOP_CONSEQUENCE: &str = "`otlp run` refuses to start with this";
const LOGS_LATER: &str = "service.telemetry.logs: new settings, which take effect at the next start";
