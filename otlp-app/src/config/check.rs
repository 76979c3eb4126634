//! Checks a configuration's tree and makes a [`Plan`] of it: the components, and the pipelines that connect them.

mod auth;
mod batches;
mod connectors;
mod listeners;
mod loops;
mod names;
mod needs;
mod storages;

use super::auth::ExtensionRef;
use super::component::Component;
use super::decode::decode_by;
use super::files::NamedFile;
use super::fingerprint::Fingerprints;
use super::node::{Entry, Node, Value};
use super::pipeline::{self, Pipeline};
use super::plan::{ConnectorPlan, ExporterPlan, ExtensionPlan, Only, Plan, ReceiverPlan, StagePlan};
use super::problem::{Problem, Problems};
use super::rules::{self, Note};
use super::source::Span;
use super::telemetry::{self, OwnTelemetry, TELEMETRY_RULES};
use names::Unknown;
use otlp_service::{
    Build, BuildContext, ComponentStorage, Decode, Kind, PipelineSpec, PipelineStage, PluginManager,
    StageSpec,
};

/// Checks a whole configuration. Reports as many problems as can be found at once.
pub(crate) fn check(mut root: Node, plugins: &PluginManager, problems: &mut Problems) -> Option<Plan> {
    check_keys(&root, ROOT_KEYS, "configuration", problems);
    let mut defined = Defined::new(plugins);
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
    let own = match service.get_mut("telemetry") {
        Some(telemetry) => {
            rules::apply(TELEMETRY_RULES, "service.telemetry", telemetry, problems, &mut defined.notes);
            telemetry::telemetry(telemetry, problems, &mut defined.notes).unwrap_or_default()
        }
        None => OwnTelemetry::without_section(),
    };
    let extensions = service.get("extensions").map(|list| pipeline::ids(list, problems)).unwrap_or_default();
    let pipelines = pipeline::pipelines(service, problems);
    defined.report_unknown(&pipelines, &extensions, problems);
    let plan = defined.connect(pipelines, &extensions, own, problems);
    problems.is_empty().then_some(plan)
}

/// A component whose settings were read.
struct Built<T> {
    id: String,
    span: Span,
    used: bool,
    /// Files that the settings name.
    files: Vec<NamedFile>,
    /// Stored states that the component asked for.
    storages: Vec<(ExtensionRef, ComponentStorage)>,
    /// `None` if the settings are wrong, which is reported.
    plan: Option<T>,
}

/// Every component of the file.
struct Defined<'a> {
    plugins: &'a PluginManager,
    receivers: Vec<Built<ReceiverPlan>>,
    processors: Vec<Built<StagePlan>>,
    connectors: Vec<Built<ConnectorPlan>>,
    exporters: Vec<Built<ExporterPlan>>,
    extensions: Vec<Built<ExtensionPlan>>,
    unknown: Vec<Unknown>,
    settings: Fingerprints,
    notes: Vec<Note>,
}

// === impl Defined ===

