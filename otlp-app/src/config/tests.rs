mod auth;
mod balance;
mod command_line;
mod component_storage;
mod connectors;
mod dead_letter;
mod errors;
mod files;
mod fingerprints;
mod health;
mod keys;
mod loops;
mod messages;
mod plugins;
mod processors;
#[cfg(feature = "prometheus")]
mod prometheus;
mod queues;
mod receivers;
mod reference;
mod references;
mod resource_detection;
mod schema;
mod secrets;
mod settings;
mod span;
mod storage;
mod telemetry;
mod values;

use super::*;
use otlp_service::{BatchConfig, GatewaySpec, PipelineStage, StageSpec};
use std::collections::HashMap;
use std::io;

/// Files and variables of a test.
#[derive(Default)]
struct Fake {
    files: HashMap<String, String>,
    vars: HashMap<String, String>,
}

impl Fake {
    fn file(mut self, path: &str, text: impl Into<String>) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }

    fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.into(), value.into());
        self
    }

    fn load(&self, files: &[&str], sets: &[&str]) -> Result<Plan, String> {
        let files: Vec<_> = files.iter().map(PathBuf::from).collect();
        let sets: Vec<_> = sets.iter().map(|set| (*set).to_owned()).collect();
        let mut sources = Sources::default();
        let plan = load(&files, &sets, self, &shipped(), &mut sources).and_then(Plan::without_loops);
        if plan.is_ok() {
            let texts = files.iter().filter_map(|file| self.files.get(&*file.to_string_lossy()));
            texts.for_each(|text| schema::accepts(text));
        }
        plan.map_err(|problems| problems.render(&sources, false))
    }
}

impl Lookup for Fake {
    fn env(&self, name: &str) -> Option<String> {
        self.vars.get(name).cloned()
    }

    fn file(&self, path: &str) -> io::Result<String> {
        self.files.get(path).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// The components that come with the gateway.
fn shipped() -> PluginManager {
    let mut plugins = PluginManager::new();
    plugins.load(crate::shipped::Shipped).expect("no clash");
    plugins
}

/// A whole configuration around a few lines of it.
fn around(exporter: &str) -> String {
    format!(
        "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters:\n{exporter}\nservice:\n  pipelines:\n    \
         traces: {{receivers: [otlp], exporters: [otlp]}}\n"
    )
}

fn plan(text: &str) -> Plan {
    Fake::default()
        .file("c.yaml", text)
        .load(&["c.yaml"], &[])
        .unwrap_or_else(|problems| panic!("{problems}"))
}

/// The settings of the batch processor of the first pipeline.
fn batch(plan: &Plan) -> BatchConfig {
    let config = |stage: &PipelineStage| match &stage.stage {
        StageSpec::Batch(config) => Some(config.clone()),
        _ => None,
    };
    plan.pipelines[0].stages.iter().find_map(config).unwrap()
}

/// Sources of own telemetry of a process.
fn own_sources(context: &otlp_transport::TransportContext) -> crate::own_telemetry::OwnSources {
    crate::own_telemetry::OwnSources::new(context, crate::logging::LogExport::default())
}

fn spec_of(plan: Plan) -> GatewaySpec {
    let context = crate::start::context(&plan);
    crate::start::spec(plan, &context, &own_sources(&context))
        .unwrap_or_else(|problems| panic!("{}", problems.render(&Sources::default(), false)))
}

/// Returns the problems that are found after the configuration was read: by the files that it names, or by the lower layers.
fn refusals(text: &str) -> String {
    let fake = Fake::default().file("c.yaml", text);
    let mut sources = Sources::default();
    let plan = load(&["c.yaml".into()], &[], &fake, &shipped(), &mut sources)
        .unwrap_or_else(|problems| panic!("{}", problems.render(&sources, false)));
    let context = crate::start::context(&plan);
    crate::start::spec(plan, &context, &own_sources(&context))
        .err()
        .map(|problems| problems.render(&sources, false))
        .unwrap_or_default()
}

fn problems(text: &str) -> String {
    match Fake::default().file("c.yaml", text).load(&["c.yaml"], &[]) {
        Ok(_) => panic!("nothing found wrong with:\n{text}"),
        Err(problems) => problems,
    }
}
