//! Components that a file names and that do not exist: of an unknown type, or without a definition.

use super::{Built, Defined};
use crate::config::component::Component;
use crate::config::pipeline::Pipeline;
use crate::config::problem::{Problem, Problems};
use crate::config::source::Span;
use crate::removed::instead_of;
use otlp_service::{Kind, PluginManager};

/// A component whose type is unknown. It is reported at its definition alone, which names its uses.
pub(super) struct Unknown {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) span: Span,
}

impl Defined<'_> {
    /// Reports the components of unknown types.
    pub(super) fn report_unknown(
        &self,
        pipelines: &[Pipeline],
        extensions: &[(String, Span)],
        problems: &mut Problems,
    ) {
        for Unknown { kind, id, span } in &self.unknown {
            let name = Component::type_of(id);
            let message = format!("unknown {} `{}`", kind.name(), name.escape_debug());
            let mut problem = types_of(self.plugins, Problem::at(*span, message), *kind, name, "available");
            if let Some(instead) = instead_of(*kind, name) {
                problem = problem.help(instead);
            }
            let users = pipelines.iter().filter(|pipeline| uses(pipeline, *kind, id));
            let mut users: Vec<_> = users.map(|pipeline| pipeline.id.as_str()).collect();
            if *kind == Kind::Extension && extensions.iter().any(|(listed, _)| listed == id) {
                users.push("service.extensions");
            }
            if !users.is_empty() {
                problem = problem.help(format!("used in: {}", users.join(", ")));
            }
            problems.push(problem);
        }
    }

    /// Marks components as used; returns the ids of those that are defined. `user` names them: a pipeline, or
    /// `service.extensions`.
    pub(super) fn use_all(
        &mut self,
        kind: Kind,
        ids: &[(String, Span)],
        user: &str,
        problems: &mut Problems,
    ) -> Vec<String> {
        ids.iter().filter_map(|(id, span)| self.use_one(kind, id, *span, user, problems)).collect()
    }

    /// Marks a component as used; returns its id if the component is defined.
    pub(super) fn use_one(
        &mut self,
        kind: Kind,
        id: &str,
        span: Span,
        user: &str,
        problems: &mut Problems,
    ) -> Option<String> {
        let is_defined = match kind {
            Kind::Receiver => mark_used(&mut self.receivers, id) || mark_used(&mut self.connectors, id),
            Kind::Processor => mark_used(&mut self.processors, id),
            Kind::Exporter => mark_used(&mut self.exporters, id) || mark_used(&mut self.connectors, id),
            Kind::Extension => mark_used(&mut self.extensions, id),
            Kind::Connector => mark_used(&mut self.connectors, id),
        };
        if !is_defined {
            self.report_undefined(kind, id, span, user, problems);
        }
        is_defined.then(|| id.to_owned())
    }

    /// Reports an id without a definition.
    fn report_undefined(&self, kind: Kind, id: &str, span: Span, user: &str, problems: &mut Problems) {
        let is_reported = |unknown: &Unknown| {
            let connects = unknown.kind == Kind::Connector && matches!(kind, Kind::Receiver | Kind::Exporter);
            unknown.id == id && (unknown.kind == kind || connects)
        };
        if self.unknown.iter().any(is_reported) {
            return;
        }
        let (name, section) = (kind.name(), kind.section());
        let shown = id.escape_debug();
        let problem = Problem::at(span, format!("{user}: the {name} `{shown}` is not defined"));
        let component_type = Component::type_of(id);
        let is_of_kind = self.plugins.find(kind, component_type).is_some();
        let mut others =
            Kind::ALL.into_iter().filter(|other| *other != kind && self.ids(*other).contains(&id));
        if let Some(other) = others.next().filter(|_| !is_of_kind) {
            let (other, others) = (other.name(), other.section());
            problems
                .push(problem.help(format!("`{shown}` is defined under `{others}`: the {other} `{shown}`")));
            return;
        }
        let problem = problem.choice(id, "defined", &self.ids(kind));
        problems.push(match instead_of(kind, component_type) {
            _ if is_of_kind => {
                problem.help(format!("define it under `{section}`: `{shown}:` and its settings"))
            }
            Some(instead) => problem.help(instead),
            None => types_of(self.plugins, problem, kind, component_type, &format!("types of {section}")),
        });
    }

    /// The ids of a section of the file.
    fn ids(&self, kind: Kind) -> Vec<&str> {
        match kind {
            Kind::Receiver => self.receivers.iter().map(|built| built.id.as_str()).collect(),
            Kind::Processor => self.processors.iter().map(|built| built.id.as_str()).collect(),
            Kind::Exporter => self.exporters.iter().map(|built| built.id.as_str()).collect(),
            Kind::Extension => self.extensions.iter().map(|built| built.id.as_str()).collect(),
            Kind::Connector => self.connectors.iter().map(|built| built.id.as_str()).collect(),
        }
    }
}

/// The problem with the types of a kind: the one nearest to `name`, by any of its names, and all of them.
fn types_of(plugins: &PluginManager, problem: Problem, kind: Kind, name: &str, label: &str) -> Problem {
    let known: Vec<_> = plugins.of(kind).map(|known| known.name).collect();
    let aliases: Vec<_> = plugins.of(kind).flat_map(|known| &known.aliases).copied().collect();
    problem.choice_with(name, label, &known, &aliases)
}

/// Returns whether a pipeline lists a component. A connector is listed among the receivers or the exporters.
fn uses(pipeline: &Pipeline, kind: Kind, id: &str) -> bool {
    let lists = [
        (Kind::Receiver, &pipeline.receivers),
        (Kind::Processor, &pipeline.processors),
        (Kind::Exporter, &pipeline.exporters),
    ];
    lists.into_iter().any(|(of, ids)| {
        let may_stand_there = of == kind || (kind == Kind::Connector && of != Kind::Processor);
        may_stand_there && ids.iter().any(|(listed, _)| listed == id)
    })
}

fn mark_used<T>(defined: &mut [Built<T>], id: &str) -> bool {
    let found = defined.iter_mut().find(|built| built.id == id);
    found.map(|built| built.used = true).is_some()
}
