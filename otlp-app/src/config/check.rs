//! A configuration's tree into a [`Plan`]: which components there are, and how the pipelines connect them.

mod auth;
mod listeners;
mod loops;
mod names;
mod needs;

use super::component::Component;
use super::files::NamedFile;
use super::node::{Entry, Node, Value};
use super::pipeline::{self, Pipeline};
use super::plan::{ExporterPlan, ExtensionPlan, Only, Plan, ProcessorPlan, ReceiverPlan};
use super::problem::{Problem, Problems};
use super::rules::{self, Note};
use super::source::Span;
use super::telemetry::{self, LogConfig, TELEMETRY_RULES};
use crate::registry::{Build, ComponentType, Kind};
use names::Unknown;
use otlp_service::{BatchConfig, PipelineSpec, StageSpec};

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
        defined.report_unknown(&[], &[], problems);
        problems.push(Problem::at(root_span, "there is no `service` with `pipelines`"));
        return None;
    };
    check_keys(service, SERVICE_KEYS, "service", problems);
    let (metrics_endpoint, logs) = match service.get_mut("telemetry") {
        Some(telemetry) => {
            rules::apply(TELEMETRY_RULES, "service.telemetry", telemetry, problems, &mut defined.notes);
            telemetry::telemetry(telemetry, problems, &mut defined.notes).unwrap_or_default()
        }
        None => (Some(telemetry::DEFAULT_METRICS_ENDPOINT.into()), LogConfig::default()),
    };
    let extensions = service.get("extensions").map(|list| pipeline::ids(list, problems)).unwrap_or_default();
    let pipelines = pipeline::pipelines(service, problems);
    defined.report_unknown(&pipelines, &extensions, problems);
    let plan = defined.connect(pipelines, &extensions, metrics_endpoint, problems);
    problems.is_empty().then_some(Plan { logs, ..plan })
}

