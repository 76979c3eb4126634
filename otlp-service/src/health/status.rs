//! Health by component and pipeline, as the Collector's extension `healthcheckv2` reports it: as JSON, and as serving or not.

use super::report::push_string;
use super::timestamp::Timestamp;
use super::{Affects, CheckReport, Health, HealthReport, Since};
use std::time::{Duration, SystemTime};

/// Errors of components that make the answers of a [`StatusSpec`](crate::StatusSpec) fail: the Collector's `component_health`. Default:
/// none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ErrorRules {
    /// Unhealthy components whose check affects the report alone.
    pub include_permanent: bool,
    /// Components that have been degraded for longer than [`recovery`](Self::recovery).
    pub include_recoverable: bool,
    /// Time that a degraded component has to recover. Default 0.
    pub recovery: Duration,
}

/// Ids of a gateway's extensions, and of the components of its pipelines.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) extensions: Vec<String>,
    pub(crate) pipelines: Vec<PipelineLayout>,
}

#[derive(Debug)]
pub(crate) struct PipelineLayout {
    pub(crate) id: String,
    pub(crate) receivers: Vec<String>,
    pub(crate) processors: Vec<String>,
    pub(crate) exporters: Vec<String>,
}

/// State of the whole gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Starting,
    Ready,
    Stopping,
}

/// Facts that a status is made of.
pub(crate) struct StatusView<'a> {
    pub(crate) report: HealthReport,
    pub(crate) layout: &'a Layout,
    pub(crate) life: Life,
    pub(crate) rules: ErrorRules,
    pub(crate) started: SystemTime,
    pub(crate) now: Since,
}

/// The status of a component, of a pipeline, or of the gateway.
#[derive(Clone, Debug)]
pub(crate) struct ComponentStatus {
    name: String,
    event: Event,
    parts: Vec<ComponentStatus>,
}

/// A status, with its reason and the time since which it holds.
#[derive(Clone, Debug)]
struct Event {
    kind: StatusKind,
    reason: String,
    since: Since,
    is_healthy: bool,
}

/// The Collector's component statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StatusKind {
    Ok,
    Recoverable,
    Permanent,
    Starting,
    Stopping,
    Fatal,
}

// === impl StatusView ===

impl StatusView<'_> {
    /// Returns the status of a pipeline, or of the whole gateway for the empty name. `None` if there is no such pipeline.
    pub(crate) fn of(&self, pipeline: &str) -> Option<ComponentStatus> {
        if !pipeline.is_empty() {
            let known = self.layout.pipelines.iter().find(|known| known.id == pipeline)?;
            return Some(self.pipeline(known));
        }
        let healthy = |id: &String| self.component("extension", id);
        let extensions = self.layout.extensions.iter().map(healthy).collect();
        let mut parts = vec![self.group("extensions".into(), extensions)];
        parts.extend(self.layout.pipelines.iter().map(|pipeline| self.pipeline(pipeline)));
        let checks: Vec<_> = self.other_checks().collect();
        if !checks.is_empty() {
            parts.push(self.group("checks".into(), checks));
        }
        Some(self.group(String::new(), parts))
    }

    /// Returns true if the pipeline, or the component that the check is named after, works; the empty name is the whole gateway.
    /// `None` if there is no such name.
    pub(crate) fn is_serving(&self, name: &str) -> Option<bool> {
        if let Some(status) = self.of(name) {
            return Some(status.http_status() == 200);
        }
        let check = self.report.checks.iter().find(|check| check.name == name)?;
        Some(self.event(check).is_healthy)
    }

    fn pipeline(&self, layout: &PipelineLayout) -> ComponentStatus {
        let PipelineLayout { id, receivers, processors, exporters } = layout;
        let of = |kind: &'static str, ids: &[String]| -> Vec<_> {
            ids.iter().map(|id| self.component(kind, id)).collect()
        };
        let parts = [of("receiver", receivers), of("processor", processors), of("exporter", exporters)];
        self.group(format!("pipeline:{id}"), parts.concat())
    }

    /// A component, whose status is that of its worst check.
    fn component(&self, kind: &str, id: &str) -> ComponentStatus {
        let own = self.report.checks.iter().filter(|check| is_of(check, kind, id));
        let event = self.worst(own.map(|check| self.event(check)));
        ComponentStatus { name: format!("{kind}:{id}"), event, parts: Vec::new() }
    }

    /// The checks that belong to no component of a pipeline.
    fn other_checks(&self) -> impl Iterator<Item = ComponentStatus> {
        let exporters = || self.layout.pipelines.iter().flat_map(|pipeline| &pipeline.exporters);
        let is_shown = move |check: &&CheckReport| {
            check.name != GATEWAY && !exporters().any(|id| is_of(check, "exporter", id))
        };
        self.report.checks.iter().filter(is_shown).map(|check| {
            let event = self.worst([self.event(check)]);
            ComponentStatus { name: check.name.clone(), event, parts: Vec::new() }
        })
    }

    fn group(&self, name: String, parts: Vec<ComponentStatus>) -> ComponentStatus {
        let event = self.worst(parts.iter().map(|part| part.event.clone()));
        ComponentStatus { name, event, parts }
    }

    /// The most relevant event: of equal ones, the oldest. The state of the gateway counts in any case.
    fn worst(&self, events: impl IntoIterator<Item = Event>) -> Event {
        let kind = match self.life {
            Life::Starting => StatusKind::Starting,
            Life::Ready => StatusKind::Ok,
            Life::Stopping => StatusKind::Stopping,
        };
        let since = Since { monotonic: self.now.monotonic, wall: self.started };
        let whole = Event { kind, reason: String::new(), since, is_healthy: kind == StatusKind::Ok };
        events.into_iter().fold(whole, |worst, event| {
            let (rank, other) = (self.rank(event.kind), self.rank(worst.kind));
            let is_older = event.since.monotonic < worst.since.monotonic && event.kind != StatusKind::Ok;
            if rank > other || rank == other && is_older { event } else { worst }
        })
    }

    /// Errors that are included come before others, as in the Collector.
    fn rank(&self, kind: StatusKind) -> u8 {
        let recoverable_first = self.rules.include_recoverable && !self.rules.include_permanent;
        match kind {
            StatusKind::Ok => 0,
            StatusKind::Recoverable => 1 + 2 * u8::from(recoverable_first),
            StatusKind::Permanent => 2,
            StatusKind::Starting => 4,
            StatusKind::Stopping => 5,
            StatusKind::Fatal => 6,
        }
    }

    fn event(&self, check: &CheckReport) -> Event {
        let (kind, is_healthy) = match (&check.health, check.affects) {
            (Health::Healthy, _) => (StatusKind::Ok, true),
            (Health::Degraded(_), _) => {
                let age = self.now.monotonic.saturating_duration_since(check.since.monotonic);
                let ErrorRules { include_recoverable, recovery, .. } = self.rules;
                (StatusKind::Recoverable, !include_recoverable || age < recovery)
            }
            (Health::Unhealthy(_), Affects::Report) => (StatusKind::Permanent, !self.rules.include_permanent),
            (Health::Unhealthy(_), _) => (StatusKind::Fatal, false),
        };
        let reason = check.health.reason().unwrap_or_default().to_owned();
        Event { kind, reason, since: check.since, is_healthy }
    }
}

