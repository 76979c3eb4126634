//! A configuration's tree into a [`Plan`]: which components there are, and how the pipelines connect them.

mod auth;
mod listeners;
mod origin;

use super::component::Component;
use super::node::{Entry, Node, Value};
use super::pipeline::{self, Pipeline};
use super::plan::{ExporterPlan, ExtensionPlan, Only, Plan, ProcessorPlan, ReceiverPlan};
use super::problem::{Problem, Problems};
use super::rules::{self, Note};
use super::source::Span;
use super::telemetry::{self, LogConfig, TELEMETRY_RULES};
use crate::registry::{Build, ComponentType, Kind};
use otlp_service::PipelineSpec;

/// Checks a whole configuration; reports as much as can be found in one go.
pub(crate) fn check(mut root: Node, problems: &mut Problems) -> Option<Plan> {
    check_keys(&root, ROOT_KEYS, "configuration", problems);
    let mut defined = Defined::default();
    for kind in Kind::ALL {
        if let Some(section) = root.get_mut(kind.section()) {
            defined.read(kind, section, problems);
        }
    }
    let root_span = root.span;
    let service = root.get_mut("service");
    let Some(service) = service.filter(|service| matches!(service.value, Value::Map(_))) else {
        problems.push(Problem::at(root_span, "there is no `service` with `pipelines`"));
        return None;
    };
    check_keys(service, SERVICE_KEYS, "service", problems);
    let (metrics_endpoint, logs) = match service.get_mut("telemetry") {
        Some(telemetry) => {
            rules::apply(TELEMETRY_RULES, "service.telemetry", telemetry, problems, &mut defined.notes);
            telemetry::telemetry(telemetry, problems).unwrap_or_default()
        }
        None => (Some(telemetry::DEFAULT_METRICS_ENDPOINT.into()), LogConfig::default()),
    };
    let extensions = service.get("extensions").map(|list| pipeline::ids(list, problems)).unwrap_or_default();
    let pipelines = pipeline::pipelines(service, problems);
    let plan = defined.connect(pipelines, &extensions, metrics_endpoint, problems);
    problems.is_empty().then_some(Plan { logs, ..plan })
}

/// A component's settings, read.
struct Built<T> {
    id: String,
    span: Span,
    used: bool,
    /// `None` if something is wrong with them, which is reported.
    plan: Option<T>,
}

/// Every component of the file.
#[derive(Default)]
struct Defined {
    receivers: Vec<Built<ReceiverPlan>>,
    processors: Vec<Built<ProcessorPlan>>,
    exporters: Vec<Built<ExporterPlan>>,
    extensions: Vec<Built<ExtensionPlan>>,
    notes: Vec<Note>,
}

// === impl Defined ===

impl Defined {
    /// Reads a section of the file.
    fn read(&mut self, kind: Kind, section: &mut Node, problems: &mut Problems) {
        let place = section.span;
        let Value::Map(entries) = &mut section.value else {
            if !section.is_null() {
                let message = format!("{}: expected a map of components by id", kind.section());
                problems.push(Problem::at(place, message));
            }
            return;
        };
        for Entry { key: id, key_span, value } in std::mem::take(entries) {
            let name = Component::type_of(&id);
            let Some(component_type) = ComponentType::find(kind, name) else {
                let known: Vec<_> = ComponentType::of(kind).map(|known| known.name).collect();
                problems.push(Problem::unknown(key_span, kind.name(), name, &known));
                continue;
            };
            let mut component = Component { id, span: key_span, settings: value };
            let at = format!("{}.{}", kind.section(), component.id);
            for rules in component_type.rules {
                rules::apply(rules, &at, &mut component.settings, problems, &mut self.notes);
            }
            match component_type.build {
                Build::Receiver(build) => self.receivers.push(component.build(build, problems)),
                Build::Processor(build) => self.processors.push(component.build(build, problems)),
                Build::Exporter(build) => self.exporters.push(component.build(build, problems)),
                Build::Extension(build) => self.extensions.push(component.build(build, problems)),
            }
        }
    }

    /// Looks up what the pipelines name.
    fn connect(
        mut self,
        pipelines: Vec<Pipeline>,
        extensions: &[(String, Span)],
        metrics_endpoint: Option<String>,
        problems: &mut Problems,
    ) -> Plan {
        let mut memory_limit_bytes = None;
        let mut specs = Vec::new();
        for pipeline in pipelines {
            let mut spec = PipelineSpec {
                id: pipeline.id,
                signal: pipeline.signal,
                receivers: use_all(&mut self.receivers, Kind::Receiver, &pipeline.receivers, problems),
                processors: Vec::new(),
                batch: None,
                exporters: use_all(&mut self.exporters, Kind::Exporter, &pipeline.exporters, problems),
            };
            self.check_endpoints(&spec, pipeline.span, problems);
            for (id, span) in &pipeline.processors {
                let limit = self.process(&mut spec, id, *span, problems);
                memory_limit_bytes = [memory_limit_bytes, limit].into_iter().flatten().min();
            }
            specs.push(spec);
        }
        let (health, auth) = self.extensions(extensions, problems);
        self.check_listeners(metrics_endpoint.as_deref(), health.as_ref(), problems);
        let needed = self.authenticate(&auth, problems);
        self.keep_origins(&mut specs, &needed);
        self.note_unused();
        Plan {
            receivers: used(self.receivers),
            exporters: used(self.exporters),
            pipelines: specs,
            health,
            auth,
            memory_limit_bytes,
            notes: self.notes,
            metrics_endpoint,
            logs: LogConfig::default(),
        }
    }

