//! The configuration: the findings of `otlp validate`, loops, and what there is to check on the network.

use super::destination::Destination;
use super::finding::{Finding, Level};
use crate::app;
use crate::args::ConfigArgs;
use crate::config::plan::Plan;
use crate::config::problem::Problems;
use crate::config::source::Sources;
use crate::logging::LogExport;
use crate::own_telemetry::OwnSources;
use crate::start;
use otlp_protocol::Signal;
use otlp_service::PluginManager;
use otlp_transport::TransportContext;

/// Findings of a configuration, and what is to be checked on the network.
#[derive(Default)]
pub(super) struct Examined {
    /// True if errors hide the endpoints.
    pub(super) is_unread: bool,
    pub(super) findings: Vec<Finding>,
    /// Names and addresses of listeners.
    pub(super) listeners: Vec<(String, String)>,
    pub(super) destinations: Vec<Destination>,
    pub(super) memory_limit_bytes: Option<u64>,
}

/// Reads a configuration and the files that it names.
pub(super) fn examine(
    args: &ConfigArgs,
    plugins: &PluginManager,
    context: &TransportContext,
    sources: &mut Sources,
) -> Examined {
    let (plan, notes) = match app::load(args, args.lookup(), plugins, sources) {
        Ok(loaded) => loaded,
        Err(problems) => {
            let findings = vec![wrong(&problems, sources), unread()];
            return Examined { is_unread: true, findings, ..Examined::default() };
        }
    };
    let mut findings: Vec<_> = notes.into_iter().map(|note| Finding::warning(CHECK, "", note)).collect();
    if !plan.loops.is_empty() {
        findings.push(wrong(&plan.loops, sources));
    }
    let memory_limit_bytes = plan.memory_limit_bytes;
    let listeners = listeners(&plan);
    let targets = targets(&plan);
    let servers: Vec<_> = plan.telemetry.servers().collect();
    let own = OwnSources::new(context, LogExport::default());
    let mut is_unread = false;
    let destinations = match start::spec(plan, context, &own) {
        Ok(spec) => {
            let clients = spec.exporters.into_iter().map(|exporter| (exporter.id, exporter.client));
            let of_client = |(id, client)| {
                let own = targets.iter().filter(move |(exporter, ..)| *exporter == id);
                let made =
                    own.map(|(id, signal, target)| Destination::of_exporter(id, *signal, target, &client));
                made.collect::<Vec<_>>()
            };
            let mut found: Vec<Destination> = clients.flat_map(of_client).collect();
            for server in servers {
                let destination = Destination::of_own_telemetry(server, context);
                if found.iter().all(|known| known.url != destination.url) {
                    found.push(destination);
                }
            }
            found
        }
        Err(problems) => {
            is_unread = true;
            findings.extend([wrong(&problems, sources), unread()]);
            Vec::new()
        }
    };
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, "", "the configuration is valid"));
    }
    Examined { is_unread, findings, listeners, destinations, memory_limit_bytes }
}

fn unread() -> Finding {
    let text = "not checked: correct the configuration first";
    Finding::new(Level::Skipped, "endpoint", "", text)
}

fn wrong(problems: &Problems, sources: &Sources) -> Finding {
    Finding::problem(CHECK, "", problems.render(sources, false))
}

fn listeners(plan: &Plan) -> Vec<(String, String)> {
    let servers = plan.receivers.iter().flat_map(|(id, receiver)| {
        receiver.servers.iter().map(move |server| (id.clone(), server.spec.config.endpoint.clone()))
    });
    let pages = plan.telemetry.pages.iter().map(|page| ("metrics".to_owned(), page.endpoint.clone()));
    let health = plan.health.endpoints().map(|endpoint| ("health_check".to_owned(), endpoint.to_owned()));
    servers.chain(pages).chain(health).collect()
}

/// Returns each endpoint of each exporter, with the first signal that is sent there.
fn targets(plan: &Plan) -> Vec<(String, Signal, otlp_service::Target)> {
    let mut targets: Vec<(String, Signal, otlp_service::Target)> = Vec::new();
    for (id, exporter) in &plan.exporters {
        let takers = plan.pipelines.iter().filter(|pipeline| pipeline.exporters.contains(id));
        for signal in takers.map(|pipeline| pipeline.signal) {
            for target in &exporter.targets {
                let is_own = target.part.signal.is_none_or(|name| name == signal.name);
                let is_known = targets
                    .iter()
                    .any(|(known, _, other)| known == id && other.endpoint == target.part.endpoint);
                if is_own && !is_known {
                    targets.push((id.clone(), signal, target.part.clone()));
                }
            }
        }
    }
    targets
}

const CHECK: &str = "config";
/// Listeners of the gateway without a configuration.
pub(super) const LOCAL: [(&str, &str); 2] =
    [("local gateway, gRPC", "127.0.0.1:4317"), ("local gateway, HTTP", "127.0.0.1:4318")];
