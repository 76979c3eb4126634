//! The oldest keys of the processor `filter`: properties of what stays (`include`) and of what is removed (`exclude`).

use crate::config::processor::matching::{Keyed, KeyedResource, Library, Match, Severity, properties};
use otlp_protocol::Signal;
use otlp_service::{FilterMatch, MatchConfig, MatchProperties, SettingsError};
use serde::Deserialize;

/// `spans`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SpansInclude {
    include: Option<SpanProperties>,
    exclude: Option<SpanProperties>,
}

/// `spans.include` and `spans.exclude`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SpanProperties {
    /// `strict`: texts are equal; `regexp`: an expression in Go's syntax matches anywhere in them. Required.
    match_type: String,
    /// The resource's `service.name` is one of these.
    services: Vec<String>,
    /// The span's name is one of these.
    span_names: Vec<String>,
    /// The span's kind is one of these: `SPAN_KIND_SERVER`.
    span_kinds: Vec<String>,
    attributes: Vec<Keyed>,
    resources: Vec<KeyedResource>,
    libraries: Vec<Library>,
}

/// `metrics.include` and `metrics.exclude`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MetricsInclude {
    /// `strict`: texts are equal; `regexp`: an expression in Go's syntax matches anywhere in them. Required.
    match_type: String,
    /// The metric's name is one of these.
    metric_names: Vec<String>,
    resource_attributes: Vec<KeyedResource>,
}

/// `logs.include` and `logs.exclude`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LogsInclude {
    /// `strict`: texts are equal; `regexp`: an expression in Go's syntax matches anywhere in them. Required.
    match_type: String,
    resource_attributes: Vec<KeyedResource>,
    record_attributes: Vec<Keyed>,
    /// The record's severity text is one of these.
    severity_texts: Vec<String>,
    severity_number: Option<LeastSeverity>,
    /// The record's body, as a text, is one of these.
    bodies: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LeastSeverity {
    /// The lowest severity that matches, by its name (`INFO`, `ERROR2`) or number.
    min: String,
    /// Records without a severity number match, too. Default false.
    match_undefined: bool,
}

// === impl SpansInclude ===

impl SpansInclude {
    pub(super) fn is_empty(&self) -> bool {
        self.include.is_none() && self.exclude.is_none()
    }

    /// Returns the selection of spans; `None` if nothing is given.
    pub(super) fn matches(self) -> Result<Option<FilterMatch>, SettingsError> {
        if self.is_empty() {
            return Ok(None);
        }
        let mut matches = FilterMatch::new(Signal::TRACES);
        for (part, given) in [("include", self.include), ("exclude", self.exclude)] {
            let Some(given) = given else { continue };
            let given = Match {
                match_type: given.match_type,
                services: given.services,
                span_names: given.span_names,
                span_kinds: given.span_kinds,
                attributes: given.attributes,
                resources: given.resources,
                libraries: given.libraries,
                ..Match::default()
            };
            set(part, &mut matches.entries, given, "spans")?;
        }
        Ok(Some(matches))
    }
}

/// Returns the selection of metrics; `None` if nothing is given. What is excluded by its resource or by its name is removed.
pub(super) fn metrics(
    include: Option<MetricsInclude>,
    exclude: Option<MetricsInclude>,
) -> Result<Option<FilterMatch>, SettingsError> {
    if include.is_none() && exclude.is_none() {
        return Ok(None);
    }
    let mut matches = FilterMatch::new(Signal::METRICS);
    for (part, given) in [("include", include), ("exclude", exclude)] {
        let Some(given) = given else { continue };
        let by_name = Match {
            match_type: given.match_type.clone(),
            metric_names: given.metric_names,
            ..Match::default()
        };
        let by_resource =
            Match { match_type: given.match_type, resources: given.resource_attributes, ..Match::default() };
        let has_names = !by_name.metric_names.is_empty();
        if has_names {
            set(part, &mut matches.entries, by_name, "metrics")?;
        }
        if !by_resource.resources.is_empty() || !has_names {
            set(part, &mut matches.resources, by_resource, "metrics")?;
        }
    }
    Ok(Some(matches))
}

/// Returns the selection of log records; `None` if nothing is given.
pub(super) fn logs(
    include: Option<LogsInclude>,
    exclude: Option<LogsInclude>,
) -> Result<Option<FilterMatch>, SettingsError> {
    if include.is_none() && exclude.is_none() {
        return Ok(None);
    }
    let mut matches = FilterMatch::new(Signal::LOGS);
    for (part, given) in [("include", include), ("exclude", exclude)] {
        let Some(given) = given else { continue };
        let given = Match {
            match_type: given.match_type,
            resources: given.resource_attributes,
            attributes: given.record_attributes,
            log_severity_texts: given.severity_texts,
            log_severity_number: given.severity_number.map(|severity| severity.number(part)).transpose()?,
            log_bodies: given.bodies,
            ..Match::default()
        };
        set(part, &mut matches.entries, given, "logs")?;
    }
    Ok(Some(matches))
}

fn set(
    part: &'static str,
    config: &mut MatchConfig,
    given: Match,
    section: &str,
) -> Result<(), SettingsError> {
    let made: MatchProperties = properties(part, given).map_err(|error| below(section, error))?;
    match part {
        "include" => config.include = Some(made),
        _ => config.exclude = Some(made),
    }
    Ok(())
}

/// Moves an error below a section, and gives the settings the names that they have there.
fn below(section: &str, mut error: SettingsError) -> SettingsError {
    for path in &mut error.paths {
        let mut renamed = path.clone();
        if section != "spans" {
            for (name, other) in NAMES {
                renamed = renamed.replacen(name, other, 1);
            }
        }
        *path = format!("{section}.{renamed}");
    }
    error
}

// === impl LeastSeverity ===

impl LeastSeverity {
    fn number(self, part: &str) -> Result<Severity, SettingsError> {
        let upper = self.min.to_ascii_uppercase();
        let by_name = SEVERITIES.iter().position(|name| *name == upper).map(|index| 4 * index as u32 + 1);
        let (name, step) = upper.split_at(upper.len().saturating_sub(1));
        let by_step = SEVERITIES.iter().position(|known| *known == name).and_then(|index| {
            let step: u32 = step.parse().ok()?;
            (2..=4).contains(&step).then_some(4 * index as u32 + step)
        });
        let by_number = upper.parse().ok().filter(|number| (1..=24).contains(number));
        let given = if self.min.is_empty() { Some(0) } else { by_name.or(by_step).or(by_number) };
        let Some(min) = given else {
            let path = format!("logs.{part}.severity_number.min");
            return Err(SettingsError::unknown(path, "severity", &self.min, &SEVERITIES));
        };
        Ok(Severity { min, match_undefined: self.match_undefined })
    }
}

const SEVERITIES: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

/// Names of the same settings in the processor `attributes` and here.
const NAMES: [(&str, &str); 5] = [
    (".log_bodies", ".bodies"),
    (".log_severity_texts", ".severity_texts"),
    (".log_severity_number", ".severity_number"),
    (".resources", ".resource_attributes"),
    (".attributes", ".record_attributes"),
];
