//! Differences between two specs, by component: what a reload from one to the other changes.

use super::{Fingerprint, GatewaySpec, PipelineStage};
use std::collections::BTreeSet;
use std::fmt;

/// Differences between two specs. `Display` writes a line for each change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The changes, by kind in the order of [`ChangedKind`].
    pub changes: Vec<Change>,
}

/// One difference between two specs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Kind of the component.
    pub kind: ChangedKind,
    /// The component's id.
    pub id: String,
    /// The difference.
    pub what: Alteration,
}

/// Kind of a component that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ChangedKind {
    /// The gateway as a whole: `memory limit`, `metrics`, `health`.
    Gateway,
    /// An extension.
    Extension,
    /// A receiver.
    Receiver,
    /// A stage of a pipeline: one line for all pipelines that name the stage.
    Processor,
    /// A connector.
    Connector,
    /// An exporter.
    Exporter,
    /// A pipeline.
    Pipeline,
}

/// Difference of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alteration {
    /// The component is new.
    Added,
    /// The component is removed.
    Removed,
    /// The settings differ, or are not known to be equal: the component is made anew.
    Settings,
    /// The settings differ, and the component listens on the same addresses as before: it takes over the sockets.
    SettingsSameSockets,
    /// A pipeline's signal, receivers, stages, exporters, or the order of these differ.
    Connections,
}

/// Facts that two specs are compared by. A running gateway keeps the outline of its spec.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    components: Vec<Component>,
}

#[derive(Debug, PartialEq, Eq)]
struct Component {
    kind: ChangedKind,
    id: String,
    settings: Option<Fingerprint>,
    /// Addresses that the component listens on, sorted.
    listens_on: Vec<String>,
}

impl GatewaySpec {
    /// Differences from `old`: what a reload from `old` to this spec changes. Components without a fingerprint of their
    /// settings count as changed.
    ///
    /// ```
    /// use otlp_protocol::Signal;
    /// use otlp_service::{ExporterSpec, Fingerprint, GatewaySpec, NopExporter};
    /// use otlp_transport::BoxAttempt;
    ///
    /// let with = |id: &str, settings: &str| GatewaySpec {
    ///     exporters: vec![
    ///         ExporterSpec::new(id, BoxAttempt::new(NopExporter)).with_settings(Fingerprint::of(settings)),
    ///     ],
    ///     ..GatewaySpec::default()
    /// };
    /// assert!(with("nop", "").changes_from(&with("nop", "")).is_empty());
    /// assert_eq!(with("nop", "x").changes_from(&with("nop", "")).to_string(), "exporter nop: new settings");
    /// assert_eq!(
    ///     with("nop/2", "").changes_from(&with("nop", "")).to_string(),
    ///     "exporter nop/2: added\nexporter nop: removed",
    /// );
    /// ```
    pub fn changes_from(&self, old: &GatewaySpec) -> Changes {
        Outline::of(self).changes_from(&Outline::of(old))
    }
}

// === impl Changes ===

impl Changes {
    /// True if nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().enumerate().try_for_each(|(index, change)| {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{change}")
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind, self.id, self.what)
    }
}

impl fmt::Display for ChangedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gateway => "gateway",
            Self::Extension => "extension",
            Self::Receiver => "receiver",
            Self::Processor => "processor",
            Self::Connector => "connector",
            Self::Exporter => "exporter",
            Self::Pipeline => "pipeline",
        })
    }
}

impl fmt::Display for Alteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Settings => "new settings",
            Self::SettingsSameSockets => "new settings, keeps its sockets",
            Self::Connections => "new connections",
        })
    }
}

// === impl Outline ===

impl Outline {
    pub(crate) fn of(spec: &GatewaySpec) -> Self {
        let mut components = of_gateway(spec);
        let mut add = |kind, id: &str, settings| components.push(Component::new(kind, id, settings));
        for extension in &spec.extensions {
            add(ChangedKind::Extension, &extension.id, extension.settings);
        }
        let mut seen = BTreeSet::new();
        for PipelineStage { id, settings, .. } in spec.pipelines.iter().flat_map(|pipeline| &pipeline.stages)
        {
            if seen.insert(id) {
                add(ChangedKind::Processor, id, *settings);
            }
        }
        for connector in &spec.connectors {
            add(ChangedKind::Connector, &connector.id, connector.settings);
        }
        for exporter in &spec.exporters {
            add(ChangedKind::Exporter, &exporter.id, exporter.settings);
        }
        for pipeline in &spec.pipelines {
            let stages: Vec<_> = pipeline.stages.iter().map(|stage| &stage.id).collect();
            let connections = (pipeline.signal.name, &pipeline.receivers, stages, &pipeline.exporters);
            add(ChangedKind::Pipeline, &pipeline.id, Some(Fingerprint::of(&connections)));
        }
        components.extend(spec.receivers.iter().map(|receiver| {
            let mut listens_on = receiver.receiver.listens_on();
            listens_on.sort();
            Component { listens_on, ..Component::new(ChangedKind::Receiver, &receiver.id, receiver.settings) }
        }));
        Self { components }
    }

    pub(crate) fn changes_from(&self, old: &Self) -> Changes {
        let added_or_other = self.components.iter().filter_map(|component| {
            let what = match old.find(component) {
                None => Alteration::Added,
                Some(before) => component.alteration(before)?,
            };
            Some(component.change(what))
        });
        let gone = old.components.iter().filter(|component| self.find(component).is_none());
        let removed = gone.map(|component| component.change(Alteration::Removed));
        let mut changes: Vec<_> = added_or_other.chain(removed).collect();
        changes.sort_by_key(|change| change.kind);
        Changes { changes }
    }

    /// The component of the same kind and id.
    fn find(&self, wanted: &Component) -> Option<&Component> {
        self.components.iter().find(|known| known.kind == wanted.kind && known.id == wanted.id)
    }
}

// === impl Component ===

impl Component {
    fn new(kind: ChangedKind, id: &str, settings: Option<Fingerprint>) -> Self {
        Self { kind, id: id.into(), settings, listens_on: Vec::new() }
    }

    /// The difference from the component before; `None` if it is the same.
    fn alteration(&self, before: &Self) -> Option<Alteration> {
        let keeps_sockets = !self.listens_on.is_empty() && self.listens_on == before.listens_on;
        match self.kind {
            _ if Fingerprint::is_same(before.settings, self.settings) => None,
            ChangedKind::Pipeline => Some(Alteration::Connections),
            _ if keeps_sockets => Some(Alteration::SettingsSameSockets),
            _ => Some(Alteration::Settings),
        }
    }

    fn change(&self, what: Alteration) -> Change {
        Change { kind: self.kind, id: self.id.clone(), what }
    }
}

/// Settings of the whole gateway, as components that every spec has.
fn of_gateway(spec: &GatewaySpec) -> Vec<Component> {
    let health = (&spec.health, &spec.status, &spec.health_checks);
    let of = |id: &str, settings| Component::new(ChangedKind::Gateway, id, Some(settings));
    vec![
        of("memory limit", Fingerprint::of(&spec.memory_limit_bytes)),
        of("metrics", Fingerprint::of(&spec.metrics_pages)),
        of("health", Fingerprint::of(&health)),
    ]
}