impl<'a> Defined<'a> {
    fn new(plugins: &'a PluginManager) -> Self {
        Self {
            plugins,
            receivers: Vec::new(),
            processors: Vec::new(),
            connectors: Vec::new(),
            exporters: Vec::new(),
            extensions: Vec::new(),
            unknown: Vec::new(),
            settings: Fingerprints::default(),
            notes: Vec::new(),
        }
    }

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
            let Some(component_type) = self.plugins.find(kind, Component::type_of(&id)) else {
                self.unknown.push(Unknown { kind, id, span: key_span });
                continue;
            };
            let mut component = Component { id, span: key_span, settings: value };
            let at = format!("{}.{}", kind.section(), component.id);
            let mut refused = Problems::default();
            for rules in &component_type.rules {
                rules::apply(rules, &at, &mut component.settings, &mut refused, &mut self.notes);
            }
            self.settings.add(kind, &component);
            let refused_places = refused.places();
            problems.add_of_component(refused, &[]);
            let mut wrong = Problems::default();
            match &component_type.build {
                Build::Receiver(decode) => {
                    self.receivers.push(component.build(
                        decode,
                        ReceiverPlan::of,
                        &mut wrong,
                        &mut self.notes,
                    ));
                }
                Build::Processor(decode) => {
                    self.processors.push(component.build(decode, StagePlan::of, &mut wrong, &mut self.notes));
                }
                Build::Connector(decode) => {
                    self.connectors.push(component.build(
                        decode,
                        ConnectorPlan::of,
                        &mut wrong,
                        &mut self.notes,
                    ));
                }
                Build::Exporter(decode) => {
                    self.exporters.push(component.build(
                        decode,
                        ExporterPlan::of,
                        &mut wrong,
                        &mut self.notes,
                    ));
                }
                Build::Extension(decode) => {
                    self.extensions.push(component.build(
                        decode,
                        ExtensionPlan::of,
                        &mut wrong,
                        &mut self.notes,
                    ));
                }
            }
            problems.add_of_component(wrong, &refused_places);
        }
    }

    /// Looks up what the pipelines name.
    fn connect(
        mut self,
        pipelines: Vec<Pipeline>,
        extensions: &[(String, Span)],
        mut telemetry: OwnTelemetry,
        problems: &mut Problems,
    ) -> Plan {
        let mut memory_limit_bytes = None;
        let (mut specs, mut places) = (Vec::new(), Vec::new());
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
            let limit = self.stages(&mut spec, &pipeline.processors, problems);
            memory_limit_bytes = [memory_limit_bytes, limit].into_iter().flatten().min();
            places.push((spec.id.clone(), pipeline.span));
            specs.push(spec);
        }
        self.check_connectors(&specs, problems);
        let (health, auth, extensions) = self.extensions(extensions, problems);
        self.check_listeners(&telemetry.pages, &health, problems);
        let loops = self.find_loops(&specs);
        self.authenticate(&auth, problems);
        let storages = self.storages(&auth, problems);
        self.note_lost_headers(&specs);
        self.note_joined_twice(&specs);
        self.note_unused();
        Plan {
            files: self.files(std::mem::take(&mut telemetry.files)),
            receivers: used(self.receivers),
            connectors: used(self.connectors).into_iter().map(|(id, plan)| (id, plan.connector)).collect(),
            exporters: used(self.exporters),
            pipelines: specs,
            places,
            health,
            extensions,
            auth,
            storages,
            memory_limit_bytes,
            settings: self.settings,
            notes: self.notes,
            loops,
            telemetry,
        }
    }

    /// Puts processors, batch processor and holders into a pipeline. Returns the memory limit that one of them sets.
    fn stages(
        &mut self,
        spec: &mut PipelineSpec,
        ids: &[(String, Span)],
        problems: &mut Problems,
    ) -> Option<u64> {
        let mut limit_bytes = None;
        let (mut has_batch, mut batch) = (false, None);
        for (id, span) in ids {
            let Some(id) = self.use_one(Kind::Processor, id, *span, &spec.id, problems) else { continue };
            let built = self.processors.iter().find(|built| built.id == id);
            let Some(StagePlan { part, only }) = built.and_then(|built| built.plan.as_ref()) else {
                continue;
            };
            only.iter().for_each(|only| only.check(spec, problems));
            limit_bytes = [limit_bytes, part.memory_limit_bytes].into_iter().flatten().min();
            match &part.stage {
                Some(StageSpec::Batch(_)) if has_batch => {
                    let message =
                        format!("{}: a second `batch` in one pipeline; a pipeline takes one", spec.id);
                    problems.push(Problem::at(*span, message));
                }
                Some(stage @ StageSpec::Batch(_)) => {
                    has_batch = true;
                    batch = Some(PipelineStage::new(id, stage.clone()));
                }
                Some(stage) => {
                    // Processors keep no state, so they run before the batch processor, also those listed after it. Holders keep state.
                    if matches!(stage, StageSpec::Holder(_)) {
                        spec.stages.extend(batch.take());
                    }
                    spec.stages.push(PipelineStage::new(id, stage.clone()));
                }
                None => {}
            }
        }
        spec.stages.extend(batch);
        limit_bytes
    }

    /// Reports exporters that do not take the signal of the pipeline, or have no endpoint for it.
    fn check_endpoints(&self, spec: &PipelineSpec, span: Span, problems: &mut Problems) {
        for exporter in self.exporters.iter().filter(|built| spec.exporters.contains(&built.id)) {
            let Some(part) = exporter.plan.as_ref().map(|plan| &plan.part) else { continue };
            let Some(takes) = &part.takes else { continue };
            let (signal, of, id) = (spec.signal, &spec.id, &exporter.id);
            if takes.contains(&signal.name) {
                continue;
            }
            problems.push(match part.endpoints.is_empty() {
                true => Problem::at(span, format!("{of}: {id} takes {} alone", takes.join(", ")))
                    .help(format!("use {id} in pipelines of {}", takes.join(", "))),
                false => Problem::at(span, format!("{of}: {id} has no endpoint for {signal}"))
                    .help(format!("give it `endpoint` or `{signal}_endpoint`")),
            });
        }
    }

    /// Notes the components that are checked but not started.
    fn note_unused(&mut self) {
        let of = |kind: Kind| move |(used, span, id)| (kind, used, span, id);
        let receivers = self.receivers.iter().map(Built::usage).map(of(Kind::Receiver));
        let processors = self.processors.iter().map(Built::usage).map(of(Kind::Processor));
        let connectors = self.connectors.iter().map(Built::usage).map(of(Kind::Connector));
        let exporters = self.exporters.iter().map(Built::usage).map(of(Kind::Exporter));
        let extensions = self.extensions.iter().map(Built::usage).map(of(Kind::Extension));
        let all = receivers.chain(processors).chain(connectors).chain(exporters).chain(extensions);
        let unused = all.filter(|(_, used, ..)| !used);
        self.notes.extend(unused.map(|(kind, _, span, id)| {
            let why = if kind == Kind::Extension { "not in service.extensions" } else { "not used" };
            Note { span, text: format!("{} {id} is defined but {why}", kind.name()) }
        }));
    }

    /// The files that components in use and `telemetry` name.
    fn files(&mut self, telemetry: Vec<NamedFile>) -> Vec<NamedFile> {
        let receivers = self.receivers.iter_mut().map(Built::take_files);
        let processors = self.processors.iter_mut().map(Built::take_files);
        let connectors = self.connectors.iter_mut().map(Built::take_files);
        let exporters = self.exporters.iter_mut().map(Built::take_files);
        let extensions = self.extensions.iter_mut().map(Built::take_files);
        let components = receivers.chain(processors).chain(connectors).chain(exporters).chain(extensions);
        components.flatten().chain(telemetry).collect()
    }
}

