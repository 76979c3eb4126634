//! Reloads: reads the configuration again while the gateway runs, and changes the gateway to it.
//!
//! A configuration that cannot be used changes nothing: it is logged as an error, and the gateway runs on with the last one.

mod outcomes;
mod watch;

use crate::args::{ConfigArgs, RunArgs};
use crate::config::problem::Problems;
use crate::config::source::Sources;
use crate::config::telemetry::LogConfig;
use crate::config::{Contents, Recorded};
use crate::own_telemetry::OwnSources;
use crate::service_manager::ServiceManager;
use crate::{app, start};
use otlp_service::{Changes, Gateway, GatewaySpec, PluginManager};
use otlp_transport::TransportContext;
use outcomes::Outcomes;
use std::sync::Arc;
use std::time::Duration;
use watch::Watch;

/// Reloads a running gateway.
pub(crate) struct Reloader {
    config: ConfigArgs,
    drain_timeout: Duration,
    plugins: Arc<PluginManager>,
    /// The context that the gateway was started with.
    context: TransportContext,
    own: OwnSources,
    /// Settings of own logs at the start: only a start applies them.
    logs: LogConfig,
    outcomes: Outcomes,
    /// The files that are watched; `None` without `--watch`.
    watch: Option<Watch>,
}

/// A configuration that was read again.
struct Reread {
    spec: GatewaySpec,
    logs: LogConfig,
    /// Notes for the operator, one a line.
    notes: Vec<String>,
}

// === impl Reloader ===

impl Reloader {
    /// Makes the reloader of a gateway that was started with the configuration of `args`, read from files of these contents.
    pub(crate) fn new(
        args: &RunArgs,
        plugins: Arc<PluginManager>,
        context: TransportContext,
        own: OwnSources,
        logs: LogConfig,
        contents: Contents,
        gateway: &Gateway,
    ) -> Self {
        if args.watch && contents.is_empty() {
            tracing::warn!("--watch has no effect: the configuration is not in a file");
        }
        Self {
            config: args.config.clone(),
            drain_timeout: args.drain_timeout,
            plugins,
            own,
            logs,
            outcomes: Outcomes::new(gateway.registry(), context.clock.clone()),
            watch: args.watch.then(|| Watch::new(context.clock.clone(), contents)),
            context,
        }
    }

    /// Waits until a watched file has changed; without `--watch`, for ever. Dropping the future loses no change.
    pub(crate) async fn changed(&mut self) {
        match &mut self.watch {
            Some(watch) => watch.changed().await,
            None => std::future::pending().await,
        }
    }

    /// Reads the configuration and changes the gateway to it. Logs and counts the outcome. Dropping the future before its end
    /// changes nothing.
    pub(crate) async fn reload(&mut self, gateway: &mut Gateway, manager: &ServiceManager) {
        manager.reloading();
        let before = gateway.endpoints();
        let status = match self.apply(gateway).await {
            Ok((changes, later)) if changes.is_empty() => {
                self.outcomes.unchanged();
                tracing::info!("configuration unchanged{later}");
                "configuration unchanged"
            }
            Ok((changes, later)) => {
                self.outcomes.applied();
                let changes = changes.to_string().replace('\n', "; ") + later;
                tracing::info!("configuration reloaded: {changes}");
                "configuration reloaded"
            }
            Err(errors) => {
                self.outcomes.failed();
                // Each error has lines of its own.
                let errors = format!("\n{}", errors.trim_end());
                tracing::error!("reload failed, the running configuration stays: {errors}");
                "reload failed, the running configuration stays"
            }
        };
        for (name, address) in gateway.endpoints() {
            if !before.contains(&(name.clone(), address.clone())) {
                tracing::info!("{name} listens on {address}");
            }
        }
        manager.ready(status);
    }

    /// Returns the changes, and a note on settings that take effect at the next start.
    ///
    /// # Errors
    /// The errors of the configuration as text, with their places.
    async fn apply(&mut self, gateway: &mut Gateway) -> Result<(Changes, &'static str), String> {
        let Reread { spec, logs, notes } = self.reread().await?;
        let changes = gateway.reload(spec).await.map_err(|error| error.to_string())?;
        if !changes.is_empty() {
            notes.iter().for_each(|note| tracing::warn!("{note}"));
        }
        Ok((changes, if logs == self.logs { "" } else { LOGS_LATER }))
    }

    /// Reads files and makes clients, on a thread where this delays no request.
    async fn reread(&mut self) -> Result<Reread, String> {
        let (config, plugins, context) = (self.config.clone(), self.plugins.clone(), self.context.clone());
        let (own, drain_timeout) = (self.own.clone(), self.drain_timeout);
        let read = move || {
            let lookup = Recorded::again(config.lookup());
            let spec = read(&config, &lookup, &plugins, &context, &own, drain_timeout);
            (spec, lookup.contents())
        };
        let (spec, contents) = tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())?;
        if let Some(watch) = &mut self.watch {
            watch.set_loaded(contents);
        }
        spec
    }
}

fn read(
    config: &ConfigArgs,
    lookup: &Recorded<'_>,
    plugins: &PluginManager,
    context: &TransportContext,
    own: &OwnSources,
    drain_timeout: Duration,
) -> Result<Reread, String> {
    let mut sources = Sources::default();
    let loaded = app::load(config, lookup, plugins, &mut sources);
    let text = |problems: Problems| problems.render(&sources, false);
    let (plan, notes) = loaded.map_err(text)?;
    let plan = plan.without_loops().map_err(text)?;
    let logs = plan.telemetry.logs.clone();
    let mut spec = start::spec(plan, context, own).map_err(text)?;
    spec.drain_timeout = drain_timeout;
    Ok(Reread { spec, logs, notes })
}

/// Note on own logs, after the outcome of a reload.
const LOGS_LATER: &str = "; service.telemetry.logs takes effect at the next start";