    /// Puts a processor into a pipeline; returns the memory limit it sets.
    fn process(
        &mut self,
        spec: &mut PipelineSpec,
        id: &str,
        span: Span,
        problems: &mut Problems,
    ) -> Option<u64> {
        let id = use_one(&mut self.processors, Kind::Processor, id, span, problems)?;
        let built = self.processors.iter().find(|built| built.id == id)?;
        match built.plan.as_ref()? {
            ProcessorPlan::MemoryLimiter { limit_bytes } => Some(*limit_bytes),
            ProcessorPlan::Processor(used) => {
                let misplaced = used.only.iter().filter(|only| !only.signals.contains(&spec.signal.name));
                misplaced.for_each(|Only { span, what, signals }| {
                    let message =
                        format!("{what}: it asks about {}, and {} has none", signals.join(" and "), spec.id);
                    problems
                        .push(Problem::at(*span, message).help("give that pipeline a processor of its own"));
                });
                spec.processors.push((id, used.processor.clone()));
                None
            }
            ProcessorPlan::Batch(_) if spec.batch.is_some() => {
                problems.push(Problem::at(span, format!("{}: a second `batch` in one pipeline", spec.id)));
                None
            }
            ProcessorPlan::Batch(config) => {
                spec.batch = Some((id, config.clone()));
                None
            }
        }
    }

    /// An exporter with endpoints for some signals only must not get others.
    fn check_endpoints(&self, spec: &PipelineSpec, span: Span, problems: &mut Problems) {
        for exporter in self.exporters.iter().filter(|built| spec.exporters.contains(&built.id)) {
            let takes = exporter.plan.as_ref().and_then(|plan| plan.takes.as_ref());
            if takes.is_some_and(|takes| !takes.contains(&spec.signal.name)) {
                let signal = spec.signal;
                let message = format!("{}: {} has no endpoint for {signal}", spec.id, exporter.id);
                problems.push(
                    Problem::at(span, message).help(format!("give it `endpoint` or `{signal}_endpoint`")),
                );
            }
        }
    }

    fn note_unused(&mut self) {
        let receivers = self.receivers.iter().map(|built| (built.used, built.span, &built.id));
        let processors = self.processors.iter().map(|built| (built.used, built.span, &built.id));
        let exporters = self.exporters.iter().map(|built| (built.used, built.span, &built.id));
        let extensions = self.extensions.iter().map(|built| (built.used, built.span, &built.id));
        let all = receivers.chain(processors).chain(exporters).chain(extensions);
        let unused = all.filter(|(used, ..)| !used);
        self.notes
            .extend(unused.map(|(_, span, id)| Note { span, text: format!("{id} is defined but not used") }));
    }
}

impl Component {
    fn build<T>(
        mut self,
        build: fn(&mut Self, &mut Problems) -> Option<T>,
        problems: &mut Problems,
    ) -> Built<T> {
        let plan = build(&mut self, problems);
        Built { id: self.id, span: self.span, used: false, plan }
    }
}

/// Marks components as used; returns the ids of those that are defined.
fn use_all<T>(
    defined: &mut [Built<T>],
    kind: Kind,
    ids: &[(String, Span)],
    problems: &mut Problems,
) -> Vec<String> {
    ids.iter().filter_map(|(id, span)| use_one(defined, kind, id, *span, problems)).collect()
}

fn use_one<T>(
    defined: &mut [Built<T>],
    kind: Kind,
    id: &str,
    span: Span,
    problems: &mut Problems,
) -> Option<String> {
    match defined.iter_mut().find(|built| built.id == id) {
        Some(built) => {
            built.used = true;
            Some(built.id.clone())
        }
        None => {
            let known: Vec<_> = defined.iter().map(|built| built.id.as_str()).collect();
            problems.push(Problem::unknown(span, kind.name(), id, &known));
            None
        }
    }
}

fn used<T>(defined: Vec<Built<T>>) -> Vec<(String, T)> {
    defined.into_iter().filter(|built| built.used).filter_map(|built| Some((built.id, built.plan?))).collect()
}

fn check_keys(node: &Node, known: &[&str], what: &str, problems: &mut Problems) {
    match node.entries() {
        None => problems
            .push(Problem::at(node.span, format!("{what}: expected a map, found {}", node.describe()))),
        Some(entries) => entries
            .iter()
            .filter(|entry| !known.contains(&entry.key.as_str()))
            .for_each(|entry| problems.push(Problem::unknown(entry.key_span, "key", &entry.key, known))),
    }
}

const ROOT_KEYS: &[&str] = &["receivers", "processors", "exporters", "connectors", "extensions", "service"];
const SERVICE_KEYS: &[&str] = &["extensions", "pipelines", "telemetry"];