impl Only {
    /// Checks that a pipeline that uses the setting has one of its signals.
    fn check(&self, spec: &PipelineSpec, problems: &mut Problems) {
        let Self { span, what, noun, signals } = self;
        if !signals.contains(&spec.signal.name) {
            let signals = signals.join(" and ");
            let message =
                format!("{what}: the {noun} is for {signals} only, but the pipeline {} uses it", spec.id);
            let help = match *noun {
                "processor" => "remove it from that pipeline",
                _ => "give that pipeline a processor of its own",
            };
            problems.push(Problem::at(*span, message).help(help));
        }
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
    /// Decodes the settings, runs the factory, and makes a plan of the part that it returns.
    fn build<P, T>(
        self,
        decode: &Decode<P>,
        plan: fn(P, &Self) -> T,
        problems: &mut Problems,
        notes: &mut Vec<Note>,
    ) -> Built<T> {
        let mut storages = Vec::new();
        let part = decode_by(&self.settings, problems, decode).and_then(|build| {
            let context = BuildContext::new(&self.id);
            let built = build(&context);
            storages = context.take_storages();
            notes.extend(context.take_notes().iter().map(|note| self.note(note)));
            context.into_reported().iter().for_each(|error| problems.push(self.wrong(error)));
            built.map_err(|error| problems.push(self.wrong(&error))).ok()
        });
        let plan = part.map(|part| plan(part, &self));
        let files = std::mem::take(&mut problems.files);
        let files = files.into_iter().map(|file| file.named(&self.id, &self.settings)).collect();
        let named =
            |storage: ComponentStorage| (ExtensionRef::of(storage.extension().clone(), &self), storage);
        let storages = storages.into_iter().map(named).collect();
        Built { id: self.id, span: self.span, used: false, files, storages, plan }
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
