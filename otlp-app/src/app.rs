//! Running a gateway from start to exit.

use crate::args::{ConfigArgs, RunArgs};
use crate::config::plan::Plan;
use crate::config::problem::Problems;
use crate::config::source::Sources;
use crate::config::{self, Lookup, SystemLookup};
use crate::exit::Failure;
use crate::otel_env::Forward;
use crate::signals::Signals;
use crate::{color, descriptors, local, logging, otel_env, start};
use otlp_service::Gateway;
use std::io::{IsTerminal, Write, stdout};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// `otlp`, `otlp run`: until a signal ends it.
pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    let mut sources = Sources::default();
    let (plan, warnings) = if args.config.config.is_empty() && args.config.set.is_empty() {
        let (forward, warnings) = otel_env::forward(&SystemLookup);
        if let Some(Forward { config, .. }) = &forward {
            sources.hide_secrets_of(&config.endpoint);
            config.signal_endpoints.iter().for_each(|(_, url)| sources.hide_secrets_of(url));
        }
        let colored = color::is_wanted(&SystemLookup, stdout().is_terminal());
        (local::plan(&args.local, colored, forward), [warnings, args.config.notes()].concat())
    } else {
        load(&args.config, &mut sources)?
    };
    let rust_log = SystemLookup.env("RUST_LOG");
    let (levels, wrong) = match logging::levels(&plan.logs, args.log_level, rust_log.as_deref()) {
        Ok(levels) => (levels, None),
        Err((wrong, levels)) => (levels, Some(wrong)),
    };
    logging::init(plan.logs, levels, has_color_on_stderr());
    warnings.iter().chain(&wrong).for_each(|warning| tracing::warn!("{warning}"));
    descriptors::raise_limit();
    let runtime = runtime()?;
    let outcome = runtime.block_on(serve(plan, &sources, args.drain_timeout));
    // The drain has delivered what can be delivered: a read of a file that hangs must not keep the process.
    runtime.shutdown_background();
    outcome
}

/// `otlp validate`: everything but the network.
pub(crate) fn validate(args: &ConfigArgs) -> Result<(), Failure> {
    let mut sources = Sources::default();
    let (plan, notes) = load(args, &mut sources)?;
    let pipelines: Vec<_> = plan.pipelines.iter().map(|pipeline| pipeline.id.clone()).collect();
    // Clients may want a runtime to be made in.
    let runtime = runtime()?;
    let _inside = runtime.enter();
    let mut context = start::context(&plan);
    context.proxies = start::proxies(&SystemLookup);
    start::spec(plan, &context).map_err(|problems| config_failure(&problems, &sources))?;
    let mut out = stdout().lock();
    for note in notes {
        writeln!(out, "note: {note}")?;
    }
    writeln!(out, "OK: pipelines {}", pipelines.join(", "))?;
    Ok(())
}

/// `otlp print-config`: what several files, variables and arguments make together.
pub(crate) fn print_config(args: &ConfigArgs) -> Result<(), Failure> {
    let mut sources = Sources::default();
    let yaml = config::print(&args.config, &args.set, args.lookup(), &mut sources)
        .map_err(|problems| config_failure(&problems, &sources))?;
    stdout().lock().write_all(yaml.as_bytes())?;
    Ok(())
}

/// The plan of configuration files, and its notes as lines.
fn load(args: &ConfigArgs, sources: &mut Sources) -> Result<(Plan, Vec<String>), Failure> {
    let plan = config::load(&args.config, &args.set, args.lookup(), sources)
        .map_err(|problems| config_failure(&problems, sources))?;
    let notes = plan.notes.iter().map(|note| note.render(sources));
    let notes = notes.chain(args.notes()).collect();
    Ok((plan, notes))
}

fn config_failure(problems: &Problems, sources: &Sources) -> Failure {
    Failure::Config(problems.render(sources, has_color_on_stderr()))
}

fn has_color_on_stderr() -> bool {
    color::is_wanted(&SystemLookup, std::io::stderr().is_terminal())
}

async fn serve(plan: Plan, sources: &Sources, drain_timeout: Duration) -> Result<(), Failure> {
    // From here on a signal drains; before, it ends the process as usual.
    let mut signals = Signals::listen()?;
    let mut context = start::context(&plan);
    context.proxies = start::proxies(&SystemLookup);
    let spec = start::spec(plan, &context).map_err(|problems| config_failure(&problems, sources))?;
    let clock = context.clock.clone();
    let gateway = Gateway::start(context, spec).await.map_err(|error| Failure::Runtime(error.to_string()))?;
    for (name, address) in gateway.endpoints() {
        tracing::info!("{name} listens on {address}");
    }
    let name = signals.end_asked().await;
    tracing::info!("{name}: draining, at most {drain_timeout:?}");
    tokio::select! {
        report = gateway.drain(clock.now() + drain_timeout) => match report.dropped_items {
            0 => tracing::info!("drained"),
            dropped => tracing::warn!("drained; {dropped} accepted items could not be delivered in time"),
        },
        () = signals.end_now_asked() => return Err(Failure::Interrupted),
    }
    Ok(())
}

/// One thread where there is one core: a scheduler between threads would only cost.
fn runtime() -> Result<Runtime, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut builder = if cores == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    if cores > 1 {
        builder.worker_threads(cores);
    }
    builder.enable_all().build().map_err(|error| Failure::Runtime(format!("cannot start threads: {error}")))
}