/// A component's settings, read.
struct Built<T> {
    id: String,
    span: Span,
    used: bool,
    /// The files that they name.
    files: Vec<NamedFile>,
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
    unknown: Vec<Unknown>,
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
            let Some(component_type) = ComponentType::find(kind, Component::type_of(&id)) else {
                self.unknown.push(Unknown { kind, id, span: key_span });
                continue;
            };
            let mut component = Component { id, span: key_span, settings: value };
            let at = format!("{}.{}", kind.section(), component.id);
            let mut refused = Problems::default();
            for rules in component_type.rules {
                rules::apply(rules, &at, &mut component.settings, &mut refused, &mut self.notes);
            }
            let refused_places = refused.places();
            problems.add_of_component(refused, &[]);
            let mut wrong = Problems::default();
            match component_type.build {
                Build::Receiver(build) => self.receivers.push(component.build(build, &mut wrong)),
                Build::Processor(build) => self.processors.push(component.build(build, &mut wrong)),
                Build::Exporter(build) => self.exporters.push(component.build(build, &mut wrong)),
                Build::Extension(build) => self.extensions.push(component.build(build, &mut wrong)),
            }
            problems.add_of_component(wrong, &refused_places);
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
            let id = pipeline.id.as_str();
            let mut spec = PipelineSpec {
                receivers: self.use_all(Kind::Receiver, &pipeline.receivers, id, problems),
                stages: Vec::new(),
                exporters: self.use_all(Kind::Exporter, &pipeline.exporters, id, problems),
                id: pipeline.id,
                signal: pipeline.signal,
            };
            self.check_endpoints(&spec, pipeline.span, problems);
            let mut batch = None;
            for (id, span) in &pipeline.processors {
                let limit = self.process(&mut spec, &mut batch, id, *span, problems);
                memory_limit_bytes = [memory_limit_bytes, limit].into_iter().flatten().min();
            }
            // Processors run before it, wherever it stands: they keep no state.
            spec.stages.extend(batch.map(|(id, config)| (id, StageSpec::Batch(config))));
            specs.push(spec);
        }
        let (health, auth) = self.extensions(extensions, problems);
        self.check_listeners(metrics_endpoint.as_deref(), &health, problems);
        let loops = self.find_loops(&specs);
        self.authenticate(&auth, problems);
        self.note_lost_headers(&specs);
        self.note_unused();
        Plan {
            files: self.files(),
            receivers: used(self.receivers),
            exporters: used(self.exporters),
            pipelines: specs,
            health,
            auth,
            memory_limit_bytes,
            notes: self.notes,
            loops,
            metrics_endpoint,
            logs: LogConfig::default(),
        }
    }

    /// Puts a processor into a pipeline; returns the memory limit it sets.
    fn process(
        &mut self,
        spec: &mut PipelineSpec,
        batch: &mut Option<(String, BatchConfig)>,
        id: &str,
        span: Span,
        problems: &mut Problems,
    ) -> Option<u64> {
        let id = self.use_one(Kind::Processor, id, span, &spec.id, problems)?;
        let built = self.processors.iter().find(|built| built.id == id)?;
        match built.plan.as_ref()? {
            ProcessorPlan::MemoryLimiter { limit_bytes } => Some(*limit_bytes),
            ProcessorPlan::Processor(used) => {
                let misplaced = used.only.iter().filter(|only| !only.signals.contains(&spec.signal.name));
                misplaced.for_each(|Only { span, what, signals }| {
                    let message = format!(
                        "{what}: it is for {} alone, but the pipeline {} uses it",
                        signals.join(" and "),
                        spec.id
                    );
                    problems
                        .push(Problem::at(*span, message).help("give that pipeline a processor of its own"));
                });
                spec.stages.push((id, StageSpec::Processor(used.processor.clone())));
                None
            }
            ProcessorPlan::Batch(_) if batch.is_some() => {
                problems.push(Problem::at(span, format!("{}: a second `batch` in one pipeline", spec.id)));
                None
            }
            ProcessorPlan::Batch(config) => {
                *batch = Some((id, config.clone()));
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

    /// Notes the components that are checked but not started.
    fn note_unused(&mut self) {
        let of = |kind: Kind| move |(used, span, id)| (kind, used, span, id);
        let receivers = self.receivers.iter().map(Built::usage).map(of(Kind::Receiver));
        let processors = self.processors.iter().map(Built::usage).map(of(Kind::Processor));
        let exporters = self.exporters.iter().map(Built::usage).map(of(Kind::Exporter));
        let extensions = self.extensions.iter().map(Built::usage).map(of(Kind::Extension));
        let all = receivers.chain(processors).chain(exporters).chain(extensions);
        let unused = all.filter(|(_, used, ..)| !used);
        self.notes.extend(unused.map(|(kind, _, span, id)| {
            let why = if kind == Kind::Extension { "not in service.extensions" } else { "not used" };
            Note { span, text: format!("{} {id} is defined but {why}", kind.name()) }
        }));
    }

    /// The files that components in use name.
    fn files(&mut self) -> Vec<NamedFile> {
        let receivers = self.receivers.iter_mut().map(Built::take_files);
        let processors = self.processors.iter_mut().map(Built::take_files);
        let exporters = self.exporters.iter_mut().map(Built::take_files);
        let extensions = self.extensions.iter_mut().map(Built::take_files);
        receivers.chain(processors).chain(exporters).chain(extensions).flatten().collect()
    }
}

impl<T> Built<T> {
    fn usage(&self) -> (bool, Span, &str) {
        (self.used, self.span, &self.id)
    }

    /// The files that the component names, if it is in use.
    fn take_files(&mut self) -> Vec<NamedFile> {
        if self.used { std::mem::take(&mut self.files) } else { Vec::new() }
    }
}

impl Component {
    fn build<T>(
        mut self,
        build: fn(&mut Self, &mut Problems) -> Option<T>,
        problems: &mut Problems,
    ) -> Built<T> {
        let plan = build(&mut self, problems);
        let files = std::mem::take(&mut problems.files);
        let files = files.into_iter().map(|file| file.named(&self.id, &self.settings)).collect();
        Built { id: self.id, span: self.span, used: false, files, plan }
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