/// True if the check is one of the component: `exporter/otlp`, `exporter/otlp (host:4317)`, `queue/otlp`.
fn is_of(check: &CheckReport, kind: &str, id: &str) -> bool {
    let own = |kind: &str| check.name.strip_prefix(kind)?.strip_prefix('/')?.strip_prefix(id);
    let is_end = |rest: &str| rest.is_empty() || rest.starts_with(" (");
    own(kind).is_some_and(is_end) || kind == "exporter" && own("queue").is_some_and(is_end)
}

// === impl ComponentStatus ===

impl ComponentStatus {
    /// 200 if healthy, 503 while the gateway starts or stops, else 500: as in the Collector.
    pub(crate) fn http_status(&self) -> u16 {
        match self.event.kind {
            StatusKind::Starting | StatusKind::Stopping => 503,
            _ if self.event.is_healthy => 200,
            _ => 500,
        }
    }

    /// Writes the status in the Collector's form; `verbose`: with the statuses of all parts.
    pub(crate) fn to_json(&self, view: &StatusView<'_>, verbose: bool) -> String {
        let mut json = format!("{{\"start_time\":\"{}\",", Timestamp(view.started));
        self.write(&mut json, verbose);
        json.push('}');
        json
    }

    /// Writes the members of the object without its braces.
    fn write(&self, json: &mut String, verbose: bool) {
        let Event { kind, reason, since, is_healthy } = &self.event;
        json.push_str(&format!("\"healthy\":{is_healthy},\"status\":\"{}\"", kind.name()));
        if !reason.is_empty() {
            json.push_str(",\"error\":");
            push_string(json, reason);
        }
        json.push_str(&format!(",\"status_time\":\"{}\"", Timestamp(since.wall)));
        if !verbose || self.parts.is_empty() {
            return;
        }
        json.push_str(",\"components\":{");
        for (index, part) in self.parts.iter().enumerate() {
            json.push_str(if index == 0 { "" } else { "," });
            push_string(json, &part.name);
            json.push_str(":{");
            part.write(json, verbose);
            json.push('}');
        }
        json.push('}');
    }
}

// === impl StatusKind ===

impl StatusKind {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "StatusOK",
            Self::Recoverable => "StatusRecoverableError",
            Self::Permanent => "StatusPermanentError",
            Self::Starting => "StatusStarting",
            Self::Stopping => "StatusStopping",
            Self::Fatal => "StatusFatalError",
        }
    }
}

/// Name of the check of the gateway's state.
pub(crate) const GATEWAY: &str = "gateway";

#[cfg(test)]
mod tests;
